//! Kills, cuts and cancels the stores at work, and counts what was lost: `cargo xtask faults`.

mod backend;
mod bytes;
mod chance;
mod check;
mod client;
mod drive;
mod dropped;
mod killed;
mod model;
mod network;
mod place;
mod protocol;
mod proxy;
mod raw;
mod request;
mod run;
mod script;
mod server;
mod servers;
mod statements;
mod worker;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What may fail.
type Done<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Debug, Parser)]
#[command(bin_name = "faults", about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run the faults and print what was counted
    Run(run::Options),
    /// Be the process that is killed
    #[command(hide = true)]
    Worker(worker::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Run(options) => run::run(&options),
        Task::Worker(options) => block_on(worker::run(options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("faults: {}", request::told(&*error));
            ExitCode::FAILURE
        }
    }
}

fn block_on<T>(work: impl Future<Output = Done<T>>) -> Done<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
