//! Ties that come up while something is under way, and a step of the same block: a company declares
//! that it belongs to the other side, and its officer acts all the same. By the next block the clock
//! has judged it.

use rollbook_core::id::{Id, PersonId};
use rollbook_core::identity::{GroupDeclaration, OrganisationKind, RelationKind, Role};
use rollbook_core::lookup::groups;
use rollbook_core::object::application::ApplicationStatus;
use rollbook_core::object::milestone::MilestoneState;
use rollbook_core::object::payment::{Payment, PaymentState};
use rollbook_core::record::{Body, CallAct, OrganisationAct};
use rollbook_proof::number::OrganisationId;

use crate::random::acts::{payment, review};
use crate::random::hand::{Deck, Draft, Hand};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Relations);
    if !hand.mood.kin {
        if hand.fate("chain", hand.height.0 as u32) < 25 {
            deck.aside(12, chain);
        }
        return;
    }
    deck.aside(20, reviewers);
    deck.aside(40, assessors);
    deck.aside(40, chain);
    deck.aside(40, holders);
}

/// `own` says that it is tied to `other`.
fn relate(
    hand: &mut Hand,
    own: OrganisationId,
    other: OrganisationId,
    kind: RelationKind,
) -> Option<Draft> {
    let act = OrganisationAct::Relate(GroupDeclaration {
        other,
        kind,
        evidence: hand.hash(),
    });
    hand.by(own, &[Role::Primary], Body::Organisation(act))
}

/// The two become one group in this block: the first record, with the second to follow.
pub fn join(hand: &mut Hand, own: OrganisationId, other: OrganisationId) -> Option<Draft> {
    if own == other || groups::related(hand.t, own, other) {
        return None;
    }
    let (a, b) = (own.min(other), own.max(other));
    let pair = (a, b, 0)..=(a, b, u32::MAX);
    let relation = hand.t.edges.range(pair).count() as u32 + 1;
    hand.then(move |hand| {
        let act = OrganisationAct::ConfirmRelation {
            other: own,
            relation,
        };
        hand.by(other, &[Role::Primary], Body::Organisation(act))
    });
    relate(hand, own, other, RelationKind::Control)
}

fn home(hand: &Hand, person: PersonId) -> Option<OrganisationId> {
    Some(hand.t.persons.get(&person)?.home)
}

fn reviewers(hand: &mut Hand) -> Option<Draft> {
    let under: Vec<_> = hand
        .t
        .applications
        .iter()
        .filter(|(_, entry)| entry.status == ApplicationStatus::UnderReview)
        .map(|(number, entry)| (*number, entry.applicant, entry.call))
        .collect();
    let (application, applicant, call) = *hand.random.pick(&under)?;
    let reviews = hand
        .t
        .review_of
        .range((application, Id::MIN)..=(application, Id::MAX));
    let standing: Vec<_> = reviews
        .filter_map(|(_, review)| hand.t.reviews.get(review))
        .filter(|review| review.status.stands())
        .cloned()
        .collect();
    let first = standing.first()?.clone();
    let review = standing.last()?.clone();
    let own = home(hand, review.person)?;
    let draft = if standing.len() > 1 && hand.random.percent(60) {
        let other = home(hand, first.person)?;
        join(hand, own, other)?
    } else {
        relate(hand, own, applicant, RelationKind::Investor)?
    };
    if hand.random.percent(50) {
        hand.then(move |hand| review::act(hand, review.number));
    }
    hand.then(move |hand| {
        let company = hand.company()?;
        hand.by(company, &[], Body::Call(CallAct::Rank { call }))
    });
    Some(draft)
}

fn assessors(hand: &mut Hand) -> Option<Draft> {
    let under: Vec<_> = hand
        .t
        .milestones
        .iter()
        .filter(|(_, m)| m.state == MilestoneState::Assessing && m.assessors.len() > 1)
        .map(|(number, milestone)| (*number, milestone.clone()))
        .collect();
    let (number, milestone) = hand.random.pick(&under)?.clone();
    let last = milestone.assessors.last()?;
    let person = last.person;
    let draft = if hand.random.percent(60) {
        let other = milestone.assessors.first()?.home;
        join(hand, last.home, other)?
    } else {
        let grantee = hand.t.agreements.get(&milestone.agreement)?.grantee;
        relate(hand, last.home, grantee, RelationKind::Investor)?
    };
    hand.then(move |hand| payment::assess(hand, number, person));
    Some(draft)
}

/// Whoever certified or approved is tied to the grantee in the same block; the payment goes on.
fn chain(hand: &mut Hand) -> Option<Draft> {
    let certifies = |payment: &Payment| payment.state == PaymentState::Requested;
    let approves = |payment: &Payment| {
        payment.state == PaymentState::Certified
            && payment.approvals + 2 == payment.approvals_needed
    };
    let under: Vec<_> = hand
        .t
        .payments
        .iter()
        .filter(|(_, payment)| certifies(payment) || approves(payment))
        .map(|(number, payment)| (*number, payment.clone()))
        .collect();
    let (number, payment) = hand.random.pick(&under)?.clone();
    let grantee = hand.t.agreements.get(&payment.agreement)?.grantee;
    let draft = if certifies(&payment) {
        payment::certify(hand, number)?
    } else {
        payment::approve(hand, number)?
    };
    // Officers of the office's own staff are tied to nobody.
    let own = home(hand, draft.signers.first()?.0)?;
    if hand.t.organisations.get(&own)?.kind != OrganisationKind::Company {
        return None;
    }
    hand.then(move |hand| relate(hand, own, grantee, RelationKind::Investor));
    if certifies(&payment) {
        hand.then(move |hand| payment::approve_after(hand, number));
    } else {
        hand.then(move |hand| payment::approve(hand, number));
    }
    Some(draft)
}

/// The second voice for a hold comes from the group of the first.
fn holders(hand: &mut Hand) -> Option<Draft> {
    let mut called = hand.t.payments.iter();
    let (number, first) = called.find_map(|(number, payment)| {
        let first = payment.hold_called_by?;
        (payment.state == PaymentState::Approved).then_some((*number, first))
    })?;
    let board: Vec<_> = hand
        .board()
        .into_iter()
        .filter(|seat| *seat != first)
        .collect();
    let second = *hand.random.pick(&board)?;
    hand.then(move |hand| payment::hold_by(hand, number, second));
    join(hand, first, second)
}
