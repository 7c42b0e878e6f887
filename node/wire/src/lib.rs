//! The answers of a node's API, one struct each: the node writes it, clients read the same one, and
//! the OpenAPI document describes it. A field renamed on one side does not compile on the other.
//!
//! * What an answer looks like is held by tests beside the structs, byte by byte: names, order of
//!   the fields, what is null and what is left out.
//! * Many answers are objects whose fields stand by name. There the fields are declared by name,
//!   and [`by_name::ByName`] orders types of other crates.
//! * Readers ignore fields that they do not know: a newer node may say more.
//! * Whole numbers, times in milliseconds since 1970 (UTC), hashes in hexadecimal.
//!
//! Absent on purpose: how answers travel, words for people, and trust. An answer is what a node
//! says; what proves it is verified by `rollbook-proof`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod admin;
pub mod by_name;
pub mod event;
pub mod judgement;
pub mod known;
pub mod ledger;
pub mod next;
pub mod paper;
pub mod problem;
pub mod proof;
pub mod record;
#[cfg(feature = "schema")]
pub mod schema;
pub mod status;
