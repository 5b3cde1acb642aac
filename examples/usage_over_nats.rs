//! Calls over NATS from a switch to the bill: four processes that share a server of NATS and a database.
//!
//! It needs a server with `JetStream`: `nats-server -js`, or `docker run -p 4222:4222 nats -js`.
//!
//! ```sh
//! cargo run --example usage_over_nats --features nats
//! ```

use std::{
    error::Error,
    io::{self, Read as _, Write},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    sync::Arc,
};

use async_nats::jetstream::{self, Context};
use clap::{Parser, ValueEnum};
use serde_json::json;

use billing::{
    Billing, CallEnded, PlanBook, SqliteStore, Tenant,
    clock::SetClock,
    store::{
        bus::{
            Partitions,
            nats::{Consumer, EventSink, Keeping, Layout, Publisher, Settings, ensure_streams},
        },
        relay::{Relay, RelayOptions},
    },
};

type Done<T = ()> = Result<T, Box<dyn Error>>;

/// Each is one minute at 0.015 EUR.
pub const CALLS: u32 = 1_000;

#[derive(Clone, Debug, Parser)]
#[command(about = "Calls over NATS from a switch to the bill, by four processes")]
pub struct Options {
    /// Where NATS is
    #[arg(long, value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    pub nats: String,
    /// What subjects and streams begin with
    #[arg(long, default_value = "billing-example")]
    pub prefix: String,
    /// Where everything is kept; made if it is not there
    #[arg(long, value_name = "FILE", default_value = "usage_over_nats.db")]
    pub database: PathBuf,
    /// Play one process; all four, one beside the other, when none is named
    #[arg(long)]
    pub role: Option<Role>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// A switch: publishes calls, each of them twice
    Switch,
    /// Takes the calls in until its input ends and none is left
    Recorder,
    /// Publishes what happened as events
    Relay,
    /// Reads the running bill
    Reader,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.role {
        Some(role) => play(role, &options, &mut io::stdout()).await,
        None => all(&options).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("usage_over_nats: {error}");
            ExitCode::FAILURE
        }
    }
}

/// All four as processes of their own: the recorder works while the switch publishes.
async fn all(options: &Options) -> Done {
    prepare(options).await?;
    let begin = |role: &str| {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--role", role, "--nats", &options.nats, "--prefix", &options.prefix]);
        command.arg("--database").arg(&options.database).stdin(Stdio::piped()).spawn()
    };
    let mut recorder = begin("recorder")?;
    begin("switch")?.wait()?;
    drop(recorder.stdin.take());
    recorder.wait()?;
    begin("relay")?.wait()?;
    begin("reader")?.wait()?;
    Ok(())
}

/// What must be there before: the streams, and an account that pays for calls.
pub async fn prepare(options: &Options) -> Done {
    let (context, layout) = over_nats(options).await?;
    ensure_streams(&context, &layout, Keeping::default()).await?;
    let acme = in_database(options).await?;
    acme.save_plan(&serde_json::from_value(json!({
        "id": "basic", "version": 1, "currency": "EUR", "payment": "postpaid",
        "strategies": [{"id": "calls", "kind": "flat_rate",
                        "terms": {"per_minute": "0.015", "minutes": "pro_rata"}}],
    }))?)
    .await?;
    let alice = json!({"id": "alice", "currency": "EUR", "zone": "UTC",
                       "anchor": {"from": "2026-01-01", "months": 1}});
    acme.open_account(&serde_json::from_value(alice)?).await?;
    acme.assign(&"alice".parse()?, &"basic".parse()?, 1, "2026-01-01".parse()?).await?;
    Ok(())
}

pub async fn play(role: Role, options: &Options, page: &mut impl Write) -> Done {
    let (context, layout) = over_nats(options).await?;
    let acme = in_database(options).await?;
    match role {
        Role::Switch => {
            let publisher = Publisher::new(context, layout);
            let calls: Vec<CallEnded> = (0..CALLS).map(call).collect::<Result<_, _>>()?;
            for _ in 0..2 {
                publisher.publish_all(acme.id(), &calls).await?;
            }
            writeln!(page, "switch: published {CALLS} calls, each of them twice")?;
        }
        Role::Recorder => {
            let settings = Settings::default();
            let consumer = Consumer::open(&context, &layout, &acme, 0, settings).await?;
            let (mut received, mut recorded) = (0, 0);
            let mut told = |report: billing::store::bus::Report| {
                received += report.received();
                recorded += report.intakes.iter().map(|intake| intake.recorded).sum::<u64>();
            };
            let stop = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
            let stop = async { drop(stop.await) };
            consumer.run(stop, &mut told).await?;
            loop {
                let report = consumer.run_once().await?;
                if report.received() == 0 && report.again == 0 {
                    break;
                }
                told(report);
            }
            writeln!(page, "recorder: {received} messages came, {recorded} calls are recorded")?;
        }
        Role::Relay => {
            let sink = Arc::new(EventSink::new(context.clone(), layout.clone()));
            let options = RelayOptions::new("usage_over_nats".parse()?);
            let relay = Relay::new(acme.clone(), "nats".parse()?, sink, options);
            let mut events = 0;
            loop {
                let delivered = relay.run_once(acme.now(), 0).await?;
                events += delivered.messages;
                if !delivered.more {
                    break;
                }
            }
            relay.release(acme.now()).await?;
            let stored = context.get_stream(layout.event_stream()).await?;
            let stored = stored.cached_info().state.messages;
            writeln!(page, "relay: {events} events are told, {stored} are in their stream")?;
        }
        Role::Reader => {
            let bill = acme.bill(&"alice".parse()?, acme.now()).await?;
            let open = bill.open.ok_or("no period is open")?;
            writeln!(page, "reader: alice owes {} EUR", open.taxed.total)?;
        }
    }
    Ok(())
}

fn call(id: u32) -> serde_json::Result<CallEnded> {
    serde_json::from_value(json!({
        "key": {"source": "switch", "id": id.to_string()}, "account": "alice",
        "call": {"start": "2026-10-05T08:00:00Z", "duration_ms": 60_000, "caller": "+12025550100",
                 "callee": "+12025550123", "disposition": "answered", "direction": "outbound"},
    }))
}

async fn over_nats(options: &Options) -> Done<(Context, Layout)> {
    let client = async_nats::connect(&options.nats).await?;
    Ok((jetstream::new(client), Layout::try_new(&options.prefix, Partitions::ONE)?))
}

async fn in_database(options: &Options) -> Done<Tenant> {
    let store = SqliteStore::open(&options.database).await?;
    store.migrate().await?;
    // A set time, so that the program may be run again: then each call is known, and the bill stays what it is.
    let clock = SetClock::at("2026-10-31T12:00:00Z".parse()?);
    Ok(Billing::new(store, PlanBook::standard(), clock).tenant("acme")?)
}
