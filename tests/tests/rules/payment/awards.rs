//! Awards: who decides, how much, the standstill and the offer (F11, F12, R2).

use rollbook_core::account::{AccountKind, Amount, Movement, Pot};
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::event::EventBody;
use rollbook_core::id::{ApplicationId, AwardId, CallId, MotionId};
use rollbook_core::object::application::ApplicationStatus;
use rollbook_core::object::award::AwardState;
use rollbook_core::object::call::CallStatus;
use rollbook_core::record::{
    AwardAct, Body, CancelCall, GrantAward, PlaceApplication, Placing, RevokeAward,
};
use rollbook_core::rules::effect::Effect;
use rollbook_core::rules::funding::award;
use rollbook_core::tx::Due;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_tests::grants::{Bench, CALL, GRANTEE, MILLION, OTHER, YUAN, hash};

use super::refused;

#[test]
fn f11_guards_of_an_award() {
    let mut bench = Bench::on_tables();
    // Body by size: 500,000 the committee, 5,000,000 the board, above the assembly.
    for (amount, body) in [
        (YUAN, BodyKind::Committee),
        (500_000 * YUAN, BodyKind::Committee),
        (500_000 * YUAN + 1, BodyKind::Board),
    ]
    .into_iter()
    .chain([
        (5 * MILLION, BodyKind::Board),
        (5 * MILLION + 1, BodyKind::Assembly),
    ]) {
        let grant = GrantAward {
            application: ApplicationId(1),
            amount: Amount(amount),
            body,
            out_of_rank: None,
        };
        assert_eq!(
            bench.direct(|tx| award::required_body(tx, &grant)),
            Ok(body),
            "{amount}"
        );
    }
    refused(
        bench.grant(1, 8 * MILLION, BodyKind::Board),
        "F11.body-too-low",
    );
    refused(
        bench.grant(1, 8 * MILLION + 1, BodyKind::Assembly),
        "F11.above-ask",
    );
    refused(
        bench.grant(9, YUAN, BodyKind::Assembly),
        "A4.unknown-application",
    );
    // Rank order: 13 before 12 only with reasons, and then not in the committee.
    let mut out = GrantAward {
        application: ApplicationId(2),
        amount: Amount(YUAN),
        body: BodyKind::Committee,
        out_of_rank: None,
    };
    refused(
        bench.direct(|tx| out.proposable(tx)),
        "R34.better-rank-open",
    );
    out.out_of_rank = Some(hash("reasons"));
    assert_eq!(bench.direct(|tx| out.proposable(tx)), Ok(()));
    refused(bench.direct(|tx| out.possible(tx)), "F11.body-too-low");
    out.body = BodyKind::Board;
    assert_eq!(bench.direct(|tx| out.possible(tx)), Ok(()));
    out.application = ApplicationId(1);
    refused(bench.direct(|tx| out.proposable(tx)), "F11.in-rank");
    // What the call holds.
    let spent = 13 * MILLION;
    bench.post(Movement::CallReleased {
        call: CallId(CALL),
        amount: Amount(spent),
    });
    refused(
        bench.grant(1, 8 * MILLION, BodyKind::Assembly),
        "N4.above-budget",
    );
    bench.post(Movement::CallFunded {
        call: CallId(CALL),
        direction: None,
        amount: Amount(spent),
    });
    // Only of ranked applications of a ranked call.
    let mut call = bench.world.tables.calls.get(&CallId(CALL)).unwrap().clone();
    call.status = CallStatus::Reviewing;
    bench.place(|tx| tx.put(call.clone()));
    refused(
        bench.grant(1, 8 * MILLION, BodyKind::Assembly),
        "F11.call-not-ranked",
    );
    call.status = CallStatus::Ranked;
    bench.place(|tx| tx.put(call));
    let award = bench.grant(1, 8 * MILLION, BodyKind::Assembly).unwrap();
    assert_eq!(
        bench.of(AccountKind::Award(AwardId(award))),
        i128::from(8 * MILLION)
    );
    assert_eq!(
        bench.of(AccountKind::Call(CallId(CALL))),
        i128::from(12 * MILLION)
    );
    assert_eq!(
        bench
            .world
            .tables
            .applications
            .get(&ApplicationId(1))
            .unwrap()
            .status,
        ApplicationStatus::Awarded
    );
    refused(
        bench.grant(1, YUAN, BodyKind::Assembly),
        "F11.application-not-ranked",
    );
}

/// The mini-call of RULINGS R4, in one fund: 300,000 to P by the committee; 250,000 to P's sister
/// is not the committee's.
#[test]
fn f11_the_splitting_test_adds_up_the_group() {
    let mut bench = Bench::on_tables();
    bench.relate(GRANTEE, OTHER);
    bench.grant(1, 300_000 * YUAN, BodyKind::Committee).unwrap();
    refused(
        bench.grant(2, 250_000 * YUAN, BodyKind::Committee),
        "F11.body-too-low",
    );
    let mut later = bench.fork(0);
    let award = bench.grant(2, 250_000 * YUAN, BodyKind::Board).unwrap();
    assert_eq!(
        bench
            .world
            .tables
            .awards
            .get(&AwardId(award))
            .unwrap()
            .tested,
        Amount(550_000 * YUAN)
    );
    // A year later the first does not count any more; a lapsed one counts no day longer.
    later.days(366);
    assert_eq!(
        later.world.tables.awards.get(&AwardId(1)).unwrap().state,
        AwardState::Lapsed
    );
    later.grant(2, 250_000 * YUAN, BodyKind::Committee).unwrap();
}

#[test]
fn r2_concentration_in_fund_and_call() {
    // 20 % of 100 million is 20 million; the call allows 70 % of 20 million.
    let mut bench = Bench::on_tables();
    let mut application = bench
        .world
        .tables
        .applications
        .get(&ApplicationId(1))
        .unwrap()
        .clone();
    application.opened.as_mut().unwrap().content.ask = Amount(20 * MILLION);
    bench.place(|tx| tx.put(application));
    refused(
        bench.grant(1, 14 * MILLION + 1, BodyKind::Assembly),
        "R2.call-concentration",
    );
    bench.grant(1, 14 * MILLION, BodyKind::Assembly).unwrap();
    let mut bench = Bench::on_tables();
    bench.post(Movement::Refunded {
        member: OrganisationId(1),
        pot: Pot::Free,
        amount: Amount(65 * MILLION),
    });
    refused(
        bench.grant(1, 7 * MILLION + 1, BodyKind::Assembly),
        "R2.fund-concentration",
    );
    bench.grant(1, 7 * MILLION, BodyKind::Assembly).unwrap();
}

#[test]
fn f12_standstill_offer_lapse_revocation_and_the_reserve() {
    let mut bench = Bench::on_tables();
    let award = bench.grant(1, 8 * MILLION, BodyKind::Assembly).unwrap();
    let accept = || Body::Award(AwardAct::Accept { award: AwardId(1) });
    refused(bench.grantee(accept()), "F12.wrong-state");
    bench
        .direct(|tx| {
            PlaceApplication {
                application: ApplicationId(2),
                placing: Placing::Reserve,
                reason: Hash::ZERO,
            }
            .carry_out(tx, MotionId(0), Due::acting(LedgerTime(0)))
        })
        .unwrap();
    bench
        .direct(|tx| {
            PlaceApplication {
                application: ApplicationId(3),
                placing: Placing::NotRecommended,
                reason: Hash::ZERO,
            }
            .carry_out(tx, MotionId(0), Due::acting(LedgerTime(0)))
        })
        .unwrap();
    refused(
        bench.grant(2, 6 * MILLION, BodyKind::Assembly),
        "F41.no-award-fell-away",
    );
    let events = bench.days(14);
    assert!(
        matches!(
            events[..],
            [EventBody::AwardOffered {
                award: AwardId(1),
                grantee: OrganisationId(GRANTEE),
                ..
            }]
        ),
        "{events:?}"
    );
    refused(bench.company(OTHER, accept()), "F12.not-the-grantee");
    let events = bench.days(63);
    assert!(
        matches!(
            events[..],
            [EventBody::AwardLapsed {
                award: AwardId(1),
                ..
            }]
        ),
        "{events:?}"
    );
    assert_eq!(
        (
            bench.of(AccountKind::Award(AwardId(award))),
            bench.of(AccountKind::Call(CallId(CALL)))
        ),
        (0, i128::from(20 * MILLION))
    );
    refused(bench.grantee(accept()), "F12.wrong-state");
    // The reserve follows, is revoked by the board, and after the call is closed money goes to A.
    let second = bench.grant(2, 6 * MILLION, BodyKind::Assembly).unwrap();
    let mut call = bench.world.tables.calls.get(&CallId(CALL)).unwrap().clone();
    call.status = CallStatus::Closed;
    bench.place(|tx| tx.put(call));
    let free = bench.of(AccountKind::Free);
    let revoke = RevokeAward {
        award: AwardId(second),
        reason: Hash::ZERO,
    };
    bench
        .direct(|tx| revoke.carry_out(tx, MotionId(0), Due::acting(LedgerTime(0))))
        .unwrap();
    assert_eq!(
        (
            bench.of(AccountKind::Award(AwardId(second))),
            bench.of(AccountKind::Free)
        ),
        (0, free + i128::from(6 * MILLION))
    );
    refused(
        bench.direct(|tx| revoke.carry_out(tx, MotionId(0), Due::acting(LedgerTime(0)))),
        "F12.wrong-state",
    );
    assert!(bench.days(200).is_empty(), "no clock of a dead award runs");
}

/// Nothing is granted any more, so the call may be cancelled: the motion was let in and died at its
/// effect, because an application that is a reserve, or whose award lapsed, had no way to be void.
#[test]
fn f38_a_call_is_cancelled_with_a_reserve_and_a_lapsed_award() {
    let mut bench = Bench::on_tables();
    bench.grant(1, 8 * MILLION, BodyKind::Assembly).unwrap();
    let place = PlaceApplication {
        application: ApplicationId(2),
        placing: Placing::Reserve,
        reason: Hash::ZERO,
    };
    bench
        .direct(|tx| place.carry_out(tx, MotionId(0), Due::acting(LedgerTime(0))))
        .unwrap();
    let cancel = CancelCall {
        call: CallId(CALL),
        reason: Hash::ZERO,
    };
    refused(bench.direct(|tx| cancel.possible(tx)), "F38.granted");
    bench.days(14);
    bench.days(63);
    assert_eq!(bench.direct(|tx| cancel.possible(tx)), Ok(()));
    bench
        .direct(|tx| cancel.carry_out(tx, MotionId(0), Due::acting(LedgerTime(0))))
        .unwrap();
    let tables = &bench.world.tables;
    for number in 1..=3 {
        let application = tables.applications.get(&ApplicationId(number)).unwrap();
        assert_eq!(application.status, ApplicationStatus::Void, "{number}");
    }
    let call = tables.calls.get(&CallId(CALL)).unwrap();
    assert_eq!(call.status, CallStatus::Cancelled);
    assert_eq!(bench.of(AccountKind::Call(CallId(CALL))), 0);
}
