//! `--print FILE`: an act on one A4 page, in both scripts, with what is needed to check it (RULINGS
//! R19).
//!
//! One HTML file without outside parts: it opens and prints anywhere. What comes from records is
//! escaped.

use std::path::Path;

use rollbook_core::record::{Capacity, Record};
use rollbook_wire::judgement::Principal;
use rollbook_wire::next::Next;
use rollbook_wire::record::Place;
use rollbook_words::catalogue::{Language, t_in};
use rollbook_words::dates::instant_ms;
use serde_json::Value;

use super::next;
use crate::client::Client;
use crate::failure::Failure;
use crate::keystore::card::role_code;

/// Fields that are amounts of the act's unit.
const AMOUNTS: [&str; 6] = ["amount", "ask", "ask_max", "budget", "total", "advance"];

/// Writes the page of a decided record. The names of the principal are as told by a node.
pub fn write(
    file: &Path,
    client: &Client,
    record: &Record,
    place: &Place,
    next: Option<&Next>,
) -> Result<(), Failure> {
    let judged = super::judge::rehearse(client, record).unwrap_or_default();
    let principal = judged.and_then(|judged| judged.principal);
    let html = render(record, place, next, principal.as_ref());
    std::fs::write(file, html).map_err(|error| crate::files::cannot_write(file, &error))
}

/// Text inside HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A label in both languages.
fn both(key: &str) -> String {
    format!(
        "{} / {}",
        t_in(Language::Chinese, key, &[]),
        t_in(Language::English, key, &[])
    )
}

/// The page.
pub fn render(
    record: &Record,
    place: &Place,
    next: Option<&Next>,
    principal: Option<&Principal>,
) -> String {
    let id = record.id().to_hex();
    let mut rows = String::new();
    let mut row = |label: &str, value: &str| {
        rows += &format!(
            "<tr><th>{}</th><td>{}</td></tr>\n",
            escape(label),
            escape(value)
        );
    };
    let payload = &record.payload;
    let code = payload.body.code();
    let about = next::deed_key(record);
    let deed = |language| {
        let text = t_in(language, &about, &[]);
        text.strip_prefix(code)
            .map(|rest| rest.trim_start_matches([':', '：', ' ']).to_owned())
            .unwrap_or(text)
    };
    row(
        &both("page.act"),
        &format!("{} / {}", deed(Language::Chinese), deed(Language::English)),
    );
    row(&both("page.rule"), code);
    row(&both("page.record"), &id);
    let number =
        |told: Option<u64>| told.map_or_else(|| "–".to_owned(), |number| number.to_string());
    row(
        &both("page.place"),
        &format!("{} / {}", number(place.height), number(place.leaf)),
    );
    if let Some(ms) = place.time_ms {
        row(&both("page.time"), &instant_ms(ms));
    }
    let names = principal.map_or(["", ""], |principal| [&principal.native, &principal.latin]);
    row(
        &both("page.principal"),
        &format!("{}  {}  {}", payload.principal, names[0], names[1]),
    );
    let act = serde_json::to_value(&payload.body).unwrap_or_default();
    let mut fields = Vec::new();
    flatten("", &act, &mut fields);
    let unit = next.and_then(|next| next.unit.as_ref());
    for (name, value) in &fields {
        let last = name.rsplit('.').next().unwrap_or(name);
        let amount = value
            .parse::<u64>()
            .ok()
            .filter(|_| AMOUNTS.contains(&last));
        match (amount, unit) {
            (Some(minor), Some((unit, exponent))) => row(name, &money(minor, unit, *exponent)),
            _ => row(name, value),
        }
    }
    if let Some(next) = next {
        row(&both("page.stands"), &next::sentence(next));
    }
    let mut signatures = String::new();
    for entry in &record.signatures {
        let capacity = match entry.capacity {
            Capacity::Own(role) => {
                let key = format!("role.{}", role_code(role));
                both(&key)
            }
            Capacity::Delegation(number) => number.to_string(),
        };
        let rollbook_proof::crypto::Signature::Ed25519(bytes) = entry.signature;
        signatures += &format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"hex\">{}</td></tr>\n",
            entry.officer,
            escape(&capacity),
            entry.key,
            hex::encode(bytes)
        );
    }
    let sample = if place.sample {
        format!(
            "<p class=\"sample\">SAMPLE. {}</p>\n",
            escape(&both("page.sample"))
        )
    } else {
        String::new()
    };
    let chain = payload.chain.to_hex();
    let verify = format!("rollbook audit history.export --genesis {chain}");
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\"><title>{id}</title>\n\
         <style>\n\
         @page {{ size: A4; margin: 18mm }}\nbody \
         {{ font: 10.5pt/1.5 \"Noto Serif CJK SC\", \"Songti SC\", SimSun, serif; \
         max-width: 174mm; margin: auto }}\n\
         h1 {{ font-size: 16pt }} table {{ border-collapse: collapse; width: 100% }} th, td \
         {{ border: 0.4pt solid #000; padding: 1.5mm; \
         text-align: left; vertical-align: top; word-break: break-all }} th \
         {{ width: 30% ; font-weight: normal }}\n\
         .hex {{ font: 7.5pt monospace }} .sample {{ border: 1pt solid #000; padding: 2mm }} \
         footer {{ margin-top: 6mm; font-size: 8.5pt; word-break: break-all }}\n\
         </style></head><body>\n<h1>{title}</h1>\n{sample}<table>\n{rows}</table>\n\
         <h2>{signed}</h2>\n<table>\n\
         <tr><td>{person}</td><td>{role}</td><td>{key}</td><td>Ed25519</td></tr>\n\
         {signatures}</table>\n\
         <footer>{check}<br>{genesis}: {chain}<br><code>{verify}</code></footer>\n</body></html>\n",
        title = escape(&both("page.title")),
        signed = escape(&both("page.signatures")),
        person = escape(&both("page.person")),
        role = escape(&both("page.role")),
        key = escape(&both("page.key")),
        check = escape(&both("page.check")),
        genesis = escape(&both("page.genesis")),
    )
}

/// Grouping and unit; yuan also in Chinese capital form.
fn money(minor: u64, unit: &str, exponent: u32) -> String {
    let plain = format!(
        "{} {unit}",
        rollbook_words::amount::money(i128::from(minor), exponent)
    );
    if unit == "CNY" {
        format!("{plain}  {}", rollbook_words::capital::yuan(minor))
    } else {
        plain
    }
}

/// Leaves of the act with their paths: `Payment.Approve.amount`.
fn flatten(path: &str, value: &Value, out: &mut Vec<(String, String)>) {
    let under = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(name, inner)| flatten(&under(name), inner, out)),
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, inner)| flatten(&under(&(at + 1).to_string()), inner, out));
        }
        Value::Array(items) => {
            let words: Vec<String> = items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map_or_else(|| item.to_string(), str::to_owned)
                })
                .collect();
            out.push((path.to_owned(), words.join(", ")));
        }
        Value::String(text) => out.push((path.to_owned(), text.clone())),
        Value::Null => out.push((path.to_owned(), "–".to_owned())),
        other => out.push((path.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_others_is_text() {
        assert_eq!(escape("<b>\"&"), "&lt;b&gt;&quot;&amp;");
        assert_eq!(
            money(100_000_000, "CNY", 2),
            "1,000,000.00 CNY  人民币壹佰万元整"
        );
        assert_eq!(money(7, "GPU-HOUR", 0), "7 GPU-HOUR");
    }
}
