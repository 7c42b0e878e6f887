//! Who may apply, and until when (F06, RULINGS A4).

use rollbook_core::account::{Amount, Pot};
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::charter::Class;
use rollbook_core::event::EventBody;
use rollbook_core::id::{ApplicationId, CallId};
use rollbook_core::identity::Role;
use rollbook_core::object::application::{Appeal, ApplicationStatus};
use rollbook_core::record::{
    ApplicationContent, Body, CallAct, CallTerms, Choice, Eligibility, MotionEffect, Part,
    SeenEarlier, SeenReceipt, Submission,
};
use rollbook_core::refusal::{NotCounted, Outcome};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::answer;
use rollbook_proof::answer::{Answer, SignedAnswer};
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{KeyKind, sha256};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
use rollbook_sandbox::keys::{node_key, officers_of};
use rollbook_tests::writer::Writer;

use super::{
    SALT, act, apply_for, called, code, content, judge, of, open, open_call, open_fund, pledge,
    receive, submission, terms, writer,
};

/// RULINGS A4: up to 24 hours late, with seen receipts of f+1 validators from before the close.
#[test]
fn a_late_application_with_seen_receipts_is_in_time() {
    let mut writer = writer("late");
    let (_, call) = open_call(&mut writer);
    let closes = writer.due(DeadlineKind::CallCloses, call).unwrap();
    // Signed and given to validators before the close, sequenced by nobody.
    writer.advance(closes - MS_PER_DAY / 24);
    let plain = [20, 22].map(|member| submission(call, member, &format!("project of {member}"), 5));
    let earlier = [(20, &plain[0]), (22, &plain[1])].map(|(member, plain)| {
        writer.sign(
            member,
            &[(officers_of(member).0, Role::Primary)],
            Body::Call(CallAct::Submit(plain.clone())),
        )
    });
    let chain = writer.alliance.chain();
    let seed = writer.alliance.signer.seed.clone();
    let seen_by = |record: usize, validator: u32, signed_as: u32, time_ms: u64| {
        // What a node answers to whoever hands the record in: the same bytes that its API sends.
        let bytes = sha256(&encode(&earlier[record]));
        let verdict = answer::Verdict::Seen;
        let answer = Answer {
            chain,
            bytes,
            record: earlier[record].id(),
            height: Height(9),
            time_ms: LedgerTime(time_ms),
            node: OrganisationId(validator),
            verdict,
        };
        let signed = SignedAnswer::sign(answer, &node_key(&seed, signed_as, KeyKind::Log));
        SeenReceipt::of(&signed.answer, signed.signature).unwrap()
    };
    let with = |record: usize, receipts: Vec<SeenReceipt>| {
        let payload = &earlier[record].payload;
        Submission {
            seen: Some(SeenEarlier {
                officer: payload.officer,
                sequence: payload.sequence,
                valid_until_ms: payload.valid_until_ms,
                nonce: payload.nonce,
                receipts,
            }),
            ..plain[record].clone()
        }
    };
    writer.advance(closes + 1);
    let late = Ok(Outcome::NotCounted(NotCounted::LateApplication));
    let (before, after) = (closes - 60_000, closes + 1);
    for receipts in [
        vec![seen_by(0, 1, 1, before)],
        vec![seen_by(0, 1, 1, before), seen_by(0, 2, 2, after)],
        vec![seen_by(0, 1, 1, before), seen_by(0, 2, 1, before)],
        vec![seen_by(0, 1, 1, before), seen_by(0, 9, 9, before)],
        vec![seen_by(0, 1, 1, before), seen_by(1, 2, 2, before)],
    ] {
        assert_eq!(
            act(&mut writer, 20, CallAct::Submit(with(0, receipts))),
            late
        );
    }
    let good = vec![
        seen_by(0, 1, 1, before - 7),
        seen_by(0, 2, 2, before),
        seen_by(0, 3, 3, closes),
    ];
    let other = Submission {
        commitment: sha256(b"other"),
        ..with(0, good.clone())
    };
    assert_eq!(
        act(&mut writer, 20, CallAct::Submit(other)),
        late,
        "the receipts are for another submission"
    );
    assert_eq!(
        act(&mut writer, 21, CallAct::Submit(with(0, good.clone()))),
        late,
        "of another applicant"
    );
    let backwards = with(0, good.iter().rev().copied().collect());
    assert_eq!(
        code(act(&mut writer, 20, CallAct::Submit(backwards))),
        "A6.malformed"
    );
    assert_eq!(
        act(&mut writer, 20, CallAct::Submit(with(0, good.clone()))),
        Ok(Outcome::Applied)
    );
    assert_eq!(
        of(&writer, 1).submitted_ms,
        LedgerTime(before),
        "the time of the (f+1)-th receipt"
    );
    assert_eq!(
        code(act(&mut writer, 20, CallAct::Submit(with(0, good)))),
        "R33.handed-in-already"
    );
    writer.advance(closes + MS_PER_DAY + 1);
    let too_late = with(1, vec![seen_by(1, 1, 1, before), seen_by(1, 2, 2, before)]);
    assert_eq!(
        act(&mut writer, 22, CallAct::Submit(too_late)),
        late,
        "more than 24 hours"
    );
}

#[test]
fn who_may_apply() {
    let mut writer = writer("eligible");
    let fund = open_fund(&mut writer);
    let parts = pledge(&mut writer, 11, fund, Pot::Free, &[(30, 1_000)]);
    called(&mut writer, parts[0]);
    receive(&mut writer, parts[0], 1_000, "IN-0001").unwrap();
    let base = CallTerms {
        budget: Amount(100),
        ask_max: Amount(10),
        ..terms(&writer, fund)
    };
    let members_only = Eligibility {
        classes: vec![Class::Founding],
        outsiders: false,
        in_direction: true,
    };
    let council = Eligibility {
        classes: vec![Class::Council],
        outsiders: true,
        in_direction: false,
    };
    let plans = [members_only, council].map(|eligibility| CallTerms {
        eligibility,
        ..base.clone()
    });
    let motions = plans.map(|plan| {
        writer
            .propose(MotionEffect::PublishCall(plan.into()), 7)
            .unwrap()
    });
    for motion in motions {
        for member in 1..=9 {
            writer.vote(member, motion, Choice::Yes).unwrap();
        }
    }
    writer.advance_days(8);
    assert_eq!(
        code(act(
            &mut writer,
            20,
            CallAct::Submit(submission(1, 20, "early", 5))
        )),
        "A4.unknown-call",
        "still in its stay"
    );
    writer.advance_days(4);
    assert_eq!(
        code(act(
            &mut writer,
            20,
            CallAct::Submit(submission(1, 20, "early", 5))
        )),
        "F06.not-open-yet"
    );
    writer.advance_days(5);
    let outsider = writer.register(15, "Outsider", &[]);
    let why = |writer: &mut Writer, call, applicant| {
        let refusal = act(
            writer,
            applicant,
            CallAct::Submit(submission(call, applicant, "p", 5)),
        )
        .unwrap_err();
        (refusal.code, refusal.facts[1].1.clone())
    };
    assert_eq!(
        why(&mut writer, 1, outsider),
        ("F06.not-eligible", "not-a-member".to_owned())
    );
    assert_eq!(
        why(&mut writer, 1, 20),
        ("F06.not-eligible", "direction".to_owned())
    );
    assert_eq!(
        why(&mut writer, 2, 20),
        ("F06.not-eligible", "class".to_owned())
    );
    apply_for(&mut writer, 2, outsider, "p", 5);
}

/// One applicant filled a call for everybody: 8,192 sealed applications, withdrawn ones included.
/// Now the terms say how many of a group wait and how many it hands in.
#[test]
fn r33_a_group_has_two_applications_waiting_and_hands_in_five() {
    let mut writer = writer("per-group");
    let (_, call) = open_call(&mut writer);
    // 12 and 13 are one group.
    apply_for(&mut writer, call, 12, "one", 1_000);
    let mut last = apply_for(&mut writer, call, 13, "two", 1_000);
    let submit = |writer: &mut Writer, project: &str| {
        let body = CallAct::Submit(submission(call, 12, project, 1_000));
        act(writer, 12, body)
    };
    assert_eq!(
        code(submit(&mut writer, "three")),
        "R33.waiting-applications"
    );
    for (applicant, project) in [(13, "three"), (12, "four"), (12, "five")] {
        let owner = of(&writer, last).applicant.0;
        let application = ApplicationId(last);
        act(&mut writer, owner, CallAct::Withdraw { application }).unwrap();
        last = apply_for(&mut writer, call, applicant, project, 1_000);
    }
    let application = ApplicationId(last);
    act(&mut writer, 12, CallAct::Withdraw { application }).unwrap();
    assert_eq!(
        code(submit(&mut writer, "six")),
        "R33.handed-in-applications"
    );
    apply_for(&mut writer, call, 20, "another group", 1_000);
}

/// The project was in clear at submission: whoever saw it first could take it. Now it is sealed. At
/// the opening the later of one group with one project is void; another group's goes on, marked.
#[test]
fn r33_one_project_of_a_group_counts_once_and_is_not_taken_by_another() {
    let mut writer = writer("projects");
    let (_, call) = open_call(&mut writer);
    let first = apply_for(&mut writer, call, 12, "one project", 1_000);
    let sister = apply_for(&mut writer, call, 13, "one project", 1_000);
    let stranger = apply_for(&mut writer, call, 20, "one project", 1_000);
    let closes = writer.due(DeadlineKind::CallCloses, call).unwrap();
    writer.advance(closes + 1);
    // The later one is opened first, and even judged, before the earlier one is.
    open(&mut writer, sister, "one project", 1_000).unwrap();
    judge(&mut writer, sister, None).unwrap();
    open(&mut writer, first, "one project", 1_000).unwrap();
    open(&mut writer, stranger, "one project", 1_000).unwrap();
    let void = of(&writer, sister);
    assert_eq!(void.status, ApplicationStatus::Void);
    assert_eq!(void.void.unwrap().as_str(), "R33.same-project");
    for application in [first, stranger] {
        let entry = of(&writer, application);
        assert_eq!(entry.status, ApplicationStatus::Opened);
        assert!(entry.same_project, "{application} is marked");
    }
    assert_eq!(code(judge(&mut writer, sister, None)), "F07.wrong-state");
    judge(&mut writer, first, None).unwrap();
    judge(&mut writer, stranger, Some("out-of-scope")).unwrap();
}

/// An opened application that nobody judged waited in silence. It is shown as overdue after 15
/// working days, and may still be judged.
#[test]
fn r33_an_application_that_nobody_judges_is_overdue() {
    let mut writer = writer("overdue");
    let (_, call) = open_call(&mut writer);
    let application = apply_for(&mut writer, call, 20, "project", 1_000);
    let closes = writer.due(DeadlineKind::CallCloses, call).unwrap();
    writer.advance(closes + 1);
    open(&mut writer, application, "project", 1_000).unwrap();
    let overdue = EventBody::VerdictOverdue {
        application: ApplicationId(application),
        call: CallId(call),
    };
    let events = writer.advance_days(18);
    assert!(!events.contains(&overdue), "{events:?}");
    let events = writer.advance_days(8);
    assert!(events.contains(&overdue), "{events:?}");
    judge(&mut writer, application, None).unwrap();
}

/// Applications with partners have their place in the sealed content; their acts do not exist yet.
#[test]
fn r46_a_joint_application_is_not_opened_yet() {
    let mut writer = writer("joint");
    let (_, call) = open_call(&mut writer);
    let joint = ApplicationContent {
        partners: vec![Part {
            organisation: OrganisationId(21),
            amount: Amount(400),
        }],
        ..content("project", 1_000)
    };
    let commitment = joint.commitment(&SALT, CallId(call), OrganisationId(20));
    let submission = Submission {
        commitment,
        ..submission(call, 20, "project", 1_000)
    };
    act(&mut writer, 20, CallAct::Submit(submission)).unwrap();
    let closes = writer.due(DeadlineKind::CallCloses, call).unwrap();
    writer.advance(closes + 1);
    let open = CallAct::Open {
        application: ApplicationId(1),
        content: joint,
        salt: SALT,
    };
    assert_eq!(
        code(act(&mut writer, 20, open)),
        "R46.no-joint-applications"
    );
}

/// An appeal that the board left lying started anew without end, and nobody could be ranked. After 60
/// days the clock dismisses it.
#[test]
fn r40_an_appeal_that_nobody_decides_is_dismissed_after_sixty_days() {
    let mut writer = writer("appeal");
    let (_, call) = open_call(&mut writer);
    let application = apply_for(&mut writer, call, 20, "project", 1_000);
    let closes = writer.due(DeadlineKind::CallCloses, call).unwrap();
    writer.advance(closes + 1);
    open(&mut writer, application, "project", 1_000).unwrap();
    judge(&mut writer, application, Some("out-of-scope")).unwrap();
    let appeal = CallAct::Appeal {
        application: ApplicationId(application),
        grounds: sha256(b"grounds"),
    };
    act(&mut writer, 20, appeal.clone()).unwrap();
    let rank = CallAct::Rank { call: CallId(call) };
    writer.advance_days(57);
    assert_eq!(code(act(&mut writer, 1, rank.clone())), "F10.appeal-open");
    let events = writer.advance_days(8);
    let dismissed = EventBody::AppealDismissed {
        application: ApplicationId(application),
        call: CallId(call),
    };
    assert!(events.contains(&dismissed), "{events:?}");
    assert_eq!(of(&writer, application).appeal, Some(Appeal::Dismissed));
    assert_eq!(code(act(&mut writer, 20, appeal)), "F40.no-appeal");
    act(&mut writer, 1, rank).unwrap();
}
