//! Pure rules of call and usage billing: facts in, decisions out.
//!
//! No clock, no I/O, no `async`, no randomness and no floating point: time, zones and everything else a rule depends on are
//! arguments. The same functions serve the store, the examples and the tests.
//!
//! | module | what it holds |
//! |---|---|
//! | [`id`], [`number`], [`money`], [`time`], [`digest`] | values, checked where they are made |
//! | [`item`], [`tax`], [`terms`], [`account`] | facts: calls and pulses, tax profiles, terms, accounts and their assignments |
//! | [`usage`] | sums of postings: day totals and carries |
//! | [`tariff`] | price lists by prefix, compiled, rated, explained, compared, tried out |
//! | [`plan`] | plans as strategies, and the built-in kinds |
//! | [`event`], [`correction`], [`invoice`], [`settlement`] | what is written: the journal, corrections of it, drafts and invoices, days handed downstream |
//! | [`outbox`] | what sinks are told of the journal, how far each has been told, and when to try again |
//! | [`decide`] | the rules that turn facts into writes |
#![no_std]

extern crate alloc;
#[cfg(feature = "parallel")]
extern crate std;

pub mod account;
pub mod correction;
pub mod decide;
pub mod digest;
pub mod event;
pub mod id;
pub mod invoice;
pub mod item;
pub mod money;
pub mod number;
pub mod outbox;
pub mod plan;
pub mod settlement;
pub mod tariff;
pub mod tax;
pub mod terms;
pub mod time;
pub mod usage;
