//! When a call began, was answered and ended, and how long was talked.

use billing_core::time::Instant;

use crate::{
    clock::{Clock, When},
    freeswitch::{
        Reason,
        values::{Role, Values},
    },
};

const START: [Role; 3] = [Role::StartUepoch, Role::StartEpoch, Role::StartStamp];
const ANSWER: [Role; 3] = [Role::AnswerUepoch, Role::AnswerEpoch, Role::AnswerStamp];
const END: [Role; 3] = [Role::EndUepoch, Role::EndEpoch, Role::EndStamp];
const SECOND_MICROS: i64 = 1_000_000;
const SECOND_MS: u64 = 1_000;
const MILLISECOND_MICROS: u64 = 1_000;

/// How far the talk time may be from the time that its stamps measure: each may be cut to seconds.
const TALK_TOLERANCE_MS: u64 = SECOND_MS;

/// When a call began, was answered and ended, and how long was talked; its parts agree.
pub(super) struct Times {
    pub(super) start: Instant,
    pub(super) answer: Option<Instant>,
    pub(super) end: Option<Instant>,
    pub(super) talk_ms: u64,
}

/// A time, and the variable that tells it.
#[derive(Clone, Copy)]
struct Moment {
    when: When,
    role: Role,
}

impl Times {
    pub(super) fn read(values: &Values<'_>, clock: &mut Clock) -> Result<Self, Reason> {
        let start = moment(values, clock, START)?;
        let start = start.ok_or_else(|| values.missing(Role::StartUepoch))?;
        // Without any of them nobody knows whether the call was answered: it must not become one that costs nothing.
        if !ANSWER.into_iter().any(|role| values.has(role)) {
            return Err(values.missing(Role::AnswerUepoch));
        }
        let (answer, end) = (moment(values, clock, ANSWER)?, moment(values, clock, END)?);
        let stated = stated(values)?;
        let zone = clock.zone_name();
        let duration_ms = duration_ms(values);
        let before = |at: Option<Instant>, ms: Option<u64>| at?.checked_sub_ms(ms?).ok();
        let start = start.at(values, zone, || before(end?.when.once(), duration_ms))?;
        let due = || start.checked_add_ms(duration_ms?).ok();
        let ended = end.map(|end| end.at(values, zone, due)).transpose()?;
        let talk_start = || before(ended, stated.map(|(ms, _)| ms));
        let answered = answer.map(|answer| answer.at(values, zone, talk_start)).transpose()?;
        let measured = answered.zip(ended).map(|(answered, ended)| {
            let roles = (answer.map(|answer| answer.role), end.map(|end| end.role));
            let is_fine = roles == (Some(Role::AnswerUepoch), Some(Role::EndUepoch));
            (answered.millis_until(ended).unwrap_or(0), is_fine)
        });
        let talk_ms = match answered {
            None => 0,
            Some(_) => finest(stated, measured).ok_or_else(|| values.missing(Role::Billsec))?,
        };
        let times = Self { start, answer: answered, end: ended, talk_ms };
        times.check_order()?;
        times.check_talk(stated, ended.or_else(due)).map(|()| times)
    }

    /// Some of the times may be cut to seconds, so they are compared so.
    fn check_order(&self) -> Result<(), Reason> {
        let second = |at: Instant| at.micros().div_euclid(SECOND_MICROS);
        let is_ordered = |one: Instant, two: Instant| second(one) <= second(two);
        if self.end.is_some_and(|end| !is_ordered(self.start, end)) {
            return Err(Reason::EndBeforeStart);
        }
        let is_outside = |answer| {
            !is_ordered(self.start, answer) || self.end.is_some_and(|end| !is_ordered(answer, end))
        };
        if self.answer.is_some_and(is_outside) { Err(Reason::AnswerOutside) } else { Ok(()) }
    }

    /// The switch takes the talk time from the answer to the end, on hold too, so what it states must be what lies between them.
    fn check_talk(&self, stated: Option<(u64, Role)>, end: Option<Instant>) -> Result<(), Reason> {
        let stated_ms = stated.map_or(0, |(ms, _)| ms);
        let is_from = |from: Option<Instant>| {
            let measured_ms = from.zip(end).map(|(from, end)| from.millis_until(end).unwrap_or(0));
            measured_ms.map(|measured_ms| stated_ms.abs_diff(measured_ms) <= TALK_TOLERANCE_MS)
        };
        match self.answer {
            Some(_) if stated.is_some() && is_from(self.answer) == Some(false) => {
                Err(Reason::TalkUnlikeTimes)
            }
            // Old releases count from 1970 on where nobody answered.
            None if stated_ms > 0 && is_from(Instant::from_micros(0).ok()) != Some(true) => {
                Err(Reason::TalkUnanswered)
            }
            _ => Ok(()),
        }
    }
}

impl Moment {
    /// The instant, where `expected` decides between two.
    fn at(
        self,
        values: &Values<'_>,
        zone: &'static str,
        expected: impl FnOnce() -> Option<Instant>,
    ) -> Result<Instant, Reason> {
        let variable = || values.variable(self.role).to_owned();
        let at = self.when.nearest(expected);
        at.ok_or_else(|| Reason::AmbiguousTime { variable: variable(), zone })
    }
}

/// The time that the first of these variables with a value tells; none if that is 0.
fn moment(
    values: &Values<'_>,
    clock: &mut Clock,
    [uepoch, epoch, stamp]: [Role; 3],
) -> Result<Option<Moment>, Reason> {
    let is_zero = |when: When| when.once().is_some_and(|at| at.micros() == 0);
    for (role, unit_micros) in [(uepoch, 1), (epoch, SECOND_MICROS)] {
        if let Some(units) = values.number(role)? {
            let micros = i64::try_from(units).ok().and_then(|units| units.checked_mul(unit_micros));
            let at = micros.and_then(|micros| Instant::from_micros(micros).ok());
            let when = at.map(When::Once).ok_or_else(|| Reason::Time {
                variable: values.variable(role).to_owned(),
                accepted: "a time before the year 10000, counted from 1970 on",
            })?;
            return Ok(Some(Moment { when, role }).filter(|_| !is_zero(when)));
        }
    }
    let text = values.text(stamp)?;
    if text.is_empty() {
        return Ok(None);
    }
    let when = clock.read(text);
    let when = when.map_err(|unread| Reason::of_time(unread, values.variable(stamp)))?;
    Ok(Some(Moment { when, role: stamp }).filter(|_| !is_zero(when)))
}

/// How long was talked, as far as the record states it by itself, and the variable that does.
fn stated(values: &Values<'_>) -> Result<Option<(u64, Role)>, Reason> {
    if let Some(micros) = values.number(Role::Billusec)? {
        return Ok(micros.checked_div(MILLISECOND_MICROS).map(|ms| (ms, Role::Billusec)));
    }
    if let Some(ms) = values.number(Role::Billmsec)? {
        return Ok(Some((ms, Role::Billmsec)));
    }
    let Some(seconds) = values.number(Role::Billsec)? else { return Ok(None) };
    let unread = || Reason::Number { variable: values.variable(Role::Billsec).to_owned() };
    let ms = seconds.checked_mul(SECOND_MS).ok_or_else(unread)?;
    Ok(Some((ms, Role::Billsec)))
}

/// How long was talked, by the finer of what the record states and what its times measure.
fn finest(stated: Option<(u64, Role)>, measured: Option<(u64, bool)>) -> Option<u64> {
    match (stated, measured) {
        (Some((_, Role::Billsec)), Some((ms, true))) | (None, Some((ms, _))) => Some(ms),
        (stated, _) => stated.map(|(ms, _)| ms),
    }
}

/// How long the whole call lasted; only asked where a time is ambiguous or missing, so nothing else is wrong if it cannot be read.
fn duration_ms(values: &Values<'_>) -> Option<u64> {
    values.number(Role::Duration).ok().flatten()?.checked_mul(SECOND_MS)
}
