//! The secret that an endpoint and this library share.

use core::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};

const PREFIX: &str = "whsec_";
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;

/// A secret that webhooks are signed with: 24 to 64 bytes, written as `whsec_` and their base64.
///
/// `Debug` does not show it, and nothing else does.
///
/// # Examples
///
/// ```
/// use billing_store::relay::webhooks::WebhookSecret;
///
/// let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse()?;
/// assert_eq!(format!("{secret:?}"), "WebhookSecret(..)");
/// assert!("whsec_c2hvcnQ=".parse::<WebhookSecret>().is_err());
/// # Ok::<(), billing_store::relay::webhooks::InvalidSecret>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// The secret of these bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidSecret::Length`] unless there are 24 to 64.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::relay::webhooks::WebhookSecret;
    ///
    /// assert!(WebhookSecret::try_new(&[7; 32]).is_ok());
    /// assert!(WebhookSecret::try_new(&[7; 23]).is_err());
    /// ```
    pub fn try_new(bytes: &[u8]) -> Result<Self, InvalidSecret> {
        if (BYTES_MIN..=BYTES_MAX).contains(&bytes.len()) {
            return Ok(Self(bytes.to_owned()));
        }
        Err(InvalidSecret::Length { bytes: bytes.len() })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for WebhookSecret {
    type Err = InvalidSecret;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let text = s.strip_prefix(PREFIX).ok_or(InvalidSecret::Prefix)?;
        let bytes = STANDARD.decode(text).ok().ok_or(InvalidSecret::Base64)?;
        Self::try_new(&bytes)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// A text is no webhook secret; never repeats it.
///
/// # Examples
///
/// ```
/// use billing_store::relay::webhooks::{InvalidSecret, WebhookSecret};
///
/// assert_eq!("secret".parse::<WebhookSecret>(), Err(InvalidSecret::Prefix));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSecret {
    /// It does not begin with `whsec_`.
    #[error("a webhook secret begins with `whsec_`")]
    Prefix,
    /// What follows is not base64.
    #[error("a webhook secret is base64 with padding behind `whsec_`")]
    Base64,
    /// It is too short or too long.
    #[error("a webhook secret of {bytes} bytes is not accepted: 24 to 64 are")]
    Length {
        /// How many bytes it has.
        bytes: usize,
    },
}
