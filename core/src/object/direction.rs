//! Working directions of the alliance.

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;

use crate::id::DirectionId;
use crate::identity::Name;

/// A working direction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Direction {
    /// Its number.
    pub number: DirectionId,
    /// Short code, such as `xr-terminals`.
    pub code: Text<32>,
    /// Its names.
    pub name: Name,
}
