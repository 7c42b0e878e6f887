//! Salted commitments to what stays off the ledger (RULINGS A15, A16, R24): who a person is, who
//! signed the letter.
//!
//! The salt is 32 random bytes, one per commitment, kept with the clear text. Who shows salt and
//! text later proves what was meant; without the salt nobody can try names. Erasing the salt makes
//! the commitment say nothing for ever.

use rollbook_proof::codec::{Text, encode};
use rollbook_proof::crypto::{Hash, sha256_tagged};

/// A salt.
pub type Salt = [u8; 32];

/// Commits to a person: full name and identity document, as written in the document.
pub fn person(salt: &Salt, name: &Text<160>, document: &Text<160>) -> Hash {
    sha256_tagged(
        "rollbook/commitment/person/v1",
        &[&encode(&(*salt, name.clone(), document.clone()))],
    )
}

/// Commits to the signatory of an authorisation letter.
pub fn signatory(salt: &Salt, name: &Text<160>) -> Hash {
    sha256_tagged(
        "rollbook/commitment/signatory/v1",
        &[&encode(&(*salt, name.clone()))],
    )
}

/// Commits to a text or document that stays off the ledger: reasons, grounds, a comment, an
/// account.
pub fn content(salt: &Salt, content: &[u8]) -> Hash {
    sha256_tagged("rollbook/commitment/content/v1", &[salt, content])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_and_bound_to_every_part() {
        let text = |value: &str| Text::<160>::new(value).unwrap();
        let base = person(&[7; 32], &text("李明"), &text("ID-1"));
        assert_ne!(base, person(&[8; 32], &text("李明"), &text("ID-1")));
        assert_ne!(
            base,
            person(&[7; 32], &text("李明I"), &text("D-1")),
            "the border between the parts is committed"
        );
        // Computed apart from the rule: SHA-256(tag 0x00 salt, then each text with its length as
        // u64, little-endian).
        assert_eq!(
            base.to_hex(),
            "f07063e5f7803efeddc4b5f89a477119dd92b8f344f538887a6f3f725e9a43eb"
        );
        assert_ne!(content(&[7; 32], b"a"), content(&[8; 32], b"a"));
        assert_ne!(content(&[7; 32], b"a"), content(&[7; 32], b"b"));
        let signatory = signatory(&[7; 32], &text("李明"));
        assert_eq!(
            signatory.to_hex(),
            "9b7e11da36201a899cfdda2da4a22764f8973a5614f8ba829bc1c3f1ee3a16af"
        );
    }
}
