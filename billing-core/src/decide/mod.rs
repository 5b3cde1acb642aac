//! Decisions: facts in, what to store and what to answer out.
//!
//! # Examples
//!
//! ```
//! use std::{collections::BTreeMap, sync::Arc};
//!
//! use billing_core::{
//!     decide::{self, AccountFacts, AssignFacts, Batch, BillFacts, IngestFacts, Limits, Plans},
//!     event::Head,
//!     plan::PlanBook,
//!     terms::Overrides,
//! };
//! # use billing_core::{account::AccountSettings, item::CallEnded, plan::PlanSpec};
//! # let settings: AccountSettings = serde_json::from_str(
//! #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
//! #         "anchor":{"from":"2026-10-01","months":1}}"#,
//! # )?;
//! # let spec: PlanSpec = serde_json::from_str(
//! #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
//! #         "strategies":[{"id":"calls","kind":"flat_rate","applies_to":{"directions":["outbound"]},
//! #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
//! # )?;
//! # let call: CallEnded = serde_json::from_str(
//! #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
//! #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
//! #                 "disposition":"answered","direction":"outbound"}}"#,
//! # )?;
//!
//! // An account has a plan from a day on. What a store would keep is put into the facts by hand.
//! let now = "2026-10-05T12:00:00Z".parse()?;
//! let plan = PlanBook::standard().build(spec)?;
//! let head = Head::EMPTY;
//! let mut account = AccountFacts { settings, head, assignments: vec![], invoiced_until: None, advanced_until: None };
//! let (overrides, plans) = (Overrides::none(), Plans::new());
//! let (plan_of, used) = (&plan, None);
//! let facts =
//!     AssignFacts { account: &account, plan: plan_of, overrides: &overrides, plans: &plans, used };
//! let assigned = decide::assign(facts, "2026-10-01".parse()?, now)?.expect("a plan it had not");
//! account.head = assigned.heads[0].1;
//! account.assignments.push(assigned.assignments[0].1.clone());
//!
//! // A call of 75 minutes is taken in: it is recorded, and folded into the total of its day.
//! let plans = Plans::from([(plan.spec().digest(), Ok(Arc::new(plan)))]);
//! let batch = Batch { label: "calls".into(), entries: vec![Ok(call.into())] };
//! let facts = IngestFacts {
//!     accounts: BTreeMap::from([("alice".parse()?, account.clone())]),
//!     plans: plans.clone(),
//!     tariffs: Arc::default(),
//!     claims: BTreeMap::new(),
//!     superseded: BTreeMap::new(),
//!     parked: BTreeMap::new(),
//!     days: BTreeMap::new(),
//!     batch: batch.id()?,
//!     intake: None,
//! };
//! let taken = decide::ingest(facts, &batch, Limits::default(), now)?;
//! assert_eq!((taken.intake.recorded, taken.writes.postings.len()), (1, 1));
//!
//! // The running bill is made of the day totals alone.
//! let unbilled = taken.writes.totals;
//! let drafts = decide::bill(&BillFacts { account, plans, unbilled, carries: BTreeMap::new() }, now)?;
//! assert_eq!(drafts[0].taxed.total.to_string(), "1.5");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod assign;
mod batch;
mod correct;
mod correct_error;
mod effect;
mod erase;
mod facts;
mod hand_over;
mod ingest;
mod invoice;
mod mark;
mod open;
mod park;
mod rate;
mod settle;
mod tariffs;
mod writes;

pub use assign::{AssignError, AssignFacts, assign};
pub use batch::{Batch, IngestError, Limits, PulseSign};
pub use correct::{
    CorrectFacts, Corrected, correct, days_corrected, record_correction, replayed_correction,
};
pub use correct_error::CorrectError;
pub use erase::{ErasedItems, Erasure, erase_dropped, erase_items};
pub use facts::{IngestFacts, OpenDay, Plans, claims_superseded, days_touched, plan_on};
pub use hand_over::{Days, JournalFull, answer, hand_over, resend, send};
pub use ingest::{Ingested, Receipt, ingest};
pub use invoice::{RunOutcome, bill, due_periods, is_invoiced, issue, scopes_touched};
pub use mark::{MarkError, MarkFacts, carries_before, pay, void};
pub use open::{OpenAccountError, open_account};
pub use park::drop_parked;
pub use rate::{Rated, explain, rate};
pub use settle::{BillError, BillFacts, settle};
pub use tariffs::{TariffError, activate_tariff, check_currency, save_tariff};
pub use writes::{
    AccountFacts, CarryMove, Claim, Dropped, Intake, Moved, ParkReason, Parked, Refusal,
    StoredItem, Writes,
};
