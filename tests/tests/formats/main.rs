//! The tables of the formats page, made from the code (RULINGS A36): every encoded type with its
//! fields or variants in order, limits, tags, state tables with their paths, refusal codes. A type
//! that the page would leave unexplained fails.
//!
//! What else is held against the same sources: fixed words ([`words`], RULINGS A32), and the first rule
//! version of everything that a record can carry ([`since`], RULINGS A28).
//!
//! The sources of `core/proof` and `core` are read, not the compiled program: the order of fields and
//! what is said of them stand there. The page is `docs/formats-tables.md`, the same for programs
//! `docs/formats-tables.json`.

#![allow(clippy::unwrap_used, clippy::panic)]

mod page;
mod since;
mod source;
mod words;

use rollbook_tests::kept::{hold, hold_json};

use source::Sources;

#[test]
fn kept_format_tables() {
    let sources = Sources::read();
    let tables = page::Tables::of(&sources);
    hold("docs/formats-tables.md", page::render(&tables).as_bytes());
    hold_json("docs/formats-tables.json", &tables);
}

/// A page that names a type and does not say what it is would send its reader to the source.
#[test]
fn every_type_that_the_tables_name_is_explained() {
    let sources = Sources::read();
    let unexplained = sources.unexplained();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

/// The numbers on the page are those of the encoding.
#[test]
fn a_variant_has_the_number_that_its_encoding_begins_with() {
    use rollbook_core::refusal::NotCounted;
    use rollbook_proof::chain::{ReadClass, VoteKind};
    use rollbook_proof::codec::encode;
    let sources = Sources::read();
    let first = |bytes: Vec<u8>| u32::from_le_bytes(*bytes.first_chunk().unwrap());
    for (name, variant, number) in [
        ("NotCounted", "Recused", first(encode(&NotCounted::Recused))),
        ("ReadClass", "Members", first(encode(&ReadClass::Members))),
        ("VoteKind", "Precommit", first(encode(&VoteKind::Precommit))),
    ] {
        assert_eq!(
            sources.variant(name, variant),
            Some(number),
            "{name}::{variant}"
        );
    }
}
