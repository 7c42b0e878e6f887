//! Milestones: what stands in the ledger of one, its transitions, and how an agreement's amount
//! divides into payments (domain 2.4, 2.5).

use MilestoneState as S;
use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::id::{AgreementId, MilestoneId, PaymentId, PersonId};
use crate::machine::Row;
use crate::object::deed;
use crate::object::deed::Deed;
use crate::record::{AgreementTerms, Finding};
use crate::row;

/// Where a milestone stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum MilestoneState {
    /// Agreed.
    Planned,
    /// Evidence is in, assessors are not yet appointed.
    Submitted,
    /// Assessors are at work.
    Assessing,
    /// Accepted as planned.
    Accepted,
    /// Accepted with a lower amount.
    PartlyAccepted,
    /// To be submitted again.
    Rework,
    /// Rejected for good.
    Rejected,
    /// The agreement ended before it was decided.
    Cancelled,
}

crate::words!(MilestoneState, "state.milestone", {
    Planned = "planned",
    Submitted = "submitted",
    Assessing = "assessing",
    Accepted = "accepted",
    PartlyAccepted = "partly-accepted",
    Rework = "rework",
    Rejected = "rejected",
    Cancelled = "cancelled",
});

/// Transitions of a milestone (domain 2.5).
pub const ROWS: [Row<MilestoneState>; 20] = [
    row!("F13", None => S::Planned, "GRT, 2 OFF", "agreement in force"),
    row!(
        "F14",
        Some(S::Planned) => S::Submitted,
        "GRT",
        "agreement in force; evidence new or flagged shared (N16)"
    ),
    row!(
        "F14",
        Some(S::Rework) => S::Submitted,
        "GRT",
        "agreement in force; evidence new or flagged shared (N16)"
    ),
    row!(
        "R22",
        Some(S::Submitted) => S::Assessing,
        "CLK",
        "two of the agreement's draw, distinct groups, unrelated, no officer of the chain"
    ),
    row!(
        "F15",
        Some(S::Assessing) => S::Assessing,
        "ASR",
        "appointed; nothing said before; amount <= planned; the third joins one of two"
    ),
    row!(
        "R13",
        Some(S::Assessing) => S::Assessing,
        "CLK",
        "past assess_days: replaced by the next of the draw"
    ),
    row!(
        "R30",
        Some(S::Assessing) => S::Assessing,
        "CLK",
        "a tie taints an assessor: replaced by the next of the draw"
    ),
    row!("F15", Some(S::Assessing) => S::Accepted, "2 ASR", "two alike: the whole amount"),
    row!("F15", Some(S::Assessing) => S::PartlyAccepted, "2 ASR", "two alike: a lower amount"),
    row!(
        "F15",
        Some(S::Assessing) => S::Rework,
        "2 ASR",
        "two alike; fewer reworks than rework_max"
    ),
    row!("F15", Some(S::Assessing) => S::Rejected, "2 ASR", "two alike, or reworks used up"),
    row!("F43", None => S::Planned, "GRT, 2 OFF", "agreement in force: the final report"),
    row!("F43", Some(S::Planned) => S::Submitted, "GRT", "every milestone is terminal"),
    row!("F43", Some(S::Rework) => S::Submitted, "GRT", "every milestone is terminal"),
    row!(
        "F43",
        Some(S::Assessing) => S::Accepted,
        "2 ASR",
        "two alike: the agreement is completed, the holdback payable"
    ),
    row!(
        "F43",
        Some(S::Assessing) => S::Rework,
        "2 ASR",
        "two alike: a final report is reworked until it is accepted"
    ),
    row!("F25", Some(S::Planned) => S::Cancelled, "BRD", "the agreement is terminated"),
    row!("F25", Some(S::Submitted) => S::Cancelled, "BRD", "the agreement is terminated"),
    row!("F25", Some(S::Assessing) => S::Cancelled, "BRD", "the agreement is terminated"),
    row!("F25", Some(S::Rework) => S::Cancelled, "BRD", "the agreement is terminated"),
];

impl MilestoneState {
    /// Nothing more happens to it but payment.
    pub fn is_terminal(self) -> bool {
        match self {
            S::Accepted | S::PartlyAccepted | S::Rejected | S::Cancelled => true,
            S::Planned | S::Submitted | S::Assessing | S::Rework => false,
        }
    }

    /// Accepted in full or in part.
    pub fn is_accepted(self) -> bool {
        matches!(self, S::Accepted | S::PartlyAccepted)
    }
}

/// An assessor of a milestone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Assessor {
    /// Person number.
    pub person: PersonId,
    /// Employer.
    pub home: OrganisationId,
    /// The finding, once given.
    pub finding: Option<Finding>,
    /// SHA-256 of the report.
    pub report: Option<Hash>,
    /// Ledger time of the finding.
    pub found_ms: Option<LedgerTime>,
    /// The assessor has also cast a ballot on the award: allowed only because it is recorded
    /// (domain 2.9).
    pub voted_award: bool,
}

/// A milestone (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Milestone {
    /// Its number in the ledger.
    pub number: MilestoneId,
    /// Its agreement.
    pub agreement: AgreementId,
    /// Place in the agreement's plan; the final report comes after the last.
    pub index: u32,
    /// It is the final report.
    pub is_final: bool,
    /// Worth as planned, holdback included; 0 for the final report.
    pub planned: Amount,
    /// Milliseconds by which its day has moved since it was signed: its agreement stood still (F24).
    pub moved_ms: u64,
    /// Where it stands.
    pub state: MilestoneState,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// What was accepted.
    pub accepted: Amount,
    /// Times it went back.
    pub reworks: u32,
    /// Id of the record with the newest evidence.
    pub submitted: Option<Hash>,
    /// Assessors now at work or done, in order of appointment; the third decides.
    pub assessors: Vec<Assessor>,
    /// Persons who were replaced for being late; they are not appointed again.
    pub replaced: Vec<PersonId>,
    /// Third assessors of earlier submissions: they stay in the chain.
    pub past: Vec<Deed>,
    /// The payment that lives or was made for it.
    pub payment: Option<PaymentId>,
}

impl Milestone {
    /// Assessors now and before, as deeds of the chain.
    pub fn deeds(&self) -> impl Iterator<Item = Deed> + '_ {
        let now = self.assessors.iter().map(|assessor| Deed {
            step: deed::Step::Assess,
            person: assessor.person,
            home: assessor.home,
            at_ms: assessor.found_ms.unwrap_or(LedgerTime::MAX),
        });
        self.past.iter().copied().chain(now)
    }

    /// The finding that the assessors agree on, if they do: two alike, or the third joining one.
    pub fn agreed(&self) -> Option<Finding> {
        let given: Vec<Finding> = self
            .assessors
            .iter()
            .filter_map(|assessor| assessor.finding)
            .collect();
        given
            .iter()
            .enumerate()
            .find(|(at, finding)| given.iter().take(*at).any(|v| v == *finding))
            .map(|(_, finding)| *finding)
    }

    /// Two findings differ and the third is not there yet.
    pub fn needs_third(&self) -> bool {
        self.assessors.len() == 2
            && self
                .assessors
                .iter()
                .all(|assessor| assessor.finding.is_some())
            && self.agreed().is_none()
    }
}

/// What has been fixed by payments of an agreement that live or were made (not refused), in minor
/// units.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Paid {
    /// The advance, as requested.
    pub advance: Amount,
    /// What of it was released: only that is cleared (RULINGS R35).
    pub released: Amount,
    /// Accepted amounts of milestones requested.
    pub gross: Amount,
    /// Held back from them.
    pub held_back: Amount,
    /// Cleared of the advance by them.
    pub cleared: Amount,
    /// Paid for them.
    pub net: Amount,
    /// The holdback tranche.
    pub holdback: Amount,
}

/// How the accepted amount of a milestone divides: gross = held_back + cleared + net.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Share {
    /// Accepted.
    pub gross: Amount,
    /// Held back until final acceptance.
    pub held_back: Amount,
    /// Clears the advance.
    pub cleared: Amount,
    /// To be paid.
    pub net: Amount,
}

/// `amount * part / whole` rounded down; `part <= whole` and `whole > 0` or the result is 0.
fn portion(amount: Amount, part: u64, whole: u64) -> Amount {
    if whole == 0 {
        return Amount::ZERO;
    }
    let share = u128::from(amount) * u128::from(part.min(whole)) / u128::from(whole);
    Amount(u64::try_from(share).unwrap_or(0))
}

/// A share of an amount in basis points, rounded down.
pub fn basis_points(amount: Amount, bp: u32) -> Amount {
    portion(amount, u64::from(bp), 10_000)
}

impl Paid {
    /// Everything paid or about to be.
    pub fn total(&self) -> Amount {
        self.advance
            .saturating_add(self.net)
            .saturating_add(self.holdback)
    }

    /// Part of the released advance that no milestone has cleared.
    pub fn outstanding(&self) -> Amount {
        self.released.saturating_sub(self.cleared)
    }

    /// What a milestone planned at `planned` and accepted at `gross` pays next. `last`: every other
    /// milestone is terminal and every other accepted one is requested, so this one takes the
    /// residues.
    pub fn share(
        &self,
        terms: &AgreementTerms,
        planned: Amount,
        gross: Amount,
        last: bool,
    ) -> Share {
        let held_back = if last {
            basis_points(self.gross.saturating_add(gross), terms.holdback_bp)
                .saturating_sub(self.held_back)
        } else {
            basis_points(gross, terms.holdback_bp)
        };
        let held_back = held_back.min(gross);
        let rest = gross.saturating_sub(held_back);
        let cleared = if last {
            Amount::MAX
        } else {
            portion(terms.advance, planned.0, terms.total.0)
        };
        let cleared = cleared.min(self.outstanding()).min(rest);
        Share {
            gross,
            held_back,
            cleared,
            net: rest.saturating_sub(cleared),
        }
    }

    /// Adds a milestone's share.
    pub fn add(&mut self, share: &Share) {
        self.gross = self.gross.saturating_add(share.gross);
        self.held_back = self.held_back.saturating_add(share.held_back);
        self.cleared = self.cleared.saturating_add(share.cleared);
        self.net = self.net.saturating_add(share.net);
    }

    /// Takes it back: the payment was refused.
    pub fn take_back(&mut self, share: &Share) {
        self.gross = self.gross.saturating_sub(share.gross);
        self.held_back = self.held_back.saturating_sub(share.held_back);
        self.cleared = self.cleared.saturating_sub(share.cleared);
        self.net = self.net.saturating_sub(share.net);
    }

    /// What the holdback tranche pays when `accepted` in all was accepted: exactly what is still
    /// owed.
    pub fn holdback_due(&self, accepted: Amount) -> Amount {
        accepted.saturating_sub(self.total())
    }

    /// Most that may be paid before final acceptance (N9).
    pub fn cap(terms: &AgreementTerms) -> Amount {
        terms
            .total
            .saturating_sub(basis_points(terms.total, terms.holdback_bp))
    }
}

/// Whether every milestone of an agreement but `number` is terminal, and requested if it was
/// accepted: `number` is the last (N15).
pub fn others_settled(all: &[Milestone], number: MilestoneId) -> bool {
    all.iter()
        .filter(|other| other.number != number && !other.is_final)
        .all(|other| {
            other.state.is_terminal() && (!other.state.is_accepted() || other.payment.is_some())
        })
}

/// Whether every planned milestone pays something after holdback and advance, with room for the
/// residues that the last takes.
pub fn large_enough(terms: &AgreementTerms) -> bool {
    let room = 2 * terms.milestones.len() as u64;
    terms.milestones.iter().all(|plan| {
        let kept = basis_points(plan.amount, terms.holdback_bp).saturating_add(portion(
            terms.advance,
            plan.amount.0,
            terms.total.0,
        ));
        plan.amount.saturating_sub(kept) >= Amount(room)
    })
}

#[cfg(test)]
#[path = "milestone_tests.rs"]
mod tests;

crate::object::object!(Milestone, crate::id::MilestoneId, "milestone");
crate::object::machine!(Milestone, "milestone", MilestoneState, state);
