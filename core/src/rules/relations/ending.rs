//! How a relation ends (M24; RULINGS R27, R31).
//!
//! * An end says that it is over, with evidence; the secretariat checks it, by an officer who is related to
//!   neither, and confirms or declines.
//! * A conflict ends with that, for matters that open from then on; for those that were open it stays.
//! * Voices stay one for the charter's days (`relation_end_days`). While the board votes on the relation
//!   the days begin anew.

use rollbook_proof::crypto::Hash;

use super::claims::moved;
use super::{by_primary, judge_again, known, put};
use crate::calendar::Period;
use crate::id::RelationId;
use crate::identity::{Role, Scope};
use crate::object::relation::{Edge, EndRequest, RelationStatus};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// An end says that the relation is over.
pub(crate) fn ask_end(
    tx: &mut Tx,
    actor: &Actor,
    relation: RelationId,
    evidence: Hash,
) -> Result<Outcome, Refusal> {
    by_primary(actor)?;
    let mut edge = known(tx, relation)?;
    require!(
        edge.has_end(actor.number()),
        "R27.not-an-end",
        relation = relation,
        organisation = actor.number()
    );
    require!(
        edge.is_in_force() && edge.status != RelationStatus::Ending,
        "R27.not-in-force",
        relation = relation,
        status = edge.status
    );
    require!(
        edge.end_asked.is_none(),
        "R27.end-asked",
        relation = relation
    );
    edge.end_asked = Some(EndRequest {
        by: actor.number(),
        evidence,
        at_ms: tx.now,
    });
    put(tx, edge);
    Ok(Outcome::Applied)
}

/// The relation whose end is asked for, if an unrelated secretary signs.
fn asked(tx: &Tx, actor: &Actor, relation: RelationId) -> Result<Edge, Refusal> {
    must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    let edge = known(tx, relation)?;
    if edge.end_asked.is_none() {
        refuse!("R27.no-end-asked", relation = relation)
    }
    require_unrelated(tx, actor, edge.ends.0)?;
    require_unrelated(tx, actor, edge.ends.1)?;
    Ok(edge)
}

/// The secretariat has checked that it is over.
pub(crate) fn confirm_end(
    tx: &mut Tx,
    actor: &Actor,
    relation: RelationId,
) -> Result<Outcome, Refusal> {
    let mut edge = asked(tx, actor, relation)?;
    edge.end_asked = None;
    let to = match edge.status {
        RelationStatus::Joined => RelationStatus::Ending,
        _ => RelationStatus::Ended,
    };
    tx.go(&mut edge, "M24", to)?;
    if to == RelationStatus::Ended {
        edge.ended_ms = Some(tx.now);
    } else {
        let days = tx.charter()?.membership.relation_end_days;
        let ends = tx.delay(Period::Days(days));
        tx.schedule(DeadlineKind::RelationEnd, relation, ends);
    }
    let end = edge.ends.0;
    put(tx, edge);
    judge_again(tx, end);
    Ok(Outcome::Applied)
}

/// The secretariat does not find that it is over.
pub(crate) fn decline_end(
    tx: &mut Tx,
    actor: &Actor,
    relation: RelationId,
) -> Result<Outcome, Refusal> {
    let mut edge = asked(tx, actor, relation)?;
    edge.end_asked = None;
    put(tx, edge);
    Ok(Outcome::Applied)
}

/// The days after its end was shown are over.
pub(super) fn over(tx: &mut Tx, mut edge: Edge, due: Due) -> Result<(), Refusal> {
    let (relation, ends) = (edge.id, edge.ends);
    if super::board::is_voted_on(tx, relation) {
        let days = tx.charter()?.membership.relation_end_days;
        let later = tx.delay(Period::Days(days));
        tx.schedule(DeadlineKind::RelationEnd, relation, later);
        return Ok(());
    }
    tx.go(&mut edge, "M24", RelationStatus::Ended)?;
    edge.ended_ms = Some(tx.now);
    put(tx, edge);
    judge_again(tx, ends.0);
    moved(tx, relation, ends, RelationStatus::Ended, due);
    Ok(())
}
