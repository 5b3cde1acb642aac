//! One call detail record.

use core::fmt;

use billing_core::{
    id::{AccountId, ItemId},
    item::{Call, CallEnded, Disposition, ItemKey, Party},
    time::Instant,
};

use crate::{accounts::Origin, asterisk::Options};

/// One call detail record, as far as billing needs it.
///
/// Holds personal data: `Debug` shows neither the ends of the call nor free text.
///
/// # Examples
///
/// ```
/// use billing_core::{id::{AccountId, SourceId}, time::Zone};
/// use billing_formats::asterisk::{Options, Reader};
///
/// let options = Options::new(SourceId::try_new("pbx-1")?, Zone::try_new("UTC")?);
/// let file = "sales,101,102,office,,SIP/101-00000001,,Dial,,\
///     2026-10-01 08:00:00,2026-10-01 08:00:05,2026-10-01 08:01:06,66,61,ANSWERED,BILLING,1790841600.1";
/// for row in Reader::new(file.as_bytes(), &options) {
///     let cdr = row??;
///     assert_eq!(cdr.charged_from().to_string(), "2026-10-01T08:00:05Z");
///     assert_eq!(cdr.origin().account_code, "sales");
///     let ended = cdr.into_call(Some(AccountId::try_new("alice")?), &options);
///     assert_eq!(ended.key.to_string(), "pbx-1/1790841600.1");
///     assert_eq!(ended.call.duration_ms, 61_000);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Cdr {
    /// The physical line it was on, counted from 1.
    pub line: u64,
    /// The account code that Asterisk was told, often none.
    pub account_code: String,
    /// Who called.
    pub src: Party,
    /// Who was called.
    pub dst: Party,
    /// The dialplan context.
    pub context: String,
    /// The channel the call came in on.
    pub channel: String,
    /// The channel it went out on, if any.
    pub dst_channel: String,
    /// When the call began.
    pub start: Instant,
    /// When it was answered.
    pub answer: Option<Instant>,
    /// When it ended.
    pub end: Instant,
    /// Seconds from start to end.
    pub duration_s: u32,
    /// Seconds from answer to end.
    pub billsec: u32,
    /// How it ended.
    pub disposition: Disposition,
    /// What Asterisk knows it by.
    pub unique_id: ItemId,
    /// What the dialplan noted, if the column is there.
    pub user_field: String,
}

impl Cdr {
    /// When charging began: the answer, or the start if nobody answered.
    #[must_use]
    pub fn charged_from(&self) -> Instant {
        match self.disposition {
            Disposition::Answered => self.answer.unwrap_or(self.start),
            Disposition::NoAnswer | Disposition::Busy | Disposition::Failed => self.start,
        }
    }

    /// What tells who pays.
    #[must_use]
    pub fn origin(&self) -> Origin<'_> {
        Origin {
            account_code: &self.account_code,
            channel: &self.channel,
            caller: self.src.as_str(),
        }
    }

    /// The record as a call that `account` pays.
    #[must_use]
    pub fn into_call(self, account: Option<AccountId>, options: &Options) -> CallEnded {
        let call = Call {
            start: self.charged_from(),
            duration_ms: u64::from(self.billsec).saturating_mul(1_000),
            caller: self.src,
            callee: self.dst,
            disposition: self.disposition,
            direction: options.direction(&self.context),
        };
        CallEnded { key: ItemKey::new(options.source.clone(), self.unique_id), account, call }
    }
}

impl fmt::Debug for Cdr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cdr")
            .field("line", &self.line)
            .field("start", &self.start)
            .field("answer", &self.answer)
            .field("end", &self.end)
            .field("duration_s", &self.duration_s)
            .field("billsec", &self.billsec)
            .field("disposition", &self.disposition)
            .field("unique_id", &self.unique_id)
            .finish_non_exhaustive()
    }
}
