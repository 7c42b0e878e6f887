//! `members.csv`: one founding member a row, columns by name in any order, in any form that
//! [`crate::input::table`] reads.
//!
//! Lines that begin with `#` are remarks. Dates are `2023-06-20`; a list in a cell is separated by
//! `;`.

use std::collections::BTreeMap;
use std::rc::Rc;

use rollbook_core::identity::OrganisationKind;
use rollbook_core::object::direction::Direction;

use super::fields::OrganisationInput;
use super::{ReadFile, fields};
use crate::input::problem::{Place, Report, suggestion};
use crate::input::table::table;

/// The columns, required ones first.
pub const COLUMNS: [&str; 13] = [
    "number",
    "native",
    "latin",
    "country",
    "extract",
    "extract_date",
    "uscc",
    "lei",
    "other_identifiers",
    "directions",
    "related",
    "evidence",
    "approval",
];
const REQUIRED: usize = 6;

/// Reads the register. Rows with errors are reported and left out.
pub fn read(
    name: &str,
    bytes: &[u8],
    directions: Option<&[Direction]>,
    read: ReadFile,
    report: &mut Report,
) -> Vec<OrganisationInput> {
    let file: Rc<str> = name.into();
    let place = |line: Option<usize>| Place {
        file: file.clone(),
        line,
    };
    let table = match table(bytes) {
        Ok(table) => table,
        Err(why) => {
            report.error(&place(None), why.code(), &[]);
            report.lost(None);
            return Vec::new();
        }
    };
    let (headers, header_line) = (&table.head, table.head_line);
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, header) in headers.iter().enumerate() {
        match COLUMNS.iter().find(|column| *column == header) {
            Some(column) => {
                if at.insert(column, i).is_some() {
                    report.error(
                        &place(Some(header_line)),
                        "csv-column-twice",
                        &[("column", header.clone())],
                    );
                }
            }
            None => {
                let near = suggestion(header, COLUMNS);
                report.error(
                    &place(Some(header_line)),
                    "csv-column-unknown",
                    &[("column", header.clone()), ("near", near)],
                );
            }
        }
    }
    let missing: Vec<&str> = COLUMNS
        .iter()
        .take(REQUIRED)
        .filter(|column| !at.contains_key(*column))
        .copied()
        .collect();
    if !missing.is_empty() {
        report.error(
            &place(Some(header_line)),
            "csv-column-missing",
            &[("columns", missing.join(", "))],
        );
        report.lost(None);
        return Vec::new();
    }
    let mut members = Vec::new();
    for row in &table.rows {
        let place = place(Some(row.line));
        if row.cells.len() != headers.len() {
            let facts = [
                ("found", row.cells.len().to_string()),
                ("expected", headers.len().to_string()),
            ];
            report.error(&place, "csv-fields", &facts);
            let number = at.get("number").and_then(|i| row.cells.get(*i));
            if let Some(number) = number.and_then(|text| text.parse().ok()) {
                report.lost(Some(number));
            }
            continue;
        }
        let cell = |column: &str| {
            at.get(column)
                .and_then(|i| row.cells.get(*i))
                .map_or("", String::as_str)
        };
        match member(&place, &cell, directions, read, report) {
            Some(member) => members.push(member),
            // Nothing refers to a row whose number is none.
            None => {
                if let Ok(number) = cell("number").parse() {
                    report.lost(Some(number));
                }
            }
        }
    }
    members
}

fn member<'r>(
    place: &Place,
    cell: &dyn Fn(&str) -> &'r str,
    directions: Option<&[Direction]>,
    read: ReadFile,
    report: &mut Report,
) -> Option<OrganisationInput> {
    let number = cell("number")
        .parse::<u32>()
        .ok()
        .filter(|number| *number > 0);
    if number.is_none() {
        report.error(place, "number", &[("found", cell("number").to_owned())]);
    }
    let name = fields::name(place, cell("native"), cell("latin"), report);
    let mut identifiers = Vec::new();
    let before = report.errors.len();
    identifiers.extend(fields::identifier(place, "uscc", cell("uscc"), report));
    identifiers.extend(fields::identifier(place, "lei", cell("lei"), report));
    for part in fields::parts(cell("other_identifiers")) {
        identifiers.extend(fields::identifier(place, "other_identifiers", part, report));
    }
    if identifiers.is_empty() && report.errors.len() == before {
        report.error(place, "identifier-missing", &[]);
    }
    identifiers.sort();
    let country = fields::country(place, cell("country"), report);
    let extract = fields::hash(place, "extract", cell("extract"), read, report);
    let date = fields::date(place, "extract_date", cell("extract_date"), report);
    let directions = fields::directions(place, cell("directions"), directions, report);
    let relations = fields::relations(place, cell("related"), cell("evidence"), read, report);
    let policy = fields::approval(place, cell("approval"), report);
    Some(OrganisationInput {
        place: place.clone(),
        number: number?,
        kind: OrganisationKind::Company,
        name: name?,
        identifiers,
        country: country?,
        extract: (extract?, date?),
        relations,
        directions,
        policy: policy?,
    })
}
