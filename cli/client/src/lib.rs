//! Reading from the nodes of an alliance and submitting to them without trusting any of them.
//!
//! * Who uses it knows the genesis hash and some addresses of nodes; everything else is verified.
//! * Errors are typed and carry what happened; they are no sentences for people. The command line
//!   has those, in two languages.
//! * Absent: flags, catalogues, consensus, databases, and threads of its own but one for each stream.
//!
//! | module | holds |
//! |---|---|
//! | `client` | several nodes over HTTP, the next one when one does not answer |
//! | `keep` | where a reader keeps what it verified |
//! | `trust` | an alliance from its genesis hash: policies, heads, forks, ages |
//! | `fetch` | records, blocks and objects of the state, each with its proof, verified |
//! | `receipts` | submitting a record; the node's signed answer, the receipt |

#![doc = include_str!("../README.md")]

pub mod client;
pub mod fetch;
pub mod keep;
pub mod receipts;
mod stream;
pub mod trust;
