use std::cmp::Ordering;

use proptest::prelude::*;
use proptest::sample::select;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::number::OrganisationId;

use super::*;
use crate::calendar::Period;
use crate::charter::motions::*;

fn rule(body: BodyKind, base: Base, strict: bool, n: u32, d: u32) -> MotionRule {
    MotionRule {
        body,
        quorum: Fraction { n: 1, d: 2 },
        pass: Pass::Threshold(Threshold {
            base,
            strict,
            fraction: Fraction { n, d },
        }),
        ballot_min: Period::Days(7),
        ballot_max: Period::Days(21),
        stay: None,
    }
}

fn counts(electorate: u32, recused: u32, yes: u32, no: u32, abstain: u32) -> Counts {
    Counts {
        electorate,
        recused,
        yes,
        no,
        abstain,
    }
}

fn outcome(counts: Counts, rule: &MotionRule) -> Outcome {
    tally(counts, rule, DEFAULT_MIN_ELIG).outcome
}

/// The charter vote of domain 5.3: 17 of 23 voices.
#[test]
fn the_charter_amendment_of_5_3_with_its_arithmetic() {
    let rules = RuleSet::preset(Preset::Default);
    let amend = rules.first(MotionKind::AmendCharter).unwrap();
    let result = tally(counts(23, 0, 17, 3, 1), amend, 3);
    assert_eq!(result.outcome, Outcome::Passed);
    assert_eq!(
        result.explain(),
        [
            "elig = E - recused = 23 - 0 = 23",
            "part = yes + no + abstain = 17 + 3 + 1 = 21",
            "E >= recused: 23 >= 0 holds",
            "elig >= part: 23 >= 21 holds",
            "elig >= min_elig: 23 >= 3 holds",
            "part x 3 >= 2 x elig: 63 >= 46 holds",
            "yes > 0: 17 > 0 holds",
            "yes > no: 17 > 3 holds",
            "yes x 3 >= 2 x all: 51 >= 46 holds",
        ]
    );
    assert_eq!(
        outcome(counts(23, 0, 15, 0, 8), amend),
        Outcome::Rejected,
        "45 < 46"
    );
    assert_eq!(
        outcome(counts(23, 0, 16, 7, 0), amend),
        Outcome::Passed,
        "48 >= 46"
    );
    assert_eq!(
        outcome(counts(23, 0, 15, 0, 0), amend),
        Outcome::NoQuorum,
        "45 < 46"
    );
    assert_eq!(decode::<Tally>(&encode(&result)), Ok(result.clone()));
    let forged = Tally {
        outcome: Outcome::Rejected,
        ..result
    };
    assert!(decode::<Tally>(&encode(&forged)).is_err());
}

#[test]
fn the_four_bases() {
    // 20 voices, 2 recused, 9 yes, 4 no, 3 abstain, 2 silent.
    let given = counts(20, 2, 9, 4, 3);
    for (base, size) in [
        (Base::Cast, 13),
        (Base::Part, 16),
        (Base::Elig, 18),
        (Base::All, 20),
    ] {
        let result = tally(given, &rule(BodyKind::Board, base, true, 1, 2), 3);
        assert_eq!(result.lines.last().unwrap().right, size, "{base:?}");
        let expected = if matches!(base, Base::Cast | Base::Part) {
            Outcome::Passed
        } else {
            Outcome::Rejected
        };
        assert_eq!(result.outcome, expected, "{base:?}");
    }
}

#[test]
fn ties_and_nothing_fail() {
    for base in [Base::Cast, Base::Part, Base::Elig, Base::All] {
        assert_eq!(
            outcome(
                counts(10, 0, 5, 5, 0),
                &rule(BodyKind::Board, base, true, 1, 2)
            ),
            Outcome::Rejected
        );
        // Even under a rule that no charter may have.
        assert_eq!(
            outcome(
                counts(10, 0, 5, 5, 0),
                &rule(BodyKind::Board, base, false, 1, 2)
            ),
            Outcome::Rejected
        );
        assert_eq!(
            outcome(
                counts(10, 0, 0, 0, 10),
                &rule(BodyKind::Board, base, true, 1, 2)
            ),
            Outcome::Rejected
        );
    }
}

#[test]
fn abstaining_counts_for_the_quorum() {
    let by_cast = rule(BodyKind::Board, Base::Cast, true, 1, 2);
    assert_eq!(outcome(counts(9, 0, 2, 1, 0), &by_cast), Outcome::NoQuorum);
    assert_eq!(outcome(counts(9, 0, 2, 1, 2), &by_cast), Outcome::Passed);
    let by_part = rule(BodyKind::Board, Base::Part, true, 1, 2);
    assert_eq!(outcome(counts(9, 0, 2, 1, 2), &by_part), Outcome::Rejected);
}

#[test]
fn too_few_unrelated_voices_go_up_and_end_in_the_assembly() {
    let of = |body| rule(body, Base::Elig, true, 1, 2);
    let too_few = EscalateReason::TooFewVoices;
    assert_eq!(
        outcome(counts(5, 3, 2, 0, 0), &of(BodyKind::Committee)),
        Outcome::Escalate {
            to: BodyKind::Board,
            reason: too_few
        }
    );
    let most = EscalateReason::MostRecused;
    assert_eq!(
        outcome(counts(9, 5, 4, 0, 0), &of(BodyKind::Board)),
        Outcome::Escalate {
            to: BodyKind::Assembly,
            reason: most
        }
    );
    assert_eq!(
        outcome(counts(8, 4, 3, 0, 0), &of(BodyKind::Board)),
        Outcome::Passed,
        "exactly half may decide"
    );
    assert_eq!(
        outcome(counts(24, 20, 4, 0, 0), &of(BodyKind::Assembly)),
        Outcome::Passed,
        "only min_elig in the assembly"
    );
    assert_eq!(
        outcome(counts(24, 22, 2, 0, 0), &of(BodyKind::Assembly)),
        Outcome::Void(VoidReason::TooFewVoices)
    );
    assert_eq!(
        outcome(counts(2, 0, 2, 0, 0), &of(BodyKind::WorkingGroup)),
        Outcome::Escalate {
            to: BodyKind::Board,
            reason: too_few
        }
    );
}

#[test]
fn impossible_counts_are_void() {
    let any = rule(BodyKind::Board, Base::Cast, true, 1, 2);
    let void = Outcome::Void(VoidReason::ImpossibleCounts);
    assert_eq!(outcome(counts(5, 6, 0, 0, 0), &any), void);
    assert_eq!(outcome(counts(5, 0, 3, 3, 0), &any), void);
    assert_eq!(
        outcome(counts(u32::MAX, 0, u32::MAX, u32::MAX, u32::MAX), &any),
        void
    );
    assert_eq!(
        outcome(counts(u32::MAX, 0, u32::MAX, 0, 0), &any),
        Outcome::Passed
    );
}

#[test]
fn elections() {
    let plain = *RuleSet::preset(Preset::Default)
        .first(MotionKind::ElectSeat)
        .unwrap();
    let held = tally(counts(23, 0, 20, 0, 1), &plain, 3);
    assert_eq!(held.outcome, Outcome::Passed);
    let votes = [(1, 9), (2, 12), (3, 9), (4, 5), (5, 0)]
        .map(|(number, votes)| (OrganisationId(number), votes));
    assert_eq!(elect(&held, &votes, 1).elected, [OrganisationId(2)]);
    let two = elect(&held, &votes, 2);
    assert_eq!(
        (two.elected, two.tied, two.by_draw, two.open),
        (
            vec![OrganisationId(2)],
            [1, 3].map(OrganisationId).to_vec(),
            1,
            0
        )
    );
    assert_eq!(
        elect(&held, &votes, 3).elected,
        [2, 1, 3].map(OrganisationId)
    );
    let five = elect(&held, &votes, 5);
    assert_eq!(
        (five.elected, five.open),
        ([2, 1, 3, 4].map(OrganisationId).to_vec(), 1),
        "nobody without a vote is elected"
    );
    assert_eq!(elect(&held, &votes, 0), Election::default());
    // With a majority of part: 21 took part, 11 are needed.
    let cn = *RuleSet::preset(Preset::CnAssociation)
        .first(MotionKind::ElectSeat)
        .unwrap();
    let held = tally(counts(23, 0, 20, 0, 1), &cn, 3);
    let two = elect(&held, &votes, 2);
    assert_eq!(
        (two.elected, two.tied, two.open),
        (vec![OrganisationId(2)], vec![], 1),
        "the second seat goes to a run-off"
    );
    // No quorum, no election.
    let empty = tally(counts(23, 0, 5, 0, 0), &plain, 3);
    assert_eq!(
        elect(&empty, &votes, 2),
        Election {
            open: 2,
            ..Election::default()
        }
    );
}

/// Compares a/b with c/d by Euclid's steps, without multiplying: nothing in common with the code
/// under test.
fn compare(a: u64, b: u64, c: u64, d: u64) -> Ordering {
    match (b == 0, d == 0) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        _ => {}
    }
    match (a / b).cmp(&(c / d)) {
        Ordering::Equal => compare(d, c % d, b, a % b),
        different => different,
    }
}

/// Domain 1.6 again, in words and ratios.
fn reference(counts: &Counts, rule: &MotionRule, min_elig: u32) -> Outcome {
    let [all, recused, yes, no, abstain] = [
        counts.electorate,
        counts.recused,
        counts.yes,
        counts.no,
        counts.abstain,
    ]
    .map(u64::from);
    if recused > all || yes + no + abstain > all - recused {
        return Outcome::Void(VoidReason::ImpossibleCounts);
    }
    let elig = all - recused;
    let up = |reason| match rule.body {
        BodyKind::Assembly => Outcome::Void(VoidReason::TooFewVoices),
        BodyKind::Board => Outcome::Escalate {
            to: BodyKind::Assembly,
            reason,
        },
        BodyKind::Committee | BodyKind::WorkingGroup => Outcome::Escalate {
            to: BodyKind::Board,
            reason,
        },
    };
    if elig < u64::from(min_elig) {
        return up(EscalateReason::TooFewVoices);
    }
    if rule.body != BodyKind::Assembly && recused > elig {
        return up(EscalateReason::MostRecused);
    }
    let took_part = yes + no + abstain;
    if elig > 0
        && compare(took_part, elig, rule.quorum.n.into(), rule.quorum.d.into()) == Ordering::Less
    {
        return Outcome::NoQuorum;
    }
    let Pass::Threshold(threshold) = rule.pass else {
        unreachable!()
    };
    let base = match threshold.base {
        Base::Cast => yes + no,
        Base::Part => took_part,
        Base::Elig => elig,
        Base::All => all,
    };
    if yes == 0 || yes <= no {
        return Outcome::Rejected;
    }
    match compare(
        yes,
        base,
        threshold.fraction.n.into(),
        threshold.fraction.d.into(),
    ) {
        Ordering::Greater => Outcome::Passed,
        Ordering::Equal if !threshold.strict => Outcome::Passed,
        _ => Outcome::Rejected,
    }
}

fn any_fraction() -> impl Strategy<Value = Fraction> {
    prop_oneof![
        select(vec![(1, 2), (2, 3), (3, 4), (1, 1), (3, 5), (1, 3)])
            .prop_map(|(n, d)| Fraction { n, d }),
        (1u32..=10_000).prop_flat_map(|d| (1..=d).prop_map(move |n| Fraction { n, d })),
    ]
}

fn any_rule() -> impl Strategy<Value = MotionRule> {
    let body = select(vec![
        BodyKind::WorkingGroup,
        BodyKind::Committee,
        BodyKind::Board,
        BodyKind::Assembly,
    ]);
    let base = select(vec![Base::Cast, Base::Part, Base::Elig, Base::All]);
    (body, base, any::<bool>(), any_fraction(), any_fraction()).prop_map(
        |(body, base, strict, fraction, quorum)| MotionRule {
            quorum,
            pass: Pass::Threshold(Threshold {
                base,
                strict,
                fraction,
            }),
            ..rule(body, base, strict, 1, 1)
        },
    )
}

/// Mostly counts that can be; small, so that borders are met.
fn any_counts() -> impl Strategy<Value = Counts> {
    let small = (0u32..16, 0u32..8, 0u32..8, 0u32..5, 0u32..6).prop_map(
        |(yes, no, abstain, silent, recused)| {
            counts(
                yes + no + abstain + silent + recused,
                recused,
                yes,
                no,
                abstain,
            )
        },
    );
    let large = (
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
    )
        .prop_map(|(e, r, y, n, a)| counts(e, r >> 2, y >> 2, n >> 3, a >> 3));
    prop_oneof![8 => small, 1 => large]
}

/// Whether a charter may have this majority; the floors are tested in rules.
fn is_majority(rule: &MotionRule) -> bool {
    match rule.pass {
        Pass::Threshold(t) => {
            2 * t.fraction.n > t.fraction.d || (t.strict && 2 * t.fraction.n == t.fraction.d)
        }
        Pass::Plurality(_) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_reference(given in any_counts(), rule in any_rule(), min_elig in 0u32..5) {
        let result = tally(given, &rule, min_elig);
        prop_assert_eq!(result.outcome, reference(&given, &rule, min_elig), "{:?}", result.explain());
        // The last line settled the outcome, and only it may have failed.
        let (last, before) = result.lines.split_last().unwrap();
        prop_assert!(before.iter().all(|line| line.holds));
        prop_assert_eq!(last.holds, result.outcome == Outcome::Passed);
        prop_assert_eq!(decode::<Tally>(&encode(&result)), Ok(result));
    }

    /// One more yes, from a silent voice, a no or an abstention, never turns Passed into anything
    /// else.
    #[test]
    fn monotone_in_yes(given in any_counts(), rule in any_rule()) {
        if !(outcome(given, &rule) == Outcome::Passed) {
            return Ok(());
        }
        let mut better = Vec::new();
        if given.part() < u64::from(given.elig()) {
            better.push(Counts { yes: given.yes + 1, ..given });
        }
        if given.no > 0 {
            better.push(Counts { yes: given.yes + 1, no: given.no - 1, ..given });
        }
        if given.abstain > 0 {
            better.push(Counts { yes: given.yes + 1, abstain: given.abstain - 1, ..given });
        }
        for next in better {
            prop_assert_eq!(outcome(next, &rule), Outcome::Passed, "{:?}", next);
        }
    }

    /// A no in place of silence or abstention never helps once there is a quorum.
    #[test]
    fn a_no_never_helps(given in any_counts(), rule in any_rule()) {
        if !(outcome(given, &rule) == Outcome::Rejected) {
            return Ok(());
        }
        if given.part() < u64::from(given.elig()) {
            prop_assert_eq!(outcome(Counts { no: given.no + 1, ..given }, &rule), Outcome::Rejected);
        }
        if given.abstain > 0 {
            prop_assert_eq!(outcome(Counts { no: given.no + 1, abstain: given.abstain - 1, ..given }, &rule), Outcome::Rejected);
        }
    }

    /// Silence never helps: a further voice that stays silent, or one whose yes falls silent, never
    /// makes a motion pass.
    #[test]
    fn silence_never_helps(given in any_counts(), rule in any_rule()) {
        let before = outcome(given, &rule);
        if matches!(before, Outcome::Rejected | Outcome::NoQuorum) {
            let more = Counts { electorate: given.electorate.saturating_add(1), ..given };
            prop_assert_ne!(outcome(more, &rule), Outcome::Passed);
            if given.yes > 0 {
                prop_assert_ne!(outcome(Counts { yes: given.yes - 1, ..given }, &rule), Outcome::Passed);
            }
        }
    }

    /// An abstention is silence with a quorum: under `cast`, `elig` and `all` it changes nothing
    /// but the quorum; under `part` it can only make passing harder.
    #[test]
    fn abstaining_by_base(given in any_counts(), rule in any_rule()) {
        if given.all_voted() {
            return Ok(());
        }
        let Pass::Threshold(threshold) = rule.pass else { unreachable!() };
        let before = outcome(given, &rule);
        let after = outcome(Counts { abstain: given.abstain + 1, ..given }, &rule);
        match (before, threshold.base) {
            (Outcome::NoQuorum, _) => {}
            (Outcome::Passed, Base::Part) => prop_assert!(matches!(after, Outcome::Passed | Outcome::Rejected)),
            _ => prop_assert_eq!(after, before),
        }
    }

    /// Under any majority a charter may have, the tie question adds nothing to domain 1.6.
    #[test]
    fn the_tie_question_follows_from_the_floors(given in any_counts(), rule in any_rule()) {
        if !(is_majority(&rule)) {
            return Ok(());
        }
        let result = tally(given, &rule, 3);
        if let Some(line) = result.lines.iter().find(|line| line.question == Question::NoTie && !line.holds) {
            let Pass::Threshold(threshold) = rule.pass else { unreachable!() };
            let base = u64::try_from(base(&threshold, &given)).unwrap();
            let order = compare(given.yes.into(), base, threshold.fraction.n.into(), threshold.fraction.d.into());
            prop_assert!(order == Ordering::Less || (order == Ordering::Equal && threshold.strict), "{:?}", line);
        }
    }

    /// Seats are filled, drawn or open, never more or fewer; who is elected has at least the votes
    /// of who is not.
    #[test]
    fn elections_fill_the_seats(votes in proptest::collection::vec(0u32..12, 0..9), seats in 0u32..10, cn in any::<bool>()) {
        let preset = if cn { Preset::CnAssociation } else { Preset::Default };
        let rule = *RuleSet::preset(preset).first(MotionKind::ElectSeat).unwrap();
        let held = tally(counts(15, 0, 12, 0, 2), &rule, 3);
        let least_needed = if cn { 7 } else { 0 };
        let votes: Vec<(OrganisationId, u32)> = (10..).map(OrganisationId).zip(votes).collect();
        let result = elect(&held, &votes, seats);
        prop_assert_eq!(result.elected.len() as u32 + result.by_draw + result.open, seats);
        prop_assert_eq!(result.tied.is_empty(), result.by_draw == 0);
        prop_assert!(result.by_draw == 0 || result.tied.len() as u32 > result.by_draw);
        let of = |candidate: &OrganisationId| votes.iter().find(|(number, _)| number == candidate).unwrap().1;
        let least = result.elected.iter().map(of).min().unwrap_or(u32::MAX);
        for (candidate, count) in &votes {
            if result.elected.contains(candidate) {
                prop_assert!(*count > least_needed);
            } else {
                prop_assert!(*count <= least);
            }
        }
    }
}
