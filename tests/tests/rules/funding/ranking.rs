//! Scores, thresholds and ranks, exact and in any order of the input.

use proptest::prelude::*;
use rollbook_core::account::Amount;
use rollbook_core::calendar::LocalDay;
use rollbook_core::charter::Class;
use rollbook_core::id::{ApplicationId, FundId};
use rollbook_core::record::{CallTerms, Eligibility, Instrument, PerGroup, Scores, TieBreak};
use rollbook_core::rules::funding::call::{Contestant, better, score};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;
use rollbook_tests::writer::text;

use super::{criterion, name};

fn scored(scores: &[[u32; 3]]) -> Vec<Scores> {
    scores
        .iter()
        .map(|scores| Scores(scores.to_vec()))
        .collect()
}

proptest! {
    /// The score does not depend on the order of reviews, the ranking not on the order of
    /// applications, and it is the order of the exact means.
    #[test]
    fn ranking_is_independent_of_order(
        entries in proptest::collection::vec(
            (
                proptest::collection::vec(proptest::array::uniform3(0u32..=10), 3..6),
                1u64..4,
                0u64..3,
            ),
            1..9,
        ),
        shuffle in any::<prop::sample::Index>(),
    ) {
        ranks_in_any_order(&entries, shuffle)?;
    }
}

/// The reviews of an application, what it asks for and when it came.
type Entry = (Vec<[u32; 3]>, u64, u64);

fn ranks_in_any_order(
    entries: &[Entry],
    shuffle: prop::sample::Index,
) -> Result<(), TestCaseError> {
    let terms = CallTerms {
        threshold: 0,
        ..sample_terms()
    };
    let contestants: Vec<Contestant> = (1..)
        .zip(entries)
        .map(|(application, (reviews, ask, submitted_ms))| {
            let reviews = scored(reviews);
            let forward = score(&terms, &reviews).unwrap();
            let turned = shuffle.index(reviews.len());
            let other: Vec<&Scores> = reviews[turned..]
                .iter()
                .chain(&reviews[..turned])
                .rev()
                .collect();
            assert_eq!(score(&terms, other).unwrap(), forward);
            Contestant {
                application: ApplicationId(application),
                ask: Amount(*ask),
                submitted_ms: LedgerTime(*submitted_ms),
                score: forward,
            }
        })
        .collect();
    let mut ranked = contestants.clone();
    ranked.sort_by(|one, other| better(&terms, one, other));
    let mut turned = contestants;
    let by = shuffle.index(turned.len());
    turned.rotate_left(by);
    turned.reverse();
    turned.sort_by(|one, other| better(&terms, one, other));
    prop_assert_eq!(&ranked, &turned);
    for pair in ranked.windows(2) {
        let (ahead, behind) = (&pair[0].score, &pair[1].score);
        let (left, right) = (
            ahead.total * u64::from(behind.reviews),
            behind.total * u64::from(ahead.reviews),
        );
        prop_assert!(left >= right);
        if left == right {
            prop_assert!(
                ahead.sums[0] * u64::from(behind.reviews)
                    >= behind.sums[0] * u64::from(ahead.reviews),
                "the first tie-break"
            );
        }
    }
    Ok(())
}

fn sample_terms() -> CallTerms {
    CallTerms {
        fund: FundId(1),
        instrument: Instrument::Grant,
        title: name("sample"),
        direction: None,
        budget: Amount(10),
        ask_max: Amount(10),
        criteria: vec![
            criterion("quality", 4_000, 4),
            criterion("impact", 3_500, 0),
            criterion("value", 2_500, 0),
        ],
        threshold: 50_000,
        reviewers: 3,
        concentration_bp: None,
        tie_breaks: vec![
            TieBreak::Criterion(0),
            TieBreak::SmallerAsk,
            TieBreak::Earlier,
        ],
        eligibility: Eligibility {
            classes: vec![Class::Founding],
            outsiders: false,
            in_direction: false,
        },
        per_group: PerGroup::default(),
        codes: vec![text("incomplete")],
        opens_day: LocalDay(1),
        closes_day: LocalDay(2),
        document: Hash::ZERO,
    }
}

/// Thresholds and totals at their exact edges, by hand.
#[test]
fn thresholds_are_exact() {
    let terms = sample_terms();
    // Means of 5 on every criterion: 5 * 10,000 reaches 50,000 exactly.
    let exact = score(&terms, &scored(&[[4, 6, 5], [6, 4, 5]])).unwrap();
    assert_eq!(
        (
            exact.total,
            exact.sums.clone(),
            exact.reviews,
            exact.reached
        ),
        (100_000, vec![10, 10, 10], 2, true)
    );
    let below = score(&terms, &scored(&[[4, 6, 5], [6, 4, 4]])).unwrap();
    assert_eq!((below.total, below.reached), (97_500, false));
    assert!(
        score(&terms, &scored(&[[4, 10, 10], [4, 10, 10], [4, 10, 10]]))
            .unwrap()
            .reached
    );
    let weak = score(&terms, &scored(&[[4, 10, 10], [4, 10, 10], [3, 10, 10]])).unwrap();
    assert!(!weak.reached, "11/3 is below 4, however good the rest");
    assert_eq!(score(&terms, &[]), None);
}
