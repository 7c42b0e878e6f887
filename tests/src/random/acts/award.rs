//! Awards that are accepted, agreements, payee accounts.

use rollbook_core::account::Amount;
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::id::{AgreementId, AwardId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::lookup::posts::post_in_force;
use rollbook_core::object::agreement::{Agreement, AgreementState};
use rollbook_core::object::award::{Award, AwardState};
use rollbook_core::record::{AgreementTerms, AwardAct, Body, Channel, MilestonePlan};
use rollbook_proof::number::OrganisationId;

use crate::random::hand::{Deck, Draft, Hand};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Awards);
    for (number, award) in hand.t.awards.iter() {
        of_award(hand, deck, *number, award);
    }
    for (number, agreement) in hand.t.agreements.iter() {
        of_agreement(hand, deck, *number, agreement);
    }
    deck.aside(1, |hand| {
        let award = hand.id(&hand.t.awards)?;
        let grantee = hand.t.awards.get(&award).map(|award| award.grantee);
        let company = match grantee {
            Some(grantee) if hand.random.percent(50) => grantee,
            _ => hand.company()?,
        };
        let act = AwardAct::Accept { award };
        hand.by(company, &[Role::Primary, Role::Finance], Body::Award(act))
    });
}

fn of_award(hand: &Hand, deck: &mut Deck, number: AwardId, award: &Award) {
    match award.state {
        AwardState::Offered if hand.fate("accepts", number.0) >= 10 => {
            let grantee = award.grantee;
            deck.goal(3, move |hand| {
                let act = AwardAct::Accept { award: number };
                hand.by(grantee, &[Role::Primary], Body::Award(act))
            });
        }
        AwardState::Accepted => {
            let agreement = award.agreement.and_then(|n| hand.t.agreements.get(&n));
            match agreement.map(|agreement| agreement.state) {
                None => deck.goal(3, move |hand| draft(hand, number)),
                Some(AgreementState::Drafted | AgreementState::SignedByGrantee) => {
                    deck.aside(1, move |hand| draft(hand, number));
                }
                _ if hand.fate("drafts again", number.0) < 20 => {
                    deck.aside(1, move |hand| draft(hand, number));
                }
                _ => {}
            }
        }
        _ if hand.fate("drafts early", number.0) < 35 => {
            deck.aside(1, move |hand| draft(hand, number));
        }
        _ => {}
    }
}

/// Terms that fit the award; in one of eight something does not.
fn terms(hand: &mut Hand, award: &Award) -> Option<AgreementTerms> {
    let call = hand.t.calls.get(&award.call)?;
    let (call_hash, unit) = (call.terms_hash, hand.t.funds.get(&award.fund)?.unit.clone());
    let funding = hand.charter().funding;
    let total = award.amount.0;
    let count = hand.random.between(1, 3).min(total.max(1));
    let part = total / count;
    let mut left = total;
    let mut milestones = Vec::new();
    for at in 1..=count {
        let amount = if at == count { left } else { part };
        left -= amount;
        let days = 30 * at + hand.random.below(60);
        milestones.push(MilestonePlan {
            amount: Amount(amount),
            due_ms: hand.now.plus_ms(days * MS_PER_DAY),
            evidence: hand.hash(),
        });
    }
    let cap = u128::from(total) * u128::from(funding.advance_cap_bp) / 10_000;
    let advance = match hand.random.below(4) {
        0 => 0,
        1 => cap as u64,
        _ => hand.random.below(cap as u64 + 1),
    };
    let mut terms = AgreementTerms {
        award: award.number,
        instrument: award.instrument,
        grantee: award.grantee,
        partners: award.partners.clone(),
        parties: hand.hash(),
        document: hand.hash(),
        total: award.amount,
        unit,
        milestones,
        advance: Amount(advance),
        holdback_bp: funding.holdback_bp + 100 * hand.random.below(3) as u32,
        account: hand.hash(),
        charter: hand.t.chain.get(&0)?.charter,
        call: call_hash,
        clawback: hand.hash(),
        survival: hand.hash(),
    };
    if hand.random.percent(45) {
        spoil(hand, &mut terms);
    }
    Some(terms)
}

fn spoil(hand: &mut Hand, terms: &mut AgreementTerms) {
    match hand.random.below(12) {
        0 => terms.grantee = OrganisationId(terms.grantee.0 + 1),
        1 => terms.total = Amount(terms.total.0 + 1),
        2 => terms.unit = rollbook_core::account::Unit::resource("GPU-DAY").unwrap(),
        3 => terms.milestones[0].amount.0 += 1,
        4 => terms.advance = terms.total,
        5 => terms.holdback_bp = 0,
        6 => terms.milestones[0].due_ms = hand.now,
        7 => terms.charter.0 += 1,
        8 => terms.call = hand.hash(),
        9 => {
            terms.partners = vec![rollbook_core::record::Part {
                organisation: OrganisationId(1),
                amount: Amount(1),
            }]
        }
        // So small that nothing is left of it.
        10 if terms.milestones[0].amount.0 > 2 => {
            let first = terms.milestones[0].clone();
            terms.milestones[0].amount.0 -= 1;
            terms.milestones.push(MilestonePlan {
                amount: Amount(1),
                ..first
            });
        }
        _ => terms.holdback_bp = 10_000,
    }
}

fn draft(hand: &mut Hand, number: AwardId) -> Option<Draft> {
    let award = hand.t.awards.get(&number)?.clone();
    let terms = terms(hand, &award)?;
    let scope = Scope::Fund(award.fund);
    let act = Body::Award(AwardAct::Draft(terms));
    hand.office(Role::ProgrammeOfficer, scope, Some(award.grantee), act)
}

fn of_agreement(hand: &Hand, deck: &mut Deck, number: AgreementId, agreement: &Agreement) {
    match agreement.state {
        AgreementState::Drafted => deck.goal(3, move |hand| sign(hand, number)),
        AgreementState::SignedByGrantee => deck.goal(3, move |hand| countersign(hand, number)),
        AgreementState::InForce
        | AgreementState::Completed
        | AgreementState::Suspended
        | AgreementState::Terminated => {
            if hand.fate("account", number.0) < 30 {
                deck.aside(3, move |hand| change_account(hand, number));
            }
            if agreement.change.is_some() {
                deck.aside(12, move |hand| confirm_account(hand, number));
            } else if hand.fate("no change", number.0) < 15 {
                deck.aside(1, move |hand| confirm_account(hand, number));
            }
        }
        AgreementState::Replaced | AgreementState::Closed => {}
    }
    if hand.fate("signs again", number.0) < 50 {
        deck.aside(1, move |hand| sign(hand, number));
        deck.aside(1, move |hand| countersign(hand, number));
        deck.aside(1, move |hand| change_account(hand, number));
    }
}

fn sign(hand: &mut Hand, number: AgreementId) -> Option<Draft> {
    let agreement = hand.t.agreements.get(&number)?.clone();
    let (mut draft, mut terms) = (agreement.drafted, agreement.digest);
    match hand.random.below(25) {
        0 => draft = hand.hash(),
        1 => terms = hand.hash(),
        _ => {}
    }
    let act = Body::Award(AwardAct::Sign {
        agreement: number,
        draft,
        terms,
    });
    let signs = if hand.random.percent(93) {
        agreement.grantee
    } else {
        hand.company()?
    };
    hand.by(signs, &[Role::Primary, Role::Finance], act)
}

fn countersign(hand: &mut Hand, number: AgreementId) -> Option<Draft> {
    let agreement = hand.t.agreements.get(&number)?.clone();
    let (mut signed, mut terms) = (agreement.signed?, agreement.digest);
    match hand.random.below(25) {
        0 => signed = hand.hash(),
        1 => terms = hand.hash(),
        _ => {}
    }
    let act = Body::Award(AwardAct::Countersign {
        agreement: number,
        signed,
        terms,
    });
    let roles = [Role::Treasurer, Role::SecondOfficer, Role::FinanceApprover];
    let mut role = *hand.random.pick(&roles)?;
    if hand.random.percent(3) {
        role = Role::ProgrammeOfficer;
    }
    let scope = Scope::Fund(agreement.fund);
    let not = if hand.random.percent(90) {
        agreement.officers.clone()
    } else {
        Vec::new()
    };
    let mut draft = hand.office_but(role, scope, Some(agreement.grantee), &not, act)?;
    // Two at once, now and then.
    if hand.random.percent(20) {
        let office = draft.principal;
        let first = draft.signers.first()?.0;
        let other = hand.t.posts.iter().map(|(_, post)| post).find(|post| {
            post.office == office
                && post.holder != first
                && roles.contains(&post.role)
                && post_in_force(post, hand.now)
        });
        if let Some(other) = other
            && !draft
                .signers
                .iter()
                .any(|(person, _)| *person == other.holder)
        {
            draft.signers.push((other.holder, other.role));
        }
    }
    Some(draft)
}

fn change_account(hand: &mut Hand, number: AgreementId) -> Option<Draft> {
    let agreement = hand.t.agreements.get(&number)?;
    let (grantee, known) = (agreement.grantee, agreement.account);
    let account = if hand.random.percent(90) {
        hand.hash()
    } else {
        known
    };
    let act = Body::Award(AwardAct::ChangeAccount {
        agreement: number,
        account,
    });
    hand.by(grantee, &[Role::Primary, Role::Finance], act)
}

fn confirm_account(hand: &mut Hand, number: AgreementId) -> Option<Draft> {
    let agreement = hand.t.agreements.get(&number)?.clone();
    let (record, account) = match &agreement.change {
        Some(change) => (change.record, change.account),
        None => (hand.hash(), hand.hash()),
    };
    let change = if hand.random.percent(95) {
        record
    } else {
        hand.hash()
    };
    let act = Body::Award(AwardAct::ConfirmAccount {
        agreement: number,
        change,
        account,
        channel: Channel::InPerson,
    });
    let scope = Scope::Fund(agreement.fund);
    hand.office(Role::SecondOfficer, scope, Some(agreement.grantee), act)
}
