//! What PostgreSQL says went wrong, as what the caller can do about it.

use core::error::Error as StdError;

use sqlx::postgres::PgDatabaseError;

use crate::error::StoreError;

/// What the schema's triggers say: the past is not edited, a number is given once.
const RULE: &str = "BL001";

/// What the server said, without the values that its details quote.
#[derive(Debug, thiserror::Error)]
#[error("{message} ({code})")]
struct Said {
    code: String,
    message: String,
}

pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let Some(said) = error.as_database_error().and_then(|error| error.try_downcast_ref()) else {
        return unsaid(error);
    };
    let said: &PgDatabaseError = said;
    let source = Said { code: said.code().to_owned(), message: said.message().to_owned() };
    sorted(source)
}

/// The line is down, the pool is empty, or something that has nothing to do with the server.
fn unsaid(error: sqlx::Error) -> StoreError {
    use sqlx::Error::{Io, PoolTimedOut, Protocol, Tls};
    match error {
        Io(_) | Tls(_) | Protocol(_) | PoolTimedOut => {
            StoreError::Transient { source: error.into() }
        }
        // No write was refused for what it was: one who asks again elsewhere is answered.
        _ => StoreError::Failed { source: error.into() },
    }
}

/// By SQLSTATE; its first two characters are the class.
fn sorted(said: Said) -> StoreError {
    let (code, class) = (said.code.as_str(), said.code.get(..2).unwrap_or_default());
    let refused = match (code, class) {
        ("23505", _) => "the key exists",
        ("23514", _) => "a check failed",
        (RULE, _) => "a rule of the schema",
        (_, "23") => "a constraint",
        // Within one statement.
        ("21000", _) => "a key is named twice",
        ("25P02", _) => "an earlier write of the unit was refused",
        _ => return other(said),
    };
    StoreError::Refused { what: refused.into(), source: Some(said.into()) }
}

fn other(said: Said) -> StoreError {
    let (code, class) = (said.code.as_str(), said.code.get(..2).unwrap_or_default());
    match (code, class) {
        // Two units met: a deadlock, or what they read changed (40); the line (08).
        (_, "40" | "08")
        // A lock was not to be had in time, a statement took too long, a unit was idle; the server shuts down, starts up, or has become a
        // standby; no connection or no lock is left.
        | (
            "55P03" | "57014" | "25P03" | "57P01" | "57P02" | "57P03" | "57P05" | "25006" | "53300" | "53200",
            _,
        ) => StoreError::Transient { source: said.into() },
        // A page that cannot be read, an index that contradicts its table.
        ("XX001" | "XX002", _) => {
            StoreError::Corrupt { what: "the database".into(), source: Some(said.into()) }
        }
        _ => StoreError::Failed { source: said.into() },
    }
}

/// What a unit met that another one did at the same time.
pub(super) fn met(what: &'static str) -> StoreError {
    let source: Box<dyn StdError + Send + Sync> = what.into();
    StoreError::Transient { source }
}
