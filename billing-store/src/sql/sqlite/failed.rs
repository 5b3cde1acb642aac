//! What SQLite says went wrong, as what the caller can do about it.

use crate::error::StoreError;

/// Sorts what the driver says into what the caller can do about it.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let database = |error: &sqlx::Error| {
        let database = error.as_database_error()?;
        Some((
            database.code()?.into_owned(),
            database.is_unique_violation(),
            database.is_check_violation(),
        ))
    };
    match database(&error) {
        Some((_, true, _)) => {
            StoreError::Refused { what: "the key exists".into(), source: Some(error.into()) }
        }
        Some((_, _, true)) => {
            StoreError::Refused { what: "a check failed".into(), source: Some(error.into()) }
        }
        // SQLITE_CONSTRAINT_TRIGGER: the past is not edited, a number is given once.
        Some((code, ..)) if code == "1811" => {
            StoreError::Refused { what: "a rule of the schema".into(), source: Some(error.into()) }
        }
        // SQLITE_BUSY and SQLITE_LOCKED, with their extended codes in the higher bytes.
        Some((code, ..)) if code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6)) => {
            StoreError::Transient { source: error.into() }
        }
        // SQLITE_CORRUPT and SQLITE_NOTADB.
        Some((code, ..))
            if code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 11 | 26)) =>
        {
            StoreError::Corrupt { what: "the file".into(), source: Some(error.into()) }
        }
        // SQLITE_CONSTRAINT, with its extended codes in the higher bytes.
        Some((code, ..)) if code.parse::<u32>().is_ok_and(|code| code & 0xff == 19) => {
            StoreError::Refused { what: "a constraint".into(), source: Some(error.into()) }
        }
        _ if matches!(error, sqlx::Error::PoolTimedOut) => {
            StoreError::Transient { source: error.into() }
        }
        _ => StoreError::Failed { source: error.into() },
    }
}
