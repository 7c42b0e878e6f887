//! The one match from the effect of a motion, as it is signed, to the plan that answers for it.

use crate::record::MotionEffect;
use crate::rules::effect::{Effect, Planned};

impl Planned for MotionEffect {
    fn plan(&self) -> &dyn Effect {
        match self {
            MotionEffect::Admit(plan) => plan,
            MotionEffect::Rescind(plan) => plan,
            MotionEffect::Appoint(plan) => plan,
            MotionEffect::Remove(plan) => plan,
            MotionEffect::CreateFund(plan) => plan.as_ref(),
            MotionEffect::AppointCommittee(plan) => plan,
            MotionEffect::WriteOffInstalment(plan) => plan,
            MotionEffect::PublishCall(plan) => plan.as_ref(),
            MotionEffect::CancelCall(plan) => plan,
            MotionEffect::ConfirmPool(plan) => plan,
            MotionEffect::DecideAppeal(plan) => plan,
            MotionEffect::GrantAward(plan) => plan,
            MotionEffect::PlaceApplication(plan) => plan,
            MotionEffect::RevokeAward(plan) => plan,
            MotionEffect::LiftHold(plan) => plan,
            MotionEffect::RaiseProtocol(plan) => plan,
            MotionEffect::RemoveAuditor(plan) => plan,
            MotionEffect::ElectSeat(plan) => plan,
            MotionEffect::AmendCharter(plan) => plan,
            MotionEffect::RatifyRevocation(plan) => plan,
            MotionEffect::RecoverKeys(plan) => plan,
            MotionEffect::NameLead(plan) => plan,
            MotionEffect::AdmitObserver(plan) => plan,
            MotionEffect::EndObserver(plan) => plan,
            MotionEffect::ElectChair(plan) => plan,
            MotionEffect::ScreenAgain(plan) => plan,
            MotionEffect::SuspendMember(plan) => plan,
            MotionEffect::LiftSuspension(plan) => plan,
            MotionEffect::ExpelMember(plan) => plan,
            MotionEffect::UpholdAppeal(plan) => plan,
            MotionEffect::AcceptPlan(plan) => plan,
            MotionEffect::ChangeClass(plan) => plan,
            MotionEffect::JoinRelation(plan) => plan,
            MotionEffect::AnnulRelation(plan) => plan,
            MotionEffect::UndoRelation(plan) => plan,
            MotionEffect::SuspendAgreement(plan) => plan,
            MotionEffect::TerminateAgreement(plan) => plan,
            MotionEffect::OrderRecovery(plan) => plan,
            MotionEffect::WriteOffRecovery(plan) => plan,
        }
    }
}
