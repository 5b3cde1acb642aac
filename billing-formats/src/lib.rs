//! Documents in and out: call detail records become items, drafts and invoices become text.
//!
//! | module | what it holds |
//! |---|---|
//! | [`asterisk`] | reads the `Master.csv` that Asterisk writes |
//! | [`freeswitch`] | reads what FreeSWITCH's `mod_cdr_csv` and `mod_json_cdr` write |
//! | [`kamailio`] | mappings for the call records of Kamailio and OpenSIPS |
//! | [`csv`] | reads calls and pulses from any CSV, by a mapping of its columns |
//! | [`deck`] | reads price lists of suppliers and carriers into lines of a tariff |
//! | [`ndjson`] | reads and writes calls, pulses and one-off charges, one JSON document a line |
//! | [`dial_plan`] | makes E.164 numbers of numbers as they are dialled |
//! | [`accounts`] | finds the account that pays a call |
//! | [`text`] | writes drafts and invoices as plain text |
//!
//! # Examples
//!
//! Each line of a file becomes an entry of a batch, or a refusal that keeps the line:
//!
//! ```
//! use billing_core::decide::Batch;
//! use billing_formats::{accounts::AccountMap, asterisk};
//!
//! let options: asterisk::Options = serde_json::from_str(
//!     r#"{"source": "pbx-1", "zone": "America/New_York", "contexts": {"from-trunk": "inbound"}}"#,
//! )?;
//! let accounts: AccountMap = serde_json::from_str(
//!     r#"[{"match": {"account_code": "sales"}, "account": "alice"},
//!         {"match": {"caller_prefix": "1202"}, "account": "bob", "from": "2026-10-01"}]"#,
//! )?;
//! let file = "\
//! \"sales\",\"12025550100\",\"12025550123\",\"office\",\"\",\"PJSIP/desk-0000001a\",\"\",\"Dial\",\"\",\
//! \"2026-10-01 08:00:00\",\"2026-10-01 08:00:05\",\"2026-10-01 08:01:06\",66,61,\"ANSWERED\",\"BILLING\",\"1790856000.1\"\n\
//! torn\n";
//!
//! let mut entries = Vec::new();
//! for row in asterisk::Reader::new(file.as_bytes(), &options) {
//!     entries.push(asterisk::entry(row?, &options, &accounts));
//! }
//! let batch = Batch { label: "Master.csv".into(), entries };
//!
//! let call = batch.entries[0].as_ref().unwrap();
//! assert_eq!(call.account.as_ref().map(|id| id.as_str()), Some("alice"));
//! assert_eq!(call.item.at().to_string(), "2026-10-01T12:00:05Z");
//! let refusal = batch.entries[1].as_ref().unwrap_err();
//! assert_eq!((refusal.place.as_str(), refusal.raw.as_str()), ("line 2", "torn"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod accounts;
pub mod asterisk;
mod bad_row;
mod clock;
pub mod csv;
pub mod deck;
pub mod dial_plan;
pub mod freeswitch;
pub mod kamailio;
mod lines;
pub mod ndjson;
mod switch;
pub mod text;

pub use bad_row::BadRow;
