//! Which line prices a number at an instant.

use std::collections::BTreeMap;

use billing_core::{
    tariff::{LineSpec, TariffSpec, To},
    time::Instant,
};
use compact_str::CompactString;

use super::clock::{Clock, times};

/// A version of a tariff, and when its windows are open.
pub(super) struct Version {
    pub(super) spec: TariffSpec,
    /// From when on it is in force, in microseconds.
    pub(super) since: i64,
    open: BTreeMap<CompactString, Vec<(i64, i64)>>,
    /// The prefixes of each line as text; `None` for one that prices any number.
    prefixes: Vec<Option<Vec<String>>>,
}

/// A line that may price a number, and by which of its prefixes; `None` for the catch-all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The place of the version among all.
    pub(super) version: usize,
    /// Counted from 0.
    pub(super) line: usize,
    pub(super) prefix: Option<String>,
}

/// Two lines between which nothing that is written decides.
pub(super) struct Undecided;

impl Version {
    pub(super) fn new(spec: TariffSpec, since: i64, from: Instant, until: Instant) -> Self {
        let clock = Clock::of(&spec.zone, from, until);
        let windows = spec.windows.iter();
        let open = windows.map(|(name, window)| (name.clone(), clock.opening(&spec, window)));
        let open = open.collect();
        let prefixes = spec.lines.iter().map(|line| prefixes(&spec, line)).collect();
        Self { spec, since, open, prefixes }
    }

    /// The instants at which another of its lines may be in force, in microseconds.
    pub(super) fn edges(&self) -> Vec<i64> {
        let mut edges = vec![self.since];
        edges.extend(self.open.values().flatten().flat_map(|(from, until)| [*from, *until]));
        for line in &self.spec.lines {
            edges.extend(
                [line.valid_from, line.valid_until].into_iter().flatten().map(Instant::micros),
            );
        }
        edges
    }

    /// The line that wins: of the longest prefix with one in force, else of those for any number.
    pub(super) fn winner(
        &self,
        to: &str,
        from: &str,
        at: i64,
    ) -> Result<Option<(usize, Option<String>)>, Undecided> {
        for length in (1..=to.len()).rev() {
            let prefix = &to[..length];
            if let Some(line) = self.winner_of(Some(prefix), from, at)? {
                return Ok(Some((line, Some(prefix.to_owned()))));
            }
        }
        Ok(self.winner_of(None, from, at)?.map(|line| (line, None)))
    }

    /// The line that wins among those in force for one prefix, or for any number.
    pub(super) fn winner_of(
        &self,
        prefix: Option<&str>,
        from: &str,
        at: i64,
    ) -> Result<Option<usize>, Undecided> {
        let lines = self.spec.lines.iter().enumerate();
        let in_force = lines.filter(|(place, line)| {
            is_for(self.prefixes[*place].as_deref(), prefix)
                && is_from(line, from)
                && self.is_in_force(line, at)
        });
        let mut ranked: Vec<_> = in_force.map(|(place, line)| (self.rank(line), place)).collect();
        ranked.sort_unstable();
        match &*ranked {
            [] => Ok(None),
            [.., (next, _), (best, _)] if next == best => Err(Undecided),
            [.., (_, place)] => Ok(Some(*place)),
        }
    }

    fn is_in_force(&self, line: &LineSpec, at: i64) -> bool {
        let is_open = |name: &CompactString| {
            self.open[name].iter().any(|(from, until)| (*from..*until).contains(&at))
        };
        line.valid_from.is_none_or(|from| from.micros() <= at)
            && line.valid_until.is_none_or(|until| at < until.micros())
            && line.window.as_ref().is_none_or(is_open)
    }

    /// The highest weight, then the longest origin, the latest window, the latest validity, the latest end, the last name.
    fn rank<'l>(
        &self,
        line: &'l LineSpec,
    ) -> (u32, usize, i64, [i64; 2], Option<&'l CompactString>) {
        let origin = line.origin.map_or(0, |origin| origin.len());
        // A line without a window begins before all that have one.
        let begins = line.window.as_ref().map_or(-1, |name| times(&self.spec.windows[name]).0);
        // And one that is valid for ever begins and ends before all that are not.
        let validity = [line.valid_from, line.valid_until];
        let validity = validity.map(|bound| bound.map_or(i64::MIN, Instant::micros));
        (line.weight, origin, begins, validity, line.window.as_ref())
    }
}

/// The prefixes of a line; `None` if it prices any number.
fn prefixes(spec: &TariffSpec, line: &LineSpec) -> Option<Vec<String>> {
    let prefixes = match &line.to {
        To::Any => return None,
        To::Prefixes(prefixes) => prefixes,
        To::Group(name) => &spec.groups[name],
    };
    Some(prefixes.iter().map(ToString::to_string).collect())
}

fn is_for(prefixes: Option<&[String]>, wanted: Option<&str>) -> bool {
    match (prefixes, wanted) {
        (Some(prefixes), Some(wanted)) => prefixes.iter().any(|prefix| prefix == wanted),
        (prefixes, wanted) => prefixes.is_none() && wanted.is_none(),
    }
}

fn is_from(line: &LineSpec, from: &str) -> bool {
    line.origin.is_none_or(|origin| from.starts_with(&origin.to_string()))
}
