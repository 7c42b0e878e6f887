//! What a record would meet, before it is handed in: a node's judgement, and who has to sign it
//! still.

use rollbook_core::machine::Transition;
use rollbook_core::object;
use rollbook_core::object::membership::Membership;
use rollbook_core::object::motion::Motion;
use rollbook_core::record::{Body, Record};
use rollbook_proof::codec::encode;
use rollbook_wire::record::Told;
use rollbook_words::catalogue::{refusal, t};
use serde_json::{Value, json};

use super::desk::Desk;
use super::keys::Keys;
use crate::client::Client;
use crate::failure::Failure;
use crate::keystore::Keystore;
use crate::output::{print, print_json, say};

/// A node's judgement of a signed record. A node that does not judge beforehand leaves that to the
/// handing in.
pub fn rehearse(client: &Client, record: &Record) -> Result<Value, Failure> {
    let answer = client.post::<Value>("/v1/records/dry-run", &encode(record))?;
    let Ok(Told::Answer(answer)) = answer else {
        return Ok(Value::Null);
    };
    Ok(
        if answer["code"]
            .as_str()
            .is_some_and(|code| code.starts_with("api."))
        {
            Value::Null
        } else {
            answer
        },
    )
}

/// The refusal as a sentence, if it would be refused.
pub fn refused(judged: &Value) -> Option<String> {
    let rule = judged["rule"].as_str()?;
    let facts: Vec<(&str, String)> = judged["facts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|fact| Some((fact[0].as_str()?, fact[1].as_str()?.to_owned())))
        .collect();
    Some(refusal(rule, &facts))
}

/// Whether nothing but signatures of others is missing.
pub fn wants_signatures(judged: &Value) -> bool {
    matches!(
        judged["rule"].as_str(),
        Some("A6.too-few-officers" | "A6.role-missing")
    )
}

/// Who may sign and has not: person and roles. If a role is missing, those who hold it.
pub fn missing(judged: &Value) -> Vec<(u64, Vec<String>)> {
    let signed: Vec<u64> = judged["signed"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let wanted = wanted_role(judged);
    let mut found = Vec::new();
    for entry in judged["signers"].as_array().into_iter().flatten() {
        let Some(person) = entry["person"]
            .as_u64()
            .filter(|person| !signed.contains(person))
        else {
            continue;
        };
        let roles: Vec<String> = entry["roles"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|role| role.as_str().map(str::to_owned))
            .collect();
        if wanted.as_ref().is_none_or(|wanted| roles.contains(wanted)) {
            found.push((person, roles));
        }
    }
    found
}

/// The role that the rule asks for, `finance`.
pub fn wanted_role(judged: &Value) -> Option<String> {
    let facts = judged["facts"].as_array()?;
    let fact = facts.iter().find(|fact| fact[0] == "role")?;
    Some(super::next::kebab(fact[1].as_str()?))
}

/// A principal as people read it: number and name.
pub fn principal(judged: &Value) -> String {
    let entry = &judged["principal"];
    let script =
        if rollbook_words::catalogue::language() == rollbook_words::catalogue::Language::Chinese {
            "native"
        } else {
            "latin"
        };
    format!(
        "{} {}",
        entry["number"],
        entry[script].as_str().unwrap_or_default()
    )
}

/// Says the policy and everybody whose signature would do.
pub fn say_missing(judged: &Value, keystore: &Keystore) {
    let signed: Vec<String> = judged["signed"]
        .as_array()
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    let facts = [
        ("principal", principal(judged)),
        ("needed", judged["principal"]["needed"].to_string()),
        (
            "officers",
            judged["signers"].as_array().map_or(0, Vec::len).to_string(),
        ),
        (
            "class",
            t(
                &format!("class.{}", judged["class"].as_str().unwrap_or_default()),
                &[],
            ),
        ),
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
        let here = u32::try_from(person).is_ok_and(|person| keystore.secret_path(person).exists());
        let facts = [
            ("person", person.to_string()),
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

/// Every row of every transition table.
pub fn transitions() -> Vec<Transition> {
    let mut rows = object::transitions::<Membership>();
    rows.extend(object::transitions::<Motion>());
    rows.extend(rollbook_core::rules::funding::table());
    rows
}

/// Steps of the act's rule, of one kind of object if it is known: `screening -> sponsoring`.
fn effects(body: &Body, object: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for row in transitions() {
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
    let class = serde_json::to_value(body.class())
        .ok()
        .and_then(|class| class.as_str().map(str::to_owned))
        .unwrap_or_default();
    let (verdict, why) = match &judged {
        Ok(judged) => (judged.clone(), None),
        Err(failure) => (Value::Null, Some(failure.what.clone())),
    };
    let sentence = refused(&verdict);
    let code = if sentence.is_some() && !wants_signatures(&verdict) {
        crate::failure::REFUSED
    } else {
        0
    };
    let object = verdict["now"]["object"].as_str();
    // The tables call a membership so too; an invoice or a post has none.
    let steps = effects(&body, object);
    if desk.global.json {
        print_json(&json!({
            "rule": body.code(), "class": class, "principal": desk.principal, "act": body,
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
    if verdict["now"].is_object() {
        print(t(
            "act.now",
            &[("now", super::next::sentence(&verdict["now"]))],
        ));
    }
    let height = ("height", verdict["height"].to_string());
    match (&why, &sentence) {
        (Some(why), _) => say(t("act.not-judged", &[("why", why.clone())])),
        (None, None) if verdict.is_null() => {
            say(t("act.not-judged", &[("why", t("act.no-judgement", &[]))]))
        }
        (None, None) => print(t("act.would-apply", &[height])),
        (None, Some(sentence)) => {
            print(t("act.would-refuse", &[height, ("why", sentence.clone())]));
            if wants_signatures(&verdict) {
                say_missing(&verdict, &desk.keystore);
            }
        }
    }
    Ok(code)
}

fn judgement(desk: &Desk, body: &Body) -> Result<Value, Failure> {
    let client = desk.client()?;
    let (sequence, now) = desk.place(&client)?;
    let record = desk.record(body.clone(), sequence, now, &mut Keys::default())?;
    rehearse(&client, &record)
}
