//! Says in one line which services the tests did without.

mod services;

use std::io::{self, Write as _};

#[test]
fn what_was_not_run_is_said() -> io::Result<()> {
    let absent =
        ["postgres", "nats"].into_iter().filter(|service| services::url(service).is_none());
    let absent: Vec<_> = absent.map(services::variable).collect();
    if absent.is_empty() {
        return Ok(());
    }
    // Past the harness, which keeps to itself what passing tests print.
    writeln!(io::stderr(), "not run: the tests that need {}", absent.join(" and "))
}
