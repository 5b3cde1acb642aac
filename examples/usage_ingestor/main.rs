//! A usage ingestor: pulses come in over HTTP, are added up by tenant, product, unit and day, and go to a processor exactly once.
//!
//! ```sh
//! cargo run --example usage_ingestor
//! cargo run --example usage_ingestor -- --help
//! ```

mod app;
#[path = "../common/program.rs"]
mod program;

use std::{error::Error, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;

use billing::clock::SystemClock;

use crate::app::{
    App, bus,
    commit::Committer,
    downstream::Downstream,
    handing::Handing,
    ledger::Ledger,
    settings::{Counting, Delivery},
};

const ABOUT: &str = "Adds up usage that is reported over HTTP, and hands it to a processor

Pulses are added up by tenant, product, unit and day. What the processor has not accepted is in
GET /aggregates. A pulse that was answered with 200 is on the disk, and reaches the processor in
exactly one accepted revision of its day.";

const MORE: &str = r#"Try it, from another terminal:
  curl localhost:8081/pulses -H 'Content-Type: application/json' \
       -d '{"tenant_id": "acme", "product_sku": "storage", "use_unit": "GB", "used_amount": 3}'
  curl localhost:8081/aggregates
  curl -X POST localhost:8081/aggregates/commit

A pulse may say its own `id`, so that it counts once however often it is sent, and the time `at`
which it happened, such as 2026-11-20T12:00:00Z, so that it counts on that day: up to a day ahead
and a year back. A tenant may use up to 1,000 products and units a day.

Routes:
  POST /pulses                           something was used
  GET  /aggregates[?date=2026-11-20]     what is not accepted yet, of all days or of one
  GET  /aggregates/{PulseKey}            one of them; a % in its key is written as %25
  POST /aggregates/commit[?date=...]     sends it now; /agreggates/commit is the same
  GET  /health                           for whoever watches over it

The processor is sent one POST for each day, and answers each account's revision in it:
  {"tenant": "usage_ingestor", "day": "2026-11-20", "handovers": [
    {"account": "acme", "day": "2026-11-20", "revision": 1, "digest": "9f86...",
     "totals": [{"product": "storage", "unit": "GB", "amount": "3", "pulses": 1}]}]}
  {"answers": [{"account": "acme", "revision": 1, "answer": "accepted", "reference": "42"}]}
or "answer": "refused" with a "reason". What comes late for a day is its next revision, with that
alone in it. Without an answer the same revision comes again, with the same digest: whoever
remembers account, day and revision takes it once. A refused one is sent again when somebody asks
for a commit, and not by itself."#;

#[derive(Debug, Parser)]
#[command(about = "Adds up usage that is reported over HTTP", long_about = ABOUT, after_help = MORE)]
struct Options {
    /// Where everything is kept; made if it is not there
    #[arg(long, value_name = "FILE", default_value = "usage_ingestor.db")]
    database: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// Count two pulses to look at, once
    #[arg(long)]
    sample_data: bool,
    #[command(flatten)]
    counting: Counting,
    #[command(flatten)]
    delivery: Delivery,
}

#[tokio::main]
async fn main() -> ExitCode {
    program::ended("usage_ingestor", run(&Options::parse()).await)
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let Options { database, listen, sample_data, counting, delivery } = options;
    let listener = program::listen(*listen).await?;
    let store = program::open(database).await?;

    let shared = Arc::new(store.clone());
    let ledger = Arc::new(Ledger::open(shared, Arc::new(SystemClock), counting).await?);
    if *sample_data {
        ledger.record(&app::sample()?).await?;
    }
    let handing = Arc::new(Handing::open(ledger.tenant().clone()).await?);
    let committer = Arc::new(Committer::new(Arc::clone(&handing), Downstream::of(delivery)));
    let (bus, queue) = bus::open();
    let recorder = tokio::spawn(bus::record_all(queue, Arc::clone(&ledger)));
    let committing = Arc::clone(&committer).commit_every(delivery.commit_every());
    let committing = tokio::spawn(committing);

    println!("Listening on http://{}, keeping {}", listener.local_addr()?, database.display());
    println!("How to use it: cargo run --example usage_ingestor -- --help");
    let stop = program::stop_asked()?;
    let app = App { ledger, handing, bus, committer };
    axum::serve(listener, app::router(app)).with_graceful_shutdown(stop).await?;

    // With the last request the last end of the bus has gone: what still waits is recorded, then the recorder ends.
    recorder.await?;
    // What is on its way to the processor is sent again by the next start.
    committing.abort();
    drop(committing.await);
    store.close().await;
    println!("Stopped; every pulse that was accepted is recorded.");
    Ok(())
}
