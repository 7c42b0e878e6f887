//! A founding as its people meet it: the real binary, several companies with their own keystores,
//! no network.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Output;

use rollbook_core::genesis::file::{GenesisFile, GenesisFileError, decode_draft};
use rollbook_core::record::Record;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Signature;
mod desk;
use desk::{Desk, PASSPHRASE, all};

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../samples/metaverse-alliance")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

const THREE_ALLIANCE: &str = r#"
[alliance]
native = "三方联盟"
latin = "Alliance of three"
origin = "rollbook.example/three"
clock = "wall"
opened = "2026-01-05T09:00:00+08:00"

[charter]
preset = "cn-association"
text = "charter.md"

[charter.override]
"funding.holdback_bp" = 1500
"rules.admit.board.quorum" = "3/4"

[[directions]]
number = 1
code = "optics"
native = "光学"
latin = "Optics"

[[offices]]
number = 10
native = "秘书处"
latin = "Secretariat"
country = "CN"

[[offices.posts]]
role = "secretary"
holder = 41
until = 2027-12-31

[board]
seats = [1, 2, 3]
until = 2027-12-31

[validators]
organisations = [1, 2, 3]
"#;

const THREE_MEMBERS: &str = "\u{feff}number,native,latin,country,uscc,directions,extract,extract_date,approval\r\n\
1,甲公司,Company One,CN,91999999MA0DM0011U,optics,extract-1.txt,2025-12-01,\r\n\
2,乙公司,Company Two,CN,91999999MA0DM0012Y,,extract-1.txt,2025-12-01,general=2 money=2\r\n\
3,丙公司,\"Company Three, Inc.\",CN,91999999MA0DM00132,1,extract-1.txt,2025-12-01,\r\n";

/// Three companies with two officers each and one secretary; everybody's keys made by themselves,
/// cards in `cards/`.
fn three() -> Desk {
    let desk = Desk::new();
    desk.write("alliance.toml", THREE_ALLIANCE);
    desk.write("members.csv", THREE_MEMBERS);
    desk.write("charter.md", "the charter");
    desk.write("extract-1.txt", "an extract");
    desk.write("letter.pdf", "a letter");
    std::fs::create_dir(desk.path("cards")).unwrap();
    for (organisation, person, role) in [
        (1, 11, "primary"),
        (1, 12, "alternate,finance"),
        (2, 21, "primary"),
        (2, 22, "technical"),
        (3, 31, "primary"),
        (3, 32, "finance"),
        (10, 41, ""),
    ] {
        let (organisation, person) = (organisation.to_string(), person.to_string());
        let store = format!("store-{organisation}");
        let card = format!("cards/{person}.toml");
        let name = format!("Person {person}");
        let mut arguments = vec![
            "keys",
            "new",
            "--organisation",
            &organisation,
            "--person",
            &person,
            "--name",
            &name,
        ];
        arguments.extend([
            "--document",
            "ID 123",
            "--letter",
            "letter.pdf",
            "--letter-date",
            "2025-12-20",
        ]);
        arguments.extend([
            "--signatory",
            "The director",
            "--keystore",
            &store,
            "--card",
            &card,
        ]);
        if !role.is_empty() {
            arguments.extend(["--role", role]);
        }
        desk.good(&arguments);
    }
    for organisation in ["1", "2", "3"] {
        let (url, address) = (
            format!("http://127.0.0.1:700{organisation}/"),
            format!("127.0.0.1:800{organisation}"),
        );
        let (out, card) = (
            format!("node-{organisation}"),
            format!("cards/node-{organisation}.toml"),
        );
        let arguments = [
            "keys",
            "new",
            "--node",
            "--organisation",
            organisation,
            "--url",
            &url,
            "--address",
            &address,
        ];
        desk.good(&[&arguments[..], &["--out", &out, "--card", &card]].concat());
    }
    desk
}

fn sign(desk: &Desk, organisation: &str, person: &str) -> Output {
    let store = format!("store-{organisation}");
    let out = format!("signatures/{organisation}.record");
    std::fs::create_dir_all(desk.path("signatures")).unwrap();
    let arguments = [
        "genesis",
        "sign",
        "genesis.draft",
        "--organisation",
        organisation,
        "--person",
        person,
    ];
    desk.run(&[&arguments[..], &["--keystore", &store, "--out", &out]].concat())
}

#[test]
fn three_companies_found_an_alliance_offline() {
    let desk = three();
    let drafted = desk.run(&["genesis", "draft", "."]);
    assert_eq!(drafted.status.code(), Some(0), "{}", all(&drafted));
    let text = all(&drafted);
    assert!(
        text.contains("3 validating nodes; with fewer than 4"),
        "{text}"
    );
    assert!(
        text.contains("2 Company Two: person 21 (primary) and 1 more sign"),
        "{text}"
    );
    let (genesis, _) = decode_draft(&std::fs::read(desk.path("genesis.draft")).unwrap()).unwrap();
    let charter = genesis.charter().unwrap();
    assert_eq!(charter.funding.holdback_bp, 1500);
    // Nothing is overwritten.
    let again = desk.run(&["genesis", "draft", "."]);
    assert_eq!(again.status.code(), Some(2), "{}", all(&again));

    // Whoever expects another hash does not sign.
    let other = "0".repeat(64);
    let arguments = [
        "genesis",
        "sign",
        "genesis.draft",
        "--organisation",
        "1",
        "--person",
        "11",
        "--genesis",
        &other,
    ];
    assert_eq!(
        desk.run(&[&arguments[..], &["--keystore", "store-1"]].concat())
            .status
            .code(),
        Some(1)
    );

    assert_eq!(sign(&desk, "1", "11").status.code(), Some(0));
    let half = sign(&desk, "2", "22");
    assert!(
        all(&half).contains("A6.too-few-officers") && all(&half).contains("21 (primary)"),
        "{}",
        all(&half)
    );
    let missing = desk.run(&["genesis", "check", "genesis.draft", "signatures"]);
    assert_eq!(missing.status.code(), Some(1));
    let text = all(&missing);
    assert!(text.contains("2 Company Two: A6.too-few-officers: signed by 1 officers, 2 are needed (class: general)"), "{text}");
    assert!(
        text.contains("3 Company Three, Inc.: has not signed"),
        "{text}"
    );
    assert!(text.contains("1 of 3 founders"), "{text}");
    let refused = desk.run(&["genesis", "assemble", "genesis.draft", "signatures"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        all(&refused).contains("3 Company Three, Inc.: has not signed")
            && !desk.path("genesis.rollbook").exists()
    );

    // The second officer adds to the same file; signing twice changes nothing.
    assert!(all(&sign(&desk, "2", "21")).contains("complete"), "2");
    assert!(all(&sign(&desk, "2", "21")).contains("signed already"));
    assert!(all(&sign(&desk, "3", "31")).contains("complete"));
    desk.good(&["genesis", "check", "genesis.draft", "signatures"]);
    desk.good(&["genesis", "assemble", "genesis.draft", "signatures"]);
    let bytes = std::fs::read(desk.path("genesis.rollbook")).unwrap();
    let file = GenesisFile::decode(&bytes).unwrap();
    assert_eq!(file.genesis.hash(), genesis.hash());
    assert_eq!(file.found.len(), 3);
    assert_eq!(file.encode(), bytes);

    for (lang, word) in [("en", "Company Two"), ("zh", "乙公司")] {
        let shown = desk.good(&["--lang", lang, "genesis", "show", "genesis.rollbook"]);
        assert!(
            shown.contains(word) && shown.contains(&genesis.hash().to_hex()),
            "{shown}"
        );
        assert!(shown.contains("rules.admit.board.quorum = 3/4"), "{shown}");
    }
    assert_eq!(
        desk.json(0, &["genesis", "show", "genesis.rollbook"])["founded"],
        true
    );
}

/// Spoilt signatures are named with their organisation, and never a panic or a file.
#[test]
fn wrong_signatures_are_named() {
    let desk = three();
    desk.good(&["genesis", "draft", "."]);
    for (organisation, person) in [("1", "11"), ("2", "21"), ("3", "32")] {
        assert_eq!(sign(&desk, organisation, person).status.code(), Some(0));
    }
    assert_eq!(sign(&desk, "2", "22").status.code(), Some(0));
    // 1: a flipped bit in the signature. 3: signed by the finance officer alone. 4: text. 2: good.
    let path = desk.path("signatures/1.record");
    let mut record: Record = decode(&std::fs::read(&path).unwrap()).unwrap();
    let Signature::Ed25519(bytes) = &mut record.signatures[0].signature;
    bytes[5] ^= 4;
    std::fs::write(&path, encode(&record)).unwrap();
    desk.write("signatures/4.record", "not a record");
    let checked = desk.run(&["genesis", "check", "genesis.draft", "signatures"]);
    let text = all(&checked);
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        text.contains("1 Company One: A6.bad-signature") && text.contains("signatures/1.record"),
        "{text}"
    );
    assert!(
        text.contains("3 Company Three, Inc.: A6.role-missing"),
        "{text}"
    );
    assert!(text.contains("4.record: not a signature file"), "{text}");
    assert!(text.contains("1 of 3 founders"), "{text}");
    let value = desk.json(1, &["genesis", "check", "genesis.draft", "signatures"]);
    assert_eq!(value["founders"][0]["code"], "A6.bad-signature");
    let chinese = all(&desk.run(&[
        "--lang",
        "zh",
        "genesis",
        "check",
        "genesis.draft",
        "signatures",
    ]));
    assert!(
        chinese.contains("1 甲公司") && chinese.contains("签名无法"),
        "{chinese}"
    );
    assert_eq!(
        desk.run(&["genesis", "assemble", "genesis.draft", "signatures"])
            .status
            .code(),
        Some(1)
    );

    // Signed for another draft.
    let alliance = THREE_ALLIANCE.replace("Alliance of three", "Alliance of 3");
    desk.write("alliance.toml", alliance);
    desk.good(&["genesis", "draft", ".", "--out", "second.draft"]);
    let text = all(&desk.run(&["genesis", "check", "second.draft", "signatures"]));
    assert!(text.contains("2 Company Two: A6.other-chain"), "{text}");
    let arguments = [
        "genesis",
        "sign",
        "second.draft",
        "--organisation",
        "2",
        "--person",
        "21",
        "--keystore",
        "store-2",
    ];
    let refused = desk.run(&[&arguments[..], &["--out", "signatures/2.record"]].concat());
    assert!(
        refused.status.code() == Some(1) && all(&refused).contains("another draft"),
        "{}",
        all(&refused)
    );
}

#[test]
fn keys_are_private_backed_up_and_proved() {
    let desk = three();
    let short = desk.run_as(
        "short",
        &[
            "keys",
            "new",
            "--organisation",
            "1",
            "--person",
            "19",
            "--name",
            "N",
            "--document",
            "D",
            "--letter",
            "letter.pdf",
            "--letter-date",
            "2025-12-20",
            "--signatory",
            "S",
        ],
    );
    assert!(
        short.status.code() == Some(2) && all(&short).contains("shorter than 10"),
        "{}",
        all(&short)
    );
    // A second key for the same person is refused before anything is asked.
    let twice = desk.run(&[
        "keys",
        "new",
        "--organisation",
        "1",
        "--person",
        "11",
        "--keystore",
        "store-1",
    ]);
    assert!(
        twice.status.code() == Some(2) && all(&twice).contains("already"),
        "{}",
        all(&twice)
    );
    desk.good(&[
        "keys",
        "backup",
        "11",
        "--keystore",
        "store-1",
        "--to",
        "backup.age",
    ]);
    let good = desk.good(&["keys", "check", "backup.age", "--keystore", "store-1"]);
    assert!(
        good.contains("belongs to the card of person 11, Person 11"),
        "{good}"
    );
    let wrong = desk.run_as(
        "not the passphrase",
        &["keys", "check", "backup.age", "--keystore", "store-1"],
    );
    assert!(
        wrong.status.code() == Some(1) && all(&wrong).contains("does not open"),
        "{}",
        all(&wrong)
    );
    let other = desk.run(&["keys", "check", "backup.age", "--card", "cards/12.toml"]);
    assert!(
        other.status.code() == Some(1) && all(&other).contains("number differs"),
        "{}",
        all(&other)
    );
    desk.write("junk.age", "not an age file");
    assert_eq!(
        desk.run(&["keys", "check", "junk.age", "--card", "cards/12.toml"])
            .status
            .code(),
        Some(2)
    );
    // The passphrase file is read, and the card and the listing hold nothing secret.
    desk.write("passphrase", format!("{PASSPHRASE}\n"));
    let by_file = desk.run_as(
        "wrong wrong",
        &[
            "keys",
            "check",
            "backup.age",
            "--keystore",
            "store-1",
            "--passphrase-file",
            "passphrase",
        ],
    );
    assert_eq!(by_file.status.code(), Some(0), "{}", all(&by_file));
    let public = [
        desk.good(&["keys", "list", "--keystore", "store-1"]),
        desk.good(&["keys", "show", "11", "--keystore", "store-1"]),
        std::fs::read_to_string(desk.path("cards/11.toml")).unwrap(),
    ];
    assert!(public.iter().all(|text| !text.contains("Person 11")
        && !text.contains("ID 123")
        && !text.contains("director")));
    assert!(public[0].contains("alternate, finance"), "{}", public[0]);
    #[cfg(unix)]
    for file in ["store-1/0011.age", "backup.age", "node-1/consensus.key"] {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(desk.path(file)).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    // A seed is for samples only.
    let seed = desk.run(&[
        "keys",
        "new",
        "--organisation",
        "1",
        "--person",
        "50",
        "--seed",
        "x",
    ]);
    assert!(
        seed.status.code() == Some(2) && all(&seed).contains("--sample"),
        "{}",
        all(&seed)
    );
}

/// Every kind of bad row, all in one run, each with its line and code.
#[test]
fn every_bad_row_is_listed() {
    let desk = three();
    let head = "number,native,latin,country,uscc,lei,directions,extract,extract_date,related,evidence,approval\n";
    let hash = "ab".repeat(32);
    let rows = [
        (
            "1,甲公司,Company One,CN,91999999MA0DM0011U,,optics,HASH,2025-12-01,,,",
            "",
        ),
        (
            "2,乙公司,Company Two,CN,91999999MA0DM0012X,,,HASH,2025-12-01,,,",
            "identifier",
        ),
        (
            "3,丙公司,Company Three,CN,91999999MA0DM0011U,,,HASH,2025-12-01,,,",
            "identifier-twice",
        ),
        (
            "3,丁公司,Company Four,CN,91999999MA0DM00145,,,HASH,2025-12-01,,,",
            "number-twice",
        ),
        (
            "5,戊公司,Company Five,cn,91999999MA0DM00158,,,HASH,2025-12-01,,,",
            "country",
        ),
        (
            "6,己公司,Company Six,CN,91999999MA0DM0016B,,optic,HASH,2025-12-01,,,",
            "direction-unknown",
        ),
        (
            "7,庚公司,Company Seven,CN,91999999MA0DM0017E,,,HASH,01.12.2025,,,",
            "no-date",
        ),
        (
            "8,辛公司,Company Eight,CN,91999999MA0DM0018H,,,missing.pdf,2025-12-01,,,",
            "no-hash-or-file",
        ),
        (
            "9,壬公司,Company Nine,CN,91999999MA0DM0019L,,,HASH,2025-12-01,77,HASH,",
            "related-unknown",
        ),
        (
            "11,癸公司,Company Ten,CN,91999999MA0DM0020R,,,HASH,2025-12-01,1,,",
            "evidence-count",
        ),
        (
            "12,,Company Eleven,CN,91999999MA0DM0021W,,,HASH,2025-12-01,,,",
            "empty",
        ),
        (
            "13,子公司,Company Twelve,CN,,,,HASH,2025-12-01,,,",
            "identifier-missing",
        ),
        (
            "14,丑公司,Company Thirteen,CN,,ZZZZ00DEMMEMB0000131,,HASH,2025-12-01,,,",
            "identifier",
        ),
        (
            "15,寅公司,Company Fourteen,CN,91999999MA0DM00220,,,HASH,2025-12-01,,,ballot=99",
            "approval",
        ),
        (
            "16,卯\u{200b}公司,Company Fifteen,CN,91999999MA0DM00233,,,HASH,2025-12-01,,,",
            "text-forbidden",
        ),
        (
            "17,辰公司,Компания,CN,91999999MA0DM00246,,,HASH,2025-12-01,,,",
            "latin-name",
        ),
        (
            "x,巳公司,Company Sixteen,CN,91999999MA0DM0001T,,,HASH,2025-12-01,,,",
            "number",
        ),
        (
            "18,午公司,Company Seventeen,CN,91999999MA0DM0002X,,",
            "csv-fields",
        ),
    ];
    let text: String = rows
        .iter()
        .map(|(row, _)| format!("{}\n", row.replace("HASH", &hash)))
        .collect();
    desk.write("members.csv", format!("{head}{text}"));
    let value = desk.json(2, &["genesis", "draft", "."]);
    let errors = value["errors"].as_array().unwrap();
    for (i, (row, code)) in rows
        .iter()
        .enumerate()
        .filter(|(_, (_, code))| !code.is_empty())
    {
        let found = errors.iter().any(|error| {
            error["line"] == i + 2 && error["code"] == *code && error["file"] == "./members.csv"
        });
        assert!(found, "line {} {code}: {row}\n{errors:#?}", i + 2);
    }
    assert!(
        !errors
            .iter()
            .any(|error| error["line"] == 2 && error["file"] == "./members.csv"),
        "the good row is good"
    );
    let printed = all(&desk.run(&["genesis", "draft", "."]));
    assert!(
        printed.contains("members.csv:3: uscc '91999999MA0DM0012X': the check characters are 'X', the others require 'Y'"),
        "{printed}"
    );
    assert!(
        printed.contains("members.csv:7: unknown direction 'optic'; did you mean 'optics'?"),
        "{printed}"
    );
    let chinese = all(&desk.run(&["--lang", "zh", "genesis", "draft", "."]));
    assert!(
        chinese.contains("校验码为“X”，按其余各位计算应为“Y”"),
        "{chinese}"
    );
    // A mistake in the alliance file hides none of them.
    desk.write(
        "alliance.toml",
        THREE_ALLIANCE.replacen("origin =", "orgin =", 1),
    );
    let value = desk.json(2, &["genesis", "draft", "."]);
    for code in [
        "toml-unknown",
        "identifier-twice",
        "number-twice",
        "officers-missing",
        "no-date",
    ] {
        assert!(
            value["errors"]
                .as_array()
                .unwrap()
                .iter()
                .any(|error| error["code"] == code),
            "{code}\n{value:#}"
        );
    }
    desk.write("alliance.toml", THREE_ALLIANCE);
    // Not UTF-8, and an unknown column.
    desk.write("members.csv", b"number,native\n1,\xBC\xD7\n");
    assert!(
        all(&desk.run(&["genesis", "draft", "."])).contains("members.csv:2: the file is not UTF-8")
    );
    desk.write(
        "members.csv",
        THREE_MEMBERS.replace("directions", "direction"),
    );
    assert!(
        all(&desk.run(&["genesis", "draft", "."]))
            .contains("unknown column 'direction'; did you mean 'directions'?")
    );
}

#[test]
fn mistakes_in_the_alliance_file_and_cards_have_lines() {
    let desk = three();
    let fails = |change: (&str, &str), expected: &[&str]| {
        assert!(THREE_ALLIANCE.contains(change.0), "{}", change.0);
        desk.write(
            "alliance.toml",
            THREE_ALLIANCE.replacen(change.0, change.1, 1),
        );
        let output = desk.run(&["genesis", "draft", "."]);
        let text = all(&output);
        assert_eq!(output.status.code(), Some(2), "{change:?}\n{text}");
        for expected in expected {
            assert!(text.contains(expected), "{change:?}: {expected}\n{text}");
        }
    };
    fails(
        ("origin =", "orgin ="),
        &[
            "alliance.toml:5: unknown key 'alliance.orgin'; did you mean 'origin'?",
            "'alliance.origin' is missing",
        ],
    );
    fails(
        ("funding.holdback_bp", "funding.holdback_pb"),
        &[
            "alliance.toml:14: unknown charter parameter 'funding.holdback_pb'; did you mean 'funding.holdback_bp'?",
        ],
    );
    fails(
        ("= 1500", "= \"much\""),
        &["'funding.holdback_bp' has another form"],
    );
    fails(("= 1500", "= 15000"), &["a share is above 100 per cent"]);
    fails(
        ("\"3/4\"", "\"three quarters\""),
        &["'rules.admit.board.quorum' has another form"],
    );
    fails(
        ("cn-association", "cn-asociation"),
        &["did you mean 'cn-association'?"],
    );
    fails(("\"wall\"", "\"sample\""), &["belong together"]);
    fails(
        ("\"secretary\"", "\"secretery\""),
        &["is no post", "did you mean 'secretary'?"],
    );
    fails(
        ("holder = 41", "holder = 99"),
        &["post secretary: person 99 has no card"],
    );
    fails(
        ("seats = [1, 2, 3]", "seats = [1, 2, 10]"),
        &["seat 10 is no founding member"],
    );
    fails(
        ("organisations = [1, 2, 3]", "organisations = [1, 2, 3"),
        &["this is not TOML"],
    );
    fails(
        ("charter.md", "charter.pdf"),
        &["'charter.pdf' cannot be read"],
    );
    fails(
        ("2026-01-05T09:00:00+08:00", "2026-01-05 09:00"),
        &["is no instant such as"],
    );

    desk.write("alliance.toml", THREE_ALLIANCE);
    // A company with one officer, a card of a company that is not there, a forged proof, a key on
    // two cards.
    std::fs::rename(desk.path("cards/12.toml"), desk.path("kept")).unwrap();
    let text = all(&desk.run(&["genesis", "draft", "."]));
    assert!(
        text.contains("Company One (number 1): 1 officers' cards, at least 2 are required"),
        "{text}"
    );
    let card = std::fs::read_to_string(desk.path("kept")).unwrap();
    desk.write(
        "cards/12.toml",
        card.replace("organisation = 1", "organisation = 9"),
    );
    assert!(
        all(&desk.run(&["genesis", "draft", "."]))
            .contains("proof of possession is not for organisation 9")
    );
    let first = std::fs::read_to_string(desk.path("cards/11.toml")).unwrap();
    desk.write("cards/12.toml", first.replace("person = 11", "person = 12"));
    let text = all(&desk.run(&["genesis", "draft", "."]));
    assert!(
        text.contains("the same key is on another card: ./cards/11.toml"),
        "{text}"
    );
    desk.write("cards/12.toml", card.replace("person = 12", "person = 11"));
    assert!(all(&desk.run(&["genesis", "draft", "."])).contains("person 11 has another card"));
    // Related companies with two seats, and names that look alike.
    desk.write("cards/12.toml", card);
    let related = THREE_MEMBERS
        .replace("approval\r\n", "approval,related,evidence\r\n")
        .replace("2025-12-01,\r\n", "2025-12-01,,2,extract-1.txt\r\n")
        .replace("money=2\r\n", "money=2,,\r\n");
    desk.write("members.csv", related.replace("Company Two", "C0mpany One"));
    let text = all(&desk.run(&["genesis", "draft", "."]));
    assert!(
        text.contains(
            "1 Company One and 2 C0mpany One are related companies; a group has one seat"
        ),
        "{text}"
    );
    assert!(
        text.contains("warning: ./members.csv:3: 'C0mpany One' of 2 looks like 'Company One' of 1"),
        "{text}"
    );
}

/// A thousand rows are all judged; only the bad ones are listed beside the missing cards.
#[test]
fn a_register_of_a_thousand() {
    let desk = Desk::new();
    desk.write("alliance.toml", THREE_ALLIANCE);
    desk.write("charter.md", "the charter");
    std::fs::create_dir(desk.path("cards")).unwrap();
    let hash = "ab".repeat(32);
    let mut text =
        "number,native,latin,country,other_identifiers,extract,extract_date\n".to_owned();
    for number in 1..=1000 {
        let country = if number % 250 == 0 { "China" } else { "CN" };
        text += &format!(
            "{number},公司{number},Company {number},{country},HK-CR-{number},{hash},2025-12-01\n"
        );
    }
    desk.write("members.csv", text);
    let value = desk.json(2, &["genesis", "draft", "."]);
    let of = |code: &str| {
        value["errors"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|error| error["code"] == code)
            .count()
    };
    assert_eq!(of("country"), 4);
    assert_eq!(of("officers-missing"), 996 + 1 - 1);
}

/// The shipped sample: keys from a seed, draft, a signature by a sample officer; the same genesis
/// everywhere.
#[test]
fn the_sample_alliance_from_its_files() {
    let desk = Desk::new();
    for name in [
        "alliance.toml",
        "members.csv",
        "charter.md",
        "reported-names.csv",
    ] {
        desk.write(&format!("sample/{name}"), sample(name));
    }
    let made = desk.good(&[
        "keys",
        "sample",
        "--seed",
        "demo",
        "--members",
        "sample/members.csv",
        "--out",
        "work",
    ]);
    assert!(
        made.contains("made 58 officers' keys and 4 nodes' keys"),
        "{made}"
    );
    let drafted = desk.json(
        0,
        &[
            "genesis",
            "draft",
            "sample",
            "--cards",
            "work/cards",
            "--out",
            "sample.draft",
        ],
    );
    assert_eq!(drafted["founders"].as_array().unwrap().len(), 24);
    assert_eq!(
        drafted["warnings"].as_array().unwrap().len(),
        0,
        "{drafted:#}"
    );
    let (genesis, _) = decode_draft(&std::fs::read(desk.path("sample.draft")).unwrap()).unwrap();
    assert_eq!(drafted["genesis"], genesis.hash().to_hex());
    let arguments = [
        "genesis",
        "sign",
        "sample.draft",
        "--organisation",
        "11",
        "--person",
        "21",
        "--keystore",
        "work/keystore",
    ];
    let signed = desk.run_as("sample", &arguments);
    assert!(
        signed.status.success() && all(&signed).contains("complete"),
        "{}",
        all(&signed)
    );
    let shown = desk.good(&["genesis", "show", "sample.draft"]);
    assert!(
        shown.contains("SAMPLE")
            && shown.contains("Founding member 24")
            && !shown.contains("Huawei"),
        "{shown}"
    );
    let shown = desk.good(&[
        "--lang",
        "zh",
        "genesis",
        "show",
        "sample.draft",
        "--real-names",
        "sample/reported-names.csv",
    ]);
    assert!(
        shown.contains("公开报道名称")
            && shown.contains("科大讯飞")
            && shown.contains("创始成员24"),
        "{shown}"
    );
    let founded =
        GenesisFile::decode(&std::fs::read(desk.path("work/genesis.rollbook")).unwrap()).unwrap();
    assert_eq!(
        founded.genesis, genesis,
        "the draft from files is what the in-process sample makes"
    );
    assert_eq!(founded.found.len(), 24);
    assert!(
        desk.good(&["genesis", "show", "work/genesis.rollbook", "--real-names"])
            .contains("iFlytek [1]")
    );
    // Sample keys have no place in a real alliance.
    let real = sample("alliance.toml")
        .replace("sample = true\n", "")
        .replace("clock = \"sample\"", "clock = \"wall\"");
    desk.write("sample/alliance.toml", real);
    let refused = desk.run(&[
        "genesis",
        "draft",
        "sample",
        "--cards",
        "work/cards",
        "--out",
        "real.draft",
    ]);
    assert!(
        refused.status.code() == Some(2)
            && all(&refused).contains("a SAMPLE key in an alliance that is no sample")
    );
    let refused = desk.run(&[
        "keys",
        "sample",
        "--seed",
        "x",
        "--members",
        "sample/members.csv",
        "--out",
        "more",
    ]);
    assert_eq!(refused.status.code(), Some(1), "{}", all(&refused));
}

/// Cut, padded or changed files are refused with a reason; one flipped bit is never accepted.
#[test]
fn spoilt_files_are_refused() {
    let desk = three();
    desk.good(&["genesis", "draft", "."]);
    let draft = std::fs::read(desk.path("genesis.draft")).unwrap();
    for place in (0..draft.len()).step_by(61) {
        let mut bad = draft.clone();
        bad[place] ^= 1 << (place % 8);
        assert!(decode_draft(&bad).is_err(), "byte {place}");
        assert!(decode_draft(&draft[..place]).is_err(), "cut at {place}");
    }
    assert!(matches!(
        decode_draft(&[&draft[..], b"x"].concat()),
        Err(GenesisFileError::Surplus(1))
    ));
    assert!(matches!(
        GenesisFile::decode(&draft),
        Err(GenesisFileError::Kind { .. })
    ));
    let mut changed = draft.clone();
    changed[100] ^= 1;
    desk.write("changed.draft", changed);
    let output = desk.run(&["genesis", "show", "changed.draft"]);
    assert!(
        output.status.code() == Some(2) && all(&output).contains("damaged or changed"),
        "{}",
        all(&output)
    );
    assert_eq!(
        desk.run(&["genesis", "show", "members.csv"]).status.code(),
        Some(2)
    );
}

#[test]
fn setup_leaves_a_profile() {
    let desk = Desk::new();
    let none = desk.run(&["whoami"]);
    assert!(
        none.status.code() == Some(2) && all(&none).contains("rollbook setup"),
        "{}",
        all(&none)
    );
    assert_eq!(
        desk.run(&["setup"]).status.code(),
        Some(2),
        "without a terminal nothing is asked"
    );
    let hash = "cd".repeat(32);
    let arguments = [
        "setup",
        "--name",
        "work",
        "--genesis",
        &hash,
        "--alliance",
        "Alliance of three",
        "--node",
        "http://127.0.0.1:7001/",
    ];
    desk.good(&[&arguments[..], &["--organisation", "1", "--person", "11"]].concat());
    desk.good(&[
        "setup",
        "--name",
        "home",
        "--genesis",
        &hash,
        "--lang",
        "zh",
    ]);
    assert!(
        desk.good(&["whoami"]).contains("创世哈希"),
        "the profile's language holds"
    );
    assert_eq!(desk.json(0, &["whoami"])["name"], "home");
    assert!(desk.good(&["use", "work"]).contains("Alliance of three"));
    assert!(desk.good(&["use"]).contains("* work"));
    assert_eq!(
        desk.json(0, &["--profile", "home", "whoami"])["name"],
        "home"
    );
    let unknown = desk.run(&["use", "nobody"]);
    assert!(
        unknown.status.code() == Some(2) && all(&unknown).contains("home, work"),
        "{}",
        all(&unknown)
    );
    assert_eq!(
        desk.run(&["setup", "--genesis", &hash, "--node", "127.0.0.1:7001"])
            .status
            .code(),
        Some(2)
    );
    // Another folder of profiles is another world.
    assert_eq!(
        desk.run(&["--config", "elsewhere", "whoami"]).status.code(),
        Some(2)
    );
}
