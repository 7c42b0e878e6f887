//! Verbs for officers, keys, delegations and posts, and the forms that only they have.

use rollbook_core::calendar::{LocalDay, end_of_local_day};
use rollbook_core::identity::{ActClass, Role};
use rollbook_core::record::{NewKey, Particulars};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::forms::{self, Form};
use super::opening::Reading;
use super::{Kind, Verb, flag, id, id_of, maybe, motion, place, usually, verb};
use crate::failure::Failure;
use crate::files;

const REASONS: Kind = Kind::Choice(&["lost", "compromised"]);
const ROLE: Kind = Kind::Choice(&[
    "primary",
    "alternate",
    "finance",
    "technical",
    "node-operator",
]);

/// Verbs of this family.
pub const VERBS: &[Verb] = &[
    verb("org", "officers", "Organisation", "ChangeOfficers", CHANGE).fills(officers),
    verb(
        "org",
        "policy",
        "Organisation",
        "ChangeOfficers",
        &[place("policy", Kind::Form(POLICY))],
    )
    .fills(officers),
    verb(
        "org",
        "object",
        "Organisation",
        "ObjectChange",
        &[id("change"), flag("reasons", Kind::Hash)],
    ),
    verb(
        "org",
        "update",
        "Organisation",
        "AskUpdate",
        &[
            maybe("name", Kind::Form(forms::NAME)),
            maybe("address", Kind::Text),
            maybe("identifiers", Kind::Form(IDENTIFIERS)),
            flag("extract", Kind::Form(EXTRACT)),
        ],
    ),
    verb(
        "org",
        "confirm-update",
        "Organisation",
        "ConfirmUpdate",
        &[id("change"), flag("extract", Kind::Hash)],
    ),
    verb(
        "org",
        "decline-update",
        "Organisation",
        "DeclineUpdate",
        &[id("change"), flag("reasons", Kind::Hash)],
    ),
    verb(
        "org",
        "delegate",
        "Organisation",
        "Delegate",
        &[
            flag("giver", Kind::Number),
            flag("role", ROLE),
            flag("to", Kind::Number),
            flag("classes", Kind::Form(CLASSES)),
            usually("object", Kind::Form(OBJECT), "\"everything\""),
            flag("until_ms", Kind::Form(UNTIL)),
        ],
    ),
    verb(
        "org",
        "revoke-delegation",
        "Organisation",
        "RevokeDelegation",
        &[id("delegation")],
    ),
    verb(
        "org",
        "revoke-delegations",
        "Organisation",
        "RevokeDelegations",
        &[],
    ),
    verb(
        "org",
        "revoke-key",
        "Organisation",
        "RevokeKey",
        &[
            place("person", Kind::Number),
            place("key", Kind::Number),
            flag("reason", REASONS),
        ],
    ),
    verb(
        "keys",
        "revoke",
        "Organisation",
        "RevokeOwnKey",
        &[place("key", Kind::Number), flag("reason", REASONS)],
    ),
    verb(
        "keys",
        "stop",
        "Organisation",
        "AskRevocation",
        &[
            place("person", Kind::Number),
            place("key", Kind::Number),
            flag("evidence", Kind::Hash),
        ],
    ),
    verb(
        "keys",
        "agree-stop",
        "Organisation",
        "AgreeRevocation",
        &[id("revocation")],
    ),
    Verb {
        // It ends with the emergency, so it has no days of its own.
        ballot_days: 0,
        ..motion("keys", "ratify", &["RatifyRevocation"], &[id("revocation")])
    },
    verb(
        "keys",
        "file-recovery",
        "Organisation",
        "FileRecovery",
        &[
            id_of("organisation", "organisation"),
            flag("letter", Kind::Hash),
            usually("added", Kind::Form(OFFERS), "[]"),
            usually("roles", Kind::Form(ROLES), "[]"),
            usually("keys", Kind::Form(KEYS), "[]"),
            usually("ended", Kind::Numbers, "[]"),
            maybe("policy", Kind::Form(POLICY)),
        ],
    )
    .fills(recovery),
    motion(
        "keys",
        "recover",
        &["RecoverKeys"],
        &[id_of("recovery", "key-recovery")],
    ),
    verb(
        "keys",
        "cancel-recovery",
        "Organisation",
        "CancelRecovery",
        &[id_of("recovery", "key-recovery")],
    ),
    verb(
        "office",
        "absence",
        "Organisation",
        "RecordAbsence",
        &[id("post")],
    ),
    verb(
        "office",
        "return",
        "Organisation",
        "EndAbsence",
        &[id("post")],
    ),
    verb(
        "office",
        "stand-in",
        "Organisation",
        "StandIn",
        &[id("post")],
    ),
];

const CHANGE: &[super::Field] = &[
    usually("added", Kind::Form(OFFERS), "[]"),
    usually("roles", Kind::Form(ROLES), "[]"),
    usually("keys", Kind::Form(KEYS), "[]"),
    usually("ended", Kind::Numbers, "[]"),
    maybe("policy", Kind::Form(POLICY)),
];

/// What somebody who is to have a key hands to the company: made by `keys offer`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offer {
    /// Somebody who comes.
    Officer(Box<rollbook_core::identity::OfficerEntry>),
    /// A further key of somebody who is an officer.
    Key(NewKey),
}

/// The parts of a change of officers; the last one may be missing.
const PARTS: [&str; 5] = ["added", "roles", "keys", "ended", "policy"];

type Parsed = Result<Option<Value>, Failure>;

fn officers(fields: &mut Map<String, Value>, _: &mut Reading) -> Result<(), Failure> {
    for name in &PARTS[..PARTS.len() - 1] {
        fields.entry(*name).or_insert_with(|| json!([]));
    }
    if let Some(Value::Array(ended)) = fields.get_mut("ended") {
        ended.sort_by_key(Value::as_u64);
    }
    Ok(())
}

fn recovery(fields: &mut Map<String, Value>, reading: &mut Reading) -> Result<(), Failure> {
    officers(fields, reading)?;
    let change: Map<String, Value> = PARTS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), fields.remove(name)?)))
        .collect();
    fields.insert("change".to_owned(), Value::Object(change));
    Ok(())
}

/// Parts between commas, each read by `one`; none if one of them is not of the form.
fn each<T>(text: &str, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(|part| one(part.trim())).collect()
}

fn value<T: Serialize>(parsed: Option<T>) -> Parsed {
    Ok(parsed.and_then(|parsed| serde_json::to_value(parsed).ok()))
}

fn word<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    serde_json::from_value(Value::String(text.to_owned())).ok()
}

fn class_and_number(part: &str) -> Option<(ActClass, u32)> {
    let (class, needed) = part.split_once('=')?;
    Some((word(class)?, needed.parse().ok()?))
}

fn policy(_: &str, text: &str, _: &mut Reading) -> Parsed {
    let mut thresholds = match text {
        "one" => Some(Vec::new()),
        text => each(text, class_and_number),
    };
    if let Some(thresholds) = &mut thresholds {
        thresholds.sort();
    }
    Ok(thresholds.map(|thresholds| json!({ "thresholds": thresholds })))
}

fn classes(_: &str, text: &str, _: &mut Reading) -> Parsed {
    let mut classes = each(text, word::<ActClass>);
    if let Some(classes) = &mut classes {
        classes.sort();
    }
    value(classes)
}

fn roles_of(part: &str) -> Option<(u32, Vec<Role>)> {
    let (person, roles) = part.split_once(':')?;
    let mut roles: Vec<Role> = match roles {
        "none" => Vec::new(),
        roles => roles.split('+').map(word).collect::<Option<_>>()?,
    };
    roles.sort();
    Some((person.parse().ok()?, roles))
}

fn roles(_: &str, text: &str, _: &mut Reading) -> Parsed {
    let mut all = each(text, roles_of);
    if let Some(all) = &mut all {
        all.sort_by_key(|(person, _)| *person);
    }
    value(all)
}

/// The offers in these files.
fn offers(text: &str, reading: &Reading) -> Result<Option<Vec<Offer>>, Failure> {
    let mut all = Vec::new();
    if text == "none" {
        return Ok(Some(all));
    }
    for part in text.split(',') {
        let Some(file) = part.trim().strip_prefix('@') else {
            return Ok(None);
        };
        let bytes = files::read(&reading.base.join(file))?;
        let Ok(offer) = serde_json::from_slice(&bytes) else {
            return Ok(None);
        };
        all.push(offer);
    }
    Ok(Some(all))
}

fn added(_: &str, text: &str, reading: &mut Reading) -> Parsed {
    let Some(offers) = offers(text, reading)? else {
        return Ok(None);
    };
    let mut all = Vec::new();
    for (number, offer) in (1..).zip(offers) {
        let Offer::Officer(mut entry) = offer else {
            return Ok(None);
        };
        entry.person = rollbook_core::id::PersonId(number);
        all.push(entry);
    }
    value(Some(all))
}

fn keys(_: &str, text: &str, reading: &mut Reading) -> Parsed {
    let Some(offers) = offers(text, reading)? else {
        return Ok(None);
    };
    let mut all = Vec::new();
    for offer in offers {
        let Offer::Key(key) = offer else {
            return Ok(None);
        };
        all.push(key);
    }
    all.sort_by_key(|key| key.person);
    value(Some(all))
}

fn object(_: &str, text: &str, _: &mut Reading) -> Parsed {
    Ok(match text.split_once(':') {
        Some((kind @ ("motion" | "agreement" | "payment" | "application"), number)) => {
            let digits = number.rsplit('-').next().unwrap_or(number);
            let number: Option<u32> = digits.parse().ok();
            number.map(|number| json!({ kind: number }))
        }
        _ => (text == "everything").then(|| json!("everything")),
    })
}

fn until(_: &str, text: &str, reading: &mut Reading) -> Parsed {
    let day = rollbook_core::calendar::CivilDate::parse(text.trim());
    Ok(day.ok().map(|day| {
        let day = LocalDay(day.day_number().0);
        json!(end_of_local_day(day, reading.offset_minutes))
    }))
}

fn extract(field: &str, text: &str, reading: &mut Reading) -> Parsed {
    let Some((file, date)) = text.rsplit_once(':') else {
        return Ok(None);
    };
    let document = reading.document(field, file)?;
    let day = rollbook_core::calendar::CivilDate::parse(date.trim()).ok();
    Ok(document
        .zip(day)
        .map(|(document, day)| json!([document, day.day_number()])))
}

fn identifier(part: &str) -> Option<Value> {
    let (scheme, code) = part.split_once(':')?;
    match scheme {
        "uscc" | "lei" => Some(json!({ scheme: code })),
        country => Some(json!({ "national": { "country": country, "number": code } })),
    }
}

fn identifiers(_: &str, text: &str, _: &mut Reading) -> Parsed {
    let Some(all) = each(text, identifier) else {
        return Ok(None);
    };
    // Read and written once, so that they stand in the ledger's order.
    let plan = json!({ "identifiers": all, "extract": ["0".repeat(64), 0] });
    let Ok(plan) = serde_json::from_value::<Particulars>(plan) else {
        return Ok(None);
    };
    let mut all = plan.identifiers.unwrap_or_default();
    all.sort();
    value(Some(all))
}

/// `ballot=2,money=2`, or `one`: one officer signs everything.
pub const POLICY: Form = Form {
    name: "policy",
    hint: "one|CLASS=N,..",
    sample: "ballot=2,money=2",
    money: false,
    read: policy,
};
const CLASSES: Form = Form {
    name: "classes",
    hint: "CLASS,..",
    sample: "general,ballot",
    money: false,
    read: classes,
};
const ROLES: Form = Form {
    name: "roles",
    hint: "PERSON:ROLE+ROLE,..",
    sample: "21:primary+finance",
    money: false,
    read: roles,
};
const OFFERS: Form = Form {
    name: "offers",
    hint: "@FILE,..",
    sample: "none",
    money: false,
    read: added,
};
const KEYS: Form = Form {
    name: "key-offers",
    hint: "@FILE,..",
    sample: "none",
    money: false,
    read: keys,
};
const OBJECT: Form = Form {
    name: "delegated",
    hint: "everything|motion:N|..",
    sample: "motion:5",
    money: false,
    read: object,
};
const UNTIL: Form = Form {
    name: "until",
    hint: "DATE",
    sample: "2026-12-31",
    money: false,
    read: until,
};
const EXTRACT: Form = Form {
    name: "extract",
    hint: "@FILE:DATE",
    sample: "5d41402abc4b2a76b9719d911017c592ae3f1d2c5d41402abc4b2a76b9719d91:2026-11-24",
    money: false,
    read: extract,
};
const IDENTIFIERS: Form = Form {
    name: "identifiers",
    hint: "uscc:CODE,..",
    sample: "lei:5493001KJTIIGC8Y1R12",
    money: false,
    read: identifiers,
};
