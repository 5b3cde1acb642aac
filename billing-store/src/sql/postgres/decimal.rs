//! `numeric` read as the text that the core understands.

use sqlx::{
    Decode, Postgres, Type,
    error::BoxDynError,
    postgres::{PgTypeInfo, PgValueFormat, PgValueRef},
};

/// An exact number as text, without zeros at its end.
///
/// It is read from the digits on the wire: nothing is multiplied or added up on the way, so nothing is rounded.
#[derive(Debug)]
pub(in crate::sql) struct Decimal(pub(in crate::sql) String);

impl Type<Postgres> for Decimal {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("numeric")
    }
}

impl<'r> Decode<'r, Postgres> for Decimal {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let text = match value.format() {
            PgValueFormat::Binary => {
                of_groups(value.as_bytes()?).ok_or("not a number with digits")?
            }
            PgValueFormat::Text => value.as_str()?.to_owned(),
        };
        Ok(Self(trimmed(&text).to_owned()))
    }
}

/// The sign of a negative number on the wire. NaN and infinity have others.
const NEGATIVE: u16 = 0x4000;

/// Groups of four digits: how many, the power of 10,000 of the first, the sign, the digits shown behind the point, and the groups.
fn of_groups(bytes: &[u8]) -> Option<String> {
    let mut words =
        bytes.chunks_exact(2).filter_map(|word| Some(u16::from_be_bytes(word.try_into().ok()?)));
    let (count, weight, sign) = (words.next()?, words.next()?, words.next()?);
    let _shown: u16 = words.next()?;
    let groups: Vec<u16> = words.collect();
    if groups.len() != usize::from(count) || !matches!(sign, 0 | NEGATIVE) {
        return None;
    }
    let weight = i32::from(i16::from_be_bytes(weight.to_be_bytes()));
    // Groups that are not sent are zeros.
    let group = |power: i32| {
        let at = usize::try_from(weight.saturating_sub(power)).ok();
        at.and_then(|at| groups.get(at)).copied().unwrap_or(0)
    };
    let padded = |power| format!("{:04}", group(power));
    let first = weight.max(0_i32);
    let last = weight.saturating_sub(i32::from(count)).saturating_add(1).min(0_i32);
    let sign = if sign == NEGATIVE { "-" } else { "" };
    let before: String = (0_i32..first).rev().map(padded).collect();
    let behind: String = (last..0_i32).rev().map(padded).collect();
    Some(format!("{sign}{}{before}.{behind}", group(first)))
}

/// Without what says nothing: zeros behind the last digit, and a point behind which nothing stands.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::{of_groups, trimmed};

    #[test]
    fn numbers_are_read_from_their_groups_of_digits() {
        let cases: [(&[u16], &str); 8] = [
            (&[0, 0, 0, 10], "0"),
            (&[1, 0, 0, 10, 1], "1"),
            (&[2, 0, 0x4000, 10, 1, 5_000], "-1.5"),
            (&[1, 0xffff, 0, 10, 5_000], "0.5"),
            (&[1, 0xfffd, 0, 10, 100], "0.0000000001"),
            (&[1, 2, 0, 10, 7], "700000000"),
            (&[5, 4, 0, 0, 99, 9_999, 9_999, 9_999, 9_999], "999999999999999999"),
            (&[3, 0, 0, 10, 12, 3_400, 56], "12.34000056"),
        ];
        for (words, due) in cases {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert_eq!(trimmed(&of_groups(&bytes).unwrap()), due);
        }
        let nan: Vec<u8> =
            [0_u16, 0, 0xc000, 0].iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(of_groups(&nan), None);
    }
}
