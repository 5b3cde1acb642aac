//! The template that lines were written with, and lines taken apart by it.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::freeswitch::Reason;

const EXAMPLE: [&str; 15] = [
    "caller_id_name",
    "caller_id_number",
    "destination_number",
    "context",
    "start_stamp",
    "answer_stamp",
    "end_stamp",
    "duration",
    "billsec",
    "hangup_cause",
    "uuid",
    "bleg_uuid",
    "accountcode",
    "read_codec",
    "write_codec",
];
const ASTERISK: [&str; 18] = [
    "accountcode",
    "caller_id_number",
    "destination_number",
    "context",
    "caller_id",
    "channel_name",
    "bridge_channel",
    "last_app",
    "last_arg",
    "start_stamp",
    "answer_stamp",
    "end_stamp",
    "duration",
    "billsec",
    "hangup_cause",
    "amaflags",
    "uuid",
    "userfield",
];

/// A template of `cdr_csv.conf.xml`: text, with variables such as `${uuid}` in it.
///
/// # Examples
///
/// ```
/// use billing_formats::freeswitch::Template;
///
/// let template: Template = r#""${uuid}",${billsec},"${caller_id}""#.parse()?;
/// assert_eq!(template.variables().collect::<Vec<_>>(), ["uuid", "billsec", "caller_id"]);
/// # Ok::<(), billing_formats::freeswitch::InvalidTemplate>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    /// What stands before the first variable.
    start: String,
    columns: Vec<Column>,
}

/// A template cannot be used.
///
/// # Examples
///
/// ```
/// use billing_formats::freeswitch::{InvalidTemplate, Template};
///
/// assert_eq!("${uuid}${billsec}".parse::<Template>(), Err(InvalidTemplate::Adjacent { variable: "uuid".into() }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTemplate {
    /// There are no variables in it.
    #[error(
        "the template has no variables; accepted is text with variables such as ${{uuid}} in it"
    )]
    Empty,
    /// A variable does not end.
    #[error("a variable of the template has no closing brace; it begins at byte {at}")]
    Unclosed {
        /// Where, counted from 0.
        at: usize,
    },
    /// Nothing stands between two variables.
    #[error(
        "nothing stands between `{variable}` and the variable after it, so that their values cannot be told apart; accepted is any text"
    )]
    Adjacent {
        /// The first of them.
        variable: String,
    },
    /// A record would have several lines.
    #[error("the template has a line break at byte {at}; accepted is one at its end alone")]
    LineBreak {
        /// Where, counted from 0.
        at: usize,
    },
    /// A variable that must be there is not.
    #[error("the template lacks {variables}; accepted is one with it")]
    Missing {
        /// Which one; where several would do, all of them.
        variables: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    variable: String,
    /// What stands after it.
    after: String,
    is_quoted: bool,
}

/// What stands in a column.
pub(super) struct Cell<'line> {
    pub(super) bytes: &'line [u8],
    pub(super) is_quoted: bool,
}

impl Template {
    /// The template `example` of the stock configuration, which is its default.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(billing_formats::freeswitch::Template::example().to_string().starts_with("\"${caller_id_name}\",\""));
    /// ```
    #[must_use]
    pub fn example() -> Self {
        Self::stock(&EXAMPLE)
    }

    /// The template `asterisk` of the stock configuration, with the columns of Asterisk.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(billing_formats::freeswitch::Template::asterisk().to_string().starts_with("\"${accountcode}\",\""));
    /// ```
    #[must_use]
    pub fn asterisk() -> Self {
        Self::stock(&ASTERISK)
    }

    /// The variables, in the order of columns.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(billing_formats::freeswitch::Template::example().variables().count(), 15);
    /// ```
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.variable.as_str())
    }

    fn stock(variables: &[&str]) -> Self {
        let column = |(place, variable): (usize, &&str)| {
            let is_last = place.saturating_add(1) == variables.len();
            let after = if is_last { "\"" } else { "\",\"" };
            Column { variable: (*variable).to_owned(), after: after.to_owned(), is_quoted: true }
        };
        Self { start: "\"".into(), columns: variables.iter().enumerate().map(column).collect() }
    }

    /// Takes a line apart, which has no end.
    pub(super) fn split<'line>(&self, line: &'line [u8]) -> Result<Vec<Cell<'line>>, Reason> {
        let unfit = |columns| Reason::Template { columns, accepted: self.columns.len() };
        let mut rest = line.strip_prefix(self.start.as_bytes()).ok_or_else(|| unfit(0))?;
        let mut cells: Vec<Cell<'line>> = Vec::with_capacity(self.columns.len());
        let Some((last, columns)) = self.columns.split_last() else { return Ok(cells) };
        for column in columns {
            let (bytes, after) = column.find_end(rest).ok_or_else(|| unfit(cells.len()))?;
            cells.push(Cell { bytes, is_quoted: column.is_quoted });
            rest = after;
        }
        let bytes = rest.strip_suffix(last.after.as_bytes()).ok_or_else(|| unfit(cells.len()))?;
        // More columns than the template has would all end up in the last one.
        if columns
            .last()
            .is_some_and(|before| before.is_like(last) && before.find_end(bytes).is_some())
        {
            return Err(unfit(self.columns.len()));
        }
        cells.push(Cell { bytes, is_quoted: last.is_quoted });
        Ok(cells)
    }
}

impl Column {
    /// The value that a text begins with, and what follows the text after it.
    fn find_end<'line>(&self, text: &'line [u8]) -> Option<(&'line [u8], &'line [u8])> {
        let after = self.after.as_bytes();
        let mut at = 0_usize;
        loop {
            let (value, rest) = text.split_at_checked(at)?;
            if let Some(rest) = rest.strip_prefix(after) {
                return Some((value, rest));
            }
            let is_doubled = self.is_quoted && rest.starts_with(b"\"\"");
            at = at.checked_add(if is_doubled { 2 } else { 1 })?;
        }
    }

    /// Whether the text after this column could stand in the other.
    fn is_like(&self, other: &Self) -> bool {
        self.is_quoted == other.is_quoted
    }
}

impl FromStr for Template {
    type Err = InvalidTemplate;

    fn from_str(s: &str) -> Result<Self, InvalidTemplate> {
        let text = s.trim_matches([' ', '\t', '\r', '\n']);
        if let Some(at) = text.find(['\r', '\n']) {
            return Err(InvalidTemplate::LineBreak { at });
        }
        let (start, mut rest) = text.split_once("${").ok_or(InvalidTemplate::Empty)?;
        let mut columns: Vec<Column> = Vec::new();
        let mut before = start;
        loop {
            let at = text.len().saturating_sub(rest.len()).saturating_sub(2);
            let (variable, behind) =
                split_variable(rest).ok_or(InvalidTemplate::Unclosed { at })?;
            let (after, next) =
                behind.split_once("${").map_or((behind, None), |(a, n)| (a, Some(n)));
            if after.is_empty() && next.is_some() {
                return Err(InvalidTemplate::Adjacent { variable: variable.to_owned() });
            }
            columns.push(Column {
                variable: variable.to_owned(),
                after: after.to_owned(),
                is_quoted: before.ends_with('"') && after.starts_with('"'),
            });
            let Some(next) = next else { break };
            (before, rest) = (after, next);
        }
        Ok(Self { start: start.to_owned(), columns })
    }
}

/// What stands before the brace that closes a variable, and after it; braces inside are paired.
fn split_variable(text: &str) -> Option<(&str, &str)> {
    let mut open = 1_usize;
    let (at, _) = text.char_indices().find(|(_, char)| {
        match char {
            '{' => open = open.saturating_add(1),
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        open == 0
    })?;
    let (variable, behind) = text.split_at_checked(at)?;
    Some((variable, behind.strip_prefix('}')?))
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.start)?;
        let mut columns = self.columns.iter();
        columns.try_for_each(|Column { variable, after, .. }| write!(f, "${{{variable}}}{after}"))
    }
}

impl TryFrom<String> for Template {
    type Error = InvalidTemplate;

    fn try_from(text: String) -> Result<Self, InvalidTemplate> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.to_string()
    }
}
