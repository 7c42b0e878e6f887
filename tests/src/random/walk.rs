//! No state is without a way out: from where a run stands, a board is seated by records.
//!
//! The walk takes the state as the run left it and signs with the keys that are in force there: it
//! makes no new one and brings none back. It proposes an election of the seats that nobody holds any
//! more, or holds beyond the term, has everybody vote who has a voice and a key, opens what was
//! sealed, and accepts for whoever was elected. What the ledger refuses is left, and somebody else
//! tries. A board is seated when as many seats are held within their term as the charter has, or as
//! there are groups of members that may sit and can sign.
//!
//! Where fewer voices are left than the charter asks of any decision, as when everybody is in arrears, no
//! election is the way out: dues are paid, or somebody is admitted. Such a state is not walked from.
//!
//! Absent: the acts of any other organ, and a draw between equal names: the walk needs none.

use std::collections::BTreeSet;

use rollbook_core::calendar::{MS_PER_DAY, Period};
use rollbook_core::charter::motions::MotionKind;
use rollbook_core::id::{Id, MotionId, SeatId};
use rollbook_core::identity::Role;
use rollbook_core::lookup::{groups, rights, seats};
use rollbook_core::object::motion::{Motion, MotionStatus};
use rollbook_core::object::seat::SeatStatus;
use rollbook_core::record::{
    Ballot, BallotVote, Body, Declaration, ElectSeat, MotionAct, MotionEffect, Proposal,
    RevealBallot,
};
use rollbook_core::rules::motion::electorate;
use rollbook_core::state::StateTables;
use rollbook_proof::crypto::sha256;
use rollbook_proof::number::OrganisationId;

use crate::random::acts::is_sealed;
use crate::random::hand::{Draft, Hand};
use crate::random::run::Run;

/// Within so many days of the ledger a board sits.
const DAYS: u64 = 400;
/// A term is as long at most; who leaves everything alone sees the end of all.
const ABANDONED_DAYS: u64 = 1_200;

/// What a walk found and did.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Seats that were held within their term when it began.
    pub held: usize,
    /// Seats that had to be held at its end.
    pub needed: usize,
    /// Records that it had recorded.
    pub acts: u32,
    /// Days of the ledger that it took.
    pub days: u64,
}

/// Goes on where a seed stands after so many steps until a board is seated. `abandoned`: first
/// everybody leaves everything alone until every term has ended. None: the rules of the next height are
/// not in this build, and nobody goes on; or too few voices are left to decide anything.
///
/// # Errors
/// Where no board was seated in time: what stood in the way.
pub fn walk(seed: u64, steps: u32, abandoned: bool) -> Result<Option<Walk>, String> {
    let mut run = Run::new(seed, false, false);
    run.go_to(steps);
    let mut given_up = run.blocks.time();
    let until = given_up.plus_ms(ABANDONED_DAYS * MS_PER_DAY);
    while abandoned && in_term(run.blocks.tables()) > 0 && given_up < until {
        if !run.blocks.goes_on() {
            return Ok(None);
        }
        given_up = given_up.plus_ms(20 * MS_PER_DAY);
        run.block(given_up, &[], &[]);
    }
    let began = run.blocks.time();
    let codes = run.seen.codes.clone();
    let mut walk = Walk {
        held: in_term(run.blocks.tables()),
        needed: 0,
        acts: 0,
        days: 0,
    };
    // What was refused is not tried again while it would say the same.
    let mut vain = BTreeSet::new();
    let mut said = String::new();
    loop {
        let now = run.blocks.time();
        walk.days = (now.0 - began.0) / MS_PER_DAY;
        walk.needed = needed(run.blocks.tables());
        if in_term(run.blocks.tables()) >= walk.needed {
            return Ok(Some(walk));
        }
        if !run.blocks.goes_on() || are_too_few(run.blocks.tables()) {
            return Ok(None);
        }
        if walk.days > DAYS {
            let motions = run.blocks.tables().motions.iter();
            let elections: Vec<_> = motions
                .filter(|(_, motion)| is_election(motion))
                .map(|(number, motion)| (*number, motion.status, motion.round))
                .collect();
            let seats: Vec<_> = run
                .blocks
                .tables()
                .seats
                .iter()
                .map(|(number, seat)| (*number, seat.organisation, seat.status))
                .collect();
            let met: Vec<_> = run
                .seen
                .codes
                .iter()
                .filter(|(code, times)| codes.get(*code) != Some(times))
                .collect();
            return Err(format!(
                "seed {seed} step {steps}: {walk:?}; codes {met:?}; last refusal {said:?}; elections {elections:?}; seats {seats:?}"
            ));
        }
        let time = now.plus_ms(1_000);
        let mut hand = run.hand(time);
        let drafts = next(&mut hand);
        let drafts = drafts.into_iter().filter(|draft| {
            let tried = format!("{}/{:?}", draft.principal, draft.body);
            !vain.contains(&sha256(tried.as_bytes()))
        });
        let mut drafts: Vec<Draft> = drafts.take(20).collect();
        // One election, by the first whom the ledger lets.
        let proposes = |draft: &Draft| matches!(draft.body, Body::Motion(MotionAct::Propose(_)));
        if drafts.first().is_some_and(proposes) {
            drafts.truncate(1);
        }
        if drafts.is_empty() {
            let day = now.plus_ms(MS_PER_DAY);
            let due = run.blocks.ledger.next_deadline();
            let time = due.map_or(day, |due| due.clamp(now.plus_ms(1), day));
            // A new day may change an answer.
            vain.clear();
            run.block(time, &[], &[]);
            continue;
        }
        let records: Vec<_> = drafts
            .iter()
            .map(|draft| {
                let payload = hand.payload(draft);
                hand.sign(payload, &draft.signers)
            })
            .collect();
        let before = run.seen.applied;
        let refused = run.block(time, &drafts, &records);
        walk.acts += run.seen.applied - before;
        for (at, refusal) in refused {
            let draft = &drafts[at];
            let tried = format!("{}/{:?}", draft.principal, draft.body);
            vain.insert(sha256(tried.as_bytes()));
            said = refusal;
        }
    }
}

/// Seats that are held within their term.
fn in_term(tables: &StateTables) -> usize {
    let held = |seat: &&_| seat_is(seat, &[SeatStatus::Held]);
    seats::in_force(tables).filter(held).count()
}

fn seat_is(seat: &rollbook_core::object::seat::Seat, of: &[SeatStatus]) -> bool {
    of.contains(&seat.status)
}

/// Seats that a board has that is seated: all of the charter, if there are members enough.
fn needed(tables: &StateTables) -> usize {
    let version = tables.chain.get(&0).unwrap().charter;
    let seats = tables.parameters.get(&version).unwrap().board_seats as usize;
    let able = able(tables).into_iter();
    let groups: BTreeSet<_> = able
        .map(|member| groups::group_of(tables, member))
        .collect();
    groups.len().min(seats)
}

/// Whether the assembly has fewer voices than may decide anything.
fn are_too_few(tables: &StateTables) -> bool {
    let version = tables.chain.get(&0).unwrap().charter;
    let least = tables.parameters.get(&version).unwrap().motions.min_elig;
    let all = tables.organisations.iter().map(|(number, _)| *number);
    let voices: BTreeSet<_> = all
        .filter(|member| rights::rights(tables, *member).assembly_vote)
        .map(|member| groups::group_of(tables, member))
        .collect();
    voices.len() < least as usize
}

/// Members that may sit on the board and can sign that they will.
fn able(tables: &StateTables) -> Vec<OrganisationId> {
    let all = tables.organisations.iter().map(|(number, _)| *number);
    all.filter(|member| {
        let rights = rights::rights(tables, *member);
        rights.may_sponsor && rights.board_vote && signers(tables, *member).is_some()
    })
    .collect()
}

/// Officers with a key in force who can sign for a member what its primary signs.
fn signers(
    tables: &StateTables,
    member: OrganisationId,
) -> Option<Vec<(rollbook_core::id::PersonId, Role)>> {
    let accepts = Body::Motion(MotionAct::AcceptSeat { seat: SeatId::MIN });
    let organisation = tables.organisations.get(&member)?;
    let class = accepts.class();
    let needed = accepts.signatures_needed(&organisation.policy) as usize;
    let officers = organisation.officers.iter().filter_map(|person| {
        let facts = tables.persons.get(person)?;
        facts.has_key().then_some((*person, &facts.roles))
    });
    let officers: Vec<_> = officers.collect();
    let (first, _) = officers
        .iter()
        .find(|(_, roles)| roles.contains(&Role::Primary))?;
    let mut signers = vec![(*first, Role::Primary)];
    for (person, roles) in &officers {
        let counted = signers
            .iter()
            .filter(|(_, role)| class.counts(*role))
            .count();
        if counted >= needed {
            return Some(signers);
        }
        if person != first
            && let Some(role) = roles.iter().find(|role| class.counts(**role))
        {
            signers.push((*person, *role));
        }
    }
    let counted = signers
        .iter()
        .filter(|(_, role)| class.counts(*role))
        .count();
    (counted >= needed).then_some(signers)
}

fn by(hand: &Hand, member: OrganisationId, act: MotionAct) -> Option<Draft> {
    Some(Draft {
        principal: member,
        signers: signers(hand.t, member)?,
        body: Body::Motion(act),
    })
}

fn is_election(motion: &Motion) -> bool {
    matches!(motion.effect, MotionEffect::ElectSeat(_))
}

/// What can be done now for a board.
fn next(hand: &mut Hand) -> Vec<Draft> {
    let t = hand.t;
    let mut drafts = Vec::new();
    for (number, seat) in t.seats.iter() {
        if seat.status == SeatStatus::Offered {
            let seat_of = MotionAct::AcceptSeat { seat: *number };
            drafts.extend(by(hand, seat.organisation, seat_of));
        }
    }
    let mut running = false;
    for (number, motion) in t.motions.iter().filter(|(_, motion)| is_election(motion)) {
        // A draw goes on for as long as nobody commits to it; the assembly elects anew beside it.
        running |= !motion.status.is_final() && motion.status != MotionStatus::Drawing;
        match motion.status {
            MotionStatus::Gathering => {
                let all = t.organisations.iter().map(|(member, _)| *member);
                for member in all.filter(|member| rights::rights(t, *member).assembly_vote) {
                    if !t.supports.contains(&(*number, member)) {
                        let act = MotionAct::Support { motion: *number };
                        drafts.extend(by(hand, member, act));
                    }
                }
            }
            MotionStatus::Open => ballots(hand, &mut drafts, *number, motion),
            MotionStatus::Revealing => reveals(hand, &mut drafts, *number, motion),
            _ => {}
        }
    }
    if drafts.is_empty() && !running {
        drafts.extend(proposals(hand));
    }
    drafts
}

/// Whom everybody names: who may sit and does not, and who sits on a seat that is filled anew.
fn names(hand: &Hand, motion: &Motion) -> Vec<OrganisationId> {
    let (MotionEffect::ElectSeat(plan), Some(poll)) = (&motion.effect, &motion.poll) else {
        return Vec::new();
    };
    let others: Vec<_> = seats::in_force(hand.t)
        .filter(|seat| !plan.seats.contains(&seat.number))
        .map(|seat| seat.organisation)
        .collect();
    let mut groups = BTreeSet::new();
    let mut names = able(hand.t);
    names.retain(|member| {
        !groups::has_seat(hand.t, *member, others.iter().copied())
            && groups.insert(groups::group_of(hand.t, *member))
    });
    if poll.run_off {
        let of = (motion.number, motion.round, Id::MIN)..=(motion.number, motion.round, Id::MAX);
        let stand: BTreeSet<_> = hand
            .t
            .poll_names
            .range(of)
            .map(|((_, _, name), _)| *name)
            .collect();
        names.retain(|name| stand.contains(name));
    }
    names.truncate(poll.places as usize);
    names
}

/// The salt of a ballot that the walk seals.
fn salt(hand: &Hand, motion: &Motion, member: OrganisationId) -> [u8; 32] {
    let label = format!("walk/{}/{}/{}", motion.number.0, motion.round, member.0);
    hand.keys.secret(&label)
}

fn ballots(hand: &mut Hand, drafts: &mut Vec<Draft>, number: MotionId, motion: &Motion) {
    let names = names(hand, motion);
    let mut spoken = BTreeSet::new();
    for (member, group) in electorate(hand.t, number) {
        let cast = hand.t.ballots.get(&(number, motion.round, group));
        if cast.is_some() || spoken.contains(&group) || names.is_empty() {
            continue;
        }
        let says = BallotVote::Names(names.clone());
        let vote = if is_sealed(hand, motion) {
            let salt = salt(hand, motion, member);
            hand.memory
                .said
                .insert((number, motion.round, member), says.clone());
            BallotVote::Sealed(says.commitment(&salt, number, motion.round, member))
        } else {
            says
        };
        let act = MotionAct::Vote(Ballot {
            motion: number,
            round: motion.round,
            replaces: Vec::new(),
            vote,
            criterion: None,
            declaration: Declaration::None,
            proxy_for: None,
        });
        if let Some(draft) = by(hand, member, act) {
            spoken.insert(group);
            drafts.push(draft);
        }
    }
}

fn reveals(hand: &mut Hand, drafts: &mut Vec<Draft>, number: MotionId, motion: &Motion) {
    let of = (number, motion.round, Id::MIN)..=(number, motion.round, Id::MAX);
    for (_, cast) in hand.t.ballots.range(of) {
        let member = cast.organisation;
        let said = hand.memory.said.get(&(number, motion.round, member));
        let (BallotVote::Sealed(_), Some(says)) = (&cast.vote, said) else {
            continue;
        };
        let act = MotionAct::Reveal(RevealBallot {
            motion: number,
            round: motion.round,
            proxy_for: None,
            vote: says.clone(),
            salt: salt(hand, motion, member),
            criterion: None,
        });
        drafts.extend(by(hand, member, act));
    }
}

/// An election of all seats that are open, by anybody who can.
fn proposals(hand: &mut Hand) -> Vec<Draft> {
    let t = hand.t;
    let open = t.seats.iter().filter(|(_, seat)| {
        seat_is(seat, &[SeatStatus::HeldOver, SeatStatus::Ended]) && seat.successor.is_none()
    });
    let mut open: Vec<SeatId> = open.map(|(number, _)| *number).collect();
    // Those whose holders still act come first: an old vacancy would take their place.
    let held_over = |number: &SeatId| t.seats.get(number).unwrap().status == SeatStatus::HeldOver;
    open.sort_by_key(|number| !held_over(number));
    let room = needed(t).saturating_sub(in_term(t));
    // All of those are named: who holds one may be named for another only if his own is filled as well.
    let over = open.iter().filter(|number| held_over(number)).count();
    open.truncate(room.max(over));
    open.sort_unstable();
    let further = room.saturating_sub(open.len()) as u32;
    let Some(rule) = hand.charter().rules.first(MotionKind::ElectSeat).cloned() else {
        return Vec::new();
    };
    let ballot_days = match rule.ballot_min {
        Period::Days(days) | Period::WorkingDays(days) => days,
        Period::Hours(_) => 1,
    };
    let proposal = |text| {
        MotionAct::Propose(Proposal {
            effect: MotionEffect::ElectSeat(ElectSeat {
                seats: open.clone(),
                further,
            }),
            ballot_days,
            text,
        })
    };
    let all = t.organisations.iter().map(|(member, _)| *member);
    let text = sha256(b"walk");
    all.filter(|member| rights::is_live(t, *member))
        .filter_map(|member| by(hand, member, proposal(text)))
        .collect()
}
