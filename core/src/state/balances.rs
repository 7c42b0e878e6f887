//! Accounts and earmarks as the account engine sees them: it posts through a transaction's tables.

use crate::account::{Account, Balance, Balances, Earmark};
use crate::id::{CallId, FundId};
use crate::state::Tables;

impl Balances for Tables<'_> {
    fn balance(&self, account: Account) -> i128 {
        self.accounts.get(&account).map_or(0, |balance| balance.0)
    }

    fn set_balance(&mut self, account: Account, balance: i128) {
        self.accounts().put(account, Balance(balance));
    }

    fn earmark(&self, fund: FundId, call: CallId) -> Option<Earmark> {
        self.earmarks.get(&(fund, call)).copied()
    }

    fn set_earmark(&mut self, fund: FundId, call: CallId, earmark: Earmark) {
        self.earmarks().put((fund, call), earmark);
    }
}
