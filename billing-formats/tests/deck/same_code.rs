//! Codes that come more than once.

use serde_json::json;

use crate::{codes, lines, mapping, read};

const HEADER: &str = "code,name,rate,from,to,flag,window,origin";

/// The codes, prices, beginnings and ends of the lines of a deck.
fn read_lines(rows: &str) -> Vec<String> {
    lines(&deck(rows))
        .iter()
        .map(|line| {
            let day = |at: Option<billing_core::time::Instant>| {
                at.map_or("-".to_owned(), |at| at.to_string().chars().take(10).collect())
            };
            let price =
                line.bands.first().map_or("blocked".to_owned(), |band| band.price.to_string());
            format!(
                "{} {price} {} {}",
                codes(line).join(" "),
                day(line.valid_from),
                day(line.valid_until)
            )
        })
        .collect()
}

fn deck(rows: &str) -> billing_formats::deck::Deck {
    let columns = json!({
        "valid_from": "from", "valid_until": "to", "window": "window", "origin": "origin",
        "change": {"column": "flag", "values": {"": "unchanged", "x": "withdrawn"}},
    });
    let rows: Vec<String> = rows.lines().map(|row| format!("{},,,,,,,", row.trim())).collect();
    let mapping =
        mapping(&json!({"zone": "UTC", "end_date": "day_after", "delimiter": ","}), &columns);
    read(&mapping, format!("{HEADER}\n{}\n", rows.join("\n")))
}

#[test]
fn each_price_holds_until_the_next_begins() {
    let cases: &[(&str, &[&str])] = &[
        (
            "49,Germany,0.03,2026-05-01\n49,Germany,0.01\n49,Germany,0.02,2026-03-01",
            &["49 0.03 2026-05-01 -", "49 0.01 - 2026-03-01", "49 0.02 2026-03-01 2026-05-01"],
        ),
        // An end of its own counts if it comes sooner.
        (
            "49,Germany,0.01,,2026-02-01\n49,Germany,0.02,2026-03-01,2026-06-01\n49,Germany,0.03,2026-05-01,2026-09-01",
            &[
                "49 0.01 - 2026-02-01",
                "49 0.02 2026-03-01 2026-05-01",
                "49 0.03 2026-05-01 2026-09-01",
            ],
        ),
        // Of several codes only those end that come again.
        (
            "\"52 33,34,35\",Mexico,0.01\n52 34,Mexico,0.02,2026-03-01\n52 35,Mexico,0.03,2026-04-01",
            &[
                "5233 0.01 - -",
                "5234 0.01 - 2026-03-01",
                "5235 0.01 - 2026-04-01",
                "5234 0.02 2026-03-01 -",
                "5235 0.03 2026-04-01 -",
            ],
        ),
        ("49,Germany,0.01\n49,,,2026-03-01,,x", &["49 0.01 - 2026-03-01"]),
        (
            "49,Germany,0.01\n49,,,2026-03-01,,x\n49,Germany,0.02,2026-05-01",
            &["49 0.01 - 2026-03-01", "49 0.02 2026-05-01 -"],
        ),
        ("*,elsewhere,1\n*,elsewhere,2,2026-03-01", &["* 1 - 2026-03-01", "* 2 2026-03-01 -"]),
    ];
    for (rows, accepted) in cases {
        assert_eq!(read_lines(rows), *accepted, "{rows}");
    }
}

#[test]
fn other_windows_and_origins_are_other_prices() {
    let rows = "49,Germany,0.02\n49,Germany,0.01,,,,evening\n49,Germany,0.03,,,,,44\n49,Germany,0.005,2026-03-01,,,evening";
    assert_eq!(
        read_lines(rows),
        ["49 0.02 - -", "49 0.01 - 2026-03-01", "49 0.03 - -", "49 0.005 2026-03-01 -"],
    );
}

#[test]
fn rows_that_say_the_same_are_one() {
    let deck = deck(
        "49,Germany,0.02\n33,France,0.03\n49,Germany,0.020\n\"52 33,34\",Mexico,0.01\n\"52 34,35\",Mexico,0.01",
    );
    assert_eq!((deck.counts().priced, deck.counts().repeated), (4, 1));
    let codes: Vec<_> = lines(&deck).iter().map(codes).collect();
    assert_eq!(codes, [vec!["49"], vec!["33"], vec!["5233", "5234"], vec!["5235"]]);
}

#[test]
fn rows_that_contradict_each_other_are_named() {
    let cases = [
        (
            "49,Germany,0.02\n49,Germany,0.03",
            3,
            "code 49 has another line from the same time on in line 2",
        ),
        ("49,Germany,0.02\n49,Germany mobile,0.02", 3, "code 49 has another line"),
        ("49,Germany,0.02\n49,,,,,x", 3, "code 49 has another line"),
        (
            "49,Germany,0.02,2026-03-01\n33,France,1\n49,Germany,0.03,2026-03-01",
            4,
            "code 49 has another line",
        ),
        (
            "44 7700-7799,UK,1\n4477,UK,2",
            3,
            "code 4477 has another line from the same time on in line 2",
        ),
        ("*,elsewhere,1\n*,elsewhere,2", 3, "the catch-all * has another line"),
    ];
    for (rows, line, problem) in cases {
        let deck = deck(rows);
        assert_eq!(deck.bad_rows().count(), 1, "{rows}");
        let found = deck.bad_rows().rows()[0].to_string();
        assert!(found.starts_with(&format!("line {line}: {problem}")), "{found}");
    }
}

#[test]
fn a_row_that_is_refused_for_one_code_ends_no_other() {
    let deck = deck(
        "49,Germany,0.02,2026-03-01\n33,France,0.03\n\"33;49\",both,0.04,2026-03-01\n33,France,0.05,2026-05-01",
    );
    assert_eq!(deck.bad_rows().rows()[0].line, 4);
    let until: Vec<_> =
        deck.lines().map(|line| line.valid_until.map(|at| at.to_string())).collect();
    assert_eq!(until, [None, Some("2026-05-01T00:00:00Z".to_owned()), None]);
}

#[test]
fn refusals_of_rows_and_between_rows_come_in_the_order_of_lines() {
    let deck = deck("49,Germany,0.02\n49,Germany,0.03\n33,France,x");
    let lines: Vec<u64> = deck.bad_rows().rows().iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 4]);
}
