//! Why a block is not valid, and the comparison of what a seal says with what it must say.

use rollbook_proof::chain::Seal;
use rollbook_proof::number::{Height, ProtocolVersion};

use crate::refusal::Refusal;

/// Why a block is not valid. Every honest node says the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The block is under rules that this build does not have (RULINGS A18): stop before it and
    /// install the release.
    #[error(transparent)]
    Protocol(#[from] UnknownProtocol),
    /// A field of the seal is not what the chain demands.
    #[error("seal of block {height}: {field} is {found}, expected {expected}")]
    Field {
        /// The block's height.
        height: Height,
        /// Name of the field.
        field: &'static str,
        /// What the seal says.
        found: String,
        /// What it must say.
        expected: String,
    },
    /// The body does not decode.
    #[error("body of block {height}: {why}")]
    Body {
        /// The block's height.
        height: Height,
        /// The decoder's words.
        why: String,
    },
    /// The system section breaks a rule.
    #[error("system section of block {height}: {why}")]
    System {
        /// The block's height.
        height: Height,
        /// The rule.
        why: String,
    },
    /// A record in it is inadmissible.
    #[error("record {index} of block {height}: {refusal}")]
    Record {
        /// The block's height.
        height: Height,
        /// Position in the body, from 0.
        index: usize,
        /// The rule.
        refusal: Refusal,
    },
    /// A fault of this program, not of the block.
    #[error("internal fault at block {height}: {why}")]
    Internal {
        /// The block's height.
        height: Height,
        /// What happened.
        why: String,
    },
}

/// The next block is under rules that this build does not have (RULINGS A18).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "block {height} is under protocol {protocol}, which release {release} brings; this build \
     knows protocols up to {known}"
)]
pub struct UnknownProtocol {
    /// The block's height.
    pub height: Height,
    /// Its protocol.
    pub protocol: ProtocolVersion,
    /// The newest known here.
    pub known: ProtocolVersion,
    /// The first release that knows it, as the amendment named it.
    pub release: String,
}

/// Refuses a field of the seal of block `height` that is not what the chain demands.
pub(super) fn expect<T: PartialEq + std::fmt::Display>(
    height: Height,
    field: &'static str,
    found: T,
    expected: T,
) -> Result<(), BlockError> {
    if found == expected {
        return Ok(());
    }
    Err(BlockError::Field {
        height,
        field,
        found: found.to_string(),
        expected: expected.to_string(),
    })
}

/// Compares a recomputed seal with the proposed one, field by field, for an error that says where
/// they part.
pub(super) fn compare(ours: &Seal, theirs: &Seal) -> Result<(), BlockError> {
    let height = ours.height;
    expect(height, "first_leaf", theirs.first_leaf, ours.first_leaf)?;
    expect(height, "leaf_count", theirs.leaf_count, ours.leaf_count)?;
    expect(height, "log_root", theirs.log_root, ours.log_root)?;
    expect(height, "state_root", theirs.state_root, ours.state_root)?;
    expect(height, "work_digest", theirs.work_digest, ours.work_digest)?;
    expect(
        height,
        "parent_certificate",
        theirs.parent_certificate,
        ours.parent_certificate,
    )?;
    expect(height, "block id", theirs.id(), ours.id())
}
