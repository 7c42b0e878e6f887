//! Value and the bank: every movement goes through [`post`], the account table of domain 2.7 on the
//! proved `accounts` table; a bank reference is used once for each bank account
//! ([`claim_reference`], N8).

use rollbook_proof::crypto::{Hash, sha256_tagged};

use crate::account;
use crate::account::{
    Account, AccountKind, Amount, Balances as _, Movement, Posting, PostingError,
};
use crate::id::{FundId, Id};
use crate::record::BankReference;
use crate::refusal::Refusal;
use crate::state::StateTables;
use crate::tx::Tx;
use crate::word::Fact as _;

/// Posts a movement in a fund, wholly or not at all.
pub fn post(tx: &mut Tx, fund: FundId, movement: &Movement) -> Result<Vec<Posting>, Refusal> {
    let postings = account::post(&mut tx.t, fund, movement).map_err(|error| {
        let code = match &error {
            PostingError::Amount(_) => "N2.amount",
            PostingError::Insufficient { .. } => "N1.insufficient",
            PostingError::SameAccount(_) | PostingError::TwoFunds { .. } => "N2.two-accounts",
            PostingError::OtherDirection { .. } | PostingError::Earmark(_) => "R4.earmark",
            PostingError::OffTable { .. } | PostingError::Empty | PostingError::OutOfRange => {
                "N2.not-posted"
            }
        };
        let mut facts = vec![
            ("movement", movement.row().name.to_owned()),
            ("why", error.fact()),
        ];
        if let PostingError::Insufficient {
            balance, amount, ..
        } = error
        {
            facts.push(("balance", balance.to_string()));
            facts.push(("amount", amount.fact()));
        }
        Refusal::new(code, facts)
    })?;
    tx.t.note_postings(movement.row().name, &postings);
    Ok(postings)
}

/// What an account of a fund holds, in minor units.
pub fn held(tx: &Tx, fund: FundId, kind: AccountKind) -> Amount {
    let balance = tx.t.balance(Account { fund, kind });
    Amount(u64::try_from(balance).unwrap_or(0))
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

/// The bank account of dues, which the ledger does not name.
pub const DUES: Hash = Hash::ZERO;

/// The key of a bank reference (RULINGS R35): the bank account, and the letters and digits alone, so
/// that `A-1`, `A.1` and `A/1` are one movement.
pub fn reference_key(account: &Hash, reference: &BankReference) -> Hash {
    sha256_tagged(
        "rollbook/bank-reference/v1",
        &[&account.0, reference.plain().as_bytes()],
    )
}

/// Refuses a bank reference that was ever used for the account (N8).
pub fn check_reference(tx: &Tx, account: &Hash, reference: &BankReference) -> Result<(), Refusal> {
    let key = reference_key(account, reference);
    if let Some(record) = tx.t.bank_references.get(&key) {
        crate::refuse!(
            "N8.bank-reference-used",
            reference = reference.0,
            record = record.short()
        );
    }
    Ok(())
}

/// Uses a bank reference, once for an account (N8).
pub fn claim_reference(
    tx: &mut Tx,
    account: &Hash,
    reference: &BankReference,
) -> Result<(), Refusal> {
    check_reference(tx, account, reference)?;
    let record = tx.record;
    let key = reference_key(account, reference);
    tx.t.bank_references().put(key, record);
    Ok(())
}
