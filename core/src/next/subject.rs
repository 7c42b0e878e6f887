//! Which object an act is about.

use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::OrganisationId;

use super::Object;
use crate::id::{DrawId, Id, MembershipId};
use crate::record::{
    AwardAct, Body, CallAct, CharterAct, DrawFor, FundAct, MembershipAct, MotionAct,
    OrganisationAct, PaymentAct, Tranche,
};
use crate::state::{StateTables, Table, TableValue};

/// The object that an act of `principal` is about: the one it names, else the one it made. `record`
/// is the act's id.
pub fn subject(
    tables: &StateTables,
    principal: OrganisationId,
    record: &Hash,
    body: &Body,
) -> Option<(Object, u32)> {
    let newest = |object: Object, last: Option<u32>| last.map(|number| (object, number));
    let invoice_of = |membership: &MembershipId| {
        let newest = tables
            .invoiced
            .range((*membership, 0)..=(*membership, u32::MAX));
        newest.map(|(_, invoice)| *invoice).last()
    };
    match body {
        Body::Organisation(OrganisationAct::Found) => {
            newest(Object::Organisation, Some(principal.0))
        }
        Body::Organisation(OrganisationAct::Register(registration)) => {
            let identifier = registration.entry.identifiers.first()?;
            newest(
                Object::Organisation,
                tables
                    .identifiers
                    .get(&sha256(&identifier.key()))
                    .copied()
                    .map(|id| id.0),
            )
        }
        Body::Organisation(act) => of_people(tables, principal, record, act),
        Body::Membership(act) => match act {
            MembershipAct::Apply(_) => newest(
                Object::Membership,
                tables
                    .organisations
                    .get(&principal)
                    .and_then(|entry| entry.membership)
                    .map(|id| id.0),
            ),
            MembershipAct::Screen { membership }
            | MembershipAct::Return { membership, .. }
            | MembershipAct::Resubmit { membership, .. }
            | MembershipAct::Reject { membership, .. }
            | MembershipAct::Complete { membership }
            | MembershipAct::Sponsor { membership }
            | MembershipAct::OpenBallot { membership, .. }
            | MembershipAct::AskAgain { membership, .. }
            | MembershipAct::WithdrawApplication { membership }
            | MembershipAct::Agree { membership, .. }
            | MembershipAct::Activate { membership, .. }
            | MembershipAct::Cease { membership, .. }
            | MembershipAct::GiveNotice { membership, .. }
            | MembershipAct::RevokeNotice { membership }
            | MembershipAct::AskClass { membership, .. }
            | MembershipAct::Succeed { membership, .. } => Some((Object::Membership, membership.0)),
            MembershipAct::InvoiceYear { .. } => newest(
                Object::Invoice,
                among(&tables.invoices, |made| made.record == *record).map(|id| id.0),
            ),
            MembershipAct::PayBack(receipt) => Some((Object::Invoice, receipt.invoice.0)),
            MembershipAct::ProposePlan(_) => newest(
                Object::Plan,
                among(&tables.plans, |made| made.record == *record).map(|id| id.0),
            ),
            MembershipAct::AgreePlan { plan } => Some((Object::Plan, plan.0)),
            MembershipAct::ServeNotice(_) => newest(
                Object::Notice,
                among(&tables.notices, |made| made.record == *record).map(|id| id.0),
            ),
            MembershipAct::AgreeNotice { notice } | MembershipAct::AcknowledgeNotice { notice } => {
                Some((Object::Notice, notice.0))
            }
            MembershipAct::OpenProceeding(_) => newest(
                Object::Proceeding,
                among(&tables.proceedings, |made| made.record == *record).map(|id| id.0),
            ),
            MembershipAct::Hear(entry) => Some((Object::Proceeding, entry.proceeding.0)),
            MembershipAct::AgreeProceeding { proceeding }
            | MembershipAct::Reply { proceeding, .. }
            | MembershipAct::WaiveHearing { proceeding }
            | MembershipAct::CloseProceeding { proceeding, .. }
            | MembershipAct::AppealExpulsion { proceeding, .. } => {
                Some((Object::Proceeding, proceeding.0))
            }
            MembershipAct::Invoice { membership } => {
                newest(Object::Invoice, invoice_of(membership).map(|id| id.0))
            }
            MembershipAct::CancelInvoice { invoice }
            | MembershipAct::ConfirmReceipt { invoice, .. }
            | MembershipAct::DeclineReceipt { invoice, .. } => Some((Object::Invoice, invoice.0)),
            MembershipAct::Receive(receipt) => Some((Object::Invoice, receipt.invoice.0)),
        },
        Body::Motion(act) => match act {
            MotionAct::Propose(proposal) => {
                let made = among(&tables.motions, |motion| {
                    motion.text == proposal.text
                        && motion.effect == proposal.effect
                        && motion
                            .proposer
                            .is_some_and(|(organisation, _)| organisation == principal)
                });
                newest(Object::Motion, made.map(|id| id.0))
            }
            MotionAct::Support { motion }
            | MotionAct::DeclareConflict { motion, .. }
            | MotionAct::Withdraw { motion }
            | MotionAct::GiveProxy { motion, .. }
            | MotionAct::TakeBackProxy { motion } => Some((Object::Motion, motion.0)),
            MotionAct::Reveal(opened) => Some((Object::Motion, opened.motion.0)),
            MotionAct::Minutes(papers) => Some((Object::Motion, papers.motion.0)),
            MotionAct::AcceptSeat { seat }
            | MotionAct::DeclineSeat { seat }
            | MotionAct::ResignSeat { seat } => Some((Object::Seat, seat.0)),
            MotionAct::Vote(ballot) => Some((Object::Motion, ballot.motion.0)),
            MotionAct::AcceptPost { post }
            | MotionAct::DeclinePost { post }
            | MotionAct::ResignPost { post } => Some((Object::Post, post.0)),
        },
        Body::Fund(act) => match act {
            FundAct::Accept { fund } => Some((Object::Fund, fund.0)),
            FundAct::Pledge(_) => {
                let made = among(&tables.contributions, |pledge| pledge.record == *record);
                let pledge = made.and_then(|number| tables.contributions.get(&number));
                newest(
                    Object::Instalment,
                    pledge
                        .and_then(|pledge| pledge.instalments.first().copied())
                        .map(|id| id.0),
                )
            }
            FundAct::CallInstalment { instalment } => Some((Object::Instalment, instalment.0)),
            FundAct::ProposeCancel { instalments, .. } => newest(
                Object::Instalment,
                instalments.first().copied().map(|id| id.0),
            ),
            FundAct::AgreeCancel { proposal } => newest(
                Object::Instalment,
                tables
                    .cancellations
                    .get(proposal)
                    .and_then(|entry| entry.instalments.first().copied())
                    .map(|id| id.0),
            ),
            FundAct::RecordReceipt(entry) => Some((Object::Instalment, entry.instalment.0)),
            FundAct::ConfirmReceipt { receipt } => newest(
                Object::Instalment,
                tables
                    .receipts
                    .get(receipt)
                    .map(|entry| entry.instalment)
                    .map(|id| id.0),
            ),
        },
        Body::Call(act) => match act {
            CallAct::Submit(_) => newest(
                Object::Application,
                among(&tables.applications, |entry| entry.record == *record).map(|id| id.0),
            ),
            CallAct::Withdraw { application }
            | CallAct::Open { application, .. }
            | CallAct::Judge { application, .. }
            | CallAct::Appeal { application, .. } => Some((Object::Application, application.0)),
            CallAct::FreezePool { subject } => {
                newest(Object::Draw, newest_draw(tables, *subject).map(|id| id.0))
            }
            CallAct::CommitDraw { draw, .. } | CallAct::RevealDraw { draw, .. } => {
                Some((Object::Draw, draw.0))
            }
            CallAct::Declare { review, .. }
            | CallAct::Seal { review, .. }
            | CallAct::Reveal { review, .. }
            | CallAct::Finalise { review, .. } => Some((Object::Review, review.0)),
            CallAct::Rank { call } | CallAct::Close { call } => Some((Object::Call, call.0)),
            CallAct::EnterPool { .. } => None,
        },
        Body::Award(act) => match act {
            AwardAct::Accept { award } => Some((Object::Award, award.0)),
            AwardAct::Draft(terms) => newest(
                Object::Agreement,
                tables
                    .awards
                    .get(&terms.award)
                    .and_then(|award| award.agreement)
                    .map(|id| id.0),
            ),
            AwardAct::Sign { agreement, .. }
            | AwardAct::Countersign { agreement, .. }
            | AwardAct::ChangeAccount { agreement, .. }
            | AwardAct::ConfirmAccount { agreement, .. }
            | AwardAct::Resume { agreement }
            | AwardAct::Close { agreement } => Some((Object::Agreement, agreement.0)),
            act => of_life(tables, record, act),
        },
        Body::Payment(act) => match act {
            PaymentAct::Submit { milestone, .. } | PaymentAct::Assess { milestone, .. } => {
                Some((Object::Milestone, milestone.0))
            }
            PaymentAct::Request {
                agreement, tranche, ..
            } => {
                let entry = tables.agreements.get(agreement)?;
                let payment = match tranche {
                    Tranche::Advance => entry.advance_payment,
                    Tranche::Holdback => entry.holdback_payment,
                    Tranche::Milestone(milestone) => tables.milestones.get(milestone)?.payment,
                };
                newest(Object::Payment, payment.map(|id| id.0))
            }
            PaymentAct::Certify { payment, .. }
            | PaymentAct::Approve { payment, .. }
            | PaymentAct::Hold { payment, .. }
            | PaymentAct::Release { payment, .. }
            | PaymentAct::Settle { payment, .. }
            | PaymentAct::Return { payment, .. }
            | PaymentAct::Acknowledge { payment, .. }
            | PaymentAct::Dispute { payment, .. } => Some((Object::Payment, payment.0)),
        },
        Body::Charter(CharterAct::FileOrder(_)) => {
            let made = among(&tables.orders, |filed| filed.record == *record);
            newest(Object::Order, made.map(|id| id.0))
        }
        Body::Charter(CharterAct::SetCalendar(_)) => {
            let made = among(&tables.calendars, |filed| filed.record == *record);
            newest(Object::Calendar, made.map(|id| id.0))
        }
        Body::Charter(CharterAct::ConfirmCalendar { calendar }) => {
            Some((Object::Calendar, calendar.0))
        }
        Body::Charter(CharterAct::Correct(_)) => {
            let made = among(&tables.corrections, |filed| filed.record == *record);
            newest(Object::Correction, made.map(|id| id.0))
        }
        Body::Charter(
            CharterAct::ConfirmCorrection { correction }
            | CharterAct::DeclineCorrection { correction, .. },
        ) => Some((Object::Correction, correction.0)),
        Body::Charter(CharterAct::Deposit(draft)) => {
            let number = tables.draft_of.get(&draft.charter.digest()).copied();
            newest(Object::Draft, number.map(|id| id.0))
        }
        Body::Node(_) => Some((Object::Node, principal.0)),
    }
}

/// The same of an act on a measure or a recovery.
fn of_life(tables: &StateTables, record: &Hash, act: &AwardAct) -> Option<(Object, u32)> {
    Some(match act {
        AwardAct::Announce(_) => {
            let made = among(&tables.measures, |measure| measure.record == *record);
            (Object::Measure, made?.0)
        }
        AwardAct::ObserveMeasure { measure, .. }
        | AwardAct::HoldPayments { measure, .. }
        | AwardAct::DropMeasure { measure, .. } => (Object::Measure, measure.0),
        AwardAct::ProposeRecovery(_) => {
            let made = among(&tables.recoveries, |recovery| recovery.record == *record);
            (Object::Recovery, made?.0)
        }
        AwardAct::NotifyRecovery { recovery, .. }
        | AwardAct::ObserveRecovery { recovery, .. }
        | AwardAct::DropRecovery { recovery, .. } => (Object::Recovery, recovery.0),
        AwardAct::ReceiveRecovery(entry) => (Object::Recovery, entry.recovery.0),
        AwardAct::ConfirmRecovery { receipt } => {
            let entry = &tables.recovery_receipts.get(receipt)?.entry;
            (Object::Recovery, entry.recovery.0)
        }
        AwardAct::SetOff(entry) => (Object::Recovery, entry.recovery.0),
        AwardAct::AgreeSetOff { entry } => {
            let plan = &tables.set_offs.get(entry)?.entry;
            (Object::Recovery, plan.recovery.0)
        }
        AwardAct::Accept { .. }
        | AwardAct::Draft(_)
        | AwardAct::Sign { .. }
        | AwardAct::Countersign { .. }
        | AwardAct::ChangeAccount { .. }
        | AwardAct::ConfirmAccount { .. }
        | AwardAct::Resume { .. }
        | AwardAct::Close { .. } => return None,
    })
}

/// The same of an act on officers, keys, delegations or posts.
fn of_people(
    tables: &StateTables,
    principal: OrganisationId,
    record: &Hash,
    act: &OrganisationAct,
) -> Option<(Object, u32)> {
    use OrganisationAct as A;
    Some(match act {
        A::Found
        | A::Register(_)
        | A::Relate(_)
        | A::ConfirmRelation { .. }
        | A::RotateKey(_)
        | A::RevokeOwnKey { .. }
        | A::RevokeKey { .. }
        | A::RevokeDelegations => (Object::Organisation, principal.0),
        A::ChangeOfficers(_) | A::AskUpdate(_) => {
            let made = among(&tables.changes, |change| change.record == *record);
            (Object::Change, made?.0)
        }
        A::ObjectChange { change, .. }
        | A::ConfirmUpdate { change, .. }
        | A::DeclineUpdate { change, .. } => (Object::Change, change.0),
        A::AskRevocation { person, key, .. } => {
            let made = tables.revocation_of.get(&(*person, *key))?;
            (Object::Revocation, made.0)
        }
        A::AgreeRevocation { revocation } => (Object::Revocation, revocation.0),
        A::FileRecovery(_) => {
            let made = among(&tables.key_recoveries, |recovery| {
                recovery.record == *record
            });
            (Object::KeyRecovery, made?.0)
        }
        A::CancelRecovery { recovery } => (Object::KeyRecovery, recovery.0),
        A::Delegate(grant) => {
            let made = among(&tables.delegations, |delegation| delegation.grant == *grant);
            (Object::Delegation, made?.0)
        }
        A::RevokeDelegation { delegation } => (Object::Delegation, delegation.0),
        A::RecordAbsence { post } | A::EndAbsence { post } | A::StandIn { post } => {
            (Object::Post, post.0)
        }
        A::JoinDirection { direction }
        | A::LeaveDirection { direction }
        | A::GiveUpLead { direction } => (Object::Direction, direction.0),
        A::ClaimRelation(_) => {
            // The newest; whoever claims makes one.
            (Object::Relation, tables.relation_ids.last_key()?.0)
        }
        A::ReplyRelation { relation, .. }
        | A::WithdrawClaim { relation }
        | A::AskRelationEnd { relation, .. }
        | A::ConfirmRelationEnd { relation, .. }
        | A::DeclineRelationEnd { relation, .. }
        | A::AppealRelation { relation, .. } => (Object::Relation, relation.0),
        A::FileStatement(_) => {
            let made = among(&tables.statements, |statement| statement.record == *record);
            (Object::Statement, made?.0)
        }
    })
}

/// Objects looked at, newest first, to find the one that an act made.
const LOOK_BACK: u32 = 512;

pub(super) fn among<I: Id + TableValue, V: TableValue>(
    table: &Table<I, V>,
    is_it: impl Fn(&V) -> bool,
) -> Option<I> {
    let last = table.last_key()?.number();
    (last.saturating_sub(LOOK_BACK)..=last)
        .rev()
        .map(I::of)
        .find(|id| table.get(id).is_some_and(&is_it))
}

fn newest_draw(tables: &StateTables, subject: DrawFor) -> Option<DrawId> {
    tables
        .draw_of
        .range((subject, 0)..=(subject, u32::MAX))
        .map(|(_, draw)| *draw)
        .last()
}
