use rollbook_proof::codec::{decode, encode};

use super::*;
use crate::id::{DirectionId, FundId};

const PRESETS: [Preset; 3] = [Preset::Default, Preset::Foundation, Preset::CnAssociation];

#[test]
fn presets_keep_the_floors_and_survive_the_wire() {
    for preset in PRESETS {
        let rules = RuleSet::preset(preset);
        assert_eq!(rules.check(), Ok(()), "{preset:?}");
        let bytes = encode(&rules);
        assert!(
            bytes.len() < 4096,
            "{} bytes: a charter value stays under 4 KB",
            bytes.len()
        );
        assert_eq!(decode::<RuleSet>(&bytes), Ok(rules));
    }
}

/// The rows of domain 1.5, read back as text.
#[test]
fn the_presets_are_the_table_of_domain_1_5() {
    let text = |preset, kind, body| {
        let rule = *RuleSet::preset(preset).rule(kind, body).unwrap();
        let pass = match rule.pass {
            Pass::Threshold(threshold) => threshold.to_string(),
            Pass::Plurality(None) => "plurality".into(),
            Pass::Plurality(Some(threshold)) => format!("plurality and {threshold}"),
        };
        format!("{} | {pass}", rule.quorum)
    };
    use BodyKind::*;
    use MotionKind::*;
    use Preset::*;
    for (preset, kind, body, expected) in [
        (Default, Admit, Board, "2/3 | >= 2/3 part"),
        (Default, ClassChange, Board, "2/3 | >= 2/3 part"),
        (Default, Suspend, Board, "2/3 | >= 2/3 elig"),
        (Default, Lift, Board, "2/3 | >= 2/3 elig"),
        (Default, Expel, Assembly, "2/3 | >= 2/3 elig"),
        (Default, Appeal, Assembly, "2/3 | >= 2/3 elig"),
        (Default, ElectSeat, Assembly, "1/2 | plurality"),
        (Default, Budget, Board, "1/2 | > 1/2 elig"),
        (Default, CreateFund, Board, "1/2 | > 1/2 elig"),
        (Default, OpenCall, Board, "1/2 | > 1/2 elig"),
        (Default, CloseFund, Assembly, "3/4 | >= 3/4 all"),
        (Default, Award, Committee, "2/3 | > 1/2 elig"),
        (Default, Award, Board, "2/3 | >= 2/3 part"),
        (Default, Award, Assembly, "2/3 | > 1/2 part"),
        (Default, WriteOff, Board, "2/3 | >= 2/3 part"),
        (Default, TerminateAgreement, Board, "2/3 | >= 2/3 part"),
        (Default, AwardOutOfRank, Board, "2/3 | >= 2/3 part"),
        (Default, AwardOutOfRank, Assembly, "2/3 | >= 2/3 part"),
        (Foundation, AwardOutOfRank, Assembly, "2/3 | >= 2/3 part"),
        (CnAssociation, AwardOutOfRank, Assembly, "2/3 | >= 2/3 part"),
        (Default, CreateWorkingGroup, Board, "1/2 | > 1/2 elig"),
        (
            Default,
            WorkingGroupDecision,
            WorkingGroup,
            "1/2 | > 1/2 cast",
        ),
        (Default, AmendCharter, Assembly, "2/3 | >= 2/3 all"),
        (Default, DissolveAlliance, Assembly, "3/4 | >= 3/4 all"),
        (Default, Appoint, Board, "1/2 | > 1/2 elig"),
        (Default, LiftHold, Board, "1/2 | > 1/2 elig"),
        (Foundation, Admit, Board, "1/2 | > 1/2 all"),
        (Foundation, Suspend, Board, "2/3 | >= 2/3 elig"),
        (Foundation, Expel, Assembly, "2/3 | >= 2/3 elig"),
        (Foundation, Budget, Board, "1/2 | > 1/2 all"),
        (Foundation, AmendCharter, Board, "2/3 | >= 2/3 all"),
        (CnAssociation, Admit, Board, "2/3 | >= 2/3 part"),
        (CnAssociation, Suspend, Board, "2/3 | >= 2/3 part"),
        (CnAssociation, Expel, Board, "2/3 | >= 2/3 part"),
        (
            CnAssociation,
            ElectSeat,
            Assembly,
            "1/2 | plurality and > 1/2 part",
        ),
        (CnAssociation, Budget, Board, "2/3 | >= 2/3 part"),
        (CnAssociation, AmendCharter, Assembly, "2/3 | >= 2/3 part"),
        (
            CnAssociation,
            DissolveAlliance,
            Assembly,
            "3/4 | >= 2/3 part",
        ),
        (CnAssociation, WriteOff, Board, "2/3 | >= 2/3 part"),
    ] {
        assert_eq!(
            text(preset, kind, body),
            expected,
            "{preset:?} {kind:?} {body:?}"
        );
    }
    // A preset replaces a body, it does not add one.
    assert!(
        RuleSet::preset(CnAssociation)
            .rule(Expel, Assembly)
            .is_none()
    );
    assert!(
        RuleSet::preset(Foundation)
            .rule(AmendCharter, Assembly)
            .is_none()
    );
}

#[test]
fn times_follow_r10() {
    let rules = RuleSet::preset(Preset::Default);
    let rule = |kind| *rules.first(kind).unwrap();
    assert_eq!(rule(MotionKind::Admit).stay, None);
    assert_eq!(rule(MotionKind::RatifyRevocation).stay, None);
    assert_eq!(
        rule(MotionKind::RatifyRevocation).ballot_max,
        Period::Hours(72)
    );
    assert_eq!(rule(MotionKind::Budget).stay, Some(Period::Hours(72)));
    assert_eq!(rule(MotionKind::AmendCharter).stay, Some(Period::Days(10)));
    assert_eq!(
        (
            rule(MotionKind::Suspend).ballot_min,
            rule(MotionKind::Suspend).ballot_max
        ),
        (Period::Days(7), Period::Days(21))
    );
    assert_eq!(rule(MotionKind::Expel).ballot_min, Period::Days(10));
}

#[test]
fn escalation_takes_the_rule_of_the_higher_body() {
    let rules = RuleSet::preset(Preset::Default);
    let committee = rules.first(MotionKind::Award).unwrap();
    assert_eq!(committee.body, BodyKind::Committee);
    let board = rules.escalated(MotionKind::Award, committee).unwrap();
    assert_eq!(Some(&board), rules.rule(MotionKind::Award, BodyKind::Board));
    let assembly = rules.escalated(MotionKind::Award, &board).unwrap();
    assert_eq!(rules.escalated(MotionKind::Award, &assembly), None);
    // No rule of its own above: same quorum and majority, the assembly's times.
    let suspend = rules.first(MotionKind::Suspend).unwrap();
    let above = rules.escalated(MotionKind::Suspend, suspend).unwrap();
    assert_eq!(
        (above.body, above.quorum, above.pass),
        (BodyKind::Assembly, suspend.quorum, suspend.pass)
    );
    assert_eq!(
        (above.ballot_min, above.stay),
        (Period::Days(10), Some(Period::Days(10)))
    );
    let admit = rules
        .escalated(MotionKind::Admit, rules.first(MotionKind::Admit).unwrap())
        .unwrap();
    assert_eq!(admit.stay, None, "an admission has no stay in any body");
    assert_eq!(
        DecidingBody::Committee(FundId(7)).above(),
        Some(DecidingBody::Board)
    );
    assert_eq!(
        DecidingBody::WorkingGroup(DirectionId(7)).kind(),
        BodyKind::WorkingGroup
    );
}

/// Each floor is gone below once, in an otherwise sound set.
#[test]
fn floors_hold() {
    let good = RuleSet::preset(Preset::Default);
    let with = |kind: MotionKind, change: &dyn Fn(&mut MotionRule)| {
        let mut rules = good.clone();
        let entry = rules
            .entries
            .iter_mut()
            .find(|entry| entry.kind == kind)
            .unwrap();
        change(&mut entry.rule);
        assert!(decode::<RuleSet>(&encode(&rules)).is_err());
        rules.check_floors(ProtocolVersion(1)).unwrap_err()
    };
    let threshold = |strict, n, d| {
        Pass::Threshold(Threshold {
            base: Base::Elig,
            strict,
            fraction: Fraction { n, d },
        })
    };
    for (strict, n, d) in [
        (false, 1, 2),
        (false, 50, 100),
        (true, 1, 3),
        (false, 49, 100),
    ] {
        let error = with(MotionKind::Budget, &|rule| {
            rule.pass = threshold(strict, n, d)
        });
        assert!(matches!(error, FloorError::NoMajority { .. }), "{error}");
    }
    for (strict, n, d) in [
        (true, 0, 2),
        (true, 3, 2),
        (true, 1, 0),
        (true, 6_000, 10_001),
    ] {
        let error = with(MotionKind::Budget, &|rule| {
            rule.pass = threshold(strict, n, d)
        });
        assert!(matches!(error, FloorError::Fraction { .. }), "{error}");
    }
    for (strict, n, d) in [(true, 1, 2), (false, 3, 5), (true, 665, 1000)] {
        let error = with(MotionKind::AmendCharter, &|rule| {
            rule.pass = threshold(strict, n, d)
        });
        assert_eq!(
            error.to_string(),
            format!(
                "amending the charter needs at least 2/3, not {} {n}/{d} elig",
                if strict { ">" } else { ">=" }
            )
        );
    }
    let error = with(MotionKind::Budget, &|rule| {
        rule.quorum = Fraction { n: 0, d: 1 }
    });
    assert!(matches!(error, FloorError::Fraction { .. }));
    assert_eq!(
        with(MotionKind::Admit, &|rule| rule.pass = Pass::Plurality(None)),
        FloorError::Plurality(MotionKind::Admit)
    );
    let error = with(MotionKind::ElectSeat, &|rule| {
        rule.pass = threshold(true, 1, 2)
    });
    assert_eq!(error, FloorError::Plurality(MotionKind::ElectSeat));
    let error = with(MotionKind::Expel, &|rule| rule.body = BodyKind::Committee);
    assert_eq!(error.to_string(), "expel is not for IC");
    let error = with(MotionKind::WorkingGroupDecision, &|rule| {
        rule.body = BodyKind::Board
    });
    assert!(matches!(error, FloorError::Body { .. }));
    for (min, max) in [
        (Period::Days(8), Period::Days(7)),
        (Period::Days(0), Period::Days(7)),
        (Period::Hours(7), Period::Days(7)),
        (Period::Days(7), Period::Days(367)),
    ] {
        let error = with(MotionKind::Budget, &|rule| {
            (rule.ballot_min, rule.ballot_max) = (min, max)
        });
        assert_eq!(
            error,
            FloorError::Ballot {
                kind: MotionKind::Budget,
                min,
                max
            }
        );
    }
}

#[test]
fn a_set_is_complete_and_sorted() {
    let good = RuleSet::preset(Preset::Default);
    for kind in MotionKind::ALL {
        let mut rules = good.clone();
        rules.entries.retain(|entry| entry.kind != kind);
        assert!(
            matches!(rules.check_floors(ProtocolVersion(1)), Err(FloorError::Missing { kind: missing, .. }) if missing == kind)
        );
    }
    let mut rules = good.clone();
    rules.entries.retain(|entry| {
        !(entry.kind == MotionKind::Award && entry.rule.body == BodyKind::Committee)
    });
    assert_eq!(
        rules
            .check_floors(ProtocolVersion(1))
            .unwrap_err()
            .to_string(),
        "no rule for award in IC"
    );
    let mut rules = good.clone();
    rules.entries.swap(0, 1);
    assert!(decode::<RuleSet>(&encode(&rules)).is_err());
    let mut rules = good.clone();
    rules.entries.insert(0, rules.entries[0]);
    assert!(decode::<RuleSet>(&encode(&rules)).is_err());
    for (index, kind) in MotionKind::ALL.iter().enumerate() {
        assert_eq!(
            encode(kind),
            (index as u32).to_le_bytes(),
            "ALL is in encoding order and complete so far"
        );
    }
}

#[test]
fn the_table_for_the_docs() {
    let text = RuleSet::preset(Preset::Default).markdown();
    assert!(
        text.contains("| admit | BRD | 2/3 elig | >= 2/3 part | 7 d – 21 d | – |"),
        "{text}"
    );
    assert_eq!(
        text.lines().count(),
        2 + RuleSet::preset(Preset::Default).entries.len()
    );
}
