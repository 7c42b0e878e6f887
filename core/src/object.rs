//! What stands in the ledger: one file for each kind of object, with its fields and its transition
//! table. What acts do to an object is in [`crate::rules`].

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::Id;
use crate::machine::{Row, Transition, describe, step};
use crate::refusal::Refusal;
use crate::step::{Moving, Subject};
use crate::word::Word;

pub mod agreement;
pub mod application;
pub mod award;
pub mod calendar;
pub mod call;
pub mod chain;
pub mod change;
pub mod contribution;
pub mod correction;
pub mod deed;
pub mod delegation;
pub mod direction;
pub mod draft;
pub mod draw;
pub mod fund;
pub mod growth;
pub mod invoice;
pub mod key;
pub mod key_recovery;
pub mod lane;
pub mod matter;
pub mod measure;
pub mod membership;
pub mod milestone;
pub mod motion;
pub mod node;
pub mod notice;
pub mod observer;
pub mod order;
pub mod payment;
pub mod plan;
pub mod post;
pub mod proceeding;
pub mod protocol;
pub mod recovery;
pub mod relation;
pub mod review;
pub mod revocation;
pub mod seat;
pub mod stand_in;
pub mod turn;

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
    /// What names one of the kind.
    type Key: Into<Subject>;

    /// The word for the kind of thing in tables of transitions.
    const KIND: &'static str;
    /// Every transition.
    const ROWS: &'static [Row<Self::State>];

    /// Which one it is.
    fn key(&self) -> Self::Key;

    /// Where it stands.
    fn state(&self) -> Self::State;

    /// The state that an entry leads to.
    fn state_of(entry: &Self::Entry) -> Self::State;

    /// Takes the entry over at ledger time `now`, in milliseconds. Only a transaction can ask it,
    /// which has the [`Moving`] for it (RULINGS R26).
    fn enter(&mut self, entry: Self::Entry, now: LedgerTime, moving: Moving);

    /// Whether the table has the row (code, from where it stands, to): said before the guards of a
    /// transition are looked at. Refused with `<code>.wrong-state`.
    fn may(&self, code: &'static str, to: Self::State) -> Result<(), Refusal> {
        step(Self::ROWS, code, Some(self.state()), to).map(|_| ())
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
/// field `since_ms`. What no number names alone says by a last argument which one it is.
macro_rules! machine {
    ($type:ty, $kind:literal, $state:ty, $field:ident) => {
        $crate::object::machine!(
            $type,
            $kind,
            $state,
            $field,
            <$type as $crate::object::Object>::Id,
            |object| $crate::object::Object::id(object)
        );
    };
    ($type:ty, $kind:literal, $state:ty, $field:ident, $key_type:ty, $key:expr) => {
        impl $crate::object::Machine for $type {
            type State = $state;
            type Entry = $state;
            type Key = $key_type;
            const KIND: &'static str = $kind;
            const ROWS: &'static [$crate::machine::Row<$state>] = &ROWS;

            fn key(&self) -> $key_type {
                let of: fn(&$type) -> $key_type = $key;
                of(self)
            }
            fn state(&self) -> $state {
                self.$field
            }
            fn state_of(entry: &$state) -> $state {
                *entry
            }
            fn enter(&mut self, entry: $state, now: LedgerTime, _: $crate::step::Moving) {
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
