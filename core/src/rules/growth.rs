//! Growth has a price (RULINGS A50): what an organisation, and what one person, may add to the
//! ledger in a local day, in records, bytes and keys.
//!
//! * A record counts for its principal and for the officer who began it, who has half of the
//!   principal's limit.
//! * Limits are the charter's: of an office, of a member, of who is neither.
//! * [`Share::Reserved`](crate::record::Share) has the limits once more for itself, so nobody's
//!   ballot waits because of what a colleague imported.
//! * What is refused adds nothing; what is recorded without effect counts.
//!
//! Introductions are counted where they are made ([`crate::rules::registration`]).

use crate::calendar::LocalDay;
use crate::charter::DayLimits;
use crate::identity::OrganisationKind;
use crate::lookup::rights;
use crate::object::growth::{Grower, Grown, Growth};
use crate::record::Record;
use crate::refusal::Refusal;
use crate::require;
use crate::rules::authority::Actor;
use crate::tx::Tx;

/// Takes a record whose leaf in clear has `bytes` bytes into account. Refused with `A50.day-full`.
pub fn count(tx: &mut Tx, actor: &Actor, record: &Record, bytes: usize) -> Result<(), Refusal> {
    let charter = tx.charter()?;
    let limits = match actor.organisation.kind {
        OrganisationKind::Office => charter.growth.office,
        _ if rights::is_live(&tx.t, actor.number()) => charter.growth.member,
        OrganisationKind::Company | OrganisationKind::Observer => charter.growth.other,
    };
    let today = LocalDay::of(tx.now, charter.offset_minutes);
    let added = Grown {
        day: today,
        records: 1,
        bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        keys: u32::try_from(record.payload.body.new_keys()).unwrap_or(u32::MAX),
    };
    let share = record.payload.body.share();
    let growers = [
        (Grower::Organisation(actor.number()), limits),
        (Grower::Person(actor.officer), limits.half()),
    ];
    for (grower, limits) in growers {
        let before = tx.t.grown.get(&(grower, share)).copied();
        let before = before.filter(|grown| grown.day == today);
        let grown = add(before.unwrap_or_default(), added);
        within(&grown, &limits, grower)?;
        tx.t.grown().put((grower, share), grown);
    }
    Ok(())
}

fn add(before: Grown, added: Grown) -> Grown {
    Grown {
        day: added.day,
        records: before.records.saturating_add(added.records),
        bytes: before.bytes.saturating_add(added.bytes),
        keys: before.keys.saturating_add(added.keys),
    }
}

fn within(grown: &Grown, limits: &DayLimits, grower: Grower) -> Result<(), Refusal> {
    let sums = [
        (Growth::Records, grown.records, limits.records),
        (Growth::Bytes, grown.bytes, limits.bytes),
        (Growth::Keys, grown.keys, limits.keys),
    ];
    for (growth, sum, limit) in sums {
        require!(
            sum <= limit,
            "A50.day-full",
            grower = grower,
            growth = growth,
            limit = limit
        );
    }
    Ok(())
}
