//! The simulator: real replicas, signatures and rules over a simulated network, clock and disk, all
//! from one seed.
//!
//! * [`world`]: the event loop, the faults, the oracles. * [`plan`]: what a seed switches on. The
//!   journal is the real one, over [`rollbook_node::disk::SimDisk`]. * [`chain`]: a small ledger;
//!   [`ledger`]: the real one. * [`memo`]: verified signatures, once per process.
//!
//! Every failure message begins with the seed; `SIM_SEED=n cargo test --release -p rollbook-tests
//! --test simulation one_seed` runs it again, with a log of events.

pub mod attacks;
pub mod chain;
pub mod ledger;
pub mod lone;
pub mod memo;
pub mod plan;
pub mod random;
pub mod relay;
pub mod world;
