//! What is next: where an object stands, who acts, until when (RULINGS R16). Fields stand by name.

use rollbook_core::id::PersonId;
use rollbook_core::next;
use rollbook_core::next::Object;
use rollbook_core::view::validators::ValidatorsView;
use rollbook_core::view::{View, tasks};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
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
    /// What whoever acts must wait for: which, by its fixed word, and its ledger time in
    /// milliseconds. Before it the act is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<Object>>))]
    pub from: Option<(String, LedgerTime)>,
    /// The organisations of which one has to act, where the ledger has named some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>))]
    pub named: Vec<OrganisationId>,
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
    /// Objects that belong to the answer, kind and number: what a motion made, the award of an
    /// application, the milestone that is awaited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Object>))]
    pub see: Vec<(Object, u32)>,
    /// Where it stands, by the fixed word: `under-review`.
    pub state: String,
    /// Who acts after that on the usual way, as the table writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
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
            from: next.from.map(|(kind, from)| (kind.to_owned(), from)),
            named: next.named,
            number: next.number,
            object: next.object,
            officers: next.officers,
            organisation: next.organisation,
            otherwise: next.otherwise.into_iter().map(str::to_owned).collect(),
            person: next.person,
            see: next.see,
            state: next.state.to_owned(),
            then: next.then.map(str::to_owned),
            unit: next.unit,
            who: next.who.to_owned(),
        }
    }
}

/// One thing that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Task {
    /// Whoever is a member may act.
    pub anybody: bool,
    /// The companies that may act, ascending: their officers, by their own approval policies.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>))]
    pub companies: Vec<OrganisationId>,
    /// Where the object stands, who acts, by when.
    pub next: Next,
    /// The offices and companies for which the persons act, ascending.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>))]
    pub of: Vec<OrganisationId>,
    /// The persons who may act, ascending: holders of posts, reviewers, assessors.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>))]
    pub persons: Vec<PersonId>,
}

impl From<tasks::Task> for Task {
    fn from(task: tasks::Task) -> Task {
        Task {
            anybody: task.anybody,
            companies: task.companies,
            next: task.next.into(),
            of: task.of,
            persons: task.persons,
        }
    }
}

/// `/v1/tasks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Tasks {
    /// Height of the tip that was read.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// How many there are beyond those told.
    pub left_out: usize,
    /// Whether this is a sample chain.
    pub sample: bool,
    /// What waits, by deadline.
    pub tasks: Vec<Task>,
    /// Time of the tip, milliseconds since 1970.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub time_ms: LedgerTime,
}

/// `/v1/views/{object}/{number}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Beside {
    /// Height of the tip that was read.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
    /// Whether this is a sample chain.
    pub sample: bool,
    /// What belongs to the object: of a motion its ballots, of a call its ranking, of an application
    /// its reviews, of an agreement its milestones.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub view: View,
}

/// `/v1/validators`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Validators {
    /// Whether this is a sample chain.
    pub sample: bool,
    /// The seats as they stand, and the handovers to come.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub validators: ValidatorsView,
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
            then: Some("REV"),
            named: vec![OrganisationId(4)],
            see: vec![(Object::Award, 6)],
            from: Some(("call-closes", LedgerTime(8))),
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
