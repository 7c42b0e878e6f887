//! Ledger time in local days: fixed offset, civil dates, working days (RULINGS R12, A22).
//!
//! * Ledger time counts milliseconds since 1970-01-01T00:00Z, without leap seconds. A local day
//!   is a day number (0 = 1970-01-01) under the charter's fixed offset in minutes. Proleptic
//!   Gregorian calendar, integers only.
//! * Time t of a deadline still counts: a deadline is the last millisecond that is in time.
//! * A period in days ends at the end of its last day; the day it starts on is day 0.
//! * A ballot, deadline or offer that would end on a non-working day ends on the next working day
//!   ([`Calendar::deadline`]). A delay (stay, cooling-off, hold) is no deadline and is not moved
//!   ([`Calendar::delay`]).
//! * Working days are Monday to Friday, corrected by dates recorded on the ledger.
//! * Total functions: instants and days out of range saturate, nothing here fails or panics on
//!   foreign numbers.
//! * Absent on purpose: time-zone tables, daylight saving, a clock.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Wire, at_most, strictly_ascending};
use rollbook_proof::number;
use rollbook_proof::number::LedgerTime;

/// Milliseconds of a day.
pub const MS_PER_DAY: u64 = 24 * MS_PER_HOUR;
/// Milliseconds of an hour.
pub const MS_PER_HOUR: u64 = 60 * MS_PER_MINUTE;
/// Milliseconds of a minute.
pub const MS_PER_MINUTE: u64 = 60 * 1000;
/// Offset of Asia/Shanghai, the default of the charter.
pub const DEFAULT_OFFSET_MINUTES: i32 = 480;
/// Most days of one kind in a calendar record.
pub const CALENDAR_MAX_DAYS: usize = 512;
/// Longest count of working days; a larger one is taken as this (38 years).
pub const WORKING_DAYS_MAX: u32 = 10_000;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_SHIFT: i128 = 719_468;
/// Day number of 9999-12-31.
const LAST_DAY: i64 = 2_932_896;

/// A civil date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilDate {
    /// Astronomical year: 0 is 1 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

number! {
    /// A local day: day number under the alliance's offset, 0 = 1970-01-01.
    LocalDay(i64);
}

impl LocalDay {
    /// The last day of the year 9999, as ledger time ends (RULINGS A37).
    pub const LAST: LocalDay = LocalDay(2_932_896);
}

/// Day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A text is no date or instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not `YYYY-MM-DD`.
    #[error("'{0}' is no date; write it as 2023-06-28")]
    Date(String),
    /// Not an instant with an offset.
    #[error(
        "'{0}' is no instant; write it as 2023-06-28T09:00:00+08:00, seconds and offset included"
    )]
    Instant(String),
    /// The form is right, the day does not exist.
    #[error("the day {0} does not exist")]
    NoSuchDay(String),
    /// The ledger knows no time before 1970.
    #[error("'{0}' is before 1970")]
    BeforeEpoch(String),
}

/// Whether a year has a 29 February.
pub fn is_leap_year(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// Days of a month; 0 for a month that does not exist.
pub fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(year) => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

/// Days from 0000-03-01 to 1 March of `year`. Counting years from March puts the leap day last.
fn march_first(year: i128) -> i128 {
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)
}

impl CivilDate {
    /// A date that exists, in the years 1 to 9999.
    pub fn new(year: i64, month: u8, day: u8) -> Option<Self> {
        let exists = (1..=9999).contains(&year) && day >= 1 && day <= days_in_month(year, month);
        exists.then_some(CivilDate { year, month, day })
    }

    /// The day number.
    pub fn day_number(self) -> LocalDay {
        let before_march = self.month <= 2;
        let year = i128::from(self.year) - i128::from(before_march);
        let month = i128::from(self.month) + if before_march { 9 } else { -3 }; // March = 0
        // (153 m + 2) / 5: lengths 31 30 31 30 31 from March, twice and a bit.
        let days = march_first(year) + (153 * month + 2).div_euclid(5) + i128::from(self.day)
            - 1
            - EPOCH_SHIFT;
        LocalDay(saturate(days))
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let form = || TimeError::Date(text.to_owned());
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
            return Err(form());
        }
        let year = digits(bytes, 0, 4).ok_or_else(form)?;
        let month = digits(bytes, 5, 2).ok_or_else(form)?;
        let day = digits(bytes, 8, 2).ok_or_else(form)?;
        // Two digits fit a byte.
        CivilDate::new(i64::from(year), month as u8, day as u8)
            .ok_or_else(|| TimeError::NoSuchDay(text.to_owned()))
    }
}

impl std::fmt::Display for CivilDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl std::fmt::Display for LocalDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.date().fmt(f)
    }
}

impl LocalDay {
    /// The day on which an instant falls.
    pub fn of(instant_ms: LedgerTime, offset_minutes: i32) -> Self {
        let local =
            i128::from(instant_ms.0) + i128::from(offset_minutes) * i128::from(MS_PER_MINUTE);
        LocalDay(saturate(local.div_euclid(i128::from(MS_PER_DAY))))
    }

    /// The date.
    pub fn date(self) -> CivilDate {
        let days = i128::from(self.0) + EPOCH_SHIFT;
        // 400 years have 146,097 days; the estimate is off by at most one year.
        let mut year = (days * 400).div_euclid(146_097);
        while march_first(year) > days {
            year -= 1;
        }
        while march_first(year + 1) <= days {
            year += 1;
        }
        let day_of_year = days - march_first(year);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (year, month) = if month < 10 {
            (year, month + 3)
        } else {
            (year + 1, month - 9)
        };
        CivilDate {
            year: saturate(year),
            month: month as u8,
            day: day as u8,
        }
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        // Day 0 was a Thursday.
        match self.0.rem_euclid(7) {
            0 => Weekday::Thursday,
            1 => Weekday::Friday,
            2 => Weekday::Saturday,
            3 => Weekday::Sunday,
            4 => Weekday::Monday,
            5 => Weekday::Tuesday,
            _ => Weekday::Wednesday,
        }
    }

    /// Saturday or Sunday.
    pub fn is_weekend(self) -> bool {
        matches!(self.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    /// The day `days` later.
    pub fn plus(self, days: u32) -> Self {
        LocalDay(self.0.saturating_add(i64::from(days)))
    }
}

/// The first millisecond of a local day; 0 for days before the epoch.
pub fn start_of_local_day(day: LocalDay, offset_minutes: i32) -> LedgerTime {
    clamp(day_start(day, offset_minutes))
}

/// The last millisecond of a local day: what "on date D" and "by date D" mean.
pub fn end_of_local_day(day: LocalDay, offset_minutes: i32) -> LedgerTime {
    clamp(day_start(day, offset_minutes) + i128::from(MS_PER_DAY) - 1)
}

/// The last millisecond of a period of `days` that starts at `start_ms`: the end of the day `days`
/// after the day of the start.
pub fn deadline_after_days(start_ms: LedgerTime, days: u32, offset_minutes: i32) -> LedgerTime {
    end_of_local_day(
        LocalDay::of(start_ms, offset_minutes).plus(days),
        offset_minutes,
    )
}

fn day_start(day: LocalDay, offset_minutes: i32) -> i128 {
    i128::from(day.0) * i128::from(MS_PER_DAY)
        - i128::from(offset_minutes) * i128::from(MS_PER_MINUTE)
}

fn clamp(instant: i128) -> LedgerTime {
    LedgerTime(u64::try_from(instant.max(0)).unwrap_or(u64::MAX))
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// A length of time as charters write it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// Exactly so many hours.
    Hours(u32),
    /// To the end of the last day.
    Days(u32),
    /// To the end of the last working day.
    WorkingDays(u32),
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Period::Hours(n) => write!(f, "{n} h"),
            Period::Days(n) => write!(f, "{n} d"),
            Period::WorkingDays(n) => write!(f, "{n} wd"),
        }
    }
}

/// The alliance's calendar: offset and exceptions to Monday to Friday (M39: set yearly by the
/// secretary and one seat holder).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Calendar {
    /// Minutes east of UTC, -720 to 840.
    pub offset_minutes: i32,
    /// Day numbers on which nobody works; strictly ascending, at most 512. Weekends may be among
    /// them.
    pub holidays: Vec<LocalDay>,
    /// Day numbers of Saturdays and Sundays that are worked; strictly ascending, at most 512.
    pub working_weekends: Vec<LocalDay>,
}

impl Default for Calendar {
    fn default() -> Self {
        Calendar {
            offset_minutes: DEFAULT_OFFSET_MINUTES,
            holidays: Vec::new(),
            working_weekends: Vec::new(),
        }
    }
}

impl Wire for Calendar {
    const MAX: usize = 4 + 2 * (8 + 8 * CALENDAR_MAX_DAYS);

    fn check(&self) -> Result<(), DecodeError> {
        if !(-720..=840).contains(&self.offset_minutes) {
            return Err(DecodeError::rule(format!(
                "an offset of {} minutes, -720 to 840 are allowed",
                self.offset_minutes
            )));
        }
        for (days, what) in [
            (&self.holidays, "holidays"),
            (&self.working_weekends, "working weekends"),
        ] {
            at_most(days, CALENDAR_MAX_DAYS, what)?;
            strictly_ascending(days, what, |day| *day)?;
            if let Some(day) = days.iter().find(|day| !(0..=LAST_DAY).contains(&day.0)) {
                return Err(DecodeError::rule(format!(
                    "{what}: day number {} is outside 1970 to 9999",
                    day.0
                )));
            }
        }
        if let Some(day) = self.working_weekends.iter().find(|day| !day.is_weekend()) {
            return Err(DecodeError::rule(format!(
                "{} is a working weekend but no Saturday or Sunday",
                day
            )));
        }
        if let Some(day) = self
            .working_weekends
            .iter()
            .find(|day| self.holidays.binary_search(day).is_ok())
        {
            return Err(DecodeError::rule(format!(
                "{} is both a holiday and a working weekend",
                day
            )));
        }
        Ok(())
    }
}

impl Calendar {
    /// The local day of an instant.
    pub fn day_of(&self, instant_ms: LedgerTime) -> LocalDay {
        LocalDay::of(instant_ms, self.offset_minutes)
    }

    /// The last millisecond of a day.
    pub fn end_of_day(&self, day: LocalDay) -> LedgerTime {
        end_of_local_day(day, self.offset_minutes)
    }

    /// Whether the alliance works on this day.
    pub fn is_working_day(&self, day: LocalDay) -> bool {
        if day.is_weekend() {
            self.working_weekends.binary_search(&day).is_ok()
        } else {
            self.holidays.binary_search(&day).is_err()
        }
    }

    /// The n-th working day after `day`; `day` itself for n = 0. Counts above [`WORKING_DAYS_MAX`]
    /// are taken as that.
    pub fn add_working_days(&self, day: LocalDay, n: u32) -> LocalDay {
        let mut left = n.min(WORKING_DAYS_MAX);
        let mut day = day;
        while left > 0 && day.0 < i64::MAX {
            day = day.plus(1);
            if self.is_working_day(day) {
                left -= 1;
            }
        }
        day
    }

    /// `day` if the alliance works on it, else the next day on which it does.
    pub fn working_day_from(&self, day: LocalDay) -> LocalDay {
        if self.is_working_day(day) {
            day
        } else {
            self.add_working_days(day, 1)
        }
    }

    /// Where a ballot, deadline or offer that would end at `end_ms` ends: unchanged on a working
    /// day, else the last millisecond of the next working day (RULINGS R12).
    pub fn next_working_day_end(&self, end_ms: LedgerTime) -> LedgerTime {
        let day = self.day_of(end_ms);
        if self.is_working_day(day) {
            end_ms
        } else {
            self.end_of_day(self.add_working_days(day, 1))
        }
    }

    /// The last millisecond of a delay (stay, cooling-off, hold, payout delay): not moved to a
    /// working day.
    pub fn delay(&self, start_ms: LedgerTime, period: Period) -> LedgerTime {
        match period {
            Period::Hours(hours) => start_ms.plus_ms(u64::from(hours) * MS_PER_HOUR),
            Period::Days(days) => deadline_after_days(start_ms, days, self.offset_minutes),
            Period::WorkingDays(days) => {
                self.end_of_day(self.add_working_days(self.day_of(start_ms), days))
            }
        }
    }

    /// The last millisecond of a ballot, deadline or offer: as [`Calendar::delay`], moved to the
    /// next working day.
    pub fn deadline(&self, start_ms: LedgerTime, period: Period) -> LedgerTime {
        self.next_working_day_end(self.delay(start_ms, period))
    }

    /// An instant as RFC 3339 text under this calendar's offset.
    pub fn format(&self, instant_ms: LedgerTime) -> String {
        format_instant(instant_ms, self.offset_minutes)
    }
}

/// RFC 3339 text under an offset: `2023-06-28T09:00:00+08:00`, milliseconds only if there are any.
pub fn format_instant(instant_ms: LedgerTime, offset_minutes: i32) -> String {
    let day = LocalDay::of(instant_ms, offset_minutes);
    let in_day = i128::from(instant_ms.0) - day_start(day, offset_minutes);
    let (seconds, millis) = (in_day / 1000, in_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = if millis == 0 {
        String::new()
    } else {
        format!(".{millis:03}")
    };
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let offset = offset_minutes.unsigned_abs();
    format!(
        "{day}T{hour:02}:{minute:02}:{second:02}{fraction}{sign}{:02}:{:02}",
        offset / 60,
        offset % 60
    )
}

/// Reads RFC 3339 text with an offset (`+08:00` or `Z`) and at most three digits of a fraction.
/// Leap seconds are refused.
pub fn parse_instant(text: &str) -> Result<LedgerTime, TimeError> {
    let form = || TimeError::Instant(text.to_owned());
    let (date, rest) = text.split_once('T').ok_or_else(form)?;
    let date = CivilDate::parse(date)?;
    let bytes = rest.as_bytes();
    if bytes.get(2) != Some(&b':') || bytes.get(5) != Some(&b':') {
        return Err(form());
    }
    let part = |at, below| {
        digits(bytes, at, 2)
            .filter(|value| *value < below)
            .ok_or_else(form)
    };
    let seconds = part(0, 24)? * 3600 + part(3, 60)? * 60 + part(6, 60)?;
    let (mut at, mut millis) = (8, 0);
    if bytes.get(8) == Some(&b'.') {
        let count = bytes
            .iter()
            .skip(9)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if !(1..=3).contains(&count) {
            return Err(form());
        }
        millis = digits(bytes, 9, count).ok_or_else(form)? * [100, 10, 1][count - 1];
        at = 9 + count;
    }
    let offset = match bytes.get(at) {
        Some(b'Z') if bytes.len() == at + 1 => 0,
        Some(sign @ (b'+' | b'-')) if bytes.len() == at + 6 && bytes.get(at + 3) == Some(&b':') => {
            let minutes = i128::from(part(at + 1, 24)? * 60 + part(at + 4, 60)?);
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return Err(form()),
    };
    let instant = i128::from(date.day_number().0) * i128::from(MS_PER_DAY)
        + i128::from(seconds) * 1000
        + i128::from(millis)
        - offset * i128::from(MS_PER_MINUTE);
    u64::try_from(instant)
        .map(LedgerTime)
        .map_err(|_| TimeError::BeforeEpoch(text.to_owned()))
}

/// `count` ASCII digits at `at`, as a number; `count` is at most 4.
fn digits(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    let part = bytes.get(at..at + count)?;
    part.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
