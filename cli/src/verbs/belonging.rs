//! Verbs of what belongs to a membership, how members leave, and the forms that only they have.

use rollbook_proof::number::OrganisationId;
use serde_json::json;

use super::forms::Form;
use super::opening::Reading;
use super::{Kind, Verb, flag, id, verb};
use crate::failure::Failure;
use crate::objects::number_of;

const CLASSES: Kind = Kind::Choice(&["council", "ordinary", "associate"]);

/// Verbs of this family.
pub const VERBS: &[Verb] = &[
    verb(
        "member",
        "cease",
        "Membership",
        "Cease",
        &[
            id("membership"),
            flag("cause", Kind::Form(CESSATION)),
            flag("evidence", Kind::Hash),
        ],
    ),
    verb(
        "member",
        "withdraw",
        "Membership",
        "GiveNotice",
        &[
            id("membership"),
            flag("last_day", Kind::Day),
            flag("letter", Kind::Hash),
        ],
    ),
    verb(
        "member",
        "stay",
        "Membership",
        "RevokeNotice",
        &[id("membership")],
    ),
    verb(
        "member",
        "succeed",
        "Membership",
        "Succeed",
        &[id("membership"), flag("obligations", Kind::Hash)],
    ),
    verb(
        "member",
        "class",
        "Membership",
        "AskClass",
        &[
            id("membership"),
            flag("class", CLASSES),
            flag("reasons", Kind::Hash),
        ],
    ),
];

type Parsed = Result<Option<serde_json::Value>, Failure>;

fn cessation(_: &str, text: &str, _: &mut Reading) -> Parsed {
    Ok(match text.trim().split_once(':') {
        None => ["dissolved", "insolvent"]
            .contains(&text.trim())
            .then(|| json!(text.trim())),
        Some(("merged-into", successor)) => number_of("organisation", successor)
            .ok()
            .map(|number| json!({ "merged-into": { "successor": OrganisationId(number) } })),
        Some(_) => None,
    })
}

/// `dissolved`, `insolvent`, `merged-into:3`.
const CESSATION: Form = Form {
    name: "cessation",
    hint: "dissolved|insolvent|merged-into:N",
    sample: "merged-into:7",
    money: false,
    read: cessation,
};
