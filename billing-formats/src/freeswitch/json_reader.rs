//! Documents of `mod_json_cdr`, one a line.

use core::fmt;
use std::io::{self, BufRead};

use crate::{
    freeswitch::{BadRow, Options, Reason, Row, Variables, document, record::Recorder},
    lines::{NumberedLines, Read},
};

/// The longest document that is read, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 1_048_576;

/// Documents of `mod_json_cdr`, one a line; a file of the switch, which holds one, is one line.
///
/// Gives one [`Row`] for every physical line that is not blank, in order. Memory stays flat, whatever the length of the file; a
/// document has up to [`DOCUMENT_BYTES_MAX`] bytes.
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
/// use billing_formats::freeswitch::{JsonReader, Options, Variables};
///
/// let options = Options::new(SourceId::try_new("fs-1")?, Zone::try_new("UTC")?);
/// let variables = Variables::default();
/// let file = r#"{"variables":{"uuid":"7a3d9b52-1111-4c1a-9a59-3d1f9f0d7a10","accountcode":"sales","hangup_cause":"NORMAL_CLEARING","start_uepoch":"1790841600000000","answer_uepoch":"1790841605000000","end_uepoch":"1790841666039704","billsec":"61","billusec":"61039704"},"callflow":[{"caller_profile":{"caller_id_number":"+12025550100","destination_number":"+12025550123","context":"default"}}]}
/// {"variables":{}}"#;
/// let rows: Vec<_> = JsonReader::new(file.as_bytes(), &variables, &options).collect::<Result<_, _>>()?;
/// assert_eq!(rows[0].as_ref().unwrap().talk_ms, 61_039);
/// assert_eq!(rows[1].as_ref().unwrap_err().to_string(), "line 2: `start_uepoch` is missing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JsonReader<'options, R> {
    lines: NumberedLines<R>,
    recorder: Recorder<'options>,
}

impl<'options, R: BufRead> JsonReader<'options, R> {
    /// Reads `input`, whose stamps are in the zone of the options.
    #[must_use]
    pub fn new(input: R, variables: &'options Variables, options: &Options) -> Self {
        let lines = NumberedLines::new(input, DOCUMENT_BYTES_MAX);
        Self { lines, recorder: Recorder::new(variables, options) }
    }

    fn row(&mut self, read: Read) -> Row {
        let number = self.lines.number();
        let row = match read {
            Read::TooLong => Err(Reason::TooLong { bytes_max: DOCUMENT_BYTES_MAX }),
            Read::Whole | Read::End => {
                let whole = document::whole(self.lines.line());
                document::values(&whole, self.recorder.variables())
                    .and_then(|values| self.recorder.record(number, &values))
            }
        };
        row.map_err(|reason| BadRow { line: number, column: None, reason, raw: self.lines.raw() })
    }
}

impl<R: BufRead> Iterator for JsonReader<'_, R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.lines.advance_to_full()?;
        Some(read.map(|read| self.row(read)))
    }
}

impl<R: BufRead> core::iter::FusedIterator for JsonReader<'_, R> {}

impl<R> fmt::Debug for JsonReader<'_, R> {
    // The buffer holds telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonReader").finish_non_exhaustive()
    }
}
