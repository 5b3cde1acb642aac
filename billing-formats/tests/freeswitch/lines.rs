//! Lines of `mod_cdr_csv`, taken apart by their template.

use billing_core::{decide::Refusal, item::Disposition};
use billing_formats::{
    accounts::AccountMap,
    freeswitch::{InvalidTemplate, Reason, Template, Variables, entry},
};

use super::{UUID, csv_rows, only, options};

const EXAMPLE: &str = r#""Ann Other","+12025550100","+12025550123","default","2026-10-01 08:00:00","2026-10-01 08:00:05","2026-10-01 08:01:06","66","61","NORMAL_CLEARING","7a3d9b52-1111-4c1a-9a59-3d1f9f0d7a10","","sales","PCMU","PCMU""#;
const ASTERISK: &str = r#""sales","+12025550100","+12025550123","default",""Ann Other" <+12025550100>","sofia/internal/+12025550100@192.0.2.4","sofia/gateway/carrier/12025550123","bridge","sofia/gateway/carrier/12025550123","2026-10-01 08:00:00","","2026-10-01 08:00:19","19","0","USER_BUSY","DOCUMENTATION","7a3d9b52-1111-4c1a-9a59-3d1f9f0d7a10","""#;

#[test]
fn the_stock_templates_are_read() {
    let cdr = only(csv_rows(&Template::example(), "America/New_York", EXAMPLE.as_bytes())).unwrap();
    assert_eq!((cdr.caller.as_str(), cdr.callee.as_str()), ("+12025550100", "+12025550123"));
    assert_eq!((cdr.account_code.as_str(), cdr.context.as_str()), ("sales", "default"));
    assert_eq!(cdr.start.to_string(), "2026-10-01T12:00:00Z");
    assert_eq!(cdr.answer.unwrap().to_string(), "2026-10-01T12:00:05Z");
    assert_eq!((cdr.talk_ms, cdr.disposition), (61_000, Disposition::Answered));
    assert_eq!(cdr.uuid.as_str(), UUID);

    let cdr = only(csv_rows(&Template::asterisk(), "UTC", ASTERISK.as_bytes())).unwrap();
    assert_eq!(cdr.channel, "sofia/internal/+12025550100@192.0.2.4");
    assert_eq!((cdr.talk_ms, cdr.disposition), (0, Disposition::Busy));
    assert_eq!(cdr.charged_from().to_string(), "2026-10-01T08:00:00Z");
}

#[test]
fn a_stock_template_is_the_text_of_the_configuration() {
    for template in [Template::example(), Template::asterisk()] {
        assert_eq!(template.to_string().parse(), Ok(template));
    }
    // The template that is built in has a space between two columns.
    let built_in =
        Template::example().to_string().replace(",\"${accountcode}\"", ", \"${accountcode}\"");
    let line = EXAMPLE.replace(",\"sales\"", ", \"sales\"");
    let cdr = only(csv_rows(&built_in.parse().unwrap(), "UTC", line.as_bytes())).unwrap();
    assert_eq!(cdr.account_code, "sales");
}

#[test]
fn a_template_may_be_any_text_with_variables() {
    let text = "\n  INSERT INTO cdr VALUES ('${uuid}', ${caller_id_number}, ${destination_number}, ${start_epoch}, \
                ${answer_epoch}, ${end_epoch}, '${hangup_cause}', '${expr(${end_epoch}-${start_epoch})}');\n";
    let template: Template = text.parse().unwrap();
    assert_eq!(template.variables().last(), Some("expr(${end_epoch}-${start_epoch})"));
    let line = "INSERT INTO cdr VALUES ('f00d', 101, 102, 1790841600, 1790841605, 1790841666, 'NORMAL_CLEARING', '66');";
    let cdr = only(csv_rows(&template, "UTC", line.as_bytes())).unwrap();
    assert_eq!((cdr.uuid.as_str(), cdr.talk_ms), ("f00d", 61_000));
}

#[test]
fn a_template_that_cannot_be_used_is_refused() {
    let cases = [
        ("", InvalidTemplate::Empty),
        ("uuid", InvalidTemplate::Empty),
        ("\"${uuid", InvalidTemplate::Unclosed { at: 1 }),
        ("${uuid},${expr(${a}", InvalidTemplate::Unclosed { at: 8 }),
        ("${uuid}${a}", InvalidTemplate::Adjacent { variable: "uuid".into() }),
        ("${uuid}\n${a}", InvalidTemplate::LineBreak { at: 7 }),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Template>(), Err(expected), "{text}");
    }
}

#[test]
fn quotation_marks_of_a_value_are_told_from_those_around_it() {
    let cases = [
        ("Ann", true),
        ("", true),
        ("Ann \"of\" Other", true),
        ("\"Ann\" <101>", true),
        ("Ann \"\"of\"\" Other", true),
        ("a\"\",\"\"b", true),
        // Nobody can tell such values from columns.
        ("a\",\"b", false),
        ("Ann \"", false),
    ];
    for (name, is_read) in cases {
        let line = EXAMPLE.replace("Ann Other", name);
        let row = only(csv_rows(&Template::example(), "UTC", line.as_bytes()));
        assert_eq!(row.is_ok(), is_read, "{name} {row:?}");
        if let Ok(cdr) = row {
            assert_eq!(cdr.caller.as_str(), "+12025550100", "{name}");
        }
    }
}

#[test]
fn a_caller_cannot_shift_columns_into_those_that_are_read() {
    let line = EXAMPLE.replace("+12025550123", "1\"2");
    let bad = only(csv_rows(&Template::example(), "UTC", line.as_bytes())).unwrap_err();
    assert_eq!(bad.reason, Reason::Quote { variable: "destination_number".into() });
    assert!(!bad.to_string().contains("1\"2"));
    // The name swallows the number, and the number brings one along.
    let line = EXAMPLE.replace("Ann Other", "x\"").replace("\"+12025550100\"", "\"1\",\"2\"");
    let row = only(csv_rows(&Template::example(), "UTC", line.as_bytes()));
    assert_eq!(row.map(|cdr| cdr.callee.as_str().to_owned()).unwrap(), "+12025550123");
}

#[test]
fn lines_of_another_template_are_refused() {
    let template = Template::example();
    let cases = [
        (ASTERISK.to_owned(), 15),
        (EXAMPLE.to_owned() + ",\"more\"", 15),
        (EXAMPLE.replace(",\"PCMU\"", ""), 12),
        (EXAMPLE.replace('"', ""), 0),
        ("x".to_owned(), 0),
    ];
    for (line, columns) in cases {
        let bad = only(csv_rows(&template, "UTC", line.as_bytes())).unwrap_err();
        assert_eq!(bad.reason, Reason::Template { columns, accepted: 15 }, "{line}");
        assert_eq!(bad.raw, line);
    }
}

#[test]
fn a_time_that_clocks_showed_twice_is_decided_by_the_others() {
    // In New York the hour from one to two came twice on the first of November.
    let line = |start: &str, answer: &str, end: &str, duration: &str, talk: &str| {
        EXAMPLE
            .replace("2026-10-01 08:00:00", start)
            .replace("2026-10-01 08:00:05", answer)
            .replace("2026-10-01 08:01:06", end)
            .replace("\"66\",\"61\"", &format!("\"{duration}\",\"{talk}\""))
    };
    let read =
        |line: String| only(csv_rows(&Template::example(), "America/New_York", line.as_bytes()));
    let begins_before =
        line("2026-11-01 00:59:50", "2026-11-01 01:00:00", "2026-11-01 01:59:59", "3609", "3599");
    let cdr = read(begins_before).unwrap();
    assert_eq!(cdr.answer.unwrap().to_string(), "2026-11-01T05:00:00Z");
    assert_eq!(cdr.end.unwrap().to_string(), "2026-11-01T05:59:59Z");
    let ends_after =
        line("2026-11-01 01:30:00", "2026-11-01 01:30:10", "2026-11-01 02:10:00", "2400", "2390");
    let cdr = read(ends_after).unwrap();
    assert_eq!(cdr.start.to_string(), "2026-11-01T06:30:00Z");
    let inside =
        line("2026-11-01 01:30:00", "2026-11-01 01:30:10", "2026-11-01 01:40:00", "600", "590");
    let bad = read(inside).unwrap_err();
    let zone = "America/New_York";
    assert_eq!(bad.reason, Reason::AmbiguousTime { variable: "start_stamp".into(), zone });
    let skipped = line("2026-03-08 02:30:00", "", "2026-03-08 03:30:00", "3600", "0");
    let bad = read(skipped).unwrap_err();
    assert_eq!(bad.reason, Reason::SkippedTime { variable: "start_stamp".into(), zone });
}

#[test]
fn only_columns_that_are_read_must_be_text() {
    let latin = |place: &str| {
        let line = EXAMPLE.replace(place, "\u{1}");
        line.into_bytes()
            .into_iter()
            .map(|byte| if byte == 1 { 0xE9 } else { byte })
            .collect::<Vec<_>>()
    };
    assert!(only(csv_rows(&Template::example(), "UTC", &latin("Ann Other"))).is_ok());
    let bad = only(csv_rows(&Template::example(), "UTC", &latin("sales"))).unwrap_err();
    assert_eq!(bad.reason, Reason::Text { variable: "accountcode".into() });
}

#[test]
fn a_line_becomes_an_entry_with_its_payer_or_a_refusal() {
    let options = options("America/New_York");
    let accounts: AccountMap =
        serde_json::from_str(r#"[{"match": {"account_code": "sales"}, "account": "alice"}]"#)
            .unwrap();
    let file = format!("{EXAMPLE}\r\n\n \t\n{EXAMPLE}x\n");
    let mut entries = csv_rows(&Template::example(), "America/New_York", file.as_bytes())
        .into_iter()
        .map(|row| entry(row, &options, &accounts));
    let call = entries.next().unwrap().unwrap();
    assert_eq!(call.account.unwrap().as_str(), "alice");
    let Refusal { place, raw, .. } = entries.next().unwrap().unwrap_err();
    assert_eq!((place.as_str(), raw), ("line 4", format!("{EXAMPLE}x")));
    assert!(entries.next().is_none());
}

#[test]
fn nothing_personal_is_shown() {
    let input = format!("{EXAMPLE}\n{}\n", EXAMPLE.replace("2026-10-01 08:00:00", "12025550123"));
    let rows = csv_rows(&Template::example(), "UTC", input.as_bytes());
    let bad = rows[1].as_ref().unwrap_err();
    let shown = format!("{rows:?} {bad}");
    for personal in ["2025550", "Ann", "sales"] {
        assert!(!shown.contains(personal), "{shown}");
        assert!(bad.raw.contains(personal));
    }
}

#[test]
fn variables_of_ones_own_are_read() {
    let variables: Variables = serde_json::from_str(
        r#"{"account_code": "tenant", "caller": "sip_from_user", "callee": "sip_req_user", "context": "call_direction", "channel": "sip_gateway_name"}"#,
    )
    .unwrap();
    let template: Template =
        "${tenant};${sip_from_user};${sip_req_user};${call_direction};${sip_gateway_name};${uuid};${start_epoch};${answer_epoch};${billsec};${hangup_cause}"
            .parse()
            .unwrap();
    let line = "acme;101;102;local;carrier-a;f00d;1790841600;1790841605;61;NORMAL_CLEARING";
    let options = options("UTC");
    let mut reader = billing_formats::freeswitch::CsvReader::try_new(
        line.as_bytes(),
        &template,
        &variables,
        &options,
    )
    .unwrap();
    let cdr = reader.next().unwrap().unwrap().unwrap();
    assert_eq!(
        (cdr.account_code.as_str(), cdr.context.as_str(), cdr.channel.as_str()),
        ("acme", "local", "carrier-a")
    );
    assert_eq!((cdr.caller.as_str(), cdr.callee.as_str(), cdr.end), ("101", "102", None));
}
