//! The example that rates a file of calls agrees with a second program, and answers for every line.

#[expect(dead_code, reason = "a test has an entry of its own")]
#[path = "../examples/rate_cdrs/main.rs"]
mod example;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use billing::core::money::Amount;
use clap::{CommandFactory as _, Parser as _};
use serde_json::Value;

#[test]
fn accounts_pay_what_a_second_program_says() {
    let folder = std::env::temp_dir().join(format!("billing-rate-cdrs-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (totals, rated) = (folder.join("totals.csv"), folder.join("rated.ndjson"));
    let words =
        ["rate_cdrs", "--totals", totals.to_str().unwrap(), "--rated", rated.to_str().unwrap()];
    let mut page = Vec::new();
    example::run(&example::Options::parse_from(words), &mut page).unwrap();
    let (page, totals) = (String::from_utf8(page).unwrap(), fs::read_to_string(totals).unwrap());
    let rated = fs::read_to_string(rated).unwrap();
    fs::remove_dir_all(&folder).unwrap();

    assert_eq!(totals, include_str!("golden/rate_cdrs.csv"));
    let said = [
        "32 prefixes of tariff deck, in EUR",
        "\n18 rows of the deck: 14 priced, 3 passed over, 1 blank\n",
        "\n333 calls rated: 55.8156 EUR, 36434 s billed; 63 not answered\n",
        "\n3 × a destination that is blocked; the first: the call of 2026-10-",
        "\n1 × a destination that the tariff does not have; the first: the call of 2026-10-",
        "\n1 × a line that is no call; the first: line 402, column `started_at`: ",
    ];
    for line in said {
        assert!(page.contains(line), "{line} in {page}");
    }

    let lines: Vec<Value> = rated.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let calls = fs::read_to_string("examples/data/calls.csv").unwrap();
    assert_eq!(lines.len(), calls.lines().count() - 1, "every line is answered for");
    let ids: BTreeSet<&str> = lines.iter().filter_map(|line| line["id"].as_str()).collect();
    assert_eq!(ids.len(), 400, "every call once");
    let mut sums: BTreeMap<&str, Amount> = BTreeMap::new();
    for line in lines.iter().filter(|line| line["destination"].is_string()) {
        let sum = sums.entry(line["account"].as_str().unwrap()).or_insert(Amount::ZERO);
        *sum = sum.checked_add(line["amount"].as_str().unwrap().parse().unwrap()).unwrap();
    }
    let sums: String =
        sums.iter().map(|(account, sum)| format!("{account},{}\n", sum.to_fixed(4))).collect();
    assert_eq!(format!("account,total\n{sums}"), totals, "the calls add up to the totals");
}

#[test]
fn a_tariff_document_is_read_too() {
    let tariff = "examples/data/tariffs/wholesale.json";
    let mut page = Vec::new();
    let options = example::Options::parse_from(["rate_cdrs", "--tariff", tariff, "--top", "1"]);
    example::run(&options, &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("prefixes of tariff wholesale"), "{page}");
}

#[test]
fn what_is_wrong_is_said_with_its_file() {
    let options = ["rate_cdrs", "--deck", "examples/data/calls.csv"];
    let error = example::run(&example::Options::parse_from(options), &mut Vec::new()).unwrap_err();
    assert!(error.to_string().starts_with("examples/data/calls.csv: "), "{error}");
}

#[test]
fn calls_of_nobody_are_added_up_too_and_names_are_quoted() {
    let folder =
        std::env::temp_dir().join(format!("billing-rate-cdrs-nobody-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (calls, totals) = (folder.join("calls.csv"), folder.join("totals.csv"));
    let call = |id: &str, account: &str| {
        format!("{id},{account},4930,442071234567,2026-10-01T08:00:00Z,60000,ANSWERED\n")
    };
    let header = "call_id,account,caller,callee,started_at,duration_ms,disposition\n";
    fs::write(&calls, [header, &call("1", ""), &call("2", "\"a, \"\"b\"\"\"")].concat()).unwrap();
    let (calls, file) = (calls.to_str().unwrap(), totals.to_str().unwrap());
    let options = ["rate_cdrs", "--calls", calls, "--totals", file];
    let mut page = Vec::new();
    example::run(&example::Options::parse_from(options), &mut page).unwrap();
    let totals = fs::read_to_string(totals).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(totals, "account,total\n,0.0110\n\"a, \"\"b\"\"\",0.0110\n");
    assert!(String::from_utf8(page).unwrap().contains("\n(no account)  "));
}

#[test]
fn the_help_shows_each_option() {
    let help = example::Options::command().render_long_help().to_string();
    for option in ["--tariff", "--deck", "--calls-mapping", "--rated", "--totals"] {
        assert!(help.contains(option), "{help}");
    }
}
