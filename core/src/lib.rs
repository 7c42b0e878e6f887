//! Rollbook core: everything that history depends on, above the proofs of `rollbook-proof`.
//!
//! Architecture invariant: no I/O, no clock, no async, no randomness, no floats, no hash-map
//! iteration. Inputs are bytes and values, outputs are bytes and values; the same log gives the
//! same state on every machine.
//!
//! The modules form layers, and an import never runs upwards. From bottom to top:
//!
//! | layer | modules |
//! |---|---|
//! | fixed words | [`word`] |
//! | the version that never ships | [`planted`] |
//! | numbers and time | [`id`], [`calendar`], [`account`] |
//! | words of rules | [`refusal`], [`machine`], [`step`] |
//! | who | [`identity`] |
//! | how votes go | [`charter`], [`tally`] |
//! | what is signed | [`record`], [`block`] |
//! | what stands in the ledger | [`object`], [`state`], [`lookup`] |
//! | what may write | [`event`], [`tx`] |
//! | what acts do | [`rules`] |
//! | which rule an act asks | [`apply`] |
//! | a chain | [`genesis`], [`ledger`], [`export`] |
//! | who asks | [`next`], [`known`], [`view`], [`presume`], [`pass`], [`audit`] |

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod account;
pub mod apply;
pub mod audit;
pub mod block;
pub mod calendar;
pub mod charter;
pub mod event;
pub mod export;
pub mod genesis;
pub mod id;
pub mod identity;
pub mod known;
pub mod ledger;
pub mod lookup;
pub mod machine;
pub mod next;
pub mod object;
pub mod pass;
pub mod planted;
pub mod presume;
pub mod record;
pub mod refusal;
pub mod rules;
pub mod state;
pub mod step;
pub mod tally;
pub mod tx;
pub mod view;
pub mod word;
