//! Which line of the bank is which movement of the ledger: proposals, each with its reasons, for a
//! person who decides.
//!
//! * The payer's reference decides for payments, the bank's for receipts that wait for their second
//!   signature. Only where there is none, amount, day and name propose; two that fit are no proposal.
//! * A line, a payment, a receipt and an instalment are each taken once.
//! * What the bank sent back is one act of two lines: out and in.
//!
//! Absent on purpose: sentences, and what the acts' rules say.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::account::Amount;
use rollbook_core::calendar::LocalDay;

use crate::statement::{Line, plain};

/// Days after its release within which a payment without a reference is looked for.
const DAYS: i64 = 10;
/// Where the bank gives no code: the reason was not told (ISO 20022, external return reasons).
pub const NOT_TOLD: &str = "MS03";

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
    /// Names of who is paid.
    pub names: Vec<String>,
}

/// What is still to come of an instalment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// The instalment.
    pub instalment: u32,
    /// Its pledge.
    pub contribution: u32,
    /// Minor units.
    pub rest: Amount,
    /// By when.
    pub due: LocalDay,
    /// Names of the contributor.
    pub names: Vec<String>,
}

/// A receipt that the treasurer entered and nobody confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// Its record.
    pub record: String,
    /// The instalment.
    pub instalment: u32,
    /// Minor units.
    pub amount: Amount,
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
    /// Instalments.
    pub awaited: Vec<Awaited>,
    /// Receipts that wait.
    pub entered: Vec<Entered>,
    /// References that were used, those of waiting receipts left out.
    pub used: Vec<Used>,
}

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
}

/// Why a line is taken for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The payer's reference is the instruction's.
    EndToEnd,
    /// The bank's reference is the receipt's.
    Reference,
    /// The text names the instalment or the pledge.
    Number,
    /// The amount is the same.
    Amount,
    /// The day fits: so many days from the one that was awaited.
    Days(i64),
    /// The name is the same.
    Name,
    /// It is the only one that fits.
    Only,
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
    /// More than one fits.
    Several {
        /// How many.
        count: usize,
    },
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
            Left::Several { .. } => "several",
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

/// The bank's reference as a record may write it: capital letters, digits and `-./`, at most 64, with
/// at least four letters and digits.
pub fn record_reference(line: &Line) -> Option<String> {
    let given = line.reference.as_deref()?.to_ascii_uppercase();
    let allowed =
        |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '/');
    let plain = line.plain_reference()?;
    let text = if given.chars().all(allowed) {
        given
    } else {
        plain
    };
    (text.len() <= 64).then_some(text)
}

/// Looks for what each line is.
pub fn propose(lines: &[Line], known: &Known) -> Outcome {
    let mut search = Search {
        lines,
        known,
        index: Index::of(lines, known),
        taken: Taken::default(),
        outcome: Outcome::default(),
    };
    // What is certain first, so that a guess never takes what a reference names.
    for certain in [true, false] {
        for (at, line) in lines.iter().enumerate() {
            if !search.taken.lines.contains(&at) {
                search.look(at, line, certain);
            }
        }
    }
    search
        .outcome
        .proposals
        .sort_by_key(|proposal| proposal.line);
    search.outcome.left.sort_by_key(|(line, _)| *line);
    search.outcome
}

#[derive(Default)]
struct Taken {
    lines: BTreeSet<usize>,
    payments: BTreeSet<u32>,
    receipts: BTreeSet<String>,
    instalments: BTreeSet<u32>,
}

/// Where what is looked for stands, so that a line is as dear among many as among few.
struct Index {
    used: BTreeMap<String, usize>,
    instructed: BTreeMap<String, usize>,
    by_amount: BTreeMap<Amount, Vec<usize>>,
    entered: BTreeMap<String, usize>,
    end_to_end: BTreeMap<String, Vec<usize>>,
}

impl Index {
    fn of(lines: &[Line], known: &Known) -> Index {
        let used = known.used.iter().enumerate().rev();
        let instructed = known.instructed.iter().enumerate().rev();
        let entered = known.entered.iter().enumerate().rev();
        let mut by_amount: BTreeMap<Amount, Vec<usize>> = BTreeMap::new();
        for (at, one) in known.instructed.iter().enumerate() {
            by_amount.entry(one.amount).or_default().push(at);
        }
        let mut end_to_end: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            if let Some(reference) = line.end_to_end.as_deref() {
                end_to_end.entry(plain(reference)).or_default().push(at);
            }
        }
        // Of equals the first.
        Index {
            used: used.map(|(at, one)| (plain(&one.reference), at)).collect(),
            instructed: instructed
                .map(|(at, one)| (plain(&one.reference), at))
                .collect(),
            by_amount,
            entered: entered
                .map(|(at, one)| (plain(&one.reference), at))
                .collect(),
            end_to_end,
        }
    }
}

struct Search<'a> {
    lines: &'a [Line],
    known: &'a Known,
    index: Index,
    taken: Taken,
    outcome: Outcome,
}

impl Search<'_> {
    fn leave(&mut self, at: usize, why: Left) {
        self.taken.lines.insert(at);
        self.outcome.left.push((at, why));
    }

    fn propose(&mut self, at: usize, beside: Option<usize>, act: Act, reasons: Vec<Reason>) {
        let Some(line) = self.lines.get(at) else {
            return;
        };
        let Some(reference) = record_reference(line) else {
            // What went out with it is left with it, and is no settlement.
            if let Some(beside) = beside {
                self.leave(beside, Left::NoReference);
            }
            return self.leave(at, Left::NoReference);
        };
        match &act {
            Act::Settle { payment } | Act::Return { payment, .. } => {
                self.taken.payments.insert(*payment);
            }
            Act::Receive { instalment } => {
                self.taken.instalments.insert(*instalment);
            }
            Act::Confirm { receipt, .. } => {
                self.taken.receipts.insert(receipt.clone());
            }
        }
        self.taken.lines.extend(beside.into_iter().chain([at]));
        self.outcome.proposals.push(Proposal {
            line: at,
            beside,
            act,
            amount: line.amount,
            reference,
            reasons,
        });
    }

    fn look(&mut self, at: usize, line: &Line, certain: bool) {
        if certain {
            if !self.is_used(at, line) && !self.by_end_to_end(at, line) {
                self.by_reference(at, line);
            }
            return;
        }
        let why = if line.credit {
            self.instalment(at, line)
        } else {
            self.payment(at, line)
        };
        if let Some(why) = why {
            self.leave(at, why);
        }
    }

    /// The ledger has used the bank's reference.
    fn is_used(&mut self, at: usize, line: &Line) -> bool {
        let Some(reference) = line.plain_reference() else {
            return false;
        };
        let at_used = self.index.used.get(&reference);
        let Some(used) = at_used.and_then(|at| self.known.used.get(*at)) else {
            return false;
        };
        let same_day = used
            .day
            .is_none_or(|day| day == line.day || day == line.value_day);
        let same = used.amount == line.amount && used.credit == line.credit && same_day;
        let why = if same {
            Left::There
        } else {
            Left::ReferenceUsed {
                amount: used.amount,
                day: used.day,
            }
        };
        self.leave(at, why);
        true
    }

    /// The line of the same instruction that went the other way.
    fn other_way(&self, at: usize, reference: &str, credit: bool) -> Option<usize> {
        let fits = |place: &&usize| {
            **place != at
                && !self.taken.lines.contains(*place)
                && self
                    .lines
                    .get(**place)
                    .is_some_and(|line| line.credit == credit)
        };
        let places = self.index.end_to_end.get(reference)?;
        places.iter().find(fits).copied()
    }

    fn by_end_to_end(&mut self, at: usize, line: &Line) -> bool {
        let Some(reference) = line.end_to_end.as_deref().map(plain) else {
            return false;
        };
        let at_known = self.index.instructed.get(&reference);
        let found = at_known.and_then(|at| self.known.instructed.get(*at));
        let Some(found) = found.cloned() else {
            return false;
        };
        let payment = found.payment;
        if found.amount != line.amount {
            let expected = found.amount;
            self.leave(at, Left::OtherAmount { payment, expected });
            return true;
        }
        let reasons = || {
            vec![
                Reason::EndToEnd,
                Reason::Amount,
                Reason::Days(line.day.0.saturating_sub(found.day.0)),
            ]
        };
        match (found.standing, line.credit) {
            (Standing::Returned, _) => self.leave(at, Left::CameBack { payment }),
            (Standing::Released, _) if self.taken.payments.contains(&payment) => {
                self.leave(at, Left::Several { count: 2 });
            }
            (Standing::Released, true) => {
                let beside = self.other_way(at, &reference, false);
                let reason = line.return_reason.as_deref().filter(|code| {
                    code.len() == 4
                        && code
                            .bytes()
                            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                });
                let act = Act::Return {
                    payment,
                    reason: reason.unwrap_or(NOT_TOLD).to_owned(),
                };
                self.propose(at, beside, act, reasons());
            }
            (Standing::Released, false) => match self.other_way(at, &reference, true) {
                // The line on which it came back proposes for both.
                Some(_) => return true,
                None => self.propose(at, None, Act::Settle { payment }, reasons()),
            },
            (Standing::Settled, true) => self.leave(at, Left::BackAfterSettlement { payment }),
            (Standing::Settled, false) => self.leave(at, Left::There),
        }
        true
    }

    /// A receipt that waits has the bank's reference.
    fn by_reference(&mut self, at: usize, line: &Line) {
        let Some(reference) = line.plain_reference().filter(|_| line.credit) else {
            return;
        };
        let at_known = self.index.entered.get(&reference);
        let found = at_known.and_then(|at| self.known.entered.get(*at));
        let Some(found) = found.cloned() else {
            return;
        };
        if found.amount != line.amount {
            let amount = found.amount;
            self.leave(at, Left::ReferenceUsed { amount, day: None });
            return;
        }
        if self.taken.receipts.contains(&found.record) {
            return self.leave(at, Left::There);
        }
        let act = Act::Confirm {
            instalment: found.instalment,
            receipt: found.record,
        };
        self.propose(at, None, act, vec![Reason::Reference, Reason::Amount]);
    }

    /// A payment without a reference: amount, day, name.
    fn payment(&mut self, at: usize, line: &Line) -> Option<Left> {
        let near = |known: &&Instructed| {
            let days = line.day.0.saturating_sub(known.day.0);
            known.standing == Standing::Released
                && known.amount == line.amount
                && (0..=DAYS).contains(&days)
                && !self.taken.payments.contains(&known.payment)
        };
        let places = self.index.by_amount.get(&line.amount);
        let places = places.map(Vec::as_slice).unwrap_or_default().iter();
        let same = places.filter_map(|at| self.known.instructed.get(*at));
        let fits: Vec<&Instructed> = same.filter(near).collect();
        let (found, by_name) = match one(&fits, line, |known| &known.names) {
            Ok(found) => found,
            Err(left) => return Some(left),
        };
        let days = Reason::Days(line.day.0.saturating_sub(found.day.0));
        let last = if by_name { Reason::Name } else { Reason::Only };
        let act = Act::Settle {
            payment: found.payment,
        };
        self.propose(at, None, act, vec![Reason::Amount, days, last]);
        None
    }

    /// Money that came in: the number of the instalment or pledge in the text, else amount and name.
    fn instalment(&mut self, at: usize, line: &Line) -> Option<Left> {
        let free = |known: &&Awaited| !self.taken.instalments.contains(&known.instalment);
        let text = line
            .text
            .as_deref()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let end_to_end = line.end_to_end.as_deref().unwrap_or_default();
        let said = format!("{text} {}", end_to_end.to_ascii_uppercase());
        let numbered: Vec<&Awaited> = self
            .known
            .awaited
            .iter()
            .filter(free)
            .filter(|known| {
                names(&said, "IN", known.instalment) || names(&said, "PL", known.contribution)
            })
            .filter(|known| line.amount <= known.rest)
            .collect();
        if let Some(found) = numbered.iter().min_by_key(|known| known.due) {
            let mut reasons = vec![Reason::Number];
            reasons.extend((found.rest == line.amount).then_some(Reason::Amount));
            let act = Act::Receive {
                instalment: found.instalment,
            };
            self.propose(at, None, act, reasons);
            return None;
        }
        let same = |known: &&Awaited| known.rest == line.amount;
        let fits: Vec<&Awaited> = self
            .known
            .awaited
            .iter()
            .filter(free)
            .filter(same)
            .collect();
        let (found, by_name) = match one(&fits, line, |known| &known.names) {
            Ok(found) => found,
            Err(left) => return Some(left),
        };
        let days = Reason::Days(line.day.0.saturating_sub(found.due.0));
        let last = if by_name { Reason::Name } else { Reason::Only };
        let act = Act::Receive {
            instalment: found.instalment,
        };
        self.propose(at, None, act, vec![Reason::Amount, days, last]);
        None
    }
}

/// The one that fits, and whether its name decided.
fn one<'a, T>(
    fits: &[&'a T],
    line: &Line,
    names: impl Fn(&T) -> &Vec<String>,
) -> Result<(&'a T, bool), Left> {
    let by_name: Vec<&&T> = fits
        .iter()
        .filter(|known| {
            let theirs = line.counterparty.as_deref().map(bare).unwrap_or_default();
            !theirs.is_empty() && names(known).iter().any(|name| bare(name) == theirs)
        })
        .collect();
    match (fits, by_name.as_slice()) {
        ([], _) => Err(Left::Nothing),
        (_, [found]) => Ok((found, true)),
        ([found], _) => Ok((found, false)),
        (all, _) => Err(Left::Several { count: all.len() }),
    }
}

/// A name without case, spaces and signs: banks write them as they like.
fn bare(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether a text names an object: `IN-0003`, `IN-3`, `IN 3`.
fn names(text: &str, letters: &str, number: u32) -> bool {
    text.match_indices(letters).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().last());
        let rest = text.get(at + letters.len()..).unwrap_or_default();
        let Some(rest) = rest.strip_prefix(['-', ' ']) else {
            return false;
        };
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        !before.is_some_and(char::is_alphanumeric)
            && rest.get(..end).and_then(|digits| digits.parse().ok()) == Some(number)
    })
}

#[cfg(test)]
mod tests;
