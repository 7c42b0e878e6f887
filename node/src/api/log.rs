//! The log as C2SP tlog-tiles: checkpoint, hash tiles, entry bundles.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use rollbook_proof::log::tiles::{EntryBundler, TILE_WIDTH, Tile, TileKind, hash_tile_bytes};
use rollbook_proof::log::tree::{TreeError, consistency_proof};
use rollbook_proof::number::Height;
use rollbook_wire::proof::Consistency;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Api, Problem};
use crate::store::view::View;

/// The newest receipted checkpoint as a signed note with a validator's log line.
#[utoipa::path(get, path = "/v1/checkpoint", responses(
    (status = 200, description = "C2SP checkpoint", content_type = "text/plain"),
    (status = 503, description = "None yet", body = rollbook_wire::problem::Problem)))]
pub async fn checkpoint(State(api): State<Api>) -> Result<String, Problem> {
    let receipt = api.receipt_for(Height(0)).await?;
    api.note(&receipt)?.render().map_err(Problem::internal)
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
        (status = 200, description = "The tile", content_type = "application/octet-stream"),
        (status = 404, description = "No such tile", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn tile(State(api): State<Api>, Path(path): Path<String>) -> Result<Response, Problem> {
    let missing = || {
        Problem::missing("the log has no such tile")
            .next("see C2SP tlog-tiles; sizes are in /v1/checkpoint")
    };
    let tile = Tile::parse(&path).ok_or_else(missing)?;
    let view = api.parts().view.clone();
    let size = view
        .seal(view.height())?
        .map_or(0, |seal| seal.checkpoint_size());
    let level = match tile.kind {
        TileKind::Hashes(level) => u32::from(level) * 8,
        TileKind::Entries => 0,
    };
    let items = size.checked_shr(level).unwrap_or(0);
    let first = tile.index.saturating_mul(TILE_WIDTH);
    let end = first.saturating_add(u64::from(tile.width));
    if end > items {
        return Err(missing());
    }
    let bytes = match tile.kind {
        TileKind::Hashes(_) => hash_tile_bytes(&view, &tile).map_err(Problem::internal)?,
        TileKind::Entries => {
            let bundled =
                tokio::task::spawn_blocking(move || bundle(&view, tile.index, first, end)).await;
            bundled
                .map_err(Problem::internal)?
                .map_err(Problem::internal)?
        }
    };
    // Every byte of the log is for everybody, so a shared cache may keep a whole tile for ever.
    let cache = if u64::from(tile.width) == TILE_WIDTH {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Ok((
        [
            (header::CONTENT_TYPE, "application/octet-stream"),
            (header::CACHE_CONTROL, cache),
        ],
        bytes,
    )
        .into_response())
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
