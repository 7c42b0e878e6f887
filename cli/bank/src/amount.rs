//! Decimal text as minor units, exactly.

use rollbook_core::account::{Amount, Unit};

use crate::fault::{Code, Fault};

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// The sign before the decimals.
    pub point: char,
    /// The sign between groups of three, if there may be one.
    pub group: Option<char>,
    /// Whether zeros beyond the decimals of the currency are let pass. XML has one way to write a
    /// number, and there `8.850` is `8.85`; in a table it may be a thousand.
    pub trailing_zeros: bool,
}

/// As XML writes numbers.
pub const XML: Decimal = Decimal {
    point: '.',
    group: None,
    trailing_zeros: true,
};

/// An amount without a sign. A fault says no place.
pub fn amount(text: &str, unit: &Unit, form: Decimal) -> Result<Amount, Fault> {
    let fault = |code| {
        let facts = [
            ("text", text.chars().take(40).collect::<String>()),
            ("unit", unit.code().to_owned()),
            ("digits", unit.exponent().to_string()),
        ];
        Fault::new(code, facts)
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = match text.split_once(form.point) {
        Some((whole, decimals)) if digits(decimals) => (whole, decimals),
        Some(_) => return Err(fault(Code::Amount)),
        None => (text, ""),
    };
    let groups: Vec<&str> = match form.group {
        Some(group) => whole.split(group).collect(),
        None => vec![whole],
    };
    let (first, others) = groups.split_first().ok_or_else(|| fault(Code::Amount))?;
    let grouped = others.is_empty() || first.len() <= 3;
    if !digits(first) || !grouped || others.iter().any(|part| part.len() != 3 || !digits(part)) {
        return Err(fault(Code::Amount));
    }
    let kept = unit.exponent() as usize;
    let (kept, surplus) = decimals.split_at(kept.min(decimals.len()));
    let zeros = form.trailing_zeros && surplus.bytes().all(|byte| byte == b'0');
    if !surplus.is_empty() && !zeros {
        return Err(fault(Code::Decimals));
    }
    let mut minor: u64 = 0;
    let fill = std::iter::repeat_n(b'0', (unit.exponent() as usize).saturating_sub(kept.len()));
    let all = groups
        .iter()
        .flat_map(|part| part.bytes())
        .chain(kept.bytes())
        .chain(fill);
    for digit in all {
        minor = minor
            .checked_mul(10)
            .and_then(|minor| minor.checked_add(u64::from(digit - b'0')))
            .filter(|minor| *minor <= Amount::MAX.0)
            .ok_or_else(|| fault(Code::AmountTooLarge))?;
    }
    Ok(Amount(minor))
}

/// An amount with a sign before or behind it, or none: `-1,250.00`, `1250.00-`.
pub fn signed(text: &str, unit: &Unit, form: Decimal) -> Result<i128, Fault> {
    let (negative, plain) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => match text.strip_suffix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        },
    };
    let minor = i128::from(amount(plain.trim(), unit, form)?);
    Ok(if negative { -minor } else { minor })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Decimal = Decimal {
        point: '.',
        group: Some(','),
        trailing_zeros: false,
    };
    const GERMAN: Decimal = Decimal {
        point: ',',
        group: Some('.'),
        trailing_zeros: false,
    };

    #[test]
    fn amounts_of_banks() {
        let yuan = Unit::default();
        let read = |text: &str, form| amount(text, &yuan, form).map_err(|fault| fault.code);
        assert_eq!(read("1,250.00", PLAIN), Ok(Amount(125_000)));
        assert_eq!(read("1250.5", PLAIN), Ok(Amount(125_050)));
        assert_eq!(read("1.250,00", GERMAN), Ok(Amount(125_000)));
        // A thousand in one form is a fraction in the other: never guessed.
        assert_eq!(read("1.250", PLAIN), Err(Code::Decimals));
        assert_eq!(read("8.850", XML), Ok(Amount(885)));
        assert_eq!(read("8.855", XML), Err(Code::Decimals));
        assert_eq!(read("9999999999999999.99", XML), Ok(Amount::MAX));
        for large in [
            "9223372036854775808",
            "18446744073709551616",
            "10000000000000000",
        ] {
            assert_eq!(read(large, XML), Err(Code::AmountTooLarge), "{large}");
        }
        assert_eq!(read(&"9".repeat(4_000), XML), Err(Code::AmountTooLarge));
        for bad in [
            "", ".", "1.", ".5", "-1", "1e3", "1,25", "1,2500", "１", "1 0", "NaN",
        ] {
            assert_eq!(read(bad, PLAIN), Err(Code::Amount), "{bad:?}");
        }
        assert_eq!(signed("-1,250.00", &yuan, PLAIN), Ok(-125_000));
        assert_eq!(signed("1250.00-", &yuan, PLAIN), Ok(-125_000));
        assert_eq!(signed("+3", &yuan, PLAIN), Ok(300));
        assert!(signed("--3", &yuan, PLAIN).is_err());
    }

    proptest! {
        #[test]
        fn what_the_ledger_writes_is_read(minor in 0..=Amount::MAX.0) {
            let yuan = Unit::default();
            prop_assert_eq!(amount(&yuan.grouped(minor.into()), &yuan, PLAIN), Ok(Amount(minor)));
            prop_assert_eq!(amount(&yuan.plain(minor.into()), &yuan, XML), Ok(Amount(minor)));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = amount(&text, &Unit::default(), PLAIN);
            let _ = signed(&text, &Unit::default(), GERMAN);
        }
    }
}
