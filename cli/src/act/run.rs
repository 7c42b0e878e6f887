//! Runs: many acts of one file, so that a run that was killed loses no line and repeats none (RULINGS
//! A60).
//!
//! * A run is a folder of the profile. `run.json` says which file it is (SHA-256), which verb, for
//!   whom, and the act of every line; it is there before the first signature. `lines.jsonl` grows by a
//!   line for every record that was signed, before it is handed in, and for everything that became
//!   known of one.
//! * The same file with the same verb goes on with its run: what is in is shown and not repeated.
//!   `--again` begins a new run. Of a run that was finished it is asked first.
//! * A lock keeps two commands from one run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rollbook_core::record::{Body, Record};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, sha256, sha256_parts};
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use crate::encoding::{base64_bytes, base64_text};
use crate::failure::Failure;
use crate::files::{cannot_read, cannot_write, make_folder, open_lock, replace};
use crate::flags::Global;
use crate::output::say;
use crate::profile::Left;

const KIND: &str = "rollbook-run";
const HEAD: &str = "run.json";
const LINES: &str = "lines.jsonl";
const LOCK: &str = "lock";

/// What a run is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    kind: String,
    version: u32,
    /// The file as it was named.
    file: String,
    /// SHA-256 of its bytes.
    hash: Hash,
    /// The verb, `contribution pledge`.
    verb: String,
    /// The organisation that acts.
    principal: u32,
    /// Genesis hash.
    chain: Hash,
    /// SHA-256 of the act of each line, by line number.
    acts: BTreeMap<usize, Hash>,
}

/// What became known of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
enum Note {
    /// A record was signed and is about to be handed in.
    Signed { line: usize, record: String },
    /// It is in the log.
    Recorded {
        line: usize,
        record: Hash,
        height: u64,
    },
    /// It was refused, and the line may be made again.
    Refused { line: usize, record: Hash },
    /// All lines are in, and that was told.
    Finished,
}

/// A line of a run.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// The newest record of the line that was not refused.
    pub record: Option<Record>,
    /// The block, once that is known.
    pub height: Option<u64>,
}

/// A run that this command is at work on.
#[derive(Debug)]
pub struct Run {
    folder: PathBuf,
    lines: BTreeMap<usize, Made>,
    finished: bool,
    notes: File,
    _lock: File,
}

/// What a run is of: file, verb, for whom, in which alliance.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The file as it is named.
    pub file: &'a str,
    /// What else the lines are made of: flags that hold for every line.
    pub usual: &'a str,
    /// The verb.
    pub verb: &'a str,
    /// The organisation that acts.
    pub principal: u32,
    /// Genesis hash.
    pub chain: Hash,
}

/// The act of a line.
pub fn act_of(body: &Body) -> Hash {
    sha256(&encode(body))
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    move |error| cannot_write(path, &error)
}

impl Run {
    /// The run of a file, begun or gone on with; `again` begins a new one in any case.
    pub fn of(
        global: &Global,
        whose: Whose,
        bytes: &[u8],
        acts: &BTreeMap<usize, Hash>,
        again: bool,
    ) -> Result<Run, Failure> {
        let Whose {
            file,
            usual,
            verb,
            principal,
            chain,
        } = whose;
        let hash = sha256(bytes);
        let key = sha256_parts(&[
            &hash.0,
            &chain.0,
            &principal.to_le_bytes(),
            verb.as_bytes(),
            &[0],
            usual.as_bytes(),
        ]);
        let name: String = key.to_hex().chars().take(16).collect();
        let folder = Left::Runs.folder(global)?.join(name);
        make_folder(&folder)?;
        let lock = locked(&folder, file)?;
        let (head_file, notes_file) = (folder.join(HEAD), folder.join(LINES));
        let known = read_head(&head_file);
        let is_new = again || known.is_none();
        if is_new {
            // First the old notes go: a head without them is a run of which nothing was signed.
            match std::fs::remove_file(&notes_file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(cannot_write(&notes_file, &error));
                }
                _ => {}
            }
            let head = Head {
                kind: KIND.to_owned(),
                version: 1,
                file: file.to_owned(),
                hash,
                verb: verb.to_owned(),
                principal,
                chain,
                acts: acts.clone(),
            };
            let text = serde_json::to_vec_pretty(&head).unwrap_or_default();
            replace(&head_file, &text)?;
        }
        let (lines, finished) = read_notes(&notes_file, acts)?;
        let notes = File::options()
            .create(true)
            .append(true)
            .open(&notes_file)
            .map_err(failed(&notes_file))?;
        let run = Run {
            folder,
            lines,
            finished,
            notes,
            _lock: lock,
        };
        if !run.lines.is_empty() {
            let facts = [
                ("file", file.to_owned()),
                ("signed", run.lines.len().to_string()),
                ("lines", acts.len().to_string()),
            ];
            say(t("run.goes-on", &facts));
        }
        Ok(run)
    }

    /// Whether all lines were in when a command told of them.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// What is known of a line.
    pub fn line(&self, line: usize) -> Made {
        self.lines.get(&line).cloned().unwrap_or_default()
    }

    fn note(&mut self, notes: &[Note]) -> Result<(), Failure> {
        let mut text = String::new();
        for note in notes {
            // A line that a kill cut in two must not spoil the next one.
            text.push('\n');
            text.push_str(&serde_json::to_string(note).unwrap_or_default());
        }
        text.push('\n');
        let written = self
            .notes
            .write_all(text.as_bytes())
            .and_then(|()| self.notes.sync_data());
        written.map_err(failed(&self.folder.join(LINES)))
    }

    /// Keeps records that were signed; on disk when this returns, before they are handed in.
    pub fn signed(&mut self, records: &[(usize, Record)]) -> Result<(), Failure> {
        let note = |(line, record): &(usize, Record)| Note::Signed {
            line: *line,
            record: base64_text(encode(record)),
        };
        let notes: Vec<Note> = records.iter().map(note).collect();
        self.note(&notes)?;
        for (line, record) in records {
            let made = self.lines.entry(*line).or_default();
            (made.record, made.height) = (Some(record.clone()), None);
        }
        Ok(())
    }

    /// A line's record is in the log. What cannot be noted is asked for again another time.
    pub fn recorded(&mut self, line: usize, record: Hash, height: u64) {
        let noted = self.note(&[Note::Recorded {
            line,
            record,
            height,
        }]);
        drop(noted);
        if let Some(made) = self.lines.get_mut(&line) {
            made.height = Some(height);
        }
    }

    /// A line's record was refused.
    pub fn refused(&mut self, line: usize, record: Hash) {
        drop(self.note(&[Note::Refused { line, record }]));
        self.lines.remove(&line);
    }

    /// All lines are in, and that was told.
    pub fn finish(&mut self) {
        drop(self.note(&[Note::Finished]));
        self.finished = true;
    }
}

fn read_head(file: &Path) -> Option<Head> {
    let head: Head = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    (head.kind == KIND && head.version == 1).then_some(head)
}

/// What the notes say, and whether the run was finished. A note that a kill cut off counts for nothing:
/// what it was about was not handed in.
fn read_notes(
    file: &Path,
    acts: &BTreeMap<usize, Hash>,
) -> Result<(BTreeMap<usize, Made>, bool), Failure> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(cannot_read(file, &error)),
    };
    let (mut lines, mut finished) = (BTreeMap::<usize, Made>::new(), false);
    for text in bytes.split(|byte| *byte == b'\n') {
        let Ok(note) = serde_json::from_slice::<Note>(text) else {
            continue;
        };
        match note {
            Note::Signed { line, record } => {
                let bytes = base64_bytes(&record).unwrap_or_default();
                let Ok(record) = decode::<Record>(&bytes) else {
                    continue;
                };
                // A line is its act: nothing else can have been signed for it.
                if acts.contains_key(&line) {
                    lines.insert(
                        line,
                        Made {
                            record: Some(record),
                            height: None,
                        },
                    );
                }
            }
            Note::Recorded {
                line,
                record,
                height,
            } => {
                let made = lines.get_mut(&line);
                if let Some(made) = made.filter(|made| made.is(&record)) {
                    made.height = Some(height);
                }
            }
            Note::Refused { line, record } => {
                if lines.get(&line).is_some_and(|made| made.is(&record)) {
                    lines.remove(&line);
                }
            }
            Note::Finished => finished = true,
        }
    }
    Ok((lines, finished))
}

impl Made {
    fn is(&self, id: &Hash) -> bool {
        self.record
            .as_ref()
            .is_some_and(|record| record.id() == *id)
    }
}

fn locked(folder: &Path, file: &str) -> Result<File, Failure> {
    let path = folder.join(LOCK);
    let lock = open_lock(&path).map_err(failed(&path))?;
    lock.try_lock().map_err(|_| {
        let facts = [("file", file.to_owned())];
        Failure::refused(t("run.busy", &facts)).next(t("run.busy-next", &facts))
    })?;
    Ok(lock)
}

/// Tells of runs that were not finished and that no command is at work on.
pub fn tell_unfinished(global: &Global) {
    let Ok(place) = Left::Runs.place(global) else {
        return;
    };
    let mut folders: Vec<PathBuf> = std::fs::read_dir(place)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    for folder in folders {
        let Some(head) = read_head(&folder.join(HEAD)) else {
            continue;
        };
        let Ok((lines, finished)) = read_notes(&folder.join(LINES), &head.acts) else {
            continue;
        };
        let is_free = File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if finished || lines.is_empty() || !is_free {
            continue;
        }
        let known = lines.values().filter(|made| made.height.is_some()).count();
        let facts = [
            ("file", head.file),
            ("verb", head.verb),
            ("known", known.to_string()),
            ("lines", head.acts.len().to_string()),
        ];
        say(t("run.unfinished", &facts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_was_cut_off_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(LINES);
        let acts = BTreeMap::from([(2, Hash::ZERO)]);
        assert_eq!(read_notes(&file, &acts).unwrap().0.len(), 0);
        std::fs::write(
            &file,
            "\n{\"what\":\"signed\",\"line\":2,\"rec\n{\"what\":\"finished\"}\n",
        )
        .unwrap();
        let (lines, finished) = read_notes(&file, &acts).unwrap();
        assert!(lines.is_empty() && finished);
    }
}
