//! What arrives, decoded once: gossip, questions and answers of peers, submissions. And gossip on
//! its way out.
//!
//! Many things arrive at once on a busy node, so they are decoded by all cores, and so are their
//! signatures verified.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rollbook_core::record::Record;
use rollbook_proof::codec::decode;
use rollbook_proof::number::{Height, OrganisationId};

use super::command::{Command, Reply, Submitted};
use super::keyring::Seen;
use crate::clock::real_ms;
use crate::network::{GossipTicket, NetworkEvent, PeerKey, Responder, Topic, Verdict};
use crate::replica::Worth;
use crate::replica::message::{Batch, Envelope, Frame, Request, Response};

/// Gossip that is the same in a later one of these may be sent again.
const REPEAT_S: u64 = 4;
/// Bytes of the trailer of gossip.
const TRAILER: usize = 4;
/// Fewer things than this are decoded faster by one core.
const SHARE: usize = 8;

/// Something that has arrived.
pub(super) enum Arrival {
    /// Gossip of a peer.
    Gossip {
        from: PeerKey,
        ticket: GossipTicket,
        message: Gossip,
    },
    /// A question of a peer.
    Request {
        peer: PeerKey,
        request: Request,
        responder: Responder,
    },
    /// The answer to an own question; nothing if it failed or does not decode.
    Response { id: u64, response: Option<Response> },
    /// A record handed in, of which this signature verifies.
    Submit {
        envelope: Box<Envelope>,
        seen: Seen,
        reply: Reply<Submitted>,
    },
    /// What needs no decoding.
    Plain(Command),
}

/// A gossiped message.
pub(super) enum Gossip {
    /// Those records of a batch that decode.
    Records(Vec<Envelope>),
    /// A frame of consensus.
    Frame(Frame),
    /// Nothing of the kind that its topic promises.
    Unreadable,
}

/// Decodes what came at once, in order.
pub(super) fn arrive(commands: Vec<Command>) -> Vec<Arrival> {
    let commands = commands.into_par_iter().with_min_len(SHARE);
    commands.map(Arrival::of).collect()
}

impl Arrival {
    fn of(command: Command) -> Arrival {
        match command {
            Command::Network(NetworkEvent::Gossip {
                from,
                topic,
                data,
                ticket,
                ..
            }) => Arrival::Gossip {
                from,
                ticket,
                message: Gossip::read(topic, &data),
            },
            Command::Network(NetworkEvent::Request {
                peer,
                data,
                responder,
                ..
            }) => Arrival::Request {
                peer,
                request: Request::read(&data),
                responder,
            },
            Command::Response { id, bytes } => Arrival::Response {
                id,
                response: bytes.and_then(|bytes| decode(&bytes).ok()),
            },
            Command::Submit {
                envelope,
                seen,
                reply,
            } => Arrival::Submit {
                envelope,
                seen,
                reply,
            },
            command => Arrival::Plain(command),
        }
    }

    /// The signature that was found good already.
    pub(super) fn seen(&self) -> Option<&Seen> {
        match self {
            Arrival::Submit { seen, .. } => Some(seen),
            _ => None,
        }
    }

    /// The records in it.
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        let envelopes = match self {
            Arrival::Gossip {
                message: Gossip::Records(envelopes),
                ..
            } => envelopes.as_slice(),
            Arrival::Submit { envelope, .. } => std::slice::from_ref(&**envelope),
            _ => &[],
        };
        envelopes.iter().map(Envelope::record)
    }
}

impl Gossip {
    fn read(topic: Topic, data: &[u8]) -> Gossip {
        let Some(data) = without_trailer(data) else {
            return Gossip::Unreadable;
        };
        let message = match topic {
            Topic::Records => decode::<Batch>(data).map(|batch| Gossip::Records(batch.envelopes())),
            Topic::Consensus => decode(data).map(Gossip::Frame),
        };
        message.unwrap_or(Gossip::Unreadable)
    }

    /// Whether it is worth a look at its signatures while the ledger stands at `tip`: what cannot be
    /// of use to anybody is neither judged nor passed on.
    pub(super) fn verdict(&self, tip: Height) -> Verdict {
        match self {
            // Judged with its records, see [`verdict_on`].
            Gossip::Records(_) => Verdict::Accept,
            Gossip::Frame(frame) => match frame.height() {
                Some(height) if height <= tip || height > tip.plus(2) => Verdict::Ignore,
                _ => Verdict::Accept,
            },
            Gossip::Unreadable => Verdict::Reject,
        }
    }
}

/// When frames were passed on, by author and place. A frame goes on once its signatures have been
/// judged, and again for the same author and place only after [`REPEAT_S`]: the trailer makes any
/// frame a new message to gossipsub, as often as somebody likes. Authors are validators: few.
#[derive(Debug, Default)]
pub(super) struct Relayed {
    last: BTreeMap<OrganisationId, BTreeMap<(u8, u64, u32), u64>>,
}

impl Relayed {
    /// Places of one author that are passed on within [`REPEAT_S`]: far more than a validator has
    /// something new to say about, and nobody's frames can use up those of another.
    const MOST: usize = 256;

    /// What becomes of a frame that is worth this, on the elapsed clock.
    pub(super) fn verdict(&mut self, worth: Worth, now_ms: u64) -> Verdict {
        let (author, place) = match worth {
            Worth::Genuine(author, place) => (author, place),
            Worth::Forged => return Verdict::Reject,
            Worth::Unknown => return Verdict::Ignore,
        };
        let pause = REPEAT_S * 1_000;
        let is_recent = |at: &u64| now_ms < at.saturating_add(pause);
        let of_author = self.last.entry(author).or_default();
        if of_author.get(&place).is_some_and(is_recent) {
            return Verdict::Ignore;
        }
        if of_author.len() >= Self::MOST {
            of_author.retain(|_, at| is_recent(at));
        }
        if of_author.len() >= Self::MOST {
            return Verdict::Ignore;
        }
        of_author.insert(place, now_ms);
        Verdict::Accept
    }
}

/// What becomes of a batch of records, of which so many are new here and were taken, so many have a
/// signature that their key did not make, and so many nobody here can answer for. It goes on if it holds
/// news: the trailer makes any batch a new message, as often as somebody likes. Forged records strike who
/// sent them (RULINGS A40), so a batch goes on only if each of its records is known to be none: the node
/// it goes to may stand elsewhere and look at signatures at which this one has not looked.
pub(super) fn verdict_on(taken: usize, forged: usize, unjudged: usize) -> Verdict {
    match (taken, forged, unjudged) {
        (_, 1.., _) => Verdict::Reject,
        (0, 0, _) | (_, 0, 1..) => Verdict::Ignore,
        (1.., 0, 0) => Verdict::Accept,
    }
}

/// Adds a trailer that changes every few seconds and with each of the `came` connections of peers.
/// gossipsub drops what it has seen and forgets it only when something new comes: on a chain where
/// everybody only repeats (a vote that was lost, a cosignature somebody lacks), the same bytes would be
/// dropped for ever, and a peer that has just come would not get what the others have. The trailer means
/// nothing and is cut off on arrival.
pub(super) fn with_trailer(mut bytes: Vec<u8>, came: u32) -> Vec<u8> {
    let turn = (real_ms() / 1_000 / REPEAT_S) as u32;
    let turn = turn.wrapping_add(came.wrapping_mul(0x9e37_79b1));
    bytes.extend_from_slice(&turn.to_le_bytes());
    bytes
}

/// The message without its trailer; `None` if it is too short to have one.
fn without_trailer(data: &[u8]) -> Option<&[u8]> {
    data.get(..data.len().checked_sub(TRAILER)?)
}

#[cfg(test)]
mod tests {
    use rollbook_proof::chain::{SignedVote, Vote, VoteKind};
    use rollbook_proof::codec::encode;
    use rollbook_proof::crypto::Signature;

    use super::*;

    fn read(topic: Topic, bytes: Vec<u8>) -> Gossip {
        Gossip::read(topic, &with_trailer(bytes, 0))
    }

    #[test]
    fn a_frame_is_passed_on_by_its_shape_and_height() {
        let vote = Vote {
            kind: VoteKind::Prevote,
            height: Height(5),
            round: 0,
            block: None,
            validator: OrganisationId(1),
        };
        let bytes = encode(&Frame::Vote(SignedVote {
            vote,
            signature: Signature::Ed25519([7; 64]),
        }));
        let gossip = read(Topic::Consensus, bytes.clone());
        for tip in [3, 4] {
            assert_eq!(gossip.verdict(Height(tip)), Verdict::Accept);
        }
        for tip in [2, 5] {
            assert_eq!(gossip.verdict(Height(tip)), Verdict::Ignore);
        }
        let short = Gossip::read(Topic::Consensus, &[1, 2, 3]);
        assert_eq!(
            short.verdict(Height(4)),
            Verdict::Reject,
            "shorter than a trailer"
        );
        let more = read(Topic::Consensus, [bytes.as_slice(), &[0]].concat());
        assert_eq!(more.verdict(Height(4)), Verdict::Reject);
        assert_eq!(
            read(Topic::Records, bytes).verdict(Height(4)),
            Verdict::Reject
        );
    }

    #[test]
    fn a_frame_goes_on_once_in_four_seconds_and_a_forged_one_never() {
        let mut relayed = Relayed::default();
        let of = |who, round| Worth::Genuine(OrganisationId(who), (0, 5, round));
        assert_eq!(relayed.verdict(Worth::Forged, 0), Verdict::Reject);
        assert_eq!(relayed.verdict(Worth::Unknown, 0), Verdict::Ignore);
        assert_eq!(relayed.verdict(of(1, 0), 0), Verdict::Accept);
        // Whatever its trailer, and whatever else it says.
        assert_eq!(relayed.verdict(of(1, 0), 3_999), Verdict::Ignore);
        assert_eq!(relayed.verdict(of(1, 1), 1), Verdict::Accept);
        assert_eq!(relayed.verdict(of(2, 0), 1), Verdict::Accept);
        assert_eq!(relayed.verdict(of(1, 0), 4_000), Verdict::Accept);
        for round in 0..10_000 {
            relayed.verdict(of(3, round), 5_000);
        }
        // Whoever repeats all that one validator ever signed silences nobody else.
        assert_eq!(relayed.verdict(of(1, 2), 5_000), Verdict::Accept);
        assert!(relayed.last.values().all(|of| of.len() <= Relayed::MOST));
        assert_eq!(relayed.verdict(of(1, 0), 20_000), Verdict::Accept);
    }

    #[test]
    fn a_batch_goes_on_with_news_and_never_with_forged_records() {
        assert_eq!(verdict_on(3, 0, 0), Verdict::Accept);
        assert_eq!(verdict_on(0, 0, 0), Verdict::Ignore, "known already");
        assert_eq!(verdict_on(3, 1, 0), Verdict::Reject);
        assert_eq!(verdict_on(0, 1, 1), Verdict::Reject);
        assert_eq!(verdict_on(3, 0, 1), Verdict::Ignore, "the next may strike");
        assert_eq!(verdict_on(0, 0, 1), Verdict::Ignore);
    }

    #[test]
    fn a_batch_does_not_answer_for_what_is_in_it() {
        let batch = Batch {
            records: vec![vec![1, 2, 3], Vec::new()],
        };
        let gossip = read(Topic::Records, encode(&batch));
        assert_eq!(gossip.verdict(Height(0)), Verdict::Accept);
        assert!(matches!(gossip, Gossip::Records(envelopes) if envelopes.is_empty()));
    }
}
