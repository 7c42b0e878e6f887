//! Milestones and payments, from the evidence to the acknowledgement.

use rollbook_core::account::Amount;
use rollbook_core::id::{AgreementId, MilestoneId, PaymentId, PersonId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::lookup::groups;
use rollbook_core::object::agreement::{Agreement, AgreementState};
use rollbook_core::object::deed::Step;
use rollbook_core::object::milestone::{Milestone, MilestoneState};
use rollbook_core::object::payment::{Payment, PaymentState};
use rollbook_core::record::{
    Body, Decision, Evidence, EvidenceKind, Finding, Instruction, PaymentAct, Scheme, Tranche,
};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::number::OrganisationId;

use crate::random::acts::{life, tie};
use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Payments);
    for (number, milestone) in hand.t.milestones.iter() {
        of_milestone(hand, deck, *number, milestone);
    }
    for (number, agreement) in hand.t.agreements.iter() {
        requests(hand, deck, *number, agreement);
    }
    for (number, payment) in hand.t.payments.iter() {
        of_payment(hand, deck, *number, payment);
    }
    deck.aside(1, |hand| {
        let number = hand.id(&hand.t.payments)?;
        match hand.random.below(7) {
            0 => certify(hand, number),
            1 => approve(hand, number),
            2 => hold(hand, number),
            3 => release(hand, number),
            4 => settle(hand, number),
            5 => acknowledge(hand, number),
            _ => dispute(hand, number),
        }
    });
    deck.aside(1, |hand| {
        let number = hand.id(&hand.t.milestones)?;
        submit(hand, number)
    });
}

fn agreement_of(hand: &Hand, payment: &Payment) -> Option<Agreement> {
    hand.t.agreements.get(&payment.agreement).cloned()
}

fn of_milestone(hand: &Hand, deck: &mut Deck, number: MilestoneId, milestone: &Milestone) {
    let Some(agreement) = hand.t.agreements.get(&milestone.agreement) else {
        return;
    };
    let others_open = milestone.is_final
        && agreement.milestones().any(|other| {
            other != number
                && hand
                    .t
                    .milestones
                    .get(&other)
                    .is_some_and(|other| !other.state.is_terminal())
        });
    match milestone.state {
        MilestoneState::Planned | MilestoneState::Rework if !others_open => {
            deck.goal(2, move |hand| submit(hand, number));
        }
        MilestoneState::Assessing => {
            for assessor in &milestone.assessors {
                let person = assessor.person;
                if assessor.finding.is_none() && !hand.idles("assessor", number.0 * 100 + person.0)
                {
                    deck.goal(2, move |hand| assess(hand, number, person));
                } else {
                    deck.aside(1, move |hand| assess(hand, number, person));
                }
            }
            if hand.fate("not assessor", number.0) < 10 {
                deck.aside(1, move |hand| {
                    let person = hand.person()?;
                    assess(hand, number, person)
                });
            }
        }
        _ if hand.fate("milestone again", number.0) < 30 => {
            deck.aside(1, move |hand| submit(hand, number));
            if let Some(assessor) = milestone.assessors.first() {
                let person = assessor.person;
                deck.aside(1, move |hand| assess(hand, number, person));
            }
        }
        _ => {}
    }
}

fn submit(hand: &mut Hand, number: MilestoneId) -> Option<Draft> {
    let milestone = hand.t.milestones.get(&number)?;
    let grantee = hand.t.agreements.get(&milestone.agreement)?.grantee;
    let kinds = [
        EvidenceKind::Document,
        EvidenceKind::Doi,
        EvidenceKind::Patent,
    ];
    let kind = *hand.random.pick(&kinds)?;
    // The same document for several milestones, said so or not.
    let hash = if hand.random.percent(30) {
        rollbook_proof::crypto::sha256(b"one document for all")
    } else {
        hand.hash()
    };
    let shared = hand.random.percent(30);
    let evidence = vec![Evidence { kind, hash, shared }];
    let act = Body::Payment(PaymentAct::Submit {
        milestone: number,
        evidence,
    });
    let grantee = if hand.random.percent(97) {
        grantee
    } else {
        hand.company()?
    };
    hand.by(grantee, &[Role::Technical], act)
}

pub fn assess(hand: &mut Hand, number: MilestoneId, person: PersonId) -> Option<Draft> {
    let milestone = hand.t.milestones.get(&number)?.clone();
    let planned = milestone.planned;
    // What the milestone is worth is the same for whoever looks at it, mostly.
    let round = number.0 * 10 + milestone.reworks;
    let finding = match hand.fate("worth", round) {
        _ if hand.random.percent(22) => match hand.random.below(5) {
            0 => Finding::Rework,
            1 => Finding::Reject,
            2 => Finding::Accept(Amount(planned.0 + 1)),
            3 => Finding::Accept(Amount(0)),
            _ => Finding::Accept(Amount(planned.0 / 3 + 1)),
        },
        0..14 => Finding::Rework,
        14..18 => Finding::Reject,
        18..32 => Finding::Accept(Amount(planned.0 / 2 + 1)),
        _ => Finding::Accept(planned),
    };
    let given = milestone.assessors.iter().find_map(|other| other.finding);
    let finding = match given {
        // The third joins one of the two.
        Some(given) if milestone.assessors.len() == 3 && hand.random.percent(60) => given,
        Some(_) if milestone.assessors.len() == 3 => Finding::Accept(Amount(planned.0 / 5 + 1)),
        _ => finding,
    };
    let act = Body::Payment(PaymentAct::Assess {
        milestone: number,
        finding,
        report: hand.hash(),
    });
    hand.alone(person, Role::Technical, act)
}

fn requests(hand: &Hand, deck: &mut Deck, number: AgreementId, agreement: &Agreement) {
    let in_force = agreement.state == AgreementState::InForce;
    let completed = matches!(
        agreement.state,
        AgreementState::Completed | AgreementState::Terminated
    );
    let ask = |tranche| move |hand: &mut Hand| request(hand, number, tranche);
    let advance = agreement.terms.advance > Amount(0)
        && agreement.advance_payment.is_none()
        && agreement.paid.gross == Amount(0);
    if in_force && advance && hand.fate("advance", number.0) < 75 {
        deck.goal(2, ask(Tranche::Advance));
    }
    if in_force || completed {
        for milestone in agreement.milestones() {
            let Some(entry) = hand.t.milestones.get(&milestone) else {
                continue;
            };
            let tranche = Tranche::Milestone(milestone);
            if entry.state.is_accepted() && entry.payment.is_none() && !entry.is_final {
                deck.goal(2, ask(tranche));
            } else if hand.fate("asks early", milestone.0) < 8 {
                deck.aside(1, ask(tranche));
            }
        }
    }
    if completed && agreement.holdback_payment.is_none() {
        deck.goal(1, ask(Tranche::Holdback));
    }
    if hand.fate("asks anyhow", number.0) < 50 {
        deck.aside(1, ask(Tranche::Advance));
        deck.aside(1, ask(Tranche::Holdback));
        deck.aside(1, move |hand| {
            let milestone = hand.id(&hand.t.milestones)?;
            request(hand, number, Tranche::Milestone(milestone))
        });
    }
}

/// What the ledger computes for a tranche.
fn payable(hand: &Hand, agreement: &Agreement, tranche: Tranche) -> Option<Amount> {
    Some(match tranche {
        Tranche::Advance => agreement.terms.advance,
        Tranche::Milestone(number) => {
            let milestone = hand.t.milestones.get(&number)?;
            let others = agreement.milestones().filter(|other| *other != number);
            let last = others
                .filter_map(|other| hand.t.milestones.get(&other))
                .filter(|other| !other.is_final)
                .all(|other| {
                    other.state.is_terminal()
                        && (!other.state.is_accepted() || other.payment.is_some())
                });
            let share = agreement.paid.share(
                &agreement.terms,
                milestone.planned,
                milestone.accepted,
                last,
            );
            share.net
        }
        Tranche::Holdback => {
            let mut paid = agreement.paid;
            paid.holdback = Amount(0);
            paid.holdback_due(agreement.accepted)
        }
    })
}

fn request(hand: &mut Hand, number: AgreementId, tranche: Tranche) -> Option<Draft> {
    let agreement = hand.t.agreements.get(&number)?.clone();
    let mut amount = payable(hand, &agreement, tranche)?.max(Amount(1));
    if hand.random.percent(5) {
        amount.0 += 1;
    }
    let act = Body::Payment(PaymentAct::Request {
        agreement: number,
        tranche,
        amount,
    });
    // An advance that the rest no longer covers is certified before the clock refuses it.
    if let (Tranche::Milestone(_), Some(advance)) = (tranche, agreement.advance_payment)
        && hand
            .t
            .payments
            .get(&advance)
            .is_some_and(|advance| advance.state == PaymentState::Requested)
    {
        hand.then(move |hand| certify(hand, advance));
    }
    let grantee = if hand.random.percent(97) {
        agreement.grantee
    } else {
        hand.company()?
    };
    hand.by(grantee, &[Role::Finance], act)
}

fn of_payment(hand: &Hand, deck: &mut Deck, number: PaymentId, payment: &Payment) {
    let delay = (DeadlineKind::PayoutDelay as u16, number.0);
    if hand.idles("payment", number.0 * 16 + payment.state as u32) {
        return;
    }
    match payment.state {
        // An advance may wait until the milestones no longer cover it.
        PaymentState::Requested
            if payment.tranche == Tranche::Advance && hand.fate("waits", number.0) < 55 => {}
        PaymentState::Requested => deck.goal(2, move |hand| certify(hand, number)),
        PaymentState::Certified => deck.goal(2, move |hand| approve(hand, number)),
        // A payment from which a recovery is to be taken is not released meanwhile.
        PaymentState::Approved if owes_elsewhere(hand, payment) => {
            deck.aside(1, move |hand| release(hand, number));
            deck.aside(2, move |hand| approve(hand, number));
        }
        PaymentState::Approved => {
            if hand.t.deadline_of.contains(&delay) {
                if hand.fate("held", number.0) < 50 {
                    deck.goal(4, move |hand| hold(hand, number));
                }
                deck.aside(1, move |hand| release(hand, number));
                deck.aside(1, move |hand| hold(hand, number));
            } else {
                deck.goal(2, move |hand| release(hand, number));
            }
            deck.aside(1, move |hand| approve(hand, number));
        }
        PaymentState::Held => {
            deck.aside(5, move |hand| release(hand, number));
            deck.aside(2, move |hand| hold(hand, number));
        }
        PaymentState::Returned => deck.goal(2, move |hand| release(hand, number)),
        PaymentState::Released => {
            if hand.fate("returned", number.0 * 8 + payment.attempts) < 30 {
                deck.goal(4, move |hand| give_back(hand, number));
            }
            deck.goal(1, move |hand| settle(hand, number));
        }
        PaymentState::Settled | PaymentState::Unacknowledged => {
            deck.goal(1, move |hand| acknowledge(hand, number));
            if hand.fate("disputed", number.0) < 45 {
                deck.goal(1, move |hand| dispute(hand, number));
            }
        }
        PaymentState::Acknowledged
        | PaymentState::Disputed
        | PaymentState::Refused
        | PaymentState::SetOff => {}
    }
}

/// Whether whoever is paid owes a recovery of another agreement that is to be taken from the payment.
fn owes_elsewhere(hand: &Hand, payment: &Payment) -> bool {
    let Some(agreement) = hand.t.agreements.get(&payment.agreement) else {
        return false;
    };
    let mut owed = hand.t.recoveries.iter().filter(|(_, recovery)| {
        recovery.status.is_open()
            && recovery.grantee == agreement.grantee
            && recovery.agreement() != payment.agreement
    });
    owed.any(|(number, _)| life::is_to_be_set_off(hand, *number))
}

fn refuse(hand: &mut Hand) -> Decision {
    Decision::Refuse {
        code: text("documents-missing"),
        reason: hand.hash(),
    }
}

/// A step of the fund's side by whoever holds the post and has not acted in the chain.
fn by_fund(hand: &mut Hand, payment: &Payment, role: Role, act: PaymentAct) -> Option<Draft> {
    let grantee = agreement_of(hand, payment)?.grantee;
    let repeats = matches!(role, Role::Treasurer | Role::SecondOfficer);
    let done: Vec<PersonId> = payment
        .deeds
        .iter()
        .filter(|deed| !(repeats && matches!(deed.step, Step::Release | Step::Confirm)))
        .map(|deed| deed.person)
        .collect();
    let scope = Scope::Fund(payment.fund);
    hand.office_but(role, scope, Some(grantee), &done, Body::Payment(act))
}

pub fn certify(hand: &mut Hand, number: PaymentId) -> Option<Draft> {
    let payment = hand.t.payments.get(&number)?.clone();
    let decision = if hand.random.percent(92) {
        Decision::Pass
    } else {
        refuse(hand)
    };
    let act = PaymentAct::Certify {
        payment: number,
        decision,
    };
    by_fund(hand, &payment, Role::ProgrammeOfficer, act)
}

/// Approves what was certified in this very block.
pub fn approve_after(hand: &mut Hand, number: PaymentId) -> Option<Draft> {
    let payment = hand.t.payments.get(&number)?.clone();
    let act = PaymentAct::Approve {
        payment: number,
        certified: hand.memory.certified?,
        amount: payment.amount,
        decision: Decision::Pass,
    };
    by_fund(hand, &payment, Role::FinanceApprover, act)
}

pub fn approve(hand: &mut Hand, number: PaymentId) -> Option<Draft> {
    let payment = hand.t.payments.get(&number)?.clone();
    let again = payment.state == PaymentState::Approved;
    let decision = if hand.random.percent(if again { 50 } else { 95 }) {
        Decision::Pass
    } else {
        refuse(hand)
    };
    let mut certified = payment.certified.unwrap_or_default();
    let mut amount = payment.amount;
    match hand.random.below(30) {
        0 => certified = hand.hash(),
        1 => amount.0 += 1,
        _ => {}
    }
    let act = PaymentAct::Approve {
        payment: number,
        certified,
        amount,
        decision,
    };
    by_fund(hand, &payment, Role::FinanceApprover, act)
}

fn hold(hand: &mut Hand, number: PaymentId) -> Option<Draft> {
    let payment = hand.t.payments.get(&number)?.clone();
    let grantee = agreement_of(hand, &payment)?.grantee;
    let mut seats = hand.board();
    if hand.random.percent(90) {
        seats.retain(|seat| !groups::has_conflict(hand.t, *seat, grantee));
        if let Some(first) = payment.hold_called_by {
            seats.retain(|seat| !groups::related(hand.t, *seat, first));
        }
    }
    let seat: OrganisationId = if hand.random.percent(93) {
        *hand.random.pick(&seats)?
    } else {
        hand.company()?
    };
    // The second voice, of the same group as the first since this block.
    if payment.hold_called_by.is_none() && hand.random.percent(45) {
        let board = hand.board();
        let second = *hand.random.pick(&board)?;
        if let Some(draft) = tie::join(hand, second, seat) {
            let first = hold_by(hand, number, seat);
            hand.then(move |hand| hold_by(hand, number, second));
            hand.first(first?);
            return Some(draft);
        }
    }
    hold_by(hand, number, seat)
}

pub fn hold_by(hand: &mut Hand, payment: PaymentId, seat: OrganisationId) -> Option<Draft> {
    let ground = hand.hash();
    let act = Body::Payment(PaymentAct::Hold { payment, ground });
    if hand.random.percent(3) {
        return hand.office(Role::Secretary, Scope::Alliance, None, act);
    }
    hand.by(seat, &[Role::Primary], act)
}

pub fn release(hand: &mut Hand, number: PaymentId) -> Option<Draft> {
    let payment = hand.t.payments.get(&number)?.clone();
    let mut account = agreement_of(hand, &payment)?.account;
    let mut amount = payment.amount;
    match hand.random.below(14) {
        0 => account = hand.hash(),
        1 => amount.0 += 1,
        _ => {}
    }
    let made = hand.memory.number();
    // Now and then the reference of an earlier instruction.
    let earlier = hand.t.payments.iter().find_map(|(other, payment)| {
        let instruction = payment.instruction.as_ref()?;
        (*other != number).then(|| instruction.reference.clone())
    });
    let (scheme, uetr) = if hand.random.percent(50) {
        let uetr = format!("00000000-0000-4000-8000-{made:012}");
        (Scheme::Swift, Some(text(uetr)))
    } else {
        (Scheme::Hvps, None)
    };
    let act = PaymentAct::Release {
        payment: number,
        instruction: Instruction {
            scheme,
            reference: match earlier {
                Some(earlier) if hand.random.percent(12) => earlier,
                _ => text(format!("PAY-{made}")),
            },
            uetr,
            account,
            amount,
        },
    };
    by_fund(hand, &payment, Role::Treasurer, act)
}

fn settle(hand: &mut Hand, number: PaymentId) -> Option<Draft> {
    let payment = hand.t.payments.get(&number)?.clone();
    let mut amount = payment.amount;
    if hand.random.percent(4) {
        amount.0 += 1;
    }
    let act = PaymentAct::Settle {
        payment: number,
        reference: hand.reference(),
        amount,
    };
    by_fund(hand, &payment, Role::SecondOfficer, act)
}

fn give_back(hand: &mut Hand, number: PaymentId) -> Option<Draft> {
    let payment = hand.t.payments.get(&number)?.clone();
    let act = PaymentAct::Return {
        payment: number,
        reference: hand.reference(),
        amount: payment.amount,
        reason: text("AC04"),
    };
    by_fund(hand, &payment, Role::SecondOfficer, act)
}

fn acknowledge(hand: &mut Hand, number: PaymentId) -> Option<Draft> {
    let payment = hand.t.payments.get(&number)?.clone();
    let mut amount = payment.amount;
    if hand.random.percent(10) {
        amount.0 += 1;
    }
    let act = Body::Payment(PaymentAct::Acknowledge {
        payment: number,
        amount,
    });
    let grantee = if hand.random.percent(92) {
        agreement_of(hand, &payment)?.grantee
    } else {
        hand.company()?
    };
    hand.by(grantee, &[Role::Finance], act)
}

fn dispute(hand: &mut Hand, number: PaymentId) -> Option<Draft> {
    let payment = hand.t.payments.get(&number)?.clone();
    let grantee = agreement_of(hand, &payment)?.grantee;
    let act = Body::Payment(PaymentAct::Dispute {
        payment: number,
        ground: hand.hash(),
    });
    hand.by(grantee, &[Role::Finance], act)
}
