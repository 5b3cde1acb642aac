//! Who is handed the aggregates: a processor over HTTP, or the log.

use std::collections::BTreeMap;

use billing::{
    Day,
    core::{
        id::TenantId,
        settlement::{Answer, Handover},
    },
    settlement::ProcessorError,
};

use super::{
    handing::{Place, place_of},
    over_http::OverHttp,
    settings::Delivery,
};

/// Where batches go.
#[derive(Debug)]
pub enum Downstream {
    /// Each batch is a line in the log, and counts as accepted.
    Log,
    /// Each batch is a request.
    Http(Box<OverHttp>),
}

impl Downstream {
    pub fn of(delivery: &Delivery) -> Self {
        let over_http = |url: &_| OverHttp::new(url, delivery.processor_timeout());
        delivery.processor.as_ref().map_or(Self::Log, |url| Self::Http(Box::new(over_http(url))))
    }

    /// Hands over revisions of one day, and gives the answers to those that were answered.
    pub async fn hand(
        &self,
        tenant: &TenantId,
        day: Day,
        handovers: &[&Handover],
    ) -> Result<BTreeMap<Place, Answer>, ProcessorError> {
        match self {
            Self::Log => Ok(log(day, handovers)),
            Self::Http(processor) => processor.hand(tenant, day, handovers).await,
        }
    }
}

fn log(day: Day, handovers: &[&Handover]) -> BTreeMap<Place, Answer> {
    let totals: usize = handovers.iter().map(|handover| handover.totals.len()).sum();
    println!("usage_ingestor: {day}: sent {totals} totals in {} revisions", handovers.len());
    let accepted = || Answer::Accepted { reference: "logged".to_owned() };
    handovers.iter().map(|handover| (place_of(handover), accepted())).collect()
}
