//! Documents of `mod_json_cdr`, old and new, plain and encoded.

use billing_core::item::Disposition;
use billing_formats::freeswitch::{DOCUMENT_BYTES_MAX, Reason, Variables};

use super::{UUID, json_rows, only};

/// As release 1.10 writes it, but shorter: the call was transferred once, so it has two profiles.
const DOCUMENT: &str = r#"{"core-uuid":"651a8db2-4f67-4cf8-b622-169e8a482e50","switchname":"fs-1","channel_data":{"state":"CS_REPORTING","direction":"inbound","state_number":"11","flags":"0=1;1=1;37=1","caps":"1=1;2=1"},"callStats":{"audio":{"inbound":{"raw_bytes":174156,"quality_percentage":99,"mos":4.492027,"errorLog":[{"start":1521025783725905,"flaws":10763}]}}},"variables":{"direction":"inbound","uuid":"7a3d9b52-1111-4c1a-9a59-3d1f9f0d7a10","session_id":"4","sip_from_user":"1001","accountcode":"sales","channel_name":"sofia/internal/1001@192.0.2.4","originated_legs":"ARRAY::0a30dd7c-c222-482f-a322-b1218a15f8cd;Outbound Call;1003","bridge_uuid":"0a30dd7c-c222-482f-a322-b1218a15f8cd","hangup_cause":"NORMAL_CLEARING","start_stamp":"2026-10-01 04:00:00","answer_stamp":"2026-10-01 04:00:05","end_stamp":"2026-10-01 04:01:06","start_epoch":"1790841600","start_uepoch":"1790841600471153","answer_epoch":"1790841605","answer_uepoch":"1790841605971147","end_epoch":"1790841666","end_uepoch":"1790841666010851","duration":"66","billsec":"61","billmsec":"60039","billusec":"60039704","caller_id":"\"Ann\" <1001>"},"app_log":{"applications":[{"app_name":"bridge","app_data":"user/1003@192.0.2.4","app_stamp":"1790841600471160"}]},"callflow":[{"dialplan":"XML","profile_index":"2","caller_profile":{"username":"1001","caller_id_name":"Ann","caller_id_number":"1001","destination_number":"1003","context":"default","originatee":{"originatee_caller_profiles":[{"caller_id_number":"9"}]}},"times":{"created_time":"1790841600471153"}},{"dialplan":"XML","profile_index":"1","caller_profile":{"caller_id_number":"1001","destination_number":"5000","context":"public"}}]}"#;

#[test]
fn a_document_is_read_whole() {
    let cdr = only(json_rows(&Variables::default(), DOCUMENT.as_bytes())).unwrap();
    assert_eq!((cdr.line, cdr.uuid.as_str()), (1, UUID));
    assert_eq!((cdr.caller.as_str(), cdr.callee.as_str()), ("1001", "1003"));
    assert_eq!((cdr.account_code.as_str(), cdr.context.as_str()), ("sales", "default"));
    assert_eq!(cdr.channel, "sofia/internal/1001@192.0.2.4");
    assert_eq!(cdr.other_leg, "0a30dd7c-c222-482f-a322-b1218a15f8cd");
    assert_eq!(cdr.start.to_string(), "2026-10-01T08:00:00.471153Z");
    assert_eq!(cdr.answer.unwrap().to_string(), "2026-10-01T08:00:05.971147Z");
    assert_eq!((cdr.talk_ms, cdr.disposition), (60_039, Disposition::Answered));
}

#[test]
fn documents_of_every_release_and_setting_say_the_same() {
    let expected = only(json_rows(&Variables::default(), DOCUMENT.as_bytes())).unwrap();
    let (head, flow) = DOCUMENT.split_once(",\"callflow\":[").unwrap();
    let (last, first) = flow.trim_end_matches("]}").split_once(",{\"dialplan\"").unwrap();
    let (before, rest) = DOCUMENT.split_once("\"variables\":{").unwrap();
    let (variables, after) = rest.split_once("},\"app_log\"").unwrap();
    let encoded = variables.replace(' ', "%20").replace("04:0", "04%3A0").replace('/', "%2F");
    let whole: String = DOCUMENT.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let cases = [
        // Before they were a list, each profile had a name of its own, the same one.
        format!("{head},\"callflow\":{last},\"callflow\":{{\"dialplan\"{first}}}"),
        format!("{before}\"variables\":{{{encoded}}},\"app_log\"{after}"),
        whole,
        DOCUMENT
            .replace("\"60039704\"", "60039704")
            .replace("\"1790841600471153\"", "1790841600471153"),
        DOCUMENT.replace("\"accountcode\"", "\"account\\u0063ode\""),
        format!("\u{feff} {DOCUMENT} \r\n"),
    ];
    for document in cases {
        let cdr = only(json_rows(&Variables::default(), document.as_bytes()));
        assert_eq!(cdr.unwrap(), expected, "{document}");
    }
}

#[test]
fn a_percent_sign_alone_is_no_encoding() {
    let document = DOCUMENT.replace("\"sales\"", "\"5%25\"");
    let cdr = only(json_rows(&Variables::default(), document.as_bytes())).unwrap();
    assert_eq!(cdr.account_code, "5%25");
    let document = document.replace("04:00:00", "04%3A00%3A00");
    let cdr = only(json_rows(&Variables::default(), document.as_bytes())).unwrap();
    assert_eq!(cdr.account_code, "5%");
    let document = document.replace("5%25", "5%2");
    let bad = only(json_rows(&Variables::default(), document.as_bytes())).unwrap_err();
    assert_eq!(bad.reason, Reason::Text { variable: "accountcode".into() });
}

#[test]
fn every_fault_of_a_document_has_its_reason() {
    let cases = [
        ("[]", "the line is not one JSON document of a call: reading stops at byte 0"),
        ("{", "the line is not one JSON document of a call: reading stops at byte 0"),
        ("{} {}", "the line is not one JSON document of a call: reading stops at byte 3"),
        ("{}", "`start_uepoch` is missing"),
        (
            "{\"variables\":[]}",
            "the line is not one JSON document of a call: reading stops at byte 12",
        ),
        (
            "{\"variables\":{\"uuid\":\"1\",\"uuid\":\"2\"}}",
            "`uuid` is there twice; accepted is once",
        ),
        (
            "{\"variables\":{\"uuid\":\"1\"},\"variables\":{\"uuid\":\"1\"}}",
            "`uuid` is there twice; accepted is once",
        ),
        (
            "{\"variables\":{\"start_epoch\":1.5}}",
            "`start_epoch` cannot be read; accepted is text in UTF-8, or a whole number",
        ),
        (
            "{\"variables\":{\"start_epoch\":-1}}",
            "`start_epoch` cannot be read; accepted is text in UTF-8, or a whole number",
        ),
        (
            "{\"variables\":{\"start_epoch\":[\"12025550123\"]}}",
            "`start_epoch` cannot be read; accepted is text in UTF-8, or a whole number",
        ),
        ("{\"variables\":{\"start_epoch\":null}}", "`start_uepoch` is missing"),
        (
            "{\"variables\":{\"start_epoch\":1790841600,\"billsec\":60,\"uuid\":\"1\",\"hangup_cause\":\"NORMAL_CLEARING\"}}",
            "`answer_uepoch` is missing",
        ),
        (
            "{\"variables\":{\"start_epoch\":1790841600,\"answer_epoch\":null,\"billsec\":0,\"uuid\":\"1\"}}",
            "`answer_uepoch` is missing",
        ),
    ];
    for (document, expected) in cases {
        let bad = only(json_rows(&Variables::default(), document.as_bytes())).unwrap_err();
        assert_eq!(bad.to_string(), format!("line 1: {expected}"), "{document}");
        assert_eq!(bad.raw, document);
    }
}

#[test]
fn a_document_that_is_too_long_costs_itself_alone() {
    let long = " ".repeat(DOCUMENT_BYTES_MAX - DOCUMENT.len());
    let input = format!("{DOCUMENT}{long}\n{DOCUMENT}{long} \n{DOCUMENT}\n");
    let rows = json_rows(&Variables::default(), input.as_bytes());
    assert_eq!(rows.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let bad = rows[1].as_ref().unwrap_err();
    assert_eq!(bad.reason, Reason::TooLong { bytes_max: DOCUMENT_BYTES_MAX });
    assert_eq!(bad.raw.len(), 1_024);
}

#[test]
fn nothing_personal_is_shown() {
    let bad =
        DOCUMENT.replace("\"1790841600471153\"", "\"+12025550123\"").replace("1001", "12025550123");
    let rows = json_rows(&Variables::default(), format!("{DOCUMENT}\n{bad}").as_bytes());
    let shown = format!("{rows:?} {}", rows[1].as_ref().unwrap_err());
    for personal in ["2025550", "1001", "1003", "Ann", "sales"] {
        assert!(!shown.contains(personal), "{shown}");
    }
}
