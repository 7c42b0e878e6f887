//! Chances by family: which acts would lead an object of the ledger one step on, or begin something.
//!
//! A chance asks the tables who must act and fills the act with what fits. It does not ask for every
//! guard: a careless choice is how refusals come about beside the deliberate ones of
//! [`twist`](super::twist).

mod affairs;
mod award;
mod call;
mod fund;
mod grant;
mod life;
mod membership;
mod motion;
mod network;
mod payment;
mod people;
mod post;
mod propose;
mod review;
mod seat;
mod standing;
mod tie;

use rollbook_core::object::chain::ChainFacts;
use rollbook_core::record::{Body, OrganisationAct};

use crate::random::hand::{Deck, Hand};
use crate::random::mood::Family;
use rollbook_core::identity::Role;

pub use seat::is_sealed;

/// Every chance there is now.
pub fn deck(hand: &Hand) -> Deck {
    let mut deck = Deck::default();
    let facts: ChainFacts = hand.t.chain.get(&0).cloned().unwrap_or_default();
    deck.of(hand.mood, Family::People);
    for (founder, signed) in hand.t.founders.iter() {
        let (founder, signed) = (*founder, *signed);
        if signed == 0 {
            deck.goal(4, move |hand| {
                hand.by(
                    founder,
                    &[Role::Primary],
                    Body::Organisation(OrganisationAct::Found),
                )
            });
        }
    }
    // Nothing else is accepted before the last founder has signed; now and then somebody tries.
    let founding = facts.founders_missing > 0;
    if founding && hand.fate("founding", hand.memory.applied.len() as u32) < 70 {
        return deck;
    }
    network::chances(hand, &mut deck);
    membership::chances(hand, &mut deck);
    standing::chances(hand, &mut deck);
    motion::chances(hand, &mut deck);
    propose::chances(hand, &mut deck);
    post::chances(hand, &mut deck);
    seat::chances(hand, &mut deck);
    people::chances(hand, &mut deck);
    affairs::chances(hand, &mut deck);
    fund::chances(hand, &mut deck);
    call::chances(hand, &mut deck);
    review::chances(hand, &mut deck);
    award::chances(hand, &mut deck);
    payment::chances(hand, &mut deck);
    life::chances(hand, &mut deck);
    tie::chances(hand, &mut deck);
    if founding {
        deck.goals = 1;
    }
    deck
}
