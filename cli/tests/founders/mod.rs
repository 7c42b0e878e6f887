//! Three companies with two officers each and one secretary, and the files of the sample alliance.

#![allow(clippy::unwrap_used, dead_code)]

use std::path::Path;
use std::process::Output;

use crate::desk::Desk;

pub fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../samples/metaverse-alliance")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

pub const THREE_ALLIANCE: &str = r#"
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

pub const THREE_MEMBERS: &str = "\u{feff}number,native,latin,country,uscc,directions,\
extract,extract_date,approval\r\n\
1,甲公司,Company One,CN,91999999MA0DM0011U,optics,extract-1.txt,2025-12-01,\r\n\
2,乙公司,Company Two,CN,91999999MA0DM0012Y,,extract-1.txt,2025-12-01,general=2 money=2\r\n\
3,丙公司,\"Company Three, Inc.\",CN,91999999MA0DM00132,1,extract-1.txt,2025-12-01,\r\n";

/// Three companies with two officers each and one secretary; everybody's keys made by themselves,
/// cards in `cards/`.
pub fn three() -> Desk {
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
        (2, 22, "finance,technical"),
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

pub fn sign(desk: &Desk, organisation: &str, person: &str) -> Output {
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
