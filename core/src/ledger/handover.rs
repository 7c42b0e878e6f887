//! The next epoch: its policy, derived from the nodes in state, and its facts (RULINGS A3).

use rollbook_proof::log::{EpochPolicy, PolicyValidator};

use crate::object::chain::{EpochFacts, EpochValidator};
use crate::refusal::Refusal;
use crate::rules::network::council::Decision;
use crate::rules::network::validators;
use crate::tx::Tx;

/// Derives the next policy and writes the facts of the new epoch. Refused only if the state has
/// nodes that [`validators::handover`] cannot have chosen.
pub(super) fn next_epoch(
    tx: &mut Tx,
    current: &EpochPolicy,
    next: &Decision,
    policy_index: u64,
) -> Result<EpochPolicy, Refusal> {
    validators::carry_out(tx, next)?;
    let epoch = current.epoch.next();
    let validators: Vec<PolicyValidator> = next
        .seats
        .iter()
        .filter_map(|organisation| {
            tx.t.nodes
                .get(organisation)
                .map(|node| (*organisation, node))
        })
        .enumerate()
        .map(|(i, (org, node))| PolicyValidator {
            name: format!("V{}", i + 1),
            org,
            consensus: node.consensus,
            cosigner: node.cosigner,
            log: node.log,
            url: node.url.as_str().to_owned(),
        })
        .collect();
    let policy = EpochPolicy {
        epoch,
        origin: current.origin.clone(),
        previous: Some(current.digest()),
        // RULINGS A3: the size of the handover block's checkpoint, policy leaf and seal included.
        valid_from_size: policy_index + 2,
        genesis: None,
        validators,
        witnesses: current.witnesses.clone(),
    };
    let facts = EpochFacts {
        policy: policy.digest(),
        first_height: tx.height.next(),
        valid_from_size: policy.valid_from_size,
        validators: policy
            .validators
            .iter()
            .map(|validator| EpochValidator {
                organisation: validator.org,
                consensus: validator.consensus,
            })
            .collect(),
    };
    tx.t.epochs().put(epoch, facts);
    tx.t.policies().put(epoch, policy.render().into_bytes());
    if let Some(mut facts) = tx.t.chain.get(&0).cloned() {
        facts.epoch = epoch;
        facts.handover_height = tx.height;
        tx.put_facts(facts);
    }
    Ok(policy)
}
