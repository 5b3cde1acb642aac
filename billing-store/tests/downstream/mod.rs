//! A processor that answers as it is bidden.

use async_trait::async_trait;

use billing_core::{
    id::TenantId,
    settlement::{Answer, Handover},
};
use billing_store::settlement::{Processor, ProcessorError};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Downstream {
    Accepts,
    Refuses,
    Fails,
}

#[async_trait]
impl Processor for Downstream {
    async fn process(
        &self,
        _tenant: &TenantId,
        handovers: &[Handover],
    ) -> Result<Vec<Answer>, ProcessorError> {
        let answer = match self {
            Self::Accepts => Answer::Accepted { reference: "7".into() },
            Self::Refuses => Answer::Refused { reason: "not today".into() },
            Self::Fails => return Err("the line is down".into()),
        };
        Ok(handovers.iter().map(|_| answer.clone()).collect())
    }
}
