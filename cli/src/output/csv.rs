//! Values as CSV: RFC 4180 with a byte order mark, so that a spreadsheet opens it as it is (RULINGS
//! A34, A48).
//!
//! * A list of objects is a table with a row for each; an object with `items` is the table of its
//!   items; any other value is one row. What stands beside `items` (who told it, whether it is a
//!   sample) is no part of the table.
//! * Columns are the JSON's field names. A field within a field is `terms.fund`; what `value` of a
//!   listed object holds stands without that word. Several plain values are one cell, with `; `
//!   between them; a list of objects is its JSON.
//! * A cell is one line, and none runs as a formula: text that begins as one gets an apostrophe.

use std::borrow::Cow;

use serde_json::Value;

/// The table of a value, with its head.
pub fn table(value: &Value) -> String {
    let items = value.get("items").unwrap_or(value);
    let rows: Vec<Vec<(String, String)>> = match items {
        Value::Array(items) => items.iter().map(row).collect(),
        one => vec![row(one)],
    };
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let mut text = "\u{feff}".to_owned();
    if columns.is_empty() {
        return text;
    }
    line(
        &mut text,
        columns.iter().map(|column| Cow::Borrowed(*column)),
    );
    for row in &rows {
        let cell = |column: &&str| {
            let found = row.iter().find(|(name, _)| name == column);
            found.map_or(Cow::Borrowed(""), |(_, cell)| Cow::Borrowed(cell.as_str()))
        };
        line(&mut text, columns.iter().map(cell));
    }
    text
}

/// A table whose columns have an order.
pub fn ordered(columns: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = "\u{feff}".to_owned();
    line(
        &mut text,
        columns.iter().map(|column| Cow::Borrowed(*column)),
    );
    for row in rows {
        line(&mut text, row.iter().map(|text| Cow::Owned(plain(text))));
    }
    text
}

fn line<'a>(text: &mut String, cells: impl Iterator<Item = Cow<'a, str>>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            text.push(',');
        }
        if cell.contains([',', '"']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

fn row(value: &Value) -> Vec<(String, String)> {
    let mut cells = Vec::new();
    flatten("", value, &mut cells);
    // The id is what one looks for first.
    if let Some(at) = cells.iter().position(|(name, _)| name == "id") {
        let id = cells.remove(at);
        cells.insert(0, id);
    }
    cells
}

fn flatten(path: &str, value: &Value, cells: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, inner) in fields {
                let under = match (path, name.as_str()) {
                    ("", "value") if inner.is_object() => String::new(),
                    ("", name) => name.to_owned(),
                    (path, name) => format!("{path}.{name}"),
                };
                flatten(&under, inner, cells);
            }
        }
        other => {
            let name = if path.is_empty() { "value" } else { path };
            cells.push((name.to_owned(), cell(other)));
        }
    }
}

/// One cell.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => plain(text),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_array() && !item.is_object()) =>
        {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map_or_else(|| item.to_string(), str::to_owned)
                })
                .collect();
            plain(&items.join("; "))
        }
        Value::Array(_) | Value::Object(_) => plain(&value.to_string()),
    }
}

/// Text on one line that no spreadsheet runs.
fn plain(text: &str) -> String {
    let line = super::visible(text)
        .replace('\n', "\\n")
        .replace('\t', "\\t");
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula && !is_number(text) {
        format!("'{line}")
    } else {
        line
    }
}

/// Whether text is a decimal number, `-1,250.00`.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let only = |text: &str, more: &[char]| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || more.contains(&c))
    };
    only(whole, &[',']) && only(part, &[])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_a_table_with_the_names_of_its_fields() {
        let list = json!({
            "from": "node 1", "sample": true,
            "items": [
                { "id": "P-0001", "key": "1", "value": { "amount": 5, "unit": { "name": "CNY" } } },
                { "id": "P-0002", "key": "2", "value": { "amount": -7, "held": [1, 2], "to": null } },
            ],
        });
        assert_eq!(
            table(&list),
            "\u{feff}id,key,amount,unit.name,held,to\r\nP-0001,1,5,CNY,,\r\nP-0002,2,-7,,1; 2,\r\n"
        );
        assert_eq!(table(&json!([])), "\u{feff}");
        assert_eq!(table(&json!({ "person": 7 })), "\u{feff}person\r\n7\r\n");
    }

    /// A company registered as `=HYPERLINK(..)` ran in the treasurer's spreadsheet.
    #[test]
    fn no_cell_runs_as_a_formula() {
        for (text, shown) in [
            ("=1+1", "'=1+1"),
            ("+86 574", "'+86 574"),
            ("-", "'-"),
            ("-12.50", "-12.50"),
            ("-1,250.00", "-1,250.00"),
            ("@sum", "'@sum"),
            ("\tx", "'\\tx"),
            ("\rx", "'\\u{d}x"),
            ("a\nb", "a\\nb"),
            ("x\u{202e}y", "x\\u{202e}y"),
            ("甬江", "甬江"),
        ] {
            assert_eq!(plain(text), shown);
        }
        let quoted = table(&json!([{ "name": "A, \"B\"" }]));
        assert_eq!(quoted, "\u{feff}name\r\n\"A, \"\"B\"\"\"\r\n");
    }
}
