//! Plans by which members pay their dues (M28; RULINGS R9).
//!
//! * A member whose dues are unpaid offers a plan: instalments that sum to what is due. Another offer
//!   takes its place.
//! * Treasurer, then secretary, accept one whose last day is near enough; the board accepts any, by
//!   motion. While it is kept the clock of the dues stands still, and the member is in good standing.
//! * An instalment is received if what is open on the plan's invoices is no more than what is left by
//!   the plan. One that is not ends the plan, and the clock goes on where it stopped.

use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::{arrears, dues};
use crate::account::Amount;
use crate::calendar::{Period, end_of_local_day};
use crate::id::{MembershipId, MotionId, PlanId};
use crate::identity::{Role, Scope};
use crate::lookup::find;
use crate::object::invoice::Invoice;
use crate::object::matter::Matter;
use crate::object::membership::{Membership, Standing};
use crate::object::plan::{Plan, PlanStatus};
use crate::record::{AcceptPlan, PlanEntry};
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold};
use crate::rules::effect::Effect;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// The membership that a member's own act names. Refused with `M28.not-yours`.
pub(super) fn own(tx: &Tx, actor: &Actor, number: MembershipId) -> Result<Membership, Refusal> {
    actor.must_sign(Role::Primary)?;
    let membership = find::<Membership>(&tx.t, number)?.clone();
    require!(
        membership.organisation == actor.number(),
        "M28.not-yours",
        membership = number,
        organisation = actor.number()
    );
    Ok(membership)
}

/// The plan of a membership that waits or runs.
fn open(tx: &Tx, membership: MembershipId) -> Option<Plan> {
    let number = tx.t.plan_of.get(&membership)?;
    tx.t.plans.get(number).cloned()
}

/// Whether a plan of the membership is accepted and kept so far.
pub(super) fn running(tx: &Tx, membership: MembershipId) -> bool {
    open(tx, membership).is_some_and(|plan| plan.status == PlanStatus::Running)
}

/// A member offers a plan.
pub(super) fn propose(tx: &mut Tx, actor: &Actor, entry: &PlanEntry) -> Result<(), Refusal> {
    let membership = own(tx, actor, entry.membership)?;
    let number = membership.number;
    let due = dues::overdue(tx, number);
    require!(
        matches!(membership.standing, Standing::Live(_)) && !due.is_empty(),
        "M28.nothing-due",
        membership = number
    );
    require!(!running(tx, number), "M28.plan-runs", membership = number);
    let total = sum(due.iter().map(Invoice::open));
    let offered = sum(entry.parts.iter().map(|part| part.amount));
    require!(
        offered == total,
        "M28.other-sum",
        sum = offered,
        total = total
    );
    let today = tx.calendar().day_of(tx.now);
    let first = entry.parts.first().map(|part| part.due_day);
    require!(
        first.is_some_and(|first| first > today),
        "M28.day-passed",
        today = today
    );
    drop_waiting(tx, number)?;
    let plan = tx.next_id::<PlanId>();
    let status = tx.begin::<Plan>(plan, "M28", PlanStatus::Proposed)?;
    tx.put(Plan {
        number: plan,
        membership: number,
        invoices: due.iter().map(|invoice| invoice.number).collect(),
        parts: entry.parts.clone(),
        total,
        passed: 0,
        record: tx.record,
        agreed_by: None,
        status,
        since_ms: tx.now,
    });
    tx.t.plan_of().put(number, plan);
    Ok(())
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.fold(Amount::ZERO, Amount::saturating_add)
}

/// The treasurer agrees to an offer, then the secretary.
pub(super) fn agree(tx: &mut Tx, actor: &Actor, number: PlanId) -> Result<(), Refusal> {
    let mut plan = tx.get::<Plan>(number)?;
    let role = match plan.status {
        PlanStatus::Proposed => Role::Treasurer,
        PlanStatus::Agreed => Role::Secretary,
        PlanStatus::Running | PlanStatus::Kept | PlanStatus::Missed | PlanStatus::Dropped => {
            refuse!("M28.not-waiting", plan = number, status = plan.status)
        }
    };
    let person = must_hold(tx, actor, role, Scope::Alliance)?.person;
    let days = tx.charter()?.standing.plan_days;
    let latest = tx.calendar().day_of(tx.delay(Period::Days(days)));
    let last = plan.parts.last().map(|part| part.due_day);
    require!(
        last.is_some_and(|last| last <= latest),
        "M28.board-decides",
        plan = number,
        days = days
    );
    if role == Role::Treasurer {
        plan.agreed_by = Some(person);
        return tx.advance(plan, "M28", PlanStatus::Agreed);
    }
    require!(
        plan.agreed_by != Some(person),
        "M28.same-person",
        person = person
    );
    run(tx, plan)
}

/// The plan is accepted.
fn run(tx: &mut Tx, mut plan: Plan) -> Result<(), Refusal> {
    check_runs(tx, &plan)?;
    let membership = plan.membership;
    tx.go(&mut plan, "M28", PlanStatus::Running)?;
    schedule(tx, &plan);
    tx.put(plan);
    arrears::planned(tx, membership)
}

/// Refused unless the plan is still about what is due.
fn check_runs(tx: &Tx, plan: &Plan) -> Result<(), Refusal> {
    let open = sum(dues::overdue(tx, plan.membership).iter().map(Invoice::open));
    let next = plan
        .parts
        .get(plan.passed as usize)
        .map(|part| part.due_day);
    let today = tx.calendar().day_of(tx.now);
    require!(
        open == plan.total && next.is_some_and(|day| day >= today),
        "M28.plan-outdated",
        plan = plan.number
    );
    Ok(())
}

/// The next instalment that is due.
fn schedule(tx: &mut Tx, plan: &Plan) {
    if let Some(part) = plan.parts.get(plan.passed as usize) {
        let offset = tx.calendar().offset_minutes;
        let at = end_of_local_day(part.due_day, offset);
        tx.schedule(DeadlineKind::PlanInstalment, plan.number, at);
    }
}

/// What is open on the invoices of a plan.
fn open_on(tx: &Tx, plan: &Plan) -> Amount {
    let invoices = plan
        .invoices
        .iter()
        .filter_map(|number| tx.t.invoices.get(number));
    sum(invoices
        .filter(|invoice| {
            tx.t.invoices_open
                .contains(&(invoice.membership, invoice.number))
        })
        .map(Invoice::open))
}

/// An instalment is due.
pub(super) fn on_deadline(tx: &mut Tx, number: PlanId, due: Due) -> Result<(), Refusal> {
    let mut plan = tx.get::<Plan>(number)?;
    let passed = plan.passed.saturating_add(1);
    let open = open_on(tx, &plan);
    if open <= plan.open_after(passed) {
        plan.passed = passed;
        schedule(tx, &plan);
        tx.put(plan);
        return Ok(());
    }
    // A receipt that waits for its second officer may be what is due: it is looked at again once it is
    // judged or its days are over, and no later.
    let pending: Vec<_> = plan
        .invoices
        .iter()
        .filter_map(|invoice| tx.t.invoices.get(invoice)?.pending.as_ref())
        .filter(|pending| pending.until_ms >= tx.now)
        .map(|pending| (pending.amount, pending.until_ms))
        .collect();
    let until = pending.iter().map(|(_, until)| *until).max();
    let waits = sum(pending.into_iter().map(|(amount, _)| amount));
    if let Some(until) = until
        && open.saturating_sub(waits) <= plan.open_after(passed)
    {
        let next = LedgerTime(until.0.saturating_add(1));
        tx.schedule(DeadlineKind::PlanInstalment, number, next);
        return Ok(());
    }
    let membership = plan.membership;
    tx.t.plan_of().remove(membership);
    tx.advance(plan, "M28", PlanStatus::Missed)?;
    arrears::plan_missed(tx, membership, due)
}

/// After money: a plan whose invoices are all paid is kept.
pub(super) fn kept(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    let running = open(tx, membership).filter(|plan| plan.status == PlanStatus::Running);
    let Some(plan) = running.filter(|plan| open_on(tx, plan) == Amount::ZERO) else {
        return Ok(());
    };
    tx.cancel(DeadlineKind::PlanInstalment, plan.number);
    tx.t.plan_of().remove(membership);
    tx.advance(plan, "M28", PlanStatus::Kept)?;
    arrears::plan_kept(tx, membership)
}

/// A plan that is not accepted is dropped.
pub(super) fn drop_waiting(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    match open(tx, membership).filter(|plan| plan.status != PlanStatus::Running) {
        Some(plan) => drop_plan(tx, plan),
        None => Ok(()),
    }
}

fn drop_plan(tx: &mut Tx, plan: Plan) -> Result<(), Refusal> {
    tx.cancel(DeadlineKind::PlanInstalment, plan.number);
    tx.t.plan_of().remove(plan.membership);
    tx.advance(plan, "M28", PlanStatus::Dropped)
}

/// The membership ended.
pub(super) fn membership_ended(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    match open(tx, membership) {
        Some(plan) => drop_plan(tx, plan),
        None => Ok(()),
    }
}

impl Effect for AcceptPlan {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        let plan = tx.t.plans.get(&self.plan);
        plan.map_or(Matter::Motion(motion), |plan| {
            Matter::Membership(plan.membership)
        })
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        let plan = tx.t.plans.get(&self.plan);
        let membership = plan.and_then(|plan| tx.t.memberships.get(&plan.membership));
        membership
            .map(|membership| membership.organisation)
            .into_iter()
            .collect()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let plan = find::<Plan>(&tx.t, self.plan)?;
        require!(
            matches!(plan.status, PlanStatus::Proposed | PlanStatus::Agreed),
            "M28.not-waiting",
            plan = self.plan,
            status = plan.status
        );
        check_runs(tx, plan)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        let plan = tx.get::<Plan>(self.plan)?;
        run(tx, plan)
    }
}
