//! The API's own description, made from its code.

use axum::Json;
use rollbook_wire::event::{EventLeaf, PolicyLeaf, RawLeaf, RecordLeaf, SealLeaf, UnreadLeaf};
use rollbook_wire::problem::Problem;
use rollbook_wire::schema::{Answer, Each, Handed, SignedAnswer};
use utoipa::OpenApi;

use super::{blocks, events, lists, log, metrics, next, papers, records, state, status, views};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollbook node",
        description = "Submit records and read a verifiable ledger. Errors are problem documents."
    ),
    paths(
        records::submit,
        records::place,
        records::proof,
        records::effect,
        papers::leave,
        papers::list,
        papers::one,
        papers::take_back,
        next::dry_run,
        next::of_record,
        next::next,
        next::known,
        status::status,
        status::health,
        metrics::metrics,
        status::genesis,
        blocks::block,
        blocks::page,
        blocks::frame,
        blocks::proof,
        blocks::export,
        state::state,
        state::policies,
        state::sequence,
        lists::list,
        views::view,
        views::validators,
        views::tasks,
        log::checkpoint,
        log::consistency,
        log::tile,
        events::events
    ),
    components(schemas(
        Problem,
        Handed,
        Each,
        SignedAnswer,
        Answer,
        RecordLeaf,
        UnreadLeaf,
        SealLeaf,
        EventLeaf,
        RawLeaf,
        PolicyLeaf
    ))
)]
struct Document;

/// OpenAPI 3.1.
pub async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
