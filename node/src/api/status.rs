//! What the node tells about itself: status, health, genesis.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rollbook_core::genesis::file::GenesisFile;
use rollbook_proof::number::Height;
use rollbook_wire::by_name::ByName;
use rollbook_wire::status as wire;

use super::{Api, Problem};
use crate::replica::Phase;

impl Api {
    /// What this node tells about itself.
    pub async fn status(&self) -> wire::Status {
        let parts = self.parts();
        let known = self.peers().await;
        let snapshot = parts.snapshot.borrow().clone();
        let status = &snapshot.status;
        let now_ms = parts.clock.now_ms();
        let peers: Vec<wire::Peer> = snapshot
            .nodes
            .iter()
            .filter(|(organisation, _)| **organisation != parts.organisation)
            .map(|(organisation, (key, address, seat))| {
                let peer = known.iter().find(|peer| peer.key == *key);
                wire::Peer {
                    address: address.clone(),
                    connected: peer.is_some_and(|peer| peer.connected),
                    last_error: peer.and_then(|peer| peer.last_error.clone()),
                    organisation: *organisation,
                    peer: key.to_string(),
                    validator: *seat,
                }
            })
            .collect();
        let validators_connected = snapshot
            .validators
            .iter()
            .filter(|seat| {
                **seat == parts.organisation
                    || peers
                        .iter()
                        .any(|peer| peer.organisation == **seat && peer.connected)
            })
            .count();
        let elapsed_ms = snapshot.started.elapsed().as_millis() as u64;
        let seconds = |since: u64| elapsed_ms.saturating_sub(since) / 1_000;
        let keys = ["consensus", "cosigner", "log", "transport"];
        let coming = snapshot.coming.filter(|keys| keys[0] == parts.own_keys[0]);
        // While keys in force sign with a consensus key that stays, both answers are the same.
        let waits =
            coming.is_some() && snapshot.registered.is_some_and(|now| now != parts.own_keys);
        let registered = coming.filter(|_| waits).or(snapshot.registered);
        let registered = registered.iter().flatten();
        let own = keys.iter().zip(&parts.own_keys).zip(registered);
        wire::Status {
            behind: snapshot.behind.clone(),
            block: snapshot.seal.id().to_hex(),
            body_missing: status
                .body_missing
                .map(|(height, _)| format!("behind: body of {height} missing")),
            clock: parts.clock.kind(),
            clock_off_ms: match status.out_of_bounds {
                0 => (status.clock_seen_s != 0).then_some(status.clock_seen_s * 1_000),
                _ => Some(status.clock_off_ms),
            },
            clock_warning: status.clock_warning(),
            counts: wire::Counts {
                admitted: snapshot.counts.admitted,
                blocks: snapshot.counts.blocks,
                records: snapshot.counts.records,
                refused: snapshot
                    .counts
                    .refused
                    .saturating_add(self.limits().all_refused()),
                unsent: snapshot.counts.unsent,
            },
            fork_alarm: status
                .fork_alarm
                .map(|(validator, height)| wire::ForkAlarm { height, validator }),
            foreign_statement: status.foreign_statement,
            founders_missing: snapshot.founders_missing,
            genesis: self.chain().to_hex(),
            guard_refusals: status.guard_refusals,
            height: status.tip,
            keys_wait: waits,
            keys_unknown: own
                .filter(|((_, own), registered)| own != registered)
                .map(|((kind, _), _)| (*kind).to_owned())
                .collect(),
            listen: parts
                .network
                .listen_addresses()
                .first()
                .map(ToString::to_string),
            log_size: snapshot.seal.checkpoint_size(),
            node: snapshot.standing.get(&parts.organisation).copied(),
            now_ms,
            organisation: parts.organisation,
            out_of_bounds: status.out_of_bounds,
            parked: status.parked,
            phase: match status.phase {
                Phase::Asking => wire::Phase::Asking,
                Phase::Holding => wire::Phase::Holding,
                Phase::Running => wire::Phase::Running,
                Phase::Stopped => wire::Phase::Stopped,
            },
            pool: status.pool,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: ByName(snapshot.protocol),
            quorum: rollbook_proof::chain::quorum(snapshot.validators.len()),
            receipted: parts
                .view
                .receipt()
                .map_or(Height(0), |receipt| Height(receipt.height.0)),
            restored: status
                .restored
                .iter()
                .map(|(organisation, height)| wire::Restored {
                    organisation: *organisation,
                    votes_from: *height,
                })
                .collect(),
            round: status.round,
            sample: self.is_sample(),
            state_root: snapshot.seal.state_root.to_hex(),
            stored: Height(parts.view.height().0),
            since_block_s: seconds(status.since.0),
            time_ms: snapshot.seal.time_ms,
            turn: status.turn,
            under_way_s: status.since.1.map(seconds),
            validator: snapshot.validators.contains(&parts.organisation),
            validators_connected,
            wanted: status.wanted,
            votes: status.votes,
            votes_from: (status.votes_from != Height(u64::MAX))
                .then_some(Height(status.votes_from.0)),
            peers,
            validators: snapshot.validators,
        }
    }
}

/// What the node tells about itself.
#[utoipa::path(
    get,
    path = "/v1/status",
    responses((status = 200, description = "Status as told by this node", body = wire::Status))
)]
pub async fn status(State(api): State<Api>) -> Json<wire::Status> {
    Json(api.status().await)
}

/// 200 while the replica runs, 503 when it has stopped.
#[utoipa::path(
    get,
    path = "/v1/health",
    responses(
        (status = 200, description = "The replica runs", body = wire::Health),
        (status = 503, description = "It has stopped", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn health(State(api): State<Api>) -> Result<Json<wire::Health>, Problem> {
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
    Ok(Json(wire::Health { height }))
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
