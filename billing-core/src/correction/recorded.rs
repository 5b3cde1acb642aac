//! A correction as it is kept.

use serde::{Deserialize, Serialize};

use crate::{
    correction::{Correction, CorrectionReport},
    digest::Digest,
    time::Instant,
};

/// A correction that was made, with its report: what a repetition is recognised by and answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCorrection {
    /// What was asked for.
    pub correction: Correction,
    /// When it was made.
    pub at: Instant,
    /// What it changed.
    pub report: CorrectionReport,
}

impl RecordedCorrection {
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
    /// let recorded = RecordedCorrection { correction, at, report };
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
