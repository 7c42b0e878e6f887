//! One file per command.

pub mod act;
pub mod audit;
pub mod bench;
pub mod beside;
pub mod demo;
pub mod export;
pub mod follow;
pub mod genesis;
pub mod history;
pub mod keys;
pub mod list;
pub mod node;
pub mod node_register;
pub mod opening;
pub mod org;
pub mod pending;
pub mod prove;
pub mod setup;
pub mod show;
pub mod sign;
pub mod source;
pub mod status;
pub mod tasks;
pub mod testnet;
pub mod units;
pub mod verify;
