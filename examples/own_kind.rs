//! A kind of price that a host writes for itself: a fee for each answered call, none to some numbers.
//!
//! ```sh
//! cargo run --example own_kind
//! ```

use std::sync::Arc;

use serde::Deserialize;

use billing::{
    Billing, CallEnded, Item, MemoryStore, PlanBook, Strategy,
    clock::SetClock,
    core::{
        id::{Group, StrategyId, Unit},
        money::{Amount, Exact, Price, Quantity},
        number::Prefix,
        plan::{Arrival, Bill, Priced, Problem, StrategySpec, StretchFacts},
        usage::Totals,
    },
    formats::text,
    verify,
};

/// What a plan says of it: `"terms": {"fee": "0.05", "free": ["1800"]}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    fee: Price,
    free: Vec<Prefix>,
}

/// A strategy is built from its terms and keeps no state.
#[derive(Debug)]
struct CallFee {
    id: StrategyId,
    terms: Terms,
    charged: Group,
    free: Group,
    unit: Unit,
}

impl CallFee {
    fn try_new(spec: &StrategySpec) -> Result<Self, Problem> {
        let terms = Terms::deserialize(&spec.terms).map_err(|error| Problem(error.to_string()))?;
        let name = |error| Problem(format!("{error}"));
        Ok(Self {
            id: spec.id.clone(),
            terms,
            charged: Group::try_new("with a fee").map_err(name)?,
            free: Group::try_new("free").map_err(name)?,
            unit: Unit::try_new("call").map_err(name)?,
        })
    }

    fn is_free(&self, item: &Item) -> bool {
        let Item::Call(call) = item else { return false };
        let callee = call.callee.number();
        callee.is_some_and(|callee| self.terms.free.iter().any(|prefix| prefix.matches(&callee)))
    }
}

impl Strategy for CallFee {
    fn id(&self) -> &StrategyId {
        &self.id
    }

    /// Each group has a line of its own on the bill. `None` would mean: not an item for this strategy.
    fn group(&self, item: &Item) -> Option<Group> {
        matches!(item, Item::Call(_))
            .then(|| if self.is_free(item) { self.free.clone() } else { self.charged.clone() })
    }

    /// The item alone decides its price, so the amount is known on arrival.
    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        let is_answered = matches!(arrival.item(), Item::Call(call) if call.charged_ms() > 0);
        let amount = match is_answered && !self.is_free(arrival.item()) {
            true => Amount::try_new(self.terms.fee.decimal())?,
            false => Amount::ZERO,
        };
        let quantity = Quantity::from_u64(u64::from(is_answered))?;
        let totals = Totals { count: i64::from(is_answered), quantity, amount: Some(amount) };
        Ok(Priced::new(self.unit.clone(), totals))
    }

    /// A line for each group: what was decided on arrival, added up. The bill rounds and shares out.
    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        for (group, usage) in &facts.usage {
            let amount = usage.unbilled.amount.unwrap_or(Amount::ZERO);
            let text = match *group == self.free {
                true => "without a fee".to_owned(),
                false => format!("at {} a call", self.terms.fee),
            };
            bill.charge(group.clone(), Exact::from(amount), text);
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The built-in kinds are added in the same way: there is nothing a host's kind cannot do.
    let book =
        PlanBook::standard().with_kind("call_fee", |spec| Ok(Arc::new(CallFee::try_new(spec)?)));
    let now = "2026-11-02T08:00:00Z".parse()?;
    let billing = Billing::new(MemoryStore::new(), book, SetClock::at(now));
    let tenant = billing.tenant("acme")?;

    // A plan may mix kinds: here a fee for each call, and talk by the minute. An item counts once under each.
    tenant
        .save_plan(&serde_json::from_str(
            r#"{"id": "fee-and-talk", "version": 1, "currency": "USD", "payment": "postpaid",
                "strategies": [
                  {"id": "fee", "kind": "call_fee", "terms": {"fee": "0.05", "free": ["1202555"]}},
                  {"id": "talk", "kind": "flat_rate",
                   "terms": {"per_minute": "0.012", "minutes": "pro_rata"}}]}"#,
        )?)
        .await?;
    tenant
        .open_account(&serde_json::from_str(
            r#"{"id": "alice", "currency": "USD", "zone": "America/New_York",
                "anchor": {"from": "2026-10-01", "months": 1}}"#,
        )?)
        .await?;
    let alice = "alice".parse()?;
    tenant.assign(&alice, &"fee-and-talk".parse()?, 1, "2026-10-01".parse()?).await?;

    let calls = [
        call(1, "12065550123", 90_000, "answered")?,
        call(2, "12025550123", 30_000, "answered")?,
        call(3, "12065550199", 0, "busy")?,
    ];
    let taken = tenant.calls_ended(&calls).await?;
    println!("{} calls recorded.\n", taken.intake.recorded);

    let bill = tenant.bill(&alice, "2026-10-31T12:00:00Z".parse()?).await?;
    for draft in bill.drafts() {
        println!("The running bill, exact to the last call:\n\n{}", text::draft(draft));
    }
    tenant.issue_invoices(&"A".parse()?, now).await?;
    for invoice in tenant.invoices(&alice).await? {
        println!("The invoice, once the month is over:\n\n{}", text::invoice(&invoice));
    }
    let report = verify(&tenant).await?;
    println!("Verified: {} findings.", report.found);
    Ok(())
}

fn call(id: u32, callee: &str, ms: u64, disposition: &str) -> serde_json::Result<CallEnded> {
    serde_json::from_value(serde_json::json!({
        "key": {"source": "pbx", "id": id.to_string()},
        "account": "alice",
        "call": {"start": "2026-10-05T08:00:00Z", "duration_ms": ms, "caller": "12125550100",
                 "callee": callee, "disposition": disposition, "direction": "outbound"},
    }))
}
