//! Calls and pulses from any file of comma-separated values, by a mapping that says what its columns mean.
//!
//! The [`Mapping`] is data, so that a new source is a new piece of JSON and no new program:
//!
//! ```
//! use billing_core::decide::{Batch, Refusal};
//! use billing_formats::{accounts::AccountMap, csv::{Mapping, Reader}};
//!
//! let mapping: Mapping = serde_json::from_str(
//!     r#"{"source": "pbx-1", "zone": "Europe/Berlin", "delimiter": ";", "decimal": "comma", "repeated": "earlier",
//!         "times": {"local": "%d.%m.%Y %H:%M:%S"},
//!         "dial_plan": {"country": "49", "international_prefixes": ["00"], "national_prefix": "0"},
//!         "records": {"calls": {
//!             "id": "Nr", "account": {"map": {"party": "ours"}},
//!             "start": {"date": "Datum", "time": "Zeit"}, "duration": {"minutes": "Dauer"},
//!             "caller": "Von", "callee": "An",
//!             "disposition": {"listed": {"column": "Status", "values": {"ok": "answered"}, "otherwise": "failed"}}
//!         }}}"#,
//! )?;
//! let accounts: AccountMap =
//!     serde_json::from_str(r#"[{"match": {"caller_prefix": "4930"}, "account": "alice"}]"#)?;
//! let file = "\
//! Nr;Datum;Zeit;Von;An;Dauer;Status\r\n\
//! 1;01.10.2026;10:00:00;030 1234567;0033 1 23456789;1,5;OK\r\n\
//! 2;29.03.2026;02:30:00;030 1234567;112;0,1;OK\r\n";
//!
//! let mut entries = Vec::new();
//! for row in Reader::try_new(file.as_bytes(), &mapping, &accounts)? {
//!     entries.push(row?.map_err(Refusal::from));
//! }
//! let batch = Batch { label: "october.csv".into(), entries };
//!
//! let call = batch.entries[0].as_ref().unwrap();
//! assert_eq!(call.account.as_ref().map(|id| id.as_str()), Some("alice"));
//! assert_eq!(call.item.at().to_string(), "2026-10-01T08:00:00Z");
//! let refusal = batch.entries[1].as_ref().unwrap_err();
//! assert_eq!(
//!     (refusal.place.as_str(), refusal.reason.as_str()),
//!     ("line 3", "column `Datum`: the time does not exist in Europe/Berlin, where clocks were set forward over it"),
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Records
//!
//! Columns are quoted as RFC 4180 has it, lines end with LF or CRLF, a byte order mark at the beginning is skipped, and so are
//! lines with nothing but spaces and tabs on them. Any other line is answered once: by its record, or by a [`BadRow`].
//!
//! A quoted column may run over several lines. One whose end was lost, because its writer was cut off, would take the lines after
//! it along, up to the next quotation mark. Here that mark must stand where a column ends, and the record must fit into
//! [`LINE_BYTES_MAX`] bytes; otherwise the first line is refused alone, and the next one is a new record. So memory stays flat, and a
//! torn line costs itself alone. A longer line is refused too, and read no further than that.
//!
//! # Columns
//!
//! Spaces and tabs around the text of a column are left out. Columns that the mapping does not name may hold anything, also bytes
//! that are not UTF-8; but every record must have as many columns as the header, so that a shifted one is noticed.
//!
//! Nothing is guessed: a word that the mapping does not list, a number with two decimal marks, a local time that clocks skipped are
//! refused. A local time that clocks showed twice is what [`Mapping::repeated`] says. No refusal repeats what stands in the file,
//! because it may be personal; [`BadRow::raw`] keeps it.

mod bad_row;
mod call;
mod call_rows;
mod calls;
pub(crate) mod choice;
pub(crate) mod column;
mod delimiter;
mod ends;
mod fields;
pub(crate) mod invalid;
mod mapping;
mod moment;
mod numbers;
pub(crate) mod pattern;
mod payer;
pub(crate) mod places;
mod plain;
mod pulse;
mod pulses;
mod read_error;
pub(crate) mod reader;
mod record_id;
pub(crate) mod source;
pub(crate) mod splitter;
mod time_format;
mod times;
mod value;

pub use crate::lines::LINE_BYTES_MAX;
pub use bad_row::{BadRow, Reason, Width};
pub use call_rows::{CallRow, CallRows};
pub use calls::{Calls, Duration};
pub use choice::{Choice, Listed};
pub use column::Column;
pub use delimiter::{Delimiter, InvalidDelimiter};
pub use invalid::InvalidMapping;
pub use mapping::{DecimalMark, Header, Mapping, Quotes, Records, Repeated};
pub use moment::Moment;
pub use pattern::{InvalidPattern, Pattern};
pub use payer::{CallOrigin, Payer, PulseOrigin, Side};
pub use pulses::Pulses;
pub use read_error::{BadHeader, ReadError};
pub use reader::{Reader, Row};
pub use record_id::RecordId;
pub use time_format::TimeFormat;
pub use value::Value;
