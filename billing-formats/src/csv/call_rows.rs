//! The calls of a file, lent one by one and not copied.

use core::{fmt, num::NonZeroU32};
use std::io::BufRead;

use billing_core::{
    id::{AccountId, LegId},
    item::{CallEnded, Direction, Disposition, Incoming, Item, Party},
    time::Instant,
};

use crate::{
    accounts::AccountMap,
    csv::{
        BadRow, InvalidMapping, Mapping, Payer, ReadError, Reader, Records, Value,
        plain::{PlainCall, PlainLines},
    },
};

/// The calls of a file, lent one by one: for whoever looks at each and keeps few.
///
/// Gives what [`Reader`] gives, and as memory does not grow, so it takes none for a call. Lines in which every column is written plainly
/// (no quotation marks, times in UTC as RFC 3339 or since 1970, whole numbers) are read where they stand; all others, and everything
/// that is wrong, by the reader itself.
///
/// # Examples
///
/// ```
/// use billing_formats::{accounts::AccountMap, csv::{CallRows, Mapping}};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"source": "pbx-1", "zone": "UTC",
///         "records": {"calls": {"id": "id", "account": "account", "start": "start", "duration": {"seconds": "talk"},
///                               "caller": "from", "callee": "to"}}}"#,
/// )?;
/// let accounts = AccountMap::default();
/// let file = "id,start,talk,account,from,to\n\
///     1,2026-10-01T08:00:00Z,61,alice,+12025550100,+12025550123\n\
///     2,2026-10-01T08:05:00Z,9,alice,+12025550100,+12025550123\n\
///     3,2026-10-01T08:10:00Z,61s,alice,+12025550100,+12025550123\n";
///
/// let mut rows = CallRows::try_new(file.as_bytes(), &mapping, &accounts)?;
/// let (mut talk_ms, mut bad) = (0, 0);
/// while let Some(row) = rows.next_row() {
///     match row? {
///         Ok(call) => talk_ms += call.duration_ms,
///         Err(_) => bad += 1,
///     }
/// }
/// assert_eq!((talk_ms, bad), (70_000, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CallRows<'mapping, R> {
    reader: Reader<'mapping, R>,
    lane: Lane<'mapping>,
    /// The bytes of the line that is lent.
    lent: usize,
    /// The call that is lent, if the reader read it.
    owned: Option<CallEnded>,
    defaults: Defaults<'mapping>,
}

/// How lines are read that may be plain.
enum Lane<'mapping> {
    /// The first record tells where the columns are.
    Before,
    Plain(Box<PlainLines<'mapping>>),
    /// The mapping asks for more than plain lines have.
    Reader,
}

/// One call of a file, as it stands there.
///
/// The parts are those of [`Call`](billing_core::item::Call) and of its key; who called or was called is personal data, so `Debug` shows
/// nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CallRow<'row> {
    /// What it is known by, within its source.
    pub id: &'row str,
    /// Which payer of it.
    pub leg: Option<&'row str>,
    /// The number of a partial record.
    pub partial: Option<NonZeroU32>,
    /// Who pays, if the file tells.
    pub account: Option<&'row str>,
    /// When charging began.
    pub start: Instant,
    /// How long was talked, in milliseconds.
    pub duration_ms: u64,
    /// Who called.
    pub caller: &'row str,
    /// Who was called.
    pub callee: &'row str,
    /// How it ended.
    pub disposition: Disposition,
    /// Which way it went, seen from the account.
    pub direction: Direction,
}

/// What the mapping says of all calls of a file.
#[derive(Clone, Copy, Default)]
struct Defaults<'mapping> {
    account: Option<&'mapping str>,
    caller: &'mapping str,
    callee: &'mapping str,
}

impl<'mapping, R: BufRead> CallRows<'mapping, R> {
    /// Reads `input` as [`Reader::try_new`] does.
    ///
    /// The larger the buffer of the input, the fewer lines are cut at its end: 64 KiB is enough.
    ///
    /// # Errors
    ///
    /// [`InvalidMapping`], also if it is one of pulses; nothing is read yet.
    ///
    /// # Examples
    ///
    /// See [`CallRows`].
    pub fn try_new(
        input: R,
        mapping: &'mapping Mapping,
        accounts: &'mapping AccountMap,
    ) -> Result<Self, InvalidMapping> {
        let reader = Reader::try_new(input, mapping, accounts)?;
        let Records::Calls(calls) = &mapping.records else {
            return Err(InvalidMapping::NoCalls);
        };
        let party = |value: &'mapping Value<Party>| match value {
            Value::Constant(party) => party.as_str(),
            Value::Column(_) => "",
        };
        let account = match &calls.account {
            Payer::Constant(account) => Some(account.as_str()),
            Payer::Column(_) | Payer::Map(_) => None,
        };
        let defaults =
            Defaults { account, caller: party(&calls.caller), callee: party(&calls.callee) };
        Ok(Self { reader, lane: Lane::Before, lent: 0, owned: None, defaults })
    }

    /// The next call, or what is wrong with its line; `None` after the last one.
    ///
    /// # Errors
    ///
    /// A [`ReadError`] is given once and ends the file.
    ///
    /// # Examples
    ///
    /// See [`CallRows`].
    pub fn next_row(&mut self) -> Option<Result<Result<CallRow<'_>, BadRow>, ReadError>> {
        self.reader.pass(core::mem::take(&mut self.lent));
        match self.plain() {
            Err(error) => Some(Err(error)),
            Ok(Some(call)) => self.lend(&call).map(|row| Ok(Ok(row))),
            Ok(None) => match self.reader.next()? {
                Err(error) => Some(Err(error)),
                Ok(Err(bad)) => Some(Ok(Err(bad))),
                Ok(Ok(incoming)) => {
                    self.owned = call_of(incoming);
                    self.owned.as_ref().map(|call| Ok(Ok(row_of(call))))
                }
            },
        }
    }

    /// The line of what was read last, as [`Reader::line`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::{accounts::AccountMap, csv::{CallRows, Mapping}};
    ///
    /// let mapping: Mapping = serde_json::from_str(
    ///     r#"{"source": "pbx-1", "zone": "UTC", "header": {"absent": {}},
    ///         "records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}}}}"#,
    /// )?;
    /// let accounts = AccountMap::default();
    /// let mut rows = CallRows::try_new("1,2026-10-01T08:00:00Z,61\n".as_bytes(), &mapping, &accounts)?;
    /// assert!(rows.next_row().is_some());
    /// assert_eq!(rows.line(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.reader.line()
    }

    /// Reads the next line where it stands, if it is plain.
    fn plain(&mut self) -> Result<Option<PlainCall>, ReadError> {
        if let Lane::Before = self.lane {
            let Some((mapping, places)) = self.reader.columns() else { return Ok(None) };
            let plain = PlainLines::of(mapping, places);
            self.lane = plain.map_or(Lane::Reader, |plain| Lane::Plain(Box::new(plain)));
        }
        let Lane::Plain(plain) = &mut self.lane else { return Ok(None) };
        let Some((line, bytes)) = self.reader.buffered()? else { return Ok(None) };
        let call = plain.read(line);
        if call.is_some() {
            self.lent = bytes;
            self.reader.count_line();
        }
        Ok(call)
    }

    fn lend(&mut self, call: &PlainCall) -> Option<CallRow<'_>> {
        let Defaults { account, caller, callee } = self.defaults;
        let line = core::str::from_utf8(self.reader.buffer(self.lent)).ok()?;
        let text = |range: &core::ops::Range<usize>| line.get(range.clone());
        Some(CallRow {
            id: text(&call.id)?,
            leg: None,
            partial: None,
            account: call.account.as_ref().map_or(account, text),
            start: call.start,
            duration_ms: call.duration_ms,
            caller: call.caller.as_ref().map_or(Some(caller), text)?,
            callee: call.callee.as_ref().map_or(Some(callee), text)?,
            disposition: call.disposition,
            direction: call.direction,
        })
    }
}

fn call_of(incoming: Incoming) -> Option<CallEnded> {
    let Incoming { key, account, item: Item::Call(call) } = incoming else { return None };
    Some(CallEnded { key, account, call })
}

fn row_of(ended: &CallEnded) -> CallRow<'_> {
    let CallEnded { key, account, call } = ended;
    CallRow {
        id: key.id.as_str(),
        leg: key.leg.as_ref().map(LegId::as_str),
        partial: key.partial,
        account: account.as_ref().map(AccountId::as_str),
        start: call.start,
        duration_ms: call.duration_ms,
        caller: call.caller.as_str(),
        callee: call.callee.as_str(),
        disposition: call.disposition,
        direction: call.direction,
    }
}

impl fmt::Debug for CallRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, start, duration_ms) = (&self.id, &self.start, &self.duration_ms);
        let mut row = f.debug_struct("CallRow");
        row.field("id", id).field("start", start).field("duration_ms", duration_ms);
        row.finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for CallRows<'_, R> {
    // The buffers hold telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRows").finish_non_exhaustive()
    }
}
