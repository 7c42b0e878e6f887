//! Ledger time in local days: fixed offset, civil dates, working days (RULINGS R12, A22).
