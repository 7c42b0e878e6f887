//! Text as people have it in files: UTF-8 with and without a byte order mark, UTF-16 with one, and
//! what Chinese editions of office programs write, GBK and GB18030. One function for every file
//! that a person wrote.
//!
//! A workbook is named as such, because nothing else would explain its bytes.

use std::borrow::Cow;

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};
use rollbook_words::catalogue::t;

/// Why bytes are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoText {
    /// A workbook of a spreadsheet, `.xlsx` or `.xls`.
    Workbook,
    /// Nothing of the above.
    Unknown,
}

impl NoText {
    /// The key of its sentence under `draft` of the catalogue, and its code.
    pub const fn code(self) -> &'static str {
        match self {
            NoText::Workbook => "csv-workbook",
            NoText::Unknown => "csv-not-utf8",
        }
    }

    /// Its sentence.
    pub fn sentence(self) -> String {
        t(&format!("draft.{}", self.code()), &[])
    }
}

/// How a workbook begins: `.xlsx` is a ZIP archive, `.xls` a compound file.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"];

/// The text of a file, without its byte order mark.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, NoText> {
    if WORKBOOKS.iter().any(|head| bytes.starts_with(head)) {
        return Err(NoText::Workbook);
    }
    let decoded = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(Cow::Borrowed),
        [0xFF, 0xFE, rest @ ..] => {
            UTF_16LE.decode_without_bom_handling_and_without_replacement(rest)
        }
        [0xFE, 0xFF, rest @ ..] => {
            UTF_16BE.decode_without_bom_handling_and_without_replacement(rest)
        }
        bytes => match std::str::from_utf8(bytes) {
            Ok(text) => Some(Cow::Borrowed(text)),
            Err(_) => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
        },
    };
    // Bytes that happen to be decodable are no text yet.
    let is_text = |text: &Cow<'_, str>| {
        !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
    };
    decoded.filter(is_text).ok_or(NoText::Unknown)
}

/// Wide characters of a Chinese keyboard as the plain ones that they stand for: `１：ａ` is `1:a`.
pub fn narrow(text: &str) -> String {
    let one = |c: char| match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    text.trim().chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_save_a_text_is_read() {
        let wanted = "甬江轴承,Yongjiang\r\n";
        let units: Vec<u16> = wanted.encode_utf16().collect();
        let wide = |mark: [u8; 2], to: fn(u16) -> [u8; 2]| -> Vec<u8> {
            mark.into_iter()
                .chain(units.iter().flat_map(|unit| to(*unit)))
                .collect()
        };
        let files = [
            wanted.as_bytes().to_vec(),
            format!("\u{feff}{wanted}").into_bytes(),
            GB18030.encode(wanted).0.into_owned(),
            wide([0xFF, 0xFE], u16::to_le_bytes),
            wide([0xFE, 0xFF], u16::to_be_bytes),
        ];
        for bytes in files {
            assert_eq!(text(&bytes).as_deref(), Ok(wanted), "{bytes:x?}");
        }
    }

    /// A member's workbook was refused as 'not UTF-8', which told nobody what to do.
    #[test]
    fn what_is_no_text_is_named() {
        assert_eq!(text(b"PK\x03\x04\x14\0"), Err(NoText::Workbook));
        assert_eq!(
            text(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0"),
            Err(NoText::Workbook)
        );
        for bytes in [b"a\0b\0".as_slice(), b"\xFF\xFE\x00\xD8", b"\xFF\xFF"] {
            assert_eq!(text(bytes), Err(NoText::Unknown), "{bytes:x?}");
        }
    }
}
