use proptest::prelude::*;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::number::LedgerTime;

use super::*;

fn day(text: &str) -> LocalDay {
    CivilDate::parse(text).unwrap().day_number()
}

fn at(text: &str) -> LedgerTime {
    parse_instant(text).unwrap()
}

/// 2023 around the autumn holidays: 29 September to 6 October off, Saturday 7 and Sunday 8 October
/// worked.
fn autumn() -> Calendar {
    Calendar {
        holidays: (day("2023-09-29").0..=day("2023-10-06").0)
            .map(LocalDay)
            .collect(),
        working_weekends: vec![day("2023-10-07"), day("2023-10-08")],
        ..Calendar::default()
    }
}

#[test]
fn known_days() {
    use Weekday::*;
    for (text, number, weekday) in [
        ("1900-01-01", -25567, Monday),
        ("1970-01-01", 0, Thursday),
        ("2000-02-29", 11016, Tuesday),
        ("2000-03-01", 11017, Wednesday),
        ("2023-06-28", 19536, Wednesday),
        ("2024-02-29", 19782, Thursday),
        ("2024-03-01", 19783, Friday),
        ("2100-02-28", 47540, Sunday),
        ("2100-03-01", 47541, Monday),
        ("2199-12-31", 84005, Tuesday),
        ("9999-12-31", LAST_DAY, Friday),
    ] {
        assert_eq!(day(text), LocalDay(number), "{text}");
        assert_eq!(LocalDay(number).to_string(), text);
        assert_eq!(LocalDay(number).weekday(), weekday, "{text}");
    }
}

/// Every day of three centuries, counted on by the lengths of the months alone.
#[test]
fn round_trip_1900_to_2200() {
    let mut expected = CivilDate::new(1900, 1, 1).unwrap();
    for number in -25567..=84005 {
        let date = LocalDay(number).date();
        assert_eq!(date, expected);
        assert_eq!(date.day_number(), LocalDay(number));
        assert_eq!(CivilDate::parse(&date.to_string()), Ok(date));
        expected = if date.day < days_in_month(date.year, date.month) {
            CivilDate {
                day: date.day + 1,
                ..date
            }
        } else if date.month < 12 {
            CivilDate {
                month: date.month + 1,
                day: 1,
                ..date
            }
        } else {
            CivilDate {
                year: date.year + 1,
                month: 1,
                day: 1,
            }
        };
    }
    assert_eq!(expected, CivilDate::new(2200, 1, 1).unwrap());
}

#[test]
fn refused_dates_and_instants() {
    for bad in [
        "2023-02-29",
        "1900-02-29",
        "2023-13-01",
        "2023-00-10",
        "2023-04-31",
        "2023-01-00",
        "0000-01-01",
    ] {
        assert_eq!(CivilDate::parse(bad), Err(TimeError::NoSuchDay(bad.into())));
    }
    for bad in [
        "",
        "2023-6-28",
        "20230628",
        "2023/06/28",
        "2023-06-28 ",
        "+023-06-28",
        "２023-06-8",
    ] {
        assert_eq!(CivilDate::parse(bad), Err(TimeError::Date(bad.into())));
    }
    for bad in [
        "2023-06-28T09:00:00",
        "2023-06-28T09:00+08:00",
        "2023-06-28T24:00:00Z",
        "2023-06-28T09:60:00Z",
        "2023-06-28T23:59:60Z",
        "2023-06-28T09:00:00.Z",
        "2023-06-28T09:00:00.1234Z",
        "2023-06-28T09:00:00+0800",
        "2023-06-28T09:00:00+08:00 ",
        "2023-06-28t09:00:00z",
        "2023-06-28",
    ] {
        assert_eq!(
            parse_instant(bad),
            Err(TimeError::Instant(bad.into())),
            "{bad}"
        );
    }
    assert!(matches!(
        parse_instant("1970-01-01T07:59:59+08:00"),
        Err(TimeError::BeforeEpoch(_))
    ));
}

#[test]
fn instants_as_text() {
    let launch = at("2023-06-28T09:00:00+08:00");
    assert_eq!(launch, LedgerTime(1_687_914_000_000));
    assert_eq!(launch, at("2023-06-28T01:00:00Z"));
    assert_eq!(launch, at("2023-06-27T20:30:00.000-04:30"));
    assert_eq!(format_instant(launch, 480), "2023-06-28T09:00:00+08:00");
    assert_eq!(
        format_instant(launch.plus_ms(7), -270),
        "2023-06-27T20:30:00.007-04:30"
    );
    assert_eq!(at("1970-01-01T00:00:00.5Z"), LedgerTime(500));
    assert_eq!(
        format_instant(LedgerTime(0), 0),
        "1970-01-01T00:00:00+00:00"
    );
    assert_eq!(
        format_instant(LedgerTime(0), -60),
        "1969-12-31T23:00:00-01:00"
    );
}

#[test]
fn a_period_in_days_ends_at_the_end_of_its_last_day() {
    let start = at("2023-06-28T09:00:00+08:00");
    let end = at("2023-07-05T23:59:59.999+08:00");
    assert_eq!(deadline_after_days(start, 7, 480), end);
    assert_eq!(
        deadline_after_days(at("2023-06-28T23:59:59.999+08:00"), 7, 480),
        end
    );
    assert_eq!(
        deadline_after_days(at("2023-06-29T00:00:00+08:00"), 7, 480),
        end.plus_ms(MS_PER_DAY)
    );
    // The same instant is another day elsewhere: 00:30 in Shanghai is still the day before in UTC.
    let night = at("2023-06-28T00:30:00+08:00");
    assert_eq!(LocalDay::of(night, 480), day("2023-06-28"));
    assert_eq!(LocalDay::of(night, 0), day("2023-06-27"));
    assert_eq!(
        start_of_local_day(day("2023-06-28"), 480),
        at("2023-06-28T00:00:00+08:00")
    );
}

#[test]
fn working_days_follow_the_recorded_exceptions() {
    let plain = Calendar::default();
    let calendar = autumn();
    calendar.check().unwrap();
    assert!(plain.is_working_day(day("2023-09-29")) && !calendar.is_working_day(day("2023-09-29")));
    assert!(!plain.is_working_day(day("2023-10-07")) && calendar.is_working_day(day("2023-10-07")));
    assert_eq!(
        calendar.add_working_days(day("2023-09-28"), 1),
        day("2023-10-07")
    );
    assert_eq!(
        calendar.add_working_days(day("2023-09-28"), 5),
        day("2023-10-11")
    );
    assert_eq!(
        plain.add_working_days(day("2023-09-28"), 5),
        day("2023-10-05")
    );
    assert_eq!(
        plain.add_working_days(day("2023-09-30"), 0),
        day("2023-09-30")
    );
    assert_eq!(
        calendar.working_day_from(day("2023-10-01")),
        day("2023-10-07")
    );
}

#[test]
fn a_deadline_on_a_holiday_moves_and_a_delay_does_not() {
    let calendar = autumn();
    let friday_noon = at("2023-09-22T12:00:00+08:00");
    let holiday_end = at("2023-09-29T23:59:59.999+08:00");
    assert_eq!(calendar.delay(friday_noon, Period::Days(7)), holiday_end);
    assert_eq!(
        calendar.deadline(friday_noon, Period::Days(7)),
        at("2023-10-07T23:59:59.999+08:00")
    );
    assert_eq!(
        calendar.deadline(friday_noon, Period::Hours(72)),
        at("2023-09-25T12:00:00+08:00"),
        "Monday: unchanged"
    );
    assert_eq!(
        calendar.deadline(friday_noon, Period::Hours(24)),
        at("2023-09-25T23:59:59.999+08:00"),
        "Saturday: Monday"
    );
    assert_eq!(
        calendar.deadline(friday_noon, Period::WorkingDays(5)),
        at("2023-10-07T23:59:59.999+08:00")
    );
    assert_eq!(
        calendar.next_working_day_end(holiday_end),
        at("2023-10-07T23:59:59.999+08:00")
    );
}

#[test]
fn bad_calendars_are_refused() {
    let good = autumn();
    assert_eq!(decode::<Calendar>(&encode(&good)), Ok(good.clone()));
    let refused = |change: &dyn Fn(&mut Calendar)| {
        let mut calendar = good.clone();
        change(&mut calendar);
        assert!(
            decode::<Calendar>(&encode(&calendar)).is_err(),
            "{calendar:?}"
        );
    };
    refused(&|c| c.offset_minutes = 841);
    refused(&|c| c.offset_minutes = i32::MIN);
    refused(&|c| c.holidays.swap(0, 1));
    refused(&|c| c.holidays[1] = c.holidays[0]);
    refused(&|c| c.holidays = vec![LocalDay(-1)]);
    refused(&|c| c.holidays = vec![LocalDay(i64::MAX)]);
    refused(&|c| c.holidays = (0..513).map(LocalDay).collect());
    refused(&|c| c.working_weekends = vec![day("2023-10-09")]);
    refused(&|c| c.working_weekends = vec![day("2023-09-30")]);
}

#[test]
fn extremes_saturate() {
    let calendar = Calendar::default();
    for period in [
        Period::Hours(u32::MAX),
        Period::Days(u32::MAX),
        Period::WorkingDays(u32::MAX),
    ] {
        assert!(
            calendar.deadline(LedgerTime(u64::MAX), period)
                >= LedgerTime(u64::MAX - 3 * MS_PER_DAY)
        );
        assert!(calendar.deadline(LedgerTime(0), period) > LedgerTime(0));
    }
    for number in [i64::MIN, i64::MAX] {
        assert!(!LocalDay(number).to_string().is_empty());
        assert!(!format_instant(end_of_local_day(LocalDay(number), i32::MIN), i32::MAX).is_empty());
        calendar.add_working_days(LocalDay(number), u32::MAX);
    }
}

proptest! {
    #[test]
    fn day_numbers_are_monotone_and_invert(a in -1_000_000_000_000i64..1_000_000_000_000) {
        let (today, tomorrow) = (LocalDay(a).date(), LocalDay(a + 1).date());
        prop_assert!(today < tomorrow);
        prop_assert_eq!(today.day_number(), LocalDay(a));
    }

    #[test]
    fn instants_round_trip(ms in 0u64..7_258_118_400_000, offset in -720i32..=840) {
        let text = format_instant(LedgerTime(ms), offset);
        if ms >= MS_PER_DAY {
            prop_assert_eq!(parse_instant(&text), Ok(LedgerTime(ms)), "{}", text);
        }
        let day = LocalDay::of(LedgerTime(ms), offset);
        prop_assert!(end_of_local_day(day, offset) >= LedgerTime(ms));
        prop_assert!(start_of_local_day(day, offset) <= LedgerTime(ms));
        prop_assert_eq!(LocalDay::of(end_of_local_day(day, offset), offset), day);
        prop_assert_eq!(LocalDay::of(end_of_local_day(day, offset).plus_ms(1), offset), day.plus(1));
    }

    #[test]
    fn parsing_never_panics(text in ".{0,30}", shape in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9:.]{6,12}[Z+-][0-9:]{0,5}") {
        let _ = parse_instant(&text);
        let _ = CivilDate::parse(&text);
        let _ = parse_instant(&shape);
    }

    /// Deadlines end on working days, never before the period does, and never on an earlier day for
    /// a later start or a longer period. (Within the day they may: one moved from a holiday has the
    /// whole day, one of hours that falls on it has not.)
    #[test]
    fn deadlines_are_monotone(
        start in 1_690_000_000_000u64..1_700_000_000_000,
        later in 0u64..1_000_000_000,
        n in 0u32..40,
        more in 0u32..5,
    ) {
        let calendar = autumn();
        for make in [Period::Hours, Period::Days, Period::WorkingDays] {
            let end = calendar.deadline(LedgerTime(start), make(n));
            prop_assert!(end >= LedgerTime(start) && end >= calendar.delay(LedgerTime(start), make(n)));
            prop_assert!(calendar.is_working_day(calendar.day_of(end)));
            prop_assert!(calendar.day_of(calendar.deadline(LedgerTime(start + later), make(n))) >= calendar.day_of(end));
            prop_assert!(calendar.day_of(calendar.deadline(LedgerTime(start), make(n + more))) >= calendar.day_of(end));
        }
    }

    #[test]
    fn working_days_count_themselves(start in 19_600i64..19_700, n in 0u32..60) {
        let calendar = autumn();
        let end = calendar.add_working_days(LocalDay(start), n);
        let counted = (start + 1..=end.0).filter(|day| calendar.is_working_day(LocalDay(*day))).count();
        prop_assert_eq!(counted, n as usize);
        prop_assert!(n == 0 || calendar.is_working_day(end));
    }
}
