use std::collections::BTreeMap;

use ics23::commitment_proof::Proof;
use ics23::{CommitmentProof, ExistenceProof, NonExistenceProof};
use jmt::storage::{HasPreimage, LeafNode, Node, NodeKey, TreeReader};
use jmt::{JellyfishMerkleTree, KeyHash, OwnedValue, Version};
use proptest::prelude::*;
use rollbook_proof::crypto::Hash;
use rollbook_proof::verify::*;
use sha2_010::Sha256;

/// A state tree in memory, one version.
#[derive(Default)]
pub(crate) struct MemoryState {
    nodes: BTreeMap<NodeKey, Node>,
    values: BTreeMap<KeyHash, OwnedValue>,
    preimages: BTreeMap<KeyHash, Vec<u8>>,
    root: Hash,
}

impl TreeReader for MemoryState {
    fn get_node_option(&self, key: &NodeKey) -> ics23::Result<Option<Node>> {
        Ok(self.nodes.get(key).cloned())
    }
    fn get_value_option(&self, _: Version, key: KeyHash) -> ics23::Result<Option<OwnedValue>> {
        Ok(self.values.get(&key).cloned())
    }
    fn get_rightmost_leaf(&self) -> ics23::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

impl HasPreimage for MemoryState {
    fn preimage(&self, key: KeyHash) -> ics23::Result<Option<Vec<u8>>> {
        Ok(self.preimages.get(&key).cloned())
    }
}

impl MemoryState {
    pub(crate) fn new(items: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let mut state = MemoryState::default();
        let hash = |key: &Vec<u8>| KeyHash::with::<Sha256>(key.as_slice());
        let (root, batch) = {
            let tree = JellyfishMerkleTree::<_, Sha256>::new(&state);
            tree.put_value_set(
                items
                    .iter()
                    .map(|(key, value)| (hash(key), Some(value.clone()))),
                0,
            )
            .unwrap()
        };
        state.nodes = batch.node_batch.nodes().clone();
        state.root = Hash(root.0);
        for (key, value) in items {
            state.values.insert(hash(key), value.clone());
            state.preimages.insert(hash(key), key.clone());
        }
        state
    }

    pub(crate) fn root(&self) -> Hash {
        self.root
    }

    fn message(&self, key: &[u8]) -> CommitmentProof {
        JellyfishMerkleTree::<_, Sha256>::new(self)
            .get_with_ics23_proof(key.to_vec(), 0)
            .unwrap()
            .1
    }

    pub(crate) fn proof(&self, key: &[u8]) -> Vec<u8> {
        encode_state_proof(&self.message(key))
    }
}

fn items(count: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
    (0..count)
        .map(|i| {
            (
                format!("member/{i}").into_bytes(),
                vec![i as u8 + 1; 3 + i as usize % 5],
            )
        })
        .collect()
}

#[test]
fn presence_and_absence() {
    for count in [1, 2, 3, 50] {
        let items = items(count);
        let state = MemoryState::new(&items);
        for (key, value) in &items {
            verify_state(&state.root(), key, Some(value), &state.proof(key)).unwrap();
        }
        for i in 0..20 {
            let key = format!("fund/{i}").into_bytes();
            verify_state(&state.root(), &key, None, &state.proof(&key)).unwrap();
        }
    }
}

#[test]
fn refuses_other_claims() {
    let items = items(30);
    let state = MemoryState::new(&items);
    let (key, value) = &items[7];
    let root = state.root();
    let present = state.proof(key);
    let absent = state.proof(b"fund/1");
    assert_eq!(
        verify_state(&root, b"member/8", Some(value), &present),
        Err(StateRefusal::Key)
    );
    assert_eq!(
        verify_state(&root, key, Some(b"more"), &present),
        Err(StateRefusal::Value)
    );
    assert_eq!(
        verify_state(&root, key, None, &present),
        Err(StateRefusal::Kind)
    );
    assert_eq!(
        verify_state(&root, b"fund/1", Some(b"x"), &absent),
        Err(StateRefusal::Kind)
    );
    assert_eq!(
        verify_state(&root, b"fund/2", None, &absent),
        Err(StateRefusal::Key)
    );
    assert_eq!(
        verify_state(&Hash::ZERO, key, Some(value), &present),
        Err(StateRefusal::Root)
    );
    assert_eq!(
        verify_state(&Hash::ZERO, b"fund/1", None, &absent),
        Err(StateRefusal::Root)
    );
    assert_eq!(
        verify_state(&root, key, Some(value), &[]),
        Err(StateRefusal::Kind)
    );
    assert_eq!(
        verify_state(
            &root,
            key,
            Some(value),
            &[&present[..], &[0x7a, 0]].concat()
        ),
        Err(StateRefusal::Encoding)
    );
    assert_eq!(
        verify_state(&root, key, Some(value), &[0; STATE_PROOF_MAX_BYTES + 1]),
        Err(StateRefusal::Encoding)
    );
}

#[test]
fn absence_of_a_present_key_cannot_be_shown() {
    let items = items(30);
    let state = MemoryState::new(&items);
    let exist = |key: &[u8]| match state.message(key).proof {
        Some(Proof::Exist(exist)) => exist,
        other => panic!("{other:?}"),
    };
    let verify = |key: &[u8], left: Option<ExistenceProof>, right: Option<ExistenceProof>| {
        let absent = NonExistenceProof {
            key: key.to_vec(),
            left,
            right,
        };
        let proof = encode_state_proof(&CommitmentProof {
            proof: Some(Proof::Nonexist(absent)),
        });
        verify_state(&state.root(), key, None, &proof)
    };
    let mut sorted: Vec<&Vec<u8>> = items.iter().map(|(key, _)| key).collect();
    sorted.sort_by_key(|key| KeyHash::with::<Sha256>(key.as_slice()).0);
    for three in sorted.windows(3) {
        assert_eq!(
            verify(three[1], Some(exist(three[0])), Some(exist(three[2]))),
            Err(StateRefusal::Root)
        );
        assert_eq!(
            verify(three[1], Some(exist(three[0])), None),
            Err(StateRefusal::Root)
        );
        assert_eq!(
            verify(three[1], None, Some(exist(three[2]))),
            Err(StateRefusal::Root)
        );
    }
    assert_eq!(verify(b"x", None, None), Err(StateRefusal::Shape));
    // Two equal paths would make the ICS23 verifier pop from an empty list.
    let same = exist(sorted[3]);
    assert_eq!(
        verify(b"x", Some(same.clone()), Some(same)),
        Err(StateRefusal::Shape)
    );
}

#[test]
fn refuses_steps_of_another_shape() {
    let items = items(30);
    let state = MemoryState::new(&items);
    let (key, value) = &items[3];
    let with = |change: &dyn Fn(&mut ExistenceProof)| {
        let Some(Proof::Exist(mut exist)) = state.message(key).proof else {
            panic!("present")
        };
        change(&mut exist);
        let proof = encode_state_proof(&CommitmentProof {
            proof: Some(Proof::Exist(exist)),
        });
        verify_state(&state.root(), key, Some(value), &proof)
    };
    assert_eq!(with(&|_| ()), Ok(()));
    assert_eq!(with(&|p| p.leaf = None), Err(StateRefusal::Shape));
    assert_eq!(
        with(&|p| p.leaf.as_mut().unwrap().prefix.push(0)),
        Err(StateRefusal::Shape)
    );
    assert_eq!(
        with(&|p| p.path[0].suffix.push(0)),
        Err(StateRefusal::Shape)
    );
    assert_eq!(
        with(&|p| p.path[0].prefix.clear()),
        Err(StateRefusal::Shape)
    );
    assert_eq!(with(&|p| p.path[0].hash = 0), Err(StateRefusal::Shape));
    assert_eq!(
        with(&|p| p.path = vec![p.path[0].clone(); 300]),
        Err(StateRefusal::Shape)
    );
    assert_eq!(with(&|p| drop(p.path.pop())), Err(StateRefusal::Root));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn one_changed_bit_is_refused(at: usize, bit in 0u8..8, absent: bool) {
        let items = items(12);
        let state = MemoryState::new(&items);
        let (key, value) = if absent { (b"fund/9".to_vec(), None) } else { (items[5].0.clone(), Some(items[5].1.as_slice())) };
        let mut proof = state.proof(&key);
        verify_state(&state.root(), &key, value, &proof).unwrap();
        let at = at % proof.len();
        proof[at] ^= 1 << bit;
        prop_assert!(verify_state(&state.root(), &key, value, &proof).is_err(), "byte {}", at);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = verify_state(&Hash::ZERO, b"key", Some(b"value"), &bytes);
        let _ = verify_state(&Hash::ZERO, b"key", None, &bytes);
    }
}
