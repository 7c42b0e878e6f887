use proptest::prelude::*;
use rollbook_core::block::BODY_MAX_BYTES;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Capacity, Nonce, OrganisationAct, Payload, SignatureEntry};
use rollbook_proof::crypto::Signature;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::*;

fn record(organisation: u32, sequence: u64, valid_until_ms: u64) -> Envelope {
    let payload = Payload {
        chain: Hash::ZERO,
        principal: OrganisationId(organisation),
        officer: PersonId(organisation),
        sequence,
        valid_until_ms: LedgerTime(valid_until_ms),
        nonce: Nonce([7; 16]),
        body: Body::Organisation(OrganisationAct::Found),
    };
    let entry = SignatureEntry {
        officer: PersonId(1),
        capacity: Capacity::Own(Role::Primary),
        key: 0,
        signature: Signature::Ed25519([7; 64]),
    };
    Envelope::of(Record {
        payload,
        signatures: vec![entry],
    })
}

fn limits() -> PoolLimits {
    PoolLimits {
        records: 20,
        bytes: 4_000,
        organisation_records: 6,
        organisation_bytes: 1_500,
        remembered: 10,
        person_parked: 3,
        organisation_parked: 5,
    }
}

#[test]
fn one_organisation_cannot_fill_the_pool() {
    let mut pool = Mempool::new(limits());
    let mut taken = 0;
    let refusal = loop {
        let envelope = record(1, taken, 100);
        match pool.insert(envelope, false, 0) {
            Ok(()) => taken += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal, PoolRefusal::OrganisationFull);
    assert_eq!(taken, 6);
    let envelope = record(2, 0, 100);
    assert_eq!(
        pool.insert(envelope, false, 0),
        Ok(()),
        "others have their own share"
    );
}

#[test]
fn decided_records_do_not_come_back() {
    let mut pool = Mempool::new(limits());
    let envelope = record(1, 1, 100);
    let id = envelope.id();
    assert_eq!(pool.insert(envelope.clone(), true, 0), Ok(()));
    assert_eq!(
        pool.insert(envelope.clone(), true, 0),
        Err(PoolRefusal::Known)
    );
    pool.decide(&[id]);
    assert!(pool.is_empty());
    assert_eq!(pool.insert(envelope, false, 0), Err(PoolRefusal::Decided));
    assert_eq!(
        pool.next_batch(),
        Vec::<Vec<u8>>::new(),
        "what is decided is not offered any more"
    );
}

#[test]
fn local_records_are_offered_again_ever_less_often() {
    let mut pool = Mempool::new(limits());
    let envelope = record(1, 1, 100);
    let bytes = envelope.bytes().to_vec();
    assert_eq!(pool.insert(envelope, true, 0), Ok(()));
    assert_eq!(pool.next_batch(), vec![bytes.clone()]);
    assert!(pool.outbox.is_empty());
    let mut times = Vec::new();
    for _ in 0..7 {
        let due = pool.next_offer().expect("still waiting");
        pool.offer_again(due);
        assert_eq!(pool.next_batch(), vec![bytes.clone()]);
        times.push(due);
    }
    assert_eq!(
        times,
        [3_000, 9_000, 21_000, 45_000, 93_000, 153_000, 213_000]
    );
}

#[test]
fn expired_records_go() {
    let mut pool = Mempool::new(limits());
    for (sequence, until) in [(1, 50), (2, 150)] {
        let envelope = record(1, sequence, until);
        assert_eq!(pool.insert(envelope, false, 0), Ok(()));
    }
    assert_eq!(
        pool.expire(LedgerTime(50)).len(),
        0,
        "the last instant counts"
    );
    assert_eq!(pool.expire(LedgerTime(51)).len(), 1);
    assert_eq!(pool.len(), 1);
}

proptest! {
    /// Whatever happens, the counters are the sums over the entries and the bounds hold.
    #[test]
    fn counters_are_sums(steps in prop::collection::vec((0u8..4, 1u32..5, 0u64..30), 0..120)) {
        let mut pool = Mempool::new(limits());
        for (what, organisation, sequence) in steps {
            let envelope = record(organisation, sequence, sequence * 10);
            match what {
                0 | 1 => drop(pool.insert(envelope, what == 0, sequence)),
                2 => pool.decide(&[envelope.id()]),
                _ => drop(pool.expire(LedgerTime(sequence * 5))),
            }
            let bytes: usize = pool.entries.values().map(|e| e.size()).sum();
            prop_assert_eq!(pool.bytes, bytes);
            prop_assert_eq!(pool.queue.len(), pool.entries.len());
            let lanes: BTreeMap<u64, Hash> = pool.lanes.values().flatten().map(|(o, id)| (*o, *id)).collect();
            prop_assert_eq!(&lanes, &pool.queue);
            prop_assert!(pool.entries.len() <= 20 && bytes <= 4_000);
            for (organisation, share) in &pool.shares {
                let own = pool.entries.values().filter(|e| e.organisation() == *organisation);
                let (records, bytes) = own.fold((0, 0), |(n, b), e| (n + 1, b + e.size()));
                prop_assert_eq!((share.records, share.bytes), (records, bytes));
                prop_assert!(records <= 6 && bytes <= 1_500);
            }
            prop_assert!(pool.decided.len() <= 10);
            prop_assert_eq!(pool.decided.len(), pool.decided_order.len());
            prop_assert!(pool.offers.keys().all(|id| pool.entries.contains_key(id)));
        }
    }
}

#[test]
fn parked_records_leave_the_queue_and_keep_their_place() {
    let mut pool = Mempool::new(limits());
    let all: Vec<Envelope> = (1..=4).map(|n| record(1, n, 100)).collect();
    for envelope in &all {
        pool.insert(envelope.clone(), false, 0).unwrap();
    }
    for envelope in &all[..3] {
        pool.park(&envelope.id(), 60);
    }
    // Parking again moves the time and counts once.
    pool.park(&all[1].id(), 70);
    assert_eq!((pool.len(), pool.parked()), (4, 3));
    assert_eq!(pool.oldest(9), [all[3].id()]);
    assert_eq!(pool.candidates(BODY_MAX_BYTES, |_| true).len(), 1);
    assert_eq!(pool.next_parked(), Some(60));
    assert_eq!(pool.parked_until(60, 9), [all[0].id(), all[2].id()]);
    assert_eq!(pool.parked_until(u64::MAX, 1), [all[0].id()]);
    let refused = pool.insert(record(1, 9, 100), false, 0);
    assert_eq!(refused, Err(PoolRefusal::Parked(3)));
    assert_eq!(
        pool.insert(record(2, 9, 100), false, 0),
        Ok(()),
        "others are not to blame"
    );

    pool.unpark(&all[1].id());
    assert_eq!(pool.oldest(2), [all[1].id(), all[3].id()]);
    assert_eq!(pool.insert(record(1, 9, 100), false, 0), Ok(()));
    // What is decided or expires leaves nothing behind.
    pool.decide(&[all[0].id()]);
    pool.expire(LedgerTime(1_000));
    assert_eq!((pool.len(), pool.parked(), pool.bytes()), (0, 0, 0));
    assert_eq!(pool.next_parked(), None);
}

/// Whose records a body takes, in order: organisation and number.
fn body(pool: &mut Mempool, own_turn: impl Fn(OrganisationId) -> bool) -> Vec<(u32, u64)> {
    let records = pool.candidates(BODY_MAX_BYTES, own_turn);
    let of = |record: &Record| (record.payload.principal.0, record.payload.sequence);
    records.iter().map(of).collect()
}

#[test]
fn turns_go_round() {
    let mut pool = Mempool::new(PoolLimits::default());
    let mut waits = |organisation, sequence| {
        pool.insert(record(organisation, sequence, 100), false, 0)
            .unwrap();
    };
    // Member 1 has flooded before anybody else came; so have three companies that are no members.
    for sequence in 1..=4 {
        waits(1, sequence);
    }
    for stranger in [7, 8, 9] {
        waits(stranger, 1);
    }
    waits(2, 1);
    waits(3, 1);
    waits(2, 2);
    let member = |organisation: OrganisationId| organisation.0 < 7;
    let all = body(&mut pool, member);
    let expected = [
        (7, 1),
        (1, 1),
        (2, 1),
        (3, 1),
        (8, 1),
        (1, 2),
        (2, 2),
        (9, 1),
        (1, 3),
        (1, 4),
    ];
    assert_eq!(all, expected, "strangers share one turn");
    assert_eq!(all, body(&mut pool, member), "nobody was left out");
}

/// So many organisations with records so long that a body does not hold one of each: who found no
/// place is first in the next body, and nobody waits for long.
#[test]
fn who_found_no_place_is_first_in_the_next_body() {
    const ORGANISATIONS: u32 = 100;
    let mut pool = Mempool::new(PoolLimits::default());
    let payload = |organisation, sequence| record(organisation, sequence, 100).record().clone();
    for sequence in 1..=3 {
        for organisation in 1..=ORGANISATIONS {
            let mut long = payload(organisation, sequence);
            let entry = long.signatures[0].clone();
            long.signatures = vec![entry; BODY_MAX_SIGNATURES / 40];
            pool.insert(Envelope::of(long), false, 0).unwrap();
        }
    }
    let mut served = BTreeMap::new();
    for round in 0..3 {
        let taken = body(&mut pool, |_| true);
        assert!(taken.len() < ORGANISATIONS as usize, "{}", taken.len());
        let of_one = |who: u32| taken.iter().filter(|(of, _)| *of == who).count();
        assert!((1..=ORGANISATIONS).all(|who| of_one(who) <= 1));
        for (organisation, sequence) in taken {
            served.entry(organisation).or_insert(round);
            let long = pool.with_number(&payload(organisation, sequence).payload.number());
            pool.remove(&long.unwrap());
        }
    }
    assert_eq!(served.len(), ORGANISATIONS as usize, "{served:?}");
}

/// The same where bytes are scarce: the system section takes its part of a body before any record does, so
/// a record that the ledger would leave out counts as one without a place.
#[test]
fn who_does_not_fit_beside_the_system_section_is_first_in_the_next_body() {
    let mut pool = Mempool::new(PoolLimits::default());
    let size = record(1, 1, 100).bytes().len();
    for organisation in 1..=4 {
        for sequence in 1..=3 {
            pool.insert(record(organisation, sequence, 100), false, 0)
                .unwrap();
        }
    }
    let of = |records: &[Record]| -> Vec<u32> {
        let of = |record: &Record| record.payload.principal.0;
        records.iter().map(of).collect()
    };
    let mut turns = Vec::new();
    for _ in 0..4 {
        let taken = pool.candidates(3 * size + size / 2, |_| true);
        turns.push(of(&taken));
        pool.decide(&taken.iter().map(Record::id).collect::<Vec<_>>());
    }
    assert_eq!(
        turns,
        [[1, 2, 3], [4, 1, 2], [3, 4, 1], [2, 3, 4]],
        "one of each, begun where the last one ended"
    );
}

/// An id does not cover the signatures: a record is known in the bytes in which it waits, or waited until
/// it was decided.
#[test]
fn a_record_is_held_in_its_own_bytes() {
    let mut pool = Mempool::new(limits());
    let envelope = record(1, 1, 100);
    let mut other = envelope.record().clone();
    other.signatures[0].signature = Signature::Ed25519([8; 64]);
    let other = Envelope::of(other);
    assert_eq!(envelope.id(), other.id());
    assert!(!pool.holds(&envelope));
    pool.insert(envelope.clone(), false, 0).unwrap();
    assert!(pool.holds(&envelope) && !pool.holds(&other));
    pool.decide(&[envelope.id()]);
    assert!(pool.holds(&envelope) && !pool.holds(&other));
    // What was decided without having waited here is known by its id alone.
    let unseen = record(2, 1, 100);
    pool.decide(&[unseen.id()]);
    assert_eq!(pool.knows(&unseen.id()), Some(PoolRefusal::Decided));
    assert!(!pool.holds(&unseen));
}
