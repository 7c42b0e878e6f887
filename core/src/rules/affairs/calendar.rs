//! Working days (M39; RULINGS R12, A22): Monday to Friday, but for the days of a year that the secretary
//! files and a seat holder, or the chair, agrees to.
//!
//! * A filing is of this local year or the next. A newer one of the same year takes its place.
//! * Days that are over stay as they were, and a deadline that runs keeps its end: the days count for what
//!   begins afterwards.
//! * Every period in working days, and the end of every ballot, deadline and offer, is counted by them.
//!   Days of years that are over by more than one are forgotten; nothing counts back so far.

use crate::calendar::{Calendar, LocalDay};
use crate::id::CalendarId;
use crate::identity::{Role, Scope};
use crate::object::calendar::{CalendarFiling, CalendarStatus};
use crate::record::CalendarYear;
use crate::refusal::{Outcome, Refusal};
use crate::require;
use crate::rules::authority::{Actor, must_hold};
use crate::rules::chair::seat_holder_or_chair;
use crate::tx::Tx;

/// The filings of a year: the one that waits, and the one that counts.
fn of_year(tx: &Tx, year: u32) -> (Option<CalendarId>, Option<CalendarId>) {
    tx.t.calendar_years.get(&year).copied().unwrap_or_default()
}

/// Another filing takes the place of this one, if there is one.
fn replace(tx: &mut Tx, before: Option<CalendarId>) -> Result<(), Refusal> {
    let Some(number) = before else {
        return Ok(());
    };
    let before = tx.get::<CalendarFiling>(number)?;
    tx.advance(before, "M39", CalendarStatus::Replaced)
}

/// The secretary files the days of a year.
pub(crate) fn file(tx: &mut Tx, actor: &Actor, plan: &CalendarYear) -> Result<Outcome, Refusal> {
    must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    let this = tx.calendar().day_of(tx.now).date().year;
    let year = i64::from(plan.year);
    require!(
        year == this || year == this.saturating_add(1),
        "M39.other-year",
        year = plan.year,
        this = this
    );
    let (waits, counts) = of_year(tx, plan.year);
    replace(tx, waits)?;
    let number = tx.next_id::<CalendarId>();
    let filing = CalendarFiling {
        number,
        plan: plan.clone(),
        record: tx.record,
        filed_by: actor.signers.iter().map(|signer| signer.person).collect(),
        agreed_by: None,
        status: tx.begin::<CalendarFiling>(number, "M39", CalendarStatus::Filed)?,
        since_ms: tx.now,
    };
    tx.put(filing);
    tx.t.calendar_years().put(plan.year, (Some(number), counts));
    Ok(Outcome::Applied)
}

/// A seat holder, or the chair, agrees: from now on the days count.
pub(crate) fn confirm(tx: &mut Tx, actor: &Actor, number: CalendarId) -> Result<Outcome, Refusal> {
    let mut filing = tx.get::<CalendarFiling>(number)?;
    require!(
        filing.status == CalendarStatus::Filed,
        "M39.not-waiting",
        calendar = number,
        status = filing.status
    );
    let person = seat_holder_or_chair(tx, actor)?;
    require!(
        !filing.filed_by.contains(&person),
        "M39.same-person",
        person = person
    );
    let merged = merged(tx, &filing.plan);
    tx.t.working_days().put(0, merged);
    let year = filing.plan.year;
    replace(tx, of_year(tx, year).1)?;
    tx.t.calendar_years().put(year, (None, Some(number)));
    filing.agreed_by = Some((person, actor.number()));
    tx.advance(filing, "M39", CalendarStatus::InForce)?;
    Ok(Outcome::Applied)
}

/// The exceptions that count from now on: of the year those of the plan, as far as its days are not over.
fn merged(tx: &Tx, plan: &CalendarYear) -> Calendar {
    let before = tx.calendar();
    let today = before.day_of(tx.now);
    let year = i64::from(plan.year);
    let merge = |old: &[LocalDay], new: &[LocalDay]| {
        let kept = old.iter().filter(|day| {
            let of = day.date().year;
            let is_set_anew = of == year && **day > today;
            !is_set_anew && of.saturating_add(1) >= today.date().year
        });
        let set = new.iter().filter(|day| **day > today);
        let mut days: Vec<LocalDay> = kept.chain(set).copied().collect();
        days.sort_unstable();
        days.dedup();
        days
    };
    Calendar {
        offset_minutes: before.offset_minutes,
        holidays: merge(&before.holidays, &plan.holidays),
        working_weekends: merge(&before.working_weekends, &plan.working_weekends),
    }
}
