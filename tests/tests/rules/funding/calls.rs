//! A call from its publication to the ranking (F05 to F10, F39, F40, R22).

use std::collections::BTreeSet;

use rollbook_core::account::AccountKind;
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::event::EventBody;
use rollbook_core::id::{ApplicationId, CallId, DirectionId, DrawId, ReviewId};
use rollbook_core::identity::Role;
use rollbook_core::object::application::{Appeal, ApplicationStatus};
use rollbook_core::object::call::CallStatus;
use rollbook_core::object::review::ReviewStatus;
use rollbook_core::record::{
    Body, CallAct, CancelCall, ConflictKind, DrawFor, MotionEffect, ReviewDeclaration, Revision,
    Scores,
};
use rollbook_core::refusal::{NotCounted, Outcome};
use rollbook_core::rules::funding::draw;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::OrganisationId;
use rollbook_tests::writer::Writer;

use super::{
    SALT, YUAN, act, apply_for, balance, call_status, code, content, declare, fill_pool, full_draw,
    judge, of, officer, open, open_call, reveal_scores, review_act, review_all, reviews,
    seal_scores, standing, submission, totals, writer,
};

/// The call part of domain 5.4 in small: eight submissions, one late; two ineligible, one of them
/// on appeal eligible after all; one withdrawn, one never opened; three ranked, one of them below
/// the threshold.
#[test]
fn a_call_from_publication_to_ranking() {
    // The draw decides how many of the pool are left to replace two reviewers later on; with this seed
    // there are enough. Whenever the genesis changes, another seed may be needed.
    let mut writer = writer("call-2");
    let cast = submitted(&mut writer);
    close_and_count(&mut writer, &cast);
    let appeal = open_judge_and_appeal(&mut writer, &cast);
    draw_reviewers(&mut writer, &cast);
    decide_the_appeal(&mut writer, &cast, appeal);
    drop_and_replace(&mut writer, &cast);
    score(&mut writer, &cast);
    rank_and_settle(&mut writer, &cast);
}

/// The organisations and applications of the story.
struct Cast {
    fund: u32,
    call: u32,
    optics: u32,
    gsxr: u32,
    headset: u32,
    scope: u32,
    upheld: u32,
    forgotten: u32,
    closes: u64,
}

/// Money, call, pool and submissions; one submission is withdrawn, twice.
fn submitted(writer: &mut Writer) -> Cast {
    let (fund, call) = open_call(writer);
    // Earmark first: 10 m of direction 2, then 15 m free.
    assert_eq!(
        balance(writer, fund, AccountKind::Direction(DirectionId(2))),
        0
    );
    assert_eq!(
        balance(writer, fund, AccountKind::Free),
        i128::from(5_000_000 * YUAN)
    );
    assert_eq!(
        balance(writer, fund, AccountKind::Call(CallId(call))),
        i128::from(25_000_000 * YUAN)
    );
    let frozen = writer.tables().calls.get(&CallId(call)).unwrap().clone();
    assert_eq!(
        (frozen.terms_hash, frozen.concentration_bp),
        (frozen.terms.hash(), 7_000)
    );

    fill_pool(writer, &[5, 6, 7, 8, 9, 10, 11, 12, 13, 24]);
    let optics = writer.register(15, "Fictional Optics Co", &[]);
    let studio = writer.register(16, "Fictional Studio Alpha", &[]);
    let gsxr = apply_for(writer, call, 24, "GSXR runtime", 12_000_000 * YUAN);
    let headset = apply_for(
        writer,
        call,
        optics,
        "headset optics line",
        9_000_000 * YUAN,
    );
    let scope = apply_for(writer, call, studio, "out of scope", 1_000_000 * YUAN);
    let upheld = apply_for(writer, call, 17, "wrongly refused", 1_000_000 * YUAN);
    let gone = apply_for(writer, call, 18, "withdrawn", 1_000_000 * YUAN);
    let forgotten = apply_for(writer, call, 19, "forgotten", 1_000_000 * YUAN);
    assert_eq!(
        code(act(
            writer,
            24,
            CallAct::Submit(submission(call, 24, "GSXR runtime", 12_000_000 * YUAN))
        )),
        "R33.handed-in-already"
    );
    assert_eq!(
        code(act(writer, 20, CallAct::Submit(submission(9, 20, "x", 1)))),
        "A4.unknown-call"
    );
    assert_eq!(
        code(open(writer, gsxr, "GSXR runtime", 12_000_000 * YUAN)),
        "F07.submissions-open"
    );
    assert_eq!(
        code(act(
            writer,
            17,
            CallAct::Withdraw {
                application: ApplicationId(gone)
            }
        )),
        "F39.not-the-applicant"
    );
    act(
        writer,
        18,
        CallAct::Withdraw {
            application: ApplicationId(gone),
        },
    )
    .unwrap();
    // The same project may be submitted again after a withdrawal.
    let again = apply_for(writer, call, 18, "withdrawn", 1_000_000 * YUAN);
    act(
        writer,
        18,
        CallAct::Withdraw {
            application: ApplicationId(again),
        },
    )
    .unwrap();
    let closes = writer.due(DeadlineKind::CallCloses, call).unwrap();
    Cast {
        fund,
        call,
        optics,
        gsxr,
        headset,
        scope,
        upheld,
        forgotten,
        closes,
    }
}

/// The close: what comes later does not count, and nothing is ranked yet.
fn close_and_count(writer: &mut Writer, cast: &Cast) {
    let Cast { call, closes, .. } = *cast;
    let events = writer.advance(closes + 1);
    assert!(events.iter().any(|event| event.body
        == EventBody::CallClosedForSubmissions {
            call: CallId(call),
            applications: 7
        }));
    let late = act(writer, 20, CallAct::Submit(submission(call, 20, "late", 1)));
    assert_eq!(late, Ok(Outcome::NotCounted(NotCounted::LateApplication)));
    assert_eq!(writer.tables().applications.len(), 7);
    assert_eq!(
        code(act(writer, 1, CallAct::Rank { call: CallId(call) })),
        "F10.late-window-open"
    );
}

/// F07, F40: opened by applicants and by the programme officer, judged, and an appeal.
fn open_judge_and_appeal(writer: &mut Writer, cast: &Cast) -> u32 {
    let Cast {
        gsxr,
        headset,
        scope,
        upheld,
        ..
    } = *cast;
    assert_eq!(
        code(open(writer, gsxr, "GSXR runtime", 11_000_000 * YUAN)),
        "F07.other-content"
    );
    assert_eq!(
        code(judge(writer, gsxr, None)),
        "F07.wrong-state",
        "not opened"
    );
    open(writer, gsxr, "GSXR runtime", 12_000_000 * YUAN).unwrap();
    let by_officer = CallAct::Open {
        application: ApplicationId(headset),
        content: content("headset optics line", 9_000_000 * YUAN),
        salt: SALT,
    };
    assert_eq!(
        code(act(writer, 20, by_officer.clone())),
        "F07.not-the-applicant"
    );
    officer(writer, by_officer).unwrap();
    open(writer, scope, "out of scope", 1_000_000 * YUAN).unwrap();
    open(writer, upheld, "wrongly refused", 1_000_000 * YUAN).unwrap();
    judge(writer, gsxr, None).unwrap();
    judge(writer, headset, None).unwrap();
    assert_eq!(code(judge(writer, headset, None)), "F07.wrong-state");
    assert_eq!(
        code(judge(writer, scope, Some("ugly"))),
        "F07.code-not-published"
    );
    judge(writer, scope, Some("out-of-scope")).unwrap();
    judge(writer, upheld, Some("incomplete")).unwrap();
    assert_eq!(
        code(act(
            writer,
            24,
            CallAct::Appeal {
                application: ApplicationId(gsxr),
                grounds: sha256(b"g")
            }
        )),
        "F40.wrong-state"
    );
    assert_eq!(
        code(act(
            writer,
            24,
            CallAct::Appeal {
                application: ApplicationId(upheld),
                grounds: sha256(b"g")
            }
        )),
        "F40.not-the-applicant"
    );
    act(
        writer,
        17,
        CallAct::Appeal {
            application: ApplicationId(upheld),
            grounds: sha256(b"grounds"),
        },
    )
    .unwrap();
    let appeal = writer.newest_motion();
    assert_eq!(
        code(act(
            writer,
            17,
            CallAct::Appeal {
                application: ApplicationId(upheld),
                grounds: sha256(b"g")
            }
        )),
        "F40.no-appeal"
    );
    appeal
}

/// R22: the draw, and everybody recomputes it.
fn draw_reviewers(writer: &mut Writer, cast: &Cast) {
    let Cast {
        call,
        gsxr,
        headset,
        ..
    } = *cast;
    let number = full_draw(writer, call);
    let drawn = writer.tables().draws.get(&DrawId(number)).unwrap().clone();
    let reveals = [Hash([1; 32]), Hash([2; 32]), Hash([3; 32])];
    let subject = DrawFor::Call(CallId(call));
    assert_eq!(drawn.pool_hash, draw::pool_hash(subject, 1, &drawn.pool));
    assert_eq!(
        drawn.seed,
        Some(draw::seed(
            &writer.alliance.chain(),
            subject,
            1,
            &drawn.pool_hash,
            &reveals
        ))
    );
    assert_eq!(call_status(writer, call), CallStatus::Reviewing);
    // A large ask needs five reviewers (charter), the other three.
    assert_eq!(
        (
            standing(writer, gsxr).len(),
            standing(writer, headset).len()
        ),
        (5, 5)
    );
    for application in [gsxr, headset] {
        let order = draw::order(&drawn.seed.unwrap(), application, &drawn.pool);
        let mut homes = BTreeSet::new();
        let mut last = 0;
        for review in reviews(writer, application) {
            let home = writer.tables().persons.get(&review.person).unwrap().home;
            assert!(
                homes.insert(if home == OrganisationId(13) {
                    OrganisationId(12)
                } else {
                    home
                }),
                "distinct groups"
            );
            assert!(
                application != gsxr || home != OrganisationId(24),
                "unrelated"
            );
            let place = order
                .iter()
                .position(|person| *person == review.person)
                .unwrap()
                + 1;
            assert!(place > last, "in the order of the draw");
            last = place;
        }
    }
}

/// The appeal is granted; its application is assigned at once. What nobody opened is void
/// meanwhile.
fn decide_the_appeal(writer: &mut Writer, cast: &Cast, appeal: u32) {
    let Cast {
        call,
        upheld,
        forgotten,
        closes,
        ..
    } = *cast;
    writer.advance(closes + MS_PER_DAY + 1);
    assert_eq!(
        code(act(writer, 1, CallAct::Rank { call: CallId(call) })),
        "F10.review-not-final"
    );

    let events = writer.pass(appeal);
    assert!(events.contains(&EventBody::ApplicationsVoid {
        call: CallId(call),
        applications: vec![ApplicationId(forgotten)]
    }));
    assert_eq!(
        code(open(writer, forgotten, "forgotten", 1_000_000 * YUAN)),
        "F07.too-late"
    );
    assert_eq!(of(writer, upheld).appeal, Some(Appeal::Granted));
    assert_eq!(
        (of(writer, upheld).status, standing(writer, upheld).len()),
        (ApplicationStatus::UnderReview, 3)
    );
}

/// F09 with every way a reviewer may drop out, and a second draw.
fn drop_and_replace(writer: &mut Writer, cast: &Cast) {
    let Cast {
        call,
        gsxr,
        headset,
        scope,
        upheld,
        ..
    } = *cast;
    let first = standing(writer, upheld);
    assert_eq!(
        code(seal_scores(writer, first[0], &[5, 5, 5])),
        "F09.wrong-state",
        "a declaration precedes the seal"
    );
    let thief = writer
        .tables()
        .reviews
        .get(&ReviewId(first[1]))
        .unwrap()
        .person;
    let home = writer.tables().persons.get(&thief).unwrap().home;
    let body = Body::Call(CallAct::Declare {
        review: ReviewId(first[0]),
        declaration: ReviewDeclaration::Clear,
    });
    assert_eq!(
        code(writer.act_as(home.0, &[(thief.0, Role::Technical)], body)),
        "F09.not-the-reviewer"
    );
    declare(
        writer,
        first[0],
        ReviewDeclaration::Recused(ConflictKind::Investor),
    )
    .unwrap();
    declare(writer, first[1], ReviewDeclaration::Declined).unwrap();
    assert_eq!(
        standing(writer, upheld).len(),
        3,
        "replaced by the next of the draw"
    );
    let due = writer.due(DeadlineKind::ReviewSeal, first[2]).unwrap();
    let events = writer.advance(due + 1);
    assert_eq!(of(writer, scope).appeal, Some(Appeal::Expired));
    let replaced = events.iter().filter(|event| {
        matches!(&event.body,
            EventBody::ReviewerReplaced { review, .. } if *review == ReviewId(first[2]))
    });
    assert_eq!(replaced.count(), 1);
    assert_eq!(
        writer
            .tables()
            .reviews
            .get(&ReviewId(first[2]))
            .unwrap()
            .status,
        ReviewStatus::Replaced
    );
    // Everybody was late on the two others as well; the pool of ten is used up for those who need
    // five.
    assert!(standing(writer, gsxr).len() < 5);
    fill_pool(writer, &[1, 2, 3, 4, 14, 15, 16, 20, 21, 22, 23]);
    let second = full_draw(writer, call);
    assert_eq!(writer.tables().draws.get(&DrawId(second)).unwrap().round, 2);
    assert_eq!(
        (
            standing(writer, gsxr).len(),
            standing(writer, headset).len(),
            standing(writer, upheld).len()
        ),
        (5, 5, 3)
    );
}

/// F09: sealed, revealed, revised, final by the clock.
fn score(writer: &mut Writer, cast: &Cast) {
    let Cast {
        gsxr,
        headset,
        upheld,
        ..
    } = *cast;
    let five = |odd: [u32; 3], even: [u32; 3]| [odd, even, odd, even, odd];
    review_all(writer, gsxr, &five([9, 8, 7], [8, 8, 8]));
    let of_headset = standing(writer, headset);
    declare(writer, of_headset[0], ReviewDeclaration::Clear).unwrap();
    seal_scores(writer, of_headset[0], &[7, 7, 7]).unwrap();
    assert_eq!(
        code(reveal_scores(writer, of_headset[0], &[7, 7, 7])),
        "F09.others-not-sealed"
    );
    for review in &of_headset[1..] {
        declare(writer, *review, ReviewDeclaration::Clear).unwrap();
        seal_scores(writer, *review, &[7, 6, 9]).unwrap();
    }
    assert_eq!(
        code(reveal_scores(writer, of_headset[0], &[7, 7, 8])),
        "F09.other-scores"
    );
    assert_eq!(
        code(reveal_scores(writer, of_headset[0], &[7, 7])),
        "F09.score-per-criterion"
    );
    assert_eq!(
        code(reveal_scores(writer, of_headset[0], &[7, 7, 11])),
        "F09.score-out-of-range"
    );
    reveal_scores(writer, of_headset[0], &[7, 7, 7]).unwrap();
    for review in &of_headset[1..] {
        reveal_scores(writer, *review, &[7, 6, 9]).unwrap();
    }
    let change = Revision {
        scores: Scores(vec![8, 7, 7]),
        reason: sha256(b"panel"),
    };
    review_act(
        writer,
        of_headset[0],
        CallAct::Finalise {
            review: ReviewId(of_headset[0]),
            revision: Some(change),
        },
    )
    .unwrap();
    assert_eq!(
        writer
            .tables()
            .reviews
            .get(&ReviewId(of_headset[0]))
            .unwrap()
            .scores,
        Some(Scores(vec![7, 7, 7])),
        "the old one stays visible"
    );
    let due = writer
        .due(DeadlineKind::ReviewReveal, of_headset[1])
        .unwrap();
    review_all(writer, upheld, &[[3, 9, 9], [4, 9, 9], [4, 9, 9]]);
    writer.advance(due + 1);
    assert_eq!(
        writer
            .tables()
            .reviews
            .get(&ReviewId(of_headset[1]))
            .unwrap()
            .status,
        ReviewStatus::Final,
        "by the clock"
    );
}

/// F10, and withdrawals after it.
fn rank_and_settle(writer: &mut Writer, cast: &Cast) {
    let Cast {
        fund,
        call,
        optics,
        gsxr,
        headset,
        upheld,
        ..
    } = *cast;
    assert_eq!(
        act(writer, 21, CallAct::Rank { call: CallId(call) }),
        Ok(Outcome::Applied)
    );
    assert_eq!(
        code(act(writer, 21, CallAct::Rank { call: CallId(call) })),
        "F10.wrong-state"
    );
    assert_eq!(call_status(writer, call), CallStatus::Ranked);
    assert_eq!(
        (
            of(writer, gsxr).rank,
            of(writer, headset).rank,
            of(writer, upheld).rank
        ),
        (Some(1), Some(2), None)
    );
    let total = 3 * (9 * 4_000 + 8 * 3_500 + 7 * 2_500) + 2 * 8 * 10_000;
    assert_eq!(of(writer, gsxr).score.unwrap().total, total);
    assert_eq!(
        of(writer, headset).score.unwrap().sums,
        [8 + 4 * 7, 7 + 4 * 6, 7 + 4 * 9]
    );
    assert_eq!(
        of(writer, upheld).status,
        ApplicationStatus::NotRecommended,
        "mean quality 11/3 is below 4"
    );
    // Withdrawals after the ranking leave the other ranks alone and settle the call.
    act(
        writer,
        24,
        CallAct::Withdraw {
            application: ApplicationId(gsxr),
        },
    )
    .unwrap();
    assert_eq!(call_status(writer, call), CallStatus::Ranked);
    act(
        writer,
        optics,
        CallAct::Withdraw {
            application: ApplicationId(headset),
        },
    )
    .unwrap();
    assert_eq!(call_status(writer, call), CallStatus::Decided);
    let cancel = MotionEffect::CancelCall(CancelCall {
        call: CallId(call),
        reason: sha256(b"r"),
    });
    assert_eq!(
        writer.propose(cancel, 7).unwrap_err().code,
        "F38.wrong-state"
    );
    totals(writer, fund);
}
