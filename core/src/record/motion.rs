//! Acts on motions (domain 1.6, 1.8; RULINGS R1, R10) and the typed effects that motions carry.
//!
//! * A motion carries its effect as a typed record; the tally decides that, the text (a hash)
//!   explains it.
//! * Ballots are named. Of kinds that the charter seals (elections and discipline unless it says
//!   otherwise), a ballot is a commitment, revealed after the close (RULINGS R15, R31).
//! * [`MotionEffect`] grows only at its end.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, at_most, encode, strictly_ascending};
use rollbook_proof::crypto::{Hash, sha256_tagged};
use rollbook_proof::number::{Height, OrganisationId, ProtocolVersion};

use crate::charter::motions::MotionKind;
use crate::id::{CharterVersion, MembershipId, MotionId, PersonId, PostId, SeatId};
use crate::identity::{ActClass, Role, Scope};
use crate::record::{
    AcceptPlan, AdmitObserver, AnnulRelation, AppointCommittee, CallTerms, CancelCall, ChangeClass,
    ConfirmPool, CreateFund, DecideAppeal, ElectChair, EndObserver, ExpelMember, GrantAward,
    JoinRelation, LiftHold, LiftSuspension, NameLead, OrderRecovery, PlaceApplication,
    RatifyRevocation, RecoverKeys, RevokeAward, ScreenAgain, SuspendAgreement, SuspendMember,
    TerminateAgreement, UndoRelation, UpholdAppeal, WriteOffInstalment, WriteOffRecovery,
};

/// Largest encoded effect, so that a motion with its tally stays a proved value.
pub const EFFECT_MAX_BYTES: usize = 2_560;
/// Longest ballot in days that a record can name; the rule of the kind is usually shorter.
pub const BALLOT_DAYS_MAX: u32 = 366;

/// What happens when a motion passes. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum MotionEffect {
    /// M08: the applicant is admitted. Opened by M07, never by a proposal.
    Admit(AdmitMember),
    /// R10: a motion that passed and still stays is undone. The ballot ends with the stay.
    Rescind(RescindMotion),
    /// M35: a post is filled once its holder accepts.
    Appoint(Appointment),
    /// M35: a post ends; not that of the auditor.
    Remove(RemoveHolder),
    /// F01: a fund. Boxed like the other long one: a ledger holds far more appointments and awards
    /// than funds and calls.
    CreateFund(Box<CreateFund>),
    /// R7: the investment committee of a fund.
    AppointCommittee(AppointCommittee),
    /// F35: the defaulted rest of an instalment is given up.
    WriteOffInstalment(WriteOffInstalment),
    /// F05: a call is published.
    PublishCall(Box<CallTerms>),
    /// F38: a call is cancelled.
    CancelCall(CancelCall),
    /// R7: persons of a pool are confirmed.
    ConfirmPool(ConfirmPool),
    /// F40: an appeal against ineligibility is granted. Opened by the appeal, never by a proposal.
    DecideAppeal(DecideAppeal),
    /// F11, F41: an award.
    GrantAward(GrantAward),
    /// F11: a ranked application gets no award now.
    PlaceApplication(PlaceApplication),
    /// F12: an award is revoked.
    RevokeAward(RevokeAward),
    /// F19: a payment is released from hold.
    LiftHold(LiftHold),
    /// A18: the next rule version.
    RaiseProtocol(RaiseProtocol),
    /// M35: the auditor's post ends (RULINGS R29: by the assembly).
    RemoveAuditor(RemoveAuditor),
    /// M36: seats of the board are filled by election.
    ElectSeat(ElectSeat),
    /// R37: a deposited charter comes into force.
    AmendCharter(AmendCharter),
    /// M23: an emergency revocation lasts.
    RatifyRevocation(RatifyRevocation),
    /// R23: an organisation's keys are recovered.
    RecoverKeys(RecoverKeys),
    /// M37: a member leads a direction.
    NameLead(NameLead),
    /// M38: an observer is admitted, or reads in another way.
    AdmitObserver(AdmitObserver),
    /// M38: an observer is one no longer.
    EndObserver(EndObserver),
    /// R48: the chair is elected by the assembly.
    ElectChair(ElectChair),
    /// M41: an application whose screening ended by mistake is screened again.
    ScreenAgain(ScreenAgain),
    /// M14: a member is suspended.
    SuspendMember(SuspendMember),
    /// M15: a suspension is lifted.
    LiftSuspension(LiftSuspension),
    /// M16: a member is expelled.
    ExpelMember(ExpelMember),
    /// M17: an expelled member's appeal is upheld. Opened by the appeal, never by a proposal.
    UpholdAppeal(UpholdAppeal),
    /// M28: a long plan to pay dues is accepted.
    AcceptPlan(AcceptPlan),
    /// M22: a member has another class. Opened by its request, never by a proposal.
    ChangeClass(ChangeClass),
    /// M24: the board finds that two companies are related.
    JoinRelation(JoinRelation),
    /// M24: the board finds that they never were.
    AnnulRelation(AnnulRelation),
    /// R27: the assembly upholds an appeal against that. Opened by the appeal, never by a proposal.
    UndoRelation(UndoRelation),
    /// F24: an agreement is suspended as it was announced.
    SuspendAgreement(SuspendAgreement),
    /// F25: an agreement ends as it was announced.
    TerminateAgreement(TerminateAgreement),
    /// F26: a recovery is ordered.
    OrderRecovery(OrderRecovery),
    /// F27: what is open of a recovery is given up.
    WriteOffRecovery(WriteOffRecovery),
}

/// M36: seats of the board are filled by election (RULINGS R10, R28). The ballots say by whom.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct ElectSeat {
    /// The seats that are filled anew, strictly ascending: a successor displaces their holders.
    pub seats: Vec<SeatId>,
    /// Seats besides, which nobody has held: where the charter has more than there are.
    pub further: u32,
}

impl ElectSeat {
    /// How many are elected; 0 if that is no number of seats.
    pub fn places(&self) -> u32 {
        u32::try_from(self.seats.len()).map_or(0, |seats| seats.saturating_add(self.further))
    }

    fn check(&self) -> Result<(), DecodeError> {
        strictly_ascending(&self.seats, "seats that an election fills", |seat| *seat)?;
        if !(1..=NAMES_MAX as u64).contains(&u64::from(self.places())) {
            return Err(DecodeError::rule(format!(
                "an election fills 1 to {NAMES_MAX} seats"
            )));
        }
        Ok(())
    }
}

/// R37: a deposited charter comes into force. It is named by its digest, and with the version that it
/// replaces, so that nobody amends what has changed meanwhile.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct AmendCharter {
    /// SHA-256 of the encoded draft.
    pub digest: Hash,
    /// The version that it replaces.
    pub replaces: CharterVersion,
}

/// M08: an applicant is admitted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct AdmitMember {
    /// Membership number.
    pub membership: MembershipId,
}

/// R10: a motion that passed and still stays is undone.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct RescindMotion {
    /// The motion that stays.
    pub motion: MotionId,
}

/// M35: a post ends.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct RemoveHolder {
    /// Post number.
    pub post: PostId,
}

/// M35: the auditor's post ends.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct RemoveAuditor {
    /// Post number.
    pub post: PostId,
}

/// An amendment of the charter that puts the next rule version in force (RULINGS A18).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct RaiseProtocol {
    /// The version: one above that in force.
    pub protocol: ProtocolVersion,
    /// The first height under it. If the chain is past it when the amendment takes effect, the next
    /// block.
    pub from_height: Height,
    /// The first release of the program that knows it, for those who must install it.
    pub release: Text<40>,
}

/// A post to be filled (RULINGS R7).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Appointment {
    /// The office.
    pub office: OrganisationId,
    /// A post role.
    pub role: Role,
    /// Alliance or one fund.
    pub scope: Scope,
    /// Person number.
    pub holder: PersonId,
    /// Person number of the deputy.
    pub deputy: Option<PersonId>,
    /// The post that is filled anew (RULINGS R28): its holder goes on acceptance, or, if it is the
    /// same person, stays for another term. None for a further post.
    pub succeeds: Option<PostId>,
}

impl MotionEffect {
    /// The kind, which selects the rule. None for a rescission: it is decided as the motion that it
    /// undoes.
    pub fn kind(&self) -> Option<MotionKind> {
        match self {
            MotionEffect::Admit(_) => Some(MotionKind::Admit),
            MotionEffect::Rescind(_) => None,
            MotionEffect::Appoint(appointment) if appointment.role == Role::Auditor => {
                Some(MotionKind::AppointAuditor)
            }
            MotionEffect::RemoveAuditor(_) => Some(MotionKind::AppointAuditor),
            MotionEffect::Appoint(_) => Some(MotionKind::Appoint),
            MotionEffect::Remove(_) => Some(MotionKind::Remove),
            MotionEffect::CreateFund(_) => Some(MotionKind::CreateFund),
            MotionEffect::AppointCommittee(_) => Some(MotionKind::Appoint),
            MotionEffect::WriteOffInstalment(_) => Some(MotionKind::WriteOff),
            MotionEffect::GrantAward(plan) if plan.out_of_rank.is_some() => {
                Some(MotionKind::AwardOutOfRank)
            }
            MotionEffect::GrantAward(_) | MotionEffect::PlaceApplication(_) => {
                Some(MotionKind::Award)
            }
            MotionEffect::RevokeAward(_) => Some(MotionKind::TerminateAgreement),
            MotionEffect::LiftHold(_) => Some(MotionKind::LiftHold),
            MotionEffect::PublishCall(_) | MotionEffect::CancelCall(_) => {
                Some(MotionKind::OpenCall)
            }
            MotionEffect::ConfirmPool(_) => Some(MotionKind::Pool),
            MotionEffect::DecideAppeal(_) => Some(MotionKind::DecideAppeal),
            MotionEffect::RaiseProtocol(_) | MotionEffect::AmendCharter(_) => {
                Some(MotionKind::AmendCharter)
            }
            MotionEffect::ElectSeat(_) => Some(MotionKind::ElectSeat),
            MotionEffect::RatifyRevocation(_) => Some(MotionKind::RatifyRevocation),
            MotionEffect::RecoverKeys(_) => Some(MotionKind::RecoverKeys),
            MotionEffect::NameLead(_) => Some(MotionKind::Appoint),
            MotionEffect::AdmitObserver(_) | MotionEffect::EndObserver(_) => {
                Some(MotionKind::Observer)
            }
            MotionEffect::ElectChair(_) => Some(MotionKind::ElectSeat),
            MotionEffect::ScreenAgain(_) => Some(MotionKind::Correct),
            MotionEffect::SuspendMember(_) => Some(MotionKind::Suspend),
            MotionEffect::LiftSuspension(_) => Some(MotionKind::Lift),
            MotionEffect::ExpelMember(_) => Some(MotionKind::Expel),
            MotionEffect::UpholdAppeal(_) => Some(MotionKind::Appeal),
            MotionEffect::AcceptPlan(_) => Some(MotionKind::PaymentPlan),
            MotionEffect::ChangeClass(_) => Some(MotionKind::ClassChange),
            MotionEffect::JoinRelation(_)
            | MotionEffect::AnnulRelation(_)
            | MotionEffect::UndoRelation(_) => Some(MotionKind::Relate),
            MotionEffect::SuspendAgreement(_)
            | MotionEffect::TerminateAgreement(_)
            | MotionEffect::OrderRecovery(_) => Some(MotionKind::TerminateAgreement),
            MotionEffect::WriteOffRecovery(_) => Some(MotionKind::WriteOff),
        }
    }

    /// Shape of the effect alone.
    pub fn check(&self) -> Result<(), DecodeError> {
        if encode(self).len() > EFFECT_MAX_BYTES {
            return Err(DecodeError::rule(format!(
                "the effect of a motion is longer than {EFFECT_MAX_BYTES} bytes"
            )));
        }
        match self {
            MotionEffect::Appoint(appointment) if !appointment.role.is_post() => {
                Err(DecodeError::rule("only posts are filled by appointment"))
            }
            MotionEffect::Appoint(appointment)
                if appointment.deputy == Some(appointment.holder) =>
            {
                Err(DecodeError::rule("nobody is their own deputy"))
            }
            MotionEffect::CreateFund(plan) => plan.check(),
            MotionEffect::AppointCommittee(plan) => plan.check(),
            MotionEffect::PublishCall(terms) => terms.check(),
            MotionEffect::ConfirmPool(plan) => plan.check(),
            MotionEffect::GrantAward(plan) => plan.check(),
            MotionEffect::ElectSeat(plan) => plan.check(),
            MotionEffect::OrderRecovery(plan) => plan.check(),
            MotionEffect::RaiseProtocol(plan) if plan.release.as_str().is_empty() => {
                Err(DecodeError::rule(
                    "an amendment of the rule version names the release that knows it",
                ))
            }
            _ => Ok(()),
        }
    }
}

/// A choice.
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
pub enum Choice {
    /// For.
    Yes,
    /// Against.
    No,
    /// Takes part, decides nothing.
    Abstain,
}

/// Kinds of conflict that are declared (domain 1.8); `same_org`, `same_group` and `sponsor_of` are
/// computed.
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
pub enum ConflictKind {
    /// Competes with a party.
    Competitor,
    /// Has invested in a party.
    Investor,
    /// Employed or paid by a party in the last 36 months.
    EmploymentOrPaid,
    /// Family or personal ties.
    FamilyOrPersonal,
    /// Anything else.
    Other,
}

/// A signed declaration of interest in one matter. Mandatory with every ballot and score; `None` is
/// a signed "none".
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
pub enum Declaration {
    /// No conflict.
    None,
    /// A conflict: the whole group is recused from the matter. It is not taken back.
    Conflict(ConflictKind),
}

/// A motion as proposed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Proposal {
    /// What it does.
    pub effect: MotionEffect,
    /// Days the ballot is open, within the rule of the kind. A rescission gives 0: its ballot ends
    /// with the stay.
    pub ballot_days: u32,
    /// SHA-256 of the text that explains it.
    pub text: Hash,
}

/// What a ballot says (RULINGS R31).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BallotVote {
    /// For, against, or neither.
    Choice(Choice),
    /// Who is elected: organisations, strictly ascending.
    Names(Vec<OrganisationId>),
    /// A commitment to either, revealed after the close.
    Sealed(Hash),
}

/// Most records that a ballot replaces.
pub const REPLACES_MAX: usize = 4;
/// Most names on a ballot.
pub const NAMES_MAX: usize = 64;

/// A ballot (RULINGS A47).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Ballot {
    /// Motion number.
    pub motion: MotionId,
    /// The round of ballots on it, from 1.
    pub round: u32,
    /// Record ids of ballots that it replaces, also of some that have not arrived; strictly
    /// ascending. The initiating officer's own earlier one need not be named.
    pub replaces: Vec<Hash>,
    /// What it says.
    pub vote: BallotVote,
    /// The published criterion that a "no" to an admission cites (M08), and nothing else does.
    pub criterion: Option<Text<40>>,
    /// Declaration of interest: of whoever signs.
    pub declaration: Declaration,
    /// R38: the member for which it is cast by the holder of its proxy; none: for oneself.
    pub proxy_for: Option<OrganisationId>,
}

impl BallotVote {
    /// What stands in a sealed ballot (RULINGS R31): 'rollbook/ballot/v1' 0x00 || salt || motion, round,
    /// organisation whose voice it is || vote. Nobody can use another's, or one of another round.
    pub fn commitment(
        &self,
        salt: &[u8; 32],
        motion: MotionId,
        round: u32,
        organisation: OrganisationId,
    ) -> Hash {
        sha256_tagged(
            "rollbook/ballot/v1",
            &[salt, &encode(&(motion, round, organisation)), &encode(self)],
        )
    }

    fn check(&self) -> Result<(), DecodeError> {
        if let BallotVote::Names(names) = self {
            strictly_ascending(names, "names on a ballot", Clone::clone)?;
            at_most(names, NAMES_MAX, "names on a ballot")?;
            if names.is_empty() {
                return Err(DecodeError::rule(
                    "a ballot that names nobody is an abstention",
                ));
            }
        }
        Ok(())
    }
}

/// R31: a sealed ballot is opened after the close.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct RevealBallot {
    /// Motion number.
    pub motion: MotionId,
    /// The round.
    pub round: u32,
    /// R38: the member whose voice it is, where its proxy cast the ballot.
    pub proxy_for: Option<OrganisationId>,
    /// What was sealed.
    pub vote: BallotVote,
    /// Its salt.
    pub salt: [u8; 32],
    /// The published criterion that a "no" to an admission cites (M08).
    pub criterion: Option<Text<40>>,
}

/// R15: the papers of the meeting that took a motion up. The documents stay beside the log.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct MotionMinutes {
    /// Motion number.
    pub motion: MotionId,
    /// SHA-256 of the agenda.
    pub agenda: Hash,
    /// SHA-256 of the list of who attended.
    pub attendance: Hash,
    /// SHA-256 of the minutes.
    pub minutes: Hash,
}

/// Acts on motions. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum MotionAct {
    /// Proposes a motion (RULINGS R10). A motion of the assembly then gathers support.
    Propose(Proposal),
    /// A member supports putting a motion to the assembly.
    Support {
        /// Motion number.
        motion: MotionId,
    },
    /// A member votes, or votes again.
    Vote(Ballot),
    /// A member of the electorate declares a conflict without voting.
    DeclareConflict {
        /// Motion number.
        motion: MotionId,
        /// The conflict.
        kind: ConflictKind,
    },
    /// The proposer takes the motion back before the first ballot.
    Withdraw {
        /// Motion number.
        motion: MotionId,
    },
    /// M35: the holder accepts the post to which a motion appointed them.
    AcceptPost {
        /// Post number.
        post: PostId,
    },
    /// R29: the person does not want the post.
    DeclinePost {
        /// Post number.
        post: PostId,
    },
    /// M35: the holder gives the post up.
    ResignPost {
        /// Post number.
        post: PostId,
    },
    /// M36: the member takes the seat to which it was elected.
    AcceptSeat {
        /// Seat number.
        seat: SeatId,
    },
    /// M36: the member does not want the seat.
    DeclineSeat {
        /// Seat number.
        seat: SeatId,
    },
    /// M36: the member gives its seat up.
    ResignSeat {
        /// Seat number.
        seat: SeatId,
    },
    /// R31: a sealed ballot is opened.
    Reveal(RevealBallot),
    /// R15: the secretary attaches the papers of a meeting.
    Minutes(MotionMinutes),
    /// R38: a member authorises another to vote for it on one motion.
    GiveProxy {
        /// Motion number.
        motion: MotionId,
        /// Who votes for it.
        holder: OrganisationId,
    },
    /// R38: a member takes its proxy back before it was used.
    TakeBackProxy {
        /// Motion number.
        motion: MotionId,
    },
}

impl MotionAct {
    /// The post whose holder acts for themselves, not for a company: no number of officers is asked
    /// of such an act.
    pub(super) fn own_post(&self) -> Option<PostId> {
        match self {
            MotionAct::AcceptPost { post }
            | MotionAct::DeclinePost { post }
            | MotionAct::ResignPost { post } => Some(*post),
            MotionAct::Propose(_)
            | MotionAct::Support { .. }
            | MotionAct::Vote(_)
            | MotionAct::DeclareConflict { .. }
            | MotionAct::Withdraw { .. }
            | MotionAct::AcceptSeat { .. }
            | MotionAct::DeclineSeat { .. }
            | MotionAct::ResignSeat { .. }
            | MotionAct::Reveal(_)
            | MotionAct::Minutes(_)
            | MotionAct::GiveProxy { .. }
            | MotionAct::TakeBackProxy { .. } => None,
        }
    }

    /// Whether members alone may read it: what tells how somebody votes (RULINGS R18).
    pub(super) fn is_of_a_ballot(&self) -> bool {
        matches!(
            self,
            MotionAct::Vote(_)
                | MotionAct::DeclareConflict { .. }
                | MotionAct::Reveal(_)
                | MotionAct::GiveProxy { .. }
                | MotionAct::TakeBackProxy { .. }
        )
    }

    /// The motion that it names.
    pub(super) fn motion(&self) -> Option<MotionId> {
        match self {
            MotionAct::Support { motion }
            | MotionAct::DeclareConflict { motion, .. }
            | MotionAct::Withdraw { motion } => Some(*motion),
            MotionAct::Vote(ballot) => Some(ballot.motion),
            _ => None,
        }
    }

    pub(super) fn class(&self) -> ActClass {
        match self {
            MotionAct::AcceptPost { .. }
            | MotionAct::DeclinePost { .. }
            | MotionAct::ResignPost { .. }
            | MotionAct::Minutes(_) => ActClass::General,
            _ => ActClass::Ballot,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            MotionAct::AcceptPost { .. } | MotionAct::ResignPost { .. } => "M35",
            MotionAct::DeclinePost { .. } => "R29",
            MotionAct::AcceptSeat { .. }
            | MotionAct::DeclineSeat { .. }
            | MotionAct::ResignSeat { .. } => "M36",
            MotionAct::Reveal(_) => "R31",
            MotionAct::Minutes(_) => "R15",
            MotionAct::GiveProxy { .. } | MotionAct::TakeBackProxy { .. } => "R38",
            _ => "R10",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            MotionAct::Propose(proposal) if proposal.ballot_days > BALLOT_DAYS_MAX => Err(
                DecodeError::rule(format!("a ballot of more than {BALLOT_DAYS_MAX} days")),
            ),
            MotionAct::Propose(proposal) => proposal.effect.check(),
            MotionAct::Vote(ballot) => {
                strictly_ascending(&ballot.replaces, "ballots replaced", Clone::clone)?;
                at_most(&ballot.replaces, REPLACES_MAX, "ballots replaced")?;
                ballot.vote.check()
            }
            MotionAct::Reveal(opened) => opened.vote.check(),
            _ => Ok(()),
        }
    }
}
