//! Fixed words: what a value of an enum is called in facts, answers and documents (RULINGS A32).
//!
//! * A word is kebab-case. It enters signed answers, so it stays when code renames a variant; Debug
//!   output never stands for it.
//! * An enum has one table of words, made by [`words!`](crate::words). The table is matched in full:
//!   a new variant does not compile without its word.
//! * People read words through the message catalogue, by [`Word::TABLE`]; the suite `formats` holds
//!   that every word of every table has its text in both languages.

/// An enum whose values have fixed words.
pub trait Word {
    /// The table of the catalogue that holds the words for people, `role`, and with underscores the
    /// name of a fact that holds one. States of a kind of object are `state.<kind>`, and their facts
    /// are `status` or `state`, after the fact that numbers the object.
    const TABLE: &'static str;

    /// The word: `under-review`.
    fn word(&self) -> &'static str;
}

/// What can be a fact of a case: text without a language. A number is its digits, whatever its kind
/// looks like for people: the reader's message gives it its form.
pub trait Fact {
    /// The text.
    fn fact(&self) -> String;
}

impl<T: Fact + ?Sized> Fact for &T {
    fn fact(&self) -> String {
        (**self).fact()
    }
}

/// A fact that is not there is the word `none`.
impl<T: Fact> Fact for Option<T> {
    fn fact(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Fact::fact)
    }
}

/// Implements [`Word`] and [`Fact`] for an enum: its table in the catalogue, then a word for each
/// variant, whatever the variant holds.
#[macro_export]
macro_rules! words {
    ($type:ty, $table:literal, { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $crate::word::Word for $type {
            const TABLE: &'static str = $table;

            fn word(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $word),+
                }
            }
        }

        impl $crate::word::Fact for $type {
            fn fact(&self) -> String {
                $crate::word::Word::word(self).to_owned()
            }
        }
    };
}
