//! What a record would meet, before it is handed in: a node's judgement, and who has to sign it
//! still.

use rollbook_client::client::Client;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Record};
use rollbook_proof::codec::encode;
use rollbook_wire::judgement::{Judgement, Presumed};
use rollbook_wire::record::Told;
use rollbook_words::catalogue::{refusal_in, t};
use serde_json::json;

use super::desk::Desk;
use crate::failure::Failure;
use crate::keystore::Keystore;
use crate::keystore::card::role_code;
use crate::objects;
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
    Some(refusal_in(rule, &facts, judged.unit.as_ref()))
}

/// Whether nothing but signatures of others is missing.
pub fn wants_signatures(judged: &Judgement) -> bool {
    judged.rule.as_deref().is_some_and(is_waiting)
}

/// What a record breaks though all have signed: rule and sentence.
pub fn broken(judged: &Judgement) -> Option<(String, String)> {
    let presumed = judged.presumed.as_ref()?;
    let rule = presumed.rule.as_deref()?;
    let facts: Vec<(&str, String)> = presumed
        .facts
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    Some((
        rule.to_owned(),
        refusal_in(rule, &facts, judged.unit.as_ref()),
    ))
}

/// Why a record would be recorded without effect, as a sentence.
pub fn uncounted(presumed: &Presumed) -> Option<String> {
    let reason = presumed.outcome?.not_counted()?;
    Some(objects::effect_text(Some(reason)))
}

/// Refuses what the ledger would refuse whoever signs, and what it would not count unless that is
/// wanted: before a signature is made or collected (RULINGS A65).
pub fn not_in_vain(judged: Option<&Judgement>, anyway: bool) -> Result<(), Failure> {
    let Some(judged) = judged else {
        return Ok(());
    };
    match &judged.presumed {
        Some(_) => {
            if let Some((rule, sentence)) = broken(judged).filter(|(rule, _)| !is_waiting(rule)) {
                return Err(Failure::by_rule(&rule, sentence));
            }
            must_count(Some(judged), anyway)
        }
        // Nothing but the envelope was looked at.
        None => match (judged.rule.as_deref(), refused(judged)) {
            (Some(rule), Some(sentence)) if OF_ENVELOPE.contains(&rule) => {
                Err(Failure::by_rule(rule, sentence))
            }
            _ => Ok(()),
        },
    }
}

/// Refuses what the ledger would record without effect, unless that is wanted.
pub fn must_count(judged: Option<&Judgement>, anyway: bool) -> Result<(), Failure> {
    let presumed = judged.and_then(|judged| judged.presumed.as_ref());
    match presumed.and_then(uncounted) {
        Some(sentence) if !anyway => {
            Err(Failure::refused(t("sign.uncounted", &[("why", sentence)]))
                .next(t("sign.uncounted-next", &[])))
        }
        _ => Ok(()),
    }
}

/// What is wrong with a record whoever signs it.
const OF_ENVELOPE: [&str; 5] = [
    "A4.unknown-organisation",
    "A6.expired",
    "A6.malformed",
    "A6.other-chain",
    "A6.valid-too-long",
];

fn is_waiting(rule: &str) -> bool {
    matches!(rule, "A6.too-few-officers" | "A6.role-missing")
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

/// `--dry-run`: the act, its rule and its true effect; a node's judgement if one is at hand. Nothing
/// is signed or handed in.
pub fn dry(desk: &Desk, body: Body) -> Result<u8, Failure> {
    let judged = judgement(desk, &body);
    let class = word(body.class());
    let (verdict, why) = match judged {
        Ok(judged) => (judged, None),
        Err(failure) => (None, Some(failure.what)),
    };
    let presumed = verdict.as_ref().and_then(|judged| judged.presumed.as_ref());
    let refusal = verdict
        .as_ref()
        .and_then(broken)
        .filter(|(rule, _)| !is_waiting(rule));
    let uncounted = presumed.and_then(uncounted);
    let in_vain = refusal.is_some() || (uncounted.is_some() && !desk.flags.anyway);
    let code = if in_vain { crate::failure::REFUSED } else { 0 };
    let now = verdict.as_ref().and_then(|judged| judged.now.as_ref());
    // What a node says would move. Nobody else knows it: what the rule may do in other cases is no
    // effect of this act.
    let told = verdict.as_ref().and_then(super::screen::effects);
    let steps = told.unwrap_or_default();
    if desk.global.json {
        print_json(&json!({
            "rule": body.code(), "class": class, "principal": desk.principal,
            "act": Shown::of(&body).json(),
            "effect": steps,
            "judged": verdict, "not_judged": why,
        }));
        return Ok(code);
    }
    let unit = super::unit_of(verdict.as_ref());
    for (label, text) in objects::rows("", &Shown::of(&body), unit.as_ref()) {
        print(format!("{label}: {text}"));
    }
    let facts = [
        ("rule", body.code().to_owned()),
        ("class", t(&format!("class.{class}"), &[])),
        ("principal", desk.principal.to_string()),
    ];
    print(t("act.dry", &facts));
    if !steps.is_empty() {
        print(t(
            "act.effect",
            &[(
                "steps",
                steps.join(&t(
                    if presumed.is_some() {
                        "word.then"
                    } else {
                        "word.or"
                    },
                    &[],
                )),
            )],
        ));
    }
    if let Some(now) = now {
        print(t("act.now", &[("now", super::next::sentence(now))]));
    }
    let Some(judged) = &verdict else {
        let why = why.unwrap_or_else(|| t("act.no-judgement", &[]));
        say(t("act.not-judged", &[("why", why)]));
        return Ok(code);
    };
    let height = ("height", judged.height.to_string());
    match (presumed, refusal, uncounted) {
        (None, ..) => say(t("act.not-judged", &[("why", t("screen.not-told", &[]))])),
        (Some(_), Some((_, sentence)), _) => {
            print(t("act.would-refuse", &[height, ("why", sentence)]));
        }
        (Some(_), None, Some(sentence)) => {
            print(t("act.would-not-count", &[height, ("why", sentence)]));
        }
        (Some(presumed), None, None) if presumed.with.is_empty() => {
            print(t("act.would-apply", &[height]));
        }
        (Some(presumed), None, None) => {
            let needed = judged.principal.as_ref().map_or(0, |entry| entry.needed);
            let facts = [
                height,
                ("signed", judged.signed.len().to_string()),
                (
                    "needed",
                    (needed as usize)
                        .max(judged.signed.len() + presumed.with.len())
                        .to_string(),
                ),
            ];
            print(t("act.would-wait", &facts));
            say_missing(judged, &desk.keystore);
        }
    }
    Ok(code)
}

fn judgement(desk: &Desk, body: &Body) -> Result<Option<Judgement>, Failure> {
    let client = desk.client()?;
    // No number is taken for what is only judged.
    let payload = desk.payload(body.clone(), 0, desk.now(&client)?)?;
    let (_, judged) = super::judged(desk, &client, payload)?;
    Ok(judged)
}
