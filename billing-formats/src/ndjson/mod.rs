//! Calls, pulses and one-off charges as JSON, one document a line.
//!
//! A line is what [`CallEnded`](billing_core::item::CallEnded), [`PulseReported`](billing_core::item::PulseReported) and
//! [`OneOffCharged`](billing_core::item::OneOffCharged) are in JSON:
//!
//! ```json
//! {"key":{"source":"pbx","id":"1"},"account":"alice","call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"+12025550100","callee":"+12025550123","disposition":"answered","direction":"outbound"}}
//! {"key":{"source":"meter","id":"1"},"account":"alice","pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}
//! {"key":{"source":"desk","id":"1"},"account":"alice","one_off":{"at":"2026-10-05T08:00:00Z","name":"set-up","price":{"amount":"49.90","currency":"EUR"}}}
//! ```
//!
//! [`write`](fn@write) writes such lines, and [`Reader`] reads them back. It is strict: amounts are text, because a number would pass through
//! a float; a name that is not known, or stands twice, refuses the line. Lines end with LF or CRLF, a byte order mark at the
//! beginning is skipped, and so are lines with nothing but spaces and tabs on them. Any other line is answered once: by its item, or
//! by a [`BadLine`] that says where in the document the fault is, and never what stands there.

mod bad_line;
mod document;
mod fault;
mod reader;
mod writer;

pub use crate::lines::LINE_BYTES_MAX;
pub use bad_line::{BadLine, Reason};
pub use reader::{Reader, Row};
pub use writer::write;
