//! Who may apply, and until when (F06, RULINGS A4).

use rollbook_core::account::{Amount, Pot};
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::charter::Class;
use rollbook_core::identity::Role;
use rollbook_core::record::{
    Body, CallAct, CallTerms, Choice, Eligibility, MotionEffect, SeenEarlier, SeenReceipt,
    Submission,
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
    act, apply_for, called, code, of, open_call, open_fund, pledge, receive, submission, terms,
    writer,
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
        project: sha256(b"other"),
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
        "F06.project-twice"
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
    receive(&mut writer, parts[0], 1_000, "IN-1").unwrap();
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
        ("F06.not-eligible", "not a member".to_owned())
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
