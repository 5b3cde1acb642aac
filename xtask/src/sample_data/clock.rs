//! The month as the PBX sees it. Instants are seconds since 1970 in UTC.

pub const MINUTE_S: i64 = 60;
pub const HOUR_S: i64 = 3_600;
pub const DAY_S: i64 = 86_400;

pub const OCTOBER_DAYS: i64 = 31;
/// 2026-10-01 00:00:00 in New York.
pub const OCTOBER: i64 = 1_790_827_200;
/// 2026-11-01 00:00:00 in New York.
pub const NOVEMBER: i64 = OCTOBER + OCTOBER_DAYS * DAY_S;
/// 2026-11-01 02:00:00 in New York, when clocks are set back by an hour.
const CLOCKS_BACK: i64 = NOVEMBER + 2 * HOUR_S;

/// The instant as the PBX writes it, in New York.
pub fn pbx_text(at: i64) -> String {
    let local = at - if at < CLOCKS_BACK { 4 * HOUR_S } else { 5 * HOUR_S };
    let second = local.rem_euclid(DAY_S);
    let (month, day) = match (at - OCTOBER).div_euclid(DAY_S) {
        day @ ..0 => (9, 31 + day),
        day @ 0..OCTOBER_DAYS => (10, 1 + day),
        day => (11, 1 + day - OCTOBER_DAYS),
    };
    let (hour, minute) = (second / HOUR_S, second % HOUR_S / MINUTE_S);
    format!("2026-{month:02}-{day:02} {hour:02}:{minute:02}:{:02}", second % MINUTE_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pbx_writes_local_time() {
        let cases = [
            (OCTOBER - 1, "2026-09-30 23:59:59"),
            (OCTOBER, "2026-10-01 00:00:00"),
            (NOVEMBER - 1, "2026-10-31 23:59:59"),
            (NOVEMBER + 90 * MINUTE_S, "2026-11-01 01:30:00"),
            (NOVEMBER + 150 * MINUTE_S, "2026-11-01 01:30:00"),
        ];
        for (at, text) in cases {
            assert_eq!(pbx_text(at), text);
        }
    }
}
