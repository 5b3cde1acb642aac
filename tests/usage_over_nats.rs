//! A call that ended is stored, told as an event, added up and read: by four processes that share NATS and a database.

#[expect(dead_code, reason = "a test begins its processes in its own way")]
#[path = "../examples/usage_over_nats.rs"]
mod example;

#[expect(dead_code, reason = "not every test uses all of it")]
mod children;
#[path = "../billing-store/tests/services/mod.rs"]
mod services;

use std::{
    ffi::OsStr,
    path::Path,
    process::{Child, Command, Stdio},
};

use async_nats::jetstream;
use clap::{Parser as _, ValueEnum as _};

use children::{Done, block_on, env, finding, folder};
use example::{CALLS, Options, Role, play, prepare};

/// What a child is told: its role, and the folder of the run.
const ROLE: &str = "BILLING_NATS_ROLE";
const FOLDER: &str = "BILLING_NATS_FOLDER";

const TEST: &str = "four_processes_take_calls_to_the_bill_and_to_the_events";

#[test]
fn four_processes_take_calls_to_the_bill_and_to_the_events() -> Done {
    let Some(url) = services::url("nats") else { return Ok(()) };
    if let Some(role) = env::<String>(ROLE)? {
        let folder = env::<String>(FOLDER)?.ok_or("a child is told its folder")?;
        let role = Role::from_str(&role, true)?;
        return block_on(child(role, &url, Path::new(&folder)));
    }
    let folder = folder("usage-over-nats")?;
    let options = options(&url, &folder);
    let outcome = four(&url, &folder);
    block_on(async {
        let context = jetstream::new(async_nats::connect(&url).await?);
        for kind in ["in", "dead", "events"] {
            context.delete_stream(format!("{}_{kind}", options.prefix)).await?;
        }
        Ok(())
    })?;
    outcome?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn four(url: &str, folder: &Path) -> Done {
    let options = options(url, folder);
    block_on(prepare(&options))?;
    let mut recorder = begin("recorder", folder)?;
    ended(&mut begin("switch", folder)?)?;
    // The end of its input tells it to take in what is left, and to end.
    drop(recorder.stdin.take());
    ended(&mut recorder)?;
    ended(&mut begin("relay", folder)?)?;
    ended(&mut begin("reader", folder)?)?;

    let said = |role: Role| std::fs::read_to_string(folder.join(format!("{role:?}")));
    // Each call is a minute of 0.015 EUR; its posting is an event, and so are the account and its plan.
    let events = CALLS + 2;
    assert_eq!(said(Role::Switch)?, "switch: published 1000 calls, each of them twice\n");
    assert_eq!(said(Role::Reader)?, "reader: alice owes 15 EUR\n");
    let relayed = format!("relay: {events} events are told, {events} are in their stream\n");
    assert_eq!(said(Role::Relay)?, relayed);
    assert!(said(Role::Recorder)?.ends_with(", 1000 calls are recorded\n"));
    block_on(async {
        let (store, tenant) = children::open(&options.database, "2026-10-31T12:00:00Z").await?;
        assert_eq!(finding(&tenant).await?, None);
        store.close().await;
        Ok(())
    })
}

/// Runs this test again, as the process of a role.
fn begin(role: &str, folder: &Path) -> Done<Child> {
    let child = Command::new(std::env::current_exe()?)
        .args(["--exact", "--nocapture", TEST])
        .env(ROLE, role)
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    Ok(child)
}

fn ended(child: &mut Child) -> Done {
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("a process ended with {status}").into()) }
}

fn options(url: &str, folder: &Path) -> Options {
    // The same in every process of a run, and in no other run.
    let prefix = folder.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let mut options = Options::parse_from(["usage_over_nats", "--nats", url, "--prefix", prefix]);
    options.database = folder.join("billing.db");
    options
}

async fn child(role: Role, url: &str, folder: &Path) -> Done {
    let mut page = Vec::new();
    play(role, &options(url, folder), &mut page).await?;
    Ok(std::fs::write(folder.join(format!("{role:?}")), page)?)
}
