//! Words for people, in English and Chinese (RULINGS R19).
//!
//! * [`catalogue`]: the one message catalogue; keys, codes and JSON are language-free and not here.
//! * [`node`]: what the node crate says in English, in Chinese.
//! * [`dates`], [`amount`], [`capital`]: dates, lengths of time and amounts as people write them.
//!
//! Absent on purpose: where a text goes, and which language a person wants. The caller decides both.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod amount;
pub mod capital;
pub mod catalogue;
pub mod dates;
pub mod node;
