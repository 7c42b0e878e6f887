//! The state tree against jmt: equal roots and equal proofs, byte for byte.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rollbook_core::state::{MemoryTree, Row, TableId, TreeLeaf};
use rollbook_proof::verify::EMPTY_SUBTREE;

use crate::state::MemoryState;

/// A row as the tests name it: its key is its path.
fn leaf(path: &[u8], value: &[u8]) -> TreeLeaf {
    TreeLeaf::new(
        path,
        &Row {
            table: 1,
            key: path.to_vec(),
            value: Some(value.to_vec()),
        },
    )
}

/// Roots and proofs, present and absent, are those of jmt.
fn compare(tree: &MemoryTree, entries: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let of: Vec<(Vec<u8>, Vec<u8>)> = entries.clone().into_iter().collect();
    let jmt = MemoryState::new(&of);
    assert_eq!(tree.root(), jmt.root());
    let look = |_: TableId, key: &[u8]| Some((key.to_vec(), entries.get(key)?.clone()));
    let absent = (0..8u8).map(|i| vec![b'x', i]);
    for path in entries.keys().cloned().chain(absent) {
        let (value, proof) = tree.prove(&path, &look).unwrap();
        assert_eq!(value.as_ref(), entries.get(&path));
        assert_eq!(proof, jmt.proof(&path));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn roots_and_proofs_are_those_of_jmt(
        blocks in proptest::collection::vec(proptest::collection::vec((0u16..300, any::<u8>()), 1..40), 1..5)
    ) {
        let (mut tree, mut entries) = (MemoryTree::default(), BTreeMap::new());
        for block in blocks {
            let block: Vec<(Vec<u8>, Vec<u8>)> =
                block.into_iter().map(|(path, value)| (format!("motion/{path}").into_bytes(), vec![value, 1])).collect();
            let change = tree.prepare(block.iter().map(|(path, value)| leaf(path, value)).collect());
            entries.extend(block);
            let before = tree.root();
            prop_assert_eq!(before, tree.root(), "a prepared change is not seen");
            tree.adopt(&change);
            prop_assert_eq!(change.root(), tree.root());
            compare(&tree, &entries);
        }
    }
}

#[test]
fn nothing_changes_nothing_and_an_empty_tree_proves_nothing() {
    let mut tree = MemoryTree::default();
    assert_eq!(tree.root(), EMPTY_SUBTREE);
    assert!(tree.prove(b"a", &|_, _| None).is_err());
    tree.adopt(&tree.prepare(vec![leaf(b"a", b"1"), leaf(b"b", b"2"), leaf(b"a", b"3")]));
    assert_eq!(tree.prepare(Vec::new()).root(), tree.root());
    let entries = BTreeMap::from([
        (b"a".to_vec(), b"3".to_vec()),
        (b"b".to_vec(), b"2".to_vec()),
    ]);
    compare(&tree, &entries);
    // A row that is not what the tree holds is no proof.
    assert!(
        tree.prove(b"a", &|_, key| Some((key.to_vec(), b"1".to_vec())))
            .is_err()
    );
}
