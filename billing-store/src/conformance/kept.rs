//! Whether a promise was kept, and what was seen instead.

use core::error::Error as StdError;

/// What was seen instead of what was promised.
///
/// No error itself, so that every error becomes one by `?`.
#[derive(Debug)]
pub(super) struct Failed(pub(super) String);

/// Whether a promise was kept.
pub(super) type Kept = Result<(), Failed>;

impl<E: StdError> From<E> for Failed {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self(format!("an error came: {text}"))
    }
}

/// Fails with `what` unless it held.
pub(super) fn ensure(held: bool, what: impl Into<String>) -> Kept {
    if held { Ok(()) } else { Err(Failed(what.into())) }
}
