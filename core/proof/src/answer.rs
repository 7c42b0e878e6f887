//! Signed answers to submissions (RULINGS A4): seen, or refused and why. A client keeps them;
//! `verify` checks them.
//!
//! Signed with the node's log key under a tag of its own: 'rollbook/answer/v1' 0x00 || answer. A
//! checkpoint's text never begins with that tag, because its first line is the origin and holds no
//! zero byte. A late application carries seen answers of f+1 validators
//! (`SeenReceipt` of the record).

use bincode::{Decode, Encode};

use crate::codec::{DecodeError, Wire, at_most, decode, encode};
use crate::crypto::{Hash, Keypair, PublicKey, Signature, tagged};
use crate::number::{Height, LedgerTime, OrganisationId};

/// Domain tag of signed answers.
pub const ANSWER_TAG: &str = "rollbook/answer/v1";

/// What a node answered to a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Answer {
    /// Genesis hash.
    pub chain: Hash,
    /// SHA-256 of the bytes handed in, which need not be a record.
    pub bytes: Hash,
    /// Record id; zero if the bytes are no record.
    pub record: Hash,
    /// Height of the tip when it was judged.
    pub height: Height,
    /// Ledger time by the node's clock, milliseconds since 1970.
    pub time_ms: LedgerTime,
    /// Organisation number of the node.
    pub node: OrganisationId,
    /// Seen, or refused.
    pub verdict: Verdict,
}

/// Seen, or refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// In the pool: held in memory, not promised.
    Seen,
    /// Refused by a rule.
    Refused {
        /// Language-free code.
        rule: String,
        /// Named facts.
        facts: Vec<(String, String)>,
    },
}

impl Wire for Answer {
    const MAX: usize = 64 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        match &self.verdict {
            Verdict::Seen => Ok(()),
            Verdict::Refused { facts, .. } => at_most(facts, 64, "facts of a refusal"),
        }
    }
}

/// An answer with its signature, as JSON and as bytes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SignedAnswer {
    /// The answer in words.
    pub answer: Answer,
    /// Its canonical bytes, hexadecimal: what is signed after the tag.
    pub statement: String,
    /// The node's log key.
    pub key: PublicKey,
    /// By that key.
    pub signature: Signature,
}

impl SignedAnswer {
    /// Signs an answer with the node's log key.
    pub fn sign(answer: Answer, key: &Keypair) -> SignedAnswer {
        let bytes = encode(&answer);
        let signature = key.sign_tagged(&tagged(ANSWER_TAG, &[&bytes]));
        SignedAnswer {
            answer,
            statement: hex::encode(bytes),
            key: key.public(),
            signature,
        }
    }
}

/// Checks a signed answer from its statement; whose key it is the caller knows from the ledger.
pub fn verify_answer(statement: &[u8], key: &PublicKey, signature: &Signature) -> Option<Answer> {
    key.verify(&tagged(ANSWER_TAG, &[statement]), signature)
        .ok()?;
    decode(statement).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_verifies_and_a_changed_one_does_not() {
        let key = Keypair::derive(b"answers", "log");
        let facts = vec![("missing".to_owned(), "3".to_owned())];
        let answer = Answer {
            chain: Hash::ZERO,
            bytes: Hash::ZERO,
            record: Hash::ZERO,
            height: Height(7),
            time_ms: LedgerTime(9),
            node: OrganisationId(1),
            verdict: Verdict::Refused {
                rule: "A2.not-founded".into(),
                facts,
            },
        };
        let signed = SignedAnswer::sign(answer.clone(), &key);
        let mut statement = hex::decode(&signed.statement).unwrap();
        assert_eq!(
            verify_answer(&statement, &signed.key, &signed.signature),
            Some(answer)
        );
        statement[100] ^= 1;
        assert_eq!(
            verify_answer(&statement, &signed.key, &signed.signature),
            None
        );
    }
}
