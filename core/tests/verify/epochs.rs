use rollbook_proof::chain::{
    Certificate, CertificateError, LeafTag, LogSignature, Seal, Vote, VoteKind,
};
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::log::tree::{MemoryNodes, root_at};
use rollbook_proof::log::{Checkpoint, SignedNote, *};
use rollbook_proof::number::{EpochId, Height, LedgerTime, OrganisationId, ProtocolVersion};
use rollbook_proof::verify::*;

use crate::samples::{cosign, key, next_policy, note, policy};
use crate::state::MemoryState;

/// Three epochs of one log: 4 validators, then 7, then 4 others. A handover's policy is the leaf
/// before the seal.
pub(crate) struct Story {
    pub leaves: Vec<Vec<u8>>,
    pub nodes: MemoryNodes,
    pub policies: Vec<EpochPolicy>,
    pub state: MemoryState,
}

impl Story {
    pub(crate) fn tell() -> Story {
        let items: Vec<_> = (0..9u32)
            .map(|i| (i.to_le_bytes().to_vec(), vec![i as u8 + 1; 4]))
            .collect();
        let mut story = Story {
            leaves: vec![],
            nodes: MemoryNodes::new(),
            policies: vec![],
            state: MemoryState::new(&items),
        };
        let zero = policy(&[1, 2, 3, 4]);
        story.leaf(zero.render().into_bytes());
        story.policies.push(zero);
        for item in 0..3u8 {
            story.leaf(LeafTag::Genesis.prefix(&[item]));
        }
        story.seal(Height(0), 0, 4);
        for height in 1..=3 {
            story.block(Height(height));
        }
        story.handover(Height(4), &[1, 2, 3, 4, 5, 6, 7]);
        for height in 5..=6 {
            story.block(Height(height));
        }
        story.handover(Height(7), &[4, 5, 6, 7]);
        for height in 8..=9 {
            story.block(Height(height));
        }
        story
    }

    fn leaf(&mut self, leaf: Vec<u8>) {
        self.nodes.push(&leaf);
        self.leaves.push(leaf);
    }

    fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn block(&mut self, height: Height) {
        let first = self.size();
        self.leaf(LeafTag::Event.prefix(&height.0.to_le_bytes()));
        self.seal(height, first, 1);
    }

    fn handover(&mut self, height: Height, orgs: &[u32]) {
        let first = self.size();
        let policy = next_policy(self.policies.last().unwrap(), first, orgs);
        self.leaf(policy.render().into_bytes());
        self.seal(height, first, 1);
        self.policies.push(policy);
    }

    fn seal(&mut self, height: Height, first_leaf: u64, leaf_count: u32) {
        // The seal of a handover block is certified by the outgoing validators.
        let certifying = self
            .policies
            .iter()
            .rev()
            .find(|p| p.valid_from_size <= first_leaf)
            .unwrap();
        let seal = Seal {
            protocol: ProtocolVersion(1),
            height,
            time_ms: LedgerTime(1_800_000_000_000 + height.0),
            parent: Hash::ZERO,
            first_leaf,
            leaf_count,
            body: Hash::ZERO,
            log_root: self.nodes.root(),
            state_root: self.state.root(),
            work_digest: Hash::ZERO,
            policy: certifying.digest(),
            parent_certificate: Hash::ZERO,
        };
        self.leaf(seal.leaf());
    }

    /// The checkpoint at `size`, signed by the validators of `epoch`, right or wrong.
    fn note(&self, epoch: usize, size: u64) -> SignedNote {
        note(
            &self.policies[epoch],
            size,
            root_at(&self.nodes, size).unwrap(),
        )
    }

    pub(crate) fn proof(&self, index: u64, epoch: usize, size: u64) -> String {
        TlogProof::make(&self.nodes, index, self.note(epoch, size))
            .unwrap()
            .render()
            .unwrap()
    }

    pub(crate) fn handover_proof(&self, epoch: usize) -> String {
        let size = self.policies[epoch].valid_from_size;
        self.proof(size - 2, epoch - 1, size)
    }

    pub(crate) fn genesis(&self) -> Hash {
        self.policies[0].digest()
    }

    fn chain(&self, epochs: usize) -> EpochChain {
        let mut chain = EpochChain::new(self.genesis());
        chain
            .push(self.policies[0].render().as_bytes(), None)
            .unwrap();
        for epoch in 1..epochs {
            chain
                .push(
                    self.policies[epoch].render().as_bytes(),
                    Some(self.handover_proof(epoch).as_bytes()),
                )
                .unwrap();
        }
        chain
    }
}

#[test]
fn every_leaf_of_three_epochs_from_one_hash() {
    let story = Story::tell();
    let chain = story.chain(3);
    assert_eq!(
        chain.policies().map(|p| p.epoch).collect::<Vec<_>>(),
        [0, 1, 2].map(EpochId)
    );
    let sizes = [
        5,
        story.policies[1].valid_from_size,
        story.policies[2].valid_from_size,
        story.size(),
    ];
    for (size, epoch) in sizes.into_iter().zip([0usize, 0, 1, 2]) {
        for (index, leaf) in story.leaves.iter().enumerate().take(size as usize) {
            let receipt = chain
                .verify_receipt(leaf, story.proof(index as u64, epoch, size).as_bytes())
                .unwrap();
            assert_eq!(
                (receipt.epoch, receipt.verified.size),
                (EpochId(epoch as u32), size)
            );
            assert_eq!(receipt.policy, story.policies[epoch].digest());
            for wrong in (0..3).filter(|wrong| *wrong != epoch) {
                let proof = story.proof(index as u64, wrong, size);
                let refusal = chain.verify_receipt(leaf, proof.as_bytes()).unwrap_err();
                assert!(
                    matches!(refusal, ReceiptRefusal::Proof { .. }),
                    "epoch {wrong} at size {size}: {refusal}"
                );
            }
        }
    }
}

#[test]
fn attested_time_needs_one_honest_clock() {
    let story = Story::tell();
    let policy = &story.policies[0];
    let checkpoint = Checkpoint {
        origin: policy.origin.clone(),
        size: 5,
        root: root_at(&story.nodes, 5).unwrap(),
    };
    let log = LogSignature {
        validator: OrganisationId(1),
        signature: checkpoint.sign_log(&key("log", 1, 0)),
    };
    let mut signatures = cosign(policy, &checkpoint, &[1, 2, 3]);
    // One of four validators may lie about the time; its far future does not count.
    signatures[0].time_s = 9_000_000_000;
    signatures[0].signature =
        checkpoint.cosign(&key("cosigner", OrganisationId(1).0, 0), 9_000_000_000);
    let note = policy
        .checkpoint_note(&checkpoint, &log, &signatures, &[])
        .unwrap();
    let proof = TlogProof::make(&story.nodes, 2, note)
        .unwrap()
        .render()
        .unwrap();
    let receipt = story
        .chain(1)
        .verify_receipt(&story.leaves[2], proof.as_bytes())
        .unwrap();
    assert_eq!(receipt.attested_time_s, 1_800_000_003);
}

/// Verifiers of C2SP proofs want exactly one log line: a handover, a head and a receipt all have one
/// (RULINGS A57).
#[test]
fn a_handover_a_head_and_a_receipt_have_exactly_one_log_line() {
    let story = Story::tell();
    let parse = |proof: String| TlogProof::parse(proof.as_bytes()).unwrap();
    let strip = |proof: String| {
        let mut proof = parse(proof);
        proof.note.lines.remove(0);
        proof
    };
    let mut chain = story.chain(1);
    let refused = chain.push(
        story.policies[1].render().as_bytes(),
        Some(strip(story.handover_proof(1)).render().unwrap().as_bytes()),
    );
    assert_eq!(refused.unwrap_err().code(), "checkpoint.log-signatures");
    let receipt = strip(story.proof(3, 0, 5));
    let refused = chain.verify_receipt(&story.leaves[3], receipt.render().unwrap().as_bytes());
    assert_eq!(refused.unwrap_err().code(), "checkpoint.log-signatures");

    let size = story.policies[1].valid_from_size;
    let with_line = story.note(0, size);
    let head = chain
        .verify_checkpoint(with_line.render().unwrap().as_bytes())
        .unwrap();
    assert_eq!(
        (head.epoch, head.checkpoint.size, head.signers.len()),
        (EpochId(0), size, 3)
    );
    // Nothing else may be missing or strange beside it.
    let refuse = |change: &dyn Fn(&mut SignedNote)| {
        let mut note = with_line.clone();
        change(&mut note);
        chain
            .verify_checkpoint(note.render().unwrap().as_bytes())
            .unwrap_err()
            .code()
    };
    let log_signatures = "checkpoint.log-signatures";
    assert_eq!(refuse(&|note| drop(note.lines.remove(0))), log_signatures);
    assert_eq!(
        refuse(&|note| drop(note.lines.pop())),
        "checkpoint.no-quorum"
    );
    assert_eq!(
        refuse(&|note| note.lines.push(note.lines[1].clone())),
        "checkpoint.repeated"
    );
    assert_eq!(
        refuse(&|note| note.text = note.text.replace(&format!("\n{size}\n"), "\n6\n")),
        "checkpoint.bad-signature"
    );
}

#[test]
fn refuses_wrong_chains() {
    let story = Story::tell();
    let text = |epoch: usize| story.policies[epoch].render();
    let code = |chain: &mut EpochChain, policy: &EpochPolicy, proof: Option<&str>| {
        chain
            .push(policy.render().as_bytes(), proof.map(str::as_bytes))
            .unwrap_err()
            .code()
    };
    let (one, two) = (story.handover_proof(1), story.handover_proof(2));

    let mut empty = EpochChain::new(story.genesis());
    assert_eq!(
        empty.verify_receipt(b"", b""),
        Err(ReceiptRefusal::NoPolicy)
    );
    assert_eq!(
        code(&mut empty, &story.policies[1], Some(&one)),
        "epoch.genesis",
        "the first policy is the genesis"
    );
    assert_eq!(
        code(&mut empty, &story.policies[0], Some(&one)),
        "epoch.proof-surplus"
    );
    let mut other = EpochChain::new(sha256(text(1).as_bytes()));
    assert_eq!(code(&mut other, &story.policies[1], None), "epoch.order");
    assert_eq!(
        EpochChain::new(sha256(b"#\n"))
            .push(b"#\n", None)
            .unwrap_err()
            .code(),
        "epoch.policy"
    );

    let mut chain = story.chain(1);
    assert_eq!(code(&mut chain, &story.policies[0], None), "epoch.order");
    assert_eq!(
        code(&mut chain, &story.policies[2], Some(&two)),
        "epoch.order",
        "no epoch is skipped"
    );
    assert_eq!(
        code(&mut chain, &story.policies[1], None),
        "epoch.proof-missing"
    );
    assert_eq!(
        code(&mut chain, &story.policies[1], Some("x")),
        "epoch.proof-format"
    );
    let changed = |change: &dyn Fn(&mut EpochPolicy)| {
        let mut policy = story.policies[1].clone();
        change(&mut policy);
        policy
    };
    assert_eq!(
        code(
            &mut chain,
            &changed(&|p| p.origin = "other.example/x".into()),
            Some(&one)
        ),
        "epoch.chain"
    );
    assert_eq!(
        code(
            &mut chain,
            &changed(&|p| p.previous = Some(Hash::ZERO)),
            Some(&one)
        ),
        "epoch.previous"
    );
    assert_eq!(
        code(&mut chain, &changed(&|p| p.valid_from_size = 6), Some(&one)),
        "epoch.too-early"
    );
    assert_eq!(
        code(
            &mut chain,
            &changed(&|p| p.valid_from_size += 1),
            Some(&one)
        ),
        "inclusion.root",
        "another leaf"
    );

    let size = story.policies[1].valid_from_size;
    let by =
        |epoch: usize, size: u64| story.proof(story.policies[1].valid_from_size - 2, epoch, size);
    assert_eq!(
        code(&mut chain, &story.policies[1], Some(&by(1, size))),
        "checkpoint.log-signatures",
        "nobody elects himself"
    );
    assert_eq!(
        code(&mut chain, &story.policies[1], Some(&by(0, size - 1))),
        "epoch.place",
        "a checkpoint before the seal"
    );
    assert_eq!(
        code(&mut chain, &story.policies[1], Some(&by(0, size + 2))),
        "epoch.place",
        "a later checkpoint"
    );
    let mut weak = TlogProof::parse(one.as_bytes()).unwrap();
    weak.note.lines.pop();
    assert_eq!(
        code(
            &mut chain,
            &story.policies[1],
            Some(&weak.render().unwrap())
        ),
        "checkpoint.no-quorum"
    );
    assert_eq!(chain.policies().count(), 1, "what is refused is not kept");
    chain
        .push(text(1).as_bytes(), Some(one.as_bytes()))
        .unwrap();
}

#[test]
fn a_policy_that_stands_elsewhere_in_its_block_is_refused() {
    // valid-from-size fits the checkpoint, but two leaves follow the policy.
    let mut story = Story {
        leaves: vec![],
        nodes: MemoryNodes::new(),
        policies: vec![],
        state: MemoryState::new(&[(vec![1], vec![1])]),
    };
    let zero = policy(&[1, 2, 3, 4]);
    story.leaf(zero.render().into_bytes());
    story.policies.push(zero);
    (0..4).for_each(|i| story.leaf(vec![5, 0, 0, 0, i]));
    let one = next_policy(&story.policies[0], 6, &[1, 2, 3, 4]);
    story.leaf(one.render().into_bytes());
    story.leaf(vec![1]);
    story.leaf(vec![2]);
    let proof = story.proof(5, 0, 8);
    let refusal = story
        .chain(1)
        .push(one.render().as_bytes(), Some(proof.as_bytes()))
        .unwrap_err();
    assert_eq!(
        refusal,
        EpochError::Place {
            index: 5,
            size: 8,
            valid_from: 8
        }
    );

    // The leaf stands right, but the policy names a later size.
    let proof = story.proof(5, 0, 7);
    let refusal = story
        .chain(1)
        .push(one.render().as_bytes(), Some(proof.as_bytes()))
        .unwrap_err();
    assert_eq!(
        refusal,
        EpochError::Place {
            index: 5,
            size: 7,
            valid_from: 8
        }
    );
}

#[test]
fn an_old_quorum_signs_nothing_new_and_a_new_one_nothing_old() {
    let story = Story::tell();
    let boundary = story.policies[1].valid_from_size;
    let leaf = &story.leaves[3];
    let chain = story.chain(3);
    assert!(
        chain
            .verify_receipt(leaf, story.proof(3, 0, boundary).as_bytes())
            .is_ok()
    );
    assert!(
        chain
            .verify_receipt(leaf, story.proof(3, 0, boundary + 1).as_bytes())
            .is_err()
    );
    assert!(
        chain
            .verify_receipt(leaf, story.proof(3, 1, boundary + 1).as_bytes())
            .is_ok()
    );
    assert!(
        chain
            .verify_receipt(leaf, story.proof(3, 1, boundary).as_bytes())
            .is_err()
    );
    let young = story.chain(1);
    let refusal = young
        .verify_receipt(leaf, story.proof(3, 1, boundary + 1).as_bytes())
        .unwrap_err();
    assert!(matches!(
        refusal,
        ReceiptRefusal::Proof {
            epoch: EpochId(0),
            last: true,
            ..
        }
    ));
    assert!(refusal.to_string().contains("the last one known"));
    assert!(
        young
            .verify_receipt(leaf, story.proof(3, 0, boundary + 1).as_bytes())
            .is_ok(),
        "without policy 1 it cannot be known"
    );
}

#[test]
fn seals_and_state() {
    let story = Story::tell();
    let chain = story.chain(3);
    let size = story.size();
    let is_seal = |leaf: &Vec<u8>| matches!(LeafTag::split(leaf), Some((LeafTag::Seal, _)));
    for (index, leaf) in story.leaves.iter().enumerate() {
        let proof = story.proof(index as u64, 2, size);
        let got = chain.verify_seal(leaf, proof.as_bytes());
        assert_eq!(got.is_ok(), is_seal(leaf), "leaf {index}: {got:?}");
    }
    let seal = story.leaves.last().unwrap();
    let proof = story.proof(size - 1, 2, size);
    let key = 3u32.to_le_bytes();
    let verify = |key: &[u8], value: Option<&[u8]>, with: &[u8]| {
        chain
            .verify_state(seal, proof.as_bytes(), key, value, &story.state.proof(with))
            .map_err(|e| e.code())
    };
    assert_eq!(
        verify(&key, Some(&[4; 4]), &key).unwrap().seal.height,
        Height(9)
    );
    assert!(verify(b"none", None, b"none").is_ok());
    assert_eq!(verify(&key, Some(&[5; 4]), &key), Err("state.value"));
    assert_eq!(verify(&key, None, b"none"), Err("state.key"));

    // A seal with a wrong index or policy, signed by a dishonest quorum, is still refused.
    let change = |change: &dyn Fn(&mut Seal)| {
        let mut forged = Story::tell();
        let Some((LeafTag::Seal, bytes)) = LeafTag::split(seal) else {
            panic!("seal")
        };
        let mut seal: Seal = decode(bytes).unwrap();
        change(&mut seal);
        forged.leaf(LeafTag::Event.prefix(b"e"));
        let index = forged.size();
        forged.leaf(seal.leaf());
        let proof = forged.proof(index, 2, index + 1);
        chain
            .verify_seal(&seal.leaf(), proof.as_bytes())
            .map(|r| r.seal.height)
            .map_err(|e| e.code())
    };
    assert_eq!(change(&|s| s.first_leaf += 2), Ok(Height(9)));
    assert_eq!(change(&|_| ()), Err("seal.index"));
    assert_eq!(
        change(&|s| (s.first_leaf, s.policy) = (s.first_leaf + 2, story.policies[1].digest())),
        Err("seal.policy")
    );
}

#[test]
fn certificates_are_judged_by_the_policy_in_the_seal() {
    let story = Story::tell();
    let chain = story.chain(3);
    let Some((LeafTag::Seal, bytes)) = LeafTag::split(story.leaves.last().unwrap()) else {
        panic!("seal")
    };
    let seal: Seal = decode(bytes).unwrap();
    let by = |generation: u32| {
        let sign = |org: &u32| {
            let vote = Vote {
                kind: VoteKind::Precommit,
                height: seal.height,
                round: 0,
                block: Some(seal.id()),
                validator: OrganisationId(*org),
            };
            (
                OrganisationId(*org),
                vote.sign(&story.genesis(), &key("consensus", *org, generation)),
            )
        };
        let signatures = [4u32, 5, 6].iter().map(sign).collect();
        Certificate {
            height: seal.height,
            round: 0,
            block: seal.id(),
            signatures,
        }
    };
    assert_eq!(chain.verify_certificate(&seal, &by(2)), Some(Ok(())));
    assert_eq!(
        chain.verify_certificate(&seal, &by(1)),
        Some(Err(CertificateError::BadSignature(OrganisationId(4))))
    );
    assert_eq!(story.chain(2).verify_certificate(&seal, &by(2)), None);
}
