//! The line after an act, and `NOUN status N`: where an object stands, who acts next, until when,
//! what happens if not (R16).
//!
//! States and actors come from core's tables through the node; the words are in the catalogue, and
//! a test holds that every state and every actor of every table has some.

use std::path::Path;

use rollbook_client::client::Client;
use rollbook_core::account::Unit;
use rollbook_core::id::Id as _;
use rollbook_core::record::{BallotVote, Body, MotionAct, Record};
use rollbook_proof::number::Height;
use rollbook_wire::next::{Following, Next, Standing};
use rollbook_wire::record::Place;
use rollbook_words::catalogue::{find, in_words, t};
use rollbook_words::dates::time;
use serde_json::Value;

use crate::failure::{Failure, REFUSED};
use crate::objects;
use crate::output::{print, print_json, say, word};
use crate::receipts::Receipted;
use crate::shown::Shown;
use crate::trust;
use crate::verbs::{ELSEWHERE, VERBS, Verb};

/// Where an object stands, as told by a node.
pub fn of(client: &Client, object: &str, number: u32) -> Result<Next, Failure> {
    let standing: Standing = client.json(&format!("/v1/next/{object}/{number}"))?;
    Ok(standing.next)
}

/// The key of an actor of the tables: `2 of TRE, OFF, FIN` is `2-of-tre-off-fin`.
pub fn who_key(who: &str) -> String {
    let parts: Vec<String> = who
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_lowercase)
        .collect();
    format!("who.{}", parts.join("-"))
}

/// A state in words.
pub fn state(object: &str, name: &str) -> String {
    in_words(&format!("state.{object}"), name)
}

/// Where it stands, who acts next, until when, what if not.
pub fn sentence(next: &Next) -> String {
    let object = word(next.object);
    let here = next.state.as_str();
    let facts = [
        ("object", t(&format!("object.{object}"), &[])),
        ("number", next.number.to_string()),
        ("state", state(&object, here)),
    ];
    let mut text = t("next.stands", &facts);
    if !next.officers.is_empty() {
        let numbers: Vec<String> = next
            .officers
            .iter()
            .map(|person| person.0.to_string())
            .collect();
        text += &t("next.officers", &[("officers", numbers.join(", "))]);
    }
    for (object, number) in &next.see {
        let kind = word(object);
        let facts = [
            ("object", t(&format!("object.{kind}"), &[])),
            ("number", number.to_string()),
        ];
        text += &t("next.see", &facts);
    }
    let who = next.who.as_str();
    text += &match who {
        "" => t("next.nothing", &[]),
        "CLK" => t("next.clock", &[]),
        who => t("next.who", &[("who", actor(next, who))]),
    };
    let named: Vec<String> = next.named.iter().map(|id| id.short().to_string()).collect();
    if !named.is_empty() {
        text += &t("next.named", &[("named", named.join(", "))]);
    }
    if let Some((deadline, ms)) = &next.from {
        let what = t(&format!("deadline.{deadline}"), &[]);
        text += &t("next.from", &[("from", time(*ms)), ("what", what)]);
    }
    if let Some((deadline, ms)) = &next.due {
        let what = t(&format!("deadline.{deadline}"), &[]);
        text += &t("next.due", &[("due", time(*ms)), ("what", what)]);
        let otherwise: Vec<String> = next
            .otherwise
            .iter()
            .map(|to| {
                if to == here {
                    t("next.overdue", &[])
                } else {
                    state(&object, to)
                }
            })
            .collect();
        if !otherwise.is_empty() && who != "CLK" {
            text += &t(
                "next.otherwise",
                &[("otherwise", otherwise.join(&t("word.or", &[])))],
            );
        }
    }
    if let Some(then) = next.then.as_deref().filter(|then| *then != who) {
        text += &t("next.then", &[("who", t(&who_key(then), &[]))]);
    }
    text
}

/// Who acts, with the number where the object has one.
fn actor(next: &Next, who: &str) -> String {
    let word = t(&who_key(who), &[]);
    let number = match who {
        "REV" | "holder" => next
            .person
            .map(|person| t("next.person", &[("number", person.0.to_string())])),
        "applicant" | "GRT" | "GRT primary + finance" | "node operator" => next
            .organisation
            .map(|number| t("next.organisation", &[("number", number.0.to_string())])),
        _ => None,
    };
    number.map_or(word.clone(), |number| format!("{word} ({number})"))
}

/// Key of the words for what an act does: those of its command's help.
pub fn deed_key(body: &Body) -> String {
    match verb_of(body) {
        Ok(verb) => format!("help.rollbook.{}.{}.about", verb.path.0, verb.path.1),
        Err(act) => elsewhere(&act).unwrap_or(act),
    }
}

/// The same for an act, as `Organisation.Found`, that no verb makes but a command of its own.
fn elsewhere(act: &str) -> Option<String> {
    let named = ELSEWHERE
        .iter()
        .find(|(family, variant, _)| act.split_once('.') == Some((*family, *variant)));
    named.map(|(_, _, command)| format!("help.rollbook.{}.about", command.replace(' ', ".")))
}

/// The verb that makes such an act; else the names of its family and variant.
fn verb_of(body: &Body) -> Result<&'static Verb, String> {
    let act = serde_json::to_value(body).unwrap_or_default();
    let first = |value: &Value| match value {
        Value::Object(map) => map
            .iter()
            .next()
            .map(|(name, inner)| (name.clone(), inner.clone())),
        Value::String(name) => Some((name.clone(), Value::Null)),
        _ => None,
    };
    let Some((family, inner)) = first(&act) else {
        return Err(String::new());
    };
    let Some((variant, fields)) = first(&inner) else {
        return Err(family);
    };
    let effect = first(&fields["effect"]).map(|(name, _)| name);
    let verb = VERBS.iter().find(|verb| {
        verb.act == (family.as_str(), variant.as_str())
            && verb.inside.first().copied() == effect.as_deref()
    });
    verb.ok_or_else(|| format!("{family}.{variant}"))
}

/// What an act does; its rule is told beside it.
pub fn deed_of(body: &Body) -> String {
    t(&deed_key(body), &[])
}

/// What an act does.
pub fn deed(record: &Record) -> String {
    deed_of(&record.payload.body)
}

/// What an act has done, in words with its facts: `you voted yes on V-0012`. `unit` is that of its
/// amounts, if it is known.
pub fn done(body: &Body, unit: Option<&Unit>) -> String {
    let key = match verb_of(body) {
        Ok(verb) => format!("did.{}.{}{}", verb.path.0, verb.path.1, said(body)),
        Err(other) => format!("did.{}", other.to_lowercase().replace('.', "-")),
    };
    let mut facts = Vec::new();
    leaves("", &Shown::of(body), unit, &mut facts);
    let facts: Vec<(&str, String)> = facts
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()))
        .collect();
    find(&key, &facts).unwrap_or_else(|| deed_of(body))
}

/// What stands behind the key of a ballot that is no plain choice.
fn said(body: &Body) -> &'static str {
    match body {
        Body::Motion(MotionAct::Vote(ballot)) => match ballot.vote {
            BallotVote::Choice(_) => "",
            BallotVote::Names(_) => "-names",
            BallotVote::Sealed(_) => "-sealed",
        },
        _ => "",
    }
}

/// Fields of an act by their own names, in one cell each; what has parts stands before its parts.
fn leaves(name: &str, value: &Shown, unit: Option<&Unit>, out: &mut Vec<(String, String)>) {
    if let Some(text) = objects::word(name, value, unit) {
        // The words of a ballot are in the catalogue under their own names.
        let text = match name {
            "choice" => find(&format!("field.{text}"), &[]).unwrap_or(text),
            _ => text,
        };
        out.push((name.to_owned(), text));
    }
    if let Shown::Fields(fields) = value {
        fields
            .iter()
            .for_each(|(name, inner)| leaves(name, inner, unit, out));
    }
}

/// The one line after an act: record, height, log index, rule, what, where it stands, who acts
/// next, until when. Height and index are those of the verified receipt if there is one; what
/// follows is as told by the node. `page` is where a page of the act goes.
pub fn told(
    client: &Client,
    record: &Record,
    place: &Place,
    receipt: Option<&Receipted>,
    page: Option<&Path>,
    (json, anyway): (bool, bool),
) -> Result<u8, Failure> {
    let mut place = place.clone();
    if let Some(receipt) = receipt {
        (place.height, place.leaf) = (Some(Height(receipt.height)), Some(receipt.leaf));
    }
    // Recorded without effect is a finding, unless it was wanted so.
    let without_effect = receipt.is_some_and(|receipt| receipt.without_effect.is_some());
    let vain = if without_effect && !anyway {
        REFUSED
    } else {
        0
    };
    // The act stands whatever the node says about what follows.
    let id = record.id();
    let following: Option<Following> = client.json(&format!("/v1/records/{id}/next")).ok();
    let unit = following
        .as_ref()
        .and_then(|told| objects::unit_coded(told.unit.as_ref()));
    let next = following.and_then(|told| told.next);
    // What became of the act is told first, whatever became of its page.
    let page = page.map(|file| {
        let written = super::page::write(file, client, record, &place, next.as_ref());
        written.map(|()| say(t("page.written", &[("file", file.display().to_string())])))
    });
    let page = page.transpose().map(drop);
    if json {
        let mut shown = serde_json::to_value(&place).unwrap_or_default();
        if let Some(receipt) = receipt {
            shown["effect"] = objects::effect(receipt.without_effect).into();
            shown["receipt"] =
                serde_json::json!({ "file": receipt.file, "verified": receipt.grounds });
        }
        shown["next"] = serde_json::to_value(next).unwrap_or_default();
        print_json(&shown);
        return page.map(|()| vain);
    }
    let number = |told: Option<u64>| told.map_or_else(|| "null".to_owned(), |n| n.to_string());
    let facts = [
        ("record", id.to_hex()),
        ("height", number(place.height.map(|id| id.0))),
        ("leaf", number(place.leaf)),
        ("rule", record.payload.body.code().to_owned()),
        ("what", done(&record.payload.body, unit.as_ref())),
        (
            "next",
            next.as_ref().map_or_else(|| t("next.none", &[]), sentence),
        ),
    ];
    print(t("act.done", &facts));
    match receipt {
        None => say(t("act.decided", &[])),
        Some(receipt) => {
            say(objects::effect_text(receipt.without_effect));
            say(t(
                "act.receipted",
                &[
                    ("grounds", trust::line(&receipt.grounds)),
                    ("file", receipt.file.display().to_string()),
                ],
            ));
            let code = trust::tell_age(&receipt.grounds).max(vain);
            return page.map(|()| code);
        }
    }
    page.map(|()| 0)
}

#[cfg(test)]
mod tests {
    use rollbook_words::catalogue::find;

    use super::elsewhere;
    use crate::verbs::ELSEWHERE;

    /// An act whose command is no verb has words as well.
    #[test]
    fn an_act_of_a_command_of_its_own_has_words() {
        for (family, variant, _) in ELSEWHERE {
            if *family == "MotionEffect" {
                continue;
            }
            let act = format!("{family}.{variant}");
            let key = elsewhere(&act).unwrap();
            assert!(find(&key, &[]).is_some(), "{act}: {key}");
        }
    }
}
