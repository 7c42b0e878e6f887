//! What a profile keeps of the bank accounts of funds, what the ledger knows of them, and the two side
//! by side.
//!
//! * In the profile's folder, 0600: for each fund the settings (number of the account, holder, bank,
//!   columns of its files) and the statements that were taken.
//! * The book and the bank (RULINGS R4): every line of the bank and every movement of the book until a
//!   day is matched by the bank's reference, else by the payer's; what is left on either side is an
//!   item with its age. Book, items and the bank's balance leave a difference, which is zero.
//! * Money that moved before the first statement is taken as matched; the opening balance shows
//!   whether it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rollbook_bank::map::ColumnMap;
use rollbook_bank::matching::{Awaited, Entered, Instructed, Known, Standing, Used};
use rollbook_bank::statement::{Line, plain};
use rollbook_bank::taken::Taken;
use rollbook_core::account::{OutstandingItem, Posting, Reconciliation, Unit};
use rollbook_core::calendar::{LocalDay, Period};
use rollbook_core::id::{FundId, Id as _, PaymentId};
use rollbook_core::object::contribution::InstalmentStatus;
use rollbook_core::object::fund::Fund;
use rollbook_core::object::payment::{Payment, PaymentState};
use rollbook_core::record::{Body, FundAct, PaymentAct};
use rollbook_core::view::money::Entry;
use rollbook_core::word::Word as _;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use super::{Book, cash};
use crate::act::next::state;
use crate::failure::Failure;
use crate::flags::Global;
use crate::profile::Left;
use crate::{files, output};

/// What is known of a fund's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Number of the account.
    pub account: String,
    /// Its holder, as the bank knows it.
    pub holder: String,
    /// Its currency.
    pub currency: String,
    /// The bank: BIC, or twelve digits of CNAPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank: Option<String>,
    /// What the ledger has for the account: the commitment, if its opening was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Hash>,
    /// Columns of the bank's files.
    #[serde(default)]
    pub map: ColumnMap,
}

/// What a profile keeps of one account.
pub struct Kept {
    folder: PathBuf,
    name: String,
    /// The settings.
    pub settings: Settings,
    /// The statements.
    pub taken: Taken,
}

fn paths(global: &Global, fund: FundId) -> Result<(PathBuf, String), Failure> {
    Ok((Left::Bank.folder(global)?, fund.short().to_string()))
}

/// The settings of a fund's account; none: nothing was set.
pub fn settings(global: &Global, fund: FundId) -> Result<Option<Settings>, Failure> {
    let (folder, name) = paths(global, fund)?;
    let path = folder.join(format!("{name}.toml"));
    if !path.exists() {
        return Ok(None);
    }
    let bytes = files::read(&path)?;
    let text = String::from_utf8_lossy(&bytes);
    let settings: Settings = toml::from_str(&text).map_err(|error| {
        let facts = [("file", path.display().to_string())];
        Failure::unusable(t("bank.settings-unreadable", &facts)).because(error.message())
    })?;
    Ok(Some(settings))
}

/// Writes the settings.
pub fn set(global: &Global, fund: FundId, settings: &Settings) -> Result<(), Failure> {
    let (folder, name) = paths(global, fund)?;
    let text = toml::to_string(settings).map_err(|error| Failure::unusable(error.to_string()))?;
    files::replace_secret(&folder.join(format!("{name}.toml")), text.as_bytes())
}

impl Kept {
    /// What is kept of a fund's account. Fails where nothing was set.
    pub fn open(global: &Global, fund: FundId) -> Result<Kept, Failure> {
        let facts = [("fund", fund.short().to_string())];
        let settings = settings(global, fund)?.ok_or_else(|| {
            Failure::unusable(t("bank.not-set", &facts)).next(t("bank.not-set-next", &facts))
        })?;
        let (folder, name) = paths(global, fund)?;
        let path = folder.join(format!("{name}.json"));
        let taken = if path.exists() {
            let bytes = files::read(&path)?;
            serde_json::from_slice(&bytes).map_err(|error| {
                let facts = [("file", path.display().to_string())];
                Failure::unusable(t("bank.settings-unreadable", &facts)).because(error)
            })?
        } else {
            Taken::default()
        };
        Ok(Kept {
            folder,
            name,
            settings,
            taken,
        })
    }

    /// A lock on the statements until what is returned is dropped.
    pub fn lock(global: &Global, fund: FundId) -> Result<std::fs::File, Failure> {
        let (folder, name) = paths(global, fund)?;
        files::lock_file(&folder.join(format!(".{name}.lock")))
    }

    /// Writes the statements.
    pub fn keep(&self) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(&self.taken)
            .map_err(|error| Failure::unusable(error.to_string()))?;
        files::replace_secret(&self.folder.join(format!("{}.json", self.name)), &bytes)
    }

    /// The currency.
    pub fn unit(&self) -> Result<Unit, Failure> {
        Unit::currency(&self.settings.currency)
            .map_err(|error| Failure::unusable(error.to_string()))
    }

    /// The account is the fund's, as far as somebody can say.
    pub fn is_of(&self, fund: &Fund) -> Result<(), Failure> {
        let facts = [
            ("fund", fund.number.short().to_string()),
            ("unit", fund.unit.code().to_owned()),
            ("currency", self.settings.currency.clone()),
        ];
        if fund.unit.code() != self.settings.currency {
            return Err(Failure::unusable(t("bank.other-unit", &facts))
                .next(t("bank.not-set-next", &facts)));
        }
        match self.settings.commitment {
            Some(commitment) if commitment != fund.bank_account => {
                Err(Failure::refused(t("bank.other-commitment", &facts))
                    .next(t("bank.other-commitment-next", &facts)))
            }
            Some(_) => Ok(()),
            None => {
                output::say(t("bank.not-compared", &facts));
                Ok(())
            }
        }
    }
}

/// The names of an organisation, as a bank may write them.
fn names(book: &Book, organisation: OrganisationId) -> Result<Vec<String>, Failure> {
    let found = book.tables()?.organisations.get(&organisation);
    Ok(found
        .map(|found| vec![found.name.native.to_string(), found.name.latin.to_string()])
        .unwrap_or_default())
}

/// The payment that an act is about, and what it says of the bank.
fn payment_act(entry: &Entry) -> Option<(&PaymentAct, PaymentId)> {
    let (_, record) = entry.record.as_ref()?;
    let Body::Payment(act) = &record.payload.body else {
        return None;
    };
    match act {
        PaymentAct::Release { payment, .. }
        | PaymentAct::Settle { payment, .. }
        | PaymentAct::Return { payment, .. } => Some((act, *payment)),
        _ => None,
    }
}

/// What the ledger knows of a fund's account and awaits there.
pub fn known(book: &Book, fund: FundId) -> Result<Known, Failure> {
    let tables = book.tables()?;
    let mut known = Known::default();
    let mut newest: BTreeMap<PaymentId, usize> = BTreeMap::new();
    for entry in &book.entries {
        let Some((act, number)) = payment_act(entry) else {
            continue;
        };
        let Some(payment) = tables
            .payments
            .get(&number)
            .filter(|found| found.fund == fund)
        else {
            continue;
        };
        let last = newest.get(&number).copied();
        let last = last.and_then(|at| known.instructed.get_mut(at));
        match act {
            PaymentAct::Release { instruction, .. } => {
                let grantee = tables.agreements.get(&payment.agreement);
                let names = match grantee {
                    Some(agreement) => names(book, agreement.grantee)?,
                    None => Vec::new(),
                };
                newest.insert(number, known.instructed.len());
                known.instructed.push(Instructed {
                    payment: number.0,
                    reference: instruction.reference.to_string(),
                    amount: instruction.amount,
                    day: book.day(entry)?,
                    standing: Standing::Released,
                    names,
                });
            }
            PaymentAct::Settle {
                reference, amount, ..
            } => {
                last.into_iter()
                    .for_each(|last| last.standing = Standing::Settled);
                known.used.push(Used {
                    reference: reference.0.to_string(),
                    amount: *amount,
                    credit: false,
                    day: None,
                });
            }
            PaymentAct::Return {
                reference, amount, ..
            } => {
                last.into_iter()
                    .for_each(|last| last.standing = Standing::Returned);
                known.used.push(Used {
                    reference: reference.0.to_string(),
                    amount: *amount,
                    credit: true,
                    day: None,
                });
            }
            _ => {}
        }
    }
    let of_fund = |contribution: &rollbook_core::object::contribution::Contribution| {
        contribution.fund == fund
    };
    for (id, receipt) in tables.receipts.iter() {
        let instalment = tables.instalments.get(&receipt.instalment);
        let contribution =
            instalment.and_then(|found| tables.contributions.get(&found.contribution));
        if !contribution.is_some_and(of_fund) {
            continue;
        }
        match receipt.confirmed_by {
            Some(_) => known.used.push(Used {
                reference: receipt.reference.0.to_string(),
                amount: receipt.amount,
                credit: true,
                day: Some(receipt.value_day),
            }),
            None => known.entered.push(Entered {
                record: id.to_hex(),
                instalment: receipt.instalment.0,
                amount: receipt.amount,
                reference: receipt.reference.0.to_string(),
            }),
        }
    }
    for (number, instalment) in tables.instalments.iter() {
        let waits = matches!(
            instalment.status,
            InstalmentStatus::Called
                | InstalmentStatus::PartlyReceived
                | InstalmentStatus::Defaulted
        );
        let contribution = tables.contributions.get(&instalment.contribution);
        if let Some(contribution) = contribution.filter(|found| waits && of_fund(found)) {
            known.awaited.push(Awaited {
                instalment: number.0,
                contribution: contribution.number.0,
                rest: instalment.rest(),
                due: instalment.due_day,
                names: names(book, contribution.member)?,
            });
        }
    }
    Ok(known)
}

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

/// Something that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
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
    /// What waits too long or has no counterpart.
    pub exceptions: Vec<Exception>,
}

impl Reconciled {
    /// Whether nothing is open.
    pub fn is_clean(&self) -> bool {
        self.sums.difference() == 0 && self.items.is_empty() && self.exceptions.is_empty()
    }
}

/// A movement of the book that the bank must have, too.
struct Movement {
    day: LocalDay,
    amount: i128,
    /// Letters and digits of the bank's reference.
    reference: Option<String>,
    payment: Option<PaymentId>,
    about: String,
}

/// Puts the book beside the bank. The history ends at the end of the day.
pub fn reconcile(
    book: &Book,
    fund: &Fund,
    taken: &Taken,
    on: LocalDay,
) -> Result<Reconciled, Failure> {
    let number = fund.number;
    let known = known(book, number)?;
    let first = taken.days.map(|(first, _)| first).unwrap_or(on);
    let (sum, movements) = movements(book, number)?;
    let until = taken.lines.iter().filter(|line| line.day <= on);
    let mut lines: Vec<Option<&Line>> = until.map(Some).collect();
    let places = Places::of(&lines);
    let settled: BTreeMap<u32, String> = known
        .instructed
        .iter()
        .filter(|known| known.standing == Standing::Settled)
        .map(|known| (known.payment, plain(&known.reference)))
        .collect();
    let mut items = Vec::new();
    let mut unmatched: BTreeSet<PaymentId> = BTreeSet::new();
    for movement in movements.iter().filter(|movement| movement.day >= first) {
        let end_to_end = movement.payment.and_then(|payment| settled.get(&payment.0));
        let find = |all: &BTreeMap<String, Vec<usize>>, reference: Option<&String>| {
            let places = all.get(reference?)?.iter();
            let mut fitting = places.filter(|at| {
                let line = lines.get(**at).copied().flatten();
                line.is_some_and(|line| line.signed() == movement.amount)
            });
            fitting.next().copied()
        };
        let found = find(&places.reference, movement.reference.as_ref())
            .or_else(|| find(&places.end_to_end, end_to_end));
        match found {
            Some(at) => {
                if let Some(line) = lines.get_mut(at) {
                    *line = None;
                }
            }
            None => {
                unmatched.extend(movement.payment);
                items.push(Item {
                    side: Side::Book,
                    day: movement.day,
                    amount: -movement.amount,
                    about: movement.about.clone(),
                });
            }
        }
    }
    came_back(&known, &places, &mut lines);
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
    let exceptions = exceptions(book, number, &unmatched)?;
    Ok(Reconciled {
        sums,
        items,
        exceptions,
    })
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
        let act = payment_act(entry);
        let reference = match (&entry.record, act) {
            (_, Some((PaymentAct::Settle { reference, .. }, _))) => Some(reference.plain()),
            (Some((_, record)), None) => match &record.payload.body {
                Body::Fund(FundAct::ConfirmReceipt { receipt }) => tables
                    .receipts
                    .get(receipt)
                    .map(|found| found.reference.plain()),
                _ => None,
            },
            _ => None,
        };
        let payment = act.map(|(_, payment)| payment);
        let record = entry.record.as_ref().map(|(id, _)| id.short());
        let named = payment.map(|payment| payment.short().to_string());
        movements.push(Movement {
            day: book.day(entry)?,
            amount,
            reference,
            payment,
            about: named.or(record).unwrap_or_default(),
        });
    }
    Ok((sum, movements))
}

/// Lines by their references, so that each is found at once.
#[derive(Default)]
struct Places {
    reference: BTreeMap<String, Vec<usize>>,
    end_to_end: BTreeMap<String, Vec<usize>>,
}

impl Places {
    fn of(lines: &[Option<&Line>]) -> Places {
        let mut places = Places::default();
        for (at, line) in lines.iter().enumerate() {
            let Some(line) = line else { continue };
            if let Some(reference) = line.plain_reference() {
                places.reference.entry(reference).or_default().push(at);
            }
            if let Some(reference) = line.end_to_end.as_deref() {
                places
                    .end_to_end
                    .entry(plain(reference))
                    .or_default()
                    .push(at);
            }
        }
        places
    }
}

/// Takes away what went out and came back, where the ledger knows of it: both lines are there.
fn came_back(known: &Known, places: &Places, lines: &mut [Option<&Line>]) {
    let returned = known
        .instructed
        .iter()
        .filter(|known| known.standing == Standing::Returned);
    for instructed in returned {
        let Some(all) = places.end_to_end.get(&plain(&instructed.reference)) else {
            continue;
        };
        let find = |credit: bool| {
            let mut all = all.iter();
            all.find(|at| {
                let line = lines.get(**at).copied().flatten();
                line.is_some_and(|line| line.credit == credit && line.amount == instructed.amount)
            })
        };
        if let (Some(out), Some(back)) = (find(false).copied(), find(true).copied()) {
            for at in [out, back] {
                if let Some(line) = lines.get_mut(at) {
                    *line = None;
                }
            }
        }
    }
}

/// Payments that somebody has to look at.
fn exceptions(
    book: &Book,
    fund: FundId,
    unmatched: &BTreeSet<PaymentId>,
) -> Result<Vec<Exception>, Failure> {
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
        found.extend(kind.map(|kind| Exception {
            kind,
            payment: *number,
            since: calendar.day_of(payment.since_ms),
            amount: i128::from(payment.amount),
        }));
    }
    Ok(found)
}

/// Why a payment cannot be given to the bank; none: it can.
pub fn not_released(payment: &Payment) -> Option<Failure> {
    if payment.state == PaymentState::Released && payment.instruction.is_some() {
        return None;
    }
    let facts = [
        ("payment", payment.number.short().to_string()),
        ("state", state("payment", payment.state.word())),
    ];
    Some(Failure::refused(t("bank.not-released", &facts)).next(t("bank.not-released-next", &facts)))
}
