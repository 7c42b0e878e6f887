//! What had no effect: a leaf of each block that holds records (RULINGS A35, A58).
//!
//! Directly before its seal a block has one such leaf for each read class that its records have:
//! that of public records in clear, that of members' records, which follows it, as a commitment.
//! Together with the seal it proves of a record of the block that it took effect, or that it did
//! not, and why.

use bincode::{Decode, Encode};

use super::{LeafTag, ReadClass, Seal};
use crate::codec::{DecodeError, Wire, decode, encode, strictly_ascending};
use crate::crypto::{Hash, sha256_parts};

/// Which records of one read class in one block had no effect.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Effects {
    /// The class that the leaf is about.
    pub class: ReadClass,
    /// Leaves of the block before its first record, so that a record's index in the log gives its
    /// place in the body.
    pub before: u32,
    /// Records of the class in the block.
    pub records: u32,
    /// Place in the body, of all records and from 0, and reason of each record without effect;
    /// strictly ascending by place. Reasons are numbered in docs/formats.md.
    pub without: Vec<(u32, u32)>,
    /// SHA-256 over the ids of all records of the class, in the order of the body. It also keeps
    /// the members' leaf from being guessed.
    pub ids: Hash,
}

impl Wire for Effects {
    const MAX: usize = 32 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        strictly_ascending(&self.without, "places without effect", |(place, _)| *place)
    }
}

/// Why an effect leaf says nothing about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EffectRefusal {
    /// It is no effect leaf.
    #[error("the leaf is no effect leaf")]
    NotAnEffect,
    /// It is about records of another read class.
    #[error("the effect leaf is about records that others may read")]
    Class,
    /// It is not one of the last two leaves before the seal, or the record is not in the block.
    #[error("the record or its effect leaf is not in the block of the seal")]
    Place,
}

impl Effects {
    /// Of the records of a class, by place, id and reason for no effect.
    pub fn of(class: ReadClass, before: u32, records: &[(u32, Hash, Option<u32>)]) -> Effects {
        let ids: Vec<&[u8]> = records.iter().map(|(_, id, _)| id.0.as_slice()).collect();
        Effects {
            class,
            before,
            records: records.len() as u32,
            without: records
                .iter()
                .filter_map(|(place, _, reason)| reason.map(|reason| (*place, reason)))
                .collect(),
            ids: sha256_parts(&ids),
        }
    }

    /// The leaf in clear.
    pub fn leaf(&self) -> Vec<u8> {
        LeafTag::Effect.prefix(&encode(self))
    }

    /// Reads a leaf in clear.
    pub fn read(leaf: &[u8]) -> Result<Effects, EffectRefusal> {
        match LeafTag::split(leaf) {
            Some((LeafTag::Effect, bytes)) => decode(bytes).map_err(|_| EffectRefusal::NotAnEffect),
            _ => Err(EffectRefusal::NotAnEffect),
        }
    }

    /// The effect of a record, by its index in the log: none if it took effect, else the reason.
    /// `class` is the class in which record and effect leaf were proved, `at` the index of the
    /// effect leaf.
    pub fn on(
        &self,
        class: ReadClass,
        index: u64,
        at: u64,
        seal: &Seal,
    ) -> Result<Option<u32>, EffectRefusal> {
        if self.class != class {
            return Err(EffectRefusal::Class);
        }
        let first = seal.first_leaf.saturating_add(u64::from(self.before));
        let last = (at.saturating_add(1), at.saturating_add(2));
        let ends = [last.0, last.1].contains(&seal.leaf_index());
        if !ends || !(first..at).contains(&index) {
            return Err(EffectRefusal::Place);
        }
        let place = u32::try_from(index - first).map_err(|_| EffectRefusal::Place)?;
        let found = self
            .without
            .binary_search_by_key(&place, |(place, _)| *place);
        Ok(found
            .ok()
            .and_then(|at| self.without.get(at))
            .map(|(_, reason)| *reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Height, LedgerTime, ProtocolVersion};

    /// Two events, then records 0 to 3, of which 1 and 2 are members', then both effect leaves.
    fn block() -> (Effects, Effects, Seal) {
        let id = |n: u8| Hash([n; 32]);
        let public = Effects::of(
            ReadClass::Public,
            2,
            &[(0, id(0), None), (3, id(3), Some(0))],
        );
        let members = Effects::of(
            ReadClass::Members,
            2,
            &[(1, id(1), Some(2)), (2, id(2), None)],
        );
        let seal = Seal {
            height: Height(7),
            first_leaf: 100,
            leaf_count: 8,
            protocol: ProtocolVersion(1),
            time_ms: LedgerTime(9),
            parent: Hash::ZERO,
            body: Hash::ZERO,
            log_root: Hash::ZERO,
            state_root: Hash::ZERO,
            work_digest: Hash::ZERO,
            policy: Hash::ZERO,
            parent_certificate: Hash::ZERO,
        };
        (public, members, seal)
    }

    #[test]
    fn a_leaf_says_of_each_record_of_its_class_whether_it_took_effect() {
        let (public, members, seal) = block();
        let on = |effects: &Effects, record: u64, at| effects.on(effects.class, record, at, &seal);
        assert_eq!(on(&public, 102, 106), Ok(None));
        assert_eq!(on(&public, 105, 106), Ok(Some(0)));
        assert_eq!(on(&members, 103, 107), Ok(Some(2)));
        assert_eq!(on(&members, 104, 107), Ok(None));
        assert_eq!(Effects::read(&members.leaf()), Ok(members));
    }

    #[test]
    fn it_says_nothing_of_another_class_another_block_or_another_place() {
        let (public, members, seal) = block();
        let class = public.on(ReadClass::Members, 103, 106, &seal);
        assert_eq!(class, Err(EffectRefusal::Class));
        // An event, a leaf of another block, the effect leaf itself, and a leaf that stands where no
        // effect leaf does.
        for (record, at) in [(101, 106), (99, 106), (106, 106), (102, 105), (102, 108)] {
            let refused = public.on(ReadClass::Public, record, at, &seal);
            assert_eq!(refused, Err(EffectRefusal::Place), "{record} by {at}");
        }
        assert_eq!(Effects::read(&seal.leaf()), Err(EffectRefusal::NotAnEffect));
        let mut twice = members;
        twice.without = vec![(1, 2), (1, 0)];
        assert_eq!(
            Effects::read(&twice.leaf()),
            Err(EffectRefusal::NotAnEffect)
        );
    }
}
