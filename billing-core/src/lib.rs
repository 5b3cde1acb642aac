//! Pure rules of call and usage billing: facts in, decisions out.
#![no_std]

extern crate alloc;

pub mod id;
pub mod money;
pub mod number;
pub mod time;
