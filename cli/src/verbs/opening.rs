//! Openings: content and salt behind a commitment, in one file of the person who committed (RULINGS
//! A15, R16).
//!
//! * Nothing confidential enters a record; a record carries the commitment. Whoever loses the file
//!   can never show what was meant, so it is on disk, 0600 and never overwritten, before anything
//!   is sent.
//! * A file is JSON: `kind`, `version`, `parts`; a part has its `scheme` (`content`, `application`,
//!   `review`, `draw`, `ballot`), the field it fills, the salt, the clear content, the commitment. Every part
//!   is recomputed when it is read.
//! * The later act (`application open`, `review reveal`, `review reveal-draw`, `motion reveal`, `payment release`)
//!   reads it with `--opening FILE` or `@FILE`.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use rollbook_core::account::Unit;
use rollbook_core::id::{CallId, DrawId, MotionId, PersonId, ReviewId};
use rollbook_core::identity::commitment;
use rollbook_core::record::{ApplicationContent, BallotVote, Scores, draw_commitment};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use super::known::Ledger;
use crate::encoding::{base64_bytes, base64_text};
use crate::failure::Failure;
use crate::files;

const KIND: &str = "rollbook-opening";
/// How the name of an opening's file ends.
const ENDING: &str = ".opening.json";
/// Largest content that is kept inside an opening.
const CONTENT_MAX: usize = 1024 * 1024;

/// One commitment, opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Part {
    /// A text or a document: reasons, grounds, a written comment, an account.
    Content {
        /// The field it fills.
        field: String,
        /// What stands in the record.
        commitment: Hash,
        /// The salt.
        salt: Hash,
        /// The content, if it is text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The content in base64, if it is not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
    },
    /// F06: a sealed application.
    Application {
        /// What stands in the record.
        commitment: Hash,
        /// The salt.
        salt: Hash,
        /// The call.
        call: u32,
        /// Who applies.
        applicant: u32,
        /// What is sealed.
        content: ApplicationContent,
    },
    /// F09: sealed scores.
    Review {
        /// What stands in the record.
        commitment: Hash,
        /// The salt.
        salt: Hash,
        /// The review.
        review: u32,
        /// The scores.
        scores: Scores,
        /// Commitment to the comment, itself a part of this file if it was sealed with the scores.
        comment: Hash,
    },
    /// R22: random bytes of a draw.
    Draw {
        /// What stands in the record.
        commitment: Hash,
        /// The bytes.
        secret: Hash,
        /// The draw.
        draw: u32,
        /// Its attempt.
        attempt: u32,
        /// Who commits.
        person: u32,
    },
    /// R31: a sealed ballot.
    Ballot {
        /// What stands in the record.
        commitment: Hash,
        /// The salt.
        salt: Hash,
        /// The motion.
        motion: u32,
        /// The round of ballots.
        round: u32,
        /// Whose voice it is.
        organisation: u32,
        /// What is sealed.
        vote: BallotVote,
        /// The criterion of a "no" to an admission.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        criterion: Option<String>,
    },
}

impl Part {
    /// What stands in the record.
    pub fn commitment(&self) -> Hash {
        match self {
            Part::Content { commitment, .. }
            | Part::Application { commitment, .. }
            | Part::Review { commitment, .. }
            | Part::Draw { commitment, .. }
            | Part::Ballot { commitment, .. } => *commitment,
        }
    }

    /// The commitment computed anew; none if the content is not readable.
    pub fn computed(&self) -> Option<Hash> {
        Some(match self {
            Part::Content {
                salt, text, base64, ..
            } => {
                let content = match (text, base64) {
                    (Some(text), None) => text.clone().into_bytes(),
                    (None, Some(text)) => base64_bytes(text).ok()?,
                    _ => return None,
                };
                commitment::content(&salt.0, &content)
            }
            Part::Application {
                salt,
                call,
                applicant,
                content,
                ..
            } => content.commitment(&salt.0, CallId(*call), OrganisationId(*applicant)),
            Part::Review {
                salt,
                review,
                scores,
                comment,
                ..
            } => scores.seal(&salt.0, ReviewId(*review), comment),
            Part::Draw {
                secret,
                draw,
                attempt,
                person,
                ..
            } => draw_commitment(DrawId(*draw), *attempt, PersonId(*person), &secret.0),
            Part::Ballot {
                salt,
                motion,
                round,
                organisation,
                vote,
                ..
            } => vote.commitment(
                &salt.0,
                MotionId(*motion),
                *round,
                OrganisationId(*organisation),
            ),
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    version: u32,
    /// For whoever finds the file.
    note: String,
    parts: Vec<Part>,
}

/// The parts of an opening; none if the bytes are no opening.
pub fn parts(bytes: &[u8]) -> Option<Vec<Part>> {
    let file: File = serde_json::from_slice(bytes).ok()?;
    (file.kind == KIND).then_some(file.parts)
}

/// What the arguments of one act rest on: who acts, documents named, contents sealed.
#[derive(Debug, Default)]
pub struct Reading {
    /// The organisation that acts.
    pub principal: u32,
    /// The officer who begins the record.
    pub person: u32,
    /// The charter's fixed offset from UTC.
    pub offset_minutes: i32,
    /// Who can be asked what the ledger knows; none without a node.
    pub ledger: Option<Rc<dyn Ledger>>,
    /// The unit of the act's amounts, once it is known.
    pub unit: Option<Unit>,
    /// What the ledger told, in words: what it is, and its text.
    pub words: Vec<(String, String)>,
    /// The folder from which `@FILE` is looked for: that of the file in which it stands; the working
    /// folder if this is empty.
    pub base: PathBuf,
    /// `--opening`: where contents are kept, or read from.
    pub opening: Option<PathBuf>,
    /// Where openings are kept that nobody names.
    pub folder: PathBuf,
    /// Documents that were hashed: file and hash.
    pub documents: Vec<(String, Hash)>,
    /// Contents sealed by this act.
    pub parts: Vec<Part>,
}

impl Reading {
    /// A reading for an organisation's officer.
    pub fn of(principal: u32, person: u32) -> Reading {
        Reading {
            principal,
            person,
            offset_minutes: rollbook_core::calendar::DEFAULT_OFFSET_MINUTES,
            ..Reading::default()
        }
    }

    /// Notes what the ledger told; `key` is the word for what it is.
    pub fn word(&mut self, key: &str, text: String) {
        self.words.push((t(key, &[]), text));
    }

    /// 64 hexadecimal digits, or the SHA-256 of `@FILE`; none if it is neither.
    pub fn document(&mut self, _field: &str, text: &str) -> Result<Option<String>, Failure> {
        let Some(file) = text.strip_prefix('@') else {
            return Ok(hex_hash(text));
        };
        let hash = sha256(&files::read(&self.base.join(file))?);
        self.documents.push((file.to_owned(), hash));
        Ok(Some(hash.to_hex()))
    }

    /// 64 hexadecimal digits; or `@FILE`: an opening made before, or a content that is sealed now
    /// with a fresh salt.
    pub fn sealed(&mut self, field: &str, text: &str) -> Result<Option<String>, Failure> {
        let Some(file) = text.strip_prefix('@') else {
            return Ok(hex_hash(text));
        };
        let path = self.base.join(file);
        let path = path.as_path();
        let bytes = files::read(path)?;
        if bytes.trim_ascii_start().starts_with(b"{")
            && serde_json::from_slice::<File>(&bytes).is_ok()
        {
            let parts = read(path)?;
            let contents: Vec<&Part> = parts
                .iter()
                .filter(|part| matches!(part, Part::Content { .. }))
                .collect();
            let same = contents
                .iter()
                .find(|part| matches!(part, Part::Content { field: other, .. } if other == field));
            let found = same.or(if contents.len() == 1 {
                contents.first()
            } else {
                None
            });
            let none = || {
                Failure::unusable(t(
                    "opening.no-part",
                    &[("file", file.to_owned()), ("what", field.replace('_', "-"))],
                ))
            };
            return found
                .map(|part| Some(part.commitment().to_hex()))
                .ok_or_else(none);
        }
        if bytes.len() > CONTENT_MAX {
            let facts = [
                ("file", file.to_owned()),
                ("size", bytes.len().to_string()),
                ("max", CONTENT_MAX.to_string()),
            ];
            return Err(
                Failure::unusable(t("opening.large", &facts)).next(t("opening.large-next", &[]))
            );
        }
        let salt = Hash(files::random()?);
        let commitment = commitment::content(&salt.0, &bytes);
        let (text, base64) = match String::from_utf8(bytes) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(base64_text(error.as_bytes()))),
        };
        self.parts.push(Part::Content {
            field: field.to_owned(),
            commitment,
            salt,
            text,
            base64,
        });
        Ok(Some(commitment.to_hex()))
    }

    /// The part of `--opening` that `wanted` selects.
    pub fn opened<T>(&self, what: &str, wanted: impl Fn(&Part) -> Option<T>) -> Result<T, Failure> {
        let Some(path) = &self.opening else {
            // What was sealed with this profile is found without being named.
            let missing = || {
                Failure::unusable(t("opening.missing", &[])).next(t("opening.missing-next", &[]))
            };
            let kept = kept(&self.folder).into_iter();
            let parts = kept.filter_map(|file| read(&file).ok()).flatten();
            let mut found = parts.filter_map(|part| wanted(&part));
            // Of several nobody but the reader knows which is meant.
            return match (found.next(), found.next()) {
                (Some(only), None) => Ok(only),
                _ => Err(missing()),
            };
        };
        let none = || {
            let facts = [
                ("file", path.display().to_string()),
                ("what", what.to_owned()),
            ];
            Failure::unusable(t("opening.no-part", &facts)).next(t("opening.no-part-next", &[]))
        };
        read(path)?.iter().find_map(wanted).ok_or_else(none)
    }

    /// Writes what was sealed, into `folder` unless `--opening` names a file; where. Nothing is
    /// written if nothing was sealed.
    pub fn keep(&self, verb: &str, folder: &Path) -> Result<Option<PathBuf>, Failure> {
        let Some(first) = self.parts.last() else {
            return Ok(None);
        };
        let usual = || {
            folder.join(format!(
                "{}.{}{ENDING}",
                verb.replace(' ', "-"),
                first.commitment().short()
            ))
        };
        let path = self.opening.clone().unwrap_or_else(usual);
        let file = File {
            kind: KIND.to_owned(),
            version: 1,
            note: t("opening.note", &[]),
            parts: self.parts.clone(),
        };
        let text = serde_json::to_vec_pretty(&file)
            .map_err(|error| Failure::unusable(verb).because(error))?;
        if self.opening.is_none() && !folder.as_os_str().is_empty() {
            files::make_folder(folder)?;
        }
        files::write_new(&path, &text, true)?;
        Ok(Some(path))
    }
}

/// The openings in a folder, the newest name last; none if there is no such folder.
pub fn kept(folder: &Path) -> Vec<PathBuf> {
    if folder.as_os_str().is_empty() {
        return Vec::new();
    }
    let mut openings = files::listed(folder).unwrap_or_default();
    openings.retain(|path| path.to_string_lossy().ends_with(ENDING));
    openings
}

/// 64 hexadecimal digits in lower case, if it is that.
pub fn hex_hash(text: &str) -> Option<String> {
    Hash::from_hex(text.trim()).map(|hash| hash.to_hex())
}

/// Reads an opening and recomputes every part.
pub fn read(path: &Path) -> Result<Vec<Part>, Failure> {
    let none = || {
        Failure::unusable(t(
            "opening.unreadable",
            &[("file", path.display().to_string())],
        ))
    };
    let file: File = serde_json::from_slice(&files::read(path)?)
        .map_err(|error| none().because(error).next(t("opening.no-part-next", &[])))?;
    if file.kind != KIND || file.version != 1 {
        return Err(none().because(format!("{} {}", file.kind, file.version)));
    }
    for part in &file.parts {
        if part.computed() != Some(part.commitment()) {
            let facts = [
                ("file", path.display().to_string()),
                ("commitment", part.commitment().to_hex()),
            ];
            return Err(
                Failure::refused(t("opening.differs", &facts)).next(t("opening.differs-next", &[]))
            );
        }
    }
    Ok(file.parts)
}
