use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::tree::*;
use sha2::Sha256;

fn leaf(i: u64) -> Vec<u8> {
    format!("leaf {i}").into_bytes()
}

fn log(size: u64) -> MemoryNodes {
    let mut nodes = MemoryNodes::new();
    (0..size).for_each(|i| assert_eq!(nodes.push(&leaf(i)), i));
    nodes
}

fn oracle(size: u64) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    (0..size).for_each(|i| tree.push(leaf(i)));
    tree
}

fn oracle_root(root: &Hash, size: u64) -> RootHash<Sha256> {
    RootHash::new(root.0.into(), size)
}

fn flat(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|h| h.0).collect()
}

#[test]
fn known_roots() {
    assert_eq!(
        empty_root().to_hex(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(Frontier::new().root(), empty_root());
    // Hash of the empty leaf, from the RFC 6962 test data in wide use.
    assert_eq!(
        leaf_hash(b"").to_hex(),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
    assert_eq!(log(1).root(), leaf_hash(&leaf(0)));
    assert_eq!(
        log(2).root(),
        node_hash(&leaf_hash(&leaf(0)), &leaf_hash(&leaf(1)))
    );
}

#[test]
fn every_small_tree_agrees_with_the_oracle() {
    let all = log(34);
    for size in 1..=34u64 {
        let tree = oracle(size);
        let root = root_at(&all, size).unwrap();
        assert_eq!(
            root.0.as_slice(),
            tree.root().as_bytes().as_slice(),
            "root at {size}"
        );
        assert_eq!(Frontier::from_reader(&all, size).unwrap().root(), root);
        for index in 0..size {
            let proof = inclusion_proof(&all, index, size).unwrap();
            assert_eq!(
                flat(&proof),
                tree.prove_inclusion(index as usize).as_bytes()
            );
            verify_inclusion(&leaf_hash(&leaf(index)), index, size, &proof, &root).unwrap();
        }
        for old in 1..=size {
            let proof = consistency_proof(&all, old, size).unwrap();
            let theirs = tree.prove_consistency((size - old) as usize);
            assert_eq!(flat(&proof), theirs.as_bytes(), "{old} -> {size}");
            verify_consistency(old, &root_at(&all, old).unwrap(), size, &root, &proof).unwrap();
        }
        verify_consistency(0, &empty_root(), size, &root, &[]).unwrap();
    }
    verify_consistency(0, &empty_root(), 0, &empty_root(), &[]).unwrap();
}

#[test]
fn must_reject_at_the_edges() {
    let all = log(9);
    let root = all.root();
    assert_eq!(
        verify_inclusion(&leaf_hash(b""), 0, 0, &[], &empty_root()),
        Err(TreeRefusal::Range)
    );
    assert_eq!(
        verify_inclusion(&leaf_hash(&leaf(8)), 9, 9, &[], &root),
        Err(TreeRefusal::Range)
    );
    assert_eq!(
        verify_inclusion(&root, u64::MAX - 1, u64::MAX, &[], &root),
        Err(TreeRefusal::Range)
    );
    assert_eq!(
        verify_consistency(0, &root, 9, &root, &[]),
        Err(TreeRefusal::OldRoot)
    );
    assert_eq!(
        verify_consistency(0, &empty_root(), 9, &root, &[root]),
        Err(TreeRefusal::Length)
    );
    assert_eq!(
        verify_consistency(9, &root, 9, &root, &[root]),
        Err(TreeRefusal::Length)
    );
    assert_eq!(
        verify_consistency(9, &empty_root(), 9, &root, &[]),
        Err(TreeRefusal::Root)
    );
    assert_eq!(
        verify_consistency(9, &root, 8, &root, &[]),
        Err(TreeRefusal::Range)
    );
    assert_eq!(
        verify_consistency(3, &root, 9, &root, &[]),
        Err(TreeRefusal::Length)
    );
    assert_eq!(
        inclusion_proof(&all, 9, 9),
        Err(TreeError::NoSuchLeaf { index: 9, size: 9 })
    );
    assert_eq!(
        consistency_proof(&all, 9, 8),
        Err(TreeError::Shrinks { old: 9, new: 8 })
    );
    assert_eq!(
        inclusion_proof(&all, 0, 16),
        Err(TreeError::MissingNode { level: 3, index: 1 })
    );
    assert_eq!(root_at(&all, SIZE_MAX), Err(TreeError::TooLong(SIZE_MAX)));
}

#[test]
fn frontier_round_trips_and_refuses_foreign_shapes() {
    let mut frontier = Frontier::new();
    for i in 0..21 {
        frontier.append(leaf_hash(&leaf(i)));
        assert_eq!(decode::<Frontier>(&encode(&frontier)), Ok(frontier.clone()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inclusion_agrees_with_the_oracle_and_refuses_changes(size in 1u64..600, pick: u64, flip: u64, bit in 0u8..8) {
        let all = log(size);
        let index = pick % size;
        let (hash, root) = (leaf_hash(&leaf(index)), all.root());
        let proof = inclusion_proof(&all, index, size).unwrap();
        verify_inclusion(&hash, index, size, &proof, &root).unwrap();
        oracle_root(&root, size)
            .verify_inclusion(&leaf(index), index, &InclusionProof::<Sha256>::try_from_bytes(flat(&proof)).unwrap())
            .unwrap();

        let mut longer = proof.clone();
        longer.push(root);
        prop_assert_eq!(verify_inclusion(&hash, index, size, &longer, &root), Err(TreeRefusal::Length));
        if let Some((_, shorter)) = proof.split_last() {
            prop_assert_eq!(verify_inclusion(&hash, index, size, shorter, &root), Err(TreeRefusal::Length));
            let mut changed = proof.clone();
            changed[flip as usize % proof.len()].0[(flip >> 32) as usize % 32] ^= 1 << bit;
            prop_assert_eq!(verify_inclusion(&hash, index, size, &changed, &root), Err(TreeRefusal::Root));
        }
        for other in [index ^ 1, index.wrapping_sub(1), index + 1, flip % size] {
            if other != index {
                prop_assert!(verify_inclusion(&hash, other, size, &proof, &root).is_err());
            }
        }
        prop_assert!(verify_inclusion(&leaf_hash(b"other"), index, size, &proof, &root).is_err());
    }

    #[test]
    fn consistency_agrees_with_the_oracle_and_refuses_changes(new in 2u64..600, pick: u64, flip: u64, bit in 0u8..8) {
        let all = log(new);
        let old = 1 + pick % (new - 1);
        let (old_root, new_root) = (root_at(&all, old).unwrap(), all.root());
        let proof = consistency_proof(&all, old, new).unwrap();
        verify_consistency(old, &old_root, new, &new_root, &proof).unwrap();
        oracle_root(&new_root, new)
            .verify_consistency(&oracle_root(&old_root, old), &ConsistencyProof::<Sha256>::try_from_bytes(flat(&proof)).unwrap())
            .unwrap();

        let mut longer = proof.clone();
        longer.push(new_root);
        prop_assert_eq!(verify_consistency(old, &old_root, new, &new_root, &longer), Err(TreeRefusal::Length));
        prop_assert_eq!(
            verify_consistency(old, &old_root, new, &new_root, &proof[..proof.len() - 1]), Err(TreeRefusal::Length)
        );
        let mut changed = proof.clone();
        changed[flip as usize % proof.len()].0[(flip >> 32) as usize % 32] ^= 1 << bit;
        prop_assert!(verify_consistency(old, &old_root, new, &new_root, &changed).is_err());
        prop_assert!(verify_consistency(old, &new_root, new, &new_root, &proof).is_err());
        prop_assert!(verify_consistency(old, &old_root, new, &old_root, &proof).is_err());
    }

    #[test]
    fn arbitrary_proofs_never_panic(index: u64, size: u64, old: u64, length in 0usize..80) {
        let proof = vec![Hash::ZERO; length];
        let _ = verify_inclusion(&Hash::ZERO, index, size, &proof, &Hash::ZERO);
        let _ = verify_consistency(old, &Hash::ZERO, size, &Hash::ZERO, &proof);
    }
}
