//! The terms of strategies as JSON, and an account's own in place of a plan's.

mod overrides;
pub(crate) mod strict_json;

pub use overrides::{InvalidOverrides, Overrides};
