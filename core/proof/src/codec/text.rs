//! Text in records (RULINGS A22): valid UTF-8, a byte limit, no control, invisible or
//! direction-changing characters. No Unicode table is consulted: normalisation is the drafting
//! tool's work, identity rests on numbers.

use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Decode, Encode};

/// Text of at most `MAX` bytes. Encodes as a `u64` length and UTF-8 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Text<const MAX: usize>(String);

/// Why a string is no [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Over the byte limit.
    #[error("{length} bytes of text, at most {max} are allowed")]
    TooLong {
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A character that RULINGS A22 forbids.
    #[error("character U+{0:04X} is not allowed in a record")]
    Forbidden(u32),
}

/// The forbidden code points of RULINGS A22 and A48, written out: no Unicode table is consulted.
fn forbidden(c: char) -> bool {
    matches!(u32::from(c),
        // Controls; line and paragraph separators; annotations between lines.
        0x0000..=0x001F | 0x007F..=0x009F | 0x2028 | 0x2029 | 0xFFF9..=0xFFFB
        // Whatever is ignorable by default: it shows as nothing, and makes twins of a name.
        | 0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF
        | 0xFFA0 | 0xFFF0..=0xFFF8 | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

impl<const MAX: usize> Text<MAX> {
    /// Checks the limits and the characters.
    pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        if text.len() > MAX {
            return Err(TextError::TooLong {
                length: text.len(),
                max: MAX,
            });
        }
        match text.chars().find(|c| forbidden(*c)) {
            Some(c) => Err(TextError::Forbidden(u32::from(c))),
            None => Ok(Text(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const MAX: usize> std::fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize> Encode for Text<MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context, const MAX: usize> Decode<Context> for Text<MAX> {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Text::new(String::decode(decoder)?)
            .map_err(|error| DecodeError::OtherString(error.to_string()))
    }
}

impl<'de, Context, const MAX: usize> BorrowDecode<'de, Context> for Text<MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        <Self as Decode<Context>>::decode(decoder)
    }
}

impl<const MAX: usize> serde::Serialize for Text<MAX> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize> serde::Deserialize<'de> for Text<MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_chinese_and_refuses_invisible_characters() {
        assert!(Text::<64>::new("元宇宙投资促进中心").is_ok());
        for bad in [
            "a\u{ad}b",
            "a\u{34f}b",
            "\u{61c}",
            "\u{115f}",
            "\u{180e}",
            "a\u{2028}b",
            "\u{2029}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{ffa0}",
            "\u{fff9}",
            "\u{1d173}",
            "\u{e0001}",
            "\u{e0100}",
            "a\u{0}b",
            "a\nb",
            "\u{7f}",
            "\u{85}",
            "\u{200b}",
            "\u{202e}",
            "\u{2066}",
            "\u{feff}",
        ] {
            assert!(
                matches!(Text::<64>::new(bad), Err(TextError::Forbidden(_))),
                "{bad:?}"
            );
        }
        assert!(matches!(
            Text::<4>::new("abcde"),
            Err(TextError::TooLong { length: 5, max: 4 })
        ));
    }
}
