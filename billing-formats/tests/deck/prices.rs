//! Prices, however they are written.

use serde_json::{Value, json};

use crate::{HEADER, line, mapping, refusal};

#[test]
fn a_price_is_read_however_it_is_written() {
    let point = json!({});
    let comma = json!({"decimal": "comma"});
    let auto = json!({"decimal": "auto"});
    let cases: &[(&Value, &str, &str)] = &[
        (&point, "0.0150", "0.015"),
        (&point, ".0150", "0.015"),
        (&point, "0", "0"),
        (&point, "12", "12"),
        (&point, "€0.02", "0.02"),
        (&point, "€ 0.02", "0.02"),
        (&point, "0.02 EUR", "0.02"),
        (&point, "eur 0.02 €", "0.02"),
        (&comma, "0,02", "0.02"),
        (&comma, "0,02\u{A0}€", "0.02"),
        (&comma, "1,250", "1.25"),
        (&auto, "0,025", "0.025"),
        (&auto, "0.025", "0.025"),
        (&auto, ",025", "0.025"),
        (&auto, "1,25", "1.25"),
        (&auto, "1.2500", "1.25"),
        (&auto, "1.234,5", "1234.5"),
        (&auto, "1,234.5", "1234.5"),
        (&auto, "1,234,567", "1234567"),
        (&auto, "1.234.567", "1234567"),
        (&auto, "7", "7"),
    ];
    for (changes, cell, price) in cases {
        let line = line(&mapping(changes, &json!({})), HEADER, &row(cell));
        assert_eq!(line.bands[0].price.to_string(), *price, "{changes} {cell}");
    }
}

#[test]
fn thousands_are_groups_of_three_behind_the_mark_that_the_mapping_names() {
    let cases = [
        ("point", "comma", "1,234.5", Some("1234.5")),
        ("point", "comma", "1,234,567.5", Some("1234567.5")),
        ("point", "comma", "1,23.5", None),
        ("point", "comma", "1234,567.5", None),
        ("point", "comma", ",234.5", None),
        ("comma", "point", "1.234,5", Some("1234.5")),
        ("comma", "space", "1\u{202F}234,5", Some("1234.5")),
        ("comma", "space", "1 234,5", Some("1234.5")),
        ("point", "apostrophe", "1'234.5", Some("1234.5")),
        ("auto", "apostrophe", "1\u{2019}234,50", Some("1234.5")),
    ];
    for (decimal, thousands, cell, price) in cases {
        let mapping = mapping(&json!({"decimal": decimal, "thousands": thousands}), &json!({}));
        if let Some(price) = price {
            let line = line(&mapping, HEADER, &row(cell));
            assert_eq!(line.bands[0].price.to_string(), price, "{decimal} {cell}");
        } else {
            let found = refusal(&mapping, HEADER, &row(cell));
            assert!(found.contains("it cannot be read as a price"), "{found}");
        }
    }
}

#[test]
fn thousands_that_begin_with_zero_are_refused() {
    let cases = [
        ("comma", Some("point"), "0.015"),
        ("comma", Some("point"), "0.015,5"),
        ("point", Some("comma"), "0,012"),
        ("point", Some("comma"), "012,500"),
        ("comma", Some("space"), "0 015"),
        ("point", Some("apostrophe"), "00'015"),
        ("auto", None, "0,015,000"),
        ("auto", None, "0.000.015"),
        ("auto", None, "0.015,2"),
    ];
    for (decimal, thousands, cell) in cases {
        let marks = json!({"decimal": decimal, "thousands": thousands});
        let found = refusal(&mapping(&marks, &json!({})), HEADER, &row(cell));
        assert!(
            found.contains("its thousands begin with 0") && found.contains("accepted is 1 to 9"),
            "{cell}: {found}"
        );
    }
}

#[test]
fn a_price_that_cannot_be_read_for_certain_is_refused() {
    let point = json!({});
    let auto = json!({"decimal": "auto"});
    let currency =
        "it has another currency or other words beside it; accepted is EUR by its code or sign";
    let cases: &[(&Value, &str, &str)] = &[
        (
            &point,
            "",
            "it is empty, and the mapping does not say what that means; accepted is a price",
        ),
        (&point, "N/A", "it cannot be read as a price; accepted is a number such as 0.015"),
        (&point, "0,02", "it cannot be read as a price"),
        (&point, "1,234.5", "it cannot be read as a price"),
        (&point, "1.2.3", "it cannot be read as a price"),
        (&point, "0.0x2", "it cannot be read as a price"),
        (&point, "1E-05", "it cannot be read as a price"),
        (&point, "-1", "price -1 is out of bounds; accepted is 0 or more"),
        (&point, "0.00000000001", "has more than 10 decimals"),
        (&point, "$0.02", currency),
        (&point, "0.02 USD", currency),
        (&point, "0.02/min", currency),
        (&auto, "1.250", "its mark may stand before decimals or between thousands"),
        (&auto, "12,500", "its mark may stand before decimals or between thousands"),
        (&auto, "1,2,3", "it cannot be read as a price"),
    ];
    for (changes, cell, problem) in cases {
        let found = refusal(&mapping(changes, &json!({})), HEADER, &row(cell));
        let place = format!("line 2, column `rate`, value {cell:?}: ");
        assert!(found.starts_with(&place) && found.contains(problem), "{found}");
    }
}

#[test]
fn a_sign_of_several_currencies_is_taken_for_that_of_the_mapping() {
    let cases = [
        ("USD", "$0.02"),
        ("CAD", "$0.02"),
        ("USD", "US$ 0.02"),
        ("GBP", "£0.02"),
        ("PLN", "0.02 zł"),
    ];
    for (currency, cell) in cases {
        let line = line(&mapping(&json!({"currency": currency}), &json!({})), HEADER, &row(cell));
        assert_eq!(line.bands[0].price.to_string(), "0.02", "{cell}");
    }
    let found = refusal(&mapping(&json!({"currency": "CAD"}), &json!({})), HEADER, &row("US$0.02"));
    assert!(found.contains("accepted is CAD"), "{found}");
}

#[test]
fn a_column_of_currencies_must_have_that_of_the_mapping() {
    let mapping = mapping(&json!({}), &json!({"currency": "cur"}));
    let header = "code,name,rate,cur";
    for accepted in ["EUR", "eur", "€", ""] {
        let _line = line(&mapping, header, &format!("49,Germany,0.02,{accepted}"));
    }
    let found = refusal(&mapping, header, "49,Germany,0.02,USD");
    assert!(
        found.starts_with("line 2, column `cur`, value \"USD\": it has another currency"),
        "{found}"
    );
}

#[test]
fn what_stands_for_blocked_is_what_the_mapping_says() {
    let mapping = mapping(
        &json!({"blocked_prices": ["N/A", "blocked", "-1"]}),
        &json!({"connect_fee": "fee"}),
    );
    for cell in ["n/a", "Blocked", "-1"] {
        let line = line(&mapping, "code,name,rate,fee", &format!("850,North Korea,{cell},unknown"));
        assert!(line.blocked && line.bands.is_empty() && line.connect_fee.is_zero(), "{cell}");
    }
    let found = refusal(&mapping, "code,name,rate,fee", "850,North Korea,none,0");
    assert!(found.contains("it cannot be read as a price"), "{found}");
}

#[test]
fn a_price_is_for_what_the_mapping_says() {
    let cases = [
        (json!("minute"), "60"),
        (json!("second"), "1"),
        (json!("increment"), "6"),
        (json!({"quantity": "3600"}), "3600"),
    ];
    for (per, seconds) in cases {
        let mapping = mapping(&json!({"per": per}), &json!({"increments": {"constant": "30/6"}}));
        let line = line(&mapping, HEADER, &row("0.02"));
        assert_eq!(line.bands[0].per.to_string(), seconds);
    }
}

fn row(price: &str) -> String {
    format!("49,Germany,\"{price}\"")
}
