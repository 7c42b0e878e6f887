//! What becomes of a record, in words that every rule shares.
//!
//! Two refusals (RULINGS A4): *inadmissible* ([`Refusal`]) is never in a block; *recorded without
//! effect* ([`Outcome::NotCounted`]) is in the log and changes nothing but what its rule says.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text};
use rollbook_proof::crypto::{Hash, KeyError, KeyKind};
use rollbook_proof::number::{EpochId, Height, LedgerTime, OrganisationId, ProtocolVersion};

use crate::account::{Amount, Balance};
use crate::calendar::{LocalDay, Period};
use crate::id::{
    AgreementId, ApplicationId, AwardId, CalendarId, CallId, ChangeId, CharterVersion,
    ContributionId, CorrectionId, DelegationId, DirectionId, DraftId, DrawId, FundId, GroupId,
    GuaranteeId, HoldingId, InstalmentId, InvoiceId, KeyRecoveryId, LineId, MeasureId,
    MembershipId, MilestoneId, MotionId, NoticeId, OrderId, PaymentId, PersonId, PlanId, PostId,
    ProceedingId, RecoveryId, RelationId, ReviewId, RevocationId, SeatId, StatementId,
};
use crate::word::Fact;

/// Why a record is inadmissible: a language-free code, such as `M01.live-membership`, and the facts
/// of the case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// Transition or ruling, a dot, and the guard.
    pub code: &'static str,
    /// Named facts, for the message in the reader's language.
    pub facts: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with its facts.
    pub fn new(code: &'static str, facts: Vec<(&'static str, String)>) -> Self {
        Refusal { code, facts }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        for (i, (name, value)) in self.facts.iter().enumerate() {
            write!(f, "{}{name} {value}", if i == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Facts that are their own text.
macro_rules! plain {
    ($($type:ty),* $(,)?) => { $(
        impl Fact for $type {
            fn fact(&self) -> String {
                self.to_string()
            }
        }
    )* };
}

/// Facts that are the number inside.
macro_rules! digits {
    ($($type:ident),* $(,)?) => { $(
        impl Fact for $type {
            fn fact(&self) -> String {
                self.0.fact()
            }
        }
    )* };
}

impl<const N: usize> Fact for Text<N> {
    fn fact(&self) -> String {
        self.to_string()
    }
}

plain!(str, String, u8, u32, u64, u128, i64, i128, usize, bool);
// What the codec says of bytes is its own text: no program of ours signs such a record.
plain!(LocalDay, Period, Hash, DecodeError);
digits!(
    Amount,
    AgreementId,
    ApplicationId,
    AwardId,
    Balance,
    CalendarId,
    CallId,
    ChangeId,
    CharterVersion,
    ContributionId,
    CorrectionId,
    DelegationId,
    DirectionId,
    DraftId,
    DrawId,
    EpochId,
    FundId,
    GroupId,
    GuaranteeId,
    Height,
    HoldingId,
    InstalmentId,
    InvoiceId,
    KeyRecoveryId,
    LedgerTime,
    LineId,
    MeasureId,
    MembershipId,
    MilestoneId,
    MotionId,
    NoticeId,
    OrderId,
    OrganisationId,
    PaymentId,
    PersonId,
    PlanId,
    PostId,
    ProceedingId,
    ProtocolVersion,
    RecoveryId,
    RevocationId,
    ReviewId,
    SeatId,
    RelationId,
    StatementId,
);

crate::words!(KeyError, "why.key", {
    NotAPoint = "not-a-point",
    NotCanonical = "not-canonical",
    Weak = "weak",
    Torsion = "torsion",
});

crate::words!(KeyKind, "key-kind", {
    Officer = "officer",
    Registrar = "registrar",
    Consensus = "consensus",
    Cosigner = "cosigner",
    Log = "log",
    Transport = "transport",
    Witness = "witness",
});

/// Returns a [`Refusal`] from the current function.
#[macro_export]
macro_rules! refuse {
    ($code:literal $(, $name:ident = $value:expr)* $(,)?) => {
        return Err($crate::refusal::Refusal::new($code, vec![$((stringify!($name), $crate::word::Fact::fact(&$value))),*]))
    };
}

/// Refuses unless the condition holds.
#[macro_export]
macro_rules! require {
    ($condition:expr, $code:literal $(, $name:ident = $value:expr)* $(,)?) => {
        if !($condition) {
            $crate::refuse!($code $(, $name = $value)*)
        }
    };
}

/// What came of a record that is in the log.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub enum Outcome {
    /// It took effect.
    Applied,
    /// It is recorded and was not counted.
    NotCounted(NotCounted),
}

impl Outcome {
    /// Why it had no effect, as a number; none: it took effect.
    pub fn not_counted(&self) -> Option<u32> {
        match self {
            Outcome::Applied => None,
            Outcome::NotCounted(reason) => Some(reason.number()),
        }
    }
}

/// The few reasons for which a record is in the log without effect (RULINGS A4).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub enum NotCounted {
    /// An application after its deadline.
    LateApplication,
    /// A second member of a group voted; the first ballot of the group stands.
    DuplicateGroup,
    /// The member is recused from the motion.
    Recused,
}

crate::words!(NotCounted, "effect", {
    LateApplication = "late-application",
    DuplicateGroup = "duplicate-group",
    Recused = "recused",
});

impl NotCounted {
    /// Its number in effect leaves ([`rollbook_proof::chain::Effects`]), that of its encoding.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// The reason of a number; none: there is no such reason in this version.
    pub fn of_number(number: u32) -> Option<NotCounted> {
        [
            NotCounted::LateApplication,
            NotCounted::DuplicateGroup,
            NotCounted::Recused,
        ]
        .into_iter()
        .find(|reason| reason.number() == number)
    }
}
