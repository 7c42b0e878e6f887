//! Requests, both ways: who may ask, what is counted, and that each gets one answer.

use std::time::Instant;

use futures::FutureExt;
use libp2p::request_response::{OutboundFailure, OutboundRequestId, ResponseChannel};
use libp2p::{PeerId, request_response};
use tokio::sync::oneshot;

use super::super::address::{peer_id, peer_key};
use super::super::codec::{Incoming, Reply};
use super::super::handle::Responder;
use super::super::{NetworkEvent, PeerKey, Protocol, RequestError};
use super::{Node, STRIKES_FOR_INVALID};

/// An answer of the shell on its way to the wire.
pub(super) struct Answered {
    pub(super) peer: PeerId,
    pub(super) protocol: Protocol,
    pub(super) channel: ResponseChannel<Reply>,
    pub(super) reply: Reply,
}

/// A request of ours that is under way.
pub(super) struct Outgoing {
    peer: PeerId,
    reply: oneshot::Sender<Result<Vec<u8>, RequestError>>,
}

impl Node {
    pub(super) fn request(
        &mut self,
        key: PeerKey,
        protocol: Protocol,
        data: Vec<u8>,
        reply: oneshot::Sender<Result<Vec<u8>, RequestError>>,
    ) {
        if reply.is_closed() {
            return;
        }
        let peer = peer_id(&key)
            .ok()
            .and_then(|id| Some((id, self.book.peers.get_mut(&id)?)));
        // Asking a peer that is not connected would make the library dial and keep the request
        // without a bound.
        let (id, peer) = match peer {
            Some((id, peer)) if peer.connection.is_some() && self.swarm.is_connected(&id) => {
                (id, peer)
            }
            _ => {
                let _ = reply.send(Err(RequestError::NotConnected(key)));
                return;
            }
        };
        let under_way = self.outgoing.keys().filter(|(p, _)| *p == protocol).count();
        if under_way >= protocol.max_outgoing()
            || peer.outgoing[protocol as usize] >= protocol.max_unanswered()
        {
            let _ = reply.send(Err(RequestError::TooManyUnderWay));
            return;
        }
        peer.outgoing[protocol as usize] += 1;
        let request = self
            .swarm
            .behaviour_mut()
            .requests(protocol)
            .send_request(&id, Incoming::Whole(data));
        self.outgoing
            .insert((protocol, request), Outgoing { peer: id, reply });
        self.live.requests_sent.one();
    }

    pub(super) fn on_answer(&mut self, answered: Answered) {
        let now = Instant::now();
        let bytes = match &answered.reply {
            Reply::Ok(bytes) => bytes.len(),
            Reply::Busy | Reply::Limited | Reply::Refused => 0,
        };
        if let Some(peer) = self.book.peers.get_mut(&answered.peer) {
            let open = &mut peer.unanswered[answered.protocol as usize];
            *open = open.saturating_sub(1);
            peer.served(bytes, now);
        }
        // An error here means that the peer no longer waits.
        if self
            .swarm
            .behaviour_mut()
            .requests(answered.protocol)
            .send_response(answered.channel, answered.reply)
            .is_ok()
        {
            self.live.responses_sent.one();
            self.live.response_bytes.add(bytes as u64);
        }
    }

    pub(super) fn on_request_event(
        &mut self,
        protocol: Protocol,
        event: request_response::Event<Incoming, Reply>,
        now: Instant,
    ) {
        use request_response::{Event, Message};
        match event {
            Event::Message {
                peer,
                message:
                    Message::Request {
                        request, channel, ..
                    },
                ..
            } => {
                self.on_request(peer, protocol, request, channel, now);
            }
            Event::Message {
                message:
                    Message::Response {
                        request_id,
                        response,
                    },
                ..
            } => {
                let result = match response {
                    Reply::Ok(bytes) => Ok(bytes),
                    Reply::Busy => Err(RequestError::Busy),
                    Reply::Limited => Err(RequestError::Limited),
                    Reply::Refused => Err(RequestError::Refused),
                };
                self.finish(protocol, request_id, result);
            }
            Event::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                let oversized = matches!(
                    &error,
                    OutboundFailure::Io(e) if e.kind() == std::io::ErrorKind::InvalidData
                );
                let error = match error {
                    OutboundFailure::Timeout => RequestError::Timeout,
                    OutboundFailure::DialFailure => peer_key(&peer).map_or_else(
                        || RequestError::Lost("not connected".into()),
                        RequestError::NotConnected,
                    ),
                    other => RequestError::Lost(other.to_string()),
                };
                self.finish(protocol, request_id, Err(error));
                if oversized {
                    self.strike(peer, STRIKES_FOR_INVALID, now);
                }
            }
            Event::InboundFailure { .. } => self.live.requests_failed.one(),
            Event::ResponseSent { .. } => {}
        }
    }

    fn finish(
        &mut self,
        protocol: Protocol,
        request: OutboundRequestId,
        result: Result<Vec<u8>, RequestError>,
    ) {
        let Some(outgoing) = self.outgoing.remove(&(protocol, request)) else {
            return;
        };
        if let Some(peer) = self.book.peers.get_mut(&outgoing.peer) {
            let open = &mut peer.outgoing[protocol as usize];
            *open = open.saturating_sub(1);
        }
        if result.is_err() {
            self.live.requests_unanswered.one();
        }
        let _ = outgoing.reply.send(result);
    }

    fn on_request(
        &mut self,
        id: PeerId,
        protocol: Protocol,
        request: Incoming,
        channel: ResponseChannel<Reply>,
        now: Instant,
    ) {
        // A peer taken off the list: its connection is closing, no answer is owed.
        let Some(peer) = self.book.peers.get_mut(&id) else {
            return;
        };
        if peer.cooling_until.is_some() {
            return;
        }
        let Incoming::Whole(data) = request else {
            // Counted when the library reports that it got no answer.
            return self.strike(id, STRIKES_FOR_INVALID, now);
        };
        let bytes = data.len();
        if !peer.admit_request(bytes, now) {
            self.live.requests_limited.one();
            let _ = self
                .swarm
                .behaviour_mut()
                .requests(protocol)
                .send_response(channel, Reply::Limited);
            return self.strike(id, 1, now);
        }
        let (key, role) = (peer.key, peer.role);
        let full = peer.unanswered[protocol as usize] >= protocol.max_unanswered()
            || self.answers.len() >= self.limits.unanswered;
        let (sender, receiver) = oneshot::channel();
        let event = NetworkEvent::Request {
            peer: key,
            role,
            protocol,
            data,
            responder: Responder { protocol, sender },
        };
        if full || !self.offer(event, bytes) {
            self.live.requests_busy.one();
            let _ = self
                .swarm
                .behaviour_mut()
                .requests(protocol)
                .send_response(channel, Reply::Busy);
            return;
        }
        if let Some(peer) = self.book.peers.get_mut(&id) {
            peer.unanswered[protocol as usize] += 1;
        }
        self.live.requests_received.one();
        let answer = async move {
            // A responder dropped or forgotten by the shell is an answer too.
            let reply = tokio::time::timeout(protocol.timeout(), receiver)
                .await
                .ok()
                .and_then(Result::ok);
            Answered {
                peer: id,
                protocol,
                channel,
                reply: reply.unwrap_or(Reply::Busy),
            }
        };
        self.answers.push(answer.boxed());
    }
}
