//! Talk, results, progress.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::flags::Global;

/// Writes one line of talk to stderr.
pub fn say(line: impl AsRef<str>) {
    eprintln!("{}", line.as_ref());
}

/// Writes one result line to stdout. A closed pipe ends the program quietly, as tools do.
pub fn print(line: impl AsRef<str>) {
    if writeln!(std::io::stdout(), "{}", line.as_ref()).is_err() {
        std::process::exit(0);
    }
}

/// Writes a result as JSON to stdout.
pub fn print_json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(text),
        Err(error) => say(error.to_string()),
    }
}

/// The word by which files, scripts and the catalogue know a variant of an enum: `members`, `primary`.
pub fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// A bar on stderr that appears only on a terminal and only if the work takes longer than a second.
pub fn bar(length: u64, what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {per_sec} {eta}")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}

/// A sign of life for work whose length is not known, from its second second on; gone when dropped.
pub struct Busy(ProgressBar);

impl Busy {
    /// A writer that counts what goes through it.
    pub fn counting<W: Write>(&self, out: W) -> impl Write + use<W> {
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {msg} {bytes} {bytes_per_sec} {elapsed}")
        {
            self.0.set_style(style);
        }
        self.0.wrap_write(out)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Begins it, on a terminal only; `key` is a sentence of the catalogue.
pub fn busy(key: &str) -> Busy {
    let bar = bar(0, &rollbook_words::catalogue::t(key, &[]));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    Busy(bar)
}

/// A table whose head comes from the catalogue; columns are as wide as their text, East Asian
/// characters counted as two.
pub fn table(columns: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(
        columns
            .iter()
            .map(|key| rollbook_words::catalogue::t(key, &[])),
    );
    table
}

/// A result with columns: a table for people, CSV with language-free heads (`--csv`), or a list of
/// objects (`--json`).
pub struct Rows {
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    /// No rows yet. Columns are language-free words; `column.WORD` of the catalogue is their head
    /// for people.
    pub fn new(columns: &[&'static str]) -> Rows {
        Rows {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, with a cell for every column.
    pub fn add(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints all of them as the flags ask.
    pub fn print(&self, global: &Global) {
        if global.json {
            let object = |row: &Vec<String>| -> serde_json::Map<String, serde_json::Value> {
                self.columns
                    .iter()
                    .zip(row)
                    .map(|(name, cell)| ((*name).to_owned(), cell.clone().into()))
                    .collect()
            };
            return print_json(&self.rows.iter().map(object).collect::<Vec<_>>());
        }
        if global.csv {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let written = writer.write_record(&self.columns).and_then(|()| {
                self.rows
                    .iter()
                    .try_for_each(|row| writer.write_record(row))
            });
            if let (Ok(()), Ok(bytes)) = (written, writer.into_inner()) {
                print(String::from_utf8_lossy(&bytes).trim_end());
            }
            return;
        }
        let keys: Vec<String> = self
            .columns
            .iter()
            .map(|name| format!("column.{name}"))
            .collect();
        let mut table = table(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        self.rows.iter().for_each(|row| {
            table.add_row(row.clone());
        });
        print(table.trim_fmt());
    }
}
