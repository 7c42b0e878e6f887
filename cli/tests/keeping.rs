//! What a person keeps on a machine of their own, with real processes: keys that come back from one
//! file, what was half made, profiles that change only where they were told to, files that two people
//! sign at once, disks that take no more. Each test tells the story of somebody to whom it happened.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;

mod desk;
use desk::{Desk, all};

fn hash(digits: &str) -> String {
    digits.repeat(32)
}

fn new_key(person: u32, more: &str) -> String {
    format!(
        "keys new --organisation 0 --person {person} --role primary --name Li --document x --letter {} \
         --letter-date 2023-06-01 --signatory Wang {more}",
        hash("ab")
    )
}

/// A key that opens quickly, because its passphrase is everybody's.
fn quick_key(person: u32) -> String {
    new_key(person, "--sample --seed keeping")
}

/// A command whose every write to a file fails, as on a full disk.
fn on_a_full_disk(desk: &Desk, line: &str) -> Output {
    desk.after("ulimit -f 0")
        .args(line.split_whitespace())
        .output()
        .unwrap()
}

fn names(desk: &Desk, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(desk.path(folder))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn tells(output: &Output, parts: &[&str]) {
    desk::tells(&all(output), parts);
}

/// The stick was all that was left of the old machine. `keys check` had said that it could be relied
/// on, and nothing made a key of it: the card was not in it. After `keys assign` the old copy was
/// worth nothing either.
#[test]
fn one_file_brings_a_key_back_on_an_empty_machine() {
    let (old, new) = (Desk::new(), Desk::new());
    old.good(&new_key(1, ""));
    old.good("keys backup 1 --to stick.age");
    new.write("stick.age", std::fs::read(old.path("stick.age")).unwrap());

    let said = new.good("keys check stick.age");
    assert!(said.contains("with its card"), "{said}");
    let made = new.json(0, "keys restore stick.age");
    assert_eq!(made["person"], 1);
    let card = |desk: &Desk| desk.json(0, "keys show 1");
    let (was, is) = (card(&old), card(&new));
    for field in ["public_key", "commitment", "roles", "letter", "letter_date"] {
        assert_eq!(was[field], is[field], "{field}");
    }
    // Again it changes nothing, and another key under the number is not written over.
    new.good("keys restore stick.age");
    let other = Desk::new();
    other.good(&quick_key(1));
    other.write("stick.age", std::fs::read(old.path("stick.age")).unwrap());
    tells(&other.ends(1, "keys restore stick.age"), &["stick.age"]);

    // The ledger numbered the key meanwhile: at the old desk, and straight from the old copy.
    old.good("keys assign 1 --organisation 8 --to 21");
    let later = Desk::new();
    later.write("stick.age", std::fs::read(old.path("stick.age")).unwrap());
    later.good("keys restore stick.age --organisation 8 --to 21");
    let (was, is) = (old.json(0, "keys show 21"), later.json(0, "keys show 21"));
    assert_eq!(was["public_key"], is["public_key"]);
    assert_eq!(is["organisation"], 8);
    let output = old.ends(0, "keys check stick.age");
    tells(
        &output,
        &["this copy can be relied on", "--organisation 8 --to 21"],
    );
    old.good("keys backup 21 --to new.age");
    old.good("keys check new.age");
    tells(
        &later.ends(2, "keys restore stick.age --organisation 8"),
        &["--to"],
    );
}

/// `keys backup` copied an empty file, and one of which half was gone, and said 'copied'.
#[test]
fn nothing_that_does_not_open_is_called_a_backup() {
    let desk = Desk::new();
    desk.good(&quick_key(1));
    let own = desk.path("data/rollbook/keys/0001.age");
    let whole = std::fs::read(&own).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [Vec::new(), whole[..whole.len() / 2].to_vec(), flipped] {
        std::fs::write(&own, &damaged).unwrap();
        let output = desk.run("keys backup 1 --to stick.age");
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{}",
            all(&output)
        );
        assert!(!desk.path("stick.age").exists());
        desk.write("copy.age", &damaged);
        let output = desk.run("keys check copy.age");
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{}",
            all(&output)
        );
    }
    // The backup that there is does not go over what is damaged, and says what is in the way.
    desk.write("good.age", &whole);
    tells(
        &desk.run("keys restore good.age"),
        &["0001.age", "move it away"],
    );
    std::fs::remove_file(&own).unwrap();
    desk.good("keys restore good.age");
    desk.good("keys backup 1 --to stick.age");
    assert_eq!(std::fs::read(desk.path("stick.age")).unwrap(), whole);
}

/// Killed between its two files, `keys new` left a key that `list` did not know, `show` did not find
/// and `new` would not make.
#[test]
fn a_key_that_was_half_made_is_named_and_repaired() {
    let desk = Desk::new();
    desk.good(&quick_key(1));
    let card = std::fs::read(desk.path("data/rollbook/keys/0001.card.toml")).unwrap();
    std::fs::remove_file(desk.path("data/rollbook/keys/0001.card.toml")).unwrap();
    let again = quick_key(1);
    for (code, line) in [
        (0, "keys list"),
        (2, "keys show 1"),
        (2, "keys backup 1 --to stick.age"),
        (2, again.as_str()),
    ] {
        tells(
            &desk.ends(code, line),
            &["without its card", "rollbook keys restore"],
        );
    }
    desk.good("keys restore data/rollbook/keys/0001.age");
    let made = std::fs::read(desk.path("data/rollbook/keys/0001.card.toml")).unwrap();
    assert_eq!(made, card);
    desk.good("keys backup 1 --to stick.age");

    // Whenever it is killed: nothing, half, or whole, and what is there can be used.
    for (round, ms) in [5_u64, 400, 900].into_iter().enumerate() {
        let person = 10 + u32::try_from(round).unwrap();
        let mut child = desk
            .command()
            .args(new_key(person, "").split_whitespace())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(ms));
        child.kill().unwrap();
        child.wait().unwrap();
        let secret = format!("data/rollbook/keys/{person:04}.age");
        if desk.path(&secret).exists() {
            desk.good(&format!("keys restore {secret}"));
            desk.good(&format!("keys show {person}"));
        } else {
            desk.good(&quick_key(person));
        }
    }
}

/// The four keys of a node, of which the card was never written.
#[test]
fn keys_of_a_node_that_were_half_made_are_named() {
    let desk = Desk::new();
    let make = "keys new --node --organisation 1 --url https://node.example.com --address \
                node.example.com:7600 --out keys --founding --sample --seed keeping";
    desk.good(make);
    std::fs::remove_file(desk.path("keys/node-0001.card.toml")).unwrap();
    std::fs::remove_file(desk.path("keys/transport.key")).unwrap();
    tells(
        &desk.ends(2, make),
        &["the keys in keys have no card", "remove the key files"],
    );
    // A disk that is full leaves none of them.
    std::fs::remove_dir_all(desk.path("keys")).unwrap();
    let output = on_a_full_disk(&desk, make);
    assert_eq!(output.status.code(), Some(5), "{}", all(&output));
    assert!(names(&desk, "keys").is_empty());
    desk.good(make);
}

/// A passphrase file of an office program made a key that the typed passphrase never opened; UTF-16
/// was 'shorter than 10 characters'.
#[test]
fn a_passphrase_file_is_read_as_it_was_typed() {
    let desk = Desk::new();
    let typed = "口令足够长而且好记一些";
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(
            format!("{typed}\r\n")
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    let gbk: &[u8] = &[
        0xbf, 0xda, 0xc1, 0xee, 0xd7, 0xe3, 0xb9, 0xbb, 0xb3, 0xa4, 0xb6, 0xf8, 0xc7, 0xd2, 0xba,
        0xc3, 0xbc, 0xc7, 0xd2, 0xbb, 0xd0, 0xa9,
    ];
    desk.write("mark.txt", format!("\u{feff}{typed}\n"));
    desk.write("wide.txt", wide);
    desk.write("gbk.txt", gbk);
    desk.write("no.txt", b"\x00\x01\x02 something");
    for (person, file) in [(1, "mark.txt"), (2, "wide.txt"), (3, "gbk.txt")] {
        desk.good(&format!("{} --passphrase-file {file}", quick_key(person)));
        let check = format!("keys check data/rollbook/keys/{person:04}.age");
        let output = desk.run_as(typed, &check);
        assert_eq!(output.status.code(), Some(0), "{file}: {}", all(&output));
    }
    let output = desk.ends(2, &format!("{} --passphrase-file no.txt", quick_key(4)));
    tells(&output, &["no.txt is no text"]);
}

/// A stick that had been in another computer broke `keys list`: `._0001.card.toml` is no card.
#[test]
fn what_another_system_leaves_beside_files_is_not_read() {
    let desk = Desk::new();
    desk.good(&quick_key(1));
    for name in ["._0001.card.toml", "._0001.age", ".DS_Store"] {
        desk.write(&format!("data/rollbook/keys/{name}"), b"\x00\x05\x16\x07");
    }
    let keys = desk.json(0, "keys list");
    assert_eq!(keys.as_array().unwrap().len(), 1);
    let output = desk.ends(0, "keys list");
    assert!(
        !all(&output).contains("without its card"),
        "{}",
        all(&output)
    );
}

/// `setup` to add a node's address dropped the company, the person and the keystore, and took another
/// alliance's genesis without a word.
#[test]
fn setup_changes_what_it_names_and_nothing_else() {
    let desk = Desk::new();
    let (own, other) = (hash("ab"), hash("cd"));
    desk.good(&format!(
        "setup --name m --genesis {own} --alliance A --node 127.0.0.1:1 --organisation 8 --person 21 \
         --keystore ks --lang zh"
    ));
    let profile = || desk.json(0, "whoami")["profile"].clone();
    let before = profile();
    desk.good("setup --name m --node 127.0.0.1:1 --node 127.0.0.1:2");
    let mut expected = before.clone();
    expected["nodes"] = serde_json::json!(["http://127.0.0.1:1", "http://127.0.0.1:2"]);
    assert_eq!(profile(), expected);
    desk.good(&format!("setup --name m --genesis {own} --person 22"));
    expected["person"] = 22.into();
    assert_eq!(profile(), expected);

    let output = desk.ends(
        1,
        &format!("--lang en setup --name m --genesis {other} --node 127.0.0.1:3"),
    );
    tells(
        &output,
        &["the profile m is of another alliance, A", &own, "--force"],
    );
    assert_eq!(profile(), expected);
    desk.good(&format!(
        "setup --name m --genesis {other} --alliance B --force"
    ));
    assert_eq!(profile()["genesis"], Value::from(other.clone()));
    assert!(profile()["person"].is_null() && profile()["keystore"].is_null());
    // Another name is another profile.
    desk.good(&format!("setup --name n --genesis {own} --alliance A"));
    desk.good("use m");
    assert_eq!(profile()["genesis"], Value::from(other));
}

/// `motion status A-1` showed motion 1, and a wide colon made a dry run with no signer at all.
#[test]
fn another_kind_of_number_is_named_and_wide_characters_are_read() {
    let desk = Desk::new();
    for line in [
        "motion vote M-25 yes --signer 1:primary --as 1",
        "motion status M-25",
        "motion show M-25",
        "prove motion M-25 --out proof",
        "award status A-1",
        "tasks --of M-25",
        "history --of M-25",
        "member status V-1",
    ] {
        let output = desk.ends(2, line);
        tells(&output, &["another kind of object", "wanted is"]);
    }
    let vote = "motion vote 1 yes --as 1 --dry-run --signer";
    tells(
        &desk.ends(0, &format!("{vote} １：primary")),
        &["dry run: rule R10"],
    );
    for bad in ["1：primery", "1;primary", "一:primary"] {
        tells(&desk.ends(2, &format!("{vote} {bad}")), &["PERSON:ROLE"]);
    }
    // What nobody judged has no effect that could be listed.
    let told = all(&desk.ends(0, &format!("{vote} 1:primary")));
    assert!(!told.contains("withdrawn"), "{told}");
}

/// `--after abc` was asked for a minute, and then 'no node answered': a node had said 400.
#[test]
fn a_place_that_is_none_is_refused_at_once() {
    let desk = Desk::new();
    let began = std::time::Instant::now();
    for after in ["abc", "12", "12:", ":1", "1:2:3", "1:-2"] {
        let output = desk.ends(2, &format!("follow --after {after} --node 127.0.0.1:1"));
        tells(&output, &["names no leaf", "HEIGHT:INDEX"]);
    }
    assert!(began.elapsed() < Duration::from_secs(20));
}

/// Ctrl-C at the passphrase left a terminal that showed nothing any more of what was typed.
#[test]
fn who_stops_at_the_passphrase_sees_again_what_is_typed() {
    let desk = Desk::new();
    desk.good(&quick_key(1));
    // A shell that goes on after Ctrl-C, on a terminal of its own.
    let line = format!(
        "trap : INT; {} keys check data/rollbook/keys/0001.age; echo \"ended $?\"; stty -a",
        env!("CARGO_BIN_EXE_rollbook")
    );
    desk.write("line.sh", &line);
    for (typed, ended) in [("\u{3}", "ended 130"), ("not a word of it\n", "ended 1")] {
        let mut child = desk
            .program("env")
            .args(["--default-signal=INT", "script", "-q", "-c"])
            .args(["sh line.sh", "said"])
            .env_remove("ROLLBOOK_PASSPHRASE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut said, mut byte) = (Vec::new(), [0]);
        let mut stdout = child.stdout.take().unwrap();
        while !said.ends_with(b": ") {
            assert_eq!(stdout.read(&mut byte).unwrap(), 1);
            said.push(byte[0]);
        }
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(typed.as_bytes()).unwrap();
        stdin.flush().unwrap();
        stdout.read_to_end(&mut said).unwrap();
        child.wait().unwrap();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains(ended), "{said}");
        assert!(
            said.contains(" echo ") && !said.contains("-echo "),
            "{said}"
        );
        assert!(
            said.contains("isig icanon") && !said.contains("not a word"),
            "{said}"
        );
    }
}

/// A registration that two officers of the company sign in the same second: one signature was lost.
#[test]
fn two_who_sign_one_registration_at_once_both_have_signed() {
    let desk = Desk::new();
    for (person, role) in [(1, "primary"), (2, "alternate,finance"), (3, "technical")] {
        desk.good(&format!(
            "{} --card {person}.card.toml",
            quick_key(person).replace("--role primary", &format!("--role {role}"))
        ));
    }
    for round in 0..12 {
        let file = format!("r{round}.json");
        desk.ends(
            3,
            &format!(
                "org register --native 示例公司 --latin Example --uscc 91999999MA0DM0101G --extract \
                 {0} --extract-date 2023-05-01 --card 1.card.toml --card 2.card.toml --card \
                 3.card.toml --genesis {0} --out {file} --signer 1",
                hash("ab")
            ),
        );
        // One of them through a link, as in a shared folder.
        symlink(desk.path(&file), desk.path("shared.json")).unwrap();
        let signing = |line: String| desk.run(&line);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| signing(format!("sign {file} --signer 2")));
            let third = scope.spawn(|| signing("sign shared.json --signer 3".to_owned()));
            for output in [second.join().unwrap(), third.join().unwrap()] {
                assert!(
                    matches!(output.status.code(), Some(0 | 3)),
                    "{}",
                    all(&output)
                );
            }
        });
        let link = std::fs::symlink_metadata(desk.path("shared.json")).unwrap();
        assert!(link.is_symlink());
        std::fs::remove_file(desk.path("shared.json")).unwrap();
        let output = desk.ends(0, &format!("sign {file} {file}"));
        tells(&output, &["signed by all its officers"]);
    }
}

/// A full disk left a backup and a card of 0 bytes, and the second try said 'exists already'.
#[test]
fn a_full_disk_leaves_nothing_that_stands_in_the_way() {
    let desk = Desk::new();
    let output = on_a_full_disk(&desk, &quick_key(1));
    assert_eq!(output.status.code(), Some(5), "{}", all(&output));
    tells(&output, &["is full", "make space"]);
    assert!(names(&desk, "data/rollbook/keys").is_empty());
    desk.good(&quick_key(1));
    for (line, file) in [
        ("keys backup 1 --to stick.age", "stick.age"),
        (
            "setup --name m --genesis GENESIS --alliance A",
            "config/rollbook/profiles/m.toml",
        ),
    ] {
        let line = line.replace("GENESIS", &hash("ab"));
        let output = on_a_full_disk(&desk, &line);
        assert_eq!(output.status.code(), Some(5), "{line}: {}", all(&output));
        assert_eq!(
            all(&output).matches("next: ").count(),
            1,
            "{}",
            all(&output)
        );
        assert!(!desk.path(file).exists());
        desk.good(&line);
        assert!(desk.path(file).exists());
    }
    let half = names(&desk, "")
        .into_iter()
        .filter(|name| name.ends_with(".new"));
    assert_eq!(half.count(), 0);
}
