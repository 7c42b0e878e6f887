//! What a motion does: the questions that every effect answers.
//!
//! Each plan type implements [`Effect`] in its own domain file; `apply` holds the one match from
//! the wire enum to the plan ([`Planned`]). So a motion knows no fund, and a family that adds an
//! effect adds one implementation and one arm.

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::charter::motions::{BodyKind, DecidingBody, MotionKind};
use crate::id::{DrawId, FundId, Id, MotionId, PersonId};
use crate::identity::Scope;
use crate::lookup::find;
use crate::object::matter::Matter;
use crate::object::motion::{Failure, Motion};
use crate::refusal::Refusal;
use crate::refuse;
use crate::tx::{Due, Tx};

/// The effect of a motion.
pub trait Effect {
    /// The body that decides: the lowest that the charter names for the kind. Refused with
    /// `R10.no-rule` where the charter names none.
    fn body(&self, tx: &Tx, kind: Option<MotionKind>) -> Result<DecidingBody, Refusal> {
        lowest_body(tx, kind)
    }

    /// Where the proposing officer's post must have authority.
    fn scope(&self, _tx: &Tx) -> Scope {
        Scope::Alliance
    }

    /// Organisations with a computed interest in the matter; their groups have no voice in it
    /// (domain 1.7, 1.8). Empty where the matter is for everybody.
    fn interested(&self, tx: &Tx) -> Vec<OrganisationId>;

    /// The matter to which motion `motion` with this effect belongs (RULINGS R31). By default the
    /// motion is a matter of its own: what it makes is not there before.
    fn matter(&self, _tx: &Tx, motion: MotionId) -> Matter {
        Matter::Motion(motion)
    }

    /// What else must hold when the motion is proposed, and is not asked again.
    fn proposable(&self, _tx: &Tx) -> Result<(), Refusal> {
        Ok(())
    }

    /// Asked when the stay of motion `motion` is over: an undecided motion for which the effect
    /// waits, or none if it may come now. A refusal voids the motion.
    fn waits_for(&self, _tx: &Tx, _motion: MotionId) -> Result<Option<MotionId>, Refusal> {
        Ok(None)
    }

    /// Whether the effect is possible now: asked at opening, at the close, and right before it is
    /// carried out.
    fn possible(&self, tx: &Tx) -> Result<(), Refusal>;

    /// Whether these persons may sign a ballot in the matter, whatever their company may do.
    fn check_voters(&self, _tx: &Tx, _persons: &[PersonId]) -> Result<(), Refusal> {
        Ok(())
    }

    /// Carries the effect out. It may fail only where [`Effect::possible`] would have: a failure
    /// voids the motion as `R10.effect-failed`.
    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal>;

    /// The motion ended without effect, but was not taken back.
    fn failed(
        &self,
        _tx: &mut Tx,
        _motion: MotionId,
        _due: Due,
        _failure: Failure,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// Begins the draw among members equal at the last seat of an election. Asked of nothing else.
    fn break_tie(
        &self,
        _tx: &mut Tx,
        motion: &Motion,
        _names: Vec<OrganisationId>,
    ) -> Result<DrawId, Refusal> {
        refuse!("R10.no-rule", motion_kind = motion.kind)
    }

    /// The ledger time at which the ballots on it end, where that is no period: with what it decides
    /// about.
    fn closes(&self, _tx: &Tx) -> Option<LedgerTime> {
        None
    }

    /// The motion that this one undoes while that still stays (a rescission). Such a motion is for
    /// the same body, whoever is left of it, and its ballot ends with the stay.
    fn undoes(&self) -> Option<MotionId> {
        None
    }
}

/// The wire form of an effect, which knows the plan inside it.
pub trait Planned {
    /// The plan.
    fn plan(&self) -> &dyn Effect;
}

/// The lowest body that the charter in force names for a kind of motion. Refused with
/// `R10.no-rule`.
pub fn lowest_body(tx: &Tx, kind: Option<MotionKind>) -> Result<DecidingBody, Refusal> {
    let rule = kind.and_then(|kind| tx.charter().ok()?.rules.first(kind));
    match rule.map(|rule| rule.body) {
        Some(BodyKind::Board) => Ok(DecidingBody::Board),
        Some(BodyKind::Assembly) => Ok(DecidingBody::Assembly),
        // Effects of committees say themselves which fund's.
        _ => refuse!("R10.no-rule", motion_kind = kind),
    }
}

/// The matter of a motion (RULINGS R31).
pub fn matter_of(tx: &Tx, motion: &Motion) -> Matter {
    motion.effect.plan().matter(tx, motion.number)
}

/// The motions of a matter, oldest first.
pub fn motions_of(tx: &Tx, matter: Matter) -> Vec<Motion> {
    let numbers = (matter, Id::MIN)..=(matter, Id::MAX);
    tx.t.matter_motions
        .range(numbers)
        .filter_map(|((_, number), _)| find::<Motion>(&tx.t, *number).ok().cloned())
        .collect()
}

/// The scope of a post that has authority over `fund`, or over the alliance where there is none.
pub fn scope_of(fund: Option<FundId>) -> Scope {
    fund.map_or(Scope::Alliance, Scope::Fund)
}
