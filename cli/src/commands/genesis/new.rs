//! `rollbook genesis new`: files for a secretary to begin with, each setting explained.

use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_core::calendar::{DEFAULT_OFFSET_MINUTES, LocalDay};
use rollbook_node::clock::real_ms;
use rollbook_proof::number::LedgerTime;
use rollbook_words::catalogue::{Language, language, t};

use super::{CARDS, SIGNATURES, typed};
use crate::failure::Failure;
use crate::files;
use crate::flags::Global;
use crate::output::{print, print_json, say};

/// `genesis new`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct New {
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Days of the first terms: of posts, and of seats, which end later so that not everything ends on
/// one day.
const TERM_DAYS: [u32; 2] = [700, 730];

/// Names and texts, in the reader's language.
fn templates() -> [(&'static str, &'static str); 4] {
    macro_rules! texts {
        ($language:literal) => {
            [
                (
                    "alliance.toml",
                    include_str!(concat!("../../../templates/", $language, "/alliance.toml")),
                ),
                (
                    "members.csv",
                    include_str!(concat!("../../../templates/", $language, "/members.csv")),
                ),
                (
                    "charter.md",
                    include_str!(concat!("../../../templates/", $language, "/charter.md")),
                ),
                (
                    "NEXT.md",
                    include_str!(concat!("../../../templates/", $language, "/NEXT.md")),
                ),
            ]
        };
    }
    match language() {
        Language::English => texts!("en"),
        Language::Chinese => texts!("zh"),
    }
}

/// The texts with the dates of a founding that begins today.
fn texts(today: LocalDay) -> Vec<(&'static str, String)> {
    let date = |day: LocalDay| day.date().to_string();
    let [posts, board] = TERM_DAYS.map(|days| date(today.plus(days)));
    templates()
        .into_iter()
        .map(|(name, text)| {
            let text = text
                .replace("@OPENED@", &date(today))
                .replace("@POSTS@", &posts)
                .replace("@BOARD@", &board);
            (name, text)
        })
        .collect()
}

/// Writes the files; nothing that is there already is touched.
pub fn run(global: &Global, flags: &New) -> Result<u8, Failure> {
    let folder = &flags.folder;
    let today = LocalDay::of(LedgerTime(real_ms()), DEFAULT_OFFSET_MINUTES);
    let texts = texts(today);
    if let Some((name, _)) = texts.iter().find(|(name, _)| folder.join(name).exists()) {
        let facts = [
            ("file", folder.join(name).display().to_string()),
            ("folder", typed(folder)),
        ];
        return Err(Failure::unusable(t("genesis.new-exists", &facts))
            .next(t("genesis.new-exists-next", &facts)));
    }
    let parts: [&Path; 3] = [Path::new(""), Path::new(CARDS), Path::new(SIGNATURES)];
    for part in parts {
        let folder = folder.join(part);
        std::fs::create_dir_all(&folder).map_err(|error| files::cannot_write(&folder, &error))?;
    }
    for (name, text) in &texts {
        files::write_new(&folder.join(name), text.as_bytes(), false)?;
    }
    if global.json {
        let names: Vec<_> = texts.iter().map(|(name, _)| folder.join(name)).collect();
        print_json(&serde_json::json!({ "folder": folder, "files": names }));
        return Ok(0);
    }
    for (name, _) in &texts {
        let facts = [("file", folder.join(name).display().to_string())];
        let what = name.split('.').next().unwrap_or(name).to_lowercase();
        print(t(&format!("genesis.new.{what}"), &facts));
    }
    let facts = [("folder", typed(folder))];
    say(format!("\n{}:", t("word.next", &[])));
    for step in ["fill", "rehearse", "draft"] {
        say(t(&format!("genesis.new-next.{step}"), &facts));
    }
    Ok(0)
}
