//! What the node tells about itself: status, health, genesis.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rollbook_core::genesis::file::GenesisFile;
use serde_json::{Value, json};

use super::{Api, Problem};
use crate::replica::Phase;

impl Api {
    /// The status as JSON.
    pub async fn status(&self) -> Value {
        let parts = self.parts();
        let peers = parts.network.peers().await;
        let snapshot = parts.snapshot.borrow().clone();
        let status = &snapshot.status;
        let now_ms = parts.clock.now_ms();
        let members: Vec<Value> = snapshot
            .nodes
            .iter()
            .filter(|(organisation, _)| **organisation != parts.organisation)
            .map(|(organisation, (key, address, seat))| {
                let peer = peers.iter().find(|peer| peer.key == *key);
                json!({
                    "organisation": organisation,
                    "peer": key.to_string(),
                    "address": address,
                    "validator": seat,
                    "connected": peer.is_some_and(|peer| peer.connected),
                    "last_error": peer.and_then(|peer| peer.last_error.clone()),
                })
            })
            .collect();
        let connected = |seats: &[u32]| {
            seats
                .iter()
                .filter(|seat| {
                    **seat == parts.organisation
                        || members
                            .iter()
                            .any(|m| m["organisation"] == **seat && m["connected"] == true)
                })
                .count()
        };
        let seats = &snapshot.validators;
        let phase = match status.phase {
            Phase::Asking => "asking",
            Phase::Holding => "holding",
            Phase::Running => "running",
            Phase::Stopped => "stopped",
        };
        json!({
            "organisation": parts.organisation,
            "program": env!("CARGO_PKG_VERSION"),
            "genesis": self.chain().to_hex(),
            "clock": if self.is_sample() { "sample" } else { "wall" },
            "sample": self.is_sample(),
            "height": status.tip,
            "block": snapshot.seal.id().to_hex(),
            "time_ms": snapshot.seal.time_ms,
            "now_ms": now_ms,
            "state_root": snapshot.seal.state_root.to_hex(),
            "log_size": snapshot.seal.checkpoint_size(),
            "receipted": parts.view.receipt().map_or(0, |receipt| receipt.height),
            "stored": parts.view.height(),
            "phase": phase,
            "protocol": snapshot.protocol,
            "round": status.round,
            "node": snapshot.standing.get(&parts.organisation),
            "validator": seats.contains(&parts.organisation),
            "votes": status.votes,
            "votes_from": (status.votes_from != u64::MAX).then_some(status.votes_from),
            "founders_missing": snapshot.founders_missing,
            "pool": status.pool,
            "body_missing": status
                .body_missing
                .map(|(height, _)| format!("behind: body of {height} missing")),
            "out_of_bounds": status.out_of_bounds,
            "clock_off_ms": (status.out_of_bounds > 0).then_some(status.clock_off_ms),
            "clock_warning": status.clock_warning(),
            "guard_refusals": status.guard_refusals,
            "fork_alarm": status
                .fork_alarm
                .map(|(validator, height)| json!({ "validator": validator, "height": height })),
            "validators": seats,
            "validators_connected": connected(seats),
            "quorum": rollbook_proof::chain::quorum(seats.len()),
            "listen": parts.network.listen_addresses().first().map(ToString::to_string),
            "peers": members,
            "counts": {
                "admitted": snapshot.counts.admitted,
                "refused": snapshot.counts.refused,
                "records": snapshot.counts.records,
                "blocks": snapshot.counts.blocks,
                "unsent": snapshot.counts.unsent,
            },
        })
    }
}

/// What the node tells about itself.
#[utoipa::path(
    get,
    path = "/v1/status",
    responses((status = 200, description = "Status as told by this node"))
)]
pub async fn status(State(api): State<Api>) -> Json<Value> {
    Json(api.status().await)
}

/// 200 while the replica runs, 503 when it has stopped.
#[utoipa::path(
    get,
    path = "/v1/health",
    responses(
        (status = 200, description = "The replica runs"),
        (status = 503, description = "It has stopped", body = Problem)
    )
)]
pub async fn health(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let snapshot = api.parts().snapshot.clone();
    if snapshot.has_changed().is_err() || snapshot.borrow().status.phase == Phase::Stopped {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "api.stopped",
            "the replica has stopped",
        )
        .next("see the node's log"));
    }
    let height = snapshot.borrow().status.tip;
    Ok(Json(json!({ "height": height })))
}

/// The genesis file: policy 0, the items, the founders' signed records.
#[utoipa::path(get, path = "/v1/genesis", responses(
    (status = 200, description = "The genesis file", content_type = "application/octet-stream")))]
pub async fn genesis(State(api): State<Api>) -> Response {
    let parts = api.parts();
    let file = GenesisFile {
        genesis: (*parts.view.genesis).clone(),
        found: parts.found.clone(),
    };
    let hash = api.chain().to_hex();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::ETAG, format!("\"{hash}\"")),
    ];
    (headers, file.encode()).into_response()
}
