//! Bytes as base64, as JSON files and answers of nodes carry them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes as text: the standard alphabet, padded.
pub fn base64_text(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a text, or why it is not one.
pub fn base64_bytes(text: impl AsRef<[u8]>) -> Result<Vec<u8>, base64::DecodeError> {
    STANDARD.decode(text)
}
