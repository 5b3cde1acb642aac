//! Where the parts of a call stand.

use serde::{Deserialize, Serialize};

use billing_core::item::{Direction, Disposition, Party};

use crate::csv::{CallOrigin, Choice, Column, Moment, Payer, RecordId, Value};

/// Where the parts of a call stand.
///
/// Charging begins with the answer, if the file tells it and the call was answered, and otherwise with the start.
///
/// # Examples
///
/// ```
/// use billing_core::item::Disposition;
/// use billing_formats::csv::{Calls, Choice, Duration};
///
/// let calls: Calls = serde_json::from_str(
///     r#"{"id": "uuid", "start": "start", "answer": "answer", "duration": {"until": "end"},
///         "disposition": {"listed": {"column": "cause", "values": {"NORMAL_CLEARING": "answered"},
///                                    "otherwise": "failed"}}}"#,
/// )?;
/// assert_eq!(calls.duration, Duration::Until("end".into()));
/// let Choice::Listed(causes) = calls.disposition else { return Ok(()) };
/// assert_eq!(causes.find("normal_clearing"), Some(Disposition::Answered));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// What it is known by.
    pub id: RecordId,
    /// Which payer of it, if calls have several; none where the column is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<Column>,
    /// The number of a partial record; the record is final where the column is empty or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Column>,
    /// Who pays; whom the account map finds for the caller if left out.
    #[serde(default)]
    pub account: Payer<CallOrigin>,
    /// When it began.
    pub start: Moment,
    /// When it was answered; read for answered calls alone, so it may hold anything for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Moment>,
    /// How long was talked.
    pub duration: Duration,
    /// Who called; unknown if left out.
    #[serde(default = "unknown")]
    pub caller: Value<Party>,
    /// Who was called; unknown if left out.
    #[serde(default = "unknown")]
    pub callee: Value<Party>,
    /// How it ended; answered if left out.
    #[serde(default = "answered")]
    pub disposition: Choice<Disposition>,
    /// Which way it went, seen from the account; outbound if left out.
    #[serde(default = "outbound")]
    pub direction: Choice<Direction>,
}

/// How long was talked, and how that is written; what is below a millisecond is cut off.
///
/// A column may be empty where the call was not answered.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Duration;
///
/// let duration: Duration = serde_json::from_str(r#"{"clock": "Dauer"}"#)?;
/// assert_eq!(duration, Duration::Clock("Dauer".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duration {
    /// Seconds, also with decimals.
    Seconds(Column),
    /// Milliseconds, also with decimals.
    Milliseconds(Column),
    /// Minutes, also with decimals.
    Minutes(Column),
    /// Hours, minutes and seconds, as in `1:02:03`; the seconds also with decimals.
    Clock(Column),
    /// From the beginning of charging until this; nothing where the call was not answered.
    ///
    /// Both are read for themselves: where clocks were set back in between, an end that comes out before the beginning is refused.
    Until(Moment),
}

impl Calls {
    /// Answered outbound calls between unknown ends.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::csv::{Calls, Duration, RecordId, Value};
    ///
    /// let mut calls = Calls::new(
    ///     RecordId::Column("id".into()), "start".into(), Duration::Seconds("talk".into()),
    /// );
    /// calls.callee = Value::Column("to".into());
    /// assert_eq!(calls.leg, None);
    /// ```
    #[must_use]
    pub fn new(id: RecordId, start: Moment, duration: Duration) -> Self {
        Self {
            id,
            leg: None,
            partial: None,
            account: Payer::default(),
            start,
            answer: None,
            duration,
            caller: unknown(),
            callee: unknown(),
            disposition: answered(),
            direction: outbound(),
        }
    }

    /// Every column that is read.
    pub(super) fn columns(&self) -> Vec<&Column> {
        let Self { id, leg, partial, account, start, answer, duration, .. } = self;
        let mut columns: Vec<_> = id.columns().iter().chain(leg).chain(partial).collect();
        columns.extend(account.columns());
        columns.extend(start.columns());
        columns.extend(answer.iter().flat_map(Moment::columns));
        columns.push(duration.column());
        columns.extend(duration.until().and_then(Moment::second_column));
        columns.extend([&self.caller, &self.callee].into_iter().filter_map(Value::column));
        columns.extend(self.disposition.column());
        columns.extend(self.direction.column());
        columns
    }
}

impl Duration {
    /// The column that is blamed if it cannot be read.
    pub(super) const fn column(&self) -> &Column {
        match self {
            Self::Seconds(column)
            | Self::Milliseconds(column)
            | Self::Minutes(column)
            | Self::Clock(column) => column,
            Self::Until(moment) => moment.column(),
        }
    }

    pub(super) const fn until(&self) -> Option<&Moment> {
        match self {
            Self::Seconds(_) | Self::Milliseconds(_) | Self::Minutes(_) | Self::Clock(_) => None,
            Self::Until(moment) => Some(moment),
        }
    }
}

const fn unknown() -> Value<Party> {
    Value::Constant(Party::unknown())
}

const fn answered() -> Choice<Disposition> {
    Choice::Constant(Disposition::Answered)
}

const fn outbound() -> Choice<Direction> {
    Choice::Constant(Direction::Outbound)
}
