//! `--print FILE`: an act on one A4 page, in both scripts, with what is needed to check it (RULINGS
//! R19).
//!
//! One HTML file without outside parts: it opens and prints anywhere. What comes from records is
//! escaped.

use std::path::Path;

use rollbook_client::client::Client;
use rollbook_core::account::Unit;
use rollbook_core::record::{Capacity, Record};
use rollbook_wire::judgement::Principal;
use rollbook_wire::next::Next;
use rollbook_wire::record::Place;
use rollbook_words::catalogue::{Language, speaking, t, t_in};
use rollbook_words::dates::time;

use super::next;
use crate::failure::Failure;
use crate::keystore::card::role_code;
use crate::objects;
use crate::output::escape;
use crate::shown::Shown;

/// Writes the page of a decided record. The names of the principal are as told by a node.
pub fn write(
    file: &Path,
    client: &Client,
    record: &Record,
    place: &Place,
    next: Option<&Next>,
) -> Result<(), Failure> {
    let judged = super::judge::rehearse(client, record).unwrap_or_default();
    let (principal, unit) = match judged {
        Some(judged) => (judged.principal, judged.unit),
        None => (None, None),
    };
    let html = render(record, place, next, (principal.as_ref(), unit.as_ref()));
    // The name was free when the act began, or `--force` was given.
    if crate::files::is_stdout(file) {
        crate::output::write(html.as_bytes());
        return Ok(());
    }
    crate::files::replace(file, html.as_bytes()).map_err(|failure| {
        let facts = [
            ("record", record.id().to_hex()),
            ("file", file.display().to_string()),
        ];
        Failure::unwritten(t("page.recorded-only", &facts))
            .because(failure)
            .next(t("page.recorded-only-next", &facts))
    })
}

/// A label in both languages.
fn both(key: &str) -> String {
    format!(
        "{} / {}",
        t_in(Language::Chinese, key, &[]),
        t_in(Language::English, key, &[])
    )
}

/// What a node says of the unit of an act, as far as it can be: the digits after the point are not the node's
/// to say, and an amount is never printed a hundred times as large.
fn unit_told(told: Option<&(String, u32)>) -> Option<Unit> {
    let unit = objects::unit_coded(told)?;
    told.filter(|(_, exponent)| *exponent == unit.exponent())
        .map(|_| unit)
}

/// What stands behind a value that nothing but a node's word is behind (RULINGS A48).
const AS_TOLD: &str = " *";

/// The page. The names of the principal, the unit of amounts and where the object stands are as told by a
/// node, and marked so.
pub fn render(
    record: &Record,
    place: &Place,
    next: Option<&Next>,
    (principal, unit): (Option<&Principal>, Option<&(String, u32)>),
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
    let about = next::deed_key(&payload.body);
    let deed = |language| t_in(language, &about, &[]);
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
        &format!(
            "{} / {}",
            number(place.height.map(|id| id.0)),
            number(place.leaf)
        ),
    );
    if let Some(ms) = place.time_ms {
        row(&both("page.time"), &format!("{}{AS_TOLD}", time(ms)));
    }
    let names = principal.map_or(["", ""], |principal| [&principal.native, &principal.latin]);
    let told = if principal.is_some() { AS_TOLD } else { "" };
    row(
        &both("page.principal"),
        &format!("{}  {}  {}{told}", payload.principal.0, names[0], names[1]),
    );
    let unit = unit_told(unit.or(next.and_then(|next| next.unit.as_ref())));
    let amount = |minor: i128| match (u64::try_from(minor), &unit) {
        (Ok(minor), Some(unit)) => {
            let text = money(minor, unit.code(), unit.exponent());
            format!("{text}{AS_TOLD}")
        }
        _ => {
            let facts = [("minor", minor.to_string())];
            let said = |language| t_in(language, "money.smallest", &facts);
            format!("{} / {}", said(Language::Chinese), said(Language::English))
        }
    };
    let mut fields = Vec::new();
    flatten(&[], &Shown::of(&payload.body), &amount, &mut fields);
    for (path, value) in &fields {
        row(&label(path), value);
    }
    if let Some(next) = next {
        let stands = |language| speaking(language, || next::sentence(next));
        row(
            &both("page.stands"),
            &format!(
                "{} / {}{AS_TOLD}",
                stands(Language::Chinese),
                stands(Language::English)
            ),
        );
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
            entry.officer.0,
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
         h1 {{ font-size: 16pt }} table {{ border-collapse: collapse; width: 100%; \
         table-layout: fixed }} th, td \
         {{ border: 0.4pt solid #000; padding: 1.5mm; \
         text-align: left; vertical-align: top; overflow-wrap: break-word }} th \
         {{ width: 30% ; font-weight: normal }}\n\
         .hex {{ font: 7.5pt monospace }} .sample {{ border: 1pt solid #000; padding: 2mm }} \
         footer {{ margin-top: 6mm; font-size: 8.5pt; overflow-wrap: break-word }}\n\
         </style></head><body>\n<h1>{title}</h1>\n{sample}<table>\n{rows}</table>\n\
         <h2>{signed}</h2>\n<table>\n\
         <tr><td>{person}</td><td>{role}</td><td>{key}</td><td>Ed25519</td></tr>\n\
         {signatures}</table>\n\
         <footer>{told}<br>{check}<br>{genesis}: {chain}<br><code>{verify}</code></footer>\n</body></html>\n",
        title = escape(&both("page.title")),
        signed = escape(&both("page.signatures")),
        person = escape(&both("page.person")),
        role = escape(&both("page.role")),
        key = escape(&both("page.key")),
        told = escape(&both("page.told")),
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

/// The name of a field in both languages: `金额 / amount`. The first two words of its path are the
/// act's, which stands above.
fn label(path: &[String]) -> String {
    let inner = path.get(2..).filter(|inner| !inner.is_empty());
    let inner = inner.unwrap_or(path);
    let name = |language| {
        let part = |part: &String| {
            let key = format!("field.{part}");
            let known = t_in(language, &key, &[]);
            if known == key {
                objects::plain(part)
            } else {
                known
            }
        };
        inner.iter().map(part).collect::<Vec<_>>().join(": ")
    };
    let (chinese, english) = (name(Language::Chinese), name(Language::English));
    if chinese == english {
        english
    } else {
        format!("{chinese} / {english}")
    }
}

/// Leaves of the act with their paths: `Payment`, `Approve`, `amount`.
fn flatten(
    path: &[String],
    value: &Shown,
    amount: &dyn Fn(i128) -> String,
    out: &mut Vec<(Vec<String>, String)>,
) {
    let under = |name: &str| -> Vec<String> {
        path.iter()
            .cloned()
            .chain(std::iter::once(name.to_owned()))
            .collect()
    };
    let word = |value: &Shown| match value {
        Shown::Amount(minor) => Some(amount(*minor)),
        Shown::Nothing => Some("–".to_owned()),
        Shown::List(_) | Shown::Fields(_) => None,
        value => objects::word("", value, None),
    };
    match value {
        Shown::Fields(fields) => fields
            .iter()
            .for_each(|(name, inner)| flatten(&under(name), inner, amount, out)),
        Shown::List(items) => match items.iter().map(word).collect::<Option<Vec<String>>>() {
            Some(words) => out.push((path.to_vec(), words.join(", "))),
            None => (1..)
                .zip(items)
                .for_each(|(at, inner)| flatten(&under(&at.to_string()), inner, amount, out)),
        },
        value => out.extend(word(value).map(|text| (path.to_vec(), text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page that a company stamps named its fields `Award.Draft.milestones.1.due_ms`.
    #[test]
    fn fields_have_names_in_both_languages() {
        let path = |text: &str| -> Vec<String> { text.split('.').map(str::to_owned).collect() };
        assert_eq!(
            label(&path("Award.Draft.milestones.1.due_ms"))
                .matches('_')
                .count(),
            0
        );
        assert_eq!(
            label(&path("Motion.Propose.organisation")),
            "机构 / organisation"
        );
        assert_eq!(objects::plain("GrantAward"), "grant award");
    }

    /// A node that said `CNY` has no digits after the point had an amount printed a hundred times as large.
    #[test]
    fn a_node_does_not_say_how_large_an_amount_is() {
        let told = |code: &str, exponent| unit_told(Some(&(code.to_owned(), exponent)));
        assert_eq!(told("CNY", 2).map(|unit| unit.exponent()), Some(2));
        assert_eq!(told("GPU-HOUR", 0).map(|unit| unit.exponent()), Some(0));
        for (code, exponent) in [("CNY", 0), ("JPY", 2), ("GPU-HOUR", 2), ("<b>", 0)] {
            assert!(told(code, exponent).is_none(), "{code} {exponent}");
        }
        assert!(unit_told(None).is_none());
    }

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
