//! What came of a motion, and of an application: the newest objects that name it.

use super::Object;
use super::subject::among;
use crate::id::{ApplicationId, AwardId, ProceedingId};
use crate::identity::Role;
use crate::object::award::Award;
use crate::object::motion::{Motion, MotionStatus};
use crate::record::MotionEffect;
use crate::state::StateTables;

/// Objects that a motion made or changed, once it is carried out: `fund 2`. Looked for among the
/// newest of their kind.
pub fn by_motion(tables: &StateTables, motion: &Motion) -> Vec<(Object, u32)> {
    if motion.status != MotionStatus::CarriedOut {
        return Vec::new();
    }
    let number = motion.number;
    let made = match &motion.effect {
        MotionEffect::Admit(plan) => Some((Object::Membership, plan.membership.0)),
        MotionEffect::CreateFund(_) => {
            among(&tables.funds, |fund| fund.motion == number).map(|id| (Object::Fund, id.0))
        }
        MotionEffect::PublishCall(_) => {
            among(&tables.calls, |call| call.motion == number).map(|id| (Object::Call, id.0))
        }
        MotionEffect::GrantAward(_) => {
            among(&tables.awards, |award| award.motion == number).map(|id| (Object::Award, id.0))
        }
        MotionEffect::Appoint(plan) => among(&tables.posts, |post| {
            (post.office, post.role, post.scope) == (plan.office, plan.role, plan.scope)
                && (post.holder, post.succeeds) == (plan.holder, plan.succeeds)
        })
        .map(|id| (Object::Post, id.0)),
        MotionEffect::AppointCommittee(plan) => Some((Object::Fund, plan.fund.0)),
        MotionEffect::WriteOffInstalment(plan) => Some((Object::Instalment, plan.instalment.0)),
        MotionEffect::CancelCall(plan) => Some((Object::Call, plan.call.0)),
        MotionEffect::DecideAppeal(plan) => Some((Object::Application, plan.application.0)),
        MotionEffect::PlaceApplication(plan) => Some((Object::Application, plan.application.0)),
        MotionEffect::RevokeAward(plan) => Some((Object::Award, plan.award.0)),
        MotionEffect::LiftHold(plan) => Some((Object::Payment, plan.payment.0)),
        MotionEffect::Rescind(plan) => Some((Object::Motion, plan.motion.0)),
        MotionEffect::Remove(plan) => Some((Object::Post, plan.post.0)),
        MotionEffect::RemoveAuditor(plan) => Some((Object::Post, plan.post.0)),
        MotionEffect::ElectSeat(_) => {
            let offered = tables.seats.iter().map(|(_, seat)| seat);
            let offered = offered.filter(|seat| seat.motion == Some(number));
            return offered.map(|seat| (Object::Seat, seat.number.0)).collect();
        }
        MotionEffect::AmendCharter(plan) => tables
            .draft_of
            .get(&plan.digest)
            .map(|draft| (Object::Draft, draft.0)),
        MotionEffect::RatifyRevocation(plan) => Some((Object::Revocation, plan.revocation.0)),
        MotionEffect::RecoverKeys(plan) => Some((Object::KeyRecovery, plan.recovery.0)),
        MotionEffect::AdmitObserver(plan) => Some((Object::Observer, plan.organisation.0)),
        MotionEffect::EndObserver(plan) => Some((Object::Observer, plan.organisation.0)),
        MotionEffect::LiftSuspension(plan) => Some((Object::Membership, plan.membership.0)),
        MotionEffect::SuspendMember(plan) => suspended(tables, plan.proceeding),
        MotionEffect::ExpelMember(plan) => suspended(tables, plan.proceeding),
        MotionEffect::UpholdAppeal(plan) => suspended(tables, plan.proceeding),
        // For members alone: whoever may read it finds it by the membership.
        MotionEffect::AcceptPlan(_) => None,
        MotionEffect::ScreenAgain(plan) => Some((Object::Membership, plan.membership.0)),
        MotionEffect::JoinRelation(plan) => Some((Object::Relation, plan.relation.0)),
        MotionEffect::AnnulRelation(plan) => Some((Object::Relation, plan.relation.0)),
        MotionEffect::UndoRelation(plan) => Some((Object::Relation, plan.relation.0)),
        MotionEffect::ChangeClass(plan) => Some((Object::Membership, plan.membership.0)),
        MotionEffect::SuspendAgreement(plan) => Some((Object::Measure, plan.measure.0)),
        MotionEffect::TerminateAgreement(plan) => Some((Object::Measure, plan.measure.0)),
        MotionEffect::OrderRecovery(plan) => Some((Object::Recovery, plan.recovery.0)),
        MotionEffect::WriteOffRecovery(plan) => Some((Object::Recovery, plan.recovery.0)),
        MotionEffect::NameLead(plan) => Some((Object::Direction, plan.direction.0)),
        MotionEffect::ElectChair(plan) => among(&tables.posts, |post| {
            (post.office, post.role, post.succeeds) == (plan.office, Role::Chair, plan.succeeds)
        })
        .map(|id| (Object::Post, id.0)),
        MotionEffect::ConfirmPool(_) | MotionEffect::RaiseProtocol(_) => None,
    };
    made.into_iter().collect()
}

/// The membership that a proceeding was about, which is told once it is decided.
fn suspended(tables: &StateTables, number: ProceedingId) -> Option<(Object, u32)> {
    let proceeding = tables.proceedings.get(&number)?;
    Some((Object::Membership, proceeding.membership.0))
}

/// The newest award of an application.
pub(crate) fn award_of(tables: &StateTables, application: ApplicationId) -> Option<AwardId> {
    let of = |award: &&Award| award.application == application;
    let awards = tables.awards.iter().map(|(_, award)| award).filter(of);
    awards.last().map(|award| award.number)
}
