//! Payments, from request to acknowledgement (F16 to F22; domain 2.5; RULINGS R6, R13).
//!
//! * A payment pays one tranche of one agreement: the advance once, a milestone that was accepted,
//!   the holdback after final acceptance. One live or made payment per tranche (N8); a refused one
//!   frees its tranche.
//! * requested (grantee) -> certified (PO) -> approved (FIN, two above the tier) -> 48 hours ->
//!   released (TRE, K -> T) -> settled (OFF, T -> D) or returned (OFF, T -> K, and released again
//!   with a new instruction) -> acknowledged.
//! * Every step adds a deed to the chain; [`judge`] holds N12 and N13 over the chain, the
//!   assessors, the reviewers and those who voted the award.
//! * A step of the fund's side is signed by one person; on the grantee's steps every signer has acted
//!   (RULINGS R30). Before each step that leads the money out the earlier deeds are judged again: a
//!   tainted one sends the payment back, or has it held until the board decides (`taint`). What
//!   the bank did is recorded whatever is found.
//! * Within the 48 hours any two seat holders of distinct groups hold a payment. The board lifts
//!   the hold, or it ends after 30 days undecided.
//! * EndToEndId, UETR and bank reference are used once, for ever (N8). What is released goes to the
//!   account in force and to no account that cools off (N11).
//! * An officer past the limit is shown as overdue (R13); while the grantee is in arrears no clock
//!   of the fund's side runs (R5).
//!
//! Absent: a bank feed (a key of OFF bound to a bank account), deputies and vacancies of posts
//! (R7), resolving a dispute (F46), frozen funds (F33): their states are not in this build.

use rollbook_proof::crypto::{Hash, sha256_tagged};
use rollbook_proof::number::OrganisationId;

use crate::account::{Amount, Movement};
use crate::calendar::Period;
use crate::charter::FundingParameters;
use crate::id::{AgreementId, ApplicationId, PaymentId, PersonId};
use crate::identity::{Role, Scope};
use crate::lookup::payments::{of_agreement, under_application};
use crate::object::Machine;
use crate::object::agreement::{Agreement, AgreementState};
use crate::object::deed;
use crate::object::deed::Deed;
use crate::object::fund::Fund;
use crate::object::milestone::Paid;
use crate::object::payment::{Payment, PaymentState, PaymentState as S};
use crate::record::{BankReference, Decision, Instruction, PaymentAct, Tranche};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, Signer, must_hold};
use crate::rules::bank::{claim_reference, post};
use crate::rules::funding::duties::{Chain, judge};
use crate::rules::funding::payment::clock::hold;
use crate::rules::funding::payment::ending::refuse_payment;
use crate::rules::funding::payment::tranche::{assessed, claim_tranche, hold_back_now};
use crate::rules::funding::{award, fund, milestone, standing};
use crate::tx::{DeadlineKind, Tx};
use crate::{refuse, require};

mod clock;
mod ending;
mod taint;
mod tranche;

pub(crate) use clock::on_deadline;
pub(super) use ending::{after_set_off, end_what_is_not_owed};
pub(super) use taint::{all_tainted, on_tie};
pub(super) use tranche::watch_advance;

/// The charter parameters under which the agreement runs.
fn rules(tx: &Tx, agreement: &Agreement) -> Result<FundingParameters, Refusal> {
    Ok(tx.charter_of(agreement.terms.charter)?.funding)
}

/// Applies an act on milestones and payments.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &PaymentAct) -> Result<Outcome, Refusal> {
    match act {
        PaymentAct::Submit {
            milestone,
            evidence,
        } => milestone::submit(tx, actor, *milestone, evidence),
        PaymentAct::Assess {
            milestone,
            finding,
            report,
        } => milestone::assess(tx, actor, *milestone, *finding, report),
        PaymentAct::Request {
            agreement,
            tranche,
            amount,
        } => request(tx, actor, *agreement, *tranche, *amount),
        PaymentAct::Certify { payment, decision } => certify(tx, actor, *payment, decision),
        PaymentAct::Approve {
            payment,
            certified,
            amount,
            decision,
        } => approve(tx, actor, *payment, certified, *amount, decision),
        PaymentAct::Hold { payment, .. } => hold(tx, actor, *payment),
        PaymentAct::Release {
            payment,
            instruction,
        } => release(tx, actor, *payment, instruction),
        PaymentAct::Settle {
            payment,
            reference,
            amount,
        } => settle(tx, actor, *payment, reference, *amount),
        PaymentAct::Return {
            payment,
            reference,
            amount,
            ..
        } => returned(tx, actor, *payment, reference, *amount),
        PaymentAct::Acknowledge { payment, amount } => {
            acknowledge(tx, actor, *payment, Some(*amount))
        }
        PaymentAct::Dispute { payment, .. } => acknowledge(tx, actor, *payment, None),
    }
}

/// The whole chain of a payment: reviewers of the application, voters of the award, assessors, and
/// its own deeds.
pub fn chain(tx: &Tx, payment: &Payment) -> Result<Chain, Refusal> {
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    let mut deeds = award::deeds(tx, agreement.application);
    for milestone in assessed(tx, &agreement, payment.tranche) {
        deeds.extend(milestone.deeds());
    }
    deeds.extend(payment.deeds.iter().copied());
    Ok(Chain {
        grantee: agreement.grantee,
        deeds,
        distinct_groups: rules(tx, &agreement)?.chain_distinct_groups,
    })
}

/// What persons did in the milestones and payments that grew from an application.
pub(super) fn deeds(tx: &Tx, application: ApplicationId) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for agreement in under_application(&tx.t, application) {
        for number in agreement.milestones() {
            if let Some(milestone) = tx.t.milestones.get(&number) {
                deeds.extend(milestone.deeds());
            }
        }
        let own = of_agreement(&tx.t, agreement.number);
        deeds.extend(own.flat_map(|payment| payment.deeds.iter().copied()));
    }
    deeds
}

/// Judges a step of the payment by `signer` and adds it to the deeds.
fn take_step(
    tx: &Tx,
    payment: &mut Payment,
    step: deed::Step,
    signer: &Signer,
) -> Result<(), Refusal> {
    let deed = Deed {
        step,
        person: signer.person,
        home: signer.home,
        at_ms: tx.now,
    };
    judge(&tx.t, &chain(tx, payment)?, deed)?;
    let same = |known: &&mut Deed| known.step == step && known.person == signer.person;
    match payment.deeds.iter_mut().find(same) {
        Some(known) => *known = deed,
        None => payment.deeds.push(deed),
    }
    Ok(())
}

/// Judges a step of the grantee: every signer has acted (RULINGS R30).
fn take_steps(
    tx: &Tx,
    payment: &mut Payment,
    step: deed::Step,
    actor: &Actor,
) -> Result<(), Refusal> {
    actor
        .signers
        .iter()
        .try_for_each(|signer| take_step(tx, payment, step, signer))
}

fn request(
    tx: &mut Tx,
    actor: &Actor,
    number: AgreementId,
    tranche: Tranche,
    amount: Amount,
) -> Result<Outcome, Refusal> {
    let mut agreement = tx.get::<Agreement>(number)?;
    require!(
        actor.number() == agreement.grantee,
        "F16.not-the-grantee",
        grantee = agreement.grantee
    );
    actor.must_sign(Role::Finance)?;
    let rules = rules(tx, &agreement)?;
    let next = tx.next_id::<PaymentId>();
    let share = claim_tranche(tx, &mut agreement, tranche, next)?;
    require!(
        share.net > Amount::ZERO,
        "F16.nothing-payable",
        tranche = tranche
    );
    require!(
        share.net == amount,
        "F16.other-amount",
        computed = share.net,
        requested = amount
    );
    watch_advance(tx, &agreement);
    let approvals_needed = approvals_needed(tx, &agreement, amount)?;
    let mut payment = Payment {
        number: next,
        fund: agreement.fund,
        agreement: number,
        tranche,
        share,
        amount,
        state: tx.begin::<Payment>(next, "F16", S::Requested)?,
        since_ms: tx.now,
        requested: tx.record,
        certified: None,
        approvals: 0,
        approvals_needed,
        approved_ms: None,
        deeds: Vec::new(),
        hold_called_by: None,
        held_in: None,
        set_off: Amount::ZERO,
        instruction: None,
        attempts: 0,
        settlement: None,
        refused: None,
    };
    tx.t.payments_of().put((number, next), 0);
    tx.put(agreement);
    take_steps(tx, &mut payment, deed::Step::Request, actor)?;
    tx.schedule(
        DeadlineKind::CertifyDue,
        next,
        tx.deadline(Period::Days(rules.certify_days)),
    );
    // A vote, a review or an assessment may be tainted already.
    if !taint::tainted(tx, &payment)?.is_empty() {
        let now = tx.now;
        tx.schedule(DeadlineKind::TiePayment, next, now);
    }
    tx.put(payment);
    Ok(Outcome::Applied)
}

/// Finance approvers that an amount needs.
fn approvals_needed(tx: &Tx, agreement: &Agreement, amount: Amount) -> Result<u32, Refusal> {
    let limits = fund::limits(tx, agreement.terms.charter, agreement.fund)?;
    Ok(if amount > limits.two_approvers_above {
        2
    } else {
        1
    })
}

/// N7, N9, N10: what must hold at certification and again at release.
fn require_sound(tx: &Tx, payment: &Payment, agreement: &Agreement) -> Result<(), Refusal> {
    require!(
        agreement.state.is_payable(),
        "N7.no-agreement-in-force",
        agreement = agreement.number,
        state = agreement.state
    );
    if !agreement.state.is_over() {
        let (paid, cap) = (agreement.paid.total(), Paid::cap(&agreement.terms));
        require!(
            payment.tranche != Tranche::Holdback,
            "F43.not-finally-accepted"
        );
        require!(paid <= cap, "N9.above-cap", paid = paid, cap = cap);
    }
    standing::require_fund_open(tx, agreement.fund)?;
    standing::require_not_stopped(tx, agreement)?;
    standing::require_standing(tx, agreement)
}

fn certify(
    tx: &mut Tx,
    actor: &Actor,
    number: PaymentId,
    decision: &Decision,
) -> Result<Outcome, Refusal> {
    let mut payment = tx.get::<Payment>(number)?;
    let signer = must_hold(tx, actor, Role::ProgrammeOfficer, Scope::Fund(payment.fund))?.clone();
    let to = if *decision == Decision::Pass {
        S::Certified
    } else {
        S::Refused
    };
    payment.may("F17", to)?;
    take_step(tx, &mut payment, deed::Step::Certify, &signer)?;
    if let Decision::Refuse { code, .. } = decision {
        return refuse_payment(tx, payment, "F17", code);
    }
    taint::require_untainted(tx, &payment)?;
    tx.go(&mut payment, "F17", to)?;
    let mut agreement = tx.get::<Agreement>(payment.agreement)?;
    let rules = rules(tx, &agreement)?;
    if payment.tranche == Tranche::Holdback {
        // R35: what is still owed now, whatever became of other payments since the request.
        payment.share.net = hold_back_now(tx, &mut agreement)?;
        payment.amount = payment.share.net.saturating_sub(payment.set_off);
        payment.approvals_needed = approvals_needed(tx, &agreement, payment.amount)?;
        tx.put(agreement.clone());
    }
    require_sound(tx, &payment, &agreement)?;
    payment.certified = Some(tx.record);
    tx.cancel(DeadlineKind::CertifyDue, number);
    tx.schedule(
        DeadlineKind::ApproveDue,
        number,
        tx.deadline(Period::Days(rules.step_days)),
    );
    tx.put(payment);
    Ok(Outcome::Applied)
}

fn approve(
    tx: &mut Tx,
    actor: &Actor,
    number: PaymentId,
    certified: &Hash,
    amount: Amount,
    decision: &Decision,
) -> Result<Outcome, Refusal> {
    let mut payment = tx.get::<Payment>(number)?;
    let signer = must_hold(tx, actor, Role::FinanceApprover, Scope::Fund(payment.fund))?.clone();
    if let Decision::Refuse { code, .. } = decision {
        // An approver may still refuse what they approved: the same step, the other way.
        let approved = payment
            .deeds
            .iter()
            .any(|deed| deed.step == deed::Step::Approve && deed.person == signer.person);
        if !approved {
            take_step(tx, &mut payment, deed::Step::Approve, &signer)?;
        }
        return refuse_payment(tx, payment, "F18", code);
    }
    let approvals = payment.approvals.saturating_add(1);
    let to = if approvals >= payment.approvals_needed {
        S::Approved
    } else {
        S::Certified
    };
    tx.go(&mut payment, "F18", to)?;
    require!(
        Some(*certified) == payment.certified,
        "F18.other-certificate",
        certified = payment.certified.unwrap_or_default()
    );
    require!(
        amount == payment.amount,
        "F18.other-amount",
        amount = payment.amount
    );
    taint::require_untainted(tx, &payment)?;
    take_step(tx, &mut payment, deed::Step::Approve, &signer)?;
    payment.approvals = approvals;
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    let rules = rules(tx, &agreement)?;
    if to == S::Approved {
        payment.approved_ms = Some(tx.now);
        tx.cancel(DeadlineKind::ApproveDue, number);
        tx.schedule(
            DeadlineKind::PayoutDelay,
            number,
            tx.delay(Period::Hours(rules.payout_delay_hours)),
        );
    }
    tx.put(payment);
    Ok(Outcome::Applied)
}

/// Starts the limit for the release, if the delay is over.
fn open_release(tx: &mut Tx, payment: &Payment) -> Result<(), Refusal> {
    if tx.due(DeadlineKind::PayoutDelay, payment.number).is_none() {
        let days = rules(tx, &tx.get::<Agreement>(payment.agreement)?)?.step_days;
        tx.schedule(
            DeadlineKind::ReleaseDue,
            payment.number,
            tx.deadline(Period::Days(days)),
        );
    }
    Ok(())
}

fn release(
    tx: &mut Tx,
    actor: &Actor,
    number: PaymentId,
    instruction: &Instruction,
) -> Result<Outcome, Refusal> {
    let mut payment = tx.get::<Payment>(number)?;
    let signer = must_hold(tx, actor, Role::Treasurer, Scope::Fund(payment.fund))?.clone();
    require!(payment.state != S::Held, "F19.held", payment = number);
    tx.go(&mut payment, "F20", S::Released)?;
    let mut agreement = tx.get::<Agreement>(payment.agreement)?;
    require_ripe(tx, &payment)?;
    take_step(tx, &mut payment, deed::Step::Release, &signer)?;
    require_sound(tx, &payment, &agreement)?;
    standing::require_no_arrears(tx, &agreement)?;
    if let Some(change) = &agreement.change {
        refuse!("N11.account-changing", change = change.record);
    }
    require!(
        instruction.account == agreement.account,
        "N11.other-account",
        account = agreement.account
    );
    require!(
        instruction.amount == payment.amount,
        "F20.other-amount",
        amount = payment.amount
    );
    claim_id(tx, "end-to-end", instruction.reference.as_str(), number)?;
    if let Some(uetr) = &instruction.uetr {
        claim_id(tx, "uetr", uetr.as_str(), number)?;
    }
    payment.instruction = Some(instruction.clone());
    payment.attempts = payment.attempts.saturating_add(1);
    let movement = Movement::PaymentReleased {
        agreement: payment.agreement,
        payment: number,
        amount: payment.amount,
    };
    post(tx, payment.fund, &movement)?;
    if payment.tranche == Tranche::Advance {
        agreement.paid.released = payment.amount.saturating_add(payment.set_off);
        tx.put(agreement.clone());
    }
    tx.cancel(DeadlineKind::ReleaseDue, number);
    let days = rules(tx, &agreement)?.step_days;
    tx.schedule(
        DeadlineKind::ConfirmDue,
        number,
        tx.deadline(Period::Days(days)),
    );
    tx.put(payment);
    Ok(Outcome::Applied)
}

/// What must hold of an approved payment before anything of it is paid: its delay is over, and no tie taints
/// what was done.
fn require_ripe(tx: &Tx, payment: &Payment) -> Result<(), Refusal> {
    if let Some(until) = tx.due(DeadlineKind::PayoutDelay, payment.number) {
        refuse!("F20.delay-runs", until = until);
    }
    taint::require_untainted(tx, payment)
}

/// F45: a set-off pays as a release does, without the bank. What is withheld for arrears alone may be set off:
/// the grantee gets nothing into its hands (R5 has the release wait, and nothing else).
pub(super) fn require_may_set_off(
    tx: &Tx,
    payment: &Payment,
    entered_by: PersonId,
) -> Result<(), Refusal> {
    require_ripe(tx, payment)?;
    require_sound(tx, payment, &tx.get::<Agreement>(payment.agreement)?)?;
    // Who enters it may have approved the payment before, and did nothing else in its chain.
    let mut chain = chain(tx, payment)?;
    chain
        .deeds
        .retain(|deed| deed.step != deed::Step::Approve || deed.person != entered_by);
    let known = tx.t.persons.get(&entered_by);
    let home = known.map_or(OrganisationId(0), |known| known.home);
    let deed = Deed {
        step: deed::Step::Approve,
        person: entered_by,
        home,
        at_ms: tx.now,
    };
    judge(&tx.t, &chain, deed).map(|_| ())
}

/// F45: the treasurer who agrees to a set-off takes the step that a release is.
pub(super) fn take_set_off(tx: &Tx, payment: &mut Payment, signer: &Signer) -> Result<(), Refusal> {
    take_step(tx, payment, deed::Step::Release, signer)
}

/// Uses an identifier of an instruction, once in the whole ledger (N8).
fn claim_id(tx: &mut Tx, kind: &str, id: &str, payment: PaymentId) -> Result<(), Refusal> {
    let key = sha256_tagged(
        "rollbook/instruction-id/v1",
        &[kind.as_bytes(), &[0], id.as_bytes()],
    );
    if let Some(other) = tx.t.instruction_ids.get(&key) {
        refuse!(
            "N8.instruction-id-used",
            kind = kind,
            id = id,
            payment = other
        );
    }
    tx.t.instruction_ids().put(key, payment);
    Ok(())
}

/// What settlement and return have in common.
fn confirm(
    tx: &mut Tx,
    actor: &Actor,
    number: PaymentId,
    reference: &BankReference,
    amount: Amount,
    to: PaymentState,
) -> Result<(Payment, Agreement), Refusal> {
    let mut payment = tx.get::<Payment>(number)?;
    let signer = must_hold(tx, actor, Role::SecondOfficer, Scope::Fund(payment.fund))?.clone();
    tx.go(&mut payment, "F21", to)?;
    take_step(tx, &mut payment, deed::Step::Confirm, &signer)?;
    require!(
        amount == payment.amount,
        "F21.other-amount",
        amount = payment.amount
    );
    let account = tx.get::<Fund>(payment.fund)?.bank_account;
    claim_reference(tx, &account, reference)?;
    tx.cancel(DeadlineKind::ConfirmDue, number);
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    Ok((payment, agreement))
}

fn settle(
    tx: &mut Tx,
    actor: &Actor,
    number: PaymentId,
    reference: &BankReference,
    amount: Amount,
) -> Result<Outcome, Refusal> {
    let (mut payment, agreement) = confirm(tx, actor, number, reference, amount, S::Settled)?;
    payment.settlement = Some(reference.clone());
    let movement = Movement::PaymentSettled {
        agreement: payment.agreement,
        payment: number,
        amount,
    };
    post(tx, payment.fund, &movement)?;
    let days = rules(tx, &agreement)?.acknowledgement_days;
    tx.schedule(
        DeadlineKind::AcknowledgeEnd,
        number,
        tx.deadline(Period::Days(days)),
    );
    tx.put(payment);
    Ok(Outcome::Applied)
}

fn returned(
    tx: &mut Tx,
    actor: &Actor,
    number: PaymentId,
    reference: &BankReference,
    amount: Amount,
) -> Result<Outcome, Refusal> {
    let (payment, agreement) = confirm(tx, actor, number, reference, amount, S::Returned)?;
    let movement = Movement::PaymentReturned {
        agreement: payment.agreement,
        payment: number,
        amount,
    };
    post(tx, payment.fund, &movement)?;
    let days = rules(tx, &agreement)?.step_days;
    tx.schedule(
        DeadlineKind::ReleaseDue,
        number,
        tx.deadline(Period::Days(days)),
    );
    tx.put(payment);
    if agreement.state == AgreementState::Terminated {
        end_what_is_not_owed(tx, agreement.number)?;
    }
    Ok(Outcome::Applied)
}

/// F22. With an amount it is an acknowledgement, without one a dispute.
fn acknowledge(
    tx: &mut Tx,
    actor: &Actor,
    number: PaymentId,
    amount: Option<Amount>,
) -> Result<Outcome, Refusal> {
    let mut payment = tx.get::<Payment>(number)?;
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    require!(
        actor.number() == agreement.grantee,
        "F22.not-the-grantee",
        grantee = agreement.grantee
    );
    actor.must_sign(Role::Finance)?;
    tx.go(
        &mut payment,
        "F22",
        if amount.is_some() {
            S::Acknowledged
        } else {
            S::Disputed
        },
    )?;
    take_steps(tx, &mut payment, deed::Step::Acknowledge, actor)?;
    if let Some(amount) = amount {
        require!(
            amount == payment.amount,
            "F22.other-amount",
            amount = payment.amount
        );
    }
    tx.cancel(DeadlineKind::AcknowledgeEnd, number);
    tx.put(payment);
    Ok(Outcome::Applied)
}
