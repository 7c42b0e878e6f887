//! What the ledger knows and an act names (RULINGS A33): as told by a node, and absent where there is
//! nothing to tell.

use rollbook_core::account::Amount;
use rollbook_core::id::{CallId, FundId};
use rollbook_core::known;
use rollbook_core::record::Tranche;
use rollbook_proof::crypto::Hash;
use serde::{Deserialize, Serialize};

/// `/v1/known/{object}/{number}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Known {
    /// R22: the attempt of a draw, which a commitment names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u32>))]
    pub call: Option<CallId>,
    /// The fund whose unit the object's amounts have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u32>))]
    pub fund: Option<FundId>,
    /// Whether this is a sample chain.
    pub sample: bool,
    /// What can be requested now, each with what it pays, in minor units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Vec<Object>>))]
    pub tranches: Vec<(Tranche, Amount)>,
    /// Ids of records that wait for a second person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub waiting: Vec<Hash>,
}

impl Known {
    /// The ledger's answer, on a sample chain or not.
    pub fn of(known: known::Known, sample: bool) -> Known {
        Known {
            attempt: known.attempt,
            call: known.call,
            fund: known.fund,
            sample,
            tranches: known.tranches,
            waiting: known.waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_left_out() {
        let text = r#"{"fund":1,"sample":true,"tranches":[["advance",900],[{"milestone":7},5]]}"#;
        let known: Known = serde_json::from_str(text).unwrap();
        assert_eq!(known.tranches[0], (Tranche::Advance, Amount(900)));
        assert_eq!(serde_json::to_string(&known).unwrap(), text);
    }
}
