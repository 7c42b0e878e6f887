//! The transition table of motions. Every change of a motion's status asks it.

use super::MotionStatus;
use crate::funding::{Row, Transition, describe};
use crate::row;

/// Every transition. Proposals and openings by a rule create the motion.
pub static ROWS: [Row<MotionStatus>; 20] = {
    use MotionStatus::*;
    [
        row!("R10", None => Gathering, "member with a vote in the assembly", "a kind of the assembly; effect possible"),
        row!("R10", None => Open, "who may propose the kind, or a rule of the ledger", "effect possible; ballot length in the rule"),
        row!("R10", Some(Gathering) => Open, "members", "1/5 of the assembly's voices (1/3 to dissolve) or over half of the board's"),
        row!("R10", Some(Gathering) => Lapsed, "CLK", "no such support in 30 days"),
        row!("R10", Some(Gathering) => Withdrawn, "proposer", ""),
        row!("R10", Some(Open) => Staying, "CLK", "passed"),
        row!("R10", Some(Open) => CarriedOut, "CLK", "a rescission passed; the motion it undoes still stays"),
        row!("R10", Some(Open) => Rejected, "CLK", "not passed"),
        row!("R10", Some(Open) => Waiting, "CLK", "no quorum, retable_limit not reached"),
        row!("R10", Some(Open) => Lapsed, "CLK", "no quorum, retable_limit reached"),
        row!("R10", Some(Open) => Open, "CLK", "too few unrelated voices: the body above decides"),
        row!("R10", Some(Open) => Void, "CLK", "not decidable, or the effect is not possible any more"),
        row!("R10", Some(Open) => Withdrawn, "proposer", "before the first ballot; or the object of the motion is gone"),
        row!("R10", Some(Waiting) => Open, "CLK", "retable_wait passed"),
        row!("R10", Some(Waiting) => Void, "CLK", "the effect is not possible any more"),
        row!("R10", Some(Waiting) => Withdrawn, "a rule of the ledger", "the object of the motion is gone"),
        row!("R10", Some(Staying) => CarriedOut, "CLK", "the stay ended; effect possible"),
        row!("R10", Some(Staying) => Void, "CLK", "the effect is not possible any more"),
        row!("R10", Some(Staying) => Rescinded, "the same body", "a rescission passed during the stay"),
        row!("R10", Some(Staying) => Withdrawn, "a rule of the ledger", "the object of the motion is gone"),
    ]
};

/// The rows, for documents and audits.
pub fn table() -> Vec<Transition> {
    describe("motion", &ROWS)
}
