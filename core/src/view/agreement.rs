//! The milestones of an agreement.

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::account::{Amount, Unit};
use crate::id::{AgreementId, MilestoneId, PaymentId};
use crate::next::unit_of_fund;
use crate::object::agreement::AgreementState;
use crate::object::milestone::{Assessor, MilestoneState};
use crate::state::StateTables;

/// An agreement's milestones.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AgreementView {
    /// The agreement.
    pub number: AgreementId,
    /// Where it stands.
    pub state: AgreementState,
    /// Unit of its amounts.
    pub unit: Option<Unit>,
    /// Its milestones in order, the final report last; of an agreement that is not in force yet, as
    /// planned.
    pub milestones: Vec<MilestoneLine>,
    /// The payment of the advance.
    pub advance: Option<PaymentId>,
    /// The payment of the holdback.
    pub holdback: Option<PaymentId>,
}

/// One milestone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MilestoneLine {
    /// Its number; none before the agreement is in force.
    pub milestone: Option<MilestoneId>,
    /// Place in the plan, from 1.
    pub place: u32,
    /// It is the final report.
    pub is_final: bool,
    /// Worth as planned, in minor units.
    pub planned: Amount,
    /// Ledger time until which it is due; none for the final report.
    pub due_ms: Option<LedgerTime>,
    /// SHA-256 of what counts as evidence; none for the final report.
    pub evidence: Option<Hash>,
    /// Where it stands; none before the agreement is in force.
    pub state: Option<MilestoneState>,
    /// What was accepted, in minor units.
    pub accepted: Amount,
    /// Its assessors.
    pub assessors: Vec<Assessor>,
    /// Its payment.
    pub payment: Option<PaymentId>,
}

pub(super) fn of(tables: &StateTables, number: AgreementId) -> Option<AgreementView> {
    let agreement = tables.agreements.get(&number)?;
    let plans = &agreement.terms.milestones;
    let line = |(place, number): (u32, MilestoneId)| {
        let plan = plans.get(place as usize - 1);
        let milestone = tables
            .milestones
            .get(&number)
            .filter(|_| agreement.in_force_ms.is_some());
        MilestoneLine {
            milestone: milestone.map(|milestone| milestone.number),
            place,
            is_final: plan.is_none(),
            planned: plan.map_or(Amount::ZERO, |plan| plan.amount),
            due_ms: plan.map(|plan| {
                let moved = milestone.map_or(0, |milestone| milestone.moved_ms);
                plan.due_ms.plus_ms(moved)
            }),
            evidence: plan.map(|plan| plan.evidence),
            state: milestone.map(|milestone| milestone.state),
            accepted: milestone.map_or(Amount::ZERO, |milestone| milestone.accepted),
            assessors: milestone.map_or_else(Vec::new, |milestone| milestone.assessors.clone()),
            payment: milestone.and_then(|milestone| milestone.payment),
        }
    };
    Some(AgreementView {
        number,
        state: agreement.state,
        unit: unit_of_fund(tables, agreement.fund),
        milestones: (1..).zip(agreement.milestones()).map(line).collect(),
        advance: agreement.advance_payment,
        holdback: agreement.holdback_payment,
    })
}
