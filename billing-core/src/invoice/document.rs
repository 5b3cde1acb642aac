//! Drafts and invoices: lines that add up and lead back to the days they are made of.

use alloc::{string::String, vec::Vec};

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{
    account::Stretch,
    digest::Digest,
    id::{AccountId, Group, PlanId, SeriesId, StrategyId, Unit},
    money::{Amount, Currency, Exact, Money, Quantity},
    tax::{TaxProfile, Taxed},
    time::{Day, Instant, Period, Zone},
    usage::{Carry, ScopeKey, TotalKey},
};

/// What a period costs, before it has a number.
///
/// A pure function of stored facts: the draft of an ended period and its invoice have the same lines and totals.
///
/// [`bill`](crate::decide::bill) draws it up.
///
/// # Examples
///
/// ```
/// use billing_core::money::Amount;
///
/// # use billing_core::invoice::Draft;
/// # let draft: Draft = serde_json::from_str(
/// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
/// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
/// #         "zone_data":"2026a","currency":"EUR","decimals":2,
/// #         "lines":[{"stretch":{"period":{"start":"2026-10-01","end":"2026-11-01"},
/// #                              "start":"2026-10-01","end":"2026-11-01","assignment":1},
/// #                   "plan":"basic","version":1,"strategy":"calls","group":"calls","unit":"ms",
/// #                   "count":2,"quantity":"4500000","text":"at 0.02 a minute, pro rata",
/// #                   "exact":"1.5","scope":"stretch:2026-10-01:1","amount":"1.5",
/// #                   "parts":[{"day":"2026-10-05","revision":1,"share":"1"},
/// #                            {"day":"2026-10-06","revision":1,"share":"0.5"}]}],
/// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
/// # )?;
/// let sum = draft.lines.iter().try_fold(Amount::ZERO, |sum, line| sum.checked_add(line.amount))?;
/// assert_eq!(draft.taxed.net, sum);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Who pays.
    pub account: AccountId,
    /// Whether it is the period's own or only what is due in advance.
    #[serde(default, skip_serializing_if = "InvoiceKind::is_period")]
    pub kind: InvoiceKind,
    /// For which period.
    pub period: Period,
    /// Its first instant.
    pub start: Instant,
    /// The instant after its last.
    pub end: Instant,
    /// The zone whose midnights it ends at.
    pub zone: Zone,
    /// The version of the zone data those instants come from.
    pub zone_data: CompactString,
    /// The currency of every amount.
    pub currency: Currency,
    /// How many decimals amounts are printed with.
    pub decimals: u32,
    /// In order of stretch, then of the plan's strategies, then of groups; what is due in advance for the next period is last.
    pub lines: Vec<Line>,
    /// The tax its sums were taken with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<TaxProfile>,
    /// The sums.
    pub taxed: Taxed,
}

/// What an invoice is for.
///
/// # Examples
///
/// ```
/// use billing_core::invoice::InvoiceKind;
///
/// assert_eq!(InvoiceKind::default(), InvoiceKind::Period);
/// assert!(InvoiceKind::Advance < InvoiceKind::Period, "the order in which they are issued");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceKind {
    /// What is due in advance for a period that has begun, where no invoice before it could say so.
    Advance,
    /// What a period that ended has cost, and what is due in advance for the next.
    #[default]
    Period,
}

impl InvoiceKind {
    /// Whether it is for a period that ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::invoice::InvoiceKind;
    ///
    /// assert!(!InvoiceKind::Advance.is_period());
    /// ```
    #[must_use]
    pub const fn is_period(&self) -> bool {
        match self {
            Self::Period => true,
            Self::Advance => false,
        }
    }

    /// The name used in documents and in the store.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::invoice::InvoiceKind;
    ///
    /// assert_eq!(InvoiceKind::Advance.name(), "advance");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Period => "period",
        }
    }
}

/// What an account owes at some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningBill {
    /// The periods that ended and have no invoice yet, oldest first.
    pub ended: Vec<Draft>,
    /// The period that holds the moment asked for; `None` if it is invoiced, or the account has no plan yet.
    pub open: Option<Draft>,
}

impl RunningBill {
    /// All drafts, oldest first.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::invoice::RunningBill;
    ///
    /// # use billing_core::invoice::Draft;
    /// # let draft: Draft = serde_json::from_str(
    /// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
    /// #         "zone_data":"2026a","currency":"EUR","decimals":2,
    /// #         "lines":[{"stretch":{"period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #                              "start":"2026-10-01","end":"2026-11-01","assignment":1},
    /// #                   "plan":"basic","version":1,"strategy":"calls","group":"calls","unit":"ms",
    /// #                   "count":2,"quantity":"4500000","text":"at 0.02 a minute, pro rata",
    /// #                   "exact":"1.5","scope":"stretch:2026-10-01:1","amount":"1.5",
    /// #                   "parts":[{"day":"2026-10-05","revision":1,"share":"1"},
    /// #                            {"day":"2026-10-06","revision":1,"share":"0.5"}]}],
    /// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
    /// # )?;
    /// let bill = RunningBill { ended: vec![draft.clone()], open: Some(draft) };
    /// assert_eq!(bill.drafts().count(), 2);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn drafts(&self) -> impl Iterator<Item = &Draft> {
        self.ended.iter().chain(&self.open)
    }
}

/// What an invoice says about one strategy and group in one stretch.
///
/// # Examples
///
/// ```
/// use billing_core::money::Amount;
///
/// # use billing_core::invoice::Draft;
/// # let draft: Draft = serde_json::from_str(
/// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
/// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
/// #         "zone_data":"2026a","currency":"EUR","decimals":2,
/// #         "lines":[{"stretch":{"period":{"start":"2026-10-01","end":"2026-11-01"},
/// #                              "start":"2026-10-01","end":"2026-11-01","assignment":1},
/// #                   "plan":"basic","version":1,"strategy":"calls","group":"calls","unit":"ms",
/// #                   "count":2,"quantity":"4500000","text":"at 0.02 a minute, pro rata",
/// #                   "exact":"1.5","scope":"stretch:2026-10-01:1","amount":"1.5",
/// #                   "parts":[{"day":"2026-10-05","revision":1,"share":"1"},
/// #                            {"day":"2026-10-06","revision":1,"share":"0.5"}]}],
/// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
/// # )?;
/// let line = &draft.lines[0];
/// let shares = line.parts.iter().try_fold(Amount::ZERO, |sum, part| sum.checked_add(part.share))?;
/// assert_eq!(shares, line.amount);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Which days under which assignment.
    pub stretch: Stretch,
    /// The plan in force.
    pub plan: PlanId,
    /// Its version.
    pub version: u32,
    /// Which strategy.
    pub strategy: StrategyId,
    /// Which group.
    pub group: Group,
    /// What the quantity counts; `None` for a charge without usage.
    pub unit: Option<Unit>,
    /// How many items were charged for.
    pub count: i64,
    /// How much was used, in the unit.
    pub quantity: Quantity,
    /// How the price came about.
    pub text: String,
    /// What the scope costs so far, before rounding.
    pub exact: Exact,
    /// Over what the strategy counts.
    pub scope: ScopeKey,
    /// What the scope was billed before.
    #[serde(default, skip_serializing_if = "Carry::is_nothing")]
    pub before: Carry,
    /// `exact` rounded, less what was billed before.
    pub amount: Amount,
    /// The days it is made of; their shares add up to `amount`.
    pub parts: Vec<LinePart>,
}

/// Which share of a line belongs to which revision of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinePart {
    /// The local billing day.
    pub day: Day,
    /// Its revision.
    pub revision: u32,
    /// The share.
    pub share: Amount,
}

/// An issued invoice; never edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// The series of its number.
    pub series: SeriesId,
    /// 1, 2, 3 ... without a gap in the series.
    pub number: u64,
    /// When it was issued.
    pub issued_at: Instant,
    /// What it says.
    pub draft: Draft,
}

/// What a list of invoices shows of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceSummary {
    /// The series of its number.
    pub series: SeriesId,
    /// Its number.
    pub number: u64,
    /// Who pays.
    pub account: AccountId,
    /// What it is for.
    #[serde(default, skip_serializing_if = "InvoiceKind::is_period")]
    pub kind: InvoiceKind,
    /// For which period.
    pub period: Period,
    /// What is to be paid.
    pub total: Money,
}

impl Invoice {
    /// What a list shows of it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::invoice::Invoice;
    /// # use billing_core::invoice::Draft;
    /// # let draft: Draft = serde_json::from_str(
    /// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
    /// #         "zone_data":"2026a","currency":"EUR","decimals":2,
    /// #         "lines":[{"stretch":{"period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #                              "start":"2026-10-01","end":"2026-11-01","assignment":1},
    /// #                   "plan":"basic","version":1,"strategy":"calls","group":"calls","unit":"ms",
    /// #                   "count":2,"quantity":"4500000","text":"at 0.02 a minute, pro rata",
    /// #                   "exact":"1.5","scope":"stretch:2026-10-01:1","amount":"1.5",
    /// #                   "parts":[{"day":"2026-10-05","revision":1,"share":"1"},
    /// #                            {"day":"2026-10-06","revision":1,"share":"0.5"}]}],
    /// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
    /// # )?;
    /// # let (series, issued_at) = ("2026".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let invoice = Invoice { series, number: 7, issued_at, draft };
    /// let summary = invoice.summary();
    /// assert_eq!((summary.number, summary.total.to_string()), (7, "1.50 EUR".to_owned()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn summary(&self) -> InvoiceSummary {
        InvoiceSummary {
            series: self.series.clone(),
            number: self.number,
            account: self.draft.account.clone(),
            kind: self.draft.kind,
            period: self.draft.period,
            total: Money::new(self.draft.taxed.total, self.draft.currency),
        }
    }

    /// The invoice as stored: JSON, fields as declared.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::invoice::Invoice;
    /// # use billing_core::invoice::Draft;
    /// # let draft: Draft = serde_json::from_str(
    /// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
    /// #         "zone_data":"2026a","currency":"EUR","decimals":2,
    /// #         "lines":[{"stretch":{"period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #                              "start":"2026-10-01","end":"2026-11-01","assignment":1},
    /// #                   "plan":"basic","version":1,"strategy":"calls","group":"calls","unit":"ms",
    /// #                   "count":2,"quantity":"4500000","text":"at 0.02 a minute, pro rata",
    /// #                   "exact":"1.5","scope":"stretch:2026-10-01:1","amount":"1.5",
    /// #                   "parts":[{"day":"2026-10-05","revision":1,"share":"1"},
    /// #                            {"day":"2026-10-06","revision":1,"share":"0.5"}]}],
    /// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
    /// # )?;
    /// # let (series, issued_at) = ("2026".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let invoice = Invoice { series, number: 7, issued_at, draft };
    /// assert_eq!(serde_json::from_str::<Invoice>(&invoice.body())?, invoice);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn body(&self) -> String {
        // Texts, numbers and lists of them can always be written; a fraction too long for it does not get into a line.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The day totals its lines are made of, each once.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::invoice::Invoice;
    /// # use billing_core::invoice::Draft;
    /// # let draft: Draft = serde_json::from_str(
    /// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
    /// #         "zone_data":"2026a","currency":"EUR","decimals":2,
    /// #         "lines":[{"stretch":{"period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #                              "start":"2026-10-01","end":"2026-11-01","assignment":1},
    /// #                   "plan":"basic","version":1,"strategy":"calls","group":"calls","unit":"ms",
    /// #                   "count":2,"quantity":"4500000","text":"at 0.02 a minute, pro rata",
    /// #                   "exact":"1.5","scope":"stretch:2026-10-01:1","amount":"1.5",
    /// #                   "parts":[{"day":"2026-10-05","revision":1,"share":"1"},
    /// #                            {"day":"2026-10-06","revision":1,"share":"0.5"}]}],
    /// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
    /// # )?;
    /// # let (series, issued_at) = ("2026".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let invoice = Invoice { series, number: 7, issued_at, draft };
    /// let days: Vec<_> = invoice.part_keys().map(|key| key.day.to_string()).collect();
    /// assert_eq!(days, ["2026-10-05", "2026-10-06"]);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn part_keys(&self) -> impl Iterator<Item = TotalKey> {
        self.draft.lines.iter().flat_map(|line| {
            line.parts.iter().map(|part| TotalKey {
                account: self.draft.account.clone(),
                day: part.day,
                assignment: line.stretch.assignment,
                strategy: line.strategy.clone(),
                group: line.group.clone(),
                revision: part.revision,
            })
        })
    }

    /// The digest of the whole invoice.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::invoice::Invoice;
    /// # use billing_core::invoice::Draft;
    /// # let draft: Draft = serde_json::from_str(
    /// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
    /// #         "zone_data":"2026a","currency":"EUR","decimals":2,
    /// #         "lines":[{"stretch":{"period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #                              "start":"2026-10-01","end":"2026-11-01","assignment":1},
    /// #                   "plan":"basic","version":1,"strategy":"calls","group":"calls","unit":"ms",
    /// #                   "count":2,"quantity":"4500000","text":"at 0.02 a minute, pro rata",
    /// #                   "exact":"1.5","scope":"stretch:2026-10-01:1","amount":"1.5",
    /// #                   "parts":[{"day":"2026-10-05","revision":1,"share":"1"},
    /// #                            {"day":"2026-10-06","revision":1,"share":"0.5"}]}],
    /// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
    /// # )?;
    /// # let (series, issued_at) = ("2026".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let invoice = Invoice { series, number: 7, issued_at, draft };
    /// let other = Invoice { number: 8, ..invoice.clone() };
    /// assert_ne!(other.digest(), invoice.digest());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of().text(&self.body()).finish()
    }
}
