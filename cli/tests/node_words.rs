//! What a node says reaches a Chinese operator in Chinese: the table `node/words/messages/zh-node.toml`
//! against the sources of the node and of the sandbox, and the real binary.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rollbook_proof::log::Clock;
use rollbook_sandbox::testnet::{Plan, Testnet};
use rollbook_words::node::in_chinese;

/// Sources whose every sentence can reach an operator or a caller.
const SPEAKING: [&str; 15] = [
    "node/src/api",
    "node/src/clock",
    "node/src/config",
    "node/src/replica_thread",
    "node/src/runtime",
    "node/src/replica/kept",
    "node/src/store/writer",
    "node/src/journal",
    "node/src/network/swarm",
    "node/src/disk/real",
    "node/src/network/address",
    "cli/sandbox/src/alliance",
    "cli/sandbox/src/testnet",
    "core/src/audit",
    "node/src/files",
];
/// Text in these sources that nobody is told: names in sample data, lines of the metrics page, words of the
/// OpenAPI document.
const NOT_SAID: [&str; 19] = [
    "charter text",
    "Sample alliance",
    "Founding member {}",
    "Made-up company {}",
    "Standards body",
    "node {}: height {} receipted {} stored {} {} round {} votes {} root {}",
    "the header is part of the format",
    "Rollbook node",
    "The question cannot be read",
    "Log in, or the pass does not hold",
    "The pass holds, and its person is nobody's who reads",
    "Asked too often without a pass",
    "Not now: no room, not receipted yet, or a fault on this side",
    "The body comes too slowly",
    "The body is too long",
    "Nothing of this name is here",
    "rollbook kept statements 1",
    "private, max-age=31536000, immutable",
    "public, max-age=31536000, immutable",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A string of a source.
struct Literal {
    /// With `{}` for every place of a format.
    text: String,
    /// The code before it, without white space, 40 characters at most.
    before: String,
    /// In an attribute, such as the words of an error.
    attribute: bool,
    /// In a line for the node's own log.
    logged: bool,
}

/// Places of a format string as `{}`.
fn template(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' if rest.peek() == Some(&'{') => out.push(rest.next().unwrap()),
            '{' => {
                for _ in rest.by_ref().take_while(|c| *c != '}') {}
                out.push_str("{}");
            }
            '}' if rest.peek() == Some(&'}') => out.push(rest.next().unwrap()),
            c => out.push(c),
        }
    }
    out
}

/// Every string of a source, without comments and test modules. Knows as much of Rust as these
/// sources use: no raw strings.
fn literals(source: &str) -> Vec<Literal> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code: Vec<char> = source.chars().collect();
    let (mut found, mut before, mut at) = (Vec::new(), String::new(), 0);
    // The depth of brackets at which an attribute or a log line began.
    let (mut depth, mut attribute, mut logged) = (0, None, None);
    while at < code.len() {
        let next = code.get(at + 1).copied().unwrap_or_default();
        match code[at] {
            '/' if next == '/' => {
                while at < code.len() && code[at] != '\n' {
                    at += 1;
                }
            }
            '\'' if next == '\\' => at += 3,
            '\'' if code.get(at + 2) == Some(&'\'') => at += 2,
            '"' => {
                let mut text = String::new();
                at += 1;
                while code[at] != '"' {
                    if code[at] == '\\' {
                        at += 1;
                        match code[at] {
                            '\n' => {
                                while code[at + 1].is_whitespace() {
                                    at += 1
                                }
                            }
                            'n' => text.push('\n'),
                            c => text.push(c),
                        }
                    } else {
                        text.push(code[at]);
                    }
                    at += 1;
                }
                let kept: String = before
                    .chars()
                    .skip(before.chars().count().saturating_sub(40))
                    .collect();
                let (attribute, logged) = (attribute.is_some(), logged.is_some());
                found.push(Literal {
                    text: template(&text),
                    before: kept,
                    attribute,
                    logged,
                });
                before.push('"');
            }
            c => {
                if !c.is_whitespace() {
                    before.push(c);
                }
                match c {
                    '(' | '[' | '{' => {
                        if attribute.is_none() && c == '[' && before.ends_with("#[") {
                            attribute = Some(depth);
                        }
                        let line = [
                            "tracing::error!(",
                            "tracing::warn!(",
                            "tracing::info!(",
                            "tracing::debug!(",
                        ];
                        if logged.is_none()
                            && (line.iter().any(|head| before.ends_with(head))
                                || before.ends_with(";put("))
                        {
                            logged = Some(depth);
                        }
                        depth += 1;
                    }
                    ')' | ']' | '}' => {
                        depth -= 1;
                        attribute = attribute.filter(|began| *began < depth);
                        logged = logged.filter(|began| *began < depth);
                    }
                    _ => {}
                }
            }
        }
        at += 1;
    }
    found
}

/// Every string of the sources under a folder, by file.
fn sources(under: &str) -> BTreeMap<String, Vec<Literal>> {
    let root = workspace();
    let (mut folders, mut found) = (vec![root.join(under)], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs")
                && !name.contains("tests")
                && !name.ends_with("disk/sim.rs")
            {
                found.insert(name, literals(&std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The pattern of a string: that of a file's failure goes on with the path.
fn pattern(literal: &Literal) -> String {
    if literal.before.ends_with("Failure::file(") {
        format!("{} {{}}", literal.text)
    } else {
        literal.text.clone()
    }
}

/// Whether a string is made of words.
fn is_sentence(text: &str) -> bool {
    let words = text
        .split([' ', '\n'])
        .filter(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase()));
    text.contains(' ') && words.count() > 0
}

fn table(section: &str) -> BTreeMap<String, String> {
    let text =
        std::fs::read_to_string(workspace().join("node/words/messages/zh-node.toml")).unwrap();
    let all: toml::Table = text.parse().unwrap();
    let pairs = all[section].as_table().unwrap();
    pairs
        .iter()
        .map(|(english, chinese)| (english.clone(), chinese.as_str().unwrap().to_owned()))
        .collect()
}

/// English prose: three words in a row.
fn english_prose(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain = |word: &&str| {
        word.len() > 1
            && word
                .trim_end_matches([',', '.', ':', ';'])
                .chars()
                .all(|c| c.is_ascii_alphabetic())
    };
    words
        .windows(3)
        .find(|three| three[0] != "rollbook" && three.iter().all(plain))
        .map(|three| three.join(" "))
}

#[test]
fn every_sentence_of_the_node_has_chinese() {
    let known = table("sentence");
    let mut missing = BTreeSet::new();
    for (file, literals) in ["node/src", "cli/sandbox/src", "core/src"]
        .map(sources)
        .into_iter()
        .flatten()
    {
        let speaks = SPEAKING.iter().any(|name| file.starts_with(name));
        for literal in literals
            .iter()
            .filter(|literal| speaks && !literal.attribute && !literal.logged)
        {
            let pattern = pattern(literal);
            if is_sentence(&pattern)
                && !known.contains_key(&pattern)
                && !NOT_SAID.contains(&literal.text.as_str())
            {
                missing.insert(format!("{file}: {pattern}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "add to node/words/messages/zh-node.toml:\n{}",
        missing.into_iter().collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn no_sentence_of_the_table_is_dead() {
    let mut said = BTreeSet::new();
    let all = [
        "node/src",
        "node/wire/src",
        "core/src",
        "core/proof/src",
        "cli/sandbox/src",
    ]
    .map(sources);
    for literals in all.iter().flat_map(BTreeMap::values) {
        said.extend(literals.iter().map(pattern));
    }
    assert!(said.len() > 500, "the sources were not read");
    let dead: Vec<String> = table("sentence")
        .into_keys()
        .filter(|english| !said.contains(english))
        .collect();
    assert!(
        dead.is_empty(),
        "nobody says this any more:\n{}",
        dead.join("\n")
    );
}

#[test]
fn the_chinese_names_every_fact_and_is_chinese() {
    for (english, chinese) in table("sentence").into_iter().chain(table("system")) {
        let places = english.matches("{}").count();
        for number in 0..places {
            assert!(
                chinese.contains(&format!("{{{number}}}")),
                "{english}: fact {number} is lost"
            );
        }
        assert_eq!(
            chinese.matches('{').count(),
            places,
            "{english}: a fact too many"
        );
        assert_eq!(english_prose(&chinese), None, "{english}");
        let facts = english.replace("{}", "7");
        assert_ne!(in_chinese(&facts), facts);
    }
}

#[test]
fn texts_are_taken_apart_as_the_node_puts_them_together() {
    let said = [
        (
            "cannot read the config /etc/node.toml",
            "无法读取配置文件 /etc/node.toml",
        ),
        // A finding: what, and why in the operating system's words.
        (
            "cannot read the config a: b.toml: Permission denied (os error 13)",
            "无法读取配置文件 a: b.toml：权限不足",
        ),
        // A list in a sentence; an error of the network in it.
        (
            "validators not connected: organisation 2 at 10.0.0.2:7400 (10.0.0.2:7400: Connection \
             refused (os error 111)); \
             organisation 3 at ? (not connected yet)",
            "未连接的验证节点：机构 2（10.0.0.2:7400）：10.0.0.2:7400: 连接被拒绝；机构 3（?）：\
             尚未连接",
        ),
        (
            "http://127.0.0.1:9: io: Connection refused (os error 111); http://127.0.0.1:8: 503",
            "http://127.0.0.1:9: 连接被拒绝; http://127.0.0.1:8: 503",
        ),
        // What nobody knows stays, and nothing is put into a fact.
        ("a sentence of tomorrow", "a sentence of tomorrow"),
        ("cannot read the config {0}", "无法读取配置文件 {0}"),
        ("", ""),
    ];
    for (english, chinese) in said {
        assert_eq!(in_chinese(english), chinese);
    }
}

/// What `rollbook --lang zh` says, both streams; no line of it is English prose.
fn chinese_of(arguments: &[&str], exit: i32) -> String {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_rollbook"))
        .args(["--lang", "zh"])
        .args(arguments)
        .env("HOME", "/")
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{said}");
    for line in said.lines() {
        assert_eq!(english_prose(line), None, "{said}");
    }
    said
}

#[test]
fn an_operator_reads_chinese() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let missing = chinese_of(&["node", "run", &path("node.toml")], 2);
    assert!(
        missing.contains("没有这个文件或文件夹")
            && missing.contains("下一步: 用 rollbook node init 生成配置"),
        "{missing}"
    );
    std::fs::write(
        path("node.toml"),
        "organisation = 1\ngenesi = \"genesis.rollbook\"\n",
    )
    .unwrap();
    let wrong = chinese_of(&["node", "run", &path("node.toml")], 2);
    assert!(
        wrong.contains("TOML 第 2 行第 1 列有误") && wrong.contains("没有名为 `genesi` 的设置"),
        "{wrong}"
    );
    assert!(wrong.contains("下一步: 改正上述设置"), "{wrong}");

    let net = folder.path().join("net");
    let plan = Plan::new("words", 1, 1, Clock::Sample).unwrap();
    Testnet::create(&net, plan, Path::new("rollbook"), &[]).unwrap();
    let config = net.join("node-1/node.toml").display().to_string();
    let doctor = chinese_of(&["node", "doctor", &config], 0);
    assert!(
        doctor.contains("正常: 配置可以读取") && doctor.contains("提示: 节点未在运行"),
        "{doctor}"
    );
    // A port that another program has, and a key file that is gone.
    let port = std::net::TcpListener::bind(
        Testnet::open(&net, Path::new("rollbook"), &[])
            .unwrap()
            .api(1),
    )
    .unwrap();
    std::fs::remove_file(net.join("node-1/keys/consensus.key")).unwrap();
    let doctor = chinese_of(&["node", "doctor", &config], 1);
    assert!(
        doctor.contains("不可用：地址已被占用")
            && doctor.contains("consensus.key：没有这个文件或文件夹"),
        "{doctor}"
    );
    drop(port);

    // The file system of processes takes no folder, whoever asks.
    let nowhere = chinese_of(&["testnet", "up", "--dir", "/proc/x"], 2);
    assert!(
        nowhere.contains("下一步: 用 --dir 选择一个可以写入的文件夹"),
        "{nowhere}"
    );
}
