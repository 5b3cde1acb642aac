//! From the columns of a line to a record whose parts agree.

use billing_core::{
    id::ItemId,
    item::{Disposition, Party},
    time::Instant,
};

use crate::{
    asterisk::{
        Cdr, Column, Reason,
        bad_row::{Fault, shown},
        columns::Columns,
    },
    clock::{Clock, When, are_near},
};

/// The record that a line states.
pub(super) fn record(line: u64, columns: &Columns<'_>, clock: &mut Clock) -> Result<Cdr, Fault> {
    // Times first: once they stand where they belong, no column is shifted, and what stands in the columns after them is
    // fit to be shown.
    let stated = Stated::read(columns, clock)?;
    let times = stated.times(clock.zone_name())?;
    stated.check(&times)?;
    Ok(Cdr {
        line,
        account_code: columns.get(Column::AccountCode).to_owned(),
        src: party(columns, Column::Src)?,
        dst: party(columns, Column::Dst)?,
        context: columns.get(Column::Context).to_owned(),
        channel: columns.get(Column::Channel).to_owned(),
        dst_channel: columns.get(Column::DstChannel).to_owned(),
        start: times.start,
        answer: times.answer,
        end: times.end,
        duration_s: stated.duration_s,
        billsec: stated.billsec,
        disposition: stated.disposition,
        unique_id: stated.unique_id,
        user_field: columns.user_field().to_owned(),
    })
}

/// What the line says of its times, before its parts are held against each other.
struct Stated {
    start: When,
    answer: Option<When>,
    end: When,
    duration_s: u32,
    billsec: u32,
    disposition: Disposition,
    unique_id: ItemId,
}

struct Times {
    start: Instant,
    answer: Option<Instant>,
    end: Instant,
}

impl Stated {
    fn read(columns: &Columns<'_>, clock: &mut Clock) -> Result<Self, Fault> {
        let mut time = |column: Column| {
            clock.read(columns.get(column)).map_err(|unread| Fault::at(&column, unread))
        };
        let start = time(Column::Start)?;
        let answer = match columns.get(Column::Answer) {
            "" => None,
            _ => Some(time(Column::Answer)?),
        };
        let end = time(Column::End)?;
        let unique_id = ItemId::try_new(columns.get(Column::UniqueId));
        Ok(Self {
            start,
            answer,
            end,
            duration_s: seconds(columns, Column::Duration)?,
            billsec: seconds(columns, Column::Billsec)?,
            disposition: disposition(columns)?,
            unique_id: unique_id.map_err(|error| Fault::at(&Column::UniqueId, error))?,
        })
    }

    fn times(&self, zone: &'static str) -> Result<Times, Fault> {
        let ambiguous = |column| Fault::at(&column, Reason::AmbiguousTime { zone });
        let created = || created(self.unique_id.as_str());
        let start = self.start.nearest(created).ok_or_else(|| ambiguous(Column::Start))?;
        let due = start.checked_add_ms(millis(self.duration_s)).ok();
        let end = self.end.nearest(|| due).ok_or_else(|| ambiguous(Column::End))?;
        // A channel can outlive its first call: then its age misleads, and the end gives it away.
        if matches!(self.start, When::Twice(..)) && !due.is_some_and(|due| are_near(due, end)) {
            return Err(ambiguous(Column::Start));
        }
        let talk_start = || end.checked_sub_ms(millis(self.billsec)).ok();
        let answer = match self.answer {
            None => None,
            Some(answer) => {
                Some(answer.nearest(talk_start).ok_or_else(|| ambiguous(Column::Answer))?)
            }
        };
        Ok(Times { start, answer, end })
    }

    fn check(&self, times: &Times) -> Result<(), Fault> {
        let (billsec, duration_s) = (self.billsec, self.duration_s);
        if times.end < times.start {
            return Err(Fault::at(&Column::End, Reason::EndBeforeStart));
        }
        if times.answer.is_some_and(|answer| answer < times.start || times.end < answer) {
            return Err(Fault::at(&Column::Answer, Reason::AnswerOutside));
        }
        let is_answered = self.disposition == Disposition::Answered;
        if is_answered && times.answer.is_none() {
            return Err(Fault::at(&Column::Answer, Reason::AnswerMissing));
        }
        if billsec > duration_s {
            return Err(Fault::at(
                &Column::Billsec,
                Reason::TalkAboveDuration { billsec, duration_s },
            ));
        }
        if !is_answered && billsec > 0 {
            return Err(Fault::at(&Column::Billsec, Reason::TalkUnanswered { billsec }));
        }
        Ok(())
    }
}

fn party(columns: &Columns<'_>, column: Column) -> Result<Party, Fault> {
    columns
        .get(column)
        .parse()
        .map_err(|error: billing_core::item::InvalidParty| Fault::at(&column, error))
}

fn seconds(columns: &Columns<'_>, column: Column) -> Result<u32, Fault> {
    let value = columns.get(column);
    // A sign is refused: reading a number would accept a plus.
    let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|_| is_digits);
    number.ok_or_else(|| Fault::at(&column, Reason::Seconds { value: shown(value) }))
}

fn disposition(columns: &Columns<'_>) -> Result<Disposition, Fault> {
    match columns.get(Column::Disposition) {
        "ANSWERED" => Ok(Disposition::Answered),
        "NO ANSWER" => Ok(Disposition::NoAnswer),
        "BUSY" => Ok(Disposition::Busy),
        "FAILED" | "CONGESTION" => Ok(Disposition::Failed),
        value => Err(Fault::at(&Column::Disposition, Reason::Disposition { value: shown(value) })),
    }
}

/// When the channel was created: the uniqueid is `1761437041.123`, or `name-1761437041.123`.
fn created(unique_id: &str) -> Option<Instant> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = unique_id.rsplit('-').next()?;
    let (second, count) = number.split_once('.')?;
    let second: i64 = second.parse().ok().filter(|_| is_number(second) && is_number(count))?;
    Instant::from_micros(second.checked_mul(1_000_000)?).ok()
}

fn millis(seconds: u32) -> u64 {
    u64::from(seconds).saturating_mul(1_000)
}
