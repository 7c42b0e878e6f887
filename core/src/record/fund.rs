//! Acts on funds and contributions (F01 to F04, F34, F35), and what motions decide about them.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, Wire, at_most, strictly_ascending};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::account::{Amount, Pot, Unit};
use crate::calendar::LocalDay;
use crate::id::{ContributionId, FundId, InstalmentId, PersonId};
use crate::identity::{ActClass, Name, Role};

/// Most instalments of one pledge.
pub const INSTALMENTS_MAX: usize = 24;
/// Most officers named for one fund.
pub const FUND_OFFICERS_MAX: usize = 16;
/// Seats of a fund's investment committee (RULINGS R7).
pub const COMMITTEE_SEATS: usize = 5;

/// F01: a fund, as the effect of a board motion `fund`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct CreateFund {
    /// Its names.
    pub name: Name,
    /// Organisation that holds the money and signs agreements.
    pub holder: OrganisationId,
    /// What it counts: one currency or one resource.
    pub unit: Unit,
    /// Salted commitment to the one bank account.
    pub bank_account: Hash,
    /// Office whose posts the officers take.
    pub office: OrganisationId,
    /// Posts scoped to the fund: (role, person), strictly ascending. At least one TRE and PO, two
    /// OFF and FIN.
    pub officers: Vec<(Role, PersonId)>,
}

impl CreateFund {
    /// Shape: code of the unit, order of the officers, roles that are posts of a fund, no person
    /// twice (R7).
    pub fn check(&self) -> Result<(), DecodeError> {
        self.unit.check()?;
        strictly_ascending(&self.officers, "officers of a fund", |officer| *officer)?;
        at_most(&self.officers, FUND_OFFICERS_MAX, "officers of a fund")?;
        if self.name.native.is_empty() || self.name.latin.is_empty() {
            return Err(DecodeError::rule("a name is missing"));
        }
        let chain = [
            Role::Treasurer,
            Role::SecondOfficer,
            Role::ProgrammeOfficer,
            Role::FinanceApprover,
        ];
        if self.officers.iter().any(|(role, _)| !chain.contains(role)) {
            return Err(DecodeError::rule(
                "a fund names treasurers, second officers, programme officers, finance approvers",
            ));
        }
        Ok(())
    }
}

/// The investment committee of a fund, as the effect of a board motion (RULINGS R7): replaces the
/// one before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct AppointCommittee {
    /// The fund.
    pub fund: FundId,
    /// Organisations, strictly ascending, of distinct groups; exactly five.
    pub members: Vec<OrganisationId>,
}

impl AppointCommittee {
    /// Shape: five, in order.
    pub fn check(&self) -> Result<(), DecodeError> {
        strictly_ascending(&self.members, "committee members", |member| *member)?;
        if self.members.len() != COMMITTEE_SEATS {
            return Err(DecodeError::rule(format!(
                "an investment committee has {COMMITTEE_SEATS} seats"
            )));
        }
        Ok(())
    }
}

/// F35: the defaulted rest of an instalment is given up, as the effect of a board motion
/// `write-off`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct WriteOffInstalment {
    /// The instalment.
    pub instalment: InstalmentId,
    /// SHA-256 of the list of attempts to collect it.
    pub attempts: Hash,
}

/// One instalment as pledged.
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
pub struct InstalmentEntry {
    /// Local day (days since 1970-01-01) by whose end it is due.
    pub due_day: LocalDay,
    /// Minor units.
    pub amount: Amount,
}

/// F02: what a member signs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct PledgeEntry {
    /// The fund.
    pub fund: FundId,
    /// Free, or earmarked to a direction.
    pub pot: Pot,
    /// Ascending by due day; the pledge is their sum.
    pub instalments: Vec<InstalmentEntry>,
}

impl PledgeEntry {
    /// The sum of the instalments; none if it has more than 18 digits.
    pub fn amount(&self) -> Option<Amount> {
        let sum: u128 = self
            .instalments
            .iter()
            .map(|instalment| u128::from(instalment.amount))
            .sum();
        u64::try_from(sum)
            .ok()
            .filter(|sum| *sum <= Amount::MAX.0)
            .map(Amount)
    }

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.instalments, INSTALMENTS_MAX, "instalments")?;
        strictly_ascending(&self.instalments, "due days of instalments", |instalment| {
            instalment.due_day
        })?;
        if self.instalments.is_empty()
            || self
                .instalments
                .iter()
                .any(|instalment| instalment.amount == Amount::ZERO)
        {
            return Err(DecodeError::rule(
                "a pledge has instalments, none of them zero",
            ));
        }
        if self
            .instalments
            .iter()
            .any(|instalment| instalment.due_day > LocalDay::LAST)
        {
            return Err(DecodeError::rule(
                "an instalment is due before the year 10000",
            ));
        }
        if self.amount().is_none() {
            return Err(DecodeError::rule("a pledge has at most 18 digits"));
        }
        Ok(())
    }
}

/// A bank's reference of one movement: capital letters, digits and `-./`, with at least four letters
/// and digits. Those alone tell one reference from another (RULINGS R35).
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
pub struct BankReference(pub Text<64>);

impl BankReference {
    /// The rule of spelling.
    pub fn check(&self) -> Result<(), DecodeError> {
        let bytes = self.0.as_str().as_bytes();
        let allowed = |b: &u8| {
            b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'/')
        };
        if bytes.is_empty() || !bytes.iter().all(allowed) {
            return Err(DecodeError::rule(
                "a bank reference is capital letters, digits and -./",
            ));
        }
        if self.plain().len() < 4 {
            return Err(DecodeError::rule(
                "a bank reference has at least four letters and digits",
            ));
        }
        Ok(())
    }

    /// Its letters and digits, in upper case.
    pub fn plain(&self) -> String {
        let letters = self.0.as_str().chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_uppercase()).collect()
    }
}

/// F03, F35, first half: what the treasurer saw at the bank.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct ReceiptEntry {
    /// The instalment it pays.
    pub instalment: InstalmentId,
    /// Minor units.
    pub amount: Amount,
    /// The bank's reference.
    pub reference: BankReference,
    /// Value date, days since 1970-01-01.
    pub value_day: LocalDay,
}

/// Acts on funds and contributions. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum FundAct {
    /// F01: the holder accepts to hold the fund, or named officers accept their posts (RULINGS R7).
    Accept {
        /// The fund.
        fund: FundId,
    },
    /// F02: a member pledges.
    Pledge(PledgeEntry),
    /// F34: the treasurer calls an instalment.
    CallInstalment {
        /// The instalment.
        instalment: InstalmentId,
    },
    /// F34: the member proposes to cancel instalments that are not called.
    ProposeCancel {
        /// The contribution.
        contribution: ContributionId,
        /// Its instalments, strictly ascending.
        instalments: Vec<InstalmentId>,
    },
    /// F34: the treasurer agrees.
    AgreeCancel {
        /// Record id of the proposal.
        proposal: Hash,
    },
    /// F03, F35: the treasurer records a receipt.
    RecordReceipt(ReceiptEntry),
    /// F03, F35: a second officer confirms it.
    ConfirmReceipt {
        /// Record id of the receipt.
        receipt: Hash,
    },
}

impl FundAct {
    pub(super) fn class(&self) -> ActClass {
        match self {
            FundAct::Accept { .. } => ActClass::General,
            _ => ActClass::Money,
        }
    }

    /// Entering and confirming what came to the bank.
    pub(super) fn is_receipt(&self) -> bool {
        matches!(
            self,
            FundAct::RecordReceipt(_) | FundAct::ConfirmReceipt { .. }
        )
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            FundAct::Accept { .. } => "F01",
            FundAct::Pledge(_) => "F02",
            FundAct::RecordReceipt(_) | FundAct::ConfirmReceipt { .. } => "F03",
            FundAct::CallInstalment { .. }
            | FundAct::ProposeCancel { .. }
            | FundAct::AgreeCancel { .. } => "F34",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            FundAct::Pledge(entry) => entry.check(),
            FundAct::RecordReceipt(entry) => entry.reference.check(),
            FundAct::ProposeCancel { instalments, .. } => {
                strictly_ascending(instalments, "instalments", |instalment| *instalment)?;
                at_most(instalments, INSTALMENTS_MAX, "instalments")?;
                if instalments.is_empty() {
                    return Err(DecodeError::rule("a cancellation names instalments"));
                }
                Ok(())
            }
            FundAct::Accept { .. }
            | FundAct::CallInstalment { .. }
            | FundAct::AgreeCancel { .. }
            | FundAct::ConfirmReceipt { .. } => Ok(()),
        }
    }
}
