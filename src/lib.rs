//! Embeddable billing for calls and usage: exact, idempotent, explainable.
//!
//! A host hands in what was used; the library rates it under the account's plan, keeps a running bill, issues gapless
//! invoices, and can prove all of it. It runs inside the host's process: no service, no task, no global, no clock of its own.
//!
//! - **Exact.** Money is decimal and rounded once a line, by a rule somebody chose; shares add up to what they are shares of.
//! - **Idempotent.** Every item has a key. Sent twice, in another order or in other batches, it counts once.
//! - **Explainable.** Each line leads to the days it is made of, each day to its postings, each posting to its item.
//! - **Accounted for.** Of every batch, received = recorded + replayed + conflict + parked + refused. Nothing is dropped.
//!
//! | module | what it holds |
//! |---|---|
//! | [`mod@core`] | values and decisions, pure: money, time, plans, items, bills |
//! | [`store`] | the door [`Billing`], the stores behind it, [`verify()`] |
//! | [`formats`] | call files in, invoices as text out |
//!
//! # Examples
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use billing::{Billing, CallEnded, MemoryStore, PlanBook, clock::SetClock, formats::text, verify};
//!
//! let now = "2026-11-02T08:00:00Z".parse()?;
//! let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), SetClock::at(now));
//! let tenant = billing.tenant("acme")?;
//!
//! // What a minute costs, who pays, and under which plan: documents, so that they can come from anywhere.
//! tenant.save_plan(&serde_json::from_str(
//!     r#"{"id": "basic", "version": 1, "currency": "EUR", "payment": "postpaid",
//!         "strategies": [{"id": "calls", "kind": "flat_rate",
//!                         "terms": {"per_minute": "0.015", "minutes": "pro_rata"}}]}"#,
//! )?).await?;
//! tenant.open_account(&serde_json::from_str(
//!     r#"{"id": "alice", "currency": "EUR", "zone": "Europe/Berlin",
//!         "anchor": {"from": "2026-10-01", "months": 1},
//!         "tax": {"name": "VAT", "percent": "19", "mode": "added"}}"#,
//! )?).await?;
//! tenant.assign(&"alice".parse()?, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
//!
//! // A call of 100 minutes, which the bus delivered twice.
//! let call: CallEnded = serde_json::from_str(
//!     r#"{"key": {"source": "pbx", "id": "1790000000.1"}, "account": "alice",
//!         "call": {"start": "2026-10-05T08:00:00Z", "duration_ms": 6000000,
//!                  "caller": "+12025550100", "callee": "+12025550123",
//!                  "disposition": "answered", "direction": "outbound"}}"#,
//! )?;
//! let taken = tenant.calls_ended(&[call.clone(), call]).await?;
//! assert_eq!((taken.intake.recorded, taken.intake.replayed), (1, 1));
//!
//! tenant.issue_invoices(&"A".parse()?, now).await?;
//! let invoices = tenant.invoices(&"alice".parse()?).await?;
//! assert_eq!(invoices[0].draft.taxed.net.to_string(), "1.5");
//! assert_eq!(invoices[0].draft.taxed.total.to_string(), "1.79");
//! println!("{}", text::invoice(&invoices[0]));
//!
//! assert!(verify(&tenant).await?.is_clean());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `cargo run --example quickstart` takes a month of 5 000 calls from a file to its invoices.

pub use billing_core as core;
pub use billing_formats as formats;
pub use billing_store as store;

pub use billing_core::{
    account::AccountSettings,
    decide::{Batch, Days, Limits, Receipt, RunOutcome},
    id::{AccountId, PlanId, SeriesId, TariffId},
    invoice::{Draft, Invoice},
    item::{Call, CallEnded, Item, ItemKey, OneOff, OneOffCharged, Pulse, PulseReported},
    money::{Amount, Currency, Money, Quantity},
    plan::{PlanBook, PlanSpec, Strategy},
    tariff::TariffSpec,
    time::{Day, Instant, Zone},
};
#[cfg(feature = "sqlite")]
pub use billing_store::SqliteStore;
pub use billing_store::{
    Billing, Error, MemoryStore, Outcome, Result, TakenIn, Tenant, bus, clock, relay, schedule,
    settlement, state_hash, verify::verify,
};
#[cfg(feature = "postgres")]
pub use billing_store::{Durability, PostgresOptions, PostgresStore};

/// The README's program, run with the tests.
#[cfg(doctest)]
#[cfg_attr(doctest, doc = include_str!("../README.md"))]
struct Readme;
