//! Contributions: pledges, instalments, receipts (F02 to F04, F34, F35; RULINGS R4).
//!
//! * A pledge is signed by primary and finance of a live member, in instalments with their own due
//!   days; it funds nothing (N18). At every moment pledged = uncalled + called_open + received +
//!   cancelled + defaulted + written_off.
//! * The treasurer calls an instalment. What is not paid at the end of due day plus grace is
//!   defaulted by the clock; a late receipt is still one, and a board motion may write the rest
//!   off.
//! * A receipt is recorded by the treasurer and confirmed by another officer; the confirmation
//!   posts it and uses the bank reference. An amount above what is open on the instalment is
//!   refused: the excess is a new pledge.
//! * A receipt that is entered before the default is due and confirmed later delays the default of
//!   its amount by the days of a confirmation, once an instalment (RULINGS R35).
//! * Instalments that are not called are cancelled by two chained records: member, then treasurer.
//! * A receipt that is never confirmed has no effect and blocks nothing: the reference is used by
//!   the confirmation.
//!
//! Absent: arrears rules started by a default (F04 "if the charter says so"; no charter of this
//! build does).

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::account::{Amount, Movement, Pledge, PledgeMove, Pot};
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{ContributionId, FundId, InstalmentId, MotionId};
use crate::identity::{Role, Scope};
use crate::lookup::rights;
use crate::object::contribution::{
    Cancellation, Contribution, Instalment, InstalmentStatus, InstalmentStatus as I, Receipt,
};
use crate::object::fund::Fund;
use crate::object::matter::Matter;
use crate::record::{FundAct, PledgeEntry, ReceiptEntry, WriteOffInstalment};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::bank::{check_reference, claim_reference, post};
use crate::rules::effect::{Effect, scope_of};
use crate::rules::funding::{duties, fund};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::word::Fact as _;
use crate::{refuse, require};

fn instalment(tx: &Tx, number: InstalmentId) -> Result<(Instalment, Contribution), Refusal> {
    let found = tx.get::<Instalment>(number)?;
    Ok((found, tx.get::<Contribution>(found.contribution)?))
}

/// Moves the memo ledger of a contribution.
fn memo(
    tx: &mut Tx,
    contribution: &mut Contribution,
    what: PledgeMove,
    amount: Amount,
) -> Result<(), Refusal> {
    contribution.pledge = contribution
        .pledge
        .moved(what, amount)
        .map_err(|error| Refusal::new("R4.pledge", vec![("why", error.fact())]))?;
    tx.put(contribution.clone());
    Ok(())
}

/// Applies an act on contributions.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &FundAct) -> Result<Outcome, Refusal> {
    match act {
        FundAct::Accept { fund } => return fund::accept(tx, actor, *fund),
        FundAct::Pledge(entry) => pledge(tx, actor, entry)?,
        FundAct::CallInstalment { instalment } => call_instalment(tx, actor, *instalment)?,
        FundAct::ProposeCancel {
            contribution,
            instalments,
        } => propose_cancel(tx, actor, *contribution, instalments)?,
        FundAct::AgreeCancel { proposal } => agree_cancel(tx, actor, proposal)?,
        FundAct::RecordReceipt(entry) => record_receipt(tx, actor, entry)?,
        FundAct::ConfirmReceipt { receipt } => confirm_receipt(tx, actor, receipt)?,
    }
    Ok(Outcome::Applied)
}

/// F02.
fn pledge(tx: &mut Tx, actor: &Actor, entry: &PledgeEntry) -> Result<(), Refusal> {
    actor.must_sign(Role::Primary)?;
    actor.must_sign(Role::Finance)?;
    let member = actor.number();
    require!(
        rights::is_live(&tx.t, member),
        "F02.member-not-live",
        organisation = member
    );
    fund::open(tx, entry.fund)?;
    if let Pot::Direction(direction) = entry.pot {
        require!(
            tx.t.directions.contains(&direction),
            "F02.unknown-direction",
            direction = direction
        );
    }
    let today = tx.calendar().day_of(tx.now);
    for instalment in &entry.instalments {
        require!(
            instalment.due_day >= today,
            "F02.due-day-past",
            due = instalment.due_day,
            today = today
        );
    }
    let Some(Ok(pledge)) = entry.amount().map(Pledge::new) else {
        refuse!("F02.amount")
    };
    let number = tx.next_id::<ContributionId>();
    let mut numbers = Vec::with_capacity(entry.instalments.len());
    for planned in &entry.instalments {
        let of_instalment = tx.next_id::<InstalmentId>();
        let instalment = Instalment {
            number: of_instalment,
            contribution: number,
            due_day: planned.due_day,
            amount: planned.amount,
            received: Amount::ZERO,
            delayed: Amount::ZERO,
            was_delayed: false,
            status: tx.begin::<Instalment>(of_instalment, "F02", I::Pledged)?,
            since_ms: tx.now,
        };
        tx.put(instalment);
        numbers.push(of_instalment);
    }
    let contribution = Contribution {
        number,
        fund: entry.fund,
        member,
        pot: entry.pot,
        pledge,
        instalments: numbers,
        record: tx.record,
        signed_ms: tx.now,
        charter: tx.facts().charter,
    };
    tx.put(contribution);
    Ok(())
}

/// F34: the treasurer calls an instalment. It is due at the end of its day, today at the earliest;
/// default follows the grace.
fn call_instalment(tx: &mut Tx, actor: &Actor, number: InstalmentId) -> Result<(), Refusal> {
    let (entry, mut contribution) = instalment(tx, number)?;
    must_hold(tx, actor, Role::Treasurer, Scope::Fund(contribution.fund))?;
    fund::open(tx, contribution.fund)?;
    tx.advance(entry, "F34", I::Called)?;
    memo(tx, &mut contribution, PledgeMove::Call, entry.amount)?;
    let grace = tx
        .charter_of(contribution.charter)?
        .funding
        .pledge_grace_days;
    let calendar = tx.calendar();
    let due = calendar
        .end_of_day(entry.due_day)
        .max(calendar.end_of_day(calendar.day_of(tx.now)));
    tx.schedule(
        DeadlineKind::InstalmentDefault,
        number,
        calendar.deadline(due, Period::Days(grace)),
    );
    Ok(())
}

/// F34, first record: the member proposes to cancel.
fn propose_cancel(
    tx: &mut Tx,
    actor: &Actor,
    number: ContributionId,
    instalments: &[InstalmentId],
) -> Result<(), Refusal> {
    actor.must_sign(Role::Primary)?;
    actor.must_sign(Role::Finance)?;
    let contribution = tx.get::<Contribution>(number)?;
    require!(
        contribution.member == actor.number(),
        "F34.not-the-member",
        organisation = actor.number()
    );
    for instalment in instalments {
        require!(
            contribution.instalments.contains(instalment),
            "F34.not-of-this-contribution",
            instalment = instalment
        );
        let status = crate::rules::funding::contribution::instalment(tx, *instalment)?
            .0
            .status;
        require!(
            status == I::Pledged,
            "F34.already-called",
            instalment = instalment,
            status = status
        );
    }
    let entry = Cancellation {
        contribution: number,
        instalments: instalments.to_vec(),
        agreed: false,
    };
    let record = tx.record;
    tx.t.cancellations().put(record, entry);
    Ok(())
}

/// F34, second record: the treasurer agrees.
fn agree_cancel(tx: &mut Tx, actor: &Actor, proposal: &Hash) -> Result<(), Refusal> {
    let Some(mut entry) = tx.t.cancellations.get(proposal).cloned() else {
        refuse!("F34.unknown-proposal", record = proposal.short())
    };
    require!(
        !entry.agreed,
        "F34.already-agreed",
        record = proposal.short()
    );
    let mut contribution = tx.get::<Contribution>(entry.contribution)?;
    must_hold(tx, actor, Role::Treasurer, Scope::Fund(contribution.fund))?;
    require_unrelated(tx, actor, contribution.member)?;
    for number in entry.instalments.clone() {
        let instalment = crate::rules::funding::contribution::instalment(tx, number)?.0;
        tx.advance(instalment, "F34", I::Cancelled)?;
        memo(tx, &mut contribution, PledgeMove::Cancel, instalment.amount)?;
    }
    entry.agreed = true;
    tx.t.cancellations().put(*proposal, entry);
    Ok(())
}

/// The guards of F03 and F35 on the instalment. Returns the transition and the state it leads to.
fn receivable(
    number: InstalmentId,
    entry: &Instalment,
    amount: Amount,
) -> Result<(&'static str, InstalmentStatus), Refusal> {
    let (code, partly) = match entry.status {
        I::Called | I::PartlyReceived => ("F03", I::PartlyReceived),
        I::Defaulted => ("F35", I::Defaulted),
        I::Pledged => refuse!("F03.not-called", instalment = number),
        I::Received | I::Cancelled | I::WrittenOff => {
            refuse!(
                "F03.nothing-open",
                instalment = number,
                status = entry.status
            )
        }
    };
    require!(amount > Amount::ZERO, "N2.amount", amount = amount);
    require!(
        amount <= entry.rest(),
        "F03.excess-is-a-new-pledge",
        amount = amount,
        open = entry.rest()
    );
    Ok((
        code,
        if amount == entry.rest() {
            I::Received
        } else {
            partly
        },
    ))
}

/// F03, F35, first record: the treasurer.
fn record_receipt(tx: &mut Tx, actor: &Actor, entry: &ReceiptEntry) -> Result<(), Refusal> {
    let (instalment, contribution) = instalment(tx, entry.instalment)?;
    let recorded_by = must_hold(tx, actor, Role::Treasurer, Scope::Fund(contribution.fund))?.person;
    receivable(entry.instalment, &instalment, entry.amount)?;
    check_reference(tx, &account_of(tx, contribution.fund)?, &entry.reference)?;
    let today = tx.calendar().day_of(tx.now);
    require!(
        entry.value_day <= today,
        "F03.value-day-ahead",
        value_day = entry.value_day,
        today = today
    );
    let pledged = tx.calendar().day_of(contribution.signed_ms);
    require!(
        entry.value_day >= pledged,
        "F03.value-day-before-pledge",
        value_day = entry.value_day,
        pledged = pledged
    );
    let receipt = Receipt {
        instalment: entry.instalment,
        amount: entry.amount,
        reference: entry.reference.clone(),
        value_day: entry.value_day,
        recorded_by,
        confirmed_by: None,
        in_time: false,
    };
    let record = tx.record;
    tx.t.receipts().put(record, receipt);
    Ok(())
}

/// The bank account of a fund.
fn account_of(tx: &Tx, fund: FundId) -> Result<Hash, Refusal> {
    Ok(tx.get::<Fund>(fund)?.bank_account)
}

/// F03, F35, second record: another officer. Posts `X:member -> A`.
fn confirm_receipt(tx: &mut Tx, actor: &Actor, record: &Hash) -> Result<(), Refusal> {
    let Some(mut receipt) = tx.t.receipts.get(record).cloned() else {
        refuse!("F03.unknown-receipt", record = record.short())
    };
    let (mut entry, mut contribution) = instalment(tx, receipt.instalment)?;
    let confirmed_by = must_hold(
        tx,
        actor,
        Role::SecondOfficer,
        Scope::Fund(contribution.fund),
    )?
    .person;
    require!(
        receipt.confirmed_by.is_none(),
        "F03.already-confirmed",
        record = record.short()
    );
    let funding = tx.charter_of(contribution.charter)?.funding;
    for signer in &actor.signers {
        let distinct = funding.chain_distinct_groups;
        duties::require_second(&tx.t, receipt.recorded_by, signer.person, distinct)?;
    }
    let (mut code, to) = receivable(receipt.instalment, &entry, receipt.amount)?;
    // R35: what was entered in time is no late receipt, although the rest has defaulted.
    if code == "F35" && receipt.in_time && receipt.amount <= entry.delayed {
        code = "F03";
    }
    // What is delayed waits for its own receipts; late money goes to what has defaulted.
    let defaulted = entry.rest().saturating_sub(entry.delayed);
    require!(
        code != "F35" || receipt.amount <= defaulted,
        "F35.default-delayed",
        instalment = receipt.instalment,
        amount = entry.delayed
    );
    claim_reference(tx, &account_of(tx, contribution.fund)?, &receipt.reference)?;
    entry.received = entry.received.saturating_add(receipt.amount);
    if code == "F03" && receipt.in_time {
        entry.delayed = entry.delayed.saturating_sub(receipt.amount);
    }
    entry.delayed = entry.delayed.min(entry.rest());
    tx.advance(entry, code, to)?;
    let what = if code == "F35" {
        PledgeMove::ReceiveLate
    } else {
        PledgeMove::Receive
    };
    memo(tx, &mut contribution, what, receipt.amount)?;
    let Contribution {
        fund, member, pot, ..
    } = contribution;
    post(
        tx,
        fund,
        &Movement::ContributionReceived {
            member,
            pot,
            amount: receipt.amount,
        },
    )?;
    if to == I::Received {
        tx.cancel(DeadlineKind::InstalmentDefault, receipt.instalment);
    }
    receipt.confirmed_by = Some(confirmed_by);
    tx.t.receipts().put(*record, receipt);
    Ok(())
}

/// The guards of F35, write-off.
fn check_write_off(tx: &Tx, plan: &WriteOffInstalment) -> Result<(), Refusal> {
    let (entry, _) = instalment(tx, plan.instalment)?;
    require!(
        entry.status == I::Defaulted,
        "F35.wrong-state",
        instalment = plan.instalment,
        status = entry.status
    );
    require!(
        entry.delayed == Amount::ZERO,
        "F35.default-delayed",
        instalment = plan.instalment,
        amount = entry.delayed
    );
    Ok(())
}

/// The fund of a write-off, where the treasurer who proposes it must hold the post.
fn fund_of(tx: &Tx, plan: &WriteOffInstalment) -> Option<FundId> {
    instalment(tx, plan.instalment)
        .ok()
        .map(|(_, contribution)| contribution.fund)
}

/// The member whose instalment it is: its group has no voice.
fn interested(tx: &Tx, plan: &WriteOffInstalment) -> Vec<OrganisationId> {
    instalment(tx, plan.instalment)
        .map(|(_, contribution)| contribution.member)
        .into_iter()
        .collect()
}

/// F35: the defaulted rest is given up. Memo only.
fn write_off(tx: &mut Tx, plan: &WriteOffInstalment) -> Result<(), Refusal> {
    check_write_off(tx, plan)?;
    let (entry, mut contribution) = instalment(tx, plan.instalment)?;
    tx.advance(entry, "F35", I::WrittenOff)?;
    memo(tx, &mut contribution, PledgeMove::WriteOff, entry.rest())
}

/// R35: receipts that were entered before the default is due and are not confirmed yet delay the
/// default of their amount. Returns that amount.
fn delay(
    tx: &mut Tx,
    number: InstalmentId,
    contribution: &Contribution,
    open: Amount,
    due: Due,
) -> Result<Amount, Refusal> {
    let account = account_of(tx, contribution.fund)?;
    // One whose reference is used is never confirmed.
    let waits = |receipt: &Receipt| {
        receipt.instalment == number
            && receipt.confirmed_by.is_none()
            && check_reference(tx, &account, &receipt.reference).is_ok()
    };
    let waiting: Vec<(Hash, Receipt)> =
        tx.t.receipts
            .iter()
            .filter(|(_, receipt)| waits(receipt))
            .map(|(record, receipt)| (*record, receipt.clone()))
            .collect();
    let mut sum = Amount::ZERO;
    for (record, mut receipt) in waiting {
        sum = sum.saturating_add(receipt.amount);
        receipt.in_time = true;
        tx.t.receipts().put(record, receipt);
    }
    let amount = sum.min(open);
    if amount > Amount::ZERO {
        let days = tx.charter_of(contribution.charter)?.funding.step_days;
        let until_ms = tx.calendar().deadline(due.at(), Period::WorkingDays(days));
        tx.schedule(DeadlineKind::InstalmentDefault, number, until_ms);
        tx.emit(
            due,
            EventBody::DefaultDelayed {
                instalment: number,
                amount,
                until_ms,
            },
        );
    }
    Ok(amount)
}

/// F04: due day and grace have passed.
pub fn on_default(tx: &mut Tx, number: InstalmentId, due: Due) -> Result<(), Refusal> {
    let (mut entry, mut contribution) = instalment(tx, number)?;
    // The whole rest at first, what was delayed of it later.
    let open = if entry.was_delayed {
        entry.delayed
    } else {
        entry.rest()
    };
    let waiting = if entry.was_delayed {
        Amount::ZERO
    } else {
        delay(tx, number, &contribution, open, due)?
    };
    entry.was_delayed |= waiting > Amount::ZERO;
    entry.delayed = waiting;
    let amount = open.saturating_sub(waiting);
    if amount == Amount::ZERO {
        let stays = entry.status;
        return tx.advance(entry, "R35", stays);
    }
    tx.advance(entry, "F04", I::Defaulted)?;
    memo(tx, &mut contribution, PledgeMove::Default, amount)?;
    let body = EventBody::InstalmentDefaulted {
        fund: contribution.fund,
        contribution: contribution.number,
        instalment: number,
        member: contribution.member,
        amount,
    };
    tx.emit(due, body);
    Ok(())
}

impl Effect for WriteOffInstalment {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        let entry = tx.t.instalments.get(&self.instalment);
        entry.map_or(Matter::Motion(motion), |entry| {
            Matter::Contribution(entry.contribution)
        })
    }

    fn scope(&self, tx: &Tx) -> Scope {
        scope_of(fund_of(tx, self))
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_write_off(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        write_off(tx, self)
    }
}
