//! Which variables say who called, who was called, who pays and which way.

use serde::{Deserialize, Serialize};

/// Which variables say who called, who was called, who pays and which way; and which legs are read.
///
/// # Examples
///
/// ```
/// use billing_formats::freeswitch::{Legs, Variables};
///
/// // As where the dial plan notes whose call it is, and FusionPBX which way it goes.
/// let variables: Variables =
///     serde_json::from_str(r#"{"account_code": "tenant", "context": "call_direction"}"#)?;
/// assert_eq!(variables.caller, "caller_id_number");
/// assert_eq!(variables.legs, Legs::A);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variables {
    /// The account code that the account map is asked about; `accountcode` if left out.
    pub account_code: String,
    /// Who called; `caller_id_number` if left out.
    pub caller: String,
    /// Who was called; `destination_number` if left out.
    ///
    /// That is where the dial plan sent the call last. Where a number of one's own is sent on to an extension, the number that
    /// was dialled is in `sip_req_user`.
    pub callee: String,
    /// What [`Options::contexts`](super::Options::contexts) is asked about; `context` if left out.
    pub context: String,
    /// The channel or trunk that the account map is asked about; `channel_name` if left out.
    ///
    /// The name of a channel holds the number that called. What stays the same is in `sip_gateway_name` or `sip_network_ip`.
    pub channel: String,
    /// Which records are read.
    pub legs: Legs,
}

/// Which records are read, where the switch writes one for each leg of a call.
///
/// # Examples
///
/// ```
/// use billing_formats::freeswitch::Legs;
///
/// assert_eq!(serde_json::from_str::<Legs>(r#""both""#)?, Legs::Both);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Legs {
    /// Those of A legs; one of a B leg is refused.
    #[default]
    A,
    /// All: each leg is a call of its own, with its own payer.
    Both,
}

impl Default for Variables {
    fn default() -> Self {
        Self {
            account_code: "accountcode".into(),
            caller: "caller_id_number".into(),
            callee: "destination_number".into(),
            context: "context".into(),
            channel: "channel_name".into(),
            legs: Legs::A,
        }
    }
}
