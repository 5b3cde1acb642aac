//! Why a correction is not made.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt::Write as _;

use crate::{
    decide::ParkReason,
    id::{AccountId, CorrectionId},
    item::ItemKey,
    money::MoneyError,
};

/// A correction cannot be made; nothing is to be stored of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CorrectError {
    /// The id is claimed by another correction.
    #[error("correction {id} was asked for with other content: give this one another id")]
    Differs {
        /// The id.
        id: CorrectionId,
    },
    /// Items cannot be priced as they would have to be.
    #[error("{count} items cannot be priced so: {}", list(first))]
    Unpriced {
        /// How many.
        count: u64,
        /// The first of them, with the reason.
        first: Vec<(ItemKey, ParkReason)>,
    },
    /// Who called whom is erased: it cannot be rated again, only voided.
    #[error("item {key} cannot be rated again: who called whom is erased; it can be voided")]
    Erased {
        /// The item.
        key: ItemKey,
    },
    /// A later record of the same usage counts in its place.
    #[error("record {by} of the same usage counts in place of {key}: correct that one")]
    Superseded {
        /// The record that was to be corrected.
        key: Box<ItemKey>,
        /// The one that counts.
        by: Box<ItemKey>,
    },
    /// An item stays of the kind that was reported.
    #[error("item {key} is a {ours}, a {theirs} is something else: void it, and record that")]
    OtherKind {
        /// The item.
        key: Box<ItemKey>,
        /// What it is.
        ours: &'static str,
        /// What it was to become.
        theirs: &'static str,
    },
    /// The postings of an item are not as many as it has.
    #[error("the postings of item {key} were not found")]
    Missing {
        /// The item.
        key: Box<ItemKey>,
    },
    /// The account of an item is not there.
    #[error("the account of item {key} was not found")]
    NoAccount {
        /// The item.
        key: Box<ItemKey>,
    },
    /// The account's journal has no numbers left.
    #[error("the journal of account {account} is full")]
    JournalFull {
        /// The account.
        account: AccountId,
    },
    /// A sum of the report leaves its bounds.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

fn list(first: &[(ItemKey, ParkReason)]) -> String {
    first.iter().fold(String::new(), |mut text, (key, reason)| {
        let between = if text.is_empty() { "" } else { "; " };
        // Writing to a text cannot fail.
        let _done: Result<(), core::fmt::Error> = write!(text, "{between}{key}: {reason}");
        text
    })
}
