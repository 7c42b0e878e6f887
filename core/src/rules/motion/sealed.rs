//! Sealed ballots, opened after the close (RULINGS R15, R31).
//!
//! * Which kinds of motion are sealed, the charter says. While ballots are taken such a ballot is a
//!   commitment; it names motion, round and member, so nobody can hand in another's.
//! * Once the ballots are over there are 72 hours to open them; if all are opened, the clock goes on at once.
//!   One that is not opened counts as an abstention: it took part.
//! * A rescission is open: its ballot ends with the stay of what it undoes, and nothing may wait after
//!   it.
//! * Who is recused is settled when the ballots end, not when they are opened.

use crate::calendar::Period;
use crate::charter::motions::MotionKind;
use crate::event::EventBody;
use crate::identity::Role;
use crate::lookup::find;
use crate::object::motion::{Cast, Motion, MotionStatus};
use crate::record::{BallotVote, Choice, RevealBallot};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::effect::Planned as _;
use crate::rules::motion::election::check_vote;
use crate::rules::motion::electorate::{ballots_of, recused};
use crate::rules::motion::vote::check_criterion;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Hours to open sealed ballots (RULINGS R31).
pub const REVEAL_HOURS: u32 = 72;

/// Whether ballots on the motion are sealed, by the charter that it opened under.
pub fn is_sealed(tx: &Tx, motion: &Motion) -> Result<bool, Refusal> {
    let visibility = tx.charter_of(motion.charter)?.motions.ballot_visibility;
    let opens = motion.effect.plan().undoes().is_none();
    Ok(opens && visibility.seals(motion.kind, &motion.rule))
}

/// Ballots that count and are not opened yet.
pub fn unopened(tx: &Tx, motion: &Motion) -> Vec<Cast> {
    let out = recused(tx, motion);
    let cast = ballots_of(&tx.t, motion.number, motion.round).into_iter();
    cast.filter(|(voice, cast)| matches!(cast.vote, BallotVote::Sealed(_)) && !out.contains(voice))
        .map(|(_, cast)| cast)
        .collect()
}

/// The ballots are over: if sealed ones are among them, they are opened first. Returns the motion if
/// nothing has to be opened.
pub(super) fn begin_reveals(
    tx: &mut Tx,
    motion: Motion,
    due: Due,
) -> Result<Option<Motion>, Refusal> {
    let number = motion.number;
    let ballots = unopened(tx, &motion).len();
    if ballots == 0 {
        return Ok(Some(motion));
    }
    let until_ms = tx.delay(Period::Hours(REVEAL_HOURS));
    tx.schedule(DeadlineKind::MotionReveal, number, until_ms);
    tx.emit(
        due,
        EventBody::BallotsSealed {
            motion: number,
            ballots: u32::try_from(ballots).unwrap_or(u32::MAX),
            until_ms,
        },
    );
    tx.advance(motion, "R31", MotionStatus::Revealing)?;
    Ok(None)
}

/// A member opens its ballot, or the holder of its proxy the one that it cast.
pub(super) fn reveal(
    tx: &mut Tx,
    actor: &Actor,
    opened: &RevealBallot,
) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let motion = find::<Motion>(&tx.t, opened.motion)?.clone();
    let number = motion.number;
    require!(
        motion.status == MotionStatus::Revealing,
        "R31.not-revealing",
        motion = number,
        status = motion.status
    );
    require!(
        opened.round == motion.round,
        "A47.other-round",
        round = motion.round,
        named = opened.round
    );
    let organisation = opened.proxy_for.unwrap_or(actor.number());
    let voice =
        tx.t.electorates
            .get(&(number, motion.round, organisation))
            .copied();
    let Some(voice) = voice else {
        refuse!(
            "R1.not-in-electorate",
            motion = number,
            organisation = organisation
        )
    };
    let key = (number, motion.round, voice);
    let by = opened.proxy_for.map(|_| actor.number());
    let own = |cast: &&Cast| cast.organisation == organisation && cast.proxy == by;
    let Some(mut cast) = tx.t.ballots.get(&key).filter(own).cloned() else {
        refuse!(
            "R31.no-ballot",
            motion = number,
            organisation = organisation
        )
    };
    let BallotVote::Sealed(sealed) = cast.vote else {
        refuse!("R31.already-revealed", motion = number)
    };
    let same = opened
        .vote
        .commitment(&opened.salt, number, motion.round, organisation);
    require!(sealed == same, "R31.other-ballot", motion = number);
    check_vote(tx, &motion, &opened.vote, false)?;
    check_criterion(tx, &motion, &opened.vote, opened.criterion.as_ref())?;
    cast.vote = opened.vote.clone();
    cast.criterion = opened.criterion.clone();
    cast.revealed = Some(tx.record);
    tx.t.ballots().put(key, cast);
    if unopened(tx, &motion).is_empty() {
        // Nothing is left to wait for.
        tx.schedule(DeadlineKind::MotionReveal, number, tx.now);
    }
    Ok(Outcome::Applied)
}

/// Whether a vote on an admission has to cite a published criterion (M08).
pub(super) fn cites(motion: &Motion, vote: &BallotVote) -> bool {
    motion.kind == MotionKind::Admit
        && *vote == BallotVote::Choice(Choice::No)
        && motion.effect.plan().undoes().is_none()
}
