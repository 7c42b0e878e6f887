//! Directions, observers and their statements, the chair, working days, corrections.

use rollbook_core::calendar::{CivilDate, LocalDay};
use rollbook_core::id::{DirectionId, MembershipId, PostId};
use rollbook_core::identity::{OrganisationKind, Role, Scope};
use rollbook_core::lookup::directions;
use rollbook_core::lookup::posts::post_in_force;
use rollbook_core::object::calendar::CalendarStatus;
use rollbook_core::object::correction::CorrectionStatus;
use rollbook_core::object::membership::Standing;
use rollbook_core::object::observer::ObserverStatus;
use rollbook_core::object::post::PostStatus;
use rollbook_core::record::{
    AdmitObserver, Body, CalendarYear, CharterAct, ClericalField, Corrected, CorrectionEntry,
    ElectChair, EndObserver, MotionEffect, NameLead, ObserverReading, OrganisationAct, ScreenAgain,
    StatementEntry,
};
use rollbook_proof::number::OrganisationId;

use crate::random::acts::propose::{pending, propose};
use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::People);
    deck.aside(2, in_a_direction);
    if hand.fate("names a lead", hand.height.0 as u32 / 4) < 12 {
        deck.aside(2, lead);
    }
    if hand.fate("observers", hand.height.0 as u32 / 4) < 15 {
        deck.aside(2, observer);
    }
    deck.aside(1, statement);
    chair(hand, deck);
    let filed: Vec<_> = hand.t.calendars.iter().map(|(number, _)| *number).collect();
    if filed.len() < 12 {
        deck.aside(1, set_calendar);
    }
    for (number, filing) in hand.t.calendars.iter() {
        if filing.status == CalendarStatus::Filed && !hand.idles("calendar", number.0) {
            let calendar = *number;
            deck.goal(1, move |hand| {
                as_seat_or_chair(hand, CharterAct::ConfirmCalendar { calendar })
            });
        }
    }
    if !filed.is_empty() && hand.fate("agrees again", hand.height.0 as u32) < 10 {
        deck.aside(1, |hand| {
            let calendar = hand.id(&hand.t.calendars)?;
            as_seat_or_chair(hand, CharterAct::ConfirmCalendar { calendar })
        });
    }
    corrections(hand, deck);
    for (number, membership) in hand.t.memberships.iter() {
        let number = *number;
        let waits = matches!(
            membership.standing,
            Standing::Sponsoring | Standing::Returned { .. }
        );
        let running = pending(
            hand,
            |effect| matches!(effect, MotionEffect::ScreenAgain(plan) if plan.membership == number),
        );
        if waits && !running && hand.fate("screened by mistake", number.0) < 15 {
            deck.goal(1, move |hand| screen_again(hand, number));
        }
    }
    if hand.fate("put right", hand.height.0 as u32 / 4) < 4 {
        deck.aside(1, |hand| {
            let number = hand.id(&hand.t.memberships)?;
            screen_again(hand, number)
        });
    }
}

fn screen_again(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    let plan = ScreenAgain {
        membership,
        evidence: hand.hash(),
    };
    propose(hand, MotionEffect::ScreenAgain(plan))
}

fn directions_there(hand: &Hand) -> Vec<DirectionId> {
    hand.t
        .directions
        .iter()
        .map(|(number, _)| *number)
        .collect()
}

fn in_a_direction(hand: &mut Hand) -> Option<Draft> {
    let there = directions_there(hand);
    let direction = match hand.random.below(40) {
        0 => DirectionId(900),
        _ => *hand.random.pick(&there)?,
    };
    let who = if hand.random.percent(92) {
        hand.member()?
    } else {
        hand.company()?
    };
    let leads = directions::lead(hand.t, direction).map(|lead| lead.organisation);
    let (who, act) = match (hand.random.below(10), leads) {
        (0, Some(lead)) => (lead, OrganisationAct::GiveUpLead { direction }),
        (1, _) if hand.random.percent(30) => (who, OrganisationAct::GiveUpLead { direction }),
        _ => {
            let works = directions::works_in(hand.t, who, direction);
            let careless = hand.random.percent(8);
            let act = if works != careless {
                OrganisationAct::LeaveDirection { direction }
            } else {
                OrganisationAct::JoinDirection { direction }
            };
            (who, act)
        }
    };
    hand.by(who, &[Role::Primary], Body::Organisation(act))
}

fn lead(hand: &mut Hand) -> Option<Draft> {
    let there = directions_there(hand);
    let direction = *hand.random.pick(&there)?;
    let works: Vec<OrganisationId> = directions::members(hand.t, direction).collect();
    let organisation = match hand.random.below(20) {
        0 => hand.company()?,
        1 => directions::lead(hand.t, direction)?.organisation,
        _ => *hand.random.pick(&works)?,
    };
    let plan = NameLead {
        direction,
        organisation,
    };
    propose(hand, MotionEffect::NameLead(plan))
}

fn observer(hand: &mut Hand) -> Option<Draft> {
    let bodies: Vec<OrganisationId> = hand
        .t
        .organisations
        .iter()
        .filter(|(_, entry)| entry.kind == OrganisationKind::Observer)
        .map(|(number, _)| *number)
        .collect();
    let organisation = match hand.random.below(12) {
        0 => hand.id(&hand.t.organisations)?,
        _ => *hand.random.pick(&bodies)?,
    };
    let stands = hand.t.observers.get(&organisation);
    let admitted = stands.filter(|observer| observer.status == ObserverStatus::Admitted);
    let reading = admitted.map(|observer| observer.reading);
    if reading.is_some() && hand.random.percent(35) || hand.random.percent(5) {
        let plan = EndObserver { organisation };
        return propose(hand, MotionEffect::EndObserver(plan));
    }
    let other = match reading {
        Some(ObserverReading::Public) => ObserverReading::Members,
        Some(ObserverReading::Members) => ObserverReading::Public,
        None => ObserverReading::Members,
    };
    let reading = match reading {
        Some(reading) if hand.random.percent(15) => reading,
        _ => other,
    };
    let plan = AdmitObserver {
        organisation,
        reading,
    };
    propose(hand, MotionEffect::AdmitObserver(plan))
}

fn statement(hand: &mut Hand) -> Option<Draft> {
    let observers: Vec<OrganisationId> = hand.t.observers.iter().map(|(n, _)| *n).collect();
    let who = match hand.random.below(12) {
        0 => hand.company()?,
        _ => *hand.random.pick(&observers)?,
    };
    let motion = if hand.random.percent(50) {
        hand.id(&hand.t.motions)
    } else {
        None
    };
    let act = OrganisationAct::FileStatement(StatementEntry {
        title: text("A statement"),
        document: hand.hash(),
        motion,
    });
    hand.by(who, &[Role::Primary], Body::Organisation(act))
}

/// The alliance elects a chair now and then, and once the chair's term has ended.
fn chair(hand: &Hand, deck: &mut Deck) {
    let running = pending(hand, |effect| matches!(effect, MotionEffect::ElectChair(_)));
    let mut chairs = hand.t.posts.iter().filter(|(_, post)| {
        post.role == Role::Chair && (post.status.in_force() || post.status.is_coming())
    });
    let now = chairs.next().map(|(number, post)| (*number, post.status));
    match now {
        _ if running => {}
        Some((number, PostStatus::HeldOver)) => {
            deck.goal(2, move |hand| elect_chair(hand, Some(number)));
        }
        None if hand.fate("chair", hand.height.0 as u32 / 16) < 25 => {
            deck.goal(1, |hand| elect_chair(hand, None));
        }
        Some((number, _)) if hand.fate("another chair", hand.height.0 as u32 / 8) < 6 => {
            deck.aside(1, move |hand| {
                // Who forgets that there is one.
                let succeeds = (!hand.random.percent(25)).then_some(number);
                elect_chair(hand, succeeds)
            });
        }
        _ => {}
    }
}

fn elect_chair(hand: &mut Hand, succeeds: Option<PostId>) -> Option<Draft> {
    let office = match succeeds.and_then(|number| hand.t.posts.get(&number)) {
        Some(post) => post.office,
        None => {
            let mut offices = hand.t.organisations.iter();
            let is_office =
                |(_, entry): &(&OrganisationId, &rollbook_core::identity::Organisation)| {
                    entry.kind == OrganisationKind::Office
                };
            *offices.find(is_office)?.0
        }
    };
    propose(
        hand,
        MotionEffect::ElectChair(ElectChair { office, succeeds }),
    )
}

/// An act of a seat holder, or of the chair, where there is one.
fn as_seat_or_chair(hand: &mut Hand, act: CharterAct) -> Option<Draft> {
    let body = Body::Charter(act);
    let has_chair = hand
        .t
        .posts
        .iter()
        .any(|(_, post)| post.role == Role::Chair && post_in_force(post, hand.now));
    if has_chair && hand.random.percent(40) {
        return hand.office(Role::Chair, Scope::Alliance, None, body);
    }
    let who = if hand.random.percent(92) {
        let board = hand.board();
        *hand.random.pick(&board)?
    } else {
        hand.company()?
    };
    hand.by(who, &[Role::Primary], body)
}

fn set_calendar(hand: &mut Hand) -> Option<Draft> {
    let this = hand.today().date().year;
    let year = match hand.random.below(12) {
        0 => this + 3,
        1 => this - 1,
        at if at < 5 => this + 1,
        _ => this,
    };
    let first = CivilDate::new(year, 1, 1)?.day_number();
    let mut days: Vec<LocalDay> = (0..hand.random.below(14))
        .map(|_| LocalDay(first.0 + hand.random.below(365) as i64))
        .collect();
    days.sort_unstable();
    days.dedup();
    let (weekends, holidays): (Vec<_>, Vec<_>) = days.into_iter().partition(|day| day.is_weekend());
    let act = CharterAct::SetCalendar(CalendarYear {
        year: u32::try_from(year).ok()?,
        holidays,
        working_weekends: weekends,
    });
    hand.office(Role::Secretary, Scope::Alliance, None, Body::Charter(act))
}

fn corrections(hand: &Hand, deck: &mut Deck) {
    if hand.t.corrections.len() < 24 {
        deck.aside(2, correct);
    }
    for (number, correction) in hand.t.corrections.iter() {
        let number = *number;
        if correction.status != CorrectionStatus::Filed || hand.idles("correction", number.0) {
            continue;
        }
        let subject = correction.entry.subject;
        deck.goal(1, move |hand| {
            let declines = hand.random.percent(25);
            let act = if declines {
                CharterAct::DeclineCorrection {
                    correction: number,
                    reasons: hand.hash(),
                }
            } else {
                CharterAct::ConfirmCorrection { correction: number }
            };
            confirmed(hand, subject, act)
        });
    }
    if hand.fate("corrects again", hand.height.0 as u32) < 10 {
        deck.aside(1, |hand| {
            let correction = hand.id(&hand.t.corrections)?;
            let subject = hand
                .t
                .corrections
                .get(&correction)
                .map(|it| it.entry.subject);
            let order = Corrected::Order(rollbook_core::id::OrderId(1));
            let act = CharterAct::ConfirmCorrection { correction };
            confirmed(hand, subject.unwrap_or(order), act)
        });
    }
}

fn scope(hand: &Hand, subject: Corrected) -> Scope {
    let fund = match subject {
        Corrected::Call(call) => hand.t.calls.get(&call).map(|call| call.terms.fund),
        Corrected::Entry(record) => hand
            .t
            .receipts
            .get(&record)
            .and_then(|receipt| hand.t.instalments.get(&receipt.instalment))
            .and_then(|instalment| hand.t.contributions.get(&instalment.contribution))
            .map(|pledge| pledge.fund),
        Corrected::Order(_) | Corrected::Statement(_) | Corrected::Fund(_) => None,
    };
    fund.map_or(Scope::Alliance, Scope::Fund)
}

fn confirmed(hand: &mut Hand, subject: Corrected, act: CharterAct) -> Option<Draft> {
    let scope = scope(hand, subject);
    match subject {
        Corrected::Order(_) | Corrected::Fund(_) => as_seat_or_chair(hand, act),
        Corrected::Statement(_) => hand.office(Role::Secretary, scope, None, Body::Charter(act)),
        Corrected::Call(_) | Corrected::Entry(_) => {
            hand.office(Role::SecondOfficer, scope, None, Body::Charter(act))
        }
    }
}

fn correct(hand: &mut Hand) -> Option<Draft> {
    let (subject, field, reads) = match hand.random.below(6) {
        0 => {
            let order = hand.id(&hand.t.orders)?;
            let reads = hand.t.orders.get(&order);
            let reads = reads.map(|filed| filed.order.authority.to_string());
            (Corrected::Order(order), ClericalField::Authority, reads)
        }
        1 => {
            let order = hand.id(&hand.t.orders)?;
            let offset = hand.charter().offset_minutes;
            let day = |ms| LocalDay::of(ms, offset).to_string();
            let reads = hand.t.orders.get(&order);
            let reads = reads.map(|filed| day(filed.order.issued_ms));
            (Corrected::Order(order), ClericalField::Issued, reads)
        }
        2 => {
            let statement = hand.id(&hand.t.statements)?;
            let reads = hand.t.statements.get(&statement);
            let reads = reads.map(|it| it.entry.title.to_string());
            (Corrected::Statement(statement), ClericalField::Title, reads)
        }
        3 => {
            let fund = hand.id(&hand.t.funds)?;
            let reads = hand.t.funds.get(&fund).map(|it| it.name.native.to_string());
            (Corrected::Fund(fund), ClericalField::Name, reads)
        }
        4 => {
            let call = hand.id(&hand.t.calls)?;
            let reads = hand.t.calls.get(&call);
            let reads = reads.map(|it| it.terms.title.latin.to_string());
            (Corrected::Call(call), ClericalField::Title, reads)
        }
        _ => {
            let record = hand.any(&hand.t.receipts)?;
            let reads = hand
                .t
                .receipts
                .get(&record)
                .map(|it| it.value_day.to_string());
            (Corrected::Entry(record), ClericalField::ValueDay, reads)
        }
    };
    let reads = match reads {
        Some(reads) if !hand.random.percent(8) => reads,
        _ => "Something else".to_owned(),
    };
    let field = match hand.random.below(14) {
        0 => ClericalField::Reference,
        _ => field,
    };
    let should_read = match field {
        ClericalField::Issued | ClericalField::ValueDay => "2023-06-01",
        _ => "What is right",
    };
    let act = Body::Charter(CharterAct::Correct(CorrectionEntry {
        subject,
        field,
        reads: text(reads),
        should_read: text(should_read),
        evidence: hand.hash(),
    }));
    let scope = scope(hand, subject);
    match subject {
        Corrected::Order(_) | Corrected::Fund(_) => hand.office(Role::Secretary, scope, None, act),
        Corrected::Call(_) => hand.office(Role::ProgrammeOfficer, scope, None, act),
        Corrected::Entry(_) => hand.office(Role::Treasurer, scope, None, act),
        Corrected::Statement(statement) => {
            let own = hand.t.statements.get(&statement).map(|it| it.organisation);
            let who = match own {
                Some(own) if !hand.random.percent(15) => own,
                _ => hand.company()?,
            };
            hand.by(who, &[Role::Primary], act)
        }
    }
}
