//! Nodes of another alliance, clocks that are wrong, lines that break, two at once: what the command
//! line says of them, on real nodes with real processes. Each part tells the story of somebody to whom
//! it happened.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rollbook_proof::log::Clock;
use rollbook_tests::testnet::Net;
use serde_json::Value;

mod desk;
use desk::{Desk, all};

/// The program on a desk with more of an environment.
fn with(desk: &Desk, environment: &[(&str, &str)], line: &str) -> Output {
    command(desk, environment, line).output().unwrap()
}

fn command(desk: &Desk, environment: &[(&str, &str)], line: &str) -> Command {
    let mut command = desk.command();
    command.arg("--yes").args(line.split_whitespace());
    command.envs(environment.iter().copied());
    command
}

#[track_caller]
fn ends(output: &Output, code: i32, parts: &[&str]) -> String {
    let told = all(output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for part in parts {
        assert!(told.contains(part), "'{part}' is not in\n{told}");
    }
    told
}

/// A desk with a profile of the first officer of a member, and the keys of both.
fn member(net: &Net, seed: &str, organisation: u32, persons: [u32; 2]) -> Desk {
    let desk = Desk::new();
    for (person, role) in persons.into_iter().zip(["primary", "alternate"]) {
        desk.good(&format!(
            "keys new --organisation {organisation} --person {person} --role {role} --sample --seed \
             {seed} --name Sample --document none --letter {} --letter-date 2023-06-01 --signatory \
             Sample",
            "ab".repeat(32)
        ));
    }
    profile(&desk, net, organisation, persons[0]);
    desk
}

fn profile(desk: &Desk, net: &Net, organisation: u32, person: u32) {
    desk.good(&format!(
        "setup --name own --genesis {} --alliance Sample --node {} --organisation {organisation} \
         --person {person}",
        net.chain,
        url(net)
    ));
}

fn url(net: &Net) -> String {
    format!("http://{}", net.testnet.api(1))
}

/// An act that nobody did before: the text of its motion has the hash of `what`.
fn act(what: &str) -> String {
    format!(
        "office remove 2 --text {} --signer 1:primary --signer 2:alternate",
        rollbook_proof::crypto::sha256(what.as_bytes())
    )
}

#[test]
fn strangers_clocks_and_broken_lines() {
    let mut net = Net::plan("strangers", 5, 1, Clock::Wall);
    net.start();
    let mut other = Net::plan("others", 5, 1, Clock::Sample);
    other.start();
    let desk = member(&net, "strangers", 1, [1, 2]);

    a_node_of_another_alliance(&desk, &net, &other);
    a_foreign_history_is_not_ours(&desk, &other);
    exports_at_once(&desk, &net);
    two_persons_at_one_desk(&desk, &net);
    what_cannot_be_kept_is_said(&desk);
    a_restored_key_signs(&desk, &net);
    wrong_clocks(&desk, &net, &other);
    a_line_that_breaks_before_the_first_event(&desk, &mut net);
}

/// Lists, streams, exports and acts went to whatever node was named, and its data were printed.
fn a_node_of_another_alliance(desk: &Desk, net: &Net, other: &Net) {
    let stranger = url(other);
    let remove = act("stranger");
    for line in [
        "member list",
        "motion status 1",
        "motion show 1",
        "office list",
        "tasks",
        "follow --count 1",
        "export stranger.export",
        "history",
        "show O-2",
        "prove member 1 --out stranger.json",
        remove.as_str(),
    ] {
        let output = with(desk, &[], &format!("{line} --node {stranger}"));
        let told = all(&output);
        assert_eq!(output.status.code(), Some(1), "{line}: {told}");
        assert!(output.stdout.is_empty(), "{line}: {told}");
        for part in [
            format!("{stranger} is a node of another alliance"),
            other.chain.to_hex(),
        ] {
            assert!(told.contains(&part), "{line}: {told}");
        }
        // Who also has a node of the own alliance is answered by that one.
        if ["member list", "show O-2", "follow --count 1"].contains(&line) {
            let both = format!("{line} --node {stranger} --node {}", url(net));
            let both = match line {
                "follow --count 1" => format!("{both} --from 1"),
                _ => both,
            };
            ends(&with(desk, &[], &both), 0, &[]);
        }
    }
    assert!(!desk.path("stranger.export").exists() && !desk.path("stranger.json").exists());
    // Nothing was handed to the stranger.
    assert!(!other.testnet.log(1).contains("A6.other-chain"));
}

/// `audit` called the history of another alliance SOUND: the profile knew better.
fn a_foreign_history_is_not_ours(desk: &Desk, other: &Net) {
    let height = other.status(1).unwrap()["height"].as_u64().unwrap();
    desk.write("foreign.export", other.export(1, height));
    let told = ends(&desk.run("audit foreign.export"), 1, &["A2.other-alliance"]);
    assert!(!told.contains("SOUND: every"), "{told}");
    let theirs = format!("audit foreign.export --genesis {}", other.chain);
    ends(&desk.run(&theirs), 0, &["SOUND: every"]);
}

/// Two exports into one file at once ended with 0 and a file that was of neither.
fn exports_at_once(desk: &Desk, net: &Net) {
    for (round, force) in ["", "", " --force", " --force"].into_iter().enumerate() {
        let line = format!("export at-once-{round}.export{force}");
        let mut codes: Vec<Option<i32>> = std::thread::scope(|scope| {
            let runs = [(); 2].map(|()| scope.spawn(|| desk.run(&line)));
            runs.map(|run| run.join().unwrap().status.code()).to_vec()
        });
        codes.sort();
        let refused = if force.is_empty() { 2 } else { 0 };
        assert!(
            codes == [Some(0), Some(refused)] || codes == [Some(0), Some(0)] && !force.is_empty(),
            "{codes:?}"
        );
        let sound = format!("audit at-once-{round}.export");
        ends(&desk.run(&sound), 0, &["SOUND: every"]);
    }
    let left = std::fs::read_dir(desk.path("")).unwrap();
    let half = left.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".new")
    });
    assert_eq!(half.count(), 0);
    // What is to be typed elsewhere names the alliance.
    let audit = format!("rollbook audit said.export --genesis {}", net.chain);
    ends(&desk.run("export said.export"), 0, &[&audit]);
}

/// Two persons with one `--config` were asked for their passphrases in turn, for ever: each pass went
/// over the other's.
fn two_persons_at_one_desk(desk: &Desk, net: &Net) {
    let passes = desk
        .path("state/rollbook/verified")
        .join(net.chain.to_hex())
        .join("passes.toml");
    for round in 0..4 {
        let _ = std::fs::remove_file(&passes);
        std::thread::scope(|scope| {
            let runs = [1, 2].map(|person| {
                scope.spawn(move || {
                    desk.run(&format!(
                        "export person-{person}-{round}.export --reader {person}"
                    ))
                })
            });
            for run in runs {
                ends(&run.join().unwrap(), 0, &[]);
            }
        });
        let kept = std::fs::read_to_string(&passes).unwrap();
        for person in [1, 2] {
            let line = format!("[\"{person} {}\"]", url(net));
            assert!(kept.contains(&line), "{kept}");
        }
    }
}

/// `show` proved the answer, could not write what it had verified, and said nothing but that.
fn what_cannot_be_kept_is_said(desk: &Desk) {
    std::fs::remove_dir_all(desk.path("state")).unwrap();
    desk.write("state", "a file where the folder would be");
    let output = with(desk, &[], "show O-2");
    let told = ends(&output, 0, &["could not be kept", "O-0002"]);
    assert_eq!(told.matches("could not be kept").count(), 1, "{told}");
    ends(
        &with(desk, &[], "export unkept.export"),
        0,
        &["the pass could not be kept"],
    );
    std::fs::remove_file(desk.path("state")).unwrap();
    // An export onto a full disk was told as the node's answer that broke off: 'try again'.
    let mut full = desk.after("ulimit -f 0");
    full.args(["export", "full.export"]);
    ends(&full.output().unwrap(), 5, &["is full", "make space"]);
    assert!(!desk.path("full.export").exists());
}

/// The laptop was lost; what was left was one file a person. The next day both sign.
fn a_restored_key_signs(desk: &Desk, net: &Net) {
    let found = Desk::new();
    for person in [1, 2] {
        desk.good(&format!("keys backup {person} --to {person}.age"));
        let name = format!("{person}.age");
        found.write(&name, std::fs::read(desk.path(&name)).unwrap());
        found.good(&format!("keys restore {name}"));
    }
    profile(&found, net, 1, 1);
    ends(&found.run(&act("restored")), 0, &["receipted and verified"]);
}

/// A program whose clock is off: a library before the system's own answers for the clock.
struct Wrong(PathBuf);

const CLOCK: &str = r#"
#[repr(C)]
pub struct Time { seconds: i64, nanos: i64 }
unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn getenv(name: *const i8) -> *const i8;
    fn atol(text: *const i8) -> i64;
}
#[cfg(target_arch = "x86_64")]
const NUMBER: i64 = 228;
#[cfg(target_arch = "aarch64")]
const NUMBER: i64 = 113;
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: i32, time: *mut Time) -> i32 {
    unsafe {
        let done = syscall(NUMBER, i64::from(clock), time) as i32;
        let off = getenv(c"CLOCK_OFF_S".as_ptr().cast());
        if done == 0 && clock == 0 && !off.is_null() {
            (*time).seconds += atol(off);
        }
        done
    }
}
"#;

impl Wrong {
    fn build(folder: &Path) -> Wrong {
        let (source, library) = (folder.join("clock.rs"), folder.join("libclock.so"));
        std::fs::write(&source, CLOCK).unwrap();
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let built = Command::new(rustc)
            .args(["--edition", "2024", "--crate-type", "cdylib", "-o"])
            .args([&library, &source])
            .status()
            .unwrap();
        assert!(built.success());
        Wrong(library)
    }

    /// Runs a command with a clock that is so many hours ahead.
    fn run(&self, desk: &Desk, hours: i64, line: &str) -> Output {
        let off = (hours * 3_600).to_string();
        let library = self.0.to_str().unwrap();
        with(
            desk,
            &[("LD_PRELOAD", library), ("CLOCK_OFF_S", &off)],
            line,
        )
    }
}

/// A clock 3 hours fast made a receipt STALE and the act 'not final'; one 3 hours slow said '0 s ago';
/// one 10 hours slow made passes that were over before they were used. On a sample chain one slow run
/// made everything STALE for ever after.
fn wrong_clocks(desk: &Desk, net: &Net, other: &Net) {
    let wrong = Wrong::build(&desk.path(""));
    let check = "CHECK YOUR CLOCK";
    for (hours, what) in [(3, "fast"), (-3, "slow")] {
        let told = ends(
            &wrong.run(desk, hours, &act(what)),
            0,
            &["receipted and verified", check],
        );
        assert!(!told.contains("STALE"), "{told}");
        assert!(!told.contains(" ago"), "{told}");
    }
    let told = ends(&wrong.run(desk, -3, "show O-2"), 0, &[check, "verified"]);
    assert!(!told.contains(" ago") && !told.contains("STALE"), "{told}");
    // Nothing of one's own is in it: the answer stands, and both that can be wrong are named.
    let told = ends(&wrong.run(desk, 3, "show O-2"), 3, &["STALE SINCE", check]);
    assert!(told.contains("newer than it looks"), "{told}");
    for hours in [-10, 10] {
        let passes = desk
            .path("state/rollbook/verified")
            .join(net.chain.to_hex())
            .join("passes.toml");
        let _ = std::fs::remove_file(passes);
        let line = format!("export clock{hours}.export");
        ends(&wrong.run(desk, hours, &line), 0, &[]);
    }
    let told = ends(&with(desk, &[], "show O-2"), 0, &[]);
    assert!(!told.contains(check), "{told}");

    let reader = Desk::new();
    profile(&reader, other, 1, 1);
    ends(&wrong.run(&reader, -5, "show O-2"), 0, &[]);
    let told = ends(&with(&reader, &[], "show O-2"), 0, &[]);
    assert!(!told.contains("STALE"), "{told}");
}

/// Passes everything on to a node, except that the first stream of events breaks off when it is told
/// to, before anything was sent.
fn breaking(upstream: SocketAddr) -> (String, Receiver<()>, Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let ((asked, is_asked), (go, may_break)) = (channel(), channel());
    let first = Mutex::new(Some((asked, may_break)));
    std::thread::spawn(move || {
        let first = &first;
        std::thread::scope(|scope| {
            for stream in listener.incoming().flatten() {
                scope.spawn(move || pass_on(stream, upstream, first));
            }
        });
    });
    (url, is_asked, go)
}

fn pass_on(
    mut stream: TcpStream,
    upstream: SocketAddr,
    first: &Mutex<Option<(Sender<()>, Receiver<()>)>>,
) -> Option<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    if head.starts_with(b"GET /v1/events") {
        let taken = first.lock().unwrap().take();
        if let Some((asked, may_break)) = taken {
            asked.send(()).ok()?;
            let _ = may_break.recv();
            return None;
        }
    }
    let text = String::from_utf8(head).ok()?;
    // One question a connection.
    let head = text.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut to = TcpStream::connect(upstream).ok()?;
    to.write_all(head.as_bytes()).ok()?;
    let mut bytes = [0; 4096];
    loop {
        let read = to.read(&mut bytes).ok().filter(|read| *read > 0)?;
        stream.write_all(&bytes[..read]).ok()?;
    }
}

/// The line broke before the first event, and the blocks made meanwhile were never told.
fn a_line_that_breaks_before_the_first_event(desk: &Desk, net: &mut Net) {
    let (proxy, asked, go) = breaking(net.testnet.api(1));
    let next = net.status(1).unwrap()["height"].as_u64().unwrap() + 1;
    let mut following = command(
        desk,
        &[],
        &format!("follow --json --count 1 --node {proxy}"),
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    asked.recv().unwrap();
    for _ in 0..2 {
        // Another member's: person 1 has used numbers that this writer does not know.
        let record = net.record(2);
        net.carried(&[1], &record);
    }
    go.send(()).unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while following.try_wait().unwrap().is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    if following.try_wait().unwrap().is_none() {
        // It has missed them: one more ends it, and shows that.
        let record = net.record(2);
        net.carried(&[1], &record);
    }
    let output = following.wait_with_output().unwrap();
    ends(&output, 0, &[]);
    let line = String::from_utf8(output.stdout).unwrap();
    let first: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    assert_eq!(first["id"], format!("{next}:0"), "{line}");
}
