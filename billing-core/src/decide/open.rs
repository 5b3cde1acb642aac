//! Opening an account.

use crate::{
    account::AccountSettings,
    decide::{AccountFacts, Writes},
    event::{Event, Happened, Head, JournalEntry},
    id::AccountId,
    time::Instant,
};

/// An account cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenAccountError {
    /// There is one of this id, opened with other settings.
    #[error(
        "account {account} is open with other settings: settings are not changed by opening again"
    )]
    Differs {
        /// The id.
        account: AccountId,
    },
}

/// Decides to open an account; `None` if it is open with the same settings.
///
/// # Errors
///
/// [`OpenAccountError::Differs`] if the id is taken by an account with other settings.
///
/// # Examples
///
/// ```
/// use billing_core::{account::AccountSettings, decide::{AccountFacts, open_account}};
///
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// let now = "2026-10-01T08:00:00Z".parse()?;
/// let writes = open_account(None, &settings, now)?.expect("a new account");
/// assert_eq!(writes.events.len(), 1);
///
/// let (head, assignments) = (writes.heads[0].1, vec![]);
/// let settings = settings.clone();
/// let facts = AccountFacts { settings, head, assignments, invoiced_until: None, advanced_until: None };
/// assert_eq!(open_account(Some(&facts), &facts.settings, now)?, None);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn open_account(
    existing: Option<&AccountFacts>,
    settings: &AccountSettings,
    now: Instant,
) -> Result<Option<Writes>, OpenAccountError> {
    match existing {
        Some(facts) if facts.settings == *settings => Ok(None),
        Some(_) => Err(OpenAccountError::Differs { account: settings.id.clone() }),
        None => {
            let what = Happened::AccountOpened { settings: settings.clone() };
            let event = Event { account: settings.id.clone(), seq: 1, at: now, what };
            let head = Head::EMPTY.append(&JournalEntry::Event(event.clone()));
            Ok(Some(Writes {
                accounts: alloc::vec![settings.clone()],
                heads: alloc::vec![(settings.id.clone(), head)],
                events: alloc::vec![event],
                ..Writes::default()
            }))
        }
    }
}
