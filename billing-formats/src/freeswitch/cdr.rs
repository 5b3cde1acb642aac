//! One call detail record.

use core::fmt;

use billing_core::{
    id::{AccountId, ItemId},
    item::{Call, CallEnded, Disposition, ItemKey, Party},
    time::Instant,
};

use crate::freeswitch::Options;

/// One call detail record, as far as billing needs it.
///
/// Holds personal data: `Debug` shows neither the ends of the call nor free text.
///
/// # Examples
///
/// ```
/// use billing_core::{id::{AccountId, SourceId}, time::Zone};
/// use billing_formats::freeswitch::{CsvReader, Options, Template, Variables};
///
/// let options = Options::new(SourceId::try_new("fs-1")?, Zone::try_new("UTC")?);
/// let template = "${uuid},${caller_id_number},${destination_number},${start_epoch},${answer_epoch},${end_epoch},${hangup_cause}";
/// let (template, variables) = (template.parse::<Template>()?, Variables::default());
/// let file = "f00d,101,102,1790841600,1790841605,1790841666,NORMAL_CLEARING";
/// for row in CsvReader::try_new(file.as_bytes(), &template, &variables, &options)? {
///     let cdr = row??;
///     assert_eq!(cdr.charged_from().to_string(), "2026-10-01T08:00:05Z");
///     let ended = cdr.into_call(Some(AccountId::try_new("alice")?), &options);
///     assert_eq!(ended.key.to_string(), "fs-1/f00d");
///     assert_eq!(ended.call.duration_ms, 61_000);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Cdr {
    /// The physical line it was on, counted from 1.
    pub line: u64,
    /// What the switch knows this leg by.
    pub uuid: ItemId,
    /// Which leg it is.
    pub leg: Leg,
    /// The uuid of the other leg, empty if it is not known.
    pub other_leg: String,
    /// The account code, often none.
    pub account_code: String,
    /// Who called.
    pub caller: Party,
    /// Who was called.
    pub callee: Party,
    /// The dial plan's context, or what else tells the direction.
    pub context: String,
    /// The channel the call came in on, or what else tells the trunk.
    pub channel: String,
    /// When the call began.
    pub start: Instant,
    /// When it was answered.
    pub answer: Option<Instant>,
    /// When it ended, if the record has it.
    pub end: Option<Instant>,
    /// Milliseconds talked.
    pub talk_ms: u64,
    /// How it ended.
    pub disposition: Disposition,
    /// How the switch says it ended.
    pub hangup_cause: String,
}

/// One of the two that the switch bridges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// From the caller to the switch; or the record does not say.
    A,
    /// From the switch to the callee.
    B,
}

impl Cdr {
    /// When charging began: the answer, or the start if nobody answered.
    #[must_use]
    pub fn charged_from(&self) -> Instant {
        self.answer.unwrap_or(self.start)
    }

    /// The record as a call that `account` pays.
    #[must_use]
    pub fn into_call(self, account: Option<AccountId>, options: &Options) -> CallEnded {
        let call = Call {
            start: self.charged_from(),
            duration_ms: self.talk_ms,
            caller: self.caller,
            callee: self.callee,
            disposition: self.disposition,
            direction: options.direction(&self.context),
        };
        CallEnded { key: ItemKey::new(options.source.clone(), self.uuid), account, call }
    }
}

impl fmt::Debug for Cdr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cdr")
            .field("line", &self.line)
            .field("uuid", &self.uuid)
            .field("leg", &self.leg)
            .field("start", &self.start)
            .field("answer", &self.answer)
            .field("end", &self.end)
            .field("talk_ms", &self.talk_ms)
            .field("disposition", &self.disposition)
            .finish_non_exhaustive()
    }
}
