//! C2SP signed notes: a text, an empty line, signature lines; verifier keys and key ids.
//!
//! * Reading is strict: UTF-8, no control character but the line feed, canonical base64, at most
//!   [`LINES_READ`] signature lines. What is accepted renders to the same bytes again.
//! * Writing is narrower: at most [`LINES_WRITTEN`] lines, the number every verifier must accept.
//! * Two signature types: 0x01 signs the text, 0x04 signs `cosignature/v1`, `time N` and the text.
//!   A line does not say its type; name and key id together pick the key, and the key has the type.
//!
//! Absent on purpose: ECDSA (0x02) and ML-DSA (0x06); their verifier keys are refused, their lines
//! are unknown lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::crypto::{PublicKey, Signature, sha256_parts};

/// Most signature lines written: the number every verifier must accept.
pub const LINES_WRITTEN: usize = 16;
/// Most signature lines read.
pub const LINES_READ: usize = 100;
/// Longest note read, in bytes: a text and a hundred lines with room for signatures we do not know.
pub const NOTE_MAX_BYTES: usize = 1024 * 1024;
/// Longest key name, in bytes.
pub const NAME_MAX_BYTES: usize = 255;
/// Largest cosignature time: the format's own limit, 2^63 - 1 seconds.
pub const TIME_MAX_S: u64 = i64::MAX as u64;

/// Why a note, a line or a verifier key is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// More than [`NOTE_MAX_BYTES`].
    #[error("a note of {0} bytes is too long")]
    TooLong(usize),
    /// Not UTF-8, or a control character.
    #[error("the note is not UTF-8 text without control characters")]
    Text,
    /// No empty line before the signatures, or no final line feed.
    #[error("the note is not a text, an empty line and signature lines")]
    Shape,
    /// A signature line is not `— name base64`.
    #[error("signature line {0} is not '— name base64'")]
    Line(usize),
    /// None, or more than the limit.
    #[error("{0} signature lines, 1 to {1} are allowed")]
    LineCount(usize, usize),
    /// Empty, too long, with a space or a plus sign.
    #[error("'{0}' cannot be the name of a key")]
    Name(String),
    /// Not `name+id+base64`.
    #[error("'{0}' is not a verifier key")]
    VerifierKey(String),
    /// A signature type other than 0x01 and 0x04.
    #[error("signature type 0x{0:02x} is not supported")]
    Type(u8),
    /// The id in the verifier key is not that of its name and key.
    #[error("the key id of '{0}' does not fit its name and key")]
    KeyId(String),
    /// The line is of another name or key id.
    #[error("the signature line is not of key '{0}'")]
    OtherKey(String),
    /// The signature of a known key does not verify.
    #[error("the signature of '{0}' does not verify")]
    Signature(String),
}

/// What a key signs in a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum KeyType {
    /// The text itself: the key of a serving log.
    Log = 0x01,
    /// The text with a header and a time: the key of a validator or a witness.
    Cosigner = 0x04,
}

/// A public key with the name it signs notes under; written as a C2SP `vkey`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifierKey {
    name: String,
    kind: KeyType,
    key: PublicKey,
}

/// Checks a key name: not empty, no Unicode space, no plus sign, no control character.
fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > NAME_MAX_BYTES || name.contains(bad) {
        return Err(NoteError::Name(name.chars().take(NAME_MAX_BYTES).collect()));
    }
    Ok(())
}

impl VerifierKey {
    /// Names a key.
    pub fn new(name: &str, kind: KeyType, key: PublicKey) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(VerifierKey {
            name: name.to_owned(),
            kind,
            key,
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The signature type.
    pub fn kind(&self) -> KeyType {
        self.kind
    }

    /// The public key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The key id: the first four bytes of SHA-256(name || 0x0A || type || key).
    pub fn id(&self) -> [u8; 4] {
        let hash = sha256_parts(&[
            self.name.as_bytes(),
            b"\n",
            &[self.kind as u8],
            self.key.bytes(),
        ])
        .0;
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Reads `name+id+base64(type || key)`; the id must be right.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let bad = || NoteError::VerifierKey(text.chars().take(NAME_MAX_BYTES).collect());
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(material)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        let material = BASE64.decode(material).map_err(|_| bad())?;
        let (kind, key) = material.split_first().ok_or_else(bad)?;
        let kind = match kind {
            0x01 => KeyType::Log,
            0x04 => KeyType::Cosigner,
            other => return Err(NoteError::Type(*other)),
        };
        let key = PublicKey::Ed25519(key.try_into().map_err(|_| bad())?);
        let parsed = VerifierKey::new(name, kind, key)?;
        if hex::encode(parsed.id()) != id {
            return Err(NoteError::KeyId(name.to_owned()));
        }
        Ok(parsed)
    }

    /// The bytes under this key's signature of `text`; `time_s` counts for cosigners only.
    pub fn sign_bytes(kind: KeyType, text: &str, time_s: u64) -> Vec<u8> {
        match kind {
            KeyType::Log => text.as_bytes().to_vec(),
            KeyType::Cosigner => format!("cosignature/v1\ntime {time_s}\n{text}").into_bytes(),
        }
    }

    /// Verifies a line of this key over `text`. Returns the cosignature's time in seconds, 0 for a
    /// log signature.
    pub fn verify(&self, text: &str, line: &NoteLine) -> Result<u64, NoteError> {
        if !line.is_of(self) {
            return Err(NoteError::OtherKey(self.name.clone()));
        }
        let bad = || NoteError::Signature(self.name.clone());
        let (time_s, signature) = line.signature(self.kind).ok_or_else(bad)?;
        self.key
            .verify(&Self::sign_bytes(self.kind, text, time_s), &signature)
            .map_err(|_| bad())?;
        Ok(time_s)
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut material = vec![self.kind as u8];
        material.extend_from_slice(self.key.bytes());
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex::encode(self.id()),
            BASE64.encode(material)
        )
    }
}

impl serde::Serialize for VerifierKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

/// One signature line: a name, a key id, and bytes whose meaning depends on the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoteLine {
    name: String,
    id: [u8; 4],
    body: Vec<u8>,
}

impl NoteLine {
    /// The line of a log signature (type 0x01). `None` if the key is of the other type.
    pub fn log(key: &VerifierKey, signature: &Signature) -> Option<NoteLine> {
        let Signature::Ed25519(bytes) = signature;
        (key.kind == KeyType::Log).then(|| NoteLine {
            name: key.name.clone(),
            id: key.id(),
            body: bytes.to_vec(),
        })
    }

    /// The line of a cosignature (type 0x04). `None` if the key is of the other type.
    pub fn cosignature(key: &VerifierKey, time_s: u64, signature: &Signature) -> Option<NoteLine> {
        let Signature::Ed25519(bytes) = signature;
        (key.kind == KeyType::Cosigner).then(|| {
            let mut body = time_s.to_be_bytes().to_vec();
            body.extend_from_slice(bytes);
            NoteLine {
                name: key.name.clone(),
                id: key.id(),
                body,
            }
        })
    }

    /// The name in the line.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether name and key id are those of `key`. Says nothing about the signature.
    pub fn is_of(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.id == key.id()
    }

    /// The time (0 for a log signature) and the signature, read as one of `kind`; `None` if the
    /// length or the time does not fit.
    pub fn signature(&self, kind: KeyType) -> Option<(u64, Signature)> {
        let (time_s, signature) = match kind {
            KeyType::Log => (0, self.body.as_slice()),
            KeyType::Cosigner => {
                let (time, rest) = self.body.split_first_chunk::<8>()?;
                (u64::from_be_bytes(*time), rest)
            }
        };
        let signature = Signature::Ed25519(signature.try_into().ok()?);
        (time_s <= TIME_MAX_S).then_some((time_s, signature))
    }

    /// Reads one line without its line feed; `None` if it is not `— name base64` of at least five
    /// bytes.
    pub fn parse(line: &str) -> Option<NoteLine> {
        let (name, body) = line.strip_prefix("— ")?.split_once(' ')?;
        check_name(name).ok()?;
        let bytes = BASE64.decode(body).ok()?;
        let (id, body) = bytes.split_first_chunk::<4>()?;
        (!body.is_empty()).then(|| NoteLine {
            name: name.to_owned(),
            id: *id,
            body: body.to_vec(),
        })
    }
}

impl std::fmt::Display for NoteLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "— {} {}",
            self.name,
            BASE64.encode([self.id.as_slice(), &self.body].concat())
        )
    }
}

/// A text with signature lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    /// Ends with a line feed; the empty line before the signatures is no part of it.
    pub text: String,
    /// The signature lines in their order.
    pub lines: Vec<NoteLine>,
}

impl SignedNote {
    /// Reads a note. Nothing is verified.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_MAX_BYTES {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Text);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Shape)?;
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Shape)?;
        let count = signatures.split('\n').count();
        if count > LINES_READ {
            return Err(NoteError::LineCount(count, LINES_READ));
        }
        let lines = signatures
            .split('\n')
            .enumerate()
            .map(|(at, line)| NoteLine::parse(line).ok_or(NoteError::Line(at + 1)))
            .collect::<Result<_, _>>()?;
        Ok(SignedNote {
            text: format!("{text}\n"),
            lines,
        })
    }

    /// Writes the note: 1 to [`LINES_WRITTEN`] signature lines.
    pub fn render(&self) -> Result<String, NoteError> {
        if self.lines.is_empty() || self.lines.len() > LINES_WRITTEN {
            return Err(NoteError::LineCount(self.lines.len(), LINES_WRITTEN));
        }
        let mut note = format!("{}\n", self.text);
        for line in &self.lines {
            note.push_str(&line.to_string());
            note.push('\n');
        }
        Ok(note)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::Keypair;

    const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n— example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn example_of_the_specification_verifies() {
        let key = VerifierKey::parse(VKEY).unwrap();
        assert_eq!(key.to_string(), VKEY);
        let note = SignedNote::parse(NOTE.as_bytes()).unwrap();
        assert_eq!(note.text, "This is an example message.\n");
        assert_eq!(key.verify(&note.text, &note.lines[0]), Ok(0));
        assert_eq!(note.render().unwrap(), NOTE);
        assert_eq!(
            key.verify("This is an example message!\n", &note.lines[0]),
            Err(NoteError::Signature(key.name.clone()))
        );
    }

    #[test]
    fn refuses_what_is_not_a_note() {
        let line = "— a AAAAAAA=\n";
        for (bad, why) in [
            (String::new(), NoteError::Shape),
            ("text\n".into(), NoteError::Shape),
            ("text\n\n".into(), NoteError::Shape),
            (format!("text\n{line}"), NoteError::Shape),
            (format!("text\n\n{}", line.trim_end()), NoteError::Shape),
            (format!("text\r\n\n{line}"), NoteError::Text),
            ("text\n\n— a AAAAAAB=\n".into(), NoteError::Line(1)),
            ("text\n\n— a AAAAAAA\n".into(), NoteError::Line(1)),
            ("text\n\n— a AAAA\n".into(), NoteError::Line(1)),
            ("text\n\n— a+b AAAAAAA=\n".into(), NoteError::Line(1)),
            ("text\n\n—  AAAAAAA=\n".into(), NoteError::Line(1)),
            ("text\n\n— a\u{a0}b AAAAAAA=\n".into(), NoteError::Line(1)),
            ("text\n\n- a AAAAAAA=\n".into(), NoteError::Line(1)),
            (format!("text\n\n{line}x\n"), NoteError::Line(2)),
            (
                format!("text\n\n{}", line.repeat(101)),
                NoteError::LineCount(101, 100),
            ),
        ] {
            assert_eq!(SignedNote::parse(bad.as_bytes()), Err(why), "{bad:?}");
        }
        assert!(SignedNote::parse(b"t\xff\n\n").is_err());
        let hundred =
            SignedNote::parse(format!("text\n\n{}", line.repeat(100)).as_bytes()).unwrap();
        assert_eq!(hundred.render(), Err(NoteError::LineCount(100, 16)));
        let empty_lines = SignedNote::parse(format!("a\n\nb\n\n{line}").as_bytes()).unwrap();
        assert_eq!(empty_lines.text, "a\n\nb\n");
    }

    #[test]
    fn refuses_what_is_not_a_verifier_key() {
        for bad in [
            "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U",
            "example.com/foo+530d903a",
            "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "",
        ] {
            assert!(VerifierKey::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn types_do_not_mix() {
        let pair = Keypair::derive(b"note", "k");
        let log = VerifierKey::new("n", KeyType::Log, pair.public()).unwrap();
        let cosigner = VerifierKey::new("n", KeyType::Cosigner, pair.public()).unwrap();
        assert_ne!(log.id(), cosigner.id());
        let signature = pair.sign_tagged(b"text\n");
        assert!(NoteLine::cosignature(&log, 1, &signature).is_none());
        assert!(NoteLine::log(&cosigner, &signature).is_none());
        let line = NoteLine::log(&log, &signature).unwrap();
        assert_eq!(log.verify("text\n", &line), Ok(0));
        assert_eq!(
            cosigner.verify("text\n", &line),
            Err(NoteError::OtherKey("n".into()))
        );
        let late = pair.sign_tagged(&VerifierKey::sign_bytes(
            KeyType::Cosigner,
            "text\n",
            TIME_MAX_S + 1,
        ));
        let line = NoteLine::cosignature(&cosigner, TIME_MAX_S + 1, &late).unwrap();
        assert_eq!(
            cosigner.verify("text\n", &line),
            Err(NoteError::Signature("n".into()))
        );
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_again(text in "[ -~\n]{0,40}", name in "[!-*,-~]{1,20}", body in prop::collection::vec(any::<u8>(), 5..90)) {
            let line = format!("— {name} {}", BASE64.encode(&body));
            let note = format!("{text}\n\n{line}\n");
            let parsed = SignedNote::parse(note.as_bytes()).unwrap();
            prop_assert_eq!(parsed.render().unwrap(), note);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
            let _ = SignedNote::parse(&bytes);
            let _ = VerifierKey::parse(&text);
            let _ = NoteLine::parse(&text);
        }
    }
}
