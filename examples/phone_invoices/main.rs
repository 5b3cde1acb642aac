//! A telephone company's invoices: calls come in over HTTP, and months become invoices that can be read, paid and made void.
//!
//! ```sh
//! cargo run --example phone_invoices -- --sample-data
//! cargo run --example phone_invoices -- --help
//! ```

mod app;
#[path = "../common/program.rs"]
mod program;

use std::{error::Error, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;

use billing::clock::SystemClock;

use crate::app::{App, ledger::Ledger, sample, tariff::Tariff};

const ABOUT: &str = "Bills calls by the minute, month by month

Each customer has an account with a plan and a time zone, in which the months begin. What was
answered with 200 or 201 is on the disk.";

const MORE: &str = r#"Try it, from another terminal:
  curl localhost:5000/call/add_call -d customer=2 -d minutes=20
  curl localhost:5000/invoice/consolidated?customer=2                    {"11":0.4}

  curl localhost:5000/user -H 'Content-Type: application/json' \
       -d '{"country_code": 1, "number": 2025550100}'
  curl -X POST localhost:5000/user/1/invoice/2022/7

A call that may be sent twice carries a name of its own, and counts once:
  curl localhost:5000/call/add_call -d customer=2 -d minutes=20 -H 'Idempotency-Key: call-4711'

Routes for customers, with fields in a form or in the query:
  GET  /call/                          all calls, latest first         limit, offset
  GET  /call/customer                  a customer's calls              customer, after, limit
  POST /call/add_call                  a call has ended                customer, minutes (or start, end)
  GET  /invoice/                       all invoices, latest first      limit, offset
  GET  /invoice/customer               each call and its charge        customer, year
  GET  /invoice/consolidated           what each month costs           customer, year
  GET  /invoice/month                  what one month costs            customer, month, year
  POST /invoice/generate_invoice       on the first: invoices the month before      customer

Routes for users, who are customers too, with fields in JSON:
  POST /user                           country_code, number, plan, zone
  GET  /user/{id}
  PUT  /user/{id}/plan                 plan, from the next month on
  POST /user/{id}/phone_call           recipient_country_code, recipient_number, duration_in_minutes,
                                       start_datetime_iso_8601, end_datetime_iso_8601
  GET  /user/{id}/phone_call           limit (at most 100), offset
  GET  /call/{id}
  POST /user/{id}/invoice/{year}/{month}
  GET  /invoice/{id}
  POST /invoice/{id}/payment           on, reference
  POST /invoice/{id}/void              reason

Operators, of whom a customer may have several, each with a plan and invoices of its own:
  PUT  /operator/{id}/customer/{id}    plan
  GET  /operator/{id}/customer
  GET  /user/{id}/operator
A call, a history, a plan or an invoice is that with an operator if the field `operator` names one.
And: GET /, GET /health"#;

#[derive(Debug, Parser)]
#[command(about = "Bills calls by the minute, month by month", long_about = ABOUT, after_help = MORE)]
struct Options {
    /// Where everything is kept; made if it is not there
    #[arg(long, value_name = "FILE", default_value = "phone_invoices.db")]
    database: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// What `/` says to those who accept JSON
    #[arg(long, value_name = "TEXT")]
    greeting: Option<String>,
    /// Begin with three customers, unless there are any
    #[arg(long)]
    sample_data: bool,
    #[command(flatten)]
    tariff: Tariff,
}

#[tokio::main]
async fn main() -> ExitCode {
    program::ended("phone_invoices", run(Options::parse()).await)
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let Options { database, listen, greeting, sample_data, tariff } = options;
    let listener = program::listen(listen).await?;
    let store = program::open(&database).await?;
    let ledger = Ledger::open(Arc::new(store.clone()), Arc::new(SystemClock), tariff).await?;
    if sample_data {
        let loaded =
            sample::load(&ledger).await.map_err(|_told| "the sample data was not loaded")?;
        println!("{}", if loaded { "Loaded sample data." } else { "There are customers already." });
    }

    let address = listener.local_addr()?.to_string();
    println!("Listening on http://{address}, keeping {}", database.display());
    println!("How to use it: cargo run --example phone_invoices -- --help");
    let stop = program::stop_asked()?;
    let app = app::router(App { ledger: Arc::new(ledger), greeting, address });
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    store.close().await;
    println!("Stopped; everything that was answered is kept.");
    Ok(())
}
