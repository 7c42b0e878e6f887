//! Papers that wait: left, listed and taken back by those who may sign them (RULINGS A65).
//!
//! * Every question carries a pass. A paper is shown to those who may sign for its principal now, by
//!   the tip of the ledger, and to nobody else, members included: what waits is no act yet.
//! * Taken are papers of this node's own company and of offices; signatures that do not verify and
//!   records that the ledger would refuse with all signatures are not.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rollbook_core::id::PersonId;
use rollbook_core::identity::OrganisationKind;
use rollbook_core::record::{RECORD_MAX_BYTES, Record};
use rollbook_proof::chain::ReadClass;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_wire::paper::{Paper, Papers};

use super::bodies::Whole;
use super::reader::{Reader, log_in};
use super::{Api, Problem, records};
use crate::papers::NotKept;
use crate::replica_thread::command::Command;

/// What is refused for want of signatures alone.
const WAITS: [&str; 2] = ["A6.too-few-officers", "A6.role-missing"];

/// The reader, who has logged in.
fn person(reader: Reader) -> Result<PersonId, Problem> {
    reader.person().ok_or_else(|| {
        log_in(
            "A65.log-in",
            "papers are for those who may sign them".to_owned(),
        )
    })
}

fn paper(record: &Record) -> Paper {
    Paper::of(record.id(), &encode(record))
}

fn no_such_paper() -> Problem {
    Problem::missing("no such paper waits here for you")
        .next("list what waits with /v1/papers; what was handed in or is over waits no more")
}

impl From<NotKept> for Problem {
    fn from(error: NotKept) -> Problem {
        match error {
            NotKept::Disk(error) => Problem::internal(error),
            full => Problem::unavailable("A65.not-kept", full.to_string())
                .next("hand in or take back what waits, or pass the record on as a file"),
        }
    }
}

/// Leave a record that waits for signatures; with the signatures of the copy that is here.
#[utoipa::path(
    post,
    path = "/v1/papers",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "On disk here, with all signatures so far", body = Paper),
        (status = 400, description = "No record", body = rollbook_wire::problem::Problem),
        (status = 401, description = "Log in", body = rollbook_wire::problem::Problem),
        (
            status = 422,
            description = "Not for this node, or refused by a rule whoever signs",
            body = rollbook_wire::problem::Problem
        ),
        (status = 503, description = "As many wait as may", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn leave(
    State(api): State<Api>,
    reader: Reader,
    body: Whole,
) -> Result<Json<Paper>, Problem> {
    let Whole(body) = body;
    let person = person(reader)?;
    if body.len() > RECORD_MAX_BYTES {
        let text = format!("a record has at most {RECORD_MAX_BYTES} bytes");
        return Err(Problem::bad("A6.malformed", text));
    }
    let record: Record =
        decode(&body).map_err(|error| Problem::bad("A6.malformed", error.to_string()))?;
    let answer = api
        .ask_for(reader, |reply| Command::Judge {
            record: Box::new(record.clone()),
            class: ReadClass::Public,
            reader: Some(person),
            may_presume: true,
            reply,
        })
        .await?;
    let refuse = |code: &str, why: String| {
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, why)
            .next("pass the record on as a file, or hand it in"))
    };
    if answer.signers.iter().all(|entry| entry.person != person) {
        return refuse(
            "A65.not-a-signer",
            format!("person {} does not sign for its principal", person.0),
        );
    }
    let own = record.payload.principal.0 == api.parts().organisation.0;
    let office = answer
        .principal
        .is_some_and(|entry| entry.kind == OrganisationKind::Office);
    if !own && !office {
        return refuse(
            "A65.other-company",
            "papers wait at the node of their own company".to_owned(),
        );
    }
    // A bad signature is found before a missing one.
    let broken = answer
        .judged
        .refused
        .filter(|refusal| !WAITS.contains(&refusal.code));
    let vain = answer.presumed.and_then(|presumed| presumed.result.err());
    if let Some(refusal) = broken.or(vain.filter(|refusal| !WAITS.contains(&refusal.code))) {
        return refuse(refusal.code, refusal.to_string());
    }
    let now = LedgerTime(api.parts().clock.now_ms());
    Ok(Json(paper(&api.parts().papers.keep(record, now)?)))
}

/// The records that wait here for the signatures of the reader's organisation and offices.
#[utoipa::path(
    get,
    path = "/v1/papers",
    responses(
        (status = 200, description = "What waits", body = Papers),
        (status = 401, description = "Log in", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn list(State(api): State<Api>, reader: Reader) -> Result<Json<Papers>, Problem> {
    let records = of(&api, person(reader)?).await?;
    Ok(Json(Papers {
        papers: records.iter().map(paper).collect(),
        sample: api.is_sample(),
    }))
}

/// One of them.
#[utoipa::path(
    get,
    path = "/v1/papers/{id}",
    params(("id" = String, Path, description = "Record id, or 8 or more of its first digits")),
    responses(
        (status = 200, description = "It waits", body = Paper),
        (status = 401, description = "Log in", body = rollbook_wire::problem::Problem),
        (status = 404, description = "None waits here", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn one(
    State(api): State<Api>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<Paper>, Problem> {
    find(&api, person(reader)?, &id)
        .await
        .map(|record| Json(paper(&record)))
}

/// Take the reader's own signature back. Without one left, the paper goes.
#[utoipa::path(
    post,
    path = "/v1/papers/{id}/take-back",
    params(("id" = String, Path, description = "Record id, or 8 or more of its first digits")),
    responses(
        (status = 200, description = "What is left of it", body = Paper),
        (status = 401, description = "Log in", body = rollbook_wire::problem::Problem),
        (status = 404, description = "No such signature", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn take_back(
    State(api): State<Api>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<Paper>, Problem> {
    let person = person(reader)?;
    let record = find(&api, person, &id).await?;
    let left = api.parts().papers.take_back(&record.id(), person)?;
    left.map(|record| Json(paper(&record)))
        .ok_or_else(no_such_paper)
}

/// The one paper that a person may read and whose id begins so.
async fn find(api: &Api, person: PersonId, id: &str) -> Result<Record, Problem> {
    let id = id.to_ascii_lowercase();
    let mut found = of(api, person).await?;
    found.retain(|record| record.id().to_hex().starts_with(&id));
    match found.pop() {
        Some(record) if found.is_empty() && id.len() >= 8 => Ok(record),
        _ => Err(no_such_paper()),
    }
}

/// What waits and a person may sign for; what is in the log waits no more.
async fn of(api: &Api, person: PersonId) -> Result<Vec<Record>, Problem> {
    let papers = &api.parts().papers;
    let principals = papers.principals();
    let mine: Vec<OrganisationId> = api
        .ask(|reply| Command::SignsFor {
            person,
            principals,
            reply,
        })
        .await?;
    let now = LedgerTime(api.parts().clock.now_ms());
    let mut waiting = Vec::new();
    for record in papers.of(|principal| mine.contains(&principal), now) {
        let id: Hash = record.id();
        if records::decided(api, &id.to_hex())?.is_some() {
            papers.forget(&id);
        } else {
            waiting.push(record);
        }
    }
    Ok(waiting)
}
