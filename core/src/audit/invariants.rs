//! What must never happen (domain 2.8), checked on the state after every block, for what the block
//! changed.
//!
//! * N1, N3: no internal account is negative; the accounts of a fund sum to zero.
//! * N20: a proved entry is never removed.
//! * The sums are taken over the accounts of the funds that the block touched, not over history.

use std::collections::BTreeSet;

use rollbook_proof::codec::decode;

use crate::account::{Account, BookFault, Totals};
use crate::state::{Changes, StateTables, number};

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// N-number and name.
    pub code: &'static str,
    /// The numbers.
    pub text: String,
}

/// Every invariant that the block's changes could have broken.
pub fn check(tables: &StateTables, changes: &Changes) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut funds = BTreeSet::new();
    for row in &changes.rows {
        if tables.proved_path(row).is_some() && row.value.is_none() {
            faults.push(Fault {
                code: "N20.proved-entry-removed",
                text: format!("table {} lost an entry", row.table),
            });
        }
        if row.table == number::accounts {
            match decode::<Account>(&row.key) {
                Ok(account) => {
                    funds.insert(account.fund);
                }
                Err(error) => faults.push(Fault {
                    code: "N2.account-key",
                    text: error.to_string(),
                }),
            }
        }
    }
    for fund in funds {
        let balances = tables
            .accounts
            .iter()
            .map(|(account, balance)| (*account, balance.0));
        if let Err(fault) = Totals::of(fund, balances) {
            let code = match fault {
                BookFault::Negative { .. } => "N1.negative-account",
                _ => "N3.not-zero",
            };
            faults.push(Fault {
                code,
                text: fault.to_string(),
            });
        }
    }
    faults
}
