//! Gossip on its way out and in: the trailer, and what is passed on.

use rollbook_core::codec::decode;
use rollbook_core::record::Record;

use super::app::NodeReplica;
use super::command::Command;
use crate::clock::real_ms;
use crate::network::{NetworkEvent, Topic, Verdict};
use crate::replica::message::{Batch, Frame};

/// Gossip that is the same in a later one of these may be sent again.
const REPEAT_S: u64 = 4;
/// Bytes of the trailer of gossip.
const TRAILER: usize = 4;

/// Adds a trailer that changes every few seconds. gossipsub drops what it has seen and forgets it
/// only when something new comes: on a chain where everybody only repeats (a vote that was lost, a
/// cosignature somebody lacks), the same bytes would be dropped for ever. The trailer means nothing
/// and is cut off on arrival.
pub(super) fn with_trailer(mut bytes: Vec<u8>) -> Vec<u8> {
    let turn = (real_ms() / 1_000 / REPEAT_S) as u32;
    bytes.extend_from_slice(&turn.to_le_bytes());
    bytes
}

/// The message without its trailer; `None` if it is too short to have one.
pub(super) fn without_trailer(data: &[u8]) -> Option<&[u8]> {
    data.get(..data.len().checked_sub(TRAILER)?)
}

/// Whether a message is passed on while the ledger stands at `tip`. Only shape and height are
/// judged: the rates of a peer bound the rest, and what is signed is checked by whoever uses it.
pub(super) fn verdict(topic: Topic, data: &[u8], tip: u64) -> Verdict {
    match topic {
        Topic::Records if decode::<Batch>(data).is_ok() => Verdict::Accept,
        Topic::Consensus => match decode::<Frame>(data).map(|frame| frame.height()) {
            Ok(Some(height)) if height <= tip || height > tip + 2 => Verdict::Ignore,
            Ok(_) => Verdict::Accept,
            Err(_) => Verdict::Reject,
        },
        Topic::Records => Verdict::Reject,
    }
}

/// Verifies the signatures of everything that came at once, by all cores.
pub(super) fn preverify(replica: &mut NodeReplica, batch: &[Command]) {
    let mut records = Vec::new();
    for command in batch {
        match command {
            Command::Submit { bytes, .. } => records.extend(decode::<Record>(bytes).ok()),
            Command::Network(NetworkEvent::Gossip {
                topic: Topic::Records,
                data,
                ..
            }) => {
                let Some(Ok(batch)) = without_trailer(data).map(decode::<Batch>) else {
                    continue;
                };
                let decoded = batch.records.iter().map(|bytes| decode::<Record>(bytes));
                records.extend(decoded.filter_map(Result::ok));
            }
            _ => {}
        }
    }
    replica.app_mut().verify_ahead(&records);
}
