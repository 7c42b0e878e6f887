//! [`App`] on the ledger: what the simulator and the node run alike.
//!
//! Adds what the ledger leaves to its host: a verifier, and an [`Outbox`] with what the host hands
//! on: the ids of admitted records, and the committed executions for the store.

use rollbook_core::block::{BlockBody, SystemSection};
use rollbook_core::id::PersonId;
use rollbook_core::ledger;
use rollbook_core::ledger::{Ledger, Tip};
use rollbook_core::lookup::rights;
use rollbook_core::object::turn::Turns;
use rollbook_core::presume;
use rollbook_core::presume::Presumed;
use rollbook_core::record::Record;
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::state::StateTables;
use rollbook_core::tx::{Tx, Verify};
use rollbook_proof::chain::{Certificate, Seal};
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, VerifierCache};
use rollbook_proof::log;
use rollbook_proof::log::{EpochPolicy, KeyType, PolicyValidator, VerifierKey};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::app::{App, BlockCheckpoint, BlockVerdict, BuiltBlock, NewTip, Refused, Validator};

/// Signatures inside acts that are verified ahead of a round of records that were handed in: a tenth of a
/// second of one core.
const INNER_AT_ONCE: usize = 512;

/// What records are offered for: who looks ahead leaves out what cannot apply there.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// The chain.
    pub chain: Hash,
    /// What ended before this applies no more.
    pub now: LedgerTime,
    /// Signatures inside acts that are verified ahead at most.
    pub inner: usize,
}

/// A verifier that may look at all records of a body before they are judged one by one.
pub trait Ahead: Verify {
    /// What is found good here need not be verified again. Answers never depend on it.
    fn ahead(&mut self, _offer: &Offer, _tables: &StateTables, _records: &[&Record]) {}
}

impl Ahead for VerifierCache {}

/// What leaves the ledger for its host, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Ids of records that were found admissible.
    pub admitted: Vec<Hash>,
    /// Blocks that were committed, each with its certificate.
    pub committed: Vec<(ledger::Committed, Certificate)>,
}

/// The ledger behind a replica.
pub struct LedgerApp<V = VerifierCache> {
    ledger: Ledger,
    verifier: V,
    outbox: Outbox,
}

impl<V> std::fmt::Debug for LedgerApp<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerApp")
            .field("height", &self.ledger.height())
            .finish_non_exhaustive()
    }
}

impl LedgerApp {
    /// Around a ledger at its tip.
    pub fn new(ledger: Ledger) -> Self {
        Self::with_verifier(ledger, VerifierCache::default())
    }
}

impl<V: Ahead> LedgerApp<V> {
    /// The same with another verifier: the simulator's memo, the node's.
    pub fn with_verifier(ledger: Ledger, verifier: V) -> Self {
        LedgerApp {
            ledger,
            verifier,
            outbox: Outbox::default(),
        }
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The verifier.
    pub fn verifier_mut(&mut self) -> &mut V {
        &mut self.verifier
    }

    /// Lets the verifier look at the records of a body before they are judged one by one.
    pub fn verify_ahead(&mut self, records: &[&Record]) {
        // A body is a validator's, and bounded.
        self.offered(records, self.ledger.tip().seal.time_ms, usize::MAX);
    }

    /// The same with records that anybody hands in at this ledger time: of what is inside acts so much.
    pub fn verify_offered(&mut self, records: &[&Record], now: LedgerTime) {
        self.offered(records, now, INNER_AT_ONCE);
    }

    fn offered(&mut self, records: &[&Record], now: LedgerTime, inner: usize) {
        let chain = self.ledger.chain();
        let offer = Offer { chain, now, inner };
        self.verifier.ahead(&offer, self.ledger.tables(), records);
    }

    /// Judges a record on the tip and keeps nothing: what would come of it, or the rule it breaks.
    pub fn judge(&mut self, record: Record, now_ms: u64) -> Result<Outcome, Refusal> {
        self.ledger
            .admit_decoded(record, LedgerTime(now_ms), &mut self.verifier)
            .map(|admitted| admitted.outcome)
    }

    /// Lets somebody look at the tip as a rule does; nothing is written.
    pub fn look<R>(&mut self, look: impl FnOnce(&Tx) -> R) -> R {
        self.ledger.look(look)
    }

    /// What a record would come to if everybody had signed who has to, for who may learn it; nothing
    /// is kept.
    pub fn presume(
        &mut self,
        record: &Record,
        now_ms: u64,
        reader: Option<PersonId>,
    ) -> Option<Presumed> {
        let (ledger, verifier) = (&mut self.ledger, &mut self.verifier);
        let now = LedgerTime(now_ms);
        presume::may_learn(ledger, record, now, reader, verifier)
            .then(|| presume::presume(ledger, record, now, verifier))
    }

    /// What has left the ledger since the last call. Take it after every step: it grows until
    /// then.
    pub fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }
}

/// The replica's form of a policy's validators.
fn seats(policy: &EpochPolicy) -> Vec<Validator> {
    let of = |v: &PolicyValidator| Validator {
        organisation: v.org,
        consensus: v.consensus,
        cosigner: v.cosigner,
        log: v.log,
    };
    policy.validators.iter().map(of).collect()
}

/// What the ledger says of a block, and what it says of this program.
fn verdict(error: ledger::BlockError) -> BlockVerdict {
    match error {
        ledger::BlockError::Protocol(_) | ledger::BlockError::Internal { .. } => {
            BlockVerdict::Fault(error.to_string())
        }
        _ => BlockVerdict::Invalid(error.to_string()),
    }
}

fn note(checkpoint: &BlockCheckpoint) -> log::Checkpoint {
    log::Checkpoint {
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        root: checkpoint.root,
    }
}

impl<V: Ahead> App for LedgerApp<V> {
    fn tip(&self) -> Tip {
        self.ledger.tip().clone()
    }

    fn chain(&self) -> Hash {
        self.ledger.chain()
    }

    fn validators(&self) -> Vec<Validator> {
        seats(self.ledger.policy())
    }

    fn turns(&self) -> Turns {
        self.ledger.turns()
    }

    fn tip_validators(&self) -> Vec<Validator> {
        seats(self.ledger.tip_policy())
    }

    fn checkpoint(&self) -> BlockCheckpoint {
        let log::Checkpoint { origin, size, root } = self.ledger.checkpoint();
        BlockCheckpoint {
            height: self.ledger.height(),
            origin,
            size,
            root,
        }
    }

    fn policy_digest(&self) -> Hash {
        self.ledger.policy().digest()
    }

    fn beyond(&self) -> Option<String> {
        self.ledger
            .next_protocol()
            .err()
            .map(|error| error.to_string())
    }

    fn has_turn(&self, organisation: OrganisationId) -> bool {
        rights::has_turn(self.ledger.tables(), organisation)
    }

    fn admit(&mut self, record: &Record, now_ms: u64) -> Result<(), Refused> {
        let admitted =
            self.ledger
                .admit_decoded(record.clone(), LedgerTime(now_ms), &mut self.verifier);
        let admitted = admitted.map_err(|refusal| Refused {
            refusal,
            height: self.ledger.height(),
        })?;
        self.outbox.admitted.push(admitted.id);
        Ok(())
    }

    fn build(
        &mut self,
        time_ms: LedgerTime,
        system: SystemSection,
        candidates: &[Record],
    ) -> Result<BuiltBlock, BlockVerdict> {
        let height = self.ledger.height();
        let built = self
            .ledger
            .build(time_ms, system, candidates, &mut self.verifier)
            .map_err(verdict)?;
        Ok(BuiltBlock {
            body: built.execution.body,
            seal: built.execution.seal,
            left_out: built
                .refused
                .into_iter()
                .map(|(id, refusal)| (id, Refused { refusal, height }))
                .collect(),
        })
    }

    fn execute(&mut self, body: &[u8], seal: &Seal) -> Result<(), BlockVerdict> {
        // Asked again at the decision: what was executed needs no second look.
        if self.ledger.pending(&seal.id()).is_some() {
            return Ok(());
        }
        let decoded = decode::<BlockBody>(body);
        if let Ok(decoded) = &decoded {
            self.verify_ahead(&decoded.records.iter().collect::<Vec<_>>());
        }
        self.ledger
            .execute_decoded(body, decoded, seal, &mut self.verifier)
            .map(drop)
            .map_err(verdict)
    }

    fn commit(&mut self, block: &Hash, certificate: &Certificate) -> Result<NewTip, BlockVerdict> {
        let committed = self.ledger.commit(block).map_err(verdict)?;
        let records = committed
            .execution
            .outcomes
            .iter()
            .map(|(id, _)| *id)
            .collect();
        let handover = committed.handover;
        self.outbox.committed.push((committed, certificate.clone()));
        Ok(NewTip {
            records,
            handover,
            checkpoint: self.checkpoint(),
        })
    }

    fn next_deadline(&self) -> Option<LedgerTime> {
        self.ledger.next_deadline()
    }

    fn handover_due(&self) -> bool {
        self.ledger.handover_due()
    }

    fn needs_handover_checkpoint(&self) -> bool {
        self.ledger.needs_handover_checkpoint()
    }

    fn cosignature_message(
        &self,
        checkpoint: &BlockCheckpoint,
        _organisation: OrganisationId,
        time_s: u64,
    ) -> Option<Vec<u8>> {
        note(checkpoint).cosigned(time_s)
    }

    fn log_message(&self, checkpoint: &BlockCheckpoint) -> Vec<u8> {
        VerifierKey::sign_bytes(KeyType::Log, &note(checkpoint).text(), 0)
    }
}
