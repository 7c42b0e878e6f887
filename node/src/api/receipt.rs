//! Signed answers to submissions, as core defines them: the ledger reads seen receipts, too (RULINGS A4).

pub use rollbook_core::answer::{ANSWER_TAG, Answer, SignedAnswer, Verdict, verify_answer};
