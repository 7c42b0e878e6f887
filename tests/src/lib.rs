//! What several suites share. The suites themselves are in `tests/tests/`.

#![allow(clippy::unwrap_used)]
#![allow(missing_docs)]

pub mod acts;
pub mod alliance;
pub mod cargo;
pub mod grants;
pub mod history;
pub mod judges;
pub mod kept;
pub mod liar;
pub mod load;
pub mod quorum;
pub mod random;
pub mod recount;
pub mod sim;
pub mod steps;
pub mod stranger;
pub mod testnet;
pub mod trace;
pub mod writer;
