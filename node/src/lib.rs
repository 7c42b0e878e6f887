//! Everything that touches the world: replica, journal, store, network, API, runtime.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod clock;
pub mod config;
pub mod disk;
pub mod failure;
pub mod files;
pub mod journal;
pub mod network;
pub mod papers;
pub mod planted;
pub mod replica;
pub mod replica_thread;
pub mod runtime;
pub mod store;
