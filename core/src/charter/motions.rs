//! Which body decides what, by which quorum and majority (domain 1.5, 1.7; RULINGS R7, R10).
//!
//! * A charter holds one [`RuleSet`]: for every kind of motion at least one rule; an award has one
//!   per body. The three presets are starting points for charters.
//! * Hard floors are no parameters ([`RuleSet::check_floors`]): every majority is more than half,
//!   so a tie fails under every rule; an amendment needs at least two thirds. A motion is judged by
//!   the rule it opened under, so an amendment never lowers its own threshold; the motion engine
//!   keeps the rule in the motion.
//! * A body with too few unrelated voices passes the motion up (IC -> BRD -> GA): the rule of the
//!   higher body if the set has one, else the same quorum and majority there
//!   ([`RuleSet::escalated`]).
//! * Where a preset of domain 1.5 is silent (a dash), the default rule stands.
//! * Absent on purpose: votes weighted by dues, a casting vote, Condorcet.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Wire, at_most, strictly_ascending};

use rollbook_proof::number::ProtocolVersion;

use crate::calendar::Period;
use crate::id::{DirectionId, FundId};
use crate::word::Word as _;
use presets::{CN_ASSOCIATION, DEFAULT, FOUNDATION, HALF, TWO_THIRDS, built};

mod presets;

/// What a motion is about. Grows only at its end.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum MotionKind {
    /// M08: admit an applicant.
    Admit,
    /// M22: another class.
    ClassChange,
    /// M14: suspend for cause.
    Suspend,
    /// M15: lift a suspension.
    Lift,
    /// M16: expel.
    Expel,
    /// M17: uphold an expelled member's appeal.
    Appeal,
    /// M36: fill seats.
    ElectSeat,
    /// F33, F36: budget lines; freezing, reopening and winding down a fund.
    Budget,
    /// F01: create a fund.
    CreateFund,
    /// F32: close a fund and refund its rest ("dissolve-level").
    CloseFund,
    /// F05, F38: publish or cancel a call.
    OpenCall,
    /// F11, F41, F30, F47: award; the body follows from the size.
    Award,
    /// F11: award against the rank order, with reasons.
    AwardOutOfRank,
    /// F27, F35: write off a debt or a pledge.
    WriteOff,
    /// F12, F24 to F26: revoke an award, suspend or terminate an agreement, order a recovery.
    TerminateAgreement,
    /// M37: create a working group or direction.
    CreateWorkingGroup,
    /// M37: dissolve one.
    DissolveWorkingGroup,
    /// A working group's own decisions.
    WorkingGroupDecision,
    /// Ratify an emergency key revocation within 72 h.
    RatifyRevocation,
    /// Amend the charter.
    AmendCharter,
    /// M42: dissolve the alliance.
    DissolveAlliance,
    /// R7: confirm reviewers and assessors.
    Pool,
    /// M35: fill a post.
    Appoint,
    /// M35: empty a post.
    Remove,
    /// M41: correct an act that had no body of its own; otherwise the act's own rule is used
    /// (RULINGS R20).
    Correct,
    /// M35: appoint or remove the auditor (RULINGS R29: by the assembly alone).
    AppointAuditor,
    /// M23, R23: recover a member's keys.
    RecoverKeys,
    /// F40: decide an applicant's appeal; those who took the decision are recused.
    DecideAppeal,
    /// F19: release a payment from hold.
    LiftHold,
    /// M38: admit or end an observer.
    Observer,
    /// M28: a payment plan of more than six months.
    PaymentPlan,
    /// M24: find that two companies are related, or never were (RULINGS R27).
    Relate,
}

crate::words!(MotionKind, "motion-kind", {
    Admit = "admit",
    ClassChange = "class-change",
    Suspend = "suspend",
    Lift = "lift",
    Expel = "expel",
    Appeal = "appeal",
    ElectSeat = "elect-seat",
    Budget = "budget",
    CreateFund = "create-fund",
    CloseFund = "close-fund",
    OpenCall = "open-call",
    Award = "award",
    AwardOutOfRank = "award-out-of-rank",
    WriteOff = "write-off",
    TerminateAgreement = "terminate-agreement",
    CreateWorkingGroup = "create-working-group",
    DissolveWorkingGroup = "dissolve-working-group",
    WorkingGroupDecision = "working-group-decision",
    RatifyRevocation = "ratify-revocation",
    AmendCharter = "amend-charter",
    DissolveAlliance = "dissolve-alliance",
    Pool = "pool",
    Appoint = "appoint",
    Remove = "remove",
    Correct = "correct",
    AppointAuditor = "appoint-auditor",
    RecoverKeys = "recover-keys",
    DecideAppeal = "decide-appeal",
    LiftHold = "lift-hold",
    Observer = "observer",
    PaymentPlan = "payment-plan",
    Relate = "relate",
});

impl MotionKind {
    /// The first rule version that has this kind. Matched in full: a new kind says its own.
    pub fn since(self) -> ProtocolVersion {
        match self {
            MotionKind::Admit
            | MotionKind::ClassChange
            | MotionKind::Suspend
            | MotionKind::Lift
            | MotionKind::Expel
            | MotionKind::Appeal
            | MotionKind::ElectSeat
            | MotionKind::Budget
            | MotionKind::CreateFund
            | MotionKind::CloseFund
            | MotionKind::OpenCall
            | MotionKind::Award
            | MotionKind::AwardOutOfRank
            | MotionKind::WriteOff
            | MotionKind::TerminateAgreement
            | MotionKind::CreateWorkingGroup
            | MotionKind::DissolveWorkingGroup
            | MotionKind::WorkingGroupDecision
            | MotionKind::RatifyRevocation
            | MotionKind::AmendCharter
            | MotionKind::DissolveAlliance
            | MotionKind::Pool
            | MotionKind::Appoint
            | MotionKind::Remove
            | MotionKind::Correct
            | MotionKind::AppointAuditor
            | MotionKind::RecoverKeys
            | MotionKind::DecideAppeal
            | MotionKind::LiftHold
            | MotionKind::Observer
            | MotionKind::PaymentPlan
            | MotionKind::Relate => ProtocolVersion(1),
        }
    }

    /// Every kind, in encoding order.
    pub const ALL: [MotionKind; 32] = [
        MotionKind::Admit,
        MotionKind::ClassChange,
        MotionKind::Suspend,
        MotionKind::Lift,
        MotionKind::Expel,
        MotionKind::Appeal,
        MotionKind::ElectSeat,
        MotionKind::Budget,
        MotionKind::CreateFund,
        MotionKind::CloseFund,
        MotionKind::OpenCall,
        MotionKind::Award,
        MotionKind::AwardOutOfRank,
        MotionKind::WriteOff,
        MotionKind::TerminateAgreement,
        MotionKind::CreateWorkingGroup,
        MotionKind::DissolveWorkingGroup,
        MotionKind::WorkingGroupDecision,
        MotionKind::RatifyRevocation,
        MotionKind::AmendCharter,
        MotionKind::DissolveAlliance,
        MotionKind::Pool,
        MotionKind::Appoint,
        MotionKind::Remove,
        MotionKind::Correct,
        MotionKind::AppointAuditor,
        MotionKind::RecoverKeys,
        MotionKind::DecideAppeal,
        MotionKind::LiftHold,
        MotionKind::Observer,
        MotionKind::PaymentPlan,
        MotionKind::Relate,
    ];
}

/// A kind of body. Its order is that of the encoding and carries no meaning.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum BodyKind {
    /// WG.
    WorkingGroup,
    /// IC, a fund's investment committee.
    Committee,
    /// BRD.
    Board,
    /// GA.
    Assembly,
}

crate::words!(BodyKind, "body", {
    WorkingGroup = "working-group",
    Committee = "committee",
    Board = "board",
    Assembly = "assembly",
});

impl BodyKind {
    /// The body that decides when this one has too few unrelated voices; none above the assembly.
    pub fn above(self) -> Option<BodyKind> {
        match self {
            BodyKind::WorkingGroup | BodyKind::Committee => Some(BodyKind::Board),
            BodyKind::Board => Some(BodyKind::Assembly),
            BodyKind::Assembly => None,
        }
    }

    /// How high it stands: a body decides what a lower one may decide. Matched and not derived, so
    /// that a kind of body that comes later stands where it belongs.
    fn height(self) -> u8 {
        match self {
            BodyKind::WorkingGroup => 0,
            BodyKind::Committee => 1,
            BodyKind::Board => 2,
            BodyKind::Assembly => 3,
        }
    }

    /// Whether it stands as high as `other`, or higher.
    pub fn is_at_least(self, other: BodyKind) -> bool {
        self.height() >= other.height()
    }

    /// The higher of the two.
    pub fn or_above(self, other: BodyKind) -> BodyKind {
        if self.is_at_least(other) { self } else { other }
    }

    /// The usual abbreviation.
    pub fn code(self) -> &'static str {
        match self {
            BodyKind::WorkingGroup => "WG",
            BodyKind::Committee => "IC",
            BodyKind::Board => "BRD",
            BodyKind::Assembly => "GA",
        }
    }
}

/// The body of one motion.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum DecidingBody {
    /// The board.
    Board,
    /// The general assembly.
    Assembly,
    /// The investment committee of a fund, by fund number.
    Committee(FundId),
    /// A working group, by number.
    WorkingGroup(DirectionId),
}

impl DecidingBody {
    /// The kind of body.
    pub fn kind(self) -> BodyKind {
        match self {
            DecidingBody::Board => BodyKind::Board,
            DecidingBody::Assembly => BodyKind::Assembly,
            DecidingBody::Committee(_) => BodyKind::Committee,
            DecidingBody::WorkingGroup(_) => BodyKind::WorkingGroup,
        }
    }

    /// Where the motion goes when this body has too few unrelated voices.
    pub fn above(self) -> Option<DecidingBody> {
        match self {
            DecidingBody::Committee(_) | DecidingBody::WorkingGroup(_) => Some(DecidingBody::Board),
            DecidingBody::Board => Some(DecidingBody::Assembly),
            DecidingBody::Assembly => None,
        }
    }
}

/// What a majority is counted against (domain 1.5).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// yes + no.
    Cast,
    /// yes + no + abstain.
    Part,
    /// The electorate less the recused.
    Elig,
    /// The whole electorate.
    All,
}

impl Base {
    /// The name in domain 1.5.
    pub fn name(self) -> &'static str {
        match self {
            Base::Cast => "cast",
            Base::Part => "part",
            Base::Elig => "elig",
            Base::All => "all",
        }
    }
}

/// n of d, with 0 < n <= d <= 10,000.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Fraction {
    /// Numerator.
    pub n: u32,
    /// Denominator.
    pub d: u32,
}

/// Largest denominator.
pub const DENOMINATOR_MAX: u32 = 10_000;

impl Fraction {
    /// Whether numerator and denominator are in range.
    pub fn is_proper(self) -> bool {
        self.n > 0 && self.n <= self.d && self.d <= DENOMINATOR_MAX
    }

    /// self >= other, exactly.
    pub fn at_least(self, other: Fraction) -> bool {
        u64::from(self.n) * u64::from(other.d) >= u64::from(other.n) * u64::from(self.d)
    }
}

impl std::fmt::Display for Fraction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.n, self.d)
    }
}

/// A majority.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Threshold {
    /// Against what.
    pub base: Base,
    /// More than (true) or at least (false).
    pub strict: bool,
    /// Of the base.
    pub fraction: Fraction,
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} {}",
            if self.strict { ">" } else { ">=" },
            self.fraction,
            self.base.name()
        )
    }
}

/// When a motion passes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Pass {
    /// yes reaches a majority.
    Threshold(Threshold),
    /// An election: the candidates with most votes, and only those who reach the majority if there
    /// is one (RULINGS R10).
    Plurality(Option<Threshold>),
}

/// How one kind of motion is decided by one body.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct MotionRule {
    /// The body.
    pub body: BodyKind,
    /// Part of the eligible voices that must take part; abstaining is taking part.
    pub quorum: Fraction,
    /// The majority.
    pub pass: Pass,
    /// Shortest ballot.
    pub ballot_min: Period,
    /// Longest ballot, in the same unit.
    pub ballot_max: Period,
    /// How long the effect waits after passing; it may be rescinded meanwhile.
    pub stay: Option<Period>,
}

/// A kind of motion with a rule.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct RuleEntry {
    /// The kind.
    pub kind: MotionKind,
    /// The rule.
    pub rule: MotionRule,
}

/// All rules of a charter, strictly ascending by kind and body.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct RuleSet {
    /// The rules.
    pub entries: Vec<RuleEntry>,
}

/// Where a charter starts from.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// The default column of domain 1.5.
    Default,
    /// As the directed funds of a large foundation do it.
    Foundation,
    /// As the model charters of Chinese associations do it.
    CnAssociation,
}

/// A floor of domain 1.7 that a set of rules goes below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FloorError {
    /// Every kind needs a rule; an award one for each of IC, BRD and GA, one out of rank for each of
    /// BRD and GA.
    #[error("no rule for {} in {}", .kind.word(), body.map_or("any body", BodyKind::code))]
    Missing {
        /// The kind.
        kind: MotionKind,
        /// The body, if a certain one is missing.
        body: Option<BodyKind>,
    },
    /// A fraction outside 0 < n <= d <= 10,000.
    #[error("{}: {fraction} is no fraction of a whole with a denominator up to 10000", .kind.word())]
    Fraction {
        /// The kind.
        kind: MotionKind,
        /// The fraction.
        fraction: Fraction,
    },
    /// Not more than half: a tie or a minority would pass.
    #[error("{}: {threshold} is not a majority; more than half is the floor", .kind.word())]
    NoMajority {
        /// The kind.
        kind: MotionKind,
        /// The threshold.
        threshold: Threshold,
    },
    /// An amendment below two thirds.
    #[error("amending the charter needs at least 2/3, not {0}")]
    Amendment(Threshold),
    /// Plurality is for elections, and elections are by plurality.
    #[error("{}: only the election of seats is by plurality", .0.word())]
    Plurality(MotionKind),
    /// A committee decides awards, a working group its own matters, nothing else; the auditor is the
    /// assembly's.
    #[error("{} is not for {}", .kind.word(), .body.code())]
    Body {
        /// The kind.
        kind: MotionKind,
        /// The body.
        body: BodyKind,
    },
    /// Ballot times in different units, reversed, zero, or over a year.
    #[error("{}: a ballot of {min} to {max}", .kind.word())]
    Ballot {
        /// The kind.
        kind: MotionKind,
        /// Shortest.
        min: Period,
        /// Longest.
        max: Period,
    },
}

impl Wire for RuleSet {
    const MAX: usize = 8 + RULES_MAX * 96;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.entries, RULES_MAX, "motion rules")?;
        strictly_ascending(&self.entries, "motion rules", |entry| {
            (entry.kind, entry.rule.body)
        })?;
        // Every floor but that of a missing kind, which only the charter can judge: it knows the
        // version that it was made under.
        self.check_floors(ProtocolVersion(0))
            .map_err(|error| DecodeError::rule(error.to_string()))
    }
}

/// Most rules of a charter.
pub const RULES_MAX: usize = 128;

impl RuleSet {
    /// The rules of a preset.
    pub fn preset(preset: Preset) -> Self {
        let differing = match preset {
            Preset::Default => &[],
            Preset::Foundation => FOUNDATION,
            Preset::CnAssociation => CN_ASSOCIATION,
        };
        let replaced = |kind: MotionKind| differing.iter().any(|(kinds, ..)| kinds.contains(&kind));
        let mut entries = Vec::new();
        for (table, is_default) in [(DEFAULT, true), (differing, false)] {
            for (kinds, body, quorum, pass) in table {
                let stands = kinds
                    .iter()
                    .filter(|kind| !(is_default && replaced(**kind)));
                entries.extend(stands.map(|kind| built(*kind, *body, *quorum, *pass)));
            }
        }
        entries.sort_by_key(|entry| (entry.kind, entry.rule.body));
        RuleSet { entries }
    }

    /// The rule of a kind in a body, if the charter has one there.
    pub fn rule(&self, kind: MotionKind, body: BodyKind) -> Option<&MotionRule> {
        self.entries
            .iter()
            .find(|entry| entry.kind == kind && entry.rule.body == body)
            .map(|entry| &entry.rule)
    }

    /// The rule of a kind in the lowest body that may decide it.
    pub fn first(&self, kind: MotionKind) -> Option<&MotionRule> {
        self.entries
            .iter()
            .filter(|entry| entry.kind == kind)
            .map(|entry| &entry.rule)
            .min_by_key(|rule| rule.body.height())
    }

    /// The rule one body further up, for a motion whose body has too few unrelated voices (domain
    /// 1.6, RULINGS R7): the set's own rule there, else the same quorum and majority with the
    /// higher body's times. `None` above the assembly.
    pub fn escalated(&self, kind: MotionKind, rule: &MotionRule) -> Option<MotionRule> {
        let body = rule.body.above()?;
        Some(match self.rule(kind, body) {
            Some(own) => *own,
            None => built(kind, body, rule.quorum, rule.pass).rule,
        })
    }

    /// The hard floors of domain 1.7, as far as they lie in rules, for a charter made under this rule
    /// version: a kind of motion that came later is no gap in it.
    pub fn check_floors(&self, made_under: ProtocolVersion) -> Result<(), FloorError> {
        let known = MotionKind::ALL
            .into_iter()
            .filter(|kind| kind.since() <= made_under);
        for kind in known {
            self.first(kind)
                .ok_or(FloorError::Missing { kind, body: None })?;
        }
        use BodyKind::{Assembly, Board, Committee};
        for (kind, body) in [
            (MotionKind::Award, Committee),
            (MotionKind::Award, Board),
            (MotionKind::Award, Assembly),
            (MotionKind::AwardOutOfRank, Board),
            (MotionKind::AwardOutOfRank, Assembly),
        ] {
            self.rule(kind, body).ok_or(FloorError::Missing {
                kind,
                body: Some(body),
            })?;
        }
        self.entries
            .iter()
            .try_for_each(|entry| check_entry(entry.kind, &entry.rule))
    }

    /// The rules as a Markdown table, for docs/.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| motion | body | quorum | pass | ballot | stay |\n|---|---|---|---|---|---|\n",
        );
        for RuleEntry { kind, rule } in &self.entries {
            let pass = match rule.pass {
                Pass::Threshold(threshold) => threshold.to_string(),
                Pass::Plurality(None) => "plurality".into(),
                Pass::Plurality(Some(threshold)) => format!("plurality and {threshold}"),
            };
            let stay = rule.stay.map_or("–".into(), |stay| stay.to_string());
            let (min, max) = (rule.ballot_min, rule.ballot_max);
            let body = rule.body.code();
            text.push_str(&format!(
                "| {} | {body} | {} elig | {pass} | {min} – {max} | {stay} |\n",
                kind.word(),
                rule.quorum
            ));
        }
        text
    }
}

fn check_entry(kind: MotionKind, rule: &MotionRule) -> Result<(), FloorError> {
    let proper = |fraction: Fraction| {
        if fraction.is_proper() {
            Ok(())
        } else {
            Err(FloorError::Fraction { kind, fraction })
        }
    };
    let body_fits = match rule.body {
        BodyKind::Committee => kind == MotionKind::Award,
        BodyKind::WorkingGroup => kind == MotionKind::WorkingGroupDecision,
        BodyKind::Board => !matches!(
            kind,
            MotionKind::WorkingGroupDecision
                | MotionKind::AppointAuditor
                // Nobody elects those who decide but the assembly: seats, and the chair (R48).
                | MotionKind::ElectSeat
        ),
        BodyKind::Assembly => kind != MotionKind::WorkingGroupDecision,
    };
    if !body_fits {
        return Err(FloorError::Body {
            kind,
            body: rule.body,
        });
    }
    proper(rule.quorum)?;
    let threshold = match rule.pass {
        Pass::Threshold(threshold) if kind != MotionKind::ElectSeat => Some(threshold),
        Pass::Plurality(threshold) if kind == MotionKind::ElectSeat => threshold,
        _ => return Err(FloorError::Plurality(kind)),
    };
    if let Some(threshold) = threshold {
        proper(threshold.fraction)?;
        let half_or_more = threshold.fraction.at_least(HALF);
        let exactly_half = half_or_more && HALF.at_least(threshold.fraction);
        if !half_or_more || (exactly_half && !threshold.strict) {
            return Err(FloorError::NoMajority { kind, threshold });
        }
        if kind == MotionKind::AmendCharter && !threshold.fraction.at_least(TWO_THIRDS) {
            return Err(FloorError::Amendment(threshold));
        }
    }
    let (min, max) = (rule.ballot_min, rule.ballot_max);
    let ballot_fits = match (min, max) {
        (Period::Hours(min), Period::Hours(max)) => 0 < min && min <= max && max <= 366 * 24,
        (Period::Days(min), Period::Days(max))
        | (Period::WorkingDays(min), Period::WorkingDays(max)) => {
            0 < min && min <= max && max <= 366
        }
        _ => false,
    };
    if ballot_fits {
        Ok(())
    } else {
        Err(FloorError::Ballot { kind, min, max })
    }
}

#[cfg(test)]
#[path = "motions_tests.rs"]
mod tests;
