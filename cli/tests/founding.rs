//! A founding by the documents alone: from an empty folder to the first block and the first motion, on
//! real time. Seven companies with two officers each, eight people of the secretariat, four operators:
//! each has a home folder and a passphrase of its own, and only files that the program names travel.
//!
//! The text of docs/operating.md ("Founding an alliance") is what is played. What each person types
//! is counted.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rollbook_sandbox::alliance::Codes;

mod desk;
use desk::{Words, all};

/// One person at a machine: a home folder, a passphrase, and the commands typed.
struct Home {
    folder: tempfile::TempDir,
    passphrase: String,
    typed: Vec<String>,
}

impl Home {
    fn of(who: &str) -> Home {
        Home {
            folder: tempfile::tempdir().unwrap(),
            passphrase: format!("the passphrase of {who}"),
            typed: Vec::new(),
        }
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_STATE_HOME")
            .env("LC_ALL", "C")
            .env("ROLLBOOK_PASSPHRASE", &self.passphrase);
        command
    }

    /// A try that belongs to the test, not to the way.
    fn tries(&self, code: i32, words: &(impl Words + ?Sized)) -> String {
        let output: Output = self.command(&words.words()).output().unwrap();
        let said = all(&output);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{:?}\n{said}",
            words.words()
        );
        said
    }

    /// A command of the way.
    fn types(&mut self, words: &(impl Words + ?Sized)) -> String {
        let said = self.tries(0, words);
        self.typed.push(words.words().join(" "));
        said
    }

    /// The file that a line of the output names, such as `card       /home/..   (public)`.
    fn named(&self, said: &str, label: &str) -> PathBuf {
        let line = said.lines().find(|line| line.starts_with(label));
        let line = line.unwrap_or_else(|| panic!("no {label} in\n{said}"));
        self.path(line[label.len()..].split_whitespace().next().unwrap())
    }
}

/// Carries a file to a folder of somebody else.
fn carry(file: &Path, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
}

struct Nodes(Vec<Child>);

impl Drop for Nodes {
    fn drop(&mut self) {
        for node in &mut self.0 {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

fn today() -> String {
    let day = rollbook_core::calendar::LocalDay::of(
        rollbook_proof::number::LedgerTime(rollbook_node::clock::real_ms()),
        480,
    );
    day.date().to_string()
}

/// What the secretary fills in.
fn fill_in(secretary: &Home) {
    let folder = secretary.path("alliance");
    let settings = std::fs::read_to_string(folder.join("alliance.toml")).unwrap();
    let settings = settings
        .replace("EXAMPLE: name of the alliance", "Alliance of seven")
        .replace("示例联盟", "七方联盟")
        .replace("EXAMPLE.org/ledger", "seven.example/ledger");
    std::fs::write(folder.join("alliance.toml"), settings).unwrap();
    std::fs::write(
        folder.join("charter.md"),
        "What the seven have agreed on.\n",
    )
    .unwrap();
    let members = std::fs::read_to_string(folder.join("members.csv")).unwrap();
    let mut rows: Vec<String> = members
        .lines()
        .filter(|line| !line.contains("EXAMPLE:"))
        .map(str::to_owned)
        .collect();
    std::fs::create_dir(folder.join("extracts")).unwrap();
    for number in 1..=7 {
        let code = Codes::Letters.of(number).remove(0).org_id();
        let code = code.strip_prefix("CN-USCI-").unwrap();
        let names = [
            ("甲", "One"),
            ("乙", "Two"),
            ("丙", "Three"),
            ("丁", "Four"),
        ];
        let more = [("戊", "Five"), ("己", "Six"), ("庚", "Seven")];
        let (native, latin) = names.iter().chain(&more).nth(number as usize - 1).unwrap();
        std::fs::write(folder.join(format!("extracts/{number}.txt")), latin).unwrap();
        rows.push(format!(
            "{number},{native}公司,Company {latin},CN,extracts/{number}.txt,2026-01-31,{code},,,\
             general,,,money=2"
        ));
    }
    std::fs::write(folder.join("members.csv"), rows.join("\n")).unwrap();
}

/// Makes a person's key; the card goes to the secretary.
fn key(home: &mut Home, organisation: u32, person: u32, roles: &str, secretary: &Home) {
    std::fs::write(home.path("letter.pdf"), format!("letter of {person}")).unwrap();
    let (organisation, number) = (organisation.to_string(), person.to_string());
    let (name, document) = (format!("Person {person}"), format!("ID {person}"));
    let date = today();
    let mut words = vec![
        "keys",
        "new",
        "--organisation",
        &organisation,
        "--person",
        &number,
    ];
    words.extend([
        "--name",
        &name,
        "--document",
        &document,
        "--letter",
        "letter.pdf",
    ]);
    words.extend(["--letter-date", &date, "--signatory", "The director"]);
    if !roles.is_empty() {
        words.extend(["--role", roles]);
    }
    let said = home.types(words.as_slice());
    carry(
        &home.named(&said, "card"),
        &secretary.path("alliance/cards"),
    );
}

#[test]
fn seven_companies_found_an_alliance_and_propose_its_first_motion() {
    let mut secretary = Home::of("the secretary");
    let said = secretary.types("genesis new alliance");
    assert!(said.contains("alliance/NEXT.md"), "{said}");
    let untouched = secretary.tries(2, "genesis draft alliance");
    assert!(
        untouched.contains("alliance.toml:")
            && untouched.contains("members.csv:")
            && untouched.matches("the example of").count() >= 3,
        "every example is refused until it is replaced\n{untouched}"
    );
    fill_in(&secretary);

    // Everybody makes a key.
    let mut officers: BTreeMap<u32, Home> = BTreeMap::new();
    for organisation in 1..=7 {
        for (person, roles) in [
            (1, "primary,node-operator"),
            (2, "alternate,finance,technical"),
        ] {
            let person = organisation * 10 + person;
            let mut home = Home::of(&format!("person {person}"));
            key(&mut home, organisation, person, roles, &secretary);
            officers.insert(person, home);
        }
    }
    let mut staff = Vec::new();
    for person in 901..=908 {
        let mut home = Home::of(&format!("person {person}"));
        key(&mut home, 90, person, "", &secretary);
        staff.push(home);
    }
    let listeners: Vec<TcpListener> = (0..8)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap())
        .collect();
    let ports: Vec<u16> = listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap().port())
        .collect();
    drop(listeners);
    let mut operators: Vec<Home> = Vec::new();
    for (organisation, ports) in (1..).zip(ports.chunks(2)) {
        let mut home = Home::of(&format!("operator {organisation}"));
        let said = home.types(&format!(
            "keys new --node --organisation {organisation} --url http://127.0.0.1:{}/ \
             --address 127.0.0.1:{} --out keys",
            ports[0], ports[1]
        ));
        carry(
            &home.named(&said, "card"),
            &secretary.path("alliance/cards"),
        );
        operators.push(home);
    }

    // The draft, its rules on paper, the signatures.
    let said = secretary.types("genesis draft alliance");
    assert!(said.contains("5 of the 9 seats"), "{said}");
    assert!(!said.contains("A6."), "{said}");
    let draft = secretary.named(&said, "draft");
    let said = secretary.types("genesis show alliance/genesis.draft --print rules.html");
    for rule in [
        "yearly dues: 200,000.00 CNY",
        "quorum 2/3",
        "money: 2 officers",
    ] {
        assert!(said.contains(rule), "no '{rule}' in\n{said}");
    }
    assert!(!said.contains("1970"), "{said}");
    let page = std::fs::read_to_string(secretary.path("rules.html")).unwrap();
    assert!(
        page.contains("每年会费") && page.contains("yearly dues"),
        "both languages"
    );
    let signatures = secretary.path("alliance/signatures");
    for organisation in 1..=7 {
        let officer = officers.get_mut(&(organisation * 10 + 1)).unwrap();
        carry(&draft, &officer.path("."));
        let said = officer.types("genesis sign genesis.draft");
        carry(&officer.named(&said, "signed"), &signatures);
        if organisation == 3 {
            let missing = {
                secretary.typed.push("genesis check".into());
                secretary.tries(1, "genesis check alliance/genesis.draft")
            };
            assert!(
                missing.contains("4 Company Four: has not signed")
                    && missing.contains(
                        "rollbook genesis draft alliance --without 4 --without 5 --without 6 \
                         --without 7"
                    ),
                "{missing}"
            );
        }
    }
    let said = secretary.types("genesis check alliance/genesis.draft");
    let next = said
        .lines()
        .find(|line| line.contains("genesis assemble"))
        .unwrap();
    let next = next.split_once("rollbook ").unwrap().1.to_owned();
    let said = secretary.types(&next);
    let genesis = secretary.named(&said, "genesis ");
    assert!(genesis.ends_with("genesis.rollbook"), "{said}");

    // The operators: other keys, an office, no keys at all are refused at once.
    for home in &operators {
        carry(&genesis, &home.path("."));
    }
    let first = &operators[0];
    carry(
        &operators[1].path("keys/consensus.key"),
        &first.path("wrong"),
    );
    for kind in ["cosigner", "log", "transport"] {
        carry(
            &operators[1].path(format!("keys/{kind}.key")),
            &first.path("wrong"),
        );
    }
    let init = "node init --genesis genesis.rollbook";
    let other = first.tries(1, &format!("{init} --keys wrong --organisation 1 --dir n"));
    assert!(
        other.contains("not those that the genesis names"),
        "{other}"
    );
    let none = first.tries(1, &format!("{init} --organisation 1 --dir n"));
    assert!(none.contains("--keys DIR"), "{none}");
    let office = first.tries(1, &format!("{init} --organisation 90 --dir n"));
    assert!(office.contains("is an office"), "{office}");
    assert!(!first.path("n/node.toml").exists() && !first.path("n/keys").exists());
    let later = first.tries(0, &format!("{init} --organisation 5 --dir later"));
    assert!(
        later.contains("only follows until an officer registers it"),
        "{later}"
    );

    let mut nodes = Nodes(Vec::new());
    for (home, ports) in operators.iter_mut().zip(ports.chunks(2)) {
        let said = home.types("node init --genesis genesis.rollbook --keys keys --dir node");
        let config = std::fs::read_to_string(home.path("node/node.toml")).unwrap();
        for port in ports {
            assert!(config.contains(&format!("127.0.0.1:{port}")), "{config}");
        }
        assert!(
            !home.path("node/keys").exists() && !home.path("keys/unused").exists(),
            "no secret is copied, and the keys count as used"
        );
        assert!(said.contains("rollbook node run node/node.toml"), "{said}");
        let words = "node run node/node.toml".words();
        let log = std::fs::File::create(home.path("node.log")).unwrap();
        let child = home
            .command(&words)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        nodes.0.push(child);
        home.typed.push(words.join(" "));
    }
    let begun = Instant::now();
    let status = |home: &Home| {
        let words = "--json node status node/node.toml".words();
        let output = home.command(&words).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap_or_default()
    };
    while operators
        .iter()
        .map(status)
        .any(|status| status["founders_missing"] != 0 || status["receipted"].as_u64() < Some(1))
    {
        let log = || std::fs::read_to_string(operators[0].path("node.log")).unwrap_or_default();
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "no block 1\n{}",
            log()
        );
        std::thread::sleep(Duration::from_millis(200));
    }

    let counts = |homes: &mut dyn Iterator<Item = &Home>| {
        homes.map(|home| home.typed.len()).max().unwrap_or_default()
    };
    assert!(secretary.typed.len() <= 12, "{:?}", secretary.typed);
    assert!(counts(&mut officers.values()) <= 2);
    assert!(counts(&mut staff.iter()) <= 2);
    assert!(counts(&mut operators.iter()) <= 3);

    // The alliance works: an officer of a member with a seat proposes.
    let officer = officers.get_mut(&11).unwrap();
    carry(&genesis, &officer.path("."));
    let url = format!("http://127.0.0.1:{}", ports[0]);
    officer.types(&format!(
        "setup --genesis genesis.rollbook --node {url} --organisation 1 --person 11"
    ));
    std::fs::write(officer.path("reasons.md"), "why").unwrap();
    let said = officer.types(
        "office appoint --yes --office 90 --role registrar --holder 902 --attach reasons.md --signer \
         11:primary",
    );
    assert!(said.contains("receipted and verified"), "{said}");
    let shown = officer.types("charter show 1");
    assert!(
        shown.contains("yearly dues: 200,000.00 CNY") && !shown.contains("1970"),
        "{shown}"
    );
}
