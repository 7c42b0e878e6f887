//! Statements over a span of days, and the way of every contribution.
//!
//! * A statement is of one fund: what came in and went out, with the balance after each line. Of a
//!   fund that is its cash by the book, of a member what it has paid in, of a grantee what it received
//!   over all its agreements and keeps, of an agreement what is signed and not paid yet.
//! * Money that lies in one account is mixed. Which contribution an award was paid with is settled by
//!   a convention, told wherever it is used: what came into an account first leaves it first. The
//!   parts of an account always add up to its balance.

use std::collections::{BTreeMap, VecDeque};

use rollbook_core::account::table::ROWS;
use rollbook_core::account::{Account, AccountKind, Posting};
use rollbook_core::calendar::LocalDay;
use rollbook_core::id::{AgreementId, AwardId, CallId, ContributionId, FundId, PaymentId};
use rollbook_core::object::recovery::SetOff;
use rollbook_core::record::{AwardAct, Body, FundAct};
use rollbook_core::state::StateTables;
use rollbook_core::view::money::Entry;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use super::{Book, cash};
use crate::failure::Failure;

/// Whose statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The cash of a fund.
    Fund(FundId),
    /// What a member paid in, less what it got back.
    Member(OrganisationId),
    /// What a grantee was paid over all its agreements, less what came back.
    Grantee(OrganisationId),
    /// What is signed and not paid.
    Agreement(AgreementId),
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The day.
    pub day: LocalDay,
    /// The block.
    pub height: u64,
    /// The act; none: the clock acted.
    pub record: Option<Hash>,
    /// The number of its rule.
    pub rule: &'static str,
    /// Name of the movement.
    pub row: &'static str,
    /// From where.
    pub from: AccountKind,
    /// To where.
    pub to: AccountKind,
    /// How much moved, in minor units.
    pub moved: i128,
    /// What it adds to the balance.
    pub change: i128,
    /// The balance after it.
    pub balance: i128,
}

/// A statement of one fund.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// Before the first day.
    pub opening: i128,
    /// After the last one.
    pub closing: i128,
    /// What lies between.
    pub lines: Vec<Line>,
}

impl Of {
    /// What a posting adds to the balance; none: it is about something else.
    fn change(self, posting: &Posting, tables: &StateTables) -> Option<i128> {
        let amount = i128::from(posting.amount);
        let by = |inside: &dyn Fn(AccountKind) -> bool| match (
            inside(posting.from.kind),
            inside(posting.to.kind),
        ) {
            (false, false) => None,
            (true, true) => Some(0),
            (false, true) => Some(amount),
            (true, false) => Some(-amount),
        };
        match self {
            Of::Fund(fund) => {
                Some(cash(posting)).filter(|change| posting.from.fund == fund && *change != 0)
            }
            // What a member has paid in stands in the outside world as a debt of it: turned.
            Of::Member(member) => {
                let own = |kind| matches!(kind, AccountKind::Member(n) | AccountKind::Return(n) if n == member);
                by(&own).map(|change| -change)
            }
            // What is accepted or given up stays with the grantee: it is paid, and moves no more.
            Of::Grantee(grantee) => by(&|kind| match kind {
                AccountKind::Paid(n) | AccountKind::Accepted(n) | AccountKind::Lost(n) => tables
                    .agreements
                    .get(&n)
                    .is_some_and(|agreement| agreement.grantee == grantee),
                _ => false,
            })
            .filter(|change| *change != 0),
            Of::Agreement(agreement) => by(&|kind| match kind {
                AccountKind::Committed(n) => n == agreement,
                AccountKind::InTransit(payment) => tables
                    .payments
                    .get(&payment)
                    .is_some_and(|payment| payment.agreement == agreement),
                _ => false,
            }),
        }
    }
}

/// The number of the rule: of the act, else of the movement that the clock made.
fn rule(entry: &Entry, row: &str) -> &'static str {
    if let Some((_, record)) = &entry.record {
        return record.payload.body.code();
    }
    let known = ROWS.iter().find(|known| known.name == row);
    known
        .and_then(|known| known.numbers.first())
        .copied()
        .unwrap_or_default()
}

fn line(book: &Book, entry: &Entry, row: &'static str, posting: &Posting) -> Result<Line, Failure> {
    Ok(Line {
        day: book.day(entry)?,
        height: entry.height.0,
        record: entry.record.as_ref().map(|(id, _)| *id),
        rule: rule(entry, row),
        row,
        from: posting.from.kind,
        to: posting.to.kind,
        moved: i128::from(posting.amount),
        change: 0,
        balance: 0,
    })
}

/// The statements of somebody, one for each fund, from a day to a day.
pub fn statements(
    book: &Book,
    of: Of,
    (since, until): (Option<LocalDay>, Option<LocalDay>),
) -> Result<BTreeMap<FundId, Statement>, Failure> {
    let tables = book.tables()?;
    let mut all: BTreeMap<FundId, Statement> = BTreeMap::new();
    for entry in &book.entries {
        let day = book.day(entry)?;
        if until.is_some_and(|until| day > until) {
            continue;
        }
        for posted in &entry.postings {
            let posting = &posted.posting;
            let Some(change) = of.change(posting, tables) else {
                continue;
            };
            let statement = all.entry(posting.from.fund).or_default();
            statement.closing = statement.closing.saturating_add(change);
            if since.is_some_and(|since| day < since) {
                statement.opening = statement.closing;
                continue;
            }
            let mut line = line(book, entry, posted.row, posting)?;
            (line.change, line.balance) = (change, statement.closing);
            statement.lines.push(line);
        }
    }
    Ok(all)
}

/// Every posting of a fund, as accountants keep them.
pub fn postings(
    book: &Book,
    fund: FundId,
    (since, until): (Option<LocalDay>, Option<LocalDay>),
) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for entry in &book.entries {
        let day = book.day(entry)?;
        let within =
            since.is_none_or(|since| since <= day) && until.is_none_or(|until| day <= until);
        for posted in entry.postings.iter().filter(|_| within) {
            if posted.posting.from.fund == fund {
                lines.push(line(book, entry, posted.row, &posted.posting)?);
            }
        }
    }
    Ok(lines)
}

/// A part of an account, with what it came from and went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The contribution that it came from; none: it was gained.
    pub contribution: Option<ContributionId>,
    /// The call that it was allocated to.
    pub call: Option<CallId>,
    /// The award.
    pub award: Option<AwardId>,
    /// The agreement.
    pub agreement: Option<AgreementId>,
    /// The payment.
    pub payment: Option<PaymentId>,
}

impl Part {
    /// The part after it came from an account to an account. `set_off` is the payment that a debt was
    /// set off against.
    fn comes_to(
        self,
        from: AccountKind,
        kind: AccountKind,
        tables: &StateTables,
        set_off: Option<PaymentId>,
    ) -> Part {
        match kind {
            // A debt set off: what was paid for one agreement is paid for the other from now on.
            AccountKind::Paid(new) if matches!(from, AccountKind::Paid(old) if old != new) => {
                let agreement = tables.agreements.get(&new);
                Part {
                    contribution: self.contribution,
                    call: agreement.map(|agreement| agreement.call),
                    award: agreement.map(|agreement| agreement.award),
                    agreement: Some(new),
                    payment: set_off,
                }
            }
            AccountKind::Free | AccountKind::Direction(_) => Part {
                contribution: self.contribution,
                ..Part::default()
            },
            AccountKind::Call(call) => Part {
                contribution: self.contribution,
                call: Some(call),
                ..Part::default()
            },
            AccountKind::Award(award) => Part {
                award: Some(award),
                ..self
            },
            AccountKind::Committed(agreement) => Part {
                agreement: Some(agreement),
                payment: None,
                ..self
            },
            AccountKind::InTransit(payment) => Part {
                payment: Some(payment),
                ..self
            },
            _ => self,
        }
    }
}

/// The parts of every account, first in first.
pub type Parts = BTreeMap<Account, VecDeque<(Part, i128)>>;

/// Takes every balance apart into contributions.
pub fn parts(entries: &[Entry], tables: &StateTables) -> Parts {
    let mut all = Parts::new();
    for entry in entries {
        let contribution = contribution(entry, tables);
        let set_off = set_off(entry, tables);
        for posted in &entry.postings {
            let Posting { from, to, .. } = posted.posting;
            let mut left = i128::from(posted.posting.amount);
            let source = all.entry(from).or_default();
            let mut moved: Vec<(Part, i128)> = Vec::new();
            if from.kind.class().is_external() {
                let part = Part {
                    contribution,
                    ..Part::default()
                };
                moved.push((part, left));
                left = 0;
            }
            while left > 0 {
                let Some((part, amount)) = source.front_mut() else {
                    break;
                };
                let taken = left.min(*amount);
                moved.push((*part, taken));
                left -= taken;
                *amount -= taken;
                if *amount == 0 {
                    source.pop_front();
                }
            }
            let target = all.entry(to).or_default();
            for (part, amount) in moved {
                let part = part.comes_to(from.kind, to.kind, tables, set_off);
                match target.back_mut() {
                    Some((last, sum)) if *last == part => *sum += amount,
                    _ => target.push_back((part, amount)),
                }
            }
        }
    }
    all
}

/// The contribution that an act received money for.
fn contribution(entry: &Entry, tables: &StateTables) -> Option<ContributionId> {
    let (_, record) = entry.record.as_ref()?;
    let Body::Fund(FundAct::ConfirmReceipt { receipt }) = &record.payload.body else {
        return None;
    };
    let receipt = tables.receipts.get(receipt)?;
    let instalment = tables.instalments.get(&receipt.instalment)?;
    Some(instalment.contribution)
}

/// The payment that an act set a debt off against.
fn set_off(entry: &Entry, tables: &StateTables) -> Option<PaymentId> {
    let (_, record) = entry.record.as_ref()?;
    let Body::Award(AwardAct::AgreeSetOff { entry }) = &record.payload.body else {
        return None;
    };
    tables.set_offs.get(entry).map(SetOff::payment)
}
