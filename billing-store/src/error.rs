//! Why the store could not do it, and whether to try again.

use core::error::Error as StdError;

/// A store could not read or write.
///
/// # Examples
///
/// ```
/// use billing_store::StoreError;
///
/// let error = StoreError::Corrupt { what: "day total of account alice".into(), source: None };
/// assert!(!error.is_transient());
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else holds what is needed, or the connection was lost before the commit began: try again.
    #[error("the store is busy or out of reach")]
    Transient {
        /// What the driver said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The commit was sent and its answer did not come: it may have happened. Retrying with the same ids is safe.
    #[error("the outcome of a commit is unknown")]
    Unknown {
        /// What the driver said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A row cannot be understood, or contradicts another.
    #[error("the store holds something impossible: {what}")]
    Corrupt {
        /// Which row, without personal data.
        what: String,
        /// What decoding it said.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// A write would break a promise of the schema; it was not made.
    #[error("the store refused a write that breaks its rules: {what}")]
    Refused {
        /// Which rule.
        what: String,
        /// What the driver said.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The database has a schema this library does not know.
    #[error("the database is at schema version {found}, this library knows up to {known}")]
    Schema {
        /// The version of the database.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// Anything else the driver reports: disk full, not a database, wrong permissions.
    #[error("the store failed")]
    Failed {
        /// What the driver said.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl StoreError {
    /// Whether the same call may succeed if it is made again.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::StoreError;
    ///
    /// let busy = StoreError::Transient { source: "database is locked".into() };
    /// assert!(busy.is_transient());
    /// let full = StoreError::Failed { source: "disk full".into() };
    /// assert!(!full.is_transient());
    /// ```
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Transient { .. } | Self::Unknown { .. } => true,
            Self::Corrupt { .. }
            | Self::Refused { .. }
            | Self::Schema { .. }
            | Self::Failed { .. } => false,
        }
    }

    /// A row that cannot be understood.
    pub(crate) fn corrupt(
        what: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Corrupt { what: what.into(), source: Some(source.into()) }
    }
}

/// What a store answers.
pub type StoreResult<T> = Result<T, StoreError>;
