//! What every service does around its own work: it listens, opens its database, stops when it is asked, and says how it ended.

use std::{error::Error, fmt::Display, io, net::SocketAddr, path::Path, process::ExitCode};

use tokio::net::TcpListener;

use billing::SqliteStore;

use crate::app::causes::with_causes;

pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| about(address, &error))
}

/// The database in a file, with its tables; made if it is not there.
pub async fn open(database: &Path) -> Result<SqliteStore, String> {
    migrated(database).await.map_err(|error| about(database.display(), &error))
}

/// Ends when somebody presses Ctrl-C or the system asks the process to end.
#[cfg(unix)]
pub fn stop_asked() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut pressed, mut asked) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = pressed.recv() => {}
            _ = asked.recv() => {}
        }
    })
}

/// Ends when somebody presses Ctrl-C.
#[cfg(windows)]
pub fn stop_asked() -> io::Result<impl Future<Output = ()>> {
    let mut pressed = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        pressed.recv().await;
    })
}

/// What the program ends with; a failure is said with its causes.
pub fn ended(program: &str, outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn migrated(database: &Path) -> billing::Result<SqliteStore> {
    let store = SqliteStore::open(database).await?;
    store.migrate().await?;
    Ok(store)
}

fn about(what: impl Display, error: &dyn Error) -> String {
    format!("{what}: {}", with_causes(error))
}
