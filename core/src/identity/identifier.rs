//! Identifiers of organisations and keys: LEI, USCC, national register numbers, did:key.
//!
//! * Our own check rules: the crates tried refuse valid LEIs (reference/domain.md 3.2).
//! * Exact form only: upper case, no spaces. Nothing is repaired on the way in. A USCC or LEI has one
//!   spelling and is no national number; of a national number every spelling has one
//!   [`Identifier::key`], which indexes uniqueness.
//! * A check digit proves form, never existence; the registry extract behind it is another record's
//!   business.
//! * Absent on purpose: the organisation code's own check inside a USCC (GB 11714) and the "00" in
//!   positions 5-6 of an LEI, both missing from codes in use; a country table (a register is named,
//!   not looked up).

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, Wire};
use rollbook_proof::crypto::PublicKey;

/// The 31 characters of GB 32100-2015, in the order of their values.
const USCC_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// 3^(i-1) mod 31 for positions 1 to 17.
const USCC_WEIGHTS: [u32; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];
/// org-id list of the USCC.
const USCC_LIST: &str = "CN-USCI-";
/// org-id list of the LEI.
const LEI_LIST: &str = "XI-LEI-";

/// What names an organisation outside this ledger.
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
pub enum Identifier {
    /// Unified social credit code, GB 32100-2015: 18 characters.
    Uscc(Text<18>),
    /// Legal entity identifier, ISO 17442: 20 characters.
    Lei(Text<20>),
    /// A number in a national register.
    National {
        /// ISO 3166-1 alpha-2, two capital letters.
        country: Text<2>,
        /// The register's code, a hyphen, the number: `CR-1234567`. Letters, digits, `.`, `/` and
        /// `-`.
        number: Text<64>,
    },
}

/// Why something is no identifier. Positions count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Wrong number of characters.
    #[error("{what}: {length} characters, exactly {expected} are required")]
    Length {
        /// Which identifier.
        what: &'static str,
        /// Characters given.
        length: usize,
        /// Characters required.
        expected: usize,
    },
    /// A character that is not allowed at its place. Lower case and spaces end here.
    #[error("{what}: character '{found}' at position {position} is not allowed, {expected}")]
    Character {
        /// Which identifier.
        what: &'static str,
        /// Position, counted from 1.
        position: usize,
        /// The character.
        found: char,
        /// What is allowed there.
        expected: &'static str,
    },
    /// The check characters do not fit the rest.
    #[error("{what}: check characters '{found}', the others require '{expected}'")]
    Check {
        /// Which identifier.
        what: &'static str,
        /// Check characters given.
        found: String,
        /// Check characters that fit.
        expected: String,
    },
    /// A national number without `REGISTER-number`.
    #[error(
        "national number: a register code of 1 to 8 characters, a hyphen and the number are \
         required, as in CR-1234567"
    )]
    Register,
    /// A USCC or LEI dressed as a national number: it would have two spellings.
    #[error("national number: {0} codes have their own kind of identifier")]
    Alias(&'static str),
    /// [`Identifier::parse`] found none of its forms.
    #[error("neither 18 characters (USCC), 20 characters (LEI), nor COUNTRY-REGISTER-number")]
    UnknownForm,
}

crate::words!(IdentifierError, "why.identifier", {
    Length = "length",
    Character = "character",
    Check = "check",
    Register = "register",
    Alias = "alias",
    UnknownForm = "unknown-form",
});

impl From<IdentifierError> for DecodeError {
    fn from(error: IdentifierError) -> Self {
        DecodeError::rule(error.to_string())
    }
}

impl Identifier {
    /// A USCC, checked.
    pub fn uscc(text: &str) -> Result<Self, IdentifierError> {
        check_uscc(text)?;
        Ok(Identifier::Uscc(bounded(text, "USCC", 18)?))
    }

    /// An LEI, checked.
    pub fn lei(text: &str) -> Result<Self, IdentifierError> {
        check_lei(text)?;
        Ok(Identifier::Lei(bounded(text, "LEI", 20)?))
    }

    /// A national register number, checked.
    pub fn national(country: &str, number: &str) -> Result<Self, IdentifierError> {
        check_national(country, number)?;
        Ok(Identifier::National {
            country: bounded(country, "country code", 2)?,
            number: bounded(number, "national number", 64)?,
        })
    }

    /// Reads what a person or a file gives: a bare USCC or LEI, or an org-id code (`CN-USCI-..`,
    /// `XI-LEI-..`, `HK-CR-..`).
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        if let Some(code) = text.strip_prefix(USCC_LIST) {
            return Self::uscc(code);
        }
        if let Some(code) = text.strip_prefix(LEI_LIST) {
            return Self::lei(code);
        }
        if let Some((country, number)) = text.split_once('-')
            && country.chars().count() == 2
        {
            return Self::national(country, number);
        }
        match text.chars().count() {
            18 => Self::uscc(text),
            20 => Self::lei(text),
            _ => Err(IdentifierError::UnknownForm),
        }
    }

    /// The rules of the kind, for values that came as bytes.
    pub fn check(&self) -> Result<(), IdentifierError> {
        match self {
            Identifier::Uscc(code) => check_uscc(code.as_str()),
            Identifier::Lei(code) => check_lei(code.as_str()),
            Identifier::National { country, number } => {
                check_national(country.as_str(), number.as_str())
            }
        }
    }

    /// The code of the org-id register, as 360Giving files want it.
    pub fn org_id(&self) -> String {
        match self {
            Identifier::Uscc(code) => format!("{USCC_LIST}{code}"),
            Identifier::Lei(code) => format!("{LEI_LIST}{code}"),
            Identifier::National { country, number } => format!("{country}-{number}"),
        }
    }

    /// Canonical bytes for a uniqueness index, in ASCII, at most 67: the org-id code, of a national
    /// number country, register, and its letters and digits, each run of digits without leading
    /// zeros. Two spellings of one number have one key.
    pub fn key(&self) -> Vec<u8> {
        match self {
            Identifier::Uscc(_) | Identifier::Lei(_) => self.org_id().into_bytes(),
            Identifier::National { country, number } => {
                let (register, rest) = number
                    .as_str()
                    .split_once('-')
                    .unwrap_or((number.as_str(), ""));
                format!("{country}-{register}-{}", plain_number(rest)).into_bytes()
            }
        }
    }
}

impl std::fmt::Display for Identifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.org_id())
    }
}

impl Wire for Identifier {
    const MAX: usize = 4 + 8 + 2 + 8 + 64;

    fn check(&self) -> Result<(), DecodeError> {
        Ok(Identifier::check(self)?)
    }
}

fn bounded<const MAX: usize>(
    text: &str,
    what: &'static str,
    expected: usize,
) -> Result<Text<MAX>, IdentifierError> {
    Text::new(text).map_err(|_| IdentifierError::Length {
        what,
        length: text.chars().count(),
        expected,
    })
}

fn exact_length(what: &'static str, text: &str, expected: usize) -> Result<(), IdentifierError> {
    let length = text.chars().count();
    if length == expected {
        Ok(())
    } else {
        Err(IdentifierError::Length {
            what,
            length,
            expected,
        })
    }
}

/// Holds every character to `allowed(position, character)`; positions count from 1.
fn characters(
    what: &'static str,
    text: &str,
    allowed: impl Fn(usize, char) -> Result<(), &'static str>,
) -> Result<(), IdentifierError> {
    for (index, found) in text.chars().enumerate() {
        allowed(index + 1, found).map_err(|expected| IdentifierError::Character {
            what,
            position: index + 1,
            found,
            expected,
        })?;
    }
    Ok(())
}

fn uscc_value(c: char) -> Option<u32> {
    USCC_ALPHABET
        .iter()
        .position(|known| char::from(*known) == c)
        .and_then(|value| u32::try_from(value).ok())
}

fn uscc_character(position: usize, c: char) -> Result<(), &'static str> {
    let digits_only = (3..=8).contains(&position);
    if digits_only && !c.is_ascii_digit() {
        Err("positions 3 to 8 are digits")
    } else if uscc_value(c).is_none() {
        Err("0-9 and A-Z without I, O, S, V, Z")
    } else {
        Ok(())
    }
}

/// The check character of the first 17 characters of a USCC.
pub fn uscc_check_character(first_17: &str) -> Result<char, IdentifierError> {
    exact_length("USCC without check character", first_17, 17)?;
    characters("USCC", first_17, uscc_character)?;
    let sum: u32 = first_17
        .chars()
        .filter_map(uscc_value)
        .zip(USCC_WEIGHTS)
        .map(|(value, weight)| value * weight)
        .sum();
    let value = (31 - sum % 31) % 31;
    Ok(USCC_ALPHABET
        .get(value as usize)
        .map_or('0', |c| char::from(*c)))
}

fn check_uscc(text: &str) -> Result<(), IdentifierError> {
    exact_length("USCC", text, 18)?;
    characters("USCC", text, uscc_character)?;
    // ASCII from here on: every character is in the alphabet.
    let (body, found) = text.split_at(17);
    let expected = uscc_check_character(body)?.to_string();
    if found == expected {
        Ok(())
    } else {
        Err(IdentifierError::Check {
            what: "USCC",
            found: found.into(),
            expected,
        })
    }
}

fn lei_character(position: usize, c: char) -> Result<(), &'static str> {
    if position > 18 && !c.is_ascii_digit() {
        Err("the check pair is two digits")
    } else if !(c.is_ascii_digit() || c.is_ascii_uppercase()) {
        Err("0-9 and A-Z")
    } else {
        Ok(())
    }
}

/// The check pair of the first 18 characters of an LEI: "02" to "98".
pub fn lei_check_pair(first_18: &str) -> Result<String, IdentifierError> {
    exact_length("LEI without check pair", first_18, 18)?;
    characters("LEI", first_18, lei_character)?;
    let push = |rest: u32, c: char| {
        // A letter is two digits: A = 10 .. Z = 35.
        let value = c.to_digit(36).unwrap_or(0);
        (rest * if value < 10 { 10 } else { 100 } + value) % 97
    };
    let rest = first_18.chars().fold(0, push) * 100 % 97;
    Ok(format!("{:02}", 98 - rest))
}

fn check_lei(text: &str) -> Result<(), IdentifierError> {
    exact_length("LEI", text, 20)?;
    characters("LEI", text, lei_character)?;
    let (body, found) = text.split_at(18);
    // Comparing with the one right pair also refuses 00, 01 and 99, which are congruent to 97, 98
    // and 02.
    let expected = lei_check_pair(body)?;
    if found == expected {
        Ok(())
    } else {
        Err(IdentifierError::Check {
            what: "LEI",
            found: found.into(),
            expected,
        })
    }
}

fn check_national(country: &str, number: &str) -> Result<(), IdentifierError> {
    exact_length("country code", country, 2)?;
    characters("country code", country, |_, c| {
        if c.is_ascii_uppercase() {
            Ok(())
        } else {
            Err("two capital letters A-Z")
        }
    })?;
    characters("national number", number, |_, c| {
        if c.is_ascii_digit() || c.is_ascii_uppercase() || matches!(c, '.' | '/' | '-') {
            Ok(())
        } else {
            Err("0-9, A-Z, '.', '/' and '-'")
        }
    })?;
    if number.len() > 64 {
        return Err(IdentifierError::Length {
            what: "national number",
            length: number.len(),
            expected: 64,
        });
    }
    let Some((register, rest)) = number.split_once('-') else {
        return Err(IdentifierError::Register);
    };
    let plain = letters_and_digits(rest);
    if !(1..=8).contains(&register.len()) || plain.is_empty() {
        return Err(IdentifierError::Register);
    }
    // Under whatever register it stands, also where the register is its beginning.
    for code in [plain, letters_and_digits(number)] {
        if check_uscc(&code).is_ok() {
            return Err(IdentifierError::Alias("USCC"));
        }
        if check_lei(&code).is_ok() {
            return Err(IdentifierError::Alias("LEI"));
        }
    }
    match (country, register) {
        ("CN", "USCI") => Err(IdentifierError::Alias("USCC")),
        ("XI", "LEI") => Err(IdentifierError::Alias("LEI")),
        _ => Ok(()),
    }
}

fn letters_and_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The same number however it is written: letters and digits alone, each run of digits without
/// leading zeros.
fn plain_number(text: &str) -> String {
    let text = letters_and_digits(text);
    let mut plain = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
        let short = digits.trim_start_matches('0');
        plain.push_str(if short.is_empty() && !digits.is_empty() {
            "0"
        } else {
            short
        });
        plain.push_str(part.get(digits.len()..).unwrap_or_default());
    }
    plain
}

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const DID_KEY: &str = "did:key:";
/// Multicodec prefix of an Ed25519 public key.
const ED25519_MULTICODEC: [u8; 2] = [0xed, 0x01];
/// `did:key:` + `z` + 47 base58 digits.
const DID_KEY_LENGTH: usize = 56;

/// Why a text is no did:key of an Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DidKeyError {
    /// Another method, or none.
    #[error("a did:key begins with 'did:key:'")]
    Method,
    /// Another multibase than base58btc.
    #[error("multibase '{0}' is not accepted, only 'z' (base58btc)")]
    Multibase(char),
    /// Wrong number of characters.
    #[error("did:key: {0} characters, an Ed25519 key has exactly 56")]
    Length(usize),
    /// No digit of base58.
    #[error("did:key: character '{found}' at position {position} is no base58 digit")]
    Character {
        /// Position in the whole text, counted from 1.
        position: usize,
        /// The character.
        found: char,
    },
    /// Another type of key.
    #[error("did:key: the key type is not Ed25519 (0xed 0x01, then 32 bytes)")]
    KeyType,
    /// Decodes, but another spelling is the canonical one.
    #[error("did:key: not the canonical spelling of its key")]
    NotCanonical,
}

/// The did:key of a public key.
pub fn did_key(key: &PublicKey) -> String {
    let mut bytes = ED25519_MULTICODEC.to_vec();
    bytes.extend_from_slice(key.bytes());
    format!("{DID_KEY}z{}", base58(&bytes))
}

/// The public key of a did:key. Proves form only: whether the key may be registered is
/// [`PublicKey::check_registrable`]'s answer.
pub fn parse_did_key(text: &str) -> Result<PublicKey, DidKeyError> {
    let rest = text.strip_prefix(DID_KEY).ok_or(DidKeyError::Method)?;
    match rest.chars().next() {
        Some('z') => {}
        Some(other) => return Err(DidKeyError::Multibase(other)),
        None => return Err(DidKeyError::Length(text.len())),
    }
    let length = text.chars().count();
    if length != DID_KEY_LENGTH {
        return Err(DidKeyError::Length(length));
    }
    let bytes = base58_decode(&rest[1..]).map_err(|(index, found)| DidKeyError::Character {
        position: DID_KEY.len() + 2 + index,
        found,
    })?;
    let key = bytes
        .strip_prefix(&ED25519_MULTICODEC)
        .ok_or(DidKeyError::KeyType)?;
    let key = PublicKey::Ed25519(key.try_into().map_err(|_| DidKeyError::KeyType)?);
    if did_key(&key) == text {
        Ok(key)
    } else {
        Err(DidKeyError::NotCanonical)
    }
}

/// Base58btc: the bytes as one big-endian number in base 58, a leading '1' for each leading zero
/// byte.
fn base58(bytes: &[u8]) -> String {
    let mut digits: Vec<u8> = Vec::new(); // least significant first
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| '1');
    zeros
        .chain(
            digits
                .iter()
                .rev()
                .map(|digit| char::from(BASE58[usize::from(*digit)])),
        )
        .collect()
}

/// The inverse; the error is the index and the character that is no digit.
fn base58_decode(text: &str) -> Result<Vec<u8>, (usize, char)> {
    let mut bytes: Vec<u8> = Vec::new(); // least significant first
    for (index, c) in text.chars().enumerate() {
        let digit = BASE58
            .iter()
            .position(|known| char::from(*known) == c)
            .ok_or((index, c))?;
        let mut carry = digit as u32;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = (carry % 256) as u8;
            carry /= 256;
        }
        while carry > 0 {
            bytes.push((carry % 256) as u8);
            carry /= 256;
        }
    }
    let zeros = text.chars().take_while(|c| *c == '1').map(|_| 0);
    Ok(zeros.chain(bytes.iter().rev().copied()).collect())
}

#[cfg(test)]
#[path = "identifier_tests.rs"]
mod tests;
