//! What a node reads from its ledger, as told by it: blocks, lists of the proved tables, sequences.

use rollbook_core::id::PersonId;
use rollbook_proof::chain::Seal;
use rollbook_proof::number::{Height, OrganisationId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A block in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Block {
    /// Block id.
    pub id: String,
    /// The header.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub seal: Seal,
    /// Round in which it was decided.
    pub round: Option<u32>,
    /// Validators whose precommits are in the certificate.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>))]
    pub signers: Vec<OrganisationId>,
    /// Ids of its records, in order.
    pub records: Vec<String>,
    /// Leaves that are in no body, hexadecimal: events, a handover's policy.
    pub derived: Vec<String>,
    /// Whether a receipted checkpoint covers it.
    pub receipted: bool,
    /// Whether this is a sample chain.
    pub sample: bool,
}

/// A page of entries of a proved table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct List {
    /// Height of the tip that was read.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// The entries, ascending.
    pub items: Vec<Item>,
    /// What to give as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether this is a sample chain.
    pub sample: bool,
}

/// One entry. What its value is depends on the table, the first part of the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Item {
    /// Path in the proved tables, such as `motion/3`.
    pub path: String,
    /// The entry in words.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub value: Value,
}

/// What an officer's next record is numbered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sequence {
    /// Person.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub person: PersonId,
    /// One above the highest sequence used.
    pub next: u64,
    /// The node's clock, milliseconds since 1970.
    pub now_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a node wrote it before these structs were there.
    const BLOCK: &str = concat!(
        r#"{"id":"1ad13ddf3141b99df1cd317ef3fc768fa55c74aaea66fe4878ce55714fdb623"#,
        r#"7","seal":{"protocol":2,"height":1,"time_ms":1687917600087,"parent":"3"#,
        r#"887170112a88124814b5ccd7f7f306cfa07236dac955f2a1155063bcfb0cff3","firs"#,
        r#"t_leaf":18,"leaf_count":4,"body":"34a2f1a03eacbbd8924f749f3c08e68ec569"#,
        r#"b9607a84d044e2b5775752bf9900","log_root":"3a667948f4684f64c5de5a275e2c"#,
        r#"524556668213819a8151eab145af4b0b82c3","state_root":"53b25e1fde5c378997"#,
        r#"173a6f9713d452944b30e2025eddb83f858889dff2005b","work_digest":"99ec62c"#,
        r#"a98716b2a126f2b82584b39d3f6736c97b6d401f56658a11f9259e563","policy":"0"#,
        r#"3f6d0bae5cf51bd82af2cf248a4701c50a893dd7ce3a74c69383f5bcce13108","pare"#,
        r#"nt_certificate":"00000000000000000000000000000000000000000000000000000"#,
        r#"00000000000"},"round":0,"signers":[1,2,3],"records":["cd73d968ad164779"#,
        r#"1b4487e08846fce128da8fee069d6e79c4297415502df809","719203e8f5bc04b9b39"#,
        r#"2d8a2350093c67dbcdb08aca8832143114a607932ddd2","6a3323a283236a09d72cbf"#,
        r#"0ea804c544ee526f652e3e058a057d50ff08aca0de","e27b91a0c5b0cdcc5c133b78f"#,
        r#"f8a3f0ca0a8f091540d7939434b6276cf2c8285"],"derived":["0301"],"receipte"#,
        r#"d":true,"sample":true}"#,
    );

    #[test]
    fn the_texts_are_as_they_were() {
        for text in [
            r#"{"height":1,"items":[{"path":"account/1/A:free","value":"7"}],"next":"1/A:free","sample":true}"#,
            r#"{"height":1,"items":[],"sample":false}"#,
        ] {
            let list: List = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&list).unwrap(), text);
        }
        let text = r#"{"person":1,"next":2,"now_ms":1687917672945}"#;
        let sequence: Sequence = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&sequence).unwrap(), text);
        let block: Block = serde_json::from_str(BLOCK).unwrap();
        assert_eq!(serde_json::to_string(&block).unwrap(), BLOCK);
    }
}
