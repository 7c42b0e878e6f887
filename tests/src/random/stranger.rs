//! What somebody who has not logged in is told beside the log (RULINGS A44, R39): nothing of it moves
//! with a block in which there are members' records alone.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::id::PersonId;
use rollbook_core::ledger::Execution;
use rollbook_core::next;
use rollbook_core::next::{Next, Object};
use rollbook_core::state::StateTables;
use rollbook_proof::chain::{LeafTag, ReadClass};
use rollbook_proof::crypto::Hash;

/// Kinds of object that one asks about, and the counter of their numbers.
const KINDS: [(Object, u8); 19] = [
    (Object::Organisation, 1),
    (Object::Membership, 3),
    (Object::Motion, 4),
    (Object::Post, 5),
    (Object::Fund, 6),
    (Object::Call, 8),
    (Object::Application, 9),
    (Object::Award, 10),
    (Object::Agreement, 11),
    (Object::Payment, 12),
    (Object::Invoice, 13),
    (Object::Milestone, 14),
    (Object::Review, 15),
    (Object::Instalment, 16),
    (Object::Draw, 17),
    (Object::Node, 1),
    (Object::Plan, 41),
    (Object::Notice, 40),
    (Object::Proceeding, 42),
];

/// Everything that a stranger is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Root of the proved state, which lists and state proofs show.
    root: Hash,
    /// What follows for each object.
    next: BTreeMap<(Object, u32), Next>,
    /// The highest number that each person has used in public.
    numbers: BTreeMap<PersonId, u64>,
}

impl Told {
    pub fn now(root: Hash, tables: &StateTables) -> Told {
        let objects = KINDS.iter().flat_map(|(kind, counter)| {
            let last = tables.counters.get(counter).copied().unwrap_or(0);
            (1..=last).map(|number| (*kind, number))
        });
        let next = objects.filter_map(|(kind, number)| {
            let found = next::of(tables, kind, number, ReadClass::Public)?;
            Some(((kind, number), found))
        });
        let public = tables
            .lanes
            .iter()
            .filter(|((_, class), _)| *class == ReadClass::Public);
        Told {
            root,
            next: next.collect(),
            numbers: public
                .map(|((person, _), lane)| (*person, lane.highest))
                .collect(),
        }
    }
}

impl Told {
    /// What differs, for whoever reports it.
    pub fn difference(&self, before: &Told) -> Vec<String> {
        let mut found = Vec::new();
        if self.root != before.root {
            found.push(format!("root {} was {}", self.root, before.root));
        }
        let objects = self.next.keys().chain(before.next.keys());
        for object in objects.collect::<BTreeSet<_>>() {
            let (now, was) = (self.next.get(object), before.next.get(object));
            if now != was {
                found.push(format!("{now:?} was {was:?}"));
            }
        }
        if self.numbers != before.numbers {
            found.push(format!("{:?} was {:?}", self.numbers, before.numbers));
        }
        found
    }
}

/// Whether a block holds members' records and nothing else that anybody did or that a time brought.
pub fn is_for_members(execution: &Execution) -> bool {
    let quiet = |tag| matches!(tag, LeafTag::Seal | LeafTag::Effect);
    !execution.outcomes.is_empty()
        && execution
            .leaves
            .iter()
            .all(|leaf| match LeafTag::split(&leaf.clear) {
                Some((LeafTag::Record, _)) => leaf.class == ReadClass::Members,
                Some((tag, _)) => quiet(tag),
                None => false,
            })
}
