//! What motions do: five questions per effect, each one match. A family that adds an effect adds one arm to each.
//!
//! * [`body`]: who decides it. [`scope`]: for which fund the proposing officer must hold the post.
//! * [`interested`]: the parties; their groups have no voice in the matter (domain 1.7, 1.8).
//! * [`check`]: whether it is possible; asked at opening, at the close and right before it is carried out.
//! * [`carry_out`]: does it. It may fail only where [`check`] would have: a failure voids the motion as `R10.effect-failed`.
//! * [`failed`]: the motion ended without effect.

use super::rules::{BodyKind, DecidingBody};
use super::{Failure, MotionStatus, get, posts, rescind};
use crate::apply::{Refusal, Tx};
use crate::funding::{application, call, contribution, draw, fund};
use crate::identity::Scope;
use crate::record::MotionEffect;
use crate::{membership, refuse, require};

/// The body that decides: the lowest that the charter names for the kind.
pub fn body(tx: &Tx, effect: &MotionEffect) -> Result<DecidingBody, Refusal> {
    if let MotionEffect::Rescind { motion } = effect {
        return Ok(get(tx.t, *motion)?.body);
    }
    let rule = effect.kind().and_then(|kind| tx.charter().ok()?.rules.first(kind));
    match rule.map(|rule| rule.body) {
        Some(BodyKind::Board) => Ok(DecidingBody::Board),
        Some(BodyKind::Assembly) => Ok(DecidingBody::Assembly),
        // Effects of committees say which fund's above this line.
        _ => refuse!("R10.no-rule", kind = format!("{:?}", effect.kind())),
    }
}

/// Where the proposing officer's post must have authority.
pub fn scope(effect: &MotionEffect) -> Scope {
    match effect {
        MotionEffect::PublishCall(terms) => Scope::Fund(terms.fund),
        _ => Scope::Alliance,
    }
}

/// Organisations with a computed interest in the matter.
pub fn interested(tx: &Tx, effect: &MotionEffect) -> Vec<u32> {
    match effect {
        MotionEffect::Admit { membership } => membership::admission::interested(tx, *membership),
        MotionEffect::Rescind { motion } => match get(tx.t, *motion) {
            // A rescission of a rescission does not exist, so this is one step deep.
            Ok(target) if !matches!(target.effect, MotionEffect::Rescind { .. }) => interested(tx, &target.effect),
            _ => Vec::new(),
        },
        MotionEffect::Appoint(appointment) => posts::interested(tx, &[Some(appointment.holder), appointment.deputy]),
        MotionEffect::Remove { post } => posts::interested(tx, &[tx.t.posts.get(post).map(|post| post.holder)]),
        MotionEffect::CreateFund(plan) => fund::interested(tx, plan),
        MotionEffect::WriteOffInstalment(plan) => contribution::interested(tx, plan),
        MotionEffect::DecideAppeal(plan) => application::interested(tx, plan),
        // A committee, a call and a pool are for everybody; who later applies is judged then.
        MotionEffect::AppointCommittee(_)
        | MotionEffect::PublishCall(_)
        | MotionEffect::CancelCall(_)
        | MotionEffect::ConfirmPool(_) => Vec::new(),
    }
}

/// Whether the effect is possible now.
pub fn check(tx: &Tx, effect: &MotionEffect) -> Result<(), Refusal> {
    match effect {
        MotionEffect::Admit { membership } => membership::admission::check_ballot(tx, *membership),
        MotionEffect::Rescind { motion } => {
            let target = get(tx.t, *motion)?;
            require!(target.status == MotionStatus::Staying, "R10.not-staying", motion = *motion);
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
    }
}

/// Carries the effect out.
pub fn carry_out(tx: &mut Tx, motion: u32, due: u64, effect: &MotionEffect) -> Result<(), Refusal> {
    match effect {
        MotionEffect::Admit { membership } => membership::admission::admitted(tx, *membership, motion, due),
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
    }
}

/// The motion ended without effect.
pub fn failed(tx: &mut Tx, motion: u32, due: u64, effect: &MotionEffect, failure: Failure) -> Result<(), Refusal> {
    match effect {
        MotionEffect::Admit { membership } => membership::admission::not_admitted(tx, *membership, motion, due, failure),
        MotionEffect::DecideAppeal(plan) => application::appeal_failed(tx, plan, failure),
        _ => Ok(()),
    }
}
