//! What is next: where an object stands, who acts, until when (RULINGS R16). Fields stand by name.

use rollbook_core::id::PersonId;
use rollbook_core::next;
use rollbook_core::next::Object;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use serde::{Deserialize, Serialize};

/// Where an object stands and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Next {
    /// R22: the attempt of a draw, which a commitment names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The earliest running deadline: which, by its fixed word, and its ledger time in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<Object>>))]
    pub due: Option<(String, LedgerTime)>,
    /// Its number.
    pub number: u32,
    /// What was asked about.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub object: Object,
    /// Numbers that the ledger gave to the officers of an organisation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>))]
    pub officers: Vec<PersonId>,
    /// The organisation that the object is about or that has to act, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u32>))]
    pub organisation: Option<OrganisationId>,
    /// Where the clock takes it otherwise; the same state means that it is shown as overdue.
    pub otherwise: Vec<String>,
    /// The person who has to act, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u32>))]
    pub person: Option<PersonId>,
    /// Where it stands, by the fixed word: `under-review`.
    pub state: String,
    /// Code of the unit of its amounts, and digits after the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<Object>>))]
    pub unit: Option<(String, u32)>,
    /// Who acts next, as the table writes it; `CLK` if only the clock does, empty if nothing
    /// follows.
    pub who: String,
}

impl From<next::Next> for Next {
    fn from(next: next::Next) -> Next {
        Next {
            attempt: next.attempt,
            due: next.due.map(|(kind, due)| (kind.to_owned(), due)),
            number: next.number,
            object: next.object,
            officers: next.officers,
            organisation: next.organisation,
            otherwise: next.otherwise.into_iter().map(str::to_owned).collect(),
            person: next.person,
            state: next.state.to_owned(),
            unit: next.unit,
            who: next.who.to_owned(),
        }
    }
}

/// `/v1/next/{object}/{number}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Standing {
    /// Where the object stands.
    pub next: Next,
    /// Whether this is a sample chain.
    pub sample: bool,
}

/// `/v1/records/{id}/next`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Following {
    /// Where the object of the act stands; null if the act is about no single object.
    pub next: Option<Next>,
    /// Whether this is a sample chain.
    pub sample: bool,
    /// Code of the unit of the act's amounts, and digits after the point; absent if it is about no
    /// money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<Object>>))]
    pub unit: Option<(String, u32)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_as_they_were() {
        let text = concat!(
            r#"{"next":{"number":1,"object":"organisation","officers":[1,2],"organisation":1,"#,
            r#""otherwise":[],"state":"registered","who":""},"sample":true}"#
        );
        let standing: Standing = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&standing).unwrap(), text);
        let full = next::Next {
            object: Object::Draw,
            number: 3,
            state: "open",
            who: "CLK",
            organisation: Some(OrganisationId(1)),
            person: Some(PersonId(2)),
            due: Some(("draw-step", LedgerTime(9))),
            otherwise: vec!["drawn"],
            unit: Some(("CNY".into(), 2)),
            attempt: Some(1),
            officers: vec![PersonId(5)],
        };
        // What `json!` made of the ledger's own answer.
        let old = serde_json::to_value(&full).unwrap().to_string();
        assert_eq!(serde_json::to_string(&Next::from(full)).unwrap(), old);
        let text = r#"{"next":null,"sample":false}"#;
        let following: Following = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&following).unwrap(), text);
    }
}
