//! The ledger of a node, and what the replica's thread takes from it after each step: which records
//! wait, and which blocks go to the store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use rollbook_core::ledger::Ledger;
use rollbook_core::record::Number;
use rollbook_core::state;
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::Hash;

use super::memo::MemoVerifier;
use crate::replica::journal_storage::JournalStorage;
use crate::replica::{Keys, LedgerApp, Outbox, Refused, Replica, ReplicaConfig};
use crate::store::writer::{CommittedBlock, Job};

/// Record ids remembered as waiting.
const WAITING: usize = 50_000;

/// The ledger behind the replica of a node: the one the simulator runs, too, with a memo of
/// verified signatures.
pub type NodeApp = LedgerApp<MemoVerifier>;

/// The replica of a node.
pub type NodeReplica = Replica<NodeApp, JournalStorage, MemoVerifier>;

/// The replica of a node. Its verifier remembers what was good: a frame is judged before it is passed
/// on, and again where it is used.
pub fn node_replica(
    config: ReplicaConfig,
    keys: Keys,
    app: NodeApp,
    storage: JournalStorage,
) -> NodeReplica {
    Replica::new(config, keys, app, storage, MemoVerifier::default())
}

/// The ledger of a node, opened at its tip.
pub fn node_app(ledger: Ledger) -> NodeApp {
    LedgerApp::with_verifier(ledger, MemoVerifier::default())
}

/// Why a record that was admitted here does not apply now (RULINGS A59).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Its number.
    pub number: Number,
    /// The rule, and the height it was judged at.
    pub refused: Refused,
    /// Whether it has left the pool; else it waits aside and is judged again.
    pub left: bool,
}

/// Records that were admitted here and are not decided: what "held in memory" means to a client, and
/// what is told of those that do not apply.
#[derive(Debug, Default)]
pub struct Waiting {
    known: BTreeMap<Hash, Option<Aside>>,
    order: VecDeque<Hash>,
}

impl Waiting {
    fn add(&mut self, id: Hash) {
        if self.known.insert(id, None).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > WAITING {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    /// A record of the pool does not apply, or applies again; one that is not known here is not told
    /// of.
    pub fn aside(&mut self, id: &Hash, aside: Option<Aside>) {
        if let Some(known) = self.known.get_mut(id) {
            *known = aside;
        }
    }

    /// Whether a record was admitted here and is not decided; why it does not apply, if it does not.
    pub fn of(&self, id: &Hash) -> Option<Option<Aside>> {
        self.known.get(id).cloned()
    }
}

/// A block could not be handed to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("block {block} was decided and cannot be committed: {why}")]
pub struct NotDelivered {
    /// Its id.
    pub block: Hash,
    /// Why.
    pub why: &'static str,
}

/// Hands on what leaves the ledger: ids to those that wait, blocks to the store.
#[derive(Debug)]
pub struct Delivery {
    jobs: SyncSender<Job>,
    waiting: Arc<Mutex<Waiting>>,
    nodes_changed: bool,
    /// The newest block was a handover.
    follows_handover: bool,
}

impl Delivery {
    /// From a ledger at its tip to the store's queue. The table of nodes counts as changed.
    pub fn new(ledger: &Ledger, jobs: SyncSender<Job>, waiting: Arc<Mutex<Waiting>>) -> Delivery {
        Delivery {
            jobs,
            waiting,
            nodes_changed: true,
            follows_handover: ledger.needs_handover_checkpoint(),
        }
    }

    /// A record of the pool does not apply, or applies again.
    pub fn aside(&self, id: &Hash, aside: Option<Aside>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.aside(id, aside);
    }

    /// The store's queue.
    pub fn jobs(&self) -> &SyncSender<Job> {
        &self.jobs
    }

    /// Whether the table of nodes has changed since the last call.
    pub fn take_nodes_changed(&mut self) -> bool {
        std::mem::take(&mut self.nodes_changed)
    }

    /// Hands on what one step left; waits for room in the store's queue.
    pub fn deliver(&mut self, outbox: Outbox) -> Result<(), NotDelivered> {
        let Outbox {
            admitted,
            committed,
        } = outbox;
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            admitted.into_iter().for_each(|id| waiting.add(id));
            for (committed, _) in &committed {
                for (id, _) in &committed.execution.outcomes {
                    waiting.known.remove(id);
                }
            }
        }
        for (committed, certificate) in committed {
            // A handover changes seats without touching a node's row when nothing else of it
            // changes: look then, too; and after the block that follows it, with which those who
            // left are let go.
            let changes = &committed.execution.changes;
            self.nodes_changed |= committed.handover
                || self.follows_handover
                // Nodes and memberships say who may connect.
                || changes.rows.iter().any(|row| {
                    row.table == state::number::nodes || row.table == state::number::memberships
                });
            self.follows_handover = committed.handover;
            let block = committed.execution.seal.id();
            let job = Job::Block(Box::new(CommittedBlock {
                execution: committed.execution,
                certificate: encode(&certificate),
            }));
            let why = "the store's thread has ended";
            self.jobs
                .send(job)
                .map_err(|_| NotDelivered { block, why })?;
        }
        Ok(())
    }
}
