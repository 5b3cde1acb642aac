//! A page of 80 columns.

const WIDTH: usize = 80;
const CALLS_WIDTH: usize = 8;
const USAGE_WIDTH: usize = 16;
const AMOUNT_WIDTH: usize = 17;
const NAME_WIDTH: usize = 34;
const FIELD_WIDTH: usize = 9;
const LABEL_WIDTH: usize = 62;
const NAME_INDENT: &str = "  ";
const NOTE_INDENT: usize = 4;

/// A page that is written from top to bottom.
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) const fn new() -> Self {
        Self { text: String::new() }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn rule(&mut self, mark: char) {
        self.text.extend(core::iter::repeat_n(mark, WIDTH));
        self.text.push('\n');
    }

    /// A paragraph over the whole width.
    pub(super) fn text(&mut self, text: &str) {
        self.wrapped(text, 0);
    }

    /// A paragraph that stands in.
    pub(super) fn note(&mut self, text: &str) {
        self.wrapped(text, NOTE_INDENT);
    }

    pub(super) fn field(&mut self, name: &str, value: &str) {
        let mut label = name;
        for part in wrap(&printable(value), WIDTH.saturating_sub(FIELD_WIDTH)) {
            self.row(&format!("{label:<FIELD_WIDTH$}{part}"));
            label = "";
        }
    }

    /// A row of the table; a long name has rows of its own.
    pub(super) fn columns(&mut self, name: &str, calls: &str, usage: &str, amount: &str) {
        let mut names = wrap(&printable(name), NAME_WIDTH.saturating_sub(1));
        let last = names.pop().unwrap_or_default();
        for name in names {
            self.row(&format!("{NAME_INDENT}{name}"));
        }
        self.row(&format!(
            "{NAME_INDENT}{last:<NAME_WIDTH$} {calls:>CALLS_WIDTH$} {usage:>USAGE_WIDTH$} {amount:>AMOUNT_WIDTH$}"
        ));
    }

    /// A row below the table; a long label has rows of its own.
    pub(super) fn sum(&mut self, label: &str, amount: &str) {
        let mut labels = wrap(&printable(label), LABEL_WIDTH.saturating_sub(2));
        let last = labels.pop().unwrap_or_default();
        for label in labels {
            self.row(&label);
        }
        self.row(&format!("{last:<LABEL_WIDTH$} {amount:>AMOUNT_WIDTH$}"));
    }

    fn wrapped(&mut self, text: &str, indent: usize) {
        for line in wrap(&printable(text), WIDTH.saturating_sub(indent)) {
            self.row(&format!("{:indent$}{line}", ""));
        }
    }

    fn row(&mut self, row: &str) {
        self.text.push_str(row.trim_end());
        self.text.push('\n');
    }
}

/// The text with spaces for control characters, which a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// Lines of at most `width` characters, parted at spaces, or anywhere in words that are longer.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0_usize);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > 0 && used.saturating_add(length) >= width {
            lines.push(core::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used = used.saturating_add(1);
        }
        for char in word.chars() {
            if used == width {
                lines.push(core::mem::take(&mut line));
                used = 0;
            }
            line.push(char);
            used = used.saturating_add(1);
        }
    }
    lines.push(line);
    lines
}
