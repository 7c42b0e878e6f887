//! Judging what validators signed: single statements, certificates, evidence. Each with the key of
//! its validator at this height, by the one rule of verification.

use std::collections::BTreeSet;

use arc_malachitebft_core_consensus as engine;
use arc_malachitebft_core_types as mc;
use mc::{
    CertificateError, CommitSignature, NilOrVal, PolkaSignature, RoundCertificateType,
    Validator as _, ValidatorSet as _, VoteType,
};
use rollbook_core::tx::Verify;
use rollbook_proof::chain::{Evidence, ProposalFacts, SignedProposal, SignedVote, Vote};
use rollbook_proof::crypto::{Hash, PublicKey, Signature};
use rollbook_proof::number::OrganisationId;

use crate::planted::planted;

use super::app::App;
use super::context::{Address, CoreVote, Ctx, Height, Seats};
use super::host::{Host, slot_of};
use super::message::SignedStatement;
use super::storage::{Statement, Storage};
use super::wal::{signed_proposal, signed_vote};

/// Pieces of evidence kept until they are in the ledger.
pub(super) const EVIDENCE_KEPT: usize = 64;

impl<A: App, S: Storage, V: Verify> Host<A, S, V> {
    /// Verifies one statement and remembers it if it is the validator's newest.
    pub(super) fn verify_vote(
        &mut self,
        vote: &Vote,
        key: &PublicKey,
        signature: &Signature,
    ) -> bool {
        let valid = self
            .verify
            .verify(key, &vote.sign_bytes(&self.chain), signature);
        if valid {
            self.remember(
                vote.validator,
                SignedStatement::Vote(SignedVote {
                    vote: vote.clone(),
                    signature: *signature,
                }),
            );
        }
        valid
    }

    /// The same for a proposal.
    pub(super) fn verify_proposal(
        &mut self,
        facts: &ProposalFacts,
        key: &PublicKey,
        signature: &Signature,
    ) -> bool {
        let valid = self
            .verify
            .verify(key, &facts.sign_bytes(&self.chain), signature);
        if valid {
            let signed = SignedProposal {
                facts: facts.clone(),
                signature: *signature,
            };
            self.remember(facts.validator, SignedStatement::Proposal(signed));
        }
        valid
    }

    fn remember(&mut self, validator: OrganisationId, statement: SignedStatement) {
        // Keyed by validators of a policy only: bounded by the seats there ever were.
        let newer = self
            .newest
            .get(&validator)
            .is_none_or(|known| slot_of(known) < slot_of(&statement));
        if newer {
            self.newest.insert(validator, statement);
        }
    }

    /// A genuine statement of a validator was heard. One under the own key that the own guard does
    /// not know was made elsewhere: by a second node with these keys, or in a life that this disk
    /// has forgotten. The node is silent for the height, votes again two heights later, and says so
    /// (RULINGS A41).
    pub(super) fn heard(&mut self, statement: &Statement, key: &PublicKey) {
        let (validator, height) = match statement {
            Statement::Vote(vote) => (vote.validator, vote.height),
            Statement::Proposal(facts) => (facts.validator, facts.height),
            Statement::Checkpoint { .. } => return,
        };
        let own = validator == self.keys.organisation && *key == self.keys.consensus();
        // A node in doubt about its own past expects them, and is silent already.
        if !own
            || !self.may_vote()
            || self.replaying
            || self.storage.has_recorded(statement)
            || self.may_be_lost(statement.slot())
            || planted!(self.config, CloneUnnoticed)
        {
            return;
        }
        self.muted = true;
        self.foreign_statement = Some(height);
        if let Some(from) = self.recovery.distrust(height) {
            let result = self.storage.raise(from);
            self.ok(result);
        }
    }

    /// Checks a set of votes: known, distinct, each signature good, and enough of them.
    fn check_votes(
        &mut self,
        set: &Seats,
        votes: impl Iterator<Item = (CoreVote, Signature)>,
        needed: mc::ThresholdParam,
        bad: impl Fn(Address, Signature, &CoreVote) -> CertificateError<Ctx>,
    ) -> Result<(), CertificateError<Ctx>> {
        let mut seen = BTreeSet::new();
        for (vote, signature) in votes {
            let address = vote.validator;
            if !seen.insert(address) {
                return Err(CertificateError::DuplicateVote(address));
            }
            let Some(seat) = set.get_by_address(&address) else {
                return Err(CertificateError::UnknownValidator(address));
            };
            let key = *seat.public_key();
            if !self.verify_vote(&vote.statement(), &key, &signature) {
                return Err(bad(address, signature, &vote));
            }
        }
        let (signed, total) = (seen.len() as u64, set.total_voting_power());
        if needed.is_met(signed, total) {
            Ok(())
        } else {
            Err(CertificateError::NotEnoughVotingPower {
                signed,
                total,
                expected: needed.min_expected(total),
            })
        }
    }

    pub(super) fn check_commit(
        &mut self,
        certificate: &mc::CommitCertificate<Ctx>,
        set: &Seats,
        thresholds: mc::ThresholdParams,
    ) -> Result<(), CertificateError<Ctx>> {
        let (place, value) = (
            (certificate.height, certificate.round),
            NilOrVal::Val(certificate.value_id),
        );
        let votes = certificate.commit_signatures.iter().map(|s| {
            let vote = vote_of(place, VoteType::Precommit, value, s.address);
            (vote, s.signature)
        });
        self.check_votes(set, votes, thresholds.quorum, |address, signature, _| {
            CertificateError::InvalidCommitSignature(CommitSignature::new(address, signature))
        })
    }

    pub(super) fn check_polka(
        &mut self,
        certificate: &mc::PolkaCertificate<Ctx>,
        set: &Seats,
        thresholds: mc::ThresholdParams,
    ) -> Result<(), CertificateError<Ctx>> {
        let (place, value) = (
            (certificate.height, certificate.round),
            NilOrVal::Val(certificate.value_id),
        );
        let votes = certificate.polka_signatures.iter().map(|s| {
            let vote = vote_of(place, VoteType::Prevote, value, s.address);
            (vote, s.signature)
        });
        self.check_votes(set, votes, thresholds.quorum, |address, signature, _| {
            CertificateError::InvalidPolkaSignature(PolkaSignature::new(address, signature))
        })
    }

    pub(super) fn check_round(
        &mut self,
        certificate: &mc::RoundCertificate<Ctx>,
        set: &Seats,
        thresholds: mc::ThresholdParams,
    ) -> Result<(), CertificateError<Ctx>> {
        let precommits = certificate.cert_type == RoundCertificateType::Precommit;
        let mut signatures = certificate.round_signatures.iter();
        if precommits && let Some(s) = signatures.find(|s| s.vote_type != VoteType::Precommit) {
            return Err(CertificateError::InvalidVoteType(s.address));
        }
        let needed = if precommits {
            thresholds.quorum
        } else {
            thresholds.honest
        };
        let place = (certificate.height, certificate.round);
        let votes = certificate.round_signatures.iter().map(|s| {
            let vote = vote_of(place, s.vote_type, s.value_id, s.address);
            (vote, s.signature)
        });
        self.check_votes(set, votes, needed, |address, signature, vote| {
            CertificateError::InvalidRoundSignature(mc::RoundSignature::new(
                vote.kind, vote.value, address, signature,
            ))
        })
    }

    /// Turns what the core saw of misbehaviour into evidence that proves itself.
    pub(super) fn collect(&mut self, evidence: engine::MisbehaviorEvidence<Ctx>) {
        let engine::MisbehaviorEvidence { proposals, votes } = evidence;
        let votes = votes.iter().flat_map(|(_, pairs)| pairs.iter());
        let proposals = proposals.iter().flat_map(|(_, pairs)| pairs.iter());
        let found: Vec<Evidence> = votes
            .filter_map(|(a, b)| Evidence::of_votes(signed_vote(a), signed_vote(b)))
            .chain(proposals.filter_map(|(a, b)| {
                Evidence::of_proposals(signed_proposal(a), signed_proposal(b))
            }))
            .collect();
        for evidence in found {
            let key = (evidence.height(), evidence.culprit());
            let Some(culprit) = self.validators.iter().find(|v| v.organisation == key.1) else {
                continue;
            };
            let kept = self.evidence.contains_key(&key) || self.evidence.len() >= EVIDENCE_KEPT;
            if !kept && evidence.verify(&self.chain, &culprit.consensus).is_ok() {
                self.evidence.insert(key, evidence);
            }
        }
    }
}

/// The vote that one signature of a certificate is under.
fn vote_of(
    (height, round): (Height, mc::Round),
    kind: VoteType,
    value: NilOrVal<Hash>,
    validator: Address,
) -> CoreVote {
    CoreVote {
        kind,
        height,
        round,
        value,
        validator,
    }
}
