//! What motions do: five questions per effect, each one match. A family that adds an effect adds
//! one arm to each.
//!
//! * [`body`]: who decides it. [`scope`]: for which fund the proposing officer must hold the post.
//! * [`interested`]: the parties; their groups have no voice in the matter (domain 1.7, 1.8).
//! * [`check`]: whether it is possible; asked at opening, at the close and right before it is
//!   carried out.
//! * [`carry_out`]: does it. It may fail only where [`check`] would have: a failure voids the
//!   motion as `R10.effect-failed`.
//! * [`failed`]: the motion ended without effect.

use super::rules::{BodyKind, DecidingBody};
use super::{Failure, MotionStatus, get, posts, rescind};
use crate::apply::{Refusal, Tx};
use crate::funding::{application, award, call, contribution, draw, fund, payment};
use crate::identity::Scope;
use crate::record::MotionEffect;
use crate::{membership, protocol, refuse, require};

/// The body that decides: the lowest that the charter names for the kind.
pub fn body(tx: &Tx, effect: &MotionEffect) -> Result<DecidingBody, Refusal> {
    if let MotionEffect::Rescind { motion } = effect {
        return Ok(get(tx.t, *motion)?.body);
    }
    match effect {
        MotionEffect::GrantAward(plan) => {
            return award::deciding_body(tx, plan.application, plan.body);
        }
        MotionEffect::PlaceApplication(plan) => {
            return award::deciding_body(tx, plan.application, BodyKind::Committee);
        }
        _ => {}
    }
    let rule = effect
        .kind()
        .and_then(|kind| tx.charter().ok()?.rules.first(kind));
    match rule.map(|rule| rule.body) {
        Some(BodyKind::Board) => Ok(DecidingBody::Board),
        Some(BodyKind::Assembly) => Ok(DecidingBody::Assembly),
        // Effects of committees say which fund's above this line.
        _ => refuse!("R10.no-rule", kind = format!("{:?}", effect.kind())),
    }
}

/// Where the proposing officer's post must have authority.
pub fn scope(tx: &Tx, effect: &MotionEffect) -> Scope {
    let of = |fund: Option<u32>| fund.map_or(Scope::Alliance, Scope::Fund);
    match effect {
        MotionEffect::PublishCall(terms) => Scope::Fund(terms.fund),
        MotionEffect::CancelCall(plan) => {
            of(tx.t.calls.get(&plan.call).map(|call| call.terms.fund))
        }
        MotionEffect::WriteOffInstalment(plan) => of(contribution::fund_of(tx, plan)),
        MotionEffect::GrantAward(plan) => of(award::fund_of(tx, plan.application)),
        MotionEffect::PlaceApplication(plan) => of(award::fund_of(tx, plan.application)),
        MotionEffect::RevokeAward(plan) => of(tx.t.awards.get(&plan.award).map(|award| award.fund)),
        MotionEffect::LiftHold(plan) => {
            of(tx.t.payments.get(&plan.payment).map(|payment| payment.fund))
        }
        _ => Scope::Alliance,
    }
}

/// Organisations with a computed interest in the matter.
pub fn interested(tx: &Tx, effect: &MotionEffect) -> Vec<u32> {
    match effect {
        MotionEffect::Admit { membership } => membership::admission::interested(tx, *membership),
        MotionEffect::Rescind { motion } => match get(tx.t, *motion) {
            // A rescission of a rescission does not exist, so this is one step deep.
            Ok(target) if !matches!(target.effect, MotionEffect::Rescind { .. }) => {
                interested(tx, &target.effect)
            }
            _ => Vec::new(),
        },
        MotionEffect::Appoint(appointment) => {
            posts::interested(tx, &[Some(appointment.holder), appointment.deputy])
        }
        MotionEffect::Remove { post } => {
            posts::interested(tx, &[tx.t.posts.get(post).map(|post| post.holder)])
        }
        MotionEffect::CreateFund(plan) => fund::interested(tx, plan),
        MotionEffect::WriteOffInstalment(plan) => contribution::interested(tx, plan),
        MotionEffect::DecideAppeal(plan) => application::interested(tx, plan),
        MotionEffect::GrantAward(plan) => award::interested(tx, plan.application),
        MotionEffect::PlaceApplication(plan) => award::interested(tx, plan.application),
        MotionEffect::RevokeAward(plan) => {
            tx.t.awards
                .get(&plan.award)
                .map(|award| award.grantee)
                .into_iter()
                .collect()
        }
        MotionEffect::LiftHold(plan) => payment::interested(tx, plan.payment),
        // A committee, a call, a pool and the rules are for everybody; who later applies is judged
        // then.
        MotionEffect::AppointCommittee(_)
        | MotionEffect::PublishCall(_)
        | MotionEffect::CancelCall(_)
        | MotionEffect::ConfirmPool(_)
        | MotionEffect::RaiseProtocol(_) => Vec::new(),
    }
}

/// Whether the effect is possible now.
pub fn check(tx: &Tx, effect: &MotionEffect) -> Result<(), Refusal> {
    match effect {
        MotionEffect::Admit { membership } => membership::admission::check_ballot(tx, *membership),
        MotionEffect::Rescind { motion } => {
            let target = get(tx.t, *motion)?;
            require!(
                target.status == MotionStatus::Staying,
                "R10.not-staying",
                motion = *motion
            );
            Ok(())
        }
        MotionEffect::Appoint(appointment) => posts::check_appointment(tx, appointment),
        MotionEffect::Remove { post } => posts::check_removal(tx, *post),
        MotionEffect::CreateFund(plan) => fund::check_create(tx, plan),
        MotionEffect::AppointCommittee(plan) => fund::check_committee(tx, plan),
        MotionEffect::WriteOffInstalment(plan) => contribution::check_write_off(tx, plan),
        MotionEffect::PublishCall(terms) => call::check_publish(tx, terms),
        MotionEffect::CancelCall(plan) => call::check_cancel(tx, plan),
        MotionEffect::ConfirmPool(plan) => draw::check_confirm(tx, plan),
        MotionEffect::DecideAppeal(plan) => application::check_appeal(tx, plan),
        MotionEffect::GrantAward(plan) => award::check(tx, plan),
        MotionEffect::PlaceApplication(plan) => award::check_place(tx, plan),
        MotionEffect::RevokeAward(plan) => award::check_revoke(tx, plan),
        MotionEffect::LiftHold(plan) => payment::check_lift(tx, plan.payment),
        MotionEffect::RaiseProtocol(plan) => protocol::check_raise(tx, plan),
    }
}

/// Whether these persons may sign a ballot in the matter, whatever their company may do.
pub fn check_voters(tx: &Tx, effect: &MotionEffect, persons: &[u32]) -> Result<(), Refusal> {
    let application = match effect {
        MotionEffect::GrantAward(plan) => plan.application,
        MotionEffect::PlaceApplication(plan) => plan.application,
        _ => return Ok(()),
    };
    persons
        .iter()
        .try_for_each(|person| award::check_voter(tx, application, *person))
}

/// Carries the effect out.
pub fn carry_out(tx: &mut Tx, motion: u32, due: u64, effect: &MotionEffect) -> Result<(), Refusal> {
    match effect {
        MotionEffect::Admit { membership } => {
            membership::admission::admitted(tx, *membership, motion, due)
        }
        MotionEffect::Rescind { motion } => rescind(tx, *motion, due),
        MotionEffect::Appoint(appointment) => posts::appoint(tx, appointment),
        MotionEffect::Remove { post } => posts::remove(tx, *post),
        MotionEffect::CreateFund(plan) => fund::create(tx, motion, plan).map(|_| ()),
        MotionEffect::AppointCommittee(plan) => fund::appoint_committee(tx, plan),
        MotionEffect::WriteOffInstalment(plan) => contribution::write_off(tx, plan),
        MotionEffect::PublishCall(terms) => call::publish(tx, motion, terms).map(|_| ()),
        MotionEffect::CancelCall(plan) => call::cancel(tx, plan),
        MotionEffect::ConfirmPool(plan) => draw::confirm(tx, motion, plan),
        MotionEffect::DecideAppeal(plan) => application::appeal_granted(tx, plan),
        MotionEffect::GrantAward(plan) => award::grant(tx, motion, plan).map(|_| ()),
        MotionEffect::PlaceApplication(plan) => award::place(tx, plan),
        MotionEffect::RevokeAward(plan) => award::revoke(tx, plan),
        MotionEffect::LiftHold(plan) => payment::lift_hold(tx, plan.payment),
        MotionEffect::RaiseProtocol(plan) => protocol::raise(tx, motion, due, plan),
    }
}

/// The motion ended without effect.
pub fn failed(
    tx: &mut Tx,
    motion: u32,
    due: u64,
    effect: &MotionEffect,
    failure: Failure,
) -> Result<(), Refusal> {
    match effect {
        MotionEffect::Admit { membership } => {
            membership::admission::not_admitted(tx, *membership, motion, due, failure)
        }
        MotionEffect::DecideAppeal(plan) => application::appeal_failed(tx, plan, failure),
        _ => Ok(()),
    }
}
