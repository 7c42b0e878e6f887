//! A small ledger for the simulator: real seals, certificates, handovers and evidence over records
//! that only say "I was here".
//!
//! It stands in for `rollbook_core::ledger::Ledger` and checks certificates by itself, so that a
//! fault of the shared code does not hide behind itself. Records of principal 1,000 + v toggle the
//! seat of organisation v at the next block.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rollbook_core::block::{BlockBody, SystemSection};
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::ledger::Tip;
use rollbook_core::object::turn::Turns;
use rollbook_core::record::{Body, Capacity, OrganisationAct, Payload, Record, SignatureEntry};
use rollbook_core::refusal::Refusal;
use rollbook_node::replica::{
    App, BlockCheckpoint, BlockVerdict, BuiltBlock, Keys, NewTip, Refused, Validator,
};
use rollbook_proof::chain::{Certificate, Evidence, Seal, Vote, VoteKind, quorum};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, PublicKey, sha256, sha256_parts, tagged};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId, ProtocolVersion};

use rollbook_sandbox::sign::sample_nonce;

use super::ledger::SimLedger;
use super::memo;
use super::plan::Plan;
use super::random::Random;

/// Time of the genesis seal: 2026-01-01T00:00Z.
const GENESIS_MS: u64 = 1_767_225_600_000;

/// What all nodes of a chain start from.
#[derive(Debug)]
pub struct Genesis {
    /// Genesis hash.
    pub chain: Hash,
    /// Time of the genesis seal.
    pub time_ms: u64,
    /// First validators.
    pub validators: Vec<Validator>,
    /// Everybody who may get a seat.
    pub registered: BTreeMap<OrganisationId, Validator>,
    /// A clock event every so many milliseconds of ledger time.
    pub deadline_every_ms: Option<u64>,
    /// A planted fault that decides with 2f must not trip over its own certificates before it forks.
    pub two_f: bool,
    officer: Keypair,
    officer_key: PublicKey,
}

/// First principal that toggles a seat.
pub const TOGGLE: u32 = 1_000;

impl Genesis {
    /// A chain with seats for organisations 1 to `validators`, and `registered` organisations in
    /// all.
    pub fn new(
        validators: u32,
        registered: u32,
        time_ms: u64,
        deadline_every_ms: Option<u64>,
        two_f: bool,
    ) -> Rc<Genesis> {
        let officer = Keypair::derive(b"simulator", "officer");
        let all: BTreeMap<OrganisationId, Validator> = (1..=registered)
            .map(|organisation| {
                let keys = node_keys(organisation);
                (
                    OrganisationId(organisation),
                    Validator {
                        organisation: OrganisationId(organisation),
                        consensus: keys.consensus(),
                        cosigner: keys.cosigner(),
                        log: keys.log(),
                    },
                )
            })
            .collect();
        Rc::new(Genesis {
            chain: sha256(b"simulated chain"),
            time_ms,
            validators: all.values().take(validators as usize).copied().collect(),
            registered: all,
            deadline_every_ms,
            two_f,
            officer_key: officer.public(),
            officer,
        })
    }

    /// A signed record.
    pub fn record(&self, principal: u32, sequence: u64, valid_until_ms: u64) -> Vec<u8> {
        let payload = Payload {
            chain: self.chain,
            principal: OrganisationId(principal),
            officer: PersonId(1),
            sequence,
            valid_until_ms: LedgerTime(valid_until_ms),
            nonce: sample_nonce(1, sequence),
            body: Body::Organisation(OrganisationAct::Found),
        };
        let signature = payload.sign(PersonId(1), Capacity::Own(Role::Primary), 0, &self.officer);
        encode(&Record {
            payload,
            signatures: vec![signature],
        })
    }
}

/// The keys of a simulated node.
pub fn node_keys(organisation: u32) -> Keys {
    let key = |kind| node_key(organisation, kind);
    Keys::new(
        OrganisationId(organisation),
        key(KeyKind::Consensus),
        key(KeyKind::Cosigner),
        key(KeyKind::Log),
    )
}

fn node_key(organisation: u32, kind: KeyKind) -> Keypair {
    Keypair::derive(b"simulator", &format!("{kind:?}-{organisation}"))
}

#[derive(Debug, Clone)]
struct State {
    tip: Tip,
    root: Hash,
    leaves: u64,
    state: Hash,
    validators: Vec<Validator>,
    tip_validators: Vec<Validator>,
    /// Seats after the handover that is due.
    pending: Option<Vec<Validator>>,
    tip_is_handover: bool,
    /// Who proposes the next height, in order, and who proposed the tip's.
    turns: Vec<OrganisationId>,
    tip_turns: Vec<OrganisationId>,
    /// Seats that missed turns: how many in sequence, and the height that counted the newest.
    missed: BTreeMap<OrganisationId, (u32, u64)>,
    accused: BTreeSet<(Height, OrganisationId)>,
}

/// The ledger.
#[derive(Debug, Clone)]
pub struct ChainApp {
    genesis: Rc<Genesis>,
    state: State,
    records: BTreeSet<Hash>,
    executed: BTreeMap<Hash, (State, Vec<Hash>)>,
    /// Of the parent's certificates it puts the one into its blocks by which most others have missed a
    /// turn. It may have it: whoever does not know a decision yet precommits the block again.
    chooses: bool,
}

fn policy(validators: &[Validator]) -> Hash {
    let members: Vec<u8> = validators
        .iter()
        .flat_map(|v| v.organisation.0.to_le_bytes())
        .collect();
    sha256_parts(&[b"policy", &members])
}

fn numbers(validators: &[Validator]) -> Vec<OrganisationId> {
    validators.iter().map(|seat| seat.organisation).collect()
}

/// Counts what a height's round shows of those whose turns it had, in the block of the height after it.
pub fn count(
    missed: &mut BTreeMap<OrganisationId, (u32, u64)>,
    turns: &[OrganisationId],
    round: usize,
    height: u64,
) {
    let n = turns.len();
    for seat in &turns[..round.min(n)] {
        let before = missed.get(seat).map_or(0, |(turns, _)| *turns);
        missed.insert(*seat, (before + 1, height));
    }
    missed.remove(&turns[round % n]);
}

/// Who proposes `height`, in order (RULINGS A56), written a second time. `missed` says how many turns a
/// seat missed in sequence, and the height that counted the newest.
pub fn turns(
    seats: &[OrganisationId],
    height: u64,
    missed: &BTreeMap<OrganisationId, (u32, u64)>,
) -> Vec<OrganisationId> {
    let n = seats.len();
    let mut late: Vec<(u32, OrganisationId)> = missed
        .iter()
        .filter(|(_, (turns, counted))| {
            let heights = match turns {
                0..=5 => 8 << (turns - 1),
                _ => 256,
            };
            (counted + 1..=counted + heights).contains(&height)
        })
        .map(|(seat, (turns, _))| (*turns, *seat))
        .collect();
    late.sort();
    late.reverse();
    late.truncate((n - 1) / 3);
    let all = (0..n).map(|k| seats[(height as usize + k) % n]);
    let mut order: Vec<OrganisationId> = all.collect();
    // Stable: whoever stands behind keeps the order of the rotation.
    order.sort_by_key(|seat| late.iter().any(|(_, behind)| behind == seat));
    order
}

impl ChainApp {
    /// The ledger at its genesis seal.
    pub fn new(genesis: Rc<Genesis>) -> Self {
        let seal = Seal {
            protocol: ProtocolVersion(1),
            height: Height(0),
            time_ms: LedgerTime(genesis.time_ms),
            parent: Hash::ZERO,
            first_leaf: 0,
            leaf_count: 1,
            body: Hash::ZERO,
            log_root: genesis.chain,
            state_root: Hash::ZERO,
            work_digest: Hash::ZERO,
            policy: policy(&genesis.validators),
            parent_certificate: Hash::ZERO,
        };
        let block = seal.id();
        let state = State {
            root: sha256_parts(&[&seal.log_root.0, &block.0]),
            leaves: seal.checkpoint_size(),
            tip: Tip { seal, block },
            state: Hash::ZERO,
            validators: genesis.validators.clone(),
            tip_validators: genesis.validators.clone(),
            pending: None,
            tip_is_handover: false,
            turns: turns(&numbers(&genesis.validators), 1, &BTreeMap::new()),
            tip_turns: Vec::new(),
            missed: BTreeMap::new(),
            accused: BTreeSet::new(),
        };
        ChainApp {
            genesis,
            state,
            records: BTreeSet::new(),
            executed: BTreeMap::new(),
            chooses: false,
        }
    }

    /// The certificate of the same block in the round after which all others but one have missed a turn.
    fn chosen(&self, certificate: Certificate) -> Certificate {
        let seats = &self.state.tip_validators;
        let last = self.state.tip_turns.len().saturating_sub(1) as u32;
        let round = certificate.round.max(last);
        let voters = seats.iter().take(quorum(seats.len()));
        let signatures = voters.map(|seat| {
            let vote = Vote {
                kind: VoteKind::Precommit,
                height: certificate.height,
                round,
                block: Some(certificate.block),
                validator: seat.organisation,
            };
            let key = node_key(seat.organisation.0, KeyKind::Consensus);
            let bytes = vote.sign_bytes(&self.genesis.chain);
            (seat.organisation, key.sign_tagged(&bytes))
        });
        Certificate {
            round,
            signatures: signatures.collect(),
            ..certificate
        }
    }

    fn refuse(&self, code: &'static str) -> Refused {
        Refused {
            refusal: Refusal::new(code, Vec::new()),
            height: self.state.tip.seal.height,
        }
    }

    fn judge(&self, record: &Record, time_ms: u64) -> Result<(), Refused> {
        if record.payload.chain != self.genesis.chain {
            return Err(self.refuse("A6.other-chain"));
        }
        if record.payload.valid_until_ms < LedgerTime(time_ms) {
            return Err(self.refuse("A6.expired"));
        }
        let message = record.payload.sign_bytes();
        let bad =
            |s: &SignatureEntry| !memo::verify(&self.genesis.officer_key, &message, &s.signature);
        if record.signatures.iter().any(bad) {
            return Err(self.refuse("A6.bad-signature"));
        }
        if self.records.contains(&record.id()) {
            return Err(self.refuse("A6.replayed"));
        }
        Ok(())
    }

    fn check_certificate(&self, certificate: &Certificate) -> Result<(), BlockVerdict> {
        let tip = &self.state.tip;
        let known = |who: &OrganisationId| {
            self.state
                .tip_validators
                .iter()
                .find(|v| v.organisation == OrganisationId(who.0))
        };
        if certificate.height != tip.seal.height || certificate.block != tip.block {
            return Err(BlockVerdict::Invalid(
                "the parent certificate is for another block".into(),
            ));
        }
        if certificate.signatures.len()
            < quorum(self.state.tip_validators.len()) - usize::from(self.genesis.two_f)
        {
            return Err(BlockVerdict::Invalid(
                "the parent certificate has no quorum".into(),
            ));
        }
        for (who, signature) in &certificate.signatures {
            let Some(validator) = known(who) else {
                return Err(BlockVerdict::Invalid(
                    "a stranger in the parent certificate".into(),
                ));
            };
            let vote = Vote {
                kind: VoteKind::Precommit,
                height: tip.seal.height,
                round: certificate.round,
                block: Some(tip.block),
                validator: *who,
            };
            if !memo::verify(
                &validator.consensus,
                &vote.sign_bytes(&self.genesis.chain),
                signature,
            ) {
                return Err(BlockVerdict::Invalid(
                    "a bad signature in the parent certificate".into(),
                ));
            }
        }
        Ok(())
    }

    fn check_system(&self, system: &SystemSection) -> Result<(), BlockVerdict> {
        match (&system.parent_certificate, self.state.tip.seal.height) {
            (None, Height(0)) => {}
            (Some(certificate), height) if height > Height(0) => {
                self.check_certificate(certificate)?
            }
            _ => {
                return Err(BlockVerdict::Invalid(
                    "parent certificate missing or out of place".into(),
                ));
            }
        }
        match (&system.handover, self.state.tip_is_handover) {
            (None, false) => {}
            (Some(handover), true) => {
                let checkpoint = self.checkpoint();
                if handover.size != checkpoint.size || handover.root != checkpoint.root {
                    return Err(BlockVerdict::Invalid(
                        "the handover checkpoint is another".into(),
                    ));
                }
                if handover.cosignatures.len() < quorum(self.state.tip_validators.len()) {
                    return Err(BlockVerdict::Invalid(
                        "the handover checkpoint has no quorum".into(),
                    ));
                }
                for c in &handover.cosignatures {
                    let known = self
                        .state
                        .tip_validators
                        .iter()
                        .find(|v| v.organisation == c.validator);
                    let message = self.cosignature_message(&checkpoint, c.validator, c.time_s);
                    let holds = |v: &Validator| {
                        message.is_some_and(|m| memo::verify(&v.cosigner, &m, &c.signature))
                    };
                    if !known.is_some_and(holds) {
                        return Err(BlockVerdict::Invalid("a bad handover cosignature".into()));
                    }
                }
            }
            _ => {
                return Err(BlockVerdict::Invalid(
                    "handover checkpoint missing or out of place".into(),
                ));
            }
        }
        for evidence in &system.evidence {
            let known = self.genesis.registered.get(&evidence.culprit());
            if known.is_none_or(|v| evidence.verify(&self.genesis.chain, &v.consensus).is_err()) {
                return Err(BlockVerdict::Invalid("evidence that proves nothing".into()));
            }
            if self.state.accused.contains(&(
                Height(evidence.height().0),
                OrganisationId(evidence.culprit().0),
            )) {
                return Err(BlockVerdict::Invalid(
                    "evidence that is known already".into(),
                ));
            }
        }
        Ok(())
    }

    /// The state after a block and the seal it must have.
    fn after(
        &self,
        body: &BlockBody,
        bytes: &[u8],
        time_ms: u64,
    ) -> Result<(Seal, State, Vec<Hash>), BlockVerdict> {
        let old = &self.state;
        if time_ms <= old.tip.seal.time_ms.0 {
            return Err(BlockVerdict::Invalid(
                "the time is not after the parent's".into(),
            ));
        }
        self.check_system(&body.system)?;
        if old.pending.is_some() && !body.records.is_empty() {
            return Err(BlockVerdict::Invalid(
                "a handover block with records".into(),
            ));
        }
        let mut next = old.clone();
        let mut ids = Vec::new();
        let mut seats: BTreeMap<OrganisationId, Validator> = old
            .validators
            .iter()
            .map(|v| (v.organisation, *v))
            .collect();
        let mut toggled = false;
        for record in &body.records {
            self.judge(record, time_ms)
                .map_err(|refusal| BlockVerdict::Invalid(refusal.to_string()))?;
            if ids.contains(&record.id()) {
                return Err(BlockVerdict::Invalid("a record twice".into()));
            }
            ids.push(record.id());
            let principal = record.payload.principal;
            if let Some(who) = principal.0.checked_sub(TOGGLE).map(OrganisationId)
                && let Some(validator) = self.genesis.registered.get(&who)
            {
                if seats.remove(&who).is_none() {
                    seats.insert(who, *validator);
                }
                toggled = true;
            }
        }
        let seats: Vec<Validator> = seats.into_values().collect();
        next.tip_validators = old.validators.clone();
        next.tip_is_handover = false;
        if let Some(pending) = old.pending.clone() {
            next.validators = pending;
            next.pending = None;
            next.tip_is_handover = true;
        } else if toggled && seats.len() >= 4 && seats != old.validators {
            next.pending = Some(seats);
        }
        let height = old.tip.seal.height.0 + 1;
        if let Some(certificate) = &body.system.parent_certificate {
            let round = certificate.round as usize;
            count(&mut next.missed, &old.tip_turns, round, height);
        }
        let seated =
            |seat: &OrganisationId| next.validators.iter().any(|v| v.organisation == *seat);
        let mut missed = next.missed.clone();
        missed.retain(|seat, _| seated(seat));
        next.missed = missed;
        next.tip_turns = old.turns.clone();
        next.turns = turns(&numbers(&next.validators), height + 1, &next.missed);
        next.accused.extend(
            body.system
                .evidence
                .iter()
                .map(|e: &Evidence| (e.height(), e.culprit())),
        );
        let work: Vec<u8> = ids.iter().flat_map(|id| id.0).collect();
        next.state = sha256_parts(&[&old.state.0, &work]);
        let seal = Seal {
            protocol: ProtocolVersion(1),
            height: old.tip.seal.height.next(),
            time_ms: LedgerTime(time_ms),
            parent: old.tip.block,
            first_leaf: old.leaves,
            leaf_count: (ids.len() + body.system.evidence.len()) as u32,
            body: sha256(bytes),
            log_root: sha256_parts(&[&old.root.0, &work]),
            state_root: next.state,
            work_digest: sha256(&work),
            policy: policy(&old.validators),
            parent_certificate: body
                .system
                .parent_certificate
                .as_ref()
                .map_or(Hash::ZERO, Certificate::digest),
        };
        let block = seal.id();
        next.root = sha256_parts(&[&seal.log_root.0, &block.0]);
        next.leaves = seal.checkpoint_size();
        next.tip = Tip {
            seal: seal.clone(),
            block,
        };
        Ok((seal, next, ids))
    }
}

impl SimLedger for ChainApp {
    type Genesis = Genesis;

    fn genesis(plan: &Plan) -> Rc<Genesis> {
        Genesis::new(
            plan.validators,
            plan.nodes,
            GENESIS_MS,
            plan.deadline_every,
            plan.decides_with_2f(),
        )
    }

    fn facts(genesis: &Genesis) -> (Hash, u64) {
        (genesis.chain, genesis.time_ms)
    }

    fn open(genesis: &Rc<Genesis>) -> ChainApp {
        ChainApp::new(genesis.clone())
    }

    fn copy(&self) -> ChainApp {
        self.clone()
    }

    fn keys(_: &Genesis, organisation: u32) -> Keys {
        node_keys(organisation)
    }

    fn keypair(_: &Genesis, organisation: u32, kind: KeyKind) -> Keypair {
        node_key(organisation, kind)
    }

    fn record(genesis: &Genesis, plan: &Plan, number: u64, random: &mut Random) -> Option<Vec<u8>> {
        let principal = if plan.handovers && number.is_multiple_of(7) {
            // The last registered organisation joins and leaves.
            TOGGLE + plan.nodes
        } else {
            1 + random.below(u64::from(plan.nodes)) as u32
        };
        Some(genesis.record(principal, number, GENESIS_MS + 10 * 365 * 24 * 3_600_000))
    }

    fn choose_certificates(&mut self) {
        self.chooses = true;
    }

    fn accused(&self) -> Vec<(Height, OrganisationId)> {
        self.state.accused.iter().copied().collect()
    }
}

impl App for ChainApp {
    fn tip(&self) -> Tip {
        self.state.tip.clone()
    }

    fn chain(&self) -> Hash {
        self.genesis.chain
    }

    fn validators(&self) -> Vec<Validator> {
        self.state.validators.clone()
    }

    fn turns(&self) -> Turns {
        self.state.turns.clone().into()
    }

    fn tip_validators(&self) -> Vec<Validator> {
        self.state.tip_validators.clone()
    }

    fn checkpoint(&self) -> BlockCheckpoint {
        let State {
            tip, leaves, root, ..
        } = &self.state;
        BlockCheckpoint {
            height: tip.seal.height,
            origin: "sim".into(),
            size: *leaves,
            root: *root,
        }
    }

    fn policy_digest(&self) -> Hash {
        policy(&self.state.validators)
    }

    fn has_turn(&self, organisation: OrganisationId) -> bool {
        self.genesis.registered.contains_key(&organisation)
    }

    fn admit(&mut self, record: &Record, now_ms: u64) -> Result<(), Refused> {
        self.judge(record, now_ms)
    }

    fn build(
        &mut self,
        time_ms: LedgerTime,
        system: SystemSection,
        candidates: &[Record],
    ) -> Result<BuiltBlock, BlockVerdict> {
        let mut system = system;
        if self.chooses {
            system.parent_certificate = system.parent_certificate.map(|own| self.chosen(own));
        }
        let mut body = BlockBody {
            system,
            records: Vec::new(),
        };
        let mut left_out = Vec::new();
        if self.state.pending.is_none() {
            for record in candidates {
                match self.judge(record, time_ms.0) {
                    Ok(()) => body.records.push(record.clone()),
                    Err(refusal) => left_out.push((record.id(), refusal)),
                }
            }
        }
        let bytes = encode(&body);
        let (seal, _, _) = self.after(&body, &bytes, time_ms.0)?;
        Ok(BuiltBlock {
            body: bytes,
            seal,
            left_out,
        })
    }

    fn execute(&mut self, body: &[u8], seal: &Seal) -> Result<(), BlockVerdict> {
        let block = seal.id();
        if self.executed.contains_key(&block) {
            return Ok(());
        }
        let decoded: BlockBody =
            decode(body).map_err(|error| BlockVerdict::Invalid(error.to_string()))?;
        let (expected, state, ids) = self.after(&decoded, body, seal.time_ms.0)?;
        if expected != *seal {
            return Err(BlockVerdict::Invalid(
                "the seal is not the one that follows".into(),
            ));
        }
        self.executed.insert(block, (state, ids));
        Ok(())
    }

    fn commit(&mut self, block: &Hash, _: &Certificate) -> Result<NewTip, BlockVerdict> {
        let Some((state, ids)) = self.executed.remove(block) else {
            return Err(BlockVerdict::Invalid("not executed".into()));
        };
        self.executed.clear();
        self.state = state;
        self.records.extend(ids.iter().copied());
        Ok(NewTip {
            records: ids,
            handover: self.state.tip_is_handover,
            checkpoint: self.checkpoint(),
        })
    }

    fn next_deadline(&self) -> Option<LedgerTime> {
        let every = self.genesis.deadline_every_ms?;
        Some(LedgerTime(
            (self.state.tip.seal.time_ms.0 / every + 1) * every,
        ))
    }

    fn handover_due(&self) -> bool {
        self.state.pending.is_some()
    }

    fn needs_handover_checkpoint(&self) -> bool {
        self.state.tip_is_handover
    }

    fn cosignature_message(
        &self,
        checkpoint: &BlockCheckpoint,
        organisation: OrganisationId,
        time_s: u64,
    ) -> Option<Vec<u8>> {
        // As in a note, where a time is a number of 63 bits.
        i64::try_from(time_s).ok()?;
        let facts = encode(&(checkpoint.size, checkpoint.root, organisation, time_s));
        Some(tagged("simulated cosignature", &[&facts]))
    }

    fn log_message(&self, checkpoint: &BlockCheckpoint) -> Vec<u8> {
        tagged(
            "simulated log line",
            &[&encode(&(checkpoint.size, checkpoint.root))],
        )
    }
}
