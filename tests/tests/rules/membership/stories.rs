//! How an application goes: admitted, rejected, lapsed, put again.

use rollbook_core::account::Amount;
use rollbook_core::calendar::LocalDay;
use rollbook_core::event::EventBody;
use rollbook_core::id::{GroupId, MembershipId, MotionId};
use rollbook_core::identity::Role;
use rollbook_core::lookup::rights;
use rollbook_core::lookup::rights::Rights;
use rollbook_core::object::invoice::InvoiceStatus;
use rollbook_core::object::membership::{Grounds, Lapse, Standing};
use rollbook_core::record::{
    Ballot, BallotVote, Body, Choice, Declaration, MembershipAct, MotionAct,
};
use rollbook_core::refusal::{NotCounted, Outcome};
use rollbook_core::rules::membership::dues::pro_rata;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::sha256;
use rollbook_proof::number::OrganisationId;
use rollbook_tests::writer::{Writer, text};

use super::{
    MEMBERS, act, application, close_with, code, invoice_of, of, office, pending, receipt,
    secretary, standing, to_ballot, to_sponsoring, writer,
};

#[test]
fn twenty_four_founders_have_twenty_three_voices_and_full_rights() {
    let writer = writer("founders");
    let full = Rights {
        member: true,
        votes: true,
        assembly_vote: true,
        board_vote: true,
        may_sponsor: true,
        may_apply_for_funds: true,
    };
    assert!(
        (1..=MEMBERS).all(|member| rights::rights(writer.tables(), OrganisationId(member)) == full)
    );
    assert_eq!(
        rights::rights(writer.tables(), OrganisationId(MEMBERS + 1)),
        Rights::default(),
        "the observer"
    );
    let electorate = rollbook_core::rules::motion::electorate_now(
        writer.tables(),
        rollbook_core::object::motion::Question {
            body: rollbook_core::charter::motions::DecidingBody::Assembly,
            kind: rollbook_core::charter::motions::MotionKind::AppointAuditor,
            charter: rollbook_core::id::CharterVersion(1),
        },
    );
    assert_eq!(electorate.len(), 24);
    assert_eq!(
        (
            electorate[&OrganisationId(12)],
            electorate[&OrganisationId(13)]
        ),
        (GroupId(OrganisationId(12)), GroupId(OrganisationId(12)))
    );
    assert_eq!(
        electorate
            .values()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        23
    );
}

#[test]
fn an_applicant_with_two_sponsors_is_admitted_pays_and_becomes_a_member() {
    let mut writer = writer("admitted");
    let (company, membership) = admitted(&mut writer);
    let activate = agreed(&mut writer, company, membership);
    paid(&mut writer, company, membership, &activate);
    activated(&mut writer, company, activate);
}

/// M07, M08: two sponsors who are not related, and a ballot in which they have no voice.
fn admitted(writer: &mut Writer) -> (u32, u32) {
    let (company, membership) = to_sponsoring(writer, "Applicant A");
    assert_eq!(
        code(act(
            writer,
            company,
            MembershipAct::Sponsor {
                membership: MembershipId(membership)
            }
        )),
        "M07.sponsor-not-in-good-standing"
    );
    act(
        writer,
        12,
        MembershipAct::Sponsor {
            membership: MembershipId(membership),
        },
    )
    .unwrap();
    assert_eq!(
        code(act(
            writer,
            13,
            MembershipAct::Sponsor {
                membership: MembershipId(membership)
            }
        )),
        "M07.sponsors-related"
    );
    let early = MembershipAct::OpenBallot {
        membership: MembershipId(membership),
        ballot_days: 7,
    };
    assert_eq!(code(secretary(writer, early)), "M07.sponsors-required");
    // 2 sits on the board: as a sponsor it has no voice in the ballot.
    act(
        writer,
        2,
        MembershipAct::Sponsor {
            membership: MembershipId(membership),
        },
    )
    .unwrap();
    let now = writer.now();
    let events = writer.advance(now);
    assert!(events.iter().any(|event| matches!(&event.body,
        EventBody::MembershipMoved { organisation, standing: Standing::Balloting, .. }
            if *organisation == OrganisationId(company))));
    let motion = of(writer, company).motion.unwrap();
    assert_eq!(
        writer.tables().motions.get(&motion).unwrap().text,
        of(writer, company).application.unwrap()
    );
    assert_eq!(
        writer.vote(2, motion.0, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    let mut ballot = Ballot {
        motion,
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(Choice::No),
        criterion: None,
        declaration: Declaration::None,
        proxy_for: None,
    };
    assert_eq!(
        code(writer.member(3, Body::Motion(MotionAct::Vote(ballot.clone())))),
        "M08.criterion-required"
    );
    ballot.criterion = Some(text("dislike"));
    assert_eq!(
        code(writer.member(3, Body::Motion(MotionAct::Vote(ballot)))),
        "M08.unknown-criterion"
    );
    writer.vote(1, motion.0, Choice::Yes).unwrap();
    close_with(writer, motion.0, 3..10, 0..0);
    assert_eq!(
        standing(writer, company),
        Standing::Admitted,
        "an admission has no stay"
    );
    assert_eq!(
        rights::rights(writer.tables(), OrganisationId(company)),
        Rights::default()
    );
    (company, membership)
}

/// M09: activated only with the agreement that both sides hold, and not before the dues are paid.
fn agreed(writer: &mut Writer, company: u32, membership: u32) -> MembershipAct {
    let agreement = sha256(b"participation agreement");
    let activate = MembershipAct::Activate {
        membership: MembershipId(membership),
        agreement,
    };
    assert_eq!(
        code(secretary(writer, activate.clone())),
        "M09.agreement-not-signed"
    );
    act(
        writer,
        company,
        MembershipAct::Agree {
            membership: MembershipId(membership),
            agreement: sha256(b"draft"),
        },
    )
    .unwrap();
    assert_eq!(
        code(secretary(writer, activate.clone())),
        "M09.other-agreement"
    );
    act(
        writer,
        company,
        MembershipAct::Agree {
            membership: MembershipId(membership),
            agreement,
        },
    )
    .unwrap();
    assert_eq!(
        code(secretary(writer, activate.clone())),
        "M09.dues-not-received"
    );
    activate
}

/// M26, M27: invoiced, received in two parts, one declined in between; each reference once.
fn paid(writer: &mut Writer, company: u32, membership: u32, activate: &MembershipAct) {
    assert_eq!(
        code(office(
            writer,
            Role::Secretary,
            MembershipAct::Invoice {
                membership: MembershipId(membership)
            }
        )),
        "A6.too-few-officers"
    );
    office(
        writer,
        Role::Treasurer,
        MembershipAct::Invoice {
            membership: MembershipId(membership),
        },
    )
    .unwrap();
    let invoice = invoice_of(writer, company);
    // R41: what is left of the year, this day included, of 50,000.00 a year.
    let Amount(amount) = writer.tables().invoices.get(&invoice).unwrap().amount;
    let year = super::today(writer).date().year as u32;
    assert_eq!(
        pro_rata(Amount(5_000_000), year, super::today(writer)),
        Some(Amount(amount))
    );
    assert!((1_000_000..5_000_000).contains(&amount), "{amount}");
    let rest = amount - 1_000_000;
    assert_eq!(
        code(office(
            writer,
            Role::Treasurer,
            MembershipAct::Invoice {
                membership: MembershipId(membership)
            }
        )),
        "M26.already-invoiced"
    );
    // C3: money did not come before the invoice, nor will it have come tomorrow.
    for (days, expected) in [
        (-60, "M27.value-date-before-invoice"),
        (1, "M27.value-date-ahead"),
    ] {
        let mut act = receipt(invoice.0, 1_000_000, "DUES-1");
        if let MembershipAct::Receive(receipt) = &mut act {
            receipt.value_date = LocalDay(super::today(writer).0 + days);
        }
        assert_eq!(code(office(writer, Role::Treasurer, act)), expected);
    }
    office(
        writer,
        Role::Treasurer,
        receipt(invoice.0, 1_000_000, "DUES-1"),
    )
    .unwrap();
    assert_eq!(
        code(office(
            writer,
            Role::Treasurer,
            receipt(invoice.0, 1, "DUES-2")
        )),
        "M27.unconfirmed-receipt"
    );
    let wrong = MembershipAct::ConfirmReceipt {
        invoice,
        receipt: sha256(b"another record"),
    };
    assert_eq!(
        code(office(writer, Role::SecondOfficer, wrong)),
        "M27.no-such-receipt"
    );
    let confirm = |writer: &Writer| MembershipAct::ConfirmReceipt {
        invoice,
        receipt: pending(writer, invoice.0),
    };
    let first = confirm(writer);
    assert_eq!(
        code(office(writer, Role::Treasurer, first.clone())),
        "A6.role-missing"
    );
    office(writer, Role::SecondOfficer, first).unwrap();
    assert_eq!(
        code(secretary(writer, activate.clone())),
        "M09.dues-not-received"
    );
    assert_eq!(
        code(office(
            writer,
            Role::Treasurer,
            receipt(invoice.0, rest, "DUES-1")
        )),
        "N8.bank-reference-used"
    );
    // Declined: the reference is free again.
    office(writer, Role::Treasurer, receipt(invoice.0, rest, "DUES-2")).unwrap();
    let declined = MembershipAct::DeclineReceipt {
        invoice,
        receipt: pending(writer, invoice.0),
    };
    office(writer, Role::SecondOfficer, declined).unwrap();
    office(writer, Role::Treasurer, receipt(invoice.0, rest, "DUES-2")).unwrap();
    let last = confirm(writer);
    office(writer, Role::SecondOfficer, last).unwrap();
    assert_eq!(
        writer.tables().invoices.get(&invoice).unwrap().status,
        InvoiceStatus::Paid
    );
}

/// A member with all rights, and no deadline left behind.
fn activated(writer: &mut Writer, company: u32, activate: MembershipAct) {
    secretary(writer, activate).unwrap();
    let held = rights::rights(writer.tables(), OrganisationId(company));
    assert!(held.assembly_vote && held.may_sponsor && !held.board_vote);
    assert!(of(writer, company).active_ms.is_some());
    assert!(
        writer.advance_days(60).is_empty(),
        "no deadline is left behind"
    );
    let application = application(writer);
    assert_eq!(
        code(act(writer, company, MembershipAct::Apply(application))),
        "M01.live-membership"
    );
}

#[test]
fn one_is_rejected_with_its_criteria_asks_once_more_and_is_rejected_for_lack_of_support() {
    let mut writer = writer("rejected");
    let (company, membership, motion) = to_ballot(&mut writer, "Applicant B");
    let ballot = |criterion| Ballot {
        motion: MotionId(motion),
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(Choice::No),
        criterion: Some(text(criterion)),
        declaration: Declaration::None,
        proxy_for: None,
    };
    writer
        .member(8, Body::Motion(MotionAct::Vote(ballot("solvency"))))
        .unwrap();
    let events = close_with(&mut writer, motion, 1..6, 6..8);
    // 5 of 8 is less than two thirds.
    let grounds = Grounds::Criteria(vec![text("field-of-work"), text("solvency")]);
    assert_eq!(
        standing(&writer, company),
        Standing::Rejected(grounds.clone())
    );
    assert!(events.iter().any(|event| matches!(event,
        EventBody::MembershipMoved { standing: Standing::Rejected(stated), .. } if *stated == grounds)));
    let again = MembershipAct::AskAgain {
        membership: MembershipId(membership),
        reasons: sha256(b"new facts"),
    };
    assert_eq!(
        code(act(&mut writer, 11, again.clone())),
        "M01.not-the-applicant"
    );
    writer.advance_days(20);
    act(&mut writer, company, again.clone()).unwrap();
    let motion = of(&writer, company).motion.unwrap();
    for member in 1..=4 {
        writer.vote(member, motion.0, Choice::Yes).unwrap();
    }
    for member in 5..=8 {
        writer.vote(member, motion.0, Choice::Abstain).unwrap();
    }
    writer.close(motion.0);
    assert_eq!(
        standing(&writer, company),
        Standing::Rejected(Grounds::InsufficientSupport)
    );
    assert_eq!(code(act(&mut writer, company, again)), "R9.asked-before");
    // Terminal is terminal; a new application is a new membership.
    let application = application(&writer);
    act(&mut writer, company, MembershipAct::Apply(application)).unwrap();
    assert_eq!(
        (of(&writer, company).number, standing(&writer, company)),
        (MembershipId(membership + 1), Standing::Applied)
    );
}

#[test]
fn a_rejection_becomes_final_after_thirty_days() {
    let mut writer = writer("final");
    let (company, membership, motion) = to_ballot(&mut writer, "Applicant B");
    close_with(&mut writer, motion, 1..2, 2..8);
    let events = writer.advance_days(33);
    assert_eq!(
        events,
        [EventBody::RejectionFinal {
            membership: MembershipId(membership)
        }]
    );
    let again = MembershipAct::AskAgain {
        membership: MembershipId(membership),
        reasons: sha256(b"late"),
    };
    assert_eq!(code(act(&mut writer, company, again)), "R9.too-late");
}

#[test]
fn one_lapses_for_lack_of_a_second_sponsor() {
    let mut writer = writer("sponsors");
    let (company, membership) = to_sponsoring(&mut writer, "Applicant C");
    act(
        &mut writer,
        11,
        MembershipAct::Sponsor {
            membership: MembershipId(membership),
        },
    )
    .unwrap();
    let events = writer.advance_days(33);
    assert_eq!(
        standing(&writer, company),
        Standing::Lapsed(Lapse::TooFewSponsors)
    );
    assert!(
        matches!(&events[..], [EventBody::MembershipMoved { transition, .. }] if transition.as_str() == "M07")
    );
    assert_eq!(
        code(act(
            &mut writer,
            14,
            MembershipAct::Sponsor {
                membership: MembershipId(membership)
            }
        )),
        "M07.wrong-state"
    );
}

#[test]
fn a_tie_fails_and_no_quorum_is_put_again() {
    let mut writer = writer("tie");
    let (company, _, motion) = to_ballot(&mut writer, "Tied");
    close_with(&mut writer, motion, 1..5, 5..9);
    assert_eq!(
        standing(&writer, company),
        Standing::Rejected(Grounds::Criteria(vec![text("field-of-work")]))
    );
    let (company, _, motion) = to_ballot(&mut writer, "Not enough voters");
    close_with(&mut writer, motion, 1..6, 0..0);
    assert_eq!(
        standing(&writer, company),
        Standing::Balloting,
        "it waits to be put again"
    );
    let again = writer.due(DeadlineKind::MotionRetable, motion).unwrap();
    writer.advance(again + 1);
    close_with(&mut writer, motion, 1..7, 0..0);
    assert_eq!(standing(&writer, company), Standing::Admitted);
    // Twice without quorum: lapsed, without prejudice.
    let (company, _, motion) = to_ballot(&mut writer, "Nobody votes");
    writer.close(motion);
    writer.advance_days(60);
    assert_eq!(
        standing(&writer, company),
        Standing::Lapsed(Lapse::NoQuorum)
    );
}

#[test]
fn an_admission_that_is_not_activated_lapses() {
    let mut writer = writer("idle");
    let (company, membership, motion) = to_ballot(&mut writer, "Slow");
    writer.pass(motion);
    assert_eq!(standing(&writer, company), Standing::Admitted);
    office(
        &mut writer,
        Role::Treasurer,
        MembershipAct::Invoice {
            membership: MembershipId(membership),
        },
    )
    .unwrap();
    let invoice = invoice_of(&writer, company);
    office(
        &mut writer,
        Role::Treasurer,
        MembershipAct::CancelInvoice { invoice },
    )
    .unwrap();
    assert_eq!(
        code(office(
            &mut writer,
            Role::Treasurer,
            receipt(invoice.0, 1, "DUES-9")
        )),
        "M27.not-open"
    );
    office(
        &mut writer,
        Role::Treasurer,
        MembershipAct::Invoice {
            membership: MembershipId(membership),
        },
    )
    .unwrap();
    writer.advance_days(33);
    assert_eq!(
        standing(&writer, company),
        Standing::Lapsed(Lapse::NotActivated)
    );
}

/// An application was complete for good once the secretary had said so, whatever was missing.
#[test]
fn an_application_that_was_complete_by_mistake_is_screened_again() {
    use rollbook_core::record::{MotionEffect, ScreenAgain};
    let mut writer = writer("screened again");
    let company = writer.register(1, "Applicant", &[]);
    let form = application(&writer);
    act(&mut writer, company, MembershipAct::Apply(form)).unwrap();
    let membership = of(&writer, company).number;
    let again = || {
        MotionEffect::ScreenAgain(ScreenAgain {
            membership,
            evidence: sha256(b"evidence"),
        })
    };
    let refused = writer.propose(again(), 7).unwrap_err();
    assert_eq!(refused.code, "M41.not-put-right");
    secretary(&mut writer, MembershipAct::Screen { membership }).unwrap();
    secretary(&mut writer, MembershipAct::Complete { membership }).unwrap();
    assert_eq!(standing(&writer, company), Standing::Sponsoring);
    let motion = writer.propose(again(), 7).unwrap();
    let events = writer.pass(motion);
    assert!(events.iter().any(|event| matches!(
        event,
        EventBody::MembershipMoved { transition, .. } if transition.as_str() == "M41"
    )));
    assert_eq!(standing(&writer, company), Standing::Screening);
    // The secretary returns it, by mistake, and the board puts that right, too.
    let missing = vec![text("extract")];
    secretary(
        &mut writer,
        MembershipAct::Return {
            membership,
            missing,
        },
    )
    .unwrap();
    let motion = writer.propose(again(), 7).unwrap();
    writer.pass(motion);
    assert_eq!(standing(&writer, company), Standing::Screening);
    secretary(&mut writer, MembershipAct::Complete { membership }).unwrap();
    assert_eq!(standing(&writer, company), Standing::Sponsoring);
}
