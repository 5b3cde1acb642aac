//! Giving an account a plan from a day on.

use alloc::boxed::Box;

use crate::{
    account::Assignment,
    decide::{AccountFacts, Plans, Writes},
    event::{Event, Happened, JournalEntry},
    id::{AccountId, PlanId, StrategyId},
    money::Currency,
    plan::Plan,
    terms::Overrides,
    time::{Day, Instant, Period, TimeError},
    usage::Scope,
};

/// What must be known to assign a plan.
#[derive(Clone, Copy, Debug)]
pub struct AssignFacts<'a> {
    /// The account.
    pub account: &'a AccountFacts,
    /// The plan version with the account's own terms, built.
    pub plan: &'a Plan,
    /// The account's own terms.
    pub overrides: &'a Overrides,
    /// The plans of the account's other assignments.
    pub plans: &'a Plans,
    /// The first day with rated usage from the day asked for until the next assignment.
    pub used: Option<Day>,
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
    /// Another plan starts on that day.
    #[error(
        "account {account} has plan {plan} version {version} from {from} on: two cannot start on one day"
    )]
    Taken {
        /// The account.
        account: AccountId,
        /// The plan that starts then.
        plan: PlanId,
        /// Its version.
        version: u32,
        /// The day asked for.
        from: Day,
    },
    /// Another plan of the account cannot be built here, so nobody can say whether this one goes with it.
    #[error(
        "plan {plan} version {version} of the account cannot be used here, so no other can be held against it"
    )]
    PlanUnavailable {
        /// The other plan.
        plan: PlanId,
        /// Its version.
        version: u32,
    },
    /// The account's journal has no numbers left.
    #[error("the journal of account {account} is full")]
    JournalFull {
        /// The account.
        account: AccountId,
    },
    /// A strategy that counts beyond a stretch would go on counting something else.
    #[error(
        "strategy {strategy} is of kind {ours} in another plan of the account and of kind {theirs} in this one: \
         what counts over a change of plan keeps its kind, another kind takes another id"
    )]
    OtherKind {
        /// The strategy.
        strategy: StrategyId,
        /// Its kind in the other plan.
        ours: Box<str>,
        /// Its kind in the plan asked for.
        theirs: Box<str>,
    },
    /// Usage of days the plan would take over was rated under another.
    #[error(
        "account {account} has usage on {used} rated under another plan: none can start on {from}"
    )]
    Used {
        /// The account.
        account: AccountId,
        /// The first day with such usage.
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
/// [`AssignError::Currency`] if the currencies differ, [`AssignError::Taken`] if another plan starts on that day,
/// [`AssignError::Invoiced`] or [`AssignError::Used`] if days of the plan are invoiced or rated, [`AssignError::OtherKind`] if a
/// strategy that counts beyond a stretch would change its kind, [`AssignError::Time`] if the day's period leaves the calendar.
///
/// # Examples
///
/// ```
/// use billing_core::{
///     decide::{AssignError, AssignFacts, Plans, assign},
///     plan::{PlanBook, PlanSpec},
///     terms::Overrides,
/// };
///
/// # use billing_core::{
/// #     account::{AccountSettings, Assignment}, decide::AccountFacts, digest::Digest, event::Head,
/// # };
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (plan, digest) = ("basic".parse()?, Digest::ZERO);
/// # let overrides = billing_core::terms::Overrides::none();
/// # let basic = Assignment { number: 1, from: "2026-10-01".parse()?, plan, version: 1, overrides, digest };
/// # let (head, assignments) = (Head::EMPTY, vec![basic]);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until: None, advanced_until: None };
/// # let account = AccountFacts { assignments: vec![], ..account };
/// # let spec: PlanSpec = serde_json::from_str(
/// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
/// #         "strategies":[{"id":"calls","kind":"flat_rate","applies_to":{"directions":["outbound"]},
/// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
/// # )?;
/// let plan = PlanBook::standard().build(spec)?;
/// let (from, now) = ("2026-10-01".parse()?, "2026-10-05T12:00:00Z".parse()?);
/// let (plans, overrides) = (Plans::new(), Overrides::none());
/// let (account, plan, used) = (&account, &plan, None);
/// let facts = AssignFacts { account, plan, overrides: &overrides, plans: &plans, used };
/// let writes = assign(facts, from, now)?.expect("a plan it had not");
/// assert_eq!(writes.assignments[0].1.number, 1);
///
/// let facts = AssignFacts { used: Some("2026-10-02".parse()?), ..facts };
/// assert!(matches!(assign(facts, from, now), Err(AssignError::Used { .. })));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn assign(
    facts: AssignFacts<'_>,
    from: Day,
    now: Instant,
) -> Result<Option<Writes>, AssignError> {
    let AssignFacts {
        account: AccountFacts { settings, head, assignments, invoiced_until, advanced_until },
        ..
    } = facts;
    let AssignFacts { plan, overrides, plans, used, .. } = facts;
    let spec = plan.spec();
    let digest = spec.digest();
    if assignments.iter().any(|assignment| (assignment.from, assignment.digest) == (from, digest)) {
        return Ok(None);
    }
    let account = settings.id.clone();
    if spec.currency != settings.currency {
        let (ours, theirs, plan) = (settings.currency, spec.currency, spec.id.clone());
        return Err(AssignError::Currency { account, ours, plan, theirs });
    }
    if let Some(taken) = assignments.iter().find(|assignment| assignment.from == from) {
        let (plan, version) = (taken.plan.clone(), taken.version);
        return Err(AssignError::Taken { account, plan, version, from });
    }
    // What was invoiced in advance is of a period that began: no plan may start in one before it.
    let advanced = advanced_until.map(|until| settings.anchor.period_of(until.plus_days(-1)?));
    let advanced = advanced.transpose()?.map(Period::start);
    if let Some(until) = advanced.max(*invoiced_until).filter(|until| from < *until) {
        return Err(AssignError::Invoiced { account, until, from });
    }
    if let Some(used) = used {
        return Err(AssignError::Used { account, used, from });
    }
    let _period: Period = settings.anchor.period_of(from)?;
    check_kinds(plan, plans, assignments)?;
    let last = assignments.iter().map(|assignment| assignment.number).max();
    let number = last.unwrap_or(0).saturating_add(1);
    let (id, version, overrides) = (spec.id.clone(), spec.version, overrides.clone());
    let assignment = Assignment { number, from, plan: id, version, overrides, digest };
    let what = Happened::PlanAssigned { assignment: assignment.clone() };
    let full = || AssignError::JournalFull { account: account.clone() };
    let seq = head.next().ok_or_else(full)?;
    let event = Event { account: account.clone(), seq, at: now, what };
    let head = head.append(&JournalEntry::Event(event.clone()));
    Ok(Some(Writes {
        heads: alloc::vec![(account.clone(), head)],
        assignments: alloc::vec![(account, assignment)],
        events: alloc::vec![event],
        ..Writes::default()
    }))
}

/// A strategy that counts over changes of plan must stay of one kind in all plans of the account.
fn check_kinds(plan: &Plan, plans: &Plans, assignments: &[Assignment]) -> Result<(), AssignError> {
    let is_built = |assignment: &&Assignment| matches!(plans.get(&assignment.digest), Some(Ok(_)));
    if let Some(assignment) = assignments.iter().find(|assignment| !is_built(assignment)) {
        let (plan, version) = (assignment.plan.clone(), assignment.version);
        return Err(AssignError::PlanUnavailable { plan, version });
    }
    for (ours, other) in plans.values().flatten().flat_map(|plan| plan.with_specs()) {
        let counts_on = |scope: Scope| scope != Scope::Stretch && scope == other.scope();
        let theirs = plan.with_specs().find(|(spec, strategy)| {
            spec.id == ours.id && spec.kind != ours.kind && counts_on(strategy.scope())
        });
        if let Some((theirs, _)) = theirs {
            return Err(AssignError::OtherKind {
                strategy: ours.id.clone(),
                ours: ours.kind.as_str().into(),
                theirs: theirs.kind.as_str().into(),
            });
        }
    }
    Ok(())
}
