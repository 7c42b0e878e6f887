//! What the ledger knows of a bank account and awaits there, and which instruction a line names.

use std::collections::BTreeMap;

use rollbook_core::account::Amount;
use rollbook_core::calendar::LocalDay;

use crate::statement::{Line, plain};

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// With the bank.
    Released,
    /// Confirmed.
    Settled,
    /// This instruction came back, and the ledger knows.
    Returned,
}

/// What the ledger took for the end of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The bank's reference in the record: of the debit that settled it, of the credit by which it
    /// came back.
    pub reference: String,
    /// The day of the record. The bank booked it on that day or before.
    pub day: LocalDay,
}

/// An instruction that the bank was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructed {
    /// The payment.
    pub payment: u32,
    /// Its reference.
    pub reference: String,
    /// Minor units.
    pub amount: Amount,
    /// The day of its release.
    pub day: LocalDay,
    /// Where it stands.
    pub standing: Standing,
    /// How it ended; none while it is with the bank.
    pub ended: Option<Ended>,
    /// Names of who is paid.
    pub names: Vec<String>,
}

/// What money is owed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Debt {
    /// An instalment of a pledge.
    Instalment {
        /// The instalment.
        instalment: u32,
        /// Its pledge.
        contribution: u32,
    },
    /// Paid money that is asked back.
    Recovery {
        /// The recovery.
        recovery: u32,
    },
}

/// What is still to come of a debt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// The debt.
    pub debt: Debt,
    /// Minor units, without what was entered and waits for its second signature.
    pub rest: Amount,
    /// By when.
    pub due: LocalDay,
    /// Names of who owes it.
    pub names: Vec<String>,
}

/// A receipt that the treasurer entered and nobody confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// Its record.
    pub record: String,
    /// What it is for.
    pub debt: Debt,
    /// Minor units.
    pub amount: Amount,
    /// The day in the record.
    pub value_day: LocalDay,
    /// The bank's reference.
    pub reference: String,
}

/// A reference of the bank that the ledger has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// As it stands there.
    pub reference: String,
    /// Minor units.
    pub amount: Amount,
    /// Whether it came in.
    pub credit: bool,
    /// The day, where the record names one.
    pub day: Option<LocalDay>,
}

/// What the ledger knows and awaits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Instructions, old ones too.
    pub instructed: Vec<Instructed>,
    /// Instalments and recoveries.
    pub awaited: Vec<Awaited>,
    /// Receipts that wait.
    pub entered: Vec<Entered>,
    /// References that were used, those of waiting receipts left out.
    pub used: Vec<Used>,
}

/// Instructions by the payer's reference. Banks change its case and drop its signs; without signs two
/// references may be one (`AG1-M1-11`, `AG1-M11-1`), and then only the whole one names either.
#[derive(Debug, Clone, Default)]
pub struct References {
    whole: BTreeMap<String, usize>,
    /// None: more than one instruction has this form.
    plain: BTreeMap<String, Option<usize>>,
}

impl References {
    /// Of instructions, each by its place. Of equals the first.
    pub fn of(instructed: &[Instructed]) -> References {
        let mut references = References::default();
        for (at, one) in instructed.iter().enumerate() {
            let whole = whole(&one.reference);
            if references.whole.contains_key(&whole) {
                continue;
            }
            references.whole.insert(whole, at);
            references
                .plain
                .entry(plain(&one.reference))
                .and_modify(|found| *found = None)
                .or_insert(Some(at));
        }
        references
    }

    /// The instruction that a line names by the payer's reference.
    pub fn find(&self, line: &Line) -> Option<usize> {
        let given = line.end_to_end.as_deref()?;
        if let Some(at) = self.whole.get(&whole(given)) {
            return Some(*at);
        }
        let plain = plain(given);
        self.plain
            .get(&plain)
            .copied()
            .flatten()
            .filter(|_| !plain.is_empty())
    }
}

fn whole(text: &str) -> String {
    text.trim().to_ascii_uppercase()
}
