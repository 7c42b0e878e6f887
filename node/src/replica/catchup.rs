//! Blocks that others decided: asking for tips, fetching ranges, and taking each block on its own
//! evidence.
//!
//! * A peer's word for its tip only decides whom to ask. Each block is judged at its own height:
//!   certificate under the policy the ledger expects there, parent, body hash, re-execution with
//!   every root. One bad item ends the answer and puts the peer back for a while; what was good
//!   before it stays.
//! * One range is under way at a time. Tips are asked of one peer after the other, often while a
//!   height is under way, seldom while idle, and at once of a peer whose frames are ahead. With its
//!   tip a peer gives the cosignatures it holds.

use std::collections::BTreeMap;

use arc_malachitebft_core_consensus as engine;
use rollbook_core::tx::Verify;
use rollbook_proof::chain::ValidatorKey;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::Height;

use crate::planted::planted;

use super::app::{App, BlockVerdict};
use super::message::{Request, Response};
use super::storage::{Decided, Storage};
use super::{Effect, Replica, Timer};

/// How long a peer is left alone after a bad or failed answer.
const BACKOFF_MS: u64 = 3_000;
/// Wait before a frame from a higher height is taken as a sign of having missed a decision.
const HINT_MS: u64 = 150;
/// Requests under way at most; the shell answers each.
const MAX_ASKED: usize = 256;

/// What a request was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Tip,
    Blocks,
    Body(Hash),
    Newest,
}

#[derive(Debug, Default)]
pub(super) struct Catchup {
    pub(super) peers: Vec<u32>,
    next_peer: usize,
    next_id: u64,
    asked: BTreeMap<u64, (u32, Asked)>,
    claims: BTreeMap<u32, Height>,
    backoff: BTreeMap<u32, u64>,
    fetching: bool,
    hint: Option<(u32, u64)>,
    /// Blocks taken from peers since the start.
    pub(super) taken: u64,
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
            (Asked::Blocks, Some(Response::Blocks(blocks))) => {
                self.host.catchup.fetching = false;
                self.take(peer, blocks);
            }
            (Asked::Blocks, _) => {
                self.host.catchup.fetching = false;
                self.avoid(peer);
                self.fetch();
            }
            (Asked::Body(block), Some(Response::Body(answer))) => self.body_answer(block, answer),
            (Asked::Body(block), _) => self.body_answer(block, None),
            (
                Asked::Newest,
                Some(Response::Newest {
                    height,
                    proof,
                    statement,
                }),
            ) => {
                self.newest_answer(peer, Some((height, proof, statement)));
            }
            (Asked::Newest, _) => self.newest_answer(peer, None),
        }
    }

    pub(super) fn set_peers(&mut self, mut peers: Vec<u32>) {
        peers.retain(|peer| *peer != self.host.keys.organisation.0);
        let catchup = &mut self.host.catchup;
        catchup.claims.retain(|peer, _| peers.contains(peer));
        catchup.backoff.retain(|peer, _| peers.contains(peer));
        catchup.peers = peers;
        self.host.hasten_timer(Timer::Poll, 0);
        if self.host.recovery.is_asking() {
            self.host.set_timer(Timer::Ask, 0);
        }
    }

    fn avoid(&mut self, peer: u32) {
        let until = self.host.now.elapsed_ms + BACKOFF_MS;
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

    /// Asks for the next range, if somebody claims to have it.
    fn fetch(&mut self) {
        if self.host.catchup.fetching || self.host.stop.is_some() {
            return;
        }
        let tip = self.host.tip.seal.height;
        let candidates: Vec<u32> = self
            .host
            .catchup
            .claims
            .iter()
            .filter(|(_, h)| **h > tip)
            .map(|(p, _)| *p)
            .collect();
        let Some(peer) = candidates.into_iter().find(|peer| self.usable(*peer)) else {
            return;
        };
        let request = Request::Blocks { from: tip.next() };
        self.host.catchup.fetching = self.request(peer, request, Asked::Blocks);
    }

    fn take(&mut self, peer: u32, blocks: Vec<Decided>) {
        if blocks.is_empty() {
            return self.avoid(peer);
        }
        for block in blocks {
            if block.seal.height <= self.host.tip.seal.height {
                // Decided here meanwhile.
                continue;
            }
            if self.adopt(block).is_err() {
                self.avoid(peer);
                break;
            }
            if self.host.stop.is_some() {
                return;
            }
            self.host.catchup.taken += 1;
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

    /// Whether somebody claims to be further.
    pub(super) fn is_behind(&self) -> bool {
        self.host
            .catchup
            .claims
            .values()
            .any(|height| *height > self.host.tip.seal.height)
    }

    /// Blocks taken from peers since the start.
    #[doc(hidden)]
    pub fn blocks_taken(&self) -> u64 {
        self.host.catchup.taken
    }
}
