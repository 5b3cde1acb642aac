//! What a message says: the JSON of a call or a pulse, written and read strictly.

use serde::{Deserialize, Deserializer, Serialize};

use billing_core::{
    id::AccountId,
    item::{Call, CallEnded, Incoming, ItemKey, Pulse, PulseReported},
};

/// The longest body that is read, in bytes; a longer one is refused.
pub const BODY_BYTES_MAX: usize = 65_536;

/// What a bus can carry.
///
/// # Examples
///
/// ```
/// use billing_core::item::PulseReported;
/// use billing_store::bus::Letter;
///
/// let pulse: PulseReported = serde_json::from_str(
///     r#"{"key":{"source":"meter","id":"1"},"account":"alice",
///         "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#,
/// )?;
/// assert_eq!(pulse.account().map(|account| account.as_str()), Some("alice"));
/// assert_eq!(serde_json::from_slice::<PulseReported>(&pulse.body()?)?, pulse);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Letter: Serialize + Send + Sync {
    /// Who pays, if the source names anybody.
    fn account(&self) -> Option<&AccountId>;

    /// The body of its message.
    ///
    /// # Errors
    ///
    /// What the writer of JSON says; for calls and pulses, nothing.
    fn body(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

impl Letter for CallEnded {
    fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }
}

impl Letter for PulseReported {
    fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }
}

/// What is read: a call's message has `call`, a pulse's has `pulse`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    key: ItemKey,
    #[serde(default)]
    account: Option<AccountId>,
    #[serde(default, deserialize_with = "present")]
    call: Option<Call>,
    #[serde(default, deserialize_with = "present")]
    pulse: Option<Pulse>,
}

/// Reads a body; what is wrong with it is told without a word of what stands there.
pub(super) fn read(body: &[u8]) -> Result<Incoming, String> {
    if body.len() > BODY_BYTES_MAX {
        let bytes = body.len();
        return Err(format!("it has {bytes} bytes; at most {BODY_BYTES_MAX} are accepted"));
    }
    let Document { key, account, call, pulse } =
        serde_json::from_slice(body).map_err(|error| fault(&error))?;
    match (call, pulse) {
        (Some(call), None) => Ok(CallEnded { key, account, call }.into()),
        (None, Some(pulse)) => Ok(PulseReported { key, account, pulse }.into()),
        (Some(_), Some(_)) => Err("it has both `call` and `pulse`; one is accepted".into()),
        (None, None) => Err("it has neither `call` nor `pulse`; one is accepted".into()),
    }
}

fn fault(error: &serde_json::Error) -> String {
    // The reader's own words may quote a number that somebody dialled.
    let what = if error.is_data() { "it is no call and no pulse" } else { "it is not JSON" };
    format!("{what}: see line {} column {}", error.line(), error.column())
}

/// What is kept of a body in the record of its refusal: text, whatever the bytes are, and the beginning if it is too long.
pub(super) fn kept(body: &[u8]) -> String {
    const KEPT_BYTES_MAX: usize = 1_024;
    let all = if body.len() > BODY_BYTES_MAX { body.get(..KEPT_BYTES_MAX) } else { Some(body) };
    String::from_utf8_lossy(all.unwrap_or_default()).replace('\0', "\u{fffd}")
}

/// What stands there must be one: `null` is none.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
        "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"+12025550100","callee":"+12025550123",
                "disposition":"answered","direction":"outbound"}}"#;
    const PULSE: &str = r#"{"key":{"source":"meter","id":"1"},
        "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#;

    #[test]
    fn a_body_that_was_written_is_read_as_it_was() {
        let call: CallEnded = serde_json::from_str(CALL).unwrap();
        assert_eq!(read(&call.body().unwrap()), Ok(call.into()));
        let pulse: PulseReported = serde_json::from_str(PULSE).unwrap();
        assert_eq!(read(&pulse.body().unwrap()), Ok(pulse.into()));
    }

    #[test]
    fn what_is_wrong_is_told_without_what_stands_there() {
        let cases = [
            (String::new(), "it is not JSON"),
            (CALL.replace("61000", "61000,"), "it is not JSON"),
            (CALL.replace("\"+12025550100\"", "12025550100"), "it is no call and no pulse"),
            (CALL.replace("\"caller\"", "\"+12025550100\""), "it is no call and no pulse"),
            (CALL.replace("\"account\"", "\"payer\""), "it is no call and no pulse"),
            (PULSE.replace("\"0.25\"", "0.25"), "it is no call and no pulse"),
            (PULSE.replace("\"0.25\"", "\"\""), "it is no call and no pulse"),
            (r#"{"key":{"source":"a","id":"1"},"call":null}"#.into(), "it is no call"),
            (r#"{"key":{"source":"a","id":"1"}}"#.into(), "it has neither"),
            ("x".repeat(BODY_BYTES_MAX + 1), "it has 65537 bytes"),
        ];
        for (body, expected) in cases {
            let reason = read(body.as_bytes()).unwrap_err();
            assert!(reason.starts_with(expected), "{reason}");
            assert!(!reason.contains("2025550100"), "{reason}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_text() {
        assert_eq!(kept(b"a\xff\0b"), "a\u{fffd}\u{fffd}b");
        assert_eq!(kept("x".repeat(BODY_BYTES_MAX + 1).as_bytes()).len(), 1_024);
    }
}
