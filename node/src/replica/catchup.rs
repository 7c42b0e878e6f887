//! Blocks that others decided: asking for tips, fetching ranges, and taking each block on its own
//! evidence.
//!
//! * A peer's word for its tip only decides whom to ask, and only until its answer brings nothing: an
//!   answer begins with the block that was asked for. Each block is judged at its own height:
//!   certificate under the policy the ledger expects there, parent, body hash, re-execution with
//!   every root. One bad item ends the answer and puts the peer back for a while; what was good
//!   before it stays.
//! * One range is waited for at a time, and not for long: then the next peer is asked, those first
//!   that have answered faster. What the slow one sends is still taken.
//! * Tips are asked of one peer after the other, often while a height is under way, seldom while
//!   idle, and at once of a peer whose frames are ahead. With its tip a peer gives the cosignatures
//!   it holds.

use std::collections::BTreeMap;

use arc_malachitebft_core_consensus as engine;
use rollbook_core::tx::Verify;
use rollbook_proof::chain::ValidatorKey;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::Height;

use crate::planted::planted;

use super::app::{App, BlockVerdict};
use super::message::{Request, Response};
use super::recovery::Newest;
use super::storage::{Decided, Storage};
use super::{Effect, Replica, Timer};

/// How long a peer is left alone after a bad or failed answer.
const BACKOFF_MS: u64 = 3_000;
/// Wait before a frame from a higher height is taken as a sign of having missed a decision.
const HINT_MS: u64 = 150;
/// The same at most, after useless answers one after the other.
const BACKOFF_MAX_MS: u64 = 12_000;
/// How long one peer is waited for before the next one is asked for the same blocks.
const PATIENCE_MS: u64 = 3_000;
/// How long after a peer has come the own newest statements are sent again: it has subscribed then.
const AGAIN_MS: u64 = 300;
/// Requests under way at most; the shell answers each.
const MAX_ASKED: usize = 256;

/// What a request was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Tip,
    Blocks {
        /// First height asked for.
        from: Height,
        /// When, on the elapsed clock.
        at: u64,
    },
    Body(Hash),
    Newest,
    Wake,
}

#[derive(Debug, Default)]
pub(super) struct Catchup {
    pub(super) peers: Vec<u32>,
    next_peer: usize,
    next_id: u64,
    asked: BTreeMap<u64, (u32, Asked)>,
    claims: BTreeMap<u32, Height>,
    backoff: BTreeMap<u32, u64>,
    /// Useless answers in a row.
    useless: BTreeMap<u32, u32>,
    /// Milliseconds that a peer needed for a block in its last answer.
    pace: BTreeMap<u32, u64>,
    /// Peers that owe blocks, and since when.
    owing: BTreeMap<u32, u64>,
    /// Whom the next fetch waits for.
    waiting: Option<u32>,
    hint: Option<(u32, u64)>,
    /// Blocks taken from peers since the start.
    pub(super) taken: u64,
}

impl Catchup {
    /// Requests under way, and the most there can be.
    pub(super) fn filled(&self) -> (usize, usize) {
        (self.asked.len(), MAX_ASKED)
    }
}

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// Sends a request and remembers what it is about.
    pub(super) fn request(&mut self, to: u32, request: Request, asked: Asked) -> bool {
        let catchup = &mut self.host.catchup;
        if catchup.asked.len() >= MAX_ASKED {
            return false;
        }
        catchup.next_id += 1;
        let id = catchup.next_id;
        catchup.asked.insert(id, (to, asked));
        self.host.out.push(Effect::Request { id, to, request });
        true
    }

    /// The answer to a request, or its failure.
    pub(super) fn response(&mut self, id: u64, response: Option<Response>) {
        let Some((peer, asked)) = self.host.catchup.asked.remove(&id) else {
            return;
        };
        match (asked, response) {
            (
                Asked::Tip,
                Some(Response::Tip {
                    height,
                    cosignatures,
                }),
            ) => {
                self.host.catchup.claims.insert(peer, height);
                self.cosigned_of_tip(cosignatures);
                self.fetch();
            }
            (Asked::Tip, _) => {
                self.avoid(peer);
                self.host
                    .hasten_timer(Timer::Poll, self.host.config.poll_ms);
            }
            (Asked::Blocks { from, at }, Some(Response::Blocks(blocks))) => {
                self.has_answered(peer);
                self.take(peer, from, at, blocks);
            }
            (Asked::Blocks { .. }, _) => {
                self.has_answered(peer);
                self.avoid(peer);
                self.fetch();
            }
            (Asked::Wake, _) => {}
            (Asked::Body(block), Some(Response::Body(answer))) => self.body_answer(block, answer),
            (Asked::Body(block), _) => self.body_answer(block, None),
            (
                Asked::Newest,
                Some(Response::Newest {
                    height,
                    proof,
                    statement,
                    signature,
                }),
            ) => {
                let answer = Newest {
                    height,
                    proof,
                    statement,
                    signature,
                };
                self.newest_answer(peer, Some(answer));
            }
            (Asked::Newest, _) => self.newest_answer(peer, None),
        }
    }

    pub(super) fn set_peers(&mut self, mut peers: Vec<u32>) {
        peers.retain(|peer| *peer != self.host.keys.organisation.0);
        if peers
            .iter()
            .any(|peer| !self.host.catchup.peers.contains(peer))
        {
            // Never later than it was due: whoever comes and goes must not keep others waiting.
            if planted!(self.host.config, AgainPutOff) {
                self.host.set_timer(Timer::Again, AGAIN_MS);
            } else {
                self.host.hasten_timer(Timer::Again, AGAIN_MS);
            }
        }
        let catchup = &mut self.host.catchup;
        catchup.claims.retain(|peer, _| peers.contains(peer));
        catchup.backoff.retain(|peer, _| peers.contains(peer));
        catchup.useless.retain(|peer, _| peers.contains(peer));
        catchup.pace.retain(|peer, _| peers.contains(peer));
        catchup.peers = peers;
        self.host.hasten_timer(Timer::Poll, 0);
        if self.host.recovery.is_asking() {
            self.host.set_timer(Timer::Ask, 0);
        }
    }

    /// An answer that brought nothing of what was asked for.
    fn was_useless(&mut self, peer: u32) {
        let times = self.host.catchup.useless.get(&peer).copied().unwrap_or(0);
        self.avoid(peer);
        if let Some(until) = self.host.catchup.backoff.get_mut(&peer) {
            let pause = (BACKOFF_MS << times.min(8)).min(BACKOFF_MAX_MS);
            *until = self.host.now.elapsed_ms.saturating_add(pause);
            self.host.catchup.useless.insert(peer, times + 1);
        }
    }

    fn avoid(&mut self, peer: u32) {
        let until = self.host.now.elapsed_ms.saturating_add(BACKOFF_MS);
        self.host.catchup.claims.remove(&peer);
        if self.host.catchup.peers.contains(&peer) {
            self.host.catchup.backoff.insert(peer, until);
        }
    }

    fn usable(&self, peer: u32) -> bool {
        self.host
            .catchup
            .backoff
            .get(&peer)
            .is_none_or(|until| *until <= self.host.now.elapsed_ms)
    }

    /// Asks the next peer for its tip.
    pub(super) fn poll(&mut self) {
        let pause = if self.core.is_some()
            || self.host.recovery.is_asking()
            || !self.host.tip_is_receipted()
        {
            self.host.config.poll_ms
        } else {
            self.host.config.poll_idle_ms
        };
        self.host.set_timer(Timer::Poll, pause);
        let n = self.host.catchup.peers.len();
        for _ in 0..n {
            let catchup = &mut self.host.catchup;
            catchup.next_peer = (catchup.next_peer + 1) % n;
            let peer = catchup.peers[catchup.next_peer];
            if self.usable(peer) {
                self.request(peer, Request::Tip, Asked::Tip);
                return;
            }
        }
    }

    /// A frame of a height above the one worked on.
    pub(super) fn ahead(&mut self, peer: u32, height: Height) {
        if self.host.catchup.peers.contains(&peer) {
            self.host.catchup.hint = Some((peer, height.0));
            self.host.arm_timer(Timer::Hint, HINT_MS);
        }
    }

    pub(super) fn follow_hint(&mut self) {
        let Some((peer, height)) = self.host.catchup.hint.take() else {
            return;
        };
        if height > self.host.height().0 && self.usable(peer) {
            self.request(peer, Request::Tip, Asked::Tip);
        }
    }

    /// Asks for the next range, if somebody claims to have it: of those whom nothing is known
    /// against, the fastest.
    fn fetch(&mut self) {
        let catchup = &self.host.catchup;
        if catchup.waiting.is_some() || self.host.stop.is_some() {
            return;
        }
        let tip = self.host.tip.seal.height;
        let ahead = catchup.claims.iter().filter(|(_, h)| **h > tip);
        let free = ahead
            .map(|(peer, _)| *peer)
            .filter(|peer| self.usable(*peer) && !catchup.owing.contains_key(peer));
        let any = planted!(self.host.config, AnyAnswer);
        let pace = |peer: &u32| match catchup.pace.get(peer) {
            Some(each) if !any => *each,
            _ => 0,
        };
        let Some(peer) = free.min_by_key(|peer| (pace(peer), *peer)) else {
            return;
        };
        let (from, at) = (tip.next(), self.host.now.elapsed_ms);
        if self.request(peer, Request::Blocks { from }, Asked::Blocks { from, at }) {
            self.host.catchup.owing.insert(peer, at);
            self.host.catchup.waiting = Some(peer);
            self.host.set_timer(Timer::Fetch, PATIENCE_MS);
        }
    }

    /// The peer that is waited for takes its time: somebody else is asked.
    pub(super) fn fetch_slow(&mut self) {
        if let Some(peer) = self.host.catchup.waiting.take() {
            self.host.catchup.pace.insert(peer, PATIENCE_MS);
        }
        self.fetch();
    }

    fn has_answered(&mut self, peer: u32) {
        self.host.catchup.owing.remove(&peer);
        if self.host.catchup.waiting == Some(peer) {
            self.host.catchup.waiting = None;
            self.host.timers.remove(&Timer::Fetch);
        }
    }

    fn take(&mut self, peer: u32, from: Height, at: u64, blocks: Vec<Decided>) {
        let unasked = blocks.first().is_none_or(|block| block.seal.height != from)
            && !planted!(self.host.config, AnyAnswer);
        if blocks.is_empty() || unasked {
            self.was_useless(peer);
            return self.fetch();
        }
        let spent = self.host.now.elapsed_ms.saturating_sub(at);
        let each = spent / blocks.len() as u64;
        self.host.catchup.pace.insert(peer, each.max(1));
        let mut good = true;
        for block in blocks {
            if block.seal.height <= self.host.tip.seal.height {
                // Decided here meanwhile.
                continue;
            }
            good = self.adopt(block).is_ok();
            if self.host.stop.is_some() {
                return;
            }
            if !good {
                self.was_useless(peer);
                break;
            }
            self.host.catchup.taken += 1;
        }
        if good {
            self.host.catchup.useless.remove(&peer);
        }
        self.fetch();
    }

    /// Takes a decided block at the next height on its own evidence, makes it durable and commits
    /// it.
    pub(super) fn adopt(&mut self, block: Decided) -> Result<(), String> {
        let Decided {
            seal,
            certificate,
            body,
        } = block;
        let host = &mut self.host;
        let id = seal.id();
        if seal.height != host.height() {
            return Err(format!(
                "block of height {}, not {}",
                seal.height,
                host.height()
            ));
        }
        if !planted!(host.config, SyncUnchecked) {
            if seal.parent != host.tip.block {
                return Err("its parent is another block".into());
            }
            if seal.policy != host.app.policy_digest() {
                return Err("it names another policy".into());
            }
            let validators: Vec<ValidatorKey> = host.validators.iter().map(|v| v.key()).collect();
            certificate
                .verify(&host.chain, seal.height, &id, &validators)
                .map_err(|error| error.to_string())?;
        }
        if seal.body != sha256(&body) {
            return Err("its body has another hash".into());
        }
        if let Err(error) = host.app.execute(&body, &seal) {
            if let BlockVerdict::Fault(why) = &error {
                host.stop(format!("ledger: {why}"));
            }
            return Err(error.to_string());
        }
        let known = host.bodies.is_valid(&id);
        let mut result = Ok(());
        if !known {
            result = host.storage.append_body(&seal, &body);
        }
        let result = result
            .and_then(|()| host.storage.append_decision(&seal, &certificate))
            .and_then(|()| host.storage.sync());
        if host.ok(result).is_none() {
            return Err("the journal failed".into());
        }
        host.bodies.own(id, seal, body);
        if let Some(core) = &mut self.core {
            let evidence = engine::MisbehaviorEvidence {
                proposals: core.driver.take_proposal_evidence(),
                votes: core.driver.take_vote_evidence(),
            };
            host.collect(evidence);
        }
        self.commit_block(certificate, true);
        Ok(())
    }

    /// Blocks taken from peers since the start.
    #[doc(hidden)]
    pub fn blocks_taken(&self) -> u64 {
        self.host.catchup.taken
    }
}
