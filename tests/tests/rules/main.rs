//! The rules, record by record: every guard, every clock, every transition table, on one writer or
//! on bare tables.
//!
//! * [`membership`], [`authority`], [`motion`], [`ballots`], [`charter`], [`posts`], [`relations`],
//!   [`funding`] and [`payment`]: the rules of each family of acts. [`possession`]: which keys come
//!   onto the ledger.
//! * [`blocks`]: evidence, and when a block may be. [`effects`]: what a block says of records that
//!   had no effect.
//! * [`beforehand`]: what is told of a record before it is signed or in a block.
//! * [`affairs`]: directions, observers, the chair, working days, corrections.
//! * [`dues`]: dues of years, their clock, plans, notices. [`discipline`]: proceedings and the table of rights.
//! * [`claims`]: relations that others claim, what the board finds of them, how they end.
//! * [`leaving`]: notice, end, successors, coming back.
//! * [`protocol`]: how rules themselves change. [`validators`]: nodes, seats and handovers.
//!
//! One binary for all of them: each binary links the whole program.

#![allow(clippy::unwrap_used)]

mod affairs;
mod amendments;
mod authority;
mod ballots;
mod beforehand;
mod blocks;
mod charter;
mod claims;
mod discipline;
mod dues;
mod effects;
mod elections;
mod funding;
mod leaving;
mod membership;
mod motion;
mod payment;
mod people;
mod possession;
mod posts;
mod protocol;
mod recount;
mod relations;
mod validators;
