//! What is refused on the way to membership, and to whom.

use rollbook_core::charter::Class;
use rollbook_core::event::EventBody;
use rollbook_core::identity::{GroupDeclaration, RelationKind, Role};
use rollbook_core::object::membership::{Grounds, Lapse, Membership, ROWS, Standing, State};
use rollbook_core::object::transitions;
use rollbook_core::record::{Application, Body, Choice, MembershipAct, OrganisationAct};
use rollbook_core::refusal::{NotCounted, Outcome, Refusal};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::alliance::secretariat;
use rollbook_tests::writer::{Writer, text};

use super::{MEMBERS, act, application, code, of, secretary, standing, writer};

fn act_office_as_company(
    writer: &mut Writer,
    office: u32,
    application: Application,
) -> Result<Outcome, Refusal> {
    let secretary = writer.holder(Role::Secretary, 0);
    writer.act_as(
        office,
        &[(secretary, Role::Primary)],
        Body::Membership(MembershipAct::Apply(application)),
    )
}

#[test]
fn every_guard_of_the_application() {
    let mut writer = writer("guards");
    let company = writer.register(11, "Careful", &[]);
    let good = application(&writer);
    let apply = |writer: &mut Writer, change: &dyn Fn(&mut Application)| {
        let mut application = good.clone();
        change(&mut application);
        act(writer, company, MembershipAct::Apply(application))
            .unwrap_err()
            .code
    };
    assert_eq!(
        apply(&mut writer, &|entry| entry.class = Class::Founding),
        "M01.class-not-open"
    );
    assert_eq!(
        apply(&mut writer, &|entry| entry.charter = sha256(b"another")),
        "M01.other-charter"
    );
    assert_eq!(
        apply(&mut writer, &|entry| entry.antitrust = Hash::ZERO),
        "M01.undertaking-missing"
    );
    assert_eq!(
        apply(&mut writer, &|entry| entry.conflicts = Hash::ZERO),
        "M01.undertaking-missing"
    );
    let relation = GroupDeclaration {
        other: OrganisationId(1),
        kind: RelationKind::Control,
        evidence: sha256(b"extract"),
    };
    assert_eq!(
        apply(&mut writer, &|entry| entry.relations =
            vec![relation.clone()]),
        "M01.group-declaration"
    );
    assert_eq!(
        code(act(&mut writer, 1, MembershipAct::Apply(good.clone()))),
        "M01.live-membership"
    );
    let observer = writer.sign(
        MEMBERS + 1,
        &[(2 * MEMBERS + 1, Role::Primary)],
        Body::Membership(MembershipAct::Apply(good.clone())),
    );
    assert_eq!(
        writer.submit(&[observer]).refused[0].code,
        "M01.not-a-company"
    );
    act(&mut writer, company, MembershipAct::Apply(good.clone())).unwrap();
    assert_eq!(
        code(act(
            &mut writer,
            company,
            MembershipAct::Apply(good.clone())
        )),
        "M01.open-application"
    );
    let membership = of(&writer, company).number;
    assert_eq!(
        code(act(&mut writer, 1, MembershipAct::Screen { membership })),
        "R7.no-office"
    );
    assert_eq!(
        code(secretary(
            &mut writer,
            MembershipAct::Complete { membership }
        )),
        "M06.wrong-state"
    );
    // Late screening is published, and possible.
    let events = writer.advance_days(10);
    assert_eq!(
        events,
        [EventBody::ScreeningOverdue {
            membership,
            organisation: OrganisationId(company)
        }]
    );
    secretary(&mut writer, MembershipAct::Screen { membership }).unwrap();
    secretary(
        &mut writer,
        MembershipAct::Return {
            membership,
            missing: vec![text("registry-extract")],
        },
    )
    .unwrap();
    act(
        &mut writer,
        company,
        MembershipAct::Resubmit {
            membership,
            additions: sha256(b"extract"),
        },
    )
    .unwrap();
    secretary(&mut writer, MembershipAct::Screen { membership }).unwrap();
    let reject = |criterion| MembershipAct::Reject {
        membership,
        criterion: text(criterion),
        reasons: sha256(b"salted"),
    };
    assert_eq!(
        code(secretary(&mut writer, reject("taste"))),
        "M05.unknown-criterion"
    );
    secretary(&mut writer, reject("legal-standing")).unwrap();
    assert!(matches!(
        standing(&writer, company),
        Standing::Rejected(Grounds::Ineligible { .. })
    ));
    let again = MembershipAct::AskAgain {
        membership,
        reasons: sha256(b"no ballot was held"),
    };
    assert_eq!(code(act(&mut writer, company, again)), "R9.not-by-ballot");
    // Returned and forgotten.
    act(&mut writer, company, MembershipAct::Apply(good.clone())).unwrap();
    let membership = of(&writer, company).number;
    secretary(&mut writer, MembershipAct::Screen { membership }).unwrap();
    secretary(
        &mut writer,
        MembershipAct::Return {
            membership,
            missing: vec![text("letter")],
        },
    )
    .unwrap();
    writer.advance_days(33);
    assert_eq!(
        standing(&writer, company),
        Standing::Lapsed(Lapse::NotResubmitted)
    );
    let secretariat = secretariat(MEMBERS);
    assert_eq!(
        code(act_office_as_company(&mut writer, secretariat, good)),
        "A6.role-not-held"
    );
}

#[test]
fn sponsors_are_unrelated_to_the_applicant() {
    let mut writer = writer("related");
    let company = writer.register(5, "Daughter of 5", &[5]);
    let mut related = application(&writer);
    assert_eq!(
        code(act(
            &mut writer,
            company,
            MembershipAct::Apply(related.clone())
        )),
        "M01.group-declaration"
    );
    related.relations = vec![GroupDeclaration {
        other: OrganisationId(5),
        kind: RelationKind::Control,
        evidence: sha256(b"extract"),
    }];
    act(&mut writer, company, MembershipAct::Apply(related)).unwrap();
    let membership = of(&writer, company).number;
    secretary(&mut writer, MembershipAct::Screen { membership }).unwrap();
    secretary(&mut writer, MembershipAct::Complete { membership }).unwrap();
    assert_eq!(
        code(act(&mut writer, 5, MembershipAct::Sponsor { membership })),
        "M07.sponsor-related-to-applicant"
    );
    for sponsor in [11, 14] {
        act(&mut writer, sponsor, MembershipAct::Sponsor { membership }).unwrap();
    }
    let now = writer.now();
    writer.advance(now);
    let motion = of(&writer, company).motion.unwrap();
    // Its parent sits on the board: it has a voice until it confirms what the daughter says.
    assert_eq!(writer.vote(5, motion.0, Choice::Yes), Ok(Outcome::Applied));
    let confirm = Body::Organisation(OrganisationAct::ConfirmRelation {
        other: OrganisationId(company),
        relation: 1,
    });
    writer.member(5, confirm).unwrap();
    assert_eq!(
        writer.vote(5, motion.0, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    // Withdrawn during the ballot: the motion goes with it.
    act(
        &mut writer,
        company,
        MembershipAct::WithdrawApplication { membership },
    )
    .unwrap();
    assert_eq!(standing(&writer, company), Standing::ApplicationWithdrawn);
    assert_eq!(code(writer.vote(1, motion.0, Choice::Yes)), "R10.not-open");
    assert!(writer.advance_days(60).is_empty());
}

#[test]
fn the_table_prints_and_terminal_states_lead_nowhere() {
    let text = rollbook_core::machine::markdown(&transitions::<Membership>());
    assert!(
        text.contains("| membership | M07 | sponsoring -> balloting | CLK or SEC |"),
        "{text}"
    );
    for state in [State::Lapsed, State::ApplicationWithdrawn] {
        assert!(ROWS.iter().all(|row| row.from != Some(state)));
    }
    // RULINGS R9: the one way out of a rejection.
    assert_eq!(
        ROWS.iter()
            .filter(|row| row.from == Some(State::Rejected))
            .count(),
        1
    );
}
