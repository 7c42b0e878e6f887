//! The signed envelope and the catalogue of record bodies (RULINGS A6, A18).
//!
//! * Payload = chain, principal, initiating officer, sequence, validity limit, nonce, body. Every
//!   co-signer signs the same bytes.
//! * Record id = SHA-256('rollbook/record/v1' 0x00 || payload); a signature is over that same
//!   tagged string. The id does not depend on the signatures, so signing again makes no second
//!   record.
//! * A record is one principal's act: only officers of one organisation (or office) share an
//!   envelope. Agreements, pledges and confirmations are chains of records that name earlier ids.
//! * Families are nested enums; each grows only at its own end. Shipped variants are never edited
//!   (RULINGS A18).

use bincode::{Decode, Encode};
use rollbook_proof::chain::{Leaf, RECORD_TAG, ReadClass, RecordLeaf, record_leaf};
use rollbook_proof::codec::{DecodeError, Wire, at_most, encode, strictly_ascending};
use rollbook_proof::crypto::{Hash, Keypair, PublicKey, Signature, sha256, sha256_tagged, tagged};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{PersonId, PostId};
use crate::identity::{ActClass, ApprovalPolicy, RECORD_MAX_SIGNATURES, Role};

mod affairs;
mod award;
mod call;
mod charter;
mod fund;
mod life;
mod membership;
mod motion;
mod node;
mod nonce;
mod notice;
mod organisation;
mod payment;
mod people;
mod share;
mod since;

pub use affairs::{
    AdmitObserver, CalendarYear, ClericalField, Corrected, CorrectionEntry, ElectChair,
    EndObserver, NameLead, ObserverReading, ScreenAgain, StatementEntry, YEAR_DAYS_MAX,
};
pub use award::{
    AgreementTerms, AwardAct, Channel, GrantAward, LiftHold, MILESTONES_MAX, MilestonePlan,
    PlaceApplication, Placing, RevokeAward,
};
pub use call::{
    ApplicationContent, CallAct, CallTerms, CancelCall, ConfirmPool, Criterion, DecideAppeal,
    DrawFor, Eligibility, Instrument, Part, PerGroup, PoolKind, ReviewDeclaration, Revision,
    SCORE_MAX, Scores, SeenEarlier, SeenReceipt, Submission, TieBreak, Verdict, draw_commitment,
};
pub use charter::{CharterAct, CharterDraft, OfficialOrder};
pub use fund::{
    AppointCommittee, BankReference, COMMITTEE_SEATS, CreateFund, FundAct, InstalmentEntry,
    PledgeEntry, ReceiptEntry, WriteOffInstalment,
};
pub use life::{
    MeasureKind, MeasureNotice, OrderRecovery, RECOVERY_INSTALMENTS_MAX, RecoveryClaim,
    RecoveryEntry, SetOffEntry, SuspendAgreement, TerminateAgreement, WriteOffRecovery,
};
pub use membership::{Application, Cessation, ChangeClass, MISSING_MAX, MembershipAct, Receipt};
pub use motion::{
    AdmitMember, AmendCharter, Appointment, BALLOT_DAYS_MAX, Ballot, BallotVote, Choice,
    ConflictKind, Declaration, EFFECT_MAX_BYTES, ElectSeat, MotionAct, MotionEffect, MotionMinutes,
    NAMES_MAX, Proposal, RaiseProtocol, RemoveAuditor, RemoveHolder, RescindMotion, RevealBallot,
};
pub use node::{NodeAct, NodeKeys, NodeUpdate};
pub use nonce::Nonce;
pub use notice::{
    AcceptPlan, ExpelMember, HearingEntry, LiftSuspension, NoticeAbout, NoticeChannel, NoticeEntry,
    PLAN_PARTS_MAX, PlanEntry, PlanPart, ProceedingEntry, SuspendMember, UpholdAppeal,
};
pub use organisation::{
    AnnulRelation, JoinRelation, OrganisationAct, Registration, RelationClaim, UndoRelation,
};
pub use payment::{
    Decision, EVIDENCE_MAX, Evidence, EvidenceKind, Finding, Instruction, PaymentAct, Scheme,
    Tranche,
};
pub use people::{
    CHANGE_MAX, DelegatedObject, DelegationGrant, KeyRotation, NewKey, OfficersChange, Particulars,
    RatifyRevocation, RecoverKeys, RecoveryPlan, further_key, joining,
};
pub use share::Share;

/// Longest record, in bytes (RULINGS A19).
pub const RECORD_MAX_BYTES: usize = 32 * 1024;
/// How far ahead `valid_until_ms` may lie when the record is proposed: 30 days.
pub const VALIDITY_MAX_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// By what right an officer signs.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Capacity {
    /// A role the person holds in the principal.
    Own(Role),
    /// A delegation by number.
    Delegation(u32),
}

/// One officer's signature.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct SignatureEntry {
    /// Person number.
    pub officer: PersonId,
    /// By what right.
    pub capacity: Capacity,
    /// Number of the officer's key, counted from 0 in order of registration.
    pub key: u32,
    /// Over [`Payload::sign_bytes`].
    pub signature: Signature,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Payload {
    /// Genesis hash of the alliance.
    pub chain: Hash,
    /// Organisation number (an office is an organisation) whose act this is.
    pub principal: OrganisationId,
    /// Person number of the officer who began the record; the sequence is theirs.
    pub officer: PersonId,
    /// Per officer; above the highest used, or unused within the 256 below it.
    pub sequence: u64,
    /// Last ledger time at which the record may apply; at most 30 days ahead when proposed.
    pub valid_until_ms: LedgerTime,
    /// What makes the record's id unguessable.
    pub nonce: Nonce,
    /// The act.
    pub body: Body,
}

impl Payload {
    /// The bytes every co-signer signs: 'rollbook/record/v1' 0x00 || payload.
    pub fn sign_bytes(&self) -> Vec<u8> {
        tagged(RECORD_TAG, &[&encode(self)])
    }

    /// The record id.
    pub fn id(&self) -> Hash {
        sha256_tagged(RECORD_TAG, &[&encode(self)])
    }

    /// One officer's signature entry.
    pub fn sign(
        &self,
        officer: PersonId,
        capacity: Capacity,
        key_number: u32,
        key: &Keypair,
    ) -> SignatureEntry {
        SignatureEntry {
            officer,
            capacity,
            key: key_number,
            signature: key.sign_tagged(&self.sign_bytes()),
        }
    }
}

/// A signed record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Record {
    /// What is signed.
    pub payload: Payload,
    /// Strictly ascending by officer; at least one.
    pub signatures: Vec<SignatureEntry>,
}

impl Wire for Record {
    const MAX: usize = RECORD_MAX_BYTES;

    fn check(&self) -> Result<(), DecodeError> {
        self.payload.body.check()?;
        if self.payload.nonce.is_zero() {
            return Err(DecodeError::rule("a record's nonce is not all zero"));
        }
        at_most(
            &self.signatures,
            RECORD_MAX_SIGNATURES,
            "signatures on a record",
        )?;
        if self.signatures.is_empty() {
            return Err(DecodeError::rule("a record has at least one signature"));
        }
        strictly_ascending(&self.signatures, "record signatures", |entry| entry.officer)?;
        if !self
            .signatures
            .iter()
            .any(|entry| entry.officer == self.payload.officer)
        {
            return Err(DecodeError::rule("the initiating officer has not signed"));
        }
        Ok(())
    }
}

/// A number of a person in a lane: no two records hold one (RULINGS A6, A59, A61).
pub type Number = (PersonId, ReadClass, u64);

impl Payload {
    /// The number that the record holds.
    pub fn number(&self) -> Number {
        (self.officer, self.body.read_class(), self.sequence)
    }
}

impl Record {
    /// The record id.
    pub fn id(&self) -> Hash {
        self.payload.id()
    }

    /// The record's leaf.
    pub fn leaf(&self) -> Leaf {
        Leaf {
            clear: record_leaf(&encode(&self.payload), &encode(&self.signatures)),
            class: self.payload.body.read_class(),
        }
    }
}

/// What follows from a record's payload, computed once: the bytes that are signed, and the id.
#[derive(Debug, Clone)]
pub struct SignedBytes {
    /// [`Payload::sign_bytes`].
    pub message: Vec<u8>,
    /// The record id.
    pub id: Hash,
}

impl SignedBytes {
    /// Of a record.
    pub fn of(record: &Record) -> SignedBytes {
        let message = record.payload.sign_bytes();
        SignedBytes {
            id: sha256(&message),
            message,
        }
    }

    /// [`Record::leaf`] of the same record, from the bytes at hand.
    pub fn leaf(&self, record: &Record) -> Leaf {
        Leaf {
            clear: record_leaf(self.payload(), &encode(&record.signatures)),
            class: record.payload.body.read_class(),
        }
    }

    /// Bytes of that leaf.
    pub fn leaf_length(&self, record: &Record) -> usize {
        RecordLeaf::HEAD + self.payload().len() + encode(&record.signatures).len()
    }

    /// The message is the tag, a zero byte, the payload.
    fn payload(&self) -> &[u8] {
        self.message.get(RECORD_TAG.len() + 1..).unwrap_or_default()
    }
}

/// Every act there is, by family (RULINGS A18: organisation, membership, motion, fund, call, award,
/// payment, node, charter).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum Body {
    /// Organisations, persons, keys.
    Organisation(OrganisationAct),
    /// Applications, sponsors, dues, activation.
    Membership(MembershipAct),
    /// Motions and ballots.
    Motion(MotionAct),
    /// Funds and contributions.
    Fund(FundAct),
    /// Calls, applications, reviews.
    Call(CallAct),
    /// Awards, agreements, payee accounts.
    Award(AwardAct),
    /// Milestones and payments.
    Payment(PaymentAct),
    /// Nodes and validator seats.
    Node(NodeAct),
    /// The alliance's order as a whole.
    Charter(CharterAct),
}

impl Body {
    /// The class of act under which the principal's approval policy counts signers.
    pub fn class(&self) -> ActClass {
        match self {
            Body::Organisation(act) => act.class(),
            Body::Membership(act) => act.class(),
            Body::Motion(act) => act.class(),
            Body::Fund(act) => act.class(),
            Body::Call(act) => act.class(),
            Body::Award(act) => act.class(),
            Body::Payment(act) => act.class(),
            Body::Node(act) => act.class(),
            Body::Charter(act) => act.class(),
        }
    }

    /// The post that its holder accepts, declines or gives up by this act, for themselves.
    pub fn own_post(&self) -> Option<PostId> {
        match self {
            Body::Motion(act) => act.own_post(),
            _ => None,
        }
    }

    /// Whether one person does it in their own name: no number of officers is asked of it.
    pub fn is_own(&self) -> bool {
        match self {
            Body::Organisation(act) => act.is_own(),
            _ => self.own_post().is_some(),
        }
    }

    /// Whether the act is about this one thing, to which a delegation may be limited (M33).
    pub fn is_about(&self, object: DelegatedObject) -> bool {
        let named = match self {
            Body::Motion(act) => act.motion().map(DelegatedObject::Motion),
            Body::Award(
                AwardAct::Sign { agreement, .. } | AwardAct::ChangeAccount { agreement, .. },
            ) => Some(DelegatedObject::Agreement(*agreement)),
            Body::Payment(PaymentAct::Request { agreement, .. }) => {
                Some(DelegatedObject::Agreement(*agreement))
            }
            Body::Payment(
                PaymentAct::Acknowledge { payment, .. }
                | PaymentAct::Dispute { payment, .. }
                | PaymentAct::Hold { payment, .. },
            ) => Some(DelegatedObject::Payment(*payment)),
            Body::Call(
                CallAct::Withdraw { application }
                | CallAct::Open { application, .. }
                | CallAct::Appeal { application, .. },
            ) => Some(DelegatedObject::Application(*application)),
            _ => None,
        };
        object == DelegatedObject::Everything || named == Some(object)
    }

    /// Whether exactly one person signs the act (RULINGS R30): a step of the fund's side, where the
    /// chain of several persons is the many eyes.
    pub fn is_of_one_person(&self) -> bool {
        match self {
            Body::Call(act) => act.is_review(),
            Body::Fund(act) => act.is_receipt(),
            Body::Payment(act) => act.is_of_the_fund(),
            Body::Award(act) => act.is_of_the_fund(),
            _ => false,
        }
    }

    /// How many officers of a principal with this policy sign the act.
    pub fn signatures_needed(&self, policy: &ApprovalPolicy) -> u32 {
        // A post is its holder's own, and so is what protects a person: nobody else is asked.
        if self.is_of_one_person() || self.is_own() {
            1
        } else {
            policy.needed(self.class())
        }
    }

    /// The transition this act is, by its number in the rules: `M40`, `F11`; `A2` where a ruling
    /// made it.
    pub fn code(&self) -> &'static str {
        match self {
            Body::Organisation(act) => act.code(),
            Body::Membership(act) => act.code(),
            Body::Motion(act) => act.code(),
            Body::Fund(act) => act.code(),
            Body::Call(act) => act.code(),
            Body::Award(act) => act.code(),
            Body::Payment(act) => act.code(),
            Body::Node(act) => act.code(),
            Body::Charter(act) => act.code(),
        }
    }

    /// The rules of shape of the act itself (step 4 of decoding).
    pub fn check(&self) -> Result<(), DecodeError> {
        match self {
            Body::Organisation(act) => act.check(),
            Body::Membership(act) => act.check(),
            Body::Motion(act) => act.check(),
            Body::Fund(act) => act.check(),
            Body::Call(act) => act.check(),
            Body::Award(act) => act.check(),
            Body::Payment(act) => act.check(),
            Body::Node(act) => act.check(),
            Body::Charter(act) => act.check(),
        }
    }

    /// Signatures inside the act, beside those of the envelope: proofs of possession and a
    /// registration's own. For verifying ahead; the rules check each of them where it counts.
    pub fn signatures(
        &self,
        chain: &Hash,
        principal: OrganisationId,
    ) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        match self {
            Body::Organisation(act) => act.signatures(chain, principal),
            Body::Node(NodeAct::Register(keys)) => keys.signatures(chain, principal),
            Body::Node(NodeAct::Update(update)) => update.signatures(chain, principal),
            _ => Vec::new(),
        }
    }

    /// Who may read it.
    pub fn read_class(&self) -> ReadClass {
        match self {
            // Ballots, dues and proceedings are for members (RULINGS R18, R39); their results are public.
            Body::Motion(act) if act.is_of_a_ballot() => ReadClass::Members,
            Body::Membership(act) if act.is_for_members() => ReadClass::Members,
            _ => ReadClass::Public,
        }
    }
}
