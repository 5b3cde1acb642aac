//! Giving an account a plan from a day on.

use crate::{
    account::Assignment,
    decide::{AccountFacts, Writes},
    event::{Event, Happened, JournalEntry},
    id::{AccountId, PlanId},
    money::Currency,
    plan::PlanSpec,
    time::{Day, Instant, Period, TimeError},
};

/// What must be known to assign a plan.
#[derive(Clone, Copy, Debug)]
pub struct AssignFacts<'a> {
    /// The account.
    pub account: &'a AccountFacts,
    /// The plan version.
    pub plan: &'a PlanSpec,
    /// The last day on which the account has rated usage.
    pub last_used: Option<Day>,
}

/// A plan cannot be assigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssignError {
    /// The day's period leaves the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The plan's prices are in another currency.
    #[error("plan {plan} is in {theirs}, account {account} in {ours}: they must be the same")]
    Currency {
        /// The account.
        account: AccountId,
        /// Its currency.
        ours: Currency,
        /// The plan.
        plan: PlanId,
        /// The plan's currency.
        theirs: Currency,
    },
    /// There is an assignment from that day or a later one.
    #[error(
        "account {account} has an assignment from {last}: the next one must start later, not on {from}"
    )]
    NotAfter {
        /// The account.
        account: AccountId,
        /// The first day of its last assignment.
        last: Day,
        /// The day asked for.
        from: Day,
    },
    /// Usage from that day on was rated under the plan in force.
    #[error(
        "account {account} has usage rated up to {used}: a plan can start after it, not on {from}"
    )]
    Used {
        /// The account.
        account: AccountId,
        /// The last day with usage.
        used: Day,
        /// The day asked for.
        from: Day,
    },
    /// The day lies in a period that was invoiced.
    #[error("account {account} is invoiced until {until}: a plan cannot start before, on {from}")]
    Invoiced {
        /// The account.
        account: AccountId,
        /// The end of the last invoiced period.
        until: Day,
        /// The day asked for.
        from: Day,
    },
}

/// Decides that an account has a plan from a local day on; `None` if it has it so already.
///
/// # Errors
///
/// [`AssignError`] if the currencies differ, the days are out of order, or the day has been rated or invoiced.
pub fn assign(
    facts: AssignFacts<'_>,
    from: Day,
    now: Instant,
) -> Result<Option<Writes>, AssignError> {
    let AssignFacts {
        account: AccountFacts { settings, head, assignments, invoiced_until },
        plan,
        last_used,
    } = facts;
    let same = |a: &&Assignment| a.from == from && a.plan == plan.id && a.version == plan.version;
    if assignments.iter().any(|assignment| same(&assignment)) {
        return Ok(None);
    }
    let account = settings.id.clone();
    if plan.currency != settings.currency {
        let (ours, theirs, plan) = (settings.currency, plan.currency, plan.id.clone());
        return Err(AssignError::Currency { account, ours, plan, theirs });
    }
    if let Some(last) = assignments.last().map(|last| last.from).filter(|last| *last >= from) {
        return Err(AssignError::NotAfter { account, last, from });
    }
    if let Some(until) = invoiced_until.filter(|until| from < *until) {
        return Err(AssignError::Invoiced { account, until, from });
    }
    if let Some(used) = last_used.filter(|used| from <= *used) {
        return Err(AssignError::Used { account, used, from });
    }
    let _period: Period = settings.anchor.period_of(from)?;
    let number = assignments.last().map_or(1, |last| last.number.saturating_add(1));
    let assignment = Assignment { number, from, plan: plan.id.clone(), version: plan.version };
    let what = Happened::PlanAssigned { assignment: assignment.clone() };
    let seq = head.seq.saturating_add(1);
    let event = Event { account: account.clone(), seq, at: now, what };
    let head = head.append(&JournalEntry::Event(event.clone()));
    Ok(Some(Writes {
        heads: alloc::vec![(account.clone(), head)],
        assignments: alloc::vec![(account, assignment)],
        events: alloc::vec![event],
        ..Writes::default()
    }))
}
