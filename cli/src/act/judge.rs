//! What a record would meet, before it is handed in: a node's judgement, and who has to sign it
//! still.

use rollbook_client::client::Client;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Record};
use rollbook_core::rules;
use rollbook_proof::codec::encode;
use rollbook_wire::judgement::Judgement;
use rollbook_wire::record::Told;
use rollbook_words::catalogue::{refusal, t};
use serde_json::json;

use super::desk::Desk;
use crate::failure::Failure;
use crate::keystore::Keystore;
use crate::keystore::card::role_code;
use crate::output::{print, print_json, say, word};
use crate::shown::Shown;

/// A node's judgement of a signed record. A node that does not judge beforehand leaves that to the
/// handing in.
pub fn rehearse(client: &Client, record: &Record) -> Result<Option<Judgement>, Failure> {
    let answer = client.post::<Judgement>("/v1/records/dry-run", &encode(record))?;
    Ok(match answer {
        Ok(Told::Answer(judged)) => Some(judged),
        Ok(Told::Problem(_)) | Err(_) => None,
    })
}

/// The refusal as a sentence, if it would be refused.
pub fn refused(judged: &Judgement) -> Option<String> {
    let rule = judged.rule.as_deref()?;
    let facts: Vec<(&str, String)> = judged
        .facts
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    Some(refusal(rule, &facts))
}

/// Whether nothing but signatures of others is missing.
pub fn wants_signatures(judged: &Judgement) -> bool {
    matches!(
        judged.rule.as_deref(),
        Some("A6.too-few-officers" | "A6.role-missing")
    )
}

/// Who may sign and has not: person and roles. If a role is missing, those who hold it.
pub fn missing(judged: &Judgement) -> Vec<(PersonId, Vec<String>)> {
    let wanted = wanted_role(judged);
    judged
        .signers
        .iter()
        .filter(|entry| !judged.signed.contains(&entry.person))
        .map(|entry| (entry.person, role_codes(&entry.roles)))
        .filter(|(_, roles)| wanted.as_ref().is_none_or(|wanted| roles.contains(wanted)))
        .collect()
}

/// Roles by their codes.
pub fn role_codes(roles: &[Role]) -> Vec<String> {
    roles.iter().map(|role| role_code(*role)).collect()
}

/// The role that the rule asks for, `finance`.
pub fn wanted_role(judged: &Judgement) -> Option<String> {
    let (_, role) = judged.facts.iter().find(|(name, _)| name == "role")?;
    Some(role.clone())
}

/// A principal as people read it: number and name.
pub fn principal(judged: &Judgement) -> String {
    let chinese =
        rollbook_words::catalogue::language() == rollbook_words::catalogue::Language::Chinese;
    match &judged.principal {
        Some(entry) if chinese => format!("{} {}", entry.number.0, entry.native),
        Some(entry) => format!("{} {}", entry.number.0, entry.latin),
        None => "null ".to_owned(),
    }
}

/// Says the policy and everybody whose signature would do.
pub fn say_missing(judged: &Judgement, keystore: &Keystore) {
    let signed: Vec<String> = judged
        .signed
        .iter()
        .map(|person| person.0.to_string())
        .collect();
    let needed = judged.principal.as_ref().map(|entry| entry.needed);
    let facts = [
        ("principal", principal(judged)),
        (
            "needed",
            needed.map_or_else(|| "null".to_owned(), |needed| needed.to_string()),
        ),
        ("officers", judged.signers.len().to_string()),
        ("class", t(&format!("class.{}", word(judged.class)), &[])),
        ("signed", signed.join(", ")),
    ];
    say(t("act.policy", &facts));
    if let Some(role) = wanted_role(judged) {
        say(t(
            "act.wanted-role",
            &[("role", t(&format!("role.{role}"), &[]))],
        ));
    }
    for (person, roles) in missing(judged) {
        let words: Vec<String> = roles
            .iter()
            .map(|role| t(&format!("role.{role}"), &[]))
            .collect();
        let here = keystore.secret_path(person.0).exists();
        let facts = [
            ("person", person.0.to_string()),
            ("roles", words.join(&t("word.list", &[]))),
            ("code", roles.first().cloned().unwrap_or_default()),
            (
                "key",
                t(
                    if here {
                        "keys.secret-here"
                    } else {
                        "keys.secret-away"
                    },
                    &[],
                ),
            ),
        ];
        say(t("act.may-sign", &facts));
    }
}

/// Steps of the act's rule, of one kind of object if it is known: `screening -> sponsoring`.
fn effects(body: &Body, object: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for row in rules::table() {
        if row.code != body.code()
            || row.who == "CLK"
            || object.is_some_and(|object| object != row.object)
        {
            continue;
        }
        let state = |name: &str| super::next::state(row.object, name);
        let line = format!(
            "{} -> {}",
            if row.from == "–" {
                t("state.none", &[])
            } else {
                state(&row.from)
            },
            state(&row.to)
        );
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// `--dry-run`: the act, its rule and effect; a node's judgement if keys and a node are at hand.
/// Nothing is handed in.
pub fn dry(desk: &Desk, body: Body) -> Result<u8, Failure> {
    let judged = judgement(desk, &body);
    let class = word(body.class());
    let (verdict, why) = match judged {
        Ok(judged) => (judged, None),
        Err(failure) => (None, Some(failure.what)),
    };
    let sentence = verdict.as_ref().and_then(refused);
    let code = if sentence.is_some() && !verdict.as_ref().is_some_and(wants_signatures) {
        crate::failure::REFUSED
    } else {
        0
    };
    let now = verdict.as_ref().and_then(|judged| judged.now.as_ref());
    let object = now.map(|now| word(now.object));
    // The tables call a membership so too; an invoice has none.
    let steps = effects(&body, object.as_deref());
    if desk.global.json {
        print_json(&json!({
            "rule": body.code(), "class": class, "principal": desk.principal,
            "act": Shown::of(&body).json(),
            "effect": steps,
            "judged": verdict, "not_judged": why,
        }));
        return Ok(code);
    }
    print_json(&body);
    let facts = [
        ("rule", body.code().to_owned()),
        ("class", t(&format!("class.{class}"), &[])),
        ("principal", desk.principal.to_string()),
    ];
    print(t("act.dry", &facts));
    if !steps.is_empty() {
        print(t(
            "act.effect",
            &[("steps", steps.join(&t("word.or", &[])))],
        ));
    }
    if let Some(now) = now {
        print(t("act.now", &[("now", super::next::sentence(now))]));
    }
    match (why, &verdict) {
        (Some(why), _) => say(t("act.not-judged", &[("why", why)])),
        (None, None) => say(t("act.not-judged", &[("why", t("act.no-judgement", &[]))])),
        (None, Some(judged)) => {
            let height = ("height", judged.height.to_string());
            let Some(sentence) = sentence else {
                print(t("act.would-apply", &[height]));
                return Ok(code);
            };
            print(t("act.would-refuse", &[height, ("why", sentence)]));
            if wants_signatures(judged) {
                say_missing(judged, &desk.keystore);
            }
        }
    }
    Ok(code)
}

fn judgement(desk: &Desk, body: &Body) -> Result<Option<Judgement>, Failure> {
    let client = desk.client()?;
    let (sequence, now) = desk.place(&client, body)?;
    let record = desk.record(body.clone(), sequence, now)?;
    rehearse(&client, &record)
}
