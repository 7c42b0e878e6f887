//! What the terms of a call may be, and the two ways a call ends without paying everything:
//! cancelled or closed (F05, F29, F38).

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{ApplicationId, CallId, DirectionId, FundId};
use rollbook_core::object::application::ApplicationStatus;
use rollbook_core::object::call::CallStatus;
use rollbook_core::record::{
    CallAct, CallTerms, CancelCall, Choice, GrantAward, MotionEffect, TieBreak,
};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::sha256;

use super::{
    YUAN, act, apply_for, balance, call_status, code, fill_pool, full_draw, judge, of, officer,
    open, open_call, open_fund, review_all, submission, terms, totals, writer,
};

#[test]
fn the_terms_of_a_call_are_guarded() {
    let mut writer = writer("terms");
    let fund = open_fund(&mut writer);
    let good = terms(&writer, fund);
    assert_eq!(
        writer
            .propose(MotionEffect::PublishCall(good.clone().into()), 7)
            .unwrap_err()
            .code,
        "F05.budget-above-available"
    );
    let with = |change: &dyn Fn(&mut CallTerms)| {
        let mut terms = good.clone();
        change(&mut terms);
        MotionEffect::PublishCall(terms.into())
    };
    let cases: [(&str, MotionEffect); 11] = [
        ("A4.unknown-fund", with(&|terms| terms.fund = FundId(9))),
        ("F05.too-few-reviewers", with(&|terms| terms.reviewers = 2)),
        (
            "F05.unknown-direction",
            with(&|terms| terms.direction = Some(DirectionId(9))),
        ),
        (
            "F05.closes-in-the-past",
            with(&|terms| {
                (terms.opens_day, terms.closes_day) = (LocalDay(19_000), LocalDay(19_001))
            }),
        ),
        (
            "A6.malformed",
            with(&|terms| terms.criteria[0].weight_bp = 4_001),
        ),
        (
            "A6.malformed",
            with(&|terms| terms.ask_max = Amount(terms.budget.0 + 1)),
        ),
        (
            "A6.malformed",
            with(&|terms| terms.criteria[0].threshold = 11),
        ),
        (
            "A6.malformed",
            with(&|terms| terms.tie_breaks.push(TieBreak::Criterion(3))),
        ),
        (
            "A6.malformed",
            with(&|terms| terms.concentration_bp = Some(10_001)),
        ),
        ("A6.malformed", with(&|terms| terms.codes.reverse())),
        (
            "A6.malformed",
            with(&|terms| terms.criteria[1].code = terms.criteria[0].code.clone()),
        ),
    ];
    for (expected, effect) in cases {
        assert_eq!(writer.propose(effect, 7).unwrap_err().code, expected);
    }
}

#[test]
fn a_cancelled_call_gives_its_budget_back() {
    let mut writer = writer("cancel");
    let (fund, call) = open_call(&mut writer);
    let application = apply_for(&mut writer, call, 20, "project", 1_000_000 * YUAN);
    let motion = writer
        .propose(
            MotionEffect::CancelCall(CancelCall {
                call: CallId(call),
                reason: sha256(b"reason"),
            }),
            7,
        )
        .unwrap();
    writer.pass(motion);
    assert_eq!(
        (call_status(&writer, call), of(&writer, application).status),
        (CallStatus::Cancelled, ApplicationStatus::Void)
    );
    assert_eq!(
        balance(&writer, fund, AccountKind::Direction(DirectionId(2))),
        i128::from(10_000_000 * YUAN),
        "the earmark is restored"
    );
    assert_eq!(
        balance(&writer, fund, AccountKind::Free),
        i128::from(20_000_000 * YUAN)
    );
    assert_eq!(writer.due(DeadlineKind::CallCloses, call), None);
    assert_eq!(
        code(act(
            &mut writer,
            20,
            CallAct::Submit(submission(call, 20, "other", 1))
        )),
        "F06.call-cancelled"
    );
    assert_eq!(
        code(act(
            &mut writer,
            20,
            CallAct::Withdraw {
                application: ApplicationId(application)
            }
        )),
        "F39.decided"
    );
}

/// F29, F38 with an award: nothing is cancelled or closed over it, and what it gives back goes
/// where it came from.
#[test]
fn a_call_closes_when_no_award_waits() {
    let mut writer = writer("close");
    let (fund, call) = open_call(&mut writer);
    fill_pool(&mut writer, &[2, 10, 11]);
    let applications = [(20, 1), (21, 2)].map(|(member, millions)| {
        (
            apply_for(
                &mut writer,
                call,
                member,
                &format!("project {member}"),
                millions * 1_000_000 * YUAN,
            ),
            member,
            millions,
        )
    });
    let closes = writer.due(DeadlineKind::CallCloses, call).unwrap();
    writer.advance(closes + MS_PER_DAY + 1);
    for (application, member, millions) in applications {
        open(
            &mut writer,
            application,
            &format!("project {member}"),
            millions * 1_000_000 * YUAN,
        )
        .unwrap();
        judge(&mut writer, application, None).unwrap();
    }
    full_draw(&mut writer, call);
    let [(first, ..), (second, ..)] = applications;
    review_all(&mut writer, first, &[[9, 9, 9]; 3]);
    review_all(&mut writer, second, &[[8, 9, 9]; 3]);
    act(&mut writer, 1, CallAct::Rank { call: CallId(call) }).unwrap();
    let award = GrantAward {
        application: ApplicationId(first),
        amount: Amount(1_000_000 * YUAN),
        body: BodyKind::Board,
        out_of_rank: None,
    };
    let motion = writer.propose(MotionEffect::GrantAward(award), 7).unwrap();
    // Who reviewed does not vote: of member 2 the reviewer signs, of member 5 (person 10) nobody
    // did.
    assert_eq!(code(writer.vote(2, motion, Choice::Yes)), "N12.same-person");
    for member in [1, 3, 4, 5, 6, 7, 8, 9] {
        writer.vote(member, motion, Choice::Yes).unwrap();
    }
    writer.close(motion);
    if let Some(due) = writer.due(DeadlineKind::MotionEffect, motion) {
        writer.advance(due + 1);
    }
    assert_eq!(
        (of(&writer, first).status, call_status(&writer, call)),
        (ApplicationStatus::Awarded, CallStatus::Ranked)
    );
    let cancel = MotionEffect::CancelCall(CancelCall {
        call: CallId(call),
        reason: sha256(b"reason"),
    });
    assert_eq!(writer.propose(cancel, 7).unwrap_err().code, "F38.granted");
    assert_eq!(
        code(officer(&mut writer, CallAct::Close { call: CallId(call) })),
        "F29.wrong-state"
    );
    act(
        &mut writer,
        21,
        CallAct::Withdraw {
            application: ApplicationId(second),
        },
    )
    .unwrap();
    assert_eq!(call_status(&writer, call), CallStatus::Decided);
    assert_eq!(
        code(act(&mut writer, 1, CallAct::Close { call: CallId(call) })),
        "R7.no-office"
    );
    assert_eq!(
        code(officer(&mut writer, CallAct::Close { call: CallId(call) })),
        "F29.open-child"
    );
    // Nobody accepts: the offer lapses and its money goes back to the call.
    writer.advance_days(80);
    officer(&mut writer, CallAct::Close { call: CallId(call) }).unwrap();
    assert_eq!(call_status(&writer, call), CallStatus::Closed);
    assert_eq!(balance(&writer, fund, AccountKind::Call(CallId(call))), 0);
    assert_eq!(
        balance(&writer, fund, AccountKind::Direction(DirectionId(2))),
        i128::from(10_000_000 * YUAN)
    );
    assert_eq!(
        balance(&writer, fund, AccountKind::Free),
        i128::from(20_000_000 * YUAN)
    );
    totals(&writer, fund);
}
