//! Just enough of Rust's lexical rules to find names outside comments and literals.

/// One token and the line it stands on, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub line: usize,
    pub kind: Kind<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    Name(&'a str),
    /// `::`
    PathSeparator,
    Sign(char),
}

/// The tokens of `text`, without comments, literals and lifetimes.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(next) = lexer.peek(0) {
        let line = lexer.line;
        if let Some(kind) = lexer.step(next) {
            tokens.push(Token { line, kind });
        }
    }
    tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Lexer<'a> {
    fn step(&mut self, next: char) -> Option<Kind<'a>> {
        let rest = self.rest();
        if rest.starts_with("//") {
            self.skip(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.block_comment();
        } else if let Some(length) = raw_string(rest) {
            self.skip(length);
        } else if next == '"' {
            self.string();
        } else if next == '\'' {
            self.character_or_lifetime();
        } else if is_name(next) {
            return self.name();
        } else if rest.starts_with("::") {
            self.skip(2);
            return Some(Kind::PathSeparator);
        } else {
            self.skip(next.len_utf8());
            return (!next.is_whitespace()).then_some(Kind::Sign(next));
        }
        None
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest().chars().nth(ahead)
    }

    fn skip(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.text.len());
        self.line += self.text[self.at..end].matches('\n').count();
        self.at = end;
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth += 1;
                self.skip(2);
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.skip(2);
            } else {
                self.skip(self.peek(0).map_or(0, char::len_utf8));
            }
            if depth == 0 || self.rest().is_empty() {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.skip(1);
        while let Some(next) = self.peek(0) {
            match next {
                '\\' => self.skip(1 + self.peek(1).map_or(0, char::len_utf8)),
                '"' => return self.skip(1),
                other => self.skip(other.len_utf8()),
            }
        }
    }

    fn character_or_lifetime(&mut self) {
        let rest = self.rest();
        match (self.peek(1), self.peek(2)) {
            (Some('\\'), Some(escaped)) => {
                let start = 2 + escaped.len_utf8();
                self.skip(rest[start..].find('\'').map_or(rest.len(), |end| start + end + 1));
            }
            (Some(inner), Some('\'')) => self.skip(2 + inner.len_utf8()),
            _ => {
                let name = rest[1..].find(|c| !is_name(c)).unwrap_or(rest.len() - 1);
                self.skip(1 + name);
            }
        }
    }

    fn name(&mut self) -> Option<Kind<'a>> {
        let rest = self.rest();
        let rest = rest.strip_prefix("r#").unwrap_or(rest);
        self.skip(self.rest().len() - rest.len());
        let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
        self.skip(name.len());
        let is_number = name.starts_with(|c: char| c.is_ascii_digit());
        // The letter before a quote belongs to the literal, as in b"..." and c"...".
        let is_prefix = matches!(name, "b" | "c") && self.rest().starts_with(['"', '\'']);
        (!is_number && !is_prefix).then_some(Kind::Name(name))
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the raw string that `rest` starts with.
fn raw_string(rest: &str) -> Option<usize> {
    let opening = ["r", "br", "cr"].into_iter().find(|opening| {
        let after = rest.strip_prefix(opening).unwrap_or_default();
        after.trim_start_matches('#').starts_with('"')
    })?;
    let after = &rest[opening.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = opening.len() + hashes + 1;
    let closing = format!("\"{}", "#".repeat(hashes));
    Some(rest[body..].find(&closing).map_or(rest.len(), |end| body + end + closing.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let kinds = tokens(text).into_iter().map(|token| token.kind);
        kinds
            .filter_map(|kind| if let Kind::Name(name) = kind { Some(name) } else { None })
            .collect()
    }

    #[test]
    fn names_are_found_only_where_the_compiler_sees_them() {
        let cases = [
            ("a // b\nc", vec!["a", "c"]),
            ("a /* b /* c */ d */ e", vec!["a", "e"]),
            (r#"a "b \" c" d"#, vec!["a", "d"]),
            (r##"a r#"b " c"# d"##, vec!["a", "d"]),
            (r#"a b"b" 'c' '\'' '\u{1F}' d"#, vec!["a", "d"]),
            ("fn f<'a>(x: &'a str)", vec!["fn", "f", "x", "str"]),
            ("r#type 12_u8 x1", vec!["type", "x1"]),
            ("/* never closed", vec![]),
            ("\"never closed", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_counted_through_comments_and_literals() {
        let found = tokens("/*\n*/ \"\n\"\na");
        assert_eq!(found, [Token { line: 4, kind: Kind::Name("a") }]);
    }
}
