//! What stands in the data of a server-sent event: one leaf of the log. The event's name says which
//! struct it is; the event's id is `height:index`. Fields stand by name.

use rollbook_core::record::Record;
use rollbook_proof::chain::{Effects, ReadClass, Seal};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, OrganisationId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::by_name::ByName;

/// `record`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecordLeaf {
    /// The act by its number in the rules.
    pub code: String,
    /// Height of the block.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Record id.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub id: Hash,
    /// Place among the block's leaves.
    pub index: u64,
    /// For whom it is.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub principal: OrganisationId,
    /// Who may read its content.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub read_class: ReadClass,
    /// The record in words.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub record: Option<ByName<Record>>,
}

/// `record`, if its bytes are none that this node can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UnreadLeaf {
    /// Height of the block.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
}

/// `seal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SealLeaf {
    /// Height of the block.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Block id.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub id: Option<Hash>,
    /// Place among the block's leaves.
    pub index: u64,
    /// The header.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub seal: Option<ByName<Seal>>,
}

/// `event`: what the clock did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EventLeaf {
    /// The event in words: what there is depends on its kind.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub event: Value,
    /// Height of the block.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Place among the block's leaves.
    pub index: u64,
}

/// `effect`: which records of the block had no effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EffectLeaf {
    /// The leaf in words.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub effects: Option<ByName<Effects>>,
    /// Height of the block.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Place among the block's leaves.
    pub index: u64,
}

/// `evidence`, `genesis`, and `members`: a leaf that is for members, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RawLeaf {
    /// Height of the block.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Place among the block's leaves.
    pub index: u64,
    /// The leaf's bytes, hexadecimal.
    pub leaf: String,
}

/// `policy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PolicyLeaf {
    /// Height of the block.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Place among the block's leaves.
    pub index: u64,
    /// The policy file.
    pub policy: String,
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    fn same<T: Serialize + DeserializeOwned>(text: &str) {
        let read: T = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn the_texts_are_as_they_were() {
        let (zero, nonce) = (Hash::ZERO.to_hex(), "07".repeat(16));
        for record in [
            "null".to_owned(),
            format!(
                "{{\"payload\":{{\"body\":{{\"Organisation\":\"Found\"}},\"chain\":\"{zero}\",\
                 \"nonce\":\"{nonce}\",\"officer\":1,\"principal\":1,\"sequence\":1,\"valid_until_ms\":9}},\
                 \"signatures\":[]}}"
            ),
        ] {
            same::<RecordLeaf>(&format!(
                "{{\"code\":\"M25\",\"height\":1,\"id\":\"{zero}\",\"index\":0,\"principal\":1,\
                 \"read_class\":\"members\",\"record\":{record}}}"
            ));
        }
        same::<SealLeaf>(&format!(
            "{{\"height\":1,\"id\":\"{zero}\",\"index\":4,\"seal\":{{\"body\":\"{zero}\",\
             \"first_leaf\":18,\"height\":1,\"leaf_count\":4,\"log_root\":\"{zero}\",\
             \"parent\":\"{zero}\",\"parent_certificate\":\"{zero}\",\"policy\":\"{zero}\",\
             \"protocol\":2,\"state_root\":\"{zero}\",\"time_ms\":9,\"work_digest\":\"{zero}\"}}}}"
        ));
        same::<SealLeaf>(r#"{"height":1,"id":null,"index":4,"seal":null}"#);
        same::<EventLeaf>(r#"{"event":{"body":"X","due_ms":1},"height":1,"index":0}"#);
        same::<EventLeaf>(r#"{"event":null,"height":1,"index":0}"#);
        same::<RawLeaf>(r#"{"height":0,"index":0,"leaf":"00"}"#);
        same::<PolicyLeaf>(r#"{"height":0,"index":0,"policy":"x\n"}"#);
        same::<UnreadLeaf>(r#"{"height":1}"#);
    }
}
