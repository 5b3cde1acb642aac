//! What a consumer did with a batch, told to the host.

use core::fmt;

use billing_core::decide::Intake;

use crate::answer::Error;

/// What became of a batch of deliveries.
///
/// # Examples
///
/// ```
/// use billing_store::bus::Report;
///
/// let report = Report::default();
/// assert_eq!((report.received(), report.again, report.dead.len()), (0, 0, 0));
/// ```
#[derive(Debug, Default)]
pub struct Report {
    /// What billing answered: one intake, or several if the batch had to be divided.
    pub intakes: Vec<Intake>,
    /// How many are to be delivered again.
    pub again: usize,
    /// What will not be delivered again, and is not billed.
    pub dead: Vec<DeadLetter>,
    /// How many are committed and could not be acknowledged: they come again, and are replayed then.
    pub unacknowledged: usize,
    /// Why deliveries are to come again; the last reason if there were several.
    pub problem: Option<Error>,
}

impl Report {
    /// How many billing has received; each is in one of the counts of [`Self::intakes`].
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(billing_store::bus::Report::default().received(), 0);
    /// ```
    #[must_use]
    pub fn received(&self) -> u64 {
        self.intakes.iter().fold(0, |sum, intake| sum.saturating_add(intake.received))
    }
}

/// A message that will not be delivered again, and is not billed.
///
/// # Examples
///
/// ```
/// use billing_store::bus::DeadLetter;
///
/// let dead = DeadLetter {
///     place: "message 17".into(),
///     reason: "it is not JSON".into(),
///     body: b"+12025550100;61".to_vec(),
/// };
/// assert!(format!("{dead:?}").ends_with("body: 15 bytes }"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it stood on its bus.
    pub place: String,
    /// Why, without personal data.
    pub reason: String,
    /// The message as it came.
    pub body: Vec<u8>,
}

impl fmt::Debug for DeadLetter {
    // The body holds telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = format_args!("{} bytes", self.body.len());
        let Self { place, reason, .. } = self;
        f.debug_struct("DeadLetter")
            .field("place", place)
            .field("reason", reason)
            .field("body", &body)
            .finish()
    }
}
