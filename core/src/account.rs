//! Accounts and transfers: every movement of money or units.
