//! What a call costs under a tariff, and why: the price tester's view of one call.
//!
//! ```sh
//! cargo run --example explain_call
//! cargo run --example explain_call -- --help
//! ```

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;

use billing::{
    Instant,
    core::{
        money::{Price, Rounding},
        number::{PhoneNumber, Prefix},
        tariff::{ExchangeRate, Explanation, Quote, Rater, Tariff, TariffSpec, Usage, Why},
    },
};

const TARIFF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/tariffs/retail-1.json");
const SUPPLIER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/tariffs/wholesale.json");

const ABOUT: &str = "Shows what a call costs under a tariff, and why.

It prints the price and the parts it is made of, the lines that might have priced the call
with the reason why each won or lost, a quote for other lengths, and what is left after the
supplier's share. All four come from the same function, so they cannot disagree.";

const MORE: &str = "Examples:
  cargo run --example explain_call                               5 minutes to Berlin, into the evening
  cargo run --example explain_call -- +442079460123              London, at the same time
  cargo run --example explain_call -- --at 2026-10-12T14:00:00Z  on a holiday
  cargo run --example explain_call -- +4915112345678             sold at a loss
  cargo run --example explain_call -- +19005550100               a blocked destination
  cargo run --example explain_call -- --seconds 3600 +498912345  over two bands

A tariff is JSON: lines with prefixes and prices, in bands and windows. The sample is the best
description: examples/data/tariffs/retail-1.json; the rules are in docs/rating.md";

#[derive(Debug, Parser)]
#[command(about = "Shows what a call costs, and why", long_about = ABOUT, after_help = MORE)]
pub struct Options {
    /// Who is called: digits with their country code
    #[arg(value_name = "NUMBER", default_value = "+493012345678")]
    number: PhoneNumber,
    /// When the call is answered, with the offset or a Z for UTC
    #[arg(long, value_name = "TIME", default_value = "2026-10-05T21:58:30Z")]
    at: Instant,
    /// How long it lasts
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    seconds: u32,
    /// Who calls, for lines that ask for an origin
    #[arg(long, value_name = "NUMBER")]
    from: Option<PhoneNumber>,
    /// The customer's tariff [default: examples/data/tariffs/retail-1.json]
    #[arg(long, value_name = "FILE", default_value = TARIFF, hide_default_value = true)]
    tariff: PathBuf,
    /// The supplier's tariff [default: examples/data/tariffs/wholesale.json]
    #[arg(long, value_name = "FILE", default_value = SUPPLIER, hide_default_value = true)]
    supplier: PathBuf,
    /// What one unit of the supplier's currency is in the customer's
    #[arg(long, value_name = "RATE", default_value = "1.08")]
    exchange: Price,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match report(&Options::parse()) {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("explain_call: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The story: compile, explain, quote, and look at the other side of the call.
pub fn report(options: &Options) -> Result<String> {
    let spec = read(&options.tariff)?;
    let tariff = Tariff::compile(&spec)?;
    let usage = Usage::call(&options.number, options.at, u64::from(options.seconds) * 1_000);
    let usage = options.from.map_or(usage, |caller| usage.from(&caller));
    let mut page = String::new();

    heading(&mut page, "The call");
    writeln!(page, "{:<10} {}", "to", options.number)?;
    writeln!(page, "{:<10} {}, {} s", "answered", options.at, options.seconds)?;
    writeln!(
        page,
        "{:<10} {} version {}, windows in {}",
        "tariff", spec.id, spec.version, spec.zone
    )?;

    match tariff.explain(&usage) {
        Ok(explanation) => {
            price(&mut page, &spec, &explanation)?;
            lines(&mut page, &spec, &explanation)?;
        }
        // A price that is not there is an error, and never zero.
        Err(error) => {
            heading(&mut page, "No price");
            writeln!(page, "{error}")?;
            return Ok(page);
        }
    }
    let minutes = [1, 2, 5, 10, 60_u64];
    let quote = Rater::Version(&tariff).quote(&usage, &minutes.map(|minutes| minutes * 60_000))?;
    offer(&mut page, &spec, &quote)?;
    margin(&mut page, options, &tariff, &usage)?;
    Ok(page)
}

/// What it costs, segment by segment.
fn price(page: &mut String, spec: &TariffSpec, explanation: &Explanation) -> Result<()> {
    heading(page, "What it costs");
    writeln!(
        page,
        "{:<19} {:>4}  {:<16} {:>8} {:>8} {:>7} {:>10}",
        "local time", "line", "destination", "used", "billed", "steps", "cost"
    )?;
    for piece in &explanation.pieces {
        let seconds = |ms: u64| spec.measure.quantity(ms).map(|it| format!("{it} s"));
        let (used, billed) = (seconds(piece.used)?, seconds(piece.billed)?);
        let (at, line, destination) = (local(spec, piece.at), piece.line, &piece.destination);
        let increment = seconds(piece.increment)?;
        let cost = piece.cost.to_string();
        writeln!(
            page,
            "{at:<19} {line:>4}  {destination:<16} {used:>8} {billed:>8} {increment:>7} {cost:>10}"
        )?;
    }
    let sum =
        |page: &mut String, what: &str, amount: &str| writeln!(page, "{what:<67} {amount:>10}");
    if !explanation.connect_fee.is_zero() {
        sum(page, "for being connected", &explanation.connect_fee.to_string())?;
    }
    sum(page, "exactly, with minimum and maximum", &explanation.exact.to_string())?;
    let rule = serde_json::to_value(spec.rounding)?;
    let rule = rule.as_str().unwrap_or_default();
    let rounded = format!("rounded once, {rule} to {} decimals, {}", spec.decimals, spec.currency);
    sum(page, &rounded, &explanation.amount.to_fixed(spec.decimals.into()))?;
    Ok(())
}

/// The lines that were looked at, best first.
fn lines(page: &mut String, spec: &TariffSpec, explanation: &Explanation) -> Result<()> {
    heading(page, "Lines that might have priced its start");
    for candidate in &explanation.candidates {
        let why = match candidate.why {
            Why::Won => "won",
            Why::ShorterPrefix => "lost: a longer prefix has a line in force",
            Why::Outranked => "lost: another line of the prefix ranks above it",
            Why::OtherOrigin => "lost: it is for callers from elsewhere",
            Why::NotValid => "lost: it is not valid at the time",
            Why::WindowClosed => "lost: its window is closed at the time",
            _ => "lost",
        };
        let line = spec.line(candidate.line);
        let destination = line.map_or("", |line| line.destination.as_str());
        let prefix = prefix(candidate.prefix);
        writeln!(page, "{:>4}  {prefix:<6} {destination:<16} {why}", candidate.line)?;
    }
    Ok(())
}

/// What other lengths would cost, and how long that holds.
fn offer(page: &mut String, spec: &TariffSpec, quote: &Quote) -> Result<()> {
    heading(page, "A quote for the same start");
    let window = spec.line(quote.line).and_then(|line| line.window.as_deref());
    let window = window.map_or_else(String::new, |window| format!(", window {window}"));
    writeln!(page, "line {}, {}{window}", quote.line, quote.destination)?;
    for band in &quote.bands {
        let (from, price, per) = (band.from, band.price, band.per);
        let first = quote.first.filter(|_| from.is_zero()).unwrap_or(band.increment);
        let steps = format!("in steps of {first} and {} s", band.increment);
        writeln!(page, "from {from} s on {price} for {per} s, {steps}")?;
    }
    match quote.until {
        Some(until) => writeln!(page, "until {}", local(spec, until))?,
        None => writeln!(page, "for the next year")?,
    }
    for cost in &quote.costs {
        match cost {
            Ok(cost) => {
                let amount = cost.amount.to_fixed(spec.decimals.into());
                writeln!(page, "{:>8} s {amount:>10} {}", cost.usage.to_string(), quote.currency)?;
            }
            Err(error) => writeln!(page, "  {error}")?,
        }
    }
    Ok(())
}

/// What the supplier takes of it.
fn margin(page: &mut String, options: &Options, tariff: &Tariff, usage: &Usage) -> Result<()> {
    let supplier = Tariff::compile(&read(&options.supplier)?)?;
    let exchange = ExchangeRate {
        from: supplier.currency(),
        to: tariff.currency(),
        rate: options.exchange,
        decimals: 6,
        rounding: Rounding::HalfUp,
    };
    heading(page, "What is left of it");
    match Rater::Version(tariff).margin(&Rater::Version(&supplier), usage, Some(&exchange)) {
        Ok(margin) => {
            let (sold, bought) = (margin.sold.destination(), margin.bought.destination());
            writeln!(page, "{:<8} {:>16}  {sold}", "price", margin.price.to_string())?;
            writeln!(page, "{:<8} {:>16}  {bought}", "cost", margin.cost.to_string())?;
            let loss = if margin.loss { "  sold at a loss" } else { "" };
            writeln!(page, "{:<8} {:>16}{loss}", "margin", margin.margin.to_string())?;
        }
        Err(error) => {
            let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
            writeln!(page, "{error}{cause}")?;
        }
    }
    Ok(())
}

/// What the clocks show where the tariff's windows are.
fn local(spec: &TariffSpec, at: Instant) -> String {
    let local = spec.zone.local(at);
    let second = local.second_of_day;
    format!("{} {:02}:{:02}:{:02}", local.day, second / 3_600, second / 60 % 60, second % 60)
}

fn prefix(prefix: Option<Prefix>) -> String {
    prefix.map_or_else(|| "any".to_owned(), |prefix| prefix.to_string())
}

fn heading(page: &mut String, title: &str) {
    let gap = if page.is_empty() { "" } else { "\n" };
    *page += &format!("{gap}{title}\n{}\n", "-".repeat(title.len()));
}

fn read(file: &Path) -> Result<TariffSpec> {
    let in_file = |error: &dyn Error| format!("{}: {error}", file.display());
    let json = fs::read_to_string(file).map_err(|error| in_file(&error))?;
    Ok(serde_json::from_str(&json).map_err(|error| in_file(&error))?)
}
