//! What usage costs: the segments of a call, their whole increments, and one rounding.

use core::cmp::Ordering;

use crate::{
    money::{Amount, Exact, Rounding},
    tariff::{
        Crossing, IncrementRule, Measure, RateError, Rated, Tariff, Usage,
        compiled::Found,
        line::{Band, Fees, Line, Terms},
        rated::{Price, UNITS_END},
        ticks::amount_of,
    },
    time::Instant,
};

/// Where the lines of a call come from: one tariff, or versions with fallbacks.
pub(super) trait Source<'t> {
    /// The line at the start.
    fn first(&self, usage: &Usage) -> Result<Found<'t>, RateError>;
    /// The line at a later instant of usage that began with a line.
    fn then(&self, usage: &Usage, first: &Found<'t>, at: Instant) -> Result<Found<'t>, RateError>;
    /// When another line may come into force, after `at` and before `until`.
    fn next_change(
        &self,
        usage: &Usage,
        first: &Found<'t>,
        now: &Found<'t>,
        at: Instant,
        until: Instant,
    ) -> Option<Instant>;
}

impl<'t> Source<'t> for &'t Tariff {
    fn first(&self, usage: &Usage) -> Result<Found<'t>, RateError> {
        if usage.measure != self.measure {
            return Err(RateError::Measure { tariff: self.id.clone() });
        }
        let found = self.find(usage.callee, usage.caller, usage.at);
        found.ok_or_else(|| RateError::NoLine { tariff: self.id.clone(), at: usage.at })
    }

    fn then(&self, usage: &Usage, first: &Found<'t>, at: Instant) -> Result<Found<'t>, RateError> {
        // The prefix that won at the start keeps the call; others fill the gaps between its lines.
        let kept =
            self.in_force(first.entry, usage.caller, at).map(|line| Found { line, ..*first });
        let found = kept.or_else(|| self.find(usage.callee, usage.caller, at));
        found.ok_or_else(|| RateError::NoLine { tariff: self.id.clone(), at })
    }

    fn next_change(
        &self,
        usage: &Usage,
        first: &Found<'t>,
        now: &Found<'t>,
        at: Instant,
        until: Instant,
    ) -> Option<Instant> {
        if first.entry == now.entry {
            return Tariff::next_change(self, first.entry, at, until);
        }
        let entries = self.entries(usage.callee);
        entries.filter_map(|(entry, _)| Tariff::next_change(self, entry, at, until)).min()
    }
}

/// One segment of usage under one band of one line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'t> {
    pub(super) found: Found<'t>,
    pub(super) band: Band,
    /// The billed usage before it.
    pub(super) from: u64,
    /// The usage in it.
    pub(super) used: u64,
    /// That usage in whole increments.
    pub(super) billed: u64,
}

/// Walks usage from segment to segment. Gives the line of its start, and `None` of terms if it costs nothing at all.
pub(super) fn walk<'t>(
    usage: &Usage,
    source: &impl Source<'t>,
    mut visit: impl FnMut(Segment<'t>),
) -> Result<(Found<'t>, Option<Terms<'t>>), RateError> {
    let first = source.first(usage)?;
    let terms = open_terms(&first)?;
    if usage.ticks == 0 || usage.ticks <= terms.fees.grace {
        return Ok((first, None));
    }
    let tariff = first.tariff;
    let splits = tariff.measure == Measure::Time && tariff.crossing == Crossing::Split;
    let change_after = |now: &Found<'t>, position: u64| {
        if !splits {
            return u64::MAX;
        }
        let (at, until) = (usage.after(position), usage.after(usage.ticks));
        // A change counts from the first whole millisecond at which it holds.
        next_line(usage, source, [&first, now], at, until)
            .map_or(u64::MAX, |change| ms_between(usage.at, change))
    };
    let (mut now, mut now_terms, mut position) = (first, terms, 0_u64);
    let mut change = change_after(&first, 0);
    while position < usage.ticks {
        if position >= change {
            now = source.then(usage, &first, usage.after(position))?;
            now_terms = open_terms(&now)?;
            change = change_after(&now, position);
        }
        let band = now_terms.bands.at(position);
        let (band, band_end) =
            band.ok_or_else(|| RateError::NoLine { tariff: now.tariff.id.clone(), at: usage.at })?;
        let end = usage.ticks.min(band_end).min(change);
        let used = end.saturating_sub(position);
        let first_increment = if position == 0 { terms.fees.first } else { 0 };
        let billed = grown(used, band.increment, first_increment, tariff.increments);
        let ends = billed.and_then(|billed| position.checked_add(billed));
        let too_much = || RateError::TooMuch { tariff: tariff.id.clone(), at: usage.at };
        let (billed, ends) = billed.zip(ends).ok_or_else(too_much)?;
        visit(Segment { found: now, band, from: position, used, billed });
        position = ends;
    }
    Ok((first, Some(terms)))
}

/// The first instant after `at` and before `until` at which another line than the second stands, or none; the first is that of the
/// start. Where the same line stays nothing ends, so a line that never wins changes nothing.
pub(super) fn next_line<'t>(
    usage: &Usage,
    source: &impl Source<'t>,
    [first, now]: [&Found<'t>; 2],
    at: Instant,
    until: Instant,
) -> Option<Instant> {
    let mut at = at;
    loop {
        let change = source.next_change(usage, first, now, at, until)?;
        let then = source.then(usage, first, change);
        if !then.is_ok_and(|then| then.is_line_of(now)) {
            return Some(change);
        }
        at = change;
    }
}

fn open_terms<'t>(found: &Found<'t>) -> Result<Terms<'t>, RateError> {
    let tariff = || found.tariff.id.clone();
    match found.tariff.terms(found.line) {
        Some(terms) if !terms.blocked => Ok(terms),
        Some(_) | None => {
            let line = found.line.number.saturating_add(1);
            Err(RateError::Blocked { tariff: tariff(), line })
        }
    }
}

/// The whole milliseconds to an instant, a begun one counted whole.
fn ms_between(from: Instant, to: Instant) -> u64 {
    let micros = from.micros_until(to).unwrap_or(0);
    micros.div_ceil(1_000)
}

/// Usage in whole increments; `None` beyond 64 bits.
fn grown(used: u64, increment: u64, first: u64, rule: IncrementRule) -> Option<u64> {
    let whole = |used: u64| used.checked_next_multiple_of(increment);
    match rule {
        _ if first == 0 => whole(used),
        IncrementRule::Remainder => match used.checked_sub(first) {
            None => Some(first),
            Some(rest) => first.checked_add(whole(rest)?),
        },
        IncrementRule::Total => Some(whole(used)?.max(first)),
    }
}

impl Tariff {
    /// What usage costs.
    ///
    /// # Errors
    ///
    /// [`RateError`] if no line prices it or one blocks it, or it is measured otherwise than the tariff measures.
    ///
    /// # Examples
    ///
    /// See [`Tariff`].
    pub fn rate(&self, usage: &Usage) -> Result<Rated<'_>, RateError> {
        match self.rate_plain(usage) {
            Some(rated) => Ok(rated),
            None => rate(usage, &self),
        }
    }

    /// The same for a line that asks for nothing but a fee, a minimum and one band, in 64 bits: one look and one division.
    fn rate_plain(&self, usage: &Usage) -> Option<Rated<'_>> {
        self.rate_by(self.plain(usage.callee)?, usage)
    }

    /// What usage costs by a plain line that was found for it.
    fn rate_by<'t>(&'t self, line: &'t Line, usage: &Usage) -> Option<Rated<'t>> {
        if usage.measure != self.measure {
            return None;
        }
        let destination = self.destination(line)?;
        let rated = |units, billed, segments| {
            let price = Price::Units(units);
            Some(Rated { price, billed, segments, line, tariff: self, destination })
        };
        if usage.ticks == 0 {
            return rated(0, 0, 0);
        }
        let billed = grown(usage.ticks, line.increment.into(), line.first.into(), self.increments)?;
        let per = u64::from(line.per);
        let sum = line.price.checked_mul(billed)?.checked_add(line.connect.checked_mul(per)?)?;
        let sum = sum.max(line.minimum.checked_mul(per)?);
        let units = rounded_short(sum, per.checked_mul(self.last_decimal)?, self.rounding)?;
        if units < UNITS_END { rated(units, billed, 1) } else { None }
    }

    /// Rates many usages, each as [`rate`](Self::rate) does.
    ///
    /// The lines of a stretch are looked up before any is rated with: the looks do not wait for each other, and memory is most of what
    /// a price takes.
    pub(super) fn rate_all<'t>(
        &'t self,
        usages: &[Usage],
        mut give: impl FnMut(Result<Rated<'t>, RateError>),
    ) {
        let mut places: [Option<u32>; STRETCH] = [None; STRETCH];
        let mut lines: [Option<&Line>; STRETCH] = [None; STRETCH];
        for stretch in usages.chunks(STRETCH) {
            for (place, usage) in places.iter_mut().zip(stretch) {
                *place = self.prefixes.find(usage.callee);
            }
            for ((line, place), usage) in lines.iter_mut().zip(places).zip(stretch) {
                *line = self.plain_at(place, usage.callee);
            }
            for (line, usage) in lines.iter().zip(stretch) {
                let rated = line.and_then(|line| self.rate_by(line, usage));
                give(rated.map_or_else(|| rate(usage, &self), Ok));
            }
        }
    }
}

/// So many lookups at once keep memory busy, and their lines in the fastest cache.
const STRETCH: usize = 64;

/// Rates in integers; what is too large for them is rated in fractions.
pub(super) fn rate<'t>(usage: &Usage, source: &impl Source<'t>) -> Result<Rated<'t>, RateError> {
    let (mut sum, mut fits, mut billed, mut segments) = (0_u128, true, 0_u64, 0_u32);
    let mut of: Option<*const Tariff> = None;
    let (first, terms) = walk(usage, source, |segment| {
        let Segment { found, band, billed: more, .. } = segment;
        billed = billed.saturating_add(more);
        segments = segments.saturating_add(1);
        // Another tariff's prices are for another unit.
        fits &= of.is_none_or(|tariff| core::ptr::eq(tariff, found.tariff));
        of = Some(core::ptr::from_ref(found.tariff));
        match cost(&band, more, found.tariff.unit).and_then(|cost| sum.checked_add(cost)) {
            Some(total) => sum = total,
            None => fits = false,
        }
    })?;
    let amount = match terms {
        None => Amount::ZERO,
        Some(terms) => {
            let whole = if fits { total(&first, &terms.fees, sum) } else { None };
            match whole {
                Some(amount) => amount,
                None => exactly(usage, source, &first, &terms.fees)?,
            }
        }
    };
    let Found { tariff, line, .. } = first;
    let no_line = || RateError::NoLine { tariff: tariff.id.clone(), at: usage.at };
    let destination = tariff.destination(line).ok_or_else(no_line)?;
    let price = Price::Amount(amount);
    Ok(Rated { price, billed, segments, line, tariff, destination })
}

/// A segment's price in a tariff's unit and 10^-10.
fn cost(band: &Band, billed: u64, unit: u64) -> Option<u128> {
    let times = unit.checked_div(band.per)?;
    band.price.checked_mul(u128::from(billed).checked_mul(times.into())?)
}

/// The amount of a sum of segments, with fees and bounds, rounded.
fn total(first: &Found<'_>, fees: &Fees, sum: u128) -> Option<Amount> {
    let tariff = first.tariff;
    let scaled = |price: u128| price.checked_mul(tariff.unit.into());
    let mut sum = sum.checked_add(scaled(fees.connect)?)?;
    sum = sum.max(scaled(fees.minimum)?);
    if let (Some(maximum), false) = (fees.maximum, fees.disconnect) {
        sum = sum.min(scaled(maximum)?);
    }
    let divisor = u128::from(tariff.unit).checked_mul(tariff.last_decimal.into())?;
    amount_of(rounded(sum, divisor, tariff.rounding)?, tariff.decimals)
}

/// A quotient of numbers that are not negative, rounded.
fn rounded(sum: u128, divisor: u128, rounding: Rounding) -> Option<u128> {
    if let (Ok(sum), Ok(divisor)) = (u64::try_from(sum), u64::try_from(divisor)) {
        return rounded_short(sum, divisor, rounding).map(u128::from);
    }
    let quotient = sum.checked_div(divisor)?;
    let rest = sum.checked_rem(divisor)?;
    let half = rest.cmp(&divisor.checked_sub(rest)?);
    quotient.checked_add(u128::from(goes_up(rounding, rest > 0, half, quotient & 1 == 1)))
}

/// The same in 64 bits.
fn rounded_short(sum: u64, divisor: u64, rounding: Rounding) -> Option<u64> {
    let quotient = sum.checked_div(divisor)?;
    let rest = sum.checked_rem(divisor)?;
    let half = rest.cmp(&divisor.checked_sub(rest)?);
    quotient.checked_add(u64::from(goes_up(rounding, rest > 0, half, quotient & 1 == 1)))
}

/// Whether a quotient goes up, by how its rest compares with half of the divisor.
const fn goes_up(rounding: Rounding, has_rest: bool, half: Ordering, is_odd: bool) -> bool {
    match rounding {
        Rounding::HalfUp => half.is_ge(),
        Rounding::HalfEven => half.is_gt() || (half.is_eq() && is_odd),
        Rounding::HalfDown => half.is_gt(),
        Rounding::Up | Rounding::Ceiling => has_rest,
        Rounding::Down | Rounding::Floor => false,
    }
}

/// The same in fractions, for sums that leave 128 bits and calls over several tariffs.
fn exactly<'t>(
    usage: &Usage,
    source: &impl Source<'t>,
    first: &Found<'t>,
    fees: &Fees,
) -> Result<Amount, RateError> {
    let mut sum = exact_units(fees.connect);
    let _same: (Found<'t>, Option<Terms<'t>>) = walk(usage, source, |segment| {
        sum = sum.add(&exact_cost(&segment.band, segment.billed));
    })?;
    Ok(bounded(sum, fees).round(first.tariff.decimals, first.tariff.rounding)?)
}

/// A sum with the minimum and the maximum of a line.
pub(super) fn bounded(sum: Exact, fees: &Fees) -> Exact {
    let sum = sum.max(exact_units(fees.minimum));
    match fees.maximum.filter(|_| !fees.disconnect) {
        Some(maximum) => sum.min(exact_units(maximum)),
        None => sum,
    }
}

/// A number of 10^-10.
pub(super) fn exact_units(units: u128) -> Exact {
    let units = Exact::from_integer(i128::try_from(units).unwrap_or(i128::MAX));
    // The divisor is a constant.
    units.checked_div(&Exact::from_integer(10_000_000_000)).unwrap_or(units)
}

/// What a segment costs, as a fraction.
pub(super) fn exact_cost(band: &Band, billed: u64) -> Exact {
    let share = Exact::from_integer(i128::from(billed));
    let share = share.checked_div(&Exact::from_integer(i128::from(band.per))).unwrap_or(share);
    exact_units(band.price).mul(&share)
}
