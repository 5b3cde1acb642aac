//! What a worker and its client say to each other: a line of JSON each.

use serde::{Deserialize, Serialize};

use crate::request::{Answer, Request};

/// What a client says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked {
    pub number: usize,
    pub request: Request,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Said {
    /// The store is open and its schema is in place.
    Ready,
    Answer(usize, Answer),
    /// The worker comes to this point for the first time, and ends there.
    Reached(String),
}
