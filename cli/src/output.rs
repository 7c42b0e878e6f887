//! Results on stdout, talk on stderr, progress. The one place of the program that writes to either.
//!
//! * A write that fails is never a panic and never an end in the middle of work: the first reason is
//!   kept, the work goes on, and [`ending`] turns it into the exit code (RULINGS A34). A reader that
//!   closed the pipe has read enough: the command ends quietly with the code of what it found. A
//!   full device is exit 5.
//! * For programs there are two forms of one value: JSON, and CSV with the JSON's field names
//!   ([`csv`]). [`print_json`] writes the one that was asked for, so a command
//!   that has JSON has CSV too.
//! * What others wrote is shown, not obeyed: characters that steer a terminal or hide are made
//!   visible (RULINGS A48).

pub mod csv;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rollbook_words::catalogue::t;
use rollbook_words::node::words;
use serde_json::{Value, json};

use crate::failure::{Failure, UNWRITTEN};
use crate::flags::Global;

/// What results are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// Sentences and tables, for people.
    People,
    /// `--json`.
    Json,
    /// `--csv`.
    Csv,
}

static FORM: AtomicU8 = AtomicU8::new(Form::People as u8);
/// Whether a result was printed already.
static PRINTED: AtomicBool = AtomicBool::new(false);
/// Why stdout takes no more.
static LOST: Mutex<Option<std::io::Error>> = Mutex::new(None);

/// The form that the words of a command line ask for, before they are parsed.
pub fn form_asked(arguments: impl Iterator<Item = OsString>) -> Form {
    let words: Vec<OsString> = arguments.skip(1).take_while(|word| word != "--").collect();
    let asked = |flag: &str| words.iter().any(|word| word == flag);
    match (asked("--json"), asked("--csv")) {
        (true, _) => Form::Json,
        (false, true) => Form::Csv,
        (false, false) => Form::People,
    }
}

/// Sets the form of this process.
pub fn set_form(form: Form) {
    FORM.store(form as u8, Ordering::Relaxed);
}

/// The form of this process.
pub fn form() -> Form {
    match FORM.load(Ordering::Relaxed) {
        form if form == Form::Json as u8 => Form::Json,
        form if form == Form::Csv as u8 => Form::Csv,
        _ => Form::People,
    }
}

/// Writes one line of talk to stderr. Talk that cannot be written is lost; the work is not.
pub fn say(line: impl AsRef<str>) {
    let line = format!("{}\n", visible(line.as_ref()));
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Asks on stderr, without an end of the line.
pub fn prompt(question: &str) {
    let mut stderr = std::io::stderr();
    let _ = stderr.write_all(format!("{}: ", visible(question)).as_bytes());
    let _ = stderr.flush();
}

/// Writes one result line to stdout.
pub fn print(line: impl AsRef<str>) {
    let line = format!("{}\n", visible(line.as_ref()));
    write(line.as_bytes());
}

/// Writes bytes of a result to stdout as they are. After the first failure nothing more is written.
pub fn write(bytes: &[u8]) {
    let mut lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    if lost.is_some() {
        return;
    }
    PRINTED.store(true, Ordering::Relaxed);
    let mut stdout = std::io::stdout().lock();
    *lost = stdout.write_all(bytes).and_then(|()| stdout.flush()).err();
}

/// Whether nobody reads any more: for a command that would go on for ever.
pub fn is_lost() -> bool {
    let lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    lost.is_some()
}

/// The exit code of a command that ended with `code`, after what became of its output.
pub fn ending(code: u8) -> u8 {
    let lost = LOST.lock().unwrap_or_else(PoisonError::into_inner).take();
    match lost {
        // Who closed the pipe has read what he wanted.
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            let done = match code {
                0 => t("output.done", &[]),
                code => t("output.ended", &[("code", code.to_string())]),
            };
            tell(
                &Failure::unwritten(t("output.lost", &[]))
                    .because(error)
                    .next(done),
            );
            UNWRITTEN
        }
        _ => code,
    }
}

/// A result as JSON or CSV, whichever was asked for.
pub fn print_json(value: &impl serde::Serialize) {
    let text = if form() == Form::Csv {
        serde_json::to_value(value).map(|value| csv::table(&value))
    } else {
        serde_json::to_string_pretty(value).map(|text| format!("{text}\n"))
    };
    match text {
        Ok(text) => write(text.as_bytes()),
        Err(error) => say(error.to_string()),
    }
}

/// A result that is one sentence for people and one object for programs.
pub fn result(sentence: impl AsRef<str>, object: Value) {
    match form() {
        Form::People => print(sentence),
        Form::Json | Form::Csv => print_json(&object),
    }
}

/// Tells a failure: on stderr in words, and with `--json` on stdout as one object. What a node or
/// the operating system said is translated here, wherever in a failure it stands.
pub fn tell(failure: &Failure) {
    let (what, why) = (words(&failure.what), failure.why.as_deref().map(words));
    let next = failure.next.as_deref().map(words);
    say(format!("{}: {what}", t("word.error", &[])));
    if let Some(why) = &why {
        say(format!("  {}: {why}", t("word.why", &[])));
    }
    if let Some(next) = &next {
        say(format!("\n{}: {next}", t("word.next", &[])));
    }
    if form() == Form::Json {
        let facts: serde_json::Map<String, Value> = failure
            .facts
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        let error = json!({ "error": {
            "code": failure.code, "exit": failure.exit, "what": what, "why": why, "next": next,
            "facts": facts,
        }});
        // After results, one object a line: whoever reads lines reads on.
        if PRINTED.load(Ordering::Relaxed) {
            write(format!("{error}\n").as_bytes());
        } else {
            print_json(&error);
        }
    }
}

/// Whether a character steers a terminal, turns the direction of text or cannot be seen.
fn hides(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Text with every such character written out, `\u{202e}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| -> String {
        if hides(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Text inside HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
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
    let bar = bar(0, &t(key, &[]));
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
    table.set_header(columns.iter().map(|key| t(key, &[])));
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
        if form() == Form::Csv {
            return write(csv::ordered(&self.columns, &self.rows).as_bytes());
        }
        if global.json {
            let object = |row: &Vec<String>| -> serde_json::Map<String, Value> {
                self.columns
                    .iter()
                    .zip(row)
                    .map(|(name, cell)| ((*name).to_owned(), cell.clone().into()))
                    .collect()
            };
            return print_json(&self.rows.iter().map(object).collect::<Vec<_>>());
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A name with an escape sequence cleared the reader's screen; one with a bidirectional
    /// override showed another amount than was signed.
    #[test]
    fn what_others_wrote_does_not_steer_the_terminal() {
        assert_eq!(
            visible("甬江轴承 Co., Ltd.\tA\nB"),
            "甬江轴承 Co., Ltd.\tA\nB"
        );
        assert_eq!(visible("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(visible("1\u{202e}00"), "1\\u{202e}00");
        assert_eq!(visible("a\rb\u{200b}"), "a\\u{d}b\\u{200b}");
    }
}
