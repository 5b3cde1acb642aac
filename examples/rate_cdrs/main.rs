//! Rates a file of call records by a price list, without a database.
//!
//! ```sh
//! cargo run --release --example rate_cdrs
//! cargo run --release --example rate_cdrs -- --help
//! ```

mod batch;
#[path = "../common/causes.rs"]
mod causes;
mod prices;
mod rated;
mod totals;

use std::{
    error::Error,
    fs::File,
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clap::Parser;
use indicatif::{ProgressBar, ProgressBarIter, ProgressStyle};

use billing::formats::{
    accounts::AccountMap,
    csv::{CallRows, Mapping},
    deck::Counts,
};

use self::{batch::Batch, causes::with_causes, prices::Prices, rated::RatedFile, totals::Totals};

type Done<T = ()> = Result<T, Box<dyn Error>>;

const ABOUT: &str = "Rates a file of call records by a price list, without a database

Reads a tariff (a JSON document, or a deck: the CSV price list of a carrier, with a mapping that says
what its columns mean) and a CSV file of calls with its mapping. Prints what each destination and the
largest accounts cost, and what could not be rated and why. Memory does not grow with the calls.";

const MORE: &str = r#"Without options it rates the sample calls of this repository by its sample price list.

A mapping says where the parts of a call stand; `examples/data/calls.mapping.json`:
  {"source": "switch", "zone": "UTC",
   "records": {"calls": {"id": "call_id", "account": "account", "start": "started_at",
     "duration": {"milliseconds": "duration_ms"}, "caller": "caller", "callee": "callee",
     "disposition": {"listed": {"column": "disposition", "values": {"ANSWERED": "answered",
       "NO ANSWER": "no_answer", "BUSY": "busy", "FAILED": "failed"}}}}}}

Numbers in national form are read with a "dial_plan" in the mapping. A callee that is no number has the
price of the catch-all line, if there is one.

Every line of the calls is answered for: rated (an unanswered call costs nothing), without a price, or
refused. --rated writes one JSON document for each; --totals writes account,total as CSV."#;

#[derive(Debug, Parser)]
#[command(about = "Rates a file of call records by a price list", long_about = ABOUT, after_help = MORE)]
pub struct Options {
    /// The tariff as a JSON document
    #[arg(long, value_name = "FILE", conflicts_with_all = ["deck", "deck_mapping", "decimals"])]
    tariff: Option<PathBuf>,
    /// The price list as CSV
    #[arg(long, value_name = "FILE", default_value = "examples/data/deck.csv")]
    deck: PathBuf,
    /// What the columns of the price list mean
    #[arg(long, value_name = "FILE", default_value = "examples/data/deck.mapping.json")]
    deck_mapping: PathBuf,
    /// The decimals that a call's price is rounded to, half up, with a deck
    #[arg(long, value_name = "0-10", default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=10))]
    decimals: u8,
    /// The calls as CSV
    #[arg(long, value_name = "FILE", default_value = "examples/data/calls.csv")]
    calls: PathBuf,
    /// What the columns of the calls mean
    #[arg(long, value_name = "FILE", default_value = "examples/data/calls.mapping.json")]
    calls_mapping: PathBuf,
    /// Writes each call with its price here, one JSON document a line
    #[arg(long, value_name = "FILE")]
    rated: Option<PathBuf>,
    /// Writes the total of each account here, as CSV
    #[arg(long, value_name = "FILE")]
    totals: Option<PathBuf>,
    /// How many accounts and destinations to print
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    top: usize,
}

fn main() -> ExitCode {
    match run(&Options::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the page has seen enough of it.
        Err(error) if is_closed(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rate_cdrs: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

fn is_closed(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

pub fn run(options: &Options, out: &mut impl Write) -> Done {
    let started = Instant::now();
    let prices = match &options.tariff {
        Some(document) => Prices::of_document(document)?,
        None => Prices::of_deck(&options.deck, &options.deck_mapping, options.decimals)?,
    };
    let tariff = &prices.tariff;
    let (prefixes, id, currency) = (tariff.prefixes(), tariff.id(), tariff.currency());
    let (taken, kib) = (started.elapsed(), tariff.bytes() / 1_024);
    writeln!(
        out,
        "{prefixes} prefixes of tariff {id}, in {currency}, loaded in {taken:.0?}; {kib} KiB"
    )?;
    if let Some(counts) = &prices.counts {
        let Counts { rows, priced, passed_over, blank, .. } = counts;
        writeln!(
            out,
            "{rows} rows of the deck: {priced} priced, {passed_over} passed over, {blank} blank"
        )?;
    }

    let started = Instant::now();
    let rated = options.rated.as_deref().map(create).transpose()?.map(RatedFile::new);
    let totals_file = options.totals.as_deref().map(create).transpose()?;
    let mut batch = Batch::new(tariff, Totals::new(tariff, prices.decimals), rated);
    rate_all(options, &mut batch)?;
    let totals = batch.finish()?;
    let taken = started.elapsed();
    totals.print(out, currency, options.top)?;
    let a_second = u128::from(totals.calls()) * 1_000_000_000 / taken.as_nanos().max(1);
    writeln!(out, "\n{} calls in {taken:.2?}: {a_second} calls a second", totals.calls())?;
    if let Some(file) = totals_file {
        totals.write(file)?;
    }
    Ok(())
}

fn rate_all(options: &Options, batch: &mut Batch<'_>) -> Done {
    let mapping: Mapping = read_json(&options.calls_mapping)?;
    let accounts = AccountMap::default();
    let (input, bar) = open(&options.calls)?;
    let mut rows =
        CallRows::try_new(BufReader::with_capacity(1 << 16, input), &mapping, &accounts)?;
    while let Some(row) = rows.next_row() {
        match row? {
            Ok(call) => batch.call(&call)?,
            Err(bad) => batch.refused(&bad)?,
        }
    }
    batch.rate()?;
    bar.finish_and_clear();
    Ok(())
}

fn create(path: &Path) -> Done<File> {
    Ok(File::create(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// A file, and the bar that shows how much of it has been read.
fn open(path: &Path) -> Done<(ProgressBarIter<impl Read>, ProgressBar)> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let style =
        "{bar:40} {percent:>3} %  {bytes} of {total_bytes}  {binary_bytes_per_sec}  {eta} to go";
    let bar =
        ProgressBar::new(file.metadata()?.len()).with_style(ProgressStyle::with_template(style)?);
    Ok((bar.wrap_read(file), bar))
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Done<T> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?)
}
