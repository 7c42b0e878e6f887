//! C2SP checkpoints: which log, how long, which root; and the signatures over exactly these three
//! lines.
//!
//! * A validator cosigns only after it has executed and stored the block that ends at this size
//!   (RULINGS A11); that promise is the node's, this module only makes and checks the bytes.
//! * A log signature (0x01) says who served the checkpoint. It carries no weight by itself.
//!
//! Absent on purpose: extension lines. A checkpoint that has some is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::crypto::{Hash, Keypair, PublicKey, Signature, SignatureError};
use crate::log::note::{KeyType, TIME_MAX_S, VerifierKey};
use crate::log::tree::SIZE_MAX;

/// A statement about a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Checkpoint {
    /// Identity of the log: the alliance.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
}

/// Why a text is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not three lines, or the origin is empty.
    #[error("a checkpoint is three lines: origin, size, root")]
    Shape,
    /// Not a decimal number without leading zeros, or too large.
    #[error("the size of the checkpoint is not a number below 2^63 without leading zeros")]
    Size,
    /// Not the base64 of 32 bytes.
    #[error("the root of the checkpoint is not the base64 of 32 bytes")]
    Root,
}

/// Reads a decimal number written the one way: digits, no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Reads a hash from canonical base64.
pub(crate) fn base64_hash(text: &str) -> Option<Hash> {
    Some(Hash(BASE64.decode(text).ok()?.try_into().ok()?))
}

/// Writes a hash in base64.
pub fn hash_base64(hash: &Hash) -> String {
    BASE64.encode(hash.0)
}

impl Checkpoint {
    /// The note text: three lines, each ended by a line feed.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            hash_base64(&self.root)
        )
    }

    /// Reads a note text; `text` of the result gives it back.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text
            .strip_suffix('\n')
            .ok_or(CheckpointError::Shape)?
            .split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Shape);
        };
        if origin.is_empty() {
            return Err(CheckpointError::Shape);
        }
        let size = decimal(size)
            .filter(|size| *size < SIZE_MAX)
            .ok_or(CheckpointError::Size)?;
        let root = base64_hash(root).ok_or(CheckpointError::Root)?;
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size,
            root,
        })
    }

    /// Signs as the serving log (type 0x01), with the node's log key.
    pub fn sign_log(&self, key: &Keypair) -> Signature {
        key.sign_tagged(&VerifierKey::sign_bytes(KeyType::Log, &self.text(), 0))
    }

    /// Cosigns (type 0x04) with the validator's cosigner key at `time_s` seconds since 1970, below
    /// 2^63.
    pub fn cosign(&self, key: &Keypair, time_s: u64) -> Signature {
        key.sign_tagged(&VerifierKey::sign_bytes(
            KeyType::Cosigner,
            &self.text(),
            time_s,
        ))
    }

    /// Checks a log signature.
    pub fn verify_log(&self, key: &PublicKey, signature: &Signature) -> Result<(), SignatureError> {
        key.verify(
            &VerifierKey::sign_bytes(KeyType::Log, &self.text(), 0),
            signature,
        )
    }

    /// Checks a cosignature.
    pub fn verify_cosignature(
        &self,
        key: &PublicKey,
        time_s: u64,
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let message = self.cosigned(time_s).ok_or(SignatureError)?;
        key.verify(&message, signature)
    }

    /// The bytes under a cosignature of this time; `None` if no cosignature has such a time. For
    /// whoever verifies with a verifier of its own: [`Checkpoint::verify_cosignature`] is this and
    /// the signature.
    pub fn cosigned(&self, time_s: u64) -> Option<Vec<u8>> {
        (time_s <= TIME_MAX_S)
            .then(|| VerifierKey::sign_bytes(KeyType::Cosigner, &self.text(), time_s))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_exact() {
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse(text).unwrap();
        assert_eq!(
            (checkpoint.origin.as_str(), checkpoint.size),
            ("example.com/behind-the-sofa", 20852163)
        );
        assert_eq!(checkpoint.text(), text);
    }

    #[test]
    fn refuses_other_texts() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        for (bad, why) in [
            (format!("o\n1\n{root}"), CheckpointError::Shape),
            (format!("o\n1\n{root}\nextension\n"), CheckpointError::Shape),
            (format!("o\n1\n{root}\n\n"), CheckpointError::Shape),
            (format!("\n1\n{root}\n"), CheckpointError::Shape),
            (format!("o\n01\n{root}\n"), CheckpointError::Size),
            (format!("o\n+1\n{root}\n"), CheckpointError::Size),
            (format!("o\n-1\n{root}\n"), CheckpointError::Size),
            (format!("o\n\n{root}\n"), CheckpointError::Size),
            (
                format!("o\n9223372036854775808\n{root}\n"),
                CheckpointError::Size,
            ),
            (
                "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n".into(),
                CheckpointError::Root,
            ),
            (
                "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n".into(),
                CheckpointError::Root,
            ),
            ("o\n1\nCsUY\n".into(), CheckpointError::Root),
        ] {
            assert_eq!(Checkpoint::parse(&bad), Err(why), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn signatures_bind_every_line_and_the_time(size in 0u64..SIZE_MAX, time in 0u64..TIME_MAX_S, root: [u8; 32]) {
            let key = Keypair::derive(b"checkpoint", "k");
            let checkpoint = Checkpoint { origin: "a.example/x".into(), size, root: Hash(root) };
            prop_assert_eq!(Checkpoint::parse(&checkpoint.text()).unwrap(), checkpoint.clone());
            let (log, cosignature) = (checkpoint.sign_log(&key), checkpoint.cosign(&key, time));
            prop_assert!(checkpoint.verify_log(&key.public(), &log).is_ok());
            prop_assert!(checkpoint.verify_cosignature(&key.public(), time, &cosignature).is_ok());
            prop_assert!(checkpoint.verify_cosignature(&key.public(), time + 1, &cosignature).is_err());
            prop_assert!(checkpoint.verify_log(&key.public(), &cosignature).is_err());
            for other in [
                Checkpoint { origin: "a.example/y".into(), ..checkpoint.clone() },
                Checkpoint { size: size ^ 1, ..checkpoint.clone() },
                Checkpoint { root: Hash::ZERO, ..checkpoint.clone() },
            ] {
                prop_assert!(other.verify_log(&key.public(), &log).is_err());
                prop_assert!(other.verify_cosignature(&key.public(), time, &cosignature).is_err());
            }
        }
    }
}
