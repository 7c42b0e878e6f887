//! Reviews: declared, sealed, revealed, made final by the persons drawn.

use rollbook_core::id::ReviewId;
use rollbook_core::identity::Role;
use rollbook_core::object::review::{Review, ReviewStatus};
use rollbook_core::record::{Body, CallAct, ConflictKind, ReviewDeclaration, Revision, Scores};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::Hash;

use crate::random::hand::{Deck, Draft, Hand};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Reviews);
    for (number, review) in hand.t.reviews.iter() {
        if hand.idles("review", number.0) {
            continue;
        }
        of_review(hand, deck, *number, review);
    }
    deck.aside(1, |hand| {
        let review = hand.id(&hand.t.reviews)?;
        match hand.random.below(4) {
            0 => declare(hand, review),
            1 => seal(hand, review),
            2 => reveal(hand, review),
            _ => finalise(hand, review),
        }
    });
}

/// The next step of a review, whatever it is.
pub fn act(hand: &mut Hand, number: ReviewId) -> Option<Draft> {
    match hand.t.reviews.get(&number)?.status {
        ReviewStatus::Assigned => declare(hand, number),
        ReviewStatus::Clear => seal(hand, number),
        ReviewStatus::Sealed => reveal(hand, number),
        _ => finalise(hand, number),
    }
}

fn of_review(hand: &Hand, deck: &mut Deck, number: ReviewId, review: &Review) {
    let reveals = DeadlineKind::ReviewReveal as u16;
    match review.status {
        ReviewStatus::Assigned => deck.urgent(move |hand| declare(hand, number)),
        ReviewStatus::Clear => {
            deck.urgent(move |hand| seal(hand, number));
            if hand.fate("recused later", number.0) < 8 {
                deck.aside(2, move |hand| declare(hand, number));
            }
        }
        ReviewStatus::Sealed if hand.t.deadline_of.contains(&(reveals, number.0)) => {
            deck.urgent(move |hand| reveal(hand, number));
        }
        ReviewStatus::Sealed => deck.aside(1, move |hand| reveal(hand, number)),
        ReviewStatus::Revealed => deck.goal(2, move |hand| finalise(hand, number)),
        _ => {}
    }
}

/// What this reviewer gives: the same whenever it is asked.
fn scores(hand: &Hand, review: ReviewId) -> Scores {
    let secret = hand.keys.secret(&format!("scores/{}", review.0));
    // Seldom so low that a threshold is missed.
    let of = |byte: u8| match byte {
        0..20 => 1,
        _ => 4 + u32::from(byte) % 7,
    };
    let mut scores = vec![of(secret[0]), of(secret[1])];
    match secret[2] {
        0..6 => scores.push(1),
        6..14 => scores[0] = 11,
        _ => {}
    }
    Scores(scores)
}

fn comment(hand: &Hand, review: ReviewId) -> Hash {
    Hash(hand.keys.secret(&format!("comment/{}", review.0)))
}

fn salt(hand: &Hand, review: ReviewId) -> [u8; 32] {
    hand.keys.secret(&format!("salt/{}", review.0))
}

fn by_reviewer(hand: &mut Hand, review: ReviewId, act: CallAct) -> Option<Draft> {
    let person = hand.t.reviews.get(&review)?.person;
    if hand.random.percent(2) {
        let all = hand.technical();
        let other = *hand.random.pick(&all)?;
        return hand.alone(other, Role::Technical, Body::Call(act));
    }
    hand.alone(person, Role::Technical, Body::Call(act))
}

fn declare(hand: &mut Hand, review: ReviewId) -> Option<Draft> {
    let declaration = match hand.random.below(20) {
        0 => ReviewDeclaration::Declined,
        1 => ReviewDeclaration::Recused(ConflictKind::Competitor),
        _ => ReviewDeclaration::Clear,
    };
    let act = CallAct::Declare {
        review,
        declaration,
    };
    by_reviewer(hand, review, act)
}

fn seal(hand: &mut Hand, review: ReviewId) -> Option<Draft> {
    let scores = scores(hand, review);
    let seal = scores.seal(&salt(hand, review), review, &comment(hand, review));
    by_reviewer(hand, review, CallAct::Seal { review, seal })
}

fn reveal(hand: &mut Hand, review: ReviewId) -> Option<Draft> {
    let mut scores = scores(hand, review);
    if hand.random.percent(4) {
        scores.0[0] ^= 1;
    }
    let act = CallAct::Reveal {
        review,
        scores,
        comment: comment(hand, review),
        salt: salt(hand, review),
    };
    by_reviewer(hand, review, act)
}

fn finalise(hand: &mut Hand, review: ReviewId) -> Option<Draft> {
    let revision = if hand.random.percent(25) {
        let first = hand.random.between(4, 11) as u32;
        let second = hand.random.between(4, 10) as u32;
        Some(Revision {
            scores: Scores(vec![first, second]),
            reason: hand.hash(),
        })
    } else {
        None
    };
    by_reviewer(hand, review, CallAct::Finalise { review, revision })
}
