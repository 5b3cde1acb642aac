//! From the columns of a record to a call whose parts agree.

use billing_core::{
    id::AccountId,
    item::{Call, CallEnded, Direction, Disposition},
    time::Instant,
};

use crate::{
    accounts::AccountMap,
    csv::{
        CallOrigin, Calls, Duration, Payer, Reason, Side,
        bad_row::Fault,
        fields::Fields,
        numbers::{clock_ms, whole_units},
    },
};

/// The call that a record states.
pub(super) fn call(
    fields: Fields<'_>,
    calls: &Calls,
    accounts: &AccountMap,
) -> Result<CallEnded, Fault> {
    let key = fields.key(&calls.id, calls.leg.as_ref(), calls.partial.as_ref())?;
    let disposition = fields.choice(&calls.disposition)?;
    let start = charged_from(fields, calls, disposition)?;
    let call = Call {
        start,
        duration_ms: talk_ms(fields, calls, disposition, start)?,
        caller: fields.normal(fields.value(&calls.caller)?),
        callee: fields.normal(fields.value(&calls.callee)?),
        disposition,
        direction: fields.choice(&calls.direction)?,
    };
    Ok(CallEnded { key, account: account(fields, &calls.account, &call, accounts)?, call })
}

fn charged_from(
    fields: Fields<'_>,
    calls: &Calls,
    disposition: Disposition,
) -> Result<Instant, Fault> {
    let start = fields.instant(&calls.start)?;
    let Some(answer) = calls.answer.as_ref().filter(|_| is_answered(disposition)) else {
        return Ok(start);
    };
    let fault = |reason: Reason| Err(Fault::at(answer.column(), reason));
    if fields.is_empty(answer)? {
        return fault(Reason::AnswerMissing);
    }
    let answered = fields.instant(answer)?;
    if answered < start { fault(Reason::AnswerBeforeStart) } else { Ok(answered) }
}

fn talk_ms(
    fields: Fields<'_>,
    calls: &Calls,
    disposition: Disposition,
    start: Instant,
) -> Result<u64, Fault> {
    let column = calls.duration.column();
    if let Some(end) = calls.duration.until() {
        return if is_answered(disposition) {
            let talk_ms = start.millis_until(fields.instant(end)?);
            talk_ms.ok_or_else(|| Fault::at(column, Reason::EndBeforeStart))
        } else {
            Ok(0)
        };
    }
    let text = fields.text(column)?;
    match (stated_ms(fields, &calls.duration, text), is_answered(disposition)) {
        (Ok(0), false) => Ok(0),
        (Ok(talk_ms), false) => Err(Fault::at(column, Reason::TalkUnanswered { talk_ms })),
        (Err(_), false) if text.is_empty() => Ok(0),
        (stated, _) => stated.map_err(|reason| Fault::at(column, reason)),
    }
}

fn stated_ms(fields: Fields<'_>, duration: &Duration, text: &str) -> Result<u64, Reason> {
    let mark = fields.mapping.decimal;
    let (ms, accepted) = match duration {
        Duration::Seconds(_) => (whole_units(text, mark, 1_000), "a number of seconds"),
        Duration::Milliseconds(_) => (whole_units(text, mark, 1), "a number of milliseconds"),
        Duration::Minutes(_) => (whole_units(text, mark, 60_000), "a number of minutes"),
        Duration::Clock(_) | Duration::Until(_) => {
            (clock_ms(text, mark), "hours, minutes and seconds such as 1:02:03")
        }
    };
    ms.ok_or(Reason::Duration { accepted })
}

fn account(
    fields: Fields<'_>,
    payer: &Payer<CallOrigin>,
    call: &Call,
    accounts: &AccountMap,
) -> Result<Option<AccountId>, Fault> {
    fields.payer(payer, call.start, accounts, |origin| {
        let party = match (origin.party, call.direction) {
            (Side::Callee, _) | (Side::Ours, Direction::Inbound) => &call.callee,
            (Side::Caller, _) | (Side::Ours, Direction::Outbound | Direction::Internal) => {
                &call.caller
            }
        };
        Ok(party.clone())
    })
}

const fn is_answered(disposition: Disposition) -> bool {
    match disposition {
        Disposition::Answered => true,
        Disposition::NoAnswer | Disposition::Busy | Disposition::Failed => false,
    }
}
