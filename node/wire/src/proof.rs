//! Answers that carry their proofs: leaves, proved state, policies, consistency.

use rollbook_proof::crypto::Hash;
use rollbook_proof::file::{KeptPolicy, Sealed};
use rollbook_proof::number::{EpochId, Height};
use serde::{Deserialize, Serialize};

/// A leaf that a block has once, a seal or an effect leaf, proved to be in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LeafProof {
    /// The leaf's bytes in clear, hexadecimal.
    pub leaf: String,
    /// C2SP tlog-proof of that leaf under the newest receipted checkpoint.
    pub proof: String,
}

/// A policy with the proof that the epoch before handed over to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Policy {
    /// Epoch.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub epoch: EpochId,
    /// The policy file, exact text.
    pub policy: String,
    /// C2SP tlog-proof of the policy leaf under the epoch before; absent for epoch 0, which the
    /// genesis hash proves. Its checkpoint has no log line: a handover rests on the cosignatures
    /// alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

impl From<LeafProof> for Sealed {
    fn from(proof: LeafProof) -> Sealed {
        Sealed {
            leaf: proof.leaf,
            proof: proof.proof,
        }
    }
}

impl From<Policy> for KeptPolicy {
    fn from(policy: Policy) -> KeptPolicy {
        KeptPolicy {
            epoch: policy.epoch,
            policy: policy.policy,
            proof: policy.proof,
        }
    }
}

/// A value of the state, proved (RULINGS A12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StateProof {
    /// Path in the proved tables.
    pub path: String,
    /// The value, hexadecimal; null if the path was never written, which is proved too.
    pub value: Option<String>,
    /// ICS23 commitment proof, protobuf, hexadecimal.
    pub proof: String,
    /// The seal's leaf bytes, hexadecimal.
    pub seal_leaf: String,
    /// C2SP tlog-proof of the seal's leaf.
    pub seal_proof: String,
    /// Height of the seal.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Every policy since genesis.
    pub epochs: Vec<Policy>,
    /// Whether this is a sample chain.
    pub sample: bool,
}

/// That the log of the larger size begins with the log of the smaller one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Consistency {
    /// The smaller size.
    pub old: u64,
    /// The larger size.
    pub new: u64,
    /// RFC 9162 consistency proof, hashes in hexadecimal.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub path: Vec<Hash>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_as_they_were() {
        let zero = Hash::ZERO.to_hex();
        let consistency = Consistency {
            old: 1,
            new: 2,
            path: vec![Hash::ZERO],
        };
        assert_eq!(
            serde_json::to_string(&consistency).unwrap(),
            format!(r#"{{"old":1,"new":2,"path":["{zero}"]}}"#)
        );
        let seal = LeafProof {
            leaf: "01".into(),
            proof: "p".into(),
        };
        let text = serde_json::to_string(&seal).unwrap();
        assert_eq!(text, r#"{"leaf":"01","proof":"p"}"#);
        let text = concat!(
            r#"{"path":"organisation/1","value":null,"proof":"0a","seal_leaf":"04","#,
            r#""seal_proof":"c2sp","height":1,"epochs":[{"epoch":0,"policy":"x"},"#,
            r#"{"epoch":1,"policy":"y","proof":"z"}],"sample":true}"#
        );
        let state: StateProof = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&state).unwrap(), text);
    }
}
