//! What a signed record would meet, before it is handed in. Fields stand by name.

use rollbook_core::id::PersonId;
use rollbook_core::identity::{ActClass, OrganisationKind};
use rollbook_core::next::MaySign;
use rollbook_core::record::Choice;
use rollbook_core::refusal::Outcome;
use rollbook_core::{presume, step};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, OrganisationId};
use serde::{Deserialize, Serialize};

use crate::next::Next;

/// `/v1/records/dry-run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Judgement {
    /// Whether it would be admitted.
    pub admissible: bool,
    /// Class of the act, under which the principal's policy counts signers.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub class: ActClass,
    /// The act by its number in the rules.
    pub code: String,
    /// Facts of the refusal: name and value.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Vec<String>>))]
    pub facts: Vec<(String, String)>,
    /// Height it was judged on.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Record id.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub id: Hash,
    /// Where the object of the act stands now, if the act names one.
    pub now: Option<Next>,
    /// What would come of it.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub outcome: Option<Outcome>,
    /// What would come of it if everybody had signed who has to; none for who could not learn it by
    /// signing, and from a node that does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presumed: Option<Presumed>,
    /// The principal, if there is one of that number.
    pub principal: Option<Principal>,
    /// The rule it breaks.
    pub rule: Option<String>,
    /// Whether this is a sample chain.
    pub sample: bool,
    /// Who signed: person numbers.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>))]
    pub signed: Vec<PersonId>,
    /// Who may sign for the principal now.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Object>))]
    pub signers: Vec<MaySign>,
    /// Code of the unit of the act's amounts, and digits after the point; absent if it is about no
    /// money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<Object>>))]
    pub unit: Option<(String, u32)>,
}

/// What a record would come to with all its signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Presumed {
    /// Facts of the refusal: name and value.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Vec<String>>))]
    pub facts: Vec<(String, String)>,
    /// What would come of it.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub outcome: Option<Outcome>,
    /// The ballot of the same voice that it would replace or that keeps it from counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaced>,
    /// The rule it breaks.
    pub rule: Option<String>,
    /// What it would move, in order.
    pub steps: Vec<Moved>,
    /// Who would have to sign besides: one way of perhaps several.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>))]
    pub with: Vec<PersonId>,
}

/// A ballot that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Replaced {
    /// What it says, if that is a plain choice: `yes`, `no`, `abstain`.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub choice: Option<Choice>,
    /// The officer who began it.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub officer: PersonId,
    /// Its record.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub record: Hash,
}

/// One step of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Moved {
    /// The transition's number in the rules.
    pub code: String,
    /// The state that it would leave; none for a new object.
    pub from: Option<String>,
    /// The kind of object.
    pub kind: String,
    /// Which one: a number, or two organisations and a number for a relation.
    pub subject: String,
    /// The state that it would come to.
    pub to: String,
}

impl From<presume::Presumed> for Presumed {
    fn from(presumed: presume::Presumed) -> Presumed {
        let refused = presumed.result.as_ref().err();
        let facts = refused.iter().flat_map(|refusal| &refusal.facts);
        let moved = |step: step::Step| Moved {
            code: step.code.to_owned(),
            from: step.from.map(str::to_owned),
            kind: step.kind.to_owned(),
            subject: step.subject.to_string(),
            to: step.to.to_owned(),
        };
        Presumed {
            facts: facts
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            rule: refused.map(|refusal| refusal.code.to_owned()),
            outcome: presumed.result.as_ref().ok().copied(),
            replaces: presumed.standing.map(|standing| Replaced {
                choice: standing.choice,
                officer: standing.officer,
                record: standing.record,
            }),
            steps: presumed.steps.into_iter().map(moved).collect(),
            with: presumed.with,
        }
    }
}

/// For whom a record is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Principal {
    /// Company, office or observer.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub kind: OrganisationKind,
    /// Name in Latin letters.
    pub latin: String,
    /// Name in the original script.
    pub native: String,
    /// Signers that the act needs.
    pub needed: u32,
    /// Organisation number.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub number: OrganisationId,
    /// How many officers it has.
    pub officers: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a node wrote it before these structs were there, and with what it left null.
    const TEXT: &str = concat!(
        r#"{"admissible":false,"class":"general","code":"M25","facts":[["officer","1"],"#,
        r#"["key","0"]],"height":1,"#,
        r#""id":"cd73d968ad1647791b4487e08846fce128da8fee069d6e79c4297415502df809","#,
        r#""now":{"number":1,"object":"organisation","officers":[1,2],"organisation":1,"#,
        r#""otherwise":[],"state":"registered","who":""},"outcome":null,"#,
        r#""principal":{"kind":"company","latin":"Founding member 01","#,
        r#""native":"Founding member 01","needed":1,"number":1,"officers":2},"#,
        r#""rule":"A6.bad-signature","sample":true,"signed":[1],"#,
        r#""signers":[{"person":1,"roles":["primary","node-operator"]},"#,
        r#"{"person":2,"roles":["alternate","finance","technical"]}]}"#
    );

    #[test]
    fn the_texts_are_as_they_were() {
        let judged: Judgement = serde_json::from_str(TEXT).unwrap();
        assert_eq!(serde_json::to_string(&judged).unwrap(), TEXT);
        let applies = TEXT
            .replace(
                "\"outcome\":null",
                "\"outcome\":{\"NotCounted\":\"Recused\"}",
            )
            .replace("\"A6.bad-signature\"", "null");
        let judged: Judgement = serde_json::from_str(&applies).unwrap();
        assert_eq!(serde_json::to_string(&judged).unwrap(), applies);
    }
}
