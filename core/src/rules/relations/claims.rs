//! What others say of two companies (RULINGS R27): the secretariat, or a member that is neither.
//!
//! * A claim does nothing by itself. It is a notice to both ends, with the block that it is in; each may
//!   answer, or say it, too. Silence joins nothing.
//! * Who claimed it takes it back; if nobody takes it up in 180 days it is dropped by the clock.

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use super::{RELATIONS_MAX, by_primary, is_open, known, next_number, pair, put, says, write};
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{Id as _, RelationId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{groups, rights};
use crate::object::relation::{Edge, RelationStatus, Reply};
use crate::record::RelationClaim;
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Days after which a claim that nobody took up is dropped.
pub const CLAIM_DAYS: u32 = 180;

/// Whoever may claim signs: the secretary, or a member's primary.
fn claimant(tx: &Tx, actor: &Actor) -> Result<(), Refusal> {
    if actor.organisation.kind == OrganisationKind::Office {
        return must_hold(tx, actor, Role::Secretary, Scope::Alliance).map(|_| ());
    }
    by_primary(actor)?;
    require!(
        rights::is_live(&tx.t, actor.number()),
        "R27.not-a-member",
        organisation = actor.number()
    );
    Ok(())
}

/// Somebody claims that two others are related.
pub(crate) fn claim(tx: &mut Tx, actor: &Actor, plan: &RelationClaim) -> Result<Outcome, Refusal> {
    claimant(tx, actor)?;
    for end in [plan.one, plan.other] {
        let Some(facts) = tx.t.organisations.get(&end) else {
            refuse!("M24.unknown-organisation", organisation = end)
        };
        require!(
            facts.kind != OrganisationKind::Office,
            "R27.office",
            organisation = end
        );
        require!(
            end != actor.number(),
            "R27.declare-instead",
            organisation = end
        );
    }
    require!(
        plan.one != plan.other,
        "R27.same-organisation",
        organisation = plan.one
    );
    let same = groups::relations(&tx.t, plan.one)
        .find(|(end, edge)| *end == plan.other && edge.kind == plan.kind && is_open(edge));
    if let Some((_, edge)) = same {
        refuse!("R27.known-already", relation = edge.id);
    }
    // What the assembly has upheld is not decided again by the same evidence.
    let upheld = groups::relations(&tx.t, plan.one).find(|(end, edge)| {
        *end == plan.other
            && edge.kind == plan.kind
            && edge.upheld
            && edge.evidence == plan.evidence
    });
    if let Some((_, edge)) = upheld {
        refuse!("R27.upheld-before", relation = edge.id);
    }
    let own = (actor.number(), RelationId::MIN)..=(actor.number(), RelationId::MAX);
    require!(
        tx.t.claims.range(own).count() < RELATIONS_MAX,
        "R27.too-many",
        organisation = actor.number(),
        limit = RELATIONS_MAX
    );
    let ends = pair(plan.one, plan.other);
    let key = (ends.0, ends.1, next_number(tx, ends));
    let status = tx.begin::<Edge>(key, "M24", RelationStatus::Claimed)?;
    let mut edge = Edge::begun(
        ends,
        plan.kind,
        plan.evidence,
        actor.number(),
        tx.now,
        status,
    );
    edge.number = key.2;
    let id = tx.peek_id::<RelationId>();
    write(tx, edge);
    tx.t.claims().put((actor.number(), id), 0);
    let lapses = tx.deadline(Period::Days(CLAIM_DAYS));
    tx.schedule(DeadlineKind::RelationLapse, id, lapses);
    Ok(Outcome::Applied)
}

/// An end answers; its newest answer stands.
pub(crate) fn reply(
    tx: &mut Tx,
    actor: &Actor,
    relation: RelationId,
    document: Hash,
) -> Result<Outcome, Refusal> {
    by_primary(actor)?;
    let mut edge = known(tx, relation)?;
    let own = actor.number();
    require!(
        edge.has_end(own),
        "R27.not-an-end",
        relation = relation,
        organisation = own
    );
    let waits = matches!(
        edge.status,
        RelationStatus::Claimed | RelationStatus::Declared
    );
    require!(
        waits && !says(&edge, own),
        "R27.nothing-to-answer",
        relation = relation
    );
    edge.replies.retain(|reply| reply.by != own);
    edge.replies.push(Reply {
        by: own,
        document,
        at_ms: tx.now,
    });
    put(tx, edge);
    Ok(Outcome::Applied)
}

/// Who claimed it takes it back.
pub(crate) fn withdraw(
    tx: &mut Tx,
    actor: &Actor,
    relation: RelationId,
) -> Result<Outcome, Refusal> {
    claimant(tx, actor)?;
    let edge = known(tx, relation)?;
    require!(
        edge.claimed_by == actor.number(),
        "R27.not-the-claimant",
        relation = relation,
        organisation = actor.number()
    );
    drop_claim(tx, edge)?;
    Ok(Outcome::Applied)
}

fn drop_claim(tx: &mut Tx, mut edge: Edge) -> Result<(), Refusal> {
    tx.go(&mut edge, "R27", RelationStatus::Dropped)?;
    settled(tx, &edge);
    put(tx, edge);
    Ok(())
}

/// A claim is one no longer.
pub(super) fn settled(tx: &mut Tx, edge: &Edge) {
    tx.cancel(DeadlineKind::RelationLapse, edge.id);
    tx.t.claims().remove((edge.claimed_by, edge.id));
}

/// Nobody took it up. While the board votes on it, it waits.
pub(super) fn lapse(tx: &mut Tx, edge: Edge, due: Due) -> Result<(), Refusal> {
    if super::board::is_voted_on(tx, edge.id) {
        let later = tx.deadline(Period::Days(CLAIM_DAYS));
        tx.schedule(DeadlineKind::RelationLapse, edge.id, later);
        return Ok(());
    }
    let (relation, ends) = (edge.id, edge.ends);
    drop_claim(tx, edge)?;
    moved(tx, relation, ends, RelationStatus::Dropped, due);
    Ok(())
}

/// The event of a relation that the clock moved.
pub(super) fn moved(
    tx: &mut Tx,
    relation: RelationId,
    ends: (OrganisationId, OrganisationId),
    status: RelationStatus,
    due: Due,
) {
    let effective_ms = known(tx, relation).ok().and_then(|edge| edge.effective_ms);
    tx.emit(
        due,
        EventBody::RelationMoved {
            relation,
            ends,
            status,
            effective_ms,
        },
    );
}
