//! Ready-made mappings of the tables that SIP proxies fill.

use billing_core::{id::SourceId, item::Disposition, time::Zone};

use crate::csv::{
    Calls, Choice, Delimiter, Duration, Listed, Mapping, Pattern, Quotes, RecordId, Records,
    TimeFormat, Value,
};

/// A mapping of the table `cdrs`, which the stored procedure `kamailio_cdrs` fills.
///
/// It has answered calls alone. The callee is the user that the proxy sent the call to; who is billed for what was dialled sets it to
/// `dst_ousername`. Times are the server's, or UTC with `time_mode` 4.
///
/// # Examples
///
/// ```
/// use billing_core::{id::SourceId, time::Zone};
/// use billing_formats::{accounts::AccountMap, csv::Reader, kamailio};
///
/// let mapping = kamailio::cdrs(SourceId::try_new("proxy-1")?, Zone::try_new("Europe/Berlin")?);
/// let file = "\
/// cdr_id,src_username,src_domain,dst_username,dst_domain,dst_ousername,call_start_time,duration,sip_call_id,sip_from_tag,sip_to_tag,src_ip,cost,rated,created
/// 17,12025550100,sip.example.com,12025550123,sip.example.com,0012025550123,2026-10-01 10:00:05,61,a84b4c76e66710@pc33,1928301774,a6c85cf,192.0.2.4,0,0,2026-10-01 10:05:00
/// ";
/// let accounts: AccountMap = serde_json::from_str(r#"[{"match": {"caller_prefix": "1202"}, "account": "alice"}]"#)?;
/// let call = Reader::try_new(file.as_bytes(), &mapping, &accounts)?.next().expect("a record")??;
/// assert_eq!(call.key.to_string(), "proxy-1/a84b4c76e66710@pc33");
/// assert_eq!(call.item.at().to_string(), "2026-10-01T08:00:05Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn cdrs(source: SourceId, zone: Zone) -> Mapping {
    let mut calls = Calls::new(
        RecordId::Column("sip_call_id".into()),
        "call_start_time".into(),
        Duration::Seconds("duration".into()),
    );
    calls.caller = Value::Column("src_username".into());
    calls.callee = Value::Column("dst_username".into());
    mapping(source, zone, calls)
}

/// A mapping of the table `acc_cdrs`, which Kamailio's module `acc` fills from dialogs.
///
/// The table has `start_time`, `end_time` and `duration`, in seconds with decimals; everything else is what `cdr_extra` puts there, and
/// the mapping expects `callid`, `src_user` and `dst_user`. Two parameters matter, because the table does not tell answered calls from others:
/// `cdr_start_on_confirmed` must be 1, or the ringing is billed too, and `cdr_on_failed` must be 0.
///
/// # Examples
///
/// ```
/// use billing_core::{id::SourceId, time::Zone};
/// use billing_formats::{accounts::AccountMap, csv::Reader, kamailio};
///
/// let mapping = kamailio::acc_cdrs(SourceId::try_new("proxy-1")?, Zone::try_new("UTC")?);
/// let file = "\
/// id,start_time,end_time,duration,callid,src_user,dst_user
/// 17,2026-10-01 08:00:05,2026-10-01 08:01:06,61.039,a84b4c76e66710@pc33,12025550100,12025550123
/// ";
/// let accounts = AccountMap::default();
/// let call = Reader::try_new(file.as_bytes(), &mapping, &accounts)?.next().expect("a record")??;
/// assert_eq!(call.key.to_string(), "proxy-1/a84b4c76e66710@pc33");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn acc_cdrs(source: SourceId, zone: Zone) -> Mapping {
    let mut calls = Calls::new(
        RecordId::Column("callid".into()),
        "start_time".into(),
        Duration::Seconds("duration".into()),
    );
    calls.caller = Value::Column("src_user".into());
    calls.callee = Value::Column("dst_user".into());
    mapping(source, zone, calls)
}

/// A mapping of the table `acc`, which OpenSIPS fills from dialogs with `do_accounting("db", "cdr")`.
///
/// `time` is that of the answer, and `ms_duration` counts from there. The caller and the callee are what `extra_fields` puts there: the mapping
/// expects `src_user` and `dst_user`. With the flag `failed` the table also has attempts: their `sip_code` tells how they ended, and is part of
/// the id, because a caller may try again with the same Call-ID after one. The table must hold no other transactions than
/// INVITE.
///
/// # Examples
///
/// ```
/// use billing_core::{id::SourceId, time::Zone};
/// use billing_formats::{accounts::AccountMap, csv::Reader, kamailio};
///
/// let mapping = kamailio::opensips_acc(SourceId::try_new("proxy-1")?, Zone::try_new("UTC")?);
/// let file = "\
/// id,method,from_tag,to_tag,callid,sip_code,sip_reason,time,duration,ms_duration,setuptime,created,src_user,dst_user
/// 17,INVITE,1928301774,a6c85cf,a84b4c76e66710@pc33,200,OK,2026-10-01 08:00:05,61,61039,5,2026-10-01 08:00:00,12025550100,12025550123
/// ";
/// let accounts = AccountMap::default();
/// let call = Reader::try_new(file.as_bytes(), &mapping, &accounts)?.next().expect("a record")??;
/// assert_eq!(call.item.at().to_string(), "2026-10-01T08:00:05Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn opensips_acc(source: SourceId, zone: Zone) -> Mapping {
    let mut calls = Calls::new(
        RecordId::Digest(vec!["callid".into(), "sip_code".into()]),
        "time".into(),
        Duration::Milliseconds("ms_duration".into()),
    );
    calls.caller = Value::Column("src_user".into());
    calls.callee = Value::Column("dst_user".into());
    calls.disposition = Choice::Listed(Listed {
        column: "sip_code".into(),
        values: [
            ("200", Disposition::Answered),
            ("408", Disposition::NoAnswer),
            ("480", Disposition::NoAnswer),
            ("487", Disposition::NoAnswer),
            ("486", Disposition::Busy),
            ("600", Disposition::Busy),
        ]
        .map(|(code, disposition)| (code.to_owned(), disposition))
        .into(),
        otherwise: Some(Disposition::Failed),
    });
    mapping(source, zone, calls)
}

/// The same mapping for the output of `mysql --batch`: tabs between columns, and a quotation mark is a character like any other.
///
/// # Examples
///
/// ```
/// use billing_core::{id::SourceId, time::Zone};
/// use billing_formats::{accounts::AccountMap, csv::Reader, kamailio};
///
/// let mapping = kamailio::acc_cdrs(SourceId::try_new("proxy-1")?, Zone::try_new("UTC")?);
/// let mapping = kamailio::mysql_batch(mapping);
/// let file = "callid\tstart_time\tduration\tsrc_user\tdst_user\n\
///     \"a84b\t2026-10-01 08:00:05\t61.039\t12025550100\t12025550123\n";
/// let accounts = AccountMap::default();
/// let call = Reader::try_new(file.as_bytes(), &mapping, &accounts)?.next().expect("a record")??;
/// assert_eq!(call.key.to_string(), "proxy-1/\"a84b");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn mysql_batch(mapping: Mapping) -> Mapping {
    Mapping { delimiter: Delimiter::TAB, quotes: Quotes::None, ..mapping }
}

fn mapping(source: SourceId, zone: Zone, calls: Calls) -> Mapping {
    let times = TimeFormat::Local(Pattern::of_databases());
    Mapping { times, ..Mapping::new(source, zone, Records::Calls(calls)) }
}
