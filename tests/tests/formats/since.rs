//! Everything that a record can carry says since which rule version it is there (RULINGS A28).

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Encoded, Shape, Sources};

/// Types by the name that the tables give them.
type Known<'a> = BTreeMap<&'a str, &'a Encoded>;

/// Names of the types that a type holds.
fn inside<'a>(known: &Known<'a>, encoded: &Encoded) -> BTreeSet<&'a str> {
    let kinds: Vec<&str> = match &encoded.shape {
        Shape::Struct(fields) => fields.iter().map(|field| field.kind.as_str()).collect(),
        Shape::Enum(variants) => variants
            .iter()
            .flat_map(|variant| &variant.fields)
            .map(|field| field.kind.as_str())
            .collect(),
        Shape::Same(kind) => vec![kind.as_str()],
    };
    let words = kinds
        .into_iter()
        .flat_map(|kind| kind.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')));
    words
        .filter_map(|word| known.get_key_value(word).map(|(name, _)| *name))
        .collect()
}

/// A type with everything that it can hold.
fn reachable<'a>(known: &Known<'a>, from: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        for next in inside(known, known[name]) {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}

/// The words of a part of a text that begin with a capital letter.
fn capital(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect()
}

#[test]
fn every_enum_that_a_record_can_carry_says_its_versions() {
    let sources = Sources::read();
    let known: Known<'_> = sources
        .types
        .values()
        .map(|encoded| (encoded.name.as_str(), encoded))
        .collect();
    let parts = sources
        .texts()
        .filter(|(module, _)| module.starts_with("record/since"))
        .map(|(_, text)| text.split("\n#[cfg(test)]").next().unwrap());
    let text = parts.collect::<Vec<_>>().join("\n");
    let text = text.as_str();
    // `enum Tranche {` and `struct Part {` in the table, `Hash` among what is plain.
    let listed = |word: &str| -> BTreeSet<&str> {
        text.lines()
            .filter_map(|line| line.trim().strip_prefix(word)?.split([' ', '{']).next())
            .collect()
    };
    let (enums, structs) = (listed("enum "), listed("struct "));
    let by_hand = listed("impl Since for ");
    let at = text.find("\nplain!(").unwrap();
    let plain = capital(&text[at..at + text[at..].find(");").unwrap()]);
    assert!(enums.len() > 30 && structs.len() > 30 && plain.len() > 20);

    let mut wrong = Vec::new();
    let all = reachable(&known, "Record");
    assert!(all.len() > 100, "{all:?}");
    for name in all {
        let is_enum = |name: &str| matches!(known[name].shape, Shape::Enum(_));
        let last = name.rsplit('.').next().unwrap();
        let ok = if is_enum(name) {
            enums.contains(last)
        } else if plain.contains(last) {
            !reachable(&known, name).into_iter().any(is_enum)
        } else {
            structs.contains(last) || by_hand.contains(last)
        };
        if !ok {
            wrong.push(name);
        }
    }
    assert_eq!(wrong, Vec::<&str>::new(), "not in core/src/record/since.rs");
}
