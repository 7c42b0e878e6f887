//! XML from strangers, one element at a time.
//!
//! * No document type at all, so no entity can be declared: neither a bomb nor one that asks for
//!   another file. The five entities of XML and characters by number are read.
//! * A file has at most [`FILE_MAX`] bytes, one tag or text at most [`TOKEN_MAX`], elements stand in
//!   each other at most [`DEPTH_MAX`] deep: memory does not grow with the file.
//! * UTF-8 only. Comments and processing instructions are passed over.

use std::cell::Cell;
use std::io::{BufRead, Read};
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::fault::{Code, Fault};

/// Most bytes of one file: more than [`crate::statement::LINES_MAX`] lines of a talkative bank.
pub const FILE_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes of one tag or one text.
pub const TOKEN_MAX: u64 = 64 * 1024;
/// Most elements that stand in each other.
pub const DEPTH_MAX: usize = 32;
/// Most attributes of one tag. Each is compared with all before it, so that none stands there twice.
pub const ATTRIBUTES_MAX: usize = 16;

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// An element begins: its name without prefix, and the one attribute that statements have.
    Start {
        /// `Ntry`.
        name: String,
        /// `Ccy` of an amount.
        currency: Option<String>,
        /// The name space, where the element declares its own.
        space: Option<String>,
    },
    /// An element ends, with the text that stood in it directly.
    End {
        /// `Amt`.
        name: String,
        /// Its text, trimmed.
        text: String,
    },
}

/// A source that gives no more than was allowed since the last token.
struct Limited<R> {
    inner: R,
    token: Rc<Cell<u64>>,
    file: u64,
    /// Which limit was met.
    met: Rc<Cell<Option<Code>>>,
}

impl<R: BufRead> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let there = self.fill_buf()?;
        let count = there.len().min(into.len());
        into[..count].copy_from_slice(&there[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Limited<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let left = self.token.get().min(self.file);
        let there = self.inner.fill_buf()?;
        if left == 0 && !there.is_empty() {
            let code = if self.file == 0 {
                Code::TooLarge
            } else {
                Code::TooLong
            };
            self.met.set(Some(code));
            return Err(std::io::Error::other("limit"));
        }
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(there.len());
        Ok(&there[..count])
    }

    fn consume(&mut self, count: usize) {
        self.token
            .set(self.token.get().saturating_sub(count as u64));
        self.file = self.file.saturating_sub(count as u64);
        self.inner.consume(count);
    }
}

/// Walks through a document.
pub struct Walk<R: BufRead> {
    reader: Reader<Limited<R>>,
    token: Rc<Cell<u64>>,
    met: Rc<Cell<Option<Code>>>,
    buffer: Vec<u8>,
    /// Texts of the elements that are open, the innermost last.
    texts: Vec<String>,
    /// An element that is empty has ended.
    empty: Option<String>,
    /// The root has ended.
    done: bool,
}

impl<R: BufRead> Walk<R> {
    /// At the beginning of a document.
    pub fn new(source: R) -> Walk<R> {
        Walk::with_limit(source, FILE_MAX)
    }

    /// The same with another limit of bytes.
    pub fn with_limit(source: R, most: u64) -> Walk<R> {
        let token = Rc::new(Cell::new(TOKEN_MAX));
        let met = Rc::new(Cell::new(None));
        let limited = Limited {
            inner: source,
            token: Rc::clone(&token),
            file: most,
            met: Rc::clone(&met),
        };
        Walk {
            reader: Reader::from_reader(limited),
            token,
            met,
            buffer: Vec::new(),
            texts: Vec::new(),
            empty: None,
            done: false,
        }
    }

    /// The byte that comes next.
    pub fn place(&self) -> u64 {
        self.reader.buffer_position()
    }

    /// Where something is wrong.
    pub fn fault(&self, fault: Fault) -> Fault {
        fault.at(self.place())
    }

    /// What comes next; none at the end of the document.
    pub fn step(&mut self) -> Result<Option<Part>, Fault> {
        if let Some(name) = self.empty.take() {
            return self.ended(name).map(Some);
        }
        loop {
            self.token.set(TOKEN_MAX);
            self.buffer.clear();
            let read = self.reader.read_event_into(&mut self.buffer);
            let place = self.reader.buffer_position();
            let plain = |code| Fault::plain(code).at(place);
            let event = match read {
                Ok(event) => event,
                Err(quick_xml::Error::Io(error)) => {
                    return Err(match self.met.get() {
                        Some(code) => plain(code),
                        None => {
                            Fault::new(Code::Unreadable, [("why", error.to_string())]).at(place)
                        }
                    });
                }
                Err(error) => {
                    let why: String = error.to_string().chars().take(200).collect();
                    return Err(Fault::new(Code::NotXml, [("why", why)]).at(place));
                }
            };
            let outside = self.texts.is_empty();
            match event {
                Event::Start(start) => {
                    if self.done && outside {
                        return Err(plain(Code::NotXml));
                    }
                    if self.texts.len() >= DEPTH_MAX {
                        return Err(plain(Code::TooDeep));
                    }
                    let part = begun(&start).map_err(|fault| fault.at(place))?;
                    self.texts.push(String::new());
                    return Ok(Some(part));
                }
                Event::Empty(start) => {
                    if self.done && outside {
                        return Err(plain(Code::NotXml));
                    }
                    let part = begun(&start).map_err(|fault| fault.at(place))?;
                    self.empty = Some(start.local_name().as_ref().to_owned());
                    self.texts.push(String::new());
                    return Ok(Some(part));
                }
                Event::End(end) => {
                    let name = end.local_name().as_ref().to_owned();
                    return self.ended(name).map(Some);
                }
                Event::Text(text) => add(&mut self.texts, &text.xml10_content(), place)?,
                Event::CData(text) => add(&mut self.texts, &text.xml10_content(), place)?,
                Event::GeneralRef(name) => {
                    let c = resolved(&name).ok_or_else(|| plain(Code::Entity))?;
                    add(&mut self.texts, c.encode_utf8(&mut [0; 4]), place)?;
                }
                Event::Decl(declared) => {
                    let encoding = declared.encoding().transpose();
                    let encoding = encoding.map_err(|_| plain(Code::NotXml))?;
                    let known = encoding.is_none_or(|name| name.eq_ignore_ascii_case("utf-8"));
                    if !known {
                        return Err(plain(Code::Encoding));
                    }
                }
                Event::DocType(_) => return Err(plain(Code::DocType)),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof if !self.done => return Err(plain(Code::NotXml)),
                Event::Eof => return Ok(None),
            }
        }
    }

    fn ended(&mut self, name: String) -> Result<Part, Fault> {
        let text = self.texts.pop().ok_or_else(|| Fault::plain(Code::NotXml))?;
        self.done |= self.texts.is_empty();
        Ok(Part::End {
            name,
            text: text.trim().to_owned(),
        })
    }
}

/// Adds text to the element that is open.
fn add(texts: &mut [String], text: &str, place: u64) -> Result<(), Fault> {
    match texts.last_mut() {
        // Entities cut a text into pieces, each of which may be as long as a token.
        Some(open) if (open.len() + text.len()) as u64 <= TOKEN_MAX => open.push_str(text),
        Some(_) => return Err(Fault::plain(Code::TooLong).at(place)),
        None if text.trim_start_matches('\u{feff}').trim().is_empty() => {}
        None => return Err(Fault::plain(Code::NotXml).at(place)),
    }
    Ok(())
}

fn begun(start: &BytesStart<'_>) -> Result<Part, Fault> {
    let (mut currency, mut space) = (None, None);
    let name = start.name();
    let prefix = name.prefix().map(|prefix| prefix.as_ref().to_owned());
    let declares = prefix.map_or_else(|| "xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
    for (count, attribute) in start.attributes().enumerate() {
        if count >= ATTRIBUTES_MAX {
            return Err(Fault::plain(Code::TooLong));
        }
        let attribute =
            attribute.map_err(|error| Fault::new(Code::NotXml, [("why", error.to_string())]))?;
        let value: &str = &attribute.value;
        let key: &str = attribute.key.as_ref();
        if key == "Ccy" {
            currency = Some(value.to_owned());
        } else if key == declares {
            space = Some(value.to_owned());
        }
    }
    Ok(Part::Start {
        name: start.local_name().as_ref().to_owned(),
        currency,
        space,
    })
}

/// A character by its number, or one of the five entities that XML itself has.
fn resolved(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten();
    }
    match reference.xml10_content().as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Part>, Code> {
        let mut walk = Walk::with_limit(text.as_bytes(), 1_000_000);
        let mut parts = Vec::new();
        loop {
            match walk.step() {
                Ok(Some(part)) => parts.push(part),
                Ok(None) => return Ok(parts),
                Err(fault) => return Err(fault.code),
            }
        }
    }

    fn end(name: &str, text: &str) -> Part {
        Part::End {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn texts_amounts_and_entities() {
        let parts = all(
            "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n<x:A xmlns:x=\"urn:a\"><!-- b --><B Ccy='CNY'> 1 </B>\
             <C/><D>a &amp; b&#x4e2d;<![CDATA[<c>]]></D></x:A>\n",
        );
        let parts = parts.unwrap();
        assert_eq!(
            parts[0],
            Part::Start {
                name: "A".to_owned(),
                currency: None,
                space: Some("urn:a".to_owned()),
            }
        );
        assert_eq!(parts[2], end("B", "1"));
        assert_eq!(parts[4], end("C", ""));
        assert_eq!(parts[6], end("D", "a & b中<c>"));
        assert_eq!(parts.len(), 8);
    }

    /// The usual attacks on readers of XML.
    #[test]
    fn what_strangers_send() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>";
        assert_eq!(all(bomb), Err(Code::DocType));
        let file = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>";
        assert_eq!(all(file), Err(Code::DocType));
        assert_eq!(
            all("<!DOCTYPE a SYSTEM 'http://x/a.dtd'><a/>"),
            Err(Code::DocType)
        );
        assert_eq!(all("<a>&b;</a>"), Err(Code::Entity));
        assert_eq!(all("<a>&#0;</a>"), Err(Code::Entity));
        assert_eq!(all(&"<a>".repeat(100)), Err(Code::TooDeep));
        assert_eq!(
            all(&format!("<a>{}</a>", "x".repeat(70_000))),
            Err(Code::TooLong)
        );
        assert_eq!(
            all(&format!("<a {}", "x".repeat(70_000))),
            Err(Code::TooLong)
        );
        let attributes: String = (0..8_000).map(|n| format!(" a{n}=''")).collect();
        assert_eq!(all(&format!("<a{attributes}/>")), Err(Code::TooLong));
        assert_eq!(all("<a b='1' b='2'/>"), Err(Code::NotXml));
        let pieces = "x&amp;".repeat(40_000);
        assert_eq!(all(&format!("<a>{pieces}</a>")), Err(Code::TooLong));
        let large = format!("<a>{}</a>", "<b/>".repeat(300_000));
        assert_eq!(all(&large), Err(Code::TooLarge));
        for bad in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a",
            "PK\u{3}\u{4}",
        ] {
            assert_eq!(all(bad), Err(Code::NotXml), "{bad:?}");
        }
        assert_eq!(
            all("<?xml version='1.0' encoding='GBK'?><a/>"),
            Err(Code::Encoding)
        );
        let mut walk = Walk::new(&b"<a>\xff</a>"[..]);
        assert!((0..4).any(|_| walk.step().is_err()));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let mut walk = Walk::new(bytes.as_slice());
            while let Ok(Some(_)) = walk.step() {}
        }
    }
}
