//! Accounts and earmarks as the account engine sees them: it posts through a transaction's tables.

use crate::account::{Account, Balances, Earmark};
use crate::state::Tables;

impl Balances for Tables<'_> {
    fn balance(&self, account: Account) -> i128 {
        self.accounts.get(&account).copied().unwrap_or(0)
    }

    fn set_balance(&mut self, account: Account, balance: i128) {
        self.accounts().put(account, balance);
    }

    fn earmark(&self, fund: u32, call: u32) -> Option<Earmark> {
        self.earmarks.get(&(fund, call)).copied()
    }

    fn set_earmark(&mut self, fund: u32, call: u32, earmark: Earmark) {
        self.earmarks().put((fund, call), earmark);
    }
}
