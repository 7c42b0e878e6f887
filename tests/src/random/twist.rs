//! Makes fitting drafts unfitting. It knows no act by name: an act is taken apart into its fields, one
//! of them is changed, and it is put together again, so acts that are still to come are twisted, too.

use std::collections::BTreeMap;

use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Capacity, Record, VALIDITY_MAX_MS};
use rollbook_proof::number::OrganisationId;
use serde_json::Value;

use crate::random::hand::{Draft, Hand};

const ROLES: [Role; 13] = [
    Role::Primary,
    Role::Alternate,
    Role::Finance,
    Role::Technical,
    Role::NodeOperator,
    Role::Secretary,
    Role::Registrar,
    Role::Treasurer,
    Role::SecondOfficer,
    Role::ProgrammeOfficer,
    Role::FinanceApprover,
    Role::Auditor,
    Role::Chair,
];

/// Values seen in acts so far, by the name of their field: what a changed field may say instead.
#[derive(Default)]
pub struct Words {
    seen: BTreeMap<String, Vec<Value>>,
}

/// Most values kept of one field.
const KEPT: usize = 24;

impl Words {
    /// Learns the fields of an act.
    pub fn learn(&mut self, body: &Value) {
        let mut leaves = Vec::new();
        gather(body, "", "", &mut leaves);
        for (_, name, value) in leaves {
            let known = self.seen.entry(name).or_default();
            if known.contains(&value) {
                continue;
            }
            if known.len() >= KEPT {
                known.remove(0);
            }
            known.push(value);
        }
    }
}

/// The leaves of a value: pointer, name of the field, value.
fn gather(value: &Value, pointer: &str, name: &str, leaves: &mut Vec<(String, String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                gather(inner, &format!("{pointer}/{field}"), field, leaves);
            }
        }
        // Bytes and the like stay whole.
        Value::Array(items) if items.len() < 17 => {
            for (at, inner) in items.iter().enumerate() {
                gather(inner, &format!("{pointer}/{at}"), name, leaves);
            }
        }
        leaf => leaves.push((pointer.to_owned(), name.to_owned(), leaf.clone())),
    }
}

/// An act with one field changed; none if what comes of it is no act.
fn field(hand: &mut Hand, body: &Body, words: &Words) -> Option<Body> {
    let mut value = serde_json::to_value(body).ok()?;
    let mut leaves = Vec::new();
    gather(&value, "", "", &mut leaves);
    let (pointer, name, leaf) = hand.random.pick(&leaves)?.clone();
    let known = words.seen.get(&name);
    let other = known.and_then(|known| hand.random.pick(known)).cloned();
    let changed = match (&leaf, hand.random.below(3)) {
        (_, 0) if other.is_some() => other?,
        (Value::Number(number), _) => {
            let number = number.as_u64().unwrap_or(1);
            let candidates = [
                number.saturating_add(1),
                number.saturating_sub(1),
                number.saturating_mul(2),
                0,
                hand.random.between(1, 20),
                900,
                999_999_999_999_999_999,
            ];
            Value::from(*hand.random.pick(&candidates)?)
        }
        (Value::String(text), _) if text.len() == 64 => Value::String(hand.hash().to_hex()),
        (Value::Null, _) | (Value::Bool(_), _) => match leaf {
            Value::Bool(value) => Value::Bool(!value),
            _ => other?,
        },
        _ => other.unwrap_or(Value::Null),
    };
    *value.pointer_mut(&pointer)? = changed;
    let changed: Body = serde_json::from_value(value).ok()?;
    (changed != *body).then_some(changed)
}

/// Changes a draft before it is signed.
pub fn draft(hand: &mut Hand, mut draft: Draft, words: &Words) -> Draft {
    match hand.random.below(12) {
        // An act of another.
        0 => {
            if let Some(other) = hand.id(&hand.t.organisations) {
                draft.principal = other;
            }
        }
        // By somebody else of the same principal.
        1 => {
            let organisation = hand.t.organisations.get(&draft.principal);
            let officers = organisation.map(|o| o.officers.clone()).unwrap_or_default();
            if let Some(person) = hand.random.pick(&officers).copied() {
                let roles = hand.t.persons.get(&person).map(|p| p.roles.clone());
                let role = hand.random.pick(&roles.unwrap_or_default()).copied();
                draft.signers[0] = (person, role.unwrap_or(draft.signers[0].1));
            }
        }
        // By a holder of some post of the office.
        2 => {
            let posts: Vec<(PersonId, Role)> = hand
                .t
                .posts
                .iter()
                .filter(|(_, post)| post.office == draft.principal)
                .map(|(_, post)| (post.holder, post.role))
                .collect();
            if let Some(signer) = hand.random.pick(&posts) {
                draft.signers[0] = *signer;
            }
        }
        // In another role.
        3 => {
            let role = *hand.random.pick(&ROLES).unwrap();
            let at = hand.random.below(draft.signers.len() as u64) as usize;
            draft.signers[at].1 = role;
        }
        // By one fewer, or one more.
        4 => {
            draft.signers.pop();
            if draft.signers.is_empty()
                && let Some(person) = hand.person()
            {
                draft.signers.push((person, Role::Primary));
            }
        }
        5 => {
            let posts = hand.t.posts.iter().map(|(_, post)| post);
            let mut others = posts.filter(|post| {
                post.office == draft.principal
                    && post.status.in_force()
                    && !draft
                        .signers
                        .iter()
                        .any(|(person, _)| *person == post.holder)
            });
            if let Some(post) = others.next() {
                draft.signers.push((post.holder, post.role));
            }
        }
        // The same once more, whatever came of it.
        6 => {
            if let Some(earlier) = hand.random.pick(&hand.memory.applied) {
                return earlier.clone();
            }
        }
        _ => {
            for _ in 0..4 {
                if let Some(body) = field(hand, &draft.body, words) {
                    draft.body = body;
                    break;
                }
            }
        }
    }
    draft
}

/// Changes the envelope: signs the draft in a way that must not count.
pub fn envelope(hand: &mut Hand, draft: &Draft) -> Record {
    let mut payload = hand.payload(draft);
    let mut signers = draft.signers.clone();
    match hand.random.below(13) {
        0 => payload.chain = hand.hash(),
        1 => payload.valid_until_ms = hand.now.minus_ms(1),
        2 => payload.valid_until_ms = hand.now.plus_ms(2 * VALIDITY_MAX_MS),
        3 => payload.sequence += 1 << 21,
        4 => payload.sequence = payload.sequence.saturating_sub(3).max(1),
        5 => {
            if let Some(record) = hand.random.pick(&hand.memory.records) {
                return record.clone();
            }
        }
        6 => payload.nonce.0 = [0; 16],
        7 => payload.principal = OrganisationId(900),
        8 => signers.truncate(0),
        _ => {}
    }
    let mut record = hand.sign(payload, &signers);
    let Some(first) = record.signatures.first_mut() else {
        return record;
    };
    match hand.random.below(8) {
        0 => first.key = 1,
        1 => first.capacity = Capacity::Delegation(1),
        2 => {
            first.officer = PersonId(9_000);
            record.payload.officer = PersonId(9_000);
        }
        3 => record.payload.sequence += 1,
        4 => record.payload.officer = PersonId(first.officer.0 + 1),
        _ => {}
    }
    record
}
