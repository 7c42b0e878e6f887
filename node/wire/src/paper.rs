//! Papers that wait for signatures at a node (RULINGS A65). Fields stand by name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollbook_core::record::Record;
use rollbook_proof::codec::{DecodeError, decode};
use rollbook_proof::crypto::Hash;
use serde::{Deserialize, Serialize};

/// A record that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Paper {
    /// Record id.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub id: Hash,
    /// The envelope with the signatures so far, base64.
    pub record: String,
}

impl Paper {
    /// Of a record's envelope in canonical bytes.
    pub fn of(id: Hash, envelope: &[u8]) -> Paper {
        Paper {
            id,
            record: STANDARD.encode(envelope),
        }
    }

    /// The record. What a node calls it is not looked at: the bytes decide.
    pub fn decode(&self) -> Result<Record, DecodeError> {
        decode(&STANDARD.decode(&self.record).unwrap_or_default())
    }
}

/// `/v1/papers`: what waits for the reader's organisation and offices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Papers {
    /// By record id.
    pub papers: Vec<Paper>,
    /// Whether this is a sample chain.
    pub sample: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_as_they_are_told() {
        let papers = Papers {
            papers: vec![Paper::of(Hash::ZERO, &[1, 255])],
            sample: true,
        };
        let text = serde_json::to_string(&papers).unwrap();
        let zero = "00".repeat(32);
        assert_eq!(
            text,
            format!(r#"{{"papers":[{{"id":"{zero}","record":"Af8="}}],"sample":true}}"#)
        );
        assert_eq!(serde_json::from_str::<Papers>(&text).unwrap(), papers);
        assert!(papers.papers[0].decode().is_err(), "no record");
    }
}
