//! Tables of Kamailio and OpenSIPS: the mappings, and what a call is known by.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use billing_core::{
    id::{ItemId, SourceId},
    item::{Incoming, Item},
    time::Zone,
};
use billing_formats::{
    accounts::AccountMap,
    csv::{self, Mapping, Reader},
    kamailio,
};

const CDRS: &str = "cdr_id\tsrc_username\tdst_username\tcall_start_time\tduration\tsip_call_id\tsip_from_tag\tsip_to_tag\n";
const ACC_CDRS: &str = "id,start_time,end_time,duration,callid,src_user,dst_user\n";
const OPENSIPS: &str = "id,method,from_tag,to_tag,callid,sip_code,sip_reason,time,duration,ms_duration,setuptime,created,src_user,dst_user\n";

fn presets() -> [Mapping; 3] {
    let presets: [fn(SourceId, Zone) -> Mapping; 3] =
        [kamailio::cdrs, kamailio::acc_cdrs, kamailio::opensips_acc];
    let zone = || Zone::try_new("Europe/Berlin").unwrap();
    presets.map(|preset| preset(SourceId::try_new("proxy-1").unwrap(), zone()))
}

fn rows(mapping: &Mapping, file: &str) -> Vec<csv::Row> {
    let accounts: AccountMap =
        serde_json::from_str(r#"[{"match": {"caller_prefix": "1202"}, "account": "alice"}]"#)
            .unwrap();
    let reader = Reader::try_new(file.as_bytes(), mapping, &accounts).unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

/// Start, milliseconds and disposition.
fn facts(incoming: &Incoming) -> (String, u64, &'static str) {
    let Item::Call(call) = &incoming.item else { panic!("no call") };
    (call.start.to_string(), call.duration_ms, call.disposition.name())
}

#[test]
fn a_preset_is_a_mapping_like_any_other() {
    for mapping in presets() {
        assert_eq!(mapping.check(), Ok(()));
        let document = serde_json::to_string(&mapping).unwrap();
        assert_eq!(serde_json::from_str::<Mapping>(&document).unwrap(), mapping);
    }
}

#[test]
fn rows_of_the_stored_procedure_are_read() {
    let [mapping, ..] = presets();
    let mapping = kamailio::mysql_batch(mapping);
    let file = CDRS.to_owned()
        + "17\t12025550100\t12025550123\t2026-10-01 10:00:05\t61\ta84b4c76e66710@pc33\t1928301774\ta6c85cf\n";
    let call = rows(&mapping, &file).pop().unwrap().unwrap();
    assert_eq!(call.key.to_string(), "proxy-1/a84b4c76e66710@pc33");
    assert_eq!(call.account.as_ref().unwrap().as_str(), "alice");
    assert_eq!(facts(&call), ("2026-10-01T08:00:05Z".into(), 61_000, "answered"));
}

#[test]
fn a_quotation_mark_that_a_caller_sends_costs_no_other_call() {
    let [mapping, ..] = presets();
    let ids = ["\"a84b", "a84b\"", "\"", "a\"84b", "\"a84b\"", "a84b"];
    let row = |id: &str| format!("17\t1\t2\t2026-10-01 10:00:05\t61\t{id}\tf\tt\n");
    let file: String = ids.iter().map(|id| row(id)).collect();
    let calls = rows(&kamailio::mysql_batch(mapping), &(CDRS.to_owned() + &file));
    let keys: Vec<_> = calls.into_iter().map(|call| call.unwrap().key.id).collect();
    assert_eq!(keys.iter().map(ItemId::as_str).collect::<Vec<_>>(), ids);
}

#[test]
fn a_dialog_is_billed_to_the_millisecond() {
    let [_, mapping, _] = presets();
    let cases = [("61.039", 61_039), ("61", 61_000), ("0.000", 0), ("3600.5", 3_600_500)];
    for (duration, duration_ms) in cases {
        let row = format!(
            "17,2026-10-01 10:00:05,2026-10-01 10:01:06,{duration},a84b,12025550100,12025550123\n"
        );
        let call = rows(&mapping, &(ACC_CDRS.to_owned() + &row)).pop().unwrap().unwrap();
        assert_eq!(facts(&call), ("2026-10-01T08:00:05Z".into(), duration_ms, "answered"));
    }
}

#[test]
fn a_row_without_a_start_is_refused() {
    let [_, mapping, _] = presets();
    for start in ["", "NULL", "\\N"] {
        let file =
            format!("{ACC_CDRS}17,{start},2026-10-01 10:01:06,1.5,a84b,12025550100,12025550123\n");
        let bad = rows(&mapping, &file).pop().unwrap().unwrap_err();
        assert_eq!(
            bad.to_string(),
            "line 2, column `start_time`: the time cannot be read; accepted is a local time written as %Y-%m-%d %H:%M:%S%.f"
        );
    }
}

#[test]
fn the_answer_of_the_callee_tells_how_an_attempt_ended() {
    let [.., mapping] = presets();
    let cases = [
        ("200", "61039", 61_039, "answered"),
        ("408", "0", 0, "no_answer"),
        ("480", "0", 0, "no_answer"),
        ("487", "", 0, "no_answer"),
        ("486", "0", 0, "busy"),
        ("600", "0", 0, "busy"),
        ("404", "0", 0, "failed"),
        ("503", "0", 0, "failed"),
    ];
    for (code, ms, duration_ms, disposition) in cases {
        let file = format!(
            "{OPENSIPS}17,INVITE,f,t,a84b,{code},x,2026-10-01 10:00:05,61,{ms},5,2026-10-01 10:00:00,101,102\n"
        );
        let call = rows(&mapping, &file).pop().unwrap().unwrap();
        assert_eq!(
            facts(&call),
            ("2026-10-01T08:00:05Z".into(), duration_ms, disposition),
            "{code}"
        );
    }
}

#[test]
fn forks_and_new_invitations_of_one_call_have_one_id() {
    let tags = [("f", "t"), ("f", "another"), ("t", "f")];
    let keys = |mapping: &Mapping, header: &str, row: &dyn Fn(&str, &str) -> String| {
        let file: String = tags.iter().map(|(from, to)| row(from, to)).collect();
        let rows = rows(mapping, &(header.to_owned() + &file));
        let mut keys: Vec<_> = rows.into_iter().map(|row| row.unwrap().key).collect();
        keys.dedup();
        keys.len()
    };
    let [cdrs, _, opensips] = presets();
    let cdrs = kamailio::mysql_batch(cdrs);
    let row =
        |from: &str, to: &str| format!("17\t1\t2\t2026-10-01 10:00:05\t61\ta84b\t{from}\t{to}\n");
    assert_eq!(keys(&cdrs, CDRS, &row), 1);
    let row = |from: &str, to: &str| {
        format!(
            "1,INVITE,{from},{to},a84b,200,OK,2026-10-01 10:00:05,61,61039,5,2026-10-01 10:00:00,1,2\n"
        )
    };
    assert_eq!(keys(&opensips, OPENSIPS, &row), 1);
    let row = |from: &str, _: &str| {
        let code = if from == "f" { "422" } else { "200" };
        format!("1,INVITE,f,t,a84b,{code},x,2026-10-01 10:00:05,0,0,5,2026-10-01 10:00:00,1,2\n")
    };
    assert_eq!(keys(&opensips, OPENSIPS, &row), 2, "an attempt does not take the id of the call");
}
