//! Acts on nodes (M40; RULINGS A17, A21).

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, encode};
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, PublicKey, Signature, sha256_tagged};
use rollbook_proof::number::{OrganisationId, ProtocolVersion};

use crate::identity::ActClass;
use crate::identity::possession::{Possession, UNPROVED};

/// The public keys of one node, each with its proof of possession
/// ([`possession`](crate::identity::possession)) for the organisation that runs it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct NodeKeys {
    /// Signs votes and proposals.
    pub consensus: (PublicKey, Signature),
    /// Signs checkpoint cosignatures (0x04).
    pub cosigner: (PublicKey, Signature),
    /// Signs served checkpoints (0x01).
    pub log: (PublicKey, Signature),
    /// Identifies the node to its peers.
    pub transport: (PublicKey, Signature),
    /// Where the node's log and API are served.
    pub url: Text<200>,
    /// Where peers dial it, host and port.
    pub address: Text<100>,
}

impl NodeKeys {
    /// A node's keys, in the order of [`NodeKeys::kinds`], with their proofs: for a chain, or for a
    /// genesis if there is none yet.
    pub fn proved(
        chain: Option<&Hash>,
        organisation: OrganisationId,
        keys: [&Keypair; 4],
        url: Text<200>,
        address: Text<100>,
    ) -> NodeKeys {
        let [consensus, cosigner, log, transport] = keys.map(|key| (key.public(), UNPROVED));
        let mut node = NodeKeys {
            consensus,
            cosigner,
            log,
            transport,
            url,
            address,
        };
        let possession = node.possession(chain, organisation);
        let [consensus, cosigner, log, transport] = keys;
        node.consensus.1 = possession.prove(KeyKind::Consensus, consensus);
        node.cosigner.1 = possession.prove(KeyKind::Cosigner, cosigner);
        node.log.1 = possession.prove(KeyKind::Log, log);
        node.transport.1 = possession.prove(KeyKind::Transport, transport);
        node
    }

    /// What these keys prove: on a chain all four are bound to each other, to the URL and to the
    /// address; in a genesis the founders' signatures do that.
    pub fn possession(&self, chain: Option<&Hash>, organisation: OrganisationId) -> Possession {
        let Some(chain) = chain else {
            return Possession::founding(organisation.0);
        };
        let mut unproved = self.clone();
        unproved.consensus.1 = UNPROVED;
        unproved.cosigner.1 = UNPROVED;
        unproved.log.1 = UNPROVED;
        unproved.transport.1 = UNPROVED;
        Possession {
            chain: *chain,
            owner: organisation.0,
            thing: sha256_tagged("rollbook/node/v1", &[&encode(&unproved)]),
        }
    }

    /// The keys with their kinds, in their order.
    pub fn kinds(&self) -> [(&PublicKey, &Signature, KeyKind); 4] {
        [
            (&self.consensus.0, &self.consensus.1, KeyKind::Consensus),
            (&self.cosigner.0, &self.cosigner.1, KeyKind::Cosigner),
            (&self.log.0, &self.log.1, KeyKind::Log),
            (&self.transport.0, &self.transport.1, KeyKind::Transport),
        ]
    }

    pub(super) fn signatures(
        &self,
        chain: &Hash,
        organisation: OrganisationId,
    ) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        let possession = self.possession(Some(chain), organisation);
        self.kinds()
            .map(|(key, proof, kind)| (*key, possession.message(kind, key), *proof))
            .to_vec()
    }

    /// URL and address hold printable ASCII without spaces and `#`, as policy files demand.
    pub fn check(&self) -> Result<(), DecodeError> {
        for text in [self.url.as_str(), self.address.as_str()] {
            if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
                return Err(DecodeError::rule(
                    "a node's url and address are printable ASCII without spaces and '#'",
                ));
            }
        }
        Ok(())
    }
}

/// Acts on nodes. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum NodeAct {
    /// A member registers its node's keys.
    Register(NodeKeys),
    /// The node follows the chain and is ready for a validator seat.
    Ready,
    /// The node gives up its seat, or its registration if it has none.
    Leave,
    /// The node knows the rules up to this version (RULINGS A18). A lower number than before takes
    /// an announcement back.
    Support {
        /// The rule version.
        protocol: ProtocolVersion,
    },
}

impl NodeAct {
    pub(super) fn class(&self) -> ActClass {
        ActClass::Node
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            NodeAct::Register(_) | NodeAct::Ready | NodeAct::Leave => "M40",
            NodeAct::Support { .. } => "A18",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            NodeAct::Register(keys) => keys.check(),
            NodeAct::Ready | NodeAct::Leave | NodeAct::Support { .. } => Ok(()),
        }
    }
}
