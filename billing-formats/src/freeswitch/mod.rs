//! Call detail records as FreeSWITCH writes them: lines of `mod_cdr_csv`, documents of `mod_json_cdr`.
//!
//! Both say the same by the names of channel variables, so both become a [`Cdr`] by the same rules:
//!
//! | what | by the first of these that is there |
//! |---|---|
//! | start | `start_uepoch`, `start_epoch`, `start_stamp` |
//! | answer | `answer_uepoch`, `answer_epoch`, `answer_stamp`; nobody answered where it is empty or 0, and one of the three must be there |
//! | end | `end_uepoch`, `end_epoch`, `end_stamp` |
//! | talk time | `billusec`, `billmsec`, the time between `answer_uepoch` and `end_uepoch`, `billsec`, the time between answer and end |
//! | how it ended | answered, or what `hangup_cause` tells |
//! | what it is known by | `uuid` |
//!
//! Talk time counts from the answer to the end, on hold too, and is kept to the millisecond. The switch computes `billusec`, `billmsec` and
//! `billsec` from the two, cut to their unit. So a record that states over a second more or less than what lies between them is refused;
//! where it has no end, `duration` tells the end. A call that nobody answered has none: the record states 0, nothing, or as old
//! releases do the time from 1970 to the end; with any other talk time it is refused. Which variables say who called, who was called
//! and who pays, is up to [`Variables`].
//!
//! `hangup_cause` of a call that was not answered: `USER_BUSY` is busy; `NO_ANSWER`, `NO_USER_RESPONSE`, `ORIGINATOR_CANCEL`,
//! `LOSE_RACE`, `PICKED_OFF` and `NORMAL_CLEARING` are no answer; any other one is a failure.
//!
//! # Legs
//!
//! FreeSWITCH bridges a call out of two legs, and can write a record of each (`legs` of `cdr_csv.conf`, `log-b-leg` of
//! `json_cdr.conf`). That of the A leg states the whole call. A record that says that it is of a B leg, by
//! `originating_leg_uuid` or `originator`, is refused unless [`Legs`] tells otherwise, so that a call is not billed twice. The
//! stock templates do not say it: they are for `legs=a`.
//!
//! The variable `direction` is seen from the switch, where every A leg is inbound; so the context tells the direction here.
//!
//! # Lines
//!
//! **One record is one physical line**, of text or of JSON. Lines with nothing but spaces and tabs on them are skipped, lines end
//! with LF or CRLF, and a byte order mark at the beginning is skipped too. Any other line is answered once: by its
//! [`Cdr`], or by a [`BadRow`], which never shows what stands on it. A torn line costs itself alone.
//!
//! A [`CsvReader`] takes lines apart by the [`Template`] they were written with, because the switch fills values in as they are: in
//! `"${caller_id}"` the value `"Ann" <100>` has quotation marks of its own. Doubled ones are understood too. A line that fits the template
//! in no way, and a value with a quotation mark in a column that is read, is refused.
//!
//! A [`JsonReader`] looks a variable up in `variables`, and then in the first `caller_profile` of the `callflow`, which is the last
//! one that the call had. With `encode-values` the variables are percent-encoded: that is told by the stamps, which then have
//! percent signs. A document that is percent-encoded as a whole, as in the folder of those that could not be sent, is understood too.
//!
//! # Times
//!
//! The epochs are UTC. The stamps are what clocks in [`Options::zone`] showed; a time that they skipped is refused, and one that they
//! showed twice is decided by `duration` and the talk time, if they can tell, or refused.

mod bad_row;
mod cdr;
mod csv_reader;
mod document;
mod entry;
mod json_reader;
mod percent;
mod record;
mod template;
mod times;
mod values;
mod variables;

pub use crate::{lines::LINE_BYTES_MAX, switch::Options};
pub use bad_row::{BadRow, Reason};
pub use cdr::{Cdr, Leg};
pub use csv_reader::{CsvReader, Row};
pub use entry::entry;
pub use json_reader::{DOCUMENT_BYTES_MAX, JsonReader};
pub use template::{InvalidTemplate, Template};
pub use variables::{Legs, Variables};
