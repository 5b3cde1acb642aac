//! Numbers as they are dialled: what they become, and what a plan must not say.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use billing_core::{decide::Refusal, item::Party};
use billing_formats::{
    accounts::AccountMap,
    asterisk,
    dial_plan::{DialPlan, Dialled, InvalidDialPlan, Rules},
};

const GERMANY: &str = r#"{"country": "49", "international_prefixes": ["00"], "national_prefix": "0", "area_code": "30",
    "short_codes": ["110", "112", "*97"], "special_prefixes": ["118", "*2"], "internal_digits_max": 3}"#;
const GERMAN_TRUNK: &str =
    r#"{"country": "49", "international_prefixes": ["00"], "national_prefix": "0"}"#;
const NO_WAY_ABROAD: &str =
    r#"{"country": "49", "international_prefixes": [], "national_prefix": "0"}"#;
const ITALY: &str =
    r#"{"country": "39", "international_prefixes": ["00"], "short_codes": ["112"]}"#;
const SPAIN: &str = r#"{"country": "34", "international_prefixes": ["00"], "national_digits": 9}"#;
const NORTH_AMERICA: &str = r#"{"country": "1", "international_prefixes": ["011"], "national_prefix": "1",
    "national_digits": 10, "area_code": "202", "short_codes": ["911"], "internal_digits_max": 4}"#;
const RUSSIA: &str = r#"{"country": "7", "international_prefixes": ["810"], "national_prefix": "8", "national_digits": 10}"#;

fn plan(json: &str) -> DialPlan {
    serde_json::from_str(json).unwrap()
}

fn normal(plan: &DialPlan, dialled: &str) -> (&'static str, String) {
    let dialled = plan.normalize(&dialled.parse().unwrap());
    let sort = match &dialled {
        Dialled::E164(_) => "number",
        Dialled::Short(_) => "short",
        Dialled::Internal(_) => "internal",
        Dialled::Unchanged(_) => "unchanged",
    };
    (sort, Party::from(dialled).as_str().to_owned())
}

#[test]
fn every_country_dials_its_own_way() {
    let cases = [
        // With a plus, whatever the plan.
        (GERMANY, "+493012345", "number", "+493012345"),
        (ITALY, "+1 202 555 0123", "number", "+12025550123"),
        (NORTH_AMERICA, "+49 (30) 123-45", "number", "+493012345"),
        // Abroad, by the prefix of the country one is in.
        (GERMANY, "0033123456789", "number", "+33123456789"),
        (ITALY, "0033123456789", "number", "+33123456789"),
        (NORTH_AMERICA, "01133123456789", "number", "+33123456789"),
        (RUSSIA, "81033123456789", "number", "+33123456789"),
        // In the country.
        (GERMANY, "0711123456", "number", "+49711123456"),
        (GERMAN_TRUNK, "0711123456", "number", "+49711123456"),
        (ITALY, "0612345678", "number", "+390612345678"),
        (ITALY, "3312345678", "number", "+393312345678"),
        (SPAIN, "912345678", "number", "+34912345678"),
        (NORTH_AMERICA, "12025550123", "number", "+12025550123"),
        (NORTH_AMERICA, "2025550123", "number", "+12025550123"),
        (RUSSIA, "88121234567", "number", "+78121234567"),
        (RUSSIA, "8121234567", "number", "+78121234567"),
        // In the area.
        (GERMANY, "1234567", "number", "+49301234567"),
        (NORTH_AMERICA, "5550123", "number", "+12025550123"),
        // Short, special and internal.
        (GERMANY, "112", "short", "112"),
        (GERMANY, "*97", "short", "*97"),
        (GERMANY, "11833", "short", "11833"),
        (GERMANY, "*21#0301234#", "short", "*21#0301234#"),
        (GERMANY, "17", "internal", "17"),
        (GERMANY, "007", "internal", "007"),
        (NORTH_AMERICA, "911", "short", "911"),
        (NORTH_AMERICA, "1011", "internal", "1011"),
        // What nobody can know.
        (GERMAN_TRUNK, "1234567", "unchanged", "1234567"),
        (GERMAN_TRUNK, "4930123456", "unchanged", "4930123456"),
        (SPAIN, "12345", "unchanged", "12345"),
        (NORTH_AMERICA, "120255501", "unchanged", "120255501"),
        (NORTH_AMERICA, "120255501234", "unchanged", "120255501234"),
        (NORTH_AMERICA, "555012", "unchanged", "555012"),
        (GERMANY, "*31#0301234", "unchanged", "*31#0301234"),
        (GERMANY, "anonymous", "unchanged", "anonymous"),
        (GERMANY, "sip:+4930@example.net", "unchanged", "sip:+4930@example.net"),
        (GERMANY, "٠٣٠١٢٣٤", "unchanged", "٠٣٠١٢٣٤"),
        (GERMANY, "", "unchanged", ""),
        (GERMANY, "+", "unchanged", "+"),
        (GERMANY, "00", "internal", "00"),
        (GERMAN_TRUNK, "00", "unchanged", "00"),
        (GERMAN_TRUNK, "0", "unchanged", "0"),
        // No country begins with 0, and no German number after its prefix.
        (GERMANY, "+0301234", "unchanged", "+0301234"),
        (GERMANY, "000301234", "unchanged", "000301234"),
        (ITALY, "+49+30", "unchanged", "+49+30"),
        (NO_WAY_ABROAD, "0033123456789", "unchanged", "0033123456789"),
        (NO_WAY_ABROAD, "033123456789", "number", "+4933123456789"),
    ];
    for (json, dialled, sort, becomes) in cases {
        assert_eq!(normal(&plan(json), dialled), (sort, becomes.to_owned()), "{json} {dialled}");
    }
}

#[test]
fn marks_between_digits_are_left_out() {
    let cases = [
        (GERMANY, "(0711) 123-456", "+49711123456"),
        (GERMANY, "0711/123.456", "+49711123456"),
        (GERMANY, " 0711\u{a0}123456 ", "+49711123456"),
        (GERMANY, "1 1 2", "112"),
        (GERMANY, "1-7", "17"),
        (NORTH_AMERICA, "(202) 555-0123", "+12025550123"),
        // The national prefix in parentheses counts where no country code stands before it.
        (GERMANY, "+49 (0)711 123456", "+49711123456"),
        (GERMANY, "0049 (0) 711 123456", "+49711123456"),
        (GERMANY, "(0)711 123456", "+49711123456"),
        (ITALY, "+39 (0)6 12345678", "+390612345678"),
        // What is no number keeps its marks.
        (GERMANY, "Ann (desk-2)", "Ann (desk-2)"),
    ];
    for (json, dialled, becomes) in cases {
        assert_eq!(normal(&plan(json), dialled).1, becomes, "{dialled}");
    }
    let mut rules = Rules::new("49");
    rules.strip = "_".into();
    let plan = DialPlan::try_new(rules).unwrap();
    assert_eq!(normal(&plan, "+49_30_1").1, "+49301");
    assert_eq!(normal(&plan, "+49 30 1").1, "+49 30 1");
}

#[test]
fn a_number_of_more_than_fifteen_digits_is_not_cut() {
    let cases = [
        ("+123456789012345", "number"),
        ("+1234567890123456", "unchanged"),
        ("00123456789012345", "number"),
        ("001234567890123456", "unchanged"),
        ("01234567890123", "number"),
        ("012345678901234", "unchanged"),
        ("12345678901", "number"),
        ("123456789012", "unchanged"),
    ];
    for (dialled, sort) in cases {
        let (found, becomes) = normal(&plan(GERMANY), dialled);
        assert_eq!(found, sort, "{dialled}");
        assert_eq!(
            becomes == dialled,
            sort == "unchanged" || dialled.starts_with('+'),
            "{dialled}"
        );
    }
}

#[test]
fn the_longest_international_prefix_is_left_out() {
    let mut rules = Rules::new("49");
    rules.international_prefixes = vec!["00".into(), "+".into(), "0010".into()];
    let plan = DialPlan::try_new(rules).unwrap();
    assert_eq!(normal(&plan, "0044123456").1, "+44123456");
    assert_eq!(normal(&plan, "001044123456").1, "+44123456");
}

#[test]
fn a_wrong_field_is_named() {
    type Change = fn(&mut Rules);
    let cases: [(Change, InvalidDialPlan, &str); 21] = [
        (|rules| rules.country = String::new(), InvalidDialPlan::Country, "country"),
        (|rules| rules.country = "049".into(), InvalidDialPlan::Country, "country"),
        (|rules| rules.country = "4930".into(), InvalidDialPlan::Country, "country"),
        (
            |rules| rules.international_prefixes.push("0-0".into()),
            InvalidDialPlan::InternationalPrefix { place: 2 },
            "international_prefixes",
        ),
        (
            |rules| rules.international_prefixes = vec![String::new()],
            InvalidDialPlan::InternationalPrefix { place: 1 },
            "international_prefixes",
        ),
        (
            |rules| rules.national_prefix = Some(String::new()),
            InvalidDialPlan::NationalPrefix,
            "national_prefix",
        ),
        (
            |rules| rules.national_prefix = Some("009".into()),
            InvalidDialPlan::NationalPrefixHidden { place: 1 },
            "national_prefix",
        ),
        (|rules| rules.area_code = Some("3o".into()), InvalidDialPlan::AreaCode, "area_code"),
        (|rules| rules.area_code = Some("1234567".into()), InvalidDialPlan::AreaCode, "area_code"),
        (
            |rules| rules.area_code = Some("030".into()),
            InvalidDialPlan::AreaCodePrefixed,
            "area_code",
        ),
        (|rules| rules.national_prefix = None, InvalidDialPlan::AreaCodeOpen, "area_code"),
        (
            |rules| rules.national_digits = Some(2),
            InvalidDialPlan::NationalDigits { digits: 2 },
            "national_digits",
        ),
        (
            |rules| rules.national_digits = Some(14),
            InvalidDialPlan::NationalDigits { digits: 14 },
            "national_digits",
        ),
        (
            |rules| {
                rules.national_digits = Some(9);
                rules.internal_digits_max = 9;
            },
            InvalidDialPlan::NationalDigits { digits: 9 },
            "national_digits",
        ),
        (
            |rules| rules.short_codes.push("fire".into()),
            InvalidDialPlan::ShortCode { place: 2 },
            "short_codes",
        ),
        (
            |rules| rules.short_codes = vec!["+112".into()],
            InvalidDialPlan::ShortCode { place: 1 },
            "short_codes",
        ),
        (
            |rules| rules.special_prefixes.push(String::new()),
            InvalidDialPlan::SpecialPrefix { place: 1 },
            "special_prefixes",
        ),
        (
            |rules| rules.internal_digits_max = 10,
            InvalidDialPlan::InternalDigits { digits: 10 },
            "internal_digits_max",
        ),
        (|rules| rules.strip = " +".into(), InvalidDialPlan::Strip { place: 2 }, "strip"),
        (|rules| rules.strip = "0".into(), InvalidDialPlan::Strip { place: 1 }, "strip"),
        (|rules| rules.strip = "-é".into(), InvalidDialPlan::Strip { place: 2 }, "strip"),
    ];
    for (change, problem, field) in cases {
        let mut rules = Rules::new("49");
        rules.international_prefixes = vec!["00".into()];
        rules.national_prefix = Some("0".into());
        rules.area_code = Some("30".into());
        rules.short_codes = vec!["112".into()];
        assert!(DialPlan::try_new(rules.clone()).is_ok());
        change(&mut rules);
        assert_eq!(DialPlan::try_new(rules), Err(problem));
        let message = problem.to_string();
        assert!(message.starts_with(&format!("`{field}`")), "{message}");
        assert!(message.contains("accepted"), "{message}");
    }
}

#[test]
fn a_plan_is_read_and_written_as_json() {
    for json in [GERMANY, GERMAN_TRUNK, ITALY, SPAIN, NORTH_AMERICA, RUSSIA] {
        let plan = plan(json);
        let written = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<DialPlan>(&written).unwrap(), plan);
        let given: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_value(&plan).unwrap(), given, "nothing is added");
    }
    let cases = [
        (r#"{"country": "49"}"#, "missing field `international_prefixes`"),
        (
            r#"{"country": "49", "international_prefixes": [], "trunk": "0"}"#,
            "unknown field `trunk`",
        ),
        (r#"{"country": "x", "international_prefixes": []}"#, "`country` is no country code"),
    ];
    for (json, problem) in cases {
        let error = serde_json::from_str::<DialPlan>(json).unwrap_err().to_string();
        assert!(error.starts_with(problem), "{error}");
    }
}

#[test]
fn a_number_is_not_shown() {
    let dialled = plan(GERMANY).normalize(&"0711 123456".parse().unwrap());
    assert_eq!(format!("{dialled:?}"), "E164(PhoneNumber(11 digits))");
}

#[test]
fn asterisk_asks_the_dial_plan_before_the_account_map() {
    let options: asterisk::Options = serde_json::from_str(&format!(
        r#"{{"source": "pbx-1", "zone": "UTC", "dial_plan": {GERMANY}}}"#
    ))
    .unwrap();
    let accounts: AccountMap =
        serde_json::from_str(r#"[{"match": {"caller": "+49301234567"}, "account": "alice"}]"#)
            .unwrap();
    let line = "x,1234567,0033123456789,office,,SIP/101-00000001,,Dial,,2026-10-01 08:00:00,\
                2026-10-01 08:00:05,2026-10-01 08:01:06,66,61,ANSWERED,BILLING,1790841600.1";
    let entry = |options: &asterisk::Options| {
        let row = asterisk::Reader::new(line.as_bytes(), options).next().unwrap().unwrap();
        let entry = asterisk::entry(row, options, &accounts);
        entry.map_err(|refusal: Refusal| refusal.reason).unwrap()
    };
    let known = entry(&options);
    assert_eq!(known.account, Some("alice".parse().unwrap()));
    let json = serde_json::to_value(&known.item).unwrap();
    assert_eq!(
        (json.get("caller").unwrap(), json.get("callee").unwrap()),
        (&"+49301234567".into(), &"+33123456789".into())
    );
    let without = asterisk::Options { dial_plan: None, ..options };
    assert_eq!(entry(&without).account, None);
    let json = serde_json::to_value(&without).unwrap();
    assert_eq!(json, serde_json::json!({"source": "pbx-1", "zone": "UTC"}));
}
