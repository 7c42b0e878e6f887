//! From the application to the member, and the first dues.

use rollbook_core::account::Amount;
use rollbook_core::charter::Class;
use rollbook_core::id::{Id as _, MembershipId};
use rollbook_core::identity::{GroupDeclaration, OrganisationKind, Role, Scope};
use rollbook_core::lookup::{groups, rights};
use rollbook_core::object::invoice::{Charge, Invoice, InvoiceStatus};
use rollbook_core::object::membership::{ExitState, Grounds, Membership, Standing};
use rollbook_core::record::{Application, Body, Cessation, MembershipAct, Receipt};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::random::acts::standing::pays;
use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

fn own(hand: &mut Hand, membership: MembershipId, act: MembershipAct) -> Option<Draft> {
    let applicant = hand.t.memberships.get(&membership)?.organisation;
    hand.by(applicant, &[Role::Primary], Body::Membership(act))
}

fn handled(hand: &mut Hand, membership: MembershipId, act: MembershipAct) -> Option<Draft> {
    let applicant = hand.t.memberships.get(&membership)?.organisation;
    let role = Role::Secretary;
    hand.office(
        role,
        Scope::Alliance,
        Some(applicant),
        Body::Membership(act),
    )
}

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Membership);
    let memberships = hand.t.memberships.iter();
    let open = memberships.filter(|(_, m)| m.standing.is_open_application());
    // Whom the run presses on with grants lets few in at a time.
    let full = hand.mood.grants && open.count() >= 2;
    for organisation in hand.companies() {
        let ended = match rights::of(hand.t, organisation).map(|m| &m.standing) {
            None => true,
            Some(Standing::Live(_)) => false,
            Some(standing) => !standing.is_open_application(),
        };
        if ended && !full && !hand.idles("outsider", organisation.0) {
            deck.goal(1, move |hand| apply(hand, organisation));
        }
    }
    deck.aside(1, |hand| {
        let organisation = hand.id(&hand.t.organisations)?;
        apply(hand, organisation)
    });
    for (number, membership) in hand.t.memberships.iter() {
        if !hand.idles("membership", number.0) {
            step(hand, deck, *number, membership);
        }
    }
    deck.aside(1, |hand| {
        let membership = hand.id(&hand.t.memberships)?;
        let act = MembershipAct::AskAgain {
            membership,
            reasons: hand.hash(),
        };
        own(hand, membership, act)
    });
    deck.aside(1, |hand| {
        let membership = hand.id(&hand.t.memberships)?;
        let act = MembershipAct::Invoice { membership };
        hand.office(
            Role::Treasurer,
            Scope::Alliance,
            None,
            Body::Membership(act),
        )
    });
    for (_, invoice) in hand.t.invoices.iter() {
        if pays(hand, invoice.number, invoice) {
            invoice_steps(deck, invoice);
        }
    }
}

fn step(hand: &Hand, deck: &mut Deck, number: MembershipId, membership: &Membership) {
    let membership_id = number;
    let applicant = membership.organisation;
    match &membership.standing {
        Standing::Founding => return,
        Standing::Live(_) => {
            leaves(hand, deck, number, membership);
            return ceases(hand, deck, number);
        }
        Standing::Applied => deck.goal(2, move |hand| {
            let act = MembershipAct::Screen {
                membership: membership_id,
            };
            handled(hand, number, act)
        }),
        Standing::Screening => {
            deck.goal(2, move |hand| {
                let act = MembershipAct::Complete {
                    membership: membership_id,
                };
                handled(hand, number, act)
            });
            deck.aside(2, move |hand| {
                let act = MembershipAct::Return {
                    membership: membership_id,
                    missing: vec![text("extract"), text("letter")],
                };
                handled(hand, number, act)
            });
            deck.aside(1, move |hand| {
                let act = MembershipAct::Reject {
                    membership: membership_id,
                    criterion: criterion(hand),
                    reasons: hand.hash(),
                };
                handled(hand, number, act)
            });
        }
        Standing::Returned { .. } => deck.goal(2, move |hand| {
            let act = MembershipAct::Resubmit {
                membership: membership_id,
                additions: hand.hash(),
            };
            own(hand, number, act)
        }),
        Standing::Sponsoring => {
            deck.goal(2, move |hand| sponsor(hand, number, applicant));
            deck.aside(2, move |hand| {
                let act = MembershipAct::OpenBallot {
                    membership: membership_id,
                    ballot_days: hand.random.between(1, 10) as u32,
                };
                handled(hand, number, act)
            });
        }
        Standing::Balloting => {}
        Standing::Admitted => admitted(hand, deck, number, membership),
        Standing::Rejected(Grounds::Criteria(_) | Grounds::InsufficientSupport) => {
            deck.goal(1, move |hand| {
                let act = MembershipAct::AskAgain {
                    membership: membership_id,
                    reasons: hand.hash(),
                };
                own(hand, number, act)
            });
            return;
        }
        Standing::Ceased(_) | Standing::TerminatedForArrears | Standing::Expelled => {
            deck.aside(1, move |hand| cease(hand, number));
            return;
        }
        Standing::Withdrawn(_) => {
            deck.aside(2, move |hand| give_notice(hand, number));
            deck.aside(1, move |hand| ask_class(hand, number));
            deck.aside(2, move |hand| apply(hand, applicant));
            return;
        }
        Standing::Rejected(_) | Standing::Lapsed(_) | Standing::ApplicationWithdrawn => return,
    }
    deck.aside(1, move |hand| {
        let act = MembershipAct::WithdrawApplication {
            membership: membership_id,
        };
        own(hand, number, act)
    });
}

/// Few companies cease, and never so many that too few are left to act.
fn ceases(hand: &Hand, deck: &mut Deck, number: MembershipId) {
    if hand.live().len() < 9 || hand.fate("ceases", number.0) >= 12 {
        return;
    }
    deck.aside(1, move |hand| cease(hand, number));
}

/// A few members leave, most of them after they have thought better of it once; and some successors sign.
fn leaves(hand: &Hand, deck: &mut Deck, number: MembershipId, membership: &Membership) {
    let fate = hand.fate("leaves", number.0);
    if hand.live().len() < 9 || fate >= 24 {
        return;
    }
    match membership.exit.state() {
        ExitState::None => {
            deck.aside(1, move |hand| give_notice(hand, number));
            if fate < 4 {
                deck.aside(1, move |hand| take_back(hand, number));
            }
        }
        ExitState::WithdrawalPending => {
            if fate.is_multiple_of(2) {
                deck.aside(3, move |hand| take_back(hand, number));
            }
            deck.aside(1, move |hand| give_notice(hand, number));
        }
    }
    if fate >= 12 {
        deck.aside(1, move |hand| ask_class(hand, number));
    }
    if fate < 8 {
        deck.aside(2, move |hand| succeed(hand, number));
        deck.aside(2, move |hand| cease(hand, number));
    }
}

/// Somebody acts for the member: itself, now and then another.
fn its_own(hand: &mut Hand, membership: MembershipId, act: MembershipAct) -> Option<Draft> {
    let mut by = hand.t.memberships.get(&membership)?.organisation;
    if hand.random.percent(6) {
        by = hand.company()?;
    }
    hand.by(by, &[Role::Primary], Body::Membership(act))
}

fn give_notice(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    let least = hand.charter().membership.withdraw_notice_days;
    let days = match hand.random.below(12) {
        0 => 0,
        1 => 400,
        2 => hand.random.between(1, 366) as u32,
        _ => least + hand.random.between(1, 3) as u32,
    };
    let act = MembershipAct::GiveNotice {
        membership,
        last_day: hand.today().plus(days),
        letter: hand.hash(),
    };
    its_own(hand, membership, act)
}

fn take_back(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    its_own(hand, membership, MembershipAct::RevokeNotice { membership })
}

fn ask_class(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    let classes = [
        Class::Founding,
        Class::Council,
        Class::Ordinary,
        Class::Associate,
    ];
    let act = MembershipAct::AskClass {
        membership,
        class: *hand.random.pick(&classes)?,
        reasons: hand.hash(),
    };
    its_own(hand, membership, act)
}

fn succeed(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    let act = MembershipAct::Succeed {
        membership,
        obligations: hand.hash(),
    };
    match hand.random.below(12) {
        0 => {
            let role = Role::Secretary;
            hand.office(role, Scope::Alliance, None, Body::Membership(act))
        }
        1 => own(hand, membership, act),
        _ => {
            let by = hand.company()?;
            hand.by(by, &[Role::Primary], Body::Membership(act))
        }
    }
}

/// What becomes of a company: merged into one that has signed for it, if one has; seldom into another.
fn cause(hand: &mut Hand, membership: MembershipId) -> Option<Cessation> {
    let of = (membership, OrganisationId::MIN)..=(membership, OrganisationId::MAX);
    let signed = hand.t.successions.range(of).next();
    let successor = match signed {
        Some(((_, successor), _)) if hand.random.percent(80) => Some(*successor),
        None if hand.random.percent(10) => hand.company(),
        _ => None,
    };
    match successor {
        Some(successor) => Some(Cessation::MergedInto { successor }),
        None => {
            let causes = [Cessation::Dissolved, Cessation::Insolvent];
            hand.random.pick(&causes).copied()
        }
    }
}

fn cease(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    let cause = cause(hand, membership)?;
    let act = MembershipAct::Cease {
        membership,
        cause,
        evidence: hand.hash(),
    };
    if hand.random.percent(10) {
        // Whoever of the secretariat is there, related or not.
        let role = Role::Secretary;
        return hand.office(role, Scope::Alliance, None, Body::Membership(act));
    }
    handled(hand, membership, act)
}

fn bill(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    let act = Body::Membership(MembershipAct::Invoice { membership });
    hand.office(Role::Treasurer, Scope::Alliance, None, act)
}

fn admitted(hand: &Hand, deck: &mut Deck, number: MembershipId, membership: &Membership) {
    let charter = hand.charter();
    let dues = charter
        .class(membership.class)
        .map_or(0, |class| class.dues.0);
    let invoice = rights::first_invoice(hand.t, number);
    let invoiced = invoice.is_some_and(|i| i.status != InvoiceStatus::Cancelled);
    let paid = dues == 0 || invoice.is_some_and(|i| i.status == InvoiceStatus::Paid);
    if dues > 0 && !invoiced {
        deck.goal(2, move |hand| bill(hand, number));
    }
    if dues == 0 {
        deck.aside(6, move |hand| bill(hand, number));
    }
    let agreement = Hash(hand.keys.secret(&format!("agreement/{}", number.0)));
    let agree = MembershipAct::Agree {
        membership: number,
        agreement,
    };
    if membership.agreement.is_none() {
        deck.goal(2, move |hand| own(hand, number, agree));
    }
    let activate = MembershipAct::Activate {
        membership: number,
        agreement: membership.agreement.unwrap_or(agreement),
    };
    let other = MembershipAct::Activate {
        membership: number,
        agreement: Hash::ZERO,
    };
    if membership.agreement.is_some() {
        deck.aside(2, move |hand| handled(hand, number, other));
    }
    if paid && membership.agreement.is_some() {
        deck.goal(3, move |hand| handled(hand, number, activate));
    } else {
        deck.aside(1, move |hand| handled(hand, number, activate));
    }
}

fn criterion<const N: usize>(hand: &mut Hand) -> rollbook_proof::codec::Text<N> {
    let codes: Vec<String> = hand
        .charter()
        .criteria
        .iter()
        .map(|code| code.as_str().to_owned())
        .collect();
    match hand.random.pick(&codes) {
        Some(code) if !hand.random.percent(8) => text(code.clone()),
        _ => text("not-published"),
    }
}

fn sponsor(hand: &mut Hand, membership: MembershipId, applicant: OrganisationId) -> Option<Draft> {
    let mut members = hand.live();
    if !hand.random.percent(20) {
        let (t, sponsors) = (hand.t, &hand.t.sponsors);
        members.retain(|member| {
            !sponsors.contains(&(membership, *member)) && !groups::tied(t, *member, applicant)
        });
    }
    let sponsor = if hand.random.percent(95) {
        *hand.random.pick(&members)?
    } else {
        hand.company()?
    };
    // With the last sponsor the ballot opens at the next block, unless the secretary is sooner.
    if hand.random.percent(40) {
        hand.then(move |hand| {
            let act = MembershipAct::OpenBallot {
                membership,
                ballot_days: hand.random.between(1, 13) as u32,
            };
            handled(hand, membership, act)
        });
    }
    let act = MembershipAct::Sponsor { membership };
    hand.by(sponsor, &[Role::Primary], Body::Membership(act))
}

fn apply(hand: &mut Hand, organisation: OrganisationId) -> Option<Draft> {
    let mut relations: Vec<GroupDeclaration> = groups::relations(hand.t, organisation)
        .filter(|(_, edge)| edge.said_by(organisation))
        .map(|(other, edge)| GroupDeclaration {
            other,
            kind: edge.kind,
            evidence: edge.evidence,
        })
        .collect();
    relations.sort_by_key(|relation| (relation.other, relation.kind));
    relations.dedup_by_key(|relation| (relation.other, relation.kind));
    if hand.random.percent(4) {
        relations.clear();
    }
    relations.truncate(64);
    let classes = [Class::Council, Class::Ordinary, Class::Associate];
    let offered: Vec<Class> = classes
        .into_iter()
        .filter(|class| hand.charter().class(*class).is_some())
        .collect();
    let class = if hand.random.percent(96) {
        *hand.random.pick(&offered)?
    } else {
        Class::Founding
    };
    let charter = hand.charter().text;
    let mut hash = |wrong: u64, good: Hash| {
        if hand.random.percent(wrong) {
            Hash::ZERO
        } else {
            good
        }
    };
    let act = MembershipAct::Apply(Application {
        class,
        charter: hash(2, charter),
        antitrust: hash(2, Hash([1; 32])),
        conflicts: hash(2, Hash([2; 32])),
        relations,
    });
    let kind = hand.t.organisations.get(&organisation)?.kind;
    if kind == OrganisationKind::Office {
        return hand.office(
            Role::Secretary,
            Scope::Alliance,
            None,
            Body::Membership(act),
        );
    }
    hand.by(organisation, &[Role::Primary], Body::Membership(act))
}

fn invoice_steps(deck: &mut Deck, invoice: &Invoice) {
    if invoice.status != InvoiceStatus::Open {
        if invoice.number.0.is_multiple_of(4) {
            let number = invoice.number;
            deck.aside(6, move |hand| {
                let act = MembershipAct::CancelInvoice { invoice: number };
                hand.office(
                    Role::Treasurer,
                    Scope::Alliance,
                    None,
                    Body::Membership(act),
                )
            });
        }
        return;
    }
    let number = invoice.number;
    match &invoice.pending {
        None => {
            let Amount(open) = invoice.open();
            let yearly = invoice.charge != Charge::First;
            let issued = invoice.issued_ms;
            let receive = move |hand: &mut Hand| {
                let amount = if hand.random.percent(70) {
                    open
                } else {
                    *hand.random.pick(&[open + 1, open / 2 + 1, open / 3 + 1])?
                };
                let (today, issued) = (hand.today(), hand.calendar().day_of(issued));
                let mut value_date = today;
                match hand.random.below(20) {
                    0 => value_date.0 += 1,
                    1 => value_date.0 = issued.0 - 1,
                    2 => value_date = issued,
                    _ => {}
                }
                let act = MembershipAct::Receive(Receipt {
                    invoice: number,
                    amount: Amount(amount),
                    reference: hand.reference(),
                    value_date,
                });
                hand.office(
                    Role::Treasurer,
                    Scope::Alliance,
                    None,
                    Body::Membership(act),
                )
            };
            // Of the invoices of a year there are many at once, and they have time.
            if yearly {
                deck.aside(2, receive);
            } else {
                deck.goal(2, receive);
            }
            deck.aside(if yearly { 1 } else { 6 }, move |hand| {
                let act = MembershipAct::CancelInvoice { invoice: number };
                hand.office(
                    Role::Treasurer,
                    Scope::Alliance,
                    None,
                    Body::Membership(act),
                )
            });
        }
        Some(pending) => {
            let (receipt, entered_by) = (pending.record, pending.entered_by);
            deck.goal(2, move |hand| {
                let act = if hand.random.percent(85) {
                    MembershipAct::ConfirmReceipt {
                        invoice: number,
                        receipt,
                    }
                } else {
                    MembershipAct::DeclineReceipt {
                        invoice: number,
                        receipt,
                    }
                };
                let (role, not) = (Role::SecondOfficer, [entered_by]);
                hand.office_but(role, Scope::Alliance, None, &not, Body::Membership(act))
            });
            deck.aside(1, move |hand| {
                let act = MembershipAct::Receive(Receipt {
                    invoice: number,
                    amount: Amount(1),
                    reference: hand.reference(),
                    value_date: hand.today(),
                });
                hand.office(
                    Role::Treasurer,
                    Scope::Alliance,
                    None,
                    Body::Membership(act),
                )
            });
        }
    }
}
