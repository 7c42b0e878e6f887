//! What is next of agreements, milestones, payments, measures and recoveries.

use rollbook_proof::chain::ReadClass;

use super::{Found, Object};
use crate::id::{AgreementId, Id as _, MeasureId, MilestoneId, PaymentId, RecoveryId};
use crate::lookup::payments;
use crate::object::agreement::AgreementState;
use crate::object::measure::MeasureStatus;
use crate::object::recovery::GrantRecoveryStatus;
use crate::object::{agreement, milestone, payment, recovery};
use crate::state::StateTables;
use crate::tx::DeadlineKind;
use crate::word::Word as _;

/// The word of the day until which a milestone is agreed: no deadline acts on it.
const MILESTONE_DUE: &str = "milestone-due";

pub(super) fn of(tables: &StateTables, object: Object, number: u32) -> Option<Found> {
    use DeadlineKind as D;
    let on = |kinds: &[DeadlineKind]| kinds.iter().map(|kind| (*kind, number)).collect::<Vec<_>>();
    Some(match object {
        Object::Agreement => {
            let entry = tables.agreements.get(&AgreementId(number))?;
            let found = Found::table(
                object,
                number,
                entry.state,
                &agreement::ROWS,
                &[AgreementState::Replaced],
            )
            .of(Some(entry.grantee))
            .fund(tables, Some(entry.fund));
            let found = found
                .see(Object::Measure, entry.measure.map(|measure| measure.0))
                .see(Object::Measure, entry.suspension.map(|measure| measure.0));
            match (&entry.change, entry.state) {
                (Some(change), _) if !change.confirmed => found.who("OFF"),
                (_, AgreementState::InForce) => milestone_of(tables, entry, found),
                (_, AgreementState::Suspended) => found.who("PO, FIN"),
                (_, AgreementState::Completed | AgreementState::Terminated) => {
                    closing(tables, entry, found)
                }
                _ => found,
            }
        }
        Object::Milestone => {
            let entry = tables.milestones.get(&MilestoneId(number))?;
            let agreement = tables.agreements.get(&entry.agreement)?;
            let found = Found::table(object, number, entry.state, &milestone::ROWS, &[])
                .due(tables, &on(&[D::AssessDue]))
                .of(Some(agreement.grantee))
                .fund(tables, Some(agreement.fund));
            match entry.state {
                milestone::MilestoneState::Planned | milestone::MilestoneState::Rework => {
                    let mut found = found;
                    let plan = agreement.terms.milestones.get(entry.index as usize);
                    found.next.due =
                        plan.map(|plan| (MILESTONE_DUE, plan.due_ms.plus_ms(entry.moved_ms)));
                    found.next.otherwise.clear();
                    found
                }
                milestone::MilestoneState::Assessing => found.who("ASR"),
                state if state.is_accepted() && entry.payment.is_none() && !entry.is_final => found
                    .who("GRT")
                    .then("PO")
                    .see(Object::Agreement, Some(entry.agreement.0)),
                _ => found.see(Object::Payment, entry.payment.map(|payment| payment.0)),
            }
        }
        Object::Payment => {
            let entry = tables.payments.get(&PaymentId(number))?;
            let kinds = on(&[
                D::CertifyDue,
                D::ApproveDue,
                D::HoldEnd,
                D::ReleaseDue,
                D::ConfirmDue,
                D::AcknowledgeEnd,
            ]);
            let grantee = tables
                .agreements
                .get(&entry.agreement)
                .map(|agreement| agreement.grantee);
            let found = Found::table(
                object,
                number,
                entry.state,
                &payment::ROWS,
                &[
                    payment::PaymentState::Refused,
                    payment::PaymentState::SetOff,
                ],
            )
            .due(tables, &kinds)
            .of(grantee)
            .fund(tables, Some(entry.fund));
            match entry.state {
                payment::PaymentState::Approved => {
                    found.not_before(tables, D::PayoutDelay, number).then("OFF")
                }
                payment::PaymentState::Held => found.who("BRD"),
                _ => found,
            }
        }
        Object::Measure => {
            let entry = tables.measures.get(&MeasureId(number))?;
            let kinds = on(&[D::MeasureHeard, D::MeasureAsked, D::MeasureLapse]);
            let agreement = tables.agreements.get(&entry.agreement());
            let found = Found::new(object, number, entry.status.word())
                .due(tables, &kinds)
                .of(agreement.map(|agreement| agreement.grantee))
                .see(Object::Agreement, Some(entry.agreement().0));
            match entry.status {
                MeasureStatus::Announced => {
                    let mut found = found.who("GRT").then("BRD");
                    found.next.otherwise = vec![MeasureStatus::Heard.word()];
                    found
                }
                MeasureStatus::Heard => {
                    let mut found = found.who("BRD");
                    found.next.otherwise = vec![MeasureStatus::Dropped.word()];
                    found
                }
                // Of a suspended agreement they are told there.
                MeasureStatus::InForce | MeasureStatus::Ended | MeasureStatus::Dropped => found,
            }
        }
        Object::Recovery => {
            let entry = tables.recoveries.get(&RecoveryId(number))?;
            let kinds = on(&[
                D::GrantRecoveryHeard,
                D::GrantRecoveryLapse,
                D::GrantRecoveryDue,
            ]);
            let found = Found::table(
                object,
                number,
                entry.status,
                &recovery::ROWS,
                &[GrantRecoveryStatus::Dropped],
            )
            .due(tables, &kinds)
            .of(Some(entry.grantee))
            .fund(tables, Some(entry.fund))
            .see(Object::Agreement, Some(entry.agreement().0));
            match entry.status {
                GrantRecoveryStatus::Notified => found.who("GRT").then("BRD"),
                status if status.is_owed() && waits(tables, entry) => {
                    let mut found = found.who("OFF");
                    found.next.then = None;
                    found
                }
                status if status.is_owed() => found.who("TRE").then("OFF"),
                _ => found,
            }
        }
        _ => return None,
    })
}

/// Whether money that came back is entered and not confirmed.
fn waits(tables: &StateTables, recovery: &recovery::Recovery) -> bool {
    let mut entered = tables.recovery_receipts.iter();
    entered.any(|(_, receipt)| {
        receipt.entry.recovery == recovery.number && receipt.confirmed_by.is_none()
    })
}

/// What an agreement waits for that is over and not closed: what the grantee has not asked for, a recovery, a
/// payment; then the two who close it.
fn closing(tables: &StateTables, entry: &agreement::Agreement, found: Found) -> Found {
    let of = (entry.number, RecoveryId::MIN)..=(entry.number, RecoveryId::MAX);
    let recovery = tables.recoveries_of.range(of).find_map(|((_, number), _)| {
        let open = tables.recoveries.get(number)?.status.is_open();
        open.then_some(number.0)
    });
    let mut payments = payments::of_agreement(tables, entry.number);
    let payment = payments.find(|payment| payment.state.is_open());
    let payment = payment.map(|payment| payment.number.0);
    if recovery.is_some() || payment.is_some() {
        let found = found.who("");
        return found
            .see(Object::Recovery, recovery)
            .see(Object::Payment, payment);
    }
    found.who("PO, FIN")
}

/// What an agreement in force waits for: the first milestone that is not settled.
fn milestone_of(tables: &StateTables, entry: &agreement::Agreement, found: Found) -> Found {
    let open = entry.milestones().find_map(|number| {
        let milestone = tables.milestones.get(&number)?;
        (!milestone.state.is_terminal()).then_some(milestone.number)
    });
    let Some(number) = open else {
        return found.who("GRT");
    };
    // It is asked for members: of a milestone nothing is for them alone.
    let Some(next) = super::of(tables, Object::Milestone, number.0, ReadClass::Public) else {
        return found;
    };
    let mut found = found.who(next.who).see(Object::Milestone, Some(number.0));
    (found.next.due, found.next.then) = (next.due, next.then);
    found
}
