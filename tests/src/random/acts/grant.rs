//! Awards, and what becomes of ranked applications and held payments: the motions of grants.

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{ApplicationId, Id};
use rollbook_core::object::application::{Application, ApplicationStatus};
use rollbook_core::object::award::AwardState;
use rollbook_core::object::call::CallStatus;
use rollbook_core::object::payment::PaymentState;
use rollbook_core::record::{
    GrantAward, LiftHold, MotionEffect, PlaceApplication, Placing, RevokeAward,
};

use crate::random::acts::propose::{pending, propose};
use crate::random::hand::{Deck, Draft, Hand};

pub fn awards(hand: &Hand, deck: &mut Deck) {
    for (number, call) in hand.t.calls.iter() {
        if !matches!(call.status, CallStatus::Ranked | CallStatus::Decided) {
            continue;
        }
        let entries = hand
            .t
            .call_applications
            .range((*number, Id::MIN)..=(*number, Id::MAX))
            .filter_map(|((_, application), _)| hand.t.applications.get(application));
        let mut ranked: Vec<&Application> = entries
            .filter(|entry| {
                let asked = pending(hand, |effect| match effect {
                    MotionEffect::GrantAward(plan) => plan.application == entry.number,
                    MotionEffect::PlaceApplication(plan) => plan.application == entry.number,
                    _ => false,
                });
                entry.status == ApplicationStatus::Ranked && !asked
            })
            .collect();
        ranked.sort_by_key(|entry| entry.rank);
        for (at, entry) in ranked.iter().enumerate() {
            let application = entry.number;
            let weight = if at == 0 { 3 } else { 1 };
            if at == 0 || hand.fate("beside", application.0) < 50 {
                deck.goal(weight, move |hand| grant(hand, application, at > 0));
            }
            if at > 0 || hand.fate("placed", application.0) < 45 {
                deck.aside(2, move |hand| place(hand, application));
            }
        }
    }
    for (number, entry) in hand.t.applications.iter() {
        let application = *number;
        if entry.status == ApplicationStatus::Reserve {
            deck.goal(1, move |hand| grant(hand, application, false));
        } else if hand.fate("no rank", number.0) < 8 {
            deck.aside(1, move |hand| grant(hand, application, false));
            deck.aside(1, move |hand| place(hand, application));
        }
    }
    for (award, entry) in hand.t.awards.iter() {
        let award = *award;
        let ends = matches!(entry.state, AwardState::Lapsed | AwardState::Revoked);
        let draft = entry.agreement.is_some();
        if hand.fate("revoked", award.0) < if draft { 15 } else { 30 } && !ends {
            deck.aside(6, move |hand| revoke(hand, award));
        }
    }
    deck.aside(1, |hand| {
        let award = hand.id(&hand.t.awards)?;
        let agreement = hand.t.awards.get(&award).and_then(|award| award.agreement);
        // One that is in force cannot be revoked; others are left to their fate.
        agreement?;
        if hand.random.percent(30) {
            revoke(hand, award)
        } else {
            None
        }
    });
    for (payment, entry) in hand.t.payments.iter() {
        let payment = *payment;
        let lifting = pending(
            hand,
            |effect| matches!(effect, MotionEffect::LiftHold(plan) if plan.payment == payment),
        );
        let lift = move |hand: &mut Hand| {
            let reason = hand.hash();
            propose(hand, MotionEffect::LiftHold(LiftHold { payment, reason }))
        };
        if entry.state == PaymentState::Held && !lifting {
            deck.goal(2, lift);
        } else if hand.fate("lifted", payment.0) < 5 {
            deck.aside(1, lift);
        }
    }
}

fn revoke(hand: &mut Hand, award: rollbook_core::id::AwardId) -> Option<Draft> {
    let reason = hand.hash();
    propose(
        hand,
        MotionEffect::RevokeAward(RevokeAward { award, reason }),
    )
}

fn place(hand: &mut Hand, application: ApplicationId) -> Option<Draft> {
    let placing = if hand.random.percent(65) {
        Placing::Reserve
    } else {
        Placing::NotRecommended
    };
    let plan = PlaceApplication {
        application,
        placing,
        reason: hand.hash(),
    };
    propose(hand, MotionEffect::PlaceApplication(plan))
}

fn grant(hand: &mut Hand, application: ApplicationId, worse: bool) -> Option<Draft> {
    let entry = hand.t.applications.get(&application)?;
    let call = hand.t.calls.get(&entry.call)?;
    let fund = call.terms.fund;
    let left = hand.balance(fund, AccountKind::Call(call.number));
    let left = u64::try_from(left).ok()?;
    let ask = entry.ask().0.max(1);
    let amount = match hand.random.below(20) {
        0 => ask + 1,
        1 => left + 1,
        2..9 => ask,
        _ => {
            let share = u128::from(call.terms.budget.0) * u128::from(call.concentration_bp);
            let most = ask.min(left).min((share / 10_000) as u64).max(1);
            // The fund's limit for a group.
            let bp = u64::from(hand.charter().funding.fund_concentration_bp);
            let receipts = hand
                .t
                .accounts
                .iter()
                .filter(|(account, _)| {
                    account.fund == fund && matches!(account.kind, AccountKind::Member(_))
                })
                .map(|(_, balance)| -balance.0)
                .sum::<i128>();
            let cap = (receipts * i128::from(bp) / 10_000) as u64;
            let most = most.min(cap.max(1));
            if hand.random.percent(50) {
                most
            } else {
                hand.random.between(1, most)
            }
        }
    };
    let unit = &hand.t.funds.get(&fund)?.unit;
    let limits = hand.t.parameters.get(&call.charter)?.limits(unit)?.clone();
    let needed = if amount <= limits.committee_limit.0 {
        BodyKind::Committee
    } else if amount <= limits.board_limit.0 {
        BodyKind::Board
    } else {
        BodyKind::Assembly
    };
    let out_of_rank = if worse {
        hand.random.percent(60)
    } else {
        hand.random.percent(4)
    };
    let mut body = needed;
    if out_of_rank {
        body = body.max(BodyKind::Board);
    }
    if hand.random.percent(20) {
        body = body.above().unwrap_or(body);
    } else if hand.random.percent(5) {
        let bodies = [BodyKind::WorkingGroup, BodyKind::Committee];
        body = *hand.random.pick(&bodies)?;
    }
    let out_of_rank = if out_of_rank { Some(hand.hash()) } else { None };
    let plan = GrantAward {
        application,
        amount: Amount(amount),
        body,
        out_of_rank,
    };
    propose(hand, MotionEffect::GrantAward(plan))
}
