//! What a node tells about itself. Fields stand by name.

use std::collections::BTreeMap;

use rollbook_core::object::node::NodeStatus;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId, ProtocolVersion};
use serde::{Deserialize, Serialize};

use crate::by_name::ByName;

/// `/v1/status`, and the same on the admin socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Status {
    /// Seats that propose last at the next height, because they missed turns (RULINGS A56).
    pub behind: Vec<Behind>,
    /// Id of the newest block.
    pub block: String,
    /// `behind: body of H missing`, if a decided block's body is not here.
    pub body_missing: Option<String>,
    /// `sample` or `wall`.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub clock: Clock,
    /// How far the machine's clock was ahead of the last block out of its bounds, in milliseconds; or,
    /// while blocks are within bounds, how far it is ahead of the clocks of all others who proposed
    /// last. Negative: behind.
    pub clock_off_ms: Option<i64>,
    /// What is to be said about the machine's clock.
    pub clock_warning: Option<String>,
    /// Totals since the start.
    pub counts: Counts,
    /// Height of a statement under this node's key that its guard does not know: a second node has
    /// the keys, or the disk has forgotten something.
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>))]
    pub foreign_statement: Option<Height>,
    /// A validator cosigned another history.
    pub fork_alarm: Option<ForkAlarm>,
    /// Founders whose record is not in the log yet.
    pub founders_missing: u32,
    /// Genesis hash.
    pub genesis: String,
    /// Statements that the sign guard refused to sign since the start.
    pub guard_refusals: u64,
    /// Height of the tip.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Kinds of this node's keys that are not those that the ledger has for it.
    pub keys_unknown: Vec<String>,
    /// This node's keys wait for the handover that gives them its organisation's seat; absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keys_wait: bool,
    /// Address for other nodes.
    pub listen: Option<String>,
    /// Leaves in the log, up to the newest seal.
    pub log_size: u64,
    /// Where the ledger says that this node stands; null if it has no place there.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub node: Option<NodeStatus>,
    /// The node's clock.
    pub now_ms: u64,
    /// The organisation that runs the node.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub organisation: OrganisationId,
    /// Blocks in a row whose time was out of this node's bounds.
    pub out_of_bounds: u32,
    /// Records of the pool that did not apply when they were last judged.
    pub parked: usize,
    /// The other nodes.
    pub peers: Vec<Peer>,
    /// What the replica does.
    pub phase: Phase,
    /// Records waiting.
    pub pool: usize,
    /// Version of the program.
    pub program: String,
    /// Rule versions.
    #[cfg_attr(feature = "schema", schema(value_type = Protocol))]
    pub protocol: ByName<Protocol>,
    /// Seats that a quorum needs.
    pub quorum: usize,
    /// Newest receipted height.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub receipted: Height,
    /// Validators that were restored and vote again only from a height on, by their own word.
    pub restored: Vec<Restored>,
    /// Round of the height under way.
    pub round: Option<u32>,
    /// Whether this is a sample chain.
    pub sample: bool,
    /// Seconds since this node took the newest block, or since its time if that is longer.
    pub since_block_s: u64,
    /// State root after the newest block.
    pub state_root: String,
    /// Newest height in the store.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub stored: Height,
    /// Ledger time of the newest block.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub time_ms: LedgerTime,
    /// Whose turn it is to propose in the round under way of the next height.
    #[cfg_attr(feature = "schema", schema(value_type = Option<u32>))]
    pub turn: Option<OrganisationId>,
    /// Seconds since work on the next height began; null if it waits for a reason to begin.
    pub under_way_s: Option<u64>,
    /// Whether this node holds a seat.
    pub validator: bool,
    /// Organisations with a seat at the next height.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>))]
    pub validators: Vec<OrganisationId>,
    /// How many of them are connected, this node included.
    pub validators_connected: usize,
    /// Whether it signs votes at the height after the tip.
    pub votes: bool,
    /// It votes only from this height on (RULINGS A8); null if it is not known yet.
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>))]
    pub votes_from: Option<Height>,
    /// Whether a record that applies waits for a block.
    pub wanted: bool,
}

/// A validator that waits for its height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Restored {
    /// The organisation that runs it.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub organisation: OrganisationId,
    /// It votes from this height on.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub votes_from: Height,
}

/// A seat that stands behind: others propose before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Behind {
    /// Turns it missed in sequence.
    pub missed: u32,
    /// The organisation whose seat it is.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub organisation: OrganisationId,
    /// First height at which it stands behind.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub since: Height,
    /// Last height at which it does, if it misses no further turn.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub until: Height,
}

/// What a replica does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It asks its peers what it may have signed.
    Asking,
    /// It holds until a height of its own.
    Holding,
    /// It runs.
    Running,
    /// It has stopped.
    Stopped,
}

impl Phase {
    /// As it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Asking => "asking",
            Phase::Holding => "holding",
            Phase::Running => "running",
            Phase::Stopped => "stopped",
        }
    }
}

/// Totals since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Counts {
    /// Submissions taken.
    pub admitted: u64,
    /// Blocks decided.
    pub blocks: u64,
    /// Records decided.
    pub records: u64,
    /// Submissions refused.
    pub refused: u64,
    /// Messages that the network's queue had no room for.
    pub unsent: u64,
}

/// Another root under a validator's signature for a height that the node holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ForkAlarm {
    /// The height.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Who cosigned it.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub validator: OrganisationId,
}

/// Another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Peer {
    /// Where the ledger says that it is reached.
    pub address: String,
    /// Whether it is connected.
    pub connected: bool,
    /// Why it was not reached the last time.
    pub last_error: Option<String>,
    /// The organisation that runs it.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub organisation: OrganisationId,
    /// Its transport key.
    pub peer: String,
    /// Whether it holds a seat.
    pub validator: bool,
}

/// Rule versions as of the next block (RULINGS A18).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Protocol {
    /// In force.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub in_force: ProtocolVersion,
    /// The newest this build knows.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub known: ProtocolVersion,
    /// Newer versions that validators have announced: how many of them know it.
    #[cfg_attr(feature = "schema", schema(value_type = BTreeMap<u32, usize>))]
    pub support: BTreeMap<ProtocolVersion, usize>,
    /// Decided and not begun: version, first height, release.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<Object>>))]
    pub coming: Option<(ProtocolVersion, Height, String)>,
}

/// `/v1/health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Health {
    /// Height of the tip.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a node of a testnet writes it, with values where it had none.
    const TEXT: &str = concat!(
        r#"{"behind":[{"missed":2,"organisation":4,"since":1,"until":16}],"block":"1a","body_missing":null,"clock":"sample","clock_off_ms":null,"#,
        r#""clock_warning":null,"counts":{"admitted":4,"blocks":1,"records":4,"refused":0,"#,
        r#""unsent":0},"foreign_statement":null,"fork_alarm":{"height":5,"validator":2},"#,
        r#""founders_missing":0,"genesis":"03","guard_refusals":0,"height":1,"#,
        r#""keys_unknown":["log"],"listen":"127.0.0.1:42819","#,
        r#""log_size":23,"node":"validator","now_ms":1687917669965,"organisation":1,"#,
        r#""out_of_bounds":0,"parked":0,"peers":[{"address":"127.0.0.1:44163","connected":true,"#,
        r#""last_error":null,"organisation":2,"peer":"12D3","validator":true}],"#,
        r#""phase":"holding","pool":0,"program":"0.1.0","protocol":{"coming":[3,9,"2.0"],"#,
        r#""in_force":2,"known":2,"support":{"10":1,"3":2}},"quorum":3,"receipted":1,"#,
        r#""restored":[{"organisation":4,"votes_from":9}],"round":null,"sample":true,"#,
        r#""since_block_s":2,"state_root":"53","stored":1,"time_ms":1687917600087,"#,
        r#""turn":2,"under_way_s":null,"validator":true,"validators":[1,2,3,4],"#,
        r#""validators_connected":4,"votes":true,"votes_from":1,"wanted":false}"#
    );

    #[test]
    fn the_text_is_as_it_was() {
        let status: Status = serde_json::from_str(TEXT).unwrap();
        assert_eq!(serde_json::to_string(&status).unwrap(), TEXT);
        assert_eq!(status.node, Some(NodeStatus::Validator));
        assert_eq!(
            status.protocol.0.support.get(&ProtocolVersion(10)),
            Some(&1)
        );
        for phase in [
            Phase::Asking,
            Phase::Holding,
            Phase::Running,
            Phase::Stopped,
        ] {
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.word());
        }
        let health = serde_json::to_string(&Health { height: Height(1) }).unwrap();
        assert_eq!(health, r#"{"height":1}"#);
    }
}
