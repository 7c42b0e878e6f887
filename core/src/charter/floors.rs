//! The hard floors of a charter by name (domain 1.7), as a refused amendment is told of them (RULINGS R37).

use super::motions::{FloorError, MotionKind};

/// A floor that a charter goes below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// Every kind of motion has a rule.
    MissingRule,
    /// A share is a fraction of a whole.
    NoFraction,
    /// A majority is more than half.
    NoMajority,
    /// An amendment needs at least two thirds.
    AmendmentBelowTwoThirds,
    /// Only elections are decided by most votes.
    Plurality,
    /// Some matters belong to one body alone.
    WrongBody,
    /// A ballot is open for a time that can be.
    BallotTimes,
    /// A rejection cites a published criterion.
    NoCriterion,
    /// A committee decides nothing above the board's limit.
    CommitteeAboveBoard,
    /// A notice comes before the step that it announces.
    NoticeBeforeStep,
}

crate::words!(Floor, "floor", {
    MissingRule = "missing-rule",
    NoFraction = "no-fraction",
    NoMajority = "no-majority",
    AmendmentBelowTwoThirds = "amendment-below-two-thirds",
    Plurality = "plurality",
    WrongBody = "wrong-body",
    BallotTimes = "ballot-times",
    NoCriterion = "no-criterion",
    CommitteeAboveBoard = "committee-above-board",
    NoticeBeforeStep = "notice-before-step",
});

impl FloorError {
    /// The floor.
    pub fn floor(&self) -> Floor {
        match self {
            FloorError::Missing { .. } => Floor::MissingRule,
            FloorError::Fraction { .. } => Floor::NoFraction,
            FloorError::NoMajority { .. } => Floor::NoMajority,
            FloorError::Amendment(_) => Floor::AmendmentBelowTwoThirds,
            FloorError::Plurality(_) => Floor::Plurality,
            FloorError::Body { .. } => Floor::WrongBody,
            FloorError::Ballot { .. } => Floor::BallotTimes,
        }
    }

    /// The kind of motion whose rule goes below it.
    pub fn kind(&self) -> MotionKind {
        match self {
            FloorError::Missing { kind, .. }
            | FloorError::Fraction { kind, .. }
            | FloorError::NoMajority { kind, .. }
            | FloorError::Plurality(kind)
            | FloorError::Body { kind, .. }
            | FloorError::Ballot { kind, .. } => *kind,
            FloorError::Amendment(_) => MotionKind::AmendCharter,
        }
    }
}
