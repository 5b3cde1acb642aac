//! Many usages at once, on one core or on all.

use alloc::vec::Vec;

use crate::tariff::{RateError, Rated, Rater, Usage};

impl<'t> Rater<'t> {
    /// What each of many usages costs: adds one result for each to `results`, in their order.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Rater, Tariff, Usage};
    ///
    /// # let spec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.006","per":"60","increment":"6"}]}]}"#,
    /// # )?;
    /// let retail = Tariff::compile(&spec)?; // 0.006 a minute to +49
    /// let at = "2026-10-05T08:00:00Z".parse()?;
    /// let calls = ["+4930123456", "+3312345678"].map(|to| Ok(Usage::call(&to.parse()?, at, 60_000)));
    /// # let calls: Vec<Usage> = calls.into_iter().collect::<Result<_, billing_core::number::InvalidNumber>>()?;
    /// let mut results = Vec::new();
    /// Rater::Version(&retail).rate_batch(&calls, &mut results);
    /// assert!(results[0].is_ok() && results[1].is_err());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn rate_batch(&self, usages: &[Usage], results: &mut Vec<Result<Rated<'t>, RateError>>) {
        results.reserve(usages.len());
        match self {
            Self::Version(tariff) => tariff.rate_all(usages, |rated| results.push(rated)),
            Self::InForce(..) => results.extend(usages.iter().map(|usage| self.rate(usage))),
        }
    }
}

#[cfg(feature = "parallel")]
mod parallel {
    use std::{num::NonZero, panic, thread, vec::Vec};

    use crate::tariff::{RateError, Rated, Rater, Usage};

    /// Fewer usages are not worth a thread of their own: it takes as long to begin as some hundreds take to rate.
    const SHARE_MIN: usize = 2_048;

    impl<'t> Rater<'t> {
        /// The same as [`rate_batch`](Self::rate_batch), shared out over all cores.
        ///
        /// Begins threads for the time of the call, one for at least 2,048 usages each, and none where the system has no more to give.
        ///
        /// # Panics
        ///
        /// If rating does, which it never should.
        ///
        /// # Examples
        ///
        /// See [`rate_batch`](Self::rate_batch).
        pub fn rate_batch_parallel(
            &self,
            usages: &[Usage],
            results: &mut Vec<Result<Rated<'t>, RateError>>,
        ) {
            let cores = thread::available_parallelism().map_or(1, NonZero::get);
            let share = usages.len().div_ceil(cores).max(SHARE_MIN);
            thread::scope(|scope| {
                let mut shares = usages.chunks(share);
                let Some(mine) = shares.next() else { return };
                let rated = move |usages: &[Usage]| {
                    let mut results = Vec::with_capacity(usages.len());
                    self.rate_batch(usages, &mut results);
                    results
                };
                let begun = shares.map(|share| {
                    let thread = thread::Builder::new().spawn_scoped(scope, move || rated(share));
                    (share, thread)
                });
                let begun: Vec<_> = begun.collect();
                results.reserve(usages.len());
                self.rate_batch(mine, results);
                for (share, thread) in begun {
                    match thread.map(thread::ScopedJoinHandle::join) {
                        Ok(Ok(rated)) => results.extend(rated),
                        Ok(Err(panicked)) => panic::resume_unwind(panicked),
                        // No thread was to be had.
                        Err(_) => self.rate_batch(share, results),
                    }
                }
            });
        }
    }
}
