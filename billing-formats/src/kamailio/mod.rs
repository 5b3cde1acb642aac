//! Call detail records of Kamailio and OpenSIPS, as exports of their tables: ready-made mappings for the reader of [`csv`](crate::csv).
//!
//! | preset | table | who fills it |
//! |---|---|---|
//! | [`cdrs`] | `cdrs` | the stored procedure `kamailio_cdrs`, from the rows of `acc` |
//! | [`acc_cdrs`] | `acc_cdrs` | the module `acc` of Kamailio with `cdr_enable`, from dialogs |
//! | [`opensips_acc`] | `acc` | the module `acc` of OpenSIPS with `do_accounting("db", "cdr")`, from dialogs |
//!
//! A preset is a [`Mapping`](crate::csv::Mapping) like any other: its fields can be changed, and as JSON it is where to begin with
//! one's own.
//!
//! # The export
//!
//! It has a header with the names of the columns. `COPY … WITH (FORMAT csv, HEADER)` of PostgreSQL is read as it is. `mysql --batch` puts
//! tabs between columns and has no quotation marks around them: [`mysql_batch`] makes a preset say both, which is
//! `"delimiter": "\t", "quotes": "none"` as JSON. The Call-ID is the caller's, and may have a quotation mark in it, which must not take
//! the lines that follow into one column.
//!
//! `mysql --batch` writes `NULL` where a column has no value, which nobody can tell from a user of that name: columns that may have
//! none, such as those of `cdr_extra` and `extra_fields`, are to be exported as empty text:
//!
//! ```text
//! mysql --batch --execute "select callid, start_time, duration, coalesce(src_user, '') as src_user,
//!     coalesce(dst_user, '') as dst_user from acc_cdrs" kamailio > acc_cdrs.tsv
//! ```
//!
//! # What a call is known by
//!
//! By its Call-ID alone. All requests and answers of a call carry it, and no other call does. The tags do not tell calls apart: where a
//! call is forked, each branch has a to-tag of its own, and where the callee sends the re-INVITE the tags change places. With the tags in the
//! id such a call would be billed twice. So would it, if it is exported twice, with the row's number as the id.
//!
//! The price of it: a caller that uses a Call-ID again, which RFC 3261 forbids, gets no second item, but a conflict, which is kept
//! and listed. Who would rather bill such a call than look at it takes the digest of the Call-ID and both tags:
//!
//! ```
//! # use billing_core::{id::SourceId, time::Zone};
//! use billing_formats::{csv::{RecordId, Records}, kamailio};
//!
//! let mut mapping = kamailio::cdrs(SourceId::try_new("proxy-1")?, Zone::try_new("UTC")?);
//! let Records::Calls(calls) = &mut mapping.records else { return Ok(()) };
//! calls.id = RecordId::Digest(["sip_call_id", "sip_from_tag", "sip_to_tag"].map(Into::into).to_vec());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not read
//!
//! The rows of `acc` without dialogs are a log of transactions: an INVITE begins a call, and a BYE ends it, hours later and perhaps in
//! another export. To pair them, a reader would have to keep every call that is open, without a bound, and could not answer a row
//! when it reads it. Both servers pair them where the rows are: see above.

mod presets;

pub use presets::{acc_cdrs, cdrs, mysql_batch, opensips_acc};
