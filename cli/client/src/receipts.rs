//! What comes back for a record handed in (RULINGS A4, A11, A20): the node's signed answer, and the
//! receipt.
//!
//! * A node signs what it answers, seen or refused, with its log key. The answer is checked against
//!   the key that a verified policy gives that node, and kept under `receipts/`, one for each
//!   record, node and verdict. A node whose answer does not verify is named and the next one is
//!   asked.
//! * A receipt is given out only after the `.tlog-proof` was verified from the genesis hash.
//! * A node without a seat has no key in any policy: its answer is not kept, and a notice says so.
//!
//! Absent: signing records, waiting for a block.

use rollbook_core::record::Record;
use rollbook_proof::answer::{Answer, SignedAnswer, Verdict, verify_answer};
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, PublicKey, Signature, sha256};
use rollbook_proof::file::{Claim, Content, Flaw, KeptPolicy, chain_of, unhex};
use rollbook_proof::number::{Height, OrganisationId};
use rollbook_wire::by_name::ByName;
use rollbook_wire::problem::Problem;
use rollbook_wire::record::Told;
use serde::{Deserialize, Serialize};

use crate::fetch::{Target, fetch};
use crate::trust::{Doubt, Error, Grounds, Notice, Trouble, Trust, Untrue};

/// Kind of the file of a signed answer.
pub const ANSWER: &str = "rollbook-answer";

/// A node's signed answer as it is kept: with the policies that say whose key it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptAnswer {
    /// [`ANSWER`].
    pub kind: String,
    /// 1.
    pub version: u32,
    /// Genesis hash.
    pub genesis: Hash,
    /// Policies since genesis.
    pub policies: Vec<KeptPolicy>,
    /// What is signed after the tag, hexadecimal.
    pub statement: String,
    /// The node's log key.
    pub key: PublicKey,
    /// By that key.
    pub signature: Signature,
}

impl KeptAnswer {
    /// Checks the signature, the chain, and that a policy gives this key to the node that speaks.
    pub fn verify(&self) -> Result<Answer, Flaw> {
        if (self.kind.as_str(), self.version) != (ANSWER, 1) {
            return Err(Flaw::new(
                "answer.version",
                format!("{} version {} is not known here", self.kind, self.version),
            ));
        }
        let statement = unhex(&self.statement)?;
        let answer = verify_answer(&statement, &self.key, &self.signature).ok_or_else(|| {
            Flaw::new(
                "answer.signature",
                "the signature does not fit the statement",
            )
        })?;
        if answer.chain != self.genesis {
            return Err(Flaw::new(
                "answer.chain",
                format!("the answer is about alliance {}", answer.chain),
            ));
        }
        let chain = chain_of(self.genesis, &self.policies)
            .map_err(|why| Flaw::new("proof.policies", why))?;
        if !chain.policies().any(|policy| {
            policy
                .validator(answer.node)
                .is_some_and(|seat| seat.log == self.key)
        }) {
            return Err(Flaw::new(
                "answer.key",
                format!("no policy gives this key to node {}", answer.node.0),
            ));
        }
        Ok(answer)
    }
}

/// What a node answered to a record handed in.
#[derive(Debug)]
pub struct Handed {
    /// Why it was refused; none: it was seen.
    pub refused: Option<Problem>,
    /// Why the node's signed answer could not be kept, if it could not. The answer stands.
    pub unkept: Option<Error>,
}

/// A record that was to be handed in and has no answer.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NoAnswer {
    /// What happened instead.
    pub error: Error,
    /// Whether a node may have the record all the same.
    pub may_have_arrived: bool,
}

/// Hands a record in at the first node that gives an answer that verifies, and keeps the answer.
pub fn submit(trust: &mut Trust, record: &Record) -> Result<Handed, NoAnswer> {
    let bytes = encode(record);
    let (mut silent, mut untrue) = (Vec::new(), Vec::new());
    let mut may_have_arrived = false;
    for node in trust.client().nodes().to_vec() {
        let one = trust.client().only(&node);
        // The policies say whose key it is. A node that has none to show may still take the record.
        if let Err(Trouble::Untrue(why)) = trust.learn_policies(&one) {
            untrue.push(doubted(trust, node, why));
            continue;
        }
        let answer = match one.post("/v1/records?signed=true", &bytes) {
            Ok(answer) => answer,
            Err(error) if error.is_silence() => {
                may_have_arrived |= !error.is_unsent();
                silent.push(error);
                continue;
            }
            Err(error) => {
                return Err(NoAnswer {
                    error: error.into(),
                    may_have_arrived,
                });
            }
        };
        let checked = match &answer {
            Ok(answer) => check(trust, answer, record, &bytes),
            Err(error) => Err(Flaw::new("answer.form", error)),
        };
        let problem = match answer {
            Ok(Told::Problem(problem)) => Some(problem),
            Ok(Told::Answer(_)) | Err(_) => None,
        };
        match checked {
            Ok(Some((kept, node))) => {
                // A refusal for want of signatures and the later 'seen' are both kept.
                let verdict = if problem.is_some() { "refused" } else { "seen" };
                let name = format!("receipts/{}.{node}.{verdict}.json", record.id());
                return Ok(Handed {
                    refused: problem,
                    unkept: trust.keep(&name, &kept).err(),
                });
            }
            Ok(None) => {
                trust.tell(&Notice::NoSeat { node: &node });
                return Ok(Handed {
                    refused: problem,
                    unkept: None,
                });
            }
            Err(flaw) => {
                may_have_arrived = true;
                untrue.push(doubted(trust, node, Untrue::Flaw(flaw)));
            }
        }
    }
    Err(NoAnswer {
        error: if untrue.is_empty() {
            Error::Unreachable(silent)
        } else {
            Error::NotTaken(untrue)
        },
        may_have_arrived,
    })
}

/// Tells that a node is not believed.
fn doubted(trust: &Trust, node: String, why: Untrue) -> Doubt {
    trust.tell(&Notice::Untrue {
        node: &node,
        why: &why,
    });
    Doubt { node, why }
}

/// Checks a signed answer and what it says about this record; `None` if the node has no seat in any
/// policy.
fn check(
    trust: &Trust,
    answer: &Told<SignedAnswer>,
    record: &Record,
    bytes: &[u8],
) -> Result<Option<(KeptAnswer, u32)>, Flaw> {
    let (signed, code) = match answer {
        Told::Answer(signed) => (signed, None),
        Told::Problem(problem) => match &problem.receipt {
            Some(ByName(signed)) => (signed, Some(problem.code.as_str())),
            None => {
                return Err(Flaw::new(
                    "answer.form",
                    "the answer has no readable statement",
                ));
            }
        },
    };
    let kept = KeptAnswer {
        kind: ANSWER.to_owned(),
        version: 1,
        genesis: trust.chain().genesis(),
        policies: trust.policies().to_vec(),
        statement: signed.statement.clone(),
        key: signed.key,
        signature: signed.signature,
    };
    let verified = match kept.verify() {
        Err(flaw) if flaw.code == "answer.key" && !has_seat(trust, signed.answer.node.0) => {
            return Ok(None);
        }
        verified => verified?,
    };
    if verified.bytes != sha256(bytes) || verified.record != record.id() {
        return Err(Flaw::new(
            "answer.record",
            format!("the answer is about record {}", verified.record),
        ));
    }
    let fits = match &verified.verdict {
        Verdict::Seen => code.is_none(),
        Verdict::Refused { rule, .. } => code == Some(rule.as_str()),
    };
    if fits {
        Ok(Some((kept, verified.node.0)))
    } else {
        Err(Flaw::new(
            "answer.verdict",
            "the node says something else than it signed",
        ))
    }
}

fn has_seat(trust: &Trust, node: u32) -> bool {
    trust
        .chain()
        .policies()
        .any(|policy| policy.validator(OrganisationId(node)).is_some())
}

/// A receipt that was verified.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The text of the `.tlog-proof`.
    pub proof: String,
    /// What it rests on.
    pub grounds: Grounds,
    /// Height of the record's block.
    pub height: Height,
    /// Index of its leaf.
    pub leaf: u64,
    /// The signed record as it stands in the log: a copy may have other signatures.
    pub record: Vec<u8>,
    /// Why it had no effect, as a number (docs/formats.md); none: it took effect.
    pub without_effect: Option<u32>,
}

/// Fetches the receipt of a record and verifies it from the genesis hash.
pub fn receipt(trust: &mut Trust, record: &Record) -> Result<Receipt, Error> {
    let (fetched, grounds) = fetch(trust, &Target::Record(record.id().to_hex()))?;
    let (height, leaf) = (
        fetched.proved.seal.height,
        fetched.proved.receipt.verified.index,
    );
    let (
        Claim::Record { proof, .. },
        Content::Record {
            without_effect,
            bytes,
            ..
        },
    ) = (fetched.claim, fetched.proved.content)
    else {
        // A record asked for is a record claimed.
        return Err(Error::Nobody(Vec::new()));
    };
    Ok(Receipt {
        proof,
        grounds,
        height,
        leaf,
        record: bytes,
        without_effect,
    })
}
