//! Strategies of one's own, made of two functions.

use std::sync::Arc;

use billing_core::{
    id::{Group, StrategyId},
    item::Item,
    money::Quantity,
    plan::{Arrival, Bill, PlanBook, Priced, Problem, Strategy, StretchFacts},
    usage::{Scope, Totals},
};

use super::{read, settings, strategy, world::World};

/// How a strategy of one's own prices an item.
pub(crate) type OnArrival = fn(&Arrival<'_>) -> Result<Priced, Problem>;

/// How a strategy of one's own settles a stretch.
pub(crate) type Settle = fn(&StretchFacts, &mut Bill) -> Result<(), Problem>;

/// A strategy of one's own, made of two functions.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    id: StrategyId,
    scope: Scope,
    on_arrival: OnArrival,
    settle: Settle,
}

impl Strategy for Own {
    fn id(&self) -> &StrategyId {
        &self.id
    }

    fn group(&self, item: &Item) -> Option<Group> {
        let Item::Call(call) = item else { return None };
        Some(read(call.direction.name()))
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        (self.on_arrival)(arrival)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        (self.settle)(facts, bill)
    }
}

/// The built-in kinds and a kind `own`.
pub(crate) fn book(scope: Scope, on_arrival: OnArrival, settle: Settle) -> PlanBook {
    PlanBook::standard().with_kind("own", move |spec| {
        Ok(Arc::new(Own { id: spec.id.clone(), scope, on_arrival, settle }))
    })
}

/// `alice` under a strategy of one's own that counts milliseconds.
pub(crate) fn own(scope: Scope, settle: Settle) -> World {
    let book = book(scope, counted, settle);
    World::with_book(book, &settings("alice", ""), &[strategy("own", "{}")])
}

/// Counts milliseconds, as the built-in kinds do.
pub(crate) fn counted(arrival: &Arrival<'_>) -> Result<Priced, Problem> {
    let Item::Call(call) = arrival.item() else { return Err(Problem("not a call".into())) };
    let quantity = Quantity::from_u64(call.charged_ms())?;
    Ok(Priced::new(read("ms"), Totals { count: 1, quantity, amount: None }))
}
