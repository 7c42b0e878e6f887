//! Elections inside a motion: what names may stand on a ballot, how the voices are counted, who is
//! elected, the draw at the last seat, the run-off (M36; RULINGS R10, R28).
//!
//! * A ballot names as many members as there are seats, or fewer, or abstains; one, where the chair is
//!   elected (RULINGS R48). Whoever may sit on the board, or whose primary may be chair, may be named;
//!   nobody is recused for being named, since everybody may be.
//! * A member is elected with the most voices; where the charter asks for more, only above that. Seats
//!   that nobody reaches so go to one run-off, seven days later, among those with most voices, twice as
//!   many as there are seats and whoever equals the last of them; there the most voices decide.
//! * Of one group only the most named is elected, of equals the lower number.
//! * Equal at the last seat: a draw decides (RULINGS R22).
//! * Where a seat's term has ended, any member proposes the election. After two rounds without
//!   quorum the third is decided by those who take part, if they are as many voices as may decide
//!   at all.
//!
//! Absent: nominations; who is elected says yes or no to the offer.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_proof::number::OrganisationId;

use crate::calendar::Period;
use crate::charter::motions::{Base, Fraction, MotionKind, Pass, Threshold};
use crate::event::EventBody;
use crate::id::{DrawId, MotionId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{find, groups, rights};
use crate::object::motion::{Motion, MotionStatus, Poll};
use crate::object::seat::{Seat, SeatStatus};
use crate::record::{BallotVote, ElectChair, ElectSeat, MotionEffect, NAMES_MAX};
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold};
use crate::rules::effect::Planned as _;
use crate::rules::motion::clock::{finish, stay};
use crate::rules::motion::electorate::{ballots_of, electorate_of, recused};
use crate::rules::{chair, seats};
use crate::tally::{self, Tally};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Days between an election and its run-off (RULINGS R10).
pub const RUN_OFF_DAYS: u32 = 7;
/// Most names that the event of an election tells.
pub const NAMES_TOLD: usize = 256;
/// R28: rounds without quorum after which those who take part decide.
const ROUNDS_WITHOUT_QUORUM: u32 = 2;

/// What an election fills.
#[derive(Clone, Copy)]
pub(crate) enum Filled<'a> {
    /// Seats of the board.
    Board(&'a ElectSeat),
    /// The post of chair (RULINGS R48).
    Chair(&'a ElectChair),
}

impl Filled<'_> {
    /// How many are elected.
    fn places(self) -> u32 {
        match self {
            Filled::Board(plan) => plan.places(),
            Filled::Chair(_) => 1,
        }
    }

    /// Refuses unless the member may be named on a ballot now.
    fn may_stand(self, tx: &Tx, name: OrganisationId) -> Result<(), Refusal> {
        match self {
            Filled::Board(plan) => seats::may_sit(tx, name, &plan.seats),
            Filled::Chair(plan) => chair::may_stand(tx, name, plan).map(|_| ()),
        }
    }
}

/// What a motion fills by election; none: it is none.
pub(crate) fn plan_of(effect: &MotionEffect) -> Option<Filled<'_>> {
    match effect {
        MotionEffect::ElectSeat(plan) => Some(Filled::Board(plan)),
        MotionEffect::ElectChair(plan) => Some(Filled::Chair(plan)),
        _ => None,
    }
}

/// The poll of a motion that is being opened; none: no election.
pub(super) fn poll_of(effect: &MotionEffect) -> Option<Box<Poll>> {
    let plan = plan_of(effect)?;
    Some(Box::new(Poll {
        places: plan.places(),
        ..Poll::default()
    }))
}

/// More than half of those who take part: how a body takes an election back that stays.
pub(super) const UNDOING: Pass = Pass::Threshold(Threshold {
    base: Base::Part,
    strict: true,
    fraction: Fraction { n: 1, d: 2 },
});

/// R28: whether it fills a seat, or the post of chair, whose term has ended.
pub(super) fn fills_held_over(tx: &Tx, effect: &MotionEffect) -> bool {
    let over = |number| {
        tx.t.seats
            .get(number)
            .is_some_and(|seat: &Seat| seat.status == SeatStatus::HeldOver)
    };
    match plan_of(effect) {
        Some(Filled::Board(plan)) => plan.seats.iter().any(over),
        Some(Filled::Chair(plan)) => chair::is_held_over(tx, plan),
        None => false,
    }
}

/// R28: any member, and the secretary, propose the election to what has come to the end of its term.
pub(super) fn may_propose(tx: &Tx, actor: &Actor) -> Result<(), Refusal> {
    if actor.organisation.kind == OrganisationKind::Office {
        return must_hold(tx, actor, Role::Secretary, Scope::Alliance).map(|_| ());
    }
    actor.must_sign(Role::Primary)?;
    require!(
        rights::is_live(&tx.t, actor.number()),
        "R10.may-not-propose",
        organisation = actor.number(),
        body = crate::charter::motions::BodyKind::Assembly
    );
    Ok(())
}

/// Whether a vote fits the motion: a choice, or names. `now` also asks whether those named may sit on the
/// board; what was sealed before is judged when it is counted.
pub(super) fn check_vote(
    tx: &Tx,
    motion: &Motion,
    vote: &BallotVote,
    now: bool,
) -> Result<(), Refusal> {
    let number = motion.number;
    match (&motion.poll, vote) {
        (_, BallotVote::Sealed(_)) => refuse!("R31.not-sealed", motion = number),
        (None, BallotVote::Choice(_)) => Ok(()),
        (None, BallotVote::Names(_)) => refuse!("R31.no-names", motion = number),
        (Some(_), BallotVote::Choice(choice)) => {
            require!(
                *choice == crate::record::Choice::Abstain,
                "R31.names-or-abstain",
                motion = number
            );
            Ok(())
        }
        (Some(poll), BallotVote::Names(names)) => check_names(tx, motion, poll, names, now),
    }
}

fn check_names(
    tx: &Tx,
    motion: &Motion,
    poll: &Poll,
    names: &[OrganisationId],
    now: bool,
) -> Result<(), Refusal> {
    require!(
        names.len() <= poll.places as usize,
        "M36.too-many-names",
        names = names.len(),
        places = poll.places
    );
    let filled = plan_of(&motion.effect);
    for name in names {
        let stands = !poll.run_off
            || tx
                .t
                .poll_names
                .contains(&(motion.number, motion.round, *name));
        require!(stands, "M36.not-in-run-off", organisation = name);
        if let Some(filled) = filled.filter(|_| now) {
            filled.may_stand(tx, *name)?;
        }
    }
    for (at, name) in names.iter().enumerate() {
        for other in names.iter().skip(at + 1) {
            require!(
                !groups::related(&tx.t, *name, *other),
                "M36.one-of-a-group",
                organisation = name,
                other = other
            );
        }
    }
    Ok(())
}

/// Voices for each name, the most named first, equals by number: of the voices that count, for those
/// who may sit on the board now, of one group the most named only.
pub fn votes(tx: &Tx, motion: &Motion) -> Vec<(OrganisationId, u32)> {
    let filled = plan_of(&motion.effect);
    let voices: BTreeSet<_> = electorate_of(&tx.t, motion.number, motion.round)
        .into_values()
        .collect();
    let out = recused(tx, motion);
    let mut named: BTreeMap<OrganisationId, u32> = BTreeMap::new();
    for (voice, cast) in ballots_of(&tx.t, motion.number, motion.round) {
        if !voices.contains(&voice) || out.contains(&voice) {
            continue;
        }
        if let BallotVote::Names(names) = &cast.vote {
            for name in names {
                *named.entry(*name).or_insert(0) += 1;
            }
        }
    }
    let able = named
        .into_iter()
        .filter(|(name, _)| filled.is_some_and(|filled| filled.may_stand(tx, *name).is_ok()));
    let mut ranked: Vec<(OrganisationId, u32)> = able.collect();
    ranked.sort_by(|(a, a_votes), (b, b_votes)| b_votes.cmp(a_votes).then(a.cmp(b)));
    let mut seen = BTreeSet::new();
    ranked.retain(|(name, _)| seen.insert(groups::group_of(&tx.t, *name)));
    ranked
}

/// R28: what quorum the round is judged by. In the third of an election of seats held over, as many
/// voices as may decide at all.
pub(super) fn quorum(tx: &Tx, motion: &Motion, elig: u32, min_elig: u32) -> Fraction {
    let third = motion.retabled >= ROUNDS_WITHOUT_QUORUM && fills_held_over(tx, &motion.effect);
    if !third || elig < min_elig {
        return motion.rule.quorum;
    }
    Fraction {
        n: min_elig,
        d: elig,
    }
}

/// How often the motion is put again after a missed quorum.
pub(super) fn retable_limit(tx: &Tx, motion: &Motion, of_charter: u32) -> u32 {
    match &motion.poll {
        // Those of the first round stand; what they left open is for another election.
        Some(poll) if poll.run_off => 0,
        Some(_) if fills_held_over(tx, &motion.effect) => of_charter.max(ROUNDS_WITHOUT_QUORUM),
        _ => of_charter,
    }
}

/// The ballots of an election elected somebody, or a run-off had no quorum: what follows.
pub(super) fn hold(
    tx: &mut Tx,
    mut motion: Motion,
    tally: &Tally,
    due: Due,
) -> Result<(), Refusal> {
    let number = motion.number;
    let votes = votes(tx, &motion);
    let mut poll = motion.poll.clone().unwrap_or_default();
    let election = tally::elect(tally, &votes, poll.places);
    poll.elected.extend(&election.elected);
    let rest: Vec<(OrganisationId, u32)> = votes
        .iter()
        .copied()
        .filter(|(name, _)| !election.elected.contains(name))
        .collect();
    let needs_majority = matches!(tally.rule.pass, Pass::Plurality(Some(_)));
    let mut event = Held {
        votes: votes.into_iter().take(NAMES_TOLD).collect(),
        elected: poll.elected.clone(),
        draw: None,
        run_off: 0,
        open: 0,
    };
    if !election.tied.is_empty() {
        let draw = motion
            .effect
            .plan()
            .break_tie(tx, &motion, election.tied.clone())?;
        poll.draw = Some(draw);
        poll.open = election.by_draw;
        event.draw = Some((draw, election.by_draw));
        motion.poll = Some(poll);
        tell(tx, &motion, due, event);
        return tx.advance(motion, "R22", MotionStatus::Drawing);
    }
    if election.open > 0 && needs_majority && !poll.run_off && !rest.is_empty() {
        event.run_off = election.open;
        tell(tx, &motion, due, event);
        let stands = run_off_names(&rest, election.open);
        let round = motion.round.saturating_add(1);
        for name in stands {
            tx.t.poll_names().put((number, round, name), 0);
        }
        (poll.run_off, poll.places) = (true, election.open);
        motion.rule.pass = Pass::Plurality(None);
        motion.poll = Some(poll);
        tx.advance(motion, "R10", MotionStatus::Waiting)?;
        let again = tx.deadline(Period::Days(RUN_OFF_DAYS));
        tx.schedule(DeadlineKind::MotionRetable, number, again);
        return Ok(());
    }
    poll.open = election.open;
    event.open = election.open;
    tell(tx, &motion, due, event);
    let nobody = poll.elected.is_empty();
    motion.poll = Some(poll);
    if nobody {
        let failure = if tally.outcome == tally::Outcome::NoQuorum {
            crate::object::motion::Failure::Lapsed
        } else {
            crate::object::motion::Failure::Rejected
        };
        return finish(tx, motion, due, failure);
    }
    stay(tx, motion, "R10", due.at())
}

struct Held {
    votes: Vec<(OrganisationId, u32)>,
    elected: Vec<OrganisationId>,
    draw: Option<(DrawId, u32)>,
    run_off: u32,
    open: u32,
}

fn tell(tx: &mut Tx, motion: &Motion, due: Due, held: Held) {
    let Held {
        votes,
        elected,
        draw,
        run_off,
        open,
    } = held;
    tx.emit(
        due,
        EventBody::ElectionHeld {
            motion: motion.number,
            round: motion.round,
            votes,
            elected,
            draw,
            run_off,
            open,
        },
    );
}

/// Who stands in a run-off for `places`, of those ranked by voices: twice as many, and whoever equals the
/// last of them.
pub fn run_off_names(ranked: &[(OrganisationId, u32)], places: u32) -> Vec<OrganisationId> {
    let wanted = (2 * places as usize).min(2 * NAMES_MAX);
    let last = ranked
        .get(wanted.saturating_sub(1))
        .map_or(1, |(_, votes)| *votes);
    let stands = ranked.iter().filter(|(_, votes)| *votes >= last);
    stands.map(|(name, _)| *name).collect()
}

/// R22: the draw of an election is made; `order` is that of those who were equal.
pub(crate) fn drawn(
    tx: &mut Tx,
    number: MotionId,
    order: &[OrganisationId],
) -> Result<(), Refusal> {
    let mut motion = find::<Motion>(&tx.t, number)?.clone();
    let mut poll = motion.poll.clone().unwrap_or_default();
    let places = poll.open as usize;
    poll.elected.extend(order.iter().take(places));
    poll.open = 0;
    motion.poll = Some(poll);
    let now = tx.now;
    stay(tx, motion, "R22", now)
}

/// Whether a kind of motion is an election.
pub(super) fn is_election(kind: MotionKind) -> bool {
    kind == MotionKind::ElectSeat
}
