//! What is on its way between two machines.

use rollbook_node::replica::Input;
use rollbook_node::replica::message::{Batch, Frame, Request};
use rollbook_proof::codec::decode;

/// Bytes on their way, which may be damaged before they are decoded.
#[derive(Clone)]
pub(super) enum Packet {
    Frame { from: u32, bytes: Vec<u8> },
    Records { bytes: Vec<u8> },
    Request { from: u32, id: u64, bytes: Vec<u8> },
    Response { id: u64, bytes: Vec<u8> },
}

impl Packet {
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Packet::Frame { bytes, .. }
            | Packet::Records { bytes }
            | Packet::Request { bytes, .. }
            | Packet::Response { bytes, .. } => bytes,
        }
    }

    /// What a shell makes of it. What does not decode is time that passes.
    pub(super) fn arrive(self) -> Input {
        match self {
            Packet::Frame { from, bytes } => match decode(&bytes) {
                Ok(frame) => Input::Frame { from, frame },
                Err(_) => Input::Tick,
            },
            Packet::Records { bytes } => match decode::<Batch>(&bytes) {
                Ok(batch) => Input::Records(batch.envelopes()),
                Err(_) => Input::Tick,
            },
            Packet::Request { from, id, bytes } => Input::Request {
                from,
                id,
                request: Request::read(&bytes),
            },
            Packet::Response { id, bytes } => Input::Response {
                id,
                response: decode(&bytes).ok(),
            },
        }
    }
}

/// A frame in a line of the log.
pub(super) fn brief(frame: &Frame) -> String {
    match frame {
        Frame::Vote(signed) => {
            let block = signed
                .vote
                .block
                .map_or("nil".into(), rollbook_proof::crypto::Hash::short);
            format!(
                "{:?} {}/{} {block}",
                signed.vote.kind, signed.vote.height, signed.vote.round
            )
        }
        Frame::Proposal { proposal, .. } => {
            let facts = &proposal.facts;
            format!(
                "Proposal {}/{} {} vr {:?}",
                facts.height,
                facts.round,
                facts.block.short(),
                facts.valid_round
            )
        }
        Frame::Polka {
            height,
            round,
            block,
            ..
        } => format!("Polka {height}/{round} {}", block.short()),
        Frame::Round {
            height,
            round,
            precommits,
            ..
        } => format!("Round {height}/{round} precommits {precommits}"),
        Frame::Cosign(cosignature) => {
            format!("Cosign {} size {}", cosignature.height, cosignature.size)
        }
    }
}
