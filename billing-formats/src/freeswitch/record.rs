//! From the values of variables to a record whose parts agree.

use billing_core::{
    id::ItemId,
    item::{Disposition, Party},
};

use crate::{
    clock::Clock,
    freeswitch::{
        Cdr, Leg, Legs, Options, Reason, Variables,
        times::Times,
        values::{Role, Values},
    },
};

/// Makes records, with the same clock for all of them.
pub(super) struct Recorder<'options> {
    variables: &'options Variables,
    clock: Clock,
}

impl<'options> Recorder<'options> {
    pub(super) fn new(variables: &'options Variables, options: &Options) -> Self {
        Self { variables, clock: Clock::new(options.zone.clone()) }
    }

    pub(super) const fn variables(&self) -> &'options Variables {
        self.variables
    }

    /// The record that the values of a line state.
    pub(super) fn record(&mut self, line: u64, values: &Values<'_>) -> Result<Cdr, Reason> {
        let times = Times::read(values, &mut self.clock)?;
        let (leg, other_leg) = legs(values)?;
        if (leg, self.variables.legs) == (Leg::B, Legs::A) {
            return Err(Reason::BLeg);
        }
        let uuid = values.text(Role::Uuid)?;
        if uuid.is_empty() {
            return Err(values.missing(Role::Uuid));
        }
        let hangup_cause = values.text(Role::HangupCause)?;
        let disposition = match times.answer {
            Some(_) => Disposition::Answered,
            None if hangup_cause.is_empty() => return Err(values.missing(Role::HangupCause)),
            None => unanswered(hangup_cause),
        };
        Ok(Cdr {
            line,
            uuid: ItemId::try_new(uuid)?,
            leg,
            other_leg: other_leg.to_owned(),
            account_code: values.text(Role::AccountCode)?.to_owned(),
            caller: party(values, Role::Caller)?,
            callee: party(values, Role::Callee)?,
            context: values.text(Role::Context)?.to_owned(),
            channel: values.text(Role::Channel)?.to_owned(),
            start: times.start,
            answer: times.answer,
            end: times.end,
            talk_ms: times.talk_ms,
            disposition,
            hangup_cause: hangup_cause.to_owned(),
        })
    }
}

/// Which leg it is, and the other one as far as it is known.
fn legs<'record>(values: &'record Values<'_>) -> Result<(Leg, &'record str), Reason> {
    let originator = first_of(values, [Role::OriginatingLeg, Role::Originator])?;
    if originator.is_empty() || originator == values.text(Role::Uuid)? {
        Ok((Leg::A, first_of(values, [Role::Bridge, Role::BLeg])?))
    } else {
        Ok((Leg::B, originator))
    }
}

fn first_of<'record>(
    values: &'record Values<'_>,
    [one, two]: [Role; 2],
) -> Result<&'record str, Reason> {
    match values.text(one)? {
        "" => values.text(two),
        text => Ok(text),
    }
}

/// How a call ended that nobody answered.
fn unanswered(hangup_cause: &str) -> Disposition {
    match hangup_cause {
        "USER_BUSY" => Disposition::Busy,
        "NO_ANSWER" | "NO_USER_RESPONSE" | "ORIGINATOR_CANCEL" | "LOSE_RACE" | "PICKED_OFF"
        | "NORMAL_CLEARING" => Disposition::NoAnswer,
        _ => Disposition::Failed,
    }
}

fn party(values: &Values<'_>, role: Role) -> Result<Party, Reason> {
    let variable = || values.variable(role).to_owned();
    let party = values.text(role)?.parse();
    party.map_err(|problem| Reason::Party { variable: variable(), problem })
}
