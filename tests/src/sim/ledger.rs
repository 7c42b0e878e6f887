//! What the simulator asks of a ledger beyond [`App`], and the real ledger in it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use rollbook_core::identity::Role;
use rollbook_core::ledger::Ledger;
use rollbook_core::record::{Body, NodeAct, NodeUpdate, Record};
use rollbook_core::tx::Verify;
use rollbook_node::replica::{Ahead, App, Keys, LedgerApp};
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, PublicKey, Signature};
use rollbook_proof::number::{Height, OrganisationId};
use rollbook_sandbox::alliance::{OPENED_MS, node_keys};
use rollbook_sandbox::keys::{node_key, officers_of};

use super::memo;
use super::plan::Plan;
use super::random::Random;
use crate::alliance::{Alliance, place, sample};
use crate::writer::text;

/// A ledger under simulation.
pub trait SimLedger: App + Sized {
    /// What all nodes of a chain start from.
    type Genesis;

    /// The genesis of a plan.
    fn genesis(plan: &Plan) -> Rc<Self::Genesis>;

    /// Genesis hash and time of the genesis seal.
    fn facts(genesis: &Self::Genesis) -> (Hash, u64);

    /// The ledger at its genesis seal.
    fn open(genesis: &Rc<Self::Genesis>) -> Self;

    /// A copy at the same tip.
    fn copy(&self) -> Self;

    /// The keys of a node.
    fn keys(genesis: &Self::Genesis, organisation: u32) -> Keys;

    /// The keys that its seat gets when it moves. A ledger on which none does has no others.
    fn moved_keys(genesis: &Self::Genesis, organisation: u32) -> Keys {
        Self::keys(genesis, organisation)
    }

    /// First height that the keys of an organisation's seat vote at, as the ledger says it.
    fn votes_from(&self, _: u32) -> Option<Height> {
        None
    }

    /// One of them, for whoever signs what no honest node would.
    fn keypair(genesis: &Self::Genesis, organisation: u32, kind: KeyKind) -> Keypair;

    /// Whether this record, once admitted, need not be decided.
    fn may_wait(_: &Self::Genesis, _: &Hash) -> bool {
        false
    }

    /// The `number`th record handed in, counted from 1, if there is one.
    fn record(
        genesis: &Self::Genesis,
        plan: &Plan,
        number: u64,
        random: &mut Random,
    ) -> Option<Vec<u8>>;

    /// Accusations in the ledger: height and culprit.
    fn accused(&self) -> Vec<(Height, OrganisationId)>;

    /// From now on it is the ledger of a proposer that chooses certificates to its own ends.
    fn choose_certificates(&mut self) {}

    /// After each step of its replica.
    fn after_step(&mut self) {}
}

/// The real ledger's genesis and the records that found it: an alliance with one more member than
/// validators, which gets a seat by a handover.
pub struct RealGenesis {
    alliance: RefCell<Alliance>,
    chain: Hash,
    records: Vec<Record>,
    /// Those of them that apply once in all.
    zombies: BTreeSet<Hash>,
}

const SEED: &[u8] = b"simulated alliance";
/// Of the keys to which seats move.
const MOVED: &[u8] = b"moved seats";

/// Signatures by the simulator's memo.
#[derive(Debug)]
pub struct Memo;

/// The real ledger under simulation: what the node runs, too.
pub type RealLedger = LedgerApp<Memo>;

impl Verify for Memo {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        memo::verify(key, message, signature)
    }
}

impl Ahead for Memo {}

fn with_memo(ledger: Ledger) -> RealLedger {
    LedgerApp::with_verifier(ledger, Memo)
}

impl SimLedger for RealLedger {
    type Genesis = RealGenesis;

    fn genesis(plan: &Plan) -> Rc<RealGenesis> {
        let mut sample = sample(SEED, plan.nodes, plan.validators);
        sample.charter.chain.handover_blocks = 10;
        let mut alliance = Alliance::of(&sample);
        let mut records = alliance.found(OPENED_MS);
        for newcomer in plan.validators + 1..=plan.nodes {
            let operator = (officers_of(newcomer).0, Role::NodeOperator);
            let chain = alliance.chain();
            let keys = Box::new(node_keys(Some(&chain), SEED, newcomer, &place(newcomer)));
            let register = Body::Node(NodeAct::Register(*keys));
            records.push(
                alliance
                    .signer
                    .record(newcomer, &[operator], OPENED_MS, register),
            );
            records.push(alliance.signer.record(
                newcomer,
                &[operator],
                OPENED_MS,
                Body::Node(NodeAct::Ready),
            ));
        }
        for mover in &plan.moves {
            let operator = (officers_of(*mover).0, Role::NodeOperator);
            let keys = [
                KeyKind::Consensus,
                KeyKind::Cosigner,
                KeyKind::Log,
                KeyKind::Transport,
            ]
            .map(|kind| node_key(MOVED, *mover, kind));
            let address = text(&format!("moved-{mover}.example:7400"));
            let update = NodeUpdate::proved(
                &alliance.chain(),
                OrganisationId(*mover),
                keys.each_ref().map(Some),
                None,
                Some(address),
            );
            let act = Body::Node(NodeAct::Update(update));
            records.push(alliance.signer.record(*mover, &[operator], OPENED_MS, act));
        }
        let mut zombies = BTreeSet::new();
        for _ in 0..plan.zombies {
            let operator = (officers_of(plan.nodes).0, Role::NodeOperator);
            let ready = Body::Node(NodeAct::Ready);
            let record = alliance
                .signer
                .record(plan.nodes, &[operator], OPENED_MS, ready);
            zombies.insert(record.id());
            records.push(record);
        }
        if plan.zombies > 0 {
            // The first that applies makes all others wait, those of before included.
            zombies.extend(records.iter().map(Record::id));
        }
        Rc::new(RealGenesis {
            zombies,
            chain: alliance.chain(),
            alliance: RefCell::new(alliance),
            records,
        })
    }

    fn facts(genesis: &RealGenesis) -> (Hash, u64) {
        (genesis.chain, OPENED_MS)
    }

    fn open(genesis: &Rc<RealGenesis>) -> RealLedger {
        let (ledger, _) = Ledger::from_genesis(&genesis.alliance.borrow().genesis)
            .expect("the sample genesis opens");
        with_memo(ledger)
    }

    fn copy(&self) -> RealLedger {
        with_memo(self.ledger().clone())
    }

    fn keypair(_: &RealGenesis, organisation: u32, kind: KeyKind) -> Keypair {
        node_key(SEED, organisation, kind)
    }

    fn may_wait(genesis: &RealGenesis, record: &Hash) -> bool {
        genesis.zombies.contains(record)
    }

    fn keys(genesis: &RealGenesis, organisation: u32) -> Keys {
        let key = |kind| Self::keypair(genesis, organisation, kind);
        Keys::new(
            OrganisationId(organisation),
            key(KeyKind::Consensus),
            key(KeyKind::Cosigner),
            key(KeyKind::Log),
        )
    }

    fn moved_keys(_: &RealGenesis, organisation: u32) -> Keys {
        let key = |kind| node_key(MOVED, organisation, kind);
        Keys::new(
            OrganisationId(organisation),
            key(KeyKind::Consensus),
            key(KeyKind::Cosigner),
            key(KeyKind::Log),
        )
    }

    fn votes_from(&self, organisation: u32) -> Option<Height> {
        let nodes = &self.ledger().tables().nodes;
        nodes.get(&OrganisationId(organisation))?.votes_from
    }

    fn record(genesis: &RealGenesis, _: &Plan, number: u64, _: &mut Random) -> Option<Vec<u8>> {
        // Those that found go round until they are decided: what is decided is refused, and
        // harmless.
        let founding = genesis.records.len() as u64;
        genesis
            .records
            .get((number.checked_sub(1)? % founding) as usize)
            .map(encode)
    }

    fn accused(&self) -> Vec<(Height, OrganisationId)> {
        let offences = self.ledger().tables().evidence.iter();
        offences
            .map(|((height, culprit, _), _)| (*height, *culprit))
            .collect()
    }

    fn after_step(&mut self) {
        // What the shell would put into the store.
        drop(self.take_outbox());
    }
}
