//! Wall-clock time in milliseconds, and its text form.
//!
//! Invariant: times on disk are UTC, RFC 3339 with milliseconds; nothing relies
//! on the clock never jumping.

use std::time::{SystemTime, UNIX_EPOCH};

use super::fault;
use crate::limits::DAY_MS;

/// The time, as files have it.
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// Milliseconds since 1970-01-01T00:00:00Z.
pub fn now_ms() -> u64 {
    file_ms(now())
}

/// When this machine was started, in milliseconds since 1970: as exact as the
/// clock now, and at most a second late.
pub fn started_ms() -> u64 {
    now_ms().saturating_sub(fault::up_ms().unwrap_or_else(up_ms))
}

/// How long this machine has been up, asleep or not.
#[cfg(target_os = "linux")]
fn up_ms() -> u64 {
    // It counts a second that has begun as one.
    u64::try_from(rustix::system::sysinfo().uptime - 1).unwrap_or(0) * 1000
}

#[cfg(not(target_os = "linux"))]
fn up_ms() -> u64 {
    let up = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(up.tv_sec).unwrap_or(0) * 1000
}

/// The file time as milliseconds since 1970.
pub fn file_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// RFC 3339 in UTC with milliseconds: `2026-11-20T22:17:22.123Z`.
pub fn rfc3339(ms: u64) -> String {
    let (year, month, day) = civil(ms / DAY_MS);
    let time = ms % DAY_MS;
    let (hour, minute) = (time / 3_600_000, time / 60_000 % 60);
    // Digit by digit: the formatter takes as long as the rest of a message.
    let mut text = *b"0000-00-00T00:00:00.000Z";
    for (mut number, last, digits) in [
        (year, 3, 4),
        (month, 6, 2),
        (day, 9, 2),
        (hour, 12, 2),
        (minute, 15, 2),
        (time / 1_000 % 60, 18, 2),
        (time % 1_000, 22, 3),
    ] {
        for place in 0..digits {
            text[last - place] = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
    String::from_utf8(text.to_vec()).unwrap_or_default()
}

/// Reads what [`rfc3339`] writes, milliseconds optional. `None` for anything else.
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let (time, fraction) = text.split_at_checked(19)?;
    let time = time.as_bytes();
    let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if signs.iter().any(|(at, sign)| time[*at] != *sign) {
        return None;
    }
    let number = |from: usize, to: usize| digits(&time[from..to]);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    let millis = match fraction.strip_suffix('Z')?.as_bytes() {
        [] => 0,
        [b'.', places @ ..] if (1..=9).contains(&places.len()) => {
            digits(places)? * 1000 / 10_u64.pow(places.len() as u32)
        }
        _ => return None,
    };
    Some(days(year, month, day) * DAY_MS + seconds * 1000 + millis)
}

/// The number that these digits make; `None` where one is none.
fn digits(text: &[u8]) -> Option<u64> {
    let mut number = 0;
    for byte in text {
        number = number * 10 + u64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    Some(number)
}

/// How long ago, in words: `just now`, `3 min ago`, `2 h ago`, `5 days ago`.
pub fn ago(then_ms: u64, now_ms: u64) -> String {
    let seconds = now_ms.saturating_sub(then_ms) / 1000;
    match seconds {
        0..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// The proleptic Gregorian date of a day number since 1970-01-01.
fn civil(day_number: u64) -> (u64, u64, u64) {
    let shifted = day_number + 719_468; // days since 0000-03-01
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_213_042_123), "2026-11-20T22:17:22.123Z");
    }

    #[test]
    fn text_and_back_for_every_day_of_four_centuries() {
        for day in (0..146_097).step_by(7) {
            let ms = day * DAY_MS + 45_296_789;
            assert_eq!(parse_rfc3339(&rfc3339(ms)), Some(ms));
        }
        assert_eq!(parse_rfc3339("2026-11-20T22:17:22Z"), Some(1_795_213_042_000));
        for bad in
            ["", "2026-11-20", "2026-13-20T00:00:00Z", "2026-11-20T22:17:22.Z", "2026-11-20T22:17:22+01:00"]
        {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }
}
