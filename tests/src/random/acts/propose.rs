//! Motions that somebody proposes: every effect there is.

use rollbook_core::account::{AccountKind, Amount, Unit};
use rollbook_core::calendar::Period;
use rollbook_core::charter::motions::{BodyKind, DecidingBody, MotionKind};
use rollbook_core::id::{ApplicationId, CallId, DirectionId, FundId, Id, PersonId, PostId};
use rollbook_core::identity::{OrganisationKind, Role, Scope};
use rollbook_core::lookup::{groups, rights};
use rollbook_core::object::call::CallStatus;
use rollbook_core::object::contribution::InstalmentStatus;
use rollbook_core::object::fund::FundStatus;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::object::post::PostStatus;
use rollbook_core::record::{
    AdmitMember, AnnulRelation, AppointCommittee, Appointment, Body, CallTerms, CancelCall,
    ConfirmPool, CreateFund, Criterion, DecideAppeal, Eligibility, ExpelMember, Instrument,
    JoinRelation, MotionAct, MotionEffect, PerGroup, PoolKind, Proposal, RemoveAuditor,
    RemoveHolder, RescindMotion, ScreenAgain, SuspendMember, TieBreak, UpholdAppeal,
    WriteOffInstalment,
};
use rollbook_proof::number::OrganisationId;

use crate::random::acts::grant;
use crate::random::acts::motion::staying;
use crate::random::acts::network;
use crate::random::genesis::name;
use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

/// Roles without which nothing goes on.
const NEEDED: [Role; 5] = [
    Role::Secretary,
    Role::Treasurer,
    Role::SecondOfficer,
    Role::ProgrammeOfficer,
    Role::FinanceApprover,
];

/// Whether a motion that is not decided yet has such an effect.
pub fn pending(hand: &Hand, is: impl Fn(&MotionEffect) -> bool) -> bool {
    let mut all = hand.t.motions.iter();
    all.any(|(_, motion)| !motion.status.is_final() && is(&motion.effect))
}

pub fn chances(hand: &Hand, deck: &mut Deck) {
    // Who has much to vote on proposes little.
    let mut open = 0;
    for (_, motion) in hand.t.motions.iter() {
        open += u64::from(!motion.status.is_final());
    }
    if open > 4 && hand.fate("another motion", hand.height.0 as u32) < 80 {
        return;
    }
    let pressed = hand.mood.grants && hand.fate("posts", hand.height.0 as u32) < 75;
    deck.of(hand.mood, Family::Posts);
    posts(hand, deck, pressed);
    deck.of(hand.mood, Family::Motions);
    for motion in staying(hand) {
        if hand.fate("rescind", motion.0) < 6 {
            let effect = MotionEffect::Rescind(RescindMotion { motion });
            deck.goal(1, move |hand| propose(hand, effect));
        }
    }
    deck.aside(1, |hand| {
        let motion = hand.id(&hand.t.motions)?;
        propose(hand, MotionEffect::Rescind(RescindMotion { motion }))
    });
    deck.aside(1, opened_by_rule);
    network::protocol(hand, deck);
    deck.of(hand.mood, Family::Funds);
    funds(hand, deck);
    deck.of(hand.mood, Family::Calls);
    calls(hand, deck);
    deck.of(hand.mood, Family::Awards);
    grant::awards(hand, deck);
}

fn posts(hand: &Hand, deck: &mut Deck, pressed: bool) {
    let in_force = |role: Role| {
        let mut all = hand.t.posts.iter();
        all.any(|(_, post)| post.role == role && post.status.in_force())
    };
    for role in NEEDED {
        let coming = pending(
            hand,
            |effect| matches!(effect, MotionEffect::Appoint(plan) if plan.role == role),
        );
        if !in_force(role) && !coming {
            deck.goal(3, move |hand| appoint(hand, role));
        }
    }
    auditor(hand, deck);
    if pressed {
        return;
    }
    deck.aside(2, |hand| {
        let roles = [
            Role::Secretary,
            Role::Treasurer,
            Role::SecondOfficer,
            Role::ProgrammeOfficer,
            Role::FinanceApprover,
            Role::Registrar,
            Role::Auditor,
            Role::Chair,
        ];
        let role = *hand.random.pick(&roles)?;
        appoint(hand, role)
    });
    deck.aside(1, |hand| {
        let post = hand.id(&hand.t.posts)?;
        // What everything else needs is seldom taken away.
        let kept = hand.t.posts.get(&post).is_some_and(|post| {
            let others = hand
                .t
                .posts
                .iter()
                .filter(|(_, other)| other.role == post.role && other.status.in_force());
            others.count() < 2 && post.role != Role::Auditor && post.role != Role::Registrar
        });
        if kept && hand.random.percent(90) {
            return None;
        }
        let auditor = hand
            .t
            .posts
            .get(&post)
            .is_some_and(|post| post.role == Role::Auditor);
        let effect = if auditor != hand.random.percent(10) {
            MotionEffect::RemoveAuditor(RemoveAuditor { post })
        } else {
            MotionEffect::Remove(RemoveHolder { post })
        };
        propose(hand, effect)
    });
}

/// The auditor comes and goes by the assembly.
fn auditor(hand: &Hand, deck: &mut Deck) {
    let mut posts = hand.t.posts.iter();
    let held = posts.find(|(_, post)| post.role == Role::Auditor && post.status.in_force());
    let coming = pending(hand, |effect| match effect {
        MotionEffect::Appoint(plan) => plan.role == Role::Auditor,
        effect => matches!(effect, MotionEffect::RemoveAuditor(_)),
    });
    match held {
        _ if coming => {}
        None if hand.fate("auditor", 0) < 85 => deck.goal(1, |hand| appoint(hand, Role::Auditor)),
        Some((post, _)) if hand.fate("auditor goes", post.0) < 40 => {
            let post = *post;
            let effect = if hand.fate("by the board", hand.height.0 as u32) < 10 {
                MotionEffect::Remove(RemoveHolder { post })
            } else {
                MotionEffect::RemoveAuditor(RemoveAuditor { post })
            };
            deck.goal(1, move |hand| propose(hand, effect));
        }
        _ => {}
    }
}

/// Whether the person holds nothing that stands in the way, as far as one sees at a glance.
fn free_for(hand: &Hand, person: PersonId, role: Role, but: Option<PostId>) -> bool {
    let held = hand.t.posts.iter().filter(|(number, post)| {
        post.holder == person && post.status.in_force() && Some(**number) != but
    });
    let held: Vec<Role> = held.map(|(_, post)| post.role).collect();
    if role == Role::Auditor {
        return held.is_empty();
    }
    let stands = |held: &Role| {
        *held == Role::Auditor || *held == role || role.is_of_the_chain() && held.is_of_the_chain()
    };
    !held.iter().any(stands)
}

fn offices(hand: &Hand) -> Vec<OrganisationId> {
    let all = hand.t.organisations.iter();
    all.filter(|(_, o)| o.kind == OrganisationKind::Office)
        .map(|(number, _)| *number)
        .collect()
}

/// Mostly somebody of an office's own staff.
fn people(hand: &mut Hand) -> Vec<PersonId> {
    let offices = offices(hand);
    let of_an_office = |person: &PersonId| {
        let known = hand.t.persons.get(person);
        known.is_some_and(|known| offices.contains(&known.home))
    };
    let all: Vec<PersonId> = hand.t.persons.iter().map(|(number, _)| *number).collect();
    let (staff, others): (Vec<_>, Vec<_>) = all.into_iter().partition(of_an_office);
    let (staff, others) = (hand.shuffled(staff), hand.shuffled(others));
    let staff_first = if hand.mood.grants { 95 } else { 60 };
    if hand.random.percent(staff_first) {
        [staff, others].concat()
    } else {
        let all = [others, staff].concat();
        hand.shuffled(all)
    }
}

fn appoint(hand: &mut Hand, role: Role) -> Option<Draft> {
    let offices = offices(hand);
    let office = if hand.random.percent(97) {
        *hand.random.pick(&offices)?
    } else {
        hand.company()?
    };
    let scope = match hand.any(&hand.t.funds) {
        Some(fund) if role.is_of_the_chain() && hand.random.percent(15) => Scope::Fund(fund),
        _ if hand.random.percent(1) => Scope::Fund(FundId(900)),
        _ => Scope::Alliance,
    };
    let before: Vec<PostId> = hand
        .t
        .posts
        .iter()
        .filter(|(_, post)| (post.office, post.role, post.scope) == (office, role, scope))
        .filter(|(_, post)| post.status.in_force() || post.status == PostStatus::Ended)
        .map(|(number, _)| *number)
        .collect();
    let succeeds = if hand.random.percent(60) {
        hand.random.pick(&before).copied()
    } else if hand.random.percent(5) {
        hand.id(&hand.t.posts)
    } else {
        None
    };
    let same = succeeds.and_then(|post| hand.t.posts.get(&post).map(|post| post.holder));
    let holder = match same {
        Some(holder) if hand.random.percent(40) => holder,
        _ if hand.random.percent(8) => hand.id(&hand.t.persons)?,
        // Somebody of a company that is no member yet.
        _ if role == Role::Auditor && hand.random.percent(75) => {
            let mut outsiders = hand.companies();
            outsiders.retain(|company| !rights::is_live(hand.t, *company));
            let applies = |company: &OrganisationId| {
                let membership = rights::of(hand.t, *company);
                membership.is_some_and(|m| m.standing.is_open_application())
            };
            let applying: Vec<_> = outsiders.iter().copied().filter(applies).collect();
            if !applying.is_empty() {
                outsiders = applying;
            }
            let home = *hand.random.pick(&outsiders)?;
            *hand.t.organisations.get(&home)?.officers.first()?
        }
        _ => {
            let all = people(hand);
            let fits = |person: &&PersonId| free_for(hand, **person, role, succeeds);
            *all.iter().find(fits)?
        }
    };
    let deputy = hand
        .person()
        .filter(|deputy| *deputy != holder && hand.random.percent(15));
    let appointment = Appointment {
        office,
        role,
        scope,
        holder,
        deputy,
        succeeds,
    };
    propose(hand, MotionEffect::Appoint(appointment))
}

/// What a rule of the ledger opens and nobody proposes.
fn opened_by_rule(hand: &mut Hand) -> Option<Draft> {
    let effect = if hand.random.percent(50) {
        let membership = hand.id(&hand.t.memberships)?;
        MotionEffect::Admit(AdmitMember { membership })
    } else {
        let application = hand.id(&hand.t.applications)?;
        MotionEffect::DecideAppeal(DecideAppeal { application })
    };
    propose(hand, effect)
}

fn funds(hand: &Hand, deck: &mut Deck) {
    let creating = pending(hand, |effect| matches!(effect, MotionEffect::CreateFund(_)));
    let open =
        hand.t.funds.iter().filter(|(number, fund)| {
            fund.status == FundStatus::Open || !hand.idles("fund", number.0)
        });
    let open = open.count();
    if open == 0 && !creating {
        deck.goal(4, create_fund);
    } else {
        deck.aside(1, create_fund);
    }
    for (fund, _) in hand.t.funds.iter() {
        let fund = *fund;
        let seats = (fund, Id::MIN)..=(fund, Id::MAX);
        let named = pending(
            hand,
            |effect| matches!(effect, MotionEffect::AppointCommittee(plan) if plan.fund == fund),
        );
        if hand.t.committee_seats.range(seats).next().is_none() && !named {
            deck.goal(1, move |hand| committee(hand, fund));
        } else if !named && votes(hand, fund) {
            // Who sits there has ballots to cast and may be gone before the close.
            deck.goal(4, move |hand| committee(hand, fund));
        } else if hand.fate("committee", hand.height.0 as u32) < 25 {
            deck.aside(1, move |hand| committee(hand, fund));
        }
    }
    for (instalment, entry) in hand.t.instalments.iter() {
        let instalment = *instalment;
        let given_up = pending(
            hand,
            |effect| matches!(effect, MotionEffect::WriteOffInstalment(plan) if plan.instalment == instalment),
        );
        let cared = hand.fate("given up", instalment.0) < 50;
        if entry.status == InstalmentStatus::Defaulted && !given_up && cared {
            deck.goal(1, move |hand| write_off(hand, instalment));
        } else if hand.fate("write-off", instalment.0) < 5 {
            deck.aside(1, move |hand| write_off(hand, instalment));
        }
    }
}

/// Whether the committee of a fund votes on something.
fn votes(hand: &Hand, fund: FundId) -> bool {
    let mut motions = hand.t.motions.iter();
    motions.any(|(number, motion)| {
        motion.status == MotionStatus::Open
            && motion.body == DecidingBody::Committee(fund)
            && hand.fate("slow", number.0) < 35
    })
}

fn write_off(hand: &mut Hand, instalment: rollbook_core::id::InstalmentId) -> Option<Draft> {
    let plan = WriteOffInstalment {
        instalment,
        attempts: hand.hash(),
    };
    propose(hand, MotionEffect::WriteOffInstalment(plan))
}

fn create_fund(hand: &mut Hand) -> Option<Draft> {
    let mut candidates = people(hand);
    let mut officers = Vec::new();
    for (role, count) in [
        (Role::Treasurer, 1),
        (Role::SecondOfficer, 2),
        (Role::ProgrammeOfficer, 1),
        (Role::FinanceApprover, 2),
    ] {
        let fewer = usize::from(hand.random.percent(2));
        for _ in fewer..count {
            let careless = hand.random.percent(1);
            let fits = |person: &PersonId| {
                let held = hand.t.posts.iter().filter(|(_, post)| {
                    post.holder == *person
                        && post.status.in_force()
                        && post.scope == Scope::Alliance
                });
                let mut held = held.map(|(_, post)| post.role);
                careless
                    || held.all(|held| {
                        held == role || !(held.is_of_the_chain() || held == Role::Auditor)
                    })
            };
            let at = candidates.iter().position(fits)?;
            officers.push((role, candidates.remove(at)));
        }
    }
    if hand.random.percent(2) {
        let (_, person) = officers[0];
        officers.push((Role::FinanceApprover, person));
    }
    officers.sort_unstable();
    officers.dedup();
    let offices = offices(hand);
    let unit = match hand.random.below(30) {
        0 => Unit::currency("USD"),
        1 => Unit::currency("EUR"),
        2..6 => Unit::resource("GPU-HOUR"),
        6 => Unit::resource("TRAFFIC-GB"),
        _ => Unit::currency("CNY"),
    };
    let office = if hand.random.percent(97) {
        *hand.random.pick(&offices)?
    } else {
        hand.id(&hand.t.organisations)?
    };
    let holder = match hand.random.below(20) {
        0 => {
            // The observer, or whoever it may be.
            let all = hand.t.organisations.iter();
            let mut all = all.filter(|(_, o)| o.kind == OrganisationKind::Observer);
            match all.next() {
                Some((observer, _)) if hand.fate("observer holds", 0) < 70 => *observer,
                _ => hand.id(&hand.t.organisations)?,
            }
        }
        1..4 => hand.member()?,
        _ => *hand.random.pick(&offices)?,
    };
    let mut used = hand.t.funds.iter().map(|(_, fund)| fund.bank_account);
    let bank_account = match used.next() {
        Some(used) if hand.random.percent(5) => used,
        _ => hand.hash(),
    };
    let plan = CreateFund {
        name: name("Fund"),
        holder,
        unit: unit.ok()?,
        bank_account,
        office,
        officers,
    };
    propose(hand, MotionEffect::CreateFund(Box::new(plan)))
}

fn committee(hand: &mut Hand, fund: FundId) -> Option<Draft> {
    let careless = hand.random.percent(25);
    let mut candidates = if careless {
        hand.companies()
    } else {
        hand.live()
    };
    if !careless {
        candidates.retain(|member| rights::rights(hand.t, *member).assembly_vote);
        let mut taken = std::collections::BTreeSet::new();
        candidates.retain(|member| taken.insert(groups::group_of(hand.t, *member)));
    }
    let mut members = hand.shuffled(candidates);
    if careless {
        // Those without a vote come first.
        members.sort_by_key(|member| rights::rights(hand.t, *member).assembly_vote);
        members.sort_by_key(|member| !rights::is_live(hand.t, *member));
    }
    members.truncate(5);
    members.sort_unstable();
    let fund = if hand.random.percent(98) {
        fund
    } else {
        FundId(900)
    };
    let plan = AppointCommittee { fund, members };
    if plan.members.len() < 5 {
        return None;
    }
    propose(hand, MotionEffect::AppointCommittee(plan))
}

fn calls(hand: &Hand, deck: &mut Deck) {
    for (fund, entry) in hand.t.funds.iter() {
        let fund = *fund;
        let publishing = pending(
            hand,
            |effect| matches!(effect, MotionEffect::PublishCall(terms) if terms.fund == fund),
        );
        let running = hand.t.calls.iter().filter(|(_, call)| {
            call.terms.fund == fund
                && !matches!(call.status, CallStatus::Closed | CallStatus::Cancelled)
        });
        let free = available(hand, fund);
        if entry.status == FundStatus::Open && !publishing && free > 0 && running.count() < 1 {
            deck.goal(2, move |hand| publish(hand, fund));
        } else {
            deck.aside(1, move |hand| publish(hand, fund));
        }
    }
    for (call, entry) in hand.t.calls.iter() {
        let call = *call;
        if entry.is_undecided() && hand.fate("cancelled", call.0) < 12 {
            deck.aside(2, move |hand| cancel(hand, call));
        }
    }
    deck.aside(1, |hand| {
        let call = hand.id(&hand.t.calls)?;
        let status = hand.t.calls.get(&call)?.status;
        let late = matches!(
            status,
            CallStatus::Ranked | CallStatus::Decided | CallStatus::Closed | CallStatus::Cancelled
        );
        if late { cancel(hand, call) } else { None }
    });
    for pool in [PoolKind::Reviewers, PoolKind::Assessors] {
        let waits = hand.t.pools.iter().filter(|((kind, person), member)| {
            *kind == pool
                && member.confirmed.is_none()
                && !pending(hand, |effect| {
                    matches!(effect, MotionEffect::ConfirmPool(plan)
                        if plan.pool == pool && plan.persons.contains(person))
                })
        });
        let persons: Vec<PersonId> = waits.map(|((_, person), _)| *person).collect();
        if persons.is_empty() {
            if hand.fate("not entered", hand.height.0 as u32) >= 20 {
                continue;
            }
            deck.aside(1, move |hand| {
                let persons = vec![hand.person()?];
                propose(
                    hand,
                    MotionEffect::ConfirmPool(ConfirmPool { pool, persons }),
                )
            });
        } else {
            deck.goal(2, move |hand| {
                propose(
                    hand,
                    MotionEffect::ConfirmPool(ConfirmPool { pool, persons }),
                )
            });
        }
    }
}

fn available(hand: &Hand, fund: FundId) -> i128 {
    let at = |kind| hand.balance(fund, kind);
    at(AccountKind::Free)
}

fn cancel(hand: &mut Hand, call: CallId) -> Option<Draft> {
    let plan = CancelCall {
        call,
        reason: hand.hash(),
    };
    propose(hand, MotionEffect::CancelCall(plan))
}

fn publish(hand: &mut Hand, fund: FundId) -> Option<Draft> {
    let directions: Vec<_> = hand
        .t
        .directions
        .iter()
        .map(|(number, _)| *number)
        .collect();
    let direction = if hand.random.percent(40) {
        hand.random.pick(&directions).copied()
    } else {
        None
    };
    let direction = if hand.random.percent(4) {
        Some(DirectionId(900))
    } else {
        direction
    };
    let earmarked = direction.map_or(0, |direction| {
        let kind = AccountKind::Direction(direction);
        hand.balance(fund, kind)
    });
    let available = u64::try_from(available(hand, fund) + earmarked).ok()?;
    let budget = match hand.random.below(20) {
        0 => available + 1,
        1 => available.max(1),
        _ => (available / 100 * hand.random.between(20, 80)).max(1),
    };
    let ask_max = (budget / hand.random.between(1, 3)).max(1);
    let today = hand.today();
    let opens_day = today.plus(hand.random.between(0, 12) as u32);
    let closes_day = if hand.random.percent(2) {
        // Long ago.
        rollbook_core::calendar::LocalDay(today.0 - 3)
    } else {
        opens_day.plus(hand.random.between(22, 34) as u32)
    };
    let opens_day = opens_day.min(closes_day);
    let classes = hand.charter().classes.clone();
    let mut classes: Vec<_> = classes.iter().map(|rule| rule.class).collect();
    let narrow = hand.random.percent(45);
    if narrow {
        classes.truncate(1);
    }
    if hand.random.percent(5) {
        use rollbook_core::charter::Class;
        classes = vec![Class::Founding, Class::Council, Class::Ordinary];
    }
    let reviewers = match hand.random.below(12) {
        0 => hand.charter().funding.reviewers.saturating_sub(1),
        1 => hand.charter().funding.reviewers + 1,
        _ => hand.charter().funding.reviewers,
    };
    let criterion = |code: &str, weight_bp| Criterion {
        code: text(code),
        weight_bp,
        score_max: 10,
        threshold: 2,
    };
    let terms = CallTerms {
        fund,
        instrument: Instrument::Grant,
        title: name("A call"),
        direction,
        budget: Amount(budget),
        ask_max: Amount(ask_max),
        criteria: vec![criterion("quality", 6_000), criterion("impact", 4_000)],
        threshold: 20_000,
        reviewers,
        concentration_bp: hand
            .random
            .percent(50)
            .then(|| hand.random.between(30, 100) as u32 * 100),
        tie_breaks: vec![
            TieBreak::Criterion(0),
            TieBreak::SmallerAsk,
            TieBreak::Earlier,
        ],
        eligibility: Eligibility {
            classes,
            outsiders: narrow || hand.random.percent(75),
            in_direction: direction.is_some() && hand.random.percent(40),
        },
        per_group: PerGroup {
            waiting: hand.random.between(1, 2) as u32,
            handed_in: hand.random.between(2, 3) as u32,
        },
        codes: vec![text("late"), text("off-topic")],
        opens_day,
        closes_day,
        document: hand.hash(),
    };
    propose(hand, MotionEffect::PublishCall(Box::new(terms)))
}

/// Proposes an effect, by somebody who may, for a ballot as long as its rule wants it.
pub fn propose(hand: &mut Hand, effect: MotionEffect) -> Option<Draft> {
    let rules = &hand.charter().rules;
    let kind = effect.kind();
    let (body, days) = match &effect {
        MotionEffect::Rescind(plan) => {
            let target = hand.t.motions.get(&plan.motion);
            (target.map_or(BodyKind::Board, |m| m.body.kind()), None)
        }
        MotionEffect::GrantAward(plan) => (plan.body, kind.and_then(|k| rules.rule(k, plan.body))),
        MotionEffect::PlaceApplication(_) => {
            let body = BodyKind::Committee;
            (body, kind.and_then(|kind| rules.rule(kind, body)))
        }
        _ => {
            let rule = kind.and_then(|kind| rules.first(kind));
            (rule.map_or(BodyKind::Board, |rule| rule.body), rule)
        }
    };
    let length = days.map(|rule| (rule.ballot_min, rule.ballot_max));
    let ballot_days = match length {
        Some((Period::Days(min), Period::Days(max)))
        | Some((Period::WorkingDays(min), Period::WorkingDays(max))) => {
            let days = hand.random.between(min.into(), max.into()) as u32;
            match hand.random.below(50) {
                0 => max + 1,
                1 => min - 1,
                _ => days,
            }
        }
        Some(_) => 1,
        None => u32::from(hand.random.percent(12)),
    };
    let fund = fund_of(hand, &effect);
    let scope = fund.map_or(Scope::Alliance, Scope::Fund);
    let parties = interested(hand, &effect);
    let interested = parties.first().copied();
    let act = Body::Motion(MotionAct::Propose(Proposal {
        effect,
        ballot_days,
        text: hand.hash(),
    }));
    let by_size = matches!(kind, Some(MotionKind::Award | MotionKind::AwardOutOfRank));
    let programme = by_size
        || matches!(
            kind,
            Some(MotionKind::OpenCall | MotionKind::TerminateAgreement)
        );
    if programme && (body == BodyKind::Committee || hand.random.percent(40)) {
        return hand.office(Role::ProgrammeOfficer, scope, interested, act);
    }
    if kind == Some(MotionKind::WriteOff) && hand.random.percent(40) {
        return hand.office(Role::Treasurer, scope, interested, act);
    }
    let secretary = match body {
        BodyKind::Assembly => by_size && hand.random.percent(50) || hand.random.percent(4),
        _ => hand.random.percent(60),
    };
    if secretary {
        return hand.office(Role::Secretary, Scope::Alliance, interested, act);
    }
    let mut members = match body {
        BodyKind::Assembly if !by_size => hand.live(),
        _ => hand.board(),
    };
    if hand.random.percent(90) {
        let own = |member: &OrganisationId| {
            parties
                .iter()
                .any(|party| groups::related(hand.t, *member, *party))
        };
        members.retain(|member| !own(member));
    }
    let member = if hand.random.percent(96) {
        *hand.random.pick(&members)?
    } else {
        hand.company()?
    };
    hand.by(member, &[Role::Primary], act)
}

fn fund_of(hand: &Hand, effect: &MotionEffect) -> Option<FundId> {
    let of_application = |application: &ApplicationId| {
        let call = hand.t.applications.get(application)?.call;
        Some(hand.t.calls.get(&call)?.terms.fund)
    };
    match effect {
        MotionEffect::GrantAward(plan) => of_application(&plan.application),
        MotionEffect::PlaceApplication(plan) => of_application(&plan.application),
        MotionEffect::RevokeAward(plan) => Some(hand.t.awards.get(&plan.award)?.fund),
        MotionEffect::PublishCall(terms) => Some(terms.fund),
        MotionEffect::CancelCall(plan) => Some(hand.t.calls.get(&plan.call)?.terms.fund),
        MotionEffect::WriteOffInstalment(plan) => {
            let entry = hand.t.instalments.get(&plan.instalment)?;
            Some(hand.t.contributions.get(&entry.contribution)?.fund)
        }
        _ => None,
    }
}

/// Whose case it is.
pub fn interested(hand: &Hand, effect: &MotionEffect) -> Vec<OrganisationId> {
    let applicant = |application: &ApplicationId| {
        let entry = hand.t.applications.get(application);
        entry.map(|entry| entry.applicant)
    };
    let home = |person: PersonId| Some(hand.t.persons.get(&person)?.home);
    let holder = |post: PostId| home(hand.t.posts.get(&post)?.holder);
    let one = match effect {
        MotionEffect::GrantAward(plan) => applicant(&plan.application),
        MotionEffect::PlaceApplication(plan) => applicant(&plan.application),
        MotionEffect::DecideAppeal(plan) => applicant(&plan.application),
        MotionEffect::RevokeAward(plan) => {
            let award = hand.t.awards.get(&plan.award);
            award.map(|award| award.grantee)
        }
        MotionEffect::Appoint(plan) => home(plan.holder),
        MotionEffect::NameLead(plan) => Some(plan.organisation),
        MotionEffect::JoinRelation(JoinRelation { relation, .. })
        | MotionEffect::AnnulRelation(AnnulRelation { relation }) => {
            let ends = hand.t.relation_ids.get(relation);
            return ends.map_or(Vec::new(), |(one, other, _)| vec![*one, *other]);
        }
        MotionEffect::Remove(plan) => holder(plan.post),
        MotionEffect::RemoveAuditor(plan) => holder(plan.post),
        MotionEffect::RatifyRevocation(plan) => {
            let revocation = hand.t.revocations.get(&plan.revocation);
            revocation.and_then(|revocation| home(revocation.person))
        }
        MotionEffect::RecoverKeys(plan) => {
            let recovery = hand.t.key_recoveries.get(&plan.recovery);
            recovery.map(|recovery| recovery.plan.organisation)
        }
        MotionEffect::CreateFund(plan) => {
            let officers = plan.officers.iter();
            let mut all: Vec<_> = officers.filter_map(|(_, person)| home(*person)).collect();
            all.push(plan.holder);
            return all;
        }
        MotionEffect::Admit(AdmitMember { membership })
        | MotionEffect::ScreenAgain(ScreenAgain { membership, .. }) => {
            let number = *membership;
            let rows = (number, Id::MIN)..=(number, Id::MAX);
            let sponsors = hand.t.sponsors.range(rows);
            let mut all: Vec<_> = sponsors.map(|((_, sponsor), _)| *sponsor).collect();
            let membership = hand.t.memberships.get(&number);
            all.extend(membership.map(|membership| membership.organisation));
            return all;
        }
        MotionEffect::WriteOffInstalment(plan) => {
            let entry = hand.t.instalments.get(&plan.instalment);
            entry.and_then(|entry| {
                let contribution = hand.t.contributions.get(&entry.contribution)?;
                Some(contribution.member)
            })
        }
        MotionEffect::SuspendMember(SuspendMember { proceeding, .. })
        | MotionEffect::ExpelMember(ExpelMember { proceeding })
        | MotionEffect::UpholdAppeal(UpholdAppeal { proceeding }) => {
            let proceeding = hand.t.proceedings.get(proceeding);
            proceeding.map(|proceeding| proceeding.organisation)
        }
        MotionEffect::LiftSuspension(plan) => {
            let membership = hand.t.memberships.get(&plan.membership);
            membership.map(|membership| membership.organisation)
        }
        MotionEffect::AcceptPlan(plan) => {
            let plan = hand.t.plans.get(&plan.plan);
            let membership = plan.and_then(|plan| hand.t.memberships.get(&plan.membership));
            membership.map(|membership| membership.organisation)
        }
        MotionEffect::LiftHold(plan) => {
            let payment = hand.t.payments.get(&plan.payment);
            payment.and_then(|payment| Some(hand.t.agreements.get(&payment.agreement)?.grantee))
        }
        _ => None,
    };
    one.into_iter().collect()
}
