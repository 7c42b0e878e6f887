//! What stands in the ledger: one file for each kind of object, with its fields and its transition
//! table. What acts do to an object is in [`crate::rules`].

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::Id;
use crate::machine::{Row, Transition, describe, step};
use crate::refusal::Refusal;
use crate::word::Word;

pub mod agreement;
pub mod application;
pub mod award;
pub mod call;
pub mod chain;
pub mod contribution;
pub mod deed;
pub mod direction;
pub mod draw;
pub mod fund;
pub mod invoice;
pub mod lane;
pub mod matter;
pub mod membership;
pub mod milestone;
pub mod motion;
pub mod node;
pub mod order;
pub mod payment;
pub mod post;
pub mod protocol;
pub mod relation;
pub mod review;
pub mod seat;

/// An object that the ledger numbers and keeps in a table of its own.
pub trait Object {
    /// The word for the kind of object, and the name of the fact that holds its number: `payment`.
    const NAME: &'static str;
    /// The refusal of a number that the ledger does not know: `A4.unknown-payment`.
    const UNKNOWN: &'static str;

    /// The type of its id.
    type Id: Id;

    /// Its id.
    fn id(&self) -> Self::Id;
}

/// A thing whose state moves by one table of transitions.
pub trait Machine {
    /// Its states, without the facts of a case.
    type State: Copy + PartialEq + Word + 'static;
    /// What a step leads to: the state, with the facts of the case where it has some.
    type Entry;

    /// The word for the kind of thing in tables of transitions.
    const KIND: &'static str;
    /// Every transition.
    const ROWS: &'static [Row<Self::State>];

    /// Where it stands.
    fn state(&self) -> Self::State;

    /// The state that an entry leads to.
    fn state_of(entry: &Self::Entry) -> Self::State;

    /// Takes the entry over at ledger time `now`, in milliseconds. [`Machine::go`] alone asks it.
    fn enter(&mut self, entry: Self::Entry, now: LedgerTime);

    /// Moves by the table at ledger time `now`, in milliseconds. Refused with `<code>.wrong-state`
    /// unless the table has the row (code, from, to).
    fn go(&mut self, code: &'static str, to: Self::Entry, now: LedgerTime) -> Result<(), Refusal> {
        step(Self::ROWS, code, Some(self.state()), Self::state_of(&to))?;
        self.enter(to, now);
        Ok(())
    }
}

/// The transitions of a kind in words.
pub fn transitions<M: Machine>() -> Vec<Transition> {
    describe(M::KIND, M::ROWS)
}

/// Implements [`Object`] for a struct with a field `number`.
macro_rules! object {
    ($type:ty, $id:ty, $name:literal) => {
        impl $crate::object::Object for $type {
            const NAME: &'static str = $name;
            const UNKNOWN: &'static str = concat!("A4.unknown-", $name);
            type Id = $id;

            fn id(&self) -> $id {
                self.number
            }
        }
    };
}

/// Implements [`Machine`] by the file's `ROWS` for a struct with a field that holds the state and a
/// field `since_ms`.
macro_rules! machine {
    ($type:ty, $kind:literal, $state:ty, $field:ident) => {
        impl $crate::object::Machine for $type {
            type State = $state;
            type Entry = $state;
            const KIND: &'static str = $kind;
            const ROWS: &'static [$crate::machine::Row<$state>] = &ROWS;

            fn state(&self) -> $state {
                self.$field
            }
            fn state_of(entry: &$state) -> $state {
                *entry
            }
            fn enter(&mut self, entry: $state, now: LedgerTime) {
                self.$field = entry;
                self.since_ms = now;
            }
        }
    };
}

object!(
    crate::identity::Organisation,
    OrganisationId,
    "organisation"
);

pub(crate) use {machine, object};
