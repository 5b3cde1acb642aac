//! Erasing persons from what is recorded: who called whom goes, what was used and what it cost stays.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    decide::{
        AccountFacts, Claim, Dropped, JournalFull, Refusal, StoredItem, Writes, hand_over::append,
    },
    event::Happened,
    item::{Item, Party},
    time::{Day, Instant},
    usage::DayTotal,
};

/// Whose persons are erased.
///
/// # Examples
///
/// ```
/// use billing_core::{decide::Erasure, item::Party};
///
/// let party: Party = "+12025550123".parse()?;
/// # let call: billing_core::item::CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"12025550123",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// # let item = billing_core::item::Item::Call(call.call);
/// // The same number, as another switch writes it.
/// assert!(Erasure::Party(&party).takes(&item));
///
/// let (from, until) = ("2026-10-01T00:00:00Z".parse()?, "2026-10-05T00:00:00Z".parse()?);
/// assert!(!Erasure::Between { from, until }.takes(&item), "it is later");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure<'a> {
    /// Everybody's in items dated in `[from, until)`: what has been kept for long enough.
    Between {
        /// The first instant.
        from: Instant,
        /// The first instant that is kept.
        until: Instant,
    },
    /// One party's, wherever it called or was called: written just so, or the same telephone number.
    Party(&'a Party),
}

impl Erasure<'_> {
    /// Whether the persons of an item are to be erased.
    ///
    /// # Examples
    ///
    /// See [`Erasure`].
    #[must_use]
    pub fn takes(&self, item: &Item) -> bool {
        match (self, item) {
            (Self::Between { from, until }, item) => (*from..*until).contains(&item.at()),
            (Self::Party(party), Item::Call(call)) => {
                [&call.caller, &call.callee].into_iter().any(|other| is_same(party, other))
            }
            (Self::Party(_), Item::Pulse(_) | Item::OneOff(_)) => false,
        }
    }

    /// Whether the raw text of a refused entry of a batch of `at` is to be erased.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{decide::{Erasure, Refusal}, item::Party};
    ///
    /// let party: Party = "+12025550123".parse()?;
    /// let refusal = Refusal {
    ///     place: "line 2".into(),
    ///     reason: "no column `start`".into(),
    ///     raw: "2;alice;0012025550123;61".into(),
    /// };
    /// assert!(Erasure::Party(&party).takes_refused(&refusal, "2026-10-05T08:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn takes_refused(&self, refusal: &Refusal, at: Instant) -> bool {
        if refusal.raw.is_empty() {
            return false;
        }
        match self {
            Self::Between { from, until } => (*from..*until).contains(&at),
            Self::Party(party) => {
                let text = party.as_str().trim_start_matches(['+', '0']);
                !text.is_empty() && refusal.raw.contains(text)
            }
        }
    }
}

fn is_same(one: &Party, two: &Party) -> bool {
    let number = |party: &Party| party.number();
    one == two || number(one).is_some_and(|one| number(two) == Some(one))
}

/// What was erased of an account's items, and what is to be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErasedItems {
    /// What to store.
    pub writes: Writes,
    /// How many items lost their persons.
    pub erased: u64,
    /// How many keep them, because their day is not billed or handed over yet.
    pub open: u64,
}

/// Erases the persons of an account's items whose days are closed; the others are counted.
///
/// An item without persons, or erased before, is left as it is. What was erased is said in the account's journal, with `reason`.
///
/// # Errors
///
/// [`JournalFull`].
///
/// # Examples
///
/// ```
/// use billing_core::{account::AccountSettings, decide::{self, AccountFacts, Claim, StoredItem}, event::Head, item::Item};
///
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let call: billing_core::item::CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"+12025550123",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// # let incoming = billing_core::item::Incoming::from(call);
/// # let (key, account, fingerprint) = (incoming.key.clone(), "alice".parse()?, incoming.fingerprint());
/// # let claim = Claim { key, account, fingerprint, first_seq: 2, current_seq: 2, effective: 1, amended: None };
/// # let item = StoredItem { claim, item: incoming.item, postings: 1, erased: false };
/// # let account = AccountFacts { settings, head: Head::EMPTY, assignments: vec![], invoiced_until: None, advanced_until: None };
/// let now = "2028-01-01T00:00:00Z".parse()?;
/// // Of its day there is no total that is not closed.
/// let done = decide::erase_items(&account, vec![item], &[], "18 months have passed", now)?;
/// assert_eq!((done.erased, done.open), (1, 0));
/// let Item::Call(call) = &done.writes.erased[0].item else { unreachable!() };
/// assert_eq!((call.callee.as_str(), call.duration_ms), ("", 4_500_000));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn erase_items(
    account: &AccountFacts,
    items: Vec<StoredItem>,
    totals: &[DayTotal],
    reason: &str,
    now: Instant,
) -> Result<ErasedItems, JournalFull> {
    let mut done = ErasedItems::default();
    let is_open = |day: Day| totals.iter().any(|total| total.key.day == day && !total.closed);
    let zone = &account.settings.zone;
    for item in items {
        let without = item.item.without_persons();
        let amended = item.claim.amended.as_ref().map(|content| content.without_persons());
        let has_persons = without != item.item || amended.as_ref() != item.claim.amended.as_deref();
        if item.erased || !has_persons {
            continue;
        }
        let days = [&item.item, item.content()].map(|content| zone.day_of(content.at()));
        if days.into_iter().any(is_open) {
            done.open = done.open.saturating_add(1);
            continue;
        }
        done.erased = done.erased.saturating_add(1);
        let claim = Claim { amended: amended.map(Box::new), ..item.claim };
        done.writes.erased.push(StoredItem { claim, item: without, erased: true, ..item });
    }
    if done.erased > 0 {
        let what = Happened::PersonsErased { items: done.erased, reason: reason.into() };
        let id = &account.settings.id;
        let head = append(&mut done.writes, account.head, id, now, what)?;
        done.writes.heads.push((id.clone(), head));
    }
    Ok(done)
}

/// A dropped item without its persons; `None` if it has none.
///
/// # Examples
///
/// ```
/// use billing_core::decide::{Dropped, ParkReason, Parked, erase_dropped};
///
/// # let call: billing_core::item::CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"+12025550123",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// let at = "2026-10-06T08:00:00Z".parse()?;
/// let parked = Parked { incoming: call.into(), reason: ParkReason::UnknownAccount, since: at };
/// let dropped = Dropped { parked, reason: "a test call".into(), at };
/// let erased = erase_dropped(&dropped).expect("it has a callee");
/// assert_eq!(erase_dropped(&erased), None);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn erase_dropped(dropped: &Dropped) -> Option<Dropped> {
    let item = dropped.parked.incoming.item.without_persons();
    if item == dropped.parked.incoming.item {
        return None;
    }
    let mut erased = dropped.clone();
    erased.parked.incoming.item = item;
    Some(erased)
}
