//! The part of a payload that nobody can guess (RULINGS A44).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::sha256_tagged;

/// Sixteen bytes of a random source, so that the id of a record, and the hash of a leaf that only
/// members may read, cannot be found by trying what the record may say. All zero is refused.
///
/// Core has no randomness: whoever makes a record brings the bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Nonce(pub [u8; 16]);

impl Nonce {
    /// A nonce that everybody computes alike from `parts`: for a record that several people draft
    /// apart (a `Found` record) and for samples. Whoever knows the parts can guess it.
    pub fn derive(parts: &[&[u8]]) -> Nonce {
        let mut bytes = [0; 16];
        let digest = sha256_tagged("rollbook/nonce/v1", parts);
        bytes.copy_from_slice(&digest.0[..16]);
        Nonce(bytes)
    }

    /// Whether it is all zero, which no record may carry.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 16]
    }
}

impl std::fmt::Debug for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl serde::Serialize for Nonce {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Nonce {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Nonce, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = hex::decode(&text)
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Nonce)
            .ok_or_else(|| serde::de::Error::custom("a nonce is 32 hexadecimal digits"))
    }
}
