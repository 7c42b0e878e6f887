//! Answers to other nodes, and the intake of frames and records. Every question gets exactly one
//! answer, an empty one if need be.

use arc_malachitebft_core_consensus as engine;
use arc_malachitebft_core_types as mc;
use engine::Input as CoreInput;
use mc::SignedMessage;
use rollbook_core::tx::Verify;
use rollbook_proof::chain::VoteKind;
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::Signature;
use rollbook_proof::number::OrganisationId;

use crate::planted::planted;

use super::app::{App, Validator};
use super::context::{Address, CoreProposal, CoreVote, Ctx, Height};
use super::fresh::ROUNDS;
use super::host::{Host, Todo};
use super::mempool::PoolRefusal;
use super::message::{
    ANSWER_BLOCKS, ANSWER_BYTES, Batch, Envelope, Frame, Request, Response, newest_bytes,
};
use super::storage::{Statement, Storage};
use super::{Effect, NotTaken, Replica, Timer};

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// Answers one question.
    pub(super) fn serve(&mut self, from: u32, id: u64, request: Request) {
        if let Request::Wake { votes_from } = request {
            self.woken(OrganisationId(from), votes_from);
        }
        let host = &self.host;
        let response = match request {
            Request::Tip | Request::Wake { .. } => Response::Tip {
                height: if planted!(host.config, TipAhead) {
                    host.tip.seal.height.next()
                } else {
                    host.tip.seal.height
                },
                cosignatures: host.tip_cosignatures(),
            },
            Request::Blocks { from } => {
                let (mut blocks, mut size, mut height) =
                    (Vec::new(), 0, from.max(rollbook_proof::number::Height(1)));
                while blocks.len() < ANSWER_BLOCKS
                    && size < ANSWER_BYTES
                    && height <= host.tip.seal.height
                {
                    let Some(block) = host.storage.decided(height) else {
                        break;
                    };
                    size += block.body.len() + 512;
                    blocks.push(block);
                    height = height.next();
                }
                Response::Blocks(blocks)
            }
            Request::Body { block, height } => {
                let held = host
                    .bodies
                    .get(&block)
                    .map(|(seal, body)| (seal.clone(), body.to_vec()));
                let decided = || {
                    let decided = host
                        .storage
                        .decided(height)
                        .filter(|_| height <= host.tip.seal.height)?;
                    (decided.seal.id() == block).then_some((decided.seal, decided.body))
                };
                Response::Body(held.or_else(decided))
            }
            Request::Newest { validator } => {
                let (height, statement) = (host.height(), host.newest.get(&validator).cloned());
                let message = newest_bytes(&host.chain, validator, height, &statement);
                Response::Newest {
                    height,
                    proof: host.tip_certificate.clone(),
                    statement,
                    signature: host.seat().map(|_| host.keys.sign_answer(&message)),
                }
            }
        };
        self.host.out.push(Effect::Respond {
            to: from,
            id,
            bytes: encode(&response),
        });
    }

    /// A broadcast frame.
    pub(super) fn frame(&mut self, from: u32, frame: Frame) {
        let Some(height) = frame.height() else {
            if let Frame::Cosign(cosignature) = frame {
                self.cosigned(cosignature);
            }
            return;
        };
        let working = self.host.height();
        if height < working {
            return;
        }
        if height > working {
            self.ahead(from, height);
        }
        if height == working && self.core.is_some() {
            if let Some(input) = core_input(&frame) {
                self.host.todo.push_back(Todo::Core(Box::new(input)));
            }
            return;
        }
        // Before its height has begun, a frame waits only if its signature holds.
        let known = self
            .host
            .future
            .get(&height)
            .is_some_and(|frames| frames.iter().any(|(_, known)| *known == frame));
        if height <= working.next()
            && !known
            && let Author::Is(author) = self.host.author(&frame)
        {
            let waiting = self.host.future.entry(height).or_default();
            let of_author = waiting.iter().filter(|(who, _)| *who == author).count();
            if of_author < Host::<A, S, V>::FUTURE || planted!(self.host.config, FramesUnbounded) {
                waiting.push((author, frame));
                self.host.todo.push_back(Todo::Look);
            }
        }
    }

    /// Gossiped records: those that apply go to the pool.
    pub(super) fn records(&mut self, records: Vec<Envelope>) {
        let (mut taken, mut forged, mut unjudged) = (0, 0, 0);
        for envelope in records {
            let known = self.host.pool.holds(&envelope) || planted!(self.host.config, AnyCopyKnown);
            match self.admit(envelope, false) {
                Ok(()) => taken += 1,
                Err(NotTaken::Rule(refused)) if refused.is_forged() => forged += 1,
                // Whatever is refused before its signatures were looked at.
                Err(NotTaken::Rule(_)) => unjudged += 1,
                Err(NotTaken::Pool(PoolRefusal::Known | PoolRefusal::Decided)) => {
                    unjudged += usize::from(!known);
                }
                // It applies: its signatures hold.
                Err(NotTaken::Pool(_)) => {}
            }
        }
        self.host.out.push(Effect::Heard {
            taken,
            forged,
            unjudged,
        });
        self.host.todo.push_back(Todo::Look);
    }

    /// A record handed in here.
    pub(super) fn submit(&mut self, tag: u64, envelope: Envelope) {
        let record = envelope.id();
        let effect = match self.admit(envelope, true) {
            Ok(()) => Effect::Admitted { tag, record },
            Err(reason) => Effect::Refused { tag, reason },
        };
        self.host.out.push(effect);
        self.host
            .arm_timer(Timer::Gossip, self.host.config.gossip_ms);
        self.host.todo.push_back(Todo::Look);
    }

    fn admit(&mut self, envelope: Envelope, local: bool) -> Result<(), NotTaken> {
        let host = &mut self.host;
        let now = host.ledger_now();
        // A known record is recognised before its signatures are checked again.
        if let Some(known) = host.pool.knows(&envelope.id()) {
            return Err(known.into());
        }
        host.app.admit(envelope.record(), now.0)?;
        host.pool.insert(envelope, local, host.now.elapsed_ms)?;
        host.pool_ready = true;
        Ok(())
    }

    /// Sends what was collected.
    pub(super) fn gossip(&mut self) {
        loop {
            let records = self.host.pool.next_batch();
            if records.is_empty() {
                break;
            }
            self.host
                .out
                .push(Effect::Gossip(encode(&Batch { records })));
        }
        if let Some(due) = self.host.pool.next_offer() {
            self.host
                .set_timer(Timer::Offer, due.saturating_sub(self.host.now.elapsed_ms));
        }
    }
}

/// What a broadcast frame is worth to those whom it would be passed on to (RULINGS A40).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// Signed by this validator, for this place: what the frame is, height or log size, round.
    Genuine(OrganisationId, (u8, u64, u32)),
    /// No validator that could have signed it did.
    Forged,
    /// It cannot be judged here and now.
    Unknown,
}

/// Who made a frame, as far as its signatures say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    /// This validator, and it has a say.
    Is(OrganisationId),
    /// Nobody whose signatures anybody would have passed on.
    Nobody,
    /// A validator that has no say here, and may have had one where the frame came from: an honest node
    /// that is a height back knows neither whose turn it is now nor which seats and keys have changed.
    Unknown,
}

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// Judges a frame by its signatures before it is passed on.
    pub fn worth(&mut self, frame: &Frame) -> Worth {
        let host = &mut self.host;
        if let Frame::Cosign(cosignature) = frame {
            let place = (4, cosignature.size, 0);
            // Old ones stand in receipts: anybody can send them all again.
            if host.has_passed(cosignature.size) {
                return Worth::Unknown;
            }
            return match host.cosigner_of(cosignature) {
                Author::Is(who) => Worth::Genuine(who, place),
                Author::Nobody if host.collects(cosignature.size) => Worth::Forged,
                // Of another height the cosigner may be one whose key is not known here.
                Author::Nobody | Author::Unknown => Worth::Unknown,
            };
        }
        let working = host.height();
        let round = self.core.as_ref().and_then(|core| core.round().as_u32());
        let place = match frame {
            Frame::Vote(signed) if signed.vote.kind == VoteKind::Prevote => {
                (0, signed.vote.height.0, signed.vote.round)
            }
            Frame::Vote(signed) => (1, signed.vote.height.0, signed.vote.round),
            Frame::Proposal { proposal, .. } => (2, proposal.facts.height.0, proposal.facts.round),
            Frame::Polka { height, round, .. } => (3, height.0, *round),
            Frame::Round { height, round, .. } => (5, height.0, *round),
            Frame::Cosign(_) => return Worth::Unknown,
        };
        // The core takes no message of a later round than that: one of them is of no use to anybody.
        let last = round.unwrap_or(0).saturating_add(ROUNDS);
        if place.1 < working.0 || place.1 > working.next().0 || place.2 > last {
            return Worth::Unknown;
        }
        match host.author(frame) {
            Author::Is(who) => Worth::Genuine(who, place),
            Author::Nobody if place.1 == working.0 => Worth::Forged,
            Author::Unknown if place.1 == working.0 && planted!(host.config, ForgedToo) => {
                Worth::Forged
            }
            // A handover may lie between.
            Author::Nobody | Author::Unknown => Worth::Unknown,
        }
    }
}

impl<A: App, S: Storage, V: Verify> Host<A, S, V> {
    /// Frames of heights not begun, and the most there can be: a handover may lie between two heights.
    pub(super) fn waiting_frames(&self) -> (usize, usize) {
        let seats = self.validators.len() + self.app.tip_validators().len();
        let waiting = self.future.values().map(Vec::len).sum();
        (waiting, 2 * Self::FUTURE * seats)
    }

    /// The validator that answers for a frame, if its signatures hold under the current validators.
    fn author(&mut self, frame: &Frame) -> Author {
        match frame {
            Frame::Vote(signed) => {
                let (vote, who) = (&signed.vote, signed.vote.validator);
                let key = self.key_of(who);
                let Some(key) = key.filter(|key| self.verify_vote(vote, key, &signed.signature))
                else {
                    return self.of_before(who, &vote.sign_bytes(&self.chain), &signed.signature);
                };
                self.heard(&Statement::Vote(vote.clone()), &key);
                Author::Is(who)
            }
            Frame::Proposal { proposal, seal } => {
                let (facts, who) = (&proposal.facts, proposal.facts.validator);
                if CoreProposal::of(facts, seal.clone()).is_none() {
                    return Author::Nobody;
                }
                let (key, signature) = (self.key_of(who), &proposal.signature);
                let Some(key) = key.filter(|key| self.verify_proposal(facts, key, signature))
                else {
                    return self.of_before(who, &facts.sign_bytes(&self.chain), signature);
                };
                self.heard(&Statement::Proposal(facts.clone()), &key);
                // Whose turn it is in a height above the next is known when that begins.
                if facts.height > self.height() || self.turn(facts.round) == Some(who) {
                    Author::Is(who)
                } else {
                    Author::Unknown
                }
            }
            Frame::Polka { signatures, .. } => {
                let Some(CoreInput::PolkaCertificate(polka)) = core_input(frame) else {
                    return Author::Nobody;
                };
                let (seats, thresholds) = (self.seats(), self.thresholds());
                let holds = self.check_polka(&polka, &seats, thresholds).is_ok();
                self.of_set(holds, signatures.first().map(|(who, _)| *who))
            }
            Frame::Round { votes, .. } => {
                let Some(CoreInput::RoundCertificate(certificate)) = core_input(frame) else {
                    return Author::Nobody;
                };
                let (seats, thresholds) = (self.seats(), self.thresholds());
                let holds = self.check_round(&certificate, &seats, thresholds).is_ok();
                self.of_set(holds, votes.first().map(|vote| vote.validator))
            }
            Frame::Cosign(_) => Author::Unknown,
        }
    }

    /// Of a statement that no key of now made: whether one of the height before did.
    fn of_before(&mut self, who: OrganisationId, message: &[u8], signature: &Signature) -> Author {
        let before = self.app.tip_validators();
        let seat = before.iter().find(|seat| seat.organisation == who);
        match seat.filter(|seat| self.verify.verify(&seat.consensus, message, signature)) {
            Some(_) => Author::Unknown,
            None => Author::Nobody,
        }
    }

    /// Of a certificate: right after a handover it may have been one by the seats before.
    fn of_set(&self, holds: bool, first: Option<OrganisationId>) -> Author {
        let keys = |seats: &[Validator]| -> Vec<_> {
            let of = |seat: &Validator| (seat.organisation, seat.consensus);
            seats.iter().map(of).collect()
        };
        match first {
            Some(who) if holds => Author::Is(who),
            _ if keys(&self.validators) == keys(&self.app.tip_validators()) => Author::Nobody,
            _ => Author::Unknown,
        }
    }
}

/// The core's form of a frame; `None` for a proposal whose seal is not the one it names, and for
/// cosignatures.
pub(super) fn core_input(frame: &Frame) -> Option<CoreInput<Ctx>> {
    Some(match frame {
        Frame::Vote(signed) => CoreInput::Vote(SignedMessage::new(
            CoreVote::of(&signed.vote),
            signed.signature,
        )),
        Frame::Proposal { proposal, seal } => CoreInput::Proposal(SignedMessage::new(
            CoreProposal::of(&proposal.facts, seal.clone())?,
            proposal.signature,
        )),
        Frame::Polka {
            height,
            round,
            block,
            signatures,
        } => CoreInput::PolkaCertificate(mc::PolkaCertificate {
            height: Height(height.0),
            round: mc::Round::new(*round),
            value_id: *block,
            polka_signatures: signatures
                .iter()
                .map(|(who, s)| mc::PolkaSignature::new(Address(*who), *s))
                .collect(),
        }),
        Frame::Round {
            height,
            round,
            precommits,
            votes,
        } => CoreInput::RoundCertificate(mc::RoundCertificate {
            height: Height(height.0),
            round: mc::Round::new(*round),
            cert_type: if *precommits {
                mc::RoundCertificateType::Precommit
            } else {
                mc::RoundCertificateType::Skip
            },
            round_signatures: votes
                .iter()
                .map(|vote| {
                    let kind = if vote.kind == VoteKind::Precommit {
                        mc::VoteType::Precommit
                    } else {
                        mc::VoteType::Prevote
                    };
                    let value = vote.block.map_or(mc::NilOrVal::Nil, mc::NilOrVal::Val);
                    mc::RoundSignature::new(kind, value, Address(vote.validator), vote.signature)
                })
                .collect(),
        }),
        Frame::Cosign(_) => return None,
    })
}
