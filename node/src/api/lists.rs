//! The proved tables entry by entry, bounded and paged. A list carries no completeness proof: it is
//! what this node says (RULINGS A20); each entry can be proved by `/v1/state/PATH`, and an audited
//! export gives the same list without trust.

use axum::Json;
use axum::extract::{Path, Query, State};
use rollbook_wire::ledger::{Item, List};
use serde::Deserialize;
use utoipa::IntoParams;

use super::reader::Reader;
use super::{Api, Problem};
use crate::replica_thread::command::Command;
use crate::replica_thread::questions::{TABLES, class_of};

/// Entries on one page at most.
pub const PAGE_MAX: usize = 100;

/// Bytes of entries on one page, as JSON.
const PAGE_BYTES: usize = 1024 * 1024;

/// How many of these entries a page has room for; one at least.
fn within(items: &[Item]) -> usize {
    let mut bytes = 0usize;
    let fit = items.iter().take_while(|item| {
        let length = serde_json::to_vec(item).map_or(0, |text| text.len());
        bytes = bytes.saturating_add(length);
        bytes <= PAGE_BYTES
    });
    fit.count().max(1)
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Key of the last entry seen, as in its path.
    after: Option<String>,
    /// Entries wanted, at most 100.
    limit: Option<usize>,
}

/// Entries of a table, as told by this node. Proved: organisation, membership, motion, fund, call, award,
/// agreement, payment, account, charter, policy. Not proved: post, invoice (for members), pledge,
/// instalment, entry, application, draw, review, milestone, relation, seat, draft, draft-charter, change,
/// delegation, revocation, key-recovery, node.
#[utoipa::path(
    get,
    path = "/v1/lists/{table}",
    params(("table" = String, Path, description = "First part of the paths"), ListQuery),
    responses(
        (status = 200, description = "Entries, ascending", body = List),
        (status = 401, description = "The list is for members: log in", body = rollbook_wire::problem::Problem),
        (status = 404, description = "No such table, or no such key", body = rollbook_wire::problem::Problem),
        (status = 503, description = "Busy", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn list(
    State(api): State<Api>,
    reader: Reader,
    Path(table): Path<String>,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<List>, Problem> {
    let Query(query) = query.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    if !reader.may_read(class_of(&table)) {
        reader.must_be_member(&format!("the list '{table}'"))?;
    }
    let limit = query.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    // One more than asked for shows whether there is another page.
    let (height, items) = api
        .ask_for(reader, |reply| Command::List {
            table,
            after: query.after,
            limit: limit + 1,
            reply,
        })
        .await?;
    let missing = || {
        Problem::missing("there is no such table or key")
            .next(format!("tables: {}", TABLES.join(", ")))
    };
    let mut items = items.ok_or_else(missing)?;
    let fits = within(&items);
    let more = items.len() > limit.min(fits);
    items.truncate(limit.min(fits));
    let last = items
        .last()
        .and_then(|item| item.path.split_once('/'))
        .map(|(_, key)| key.to_owned());
    Ok(Json(List {
        height,
        items,
        next: last.filter(|_| more),
        sample: api.is_sample(),
    }))
}
