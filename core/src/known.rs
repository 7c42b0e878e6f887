//! What the ledger knows and an act names: records that wait for a second person, what a tranche
//! pays, the call of an application, the unit of an amount. People do not type it (RULINGS A33).
//!
//! Read from the working tables, so it is as told by a node: a wrong answer costs a refusal, never
//! a right. What stands in a proved table is not told again here. Nothing here is read by a rule.

use rollbook_proof::chain::ReadClass;
use rollbook_proof::crypto::Hash;

use crate::account::{Amount, Unit};
use crate::id::{
    AgreementId, ApplicationId, CallId, ContributionId, DrawId, FundId, InstalmentId, InvoiceId,
    MilestoneId, RecoveryId, ReviewId,
};
use crate::next::{Object, currency, fund_of, unit_of_fund, unit_of_object};
use crate::object::agreement::{Agreement, AgreementState};
use crate::object::milestone::{self, Milestone};
use crate::record::{
    AwardAct, Body, CallAct, DrawFor, FundAct, MotionAct, MotionEffect, PaymentAct, Tranche,
};
use crate::state::StateTables;

/// Most records that are told to wait.
const WAITING_MAX: usize = 32;

/// Kinds of object that are asked about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A pledge.
    Contribution,
    /// An instalment of a pledge.
    Instalment,
    /// An invoice of dues; for members.
    Invoice,
    /// An application to a call.
    Application,
    /// A draw of reviewers or assessors.
    Draw,
    /// A review.
    Review,
    /// An agreement: what its tranches pay next.
    Agreement,
    /// A milestone.
    Milestone,
    /// A recovery: money that came back.
    Recovery,
    /// A recovery, by its number: debts set off against payments.
    SetOff,
}

impl About {
    /// Reads the word of a kind.
    pub fn parse(word: &str) -> Option<About> {
        serde::Deserialize::deserialize(
            serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word),
        )
        .ok()
    }
}

/// The answer: what there is of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The fund whose unit the object's amounts have.
    pub fund: Option<FundId>,
    /// The call.
    pub call: Option<CallId>,
    /// R22: the attempt of a draw, which a commitment names.
    pub attempt: Option<u32>,
    /// Records that wait for a second person: receipts to confirm, cancellations to agree to.
    /// Ascending, at most 32.
    pub waiting: Vec<Hash>,
    /// What can be requested now, each with what it pays (F16).
    pub tranches: Vec<(Tranche, Amount)>,
}

/// What the ledger knows about an object, for readers of a class; none if there is no such object,
/// or none for them.
pub fn of(tables: &StateTables, about: About, number: u32, reader: ReadClass) -> Option<Known> {
    let mut known = Known::default();
    let application = |number: ApplicationId| tables.applications.get(&number);
    match about {
        About::Contribution => {
            let entry = tables.contributions.get(&ContributionId(number))?;
            known.fund = Some(entry.fund);
            known.waiting = tables
                .cancellations
                .iter()
                .filter(|(_, plan)| plan.contribution == entry.number && !plan.agreed)
                .map(|(record, _)| *record)
                .take(WAITING_MAX)
                .collect();
        }
        About::Instalment => {
            let entry = tables.instalments.get(&InstalmentId(number))?;
            known.fund = fund_of(tables, Object::Instalment, number);
            if entry.rest() > Amount::ZERO {
                known.waiting = tables
                    .receipts
                    .iter()
                    .filter(|(_, receipt)| {
                        receipt.instalment == entry.number && receipt.confirmed_by.is_none()
                    })
                    .map(|(record, _)| *record)
                    .take(WAITING_MAX)
                    .collect();
            }
        }
        About::Invoice if reader == ReadClass::Public => return None,
        About::Invoice => {
            let entry = tables.invoices.get(&InvoiceId(number))?;
            known.waiting = entry.pending.iter().map(|entry| entry.record).collect();
        }
        About::Application => {
            known.call = Some(application(ApplicationId(number))?.call);
            known.fund = fund_of(tables, Object::Application, number);
        }
        About::Draw => {
            known.attempt = Some(tables.draws.get(&DrawId(number))?.attempt);
            known.fund = fund_of(tables, Object::Draw, number);
        }
        About::Review => {
            let entry = tables.reviews.get(&ReviewId(number))?;
            known.call = Some(application(entry.application)?.call);
            known.fund = fund_of(tables, Object::Review, number);
        }
        About::Agreement => {
            let entry = tables.agreements.get(&AgreementId(number))?;
            known.fund = Some(entry.fund);
            known.call = Some(entry.call);
            known.tranches = tranches(tables, entry);
        }
        About::Milestone => {
            tables.milestones.get(&MilestoneId(number))?;
            known.fund = fund_of(tables, Object::Milestone, number);
        }
        About::Recovery => {
            let entry = tables.recoveries.get(&RecoveryId(number))?;
            known.fund = Some(entry.fund);
            known.waiting = tables
                .recovery_receipts
                .iter()
                .filter(|(_, receipt)| {
                    receipt.entry.recovery == entry.number && receipt.confirmed_by.is_none()
                })
                .map(|(record, _)| *record)
                .take(WAITING_MAX)
                .collect();
        }
        About::SetOff => {
            let entry = tables.recoveries.get(&RecoveryId(number))?;
            known.fund = Some(entry.fund);
            known.waiting = tables
                .set_offs
                .iter()
                .filter(|(_, plan)| plan.entry.recovery == entry.number && plan.agreed_by.is_none())
                .map(|(record, _)| *record)
                .take(WAITING_MAX)
                .collect();
        }
    }
    Some(known)
}

/// What can be requested of an agreement now, with its amount: the advance, accepted milestones, the
/// holdback (F16, N15).
fn tranches(tables: &StateTables, agreement: &Agreement) -> Vec<(Tranche, Amount)> {
    let milestones: Vec<Milestone> = agreement
        .milestones()
        .filter_map(|number| tables.milestones.get(&number).cloned())
        .collect();
    let mut found = Vec::new();
    let untouched = agreement.paid.gross == Amount::ZERO;
    if agreement.state == AgreementState::InForce
        && agreement.advance_payment.is_none()
        && untouched
    {
        found.push((Tranche::Advance, agreement.terms.advance));
    }
    let payable = |milestone: &&Milestone| {
        milestone.state.is_accepted() && !milestone.is_final && milestone.payment.is_none()
    };
    for milestone in milestones.iter().filter(payable) {
        let last = milestone::others_settled(&milestones, milestone.number);
        let share = agreement.paid.share(
            &agreement.terms,
            milestone.planned,
            milestone.accepted,
            last,
        );
        found.push((Tranche::Milestone(milestone.number), share.net));
    }
    let over = matches!(
        agreement.state,
        AgreementState::Completed | AgreementState::Terminated
    );
    if over && agreement.holdback_payment.is_none() {
        let mut paid = agreement.paid;
        paid.holdback = Amount::ZERO;
        found.push((Tranche::Holdback, paid.holdback_due(agreement.accepted)));
    }
    found.retain(|(_, amount)| *amount > Amount::ZERO);
    found
}

/// The unit of the amounts that an act names or is about; none if it is about no money, or what it
/// names is not there.
pub fn unit(tables: &StateTables, body: &Body) -> Option<Unit> {
    let of_fund = |fund: FundId| unit_of_fund(tables, fund);
    let about = |object: Object, number: u32| unit_of_object(tables, object, number);
    let pledge = |number: ContributionId| of_fund(tables.contributions.get(&number)?.fund);
    let agreement = |number: &AgreementId| about(Object::Agreement, number.0);
    let application = |number: &ApplicationId| about(Object::Application, number.0);
    match body {
        Body::Membership(_) => currency(tables),
        Body::Motion(act) => match act {
            MotionAct::Propose(proposal) => unit_of_effect(tables, &proposal.effect),
            MotionAct::Support { motion }
            | MotionAct::DeclareConflict { motion, .. }
            | MotionAct::Withdraw { motion }
            | MotionAct::GiveProxy { motion, .. }
            | MotionAct::TakeBackProxy { motion } => {
                unit_of_effect(tables, &tables.motions.get(motion)?.effect)
            }
            MotionAct::Vote(ballot) => {
                unit_of_effect(tables, &tables.motions.get(&ballot.motion)?.effect)
            }
            _ => None,
        },
        Body::Fund(act) => match act {
            FundAct::Accept { fund } => of_fund(*fund),
            FundAct::Pledge(entry) => of_fund(entry.fund),
            FundAct::CallInstalment { instalment } => about(Object::Instalment, instalment.0),
            FundAct::RecordReceipt(entry) => about(Object::Instalment, entry.instalment.0),
            FundAct::ConfirmReceipt { receipt } => about(
                Object::Instalment,
                tables.receipts.get(receipt)?.instalment.0,
            ),
            FundAct::ProposeCancel { contribution, .. } => pledge(*contribution),
            FundAct::AgreeCancel { proposal } => {
                pledge(tables.cancellations.get(proposal)?.contribution)
            }
        },
        Body::Call(act) => match act {
            CallAct::Submit(entry) => of_fund(tables.calls.get(&entry.call)?.terms.fund),
            CallAct::Withdraw {
                application: number,
            }
            | CallAct::Open {
                application: number,
                ..
            }
            | CallAct::Judge {
                application: number,
                ..
            }
            | CallAct::Appeal {
                application: number,
                ..
            } => application(number),
            CallAct::Rank { call } | CallAct::Close { call } => {
                of_fund(tables.calls.get(call)?.terms.fund)
            }
            CallAct::FreezePool {
                subject: DrawFor::Call(call),
            } => of_fund(tables.calls.get(call)?.terms.fund),
            _ => None,
        },
        Body::Award(act) => match act {
            AwardAct::Accept { award } => of_fund(tables.awards.get(award)?.fund),
            AwardAct::Draft(terms) => Some(terms.unit.clone()),
            AwardAct::Sign {
                agreement: number, ..
            }
            | AwardAct::Countersign {
                agreement: number, ..
            }
            | AwardAct::ChangeAccount {
                agreement: number, ..
            }
            | AwardAct::ConfirmAccount {
                agreement: number, ..
            }
            | AwardAct::Resume { agreement: number }
            | AwardAct::Close { agreement: number } => agreement(number),
            AwardAct::Announce(notice) => agreement(&notice.agreement),
            AwardAct::ObserveMeasure { measure, .. }
            | AwardAct::HoldPayments { measure, .. }
            | AwardAct::DropMeasure { measure, .. } => about(Object::Measure, measure.0),
            AwardAct::ProposeRecovery(claim) => agreement(&claim.agreement),
            AwardAct::NotifyRecovery { recovery, .. }
            | AwardAct::ObserveRecovery { recovery, .. }
            | AwardAct::DropRecovery { recovery, .. } => about(Object::Recovery, recovery.0),
            AwardAct::ReceiveRecovery(entry) => about(Object::Recovery, entry.recovery.0),
            AwardAct::ConfirmRecovery { receipt } => {
                let entry = &tables.recovery_receipts.get(receipt)?.entry;
                about(Object::Recovery, entry.recovery.0)
            }
            AwardAct::SetOff(entry) => about(Object::Recovery, entry.recovery.0),
            AwardAct::AgreeSetOff { entry } => about(
                Object::Recovery,
                tables.set_offs.get(entry)?.entry.recovery.0,
            ),
        },
        Body::Payment(act) => match act {
            PaymentAct::Submit { milestone, .. } | PaymentAct::Assess { milestone, .. } => {
                about(Object::Milestone, milestone.0)
            }
            PaymentAct::Request {
                agreement: number, ..
            } => agreement(number),
            PaymentAct::Certify { payment, .. }
            | PaymentAct::Approve { payment, .. }
            | PaymentAct::Hold { payment, .. }
            | PaymentAct::Release { payment, .. }
            | PaymentAct::Settle { payment, .. }
            | PaymentAct::Return { payment, .. }
            | PaymentAct::Acknowledge { payment, .. }
            | PaymentAct::Dispute { payment, .. } => of_fund(tables.payments.get(payment)?.fund),
        },
        Body::Organisation(_) | Body::Node(_) | Body::Charter(_) => None,
    }
}

/// The unit of the amounts in what a motion does; none if it does nothing with money.
pub fn unit_of_effect(tables: &StateTables, effect: &MotionEffect) -> Option<Unit> {
    let of_fund = |fund: FundId| unit_of_fund(tables, fund);
    let application = |number: ApplicationId| unit_of_object(tables, Object::Application, number.0);
    match effect {
        MotionEffect::CreateFund(plan) => Some(plan.unit.clone()),
        MotionEffect::AppointCommittee(plan) => of_fund(plan.fund),
        MotionEffect::WriteOffInstalment(plan) => {
            unit_of_object(tables, Object::Instalment, plan.instalment.0)
        }
        MotionEffect::PublishCall(terms) => of_fund(terms.fund),
        MotionEffect::CancelCall(plan) => of_fund(tables.calls.get(&plan.call)?.terms.fund),
        MotionEffect::DecideAppeal(plan) => application(plan.application),
        MotionEffect::GrantAward(plan) => application(plan.application),
        MotionEffect::PlaceApplication(plan) => application(plan.application),
        MotionEffect::RevokeAward(plan) => of_fund(tables.awards.get(&plan.award)?.fund),
        MotionEffect::LiftHold(plan) => of_fund(tables.payments.get(&plan.payment)?.fund),
        MotionEffect::SuspendAgreement(plan) => {
            unit_of_object(tables, Object::Measure, plan.measure.0)
        }
        MotionEffect::TerminateAgreement(plan) => {
            unit_of_object(tables, Object::Measure, plan.measure.0)
        }
        MotionEffect::OrderRecovery(plan) => {
            unit_of_object(tables, Object::Recovery, plan.recovery.0)
        }
        MotionEffect::WriteOffRecovery(plan) => {
            unit_of_object(tables, Object::Recovery, plan.recovery.0)
        }
        _ => None,
    }
}
