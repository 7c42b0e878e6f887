//! Components of the OpenAPI document for answers whose types stand in `rollbook-proof`, which an
//! auditor builds and which therefore knows no OpenAPI. A test holds each one to the type it
//! describes.

use utoipa::ToSchema;

use crate::problem::Problem;

/// What a node answered to a record, signed with its log key.
#[derive(ToSchema)]
pub struct SignedAnswer {
    /// The answer in words.
    pub answer: Answer,
    /// Its canonical bytes, hexadecimal: what is signed after the tag `rollbook/answer/v1` and a
    /// zero byte.
    pub statement: String,
    /// The node's log key.
    #[schema(value_type = Object)]
    pub key: (),
    /// By that key.
    #[schema(value_type = Object)]
    pub signature: (),
}

/// What a node answered to a record.
#[derive(ToSchema)]
pub struct Answer {
    /// Genesis hash, hexadecimal.
    pub chain: String,
    /// SHA-256 of the bytes handed in, which need not be a record.
    pub bytes: String,
    /// Record id; zero if the bytes are no record.
    pub record: String,
    /// Height of the tip when it was judged.
    pub height: u64,
    /// Ledger time by the node's clock, milliseconds since 1970.
    pub time_ms: u64,
    /// Organisation number of the node.
    pub node: u32,
    /// `seen`, or an object `refused` with the rule's code and named facts.
    #[schema(value_type = Object)]
    pub verdict: (),
}

/// What is answered to one record, or to several in their order.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum Handed {
    /// To one.
    One(SignedAnswer),
    /// To several: answers, and problems for those that were refused.
    Several(Vec<Each>),
}

/// The answer to one of several records.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum Each {
    /// It is held.
    Answer(SignedAnswer),
    /// It was refused.
    Problem(Problem),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rollbook_proof::answer::Verdict;
    use serde_json::Value;
    use utoipa::PartialSchema;

    use super::*;
    use crate::problem::tests::signed;

    fn names(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_components_have_the_fields_of_what_they_describe() {
        let written = serde_json::to_value(signed(Verdict::Seen)).unwrap();
        let described = serde_json::to_value(SignedAnswer::schema()).unwrap();
        assert_eq!(names(&written), names(&described["properties"]));
        let described = serde_json::to_value(Answer::schema()).unwrap();
        assert_eq!(names(&written["answer"]), names(&described["properties"]));
    }
}
