//! The officers of an organisation with their keys, the policy by which they sign, and what is to
//! change: who may object or cancel until when (M23, M31, M32, M33).

use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, PublicKey};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

use super::{Party, party};
use crate::calendar::LocalDay;
use crate::id::{ChangeId, DelegationId, Id as _, KeyRecoveryId, PersonId, PostId, RevocationId};
use crate::identity::{ActClass, EndReason, KeyState, OrganisationKind, Person, Role, Scope};
use crate::lookup::groups;
use crate::lookup::posts::{able_deputy, holder_is_away};
use crate::object::change::{ChangePlan, ChangeStatus};
use crate::object::delegation::Delegation;
use crate::object::key_recovery::RecoveryStatus;
use crate::object::post::PostStatus;
use crate::object::relation::Edge;
use crate::object::revocation::RevocationStatus;
use crate::record::{DelegationGrant, RecoveryPlan};
use crate::state::StateTables;
use crate::tx::{DeadlineKind, Tx};

/// What belongs to an organisation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrganisationView {
    /// Its number and names.
    pub party: Party,
    /// What it is.
    pub kind: OrganisationKind,
    /// Its registered address, if it was told and confirmed.
    pub address: Option<Text<240>>,
    /// Everybody at home there, whoever left included, ascending.
    pub officers: Vec<OfficerLine>,
    /// Posts of the office.
    pub posts: Vec<PostLine>,
    /// How many sign what, and how many can.
    pub policy: Vec<PolicyLine>,
    /// Changes that wait.
    pub changes: Vec<ChangeLine>,
    /// Delegations that hold.
    pub delegations: Vec<DelegationLine>,
    /// Emergency revocations of its officers' keys that are under way.
    pub revocations: Vec<RevocationLine>,
    /// A recovery of its keys that is under way.
    pub recovery: Option<RecoveryLine>,
    /// Its relations, past ones included, by number.
    pub relations: Vec<RelationLine>,
    /// Its group, itself included: they have one voice.
    pub group: Vec<Party>,
    /// Whoever has no voice in its matters, its group apart.
    pub without_voice: Vec<Party>,
}

/// A relation of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RelationLine {
    /// The other end.
    pub other: Party,
    /// The relation: what ties the two, who said it and when, what the board found, when it began and
    /// ended.
    pub relation: Edge,
    /// It makes one voice of the two.
    pub joins: bool,
    /// The organisation has no voice in matters of the other end by it.
    pub binds_it: bool,
    /// The other end has none in matters of the organisation by it.
    pub binds_other: bool,
}

fn relation(tables: &StateTables, own: OrganisationId, relation: &Edge) -> RelationLine {
    let other = relation.other(own);
    RelationLine {
        other: party(tables, other),
        joins: relation.joins(),
        binds_it: relation.declared_by(own),
        binds_other: relation.declared_by(other),
        relation: relation.clone(),
    }
}

/// A person of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OfficerLine {
    /// The number.
    pub person: PersonId,
    /// Roles.
    pub roles: Vec<Role>,
    /// The authorisation letter and its date.
    pub letter: (Hash, LocalDay),
    /// Since when, and why, the person is no officer any more.
    pub ended: Option<(LedgerTime, EndReason)>,
    /// Keys by number.
    pub keys: Vec<KeyLine>,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyLine {
    /// Its number, counted from 0.
    pub number: u32,
    /// The key.
    pub key: PublicKey,
    /// Where it stands.
    pub state: KeyState,
    /// Height since which it may sign.
    pub from_height: Height,
    /// Height since which it stands there.
    pub since_height: Height,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// Why it ended.
    pub ended: Option<EndReason>,
}

/// A post of an office.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PostLine {
    /// Its number.
    pub number: PostId,
    /// What the holder may do.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// Who holds it.
    pub holder: PersonId,
    /// The deputy.
    pub deputy: Option<PersonId>,
    /// Where it stands.
    pub status: PostStatus,
    /// The term ends at this ledger time.
    pub until_ms: LedgerTime,
    /// An absence is recorded.
    pub absent: bool,
    /// Nobody who holds it can act; the deputy, or two who stand in, may.
    pub away: bool,
    /// The deputy can act.
    pub deputy_can: bool,
    /// Who stands in, together, until when.
    pub stand_in: Option<(PersonId, Option<PersonId>, LedgerTime)>,
}

/// One class of act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PolicyLine {
    /// The class.
    pub class: ActClass,
    /// Officers needed.
    pub needed: u32,
    /// Officers with a key whose signature counts.
    pub can: u32,
}

/// A change that waits.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChangeLine {
    /// Its number.
    pub number: ChangeId,
    /// What is to change.
    pub plan: ChangePlan,
    /// Who signed it.
    pub signed_by: Vec<PersonId>,
    /// Waiting for its hours, or for the secretariat.
    pub status: ChangeStatus,
    /// Until when an officer may object.
    pub until_ms: Option<LedgerTime>,
}

/// A delegation that holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DelegationLine {
    /// Its number.
    pub number: DelegationId,
    /// Who gave what to whom.
    pub grant: DelegationGrant,
}

/// An emergency revocation that is under way.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RevocationLine {
    /// Its number.
    pub number: RevocationId,
    /// Whose key.
    pub person: PersonId,
    /// Which.
    pub key: u32,
    /// Where it stands.
    pub status: RevocationStatus,
    /// Until when a second may agree, or the board may ratify.
    pub until_ms: Option<LedgerTime>,
}

/// A recovery that is under way.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecoveryLine {
    /// Its number.
    pub number: KeyRecoveryId,
    /// By which letter, and what changes.
    pub plan: RecoveryPlan,
    /// Where it stands.
    pub status: RecoveryStatus,
    /// Until when the board may decide, or an officer with a key may cancel.
    pub until_ms: Option<LedgerTime>,
}

fn officer(number: PersonId, person: &Person) -> OfficerLine {
    let keys = (0..).zip(&person.keys).map(|(number, key)| KeyLine {
        number,
        key: key.key,
        state: key.state,
        from_height: key.from_height,
        since_height: key.since_height,
        since_ms: key.since_ms,
        ended: key.ended,
    });
    OfficerLine {
        person: number,
        roles: person.roles.clone(),
        letter: (person.authorisation.letter, person.authorisation.date),
        ended: person.ended,
        keys: keys.collect(),
    }
}

pub(super) fn of(tx: &Tx, number: OrganisationId) -> Option<OrganisationView> {
    let tables = &tx.t;
    let organisation = tables.organisations.get(&number)?;
    let home = tables
        .persons
        .iter()
        .filter(|(_, person)| person.home == number);
    let officers: Vec<OfficerLine> = home.map(|(id, person)| officer(*id, person)).collect();
    let posts = tables.posts.iter().filter(|(_, post)| {
        post.office == number
            && (post.status.in_force()
                || post.status.is_coming()
                || holder_is_away(tables, post, tx.now))
    });
    let posts: Vec<PostLine> = posts
        .map(|(id, post)| PostLine {
            number: *id,
            role: post.role,
            scope: post.scope,
            holder: post.holder,
            deputy: post.deputy,
            status: post.status,
            until_ms: post.until_ms,
            absent: post.absent,
            away: holder_is_away(tables, post, tx.now),
            deputy_can: able_deputy(tables, post, tx.now).is_some(),
            stand_in: tables.stand_ins.get(id).map(|pair| {
                let second = pair.second.map(|(person, _)| person);
                (pair.first.0, second, pair.until_ms)
            }),
        })
        .collect();
    let may_sign = crate::next::signers(tables, number, tx.now);
    let can = |class: ActClass| {
        let counts = may_sign.iter().filter(|entry| {
            let person = tables.persons.get(&entry.person);
            person.is_some_and(Person::has_key)
                && entry.roles.iter().any(|role| class.counts(*role))
        });
        u32::try_from(counts.count()).unwrap_or(u32::MAX)
    };
    let classes = [
        ActClass::General,
        ActClass::Ballot,
        ActClass::Money,
        ActClass::People,
        ActClass::Node,
    ];
    let of = (number, ChangeId::MIN)..=(number, ChangeId::MAX);
    let changes = tables.changes_open.range(of).filter_map(|((_, id), _)| {
        let change = tables.changes.get(id)?;
        Some(ChangeLine {
            number: *id,
            plan: change.plan.clone(),
            signed_by: change.signed_by.clone(),
            status: change.status,
            until_ms: tx.due(DeadlineKind::ChangeEffect, *id),
        })
    });
    let of = (number, DelegationId::MIN)..=(number, DelegationId::MAX);
    let open = tables.delegations_open.range(of);
    let delegations = open.filter_map(|((_, id), _)| tables.delegations.get(id));
    let line = |delegation: &Delegation| DelegationLine {
        number: delegation.number,
        grant: delegation.grant.clone(),
    };
    let keys = officers.iter().flat_map(|officer| {
        let person = officer.person;
        officer.keys.iter().map(move |key| (person, key.number))
    });
    let revocations = keys.filter_map(|key| {
        let entry = tables.revocations.get(tables.revocation_of.get(&key)?)?;
        entry.status.is_open().then(|| RevocationLine {
            number: entry.number,
            person: entry.person,
            key: entry.key,
            status: entry.status,
            until_ms: tx.due(DeadlineKind::RevocationEnd, entry.number),
        })
    });
    let recovery = tables.recovery_of.get(&number).and_then(|id| {
        let entry = tables.key_recoveries.get(id)?;
        Some(RecoveryLine {
            number: *id,
            plan: entry.plan.clone(),
            status: entry.status,
            until_ms: tx
                .due(DeadlineKind::RecoveryEffect, *id)
                .or_else(|| tx.due(DeadlineKind::RecoveryLapse, *id)),
        })
    });
    let mut relations: Vec<RelationLine> = groups::relations(tables, number)
        .map(|(_, edge)| relation(tables, number, edge))
        .collect();
    relations.sort_by_key(|line| line.relation.id);
    let group = groups::members(tables, number);
    let others = groups::recused_from(tables, number);
    Some(OrganisationView {
        relations,
        without_voice: others
            .difference(&group)
            .map(|other| party(tables, *other))
            .collect(),
        group: group.iter().map(|member| party(tables, *member)).collect(),
        party: party(tables, number),
        kind: organisation.kind,
        address: organisation.address.clone(),
        posts,
        policy: classes
            .into_iter()
            .map(|class| PolicyLine {
                class,
                needed: organisation.policy.needed(class),
                can: can(class),
            })
            .collect(),
        changes: changes.collect(),
        delegations: delegations.map(line).collect(),
        revocations: revocations.collect(),
        recovery,
        officers,
    })
}
