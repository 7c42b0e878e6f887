//! Organisations, identifiers, persons, roles, approval policies.

use bincode::{Decode, Encode};

pub mod identifier;

/// What a person may do for an organisation or office (domain 1.2, 2.5a; RULINGS R7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Casts the member's votes, binds the member.
    Primary,
    /// Votes when the primary has delegated the motion.
    Alternate,
    /// Money on the member's side.
    Finance,
    /// Evidence, reports, reviews.
    Technical,
    /// Registers node keys; carries no business authority.
    NodeOperator,
    /// SEC.
    Secretary,
    /// Keeps the register beside the secretary.
    Registrar,
    /// TRE: invoices, receipts, releases payments.
    Treasurer,
    /// OFF: confirms what the treasurer did.
    SecondOfficer,
    /// PO: eligibility, certification.
    ProgrammeOfficer,
    /// FIN: approves payments.
    FinanceApprover,
    /// AUD: reads everything, acts in nothing else.
    Auditor,
}
