//! Settling a period: unbilled day totals and carries become lines, rounded once and shared out.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use compact_str::CompactString;

use crate::{
    account::{AccountSettings, Assignment, Stretch, assignment_on, stretches},
    decide::{AccountFacts, CarryMove, Plans, facts::built},
    id::{AccountId, Group, PlanId, StrategyId},
    invoice::{Draft, InvoiceKind, Line, LinePart},
    money::{Amount, Exact, MoneyError, Quantity, allocate},
    plan::{Bill, Charge, Due, GroupUsage, Plan, Problem, Strategy, StretchFacts},
    tax::tax,
    time::{Day, Period, TimeError, Zone},
    usage::{Carry, CarryKey, DayTotal, ScopeKey, Totals, TotalsError},
};

/// What must be known of an account to draw up its bills.
#[derive(Clone, Debug)]
pub struct BillFacts {
    /// The account.
    pub account: AccountFacts,
    /// The plans of its assignments.
    pub plans: Plans,
    /// Its day totals that no line holds, of any day.
    pub unbilled: Vec<DayTotal>,
    /// The carries of the scopes concerned.
    pub carries: BTreeMap<CarryKey, Carry>,
}

/// A bill cannot be drawn up; the account is reported with the reason, and nothing is issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BillError {
    /// The plan is not to be had.
    #[error("plan {plan} version {version} cannot be used here: {why}")]
    PlanUnavailable {
        /// The plan.
        plan: PlanId,
        /// Its version.
        version: u32,
        /// What is wrong.
        why: String,
    },
    /// A strategy could not settle.
    #[error("strategy {strategy} cannot settle: {problem}")]
    Strategy {
        /// The strategy.
        strategy: StrategyId,
        /// What is wrong.
        problem: Problem,
    },
    /// A strategy broke the rule that each group with usage is charged exactly once.
    #[error("strategy {strategy} charged group {group} {times} times: exactly once is accepted")]
    Charges {
        /// The strategy.
        strategy: StrategyId,
        /// The group.
        group: Group,
        /// How often it was charged.
        times: usize,
    },
    /// Usage counts under a strategy the plan of that day does not have.
    #[error(
        "usage of {count} items counts under strategy {strategy}, which its plan does not have"
    )]
    Orphaned {
        /// The strategy.
        strategy: StrategyId,
        /// How many items.
        count: i64,
    },
    /// Usage of a day without a plan.
    #[error("there is usage on {day}, when the account has no plan")]
    NoPlan {
        /// The day.
        day: Day,
    },
    /// The account's journal has no numbers left.
    #[error("the journal of account {account} is full")]
    JournalFull {
        /// The account.
        account: AccountId,
    },
    /// A sum left its bounds.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A sum of totals left its bounds.
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// A period left the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
}

/// Settles one period of an account from given unbilled totals and carries, as the run does.
///
/// Gives the draft and the carries after it: what checking an issued invoice needs.
///
/// # Errors
///
/// [`BillError`] as of [`bill`](crate::decide::bill).
///
/// # Examples
///
/// ```
/// use billing_core::{decide::settle, invoice::InvoiceKind, time::Period};
///
/// # use std::{collections::BTreeMap, sync::Arc};
/// # use billing_core::{decide::BillFacts, plan::{PlanBook, PlanSpec}, usage::DayTotal};
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
/// # let spec: PlanSpec = serde_json::from_str(
/// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
/// #         "strategies":[{"id":"calls","kind":"flat_rate","applies_to":{"directions":["outbound"]},
/// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
/// # )?;
/// # let plan = Arc::new(PlanBook::standard().build(spec)?);
/// # let plans = BTreeMap::from([(Digest::ZERO, Ok(plan))]);
/// # let total: DayTotal = serde_json::from_str(
/// #     r#"{"key":{"account":"alice","day":"2026-10-05","assignment":1,"strategy":"calls",
/// #                "group":"calls","revision":1},"unit":"ms","currency":"EUR",
/// #         "totals":{"count":1,"quantity":"4500000","amount":null},"closed":false,"billed":false,"handed":false}"#,
/// # )?;
/// let facts = BillFacts { account, plans, unbilled: vec![total], carries: BTreeMap::new() };
/// let october = Period::try_new("2026-10-01".parse()?, "2026-11-01".parse()?)?;
/// let (draft, carries) = settle(&facts, InvoiceKind::Period, october)?;
/// assert_eq!(draft.taxed.total.to_string(), "1.5");
/// assert!(carries.values().all(|carry| carry.billed == draft.taxed.net));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn settle(
    facts: &BillFacts,
    kind: InvoiceKind,
    period: Period,
) -> Result<(Draft, BTreeMap<CarryKey, Carry>), BillError> {
    let mut ledger = Ledger::of(facts);
    let draft = match kind {
        InvoiceKind::Advance => ledger.advance(period)?.draft,
        InvoiceKind::Period => {
            let next = facts.account.settings.anchor.period_of(period.end())?;
            ledger.draft(period, Some(next))?.draft
        }
    };
    Ok((draft, ledger.carries))
}

/// One account's totals and carries, moving on from period to period.
#[derive(Clone)]
pub(super) struct Ledger<'a> {
    facts: &'a BillFacts,
    unbilled: Vec<DayTotal>,
    carries: BTreeMap<CarryKey, Carry>,
    touched: BTreeSet<CarryKey>,
}

/// A period's draft, and the day totals it bills.
pub(super) struct Settled {
    pub(super) draft: Draft,
    pub(super) billed: Vec<DayTotal>,
}

impl<'a> Ledger<'a> {
    pub(super) fn of(facts: &'a BillFacts) -> Self {
        let mut unbilled = facts.unbilled.clone();
        unbilled.sort_by(|one, two| one.key.cmp(&two.key));
        Self { facts, unbilled, carries: facts.carries.clone(), touched: BTreeSet::new() }
    }

    pub(super) fn moved(mut self) -> Vec<CarryMove> {
        let take = |key: CarryKey| self.carries.remove(&key).map(|carry| CarryMove { key, carry });
        self.touched.into_iter().filter_map(take).collect()
    }

    /// What a period costs: its own stretches and late usage of earlier ones; then what is due in advance for the `next` one.
    pub(super) fn draft(
        &mut self,
        period: Period,
        next: Option<Period>,
    ) -> Result<Settled, BillError> {
        let AccountFacts { settings, assignments, .. } = &self.facts.account;
        let (due, later) = core::mem::take(&mut self.unbilled)
            .into_iter()
            .partition::<Vec<_>, _>(|total| total.key.day < period.end());
        self.unbilled = later;
        let mut found = stretches_of(settings, assignments, &due, period)?;
        found.extend(self.vanished(period));
        let mut lines = Vec::new();
        for stretch in found {
            self.settle_stretch(stretch, &due, Dues::All, &mut lines)?;
        }
        let ahead: Vec<_> = next.into_iter().flat_map(|next| self.ahead(next)).collect();
        for stretch in ahead {
            self.settle_stretch(stretch, &[], Dues::InAdvance, &mut lines)?;
        }
        let billed = due.into_iter().map(|total| DayTotal { closed: true, billed: true, ..total });
        let billed = billed.collect();
        Ok(Settled { draft: self.sum_up(InvoiceKind::Period, period, lines)?, billed })
    }

    /// What is due in advance for a period that has begun.
    pub(super) fn advance(&mut self, period: Period) -> Result<Settled, BillError> {
        let mut lines = Vec::new();
        for stretch in self.ahead(period) {
            self.settle_stretch(stretch, &[], Dues::InAdvance, &mut lines)?;
        }
        let draft = self.sum_up(InvoiceKind::Advance, period, lines)?;
        Ok(Settled { draft, billed: Vec::new() })
    }

    /// Whether an open period has been charged for, which can only have been in advance.
    pub(super) fn is_advanced(&self, period: Period) -> bool {
        let start = period.start();
        self.carries.iter().filter(|(_, carry)| !carry.is_nothing()).any(|(key, _)| {
            match key.scope {
                ScopeKey::Stretch(day, _) | ScopeKey::Period(day) => day == start,
                ScopeKey::Lifetime => false,
            }
        })
    }

    /// The stretches to settle in advance.
    fn ahead(&self, period: Period) -> Vec<Stretch> {
        let mut ahead = stretches(&self.facts.account.assignments, period);
        ahead.extend(self.vanished(period));
        ahead
    }

    /// Stretches of a period that were charged and that a later change of plan left without a day.
    fn vanished(&self, period: Period) -> Vec<Stretch> {
        let start = period.start();
        let here = stretches(&self.facts.account.assignments, period);
        let charged = self.carries.iter().filter(|(_, carry)| !carry.is_nothing());
        let numbers = charged.filter_map(|(key, _)| match key.scope {
            ScopeKey::Stretch(day, assignment) if day == start => Some(assignment),
            ScopeKey::Stretch(..) | ScopeKey::Period(_) | ScopeKey::Lifetime => None,
        });
        let numbers: BTreeSet<u32> = numbers.collect();
        let gone = numbers.into_iter().filter(|n| !here.iter().any(|s| s.assignment == *n));
        gone.map(|assignment| Stretch { period, start, end: start, assignment }).collect()
    }

    fn sum_up(
        &self,
        kind: InvoiceKind,
        period: Period,
        lines: Vec<Line>,
    ) -> Result<Draft, BillError> {
        let AccountFacts { settings, .. } = &self.facts.account;
        let decimals = settings.decimals();
        let sum = lines.iter().try_fold(Amount::ZERO, |sum, line| sum.checked_add(line.amount))?;
        let taxed = tax(sum, settings.tax.as_ref(), decimals, settings.invoice.rounding)?;
        Ok(Draft {
            account: settings.id.clone(),
            kind,
            period,
            start: settings.zone.day_start(period.start()),
            end: settings.zone.day_start(period.end()),
            zone: settings.zone.clone(),
            zone_data: CompactString::const_new(Zone::data_version()),
            currency: settings.currency,
            decimals,
            lines,
            tax: settings.tax.clone(),
            taxed,
        })
    }

    fn settle_stretch(
        &mut self,
        stretch: Stretch,
        due: &[DayTotal],
        dues: Dues,
        lines: &mut Vec<Line>,
    ) -> Result<(), BillError> {
        let assignments = &self.facts.account.assignments;
        let assignment = assignments.iter().find(|a| a.number == stretch.assignment);
        let within: Vec<_> = due.iter().filter(|total| is_within(total, &stretch)).collect();
        let assignment = assignment.ok_or(BillError::NoPlan { day: stretch.start })?;
        let facts = self.facts;
        let plan = plan_of(&facts.plans, assignment)?;
        let mut bill = Bill::default();
        let is_due = |strategy: &&dyn Strategy| match dues {
            Dues::All => true,
            Dues::InAdvance => strategy.due() == Due::InAdvance,
        };
        for strategy in plan.strategies().filter(is_due) {
            let is_mine = |total: &&DayTotal| total.key.strategy == *strategy.id();
            let mine: Vec<_> = within.iter().copied().filter(is_mine).collect();
            let settling = self.settling(strategy, plan, stretch, &mine)?;
            lines.extend(self.settle_strategy(&settling, &mine, &mut bill)?);
        }
        let known = |total: &DayTotal| plan.strategies().any(|s| *s.id() == total.key.strategy);
        match within.iter().find(|total| !known(total)) {
            None => Ok(()),
            Some(total) => Err(BillError::Orphaned {
                strategy: total.key.strategy.clone(),
                count: total.totals.count,
            }),
        }
    }

    fn settling<'b>(
        &self,
        strategy: &'b dyn Strategy,
        plan: &'b Plan,
        stretch: Stretch,
        mine: &[&DayTotal],
    ) -> Result<Settling<'b>, BillError> {
        let scope = ScopeKey::of(strategy.scope(), stretch.period, stretch.assignment);
        let facts = self.stretch_facts(strategy, stretch, scope, mine)?;
        Ok(Settling { strategy, plan, scope, facts })
    }

    fn settle_strategy(
        &mut self,
        settling: &Settling<'_>,
        mine: &[&DayTotal],
        bill: &mut Bill,
    ) -> Result<Vec<Line>, BillError> {
        let Settling { strategy, facts, .. } = settling;
        strategy
            .settle(facts, bill)
            .map_err(|problem| BillError::Strategy { strategy: strategy.id().clone(), problem })?;
        let charges = bill.take_charges();
        check_charges(*strategy, facts, &charges)?;
        let mut by_group: BTreeMap<&Group, Vec<&DayTotal>> = BTreeMap::new();
        for total in mine {
            by_group.entry(&total.key.group).or_default().push(total);
        }
        let days = |group: &Group| by_group.get(group).map_or(&[][..], Vec::as_slice);
        let lines = charges.into_iter().map(|charge| {
            let days = days(&charge.group);
            self.line(settling, charge, days)
        });
        let lines: Vec<Line> = lines.collect::<Result<_, _>>()?;
        bill.end_turn(strategy.id(), lines.iter().map(|line| (line.group.clone(), line.amount)));
        Ok(lines)
    }

    fn stretch_facts(
        &self,
        strategy: &dyn Strategy,
        stretch: Stretch,
        scope: ScopeKey,
        mine: &[&DayTotal],
    ) -> Result<StretchFacts, BillError> {
        let of_strategy = |key: &&CarryKey| key.scope == scope && key.strategy == *strategy.id();
        let carries = self.carries.iter().filter(|(key, _)| of_strategy(key));
        // What an invoice billed that was made void is as if it had never been.
        let carries = carries.filter(|(_, carry)| !carry.is_nothing());
        let before: BTreeMap<_, _> =
            carries.map(|(key, carry)| (key.group.clone(), carry.clone())).collect();
        let mut usage: BTreeMap<Group, GroupUsage> = BTreeMap::new();
        for total in mine {
            let group = &total.key.group;
            let unbilled = match usage.get(group) {
                None => total.totals,
                Some(sum) => sum.unbilled.checked_add(total.totals)?,
            };
            if usage.get(group).is_some_and(|sum| sum.unit != total.unit) {
                let problem = Problem(format!("group {group} counts in more than one unit"));
                return Err(BillError::Strategy { strategy: strategy.id().clone(), problem });
            }
            let before = before.get(group).cloned().unwrap_or_else(Carry::nothing);
            let sum = GroupUsage::new(total.unit.clone(), unbilled, before);
            let _before: Option<GroupUsage> = usage.insert(group.clone(), sum);
        }
        let currency = self.facts.account.settings.currency;
        Ok(StretchFacts::new(stretch, currency, usage, before))
    }

    /// Rounds a charge once, shares it out over its days, and moves the carry.
    fn line(
        &mut self,
        settling: &Settling<'_>,
        charge: Charge,
        days: &[&DayTotal],
    ) -> Result<Line, BillError> {
        let Settling { strategy, plan, scope, facts } = settling;
        let Charge { group, exact, text, kept } = charge;
        let settings = &self.facts.account.settings;
        let usage = facts.usage.get(&group);
        let totals = usage.map_or(Totals::nothing(None), |usage| usage.unbilled);
        let before = facts.before.get(&group).cloned().unwrap_or_else(Carry::nothing);
        let exact = before.exact.add(&exact);
        check_readable(*strategy, &exact)?;
        let rounded = exact.round(settings.decimals(), settings.invoice.rounding)?;
        let amount = rounded.checked_sub(before.billed)?;
        let parts = share_out(amount, days, settings.decimals())?;
        let key = CarryKey {
            account: settings.id.clone(),
            scope: *scope,
            strategy: strategy.id().clone(),
            group: group.clone(),
        };
        let quantity = before.quantity.checked_add(totals.quantity)?;
        let kept = kept.unwrap_or_else(|| before.kept.clone());
        check_readable(*strategy, &kept)?;
        let carry = Carry { quantity, exact: exact.clone(), billed: rounded, kept };
        let _new: bool = self.touched.insert(key.clone());
        let _before: Option<Carry> = self.carries.insert(key, carry);
        Ok(Line {
            stretch: facts.stretch,
            plan: plan.spec().id.clone(),
            version: plan.spec().version,
            strategy: strategy.id().clone(),
            group,
            unit: usage.map(|usage| usage.unit.clone()),
            count: totals.count,
            quantity: totals.quantity,
            text,
            exact,
            scope: *scope,
            before,
            amount,
            parts,
        })
    }
}

/// Which strategies of a stretch are settled.
#[derive(Clone, Copy)]
enum Dues {
    All,
    InAdvance,
}

/// A strategy at work on one stretch.
struct Settling<'a> {
    strategy: &'a dyn Strategy,
    plan: &'a Plan,
    scope: ScopeKey,
    facts: StretchFacts,
}

/// Lines and carries are kept as text: what is too long to be read back stops the bill.
fn check_readable(strategy: &dyn Strategy, exact: &Exact) -> Result<(), BillError> {
    let read: Result<Exact, MoneyError> = exact.to_string().parse();
    let unreadable = |error: MoneyError| BillError::Strategy {
        strategy: strategy.id().clone(),
        problem: error.into(),
    };
    read.map(drop).map_err(unreadable)
}

/// The stretches to settle: those of the period, and earlier ones with usage that came late. In order of time.
fn stretches_of(
    settings: &AccountSettings,
    assignments: &[Assignment],
    due: &[DayTotal],
    period: Period,
) -> Result<BTreeSet<Stretch>, BillError> {
    let mut found: BTreeSet<Stretch> = stretches(assignments, period).into_iter().collect();
    for total in due {
        let day = total.key.day;
        let _some: &Assignment =
            assignment_on(assignments, day).ok_or(BillError::NoPlan { day })?;
        if !found.iter().any(|stretch| is_within(total, stretch)) {
            let earlier = settings.anchor.period_of(day)?;
            let stretch = stretches(assignments, earlier).into_iter().find(|s| is_within(total, s));
            let stretch = stretch.or_else(|| left_behind(assignments, total, earlier));
            let _new: bool = found.insert(stretch.ok_or(BillError::NoPlan { day })?);
        }
    }
    Ok(found)
}

/// A plan's usage of a day that another plan took over was taken back. What adds up to nothing there is settled without a day.
fn left_behind(assignments: &[Assignment], total: &DayTotal, period: Period) -> Option<Stretch> {
    let assignment = total.key.assignment;
    let is_known = assignments.iter().any(|other| other.number == assignment);
    let start = period.start();
    is_known.then_some(Stretch { period, start, end: start, assignment })
}

/// A plan has at most one stretch of a period: what counts under it in the period counts there, also on days that another plan has
/// taken over since.
fn is_within(total: &DayTotal, stretch: &Stretch) -> bool {
    let (day, Stretch { period, assignment, .. }) = (total.key.day, stretch);
    total.key.assignment == *assignment && period.start() <= day && day < period.end()
}

fn plan_of<'a>(plans: &'a Plans, assignment: &Assignment) -> Result<&'a Plan, BillError> {
    built(plans, assignment).map_err(|why| BillError::PlanUnavailable {
        plan: assignment.plan.clone(),
        version: assignment.version,
        why,
    })
}

/// Every group with usage is charged exactly once, any other group at most once.
fn check_charges(
    strategy: &dyn Strategy,
    facts: &StretchFacts,
    charges: &[Charge],
) -> Result<(), BillError> {
    let mut times: BTreeMap<&Group, usize> = facts.usage.keys().map(|group| (group, 0)).collect();
    for charge in charges {
        let count = times.entry(&charge.group).or_insert(0);
        *count = count.saturating_add(1);
    }
    match times.into_iter().find(|(_, times)| *times != 1) {
        None => Ok(()),
        Some((group, times)) => {
            let (strategy, group) = (strategy.id().clone(), group.clone());
            Err(BillError::Charges { strategy, group, times })
        }
    }
}

/// Shares a line's amount over its days: by their amounts if they have them, otherwise by their quantities.
fn share_out(
    amount: Amount,
    days: &[&DayTotal],
    decimals: u32,
) -> Result<Vec<LinePart>, BillError> {
    if days.is_empty() {
        return Ok(Vec::new());
    }
    let weight = |total: &&DayTotal| match total.totals.amount {
        Some(amount) => Exact::from(amount).to_quantity(),
        None => Ok(total.totals.quantity),
    };
    let weights: Vec<Quantity> = days.iter().map(weight).collect::<Result<_, _>>()?;
    let shares = allocate(amount, &weights, decimals)?;
    let part = |(total, share): (&&DayTotal, Amount)| LinePart {
        day: total.key.day,
        revision: total.key.revision,
        share,
    };
    Ok(days.iter().zip(shares).map(part).collect())
}
