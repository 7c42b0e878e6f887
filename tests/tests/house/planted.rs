//! Self-check: small crates with what must be found and what must not.

use super::crates::{judge_manifests, judge_reexports};
use super::modules::{Crate, Sources};
use super::rooms::{Finding, Floor, House, Kind, Room, judge};

/// A file of the lowest room that is there and a module of the highest.
pub fn lowest_and_highest(floor: &Floor, sources: &Sources) -> Option<(String, String)> {
    let read = Crate::read(sources, &floor.folder, &[]);
    // Roots have no path that another module could write.
    let in_room = |room: &Room| {
        read.modules
            .iter()
            .find(|module| module.parent.is_some() && room.holds.contains(&module.name))
    };
    let low = floor.rooms.iter().find_map(in_room)?;
    let high = floor.rooms.iter().rev().find_map(in_room)?;
    Some((low.file.clone(), high.name.clone()))
}

/// Three rooms: `ground` (two modules), `wall`, `roof`; and the root on top.
fn small_house() -> House {
    let rooms = [
        ("ground", "ground"),
        ("wall", "wall"),
        ("roof", "roof"),
        ("root", "crate"),
    ];
    let rooms = rooms.map(|(name, held)| Room {
        name: name.into(),
        holds: vec![held.into()],
    });
    let floor = Floor {
        name: "small".into(),
        folder: "small".into(),
        strict: true,
        least_rooms: 4,
        rooms: rooms.into(),
    };
    House {
        crates: vec![floor],
        weight: Vec::new(),
    }
}

/// The small crate with more in `ground/deep.rs`.
fn small_with(planted: &str) -> Sources {
    [
        ("small/src/lib.rs", "pub mod ground; pub mod roof;\nmod wall;\n".to_string()),
        ("small/src/ground.rs", "pub mod deep;\npub fn flat() {}\n".to_string()),
        ("small/src/ground/deep.rs", format!("use super::flat;\n{planted}\n")),
        ("small/src/wall.rs", "use crate::ground::{self, deep};\n".to_string()),
        (
            "small/src/roof.rs",
            "use crate::wall;\n#[macro_export]\nmacro_rules! tile { () => { $crate::wall::x() } }\n"
                .to_string(),
        ),
    ]
    .map(|(file, source)| (file.to_string(), source))
    .into()
}

fn found(planted: &str) -> Vec<Finding> {
    judge(&small_house(), &small_with(planted))
}

#[test]
fn the_small_house_is_in_order() {
    assert_eq!(found(""), []);
}

#[test]
fn every_way_up_is_found() {
    let ways = [
        ("a use", "use crate::roof::x;"),
        ("a use of the module", "use crate::roof;"),
        ("a glob", "pub use crate::roof::*;"),
        ("a rename", "pub(crate) use crate::roof as sky;"),
        (
            "a nested group",
            "use crate::{\n    ground::{deep as d, flat as f},\n    roof::{a::{b, c}},\n};",
        ),
        (
            "a group with a comment",
            "use crate::{ // wall\n    /* down */ roof::x };",
        ),
        ("an expression", "fn f() -> u32 { 1 + crate::roof::x(2) }"),
        (
            "a type",
            "struct S<'a> { one: &'a Vec<crate::roof::Tile<'a>> }",
        ),
        ("a pattern", "fn f() { let _ = |crate::roof::Tile(_)| (); }"),
        (
            "a path over several lines",
            "fn f() {\n    crate\n        ::roof // up\n        ::x();\n}",
        ),
        ("super behind super", "fn f() { super::super::roof::x() }"),
        (
            "super from an inline module",
            "mod one { mod two { use super::super::super::super::roof::x; } }",
        ),
        ("self and super", "use self::super::super::roof::x;"),
        (
            "a name of an import",
            "use crate as all;\nfn f() { all::roof::x() }",
        ),
        (
            "a name of an import below",
            "use super::super as up;\nmod tests { use super::*; fn f() { up::roof::x() } }",
        ),
        (
            "a macro call",
            "fn f() { assert!(matches!(1, _), \"{}\", crate::roof::x()); }",
        ),
        (
            "a macro's body",
            "macro_rules! m { ($a:ident) => { $crate::roof::$a() }; }",
        ),
        (
            "a macro's use",
            "macro_rules! m { () => { use $crate::{ground::flat, roof::x}; }; }",
        ),
        ("a macro that stands above", "fn f() { crate::tile!() }"),
        ("the same by its bare name", "fn f() { tile!() }"),
        ("an attribute", "#[derive(crate::roof::Tiled)]\nstruct S;"),
        (
            "a text in an attribute",
            "#[derive(S)]\nstruct S { #[serde(with = \"crate::roof\")] x: u8 }",
        ),
        ("an inner attribute", "mod m { #![roof(crate::roof::x)] }"),
        (
            "test code",
            "#[cfg(test)]\nmod tests { fn f() { crate::roof::x() } }",
        ),
        (
            "after a lifetime",
            "fn f<'a>(x: &'a str) -> char { crate::roof::x('\"', x) }",
        ),
        (
            "after a raw text",
            "const A: &str = r#\"\"\\\"#; fn f() { crate::roof::x() }",
        ),
        ("the root", "fn f() { crate::main() }"),
        (
            "visibility with a type",
            "pub(in crate::ground) struct S(crate::roof::Tile);",
        ),
    ];
    for (name, planted) in ways {
        let kinds: Vec<Kind> = found(planted).iter().map(|finding| finding.kind).collect();
        let ways_up = kinds.iter().filter(|kind| **kind == Kind::Upward).count();
        assert!(ways_up >= 1, "{name}: {:?}", found(planted));
        let others = kinds
            .iter()
            .any(|kind| !matches!(kind, Kind::Upward | Kind::Circle));
        assert!(!others, "{name}: {:?}", found(planted));
    }
}

#[test]
fn what_is_no_path_is_not_found() {
    let decoys = [
        (
            "a comment",
            "// use crate::roof::x;\n/* crate::roof::x() /* crate::roof */ super::super::roof */",
        ),
        (
            "documentation",
            "/// [`crate::roof::x`]\n/** crate::roof::x */\nfn f() {}\nmod m { //! crate::roof::x\n}",
        ),
        (
            "a doc attribute",
            "#[doc = \"see crate::roof::x\"]\nfn f() {}",
        ),
        (
            "a text",
            "const A: &str = \"crate::roof::x \\\" crate::roof::x\";",
        ),
        (
            "a text over lines",
            "const A: &str = \"\ncrate::roof::x\n\";",
        ),
        (
            "raw texts",
            "const A: (&str, &[u8]) = (r##\"\"# crate::roof::x\"##, br#\"crate::roof::\"#);",
        ),
        (
            "bytes and C texts",
            "const A: &[u8] = b\"crate::roof::x\"; const B: &CStr = c\"crate::roof::x\";",
        ),
        (
            "after a quote",
            "const A: char = '\"'; // crate::roof::x\nconst B: u8 = b'\\''; // crate::roof",
        ),
        (
            "visibility",
            "pub(in crate::ground) fn f() {}\npub(crate) fn g() {}\npub(super) fn h() {}",
        ),
        (
            "another crate",
            "use std::fmt; fn f() { roof::x(); other::roof::x(); other::crate_::roof() }",
        ),
        (
            "downwards and inside",
            "mod m { use super::super::flat; fn f() { crate::ground::flat() } }",
        ),
        (
            "self as a value",
            "impl S { fn f(&self) -> u32 { self.roof.x() } }",
        ),
        (
            "captures",
            "fn f<'a>() -> impl Sized + use<'a> { 'x: loop { break 'x } }",
        ),
    ];
    for (name, planted) in decoys {
        assert_eq!(found(planted), [], "{name}");
    }
}

#[test]
fn a_finding_names_its_place() {
    let findings = found("\nfn f() {\n    crate::roof::x()\n}");
    let upward: Vec<&Finding> = findings.iter().filter(|f| f.kind == Kind::Upward).collect();
    assert_eq!(
        upward[0].text,
        "small/src/ground/deep.rs:4: `crate::roof::x`: ground looks up into roof"
    );
    // The roof looks down into the wall and the wall onto the ground: with this, a circle.
    let circle = findings
        .iter()
        .find(|finding| finding.kind == Kind::Circle)
        .unwrap();
    assert!(
        circle
            .text
            .starts_with("small: a circle of ground, wall, roof: "),
        "{}",
        circle.text
    );
}

#[test]
fn every_module_has_one_room() {
    let kinds = |house: &House, sources: &Sources| -> Vec<Kind> {
        judge(house, sources)
            .into_iter()
            .map(|finding| finding.kind)
            .collect()
    };
    let (house, sources) = (small_house(), small_with(""));

    let mut changed = house.clone();
    changed.crates[0].rooms[0].holds = vec!["=ground".into()];
    assert_eq!(
        kinds(&changed, &sources),
        [Kind::NoRoom],
        "a module below is not meant by `=`"
    );

    changed.crates[0].rooms[0]
        .holds
        .push("=ground::deep".into());
    let inline = small_with("mod tests { fn f() { crate::roof::x() } }");
    let found = kinds(&changed, &inline);
    assert!(
        found.contains(&Kind::Upward),
        "an inline module is in the room around it: {found:?}"
    );

    let mut changed = house.clone();
    changed.crates[0].rooms[1].holds.push("window".into());
    assert_eq!(kinds(&changed, &sources), [Kind::NothingThere]);

    let mut changed = house.clone();
    changed.crates[0].rooms[2].holds.push("wall".into());
    assert!(kinds(&changed, &sources).contains(&Kind::TwiceNamed));

    let mut changed = house.clone();
    changed.crates[0].rooms[1].holds.push("ground::deep".into());
    assert_eq!(
        kinds(&changed, &sources),
        [],
        "the longest prefix counts: deep is in the wall"
    );
    changed.crates[0].rooms.swap(0, 1);
    assert!(
        kinds(&changed, &sources).contains(&Kind::Upward),
        "and now it is below the ground"
    );

    let mut changed = house.clone();
    changed.crates[0].least_rooms = 5;
    assert_eq!(kinds(&changed, &sources), [Kind::FewRooms]);

    let mut more = sources.clone();
    more.insert("small/src/attic.rs".into(), String::new());
    assert_eq!(
        kinds(&house, &more),
        [Kind::Modules],
        "a file that nobody declares"
    );

    let mut more = sources.clone();
    more.insert("small/tests/long.rs".into(), "\n".repeat(801));
    assert_eq!(kinds(&house, &more), [Kind::LongFile]);
    more.insert("small/tests/long.rs".into(), "\n".repeat(800));
    assert_eq!(kinds(&house, &more), []);
}

#[test]
fn a_module_at_another_path_keeps_its_room() {
    let mut sources = small_with("#[cfg(test)]\n#[path = \"../tests_of_deep.rs\"]\nmod tests;");
    sources.insert(
        "small/src/tests_of_deep.rs".into(),
        "use crate::roof::x;\n".into(),
    );
    let findings = judge(&small_house(), &sources);
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert_eq!(findings[0].kind, Kind::Upward);
    assert!(
        findings[0]
            .text
            .starts_with("small/src/tests_of_deep.rs:1: "),
        "{findings:?}"
    );
}

/// The small crate, and one below it in its folder.
fn two_floors() -> House {
    let mut house = small_house();
    let inner = Floor {
        name: "small-proof".into(),
        folder: "small/proof".into(),
        least_rooms: 0,
        rooms: Vec::new(),
        ..house.crates[0].clone()
    };
    house.crates.insert(0, inner);
    house
}

#[test]
fn a_crate_that_depends_upwards_is_found() {
    let kinds = |inner: &str| -> Vec<Kind> {
        let inner = format!("[package]\nname = \"small-proof\"\n{inner}");
        let outer = "[package]\nname = \"small\"\n[dependencies]\nsmall-proof.workspace = true\n";
        let manifests = [("small/proof", inner.as_str()), ("small", outer)]
            .map(|(folder, text)| (folder.to_string(), toml::from_str(text).unwrap()));
        let findings = judge_manifests(&two_floors(), &manifests.into());
        findings.into_iter().map(|finding| finding.kind).collect()
    };
    assert_eq!(kinds("[dependencies]\nsha2 = \"1\"\n"), []);
    assert_eq!(
        kinds("[dev-dependencies]\nrollbook-tests.workspace = true\n"),
        []
    );
    for up in [
        "[dependencies]\nsmall.workspace = true\n",
        "[build-dependencies.small]\nworkspace = true\n",
        "[dev-dependencies]\nsmall = { path = \"..\" }\n",
        "[dependencies]\nother = { package = \"small\", path = \"..\" }\n",
        "[target.'cfg(unix)'.dependencies]\nsmall.workspace = true\n",
    ] {
        assert_eq!(kinds(up), [Kind::Dependency], "{up}");
    }
    let stranger = [("small/new".to_string(), toml::Table::new())];
    assert_eq!(
        judge_manifests(&two_floors(), &stranger.into())[0].kind,
        Kind::Folder
    );
}

#[test]
fn a_second_path_for_a_thing_is_found() {
    let found = |file: &str, source: &str| {
        let sources = [(file.to_string(), source.to_string())].into();
        judge_reexports(&two_floors(), &sources).len()
    };
    let (root, module) = ("small/src/lib.rs", "small/src/wall.rs");
    assert_eq!(found(root, "pub use small_proof::codec;"), 1);
    assert_eq!(
        found(root, "pub use ::small_proof::{log::*, codec as words};"),
        2
    );
    assert_eq!(found(root, "pub(crate) use small_proof as proof;"), 1);
    assert_eq!(found(module, "pub mod deep { pub use small_proof::*; }"), 1);
    assert_eq!(
        found(
            module,
            "use small_proof::codec;\npub(crate) use small_proof::log;"
        ),
        0
    );
    assert_eq!(
        found(
            root,
            "// pub use small_proof::x;\npub use ground::small_proof;"
        ),
        0
    );
}
