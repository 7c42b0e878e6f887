//! The ledger: state, log and tip as one value that only whole blocks change.
//!
//! * [`Ledger::build`] and [`Ledger::execute`] run the same code; a proposer's roots are what
//!   everybody else recomputes.
//! * Nothing is visible before [`Ledger::commit`]: an execution is kept aside under its block id
//!   and thrown away if another block is decided.
//! * A block is judged in this order: protocol, height, parent, time, policy, body digest, body
//!   shape, parent certificate, handover checkpoint, evidence, then execution, then the roots. Time
//!   is compared with the parent only (RULINGS A9).
//!
//! Absent on purpose: clocks, mempools, votes. The host has them.

use std::collections::BTreeMap;

use rollbook_proof::chain::{
    Certificate, Evidence, HandoverCheckpoint, LeafTag, Seal, ValidatorKey,
};
use rollbook_proof::codec::{DecodeError, decode, encode};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::log::{
    Checkpoint, Clock, EpochPolicy, Frontier, NewNode, PolicyValidator, leaf_hash,
};

use super::block::{
    BODY_MAX_BYTES, BODY_MAX_RECORDS, BODY_MAX_SIGNATURES, BlockBody, SystemSection,
};
use super::chain::{EpochFacts, EpochValidator};
use crate::apply::{Event, EventBody, Outcome, Refusal, Verify};
use crate::charter::Charter;
use crate::genesis::{Genesis, GenesisError};
use crate::protocol::PROTOCOL;
use crate::record::{RECORD_MAX_BYTES, Record, SignedBytes};
use crate::state::{Changes, Row, State, StateLoader, StateTables};
use crate::{apply, protocol, validators};

/// Most executions kept aside at one height (RULINGS A19: undecided bodies).
const PENDING_MAX: usize = 16;

/// Where the chain stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The newest seal.
    pub seal: Seal,
    /// Its block id.
    pub block: Hash,
}

/// Why a block is not valid. Every honest node says the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The block is under rules that this build does not have (RULINGS A18): stop before it and
    /// install the release.
    #[error(transparent)]
    Protocol(#[from] UnknownProtocol),
    /// A field of the seal is not what the chain demands.
    #[error("seal of block {height}: {field} is {found}, expected {expected}")]
    Field {
        /// The block's height.
        height: u64,
        /// Name of the field.
        field: &'static str,
        /// What the seal says.
        found: String,
        /// What it must say.
        expected: String,
    },
    /// The body does not decode.
    #[error("body of block {height}: {why}")]
    Body {
        /// The block's height.
        height: u64,
        /// The decoder's words.
        why: String,
    },
    /// The system section breaks a rule.
    #[error("system section of block {height}: {why}")]
    System {
        /// The block's height.
        height: u64,
        /// The rule.
        why: String,
    },
    /// A record in it is inadmissible.
    #[error("record {index} of block {height}: {refusal}")]
    Record {
        /// The block's height.
        height: u64,
        /// Position in the body, from 0.
        index: usize,
        /// The rule.
        refusal: Refusal,
    },
    /// A fault of this program, not of the block.
    #[error("internal fault at block {height}: {why}")]
    Internal {
        /// The block's height.
        height: u64,
        /// What happened.
        why: String,
    },
}

/// The next block is under rules that this build does not have (RULINGS A18).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "block {height} is under protocol {protocol}, which release {release} brings; this build knows protocols up to {known}"
)]
pub struct UnknownProtocol {
    /// The block's height.
    pub height: u64,
    /// Its protocol.
    pub protocol: u32,
    /// The newest known here.
    pub known: u32,
    /// The first release that knows it, as the amendment named it.
    pub release: String,
}

/// One executed block, not yet decided.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The seal.
    pub seal: Seal,
    /// The body bytes.
    pub body: Vec<u8>,
    /// Every leaf of the block, the seal's last.
    pub leaves: Vec<Vec<u8>>,
    /// Record ids and outcomes, in order.
    pub outcomes: Vec<(Hash, Outcome)>,
    /// Log nodes that became final.
    pub nodes: Vec<NewNode>,
    /// The state's changes.
    pub changes: Changes,
    /// The policy that this block hands over to.
    pub next_policy: Option<EpochPolicy>,
    /// The cosigned checkpoint of the handover before it, if it carries one.
    pub handover: Option<HandoverCheckpoint>,
    frontier: Frontier,
}

/// What a proposer built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The execution; its seal and body are what to propose.
    pub execution: Execution,
    /// Candidates that did not apply, with the reason. They are not in the block.
    pub refused: Vec<(Hash, Refusal)>,
    /// How many candidates, from the front, were looked at; the rest did not fit.
    pub taken: usize,
}

/// What a commit changed, for the host to store and to tell.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The execution that became the tip.
    pub execution: Execution,
    /// The checkpoint of this height.
    pub checkpoint: Checkpoint,
    /// Whether the next block begins a new epoch.
    pub handover: bool,
}

/// A record that was found admissible on the tip.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The decoded record.
    pub record: Record,
    /// Its id.
    pub id: Hash,
    /// What would come of it.
    pub outcome: Outcome,
}

/// The ledger at its tip.
#[derive(Debug, Clone)]
pub struct Ledger {
    chain: Hash,
    state: State,
    frontier: Frontier,
    tip: Tip,
    /// Policy of the next block.
    policy: EpochPolicy,
    /// Policy of the tip, where it is another one: the tip is a handover block.
    previous_policy: Option<EpochPolicy>,
    pending: BTreeMap<Hash, Execution>,
    /// The newest protocol it takes part in.
    known: u32,
}

impl Ledger {
    /// The ledger right after seal 0.
    pub fn from_genesis(genesis: &Genesis) -> Result<(Ledger, Vec<Row>), GenesisError> {
        let opened = genesis.open()?;
        let block = opened.seal.id();
        let ledger = Ledger {
            chain: genesis.hash(),
            state: opened.state,
            frontier: opened.frontier,
            tip: Tip {
                seal: opened.seal,
                block,
            },
            policy: genesis.policy.clone(),
            previous_policy: None,
            pending: BTreeMap::new(),
            known: PROTOCOL,
        };
        Ok((ledger, opened.rows))
    }

    /// A ledger from stored parts: rows of the state, the log's frontier, the newest seal.
    pub fn from_parts(
        chain: Hash,
        rows: impl IntoIterator<Item = Row>,
        frontier: Frontier,
        seal: Seal,
    ) -> Result<Ledger, BlockError> {
        let mut state = StateLoader::default();
        for row in rows {
            state.row(&row).map_err(|error| BlockError::Internal {
                height: seal.height,
                why: error.to_string(),
            })?;
        }
        Ledger::from_state(chain, state, frontier, seal)
    }

    /// The same with a state whose rows were all loaded. The state root is recomputed from them; a
    /// store that lost or changed a proved row is refused.
    pub fn from_state(
        chain: Hash,
        state: StateLoader,
        frontier: Frontier,
        seal: Seal,
    ) -> Result<Ledger, BlockError> {
        let height = seal.height;
        let internal = |why: String| BlockError::Internal { height, why };
        let state = state.finish(seal.work_digest);
        expect(height, "state_root", state.root(), seal.state_root)?;
        expect(height, "log size", frontier.size(), seal.checkpoint_size())?;
        let epoch = state.tables.chain.get(&0).map_or(0, |facts| facts.epoch);
        let policy_of = |epoch: u32| -> Result<EpochPolicy, BlockError> {
            let bytes = state
                .tables
                .policies
                .get(&epoch)
                .ok_or_else(|| internal(format!("no policy {epoch}")))?;
            EpochPolicy::parse(bytes).map_err(|error| internal(error.to_string()))
        };
        let policy = policy_of(epoch)?;
        let previous_policy = if policy.digest() == seal.policy {
            None
        } else {
            Some(policy_of(epoch.saturating_sub(1))?)
        };
        let block = seal.id();
        let (pending, known) = (BTreeMap::new(), PROTOCOL);
        Ok(Ledger {
            chain,
            state,
            frontier,
            tip: Tip { seal, block },
            policy,
            previous_policy,
            pending,
            known,
        })
    }

    /// The same ledger as a build that knows no protocol above `known` has it: it stops where that
    /// build would.
    pub fn knowing(mut self, known: u32) -> Ledger {
        self.known = known.min(PROTOCOL);
        self
    }

    /// The rule version of the next block, unless this build does not have it.
    pub fn next_protocol(&self) -> Result<u32, UnknownProtocol> {
        let height = self.height() + 1;
        let tables = &self.state.tables;
        let protocol = protocol::at(tables, height);
        if protocol <= self.known {
            return Ok(protocol);
        }
        let release = tables
            .protocols
            .get(&protocol)
            .map(|facts| facts.release.as_str().to_owned())
            .unwrap_or_default();
        Err(UnknownProtocol {
            height,
            protocol,
            known: self.known,
            release,
        })
    }

    /// The genesis hash.
    pub fn chain(&self) -> Hash {
        self.chain
    }

    /// The newest seal.
    pub fn tip(&self) -> &Tip {
        &self.tip
    }

    /// Height of the tip.
    pub fn height(&self) -> u64 {
        self.tip.seal.height
    }

    /// The state at the tip.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The tables at the tip.
    pub fn tables(&self) -> &StateTables {
        &self.state.tables
    }

    /// The log at the tip.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The charter in force.
    pub fn charter(&self) -> Option<&Charter> {
        let facts = self.state.tables.chain.get(&0)?;
        self.state.tables.charters.get(&facts.charter)
    }

    /// Whether this is a sample chain.
    pub fn is_sample(&self) -> bool {
        self.charter()
            .is_some_and(|charter| charter.clock == Clock::Sample)
    }

    /// The policy under which the next block is certified.
    pub fn policy(&self) -> &EpochPolicy {
        &self.policy
    }

    /// The policy under which the tip was certified and its checkpoint is cosigned.
    pub fn tip_policy(&self) -> &EpochPolicy {
        self.previous_policy.as_ref().unwrap_or(&self.policy)
    }

    /// Validators of the next height, ascending by organisation.
    pub fn validators(&self) -> Vec<ValidatorKey> {
        self.policy.validators()
    }

    /// The checkpoint of the tip.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: self.policy.origin.clone(),
            size: self.frontier.size(),
            root: self.frontier.root(),
        }
    }

    /// Ledger time of the earliest running deadline.
    pub fn next_deadline(&self) -> Option<u64> {
        apply::next_deadline(&self.state.tables)
    }

    /// Whether the next block must be a handover.
    pub fn handover_due(&self) -> bool {
        validators::handover(&self.state.tables, self.height() + 1).is_some()
    }

    /// Whether the next block must carry a handover checkpoint: the tip is a handover block.
    pub fn needs_handover_checkpoint(&self) -> bool {
        self.previous_policy.is_some()
    }

    /// Decodes and judges a record against the tip at ledger time `now`, without keeping anything.
    pub fn admit(
        &mut self,
        bytes: &[u8],
        now: u64,
        verifier: &mut dyn Verify,
    ) -> Result<Admitted, Refusal> {
        let record: Record = match decode(bytes) {
            Ok(record) => record,
            Err(error) => crate::refuse!("A6.malformed", why = error),
        };
        self.admit_decoded(record, now, verifier)
    }

    /// The same for a record that was decoded before.
    pub fn admit_decoded(
        &mut self,
        record: Record,
        now: u64,
        verifier: &mut dyn Verify,
    ) -> Result<Admitted, Refusal> {
        let signed = SignedBytes::of(&record);
        let id = signed.id;
        let height = self.height() + 1;
        let now = now.max(self.tip.seal.time_ms + 1);
        let result = apply::apply_signed(
            &mut self.state.tables,
            self.chain,
            height,
            now,
            &record,
            &signed,
            verifier,
        );
        // Whatever it wrote went to the block overlay; the tip stays as it is.
        self.state.tables.drop_block();
        Ok(Admitted {
            id,
            outcome: result?,
            record,
        })
    }

    /// Builds the next block: `time_ms` (moved after the parent if it is not), the system section,
    /// and as many of the candidates, in order, as apply and fit.
    pub fn build(
        &mut self,
        time_ms: u64,
        system: SystemSection,
        candidates: &[Record],
        verifier: &mut dyn Verify,
    ) -> Result<Built, BlockError> {
        let time_ms = time_ms.max(self.tip.seal.time_ms + 1);
        let height = self.height() + 1;
        let empty = encode(&BlockBody {
            system: system.clone(),
            records: Vec::new(),
        })
        .len();
        let (mut size, mut signatures, mut chosen, mut refused, mut taken) =
            (empty, 0, Vec::new(), Vec::new(), 0);
        let run = self.run(
            height,
            time_ms,
            &system,
            |tables, chain, outcomes, leaves| {
                for record in candidates {
                    let signed = SignedBytes::of(record);
                    let leaf = signed.leaf(record);
                    let length = leaf.len() - LeafTag::BYTES;
                    let fits = length <= RECORD_MAX_BYTES
                        && size + length <= BODY_MAX_BYTES
                        && signatures + record.signatures.len() <= BODY_MAX_SIGNATURES
                        && chosen.len() < BODY_MAX_RECORDS;
                    if !fits {
                        break;
                    }
                    taken += 1;
                    match apply::apply_signed(
                        tables, chain, height, time_ms, record, &signed, verifier,
                    ) {
                        Ok(outcome) => {
                            size += length;
                            signatures += record.signatures.len();
                            outcomes.push((signed.id, outcome));
                            leaves.push(leaf);
                            chosen.push(record.clone());
                        }
                        Err(refusal) => refused.push((signed.id, refusal)),
                    }
                }
                Ok(())
            },
        )?;
        let body = encode(&BlockBody {
            system: system.clone(),
            records: chosen,
        });
        let execution = self.seal(run, height, time_ms, &system, body)?;
        self.keep(execution.clone());
        Ok(Built {
            execution,
            refused,
            taken,
        })
    }

    /// Executes a proposed block and compares every field of its seal. The execution is kept for
    /// [`Ledger::commit`].
    pub fn execute(
        &mut self,
        body: &[u8],
        seal: &Seal,
        verifier: &mut dyn Verify,
    ) -> Result<Hash, BlockError> {
        self.execute_decoded(body, decode(body), seal, verifier)
    }

    /// The same with what decoding `body` came to, for a caller that has looked at its records
    /// already.
    pub fn execute_decoded(
        &mut self,
        body: &[u8],
        decoded: Result<BlockBody, DecodeError>,
        seal: &Seal,
        verifier: &mut dyn Verify,
    ) -> Result<Hash, BlockError> {
        let block = seal.id();
        if self.pending.contains_key(&block) {
            return Ok(block);
        }
        let height = self.height() + 1;
        expect(height, "protocol", seal.protocol, self.next_protocol()?)?;
        expect(height, "height", seal.height, height)?;
        expect(height, "parent", seal.parent, self.tip.block)?;
        if seal.time_ms <= self.tip.seal.time_ms {
            return Err(BlockError::Field {
                height,
                field: "time_ms",
                found: seal.time_ms.to_string(),
                expected: format!("more than {}", self.tip.seal.time_ms),
            });
        }
        expect(height, "policy", seal.policy, self.policy.digest())?;
        expect(height, "body", seal.body, sha256(body))?;
        let BlockBody { system, records } = decoded.map_err(|error| BlockError::Body {
            height,
            why: error.to_string(),
        })?;
        let run = self.run(
            height,
            seal.time_ms,
            &system,
            |tables, chain, outcomes, leaves| {
                for (index, record) in records.iter().enumerate() {
                    let signed = SignedBytes::of(record);
                    let outcome = apply::apply_signed(
                        tables,
                        chain,
                        height,
                        seal.time_ms,
                        record,
                        &signed,
                        verifier,
                    )
                    .map_err(|refusal| BlockError::Record {
                        height,
                        index,
                        refusal,
                    })?;
                    outcomes.push((signed.id, outcome));
                    leaves.push(signed.leaf(record));
                }
                Ok(())
            },
        )?;
        if run.closed_to_records && !records.is_empty() {
            self.state.tables.drop_block();
            return Err(BlockError::System {
                height,
                why: "a block with due deadlines left over, or a handover, holds no records".into(),
            });
        }
        let execution = self.seal(run, height, seal.time_ms, &system, body.to_vec())?;
        compare(&execution.seal, seal)?;
        self.keep(execution);
        Ok(block)
    }

    /// Makes an executed block the tip, under its verified certificate.
    pub fn commit(&mut self, block: &Hash) -> Result<Committed, BlockError> {
        let height = self.height() + 1;
        let execution = self
            .pending
            .remove(block)
            .ok_or_else(|| BlockError::Internal {
                height,
                why: format!("block {block} was not executed here"),
            })?;
        self.state
            .adopt(&execution.changes)
            .map_err(|error| BlockError::Internal {
                height,
                why: error.to_string(),
            })?;
        self.frontier = execution.frontier.clone();
        self.tip = Tip {
            seal: execution.seal.clone(),
            block: *block,
        };
        self.previous_policy = None;
        if let Some(next) = execution.next_policy.clone() {
            self.previous_policy = Some(std::mem::replace(&mut self.policy, next));
        }
        self.pending.clear();
        let checkpoint = self.checkpoint();
        Ok(Committed {
            handover: self.previous_policy.is_some(),
            execution,
            checkpoint,
        })
    }

    /// An execution that waits for its decision.
    pub fn pending(&self, block: &Hash) -> Option<&Execution> {
        self.pending.get(block)
    }

    fn keep(&mut self, execution: Execution) {
        if self.pending.len() >= PENDING_MAX {
            // Any may go: the host executes again what it still needs.
            self.pending.pop_first();
        }
        self.pending.insert(execution.seal.id(), execution);
    }

    fn check_system(&self, height: u64, system: &SystemSection) -> Result<(), BlockError> {
        let wrong = |why: String| Err(BlockError::System { height, why });
        match &system.parent_certificate {
            None if height == 1 => {}
            None => return wrong("the parent's certificate is missing".into()),
            Some(_) if height == 1 => return wrong("seal 0 has no certificate".into()),
            Some(certificate) => {
                let validators = self.tip_policy().validators();
                if let Err(error) =
                    certificate.verify(&self.chain, self.height(), &self.tip.block, &validators)
                {
                    return wrong(format!("parent certificate: {error}"));
                }
            }
        }
        match (&system.handover, &self.previous_policy) {
            (None, None) => Ok(()),
            (Some(_), None) => wrong("a handover checkpoint without a handover".into()),
            (None, Some(_)) => {
                wrong("the first block of an epoch carries the handover's checkpoint".into())
            }
            (Some(handover), Some(previous)) => self.check_handover(height, handover, previous),
        }
    }

    fn check_handover(
        &self,
        height: u64,
        handover: &HandoverCheckpoint,
        previous: &EpochPolicy,
    ) -> Result<(), BlockError> {
        let wrong = |why: String| Err(BlockError::System { height, why });
        let checkpoint = self.checkpoint();
        if handover.size != checkpoint.size || handover.root != checkpoint.root {
            return wrong("the handover checkpoint is not the parent's".into());
        }
        previous
            .verify_handover(handover)
            .or_else(|error| wrong(format!("handover checkpoint: {error}")))
    }

    /// Everything of a block but its seal. The tables hold the block overlay afterwards, whatever
    /// the result.
    fn run(
        &mut self,
        height: u64,
        time_ms: u64,
        system: &SystemSection,
        records: impl FnOnce(
            &mut StateTables,
            Hash,
            &mut Vec<(Hash, Outcome)>,
            &mut Vec<Vec<u8>>,
        ) -> Result<(), BlockError>,
    ) -> Result<Run, BlockError> {
        self.next_protocol()?;
        self.check_system(height, system)?;
        let result = self.run_inner(height, time_ms, system, records);
        if result.is_err() {
            self.state.tables.drop_block();
        }
        result
    }

    fn run_inner(
        &mut self,
        height: u64,
        time_ms: u64,
        system: &SystemSection,
        records: impl FnOnce(
            &mut StateTables,
            Hash,
            &mut Vec<(Hash, Outcome)>,
            &mut Vec<Vec<u8>>,
        ) -> Result<(), BlockError>,
    ) -> Result<Run, BlockError> {
        // On the parent's state, before this block's own certificate news and deadlines.
        let next_seats = validators::handover(&self.state.tables, height);
        let gap = self.outage_gap(time_ms);
        let dump = next_seats.is_some().then(|| self.state.dump());
        let chain = self.chain;
        let tables = &mut self.state.tables;
        if let Some(certificate) = &system.parent_certificate {
            validators::note_alive(tables, certificate);
            tables.keep_record();
        }
        let mut leaves = Vec::new();
        if let Some(gap_ms) = gap {
            let event = apply::lengthen(tables, time_ms, gap_ms);
            tables.keep_record();
            leaves.push(event.leaf());
        }
        let (events, left_over) = apply::run_due(tables, chain, height, time_ms, apply::EVENTS_MAX);
        leaves.extend(events.iter().map(Event::leaf));
        let handover = next_seats.filter(|_| !left_over);
        if handover.is_some() && !system.evidence.is_empty() {
            return Err(BlockError::System {
                height,
                why: "a handover block holds no evidence".into(),
            });
        }
        for evidence in &system.evidence {
            take_evidence(tables, &chain, height, evidence)?;
            leaves.push(evidence.leaf());
        }
        let mut outcomes = Vec::new();
        let closed_to_records = left_over || handover.is_some();
        let mut next_policy = None;
        if let Some(next) = handover {
            let dump = dump.unwrap_or_default();
            let epoch = tables.chain.get(&0).map_or(0, |facts| facts.epoch);
            let mut tree = Frontier::new();
            for row in &dump {
                tree.append(leaf_hash(&encode(row)));
            }
            let body = EventBody::EpochDump {
                epoch,
                rows: dump.len() as u64,
                root: tree.root(),
            };
            leaves.push(
                Event {
                    due_ms: time_ms,
                    body,
                }
                .leaf(),
            );
            let policy_index = self.frontier.size() + leaves.len() as u64;
            let policy = next_epoch(&self.policy, tables, &next, height, policy_index);
            tables.keep_record();
            leaves.push(policy.render().into_bytes());
            next_policy = Some(policy);
        }
        if !closed_to_records {
            records(tables, chain, &mut outcomes, &mut leaves)?;
        }
        Ok(Run {
            leaves,
            outcomes,
            next_policy,
            closed_to_records,
        })
    }

    fn outage_gap(&self, time_ms: u64) -> Option<u64> {
        let gap = time_ms.checked_sub(self.tip.seal.time_ms)?;
        let limit = self.charter()?.chain.outage_gap_ms?;
        // Between seal 0 and the first block nothing runs that an outage could shorten.
        (gap > limit && self.height() > 0).then_some(gap)
    }

    fn seal(
        &mut self,
        run: Run,
        height: u64,
        time_ms: u64,
        system: &SystemSection,
        body: Vec<u8>,
    ) -> Result<Execution, BlockError> {
        let protocol = self.next_protocol()?;
        let changes = self
            .state
            .take_changes(&apply::outcome_bytes(&run.outcomes));
        let mut frontier = self.frontier.clone();
        let first_leaf = frontier.size();
        let mut nodes = Vec::new();
        let mut leaves = run.leaves;
        for leaf in &leaves {
            nodes.extend(frontier.append(leaf_hash(leaf)));
        }
        let leaf_count = u32::try_from(leaves.len()).map_err(|error| BlockError::Internal {
            height,
            why: error.to_string(),
        })?;
        let seal = Seal {
            protocol,
            height,
            time_ms,
            parent: self.tip.block,
            first_leaf,
            leaf_count,
            body: sha256(&body),
            log_root: frontier.root(),
            state_root: changes.state_root,
            work_digest: changes.work_digest,
            policy: self.policy.digest(),
            parent_certificate: system
                .parent_certificate
                .as_ref()
                .map_or(Hash::ZERO, Certificate::digest),
        };
        let leaf = seal.leaf();
        nodes.extend(frontier.append(leaf_hash(&leaf)));
        leaves.push(leaf);
        Ok(Execution {
            seal,
            body,
            leaves,
            outcomes: run.outcomes,
            nodes,
            changes,
            next_policy: run.next_policy,
            handover: system.handover.clone(),
            frontier,
        })
    }
}

struct Run {
    leaves: Vec<Vec<u8>>,
    outcomes: Vec<(Hash, Outcome)>,
    next_policy: Option<EpochPolicy>,
    closed_to_records: bool,
}

fn expect<T: PartialEq + std::fmt::Display>(
    height: u64,
    field: &'static str,
    found: T,
    expected: T,
) -> Result<(), BlockError> {
    if found == expected {
        return Ok(());
    }
    Err(BlockError::Field {
        height,
        field,
        found: found.to_string(),
        expected: expected.to_string(),
    })
}

/// Compares a recomputed seal with the proposed one, field by field, for an error that says where
/// they part.
fn compare(ours: &Seal, theirs: &Seal) -> Result<(), BlockError> {
    let height = ours.height;
    expect(height, "first_leaf", theirs.first_leaf, ours.first_leaf)?;
    expect(height, "leaf_count", theirs.leaf_count, ours.leaf_count)?;
    expect(height, "log_root", theirs.log_root, ours.log_root)?;
    expect(height, "state_root", theirs.state_root, ours.state_root)?;
    expect(height, "work_digest", theirs.work_digest, ours.work_digest)?;
    expect(
        height,
        "parent_certificate",
        theirs.parent_certificate,
        ours.parent_certificate,
    )?;
    expect(height, "block id", theirs.id(), ours.id())
}

fn take_evidence(
    tables: &mut StateTables,
    chain: &Hash,
    height: u64,
    evidence: &Evidence,
) -> Result<(), BlockError> {
    let wrong = |why: String| Err(BlockError::System { height, why });
    let digest = sha256(&encode(evidence));
    if tables.evidence.contains(&digest) {
        return wrong("the evidence is in the log already".into());
    }
    if evidence.height() >= height {
        return wrong("the evidence is about a height that is not decided".into());
    }
    // The consensus key of the accused in the epoch of the offence.
    let key = tables
        .epochs
        .iter()
        .filter(|(_, epoch)| epoch.first_height <= evidence.height())
        .last()
        .and_then(|(_, epoch)| {
            epoch
                .validators
                .iter()
                .find(|v| v.organisation == evidence.culprit())
        })
        .map(|validator| validator.consensus);
    let Some(key) = key else {
        return wrong(format!(
            "organisation {} was no validator then",
            evidence.culprit()
        ));
    };
    if evidence.verify(chain, &key).is_err() {
        return wrong("a signature of the evidence does not verify".into());
    }
    tables.evidence.put(digest, evidence.culprit());
    tables.keep_record();
    Ok(())
}

/// Derives the next policy and writes the facts of the new epoch.
fn next_epoch(
    current: &EpochPolicy,
    tables: &mut StateTables,
    next: &[u32],
    height: u64,
    policy_index: u64,
) -> EpochPolicy {
    let epoch = current.epoch + 1;
    let validators: Vec<PolicyValidator> = next
        .iter()
        .filter_map(|organisation| {
            tables
                .nodes
                .get(organisation)
                .map(|node| (*organisation, node))
        })
        .enumerate()
        .map(|(i, (org, node))| PolicyValidator {
            name: format!("V{}", i + 1),
            org,
            consensus: node.consensus,
            cosigner: node.cosigner,
            log: node.log,
            url: node.url.as_str().to_owned(),
        })
        .collect();
    let policy = EpochPolicy {
        epoch,
        origin: current.origin.clone(),
        previous: Some(current.digest()),
        // RULINGS A3: the size of the handover block's checkpoint, policy leaf and seal included.
        valid_from_size: policy_index + 2,
        genesis: None,
        validators,
        witnesses: current.witnesses.clone(),
    };
    let facts = EpochFacts {
        policy: policy.digest(),
        first_height: height + 1,
        valid_from_size: policy.valid_from_size,
        validators: policy
            .validators
            .iter()
            .map(|validator| EpochValidator {
                organisation: validator.org,
                consensus: validator.consensus,
            })
            .collect(),
    };
    validators::carry_out(tables, next);
    tables.epochs.put(epoch, facts);
    tables.policies.put(epoch, policy.render().into_bytes());
    if let Some(mut chain) = tables.chain.get(&0).cloned() {
        chain.epoch = epoch;
        chain.handover_height = height;
        tables.chain.put(0, chain);
    }
    policy
}
