//! What a deck makes of a tariff.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    money::Currency,
    number::Prefix,
    tariff::{LineSpec, TariffSpec, To},
    time::Instant,
};

use crate::deck::{
    BadRows, Mode,
    named::{Beginning, Named},
    price_list::{Code, Deck},
};

/// The next version of a tariff, and what a deck changed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The next version; nothing is saved yet.
    pub tariff: TariffSpec,
    /// How many lines the deck brought.
    pub added: usize,
    /// How many lines of the present version are as they were.
    pub kept: usize,
    /// How many lost some of their codes, or end sooner.
    pub shortened: usize,
    /// How many are gone.
    pub removed: usize,
    /// The physical lines, counted from 1, of rows that withdraw a code which neither the present version nor the deck prices, so
    /// that nothing ends there: another code on sale may hold it. None for a full deck.
    pub unmet: Vec<u64>,
}

/// A deck cannot be applied to a tariff; nothing was changed.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::DeckError;
///
/// assert_eq!(
///     DeckError::Version { present: 3, next: 3 }.to_string(),
///     "the next version is to be 3, but the present one is 3; accepted is a higher one",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeckError {
    /// Rows cannot be taken in.
    #[error(transparent)]
    BadRows(BadRows),
    /// The deck is in another currency.
    #[error("the deck is in {deck}, but the tariff in {tariff}; accepted is one currency")]
    Currency {
        /// The currency of the deck.
        deck: Currency,
        /// The currency of the tariff.
        tariff: Currency,
    },
    /// The version is not the next one.
    #[error(
        "the next version is to be {next}, but the present one is {present}; accepted is a higher one"
    )]
    Version {
        /// The present version.
        present: u32,
        /// The next version.
        next: u32,
    },
    /// A window is not one of the tariff.
    #[error("the deck has prices in window {name:?}; accepted are the windows of the tariff")]
    Window {
        /// The name of the window.
        name: String,
    },
}

impl Deck {
    /// The next version of a tariff: all or nothing.
    ///
    /// A full deck replaces every line. A delta replaces the lines of the codes that it names, from the date of its row on, or at
    /// once if the row has none; it ends those that it withdraws in the same way, and keeps all others. Where rows say for which
    /// origins or windows they are, only lines for the same ones are replaced. Windows, calendars and all else stay.
    ///
    /// A range names every code within it, so `44 7700-7799` replaces the lines of 44770 and 4477123 as well. A single code names
    /// none but itself: 44 leaves the lines of 4477 alone. A withdrawal that meets no code is told in [`Loaded::unmet`].
    ///
    /// This is half of a preview: the other half is to compile the version, and to compare it with the present one by
    /// [`TariffSpec::diff`]. Nothing is saved before somebody has looked at that.
    ///
    /// # Errors
    ///
    /// [`DeckError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Tariff, TariffSpec};
    /// use billing_formats::deck::{Deck, Mapping};
    ///
    /// let mapping: Mapping = serde_json::from_str(
    ///     r#"{"currency": "EUR", "zone": "UTC", "mode": "delta",
    ///         "columns": {"code": "Code", "destination": "Name", "price": "Rate", "increments": {"constant": "60/60"},
    ///                     "change": {"column": "Flag", "values": {"new": "new", "gone": "withdrawn"}}}}"#,
    /// )?;
    /// let present: TariffSpec = serde_json::from_str(
    ///     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    ///         "lines":[{"destination":"Europe","to":{"prefixes":["49","33"]},
    ///                   "bands":[{"price":"0.02","per":"60","increment":"1"}]}]}"#,
    /// )?;
    /// let deck = Deck::read("Code,Name,Rate,Flag\n33,,,gone\n39,Italy,0.03,new\n".as_bytes(), &mapping)?;
    /// let loaded = deck.apply(&present, 2)?;
    /// assert_eq!((loaded.added, loaded.shortened), (1, 1));
    /// assert_eq!(Tariff::compile(&loaded.tariff)?.prefixes(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&self, present: &TariffSpec, version: u32) -> Result<Loaded, DeckError> {
        self.check(present, version)?;
        let mut next = Next { lines: Vec::new(), kept: 0, shortened: 0, removed: 0 };
        let mut unmet = Vec::new();
        match self.mode {
            Mode::Full => next.removed = present.lines.len(),
            Mode::Delta => {
                let mut named = Named::of(self);
                for line in &present.lines {
                    next.carry(line, present, &mut named);
                }
                unmet = named.unmet();
            }
        }
        let before = next.lines.len();
        next.lines.extend(self.lines());
        let added = next.lines.len().saturating_sub(before);
        let Next { lines, kept, shortened, removed } = next;
        let tariff = TariffSpec {
            id: present.id.clone(),
            version,
            currency: present.currency,
            zone: present.zone.clone(),
            measure: present.measure,
            crossing: present.crossing,
            increments: present.increments,
            decimals: present.decimals,
            rounding: present.rounding,
            calendars: present.calendars.clone(),
            windows: present.windows.clone(),
            groups: present.groups.clone(),
            lines,
            fallback: present.fallback.clone(),
        };
        Ok(Loaded { tariff, added, kept, shortened, removed, unmet })
    }

    fn check(&self, present: &TariffSpec, version: u32) -> Result<(), DeckError> {
        if self.bad_rows().count() > 0 {
            return Err(DeckError::BadRows(self.bad_rows().clone()));
        }
        if self.currency != present.currency {
            return Err(DeckError::Currency { deck: self.currency, tariff: present.currency });
        }
        if version <= present.version {
            return Err(DeckError::Version { present: present.version, next: version });
        }
        match self.windows.iter().find(|name| !present.windows.contains_key(name.as_str())) {
            Some(name) => Err(DeckError::Window { name: name.clone() }),
            None => Ok(()),
        }
    }
}

/// What becomes of the present lines.
struct Next {
    lines: Vec<LineSpec>,
    kept: usize,
    shortened: usize,
    removed: usize,
}

/// What becomes of one code of a present line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Carried {
    Whole,
    Until(Instant),
    Not,
}

impl Next {
    fn carry(&mut self, line: &LineSpec, present: &TariffSpec, named: &mut Named<'_>) {
        let mut parts: BTreeMap<Carried, Vec<Code>> = BTreeMap::new();
        for code in codes_of(line, present) {
            let from = named.from(code, line);
            parts.entry(carried(line, from)).or_default().push(code);
        }
        if parts.keys().eq([&Carried::Whole]) {
            self.kept = self.kept.saturating_add(1);
            return self.lines.push(line.clone());
        }
        let gone = parts.remove(&Carried::Not);
        let count = if parts.is_empty() && gone.is_some() {
            &mut self.removed
        } else {
            &mut self.shortened
        };
        *count = count.saturating_add(1);
        for (carried, codes) in parts {
            let valid_until = match carried {
                Carried::Until(until) => Some(until),
                Carried::Whole | Carried::Not => line.valid_until,
            };
            self.lines.push(LineSpec { to: to(codes), valid_until, ..line.clone() });
        }
    }
}

/// What becomes of a code that a deck names from such a time on, or not at all.
fn carried(line: &LineSpec, from: Option<Beginning>) -> Carried {
    match from {
        None => Carried::Whole,
        Some(Beginning::At(from)) if line.valid_until.is_some_and(|until| until <= from) => {
            Carried::Whole
        }
        Some(Beginning::At(from)) if line.valid_from.is_none_or(|begins| begins < from) => {
            Carried::Until(from)
        }
        Some(Beginning::At(_) | Beginning::AtOnce) => Carried::Not,
    }
}

fn codes_of(line: &LineSpec, present: &TariffSpec) -> BTreeSet<Code> {
    let prefixes: &[Prefix] = match &line.to {
        To::Any => return BTreeSet::from([None]),
        To::Prefixes(prefixes) => prefixes,
        To::Group(name) => present.groups.get(name).map(Vec::as_slice).unwrap_or_default(),
    };
    prefixes.iter().copied().map(Some).collect()
}

fn to(codes: Vec<Code>) -> To {
    if codes.contains(&None) {
        return To::Any;
    }
    To::Prefixes(codes.into_iter().flatten().collect())
}
