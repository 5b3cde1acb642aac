//! A month of calls, from the file a telephone system writes to invoices that add up.
//!
//! ```sh
//! cargo run --example quickstart
//! cargo run --example quickstart -- --help
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

use billing::{
    AccountId, AccountSettings, Amount, Batch, Billing, Currency, Day, Instant, Outcome, PlanBook,
    PlanId, PlanSpec, Receipt, RunOutcome, SeriesId, SqliteStore, TakenIn, Tenant, Zone,
    clock::SetClock,
    core::{
        account::assignment_on,
        time::{Anchor, Period},
    },
    formats::{accounts::AccountMap, asterisk, text},
    state_hash, verify,
};

const CALLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/master.csv");
const SETUP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/setup.json");
const BATCH: usize = 1_000;

const ABOUT: &str = "Bills a month of calls, from the file to the invoices.

It saves the plans and accounts of a setup, imports a call file in batches, shows every
account's running bill, issues the month's invoices, and recomputes everything it stored.
Run it twice: the second run changes nothing.";

const MORE: &str = "Examples:
  cargo run --example quickstart                       the sample: 50 accounts, October 2026
  cargo run --example quickstart                       again: all replays, the same state
  cargo run --example quickstart -- --month 2026-11    the calls after midnight, a month later
  cargo run --example quickstart -- --input Master.csv --setup setup.json --database my.db

The setup is JSON: a tenant, the number series of its invoices, what the call file does not
say about itself, plans, accounts with their plans, and rules that tell who pays a call. The
sample is the best description: examples/data/setup.json";

#[derive(Debug, Parser)]
#[command(about = "Bills a month of calls", long_about = ABOUT, after_help = MORE)]
struct Options {
    /// The calls, as Asterisk writes them to Master.csv [default: examples/data/master.csv]
    #[arg(long, value_name = "FILE", default_value = CALLS, hide_default_value = true)]
    input: PathBuf,
    /// Plans, accounts and who pays what [default: examples/data/setup.json]
    #[arg(long, value_name = "FILE", default_value = SETUP, hide_default_value = true)]
    setup: PathBuf,
    /// Where everything is kept; made if it is not there
    #[arg(long, value_name = "FILE", default_value = "quickstart.db")]
    database: PathBuf,
    /// The month to bill
    #[arg(long, value_name = "YYYY-MM", default_value = "2026-10", value_parser = month)]
    month: Period,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nquickstart: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// The story: set up, import, show, issue, verify.
async fn run(options: &Options) -> Result<()> {
    let setup = Setup::read(&options.setup)?;
    let store = SqliteStore::open(&options.database).await?;
    store.migrate().await?;

    // A billing library is a store, the kinds of plan it knows, and a clock. A host passes `SystemClock`; here the clock
    // shows the moment at which the month is over everywhere on earth, so that any month can be billed on any day.
    let month_over = Zone::try_new("Etc/GMT+12")?.day_start(options.month.end());
    let billing = Billing::new(store.clone(), PlanBook::standard(), SetClock::at(month_over));
    let tenant = billing.tenant(&setup.tenant)?;

    set_up(&tenant, &setup).await?;
    import(&tenant, &setup, &options.input).await?;
    show_bills(&tenant, &setup, options.month).await?;
    issue(&tenant, &setup, month_over).await?;
    check(&tenant).await?;

    store.close().await;
    what_next(options);
    Ok(())
}

/// What the sample's `setup.json` holds. A host has this in its own configuration or database.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    tenant: String,
    series: SeriesId,
    asterisk: asterisk::Options,
    plans: Vec<PlanSpec>,
    accounts: Vec<Account>,
    account_map: AccountMap,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    settings: AccountSettings,
    plans: Vec<Planned>,
}

/// A plan from a day on, until the next one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    plan: PlanId,
    version: u32,
    from: Day,
}

impl Setup {
    fn read(file: &Path) -> Result<Self> {
        let json = fs::read_to_string(file).map_err(|error| in_file(file, &error))?;
        serde_json::from_str(&json).map_err(|error| in_file(file, &error))
    }

    fn ids(&self) -> Vec<AccountId> {
        self.accounts.iter().map(|account| account.settings.id.clone()).collect()
    }
}

/// Saves plans, opens accounts and gives them their plans. What is there already is answered with a replay.
async fn set_up(tenant: &Tenant, setup: &Setup) -> Result<()> {
    let mut done = Vec::new();
    for plan in &setup.plans {
        done.push(tenant.save_plan(plan).await?);
    }
    for account in &setup.accounts {
        done.push(tenant.open_account(&account.settings).await?);
        for Planned { plan, version, from } in &account.plans {
            done.push(tenant.assign(&account.settings.id, plan, *version, *from).await?);
        }
    }
    let new = done.iter().filter(|outcome| **outcome == Outcome::New).count();
    heading(&format!("Set up {}", setup.tenant));
    println!("{} plans, {} accounts.", setup.plans.len(), setup.accounts.len());
    println!("Of {} steps {new} were new; the others had been done before.", done.len());
    Ok(())
}

/// Reads the file line by line and hands it over in batches; memory stays flat, whatever its size.
async fn import(tenant: &Tenant, setup: &Setup, input: &Path) -> Result<()> {
    let file = File::open(input).map_err(|error| in_file(input, &error))?;
    let name = input.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bar = ProgressBar::new(file.metadata()?.len());
    bar.set_style(ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}")?);
    let input = BufReader::new(bar.wrap_read(file));
    let mut rows = asterisk::Reader::new(input, &setup.asterisk);
    let mut tally = Tally::default();
    loop {
        // Each line becomes a call with the account that pays it, or a refusal that keeps the line.
        let entries = rows.by_ref().take(BATCH);
        let entries =
            entries.map(|row| Ok(asterisk::entry(row?, &setup.asterisk, &setup.account_map)));
        let entries = entries.collect::<io::Result<Vec<_>>>()?;
        if entries.is_empty() {
            break;
        }
        let (first, last) = (tally.received + 1, tally.received + entries.len() as u64);
        // A batch is known by its label and content: sent again, it is the same batch.
        let batch = Batch { label: format!("{name} lines {first}-{last}"), entries };
        let taken = tenant.ingest(&batch).await?;
        tally.add(&batch, &taken);
    }
    bar.finish_and_clear();
    heading(&format!("Import {name}"));
    tally.show()
}

/// What may become of a line.
const FATES: [(&str, &str); 5] = [
    ("recorded", "they count from now on"),
    ("replayed", "they counted before, and count once"),
    ("conflict", "their id came before with other content: the first stays"),
    ("parked", "kept with the reason, until somebody mends it"),
    ("refused", "no records: kept word for word, with the place"),
];

/// The account of a file: of every line it is known what became of it.
#[derive(Default)]
struct Tally {
    received: u64,
    counts: [u64; FATES.len()],
    /// Some lines that need a person: the fate, the line, and why.
    samples: BTreeSet<(usize, u64, String)>,
}

impl Tally {
    fn add(&mut self, batch: &Batch, taken: &TakenIn) {
        for (receipt, entry) in taken.receipts.iter().zip(&batch.entries) {
            let (fate, why) = match (receipt, entry) {
                (Receipt::Recorded { .. } | Receipt::Superseded { .. }, _) => (0, String::new()),
                (Receipt::Replayed { .. }, _) => (1, String::new()),
                (Receipt::Conflict { .. }, _) => (2, "the id is recorded otherwise".into()),
                (Receipt::Parked(reason), _) => (3, reason.to_string()),
                (Receipt::Refused, Err(refusal)) => (4, refusal.reason.clone()),
                (Receipt::Refused, Ok(_)) => (4, String::new()),
            };
            self.received += 1;
            self.counts[fate] += 1;
            // The first line of each reason, for at most three reasons of a kind.
            let alike: Vec<_> = self.samples.iter().filter(|sample| sample.0 == fate).collect();
            if !why.is_empty() && alike.len() < 3 && alike.iter().all(|sample| sample.2 != why) {
                self.samples.insert((fate, self.received, why));
            }
        }
    }

    fn show(&self) -> Result<()> {
        println!("  {:>6} received", self.received);
        for (number, (name, meaning)) in FATES.iter().enumerate() {
            let sign = if number == 0 { '=' } else { '+' };
            println!("{sign} {:>6} {name:<8}  {meaning}", self.counts[number]);
        }
        let known: u64 = self.counts.iter().sum();
        if known != self.received {
            return Err(format!("{known} of {} lines are accounted for", self.received).into());
        }
        println!("Every line is accounted for. Some that a person should look at:");
        for (fate, line, why) in &self.samples {
            println!("  {:<8} line {line:>4}: {why}", FATES[*fate].0);
        }
        Ok(())
    }
}

/// What every account owes so far, as of the last moment of the month in its own zone.
async fn show_bills(tenant: &Tenant, setup: &Setup, month: Period) -> Result<()> {
    let mut accounts = tenant.read().await?.accounts(&setup.ids()).await?;
    accounts.sort_by(|one, two| one.settings.id.cmp(&two.settings.id));
    heading(&format!("Running bills at the end of {}, with tax", month.end().plus_days(-1)?));
    println!("{:<17} {:<19} {:<18} {:>6} {:>13}", "account", "zone", "plan", "calls", "so far");
    for facts in accounts {
        let settings = &facts.settings;
        let at = settings.zone.day_start(month.end()).checked_sub_ms(1)?;
        let plan = assignment_on(&facts.assignments, settings.zone.day_of(at))
            .map_or_else(String::new, |now| format!("{} v{}", now.plan, now.version));
        // A draft for each period that is not invoiced: the one that holds `at`, and those before.
        let bill = tenant.bill(&settings.id, at).await?;
        let calls: i64 = bill.drafts().flat_map(|d| &d.lines).map(|line| line.count).sum();
        let total = sum(bill.drafts().map(|draft| draft.taxed.total))?;
        let (calls, total) = match bill.open {
            None => (String::new(), "invoiced".to_owned()),
            Some(_) => (calls.to_string(), money(total, settings.currency)),
        };
        let (id, zone) = (settings.id.as_str(), settings.zone.name());
        println!("{id:<17} {zone:<19} {plan:<18} {calls:>6} {total:>13}");
    }
    Ok(())
}

/// Issues what is due. The run may be interrupted and repeated: nothing is issued twice, no number is lost.
async fn issue(tenant: &Tenant, setup: &Setup, as_of: Instant) -> Result<()> {
    let answers = tenant.issue_invoices(&setup.series, as_of).await?;
    heading(&format!("Invoices for every period that ended by {as_of}"));
    println!("(when the month is over in every zone)");
    let (mut issued, mut already, mut nothing, mut parked) = (Vec::new(), 0, 0, 0);
    for (account, outcome) in &answers {
        match outcome {
            RunOutcome::Issued(invoices) => issued.extend(invoices),
            RunOutcome::AlreadyIssued => already += 1,
            RunOutcome::NothingDue => nothing += 1,
            RunOutcome::Held(error) => {
                parked += 1;
                println!("  {account} needs a person: {error}");
            }
        }
    }
    let accounts: BTreeSet<_> = issued.iter().map(|invoice| &invoice.account).collect();
    println!("{:>5} accounts", answers.len());
    println!("{:>5} have new invoices, {} of them in all", accounts.len(), issued.len());
    println!("{already:>5} had them already");
    println!("{nothing:>5} had nothing due");
    println!("{parked:>5} are parked");

    println!("\nAll invoices so far:");
    let (mut invoices, mut totals) = (Vec::new(), BTreeMap::<Currency, Vec<Amount>>::new());
    for account in setup.ids() {
        invoices.extend(tenant.invoices(&account).await?);
    }
    for invoice in &invoices {
        totals.entry(invoice.draft.currency).or_default().push(invoice.draft.taxed.total);
    }
    for (currency, amounts) in totals {
        let count = amounts.len();
        println!("{count:>5} {:>15}", money(sum(amounts.into_iter())?, currency));
    }
    // The one with most to read; of several, the first.
    let longest = invoices.iter().rev().max_by_key(|invoice| invoice.draft.lines.len());
    if let Some(invoice) = longest {
        print!("\nOne of them:\n\n{}", text::invoice(invoice));
    }
    match parked {
        0 => Ok(()),
        _ => {
            Err(format!("{parked} accounts could not be invoiced; the reasons stand above").into())
        }
    }
}

/// Recomputes everything from what was reported and compares it with what is stored.
async fn check(tenant: &Tenant) -> Result<()> {
    let report = verify(tenant).await?;
    heading("Verify");
    println!("{} items and {} postings recomputed,", report.items, report.postings);
    println!("{} day totals and {} invoices compared.", report.day_totals, report.invoices);
    for finding in report.findings.iter().take(10) {
        println!("  {finding}");
    }
    if !report.is_clean() {
        return Err(format!("{} findings: what is stored does not add up", report.found).into());
    }
    println!("Everything agrees. All of it as one number, which a second run leaves as it is:");
    println!("  {}", state_hash(tenant).await?);
    Ok(())
}

fn what_next(options: &Options) {
    heading("What next");
    println!(
        "cargo run --example quickstart                      again: all replays, nothing changes"
    );
    println!(
        "cargo run --example quickstart -- --month 2026-11   the calls that came after midnight"
    );
    println!(
        "cargo run --example quickstart -- --help            a call file and a setup of your own"
    );
    println!("cargo run --example own_kind                        a kind of price of your own");
    println!("To begin anew, remove {}.", options.database.display());
}

fn heading(title: &str) {
    println!("\n{title}\n{}", "-".repeat(title.chars().count()));
}

fn sum(mut amounts: impl Iterator<Item = Amount>) -> Result<Amount> {
    Ok(amounts.try_fold(Amount::ZERO, Amount::checked_add)?)
}

/// The amount with its currency's decimals, or with more if it has more.
fn money(amount: Amount, currency: Currency) -> String {
    billing::Money::new(amount, currency).to_string()
}

fn month(text: &str) -> std::result::Result<Period, String> {
    let first = format!("{text}-01").parse::<Day>();
    let period = first.and_then(|first| Anchor::monthly(first).period(0));
    period.map_err(|_| "a month is written like 2026-10".into())
}

fn in_file(file: &Path, error: &dyn Error) -> Box<dyn Error> {
    format!("{}: {error}", file.display()).into()
}
