//! The process that is killed: it opens a store and answers requests, as many side by side as there are.

use std::{
    io::{BufRead as _, Write as _},
    sync::Arc,
};

use billing_store::Tenant;

use crate::{
    Done,
    place::Place,
    protocol::{Asked, Said},
    request::{Answer, Request},
    statements,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the store is
    store: String,
    /// End at the first statement that is not among those named in this file
    #[arg(long)]
    beyond: Option<std::path::PathBuf>,
    /// A defect to have
    #[arg(long)]
    defect: Option<Defect>,
    /// Open the store, bring its schema up to date and end
    #[arg(long)]
    migrate: bool,
}

/// A defect that the harness must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Defect {
    /// It answers for a batch before it has recorded it.
    AnswersFirst,
    /// It knows a call by its own process too, so that one that is sent again counts again.
    OwnIds,
}

pub async fn run(options: Options) -> Done {
    if let Some(known) = &options.beyond {
        statements::end_beyond(known)?;
    }
    statements::at_work("migrate");
    let opened = Place::of(&options.store).open_patiently().await?;
    if options.migrate {
        opened.close().await;
        return Ok(());
    }
    let tenant = Arc::new(opened.tenant()?);
    say(&Said::Ready);
    let (send, mut asked) = tokio::sync::mpsc::unbounded_channel::<Asked>();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Some(asked) = line.ok().and_then(|line| serde_json::from_str(&line).ok()) else {
                break;
            };
            if send.send(asked).is_err() {
                break;
            }
        }
    });
    while let Some(Asked { number, request }) = asked.recv().await {
        let tenant = Arc::clone(&tenant);
        tokio::spawn(serve(tenant, number, request, options.defect));
    }
    // Nobody holds the other end any more.
    std::process::exit(0)
}

async fn serve(tenant: Arc<Tenant>, number: usize, request: Request, defect: Option<Defect>) {
    statements::at_work(request.name());
    let answer = match (defect, request) {
        (Some(Defect::AnswersFirst), request @ Request::Ingest(..)) => {
            say(&Said::Answer(number, Answer::Ok));
            request.ask(&tenant).await;
            return;
        }
        (Some(Defect::OwnIds), request) => match own(request) {
            Ok(request) => request.ask(&tenant).await,
            Err(error) => Answer::Failed(error.to_string()),
        },
        (_, request) => request.ask(&tenant).await,
    };
    say(&Said::Answer(number, answer));
}

/// The request with this process's number in the ids of its calls.
fn own(request: Request) -> Done<Request> {
    let Request::Ingest(label, mut items, refused) = request else { return Ok(request) };
    for item in items.iter_mut().filter(|item| item.key.partial.is_none()) {
        item.key.id = format!("{}-{}", item.key.id.as_str(), std::process::id()).parse()?;
    }
    Ok(Request::Ingest(label, items, refused))
}

/// One line, at once and whole.
pub fn say(said: &Said) {
    let Ok(mut line) = serde_json::to_string(said) else { return };
    line.push('\n');
    let mut out = std::io::stdout().lock();
    // A client that has gone hears nothing.
    drop(out.write_all(line.as_bytes()).and_then(|()| out.flush()));
}
