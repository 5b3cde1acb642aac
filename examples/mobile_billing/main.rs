//! A telephone service's billing: reports of ended calls come in over HTTP, and anybody's bill can be read at once.
//!
//! ```sh
//! cargo run --example mobile_billing
//! cargo run --example mobile_billing -- --help
//! ```

mod app;
#[path = "../common/program.rs"]
mod program;

use std::{error::Error, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;

use billing::clock::SystemClock;

use crate::app::{App, bus, ledger::Ledger, tariff::Tariff};

const ABOUT: &str = "Bills calls that are reported over HTTP

Each user pays for blocks of talk: all the talk of a lifetime is added up, then rounded up to
whole blocks, once. A report that was answered with 200 is on the disk.";

const MORE: &str = r#"Try it, from another terminal:
  curl -X PUT localhost:8080/v1/mobile/alice/call -d '{"call_duration": 61000}'
  curl localhost:8080/v1/mobile/alice/billing      {..."call_count":1,"block_count":3,"price":0.6}

A report that may be sent twice carries a name of its own, and counts once:
  curl -X PUT localhost:8080/v1/mobile/alice/call -d '{"call_duration": 61000}' \
       -H 'Idempotency-Key: call-4711'

Routes:
  PUT /v1/mobile/{username}/call         a call of `call_duration` milliseconds has ended
  GET /v1/mobile/{username}/billing      calls, blocks and price
  PUT /mobile/{user_name}/call           the same for clients of another interface, which takes
  GET /mobile/{user_name}/billing        calls of 0 ms, asks for a JSON content type, and has no price
  GET /actuator/health, /actuator/info   for whoever watches over it

A user keeps the block and the price of the first call: other flags hold for those who come after."#;

#[derive(Debug, Parser)]
#[command(about = "Bills calls that are reported over HTTP", long_about = ABOUT, after_help = MORE)]
struct Options {
    /// Where everything is kept; made if it is not there
    #[arg(long, value_name = "FILE", default_value = "mobile_billing.db")]
    database: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    tariff: Tariff,
}

#[tokio::main]
async fn main() -> ExitCode {
    program::ended("mobile_billing", run(&Options::parse()).await)
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let Options { database, listen, tariff } = options;
    let listener = program::listen(*listen).await?;
    let store = program::open(database).await?;

    let shared = Arc::new(store.clone());
    let ledger = Arc::new(Ledger::open(shared, Arc::new(SystemClock), *tariff).await?);
    let (bus, queue) = bus::open();
    let recorder = tokio::spawn(bus::record_all(queue, Arc::clone(&ledger)));

    println!("Listening on http://{}, keeping {}", listener.local_addr()?, database.display());
    println!("How to use it: cargo run --example mobile_billing -- --help");
    let stop = program::stop_asked()?;
    axum::serve(listener, app::router(App { ledger, bus })).with_graceful_shutdown(stop).await?;

    // With the last request the last end of the bus has gone: what still waits is recorded, then the recorder ends.
    recorder.await?;
    store.close().await;
    println!("Stopped; every call that was accepted is recorded.");
    Ok(())
}
