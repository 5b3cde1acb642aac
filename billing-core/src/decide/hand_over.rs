//! Handing closed days downstream: which days, in what state, and what the processor's answer changes.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    decide::{AccountFacts, Writes},
    event::{Event, Happened, Head, JournalEntry},
    id::AccountId,
    settlement::{Answer, HandedTotal, Handover, Settlement, SettlementState},
    time::{Day, Instant},
    usage::DayTotal,
};

/// Which days are handed over.
///
/// # Examples
///
/// ```
/// use billing_core::{decide::Days, time::Zone};
///
/// let (berlin, now) = (Zone::try_new("Europe/Berlin")?, "2026-10-05T22:30:00Z".parse()?);
/// assert!(Days::Ended.includes("2026-10-05".parse()?, &berlin, now), "it is half past midnight there");
/// assert!(!Days::Ended.includes("2026-10-06".parse()?, &berlin, now));
/// assert!(Days::On("2026-10-06".parse()?).includes("2026-10-06".parse()?, &berlin, now));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// Those that have ended in the account's zone.
    Ended,
    /// One local day, whether it has ended or not.
    On(Day),
    /// All, the one that is going on too.
    All,
}

impl Days {
    /// Whether an account's local day is one of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{decide::Days, time::Zone};
    ///
    /// let now = "2026-10-05T12:00:00Z".parse()?;
    /// assert!(Days::All.includes("2026-10-05".parse()?, &Zone::try_new("UTC")?, now));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn includes(self, day: Day, zone: &crate::time::Zone, now: Instant) -> bool {
        match self {
            Self::Ended => day < zone.day_of(now),
            Self::On(one) => day == one,
            Self::All => true,
        }
    }
}

/// An account's journal has no numbers left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal of account {account} is full")]
pub struct JournalFull {
    /// The account.
    pub account: AccountId,
}

/// Closes the open revisions of an account's days and makes a settlement of each revision that is in none.
///
/// `unhanded` are the account's day totals that are in no settlement, of days that are to be handed over or not. What arrives
/// afterwards forms the next revision.
///
/// # Errors
///
/// [`JournalFull`].
///
/// # Examples
///
/// ```
/// use billing_core::decide::{Days, hand_over};
///
/// # use billing_core::{
/// #     account::AccountSettings, decide::AccountFacts, event::Head, usage::DayTotal,
/// # };
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (head, assignments) = (Head::EMPTY, vec![]);
/// # let (invoiced_until, advanced_until) = (None, None);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until, advanced_until };
/// # let total: DayTotal = serde_json::from_str(
/// #     r#"{"key":{"account":"alice","day":"2026-10-05","assignment":1,"strategy":"usage",
/// #                "group":"storage/GB-h","revision":1},"unit":"GB-h","currency":"EUR",
/// #         "totals":{"count":2,"quantity":"0.75","amount":null},
/// #         "closed":false,"billed":false,"handed":false}"#,
/// # )?;
/// let now = "2026-10-06T00:05:00Z".parse()?;
/// let writes = hand_over(&account, &[total], Days::Ended, now)?;
/// assert_eq!(writes.settlements[0].handover.revision, 1);
/// assert!(writes.totals[0].closed && writes.totals[0].handed);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn hand_over(
    account: &AccountFacts,
    unhanded: &[DayTotal],
    days: Days,
    now: Instant,
) -> Result<Writes, JournalFull> {
    let settings = &account.settings;
    let mut revisions: BTreeMap<(Day, u32), Vec<&DayTotal>> = BTreeMap::new();
    let due = |total: &&DayTotal| days.includes(total.key.day, &settings.zone, now);
    for total in unhanded.iter().filter(due) {
        revisions.entry((total.key.day, total.key.revision)).or_default().push(total);
    }
    let mut writes = Writes::default();
    let mut head = account.head;
    for ((day, revision), mut totals) in revisions {
        totals.sort_by(|one, two| one.key.cmp(&two.key));
        let handover = Handover {
            account: settings.id.clone(),
            day,
            revision,
            totals: totals.iter().map(|total| HandedTotal::from(*total)).collect(),
        };
        let what = Happened::DayHandedOver { day, revision, digest: handover.digest() };
        head = append(&mut writes, head, &settings.id, now, what)?;
        let closed = totals.into_iter().cloned();
        writes.totals.extend(closed.map(|total| DayTotal { closed: true, handed: true, ..total }));
        let state = SettlementState::Pending;
        writes.settlements.push(Settlement { handover, state, attempts: 0 });
    }
    if head != account.head {
        writes.heads.push((settings.id.clone(), head));
    }
    Ok(writes)
}

/// A settlement about to be sent, if it is to be: it is pending, or was sent so long ago that its answer is not waited for.
///
/// # Examples
///
/// ```
/// use billing_core::{decide::send, settlement::{Handover, Settlement, SettlementState}};
///
/// # let (account, day) = ("alice".parse()?, "2026-10-05".parse()?);
/// let handover = Handover { account, day, revision: 1, totals: vec![] };
/// let pending = Settlement { handover, state: SettlementState::Pending, attempts: 0 };
/// let now = "2026-10-06T00:05:00Z".parse()?;
/// let sent = send(&pending, 60_000, now).expect("it is pending");
/// assert_eq!((sent.attempts, sent.state.name()), (1, "sent"));
///
/// assert!(send(&sent, 60_000, "2026-10-06T00:05:59Z".parse()?).is_none(), "its answer is awaited");
/// assert!(send(&sent, 60_000, "2026-10-06T00:06:00Z".parse()?).is_some());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn send(settlement: &Settlement, answer_ms_max: u64, now: Instant) -> Option<Settlement> {
    let is_due = match &settlement.state {
        SettlementState::Pending => true,
        SettlementState::Sent { at } => {
            at.checked_add_ms(answer_ms_max).is_ok_and(|latest| latest <= now)
        }
        SettlementState::Answered { .. } => false,
    };
    is_due.then(|| Settlement {
        state: SettlementState::Sent { at: now },
        attempts: settlement.attempts.saturating_add(1),
        ..settlement.clone()
    })
}

/// Records what a processor answered.
///
/// `None` if it changes nothing: what is accepted stays so; what is refused is accepted if the processor takes it after all; a refusal
/// of what is to be sent again is an old one.
///
/// # Errors
///
/// [`JournalFull`].
///
/// # Examples
///
/// ```
/// use billing_core::{decide::answer, settlement::{Answer, Handover, Settlement, SettlementState}};
///
/// # use billing_core::{account::AccountSettings, decide::AccountFacts, event::Head};
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (head, assignments) = (Head::EMPTY, vec![]);
/// # let (invoiced_until, advanced_until) = (None, None);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until, advanced_until };
/// # let handover = Handover {
/// #     account: "alice".parse()?, day: "2026-10-05".parse()?, revision: 1, totals: vec![],
/// # };
/// let now = "2026-10-06T00:05:00Z".parse()?;
/// let sent = Settlement { handover, state: SettlementState::Sent { at: now }, attempts: 1 };
/// let writes = answer(&account, &sent, Answer::Accepted { reference: "7".into() }, now)?;
/// let accepted = &writes.expect("the first answer").settlements[0];
/// assert_eq!(accepted.state.name(), "accepted");
/// let late = answer(&account, accepted, Answer::Refused { reason: "no".into() }, now)?;
/// assert_eq!(late, None);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn answer(
    account: &AccountFacts,
    settlement: &Settlement,
    answer: Answer,
    now: Instant,
) -> Result<Option<Writes>, JournalFull> {
    let accepts = matches!(answer, Answer::Accepted { .. });
    let is_news = match &settlement.state {
        SettlementState::Sent { .. } => true,
        // Whoever takes it, however late, has it. A refusal that was recorded before it was to be sent again is an old one.
        SettlementState::Pending => accepts || settlement.attempts == 0,
        SettlementState::Answered { answer: Answer::Refused { .. }, .. } => accepts,
        SettlementState::Answered { answer: Answer::Accepted { .. }, .. } => false,
    };
    if !is_news {
        return Ok(None);
    }
    let Handover { day, revision, .. } = settlement.handover;
    let mut writes = Writes::default();
    let what = Happened::SettlementAnswered { day, revision, answer: answer.clone() };
    let id = &account.settings.id;
    let head = append(&mut writes, account.head, id, now, what)?;
    writes.heads.push((id.clone(), head));
    let state = SettlementState::Answered { at: now, answer };
    writes.settlements.push(Settlement { state, ..settlement.clone() });
    Ok(Some(writes))
}

/// Makes a refused settlement pending once more, with the same content; `None` if it was not refused.
///
/// # Examples
///
/// ```
/// use billing_core::{decide::resend, settlement::{Answer, Handover, Settlement, SettlementState}};
///
/// # let handover = Handover {
/// #     account: "alice".parse()?, day: "2026-10-05".parse()?, revision: 1, totals: vec![],
/// # };
/// let at = "2026-10-06T00:05:00Z".parse()?;
/// let answer = Answer::Refused { reason: "unknown account".into() };
/// let state = SettlementState::Answered { at, answer };
/// let refused = Settlement { handover, state, attempts: 1 };
/// assert_eq!(resend(&refused).map(|again| again.state), Some(SettlementState::Pending));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn resend(settlement: &Settlement) -> Option<Settlement> {
    let refused = matches!(
        settlement.state,
        SettlementState::Answered { answer: Answer::Refused { .. }, .. }
    );
    refused.then(|| Settlement { state: SettlementState::Pending, ..settlement.clone() })
}

pub(super) fn append(
    writes: &mut Writes,
    head: Head,
    account: &AccountId,
    at: Instant,
    what: Happened,
) -> Result<Head, JournalFull> {
    let full = || JournalFull { account: account.clone() };
    let event = Event { account: account.clone(), seq: head.next().ok_or_else(full)?, at, what };
    let head = head.append(&JournalEntry::Event(event.clone()));
    writes.events.push(event);
    Ok(head)
}
