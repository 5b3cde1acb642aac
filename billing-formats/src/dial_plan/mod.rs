//! Numbers as they are dialled, and the plan that makes E.164 numbers of them.
//!
//! A switch writes what was dialled: `030 1234567`, `00442071838750`, `112`, `17`. A price is found by the number that was
//! meant: `+49301234567`. Between the two stands a [`DialPlan`], which is data: every country, and every office behind its own
//! exchange, has its own. What a plan does not know is left as it is; no number is cut, filled up or guessed.
//!
//! Numbers are told apart in this order; the first that fits decides:
//!
//! 1. a short code, or a number that begins with a special prefix, is [`Dialled::Short`];
//! 2. what begins with `+` is international;
//! 3. a number of few digits is [`Dialled::Internal`], if the plan has such;
//! 4. what begins with an international prefix is international;
//! 5. what begins with the national prefix is national, if it has the length of one, should the plan know one length;
//! 6. a number of that length is national also without the prefix;
//! 7. any other number without the national prefix is local to the area, if the plan names one; if it does not, and has no
//!    prefix for national numbers and no length of them either, it is national.

mod dialled;
mod invalid;
mod plan;
mod rules;

pub use dialled::Dialled;
pub use invalid::InvalidDialPlan;
pub use plan::DialPlan;
pub use rules::Rules;
