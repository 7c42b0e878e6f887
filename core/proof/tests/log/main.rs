//! The log's tree, tiles, policies and acceptance, from outside: what other software may rely on.

#![allow(clippy::unwrap_used, missing_docs)]

mod acceptance;
mod policy;
mod proof;
mod samples;
mod tiles;
mod tree;
