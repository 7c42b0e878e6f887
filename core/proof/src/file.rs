//! Proof files: everything a stranger needs to judge one statement, in one JSON file, from a
//! genesis hash and nothing else.
//!
//! * `policies`: every policy from genesis to the epoch of the receipts, each with its handover
//!   proof.
//! * `seal`: a block's seal leaf and its receipt; it dates the statement and, for state, holds the
//!   root.
//! * `claim`: a record with its receipt and the leaf that says whether it took effect, a value (or the absence of one) with its ICS23 proof, or
//!   the block itself.
//!
//! The file has one form: JSON with two spaces, fields in this order, hexadecimal in lower case,
//! one final line feed. A reader renders what it read and compares, and takes no note line and no
//! `extra` that nobody it knows has signed; so a changed byte is found wherever it stands.
//! docs/formats.md, section 9, describes it for other readers.
//!
//! Absent on purpose: what a record says. This crate knows a record's bytes, its id and its leaf;
//! who can read records says what they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::chain::{EffectRefusal, Effects, RecordLeaf, Seal};
use crate::crypto::Hash;
use crate::log::{EpochPolicy, SignedNote, TlogProof};
use crate::number::EpochId;
use crate::verify::{EpochChain, Receipt, ReceiptRefusal};

/// A policy with the proof that the epoch before handed over to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptPolicy {
    /// Epoch.
    pub epoch: EpochId,
    /// Exact text.
    pub policy: String,
    /// C2SP tlog-proof under the epoch before; none for epoch 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// The chain of policies from a genesis hash, or why it does not hold.
pub fn chain_of(genesis: Hash, policies: &[KeptPolicy]) -> Result<EpochChain, String> {
    let mut chain = EpochChain::new(genesis);
    for kept in policies {
        let pushed = chain.push(
            kept.policy.as_bytes(),
            kept.proof.as_deref().map(str::as_bytes),
        );
        let policy = pushed.map_err(|error| format!("{}: {error}", error.code()))?;
        if policy.epoch != kept.epoch {
            return Err(format!(
                "epoch.order: the policy of epoch {} stands as that of epoch {}",
                policy.epoch, kept.epoch
            ));
        }
    }
    Ok(chain)
}

/// Kind of a proof file.
pub const KIND: &str = "rollbook-proof";
/// Longest proof file read, in bytes.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A proof file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`KIND`].
    pub kind: String,
    /// 1.
    pub version: u32,
    /// Genesis hash.
    pub genesis: Hash,
    /// Policies since genesis.
    pub policies: Vec<KeptPolicy>,
    /// What is claimed.
    pub claim: Claim,
    /// The seal of the block.
    pub seal: Sealed,
}

/// A seal, or another leaf that a block has once, with its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Leaf bytes, hexadecimal.
    pub leaf: String,
    /// C2SP tlog-proof of the leaf.
    pub proof: String,
}

/// What is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Claim {
    /// The block itself.
    Block {},
    /// A record of the block.
    Record {
        /// Its id.
        id: Hash,
        /// Its leaf in clear, base64.
        leaf: String,
        /// C2SP tlog-proof of its leaf.
        proof: String,
        /// The leaf of the block that says which records had no effect.
        effect: Sealed,
    },
    /// A value of the state after the block.
    State {
        /// Path in the proved tables.
        path: String,
        /// The value's bytes, hexadecimal; null: there is none.
        value: Option<String>,
        /// ICS23 commitment proof, hexadecimal.
        proof: String,
    },
}

/// A statement that was verified.
#[derive(Debug, Clone)]
pub struct Proved {
    /// The block.
    pub seal: Seal,
    /// Who stands for it: of the record, else of the seal.
    pub receipt: Receipt,
    /// What was proved.
    pub content: Content,
}

/// What was proved.
#[derive(Debug, Clone)]
pub enum Content {
    /// The block's seal.
    Block,
    /// A record.
    Record {
        /// Its id.
        id: Hash,
        /// The signed record, as it is encoded.
        bytes: Vec<u8>,
        /// Why it had no effect, as a number (docs/formats.md); none: it took effect.
        without_effect: Option<u32>,
    },
    /// The value at a path, or that there is none.
    State {
        /// Path in the proved tables.
        path: String,
        /// Bytes of the value.
        value: Option<Vec<u8>>,
    },
}

/// Why something proves nothing: a language-free code and the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Such as `checkpoint.no-quorum` or `proof.place`.
    pub code: String,
    /// In English, with the facts.
    pub why: String,
}

impl Flaw {
    /// A flaw.
    pub fn new(code: &str, why: impl std::fmt::Display) -> Flaw {
        Flaw {
            code: code.to_owned(),
            why: why.to_string(),
        }
    }
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.why)
    }
}

/// Bytes in the one form of hexadecimal: lower case.
pub fn unhex(text: &str) -> Result<Vec<u8>, Flaw> {
    let bytes = hex::decode(text).map_err(|error| Flaw::new("proof.hexadecimal", error))?;
    if hex::encode(&bytes) == text {
        Ok(bytes)
    } else {
        Err(Flaw::new(
            "proof.hexadecimal",
            "hexadecimal digits in upper case",
        ))
    }
}

/// Verifies a claim under a chain of policies.
pub fn judge(chain: &EpochChain, claim: &Claim, seal: &Sealed) -> Result<Proved, Flaw> {
    let refused = |error: ReceiptRefusal| Flaw::new(error.code(), error);
    let leaf = unhex(&seal.leaf)?;
    let sealed = match claim {
        Claim::State { path, value, proof } => {
            let value = value.as_deref().map(unhex).transpose()?;
            chain
                .verify_state(
                    &leaf,
                    seal.proof.as_bytes(),
                    path.as_bytes(),
                    value.as_deref(),
                    &unhex(proof)?,
                )
                .map_err(refused)?
        }
        _ => chain
            .verify_seal(&leaf, seal.proof.as_bytes())
            .map_err(refused)?,
    };
    complete(&seal.proof, &sealed.receipt)?;
    let (receipt, content) = match claim {
        Claim::Block {} => (sealed.receipt, Content::Block),
        Claim::State { path, value, .. } => {
            let value = value.as_deref().map(unhex).transpose()?;
            (
                sealed.receipt,
                Content::State {
                    path: path.clone(),
                    value,
                },
            )
        }
        Claim::Record {
            id,
            leaf,
            proof,
            effect,
        } => {
            let leaf = BASE64
                .decode(leaf)
                .map_err(|error| Flaw::new("proof.base64", error))?;
            let record = RecordLeaf::split(&leaf)
                .ok_or_else(|| Flaw::new("proof.record", "the leaf is no record's"))?;
            let found = record.id();
            if found != *id {
                return Err(Flaw::new(
                    "proof.record-id",
                    format!("the record has id {found}, not {id}"),
                ));
            }
            let receipt = chain
                .verify_receipt(&leaf, proof.as_bytes())
                .map_err(refused)?;
            complete(proof, &receipt)?;
            let (index, seal) = (receipt.verified.index, &sealed.seal);
            if !(seal.first_leaf..seal.leaf_index()).contains(&index) {
                let why = format!(
                    "leaf {index} is not in block {}: {} to {}",
                    seal.height,
                    seal.first_leaf,
                    seal.leaf_index()
                );
                return Err(Flaw::new("proof.place", why));
            }
            let without_effect = effect_of(chain, &receipt, effect, seal)?;
            let bytes = record.record.to_vec();
            (
                receipt,
                Content::Record {
                    id: found,
                    bytes,
                    without_effect,
                },
            )
        }
    };
    Ok(Proved {
        seal: sealed.seal,
        receipt,
        content,
    })
}

/// Why the record of a receipt had no effect, by the effect leaf of its block; none: it took effect.
fn effect_of(
    chain: &EpochChain,
    record: &Receipt,
    effect: &Sealed,
    seal: &Seal,
) -> Result<Option<u32>, Flaw> {
    let leaf = unhex(&effect.leaf)?;
    let receipt = chain
        .verify_receipt(&leaf, effect.proof.as_bytes())
        .map_err(|error| Flaw::new(error.code(), error))?;
    complete(&effect.proof, &receipt)?;
    let bad = |error| Flaw::new("proof.effect", error);
    let (record, at) = (&record.verified, &receipt.verified);
    if record.class != at.class {
        return Err(bad(EffectRefusal::Class));
    }
    let effects = Effects::read(&leaf).map_err(bad)?;
    effects
        .on(at.class, record.index, at.index, seal)
        .map_err(bad)
}

/// Nothing in a receipt that nobody known has signed: no `extra`, no line but the log's and the
/// counted cosigners'.
fn complete(proof: &str, receipt: &Receipt) -> Result<(), Flaw> {
    let proof =
        TlogProof::parse(proof.as_bytes()).map_err(|error| Flaw::new("proof.receipt", error))?;
    if proof.extra.is_some() || proof.note.lines.len() != receipt.verified.signers.len() + 1 {
        return Err(Flaw::new(
            "proof.unsigned",
            "the receipt holds something that nobody known has signed",
        ));
    }
    Ok(())
}

/// The same of handover proofs: every line is of the policy before, and epochs are numbered from 0
/// on.
pub fn complete_handovers(policies: &[KeptPolicy]) -> Result<(), Flaw> {
    let known = |note: &SignedNote, policy: &EpochPolicy| {
        let Ok(policy) = policy.acceptance() else {
            return false;
        };
        let keys = policy
            .logs()
            .iter()
            .map(|log| &log.vkey)
            .chain(policy.witnesses().iter().map(|witness| &witness.vkey));
        let keys: Vec<_> = keys.collect();
        note.lines
            .iter()
            .all(|line| keys.iter().any(|key| line.is_of(key)))
    };
    for pair in policies.windows(2) {
        let [before, after] = pair else { continue };
        let proof = TlogProof::parse(after.proof.as_deref().unwrap_or_default().as_bytes());
        let policy = EpochPolicy::parse(before.policy.as_bytes());
        if !matches!((proof, policy), (Ok(proof), Ok(policy)) if proof.extra.is_none() && known(&proof.note, &policy))
        {
            return Err(Flaw::new(
                "proof.unsigned",
                "a handover proof holds something that nobody known has signed",
            ));
        }
    }
    let numbered = policies
        .iter()
        .zip(0u32..)
        .all(|(kept, epoch)| kept.epoch == EpochId(epoch));
    if numbered {
        Ok(())
    } else {
        Err(Flaw::new(
            "proof.epochs",
            "the epochs are not numbered from 0 on",
        ))
    }
}

impl Bundle {
    /// A bundle of what was verified.
    pub fn new(genesis: Hash, policies: Vec<KeptPolicy>, claim: Claim, seal: Sealed) -> Bundle {
        Bundle {
            kind: KIND.to_owned(),
            version: 1,
            genesis,
            policies,
            claim,
            seal,
        }
    }

    /// The file.
    pub fn render(&self) -> String {
        canonical(self)
    }

    /// Reads a file in its one form. Nothing is verified.
    pub fn parse(bytes: &[u8]) -> Result<Bundle, Flaw> {
        let bundle: Bundle = parse_canonical(bytes)?;
        if (bundle.kind.as_str(), bundle.version) != (KIND, 1) {
            return Err(Flaw::new(
                "proof.version",
                format!(
                    "{} version {} is not known here",
                    bundle.kind, bundle.version
                ),
            ));
        }
        Ok(bundle)
    }

    /// Verifies everything from the genesis hash in the file. Whether that is the right one the
    /// caller compares.
    pub fn verify(&self) -> Result<Proved, Flaw> {
        let chain = chain_of(self.genesis, &self.policies)
            .map_err(|why| Flaw::new("proof.policies", why))?;
        complete_handovers(&self.policies)?;
        judge(&chain, &self.claim, &self.seal)
    }
}

/// JSON in the one form of this project's proof files.
pub fn canonical(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads JSON that is in the one form.
pub fn parse_canonical<T: Serialize + for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Flaw> {
    if bytes.len() > MAX_BYTES {
        return Err(Flaw::new(
            "proof.too-long",
            format!("{} bytes, at most {MAX_BYTES} are read", bytes.len()),
        ));
    }
    let value: T = serde_json::from_slice(bytes).map_err(|error| Flaw::new("proof.json", error))?;
    if canonical(&value).as_bytes() != bytes {
        return Err(Flaw::new(
            "proof.form",
            "the file is not in its one form: a byte was changed",
        ));
    }
    Ok(value)
}

/// A record as a claim, by its id, its leaf in clear, the receipt and the effect leaf.
pub fn record_claim(id: Hash, leaf: &[u8], proof: String, effect: Sealed) -> Claim {
    Claim::Record {
        id,
        leaf: BASE64.encode(leaf),
        proof,
        effect,
    }
}
