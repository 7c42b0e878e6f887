//! The log as C2SP tlog-tiles: checkpoint, hash tiles, entry bundles.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use rollbook_core::log::tiles::{EntryBundler, TILE_WIDTH, Tile, TileKind, hash_tile_bytes};

use super::{Api, Problem};

/// The newest receipted checkpoint as a signed note.
#[utoipa::path(get, path = "/v1/checkpoint", responses(
    (status = 200, description = "C2SP checkpoint", content_type = "text/plain"),
    (status = 503, description = "None yet", body = Problem)))]
pub async fn checkpoint(State(api): State<Api>) -> Result<String, Problem> {
    let receipt = api.receipt_for(0).await?;
    api.note(&receipt)?.render().map_err(Problem::internal)
}

/// A hash tile or an entry bundle, by its path in tlog-tiles.
#[utoipa::path(get, path = "/v1/log/{path}", params(("path" = String, Path, description = "tile/0/000, tile/entries/000.p/12")),
    responses((status = 200, description = "The tile", content_type = "application/octet-stream"),
    (status = 404, description = "No such tile", body = Problem)))]
pub async fn tile(State(api): State<Api>, Path(path): Path<String>) -> Result<Response, Problem> {
    let missing = || Problem::missing("the log has no such tile").next("see C2SP tlog-tiles; sizes are in /v1/checkpoint");
    let tile = Tile::parse(&path).ok_or_else(missing)?;
    let view = api.parts().view.clone();
    let size = view.seal(view.height())?.map_or(0, |seal| seal.checkpoint_size());
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
        TileKind::Entries => tokio::task::spawn_blocking(move || bundle(&view, tile.index, first, end))
            .await
            .map_err(Problem::internal)?
            .map_err(Problem::internal)?,
    };
    let full = u64::from(tile.width) == TILE_WIDTH;
    let cache = if full { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(([(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, cache)], bytes).into_response())
}

fn bundle(view: &crate::runtime::writer::View, index: u64, first: u64, end: u64) -> Result<Vec<u8>, String> {
    let mut height = view.height_of_leaf(first).map_err(|error| error.to_string())?.ok_or("a leaf is missing")?;
    let mut bundler = EntryBundler::at_bundle(index);
    let mut at = first;
    while at < end {
        let seal = view.seal(height).map_err(|error| error.to_string())?.ok_or("a seal is missing")?;
        let leaves = view.leaves(height).map_err(|error| error.to_string())?.ok_or("a block is missing")?;
        let skip = usize::try_from(at.saturating_sub(seal.first_leaf)).map_err(|error| error.to_string())?;
        for leaf in leaves.iter().skip(skip) {
            if at == end {
                break;
            }
            at += 1;
            if let Some((_, bytes)) = bundler.push(leaf).map_err(|error| error.to_string())? {
                return Ok(bytes);
            }
        }
        height += 1;
    }
    bundler.finish().map(|(_, bytes)| bytes).ok_or_else(|| "the bundle is empty".into())
}
