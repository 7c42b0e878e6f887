//! The charter's part: what a deposited charter holds.

use rollbook_proof::number::ProtocolVersion;

use super::{Since, newest};
use crate::charter::motions::{
    Base, MotionKind, MotionRule, Pass, Preset, RuleEntry, RuleSet, Threshold,
};
use crate::charter::{BallotVisibility, Charter, Class, ClassRule, MotionParameters, UnitLimits};

since! {
    // charter.rs
    enum Class {
        Founding = 1,
        Council = 1,
        Ordinary = 1,
        Associate = 1,
    }
    struct ClassRule { class, assembly_vote, seat_eligible, dues }
    struct UnitLimits { unit, committee_limit, board_limit, two_approvers_above, large_ask }
    struct MotionParameters {
        early_close, retable_limit, retable_wait_days, min_elig, ballot_visibility,
        proxies_per_holder
    }
    struct Charter {
        version, text, preset, clock, convenor, offset_minutes, made_under, currency, currencies,
        limits, classes, criteria, board_seats, membership, standing, terms, motions, people, rules, growth, funding,
        chain
    }

    // charter/visibility.rs
    enum BallotVisibility {
        Open = 1,
        Sensitive = 1,
        Sealed = 1,
    }

    // charter/motions.rs
    enum Preset {
        Default = 1,
        Foundation = 1,
        CnAssociation = 1,
    }
    enum Base {
        Cast = 1,
        Part = 1,
        Elig = 1,
        All = 1,
    }
    enum Pass {
        Threshold(it) = 1,
        Plurality(it) = 1,
    }
    struct Threshold { base, strict, fraction }
    struct MotionRule { body, quorum, pass, ballot_min, ballot_max, stay }
    struct RuleSet { entries }
    struct RuleEntry { kind, rule }
    enum MotionKind {
        Admit = 1,
        ClassChange = 1,
        Suspend = 1,
        Lift = 1,
        Expel = 1,
        Appeal = 1,
        ElectSeat = 1,
        Budget = 1,
        CreateFund = 1,
        CloseFund = 1,
        OpenCall = 1,
        Award = 1,
        AwardOutOfRank = 1,
        WriteOff = 1,
        TerminateAgreement = 1,
        CreateWorkingGroup = 1,
        DissolveWorkingGroup = 1,
        WorkingGroupDecision = 1,
        RatifyRevocation = 1,
        AmendCharter = 1,
        DissolveAlliance = 1,
        Pool = 1,
        Appoint = 1,
        Remove = 1,
        Correct = 1,
        AppointAuditor = 1,
        RecoverKeys = 1,
        DecideAppeal = 1,
        LiftHold = 1,
        Observer = 1,
        PaymentPlan = 1,
        Relate = 1,
    }
}
