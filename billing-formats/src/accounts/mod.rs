//! Who pays a call: rules that hold from a day until a day.

mod map;
mod private;
mod rule;
mod trunk;

pub use map::{AccountMap, InvalidRules};
pub use rule::{Match, Rule};
pub use trunk::trunk;

use core::fmt;

/// What a source says about who pays a call.
///
/// Personal data: `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Origin<'call> {
    /// The account code, empty if there is none.
    pub account_code: &'call str,
    /// The channel the call came in on, with or without what makes it unique.
    pub channel: &'call str,
    /// Who called, empty if nobody known.
    pub caller: &'call str,
}

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").finish_non_exhaustive()
    }
}
