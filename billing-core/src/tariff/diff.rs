//! What a version of a tariff changes in the one before it: the preview of a new price list.

use alloc::{collections::BTreeMap, format, vec::Vec};

use compact_str::CompactString;
use serde::Serialize;
use serde_json::Value;

use crate::{
    id::TariffId,
    money::{Currency, MoneyError},
    number::Prefix,
    tariff::{
        Change, Effect, InvalidTariff, LineAt, LineDiff, LineSpec, Percents, TariffSpec,
        line_diff::parts,
        prefixes::begins_with,
        rows::{Row, rows, runs},
        side_by_side::{SideBySide, side_by_side},
        validity::Validity,
    },
};

/// What is different in the newer of two tariffs.
///
/// Lines are compared if they stand for the same prefix, origin and window (by name), as long as both are in force: where they
/// begin or end at other instants they are cut, and each piece of time is an entry of its own. Of several such lines those of one
/// weight belong together first. A line that names ten prefixes counts ten times, and one that is cut once for each piece.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TariffDiff<'a> {
    /// The older tariff.
    pub old: Named<'a>,
    /// The newer one.
    pub new: Named<'a>,
    /// The currency of both.
    pub currency: Currency,
    /// How many lines are what.
    pub summary: DiffSummary,
    /// What stands in no line: rounding, zone, windows and the like, by name.
    pub rules: Vec<RuleDiff>,
    /// The lines that are not the same, by prefix, the catch-all first; those of one prefix, origin and window by their time.
    pub lines: Vec<LineDiff<'a>>,
}

/// A tariff by its name and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Named<'a> {
    /// Its name.
    pub tariff: &'a TariffId,
    /// Its version.
    pub version: u32,
}

/// How many lines are what: by what became of them, and by what that does to the price of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DiffSummary {
    /// In both, on the same terms.
    pub unchanged: u64,
    /// Only in the newer tariff.
    pub added: u64,
    /// Only in the older one.
    pub removed: u64,
    /// In both, on other terms.
    pub changed: u64,
    /// Of those that are not the same: their calls cost more.
    pub increase: u64,
    /// Their calls cost less.
    pub decrease: u64,
    /// Some of their calls cost more and some less.
    pub mixed: u64,
    /// The same prices, under other names, increments, graces or weights.
    pub same: u64,
    /// Their calls had no price and have one.
    pub gained: u64,
    /// Their calls had a price and have none.
    pub lost: u64,
}

/// One rule that is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleDiff {
    /// Its name in the document, such as `rounding` or `windows.evening`.
    pub rule: CompactString,
    /// What it was; null if it was not there.
    pub old: Value,
    /// What it is; null if it is not there.
    pub new: Value,
}

/// Two tariffs cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// Their prices are in different currencies.
    #[error(
        "the older tariff is in {old}, the newer one in {new}: prices of one currency can be compared"
    )]
    Currency {
        /// Of the older tariff.
        old: Currency,
        /// Of the newer one.
        new: Currency,
    },
    /// One measures time and the other units.
    #[error("one tariff measures time and the other units: prices of one measure can be compared")]
    Measure,
    /// One of them is no valid tariff.
    #[error(transparent)]
    Invalid(#[from] InvalidTariff),
    /// Percentages cannot be rounded so.
    #[error(transparent)]
    Percents(#[from] MoneyError),
}

impl TariffSpec {
    /// What is different in a newer tariff, or a newer version of this one.
    ///
    /// Sorts the lines of both and goes through them once; keeps the lines that differ, and copies none. Lines of one prefix, origin and
    /// window that have other dates are gone through once for each of these dates. Documents that do not compile are compared as far
    /// as they go.
    ///
    /// # Errors
    ///
    /// [`DiffError`] if the two have another currency or measure, or a line names a group that is not there.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{
    ///     money::Rounding,
    ///     tariff::{Change, Effect, Part, Percents, TariffSpec},
    /// };
    ///
    /// # let spec = |version: u32, lines: &str| serde_json::from_str::<TariffSpec>(&format!(
    /// #     r#"{{"id":"retail","version":{version},"currency":"EUR","zone":"UTC","decimals":4,
    /// #         "rounding":"half_up","lines":[{lines}]}}"#,
    /// # ));
    /// # let line = |prefix: &str, price: &str, per: &str| format!(
    /// #     r#"{{"destination":"Germany","to":{{"prefixes":["{prefix}"]}},
    /// #         "bands":[{{"price":"{price}","per":"{per}","increment":"1"}}]}}"#,
    /// # );
    /// // +49 at 0.03 a minute and +4930 at 0.012; then +49 at 0.0006 a second, and nothing for +4930 alone.
    /// let old = spec(1, &format!("{},{}", line("49", "0.03", "60"), line("4930", "0.012", "60")))?;
    /// let new = spec(2, &line("49", "0.0006", "1"))?;
    ///
    /// let diff = old.diff(&new, Percents { decimals: 1, rounding: Rounding::HalfUp })?;
    /// assert_eq!((diff.summary.changed, diff.summary.removed, diff.summary.increase), (1, 1, 2));
    ///
    /// let germany = &diff.lines[0];
    /// assert_eq!((germany.change, germany.parts()), (Change::Changed, vec![Part::Price]));
    /// let price = &germany.prices()[0];
    /// assert_eq!((price.per.to_string(), price.new.as_ref().unwrap().to_string()), ("60".to_owned(), "0.036".to_owned()));
    /// assert_eq!(price.percent.unwrap().to_string(), "20");
    ///
    /// // Berlin is priced by the line of +49 from then on, at three times as much.
    /// let berlin = &diff.lines[1];
    /// assert_eq!((berlin.change, berlin.effect()), (Change::Removed, Effect::Increase));
    /// assert_eq!(berlin.new.unwrap().prefix, Some("49".parse()?));
    /// assert_eq!(berlin.prices()[0].percent.unwrap().to_string(), "200");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn diff<'a>(
        &'a self,
        newer: &'a Self,
        percents: Percents,
    ) -> Result<TariffDiff<'a>, DiffError> {
        let decimals = u32::from(percents.decimals);
        if decimals > 10 {
            return Err(MoneyError::Decimals { decimals }.into());
        }
        if self.measure != newer.measure {
            return Err(DiffError::Measure);
        }
        if self.currency != newer.currency {
            return Err(DiffError::Currency { old: self.currency, new: newer.currency });
        }
        let (old, new) = (rows(self)?, rows(newer)?);
        let mut found = Found {
            summary: DiffSummary::default(),
            lines: Vec::new(),
            percents,
            pieces: Vec::new(),
        };
        let (mut before, mut after) = (Open(Vec::new()), Open(Vec::new()));
        for (old, new) in runs(&old, &new, Row::by_prefix) {
            before.enter(old, new);
            after.enter(new, old);
            for (old, new) in runs(old, new, Row::by_calls) {
                found.alike(old, new, &before, &after);
            }
        }
        let named = |spec: &'a Self| Named { tariff: &spec.id, version: spec.version };
        let Found { summary, lines, .. } = found;
        let rules = rule_diffs(self, newer);
        Ok(TariffDiff {
            old: named(self),
            new: named(newer),
            currency: self.currency,
            summary,
            rules,
            lines,
        })
    }
}

/// What has been found so far.
struct Found<'a> {
    summary: DiffSummary,
    lines: Vec<LineDiff<'a>>,
    percents: Percents,
    /// Empty between prefixes; kept so that not every one asks for memory.
    pieces: Vec<SideBySide<'a>>,
}

impl<'a> Found<'a> {
    /// Compares the lines of one prefix that are for the same calls: as a rule one and one.
    fn alike(
        &mut self,
        old: &[Row<'a>],
        new: &[Row<'a>],
        before: &Open<'_, 'a>,
        after: &Open<'_, 'a>,
    ) {
        let mut pieces = core::mem::take(&mut self.pieces);
        side_by_side(old, new, &mut pieces);
        for SideBySide { when, old, new } in pieces.drain(..) {
            match (old, new) {
                (Some(old), Some(new)) => self.pair(when, old, new),
                (Some(old), None) => {
                    for (when, new) in after.covering(old.line, when) {
                        self.summary.removed = self.summary.removed.saturating_add(1);
                        self.note(old, when, Change::Removed, [Some(at(old)), new]);
                    }
                }
                (None, Some(new)) => {
                    for (when, old) in before.covering(new.line, when) {
                        self.summary.added = self.summary.added.saturating_add(1);
                        self.note(new, when, Change::Added, [old, Some(at(new))]);
                    }
                }
                (None, None) => {}
            }
        }
        self.pieces = pieces;
    }

    fn pair(&mut self, when: Validity, old: Row<'a>, new: Row<'a>) {
        if parts(old.line, new.line).is_empty() {
            self.summary.unchanged = self.summary.unchanged.saturating_add(1);
        } else {
            self.summary.changed = self.summary.changed.saturating_add(1);
            self.note(old, when, Change::Changed, [Some(at(old)), Some(at(new))]);
        }
    }

    fn note(
        &mut self,
        row: Row<'a>,
        when: Validity,
        change: Change,
        [old, new]: [Option<LineAt<'a>>; 2],
    ) {
        let prefix = Prefix::unpacked(row.prefix);
        let Validity { from: valid_from, until: valid_until } = when;
        let percents = self.percents;
        let line = LineDiff { prefix, valid_from, valid_until, change, old, new, percents };
        let count = match line.effect() {
            Effect::Increase => &mut self.summary.increase,
            Effect::Decrease => &mut self.summary.decrease,
            Effect::Mixed => &mut self.summary.mixed,
            Effect::Same => &mut self.summary.same,
            Effect::Gained => &mut self.summary.gained,
            Effect::Lost => &mut self.summary.lost,
        };
        *count = count.saturating_add(1);
        self.lines.push(line);
    }
}

fn at(row: Row<'_>) -> LineAt<'_> {
    LineAt { number: row.number, prefix: Prefix::unpacked(row.prefix), line: row.line }
}

/// The prefixes of one document that the current one begins with, and itself; shortest first.
struct Open<'r, 'a>(Vec<&'r [Row<'a>]>);

impl<'r, 'a> Open<'r, 'a> {
    /// Goes on to the next prefix: that of either document's rows.
    fn enter(&mut self, mine: &'r [Row<'a>], theirs: &[Row<'a>]) {
        let Some(prefix) = mine.iter().chain(theirs).map(|row| row.prefix).next() else { return };
        let is_open =
            |rows: &&[Row<'_>]| rows.first().is_some_and(|row| begins_with(prefix, row.prefix));
        while self.0.last().is_some_and(|rows| !is_open(rows)) {
            let _closed: Option<&[Row<'_>]> = self.0.pop();
        }
        if !mine.is_empty() {
            self.0.push(mine);
        }
    }

    /// The line of the longest prefix that is in force whenever another one is, for each piece of time in which that is another.
    fn covering(&self, line: &LineSpec, when: Validity) -> Vec<(Validity, Option<LineAt<'a>>)> {
        let wider = |rows: &&'r [Row<'a>]| rows.iter().filter(|row| is_wider(row.line, line));
        let validities = self.0.iter().flat_map(wider).map(|row| Validity::of(row.line));
        let mut pieces: Vec<(Validity, Option<LineAt<'a>>)> = Vec::new();
        for when in when.cut(validities) {
            let covering = self.0.iter().rev().find_map(|rows| {
                let covering = wider(rows).filter(|row| Validity::of(row.line).covers(when));
                covering.max_by_key(|row| rank(row.line)).map(|row| at(*row))
            });
            match pieces.last_mut().filter(|(_, last)| *last == covering) {
                Some((piece, _)) => piece.until = when.until,
                None => pieces.push((when, covering)),
            }
        }
        pieces
    }
}

/// Whether a line prices the calls of another one, as long as both are in force.
fn is_wider(wide: &LineSpec, narrow: &LineSpec) -> bool {
    let origin = |line: &LineSpec| line.origin.map_or(0, Prefix::packed);
    (wide.window.is_none() || wide.window == narrow.window)
        && begins_with(origin(narrow), origin(wide))
}

/// Which of the lines that cover another one wins: their windows are the same one, or none.
fn rank(line: &LineSpec) -> impl Ord {
    let origin = line.origin.map_or(0, |origin| origin.len());
    (line.weight, origin, line.window.is_some(), line.valid_from, line.valid_until)
}

/// What stands in no line, by name.
fn rule_diffs(old: &TariffSpec, new: &TariffSpec) -> Vec<RuleDiff> {
    let (mut old, mut new) = (rules(old), rules(new));
    let mut names: Vec<CompactString> = old.keys().chain(new.keys()).cloned().collect();
    names.sort_unstable();
    names.dedup();
    let diffs = names.into_iter().map(|rule| {
        let (old, new) = (old.remove(&rule), new.remove(&rule));
        RuleDiff { rule, old: old.unwrap_or_default(), new: new.unwrap_or_default() }
    });
    diffs.filter(|diff| diff.old != diff.new).collect()
}

fn rules(spec: &TariffSpec) -> BTreeMap<CompactString, Value> {
    let windows = spec.windows.iter().map(|(name, it)| (format!("windows.{name}"), value(it)));
    let calendars =
        spec.calendars.iter().map(|(name, it)| (format!("calendars.{name}"), value(it)));
    let others = [
        ("crossing", value(&spec.crossing)),
        ("decimals", value(&spec.decimals)),
        ("fallback", value(&spec.fallback)),
        ("increments", value(&spec.increments)),
        ("rounding", value(&spec.rounding)),
        ("zone", value(&spec.zone)),
    ];
    let others = others.into_iter().map(|(name, value)| (CompactString::from(name), value));
    windows.chain(calendars).map(|(name, value)| (name.into(), value)).chain(others).collect()
}

/// Values made of texts, small numbers and lists of them have a JSON form.
fn value(rule: &impl Serialize) -> Value {
    serde_json::to_value(rule).unwrap_or_default()
}
