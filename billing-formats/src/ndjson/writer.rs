//! Items as lines.

use std::io;

use billing_core::item::Incoming;

use crate::ndjson::document;

/// Writes an item as a line with LF at its end, in one piece.
///
/// What is written, [`Reader`](super::Reader) reads back as the same item; it fits into
/// [`LINE_BYTES_MAX`](super::LINE_BYTES_MAX).
///
/// # Errors
///
/// Those of `output`, and [`io::ErrorKind::Unsupported`] for a kind of item that has no line.
///
/// # Examples
///
/// ```
/// use billing_core::item::Incoming;
/// use billing_formats::ndjson;
///
/// let line = r#"{"key":{"source":"desk","id":"1"},"account":"alice","one_off":{"at":"2026-10-05T08:00:00Z","name":"set-up","price":{"amount":"49.9","currency":"EUR"}}}"#;
/// let charge = ndjson::Reader::new(line.as_bytes()).next().expect("a line")??;
/// let mut output = Vec::new();
/// ndjson::write(&charge, &mut output)?;
/// assert_eq!(String::from_utf8(output)?, format!("{line}\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write(incoming: &Incoming, mut output: impl io::Write) -> io::Result<()> {
    let Some(written) = document::written(incoming) else {
        let kind = incoming.item.kind();
        let problem =
            format!("items of kind {kind} have no line; accepted are call, pulse and one_off");
        return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
    };
    let mut line = written.map_err(io::Error::other)?;
    line.push('\n');
    output.write_all(line.as_bytes())
}
