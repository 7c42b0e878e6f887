//! Posting: the only way a balance changes (N1 to N3), reversal (F31), totals and reconciliation.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Wire};
use rollbook_proof::number::LedgerTime;

use crate::account::movement::Movement;
use crate::account::unit::Amount;
use crate::account::{Account, AccountKind, Class};
use crate::id::{CallId, DirectionId, FundId};

/// One transfer between two accounts of one fund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Posting {
    /// Credited: loses the amount.
    pub from: Account,
    /// Debited: gains the amount.
    pub to: Account,
    /// Minor units, 1 to 10^18 - 1.
    pub amount: Amount,
    /// The call for which this posting takes from, or gives back to, a direction's earmark (RULINGS
    /// R4).
    pub earmark_of: Option<CallId>,
}

impl Wire for Posting {
    const MAX: usize = 2 * Account::MAX + 8 + 5;

    fn check(&self) -> Result<(), DecodeError> {
        check_posting(self).map_err(|error| DecodeError::rule(error.to_string()))
    }
}

/// What a posting must be on its own: an amount, between two accounts of one fund.
fn check_posting(posting: &Posting) -> Result<(), PostingError> {
    let Posting {
        from, to, amount, ..
    } = *posting;
    if !amount.is_payable() {
        return Err(PostingError::Amount(amount));
    }
    if from == to {
        return Err(PostingError::SameAccount(from));
    }
    if from.fund != to.fund {
        return Err(PostingError::TwoFunds { from, to });
    }
    Ok(())
}

/// What a call took from its direction's earmark and has not given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Earmark {
    /// Direction number.
    pub direction: DirectionId,
    /// Minor units.
    pub taken: Amount,
}

/// Where balances live: a state table for `apply`, a map for tests and audits. An account never
/// written holds 0.
pub trait Balances {
    /// The balance of an account, in minor units.
    fn balance(&self, account: Account) -> i128;
    /// Stores a balance. Called only after every check has passed.
    fn set_balance(&mut self, account: Account, balance: i128);
    /// The earmark of a call, if it ever took from one.
    fn earmark(&self, fund: FundId, call: CallId) -> Option<Earmark>;
    /// Stores the earmark of a call. Called only after every check has passed.
    fn set_earmark(&mut self, fund: FundId, call: CallId, earmark: Earmark);
}

/// Balances in memory: for audits that replay postings, and for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryBook {
    /// Accounts that were ever touched.
    pub balances: BTreeMap<Account, i128>,
    /// Earmarks by fund and call.
    pub earmarks: BTreeMap<(FundId, CallId), Earmark>,
}

impl Balances for MemoryBook {
    fn balance(&self, account: Account) -> i128 {
        self.balances.get(&account).copied().unwrap_or(0)
    }

    fn set_balance(&mut self, account: Account, balance: i128) {
        self.balances.insert(account, balance);
    }

    fn earmark(&self, fund: FundId, call: CallId) -> Option<Earmark> {
        self.earmarks.get(&(fund, call)).copied()
    }

    fn set_earmark(&mut self, fund: FundId, call: CallId, earmark: Earmark) {
        self.earmarks.insert((fund, call), earmark);
    }
}

/// Why nothing was posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostingError {
    /// Zero, or more than 18 digits.
    #[error("an amount of {} minor units; 1 to 999999999999999999 are allowed", .0.0)]
    Amount(Amount),
    /// N1: an internal account would become negative.
    #[error("{account} holds {balance} minor units, {} are asked for (N1)", .amount.0)]
    Insufficient {
        /// The account.
        account: Account,
        /// What it holds at that point of the movement.
        balance: i128,
        /// What the posting takes.
        amount: Amount,
    },
    /// N2: both ends are one account.
    #[error("a transfer from {0} to itself (N2)")]
    SameAccount(Account),
    /// N2: the ends lie in two funds.
    #[error("a transfer from {from} to {to}: two funds (N2)")]
    TwoFunds {
        /// From.
        from: Account,
        /// To.
        to: Account,
    },
    /// The call's earlier money came out of another direction's earmark.
    #[error("call {} took from the earmark of direction {}, not {}", .call.0, .known.0, .given.0)]
    OtherDirection {
        /// The call.
        call: CallId,
        /// The direction on record.
        known: DirectionId,
        /// The direction given now.
        given: DirectionId,
    },
    /// Not what the table's row says. A fault of this program, not of the one who asked.
    #[error("movement {row} does not post {from} -> {to}")]
    OffTable {
        /// The row's name.
        row: &'static str,
        /// From.
        from: &'static str,
        /// To.
        to: &'static str,
    },
    /// A posting gives back to an earmark more than was taken, or names the wrong direction.
    #[error("call {} did not take this from that earmark", .0.0)]
    Earmark(CallId),
    /// Nothing to reverse.
    #[error("no postings")]
    Empty,
    /// A sum left the range of 128 bits; only balances that no posting produced can do this.
    #[error("a balance is out of range")]
    OutOfRange,
}

crate::words!(PostingError, "why.posting", {
    Amount = "amount",
    Insufficient = "insufficient",
    SameAccount = "same-account",
    TwoFunds = "two-funds",
    OtherDirection = "other-direction",
    OffTable = "off-table",
    Earmark = "earmark",
    Empty = "empty",
    OutOfRange = "out-of-range",
});

/// Posts a movement in a fund: all of its postings or, with an error, nothing. Returns the
/// postings, for the record's outcome.
pub fn post(
    balances: &mut impl Balances,
    fund: FundId,
    movement: &Movement,
) -> Result<Vec<Posting>, PostingError> {
    let postings = movement.postings(balances, fund)?;
    let row = movement.row();
    let fits = |posting: &Posting| {
        row.legs
            .contains(&(posting.from.kind.class(), posting.to.kind.class()))
    };
    if let Some(stray) = postings.iter().find(|posting| !fits(posting)) {
        let (from, to) = (stray.from.kind.class().name(), stray.to.kind.class().name());
        return Err(PostingError::OffTable {
            row: row.name,
            from,
            to,
        });
    }
    post_all(balances, &postings)?;
    Ok(postings)
}

/// Reverses postings of one earlier movement (F31): the same amounts the other way, last first,
/// under the same checks. That nothing depends on them yet is the caller's check; what was spent
/// since is refused here.
pub fn reverse(
    balances: &mut impl Balances,
    postings: &[Posting],
) -> Result<Vec<Posting>, PostingError> {
    if postings.is_empty() {
        return Err(PostingError::Empty);
    }
    let inverse: Vec<Posting> = postings
        .iter()
        .rev()
        .map(|posting| Posting {
            from: posting.to,
            to: posting.from,
            ..*posting
        })
        .collect();
    post_all(balances, &inverse)?;
    Ok(inverse)
}

/// Posts what an earlier node posted: an audit replays the postings of a history with this.
pub fn replay(balances: &mut impl Balances, postings: &[Posting]) -> Result<(), PostingError> {
    post_all(balances, postings)
}

/// Checks all postings on a copy of what they touch, then writes.
fn post_all(balances: &mut impl Balances, postings: &[Posting]) -> Result<(), PostingError> {
    let mut touched: BTreeMap<Account, i128> = BTreeMap::new();
    let mut earmarks: BTreeMap<(FundId, CallId), Earmark> = BTreeMap::new();
    for posting in postings {
        let Posting {
            from, to, amount, ..
        } = *posting;
        check_posting(posting)?;
        let before = *touched
            .entry(from)
            .or_insert_with(|| balances.balance(from));
        let after = before
            .checked_sub(i128::from(amount))
            .ok_or(PostingError::OutOfRange)?;
        if after < 0 && !from.kind.class().is_external() {
            return Err(PostingError::Insufficient {
                account: from,
                balance: before,
                amount,
            });
        }
        touched.insert(from, after);
        let gains = *touched.entry(to).or_insert_with(|| balances.balance(to));
        touched.insert(
            to,
            gains
                .checked_add(i128::from(amount))
                .ok_or(PostingError::OutOfRange)?,
        );
        if let Some(call) = posting.earmark_of {
            let key = (from.fund, call);
            let known = earmarks
                .get(&key)
                .copied()
                .or_else(|| balances.earmark(from.fund, call));
            earmarks.insert(key, earmark_after(posting, call, known)?);
        }
    }
    for (account, balance) in touched {
        balances.set_balance(account, balance);
    }
    for ((fund, call), earmark) in earmarks {
        balances.set_earmark(fund, call, earmark);
    }
    Ok(())
}

fn earmark_after(
    posting: &Posting,
    call: CallId,
    known: Option<Earmark>,
) -> Result<Earmark, PostingError> {
    let wrong = PostingError::Earmark(call);
    let (direction, taking) = match (posting.from.kind, posting.to.kind) {
        (AccountKind::Direction(direction), _) => (direction, true),
        (_, AccountKind::Direction(direction)) => (direction, false),
        _ => return Err(wrong),
    };
    let known = known
        .filter(|earmark| earmark.taken > Amount::ZERO)
        .unwrap_or(Earmark {
            direction,
            taken: Amount::ZERO,
        });
    if known.direction != direction {
        return Err(wrong);
    }
    let taken = if taking {
        known.taken.checked_add(posting.amount)
    } else {
        known.taken.checked_sub(posting.amount)
    };
    Ok(Earmark {
        direction,
        taken: taken.ok_or(wrong)?,
    })
}

/// Sums of one fund by letter, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Totals {
    /// `X:member`: negative of what was received.
    pub received: i128,
    /// `X:fee`.
    pub fees: i128,
    /// `X:return`.
    pub returned: i128,
    /// `X:gain`: negative of what was gained.
    pub gains: i128,
    /// `A`.
    pub available: i128,
    /// `B`.
    pub allocated: i128,
    /// `W`.
    pub awarded: i128,
    /// `K`.
    pub committed: i128,
    /// `T`.
    pub in_transit: i128,
    /// `D`, guarantees included.
    pub paid: i128,
    /// `S`.
    pub accepted: i128,
    /// `G`.
    pub reserved: i128,
    /// `H`.
    pub held: i128,
    /// `L`, guarantees included.
    pub lost: i128,
}

/// What is wrong with a set of balances.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookFault {
    /// N1.
    #[error("{account} is negative: {balance} (N1)")]
    Negative {
        /// The account.
        account: Account,
        /// Its balance.
        balance: i128,
    },
    /// N3.
    #[error("the accounts of fund {} sum to {sum}, not 0 (N3)", .fund.0)]
    NotZero {
        /// The fund.
        fund: FundId,
        /// The sum.
        sum: i128,
    },
}

impl Totals {
    /// Sums the accounts of `fund` and holds them to N1 and N3. Accounts of other funds are left
    /// out.
    pub fn of(
        fund: FundId,
        balances: impl IntoIterator<Item = (Account, i128)>,
    ) -> Result<Self, BookFault> {
        let mut totals = Totals::default();
        for (account, balance) in balances
            .into_iter()
            .filter(|(account, _)| account.fund == fund)
        {
            let class = account.kind.class();
            if balance < 0 && !class.is_external() {
                return Err(BookFault::Negative { account, balance });
            }
            let sum = totals.part(class);
            // Saturation cannot hide a fault: a sum that saturates is not 0.
            *sum = sum.saturating_add(balance);
        }
        match totals.sum() {
            0 => Ok(totals),
            sum => Err(BookFault::NotZero { fund, sum }),
        }
    }

    fn part(&mut self, class: Class) -> &mut i128 {
        match class {
            Class::XMember => &mut self.received,
            Class::XFee => &mut self.fees,
            Class::XReturn => &mut self.returned,
            Class::XGain => &mut self.gains,
            Class::A => &mut self.available,
            Class::B => &mut self.allocated,
            Class::W => &mut self.awarded,
            Class::K => &mut self.committed,
            Class::T => &mut self.in_transit,
            Class::D | Class::DGuarantee => &mut self.paid,
            Class::S => &mut self.accepted,
            Class::G => &mut self.reserved,
            Class::H => &mut self.held,
            Class::L | Class::LGuarantee => &mut self.lost,
        }
    }

    fn sum(&self) -> i128 {
        let external = [self.received, self.fees, self.returned, self.gains];
        let spent = [self.paid, self.accepted, self.held, self.lost];
        external
            .iter()
            .chain(&spent)
            .fold(self.book_balance(), |sum, part| sum.saturating_add(*part))
    }

    /// What the bank account holds by the book: A + B + W + K + G + T. The bank has debited part of
    /// T, or none of it: [`Reconciliation`] lists which.
    pub fn book_balance(&self) -> i128 {
        self.without_transit().saturating_add(self.in_transit)
    }

    /// A + B + W + K + G: the bank's figure once everything in transit is debited.
    pub fn without_transit(&self) -> i128 {
        [
            self.available,
            self.allocated,
            self.awarded,
            self.committed,
            self.reserved,
        ]
        .iter()
        .fold(0, |sum: i128, part| sum.saturating_add(*part))
    }
}

/// An item between the book and the bank statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct OutstandingItem {
    /// Payment or receipt number.
    pub number: u32,
    /// What it adds to the book balance to give the statement: negative for a payment the bank has
    /// debited and the ledger has not seen settled.
    pub amount: i128,
    /// Ledger time since when it is outstanding.
    pub since_ms: LedgerTime,
}

/// Book against bank at a cut-off (RULINGS R4): book balance plus listed items equals the
/// statement; the difference must be 0.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Reconciliation {
    /// [`Totals::book_balance`] at the cut-off.
    pub book: i128,
    /// Every item, each with its age.
    pub items: Vec<OutstandingItem>,
    /// The bank's balance at the cut-off.
    pub statement: i128,
}

impl Reconciliation {
    /// What no item explains: must be 0.
    pub fn difference(&self) -> i128 {
        let explained = self
            .items
            .iter()
            .fold(self.book, |sum, item| sum.saturating_add(item.amount));
        self.statement.saturating_sub(explained)
    }

    /// The oldest item at the cut-off.
    pub fn oldest(&self) -> Option<&OutstandingItem> {
        self.items.iter().min_by_key(|item| item.since_ms)
    }
}
