//! The arithmetic of RULINGS R4, exactly.

use proptest::prelude::*;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::*;
use crate::account::{Amount, Unit};
use crate::id::{AwardId, CharterVersion};
use crate::record::{AgreementTerms, Instrument, MilestonePlan};

fn terms(amounts: &[u64], advance: u64, holdback_bp: u32) -> AgreementTerms {
    let plan = |amount: &u64| MilestonePlan {
        amount: Amount(*amount),
        due_ms: LedgerTime(0),
        evidence: Hash::ZERO,
    };
    AgreementTerms {
        award: AwardId(1),
        instrument: Instrument::Grant,
        grantee: OrganisationId(2),
        partners: Vec::new(),
        parties: Hash::ZERO,
        document: Hash::ZERO,
        total: Amount(amounts.iter().sum()),
        unit: Unit::currency("CNY").unwrap(),
        milestones: amounts.iter().map(plan).collect(),
        advance: Amount(advance),
        holdback_bp,
        account: Hash::ZERO,
        charter: CharterVersion(1),
        call: Hash::ZERO,
        clawback: Hash::ZERO,
        survival: Hash::ZERO,
    }
}

#[test]
fn agreement_one_of_the_story() {
    let million = 100_000_000;
    let terms = terms(&[4 * million, 4 * million], 240_000_000, 1_000);
    assert!(large_enough(&terms));
    let mut paid = Paid {
        advance: terms.advance,
        released: terms.advance,
        ..Paid::default()
    };
    for last in [false, true] {
        let share = paid.share(&terms, Amount(4 * million), Amount(4 * million), last);
        assert_eq!(
            share,
            Share {
                gross: Amount(4 * million),
                held_back: Amount(40_000_000),
                cleared: Amount(120_000_000),
                net: Amount(240_000_000)
            }
        );
        paid.add(&share);
        assert!(paid.total() <= Paid::cap(&terms));
    }
    assert_eq!(paid.holdback_due(Amount(8 * million)), Amount(80_000_000));
    assert_eq!(Paid::cap(&terms), Amount(720_000_000));
}

#[test]
fn the_last_milestone_takes_the_residue() {
    let terms = terms(&[3_333, 3_333, 3_335], 3_000, 1_000);
    let mut paid = Paid {
        advance: Amount(3_000),
        released: Amount(3_000),
        ..Paid::default()
    };
    let shares: Vec<Share> = [(3_333, false), (3_333, false), (3_335, true)]
        .into_iter()
        .map(|(amount, last)| {
            let share = paid.share(&terms, Amount(amount), Amount(amount), last);
            paid.add(&share);
            share
        })
        .collect();
    assert_eq!(
        shares
            .iter()
            .map(|share| share.held_back.0)
            .collect::<Vec<_>>(),
        [333, 333, 334]
    );
    assert_eq!(
        shares
            .iter()
            .map(|share| share.cleared.0)
            .collect::<Vec<_>>(),
        [999, 999, 1_002]
    );
    assert_eq!((paid.held_back.0, paid.outstanding().0), (1_000, 0));
    assert_eq!(paid.holdback_due(Amount(10_001)), Amount(1_000));
}

#[test]
fn a_milestone_that_would_pay_nothing_is_refused_at_drafting() {
    assert!(!large_enough(&terms(&[3, 10_000], 3_000, 1_000)));
    assert!(large_enough(&terms(&[50, 10_000], 3_000, 1_000)));
}

#[derive(Debug, Clone)]
struct Case {
    amounts: Vec<u64>,
    accepted_bp: Vec<u32>,
    order: Vec<usize>,
    advance_bp: u32,
    holdback_bp: u32,
    refuse_first: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    (1usize..6).prop_flat_map(|n| {
        let amounts =
            proptest::collection::vec(prop_oneof![100u64..10_000, 1_000_000u64..9_999_999_999], n);
        let accepted =
            proptest::collection::vec(prop_oneof![3 => Just(10_000u32), 1 => 0u32..10_000], n);
        let order = Just((0..n).collect::<Vec<_>>()).prop_shuffle();
        (
            amounts,
            accepted,
            order,
            0u32..3_001,
            1_000u32..2_500,
            any::<bool>(),
        )
            .prop_map(
                |(amounts, accepted_bp, order, advance_bp, holdback_bp, refuse_first)| Case {
                    amounts,
                    accepted_bp,
                    order,
                    advance_bp,
                    holdback_bp,
                    refuse_first,
                },
            )
    })
}

proptest! {
    /// In any order of requests, with refusals and partial acceptance: never above the cap before
    /// final acceptance (N9), no cent lost or paid twice in the end (N15).
    #[test]
    fn everything_paid_is_what_was_accepted(case in cases()) {
        let total: u64 = case.amounts.iter().sum();
        let terms = terms(&case.amounts, basis_points(Amount(total), case.advance_bp).0, case.holdback_bp);
        prop_assume!(large_enough(&terms));
        let mut paid = Paid { advance: terms.advance, released: terms.advance, ..Paid::default() };
        let accepted = |i: usize| basis_points(Amount(case.amounts[i]), case.accepted_bp[i]);
        let requested: Vec<usize> = case.order.iter().copied().filter(|i| accepted(*i) > Amount::ZERO).collect();
        for (at, i) in requested.iter().enumerate() {
            let last = at + 1 == requested.len();
            let before = paid;
            let share = paid.share(&terms, Amount(case.amounts[*i]), accepted(*i), last);
            prop_assert_eq!(share.gross.0, share.held_back.0 + share.cleared.0 + share.net.0);
            if case.refuse_first {
                paid.add(&share);
                paid.take_back(&share);
                prop_assert_eq!(paid, before);
            }
            paid.add(&share);
            prop_assert!(paid.total() <= Paid::cap(&terms), "{:?} above {:?}", paid.total(), Paid::cap(&terms));
            prop_assert!(paid.cleared <= paid.advance);
        }
        let sum: u64 = (0..case.amounts.len()).map(|i| accepted(i).0).sum();
        let holdback = paid.holdback_due(Amount(sum));
        if paid.total() <= Amount(sum) {
            prop_assert_eq!(paid.total().0 + holdback.0, sum, "what is owed is paid to the cent");
            prop_assert!(holdback <= basis_points(Amount(sum), terms.holdback_bp));
        } else {
            prop_assert_eq!(holdback, Amount::ZERO, "an advance above what was accepted is a debt, and nothing is held back for it");
        }
    }
}
