//! What can be wrong with a file of a bank.

/// Facts by their names, for the sentence.
pub type Facts = Vec<(&'static str, String)>;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $variant),+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$variant),+];

            /// Its word: the key of its sentence.
            pub fn word(self) -> &'static str {
                match self {
                    $(Code::$variant => $word),+
                }
            }
        }
    };
}

codes! {
    /// More bytes than a reader takes.
    TooLarge = "too-large",
    /// More lines than a statement may have.
    TooManyLines = "too-many-lines",
    /// A name, text or tag that is longer than any of a bank.
    TooLong = "too-long",
    /// Elements within elements, deeper than any statement.
    TooDeep = "too-deep",
    /// It cannot be read from where it is.
    Unreadable = "unreadable",
    /// No XML.
    NotXml = "not-xml",
    /// XML in another encoding than UTF-8.
    Encoding = "encoding",
    /// A document type: entities, external ones too.
    DocType = "doctype",
    /// An entity that XML itself does not have.
    Entity = "entity",
    /// Another document than a statement.
    NotCamt = "not-camt",
    /// A statement in a version that is not known.
    Version = "version",
    /// A document without a statement.
    NoStatement = "no-statement",
    /// No text in any encoding that is read.
    NotText = "not-text",
    /// A table without lines.
    NoLines = "no-lines",
    /// Something that every statement or line has is missing.
    Missing = "missing",
    /// An amount that is none.
    Amount = "amount",
    /// More decimals than the currency has.
    Decimals = "decimals",
    /// An amount beyond what can be counted.
    AmountTooLarge = "amount-too-large",
    /// A day that is none.
    Day = "day",
    /// Neither credit nor debit.
    Direction = "direction",
    /// The statement of another account.
    OtherAccount = "other-account",
    /// Another currency.
    OtherCurrency = "other-currency",
    /// The lines do not lead from the opening to the closing balance.
    Sum = "sum",
    /// The parts of an entry are not its amount.
    Parts = "parts",
    /// Days of the bank between this statement and the one before are missing.
    Gap = "gap",
    /// It begins before the first statement that was taken.
    Earlier = "earlier",
    /// It begins with another balance than the one before ended with.
    Opening = "opening",
    /// A line of a day that was taken before is different now, missing or new.
    Overlap = "overlap",
    /// A reference of the bank that another line has, with another amount or day.
    Reference = "reference",
    /// A map of columns that cannot be used.
    Map = "map",
    /// Two columns of the file have the name that the map names, or two fields name one column.
    TwoColumns = "two-columns",
    /// The file has no column of this name.
    NoColumn = "no-column",
    /// Characters that an instruction cannot carry, or too many of them.
    Character = "character",
    /// Nothing to instruct.
    NoPayments = "no-payments",
    /// A reference twice in one file of instructions.
    EndToEndTwice = "end-to-end-twice",
}

/// What is wrong with a file, with what, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub code: Code,
    /// With what.
    pub facts: Facts,
    /// Line of the table, counted from 1, or byte of the XML.
    pub at: Option<u64>,
}

impl Fault {
    /// A fault with its facts.
    pub fn new(code: Code, facts: impl IntoIterator<Item = (&'static str, String)>) -> Fault {
        Fault {
            code,
            facts: facts.into_iter().collect(),
            at: None,
        }
    }

    /// A fault without facts.
    pub fn plain(code: Code) -> Fault {
        Fault::new(code, [])
    }

    /// Says where, unless that is said already.
    pub fn at(mut self, place: u64) -> Fault {
        self.at = self.at.or(Some(place));
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code.word())?;
        for (name, value) in &self.facts {
            write!(f, " {name}={value}")?;
        }
        match self.at {
            Some(at) => write!(f, " at={at}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
