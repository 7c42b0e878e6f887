//! What the board finds of a relation (M24; RULINGS R27): that it exists, since an earlier day, or that it
//! never was; and the appeal to the assembly.
//!
//! * The board finds that a relation exists when both ends have had 15 days to answer since the claim, or
//!   since the other's declaration. Both groups are recused.
//! * It is in force from the block in which the motion takes effect. An earlier day, at most 365 days before
//!   the motion, makes the two one group from then on: motions that opened since are counted again, each by
//!   a due event (R1, R20).
//! * While the motion stays, either end appeals to the assembly: the effect waits for its decision. What the
//!   assembly upholds, the board does not decide again.
//!
//! Absent: the body's own look at a decision that was carried out and would have been another (R20). The
//! recount says so, payments under tainted votes are held by R30, and the body undoes by an act of its own.

use rollbook_proof::number::OrganisationId;

use super::claims::{moved, settled};
use super::{agreed, by_primary, judge_again, known, put, settle};
use crate::calendar::{LocalDay, Period};
use crate::charter::motions::{DecidingBody, MotionKind};
use crate::id::{MotionId, RelationId};
use crate::object::matter::Matter;
use crate::object::motion::{Motion, MotionStatus};
use crate::object::relation::{Edge, RelationStatus};
use crate::record::{AnnulRelation, JoinRelation, MotionEffect, UndoRelation};
use crate::refusal::Refusal;
use crate::rules::authority::Actor;
use crate::rules::effect::{Effect, motions_of};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Days in which an end answers before the board decides.
pub const REPLY_DAYS: u32 = 15;
/// Most days that the board goes back.
pub const BACK_DAYS: u32 = 365;

/// Whether a motion on the relation is undecided.
pub(super) fn is_voted_on(tx: &Tx, relation: RelationId) -> bool {
    let motions = motions_of(tx, Matter::Relation(relation));
    motions.iter().any(|motion| !motion.status.is_final())
}

/// The two, each of which has no voice in it, with its group.
fn parties(tx: &Tx, relation: RelationId) -> Vec<OrganisationId> {
    match known(tx, relation) {
        Ok(edge) => vec![edge.ends.0, edge.ends.1],
        Err(_) => Vec::new(),
    }
}

/// The first instant of a day.
fn begins(tx: &Tx, day: LocalDay) -> rollbook_proof::number::LedgerTime {
    let before = LocalDay(day.0.saturating_sub(1));
    tx.calendar().end_of_day(before).plus_ms(1)
}

/// The board's earlier day, if it has set one that is not set yet: motions that opened since are due to be
/// counted again.
pub(super) fn set_earlier(tx: &mut Tx, edge: &mut Edge) {
    let Some(earlier) = edge.earlier_ms.take() else {
        return;
    };
    if edge
        .effective_ms
        .is_some_and(|effective| effective <= earlier)
    {
        return;
    }
    edge.effective_ms = Some(earlier);
    let since: Vec<MotionId> =
        tx.t.motions
            .iter()
            .filter(|(_, motion)| motion.opened_ms >= earlier && motion.round > 0)
            .map(|(number, _)| *number)
            .collect();
    let now = tx.now;
    for motion in since {
        tx.schedule(DeadlineKind::MotionRecount, motion, now);
    }
}

/// Whether the board can find now that the relation exists, or has since an earlier day.
fn joinable(tx: &Tx, plan: &JoinRelation) -> Result<Edge, Refusal> {
    let edge = known(tx, plan.relation)?;
    require!(!edge.upheld, "R27.assembly-decided", relation = edge.id);
    let earlier = plan.since.map(|day| begins(tx, day));
    let open = match edge.status {
        RelationStatus::Claimed | RelationStatus::Declared | RelationStatus::Ending => true,
        // Joined already: the board can only set an earlier day.
        RelationStatus::Joined => earlier.is_some_and(|earlier| {
            edge.effective_ms
                .is_some_and(|effective| earlier < effective)
        }),
        RelationStatus::Confirmed
        | RelationStatus::Waiting
        | RelationStatus::Dropped
        | RelationStatus::Ended
        | RelationStatus::Annulled => false,
    };
    require!(
        open,
        "R27.nothing-to-decide",
        relation = edge.id,
        status = edge.status
    );
    require!(
        plan.since.is_none() || edge.kind.joins_voices(),
        "R27.joins-no-voices",
        relation = edge.id
    );
    Ok(edge)
}

impl Effect for JoinRelation {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Relation(self.relation)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        parties(tx, self.relation)
    }

    fn proposable(&self, tx: &Tx) -> Result<(), Refusal> {
        let edge = joinable(tx, self)?;
        let calendar = tx.calendar();
        let until = calendar.delay(edge.claimed_ms, Period::Days(REPLY_DAYS));
        let answered = matches!(edge.status, RelationStatus::Joined | RelationStatus::Ending);
        require!(
            answered || tx.now > until,
            "R27.time-to-reply",
            relation = edge.id,
            until = until
        );
        if let Some(day) = self.since {
            let today = calendar.day_of(tx.now);
            let earliest = LocalDay(today.0.saturating_sub(i64::from(BACK_DAYS)));
            require!(
                earliest <= day && day <= today,
                "R27.too-far-back",
                day = day,
                earliest = earliest
            );
        }
        Ok(())
    }

    fn waits_for(&self, tx: &Tx, _motion: MotionId) -> Result<Option<MotionId>, Refusal> {
        let appeal = known(tx, self.relation)?.appeal;
        let open = appeal.and_then(|appeal| tx.t.motions.get(&appeal));
        Ok(open
            .filter(|motion| !motion.status.is_final())
            .map(|motion| motion.number))
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        joinable(tx, self).map(|_| ())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        let mut edge = joinable(tx, self)?;
        let key = (edge.ends.0, edge.ends.1, edge.number);
        let (relation, ends) = (edge.id, edge.ends);
        edge.decided = Some((motion, tx.now));
        edge.earlier_ms = self.since.map(|day| begins(tx, day));
        edge.end_asked = None;
        tx.cancel(DeadlineKind::RelationEnd, relation);
        if edge.status == RelationStatus::Claimed {
            settled(tx, &edge);
        }
        let to = match edge.status {
            RelationStatus::Joined | RelationStatus::Ending => RelationStatus::Joined,
            _ => agreed(tx, &edge),
        };
        settle(tx, key, edge, "R27", to)?;
        moved(tx, relation, ends, to, due);
        Ok(())
    }
}

impl Effect for AnnulRelation {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Relation(self.relation)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        parties(tx, self.relation)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let edge = known(tx, self.relation)?;
        require!(
            edge.is_in_force() || edge.status == RelationStatus::Ended,
            "R27.not-in-force",
            relation = edge.id,
            status = edge.status
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, due: Due) -> Result<(), Refusal> {
        self.possible(tx)?;
        let mut edge = known(tx, self.relation)?;
        let (relation, ends) = (edge.id, edge.ends);
        tx.go(&mut edge, "M24", RelationStatus::Annulled)?;
        edge.ended_ms = edge.ended_ms.or(Some(tx.now));
        edge.end_asked = None;
        tx.cancel(DeadlineKind::RelationEnd, relation);
        put(tx, edge);
        judge_again(tx, ends.0);
        moved(tx, relation, ends, RelationStatus::Annulled, due);
        Ok(())
    }
}

/// The motion by which the board has found the relation, while it stays.
fn staying(tx: &Tx, relation: RelationId) -> Option<Motion> {
    let motions = motions_of(tx, Matter::Relation(relation));
    motions.into_iter().rev().find(|motion| {
        motion.status == MotionStatus::Staying
            && matches!(motion.effect, MotionEffect::JoinRelation(_))
    })
}

/// An end appeals to the assembly while the board's decision stays: what is to be opened, and who asks
/// notes it with [`note_appeal`].
pub(crate) fn appeal(
    tx: &Tx,
    actor: &Actor,
    relation: RelationId,
) -> Result<MotionEffect, Refusal> {
    by_primary(actor)?;
    let edge = known(tx, relation)?;
    require!(
        edge.has_end(actor.number()),
        "R27.not-an-end",
        relation = relation,
        organisation = actor.number()
    );
    require!(
        staying(tx, relation).is_some(),
        "R27.no-decision-stays",
        relation = relation
    );
    let open = edge.appeal.and_then(|appeal| tx.t.motions.get(&appeal));
    require!(
        open.is_none_or(|motion| motion.status.is_final()),
        "R27.appealed-already",
        relation = relation
    );
    Ok(MotionEffect::UndoRelation(UndoRelation { relation }))
}

/// The appeal was opened as this motion.
pub(crate) fn note_appeal(
    tx: &mut Tx,
    relation: RelationId,
    motion: MotionId,
) -> Result<(), Refusal> {
    let mut edge = known(tx, relation)?;
    edge.appeal = Some(motion);
    put(tx, edge);
    Ok(())
}

impl Effect for UndoRelation {
    fn body(&self, _tx: &Tx, _kind: Option<MotionKind>) -> Result<DecidingBody, Refusal> {
        Ok(DecidingBody::Assembly)
    }

    fn proposable(&self, _tx: &Tx) -> Result<(), Refusal> {
        refuse!("R10.opened-by-rule", motion_kind = MotionKind::Relate)
    }

    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Relation(self.relation)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        parties(tx, self.relation)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let edge = known(tx, self.relation)?;
        let stands = matches!(
            edge.status,
            RelationStatus::Claimed
                | RelationStatus::Declared
                | RelationStatus::Joined
                | RelationStatus::Ending
        );
        require!(
            stands,
            "R27.nothing-to-decide",
            relation = edge.id,
            status = edge.status
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, due: Due) -> Result<(), Refusal> {
        self.possible(tx)?;
        let mut edge = known(tx, self.relation)?;
        let (relation, ends) = (edge.id, edge.ends);
        edge.upheld = true;
        if edge.status == RelationStatus::Claimed {
            settled(tx, &edge);
            tx.go(&mut edge, "M17", RelationStatus::Dropped)?;
        } else {
            tx.stay(&edge, "M17")?;
        }
        let status = edge.status;
        put(tx, edge);
        moved(tx, relation, ends, status, due);
        Ok(())
    }
}
