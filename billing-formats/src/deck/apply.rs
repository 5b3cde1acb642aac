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
    price_list::{Code, Deck, Kept, State},
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
        match self.mode {
            Mode::Full => next.removed = present.lines.len(),
            Mode::Delta => {
                let named = self.named();
                for line in &present.lines {
                    next.carry(line, present, &named, self);
                }
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
        Ok(Loaded { tariff, added, kept, shortened, removed })
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

    /// The codes that the rows name, and from when on.
    fn named(&self) -> Named<'_> {
        let mut named = Named::new();
        let rows = self.rows().iter();
        for row in rows.filter(|row| matches!(row.state, State::Priced | State::Withdrawn)) {
            let from = self.terms_of(row).and_then(|terms| terms.valid_from);
            let from = from.map_or(Beginning::AtOnce, Beginning::At);
            for (_, code) in self.codes_of(row) {
                named.entry(code).or_default().push((row, from));
            }
        }
        named
    }

    /// Whether a row speaks of the calls that a line prices.
    fn is_about(&self, row: &Kept, line: &LineSpec) -> bool {
        self.terms_of(row).is_some_and(|terms| {
            let window = self.window(&terms);
            (!self.has_origins || terms.origin == line.origin)
                && (!self.has_windows || window == line.window.as_deref())
        })
    }
}

/// Rows by the codes that they name.
type Named<'deck> = BTreeMap<Code, Vec<(&'deck Kept, Beginning)>>;

/// From when on a row counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Beginning {
    AtOnce,
    At(Instant),
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
    fn carry(&mut self, line: &LineSpec, present: &TariffSpec, named: &Named<'_>, deck: &Deck) {
        let mut parts: BTreeMap<Carried, Vec<Code>> = BTreeMap::new();
        for code in codes_of(line, present) {
            let rows = named.get(&code).into_iter().flatten();
            let from =
                rows.filter(|(row, _)| deck.is_about(row, line)).map(|(_, from)| *from).min();
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
