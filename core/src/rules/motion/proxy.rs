//! Proxies: a member lets another vote for it on one motion of the assembly (RULINGS R38).
//!
//! * The charter says for how many one may vote besides itself; by default for nobody.
//! * Giver and holder are both in the electorate, with voices of their own. A holder passes nothing on: what
//!   it holds is the giver's word for this holder alone.
//! * The holder casts a ballot of its own for the giver, marked as proxy. A conflict of the holder
//!   stops that ballot, not the giver's own, which always replaces it.
//! * Taken back until it was used.

use rollbook_proof::number::OrganisationId;

use crate::charter::motions::BodyKind;
use crate::id::{Id, MotionId};
use crate::identity::Role;
use crate::lookup::find;
use crate::object::motion::Motion;
use crate::refusal::{Outcome, Refusal};
use crate::require;
use crate::rules::authority::Actor;
use crate::rules::motion::vote::voice;
use crate::tx::{DeadlineKind, Tx};

/// Refuses unless `holder` may vote for `giver` on the motion.
pub(super) fn check(
    tx: &Tx,
    motion: MotionId,
    giver: OrganisationId,
    holder: OrganisationId,
) -> Result<(), Refusal> {
    require!(
        tx.t.proxies.get(&(motion, giver)) == Some(&holder),
        "R38.no-proxy",
        motion = motion,
        giver = giver,
        holder = holder
    );
    voice(tx, holder, motion).map(|_| ())
}

/// A member authorises another, anew if it had authorised one before.
pub(super) fn give(
    tx: &mut Tx,
    actor: &Actor,
    number: MotionId,
    holder: OrganisationId,
) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let giver = actor.number();
    let motion = find::<Motion>(&tx.t, number)?;
    let limit = tx.charter_of(motion.charter)?.motions.proxies_per_holder;
    require!(limit > 0, "R38.no-proxies", motion = number);
    require!(
        motion.body.kind() == BodyKind::Assembly,
        "R38.assembly-only",
        motion = number,
        body = motion.body.kind()
    );
    let (motion, own) = voice(tx, giver, number)?;
    let (_, other) = voice(tx, holder, number)?;
    require!(
        own != other,
        "R38.same-voice",
        giver = giver,
        holder = holder
    );
    unused(tx, &motion, giver)?;
    let held =
        tx.t.proxies
            .range((number, Id::MIN)..=(number, Id::MAX))
            .filter(|((_, from), to)| **to == holder && *from != giver)
            .count();
    require!(
        held < limit as usize,
        "R38.holder-has-enough",
        holder = holder,
        limit = limit
    );
    tx.t.proxies().put((number, giver), holder);
    Ok(Outcome::Applied)
}

/// A member takes its word back.
pub(super) fn take_back(tx: &mut Tx, actor: &Actor, number: MotionId) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let giver = actor.number();
    let (motion, _) = voice(tx, giver, number)?;
    require!(
        tx.t.proxies.contains(&(number, giver)),
        "R38.none-given",
        motion = number,
        giver = giver
    );
    unused(tx, &motion, giver)?;
    tx.t.proxies().remove((number, giver));
    Ok(Outcome::Applied)
}

/// With the end of a membership the word that it gave or was given ends, unless a ballot stands by it:
/// that was cast while both were members.
pub(crate) fn end_unused_of(tx: &mut Tx, organisation: OrganisationId) {
    let of = (DeadlineKind::MotionClose as u16, 0)..=(DeadlineKind::MotionClose as u16, u32::MAX);
    let open: Vec<MotionId> =
        tx.t.deadline_of
            .range(of)
            .map(|((_, number), _)| MotionId::of(*number))
            .collect();
    for number in open {
        let Ok(motion) = find::<Motion>(&tx.t, number).cloned() else {
            continue;
        };
        let givers: Vec<OrganisationId> =
            tx.t.proxies
                .range((number, Id::MIN)..=(number, Id::MAX))
                .filter(|((_, giver), holder)| *giver == organisation || **holder == organisation)
                .map(|((_, giver), _)| *giver)
                .collect();
        for giver in givers {
            if unused(tx, &motion, giver).is_ok() {
                tx.t.proxies().remove((number, giver));
            }
        }
    }
}

/// Refuses once a ballot by proxy stands for the giver: its own ballot replaces that.
fn unused(tx: &Tx, motion: &Motion, giver: OrganisationId) -> Result<(), Refusal> {
    let group =
        tx.t.electorates
            .get(&(motion.number, motion.round, giver))
            .copied()
            .unwrap_or_default();
    let used =
        tx.t.ballots
            .get(&(motion.number, motion.round, group))
            .is_some_and(|cast| cast.organisation == giver && cast.proxy.is_some());
    require!(!used, "R38.used", motion = motion.number, giver = giver);
    Ok(())
}
