//! Proceedings, suspension, expulsion, appeal (M14 to M17, M30; RULINGS R5, R9, R18).
//!
//! * The secretary opens a proceeding, or two seat holders of distinct groups, nobody of them of the
//!   member's group. It has a ground and reasons; the notice tells the member. The member replies, and
//!   is heard or waives it.
//! * The board suspends and the assembly expels, by motion (the charter may name other bodies). A motion
//!   is proposed once the notice and the hearing lie long enough back, so no decision takes effect
//!   sooner. Nobody is expelled whom no warning reached before the proceeding. The member has no voice.
//! * The motion names the proceeding, not the member: who it is stands in records and objects that only
//!   members read, until the decision.
//! * A suspension ends with its days, or is lifted. An expelled member has the rights of a suspended one
//!   until the expulsion is final: after the days to appeal, or when the appeal has failed. Upheld, the
//!   member stands where it stood.
//! * A proceeding that leads to no motion lapses. One that is open when the membership ends, ends.

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::{ends, leaving, notice};
use crate::calendar::{Period, end_of_local_day};
use crate::charter::StandingParameters;
use crate::event::EventBody;
use crate::id::{MembershipId, MotionId, NoticeId, ProceedingId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{find, groups};
use crate::object::matter::Matter;
use crate::object::membership::{Discipline, DisciplinePart, Live, Membership, Standing};
use crate::object::motion::Failure;
use crate::object::proceeding::{Heard, Proceeding, ProceedingStatus};
use crate::record::{
    ExpelMember, HearingEntry, LiftSuspension, MotionEffect, NoticeAbout, ProceedingEntry,
    SuspendMember, UpholdAppeal,
};
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::chair::seat_holder_or_chair;
use crate::rules::effect::{Effect, Planned, motions_of};
use crate::rules::membership::admission::moved;
use crate::rules::motion;
use crate::rules::motion::Opening;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

fn parameters(tx: &Tx) -> Result<StandingParameters, Refusal> {
    Ok(tx.charter()?.standing)
}

/// The proceeding of a membership that is not over, one that a seat holder alone has filed included.
fn filed_or_open(tx: &Tx, membership: MembershipId) -> Option<ProceedingId> {
    tx.t.proceeding_of.get(&membership).copied()
}

/// The proceeding of a membership that is open; of one that has ended, the one that it left behind. What
/// one seat holder has filed is none yet (R9).
pub fn open_proceeding(tx: &Tx, membership: MembershipId) -> Option<ProceedingId> {
    let number = filed_or_open(tx, membership)?;
    let proceeding = tx.t.proceedings.get(&number)?;
    (proceeding.status != ProceedingStatus::Filed).then_some(number)
}

/// Opened by the secretary, or filed by a seat holder.
pub(super) fn open(tx: &mut Tx, actor: &Actor, entry: &ProceedingEntry) -> Result<(), Refusal> {
    let by_secretary = actor.organisation.kind == OrganisationKind::Office
        && actor.signer(Role::Secretary).is_some();
    if by_secretary {
        must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    } else {
        seat_holder_or_chair(tx, actor)?;
    }
    let membership = find::<Membership>(&tx.t, entry.membership)?.clone();
    require_unrelated(tx, actor, membership.organisation)?;
    require!(
        matches!(membership.standing, Standing::Live(_)),
        "M30.not-a-member",
        membership = membership.number
    );
    if let Some(other) = filed_or_open(tx, membership.number) {
        // What one seat holder has filed gives way to the secretary's.
        let filed = tx.get::<Proceeding>(other)?;
        if !by_secretary || filed.status != ProceedingStatus::Filed {
            refuse!("M30.another-open", proceeding = other)
        }
        over(tx, filed, ProceedingStatus::Lapsed)?;
    }
    let number = tx.next_id::<ProceedingId>();
    let status = if by_secretary {
        ProceedingStatus::Open
    } else {
        ProceedingStatus::Filed
    };
    let proceeding = Proceeding {
        number,
        membership: membership.number,
        organisation: membership.organisation,
        entry: entry.clone(),
        record: tx.record,
        by: actor.number(),
        opened_ms: tx.now,
        notice: None,
        noticed_ms: None,
        reply: None,
        heard: None,
        heard_ms: None,
        appeal: None,
        closed: None,
        suspension_rest_ms: None,
        status: tx.begin::<Proceeding>(number, "M30", status)?,
        since_ms: tx.now,
    };
    tx.put(proceeding);
    tx.t.proceeding_of().put(membership.number, number);
    lapses(tx, number)
}

/// From now on its time runs.
fn lapses(tx: &mut Tx, number: ProceedingId) -> Result<(), Refusal> {
    let days = parameters(tx)?.proceeding_days;
    let at = tx.deadline(Period::Days(days));
    tx.schedule(DeadlineKind::ProceedingLapse, number, at);
    Ok(())
}

/// Another seat holder, of another group, agrees to open it.
pub(super) fn agree(tx: &mut Tx, actor: &Actor, number: ProceedingId) -> Result<(), Refusal> {
    seat_holder_or_chair(tx, actor)?;
    let mut proceeding = tx.get::<Proceeding>(number)?;
    require!(
        proceeding.status == ProceedingStatus::Filed,
        "M30.not-filed",
        proceeding = number,
        status = proceeding.status
    );
    require!(
        !groups::related(&tx.t, proceeding.by, actor.number()),
        "M30.same-group",
        organisation = actor.number()
    );
    require_unrelated(tx, actor, proceeding.organisation)?;
    proceeding.opened_ms = tx.now;
    tx.advance(proceeding, "M30", ProceedingStatus::Open)?;
    lapses(tx, number)
}

/// An open proceeding. Refused with `M30.not-open`.
fn is_open(tx: &Tx, number: ProceedingId) -> Result<Proceeding, Refusal> {
    let proceeding = tx.get::<Proceeding>(number)?;
    require!(
        proceeding.status == ProceedingStatus::Open,
        "M30.not-open",
        proceeding = number,
        status = proceeding.status
    );
    Ok(proceeding)
}

/// The same, if the member's primary signs. Refused with `M30.not-yours`.
fn own(tx: &Tx, actor: &Actor, number: ProceedingId) -> Result<Proceeding, Refusal> {
    actor.must_sign(Role::Primary)?;
    let proceeding = tx.get::<Proceeding>(number)?;
    require!(
        proceeding.organisation == actor.number(),
        "M30.not-yours",
        proceeding = number,
        organisation = actor.number()
    );
    Ok(proceeding)
}

/// M29: its notice is served.
pub(super) fn noticed(tx: &mut Tx, number: ProceedingId, notice: NoticeId) -> Result<(), Refusal> {
    let mut proceeding = tx.get::<Proceeding>(number)?;
    (proceeding.notice, proceeding.noticed_ms) = (Some(notice), Some(tx.now));
    tx.put(proceeding);
    Ok(())
}

/// The member replies; the last reply counts.
pub(super) fn reply(
    tx: &mut Tx,
    actor: &Actor,
    number: ProceedingId,
    document: &Hash,
) -> Result<(), Refusal> {
    own(tx, actor, number)?;
    let mut proceeding = is_open(tx, number)?;
    proceeding.reply = Some(*document);
    tx.put(proceeding);
    Ok(())
}

/// The secretary records the hearing.
pub(super) fn hear(tx: &mut Tx, actor: &Actor, entry: &HearingEntry) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    let mut proceeding = is_open(tx, entry.proceeding)?;
    require_unrelated(tx, actor, proceeding.organisation)?;
    let Some(noticed) = proceeding.noticed_ms else {
        refuse!("M30.no-notice", proceeding = entry.proceeding)
    };
    let calendar = tx.calendar();
    let (today, noticed) = (calendar.day_of(tx.now), calendar.day_of(noticed));
    require!(
        (noticed..=today).contains(&entry.day),
        "M30.hearing-day",
        day = entry.day,
        noticed = noticed,
        today = today
    );
    proceeding.heard = Some(Heard::Held(*entry));
    proceeding.heard_ms = Some(end_of_local_day(entry.day, calendar.offset_minutes));
    tx.put(proceeding);
    Ok(())
}

/// The member waives the hearing.
pub(super) fn waive(tx: &mut Tx, actor: &Actor, number: ProceedingId) -> Result<(), Refusal> {
    own(tx, actor, number)?;
    let mut proceeding = is_open(tx, number)?;
    require!(
        proceeding.heard.is_none(),
        "M30.heard-already",
        proceeding = number
    );
    proceeding.heard = Some(Heard::Waived);
    proceeding.heard_ms = Some(tx.now);
    tx.put(proceeding);
    Ok(())
}

/// The motion about a proceeding that is not decided.
fn motion_about(tx: &Tx, proceeding: &Proceeding) -> Option<MotionId> {
    let names = |effect: &MotionEffect| match effect {
        MotionEffect::SuspendMember(plan) => plan.proceeding == proceeding.number,
        MotionEffect::ExpelMember(plan) => plan.proceeding == proceeding.number,
        MotionEffect::UpholdAppeal(plan) => plan.proceeding == proceeding.number,
        _ => false,
    };
    let motions = motions_of(tx, Matter::Membership(proceeding.membership));
    let open = motions
        .into_iter()
        .find(|motion| !motion.status.is_final() && names(&motion.effect));
    open.map(|motion| motion.number)
}

/// The secretary closes it without a measure.
pub(super) fn close(
    tx: &mut Tx,
    actor: &Actor,
    number: ProceedingId,
    reasons: &Hash,
) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    let mut proceeding = is_open(tx, number)?;
    require_unrelated(tx, actor, proceeding.organisation)?;
    if let Some(motion) = motion_about(tx, &proceeding) {
        refuse!("M30.motion-open", motion = motion)
    }
    proceeding.closed = Some(*reasons);
    over(tx, proceeding, ProceedingStatus::Closed)
}

/// A proceeding is over.
fn over(tx: &mut Tx, proceeding: Proceeding, to: ProceedingStatus) -> Result<(), Refusal> {
    let (number, membership) = (proceeding.number, proceeding.membership);
    tx.cancel(DeadlineKind::ProceedingLapse, number);
    tx.t.proceeding_of().remove(membership);
    tx.advance(proceeding, "M30", to)?;
    notice::drop_filed(tx, membership, |about| {
        *about == NoticeAbout::Proceeding(number)
    })?;
    leaving::proceeding_over(tx, membership)
}

/// M30: its time is over. It waits for a motion that is under way.
pub(super) fn on_lapse(tx: &mut Tx, number: ProceedingId, due: Due) -> Result<(), Refusal> {
    let proceeding = tx.get::<Proceeding>(number)?;
    if motion_about(tx, &proceeding).is_some() {
        return lapses(tx, number);
    }
    let record = proceeding.record;
    over(tx, proceeding, ProceedingStatus::Lapsed)?;
    tx.emit(due, EventBody::ProceedingLapsed { record });
    Ok(())
}

/// The live membership of a number.
fn live(tx: &Tx, number: MembershipId) -> Result<(Membership, Live), Refusal> {
    let membership = find::<Membership>(&tx.t, number)?.clone();
    match membership.standing {
        Standing::Live(live) => Ok((membership, live)),
        _ => refuse!("M14.not-a-member", membership = number),
    }
}

/// Moves the discipline of a membership.
fn go(
    tx: &mut Tx,
    number: MembershipId,
    code: &'static str,
    to: Discipline,
) -> Result<Membership, Refusal> {
    let (mut membership, live) = live(tx, number)?;
    let mut part = DisciplinePart {
        membership: number,
        discipline: live.discipline,
    };
    tx.go(&mut part, code, to)?;
    membership.standing = Standing::Live(Live {
        discipline: part.discipline,
    });
    tx.put(membership.clone());
    Ok(membership)
}

/// The discipline part of a new member.
pub(super) fn begin(
    tx: &mut Tx,
    membership: MembershipId,
    code: &'static str,
) -> Result<(), Refusal> {
    tx.begin::<DisciplinePart>(membership, code, Discipline::None)?;
    Ok(())
}

/// What must hold when a measure is proposed: notice and hearing, each long enough before.
fn ripe(tx: &Tx, number: ProceedingId) -> Result<(), Refusal> {
    let proceeding = is_open(tx, number)?;
    let days = parameters(tx)?;
    let calendar = tx.calendar();
    let Some(noticed) = proceeding.noticed_ms else {
        refuse!("M30.no-notice", proceeding = number)
    };
    let from = calendar.delay(noticed, Period::Days(days.discipline_notice_days));
    require!(tx.now > from, "M14.too-soon-after-notice", until = from);
    let Some(heard) = proceeding.heard_ms else {
        refuse!("M14.no-hearing", proceeding = number)
    };
    let from = calendar.delay(heard, Period::Days(days.hearing_days));
    require!(tx.now > from, "M14.too-soon-after-hearing", until = from);
    if let Some(motion) = motion_about(tx, &proceeding) {
        refuse!("M30.motion-open", motion = motion)
    }
    Ok(())
}

fn organisation_of(tx: &Tx, number: ProceedingId) -> Vec<OrganisationId> {
    let proceeding = tx.t.proceedings.get(&number);
    proceeding
        .map(|proceeding| proceeding.organisation)
        .into_iter()
        .collect()
}

fn matter_of(tx: &Tx, number: ProceedingId, motion: MotionId) -> Matter {
    let proceeding = tx.t.proceedings.get(&number);
    proceeding.map_or(Matter::Motion(motion), |proceeding| {
        Matter::Membership(proceeding.membership)
    })
}

impl Effect for SuspendMember {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        matter_of(tx, self.proceeding, motion)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        organisation_of(tx, self.proceeding)
    }

    fn proposable(&self, tx: &Tx) -> Result<(), Refusal> {
        ripe(tx, self.proceeding)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let proceeding = is_open(tx, self.proceeding)?;
        let most = parameters(tx)?.suspend_max_days;
        require!(
            (1..=most).contains(&self.days),
            "M14.days",
            days = self.days,
            limit = most
        );
        let (_, live) = live(tx, proceeding.membership)?;
        require!(
            live.discipline == Discipline::None,
            "M14.suspended-already",
            membership = proceeding.membership
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        let proceeding = is_open(tx, self.proceeding)?;
        let number = proceeding.membership;
        over(tx, proceeding, ProceedingStatus::Suspended)?;
        let membership = go(tx, number, "M14", Discipline::Suspended)?;
        let at = tx.delay(Period::Days(self.days));
        tx.schedule(DeadlineKind::SuspensionEnd, number, at);
        moved(tx, due, &membership, "M14", Some(motion));
        Ok(())
    }
}

impl Effect for LiftSuspension {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Membership(self.membership)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        let membership = tx.t.memberships.get(&self.membership);
        membership
            .map(|membership| membership.organisation)
            .into_iter()
            .collect()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let (_, live) = live(tx, self.membership)?;
        require!(
            live.discipline == Discipline::Suspended,
            "M15.not-suspended",
            membership = self.membership
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        tx.cancel(DeadlineKind::SuspensionEnd, self.membership);
        let membership = go(tx, self.membership, "M15", Discipline::None)?;
        moved(tx, due, &membership, "M15", Some(motion));
        Ok(())
    }
}

/// M15: the days of a suspension are over.
pub(super) fn on_suspension_end(
    tx: &mut Tx,
    number: MembershipId,
    due: Due,
) -> Result<(), Refusal> {
    let membership = go(tx, number, "M15", Discipline::None)?;
    moved(tx, due, &membership, "M15", None);
    Ok(())
}

/// M16: whether a warning reached the member before the proceeding.
fn was_warned(tx: &Tx, proceeding: &Proceeding) -> bool {
    let before = |at: LedgerTime| at < proceeding.opened_ms;
    notice::of(tx, proceeding.membership).iter().any(|notice| {
        matches!(notice.entry.subject, NoticeAbout::Warning(_))
            && notice.served_ms.is_some_and(before)
    })
}

impl Effect for ExpelMember {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        matter_of(tx, self.proceeding, motion)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        organisation_of(tx, self.proceeding)
    }

    fn proposable(&self, tx: &Tx) -> Result<(), Refusal> {
        ripe(tx, self.proceeding)?;
        let proceeding = is_open(tx, self.proceeding)?;
        require!(
            was_warned(tx, &proceeding),
            "M16.no-warning",
            membership = proceeding.membership
        );
        Ok(())
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let proceeding = is_open(tx, self.proceeding)?;
        live(tx, proceeding.membership).map(|_| ())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        let mut proceeding = is_open(tx, self.proceeding)?;
        let number = proceeding.membership;
        proceeding.suspension_rest_ms = tx
            .due(DeadlineKind::SuspensionEnd, number)
            .map(|at| at.0.saturating_sub(tx.now.0));
        tx.cancel(DeadlineKind::SuspensionEnd, number);
        tx.cancel(DeadlineKind::ProceedingLapse, self.proceeding);
        tx.advance(proceeding, "M30", ProceedingStatus::Expelled)?;
        let membership = go(tx, number, "M16", Discipline::ExpulsionPending)?;
        let days = parameters(tx)?.expulsion_appeal_days;
        let at = tx.deadline(Period::Days(days));
        tx.schedule(DeadlineKind::ExpulsionFinal, number, at);
        moved(tx, due, &membership, "M16", Some(motion));
        Ok(())
    }
}

/// M17: the expelled member appeals. The motion is opened by this rule.
pub(super) fn appeal(
    tx: &mut Tx,
    actor: &Actor,
    number: ProceedingId,
    grounds: &Hash,
) -> Result<(), Refusal> {
    let mut proceeding = own(tx, actor, number)?;
    require!(
        proceeding.status == ProceedingStatus::Expelled,
        "M17.not-expelled",
        proceeding = number,
        status = proceeding.status
    );
    tx.cancel(DeadlineKind::ExpulsionFinal, proceeding.membership);
    tx.go(&mut proceeding, "M30", ProceedingStatus::Appealed)?;
    tx.put(proceeding.clone());
    let effect = MotionEffect::UpholdAppeal(UpholdAppeal { proceeding: number });
    let body = effect.plan().body(tx, effect.kind())?;
    let motion = motion::open(
        tx,
        Opening {
            effect,
            proposer: None,
            body,
            text: *grounds,
            ballot_days: None,
        },
    )?;
    proceeding.appeal = Some(motion);
    tx.put(proceeding);
    Ok(())
}

/// M16: the expulsion is final, and the membership ends.
fn expelled(tx: &mut Tx, number: MembershipId, due: Due) -> Result<(), Refusal> {
    if let Some(proceeding) = open_proceeding(tx, number) {
        let proceeding = tx.get::<Proceeding>(proceeding)?;
        over(tx, proceeding, ProceedingStatus::Final)?;
    }
    let mut membership = find::<Membership>(&tx.t, number)?.clone();
    tx.go(&mut membership, "M16", Standing::Expelled)?;
    tx.put(membership.clone());
    moved(tx, due, &membership, "M16", None);
    ends::end_what_hangs_on(tx, &membership, "M16", Some(due))
}

/// M16: the days to appeal are over.
pub(super) fn on_final(tx: &mut Tx, number: MembershipId, due: Due) -> Result<(), Refusal> {
    expelled(tx, number, due)
}

impl Effect for UpholdAppeal {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        matter_of(tx, self.proceeding, motion)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        organisation_of(tx, self.proceeding)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let proceeding = find::<Proceeding>(&tx.t, self.proceeding)?;
        require!(
            proceeding.status == ProceedingStatus::Appealed,
            "M17.not-appealed",
            proceeding = self.proceeding,
            status = proceeding.status
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        let proceeding = tx.get::<Proceeding>(self.proceeding)?;
        let (number, rest) = (proceeding.membership, proceeding.suspension_rest_ms);
        over(tx, proceeding, ProceedingStatus::Upheld)?;
        let to = match rest {
            Some(rest) => {
                let at = tx.now.plus_ms(rest);
                tx.schedule(DeadlineKind::SuspensionEnd, number, at);
                Discipline::Suspended
            }
            None => Discipline::None,
        };
        let membership = go(tx, number, "M17", to)?;
        moved(tx, due, &membership, "M17", Some(motion));
        Ok(())
    }

    fn failed(
        &self,
        tx: &mut Tx,
        _motion: MotionId,
        due: Due,
        _failure: Failure,
    ) -> Result<(), Refusal> {
        let proceeding = tx.get::<Proceeding>(self.proceeding)?;
        // Nothing is left to decide where the membership ended meanwhile.
        if proceeding.status != ProceedingStatus::Appealed {
            return Ok(());
        }
        expelled(tx, proceeding.membership, due)
    }
}

/// The membership ended: so does what is open against the member.
pub(super) fn membership_ended(tx: &mut Tx, number: MembershipId) -> Result<(), Refusal> {
    tx.cancel(DeadlineKind::SuspensionEnd, number);
    tx.cancel(DeadlineKind::ExpulsionFinal, number);
    notice::drop_filed(tx, number, NoticeAbout::is_of_discipline)?;
    let Some(proceeding) = filed_or_open(tx, number) else {
        return Ok(());
    };
    let proceeding = tx.get::<Proceeding>(proceeding)?;
    let motion = motion_about(tx, &proceeding);
    let left = (proceeding.status != ProceedingStatus::Filed).then_some(proceeding.number);
    over(tx, proceeding, ProceedingStatus::Ended)?;
    // It stays beside the membership: who left it behind waits longer before a new application (R5).
    if let Some(left) = left {
        tx.t.proceeding_of().put(number, left);
    }
    // What was to be decided has no object any more.
    match motion {
        Some(motion) => motion::drop_motion(tx, motion),
        None => Ok(()),
    }
}
