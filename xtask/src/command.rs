//! A child process that can also be shown as the line a person would type.

use std::{
    ffi::OsString,
    fmt,
    io::{BufRead as _, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
};

/// One command: the environment it adds, the program, its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    env: Vec<(String, String)>,
    program: String,
    args: Vec<String>,
}

impl Line {
    pub fn new<const N: usize>(program: &str, args: [&str; N]) -> Self {
        Self { env: Vec::new(), program: program.to_owned(), args: args.map(str::to_owned).into() }
    }

    pub fn cargo<const N: usize>(args: [&str; N]) -> Self {
        Self::new("cargo", args)
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn args<I: IntoIterator<Item = S>, S: Into<String>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Runs it with the terminal's own output, and says what went wrong.
    pub fn run(&self, root: &Path) -> Result<(), String> {
        let status = self.child(root).status().map_err(|error| self.not_started(&error))?;
        if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
    }

    /// Runs it unseen and returns its standard output.
    pub fn read(&self, root: &Path) -> Result<String, String> {
        let output = self.child(root).output().map_err(|error| self.not_started(&error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{self}` ended with {}: {}", output.status, said.trim()))
    }

    /// Runs it, hands on each line of its standard output, and shows it as well.
    pub fn listen(&self, root: &Path, mut heard: impl FnMut(&str)) -> Result<(), String> {
        let mut command = self.child(root);
        let mut child =
            command.stdout(Stdio::piped()).spawn().map_err(|error| self.not_started(&error))?;
        each_line(child.stdout.take(), |line| {
            println!("{line}");
            heard(line);
        })?;
        ended(child)
    }

    /// Runs it and hands on each line that it says of errors, unseen.
    pub fn listen_to_errors(&self, root: &Path, heard: impl FnMut(&str)) -> Result<(), String> {
        let mut command = self.child(root);
        let mut child =
            command.stderr(Stdio::piped()).spawn().map_err(|error| self.not_started(&error))?;
        each_line(child.stderr.take(), heard)?;
        ended(child)
    }

    fn child(&self, root: &Path) -> Command {
        let program = match (self.program.as_str(), std::env::var_os("CARGO")) {
            ("cargo", Some(cargo)) => cargo,
            _ => OsString::from(&self.program),
        };
        let mut command = Command::new(program);
        command.current_dir(root).args(&self.args);
        // What cargo told this program about itself is not meant for its children.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    fn not_started(&self, error: &std::io::Error) -> String {
        format!("`{}` could not be started: {error}", self.program)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&self.program)?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

fn each_line(output: Option<impl Read>, mut heard: impl FnMut(&str)) -> Result<(), String> {
    let mut output = BufReader::new(output.ok_or("no output")?);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).map_err(|error| error.to_string())? > 0 {
        heard(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(())
}

fn ended(mut child: Child) -> Result<(), String> {
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_would_be_typed() {
        let line = Line::cargo(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(line.to_string(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
        assert_eq!(Line::new("echo", ["it's"]).to_string(), r"echo 'it'\''s'");
    }

    #[test]
    fn a_program_that_is_missing_or_fails_is_an_error() {
        let here = Path::new(".");
        assert!(Line::new("no-such-program-here", []).run(here).is_err());
        assert!(Line::cargo(["no-such-subcommand"]).read(here).is_err());
    }
}
