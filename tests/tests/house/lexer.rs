//! A small lexer of Rust: enough to tell code from comments and from text.
//!
//! * Comments (line, block, nested block, documentation) give no token.
//! * String literals of every form give one [`Token::Text`]; numbers, character literals and
//!   lifetimes give [`Token::Other`].
//! * It accepts what the compiler accepts. What it makes of wrong Rust is not promised.

/// A piece of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// An identifier or a keyword; a raw identifier keeps its `r#`.
    Word(String),
    /// `::`
    Separator,
    /// Any other single sign.
    Sign(char),
    /// The inside of a string literal, escapes as they are written.
    Text(String),
    /// A number, a character literal or a lifetime.
    Other,
}

/// A token and the line it begins on, counted from 1.
#[derive(Debug, Clone)]
pub struct Lexed {
    pub token: Token,
    pub line: usize,
}

/// All tokens of a source file.
pub fn lex(source: &str) -> Vec<Lexed> {
    let mut lexer = Lexer {
        signs: source.chars().collect(),
        at: 0,
        line: 1,
        tokens: Vec::new(),
    };
    while lexer.at < lexer.signs.len() {
        lexer.next();
    }
    lexer.tokens
}

struct Lexer {
    signs: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Lexed>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.signs.get(self.at + ahead).copied()
    }

    /// Takes one sign and counts lines.
    fn take(&mut self) -> Option<char> {
        let sign = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(sign == '\n');
        Some(sign)
    }

    fn push(&mut self, token: Token, line: usize) {
        self.tokens.push(Lexed { token, line });
    }

    fn next(&mut self) {
        let Some(sign) = self.peek(0) else { return };
        let line = self.line;
        match (sign, self.peek(1)) {
            ('/', Some('/')) => self.line_comment(),
            ('/', Some('*')) => self.block_comment(),
            (':', Some(':')) => {
                self.at += 2;
                self.push(Token::Separator, line);
            }
            ('"', _) => self.text(line),
            ('\'', _) => self.character_or_lifetime(line),
            _ if sign.is_whitespace() => drop(self.take()),
            _ if sign.is_ascii_digit() => self.number(line),
            _ if starts_word(sign) => self.word(line),
            _ => {
                self.at += 1;
                self.push(Token::Sign(sign), line);
            }
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|sign| sign != '\n') {
            self.at += 1;
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.signs.len() {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => drop(self.take()),
            }
        }
    }

    /// A string literal with escapes; `at` stands on its opening quote.
    fn text(&mut self, line: usize) {
        self.take();
        let mut inside = String::new();
        while let Some(sign) = self.take() {
            match sign {
                '"' => break,
                '\\' => {
                    inside.push(sign);
                    inside.extend(self.take());
                }
                _ => inside.push(sign),
            }
        }
        self.push(Token::Text(inside), line);
    }

    /// A raw string literal; `at` stands on its first `#` or on its quote.
    fn raw_text(&mut self, line: usize) {
        let mut hashes = 0;
        while self.peek(0) == Some('#') {
            hashes += 1;
            self.at += 1;
        }
        self.take();
        let mut inside = String::new();
        while let Some(sign) = self.take() {
            if sign == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.at += hashes;
                break;
            }
            inside.push(sign);
        }
        self.push(Token::Text(inside), line);
    }

    /// `'a'` and `'\n'` are characters, `'a` is a lifetime; `at` stands on the quote.
    fn character_or_lifetime(&mut self, line: usize) {
        self.take();
        if self.peek(0) == Some('\\') {
            self.at += 2;
            while self.take().is_some_and(|sign| sign != '\'') {}
        } else if self.peek(1) == Some('\'') {
            self.take();
            self.take();
        } else {
            while self.peek(0).is_some_and(in_word) {
                self.at += 1;
            }
        }
        self.push(Token::Other, line);
    }

    /// Digits with their suffix and at most one point; `1..2` and `1.max(2)` keep their points.
    fn number(&mut self, line: usize) {
        while self.peek(0).is_some_and(in_word) {
            self.at += 1;
        }
        if self.peek(0) == Some('.') && self.peek(1).is_some_and(|sign| sign.is_ascii_digit()) {
            self.at += 1;
            while self.peek(0).is_some_and(in_word) {
                self.at += 1;
            }
        }
        self.push(Token::Other, line);
    }

    /// A word, or a literal with a prefix: `r"…"`, `br#"…"#`, `c"…"`, `b'…'`.
    fn word(&mut self, line: usize) {
        let mut word = String::new();
        while let Some(sign) = self.peek(0).filter(|sign| in_word(*sign)) {
            word.push(sign);
            self.at += 1;
        }
        match (word.as_str(), self.peek(0), self.peek(1)) {
            ("r" | "br" | "cr", Some('"'), _) => self.raw_text(line),
            ("r" | "br" | "cr", Some('#'), Some('#' | '"')) => self.raw_text(line),
            ("b" | "c", Some('"'), _) => self.text(line),
            ("b", Some('\''), _) => self.character_or_lifetime(line),
            ("r", Some('#'), Some(sign)) if starts_word(sign) => {
                word.push('#');
                self.at += 1;
                while let Some(sign) = self.peek(0).filter(|sign| in_word(*sign)) {
                    word.push(sign);
                    self.at += 1;
                }
                self.push(Token::Word(word), line);
            }
            _ => self.push(Token::Word(word), line),
        }
    }
}

fn starts_word(sign: char) -> bool {
    sign == '_' || sign.is_alphabetic()
}

fn in_word(sign: char) -> bool {
    sign == '_' || sign.is_alphanumeric()
}
