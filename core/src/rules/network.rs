//! The network of the members: nodes and validator seats, and the rule versions that they run.

pub mod council;
pub mod protocol;
pub mod turns;
pub mod validators;
