//! Errors in a log.

use std::error::Error;

/// An error and what caused it, in one line; a driver may repeat itself.
pub fn with_causes(mut error: &dyn Error) -> String {
    let mut line = error.to_string();
    while let Some(cause) = error.source() {
        error = cause;
        let said = cause.to_string();
        if !line.ends_with(&said) {
            line = format!("{line}: {said}");
        }
    }
    line
}
