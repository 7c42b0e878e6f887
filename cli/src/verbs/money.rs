//! Amounts as people write them: `90,000.00`, `90000`, `90000.5`, with or without the code of the
//! unit (`90,000.00 CNY`). Minor units are never typed: a wrong place costs a factor.

use rollbook_core::account::{Unit, UnitError};
use rollbook_words::catalogue::t;

use super::opening::Reading;
use crate::failure::Failure;

/// Reads an amount in the act's unit, in minor units. Why not, as a reason in words.
pub fn read(text: &str, reading: &Reading) -> Result<u64, String> {
    let text = text.trim().replace('_', "");
    let (number, code) = parted(&text);
    let named = code.map(unit_named).transpose()?;
    let unit = match (&reading.unit, named) {
        (Some(unit), Some(named)) if *unit != named => {
            let facts = [
                ("given", named.code().to_owned()),
                ("unit", unit.code().to_owned()),
            ];
            return Err(t("money.other-unit", &facts));
        }
        (Some(unit), _) => unit.clone(),
        (None, Some(named)) => named,
        (None, None) => return Err(t("money.no-unit", &[])),
    };
    unit.parse_amount(number)
        .map(|amount| amount.0)
        .map_err(|error| why(&error, number, &unit))
}

/// The number and the code before or after it. A currency may stand right at the number.
fn parted(text: &str) -> (&str, Option<&str>) {
    let currency = |code: &str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic());
    match text.rsplit_once(char::is_whitespace) {
        Some((number, code)) if code.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            (number.trim(), Some(code))
        }
        Some((code, number)) => (number, Some(code.trim())),
        None => {
            let at = |at: usize| text.split_at_checked(at);
            match (at(3), text.len().checked_sub(3).and_then(at)) {
                (Some((code, number)), _) if currency(code) => (number, Some(code)),
                (_, Some((number, code))) if currency(code) => (number, Some(code)),
                _ => (text, None),
            }
        }
    }
}

fn unit_named(code: &str) -> Result<Unit, String> {
    let code = code.trim().to_ascii_uppercase();
    Unit::currency(&code)
        .or_else(|_| Unit::resource(&code))
        .map_err(|error| error.to_string())
}

fn why(error: &UnitError, number: &str, unit: &Unit) -> String {
    let facts = [
        ("unit", unit.code().to_owned()),
        ("digits", unit.exponent().to_string()),
    ];
    let decimals = number.split_once('.').map_or("", |(_, decimals)| decimals);
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match error {
        UnitError::TooLarge => t("money.too-large", &facts),
        _ if plain(decimals) && decimals.len() > unit.exponent() as usize => {
            t("money.digits", &facts)
        }
        _ => t("form.money", &[]),
    }
}

/// The parts of a list of amounts: a comma between digits with exactly three after it groups, any
/// other parts.
pub fn parts(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let groups = |at: usize| {
        at > 0
            && digit(at - 1)
            && (1..=3).all(|next| digit(at + next))
            && !digit(at + 4)
            && bytes.get(at + 4) != Some(&b'-')
    };
    let mut found = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices(',').filter(|(at, _)| !groups(*at)) {
        found.push(text[from..at].trim());
        from = at + 1;
    }
    found.push(text[from..].trim());
    found
}

/// What is wrong with an amount, as a failure of its argument.
pub(super) fn bad(argument: &str, text: &str, why: String) -> Failure {
    let facts = [
        ("argument", argument.to_owned()),
        ("value", text.to_owned()),
    ];
    Failure::unusable(t("verb.bad", &facts))
        .because(why)
        .next(t("verb.bad-next", &facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(unit: Option<Unit>) -> Reading {
        Reading {
            unit,
            ..Reading::default()
        }
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let yuan = reading(Some(Unit::default()));
        for (text, expected) in [
            ("90,000.00", Some(9_000_000)),
            ("90000", Some(9_000_000)),
            ("90000.5", Some(9_000_050)),
            ("90,000.00 CNY", Some(9_000_000)),
            ("CNY 90,000", Some(9_000_000)),
            ("90000cny", Some(9_000_000)),
            ("0", Some(0)),
            ("1.234", None),
            ("90,000.00 USD", None),
            ("1,5", None),
            ("1234,567", None),
            ("-1", None),
            ("+1", None),
            ("1e9", None),
            ("1 E9", None),
            (",000", None),
            ("", None),
            ("９", None),
            ("1.", None),
            ("10000000000000000", None),
        ] {
            assert_eq!(read(text, &yuan).ok(), expected, "{text:?}");
        }
        let hours = reading(Unit::resource("GPU-HOUR").ok());
        assert_eq!(read("1,000", &hours), Ok(1_000));
        assert_eq!(read("1,000 GPU-HOUR", &hours), Ok(1_000));
        assert!(read("1.5", &hours).is_err(), "a resource has no parts");
        let nobody = reading(None);
        assert!(read("90,000.00", &nobody).is_err(), "no unit is known");
        assert!(read("1e9", &nobody).is_err(), "no number of a unit E9");
        assert_eq!(read("90,000.00 CNY", &nobody), Ok(9_000_000));
        assert_eq!(read("90,000 JPY", &nobody), Ok(90_000));
    }

    #[test]
    fn commas_of_a_list_and_of_a_number() {
        assert_eq!(
            parts("2026-12-31:100,000.00,2027-06-30:5"),
            ["2026-12-31:100,000.00", "2027-06-30:5"]
        );
        assert_eq!(
            parts("2026-12-31:1,000,000,2027-06-30:100"),
            ["2026-12-31:1,000,000", "2027-06-30:100"]
        );
        assert_eq!(parts("a:1,b:2"), ["a:1", "b:2"]);
    }
}
