//! Ed25519 keys and signatures with algorithm tags (RULINGS A21).

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use crate::crypto::Hash;

/// What a key may sign. One key has one kind, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum KeyKind {
    /// Signs records; lives in a keystore file, one per officer.
    Officer,
    /// Signs credentials.
    Registrar,
    /// Signs proposals and votes of a validator.
    Consensus,
    /// Signs checkpoint cosignatures, C2SP type 0x04.
    Cosigner,
    /// Signs checkpoints as the serving log, C2SP type 0x01.
    Log,
    /// Identifies a node to its peers.
    Transport,
    /// Signs checkpoint cosignatures of a witness outside the alliance.
    Witness,
}

/// A public key with its algorithm. Protocol 1 accepts tag 0 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum PublicKey {
    /// RFC 8032 Ed25519, 32 bytes.
    Ed25519([u8; 32]),
}

/// A signature with its algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Signature {
    /// RFC 8032 Ed25519, 64 bytes.
    Ed25519([u8; 64]),
}

/// Why a key was not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a point of the curve.
    #[error("the key is not a point of the curve")]
    NotAPoint,
    /// Another encoding of the same point exists.
    #[error("the key is not in canonical form")]
    NotCanonical,
    /// A small-order point: anyone can make signatures for it.
    #[error("the key is of small order")]
    Weak,
    /// A point with a torsion part: libraries disagree about its signatures.
    #[error("the key has a torsion part")]
    Torsion,
}

/// A signature did not verify under the strict rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureError;

/// `tag || 0x00 || parts`: the bytes under every signature that is not a C2SP note.
pub fn tagged(tag: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes =
        Vec::with_capacity(tag.len() + 1 + parts.iter().map(|p| p.len()).sum::<usize>());
    bytes.extend_from_slice(tag.as_bytes());
    bytes.push(0);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

impl PublicKey {
    /// The raw 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        match self {
            PublicKey::Ed25519(bytes) => bytes,
        }
    }

    /// SHA-256 of the raw bytes, for look-ups.
    pub fn digest(&self) -> Hash {
        crate::crypto::sha256(self.bytes())
    }

    /// Verifies one signature over `message`. The only verification rule there is.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        let PublicKey::Ed25519(bytes) = self;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError)?;
        strict(&key, message, signature)
    }

    /// The rule for putting a key on the ledger: canonical, not weak, torsion-free.
    pub fn check_registrable(&self) -> Result<(), KeyError> {
        let PublicKey::Ed25519(bytes) = self;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        let point = key.to_edwards();
        if point.compress().to_bytes() != *bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        if !point.is_torsion_free() {
            return Err(KeyError::Torsion);
        }
        Ok(())
    }
}

fn strict(key: &VerifyingKey, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
    let Signature::Ed25519(bytes) = signature;
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(bytes))
        .map_err(|_| SignatureError)
}

/// Verifies with decoded keys kept: decompressing a key costs a sixth of a verification.
#[derive(Debug, Default, Clone)]
pub struct VerifierCache {
    keys: BTreeMap<[u8; 32], VerifyingKey>,
}

impl VerifierCache {
    /// Keys kept at most; the whole cache is dropped when it is full, so its cost is bounded.
    pub const CAPACITY: usize = 65_536;

    /// Same answer as [`PublicKey::verify`], sooner.
    pub fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.learn(key);
        self.verify_shared(key, message, signature)
    }

    /// Decodes a key ahead of [`VerifierCache::verify_shared`]. A key that does not decode is not
    /// kept.
    pub fn learn(&mut self, key: &PublicKey) {
        let PublicKey::Ed25519(bytes) = key;
        if self.keys.contains_key(bytes) {
            return;
        }
        if let Ok(decoded) = VerifyingKey::from_bytes(bytes) {
            if self.keys.len() >= Self::CAPACITY {
                self.keys.clear();
            }
            self.keys.insert(*bytes, decoded);
        }
    }

    /// Same answer as [`PublicKey::verify`], for threads that share the cache: sooner for keys that
    /// were learned.
    pub fn verify_shared(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let PublicKey::Ed25519(bytes) = key;
        match self.keys.get(bytes) {
            Some(known) => strict(known, message, signature),
            None => key.verify(message, signature),
        }
    }
}

/// A secret key with its public half. Made from a seed; where the seed comes from is the caller's
/// business.
#[derive(Clone)]
pub struct Keypair {
    secret: SigningKey,
}

impl std::fmt::Debug for Keypair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keypair({})", hex::encode(self.public().bytes()))
    }
}

impl Keypair {
    /// The key of an RFC 8032 seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Keypair {
            secret: SigningKey::from_bytes(seed),
        }
    }

    /// A key derived from a seed and a label, for reproducible sample alliances and tests.
    pub fn derive(seed: &[u8], label: &str) -> Self {
        Self::from_seed(
            &crate::crypto::sha256_tagged("rollbook/derive/v1", &[seed, label.as_bytes()]).0,
        )
    }

    /// The seed, for a keystore.
    pub fn seed(&self) -> [u8; 32] {
        self.secret.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::Ed25519(self.secret.verifying_key().to_bytes())
    }

    /// Signs bytes that already carry their domain tag. Callers are the named sign functions of
    /// records, votes, possession proofs and notes; nothing else calls this.
    pub fn sign_tagged(&self, message: &[u8]) -> Signature {
        Signature::Ed25519(self.secret.sign(message).to_bytes())
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("ed25519:{}", hex::encode(self.bytes())))
    }
}

impl serde::Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Signature::Ed25519(bytes) = self;
        serializer.serialize_str(&format!("ed25519:{}", hex::encode(bytes)))
    }
}

/// The bytes behind `ed25519:` in hexadecimal.
fn parse_tagged<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text.strip_prefix("ed25519:")?)
        .ok()?
        .try_into()
        .ok()
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_tagged(&text).map(PublicKey::Ed25519).ok_or_else(|| {
            serde::de::Error::custom("a key is 'ed25519:' and 64 hexadecimal digits")
        })
    }
}

impl<'de> serde::Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_tagged(&text).map(Signature::Ed25519).ok_or_else(|| {
            serde::de::Error::custom("a signature is 'ed25519:' and 128 hexadecimal digits")
        })
    }
}
