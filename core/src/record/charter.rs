//! Acts that concern the alliance's order as a whole (RULINGS A18, R24, R37).

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::affairs::{CalendarYear, CorrectionEntry};
use crate::charter::Charter;
use crate::id::{CalendarId, CharterVersion, CorrectionId};
use crate::identity::ActClass;

/// An order of a court or regulator as it came in (RULINGS R24). It changes no right and no balance
/// by itself: the alliance acts on it by motion.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct OfficialOrder {
    /// Who issued it, in the authority's own words.
    pub authority: Text<120>,
    /// The authority's reference, such as a case number; unique together with the authority.
    pub reference: Text<80>,
    /// SHA-256 of the document.
    pub document: Hash,
    /// When it was issued, milliseconds since 1970; not after the block's time.
    pub issued_ms: LedgerTime,
    /// The organisation it is about, if it is about one.
    pub about: Option<OrganisationId>,
}

/// Acts on the alliance's order. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum CharterAct {
    /// The secretary files an order.
    FileOrder(OfficialOrder),
    /// R37: a charter is deposited, for a motion to amend the one in force.
    Deposit(Box<CharterDraft>),
    /// M39: the secretary files the working days of a year.
    SetCalendar(CalendarYear),
    /// M39: a seat holder, or the chair, agrees; from then on they count.
    ConfirmCalendar {
        /// What was filed.
        calendar: CalendarId,
    },
    /// M41: whoever entered a clerical field says what it should read.
    Correct(CorrectionEntry),
    /// M41: the second person has compared it with the evidence.
    ConfirmCorrection {
        /// The correction.
        correction: CorrectionId,
    },
    /// M41: the second person does not agree.
    DeclineCorrection {
        /// The correction.
        correction: CorrectionId,
        /// SHA-256 of the reasons.
        reasons: Hash,
    },
}

/// A charter that is proposed (RULINGS R37). It does nothing until a motion puts it in force.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct CharterDraft {
    /// The version that it replaces: the one in force.
    pub replaces: CharterVersion,
    /// The whole charter, with the next version's number.
    pub charter: Charter,
}

impl CharterAct {
    pub(super) fn class(&self) -> ActClass {
        ActClass::General
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            CharterAct::FileOrder(_) => "R24",
            CharterAct::Deposit(_) => "R37",
            CharterAct::SetCalendar(_) | CharterAct::ConfirmCalendar { .. } => "M39",
            CharterAct::Correct(_)
            | CharterAct::ConfirmCorrection { .. }
            | CharterAct::DeclineCorrection { .. } => "M41",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        let order = match self {
            CharterAct::FileOrder(order) => order,
            // Floors and bounds are the rules' to name.
            CharterAct::Deposit(draft) => return draft.charter.check_shape(),
            CharterAct::SetCalendar(plan) => return plan.check(),
            CharterAct::Correct(entry) => return entry.check(),
            CharterAct::ConfirmCalendar { .. }
            | CharterAct::ConfirmCorrection { .. }
            | CharterAct::DeclineCorrection { .. } => return Ok(()),
        };
        if order.authority.as_str().is_empty() || order.reference.as_str().is_empty() {
            return Err(DecodeError::rule(
                "an order names its authority and its reference",
            ));
        }
        Ok(())
    }
}
