//! Verbs of what belongs to a membership, how members leave, and the forms that only they have.

use rollbook_proof::number::OrganisationId;
use serde_json::json;

use super::forms::Form;
use super::opening::Reading;
use super::{Kind, Verb, flag, forms, id, id_of, maybe, motion, verb};
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
    verb(
        "org",
        "claim",
        "Organisation",
        "ClaimRelation",
        &[
            id_of("one", "organisation"),
            id_of("other", "organisation"),
            flag("kind", Kind::Choice(forms::RELATION_KINDS)),
            flag("evidence", Kind::Hash),
        ],
    ),
    verb(
        "org",
        "reply",
        "Organisation",
        "ReplyRelation",
        &[id("relation"), flag("reply", Kind::Hash)],
    ),
    verb(
        "org",
        "withdraw-claim",
        "Organisation",
        "WithdrawClaim",
        &[id("relation")],
    ),
    verb(
        "org",
        "unrelate",
        "Organisation",
        "AskRelationEnd",
        &[id("relation"), flag("evidence", Kind::Hash)],
    ),
    verb(
        "org",
        "confirm-end",
        "Organisation",
        "ConfirmRelationEnd",
        &[id("relation"), flag("extract", Kind::Hash)],
    ),
    verb(
        "org",
        "decline-end",
        "Organisation",
        "DeclineRelationEnd",
        &[id("relation"), flag("reasons", Kind::Hash)],
    ),
    verb(
        "org",
        "appeal-relation",
        "Organisation",
        "AppealRelation",
        &[id("relation"), flag("reasons", Kind::Hash)],
    ),
    motion(
        "org",
        "find-related",
        &["JoinRelation"],
        &[id("relation"), maybe("since", Kind::Day)],
    ),
    motion(
        "org",
        "never-related",
        &["AnnulRelation"],
        &[id("relation")],
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
