//! `members.csv`: one founding member a row, columns by name in any order, UTF-8 with or without a
//! byte order mark.
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
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Err(error) = std::str::from_utf8(bytes) {
        let line = bytes
            .iter()
            .take(error.valid_up_to())
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        report.error(&place(Some(line)), "csv-not-utf8", &[]);
        report.lost(None);
        return Vec::new();
    }
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let headers: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(str::to_owned).collect(),
        Err(error) => {
            report.error(&place(None), "csv-syntax", &[("why", error.to_string())]);
            report.lost(None);
            return Vec::new();
        }
    };
    let mut lines = Lines::new(bytes);
    let header_line = lines.of(0);
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
    for row in reader.records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let line = error
                    .position()
                    .map(|position| lines.of(position.byte() as usize));
                report.error(&place(line), "csv-syntax", &[("why", error.to_string())]);
                report.lost(None);
                continue;
            }
        };
        let place = place(
            row.position()
                .map(|position| lines.of(position.byte() as usize)),
        );
        if row.len() != headers.len() {
            let facts = [
                ("found", row.len().to_string()),
                ("expected", headers.len().to_string()),
            ];
            report.error(&place, "csv-fields", &facts);
            let number = at.get("number").and_then(|i| row.get(*i));
            if let Some(number) = number.and_then(|text| text.parse().ok()) {
                report.lost(Some(number));
            }
            continue;
        }
        let cell = |column: &str| at.get(column).and_then(|i| row.get(*i)).unwrap_or("");
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

/// Line numbers of rows in ascending order. The reader's own count is one short in files with CR
/// LF, and a row's position may lie before the remarks and empty lines in front of it.
pub struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// At the beginning of a file.
    pub fn new(bytes: &[u8]) -> Lines<'_> {
        Lines {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The line of the row that begins at or after byte `start`.
    pub fn of(&mut self, start: usize) -> usize {
        while self.at < start {
            self.step();
        }
        // What is left of the line end before, remarks, empty lines.
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\r' | b'\n' => self.step(),
                b'#' => {
                    while self.bytes.get(self.at).is_some_and(|byte| *byte != b'\n') {
                        self.step();
                    }
                }
                _ => break,
            }
        }
        self.line
    }

    fn step(&mut self) {
        if self.bytes.get(self.at) == Some(&b'\n') {
            self.line += 1;
        }
        self.at += 1;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Line ends of every kind, remarks, empty lines, a quoted name over two lines: the row's own
    /// line is named.
    #[test]
    fn lines_are_those_of_the_file() {
        let head = "# a remark\nnumber,native,latin,country,extract,extract_date\n";
        let row = |n: &str| format!("{n},x,x,CN,{},2025-01-01\n", "ab".repeat(32));
        let text = format!(
            "{head}{}\n# another\n\n{}\"y\",\"a\nb\",x,CN,z,2025-01-01\n{}",
            row("?"),
            row("!"),
            row("%")
        );
        for text in [
            text.clone(),
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
        ] {
            let mut report = Report::default();
            let none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
            assert!(super::read("m.csv", text.as_bytes(), None, &none, &mut report).is_empty());
            let lines: Vec<_> = report
                .errors
                .iter()
                .filter(|problem| problem.code == "number")
                .map(|problem| problem.line)
                .collect();
            assert_eq!(lines, [Some(3), Some(7), Some(8), Some(10)], "{text:?}");
        }
    }
}
