//! Posts that are offered, held, given up.

use rollbook_core::id::PostId;
use rollbook_core::identity::{Role, Scope};
use rollbook_core::object::post::{Post, PostStatus};
use rollbook_core::record::{Body, MotionAct};

use crate::random::hand::{Deck, Draft, Hand};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Posts);
    for (number, post) in hand.t.posts.iter() {
        let number = *number;
        match post.status {
            PostStatus::Offered if !hand.idles("offer", number.0) => {
                deck.goal(2, move |hand| {
                    let act = if hand.random.percent(80) {
                        MotionAct::AcceptPost { post: number }
                    } else {
                        MotionAct::DeclinePost { post: number }
                    };
                    by_holder(hand, number, act)
                });
            }
            PostStatus::Held | PostStatus::HeldOver | PostStatus::Accepted
                if gives_up(hand, post) =>
            {
                deck.aside(1, move |hand| {
                    by_holder(hand, number, MotionAct::ResignPost { post: number })
                });
            }
            PostStatus::Ended | PostStatus::Declined | PostStatus::Lapsed
                if hand.fate("resigns late", number.0) < 15 =>
            {
                deck.aside(1, move |hand| {
                    by_holder(hand, number, MotionAct::ResignPost { post: number })
                });
            }
            _ => {}
        }
    }
    deck.aside(1, |hand| {
        let post = hand.id(&hand.t.posts)?;
        let acts = [
            MotionAct::AcceptPost { post },
            MotionAct::DeclinePost { post },
            MotionAct::ResignPost { post },
        ];
        let act = hand.random.pick(&acts)?.clone();
        if hand.random.percent(50) {
            // By somebody else.
            return hand.office(Role::Secretary, Scope::Alliance, None, Body::Motion(act));
        }
        let holds = hand.t.posts.get(&post)?.status.in_force();
        // Posts are what everything else needs: few are given up.
        if holds && matches!(act, MotionAct::ResignPost { .. }) {
            return None;
        }
        by_holder(hand, post, act)
    });
}

fn gives_up(hand: &Hand, post: &Post) -> bool {
    let others = hand.t.posts.iter().filter(|(_, other)| {
        other.role == post.role && other.scope == post.scope && other.status.in_force()
    });
    let spare = others.count() > 1 || post.role == Role::Registrar || post.role == Role::Auditor;
    spare && hand.fate("resigns", post.number.0) < 12
}

fn by_holder(hand: &mut Hand, number: PostId, act: MotionAct) -> Option<Draft> {
    let post = hand.t.posts.get(&number)?;
    let (holder, role, office) = (post.holder, post.role, post.office);
    let person = hand.t.persons.get(&holder)?;
    if let Some(own) = person.roles.first().filter(|_| hand.random.percent(50)) {
        let own = *own;
        return hand.alone(holder, own, Body::Motion(act));
    }
    Some(Draft {
        principal: office,
        signers: vec![(holder, role)],
        body: Body::Motion(act),
    })
}
