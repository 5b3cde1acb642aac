//! What tables of cases have in common: every case holds on both stores, and nothing holds that differs from one.

use std::fmt::Debug;

use crate::kept::{Done, Kept};

pub trait Case: Debug {
    fn name(&self) -> &str;

    /// Whether what was before can be in memory too.
    fn is_for_memory(&self) -> bool {
        true
    }

    /// The case with one thing altered in what must be, in all ways.
    fn falsehoods(&self) -> Vec<Self>
    where
        Self: Sized;

    /// What stands in the way of the case, if anything does.
    async fn check(&self, kept: Kept) -> Done;
}

/// Checks every case, on file and in memory. Answers with how many there were in each place.
pub async fn check_all(cases: &[impl Case]) -> (u32, u32) {
    let (mut on_file, mut in_memory, mut wrong) = (0, 0, Vec::new());
    for case in cases {
        on_file += 1;
        if let Err(error) = case.check(Kept::on_file().await).await {
            wrong.push(format!("{}, in SQLite: {error}", case.name()));
        }
        if case.is_for_memory() {
            in_memory += 1;
            if let Err(error) = case.check(Kept::in_memory()).await {
                wrong.push(format!("{}, in memory: {error}", case.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    (on_file, in_memory)
}

/// Sees to it that no falsehood is taken for true. Answers with how many were told.
pub async fn falsify_all(cases: &[impl Case]) -> u32 {
    let mut falsified = 0;
    for case in cases.iter().filter(|case| case.is_for_memory()) {
        for told in case.falsehoods() {
            let outcome = told.check(Kept::in_memory()).await;
            assert!(outcome.is_err(), "a falsehood was taken for true: {told:?}");
            falsified += 1;
        }
    }
    falsified
}

/// All that differ from a truth in one thing.
pub struct Lies<'a, T> {
    truth: &'a T,
    pub told: Vec<T>,
}

impl<'a, T: Clone + PartialEq> Lies<'a, T> {
    pub const fn of(truth: &'a T) -> Self {
        Self { truth, told: Vec::new() }
    }

    /// The truth with a change in it; a change of nothing is no lie.
    pub fn tell(&mut self, change: impl FnOnce(&mut T)) {
        let mut changed = self.truth.clone();
        change(&mut changed);
        if changed != *self.truth {
            self.told.push(changed);
        }
    }
}
