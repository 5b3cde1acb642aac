//! One log gives one state: on every store, and wherever the process believes it is.

use std::process::Command;

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};

use billing_core::item::Incoming;

use crate::{
    on_memory, on_postgres, on_sqlite,
    server::Database,
    world::{Span, block_on, items, shuffled, usage},
};

/// Says the hashes in a process of its own.
const CHILD: &str = "BILLING_TEST_SAYS_ITS_HASHES";

/// What makes a process believe that it is somewhere else.
const PLACES: [[(&str, &str); 3]; 2] = [
    [("TZ", "Pacific/Apia"), ("LC_ALL", "tr_TR.UTF-8"), ("PGOPTIONS", "-c timezone=Pacific/Apia")],
    [("TZ", ":/nowhere"), ("LC_ALL", "de_DE.ISO-8859-1"), ("PGOPTIONS", "-c datestyle=german")],
];

/// The same on every machine: what the generator gives from a fixed seed.
fn log() -> Vec<Vec<Incoming>> {
    let mut runner = TestRunner::deterministic();
    let usages = (0..80).map(|id| {
        let usage = usage(Span::Moment).new_tree(&mut runner).unwrap().current();
        items(id, u8::try_from(id % 6).unwrap(), &usage)
    });
    let all: Vec<Incoming> = usages.flatten().collect();
    shuffled(&all, 7)
}

/// The hashes of all stores as one line.
fn hashes() -> String {
    let log = log();
    let memory = block_on(on_memory(&log));
    assert_eq!(block_on(on_sqlite(&log)), memory);
    if let Some(database) = block_on(Database::new("places")) {
        assert_eq!(block_on(on_postgres(&database, &log)), memory);
    }
    format!("{} {}", memory.0, memory.1)
}

#[test]
fn one_log_gives_one_state_on_every_store_in_any_zone_and_locale() {
    let here = hashes();
    if std::env::var_os(CHILD).is_some() {
        println!("hashes: {here}");
        return;
    }
    for place in PLACES {
        let program = std::env::current_exe().unwrap();
        let name = "places::one_log_gives_one_state_on_every_store_in_any_zone_and_locale";
        let mut child = Command::new(program);
        child.args(["--exact", name, "--nocapture"]).env(CHILD, "yes").envs(place);
        let said = child.output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.contains(&format!("hashes: {here}")), "{place:?}: {said}");
    }
}
