//! Who pays: what the account map is asked.

use billing_formats::{
    accounts::AccountMap,
    csv::{Mapping, Reader},
};
use serde_json::{Value, json};

use crate::mapping;

#[test]
fn the_account_map_is_asked_about_what_the_mapping_names() {
    let accounts: AccountMap = serde_json::from_value(json!([
        {"match": {"account_code": "sales"}, "account": "code"},
        {"match": {"trunk": "SIP/carrier-a"}, "account": "trunk"},
        {"match": {"caller": "+49301234567"}, "account": "alice", "until": "2026-10-01"},
        {"match": {"caller": "+49301234567"}, "account": "bob", "from": "2026-10-01"},
    ]))
    .unwrap();
    let plan = json!({"country": "49", "international_prefixes": ["00"], "national_prefix": "0"});
    let account = |origin: Value, line: &str| {
        let mapping = mapping(
            json!({"dial_plan": plan}),
            json!({
                "account": {"map": origin},
                "direction": {"listed": {"column": "dir", "values": {"in": "inbound", "out": "outbound"}}},
            }),
        );
        let file = format!("id,start,talk,from,to,dir,code,channel\n1,2026-{line}\n");
        let mut reader = Reader::try_new(file.as_bytes(), &mapping, &accounts).unwrap();
        let incoming = reader.next().unwrap().unwrap().unwrap();
        incoming.account.map(|account| account.as_str().to_owned())
    };
    let both = json!({"account_code": "code", "channel": "channel"});
    let cases = [
        (json!({}), "10-01 00:00:00,61,030 1234567,110,out,sales,", Some("bob")),
        (json!({}), "09-30 23:59:59,61,030 1234567,110,out,sales,", Some("alice")),
        (json!({}), "10-01 00:00:00,61,110,030 1234567,in,,", None),
        (json!({"party": "callee"}), "10-01 00:00:00,61,110,+49 30 1234567,out,,", Some("bob")),
        (json!({"party": "ours"}), "10-01 00:00:00,61,110,0049301234567,in,,", Some("bob")),
        (json!({"party": "ours"}), "10-01 00:00:00,61,110,0049301234567,out,,", None),
        (json!({"party": "ours"}), "10-01 00:00:00,61,0301234567,110,out,,", Some("bob")),
        (
            both.clone(),
            "10-01 00:00:00,61,0301234567,110,out,sales,SIP/carrier-a-0000001f",
            Some("code"),
        ),
        (
            both.clone(),
            "10-01 00:00:00,61,0301234567,110,out,,SIP/carrier-a-0000001f",
            Some("trunk"),
        ),
        (both, "10-01 00:00:00,61,0301234567,110,out,,", Some("bob")),
    ];
    for (origin, line, expected) in cases {
        assert_eq!(account(origin, line).as_deref(), expected, "{line}");
    }
}

#[test]
fn the_account_map_is_asked_about_a_pulse_too() {
    let accounts: AccountMap =
        serde_json::from_value(json!([{"match": {"caller": "+49301234567"}, "account": "alice"}]))
            .unwrap();
    let mapping: Mapping = serde_json::from_value(json!({
        "source": "smsc", "zone": "UTC",
        "dial_plan": {"country": "49", "international_prefixes": [], "national_prefix": "0"},
        "records": {"pulses": {
            "id": "id", "account": {"map": {"party": "sender"}}, "at": "at", "product": {"constant": "sms"},
            "unit": {"constant": "message"}, "amount": {"constant": "1"},
        }},
    }))
    .unwrap();
    let file = "id,at,sender\n1,2026-10-01T08:00:00Z,030/1234567\n2,2026-10-01T08:00:00Z,\n";
    let reader = Reader::try_new(file.as_bytes(), &mapping, &accounts).unwrap();
    let accounts: Vec<_> = reader.map(|row| row.unwrap().unwrap().account).collect();
    assert_eq!(accounts, [Some("alice".parse().unwrap()), None]);
}
