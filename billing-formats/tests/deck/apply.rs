//! What a deck makes of a tariff.

use billing_core::tariff::{Tariff, TariffSpec};
use billing_formats::deck::{Deck, DeckError};
use serde_json::{Value, json};

use crate::{mapping, read};

fn tariff(lines: &Value) -> TariffSpec {
    serde_json::from_value(json!({
        "id": "retail", "version": 3, "currency": "EUR", "zone": "UTC", "decimals": 4, "rounding": "half_up",
        "windows": {"evening": {"from": "18:00"}}, "groups": {"dach": ["49", "43", "41"]}, "lines": lines,
    }))
    .unwrap()
}

fn priced(to: &Value, price: &str) -> Value {
    json!({"destination": "old", "to": to, "bands": [{"price": price, "per": "60", "increment": "60"}]})
}

fn deck(mode: &str, header: &str, rows: &str) -> Deck {
    let has = |column: &str| header.contains(column);
    let mut columns = json!({});
    for (field, column) in [("valid_from", "from"), ("window", "window"), ("origin", "origin")] {
        if has(column) {
            columns[field] = json!(column);
        }
    }
    if has("flag") {
        columns["change"] = json!({"column": "flag", "values": {"": "unchanged", "x": "withdrawn", "b": "blocked"}});
    }
    let mapping = mapping(&json!({"mode": mode, "zone": "UTC", "delimiter": ","}), &columns);
    read(&mapping, format!("{header}\n{rows}\n"))
}

/// The lines of a tariff, one a text: codes, price, window, origin, validity.
fn shown(tariff: &TariffSpec) -> Vec<String> {
    let _compiled = Tariff::compile(tariff).unwrap();
    let line = |line: &billing_core::tariff::LineSpec| {
        let json = serde_json::to_value(line).unwrap();
        let part =
            |name: &str| json.get(name).map_or(String::new(), |value| format!(" {name}={value}"));
        let price = line.bands.first().map_or("blocked".to_owned(), |band| band.price.to_string());
        let parts = ["window", "origin", "valid_from", "valid_until"].map(part).concat();
        format!("{} {price}{parts}", json["to"]).replace('"', "")
    };
    tariff.lines.iter().map(line).collect()
}

#[test]
fn a_full_deck_replaces_every_line_and_nothing_else() {
    let present =
        tariff(&json!([priced(&json!({"prefixes": ["49"]}), "1"), priced(&json!("any"), "2")]));
    let loaded = deck("full", "code,name,rate", "33,France,0.03").apply(&present, 4).unwrap();
    assert_eq!(shown(&loaded.tariff), ["{prefixes:[33]} 0.03"]);
    assert_eq!((loaded.added, loaded.kept, loaded.shortened, loaded.removed), (1, 0, 0, 2));
    let same = TariffSpec { lines: present.lines.clone(), version: 3, ..loaded.tariff };
    assert_eq!(same, present);
}

/// A tariff, the header and the rows of a deck; the lines, and how many were added, kept, shortened and removed.
type Case<'a> = (&'a TariffSpec, &'a str, &'a str, &'a [&'a str], [usize; 4]);

#[test]
fn a_delta_replaces_the_lines_of_its_codes_and_keeps_the_others() {
    let with = |line: Value| tariff(&json!([line, priced(&json!("any"), "3")]));
    let first = with(priced(&json!({"prefixes": ["49", "33"]}), "1"));
    let second = with(priced(&json!({"group": "dach"}), "2"));
    let cases: [Case<'_>; 8] = [
        (
            &first,
            "code,name,rate",
            "34,Spain,5",
            &["{prefixes:[49,33]} 1", "any 3", "{prefixes:[34]} 5"],
            [1, 2, 0, 0],
        ),
        (
            &first,
            "code,name,rate",
            "49,new,5",
            &["{prefixes:[33]} 1", "any 3", "{prefixes:[49]} 5"],
            [1, 1, 1, 0],
        ),
        (&first, "code,name,rate", "49;33,new,5", &["any 3", "{prefixes:[33,49]} 5"], [1, 1, 0, 1]),
        (
            &second,
            "code,name,rate",
            "43,new,5",
            &["{prefixes:[41,49]} 2", "any 3", "{prefixes:[43]} 5"],
            [1, 1, 1, 0],
        ),
        (&second, "code,name,rate", "*,new,5", &["{group:dach} 2", "any 5"], [1, 1, 0, 1]),
        (
            &second,
            "code,name,rate,flag",
            "41,,,x",
            &["{prefixes:[43,49]} 2", "any 3"],
            [0, 1, 1, 0],
        ),
        (
            &second,
            "code,name,rate,flag,from",
            "41,,,x,2026-03-01",
            &[
                "{prefixes:[43,49]} 2",
                "{prefixes:[41]} 2 valid_until=2026-03-01T00:00:00Z",
                "any 3",
            ],
            [0, 1, 1, 0],
        ),
        (
            &second,
            "code,name,rate,flag",
            "41,Swiss,,b",
            &["{prefixes:[43,49]} 2", "any 3", "{prefixes:[41]} blocked"],
            [1, 1, 1, 0],
        ),
    ];
    for (present, header, rows, accepted, counts) in cases {
        let loaded = deck("delta", header, rows).apply(present, 4).unwrap();
        assert_eq!(shown(&loaded.tariff), accepted, "{rows}");
        assert_eq!([loaded.added, loaded.kept, loaded.shortened, loaded.removed], counts, "{rows}");
    }
}

#[test]
fn a_range_of_a_delta_names_every_code_within_it_and_a_single_code_none_but_itself() {
    let codes = ["44", "4477", "44770", "447701", "44771", "4478", "49"];
    let present =
        tariff(&json!(codes.map(|code| priced(&json!({"prefixes": [code]}), "1")).to_vec()));
    // The rows of a delta, and the present codes that are left.
    let cases: [(&str, &[&str]); 7] = [
        ("44 7700-7799,new,5,", &["44", "4478", "49"]),
        ("44 7700-7759,new,5,", &["44", "4477", "4478", "49"]),
        ("44 7700-7709,,,x", &["44", "4477", "44771", "4478", "49"]),
        ("44 770000-770199,,,x", &["44", "4477", "44770", "44771", "4478", "49"]),
        ("4477,new,5,", &["44", "44770", "447701", "44771", "4478", "49"]),
        ("44,,,x", &["4477", "44770", "447701", "44771", "4478", "49"]),
        ("\"44 20,7710-7719\",new,5,", &["44", "4477", "44770", "447701", "4478", "49"]),
    ];
    for (row, left) in cases {
        let loaded = deck("delta", "code,name,rate,flag", row).apply(&present, 4).unwrap();
        let old = loaded.tariff.lines.iter().filter(|line| line.destination.as_str() == "old");
        assert_eq!(old.flat_map(crate::codes).collect::<Vec<_>>(), left, "{row}");
    }
}

#[test]
fn a_range_of_a_delta_counts_from_its_date_on() {
    let present = tariff(&json!([priced(&json!({"prefixes": ["44770", "4479"]}), "1")]));
    let row = "44 7700-7799,new,5,2026-03-01";
    let loaded = deck("delta", "code,name,rate,from", row).apply(&present, 4).unwrap();
    assert_eq!(
        shown(&loaded.tariff),
        [
            "{prefixes:[4479]} 1",
            "{prefixes:[44770]} 1 valid_until=2026-03-01T00:00:00Z",
            "{prefixes:[4477]} 5 valid_from=2026-03-01T00:00:00Z",
        ],
    );
}

#[test]
fn withdrawals_that_end_nothing_are_told() {
    let mut windowed = priced(&json!({"prefixes": ["34"]}), "1");
    windowed["window"] = json!("evening");
    let present = tariff(&json!([priced(&json!({"prefixes": ["4477", "49"]}), "1"), windowed]));
    let header = "code,name,rate,flag,from,window";
    let cases: [(&str, &[u64]); 9] = [
        ("49,,,x", &[]),
        ("44,,,x", &[2]),
        ("44771,,,x\n49,,,x\n33,,,x", &[2, 4]),
        ("44 7700-7759,,,x", &[2]),
        ("44 7000-7999,,,x", &[]),
        ("49;33,,,x", &[2]),
        ("34,,,x,,\n34,,,x,,evening", &[2]),
        ("33,new,5,,2026-03-01\n33,,,x,2026-04-01", &[]),
        ("33,new,5,,2026-04-01\n33,,,x,2026-03-01", &[3]),
    ];
    for (rows, unmet) in cases {
        let loaded = deck("delta", header, &padded(rows)).apply(&present, 4).unwrap();
        assert_eq!(loaded.unmet, unmet, "{rows}");
    }
    let full = deck("full", header, &padded("49,new,5\n33,,,x")).apply(&present, 4).unwrap();
    assert_eq!(full.unmet, [0_u64; 0]);
}

/// Rows with as many columns as the widest header.
fn padded(rows: &str) -> String {
    rows.lines().map(|row| format!("{row},,,,,")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_dated_row_of_a_delta_counts_from_its_date_on() {
    let mut lines =
        [priced(&json!({"prefixes": ["49"]}), "1"), priced(&json!({"prefixes": ["49"]}), "2")];
    lines[0]["valid_until"] = json!("2026-03-01T00:00:00Z");
    lines[1]["valid_from"] = json!("2026-03-01T00:00:00Z");
    let present = tariff(&json!(lines));
    let old = [
        "{prefixes:[49]} 1 valid_until=2026-03-01T00:00:00Z",
        "{prefixes:[49]} 2 valid_from=2026-03-01T00:00:00Z",
    ];
    let cases: [(&str, [usize; 3], &[&str]); 4] = [
        (
            "2026-02-01",
            [0, 1, 1],
            &[
                "{prefixes:[49]} 1 valid_until=2026-02-01T00:00:00Z",
                "{prefixes:[49]} 5 valid_from=2026-02-01T00:00:00Z",
            ],
        ),
        ("2026-03-01", [1, 0, 1], &[old[0], "{prefixes:[49]} 5 valid_from=2026-03-01T00:00:00Z"]),
        (
            "2026-04-01",
            [1, 1, 0],
            &[
                old[0],
                "{prefixes:[49]} 2 valid_from=2026-03-01T00:00:00Z valid_until=2026-04-01T00:00:00Z",
                "{prefixes:[49]} 5 valid_from=2026-04-01T00:00:00Z",
            ],
        ),
        ("", [0, 0, 2], &["{prefixes:[49]} 5"]),
    ];
    for (date, counts, accepted) in cases {
        let loaded = deck("delta", "code,name,rate,from", &format!("49,new,5,{date}"))
            .apply(&present, 4)
            .unwrap();
        assert_eq!(shown(&loaded.tariff), accepted, "{date}");
        assert_eq!([loaded.kept, loaded.shortened, loaded.removed], counts, "{date}");
    }
}

#[test]
fn a_delta_that_names_windows_or_origins_replaces_those_alone() {
    let mut lines = [
        priced(&json!({"prefixes": ["49"]}), "1"),
        priced(&json!({"prefixes": ["49"]}), "2"),
        priced(&json!({"prefixes": ["49"]}), "3"),
    ];
    lines[1]["window"] = json!("evening");
    lines[2]["origin"] = json!("44");
    let present = tariff(&json!(lines));
    let shown_after = |header: &str, row: &str| {
        shown(&deck("delta", header, row).apply(&present, 4).unwrap().tariff)
    };
    assert_eq!(shown_after("code,name,rate", "49,new,5"), ["{prefixes:[49]} 5"]);
    assert_eq!(
        shown_after("code,name,rate,window", "49,new,5,evening"),
        ["{prefixes:[49]} 1", "{prefixes:[49]} 3 origin=44", "{prefixes:[49]} 5 window=evening"],
    );
    assert_eq!(
        shown_after("code,name,rate,origin,window", "49,new,5,44,"),
        ["{prefixes:[49]} 1", "{prefixes:[49]} 2 window=evening", "{prefixes:[49]} 5 origin=44"],
    );
}

#[test]
fn a_deck_that_does_not_fit_changes_nothing() {
    let present = tariff(&json!([]));
    let good = deck("full", "code,name,rate,window", "49,Germany,1,evening");
    assert!(good.apply(&present, 4).is_ok());
    assert_eq!(good.apply(&present, 3).unwrap_err(), DeckError::Version { present: 3, next: 3 });

    let elsewhere = TariffSpec { currency: "USD".parse().unwrap(), ..present.clone() };
    let problem = good.apply(&elsewhere, 4).unwrap_err().to_string();
    assert_eq!(problem, "the deck is in EUR, but the tariff in USD; accepted is one currency");

    let night = deck("full", "code,name,rate,window", "49,Germany,1,night");
    assert_eq!(night.apply(&present, 4).unwrap_err(), DeckError::Window { name: "night".into() });

    let bad = deck("full", "code,name,rate", "49,Germany,1\n33,France,x\n34,Spain,y");
    let Err(DeckError::BadRows(rows)) = bad.apply(&present, 4) else { panic!("applied") };
    assert_eq!((rows.count(), rows.rows().len()), (2, 2));
    let some = bad.without_bad_rows();
    assert_eq!((some.counts().refused, some.apply(&present, 4).unwrap().added), (2, 1));
}
