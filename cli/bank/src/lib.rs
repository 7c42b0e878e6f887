//! Files that a bank writes and reads: bytes in, typed statements and instructions out.
//!
//! * Nothing of a file is taken unless all of it can be: account, currency, days, sums and every
//!   line are held to what is known before ([`taken`]).
//! * Memory does not grow with a file: a reader stops at [`xml::FILE_MAX`] bytes and
//!   [`statement::LINES_MAX`] lines, and no text is longer than [`statement::TEXT_MAX`].
//! * Amounts are whole minor units, never floats; days are days of the bank, not instants.
//! * What is wrong is a [`fault::Fault`]: a code, facts, a place. Its sentences are the caller's.
//!
//! | module | holds |
//! |---|---|
//! | `fault` | what can be wrong with a file |
//! | `amount` | decimal text as minor units |
//! | `statement` | lines and statements, and what they must be on their own |
//! | `map` | which columns a bank's CSV has, and in which form |
//! | `xml` | XML from strangers: no document type, no entities, bounded |
//! | `camt053` | statements as ISO 20022 writes them, versions 2 to 13 |
//! | `table` | statements as CSV |
//! | `taken` | statements that follow on one another: overlaps once, no gaps |
//! | `instruction` | payments to the bank: pain.001.001.09 and CSV |
//! | `known` | what the ledger knows of an account and awaits there |
//! | `proposal` | what a line is taken for, and why it is taken for nothing |
//! | `matching` | which line is which movement of the ledger, and why |
//!
//! Absent on purpose: I/O, clock, settings, sentences, and any knowledge of the ledger's rules.

pub mod amount;
pub mod camt053;
pub mod fault;
pub mod instruction;
pub mod known;
pub mod map;
pub mod matching;
pub mod proposal;
pub mod statement;
pub mod table;
pub mod taken;
pub mod xml;
