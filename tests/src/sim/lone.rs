//! One replica among peers that a test plays: what one bad validator says, word by word.
//!
//! The peers' side is a ledger of its own with every key. It decides blocks, signs proposals and
//! votes, and answers questions honestly except where the test puts a liar.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use rollbook_core::block::SystemSection;
use rollbook_core::record::Record;
use rollbook_node::disk::SimDisk;
use rollbook_node::journal::Recovered;
use rollbook_node::replica::message::{
    Cosignature, Frame, Request, Response, SignedStatement, newest_bytes,
};
use rollbook_node::replica::{
    Clock, Decided, Effect, Input, JournalStorage, Replica, ReplicaConfig, Status, Storage, Worth,
};
use rollbook_proof::chain::{
    Certificate, CheckpointSignature, HandoverCheckpoint, LogSignature, ProposalFacts, Seal,
    SignedProposal, SignedVote, Vote, VoteKind,
};
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, KeyKind};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

use super::ledger::SimLedger;
use super::memo::SimVerify;
use super::plan::Plan;
use super::world::World;

/// What a peer says to a question.
#[derive(Debug, Clone)]
pub enum Reply {
    /// This, at once; `None`: it fails.
    Now(Option<Response>),
    /// This, so many milliseconds later.
    Later(u64, Response),
    /// Nothing in this test's time.
    Never,
}

type Liar = Box<dyn FnMut(&Request) -> Reply>;

/// The replica and its peers.
pub struct Lone<L: SimLedger> {
    genesis: Rc<L::Genesis>,
    chain: Hash,
    opened_ms: u64,
    /// Organisation of the replica.
    pub me: u32,
    nodes: u32,
    config: ReplicaConfig,
    disk: SimDisk,
    replica: Option<Replica<L, JournalStorage, SimVerify>>,
    /// The ledger of the peers, at their newest block.
    pub ledger: L,
    /// Their blocks from 1 on.
    pub blocks: Vec<Decided>,
    /// Bodies they hold of undecided blocks.
    pub bodies: BTreeMap<Hash, (Seal, Vec<u8>)>,
    /// Who does not answer honestly.
    pub liars: BTreeMap<u32, Liar>,
    now: u64,
    due: Vec<(u64, u64, Option<Response>)>,
    /// What the replica has said.
    pub said: Vec<Effect>,
}

impl<L: SimLedger> Lone<L> {
    /// Peers at the genesis seal; the replica of `me` does not run yet.
    pub fn new(plan: &Plan, me: u32, adjust: &dyn Fn(&mut ReplicaConfig)) -> Lone<L> {
        let genesis = L::genesis(plan);
        let (chain, opened_ms) = L::facts(&genesis);
        let mut config = World::<L>::config();
        adjust(&mut config);
        Lone {
            ledger: L::open(&genesis),
            genesis,
            chain,
            opened_ms,
            me,
            nodes: plan.nodes,
            config,
            disk: SimDisk::default(),
            replica: None,
            blocks: Vec::new(),
            bodies: BTreeMap::new(),
            liars: BTreeMap::new(),
            now: 1_000,
            due: Vec::new(),
            said: Vec::new(),
        }
    }

    fn key(&self, who: u32, kind: KeyKind) -> rollbook_proof::crypto::Keypair {
        L::keypair(&self.genesis, who, kind)
    }

    /// Genesis of the ledger.
    pub fn genesis(&self) -> &L::Genesis {
        &self.genesis
    }

    /// The own clock.
    pub fn wall(&self) -> u64 {
        self.opened_ms + self.now
    }

    fn system(&self) -> SystemSection {
        let ledger = &self.ledger;
        let handover = ledger.needs_handover_checkpoint().then(|| {
            let checkpoint = ledger.checkpoint();
            let seats = ledger.tip_validators();
            let all: Vec<Cosignature> = seats
                .iter()
                .map(|seat| self.cosignature(seat.organisation.0))
                .collect();
            HandoverCheckpoint {
                size: checkpoint.size,
                root: checkpoint.root,
                log: LogSignature {
                    validator: all[0].validator,
                    signature: all[0].log,
                },
                cosignatures: all
                    .iter()
                    .map(|of| CheckpointSignature {
                        validator: of.validator,
                        time_s: of.time_s,
                        signature: of.signature,
                    })
                    .collect(),
            }
        });
        SystemSection {
            parent_certificate: self.blocks.last().map(|block| block.certificate.clone()),
            evidence: Vec::new(),
            handover,
        }
    }

    /// A block after the peers' tip.
    pub fn build(&mut self, time_ms: u64, records: &[Record]) -> (Seal, Vec<u8>) {
        let system = self.system();
        let built = self
            .ledger
            .build(LedgerTime(time_ms), system, records)
            .unwrap();
        self.bodies
            .insert(built.seal.id(), (built.seal.clone(), built.body.clone()));
        (built.seal, built.body)
    }

    /// The peers decide a block of this time.
    pub fn decide(&mut self, time_ms: u64, records: &[Record]) {
        let (seal, body) = self.build(time_ms, records);
        self.ledger.execute(&body, &seal).unwrap();
        let mut signatures = Vec::new();
        for seat in self.ledger.validators() {
            let vote = self.vote(seat.organisation.0, VoteKind::Precommit, 0, Some(seal.id()));
            signatures.push((seat.organisation, vote.signature));
        }
        let certificate = Certificate {
            height: seal.height,
            round: 0,
            block: seal.id(),
            signatures,
        };
        self.ledger.commit(&seal.id(), &certificate).unwrap();
        self.ledger.after_step();
        self.blocks.push(Decided {
            seal,
            certificate,
            body,
        });
    }

    /// The peers decide `count` blocks, a second apart; the own clock goes on as far.
    pub fn grow(&mut self, count: usize) {
        for _ in 0..count {
            self.decide_next(&[]);
        }
    }

    /// The peers decide a block a second later.
    pub fn decide_next(&mut self, records: &[Record]) {
        self.now += 1_000;
        self.decide(self.wall(), records);
    }

    /// Starts the replica. Its journal holds the peers' first `known` blocks; `guard` says whether
    /// it remembers what it signed.
    pub fn start(&mut self, known: usize, guard: bool) {
        let (mut storage, _) = self.journal();
        if guard {
            storage.raise(Height(1)).unwrap();
        }
        let mut app = L::open(&self.genesis);
        for block in &self.blocks[..known] {
            storage.append_body(&block.seal, &block.body).unwrap();
            storage
                .append_decision(&block.seal, &block.certificate)
                .unwrap();
            storage.sync().unwrap();
            app.execute(&block.body, &block.seal).unwrap();
            app.commit(&block.seal.id(), &block.certificate).unwrap();
        }
        self.run(app, storage);
    }

    fn journal(&self) -> (JournalStorage, Recovered) {
        let disk = Arc::new(self.disk.clone());
        JournalStorage::open(disk, Path::new("journal"), self.chain).unwrap()
    }

    fn run(&mut self, mut app: L, storage: JournalStorage) {
        app.after_step();
        let keys = L::keys(&self.genesis, self.me);
        let verify = SimVerify { memo: true };
        self.replica = Some(Replica::new(
            self.config.clone(),
            keys,
            app,
            storage,
            verify,
        ));
        self.step(Input::Peers(self.peers()));
    }

    /// All nodes, in an order in which 1 is the first that is asked for its tip.
    fn peers(&self) -> Vec<u32> {
        let mut peers: Vec<u32> = (1..=self.nodes).collect();
        peers.rotate_right(1);
        peers
    }

    /// The process dies and starts again on its disk.
    pub fn again(&mut self) {
        self.replica = None;
        self.disk.kill();
        self.due.clear();
        let (storage, recovered) = self.journal();
        let mut app = L::open(&self.genesis);
        for height in 1..=recovered.tip.0 {
            let block = storage.decided(Height(height)).unwrap();
            app.execute(&block.body, &block.seal).unwrap();
            app.commit(&block.seal.id(), &block.certificate).unwrap();
        }
        self.run(app, storage);
    }

    /// A validator's cosignature of the peers' tip.
    pub fn cosignature(&self, who: u32) -> Cosignature {
        let checkpoint = self.ledger.checkpoint();
        let (organisation, time_s) = (OrganisationId(who), self.wall() / 1_000);
        let message = self
            .ledger
            .cosignature_message(&checkpoint, organisation, time_s)
            .unwrap();
        let log = self.ledger.log_message(&checkpoint);
        Cosignature {
            height: checkpoint.height,
            size: checkpoint.size,
            root: checkpoint.root,
            validator: organisation,
            time_s,
            signature: self.key(who, KeyKind::Cosigner).sign_tagged(&message),
            log: self.key(who, KeyKind::Log).sign_tagged(&log),
        }
    }

    /// What the replica tells about itself.
    pub fn status(&self) -> Status {
        self.replica.as_ref().unwrap().status()
    }

    /// What a frame is worth to the replica, before it is passed on.
    pub fn worth(&mut self, frame: &Frame) -> Worth {
        self.replica.as_mut().unwrap().worth(frame)
    }

    /// A frame arrives.
    pub fn hear(&mut self, frame: Frame) {
        self.step(Input::Frame { from: 1, frame });
    }

    /// Anything arrives.
    pub fn step(&mut self, input: Input) {
        let clock = Clock {
            elapsed_ms: self.now,
            wall_ms: self.wall(),
        };
        let replica = self.replica.as_mut().unwrap();
        let effects = replica.step(clock, input);
        replica.app_mut().after_step();
        for effect in effects {
            if let Effect::Request { id, to, request } = &effect {
                let reply = match self.liars.get_mut(to) {
                    Some(liar) => liar(request),
                    None => self.honest(*to, request),
                };
                match reply {
                    Reply::Now(response) => self.due.push((self.now + 5, *id, response)),
                    Reply::Later(after, response) => {
                        self.due.push((self.now + after, *id, Some(response)))
                    }
                    Reply::Never => {}
                }
            }
            self.said.push(effect);
        }
    }

    /// What an honest peer answers.
    pub fn honest(&self, peer: u32, request: &Request) -> Reply {
        let tip = Height(self.blocks.len() as u64);
        Reply::Now(Some(match request {
            Request::Tip | Request::Wake { .. } => Response::Tip {
                height: tip,
                cosignatures: Vec::new(),
            },
            Request::Blocks { from } => {
                let first = (from.0.max(1) - 1) as usize;
                Response::Blocks(self.blocks.iter().skip(first).take(8).cloned().collect())
            }
            Request::Body { block, .. } => Response::Body(self.bodies.get(block).cloned()),
            Request::Newest { .. } => self.newest(peer, tip.next(), None, true),
        }))
    }

    /// An answer about the replica's newest statement.
    pub fn newest(
        &self,
        peer: u32,
        height: Height,
        statement: Option<SignedStatement>,
        signed: bool,
    ) -> Response {
        let message = newest_bytes(&self.chain, OrganisationId(self.me), height, &statement);
        let before = (height.0 as usize).checked_sub(2);
        Response::Newest {
            height,
            proof: before
                .and_then(|at| self.blocks.get(at))
                .map(|block| block.certificate.clone()),
            statement,
            signature: signed.then(|| self.key(peer, KeyKind::Log).sign_tagged(&message)),
        }
    }

    /// Time passes.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let wake = self.replica.as_ref().and_then(Replica::wake_at);
            let answer = self.due.iter().map(|(at, ..)| *at).min();
            let next = wake.into_iter().chain(answer).min().unwrap_or(end);
            if next > end {
                self.now = end;
                return self.step(Input::Tick);
            }
            self.now = self.now.max(next);
            match self.due.iter().position(|(at, ..)| *at <= self.now) {
                Some(at) => {
                    let (_, id, response) = self.due.remove(at);
                    self.step(Input::Response { id, response });
                }
                None => self.step(Input::Tick),
            }
            if matches!(self.said.last(), Some(Effect::Stop(_))) {
                return;
            }
        }
    }

    /// The height after the peers' tip.
    pub fn height(&self) -> Height {
        self.ledger.tip().seal.height.next()
    }

    /// Whose turn a round of the next height is.
    pub fn proposer(&self, round: u32) -> u32 {
        self.ledger.turns().of_round(round).unwrap().0
    }

    /// A proposal by the proposer of `round`.
    pub fn proposal(&self, round: u32, valid_round: Option<u32>, seal: &Seal) -> Frame {
        self.proposal_of(self.proposer(round), round, valid_round, seal)
    }

    /// A proposal by anybody.
    pub fn proposal_of(
        &self,
        who: u32,
        round: u32,
        valid_round: Option<u32>,
        seal: &Seal,
    ) -> Frame {
        let facts = ProposalFacts {
            height: seal.height,
            round,
            block: seal.id(),
            valid_round,
            validator: OrganisationId(who),
        };
        let signature = facts.sign(&self.chain, &self.key(who, KeyKind::Consensus));
        Frame::Proposal {
            proposal: SignedProposal { facts, signature },
            seal: seal.clone(),
        }
    }

    /// A vote at the next height.
    pub fn vote(&self, who: u32, kind: VoteKind, round: u32, block: Option<Hash>) -> SignedVote {
        let vote = Vote {
            kind,
            height: self.height(),
            round,
            block,
            validator: OrganisationId(who),
        };
        let signature = vote.sign(&self.chain, &self.key(who, KeyKind::Consensus));
        SignedVote { vote, signature }
    }

    /// All others vote for this.
    pub fn others_vote(&mut self, kind: VoteKind, round: u32, block: Option<Hash>) {
        for seat in self.ledger.validators() {
            let who = seat.organisation.0;
            if who != self.me {
                let vote = self.vote(who, kind, round, block);
                self.hear(Frame::Vote(vote));
            }
        }
    }

    /// The replica's votes of a kind, in order, each once: height, round, block.
    pub fn votes(&self, kind: VoteKind) -> Vec<(Height, u32, Option<Hash>)> {
        let mut votes = Vec::new();
        for effect in &self.said {
            let Effect::Broadcast(bytes) = effect else {
                continue;
            };
            if let Ok(Frame::Vote(signed)) = decode::<Frame>(bytes)
                && signed.vote.validator == OrganisationId(self.me)
                && signed.vote.kind == kind
            {
                let vote = (signed.vote.height, signed.vote.round, signed.vote.block);
                if votes.last() != Some(&vote) {
                    votes.push(vote);
                }
            }
        }
        votes
    }
}
