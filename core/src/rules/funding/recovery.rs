//! Recovery of paid money (F26, F27, F44, F45; RULINGS R36, R42).
//!
//! * The programme officer proposes a recovery and notifies the grantee, who observes in `observation_days`;
//!   then the board orders it by motion: at most what was proposed, at most what is paid and not asked back
//!   (N21), in instalments. What is neither ordered nor dropped in `measure_days` lapses, unless the board is
//!   asked then: its motion runs to its end. That one motion failed ends nothing.
//! * Who pays before the order is booked too, up to what was proposed, and the order is not below it.
//! * The treasurer records money that came back, a second officer confirms it with its bank reference, used once:
//!   D -> A. An instalment that has not come in full on its day is told by the clock.
//! * A finance approver sets a debt off against an approved payment of another agreement of the grantee, and the
//!   treasurer agrees: exactly two transfers, K -> A and D -> D, and no cash moves. What is left of the payment
//!   is paid by the bank.
//! * The board writes off what never comes, while no receipt waits for its second officer: D -> L. Nothing of
//!   it is a payment: no tranche is free again.
//!
//! Absent: interest; debarment after a recovery for misconduct (R44).

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::account::{AccountKind, Amount, Movement};
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{FundId, Id, MotionId, PersonId, RecoveryId};
use crate::identity::{Role, Scope};
use crate::object::Machine;
use crate::object::agreement::{Agreement, AgreementState};
use crate::object::fund::Fund;
use crate::object::matter::Matter;
use crate::object::motion::Motion;
use crate::object::recovery::{GrantRecoveryStatus as S, Recovery, RecoveryReceipt};
use crate::record::{
    AwardAct, MotionEffect, OrderRecovery, RecoveryClaim, RecoveryEntry, WriteOffRecovery,
};
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::bank::{check_reference, claim_reference, held, post};
use crate::rules::effect::{Effect, motions_of, scope_of};
use crate::rules::funding::{award, duties};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

mod set_off;

use set_off::{agree_set_off, set_off};

/// Working days after which it is looked again whether the board is still asked.
const ASKED_AGAIN_WORKING_DAYS: u32 = 5;

/// Applies an act on a recovery.
pub(super) fn apply(tx: &mut Tx, actor: &Actor, act: &AwardAct) -> Result<(), Refusal> {
    match act {
        AwardAct::ProposeRecovery(claim) => propose(tx, actor, claim),
        AwardAct::NotifyRecovery {
            recovery,
            letter,
            dispatch,
        } => notify(tx, actor, *recovery, (*letter, *dispatch)),
        AwardAct::ObserveRecovery {
            recovery,
            observations,
        } => observe(tx, actor, *recovery, observations),
        AwardAct::DropRecovery { recovery, .. } => drop_by_officer(tx, actor, *recovery),
        AwardAct::ReceiveRecovery(entry) => receive(tx, actor, entry),
        AwardAct::ConfirmRecovery { receipt } => confirm(tx, actor, receipt),
        AwardAct::SetOff(entry) => set_off(tx, actor, entry),
        AwardAct::AgreeSetOff { entry } => agree_set_off(tx, actor, entry),
        _ => refuse!("A4.no-such-transition"),
    }
}

/// N21: what is paid under an agreement and not asked back by an order.
fn recoverable(tx: &Tx, agreement: &Agreement) -> Amount {
    let number = agreement.number;
    let of = (number, Id::MIN)..=(number, Id::MAX);
    let orders =
        tx.t.recoveries_of
            .range(of)
            .filter_map(|((_, recovery), _)| {
                let recovery = tx.t.recoveries.get(recovery)?;
                recovery.status.is_owed().then(|| recovery.rest())
            });
    let asked = orders.fold(Amount::ZERO, Amount::saturating_add);
    held(tx, agreement.fund, AccountKind::Paid(number)).saturating_sub(asked)
}

fn require_recoverable(tx: &Tx, agreement: &Agreement, amount: Amount) -> Result<(), Refusal> {
    let most = recoverable(tx, agreement);
    require!(
        amount <= most,
        "N21.above-disbursed",
        amount = amount,
        left = most
    );
    Ok(())
}

fn propose(tx: &mut Tx, actor: &Actor, claim: &RecoveryClaim) -> Result<(), Refusal> {
    let agreement = tx.get::<Agreement>(claim.agreement)?;
    let scope = Scope::Fund(agreement.fund);
    let proposed_by = must_hold(tx, actor, Role::ProgrammeOfficer, scope)?.person;
    require_unrelated(tx, actor, agreement.grantee)?;
    let stands = match agreement.state {
        AgreementState::InForce
        | AgreementState::Suspended
        | AgreementState::Completed
        | AgreementState::Terminated => true,
        AgreementState::Drafted
        | AgreementState::SignedByGrantee
        | AgreementState::Replaced
        | AgreementState::Closed => false,
    };
    require!(
        stands,
        "F44.no-agreement-in-force",
        agreement = agreement.number,
        state = agreement.state
    );
    require_recoverable(tx, &agreement, claim.amount)?;
    let number = tx.next_id::<RecoveryId>();
    let recovery = Recovery {
        number,
        fund: agreement.fund,
        call: agreement.call,
        grantee: agreement.grantee,
        claim: claim.clone(),
        record: tx.record,
        proposed_by,
        notified: None,
        observations: None,
        instalments: Vec::new(),
        ordered: Amount::ZERO,
        received: Amount::ZERO,
        set_off: Amount::ZERO,
        written_off: Amount::ZERO,
        handled_by: Vec::new(),
        waiting: Vec::new(),
        status: tx.begin::<Recovery>(number, "F44", S::Proposed)?,
        since_ms: tx.now,
    };
    let days = tx
        .charter_of(agreement.terms.charter)?
        .funding
        .observation_days;
    let lapse = tx.deadline(Period::Days(days));
    tx.schedule(DeadlineKind::GrantRecoveryLapse, number, lapse);
    tx.t.recoveries_of().put((agreement.number, number), 0);
    tx.put(recovery);
    Ok(())
}

/// The recovery, as the programme officer of its fund may lead it on.
fn led_by_officer(tx: &Tx, actor: &Actor, number: RecoveryId) -> Result<Recovery, Refusal> {
    let recovery = tx.get::<Recovery>(number)?;
    must_hold(
        tx,
        actor,
        Role::ProgrammeOfficer,
        Scope::Fund(recovery.fund),
    )?;
    require_unrelated(tx, actor, recovery.grantee)?;
    Ok(recovery)
}

fn notify(
    tx: &mut Tx,
    actor: &Actor,
    number: RecoveryId,
    papers: (Hash, Hash),
) -> Result<(), Refusal> {
    let mut recovery = led_by_officer(tx, actor, number)?;
    recovery.may("F44", S::Notified)?;
    require!(
        recovery.status == S::Proposed,
        "F44.notified-before",
        recovery = number,
        status = recovery.status
    );
    let charter = tx.get::<Agreement>(recovery.agreement())?.terms.charter;
    let funding = tx.charter_of(charter)?.funding;
    for (kind, days) in [
        (DeadlineKind::GrantRecoveryHeard, funding.observation_days),
        (DeadlineKind::GrantRecoveryLapse, funding.measure_days),
    ] {
        let due = tx.deadline(Period::Days(days));
        tx.schedule(kind, number, due);
    }
    recovery.notified = Some(papers);
    tx.advance(recovery, "F44", S::Notified)
}

fn observe(
    tx: &mut Tx,
    actor: &Actor,
    number: RecoveryId,
    observations: &Hash,
) -> Result<(), Refusal> {
    let mut recovery = tx.get::<Recovery>(number)?;
    require!(
        actor.number() == recovery.grantee,
        "F44.not-the-grantee",
        grantee = recovery.grantee
    );
    actor.must_sign(Role::Primary)?;
    require!(
        recovery.status == S::Notified,
        "F44.observations-over",
        recovery = number,
        status = recovery.status
    );
    recovery.observations = Some(*observations);
    tx.stay(&recovery, "F44")?;
    tx.put(recovery);
    Ok(())
}

fn drop_by_officer(tx: &mut Tx, actor: &Actor, number: RecoveryId) -> Result<(), Refusal> {
    let recovery = led_by_officer(tx, actor, number)?;
    require!(
        !is_asked(tx, &recovery)?,
        "F26.board-asked",
        recovery = number
    );
    drop_recovery(tx, recovery, "F44")
}

/// Whether a motion to order it is before the board, or passed and not in effect yet.
fn is_asked(tx: &Tx, recovery: &Recovery) -> Result<bool, Refusal> {
    let application = tx.get::<Agreement>(recovery.agreement())?.application;
    let asks = |motion: &Motion| match &motion.effect {
        MotionEffect::OrderRecovery(plan) => plan.recovery == recovery.number,
        _ => false,
    };
    let motions = motions_of(tx, Matter::Application(application));
    let mut open = motions.iter().filter(|motion| !motion.status.is_final());
    Ok(open.any(asks))
}

/// It came to nothing.
fn drop_recovery(tx: &mut Tx, recovery: Recovery, code: &'static str) -> Result<(), Refusal> {
    tx.cancel(DeadlineKind::GrantRecoveryHeard, recovery.number);
    tx.cancel(DeadlineKind::GrantRecoveryLapse, recovery.number);
    tx.advance(recovery, code, S::Dropped)
}

/// Acts out a deadline of a recovery.
pub(super) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: RecoveryId,
    due: Due,
) -> Result<(), Refusal> {
    let recovery = tx.get::<Recovery>(number)?;
    let agreement = recovery.agreement();
    let status = match kind {
        DeadlineKind::GrantRecoveryDue => return on_due(tx, &recovery, due),
        DeadlineKind::GrantRecoveryHeard => {
            tx.advance(recovery, "F44", S::Heard)?;
            S::Heard
        }
        // What the board is asked it decides, however long its ballot, its stay or a second try take.
        _ if is_asked(tx, &recovery)? => {
            let later = tx.deadline(Period::WorkingDays(ASKED_AGAIN_WORKING_DAYS));
            tx.schedule(DeadlineKind::GrantRecoveryLapse, number, later);
            return Ok(());
        }
        _ => {
            drop_recovery(tx, recovery, "R36")?;
            S::Dropped
        }
    };
    tx.emit(
        due,
        EventBody::GrantRecoveryMoved {
            recovery: number,
            agreement,
            status,
        },
    );
    Ok(())
}

/// F26: an instalment was due. What is overdue is told, and the next day is watched.
fn on_due(tx: &mut Tx, recovery: &Recovery, due: Due) -> Result<(), Refusal> {
    let today = tx.calendar().day_of(tx.now);
    let amount = recovery.overdue(today);
    if amount > Amount::ZERO {
        tx.emit(
            due,
            EventBody::GrantRecoveryLate {
                recovery: recovery.number,
                grantee: recovery.grantee,
                amount,
            },
        );
    }
    let mut later = recovery.instalments.iter();
    if let Some(next) = later.find(|part| part.due_day >= today) {
        let end = tx.calendar().end_of_day(next.due_day);
        tx.schedule(DeadlineKind::GrantRecoveryDue, recovery.number, end);
    }
    Ok(())
}

/// Watches the first instalment that has not come; none is watched once all is there.
fn watch(tx: &mut Tx, recovery: &Recovery) {
    let today = tx.calendar().day_of(tx.now);
    let next = recovery.next_due().filter(|day| *day >= today);
    match next {
        Some(day) => {
            let end = tx.calendar().end_of_day(day);
            tx.schedule(DeadlineKind::GrantRecoveryDue, recovery.number, end);
        }
        None if !recovery.status.is_owed() => {
            tx.cancel(DeadlineKind::GrantRecoveryDue, recovery.number);
        }
        None => {}
    }
}

/// Where a recovery stands after so much more has come.
fn after(recovery: &Recovery, amount: Amount) -> S {
    if matches!(recovery.status, S::Notified | S::Heard) {
        recovery.status
    } else if amount >= recovery.rest() {
        S::Recovered
    } else {
        S::PartlyRecovered
    }
}

/// Refuses an amount above what is open of what was ordered.
fn require_open(recovery: &Recovery, amount: Amount) -> Result<(), Refusal> {
    require!(
        recovery.status.is_owed(),
        "F26.not-ordered",
        recovery = recovery.number,
        status = recovery.status
    );
    require!(
        amount <= recovery.rest(),
        "F26.above-open",
        amount = amount,
        open = recovery.rest()
    );
    Ok(())
}

/// Refuses an amount above what may come back: of what is ordered, and before that of what is asked. Who pays
/// before the order pays all the same.
fn require_receivable(recovery: &Recovery, amount: Amount) -> Result<(), Refusal> {
    if !matches!(recovery.status, S::Notified | S::Heard) {
        return require_open(recovery, amount);
    }
    require!(
        amount <= recovery.receivable(),
        "F26.above-open",
        amount = amount,
        open = recovery.receivable()
    );
    Ok(())
}

/// F26, first record: the treasurer.
fn receive(tx: &mut Tx, actor: &Actor, entry: &RecoveryEntry) -> Result<(), Refusal> {
    let mut recovery = tx.get::<Recovery>(entry.recovery)?;
    let scope = Scope::Fund(recovery.fund);
    let recorded_by = must_hold(tx, actor, Role::Treasurer, scope)?.person;
    require_unrelated(tx, actor, recovery.grantee)?;
    require_receivable(&recovery, entry.amount)?;
    check_reference(tx, &account_of(tx, recovery.fund)?, &entry.reference)?;
    let today = tx.calendar().day_of(tx.now);
    require!(
        entry.value_day <= today,
        "F26.value-day-ahead",
        value_day = entry.value_day,
        today = today
    );
    let receipt = RecoveryReceipt {
        entry: entry.clone(),
        recorded_by,
        confirmed_by: None,
    };
    let record = tx.record;
    tx.t.recovery_receipts().put(record, receipt);
    let charter = tx.get::<Agreement>(recovery.agreement())?.terms.charter;
    let days = tx.charter_of(charter)?.funding.step_days;
    let (now, until) = (tx.now, tx.deadline(Period::Days(days)));
    recovery.handled(recorded_by);
    recovery.waiting.retain(|(_, until)| *until > now);
    recovery.waiting.push((record, until));
    tx.put(recovery);
    Ok(())
}

/// The bank account of a fund.
fn account_of(tx: &Tx, fund: FundId) -> Result<Hash, Refusal> {
    Ok(tx.get::<Fund>(fund)?.bank_account)
}

/// Whether the charter of an agreement asks for distinct groups among the fund's officers.
fn distinct_groups(tx: &Tx, recovery: &Recovery) -> Result<bool, Refusal> {
    let charter = tx.get::<Agreement>(recovery.agreement())?.terms.charter;
    Ok(tx.charter_of(charter)?.funding.chain_distinct_groups)
}

/// F26, second record: another officer. Posts D -> A.
fn confirm(tx: &mut Tx, actor: &Actor, record: &Hash) -> Result<(), Refusal> {
    let Some(mut receipt) = tx.t.recovery_receipts.get(record).cloned() else {
        refuse!("F26.unknown-receipt", record = record.short())
    };
    let mut recovery = tx.get::<Recovery>(receipt.entry.recovery)?;
    let scope = Scope::Fund(recovery.fund);
    let person = must_hold(tx, actor, Role::SecondOfficer, scope)?.person;
    require_unrelated(tx, actor, recovery.grantee)?;
    require!(
        receipt.confirmed_by.is_none(),
        "F26.already-confirmed",
        record = record.short()
    );
    let distinct = distinct_groups(tx, &recovery)?;
    duties::require_second(&tx.t, receipt.recorded_by, person, distinct)?;
    let amount = receipt.entry.amount;
    require_receivable(&recovery, amount)?;
    let account = account_of(tx, recovery.fund)?;
    claim_reference(tx, &account, &receipt.entry.reference)?;
    let movement = Movement::Recovered {
        call: recovery.call,
        agreement: recovery.agreement(),
        amount,
    };
    post(tx, recovery.fund, &movement)?;
    let to = after(&recovery, amount);
    tx.go(&mut recovery, "F26", to)?;
    recovery.received = recovery.received.saturating_add(amount);
    recovery.handled(person);
    recovery.waiting.retain(|(waits, _)| waits != record);
    count(tx, &recovery, amount)?;
    watch(tx, &recovery);
    tx.put(recovery);
    receipt.confirmed_by = Some(person);
    tx.t.recovery_receipts().put(*record, receipt);
    Ok(())
}

/// N6: so much of what the agreement paid has come back.
fn count(tx: &mut Tx, recovery: &Recovery, amount: Amount) -> Result<(), Refusal> {
    let mut agreement = tx.get::<Agreement>(recovery.agreement())?;
    agreement.recovered = agreement.recovered.saturating_add(amount);
    tx.put(agreement);
    Ok(())
}

/// The guards of an order, at proposal and at effect.
fn check_order(tx: &Tx, plan: &OrderRecovery) -> Result<Amount, Refusal> {
    let recovery = tx.get::<Recovery>(plan.recovery)?;
    require!(
        recovery.status == S::Heard,
        "F26.not-heard",
        recovery = plan.recovery,
        status = recovery.status
    );
    let amount = plan.amount().unwrap_or(Amount::MAX);
    require!(
        amount <= recovery.claim.amount,
        "F26.above-proposed",
        amount = amount,
        requested = recovery.claim.amount
    );
    require!(
        amount >= recovery.received,
        "F26.below-received",
        amount = amount,
        paid = recovery.received
    );
    let open = amount.saturating_sub(recovery.received);
    require_recoverable(tx, &tx.get::<Agreement>(recovery.agreement())?, open)?;
    Ok(amount)
}

/// F26: the board orders.
fn order(tx: &mut Tx, plan: &OrderRecovery) -> Result<(), Refusal> {
    let ordered = check_order(tx, plan)?;
    let mut recovery = tx.get::<Recovery>(plan.recovery)?;
    tx.cancel(DeadlineKind::GrantRecoveryLapse, plan.recovery);
    let to = if recovery.received == Amount::ZERO {
        S::Ordered
    } else if recovery.received >= ordered {
        S::Recovered
    } else {
        S::PartlyRecovered
    };
    tx.go(&mut recovery, "F26", to)?;
    recovery.ordered = ordered;
    recovery.instalments = plan.instalments.clone();
    watch(tx, &recovery);
    // A day that passed while the board decided is told at once.
    let watched = tx.due(DeadlineKind::GrantRecoveryDue, plan.recovery);
    if watched.is_none() && to != S::Recovered {
        let now = tx.now;
        tx.schedule(DeadlineKind::GrantRecoveryDue, plan.recovery, now);
    }
    tx.put(recovery);
    Ok(())
}

/// The guards of F27, at proposal and at effect.
fn check_write_off(tx: &Tx, plan: &WriteOffRecovery) -> Result<Recovery, Refusal> {
    let recovery = tx.get::<Recovery>(plan.recovery)?;
    recovery.may("F27", S::WrittenOff)?;
    // What came back is not given up; a receipt that nobody confirms in time is none.
    let mut waiting = recovery.waiting.iter();
    if let Some((record, until)) = waiting.find(|(_, until)| *until > tx.now) {
        refuse!("F27.receipt-waits", record = record.short(), until = until);
    }
    Ok(recovery)
}

/// F27: the board gives up what is open. Posts D -> L.
fn write_off(tx: &mut Tx, plan: &WriteOffRecovery) -> Result<(), Refusal> {
    let mut recovery = check_write_off(tx, plan)?;
    let rest = recovery.rest();
    let movement = Movement::WrittenOff {
        agreement: recovery.agreement(),
        amount: rest,
    };
    post(tx, recovery.fund, &movement)?;
    tx.go(&mut recovery, "F27", S::WrittenOff)?;
    recovery.written_off = rest;
    tx.cancel(DeadlineKind::GrantRecoveryDue, recovery.number);
    let mut agreement = tx.get::<Agreement>(recovery.agreement())?;
    agreement.written_off = agreement.written_off.saturating_add(rest);
    tx.put(agreement);
    tx.put(recovery);
    Ok(())
}

/// The application from which a recovery grew.
fn matter_of(tx: &Tx, number: RecoveryId, motion: MotionId) -> Matter {
    let recovery = tx.t.recoveries.get(&number);
    recovery
        .and_then(|recovery| tx.t.agreements.get(&recovery.agreement()))
        .map_or(Matter::Motion(motion), |agreement| {
            Matter::Application(agreement.application)
        })
}

/// Who acted in the matter does not vote on it, and neither does who proposed the recovery or handled its money.
fn check_voters(tx: &Tx, number: RecoveryId, persons: &[PersonId]) -> Result<(), Refusal> {
    let recovery = tx.get::<Recovery>(number)?;
    let application = tx.get::<Agreement>(recovery.agreement())?.application;
    award::check_voters(tx, application, persons)?;
    let own = |person: &&PersonId| {
        **person == recovery.proposed_by || recovery.handled_by.contains(*person)
    };
    if let Some(person) = persons.iter().find(own) {
        refuse!("N12.same-person", person = person);
    }
    Ok(())
}

/// The grantee.
fn interested(tx: &Tx, number: RecoveryId) -> Vec<OrganisationId> {
    let recovery = tx.t.recoveries.get(&number);
    recovery
        .map(|recovery| recovery.grantee)
        .into_iter()
        .collect()
}

impl Effect for OrderRecovery {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        matter_of(tx, self.recovery, motion)
    }

    fn scope(&self, tx: &Tx) -> Scope {
        scope_of(tx.t.recoveries.get(&self.recovery).map(|entry| entry.fund))
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self.recovery)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_order(tx, self).map(|_| ())
    }

    fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
        check_voters(tx, self.recovery, persons)
    }

    // That a motion failed ends nothing: whoever proposes one that asks too much would end the recovery. The
    // board is asked again, or it lapses.
    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        order(tx, self)
    }
}

impl Effect for WriteOffRecovery {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        matter_of(tx, self.recovery, motion)
    }

    fn scope(&self, tx: &Tx) -> Scope {
        scope_of(tx.t.recoveries.get(&self.recovery).map(|entry| entry.fund))
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self.recovery)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_write_off(tx, self).map(|_| ())
    }

    fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
        check_voters(tx, self.recovery, persons)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        write_off(tx, self)
    }
}
