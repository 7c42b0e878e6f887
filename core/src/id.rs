//! Ids of what stands in the ledger, a type for each kind (RULINGS A33): a fund's number is no
//! call's. The ledger gives them in order, from 1, and never twice.
//!
//! [`Id::LETTER`] begins the short form that people write (RULINGS R23). Organisations, epochs and
//! rule versions have their types in [`mod@rollbook_proof::number`], since proofs speak of them.

use bincode::{Decode, Encode};
use rollbook_proof::number;
use rollbook_proof::number::{EpochId, OrganisationId, ProtocolVersion};

number! {
    /// A person.
    PersonId(u32);
    /// A group of related companies, named by its smallest organisation (domain 1.2).
    GroupId(OrganisationId);
    /// A membership, its application included.
    MembershipId(u32);
    /// An invoice of dues.
    InvoiceId(u32);
    /// A motion.
    MotionId(u32);
    /// A post of an office.
    PostId(u32);
    /// A seat of the board.
    SeatId(u32);
    /// An order of a court or regulator.
    OrderId(u32);
    /// A working direction.
    DirectionId(u32);
    /// A version of the charter.
    CharterVersion(u32);
    /// A deposited charter.
    DraftId(u32);
    /// A fund.
    FundId(u32);
    /// A budget line of a fund, for its fees.
    LineId(u32);
    /// A contribution: a pledge and its instalments.
    ContributionId(u32);
    /// An instalment of a contribution.
    InstalmentId(u32);
    /// A call for applications.
    CallId(u32);
    /// An application to a call.
    ApplicationId(u32);
    /// A draw of reviewers or assessors.
    DrawId(u32);
    /// A review of an application.
    ReviewId(u32);
    /// An award.
    AwardId(u32);
    /// An agreement.
    AgreementId(u32);
    /// A milestone of an agreement.
    MilestoneId(u32);
    /// A payment.
    PaymentId(u32);
    /// A holding: a loan or a share.
    HoldingId(u32);
    /// A guarantee.
    GuaranteeId(u32);
    /// A change of an organisation's officers, policy or particulars.
    ChangeId(u32);
    /// A delegation from one officer to another.
    DelegationId(u32);
    /// A revocation of a key in an emergency.
    RevocationId(u32);
    /// A recovery of an organisation's keys.
    KeyRecoveryId(u32);
    /// The days of one year on which the alliance works or not, as filed.
    CalendarId(u32);
    /// A statement of an observer.
    StatementId(u32);
    /// A correction of a clerical field.
    CorrectionId(u32);
    /// A notice to a member.
    NoticeId(u32);
    /// A plan by which a member pays its dues.
    PlanId(u32);
    /// A disciplinary proceeding against a member.
    ProceedingId(u32);
    /// A relation of two companies.
    RelationId(u32);
    /// A measure of a fund about an agreement: a suspension, a termination.
    MeasureId(u32);
    /// A recovery of paid money.
    RecoveryId(u32);
}

/// What every id can do.
pub trait Id: Copy + Ord + std::fmt::Debug + Encode + Decode<()> {
    /// What the short form begins with: `F` of `F-0001`, `AP` of `AP-0003`. None: people see the number
    /// alone.
    const LETTER: Option<&'static str>;
    /// The least id, for ranges.
    const MIN: Self;
    /// The greatest id, for ranges.
    const MAX: Self;

    /// The id with this number.
    fn of(number: u32) -> Self;

    /// The number.
    fn number(self) -> u32;

    /// The id for people.
    fn short(self) -> Short {
        Short(Self::LETTER, self.number())
    }
}

/// Shows an id by its short form.
macro_rules! shown {
    ($($name:ident)*) => { $(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.short().fmt(f)
            }
        }
    )* };
}

shown! {
    AgreementId ApplicationId AwardId CalendarId CallId ChangeId ContributionId CorrectionId DelegationId DirectionId DraftId DrawId FundId GroupId GuaranteeId HoldingId InstalmentId InvoiceId KeyRecoveryId LineId MeasureId MembershipId MilestoneId MotionId NoticeId OrderId PaymentId PersonId PlanId PostId ProceedingId RecoveryId RelationId ReviewId RevocationId SeatId StatementId
}

/// Gives an id its letter.
macro_rules! ids {
    ($($name:ident: $letter:expr;)*) => {
        $(
            impl Id for $name {
                const LETTER: Option<&'static str> = $letter;
                const MIN: $name = $name(u32::MIN);
                const MAX: $name = $name(u32::MAX);

                fn of(number: u32) -> $name {
                    $name(number)
                }

                fn number(self) -> u32 {
                    self.0
                }
            }
        )*

        /// The letter of a kind of id by the name of its type, as serde tells it to a view. None:
        /// no id.
        pub fn letter_of(type_name: &str) -> Option<Option<&'static str>> {
            match type_name {
                $( stringify!($name) => Some($letter), )*
                _ => None,
            }
        }
    };
}

/// An id for people: `F-0001` with a letter, else the number alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short(pub Option<&'static str>, pub u32);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(letter) => write!(f, "{letter}-{:04}", self.1),
            None => self.1.fmt(f),
        }
    }
}

ids! {
    AgreementId: Some("A");
    ApplicationId: Some("AP");
    AwardId: Some("W");
    CalendarId: Some("CD");
    CallId: Some("C");
    ChangeId: Some("CH");
    CharterVersion: None;
    ContributionId: Some("PL");
    CorrectionId: Some("CO");
    DelegationId: Some("DG");
    DirectionId: None;
    DraftId: Some("KD");
    DrawId: Some("DR");
    EpochId: None;
    FundId: Some("F");
    GuaranteeId: None;
    HoldingId: None;
    InstalmentId: Some("IN");
    InvoiceId: Some("IV");
    KeyRecoveryId: Some("KR");
    LineId: None;
    MeasureId: Some("ME");
    MembershipId: Some("M");
    MilestoneId: Some("MS");
    MotionId: Some("V");
    NoticeId: Some("NO");
    OrderId: Some("OR");
    OrganisationId: Some("O");
    PaymentId: Some("P");
    PersonId: None;
    PlanId: Some("DP");
    PostId: Some("PO");
    ProceedingId: Some("PR");
    ProtocolVersion: None;
    RelationId: Some("RE");
    RecoveryId: Some("RC");
    RevocationId: Some("RK");
    ReviewId: Some("RV");
    SeatId: Some("SE");
    StatementId: Some("ST");
}

impl Id for GroupId {
    /// A group has the name of an organisation.
    const LETTER: Option<&'static str> = OrganisationId::LETTER;
    const MIN: GroupId = GroupId(OrganisationId::MIN);
    const MAX: GroupId = GroupId(OrganisationId::MAX);

    fn of(number: u32) -> GroupId {
        GroupId(OrganisationId(number))
    }

    fn number(self) -> u32 {
        self.0.number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_by_its_letter_or_as_its_number() {
        assert_eq!(FundId(1).to_string(), "F-0001");
        assert_eq!(PersonId(1_001).to_string(), "1001");
        assert_eq!(GroupId::of(7).to_string(), "O-0007");
        assert_eq!(
            OrganisationId(12_345).to_string(),
            OrganisationId(12_345).short().to_string(),
            "the type stands with the proofs, its letter here"
        );
        assert_eq!(letter_of("FundId"), Some(Some("F")));
        assert_eq!(letter_of("PersonId"), Some(None));
        assert_eq!(letter_of("Height"), None);
    }

    #[test]
    fn a_number_with_a_type_has_the_bytes_and_the_json_of_the_number() {
        use rollbook_proof::codec::encode;
        assert_eq!(encode(&FundId(70_000)), encode(&70_000u32));
        assert_eq!(serde_json::to_string(&FundId(70_000)).unwrap(), "70000");
        assert_eq!(serde_json::from_str::<FundId>("7").unwrap(), FundId(7));
        assert_eq!(encode(&GroupId::of(3)), encode(&3u32));
    }
}
