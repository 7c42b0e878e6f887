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
//! Here: the ledger at its tip. `execute` builds and executes blocks, `system` judges what a block
//! holds beside records, `handover` derives the next epoch.
//!
//! Absent on purpose: clocks, mempools, votes. The host has them.

use std::collections::BTreeMap;

use rollbook_proof::chain::{HandoverCheckpoint, Leaf, Seal, ValidatorKey};
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::{Checkpoint, Clock, EpochPolicy, Frontier, NewNode};
use rollbook_proof::number::{EpochId, Height, LedgerTime, OrganisationId, ProtocolVersion};

use crate::charter::Charter;
use crate::genesis::{Genesis, GenesisError};
use crate::lookup::protocol::PROTOCOL;
use crate::object::turn::{Missed, Turns};
use crate::record::{Record, SignedBytes};
use crate::refusal::{Outcome, Refusal};
use crate::rules::network::validators;
use crate::state::{Changes, Row, State, StateLoader, StateTables};
use crate::step::{Posted, Step};
use crate::tx::{BlockContext, Tx, Verify};
use crate::{apply, lookup};

mod error;
mod execute;
mod handover;
mod system;

pub use error::{BlockError, UnknownProtocol};

/// Most executions kept aside at one height (RULINGS A19: undecided bodies).
const PENDING_MAX: usize = 16;
/// Most events of the clock that are acted out to judge one record beforehand.
const DUE_MAX: usize = 64;

/// Where the chain stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The newest seal.
    pub seal: Seal,
    /// Its block id.
    pub block: Hash,
}

/// One executed block, not yet decided.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The seal.
    pub seal: Seal,
    /// The body bytes.
    pub body: Vec<u8>,
    /// Every leaf of the block, in clear, the seal's last.
    pub leaves: Vec<Leaf>,
    /// Record ids and outcomes, in order.
    pub outcomes: Vec<(Hash, Outcome)>,
    /// Log nodes that became final.
    pub nodes: Vec<NewNode>,
    /// The state's changes.
    pub changes: Changes,
    /// How many of the block's steps had been taken before its first record, and after each.
    pub(crate) step_ends: Vec<usize>,
    /// The same of its postings.
    pub(crate) posting_ends: Vec<usize>,
    /// The policy that this block hands over to.
    pub next_policy: Option<EpochPolicy>,
    /// The cosigned checkpoint of the handover before it, if it carries one.
    pub handover: Option<HandoverCheckpoint>,
    frontier: Frontier,
}

impl Execution {
    /// What record `place` of the block moved.
    pub fn steps_of(&self, place: usize) -> &[Step] {
        let end = |at: usize| self.step_ends.get(at).copied();
        let range = end(place).zip(end(place + 1));
        let steps = range.and_then(|(from, to)| self.changes.steps.get(from..to));
        steps.unwrap_or_default()
    }

    /// What record `place` of the block posted.
    pub fn postings_of(&self, place: usize) -> &[Posted] {
        let end = |at: usize| self.posting_ends.get(at).copied();
        let range = end(place).zip(end(place + 1));
        let postings = range.and_then(|(from, to)| self.changes.postings.get(from..to));
        postings.unwrap_or_default()
    }

    /// What the clock posted before its records.
    pub fn postings_of_clock(&self) -> &[Posted] {
        let end = self.posting_ends.first().copied().unwrap_or_default();
        self.changes.postings.get(..end).unwrap_or_default()
    }

    /// What the clock moved before its records.
    pub fn steps_of_clock(&self) -> &[Step] {
        let end = self.step_ends.first().copied().unwrap_or_default();
        self.changes.steps.get(..end).unwrap_or_default()
    }
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
    /// What it would move.
    pub steps: Vec<Step>,
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
    known: ProtocolVersion,
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
        Ok((ledger, opened.changes.rows))
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
        error::expect(height, "state_root", state.root(), seal.state_root)?;
        error::expect(height, "log size", frontier.size(), seal.checkpoint_size())?;
        let epoch = state
            .tables
            .chain
            .get(&0)
            .map_or(EpochId(0), |facts| facts.epoch);
        let policy_of = |epoch: EpochId| -> Result<EpochPolicy, BlockError> {
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
            Some(policy_of(epoch.before().unwrap_or(epoch))?)
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
    pub fn knowing(mut self, known: ProtocolVersion) -> Ledger {
        self.known = known.min(PROTOCOL);
        self
    }

    /// The rule version of the next block, unless this build does not have it.
    pub fn next_protocol(&self) -> Result<ProtocolVersion, UnknownProtocol> {
        let height = self.height().next();
        let tables = &self.state.tables;
        let protocol = lookup::protocol::at(tables, height);
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
    pub fn height(&self) -> Height {
        self.tip.seal.height
    }

    /// The state at the tip.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The working and proved tables at the tip; the ledger ends.
    pub fn into_tables(self) -> StateTables {
        self.state.tables
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
        self.state.tables.parameters.get(&facts.charter)
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

    /// Who proposes the next height, in which order (RULINGS A56).
    pub fn turns(&self) -> Turns {
        let height = self.height().next();
        let turns = self.state.tables.turns.get(&height).cloned();
        // Every state since genesis has the row.
        turns.unwrap_or_else(|| Turns::of(&validators::current(self.tables()), height, |_| None))
    }

    /// Which seats stand behind at the next height, and what they missed (RULINGS A56).
    pub fn behind(&self) -> Vec<(OrganisationId, Missed)> {
        let tables = self.tables();
        let seats = validators::current(tables);
        let missed = |seat| tables.missed.get(&seat).copied();
        Turns::behind(&seats, self.height().next(), missed)
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
    pub fn next_deadline(&self) -> Option<LedgerTime> {
        apply::next_deadline(&self.state.tables)
    }

    /// Whether the next block must be a handover.
    pub fn handover_due(&self) -> bool {
        validators::handover(&self.state.tables, self.height().next()).is_some()
    }

    /// Whether the next block must carry a handover checkpoint: the tip is a handover block.
    pub fn needs_handover_checkpoint(&self) -> bool {
        self.previous_policy.is_some()
    }

    /// Where the next block stands, at ledger time `now`.
    fn next_block(&self, now: LedgerTime) -> BlockContext {
        BlockContext {
            chain: self.chain,
            height: self.height().next(),
            now,
        }
    }

    /// Lets somebody look at the tip as a rule does; nothing is written.
    pub fn look<R>(&mut self, look: impl FnOnce(&Tx) -> R) -> R {
        let block = self.next_block(self.tip.seal.time_ms);
        look(&Tx::of_block(&mut self.state.tables, block))
    }

    /// Decodes and judges a record as the next block would at ledger time `now`, without keeping
    /// anything.
    pub fn admit(
        &mut self,
        bytes: &[u8],
        now: LedgerTime,
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
        now: LedgerTime,
        verifier: &mut dyn Verify,
    ) -> Result<Admitted, Refusal> {
        let signed = SignedBytes::of(&record);
        let id = signed.id;
        let block = self.next_block(now.max(self.tip.seal.time_ms.plus_ms(1)));
        self.act_on_due(block);
        let tables = &mut self.state.tables;
        let result = apply::apply_signed(tables, block, &record, &signed, verifier);
        let steps = tables.take_steps();
        // Whatever it wrote went to the block overlay; the tip stays as it is.
        tables.drop_block();
        Ok(Admitted {
            id,
            outcome: result?,
            record,
            steps,
        })
    }

    /// Acts on what is due before the records of `block`, so that on a quiet chain a record meets the
    /// state that the next block gives it, not that of the newest one. Where very much is due the
    /// next blocks are full of it: then the tip stands.
    fn act_on_due(&mut self, block: BlockContext) {
        // After an outage every deadline is later by the gap.
        if self.next_deadline().is_none_or(|due| due >= block.now)
            || self.outage_gap(block.now).is_some()
        {
            return;
        }
        let tables = &mut self.state.tables;
        let (_, left_over) = apply::run_due(tables, block, DUE_MAX);
        if left_over {
            tables.drop_block();
        }
        drop((tables.take_steps(), tables.take_postings()));
    }

    /// Makes an executed block the tip, under its verified certificate.
    pub fn commit(&mut self, block: &Hash) -> Result<Committed, BlockError> {
        let height = self.height().next();
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
}
