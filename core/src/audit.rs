//! The audit: a history re-executed from genesis, trusting nobody (RULINGS A14; DESIGN.md section
//! 2).
//!
//! For every block, in order: its bytes are canonical; the seal links to its parent; the
//! certificate in the next block (or in the tail) is a quorum of the policy that the seal names,
//! every signature good; every record is signed by officers entitled at that height; every rule is
//! applied again; events, policies and all three roots come out as the seal says; the books
//! balance.
//!
//! A finding is not the end. After damage the audit goes on with what does not need the state:
//! links, certificates, framing, digests. It says from where on the rules were not re-run.
//!
//! Absent on purpose: files, threads, clocks, the network. A caller that verifies signatures in
//! parallel passes a [`Verify`] that remembers them.

use rollbook_proof::chain::{Certificate, HandoverCheckpoint, Seal, ValidatorKey, quorum};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, PublicKey, Signature, sha256};
use rollbook_proof::log::{Checkpoint, EpochPolicy};
use rollbook_proof::number::{Height, LedgerTime};

use crate::block::{BlockBody, SystemSection};
use crate::export::{BlockFrame, Header, Tail};
use crate::genesis::Genesis;
use crate::ledger::{BlockError, Execution, Ledger};
use crate::record::Record;
use crate::state::StateTables;
use crate::tx::Verify;

pub mod invariants;

/// Something that should not be in a sound history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Language-free code: `A1.body-digest`, `A14.framing`, `N3.not-zero`.
    pub code: &'static str,
    /// Height of the block, if the finding is about one.
    pub height: Option<Height>,
    /// Index in the log of the first leaf concerned, if known.
    pub leaf: Option<u64>,
    /// Id of the record concerned, if known.
    pub record: Option<Hash>,
    /// What was found, in English, with the numbers.
    pub text: String,
}

/// What was looked at, and the verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Genesis hash of the history.
    pub genesis: Option<Hash>,
    /// Whether the chain is a sample.
    pub sample: bool,
    /// Blocks read, the genesis included.
    pub blocks: u64,
    /// Blocks whose rules were run again.
    pub executed: u64,
    /// Leaves in the log.
    pub leaves: u64,
    /// Records applied again.
    pub records: u64,
    /// Officer signatures on them.
    pub signatures: u64,
    /// Validator signatures in certificates and handovers.
    pub validator_signatures: u64,
    /// Epochs seen.
    pub epochs: u32,
    /// Ledger time of the last block.
    pub time_ms: LedgerTime,
    /// Root of the log after the last block.
    pub root: Option<Hash>,
    /// State root of the last block.
    pub state_root: Option<Hash>,
    /// How many validators cosigned the last checkpoint.
    pub cosigned: u32,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
}

impl Report {
    /// No finding.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What came of an audit.
#[derive(Debug)]
pub struct Audited {
    /// What was counted and what was found.
    pub report: Report,
    /// The tables as far as the file was re-executed: only a sound report says that this is its end.
    pub tables: Option<StateTables>,
}

/// Re-executes a history frame by frame.
pub struct Auditor {
    report: Report,
    ledger: Option<Ledger>,
    /// Height from which on rules are not re-run.
    broken_at: Option<Height>,
    /// The seal before, and its policy's validators, for certificates.
    parent: Option<Seal>,
    next_height: Height,
}

impl Auditor {
    /// Begins with the head and frame 0. `expected` is the genesis hash the auditor trusts; without
    /// one the result says only that the history is consistent with itself, and the caller must say
    /// so.
    pub fn new(header: &Header, frame: &BlockFrame, expected: Option<Hash>) -> Auditor {
        let mut auditor = Auditor {
            report: Report::default(),
            ledger: None,
            broken_at: None,
            parent: None,
            next_height: Height(1),
        };
        auditor.report.blocks = 1;
        auditor.open(header, frame, expected);
        auditor
    }

    fn open(&mut self, header: &Header, frame: &BlockFrame, expected: Option<Hash>) {
        if let Some(expected) = expected.filter(|expected| *expected != header.genesis) {
            self.find(
                "A2.other-alliance",
                None,
                None,
                format!(
                    "the export is of alliance {}, not {expected}",
                    header.genesis
                ),
            );
        }
        if !frame.system.is_empty() || !frame.records.is_empty() {
            self.find(
                "A14.framing",
                Some(Height(0)),
                None,
                "frame 0 holds more than the genesis".into(),
            );
        }
        let genesis = match Genesis::from_leaves(frame.derived.iter().map(Vec::as_slice)) {
            Ok(genesis) => genesis,
            Err(error) => {
                self.broken_at = Some(Height(0));
                return self.find("A2.genesis", Some(Height(0)), Some(0), error.to_string());
            }
        };
        self.report.genesis = Some(genesis.hash());
        if genesis.hash() != header.genesis {
            self.find(
                "A2.genesis-hash",
                Some(Height(0)),
                Some(0),
                format!(
                    "leaf 0 hashes to {}, the head says {}",
                    genesis.hash(),
                    header.genesis
                ),
            );
        }
        match Ledger::from_genesis(&genesis) {
            Ok((ledger, _)) => {
                if encode(&ledger.tip().seal) != frame.seal {
                    self.find(
                        "A1.seal",
                        Some(Height(0)),
                        None,
                        "seal 0 is not the one that follows from the genesis".into(),
                    );
                }
                self.report.sample = ledger.is_sample();
                self.parent = Some(ledger.tip().seal.clone());
                self.ledger = Some(ledger);
            }
            Err(error) => {
                self.broken_at = Some(Height(0));
                self.find("A2.genesis", Some(Height(0)), Some(0), error.to_string());
            }
        }
    }

    /// Signatures of a frame's records as far as the keys are known now: (key, message, signature).
    /// For verifying ahead, in parallel; what is missing here is verified when the record applies.
    pub fn signatures_ahead(&self, frame: &BlockFrame) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        let Some(ledger) = &self.ledger else {
            return Vec::new();
        };
        frame
            .records
            .iter()
            .filter_map(|bytes| decode::<Record>(bytes).ok())
            .flat_map(|record| all_signatures_of(ledger.tables(), &record))
            .collect()
    }

    /// The tables as far as the history was executed; none: the genesis could not be.
    pub fn tables(&self) -> Option<&StateTables> {
        self.ledger.as_ref().map(Ledger::tables)
    }

    /// The next block.
    pub fn block(&mut self, frame: &BlockFrame, verifier: &mut dyn Verify) {
        self.block_watched(frame, verifier, &mut |_, _| {});
    }

    /// The same; `watch` sees every block that was executed, with the tables before it.
    pub fn block_watched(
        &mut self,
        frame: &BlockFrame,
        verifier: &mut dyn Verify,
        watch: &mut dyn FnMut(&StateTables, &Execution),
    ) {
        let height = self.next_height;
        self.next_height = height.next();
        self.report.blocks += 1;
        let seal: Seal = match decode(&frame.seal) {
            Ok(seal) => seal,
            Err(error) => {
                self.break_at(height);
                self.parent = None;
                return self.find("A1.seal", Some(height), None, error.to_string());
            }
        };
        let body = frame.body();
        let body_ok = sha256(&body) == seal.body;
        if self.broken_at.is_none() && body_ok {
            self.execute(height, frame, &body, &seal, verifier, watch);
        } else {
            if !body_ok {
                self.name_damage(height, frame, &seal);
            }
            self.break_at(height);
            self.structure(height, frame, &seal);
        }
        self.report.time_ms = seal.time_ms;
        self.report.leaves = seal.checkpoint_size();
        self.report.state_root = Some(seal.state_root);
        self.parent = Some(seal);
    }

    fn execute(
        &mut self,
        height: Height,
        frame: &BlockFrame,
        body: &[u8],
        seal: &Seal,
        verifier: &mut dyn Verify,
        watch: &mut dyn FnMut(&StateTables, &Execution),
    ) {
        let Some(ledger) = &mut self.ledger else {
            return;
        };
        let decoded = decode::<BlockBody>(body);
        let (signatures, validator_signatures) = decoded.as_ref().map_or((0, 0), signature_counts);
        let result = ledger.execute_decoded(body, decoded, seal, verifier);
        let block = match result {
            Ok(block) => block,
            Err(error) => return self.refused(height, frame, seal, error),
        };
        let derived = ledger
            .pending(&block)
            .map(|execution| BlockFrame::derived_of(&execution.leaves));
        if let Some(execution) = ledger.pending(&block) {
            watch(ledger.tables(), execution);
        }
        match ledger.commit(&block) {
            Ok(committed) => {
                self.report.executed += 1;
                self.report.records += committed.execution.outcomes.len() as u64;
                if committed.handover {
                    self.report.epochs += 1;
                }
                let faults = invariants::check(ledger.tables(), &committed.execution.changes);
                for fault in faults {
                    self.find(fault.code, Some(height), None, fault.text);
                }
            }
            Err(error) => self.find("A1.commit", Some(height), None, error.to_string()),
        }
        self.report.signatures += signatures;
        self.report.validator_signatures += validator_signatures;
        if derived.as_ref() != Some(&frame.derived) {
            let derived = derived.unwrap_or_default();
            let at = derived
                .iter()
                .zip(&frame.derived)
                .position(|(ours, theirs)| ours != theirs);
            let at = at.unwrap_or(derived.len().min(frame.derived.len()));
            self.find(
                "A4.derived-leaf",
                Some(height),
                Some(seal.first_leaf + at as u64),
                format!(
                    "derived leaf {at} of the file is not the one that follows from the rules \
                     ({} expected, {} found)",
                    derived.len(),
                    frame.derived.len()
                ),
            );
        }
    }

    fn refused(&mut self, height: Height, frame: &BlockFrame, seal: &Seal, error: BlockError) {
        self.break_at(height);
        match &error {
            BlockError::Record { index, refusal, .. } => {
                let record = frame
                    .records
                    .get(*index)
                    .and_then(|bytes| decode::<Record>(bytes).ok())
                    .map(|record| record.id());
                let leaf = leaf_of_record(frame, seal, *index);
                self.report.findings.push(Finding {
                    code: refusal.code,
                    height: Some(height),
                    leaf,
                    record,
                    text: format!("record {index} of the block is inadmissible: {refusal}"),
                });
            }
            BlockError::System { why, .. } => {
                self.find("A19.system", Some(height), None, why.clone())
            }
            BlockError::Protocol(_) => {
                self.find("A18.protocol", Some(height), None, error.to_string())
            }
            BlockError::Field {
                field: "log_root" | "leaf_count" | "first_leaf",
                ..
            } => self.find(
                "A1.log-root",
                Some(height),
                Some(seal.first_leaf),
                error.to_string(),
            ),
            BlockError::Field {
                field: "state_root" | "work_digest",
                ..
            } => self.find("A7.state", Some(height), None, error.to_string()),
            _ => self.find("A1.seal", Some(height), None, error.to_string()),
        }
    }

    /// The body is not the one the seal commits to: name the first part that cannot be what was
    /// sealed.
    fn name_damage(&mut self, height: Height, frame: &BlockFrame, seal: &Seal) {
        if let Err(error) = decode_system(&frame.system) {
            return self.find(
                "A1.body-digest",
                Some(height),
                None,
                format!("the system section is damaged: {error}"),
            );
        }
        for (index, bytes) in frame.records.iter().enumerate() {
            let leaf = leaf_of_record(frame, seal, index);
            match decode::<Record>(bytes) {
                Err(error) => {
                    return self.find(
                        "A1.body-digest",
                        Some(height),
                        leaf,
                        format!("record {index} of the block is damaged: {error}"),
                    );
                }
                Ok(record) => {
                    let checks = self
                        .ledger
                        .as_ref()
                        .map(|ledger| signatures_of(ledger.tables(), &record))
                        .unwrap_or_default();
                    let bad = record.payload.chain
                        != self
                            .ledger
                            .as_ref()
                            .map_or(record.payload.chain, Ledger::chain)
                        || checks.len() != record.signatures.len()
                        || checks.iter().any(|(key, message, signature)| {
                            key.verify(message, signature).is_err()
                        });
                    if bad {
                        self.report.findings.push(Finding {
                            code: "A1.body-digest",
                            height: Some(height),
                            leaf,
                            record: Some(record.id()),
                            text: format!("record {index} of the block is damaged: its signature does not verify"),
                        });
                        return;
                    }
                }
            }
        }
        self.find(
            "A1.body-digest",
            Some(height),
            None,
            "the body is not the one that the seal commits to; no single record shows the damage"
                .into(),
        );
    }

    /// What can be checked without the state.
    fn structure(&mut self, height: Height, frame: &BlockFrame, seal: &Seal) {
        if seal.height != height {
            self.find(
                "A1.height",
                Some(height),
                None,
                format!("the seal says height {}", seal.height),
            );
        }
        if let Some(parent) = &self.parent {
            let (links, later) = (seal.parent == parent.id(), seal.time_ms > parent.time_ms);
            if !links {
                self.find(
                    "A1.parent",
                    Some(height),
                    None,
                    "the seal does not link to the seal before it".into(),
                );
            }
            if !later {
                self.find(
                    "A9.time",
                    Some(height),
                    None,
                    "the seal's time is not after its parent's".into(),
                );
            }
        }
        let Ok(system) = decode_system(&frame.system) else {
            return;
        };
        if let (Some(certificate), Some(parent), Some(ledger)) =
            (&system.parent_certificate, &self.parent, &self.ledger)
        {
            let validators = policy_validators(ledger, &parent.policy);
            if let Some(validators) = validators
                && let Err(error) =
                    certificate.verify(&ledger.chain(), parent.height, &parent.id(), &validators)
            {
                self.find(
                    "A1.certificate",
                    Some(parent.height),
                    None,
                    error.to_string(),
                );
            }
        }
    }

    /// The end of the file. `digest_ok` says whether the SHA-256 at the end fits.
    pub fn finish(mut self, header: &Header, tail: &Tail, digest_ok: bool) -> Audited {
        if !digest_ok {
            self.find(
                "A14.digest",
                None,
                None,
                "the SHA-256 at the end of the file does not fit its content".into(),
            );
        }
        let last = self.next_height.previous();
        if header.height != last {
            self.find(
                "A14.height",
                None,
                None,
                format!(
                    "the head announces height {}, the file ends at {last}",
                    header.height
                ),
            );
        }
        self.judge_tail(last, tail);
        if let Some(ledger) = self.ledger.as_ref().filter(|_| self.broken_at.is_none()) {
            self.report.root = Some(ledger.frontier().root());
            self.report.leaves = ledger.frontier().size();
        }
        if let Some(height) = self.broken_at {
            self.find(
                "A14.not-executed",
                Some(height),
                None,
                format!("from block {height} on the rules were not run again"),
            );
        }
        Audited {
            report: self.report,
            tables: self.ledger.map(Ledger::into_tables),
        }
    }

    fn judge_tail(&mut self, last: Height, tail: &Tail) {
        let (Some(ledger), Some(parent)) = (&self.ledger, &self.parent) else {
            return;
        };
        let mut found = Vec::new();
        let policy = if self.broken_at.is_none() {
            Some(ledger.tip_policy().clone())
        } else {
            None
        };
        let mut cosigned = 0;
        match &tail.certificate {
            None if last == Height(0) => {}
            None => found.push((
                "A14.certificate",
                "the certificate of the last block is missing".to_owned(),
            )),
            Some(certificate) => {
                if let Some(validators) = policy_validators(ledger, &parent.policy) {
                    if let Err(error) =
                        certificate.verify(&ledger.chain(), last, &parent.id(), &validators)
                    {
                        found.push(("A1.certificate", error.to_string()));
                    }
                    self.report.validator_signatures += certificate.signatures.len() as u64;
                }
            }
        }
        match (&tail.checkpoint, policy) {
            (None, _) if last == Height(0) => {}
            (None, _) => found.push((
                "A11.not-receipted",
                "the last block has no cosigned checkpoint: decided, not receipted".to_owned(),
            )),
            (Some(cosigned_checkpoint), Some(policy)) => {
                let checkpoint = ledger.checkpoint();
                cosigned = cosigned_checkpoint.cosignatures.len() as u32;
                if let Err(why) = judge_checkpoint(&policy, &checkpoint, cosigned_checkpoint) {
                    found.push(("A11.checkpoint", why));
                }
            }
            (Some(_), None) => {}
        }
        self.report.cosigned = cosigned;
        for (code, text) in found {
            self.find(code, Some(last), None, text);
        }
    }

    fn break_at(&mut self, height: Height) {
        self.broken_at.get_or_insert(height);
    }

    fn find(
        &mut self,
        code: &'static str,
        height: Option<Height>,
        leaf: Option<u64>,
        text: String,
    ) {
        self.report.findings.push(Finding {
            code,
            height,
            leaf,
            record: None,
            text,
        });
    }

    /// A finding by the caller: about the file itself.
    pub fn find_in_file(&mut self, code: &'static str, text: String) {
        let height = self.next_height;
        self.break_at(height);
        self.find(code, Some(height), None, text);
    }

    /// The ledger as far as it was re-executed, for questions.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }
}

/// Officers' signatures on a body's records, validators' in its system section.
fn signature_counts(body: &BlockBody) -> (u64, u64) {
    let officers: usize = body
        .records
        .iter()
        .map(|record| record.signatures.len())
        .sum();
    let certificate = body
        .system
        .parent_certificate
        .as_ref()
        .map_or(0, |certificate| certificate.signatures.len());
    let handover = body
        .system
        .handover
        .as_ref()
        .map_or(0, |handover| handover.cosignatures.len());
    (officers as u64, (certificate + handover) as u64)
}

fn decode_system(bytes: &[u8]) -> Result<SystemSection, rollbook_proof::codec::DecodeError> {
    let mut body = bytes.to_vec();
    body.extend_from_slice(&0u64.to_le_bytes());
    decode::<BlockBody>(&body).map(|body| body.system)
}

/// Where record `index` of a block stands in the log: after the events (derived leaves before it)
/// and the evidence.
fn leaf_of_record(frame: &BlockFrame, seal: &Seal, index: usize) -> Option<u64> {
    let system = decode_system(&frame.system).ok()?;
    let events = BlockFrame::events_of(frame.derived.iter().map(Vec::as_slice));
    let before = events + system.evidence.len();
    Some(seal.first_leaf + before as u64 + index as u64)
}

fn policy_validators(ledger: &Ledger, policy: &Hash) -> Option<Vec<ValidatorKey>> {
    ledger
        .tables()
        .policies
        .iter()
        .find(|(_, bytes)| sha256(bytes) == *policy)
        .and_then(|(_, bytes)| {
            EpochPolicy::parse(bytes)
                .ok()
                .map(|policy| policy.validators())
        })
}

fn judge_checkpoint(
    policy: &EpochPolicy,
    checkpoint: &Checkpoint,
    cosigned: &HandoverCheckpoint,
) -> Result<(), String> {
    if cosigned.size != checkpoint.size || cosigned.root != checkpoint.root {
        return Err("the cosigned checkpoint is not the one of the last block".into());
    }
    let needed = quorum(policy.validators.len());
    if cosigned.cosignatures.len() != needed {
        return Err(format!(
            "{} cosignatures, an export holds exactly {needed}",
            cosigned.cosignatures.len()
        ));
    }
    policy
        .verify_handover(cosigned)
        .map_err(|error| error.to_string())
}

/// The signatures of a record's envelope whose keys are known in `tables`.
pub fn signatures_of(
    tables: &StateTables,
    record: &Record,
) -> Vec<(PublicKey, Vec<u8>, Signature)> {
    let message = record.payload.sign_bytes();
    record
        .signatures
        .iter()
        .filter_map(|entry| {
            let key = tables
                .persons
                .get(&entry.officer)?
                .keys
                .get(entry.key as usize)?
                .key;
            Some((key, message.clone(), entry.signature))
        })
        .collect()
}

/// The same with the signatures inside the act: everything worth verifying ahead.
pub fn all_signatures_of(
    tables: &StateTables,
    record: &Record,
) -> Vec<(PublicKey, Vec<u8>, Signature)> {
    let mut all = signatures_of(tables, record);
    all.extend(
        record
            .payload
            .body
            .signatures(&record.payload.chain, record.payload.principal),
    );
    all
}

/// A certificate that a caller holds, judged for block `seal` under the policy that the seal names.
pub fn judge_certificate(
    ledger: &Ledger,
    seal: &Seal,
    certificate: &Certificate,
) -> Result<(), String> {
    let validators = policy_validators(ledger, &seal.policy)
        .ok_or("the seal names a policy that is not in the log")?;
    certificate
        .verify(&ledger.chain(), seal.height, &seal.id(), &validators)
        .map_err(|error| error.to_string())
}
