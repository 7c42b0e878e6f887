//! The write side of the command line: every kind of record has a verb, every actor and state has
//! words, mistakes are told in full, openings are kept and read back, and a company enters the
//! ledger and applies on a real testnet.

#![allow(clippy::unwrap_used)]

use rollbook::act::next::who_key;
use rollbook::verbs::opening::Reading;
use rollbook::verbs::{ELSEWHERE, Given, VERBS, from};
use rollbook_core::account::Unit;
use rollbook_core::id::ReviewId;
use rollbook_core::record::{Body, MotionEffect};
use rollbook_core::rules;
use rollbook_words::catalogue::{Language, t_in};
use serde_json::{Value, json};

mod desk;
use desk::{Desk, Down, TEXT, all};

/// Variants of an enum, as serde lists them when it is given one that is not there.
fn variants<T: serde::de::DeserializeOwned>(at: impl Fn(Value) -> Value) -> Vec<String> {
    let error = serde_json::from_value::<T>(at(json!({ "no-such-variant": null })))
        .err()
        .unwrap()
        .to_string();
    // `expected one of `A`, `B``, or `expected `A` or `B`` for two.
    let (_, list) = error
        .split_once(", expected ")
        .unwrap_or_else(|| panic!("{error}"));
    list.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// A kind of record that core gets is missing here until it has a verb.
#[test]
fn every_kind_of_record_has_a_verb() {
    let families = variants::<Body>(|value| value);
    assert!(families.len() >= 8, "{families:?}");
    let mut missing = Vec::new();
    for family in &families {
        let acts = variants::<Body>(|value| json!({ family.as_str(): value }));
        assert!(!acts.is_empty());
        for act in acts {
            let spelt = VERBS
                .iter()
                .any(|verb| verb.act == (family.as_str(), act.as_str()));
            let elsewhere = ELSEWHERE
                .iter()
                .any(|(known, variant, _)| (*known, *variant) == (family, act.as_str()));
            if !spelt && !elsewhere {
                missing.push(format!("{family}.{act}"));
            }
        }
    }
    for effect in variants::<MotionEffect>(|value| value) {
        let spelt = VERBS
            .iter()
            .any(|verb| verb.inside.first() == Some(&effect.as_str()));
        let elsewhere = ELSEWHERE
            .iter()
            .any(|(known, variant, _)| (*known, *variant) == ("MotionEffect", effect.as_str()));
        if !spelt && !elsewhere {
            missing.push(format!("MotionEffect.{effect}"));
        }
    }
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "kinds of record without a verb"
    );
}

/// The line after an act is made of words of both languages, whatever table it comes from. That
/// every state and deadline has words is held by the suite `formats`.
#[test]
fn every_actor_and_object_has_words() {
    let mut keys: Vec<String> = Vec::new();
    for row in rules::table() {
        keys.push(who_key(row.who));
        keys.push(format!("object.{}", row.object));
    }
    for who in [
        "sponsors",
        "electorate",
        "holder",
        "applicants",
        "PO, OFF",
        "PO, seat holder",
        "OFF, seat holder",
        "node operator",
    ] {
        keys.push(who_key(who));
    }
    for language in [Language::English, Language::Chinese] {
        for key in &keys {
            assert_ne!(t_in(language, key, &[]), *key, "{language:?}");
        }
    }
}

/// Each mistake: the line, then what is said in English and in Chinese. Exit code 2, nothing on
/// stdout.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "motion vot 1 yes",
        "error: there is no command 'vot'\n\nnext: did you mean vote? otherwise look at --help\n",
        "错误: 没有命令 'vot'\n\n下一步: 是否想输入 vote？否则请看 --help\n",
    ),
    (
        "moton vote 1 yes",
        "error: there is no command 'moton'\n\n\
         next: did you mean motion? otherwise look at --help\n",
        "错误: 没有命令 'moton'\n\n下一步: 是否想输入 motion？否则请看 --help\n",
    ),
    (
        "motion vote abc yes --as 1",
        "error: MOTION: 'abc' cannot be read\n  why: the number of the motion: 42 or V-42\n\n\
         next: give MOTION in one of the accepted forms; --help shows them\n",
        "错误: MOTION：无法读取 'abc'\n  原因: 动议编号：42 或 V-42\n\n\
         下一步: 请按可用写法之一给出 MOTION；见 --help\n",
    ),
    (
        "motion vote 1 maybe --as 1",
        "error: CHOICE: 'maybe' is not accepted\n  why: accepted are yes, no, abstain\n\n\
         next: look at the command with --help\n",
        "",
    ),
    (
        "motion vote --as 1",
        "error: MOTION is missing\n  why: the number of the motion: 42 or V-42\n\n\
         next: give it on the command line, or in the file of --from\n",
        "错误: 缺少 MOTION\n  原因: 动议编号：42 或 V-42\n\n\
         下一步: 请在命令行给出，或写入 --from 的文件\n",
    ),
    (
        "dues receive 1 --amount 90,000.00 --reference A --value-date 2026-11-24 --as 1",
        "error: --amount: '90,000.00' cannot be read\n  why: in which unit the amount is, nobody \
         told; give the unit with it: 90,000.00 CNY\n\nnext: give --amount in one of the accepted \
         forms; --help shows them\n",
        "错误: --amount：无法读取 '90,000.00'\n  原因: 金额的单位未知；请连同单位写出：90,000.00 CNY\n",
    ),
    (
        "dues receive 1 --amount CNY1,5 --reference A --value-date 2026-11-24 --as 1",
        "error: --amount: 'CNY1,5' cannot be read\n  why: an amount: 90,000.00 or 90000, also with \
         its unit: 90,000.00 CNY\n",
        "错误: --amount：无法读取 'CNY1,5'\n  原因: 金额：90,000.00 或 90000，也可带单位：90,000.00 CNY\n",
    ),
    (
        "dues receive 1 --amount 1.234CNY --reference A --value-date 2026-11-24 --as 1",
        "error: --amount: '1.234CNY' cannot be read\n  why: CNY has at most 2 digits after the point\n",
        "",
    ),
    (
        "motion vote C-2 yes --as 1",
        "error: MOTION: C-2 is the number of another kind of object (call); wanted is: motion\n  why: the number of the motion: 42 \
         or V-42\n",
        "错误: MOTION：C-2 是另一类编号（征集）；此处需要：动议\n",
    ),
    (
        "agreement sign 1 --as 1",
        "error: --draft is missing\n  why: the ledger knows it, and no node could be asked\n\n\
         next: give a node with --node, or --draft itself\n",
        "",
    ),
    (
        "dues receive 1 --amount -1 --reference A --value-date 2026-11-24 --as 1",
        "error: --amount: '-1' cannot be read\n",
        "",
    ),
    (
        "dues receive 1 --amount 1e9 --reference A --value-date 2026-11-24 --as 1",
        "error: --amount: '1e9' cannot be read\n",
        "",
    ),
    (
        "dues receive 1 --amount 5 --reference A --value-date 2026-02-30 --as 1",
        "error: --value-date: '2026-02-30' cannot be read\n  why: a date that exists, such as \
         2026-11-24\n\n\
         next: give --value-date in one of the accepted forms; --help shows them\n",
        "错误: --value-date：无法读取 '2026-02-30'\n  原因: 存在的日期，如 2026-11-24\n\n\
         下一步: 请按可用写法之一给出 --value-date；见 --help\n",
    ),
    (
        "dues confirm 1 --receipt abcd --as 1",
        "error: --receipt: 'abcd' cannot be read\n  why: 64 hexadecimal digits that the ledger told; \
         the first of them where the ledger knows the rest\n\n\
         next: give --receipt in one of the accepted forms; --help shows them\n",
        "错误: --receipt：无法读取 'abcd'\n  原因: 账本给出的 64 位十六进制；账本已知其余各位时，前几位即可\n\n\
         下一步: 请按可用写法之一给出 --receipt；见 --help\n",
    ),
    (
        "member resubmit 1 --additions @nothing.pdf --as 1",
        "error: nothing.pdf cannot be read\n  why: there is no such file or folder\n\n\
         next: check the name",
        "",
    ),
    (
        "member resubmit 1 --addition x --as 1",
        "error: there is no argument '--addition' here\n\nnext: did you mean --additions?",
        "",
    ),
    (
        "application open 1 --as 1",
        "error: the file with content and salt is not given\n\n\
         next: give --opening FILE, the file that the sealing act named\n",
        "错误: 未给出含内容与盐的文件\n\n下一步: 请给出 --opening 文件，即封存时提示的文件\n",
    ),
    (
        "payment certify 1 --decision maybe --as 1",
        "error: --decision: 'maybe' cannot be read\n  why: pass, or refuse:CODE:@REASONS\n\n\
         next: give --decision in one of the accepted forms; --help shows them\n",
        "错误: --decision：无法读取 'maybe'\n  原因: pass，或 refuse:代码:@理由文件\n\n\
         下一步: 请按可用写法之一给出 --decision；见 --help\n",
    ),
    (
        "motion vote 1 yes --as 1 --signer 1:captain",
        "error: --signer: '1:captain'",
        "",
    ),
    (
        "submit nothing.json",
        "error: nothing.json cannot be read\n",
        "",
    ),
    (
        "motion vote 1 yes",
        "error: no organisation is given\n\nnext: run 'rollbook setup', or give --as, --signer and \
         --node\n",
        "",
    ),
];

#[test]
fn mistakes_are_told_in_full() {
    let desk = Desk::new();
    let mut wrong = Vec::new();
    for (line, english, chinese) in MISTAKES {
        for (language, expected) in [("en", english), ("zh", chinese)] {
            let output = desk.ends(2, &format!("--lang {language} {line}"));
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.stdout.is_empty(), "{line}");
            if !told.starts_with(expected) {
                wrong.push(format!("{line}\n{told}---\n{expected}"));
            }
            let next = if language == "en" {
                "\nnext: "
            } else {
                "\n下一步: "
            };
            if !told.contains(next) {
                wrong.push(format!("no next step: {line}\n{told}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a template shows is what a file may say: every argument of every verb, under the name of its
/// flag.
#[test]
fn every_verb_takes_the_file_that_its_template_is() {
    let folder = tempfile::tempdir().unwrap();
    for verb in VERBS {
        let template = from::template(verb);
        let mut lines = Vec::new();
        for line in template.lines() {
            // What may be left out stands behind a mark; a remark has a blank after it.
            let line = line
                .strip_prefix('#')
                .filter(|rest| !rest.starts_with(' '))
                .unwrap_or(line);
            // The files that the examples name.
            for part in line.split(['"', ',', ':']) {
                if let Some(name) = part.strip_prefix('@') {
                    std::fs::write(folder.path().join(name), name).unwrap();
                }
            }
            lines.push(line);
        }
        let file = folder.path().join("act.toml");
        std::fs::write(&file, lines.join("\n")).unwrap();
        let file = file.display().to_string();
        let read = from::read(verb, &file).unwrap();
        assert!(read.problems.is_empty(), "{verb:?}: {:?}", read.problems);
        let mut found: Vec<&str> = read.entries.iter().map(|entry| entry.name).collect();
        let mut names = from::names(verb);
        found.sort_unstable();
        names.sort_unstable();
        assert_eq!(found, names, "{}", verb.name());

        // Content as JSON has no example, a sealed ballot is opened by its opening, and a draft is made
        // of the charter in force; a ballot says one thing of several.
        let none = [
            ("application", "open"),
            ("charter", "deposit"),
            ("motion", "vote"),
            ("motion", "reveal"),
        ];
        if none.contains(&verb.path) {
            continue;
        }
        let given = Given {
            from: Some(file),
            ..Given::default()
        };
        let mut reading = Reading::of(3, 5);
        reading.unit = Some(Unit::default());
        let spelt = verb.body(&given, &mut reading);
        assert!(
            spelt.is_ok(),
            "{}: {}\n{template}",
            verb.name(),
            spelt.err().unwrap()
        );
    }
}

/// Everything that is wrong with a file is told at once, with its line; what is right is read as the
/// command line would.
#[test]
fn a_file_of_one_act_says_every_mistake_with_its_line() {
    let desk = Desk::new();
    let line = "dues receive --from act.toml --as 1 --signer 1:primary --dry-run";
    desk.write("act.toml", "invoice = 7\nvalue-date = 2026-02-30\n");
    let told = all(&desk.ends(2, line));
    assert!(
        told.contains("act.toml:2: this is not TOML: invalid date"),
        "{told}"
    );

    desk.write(
        "act.toml",
        "invoice = \"V-7\"\namount = \"90,000.505 CNY\"\nreference = \"BOC-1\"\n\
         value-dat = 2026-11-24\n",
    );
    let told = all(&desk.ends(2, line));
    for expected in [
        "act.toml cannot be used: 4 mistakes",
        "act.toml:1: INVOICE: V-7 is the number of another kind of object (motion); wanted is: invoice",
        "act.toml:2: --amount: '90,000.505 CNY' cannot be read (CNY has at most 2 digits",
        "act.toml:4: no argument is called 'value-dat'; did you mean 'value-date'?",
        "act.toml: --value-date is missing",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }

    desk.write(
        "act.toml",
        "invoice = 7\namount = \"90,000.50 CNY\"\nreference = \"BOC-1\"\n\
         value-date = 2026-11-24\n",
    );
    let act = desk.json(0, line)["act"].clone();
    let receipt = &act["Membership"]["Receive"];
    assert_eq!(
        *receipt,
        json!({ "invoice": 7, "amount": 9_000_050, "reference": "BOC-1", "value_date": "2026-11-24" })
    );
    // Flags override the file.
    let act = desk.json(0, &format!("{line} --reference BOC-2"))["act"].clone();
    assert_eq!(act["Membership"]["Receive"]["reference"], "BOC-2");
    // A list may be a list, and files are looked for beside the file.
    desk.write("terms/reasons.txt", "reasons");
    desk.write("terms/text.txt", "text");
    desk.write(
        "terms/act.toml",
        "pool = \"reviewers\"\npersons = [10, 12]\ntext = \"@text.txt\"\n",
    );
    let act = desk.json(
        0,
        "review confirm-pool --from terms/act.toml --as 1 --signer 1:primary --dry-run",
    )["act"]
        .clone();
    assert_eq!(
        act["Motion"]["Propose"]["effect"]["ConfirmPool"]["persons"],
        json!([10, 12])
    );
    let shown = desk.good("motion vote --template");
    assert!(
        shown.contains("choice = \"yes\"") && shown.contains("#round = "),
        "{shown}"
    );
}

/// What is sealed is in one file, 0600, and the later act spells exactly what was committed.
#[test]
fn openings_are_read_back() {
    let desk = Desk::new();
    std::fs::write(desk.path("project.pdf"), "a project").unwrap();
    std::fs::write(desk.path("comment.txt"), "clear and careful").unwrap();
    let act = |line: &str| {
        desk.json(0, &format!("{line} --as 20 --signer 39:primary --dry-run"))["act"].clone()
    };
    // A dry run keeps nothing; every seal has its own salt.
    let submit = "application submit 1 --project @project.pdf --title Fictional --ask 6,000,000.00CNY \
         --document @project.pdf";
    let (first, second) = (act(submit), act(submit));
    assert_ne!(
        first["Call"]["Submit"]["commitment"],
        second["Call"]["Submit"]["commitment"]
    );
    assert!(first["Call"]["Submit"].get("project").is_none(), "sealed");
    assert!(!desk.path("x.opening.json").exists());

    // The parts as a sealing act keeps them.
    use rollbook::verbs::opening;
    use rollbook::verbs::opening::Part;
    let mut reading = Reading::of(20, 39);
    reading.opening = Some(desk.path("x.opening.json"));
    let comment = std::env::current_dir()
        .unwrap()
        .join(desk.path("comment.txt"));
    let comment = reading
        .sealed("comment", &format!("@{}", comment.display()))
        .unwrap()
        .unwrap();
    let verb = VERBS
        .iter()
        .find(|verb| verb.path == ("review", "seal"))
        .unwrap();
    let given = [
        ("review", "4".to_owned()),
        ("scores", "9,8,9".to_owned()),
        ("comment", comment),
    ];
    let sealed = verb.spell(&given, &mut reading).unwrap();
    let kept = reading
        .keep("review seal", std::path::Path::new(""))
        .unwrap()
        .unwrap();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&kept).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        reading
            .keep("review seal", std::path::Path::new(""))
            .is_err(),
        "an opening is never overwritten"
    );
    let parts = opening::read(&kept).unwrap();
    assert!(
        matches!(
            parts.as_slice(),
            [Part::Content { .. }, Part::Review { .. }]
        ),
        "{parts:?}"
    );

    let revealed = act("review reveal 4 --opening x.opening.json");
    let reveal = &revealed["Call"]["Reveal"];
    assert_eq!(reveal["scores"], json!([9, 8, 9]));
    let sealed = serde_json::to_value(&sealed).unwrap();
    let scores = rollbook_core::record::Scores(vec![9, 8, 9]);
    let salt: Vec<u8> = reveal["salt"]
        .as_array()
        .unwrap()
        .iter()
        .map(|byte| byte.as_u64().unwrap() as u8)
        .collect();
    let comment =
        rollbook_proof::crypto::Hash::from_hex(reveal["comment"].as_str().unwrap()).unwrap();
    let seal = scores.seal(&salt.try_into().unwrap(), ReviewId(4), &comment);
    assert_eq!(sealed["Call"]["Seal"]["seal"], json!(seal));

    // Who changes nothing names no scores and no reason.
    let final_ = act("review finalise 4");
    assert_eq!(final_["Call"]["Finalise"]["revision"], Value::Null);

    // Another review's opening, and a changed one.
    let told = all(&desk.ends(
        2,
        "review reveal 5 --opening x.opening.json --as 20 --signer 39:primary --dry-run",
    ));
    assert!(told.contains("holds nothing for review 5"), "{told}");
    let text = std::fs::read_to_string(&kept)
        .unwrap()
        .replace("careful", "careless");
    std::fs::write(desk.path("y.json"), text).unwrap();
    let told = all(&desk.ends(
        1,
        "review reveal 4 --opening y.json --as 20 --signer 39:primary --dry-run",
    ));
    assert!(told.contains("does not make the commitment"), "{told}");
}

/// A company that is no member makes keys, registers, is introduced, applies; a member registers
/// its node. The real binary, four real nodes.
#[test]
fn a_company_enters_and_a_node_is_registered() {
    let net = Desk::new();
    let _down = Down(&net);
    let url = net.testnet(4, 5, "verbs");
    let genesis = net.path("net/genesis.rollbook").display().to_string();

    // Member 1, by the seed of the testnet.
    net.key("verbs", 1, 1, "primary,node-operator");
    net.good(&format!(
        "setup --name m1 --genesis {genesis} --node {url} --organisation 1 --person \
         1 --alliance Sample"
    ));

    // The company: two officers, each at a desk of their own, with a key of their own.
    let (company, colleague) = (Desk::new(), Desk::new());
    company.key("company", 0, 1, "primary");
    colleague.key("company", 0, 2, "finance,alternate");
    let pass = |from: &Desk, to: &Desk, name: &str| {
        std::fs::copy(from.path(name), to.path(name)).unwrap();
    };
    pass(&colleague, &company, "2.card.toml");
    std::fs::write(company.path("extract.pdf"), "registry extract").unwrap();
    let hash = net.json(0, "whoami")["profile"]["genesis"]
        .as_str()
        .unwrap()
        .to_owned();
    let register = format!(
        "org register --native 示例公司 --latin Example --uscc 91999999MA0DM0101G --extract \
         @extract.pdf --extract-date 2023-05-01 \
         --approval ballot=2 --card 1.card.toml --genesis {hash}"
    );
    let told = all(&company.ends(2, &register));
    assert!(
        told.contains("the cards are not those of a company"),
        "{told}"
    );
    let told = all(&company.ends(2, &register.replace("0101G", "0101H")));
    assert!(told.contains("the others require 'G'"), "{told}");
    company.ends(3, &format!("{register} --card 2.card.toml"));
    pass(&company, &net, "registration.json");
    let told = all(&net.ends(3, "org introduce registration.json"));
    assert!(
        told.contains("waits for the signatures of officers 2; signed so far: 1"),
        "{told}"
    );
    pass(&company, &colleague, "registration.json");
    colleague.good("sign registration.json");
    pass(&colleague, &net, "registration.json");

    // A changed registration is not what was signed.
    let text = std::fs::read_to_string(net.path("registration.json")).unwrap();
    std::fs::write(net.path("forged.json"), text.replace("Example", "Exampel")).unwrap();
    let told = all(&net.ends(1, "org introduce forged.json"));
    assert!(told.contains("is not what was signed"), "{told}");

    // Judged, not handed in; then introduced, and printed.
    let dry = net.good("org introduce registration.json --signer 1:primary --dry-run");
    assert!(
        dry.contains("it would apply; nothing was handed in"),
        "{dry}"
    );
    let done = net.json(
        0,
        "org introduce registration.json --signer 1:primary --print page.html",
    );
    assert_eq!(done["stands"], "receipted", "{done}");
    assert_eq!(done["next"]["object"], "organisation");
    let number = done["next"]["number"].as_u64().unwrap();
    let persons: Vec<u64> = done["next"]["officers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| person.as_u64().unwrap())
        .collect();
    assert_eq!(persons.len(), 2);
    let page = std::fs::read_to_string(net.path("page.html")).unwrap();
    for part in [
        "示例公司",
        "Example",
        done["id"].as_str().unwrap(),
        &hash,
        "SAMPLE",
        "记录号 / Record id",
    ] {
        assert!(page.contains(part), "{part} is not on the page");
    }
    // The same registration again.
    let told = all(&net.ends(1, "org introduce registration.json --signer 1:primary"));
    assert!(told.contains("M01.identifier-in-use"), "{told}");

    // The officers number their keys, and the company applies.
    for ((local, person), desk) in (1..).zip(&persons).zip([&company, &colleague]) {
        desk.good(&format!(
            "keys assign {local} --organisation {number} --to {person}"
        ));
    }
    company.good(&format!(
        "setup --name c --genesis {genesis} --node {url} --organisation {number} --person {} \
         --alliance Sample",
        persons[0]
    ));
    std::fs::write(company.path("undertaking.pdf"), "undertaking").unwrap();
    let apply = String::from(
        "member apply --class ordinary --antitrust @undertaking.pdf --conflicts @undertaking.pdf",
    );
    // The charter in force is the ledger's to know; another is not signed.
    let other = format!("{apply} --charter {TEXT}");
    let told = all(&company.ends(1, &other));
    assert!(
        told.contains("--charter: given is abab") && told.contains("leave --charter out"),
        "{told}"
    );
    let charter = charter_text(&genesis);
    company.good(&format!("{apply} --charter {charter} --dry-run"));
    let line = company.good(&apply);
    assert!(
        line.contains("  M01  ")
            && line.contains("membership 6: applied; next: the secretariat, by "),
        "{line}"
    );
    let status = company.good("member status 6");
    assert!(
        status.starts_with("membership 6: applied; next: the secretariat"),
        "{status}"
    );
    let status = company.good("--lang zh member status 6");
    assert!(
        status.starts_with("会籍 6：已申请；下一步：秘书处，截至 "),
        "{status}"
    );

    // Too few signatures: who is missing, by number and role, and the policy.
    let told = all(&net.ends(1, "motion vote 1 yes"));
    assert!(
        told.contains("there is no motion 1, and that is proved"),
        "{told}"
    );
    let told = all(&net.ends(3, &format!("office remove 2 --text {TEXT}")));
    assert!(
        told.contains("need 2 of 2 who may sign; signed so far: 1"),
        "{told}"
    );
    assert!(
        told.contains("  2  alternate, finance, technical  (--signer 2:alternate;"),
        "{told}"
    );

    // Many at once: all lines are checked first.
    std::fs::write(net.path("many.csv"), "membership\nx\n6\n\n7.5\n").unwrap();
    let told = all(&net.ends(2, "member sponsor --from many.csv"));
    assert!(
        told.contains("many.csv:2: MEMBERSHIP: 'x' cannot be read")
            && told.contains("many.csv:5: "),
        "{told}"
    );
    std::fs::write(net.path("many.csv"), "membership\n6\n99\n").unwrap();
    let told = all(&net.ends(1, "member sponsor --from many.csv"));
    assert!(
        told.contains("many.csv:2: ") && told.contains("many.csv:3: A4.unknown-membership"),
        "{told}"
    );

    // A node of member 5, which has none.
    net.key("verbs", 5, 9, "primary,node-operator");
    net.good(&format!(
        "node init --organisation 5 --genesis {genesis} --dir n5 --listen \
         0.0.0.0:7999 --api 127.0.0.1:7998"
    ));
    let told = all(&net.ends(
        2,
        "node register n5/node.toml --as 5 --signer 9:node-operator",
    ));
    assert!(told.contains("--address is missing"), "{told}");
    let told = all(&net.ends(
        2,
        "node register n5/node.toml --as 1 --address node5.example:7999",
    ));
    assert!(told.contains("the keys are for organisation 5"), "{told}");
    let line = net.good(
        "node register n5/node.toml --as 5 --signer 9:node-operator --address node5.example:7999",
    );
    assert!(
        line.contains("  M40  ")
            && line
                .contains("node 5: registered; next: the member's node operator (organisation 5)"),
        "{line}"
    );
    let line = net.good("node ready --as 5 --signer 9:node-operator");
    assert!(
        line.contains("node 5: candidate for a seat; the clock acts next"),
        "{line}"
    );
    let line = net.good("node leave --as 5 --signer 9:node-operator");
    assert!(line.contains("node 5: gone; nothing follows"), "{line}");

    // Again with new keys, by their card: it is for one chain.
    let card = |name: &str, of: &str| {
        net.good(&format!(
            "keys new --node --organisation 5 --url http://node5.example/ --address \
             node5.example:7999 --out {name} --card {name}.card.toml {of}"
        ))
    };
    assert!(card("founding", "--founding").contains("for        a founding"));
    card("elsewhere", &format!("--genesis {TEXT}"));
    assert!(card("here", "").contains(&format!("the chain with genesis {hash}")));
    let register = |name: &str| {
        format!("node register --card {name}.card.toml --as 5 --signer 9:node-operator")
    };
    let told = all(&net.ends(1, &register("founding")));
    assert!(
        told.contains("the card of a node in a founding") && told.contains("--genesis"),
        "{told}"
    );
    let told = all(&net.ends(1, &register("elsewhere")));
    assert!(told.contains("is for another genesis, abab"), "{told}");
    let text = std::fs::read_to_string(net.path("here.card.toml")).unwrap();
    std::fs::write(
        net.path("moved.card.toml"),
        text.replace("node5.example:7999", "node6.example:7999"),
    )
    .unwrap();
    let told = all(&net.ends(2, &register("moved")));
    assert!(
        told.contains("not for organisation 5 and these keys, URL and address"),
        "{told}"
    );
    let line = net.good(&register("here"));
    assert!(line.contains("node 5: registered"), "{line}");
}

/// SHA-256 of the charter's text, which an applicant signs.
fn charter_text(genesis: &str) -> String {
    let file = rollbook_core::genesis::file::GenesisFile::decode(&std::fs::read(genesis).unwrap())
        .unwrap();
    file.genesis.charter().unwrap().text.to_hex()
}
