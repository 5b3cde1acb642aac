//! Where the services that tests talk to are, and whether the tests may do without them.

/// The variable that holds the address of a service: `BILLING_TEST_POSTGRES_URL`, `BILLING_TEST_NATS_URL`.
///
/// The user of a PostgreSQL server may create databases; a NATS server has `JetStream`.
pub(crate) fn variable(service: &str) -> String {
    format!("BILLING_TEST_{}_URL", service.to_uppercase())
}

/// The address of a service, `postgres` or `nats`; `None` where there is none and the tests may do without, so that they return.
///
/// # Panics
///
/// If there is none and `BILLING_REQUIRE`, names separated by commas, asks for it.
pub(crate) fn url(service: &str) -> Option<String> {
    let url = std::env::var(variable(service)).ok().filter(|url| !url.is_empty());
    let required = std::env::var("BILLING_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|name| name.trim() == service);
    assert!(url.is_some() || !required, "{} is not set and required", variable(service));
    url
}
