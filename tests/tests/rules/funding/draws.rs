//! Draws of reviewers: who is missing is replaced, and the order is a permutation (R22).

use std::collections::BTreeSet;

use proptest::prelude::*;
use rollbook_core::event::EventBody;
use rollbook_core::id::{CallId, DrawId, PersonId};
use rollbook_core::object::draw::DrawStatus;
use rollbook_core::record::{CallAct, ConfirmPool, DrawFor, MotionEffect, PoolKind};
use rollbook_core::rules::funding::draw;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::keys::officers_of;

use super::{Place, code, commit, fill_pool, officer, open_call, reveal, writer};

#[test]
fn who_is_missing_in_a_draw_is_replaced_and_shown() {
    let mut writer = writer("draw");
    let (_, call) = open_call(&mut writer);
    let subject = DrawFor::Call(CallId(call));
    let freeze = CallAct::FreezePool { subject };
    assert_eq!(
        code(officer(&mut writer, freeze.clone())),
        "R22.call-not-closed"
    );
    let closes = writer.due(DeadlineKind::CallCloses, call).unwrap();
    writer.advance(closes + 1);
    assert_eq!(code(officer(&mut writer, freeze.clone())), "R22.pool-empty");
    let enter = |persons: Vec<u32>| CallAct::EnterPool {
        pool: PoolKind::Reviewers,
        persons: persons.into_iter().map(PersonId).collect(),
    };
    assert_eq!(
        code(officer(&mut writer, enter(vec![officers_of(5).0]))),
        "R7.not-technical"
    );
    assert_eq!(
        code(officer(&mut writer, enter(vec![9_999]))),
        "R7.unknown-person"
    );
    let confirm = MotionEffect::ConfirmPool(ConfirmPool {
        pool: PoolKind::Reviewers,
        persons: vec![PersonId(officers_of(5).1)],
    });
    assert_eq!(
        writer.propose(confirm.clone(), 7).unwrap_err().code,
        "R7.not-entered"
    );
    fill_pool(&mut writer, &[5, 6, 7, 8]);
    assert_eq!(
        writer.propose(confirm, 7).unwrap_err().code,
        "R7.already-confirmed"
    );
    assert_eq!(
        code(officer(&mut writer, enter(vec![officers_of(5).1]))),
        "R7.already-in-pool"
    );
    officer(&mut writer, freeze.clone()).unwrap();
    assert_eq!(
        code(officer(&mut writer, freeze.clone())),
        "R22.draw-running"
    );

    assert_eq!(
        code(commit(&mut writer, 1, Place::Seat(20), 9)),
        "R22.no-free-place",
        "no seat on the board"
    );
    commit(&mut writer, 1, Place::Po, 1).unwrap();
    assert_eq!(
        code(commit(&mut writer, 1, Place::Po, 1)),
        "R22.no-free-place"
    );
    commit(&mut writer, 1, Place::Seat(3), 3).unwrap();
    assert_eq!(
        code(reveal(&mut writer, 1, Place::Po, 1)),
        "R22.wrong-state"
    );
    let passed = |events: Vec<EventBody>| {
        events
            .into_iter()
            .find(|event| matches!(event, EventBody::DrawPassed { .. }))
            .unwrap()
    };
    // The second officer does not commit: the board's first holder takes the place, the other
    // commitments stand.
    let event = passed(writer.advance_days(4));
    assert_eq!(
        event,
        EventBody::DrawPassed {
            draw: DrawId(1),
            attempt: 1,
            places: vec![(1, Some(OrganisationId(1)))]
        }
    );
    assert_eq!(
        code(commit(&mut writer, 1, Place::Off, 2)),
        "R22.no-free-place"
    );
    commit(&mut writer, 1, Place::Seat(1), 2).unwrap();
    assert_eq!(
        code(reveal(&mut writer, 1, Place::Po, 8)),
        "R22.other-bytes"
    );
    reveal(&mut writer, 1, Place::Po, 1).unwrap();
    assert_eq!(
        code(reveal(&mut writer, 1, Place::Po, 1)),
        "R22.nothing-to-reveal"
    );
    reveal(&mut writer, 1, Place::Seat(1), 2).unwrap();
    // Member 3 saw both and keeps silent: replaced by member 2, and all three commit again to fresh
    // bytes.
    let event = passed(writer.advance_days(4));
    assert_eq!(
        event,
        EventBody::DrawPassed {
            draw: DrawId(1),
            attempt: 2,
            places: vec![(2, Some(OrganisationId(2)))]
        }
    );
    assert_eq!(
        code(commit(&mut writer, 1, Place::Seat(3), 3)),
        "R22.no-free-place"
    );
    for (place, byte) in [(Place::Po, 11), (Place::Seat(1), 12), (Place::Seat(2), 13)] {
        commit(&mut writer, 1, place, byte).unwrap();
    }
    for (place, byte) in [(Place::Seat(2), 13), (Place::Po, 11), (Place::Seat(1), 12)] {
        reveal(&mut writer, 1, place, byte).unwrap();
    }
    let drawn = writer.tables().draws.get(&DrawId(1)).unwrap().clone();
    assert_eq!(drawn.status, DrawStatus::Drawn);
    let reveals = [Hash([11; 32]), Hash([12; 32]), Hash([13; 32])];
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
    assert_eq!(
        code(officer(&mut writer, freeze)),
        "R22.pool-empty",
        "nobody was added since"
    );
}

proptest! {
    /// A draw orders the whole pool, nobody twice, whatever order the pool is given in; another
    /// object gives another order.
    #[test]
    fn a_draw_is_a_permutation(
        pool in proptest::collection::btree_set(1u32..10_000, 1..60),
        bytes: [u8; 32],
    ) {
        orders_the_whole_pool(pool, bytes)?;
    }
}

fn orders_the_whole_pool(pool: BTreeSet<u32>, bytes: [u8; 32]) -> Result<(), TestCaseError> {
    let pool: Vec<PersonId> = pool.into_iter().map(PersonId).collect();
    let order = draw::order(&Hash(bytes), 1, &pool);
    prop_assert_eq!(
        order.iter().copied().collect::<BTreeSet<_>>(),
        pool.iter().copied().collect::<BTreeSet<_>>()
    );
    prop_assert_eq!(order.len(), pool.len());
    let reversed: Vec<PersonId> = pool.iter().rev().copied().collect();
    prop_assert_eq!(&draw::order(&Hash(bytes), 1, &reversed), &order);
    prop_assert!(pool.len() < 12 || draw::order(&Hash(bytes), 2, &pool) != order);
    Ok(())
}
