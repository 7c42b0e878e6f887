//! Money as people read it: what moved, for whom, from where, and what the bank says of it.
//!
//! * Everything comes from a history that is run again: an export that was given, or one that a node
//!   hands out and this command executes.
//! * Amounts of different units are never added: every figure belongs to one fund.
//! * `flow` has statements and the way of a contribution, `bank` what is kept of a bank and how it
//!   stands against the book, `sums` what was received, awarded and paid, `giving` the awards as others
//!   publish them, `page` what is printed.

use rollbook_core::account::{AccountKind, Class, Posting};
use rollbook_core::calendar::{Calendar, LocalDay};
use rollbook_core::id::{FundId, Id as _};
use rollbook_core::ledger::Execution;
use rollbook_core::lookup::calendar;
use rollbook_core::object::fund::Fund;
use rollbook_core::object::payment::Payment;
use rollbook_core::record::Tranche;
use rollbook_core::state::StateTables;
use rollbook_core::view::money;
use rollbook_core::view::money::Entry;
use rollbook_core::word::Word as _;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_words::catalogue::t;

use crate::commands::history;
use crate::commands::source::{Export, Past, Source};
use crate::failure::Failure;
use crate::flags::{Connection, Global};
use crate::{objects, verbs};

pub mod bank;
pub mod flow;
pub mod giving;
pub mod page;
pub mod sums;

/// A history with everything that was posted in it.
pub struct Book {
    /// What posted, in order.
    pub entries: Vec<Entry>,
    source: Source,
}

impl Book {
    /// Runs a history again.
    pub fn open(global: &Global, connection: &Connection, past: &Past) -> Result<Book, Failure> {
        let (past, _passing) = history::whole(global, connection, past)?;
        let mut entries = Vec::new();
        let mut watch = |_: &StateTables, execution: &Execution| {
            entries.extend(money::of(execution));
        };
        let source = Source::open_watched(global, connection, &past, &mut watch)?;
        Ok(Book { entries, source })
    }

    /// The history at its end.
    fn export(&self) -> Result<&Export, Failure> {
        match &self.source {
            Source::Export(export) => Ok(export),
            // A history is always an export by now.
            Source::Node { .. } => Err(Failure::unusable(t("history.fetched", &[]))),
        }
    }

    /// The tables at its end.
    pub fn tables(&self) -> Result<&StateTables, Failure> {
        self.export().map(Export::tables)
    }

    /// Ledger time of its end.
    pub fn now(&self) -> Result<LedgerTime, Failure> {
        Ok(self.export()?.tip.1)
    }

    /// The local day of an entry.
    pub fn day(&self, entry: &Entry) -> Result<LocalDay, Failure> {
        Ok(self.calendar()?.day_of(entry.time))
    }

    /// Which days the alliance works, and where they begin.
    pub fn calendar(&self) -> Result<Calendar, Failure> {
        Ok(calendar::now(self.tables()?))
    }

    /// A fund by its number or short id.
    pub fn fund(&self, text: &str) -> Result<&Fund, Failure> {
        let number = number("fund", text)?;
        let fund = self.tables()?.funds.get(&FundId(number));
        fund.ok_or_else(|| absent("fund", number))
    }

    /// The sentence that says where it comes from.
    pub fn from(&self) -> String {
        self.source.from()
    }

    /// Whether the chain is a sample.
    pub fn is_sample(&self) -> bool {
        self.source.is_sample()
    }

    /// The exit code of a view that could be made.
    pub fn code(&self) -> u8 {
        self.source.code()
    }

    /// The name of an organisation in both scripts.
    pub fn name(&self, organisation: OrganisationId) -> Result<String, Failure> {
        let found = self.tables()?.organisations.get(&organisation);
        Ok(found
            .map(|found| objects::both_names(found.name.native.as_str(), found.name.latin.as_str()))
            .unwrap_or_default())
    }
}

/// The number of an object of a kind, from its number or short id.
pub fn number(table: &str, text: &str) -> Result<u32, Failure> {
    objects::number_of(table, text).map_err(|other| objects::no_number("N", table, text, other))
}

/// There is no such object.
pub fn absent(object: &str, number: u32) -> Failure {
    verbs::known::absent(object, number)
}

/// The day that an argument names.
pub fn day(argument: &str, text: &str) -> Result<LocalDay, Failure> {
    rollbook_words::dates::day(text).ok_or_else(|| {
        let facts = [
            ("argument", argument.to_owned()),
            ("value", text.to_owned()),
        ];
        Failure::unusable(t("verb.bad", &facts)).next(t("verb.bad-next", &facts))
    })
}

/// Whether an account is cash: what the bank account holds by the book.
pub fn is_cash(kind: AccountKind) -> bool {
    matches!(
        kind.class(),
        Class::A | Class::B | Class::W | Class::K | Class::T | Class::G
    )
}

/// What a posting adds to the cash of its fund.
pub fn cash(posting: &Posting) -> i128 {
    let amount = i128::from(posting.amount);
    match (is_cash(posting.from.kind), is_cash(posting.to.kind)) {
        (false, true) => amount,
        (true, false) => -amount,
        _ => 0,
    }
}

/// An account in words: `committed by A-0001`.
pub fn account(kind: AccountKind) -> String {
    let id = match kind {
        AccountKind::Member(n) | AccountKind::Return(n) => n.short().to_string(),
        AccountKind::Direction(n) => n.number().to_string(),
        AccountKind::Call(n) => n.short().to_string(),
        AccountKind::Award(n) => n.short().to_string(),
        AccountKind::InTransit(n) => n.short().to_string(),
        AccountKind::Committed(n)
        | AccountKind::Paid(n)
        | AccountKind::Accepted(n)
        | AccountKind::Lost(n) => n.short().to_string(),
        AccountKind::Free => return t("money.account.a-free", &[]),
        other => other
            .to_string()
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    let word = kind.class().name().to_lowercase().replace(':', "-");
    t(&format!("money.account.{word}"), &[("id", id)])
}

/// A movement in words, by the name of its row.
pub fn movement(row: &str) -> String {
    t(&format!("money.movement.{row}"), &[])
}

/// What a payment pays, in words: `milestone MS-0002`.
pub fn tranche(payment: &Payment) -> String {
    match payment.tranche {
        Tranche::Milestone(number) => {
            let facts = [("id", number.short().to_string())];
            t("money.tranche.milestone", &facts)
        }
        other => t(&format!("money.tranche.{}", other.word()), &[]),
    }
}
