//! Value and the bank: every movement goes through [`post`], the account table of domain 2.7 on the
//! proved `accounts` table; a bank reference is used once in the whole ledger ([`claim_reference`],
//! N8).

use rollbook_proof::crypto::{Hash, sha256};

use crate::account;
use crate::account::{Account, Movement, Posting, PostingError};
use crate::id::{FundId, Id};
use crate::record::BankReference;
use crate::refusal::Refusal;
use crate::state::StateTables;
use crate::tx::Tx;

/// Posts a movement in a fund, wholly or not at all.
pub fn post(tx: &mut Tx, fund: FundId, movement: &Movement) -> Result<Vec<Posting>, Refusal> {
    account::post(&mut tx.t, fund, movement).map_err(|error| {
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
pub fn net_receipts(tables: &StateTables, fund: FundId) -> i128 {
    let range = |from, to| Account { fund, kind: from }..=Account { fund, kind: to };
    use account::AccountKind::{Member, Return};
    let received = tables
        .accounts
        .range(range(Member(Id::MIN), Member(Id::MAX)))
        .map(|(_, balance)| -balance.0);
    let returned = tables
        .accounts
        .range(range(Return(Id::MIN), Return(Id::MAX)))
        .map(|(_, balance)| -balance.0);
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
    tx.t.bank_references().put(reference_key(reference), record);
    Ok(())
}
