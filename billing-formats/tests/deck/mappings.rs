//! Mappings: how they are written, and which contradict themselves.

use billing_formats::deck::{Deck, Mapping, ReadError};
use serde_json::{Value, json};

use crate::{mapping, standard};

#[test]
fn a_mapping_reads_back_as_it_was_written() {
    let columns = json!({
        "country": 7, "connect_fee": {"constant": "0.01"}, "grace": {"column": "grace", "empty": "3"},
        "change": {"column": "flag", "values": {"n": "new"}}, "currency": "cur",
    });
    let changes = json!({
        "encoding": "utf16_le", "delimiter": "|", "quotes": "none", "header": {"row": 2}, "rows": "with_code",
        "decimal": "comma", "thousands": "point", "per": {"quantity": "3600"}, "increment_max": "7200", "blocked_prices": ["-1"],
        "dates": "month_first", "end_date": "day_after", "international_prefixes": ["011"], "hyphen": "range",
        "comma": "list",
    });
    for mapping in [standard(), mapping(&changes, &columns)] {
        let json = serde_json::to_value(&mapping).unwrap();
        assert_eq!(serde_json::from_value::<Mapping>(json).unwrap(), mapping);
    }
}

#[test]
fn a_mapping_that_contradicts_itself_is_refused() {
    let cases = [
        (
            json!({"header": "absent"}),
            json!({}),
            "column `code` is told by name, but `header` says that there are none",
        ),
        (
            json!({}),
            json!({"code": 1, "destination": 2, "price": 3}),
            "`header` is to be found, but no column is told by its name",
        ),
        (
            json!({"header": {"row": 51}}),
            json!({}),
            "`header` is in row 51; accepted is a row up to 50",
        ),
        (json!({"thousands": "point"}), json!({}), "`thousands` is a mark that `decimal` may be"),
        (
            json!({"decimal": "auto", "thousands": "comma"}),
            json!({}),
            "`thousands` is a mark that `decimal` may be",
        ),
        (
            json!({"per": {"quantity": "0"}}),
            json!({}),
            "`per` is 0; accepted is a quantity above 0",
        ),
        (json!({"increment_max": "0"}), json!({}), "`increment_max` is 0; accepted is a quantity"),
        (json!({"per": {"quantity": "-1"}}), json!({}), "`per` is -1; accepted"),
        (
            json!({"international_prefixes": [""]}),
            json!({}),
            "`international_prefixes` has \"\"; accepted are digits",
        ),
        (json!({}), json!({"change": {"column": "c", "values": {}}}), "`change` lists no values"),
        (
            json!({}),
            json!({"blocked": {"column": "c", "values": {"Y": true, "y ": false}}}),
            "`blocked` lists values 1 and 2, which differ in case or spaces alone",
        ),
    ];
    for (changes, columns, problem) in cases {
        let found = mapping(&changes, &columns).check().unwrap_err();
        assert!(found.to_string().starts_with(problem), "{found}");
        let read = Deck::read("".as_bytes(), &mapping(&changes, &columns));
        assert!(matches!(read, Err(ReadError::Mapping(same)) if same == found));
    }
}

#[test]
fn json_that_says_nothing_is_refused() {
    let cases = [
        (json!({"deliminator": ";"}), json!({}), "unknown field `deliminator`"),
        (json!({}), json!({"prise": "x"}), "unknown field `prise`"),
        (json!({"mode": "both"}), json!({}), "unknown variant `both`"),
        (json!({}), json!({"increments": {"constant": "60/0"}}), "the increments cannot be read"),
        (
            json!({}),
            json!({"increments": {"constant": "6", "column": "x"}}),
            "accepted is `constant` alone, or `column`",
        ),
        (json!({}), json!({"increments": {}}), "accepted is `constant` alone, or `column`"),
    ];
    for (changes, columns, problem) in cases {
        let mut json: Value = serde_json::to_value(standard()).unwrap();
        for (object, changes) in [("", changes), ("/columns", columns)] {
            for (name, value) in changes.as_object().unwrap() {
                json.pointer_mut(object).unwrap()[name] = value.clone();
            }
        }
        let found = serde_json::from_value::<Mapping>(json).unwrap_err().to_string();
        assert!(found.contains(problem), "{found}");
    }
}
