//! What a line is taken for, why, and why it is taken for nothing.

use rollbook_core::account::Amount;
use rollbook_core::calendar::LocalDay;

/// The act that a line proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The payment was executed.
    Settle {
        /// The payment.
        payment: u32,
    },
    /// The payment came back.
    Return {
        /// The payment.
        payment: u32,
        /// The bank's code.
        reason: String,
    },
    /// Money came in for an instalment.
    Receive {
        /// The instalment.
        instalment: u32,
    },
    /// A receipt is as it was entered.
    Confirm {
        /// The instalment.
        instalment: u32,
        /// Record of the receipt.
        receipt: String,
    },
    /// Money that was asked back came in.
    ReceiveRecovery {
        /// The recovery.
        recovery: u32,
    },
    /// What came back is as it was entered.
    ConfirmRecovery {
        /// The recovery.
        recovery: u32,
        /// Record of the receipt.
        receipt: String,
    },
}

/// Why a line is taken for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The payer's reference is the instruction's.
    EndToEnd,
    /// The bank's reference is the receipt's.
    Reference,
    /// The text names the instalment, the pledge or the recovery.
    Number,
    /// The amount is the same.
    Amount,
    /// The day fits: so many days from the one that was awaited.
    Days(i64),
    /// The name is the same.
    Name,
    /// It is the only one that fits.
    Only,
    /// Against it: the name of the other side is another.
    OtherName,
}

impl Reason {
    /// Its word: the key of its sentence.
    pub fn word(self) -> &'static str {
        match self {
            Reason::EndToEnd => "end-to-end",
            Reason::Reference => "reference",
            Reason::Number => "number",
            Reason::Amount => "amount",
            Reason::Days(_) => "days",
            Reason::Name => "name",
            Reason::Only => "only",
            Reason::OtherName => "other-name",
        }
    }
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Place of the line.
    pub line: usize,
    /// The line on which it went out, of what came back.
    pub beside: Option<usize>,
    /// The act.
    pub act: Act,
    /// Minor units.
    pub amount: Amount,
    /// The bank's reference, as a record writes it.
    pub reference: String,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Proposal {
    /// Whether something that is written on the line names it, and nothing there speaks against it.
    /// Everything else is a guess, which is signed one by one.
    pub fn is_certain(&self) -> bool {
        let names = |reason: &Reason| {
            matches!(
                reason,
                Reason::EndToEnd | Reason::Reference | Reason::Number
            )
        };
        self.reasons.iter().any(names) && !self.reasons.contains(&Reason::OtherName)
    }
}

/// Why a line proposes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The ledger has it.
    There,
    /// It belongs to a payment that came back, which the ledger knows.
    CameBack {
        /// The payment.
        payment: u32,
    },
    /// The bank gave no reference that a record can carry.
    NoReference,
    /// The payer's reference fits and the amount does not.
    OtherAmount {
        /// The payment.
        payment: u32,
        /// What was instructed.
        expected: Amount,
    },
    /// The ledger has this reference with another amount, way or day.
    ReferenceUsed {
        /// The amount there.
        amount: Amount,
        /// The day there.
        day: Option<LocalDay>,
    },
    /// The payment was confirmed and came back after that.
    BackAfterSettlement {
        /// The payment.
        payment: u32,
    },
    /// The payment went out, and another amount came back, such as less the charges of the banks.
    CameBackLess {
        /// The payment.
        payment: u32,
        /// What came back.
        amount: Amount,
        /// What was instructed.
        expected: Amount,
    },
    /// The same instruction was executed once more.
    PaidAgain {
        /// The payment.
        payment: u32,
    },
    /// The same instruction came back once more.
    BackAgain {
        /// The payment.
        payment: u32,
    },
    /// More than one fits.
    Several {
        /// How many.
        count: usize,
    },
    /// The amount fits, the name of the other side does not.
    OtherName,
    /// Nothing fits.
    Nothing,
}

impl Left {
    /// Its word: the key of its sentence.
    pub fn word(&self) -> &'static str {
        match self {
            Left::There => "there",
            Left::CameBack { .. } => "came-back",
            Left::NoReference => "no-reference",
            Left::OtherAmount { .. } => "other-amount",
            Left::ReferenceUsed { .. } => "reference-used",
            Left::BackAfterSettlement { .. } => "back-after-settlement",
            Left::CameBackLess { .. } => "came-back-less",
            Left::PaidAgain { .. } => "paid-again",
            Left::BackAgain { .. } => "back-again",
            Left::Several { .. } => "several",
            Left::OtherName => "other-name",
            Left::Nothing => "nothing",
        }
    }

    /// Whether somebody has to look at it.
    pub fn is_open(&self) -> bool {
        !matches!(self, Left::There | Left::CameBack { .. })
    }
}

/// What becomes of every line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Proposals, in the order of the lines.
    pub proposals: Vec<Proposal>,
    /// The other lines, each with the reason.
    pub left: Vec<(usize, Left)>,
}
