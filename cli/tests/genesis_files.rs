//! What a secretary gets wrong in the files of a founding: every mistake is told with its line.

#![allow(clippy::unwrap_used)]

use rollbook_core::genesis::file::{GenesisFile, GenesisFileError, decode_draft};
mod desk;
mod founders;
use desk::{Desk, all};
use founders::{THREE_ALLIANCE, THREE_MEMBERS, sign, three};

/// Every kind of bad row, all in one run, each with its line and code.
#[test]
fn every_bad_row_is_listed() {
    let desk = three();
    let head = "number,native,latin,country,uscc,lei,directions,extract,extract_date,\
                related,evidence,approval\n";
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
        printed.contains(
            "members.csv:3: uscc '91999999MA0DM0012X': the check characters are 'X', \
             the others require 'Y'"
        ),
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
    // GBK, semicolons and tabs are read; what is no text is named, and so is a workbook.
    desk.write("members.csv", b"number;native\n1;\xBC\xD7\n");
    let said = all(&desk.run(&["genesis", "draft", "."]));
    assert!(
        said.contains("required columns are missing") && !said.contains("unknown column"),
        "{said}"
    );
    desk.write("members.csv", b"number,native\n1,\xFF\xFF\n");
    let said = all(&desk.run(&["genesis", "draft", "."]));
    assert!(said.contains("members.csv: the file is no text"), "{said}");
    desk.write("members.csv", b"PK\x03\x04\x14\0\x06\0");
    let said = all(&desk.run(&["genesis", "draft", "."]));
    assert!(
        said.contains("members.csv: the file is a workbook") && said.contains("CSV UTF-8"),
        "{said}"
    );
    // One cause is said once: no card and no seat of members who could not be read.
    assert!(
        said.contains("1 problem") || !said.contains("nowhere in these files"),
        "{said}"
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
            "alliance.toml:14: unknown charter parameter 'funding.holdback_pb'; did you mean \
             'funding.holdback_bp'?",
        ],
    );
    fails(
        ("= 1500", "= \"much\""),
        &["'funding.holdback_bp' has another form"],
    );
    fails(
        ("= 1500", "= 15000"),
        &["funding.holdback_bp is 15000, and 0 to 10000 is allowed"],
    );
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

/// The program that is released knows one rule version, and nothing of what never ships is in it
/// (RULINGS A27, A63). That a search for the mark finds it where it is, `tests/tests/planted.rs` holds.
#[test]
fn the_program_knows_one_version_and_has_nothing_planted() {
    let desk = three();
    for (protocol, exit) in [(1, 0), (2, 2), (0, 2)] {
        let clock = "clock = \"wall\"";
        let named = format!("{clock}\nprotocol = {protocol}");
        desk.write("alliance.toml", THREE_ALLIANCE.replacen(clock, &named, 1));
        let output = desk.run(&["genesis", "draft", "."]);
        let text = all(&output);
        assert_eq!(output.status.code(), Some(exit), "{protocol}\n{text}");
        let told =
            format!("rule version {protocol} is not known; this build knows those from 1 up to 1");
        assert_eq!(text.contains(&told), exit != 0, "{text}");
    }
    let program = std::fs::read(env!("CARGO_BIN_EXE_rollbook")).unwrap();
    let mark = rollbook_core::planted::MARK.as_bytes();
    assert!(!program.windows(mark.len()).any(|part| part == mark));
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

/// While files are being mended a draft is written again and again; once somebody has signed it, it
/// stays. Who goes on without a founder types one command, and the old signatures are still there.
#[test]
fn a_draft_is_replaced_until_somebody_signs_it() {
    let desk = three();
    desk.good("genesis draft .");
    let renamed = |name: &str| THREE_ALLIANCE.replace("Alliance of three", name);
    desk.write("alliance.toml", renamed("Alliance of 3"));
    let kept = all(&desk.ends(2, "genesis draft ."));
    assert!(
        kept.contains("kept as it is") && kept.contains("--force"),
        "{kept}"
    );
    let shown = || desk.good("genesis show genesis.draft");
    assert!(shown().contains("Alliance of three"));
    desk.good("genesis draft . --force");
    assert!(shown().contains("Alliance of 3"));
    assert_eq!(sign(&desk, "1", "11").status.code(), Some(0));
    // Drafting the same again spoils nothing.
    desk.good("genesis draft . --force");
    desk.write("alliance.toml", renamed("Alliance of III"));
    let signed = all(&desk.ends(1, "genesis draft . --force"));
    assert!(
        signed.contains("founders 1 (./signatures/1.record)"),
        "{signed}"
    );
    assert!(shown().contains("Alliance of 3"));
    let unknown = all(&desk.ends(2, "genesis draft . --without 9"));
    assert!(unknown.contains("number 9 is no member here"), "{unknown}");

    // Number 3 does not sign.
    desk.write("alliance.toml", renamed("Alliance of 3"));
    for person in ["21", "22"] {
        assert_eq!(sign(&desk, "2", person).status.code(), Some(0));
    }
    let missing = all(&desk.ends(1, "genesis check genesis.draft"));
    assert!(
        missing.contains("rollbook genesis draft . --without 3"),
        "{missing}"
    );
    let without = all(&desk.ends(0, "genesis draft . --without 3"));
    assert!(without.contains("genesis-without-3.draft"), "{without}");
    assert!(!without.contains("Company Three"), "{without}");
    assert!(
        without.contains("2 validating nodes"),
        "its node is left out as well\n{without}"
    );
    // By the key that lies there, to a file that says for which draft it is.
    let signing = all(&desk.ends(
        0,
        "genesis sign genesis-without-3.draft --keystore store-1 --person 11",
    ));
    let file = signing
        .split_whitespace()
        .find(|word| word.ends_with(".record"))
        .unwrap();
    assert!(file.starts_with("found-0001-"), "{signing}");
    std::fs::rename(desk.path(file), desk.path("signatures").join(file)).unwrap();
    let several = all(&desk.ends(2, "genesis sign genesis-without-3.draft --keystore store-2"));
    assert!(
        several.contains("21 (Company Two), 22 (Company Two)"),
        "{several}"
    );
    let nobody = all(&desk.ends(
        2,
        "genesis sign genesis-without-3.draft --keystore store-10",
    ));
    assert!(nobody.contains("no key in store-10"), "{nobody}");
    desk.good("genesis sign genesis-without-3.draft --keystore store-2 --person 21 --person 22 --out signatures/new.record");
    // Signatures for the draft before lie there too, and do no harm.
    desk.good("genesis check genesis-without-3.draft");
    desk.good("genesis assemble genesis-without-3.draft");
}

/// What is allowed and will hurt is said before anybody signs: at the line of the file, at the check
/// and where the draft is shown.
#[test]
fn what_will_hurt_is_said_in_time() {
    let desk = three();
    let changed = THREE_ALLIANCE
        .replace("2026-01-05T09:00:00+08:00", "2099-01-05T09:00:00+08:00")
        .replace("2027-12-31", "2099-12-31")
        .replace("seats = [1, 2, 3]", "seats = []");
    desk.write("alliance.toml", changed);
    let members = THREE_MEMBERS.replacen("2025-12-01", "2098-12-01", 1);
    desk.write("members.csv", members);
    let said = all(&desk.ends(0, "genesis draft ."));
    for expected in [
        "alliance.toml: the alliance opens on 2099-01-05",
        "the board has no seats",
        "members.csv:2: Company One: the registry extract is dated 2098-12-01",
        "auditor: 0 of 1 named; nobody looks at the books",
        "second officer: 0 of 2 named",
        "finance approver: 0 of 2 named",
        "3 validating nodes",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    assert!(
        !said.contains("secretary: "),
        "there is a secretary\n{said}"
    );
    let shown = desk.good("--lang zh genesis show genesis.draft");
    assert!(
        shown.contains("签署前须考虑") && shown.contains("审计员：应有 1 名，现有 0 名"),
        "{shown}"
    );

    // Long over: nothing can come of it.
    let over = THREE_ALLIANCE
        .replace("2026-01-05T09:00:00+08:00", "2020-01-05T09:00:00+08:00")
        .replace("until = 2027-12-31", "until = 2021-12-31");
    let long = over.replacen("2021-12-31", "2023-12-31", 1);
    desk.write("alliance.toml", long);
    let said = all(&desk.ends(2, "genesis draft . --out over.draft"));
    assert!(
        said.contains("post secretary: its term ends after 2022-02-03"),
        "{said}"
    );
    desk.write("alliance.toml", over);
    desk.write("members.csv", THREE_MEMBERS);
    std::fs::create_dir_all(desk.path("signatures")).unwrap();
    desk.good("genesis draft . --out over.draft");
    let checked = all(&desk.ends(1, "genesis check over.draft"));
    assert!(checked.contains("no first block is possible"), "{checked}");
    assert!(
        checked.contains("secretary: the term was over on 2021-12-31"),
        "{checked}"
    );
}

/// A row that cannot be read is told once: the cards, seats and nodes of that member are no mistakes of
/// their own. Six of fourteen lines were such echoes, and hid the cause.
#[test]
fn one_cause_is_told_once() {
    let desk = three();
    desk.write(
        "members.csv",
        THREE_MEMBERS.replace("2,乙公司,Company Two,CN", "2,乙公司,Company Two,China"),
    );
    let value = desk.json(2, "genesis draft .");
    let codes: Vec<&str> = value["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["country"], "{value:#}");
    // A number that is nowhere is still told.
    desk.write(
        "alliance.toml",
        THREE_ALLIANCE.replace("seats = [1, 2, 3]", "seats = [1, 2, 9]"),
    );
    let said = all(&desk.ends(2, "genesis draft ."));
    assert!(
        said.contains("seat 9 is no founding member") && !said.contains("seat 2"),
        "{said}"
    );
}

/// The secretary's own files on a stepped clock, before the first card: members, board and charter are
/// those of the files, the keys are made up.
#[test]
fn a_founding_is_rehearsed_with_the_secretarys_own_files() {
    let desk = three();
    std::fs::remove_dir_all(desk.path("cards")).unwrap();
    let up = all(&desk.ends(0, "testnet up --alliance . --dir trial"));
    let down = || desk.good("testnet down --dir trial");
    assert!(
        up.contains("REHEARSAL") && up.contains("SAMPLE keys"),
        "{up}"
    );
    let setup = up
        .lines()
        .find(|line| line.contains("rollbook setup"))
        .unwrap()
        .trim();
    desk.good(setup.strip_prefix("rollbook ").unwrap());
    let again = all(&desk.ends(2, "testnet up --alliance . --dir trial"));
    assert!(again.contains("already"), "{again}");
    let shown = desk.good("genesis show trial/genesis.rollbook");
    assert!(
        shown.contains("Company Two") && shown.contains("rules.admit.board.quorum = 3/4"),
        "{shown}"
    );
    desk.write("reasons.md", "why");
    let act = "office appoint --office 10 --role registrar --holder 41 --attach reasons.md --signer 11:primary";
    let output = desk.run_as("sample", act);
    assert!(output.status.success(), "{}", all(&output));
    desk.good("testnet clock advance 2d --dir trial");
    desk.good("testnet export history.export --dir trial");
    desk.good("audit history.export");
    down();
}

/// `genesis new` writes in the reader's language, touches nothing that is there, and none of its
/// examples passes as somebody's own.
#[test]
fn the_first_files_explain_themselves() {
    let desk = Desk::new();
    let said = all(&desk.ends(0, "--lang zh genesis new 联盟"));
    assert!(said.contains("联盟/alliance.toml"), "{said}");
    let text = std::fs::read_to_string(desk.path("联盟/alliance.toml")).unwrap();
    assert!(text.contains("职务") && !text.contains('@'), "{text}");
    let refused = all(&desk.ends(2, "genesis new 联盟"));
    assert!(refused.contains("nothing was written"), "{refused}");
    let value = desk.json(2, "genesis draft 联盟");
    let examples = value["errors"].as_array().unwrap().iter();
    let examples = examples.filter(|error| error["code"].as_str().unwrap().starts_with("example"));
    assert_eq!(examples.count(), 4, "{value:#}");
}
