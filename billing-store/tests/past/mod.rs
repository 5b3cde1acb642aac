//! What is written once and for ever, in the words of SQLite.

/// The columns that may change after all.
pub(crate) const MOVING: [&str; 8] =
    ["current_seq", "effective", "amended", "erased", "void", "state", "detail", "attempts"];

/// What is written once: a row of each table, and the edits that it takes all the same.
pub(crate) const PAST: [(&str, &str, &[&str]); 17] = [
    ("billing_plan", "'acme', 'basic', 1, '{}', zeroblob(32)", &[]),
    ("billing_tariff", "'acme', 'retail', 1, 'EUR', zeroblob(32), '{}'", &[]),
    ("billing_tariff_activation", "'acme', 'retail', 0, 1", &[]),
    ("billing_account_settings", "'acme', 'alice', 'carol', '{}'", &[]),
    ("billing_assignment", "'acme', 'alice', 1, 0, 'basic', 1, '{}', zeroblob(32)", &[]),
    (
        "billing_item",
        "'acme', 'pbx', '1', '', 0, 'alice', 'call', 0, '{}', 1, zeroblob(32), 1, 1, 1, 1, null, null",
        &[
            "current_seq = 7, effective = 0, amended = '{}'",
            // Persons may be erased.
            "body = '[]', erased = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'",
        ],
    ),
    (
        "billing_posting",
        "'acme', 'alice', 1, 'pbx', '1', '', 0, 1, zeroblob(32), 'rated', 0, 1, 'calls', 'calls', 1, 1, \
         '2026a', 's', 'EUR', 1, '1', '1', 'retail', 1, zeroblob(32), 1, '49', 0, 'ticket-7'",
        &[],
    ),
    (
        "billing_correction",
        "'acme', 'ticket-7', 0, 'void', '', '{}', zeroblob(32), '{}', zeroblob(32)",
        &[],
    ),
    ("billing_epoch", "2, 'a restore', 0", &[]),
    ("billing_event", "'acme', 'alice', 2, 0, '{}'", &[]),
    ("billing_intake", "'acme', 'batch', '', 0, 0, 0, 0, 0, 0, 0, zeroblob(32)", &[]),
    ("billing_refusal", "'acme', 'batch', 0, 'line 1', 'torn', '', zeroblob(32)", &[]),
    (
        "billing_dropped",
        "'acme', 0, 'pbx', '2', '', 0, null, '{}', '{}', 0, 'a test', zeroblob(32)",
        &[],
    ),
    (
        "billing_invoice",
        "'acme', 'main', 1, 'alice', 'period', 0, 31, 0, 'EUR', '1', '{}', zeroblob(32), 0",
        &["void = 1"],
    ),
    ("billing_invoice_mark", "'acme', 'main', 1, 0, '{}'", &[]),
    (
        "billing_line_part",
        "'acme', 'alice', 0, 1, 'calls', 'calls', 1, 'main', 1, 0, '1', 0",
        &["void = 1"],
    ),
    (
        "billing_settlement",
        "'acme', 'alice', 0, 1, '{}', zeroblob(32), 'pending', '{}', 0",
        // An upsert names the content too, and leaves it as it is.
        &["state = 'sent', detail = '[]', attempts = 1, body = '{}', digest = zeroblob(32)"],
    ),
];

/// What may change and is never deleted.
pub(crate) const LASTING: [&str; 5] = [
    "billing_day_total values ('acme', 'alice', 0, 1, 'calls', 'calls', 1, 'ms', 'EUR', 1, '1', null, 0, 0, 0)",
    "billing_cursor values ('acme', 'bus', 'alice', 1, 0, null, null)",
    "billing_dead_letter values ('acme', 'bus', 'alice', 1, 'busy', 0, 1, null)",
    "billing_series values ('acme', 'main', 1)",
    "billing_tariff_catalog values ('acme', zeroblob(32))",
];
