//! Dates, instants and lengths of time as people type and read them. Instants are shown in the
//! offset that alliances have unless their charter says otherwise.

use rollbook_core::calendar::{
    CivilDate, DEFAULT_OFFSET_MINUTES, LocalDay, MS_PER_DAY, MS_PER_HOUR, format_instant,
};
use rollbook_proof::number::LedgerTime;

/// A calendar date as people and spreadsheets write it, year first, as a day: `2023-06-28`,
/// `2023/6/28`, `2023.6.28`, `2023年6月28日`. `28/6/2023` is none: nobody knows which number is the
/// month.
pub fn day(text: &str) -> Option<LocalDay> {
    let text = text.trim();
    let text = text.strip_suffix('日').unwrap_or(text);
    let parts: Vec<&str> = text.split(['-', '/', '.', '年', '月']).collect();
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    if year.len() != 4 || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    let date = CivilDate::parse(&format!("{year}-{month:0>2}-{day:0>2}"));
    date.ok().map(CivilDate::day_number)
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
    use super::{day, length_ms};

    /// A spreadsheet turned every date of a register into `2023/6/15`, and every row was refused.
    #[test]
    fn dates_as_spreadsheets_write_them() {
        let wanted = day("2023-06-05");
        assert!(wanted.is_some());
        for text in [
            "2023/6/5",
            "2023/06/05",
            "2023-6-5",
            "2023.6.5",
            "2023年6月5日",
            " 2023/6/5 ",
        ] {
            assert_eq!(day(text), wanted, "{text}");
        }
        for bad in [
            "5/6/2023",
            "23/6/5",
            "2023/13/1",
            "2023/6",
            "2023/6/5/1",
            "2023//5",
            "",
            "2023/+6/5",
        ] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }

    #[test]
    fn lengths() {
        assert_eq!(length_ms("7d"), Some(604_800_000));
        assert_eq!(length_ms("90m"), Some(5_400_000));
        for bad in ["", "d", "7", "7w", "-1d", "99999999999999999999d", "7é"] {
            assert_eq!(length_ms(bad), None, "{bad}");
        }
    }
}
