//! The charter as data: every number of domain 1.5 and 2.9 that a rule of this build reads,
//! versioned.
//!
//! * A motion, call or agreement runs to its end under the charter version it opened under.
//! * Hard floors (domain 1.7) are not parameters; [`Charter::check`] refuses a charter below them, and
//!   one with a number outside its bounds ([`Charter::bounds`]).
//! * Absent: parameters of transitions that this build does not have.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, Wire, at_most, encode, strictly_ascending};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::log::Clock;
use rollbook_proof::number::{OrganisationId, ProtocolVersion};

use crate::account::{Amount, Unit};
use crate::calendar::{DEFAULT_OFFSET_MINUTES, MS_PER_HOUR};
use crate::charter::motions::RuleSet;
use crate::id::CharterVersion;

mod bounds;
mod floors;
pub mod motions;
mod visibility;

pub use crate::charter::bounds::Bound;
pub use crate::charter::floors::Floor;
pub use crate::charter::motions::Preset;
pub use crate::charter::visibility::BallotVisibility;

/// Shortest term of a post or seat, and the least time that one of a genesis has left (RULINGS R28).
pub const TERM_DAYS_MIN: u32 = 180;
/// Longest term of a post or seat.
pub const TERM_DAYS_MAX: u32 = 1_830;

/// Classes of membership (domain 1.5 `classes`).
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
pub enum Class {
    /// First batch: vote, seat-eligible.
    Founding,
    /// Vote, seat-eligible.
    Council,
    /// Vote in the assembly.
    Ordinary,
    /// No vote.
    Associate,
}

crate::words!(Class, "class", {
    Founding = "founding",
    Council = "council",
    Ordinary = "ordinary",
    Associate = "associate",
});

/// What a class may do and what it pays.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct ClassRule {
    /// The class.
    pub class: Class,
    /// Votes in the assembly. Votes are never weighted by dues.
    pub assembly_vote: bool,
    /// May hold a seat on the board.
    pub seat_eligible: bool,
    /// Yearly dues in minor units of the charter's currency.
    pub dues: Amount,
}

/// Parameters of admission and dues (domain 1.5).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct MembershipParameters {
    /// M02: working days for screening.
    pub screen_working_days: u32,
    /// M04: days to resubmit.
    pub resubmit_days: u32,
    /// M07: days to find sponsors.
    pub sponsor_days: u32,
    /// M09: days from admission to activation.
    pub activate_days: u32,
    /// M07: sponsors of distinct groups.
    pub sponsors_required: u32,
    /// Days between the end of an old membership and a new application after withdrawal.
    pub readmission_wait_days: u32,
    /// The same after expulsion.
    pub readmission_wait_expelled_days: u32,
    /// Days from the invoice to its due date.
    pub invoice_days: u32,
    /// M18: fewest days between a notice and the end of the membership.
    pub withdraw_notice_days: u32,
    /// R27: days for which voices stay joined after a relation's end was shown.
    pub relation_end_days: u32,
    /// M24: days in which a group that has come to two seats of the board gives one up.
    pub seat_cure_days: u32,
}

/// Parameters of unpaid dues, of notices and of discipline (domain 1.5; RULINGS R9, R17). The days of
/// unpaid dues count from the due day.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct StandingParameters {
    /// M29: days until the first notice is due.
    pub dues_notice_days: u32,
    /// M11: days until the vote is suspended.
    pub dues_suspend_days: u32,
    /// M29: days until the second notice is due.
    pub dues_notice_again_days: u32,
    /// M13: days until the membership ends.
    pub dues_end_days: u32,
    /// M11, M13: least days from a notice to the step that it announces.
    pub dues_warned_days: u32,
    /// M28: longest plan that treasurer and secretary accept without the board.
    pub plan_days: u32,
    /// R17: working days after which two seat holders serve a notice that is due.
    pub silence_working_days: u32,
    /// M14: least days from the notice of a proceeding to a motion.
    pub discipline_notice_days: u32,
    /// M14: least days from the hearing, or its waiver, to a motion.
    pub hearing_days: u32,
    /// M14: longest suspension.
    pub suspend_max_days: u32,
    /// M16: days to appeal against an expulsion.
    pub expulsion_appeal_days: u32,
    /// M30: days after which a proceeding without a motion lapses.
    pub proceeding_days: u32,
}

impl StandingParameters {
    /// Whether the days of unpaid dues come one after the other.
    pub fn is_in_order(&self) -> bool {
        self.dues_notice_days < self.dues_suspend_days
            && self.dues_suspend_days < self.dues_notice_again_days
            && self.dues_notice_again_days < self.dues_end_days
    }
}

/// Terms of posts and seats (RULINGS R28).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct TermParameters {
    /// Days of a seat.
    pub seat_days: u32,
    /// Days of a post, and of a seat of a fund's committee.
    pub post_days: u32,
    /// Days in which an offer of a post is accepted.
    pub offer_days: u32,
    /// Days after which a held-over board only fills posts and lets pay what is due.
    pub holdover_days: u32,
}

/// Parameters of officers, keys and delegations (M23, M32, M33; RULINGS R7, R23).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct PeopleParameters {
    /// M32: hours in which an officer may object to a change of officers or policy.
    pub change_hours: u32,
    /// R7: hours that an emergency revocation lasts unless the board ratifies it.
    pub emergency_hours: u32,
    /// R23: hours between the board's decision and a recovery of keys.
    pub recovery_hours: u32,
    /// M33: most days that a delegation lasts.
    pub delegation_days: u32,
    /// R7: days for which two seat holders stand in for a post.
    pub stand_in_days: u32,
}

/// Parameters of motions that do not differ by kind.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct MotionParameters {
    /// R10: close early once every voice has voted and 24 h have passed without a revote.
    pub early_close: bool,
    /// How often a motion without quorum is put again.
    pub retable_limit: u32,
    /// Days before it is put again.
    pub retable_wait_days: u32,
    /// Fewest eligible voices, at least 3.
    pub min_elig: u32,
    /// R15: which ballots are sealed until they are over.
    pub ballot_visibility: BallotVisibility,
    /// R38: how many members one may vote for besides itself, on one motion of the assembly.
    pub proxies_per_holder: u32,
}

/// Limits in money, in minor units of one unit (RULINGS R35): what is little in one unit is much in
/// another, so a fund in a unit without limits is refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct UnitLimits {
    /// The unit.
    pub unit: Unit,
    /// Awards up to this total per group in 12 months are decided by the investment committee.
    pub committee_limit: Amount,
    /// Up to this by the board, above by the assembly.
    pub board_limit: Amount,
    /// Payments above this need two finance approvers.
    pub two_approvers_above: Amount,
    /// Asks above this need [`FundingParameters::reviewers_large`].
    pub large_ask: Amount,
}

/// What may enter the register (RULINGS A50).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct GrowthParameters {
    /// Companies that a member introduces in a local day.
    pub introductions_by_member: u32,
    /// Companies that an office introduces in a local day.
    pub introductions_by_office: u32,
    /// Officers of a registration.
    pub registration_officers: u32,
    /// Keys of each of them.
    pub registration_keys: u32,
    /// What a member adds in a local day.
    pub member: DayLimits,
    /// What an office adds.
    pub office: DayLimits,
    /// What everybody else adds: companies that are no members, observers.
    pub other: DayLimits,
}

/// What one may add to the ledger in a local day; one person at most half of it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct DayLimits {
    /// Records.
    pub records: u32,
    /// Bytes of their leaves.
    pub bytes: u32,
    /// Keys.
    pub keys: u32,
}

impl DayLimits {
    /// What one person may.
    pub fn half(self) -> DayLimits {
        DayLimits {
            records: self.records / 2,
            bytes: self.bytes / 2,
            keys: self.keys / 2,
        }
    }
}

const MIB: u32 = 1024 * 1024;

/// The numbers of A50. A wall chain goes no lower than a quarter of them.
pub const GROWTH: GrowthParameters = GrowthParameters {
    introductions_by_member: 8,
    introductions_by_office: 200,
    registration_officers: 16,
    registration_keys: 4,
    member: DayLimits {
        records: 1_000,
        bytes: 8 * MIB,
        keys: 64,
    },
    office: DayLimits {
        records: 20_000,
        bytes: 128 * MIB,
        keys: 512,
    },
    other: DayLimits {
        records: 50,
        bytes: MIB,
        keys: 8,
    },
};

/// Parameters of funding (domain 2.9; RULINGS R2, R13).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct FundingParameters {
    /// Most of a fund's net receipts one group may be awarded, in basis points.
    pub fund_concentration_bp: u32,
    /// Most of a call's budget one group may be awarded, in basis points, unless the call says
    /// otherwise.
    pub call_concentration_bp: u32,
    /// Most of an agreement paid in advance, in basis points.
    pub advance_cap_bp: u32,
    /// Held back until final acceptance, in basis points.
    pub holdback_bp: u32,
    /// Fewest final reviews of an application.
    pub reviewers: u32,
    /// Fewest final reviews of a large application.
    pub reviewers_large: u32,
    /// Days between an award decision and its offer.
    pub standstill_days: u32,
    /// Days to appeal against ineligibility or a decision.
    pub appeal_days: u32,
    /// Days an offer stands.
    pub offer_days: u32,
    /// Hours between the last approval and the release of a payment.
    pub payout_delay_hours: u32,
    /// Days a hold lasts without a motion.
    pub hold_days: u32,
    /// Days a changed payee account cools off.
    pub account_cooling_days: u32,
    /// Days of grace after an instalment's due date.
    pub pledge_grace_days: u32,
    /// Days the grantee has to acknowledge or dispute.
    pub acknowledgement_days: u32,
    /// Working days to open applications after the close.
    pub opening_working_days: u32,
    /// R33: working days to judge an opened application.
    pub judge_working_days: u32,
    /// Days for reviews to be sealed.
    pub review_days: u32,
    /// Days for sealed reviews to be revealed.
    pub reveal_days: u32,
    /// Hours for the reveals of a draw.
    pub draw_reveal_hours: u32,
    /// Days to assess a milestone.
    pub assess_days: u32,
    /// Days to certify a request.
    pub certify_days: u32,
    /// Days to approve, to release, to confirm.
    pub step_days: u32,
    /// Times a rejected milestone may be reworked.
    pub rework_max: u32,
    /// Days to observe on a measure or a recovery.
    pub observation_days: u32,
    /// R13: days in which a measure or a recovery is decided.
    pub measure_days: u32,
    /// F28: days after which what was never asked for holds up the closing of an agreement no longer.
    pub claim_days: u32,
    /// R6: officers on the fund side must come from distinct groups as well.
    pub chain_distinct_groups: bool,
}

/// Parameters of the chain itself (RULINGS A9, A10, A17, R12).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct ChainParameters {
    /// A9: how far a live proposal's time may be ahead of the own clock.
    pub ahead_ms: u64,
    /// A9: and behind it.
    pub behind_ms: u64,
    /// A10: an idle chain makes a block this often.
    pub heartbeat_ms: u64,
    /// R12: block times further apart than this lengthen every running deadline by the gap; none
    /// switches it off.
    pub outage_gap_ms: Option<u64>,
    /// A17: most validating nodes.
    pub validator_seats: u32,
    /// A17: fewest blocks between handovers.
    pub handover_blocks: u64,
    /// A17: a validator is seen alive if it signed one of so many last parent certificates.
    pub alive_blocks: u64,
}

/// The charter in force (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Charter {
    /// Counted from 1.
    pub version: CharterVersion,
    /// SHA-256 of the text that people signed.
    pub text: Hash,
    /// Which thresholds it began from.
    pub preset: Preset,
    /// The clock, for ever.
    pub clock: Clock,
    /// Whose idea the alliance was; it gives no right (RULINGS R48).
    pub convenor: Option<OrganisationId>,
    /// Offset of local days from UTC in minutes; +480 by default.
    pub offset_minutes: i32,
    /// The rule version that it was made under: it has a rule for every kind of motion of that
    /// version, and for none that came later.
    pub made_under: ProtocolVersion,
    /// Currency of dues, ISO 4217.
    pub currency: Text<3>,
    /// Currencies that a fund may have, strictly ascending.
    pub currencies: Vec<Text<3>>,
    /// Limits in money by unit, strictly ascending.
    pub limits: Vec<UnitLimits>,
    /// Classes, strictly ascending.
    pub classes: Vec<ClassRule>,
    /// Published criteria that a rejection must cite (M05, M08), strictly ascending.
    pub criteria: Vec<Text<40>>,
    /// Seats on the board.
    pub board_seats: u32,
    /// Admission and dues.
    pub membership: MembershipParameters,
    /// Unpaid dues, notices, discipline.
    pub standing: StandingParameters,
    /// Posts and seats.
    pub terms: TermParameters,
    /// Ballots.
    pub motions: MotionParameters,
    /// Thresholds, ballots and stays by kind of motion and body.
    pub rules: RuleSet,
    /// The register's growth.
    pub growth: GrowthParameters,
    /// Officers, keys and delegations.
    pub people: PeopleParameters,
    /// Money.
    pub funding: FundingParameters,
    /// The chain.
    pub chain: ChainParameters,
}

impl Wire for Charter {
    /// RULINGS A28: a leaf of at most 16 KiB holds it.
    const MAX: usize = 16 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        self.check_shape()?;
        self.rules.check()?;
        if !(-14 * 60..=14 * 60).contains(&self.offset_minutes) {
            return Err(DecodeError::rule(
                "the offset of local days is more than 14 hours",
            ));
        }
        if self.criteria.is_empty() {
            return Err(DecodeError::rule(
                "hard floor: rejections cite a published criterion, so there must be one",
            ));
        }
        if self.committee_above_board() {
            return Err(DecodeError::rule(
                "the committee's limit is above the board's",
            ));
        }
        if !self.standing.is_in_order() {
            return Err(DecodeError::rule(
                "hard floor: a notice comes before the step that it announces",
            ));
        }
        if let Some(bound) = self.bounds().into_iter().find(|bound| !bound.holds()) {
            let Bound {
                parameter,
                value,
                least,
                greatest,
            } = bound;
            return Err(DecodeError::rule(format!(
                "{parameter} is {value}, and {least} to {greatest} is allowed"
            )));
        }
        self.rules
            .check_floors(self.made_under)
            .map_err(|error| DecodeError::rule(error.to_string()))
    }
}

impl Charter {
    /// Shape alone: lists in order and not too long.
    pub fn check_shape(&self) -> Result<(), DecodeError> {
        if encode(self).len() > Charter::MAX {
            return Err(DecodeError::rule(format!(
                "the charter is longer than {} bytes",
                Charter::MAX
            )));
        }
        strictly_ascending(&self.classes, "classes", |rule| rule.class)?;
        strictly_ascending(&self.criteria, "criteria", Clone::clone)?;
        at_most(&self.criteria, 32, "criteria")?;
        strictly_ascending(&self.currencies, "currencies", Clone::clone)?;
        at_most(&self.currencies, 16, "currencies")?;
        strictly_ascending(&self.limits, "limits by unit", |limits| limits.unit.clone())?;
        at_most(&self.limits, 16, "limits by unit")?;
        at_most(&self.rules.entries, motions::RULES_MAX, "motion rules")?;
        strictly_ascending(&self.rules.entries, "motion rules", |entry| {
            (entry.kind, entry.rule.body)
        })
    }

    /// Whether the committee of a fund would decide what is above the board's limit.
    pub fn committee_above_board(&self) -> bool {
        let above = |limits: &UnitLimits| limits.committee_limit > limits.board_limit;
        self.limits.iter().any(above)
    }

    /// SHA-256 of the encoded parameters, which the proved state names.
    pub fn digest(&self) -> Hash {
        sha256(&encode(self))
    }

    /// The shipped charter of a preset. Sample charters switch the outage rule off (RULINGS A5).
    pub fn preset(preset: Preset, clock: Clock, text: Hash) -> Charter {
        let class = |class, assembly_vote, seat_eligible, dues| ClassRule {
            class,
            assembly_vote,
            seat_eligible,
            dues,
        };
        let criteria = [
            "antitrust-undertaking",
            "conflict-undertaking",
            "field-of-work",
            "legal-standing",
            "solvency",
        ];
        Charter {
            version: CharterVersion(1),
            text,
            preset,
            clock,
            convenor: None,
            offset_minutes: DEFAULT_OFFSET_MINUTES,
            made_under: ProtocolVersion(1),
            currency: Text::new("CNY").unwrap_or_default(),
            currencies: vec![Text::new("CNY").unwrap_or_default()],
            limits: vec![UnitLimits {
                unit: Unit::default(),
                committee_limit: Amount(50_000_000),
                board_limit: Amount(500_000_000),
                two_approvers_above: Amount(20_000_000),
                large_ask: Amount(500_000_000),
            }],
            classes: vec![
                class(Class::Founding, true, true, Amount(20_000_000)),
                class(Class::Council, true, true, Amount(20_000_000)),
                class(Class::Ordinary, true, false, Amount(5_000_000)),
                class(Class::Associate, false, false, Amount(1_000_000)),
            ],
            criteria: criteria
                .iter()
                .map(|code| Text::new(*code).unwrap_or_default())
                .collect(),
            board_seats: 9,
            membership: MembershipParameters {
                screen_working_days: 5,
                resubmit_days: 30,
                sponsor_days: 30,
                activate_days: 30,
                sponsors_required: 2,
                readmission_wait_days: 0,
                readmission_wait_expelled_days: 365,
                invoice_days: 30,
                withdraw_notice_days: 30,
                relation_end_days: 30,
                seat_cure_days: 30,
            },
            standing: StandingParameters {
                dues_notice_days: 60,
                dues_suspend_days: 75,
                dues_notice_again_days: 90,
                dues_end_days: 105,
                dues_warned_days: 15,
                plan_days: 184,
                silence_working_days: 5,
                discipline_notice_days: 15,
                hearing_days: 5,
                suspend_max_days: 180,
                expulsion_appeal_days: 30,
                proceeding_days: 180,
            },
            terms: TermParameters {
                seat_days: 730,
                post_days: 730,
                offer_days: 30,
                holdover_days: 180,
            },
            motions: MotionParameters {
                early_close: false,
                retable_limit: 1,
                retable_wait_days: 30,
                min_elig: 3,
                ballot_visibility: BallotVisibility::Sensitive,
                proxies_per_holder: 0,
            },
            rules: RuleSet::preset(preset),
            growth: match clock {
                Clock::Wall => GROWTH,
                // Made-up alliances are filled in an hour.
                Clock::Sample => GrowthParameters {
                    introductions_by_member: 10_000,
                    introductions_by_office: 10_000,
                    other: GROWTH.member,
                    ..GROWTH
                },
            },
            people: PeopleParameters {
                change_hours: 48,
                emergency_hours: 72,
                recovery_hours: 72,
                delegation_days: 90,
                stand_in_days: 30,
            },
            funding: FundingParameters {
                fund_concentration_bp: 2_000,
                call_concentration_bp: 4_000,
                advance_cap_bp: 3_000,
                holdback_bp: 1_000,
                reviewers: 3,
                reviewers_large: 5,
                standstill_days: 10,
                appeal_days: 10,
                offer_days: 60,
                payout_delay_hours: 48,
                hold_days: 30,
                account_cooling_days: 7,
                pledge_grace_days: 30,
                acknowledgement_days: 14,
                opening_working_days: 5,
                judge_working_days: 15,
                review_days: 21,
                reveal_days: 5,
                draw_reveal_hours: 72,
                assess_days: 15,
                certify_days: 10,
                step_days: 5,
                rework_max: 2,
                observation_days: 30,
                measure_days: 75,
                claim_days: 365,
                chain_distinct_groups: false,
            },
            chain: ChainParameters {
                ahead_ms: 10_000,
                behind_ms: 30_000,
                heartbeat_ms: MS_PER_HOUR,
                outage_gap_ms: (clock == Clock::Wall).then_some(3 * MS_PER_HOUR),
                validator_seats: 13,
                handover_blocks: 100,
                alive_blocks: 100,
            },
        }
    }

    /// The limits in a unit, if the charter has any.
    pub fn limits(&self, unit: &Unit) -> Option<&UnitLimits> {
        self.limits.iter().find(|limits| limits.unit == *unit)
    }

    /// The rule of a class, if the charter has the class.
    pub fn class(&self, class: Class) -> Option<&ClassRule> {
        self.classes.iter().find(|rule| rule.class == class)
    }
}
