//! The presets: the rules of every kind of motion as a founding alliance may take them over (domain
//! 1.5).

use crate::calendar::Period;
use crate::charter::motions::{
    Base, BodyKind, Fraction, MotionKind, MotionRule, Pass, RuleEntry, Threshold,
};

pub(super) const TWO_THIRDS: Fraction = Fraction { n: 2, d: 3 };

pub(super) const THREE_QUARTERS: Fraction = Fraction { n: 3, d: 4 };

pub(super) const HALF: Fraction = Fraction { n: 1, d: 2 };

pub(super) const fn more_than_half(base: Base) -> Pass {
    Pass::Threshold(Threshold {
        base,
        strict: true,
        fraction: HALF,
    })
}

pub(super) const fn at_least(fraction: Fraction, base: Base) -> Pass {
    Pass::Threshold(Threshold {
        base,
        strict: false,
        fraction,
    })
}

/// The default column of domain 1.5 and 2.9, as (kinds, body, quorum, pass).
pub(super) const DEFAULT: &[(&[MotionKind], BodyKind, Fraction, Pass)] = {
    use BodyKind::*;
    use MotionKind::*;
    &[
        (
            &[Admit, ClassChange],
            Board,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Part),
        ),
        // Relate by RULINGS R27.
        (
            &[Suspend, Lift, Relate],
            Board,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Elig),
        ),
        // The appeal against what the board has found.
        (
            &[Relate],
            Assembly,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Elig),
        ),
        (
            &[Expel, Appeal],
            Assembly,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Elig),
        ),
        (&[ElectSeat], Assembly, HALF, Pass::Plurality(None)),
        (
            &[Budget, CreateFund, OpenCall],
            Board,
            HALF,
            more_than_half(Base::Elig),
        ),
        (&[Award], Committee, TWO_THIRDS, more_than_half(Base::Elig)),
        (
            &[Award],
            Board,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Part),
        ),
        (&[Award], Assembly, TWO_THIRDS, more_than_half(Base::Part)),
        (
            &[WriteOff, TerminateAgreement, AwardOutOfRank],
            Board,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Part),
        ),
        // RULINGS R32.
        (
            &[AwardOutOfRank],
            Assembly,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Part),
        ),
        (
            &[CreateWorkingGroup, DissolveWorkingGroup],
            Board,
            HALF,
            more_than_half(Base::Elig),
        ),
        (
            &[WorkingGroupDecision],
            WorkingGroup,
            HALF,
            more_than_half(Base::Cast),
        ),
        (&[RatifyRevocation], Board, HALF, more_than_half(Base::Elig)),
        (
            &[AmendCharter],
            Assembly,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::All),
        ),
        (
            &[DissolveAlliance, CloseFund],
            Assembly,
            THREE_QUARTERS,
            at_least(THREE_QUARTERS, Base::All),
        ),
        // RULINGS R7, R13.
        (
            &[Pool, Appoint, Remove, LiftHold],
            Board,
            HALF,
            more_than_half(Base::Elig),
        ),
        (
            &[AppointAuditor],
            Assembly,
            HALF,
            more_than_half(Base::Elig),
        ),
        // The board's ordinary rule, where domain and rulings name the body alone.
        (
            &[Correct, DecideAppeal, Observer, PaymentPlan],
            Board,
            HALF,
            more_than_half(Base::Elig),
        ),
        // It hands over a member's voice: as strict as an admission.
        (
            &[RecoverKeys],
            Board,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Part),
        ),
    ]
};

/// Where the foundation preset differs. "All reps" is the whole electorate, "others" the electorate
/// less the recused.
pub(super) const FOUNDATION: &[(&[MotionKind], BodyKind, Fraction, Pass)] = {
    use BodyKind::*;
    use MotionKind::*;
    &[
        (
            &[Admit, ClassChange],
            Board,
            HALF,
            more_than_half(Base::All),
        ),
        (
            &[Budget, CreateFund, OpenCall],
            Board,
            HALF,
            more_than_half(Base::All),
        ),
        (
            &[AmendCharter],
            Board,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::All),
        ),
    ]
};

/// Where the Chinese association preset differs.
pub(super) const CN_ASSOCIATION: &[(&[MotionKind], BodyKind, Fraction, Pass)] = {
    use BodyKind::*;
    use MotionKind::*;
    &[
        (
            &[Admit, ClassChange, Suspend, Lift, Expel, Appeal],
            Board,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Part),
        ),
        (
            &[ElectSeat],
            Assembly,
            HALF,
            Pass::Plurality(Some(Threshold {
                base: Base::Part,
                strict: true,
                fraction: HALF,
            })),
        ),
        (
            &[Budget, CreateFund, OpenCall],
            Board,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Part),
        ),
        (
            &[AmendCharter],
            Assembly,
            TWO_THIRDS,
            at_least(TWO_THIRDS, Base::Part),
        ),
        (
            &[DissolveAlliance, CloseFund],
            Assembly,
            THREE_QUARTERS,
            at_least(TWO_THIRDS, Base::Part),
        ),
    ]
};

/// Ballot and stay of a body (domain 1.5; RULINGS R10): 7 to 21 days, in the assembly 10 to 21.
pub(super) fn times(body: BodyKind) -> (Period, Period, Option<Period>) {
    match body {
        BodyKind::Assembly => (Period::Days(10), Period::Days(21), Some(Period::Days(10))),
        BodyKind::Board | BodyKind::Committee => {
            (Period::Days(7), Period::Days(21), Some(Period::Hours(72)))
        }
        BodyKind::WorkingGroup => (Period::Days(7), Period::Days(21), None),
    }
}

pub(super) fn built(kind: MotionKind, body: BodyKind, quorum: Fraction, pass: Pass) -> RuleEntry {
    let (mut ballot_min, mut ballot_max, mut stay) = times(body);
    match kind {
        MotionKind::Admit => stay = None,
        MotionKind::Relate => stay = Some(Period::Days(10)),
        // The revocation expires after 72 h, so its ballot is one of hours.
        MotionKind::RatifyRevocation => {
            (ballot_min, ballot_max, stay) = (Period::Hours(1), Period::Hours(72), None)
        }
        _ => {}
    }
    RuleEntry {
        kind,
        rule: MotionRule {
            body,
            quorum,
            pass,
            ballot_min,
            ballot_max,
            stay,
        },
    }
}
