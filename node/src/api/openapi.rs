//! The API's own description, made from its code.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::IntoResponse;
use rollbook_wire::event::{EventLeaf, PolicyLeaf, RawLeaf, RecordLeaf, SealLeaf, UnreadLeaf};
use rollbook_wire::problem::Problem;
use rollbook_wire::schema::{Answer, Each, Handed, SignedAnswer};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::{
    blocks, events, export, lists, log, metrics, next, papers, records, state, status, views,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollbook node",
        description = "Submit records and read a verifiable ledger. Errors are problem documents."
    ),
    paths(
        records::submit,
        records::place,
        records::proof,
        records::effect,
        papers::leave,
        papers::list,
        papers::one,
        papers::take_back,
        next::dry_run,
        next::of_record,
        next::next,
        next::known,
        status::status,
        status::health,
        metrics::metrics,
        status::genesis,
        blocks::block,
        blocks::page,
        blocks::frame,
        blocks::proof,
        export::export,
        state::state,
        state::policies,
        state::sequence,
        lists::list,
        views::view,
        views::validators,
        views::tasks,
        log::checkpoint,
        log::served,
        log::consistency,
        log::tile,
        events::events
    ),
    components(schemas(
        Problem,
        Handed,
        Each,
        SignedAnswer,
        Answer,
        RecordLeaf,
        UnreadLeaf,
        SealLeaf,
        EventLeaf,
        RawLeaf,
        PolicyLeaf
    ))
)]
struct Document;

/// Problems that every question may meet, and those of questions with a body, and with a place in the path.
const EVERYWHERE: [(&str, &str); 5] = [
    ("400", "The question cannot be read"),
    ("401", "Log in, or the pass does not hold"),
    (
        "403",
        "The pass holds, and its person is nobody's who reads",
    ),
    ("429", "Asked too often without a pass"),
    (
        "503",
        "Not now: no room, not receipted yet, or a fault on this side",
    ),
];
const WITH_BODY: [(&str, &str); 2] = [
    ("408", "The body comes too slowly"),
    ("413", "The body is too long"),
];
const WITH_PLACE: [(&str, &str); 1] = [("404", "Nothing of this name is here")];

/// OpenAPI 3.1, made once.
pub async fn document() -> impl IntoResponse {
    static TEXT: OnceLock<Vec<u8>> = OnceLock::new();
    let text = TEXT.get_or_init(|| serde_json::to_vec(&described()).unwrap_or_default());
    (
        [(header::CONTENT_TYPE, "application/json")],
        text.as_slice(),
    )
}

/// The document as the derive makes it, with what it does not know: parameters of queries are in the query,
/// problems are problem documents, every question may meet some of them, and whole numbers from 0 on have
/// no format that would end at half of them.
fn described() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    unsigned(&mut document);
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return document;
    };
    for (path, item) in paths {
        let operations = item.as_object_mut().into_iter().flatten();
        for (method, operation) in operations {
            let parameters = operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap_or_default();
                if !path.contains(&format!("{{{name}}}")) && parameter["in"] == "path" {
                    parameter["in"] = "query".into();
                    parameter["required"] = false.into();
                }
            }
            let Some(responses) = operation
                .get_mut("responses")
                .and_then(Value::as_object_mut)
            else {
                continue;
            };
            let mut problems = EVERYWHERE.to_vec();
            if method == "post" {
                problems.extend(WITH_BODY);
            }
            if path.contains('{') {
                problems.extend(WITH_PLACE);
            }
            for (status, words) in problems {
                let known = responses.entry(status);
                known.or_insert_with(|| json!({ "description": words }));
            }
            for (status, response) in responses {
                if status.as_str() >= "400" {
                    response["content"] = json!({
                        "application/problem+json": {
                            "schema": { "$ref": "#/components/schemas/Problem" }
                        }
                    });
                }
            }
        }
    }
    document
}

/// Takes the format of a signed number from every number that has none below 0.
fn unsigned(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("minimum") == Some(&json!(0)) {
                fields.remove("format");
            }
            fields.values_mut().for_each(unsigned);
        }
        Value::Array(items) => items.iter_mut().for_each(unsigned),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What refers to a component that is not there makes a document that no client reads.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    /// Nine parameters of queries stood in paths, problems were plain JSON, and half of the statuses were not
    /// named: generated clients failed.
    #[test]
    fn the_document_names_every_parameter_and_problem() {
        let document = described();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let mut operations = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                operations += 1;
                let parameters = operation["parameters"].as_array();
                for parameter in parameters.into_iter().flatten() {
                    let name = parameter["name"].as_str().unwrap();
                    let in_path = path.contains(&format!("{{{name}}}"));
                    let place = if in_path { "path" } else { "query" };
                    assert_eq!(parameter["in"], place, "{path} {name}");
                    assert!(!in_path || parameter["required"] == true, "{path} {name}");
                }
                let responses = operation["responses"].as_object().unwrap();
                for status in ["401", "429", "503"] {
                    assert!(responses.contains_key(status), "{method} {path} {status}");
                }
                for (status, response) in responses {
                    let problem = &response["content"]["application/problem+json"];
                    assert!(
                        problem.is_object() || status.as_str() < "400",
                        "{path} {status}"
                    );
                }
            }
        }
        assert!(operations >= 32, "{operations}");
        let text = document.to_string();
        assert!(!text.contains("\"int64\",\"minimum\":0"), "{text}");
    }
}
