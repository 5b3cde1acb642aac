//! What a file of a switch does not say about itself, and what its calls become with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use billing_core::{
    id::SourceId,
    item::{CallEnded, Direction, Incoming, Party},
    time::Zone,
};

use crate::{
    accounts::{AccountMap, Origin},
    dial_plan::DialPlan,
};

/// What a file of a switch does not say about itself.
///
/// # Examples
///
/// ```
/// use billing_core::item::Direction;
/// use billing_formats::asterisk::Options;
///
/// let options: Options = serde_json::from_str(
///     r#"{"source": "pbx-1", "zone": "Europe/Berlin", "contexts": {"from-trunk": "inbound"}}"#,
/// )?;
/// assert_eq!(options.direction("from-trunk"), Direction::Inbound);
/// assert_eq!(options.direction("office"), Direction::Outbound);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Which server wrote it; part of the key of every call.
    pub source: SourceId,
    /// The zone its local times are in, and of the days for which the account map is asked.
    pub zone: Zone,
    /// Which way calls of a dialplan context go; calls of others are outbound.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, Direction>,
    /// How the numbers of callers and callees are to be understood; `entry` leaves them as they are without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial_plan: Option<DialPlan>,
}

impl Options {
    /// Options under which every call is outbound.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{id::SourceId, item::Direction, time::Zone};
    /// use billing_formats::asterisk::Options;
    ///
    /// let mut options = Options::new(SourceId::try_new("pbx-1")?, Zone::try_new("UTC")?);
    /// options.contexts.insert("from-trunk".into(), Direction::Inbound);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn new(source: SourceId, zone: Zone) -> Self {
        Self { source, zone, contexts: BTreeMap::new(), dial_plan: None }
    }

    /// Which way a call of a dialplan context goes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::{id::SourceId, item::Direction, time::Zone};
    /// # use billing_formats::asterisk::Options;
    /// let options = Options::new(SourceId::try_new("pbx-1")?, Zone::try_new("UTC")?);
    /// assert_eq!(options.direction("office"), Direction::Outbound);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn direction(&self, context: &str) -> Direction {
        self.contexts.get(context).copied().unwrap_or(Direction::Outbound)
    }

    /// The call with its numbers as the dial plan has them, and the account that pays it on the day charging began.
    ///
    /// The account code and the channel are asked about with the caller.
    pub(crate) fn bill(
        &self,
        mut ended: CallEnded,
        (account_code, channel): (&str, &str),
        accounts: &AccountMap,
    ) -> Incoming {
        let call = &mut ended.call;
        if let Some(plan) = &self.dial_plan {
            for party in [&mut call.caller, &mut call.callee] {
                *party = Party::from(plan.normalize(party));
            }
        }
        let origin = Origin { account_code, channel, caller: call.caller.as_str() };
        ended.account = accounts.find(&origin, self.zone.day_of(call.start)).cloned();
        ended.into()
    }
}
