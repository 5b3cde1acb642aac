//! What the program's flags say about pulses, days and the processor.

use std::{str::FromStr, time::Duration};

use axum::http::Uri;

use billing::{Zone, core::decide::PulseSign};

/// What is counted, and on which day.
#[derive(Clone, Debug, clap::Args)]
pub struct Counting {
    /// Whose midnights part the days; a tenant keeps the zone of its first pulse
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub zone: Zone,
    /// Take amounts below 0 too, such as corrections
    #[arg(long)]
    pub allow_negative: bool,
}

impl Counting {
    pub const fn pulse_sign(&self) -> PulseSign {
        if self.allow_negative { PulseSign::Any } else { PulseSign::NotNegative }
    }
}

/// Who is handed the aggregates, and how often.
#[derive(Clone, Debug, clap::Args)]
pub struct Delivery {
    /// Where the processor takes batches; without it, they are logged and count as accepted
    #[arg(long, value_name = "URL")]
    pub processor: Option<ProcessorUrl>,
    /// How long the processor may take to answer, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub processor_timeout_ms: u64,
    /// How often everything is committed without being asked, in seconds
    #[arg(long, value_name = "S", default_value_t = 60)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub commit_every_s: u64,
}

impl Delivery {
    pub const fn commit_every(&self) -> Duration {
        Duration::from_secs(self.commit_every_s)
    }

    pub const fn processor_timeout(&self) -> Duration {
        Duration::from_millis(self.processor_timeout_ms)
    }
}

/// An address that begins with `http://` and names a host.
#[derive(Clone, Debug)]
pub struct ProcessorUrl(pub Uri);

impl FromStr for ProcessorUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url: Uri = text.parse().map_err(|_no_url| "it is no URL".to_owned())?;
        match (url.scheme_str(), url.host()) {
            (Some("http"), Some(_)) => Ok(Self(url)),
            _ => Err("accepted is http:// and a host".to_owned()),
        }
    }
}
