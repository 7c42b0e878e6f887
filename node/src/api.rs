//! HTTP for everybody: submit and read, nothing else (RULINGS A20). JSON, problem documents, proofs
//! beside what matters.
//!
//! * TLS with a given certificate, else loopback only unless the operator says otherwise
//!   ([`door`]); stop, clock, backup and keys are not here at all.
//! * Whatever is asked, the answer is a value or a problem document with a code; bytes from outside
//!   never cause a 500.
//! * Bodies and pages are bounded. What carries weight carries its proof: receipts, seals, state
//!   proofs, signed answers to submissions. Lists are what this node says.
//! * Read classes (RULINGS A15): what is for members is shown to readers who log in with a signed
//!   pass ([`reader`]).
//!
//! Absent on purpose: sessions, cookies, writing anything but records and papers that become some.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use rollbook_core::record::Record;
use rollbook_proof::crypto::{Hash, Keypair, PublicKey};
use rollbook_proof::log::{Clock, SignedNote};
use rollbook_proof::number::{Height, OrganisationId};
use tokio::sync::watch;

use crate::clock::NodeClock;
use crate::network::NetworkHandle;
use crate::papers::Papers;
use crate::replica_thread::app::Waiting;
use crate::replica_thread::command::Commands;
use crate::replica_thread::snapshot::Snapshot;
use crate::store::view::{StoredReceipt, View};

mod ask;
mod blocks;
pub mod door;
mod events;
pub mod lists;
mod log;
mod metrics;
mod next;
mod openapi;
mod papers;
mod problem;
pub mod reader;
mod records;
mod state;
mod status;
mod views;

pub use problem::Problem;

/// Longest request body, in bytes.
pub const BODY_MAX: usize = 1024 * 1024;
/// How long a question waits for a receipt or for the store.
const PATIENCE: Duration = Duration::from_secs(8);

/// What the API is made of.
pub struct ApiParts {
    /// The store and what belongs to it.
    pub view: View,
    /// The replica's channel.
    pub commands: Commands,
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
pub struct Api(Arc<ApiParts>);

impl Api {
    /// Wraps the parts.
    pub fn new(parts: ApiParts) -> Api {
        Api(Arc::new(parts))
    }

    pub(crate) fn parts(&self) -> &ApiParts {
        &self.0
    }

    pub(crate) fn chain(&self) -> Hash {
        self.0.view.genesis.hash()
    }

    pub(crate) fn is_sample(&self) -> bool {
        self.0.clock.kind() == Clock::Sample
    }

    /// A checkpoint as a signed note under the policy of its size, with the log line of one of its
    /// validators, which came with the cosignatures.
    pub(crate) fn note(&self, receipt: &StoredReceipt) -> Result<SignedNote, Problem> {
        let checkpoint = &receipt.checkpoint;
        let policy = self
            .0
            .view
            .policy_at(checkpoint.size)
            .ok_or_else(|| Problem::internal("no policy for this checkpoint"))?;
        let note = rollbook_proof::log::Checkpoint {
            origin: policy.origin.clone(),
            size: checkpoint.size,
            root: checkpoint.root,
        };
        policy
            .checkpoint_note(&note, &checkpoint.log, &checkpoint.cosignatures, &[])
            .map_err(Problem::internal)
    }

    /// The newest receipt, once there is one that covers `height`.
    pub(crate) async fn receipt_for(&self, height: Height) -> Result<StoredReceipt, Problem> {
        let mut receipts = self.0.view.receipts();
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
        let mut heights = self.0.view.heights();
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

/// The routes.
pub fn router(api: Api) -> Router {
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
        .route("/v1/log/{*path}", get(log::tile))
        .route("/v1/export", get(blocks::export))
        .route("/v1/events", get(events::events))
        .route_layer(axum::middleware::from_fn_with_state(
            api.clone(),
            reader::gate,
        ));
    // Handing in, following one's own record to its receipt, and judging what the node says of
    // itself.
    Router::new()
        .route("/v1/records", post(records::submit))
        .route("/v1/records/dry-run", post(next::dry_run))
        .route("/v1/records/{id}", get(records::place))
        .route("/v1/records/{id}/proof", get(records::proof))
        .route("/v1/records/{id}/effect", get(records::effect))
        .route("/v1/papers", post(papers::leave).get(papers::list))
        .route("/v1/papers/{id}", get(papers::one))
        .route("/v1/papers/{id}/take-back", post(papers::take_back))
        .route("/v1/persons/{person}/sequence", get(state::sequence))
        .route("/v1/status", get(status::status))
        .route("/v1/health", get(status::health))
        .route("/v1/metrics", get(metrics::metrics))
        .route("/metrics", get(metrics::metrics))
        .route("/v1/genesis", get(status::genesis))
        .route("/v1/policies", get(state::policies))
        .route("/v1/consistency", get(log::consistency))
        .route("/v1/checkpoint", get(log::checkpoint))
        .route("/v1/log/checkpoint", get(log::checkpoint))
        .route("/v1/openapi.json", get(openapi::document))
        .merge(reading)
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(api)
}
