//! Membership: from application to activation, and the rights of members (domain 1.3, 1.4; RULINGS
//! R5, R9, R16).
//!
//! * Every step is a row of [`ROWS`]; the rules ask that table.
//! * A live membership has three independent parts: dues, discipline, exit. Rights are the
//!   intersection of what each part allows and are derived, never stored. A membership is a record
//!   of its own on every admission, never reopened.
//! * Until it is active, an application waits for somebody named by its state, and a deadline says
//!   until when.
//!
//! * A member leaves with notice, or because it is none any more; what hangs on the membership ends with
//!   it (`leaving`, `cessation`, `ends`). Its class changes by a motion for which it asks (`class`).
//! * What it owes has a clock (`dues`, `arrears`, `plan`, `notice`), and what it did has a proceeding
//!   (`discipline`).
//!
//! Absent: deemed withdrawal after a year without any act (R41).

use rollbook_proof::number::OrganisationId;

use crate::charter::Class;
use crate::id::{InvoiceId, MembershipId, PlanId, ProceedingId};
use crate::identity::Role;
use crate::object::Machine;
use crate::object::membership::{
    Exit, ExitPart, ExitState, Live, Membership, ROWS, Standing, State,
};
use crate::record::MembershipAct;
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

pub mod admission;
pub mod arrears;
mod cessation;
mod class;
pub mod discipline;
pub mod dues;
mod ends;
mod leaving;
mod mistake;
pub mod notice;
mod plan;

/// Applies an act on memberships.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &MembershipAct) -> Result<Outcome, Refusal> {
    match act {
        MembershipAct::Apply(application) => admission::apply_for(tx, actor, application)?,
        MembershipAct::Screen { membership } => admission::screen(tx, actor, *membership)?,
        MembershipAct::Return {
            membership,
            missing,
        } => admission::send_back(tx, actor, *membership, missing)?,
        MembershipAct::Resubmit { membership, .. } => admission::resubmit(tx, actor, *membership)?,
        MembershipAct::Reject {
            membership,
            criterion,
            reasons,
        } => admission::reject(tx, actor, *membership, criterion, reasons)?,
        MembershipAct::Complete { membership } => admission::complete(tx, actor, *membership)?,
        MembershipAct::Sponsor { membership } => admission::sponsor(tx, actor, *membership)?,
        MembershipAct::OpenBallot {
            membership,
            ballot_days,
        } => admission::open_ballot_by_secretary(tx, actor, *membership, *ballot_days)?,
        MembershipAct::AskAgain { membership, .. } => admission::ask_again(tx, actor, *membership)?,
        MembershipAct::WithdrawApplication { membership } => {
            admission::withdraw(tx, actor, *membership)?
        }
        MembershipAct::Invoice { membership } => dues::invoice(tx, actor, *membership)?,
        MembershipAct::CancelInvoice { invoice } => dues::cancel(tx, actor, *invoice)?,
        MembershipAct::Receive(receipt) => dues::receive(tx, actor, receipt)?,
        MembershipAct::ConfirmReceipt { invoice, receipt } => {
            dues::confirm(tx, actor, *invoice, receipt)?
        }
        MembershipAct::DeclineReceipt { invoice, receipt } => {
            dues::decline(tx, actor, *invoice, receipt)?
        }
        MembershipAct::Agree {
            membership,
            agreement,
        } => admission::agree(tx, actor, *membership, agreement)?,
        MembershipAct::Activate {
            membership,
            agreement,
        } => admission::activate(tx, actor, *membership, agreement)?,
        MembershipAct::Cease {
            membership,
            cause,
            evidence,
        } => cessation::cease(tx, actor, *membership, *cause, evidence)?,
        MembershipAct::InvoiceYear { year } => dues::invoice_year(tx, actor, *year)?,
        MembershipAct::PayBack(receipt) => dues::pay_back(tx, actor, receipt)?,
        MembershipAct::ProposePlan(entry) => plan::propose(tx, actor, entry)?,
        MembershipAct::AgreePlan { plan } => plan::agree(tx, actor, *plan)?,
        MembershipAct::ServeNotice(entry) => notice::serve(tx, actor, entry)?,
        MembershipAct::AgreeNotice { notice } => notice::agree(tx, actor, *notice)?,
        MembershipAct::AcknowledgeNotice { notice } => notice::acknowledge(tx, actor, *notice)?,
        MembershipAct::OpenProceeding(entry) => discipline::open(tx, actor, entry)?,
        MembershipAct::AgreeProceeding { proceeding } => discipline::agree(tx, actor, *proceeding)?,
        MembershipAct::Reply {
            proceeding,
            document,
        } => discipline::reply(tx, actor, *proceeding, document)?,
        MembershipAct::Hear(entry) => discipline::hear(tx, actor, entry)?,
        MembershipAct::WaiveHearing { proceeding } => discipline::waive(tx, actor, *proceeding)?,
        MembershipAct::CloseProceeding {
            proceeding,
            reasons,
        } => discipline::close(tx, actor, *proceeding, reasons)?,
        MembershipAct::AppealExpulsion {
            proceeding,
            grounds,
        } => discipline::appeal(tx, actor, *proceeding, grounds)?,
        MembershipAct::GiveNotice {
            membership,
            last_day,
            letter,
        } => leaving::give_notice(tx, actor, *membership, *last_day, letter)?,
        MembershipAct::AskClass {
            membership,
            class,
            reasons,
        } => class::ask(tx, actor, *membership, *class, reasons)?,
        MembershipAct::RevokeNotice { membership } => {
            leaving::revoke_notice(tx, actor, *membership)?
        }
        MembershipAct::Succeed {
            membership,
            obligations,
        } => cessation::succeed(tx, actor, *membership, obligations)?,
    }
    Ok(Outcome::Applied)
}

/// Acts out a deadline of a membership.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: u32,
    due: Due,
) -> Result<(), Refusal> {
    let membership = MembershipId(number);
    match kind {
        DeadlineKind::InvoiceDue => arrears::on_invoice_due(tx, InvoiceId(number), due),
        DeadlineKind::ReceiptStands => arrears::on_receipt_stands(tx, InvoiceId(number)),
        DeadlineKind::DuesNotice
        | DeadlineKind::DuesSuspend
        | DeadlineKind::DuesNoticeAgain
        | DeadlineKind::DuesEnd
        | DeadlineKind::DuesRestored => arrears::on_deadline(tx, kind, membership, due),
        DeadlineKind::PlanInstalment => plan::on_deadline(tx, PlanId(number), due),
        DeadlineKind::SuspensionEnd => discipline::on_suspension_end(tx, membership, due),
        DeadlineKind::ExpulsionFinal => discipline::on_final(tx, membership, due),
        DeadlineKind::ProceedingLapse => discipline::on_lapse(tx, ProceedingId(number), due),
        DeadlineKind::MembershipEnd => leaving::on_deadline(tx, membership, due),
        _ => admission::on_deadline(tx, kind, membership, due),
    }
}

/// The exit part of a new membership: it stays.
pub(super) fn begin_exit(
    tx: &mut Tx,
    membership: MembershipId,
    code: &'static str,
) -> Result<Exit, Refusal> {
    tx.begin::<ExitPart>(membership, code, ExitState::None)?;
    Ok(Exit::None)
}

/// Creates the membership of a founding organisation at genesis.
pub(crate) fn enter_founder(tx: &mut Tx, organisation: OrganisationId) -> Result<(), Refusal> {
    let number = tx.next_id::<MembershipId>();
    tx.begin::<Membership>(number, "M25", State::Founding)?;
    dues::begin(tx, number, "M25")?;
    let exit = begin_exit(tx, number, "M25")?;
    let membership = Membership {
        number,
        organisation,
        class: Class::Founding,
        standing: Standing::Founding,
        since_ms: tx.now,
        active_ms: None,
        application: None,
        motion: None,
        asked_again: false,
        agreement: None,
        exit,
    };
    tx.put(membership);
    let mut entry = tx.organisation(organisation)?.clone();
    entry.membership = Some(number);
    tx.put(entry);
    let mut facts = tx.facts();
    facts.founders_missing += 1;
    tx.put_facts(facts);
    tx.t.founders().put(organisation, 0);
    Ok(())
}

/// M25: a founding organisation signs. With the last signature every founder is a member.
pub(crate) fn found(tx: &mut Tx, actor: &Actor) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    match tx.t.founders.get(&actor.number()) {
        None => refuse!("M25.not-a-founder", organisation = actor.number()),
        Some(signed) => require!(
            *signed == 0,
            "M25.already-signed",
            organisation = actor.number()
        ),
    }
    tx.t.founders().put(actor.number(), 1);
    let mut facts = tx.facts();
    facts.founders_missing = facts.founders_missing.saturating_sub(1);
    let complete = facts.founders_missing == 0;
    tx.put_facts(facts);
    if complete {
        let waiting: Vec<Membership> =
            tx.t.memberships
                .iter()
                .filter(|(_, m)| m.standing == Standing::Founding)
                .map(|(_, m)| m.clone())
                .collect();
        for mut membership in waiting {
            membership.active_ms = Some(tx.now);
            discipline::begin(tx, membership.number, "M25")?;
            tx.advance(membership, "M25", Standing::Live(Live::GOOD))?;
        }
    }
    Ok(Outcome::Applied)
}

/// Refuses unless `code` leads somewhere from where the membership stands: said before its guards
/// are looked at.
pub(super) fn expect(membership: &Membership, code: &'static str) -> Result<(), Refusal> {
    let from = membership.standing.state();
    match ROWS
        .iter()
        .find(|row| row.code == code && row.from == Some(from))
    {
        Some(row) => membership.may(code, row.to),
        // Never in the table: the refusal of the table.
        None => membership.may(code, State::Founding),
    }
}
