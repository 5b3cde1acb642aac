//! What a client asks of the library: one call of the door, with everything it needs to be made again.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use billing_core::{
    account::AccountSettings,
    correction::Correction,
    decide::{Batch, Days, Refusal},
    id::{AccountId, PlanId, SeriesId, TariffId, TenantId},
    item::{Incoming, ItemKey},
    plan::PlanSpec,
    settlement::{Answer as Settled, Handover},
    tariff::TariffSpec,
    time::{Day, Instant},
};
use billing_store::{
    Error, StoreError, Tenant,
    settlement::{Processor, ProcessorError},
    store::Locks,
};

/// One call of the door.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    SaveTariff(TariffSpec),
    ActivateTariff(TariffId, u32, Instant),
    SavePlan(PlanSpec),
    Open(AccountSettings),
    Assign(AccountId, PlanId, u32, Day),
    /// A batch by its label, the items in it, and how many entries cannot be decoded.
    Ingest(String, Vec<Incoming>, u32),
    Bill(AccountId, Instant),
    /// A series, as of when, and the last number it has given by then.
    Issue(SeriesId, Instant, u64),
    HandOver,
    Send,
    Paid(SeriesId, u64, Day, String),
    Void(SeriesId, u64, String),
    Retry(Vec<ItemKey>),
    Drop(ItemKey, String),
    Correct(Correction),
    /// Holds so many readers and so many units at the same time.
    Hold(usize, usize),
}

/// What the client heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    Ok,
    /// It was not done, and may be if it is asked again.
    Again(String),
    /// It may have been done.
    Unknown(String),
    /// It will not be done.
    Failed(String),
}

impl Request {
    /// Its use case.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SaveTariff(..) => "save_tariff",
            Self::ActivateTariff(..) => "activate_tariff",
            Self::SavePlan(..) => "save_plan",
            Self::Open(..) => "open_account",
            Self::Assign(..) => "assign",
            Self::Ingest(..) => "ingest",
            Self::Bill(..) => "bill",
            Self::Issue(..) => "issue_invoices",
            Self::HandOver => "hand_over",
            Self::Send => "send_settlements",
            Self::Paid(..) => "invoice_paid",
            Self::Void(..) => "void_invoice",
            Self::Retry(..) => "retry_parked",
            Self::Drop(..) => "drop_parked",
            Self::Correct(..) => "correct",
            Self::Hold(..) => "hold",
        }
    }

    /// Asks it, and says what came of it as a client would know it.
    pub async fn ask(&self, tenant: &Tenant) -> Answer {
        match self.call(tenant).await {
            // What was dropped by a request whose answer was lost is not parked any more.
            Ok(()) | Err(Error::NotParked { .. }) => Answer::Ok,
            Err(Error::Store(error @ StoreError::Unknown { .. })) => Answer::Unknown(told(&error)),
            Err(Error::Store(error)) if error.is_transient() => Answer::Again(told(&error)),
            Err(error) => Answer::Failed(told(&error)),
        }
    }

    async fn call(&self, tenant: &Tenant) -> billing_store::Result<()> {
        match self {
            Self::SaveTariff(tariff) => tenant.save_tariff(tariff).await.map(drop),
            Self::ActivateTariff(tariff, version, from) => {
                tenant.activate_tariff(tariff, *version, *from).await.map(drop)
            }
            Self::SavePlan(plan) => tenant.save_plan(plan).await.map(drop),
            Self::Open(settings) => tenant.open_account(settings).await.map(drop),
            Self::Assign(account, plan, version, from) => {
                tenant.assign(account, plan, *version, *from).await.map(drop)
            }
            Self::Ingest(label, items, refused) => {
                let refusal = |number| Refusal {
                    place: format!("line {number}").into(),
                    reason: "no start".into(),
                    raw: format!("{number};account-0;;61"),
                };
                let refused = (1..=*refused).map(|number| Err(refusal(number)));
                let entries = items.iter().cloned().map(Ok).chain(refused).collect();
                tenant.ingest(&Batch { label: label.clone(), entries }).await.map(drop)
            }
            Self::Bill(account, at) => tenant.bill(account, *at).await.map(drop),
            Self::Issue(series, as_of, _) => tenant.issue_invoices(series, *as_of).await.map(drop),
            Self::HandOver => tenant.hand_over(Days::All).await.map(drop),
            Self::Send => tenant.send_settlements(&Downstream, 0).await.map(drop),
            Self::Paid(series, number, on, reference) => {
                tenant.invoice_paid(series, *number, *on, reference).await.map(drop)
            }
            Self::Void(series, number, reason) => {
                tenant.void_invoice(series, *number, reason).await.map(drop)
            }
            Self::Retry(keys) => tenant.retry_parked(keys).await.map(drop),
            Self::Drop(key, reason) => tenant.drop_parked(key, reason).await,
            Self::Correct(correction) => tenant.correct(correction).await.map(drop),
            Self::Hold(readers, units) => hold(tenant, *readers, *units).await,
        }
    }
}

async fn hold(tenant: &Tenant, readers: usize, units: usize) -> billing_store::Result<()> {
    let (mut reading, mut writing) = (Vec::new(), Vec::new());
    for _ in 0..readers {
        let mut facts = tenant.read().await?;
        facts.account_page(None, 1).await?;
        reading.push(facts);
    }
    for number in 0..units {
        let account = format!("unit-{number}").parse()?;
        writing.push(tenant.begin(&Locks::accounts([account])).await?);
    }
    Ok(())
}

/// The error with all its causes.
pub fn told(error: &dyn core::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// A processor that refuses some days, and accepts the others.
#[derive(Debug)]
struct Downstream;

#[async_trait]
impl Processor for Downstream {
    async fn process(
        &self,
        _tenant: &TenantId,
        handovers: &[Handover],
    ) -> Result<Vec<Settled>, ProcessorError> {
        let answer = |one: &Handover| match one.day.to_string().ends_with(['4', '9']) {
            true => Settled::Refused { reason: "not on such a day".into() },
            false => Settled::Accepted { reference: one.digest().to_string() },
        };
        Ok(handovers.iter().map(answer).collect())
    }
}
