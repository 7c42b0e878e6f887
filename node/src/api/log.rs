//! The log as C2SP tlog-tiles: checkpoint, hash tiles, entry bundles.

use std::io::Write as _;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rollbook_core::object::node::NodeStatus;
use rollbook_proof::log::policy::log_prefix;
use rollbook_proof::log::tiles::{EntryBundler, TILE_WIDTH, Tile, TileKind, hash_tile_bytes};
use rollbook_proof::log::tree::{TreeError, consistency_proof};
use rollbook_proof::number::{Height, OrganisationId};
use rollbook_wire::proof::Consistency;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Api, Problem};
use crate::store::view::View;

/// Any origin may fetch the log, and read what is said beside it.
pub(super) const ORIGIN: (HeaderName, &str) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
/// Organisation number of the validator whose log line a checkpoint carries.
const SIGNED_BY: &str = "rollbook-signed-by";
/// Every byte of the log is for everybody and stays as it is, in a whole tile and in a part of one.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The newest receipted checkpoint as a signed note, with the log line of this node if it is a validator.
#[utoipa::path(get, path = "/v1/checkpoint", responses(
    (status = 200, description = "C2SP checkpoint", content_type = "text/plain")))]
pub async fn checkpoint(State(api): State<Api>) -> Result<String, Problem> {
    let receipt = api.receipt_for(Height(0)).await?;
    api.note(&receipt)?.render().map_err(Problem::internal)
}

/// The same as the log's prefix serves it to ordinary clients. A node that is no validator relays a
/// validator's line and says whose (`rollbook-signed-by`); one that left sends on to a validator.
#[utoipa::path(get, path = "/v1/log/checkpoint", responses(
    (
        status = 200,
        description = "C2SP checkpoint",
        content_type = "text/plain",
        headers(("rollbook-signed-by" = u32, description = "Organisation whose log line it carries"))
    ),
    (status = 307, description = "This node left the alliance: a validator's log", body = rollbook_wire::problem::Problem, content_type = "application/problem+json"),
    (status = 410, description = "This node left, and knows no validator", body = rollbook_wire::problem::Problem, content_type = "application/problem+json")))]
pub async fn served(State(api): State<Api>) -> Result<Response, Response> {
    let own = api.parts().organisation;
    let standing = api.parts().snapshot.borrow().standing.get(&own).copied();
    if standing == Some(NodeStatus::Gone) {
        return Err(left(&api, own));
    }
    let failed = |problem: Problem| problem.into_response();
    let receipt = api.receipt_for(Height(0)).await.map_err(failed)?;
    let note = api.note(&receipt).map_err(failed)?;
    let whose = api.signs_for(&receipt).map_err(failed)?;
    let text = note
        .render()
        .map_err(|error| failed(Problem::internal(error)))?;
    Ok((
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
            (ORIGIN.0, ORIGIN.1.to_owned()),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, SIGNED_BY.to_owned()),
            (HeaderName::from_static(SIGNED_BY), whose.0.to_string()),
        ],
        text,
    )
        .into_response())
}

/// What a node that left the alliance says: its checkpoint grows no more.
fn left(api: &Api, own: OrganisationId) -> Response {
    let policy = api.parts().view.policies().pop();
    let seats = policy.map(|policy| policy.validators).unwrap_or_default();
    let other = seats.into_iter().find(|seat| seat.org != own);
    let place = other.and_then(|seat| {
        HeaderValue::from_str(&format!("{}checkpoint", log_prefix(&seat.url))).ok()
    });
    let status = if place.is_some() {
        StatusCode::TEMPORARY_REDIRECT
    } else {
        StatusCode::GONE
    };
    let problem = Problem::new(
        status,
        "A57.node-left",
        format!("the node of organisation {own} left the alliance: its log grows no more"),
    )
    .next("read the log at a validator's node; the newest policy names them");
    let mut answer = problem.into_response();
    let (origin, all) = ORIGIN;
    answer
        .headers_mut()
        .insert(origin, HeaderValue::from_static(all));
    if let Some(place) = place {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

/// What a browser asks before it fetches from another origin with a pass.
pub async fn may_fetch() -> impl IntoResponse {
    (
        StatusCode::NO_CONTENT,
        [
            ORIGIN,
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization"),
            (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        ],
    )
}

/// Two sizes of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// The smaller size.
    old: u64,
    /// The larger size.
    new: u64,
}

/// A consistency proof between two sizes; the roots stand in their checkpoints.
#[utoipa::path(get, path = "/v1/consistency", params(Sizes), responses(
    (status = 200, description = "The proof", body = Consistency),
    (status = 404, description = "The log here is shorter", body = rollbook_wire::problem::Problem)))]
pub async fn consistency(
    State(api): State<Api>,
    query: Result<Query<Sizes>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Consistency>, Problem> {
    let Query(Sizes { old, new }) =
        query.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    if old > new {
        return Err(
            Problem::bad("api.sizes", "the first size is the larger one").next("give old <= new"),
        );
    }
    let view = &api.parts().view;
    let size = view
        .seal(view.height())?
        .map_or(0, |seal| seal.checkpoint_size());
    if new > size {
        return Err(Problem::missing(format!(
            "the log has {size} leaves here, {new} are asked for"
        ))
        .next("ask another node"));
    }
    let path =
        consistency_proof(view, old, new).map_err(|error: TreeError| Problem::internal(error))?;
    Ok(Json(Consistency { old, new, path }))
}

/// A hash tile or an entry bundle, by its path in tlog-tiles.
#[utoipa::path(
    get,
    path = "/v1/log/{path}",
    params(("path" = String, Path, description = "tile/0/000, tile/entries/000.p/12")),
    responses(
        (status = 200, description = "The tile; an entry bundle in gzip if that is accepted", content_type = "application/octet-stream"),
        (status = 404, description = "No such tile", body = rollbook_wire::problem::Problem, content_type = "application/problem+json")
    )
)]
pub async fn tile(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    let missing = || {
        Problem::missing("the log has no such tile")
            .next("see C2SP tlog-tiles; sizes are in /v1/checkpoint")
    };
    let tile = Tile::parse(&path).ok_or_else(missing)?;
    let view = api.parts().view.clone();
    if !is_in(&view, &tile)? {
        return Err(missing());
    }
    let zips = tile.kind == TileKind::Entries && accepts_gzip(&headers);
    let made = tokio::task::spawn_blocking(move || {
        let bytes = bytes_of(&view, &tile)?;
        Ok::<_, String>(if zips { zipped(&bytes) } else { bytes })
    });
    let bytes = made
        .await
        .map_err(Problem::internal)?
        .map_err(Problem::internal)?;
    let mut answer = (
        [
            (header::CONTENT_TYPE, "application/octet-stream"),
            (header::CACHE_CONTROL, FOR_EVER),
            ORIGIN,
        ],
        bytes,
    )
        .into_response();
    if tile.kind == TileKind::Entries {
        let vary = HeaderValue::from_static("accept-encoding");
        answer.headers_mut().insert(header::VARY, vary);
    }
    if zips {
        let gzip = HeaderValue::from_static("gzip");
        answer.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    }
    Ok(answer)
}

/// Whether the log here is long enough for a tile.
fn is_in(view: &View, tile: &Tile) -> Result<bool, Problem> {
    let size = view
        .seal(view.height())?
        .map_or(0, |seal| seal.checkpoint_size());
    let level = match tile.kind {
        TileKind::Hashes(level) => u32::from(level) * 8,
        TileKind::Entries => 0,
    };
    let first = tile.index.saturating_mul(TILE_WIDTH);
    let end = first.saturating_add(u64::from(tile.width));
    Ok(end <= size.checked_shr(level).unwrap_or(0))
}

/// The bytes of a tile that the log has.
fn bytes_of(view: &View, tile: &Tile) -> Result<Vec<u8>, String> {
    match tile.kind {
        TileKind::Hashes(_) => hash_tile_bytes(view, tile).map_err(|error| error.to_string()),
        TileKind::Entries => {
            let first = tile.index.saturating_mul(TILE_WIDTH);
            let end = first.saturating_add(u64::from(tile.width));
            bundle(view, tile.index, first, end)
        }
    }
}

/// Whether an answer in gzip is wanted.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let told = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = told
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=");
        let is_none = weight.is_some_and(|q| q.chars().all(|c| matches!(c, '0' | '.')));
        name.trim().eq_ignore_ascii_case("gzip") && !is_none
    })
}

/// In gzip, as fast as it goes: a bundle is asked for once by each reader.
fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// An entry bundle: the leaves as they stand in the log.
fn bundle(view: &View, index: u64, first: u64, end: u64) -> Result<Vec<u8>, String> {
    let mut height = view
        .height_of_leaf(first)
        .map_err(|error| error.to_string())?
        .ok_or("a leaf is missing")?;
    let mut bundler = EntryBundler::at_bundle(index);
    let mut at = first;
    while at < end {
        let seal = view
            .seal(height)
            .map_err(|error| error.to_string())?
            .ok_or("a seal is missing")?;
        let leaves = view
            .leaves(height)
            .map_err(|error| error.to_string())?
            .ok_or("a block is missing")?;
        let skip = usize::try_from(at.saturating_sub(seal.first_leaf))
            .map_err(|error| error.to_string())?;
        for leaf in leaves.iter().skip(skip) {
            if at == end {
                break;
            }
            at += 1;
            let pushed = bundler.push(&leaf.logged());
            if let Some((_, bytes)) = pushed.map_err(|error| error.to_string())? {
                return Ok(bytes);
            }
        }
        height = height.next();
    }
    bundler
        .finish()
        .map(|(_, bytes)| bytes)
        .ok_or_else(|| "the bundle is empty".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_want_it() {
        let wanted = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            accepts_gzip(&headers)
        };
        assert!(wanted(&["gzip"]) && wanted(&["br, GZIP;q=0.5"]) && wanted(&["br", "gzip"]));
        assert!(!wanted(&[]) && !wanted(&["gzip;q=0"]) && !wanted(&["x-gzip, identity"]));
    }
}
