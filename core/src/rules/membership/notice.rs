//! Notices to members (M29; RULINGS R17).
//!
//! * A notice has its text and the proof of its dispatch as hashes, a channel and the day on which it
//!   went out. With it the days begin; without it no step follows.
//! * It is about unpaid dues (twice), about a proceeding with its reasons, or a warning, without which
//!   nobody is expelled.
//! * The secretary serves it. After so many working days of silence one seat holder files it and
//!   another one of another group agrees; of these the chair may be one (RULINGS R48).
//! * A member is told nothing by its own group.
//! * Acknowledging it changes nothing but what is known.

use super::{arrears, discipline};
use crate::calendar::Period;
use crate::id::{Id as _, MembershipId, NoticeId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{find, groups};
use crate::object::membership::{Membership, Standing};
use crate::object::notice::{Notice, NoticeStatus};
use crate::object::proceeding::{Proceeding, ProceedingStatus};
use crate::record::{NoticeAbout, NoticeEntry};
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::chair::seat_holder_or_chair;
use crate::tx::Tx;
use crate::{refuse, require};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

impl NoticeAbout {
    /// Whether it belongs to discipline, not to dues.
    pub(super) fn is_of_discipline(&self) -> bool {
        match self {
            NoticeAbout::Dues(_) | NoticeAbout::DuesAgain(_) => false,
            NoticeAbout::Proceeding(_) | NoticeAbout::Warning(_) => true,
        }
    }
}

/// The membership that a notice is to.
fn addressee(tx: &Tx, about: NoticeAbout) -> Result<Membership, Refusal> {
    let number = match about {
        NoticeAbout::Dues(number)
        | NoticeAbout::DuesAgain(number)
        | NoticeAbout::Warning(number) => number,
        NoticeAbout::Proceeding(number) => find::<Proceeding>(&tx.t, number)?.membership,
    };
    Ok(find::<Membership>(&tx.t, number)?.clone())
}

/// Since when the notice is due; none: nobody waits for it. Of a warning the secretary alone decides.
fn due_since(tx: &Tx, about: NoticeAbout) -> Option<LedgerTime> {
    match about {
        NoticeAbout::Dues(number) => arrears::notice_due(tx.t.dues.get(&number)?, false),
        NoticeAbout::DuesAgain(number) => arrears::notice_due(tx.t.dues.get(&number)?, true),
        NoticeAbout::Proceeding(number) => {
            let proceeding = tx.t.proceedings.get(&number)?;
            let waits = proceeding.status == ProceedingStatus::Open && proceeding.notice.is_none();
            waits.then_some(proceeding.since_ms)
        }
        NoticeAbout::Warning(_) => None,
    }
}

/// Served by the secretary, or filed by a seat holder.
pub(super) fn serve(tx: &mut Tx, actor: &Actor, entry: &NoticeEntry) -> Result<(), Refusal> {
    let by_secretary = actor.organisation.kind == OrganisationKind::Office
        && actor.signer(Role::Secretary).is_some();
    if by_secretary {
        must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    } else {
        seat_holder_or_chair(tx, actor)?;
    }
    let membership = addressee(tx, entry.subject)?;
    require_unrelated(tx, actor, membership.organisation)?;
    require!(
        matches!(membership.standing, Standing::Live(_)),
        "M29.not-a-member",
        membership = membership.number
    );
    require!(
        entry.proof != Hash::ZERO && entry.text != Hash::ZERO,
        "M29.no-dispatch",
        notice_about = entry.subject
    );
    let today = tx.calendar().day_of(tx.now);
    require!(
        entry.dispatched <= today,
        "M29.dispatch-ahead",
        dispatched = entry.dispatched,
        today = today
    );
    let since = due_since(tx, entry.subject);
    let warning = matches!(entry.subject, NoticeAbout::Warning(_));
    require!(
        since.is_some() || (warning && by_secretary),
        "M29.not-due",
        notice_about = entry.subject,
        membership = membership.number
    );
    if let Some(since) = since {
        // What went out before it was due told of something else.
        let due_day = tx.calendar().day_of(since);
        require!(
            entry.dispatched >= due_day,
            "M29.dispatched-before-due",
            dispatched = entry.dispatched,
            due = due_day
        );
    }
    if let Some(since) = since.filter(|_| !by_secretary) {
        let days = tx.charter()?.standing.silence_working_days;
        let silent = tx.calendar().deadline(since, Period::WorkingDays(days));
        require!(tx.now > silent, "M29.secretary-first", until = silent);
    }
    let number = tx.next_id::<NoticeId>();
    let status = if by_secretary {
        NoticeStatus::Served
    } else {
        NoticeStatus::Filed
    };
    let notice = Notice {
        number,
        membership: membership.number,
        organisation: membership.organisation,
        entry: *entry,
        record: tx.record,
        by: actor.number(),
        served_ms: None,
        status: tx.begin::<Notice>(number, "M29", status)?,
        since_ms: tx.now,
    };
    tx.t.notices_of().put((membership.number, number), 0);
    if by_secretary {
        return served(tx, notice);
    }
    tx.put(notice);
    Ok(())
}

/// Another seat holder, of another group, agrees.
pub(super) fn agree(tx: &mut Tx, actor: &Actor, number: NoticeId) -> Result<(), Refusal> {
    seat_holder_or_chair(tx, actor)?;
    let mut notice = tx.get::<Notice>(number)?;
    require!(
        notice.status == NoticeStatus::Filed,
        "M29.not-filed",
        notice = number,
        status = notice.status
    );
    require!(
        !groups::related(&tx.t, notice.by, actor.number()),
        "M29.same-group",
        organisation = actor.number()
    );
    require_unrelated(tx, actor, notice.organisation)?;
    require!(
        due_since(tx, notice.entry.subject).is_some(),
        "M29.not-due",
        notice_about = notice.entry.subject,
        membership = notice.membership
    );
    tx.go(&mut notice, "M29", NoticeStatus::Served)?;
    served(tx, notice)
}

/// The days begin.
fn served(tx: &mut Tx, mut notice: Notice) -> Result<(), Refusal> {
    let (number, about, membership) = (notice.number, notice.entry.subject, notice.membership);
    notice.served_ms = Some(tx.now);
    tx.put(notice);
    drop_filed(tx, membership, |other| *other == about)?;
    match about {
        NoticeAbout::Dues(_) => arrears::noticed(tx, membership, false, number),
        NoticeAbout::DuesAgain(_) => arrears::noticed(tx, membership, true, number),
        NoticeAbout::Proceeding(proceeding) => discipline::noticed(tx, proceeding, number),
        NoticeAbout::Warning(_) => Ok(()),
    }
}

/// Notices that wait for a second seat holder are dropped: there is nothing left to tell.
pub(super) fn drop_filed(
    tx: &mut Tx,
    membership: MembershipId,
    is_it: impl Fn(&NoticeAbout) -> bool,
) -> Result<(), Refusal> {
    for notice in of(tx, membership) {
        if notice.status == NoticeStatus::Filed && is_it(&notice.entry.subject) {
            tx.advance(notice, "M29", NoticeStatus::Dropped)?;
        }
    }
    Ok(())
}

/// The notices to a membership, oldest first.
pub fn of(tx: &Tx, membership: MembershipId) -> Vec<Notice> {
    let of = (membership, NoticeId::MIN)..=(membership, NoticeId::MAX);
    let numbers = tx.t.notices_of.range(of);
    numbers
        .filter_map(|((_, number), _)| tx.t.notices.get(number).cloned())
        .collect()
}

/// The member acknowledges a notice.
pub(super) fn acknowledge(tx: &mut Tx, actor: &Actor, number: NoticeId) -> Result<(), Refusal> {
    actor.must_sign(Role::Primary)?;
    let notice = tx.get::<Notice>(number)?;
    require!(
        notice.organisation == actor.number(),
        "M29.not-yours",
        notice = number,
        organisation = actor.number()
    );
    if notice.status != NoticeStatus::Served {
        refuse!("M29.not-served", notice = number, status = notice.status)
    }
    tx.advance(notice, "M29", NoticeStatus::Acknowledged)
}
