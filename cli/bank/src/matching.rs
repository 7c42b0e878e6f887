//! Which line of the bank is which movement of the ledger: proposals, each with its reasons, for a
//! person who decides.
//!
//! * The payer's reference decides for payments, the bank's for receipts that wait for their second
//!   signature. All lines of one instruction are looked at together: out once, or out and back with
//!   the same amount. Whatever else they are, nobody proposes it.
//! * Only where there is no reference, amount, day and name propose; two that fit are no proposal, and
//!   what stands on the line against it decides against it.
//! * A line, a payment, a receipt and a debt are each taken once.
//!
//! Absent on purpose: sentences, and what the acts' rules say.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::account::Amount;

use crate::known::{Awaited, Debt, Entered, Instructed, Known, References, Standing};
use crate::proposal::{Act, Left, Outcome, Proposal, Reason};
use crate::statement::{Line, plain};

/// Days after its release within which a payment without a reference is looked for.
const DAYS: i64 = 10;
/// Where the bank gives no code: the reason was not told (ISO 20022, external return reasons).
pub const NOT_TOLD: &str = "MS03";

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
    search.each(Search::is_used);
    search.by_instruction();
    search.each(Search::by_reference);
    search.each(Search::guess);
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
    debts: BTreeSet<Debt>,
}

/// Where what is looked for stands, so that a line is as dear among many as among few.
struct Index {
    /// Lines by the bank's reference.
    lines: BTreeMap<String, usize>,
    used: BTreeMap<String, usize>,
    instructed: References,
    by_amount: BTreeMap<Amount, Vec<usize>>,
    entered: BTreeMap<String, usize>,
}

impl Index {
    fn of(lines: &[Line], known: &Known) -> Index {
        let used = known.used.iter().enumerate().rev();
        let entered = known.entered.iter().enumerate().rev();
        let mut by_amount: BTreeMap<Amount, Vec<usize>> = BTreeMap::new();
        for (at, one) in known.instructed.iter().enumerate() {
            by_amount.entry(one.amount).or_default().push(at);
        }
        let referenced = lines.iter().enumerate().rev();
        // Of equals the first.
        Index {
            lines: referenced
                .filter_map(|(at, line)| Some((line.plain_reference()?, at)))
                .collect(),
            used: used.map(|(at, one)| (plain(&one.reference), at)).collect(),
            instructed: References::of(&known.instructed),
            by_amount,
            entered: entered
                .map(|(at, one)| (plain(&one.reference), at))
                .collect(),
        }
    }
}

/// Lines with their places.
type Placed<'a> = Vec<(usize, &'a Line)>;

struct Search<'a> {
    lines: &'a [Line],
    known: &'a Known,
    index: Index,
    taken: Taken,
    outcome: Outcome,
}

impl<'a> Search<'a> {
    /// Looks at every line that is not taken yet.
    fn each(&mut self, look: impl Fn(&mut Self, usize, &Line)) {
        for (at, line) in self.lines.iter().enumerate() {
            if !self.taken.lines.contains(&at) {
                look(self, at, line);
            }
        }
    }

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

    /// The ledger has used the bank's reference.
    fn is_used(&mut self, at: usize, line: &Line) {
        let Some(reference) = line.plain_reference() else {
            return;
        };
        let at_used = self.index.used.get(&reference);
        let Some(used) = at_used.and_then(|at| self.known.used.get(*at)) else {
            return;
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
    }

    /// Lines that name an instruction, all of one together.
    fn by_instruction(&mut self) {
        let (lines, known) = (self.lines, self.known);
        let mut groups: BTreeMap<usize, Vec<(usize, &Line)>> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            if !self.taken.lines.contains(&at)
                && let Some(found) = self.index.instructed.find(line)
            {
                groups.entry(found).or_default().push((at, line));
            }
        }
        for (found, group) in groups {
            let Some(found) = known.instructed.get(found) else {
                continue;
            };
            // Whatever these lines are: no other line is guessed to be this payment.
            self.taken.payments.insert(found.payment);
            match found.standing {
                Standing::Released => self.with_the_bank(found, &group),
                Standing::Settled | Standing::Returned => self.ended(found, &group),
            }
        }
    }

    /// Lines of an instruction that the ledger still sees with the bank.
    fn with_the_bank(&mut self, found: &Instructed, group: &[(usize, &Line)]) {
        let (payment, expected) = (found.payment, found.amount);
        let less = group
            .iter()
            .find(|(_, line)| line.credit && line.amount != expected);
        if let Some((_, back)) = less {
            // The debit alone would look as if it had been executed.
            let amount = back.amount;
            for (at, _) in group {
                let why = Left::CameBackLess {
                    payment,
                    amount,
                    expected,
                };
                self.leave(*at, why);
            }
            return;
        }
        let (backs, outs): (Placed, Placed) =
            group.iter().copied().partition(|(_, line)| line.credit);
        let (outs, others): (Placed, Placed) = outs
            .into_iter()
            .partition(|(_, line)| line.amount == expected);
        let reasons = |line: &Line| {
            vec![
                Reason::EndToEnd,
                Reason::Amount,
                Reason::Days(line.day.0.saturating_sub(found.day.0)),
            ]
        };
        match (outs.as_slice(), backs.as_slice()) {
            (outs, []) => {
                for (at, _) in others {
                    self.leave(at, Left::OtherAmount { payment, expected });
                }
                for (count, (at, line)) in outs.iter().enumerate() {
                    if count == 0 {
                        self.propose(*at, None, Act::Settle { payment }, reasons(line));
                    } else {
                        self.leave(*at, Left::PaidAgain { payment });
                    }
                }
            }
            (outs @ ([] | [_]), [(at, line)]) if others.is_empty() => {
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
                let beside = outs.first().map(|(at, _)| *at);
                self.propose(*at, beside, act, reasons(line));
            }
            _ => {
                for (at, _) in group {
                    let count = group.len();
                    self.leave(*at, Left::Several { count });
                }
            }
        }
    }

    /// Lines of an instruction of which the ledger has the end: one debit, or one debit and one credit,
    /// booked before the record. Every further one is money that moved once more.
    fn ended(&mut self, found: &Instructed, group: &[(usize, &Line)]) {
        let payment = found.payment;
        let returned = found.standing == Standing::Returned;
        let ended = found.ended.as_ref();
        let in_record = ended
            .and_then(|ended| self.index.lines.get(&plain(&ended.reference)))
            .and_then(|at| self.lines.get(*at))
            .is_some_and(|line| line.amount == found.amount && line.credit == returned);
        let (mut out, mut back) = (in_record && !returned, in_record && returned);
        for (at, line) in group {
            let in_time = ended.is_none_or(|ended| line.day <= ended.day);
            let why = match (line.credit, line.amount == found.amount) {
                (true, _) if !returned => Left::BackAfterSettlement { payment },
                (true, false) => Left::CameBackLess {
                    payment,
                    amount: line.amount,
                    expected: found.amount,
                },
                (true, true) if back || !in_time => Left::BackAgain { payment },
                (true, true) => {
                    back = true;
                    Left::CameBack { payment }
                }
                (false, false) => Left::OtherAmount {
                    payment,
                    expected: found.amount,
                },
                (false, true) if out || !in_time => Left::PaidAgain { payment },
                (false, true) => {
                    out = true;
                    if returned {
                        Left::CameBack { payment }
                    } else {
                        Left::There
                    }
                }
            };
            self.leave(*at, why);
        }
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
        let Entered {
            record,
            debt,
            amount,
            value_day,
            ..
        } = found;
        let same_day = value_day == line.day || value_day == line.value_day;
        if amount != line.amount || !same_day {
            let day = Some(value_day);
            self.leave(at, Left::ReferenceUsed { amount, day });
            return;
        }
        if !self.taken.receipts.insert(record.clone()) {
            return self.leave(at, Left::There);
        }
        self.taken.debts.insert(debt);
        let receipt = record;
        let act = match debt {
            Debt::Instalment { instalment, .. } => Act::Confirm {
                instalment,
                receipt,
            },
            Debt::Recovery { recovery } => Act::ConfirmRecovery { recovery, receipt },
        };
        self.propose(at, None, act, vec![Reason::Reference, Reason::Amount]);
    }

    /// What nothing names for certain.
    fn guess(&mut self, at: usize, line: &Line) {
        let found = if line.credit {
            self.income(line)
        } else {
            self.payment(line)
        };
        match found {
            Ok((act, reasons)) => self.propose(at, None, act, reasons),
            Err(why) => self.leave(at, why),
        }
    }

    /// A payment without a reference: amount, day, name.
    fn payment(&mut self, line: &Line) -> Result<(Act, Vec<Reason>), Left> {
        // A reference of the payer that no instruction has is that of another payment.
        if given(line).is_some() || line.reversal {
            return Err(Left::Nothing);
        }
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
        let (found, last) = one(&fits, line, |known| &known.names)?;
        let (payment, day) = (found.payment, found.day);
        self.taken.payments.insert(payment);
        let days = Reason::Days(line.day.0.saturating_sub(day.0));
        Ok((Act::Settle { payment }, vec![Reason::Amount, days, last]))
    }

    /// Money that came in: what its text names, else amount and name.
    fn income(&mut self, line: &Line) -> Result<(Act, Vec<Reason>), Left> {
        // What went out before and was booked back is owed by nobody.
        if line.reversal || line.return_reason.is_some() {
            return Err(Left::Nothing);
        }
        let free: Vec<&'a Awaited> = self
            .known
            .awaited
            .iter()
            .filter(|known| !self.taken.debts.contains(&known.debt))
            .filter(|known| known.rest > Amount::ZERO)
            .collect();
        let (found, reasons) = match named(line, &free)? {
            Some(found) => {
                let mut reasons = vec![Reason::Number];
                reasons.extend((found.rest == line.amount).then_some(Reason::Amount));
                let other = named_otherwise(line, &found.names);
                reasons.extend(other.then_some(Reason::OtherName));
                (found, reasons)
            }
            None => {
                let same = free.iter().filter(|known| known.rest == line.amount);
                let fits: Vec<&Awaited> = same.copied().collect();
                let (found, last) = one(&fits, line, |known| &known.names)?;
                let days = Reason::Days(line.day.0.saturating_sub(found.due.0));
                (found, vec![Reason::Amount, days, last])
            }
        };
        let act = match found.debt {
            Debt::Instalment { instalment, .. } => Act::Receive { instalment },
            Debt::Recovery { recovery } => Act::ReceiveRecovery { recovery },
        };
        self.taken.debts.insert(found.debt);
        Ok((act, reasons))
    }
}

/// The payer's reference, where the payer gave one.
fn given(line: &Line) -> Option<&str> {
    let given = line.end_to_end.as_deref()?;
    let plain = plain(given);
    (!plain.is_empty() && plain != "NOTPROVIDED").then_some(given)
}

/// What the text of a line names among what is awaited; none: it names nothing at all. What it names
/// and is not awaited, or not with this amount, decides against every guess.
fn named<'a>(line: &Line, free: &[&'a Awaited]) -> Result<Option<&'a Awaited>, Left> {
    let text = line.text.as_deref().unwrap_or_default();
    let said = format!("{text} {}", given(line).unwrap_or_default()).to_ascii_uppercase();
    let [own, pledges, recoveries] = ["IN-", "PL-", "RC-"].map(|letters| numbers(&said, letters));
    let itself = |known: &&&Awaited| match known.debt {
        Debt::Instalment { instalment, .. } => own.contains(&instalment),
        Debt::Recovery { recovery } => recoveries.contains(&recovery),
    };
    let of_pledge = |known: &&&Awaited| match known.debt {
        Debt::Instalment { contribution, .. } => pledges.contains(&contribution),
        Debt::Recovery { .. } => false,
    };
    let (count, found) = if !own.is_empty() || !recoveries.is_empty() {
        let found = free.iter().filter(itself).min_by_key(|known| known.due);
        (own.len() + recoveries.len(), found)
    } else if !pledges.is_empty() {
        let fits = free.iter().filter(of_pledge);
        let fits = fits.filter(|known| line.amount <= known.rest);
        (pledges.len(), fits.min_by_key(|known| known.due))
    } else {
        return Ok(None);
    };
    if count > 1 {
        return Err(Left::Several { count });
    }
    let found = found.filter(|known| line.amount <= known.rest);
    found.map_or(Err(Left::Nothing), |found| Ok(Some(found)))
}

/// The one that fits, and what decided. A name that stands there and is nobody's decides against all.
fn one<'a, T>(
    fits: &[&'a T],
    line: &Line,
    names: impl Fn(&T) -> &Vec<String>,
) -> Result<(&'a T, Reason), Left> {
    if fits.is_empty() {
        return Err(Left::Nothing);
    }
    let Some(theirs) = counterparty(line) else {
        return match fits {
            [found] => Ok((found, Reason::Only)),
            all => Err(Left::Several { count: all.len() }),
        };
    };
    let has = |known: &&&T| names(known).iter().any(|name| bare(name) == theirs);
    let by_name: Vec<&&T> = fits.iter().filter(has).collect();
    match by_name.as_slice() {
        [] => Err(Left::OtherName),
        [found] => Ok((found, Reason::Name)),
        all => Err(Left::Several { count: all.len() }),
    }
}

/// The name of the other side, where the bank tells one.
fn counterparty(line: &Line) -> Option<String> {
    let name = bare(line.counterparty.as_deref()?);
    (!name.is_empty()).then_some(name)
}

fn named_otherwise(line: &Line, names: &[String]) -> bool {
    counterparty(line).is_some_and(|theirs| !names.iter().any(|name| bare(name) == theirs))
}

/// A name without case, spaces and signs: banks write them as they like.
fn bare(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The numbers that a text gives behind letters with their hyphen: `IN-0003`, `IN-3`. "IN 3 PARTS"
/// names nothing.
fn numbers(text: &str, letters: &str) -> BTreeSet<u32> {
    let found = text.match_indices(letters).filter_map(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().last());
        let rest = text.get(at + letters.len()..).unwrap_or_default();
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let after = rest.get(end..).and_then(|after| after.chars().next());
        let whole = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric());
        let digits = rest.get(..end).filter(|_| whole(before) && whole(after))?;
        digits.parse().ok()
    });
    found.collect()
}

#[cfg(test)]
mod tests;
