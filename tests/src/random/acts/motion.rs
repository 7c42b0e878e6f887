//! Ballots, support, conflicts, withdrawals.

use rollbook_core::charter::motions::{DecidingBody, MotionKind};
use rollbook_core::id::{Id, MotionId};
use rollbook_core::identity::{OrganisationKind, Role, Scope};
use rollbook_core::lookup::groups;
use rollbook_core::object::motion::Question;
use rollbook_core::object::motion::{Motion, MotionStatus};
use rollbook_core::record::{
    Ballot, BallotVote, Body, Choice, ConflictKind, Declaration, MotionAct, MotionEffect,
};
use rollbook_core::rules::effect::Planned;
use rollbook_core::rules::motion::{electorate, electorate_now};
use rollbook_proof::number::OrganisationId;

use crate::random::acts::propose::interested;
use crate::random::acts::seat;
use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

const CONFLICTS: [ConflictKind; 5] = [
    ConflictKind::Competitor,
    ConflictKind::Investor,
    ConflictKind::EmploymentOrPaid,
    ConflictKind::FamilyOrPersonal,
    ConflictKind::Other,
];

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Motions);
    for (number, motion) in hand.t.motions.iter() {
        match motion.status {
            MotionStatus::Open => ballots(hand, deck, *number, motion),
            MotionStatus::Gathering if hand.fate("motion", number.0) < hand.mood.agrees => {
                gather(hand, deck, *number, motion);
            }
            _ => {}
        }
        let proposer = motion.proposer.map(|(organisation, _)| organisation);
        if let Some(proposer) = proposer
            && !motion.status.is_final()
            && (hand.fate("withdrawn", number.0) < 12 || given_up(hand, *number, motion))
        {
            let (number, kind) = (*number, motion.kind);
            if given_up(hand, number, motion) {
                deck.goal(2, move |hand| withdraw(hand, number, proposer, kind));
            } else {
                deck.aside(2, move |hand| withdraw(hand, number, proposer, kind));
            }
        }
    }
    deck.aside(1, |hand| {
        let motion = hand.id(&hand.t.motions)?;
        let member = hand.company()?;
        vote(hand, motion, member)
    });
    deck.aside(1, |hand| {
        let motion = hand.id(&hand.t.motions)?;
        let member = hand.company()?;
        support(hand, motion, member)
    });
    deck.aside(1, |hand| {
        let motion = hand.id(&hand.t.motions)?;
        let member = hand.company()?;
        declare(hand, motion, member)
    });
}

/// Awards that their proposer takes back before anybody has voted, while worse ranks go on.
fn given_up(hand: &Hand, number: MotionId, motion: &Motion) -> bool {
    let beside = hand.t.motions.iter().any(|(other, motion)| {
        *other > number && motion.kind == MotionKind::Award && !motion.status.is_final()
    });
    beside && motion.kind == MotionKind::Award && hand.fate("given up", number.0) < 20
}

fn ballots(hand: &Hand, deck: &mut Deck, number: MotionId, motion: &Motion) {
    let members = electorate(hand.t, number);
    // Some motions nobody cares for; those find no quorum.
    if hand.idles("motion open", number.0) || given_up(hand, number, motion) {
        return;
    }
    let round = motion.round;
    let parties = interested(hand, &motion.effect);
    let careless = hand.fate("recused", number.0) < 15;
    let recused = |member: OrganisationId| {
        let tied = |party: &OrganisationId| groups::has_conflict(hand.t, member, *party);
        !careless && parties.iter().any(tied)
    };
    let cast = |member: OrganisationId| {
        let cast = hand.t.ballots_cast.get(&(number, round, member));
        cast.copied().unwrap_or(0)
    };
    // Where most have voted, the others are in no hurry.
    let voices = members.len();
    let ballots = hand
        .t
        .ballots
        .range((number, round, Id::MIN)..=(number, round, Id::MAX));
    let most = ballots.count() * 10 >= voices * 7;
    // Some committees are so slow that the board names another one first.
    let gone = |member: OrganisationId| match motion.body {
        DecidingBody::Committee(fund) if hand.fate("slow", number.0) < 35 => {
            Some(!hand.t.committee_seats.contains(&(fund, member)))
        }
        _ => None,
    };
    for (member, group) in members {
        match gone(member) {
            Some(true) => deck.aside(6, move |hand| vote(hand, number, member)),
            Some(false) => continue,
            None => {}
        }
        let key = (number, round, group);
        match hand.t.ballots.get(&key) {
            // Whose ballot did not count has cast it in vain.
            None if recused(member) || cast(member) > 0 => {
                if hand.fate("in vain", number.0 * 100 + member.0) < 10 {
                    deck.aside(1, move |hand| vote(hand, number, member));
                }
            }
            None if most => deck.aside(2, move |hand| vote(hand, number, member)),
            None => deck.urgent(move |hand| vote(hand, number, member)),
            Some(_) if hand.mood.restless && number.0.is_multiple_of(5) => {
                deck.goal(2, move |hand| vote(hand, number, member));
            }
            Some(_) => {
                if hand.fate("again", number.0 * 100 + member.0) < 12 {
                    deck.aside(1, move |hand| vote(hand, number, member));
                }
            }
        }
        if hand.fate("conflict", number.0 * 100 + member.0) < 2 {
            deck.aside(2, move |hand| declare(hand, number, member));
        }
    }
}

fn gather(hand: &Hand, deck: &mut Deck, number: MotionId, motion: &Motion) {
    deck.aside(8, move |hand| stranger(hand, number));
    let question = Question {
        body: DecidingBody::Assembly,
        kind: motion.kind,
        charter: hand.t.chain.get(&0).unwrap().charter,
    };
    for member in electorate_now(hand.t, question).into_keys() {
        if !hand.t.supports.contains(&(number, member)) {
            deck.goal(2, move |hand| support(hand, number, member));
        } else {
            deck.aside(3, move |hand| support(hand, number, member));
        }
    }
}

/// Somebody without a vote in the assembly.
fn stranger(hand: &mut Hand, motion: MotionId) -> Option<Draft> {
    let outsiders = hand.companies();
    let live = hand.live();
    let outsiders: Vec<_> = outsiders.iter().filter(|o| !live.contains(o)).collect();
    let outsider = **hand.random.pick(&outsiders)?;
    support(hand, motion, outsider)
}

fn support(hand: &mut Hand, motion: MotionId, member: OrganisationId) -> Option<Draft> {
    let act = MotionAct::Support { motion };
    hand.by(member, &[Role::Primary], Body::Motion(act))
}

fn declare(hand: &mut Hand, motion: MotionId, member: OrganisationId) -> Option<Draft> {
    let kind = *hand.random.pick(&CONFLICTS)?;
    let act = MotionAct::DeclareConflict { motion, kind };
    hand.by(member, &[Role::Primary], Body::Motion(act))
}

/// A ballot as the run means the motion to end.
fn vote(hand: &mut Hand, number: MotionId, member: OrganisationId) -> Option<Draft> {
    let motion = hand.t.motions.get(&number);
    let round = motion.map_or(1, |motion| motion.round);
    let passes = hand.fate("motion", number.0) < hand.mood.agrees;
    let choice = match hand.random.below(100) {
        0..4 => Choice::Abstain,
        4..12 if passes => Choice::No,
        12..100 if passes => Choice::Yes,
        4..20 => Choice::Yes,
        _ => Choice::No,
    };
    let admits = motion.is_some_and(|motion| {
        motion.kind == MotionKind::Admit && motion.effect.plan().undoes().is_none()
    });
    let criterion = match (admits && choice == Choice::No, hand.random.percent(97)) {
        (true, true) => Some(text("solvency")),
        (false, false) => Some(text("solvency")),
        (true, false) if hand.random.percent(50) => Some(text("not-published")),
        _ => None,
    };
    let ballots = motion.and_then(|motion| {
        let rows = (number, motion.round, Id::MIN)..=(number, motion.round, Id::MAX);
        let mut cast = hand.t.ballots.range(rows).map(|(_, cast)| cast);
        cast.find(|cast| cast.organisation == member).cloned()
    });
    let replaces = match ballots {
        Some(cast) if hand.random.percent(70) => vec![cast.record],
        _ => Vec::new(),
    };
    let (sealed, elects) = motion.map_or((false, false), |motion| {
        (seat::is_sealed(hand, motion), motion.poll.is_some())
    });
    let vote = match hand.random.below(60) {
        0 => BallotVote::Names(vec![member]),
        1 => BallotVote::Sealed(hand.hash()),
        2 => BallotVote::Choice(choice),
        _ if sealed => seat::sealed(hand, number, member),
        _ if elects => seat::meant(hand, number, member),
        _ => BallotVote::Choice(choice),
    };
    let criterion = if matches!(vote, BallotVote::Sealed(_)) && hand.random.percent(97) {
        None
    } else {
        criterion
    };
    let declaration = if hand.random.percent(2) {
        Declaration::Conflict(*hand.random.pick(&CONFLICTS)?)
    } else {
        Declaration::None
    };
    let body = Body::Motion(MotionAct::Vote(Ballot {
        motion: number,
        round,
        replaces,
        vote,
        criterion,
        declaration,
        proxy_for: None,
    }));
    let mut draft = hand.by(member, &[Role::Primary], body)?;
    // Now and then another officer of the company begins the record.
    if draft.signers.len() > 1 && hand.random.percent(15) {
        draft.signers.rotate_left(1);
    }
    Some(draft)
}

fn withdraw(
    hand: &mut Hand,
    motion: MotionId,
    proposer: OrganisationId,
    kind: MotionKind,
) -> Option<Draft> {
    let act = Body::Motion(MotionAct::Withdraw { motion });
    if hand.t.organisations.get(&proposer)?.kind == OrganisationKind::Company {
        return hand.by(proposer, &[Role::Primary], act);
    }
    let role = match kind {
        MotionKind::Award | MotionKind::AwardOutOfRank | MotionKind::OpenCall
            if hand.random.percent(40) =>
        {
            Role::ProgrammeOfficer
        }
        MotionKind::WriteOff if hand.random.percent(40) => Role::Treasurer,
        _ => Role::Secretary,
    };
    hand.office(role, Scope::Alliance, None, act)
}

/// A motion that passed and stays, for a rescission.
pub fn staying(hand: &Hand) -> Vec<MotionId> {
    let all = hand.t.motions.iter();
    all.filter(|(_, motion)| {
        motion.status == MotionStatus::Staying && !matches!(motion.effect, MotionEffect::Rescind(_))
    })
    .map(|(number, _)| *number)
    .collect()
}
