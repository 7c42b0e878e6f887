//! Acts on milestones and payments (F14 to F22, F43).
//!
//! Bank account numbers, names and free-text reasons are salted commitments (RULINGS A15); amounts,
//! identifiers of the instruction and bank references are in clear.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, at_most, strictly_ascending};
use rollbook_proof::crypto::Hash;

use crate::account::Amount;
use crate::id::{AgreementId, MilestoneId, PaymentId};
use crate::identity::ActClass;
use crate::record::BankReference;

/// Most pieces of evidence in one record.
pub const EVIDENCE_MAX: usize = 32;

/// What a piece of evidence is. Each kind has its own name space, so a document's hash never hides
/// a patent's.
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
pub enum EvidenceKind {
    /// SHA-256 of a document.
    Document,
    /// SHA-256 of a DOI in lower case, without a resolver.
    Doi,
    /// SHA-256 of a patent or application number: country, number, kind code, without spaces.
    Patent,
}

/// One piece of evidence.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// The hash.
    pub hash: Hash,
    /// Said openly to serve more than one milestone or agreement (N16).
    pub shared: bool,
}

/// What an assessor found.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Delivered: worth this much, at most the planned amount. 0 for a final report.
    Accept(Amount),
    /// Not delivered; may be submitted again, at most the charter's number of times.
    Rework,
    /// Not delivered and not to be reworked.
    Reject,
}

/// What a payment pays.
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
pub enum Tranche {
    /// The advance.
    Advance,
    /// A milestone, by its number.
    Milestone(MilestoneId),
    /// What was held back.
    Holdback,
}

crate::words!(Tranche, "tranche", {
    Advance = "advance",
    Milestone = "milestone",
    Holdback = "holdback",
});

/// Yes, or no with a published code; the reason itself is a commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum Decision {
    /// Go on.
    Pass,
    /// Refused: the payment ends, its tranche may be requested anew.
    Refuse {
        /// Language-free code of the reason, `evidence-incomplete`.
        code: Text<40>,
        /// Salted commitment to the reason.
        reason: Hash,
    },
}

/// The way by which the bank pays. Grows only at its end.
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
pub enum Scheme {
    /// Between two accounts of one bank.
    Book,
    /// CNAPS, large values (HVPS).
    Hvps,
    /// CNAPS, bulk (BEPS).
    Beps,
    /// CNAPS, internet banking (IBPS).
    Ibps,
    /// CIPS.
    Cips,
    /// SWIFT.
    Swift,
    /// Any other way.
    Other,
}

impl Scheme {
    /// Whether its instructions carry a UETR.
    pub fn has_uetr(self) -> bool {
        matches!(self, Scheme::Cips | Scheme::Swift)
    }
}

/// The instruction given to the bank (F20).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Instruction {
    /// By which way.
    pub scheme: Scheme,
    /// Reference of the payer that goes with the payment, the EndToEndId of ISO 20022: 1 to 35 of
    /// `A-Z0-9-`, unique for ever.
    pub reference: Text<35>,
    /// UETR, where the scheme has one: a version 4 UUID in lower case with hyphens, unique for ever.
    pub uetr: Option<Text<36>>,
    /// Commitment to the account paid to: the one in force.
    pub account: Hash,
    /// Minor units.
    pub amount: Amount,
}

impl Decision {
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            Decision::Refuse { code, .. } if code.is_empty() => {
                Err(DecodeError::rule("a refusal names its reason"))
            }
            _ => Ok(()),
        }
    }
}

impl Instruction {
    fn check(&self) -> Result<(), DecodeError> {
        let id = self.reference.as_str().as_bytes();
        if id.is_empty()
            || !id
                .iter()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'-')
        {
            return Err(DecodeError::rule(
                "the reference of an instruction is 1 to 35 of A-Z, 0-9 and hyphen",
            ));
        }
        if self.uetr.is_some() != self.scheme.has_uetr() {
            return Err(DecodeError::rule(
                "a UETR stands where the scheme has one, and nowhere else",
            ));
        }
        if let Some(uetr) = &self.uetr
            && !is_uuid_v4(uetr.as_str().as_bytes())
        {
            return Err(DecodeError::rule(
                "a UETR is a version 4 UUID in lower case with hyphens",
            ));
        }
        check_amount(self.amount)
    }
}

fn is_uuid_v4(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            19 => matches!(*byte, b'8' | b'9' | b'a' | b'b'),
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
        })
}

fn check_amount(amount: Amount) -> Result<(), DecodeError> {
    if amount.is_payable() {
        Ok(())
    } else {
        Err(DecodeError::rule(
            "an amount is 1 to 999999999999999999 minor units",
        ))
    }
}

/// Acts on milestones and payments. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum PaymentAct {
    /// F14: the grantee submits evidence for a milestone, or the final report (F43).
    Submit {
        /// The milestone's number.
        milestone: MilestoneId,
        /// Strictly ascending, at least one.
        evidence: Vec<Evidence>,
    },
    /// F15: an assessor's finding; the signature is also the declaration that no conflict is known.
    Assess {
        /// The milestone's number.
        milestone: MilestoneId,
        /// What was found.
        finding: Finding,
        /// SHA-256 of the report.
        report: Hash,
    },
    /// F16: the grantee requests a payment.
    Request {
        /// The agreement.
        agreement: AgreementId,
        /// What is to be paid.
        tranche: Tranche,
        /// What the grantee expects; must be what the ledger computes.
        amount: Amount,
    },
    /// F17: the programme officer certifies or refuses.
    Certify {
        /// The payment.
        payment: PaymentId,
        /// Yes or no.
        decision: Decision,
    },
    /// F18: a finance approver approves or refuses.
    Approve {
        /// The payment.
        payment: PaymentId,
        /// Id of the certifying record.
        certified: Hash,
        /// Minor units approved: the payment's.
        amount: Amount,
        /// Yes or no.
        decision: Decision,
    },
    /// F19: a seat holder calls for a hold; with the second, of another group, the payment is held.
    Hold {
        /// The payment.
        payment: PaymentId,
        /// Salted commitment to the ground.
        ground: Hash,
    },
    /// F20: the treasurer releases the payment to the bank; again after a return.
    Release {
        /// The payment.
        payment: PaymentId,
        /// The instruction.
        instruction: Instruction,
    },
    /// F21: a second officer confirms that the bank executed it.
    Settle {
        /// The payment.
        payment: PaymentId,
        /// The bank's reference, unique for ever.
        reference: BankReference,
        /// Minor units executed: the payment's.
        amount: Amount,
    },
    /// F21: a second officer records that the bank returned it.
    Return {
        /// The payment.
        payment: PaymentId,
        /// The bank's reference, unique for ever.
        reference: BankReference,
        /// Minor units returned: the payment's.
        amount: Amount,
        /// ISO 20022 reason, four capital letters or digits: `AC04`.
        reason: Text<4>,
    },
    /// F22: the grantee has the money.
    Acknowledge {
        /// The payment.
        payment: PaymentId,
        /// Minor units received: the payment's.
        amount: Amount,
    },
    /// F22: the grantee says that the money did not arrive.
    Dispute {
        /// The payment.
        payment: PaymentId,
        /// Salted commitment to what is said.
        ground: Hash,
    },
}

impl PaymentAct {
    pub(super) fn class(&self) -> ActClass {
        match self {
            PaymentAct::Submit { .. } | PaymentAct::Assess { .. } | PaymentAct::Hold { .. } => {
                ActClass::General
            }
            _ => ActClass::Money,
        }
    }

    /// Steps of the fund's side in the chain of a payment.
    pub(super) fn is_of_the_fund(&self) -> bool {
        matches!(
            self,
            PaymentAct::Assess { .. }
                | PaymentAct::Certify { .. }
                | PaymentAct::Approve { .. }
                | PaymentAct::Release { .. }
                | PaymentAct::Settle { .. }
                | PaymentAct::Return { .. }
        )
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            PaymentAct::Submit { .. } => "F14",
            PaymentAct::Assess { .. } => "F15",
            PaymentAct::Request { .. } => "F16",
            PaymentAct::Certify { .. } => "F17",
            PaymentAct::Approve { .. } => "F18",
            PaymentAct::Hold { .. } => "F19",
            PaymentAct::Release { .. } => "F20",
            PaymentAct::Settle { .. } | PaymentAct::Return { .. } => "F21",
            PaymentAct::Acknowledge { .. } | PaymentAct::Dispute { .. } => "F22",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            PaymentAct::Submit { evidence, .. } => {
                at_most(evidence, EVIDENCE_MAX, "pieces of evidence")?;
                strictly_ascending(evidence, "pieces of evidence", |item| {
                    (item.kind, item.hash)
                })?;
                if evidence.is_empty() {
                    return Err(DecodeError::rule("no evidence"));
                }
                Ok(())
            }
            PaymentAct::Assess {
                finding: Finding::Accept(amount),
                ..
            } if *amount > Amount::MAX => check_amount(*amount),
            PaymentAct::Settle {
                reference, amount, ..
            } => reference.check().and_then(|()| check_amount(*amount)),
            PaymentAct::Request { amount, .. } | PaymentAct::Acknowledge { amount, .. } => {
                check_amount(*amount)
            }
            PaymentAct::Certify { decision, .. } => decision.check(),
            PaymentAct::Approve {
                amount, decision, ..
            } => decision.check().and_then(|()| check_amount(*amount)),
            PaymentAct::Release { instruction, .. } => instruction.check(),
            PaymentAct::Return {
                reference,
                amount,
                reason,
                ..
            } => {
                reference.check()?;
                let code = reason.as_str().as_bytes();
                if code.len() != 4
                    || !code
                        .iter()
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                {
                    return Err(DecodeError::rule(
                        "a return reason is four capital letters or digits",
                    ));
                }
                check_amount(*amount)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instruction(end_to_end: &str, uetr: &str) -> Result<(), DecodeError> {
        let text =
            |value: &str| Text::new(value).map_err(|error| DecodeError::rule(error.to_string()));
        let uetr = Text::new(uetr).map_err(|error| DecodeError::rule(error.to_string()))?;
        Instruction {
            scheme: Scheme::Swift,
            reference: text(end_to_end)?,
            uetr: Some(uetr),
            account: Hash::ZERO,
            amount: Amount(1),
        }
        .check()
    }

    #[test]
    fn identifiers_of_an_instruction() {
        let good = "7a1f0c3e-5b7d-4e2a-9c44-0123456789ab";
        assert_eq!(instruction("AG1-M1-2026-0001", good), Ok(()));
        assert_eq!(instruction(&"A".repeat(35), good), Ok(()));
        for bad in ["", "ag1", "AG1/M1", "AG1 M1", "AG1_M1", "Ä"] {
            assert!(instruction(bad, good).is_err(), "{bad:?}");
        }
        assert!(instruction(&"A".repeat(36), good).is_err());
        for bad in [
            "7a1f0c3e-5b7d-1e2a-9c44-0123456789ab",
            "7a1f0c3e-5b7d-4e2a-cc44-0123456789ab",
            "7A1F0C3E-5B7D-4E2A-9C44-0123456789AB",
            "7a1f0c3e5b7d4e2a9c440123456789ab",
            "7a1f0c3e-5b7d-4e2a-9c44-0123456789a",
            "7a1f0c3e-5b7d-4e2a-9c44-0123456789ag",
            "",
        ] {
            assert!(instruction("A", bad).is_err(), "{bad:?}");
        }
        let domestic = |scheme, uetr: Option<&str>| {
            Instruction {
                scheme,
                reference: Text::new("A").unwrap(),
                uetr: uetr.map(|uetr| Text::new(uetr).unwrap()),
                account: Hash::ZERO,
                amount: Amount(1),
            }
            .check()
        };
        assert_eq!(domestic(Scheme::Hvps, None), Ok(()));
        assert!(domestic(Scheme::Hvps, Some(good)).is_err());
        assert!(domestic(Scheme::Cips, None).is_err());
    }
}
