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
pub use unit::{AMOUNT_MAX, Unit, UnitError};

/// An account of a fund. Numbers are the ledger's own. The letter is the one of domain 2.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum AccountKind {
    /// `X:member`: what a contributor has paid in, negative. Organisation number.
    Member(u32),
    /// `X:fee`: fees paid out of a budget line. Number of the line.
    Fee(u32),
    /// `X:return`: what a contributor got back at closing. Organisation number.
    Return(u32),
    /// `X:gain`: gains of a holding, negative. Holding number.
    Gain(u32),
    /// `A:free`: available, without earmark.
    Free,
    /// `A:direction`: available, earmarked. Direction number.
    Direction(u32),
    /// `B:call`: allocated to a call.
    Call(u32),
    /// `W:award`: awarded, agreement not yet in force.
    Award(u32),
    /// `K:agreement`: committed by an agreement in force, unpaid.
    Committed(u32),
    /// `T:payment`: released to the bank, not settled.
    InTransit(u32),
    /// `D:agreement`: paid, not yet finally accepted.
    Paid(u32),
    /// `D:guarantee`: paid out under a guarantee, recovery open (F48).
    PaidGuarantee(u32),
    /// `S:agreement`: finally accepted spend.
    Accepted(u32),
    /// `G:guarantee`: reserve of a guarantee.
    Reserve(u32),
    /// `H:holding`: loan principal outstanding, or equity at cost.
    Holding(u32),
    /// `L:agreement`: written off.
    Lost(u32),
    /// `L:guarantee`: paid out under a guarantee and written off.
    LostGuarantee(u32),
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
            AccountKind::Member(n) => write!(f, "X:member:{n}"),
            AccountKind::Fee(n) => write!(f, "X:fee:{n}"),
            AccountKind::Return(n) => write!(f, "X:return:{n}"),
            AccountKind::Gain(n) => write!(f, "X:gain:{n}"),
            AccountKind::Free => write!(f, "A:free"),
            AccountKind::Direction(n) => write!(f, "A:direction:{n}"),
            AccountKind::Call(n) => write!(f, "B:call:{n}"),
            AccountKind::Award(n) => write!(f, "W:award:{n}"),
            AccountKind::Committed(n) => write!(f, "K:agreement:{n}"),
            AccountKind::InTransit(n) => write!(f, "T:payment:{n}"),
            AccountKind::Paid(n) => write!(f, "D:agreement:{n}"),
            AccountKind::PaidGuarantee(n) => write!(f, "D:guarantee:{n}"),
            AccountKind::Accepted(n) => write!(f, "S:agreement:{n}"),
            AccountKind::Reserve(n) => write!(f, "G:guarantee:{n}"),
            AccountKind::Holding(n) => write!(f, "H:holding:{n}"),
            AccountKind::Lost(n) => write!(f, "L:agreement:{n}"),
            AccountKind::LostGuarantee(n) => write!(f, "L:guarantee:{n}"),
        }
    }
}

/// An account: a fund and a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Account {
    /// Fund number.
    pub fund: u32,
    /// Which account of the fund.
    pub kind: AccountKind,
}

impl rollbook_proof::codec::Wire for Account {
    const MAX: usize = 4 + 4 + 4;
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.fund, self.kind)
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
