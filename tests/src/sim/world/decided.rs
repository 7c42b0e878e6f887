//! What a node tells: a decision, a receipt, an answer. Each is held against what all others told.

use rollbook_node::replica::message::{Cosignature, Response, SignedStatement, newest_bytes};
use rollbook_node::replica::{BlockCheckpoint, Receipt};
use rollbook_proof::chain::{Vote, VoteKind, quorum};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, PublicKey, sha256};
use rollbook_proof::number::{Height, OrganisationId};

use super::{Event, World};
use crate::sim::ledger::SimLedger;
use crate::sim::memo;

impl<L: SimLedger> World<L> {
    /// A block is decided at a node: one block a height, and of the first that tells it the time, the
    /// turns, the seats.
    pub(super) fn decided(&mut self, node: usize, height: Height, block: Hash, records: Vec<Hash>) {
        match self.decided.get(&height) {
            Some(known) if *known != block => {
                return self.fail(format!("FORK at height {height}: {known} and {block}"));
            }
            Some(_) => return,
            None => {}
        }
        if self
            .untold
            .get(&height)
            .is_some_and(|known| *known != block)
        {
            return self.fail(format!(
                "FORK at height {height}: {block} is not what was durable"
            ));
        }
        self.decided.insert(height, block);
        self.decided_records.extend(records);
        self.outcome.height = self.outcome.height.max(height.0);
        // Not so late that what is promised after the faults is forgotten with it.
        let (now, last) = (self.now, self.plan.gst.saturating_sub(30_000));
        let due = |(lost, after): &mut (Vec<usize>, u64)| {
            (*after..last).contains(&now) && lost.contains(&node)
        };
        if let Some((lost, _)) = self.disaster.take_if(due) {
            self.at(0, Event::Disaster { lost });
        }
        let Some(replica) = &self.machines[node].replica else {
            return;
        };
        let certificate = replica.tip_certificate();
        let round = certificate.map_or(0, |certificate| certificate.round);
        self.outcome.round = self.outcome.round.max(round);
        let proposed = |who: &u32| self.signed.contains_key(&(*who, height, round, 0));
        let proposer = (1..=self.plan.nodes).find(proposed).unwrap_or(0);
        self.outcome.turns.push((round, proposer, self.now));
        let app = replica.app();
        let time_ms = app.tip().seal.time_ms.0;
        let handover = app.needs_handover_checkpoint();
        let seats: Vec<OrganisationId> = app.validators().iter().map(|v| v.organisation).collect();
        let (turns, works) = (app.turns(), replica.turns().to_vec());
        self.seats.insert(height, app.tip_validators());
        self.outcome.times.push(time_ms);
        self.judge_time(height, time_ms);
        if self.judges_turns && works != turns.seats() {
            let ledgers = turns.seats();
            return self.fail(format!(
                "TURNS of height {}: node {node} works by {works:?}, its ledger says {ledgers:?}",
                height.next()
            ));
        }
        self.judge_turns(height.next(), &seats, turns.seats());
        if handover {
            self.mark("handover");
        }
        if round > 0 {
            self.mark("decided above round 0");
        }
    }

    /// In n rounds every seat has its turn, and all but f at most have it in their order (RULINGS A56).
    fn judge_turns(&mut self, height: Height, seats: &[OrganisationId], turns: &[OrganisationId]) {
        let n = seats.len();
        let mut all = turns.to_vec();
        all.sort_unstable();
        if all != seats {
            return self.fail(format!("TURNS of height {height}: {turns:?} of {seats:?}"));
        }
        let first = (height.0 % n as u64) as usize;
        let place = |seat: &OrganisationId| {
            let at = seats.iter().position(|other| other == seat).unwrap_or(0);
            (at + n - first) % n
        };
        let places: Vec<usize> = turns.iter().map(place).collect();
        let ascends = |places: &[usize]| places.windows(2).all(|pair| pair[0] < pair[1]);
        let behind = (0..=(n - 1) / 3).find(|behind| {
            let (ahead, late) = places.split_at(n - behind);
            ascends(ahead) && ascends(late)
        });
        match behind {
            None => self.fail(format!(
                "TURNS of height {height}: more than f behind: {turns:?}"
            )),
            Some(0) => {}
            Some(_) => self.mark("somebody stands behind"),
        }
    }

    /// What is receipted has a quorum of cosignatures and a log line, each by its seat's key.
    pub(super) fn judge_receipt(&mut self, node: usize, receipt: &Receipt) {
        let height = receipt.checkpoint.height;
        let Some(replica) = &self.machines[node].replica else {
            return;
        };
        let Some(seats) = self.seats.get(&height) else {
            return self.fail(format!("RECEIPT of {height}, which nobody has decided"));
        };
        let app = replica.app();
        let seat = |who| seats.iter().find(|seat| seat.organisation == who);
        let mut who: Vec<OrganisationId> = Vec::new();
        for (cosigner, time_s, signature) in &receipt.cosignatures {
            let message = app.cosignature_message(&receipt.checkpoint, *cosigner, *time_s);
            let holds = seat(*cosigner)
                .zip(message)
                .is_some_and(|(seat, message)| memo::verify(&seat.cosigner, &message, signature));
            if holds && !who.contains(cosigner) {
                who.push(*cosigner);
            }
        }
        let message = app.log_message(&receipt.checkpoint);
        let (logger, line) = &receipt.log;
        let logged = seat(*logger).is_some_and(|seat| memo::verify(&seat.log, &message, line));
        let (good, all) = (who.len(), receipt.cosignatures.len());
        if good < all || good < quorum(seats.len()) || !logged {
            self.fail(format!(
                "RECEIPT of {height} with {good} good cosignatures of {all}, log line {logged}"
            ));
        }
    }

    /// What an honest node answers is true: a tip with cosignatures of its seats, decided blocks with their
    /// certificates, bodies that are what they are called; of a statement nothing that was not signed, under
    /// the answer's own signature, beside the certificate of the height before.
    pub(super) fn judge_answer(&mut self, node: usize, asker: usize, bytes: &[u8]) {
        let own = self.machines[node].organisation;
        if self.plan.twins.contains(&own) || self.liars.contains_key(&node) {
            return;
        }
        let Ok(response) = decode::<Response>(bytes) else {
            return self.fail(format!("ANSWER of node {node} does not decode"));
        };
        let highest = self.seats.keys().next_back().copied().unwrap_or(Height(0));
        let untrue = match response {
            Response::Tip {
                height,
                cosignatures,
            } => {
                let bad = cosignatures.iter().find(|of| !self.is_cosigned(node, of));
                let bad = bad.map(|of| format!("a cosignature of {}", of.validator));
                bad.or((height > highest).then(|| format!("a tip {height}")))
            }
            Response::Blocks(blocks) => blocks.iter().find_map(|block| {
                let (height, id) = (block.seal.height, block.seal.id());
                let known = self.is_decided(height, id);
                let body = sha256(&block.body) == block.seal.body;
                let proved = self.is_proved(&block.certificate);
                (!known || !body || !proved).then(|| format!("block {height} {}", id.short()))
            }),
            Response::Body(None) => None,
            Response::Body(Some((seal, body))) => (sha256(&body) != seal.body)
                .then(|| format!("a body that is not that of {}", seal.id().short())),
            Response::Newest {
                height,
                proof,
                statement,
                signature,
            } => {
                let about = OrganisationId(self.machines[asker].organisation);
                let message = newest_bytes(&self.chain, about, height, &statement);
                let key = self.log_key(node);
                let signed = signature.is_none_or(|of| memo::verify(&key, &message, &of))
                    // A question that was corrupted on its way may have been about anybody.
                    || self.plan.corrupt > 0;
                let proved = proof
                    .is_none_or(|proof| proof.height.next() == height && self.is_proved(&proof));
                if height > highest.next() || !proved {
                    Some(format!("a height {height}, proved: {proved}"))
                } else if !signed {
                    Some(format!("a statement of {height} under another signature"))
                } else {
                    statement.and_then(|statement| self.untrue_statement(own, &statement))
                }
            }
        };
        if let Some(what) = untrue {
            self.fail(format!("ANSWER of node {node}: {what}"));
        }
    }

    /// The log key of a machine, with which it signs answers.
    fn log_key(&self, node: usize) -> PublicKey {
        let machine = &self.machines[node];
        let keys = match machine.moved {
            true => L::moved_keys(&self.genesis, machine.organisation),
            false => L::keys(&self.genesis, machine.organisation),
        };
        keys.log()
    }

    /// Whether a cosignature is one of its checkpoint's seats, with its log line.
    fn is_cosigned(&self, node: usize, cosignature: &Cosignature) -> bool {
        let who = cosignature.validator;
        let seats = self.seats.get(&cosignature.height);
        let seat = seats.and_then(|seats| seats.iter().find(|seat| seat.organisation == who));
        let (Some(seat), Some(replica)) = (seat, &self.machines[node].replica) else {
            return false;
        };
        let app = replica.app();
        let checkpoint = BlockCheckpoint {
            height: cosignature.height,
            size: cosignature.size,
            root: cosignature.root,
            ..app.checkpoint()
        };
        let message = app.cosignature_message(&checkpoint, who, cosignature.time_s);
        let (cosigner, signature) = (&seat.cosigner, &cosignature.signature);
        message.is_some_and(|message| memo::verify(cosigner, &message, signature))
            && memo::verify(&seat.log, &app.log_message(&checkpoint), &cosignature.log)
    }

    fn is_proved(&self, certificate: &rollbook_proof::chain::Certificate) -> bool {
        let Some(seats) = self.seats.get(&certificate.height) else {
            return false;
        };
        let good = certificate.signatures.iter().filter(|(who, signature)| {
            let vote = Vote {
                kind: VoteKind::Precommit,
                height: certificate.height,
                round: certificate.round,
                block: Some(certificate.block),
                validator: *who,
            };
            let seat = seats.iter().find(|seat| seat.organisation == *who);
            seat.is_some_and(|seat| {
                memo::verify(&seat.consensus, &vote.sign_bytes(&self.chain), signature)
            })
        });
        let needed = quorum(seats.len()) - usize::from(self.plan.decides_with_2f());
        good.count() >= needed && self.is_decided(certificate.height, certificate.block)
    }

    fn is_decided(&self, height: Height, block: Hash) -> bool {
        let decided = self.decided.get(&height).or(self.untold.get(&height));
        decided == Some(&block)
    }

    /// A node has started: what it had decided may never have been told.
    pub(super) fn started_at_tip(&mut self, node: usize) {
        let Some(replica) = &self.machines[node].replica else {
            return;
        };
        let (tip, seats) = (replica.app().tip(), replica.app().tip_validators());
        let height = tip.seal.height;
        if height > Height(0) && !self.decided.contains_key(&height) {
            self.untold.insert(height, tip.block);
            self.seats.insert(height, seats);
        }
    }

    /// A statement that an answer shows: of an honest node nothing but what left it. What a node shows of
    /// itself it has signed and may not have sent yet.
    fn untrue_statement(&mut self, own: u32, statement: &SignedStatement) -> Option<String> {
        let (who, slot, value) = match statement {
            SignedStatement::Vote(signed) => {
                let vote = &signed.vote;
                let step = if vote.kind == VoteKind::Prevote { 1 } else { 2 };
                let who = vote.validator.0;
                (who, (who, vote.height, vote.round, step), vote.block)
            }
            SignedStatement::Proposal(signed) => {
                let facts = &signed.facts;
                let who = facts.validator.0;
                let value = Some(sha256(&encode(facts)));
                (who, (who, facts.height, facts.round, 0), value)
            }
        };
        let index = self.machines.iter().position(|m| m.organisation == who);
        let bad = index.is_none_or(|index| self.liars.contains_key(&index));
        if bad || self.plan.twins.contains(&who) {
            return None;
        }
        if who == own {
            self.signed.entry(slot).or_insert(value);
        }
        let known = self.signed.get(&slot);
        (known != Some(&value)).then(|| format!("{slot:?} is {value:?}, signed was {known:?}"))
    }

    /// What others can fill stays within its bounds.
    pub(super) fn judge_buffers(&mut self, node: usize) {
        let Some(replica) = &self.machines[node].replica else {
            return;
        };
        let buffers = replica.buffers();
        if let Some(full) = buffers.iter().find(|buffer| buffer.holds > buffer.most) {
            self.fail(format!("BUFFER of node {node}: {full:?}"));
        }
    }
}
