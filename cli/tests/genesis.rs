//! A founding as its people meet it: the real binary, several companies with their own keystores,
//! no network.

#![allow(clippy::unwrap_used)]

use rollbook_core::genesis::file::{GenesisFile, decode_draft};
use rollbook_core::record::Record;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Signature;
mod desk;
mod founders;
use desk::{Desk, PASSPHRASE, all};
use founders::{THREE_ALLIANCE, sample, sign, three};

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
    assert!(
        text.contains(
            "2 Company Two: A6.too-few-officers: signed by 1 officers, 2 are needed \
         (class: general)"
        ),
        "{text}"
    );
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
    let shown = all(&desk.ends(0, &["genesis", "show", "sample.draft"]));
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
        desk.run(&["setup", "--genesis", &hash, "--node", "node.example:7001"])
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
