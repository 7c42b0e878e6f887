//! The page and its JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::source::{Encoded, Field, Limit, Shape, Sources, StateTable};

/// Everything on the page.
#[derive(Debug, serde::Serialize)]
pub struct Tables {
    /// Encoded types, by room.
    types: Vec<Encoded>,
    limits: Vec<Limit>,
    tags: Vec<String>,
    tables: Vec<StateTable>,
    /// Refusal codes with their English sentence.
    codes: BTreeMap<String, String>,
}

impl Tables {
    /// What the sources say.
    pub fn of(sources: &Sources) -> Tables {
        let mut types: Vec<Encoded> = sources.types.values().cloned().collect();
        types.sort_by(|a, b| (&a.room, &a.name).cmp(&(&b.room, &b.name)));
        let codes = sources.codes().into_iter().map(|code| {
            let sentence = rollbook_words::catalogue::find(&format!("rule.{code}"), &[]);
            (code, sentence.unwrap_or_default())
        });
        Tables {
            types,
            limits: sources.limits(),
            tags: sources.tags().into_iter().collect(),
            tables: sources.tables(),
            codes: codes.collect(),
        }
    }
}

/// A cell of a table: one line, without the mark that ends a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn fields(out: &mut String, fields: &[Field]) {
    out.push_str("| field | type | meaning |\n|---|---|---|\n");
    for field in fields {
        let (kind, meaning) = (cell(&field.kind), cell(&field.meaning));
        let _ = writeln!(out, "| {} | `{kind}` | {meaning} |", field.name);
    }
}

fn encoded(out: &mut String, one: &Encoded) {
    let _ = write!(out, "\n### {}\n\n{}", one.name, one.meaning);
    if let Some(most) = &one.at_most {
        let _ = write!(out, " At most `{most}` bytes.");
    }
    out.push_str("\n\n");
    match &one.shape {
        Shape::Same(kind) => {
            let _ = writeln!(out, "The bytes of `{kind}`.");
        }
        Shape::Struct(all) if all.is_empty() => out.push_str("No bytes.\n"),
        Shape::Struct(all) => fields(out, all),
        Shape::Enum(variants) => {
            out.push_str("| number | variant | content | meaning |\n|---|---|---|---|\n");
            for variant in variants {
                let content: Vec<String> = variant
                    .fields
                    .iter()
                    .map(|field| match field.name.parse::<u32>() {
                        Ok(_) => format!("`{}`", cell(&field.kind)),
                        Err(_) => format!("{} `{}`", field.name, cell(&field.kind)),
                    })
                    .collect();
                let _ = writeln!(
                    out,
                    "| {} | {} | {} | {} |",
                    variant.number,
                    variant.name,
                    content.join(", "),
                    cell(&variant.meaning)
                );
            }
        }
    }
}

/// The page.
pub fn render(tables: &Tables) -> String {
    let mut out = String::from(
        "# Tables of the formats\n\nMade from the code by a test (docs/contributing.md); docs/formats.md \
         explains the encoding and what the parts are for. `docs/formats-tables.json` says the same for \
         programs.\n\n\
         A type stands in the bytes as its fields, one after the other, in the order of its table; an enum \
         as its number (`u32`) and what the variant holds. `Text<N>` is text of at most N bytes, `Hash` 32 \
         bytes, `(A, B)` A and then B, `Vec<A>` and `Option<A>` as docs/formats.md says. A name with a \
         point in it tells two types of one name apart.\n",
    );
    out.push_str("\n## Types\n");
    for one in &tables.types {
        encoded(&mut out, one);
    }
    out.push_str(
        "\n## State tables\n\nA table with a path is proved: its row is the leaf of that path in the state \
         tree. The others are working tables.\n\n| number | table | key | value | path | holds |\n\
         |---|---|---|---|---|---|\n",
    );
    for table in &tables.tables {
        let path = table
            .path
            .as_ref()
            .map_or(String::new(), |path| format!("`{path}`"));
        let _ = writeln!(
            out,
            "| {} | {} | `{}` | `{}` | {path} | {} |",
            table.number,
            table.name,
            cell(&table.key),
            cell(&table.value),
            cell(&table.meaning)
        );
    }
    out.push_str("\n## Limits\n\n| name | value | of what |\n|---|---|---|\n");
    for limit in &tables.limits {
        let (value, meaning) = (cell(&limit.value), cell(&limit.meaning));
        let _ = writeln!(out, "| {} | `{value}` | {meaning} |", limit.name);
    }
    out.push_str("\n## Domain tags\n\n");
    for tag in &tables.tags {
        let _ = writeln!(out, "* `{tag}`");
    }
    out.push_str(
        "\n## Refusal codes\n\nBy rule. A sentence has its facts in braces.\n\n| code | sentence |\n|---|---|\n",
    );
    for (code, sentence) in &tables.codes {
        let _ = writeln!(out, "| `{code}` | {} |", cell(sentence));
    }
    out
}
