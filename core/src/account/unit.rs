//! What a fund counts: a currency or a resource (ISO 4217 exponents; domain 2.7, 3.1).
//!
//! The table is exact and small on purpose: which currencies a charter admits is its own list
//! (default CNY only), and a currency that is not here needs a release, never a guess about its
//! exponent.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, Wire};
use rollbook_proof::number;

number! {
    /// An amount in minor units of its fund's unit, of the charter's currency where it is about
    /// dues. It is never negative; [`Unit::money`] shows it.
    Amount(u64);
    /// What stands in an account, in minor units: outside accounts may be below 0.
    Balance(i128);
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest amount: 18 digits, as in payment files (ISO 20022).
    pub const MAX: Amount = Amount(999_999_999_999_999_999);

    /// Whether a record may name it: 1 to [`Amount::MAX`].
    pub fn is_payable(self) -> bool {
        (Amount(1)..=Amount::MAX).contains(&self)
    }

    /// The sum; none if it does not fit.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).map(Amount)
    }

    /// The difference; none below 0.
    pub fn checked_sub(self, other: Amount) -> Option<Amount> {
        self.0.checked_sub(other.0).map(Amount)
    }

    /// The sum, at most what the type holds.
    pub fn saturating_add(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0))
    }

    /// The difference, at least 0.
    pub fn saturating_sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }
}

impl From<Amount> for i128 {
    fn from(amount: Amount) -> i128 {
        i128::from(amount.0)
    }
}

impl From<Amount> for u128 {
    fn from(amount: Amount) -> u128 {
        u128::from(amount.0)
    }
}

/// An amount or a balance with its unit, for people: `1,000.00 CNY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money<'a> {
    /// Minor units.
    pub minor: i128,
    /// The unit.
    pub unit: &'a Unit,
}

impl std::fmt::Display for Money<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.unit.grouped(self.minor), self.unit.code())
    }
}

/// Known currencies with their ISO 4217 minor-unit exponents.
const CURRENCIES: [(&str, u32); 14] = [
    ("AED", 2),
    ("BHD", 3),
    ("CHF", 2),
    ("CNY", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("JPY", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("MOP", 2),
    ("SGD", 2),
    ("TWD", 2),
    ("USD", 2),
];

/// The unit of a fund. Different units are never added.
#[derive(
    Debug,
    Clone,
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
pub enum Unit {
    /// ISO 4217 code; amounts are in its minor units.
    Currency(Text<3>),
    /// Code of a resource (`GPU-HOUR`, `TRAFFIC-GB`): capital letters, digits, hyphens; whole
    /// units.
    Resource(Text<16>),
}

/// Why something is no unit or amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// Not in the table.
    #[error(
        "currency '{0}' is not known; known are AED, BHD, CHF, CNY, EUR, GBP, HKD, JPY, KRW, \
         KWD, MOP, SGD, TWD, USD"
    )]
    UnknownCurrency(String),
    /// Known, but not admitted by the charter.
    #[error("currency {0} is not on the charter's list")]
    NotAllowed(String),
    /// Not a resource code.
    #[error(
        "'{0}' is no resource code: 1 to 16 capital letters, digits and hyphens, a letter first"
    )]
    ResourceCode(String),
    /// Not an amount.
    #[error("'{text}' is no amount of {unit}: digits, with at most {exponent} after the point")]
    Amount {
        /// What was given.
        text: String,
        /// The unit.
        unit: String,
        /// Its exponent.
        exponent: u32,
    },
    /// Over 18 digits.
    #[error("more than 999999999999999999 minor units")]
    TooLarge,
}

crate::words!(UnitError, "why.unit", {
    UnknownCurrency = "unknown-currency",
    NotAllowed = "not-allowed",
    ResourceCode = "resource-code",
    Amount = "amount",
    TooLarge = "too-large",
});

impl Unit {
    /// A currency of the table.
    pub fn currency(code: &str) -> Result<Self, UnitError> {
        let unknown = || UnitError::UnknownCurrency(code.to_owned());
        let unit = Unit::Currency(Text::new(code).map_err(|_| unknown())?);
        unit.check_code()?;
        Ok(unit)
    }

    /// A resource.
    pub fn resource(code: &str) -> Result<Self, UnitError> {
        let unit =
            Unit::Resource(Text::new(code).map_err(|_| UnitError::ResourceCode(code.to_owned()))?);
        unit.check_code()?;
        Ok(unit)
    }

    /// The rule of the code.
    pub fn check_code(&self) -> Result<(), UnitError> {
        match self {
            Unit::Currency(code) => match exponent_of(code.as_str()) {
                Some(_) => Ok(()),
                None => Err(UnitError::UnknownCurrency(code.to_string())),
            },
            Unit::Resource(code) => {
                let bytes = code.as_str().as_bytes();
                let allowed =
                    |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'-';
                if bytes.first().is_some_and(u8::is_ascii_uppercase) && bytes.iter().all(allowed) {
                    Ok(())
                } else {
                    Err(UnitError::ResourceCode(code.to_string()))
                }
            }
        }
    }

    /// Whether the charter's list of currencies admits it. Resources are always admitted.
    pub fn check_allowed(&self, currencies: &[Text<3>]) -> Result<(), UnitError> {
        match self {
            Unit::Currency(code) if !currencies.contains(code) => {
                Err(UnitError::NotAllowed(code.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// The code.
    pub fn code(&self) -> &str {
        match self {
            Unit::Currency(code) => code.as_str(),
            Unit::Resource(code) => code.as_str(),
        }
    }

    /// Digits after the point; 0 for resources.
    pub fn exponent(&self) -> u32 {
        match self {
            Unit::Currency(code) => exponent_of(code.as_str()).unwrap_or(0),
            Unit::Resource(_) => 0,
        }
    }

    /// An amount or a balance with this unit, for people.
    pub fn money(&self, minor: impl Into<i128>) -> Money<'_> {
        Money {
            minor: minor.into(),
            unit: self,
        }
    }

    /// Minor units as digits with a point and without grouping: `18400000.00`. For files; people
    /// get [`Unit::grouped`].
    pub fn plain(&self, minor: i128) -> String {
        self.write(minor, "")
    }

    /// Minor units for people: `18,400,000.00`.
    pub fn grouped(&self, minor: i128) -> String {
        self.write(minor, ",")
    }

    fn write(&self, minor: i128, group: &str) -> String {
        let scale = 10u128.pow(self.exponent());
        let sign = if minor < 0 { "-" } else { "" };
        let (whole, fraction) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
        let digits = whole.to_string();
        let mut text = String::from(sign);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push_str(group);
            }
            text.push(digit);
        }
        match self.exponent() {
            0 => text,
            exponent => format!("{text}.{fraction:0width$}", width = exponent as usize),
        }
    }

    /// Reads an amount: `18400000`, `18,400,000.00`, `0.5`. No sign, no exponent, no more digits
    /// than the unit has.
    pub fn parse_amount(&self, text: &str) -> Result<Amount, UnitError> {
        let exponent = self.exponent();
        let form = || UnitError::Amount {
            text: text.to_owned(),
            unit: self.code().to_owned(),
            exponent,
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let mut groups = whole.split(',');
        let first = groups.next().unwrap_or("");
        let mut digits = first.to_owned();
        let grouped = whole.contains(',');
        if first.is_empty() || (grouped && first.len() > 3) {
            return Err(form());
        }
        for group in groups {
            if group.len() != 3 {
                return Err(form());
            }
            digits.push_str(group);
        }
        let fraction_given = text.contains('.');
        if fraction.is_empty() || (fraction_given && fraction.len() > exponent as usize) {
            return Err(form());
        }
        let pad = if exponent == 0 {
            String::new()
        } else {
            format!("{fraction:0<width$}", width = exponent as usize)
        };
        digits.push_str(&pad);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(form());
        }
        match digits.parse::<u64>() {
            Ok(amount) if amount <= Amount::MAX.0 => Ok(Amount(amount)),
            _ => Err(UnitError::TooLarge),
        }
    }
}

impl Default for Unit {
    /// CNY.
    fn default() -> Self {
        // "CNY" is in the table and fits; the empty text cannot occur.
        Unit::Currency(Text::new("CNY").unwrap_or_default())
    }
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}

impl Wire for Unit {
    const MAX: usize = 4 + 8 + 16;

    fn check(&self) -> Result<(), DecodeError> {
        self.check_code()
            .map_err(|error| DecodeError::rule(error.to_string()))
    }
}

fn exponent_of(code: &str) -> Option<u32> {
    CURRENCIES
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, exponent)| *exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rollbook_proof::codec::{decode, encode};

    use super::*;

    #[test]
    fn currencies_and_resources() {
        for (code, exponent) in [("CNY", 2), ("JPY", 0), ("BHD", 3)] {
            assert_eq!(Unit::currency(code).unwrap().exponent(), exponent);
        }
        assert_eq!(Unit::default(), Unit::currency("CNY").unwrap());
        for bad in ["HRK", "XAU", "RMB", "cny", "", "CNYX"] {
            assert!(Unit::currency(bad).is_err(), "{bad}");
        }
        assert!(Unit::resource("GPU-HOUR").is_ok());
        for bad in ["", "gpu", "-A", "1A", "GPU HOUR", "ABCDEFGHIJKLMNOPQ"] {
            assert!(Unit::resource(bad).is_err(), "{bad}");
        }
        let list = [Text::new("CNY").unwrap()];
        assert!(Unit::currency("USD").unwrap().check_allowed(&list).is_err());
        assert!(
            Unit::resource("GPU-HOUR")
                .unwrap()
                .check_allowed(&list)
                .is_ok()
        );
        assert!(decode::<Unit>(&encode(&Unit::Currency(Text::new("RMB").unwrap()))).is_err());
        assert_eq!(
            decode::<Unit>(&encode(&Unit::default())),
            Ok(Unit::default())
        );
    }

    #[test]
    fn amounts_as_text() {
        let cny = Unit::default();
        assert_eq!(cny.grouped(1_840_000_000), "18,400,000.00");
        assert_eq!(cny.plain(-5), "-0.05");
        assert_eq!(
            Unit::resource("GPU-HOUR").unwrap().grouped(500_000),
            "500,000"
        );
        assert_eq!(cny.grouped(i128::MIN).len(), 1 + 37 + 12 + 3);
        for (text, minor) in [
            ("0.5", 50),
            ("18,400,000.00", 1_840_000_000),
            ("18400000", 1_840_000_000),
            ("1,000", 100_000),
        ] {
            assert_eq!(cny.parse_amount(text), Ok(Amount(minor)), "{text}");
        }
        for bad in [
            "", ".5", "1.", "1.234", "-1", "+1", "1,00", "1,0000", "1000,000", ",100", "1e3", "１",
            "1 000", "1.0,0",
        ] {
            assert!(cny.parse_amount(bad).is_err(), "{bad}");
        }
        assert!(Unit::currency("JPY").unwrap().parse_amount("1.0").is_err());
        assert_eq!(cny.parse_amount("9999999999999999.99"), Ok(Amount::MAX));
        assert_eq!(
            cny.parse_amount("10000000000000000.00"),
            Err(UnitError::TooLarge)
        );
    }

    proptest! {
        #[test]
        fn amounts_round_trip(minor in 0..=Amount::MAX.0, which in 0usize..14) {
            let unit = Unit::currency(CURRENCIES[which].0).unwrap();
            prop_assert_eq!(unit.parse_amount(&unit.plain(minor.into())), Ok(Amount(minor)));
            prop_assert_eq!(unit.parse_amount(&unit.grouped(minor.into())), Ok(Amount(minor)));
        }
    }
}
