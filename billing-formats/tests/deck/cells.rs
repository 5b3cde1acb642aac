//! Increments, dates, flags and whatever else stands beside a price.

use billing_core::time::Instant;
use serde_json::{Value, json};

use crate::{codes, line, mapping, read, refusal};

#[test]
fn increments_are_read_in_every_form() {
    let cases = [
        ("30/6", Some("30"), "6"),
        ("60+1", Some("60"), "1"),
        ("60/60", None, "60"),
        ("6", None, "6"),
        ("0/1", None, "1"),
        (" 30 / 6 ", Some("30"), "6"),
        ("0.5", None, "0.5"),
        ("", None, "60"),
    ];
    let increments = json!({"increments": {"column": "inc", "empty": "60/60"}});
    for (cell, first, next) in cases {
        let line = line(
            &mapping(&json!({}), &increments),
            "code,name,rate,inc",
            &format!("49,Germany,0.02,{cell}"),
        );
        assert_eq!(line.first.map(|first| first.to_string()).as_deref(), first, "{cell}");
        assert_eq!(line.bands[0].increment.to_string(), next, "{cell}");
    }
    for cell in ["1/0", "10000000000", "0.0001", "x", "30/6/6", "-1", "30/-6", "/", "6s"] {
        let found = refusal(
            &mapping(&json!({}), &increments),
            "code,name,rate,inc",
            &format!("49,Germany,0.02,{cell}"),
        );
        assert!(
            found.contains("column `inc`") && found.contains("the increments cannot be read"),
            "{found}"
        );
    }
}

#[test]
fn an_increment_that_may_be_a_date_is_refused_until_the_mapping_allows_it() {
    let columns = json!({"increments": "inc", "first_increment": "first"});
    let header = "code,name,rate,inc,first";
    let cases = [
        ("46023", "", "inc"),
        ("3600.5", "", "inc"),
        ("60/46023", "", "inc"),
        ("46023/1", "", "inc"),
        ("60", "46023", "first"),
    ];
    let day = mapping(&json!({"increment_max": "86400"}), &columns);
    for (cell, first, column) in cases {
        let row = format!("49,Germany,0.02,{cell},{first}");
        let found = refusal(&mapping(&json!({}), &columns), header, &row);
        let value = if first.is_empty() { cell } else { first };
        let problem = format!("column `{column}`, value \"{value}\": an increment is above 3600");
        assert!(found.contains(&problem), "{found}");
        let _line = line(&day, header, &row);
    }
    for cell in ["3600", "3600/3600"] {
        let row = format!("49,Germany,0.02,{cell},");
        let line = line(&mapping(&json!({}), &columns), header, &row);
        assert_eq!(line.bands[0].increment.to_string(), "3600", "{cell}");
    }
    let constant = mapping(&json!({}), &json!({"increments": {"constant": "86400"}}));
    let constant = line(&constant, "code,name,rate", "49,Germany,0.02");
    assert_eq!(constant.bands[0].increment.to_string(), "86400");
}

#[test]
fn first_and_next_increments_may_stand_apart() {
    let mapping = mapping(&json!({}), &json!({"increments": "next", "first_increment": "first"}));
    let line = line(&mapping, "code,name,rate,first,next", "49,Germany,0.02,30,6");
    assert_eq!(line.first, "30".parse().ok());
    assert_eq!(line.bands[0].increment, "6".parse().unwrap());
}

#[test]
fn fees_grace_weight_origin_and_window_have_columns_or_constants() {
    let columns = json!({
        "connect_fee": "fee", "minimum": {"column": "min", "empty": "0.05"}, "grace": {"constant": "3"},
        "weight": "weight", "origin": "from", "window": "window",
    });
    let header = "code,name,rate,fee,min,weight,from,window";
    let full =
        line(&mapping(&json!({}), &columns), header, "49,Germany,0.02,0.01,0.03,10,44,evening");
    let expected = json!({
        "destination": "Germany", "to": {"prefixes": ["49"]}, "origin": "44", "window": "evening", "weight": 10,
        "connect_fee": "0.01", "minimum": "0.03", "at_maximum": "free", "grace": "3",
        "bands": [{"price": "0.02", "per": "60", "increment": "60"}],
    });
    assert_eq!(serde_json::to_value(&full).unwrap(), expected);

    let empty = line(&mapping(&json!({}), &columns), header, "49,Germany,0.02,,,,,");
    assert_eq!((empty.minimum.to_string().as_str(), empty.weight), ("0.05", 0));
    assert_eq!((empty.origin, empty.window), (None, None));

    let cases = [
        (
            "49,Germany,0.02,0,0,-1,,",
            "column `weight`, value \"-1\": it cannot be read as a weight",
        ),
        (
            "49,Germany,0.02,0,0,0,+44,",
            "column `from`, value \"+44\": prefix has something else than a digit",
        ),
        ("49,,0.02,0,0,0,,", "column `name`, value \"\": it is empty"),
    ];
    for (row, problem) in cases {
        let found = refusal(&mapping(&json!({}), &columns), header, row);
        assert!(found.contains(problem), "{found}");
    }
}

#[test]
fn dates_are_read_in_the_order_and_the_zone_of_the_mapping() {
    let cases = [
        ("iso", "2026-03-01", "2026-02-28T23:00:00Z"),
        ("iso", "2026/7/1", "2026-06-30T22:00:00Z"),
        ("iso", "2026-03-01 08:30", "2026-03-01T07:30:00Z"),
        ("iso", "2026-03-01T08:30:15", "2026-03-01T07:30:15Z"),
        ("iso", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("iso", "2026-03-01T00:00:00+05:00", "2026-02-28T19:00:00Z"),
        ("day_first", "01/03/2026", "2026-02-28T23:00:00Z"),
        ("day_first", "1.3.26", "2026-02-28T23:00:00Z"),
        ("day_first", "01-Mar-26", "2026-02-28T23:00:00Z"),
        ("day_first", "31.3.26", "2026-03-30T22:00:00Z"),
        ("day_first", "01/01/15", "2014-12-31T23:00:00Z"),
        ("day_first", "01-03-2026", "2026-02-28T23:00:00Z"),
        ("month_first", "3/1/26", "2026-02-28T23:00:00Z"),
        ("day_first", "1 mar 2026", "2026-02-28T23:00:00Z"),
        ("day_first", "13/12/2026 00:00:00", "2026-12-12T23:00:00Z"),
        ("month_first", "03/01/2026", "2026-02-28T23:00:00Z"),
        ("month_first", "Mar 1, 2026", "2026-02-28T23:00:00Z"),
        ("month_first", "01-Mar-26", "2026-02-28T23:00:00Z"),
    ];
    for (order, cell, instant) in cases {
        let mapping = mapping(&json!({"dates": order}), &json!({"valid_from": "from"}));
        let line = line(&mapping, "code,name,rate,from", &format!("49,Germany,0.02,\"{cell}\""));
        assert_eq!(line.valid_from, instant.parse().ok(), "{order} {cell}");
    }
}

#[test]
fn a_date_that_is_none_is_refused() {
    let cases = [
        ("iso", "01/03/2026", "it cannot be read as a date; accepted is 2026-03-31"),
        ("iso", "01-Mar-26", "it cannot be read as a date"),
        ("iso", "26-03-01", "it cannot be read as a date"),
        ("iso", "46082", "it cannot be read as a date"),
        ("day_first", "03/31/2026", "it cannot be read as a date; accepted is 31/03/2026"),
        ("day_first", "29.02.2026", "it cannot be read as a date"),
        ("day_first", "1.3.026", "it cannot be read as a date"),
        ("day_first", "26-04-01", "it cannot be read as a date; accepted is 31/03/2026, 31.3.26"),
        ("day_first", "26.04.01", "it cannot be read as a date"),
        ("day_first", "26/4/1", "it cannot be read as a date"),
        ("day_first", "26-04-25", "it cannot be read as a date"),
        ("day_first", "01-04-26", "it cannot be read as a date"),
        ("month_first", "03-04-26", "it cannot be read as a date"),
        (
            "day_first",
            "01 March 2026",
            "it cannot be read as a date; accepted is 31/03/2026, 31.3.26 or 31-Mar-26 (months of three letters)",
        ),
        (
            "month_first",
            "March 1 2026",
            "it cannot be read as a date; accepted is 03/31/2026, 3/31/26, Mar 31, 2026 or 31-Mar-26 (months of three",
        ),
        ("month_first", "31/03/2026", "it cannot be read as a date; accepted is 03/31/2026"),
        ("iso", "2026-03-01 24:00", "it cannot be read as a date"),
        ("iso", "2026-03-29 02:30", "Europe/Berlin had this time never or twice"),
        ("iso", "2026-10-25 02:30", "Europe/Berlin had this time never or twice"),
        ("iso", "soon", "it cannot be read as a date"),
    ];
    for (order, cell, problem) in cases {
        let mapping = mapping(&json!({"dates": order}), &json!({"valid_from": "from"}));
        let found = refusal(&mapping, "code,name,rate,from", &format!("49,Germany,0.02,{cell}"));
        assert!(found.contains(&format!("column `from`, value \"{cell}\": {problem}")), "{found}");
    }
}

#[test]
fn an_end_is_the_last_day_or_the_day_after_it() {
    let cases = [
        ("last_day", "31.03.2026", "2026-03-31T22:00:00Z"),
        ("day_after", "31.03.2026", "2026-03-30T22:00:00Z"),
        ("last_day", "31.03.2026 12:00", "2026-03-31T10:00:00Z"),
        ("last_day", "31/03/2026 00:00", "2026-03-31T22:00:00Z"),
        ("last_day", "31/03/2026 00:00:00", "2026-03-31T22:00:00Z"),
        ("day_after", "31/03/2026 00:00", "2026-03-30T22:00:00Z"),
    ];
    for (end_date, cell, instant) in cases {
        let mapping = mapping(
            &json!({"dates": "day_first", "end_date": end_date}),
            &json!({"valid_until": "to"}),
        );
        let line = line(&mapping, "code,name,rate,to", &format!("49,Germany,0.02,{cell}"));
        assert_eq!(line.valid_until, instant.parse().ok(), "{end_date} {cell}");
    }
    let mapping = mapping(&json!({}), &json!({"valid_from": "from", "valid_until": "to"}));
    let found =
        refusal(&mapping, "code,name,rate,from,to", "49,Germany,0.02,2026-03-02,2026-03-01");
    assert!(
        found.contains("the price ends when it begins or before; accepted is a later end"),
        "{found}"
    );
}

#[test]
fn the_last_day_of_all_is_no_end() {
    let cases = [
        ("iso", "9999-12-31"),
        ("iso", "9999-12-31 23:59:59"),
        ("iso", "9999-12-31T00:00:00Z"),
        ("day_first", "31/12/9999"),
        ("day_first", "31.12.9999 00:00"),
        ("day_first", "31-Dec-9999"),
        ("month_first", "12/31/9999"),
        ("month_first", "Dec 31, 9999"),
    ];
    for (dates, cell) in cases {
        for end_date in ["last_day", "day_after"] {
            let mapping = mapping(
                &json!({"dates": dates, "end_date": end_date}),
                &json!({"valid_until": {"column": "to", "empty": "2026-03-01T00:00:00Z"}}),
            );
            let line = line(&mapping, "code,name,rate,to", &format!("49,Germany,0.02,\"{cell}\""));
            assert_eq!(line.valid_until, None, "{cell}");
        }
    }
    let mapping = mapping(&json!({}), &json!({"valid_until": "to"}));
    let line = line(&mapping, "code,name,rate,to", "49,Germany,0.02,9998-12-31");
    assert_eq!(line.valid_until, "9998-12-31T23:00:00Z".parse().ok());
}

#[test]
fn a_date_may_be_that_of_the_whole_deck() {
    let mapping = mapping(&json!({}), &json!({"valid_from": {"constant": "2026-03-01T00:00:00Z"}}));
    let line = line(&mapping, "code,name,rate", "49,Germany,0.02");
    assert_eq!(line.valid_from, "2026-03-01T00:00:00Z".parse::<Instant>().ok());
}

#[test]
fn flags_and_marks_block_and_withdraw() {
    let flag = |values: Value| json!({"change": {"column": "flag", "values": values}});
    let words = json!({"N": "new", "+": "increase", "-": "decrease", "=": "unchanged", "C": "changed", "B": "blocked", "X": "withdrawn"});
    let header = "code,name,rate,flag";
    for (word, is_blocked) in
        [("n", false), ("+", false), ("-", false), ("=", false), ("c", false), ("b", true)]
    {
        let line = line(
            &mapping(&json!({}), &flag(words.clone())),
            header,
            &format!("49,Germany,0.02,{word}"),
        );
        assert_eq!(line.blocked, is_blocked, "{word}");
    }
    let withdrawn = read(&mapping(&json!({}), &flag(words.clone())), format!("{header}\n49,,,x\n"));
    assert_eq!((withdrawn.counts().withdrawn, withdrawn.lines().count()), (1, 0));
    let found = refusal(&mapping(&json!({}), &flag(words)), header, "49,Germany,0.02,?");
    assert!(
        found.contains(
            "column `flag`, value \"?\": it is none of the 7 words that the mapping lists"
        ),
        "{found}"
    );

    let blocked = json!({"blocked": {"column": "open", "values": {"yes": false, "no": true}}});
    let mapping = mapping(&json!({}), &blocked);
    assert!(line(&mapping, "code,name,rate,open", "49,Germany,0.02,no").blocked);
    assert!(!line(&mapping, "code,name,rate,open", "49,Germany,0.02,yes").blocked);
    let found = refusal(&mapping, "code,name,rate,open", "49,Germany,0.02,maybe");
    assert!(found.contains("it is none of the 2 words"), "{found}");
}

#[test]
fn a_name_over_several_lines_becomes_one_line() {
    let line =
        line(&mapping(&json!({}), &json!({})), "code,name,rate", "49,\"Germany\r\n  mobile\",0.02");
    assert_eq!(
        (line.destination.as_str(), codes(&line)),
        ("Germany mobile", vec!["49".to_owned()])
    );
}
