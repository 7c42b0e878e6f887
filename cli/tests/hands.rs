//! Two hands at once, lost lines, kills, files run twice, papers that wait: nothing is lost, doubled or
//! told falsely (RULINGS A59, A60, A64, A65). Real processes on real nodes.
//!
//! `ROLLBOOK_HANDS=1` runs the long tier: a file of 300 lines killed 20 times, 50 rounds of two
//! signatures at once.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, ChildStderr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rollbook::pending_file;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, CharterAct, OfficialOrder, Record};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::LedgerTime;
use rollbook_sandbox::sign::Signer;
use serde_json::Value;

mod desk;
use desk::{Desk, all, tells};
mod line;
use line::{Cut, Line, begin, signal};

const SEED: &str = "hands";

/// Whether the long tier runs.
fn is_long() -> bool {
    std::env::var_os("ROLLBOOK_HANDS").is_some()
}

/// Takes a testnet down, whatever happens.
struct Net {
    desk: Desk,
    url: String,
    texts: AtomicU32,
}

impl Net {
    fn up(nodes: u32) -> Net {
        let desk = Desk::new();
        let url = desk.testnet(nodes, 5, SEED);
        Net {
            desk,
            url,
            texts: AtomicU32::new(0),
        }
    }

    /// A desk with the keys of these persons of an organisation; the first is the profile's.
    fn officer(&self, organisation: u32, persons: &[(u32, &str)]) -> Desk {
        let desk = Desk::new();
        for (person, role) in persons {
            desk.key(SEED, organisation, *person, role);
        }
        self.settle(&desk, &self.url, organisation, persons[0].0);
        desk
    }

    fn settle(&self, desk: &Desk, url: &str, organisation: u32, person: u32) {
        desk.settle(&self.desk, url, organisation, person);
    }

    /// A desk of both officers of member 1.
    fn both(&self) -> Desk {
        self.officer(
            1,
            &[
                (1, "primary,node-operator"),
                (2, "alternate,finance,technical"),
            ],
        )
    }

    /// An act that was not made before, and that makes a motion each time it is: signed by both.
    fn act(&self) -> String {
        format!("{} --signer 1:primary --signer 2:alternate", self.half())
    }

    /// The same signed by the profile's person.
    fn half(&self) -> String {
        let number = self.texts.fetch_add(1, Ordering::Relaxed);
        format!("office remove 2 --text {}", sha256(&number.to_le_bytes()))
    }

    /// Asserts that an act is in the ledger exactly so often.
    #[track_caller]
    fn is_there(&self, act: &str, times: usize) {
        assert_eq!(times_in(&self.log(), act), times, "{act}");
    }

    /// The whole history, as it is exported.
    fn log(&self) -> Vec<u8> {
        let file = self.desk.path("history.export");
        let _ = std::fs::remove_file(&file);
        self.desk
            .good(&format!("testnet export {} --dir net", file.display()));
        std::fs::read(file).unwrap()
    }

    /// How many motions were proposed, by the history run again.
    fn proposals(&self) -> usize {
        self.log();
        let told = self.desk.good(&[
            "--json",
            "history",
            "--from-export",
            "history.export",
            "--genesis",
            &self.genesis(),
            "--kind",
            "R10",
            "--count",
            "10000",
        ]);
        let told: Value = serde_json::from_str(&told).unwrap();
        told["lines"].as_array().unwrap().len()
    }

    fn genesis(&self) -> String {
        let file = std::fs::read(self.desk.path("net/genesis.rollbook")).unwrap();
        let file = rollbook_core::genesis::file::GenesisFile::decode(&file).unwrap();
        file.genesis.hash().to_hex()
    }

    fn stop(&self, node: u32) {
        self.desk.good(&format!("testnet kill {node} --dir net"));
    }

    fn start(&self, node: u32) {
        self.desk.good(&format!("testnet start {node} --dir net"));
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.desk.run(&["testnet", "down", "--dir", "net"]);
    }
}

/// How often the text that an act names stands in a history: once in every record of it.
fn times_in(log: &[u8], act: &str) -> usize {
    let text = act
        .split_whitespace()
        .find(|word| word.len() == 64)
        .unwrap();
    let bytes = Hash::from_hex(text).unwrap().0;
    log.windows(32).filter(|window| *window == bytes).count()
}

/// The first text of 64 hexadecimal digits after a word.
#[track_caller]
fn id_after(told: &str, word: &str) -> String {
    let (_, rest) = told.split_once(word).unwrap_or_else(|| panic!("{told}"));
    let is_id = |part: &&str| part.len() == 64 && part.chars().all(|c| c.is_ascii_hexdigit());
    rest.split(|c: char| !c.is_ascii_alphanumeric())
        .find(is_id)
        .unwrap_or_else(|| panic!("{told}"))
        .to_owned()
}

/// The outbox of a desk: what is known of each record.
fn outbox(desk: &Desk) -> Vec<String> {
    let folder = desk.path("data/rollbook/work/own/outbox");
    let mut known: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().ends_with(".sent.json"))
        .map(|file| {
            let entry: Value =
                serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
            entry["known"].as_str().unwrap().to_owned()
        })
        .collect();
    known.sort();
    known
}

/// The line breaks at every place of an act: what is said agrees with the ledger, and what is advised
/// leads to exactly one act.
#[test]
fn a_lost_line_loses_and_doubles_nothing() {
    let net = Net::up(1);
    let line = Line::to(&net.url);
    let desk = net.both();
    net.settle(&desk, &line.url, 1, 1);

    // The answer alone is lost: the record is asked for by its id, and is in.
    line.is(Cut::OnlyAnswer);
    let act = net.act();
    let output = desk.ends(0, &act);
    tells(&all(&output), &["is signed and kept", "It took effect."]);
    line.is(Cut::Nothing);
    net.is_there(&act, 1);

    // The same act again within a day is asked about, and --yes is no answer.
    let told = all(&desk.ends(2, &act));
    tells(
        &told,
        &["is in block", "--again", "--yes does not answer this"],
    );
    net.is_there(&act, 1);
    desk.good(&format!("{act} --again"));
    net.is_there(&act, 2);

    // The whole line is lost after the node took the record: it is not known, and never 'try again'.
    line.is(Cut::AfterHandIn);
    let act = net.act();
    let told = all(&desk.ends(3, &act));
    let id = id_after(&told, "record ");
    tells(
        &told,
        &[
            "it is not known whether record",
            "do not make the act again",
        ],
    );
    assert!(!told.contains("try again"), "{told}");
    assert_eq!(
        outbox(&desk)
            .iter()
            .filter(|known| *known == "open")
            .count(),
        1
    );
    // While the line is down the next command says so, and the act is not made a second time.
    let told = all(&desk.ends(4, "motion vote 1 yes"));
    tells(&told, &[&id, "no node answers"]);
    line.is(Cut::Nothing);
    // The next command tells what became of it, once.
    let told = all(&desk.ends(0, "motion list"));
    tells(&told, &["told now: record", &id, "It took effect."]);
    assert!(!all(&desk.ends(0, "motion list")).contains(&id));
    net.is_there(&act, 1);
    assert!(!outbox(&desk).contains(&"open".to_owned()));

    // What it advises: the same bytes again, and the fate.
    line.is(Cut::AfterHandIn);
    let act = net.act();
    let id = id_after(&all(&desk.ends(3, &act)), "record ");
    line.is(Cut::Nothing);
    let told = all(&desk.ends(0, &format!("submit {id}")));
    tells(&told, &[&id, "It took effect."]);
    net.is_there(&act, 1);
    tells(
        &all(&desk.ends(0, "submit --open")),
        &["nothing that was sent"],
    );

    // Nothing was sent: then, and only then, it may be made again.
    line.is(Cut::Full);
    let act = net.act();
    let told = all(&desk.ends(4, &act));
    tells(&told, &["nothing was sent", "the pool is full"]);
    line.is(Cut::Nothing);
    desk.good(&act);
    net.is_there(&act, 1);

    nothing_that_cannot_be_written_hides_an_act(&net, &desk);
    one_officer_at_two_desks(&net, &desk);
}

/// What cannot be written is told for what it is: before anything is sent, or after the act.
fn nothing_that_cannot_be_written_hides_an_act(net: &Net, desk: &Desk) {
    let genesis = net.genesis();
    // The node's signed answer cannot be kept: the act is recorded, and that is said first.
    let answers = desk.path(&format!("state/rollbook/verified/{genesis}/receipts"));
    std::fs::rename(&answers, desk.path("answers")).unwrap();
    std::fs::write(&answers, "in the way").unwrap();
    let act = net.act();
    let output = desk.ends(0, &act);
    tells(&all(&output), &["It took effect.", "could not be kept"]);
    net.is_there(&act, 1);
    std::fs::remove_file(&answers).unwrap();
    std::fs::rename(desk.path("answers"), &answers).unwrap();

    // What proves the act cannot be written beside its receipt: it is recorded, and that is said.
    std::os::unix::fs::symlink("nowhere", desk.path("kept.record")).unwrap();
    let act = net.act();
    let told = all(&desk.ends(5, &format!("{act} --receipt-file kept.tlog-proof")));
    tells(&told, &["It took effect.", "the act is recorded: record"]);
    net.is_there(&act, 1);

    // The outbox or the place of receipts cannot be written: nothing is sent.
    for place in ["outbox", "receipts"] {
        let place = desk.path(&format!("data/rollbook/work/own/{place}"));
        std::fs::rename(&place, desk.path("aside")).unwrap();
        std::fs::write(&place, "in the way").unwrap();
        let act = net.act();
        let output = desk.run(&act);
        assert!(
            matches!(output.status.code(), Some(2 | 5)),
            "{}",
            all(&output)
        );
        std::fs::remove_file(&place).unwrap();
        std::fs::rename(desk.path("aside"), &place).unwrap();
        net.is_there(&act, 0);
        desk.good(&act);
        net.is_there(&act, 1);
    }
}

/// A laptop and a desktop of one officer, a paper that waits at one of them, and the same number.
fn one_officer_at_two_desks(net: &Net, desktop: &Desk) {
    let laptop = net.both();
    // A paper takes its number with it, in a file that no node knows of.
    let act = net.half();
    laptop.ends(
        3,
        &format!("{act} --pending a.pending.json --signer 1:primary"),
    );
    // It may be a ballot: nobody else on the machine reads it.
    let mode = std::fs::metadata(laptop.path("a.pending.json")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777,
        0o600
    );
    // The desktop cannot know of it, and takes the same number.
    desktop.good(&net.act());
    let told = all(&laptop.ends(0, "pending ."));
    tells(&told, &["A6.number-taken", "is held by another record"]);
    let told = all(&laptop.ends(1, "sign a.pending.json --signer 2:alternate"));
    tells(&told, &["A6.number-taken"]);
    laptop.good("sign a.pending.json --take-back --signer 1");
    // Acts of both go on in turn.
    for _ in 0..3 {
        laptop.good(&net.act());
        desktop.good(&net.act());
    }
    laptop.good(&format!("{act} --signer 1:primary --signer 2:alternate"));
    net.is_there(&act, 1);
}

/// Papers of one officer wait side by side and go in in any order; what is wrong with one is said
/// whenever it is shown.
#[test]
fn papers_wait_side_by_side() {
    let net = Net::up(1);
    let first = net.both();
    let second = net.officer(1, &[(2, "alternate,finance,technical")]);
    let mut acts = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let act = net.half();
        first.ends(3, &format!("{act} --pending {name}.pending.json"));
        acts.push((name, act));
    }
    // The same once more is asked about.
    let told = all(&first.ends(2, &acts[0].1));
    tells(&told, &["waits for signatures already", "--again"]);
    for (name, _) in &acts {
        let file = format!("{name}.pending.json");
        second.write(&file, std::fs::read(first.path(&file)).unwrap());
    }
    // An act of the same officer between them kills none.
    first.good(&net.act());
    for name in ["c", "a"] {
        second.good(&format!("sign {name}.pending.json"));
        second.good(&format!("submit {name}.pending.json"));
    }
    for (name, act) in &acts {
        net.is_there(act, usize::from(["a", "c"].contains(name)));
    }

    // The copy with one signature, after the record is in.
    let told = all(&first.ends(0, "pending ."));
    tells(&told, &["in the log already, block"]);
    let told = all(&first.ends(1, "sign a.pending.json --signer 1:primary"));
    tells(&told, &["already", "needs no more signatures"]);
    let told = all(&first.ends(0, "submit a.pending.json --receipt-file a.tlog-proof"));
    tells(&told, &["it is in block", "It took effect."]);
    // What stands beside the receipt is the record of the log, not the copy.
    tells(&first.good("verify a.tlog-proof"), &["PROVED"]);

    // A signature by an old key of the second officer, made where no node was asked.
    let old = Desk::new();
    old.key("old", 1, 2, "alternate,finance,technical");
    net.settle(&old, "http://127.0.0.1:1", 1, 2);
    old.write(
        "b.pending.json",
        std::fs::read(first.path("b.pending.json")).unwrap(),
    );
    old.good("sign b.pending.json --signer 2:alternate");
    second.write(
        "b.pending.json",
        std::fs::read(old.path("b.pending.json")).unwrap(),
    );
    let told = all(&second.ends(0, "pending ."));
    tells(&told, &["A6.bad-signature"]);
    assert!(!told.contains("b.pending.json: complete"), "{told}");
    // A copy with it is merged without it, and who signs again replaces it.
    first.write(
        "old.json",
        std::fs::read(old.path("b.pending.json")).unwrap(),
    );
    let told = all(&first.ends(0, "sign b.pending.json old.json"));
    tells(
        &told,
        &[
            "does not count and is left out",
            "signatures of all copies now: 1",
        ],
    );
    let told = all(&second.ends(0, "sign b.pending.json"));
    tells(
        &told,
        &["does not count and is left out", "person 2 signed"],
    );
    second.good("submit b.pending.json");
    // With a node, a key that the ledger does not have signs nothing.
    net.settle(&old, &net.url, 1, 2);
    old.write(
        "d.pending.json",
        std::fs::read(first.path("d.pending.json")).unwrap(),
    );
    let before = std::fs::read(old.path("d.pending.json")).unwrap();
    let told = all(&old.ends(1, "sign d.pending.json --signer 2:alternate"));
    tells(&told, &["was not written", "A6.bad-signature"]);
    assert_eq!(std::fs::read(old.path("d.pending.json")).unwrap(), before);

    // A link is written through, and what stands beside the file is left alone.
    std::fs::create_dir(second.path("shared")).unwrap();
    std::fs::rename(second.path("d.pending.json"), second.path("shared/d.json")).unwrap();
    second.write("d.pending.new", "mine");
    std::os::unix::fs::symlink("shared/d.json", second.path("d.pending.json")).unwrap();
    second.good("sign d.pending.json");
    assert!(second.path("d.pending.json").is_symlink());
    let shared = pending_file::read(&second.path("shared/d.json")).unwrap();
    assert_eq!(shared.signatures.len(), 2);
    assert_eq!(
        std::fs::read(second.path("d.pending.new")).unwrap(),
        b"mine"
    );

    // What a file says of itself is checked.
    let text: Value =
        serde_json::from_slice(&std::fs::read(second.path("shared/d.json")).unwrap()).unwrap();
    for (field, value) in [
        ("kind", Value::from("rollbook-pending-recorf")),
        ("version", Value::from(2)),
        ("rule", Value::from("M01")),
    ] {
        let mut changed = text.clone();
        changed[field] = value;
        second.write("x.pending.json", changed.to_string());
        second.ends(2, "sign x.pending.json");
        second.ends(2, "submit x.pending.json");
    }
    // A paper of another alliance is called so.
    let mut other = shared;
    other.payload.chain = Hash([7; 32]);
    std::fs::create_dir(second.path("tray")).unwrap();
    pending_file::write(&second.path("tray/e.pending.json"), &other).unwrap();
    let told = all(&second.ends(0, "pending tray"));
    tells(&told, &["of another alliance"]);
    assert!(!told.contains("complete"), "{told}");

    // Too many acts in between: the paper says that its number is out of reach.
    window(&net, &first);
}

/// A paper falls out of the window of numbers: it says so when it is shown.
fn window(net: &Net, desk: &Desk) {
    let act = net.half();
    desk.ends(
        3,
        &format!("{act} --pending late.pending.json --signer 1:primary"),
    );
    // Numbers that were given out and never used count as well.
    let file = desk.path("data/rollbook/keys/0001.numbers.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut given: toml::Table = text.parse().unwrap();
    let (_, lanes) = given.iter_mut().next().unwrap();
    let lanes = lanes.as_table_mut().unwrap();
    let number = lanes["public"].as_integer().unwrap();
    lanes.insert("public".into(), (number + 300).into());
    std::fs::write(&file, given.to_string()).unwrap();
    desk.good(&net.act());
    std::fs::create_dir(desk.path("late")).unwrap();
    std::fs::rename(
        desk.path("late.pending.json"),
        desk.path("late/late.pending.json"),
    )
    .unwrap();
    let told = all(&desk.ends(0, "pending late"));
    tells(&told, &["A6.replayed", "more than 256 below the highest"]);
}

/// Two officers sign one file at once: no signature is lost, in any round.
#[test]
fn two_signatures_at_once_are_both_there() {
    let rounds = if is_long() { 50 } else { 8 };
    let chain = Hash([9; 32]);
    let desk = Desk::new();
    // Of the sample's secretariat: holders of posts, whose roles a card does not know.
    for (person, role) in [(14, "primary"), (15, "alternate"), (16, "finance")] {
        desk.key(SEED, 7, person, role);
    }
    let mut signer = Signer::founded(chain, SEED.as_bytes());
    for round in 0..rounds {
        let order = OfficialOrder {
            authority: Text::new("Court").unwrap(),
            reference: Text::new(format!("{round}")).unwrap(),
            document: chain,
            issued_ms: LedgerTime(1),
            about: None,
        };
        let record: Record = signer.record(
            7,
            &[(13, Role::Secretary)],
            rollbook_node::clock::real_ms(),
            Body::Charter(CharterAct::FileOrder(order)),
        );
        let file = desk.path("one.pending.json");
        pending_file::write(&file, &record).unwrap();
        let sign = |who: &str| {
            begin(
                &desk,
                &format!("sign one.pending.json --signer {who} --node http://127.0.0.1:1"),
            )
        };
        let at_once = [
            sign("14:treasurer"),
            sign("15:second-officer"),
            sign("16:second-officer"),
        ];
        for child in at_once {
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", all(&output));
        }
        let signed = pending_file::read(&file).unwrap();
        let who: Vec<u32> = signed
            .signatures
            .iter()
            .map(|entry| entry.officer.0)
            .collect();
        assert_eq!(who, [13, 14, 15, 16], "round {round}");
    }
    // The same for the registration of a company.
    let desk = Desk::new();
    for (person, role) in [(1, "primary"), (2, "alternate,finance")] {
        desk.key(SEED, 0, person, role);
    }
    let zero = "ab".repeat(32);
    for round in 0..rounds {
        desk.write("none/x", "");
        desk.ends(
            3,
            &format!(
                "org register --native 示例公司 --latin Example --uscc 91999999MA0DM0101G \
                 --extract {zero} --extract-date 2023-05-01 --card 1.card.toml --card \
                 2.card.toml --genesis {zero} --keystore none --out r{round}.json"
            ),
        );
        let at_once = [1, 2].map(|who| begin(&desk, &format!("sign r{round}.json --signer {who}")));
        for child in at_once {
            let output = child.wait_with_output().unwrap();
            assert!(
                matches!(output.status.code(), Some(0 | 3)),
                "{}",
                all(&output)
            );
        }
        let told = all(&desk.ends(1, &format!("sign r{round}.json --signer 1")));
        tells(&told, &["every officer has signed"]);
    }
}

/// Acts that are cut while the chain has no quorum, fifty acts from five terminals at once with three
/// papers waiting: each is in the log once.
#[test]
fn no_quorum_no_patience_and_fifty_acts_at_once() {
    let net = Net::up(4);
    let desk = net.both();
    let mut acts = Vec::new();
    for name in ["p", "q", "r"] {
        let act = net.half();
        desk.ends(
            3,
            &format!("{act} --pending {name}.pending.json --signer 1:primary"),
        );
        acts.push((name, act));
    }
    net.stop(3);
    net.stop(4);
    // Ctrl-C, a closed terminal, a kill while it is waited for.
    let mut cut = Vec::new();
    for name in ["INT", "HUP", "TERM", "KILL"] {
        let act = net.act();
        let (mut child, mut stderr, mut told) = handed_in(&desk, &act);
        let id = id_after(&told, "record ");
        signal(&child, name);
        let status = child.wait().unwrap();
        stderr.read_to_string(&mut told).unwrap();
        if name == "KILL" {
            assert_eq!(status.code(), None);
        } else {
            assert_eq!(status.code(), Some(3), "{name}: {told}");
            tells(
                &told,
                &["it is not known whether record", "rollbook submit"],
            );
        }
        cut.push((id, act));
    }
    // They are told of, and the fate is not known yet.
    let told = all(&desk.run("motion list"));
    for (id, _) in &cut {
        tells(&told, &[id]);
    }
    // Five terminals, ten acts each, while there is no quorum at first.
    let terminals_acts: Vec<Vec<String>> = (0..5)
        .map(|_| (0..10).map(|_| net.act()).collect())
        .collect();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let mut terminals = Vec::new();
        for (at, acts) in terminals_acts.iter().enumerate() {
            let desk = &desk;
            terminals.push(scope.spawn(move || {
                for (number, act) in acts.iter().enumerate() {
                    let wait = if (at + number) % 2 == 0 {
                        "--wait none"
                    } else {
                        "--wait decided"
                    };
                    let output = desk.run(&format!("{act} {wait}"));
                    let code = output.status.code();
                    assert!(matches!(code, Some(0 | 3)), "{}", all(&output));
                }
            }));
        }
        std::thread::sleep(Duration::from_secs(8));
        net.start(3);
        net.start(4);
        terminals.into_iter().for_each(|t| t.join().unwrap());
    });
    println!("fifty acts took {} s", begun.elapsed().as_secs());
    let output = desk.run("submit --open");
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    assert!(
        !outbox(&desk).contains(&"open".to_owned()),
        "{:?}",
        outbox(&desk)
    );
    // The papers go in, the last one first.
    for (name, act) in acts.iter().rev() {
        desk.good(&format!("sign {name}.pending.json --signer 2:alternate"));
        desk.good(&format!("submit {name}.pending.json"));
        net.is_there(act, 1);
    }
    let log = net.log();
    for act in terminals_acts
        .iter()
        .flatten()
        .chain(cut.iter().map(|(_, act)| act))
    {
        assert_eq!(times_in(&log, act), 1, "{act}");
    }
    assert_eq!(net.proposals(), 50 + 4 + 3);

    // The only node that has a record is killed, and has forgotten it when it comes back.
    (2..=4).for_each(|node| net.stop(node));
    let act = net.act();
    let (child, _stderr, _) = handed_in(&desk, &act);
    net.stop(1);
    (1..=4).for_each(|node| net.start(node));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    net.is_there(&act, 1);
}

/// An act that is waited for, with what it says, and what it has said so far.
fn handed_in(desk: &Desk, act: &str) -> (Child, ChildStderr, String) {
    let mut child = begin(desk, act);
    let mut told = String::new();
    let mut stderr = child.stderr.take().unwrap();
    let mut byte = [0];
    // Word of the record comes before it is sent.
    while !told.contains("is handed in now") {
        assert_eq!(stderr.read(&mut byte).unwrap(), 1, "{told}");
        told.push(byte[0] as char);
    }
    std::thread::sleep(Duration::from_millis(1_500));
    (child, stderr, told)
}

/// A file of many lines, killed at any moment and begun again each time, ends with as many acts as it
/// has lines; once more, it asks.
#[test]
fn a_run_that_is_killed_loses_no_line_and_repeats_none() {
    let net = Net::up(1);
    let desk = net.both();
    let (lines, kills) = if is_long() { (300, 20) } else { (150, 5) };
    let mut csv = String::from("post,text\n");
    for line in 0..lines {
        csv.push_str(&format!(
            "2,{}\n",
            sha256(format!("line {line}").as_bytes())
        ));
    }
    desk.write("many.csv", &csv);
    let command = "office remove --from many.csv --signer 1:primary --signer 2:alternate";
    // How long it takes to the first acts, and all of it, nobody knows: seeded, and spread over it.
    let mut chance = 7u64;
    let mut wait = 1_500;
    for _ in 0..kills {
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let mut child = begin(&desk, command);
        let until = Instant::now() + Duration::from_millis(wait + (chance >> 33) % 3_000);
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() > until {
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        if ended.is_some_and(|status| status.success()) {
            break;
        }
        let _ = child.kill();
        child.wait().unwrap();
        wait += 1_000;
    }
    // A run that was cut is told of, and the same file goes on with it.
    let output = desk.run(command);
    assert!(
        matches!(output.status.code(), Some(0 | 2)),
        "{}",
        all(&output)
    );
    let texts: BTreeSet<String> = csv
        .lines()
        .skip(1)
        .map(|line| line[2..].to_owned())
        .collect();
    let log = net.log();
    for text in &texts {
        assert_eq!(times_in(&log, text), 1, "{text}");
    }
    assert_eq!(net.proposals(), lines);
    // Once more it asks, and makes nothing.
    let told = all(&desk.ends(2, command));
    tells(
        &told,
        &["were made before", "--again", "was in before this command"],
    );
    assert_eq!(net.proposals(), lines);
    // Two commands do not work on one file.
    desk.write(
        "few.csv",
        "post,text\n2,".to_owned() + &"cd".repeat(32) + "\n",
    );
    let few = "office remove --from few.csv --signer 1:primary --signer 2:alternate";
    desk.good(few);
    desk.good(&format!("{few} --again"));
    assert_eq!(net.proposals(), lines + 2);
    let locks: Vec<File> = runs(&desk)
        .iter()
        .map(|folder| {
            let lock = File::open(folder.join("lock")).unwrap();
            lock.lock().unwrap();
            lock
        })
        .collect();
    tells(
        &all(&desk.ends(1, few)),
        &["another command is at work on few.csv"],
    );
    drop(locks);
}

fn runs(desk: &Desk) -> Vec<PathBuf> {
    std::fs::read_dir(desk.path("data/rollbook/work/own/runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}
