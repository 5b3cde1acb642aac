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
    usage::TotalKey,
};

/// What a period costs, before it has a number.
///
/// A pure function of stored facts: the draft of an ended period and its invoice have the same lines and totals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Who pays.
    pub account: AccountId,
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
    /// In order of stretch, then of the plan's strategies, then of groups.
    pub lines: Vec<Line>,
    /// The tax its sums were taken with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<TaxProfile>,
    /// The sums.
    pub taxed: Taxed,
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
    pub fn drafts(&self) -> impl Iterator<Item = &Draft> {
        self.ended.iter().chain(&self.open)
    }
}

/// What an invoice says about one strategy and group in one stretch.
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
    /// What the scope was billed before.
    pub billed_before: Amount,
    /// `exact` rounded, less `billed_before`.
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
    /// For which period.
    pub period: Period,
    /// What is to be paid.
    pub total: Money,
}

impl Invoice {
    /// What a list shows of it.
    #[must_use]
    pub fn summary(&self) -> InvoiceSummary {
        InvoiceSummary {
            series: self.series.clone(),
            number: self.number,
            account: self.draft.account.clone(),
            period: self.draft.period,
            total: Money::new(self.draft.taxed.total, self.draft.currency),
        }
    }

    /// The invoice as stored: JSON, fields as declared.
    #[must_use]
    pub fn body(&self) -> String {
        // Serialising a value made of texts, numbers and lists of them cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The day totals its lines are made of, each once.
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
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of().text(&self.body()).finish()
    }
}
