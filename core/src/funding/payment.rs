//! Payments, from request to acknowledgement (F16 to F22; domain 2.5; RULINGS R6, R13).
//!
//! * A payment pays one tranche of one agreement: the advance once, a milestone that was accepted,
//!   the holdback after final acceptance. One live or made payment per tranche (N8); a refused one
//!   frees its tranche.
//! * requested (grantee) -> certified (PO) -> approved (FIN, two above the tier) -> 48 hours ->
//!   released (TRE, K -> T) -> settled (OFF, T -> D) or returned (OFF, T -> K, and released again
//!   with a new instruction) -> acknowledged.
//! * Every step adds a deed to the chain; [`duties::judge`] holds N12 and N13 over the chain, the
//!   assessors, the reviewers and those who voted the award.
//! * Within the 48 hours any two seat holders of distinct groups hold a payment. The board lifts
//!   the hold, or it ends after 30 days undecided.
//! * EndToEndId, UETR and bank reference are used once, for ever (N8). What is released goes to the
//!   account in force and to no account that cools off (N11).
//! * An officer past the limit is shown as overdue (R13); while the grantee is in arrears no clock
//!   of the fund's side runs (R5).
//!
//! Absent: a bank feed (a key of OFF bound to a bank account), deputies and vacancies of posts
//! (R7), offset (F45), resolving a dispute (F46), frozen funds and suspended agreements (F33, F24):
//! their states are not in this build.

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, sha256_tagged};

use super::agreement::{Agreement, AgreementState};
use super::duties::{Chain, Deed, judge};
use super::milestone::{Milestone, Paid, Share};
use super::{Row, agreement, claim_reference, describe, duties, milestone, post, standing, step};
use crate::account::Movement;
use crate::apply::{Counter, DeadlineKind, EventBody, Outcome, Refusal, Tx};
use crate::calendar::Period;
use crate::charter::FundingParameters;
use crate::identity::authority::{Actor, Signer, must_hold};
use crate::identity::{OrganisationKind, Role, Scope, groups};
use crate::record::{BankReference, Decision, Instruction, PaymentAct, Tranche};
use crate::{refuse, require, row};

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentState {
    /// By the grantee.
    Requested,
    /// By the programme officer; approvals may be under way.
    Certified,
    /// By as many finance approvers as its amount needs.
    Approved,
    /// Held by two seat holders.
    Held,
    /// Given to the bank.
    Released,
    /// Came back from the bank.
    Returned,
    /// Executed by the bank.
    Settled,
    /// The grantee let its days pass.
    Unacknowledged,
    /// The grantee has it.
    Acknowledged,
    /// The grantee denies it.
    Disputed,
    /// Refused on the way.
    Refused,
}

use PaymentState as S;

/// Transitions of a payment (domain 2.5).
pub const ROWS: [Row<PaymentState>; 24] = [
    row!("F16", None => S::Requested, "GRT", "milestone accepted, or advance once, or holdback after final acceptance; amount as computed"),
    row!("F17", Some(S::Requested) => S::Certified, "PO", "cap, holdback, standing; duties"),
    row!("F17", Some(S::Requested) => S::Refused, "PO", "published code and reason; duties"),
    row!("F18", Some(S::Certified) => S::Certified, "FIN", "first of two above the tier; != certifier; duties"),
    row!("F18", Some(S::Certified) => S::Approved, "FIN", "last approval; != certifier, != other approver; duties; the delay starts"),
    row!("F18", Some(S::Certified) => S::Refused, "FIN", "published code and reason; duties"),
    row!("F18", Some(S::Approved) => S::Refused, "FIN", "published code and reason; duties"),
    row!("F19", Some(S::Approved) => S::Approved, "seat holder", "within the delay; unrelated: first of two"),
    row!("F19", Some(S::Approved) => S::Held, "seat holder", "within the delay; unrelated; of another group than the first"),
    row!("F19", Some(S::Held) => S::Approved, "BRD", "motion to lift"),
    row!("R13", Some(S::Held) => S::Approved, "CLK", "30 days undecided"),
    row!("F20", Some(S::Approved) => S::Released, "TRE", "delay over; != approver; account in force, no cooling-off; new EndToEndId, UETR; standing; cap; K -> T"),
    row!("F20", Some(S::Returned) => S::Released, "TRE", "as the first time, with a new EndToEndId and UETR; K -> T"),
    row!("F21", Some(S::Released) => S::Settled, "OFF", "!= releaser; bank reference unused; amount equal; T -> D"),
    row!("F21", Some(S::Released) => S::Returned, "OFF", "!= releaser; bank reference unused; amount equal; T -> K"),
    row!("F22", Some(S::Settled) => S::Acknowledged, "GRT", "within 14 days; amount equal"),
    row!("F22", Some(S::Settled) => S::Disputed, "GRT", "within 14 days"),
    row!("F22", Some(S::Settled) => S::Unacknowledged, "CLK", "14 days passed"),
    row!("F22", Some(S::Unacknowledged) => S::Acknowledged, "GRT", "late; amount equal"),
    row!("R13", Some(S::Requested) => S::Requested, "CLK", "certify_days passed: shown as overdue"),
    row!("R13", Some(S::Certified) => S::Certified, "CLK", "step_days passed without the last approval: shown as overdue"),
    row!("R13", Some(S::Approved) => S::Approved, "CLK", "step_days passed without a release: shown as overdue"),
    row!("R13", Some(S::Returned) => S::Returned, "CLK", "step_days passed without a new release: shown as overdue"),
    row!("R13", Some(S::Released) => S::Released, "CLK", "step_days passed without a confirmation: shown as overdue"),
];

/// Which step of a payment is awaited, for overdue events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// Certification.
    Certify,
    /// Approval.
    Approve,
    /// Release.
    Release,
    /// Confirmation.
    Confirm,
}

/// A payment (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Payment {
    /// Its number.
    pub number: u32,
    /// The fund.
    pub fund: u32,
    /// The agreement.
    pub agreement: u32,
    /// What it pays.
    pub tranche: Tranche,
    /// How the accepted amount divides; net is the amount. Of an advance or holdback only net is
    /// set.
    pub share: Share,
    /// Minor units.
    pub amount: u64,
    /// Where it stands.
    pub state: PaymentState,
    /// Ledger time since which it stands there.
    pub since_ms: u64,
    /// Record of the request.
    pub requested: Hash,
    /// Record of the certificate.
    pub certified: Option<Hash>,
    /// Approvals given.
    pub approvals: u32,
    /// Approvals needed, fixed at the request.
    pub approvals_needed: u32,
    /// Ledger time of the last approval.
    pub approved_ms: Option<u64>,
    /// Who did what, in order; a repeated deed stands once.
    pub deeds: Vec<Deed>,
    /// Organisation that called for a hold, until a second one does.
    pub hold_called_by: Option<u32>,
    /// The newest instruction.
    pub instruction: Option<Instruction>,
    /// Instructions given so far.
    pub attempts: u32,
    /// The bank's reference of the settlement.
    pub settlement: Option<BankReference>,
    /// Why it was refused: published code.
    pub refused: Option<Text<40>>,
}

/// A payment by number.
pub fn get(tx: &Tx, number: u32) -> Result<Payment, Refusal> {
    tx.t.payments
        .get(&number)
        .cloned()
        .ok_or_else(|| Refusal::new("A4.unknown-payment", vec![("payment", number.to_string())]))
}

fn put(tx: &mut Tx, payment: Payment) {
    tx.t.payments.put(payment.number, payment);
}

/// Moves a payment by the table.
fn go(tx: &Tx, payment: &mut Payment, code: &'static str, to: PaymentState) -> Result<(), Refusal> {
    payment.state = step(&ROWS, code, Some(payment.state), to)?;
    payment.since_ms = tx.now;
    Ok(())
}

/// The transitions as words.
pub fn table() -> Vec<super::Transition> {
    describe("payment", &ROWS)
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

/// The charter parameters under which the agreement runs.
fn rules(tx: &Tx, agreement: &Agreement) -> Result<FundingParameters, Refusal> {
    Ok(tx.charter_of(agreement.terms.charter)?.funding)
}

/// Milestones whose assessors belong to the chain of a tranche: its own; for the holdback every
/// one, the final report too.
fn assessed(tx: &Tx, agreement: &Agreement, tranche: Tranche) -> Vec<Milestone> {
    let numbers: Vec<u32> = match tranche {
        Tranche::Advance => Vec::new(),
        Tranche::Milestone(number) => vec![number],
        Tranche::Holdback => agreement.milestones().collect(),
    };
    numbers
        .iter()
        .filter_map(|number| tx.t.milestones.get(number).cloned())
        .collect()
}

/// The whole chain of a payment: reviewers of the application, voters of the award, assessors, and
/// its own deeds.
pub fn chain(tx: &Tx, payment: &Payment) -> Result<Chain, Refusal> {
    let agreement = agreement::get(tx, payment.agreement)?;
    let mut deeds = super::award::deeds(tx, &agreement)?;
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

/// Judges a step of the payment by `signer` and adds it to the deeds.
fn take_step(
    tx: &Tx,
    payment: &mut Payment,
    step: duties::Step,
    signer: &Signer,
) -> Result<(), Refusal> {
    let deed = Deed {
        step,
        person: signer.person,
        home: signer.home,
    };
    judge(tx.t, &chain(tx, payment)?, deed)?;
    if !payment.deeds.contains(&deed) {
        payment.deeds.push(deed);
    }
    Ok(())
}

fn request(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    tranche: Tranche,
    amount: u64,
) -> Result<Outcome, Refusal> {
    let mut agreement = agreement::get(tx, number)?;
    require!(
        actor.number() == agreement.grantee,
        "F16.not-the-grantee",
        grantee = agreement.grantee
    );
    let signer = actor.must_sign(Role::Finance)?.clone();
    let rules = rules(tx, &agreement)?;
    let next = tx.next_number(Counter::Payment);
    let share = claim_tranche(tx, &mut agreement, tranche, next)?;
    require!(
        share.net > 0,
        "F16.nothing-payable",
        tranche = format!("{tranche:?}")
    );
    require!(
        share.net == amount,
        "F16.other-amount",
        computed = share.net,
        requested = amount
    );
    let mut payment = Payment {
        number: next,
        fund: agreement.fund,
        agreement: number,
        tranche,
        share,
        amount,
        state: step(&ROWS, "F16", None, S::Requested)?,
        since_ms: tx.now,
        requested: tx.record,
        certified: None,
        approvals: 0,
        approvals_needed: if amount > rules.two_approvers_above {
            2
        } else {
            1
        },
        approved_ms: None,
        deeds: Vec::new(),
        hold_called_by: None,
        instruction: None,
        attempts: 0,
        settlement: None,
        refused: None,
    };
    agreement::put(tx, agreement);
    take_step(tx, &mut payment, duties::Step::Request, &signer)?;
    tx.schedule(
        DeadlineKind::CertifyDue,
        next,
        tx.deadline(Period::Days(rules.certify_days)),
    );
    put(tx, payment);
    Ok(Outcome::Applied)
}

/// Takes a tranche for payment `payment` and fixes its share (N7, N8).
fn claim_tranche(
    tx: &mut Tx,
    agreement: &mut Agreement,
    tranche: Tranche,
    payment: u32,
) -> Result<Share, Refusal> {
    let stands = match tranche {
        Tranche::Advance => agreement.state == AgreementState::InForce,
        Tranche::Milestone(_) => matches!(
            agreement.state,
            AgreementState::InForce | AgreementState::Completed
        ),
        Tranche::Holdback => agreement.state == AgreementState::Completed,
    };
    if tranche == Tranche::Holdback {
        require!(
            stands,
            "F43.not-finally-accepted",
            state = format!("{:?}", agreement.state)
        );
    }
    require!(
        stands,
        "N7.no-agreement-in-force",
        state = format!("{:?}", agreement.state)
    );
    match tranche {
        Tranche::Advance => {
            if let Some(live) = agreement.advance_payment {
                refuse!("N8.tranche-taken", payment = live);
            }
            // After a milestone is requested there is nothing left to pay in advance: its share was
            // computed without one.
            require!(agreement.paid.gross == 0, "F16.advance-too-late");
            agreement.advance_payment = Some(payment);
            agreement.paid.advance = agreement.terms.advance;
            Ok(Share {
                net: agreement.terms.advance,
                ..Share::default()
            })
        }
        Tranche::Milestone(number) => {
            let mut milestone = milestone::get(tx, number)?;
            require!(
                milestone.agreement == agreement.number && !milestone.is_final,
                "F16.other-agreement",
                milestone = number
            );
            require!(
                milestone.state.is_accepted(),
                "N7.milestone-not-accepted",
                state = format!("{:?}", milestone.state)
            );
            if let Some(live) = milestone.payment {
                refuse!("N8.tranche-taken", payment = live);
            }
            let last = others_settled(tx, agreement, number);
            let share = agreement.paid.share(
                &agreement.terms,
                milestone.planned,
                milestone.accepted,
                last,
            );
            agreement.paid.add(&share);
            milestone.payment = Some(payment);
            tx.t.milestones.put(number, milestone);
            Ok(share)
        }
        Tranche::Holdback => {
            if let Some(live) = agreement.holdback_payment {
                refuse!("N8.tranche-taken", payment = live);
            }
            for milestone in milestones_of(tx, agreement) {
                let owes = milestone.state.is_accepted()
                    && milestone.payment.is_none()
                    && !milestone.is_final;
                // One that the advance cleared wholly has no payment of its own.
                let pays = agreement
                    .paid
                    .share(
                        &agreement.terms,
                        milestone.planned,
                        milestone.accepted,
                        false,
                    )
                    .net
                    > 0;
                require!(
                    !(owes && pays),
                    "F16.milestone-not-requested",
                    milestone = milestone.number
                );
            }
            let due = agreement.paid.holdback_due(agreement.accepted);
            agreement.paid.holdback = due;
            agreement.holdback_payment = Some(payment);
            Ok(Share {
                net: due,
                ..Share::default()
            })
        }
    }
}

fn milestones_of(tx: &Tx, agreement: &Agreement) -> Vec<Milestone> {
    agreement
        .milestones()
        .filter_map(|number| tx.t.milestones.get(&number).cloned())
        .collect()
}

/// Whether every milestone but `number` is terminal, and requested if it was accepted: `number` is
/// the last (N15).
fn others_settled(tx: &Tx, agreement: &Agreement, number: u32) -> bool {
    milestones_of(tx, agreement)
        .iter()
        .filter(|other| other.number != number && !other.is_final)
        .all(|other| {
            other.state.is_terminal() && (!other.state.is_accepted() || other.payment.is_some())
        })
}

/// Frees the tranche of a refused payment.
fn release_tranche(tx: &mut Tx, payment: &Payment) -> Result<(), Refusal> {
    let mut agreement = agreement::get(tx, payment.agreement)?;
    match payment.tranche {
        Tranche::Advance => {
            agreement.advance_payment = None;
            agreement.paid.advance = 0;
        }
        Tranche::Milestone(number) => {
            let mut milestone = milestone::get(tx, number)?;
            milestone.payment = None;
            tx.t.milestones.put(number, milestone);
            agreement.paid.take_back(&payment.share);
        }
        Tranche::Holdback => {
            agreement.holdback_payment = None;
            agreement.paid.holdback = 0;
        }
    }
    agreement::put(tx, agreement);
    Ok(())
}

/// N7, N9, N10: what must hold at certification and again at release.
fn require_sound(tx: &Tx, payment: &Payment, agreement: &Agreement) -> Result<(), Refusal> {
    let in_force = matches!(
        agreement.state,
        AgreementState::InForce | AgreementState::Completed
    );
    require!(
        in_force,
        "N7.no-agreement-in-force",
        state = format!("{:?}", agreement.state)
    );
    if agreement.state != AgreementState::Completed {
        let (paid, cap) = (agreement.paid.total(), Paid::cap(&agreement.terms));
        require!(
            payment.tranche != Tranche::Holdback,
            "F43.not-finally-accepted"
        );
        require!(paid <= cap, "N9.above-cap", paid = paid, cap = cap);
    }
    standing::require_fund_open(tx, agreement.fund)?;
    standing::require_standing(tx, agreement)
}

fn certify(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    decision: &Decision,
) -> Result<Outcome, Refusal> {
    let mut payment = get(tx, number)?;
    let signer = must_hold(tx, actor, Role::ProgrammeOfficer, Scope::Fund(payment.fund))?.clone();
    let to = if *decision == Decision::Pass {
        S::Certified
    } else {
        S::Refused
    };
    step(&ROWS, "F17", Some(payment.state), to)?;
    take_step(tx, &mut payment, duties::Step::Certify, &signer)?;
    if let Decision::Refuse { code, .. } = decision {
        return refuse_payment(tx, payment, "F17", code);
    }
    go(tx, &mut payment, "F17", to)?;
    let agreement = agreement::get(tx, payment.agreement)?;
    require_sound(tx, &payment, &agreement)?;
    payment.certified = Some(tx.record);
    let rules = rules(tx, &agreement)?;
    tx.cancel(DeadlineKind::CertifyDue, number);
    tx.schedule(
        DeadlineKind::ApproveDue,
        number,
        tx.deadline(Period::Days(rules.step_days)),
    );
    put(tx, payment);
    Ok(Outcome::Applied)
}

/// Refused: the tranche is free, no clock runs.
fn refuse_payment(
    tx: &mut Tx,
    mut payment: Payment,
    code: &'static str,
    why: &Text<40>,
) -> Result<Outcome, Refusal> {
    go(tx, &mut payment, code, S::Refused)?;
    payment.refused = Some(why.clone());
    release_tranche(tx, &payment)?;
    for kind in [
        DeadlineKind::CertifyDue,
        DeadlineKind::ApproveDue,
        DeadlineKind::PayoutDelay,
        DeadlineKind::ReleaseDue,
    ] {
        tx.cancel(kind, payment.number);
    }
    put(tx, payment);
    Ok(Outcome::Applied)
}

fn approve(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    certified: &Hash,
    amount: u64,
    decision: &Decision,
) -> Result<Outcome, Refusal> {
    let mut payment = get(tx, number)?;
    let signer = must_hold(tx, actor, Role::FinanceApprover, Scope::Fund(payment.fund))?.clone();
    if let Decision::Refuse { code, .. } = decision {
        // An approver may still refuse what they approved: the same step, the other way.
        if !payment.deeds.contains(&Deed {
            step: duties::Step::Approve,
            person: signer.person,
            home: signer.home,
        }) {
            take_step(tx, &mut payment, duties::Step::Approve, &signer)?;
        }
        return refuse_payment(tx, payment, "F18", code);
    }
    let approvals = payment.approvals.saturating_add(1);
    let to = if approvals >= payment.approvals_needed {
        S::Approved
    } else {
        S::Certified
    };
    go(tx, &mut payment, "F18", to)?;
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
    take_step(tx, &mut payment, duties::Step::Approve, &signer)?;
    payment.approvals = approvals;
    let agreement = agreement::get(tx, payment.agreement)?;
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
    put(tx, payment);
    Ok(Outcome::Applied)
}

fn hold(tx: &mut Tx, actor: &Actor, number: u32) -> Result<Outcome, Refusal> {
    let mut payment = get(tx, number)?;
    let agreement = agreement::get(tx, payment.agreement)?;
    require!(
        actor.organisation.kind == OrganisationKind::Company,
        "F19.not-a-seat-holder",
        organisation = actor.number()
    );
    actor.must_sign(Role::Primary)?;
    require!(
        standing::holds_seat(tx.t, tx.now, actor.number()),
        "F19.not-a-seat-holder",
        organisation = actor.number()
    );
    require!(
        !groups::related(tx.t, actor.number(), agreement.grantee),
        "N13.related-to-grantee",
        organisation = actor.number()
    );
    step(&ROWS, "F19", Some(payment.state), S::Held)?;
    require!(
        tx.due(DeadlineKind::PayoutDelay, number).is_some(),
        "F19.delay-over",
        payment = number
    );
    let to = if payment.hold_called_by.is_some() {
        S::Held
    } else {
        S::Approved
    };
    go(tx, &mut payment, "F19", to)?;
    match payment.hold_called_by.take() {
        None => payment.hold_called_by = Some(actor.number()),
        Some(first) => {
            require!(
                !groups::related(tx.t, first, actor.number()),
                "F19.same-group",
                first = first,
                second = actor.number()
            );
            let days = rules(tx, &agreement)?.hold_days;
            tx.schedule(DeadlineKind::HoldEnd, number, tx.delay(Period::Days(days)));
            tx.cancel(DeadlineKind::ReleaseDue, number);
        }
    }
    put(tx, payment);
    Ok(Outcome::Applied)
}

/// F19: whether there is a hold to lift.
pub fn check_lift(tx: &Tx, number: u32) -> Result<(), Refusal> {
    let state = get(tx, number)?.state;
    require!(
        state == S::Held,
        "F19.not-held",
        payment = number,
        state = format!("{state:?}")
    );
    Ok(())
}

/// The organisation with an interest in a hold: the grantee.
pub fn interested(tx: &Tx, number: u32) -> Vec<u32> {
    let agreement =
        tx.t.payments
            .get(&number)
            .and_then(|payment| tx.t.agreements.get(&payment.agreement));
    agreement
        .map(|agreement| agreement.grantee)
        .into_iter()
        .collect()
}

/// F19: the board's motion lifts a hold.
pub fn lift_hold(tx: &mut Tx, number: u32) -> Result<(), Refusal> {
    check_lift(tx, number)?;
    let mut payment = get(tx, number)?;
    go(tx, &mut payment, "F19", S::Approved)?;
    tx.cancel(DeadlineKind::HoldEnd, number);
    open_release(tx, &payment)?;
    put(tx, payment);
    Ok(())
}

/// Starts the limit for the release, if the delay is over.
fn open_release(tx: &mut Tx, payment: &Payment) -> Result<(), Refusal> {
    if tx.due(DeadlineKind::PayoutDelay, payment.number).is_none() {
        let days = rules(tx, &agreement::get(tx, payment.agreement)?)?.step_days;
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
    number: u32,
    instruction: &Instruction,
) -> Result<Outcome, Refusal> {
    let mut payment = get(tx, number)?;
    let signer = must_hold(tx, actor, Role::Treasurer, Scope::Fund(payment.fund))?.clone();
    require!(payment.state != S::Held, "F19.held", payment = number);
    go(tx, &mut payment, "F20", S::Released)?;
    let agreement = agreement::get(tx, payment.agreement)?;
    if let Some(until) = tx.due(DeadlineKind::PayoutDelay, number) {
        refuse!("F20.delay-runs", until = until);
    }
    take_step(tx, &mut payment, duties::Step::Release, &signer)?;
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
    claim_id(tx, "end-to-end", instruction.end_to_end.as_str(), number)?;
    claim_id(tx, "uetr", instruction.uetr.as_str(), number)?;
    payment.instruction = Some(instruction.clone());
    payment.attempts = payment.attempts.saturating_add(1);
    let movement = Movement::PaymentReleased {
        agreement: payment.agreement,
        payment: number,
        amount: payment.amount,
    };
    post(tx, payment.fund, &movement)?;
    tx.cancel(DeadlineKind::ReleaseDue, number);
    let days = rules(tx, &agreement)?.step_days;
    tx.schedule(
        DeadlineKind::ConfirmDue,
        number,
        tx.deadline(Period::Days(days)),
    );
    put(tx, payment);
    Ok(Outcome::Applied)
}

/// Uses an identifier of an instruction, once in the whole ledger (N8).
fn claim_id(tx: &mut Tx, kind: &str, id: &str, payment: u32) -> Result<(), Refusal> {
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
    tx.t.instruction_ids.put(key, payment);
    Ok(())
}

/// What settlement and return have in common.
fn confirm(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    reference: &BankReference,
    amount: u64,
    to: PaymentState,
) -> Result<(Payment, Agreement), Refusal> {
    let mut payment = get(tx, number)?;
    let signer = must_hold(tx, actor, Role::SecondOfficer, Scope::Fund(payment.fund))?.clone();
    go(tx, &mut payment, "F21", to)?;
    take_step(tx, &mut payment, duties::Step::Confirm, &signer)?;
    require!(
        amount == payment.amount,
        "F21.other-amount",
        amount = payment.amount
    );
    claim_reference(tx, reference)?;
    tx.cancel(DeadlineKind::ConfirmDue, number);
    let agreement = agreement::get(tx, payment.agreement)?;
    Ok((payment, agreement))
}

fn settle(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    reference: &BankReference,
    amount: u64,
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
    put(tx, payment);
    Ok(Outcome::Applied)
}

fn returned(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    reference: &BankReference,
    amount: u64,
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
    put(tx, payment);
    Ok(Outcome::Applied)
}

/// F22. With an amount it is an acknowledgement, without one a dispute.
fn acknowledge(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    amount: Option<u64>,
) -> Result<Outcome, Refusal> {
    let mut payment = get(tx, number)?;
    let agreement = agreement::get(tx, payment.agreement)?;
    require!(
        actor.number() == agreement.grantee,
        "F22.not-the-grantee",
        grantee = agreement.grantee
    );
    let signer = actor.must_sign(Role::Finance)?.clone();
    go(
        tx,
        &mut payment,
        "F22",
        if amount.is_some() {
            S::Acknowledged
        } else {
            S::Disputed
        },
    )?;
    take_step(tx, &mut payment, duties::Step::Acknowledge, &signer)?;
    if let Some(amount) = amount {
        require!(
            amount == payment.amount,
            "F22.other-amount",
            amount = payment.amount
        );
    }
    tx.cancel(DeadlineKind::AcknowledgeEnd, number);
    put(tx, payment);
    Ok(Outcome::Applied)
}

/// Acts out a deadline of a payment.
pub(super) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: u32,
    due: u64,
) -> Result<(), Refusal> {
    let mut payment = get(tx, number)?;
    let agreement = agreement::get(tx, payment.agreement)?;
    match kind {
        DeadlineKind::CertifyDue => overdue(tx, kind, &payment, &agreement, Awaited::Certify, due),
        DeadlineKind::ApproveDue => overdue(tx, kind, &payment, &agreement, Awaited::Approve, due),
        DeadlineKind::ReleaseDue => overdue(tx, kind, &payment, &agreement, Awaited::Release, due),
        DeadlineKind::ConfirmDue => overdue(tx, kind, &payment, &agreement, Awaited::Confirm, due),
        DeadlineKind::PayoutDelay => {
            tx.emit(
                due,
                EventBody::PayoutDelayOver {
                    payment: number,
                    held: payment.state == S::Held,
                },
            );
            // A single voice for a hold is void with the delay.
            payment.hold_called_by = None;
            if payment.state == S::Approved {
                open_release(tx, &payment)?;
            }
            put(tx, payment);
            Ok(())
        }
        DeadlineKind::HoldEnd => {
            go(tx, &mut payment, "R13", S::Approved)?;
            tx.emit(due, EventBody::HoldEnded { payment: number });
            open_release(tx, &payment)?;
            put(tx, payment);
            Ok(())
        }
        DeadlineKind::AcknowledgeEnd => {
            go(tx, &mut payment, "F22", S::Unacknowledged)?;
            tx.emit(
                due,
                EventBody::Unacknowledged {
                    payment: number,
                    amount: payment.amount,
                },
            );
            put(tx, payment);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// R13: the step is shown as overdue, once. R5: while the grantee is in arrears the clock starts
/// anew instead.
fn overdue(
    tx: &mut Tx,
    kind: DeadlineKind,
    payment: &Payment,
    agreement: &Agreement,
    awaited: Awaited,
    due: u64,
) -> Result<(), Refusal> {
    if standing::require_no_arrears(tx, agreement).is_err() {
        let days = rules(tx, agreement)?.step_days;
        tx.schedule(kind, payment.number, tx.deadline(Period::Days(days)));
        return Ok(());
    }
    step(&ROWS, "R13", Some(payment.state), payment.state)?;
    tx.emit(
        due,
        EventBody::StepOverdue {
            payment: payment.number,
            awaited,
        },
    );
    Ok(())
}
