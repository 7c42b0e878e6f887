//! HTTP for everybody: submit and read, nothing else (RULINGS A20). JSON, problem documents, proofs
//! beside what matters.
//!
//! * TLS with a given certificate, else loopback only unless the operator says otherwise
//!   ([`door`]); stop, clock, backup and keys are not here at all.
//! * Its threads are its own and stand below consensus; what strangers may ask for is bounded in rate,
//!   in bytes and in places (`limits`, RULINGS A42, A49).
//! * Whatever is asked, the answer is a value or a problem document with a code; bytes from outside
//!   never cause a 500.
//! * Bodies and pages are bounded. What carries weight carries its proof: receipts, seals, state
//!   proofs, signed answers to submissions. Lists are what this node says.
//! * Read classes (RULINGS A15): what is for members is shown to readers who log in with a signed
//!   pass ([`reader`]).
//!
//! Absent on purpose: sessions, cookies, writing anything but records and papers that become some.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use rollbook_core::record::Record;
use rollbook_proof::chain::{HandoverCheckpoint, LogSignature};
use rollbook_proof::crypto::{Hash, Keypair, PublicKey};
use rollbook_proof::log::{Checkpoint, Clock, EpochPolicy, SignedNote};
use rollbook_proof::number::{Height, OrganisationId};
use rollbook_wire::proof::Policy;
use tokio::sync::watch;

use crate::clock::NodeClock;
use crate::network::{NetworkHandle, PeerInfo};
use crate::papers::Papers;
use crate::replica_thread::app::Waiting;
use crate::replica_thread::command::Commands;
use crate::replica_thread::keyring::Keyring;
use crate::replica_thread::snapshot::Snapshot;
use crate::store::view::{StoredReceipt, View};

mod ask;
mod blocks;
mod bodies;
mod budget;
pub mod door;
mod events;
mod export;
mod limits;
pub mod lists;
mod log;
mod metrics;
mod next;
mod openapi;
mod papers;
mod problem;
pub mod reader;
mod records;
pub mod serve;
mod shares;
mod state;
mod status;
mod views;

use limits::Limits;
pub use problem::Problem;

/// Longest request body, in bytes.
pub const BODY_MAX: usize = 1024 * 1024;
/// How long what the network said of peers is told again.
const PEERS_KNOWN: Duration = Duration::from_millis(100);
/// How long a question waits for a receipt or for the store.
const PATIENCE: Duration = Duration::from_secs(8);

/// What the API is made of.
pub struct ApiParts {
    /// The store and what belongs to it.
    pub view: View,
    /// The replica's channel.
    pub commands: Commands,
    /// The officers' keys at the tip.
    pub keyring: Keyring,
    /// What the replica tells.
    pub snapshot: watch::Receiver<Snapshot>,
    /// The network.
    pub network: NetworkHandle,
    /// This node's public keys: consensus, cosigner, log, transport.
    pub own_keys: [PublicKey; 4],
    /// Signs the answers to submissions.
    pub log_key: Keypair,
    /// Own organisation.
    pub organisation: OrganisationId,
    /// The clock.
    pub clock: Arc<NodeClock>,
    /// Records that wait.
    pub waiting: Arc<Mutex<Waiting>>,
    /// Records of the genesis file.
    pub found: Vec<Record>,
    /// Records that wait for signatures.
    pub papers: Papers,
    /// Whether readers who have not logged in see what is public.
    pub public_reading: bool,
}

/// The API's state. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inside>);

struct Inside {
    parts: ApiParts,
    limits: Limits,
    /// Of [`ApiParts::view`], which has one for the life of the process.
    chain: Hash,
    /// The newest note that was made, with the size and root that it is of.
    note: Mutex<Option<(u64, Hash, SignedNote)>>,
    /// The policies since the first, as far as they were proved.
    epochs: Mutex<Vec<Policy>>,
    /// The peers, and when the network was asked.
    peers: Mutex<Option<(Instant, Vec<PeerInfo>)>>,
}

impl Api {
    /// Wraps the parts.
    pub fn new(parts: ApiParts) -> Api {
        Api(Arc::new(Inside {
            limits: Limits::default(),
            chain: parts.view.genesis.hash(),
            note: Mutex::default(),
            epochs: Mutex::default(),
            peers: Mutex::default(),
            parts,
        }))
    }

    pub(crate) fn parts(&self) -> &ApiParts {
        &self.0.parts
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn chain(&self) -> Hash {
        self.0.chain
    }

    pub(crate) fn is_sample(&self) -> bool {
        self.parts().clock.kind() == Clock::Sample
    }

    /// The policies that were proved already, from the first on.
    pub(crate) fn epochs(&self) -> Vec<Policy> {
        let known = self.0.epochs.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps policies with their proofs, from the first on, for the next who asks.
    pub(crate) fn keep_epochs(&self, chain: &[Policy]) {
        let mut known = self.0.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < chain.len() {
            *known = chain.to_vec();
        }
    }

    /// The peers as the network knew them a moment ago: its thread carries consensus, too.
    pub(crate) async fn peers(&self) -> Vec<PeerInfo> {
        let lock = || self.0.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().clone();
        if let Some((asked, peers)) = known
            && asked.elapsed() < PEERS_KNOWN
        {
            return peers;
        }
        let peers = self.parts().network.peers().await;
        *lock() = Some((Instant::now(), peers.clone()));
        peers
    }

    /// A receipted checkpoint as a signed note under the policy of its size: with the log line of this
    /// node if it is one of the policy's validators, else with that of the validator whose line came
    /// with the cosignatures (RULINGS A57).
    pub(crate) fn note(&self, receipt: &StoredReceipt) -> Result<SignedNote, Problem> {
        let (size, root) = (receipt.checkpoint.size, receipt.checkpoint.root);
        let lock = || self.0.note.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known_size, known_root, note)) = &*lock()
            && (*known_size, *known_root) == (size, root)
        {
            return Ok(note.clone());
        }
        let policy = self.policy_of(size)?;
        let own = self.parts().organisation;
        let is_own = self.signs_for(receipt)? == own;
        let checkpoint = Checkpoint {
            origin: policy.origin.clone(),
            size,
            root,
        };
        let log = if is_own {
            LogSignature {
                validator: own,
                signature: checkpoint.sign_log(&self.parts().log_key),
            }
        } else {
            receipt.checkpoint.log
        };
        let note = policy
            .checkpoint_note(&checkpoint, &log, &receipt.checkpoint.cosignatures, &[])
            .map_err(Problem::internal)?;
        *lock() = Some((size, root, note.clone()));
        Ok(note)
    }

    /// Whose log line [`Api::note`] has.
    pub(crate) fn signs_for(&self, receipt: &StoredReceipt) -> Result<OrganisationId, Problem> {
        let policy = self.policy_of(receipt.checkpoint.size)?;
        let (own, key) = (self.parts().organisation, self.parts().log_key.public());
        let is_own = policy.validator(own).is_some_and(|seat| seat.log == key);
        Ok(if is_own {
            own
        } else {
            receipt.checkpoint.log.validator
        })
    }

    /// The checkpoint of a handover as the next block carries it: with the log line that stands there.
    pub(crate) fn handover_note(
        &self,
        checkpoint: &HandoverCheckpoint,
    ) -> Result<SignedNote, Problem> {
        let policy = self.policy_of(checkpoint.size)?;
        let note = Checkpoint {
            origin: policy.origin.clone(),
            size: checkpoint.size,
            root: checkpoint.root,
        };
        policy
            .checkpoint_note(&note, &checkpoint.log, &checkpoint.cosignatures, &[])
            .map_err(Problem::internal)
    }

    fn policy_of(&self, size: u64) -> Result<EpochPolicy, Problem> {
        self.parts()
            .view
            .policy_at(size)
            .ok_or_else(|| Problem::internal("no policy for this checkpoint"))
    }

    /// The newest receipt, once there is one that covers `height`.
    pub(crate) async fn receipt_for(&self, height: Height) -> Result<StoredReceipt, Problem> {
        let mut receipts = self.parts().view.receipts();
        let covers = |receipt: &Option<StoredReceipt>| {
            receipt
                .as_ref()
                .is_some_and(|receipt| receipt.height >= height)
        };
        let found = tokio::time::timeout(PATIENCE, receipts.wait_for(covers)).await;
        match found {
            Ok(Ok(receipt)) => receipt
                .clone()
                .ok_or_else(|| Problem::internal("the receipt vanished")),
            _ => Err(Problem::unavailable(
                "api.not-receipted",
                format!("block {height} is decided and not receipted yet"),
            )
            .next(
                "ask again in a moment; if it stays so, too few validators answer: see /v1/status",
            )),
        }
    }

    /// Waits until a block can be read.
    pub(crate) async fn stored(&self, height: Height) -> Result<(), Problem> {
        let mut heights = self.parts().view.heights();
        match tokio::time::timeout(PATIENCE, heights.wait_for(|known| *known >= height)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Problem::unavailable(
                "api.store-behind",
                format!("block {height} is not in the store yet"),
            )
            .next("ask again")),
        }
    }
}

/// The routes. What they cost stands in `limits`; the table of docs/operating.md names them so.
pub fn router(api: Api) -> Router {
    // What readers read: kept from the public where the operator says so.
    let reading = Router::new()
        .route("/v1/records/{id}/next", get(next::of_record))
        .route("/v1/next/{object}/{number}", get(next::next))
        .route("/v1/known/{object}/{number}", get(next::known))
        .route("/v1/blocks", get(blocks::page))
        .route("/v1/blocks/{height}", get(blocks::block))
        .route("/v1/blocks/{height}/frame", get(blocks::frame))
        .route("/v1/blocks/{height}/proof", get(blocks::proof))
        .route("/v1/state/{*path}", get(state::state))
        .route("/v1/lists/{table}", get(lists::list))
        .route("/v1/views/{object}/{number}", get(views::view))
        .route("/v1/validators", get(views::validators))
        .route("/v1/tasks", get(views::tasks))
        .route("/v1/log/{*path}", get(log::tile).options(log::may_fetch))
        .route("/v1/export", get(export::export))
        .route("/v1/events", get(events::events))
        .route_layer(from_fn_with_state(api.clone(), reader::gate));
    let dear = Router::new()
        .route("/v1/records/{id}/proof", get(records::proof))
        .route("/v1/records/{id}/effect", get(records::effect))
        .route("/v1/genesis", get(status::genesis))
        .route("/v1/policies", get(state::policies))
        .route("/v1/consistency", get(log::consistency))
        .merge(reading)
        .route_layer(from_fn_with_state(api.clone(), serve::dear));
    // Following one's own record, and judging what the node says of itself.
    let quick = Router::new()
        .route("/v1/records/{id}", get(records::place))
        .route("/v1/papers", post(papers::leave).get(papers::list))
        .route("/v1/papers/{id}", get(papers::one))
        .route("/v1/papers/{id}/take-back", post(papers::take_back))
        .route("/v1/persons/{person}/sequence", get(state::sequence))
        .route("/v1/metrics", get(metrics::metrics))
        .route("/metrics", get(metrics::metrics))
        .route("/v1/checkpoint", get(log::checkpoint))
        .route(
            "/v1/log/checkpoint",
            get(log::served).options(log::may_fetch),
        )
        .route("/v1/openapi.json", get(openapi::document))
        .route_layer(from_fn_with_state(api.clone(), serve::quick));
    // Charged by what comes in, or not at all.
    Router::new()
        .route("/v1/records", post(records::submit))
        .route("/v1/records/dry-run", post(next::dry_run))
        .route("/v1/status", get(status::status))
        .route("/v1/health", get(status::health))
        .merge(quick)
        .merge(dear)
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(api.clone(), serve::around))
        .with_state(api)
}
