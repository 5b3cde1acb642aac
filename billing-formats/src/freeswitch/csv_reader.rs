//! A file of `mod_cdr_csv`, line by line.

use core::fmt;
use std::io::{self, BufRead};

use crate::{
    freeswitch::{
        BadRow, Cdr, InvalidTemplate, Options, Reason, Template, Variables,
        record::Recorder,
        template::Cell,
        values::{Role, Value, Values},
    },
    lines::{LINE_BYTES_MAX, NumberedLines, Read},
};

/// What one line became.
pub type Row = Result<Cdr, BadRow>;

/// A file of `mod_cdr_csv`, line by line.
///
/// Gives one [`Row`] for every physical line that is not blank, in order. Memory stays flat, whatever the length of the file and
/// of its lines; a line has up to [`LINE_BYTES_MAX`] bytes.
///
/// # Errors
///
/// An error of the input is given once and ends the reader; what was read of a line by then is lost, so the file is to be
/// read again.
///
/// # Examples
///
/// ```
/// use billing_core::{id::SourceId, time::Zone};
/// use billing_formats::freeswitch::{CsvReader, Options, Template, Variables};
///
/// let options = Options::new(SourceId::try_new("fs-1")?, Zone::try_new("Europe/Berlin")?);
/// let (template, variables) = (Template::example(), Variables::default());
/// let file = r#""Ann","+12025550100","+12025550123","default","2026-10-01 10:00:00","2026-10-01 10:00:05","2026-10-01 10:01:06","66","61","NORMAL_CLEARING","7a3d9b52-1111-4c1a-9a59-3d1f9f0d7a10","","sales","PCMU","PCMU"
/// "Ann","+12025550100","+12025550123","default","2026-10-01 10:00:00"
/// "#;
/// let rows: Vec<_> =
///     CsvReader::try_new(file.as_bytes(), &template, &variables, &options)?.collect::<Result<_, _>>()?;
/// let cdr = rows[0].as_ref().unwrap();
/// assert_eq!((cdr.account_code.as_str(), cdr.talk_ms), ("sales", 61_000));
/// let bad = rows[1].as_ref().unwrap_err();
/// assert_eq!(
///     bad.to_string(),
///     "line 2: the line does not fit the template: after 4 columns something else follows; accepted are 15 columns",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CsvReader<'options, R> {
    lines: NumberedLines<R>,
    template: &'options Template,
    recorder: Recorder<'options>,
}

impl<'options, R: BufRead> CsvReader<'options, R> {
    /// Reads `input`, which was written with the template.
    ///
    /// # Errors
    ///
    /// [`InvalidTemplate::Missing`] if the template does not say what is needed; nothing is read yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{id::SourceId, time::Zone};
    /// use billing_formats::freeswitch::{CsvReader, Options, Template, Variables};
    ///
    /// let options = Options::new(SourceId::try_new("fs-1")?, Zone::try_new("UTC")?);
    /// let (template, variables) = ("${uuid},${billsec}".parse::<Template>()?, Variables::default());
    /// let problem = CsvReader::try_new("".as_bytes(), &template, &variables, &options).err();
    /// let problem = problem.expect("nobody called").to_string();
    /// assert_eq!(problem, "the template lacks caller_id_number; accepted is one with it");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_new(
        input: R,
        template: &'options Template,
        variables: &'options Variables,
        options: &Options,
    ) -> Result<Self, InvalidTemplate> {
        check(template, variables)?;
        let lines = NumberedLines::new(input, LINE_BYTES_MAX);
        Ok(Self { lines, template, recorder: Recorder::new(variables, options) })
    }

    fn row(&mut self, read: Read) -> Row {
        let number = self.lines.number();
        let values = match read {
            Read::TooLong => Err(Reason::TooLong { bytes_max: LINE_BYTES_MAX }),
            Read::Whole | Read::End => {
                values(self.lines.line(), self.template, self.recorder.variables())
            }
        };
        values.and_then(|values| self.recorder.record(number, &values)).map_err(|reason| BadRow {
            line: number,
            column: None,
            reason,
            raw: self.lines.raw(),
        })
    }
}

fn values<'line>(
    line: &'line [u8],
    template: &Template,
    variables: &'line Variables,
) -> Result<Values<'line>, Reason> {
    let mut values = Values::new(variables);
    for (variable, cell) in template.variables().zip(template.split(line.trim_ascii())?) {
        values.insert(variable, &value(&cell));
    }
    values.check().map(|()| values)
}

fn value<'line>(cell: &Cell<'line>) -> Value<'line> {
    match core::str::from_utf8(cell.bytes) {
        Err(_) => Value::Unfit,
        Ok(text) if cell.is_quoted && text.contains('"') => Value::Quoted,
        Ok(text) => Value::Text(text.into()),
    }
}

fn check(template: &Template, variables: &Variables) -> Result<(), InvalidTemplate> {
    let needed: [&[Role]; 7] = [
        &[Role::Uuid],
        &[Role::Caller],
        &[Role::Callee],
        &[Role::StartUepoch, Role::StartEpoch, Role::StartStamp],
        &[Role::AnswerUepoch, Role::AnswerEpoch, Role::AnswerStamp],
        &[
            Role::Billusec,
            Role::Billmsec,
            Role::Billsec,
            Role::EndUepoch,
            Role::EndEpoch,
            Role::EndStamp,
        ],
        &[Role::HangupCause],
    ];
    for roles in needed {
        let names = || roles.iter().map(|role| role.variable(variables));
        if !template.variables().any(|variable| names().any(|name| name == variable)) {
            return Err(InvalidTemplate::Missing {
                variables: names().collect::<Vec<_>>().join(" or "),
            });
        }
    }
    Ok(())
}

impl<R: BufRead> Iterator for CsvReader<'_, R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.lines.advance_to_full()?;
        Some(read.map(|read| self.row(read)))
    }
}

impl<R: BufRead> core::iter::FusedIterator for CsvReader<'_, R> {}

impl<R> fmt::Debug for CsvReader<'_, R> {
    // The buffer holds telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvReader").finish_non_exhaustive()
    }
}
