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
        printable([self.url.as_str(), self.address.as_str()].into_iter())
    }
}

/// What of a node changes (RULINGS A53); what is not named stays. Each new key has its proof of
/// possession for the organisation that runs the node, bound to all that changes with it.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct NodeUpdate {
    /// Signs votes and proposals; of a seat from its next handover on.
    pub consensus: Option<(PublicKey, Signature)>,
    /// Signs checkpoint cosignatures (0x04); of a seat from its next handover on.
    pub cosigner: Option<(PublicKey, Signature)>,
    /// Signs served checkpoints (0x01); of a seat from its next handover on, since policies name it.
    pub log: Option<(PublicKey, Signature)>,
    /// Identifies the node to its peers, from the next block on.
    pub transport: Option<(PublicKey, Signature)>,
    /// Where the node's log and API are served.
    pub url: Option<Text<200>>,
    /// Where peers dial it, host and port.
    pub address: Option<Text<100>>,
}

impl NodeUpdate {
    /// New keys, those that are given, in the order of [`NodeUpdate::kinds`], proved for a chain.
    pub fn proved(
        chain: &Hash,
        organisation: OrganisationId,
        keys: [Option<&Keypair>; 4],
        url: Option<Text<200>>,
        address: Option<Text<100>>,
    ) -> NodeUpdate {
        let [consensus, cosigner, log, transport] =
            keys.map(|key| key.map(|key| (key.public(), UNPROVED)));
        let mut update = NodeUpdate {
            consensus,
            cosigner,
            log,
            transport,
            url,
            address,
        };
        let possession = update.possession(chain, organisation);
        let places = [
            (&mut update.consensus, KeyKind::Consensus),
            (&mut update.cosigner, KeyKind::Cosigner),
            (&mut update.log, KeyKind::Log),
            (&mut update.transport, KeyKind::Transport),
        ];
        for ((place, kind), key) in places.into_iter().zip(keys) {
            if let (Some((_, proof)), Some(key)) = (place, key) {
                *proof = possession.prove(kind, key);
            }
        }
        update
    }

    /// A whole new node in place of the one that there is: what makes a node's card serve to move a
    /// node as well as to register one.
    pub fn whole(keys: NodeKeys) -> NodeUpdate {
        let NodeKeys {
            consensus,
            cosigner,
            log,
            transport,
            url,
            address,
        } = keys;
        NodeUpdate {
            consensus: Some(consensus),
            cosigner: Some(cosigner),
            log: Some(log),
            transport: Some(transport),
            url: Some(url),
            address: Some(address),
        }
    }

    /// What the new keys prove: all that changes, for this organisation. A whole new node proves what
    /// one that registers does.
    pub fn possession(&self, chain: &Hash, organisation: OrganisationId) -> Possession {
        if let NodeUpdate {
            consensus: Some(consensus),
            cosigner: Some(cosigner),
            log: Some(log),
            transport: Some(transport),
            url: Some(url),
            address: Some(address),
        } = self.clone()
        {
            let keys = NodeKeys {
                consensus,
                cosigner,
                log,
                transport,
                url,
                address,
            };
            return keys.possession(Some(chain), organisation);
        }
        let mut unproved = self.clone();
        for (_, proof) in [
            &mut unproved.consensus,
            &mut unproved.cosigner,
            &mut unproved.log,
            &mut unproved.transport,
        ]
        .into_iter()
        .flatten()
        {
            *proof = UNPROVED;
        }
        Possession {
            chain: *chain,
            owner: organisation.0,
            thing: sha256_tagged("rollbook/node-update/v1", &[&encode(&unproved)]),
        }
    }

    /// The new keys with their kinds, in their order.
    pub fn kinds(&self) -> impl Iterator<Item = (&PublicKey, &Signature, KeyKind)> {
        [
            (&self.consensus, KeyKind::Consensus),
            (&self.cosigner, KeyKind::Cosigner),
            (&self.log, KeyKind::Log),
            (&self.transport, KeyKind::Transport),
        ]
        .into_iter()
        .filter_map(|(key, kind)| key.as_ref().map(|(key, proof)| (key, proof, kind)))
    }

    pub(super) fn signatures(
        &self,
        chain: &Hash,
        organisation: OrganisationId,
    ) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        let possession = self.possession(chain, organisation);
        self.kinds()
            .map(|(key, proof, kind)| (*key, possession.message(kind, key), *proof))
            .collect()
    }

    /// Something changes; URL and address as [`NodeKeys::check`] wants them.
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.kinds().next().is_none() && self.url.is_none() && self.address.is_none() {
            return Err(DecodeError::rule("an update of a node changes something"));
        }
        let url = self.url.as_ref().map(Text::as_str);
        printable(
            url.into_iter()
                .chain(self.address.as_ref().map(Text::as_str)),
        )
    }
}

/// Refuses texts that no line of a policy file could hold.
fn printable<'a>(texts: impl Iterator<Item = &'a str>) -> Result<(), DecodeError> {
    for text in texts {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
            return Err(DecodeError::rule(
                "a node's url and address are printable ASCII without spaces and '#'",
            ));
        }
    }
    Ok(())
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
    /// The node moves, or gets new keys, and keeps its place (RULINGS A53).
    Update(NodeUpdate),
}

impl NodeAct {
    pub(super) fn class(&self) -> ActClass {
        ActClass::Node
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            NodeAct::Register(_) | NodeAct::Ready | NodeAct::Leave => "M40",
            NodeAct::Support { .. } => "A18",
            NodeAct::Update(_) => "A53",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            NodeAct::Register(keys) => keys.check(),
            NodeAct::Update(update) => update.check(),
            NodeAct::Ready | NodeAct::Leave | NodeAct::Support { .. } => Ok(()),
        }
    }
}
