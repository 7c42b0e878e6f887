//! Acts on organisations, persons and keys.

use bincode::{Decode, Encode};
use rollbook_proof::codec::DecodeError;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, PublicKey, Signature, tagged};
use rollbook_proof::number::OrganisationId;

use super::affairs::StatementEntry;
use super::people::{DelegationGrant, KeyRotation, OfficersChange, Particulars, RecoveryPlan};
use crate::calendar::LocalDay;
use crate::id::{
    ChangeId, DelegationId, DirectionId, KeyRecoveryId, PersonId, PostId, RelationId, RevocationId,
};
use crate::identity::possession::UNPROVED;
use crate::identity::{ActClass, EndReason, GroupDeclaration, OrganisationEntry, RelationKind};

/// Acts on organisations. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum OrganisationAct {
    /// A founding organisation accepts the genesis (RULINGS A2, M25).
    Found,
    /// An organisation that is not a member enters the ledger, introduced by the principal (RULINGS
    /// R16).
    Register(Registration),
    /// M24: an organisation declares a relation of its own (RULINGS R27).
    Relate(GroupDeclaration),
    /// R27: the other end confirms a relation that was declared.
    ConfirmRelation {
        /// The organisation that declared it.
        other: OrganisationId,
        /// The relation's number, counted per pair from 1.
        relation: u32,
    },
    /// M32: officers, roles, keys or the policy of the principal change after the charter's hours,
    /// unless an officer objects.
    ChangeOfficers(OfficersChange),
    /// M32: an officer objects to a change that waits.
    ObjectChange {
        /// The change.
        change: ChangeId,
        /// SHA-256 of the reasons.
        reasons: Hash,
    },
    /// M31: the principal asks for another name, address or identifiers.
    AskUpdate(Particulars),
    /// M31: the secretariat has compared it with the extract.
    ConfirmUpdate {
        /// The change.
        change: ChangeId,
        /// SHA-256 of the extract that it has seen.
        extract: Hash,
    },
    /// M31: the secretariat does not confirm.
    DeclineUpdate {
        /// The change.
        change: ChangeId,
        /// SHA-256 of the reasons.
        reasons: Hash,
    },
    /// M23: an officer puts a new key in place of the one that signs.
    RotateKey(KeyRotation),
    /// M23: an officer revokes a key of their own.
    RevokeOwnKey {
        /// The key, counted from 0.
        key: u32,
        /// Lost or compromised.
        reason: EndReason,
    },
    /// M23: the principal revokes a key of one of its officers, signed as its policy asks.
    RevokeKey {
        /// The officer.
        person: PersonId,
        /// The key, counted from 0.
        key: u32,
        /// Lost or compromised.
        reason: EndReason,
    },
    /// R7: a seat holder or the secretary asks that a key be revoked in an emergency.
    AskRevocation {
        /// Whose key.
        person: PersonId,
        /// The key, counted from 0.
        key: u32,
        /// SHA-256 of what speaks for it.
        evidence: Hash,
    },
    /// R7: another one agrees; the key signs nothing from now on.
    AgreeRevocation {
        /// The revocation.
        revocation: RevocationId,
    },
    /// R23: the secretariat files a recovery of keys, whose letter it has checked.
    FileRecovery(RecoveryPlan),
    /// R23: an officer with a key in force cancels the recovery of the own organisation's keys.
    CancelRecovery {
        /// The recovery.
        recovery: KeyRecoveryId,
    },
    /// M33: an officer delegates a role to another.
    Delegate(DelegationGrant),
    /// M33: a delegation is taken back.
    RevokeDelegation {
        /// The delegation.
        delegation: DelegationId,
    },
    /// M33: every delegation of the principal is taken back.
    RevokeDelegations,
    /// M35: the holder of a post is away; the deputy may act.
    RecordAbsence {
        /// The post.
        post: PostId,
    },
    /// M35: the holder of a post is back.
    EndAbsence {
        /// The post.
        post: PostId,
    },
    /// R7: an officer of a seat holder stands in for a post that has neither holder nor deputy; with
    /// a second one, of another group, both act together.
    StandIn {
        /// The post.
        post: PostId,
    },
    /// M37: a member works in a direction from now on.
    JoinDirection {
        /// The direction.
        direction: DirectionId,
    },
    /// M37: a member works in a direction no longer; if it led it, nobody does.
    LeaveDirection {
        /// The direction.
        direction: DirectionId,
    },
    /// M37: the member that leads a direction leads it no longer, and stays in it.
    GiveUpLead {
        /// The direction.
        direction: DirectionId,
    },
    /// M38: an observer files a statement.
    FileStatement(StatementEntry),
    /// R27: the secretariat, or a member, claims that two others are related.
    ClaimRelation(RelationClaim),
    /// R27: an end answers to what others claim, or to what the other end declared.
    ReplyRelation {
        /// The relation.
        relation: RelationId,
        /// SHA-256 of the answer.
        reply: Hash,
    },
    /// R27: whoever claimed a relation of others takes that back.
    WithdrawClaim {
        /// The relation.
        relation: RelationId,
    },
    /// M24: an end says that the relation is over.
    AskRelationEnd {
        /// The relation.
        relation: RelationId,
        /// SHA-256 of the evidence.
        evidence: Hash,
    },
    /// M24: the secretariat has checked that a relation is over.
    ConfirmRelationEnd {
        /// The relation.
        relation: RelationId,
        /// SHA-256 of the extract that it has seen.
        extract: Hash,
    },
    /// M24: the secretariat does not find that a relation is over.
    DeclineRelationEnd {
        /// The relation.
        relation: RelationId,
        /// SHA-256 of the reasons.
        reasons: Hash,
    },
    /// R27: an end appeals to the assembly against what the board has found of a relation.
    AppealRelation {
        /// The relation.
        relation: RelationId,
        /// SHA-256 of the reasons.
        reasons: Hash,
    },
}

/// R27: what somebody claims of two others.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct RelationClaim {
    /// One of the two.
    pub one: OrganisationId,
    /// The other.
    pub other: OrganisationId,
    /// What ties them.
    pub kind: RelationKind,
    /// SHA-256 of the evidence.
    pub evidence: Hash,
}

/// M24: the board finds that a relation exists (RULINGS R27).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct JoinRelation {
    /// The relation.
    pub relation: RelationId,
    /// An earlier day from which the two are one group; none: from the block of the effect.
    pub since: Option<LocalDay>,
}

/// M24: the board finds that a relation never was (RULINGS R27).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct AnnulRelation {
    /// The relation.
    pub relation: RelationId,
}

/// R27: the assembly upholds an appeal against what the board has found of a relation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct UndoRelation {
    /// The relation.
    pub relation: RelationId,
}

/// A registration that the company itself has signed (RULINGS R16). Numbers in the entry are 0 for
/// the organisation and 1, 2, .. for its officers; the ledger gives the real ones, so nobody waits
/// for anybody.
///
/// Every key of every officer proves possession for this chain and this entry ([`possession`]), so
/// nobody is registered as an officer of a company whose registration they have not signed.
///
/// [`possession`]: crate::identity::possession
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Registration {
    /// What the organisation tells of itself.
    pub entry: OrganisationEntry,
    /// By the first officer's first key over 'rollbook/registration/v1' 0x00 || chain || hash of
    /// the entry, in the company's name.
    pub signature: Signature,
}

impl Registration {
    /// A registration that nobody has signed yet; what stood for proofs in the entry is dropped.
    pub fn draft(entry: &OrganisationEntry) -> Registration {
        Registration {
            entry: entry.unproved(),
            signature: UNPROVED,
        }
    }

    /// A registration that each of these keys has signed.
    pub fn signed(chain: &Hash, entry: &OrganisationEntry, keys: &[&Keypair]) -> Registration {
        let mut registration = Registration::draft(entry);
        for key in keys {
            registration.sign(chain, key);
        }
        registration
    }

    /// The bytes under the registration's own signature, for an entry of this hash.
    pub fn sign_bytes(chain: &Hash, entry: &Hash) -> Vec<u8> {
        tagged("rollbook/registration/v1", &[&chain.0, &entry.0])
    }

    /// Makes what this key has to sign: its proof wherever the entry names it, and the
    /// registration's own signature if it is the first officer's first key. Says whether the entry
    /// names the key.
    pub fn sign(&mut self, chain: &Hash, key: &Keypair) -> bool {
        let possession = self.entry.possession(chain);
        let public = key.public();
        if self.first_key() == Some(public) {
            self.signature = key.sign_tagged(&Self::sign_bytes(chain, &possession.thing));
        }
        let mut named = false;
        for (known, proof) in self.entry.officers.iter_mut().flat_map(|o| &mut o.keys) {
            if *known == public {
                *proof = possession.prove(KeyKind::Officer, key);
                named = true;
            }
        }
        named
    }

    /// The key that signs in the company's name.
    pub fn first_key(&self) -> Option<PublicKey> {
        let officer = self.entry.officers.first()?;
        officer.keys.first().map(|(key, _)| *key)
    }

    /// Every signature in it with its key and the bytes under it, the registration's own first.
    pub fn signatures(&self, chain: &Hash) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        let possession = self.entry.possession(chain);
        let mut all = Vec::new();
        if let Some(key) = self.first_key() {
            let message = Self::sign_bytes(chain, &possession.thing);
            all.push((key, message, self.signature));
        }
        for (key, proof) in self.entry.officers.iter().flat_map(|officer| &officer.keys) {
            all.push((*key, possession.message(KeyKind::Officer, key), *proof));
        }
        all
    }
}

impl OrganisationAct {
    pub(super) fn class(&self) -> ActClass {
        match self {
            OrganisationAct::Found
            | OrganisationAct::Register(_)
            | OrganisationAct::Relate(_)
            | OrganisationAct::ConfirmRelation { .. }
            | OrganisationAct::AskUpdate(_)
            | OrganisationAct::ConfirmUpdate { .. }
            | OrganisationAct::DeclineUpdate { .. }
            | OrganisationAct::RecordAbsence { .. }
            | OrganisationAct::EndAbsence { .. }
            | OrganisationAct::StandIn { .. }
            | OrganisationAct::JoinDirection { .. }
            | OrganisationAct::LeaveDirection { .. }
            | OrganisationAct::GiveUpLead { .. }
            | OrganisationAct::FileStatement(_)
            | OrganisationAct::ClaimRelation(_)
            | OrganisationAct::ReplyRelation { .. }
            | OrganisationAct::WithdrawClaim { .. }
            | OrganisationAct::AskRelationEnd { .. }
            | OrganisationAct::ConfirmRelationEnd { .. }
            | OrganisationAct::DeclineRelationEnd { .. }
            | OrganisationAct::AppealRelation { .. } => ActClass::General,
            OrganisationAct::ChangeOfficers(_)
            | OrganisationAct::ObjectChange { .. }
            | OrganisationAct::RotateKey(_)
            | OrganisationAct::RevokeOwnKey { .. }
            | OrganisationAct::RevokeKey { .. }
            | OrganisationAct::AskRevocation { .. }
            | OrganisationAct::AgreeRevocation { .. }
            | OrganisationAct::FileRecovery(_)
            | OrganisationAct::CancelRecovery { .. }
            | OrganisationAct::Delegate(_)
            | OrganisationAct::RevokeDelegation { .. }
            | OrganisationAct::RevokeDelegations => ActClass::People,
        }
    }

    /// Whether one officer does it in their own name, whatever the principal's policy asks: what
    /// protects a person, or a company from its own officers, waits for nobody.
    pub(super) fn is_own(&self) -> bool {
        match self {
            OrganisationAct::ObjectChange { .. }
            | OrganisationAct::RotateKey(_)
            | OrganisationAct::RevokeOwnKey { .. }
            | OrganisationAct::CancelRecovery { .. }
            | OrganisationAct::RevokeDelegation { .. }
            | OrganisationAct::RevokeDelegations
            | OrganisationAct::RecordAbsence { .. }
            | OrganisationAct::EndAbsence { .. } => true,
            OrganisationAct::Found
            | OrganisationAct::Register(_)
            | OrganisationAct::Relate(_)
            | OrganisationAct::ConfirmRelation { .. }
            | OrganisationAct::ChangeOfficers(_)
            | OrganisationAct::AskUpdate(_)
            | OrganisationAct::ConfirmUpdate { .. }
            | OrganisationAct::DeclineUpdate { .. }
            | OrganisationAct::RevokeKey { .. }
            | OrganisationAct::AskRevocation { .. }
            | OrganisationAct::AgreeRevocation { .. }
            | OrganisationAct::FileRecovery(_)
            | OrganisationAct::Delegate(_)
            | OrganisationAct::StandIn { .. }
            | OrganisationAct::JoinDirection { .. }
            | OrganisationAct::LeaveDirection { .. }
            | OrganisationAct::GiveUpLead { .. }
            | OrganisationAct::FileStatement(_)
            | OrganisationAct::ClaimRelation(_)
            | OrganisationAct::ReplyRelation { .. }
            | OrganisationAct::WithdrawClaim { .. }
            | OrganisationAct::AskRelationEnd { .. }
            | OrganisationAct::ConfirmRelationEnd { .. }
            | OrganisationAct::DeclineRelationEnd { .. }
            | OrganisationAct::AppealRelation { .. } => false,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            OrganisationAct::Found => "M25",
            OrganisationAct::Register(_) => "R16",
            OrganisationAct::Relate(_) => "M24",
            OrganisationAct::ConfirmRelation { .. } => "R27",
            OrganisationAct::ChangeOfficers(_) | OrganisationAct::ObjectChange { .. } => "M32",
            OrganisationAct::AskUpdate(_)
            | OrganisationAct::ConfirmUpdate { .. }
            | OrganisationAct::DeclineUpdate { .. } => "M31",
            OrganisationAct::RotateKey(_)
            | OrganisationAct::RevokeOwnKey { .. }
            | OrganisationAct::RevokeKey { .. }
            | OrganisationAct::AskRevocation { .. }
            | OrganisationAct::AgreeRevocation { .. } => "M23",
            OrganisationAct::FileRecovery(_) | OrganisationAct::CancelRecovery { .. } => "R23",
            OrganisationAct::Delegate(_)
            | OrganisationAct::RevokeDelegation { .. }
            | OrganisationAct::RevokeDelegations => "M33",
            OrganisationAct::RecordAbsence { .. } | OrganisationAct::EndAbsence { .. } => "M35",
            OrganisationAct::StandIn { .. } => "R7",
            OrganisationAct::JoinDirection { .. }
            | OrganisationAct::LeaveDirection { .. }
            | OrganisationAct::GiveUpLead { .. } => "M37",
            OrganisationAct::FileStatement(_) => "M38",
            OrganisationAct::ClaimRelation(_)
            | OrganisationAct::AskRelationEnd { .. }
            | OrganisationAct::ConfirmRelationEnd { .. }
            | OrganisationAct::DeclineRelationEnd { .. } => "M24",
            OrganisationAct::ReplyRelation { .. }
            | OrganisationAct::WithdrawClaim { .. }
            | OrganisationAct::AppealRelation { .. } => "R27",
        }
    }

    /// Signatures inside the act: a registration's own, and proofs of possession.
    pub(super) fn signatures(
        &self,
        chain: &Hash,
        principal: OrganisationId,
    ) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        match self {
            OrganisationAct::Register(registration) => registration.signatures(chain),
            OrganisationAct::ChangeOfficers(change) => change.signatures(chain, principal),
            OrganisationAct::FileRecovery(plan) => plan.change.signatures(chain, plan.organisation),
            OrganisationAct::RotateKey(rotation) => {
                let possession = rotation.possession(chain, principal);
                let message = possession.message(KeyKind::Officer, &rotation.key);
                vec![(rotation.key, message, rotation.proof)]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn new_keys(&self) -> usize {
        match self {
            OrganisationAct::Register(registration) => registration
                .entry
                .officers
                .iter()
                .map(|officer| officer.keys.len())
                .sum(),
            OrganisationAct::ChangeOfficers(change) => change.key_count(),
            OrganisationAct::FileRecovery(plan) => plan.change.key_count(),
            OrganisationAct::RotateKey(_) => 1,
            _ => 0,
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            OrganisationAct::Register(registration) => registration.entry.check(),
            OrganisationAct::ChangeOfficers(change) => change.check(),
            OrganisationAct::AskUpdate(particulars) => particulars.check(),
            OrganisationAct::FileRecovery(plan) => plan.change.check(),
            OrganisationAct::Delegate(grant) => grant.check(),
            OrganisationAct::FileStatement(entry) => entry.check(),
            OrganisationAct::RevokeOwnKey { reason, .. }
            | OrganisationAct::RevokeKey { reason, .. } => match reason {
                EndReason::Lost | EndReason::Compromised => Ok(()),
                EndReason::Left | EndReason::Rotated => Err(DecodeError::rule(
                    "a key is revoked because it is lost or compromised",
                )),
            },
            _ => Ok(()),
        }
    }
}
