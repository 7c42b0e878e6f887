//! Accounts and transfers: every movement of money or units (domain 2.7; RULINGS R3, R4, R8).
//!
//! * Value moves only between exactly two accounts of one fund, in whole minor units. One fund has
//!   one unit, so arithmetic across units cannot be written down (N2, N14).
//! * `X` accounts are the outside world and may be negative; every other account is at least 0
//!   after every posting (N1); the sum over all accounts of a fund is always 0 (N3).
//! * What may move, from where to where, under which transition: one table, [`table::ROWS`]. A
//!   movement that would post anything else is refused. No row has an "or": where domain 2.7 says
//!   "B or A", the state of the call selects the row.
//! * A refused movement changes nothing. There is no deletion; a mistake is reversed by
//!   [`book::reverse`] (F31, N20).
//! * Pledges never fund anything (N18). They are memo entries in [`pledge::Pledge`] and appear in
//!   no account.
//! * Absent on purpose: who may do it and when (the funding state machine), floats, percentages,
//!   interest.

use bincode::{Decode, Encode};
use rollbook_proof::number::OrganisationId;

use crate::id::{
    AgreementId, AwardId, CallId, DirectionId, FundId, GuaranteeId, HoldingId, LineId, PaymentId,
};

pub mod book;
pub mod movement;
pub mod pledge;
pub mod split;
pub mod table;
pub mod unit;

pub use book::{
    Balances, BookFault, Earmark, MemoryBook, OutstandingItem, Posting, PostingError,
    Reconciliation, Totals, post, replay, reverse,
};
pub use movement::{CallPhase, Movement, Pot};
pub use pledge::{Pledge, PledgeError, PledgeMove, PledgePart};
pub use split::{SplitError, largest_remainder};
pub use unit::{Amount, Balance, Money, Unit, UnitError};

/// An account of a fund. Numbers are the ledger's own. The letter is the one of domain 2.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum AccountKind {
    /// `X:member`: what a contributor has paid in, negative. Organisation number.
    Member(OrganisationId),
    /// `X:fee`: fees paid out of a budget line. Number of the line.
    Fee(LineId),
    /// `X:return`: what a contributor got back at closing. Organisation number.
    Return(OrganisationId),
    /// `X:gain`: gains of a holding, negative. Holding number.
    Gain(HoldingId),
    /// `A:free`: available, without earmark.
    Free,
    /// `A:direction`: available, earmarked. Direction number.
    Direction(DirectionId),
    /// `B:call`: allocated to a call.
    Call(CallId),
    /// `W:award`: awarded, agreement not yet in force.
    Award(AwardId),
    /// `K:agreement`: committed by an agreement in force, unpaid.
    Committed(AgreementId),
    /// `T:payment`: released to the bank, not settled.
    InTransit(PaymentId),
    /// `D:agreement`: paid, not yet finally accepted.
    Paid(AgreementId),
    /// `D:guarantee`: paid out under a guarantee, recovery open (F48).
    PaidGuarantee(GuaranteeId),
    /// `S:agreement`: finally accepted spend.
    Accepted(AgreementId),
    /// `G:guarantee`: reserve of a guarantee.
    Reserve(GuaranteeId),
    /// `H:holding`: loan principal outstanding, or equity at cost.
    Holding(HoldingId),
    /// `L:agreement`: written off.
    Lost(AgreementId),
    /// `L:guarantee`: paid out under a guarantee and written off.
    LostGuarantee(GuaranteeId),
}

/// An account kind without its number: what the rows of the table name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `X:member`.
    XMember,
    /// `X:fee`.
    XFee,
    /// `X:return`.
    XReturn,
    /// `X:gain`.
    XGain,
    /// `A:free` and `A:direction`.
    A,
    /// `B:call`.
    B,
    /// `W:award`.
    W,
    /// `K:agreement`.
    K,
    /// `T:payment`.
    T,
    /// `D:agreement`.
    D,
    /// `D:guarantee`.
    DGuarantee,
    /// `S:agreement`.
    S,
    /// `G:guarantee`.
    G,
    /// `H:holding`.
    H,
    /// `L:agreement`.
    L,
    /// `L:guarantee`.
    LGuarantee,
}

impl Class {
    /// The name in domain 2.7.
    pub fn name(self) -> &'static str {
        match self {
            Class::XMember => "X:member",
            Class::XFee => "X:fee",
            Class::XReturn => "X:return",
            Class::XGain => "X:gain",
            Class::A => "A",
            Class::B => "B:call",
            Class::W => "W:award",
            Class::K => "K:agreement",
            Class::T => "T:payment",
            Class::D => "D:agreement",
            Class::DGuarantee => "D:guarantee",
            Class::S => "S:agreement",
            Class::G => "G:guarantee",
            Class::H => "H:holding",
            Class::L => "L:agreement",
            Class::LGuarantee => "L:guarantee",
        }
    }

    /// The outside world: may be negative.
    pub fn is_external(self) -> bool {
        matches!(
            self,
            Class::XMember | Class::XFee | Class::XReturn | Class::XGain
        )
    }
}

impl AccountKind {
    /// The kind without its number.
    pub fn class(self) -> Class {
        match self {
            AccountKind::Member(_) => Class::XMember,
            AccountKind::Fee(_) => Class::XFee,
            AccountKind::Return(_) => Class::XReturn,
            AccountKind::Gain(_) => Class::XGain,
            AccountKind::Free | AccountKind::Direction(_) => Class::A,
            AccountKind::Call(_) => Class::B,
            AccountKind::Award(_) => Class::W,
            AccountKind::Committed(_) => Class::K,
            AccountKind::InTransit(_) => Class::T,
            AccountKind::Paid(_) => Class::D,
            AccountKind::PaidGuarantee(_) => Class::DGuarantee,
            AccountKind::Accepted(_) => Class::S,
            AccountKind::Reserve(_) => Class::G,
            AccountKind::Holding(_) => Class::H,
            AccountKind::Lost(_) => Class::L,
            AccountKind::LostGuarantee(_) => Class::LGuarantee,
        }
    }
}

impl std::fmt::Display for AccountKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AccountKind::Member(n) => write!(f, "X:member:{}", n.0),
            AccountKind::Fee(n) => write!(f, "X:fee:{}", n.0),
            AccountKind::Return(n) => write!(f, "X:return:{}", n.0),
            AccountKind::Gain(n) => write!(f, "X:gain:{}", n.0),
            AccountKind::Free => write!(f, "A:free"),
            AccountKind::Direction(n) => write!(f, "A:direction:{}", n.0),
            AccountKind::Call(n) => write!(f, "B:call:{}", n.0),
            AccountKind::Award(n) => write!(f, "W:award:{}", n.0),
            AccountKind::Committed(n) => write!(f, "K:agreement:{}", n.0),
            AccountKind::InTransit(n) => write!(f, "T:payment:{}", n.0),
            AccountKind::Paid(n) => write!(f, "D:agreement:{}", n.0),
            AccountKind::PaidGuarantee(n) => write!(f, "D:guarantee:{}", n.0),
            AccountKind::Accepted(n) => write!(f, "S:agreement:{}", n.0),
            AccountKind::Reserve(n) => write!(f, "G:guarantee:{}", n.0),
            AccountKind::Holding(n) => write!(f, "H:holding:{}", n.0),
            AccountKind::Lost(n) => write!(f, "L:agreement:{}", n.0),
            AccountKind::LostGuarantee(n) => write!(f, "L:guarantee:{}", n.0),
        }
    }
}

/// An account: a fund and a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Account {
    /// Fund number.
    pub fund: FundId,
    /// Which account of the fund.
    pub kind: AccountKind,
}

impl rollbook_proof::codec::Wire for Account {
    const MAX: usize = 4 + 4 + 4;
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.fund.0, self.kind)
    }
}

/// In JSON an account is its text: `1/B:call:3`.
impl serde::Serialize for Account {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod tests;
