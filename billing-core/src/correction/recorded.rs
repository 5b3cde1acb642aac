//! A correction as it is kept.

use serde::{Deserialize, Serialize};

use crate::{
    correction::{Change, Correction, CorrectionReport},
    digest::Digest,
    time::Instant,
};

/// A correction that was made, with its report: what a repetition is recognised by and answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCorrection {
    /// What was asked for, without the persons in it.
    pub correction: Correction,
    /// The digest of what was asked for, [with them](Correction::digest).
    pub request: Digest,
    /// When it was made.
    pub at: Instant,
    /// What it changed.
    pub report: CorrectionReport,
}

impl RecordedCorrection {
    /// What is kept of a correction that was made.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::{Change, Correction, CorrectionReport, RecordedCorrection};
    /// use billing_core::item::Item;
    ///
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"+12025550123",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let change = Change::Amend { key: call.key, item: Item::Call(call.call) };
    /// let correction = Correction { id: "ticket-7".parse()?, reason: "it ended earlier".into(), change };
    /// let at = "2026-10-05T12:00:00Z".parse()?;
    /// let recorded = RecordedCorrection::of(&correction, at, CorrectionReport::default());
    /// assert!(recorded.is_of(&correction));
    /// let Change::Amend { item: Item::Call(call), .. } = recorded.correction.change else { unreachable!() };
    /// assert_eq!(call.callee.as_str(), ""); // it stands in the item, and can be erased there
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of(correction: &Correction, at: Instant, report: CorrectionReport) -> Self {
        let request = correction.digest();
        let mut kept = correction.clone();
        if let Change::Amend { item, .. } = &mut kept.change {
            *item = item.without_persons();
        }
        Self { correction: kept, request, at, report }
    }

    /// Whether it is this one that was asked for.
    ///
    /// # Examples
    ///
    /// See [`of`](Self::of).
    #[must_use]
    pub fn is_of(&self, correction: &Correction) -> bool {
        self.request == correction.digest()
    }

    /// A digest of all of it, kept beside it so that an edited one is found.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::{Change, Correction, CorrectionReport, RecordedCorrection, Selection};
    ///
    /// let change = Change::Rerate { selection: Selection::all() };
    /// let correction = Correction { id: "june".parse()?, reason: "a new deck".into(), change };
    /// let (at, report) = ("2026-10-05T12:00:00Z".parse()?, CorrectionReport::default());
    /// let recorded = RecordedCorrection::of(&correction, at, report);
    /// let other = RecordedCorrection { at: "2026-10-05T12:00:01Z".parse()?, ..recorded.clone() };
    /// assert_ne!(recorded.digest(), other.digest());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn digest(&self) -> Digest {
        // Serialising a value made of texts, numbers and lists of them cannot fail.
        Digest::of().text(&serde_json::to_string(self).unwrap_or_default()).finish()
    }
}
