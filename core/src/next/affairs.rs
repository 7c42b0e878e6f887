//! What is next of directions, observers and their statements, working days, corrections, orders.

use rollbook_proof::number::OrganisationId;

use super::{Found, Object};
use crate::id::{CalendarId, CorrectionId, DirectionId, MotionId, OrderId, StatementId};
use crate::lookup::directions;
use crate::object::{calendar, correction};
use crate::record::Corrected;
use crate::state::StateTables;
use crate::word::Word as _;

pub(super) fn of(tables: &StateTables, object: Object, number: u32) -> Option<Found> {
    Some(match object {
        Object::Direction => {
            let direction = DirectionId(number);
            tables.directions.get(&direction)?;
            let lead = directions::lead(tables, direction).map(|lead| lead.organisation);
            let state = if lead.is_some() {
                "led"
            } else {
                "without-lead"
            };
            Found::new(object, number, state).of(lead)
        }
        Object::Observer => {
            let entry = tables.observers.get(&OrganisationId(number))?;
            let motion = entry.motion.map(|MotionId(motion)| motion);
            Found::new(object, number, entry.status.word())
                .of(Some(entry.number))
                .see(Object::Motion, motion)
        }
        Object::Statement => {
            let entry = tables.statements.get(&StatementId(number))?;
            let motion = entry.entry.motion.map(|MotionId(motion)| motion);
            Found::new(object, number, "filed")
                .of(Some(entry.organisation))
                .see(Object::Motion, motion)
        }
        // Whoever must act on an order acts by motion.
        Object::Order => {
            let entry = tables.orders.get(&OrderId(number))?;
            Found::new(object, number, "filed").of(entry.order.about)
        }
        Object::Calendar => {
            let entry = tables.calendars.get(&CalendarId(number))?;
            let found = Found::new(object, number, entry.status.word());
            match entry.status {
                calendar::CalendarStatus::Filed => found.who("seat holder"),
                calendar::CalendarStatus::InForce | calendar::CalendarStatus::Replaced => found,
            }
        }
        Object::Correction => {
            let entry = tables.corrections.get(&CorrectionId(number))?;
            let found = Found::new(object, number, entry.status.word());
            let found = match subject_of(entry.entry.subject) {
                Some((object, number)) => found.see(object, Some(number)),
                None => found,
            };
            match entry.status {
                correction::CorrectionStatus::Filed => found.who(confirmer(entry.entry.subject)),
                correction::CorrectionStatus::Confirmed
                | correction::CorrectionStatus::Declined => found,
            }
        }
        _ => return None,
    })
}

/// The object in which a correction finds the error; none: an entry of money, which has no number.
fn subject_of(subject: Corrected) -> Option<(Object, u32)> {
    Some(match subject {
        Corrected::Order(order) => (Object::Order, order.0),
        Corrected::Statement(statement) => (Object::Statement, statement.0),
        Corrected::Fund(fund) => (Object::Fund, fund.0),
        Corrected::Call(call) => (Object::Call, call.0),
        Corrected::Entry(_) => return None,
    })
}

/// Who confirms a correction of it, as tables of transitions name them.
fn confirmer(subject: Corrected) -> &'static str {
    match subject {
        Corrected::Order(_) | Corrected::Fund(_) => "seat holder",
        Corrected::Statement(_) => "SEC",
        Corrected::Call(_) | Corrected::Entry(_) => "OFF",
    }
}
