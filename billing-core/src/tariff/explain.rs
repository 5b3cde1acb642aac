//! Why usage costs what it costs: the line that won, those that lost, and each segment.

use alloc::vec::Vec;

use crate::{
    id::{Group, TariffId},
    money::{Amount, Exact},
    number::Prefix,
    tariff::{
        RateError, Tariff, Usage,
        compiled::{has_origin, is_valid},
        rating::{Segment, Source, bounded, exact_cost, exact_units, rate, walk},
    },
    time::Instant,
};

/// Why usage costs what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it costs: the same as rating gives.
    pub amount: Amount,
    /// The same before rounding, fees and bounds included.
    pub exact: Exact,
    /// What being connected costs.
    pub connect_fee: Exact,
    /// The segments, in order of time.
    pub pieces: Vec<Piece>,
    /// The lines that were looked at for its start, in the order in which they would win.
    pub candidates: Vec<Candidate>,
}

/// One segment of usage under one price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// When it begins.
    pub at: Instant,
    /// The tariff that prices it: the one asked, a fallback, or what is asked before it.
    pub tariff: TariffId,
    /// The line of the tariff, counted from 1.
    pub line: u32,
    /// What the destination is called.
    pub destination: Group,
    /// The billed usage before it, in milliseconds or millionths of a unit.
    pub from: u64,
    /// The usage in it.
    pub used: u64,
    /// That usage in whole increments.
    pub billed: u64,
    /// The increment.
    pub increment: u64,
    /// What it costs.
    pub cost: Exact,
}

/// A line that might have priced the start of usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The tariff that it stands in.
    pub tariff: TariffId,
    /// The line of the tariff, counted from 1.
    pub line: u32,
    /// The prefix it stands under; `None` for the catch-all.
    pub prefix: Option<Prefix>,
    /// Why it won or lost.
    pub why: Why,
}

/// Why a line won or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It priced the start.
    Won,
    /// A line of a longer prefix was in force.
    ShorterPrefix,
    /// A line of the same prefix has a higher weight, a longer origin or a later window.
    Outranked,
    /// It asks for another origin.
    OtherOrigin,
    /// It is not valid yet, or no longer.
    NotValid,
    /// Its window is not open.
    WindowClosed,
}

impl Tariff {
    /// Why usage costs what it costs.
    ///
    /// # Errors
    ///
    /// As [`rate`](Self::rate).
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Tariff, Usage, Why};
    ///
    /// # let spec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]},
    /// #                  {"destination":"Elsewhere","to":"any",
    /// #                   "bands":[{"price":"0.9","per":"60","increment":"60"}]}]}"#,
    /// # )?;
    /// let retail = Tariff::compile(&spec)?;
    /// let call = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 61_000);
    /// let why = retail.explain(&call)?;
    /// assert_eq!(why.amount, retail.rate(&call)?.amount());
    /// assert_eq!((why.pieces[0].used, why.pieces[0].billed), (61_000, 120_000));
    /// assert_eq!(why.candidates[1].why, Why::ShorterPrefix);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn explain(&self, usage: &Usage) -> Result<Explanation, RateError> {
        let mut explanation = explain(usage, &self)?;
        explanation.candidates = self.candidates(usage);
        Ok(explanation)
    }

    pub(super) fn candidates(&self, usage: &Usage) -> Vec<Candidate> {
        let moment = self.clock.moment(usage.at);
        let mut won = None;
        let mut candidates = Vec::new();
        for (entry, key) in self.entries(usage.callee) {
            for line in self.lines_of(entry) {
                let why = self.conditions(line).and_then(|conditions| {
                    let window = self.window(conditions);
                    if !has_origin(conditions, usage.caller) {
                        Some(Why::OtherOrigin)
                    } else if !is_valid(conditions, usage.at) {
                        Some(Why::NotValid)
                    } else if window.is_some_and(|window| !window.is_open(&moment, &self.clock)) {
                        Some(Why::WindowClosed)
                    } else {
                        None
                    }
                });
                let why = match (why, won) {
                    (Some(why), _) => why,
                    (None, None) => Why::Won,
                    (None, Some(winner)) if winner == entry => Why::Outranked,
                    (None, Some(_)) => Why::ShorterPrefix,
                };
                if why == Why::Won {
                    won = Some(entry);
                }
                let (line, prefix) = (line.number.saturating_add(1), Prefix::unpacked(key));
                candidates.push(Candidate { tariff: self.id.clone(), line, prefix, why });
            }
        }
        candidates
    }
}

#[expect(single_use_lifetimes, reason = "an anonymous one is not stable here")]
pub(super) fn explain<'t>(
    usage: &Usage,
    source: &impl Source<'t>,
) -> Result<Explanation, RateError> {
    let amount = rate(usage, source)?.amount();
    let mut pieces = Vec::new();
    let (_first, terms) = walk(usage, source, |segment| {
        let Segment { found, band, from, used, billed } = segment;
        let destination = found.tariff.destination(found.line).cloned();
        pieces.extend(destination.map(|destination| Piece {
            at: usage.after(from),
            tariff: found.tariff.id.clone(),
            line: found.line.number.saturating_add(1),
            destination,
            from,
            used,
            billed,
            increment: band.increment,
            cost: exact_cost(&band, billed),
        }));
    })?;
    let Some(terms) = terms else {
        let (exact, connect_fee) = (Exact::zero(), Exact::zero());
        return Ok(Explanation { amount, exact, connect_fee, pieces, candidates: Vec::new() });
    };
    let connect_fee = exact_units(terms.fees.connect);
    let sum = pieces.iter().fold(connect_fee.clone(), |sum, piece| sum.add(&piece.cost));
    let exact = bounded(sum, &terms.fees);
    Ok(Explanation { amount, exact, connect_fee, pieces, candidates: Vec::new() })
}
