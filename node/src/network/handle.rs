//! The shell's side: commands in, events out, both bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::codec::Reply;
use super::counters::{Counters, Live};
use super::peers::AllowList;
use super::{
    AddressError, AllowedPeer, Answer, NetworkEvent, PeerInfo, PeerKey, Protocol, PublishError,
    RequestError, Topic, Verdict,
};

/// Bytes that may wait in one queue.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    max: usize,
}

impl Budget {
    pub(super) fn new(max: usize) -> Arc<Budget> {
        Arc::new(Budget {
            used: AtomicUsize::new(0),
            max,
        })
    }

    /// Reserves `count` bytes until the lease is dropped; nothing if they do not fit.
    pub(super) fn lease(self: &Arc<Self>, count: usize) -> Option<Lease> {
        let fits = |used: usize| used.checked_add(count).filter(|sum| *sum <= self.max);
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, fits)
            .ok()?;
        Some(Lease {
            budget: self.clone(),
            count,
        })
    }
}

/// Bytes reserved in a [`Budget`].
#[derive(Debug)]
pub(super) struct Lease {
    budget: Arc<Budget>,
    count: usize,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.count, Ordering::AcqRel);
    }
}

/// What the shell asks of the swarm.
pub(super) enum Command {
    Publish {
        topic: Topic,
        data: Vec<u8>,
        _lease: Lease,
    },
    Request {
        peer: PeerKey,
        protocol: Protocol,
        data: Vec<u8>,
        reply: oneshot::Sender<Result<Vec<u8>, RequestError>>,
        _lease: Lease,
    },
    Report {
        ticket: GossipTicket,
        verdict: Verdict,
    },
    SetAllowed {
        list: AllowList,
        done: oneshot::Sender<()>,
    },
    Peers {
        reply: oneshot::Sender<Vec<PeerInfo>>,
    },
    Stop {
        done: oneshot::Sender<()>,
    },
}

/// Names a gossiped message for [`NetworkHandle::report`]. Used once.
#[derive(Debug)]
pub struct GossipTicket {
    pub(super) id: [u8; 32],
    pub(super) from: PeerKey,
}

/// Takes the one answer to a request. Dropped unused, it answers busy.
#[derive(Debug)]
pub struct Responder {
    pub(super) protocol: Protocol,
    pub(super) sender: oneshot::Sender<Reply>,
}

impl Responder {
    /// Sends the answer. Data above [`Protocol::max_response`] is a fault of the caller: the peer
    /// is told busy, and `false` is returned, as it is when the peer has stopped waiting.
    pub fn send(self, answer: Answer) -> bool {
        let reply = match answer {
            Answer::Data(bytes) if bytes.len() > self.protocol.max_response() => {
                tracing::error!(
                    bytes = bytes.len(),
                    protocol = self.protocol.name(),
                    "answer too long, peer told busy"
                );
                let _ = self.sender.send(Reply::Busy);
                return false;
            }
            Answer::Data(bytes) => Reply::Ok(bytes),
            Answer::Busy => Reply::Busy,
            Answer::Refused => Reply::Refused,
        };
        self.sender.send(reply).is_ok()
    }
}

/// Commands to the network. Cheap to clone. When the last one is dropped the network stops.
#[derive(Debug, Clone)]
pub struct NetworkHandle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) budget: Arc<Budget>,
    pub(super) live: Arc<Live>,
    pub(super) listening: watch::Receiver<Vec<std::net::SocketAddr>>,
    pub(super) own: PeerKey,
}

impl NetworkHandle {
    /// Gossips a message to all peers. Best effort: `Ok` says that the swarm has it, not that
    /// anyone will.
    pub fn publish(&self, topic: Topic, data: Vec<u8>) -> Result<(), PublishError> {
        if data.len() > topic.max_bytes() {
            return Err(PublishError::TooLarge {
                len: data.len(),
                max: topic.max_bytes(),
            });
        }
        let lease = self.budget.lease(data.len()).ok_or(PublishError::Busy)?;
        self.commands
            .try_send(Command::Publish {
                topic,
                data,
                _lease: lease,
            })
            .map_err(|e| match e {
                mpsc::error::TrySendError::Full(_) => PublishError::Busy,
                mpsc::error::TrySendError::Closed(_) => PublishError::Stopped,
            })
    }

    /// Asks one connected peer. Returns its data, or why there is none; never waits longer than
    /// `timeout`, nor longer than about [`Protocol::timeout`].
    pub async fn request(
        &self,
        peer: PeerKey,
        protocol: Protocol,
        data: Vec<u8>,
        timeout: Duration,
    ) -> Result<Vec<u8>, RequestError> {
        if data.len() > protocol.max_request() {
            return Err(RequestError::TooLarge {
                len: data.len(),
                max: protocol.max_request(),
            });
        }
        let lease = self
            .budget
            .lease(data.len())
            .ok_or(RequestError::TooManyUnderWay)?;
        let (reply, answer) = oneshot::channel();
        let asked = async {
            let command = Command::Request {
                peer,
                protocol,
                data,
                reply,
                _lease: lease,
            };
            self.commands
                .send(command)
                .await
                .map_err(|_| RequestError::Stopped)?;
            answer.await.unwrap_or(Err(RequestError::Stopped))
        };
        tokio::time::timeout(timeout, asked)
            .await
            .unwrap_or(Err(RequestError::Timeout))
    }

    /// Answers a request. The same as [`Responder::send`].
    pub fn respond(&self, responder: Responder, answer: Answer) -> bool {
        responder.send(answer)
    }

    /// Says what to do with a gossiped message. Without a report it is not forwarded.
    pub fn report(&self, ticket: GossipTicket, verdict: Verdict) {
        if self
            .commands
            .try_send(Command::Report { ticket, verdict })
            .is_err()
        {
            self.live.verdicts_dropped.one();
        }
    }

    /// Replaces the allow-list. Peers that are no longer in it are denied from here on and their
    /// connections close; new ones are dialled. The own key may be in the list: its role says
    /// whether this node holds a seat.
    pub async fn set_allowed(&self, peers: Vec<AllowedPeer>) -> Result<(), AddressError> {
        let list = AllowList::new(peers, &self.own)?;
        let (done, finished) = oneshot::channel();
        if self
            .commands
            .send(Command::SetAllowed { list, done })
            .await
            .is_ok()
        {
            let _ = finished.await;
        }
        Ok(())
    }

    /// All allowed peers and how each stands. Empty after the network has stopped.
    pub async fn peers(&self) -> Vec<PeerInfo> {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Peers { reply }).await.is_err() {
            return Vec::new();
        }
        answer.await.unwrap_or_default()
    }

    /// Where this node listens, with real ports.
    pub fn listen_addresses(&self) -> Vec<std::net::SocketAddr> {
        self.listening.borrow().clone()
    }

    /// Totals since start.
    pub fn counters(&self) -> Counters {
        self.live.snapshot()
    }

    /// This node's transport key.
    #[cfg(test)]
    pub fn own_key(&self) -> PeerKey {
        self.own
    }

    /// Closes every connection and listener, and ends the swarm.
    pub async fn stop(&self) {
        let (done, finished) = oneshot::channel();
        if self.commands.send(Command::Stop { done }).await.is_ok() {
            let _ = finished.await;
        }
    }
}

/// Events of the network, in order. Gossip is dropped and requests are answered busy while this is
/// not read.
#[derive(Debug)]
pub struct NetworkEvents {
    pub(super) events: mpsc::Receiver<(NetworkEvent, Option<Lease>)>,
}

impl NetworkEvents {
    /// The next event; nothing once the network has stopped. Safe to cancel.
    pub async fn next(&mut self) -> Option<NetworkEvent> {
        self.events.recv().await.map(|(event, _lease)| event)
    }

    /// The next event if one is waiting.
    #[cfg(test)]
    pub fn try_next(&mut self) -> Option<NetworkEvent> {
        self.events.try_recv().ok().map(|(event, _lease)| event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_gives_back_what_it_lent() {
        let budget = Budget::new(10);
        let first = budget.lease(7).unwrap();
        assert!(budget.lease(4).is_none());
        assert!(budget.lease(usize::MAX).is_none());
        let second = budget.lease(3).unwrap();
        drop(first);
        assert!(budget.lease(8).is_none());
        drop(second);
        assert!(budget.lease(10).is_some());
    }

    #[test]
    fn an_answer_above_the_cap_is_told_busy() {
        let (sender, mut receiver) = oneshot::channel();
        let responder = Responder {
            protocol: Protocol::Ask,
            sender,
        };
        assert!(!responder.send(Answer::Data(vec![0; Protocol::Ask.max_response() + 1])));
        assert_eq!(receiver.try_recv().unwrap(), Reply::Busy);
    }
}
