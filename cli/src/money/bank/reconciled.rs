//! The book of a fund beside its bank.
//!
//! * Every line of the bank and every movement of the book until a day is matched by the bank's
//!   reference, else by the payer's (RULINGS R4); what is left on either side is an item with its age.
//!   Book, items and the bank's balance leave a difference, which is zero.
//! * A movement is dated by its record, which is later than the bank. What the bank booked before the
//!   first statement is in its opening balance: a receipt says so by its day, a payment by the day of
//!   its confirmation, and where only the release lies before, a person says it in the settings. The
//!   difference shows whether that holds.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_bank::known::{Known, References, Standing};
use rollbook_bank::matching::propose;
use rollbook_bank::proposal::Left;
use rollbook_bank::statement::{Line, plain};
use rollbook_bank::taken::Taken;
use rollbook_core::account::{OutstandingItem, Posting, Reconciliation};
use rollbook_core::calendar::{LocalDay, Period};
use rollbook_core::id::{FundId, Id as _, PaymentId};
use rollbook_core::object::fund::Fund;
use rollbook_core::object::payment::PaymentState;

use super::known::{OfBank, known, of_bank};
use crate::failure::Failure;
use crate::money::{Book, cash};

/// Which side an item stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The bank has it, the book has not.
    Bank,
    /// The book has it, the bank has not.
    Book,
}

/// What is on one side only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which side.
    pub side: Side,
    /// Since when.
    pub day: LocalDay,
    /// What it adds to the book to give the bank's balance.
    pub amount: i128,
    /// Reference of the bank or the payer, or the record.
    pub about: String,
}

/// Something that is told of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// What it is: the key of its sentence.
    pub kind: &'static str,
    /// The payment.
    pub payment: PaymentId,
    /// Since when.
    pub since: LocalDay,
    /// Minor units.
    pub amount: i128,
}

/// A fund's book beside its bank at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// Book, items as numbers, the bank's balance.
    pub sums: Reconciliation,
    /// The items.
    pub items: Vec<Item>,
    /// What waits too long, has no counterpart or was paid once more.
    pub exceptions: Vec<About>,
    /// What the settings say is in the opening balance of the bank, though the book has it later.
    pub in_opening: Vec<About>,
}

impl Reconciled {
    /// Whether nothing is open.
    pub fn is_clean(&self) -> bool {
        self.sums.difference() == 0 && self.items.is_empty() && self.exceptions.is_empty()
    }
}

/// A movement of the book that the bank must have, too.
struct Movement {
    /// The day of the record.
    day: LocalDay,
    /// The day on which the bank had it, where the record says one.
    bank_day: Option<LocalDay>,
    amount: i128,
    /// Letters and digits of the bank's reference.
    reference: Option<String>,
    payment: Option<PaymentId>,
    about: String,
}

/// Puts the book beside the bank. The history ends at the end of the day. `before` are references of
/// payments that are in the opening balance.
pub fn reconcile(
    book: &Book,
    fund: &Fund,
    taken: &Taken,
    before: &[String],
    on: LocalDay,
) -> Result<Reconciled, Failure> {
    let number = fund.number;
    let known = known(book, number)?;
    let first = taken.days.map(|(first, _)| first).unwrap_or(on);
    let before: BTreeSet<String> = before.iter().map(|text| plain(text)).collect();
    let (sum, movements) = movements(book, number)?;
    let until: Vec<Line> = taken
        .lines
        .iter()
        .filter(|line| line.day <= on)
        .cloned()
        .collect();
    let Sides {
        items,
        in_opening,
        unmatched,
    } = side_by_side(&known, &movements, &until, &before, first);
    let calendar = book.calendar()?;
    let outstanding = |(at, item): (u32, &Item)| OutstandingItem {
        number: at,
        amount: item.amount,
        since_ms: rollbook_core::calendar::start_of_local_day(item.day, calendar.offset_minutes),
    };
    let sums = Reconciliation {
        book: sum,
        items: (1..).zip(&items).map(outstanding).collect(),
        statement: taken.balance_on(on),
    };
    let mut exceptions = exceptions(book, number, &unmatched)?;
    exceptions.extend(paid_again(&until, &known));
    Ok(Reconciled {
        sums,
        items,
        exceptions,
        in_opening,
    })
}

/// What is on one side only.
#[derive(Default)]
struct Sides {
    items: Vec<Item>,
    in_opening: Vec<About>,
    unmatched: BTreeSet<PaymentId>,
}

/// Puts each movement beside its line. `first` is the first day of the statements.
fn side_by_side(
    known: &Known,
    movements: &[Movement],
    until: &[Line],
    before: &BTreeSet<String>,
    first: LocalDay,
) -> Sides {
    let mut lines: Vec<Option<&Line>> = until.iter().map(Some).collect();
    let places = Places::of(known, until);
    let settled: BTreeMap<u32, usize> = known
        .instructed
        .iter()
        .enumerate()
        .filter(|(_, known)| known.standing == Standing::Settled)
        .map(|(at, known)| (known.payment, at))
        .collect();
    let mut items = Vec::new();
    let mut in_opening = Vec::new();
    let mut unmatched: BTreeSet<PaymentId> = BTreeSet::new();
    for movement in movements {
        let instruction = movement
            .payment
            .and_then(|payment| settled.get(&payment.0).copied());
        let fits = |at: &&usize| {
            let line = lines.get(**at).copied().flatten();
            line.is_some_and(|line| line.signed() == movement.amount)
        };
        // A line that the bank booked after the record is not what the record confirmed.
        let in_time = |at: &&usize| until.get(**at).is_some_and(|line| line.day <= movement.day);
        let by_reference = || {
            let all = places.reference.get(movement.reference.as_ref()?)?;
            all.iter().find(fits).copied()
        };
        let by_instruction = || {
            let all = places.instruction.get(&instruction?)?;
            all.iter().filter(in_time).find(fits).copied()
        };
        if let Some(at) = by_reference().or_else(by_instruction) {
            if let Some(line) = lines.get_mut(at) {
                *line = None;
            }
            continue;
        }
        if movement.bank_day.unwrap_or(movement.day) < first {
            continue;
        }
        let instruction = instruction.and_then(|at| known.instructed.get(at));
        let named = movement
            .reference
            .iter()
            .any(|reference| before.contains(reference))
            || instruction.is_some_and(|found| before.contains(&plain(&found.reference)));
        if let (Some(payment), Some(instruction)) = (movement.payment, instruction)
            && named
            && instruction.day < first
        {
            in_opening.push(About {
                kind: "in-opening",
                payment,
                since: movement.day,
                amount: movement.amount,
            });
            continue;
        }
        unmatched.extend(movement.payment);
        items.push(Item {
            side: Side::Book,
            day: movement.day,
            amount: -movement.amount,
            about: movement.about.clone(),
        });
    }
    came_back(known, &places, first, &mut lines);
    items.extend(lines.iter().flatten().map(|line| {
        let reference = line.reference.clone().or_else(|| line.end_to_end.clone());
        Item {
            side: Side::Bank,
            day: line.day,
            amount: line.signed(),
            about: reference
                .or_else(|| line.text.clone())
                .unwrap_or_else(|| "–".to_owned()),
        }
    }));
    items.sort_by_key(|item| item.day);
    Sides {
        items,
        in_opening,
        unmatched,
    }
}

/// Payments that the bank executed once more.
fn paid_again(lines: &[Line], known: &Known) -> Vec<About> {
    let left = propose(lines, known).left;
    let again = left.into_iter().filter_map(|(at, left)| {
        let Left::PaidAgain { payment } = left else {
            return None;
        };
        let line = lines.get(at)?;
        Some(About {
            kind: "paid-again",
            payment: PaymentId(payment),
            since: line.day,
            amount: i128::from(line.amount),
        })
    });
    again.collect()
}

/// The cash of the book, and each act that changed it.
fn movements(book: &Book, fund: FundId) -> Result<(i128, Vec<Movement>), Failure> {
    let tables = book.tables()?;
    let mut sum: i128 = 0;
    let mut movements = Vec::new();
    for entry in &book.entries {
        let own = |posting: &&Posting| posting.from.fund == fund;
        let postings = entry
            .postings
            .iter()
            .map(|posted| &posted.posting)
            .filter(own);
        let amount: i128 = postings.map(cash).sum();
        if amount == 0 {
            continue;
        }
        sum = sum.saturating_add(amount);
        let (payment, reference, bank_day) = match of_bank(entry) {
            Some(OfBank::Release(payment, _) | OfBank::Return(payment, ..)) => {
                (Some(payment), None, None)
            }
            Some(OfBank::Settle(payment, reference, _)) => {
                (Some(payment), Some(reference.plain()), None)
            }
            Some(OfBank::Receipt(record)) => {
                let found = tables.receipts.get(&record);
                let reference = found.map(|found| found.reference.plain());
                (None, reference, found.map(|found| found.value_day))
            }
            Some(OfBank::Recovery(record)) => {
                let found = tables.recovery_receipts.get(&record);
                let reference = found.map(|found| found.entry.reference.plain());
                (None, reference, found.map(|found| found.entry.value_day))
            }
            None => (None, None, None),
        };
        let record = entry.record.as_ref().map(|(id, _)| id.short());
        let named = payment.map(|payment| payment.short().to_string());
        movements.push(Movement {
            day: book.day(entry)?,
            bank_day,
            amount,
            reference,
            payment,
            about: named.or(record).unwrap_or_default(),
        });
    }
    Ok((sum, movements))
}

/// Lines by what they name, so that each is found at once.
#[derive(Default)]
struct Places {
    reference: BTreeMap<String, Vec<usize>>,
    /// By the place of the instruction.
    instruction: BTreeMap<usize, Vec<usize>>,
}

impl Places {
    fn of(known: &Known, lines: &[Line]) -> Places {
        let references = References::of(&known.instructed);
        let mut places = Places::default();
        for (at, line) in lines.iter().enumerate() {
            if let Some(reference) = line.plain_reference() {
                places.reference.entry(reference).or_default().push(at);
            }
            if let Some(instruction) = references.find(line) {
                places.instruction.entry(instruction).or_default().push(at);
            }
        }
        places
    }
}

/// Takes away what went out and came back, where the ledger knows of it: both lines are there, or the
/// one on which it went out lies before the first statement.
fn came_back(known: &Known, places: &Places, first: LocalDay, lines: &mut [Option<&Line>]) {
    for (instruction, instructed) in known.instructed.iter().enumerate() {
        if instructed.standing != Standing::Returned {
            continue;
        }
        let Some(all) = places.instruction.get(&instruction) else {
            continue;
        };
        let find = |credit: bool| {
            let mut all = all.iter();
            all.find(|at| {
                let line = lines.get(**at).copied().flatten();
                line.is_some_and(|line| line.credit == credit && line.amount == instructed.amount)
            })
        };
        let (out, back) = (find(false).copied(), find(true).copied());
        let whole = back.is_some() && (out.is_some() || instructed.day < first);
        for at in out.into_iter().chain(back).filter(|_| whole) {
            if let Some(line) = lines.get_mut(at) {
                *line = None;
            }
        }
    }
}

/// Payments that somebody has to look at.
fn exceptions(
    book: &Book,
    fund: FundId,
    unmatched: &BTreeSet<PaymentId>,
) -> Result<Vec<About>, Failure> {
    let tables = book.tables()?;
    let calendar = book.calendar()?;
    let now = book.now()?;
    let mut days: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    let mut found = Vec::new();
    for (number, payment) in tables
        .payments
        .iter()
        .filter(|(_, payment)| payment.fund == fund)
    {
        let charter = tables
            .agreements
            .get(&payment.agreement)
            .map_or_else(Default::default, |agreement| agreement.terms.charter);
        let (certify, step) = *days.entry(charter.0).or_insert_with(|| {
            let charter = tables.parameters.get(&charter);
            charter.map_or((10, 5), |charter| {
                (charter.funding.certify_days, charter.funding.step_days)
            })
        });
        let late = |days: u32| calendar.deadline(payment.since_ms, Period::Days(days)) < now;
        let kind = match payment.state {
            PaymentState::Unacknowledged => Some("unacknowledged"),
            PaymentState::Disputed => Some("disputed"),
            PaymentState::Acknowledged if unmatched.contains(number) => Some("unmatched"),
            PaymentState::Requested if late(certify) => Some("overdue"),
            PaymentState::Certified
            | PaymentState::Approved
            | PaymentState::Returned
            | PaymentState::Released
                if late(step) =>
            {
                Some("overdue")
            }
            _ => None,
        };
        found.extend(kind.map(|kind| About {
            kind,
            payment: *number,
            since: calendar.day_of(payment.since_ms),
            amount: i128::from(payment.amount),
        }));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
