//! What belongs to an object, and what waits for whom: told by this node from its tip and not proved.
//! Whoever doubts runs an export again and asks it the same.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use rollbook_core::id::PersonId;
use rollbook_core::next::Object;
use rollbook_core::view::tasks::Whose;
use rollbook_core::view::validators::{CHANGES_MAX, Change, Unknown};
use rollbook_proof::number::OrganisationId;
use rollbook_wire::next::{Beside, Tasks, Validators};
use serde::Deserialize;
use utoipa::IntoParams;

use super::reader::Reader;
use super::{Api, Problem};
use crate::replica_thread::command::Command;

/// What belongs to an object: the ballots of a motion, the ranking of a call, the reviews of an
/// application, the milestones of an agreement. Ballots are shown to readers who logged in.
#[utoipa::path(
    get,
    path = "/v1/views/{object}/{number}",
    params(
        ("object" = String, Path, description = "Kind: motion, call, application, agreement"),
        ("number" = u32, Path, description = "Number")
    ),
    responses(
        (status = 200, description = "What belongs to it", body = Beside),
        (status = 404, description = "Nothing is shown of such objects, or there is none of this number", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn view(
    State(api): State<Api>,
    reader: Reader,
    Path((object, number)): Path<(String, String)>,
) -> Result<Json<Beside>, Problem> {
    let (Some(kind), Ok(number)) = (Object::parse(&object), number.parse::<u32>()) else {
        return Err(
            Problem::bad("api.object", "give a kind of object and its number")
                .next("for example /v1/views/motion/1"),
        );
    };
    let (height, view) = api
        .ask_for(reader, |reply| Command::View {
            about: (kind, number),
            class: reader.class(),
            reply,
        })
        .await?;
    let view = view.ok_or_else(|| {
        Problem::missing(format!("there is nothing to show beside {object} {number}")).next(
            "look at its number again; motions, calls, applications and agreements have a view",
        )
    })?;
    Ok(Json(Beside {
        height,
        sample: api.is_sample(),
        view,
    }))
}

/// Changes that are thought of.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ValidatorsQuery {
    /// At most 64, comma between: `leave=4` (gives its seat up), `cease=4` (its membership ends),
    /// `move=4` (gets new keys), `join=5` (is ready for a seat), `away=3` (its node does not come back).
    changes: Option<String>,
}

/// The validator seats as they stand, and what the next handovers make of them: who holds a seat, how
/// many must agree, who was seen alive, who waits and why. With `changes`, what would come if they
/// were so.
#[utoipa::path(
    get,
    path = "/v1/validators",
    params(ValidatorsQuery),
    responses(
        (status = 200, description = "Seats and handovers", body = Validators),
        (status = 400, description = "A change cannot be read", body = rollbook_wire::problem::Problem),
        (status = 404, description = "A change is of nobody who has or wants a seat", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn validators(
    State(api): State<Api>,
    reader: Reader,
    query: Result<Query<ValidatorsQuery>, QueryRejection>,
) -> Result<Json<Validators>, Problem> {
    let Query(query) = query.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    let text = query.changes.unwrap_or_default();
    let words = text.split(',').filter(|word| !word.trim().is_empty());
    let changes: Result<Vec<Change>, ()> = words.take(CHANGES_MAX + 1).map(str::parse).collect();
    let changes = changes
        .ok()
        .filter(|changes| changes.len() <= CHANGES_MAX)
        .ok_or_else(|| {
            Problem::bad(
                "api.changes",
                "the changes cannot be read, or are more than 64",
            )
            .next("for example changes=leave=4,join=5; words: leave, cease, move, join, away")
        })?;
    let view = api
        .ask_for(reader, |reply| Command::Validators { changes, reply })
        .await?;
    let validators = view.map_err(|Unknown(organisation)| {
        Problem::missing(format!(
            "organisation {organisation} has no seat and no candidate's place"
        ))
        .next("look at the seats with /v1/validators")
    })?;
    Ok(Json(Validators {
        sample: api.is_sample(),
        validators,
    }))
}

/// Whose tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct TasksQuery {
    /// Of this company or office.
    of: Option<u32>,
    /// Of this person.
    person: Option<u32>,
}

/// What waits, for everybody, for one organisation or for one person, by deadline: at most 1,000.
#[utoipa::path(
    get,
    path = "/v1/tasks",
    params(TasksQuery),
    responses(
        (status = 200, description = "What waits for whom", body = Tasks),
        (status = 503, description = "Busy", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn tasks(
    State(api): State<Api>,
    reader: Reader,
    query: Result<Query<TasksQuery>, QueryRejection>,
) -> Result<Json<Tasks>, Problem> {
    let Query(query) = query.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    let whose = match (query.of, query.person) {
        (None, None) => Whose::All,
        (Some(of), None) => Whose::Organisation(OrganisationId(of)),
        (None, Some(person)) => Whose::Person(PersonId(person)),
        (Some(_), Some(_)) => {
            return Err(Problem::bad(
                "api.query",
                "give an organisation or a person, not both",
            ));
        }
    };
    let waits = api
        .ask_for(reader, |reply| Command::Tasks {
            whose,
            class: reader.class(),
            reply,
        })
        .await?;
    Ok(Json(Tasks {
        height: waits.height,
        left_out: waits.left_out,
        sample: api.is_sample(),
        tasks: waits.tasks.into_iter().map(Into::into).collect(),
        time_ms: waits.time,
    }))
}
