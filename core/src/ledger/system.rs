//! What a block holds beside records: the parent's certificate, evidence, the checkpoint of a
//! handover. Each part proves itself; no officer signs it.

use rollbook_proof::chain::{Evidence, HandoverCheckpoint};
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::sha256;
use rollbook_proof::log::EpochPolicy;
use rollbook_proof::number::{Height, LedgerTime};

use crate::block::SystemSection;
use crate::ledger::{BlockError, Ledger};
use crate::state::StateTables;
use crate::tx::{BlockContext, Tx};

impl Ledger {
    pub(super) fn check_system(
        &self,
        height: Height,
        system: &SystemSection,
    ) -> Result<(), BlockError> {
        let wrong = |why: String| Err(BlockError::System { height, why });
        match &system.parent_certificate {
            None if height == Height(1) => {}
            None => return wrong("the parent's certificate is missing".into()),
            Some(_) if height == Height(1) => return wrong("seal 0 has no certificate".into()),
            Some(certificate) => {
                let validators = self.tip_policy().validators();
                if let Err(error) =
                    certificate.verify(&self.chain, self.height(), &self.tip.block, &validators)
                {
                    return wrong(format!("parent certificate: {error}"));
                }
            }
        }
        match (&system.handover, &self.previous_policy) {
            (None, None) => Ok(()),
            (Some(_), None) => wrong("a handover checkpoint without a handover".into()),
            (None, Some(_)) => {
                wrong("the first block of an epoch carries the handover's checkpoint".into())
            }
            (Some(handover), Some(previous)) => self.check_handover(height, handover, previous),
        }
    }

    pub(super) fn outage_gap(&self, time_ms: LedgerTime) -> Option<u64> {
        let gap = time_ms.0.checked_sub(self.tip.seal.time_ms.0)?;
        let limit = self.charter()?.chain.outage_gap_ms?;
        // Between seal 0 and the first block nothing runs that an outage could shorten.
        (gap > limit && self.height() > Height(0)).then_some(gap)
    }

    fn check_handover(
        &self,
        height: Height,
        handover: &HandoverCheckpoint,
        previous: &EpochPolicy,
    ) -> Result<(), BlockError> {
        let wrong = |why: String| Err(BlockError::System { height, why });
        let checkpoint = self.checkpoint();
        if handover.size != checkpoint.size || handover.root != checkpoint.root {
            return wrong("the handover checkpoint is not the parent's".into());
        }
        previous
            .verify_handover(handover)
            .or_else(|error| wrong(format!("handover checkpoint: {error}")))
    }
}

/// Judges a piece of evidence under the accused validator's consensus key in the epoch of the
/// offence, and notes it. Refused if the offence is in the log already, or if the evidence is about
/// an undecided height, names no validator of that time, or does not verify.
pub(super) fn take_evidence(
    tables: &mut StateTables,
    block: BlockContext,
    evidence: &Evidence,
) -> Result<(), BlockError> {
    let wrong = |why: String| {
        Err(BlockError::System {
            height: block.height,
            why,
        })
    };
    let offence = (evidence.height(), evidence.culprit(), evidence.slot());
    if tables.evidence.contains(&offence) {
        return wrong("evidence of this offence is in the log already".into());
    }
    if evidence.height() >= block.height {
        return wrong("the evidence is about a height that is not decided".into());
    }
    // The consensus key of the accused in the epoch of the offence.
    let key = tables
        .epochs
        .iter()
        .filter(|(_, epoch)| epoch.first_height <= evidence.height())
        .last()
        .and_then(|(_, epoch)| {
            epoch
                .validators
                .iter()
                .find(|v| v.organisation == evidence.culprit())
        })
        .map(|validator| validator.consensus);
    let Some(key) = key else {
        return wrong(format!(
            "organisation {} was no validator then",
            evidence.culprit().0
        ));
    };
    if evidence.verify(&block.chain, &key).is_err() {
        return wrong("a signature of the evidence does not verify".into());
    }
    let mut tx = Tx::of_block(tables, block);
    tx.t.evidence().put(offence, sha256(&encode(evidence)));
    tx.keep();
    Ok(())
}
