//! Dates, instants and lengths of time as people type and read them. Instants are shown in the
//! offset that alliances have unless their charter says otherwise.

use rollbook_core::calendar::{
    CivilDate, DEFAULT_OFFSET_MINUTES, LocalDay, MS_PER_DAY, MS_PER_HOUR, format_instant,
};
use rollbook_proof::number::LedgerTime;

/// A calendar date, such as `2023-06-28`, as a day.
pub fn day(text: &str) -> Option<LocalDay> {
    CivilDate::parse(text).ok().map(CivilDate::day_number)
}

/// Ledger time as people read it.
pub fn time(at: LedgerTime) -> String {
    format_instant(at, DEFAULT_OFFSET_MINUTES)
}

/// Seconds since 1970 as people read them.
pub fn instant(seconds: u64) -> String {
    time(LedgerTime(seconds.saturating_mul(1_000)))
}

/// A length of time in one unit: `4 s`, `12 min`, `3 h`, `9 d`.
pub fn length(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A length of time as it is typed, in milliseconds: `7d`, `12h`, `30m`, `5s`.
pub fn length_ms(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let ms = match unit {
        'd' => MS_PER_DAY,
        'h' => MS_PER_HOUR,
        'm' => 60_000,
        's' => 1_000,
        _ => return None,
    };
    number.checked_mul(ms)
}

#[cfg(test)]
mod tests {
    use super::length_ms;

    #[test]
    fn lengths() {
        assert_eq!(length_ms("7d"), Some(604_800_000));
        assert_eq!(length_ms("90m"), Some(5_400_000));
        for bad in ["", "d", "7", "7w", "-1d", "99999999999999999999d", "7é"] {
            assert_eq!(length_ms(bad), None, "{bad}");
        }
    }
}
