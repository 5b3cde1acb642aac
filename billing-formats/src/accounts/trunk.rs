//! The part of a channel's name that stays.

/// The part of a channel's name that stays: `SIP/carrier-a` of `SIP/carrier-a-00001a2b`.
///
/// Leaves out the eight hexadecimal digits that make a channel unique, and before them the `;1` or `;2` of a local channel.
/// `IAX2` and `DAHDI` count in plain digits instead, as in `IAX2/carrier-a-4711`.
///
/// # Examples
///
/// ```
/// use billing_formats::accounts::trunk;
///
/// assert_eq!(trunk("PJSIP/carrier-a-0000001f"), "PJSIP/carrier-a");
/// assert_eq!(trunk("Local/100@office-0000001f;2"), "Local/100@office");
/// assert_eq!(trunk("IAX2/carrier-a-4711"), "IAX2/carrier-a");
/// assert_eq!(trunk("SIP/carrier-a"), "SIP/carrier-a");
/// ```
#[must_use]
pub fn trunk(channel: &str) -> &str {
    let whole = channel.strip_suffix(";1").or_else(|| channel.strip_suffix(";2"));
    let whole = whole.unwrap_or(channel);
    match whole.rsplit_once('-') {
        Some((name, unique)) if is_unique(name, unique) => name,
        Some(_) | None => channel,
    }
}

fn is_unique(name: &str, text: &str) -> bool {
    let counts = name.starts_with("IAX2/") || name.starts_with("DAHDI/");
    let is_count = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_hexadecimal = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hexadecimal || (counts && is_count)
}
