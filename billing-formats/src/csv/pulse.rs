//! From the columns of a record to a pulse.

use billing_core::{
    id::AccountId,
    item::{Party, Properties, Pulse, PulseReported},
    money::Quantity,
    time::Instant,
};

use crate::{
    accounts::AccountMap,
    csv::{DecimalMark, Payer, PulseOrigin, Pulses, Reason, Value, bad_row::Fault, fields::Fields},
};

/// The pulse that a record states.
pub(super) fn pulse(
    fields: Fields<'_>,
    pulses: &Pulses,
    accounts: &AccountMap,
) -> Result<PulseReported, Fault> {
    let key = fields.key(&pulses.id, pulses.leg.as_ref(), pulses.partial.as_ref())?;
    let at = fields.instant(&pulses.at)?;
    let pulse = Pulse {
        at,
        product: fields.value(&pulses.product)?,
        unit: fields.value(&pulses.unit)?,
        amount: amount(fields, &pulses.amount)?,
        properties: properties(fields, pulses)?,
    };
    Ok(PulseReported { key, account: account(fields, &pulses.account, at, accounts)?, pulse })
}

fn amount(fields: Fields<'_>, amount: &Value<Quantity>) -> Result<Quantity, Fault> {
    let column = match amount {
        Value::Constant(amount) => return Ok(*amount),
        Value::Column(column) => column,
    };
    let text = fields.text(column)?;
    let mark = fields.mapping.decimal;
    let amount = match mark {
        DecimalMark::Point => text.parse().ok(),
        DecimalMark::Comma if text.contains('.') => None,
        DecimalMark::Comma => text.replace(',', ".").parse().ok(),
    };
    amount.ok_or_else(|| Fault::at(column, Reason::Amount { mark: mark.char() }))
}

fn properties(fields: Fields<'_>, pulses: &Pulses) -> Result<Properties, Fault> {
    let mut pairs = Vec::with_capacity(pulses.properties.len());
    for (name, column) in &pulses.properties {
        let value = fields.text(column)?;
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    Properties::try_new(pairs).map_err(|error| Reason::from(error).into())
}

fn account(
    fields: Fields<'_>,
    payer: &Payer<PulseOrigin>,
    at: Instant,
    accounts: &AccountMap,
) -> Result<Option<AccountId>, Fault> {
    fields.payer(payer, at, accounts, |origin| match &origin.party {
        None => Ok(Party::unknown()),
        Some(column) => Ok(fields.normal(fields.parse(column)?)),
    })
}
