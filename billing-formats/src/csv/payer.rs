//! Who pays a record, and where the file says so.

use serde::{Deserialize, Serialize};

use billing_core::id::AccountId;

use crate::csv::{Column, column::ColumnOr};

/// Who pays a record: an account that the file names, one for the whole file, or whom the account map finds.
///
/// A record without an account is no error: it names nobody, and is parked where it is taken in.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::{CallOrigin, Payer, Side};
///
/// let named: Payer<CallOrigin> = serde_json::from_str(r#""Account""#)?;
/// assert_eq!(named, Payer::Column("Account".into()));
/// let found: Payer<CallOrigin> = serde_json::from_str(r#"{"map": {"party": "callee"}}"#)?;
/// assert!(matches!(found, Payer::Map(CallOrigin { party: Side::Callee, .. })));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "ColumnOr<Other<O>>",
    into = "ColumnOr<Other<O>>",
    bound(serialize = "O: Clone + Serialize", deserialize = "O: Deserialize<'de>")
)]
pub enum Payer<O> {
    /// The account that this column names; nobody where it is empty.
    Column(Column),
    /// One account for the whole file.
    Constant(AccountId),
    /// Whom the [account map](crate::accounts) finds by what is here.
    Map(O),
}

/// What the account map is asked about a call.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::{CallOrigin, Side};
///
/// let origin: CallOrigin = serde_json::from_str(r#"{"channel": "trunk", "party": "ours"}"#)?;
/// assert_eq!((origin.channel, origin.party), (Some("trunk".into()), Side::Ours));
/// assert_eq!(CallOrigin::default().party, Side::Caller);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallOrigin {
    /// Where its account code stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_code: Option<Column>,
    /// Where the channel or trunk stands that it came in on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Column>,
    /// Which end of it the rules for callers are asked about.
    #[serde(default)]
    pub party: Side,
}

/// What the account map is asked about a pulse.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::PulseOrigin;
///
/// let origin: PulseOrigin = serde_json::from_str(r#"{"party": "sender"}"#)?;
/// assert_eq!(origin.party, Some("sender".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PulseOrigin {
    /// Where its account code stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_code: Option<Column>,
    /// Where the channel or trunk stands that it came in on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Column>,
    /// Where the number stands that the rules for callers are asked about, such as the sender of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Column>,
}

/// One end of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who called.
    #[default]
    Caller,
    /// Who was called.
    Callee,
    /// Who was called if the call was inbound, and otherwise who called.
    Ours,
}

impl<O: Default> Default for Payer<O> {
    /// Whom the account map finds by what it is asked unless told otherwise.
    fn default() -> Self {
        Self::Map(O::default())
    }
}

/// Where it stands what the account map is asked about.
pub(super) trait Asked {
    fn asked(&self) -> AskedColumns<'_>;
}

pub(super) struct AskedColumns<'mapping> {
    pub(super) account_code: Option<&'mapping Column>,
    pub(super) channel: Option<&'mapping Column>,
    /// The party, if it is nothing that is read anyway.
    party: Option<&'mapping Column>,
}

impl Asked for CallOrigin {
    fn asked(&self) -> AskedColumns<'_> {
        let Self { account_code, channel, .. } = self;
        AskedColumns { account_code: account_code.as_ref(), channel: channel.as_ref(), party: None }
    }
}

impl Asked for PulseOrigin {
    fn asked(&self) -> AskedColumns<'_> {
        let [account_code, channel, party] =
            [&self.account_code, &self.channel, &self.party].map(Option::as_ref);
        AskedColumns { account_code, channel, party }
    }
}

impl<O> Payer<O> {
    pub(super) fn columns(&self) -> impl Iterator<Item = &Column>
    where
        O: Asked,
    {
        let columns = match self {
            Self::Column(column) => [Some(column), None, None],
            Self::Constant(_) => [None; 3],
            Self::Map(origin) => {
                let AskedColumns { account_code, channel, party } = origin.asked();
                [account_code, channel, party]
            }
        };
        columns.into_iter().flatten()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Other<O> {
    Constant(AccountId),
    Map(O),
}

impl<O> From<ColumnOr<Other<O>>> for Payer<O> {
    fn from(form: ColumnOr<Other<O>>) -> Self {
        match form {
            ColumnOr::Column(column) => Self::Column(column),
            ColumnOr::Other(Other::Constant(account)) => Self::Constant(account),
            ColumnOr::Other(Other::Map(origin)) => Self::Map(origin),
        }
    }
}

impl<O> From<Payer<O>> for ColumnOr<Other<O>> {
    fn from(payer: Payer<O>) -> Self {
        match payer {
            Payer::Column(column) => Self::Column(column),
            Payer::Constant(account) => Self::Other(Other::Constant(account)),
            Payer::Map(origin) => Self::Other(Other::Map(origin)),
        }
    }
}
