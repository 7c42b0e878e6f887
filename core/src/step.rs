//! Steps: what moved in a block, from where to where, by which transition (RULINGS R26).
//!
//! * Every object with a table of transitions changes its state through one function of the
//!   transaction, which writes the step down: kind, which one, code, from, to.
//! * Steps leave `apply` beside the events of a block, in the order in which they were taken. They
//!   are output, not state: no table, digest or leaf holds them, and whoever executes a block has
//!   them.
//! * Postings go the same way: what each movement posted, by the row of the account table that it
//!   followed, so that every balance can be taken apart into the acts that made it.
//! * A record that is refused leaves neither.

use rollbook_proof::number::OrganisationId;

use crate::account::Posting;
use crate::id::{Id, PersonId};

/// Which object of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(untagged)]
pub enum Subject {
    /// The one with this number.
    Number(u32),
    /// The relation of two organisations with this number: (smaller, greater, number).
    Relation(u32, u32, u32),
    /// The key of a person with this number: (person, number of the key).
    Key(u32, u32),
}

impl<I: Id> From<I> for Subject {
    fn from(id: I) -> Subject {
        Subject::Number(id.number())
    }
}

impl From<(OrganisationId, OrganisationId, u32)> for Subject {
    fn from((a, b, number): (OrganisationId, OrganisationId, u32)) -> Subject {
        Subject::Relation(a.0, b.0, number)
    }
}

impl From<(PersonId, u32)> for Subject {
    fn from((person, key): (PersonId, u32)) -> Subject {
        Subject::Key(person.0, key)
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Subject::Number(number) => number.fmt(f),
            Subject::Relation(a, b, number) => write!(f, "{a}/{b}/{number}"),
            Subject::Key(person, key) => write!(f, "{person}/{key}"),
        }
    }
}

/// One step of one object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// The kind of object, as tables of transitions name it.
    pub kind: &'static str,
    /// Which one.
    pub subject: Subject,
    /// The transition's number in the rules, such as `M08`.
    pub code: &'static str,
    /// The state that it left; none for a new object.
    pub from: Option<&'static str>,
    /// The state that it came to. The same as `from` where a rule only shows that a time has passed.
    pub to: &'static str,
}

/// One posting of a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Posted {
    /// Name of the row that the movement followed ([`crate::account::table::ROWS`]).
    pub row: &'static str,
    /// From where to where, how much.
    pub posting: Posting,
}

/// Shows that a transaction moves the object and has written the step down. Nothing else can make
/// one.
#[derive(Debug)]
pub struct Moving(());

/// The steps of a block while it is executed, in the way of a table: those of a record join the
/// block's or vanish with it.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    /// Of what has applied.
    block: Vec<Step>,
    /// Of the record, deadline or item that is applying.
    record: Vec<Step>,
    /// Postings of what has applied.
    block_postings: Vec<Posted>,
    /// Postings of what is applying.
    record_postings: Vec<Posted>,
}

impl Steps {
    /// Writes a step down.
    pub(crate) fn push(&mut self, step: Step) -> Moving {
        self.record.push(step);
        Moving(())
    }

    /// Writes down what a movement posted.
    pub(crate) fn post(&mut self, row: &'static str, postings: &[Posting]) {
        let posted = postings.iter().map(|posting| Posted {
            row,
            posting: *posting,
        });
        self.record_postings.extend(posted);
    }

    /// How many steps the block has.
    pub(crate) fn taken(&self) -> usize {
        self.block.len()
    }

    /// How many postings the block has.
    pub(crate) fn posted(&self) -> usize {
        self.block_postings.len()
    }

    /// The steps and postings so far join the block's.
    pub(crate) fn keep_record(&mut self) {
        self.block.append(&mut self.record);
        self.block_postings.append(&mut self.record_postings);
    }

    /// The steps and postings since then vanish.
    pub(crate) fn drop_record(&mut self) {
        self.record.clear();
        self.record_postings.clear();
    }

    /// The block was not wanted.
    pub(crate) fn drop_block(&mut self) {
        self.drop_record();
        self.block.clear();
        self.block_postings.clear();
    }

    /// Moves the block's steps out.
    pub(crate) fn take(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.block)
    }

    /// Moves the block's postings out.
    pub(crate) fn take_postings(&mut self) -> Vec<Posted> {
        std::mem::take(&mut self.block_postings)
    }
}
