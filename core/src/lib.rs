//! Rollbook core: everything that history depends on.
//!
//! Architecture invariant: no I/O, no clock, no async, no randomness, no floats, no hash-map
//! iteration. Inputs are bytes and values, outputs are bytes and values; the same log gives the
//! same state on every machine.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod account;
pub mod apply;
pub mod audit;
pub mod calendar;
pub mod charter;
pub mod export;
pub mod funding;
pub mod genesis;
pub mod identity;
pub mod ledger;
pub mod membership;
pub mod motion;
pub mod next;
pub mod orders;
pub mod pass;
pub mod protocol;
pub mod record;
pub mod state;
pub mod validators;
