//! The offline audit as an auditor meets it: the real binary on real files, sound and spoilt.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rollbook_core::export::{BlockFrame, Header};
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, NodeAct};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{EpochId, Height};
use rollbook_sandbox::alliance::node_keys;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, place, sample};
use rollbook_tests::writer::Writer;

fn audit(file: &Path, genesis: Option<Hash>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    command.args(["--lang", "en", "audit"]).arg(file);
    if let Some(genesis) = genesis {
        command.args(["--genesis", &genesis.to_hex()]);
    }
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Twelve blocks with a handover in the sixth: 5 founders, the fifth node seated.
fn history() -> Writer {
    let seed = b"audit";
    let mut sample = sample(seed, 5, 4);
    sample.charter.chain.handover_blocks = 5;
    let mut writer = Writer::founded(Alliance::of(&sample));
    let operator = officers_of(5).0;
    let chain = writer.alliance.chain();
    for act in [
        NodeAct::Register(node_keys(Some(&chain), seed, 5, &place(5))),
        NodeAct::Ready,
    ] {
        writer
            .act_as(5, &[(operator, Role::NodeOperator)], Body::Node(act))
            .unwrap();
    }
    while writer.ledger.height() < Height(12) {
        writer.submit(&[]);
    }
    assert_eq!(writer.ledger.policy().epoch, EpochId(1));
    writer
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn folder() -> Folder {
    Folder(tempfile::tempdir().unwrap())
}

#[test]
fn a_sound_history_is_sound_and_pinned_to_its_genesis() {
    let (writer, folder) = (history(), folder());
    let file = folder.file("good.rollbook", &writer.export());
    let output = audit(&file, Some(writer.alliance.chain()));
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        stdout(&output),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(stdout(&output).contains("SOUND"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("SAMPLE"));
    // Another alliance's hash: a finding, not an error of use.
    let output = audit(&file, Some(sha256(b"another alliance")));
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("A2.other-alliance"));
    // Without a hash the audit says what that means.
    let output = audit(&file, None);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no --genesis was given"));
}

/// One bit anywhere in the file is found, and never crashes the auditor. Every 997th byte is tried,
/// and every fifth of the last 400.
#[test]
fn one_flipped_bit_is_always_found() {
    let (writer, folder) = (history(), folder());
    let good = writer.export();
    let places = (0..good.len())
        .step_by(997)
        .chain((good.len().saturating_sub(400)..good.len()).step_by(5));
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 1 << (place % 8);
        let file = folder.file("bad.rollbook", &bad);
        let output = audit(&file, Some(writer.alliance.chain()));
        let code = output.status.code();
        assert!(
            code == Some(1) || code == Some(2),
            "byte {place}: exit {code:?}\n{}",
            stdout(&output)
        );
    }
}

/// A flipped bit inside a record's signature or payload names that record's leaf.
#[test]
fn the_damaged_record_is_named() {
    let (writer, folder) = (history(), folder());
    let mut frames = writer.frames.clone();
    let record = frames[1].records[2].clone();
    let last = record.len() - 1;
    frames[1].records[2][last] ^= 1;
    let mut bytes = Header {
        genesis: writer.ledger.chain(),
        height: writer.ledger.height(),
    }
    .encode();
    bytes.extend(frames.iter().flat_map(BlockFrame::encode));
    let good = writer.export();
    bytes.extend_from_slice(&good[bytes.len()..]);
    let file = folder.file("record.rollbook", &bytes);
    let output = audit(&file, Some(writer.alliance.chain()));
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1));
    // Block 1 begins after the genesis leaves and seal 0; its records are its first leaves.
    let leaf = writer.frames[0].derived.len() + 1 + 2;
    assert!(
        text.contains("A1.body-digest") && text.contains(&format!("leaf {leaf}")),
        "{text}"
    );
    // The damage is in block 1; the links and certificates of the rest were still checked, the
    // rules were not.
    assert!(text.contains("A14.not-executed"), "{text}");
    assert!(
        !text.contains("A1.parent") && !text.contains("A1.certificate"),
        "{text}"
    );
}

#[test]
fn truncation_surplus_and_foreign_files() {
    let (writer, folder) = (history(), folder());
    let good = writer.export();
    let in_block_2 = Header::BYTES
        + writer.frames[..2]
            .iter()
            .map(|frame| frame.encode().len())
            .sum::<usize>()
        + 100;
    for (name, bytes, code) in [
        ("empty", Vec::new(), 2),
        (
            "text",
            b"this is no export, it is a letter to the secretary of the alliance and long enough"
                .to_vec(),
            2,
        ),
        ("cut-in-a-block", good[..in_block_2].to_vec(), 1),
        ("cut-before-the-digest", good[..good.len() - 32].to_vec(), 1),
        ("surplus", [good.as_slice(), b"x"].concat(), 1),
    ] {
        let output = audit(&folder.file(name, &bytes), Some(writer.alliance.chain()));
        assert_eq!(
            output.status.code(),
            Some(code),
            "{name}: {}{}",
            stdout(&output),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let output = audit(Path::new("/does/not/exist"), None);
    assert_eq!(output.status.code(), Some(2));
}

/// Who leaves a block out, or the last ones, is found: the head, the links or the tail no longer
/// fit.
#[test]
fn a_left_out_block_is_found() {
    let (writer, folder) = (history(), folder());
    for (name, frames) in [
        (
            "middle",
            [&writer.frames[..4], &writer.frames[5..]].concat(),
        ),
        ("last", writer.frames[..writer.frames.len() - 1].to_vec()),
    ] {
        let mut bytes = Header {
            genesis: writer.ledger.chain(),
            height: Height(frames.len() as u64 - 1),
        }
        .encode();
        bytes.extend(frames.iter().flat_map(BlockFrame::encode));
        let good = writer.export();
        let tail_at = Header::BYTES
            + writer
                .frames
                .iter()
                .map(|frame| frame.encode().len())
                .sum::<usize>();
        bytes.extend_from_slice(&good[tail_at..good.len() - 32]);
        let digest = sha256(&bytes);
        bytes.extend_from_slice(&digest.0);
        let output = audit(&folder.file(name, &bytes), Some(writer.alliance.chain()));
        assert_eq!(output.status.code(), Some(1), "{name}: {}", stdout(&output));
    }
}

/// A folder was told to be a file that is too short.
#[test]
fn a_folder_is_unreadable_and_not_short() {
    let audited =
        rollbook_audit::audit(Path::new(env!("CARGO_MANIFEST_DIR")), None, &mut |_, _| {});
    assert!(matches!(audited, Err(rollbook_audit::Error::Folder)));
}
