//! What runs on a schedule: invoice runs and hand-overs, at times a cron expression names, driven by the host.

use std::{fmt, str::FromStr, sync::Arc};

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{
    Timestamp, Zoned,
    tz::{TimeZone, TimeZoneDatabase},
};

use billing_core::{
    decide::{Days, RunOutcome},
    id::{AccountId, SeriesId},
    time::{Instant, Zone},
};

use crate::{
    answer::Result,
    billing::Tenant,
    settlement::{Processor, Sent},
};

/// Instants named by a cron expression in a zone.
///
/// Five fields: minute, hour, day of the month, month, day of the week; with lists, ranges, steps, names, `L` and `W`, and the
/// usual nicknames such as `@monthly`. Days of the month and of the week are alternatives, as in Vixie's cron. A time that a
/// change of clocks leaves out comes at the first instant after it; one that comes twice is taken once.
///
/// # Examples
///
/// ```
/// use billing_core::time::Zone;
/// use billing_store::schedule::Schedule;
///
/// let berlin = Zone::try_new("Europe/Berlin")?;
/// let monthly = Schedule::try_new("5 0 1 * *", &berlin)?;
/// let next = monthly.next_after("2026-10-05T08:00:00Z".parse()?);
/// assert_eq!(next, Some("2026-10-31T23:05:00Z".parse()?)); // five past midnight, in winter time
///
/// let refused = Schedule::try_new("61 0 1 * *", &berlin).unwrap_err();
/// assert!(refused.to_string().starts_with("`61 0 1 * *` is no schedule"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Schedule {
    cron: Cron,
    zone: Zone,
    rules: TimeZone,
}

/// A text that names no instants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no schedule: {problem}; accepted are five fields such as `0 6 1 * *`")]
pub struct InvalidSchedule {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Schedule {
    /// Reads a cron expression, whose times are local in a zone.
    ///
    /// # Errors
    ///
    /// [`InvalidSchedule`] for a text that is no expression, or whose day never comes, such as `0 0 30 2 *`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Zone;
    /// use billing_store::schedule::Schedule;
    ///
    /// let utc = Zone::try_new("UTC")?;
    /// assert!(Schedule::try_new("@hourly", &utc).is_ok());
    /// assert!(Schedule::try_new("0 0 30 2 *", &utc).is_err(), "it never comes");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn try_new(cron: &str, zone: &Zone) -> core::result::Result<Self, InvalidSchedule> {
        let refused = |problem: String| InvalidSchedule { text: cron.to_owned(), problem };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed);
        let parsed = parser.build().parse(cron);
        let parsed = parsed.map_err(|error| refused(error.to_string()))?;
        let rules = TimeZoneDatabase::bundled().get(zone.name());
        let rules = rules.map_err(|error| refused(error.to_string()))?;
        let schedule = Self { cron: parsed, zone: zone.clone(), rules };
        let from_1970 = Instant::from_micros(0).ok().and_then(|start| schedule.next_after(start));
        let _comes: Instant = from_1970.ok_or_else(|| refused("its day never comes".into()))?;
        Ok(schedule)
    }

    /// The first instant after `at`; `None` if there is none before the calendar ends.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Zone;
    /// use billing_store::schedule::Schedule;
    ///
    /// let hourly = Schedule::try_new("0 * * * *", &Zone::try_new("Asia/Kolkata")?)?;
    /// let next = hourly.next_after("2026-10-05T08:30:00Z".parse()?).expect("soon");
    /// assert_eq!(next.to_string(), "2026-10-05T09:30:00Z"); // 15:00 there
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn next_after(&self, at: Instant) -> Option<Instant> {
        let start = Timestamp::from_microsecond(at.micros()).ok()?;
        let start = Zoned::new(start, self.rules.clone());
        let next = self.cron.find_next_occurrence(&start, false).ok()?;
        Instant::from_micros(next.timestamp().as_microsecond()).ok()
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({:?} in {})", self.cron.as_str(), self.zone)
    }
}

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    /// Reads an expression whose times are in UTC.
    fn from_str(text: &str) -> core::result::Result<Self, InvalidSchedule> {
        let utc = Zone::try_new("UTC");
        let utc = utc.map_err(|error| InvalidSchedule {
            text: text.to_owned(),
            problem: error.to_string(),
        })?;
        Self::try_new(text, &utc)
    }
}

/// What is to be done on a schedule.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Job {
    /// Issues the invoices of all accounts whose periods have ended, each in its own zone.
    ///
    /// Run every hour, it issues an account's invoice within an hour after the period's last midnight, wherever the account is.
    IssueInvoices {
        /// The series of their numbers.
        series: SeriesId,
    },
    /// Hands closed days over, and sends what is to be sent.
    SettleDays {
        /// To whom.
        processor: Arc<dyn Processor>,
        /// Which days.
        days: Days,
        /// After how many milliseconds without an answer a revision is sent again.
        answer_ms_max: u64,
    },
}

/// What a job did.
#[derive(Debug)]
#[non_exhaustive]
pub enum Done {
    /// What became of each account in an invoice run.
    Invoices(Vec<(AccountId, RunOutcome)>),
    /// What was handed over.
    Settlements(Sent),
}

/// A tenant's jobs with their schedules. The host drives it; it starts nothing by itself and keeps nothing between runs.
///
/// Any number of processes may drive the same jobs: each is done once, because invoices and settlements are made under locks and
/// doing them again does nothing.
///
/// # Examples
///
/// The loop of a host: `since` is its own, so that what fell due while it was down is done when it is back.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::plan::PlanBook;
/// use billing_store::{Billing, MemoryStore, clock::SetClock, schedule::{Job, Scheduler}};
///
/// let clock = SetClock::at("2026-11-01T00:30:00Z".parse()?);
/// let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
/// let job = Job::IssueInvoices { series: "2026".parse()? };
/// let scheduler = Scheduler::new(acme.clone()).with("5 * * * *".parse()?, job);
///
/// let mut since = "2026-10-31T23:00:00Z".parse()?;
/// assert_eq!(scheduler.next_after(since), Some("2026-10-31T23:05:00Z".parse()?));
/// // ... and there the host sleeps until then.
/// let now = acme.now();
/// for done in scheduler.run_due(since, now).await {
///     println!("{:?}", done?);
/// }
/// since = now;
/// # assert_eq!(scheduler.run_due(since, now).await.len(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scheduler {
    tenant: Tenant,
    jobs: Vec<(Schedule, Job)>,
}

impl Scheduler {
    /// A tenant's scheduler, without jobs.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock, schedule::Scheduler};
    /// # let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock);
    /// let nothing = Scheduler::new(billing.tenant("acme")?);
    /// assert_eq!(nothing.next_after("2026-10-05T08:00:00Z".parse()?), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn new(tenant: Tenant) -> Self {
        Self { tenant, jobs: Vec::new() }
    }

    /// The scheduler with one job more.
    ///
    /// # Examples
    ///
    /// See [`Scheduler`].
    #[must_use]
    pub fn with(mut self, schedule: Schedule, job: Job) -> Self {
        self.jobs.push((schedule, job));
        self
    }

    /// When the first job falls due after an instant; `None` without jobs.
    ///
    /// # Examples
    ///
    /// See [`Scheduler`].
    #[must_use]
    pub fn next_after(&self, at: Instant) -> Option<Instant> {
        self.jobs.iter().filter_map(|(schedule, _)| schedule.next_after(at)).min()
    }

    /// Does each job that fell due after `since` and by `now`, once, in the order in which they were added.
    ///
    /// A job that fails does not keep the others from being done. Whoever wants it done again asks from the same `since`.
    ///
    /// # Examples
    ///
    /// See [`Scheduler`].
    pub async fn run_due(&self, since: Instant, now: Instant) -> Vec<Result<Done>> {
        let mut done = Vec::new();
        for (schedule, job) in &self.jobs {
            if schedule.next_after(since).is_some_and(|due| due <= now) {
                done.push(self.run(job, now).await);
            }
        }
        done
    }

    async fn run(&self, job: &Job, now: Instant) -> Result<Done> {
        match job {
            Job::IssueInvoices { series } => {
                Ok(Done::Invoices(self.tenant.issue_invoices(series, now).await?))
            }
            Job::SettleDays { processor, days, answer_ms_max } => {
                let sent = self.tenant.settle_days(&**processor, *days, *answer_ms_max).await?;
                Ok(Done::Settlements(sent))
            }
        }
    }
}
