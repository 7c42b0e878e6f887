//! Questions that rules, nodes and auditors ask the tables. Nothing here writes.

use crate::id::Id;
use crate::refusal::Refusal;
use crate::state::{StateTables, Stored};

pub mod calendar;
pub mod directions;
pub mod draws;
pub mod groups;
pub mod payments;
pub mod posts;
pub mod protocol;
pub mod rights;
pub mod seats;

/// The object of this id. Refused with [`Object::UNKNOWN`](crate::object::Object::UNKNOWN), the
/// number as its fact, if the ledger has none.
pub fn find<T: Stored>(tables: &StateTables, id: T::Id) -> Result<&T, Refusal> {
    T::table(tables)
        .get(&id)
        .ok_or_else(|| Refusal::new(T::UNKNOWN, vec![(T::NAME, id.number().to_string())]))
}
