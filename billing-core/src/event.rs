//! The journal of an account: postings and other events under one gapless, chained sequence.

use alloc::{
    boxed::Box,
    string::{String, ToString as _},
};

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{
    account::{AccountSettings, Assignment},
    digest::{Digest, DigestBuilder},
    id::{AccountId, CorrectionId, Group, SeriesId, StrategyId, Unit},
    item::{Fingerprint, ItemKey},
    money::{Amount, Currency},
    settlement::Answer,
    tariff::Provenance,
    time::{Day, Instant},
    usage::{TotalKey, Totals},
};

/// The effect of one item under one strategy; it *is* the event that the item was rated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posting {
    /// Whose.
    pub account: AccountId,
    /// Its place in the account's journal, from 1.
    pub seq: u64,
    /// Of which item.
    pub item: ItemKey,
    /// What that item's content was.
    pub fingerprint: Fingerprint,
    /// Why it was made.
    pub cause: Cause,
    /// The local billing day.
    pub day: Day,
    /// The assignment in force on that day.
    pub assignment: u32,
    /// Under which strategy.
    pub strategy: StrategyId,
    /// In which group.
    pub group: Group,
    /// Into which revision of the day it is folded.
    pub day_revision: u32,
    /// Under which revision of the rating rules.
    pub rules: u16,
    /// Under which time zone data the day was found.
    pub zone_data: CompactString,
    /// What the quantity counts.
    pub unit: Unit,
    /// The currency of the amount.
    pub currency: Currency,
    /// How much.
    pub totals: Totals,
    /// What priced it, if a tariff did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Box<Provenance>>,
    /// By which correction it was made, if it was not made on arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<CorrectionId>,
}

/// Why a posting was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The item arrived.
    Rated,
    /// A later record of the same usage arrived: what was posted before is taken back.
    Superseded,
    /// A correction takes the item back.
    Void,
    /// A correction gives the item other content: what was posted is taken back, and what it costs is posted.
    Amend,
    /// A correction rates the item anew: what was posted is taken back, and what it costs is posted.
    Rerate,
}

impl Cause {
    /// The name used in documents, in the store and in the chain.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::event::Cause;
    ///
    /// assert_eq!(Cause::Rated.name(), "rated");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rated => "rated",
            Self::Superseded => "superseded",
            Self::Void => "void",
            Self::Amend => "amend",
            Self::Rerate => "rerate",
        }
    }
}

impl Posting {
    /// The revision of the rating rules in force.
    pub const RULES: u16 = 1;

    /// The day total it is folded into.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::event::Posting;
    /// # let posting: Posting = serde_json::from_str(&format!(
    /// #     r#"{{"account":"alice","seq":1,"item":{{"source":"pbx","id":"1"}},"cause":"rated",
    /// #          "fingerprint":{{"rule":1,"digest":"{}"}},"day":"2026-10-05","assignment":1,
    /// #          "strategy":"calls","group":"calls","day_revision":1,"rules":1,"zone_data":"2026a",
    /// #          "unit":"ms","currency":"EUR",
    /// #          "totals":{{"count":1,"quantity":"61000","amount":null}}}}"#,
    /// #     billing_core::digest::Digest::ZERO,
    /// # ))?;
    /// let key = posting.total_key();
    /// assert_eq!((key.day, key.strategy, key.revision), (posting.day, posting.strategy, 1));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn total_key(&self) -> TotalKey {
        TotalKey {
            account: self.account.clone(),
            day: self.day,
            assignment: self.assignment,
            strategy: self.strategy.clone(),
            group: self.group.clone(),
            revision: self.day_revision,
        }
    }

    /// The chain's next link, over every field of the posting.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::digest::Digest;
    ///
    /// # use billing_core::event::Posting;
    /// # let posting: Posting = serde_json::from_str(&format!(
    /// #     r#"{{"account":"alice","seq":1,"item":{{"source":"pbx","id":"1"}},"cause":"rated",
    /// #          "fingerprint":{{"rule":1,"digest":"{}"}},"day":"2026-10-05","assignment":1,
    /// #          "strategy":"calls","group":"calls","day_revision":1,"rules":1,"zone_data":"2026a",
    /// #          "unit":"ms","currency":"EUR",
    /// #          "totals":{{"count":1,"quantity":"61000","amount":null}}}}"#,
    /// #     billing_core::digest::Digest::ZERO,
    /// # ))?;
    /// let link = posting.link(Digest::ZERO);
    /// assert_eq!(posting.link(Digest::ZERO), link);
    /// assert_ne!(posting.link(link), link);
    ///
    /// let other = Posting { day: "2026-10-06".parse()?, ..posting };
    /// assert_ne!(other.link(Digest::ZERO), link);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn link(&self, previous: Digest) -> Digest {
        let amount = self.totals.amount.map(Amount::decimal).map(|decimal| {
            // The mantissa and scale of a normalised decimal are its value, cheaper than its text.
            (decimal.mantissa(), decimal.scale())
        });
        let quantity = self.totals.quantity.decimal();
        let builder = Digest::of()
            .bytes(previous.as_bytes())
            .text("posting")
            .text(self.account.as_str())
            .number(self.seq)
            .text(self.item.source.as_str())
            .text(self.item.id.as_str())
            .text(self.item.leg_text())
            .number(self.item.partial_number())
            .number(self.fingerprint.rule)
            .bytes(self.fingerprint.digest.as_bytes())
            .text(self.cause.name())
            .number(self.day.ordinal())
            .number(self.assignment)
            .text(self.strategy.as_str())
            .text(self.group.as_str())
            .number(self.day_revision)
            .number(self.rules)
            .text(&self.zone_data)
            .text(self.unit.as_str())
            .text(self.currency.code())
            .number(self.totals.count)
            .number(quantity.mantissa())
            .number(quantity.scale());
        let builder = match amount {
            None => builder.number(0_u8),
            Some((mantissa, scale)) => builder.number(1_u8).number(mantissa).number(scale),
        };
        let builder = link_provenance(builder, self.provenance.as_deref());
        match &self.correction {
            None => builder.finish(),
            Some(correction) => builder.text(correction.as_str()).finish(),
        }
    }
}

fn link_provenance(builder: DigestBuilder, provenance: Option<&Provenance>) -> DigestBuilder {
    let Some(provenance) = provenance else { return builder.number(0_u8) };
    let Provenance { tariff, version, digest, line, prefix, until } = provenance;
    let builder = builder.number(1_u8).text(tariff.as_str()).number(*version);
    let builder = builder.bytes(digest.as_bytes()).number(*line);
    let prefix = prefix.map(|prefix| prefix.to_string());
    builder.maybe(prefix.as_deref()).number(until.micros())
}

/// Something else that happened to an account.
///
/// # Examples
///
/// ```
/// use billing_core::{digest::Digest, event::{Event, Happened}};
///
/// let what = Happened::InvoiceIssued {
///     series: "2026".parse()?,
///     number: 7,
///     total: "1.50".parse()?,
///     digest: Digest::ZERO,
/// };
/// let at = "2026-11-01T08:00:00Z".parse()?;
/// let event = Event { account: "alice".parse()?, seq: 1, at, what };
/// assert!(event.body().starts_with(r#"{"event":"invoice_issued","series":"2026","number":7"#));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Whose.
    pub account: AccountId,
    /// Its place in the account's journal, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Instant,
    /// What happened.
    pub what: Happened,
}

/// What happened to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Happened {
    /// The account was opened.
    AccountOpened {
        /// With what.
        settings: AccountSettings,
    },
    /// The account has a plan from a day on.
    PlanAssigned {
        /// Which.
        assignment: Assignment,
    },
    /// A period was invoiced.
    InvoiceIssued {
        /// The series of its number.
        series: SeriesId,
        /// Its number.
        number: u64,
        /// What is to be paid.
        total: Amount,
        /// The digest of the whole invoice.
        digest: Digest,
    },
    /// An invoice was paid.
    InvoicePaid {
        /// The series of its number.
        series: SeriesId,
        /// Its number.
        number: u64,
        /// On which day.
        on: Day,
        /// What the payer or the bank called it.
        reference: String,
    },
    /// An invoice was made void; what it billed is billed again.
    InvoiceVoided {
        /// The series of its number.
        series: SeriesId,
        /// Its number.
        number: u64,
        /// Why.
        reason: String,
    },
    /// A day's revision was closed and is to be handed downstream.
    DayHandedOver {
        /// The local billing day.
        day: Day,
        /// Its revision.
        revision: u32,
        /// The digest of what is handed over.
        digest: Digest,
    },
    /// Items lost the persons in them, because nobody may keep those any longer.
    PersonsErased {
        /// How many items.
        items: u64,
        /// Why.
        reason: String,
    },
    /// A downstream processor has answered.
    SettlementAnswered {
        /// The local billing day.
        day: Day,
        /// Its revision.
        revision: u32,
        /// What it said.
        answer: Answer,
    },
}

impl Event {
    /// The event's content as stored: JSON, fields as declared.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::digest::Digest;
    /// # use billing_core::event::{Event, Happened};
    /// # let (series, total, digest) = ("2026".parse()?, "1.50".parse()?, Digest::ZERO);
    /// # let what = Happened::InvoiceIssued { series, number: 7, total, digest };
    /// # let (account, at) = ("alice".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let event = Event { account, seq: 1, at, what };
    /// assert_eq!(serde_json::from_str::<Happened>(&event.body())?, event.what);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn body(&self) -> String {
        // Serialising a value made of texts, numbers and lists of them cannot fail.
        serde_json::to_string(&self.what).unwrap_or_default()
    }

    /// The chain's next link.
    ///
    /// Over the account, the number, the instant and [`body`](Self::body).
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::digest::Digest;
    ///
    /// # use billing_core::event::{Event, Happened};
    /// # let (series, total, digest) = ("2026".parse()?, "1.50".parse()?, Digest::ZERO);
    /// # let what = Happened::InvoiceIssued { series, number: 7, total, digest };
    /// # let (account, at) = ("alice".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let event = Event { account, seq: 1, at, what };
    /// let next = Event { seq: 2, ..event.clone() };
    /// assert_ne!(next.link(Digest::ZERO), event.link(Digest::ZERO));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn link(&self, previous: Digest) -> Digest {
        Digest::of()
            .bytes(previous.as_bytes())
            .text("event")
            .text(self.account.as_str())
            .number(self.seq)
            .number(self.at.micros())
            .text(&self.body())
            .finish()
    }
}

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalEntry {
    /// An item was rated.
    Posting(Posting),
    /// Something else happened.
    Event(Event),
}

impl JournalEntry {
    /// Its place in the account's journal.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{digest::Digest, event::JournalEntry};
    ///
    /// # use billing_core::event::{Event, Happened};
    /// # let (series, total, digest) = ("2026".parse()?, "1.50".parse()?, Digest::ZERO);
    /// # let what = Happened::InvoiceIssued { series, number: 7, total, digest };
    /// # let (account, at) = ("alice".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let event = Event { account, seq: 1, at, what };
    /// assert_eq!(JournalEntry::Event(event).seq(), 1);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn seq(&self) -> u64 {
        match self {
            Self::Posting(posting) => posting.seq,
            Self::Event(event) => event.seq,
        }
    }

    /// Whose it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{digest::Digest, event::JournalEntry};
    ///
    /// # use billing_core::event::{Event, Happened};
    /// # let (series, total, digest) = ("2026".parse()?, "1.50".parse()?, Digest::ZERO);
    /// # let what = Happened::InvoiceIssued { series, number: 7, total, digest };
    /// # let (account, at) = ("alice".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let event = Event { account, seq: 1, at, what };
    /// assert_eq!(JournalEntry::Event(event).account().as_str(), "alice");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn account(&self) -> &AccountId {
        match self {
            Self::Posting(posting) => &posting.account,
            Self::Event(event) => &event.account,
        }
    }

    /// The chain's next link.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{digest::Digest, event::JournalEntry};
    ///
    /// # use billing_core::event::{Event, Happened};
    /// # let (series, total, digest) = ("2026".parse()?, "1.50".parse()?, Digest::ZERO);
    /// # let what = Happened::InvoiceIssued { series, number: 7, total, digest };
    /// # let (account, at) = ("alice".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let event = Event { account, seq: 1, at, what };
    /// let link = event.link(Digest::ZERO);
    /// assert_eq!(JournalEntry::Event(event).link(Digest::ZERO), link);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn link(&self, previous: Digest) -> Digest {
        match self {
            Self::Posting(posting) => posting.link(previous),
            Self::Event(event) => event.link(previous),
        }
    }
}

/// The end of an account's journal: the last number given, the chain's last link, and how far tariffs have priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last number given; 0 for an empty journal.
    pub seq: u64,
    /// The last link.
    pub chain: Digest,
    /// The latest [`Provenance::until`] of its postings: tariffs of the account may change from here on.
    pub rated_until: Option<Instant>,
}

impl Head {
    /// The end of an empty journal.
    pub const EMPTY: Self = Self { seq: 0, chain: Digest::ZERO, rated_until: None };

    /// The number of the next entry, or `None` past 64 bits.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::event::Head;
    ///
    /// assert_eq!(Head::EMPTY.next(), Some(1));
    /// assert_eq!(Head { seq: u64::MAX, ..Head::EMPTY }.next(), None);
    /// ```
    #[must_use]
    pub const fn next(self) -> Option<u64> {
        self.seq.checked_add(1)
    }

    /// The head with one more entry.
    ///
    /// The entry's number is taken as it is; the caller sees to it that it is the [`next`](Self::next).
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{digest::Digest, event::{Head, JournalEntry}};
    ///
    /// # use billing_core::event::{Event, Happened};
    /// # let (series, total, digest) = ("2026".parse()?, "1.50".parse()?, Digest::ZERO);
    /// # let what = Happened::InvoiceIssued { series, number: 7, total, digest };
    /// # let (account, at) = ("alice".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let event = Event { account, seq: 1, at, what };
    /// let first = JournalEntry::Event(event.clone());
    /// let second = JournalEntry::Event(Event { seq: 2, ..event });
    /// let head = Head::EMPTY.append(&first).append(&second);
    /// assert_eq!(head.seq, 2);
    /// assert_eq!(head.chain, second.link(first.link(Digest::ZERO)));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn append(self, entry: &JournalEntry) -> Self {
        let provenance = match entry {
            JournalEntry::Posting(posting) => posting.provenance.as_deref(),
            JournalEntry::Event(_) => None,
        };
        let rated_until = self.rated_until.max(provenance.map(|provenance| provenance.until));
        Self { seq: entry.seq(), chain: entry.link(self.chain), rated_until }
    }
}
