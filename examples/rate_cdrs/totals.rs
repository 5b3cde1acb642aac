//! What accounts and destinations cost.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    io::{self, BufWriter, Write},
};

use billing::{
    core::{
        id::AccountId,
        money::{Amount, Currency},
        tariff::{RateError, Tariff},
    },
    formats::csv::BadRow,
};
use foldhash::fast::RandomState;

use super::{
    Done,
    batch::{Call, Price},
};

/// Sums in whole units of the last decimal, so that adding is exact and cheap.
#[derive(Clone, Copy, Default)]
struct Total {
    calls: u64,
    billed_ms: u64,
    units: i128,
}

pub struct Totals<'t> {
    tariff: &'t Tariff,
    decimals: u32,
    calls: u64,
    unanswered: u64,
    accounts: HashMap<AccountId, Total, RandomState>,
    /// The calls of which the file does not tell whose they are.
    nobody: Total,
    /// By the place of the destination in the tariff.
    destinations: Vec<Total>,
    /// Calls without a price, and lines that are no call, by what is wrong; with the first of each.
    problems: BTreeMap<String, (u64, String)>,
}

impl<'t> Totals<'t> {
    pub fn new(tariff: &'t Tariff, decimals: u32) -> Self {
        Self {
            tariff,
            decimals,
            calls: 0,
            unanswered: 0,
            accounts: HashMap::default(),
            nobody: Total::default(),
            destinations: vec![Total::default(); tariff.destinations().len()],
            problems: BTreeMap::new(),
        }
    }

    pub const fn calls(&self) -> u64 {
        self.calls
    }

    pub fn add(&mut self, call: &Call<'_>, price: Price<'_>) -> Done {
        self.calls += 1;
        let rated = match price {
            Ok(None) => {
                self.unanswered += 1;
                return Ok(());
            }
            Ok(Some(rated)) => rated,
            Err(error) => {
                self.problem(kind_of(&error), || format!("the call of {}, {error}", call.start));
                return Ok(());
            }
        };
        let units = rated.units();
        let billed_ms = rated.billed_ms();
        match self.accounts.get_mut(call.account) {
            Some(total) => total.add(billed_ms, units)?,
            None if call.account.is_empty() => self.nobody.add(billed_ms, units)?,
            None => {
                let account = AccountId::try_new(call.account)?;
                self.accounts.entry(account).or_default().add(billed_ms, units)?;
            }
        }
        self.destinations[rated.destination_place()].add(billed_ms, units)
    }

    pub fn refuse(&mut self, bad: &BadRow) {
        self.calls += 1;
        self.problem("a line that is no call".to_owned(), || bad.to_string());
    }

    fn problem(&mut self, kind: String, first: impl FnOnce() -> String) {
        let (count, _) = self.problems.entry(kind).or_insert_with(|| (0, first()));
        *count += 1;
    }

    pub fn print(&self, out: &mut impl Write, currency: Currency, top: usize) -> io::Result<()> {
        let destinations = self.tariff.destinations().iter().zip(&self.destinations);
        let destinations = destinations.filter(|(_, total)| total.calls > 0);
        let destinations = destinations.map(|(name, total)| (name.as_str(), *total)).collect();
        self.table(out, "destination", destinations, top)?;
        let accounts = self.accounts.iter().map(|(name, total)| (name.as_str(), *total));
        let nobody = Some(("(no account)", self.nobody)).filter(|(_, total)| total.calls > 0);
        let accounts = accounts.chain(nobody);
        self.table(out, "account", accounts.collect(), top)?;
        let mut all = Total::default();
        self.destinations.iter().try_for_each(|total| all.join(total))?;
        writeln!(
            out,
            "\n{} calls rated: {} {currency}, {} s billed; {} not answered",
            all.calls,
            self.amount(&all),
            all.billed_ms / 1_000,
            self.unanswered,
        )?;
        for (kind, (count, first)) in &self.problems {
            writeln!(out, "{count} × {kind}; the first: {first}")?;
        }
        Ok(())
    }

    fn table(
        &self,
        out: &mut impl Write,
        what: &str,
        mut rows: Vec<(&str, Total)>,
        top: usize,
    ) -> io::Result<()> {
        rows.sort_by(|(a, one), (b, two)| two.units.cmp(&one.units).then(a.cmp(b)));
        writeln!(out, "\n{what:<28} {:>10} {:>14} {:>18}", "calls", "billed s", "amount")?;
        for (name, total) in rows.iter().take(top) {
            let (calls, billed) = (total.calls, total.billed_ms / 1_000);
            writeln!(out, "{name:<28} {calls:>10} {billed:>14} {:>18}", self.amount(total))?;
        }
        if rows.len() > top {
            writeln!(out, "... and {} more", rows.len() - top)?;
        }
        Ok(())
    }

    /// `account,total` for every account, in the order of their bytes, after that of calls without one.
    pub fn write(&self, to: impl Write) -> io::Result<()> {
        let mut to = BufWriter::new(to);
        let mut rows: Vec<_> = self.accounts.iter().collect();
        rows.sort_by_key(|(account, _)| account.as_str());
        writeln!(to, "account,total")?;
        if self.nobody.calls > 0 {
            writeln!(to, ",{}", self.amount(&self.nobody))?;
        }
        for (account, total) in rows {
            writeln!(to, "{},{}", quoted(account.as_str()), self.amount(total))?;
        }
        to.flush()
    }

    fn amount(&self, total: &Total) -> String {
        match Amount::from_units(total.units, self.decimals) {
            Ok(amount) => amount.to_fixed(self.decimals),
            Err(error) => error.to_string(),
        }
    }
}

impl Total {
    fn add(&mut self, billed_ms: u64, units: i128) -> Done {
        let too_large = || "a total is too large";
        self.calls += 1;
        self.billed_ms = self.billed_ms.checked_add(billed_ms).ok_or_else(too_large)?;
        self.units = self.units.checked_add(units).ok_or_else(too_large)?;
        Ok(())
    }

    fn join(&mut self, other: &Self) -> io::Result<()> {
        let too_large = || io::Error::other("a total is too large");
        self.calls += other.calls;
        self.billed_ms = self.billed_ms.checked_add(other.billed_ms).ok_or_else(too_large)?;
        self.units = self.units.checked_add(other.units).ok_or_else(too_large)?;
        Ok(())
    }
}

/// A column as RFC 4180 has it.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

/// What is wrong, without the instant and the line.
fn kind_of(error: &RateError) -> String {
    match error {
        RateError::NoLine { .. } => "a destination that the tariff does not have".to_owned(),
        RateError::Blocked { .. } => "a destination that is blocked".to_owned(),
        other => other.to_string(),
    }
}
