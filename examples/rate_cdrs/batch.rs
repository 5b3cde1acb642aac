//! Calls that are rated together.

use billing::{
    core::{
        item::Disposition,
        number::PhoneNumber,
        tariff::{RateError, Rated, Rater, Tariff, Usage},
        time::Instant,
    },
    formats::csv::{BadRow, CallRow},
};

use super::{Done, rated::RatedFile, totals::Totals};

/// So many calls make rating fast, and stay in the fastest memory.
const CALLS: usize = 512;

/// What is known of a call once its line is gone.
pub struct Call<'b> {
    /// Empty where no call is written.
    pub id: &'b str,
    pub account: &'b str,
    pub start: Instant,
    pub duration_ms: u64,
}

/// What a call costs; `None` if it was not answered.
pub type Price<'t> = Result<Option<Rated<'t>>, RateError>;

pub struct Batch<'t> {
    tariff: &'t Tariff,
    has_origins: bool,
    totals: Totals<'t>,
    rated: Option<RatedFile>,
    calls: Vec<Kept>,
    /// Ids and accounts, one after the other.
    text: String,
    /// Those of the calls that were answered.
    usages: Vec<Usage>,
    prices: Vec<Result<Rated<'t>, RateError>>,
}

struct Kept {
    /// Where its id ends in the text, and its account.
    ends: [usize; 2],
    start: Instant,
    duration_ms: u64,
    is_answered: bool,
}

impl<'t> Batch<'t> {
    pub fn new(tariff: &'t Tariff, totals: Totals<'t>, rated: Option<RatedFile>) -> Self {
        let calls = Vec::with_capacity(CALLS);
        let (text, usages, prices) = (String::new(), Vec::new(), Vec::new());
        Self {
            tariff,
            has_origins: tariff.has_origins(),
            totals,
            rated,
            calls,
            text,
            usages,
            prices,
        }
    }

    pub fn call(&mut self, call: &CallRow<'_>) -> Done {
        let is_answered = call.disposition == Disposition::Answered && call.duration_ms > 0;
        if is_answered {
            self.usages.push(usage(call, self.has_origins));
        }
        if self.rated.is_some() {
            self.text.push_str(call.id);
        }
        let id_end = self.text.len();
        self.text.push_str(call.account.unwrap_or_default());
        let (ends, start, duration_ms) = ([id_end, self.text.len()], call.start, call.duration_ms);
        self.calls.push(Kept { ends, start, duration_ms, is_answered });
        if self.calls.len() == CALLS { self.rate() } else { Ok(()) }
    }

    /// A line that is no call.
    pub fn refused(&mut self, bad: &BadRow) -> Done {
        self.rate()?;
        if let Some(rated) = &mut self.rated {
            rated.refused(bad)?;
        }
        self.totals.refuse(bad);
        Ok(())
    }

    /// Rates the calls so far.
    pub fn rate(&mut self) -> Done {
        Rater::Version(self.tariff).rate_batch(&self.usages, &mut self.prices);
        self.usages.clear();
        let mut prices = self.prices.drain(..);
        let mut begins = 0;
        for Kept { ends: [id, account], start, duration_ms, is_answered } in self.calls.drain(..) {
            let call = Call {
                id: &self.text[begins..id],
                account: &self.text[id..account],
                start,
                duration_ms,
            };
            let price: Price<'_> = match is_answered {
                true => prices.next().transpose(),
                false => Ok(None),
            };
            if let Some(rated) = &mut self.rated {
                rated.call(&call, &price)?;
            }
            self.totals.add(&call, price)?;
            begins = account;
        }
        drop(prices);
        self.text.clear();
        Ok(())
    }

    pub fn finish(mut self) -> Done<Totals<'t>> {
        self.rate()?;
        if let Some(rated) = self.rated {
            rated.finish()?;
        }
        Ok(self.totals)
    }
}

fn usage(call: &CallRow<'_>, has_origins: bool) -> Usage {
    let usage = match PhoneNumber::try_new(call.callee) {
        Ok(callee) => Usage::call(&callee, call.start, call.duration_ms),
        Err(_) => Usage::call_to_nobody(call.start, call.duration_ms),
    };
    match PhoneNumber::try_new(if has_origins { call.caller } else { "" }) {
        Ok(caller) => usage.from(&caller),
        Err(_) => usage,
    }
}
