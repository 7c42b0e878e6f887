//! Funds that are accepted, pledges, instalments, receipts.

use rollbook_core::account::{Amount, Pot};
use rollbook_core::id::{FundId, InstalmentId, PersonId};
use rollbook_core::identity::{OrganisationKind, Role, Scope};
use rollbook_core::lookup::posts::post_in_force;
use rollbook_core::object::contribution::InstalmentStatus;
use rollbook_core::object::fund::{Fund, FundStatus};
use rollbook_core::record::{Body, FundAct, InstalmentEntry, PledgeEntry, ReceiptEntry};
use rollbook_proof::number::OrganisationId;

use crate::random::hand::{Deck, Draft, Hand};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Funds);
    for (number, fund) in hand.t.funds.iter() {
        if fund.status == FundStatus::Approved {
            acceptance(deck, *number, fund);
        } else {
            let pledges = hand.t.contributions.iter();
            let pledges = pledges.filter(|(_, pledge)| pledge.fund == *number).count();
            let number = *number;
            if pledges < 3 {
                deck.goal(1, move |hand| pledge(hand, number));
            } else if pledges < 8 {
                deck.aside(1, move |hand| pledge(hand, number));
            }
            deck.aside(1, move |hand| {
                let role = *hand
                    .random
                    .pick(&[Role::Treasurer, Role::FinanceApprover])?;
                let act = FundAct::Accept { fund: number };
                hand.office(role, Scope::Fund(number), None, Body::Fund(act))
            });
        }
    }
    deck.aside(1, |hand| {
        let fund = hand.id(&hand.t.funds)?;
        pledge(hand, fund)
    });
    instalments(hand, deck);
    for (record, proposal) in hand.t.cancellations.iter() {
        let (record, member) = (*record, proposal.contribution);
        let pledged = |instalment: &InstalmentId| {
            let entry = hand.t.instalments.get(instalment);
            entry.is_some_and(|entry| entry.status == InstalmentStatus::Pledged)
        };
        let vain = proposal.agreed || !proposal.instalments.iter().all(pledged);
        if vain && !record.0[0].is_multiple_of(16) {
            continue;
        }
        deck.aside(4, move |hand| {
            let contribution = hand.t.contributions.get(&member)?;
            let (fund, member) = (contribution.fund, contribution.member);
            let proposal = if hand.random.percent(96) {
                record
            } else {
                hand.hash()
            };
            let act = FundAct::AgreeCancel { proposal };
            let scope = Scope::Fund(fund);
            hand.office(Role::Treasurer, scope, Some(member), Body::Fund(act))
        });
    }
    receipts(hand, deck);
}

fn acceptance(deck: &mut Deck, number: FundId, fund: &Fund) {
    for (role, person) in fund.officers.clone() {
        if !fund.accepted.contains(&person) {
            let office = fund.office;
            deck.goal(2, move |_| {
                Some(Draft {
                    principal: office,
                    signers: vec![(person, role)],
                    body: Body::Fund(FundAct::Accept { fund: number }),
                })
            });
        }
    }
    if !fund.holder_accepted {
        let holder = fund.holder;
        deck.goal(2, move |hand| accept_to_hold(hand, number, holder));
    }
}

fn accept_to_hold(hand: &mut Hand, fund: FundId, holder: OrganisationId) -> Option<Draft> {
    let body = Body::Fund(FundAct::Accept { fund });
    if hand.t.organisations.get(&holder)?.kind == OrganisationKind::Company {
        return hand.by(holder, &[Role::Primary, Role::Finance], body);
    }
    let binding = [
        Role::Secretary,
        Role::Treasurer,
        Role::SecondOfficer,
        Role::FinanceApprover,
    ];
    let mut signers: Vec<(PersonId, Role)> = hand
        .t
        .posts
        .iter()
        .map(|(_, post)| post)
        .filter(|post| post.office == holder && binding.contains(&post.role))
        .filter(|post| post_in_force(post, hand.now))
        .map(|post| (post.holder, post.role))
        .collect();
    signers.sort_unstable();
    signers.dedup_by_key(|(person, _)| *person);
    let mut signers = hand.shuffled(signers);
    signers.truncate(2);
    Some(Draft {
        principal: holder,
        signers,
        body,
    })
}

fn pledge(hand: &mut Hand, fund: FundId) -> Option<Draft> {
    let member = if hand.random.percent(95) {
        hand.member()?
    } else {
        hand.company()?
    };
    let directions: Vec<_> = hand
        .t
        .directions
        .iter()
        .map(|(number, _)| *number)
        .collect();
    let pot = match hand.random.below(30) {
        0 => Pot::Direction(rollbook_core::id::DirectionId(900)),
        1..9 => Pot::Direction(*hand.random.pick(&directions)?),
        _ => Pot::Free,
    };
    let today = hand.today();
    let mut due_day = if hand.random.percent(3) {
        rollbook_core::calendar::LocalDay(today.0 - 1)
    } else {
        today.plus(hand.random.below(4) as u32)
    };
    let mut instalments = Vec::new();
    for _ in 0..*hand.random.pick(&[1, 1, 1, 2, 3])? {
        let amount = Amount(hand.random.between(1, 90) * 1_000_000 + hand.random.below(1000));
        instalments.push(InstalmentEntry { due_day, amount });
        due_day = due_day.plus(hand.random.between(1, 30) as u32);
    }
    let act = FundAct::Pledge(PledgeEntry {
        fund,
        pot,
        instalments,
    });
    let roles = if hand.random.percent(96) {
        &[Role::Primary, Role::Finance][..]
    } else {
        &[Role::Finance]
    };
    hand.by(member, roles, Body::Fund(act))
}

fn fund_of(hand: &Hand, instalment: InstalmentId) -> Option<(FundId, OrganisationId)> {
    let contribution = hand.t.instalments.get(&instalment)?.contribution;
    let contribution = hand.t.contributions.get(&contribution)?;
    Some((contribution.fund, contribution.member))
}

fn instalments(hand: &Hand, deck: &mut Deck) {
    for (number, entry) in hand.t.instalments.iter() {
        let number = *number;
        match entry.status {
            InstalmentStatus::Pledged => {
                if !hand.idles("instalment", number.0) {
                    deck.goal(1, move |hand| call_instalment(hand, number));
                }
                deck.aside(1, move |hand| propose_cancel(hand, number));
            }
            InstalmentStatus::Called | InstalmentStatus::PartlyReceived => {
                let waits = hand.t.receipts.iter().any(|(_, receipt)| {
                    receipt.instalment == number && receipt.confirmed_by.is_none()
                });
                if hand.fate("unpaid", number.0) < 12 {
                    continue;
                }
                if waits {
                    deck.aside(1, move |hand| record_receipt(hand, number));
                } else {
                    deck.goal(2, move |hand| record_receipt(hand, number));
                }
            }
            // A part of it waits for a receipt that came in time.
            InstalmentStatus::Defaulted if entry.delayed > Amount(0) => {
                deck.goal(2, move |hand| record_receipt(hand, number));
            }
            InstalmentStatus::Defaulted => {
                deck.aside(3, move |hand| record_receipt(hand, number));
            }
            _ if hand.fate("instalment over", number.0) < 10 => {
                deck.aside(1, move |hand| record_receipt(hand, number));
                deck.aside(1, move |hand| call_instalment(hand, number));
                deck.aside(1, move |hand| propose_cancel(hand, number));
            }
            _ => {}
        }
    }
    deck.aside(1, |hand| {
        let number = hand.id(&hand.t.instalments)?;
        record_receipt(hand, number)
    });
}

fn call_instalment(hand: &mut Hand, instalment: InstalmentId) -> Option<Draft> {
    let (fund, _) = fund_of(hand, instalment)?;
    let act = FundAct::CallInstalment { instalment };
    hand.office(Role::Treasurer, Scope::Fund(fund), None, Body::Fund(act))
}

fn propose_cancel(hand: &mut Hand, instalment: InstalmentId) -> Option<Draft> {
    let contribution = hand.t.instalments.get(&instalment)?.contribution;
    let member = hand.t.contributions.get(&contribution)?.member;
    let mut instalments = vec![instalment];
    if hand.random.percent(8) {
        instalments.push(hand.id(&hand.t.instalments)?);
        instalments.sort_unstable();
        instalments.dedup();
    }
    let act = Body::Fund(FundAct::ProposeCancel {
        contribution,
        instalments,
    });
    let member = if hand.random.percent(95) {
        member
    } else {
        hand.company()?
    };
    hand.by(member, &[Role::Primary, Role::Finance], act)
}

fn record_receipt(hand: &mut Hand, instalment: InstalmentId) -> Option<Draft> {
    let entry = *hand.t.instalments.get(&instalment)?;
    let (fund, _) = fund_of(hand, instalment)?;
    let rest = entry.rest().0.max(1);
    let amount = match hand.random.below(20) {
        0 => rest + 1,
        1 => 0,
        2..4 => hand.random.between(1, rest),
        _ => rest,
    };
    let contribution = hand.t.contributions.get(&entry.contribution)?;
    let pledged = hand.calendar().day_of(contribution.signed_ms);
    let mut value_day = hand.today();
    match hand.random.below(25) {
        0 => value_day.0 += 1,
        1 => value_day.0 = pledged.0 - 1,
        2 => value_day = pledged,
        _ => {}
    }
    let mut reference = hand.reference();
    if hand.random.percent(8)
        && let Some((_, other)) = hand.t.receipts.iter().next()
    {
        reference = other.reference.clone();
    }
    let act = FundAct::RecordReceipt(ReceiptEntry {
        instalment,
        amount: Amount(amount),
        reference,
        value_day,
    });
    hand.office(Role::Treasurer, Scope::Fund(fund), None, Body::Fund(act))
}

fn receipts(hand: &Hand, deck: &mut Deck) {
    for (record, receipt) in hand.t.receipts.iter() {
        let (record, instalment) = (*record, receipt.instalment);
        let recorded_by = receipt.recorded_by;
        let confirm = move |hand: &mut Hand| {
            let (fund, _) = fund_of(hand, instalment)?;
            let receipt = if hand.random.percent(97) {
                record
            } else {
                hand.hash()
            };
            let act = Body::Fund(FundAct::ConfirmReceipt { receipt });
            let (role, scope) = (Role::SecondOfficer, Scope::Fund(fund));
            hand.office_but(role, scope, None, &[recorded_by], act)
        };
        let unseen = u64::from(record.0[1]) * 100 / 256 < 10;
        let entry = hand.t.instalments.get(&instalment);
        let vain = entry.is_none_or(|entry| {
            receipt.amount > entry.rest() || entry.status == InstalmentStatus::WrittenOff
        });
        if receipt.confirmed_by.is_some() || vain {
            if record.0[0].is_multiple_of(16) {
                deck.aside(1, confirm);
            }
        } else if unseen {
            deck.aside(1, confirm);
        } else {
            deck.goal(2, confirm);
        }
    }
}
