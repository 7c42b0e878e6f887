//! Organisations, persons, roles, posts, approval policies, groups of related companies.
//!
//! * An organisation is a legal entity or an office; its ledger number never changes and is never
//!   used twice.
//! * A person has one number and one home organisation; keys, roles and posts hang on the number
//!   (RULINGS A16). The ledger carries one salted commitment to name and identity document. That
//!   two numbers are two humans is attested, not proved.
//! * A company is a policy, not a key: per class of act, so many distinct officers (RULINGS A6).
//! * Names are never identity; numbers and identifiers are (RULINGS A22).

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, at_most, strictly_ascending};
use rollbook_proof::crypto::{Hash, PublicKey, Signature};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

use crate::calendar::LocalDay;
use crate::id::{DirectionId, FundId, MembershipId, PersonId};
use crate::word::Word as _;
use identifier::Identifier;

pub mod commitment;
pub mod identifier;
pub mod possession;

/// Most officers of one organisation.
pub const OFFICERS_MAX: usize = 64;
/// Most directions of an organisation.
pub const DIRECTIONS_MAX: usize = 16;
/// Most co-signers of one record.
pub const RECORD_MAX_SIGNATURES: usize = 16;
/// Most keys one person may have registered over time.
pub const KEYS_MAX: usize = 32;
/// Fewest officers of a company, each with a key that may sign (RULINGS R23).
pub const OFFICERS_MIN: usize = 2;

/// What a person may do for an organisation or office (domain 1.2, 2.5a; RULINGS R7). Its order is
/// that of the encoding and carries no meaning (RULINGS A28).
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
pub enum Role {
    /// Casts the member's votes, binds the member.
    Primary,
    /// Votes when the primary has delegated the motion.
    Alternate,
    /// Money on the member's side.
    Finance,
    /// Evidence, reports, reviews.
    Technical,
    /// Registers node keys; carries no business authority.
    NodeOperator,
    /// SEC.
    Secretary,
    /// Keeps the register beside the secretary.
    Registrar,
    /// TRE: invoices, receipts, releases payments.
    Treasurer,
    /// OFF: confirms what the treasurer did.
    SecondOfficer,
    /// PO: eligibility, certification.
    ProgrammeOfficer,
    /// FIN: approves payments.
    FinanceApprover,
    /// AUD: reads everything, acts in nothing else.
    Auditor,
    /// Chairs the alliance's meetings: named in the genesis, later elected by the assembly (RULINGS
    /// R48). No vote and no casting vote.
    Chair,
}

crate::words!(Role, "role", {
    Primary = "primary",
    Alternate = "alternate",
    Finance = "finance",
    Technical = "technical",
    NodeOperator = "node-operator",
    Secretary = "secretary",
    Registrar = "registrar",
    Treasurer = "treasurer",
    SecondOfficer = "second-officer",
    ProgrammeOfficer = "programme-officer",
    FinanceApprover = "finance-approver",
    Auditor = "auditor",
    Chair = "chair",
});

impl Role {
    /// Whether the role is a post of an office (RULINGS R7) and not a role inside a company.
    pub fn is_post(self) -> bool {
        match self {
            Role::Primary
            | Role::Alternate
            | Role::Finance
            | Role::Technical
            | Role::NodeOperator => false,
            Role::Secretary
            | Role::Registrar
            | Role::Treasurer
            | Role::SecondOfficer
            | Role::ProgrammeOfficer
            | Role::FinanceApprover
            | Role::Auditor
            | Role::Chair => true,
        }
    }

    /// Whether the post is one of a fund's payment chain: a person holds one of them for a fund
    /// (RULINGS R7).
    pub fn is_of_the_chain(self) -> bool {
        match self {
            Role::Treasurer
            | Role::SecondOfficer
            | Role::ProgrammeOfficer
            | Role::FinanceApprover => true,
            Role::Primary
            | Role::Alternate
            | Role::Finance
            | Role::Technical
            | Role::NodeOperator
            | Role::Secretary
            | Role::Registrar
            | Role::Auditor
            | Role::Chair => false,
        }
    }
}

/// A name in its original script and one in Latin letters.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Name {
    /// Original script.
    pub native: Text<160>,
    /// Latin letters.
    pub latin: Text<160>,
}

/// What an organisation is.
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
pub enum OrganisationKind {
    /// A legal entity that may become a member.
    Company,
    /// An office of the alliance: secretariat, treasury, promotion center. No membership.
    Office,
    /// A standards body or regulator that watches. No vote, no money.
    Observer,
}

/// The classes of act for which a company sets how many officers must sign.
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
pub enum ActClass {
    /// Everything not named below.
    General,
    /// Ballots and motions.
    Ballot,
    /// Pledges, receipts, agreements, payments.
    Money,
    /// Officers, keys, policies, delegations.
    People,
    /// Node keys and seats.
    Node,
}

crate::words!(ActClass, "class", {
    General = "general",
    Ballot = "ballot",
    Money = "money",
    People = "people",
    Node = "node",
});

impl ActClass {
    /// Whether the signature of somebody in this role counts towards the number of officers that a
    /// policy asks for (RULINGS R30). Who keeps a node has no business authority, and the auditor has
    /// none at all. An office casts no ballots; it proposes motions in the posts that may.
    pub fn counts(self, role: Role) -> bool {
        match self {
            ActClass::Node => matches!(role, Role::NodeOperator),
            ActClass::Ballot => matches!(
                role,
                Role::Primary
                    | Role::Alternate
                    | Role::Secretary
                    | Role::ProgrammeOfficer
                    | Role::Treasurer
                    | Role::Chair
            ),
            ActClass::Money => matches!(
                role,
                Role::Primary
                    | Role::Finance
                    | Role::Treasurer
                    | Role::SecondOfficer
                    | Role::ProgrammeOfficer
                    | Role::FinanceApprover
            ),
            ActClass::People => matches!(role, Role::Primary | Role::Secretary),
            ActClass::General => !matches!(role, Role::NodeOperator | Role::Auditor),
        }
    }
}

/// How many distinct officers must sign, by class of act; one where nothing is said.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct ApprovalPolicy {
    /// (class, number of officers), strictly ascending by class, each number 1 to 16.
    pub thresholds: Vec<(ActClass, u32)>,
}

impl ApprovalPolicy {
    /// Officers needed for an act of `class`.
    pub fn needed(&self, class: ActClass) -> u32 {
        self.thresholds
            .iter()
            .find(|(c, _)| *c == class)
            .map_or(1, |(_, n)| *n)
    }

    /// The first class in which these officers of a company, each with their roles, could never act:
    /// whoever keeps a node aside, a company must be able to do everything (RULINGS R30).
    pub fn unreachable(&self, officers: &[Vec<Role>]) -> Option<(ActClass, u32)> {
        let classes = [
            ActClass::General,
            ActClass::Ballot,
            ActClass::Money,
            ActClass::People,
        ];
        let whole = ApprovalPolicy {
            thresholds: classes.map(|class| (class, self.needed(class))).to_vec(),
        };
        self.out_of_reach(officers)
            .or_else(|| whole.out_of_reach(officers))
    }

    /// The first class whose number these officers, each with their roles, cannot reach.
    pub fn out_of_reach(&self, officers: &[Vec<Role>]) -> Option<(ActClass, u32)> {
        let holders = |class: ActClass| {
            officers
                .iter()
                .filter(|roles| roles.iter().any(|role| class.counts(*role)))
                .count()
        };
        self.thresholds
            .iter()
            .find(|(class, needed)| holders(*class) < *needed as usize)
            .copied()
    }

    /// Order and ranges; no threshold above the number of officers, or the company could not act.
    pub fn check(&self, officers: usize) -> Result<(), DecodeError> {
        strictly_ascending(&self.thresholds, "approval thresholds", |(class, _)| *class)?;
        for (class, n) in &self.thresholds {
            if *n == 0 || *n as usize > officers.min(RECORD_MAX_SIGNATURES) {
                return Err(DecodeError::rule(format!(
                    "approval threshold {n} for {} with {officers} officers",
                    class.word()
                )));
            }
        }
        Ok(())
    }
}

/// The letter on which an officer's key rests (RULINGS R24).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Authorisation {
    /// SHA-256 of the letter.
    pub letter: Hash,
    /// Salted commitment to the signatory's name.
    pub signatory: Hash,
    /// Date of the letter, days since 1970-01-01.
    pub date: LocalDay,
}

/// A key that opens sealed content and signs nothing (X25519; RULINGS A21).
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
pub struct ReaderKey(pub Hash);

/// An officer as first registered: number, commitment, roles, keys with proof of possession.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct OfficerEntry {
    /// Person number, assigned by the ledger: the drafting tool proposes the next free one, `apply`
    /// refuses another.
    pub person: PersonId,
    /// Salted commitment to name and identity document.
    pub commitment: Hash,
    /// Roles in the home organisation, strictly ascending. May be empty for a person who only holds
    /// a post.
    pub roles: Vec<Role>,
    /// Officer keys, each with the proof that somebody holds it ([`possession`]).
    pub keys: Vec<(PublicKey, Signature)>,
    /// The key to which content for this person is sealed; rests on the registration's signature.
    pub reader: Option<ReaderKey>,
    /// The letter the keys rest on.
    pub authorisation: Authorisation,
}

impl OfficerEntry {
    /// Shape only; keys are judged where they are registered.
    pub fn check(&self) -> Result<(), DecodeError> {
        strictly_ascending(&self.roles, "roles of an officer", |role| *role)?;
        at_most(&self.keys, KEYS_MAX, "keys of an officer")?;
        if self.keys.is_empty() {
            return Err(DecodeError::rule("an officer has at least one key"));
        }
        if self.reader == Some(ReaderKey(Hash::ZERO)) {
            return Err(DecodeError::rule("a reader key of zeros"));
        }
        if self.roles.iter().any(|role| role.is_post()) {
            return Err(DecodeError::rule(
                "posts are held in offices, not inside a company",
            ));
        }
        Ok(())
    }
}

/// What ties two organisations (RULINGS R27).
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
pub enum RelationKind {
    /// One holds more than half of the other.
    Control,
    /// A third holds more than half of both.
    CommonControl,
    /// One has invested in the other.
    Investor,
    /// They do business with each other.
    Contract,
    /// Their owners or managers are of one family.
    Family,
    /// Anything else.
    Other,
}

crate::words!(RelationKind, "relation-kind", {
    Control = "control",
    CommonControl = "common-control",
    Investor = "investor",
    Contract = "contract",
    Family = "family",
    Other = "other",
});

impl RelationKind {
    /// Whether it makes the two one group with one voice; the others are conflicts alone.
    pub fn joins_voices(self) -> bool {
        match self {
            RelationKind::Control | RelationKind::CommonControl => true,
            RelationKind::Investor
            | RelationKind::Contract
            | RelationKind::Family
            | RelationKind::Other => false,
        }
    }
}

/// A relation as an organisation declares it of itself (RULINGS R27).
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
pub struct GroupDeclaration {
    /// The related organisation's number.
    pub other: OrganisationId,
    /// What ties the two.
    pub kind: RelationKind,
    /// SHA-256 of the evidence.
    pub evidence: Hash,
}

/// What an organisation tells of itself when it enters the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct OrganisationEntry {
    /// Ledger number, assigned by the ledger like person numbers.
    pub number: OrganisationId,
    /// What it is.
    pub kind: OrganisationKind,
    /// Its names.
    pub name: Name,
    /// Identifiers, strictly ascending; at least one for a company.
    pub identifiers: Vec<Identifier>,
    /// ISO 3166-1 alpha-2 country of registration.
    pub country: Text<2>,
    /// SHA-256 of the registry extract and its date (days since 1970-01-01): the only outside proof
    /// of existence.
    pub extract: (Hash, LocalDay),
    /// Declared relations to organisations already on the ledger, strictly ascending by number and
    /// kind; empty is a signed "none".
    pub relations: Vec<GroupDeclaration>,
    /// Directions the organisation works in, strictly ascending.
    pub directions: Vec<DirectionId>,
    /// Officers, strictly ascending by person number; a company has at least two (RULINGS R23).
    pub officers: Vec<OfficerEntry>,
    /// How many officers sign what.
    pub policy: ApprovalPolicy,
}

impl OrganisationEntry {
    /// Shape; uniqueness and numbers are judged by `apply` and genesis.
    pub fn check(&self) -> Result<(), DecodeError> {
        strictly_ascending(&self.identifiers, "identifiers", Clone::clone)?;
        at_most(&self.identifiers, 4, "identifiers")?;
        for identifier in &self.identifiers {
            identifier
                .check()
                .map_err(|error| DecodeError::rule(error.to_string()))?;
        }
        strictly_ascending(&self.relations, "relations", |relation| {
            (relation.other, relation.kind)
        })?;
        at_most(&self.relations, 64, "relations")?;
        strictly_ascending(&self.directions, "directions", |direction| *direction)?;
        at_most(&self.directions, DIRECTIONS_MAX, "directions")?;
        strictly_ascending(&self.officers, "officers", |officer| officer.person)?;
        at_most(&self.officers, OFFICERS_MAX, "officers")?;
        self.officers.iter().try_for_each(OfficerEntry::check)?;
        self.policy.check(self.officers.len())?;
        let country = self.country.as_str();
        if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(DecodeError::rule("a country is two capital letters"));
        }
        if self.name.native.is_empty() || self.name.latin.is_empty() {
            return Err(DecodeError::rule("a name is missing"));
        }
        let (identifiers, officers) = match self.kind {
            OrganisationKind::Company => (1, 2),
            OrganisationKind::Observer => (0, 1),
            OrganisationKind::Office => (0, 0),
        };
        if self.identifiers.len() < identifiers {
            return Err(DecodeError::rule("a company has at least one identifier"));
        }
        let has_code = self
            .identifiers
            .iter()
            .any(|identifier| matches!(identifier, Identifier::Uscc(_)));
        if self.kind == OrganisationKind::Company && country == "CN" && !has_code {
            return Err(DecodeError::rule(
                "a company of mainland China has its unified social credit code",
            ));
        }
        if self.officers.len() < officers {
            return Err(DecodeError::rule(
                "a company has at least two officers, an observer one",
            ));
        }
        Ok(())
    }
}

/// An organisation in state (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Organisation {
    /// Ledger number.
    pub number: OrganisationId,
    /// What it is.
    pub kind: OrganisationKind,
    /// Its names.
    pub name: Name,
    /// Its identifiers.
    pub identifiers: Vec<Identifier>,
    /// Country of registration.
    pub country: Text<2>,
    /// Registry extract and its date.
    pub extract: (Hash, LocalDay),
    /// The registered address, once the organisation has told it and the secretariat has confirmed
    /// it (M31).
    pub address: Option<Text<240>>,
    /// Directions.
    pub directions: Vec<DirectionId>,
    /// Person numbers of its officers, ascending.
    pub officers: Vec<PersonId>,
    /// How many officers sign what.
    pub policy: ApprovalPolicy,
    /// Ledger time of registration.
    pub registered_ms: LedgerTime,
    /// Who introduced it (RULINGS R16); none for genesis.
    pub introduced_by: Option<OrganisationId>,
    /// Number of its newest membership, if it ever applied.
    pub membership: Option<MembershipId>,
}

/// Why a person or a key has no authority any more (M23, M32).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The person left, or was removed by the organisation.
    Left,
    /// Another key took its place.
    Rotated,
    /// Nobody holds it any more.
    Lost,
    /// Somebody else may hold it.
    Compromised,
}

crate::words!(EndReason, "why.ended", {
    Left = "left",
    Rotated = "rotated",
    Lost = "lost",
    Compromised = "compromised",
});

/// Where an officer's key stands (M23).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// It may sign.
    InForce,
    /// Revoked in an emergency: it signs nothing until the board has ratified the revocation or its
    /// hours are over (RULINGS R7).
    Suspended,
    /// It signs nothing any more, for ever.
    Ended,
}

crate::words!(KeyState, "state.key", {
    InForce = "in-force",
    Suspended = "suspended",
    Ended = "ended",
});

/// One officer key in state. Whether it may sign is judged at the block in which a record applies:
/// what it signed in an earlier block, or earlier in the same one, stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct OfficerKey {
    /// The key.
    pub key: PublicKey,
    /// Ledger time at which it came into force.
    pub from_ms: LedgerTime,
    /// Height of the block in which it came into force.
    pub from_height: Height,
    /// Where it stands.
    pub state: KeyState,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// Height since which it stands there: from that block on it may sign, or may not.
    pub since_height: Height,
    /// Why it ended.
    pub ended: Option<EndReason>,
}

impl OfficerKey {
    /// A key that comes into force in the block of this height and time.
    pub fn new(key: PublicKey, height: Height, now: LedgerTime) -> OfficerKey {
        OfficerKey {
            key,
            from_ms: now,
            from_height: height,
            state: KeyState::InForce,
            since_ms: now,
            since_height: height,
            ended: None,
        }
    }

    /// Whether it may sign.
    pub fn in_force(&self) -> bool {
        match self.state {
            KeyState::InForce => true,
            KeyState::Suspended | KeyState::Ended => false,
        }
    }
}

/// A person in state (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Person {
    /// Home organisation.
    pub home: OrganisationId,
    /// Salted commitment to name and identity document.
    pub commitment: Hash,
    /// Roles in the home organisation.
    pub roles: Vec<Role>,
    /// Keys in order of registration.
    pub keys: Vec<OfficerKey>,
    /// The key to which content for this person is sealed.
    pub reader: Option<ReaderKey>,
    /// The letter.
    pub authorisation: Authorisation,
    /// Without any authority from this ledger time, and why.
    pub ended: Option<(LedgerTime, EndReason)>,
}

impl Person {
    /// Whether the person may act at all at this ledger time.
    pub fn in_force(&self, now: LedgerTime) -> bool {
        self.ended.is_none_or(|(ended, _)| now < ended)
    }

    /// Whether one of the person's keys may sign.
    pub fn has_key(&self) -> bool {
        self.keys.iter().any(OfficerKey::in_force)
    }
}

/// Where a post has authority.
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
pub enum Scope {
    /// Everywhere.
    Alliance,
    /// One fund.
    Fund(FundId),
}
