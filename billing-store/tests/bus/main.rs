//! Whatever a bus delivers, how often, in which order and to whom: the state is that of one clean run.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    reason = "a test may panic, and its chance is no money"
)]

mod failing;
#[path = "../folder/mod.rs"]
mod folder;
mod in_process;
mod nats;
#[path = "../server/mod.rs"]
mod server;
#[path = "../services/mod.rs"]
mod services;
mod world;

/// How many logs are delivered in process, as `BILLING_BUS_RUNS` sets it; what costs more is done with a part of them.
fn runs() -> u64 {
    let runs = std::env::var("BILLING_BUS_RUNS").ok();
    runs.map_or(20, |runs| runs.parse().expect("BILLING_BUS_RUNS is a number"))
}

/// What chance begins with: `BILLING_BUS_SEED`, so that a run can be repeated.
fn first_seed() -> u64 {
    let seed = std::env::var("BILLING_BUS_SEED").ok();
    seed.map_or(1, |seed| seed.parse().expect("BILLING_BUS_SEED is a number"))
}
