//! Blocks, one by one and by the page.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rollbook_core::block::BlockBody;
use rollbook_core::export::BlockFrame;
use rollbook_proof::chain::{Certificate, Leaf, Seal};
use rollbook_proof::codec::decode;
use rollbook_proof::number::Height;
use rollbook_wire::ledger::Block;
use rollbook_wire::proof::LeafProof;
use serde::Deserialize;
use utoipa::IntoParams;

use super::reader::Reader;
use super::serve::Counted;
use super::{Api, Problem};
use crate::store::StoredBlock;
use crate::store::view::View;

/// Blocks on one page at most.
const PAGE_MAX: u64 = 100;
/// Bytes of one page, as JSON.
const PAGE_BYTES: usize = 1024 * 1024;
/// Bytes of blocks that are read for one page, and one block more.
const PAGE_READ: usize = 4 * 1024 * 1024;

/// A page of blocks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// First height; the newest page if not given.
    from: Option<u64>,
    /// Blocks wanted, at most 100.
    limit: Option<u64>,
}

/// A block for a reader, and the bytes that were read for it.
fn view_of(api: &Api, reader: Reader, height: Height) -> Result<(Block, usize), Problem> {
    let view = &api.parts().view;
    let newest = view.height();
    let missing = || {
        Problem::missing(format!(
            "there is no block {height} here; the newest is {newest}"
        ))
    };
    let block = view.store.block(height)?.ok_or_else(missing)?;
    let seal: Seal = decode(&block.seal).map_err(Problem::internal)?;
    let certificate = if height == Height(0) {
        None
    } else {
        Some(decode::<Certificate>(&block.certificate).map_err(Problem::internal)?)
    };
    let records = if height == Height(0) {
        Vec::new()
    } else {
        decode::<BlockBody>(&block.body)
            .map_err(Problem::internal)?
            .records
    };
    let read = block.body.len();
    let block = Block {
        id: seal.id().to_hex(),
        round: certificate.as_ref().map(|certificate| certificate.round),
        signers: certificate
            .iter()
            .flat_map(|c| c.signatures.iter().map(|(validator, _)| *validator))
            .collect(),
        records: records
            .iter()
            .filter(|record| reader.may_read(record.payload.body.read_class()))
            .map(|record| record.id().to_hex())
            .collect(),
        derived: if height == Height(0) {
            Vec::new()
        } else {
            let shown = |leaf: &Leaf| hex::encode(reader.sees(leaf));
            view.derived_leaves(height)?.iter().map(shown).collect()
        },
        receipted: view
            .receipt()
            .is_some_and(|receipt| receipt.height >= height),
        sample: api.is_sample(),
        seal,
    };
    Ok((block, read))
}

/// Charges a stranger for what was read.
fn charge(api: &Api, counted: Option<Extension<Counted>>, reader: Reader, read: usize) {
    if reader == Reader::Anybody {
        api.limits().work(Counted::or_here(counted), read as u64);
    }
}

/// One block.
#[utoipa::path(
    get,
    path = "/v1/blocks/{height}",
    params(("height" = u64, Path, description = "Height")),
    responses(
        (status = 200, description = "The block", body = Block),
        (status = 404, description = "Not here", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn block(
    State(api): State<Api>,
    counted: Option<Extension<Counted>>,
    reader: Reader,
    Path(height): Path<String>,
) -> Result<Json<Block>, Problem> {
    let height = height
        .parse()
        .map(Height)
        .map_err(|_| Problem::bad("api.height", "a height is a whole number"))?;
    let (block, read) = view_of(&api, reader, height)?;
    charge(&api, counted, reader, read);
    Ok(Json(block))
}

/// Blocks in order; as told by this node. A page has at most 1 MiB, of blocks of about 4 MiB: fewer than
/// were asked for, or one that is larger.
#[utoipa::path(
    get,
    path = "/v1/blocks",
    params(Page),
    responses((status = 200, description = "Blocks", body = Vec<Block>))
)]
pub async fn page(
    State(api): State<Api>,
    counted: Option<Extension<Counted>>,
    reader: Reader,
    query: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Vec<Block>>, Problem> {
    let Query(page) = query.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    let limit = page.limit.unwrap_or(20).min(PAGE_MAX);
    let newest = api.parts().view.height();
    let from = page.from.unwrap_or(newest.next().0.saturating_sub(limit));
    let (mut blocks, mut bytes, mut read) = (Vec::new(), 0usize, 0usize);
    for height in (from..from.saturating_add(limit)).take_while(|height| *height <= newest.0) {
        // Large blocks have short entries: what is read for a page is bounded as what it holds is.
        if read > PAGE_READ {
            break;
        }
        let (block, body) = view_of(&api, reader, Height(height))?;
        read = read.saturating_add(body);
        bytes = bytes.saturating_add(size_of_page(&block));
        // A block that is larger than a page is a page of its own.
        if bytes > PAGE_BYTES && !blocks.is_empty() {
            break;
        }
        blocks.push(block);
        tokio::task::yield_now().await;
    }
    charge(&api, counted, reader, read);
    Ok(Json(blocks))
}

/// Roughly the bytes that a block has as JSON.
fn size_of_page(block: &Block) -> usize {
    let texts = block.records.iter().chain(&block.derived);
    texts.fold(2_048, |sum, text| sum.saturating_add(text.len() + 3))
}

/// A block as it stands in an export, for whoever executes it again.
#[utoipa::path(
    get,
    path = "/v1/blocks/{height}/frame",
    params(("height" = u64, Path, description = "Height")),
    responses(
        (
            status = 200,
            description = "The frame: system section, records, derived leaves, seal",
            content_type = "application/octet-stream"
        ),
        (status = 401, description = "It holds records for members: log in", body = rollbook_wire::problem::Problem),
        (status = 404, description = "Not here", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn frame(
    State(api): State<Api>,
    reader: Reader,
    Path(height): Path<String>,
) -> Result<Response, Problem> {
    let height: Height = height
        .parse()
        .map(Height)
        .map_err(|_| Problem::bad("api.height", "a height is a whole number"))?;
    let view = &api.parts().view;
    let newest = view.height();
    if height > newest {
        return Err(Problem::missing(format!(
            "there is no block {height} here; the newest is {newest}"
        )));
    }
    let block = view
        .store
        .block(height)?
        .ok_or_else(|| Problem::internal(format!("block {height} is missing")))?;
    if height > Height(0) {
        let body = decode::<BlockBody>(&block.body).map_err(Problem::internal)?;
        reader.must_read_all(body.records.iter(), &format!("block {height}"))?;
    }
    let bytes = frame_of(view, height, &block)
        .map_err(Problem::internal)?
        .encode();
    Ok((
        [(header::CONTENT_TYPE, "application/octet-stream")],
        bytes.get(4..).unwrap_or_default().to_vec(),
    )
        .into_response())
}

/// The seal of a block with its receipt.
#[utoipa::path(
    get,
    path = "/v1/blocks/{height}/proof",
    params(("height" = u64, Path, description = "Height")),
    responses(
        (status = 200, description = "Seal and proof", body = LeafProof),
        (status = 404, description = "Not here", body = rollbook_wire::problem::Problem),
        (status = 503, description = "Not receipted yet", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn proof(
    State(api): State<Api>,
    Path(height): Path<String>,
) -> Result<Json<LeafProof>, Problem> {
    let height: Height = height
        .parse()
        .map(Height)
        .map_err(|_| Problem::bad("api.height", "a height is a whole number"))?;
    let view = &api.parts().view;
    let newest = view.height();
    let missing = || {
        Problem::missing(format!(
            "there is no block {height} here; the newest is {newest}"
        ))
    };
    let seal = if height > newest {
        None
    } else {
        view.seal(height)?
    };
    let seal = seal.ok_or_else(missing)?;
    let proof = super::records::prove(&api, height, seal.leaf_index()).await?;
    Ok(Json(LeafProof {
        leaf: hex::encode(seal.leaf()),
        proof,
    }))
}

pub(super) fn frame_of(
    view: &View,
    height: Height,
    block: &StoredBlock,
) -> Result<BlockFrame, String> {
    let seal: Seal = decode(&block.seal).map_err(|error| error.to_string())?;
    let derived = view.derived(height).map_err(|error| error.to_string())?;
    if height == Height(0) {
        return Ok(BlockFrame::of_genesis(&derived, &seal));
    }
    BlockFrame::of_block(&block.body, derived, &seal).map_err(|error| error.to_string())
}
