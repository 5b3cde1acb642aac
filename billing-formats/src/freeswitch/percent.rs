//! Percent-encoded text.

/// The bytes that percent-encoded ones stand for; `None` if a percent sign has no two hexadecimal digits after it.
pub(super) fn decoded(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let (&[high, low], after) = rest.split_first_chunk()?;
        let [high, low] = [high, low].map(|digit| char::from(digit).to_digit(16));
        decoded.push(u8::try_from(high?.checked_mul(16)?.checked_add(low?)?).ok()?);
        rest = after;
    }
    Some(decoded)
}
