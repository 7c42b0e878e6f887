//! Suites that need more than one crate.

pub mod sim;
