//! Rehearsals and next steps: what a record would meet, where an object stands, who acts next and
//! until when (RULINGS R16).
//!
//! Told by this node from its tip and not proved: a wrong answer costs a question, never a right.
//! Nothing is kept.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use rollbook_core::next::Object;
use rollbook_core::record::{RECORD_MAX_BYTES, Record};
use rollbook_proof::codec::decode;
use serde_json::{Value, json};

use super::{Api, Problem, records};
use crate::replica_thread::command::{About, Command};

/// Judge a signed record on the tip without handing it in.
#[utoipa::path(
    post,
    path = "/v1/records/dry-run",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (
            status = 200,
            description = "What the record would meet, and who may sign for its principal"
        ),
        (status = 400, description = "No record", body = rollbook_wire::problem::Problem),
        (status = 503, description = "Busy", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn dry_run(State(api): State<Api>, body: Bytes) -> Result<Json<Value>, Problem> {
    if body.len() > RECORD_MAX_BYTES {
        return Err(Problem::bad(
            "A6.malformed",
            format!(
                "{} bytes; a record has at most {RECORD_MAX_BYTES}",
                body.len()
            ),
        ));
    }
    let record: Record =
        decode(&body).map_err(|error| Problem::bad("A6.malformed", error.to_string()))?;
    let answer = api
        .ask(|reply| Command::Judge {
            record: Box::new(record.clone()),
            reply,
        })
        .await?;
    let act = &record.payload.body;
    let signed: Vec<u32> = record
        .signatures
        .iter()
        .map(|entry| entry.officer)
        .collect();
    let principal = answer.principal.as_ref().map(|entry| {
        json!({
            "number": entry.number, "native": entry.name.native, "latin": entry.name.latin,
            "kind": entry.kind,
            "needed": entry.policy.needed(act.class()), "officers": entry.officers.len(),
        })
    });
    let refused = answer.judged.refused;
    let (rule, facts) = refused.map(|refusal| (refusal.code, refusal.facts)).unzip();
    Ok(Json(json!({
        "id": record.id(), "height": answer.judged.height, "admissible": rule.is_none(),
        "rule": rule, "facts": facts.unwrap_or_default(), "outcome": answer.judged.outcome,
        "code": act.code(), "class": act.class(), "principal": principal,
        "signers": answer.signers, "signed": signed, "now": answer.now,
        "sample": api.is_sample(),
    })))
}

fn missing(what: &str) -> Problem {
    Problem::missing(format!("there is no {what} here"))
        .next("look at its number again; a new object is there once its record is decided")
}

/// Where an object stands and what follows.
#[utoipa::path(
    get,
    path = "/v1/next/{object}/{number}",
    params(
        ("object" = String, Path, description = "Kind, such as application"),
        ("number" = u32, Path, description = "Number")
    ),
    responses(
        (status = 200, description = "State, who acts next, until when"),
        (status = 404, description = "No such object", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn next(
    State(api): State<Api>,
    Path((object, number)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let bad = || {
        Problem::bad("api.object", "give a kind of object and its number")
            .next("for example /v1/next/application/1")
    };
    let (Some(kind), Ok(number)) = (Object::parse(&object), number.parse::<u32>()) else {
        return Err(bad());
    };
    let found = api
        .ask(|reply| Command::Next {
            about: About::Object(kind, number),
            reply,
        })
        .await?;
    let found = found.ok_or_else(|| missing(&format!("{object} {number}")))?;
    Ok(Json(json!({ "next": found, "sample": api.is_sample() })))
}

/// What follows for the object of a decided record.
#[utoipa::path(
    get,
    path = "/v1/records/{id}/next",
    params(("id" = String, Path, description = "Record id")),
    responses(
        (
            status = 200,
            description = "State, who acts next, until when; null if the act is about no single \
                           object"
        ),
        (status = 404, description = "Not decided here", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn of_record(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let record = records::decided(&api, &id)?.ok_or_else(|| missing("such decided record"))?;
    let found = api
        .ask(|reply| Command::Next {
            about: About::Record(Box::new(record)),
            reply,
        })
        .await?;
    Ok(Json(json!({ "next": found, "sample": api.is_sample() })))
}
