//! The table of interruptions: every kind of act, cut at every place, in every way (RULINGS A64).
//! After each, what the command said and its exit code agree with the ledger, following its own
//! advice leads to exactly one act, and no file is half made.
//!
//! The normal run takes a fifth of the pairs, drawn by the day's seed; `ROLLBOOK_HANDS=1` takes all,
//! `ROLLBOOK_SEED=N` another fifth.
//!
//! A disk is full for one process: its limit for the size of files is set to nothing, so that files
//! can be made and not filled, as on a full disk. A folder that cannot be written is one in whose
//! place a file stands, which holds for the superuser, too.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use rollbook_core::genesis::file::GenesisFile;
use rollbook_proof::crypto::{Hash, sha256};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

mod desk;
use desk::{Desk, Down, all, tells};
mod gate;
use gate::{Gate, Place};
mod hand;
use hand::APPLICANT;
mod line;
use line::signal;

const SEED: &str = "interruptions";
/// What is said of a record before it is sent.
const KEPT: &str = "is signed and kept";
/// How many lines a run has; it is cut at the second.
const LINES: usize = 3;

/// Ways of interrupting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Kill,
    Interrupt,
    HangUp,
    FullDisk,
    NoFolder,
    LostLine,
    DeadNode,
}

const WAYS: [Way; 7] = [
    Way::Kill,
    Way::Interrupt,
    Way::HangUp,
    Way::FullDisk,
    Way::NoFolder,
    Way::LostLine,
    Way::DeadNode,
];

const PLACES: [Place; 7] = [
    Place::Beginning,
    Place::Signed,
    Place::HandedIn,
    Place::Answered,
    Place::Decided,
    Place::Fetching,
    Place::Writing,
];

/// What is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An act that one officer signs.
    One,
    /// An act that two officers sign here.
    Two,
    /// A paper that waits in a file: the second signature, or its handing in.
    Paper,
    /// A file with several acts.
    Run,
    /// A sealed application.
    Application,
    /// A sealed review.
    Review,
}

/// A testnet, a line to its first node that holds, and the desk of those who act.
struct Stage<'a> {
    net: &'a Desk,
    gate: Gate,
    desk: &'a Desk,
    /// Folders in which the command writes.
    folders: Vec<PathBuf>,
}

/// Where a profile keeps what it must not lose.
fn kept(desk: &Desk, profile: &str) -> Vec<PathBuf> {
    let work = format!("data/rollbook/work/{profile}");
    ["outbox", "receipts"]
        .map(|name| desk.path(&format!("{work}/{name}")))
        .into()
}

impl<'a> Stage<'a> {
    /// At a new testnet of one node: the desk of a member's two officers.
    fn new(net: &'a Desk, desk: &'a Desk) -> Stage<'a> {
        let url = net.testnet(1, 5, SEED);
        let gate = Gate::to(&url);
        desk.key(SEED, 1, 1, "primary,node-operator");
        desk.key(SEED, 1, 2, "alternate,finance,technical");
        desk.settle(net, &gate.url, 1, 1);
        let folders = kept(desk, "own");
        Stage {
            net,
            gate,
            desk,
            folders,
        }
    }

    /// The history as of now, in a file.
    fn history(&self) -> PathBuf {
        let file = self.net.path("history.export");
        let _ = std::fs::remove_file(&file);
        self.net
            .good(&format!("testnet export {} --dir net", file.display()));
        file
    }
}

/// What shows that an act was made.
enum Sign {
    /// Texts, each of which stands in the history once for every record that names it.
    Texts(Vec<String>),
    /// Acts by a rule, of which there were so many before.
    Rule(&'static str, usize),
}

impl Sign {
    /// How often each part of the act was made.
    fn times(&self, stage: &Stage) -> Vec<usize> {
        let file = stage.history();
        match self {
            Sign::Texts(texts) => {
                let history = std::fs::read(file).unwrap();
                let times = |text: &String| {
                    let bytes = Hash::from_hex(text).unwrap().0;
                    history.windows(32).filter(|part| *part == bytes).count()
                };
                texts.iter().map(times).collect()
            }
            Sign::Rule(rule, before) => vec![by_rule(stage, rule) - before],
        }
    }

    fn is_once(&self, stage: &Stage) -> bool {
        self.times(stage).iter().all(|times| *times == 1)
    }

    fn is_never(&self, stage: &Stage) -> bool {
        self.times(stage).iter().all(|times| *times == 0)
    }
}

/// How many acts by a rule the history has.
fn by_rule(stage: &Stage, rule: &str) -> usize {
    let file = stage.history();
    let genesis = std::fs::read(stage.net.path("net/genesis.rollbook")).unwrap();
    let genesis = GenesisFile::decode(&genesis).unwrap().genesis.hash();
    let told = stage.net.json(
        0,
        &format!(
            "history --from-export {} --genesis {genesis} --kind {rule} --count 10000",
            file.display()
        ),
    );
    told["lines"].as_array().unwrap().len()
}

/// One act that is to be interrupted.
struct Act {
    /// The command that is interrupted.
    line: String,
    sign: Sign,
}

/// One pair of the table.
#[derive(Clone, Copy)]
struct Pair {
    kind: Kind,
    place: Place,
    way: Way,
}

impl std::fmt::Display for Pair {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Pair { kind, place, way } = self;
        write!(out, "{kind:?} / {place:?} / {way:?}")
    }
}

/// The command, held at a place and interrupted there: what it said, and how it ended.
fn interrupted(stage: &Stage, pair: Pair, line: &str, record: usize) -> Output {
    let Stage {
        gate, desk, net, ..
    } = stage;
    gate.hold_at(pair.place, record);
    let mut child = begin(desk, line);
    assert!(gate.holds(&mut child), "{pair}: {}", ended(child));
    match pair.way {
        Way::Kill | Way::Interrupt | Way::HangUp => {
            let name = match pair.way {
                Way::Kill => "KILL",
                Way::Interrupt => "INT",
                _ => "HUP",
            };
            if pair.place == Place::Writing {
                // What was held has come when the signal does.
                gate.let_go();
            }
            signal(&child, name);
        }
        Way::FullDisk => {
            limit(&child, 0);
            gate.let_go();
        }
        Way::NoFolder => {
            for folder in &stage.folders {
                if folder.exists() {
                    std::fs::rename(folder, aside(folder)).unwrap();
                }
                std::fs::write(folder, "in the way").unwrap();
            }
            gate.let_go();
        }
        Way::LostLine => gate.dies(),
        Way::DeadNode => {
            net.good("testnet kill 1 --dir net");
            gate.dies();
        }
    }
    let output = child.wait_with_output().unwrap();
    // What was in the way goes.
    gate.open();
    match pair.way {
        Way::NoFolder => {
            for folder in &stage.folders {
                std::fs::remove_file(folder).unwrap();
                if aside(folder).exists() {
                    std::fs::rename(aside(folder), folder).unwrap();
                }
            }
        }
        Way::DeadNode => {
            net.good("testnet start 1 --dir net");
        }
        _ => {}
    }
    output
}

fn aside(folder: &Path) -> PathBuf {
    folder.with_extension("aside")
}

/// The command of a desk, begun and not waited for; a disk that is full does not kill it.
fn begin(desk: &Desk, line: &str) -> Child {
    desk.after(":")
        .arg("--yes")
        .args(line.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ended(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    format!("{:?}\n{}", output.status.code(), all(&output))
}

/// What was said agrees with the ledger, and following the advice leads to exactly one act.
fn judge(stage: &Stage, pair: Pair, act: &Act, output: &Output) {
    let told = all(output);
    let code = output.status.code();
    let say = |what: &str| format!("{pair}: {what}\nended with {code:?}:\n{told}");
    let all_in = || act.sign.is_once(stage);
    let nothing_in = || act.sign.is_never(stage);
    match code {
        // Done, or done and a file of it could not be written: it is in.
        Some(0) => assert!(all_in(), "{}", say("not in, and called done")),
        Some(5) => {
            assert!(all_in() || nothing_in(), "{}", say("in, or not at all"));
        }
        // Not known: the record is named, and what asks for it.
        Some(3) => {
            let advice = match pair.kind {
                Kind::Run => "run the same command with the same file again",
                _ => "rollbook submit",
            };
            tells(&told, &[advice]);
            assert!(!told.contains("try again"), "{}", say("'try again'"));
        }
        // Nothing was sent.
        Some(1 | 2 | 4) => {
            assert!(nothing_in(), "{}", say("in, and called not sent"));
        }
        Some(_) => panic!("{}", say("an unknown code")),
        // Who ends it before it sent anything hears nothing.
        None if pair.kind == Kind::Run => {}
        None => {
            let is_named = told.contains(KEPT);
            assert!(pair.way == Way::Kill || !is_named, "{}", say("no word"));
            assert!(is_named || nothing_in(), "{}", say("in, and not named"));
        }
    }
    // The next command tells of what was left open.
    let next = stage.desk.run("motion list");
    assert_eq!(next.status.code(), Some(0), "{}\n{}", say(""), all(&next));
    if pair.kind == Kind::Run && code != Some(0) {
        // A run goes on with the same command, also where nobody could say so; one that is in whole
        // is asked about.
        let done = stage.desk.run(&act.line);
        let code = done.status.code();
        assert!(matches!(code, Some(0 | 2)), "{}\n{}", say(""), all(&done));
    } else if code == Some(3) || (code.is_none() && told.contains(KEPT) && !all_in()) {
        // What it advised, or, after a kill, what the next command did.
        let id = id_in(&format!("{}{told}", all(&next)));
        let id = id.unwrap_or_else(|| panic!("{}", say("no record is named")));
        let done = stage.desk.run(&format!("submit {id}"));
        assert_eq!(done.status.code(), Some(0), "{}\n{}", say(""), all(&done));
    } else if !all_in() {
        // Nothing was said, or nothing was sent: the command again.
        let done = stage.desk.run(&act.line);
        let done_code = done.status.code();
        let told_again = all(&done);
        // An act that was made and not sent, or is in by now, is asked about, never made twice.
        if done_code == Some(2) && told_again.contains("--again") {
            let open = stage.desk.run("submit --open");
            assert_eq!(open.status.code(), Some(0), "{}\n{}", say(""), all(&open));
        } else {
            assert_eq!(done_code, Some(0), "{}\n{told_again}", say("done again"));
        }
    }
    let open = stage.desk.run("submit --open");
    assert_eq!(open.status.code(), Some(0), "{}\n{}", say(""), all(&open));
    assert!(act.sign.is_once(stage), "{}", say("not exactly once"));
    nothing_is_half(stage.desk, pair);
}

/// The record that a text names.
fn id_in(told: &str) -> Option<String> {
    let (_, rest) = told.rsplit_once("rollbook submit ")?;
    let id: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    (id.len() >= 8).then_some(id)
}

/// Every file of the desk can be read as what it is.
fn nothing_is_half(desk: &Desk, pair: Pair) {
    let mut folders = vec![desk.path("data"), desk.path("state"), desk.path("config")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            if name.ends_with("lock") {
                continue;
            }
            assert!(!bytes.is_empty(), "{pair}: {} is empty", path.display());
            let is_whole = match path.extension().and_then(|e| e.to_str()) {
                Some("json") => serde_json::from_slice::<serde_json::Value>(&bytes).is_ok(),
                Some("toml") => String::from_utf8_lossy(&bytes)
                    .parse::<toml::Table>()
                    .is_ok(),
                Some("jsonl") => bytes.ends_with(b"\n"),
                _ => true,
            };
            assert!(is_whole, "{pair}: {} is half made", path.display());
        }
    }
}

/// The pairs that this run takes, of all there are.
fn drawn(pairs: Vec<Pair>) -> Vec<Pair> {
    if std::env::var_os("ROLLBOOK_HANDS").is_some() {
        return pairs;
    }
    let seed = std::env::var("ROLLBOOK_SEED").unwrap_or_else(|_| "1".into());
    let total = pairs.len();
    let share = |number: usize| sha256(format!("{seed} {number}").as_bytes()).0[0];
    let drawn: Vec<Pair> = (0..total)
        .zip(pairs)
        .filter(|(number, _)| share(*number) < 52)
        .map(|(_, pair)| pair)
        .collect();
    println!("{} of {total} pairs, seed {seed}", drawn.len());
    drawn
}

fn all_of(kind: Kind) -> Vec<Pair> {
    let every = |place: &Place| WAYS.map(|way| (*place, way));
    let pairs = PLACES.iter().flat_map(every);
    let pair = |(place, way)| Pair { kind, place, way };
    pairs.map(pair).collect()
}

fn table(kind: Kind) {
    let (net, desk) = (Desk::new(), Desk::new());
    let _down = Down(&net);
    let stage = Stage::new(&net, &desk);
    for (number, pair) in drawn(all_of(kind)).into_iter().enumerate() {
        let begun = Instant::now();
        one(&stage, pair, number);
        println!("{pair}: {} ms", begun.elapsed().as_millis());
    }
}

fn one(stage: &Stage, pair: Pair, number: usize) {
    let text = sha256(format!("{:?} {number}", pair.kind).as_bytes()).to_string();
    let both = "--signer 1:primary --signer 2:alternate";
    let (line, texts, record) = match pair.kind {
        Kind::One => {
            let line = format!("org update --address Road-{number} --extract {text}:2023-06-01");
            (line, vec![text], 1)
        }
        Kind::Two => {
            let line = format!("office remove 2 --text {text} {both}");
            (line, vec![text], 1)
        }
        Kind::Paper => return paper(stage, pair, number, text),
        Kind::Run => {
            let texts: Vec<String> = (0..LINES)
                .map(|line| sha256(format!("run {number} {line}").as_bytes()).to_string())
                .collect();
            let lines: String = texts.iter().map(|text| format!("2,{text}\n")).collect();
            let file = format!("run-{number}.csv");
            stage.desk.write(&file, format!("post,text\n{lines}"));
            let line = format!("office remove --from {file} {both}");
            let record = if pair.place == Place::Beginning { 1 } else { 2 };
            (line, texts, record)
        }
        Kind::Application => {
            let line = format!(
                "application submit C-1 --project @project.txt --title Project --ask 200,000.00 \
                 --document @project.txt --opening application-{number}.json --as {APPLICANT} \
                 --signer 7:primary --signer 8:alternate"
            );
            let sign = Sign::Rule("F06", by_rule(stage, "F06"));
            return sealed(stage, pair, Act { line, sign });
        }
        Kind::Review => unreachable!("a reviewer seals a review once"),
    };
    let sign = Sign::Texts(texts);
    let act = Act { line, sign };
    let output = interrupted(stage, pair, &act.line, record);
    judge(stage, pair, &act, &output);
}

/// What is sealed is interrupted: whoever loses the opening loses the act, so it is there and whole
/// whenever the act is in.
fn sealed(stage: &Stage, pair: Pair, act: Act) {
    let output = interrupted(stage, pair, &act.line, 1);
    judge(stage, pair, &act, &output);
    let mut words = act.line.split_whitespace();
    words.find(|word| *word == "--opening");
    let opening = stage.desk.path(words.next().unwrap());
    let opening = std::fs::read(opening).unwrap();
    serde_json::from_slice::<serde_json::Value>(&opening).unwrap();
}

/// The second signature of a paper is interrupted, or its handing in.
fn paper(stage: &Stage, pair: Pair, number: usize, text: String) {
    let file = format!("paper-{number}.pending.json");
    let desk = stage.desk;
    let half = format!("office remove 2 --text {text} --pending {file} --signer 1:primary");
    desk.ends(3, &half);
    let sign = format!("sign {file} --signer 2:alternate");
    let act = Act {
        line: format!("submit {file}"),
        sign: Sign::Texts(vec![text]),
    };
    if pair.place != Place::Beginning {
        desk.good(&sign);
        let output = interrupted(stage, pair, &act.line, 1);
        return judge(stage, pair, &act, &output);
    }
    let before = std::fs::read(desk.path(&file)).unwrap();
    let output = interrupted(stage, pair, &sign, 1);
    let told = all(&output);
    // The file is what it was, or has the signature; never anything between.
    let now = std::fs::read(desk.path(&file)).unwrap();
    let is_signed = output.status.code() == Some(0);
    assert_eq!(now != before, is_signed, "{pair}: {told}");
    rollbook::pending_file::read(&desk.path(&file)).unwrap();
    if !is_signed {
        desk.good(&sign);
    }
    desk.good(&act.line);
    assert!(act.sign.is_once(stage), "{pair}: {told}");
    nothing_is_half(desk, pair);
}

#[test]
fn an_act_of_one_officer() {
    table(Kind::One);
}

#[test]
fn an_act_of_two_officers() {
    table(Kind::Two);
}

#[test]
fn a_paper_that_waits() {
    table(Kind::Paper);
}

#[test]
fn a_file_of_several_acts() {
    table(Kind::Run);
}

/// Sealed acts need a fund with money, a call that is open, and reviewers.
#[test]
fn sealed_applications_and_reviews() {
    let hand = hand::hand();
    let _down = Down(&hand.desk);
    hand::funded(&hand);
    hand::called(&hand, r#"--per-group {"waiting":60,"handed_in":60}"#);
    let url = hand.url();
    let gate = Gate::to(&url);
    let line = format!("setup --name award --node {}", gate.url);
    hand.desk.good(&line);
    let stage = Stage {
        net: &hand.desk,
        gate,
        desk: &hand.desk,
        folders: kept(&hand.desk, "award"),
    };
    for (number, pair) in drawn(all_of(Kind::Application)).into_iter().enumerate() {
        one(&stage, pair, number);
    }
    hand.desk.good(&format!("setup --name award --node {url}"));
    hand::applied(&hand);
    let persons = hand::drawn(&hand);
    hand.desk.good(&line);
    let ends = [
        (Place::Signed, Way::Kill),
        (Place::HandedIn, Way::LostLine),
        (Place::Writing, Way::FullDisk),
    ];
    for ((review, person), (place, way)) in (1..).zip(persons).zip(ends) {
        let line = format!(
            "review seal {review} --scores 9,8 --comment @comment.txt --opening \
             review-{review}.json --as {} --signer {person}:technical",
            person.div_ceil(2)
        );
        let sign = Sign::Rule("F09", by_rule(&stage, "F09"));
        let kind = Kind::Review;
        sealed(&stage, Pair { kind, place, way }, Act { line, sign });
    }
}

/// An export is whole or not there, and what it was to replace is still there.
#[test]
fn an_export() {
    let (net, desk) = (Desk::new(), Desk::new());
    let _down = Down(&net);
    let mut stage = Stage::new(&net, &desk);
    desk.write("exports/readme", "whose folder this is");
    stage.folders = vec![desk.path("exports")];
    for (number, way) in WAYS.into_iter().enumerate() {
        for place in [Place::Beginning, Place::Exporting] {
            let file = format!("exports/history-{number}-{place:?}.export");
            let pair = Pair {
                kind: Kind::One,
                place,
                way,
            };
            let before = files(&desk);
            let output = interrupted(&stage, pair, &format!("export {file}"), 1);
            let told = format!("export, {place:?} / {way:?}: {}", all(&output));
            let is_there = desk.path(&file).exists();
            assert_eq!(output.status.code() == Some(0), is_there, "{told}");
            if !is_there {
                // A kill may leave a file under a name of its own, and what was in a folder that is
                // gone stays there; nothing else leaves anything.
                if !matches!(way, Way::Kill | Way::NoFolder) {
                    assert_eq!(files(&desk), before, "{told}");
                }
                desk.good(&format!("export {file}"));
            }
            desk.good(&format!("audit {file}"));
        }
    }
}

fn files(desk: &Desk) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(desk.path("exports"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    names
}

/// A command on a disk that ends a file after so many bytes.
fn on_a_full_disk(desk: &Desk, bytes: u64, line: &str) -> Output {
    // The shell waits until its limit is set.
    let mut shell = desk.after("read go");
    shell
        .args(line.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    limit(&child, bytes);
    writeln!(child.stdin.take().unwrap(), "go").unwrap();
    child.wait_with_output().unwrap()
}

/// No file of a process grows above so many bytes.
fn limit(child: &Child, bytes: u64) {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    prlimit(Some(Pid::from_child(child)), Resource::Fsize, limit).unwrap();
}

/// A copy of a key is whole or not there, whenever the command is killed and wherever the disk ends.
#[test]
fn a_copy_of_a_key() {
    let desk = Desk::new();
    desk.key(SEED, 1, 1, "primary");
    let whole = {
        desk.good("keys backup 1 --to whole.age");
        std::fs::read(desk.path("whole.age")).unwrap().len() as u64
    };
    // The disk ends at the first byte, in the middle, at the last.
    for size in [0, whole / 2, whole - 1] {
        let output = on_a_full_disk(&desk, size, "keys backup 1 --to copy.age");
        let told = all(&output);
        assert!(matches!(output.status.code(), Some(2 | 5)), "{told}");
        assert!(!desk.path("copy.age").exists(), "{told}");
    }
    for wait in [0, 5, 10, 20, 40, 80, 160, 320] {
        let mut child = begin(&desk, "keys backup 1 --to copy.age");
        std::thread::sleep(Duration::from_millis(wait));
        let _ = child.kill();
        child.wait().unwrap();
        if desk.path("copy.age").exists() {
            desk.good("keys check copy.age");
            std::fs::remove_file(desk.path("copy.age")).unwrap();
        }
    }
    desk.good("keys backup 1 --to copy.age");
    desk.good("keys check copy.age");
}
