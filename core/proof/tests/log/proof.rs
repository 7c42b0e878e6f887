use proptest::prelude::*;
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::checkpoint::*;
use rollbook_proof::log::note::*;
use rollbook_proof::log::proof::*;
use rollbook_proof::log::*;

use crate::samples::{note, policy};

fn sample(size: u64, index: u64) -> (TlogProof, MemoryNodes) {
    let mut nodes = MemoryNodes::new();
    (0..size).for_each(|i| assert_eq!(nodes.push(&i.to_le_bytes()), i));
    let policy = policy(&[1, 2, 3, 4]);
    (
        TlogProof::make(&nodes, index, note(&policy, size, nodes.root())).unwrap(),
        nodes,
    )
}

#[test]
fn refuses_other_texts() {
    let text = sample(9, 3).0.render().unwrap();
    TlogProof::parse(text.as_bytes()).unwrap();
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    for (bad, why) in [
        (change("@v1", "@v2"), ProofFormatError::Header),
        (change("c2sp", "\nc2sp"), ProofFormatError::Header),
        (change("@v1\n", "@v1\r\n"), ProofFormatError::Header),
        (change("index 3", "index 03"), ProofFormatError::Index),
        (change("index 3", "index +3"), ProofFormatError::Index),
        (change("index 3", "index  3"), ProofFormatError::Index),
        (change("index 3", "index -3"), ProofFormatError::Index),
        (
            change("index 3", "index 18446744073709551616"),
            ProofFormatError::Index,
        ),
        (change("index 3\n", ""), ProofFormatError::Index),
        (change("index", "extra \nindex"), ProofFormatError::Extra),
        (
            change("index", "extra AAB=\nindex"),
            ProofFormatError::Extra,
        ),
        (
            change("index", "extra AA==\nextra AA==\nindex"),
            ProofFormatError::Index,
        ),
        (change("=\n", "\n"), ProofFormatError::Path),
        (
            change(
                "index 3\n",
                &format!(
                    "index 3\n{}",
                    format!("{}\n", hash_base64(&Hash::ZERO)).repeat(63)
                ),
            ),
            ProofFormatError::Path,
        ),
        (
            change("\n\n", "\n\n\n"),
            ProofFormatError::Note(NoteError::Line(1)),
        ),
    ] {
        let got = TlogProof::parse(bad.as_bytes());
        // An additional empty line becomes part of the note's text, which then is no
        // checkpoint.
        if let Ok(parsed) = &got {
            assert!(Checkpoint::parse(&parsed.note.text).is_err(), "{bad}");
        } else {
            assert_eq!(got, Err(why), "{bad}");
        }
    }
    let with_extra = change("index", "extra AA==\nindex");
    let parsed = TlogProof::parse(with_extra.as_bytes()).unwrap();
    assert_eq!(parsed.extra, Some(vec![0]));
    assert_eq!(parsed.render().unwrap(), with_extra);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn proofs_verify_and_read_back(size in 1u64..300, pick: u64) {
        let index = pick % size;
        let (proof, nodes) = sample(size, index);
        let text = proof.render().unwrap();
        prop_assert_eq!(&TlogProof::parse(text.as_bytes()).unwrap(), &proof);
        let acceptance = policy(&[1, 2, 3, 4]).acceptance().unwrap();
        let verified = proof.verify(&index.to_le_bytes(), &acceptance).unwrap();
        prop_assert_eq!((verified.index, verified.size, verified.root), (index, size, nodes.root()));
        prop_assert_eq!(verified.signers.len(), 3);
        prop_assert!(proof.verify(b"another leaf", &acceptance).is_err());
    }

    #[test]
    fn one_changed_bit_is_refused(at: usize, bit in 0u8..8) {
        let (proof, _) = sample(7, 4);
        let mut bytes = proof.render().unwrap().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let acceptance = policy(&[1, 2, 3, 4]).acceptance().unwrap();
        if let Ok(other) = TlogProof::parse(&bytes) {
            prop_assert!(other.verify(&4u64.to_le_bytes(), &acceptance).is_err(), "byte {}", at);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(tail in "[ -~\n—]{0,200}") {
        let _ = TlogProof::parse(tail.as_bytes());
        let _ = TlogProof::parse(format!("{PROOF_HEADER}\nindex 1\n{tail}").as_bytes());
    }
}
