//! What becomes of an agreement in force: its closing (F28), and what the acts of its life share.
//!
//! * Programme officer and finance approver close it, two persons, each by a record of their own: both may
//!   be of different offices. It is completed or terminated, no payment is under way, disputed or to be
//!   acknowledged yet, no recovery is open (N19), and nothing is owed; what was never asked for holds it up
//!   for `claim_days` only.
//! * What was paid is finally accepted (D -> S). What is still committed returns by RULINGS R3 (K -> B or A).
//!
//! Absent: changes (F23); sealing after five years (F51).

use crate::account::{AccountKind, Amount, Movement};
use crate::calendar::MS_PER_DAY;
use crate::id::{AgreementId, Id, PersonId};
use crate::identity::{Role, Scope};
use crate::lookup::payments::of_agreement;
use crate::object::Machine;
use crate::object::agreement::{Agreement, AgreementState as S};
use crate::object::call::Call;
use crate::record::AwardAct;
use crate::refusal::{Outcome, Refusal};
use crate::require;
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::bank::{held, post};
use crate::rules::funding::{measure, recovery};
use crate::tx::Tx;

/// Applies an act on an agreement in force.
pub(super) fn apply(tx: &mut Tx, actor: &Actor, act: &AwardAct) -> Result<Outcome, Refusal> {
    match act {
        AwardAct::Close { agreement } => close(tx, actor, *agreement)?,
        AwardAct::Announce(_)
        | AwardAct::ObserveMeasure { .. }
        | AwardAct::HoldPayments { .. }
        | AwardAct::DropMeasure { .. }
        | AwardAct::Resume { .. } => measure::apply(tx, actor, act)?,
        _ => recovery::apply(tx, actor, act)?,
    }
    Ok(Outcome::Applied)
}

/// Returns what is committed and owed to nobody (K -> B or A), and counts it as de-obligated.
pub(super) fn free(tx: &mut Tx, agreement: &mut Agreement, amount: Amount) -> Result<(), Refusal> {
    if amount == Amount::ZERO {
        return Ok(());
    }
    let movement = Movement::AgreementReduced {
        call: agreement.call,
        agreement: agreement.number,
        phase: tx.get::<Call>(agreement.call)?.phase(),
        amount,
    };
    post(tx, agreement.fund, &movement)?;
    agreement.freed = agreement.freed.saturating_add(amount);
    Ok(())
}

/// The programme officer or the finance approver who signs, unrelated to the grantee.
pub(super) fn one_of_two(
    tx: &Tx,
    actor: &Actor,
    agreement: &Agreement,
) -> Result<(Role, PersonId), Refusal> {
    let role = match actor.signer(Role::FinanceApprover) {
        Some(_) => Role::FinanceApprover,
        None => Role::ProgrammeOfficer,
    };
    let person = must_hold(tx, actor, role, Scope::Fund(agreement.fund))?.person;
    require_unrelated(tx, actor, agreement.grantee)?;
    Ok((role, person))
}

/// Refuses unless the second of two has the other role and is another person.
pub(super) fn require_other(
    first: (Role, PersonId),
    second: (Role, PersonId),
) -> Result<(), Refusal> {
    require!(first.0 != second.0, "F24.same-role", role = second.0);
    require!(first.1 != second.1, "N12.same-person", person = second.1);
    Ok(())
}

fn close(tx: &mut Tx, actor: &Actor, number: AgreementId) -> Result<(), Refusal> {
    let mut agreement = tx.get::<Agreement>(number)?;
    agreement.may("F28", S::Closed)?;
    let signer = one_of_two(tx, actor, &agreement)?;
    check_close(tx, &agreement)?;
    let Some(first) = agreement.closing else {
        agreement.closing = Some(signer);
        // It is over since when it was, whoever has signed: the year of claims does not begin again.
        tx.stay(&agreement, "F28")?;
        tx.put(agreement);
        return Ok(());
    };
    require_other(first, signer)?;
    let paid = held(tx, agreement.fund, AccountKind::Paid(number));
    if paid > Amount::ZERO {
        let movement = Movement::FinallyAccepted {
            agreement: number,
            amount: paid,
        };
        post(tx, agreement.fund, &movement)?;
    }
    let left = held(tx, agreement.fund, AccountKind::Committed(number));
    free(tx, &mut agreement, left)?;
    tx.advance(agreement, "F28", S::Closed)
}

/// N19: nothing of the agreement is open.
fn check_close(tx: &Tx, agreement: &Agreement) -> Result<(), Refusal> {
    let number = agreement.number;
    let open = of_agreement(&tx.t, number).find(|payment| payment.state.is_open());
    if let Some(open) = open {
        crate::refuse!(
            "F28.payment-open",
            payment = open.number,
            state = open.state
        );
    }
    let of = (number, Id::MIN)..=(number, Id::MAX);
    let owed = tx.t.recoveries_of.range(of).find_map(|((_, recovery), _)| {
        let recovery = tx.t.recoveries.get(recovery)?;
        recovery.status.is_open().then_some(recovery)
    });
    if let Some(owed) = owed {
        crate::refuse!(
            "F28.recovery-open",
            recovery = owed.number,
            status = owed.status
        );
    }
    let committed = held(tx, agreement.fund, AccountKind::Committed(number));
    let unclaimed = committed.saturating_sub(agreement.residue(committed));
    let days = tx.charter_of(agreement.terms.charter)?.funding.claim_days;
    let until = agreement
        .since_ms
        .plus_ms(u64::from(days).saturating_mul(MS_PER_DAY));
    require!(
        unclaimed == Amount::ZERO || tx.now > until,
        "F28.owed",
        agreement = number,
        amount = unclaimed,
        until = until
    );
    Ok(())
}
