//! Rehearsals and next steps: what a record would meet, where an object stands, who acts next and
//! until when (RULINGS R16).
//!
//! Told by this node from its tip and not proved: a wrong answer costs a question, never a right.
//! Nothing is kept.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use rollbook_core::id::PersonId;
use rollbook_core::known;
use rollbook_core::next::Object;
use rollbook_core::record::{RECORD_MAX_BYTES, Record};
use rollbook_core::refusal::Refusal;
use rollbook_proof::codec::decode;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_wire::judgement::{Judgement, Principal};
use rollbook_wire::known::Known;
use rollbook_wire::next::{Following, Standing};
use rollbook_wire::record::Stands;

use super::bodies::Whole;
use super::limits::Cost;
use super::reader::Reader;
use super::serve::Counted;
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
            description = "What the record would meet, and who may sign for its principal",
            body = Judgement
        ),
        (status = 400, description = "No record", body = rollbook_wire::problem::Problem),
        (status = 503, description = "Busy", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn dry_run(
    State(api): State<Api>,
    counted: Option<Extension<Counted>>,
    reader: Reader,
    body: Whole,
) -> Result<Json<Judgement>, Problem> {
    let Whole(body) = body;
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
    // Whose record it is a signature says, as long as nobody else can show it: everybody has a copy of what
    // is in the log. Without one it is a question like any other.
    let id = record.id();
    let place = Counted::or_here(counted);
    let mut vouched = false;
    if reader == Reader::Anybody {
        let limits = api.limits();
        limits.may_show(place)?;
        let now = LedgerTime(api.parts().clock.now_ms());
        vouched =
            !records::is_decided(&api, &id)? && api.parts().keyring.first_of(&record, now).is_ok();
        if vouched {
            limits.charge_own(place, Cost::Dear)?;
        } else {
            reader.must_be_in(&api).inspect_err(|_| {
                let _ = limits.unproved(place);
            })?;
            limits.charge(place, Cost::Dear)?;
        }
    }
    let answer = api
        .ask_for(reader, |reply| Command::Judge {
            record: Box::new(record.clone()),
            class: reader.class(),
            reader: reader.person(),
            may_presume: vouched || reader != Reader::Anybody,
            reply,
        })
        .await?;
    let act = &record.payload.body;
    let signed: Vec<PersonId> = record
        .signatures
        .iter()
        .map(|entry| entry.officer)
        .collect();
    let principal = answer.principal.as_ref().map(|entry| Principal {
        kind: entry.kind,
        latin: entry.name.latin.to_string(),
        native: entry.name.native.to_string(),
        needed: act.signatures_needed(&entry.policy),
        number: OrganisationId(entry.number.0),
        officers: entry.officers.len(),
    });
    let (mut refused, mut presumed) = (answer.judged.refused, answer.presumed);
    let number = record.payload.number();
    let replayed = || {
        let facts = vec![
            ("officer", number.0.to_string()),
            ("sequence", number.2.to_string()),
            (
                "highest",
                answer.number_spent.unwrap_or_default().to_string(),
            ),
        ];
        Refusal::new("A6.replayed", facts)
    };
    let spent = match (answer.number_spent, answer.waits_with_number) {
        (Some(_), _) => Some(records::named(&api, replayed(), &number, &id)?),
        (None, Some(other)) => Some(records::number_taken(&number, &other, Stands::Pool, None)),
        (None, None) => None,
    };
    // Its number cannot be used any more: told to those who may learn what would come of the record.
    if let Some(spent) = spent {
        if refused
            .as_ref()
            .is_none_or(|refusal| refusal.code == "A6.replayed")
        {
            refused = Some(spent.clone());
        }
        if let Some(presumed) = presumed.as_mut() {
            presumed.result = Err(spent);
        }
    }
    let facts = refused.iter().flat_map(|refusal| &refusal.facts);
    Ok(Json(Judgement {
        admissible: refused.is_none(),
        class: act.class(),
        code: act.code().to_owned(),
        facts: facts
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        height: answer.judged.height,
        id: record.id(),
        now: answer.now.map(Into::into),
        outcome: answer.judged.outcome,
        presumed: presumed.map(Into::into),
        principal,
        rule: refused.as_ref().map(|refusal| refusal.code.to_owned()),
        sample: api.is_sample(),
        signed,
        signers: answer.signers,
        unit: answer
            .unit
            .map(|unit| (unit.code().to_owned(), unit.exponent())),
    }))
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
        (status = 200, description = "State, who acts next, until when", body = Standing),
        (
            status = 401,
            description = "The object is for members: log in",
            body = rollbook_wire::problem::Problem
        ),
        (status = 404, description = "No such object", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn next(
    State(api): State<Api>,
    reader: Reader,
    Path((object, number)): Path<(String, String)>,
) -> Result<Json<Standing>, Problem> {
    let bad = || {
        Problem::bad("api.object", "give a kind of object and its number")
            .next("for example /v1/next/application/1")
    };
    let (Some(kind), Ok(number)) = (Object::parse(&object), number.parse::<u32>()) else {
        return Err(bad());
    };
    match kind {
        Object::Invoice => reader.must_be_member("an invoice")?,
        Object::Plan | Object::Notice | Object::Proceeding => {
            reader.must_be_member("what is about dues, notices and proceedings")?;
        }
        _ => {}
    }
    let found = api
        .ask(|reply| Command::Next {
            about: About::Object(kind, number),
            class: reader.class(),
            reply,
        })
        .await?;
    let found = found.ok_or_else(|| missing(&format!("{object} {number}")))?;
    Ok(Json(Standing {
        next: found.into(),
        sample: api.is_sample(),
    }))
}

/// What the ledger knows about an object and acts on it name.
#[utoipa::path(
    get,
    path = "/v1/known/{object}/{number}",
    params(
        ("object" = String, Path, description = "Kind, such as instalment"),
        ("number" = u32, Path, description = "Number")
    ),
    responses(
        (status = 200, description = "What acts on the object name", body = Known),
        (
            status = 401,
            description = "The object is for members: log in",
            body = rollbook_wire::problem::Problem
        ),
        (status = 404, description = "No such object", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn known(
    State(api): State<Api>,
    reader: Reader,
    Path((object, number)): Path<(String, String)>,
) -> Result<Json<Known>, Problem> {
    let bad = || {
        Problem::bad("api.object", "give a kind of object and its number")
            .next("for example /v1/known/instalment/1")
    };
    let (Some(kind), Ok(number)) = (known::About::parse(&object), number.parse::<u32>()) else {
        return Err(bad());
    };
    if kind == known::About::Invoice {
        reader.must_be_member("an invoice")?;
    }
    let found = api
        .ask(|reply| Command::Known {
            about: (kind, number),
            class: reader.class(),
            reply,
        })
        .await?;
    let found = found.ok_or_else(|| missing(&format!("{object} {number}")))?;
    Ok(Json(Known::of(found, api.is_sample())))
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
                           object",
            body = Following
        ),
        (
            status = 401,
            description = "The record is for members: log in",
            body = rollbook_wire::problem::Problem
        ),
        (status = 404, description = "Not decided here", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn of_record(
    State(api): State<Api>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<Following>, Problem> {
    let record = records::decided(&api, &id)?.ok_or_else(|| missing("such decided record"))?;
    reader.must_read_all([&record].into_iter(), "what follows from this record")?;
    let body = Box::new(record.payload.body.clone());
    let found = api
        .ask(|reply| Command::Next {
            about: About::Record(Box::new(record)),
            class: reader.class(),
            reply,
        })
        .await?;
    let unit = api.ask(|reply| Command::Unit { body, reply }).await?;
    Ok(Json(Following {
        next: found.map(Into::into),
        sample: api.is_sample(),
        unit: unit.map(|unit| (unit.code().to_owned(), unit.exponent())),
    }))
}
