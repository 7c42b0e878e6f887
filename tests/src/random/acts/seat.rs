//! Seats, elections, sealed ballots, proxies, papers of meetings, amendments of the charter.

use rollbook_core::charter::Charter;
use rollbook_core::charter::motions::{BodyKind, MotionKind, Pass};
use rollbook_core::id::{CharterVersion, Id, MotionId, SeatId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::object::draft::DraftStatus;
use rollbook_core::object::motion::{Motion, MotionStatus};
use rollbook_core::object::seat::SeatStatus;
use rollbook_core::record::{
    AmendCharter, BallotVote, Body, CharterAct, CharterDraft, Choice, ElectSeat, MotionAct,
    MotionEffect, MotionMinutes, RevealBallot,
};
use rollbook_proof::number::OrganisationId;

use crate::random::acts::propose::{pending, propose};
use crate::random::hand::{Deck, Draft, Hand};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Posts);
    elections(hand, deck);
    seats(hand, deck);
    deck.of(hand.mood, Family::Motions);
    for (number, motion) in hand.t.motions.iter() {
        of_motion(hand, deck, *number, motion);
    }
    charters(hand, deck);
}

/// Seats whose term has ended, or which nobody holds, are filled; now and then others.
fn elections(hand: &Hand, deck: &mut Deck) {
    let is_election = |effect: &MotionEffect| matches!(effect, MotionEffect::ElectSeat(_));
    let running = pending(hand, is_election);
    let open: Vec<SeatId> = hand
        .t
        .seats
        .iter()
        .filter(|(_, seat)| {
            let ended = matches!(seat.status, SeatStatus::HeldOver | SeatStatus::Ended);
            ended && seat.successor.is_none()
        })
        .map(|(number, _)| *number)
        .take(3)
        .collect();
    if !open.is_empty() && !running {
        deck.goal(4, move |hand| {
            let effect = MotionEffect::ElectSeat(ElectSeat {
                seats: open,
                further: 0,
            });
            if hand.random.percent(30) {
                return propose(hand, effect);
            }
            let member = hand.member()?;
            election_by(hand, member, effect)
        });
    }
    let eager = hand.fate("election", hand.height.0 as u32 / 16) < 12;
    if eager && !running {
        deck.goal(3, any_election);
    }
    deck.aside(1, any_election);
}

fn any_election(hand: &mut Hand) -> Option<Draft> {
    let first = hand.id(&hand.t.seats)?;
    let more = SeatId(first.0 + 1);
    let seats = if hand.t.seats.contains(&more) && hand.random.percent(50) {
        vec![first, more]
    } else {
        vec![first]
    };
    // Rarely as many as no charter has.
    let further = match hand.random.below(100) {
        0..8 => 1,
        8..14 => 60,
        _ => 0,
    };
    propose(hand, MotionEffect::ElectSeat(ElectSeat { seats, further }))
}

/// Any member proposes the election of a seat whose term has ended.
fn election_by(hand: &mut Hand, member: OrganisationId, effect: MotionEffect) -> Option<Draft> {
    let mut draft = propose(hand, effect)?;
    let body = draft.body.clone();
    draft = hand.by(member, &[Role::Primary], body)?;
    Some(draft)
}

fn seats(hand: &Hand, deck: &mut Deck) {
    for (number, seat) in hand.t.seats.iter() {
        let (number, holder) = (*number, seat.organisation);
        match seat.status {
            SeatStatus::Offered if !hand.idles("seat offer", number.0) => {
                deck.goal(3, move |hand| {
                    let act = if hand.random.percent(80) {
                        MotionAct::AcceptSeat { seat: number }
                    } else {
                        MotionAct::DeclineSeat { seat: number }
                    };
                    hand.by(holder, &[Role::Primary], Body::Motion(act))
                });
            }
            SeatStatus::Held | SeatStatus::HeldOver | SeatStatus::Accepted
                if hand.fate("gives seat up", number.0) < 8 =>
            {
                deck.aside(1, move |hand| {
                    let act = MotionAct::ResignSeat { seat: number };
                    hand.by(holder, &[Role::Primary], Body::Motion(act))
                });
            }
            _ => {}
        }
    }
    deck.aside(1, |hand| {
        let seat = hand.id(&hand.t.seats)?;
        let entry = hand.t.seats.get(&seat)?.clone();
        let acts = [
            MotionAct::AcceptSeat { seat },
            MotionAct::DeclineSeat { seat },
            MotionAct::ResignSeat { seat },
        ];
        let act = hand.random.pick(&acts)?.clone();
        // The board is what everything else needs.
        if entry.status.in_force() && matches!(act, MotionAct::ResignSeat { .. }) {
            return None;
        }
        let who = if hand.random.percent(70) {
            entry.organisation
        } else {
            hand.company()?
        };
        hand.by(who, &[Role::Primary], Body::Motion(act))
    });
}

/// Whether ballots on a motion are sealed.
pub fn is_sealed(hand: &Hand, motion: &Motion) -> bool {
    let charter = hand.t.parameters.get(&motion.charter);
    let opens = !matches!(motion.effect, MotionEffect::Rescind(_));
    opens && charter.is_some_and(|c| c.motions.ballot_visibility.seals(motion.kind, &motion.rule))
}

/// What a member means to say on a motion in its round: always the same, so that it can be sealed and opened.
pub fn meant(hand: &Hand, number: MotionId, member: OrganisationId) -> BallotVote {
    let Some(motion) = hand.t.motions.get(&number) else {
        return BallotVote::Choice(Choice::Yes);
    };
    let own = hand.fate("meant", number.0 * 1_000 + motion.round * 100 + member.0);
    let Some(poll) = &motion.poll else {
        let passes = hand.fate("motion", number.0) < hand.mood.agrees;
        return BallotVote::Choice(match own {
            0..5 => Choice::Abstain,
            5..90 if passes => Choice::Yes,
            5..20 => Choice::Yes,
            _ => Choice::No,
        });
    };
    let of = (number, motion.round, Id::MIN)..=(number, motion.round, Id::MAX);
    let stand: Vec<OrganisationId> = if poll.run_off {
        let names = hand.t.poll_names.range(of);
        names.map(|((_, _, name), _)| *name).collect()
    } else {
        let filled: &[SeatId] = match &motion.effect {
            MotionEffect::ElectSeat(plan) => &plan.seats,
            // Whoever sits on the board may be chair.
            MotionEffect::ElectChair(_) => &[],
            _ => return BallotVote::Choice(Choice::Abstain),
        };
        let chair = matches!(motion.effect, MotionEffect::ElectChair(_));
        let sits = |member: &OrganisationId| {
            !chair
                && hand.t.seats.iter().any(|(number, seat)| {
                    seat.organisation == *member
                        && seat.status.in_force()
                        && !filled.contains(number)
                })
        };
        // Now and then somebody who may not stand.
        let any = chair && hand.fate("who may stand", number.0) < 20;
        let all = if any { hand.companies() } else { hand.live() };
        let live = all.into_iter();
        live.filter(|member| !sits(member)).collect()
    };
    if stand.is_empty() || own < 6 {
        return BallotVote::Choice(Choice::Abstain);
    }
    // Two or three names have nearly all voices, so that they are often equal.
    let first = hand.fate("candidate", number.0) as usize;
    // Now and then somebody names one more than there are places.
    let count = match own {
        96.. => poll.places.saturating_add(1).min(8),
        _ => poll.places.min(2),
    };
    let mut names: Vec<OrganisationId> = (0..count as usize)
        .map(|at| stand[(first + at * 3 + (own % 3) as usize) % stand.len()])
        .collect();
    names.sort_unstable();
    names.dedup();
    BallotVote::Names(names)
}

/// The salt of a member's ballot.
fn salt(hand: &Hand, number: MotionId, round: u32, member: OrganisationId) -> [u8; 32] {
    let label = format!("ballot/{}/{round}/{}", number.0, member.0);
    hand.keys.secret(&label)
}

/// The commitment to what a member means to say.
pub fn sealed(hand: &Hand, number: MotionId, member: OrganisationId) -> BallotVote {
    let round = hand.t.motions.get(&number).map_or(1, |motion| motion.round);
    let salt = salt(hand, number, round, member);
    BallotVote::Sealed(meant(hand, number, member).commitment(&salt, number, round, member))
}

fn of_motion(hand: &Hand, deck: &mut Deck, number: MotionId, motion: &Motion) {
    let round = motion.round;
    let of = (number, round, Id::MIN)..=(number, round, Id::MAX);
    if motion.status == MotionStatus::Revealing {
        // Somebody who has cast no ballot.
        deck.aside(1, move |hand| {
            let member = hand.member()?;
            reveal(hand, number, member, None)
        });
        for (_, cast) in hand.t.ballots.range(of.clone()) {
            let member = cast.organisation;
            let late = hand.fate("unopened", number.0 * 100 + member.0) < 20;
            match (&cast.vote, cast.proxy) {
                (BallotVote::Sealed(_), proxy) if !late => {
                    deck.urgent(move |hand| reveal(hand, number, member, proxy));
                }
                _ => deck.aside(1, move |hand| reveal(hand, number, member, None)),
            }
        }
    }
    if motion.status == MotionStatus::Open {
        // What a proxy has used is not taken back; some try.
        for (_, cast) in hand.t.ballots.range(of.clone()) {
            if cast.proxy.is_some() {
                let giver = cast.organisation;
                deck.aside(4, move |hand| {
                    let act = MotionAct::TakeBackProxy { motion: number };
                    hand.by(giver, &[Role::Primary], Body::Motion(act))
                });
            }
        }
    }
    if motion.status == MotionStatus::Open && motion.body.kind() == BodyKind::Assembly {
        let members: Vec<OrganisationId> = hand
            .t
            .electorates
            .range((number, round, Id::MIN)..=(number, round, Id::MAX))
            .map(|((_, _, member), _)| *member)
            .collect();
        if hand.fate("proxies", number.0) < 45 {
            for giver in members {
                if hand.fate("proxy", number.0 * 100 + giver.0) < 25 {
                    deck.aside(2, move |hand| proxies(hand, number, giver));
                }
            }
        }
    }
    let minutes = match hand.fate("minutes", number.0) {
        // A secretary who attaches paper after paper.
        0..3 => 30,
        3..12 => 1,
        _ => 0,
    };
    if minutes > 0 {
        deck.aside(minutes, move |hand| {
            let papers = MotionMinutes {
                motion: number,
                agenda: hand.hash(),
                attendance: hand.hash(),
                minutes: hand.hash(),
            };
            let papers = match hand.t.minutes.iter().last() {
                Some((_, entry)) if hand.random.percent(20) => entry.papers,
                _ => papers,
            };
            let act = Body::Motion(MotionAct::Minutes(papers));
            hand.office(Role::Secretary, Scope::Alliance, None, act)
        });
    }
}

fn reveal(
    hand: &mut Hand,
    number: MotionId,
    member: OrganisationId,
    proxy: Option<OrganisationId>,
) -> Option<Draft> {
    let round = hand.t.motions.get(&number)?.round;
    let mut salt = salt(hand, number, round, member);
    if hand.random.percent(4) {
        salt[0] ^= 1;
    }
    let act = MotionAct::Reveal(RevealBallot {
        motion: number,
        round: round + u32::from(hand.random.percent(2)),
        proxy_for: proxy.map(|_| member),
        vote: meant(hand, number, member),
        salt,
        criterion: criterion(hand, number, member),
    });
    let who = proxy.unwrap_or(member);
    hand.by(who, &[Role::Primary], Body::Motion(act))
}

/// The criterion that a "no" to an admission cites.
fn criterion(
    hand: &Hand,
    number: MotionId,
    member: OrganisationId,
) -> Option<rollbook_proof::codec::Text<40>> {
    let motion = hand.t.motions.get(&number)?;
    let no = meant(hand, number, member) == BallotVote::Choice(Choice::No);
    let cites = no
        && motion.kind == MotionKind::Admit
        && !matches!(motion.effect, MotionEffect::Rescind(_));
    cites.then(|| crate::random::hand::text("solvency"))
}

fn proxies(hand: &mut Hand, number: MotionId, giver: OrganisationId) -> Option<Draft> {
    let given = hand.t.proxies.get(&(number, giver)).copied();
    let mut cast = hand
        .t
        .ballots
        .range((number, 0, Id::MIN)..=(number, u32::MAX, Id::MAX));
    let used = cast.any(|(_, cast)| cast.organisation == giver && cast.proxy.is_some());
    if used && hand.random.percent(30) {
        let act = MotionAct::TakeBackProxy { motion: number };
        return hand.by(giver, &[Role::Primary], Body::Motion(act));
    }
    match (given, hand.random.below(10)) {
        (Some(_), 0..4) => {
            let act = MotionAct::TakeBackProxy { motion: number };
            hand.by(giver, &[Role::Primary], Body::Motion(act))
        }
        (Some(holder), _) => ballot_for(hand, number, giver, holder),
        (None, 9) => {
            let act = MotionAct::TakeBackProxy { motion: number };
            hand.by(giver, &[Role::Primary], Body::Motion(act))
        }
        (None, 8) => {
            let holder = hand.member()?;
            ballot_for(hand, number, giver, holder)
        }
        (None, _) => {
            let holder = hand.member()?;
            let act = MotionAct::GiveProxy {
                motion: number,
                holder,
            };
            hand.by(giver, &[Role::Primary], Body::Motion(act))
        }
    }
}

fn ballot_for(
    hand: &mut Hand,
    number: MotionId,
    giver: OrganisationId,
    holder: OrganisationId,
) -> Option<Draft> {
    let motion = hand.t.motions.get(&number)?;
    let (round, seals) = (motion.round, is_sealed(hand, motion));
    let vote = if seals {
        sealed(hand, number, giver)
    } else {
        meant(hand, number, giver)
    };
    let criterion = if seals {
        None
    } else {
        criterion(hand, number, giver)
    };
    let act = MotionAct::Vote(rollbook_core::record::Ballot {
        motion: number,
        round,
        replaces: Vec::new(),
        vote,
        criterion,
        declaration: rollbook_core::record::Declaration::None,
        proxy_for: Some(giver),
    });
    hand.by(holder, &[Role::Primary], Body::Motion(act))
}

/// Charters are deposited, proposed, and now and then below a floor or beyond a bound.
fn charters(hand: &Hand, deck: &mut Deck) {
    let amends = |effect: &MotionEffect| matches!(effect, MotionEffect::AmendCharter(_));
    let deposited = hand
        .t
        .drafts
        .iter()
        .filter(|(_, draft)| draft.status == DraftStatus::Deposited)
        .count();
    let season = hand.fate("charter", hand.height.0 as u32 / 24) < 14;
    if season && deposited == 0 {
        deck.goal(2, |hand| deposit(hand, false));
    }
    deck.aside(1, |hand| deposit(hand, true));
    if season && !pending(hand, amends) {
        for (_, draft) in hand.t.drafts.iter() {
            let effect = MotionEffect::AmendCharter(AmendCharter {
                digest: draft.digest,
                replaces: draft.replaces,
            });
            if draft.status == DraftStatus::Deposited {
                deck.goal(3, move |hand| propose(hand, effect));
            }
        }
    }
    deck.aside(1, |hand| {
        let digest = match hand.id(&hand.t.drafts) {
            Some(draft) if hand.random.percent(80) => hand.t.drafts.get(&draft)?.digest,
            _ => hand.hash(),
        };
        let in_force = hand.charter().version;
        let replaces = CharterVersion(in_force.0 + u32::from(hand.random.percent(15)));
        propose(
            hand,
            MotionEffect::AmendCharter(AmendCharter { digest, replaces }),
        )
    });
}

fn deposit(hand: &mut Hand, careless: bool) -> Option<Draft> {
    let mut charter = hand.charter().clone();
    let replaces = charter.version;
    charter.version = CharterVersion(replaces.0 + 1);
    change(hand, &mut charter);
    let mut replaced = replaces;
    if careless {
        spoil(hand, &mut charter, &mut replaced);
    }
    if hand.random.percent(10)
        && let Some(known) = hand.id(&hand.t.draft_charters)
    {
        charter = hand.t.draft_charters.get(&known)?.clone();
    }
    let act = Body::Charter(CharterAct::Deposit(Box::new(CharterDraft {
        replaces: replaced,
        charter,
    })));
    if hand.random.percent(40) {
        return hand.office(Role::Secretary, Scope::Alliance, None, act);
    }
    let who = if hand.random.percent(85) {
        hand.member()?
    } else {
        hand.company()?
    };
    hand.by(who, &[Role::Primary], act)
}

/// A change that may be.
fn change(hand: &mut Hand, charter: &mut Charter) {
    match hand.random.below(6) {
        0 => charter.terms.offer_days = 20 + hand.random.below(20) as u32,
        1 => charter.motions.proxies_per_holder = hand.random.below(3) as u32,
        2 => charter.funding.hold_days = 1 + hand.random.below(40) as u32,
        3 => charter.membership.sponsor_days = 5 + hand.random.below(40) as u32,
        4 => {
            for rule in &mut charter.classes {
                rule.seat_eligible = rule.assembly_vote && hand.random.percent(80);
            }
        }
        _ => charter.funding.rework_max = hand.random.below(4) as u32,
    }
}

/// A change that may not be.
fn spoil(hand: &mut Hand, charter: &mut Charter, replaces: &mut CharterVersion) {
    match hand.random.below(15) {
        0 => charter.motions.min_elig = 2,
        1 => charter.criteria.clear(),
        2 => charter.offset_minutes += 60,
        3 => charter.made_under.0 += 1,
        4 => charter.version.0 += 1,
        5 => replaces.0 += 1,
        6 => charter.board_seats = 1,
        7 => charter.chain.validator_seats = 4,
        8 => {
            let class = charter.classes.first().map(|rule| rule.class);
            charter.classes.retain(|rule| Some(rule.class) != class);
        }
        9 => charter.limits.clear(),
        10 => charter.currency = crate::random::hand::text("USD"),
        11 => {
            for entry in &mut charter.rules.entries {
                if let (MotionKind::AmendCharter, Pass::Threshold(threshold)) =
                    (entry.kind, &mut entry.rule.pass)
                {
                    threshold.fraction.n = 1;
                    threshold.fraction.d = 2;
                }
            }
        }
        12 => charter.convenor = Some(OrganisationId(99_999)),
        _ => {}
    }
}
