//! What a mapping may say, as JSON and altogether.

use std::io;

use billing_formats::{
    accounts::AccountMap,
    csv::{InvalidMapping, Mapping, Reader},
};
use serde_json::{Value, json};

use crate::{mapping, merge, standard};

#[test]
fn a_mapping_that_contradicts_itself_is_refused() {
    let name = |name: &str| InvalidMapping::NameWithoutHeader { name: name.to_owned() };
    let cases = [
        (json!({"header": {"absent": {}}}), json!({}), name("id")),
        (
            json!({"header": {"absent": {"columns": 3}}}),
            json!({"id": 1, "account": 2, "start": 3, "duration": {"seconds": 4}, "caller": 5, "callee": 6}),
            InvalidMapping::PositionBeyond {
                position: 4.try_into().unwrap(),
                columns: 3.try_into().unwrap(),
            },
        ),
        (
            json!({"times": "rfc3339"}),
            json!({"start": {"date": "day", "time": "clock"}}),
            InvalidMapping::PartedWithoutPattern,
        ),
        (json!({}), json!({"id": {"digest": []}}), InvalidMapping::DigestOfNothing),
        (
            json!({}),
            json!({"direction": {"listed": {"column": "dir", "values": {}}}}),
            InvalidMapping::NoValues { field: "direction" },
        ),
        (
            json!({}),
            json!({"disposition": {"listed": {"column": "status", "values": {"Ok": "answered", "busy": "busy", "ok": "failed"}}}}),
            InvalidMapping::ValueTwice { field: "disposition", first: 1, second: 3 },
        ),
        (
            json!({}),
            json!({"direction": {"listed": {"column": "dir", "values": {"IN": "inbound", "In": "internal"}}}}),
            InvalidMapping::ValueTwice { field: "direction", first: 1, second: 2 },
        ),
    ];
    for (changes, calls, expected) in cases {
        let mapping = mapping(changes, calls);
        assert_eq!(mapping.check(), Err(expected.clone()));
        let accounts = AccountMap::default();
        let reader = Reader::try_new(io::empty(), &mapping, &accounts);
        assert_eq!(reader.err(), Some(expected.clone()));
        assert!(expected.to_string().contains("accepted"), "{expected}");
    }
    let pulses = |change: Value| -> InvalidMapping {
        let mut pulses = json!({
            "id": "id", "account": "account", "at": "at", "product": {"constant": "sms"}, "unit": {"constant": "message"},
            "amount": {"constant": "1"},
        });
        merge(&mut pulses, change);
        let mapping: Mapping = serde_json::from_value(
            json!({"source": "x", "zone": "UTC", "records": {"pulses": pulses}}),
        )
        .unwrap();
        mapping.check().unwrap_err()
    };
    assert_eq!(pulses(json!({"account": {"map": {}}})), InvalidMapping::OriginOfNothing);
    assert_eq!(
        pulses(json!({"properties": {"": "x"}})).to_string(),
        "`properties` cannot have these names: the name of property 1 has 0 bytes or a control character: accepted are 1 to 64 bytes without"
    );
}

#[test]
fn a_mapping_is_read_and_written_as_json() {
    let calls = json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}}}});
    let cases = [
        (json!({"delimiter": "::"}), "the delimiter has 2 bytes"),
        (json!({"delimiter": "\""}), "the delimiter has 1 bytes"),
        (json!({"delimiter": "x"}), "the delimiter has 1 bytes"),
        (json!({"delimiter": "\r"}), "the delimiter has 1 bytes"),
        (json!({"times": {"local": "%Y-%m-%d"}}), "the pattern lacks the hour"),
        (json!({"times": {"local": "%Y-%m-%d %H:%M %Y"}}), "the pattern has the year twice"),
        (json!({"times": {"local": "%Y-%m-%d %I:%M"}}), "the pattern lacks the half of the day"),
        (
            json!({"times": {"local": "%Y-%m-%d %H:%M %p"}}),
            "the pattern lacks the hour of the half day",
        ),
        (json!({"times": {"local": "%Y-%m-%d %H:%M%.f"}}), "the pattern lacks the second"),
        (
            json!({"times": {"local": "%Y-%m-%d %H:%M %Z"}}),
            "the pattern has an unknown sign at byte 15",
        ),
        (json!({"times": {"local": "%"}}), "the pattern has an unknown sign at byte 0"),
        (json!({"times": "iso"}), "unknown variant `iso`"),
        (json!({"decimals": "comma"}), "unknown field `decimals`"),
        (json!({"header": {"absent": {"width": 3}}}), "unknown field `width`"),
        (
            json!({"records": {"calls": {"id": 0, "start": 2, "duration": {"seconds": 3}}}}),
            "invalid value: integer `0`, expected a column",
        ),
        (
            json!({"records": {"calls": {"id": 65_536, "start": 2, "duration": {"seconds": 3}}}}),
            "invalid value: integer `65536`, expected a column",
        ),
        (
            json!({"records": {"calls": {"id": " ", "start": 2, "duration": {"seconds": 3}}}}),
            "invalid value: string \" \", expected a column",
        ),
        (
            json!({"records": {"calls": {"id": [1], "start": 2, "duration": {"seconds": 3}}}}),
            "invalid type: sequence, expected a column",
        ),
        (json!({"records": {"calls": {"id": 1, "start": 2}}}), "missing field `duration`"),
        (
            json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}, "product": 4}}}),
            "unknown field `product`",
        ),
        (
            json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"hours": 3}}}}),
            "unknown variant `hours`",
        ),
        (
            json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}, "caller": {"const": "1"}}}}),
            "unknown field `const`",
        ),
        (
            json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}, "account": {"const": "1"}}}}),
            "unknown variant `const`",
        ),
    ];
    for (change, expected) in cases {
        let mut mapping = json!({"source": "x", "zone": "UTC"});
        merge(&mut mapping, calls.clone());
        merge(&mut mapping, change);
        let error = serde_json::from_value::<Mapping>(mapping).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let full = mapping(
        json!({"delimiter": "\t", "quotes": "none", "preamble_lines": 2, "decimal": "comma", "repeated": "later",
               "dial_plan": {"country": "49", "international_prefixes": ["00"]}}),
        json!({"leg": 4, "partial": "part", "answer": {"date": "day", "time": "clock"}, "account": {"map": {"party": "ours", "channel": "x"}},
               "direction": {"listed": {"column": "dir", "values": {"in": "inbound"}, "otherwise": "outbound"}}}),
    );
    for mapping in [
        full,
        standard(),
        mapping(json!({"header": {"absent": {}}}), json!({"account": {"constant": "a"}})),
    ] {
        let written = serde_json::to_string(&mapping).unwrap();
        assert_eq!(serde_json::from_str::<Mapping>(&written).unwrap(), mapping, "{written}");
    }
}
