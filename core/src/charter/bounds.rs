//! The least and the greatest value of every number of a charter (RULINGS R37): no amendment and no
//! genesis goes beyond them. A field without a line here does not compile.
//!
//! Absent: what two parameters say together, and what hangs on the rules of motions; those are floors
//! (the charter's own check).

use rollbook_proof::log::Clock;

use super::{
    Charter, DayLimits, FundingParameters, GROWTH, GrowthParameters, MembershipParameters,
    MotionParameters, PeopleParameters, StandingParameters, TERM_DAYS_MAX, TERM_DAYS_MIN,
    TermParameters, UnitLimits,
};
use crate::charter::ChainParameters;
use crate::word::Word as _;

/// One number of a charter, with the bounds that the rules set for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Its dotted name: `terms.seat_days`, `classes.founding.dues`.
    pub parameter: String,
    /// Its value.
    pub value: u64,
    /// The least that is allowed.
    pub least: u64,
    /// The greatest.
    pub greatest: u64,
}

impl Bound {
    /// Whether the value is within its bounds.
    pub fn holds(&self) -> bool {
        (self.least..=self.greatest).contains(&self.value)
    }
}

/// Days of a deadline: a leap year.
const YEAR: u64 = 366;
/// Milliseconds of an hour, a day, a leap year.
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// No amount of a charter is greater, in minor units.
const MONEY: u64 = 1_000_000_000_000_000;
/// Whole, in basis points.
const WHOLE: u64 = 10_000;
/// No number of things in a day is greater.
const MANY: u64 = 100_000_000;

struct List(Vec<Bound>);

impl List {
    fn add(&mut self, parameter: String, value: impl Into<u64>, least: u64, greatest: u64) {
        let value = value.into();
        self.0.push(Bound {
            parameter,
            value,
            least,
            greatest,
        });
    }
}

/// Takes a struct of parameters apart; what is no number is named after `but`.
macro_rules! room {
    ($list:ident, $name:expr, $value:expr => $type:ident {
        $($field:ident: $least:expr, $greatest:expr;)* $(=> but $($other:ident),*)?
    }) => {
        let $type { $($field,)* $($($other: _,)*)? } = $value;
        $( $list.add(format!("{}.{}", $name, stringify!($field)), $field, $least, $greatest); )*
    };
}

impl Charter {
    /// Every number with its bounds, in the order of the charter.
    pub fn bounds(&self) -> Vec<Bound> {
        let mut list = List(Vec::new());
        list.add("board_seats".into(), self.board_seats, 1, 64);
        for limits in &self.limits {
            let name = format!("limits.{}", limits.unit.code());
            let UnitLimits {
                unit: _,
                committee_limit,
                board_limit,
                two_approvers_above,
                large_ask,
            } = limits;
            for (field, amount) in [
                ("committee_limit", committee_limit),
                ("board_limit", board_limit),
                ("two_approvers_above", two_approvers_above),
                ("large_ask", large_ask),
            ] {
                list.add(format!("{name}.{field}"), amount.0, 0, MONEY);
            }
        }
        for rule in &self.classes {
            let name = format!("classes.{}.dues", rule.class.word());
            list.add(name, rule.dues.0, 0, MONEY);
        }
        room!(list, "membership", self.membership => MembershipParameters {
            screen_working_days: 1, 60;
            resubmit_days: 1, YEAR;
            sponsor_days: 1, YEAR;
            activate_days: 1, YEAR;
            sponsors_required: 0, 32;
            readmission_wait_days: 0, 10 * YEAR;
            readmission_wait_expelled_days: 0, 10 * YEAR;
            invoice_days: 1, YEAR;
            withdraw_notice_days: 1, YEAR;
            relation_end_days: 1, YEAR;
            seat_cure_days: 1, YEAR;
        });
        room!(list, "standing", self.standing => StandingParameters {
            dues_notice_days: 1, 2 * YEAR;
            dues_suspend_days: 1, 2 * YEAR;
            dues_notice_again_days: 1, 2 * YEAR;
            dues_end_days: 1, 2 * YEAR;
            dues_warned_days: 15, YEAR;
            plan_days: 1, YEAR;
            silence_working_days: 1, 60;
            discipline_notice_days: 15, YEAR;
            hearing_days: 5, YEAR;
            suspend_max_days: 1, YEAR;
            expulsion_appeal_days: 10, YEAR;
            proceeding_days: 60, 2 * YEAR;
        });
        room!(list, "terms", self.terms => TermParameters {
            seat_days: u64::from(TERM_DAYS_MIN), u64::from(TERM_DAYS_MAX);
            post_days: u64::from(TERM_DAYS_MIN), u64::from(TERM_DAYS_MAX);
            offer_days: 1, YEAR;
            holdover_days: 1, YEAR;
        });
        room!(list, "motions", self.motions => MotionParameters {
            retable_limit: 0, 16;
            retable_wait_days: 0, YEAR;
            min_elig: 3, 1_000;
            proxies_per_holder: 0, 2;
            => but early_close, ballot_visibility
        });
        room!(list, "people", self.people => PeopleParameters {
            change_hours: 24, 336;
            emergency_hours: 24, 336;
            recovery_hours: 24, 336;
            delegation_days: 1, 90;
            stand_in_days: 1, 30;
        });
        self.bounds_of_growth(&mut list);
        room!(list, "funding", self.funding => FundingParameters {
            fund_concentration_bp: 0, WHOLE;
            call_concentration_bp: 0, WHOLE;
            advance_cap_bp: 0, WHOLE;
            holdback_bp: 0, WHOLE;
            reviewers: 1, 16;
            reviewers_large: 1, 16;
            standstill_days: 0, YEAR;
            appeal_days: 1, YEAR;
            offer_days: 1, YEAR;
            payout_delay_hours: 0, 24 * YEAR;
            hold_days: 1, YEAR;
            account_cooling_days: 0, YEAR;
            pledge_grace_days: 0, YEAR;
            acknowledgement_days: 1, YEAR;
            opening_working_days: 1, 120;
            judge_working_days: 1, 120;
            review_days: 1, YEAR;
            reveal_days: 1, YEAR;
            draw_reveal_hours: 1, 24 * YEAR;
            assess_days: 1, YEAR;
            certify_days: 1, YEAR;
            step_days: 1, YEAR;
            rework_max: 0, 16;
            observation_days: 1, YEAR;
            measure_days: 1, YEAR;
            claim_days: 1, 10 * YEAR;
            => but chain_distinct_groups
        });
        room!(list, "chain", self.chain => ChainParameters {
            ahead_ms: 1, HOUR_MS;
            behind_ms: 1, HOUR_MS;
            heartbeat_ms: 1, DAY_MS;
            validator_seats: 4, rollbook_proof::chain::MAX_VALIDATORS as u64;
            handover_blocks: 1, 1_000_000;
            alive_blocks: 1, 1_000_000;
            => but outage_gap_ms
        });
        if let Some(gap) = self.chain.outage_gap_ms {
            list.add("chain.outage_gap_ms".into(), gap, 60_000, YEAR * DAY_MS);
        }
        list.0
    }

    /// The register's growth: on a wall chain no lower than a quarter of the usual (RULINGS A50).
    fn bounds_of_growth(&self, list: &mut List) {
        let wall = self.clock == Clock::Wall;
        let least = |usual: u32| if wall { (usual / 4).max(1) } else { 1 };
        let GrowthParameters {
            introductions_by_member,
            introductions_by_office,
            registration_officers,
            registration_keys,
            member,
            office,
            other,
        } = self.growth;
        for (field, value, usual, greatest) in [
            (
                "introductions_by_member",
                introductions_by_member,
                GROWTH.introductions_by_member,
                MANY,
            ),
            (
                "introductions_by_office",
                introductions_by_office,
                GROWTH.introductions_by_office,
                MANY,
            ),
            (
                "registration_officers",
                registration_officers,
                GROWTH.registration_officers,
                64,
            ),
            (
                "registration_keys",
                registration_keys,
                GROWTH.registration_keys,
                64,
            ),
        ] {
            let least = u64::from(least(usual));
            list.add(format!("growth.{field}"), value, least, greatest);
        }
        for (who, limits, usual) in [
            ("member", member, GROWTH.member),
            ("office", office, GROWTH.office),
            ("other", other, GROWTH.other),
        ] {
            let DayLimits {
                records,
                bytes,
                keys,
            } = limits;
            for (field, value, usual, greatest) in [
                ("records", records, usual.records, MANY),
                ("bytes", bytes, usual.bytes, u64::from(u32::MAX)),
                ("keys", keys, usual.keys, MANY),
            ] {
                let least = u64::from(least(usual));
                list.add(format!("growth.{who}.{field}"), value, least, greatest);
            }
        }
    }
}
