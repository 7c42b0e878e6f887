//! The rules, record by record: every guard, every clock, every transition table, on one writer or
//! on bare tables.
//!
//! * [`membership`], [`authority`], [`motion`], [`ballots`], [`charter`], [`posts`], [`relations`], [`funding`] and [`payment`]: the rules of each family of acts.
//! * [`protocol`]: how rules themselves change.
//!
//! One binary for all of them: each binary links the whole program.

#![allow(clippy::unwrap_used)]

mod authority;
mod ballots;
mod charter;
mod funding;
mod membership;
mod motion;
mod payment;
mod posts;
mod protocol;
mod relations;
