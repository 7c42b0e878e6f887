//! What the validators of a ledger's tip say of it, signed with their real keys: certificates,
//! cosigned checkpoints, and the sections of blocks and exports that hold them.

use std::collections::BTreeMap;

use rollbook_core::block::SystemSection;
use rollbook_core::export::Tail;
use rollbook_core::ledger::Ledger;
use rollbook_proof::chain::{
    Certificate, CheckpointSignature, HandoverCheckpoint, LogSignature, Vote, VoteKind, quorum,
};
use rollbook_proof::crypto::{KeyKind, Keypair};
use rollbook_proof::log::PolicyValidator;
use rollbook_proof::number::Height;

/// The key of a validator.
pub type KeyOf<'a> = &'a dyn Fn(&PolicyValidator, KeyKind) -> Keypair;

/// A certificate of the tip. A different quorum at every height, as on a real network: everybody is
/// seen alive sooner or later.
pub fn certify(ledger: &Ledger, key: KeyOf<'_>) -> Certificate {
    let validators = &ledger.tip_policy().validators;
    let (height, block) = (ledger.height(), ledger.tip().block);
    let signatures: BTreeMap<_, _> = validators
        .iter()
        .cycle()
        .skip(height.0 as usize % validators.len())
        .take(quorum(validators.len()))
        .map(|v| {
            let vote = Vote {
                kind: VoteKind::Precommit,
                height,
                round: 0,
                block: Some(block),
                validator: v.org,
            };
            let key = key(v, KeyKind::Consensus);
            (v.org, vote.sign(&ledger.chain(), &key))
        })
        .collect();
    Certificate {
        height,
        round: 0,
        block,
        signatures: signatures.into_iter().collect(),
    }
}

/// The tip's checkpoint, cosigned by the first `signers` validators.
pub fn cosigned(ledger: &Ledger, signers: usize, key: KeyOf<'_>) -> HandoverCheckpoint {
    let checkpoint = ledger.checkpoint();
    let validators = &ledger.tip_policy().validators;
    let cosignatures = validators
        .iter()
        .take(signers)
        .map(|v| CheckpointSignature {
            validator: v.org,
            time_s: 7,
            signature: checkpoint.cosign(&key(v, KeyKind::Cosigner), 7),
        });
    let first = &validators[0];
    HandoverCheckpoint {
        size: checkpoint.size,
        root: checkpoint.root,
        log: LogSignature {
            validator: first.org,
            signature: checkpoint.sign_log(&key(first, KeyKind::Log)),
        },
        cosignatures: cosignatures.collect(),
    }
}

/// The system section of the next block.
pub fn system(ledger: &Ledger, key: KeyOf<'_>) -> SystemSection {
    SystemSection {
        parent_certificate: (ledger.height() > Height(0)).then(|| certify(ledger, key)),
        evidence: Vec::new(),
        handover: ledger
            .needs_handover_checkpoint()
            .then(|| cosigned(ledger, usize::MAX, key)),
    }
}

/// The end of an export of the whole history.
pub fn tail(ledger: &Ledger, key: KeyOf<'_>) -> Tail {
    let decided = ledger.height() > Height(0);
    let needed = quorum(ledger.tip_policy().validators.len());
    Tail {
        certificate: decided.then(|| certify(ledger, key)),
        checkpoint: decided.then(|| cosigned(ledger, needed, key)),
    }
}
