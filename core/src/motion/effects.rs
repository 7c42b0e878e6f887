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
        MotionEffect::Admit { .. } | MotionEffect::Rescind { .. } | MotionEffect::Appoint(_) | MotionEffect::Remove { .. } => {
            Scope::Alliance
        }
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
    }
}

/// Carries the effect out.
pub fn carry_out(tx: &mut Tx, motion: u32, due: u64, effect: &MotionEffect) -> Result<(), Refusal> {
    match effect {
        MotionEffect::Admit { membership } => membership::admission::admitted(tx, *membership, motion, due),
        MotionEffect::Rescind { motion } => rescind(tx, *motion, due),
        MotionEffect::Appoint(appointment) => posts::appoint(tx, appointment),
        MotionEffect::Remove { post } => posts::remove(tx, *post),
    }
}

/// The motion ended without effect.
pub fn failed(tx: &mut Tx, motion: u32, due: u64, effect: &MotionEffect, failure: Failure) -> Result<(), Refusal> {
    match effect {
        MotionEffect::Admit { membership } => membership::admission::not_admitted(tx, *membership, motion, due, failure),
        MotionEffect::Rescind { .. } | MotionEffect::Appoint(_) | MotionEffect::Remove { .. } => Ok(()),
    }
}
