//! Call detail records as Asterisk writes them to `Master.csv`.
//!
//! The file has no header. Its columns are accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata,
//! start, answer, end, duration, billsec, disposition, amaflags, uniqueid and userfield. Asterisk writes the last two if its
//! `cdr.conf` says `loguniqueid=yes` and `loguserfield=yes`; the uniqueid is what a call is known by, so it must be there.
//! With `loguserfield` alone the userfield would be taken for it. `newcdrcolumns=yes` appends peeraccount, linkedid and
//! sequence, which are accepted and left out.
//!
//! # Lines
//!
//! **One record is one physical line**, although CSV lets a quoted field run over several: where a writer was cut off in
//! the middle of a quoted field, the rule of CSV would take all lines up to the next quotation mark for the rest of it. Here
//! a torn line costs itself alone. Every line gives exactly one [`Row`], also an empty one.
//!
//! # Times
//!
//! Asterisk writes the local time of its server, or UTC with `usegmtime=yes`, as whole seconds without an offset:
//! [`Options::zone`] says which. A time that clocks skipped is refused. A time that they show twice is decided by what else
//! the line says, or refused, never guessed:
//!
//! - `start` by the uniqueid, which begins with the second its channel was created (`1761437041.123`, or
//!   `name-1761437041.123` where the server has a system name);
//! - `end` by `start` and `duration`, and `answer` by `end` and `billsec`.
//!
//! In each case the nearer of the two instants is taken, and only if it is at most [`NEAR_S`] seconds away.

mod bad_row;
mod cdr;
mod columns;
mod entry;
mod reader;
mod record;

pub use crate::{clock::NEAR_S, lines::LINE_BYTES_MAX, switch::Options};
pub use bad_row::{BadRow, Reason};
pub use cdr::Cdr;
pub use columns::Column;
pub use entry::entry;
pub use reader::{Reader, Row};
