//! `genesis show --print PAGE`: what a founder agrees to, on paper, in both languages: every rule, who
//! holds what until when, how each company signs, what is missing.
//!
//! One HTML file without outside parts: it opens and prints anywhere. What comes from files is
//! escaped.

use rollbook_core::calendar::{LocalDay, format_instant};
use rollbook_core::charter::Charter;
use rollbook_core::genesis::{Genesis, GenesisItem};
use rollbook_core::identity::{Name, OrganisationEntry};
use rollbook_core::record::Record;
use rollbook_proof::log::Clock;
use rollbook_proof::number::LedgerTime;
use rollbook_words::catalogue::{Language, t_in};

use super::show::{approval, offset};
use crate::drafting::{explained, warnings};
use crate::keystore::card::role_code;
use crate::output::escape;

const BOTH: [Language; 2] = [Language::Chinese, Language::English];

/// A text in both languages, once if it is the same.
fn both(text: impl Fn(Language) -> String) -> String {
    let [chinese, english] = BOTH.map(text);
    pair(&chinese, &english)
}

fn pair(chinese: &str, english: &str) -> String {
    if chinese == english {
        escape(chinese)
    } else {
        format!("{}<br><i>{}</i>", escape(chinese), escape(english))
    }
}

fn label(key: &str) -> String {
    both(|language| t_in(language, key, &[]))
}

fn name(name: &Name) -> String {
    both(|language| match language {
        Language::Chinese => name.native.to_string(),
        Language::English => name.latin.to_string(),
    })
}

/// A page under construction: heads and tables.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, title: &str) {
        self.0 += &format!("</table>\n<h2>{title}</h2>\n<table>\n");
    }

    fn row(&mut self, cells: &[String]) {
        self.0 += "<tr>";
        for cell in cells {
            self.0 += &format!("<td>{cell}</td>");
        }
        self.0 += "</tr>\n";
    }
}

/// The page of a draft, or of a genesis with its founders' records.
pub fn render(genesis: &Genesis, found: Option<&[Record]>) -> String {
    let mut page = Page::default();
    let offset = offset(genesis);
    let day = |at: LedgerTime| LocalDay::of(at, offset).date().to_string();
    let mut title = String::new();
    for item in &genesis.items {
        if let GenesisItem::Charter { name, .. } = item {
            title = format!(
                "{} / {}",
                escape(name.native.as_str()),
                escape(name.latin.as_str())
            );
        }
    }
    let hash = genesis.hash().to_hex();
    page.row(&[label("page.genesis"), format!("<code>{hash}</code>")]);
    let opened = format_instant(genesis.opened_ms(), offset);
    page.row(&[label("genesis.page.opened"), escape(&opened)]);
    let state = both(|language| match found {
        Some(found) => {
            let count = [("count", found.len().to_string())];
            t_in(language, "genesis.founded", &count)
        }
        None => t_in(language, "genesis.is-draft", &[]),
    });
    page.row(&[label("genesis.page.state"), state]);
    if let Some(charter) = genesis.charter() {
        let text = format!("<code>{}</code>", charter.text.to_hex());
        page.row(&[label("genesis.page.text"), text]);
    }
    let noted = warnings::of(genesis, super::now(genesis));
    if !noted.is_empty() {
        page.head(&label("genesis.title.warnings"));
        for warning in &noted {
            page.row(&[both(|language| warning.text(language))]);
        }
    }
    if let Some(charter) = genesis.charter() {
        rules(&mut page, charter);
    }
    page.head(&label("genesis.title.offices"));
    for item in &genesis.items {
        if let GenesisItem::Office { entry, posts } = item {
            for post in posts {
                let role = format!("role.{}", role_code(post.role));
                let deputy = post
                    .deputy
                    .map_or(String::new(), |deputy| format!(" ({})", deputy.0));
                page.row(&[
                    name(&entry.name),
                    label(&role),
                    format!("{}{deputy}", post.holder.0),
                    day(post.until_ms),
                ]);
            }
        }
    }
    page.head(&label("genesis.title.board"));
    for item in &genesis.items {
        if let GenesisItem::Board(seats) = item {
            for seat in seats {
                let of = founder(genesis, seat.organisation.0);
                page.row(&[
                    seat.organisation.0.to_string(),
                    of.map_or(String::new(), |entry| name(&entry.name)),
                    day(seat.until_ms),
                ]);
            }
        }
    }
    page.head(&label("genesis.title.founders"));
    for entry in genesis.founders() {
        let identifiers: Vec<String> = entry
            .identifiers
            .iter()
            .map(|identifier| escape(&identifier.org_id()))
            .collect();
        let officers: Vec<String> = entry
            .officers
            .iter()
            .map(|officer| officer.person.0.to_string())
            .collect();
        page.row(&[
            entry.number.0.to_string(),
            name(&entry.name),
            identifiers.join("<br>"),
            officers.join(", "),
            both(|language| approval(entry, language)),
        ]);
    }
    page.head(&label("genesis.title.validators"));
    for validator in &genesis.policy.validators {
        let of = founder(genesis, validator.org.0);
        page.row(&[
            escape(validator.name.as_str()),
            of.map_or(String::new(), |entry| name(&entry.name)),
            escape(validator.url.as_str()),
        ]);
    }
    let sample = match genesis.clock() {
        Clock::Sample => format!("<p class=\"sample\">SAMPLE. {}</p>\n", label("page.sample")),
        Clock::Wall => String::new(),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <style>\n\
         @page {{ size: A4; margin: 18mm }}\nbody \
         {{ font: 10pt/1.5 \"Noto Serif CJK SC\", \"Songti SC\", SimSun, serif; \
         max-width: 174mm; margin: auto }}\n\
         h1 {{ font-size: 16pt }} h2 {{ font-size: 12pt; break-after: avoid }} \
         table {{ border-collapse: collapse; width: 100% }} tr {{ break-inside: avoid }} \
         td {{ border: 0.4pt solid #000; padding: 1.2mm; text-align: left; vertical-align: top; \
         overflow-wrap: break-word }}\n\
         code {{ font: 8pt monospace; overflow-wrap: anywhere }} \
         .sample {{ border: 1pt solid #000; padding: 2mm }}\n\
         </style></head><body>\n<h1>{title}</h1>\n{sample}<table>\n{rows}</table>\n</body></html>\n",
        rows = page.0,
    )
}

/// Every rule of the charter, in the order in which people look for it.
fn rules(page: &mut Page, charter: &Charter) {
    let [chinese, english] = BOTH.map(|language| explained::charter(charter, language));
    for (chinese, english) in chinese.into_iter().zip(english) {
        page.head(&pair(&chinese.title, &english.title));
        for (chinese, english) in chinese.rows.iter().zip(&english.rows) {
            page.row(&[pair(&chinese.0, &english.0), pair(&chinese.1, &english.1)]);
        }
    }
}

fn founder(genesis: &Genesis, number: u32) -> Option<&OrganisationEntry> {
    genesis.founders().find(|entry| entry.number.0 == number)
}
