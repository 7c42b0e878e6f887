//! Hashes, keys and signatures.
//!
//! * One verification rule: [`PublicKey::verify`] is `verify_strict`, one signature at a time.
//!   Batch verification gives other answers on the same bytes and is never compiled in (RULINGS,
//!   reference 6.1).
//! * Registration is stricter than verification ([`PublicKey::check_registrable`]): canonical, not
//!   weak, torsion-free.
//! * Seven kinds of key ([`KeyKind`], RULINGS A21), each with its own domain tag; a key of one kind
//!   signs nothing of another.
//! * Absent on purpose: key generation (randomness comes from outside, as a seed), storage of
//!   secrets.

use bincode::{Decode, Encode};
use sha2::{Digest, Sha256};

mod keys;
pub use keys::{
    KeyError, KeyKind, Keypair, PublicKey, Signature, SignatureError, VerifierCache, tagged,
};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Thirty-two zero bytes: "none" where the format has no option (seal fields at heights 0 and
    /// 1).
    pub const ZERO: Hash = Hash([0; 32]);

    /// Parses 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Hash> {
        let bytes = hex::decode(text).ok()?;
        Some(Hash(bytes.try_into().ok()?))
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// The first eight hexadecimal digits, for messages to people.
    pub fn short(self) -> String {
        hex::encode(&self.0[..4])
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> serde::Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Hash::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("a hash is 64 hexadecimal digits"))
    }
}

/// SHA-256 of one byte string.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// SHA-256 of several byte strings one after the other.
pub fn sha256_parts(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// SHA-256 of `tag || 0x00 || parts`, the form of every identifier that is not a Merkle leaf.
pub fn sha256_tagged(tag: &str, parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(tag.as_bytes());
    hasher.update([0]);
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}
