//! Proved state, and the chain of policies that lets a stranger judge it from the genesis hash.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use rollbook_core::id::PersonId;
use rollbook_proof::chain::ReadClass;
use rollbook_proof::log::TlogProof;
use rollbook_proof::number::EpochId;
use rollbook_wire::ledger::Sequence;
use rollbook_wire::proof::{Policy, StateProof};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ask::Unanswered;
use super::reader::{Reader, log_in};
use super::{Api, Problem};
use crate::replica_thread::command::Command;

/// The policies since an epoch. What proves one stays as it is, so each is proved once: a reader of state
/// asks for all of them every time.
fn epochs(api: &Api, from: u32) -> Result<Vec<Policy>, Problem> {
    let view = &api.parts().view;
    let mut chain = api.epochs();
    for policy in view.policies().into_iter().skip(chain.len()) {
        let proof = if policy.epoch == EpochId(0) {
            None
        } else {
            let checkpoint = view.handover(policy.epoch)?;
            // The block after a handover carries the proof; until it is decided the new epoch is
            // not used.
            let Some(checkpoint) = checkpoint else { break };
            let note = api.handover_note(&checkpoint)?;
            let index = policy.valid_from_size.saturating_sub(2);
            let proof = TlogProof::make(view, index, note).map_err(Problem::internal)?;
            Some(proof.render().map_err(Problem::internal)?)
        };
        chain.push(Policy {
            epoch: policy.epoch,
            policy: policy.render(),
            proof,
        });
    }
    api.keep_epochs(&chain);
    chain.retain(|policy| policy.epoch >= EpochId(from));
    Ok(chain)
}

/// From where on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct FromEpoch {
    /// First epoch wanted; 0 if not given.
    from: Option<u32>,
}

/// The policies since genesis, or since an epoch, each proved under the one before.
#[utoipa::path(
    get,
    path = "/v1/policies",
    params(FromEpoch),
    responses((status = 200, description = "Policies", body = Vec<Policy>))
)]
pub async fn policies(
    State(api): State<Api>,
    query: Result<Query<FromEpoch>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Vec<Policy>>, Problem> {
    let Query(query) = query.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    epochs(&api, query.from.unwrap_or(0)).map(Json)
}

/// A proved value, such as `organisation/3` or `membership/1`.
#[utoipa::path(
    get,
    path = "/v1/state/{path}",
    params(("path" = String, Path, description = "Path in the proved tables")),
    responses(
        (status = 200, description = "Value or absence, with every proof", body = StateProof),
        (status = 503, description = "The tip is not receipted", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn state(
    State(api): State<Api>,
    Path(path): Path<String>,
) -> Result<Json<StateProof>, Problem> {
    if path.is_empty() || path.len() > 256 {
        return Err(Problem::bad("api.path", "a path has 1 to 256 bytes"));
    }
    let question = |reply| Command::State {
        path: path.clone().into_bytes(),
        reply,
    };
    let proved = match api.ask(question).await {
        Ok(Ok(proved)) => proved,
        Ok(Err(error)) => return Err(Problem::internal(error)),
        Err(Unanswered::Late) => {
            return Err(Problem::unavailable(
                "api.not-receipted",
                "the newest block is not receipted",
            )
            .next(
                "ask again in a moment; if it stays so, too few validators answer: see /v1/status",
            ));
        }
        Err(busy @ Unanswered::Busy) => return Err(busy.into()),
    };
    api.stored(proved.seal.height).await?;
    let note = api.note(&proved.receipt)?;
    let seal_proof = TlogProof::make(&api.parts().view, proved.seal.leaf_index(), note)
        .map_err(Problem::internal)?;
    Ok(Json(StateProof {
        path,
        value: proved.value.map(hex::encode),
        proof: hex::encode(proved.proof),
        seal_leaf: hex::encode(proved.seal.leaf()),
        seal_proof: seal_proof.render().map_err(Problem::internal)?,
        height: proved.seal.height,
        epochs: epochs(&api, 0)?,
        sample: api.is_sample(),
    }))
}

/// Which sequence is asked for.
#[derive(Debug, Deserialize)]
pub struct LaneAsked {
    /// The lane: that of public records if it is left out.
    #[serde(default = "public")]
    lane: ReadClass,
}

fn public() -> ReadClass {
    ReadClass::Public
}

/// The next sequence of a person in a lane, as told by this node: a wrong one costs a refusal, never
/// a right (RULINGS A6). To the person and to colleagues what waits in the pool or for signatures counts, too. That of the members' lane counts acts that only members may read, so it is
/// told to the person and to colleagues only (RULINGS A59, A61).
#[utoipa::path(
    get,
    path = "/v1/persons/{person}/sequence",
    params(
        ("person" = u32, Path, description = "Person number"),
        ("lane" = Option<String>, Query, description = "public (if left out) or members")
    ),
    responses(
        (status = 200, description = "The next sequence", body = Sequence),
        (
            status = 401,
            description = "The members' lane is told to the person and to colleagues: log in",
            body = rollbook_wire::problem::Problem
        ),
        (status = 503, description = "Busy", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn sequence(
    State(api): State<Api>,
    reader: Reader,
    Path(person): Path<String>,
    asked: Result<Query<LaneAsked>, QueryRejection>,
) -> Result<Json<Sequence>, Problem> {
    let person: PersonId = person
        .parse()
        .map(PersonId)
        .map_err(|_| Problem::bad("api.person", "a person number is a whole number"))?;
    let Query(asked) = asked.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    // How much somebody signs is content, too.
    reader.must_be_in(&api)?;
    let next = api
        .ask(|reply| Command::Sequence {
            place: (person, asked.lane),
            reader: reader.person(),
            reply,
        })
        .await?;
    let next = next.ok_or_else(|| {
        log_in(
            "A59.not-yours",
            "the next sequence of members' records is told to the person and to officers of the \
             same organisation"
                .to_owned(),
        )
    })?;
    // What waits here for signatures holds its number, too.
    let papers = if next.is_colleague {
        api.parts().papers.highest(person, asked.lane)
    } else {
        0
    };
    Ok(Json(Sequence {
        person,
        next: next.next.max(papers.saturating_add(1)),
        now_ms: api.parts().clock.now_ms(),
    }))
}
