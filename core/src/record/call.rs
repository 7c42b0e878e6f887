//! Acts on calls, applications and reviews (F05 to F10, F37 to F40; RULINGS A4, R22), and what
//! motions decide about them.

use bincode::{Decode, Encode};
use rollbook_proof::answer::{Answer, Verdict as AnswerVerdict, verify_answer};
use rollbook_proof::codec::{DecodeError, Text, at_most, encode, strictly_ascending};
use rollbook_proof::crypto::{Hash, PublicKey, Signature, sha256_tagged};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::calendar::LocalDay;
use crate::charter::Class;
use crate::id::{
    AgreementId, ApplicationId, CallId, DirectionId, DrawId, FundId, MotionId, PersonId, ReviewId,
};
use crate::identity::{ActClass, Name};
use crate::record::{ConflictKind, Nonce, Payload};

/// Most criteria of one call.
pub const CRITERIA_MAX: usize = 12;
/// Most published codes of ineligibility of one call.
pub const CODES_MAX: usize = 16;
/// Highest score a criterion may allow.
pub const SCORE_MAX: u32 = 1_000;
/// Longest terms, so that a motion that carries them and the call stay proved values.
pub const TERMS_MAX_BYTES: usize = 2_400;
/// Most applications of one group that the terms of a call may allow.
pub const PER_GROUP_MAX: u32 = 100;
/// Most persons in one act on a pool.
pub const POOL_ENTRY_MAX: usize = 128;

/// One criterion of a call.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Criterion {
    /// Short code, such as `quality`.
    pub code: Text<40>,
    /// Weight in basis points; all weights of a call sum to 10,000.
    pub weight_bp: u32,
    /// Scores are 0 to this.
    pub score_max: u32,
    /// Least mean score; 0 for none.
    pub threshold: u32,
}

/// How equal totals are told apart, one after the other.
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
#[serde(rename_all = "kebab-case")]
pub enum TieBreak {
    /// The higher sum on this criterion, counted from 0.
    Criterion(u32),
    /// The smaller ask.
    SmallerAsk,
    /// The earlier submission.
    Earlier,
}

/// Who may apply.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Eligibility {
    /// Classes of members, strictly ascending.
    pub classes: Vec<Class>,
    /// Registered organisations that are not members as well (RULINGS R16).
    pub outsiders: bool,
    /// The applicant works in the call's direction.
    pub in_direction: bool,
}

/// How many applications of one group a call takes (RULINGS R33).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct PerGroup {
    /// That wait at a time: neither withdrawn nor void nor decided.
    pub waiting: u32,
    /// In all, withdrawn ones included.
    pub handed_in: u32,
}

impl Default for PerGroup {
    fn default() -> PerGroup {
        PerGroup {
            waiting: 2,
            handed_in: 5,
        }
    }
}

/// What is granted. Grows only at its end; each instrument comes with its rules.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Instrument {
    /// Money or resources for a purpose, not paid back.
    #[default]
    Grant,
}

crate::words!(Instrument, "instrument", {
    Grant = "grant",
});

/// A partner of a joint application with its part of the ask (RULINGS R46). The lead's part is the
/// rest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Part {
    /// The partner.
    pub organisation: OrganisationId,
    /// Its part, in minor units.
    pub amount: Amount,
}

/// Most partners beside the lead (RULINGS R46).
pub const PARTNERS_MAX: usize = 7;

/// Shape of parts: few, in order, each of them something.
pub(super) fn check_parts(partners: &[Part], whole: Amount) -> Result<(), DecodeError> {
    at_most(partners, PARTNERS_MAX, "partners")?;
    strictly_ascending(partners, "partners", |part| part.organisation)?;
    let sum: u128 = partners.iter().map(|part| u128::from(part.amount)).sum();
    if partners.iter().any(|part| !part.amount.is_payable()) || sum > u128::from(whole) {
        return Err(DecodeError::rule(
            "each partner has a part, and the parts are within the whole",
        ));
    }
    Ok(())
}

/// F05: the terms of a call, as the effect of a board motion `open call`. Frozen by hash when
/// published.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct CallTerms {
    /// The fund.
    pub fund: FundId,
    /// What it grants.
    pub instrument: Instrument,
    /// Its names.
    pub title: Name,
    /// The direction whose earmark is used first; none for a call across directions.
    pub direction: Option<DirectionId>,
    /// Minor units, allocated when published.
    pub budget: Amount,
    /// Largest ask; at most the budget.
    pub ask_max: Amount,
    /// What is scored, in order.
    pub criteria: Vec<Criterion>,
    /// Least mean total, in basis points times score (0 to 10,000 times the highest score); 0 for
    /// none.
    pub threshold: u64,
    /// Fewest final reviews; at least the charter's.
    pub reviewers: u32,
    /// Largest share of one group in the budget, in basis points; none for the charter's (RULINGS
    /// R2).
    pub concentration_bp: Option<u32>,
    /// How equal totals are told apart.
    pub tie_breaks: Vec<TieBreak>,
    /// Who may apply.
    pub eligibility: Eligibility,
    /// How many applications of one group it takes.
    pub per_group: PerGroup,
    /// Published codes of ineligibility, strictly ascending; a verdict cites one.
    pub codes: Vec<Text<40>>,
    /// Local day on which submissions open.
    pub opens_day: LocalDay,
    /// Local day at whose end submissions close.
    pub closes_day: LocalDay,
    /// SHA-256 of the call document.
    pub document: Hash,
}

impl CallTerms {
    /// The hash that freezes the terms.
    pub fn hash(&self) -> Hash {
        sha256_tagged("rollbook/call-terms/v1", &[&encode(self)])
    }

    /// Shape: weights sum to 10,000, ranges, order, tie-breaks that name criteria.
    pub fn check(&self) -> Result<(), DecodeError> {
        let wrong = |why: &str| Err(DecodeError::rule(why));
        at_most(&self.criteria, CRITERIA_MAX, "criteria")?;
        at_most(&self.codes, CODES_MAX, "codes of ineligibility")?;
        at_most(&self.tie_breaks, CRITERIA_MAX + 2, "tie-breaks")?;
        strictly_ascending(&self.codes, "codes of ineligibility", Clone::clone)?;
        strictly_ascending(&self.eligibility.classes, "classes", |class| *class)?;
        if self.title.native.is_empty() || self.title.latin.is_empty() {
            return wrong("a title is missing");
        }
        if self.budget == Amount::ZERO || self.ask_max == Amount::ZERO || self.ask_max > self.budget
        {
            return wrong("budget and largest ask are not zero, and the ask is within the budget");
        }
        if self
            .criteria
            .iter()
            .map(|criterion| u64::from(criterion.weight_bp))
            .sum::<u64>()
            != 10_000
        {
            return wrong("the weights do not sum to 10,000 basis points");
        }
        for (i, criterion) in self.criteria.iter().enumerate() {
            if criterion.code.is_empty()
                || self
                    .criteria
                    .iter()
                    .skip(i + 1)
                    .any(|other| other.code == criterion.code)
            {
                return wrong("a criterion has no code, or one that is used twice");
            }
            if criterion.weight_bp == 0
                || criterion.score_max == 0
                || criterion.score_max > SCORE_MAX
            {
                return wrong("a criterion has a weight and a highest score of at most 1,000");
            }
            if criterion.threshold > criterion.score_max {
                return wrong("a threshold is above the highest score");
            }
        }
        if encode(self).len() > TERMS_MAX_BYTES {
            return wrong("the terms are longer than 2,400 bytes");
        }
        let best: u64 = self
            .criteria
            .iter()
            .map(|c| u64::from(c.weight_bp) * u64::from(c.score_max))
            .sum();
        if self.threshold > best {
            return wrong("the threshold is above the best total");
        }
        if self.codes.is_empty() || self.codes.iter().any(|code| code.is_empty()) {
            return wrong("a call publishes its codes of ineligibility");
        }
        if self.eligibility.classes.is_empty() && !self.eligibility.outsiders {
            return wrong("nobody may apply");
        }
        let PerGroup { waiting, handed_in } = self.per_group;
        if waiting == 0 || waiting > handed_in || handed_in > PER_GROUP_MAX {
            return wrong("a group has at least one application, waiting at most all of them");
        }
        if self.eligibility.in_direction && self.direction.is_none() {
            return wrong("a call without direction cannot ask for one");
        }
        if self
            .concentration_bp
            .is_some_and(|bp| bp == 0 || bp > 10_000)
        {
            return wrong("a concentration limit is 1 to 10,000 basis points");
        }
        if self.opens_day > self.closes_day || self.opens_day < LocalDay(0) {
            return wrong("a call opens before it closes");
        }
        if self.closes_day > LocalDay::LAST {
            return wrong("a call closes before the year 10000");
        }
        for (i, tie_break) in self.tie_breaks.iter().enumerate() {
            if self
                .tie_breaks
                .iter()
                .skip(i + 1)
                .any(|other| other == tie_break)
            {
                return wrong("a tie-break is named twice");
            }
            if let TieBreak::Criterion(index) = tie_break
                && *index as usize >= self.criteria.len()
            {
                return wrong("a tie-break names a criterion that is not there");
            }
        }
        Ok(())
    }
}

/// What an applicant keeps sealed until the opening. Bytes of a known shape, so that anybody checks
/// the commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct ApplicationContent {
    /// Hash of the project: one application of a group with it counts (RULINGS R33).
    pub project: Hash,
    /// Title of the project.
    pub title: Text<200>,
    /// What is asked for, in minor units, the parts of partners included.
    pub ask: Amount,
    /// Partners of the applicant, which is the lead, ascending (RULINGS R46). They have no acts in
    /// this build, so one that names any is not opened.
    pub partners: Vec<Part>,
    /// SHA-256 of the encrypted application document (RULINGS R16).
    pub document: Hash,
}

impl ApplicationContent {
    /// The commitment: 'rollbook/application/v1' 0x00 || salt || call || applicant || content.
    pub fn commitment(&self, salt: &[u8; 32], call: CallId, applicant: OrganisationId) -> Hash {
        sha256_tagged(
            "rollbook/application/v1",
            &[salt, &encode(&(call, applicant)), &encode(self)],
        )
    }
}

/// F06: what is signed before the deadline.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Submission {
    /// The call.
    pub call: CallId,
    /// [`ApplicationContent::commitment`].
    pub commitment: Hash,
    /// Seen receipts of an earlier record with this submission, if that record came late (RULINGS
    /// A4).
    pub seen: Option<SeenEarlier>,
}

/// A validator's word that it took a record into its pool at a time (RULINGS A4).
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
pub struct SeenReceipt {
    /// The validator's organisation.
    pub validator: OrganisationId,
    /// SHA-256 of the bytes that were handed in to it.
    pub bytes: Hash,
    /// Its clock, in ledger milliseconds.
    pub time_ms: LedgerTime,
    /// Height of its tip.
    pub height: Height,
    /// By its log key over the answer that [`SeenReceipt::answer`] gives back.
    pub signature: Signature,
}

impl SeenReceipt {
    /// The part of a node's signed answer that a record carries; none if the answer is a refusal.
    pub fn of(answer: &Answer, signature: Signature) -> Option<SeenReceipt> {
        let Answer {
            bytes,
            time_ms,
            height,
            node,
            ..
        } = *answer;
        (answer.verdict == AnswerVerdict::Seen).then_some(SeenReceipt {
            validator: node,
            bytes,
            time_ms,
            height,
            signature,
        })
    }

    /// The answer that was signed.
    pub fn answer(&self, chain: Hash, record: Hash) -> Answer {
        let SeenReceipt {
            validator,
            bytes,
            time_ms,
            height,
            ..
        } = *self;
        Answer {
            chain,
            bytes,
            record,
            height,
            time_ms,
            node: validator,
            verdict: AnswerVerdict::Seen,
        }
    }

    /// Whether the signature verifies under `key`, the validator's log key.
    pub fn verify(&self, chain: &Hash, record: &Hash, key: &PublicKey) -> bool {
        verify_answer(&encode(&self.answer(*chain, *record)), key, &self.signature).is_some()
    }
}

/// Names an earlier record with the same submission, so that its id can be recomputed, and who saw
/// it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct SeenEarlier {
    /// Who began the earlier record.
    pub officer: PersonId,
    /// Its sequence.
    pub sequence: u64,
    /// Its limit.
    pub valid_until_ms: LedgerTime,
    /// Its nonce.
    pub nonce: Nonce,
    /// Receipts, strictly ascending by validator.
    pub receipts: Vec<SeenReceipt>,
}

impl SeenEarlier {
    /// Id of the earlier record of `principal` with `submission`.
    pub fn record(&self, chain: Hash, principal: OrganisationId, submission: &Submission) -> Hash {
        let body = super::Body::Call(CallAct::Submit(Submission {
            seen: None,
            ..submission.clone()
        }));
        let payload = Payload {
            chain,
            principal,
            officer: self.officer,
            sequence: self.sequence,
            valid_until_ms: self.valid_until_ms,
            nonce: self.nonce,
            body,
        };
        payload.id()
    }
}

/// F07: the programme officer's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum Verdict {
    /// It may be reviewed.
    Eligible,
    /// It may not; appeal within ten days.
    Ineligible {
        /// A published code.
        code: Text<40>,
        /// Salted commitment to the reasons.
        reason: Hash,
    },
}

/// F40: what a board motion decides about an appeal against ineligibility. The motion passes:
/// granted. It fails: dismissed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct DecideAppeal {
    /// The application.
    pub application: ApplicationId,
}

/// F38: cancels a call, as the effect of a board motion.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct CancelCall {
    /// The call.
    pub call: CallId,
    /// SHA-256 of the reasons.
    pub reason: Hash,
}

/// The pools of RULINGS R7.
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
#[serde(rename_all = "kebab-case")]
pub enum PoolKind {
    /// Reviewers of applications.
    Reviewers,
    /// Assessors of milestones.
    Assessors,
}

crate::words!(PoolKind, "pool", {
    Reviewers = "reviewers",
    Assessors = "assessors",
});

/// Confirms persons of a pool, as the effect of a board motion `pool` (RULINGS R7, R22).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct ConfirmPool {
    /// Which pool.
    pub pool: PoolKind,
    /// Persons entered by the programme officer, strictly ascending.
    pub persons: Vec<PersonId>,
}

impl ConfirmPool {
    /// Shape: somebody, in order.
    pub fn check(&self) -> Result<(), DecodeError> {
        check_persons(&self.persons)
    }
}

fn check_persons(persons: &[PersonId]) -> Result<(), DecodeError> {
    strictly_ascending(persons, "persons of a pool", |person| *person)?;
    at_most(persons, POOL_ENTRY_MAX, "persons of a pool")?;
    if persons.is_empty() {
        return Err(DecodeError::rule("a pool act names persons"));
    }
    Ok(())
}

/// F09: what a reviewer says before anything else. "Clear" is the signed "none" of domain 1.8.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub enum ReviewDeclaration {
    /// No conflict of any kind.
    Clear,
    /// A conflict.
    Recused(ConflictKind),
    /// No time or no wish.
    Declined,
}

/// Scores of one review, per criterion in the call's order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Scores(pub Vec<u32>);

impl Scores {
    /// The seal: 'rollbook/review/v1' 0x00 || salt || review || scores || comment.
    pub fn seal(&self, salt: &[u8; 32], review: ReviewId, comment: &Hash) -> Hash {
        sha256_tagged(
            "rollbook/review/v1",
            &[salt, &encode(&review), &encode(self), &comment.0],
        )
    }
}

/// F09: a score changed at the panel; the old one stays visible.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Revision {
    /// The new scores.
    pub scores: Scores,
    /// Salted commitment to the reason.
    pub reason: Hash,
}

/// What a draw is for.
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
#[serde(rename_all = "kebab-case")]
pub enum DrawFor {
    /// Reviewers of a call.
    Call(CallId),
    /// Assessors of an agreement.
    Agreement(AgreementId),
    /// Who of those equal at the last seat of an election is elected (RULINGS R10).
    Election(MotionId),
}

/// The commitment to 32 random bytes: 'rollbook/draw-commit/v1' 0x00 || draw || attempt || person
/// || bytes. It names them, so that neither a commitment of another nor bytes already revealed can
/// be used.
pub fn draw_commitment(draw: DrawId, attempt: u32, person: PersonId, secret: &[u8; 32]) -> Hash {
    sha256_tagged(
        "rollbook/draw-commit/v1",
        &[&encode(&(draw, attempt, person)), secret],
    )
}

/// Acts on calls, applications, pools, draws, reviews. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum CallAct {
    /// F06.
    Submit(Submission),
    /// F39.
    Withdraw {
        /// The application.
        application: ApplicationId,
    },
    /// F07: the applicant or the programme officer opens.
    Open {
        /// The application.
        application: ApplicationId,
        /// What was sealed.
        content: ApplicationContent,
        /// Its salt.
        salt: [u8; 32],
    },
    /// F07: the programme officer judges; signing declares that there is no conflict.
    Judge {
        /// The application.
        application: ApplicationId,
        /// The verdict.
        verdict: Verdict,
    },
    /// F40: the applicant appeals against ineligibility.
    Appeal {
        /// The application.
        application: ApplicationId,
        /// Salted commitment to the grounds.
        grounds: Hash,
    },
    /// R7: the programme officer enters persons into a pool.
    EnterPool {
        /// Which.
        pool: PoolKind,
        /// Persons, strictly ascending.
        persons: Vec<PersonId>,
    },
    /// R22: the programme officer freezes the pool of a draw.
    FreezePool {
        /// For what.
        subject: DrawFor,
    },
    /// R22: commits to 32 random bytes.
    CommitDraw {
        /// The draw.
        draw: DrawId,
        /// [`draw_commitment`].
        commitment: Hash,
    },
    /// R22: reveals them.
    RevealDraw {
        /// The draw.
        draw: DrawId,
        /// The bytes.
        secret: [u8; 32],
    },
    /// F09: declares.
    Declare {
        /// The review.
        review: ReviewId,
        /// What.
        declaration: ReviewDeclaration,
    },
    /// F09: seals scores.
    Seal {
        /// The review.
        review: ReviewId,
        /// [`Scores::seal`].
        seal: Hash,
    },
    /// F09: reveals them.
    Reveal {
        /// The review.
        review: ReviewId,
        /// The scores.
        scores: Scores,
        /// Salted commitment to the written comment.
        comment: Hash,
        /// The salt.
        salt: [u8; 32],
    },
    /// F09: makes the review final, with a change at the panel if there was one.
    Finalise {
        /// The review.
        review: ReviewId,
        /// The change.
        revision: Option<Revision>,
    },
    /// F10: asks for the ranking; `apply` computes it.
    Rank {
        /// The call.
        call: CallId,
    },
    /// F29: the programme officer closes a decided call.
    Close {
        /// The call.
        call: CallId,
    },
}

impl CallAct {
    pub(super) fn class(&self) -> ActClass {
        ActClass::General
    }

    /// Acts of a reviewer.
    pub(super) fn is_review(&self) -> bool {
        matches!(
            self,
            CallAct::Declare { .. }
                | CallAct::Seal { .. }
                | CallAct::Reveal { .. }
                | CallAct::Finalise { .. }
        )
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            CallAct::Submit(_) => "F06",
            CallAct::Open { .. } | CallAct::Judge { .. } => "F07",
            CallAct::Withdraw { .. } => "F39",
            CallAct::Appeal { .. } => "F40",
            CallAct::EnterPool { .. } => "R7",
            CallAct::FreezePool { .. }
            | CallAct::CommitDraw { .. }
            | CallAct::RevealDraw { .. } => "R22",
            CallAct::Declare { .. }
            | CallAct::Seal { .. }
            | CallAct::Reveal { .. }
            | CallAct::Finalise { .. } => "F09",
            CallAct::Rank { .. } => "F10",
            CallAct::Close { .. } => "F29",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            CallAct::Submit(submission) => match &submission.seen {
                Some(seen) => {
                    at_most(
                        &seen.receipts,
                        rollbook_proof::chain::MAX_VALIDATORS,
                        "seen receipts",
                    )?;
                    strictly_ascending(&seen.receipts, "seen receipts", |receipt| receipt.validator)
                }
                None => Ok(()),
            },
            CallAct::Open { content, .. } if content.title.is_empty() => {
                Err(DecodeError::rule("a title is missing"))
            }
            CallAct::Open { content, .. } => check_parts(&content.partners, content.ask),
            CallAct::EnterPool { persons, .. } => check_persons(persons),
            CallAct::Reveal { scores, .. } => at_most(&scores.0, CRITERIA_MAX, "scores"),
            CallAct::Finalise {
                revision: Some(revision),
                ..
            } => at_most(&revision.scores.0, CRITERIA_MAX, "scores"),
            _ => Ok(()),
        }
    }
}
