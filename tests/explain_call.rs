//! The example that explains a call says what a hand calculation says.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "a test has an entry of its own")]
#[path = "../examples/explain_call.rs"]
mod example;

use clap::{CommandFactory as _, Parser as _};

fn page(arguments: &[&str]) -> String {
    let words = ["explain_call"].iter().chain(arguments);
    example::report(&example::Options::parse_from(words)).unwrap()
}

#[test]
fn a_call_into_the_evening_is_explained_segment_by_segment() {
    let expected = "\
The call
--------
to         +493012345678
answered   2026-10-05T21:58:30Z, 300 s
tariff     retail version 1, windows in America/New_York

What it costs
-------------
local time          line  destination          used   billed   steps       cost
2026-10-05 17:58:30    8  Berlin               90 s     90 s     6 s      0.027
2026-10-05 18:00:00    9  Berlin, evening     210 s    210 s     6 s      0.042
exactly, with minimum and maximum                                        0.069
rounded once, half_up to 4 decimals, USD                                0.0690

Lines that might have priced its start
--------------------------------------
  10  4930   Berlin, holiday  lost: its window is closed at the time
   9  4930   Berlin, evening  lost: its window is closed at the time
   8  4930   Berlin           won
   6  49     Germany          lost: a longer prefix has a line in force

A quote for the same start
--------------------------
line 8, Berlin
from 0 s on 0.018 for 60 s, in steps of 30 and 6 s
until 2026-10-05 18:00:00
      60 s     0.0180 USD
     120 s     0.0330 USD
     300 s     0.0690 USD
     600 s     0.1290 USD
    3600 s     0.7290 USD

What is left of it
------------------
price           0.069 USD  Berlin
cost          0.06426 USD  Germany fixed
margin        0.00474 USD
";
    assert_eq!(page(&[]), expected);
}

#[test]
fn each_call_of_the_help_shows_what_it_promises() {
    let cases: [(&[&str], &[&str]); 6] = [
        (&["+442079460123"], &["5  4420   London           won", "0.0750"]),
        (
            &["--at", "2026-10-12T14:00:00Z"],
            &["window holiday", "another line of the prefix ranks above it", "sold at a loss"],
        ),
        (&["+4915112345678"], &["-0.1034 USD  sold at a loss"]),
        (&["+19005550100"], &["No price", "line 3 of tariff retail blocks this destination"]),
        // 0.02 and 10 minutes at 0.024, 50 at 0.018.
        (&["--seconds", "3600", "+498912345"], &["for being connected", "1.1600"]),
        (
            &["+61255501234"],
            &["the supplier's tariff has no price for this usage: tariff wholesale has no line"],
        ),
    ];
    let help = example::Options::command().render_long_help().to_string();
    for (arguments, shown) in cases {
        let page = page(arguments);
        for text in shown {
            assert!(page.contains(text), "{text:?} of {arguments:?} in\n{page}");
        }
        let is_taught = help.contains(&format!("explain_call -- {}", arguments.join(" ")));
        assert!(is_taught || arguments == ["+61255501234"], "{arguments:?}");
    }
}

#[test]
fn a_tariff_that_cannot_be_read_is_named() {
    let words = ["explain_call", "--tariff", "Cargo.toml"];
    let error = example::report(&example::Options::parse_from(words)).unwrap_err().to_string();
    assert!(error.starts_with("Cargo.toml: expected value at line 1"), "{error}");
}
