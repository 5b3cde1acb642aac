//! What a new price list changes: line by line, and for a month of calls.
//!
//! ```sh
//! cargo run --example what_if
//! cargo run --example what_if -- --help
//! ```

use std::{
    collections::BTreeSet,
    error::Error,
    fmt::Write as _,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use serde::Deserialize;

use billing::{
    AccountId, Amount, Call, Item, ItemKey,
    core::{
        item::{Direction, Incoming},
        money::Rounding,
        number::Prefix,
        tariff::{
            Change, Effect, Impact, LineDiff, Part, Percents, PriceDiff, Rater, Tariff, TariffDiff,
            TariffSpec, Usage, WhatIf, WhatIfFound,
        },
    },
    formats::{accounts::AccountMap, asterisk},
};

const PRESENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/tariffs/retail-1.json");
const DRAFT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/tariffs/retail-2.json");
const CALLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/master.csv");
const SETUP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/setup.json");

const ABOUT: &str = "Shows what a draft of a tariff changes, before it is in force.

First line by line: what is new, gone or dearer, and which line prices the numbers of one that
is gone. Then for calls that were made: a call file is rated under both tariffs, and the
difference is summed by destination and by account. Calls that lose or gain a price are
counted apart. Nothing is stored.";

const MORE: &str = "Examples:
  cargo run --example what_if                                  the sample month under retail version 2
  cargo run --example what_if -- --accounts 50                 all of its accounts
  cargo run --example what_if -- --json                        the same for a program
  cargo run --example what_if -- --present old.json --draft new.json --calls Master.csv --setup setup.json

A tariff is JSON; the samples are examples/data/tariffs/retail-1.json and retail-2.json. Of the
setup only what the call file does not say about itself and who pays a call are read:
examples/data/setup.json";

#[derive(Debug, Parser)]
#[command(about = "Shows what a new price list changes", long_about = ABOUT, after_help = MORE)]
pub struct Options {
    /// The tariff in force [default: examples/data/tariffs/retail-1.json]
    #[arg(long, value_name = "FILE", default_value = PRESENT, hide_default_value = true)]
    present: PathBuf,
    /// The tariff that is to be [default: examples/data/tariffs/retail-2.json]
    #[arg(long, value_name = "FILE", default_value = DRAFT, hide_default_value = true)]
    draft: PathBuf,
    /// The calls, as Asterisk writes them to Master.csv [default: examples/data/master.csv]
    #[arg(long, value_name = "FILE", default_value = CALLS, hide_default_value = true)]
    calls: PathBuf,
    /// Who pays what [default: examples/data/setup.json]
    #[arg(long, value_name = "FILE", default_value = SETUP, hide_default_value = true)]
    setup: PathBuf,
    /// How many accounts to show, those with the largest difference first
    #[arg(long, value_name = "COUNT", default_value = "10")]
    accounts: usize,
    /// Print both parts as one JSON document, with every account
    #[arg(long)]
    json: bool,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match report(&Options::parse()) {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("what_if: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The story: compare the documents, then rate the history under both.
pub fn report(options: &Options) -> Result<String> {
    let (present, draft) = (read::<TariffSpec>(&options.present)?, read(&options.draft)?);
    let diff = present.diff(&draft, Percents { decimals: 1, rounding: Rounding::HalfUp })?;
    let history = History::read(options, &present, &draft)?;
    if options.json {
        let both = serde_json::json!({ "lines": diff, "calls": history.found });
        return Ok(format!("{both:#}\n"));
    }
    let mut page = String::new();
    lines(&mut page, &diff)?;
    totals(&mut page, &history, draft.currency.code())?;
    destinations(&mut page, &history.found)?;
    accounts(&mut page, &history.found, options.accounts)?;
    Ok(page)
}

/// What a file says besides the calls.
#[derive(Deserialize)]
struct Setup {
    asterisk: asterisk::Options,
    account_map: AccountMap,
}

/// A file of calls under both tariffs.
struct History {
    found: WhatIfFound,
    rated: u64,
    left_out: u64,
}

/// A call that somebody pays, once answered.
fn made(entry: Incoming) -> Option<(ItemKey, AccountId, Call)> {
    match (entry.account, entry.item) {
        (Some(account), Item::Call(call))
            if call.direction == Direction::Outbound && call.charged_ms() > 0 =>
        {
            Some((entry.key, account, call))
        }
        _ => None,
    }
}

impl History {
    /// Reads the file line by line. The trial itself keeps no calls; their keys are kept here because a file may repeat one.
    fn read(options: &Options, present: &TariffSpec, draft: &TariffSpec) -> Result<Self> {
        let (present, draft) = (Tariff::compile(present)?, Tariff::compile(draft)?);
        let (present, draft) = (Rater::Version(&present), Rater::Version(&draft));
        let Setup { asterisk: source, account_map } = read(&options.setup)?;
        let file = File::open(&options.calls).map_err(|error| in_file(&options.calls, &error))?;
        let (mut what_if, mut known) = (WhatIf::new(draft), BTreeSet::new());
        let (mut rated, mut left_out) = (0, 0);
        for row in asterisk::Reader::new(BufReader::new(file), &source) {
            let entry = asterisk::entry(row?, &source, &account_map).ok();
            let call = entry.and_then(made).filter(|(key, ..)| known.insert(key.clone()));
            let Some((_, account, call)) = call else {
                left_out += 1;
                continue;
            };
            let usage = match call.callee.number() {
                Some(callee) => Usage::call(&callee, call.start, call.charged_ms()),
                None => Usage::call_to_nobody(call.start, call.charged_ms()),
            };
            what_if.push_under(&present, &account, &usage)?;
            rated += 1;
        }
        Ok(Self { found: what_if.finish(), rated, left_out })
    }
}

/// What changes line by line.
fn lines(page: &mut String, diff: &TariffDiff<'_>) -> Result<()> {
    let (old, new) = (diff.old, diff.new);
    let title = format!("{} version {} after version {}", new.tariff, new.version, old.version);
    heading(page, &title);
    let sum = diff.summary;
    writeln!(
        page,
        "{} lines unchanged, {} changed, {} added, {} removed",
        sum.unchanged, sum.changed, sum.added, sum.removed
    )?;
    writeln!(
        page,
        "{} cost more, {} less, {} both; {} lose their price, {} gain one",
        sum.increase, sum.decrease, sum.mixed, sum.lost, sum.gained
    )?;
    if !diff.rules.is_empty() {
        writeln!(page, "\nRules that stand in no line:")?;
    }
    for rule in &diff.rules {
        writeln!(page, "{}: {} -> {}", rule.rule, rule.old, rule.new)?;
    }
    writeln!(page, "\n{:<7} {:<16} {:<8} what", "prefix", "destination", "line")?;
    diff.lines.iter().try_for_each(|line| one_line(page, line))
}

fn one_line(page: &mut String, line: &LineDiff<'_>) -> Result<()> {
    let (change, own, other) = match line.change {
        Change::Added => ("added", line.new, line.old),
        Change::Removed => ("removed", line.old, line.new),
        Change::Changed => ("changed", line.new, None),
    };
    let destination = own.map_or("", |at| at.line.destination.as_str());
    let mut what: Vec<String> = line.prices().iter().map(price).collect();
    let others = line.parts().into_iter().filter_map(|part| match part {
        Part::Price | Part::Bands | Part::Blocked => None,
        // The lines of two prefixes have names and weights of their own.
        Part::Destination | Part::Weight if line.change != Change::Changed => None,
        Part::Destination => Some("name"),
        Part::Increments => Some("increments"),
        Part::ConnectFee => Some("connect fee"),
        Part::Minimum => Some("minimum"),
        Part::Maximum => Some("maximum"),
        Part::Grace => Some("grace"),
        Part::Weight => Some("weight"),
        _ => Some("other terms"),
    });
    what.extend(others.map(str::to_owned));
    match (line.change, line.effect()) {
        (_, Effect::Lost) => what.push("no price any more".to_owned()),
        (_, Effect::Gained) => what.push("had no price".to_owned()),
        _ => {}
    }
    if let Some(other) = other {
        let (verb, name) = match line.change {
            Change::Added => ("takes over from", &other.line.destination),
            Change::Removed | Change::Changed => ("priced by", &other.line.destination),
        };
        what.push(format!("{verb} {} {name}", prefix(other.prefix)));
    }
    let own = prefix(line.prefix);
    writeln!(page, "{own:<7} {destination:<16} {change:<8} {}", what.join("; "))?;
    Ok(())
}

/// Both prices for the same unit, and by how much they differ.
fn price(price: &PriceDiff) -> String {
    let text = |it: &Option<_>| it.as_ref().map_or("none".to_owned(), ToString::to_string);
    let PriceDiff { from, per, old, new, .. } = price;
    let from = if from.is_zero() { String::new() } else { format!("from {from} s: ") };
    let both = match old == new {
        true => text(old),
        false => format!("{} -> {}", text(old), text(new)),
    };
    let percent = price.percent.filter(|percent| !percent.is_zero());
    let sign = if percent.is_some_and(Amount::is_negative) { "" } else { "+" };
    let percent = percent.map_or_else(String::new, |it| format!(" ({sign}{it} %)"));
    format!("{from}{both} for {per} s{percent}")
}

/// What the history would have cost.
fn totals(page: &mut String, history: &History, currency: &str) -> Result<()> {
    let total = &history.found.total;
    heading(page, "The calls of the file under both");
    writeln!(
        page,
        "{:>7} were made by accounts and answered; {} other lines are left out",
        history.rated, history.left_out
    )?;
    writeln!(
        page,
        "{:>7} have a price in both: {} at present, {} then, {} {currency}",
        total.both.calls,
        total.both.old,
        total.both.new,
        signed(total.both.difference()?)
    )?;
    writeln!(page, "{:>7} of these are dearer, {} cheaper", total.dearer, total.cheaper)?;
    writeln!(page, "{:>7} lose their price: {} {currency}", total.lost.calls, total.lost.old)?;
    writeln!(page, "{:>7} gain one: {} {currency}", total.gained.calls, total.gained.new)?;
    writeln!(page, "{:>7} have none in either", total.unpriced)?;
    Ok(())
}

fn destinations(page: &mut String, found: &WhatIfFound) -> Result<()> {
    heading(page, "By destination");
    let name = |name: &Option<billing::core::id::Group>| {
        name.as_ref().map_or_else(|| "no price".to_owned(), ToString::to_string)
    };
    writeln!(page, "{:<16} {:<16}{COLUMNS}", "at present", "in the draft")?;
    for of in &found.destinations {
        let (old, new) = (name(&of.old), name(&of.new));
        writeln!(page, "{old:<16} {new:<16}{}", columns(&of.impact)?)?;
    }
    Ok(())
}

fn accounts(page: &mut String, found: &WhatIfFound, shown: usize) -> Result<()> {
    let mut by_difference = Vec::new();
    for of in &found.accounts {
        by_difference.push((of.impact.both.difference()?.abs(), of));
    }
    // The accounts are in the order of their ids, and of equal differences stay so.
    by_difference.sort_by_key(|(difference, _)| core::cmp::Reverse(*difference));
    let accounts = by_difference.len();
    heading(page, &format!("By account, {} of {accounts}", shown.min(accounts)));
    writeln!(page, "{:<33}{COLUMNS}", "account")?;
    for (_, of) in by_difference.into_iter().take(shown) {
        writeln!(page, "{:<33}{}", of.account, columns(&of.impact)?)?;
    }
    Ok(())
}

const COLUMNS: &str = "   calls  at present        then  difference   lost  gained";

fn columns(impact: &Impact) -> Result<String> {
    let Impact { both, lost, gained, .. } = impact;
    let difference = signed(both.difference()?);
    let (old, new) = (both.old.to_fixed(4), both.new.to_fixed(4));
    let (calls, lost, gained) = (both.calls, lost.calls, gained.calls);
    Ok(format!("{calls:>8} {old:>11} {new:>11} {difference:>11} {lost:>6} {gained:>7}"))
}

fn signed(amount: Amount) -> String {
    let sign = if amount.is_negative() { "" } else { "+" };
    format!("{sign}{}", amount.to_fixed(4))
}

fn prefix(prefix: Option<Prefix>) -> String {
    prefix.map_or_else(|| "any".to_owned(), |prefix| prefix.to_string())
}

fn heading(page: &mut String, title: &str) {
    let gap = if page.is_empty() { "" } else { "\n" };
    *page += &format!("{gap}{title}\n{}\n", "-".repeat(title.len()));
}

fn read<T: for<'de> Deserialize<'de>>(file: &Path) -> Result<T> {
    let json = fs::read_to_string(file).map_err(|error| in_file(file, &error))?;
    serde_json::from_str(&json).map_err(|error| in_file(file, &error))
}

fn in_file(file: &Path, error: &dyn Error) -> Box<dyn Error> {
    format!("{}: {error}", file.display()).into()
}
