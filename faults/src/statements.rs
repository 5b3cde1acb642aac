//! Points to end a process at: after each statement that it has the database execute, as the driver reports them.

use std::{
    collections::BTreeSet,
    fmt,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{Done, protocol::Said, worker::say};

/// What the driver calls its reports.
const REPORTS: &str = "sqlx::query";
/// So many equal statements of one request are points of their own.
const EQUAL: usize = 2;
/// A point is named by so many words of its statement.
const WORDS: usize = 5;

/// What the process is at work with. One thing at a time is asked of a process that ends at points.
static AT_WORK: Mutex<(&'static str, Vec<String>)> = Mutex::new(("", Vec::new()));

/// Says what the statements from here on are part of.
pub fn at_work(what: &'static str) {
    *AT_WORK.lock().unwrap_or_else(PoisonError::into_inner) = (what, Vec::new());
}

/// Ends this process after the first statement whose point is not in a file, a line each.
pub fn end_beyond(file: &Path) -> Done {
    let known = std::fs::read_to_string(file)?.lines().map(str::to_owned).collect();
    tracing::subscriber::set_global_default(Ending { known, spans: AtomicUsize::new(1) })?;
    Ok(())
}

/// Hears of statements, and ends the process.
struct Ending {
    known: BTreeSet<String>,
    spans: AtomicUsize,
}

impl Subscriber for Ending {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == REPORTS
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) as u64)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut summary = Summary(String::new());
        event.record(&mut summary);
        let statement = summary.0;
        let (what, seen) = &mut *AT_WORK.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(statement.clone());
        let nth = seen.iter().filter(|one| **one == statement).count().min(EQUAL);
        let point = format!("{what}: after {nth}. `{statement}`");
        if !self.known.contains(&point) {
            say(&Said::Reached(point));
            std::process::abort();
        }
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

/// The beginning of a statement.
struct Summary(String);

impl Visit for Summary {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            self.0 = short(value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "summary" {
            self.0 = short(&format!("{value:?}"));
        }
    }
}

fn short(statement: &str) -> String {
    let words: Vec<&str> = statement.split_whitespace().take(WORDS).collect();
    words.join(" ").chars().filter(|c| *c != '"' && *c != '…').collect::<String>().trim().to_owned()
}
