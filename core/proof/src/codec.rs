//! The one canonical encoding (RBE-1) and the one decode function.
//!
//! Rules, in the order they are applied:
//!
//! 1. The input is no longer than the type's maximum ([`Wire::MAX`]); lengths that decide validity
//!    are ours, on wire bytes.
//! 2. bincode 2.0.1, fixed-width little-endian. Its own limit is a net against hostile lengths; it
//!    counts memory, depends on the compiler's layouts, and therefore never decides validity.
//! 3. Every byte of the input was read.
//! 4. The type's own checks hold ([`Wire::check`]): order, uniqueness, ranges, text.
//! 5. Encoding the value again gives the input, byte for byte.
//!
//! Allowed in anything signed or hashed: `u8..u128`, `i64`, `bool`, fixed arrays, `Vec`, [`Text`],
//! `Option`, structs, enums. Absent on purpose: `usize`, floats, `char`, maps, sets, zero-sized
//! elements, recursion, bare `String`.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::{Decode, Encode};

mod text;
pub use text::{Text, TextError};

/// The net of step 2: the largest wire input (1 MiB bodies, with room) times 64. Tripping it is a
/// local fault report, not a rule.
const NET: usize = 64 * 2 * 1024 * 1024;

const ENCODE: Configuration<LittleEndian, Fixint> =
    bincode::config::standard().with_fixed_int_encoding();
const DECODE: Configuration<LittleEndian, Fixint, Limit<NET>> = bincode::config::standard()
    .with_fixed_int_encoding()
    .with_limit::<NET>();

/// Why bytes were not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Step 1.
    #[error("{length} bytes, at most {max} are allowed")]
    TooLong {
        /// Length of the input.
        length: usize,
        /// The type's maximum.
        max: usize,
    },
    /// Step 2: not an encoding of this type.
    #[error("not a valid encoding: {0}")]
    Malformed(String),
    /// Step 3.
    #[error("{surplus} bytes follow the value")]
    Surplus {
        /// Number of bytes left over.
        surplus: usize,
    },
    /// Step 4: the value breaks a rule of its own type.
    #[error("{0}")]
    Rule(String),
    /// Step 5.
    #[error("the bytes are not the canonical encoding of their value")]
    NotCanonical,
}

impl DecodeError {
    /// A step-4 error.
    pub fn rule(text: impl Into<String>) -> Self {
        DecodeError::Rule(text.into())
    }
}

/// What bincode says, as signed refusals and the kept vectors have it: they name a type by the path
/// it had when they were made.
fn malformed(error: &bincode::error::DecodeError) -> DecodeError {
    DecodeError::Malformed(
        error
            .to_string()
            .replace("rollbook_proof::", "rollbook_core::"),
    )
}

/// A type that exists as bytes: on the wire, on disk, under a signature.
pub trait Wire: Encode + Decode<()> {
    /// Longest accepted encoding, in bytes.
    const MAX: usize;

    /// The type's own rules (step 4): sorted, unique, in range. Called after decoding; call it
    /// before signing as well.
    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// Encodes a value. Encoding to memory cannot fail for the allowed types.
pub fn encode<T: Encode>(value: &T) -> Vec<u8> {
    match bincode::encode_to_vec(value, ENCODE) {
        Ok(bytes) => bytes,
        // Unreachable: none of the allowed types has a failing encoder and a Vec writer does not
        // fail.
        Err(error) => unreachable!("encoding to memory failed: {error}"),
    }
}

/// Decodes a value by the five steps.
pub fn decode<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > T::MAX {
        return Err(DecodeError::TooLong {
            length: bytes.len(),
            max: T::MAX,
        });
    }
    let (value, read): (T, usize) =
        bincode::decode_from_slice(bytes, DECODE).map_err(|error| malformed(&error))?;
    if read != bytes.len() {
        return Err(DecodeError::Surplus {
            surplus: bytes.len() - read,
        });
    }
    value.check()?;
    if encode(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

/// Decodes one value from the front of `bytes` (steps 1, 2, 4, 5) and returns it with its length.
/// For streams of values, such as an export; everything else uses [`decode`].
pub fn decode_prefix<T: Wire>(bytes: &[u8]) -> Result<(T, usize), DecodeError> {
    let window = &bytes[..bytes.len().min(T::MAX)];
    let (value, read): (T, usize) =
        bincode::decode_from_slice(window, DECODE).map_err(|error| malformed(&error))?;
    value.check()?;
    if encode(&value) != bytes[..read] {
        return Err(DecodeError::NotCanonical);
    }
    Ok((value, read))
}

/// Step-4 helper: `items` strictly ascending by `key`.
pub fn strictly_ascending<T, K: Ord>(
    items: &[T],
    what: &str,
    key: impl Fn(&T) -> K,
) -> Result<(), DecodeError> {
    if items.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])) {
        Ok(())
    } else {
        Err(DecodeError::rule(format!(
            "{what} are not in strictly ascending order"
        )))
    }
}

/// Step-4 helper: at most `max` items.
pub fn at_most<T>(items: &[T], max: usize, what: &str) -> Result<(), DecodeError> {
    if items.len() <= max {
        Ok(())
    } else {
        Err(DecodeError::rule(format!(
            "{} {what}, at most {max} are allowed",
            items.len()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Sample {
        a: u32,
        b: Vec<u8>,
        c: Option<bool>,
        d: Text<8>,
    }
    impl Wire for Sample {
        const MAX: usize = 64;
    }

    fn sample() -> Sample {
        Sample {
            a: 5,
            b: vec![1, 2],
            c: Some(true),
            d: Text::new("roll").expect("valid"),
        }
    }

    #[test]
    fn round_trip_is_fixed_width_little_endian() {
        let bytes = encode(&sample());
        assert_eq!(
            hex::encode(&bytes),
            "0500000002000000000000000102010104000000000000 00726f6c6c".replace(' ', "")
        );
        assert_eq!(decode::<Sample>(&bytes), Ok(sample()));
    }

    #[test]
    fn must_reject() {
        let good = encode(&sample());
        let mut surplus = good.clone();
        surplus.push(0);
        assert_eq!(
            decode::<Sample>(&surplus),
            Err(DecodeError::Surplus { surplus: 1 })
        );
        for cut in 0..good.len() {
            assert!(
                decode::<Sample>(&good[..cut]).is_err(),
                "truncated at {cut}"
            );
        }
        let mut bool_two = good.clone();
        bool_two[15] = 2;
        assert!(decode::<Sample>(&bool_two).is_err());
        let mut huge = good.clone();
        huge[4..12].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(
            decode::<Sample>(&huge).is_err(),
            "a hostile length is an error, not an allocation"
        );
        assert!(matches!(
            decode::<Sample>(&[0; 65]),
            Err(DecodeError::TooLong { .. })
        ));
    }
}
