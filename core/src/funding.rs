//! Funding: funds, contributions, calls, applications, draws, reviews (domain 2.2, 2.3, 2.5a;
//! RULINGS R2 to R4, R8, R22).
//!
//! * Every movement of value goes through [`post`]: the account table of domain 2.7, on the proved
//!   `accounts` table.
//! * A bank reference is used once in the whole ledger ([`claim_reference`], N8).
//! * Every state machine is one table of [`Row`]s; a status changes only through [`Row`]s' `step`,
//!   so table and code are one.
//! * Separation of duties is on persons and groups (RULINGS R6): [`unrelated`].
//!
//! Absent: debarment (it follows a recovery for misconduct, which is not in this build), freezing
//! and winding down of funds (F33), fees (F36), closing of a fund (F32), deputies.

use rollbook_proof::crypto::{Hash, sha256};

use crate::account::{Account, Balances, Earmark, Movement, Posting, PostingError};
use crate::apply::{DeadlineKind, Outcome, Refusal, Tx};
use crate::identity::authority::Actor;
use crate::identity::groups;
use crate::record::{BankReference, CallAct, FundAct};
use crate::state::StateTables;
use crate::{account, require};

pub mod agreement;
pub mod application;
pub mod award;
pub mod call;
pub mod contribution;
pub mod draw;
pub mod duties;
pub mod fund;
pub mod milestone;
pub mod payment;
pub mod review;
mod standing;

pub use application::{Appeal, Application, ApplicationStatus, Opened, Score};
pub use call::{Call, CallStatus};
pub use contribution::{Cancellation, Contribution, Instalment, InstalmentStatus, Receipt};
pub use draw::{Draw, DrawStatus, PoolMember, Slot};
pub use fund::{Fund, FundStatus};
pub use review::{Review, ReviewStatus};

/// One row of a state machine: what may happen to an object, who may do it, under which guards.
#[derive(Debug, Clone, Copy)]
pub struct Row<S: 'static> {
    /// The transition's number in the rules.
    pub code: &'static str,
    /// The refusal of any other state.
    pub wrong_state: &'static str,
    /// From; none for a new object.
    pub from: Option<S>,
    /// To.
    pub to: S,
    /// Who.
    pub who: &'static str,
    /// What must hold, in words.
    pub guards: &'static str,
}

/// A [`Row`] as text, for documents.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Transition {
    /// The kind of object.
    pub object: &'static str,
    /// The transition's number.
    pub code: &'static str,
    /// From; `–` for a new object.
    pub from: String,
    /// To.
    pub to: String,
    /// Who.
    pub who: &'static str,
    /// What must hold.
    pub guards: &'static str,
}

/// A row with the refusal code derived from its number.
#[macro_export]
macro_rules! row {
    ($code:literal, $from:expr => $to:expr, $who:literal, $guards:literal) => {
        $crate::funding::Row {
            code: $code,
            wrong_state: concat!($code, ".wrong-state"),
            from: $from,
            to: $to,
            who: $who,
            guards: $guards,
        }
    };
}

/// Moves a status by the table: refuses with `<code>.wrong-state` unless it has the row (code,
/// from, to).
pub fn step<S: Copy + PartialEq + std::fmt::Debug>(
    rows: &[Row<S>],
    code: &'static str,
    from: Option<S>,
    to: S,
) -> Result<S, Refusal> {
    if rows
        .iter()
        .any(|row| row.code == code && row.from == from && row.to == to)
    {
        return Ok(to);
    }
    let wrong = rows
        .iter()
        .find(|row| row.code == code)
        .map_or("A4.no-such-transition", |row| row.wrong_state);
    let from = from.map_or("none".to_owned(), |from| format!("{from:?}"));
    Err(Refusal::new(
        wrong,
        vec![("from", from), ("to", format!("{to:?}"))],
    ))
}

/// Rows as text.
pub fn describe<S: Copy + std::fmt::Debug>(
    object: &'static str,
    rows: &[Row<S>],
) -> Vec<Transition> {
    let line = |row: &Row<S>| Transition {
        object,
        code: row.code,
        from: row.from.map_or("–".to_owned(), |from| format!("{from:?}")),
        to: format!("{:?}", row.to),
        who: row.who,
        guards: row.guards,
    };
    rows.iter().map(line).collect()
}

/// Every transition of every object of funding.
pub fn table() -> Vec<Transition> {
    let mut all = describe("fund", &fund::ROWS);
    all.extend(describe("instalment", &contribution::ROWS));
    all.extend(describe("call", &call::ROWS));
    all.extend(describe("application", &application::ROWS));
    all.extend(describe("draw", &draw::ROWS));
    all.extend(describe("review", &review::ROWS));
    all.extend(award::table());
    all.extend(agreement::table());
    all.extend(milestone::table());
    all.extend(payment::table());
    all
}

/// Transitions as a Markdown table, for docs/.
pub fn markdown(transitions: &[Transition]) -> String {
    let mut text =
        String::from("| object | id | from -> to | who | guards |\n|---|---|---|---|---|\n");
    for t in transitions {
        text.push_str(&format!(
            "| {} | {} | {} -> {} | {} | {} |\n",
            t.object, t.code, t.from, t.to, t.who, t.guards
        ));
    }
    text
}

impl Balances for StateTables {
    fn balance(&self, account: Account) -> i128 {
        self.accounts.get(&account).copied().unwrap_or(0)
    }

    fn set_balance(&mut self, account: Account, balance: i128) {
        self.accounts.put(account, balance);
    }

    fn earmark(&self, fund: u32, call: u32) -> Option<Earmark> {
        self.earmarks.get(&(fund, call)).copied()
    }

    fn set_earmark(&mut self, fund: u32, call: u32, earmark: Earmark) {
        self.earmarks.put((fund, call), earmark);
    }
}

/// Posts a movement in a fund, wholly or not at all.
pub fn post(tx: &mut Tx, fund: u32, movement: &Movement) -> Result<Vec<Posting>, Refusal> {
    account::post(tx.t, fund, movement).map_err(|error| {
        let code = match &error {
            PostingError::Amount(_) => "N2.amount",
            PostingError::Insufficient { .. } => "N1.insufficient",
            PostingError::SameAccount(_) | PostingError::TwoFunds { .. } => "N2.two-accounts",
            PostingError::OtherDirection { .. } | PostingError::Earmark(_) => "R4.earmark",
            PostingError::OffTable { .. } | PostingError::Empty | PostingError::OutOfRange => {
                "N2.not-posted"
            }
        };
        Refusal::new(
            code,
            vec![
                ("movement", movement.row().name.to_owned()),
                ("why", error.to_string()),
            ],
        )
    })
}

/// What the members paid into a fund, less what they got back, in minor units: the base of RULINGS
/// R2.
pub fn net_receipts(tables: &StateTables, fund: u32) -> i128 {
    let range = |from, to| Account { fund, kind: from }..=Account { fund, kind: to };
    use account::AccountKind::{Member, Return};
    let received = tables
        .accounts
        .range(range(Member(0), Member(u32::MAX)))
        .map(|(_, balance)| -balance);
    let returned = tables
        .accounts
        .range(range(Return(0), Return(u32::MAX)))
        .map(|(_, balance)| -balance);
    received
        .chain(returned)
        .fold(0, |sum: i128, part| sum.saturating_add(part))
}

/// The key of a bank reference.
pub fn reference_key(reference: &BankReference) -> Hash {
    sha256(reference.0.as_str().as_bytes())
}

/// Refuses a bank reference that was ever used (N8).
pub fn check_reference(tx: &Tx, reference: &BankReference) -> Result<(), Refusal> {
    if let Some(record) = tx.t.bank_references.get(&reference_key(reference)) {
        crate::refuse!(
            "N8.bank-reference-used",
            reference = reference.0,
            record = record.short()
        );
    }
    Ok(())
}

/// Uses a bank reference, once in the whole ledger (N8).
pub fn claim_reference(tx: &mut Tx, reference: &BankReference) -> Result<(), Refusal> {
    check_reference(tx, reference)?;
    let record = tx.record;
    tx.t.bank_references.put(reference_key(reference), record);
    Ok(())
}

/// Whether a person's home organisation is not in the group of `organisation` (RULINGS R6, N13).
pub fn unrelated(tx: &Tx, person: u32, organisation: u32) -> bool {
    tx.t.persons
        .get(&person)
        .is_some_and(|person| !groups::related(tx.t, person.home, organisation))
}

/// Refuses if any signer belongs to the group of `organisation` (N13).
pub fn require_unrelated(tx: &Tx, actor: &Actor, organisation: u32) -> Result<(), Refusal> {
    for signer in &actor.signers {
        require!(
            unrelated(tx, signer.person, organisation),
            "N13.related",
            person = signer.person,
            organisation = organisation
        );
    }
    Ok(())
}

/// Applies an act on funds and contributions.
pub fn apply_fund(tx: &mut Tx, actor: &Actor, act: &FundAct) -> Result<Outcome, Refusal> {
    match act {
        FundAct::Accept { fund } => fund::accept(tx, actor, *fund),
        _ => contribution::apply(tx, actor, act),
    }
}

/// Applies an act on calls, applications, pools, draws and reviews.
pub fn apply_call(tx: &mut Tx, actor: &Actor, act: &CallAct) -> Result<Outcome, Refusal> {
    match act {
        CallAct::Submit(_)
        | CallAct::Withdraw { .. }
        | CallAct::Open { .. }
        | CallAct::Judge { .. }
        | CallAct::Appeal { .. } => application::apply(tx, actor, act),
        CallAct::EnterPool { .. }
        | CallAct::FreezePool { .. }
        | CallAct::CommitDraw { .. }
        | CallAct::RevealDraw { .. } => draw::apply(tx, actor, act),
        CallAct::Declare { .. }
        | CallAct::Seal { .. }
        | CallAct::Reveal { .. }
        | CallAct::Finalise { .. } => review::apply(tx, actor, act),
        CallAct::Rank { call } => call::rank(tx, *call),
        CallAct::Close { call } => call::close(tx, actor, *call),
    }
}

/// Acts out a deadline of a contribution, call, application, draw or review.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    object: u32,
    due: u64,
) -> Result<(), Refusal> {
    match kind {
        DeadlineKind::InstalmentDefault => contribution::on_default(tx, object, due),
        DeadlineKind::AppealWindow => application::on_appeal_window(tx, object, due),
        DeadlineKind::DrawStep => draw::on_deadline(tx, object, due),
        DeadlineKind::ReviewSeal | DeadlineKind::ReviewReveal => {
            review::on_deadline(tx, object, due)
        }
        _ => call::on_deadline(tx, kind, object, due),
    }
}

/// Acts out a deadline of an award, an agreement, a milestone or a payment.
pub(crate) fn award_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    object: u32,
    due: u64,
) -> Result<(), Refusal> {
    match kind {
        DeadlineKind::StandstillEnd | DeadlineKind::OfferEnd => {
            award::on_deadline(tx, kind, object, due)
        }
        DeadlineKind::AccountCooled => agreement::account_cooled(tx, object, due),
        DeadlineKind::AssessDue => milestone::on_deadline(tx, object, due),
        _ => payment::on_deadline(tx, kind, object, due),
    }
}
