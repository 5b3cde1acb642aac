//! What must be loaded to take a batch in.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString as _},
    sync::Arc,
    vec::Vec,
};

use crate::{
    account::{Assignment, assignment_on},
    decide::{AccountFacts, Batch, Claim, Intake, ParkReason, Parked},
    digest::Digest,
    event::Posting,
    id::{AccountId, IntakeId},
    item::{Incoming, ItemKey},
    plan::{BuildPlanError, Plan},
    tariff::Tariffs,
    time::Day,
    usage::{DayTotal, TotalKey},
};

/// The plans that assignments name, built or not, by the digest in the assignment.
pub type Plans = BTreeMap<Digest, Result<Arc<Plan>, BuildPlanError>>;

/// The open revision of one account's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDay {
    /// The revision that takes postings.
    pub revision: u32,
    /// Its totals so far.
    pub totals: BTreeMap<TotalKey, DayTotal>,
}

impl OpenDay {
    /// Finds the open revision among a day's totals of all revisions.
    ///
    /// It is one more than the last closed one, 1 if none is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{decide::OpenDay, usage::DayTotal};
    ///
    /// # let total: DayTotal = serde_json::from_str(
    /// #     r#"{"key":{"account":"alice","day":"2026-10-05","assignment":1,"strategy":"calls",
    /// #                "group":"calls","revision":1},"unit":"ms","currency":"EUR",
    /// #         "totals":{"count":1,"quantity":"61000","amount":null},"closed":false,"billed":false,"handed":false}"#,
    /// # )?;
    /// assert_eq!(OpenDay::of(vec![total.clone()]).totals.len(), 1);
    /// let closed = OpenDay::of(vec![DayTotal { closed: true, billed: true, ..total }]);
    /// assert_eq!((closed.revision, closed.totals.len()), (2, 0));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn of(totals: Vec<DayTotal>) -> Self {
        let closed = totals.iter().filter(|total| total.closed).map(|total| total.key.revision);
        let revision = closed.max().unwrap_or(0).saturating_add(1);
        let open = totals.into_iter().filter(|total| total.key.revision == revision);
        Self { revision, totals: open.map(|total| (total.key.clone(), total)).collect() }
    }
}

/// What must be known to take a batch in, read under the locks of its accounts.
#[derive(Clone, Debug)]
pub struct IngestFacts {
    /// The accounts that exist among those named.
    pub accounts: BTreeMap<AccountId, AccountFacts>,
    /// The plans of their assignments.
    pub plans: Plans,
    /// The tariffs that these plans may ask, with those that they fall back on.
    pub tariffs: Arc<Tariffs>,
    /// The keys that are claimed among those given, and those of other records of the same usage.
    pub claims: BTreeMap<ItemKey, Claim>,
    /// The current postings of [the claims that the batch may supersede](claims_superseded).
    pub superseded: BTreeMap<ItemKey, Vec<Posting>>,
    /// The keys that are parked among those given.
    pub parked: BTreeMap<ItemKey, Parked>,
    /// The open revisions of the days touched; a day not here has no totals yet.
    pub days: BTreeMap<(AccountId, Day), OpenDay>,
    /// The batch's own id, [`Batch::id`].
    pub batch: IntakeId,
    /// The batch's first record, if it was taken in before.
    pub intake: Option<Intake>,
}

/// The (account, day) pairs a batch may add to: what must be loaded of day totals.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// use billing_core::{decide::{Batch, days_touched}, item::CallEnded};
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
/// # let mut call: CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// call.call.start = "2026-10-04T22:30:00Z".parse()?; // after midnight in Berlin
/// let batch = Batch { label: "calls".into(), entries: vec![Ok(call.into())] };
/// let accounts = BTreeMap::from([("alice".parse()?, account)]);
/// let days: Vec<_> = days_touched(&batch, &accounts).into_iter().collect();
/// assert_eq!(days, [("alice".parse()?, "2026-10-05".parse()?)]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn days_touched(
    batch: &Batch,
    accounts: &BTreeMap<AccountId, AccountFacts>,
) -> BTreeSet<(AccountId, Day)> {
    let known = |incoming: &Incoming| {
        let facts = accounts.get(incoming.account.as_ref()?)?;
        Some((facts.settings.id.clone(), facts.settings.zone.day_of(incoming.item.at())))
    };
    batch.entries.iter().flatten().filter_map(known).collect()
}

/// The claims whose postings a batch may take back: the latest partial record of usage that it brings a later record of.
///
/// `claims` holds all records of the usage that the batch names. Their postings and the days of these must be loaded too.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// use billing_core::{decide::{Batch, Claim, claims_superseded}, item::{CallEnded, ItemKey}};
///
/// # let call: CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// let partial = ItemKey { partial: 1.try_into().ok(), ..call.key.clone() };
/// # let incoming = billing_core::item::Incoming::from(call.clone());
/// let claim = Claim {
///     key: partial.clone(),
///     account: "alice".parse()?,
///     fingerprint: incoming.fingerprint(),
///     first_seq: 3,
///     current_seq: 3,
///     effective: 1,
///     amended: None,
/// };
/// let batch = Batch { label: "calls".into(), entries: vec![Ok(call.into())] };
/// let claims = BTreeMap::from([(partial, claim.clone())]);
/// assert_eq!(claims_superseded(&batch, &claims), [&claim]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn claims_superseded<'a>(
    batch: &Batch,
    claims: &'a BTreeMap<ItemKey, Claim>,
) -> Vec<&'a Claim> {
    let keys = batch.keys();
    let latest = |key: &&ItemKey| latest(claims, key).filter(|claim| key.supersedes(&claim.key));
    let found: BTreeMap<&ItemKey, &Claim> =
        keys.iter().filter_map(latest).map(|claim| (&claim.key, claim)).collect();
    found.into_values().collect()
}

/// The plan that an account has on a day.
///
/// # Errors
///
/// [`ParkReason::NoPlan`], or [`ParkReason::PlanUnavailable`] if it is not built.
///
/// # Examples
///
/// ```
/// use billing_core::decide::{ParkReason, Plans, plan_on};
///
/// let day = "2026-10-05".parse()?;
/// assert_eq!(plan_on(&[], &Plans::new(), day).unwrap_err(), ParkReason::NoPlan { day });
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
pub fn plan_on<'a>(
    assignments: &[Assignment],
    plans: &'a Plans,
    day: Day,
) -> Result<&'a Plan, ParkReason> {
    plan_of(plans, assignment_on(assignments, day).ok_or(ParkReason::NoPlan { day })?)
}

/// The plan of an assignment.
pub(super) fn plan_of<'a>(
    plans: &'a Plans,
    assignment: &Assignment,
) -> Result<&'a Plan, ParkReason> {
    built(plans, assignment).map_err(|why| ParkReason::PlanUnavailable {
        plan: assignment.plan.clone(),
        version: assignment.version,
        why,
    })
}

/// The plan of an assignment, or why there is none.
pub(super) fn built<'a>(plans: &'a Plans, assignment: &Assignment) -> Result<&'a Plan, String> {
    match plans.get(&assignment.digest) {
        Some(Ok(plan)) => Ok(plan),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("it was not loaded".into()),
    }
}

/// The latest record of the same usage that is claimed.
pub(super) fn latest<'a>(claims: &'a BTreeMap<ItemKey, Claim>, key: &ItemKey) -> Option<&'a Claim> {
    let same = |other: &ItemKey| {
        (&other.source, &other.id, &other.leg) == (&key.source, &key.id, &key.leg)
    };
    let records = claims.range(key.of_final()..);
    let records = records.take_while(|(other, _)| same(other)).map(|(_, claim)| claim);
    records.reduce(|one, other| if other.key.supersedes(&one.key) { other } else { one })
}
