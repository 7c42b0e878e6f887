//! M18 to M20: a member leaves, and comes back.
//!
//! * A member gives notice with a letter and names its last day, which is `withdraw_notice_days` away at
//!   the least and a year at the most. Until that day is over it may take the notice back.
//! * Meanwhile it is a member: it pays, it is paid, and it votes, but not on what binds those who stay
//!   (charter, budgets, new funds, dissolution); it stands for nothing, sponsors nobody and applies for no
//!   funds (domain 1.4).
//! * With its last day the clock ends the membership, and what hangs on it ([`ends`]).
//! * While a proceeding is open the end waits for it, for 90 days at the most (R5).
//! * Who was a member may apply again, for a new membership, once the charter's days are over: those after
//!   an expulsion for whoever left an open proceeding behind.

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use super::admission::moved;
use super::{discipline, ends};
use crate::calendar::{LocalDay, Period};
use crate::id::MembershipId;
use crate::identity::Role;
use crate::lookup::find;
use crate::object::Machine as _;
use crate::object::membership::{Exit, ExitPart, ExitState, Membership, Notice, Standing};
use crate::refusal::Refusal;
use crate::require;
use crate::rules::authority::Actor;
use crate::tx::{DeadlineKind, Due, Tx};

/// Most days between a notice and the last day that it names.
pub const NOTICE_DAYS_MAX: u32 = 366;
/// Most days for which the end of a membership waits for a proceeding (R5).
const PROCEEDING_DAYS_MAX: u32 = 90;

/// The principal's own membership, which is live; its primary signs.
fn own(tx: &Tx, actor: &Actor, number: MembershipId) -> Result<ExitPart, Refusal> {
    let membership = find::<Membership>(&tx.t, number)?.clone();
    require!(
        membership.organisation == actor.number(),
        "M18.other-member",
        membership = number,
        organisation = actor.number()
    );
    actor.must_sign(Role::Primary)?;
    require!(
        matches!(membership.standing, Standing::Live(_)),
        "M18.not-a-member",
        membership = number,
        state = membership.standing.state()
    );
    Ok(ExitPart(membership))
}

/// M18.
pub(super) fn give_notice(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
    last_day: LocalDay,
    letter: &Hash,
) -> Result<(), Refusal> {
    let mut part = own(tx, actor, number)?;
    part.may("M18", ExitState::WithdrawalPending)?;
    let days = tx.charter()?.membership.withdraw_notice_days;
    let calendar = tx.calendar();
    let earliest = calendar.day_of(tx.delay(Period::Days(days)));
    require!(
        last_day >= earliest,
        "M18.too-early",
        last_day = last_day,
        earliest = earliest
    );
    let latest = calendar.day_of(tx.now).plus(NOTICE_DAYS_MAX);
    require!(
        last_day <= latest,
        "M18.too-late",
        last_day = last_day,
        latest = latest
    );
    let notice = Notice {
        letter: *letter,
        given_ms: tx.now,
        last_day,
    };
    tx.go(&mut part, "M18", Exit::WithdrawalPending(notice))?;
    tx.put(part.0);
    let ends = calendar.end_of_day(last_day);
    tx.schedule(DeadlineKind::MembershipEnd, number, ends);
    Ok(())
}

/// M19.
pub(super) fn revoke_notice(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
) -> Result<(), Refusal> {
    let mut part = own(tx, actor, number)?;
    if let Exit::WithdrawalPending(notice) = part.0.exit {
        let ends = tx.calendar().end_of_day(notice.last_day);
        require!(
            tx.now <= ends,
            "M19.too-late",
            last_day = notice.last_day,
            membership = number
        );
    }
    tx.go(&mut part, "M19", Exit::None)?;
    tx.put(part.0);
    tx.cancel(DeadlineKind::MembershipEnd, number);
    Ok(())
}

/// R5: until when the end of a membership waits for a proceeding at the longest.
fn waits_until(tx: &Tx, notice: &Notice) -> LedgerTime {
    tx.calendar()
        .end_of_day(notice.last_day.plus(PROCEEDING_DAYS_MAX))
}

/// R5: a proceeding is over for which the end of a membership waited: it ends with the next block.
pub(super) fn proceeding_over(tx: &mut Tx, number: MembershipId) -> Result<(), Refusal> {
    let membership = find::<Membership>(&tx.t, number)?;
    let Exit::WithdrawalPending(notice) = membership.exit else {
        return Ok(());
    };
    let is_live = matches!(membership.standing, Standing::Live(_));
    if is_live && tx.now > tx.calendar().end_of_day(notice.last_day) {
        let now = tx.now;
        tx.schedule(DeadlineKind::MembershipEnd, number, now);
    }
    Ok(())
}

/// M20.
pub(super) fn on_deadline(tx: &mut Tx, number: MembershipId, due: Due) -> Result<(), Refusal> {
    let membership = find::<Membership>(&tx.t, number)?.clone();
    let Exit::WithdrawalPending(notice) = membership.exit else {
        return Ok(());
    };
    // R5: a proceeding is brought to its end first, for so many days.
    let latest = waits_until(tx, &notice);
    if discipline::open_proceeding(tx, number).is_some() && tx.now < latest {
        tx.schedule(DeadlineKind::MembershipEnd, number, latest);
        return Ok(());
    }
    let membership = super::admission::step(tx, membership, "M20", Standing::Withdrawn(notice))?;
    moved(tx, due, &membership, "M20", None);
    ends::end_what_hangs_on(tx, &membership, "M20", Some(due))
}

/// M01: who was a member applies again once the charter's days are over.
pub(super) fn require_waited(tx: &Tx, before: &Membership) -> Result<(), Refusal> {
    let parameters = tx.charter()?.membership;
    let days = match before.standing {
        // Who leaves an open proceeding behind waits as who was expelled (R5), however the membership ended.
        _ if discipline::open_proceeding(tx, before.number).is_some() => {
            parameters.readmission_wait_expelled_days
        }
        Standing::Withdrawn(_) | Standing::TerminatedForArrears => parameters.readmission_wait_days,
        Standing::Expelled => parameters.readmission_wait_expelled_days,
        // An applicant that was not admitted waits for nothing, and what became none again is one.
        Standing::Founding
        | Standing::Live(_)
        | Standing::Applied
        | Standing::Screening
        | Standing::Returned { .. }
        | Standing::Sponsoring
        | Standing::Balloting
        | Standing::Admitted
        | Standing::Rejected(_)
        | Standing::Lapsed(_)
        | Standing::ApplicationWithdrawn
        | Standing::Ceased(_) => 0,
    };
    if days == 0 {
        return Ok(());
    }
    let until = tx.calendar().delay(before.since_ms, Period::Days(days));
    require!(
        tx.now > until,
        "M01.readmission-wait",
        membership = before.number,
        until = until
    );
    Ok(())
}
