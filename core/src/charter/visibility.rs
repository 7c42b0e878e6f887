//! Which ballots are sealed until they are over (RULINGS R15).

use bincode::{Decode, Encode};

use crate::calendar::Period;
use crate::charter::motions::{MotionKind, MotionRule};

/// Which ballots are sealed until they are over (RULINGS R15).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum BallotVisibility {
    /// None: members read each ballot as it is cast.
    Open,
    /// Those of elections and of discipline.
    Sensitive,
    /// All.
    Sealed,
}

crate::words!(BallotVisibility, "ballot-visibility", {
    Open = "open",
    Sensitive = "sensitive",
    Sealed = "sealed",
});

impl BallotVisibility {
    /// Whether ballots by this rule are sealed. A ballot of hours decides what is urgent: it is open,
    /// since nobody waits for reveals there.
    pub fn seals(self, kind: MotionKind, rule: &MotionRule) -> bool {
        let sensitive = matches!(
            kind,
            MotionKind::ElectSeat
                | MotionKind::Suspend
                | MotionKind::Lift
                | MotionKind::Expel
                | MotionKind::Appeal
        );
        let urgent = matches!(rule.ballot_min, Period::Hours(_));
        match self {
            BallotVisibility::Open => false,
            BallotVisibility::Sensitive => sensitive && !urgent,
            BallotVisibility::Sealed => !urgent,
        }
    }
}
