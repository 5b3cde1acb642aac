//! The values of the variables that are read.

use std::borrow::Cow;

use crate::freeswitch::{Reason, Variables};

macro_rules! roles {
    ($($role:ident $name:literal,)*) => {
        /// What a variable is read as.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Role {
            AccountCode,
            Caller,
            Callee,
            Context,
            Channel,
            $($role,)*
        }

        impl Role {
            pub(super) const ALL: &[Self] =
                &[Self::AccountCode, Self::Caller, Self::Callee, Self::Context, Self::Channel, $(Self::$role,)*];

            /// The variable that is read as this.
            pub(super) fn variable(self, variables: &Variables) -> &str {
                match self {
                    Self::AccountCode => &variables.account_code,
                    Self::Caller => &variables.caller,
                    Self::Callee => &variables.callee,
                    Self::Context => &variables.context,
                    Self::Channel => &variables.channel,
                    $(Self::$role => $name,)*
                }
            }
        }
    };
}

roles! {
    Uuid "uuid",
    OriginatingLeg "originating_leg_uuid",
    Originator "originator",
    Bridge "bridge_uuid",
    BLeg "bleg_uuid",
    HangupCause "hangup_cause",
    StartUepoch "start_uepoch",
    StartEpoch "start_epoch",
    StartStamp "start_stamp",
    AnswerUepoch "answer_uepoch",
    AnswerEpoch "answer_epoch",
    AnswerStamp "answer_stamp",
    EndUepoch "end_uepoch",
    EndEpoch "end_epoch",
    EndStamp "end_stamp",
    Duration "duration",
    Billusec "billusec",
    Billmsec "billmsec",
    Billsec "billsec",
}

/// A value of a variable.
#[derive(Clone, Debug)]
pub(super) enum Value<'record> {
    Text(Cow<'record, str>),
    /// Something that is no text.
    Unfit,
    /// A text with a quotation mark, taken from between others.
    Quoted,
}

/// The values of the variables that are read, each in the place of its role.
#[derive(Clone, Debug)]
pub(super) struct Values<'record> {
    variables: &'record Variables,
    by_role: Vec<Option<Value<'record>>>,
    /// A variable that was there twice.
    twice: Option<Role>,
}

impl<'record> Values<'record> {
    pub(super) fn new(variables: &'record Variables) -> Self {
        Self { variables, by_role: vec![None; Role::ALL.len()], twice: None }
    }

    pub(super) fn variable(&self, role: Role) -> &'record str {
        role.variable(self.variables)
    }

    /// Whether a variable is read as anything.
    pub(super) fn is_read(&self, variable: &str) -> bool {
        Role::ALL.iter().any(|role| self.variable(*role) == variable)
    }

    /// Keeps the value of a variable for every role it has.
    pub(super) fn insert(&mut self, variable: &str, value: &Value<'record>) {
        for (role, slot) in Role::ALL.iter().zip(&mut self.by_role) {
            if role.variable(self.variables) == variable && slot.replace(value.clone()).is_some() {
                self.twice = Some(*role);
            }
        }
    }

    /// Takes the values of others for roles that have none here.
    pub(super) fn complete_with(&mut self, others: &Self) {
        for (own, other) in self.by_role.iter_mut().zip(&others.by_role) {
            if own.is_none() {
                own.clone_from(other);
            }
        }
    }

    /// Changes every text; what becomes `None` is unfit.
    pub(super) fn change(&mut self, change: impl Fn(&str) -> Option<String>) {
        for value in self.by_role.iter_mut().flatten() {
            if let Value::Text(text) = value {
                *value = change(text).map_or(Value::Unfit, |text| Value::Text(text.into()));
            }
        }
    }

    /// Refuses values of which it is not sure whose they are.
    pub(super) fn check(&self) -> Result<(), Reason> {
        match self.twice {
            None => Ok(()),
            Some(role) => Err(Reason::Twice { variable: self.variable(role).to_owned() }),
        }
    }

    /// Whether a variable is there, perhaps empty.
    pub(super) fn has(&self, role: Role) -> bool {
        self.by_role.get(role as usize).is_some_and(Option::is_some)
    }

    /// The text of a variable without spaces and tabs around it; empty if it is missing.
    pub(super) fn text(&self, role: Role) -> Result<&str, Reason> {
        let variable = || self.variable(role).to_owned();
        match self.by_role.get(role as usize).and_then(Option::as_ref) {
            None => Ok(""),
            Some(Value::Text(text)) => Ok(text.trim_matches([' ', '\t'])),
            Some(Value::Unfit) => Err(Reason::Text { variable: variable() }),
            Some(Value::Quoted) => Err(Reason::Quote { variable: variable() }),
        }
    }

    /// The number of a variable, if it is there.
    pub(super) fn number(&self, role: Role) -> Result<Option<u64>, Reason> {
        let text = self.text(role)?;
        if text.is_empty() {
            return Ok(None);
        }
        // A sign is refused: reading a number would accept a plus.
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_digits);
        let unread = || Reason::Number { variable: self.variable(role).to_owned() };
        number.map(Some).ok_or_else(unread)
    }

    pub(super) fn missing(&self, role: Role) -> Reason {
        Reason::Missing { variable: self.variable(role).to_owned() }
    }
}
