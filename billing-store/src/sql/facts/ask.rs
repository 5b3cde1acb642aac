//! Keys as one parameter of a question.

use std::collections::BTreeSet;

use billing_core::{id::AccountId, item::ItemKey};

use crate::{error::StoreResult, sql::bulk::json};

/// Accounts, each once: `[[account], ...]`.
pub(super) fn account_json(accounts: &[AccountId]) -> StoreResult<String> {
    json(&accounts.iter().map(|account| [account.as_str()]).collect::<BTreeSet<_>>())
}

/// The key that a page of items begins behind, column by column.
pub(super) fn page_key(after: Option<&ItemKey>) -> (&str, &str, &str, i64) {
    after.map_or(("", "", "", 0), |key| {
        (key.source.as_str(), key.id.as_str(), key.leg_text(), key.partial_number().into())
    })
}
