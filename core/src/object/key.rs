//! Keys of officers (M23): their transitions. The key itself stands in its person's row
//! ([`OfficerKey`]).

use rollbook_proof::number::LedgerTime;

use crate::id::PersonId;
use crate::identity::{KeyState, OfficerKey};
use crate::machine::Row;
use crate::object::Machine;
use crate::row;
use crate::step::Moving;

/// A key with whose it is and which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    /// The person.
    pub person: PersonId,
    /// Its number, counted from 0 in order of registration.
    pub number: u32,
    /// The key.
    pub key: OfficerKey,
}

/// Every transition.
pub static ROWS: [Row<KeyState>; 14] = {
    use KeyState::*;
    [
        row!("M25", None => InForce, "genesis", "possession proved"),
        row!("R16", None => InForce, "MEM, SEC", "a registration; possession proved"),
        row!("M32", None => InForce, "CLK", "a change of officers took effect; possession proved"),
        row!("M23", None => InForce, "officer", "in place of the key that signs; possession proved"),
        row!("R23", None => InForce, "CLK", "a recovery took effect; possession proved"),
        row!("M23", Some(InForce) => Ended, "officer, MEM", "rotated or revoked; two officers keep a key"),
        row!("M32", Some(InForce) => Ended, "CLK", "its holder left by a change of officers"),
        row!("R23", Some(InForce) => Ended, "CLK", "lost, or its holder left, by a recovery"),
        row!(
            "R7",
            Some(InForce) => Suspended,
            "seat holder, SEC",
            "two of distinct groups; once for a key"
        ),
        row!("R7", Some(Suspended) => InForce, "CLK", "not ratified in emergency_hours"),
        row!("R7", Some(Suspended) => Ended, "BRD", "ratified"),
        row!("M23", Some(Suspended) => Ended, "officer, MEM", "revoked for good meanwhile"),
        row!("M32", Some(Suspended) => Ended, "CLK", "its holder left meanwhile"),
        row!("R23", Some(Suspended) => Ended, "CLK", "a recovery took effect meanwhile"),
    ]
};

impl Machine for HeldKey {
    type State = KeyState;
    type Entry = KeyState;
    type Key = (PersonId, u32);
    const KIND: &'static str = "key";
    const ROWS: &'static [Row<KeyState>] = &ROWS;

    fn key(&self) -> (PersonId, u32) {
        (self.person, self.number)
    }

    fn state(&self) -> KeyState {
        self.key.state
    }

    fn state_of(entry: &KeyState) -> KeyState {
        *entry
    }

    fn enter(&mut self, entry: KeyState, now: LedgerTime, _: Moving) {
        self.key.state = entry;
        self.key.since_ms = now;
    }
}
