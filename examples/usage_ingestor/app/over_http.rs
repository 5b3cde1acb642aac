//! A processor over HTTP: what is posted for a day, and what comes back.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, Uri, header::CONTENT_TYPE},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use billing::{
    AccountId, Day, Quantity,
    core::{
        digest::Digest,
        id::{ProductId, TenantId, Unit},
        plan::Unpriced,
        settlement::{Answer, HandedTotal, Handover},
    },
    settlement::ProcessorError,
};

use super::{handing::Place, settings::ProcessorUrl};

/// The bytes that the answers to one batch may have.
const ANSWERS_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug)]
pub struct OverHttp {
    client: Client<HttpConnector, Body>,
    url: Uri,
    patience: Duration,
}

/// A day's batch: what is posted.
///
/// The same account, day and revision may come again, always with the same digest: whoever has it says once more what it said.
#[derive(Debug, Serialize)]
struct Batch<'a> {
    tenant: &'a TenantId,
    day: Day,
    handovers: Vec<Handed<'a>>,
}

#[derive(Debug, Serialize)]
struct Handed<'a> {
    account: &'a AccountId,
    day: Day,
    revision: u32,
    digest: Digest,
    totals: Vec<Total>,
}

#[derive(Debug, Serialize)]
struct Total {
    product: ProductId,
    unit: Unit,
    /// As text, so that no reader of JSON makes a float of it.
    amount: Quantity,
    pulses: i64,
}

/// What comes back: an answer to each account's revision.
#[derive(Debug, Deserialize)]
struct Answers {
    answers: Vec<OneAnswer>,
}

#[derive(Debug, Deserialize)]
struct OneAnswer {
    account: AccountId,
    revision: u32,
    #[serde(flatten)]
    said: Verdict,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Verdict {
    Accepted { reference: String },
    Refused { reason: String },
}

impl OverHttp {
    pub fn new(url: &ProcessorUrl, patience: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, url: url.0.clone(), patience }
    }

    /// Posts revisions of one day, and gives the answers to those that were answered.
    pub async fn hand(
        &self,
        tenant: &TenantId,
        day: Day,
        handovers: &[&Handover],
    ) -> Result<BTreeMap<Place, Answer>, ProcessorError> {
        let handovers: Option<_> = handovers.iter().map(|handover| Handed::of(handover)).collect();
        let handovers = handovers.ok_or("a total is of no product and unit")?;
        let batch = serde_json::to_vec(&Batch { tenant, day, handovers })?;
        let answers = timeout(self.patience, self.post(batch)).await;
        let answers = answers.map_err(|_late| format!("no answer in {:?}", self.patience))??;
        // Of two answers to one revision the first stands.
        let answers = answers.answers.into_iter().rev();
        Ok(answers.map(|one| ((one.account, day, one.revision), one.said.into())).collect())
    }

    /// Anything but 200 with answers is no answer at all: a wrong address must not look like a processor that took it.
    async fn post(&self, batch: Vec<u8>) -> Result<Answers, ProcessorError> {
        let request = Request::builder().method(Method::POST).uri(&self.url);
        let request = request.header(CONTENT_TYPE, "application/json").body(batch.into())?;
        let response = self.client.request(request).await?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(format!("the processor answered with {status}").into());
        }
        let body = to_bytes(Body::new(response.into_body()), ANSWERS_BYTES_MAX).await?;
        Ok(serde_json::from_slice(&body)?)
    }
}

impl<'a> Handed<'a> {
    fn of(handover: &'a Handover) -> Option<Self> {
        let Handover { account, day, revision, totals } = handover;
        let totals = totals.iter().map(Total::of).collect::<Option<_>>()?;
        Some(Self { account, day: *day, revision: *revision, digest: handover.digest(), totals })
    }
}

impl Total {
    /// `None` for a group that is not of a product and a unit; all that are counted here are.
    fn of(handed: &HandedTotal) -> Option<Self> {
        let (product, unit) = Unpriced::product_and_unit(&handed.group)?;
        let (amount, pulses) = (handed.totals.quantity, handed.totals.count);
        Some(Self { product, unit, amount, pulses })
    }
}

impl From<Verdict> for Answer {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accepted { reference } => Self::Accepted { reference },
            Verdict::Refused { reason } => Self::Refused { reason },
        }
    }
}
