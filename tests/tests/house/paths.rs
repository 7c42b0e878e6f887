//! What one source file says about modules: the paths it writes and the modules it declares.
//!
//! Macro definitions and macro calls are read like any other code. A text inside an attribute that
//! is a path (`#[serde(with = "crate::hex")]`) counts as that path. `pub(in crate::room)` restricts
//! who may look in and imports nothing, so it is not taken.

use super::lexer::{Lexed, Token, lex};

/// A path with at least two segments, or the path of a `use`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its segments; the leading `$` of `$crate` and a trailing `self` or `*` are left out.
    pub segments: Vec<String>,
    /// The inline modules of the file that it stands in, from outside to inside.
    pub inside: Vec<String>,
    pub line: usize,
    pub way: Way,
}

/// How a path is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// In an expression, a type, a macro or an attribute.
    Plain,
    /// As a macro that is called by its bare name, which is the only segment.
    Called,
    /// By a `use` that brings `name` into scope.
    Named { name: String, shown: Shown },
    /// By a `use` of everything, `*`.
    Glob { shown: Shown },
}

/// Who sees what a `use` brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The module and what is below it.
    Private,
    /// `pub(crate)` and its like.
    Crate,
    /// `pub`
    Everybody,
}

/// A `mod` item.
#[derive(Debug, Clone)]
pub struct Declared {
    pub name: String,
    /// The inline modules around it.
    pub inside: Vec<String>,
    /// Has its body in this file.
    pub inline: bool,
    /// The value of its `#[path]`.
    pub path: Option<String>,
    pub line: usize,
}

/// What a file says.
#[derive(Debug, Default)]
pub struct Facts {
    pub written: Vec<Written>,
    pub declared: Vec<Declared>,
    /// Macros with `#[macro_export]`: their path is the crate's root, wherever they stand.
    pub exported_macros: Vec<String>,
}

/// Reads one file.
pub fn facts(source: &str) -> Facts {
    let mut reader = Reader {
        tokens: lex(source),
        facts: Facts::default(),
        inside: Vec::new(),
        depth: 0,
        attributes: Vec::new(),
    };
    let mut at = 0;
    while at < reader.tokens.len() {
        at = reader.step(at);
    }
    reader.facts
}

struct Reader {
    tokens: Vec<Lexed>,
    facts: Facts,
    /// The inline modules that are open, each with the depth of braces outside it.
    inside: Vec<(String, usize)>,
    depth: usize,
    /// The attributes before the item that comes, as token ranges.
    attributes: Vec<std::ops::Range<usize>>,
}

impl Reader {
    fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at).map(|lexed| &lexed.token)
    }

    fn before(&self, at: usize, back: usize) -> Option<&Token> {
        self.token(at.checked_sub(back)?)
    }

    fn word(&self, at: usize) -> Option<&str> {
        match self.token(at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn is_sign(&self, at: usize, sign: char) -> bool {
        self.token(at) == Some(&Token::Sign(sign))
    }

    fn open_modules(&self) -> Vec<String> {
        self.inside.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Reads what begins at a token; the token after it.
    fn step(&mut self, at: usize) -> usize {
        match self.token(at) {
            Some(Token::Sign('#')) => return self.attribute(at),
            Some(Token::Sign('{')) => {
                self.depth += 1;
                self.attributes.clear();
            }
            Some(Token::Sign('}')) => {
                self.depth = self.depth.saturating_sub(1);
                if self
                    .inside
                    .last()
                    .is_some_and(|(_, outside)| *outside == self.depth)
                {
                    self.inside.pop();
                }
                self.attributes.clear();
            }
            Some(Token::Sign(';')) => self.attributes.clear(),
            Some(Token::Word(word)) => match word.as_str() {
                "mod" => return self.module(at),
                "use" => return self.import(at),
                "macro_rules" => self.macro_definition(at),
                _ => return self.plain(at),
            },
            _ => {}
        }
        at + 1
    }

    /// `#[…]` or `#![…]`: the paths in it, and texts in it that are paths.
    fn attribute(&mut self, at: usize) -> usize {
        let open = at + 1 + usize::from(self.is_sign(at + 1, '!'));
        if !self.is_sign(open, '[') {
            return at + 1;
        }
        let (mut end, mut depth) = (open, 0);
        while end < self.tokens.len() {
            match self.token(end) {
                Some(Token::Sign('[' | '(' | '{')) => depth += 1,
                Some(Token::Sign(']' | ')' | '}')) => depth -= 1,
                _ => {}
            }
            end += 1;
            if depth == 0 {
                break;
            }
        }
        let mut next = open;
        while next < end {
            let text = match self.token(next) {
                Some(Token::Text(text)) => path_in_text(text),
                _ => None,
            };
            match text {
                Some(segments) => {
                    let line = self.tokens[next].line;
                    self.write(segments, line, Way::Plain);
                    next += 1;
                }
                None if self.word(next).is_some() => next = self.plain(next),
                None => next += 1,
            }
        }
        self.attributes.push(open..end);
        end
    }

    fn write(&mut self, segments: Vec<String>, line: usize, way: Way) {
        let inside = self.open_modules();
        self.facts.written.push(Written {
            segments,
            inside,
            line,
            way,
        });
    }

    /// A path outside `use`: taken when it has two segments and begins here.
    fn plain(&mut self, at: usize) -> usize {
        let continues = matches!(
            self.before(at, 1),
            Some(Token::Separator | Token::Sign('.'))
        );
        let variable = self.before(at, 1) == Some(&Token::Sign('$'));
        let visibility = self.before(at, 1) == Some(&Token::Word("in".into()))
            && self.before(at, 2) == Some(&Token::Sign('('))
            && self.before(at, 3) == Some(&Token::Word("pub".into()));
        let mut segments = vec![self.word(at).unwrap_or_default().to_string()];
        let mut end = at + 1;
        while self.token(end) == Some(&Token::Separator)
            && let Some(word) = self.word(end + 1)
        {
            segments.push(word.to_string());
            end += 2;
        }
        let ours = segments[0] == "crate" || !variable;
        let opens = matches!(self.token(end + 1), Some(Token::Sign('(' | '[' | '{')));
        if segments.len() == 1 && !variable && !continues && self.is_sign(end, '!') && opens {
            self.write(segments, self.tokens[at].line, Way::Called);
            return end;
        }
        if segments.len() > 1 && ours && !continues && !visibility {
            self.write(segments, self.tokens[at].line, Way::Plain);
        }
        end
    }

    /// `mod name;` or `mod name { … }`.
    fn module(&mut self, at: usize) -> usize {
        let Some(name) = self.word(at + 1).map(str::to_string) else {
            return at + 1;
        };
        let inline = self.is_sign(at + 2, '{');
        if !inline && !self.is_sign(at + 2, ';') {
            return at + 1;
        }
        let path = self
            .attributes
            .iter()
            .find_map(|range| self.path_attribute(range.clone()));
        self.attributes.clear();
        self.facts.declared.push(Declared {
            name: name.clone(),
            inside: self.open_modules(),
            inline,
            path,
            line: self.tokens[at].line,
        });
        if inline {
            self.inside.push((name, self.depth));
            self.depth += 1;
        }
        at + 3
    }

    fn path_attribute(&self, range: std::ops::Range<usize>) -> Option<String> {
        let at = range.start + 1;
        match (
            self.word(at)?,
            self.is_sign(at + 1, '='),
            self.token(at + 2)?,
        ) {
            ("path", true, Token::Text(path)) => Some(path.clone()),
            _ => None,
        }
    }

    fn macro_definition(&mut self, at: usize) {
        let exported = self.attributes.iter().any(|range| {
            range
                .clone()
                .any(|token| self.word(token) == Some("macro_export"))
        });
        if exported
            && self.is_sign(at + 1, '!')
            && let Some(name) = self.word(at + 2)
        {
            let name = name.to_string();
            self.facts.exported_macros.push(name);
        }
    }

    /// `use …;`. What does not read as one (`impl Trait + use<'a>`, `use $path;`) is passed over.
    fn import(&mut self, at: usize) -> usize {
        let shown = match self.before(at, 1) {
            Some(Token::Word(word)) if word == "pub" => Shown::Everybody,
            Some(Token::Sign(')')) if self.restricted(at - 1) => Shown::Crate,
            _ => Shown::Private,
        };
        let mut found = Vec::new();
        match self.tree(at + 1, &[], shown, &mut found) {
            Some(end) if self.is_sign(end, ';') => {
                self.attributes.clear();
                for (segments, line, way) in found {
                    self.write(segments, line, way);
                }
                end + 1
            }
            _ => at + 1,
        }
    }

    /// A closing bracket ends `pub(…)`.
    fn restricted(&self, close: usize) -> bool {
        let open = (0..close).rev().find(|at| self.is_sign(*at, '('));
        open.is_some_and(|open| self.before(open, 1) == Some(&Token::Word("pub".into())))
    }

    /// One branch of a `use`; the token after it.
    fn tree(
        &self,
        mut at: usize,
        prefix: &[String],
        shown: Shown,
        found: &mut Vec<(Vec<String>, usize, Way)>,
    ) -> Option<usize> {
        let mut segments = prefix.to_vec();
        let line = self.tokens.get(at)?.line;
        if self.token(at) == Some(&Token::Separator) {
            at += 1;
        }
        loop {
            match self.token(at)? {
                Token::Sign('$') if self.word(at + 1) == Some("crate") => at += 1,
                Token::Sign('*') => {
                    found.push((segments, line, Way::Glob { shown }));
                    return Some(at + 1);
                }
                Token::Sign('{') => {
                    at += 1;
                    while !self.is_sign(at, '}') {
                        at = self.tree(at, &segments, shown, found)?;
                        if self.is_sign(at, ',') {
                            at += 1;
                        }
                    }
                    return Some(at + 1);
                }
                Token::Word(word) => {
                    segments.push(word.clone());
                    at += 1;
                    if self.token(at) == Some(&Token::Separator) {
                        at += 1;
                        continue;
                    }
                    if segments.len() > 1 && word == "self" {
                        segments.pop();
                    }
                    let mut name = segments.last()?.clone();
                    if self.word(at) == Some("as") {
                        name = self.word(at + 1)?.to_string();
                        at += 2;
                    }
                    found.push((segments, line, Way::Named { name, shown }));
                    return Some(at);
                }
                _ => return None,
            }
        }
    }
}

/// The segments of a text that is nothing but a path into this crate.
fn path_in_text(text: &str) -> Option<Vec<String>> {
    let segments: Vec<String> = text.split("::").map(str::to_string).collect();
    let ours = matches!(segments[0].as_str(), "crate" | "super" | "self");
    let words = segments.iter().all(|segment| {
        !segment.is_empty()
            && segment
                .chars()
                .all(|sign| sign == '_' || sign.is_alphanumeric())
    });
    (ours && words && segments.len() > 1).then_some(segments)
}
