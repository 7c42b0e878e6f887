//! One file per command.

pub mod act;
pub mod audit;
pub mod bench;
pub mod charter;
pub mod demo;
pub mod export;
pub mod follow;
pub mod genesis;
pub mod keys;
pub mod list;
pub mod node;
pub mod node_register;
pub mod org;
pub mod pending;
pub mod prove;
pub mod setup;
pub mod show;
pub mod status;
pub mod testnet;
pub mod verify;
