//! One writer, no network: a sample alliance and its ledger, a block at a time. Every block is
//! built on one ledger, executed on a second and committed on both, so each suite also checks that
//! builder and executor agree.
//!
//! * [`Writer::submit`] puts records into one block; [`Writer::member`] is one record alone, signed
//!   by the officers that the principal's policy asks for.
//! * [`Writer::advance`] moves ledger time as an idle chain does (RULINGS A10): a block right after
//!   each deadline, then one at the end. The time of the next record is always after the last
//!   block.
//! * Certificates and handover checkpoints are signed here, by a different quorum at every height.

use rollbook_core::block::SystemSection;
use rollbook_core::event::{Event, EventBody};
use rollbook_core::export::{BlockFrame, Header, encode_tail};
use rollbook_core::id::MotionId;
use rollbook_core::identity::{ApprovalPolicy, OrganisationEntry, OrganisationKind, Role};
use rollbook_core::ledger::{BlockError, Execution, Ledger};
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::record::{
    Ballot, BallotVote, Body, Choice, Declaration, MotionAct, MotionEffect, OrganisationAct,
    Proposal, Record, Registration,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::state::StateTables;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::chain::{Certificate, Effects, HandoverCheckpoint, Leaf, LeafTag, RecordLeaf};
use rollbook_proof::codec::{Text, decode};
use rollbook_proof::crypto::{KeyKind, Keypair, VerifierCache, sha256};
use rollbook_proof::log::PolicyValidator;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::alliance::{Codes, OPENED_MS, officer, organisation, secretariat};
use rollbook_sandbox::keys::{node_key, officer_key};

use crate::alliance::Alliance;
use crate::{quorum, steps, trace};

/// What came of one block.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// Outcomes of the records that are in the block, in order.
    pub outcomes: Vec<Outcome>,
    /// Refusals of those that are not, in order.
    pub refused: Vec<Refusal>,
    /// Events of the clock, in order.
    pub events: Vec<Event>,
    /// Every leaf, the seal's last.
    pub leaves: Vec<Leaf>,
}

fn proposal(effect: MotionEffect, ballot_days: u32) -> Body {
    Body::Motion(MotionAct::Propose(Proposal {
        effect,
        ballot_days,
        text: rollbook_proof::crypto::sha256(b"text of a motion"),
    }))
}

/// The effect leaves of a block say of each record what its outcome is.
pub fn effects_agree(execution: &Execution) {
    let (seal, leaves) = (&execution.seal, &execution.leaves);
    let effects = |class| {
        let found = (seal.first_leaf..).zip(leaves).find_map(|(index, leaf)| {
            let effects = Effects::read(&leaf.clear).ok()?;
            (effects.class == class).then_some((index, effects))
        });
        found.expect("a block has an effect leaf for each read class of its records")
    };
    let records = (seal.first_leaf..).zip(leaves).filter_map(|(index, leaf)| {
        RecordLeaf::split(&leaf.clear).map(|record| (index, record.id(), leaf.class))
    });
    let mut records = records.peekable();
    for (id, outcome) in &execution.outcomes {
        let (index, found, class) = records.next().unwrap();
        let (at, effects) = effects(class);
        assert_eq!(found, *id);
        assert_eq!(
            effects.on(class, index, at, seal),
            Ok(outcome.not_counted())
        );
    }
    assert_eq!(records.next(), None);
}

/// A sample alliance with its ledger.
pub struct Writer {
    pub alliance: Alliance,
    pub ledger: Ledger,
    pub second: Ledger,
    pub verifier: VerifierCache,
    /// Keys of nodes beside those that the sample derives.
    pub moved: Vec<Keypair>,
    /// Every block so far as it stands in an export, the genesis first.
    pub frames: Vec<BlockFrame>,
    /// What each of them did, in order.
    pub trace: Vec<trace::Line>,
    /// Where everything stands by its steps.
    pub steps: steps::Fold,
}

impl Writer {
    /// The ledger right after genesis; founders have not signed.
    pub fn new(alliance: Alliance) -> Writer {
        let opened = alliance.genesis.open().unwrap();
        let (ledger, _) = Ledger::from_genesis(&alliance.genesis).unwrap();
        let frames = vec![BlockFrame::of_genesis(
            &opened.leaves[..opened.leaves.len() - 1],
            &opened.seal,
        )];
        let trace = vec![trace::of_genesis(&opened.changes, ledger.tables())];
        let mut steps = steps::Fold::default();
        steps.follow(&opened.changes.steps, ledger.tables());
        Writer {
            steps,
            second: ledger.clone(),
            ledger,
            alliance,
            verifier: VerifierCache::default(),
            moved: Vec::new(),
            frames,
            trace,
        }
    }

    /// The same with every founder's `Found` record in block 1: everybody is a member.
    pub fn founded(mut alliance: Alliance) -> Writer {
        let found = alliance.found(OPENED_MS);
        let mut writer = Writer::new(alliance);
        let block = writer.block(OPENED_MS + 1, &found);
        assert!(block.refused.is_empty(), "{:?}", block.refused);
        writer
    }

    /// Ledger time of the next record: one second after the last block.
    pub fn now(&self) -> u64 {
        self.ledger.tip().seal.time_ms.0 + 1000
    }

    /// The tables at the tip.
    pub fn tables(&self) -> &StateTables {
        self.ledger.tables()
    }

    /// The key of a validator's node.
    fn node_key(&self, validator: &PolicyValidator, kind: KeyKind) -> Keypair {
        let public = match kind {
            KeyKind::Cosigner => validator.cosigner,
            KeyKind::Log => validator.log,
            _ => validator.consensus,
        };
        if let Some(key) = self.moved.iter().find(|key| key.public() == public) {
            return key.clone();
        }
        node_key(&self.alliance.signer.seed, validator.org.0, kind)
    }

    /// Certificate of the tip.
    pub fn certify(&self) -> Certificate {
        quorum::certify(&self.ledger, &|v, kind| self.node_key(v, kind))
    }

    /// System section of the next block.
    pub fn system(&self) -> SystemSection {
        quorum::system(&self.ledger, &|v, kind| self.node_key(v, kind))
    }

    /// Builds on one ledger, executes on the other, commits on both.
    pub fn block(&mut self, time: u64, records: &[Record]) -> Block {
        self.try_block(self.system(), time, records).unwrap()
    }

    /// The same with a system section of the test's own, which the ledger may refuse.
    pub fn try_block(
        &mut self,
        section: SystemSection,
        time: u64,
        records: &[Record],
    ) -> Result<Block, BlockError> {
        let built = self
            .ledger
            .build(LedgerTime(time), section, records, &mut self.verifier)?;
        let (seal, body) = (built.execution.seal.clone(), built.execution.body.clone());
        let block = self
            .second
            .execute(&body, &seal, &mut self.verifier)
            .unwrap();
        assert_eq!(block, seal.id());
        let previous = self.ledger.tip().seal.work_digest;
        let line = trace::of_block(previous, &built.execution, self.ledger.tables());
        self.trace.push(line);
        self.ledger.commit(&block).unwrap();
        self.second.commit(&block).unwrap();
        self.steps
            .follow(&built.execution.changes.steps, self.ledger.tables());
        assert_eq!(self.ledger.tip(), self.second.tip());
        assert_eq!(self.ledger.frontier().root(), self.second.frontier().root());
        self.frames.push(
            BlockFrame::of_block(
                &body,
                BlockFrame::derived_of(&built.execution.leaves),
                &seal,
            )
            .unwrap(),
        );
        let events =
            built
                .execution
                .leaves
                .iter()
                .filter_map(|leaf| match LeafTag::split(&leaf.clear) {
                    Some((LeafTag::Event, bytes)) => Some(decode::<Event>(bytes).unwrap()),
                    _ => None,
                });
        effects_agree(&built.execution);
        Ok(Block {
            leaves: built.execution.leaves.clone(),
            events: events.collect(),
            outcomes: built
                .execution
                .outcomes
                .iter()
                .map(|(_, outcome)| *outcome)
                .collect(),
            refused: built
                .refused
                .into_iter()
                .map(|(_, refusal)| refusal)
                .collect(),
        })
    }

    /// The history so far as an export file.
    pub fn export(&self) -> Vec<u8> {
        let height = self.ledger.height();
        let mut bytes = Header {
            genesis: self.ledger.chain(),
            height,
        }
        .encode();
        bytes.extend(self.frames.iter().flat_map(BlockFrame::encode));
        let tail = quorum::tail(&self.ledger, &|v, kind| self.node_key(v, kind));
        bytes.extend(encode_tail(&tail));
        let digest = sha256(&bytes);
        bytes.extend_from_slice(&digest.0);
        bytes
    }

    /// The tip's checkpoint, cosigned by the first `signers` validators.
    pub fn cosigned(&self, signers: usize) -> HandoverCheckpoint {
        quorum::cosigned(&self.ledger, signers, &|v, kind| self.node_key(v, kind))
    }

    /// One block with these records, a second after the last.
    pub fn submit(&mut self, records: &[Record]) -> Block {
        self.block(self.now(), records)
    }

    /// A record of `principal` signed by these persons in these roles, not submitted.
    pub fn sign(&mut self, principal: u32, signers: &[(u32, Role)], body: Body) -> Record {
        let now = self.now();
        self.alliance.signer.record(principal, signers, now, body)
    }

    /// One record alone in a block, with these signers.
    pub fn act_as(
        &mut self,
        principal: u32,
        signers: &[(u32, Role)],
        body: Body,
    ) -> Result<Outcome, Refusal> {
        let record = self.sign(principal, signers, body);
        let mut block = self.submit(&[record]);
        match block.refused.pop() {
            Some(refusal) => Err(refusal),
            None => Ok(block.outcomes[0]),
        }
    }

    /// The two officers of a company (founder or registered later) in their usual roles: primary,
    /// and finance for acts with money, else alternate.
    pub fn officers(&self, company: u32, body: &Body) -> Vec<(u32, Role)> {
        let officers = &self
            .tables()
            .organisations
            .get(&OrganisationId(company))
            .unwrap()
            .officers;
        let second = if body.class() == rollbook_core::identity::ActClass::Money {
            Role::Finance
        } else {
            Role::Alternate
        };
        vec![((officers[0]).0, Role::Primary), ((officers[1]).0, second)]
    }

    /// An act of a company, signed by both officers.
    pub fn member(&mut self, company: u32, body: Body) -> Result<Outcome, Refusal> {
        let signers = self.officers(company, &body);
        self.act_as(company, &signers, body)
    }

    /// An act of the secretariat, signed by the first holder of the post.
    pub fn office(&mut self, role: Role, body: Body) -> Result<Outcome, Refusal> {
        let holder = self.holder(role, 0);
        self.act_as(secretariat(self.alliance.members), &[(holder, role)], body)
    }

    /// Person who holds the `nth` post of this role, counted from 0.
    pub fn holder(&self, role: Role, nth: usize) -> u32 {
        (self
            .tables()
            .posts
            .iter()
            .filter(|(_, post)| post.role == role)
            .nth(nth)
            .unwrap()
            .1
            .holder)
            .0
    }

    /// Registers a company that is no member, introduced by `introducer` (RULINGS R16). Returns its
    /// number; its two officers' keys are those of their person numbers.
    pub fn register(&mut self, introducer: u32, latin: &str, relations: &[u32]) -> u32 {
        let number = self.tables().counters.get(&1).copied().unwrap_or(0) + 1;
        let body = self.registration(latin, relations);
        self.member(introducer, body).unwrap();
        number
    }

    /// The registration itself, signed by the company's first officer.
    pub fn registration(&self, latin: &str, relations: &[u32]) -> Body {
        let counter = |which: u8| self.tables().counters.get(&which).copied().unwrap_or(0);
        let (number, persons) = (counter(1) + 1, counter(2));
        let seed = self.alliance.signer.seed.clone();
        let officers = [
            (1, &[Role::Primary, Role::NodeOperator][..]),
            (2, &[Role::Alternate, Role::Finance, Role::Technical]),
        ]
        .into_iter()
        .map(|(local, roles)| {
            let key = officer_key(&seed, persons + local);
            officer(&key, 0, local, roles)
        })
        .collect();
        let mut entry = OrganisationEntry {
            number: OrganisationId(0),
            policy: ApprovalPolicy::default(),
            relations: Vec::new(),
            ..organisation(
                number,
                OrganisationKind::Company,
                latin,
                officers,
                Codes::Letters.of(number),
            )
        };
        entry.relations = relations
            .iter()
            .map(|other| rollbook_core::identity::GroupDeclaration {
                other: OrganisationId(*other),
                kind: rollbook_core::identity::RelationKind::Control,
                evidence: entry.extract.0,
            })
            .collect();
        self.sign_registration(&entry)
    }

    /// The entry of the next registration, signed by the officers that [`Writer::registration`]
    /// gives it: by the number that each will have.
    pub fn sign_registration(&self, entry: &OrganisationEntry) -> Body {
        let persons = self.tables().counters.get(&2).copied().unwrap_or(0);
        let seed = &self.alliance.signer.seed;
        let keys = [1, 2].map(|local| officer_key(seed, persons + local));
        let chain = self.alliance.chain();
        let signed = Registration::signed(&chain, entry, &[&keys[0], &keys[1]]);
        Body::Organisation(OrganisationAct::Register(signed))
    }

    /// Proposes a motion as the secretariat and returns its number.
    pub fn propose(&mut self, effect: MotionEffect, ballot_days: u32) -> Result<u32, Refusal> {
        self.office(Role::Secretary, proposal(effect, ballot_days))?;
        Ok(self.newest_motion())
    }

    /// The same as a member.
    pub fn propose_as(
        &mut self,
        member: u32,
        effect: MotionEffect,
        ballot_days: u32,
    ) -> Result<u32, Refusal> {
        self.member(member, proposal(effect, ballot_days))?;
        Ok(self.newest_motion())
    }

    /// A member supports a motion of the assembly.
    pub fn support(&mut self, member: u32, motion: u32) -> Result<Outcome, Refusal> {
        let support = MotionAct::Support {
            motion: MotionId(motion),
        };
        self.member(member, Body::Motion(support))
    }

    /// A motion of the assembly, proposed by member 1 of the board, with the support of as many of
    /// 2 to 5 as it gathers before its ballots open; its number.
    pub fn before_the_assembly(
        &mut self,
        effect: MotionEffect,
        ballot_days: u32,
    ) -> Result<u32, Refusal> {
        let motion = self.propose_as(1, effect, ballot_days)?;
        for member in 2..=5 {
            let motions = &self.tables().motions;
            if motions.get(&MotionId(motion)).unwrap().status == MotionStatus::Gathering {
                self.support(member, motion)?;
            }
        }
        Ok(motion)
    }

    /// Number of the newest motion.
    pub fn newest_motion(&self) -> u32 {
        self.tables().motions.last_key().unwrap().0
    }

    /// A member's ballot, with a signed "none". A "no" to an admission cites `field-of-work`.
    pub fn vote(&mut self, member: u32, motion: u32, choice: Choice) -> Result<Outcome, Refusal> {
        let admission = matches!(
            self.tables().motions.get(&MotionId(motion)).unwrap().effect,
            MotionEffect::Admit(_)
        );
        let criterion = (admission && choice == Choice::No).then(|| text("field-of-work"));
        self.member(
            member,
            Body::Motion(MotionAct::Vote(Ballot {
                motion: MotionId(motion),
                round: self.tables().motions.get(&MotionId(motion)).unwrap().round,
                replaces: Vec::new(),
                vote: BallotVote::Choice(choice),
                criterion,
                declaration: Declaration::None,
                proxy_for: None,
            })),
        )
    }

    /// Everybody in the frozen electorate votes yes; time moves past the close and the stay.
    /// Returns the events.
    pub fn pass(&mut self, motion: u32) -> Vec<EventBody> {
        let electorate = rollbook_core::rules::motion::electorate(self.tables(), MotionId(motion));
        for member in electorate.into_keys() {
            self.vote(member.0, motion, Choice::Yes).unwrap();
        }
        let mut events = self.close(motion);
        if let Some(due) = self.due(DeadlineKind::MotionEffect, motion) {
            events.extend(self.advance(due + 1).into_iter().map(|event| event.body));
        }
        events
    }

    /// Moves time right past the close of a motion's ballots.
    pub fn close(&mut self, motion: u32) -> Vec<EventBody> {
        let due = self.due(DeadlineKind::MotionClose, motion).unwrap();
        self.advance(due + 1)
            .into_iter()
            .map(|event| event.body)
            .collect()
    }

    /// When a deadline passes, if it runs.
    pub fn due(&self, kind: DeadlineKind, object: u32) -> Option<u64> {
        self.tables()
            .deadline_of
            .get(&(kind as u16, object))
            .copied()
            .map(|id| id.0)
    }

    /// Moves ledger time to `to`: a block right after each deadline on the way, then one at `to`.
    /// Returns all events.
    pub fn advance(&mut self, to: u64) -> Vec<Event> {
        let mut events = Vec::new();
        while self.ledger.tip().seal.time_ms < LedgerTime(to) {
            let next = self
                .ledger
                .next_deadline()
                .map_or(to, |due| due.0 + 1)
                .min(to);
            events.extend(self.block(next, &[]).events);
        }
        events
    }

    /// Moves ledger time by so many days.
    pub fn advance_days(&mut self, days: u64) -> Vec<EventBody> {
        let to = self.ledger.tip().seal.time_ms.0 + days * rollbook_core::calendar::MS_PER_DAY;
        self.advance(to)
            .into_iter()
            .map(|event| event.body)
            .collect()
    }
}

/// A text for a record.
pub fn text<const N: usize>(value: &str) -> Text<N> {
    Text::new(value).unwrap()
}
