//! Houses that stand, and houses that fall, each by one defect.

use super::*;
use crate::tree::Weight;

const MONEY: &str = "//! Money.\nuse crate::id::Id;\n";
const STORE: &str = "//! Doors.\nuse billing_core::{id::Id, money::Money};\n";

fn errors(table: &str, files: &[(&str, &str)]) -> Vec<String> {
    let text = format!("# Architecture\n\n```floors\n{table}```\n");
    let files = [&[(TABLE, text.as_str())], files].concat();
    let findings = check(&Tree::of(&files));
    let errors = findings.into_iter().filter(|finding| finding.weight == Weight::Error);
    errors.map(|finding| finding.to_string()).collect()
}

/// A core of `id` and `money`, whose `money` has `text`.
fn money(table: &str, text: &str) -> Vec<String> {
    errors(table, &[("billing-core/src/id.rs", "//! Ids.\n"), ("billing-core/src/money.rs", text)])
}

#[test]
fn a_house_as_drawn_stands() {
    let table = "# ground\ncore::id:\ncore::money: id\n\nstore::door: core, error\nstore::error:\n";
    let files = [
        ("billing-core/src/lib.rs", "//! Roof.\npub use crate::money::Money;\n"),
        ("billing-core/src/id.rs", "//! Ids.\n"),
        ("billing-core/src/money/mod.rs", MONEY),
        (
            "billing-core/src/money/share.rs",
            "//! Shares.\nuse super::Money;\nuse super::super::id::Id;\n",
        ),
        ("billing-store/src/door.rs", STORE),
        ("billing-store/src/error.rs", "//! Errors.\n"),
    ];
    assert_eq!(errors(table, &files), [""; 0]);
}

#[test]
fn each_way_to_import_from_above_is_seen() {
    let table = "core::id:\ncore::money:\n";
    let ways = [
        "use crate::id::Id;",
        "use crate::id;",
        "use crate::{money::Money, id::{self, Id}};",
        "use super::id::Id;",
        "use super::{money, id};",
        "pub(crate) use crate::id::Id as Name;",
        "fn f(id: &crate::id::Id) {}",
        "mod inner { use super::super::id::Id; }",
        "#[cfg(feature = \"std\")]\nuse crate::id::Id;",
        "macro_rules! m { () => { $crate::id::Id } }",
        "#[cfg(test)]\nuse crate::money::{A, B};\nuse crate::id::Id;",
        "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::id::Id;",
    ];
    for way in ways {
        let found = money(table, &format!("//! Money.\n{way}\n"));
        assert_eq!(found.len(), 1, "{way}: {found:?}");
        assert!(found[0].contains("`core::money` imports `id`"), "{way}: {found:?}");
    }
}

#[test]
fn what_is_no_import_from_above_is_left_alone() {
    let table = "core::id:\ncore::money:\n";
    let ways = [
        "// use crate::id::Id;",
        "/// [`Id`](crate::id::Id)\nstruct S;",
        "const S: &str = \"crate::id::Id\";",
        "use crate::money::share::Share;",
        "mod inner { use super::Money; }",
        "pub(crate) struct S;",
        "use core::fmt;",
        "fn f() { crate::id!(); }",
        "#[cfg(test)]\nmod tests { use crate::id::Id; fn f() { { } } }",
        "#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;",
        "#[cfg(all(test, feature = \"std\"))]\nuse crate::id::Id;",
        "#![cfg(test)]\nuse crate::id::Id;",
        "#[cfg(test)]\nfn f(a: [u8; 3]) -> crate::id::Id { a }",
    ];
    for way in ways {
        assert_eq!(money(table, &format!("//! Money.\n{way}\n")), [""; 0], "{way}");
    }
}

#[test]
fn an_import_is_reported_with_its_file_and_line() {
    let found = money("core::id:\ncore::money:\n", MONEY);
    let expected = "error: billing-core/src/money.rs:2: `core::money` imports `id`, \
                    which ARCHITECTURE.md:5 does not allow";
    assert_eq!(found, [expected]);
}

#[test]
fn a_name_from_the_crate_root_hides_its_floor() {
    for text in ["use crate::Money;", "use super::*;", "use crate::{id::Id, Money};"] {
        let found = money("core::id:\ncore::money: id\n", text);
        assert!(found.len() == 1 && found[0].contains("from the crate root"), "{text}: {found:?}");
    }
}

#[test]
fn another_crate_is_allowed_by_name_only() {
    let table = "store::door:\n";
    let found = errors(table, &[("billing-store/src/door.rs", STORE)]);
    assert!(found.len() == 1 && found[0].contains("`store::door` imports `core`"), "{found:?}");
}

#[test]
fn the_table_and_the_folders_name_the_same_modules() {
    let cases = [
        ("core::id:\n", "`core::money` has no row"),
        ("core::id:\ncore::money: id\ncore::tax:\n", "`core::tax` is listed"),
        ("core::id:\ncore::money: id tax\n", "`tax`, which does not exist"),
        ("core::id:\ncore::money: id core\n", "`core`, which does not exist"),
        ("core::id:\ncore::money: id\ncore::id:\n", "repeats the row of line 4"),
        ("core::id:\ncore::money: id\nweb::page:\n", "`web` is no crate"),
        ("core::id:\ncore::money: id\ncore money\n", "is not of the form"),
    ];
    for (table, expected) in cases {
        let found = money(table, MONEY);
        assert!(found.len() == 1 && found[0].contains(expected), "{table}: {found:?}");
    }
}

#[test]
fn a_circle_is_reported_once_with_its_way() {
    let cases = [
        ("core::id: money\ncore::money: id\n", "id > money > id"),
        ("core::id: id\ncore::money: id\n", "id > id"),
    ];
    for (table, circle) in cases {
        let found = money(table, MONEY);
        assert!(found.len() == 1 && found[0].ends_with(circle), "{table}: {found:?}");
    }
}

#[test]
fn a_house_without_a_table_falls() {
    assert_eq!(check(&Tree::of(&[])).len(), 1);
    assert_eq!(errors("", &[]).len(), 1);
}

#[test]
fn an_allowance_that_nobody_uses_is_a_warning() {
    let files = [
        (TABLE, "```floors\ncore::id:\ncore::money: id\n```\n"),
        ("billing-core/src/id.rs", "//! Ids.\n"),
        ("billing-core/src/money.rs", "//! Money.\n"),
    ];
    let found = check(&Tree::of(&files));
    let expected = Finding::warning(TABLE, 3, "`core::money` does not use: id");
    assert_eq!(found, [expected]);
}
