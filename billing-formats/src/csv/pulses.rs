//! Where the parts of a pulse stand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use billing_core::{
    id::{ProductId, Unit},
    money::Quantity,
};

use crate::csv::{Column, Moment, Payer, PulseOrigin, RecordId, Value};

/// Where the parts of a report of usage stand.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::{Pulses, Value};
///
/// // Every record is one message.
/// let pulses: Pulses = serde_json::from_str(
///     r#"{"id": "id", "account": "customer", "at": "sent", "product": {"constant": "sms"},
///         "unit": {"constant": "message"}, "amount": {"constant": "1"}, "properties": {"network": "operator"}}"#,
/// )?;
/// assert_eq!(pulses.amount, Value::Constant(1.into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pulses {
    /// What it is known by.
    pub id: RecordId,
    /// Which payer of it, if pulses have several; none where the column is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<Column>,
    /// The number of a partial record; the record is final where the column is empty or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Column>,
    /// Who pays.
    pub account: Payer<PulseOrigin>,
    /// When it was used.
    pub at: Moment,
    /// Of what.
    pub product: Value<ProductId>,
    /// What the amount counts.
    pub unit: Value<Unit>,
    /// How much.
    pub amount: Value<Quantity>,
    /// What else is kept, by the name it is to have; left out where the column is empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Column>,
}

impl Pulses {
    /// Every column that is read.
    pub(super) fn columns(&self) -> Vec<&Column> {
        let Self { id, leg, partial, account, at, .. } = self;
        let mut columns: Vec<_> = id.columns().iter().chain(leg).chain(partial).collect();
        columns.extend(account.columns());
        columns.extend(at.columns());
        columns.extend(self.product.column());
        columns.extend(self.unit.column());
        columns.extend(self.amount.column());
        columns.extend(self.properties.values());
        columns
    }
}
