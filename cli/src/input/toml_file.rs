//! TOML that a secretary writes, read so that every mistake is found in one go and has a line.
//!
//! A [`Section`] hands out its values by name and at the end reports what nobody asked for, with
//! the nearest known key.

use std::collections::BTreeSet;
use std::rc::Rc;

use rollbook_core::calendar::LocalDay;
use rollbook_proof::crypto::Hash;
use rollbook_words::dates::day;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Report, suggestion};

/// A parsed file.
pub struct TomlFile<'a> {
    name: Rc<str>,
    text: &'a str,
    table: DeTable<'a>,
}

impl<'a> TomlFile<'a> {
    /// Parses; a mistake of syntax is reported with its line.
    pub fn parse(name: Rc<str>, text: &'a str, report: &mut Report) -> Option<TomlFile<'a>> {
        match DeTable::parse(text) {
            Ok(table) => Some(TomlFile {
                name,
                text,
                table: table.into_inner(),
            }),
            Err(error) => {
                let line = error.span().map(|span| line_of(text, span.start));
                report.error(
                    &Place { file: name, line },
                    "toml-syntax",
                    &[("why", error.message().to_owned())],
                );
                None
            }
        }
    }

    /// The whole file as a section.
    pub fn root(&self) -> Section<'_> {
        Section {
            file: &self.name,
            text: self.text,
            path: String::new(),
            line: None,
            table: &self.table,
            known: BTreeSet::new(),
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(at)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// A table of a file.
pub struct Section<'a> {
    file: &'a Rc<str>,
    text: &'a str,
    path: String,
    line: Option<usize>,
    table: &'a DeTable<'a>,
    known: BTreeSet<String>,
}

/// A value with its name and line.
pub struct Entry<'a> {
    /// Where it stands.
    pub place: Place,
    /// The key.
    pub key: String,
    /// The value.
    pub value: &'a DeValue<'a>,
}

/// A whole number, if the value is one from 0 up.
pub fn whole_number(value: &DeValue) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

impl<'a> Section<'a> {
    /// Where the section begins.
    pub fn place(&self) -> Place {
        Place {
            file: self.file.clone(),
            line: self.line,
        }
    }

    fn place_of(&self, value: &Spanned<DeValue<'a>>) -> Place {
        Place {
            file: self.file.clone(),
            line: Some(line_of(self.text, value.span().start)),
        }
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn find(&mut self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.insert(key.to_owned());
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| value)
    }

    fn required(&mut self, key: &str, report: &mut Report) -> Option<&'a Spanned<DeValue<'a>>> {
        let found = self.find(key);
        if found.is_none() {
            report.error(&self.place(), "toml-missing", &[("key", self.name(key))]);
        }
        found
    }

    fn wrong(&self, value: &Spanned<DeValue<'a>>, key: &str, expected: &str, report: &mut Report) {
        let facts = [
            ("key", self.name(key)),
            (
                "expected",
                rollbook_words::catalogue::t(&format!("draft.expected.{expected}"), &[]),
            ),
        ];
        report.error(&self.place_of(value), "toml-type", &facts);
    }

    /// Every value of the section, in order of their names; all count as known.
    pub fn entries(&mut self) -> Vec<Entry<'a>> {
        self.known.extend(
            self.table
                .iter()
                .map(|(name, _)| name.get_ref().to_string()),
        );
        self.table
            .iter()
            .map(|(name, value)| Entry {
                place: Place {
                    file: self.file.clone(),
                    line: Some(line_of(self.text, name.span().start)),
                },
                key: name.get_ref().to_string(),
                value: value.get_ref(),
            })
            .collect()
    }

    /// A text that must be there, with its place.
    pub fn placed_string(&mut self, key: &str, report: &mut Report) -> Option<(Place, String)> {
        let value = self.required(key, report)?;
        match value.get_ref().as_str() {
            Some(text) => Some((self.place_of(value), text.to_owned())),
            None => {
                self.wrong(value, key, "text", report);
                None
            }
        }
    }

    /// A text that may be there, with its place.
    pub fn optional_string(&mut self, key: &str, report: &mut Report) -> Option<(Place, String)> {
        self.find(key)?;
        self.placed_string(key, report)
    }

    /// A text that must be exactly this.
    pub fn expect_string(&mut self, key: &str, expected: &str, report: &mut Report) -> Option<()> {
        let (place, text) = self.placed_string(key, report)?;
        if text == expected {
            return Some(());
        }
        report.error(
            &place,
            "toml-value",
            &[
                ("key", self.name(key)),
                ("found", text),
                ("expected", expected.to_owned()),
            ],
        );
        None
    }

    /// A number that must be exactly this.
    pub fn expect_number(&mut self, key: &str, expected: u32, report: &mut Report) -> Option<()> {
        let found = self.number(key, report)?;
        if found == expected {
            return Some(());
        }
        let facts = [
            ("key", self.name(key)),
            ("found", found.to_string()),
            ("expected", expected.to_string()),
        ];
        report.error(&self.place(), "toml-value", &facts);
        None
    }

    /// A number from 0 to 2^32 - 1 that must be there.
    pub fn number(&mut self, key: &str, report: &mut Report) -> Option<u32> {
        let value = self.required(key, report)?;
        let number = whole_number(value.get_ref()).and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            self.wrong(value, key, "number", report);
        }
        number
    }

    /// A number that may be there.
    pub fn optional_number(&mut self, key: &str, report: &mut Report) -> Option<u32> {
        self.find(key)?;
        self.number(key, report)
    }

    /// A list of numbers that must be there.
    pub fn numbers(&mut self, key: &str, report: &mut Report) -> Option<(Place, Vec<u32>)> {
        let value = self.required(key, report)?;
        let numbers = value.get_ref().as_array().and_then(|array| {
            array
                .iter()
                .map(|item| whole_number(item.get_ref()).and_then(|n| u32::try_from(n).ok()))
                .collect::<Option<Vec<_>>>()
        });
        if numbers.is_none() {
            self.wrong(value, key, "numbers", report);
        }
        Some((self.place_of(value), numbers?))
    }

    /// A list of texts that must be there.
    pub fn strings(&mut self, key: &str, report: &mut Report) -> Option<(Place, Vec<String>)> {
        let value = self.required(key, report)?;
        let texts = value.get_ref().as_array().and_then(|array| {
            array
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        });
        if texts.is_none() {
            self.wrong(value, key, "texts", report);
        }
        Some((self.place_of(value), texts?))
    }

    /// true or false, if it is there.
    pub fn flag(&mut self, key: &str, report: &mut Report) -> Option<bool> {
        let value = self.find(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(value, key, "flag", report);
        }
        flag
    }

    /// 64 hexadecimal digits that must be there.
    pub fn hash(&mut self, key: &str, report: &mut Report) -> Option<Hash> {
        let (place, text) = self.placed_string(key, report)?;
        let hash = Hash::from_hex(&text);
        if hash.is_none() {
            report.error(
                &place,
                "no-hash",
                &[("column", self.name(key)), ("found", text)],
            );
        }
        hash
    }

    /// A calendar date that must be there, as a day number. Both `"2023-06-28"` and a bare TOML
    /// date are read.
    pub fn date(&mut self, key: &str, report: &mut Report) -> Option<LocalDay> {
        let value = self.required(key, report)?;
        let text = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let day = day(&text);
        if day.is_none() {
            report.error(
                &self.place_of(value),
                "no-date",
                &[("column", self.name(key)), ("found", text)],
            );
        }
        day
    }

    /// A table that may be there.
    pub fn section(&mut self, key: &str, report: &mut Report) -> Option<Section<'a>> {
        let value = self.find(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, key, "table", report);
            return None;
        };
        Some(self.under(key, value, table))
    }

    /// A table that must be there.
    pub fn required_section(&mut self, key: &str, report: &mut Report) -> Option<Section<'a>> {
        self.required(key, report)?;
        self.section(key, report)
    }

    /// A list of tables; none if the key is missing.
    pub fn sections(&mut self, key: &str, report: &mut Report) -> Vec<Section<'a>> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(value, key, "tables", report);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(table) => sections.push(self.under(key, item, table)),
                None => self.wrong(item, key, "tables", report),
            }
        }
        sections
    }

    fn under(
        &self,
        key: &str,
        value: &Spanned<DeValue<'a>>,
        table: &'a DeTable<'a>,
    ) -> Section<'a> {
        Section {
            file: self.file,
            text: self.text,
            path: self.name(key),
            line: Some(line_of(self.text, value.span().start)),
            table,
            known: BTreeSet::new(),
        }
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, report: &mut Report) {
        for (name, _) in self.table.iter() {
            let key = name.get_ref().to_string();
            if !self.known.contains(&key) {
                let place = Place {
                    file: self.file.clone(),
                    line: Some(line_of(self.text, name.span().start)),
                };
                let near = suggestion(&key, self.known.iter().map(String::as_str));
                report.error(
                    &place,
                    "toml-unknown",
                    &[("key", self.name(&key)), ("near", near)],
                );
            }
        }
    }
}
