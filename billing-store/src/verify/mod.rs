//! Recomputes everything a store holds and says what does not agree.

mod account;
mod generations;
mod invoices;
mod outbox;
mod settlements;
mod tariffs;
mod tenant;

use core::fmt;

use billing_core::id::AccountId;

use crate::{
    answer::{Error, Result},
    billing::Tenant,
    error::{StoreError, StoreResult},
};

/// Recomputes what a tenant's store holds: one account at a time, in flat memory, over one consistent state.
///
/// It may run beside writers. They are not held up, but a store must keep that state for as long as it runs.
///
/// | promise | how it is checked |
/// |---|---|
/// | the journal is whole | numbers 1..n, the hash chain recomputed link by link up to the account's head |
/// | a plan is the one that was assigned | the digest of its document |
/// | an item is what was reported | its fingerprint recomputed from its content |
/// | tariffs are as they were saved and came into force | digests of the documents, and of the list of them |
/// | a posting is the rating of its item | the item rated again under the plan of its day and the tariffs then in force |
/// | an item has its postings, a posting its item | walked from both sides |
/// | a day total is the sum of its postings | summed again; so is which revisions are closed and billed |
/// | an invoice is what its days cost | drawn up again from its parts and the carries before it |
/// | each billed revision is in one line | parts against day totals; shares against lines |
/// | carries are what was billed | moved again invoice by invoice |
/// | invoice numbers are 1..n | each series walked |
/// | sinks are told of what happened | cursors stand within the journal, and dead letters behind them |
/// | every batch is accounted for | received = recorded + replayed + conflict + parked + refused; what all recorded = the items |
///
/// # Errors
///
/// [`Error::Store`] if the store cannot be read at all. A row that cannot be understood is a finding.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::plan::PlanBook;
/// use billing_store::{Billing, MemoryStore, clock::SystemClock, verify::verify};
///
/// let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
/// let report = verify(&acme).await?;
/// assert!(report.is_clean());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn verify(tenant: &Tenant) -> Result<Report> {
    let mut report = Report::default();
    let mut facts = tenant.read().await?;
    tenant::check(tenant, &mut *facts, &mut report).await?;
    Ok(report)
}

/// What was checked, and what does not agree.
///
/// # Examples
///
/// ```
/// use billing_store::verify::{Finding, Promise, Report};
///
/// # let what = "the link of entry 3 does not follow".to_owned();
/// let finding = Finding { promise: Promise::Journal, account: Some("alice".parse()?), what };
/// let report = Report { findings: vec![finding], found: 1, ..Report::default() };
/// assert!(!report.is_clean());
/// # Ok::<(), billing_core::id::InvalidId>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Accounts whose journals were walked.
    pub accounts: u64,
    /// Items checked.
    pub items: u64,
    /// Postings rated again.
    pub postings: u64,
    /// Day totals summed again.
    pub day_totals: u64,
    /// Invoices drawn up again.
    pub invoices: u64,
    /// Settlements held against their days.
    pub settlements: u64,
    /// Versions of tariffs read again.
    pub tariffs: u64,
    /// Corrections held against what they changed.
    pub corrections: u64,
    /// Records of batches added up again.
    pub intakes: u64,
    /// What does not agree, at most [`Report::FINDINGS_MAX`] of them.
    pub findings: Vec<Finding>,
    /// How many findings there are.
    pub found: u64,
}

impl Report {
    /// How many findings are kept; the others are counted.
    pub const FINDINGS_MAX: usize = 1_000;

    /// Whether everything agrees.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::verify::Report;
    ///
    /// assert!(Report::default().is_clean());
    /// assert!(!Report { found: 1, ..Report::default() }.is_clean());
    /// ```
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.found == 0
    }

    fn find(&mut self, promise: Promise, account: Option<&AccountId>, what: impl Into<String>) {
        self.found = self.found.saturating_add(1);
        if self.findings.len() < Self::FINDINGS_MAX {
            self.findings.push(Finding { promise, account: account.cloned(), what: what.into() });
        }
    }
}

/// Something that does not agree.
///
/// # Examples
///
/// ```
/// use billing_store::verify::{Finding, Promise};
///
/// let what = "entry 3 is missing".to_owned();
/// let finding = Finding { promise: Promise::Journal, account: Some("alice".parse()?), what };
/// assert_eq!(finding.to_string(), "the journal is whole (account alice): entry 3 is missing");
/// # Ok::<(), billing_core::id::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which promise is broken.
    pub promise: Promise,
    /// Whose account it concerns.
    pub account: Option<AccountId>,
    /// What was found, without personal data.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some(account) => write!(f, "{} (account {account}): {}", self.promise, self.what),
            None => write!(f, "{}: {}", self.promise, self.what),
        }
    }
}

/// A promise that `verify` checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// Every row can be understood.
    Readable,
    /// The journal is whole and its chain holds.
    Journal,
    /// A plan is the one that was assigned.
    Plan,
    /// Tariffs are as they were saved and came into force.
    Tariff,
    /// An item is what was reported.
    Item,
    /// A posting is the rating of its item.
    Rating,
    /// Items and postings belong together.
    Claim,
    /// A day total is the sum of its postings.
    DayTotal,
    /// An invoice is what its days cost.
    Invoice,
    /// Each billed revision is in one line.
    LinePart,
    /// Carries are what was billed.
    Carry,
    /// Invoice numbers are 1..n.
    Series,
    /// Every batch is accounted for.
    Intake,
    /// What is parked is not recorded.
    Parked,
    /// What is handed over is what the day used, once.
    Settlement,
    /// Sinks are told of what happened, and of nothing else.
    Outbox,
    /// A correction is as it was made, and changed what it says.
    Correction,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Readable => "every row can be understood",
            Self::Journal => "the journal is whole",
            Self::Plan => "a plan is the one that was assigned",
            Self::Tariff => "tariffs are as they were saved and came into force",
            Self::Item => "an item is what was reported",
            Self::Rating => "a posting is the rating of its item",
            Self::Claim => "items and postings belong together",
            Self::DayTotal => "a day total is the sum of its postings",
            Self::Invoice => "an invoice is what its days cost",
            Self::LinePart => "each billed revision is in one line",
            Self::Carry => "carries are what was billed",
            Self::Series => "invoice numbers are 1 to n",
            Self::Intake => "every batch is accounted for",
            Self::Parked => "what is parked is not recorded",
            Self::Settlement => "what is handed over is what the day used, once",
            Self::Outbox => "sinks are told of what happened",
            Self::Correction => "a correction changed what it says",
        })
    }
}

/// How many rows are read at a time.
const PAGE: u32 = 1_000;

/// Turns what cannot be understood into a finding; any other failure ends the check.
fn readable<T>(
    report: &mut Report,
    of: Option<&AccountId>,
    answer: StoreResult<T>,
) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error @ StoreError::Corrupt { .. }) => {
            let cause = match &error {
                StoreError::Corrupt { source: Some(source), .. } => format!("{error}: {source}"),
                _ => error.to_string(),
            };
            report.find(Promise::Readable, of, cause);
            Ok(None)
        }
        Err(error) => Err(Error::Store(error)),
    }
}
