//! Codes, however they are written.

use billing_formats::deck::Deck;
use serde_json::{Value, json};

use crate::{codes, line, mapping, refusal, standard};

/// A code, what its mapping says of codes, and what comes of it.
type Case<'a> = (&'a str, Value, &'a [&'a str]);

#[test]
fn a_code_is_read_however_it_is_written() {
    let cases: &[Case<'_>] = &[
        ("4930", json!({}), &["4930"]),
        ("+1204", json!({}), &["1204"]),
        ("001204", json!({}), &["1204"]),
        ("1 204", json!({}), &["1204"]),
        ("1\u{A0}204", json!({}), &["1204"]),
        ("(1) 204", json!({}), &["1204"]),
        ("1-204", json!({}), &["1204"]),
        ("1-204-5550", json!({}), &["12045550"]),
        ("+1-204", json!({}), &["1204"]),
        ("0044-77001", json!({}), &["4477001"]),
        ("4477-4478999", json!({"hyphen": "nothing"}), &["44774478999"]),
        ("'1204", json!({}), &["1204"]),
        ("\"=\"\"1204\"\"\"", json!({}), &["1204"]),
        ("0111204", json!({"international_prefixes": ["011", "00"]}), &["1204"]),
        ("44 7700-7799", json!({}), &["4477"]),
        ("44 7700 - 7799", json!({}), &["4477"]),
        ("447700\u{2013}447799", json!({}), &["4477"]),
        ("44 7700-44 7799", json!({}), &["4477"]),
        ("0044 7798-7801", json!({}), &["447798", "447799", "447800", "447801"]),
        ("\"52 33,34\"", json!({}), &["5233", "5234"]),
        ("52 33;34;33", json!({}), &["5233", "5234"]),
        ("\"+52 33, 34\"", json!({}), &["5233", "5234"]),
        ("\"52 33\n34\"", json!({}), &["5233", "5234"]),
        ("44 7700-7799;20", json!({}), &["4420", "4477"]),
        ("1-204;205", json!({}), &["1204", "1205"]),
        ("1 204;52 33", json!({}), &["1204", "5233"]),
        ("52 33-34", json!({}), &["5233", "5234"]),
        ("1 204;205-206", json!({}), &["1204", "1205", "1206"]),
        ("1204-1205", json!({}), &["1204", "1205"]),
        ("52-55", json!({"hyphen": "nothing"}), &["5255"]),
        ("\"1-204,1-250\"", json!({}), &["1204", "1250"]),
        ("1-204;52-333;205", json!({}), &["1204", "1205", "52333"]),
        ("\"44-7700, 44-7800\"", json!({}), &["447700", "447800"]),
        ("\"1 204,1-250\"", json!({}), &["1204", "1250"]),
        ("1 204;+1-250", json!({}), &["1204", "1250"]),
        ("1-204-5550;1-250-5551", json!({}), &["12045550", "12505551"]),
        ("33-34;35-36", json!({"hyphen": "nothing"}), &["3334", "3536"]),
        ("52 33-34;3536", json!({"hyphen": "nothing"}), &["523334", "523536"]),
        ("33;34;", json!({}), &["33", "34"]),
        ("\"1204,205\"", json!({}), &["1204", "205"]),
        ("+8103", json!({"international_prefixes": ["810"]}), &["8103"]),
        ("8103", json!({"international_prefixes": ["810"]}), &["3"]),
        ("33-34", json!({"hyphen": "nothing"}), &["3334"]),
        ("33-34", json!({"hyphen": "range"}), &["33", "34"]),
        ("\"212,213\"", json!({"comma": "list"}), &["212", "213"]),
        ("\"1,204\"", json!({"comma": "nothing"}), &["1204"]),
        ("*", json!({}), &["*"]),
        ("4.4E+1", json!({}), &["44"]),
        ("4.40E+2", json!({}), &["440"]),
        ("\"4,47956E+05\"", json!({}), &["447956"]),
    ];
    for (cell, changes, accepted) in cases {
        let mapping = mapping(&merged(changes, &json!({"delimiter": ","})), &json!({}));
        let line = line(&mapping, "code,name,rate", &format!("{cell},Somewhere,0.01"));
        assert_eq!(codes(&line), *accepted, "{cell}");
    }
}

#[test]
fn a_country_may_have_a_column_of_its_own() {
    let cases: &[(&str, &[&str])] = &[
        ("52\t33", &["5233"]),
        ("+52\t33, 34", &["5233", "5234"]),
        ("0052\t212,213", &["52212", "52213"]),
        ("44\t7700-7799", &["4477"]),
        ("44\t0-9", &["44"]),
        ("44\t20 7, 20 8", &["44207", "44208"]),
        ("39\t06", &["3906"]),
        ("1\t204-5550", &["12045550"]),
        ("33\t33-34", &["3333", "3334"]),
        ("850\t", &["850"]),
        ("850\t*", &["850"]),
        ("\t*", &["*"]),
    ];
    let mapping = mapping(&json!({}), &json!({"country": "cc"}));
    for (cells, accepted) in cases {
        let line = line(&mapping, "cc\tcode\tname\trate", &format!("{cells}\tSomewhere\t0.01"));
        assert_eq!(codes(&line), *accepted, "{cells}");
    }
}

#[test]
fn a_code_without_the_country_of_its_column_is_refused() {
    for rows in ["all", "with_code"] {
        let mapping = mapping(&json!({"rows": rows}), &json!({"country": "cc"}));
        let found = refusal(&mapping, "cc;code;name;rate", ";7800;UK mobile;0.03");
        assert_eq!(
            found,
            "line 2, column `cc`, value \"\": it is empty, and the mapping does not say what that means; \
             accepted is the country of the code",
        );
    }
}

#[test]
fn a_code_that_may_have_its_country_beside_that_of_its_column_is_refused() {
    let mapping = mapping(&json!({}), &json!({"country": "cc"}));
    for cells in ["1\t1-204", "+1\t1-204", "1\t204;1-250", "1\t1 204", "44\t44 7700-44 7799"] {
        let row = format!("{cells}\tSomewhere\t0.01");
        let found = refusal(&mapping, "cc\tcode\tname\trate", &row);
        assert!(found.contains("it may begin with its own country or follow that"), "{found}");
    }
}

#[test]
fn a_code_that_cannot_be_read_for_certain_is_refused() {
    let cases: &[(&str, Value, &str)] = &[
        (
            "4.47956E+11",
            json!({}),
            "a spreadsheet cut a code of 12 digits; accepted is one with all of them",
        ),
        ("4.4E+2", json!({}), "a spreadsheet cut a code of 3 digits"),
        ("44.7956E+11", json!({}), "it cannot be read as a code"),
        ("1204.0", json!({}), "it cannot be read as a code"),
        ("01204", json!({}), "the code begins with 0; accepted is the country code first"),
        ("1234567890123456", json!({}), "prefix is 16 bytes long; accepted are 1 to 15 digits"),
        ("Germany", json!({}), "it cannot be read as a code"),
        ("4+9", json!({}), "it cannot be read as a code"),
        ("+", json!({}), "prefix is 0 bytes long"),
        (
            "",
            json!({}),
            "it is empty, and the mapping does not say what that means; accepted is a code",
        ),
        (
            "7799-7700",
            json!({}),
            "the range ends before it begins; accepted is the smaller code first",
        ),
        ("7700-99", json!({}), "its hyphen may stand for a range or for nothing"),
        ("1-33-34", json!({}), "its hyphen may stand for a range or for nothing"),
        ("52-55", json!({}), "its hyphen may stand for a range or for nothing"),
        ("7-7", json!({}), "its hyphen may stand for a range or for nothing"),
        ("20-30", json!({}), "its hyphen may stand for a range or for nothing"),
        ("204-205;33", json!({}), "its hyphen may stand for a range or for nothing"),
        ("44 7700-447799", json!({}), "its hyphen may stand for a range or for nothing"),
        ("44770-447799", json!({}), "its hyphen may stand for a range or for nothing"),
        ("4477-4478999", json!({}), "its hyphen may stand for a range or for nothing"),
        ("(1) 204-5550", json!({}), "its hyphen may stand for a range or for nothing"),
        ("44770-44-7799", json!({}), "its hyphen may stand for a range or for nothing"),
        ("-4930", json!({}), "its hyphen may stand for a range or for nothing"),
        ("May-10", json!({}), "its hyphen may stand for a range or for nothing"),
        ("1-204", json!({"hyphen": "range"}), "the range begins with 1 digits and ends with 3"),
        ("1-33-34", json!({"hyphen": "range"}), "it cannot be read as a code"),
        ("1 204;52-333", json!({}), "it may begin with its own country or follow that"),
        ("52 33-34;35-36", json!({"hyphen": "nothing"}), "it may begin with its own country"),
        ("1-204-5550;5551", json!({}), "it may begin with its own country or follow that"),
        ("44 77 00;01", json!({}), "it cannot be read as a code"),
        ("44 77 00-01", json!({}), "it cannot be read as a code"),
        ("44 7700-45 7799", json!({}), "it cannot be read as a code"),
        ("\"1,204\"", json!({}), "its comma may separate codes or stand between thousands"),
        ("\"212,213\"", json!({}), "its comma may separate codes or stand between thousands"),
        ("0-9", json!({"hyphen": "range"}), "the code begins with 0"),
        (",", json!({}), "it is empty"),
    ];
    for (cell, changes, problem) in cases {
        let mapping = mapping(&merged(changes, &json!({"delimiter": ","})), &json!({}));
        let found = refusal(&mapping, "code,name,rate,note", &format!("{cell},Somewhere,0.01,"));
        assert!(found.starts_with("line 2, column `code`, value \""), "{found}");
        assert!(found.contains(problem), "{cell}: {found}");
    }
}

#[test]
fn a_row_names_ten_thousand_prefixes_and_no_more() {
    let mapping = mapping(&json!({"delimiter": "|"}), &json!({"country": "cc"}));
    let row = |codes: u32| {
        let codes: Vec<String> = (0..codes).map(|code| format!("{code:05}")).collect();
        format!("7|{}|Somewhere|0.01", codes.join(";"))
    };
    let header = "cc|code|name|rate";
    assert_eq!(codes(&line(&mapping, header, &row(10_000))).len(), 10_000);
    let found = refusal(&mapping, header, &row(10_001));
    assert!(
        found.ends_with("it has more codes than 10000 prefixes; accepted are fewer in each row"),
        "{found}"
    );
}

#[test]
fn a_range_needs_a_hundred_prefixes_and_no_more() {
    let header = "code,name,rate";
    let widest = line(&standard(), header, "44 000001-999998,Somewhere,0.01");
    assert_eq!(codes(&widest).len(), 98);
    let found = refusal(&standard(), header, "44 0000001-9999998,Somewhere,0.01");
    assert!(found.contains("the range needs 116 prefixes; accepted are up to 100"), "{found}");
    let found = refusal(&standard(), header, "100000000000001-899999999999998,Somewhere,0.01");
    assert!(found.contains("the range needs "), "{found}");
}

#[test]
fn codes_grow_with_the_rows_of_a_deck() {
    let mapping = mapping(&json!({"delimiter": "|"}), &json!({"country": "cc"}));
    let file = |rows: core::ops::Range<u32>, codes: u32| {
        let codes: Vec<String> = (0..codes).map(|code| format!("{code:05}")).collect();
        let codes = codes.join(";");
        let rows = rows.map(|row| format!("{row}|{codes}|Somewhere|0.01\n"));
        format!("cc|code|name|rate\n{}", rows.collect::<String>())
    };
    let refused = Deck::read(file(100..201, 10_000).as_bytes(), &mapping).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the rows up to line 102 name more than 1000000 codes; accepted are a million, or ten for each row if that is more",
    );
    let many = Deck::read(file(100_000..200_500, 10).as_bytes(), &mapping).unwrap();
    assert_eq!(many.counts().priced, 100_500);
}

fn merged(one: &Value, other: &Value) -> Value {
    let mut merged = one.clone();
    for (name, value) in other.as_object().unwrap() {
        merged[name] = value.clone();
    }
    merged
}
