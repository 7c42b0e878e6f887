//! Blocks: built by a proposer, executed by everybody else, by the same code.

use rollbook_proof::chain::{Certificate, Effects, Leaf, ReadClass, RecordLeaf, Seal};
use rollbook_proof::codec::{DecodeError, decode, encode};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::log::{EpochPolicy, Frontier, leaf_hash};
use rollbook_proof::number::{EpochId, LedgerTime};

use crate::apply;
use crate::block::{
    BODY_MAX_BYTES, BODY_MAX_RECORDS, BODY_MAX_SIGNATURES, BlockBody, SystemSection,
};
use crate::event::{Event, EventBody};
use crate::ledger::error::{compare, expect};
use crate::ledger::handover::next_epoch;
use crate::ledger::system::take_evidence;
use crate::ledger::{BlockError, Built, Execution, Ledger};
use crate::record::{RECORD_MAX_BYTES, Record, SignedBytes};
use crate::refusal::{Outcome, Refusal};
use crate::rules::network::{turns, validators};
use crate::state::StateTables;
use crate::tx::{BlockContext, Tx, Verify};

/// What a block came to before its seal.
struct Run {
    leaves: Vec<Leaf>,
    /// Leaves before the first record.
    before: usize,
    /// Read classes of the records, in order.
    classes: Vec<ReadClass>,
    outcomes: Vec<(Hash, Outcome)>,
    /// Steps before the first record, and after each.
    step_ends: Vec<usize>,
    /// The same of its postings.
    posting_ends: Vec<usize>,
    next_policy: Option<EpochPolicy>,
    /// Due deadlines are left over, or the block is a handover: it holds no records.
    closed_to_records: bool,
}

impl Run {
    /// Applies a record and takes its leaf and outcome. A refused record leaves nothing.
    fn record(
        &mut self,
        tables: &mut StateTables,
        block: BlockContext,
        record: &Record,
        signed: &SignedBytes,
        leaf: Leaf,
        verifier: &mut dyn Verify,
    ) -> Result<(), Refusal> {
        let outcome = apply::apply_signed(tables, block, record, signed, verifier)?;
        self.outcomes.push((signed.id, outcome));
        self.step_ends.push(tables.steps_taken());
        self.posting_ends.push(tables.postings_made());
        self.classes.push(leaf.class);
        self.leaves.push(leaf);
        Ok(())
    }

    /// The leaves that say which records had no effect: one for each read class that there is, that
    /// of public records first (RULINGS A35, A58).
    fn effects(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for class in ReadClass::ALL {
            let mut records = Vec::new();
            for ((place, (id, outcome)), of) in (0..).zip(&self.outcomes).zip(&self.classes) {
                if *of == class {
                    records.push((place, *id, outcome.not_counted()));
                }
            }
            if !records.is_empty() {
                let clear = Effects::of(class, self.before as u32, &records).leaf();
                leaves.push(Leaf { clear, class });
            }
        }
        leaves
    }
}

impl Ledger {
    /// Builds the next block: `time_ms` (moved after the parent if it is not), the system section,
    /// and as many of the candidates, in order, as apply and fit.
    pub fn build(
        &mut self,
        time_ms: LedgerTime,
        system: SystemSection,
        candidates: &[Record],
        verifier: &mut dyn Verify,
    ) -> Result<Built, BlockError> {
        let block = self.next_block(time_ms.max(self.tip.seal.time_ms.plus_ms(1)));
        let empty = encode(&BlockBody {
            system: system.clone(),
            records: Vec::new(),
        })
        .len();
        let (mut size, mut signatures, mut chosen, mut refused, mut taken) =
            (empty, 0, Vec::new(), Vec::new(), 0);
        let mut run = self.begin(block, &system)?;
        let candidates = if run.closed_to_records {
            &[]
        } else {
            candidates
        };
        for record in candidates {
            let signed = SignedBytes::of(record);
            let leaf = signed.leaf(record);
            let length = leaf.clear.len() - RecordLeaf::HEAD;
            let fits = length <= RECORD_MAX_BYTES
                && size + length <= BODY_MAX_BYTES
                && signatures + record.signatures.len() <= BODY_MAX_SIGNATURES
                && chosen.len() < BODY_MAX_RECORDS;
            if !fits {
                break;
            }
            taken += 1;
            let tables = &mut self.state.tables;
            match run.record(tables, block, record, &signed, leaf, verifier) {
                Ok(()) => {
                    size += length;
                    signatures += record.signatures.len();
                    chosen.push(record.clone());
                }
                Err(refusal) => refused.push((signed.id, refusal)),
            }
        }
        let body = encode(&BlockBody {
            system: system.clone(),
            records: chosen,
        });
        let execution = self.seal(run, block, &system, body)?;
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
        let height = self.height().next();
        expect(height, "protocol", seal.protocol, self.next_protocol()?)?;
        expect(height, "height", seal.height, height)?;
        expect(height, "parent", seal.parent, self.tip.block)?;
        if seal.time_ms <= self.tip.seal.time_ms {
            return Err(BlockError::Field {
                height,
                field: "time_ms",
                found: seal.time_ms.0.to_string(),
                expected: format!("more than {}", self.tip.seal.time_ms.0),
            });
        }
        expect(height, "policy", seal.policy, self.policy.digest())?;
        expect(height, "body", seal.body, sha256(body))?;
        let BlockBody { system, records } = decoded.map_err(|error| BlockError::Body {
            height,
            why: error.to_string(),
        })?;
        let context = self.next_block(seal.time_ms);
        let mut run = self.begin(context, &system)?;
        if run.closed_to_records && !records.is_empty() {
            self.state.tables.drop_block();
            return Err(BlockError::System {
                height,
                why: "a block with due deadlines left over, or a handover, holds no records".into(),
            });
        }
        for (index, record) in records.iter().enumerate() {
            let signed = SignedBytes::of(record);
            let leaf = signed.leaf(record);
            let tables = &mut self.state.tables;
            if let Err(refusal) = run.record(tables, context, record, &signed, leaf, verifier) {
                self.state.tables.drop_block();
                return Err(BlockError::Record {
                    height,
                    index,
                    refusal,
                });
            }
        }
        let execution = self.seal(run, context, &system, body.to_vec())?;
        compare(&execution.seal, seal)?;
        self.keep(execution);
        Ok(block)
    }

    /// Everything of a block before its records. The tables hold the block overlay afterwards; on
    /// an error they are at the tip again.
    fn begin(&mut self, block: BlockContext, system: &SystemSection) -> Result<Run, BlockError> {
        self.next_protocol()?;
        if block.now > LedgerTime::LAST {
            return Err(BlockError::Field {
                height: block.height,
                field: "time_ms",
                found: block.now.0.to_string(),
                expected: format!("at most {}", LedgerTime::LAST.0),
            });
        }
        self.check_system(block.height, system)?;
        let result = self.begin_unguarded(block, system);
        if result.is_err() {
            self.state.tables.drop_block();
        }
        result
    }

    /// [`Ledger::begin`] without the way back on an error.
    fn begin_unguarded(
        &mut self,
        block: BlockContext,
        system: &SystemSection,
    ) -> Result<Run, BlockError> {
        // On the parent's state, before this block's own certificate news and deadlines.
        let next_seats = validators::handover(&self.state.tables, block.height);
        let gap = self.outage_gap(block.now);
        let dump = next_seats.is_some().then(|| self.state.dump());
        let tables = &mut self.state.tables;
        if let Some(certificate) = &system.parent_certificate {
            let mut tx = Tx::of_block(tables, block);
            validators::note_alive(&mut tx, certificate);
            turns::count(&mut tx, certificate);
            tx.keep();
        }
        let mut leaves: Vec<Leaf> = Vec::new();
        if let Some(gap_ms) = gap {
            let mut tx = Tx::of_block(tables, block);
            let event = apply::lengthen(&mut tx, gap_ms);
            tx.keep();
            leaves.push(event.leaf());
        }
        // The outage and the dump of a handover are events, too.
        let room = apply::EVENTS_MAX - leaves.len() - usize::from(next_seats.is_some());
        let (events, left_over) = apply::run_due(tables, block, room);
        leaves.extend(events.iter().map(Event::leaf));
        let handover = next_seats.filter(|_| !left_over);
        if handover.is_some() && !system.evidence.is_empty() {
            return Err(BlockError::System {
                height: block.height,
                why: "a handover block holds no evidence".into(),
            });
        }
        for evidence in &system.evidence {
            take_evidence(tables, block, evidence)?;
            leaves.push(Leaf::public(evidence.leaf()));
        }
        let closed_to_records = left_over || handover.is_some();
        let mut next_policy = None;
        if let Some(next) = handover {
            let dump = dump.unwrap_or_default();
            let epoch = tables.chain.get(&0).map_or(EpochId(0), |facts| facts.epoch);
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
                    due_ms: block.now,
                    body,
                }
                .leaf(),
            );
            let policy_index = self.frontier.size() + leaves.len() as u64;
            let mut tx = Tx::of_block(tables, block);
            let policy =
                next_epoch(&mut tx, &self.policy, &next, policy_index).map_err(|refusal| {
                    BlockError::Internal {
                        height: block.height,
                        why: refusal.to_string(),
                    }
                })?;
            tx.keep();
            leaves.push(Leaf::public(policy.render().into_bytes()));
            next_policy = Some(policy);
        }
        let mut tx = Tx::of_block(tables, block);
        turns::settle(&mut tx);
        tx.keep();
        Ok(Run {
            before: leaves.len(),
            classes: Vec::new(),
            leaves,
            outcomes: Vec::new(),
            step_ends: vec![self.state.tables.steps_taken()],
            posting_ends: vec![self.state.tables.postings_made()],
            next_policy,
            closed_to_records,
        })
    }

    fn seal(
        &mut self,
        run: Run,
        block: BlockContext,
        system: &SystemSection,
        body: Vec<u8>,
    ) -> Result<Execution, BlockError> {
        let protocol = self.next_protocol()?;
        let effects = run.effects();
        let mut leaves = run.leaves;
        leaves.extend(effects);
        let hidden: Vec<Hash> = leaves
            .iter()
            .filter(|leaf| leaf.class == ReadClass::Members)
            .map(|leaf| sha256(&leaf.clear))
            .collect();
        let changes = self
            .state
            .take_changes(&apply::outcome_bytes(&run.outcomes), &hidden);
        let mut frontier = self.frontier.clone();
        let first_leaf = frontier.size();
        let mut nodes = Vec::new();
        for leaf in &leaves {
            nodes.extend(frontier.append(leaf_hash(&leaf.logged())));
        }
        let leaf_count = u32::try_from(leaves.len()).map_err(|error| BlockError::Internal {
            height: block.height,
            why: error.to_string(),
        })?;
        let seal = Seal {
            protocol,
            height: block.height,
            time_ms: block.now,
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
        leaves.push(Leaf::public(leaf));
        Ok(Execution {
            seal,
            body,
            leaves,
            outcomes: run.outcomes,
            nodes,
            changes,
            step_ends: run.step_ends,
            posting_ends: run.posting_ends,
            next_policy: run.next_policy,
            handover: system.handover.clone(),
            frontier,
        })
    }
}
