//! What holds for all items, plans, zones and orders of arrival.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::arithmetic_side_effects, reason = "the oracles compute far below their bounds")]

mod arrivals;
mod bills;
mod cases;
mod checks;
mod handovers;
mod life;
mod lives;
mod partials;
mod plan_changes;
mod prepaid;
mod pulses;
mod recurring;

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use proptest::prelude::ProptestConfig;

/// How many random cases each law is held against; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    with_cases(96)
}

/// The same for a law over whole lives, of which each takes longer.
fn of_lives() -> ProptestConfig {
    with_cases(32)
}

fn with_cases(unless_asked: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(unless_asked), ..ProptestConfig::default() }
}
