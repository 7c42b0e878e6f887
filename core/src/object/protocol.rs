//! Rule versions of a chain (RULINGS A18).

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::number::Height;

use crate::id::MotionId;

/// A rule version of this chain (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct ProtocolFacts {
    /// The first height under it; 0 for the one that the genesis names.
    pub from_height: Height,
    /// The motion that raised it; 0 for the genesis.
    pub motion: MotionId,
    /// The first release that knows it, as the amendment named it; empty for the genesis.
    pub release: Text<40>,
}
