//! Entries of the consensus log, version 1: exactly the inputs whose effects on the core must
//! survive a crash.
//!
//! Keyed by height outside (timeouts carry none). Own votes and proposals are here too, after their
//! guard records: replay derives them again and the core compares.

use arc_malachitebft_core_consensus as engine;
use arc_malachitebft_core_types as mc;
use bincode::{Decode, Encode};
use mc::{Round, SignedMessage, Timeout, TimeoutKind, Validity, ValueOrigin};
use rollbook_proof::chain::{Seal, SignedProposal, SignedVote};
use rollbook_proof::codec::{Wire, decode, encode};
use rollbook_proof::crypto::{Hash, Signature};
use rollbook_proof::number::{Height, OrganisationId};

use super::context;
use super::context::{Address, CoreProposal, CoreVote, Ctx, Sealed};

/// Which timer ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Step {
    /// Waiting for a proposal.
    Propose,
    /// Waiting for prevotes to agree.
    Prevote,
    /// Waiting for precommits to agree.
    Precommit,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Entry {
    /// A verified vote.
    Vote(SignedVote),
    /// A verified proposal.
    Proposal {
        /// Facts and signature.
        proposal: SignedProposal,
        /// The seal.
        seal: Seal,
    },
    /// A judged value whose body is durable.
    Value {
        /// Round it was first seen in.
        round: u32,
        /// Round of its polka when re-proposed.
        valid_round: Option<u32>,
        /// Its proposer.
        proposer: OrganisationId,
        /// The value.
        seal: Seal,
        /// The verdict.
        valid: bool,
    },
    /// A verified polka certificate.
    Polka {
        /// Round.
        round: u32,
        /// Block id.
        block: Hash,
        /// Prevote signatures.
        signatures: Vec<(OrganisationId, Signature)>,
    },
    /// A timer ran out.
    Timeout {
        /// Which.
        step: Step,
        /// Round.
        round: u32,
    },
}

impl Wire for Entry {
    const MAX: usize = 64 * 1024;
}

/// The vote of a core message.
pub fn signed_vote(vote: &mc::SignedVote<Ctx>) -> SignedVote {
    SignedVote {
        vote: vote.message.statement(),
        signature: vote.signature,
    }
}

/// The proposal of a core message.
pub fn signed_proposal(proposal: &mc::SignedProposal<Ctx>) -> SignedProposal {
    SignedProposal {
        facts: proposal.message.statement(),
        signature: proposal.signature,
    }
}

/// The bytes of an input that belongs into the log; `None` for the kinds that do not.
pub fn entry_of(input: &engine::Input<Ctx>) -> Option<Vec<u8>> {
    let entry = match input {
        engine::Input::Vote(vote) => Entry::Vote(signed_vote(vote)),
        engine::Input::Proposal(proposal) => Entry::Proposal {
            proposal: signed_proposal(proposal),
            seal: proposal.message.value.seal.clone(),
        },
        engine::Input::ProposedValue(value, _) => Entry::Value {
            round: value.round.as_u32()?,
            valid_round: value.valid_round.as_u32(),
            proposer: value.proposer.0,
            seal: value.value.seal.clone(),
            valid: value.validity.is_valid(),
        },
        engine::Input::PolkaCertificate(polka) => Entry::Polka {
            round: polka.round.as_u32()?,
            block: polka.value_id,
            signatures: polka
                .polka_signatures
                .iter()
                .map(|s| (s.address.0, s.signature))
                .collect(),
        },
        engine::Input::TimeoutElapsed(timeout) => Entry::Timeout {
            step: match timeout.kind {
                TimeoutKind::Propose => Step::Propose,
                TimeoutKind::Prevote => Step::Prevote,
                TimeoutKind::Precommit => Step::Precommit,
                TimeoutKind::Rebroadcast | TimeoutKind::FinalizeHeight(_) => return None,
            },
            round: timeout.round.as_u32()?,
        },
        _ => return None,
    };
    Some(encode(&entry))
}

/// The input of a log entry at `height`; an error names what is wrong with the log.
pub fn input_of(height: Height, bytes: &[u8]) -> Result<engine::Input<Ctx>, String> {
    let entry: Entry =
        decode(bytes).map_err(|error| format!("consensus log of height {height}: {error}"))?;
    Ok(match entry {
        Entry::Vote(signed) => engine::Input::Vote(SignedMessage::new(
            CoreVote::of(&signed.vote),
            signed.signature,
        )),
        Entry::Proposal { proposal, seal } => engine::Input::Proposal(SignedMessage::new(
            CoreProposal::of(&proposal.facts, seal).ok_or_else(|| {
                format!("consensus log of height {height}: a proposal is not for its seal")
            })?,
            proposal.signature,
        )),
        Entry::Value {
            round,
            valid_round,
            proposer,
            seal,
            valid,
        } => engine::Input::ProposedValue(
            engine::ProposedValue {
                height: context::Height(height.0),
                round: Round::new(round),
                valid_round: Round::from(valid_round),
                proposer: Address(proposer),
                value: Sealed::from(seal),
                validity: Validity::from_bool(valid),
            },
            ValueOrigin::Consensus,
        ),
        Entry::Polka {
            round,
            block,
            signatures,
        } => engine::Input::PolkaCertificate(mc::PolkaCertificate {
            height: context::Height(height.0),
            round: Round::new(round),
            value_id: block,
            polka_signatures: signatures
                .into_iter()
                .map(|(v, s)| mc::PolkaSignature::new(Address(v), s))
                .collect(),
        }),
        Entry::Timeout { step, round } => {
            let round = Round::new(round);
            engine::Input::TimeoutElapsed(match step {
                Step::Propose => Timeout::propose(round),
                Step::Prevote => Timeout::prevote(round),
                Step::Precommit => Timeout::precommit(round),
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rollbook_proof::chain::{ProposalFacts, Vote, VoteKind};
    use rollbook_proof::number::{LedgerTime, ProtocolVersion};

    use super::*;

    fn seal(height: Height) -> Seal {
        Seal {
            protocol: ProtocolVersion(1),
            height,
            time_ms: LedgerTime(5),
            parent: Hash([1; 32]),
            first_leaf: 7,
            leaf_count: 2,
            body: Hash([2; 32]),
            log_root: Hash([3; 32]),
            state_root: Hash([4; 32]),
            work_digest: Hash([5; 32]),
            policy: Hash([6; 32]),
            parent_certificate: Hash([7; 32]),
        }
    }

    fn entries() -> impl Strategy<Value = Entry> {
        let signature = any::<[u8; 32]>().prop_map(|half| {
            let mut bytes = [0; 64];
            bytes[..32].copy_from_slice(&half);
            Signature::Ed25519(bytes)
        });
        (0..5, 0u32..20, any::<bool>(), 1u32..9, signature).prop_map(
            |(kind, round, flag, validator, signature)| match kind {
                0 => {
                    let block = flag.then_some(Hash([9; 32]));
                    let kind = if flag {
                        VoteKind::Prevote
                    } else {
                        VoteKind::Precommit
                    };
                    Entry::Vote(SignedVote {
                        vote: Vote {
                            kind,
                            height: Height(3),
                            round,
                            block,
                            validator: OrganisationId(validator),
                        },
                        signature,
                    })
                }
                1 => {
                    let (block, valid_round) = (seal(Height(3)).id(), flag.then_some(round));
                    let facts = ProposalFacts {
                        height: Height(3),
                        round,
                        block,
                        valid_round,
                        validator: OrganisationId(validator),
                    };
                    Entry::Proposal {
                        proposal: SignedProposal { facts, signature },
                        seal: seal(Height(3)),
                    }
                }
                2 => Entry::Value {
                    round,
                    valid_round: flag.then_some(1),
                    proposer: OrganisationId(validator),
                    seal: seal(Height(3)),
                    valid: flag,
                },
                3 => Entry::Polka {
                    round,
                    block: Hash([9; 32]),
                    signatures: vec![(OrganisationId(validator), signature)],
                },
                _ => Entry::Timeout {
                    step: if flag { Step::Propose } else { Step::Precommit },
                    round,
                },
            },
        )
    }

    proptest! {
        /// What is read back is what was logged.
        #[test]
        fn entries_survive(entry in entries()) {
            let bytes = encode(&entry);
            let input = input_of(Height(3), &bytes).expect("a logged entry");
            prop_assert_eq!(entry_of(&input), Some(bytes));
        }

        /// Whatever bytes there are: an error, never a panic.
        #[test]
        fn bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = input_of(Height(3), &bytes);
        }
    }

    #[test]
    fn a_proposal_for_another_seal_is_refused() {
        let facts = ProposalFacts {
            height: Height(3),
            round: 0,
            block: Hash([8; 32]),
            valid_round: None,
            validator: OrganisationId(1),
        };
        let proposal = SignedProposal {
            facts,
            signature: Signature::Ed25519([0; 64]),
        };
        assert!(
            input_of(
                Height(3),
                &encode(&Entry::Proposal {
                    proposal,
                    seal: seal(Height(3))
                })
            )
            .is_err()
        );
    }
}
