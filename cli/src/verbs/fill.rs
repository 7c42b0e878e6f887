//! Fields that rest on others: seals made now, openings read, instructions put together. The table
//! names for each verb the function that fills its fields after the arguments were read.

use rollbook_core::id::{CallId, DrawId, MotionId, PersonId, ReviewId};
use rollbook_core::record::{ApplicationContent, BallotVote, Scheme, Scores, draw_commitment};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::known;
use super::opening::{Part, Reading};
use super::spell::missing_named;
use crate::drafting::parameters;
use crate::failure::Failure;
use crate::files;

/// The arguments are the fields.
pub fn nothing(_: &mut Map<String, Value>, _: &mut Reading) -> Result<(), Failure> {
    Ok(())
}

/// What a ballot says, unless a whole vote is given: a choice, or names. Where the motion's ballots are sealed it
/// is sealed here, and opened after the close.
pub fn vote(fields: &mut Map<String, Value>, reading: &mut Reading) -> Result<(), Failure> {
    let sealed = fields.remove("sealed");
    if fields.contains_key("vote") {
        remove(fields, &["choice", "names"]);
        return Ok(());
    }
    let vote = match (fields.remove("choice"), fields.remove("names")) {
        (None, Some(names)) => {
            let mut names: Vec<u64> = read(names)?;
            names.sort_unstable();
            json!({ "names": names })
        }
        (Some(choice), None) => json!({ "choice": choice }),
        (Some(_), Some(_)) => return Err(Failure::unusable(t("verb.choice-or-names", &[]))),
        (None, None) => return Err(need("names")),
    };
    let seals = match sealed.as_ref().and_then(Value::as_str) {
        Some(word) => word == "yes",
        None => known::is_sealed(fields, reading)?,
    };
    if !seals {
        fields.insert("vote".into(), vote);
        return Ok(());
    }
    let vote: BallotVote = read(vote)?;
    let (salt, motion) = (salt()?, number(fields, "motion"));
    let round = number(fields, "round").max(1);
    let organisation = match number(fields, "proxy_for") {
        0 => reading.principal,
        giver => giver,
    };
    let commitment = vote.commitment(
        &salt.0,
        MotionId(motion),
        round,
        OrganisationId(organisation),
    );
    let criterion = fields.remove("criterion");
    fields.insert("vote".into(), json!({ "sealed": commitment }));
    reading.parts.push(Part::Ballot {
        commitment,
        salt,
        motion,
        round,
        organisation,
        vote,
        criterion: criterion.and_then(|text| text.as_str().map(str::to_owned)),
    });
    Ok(())
}

/// Vote, salt and criterion from the opening, unless they are given.
pub fn motion_reveal(
    fields: &mut Map<String, Value>,
    reading: &mut Reading,
) -> Result<(), Failure> {
    if fields.contains_key("salt") {
        return Ok(());
    }
    let (motion, round) = (number(fields, "motion"), number(fields, "round").max(1));
    let whose = match number(fields, "proxy_for") {
        0 => reading.principal,
        giver => giver,
    };
    let found = reading.opened(
        &t("opening.of-ballot", &[("motion", motion.to_string())]),
        |part| match part {
            Part::Ballot {
                motion: of,
                round: in_round,
                organisation,
                vote,
                salt,
                criterion,
                ..
            } if (*of, *in_round, *organisation) == (motion, round, whose) => {
                Some((vote.clone(), *salt, criterion.clone()))
            }
            _ => None,
        },
    );
    let (vote, salt, criterion) = found?;
    fields.insert("vote".into(), json!(vote));
    fields.insert("salt".into(), json!(salt.0));
    fields.insert("criterion".into(), json!(criterion));
    Ok(())
}

/// R37: the charter in force as its next version, with the parameters that are set, unless a whole charter
/// is given. What it comes to is judged by the ledger's own bounds and floors.
pub fn charter_deposit(
    fields: &mut Map<String, Value>,
    reading: &mut Reading,
) -> Result<(), Failure> {
    let (set, text) = (fields.remove("set"), fields.remove("text"));
    if fields.contains_key("charter") {
        return Ok(());
    }
    let ledger = reading.ledger.clone().ok_or_else(|| need("charter"))?;
    let mut charter = ledger.charter()?;
    charter.version.0 += 1;
    if let Some(text) = text {
        charter.text = read(text)?;
    }
    let settings: Vec<String> = read(set.ok_or_else(|| need("set"))?)?;
    for setting in settings {
        let unreadable = || {
            let facts = [("found", setting.clone())];
            Failure::unusable(t("charter.set-unreadable", &facts))
                .next(t("charter.set-unreadable-next", &[]))
        };
        let (name, value) = setting.split_once('=').ok_or_else(unreadable)?;
        parameters::set_text(&mut charter, name.trim(), value.trim()).map_err(|_| unreadable())?;
        reading
            .words
            .push((name.trim().to_owned(), value.trim().to_owned()));
    }
    fields.insert("charter".into(), json!(charter));
    Ok(())
}

/// The instalment led to its receipt.
pub fn without_instalment(fields: &mut Map<String, Value>, _: &mut Reading) -> Result<(), Failure> {
    remove(fields, &["instalment"]);
    Ok(())
}

/// The recovery led to what waits at it.
pub fn without_recovery(fields: &mut Map<String, Value>, _: &mut Reading) -> Result<(), Failure> {
    remove(fields, &["recovery"]);
    Ok(())
}

/// The pledge led to the proposal.
pub fn without_contribution(
    fields: &mut Map<String, Value>,
    _: &mut Reading,
) -> Result<(), Failure> {
    remove(fields, &["contribution"]);
    Ok(())
}

/// Seals the content, unless a commitment is given.
pub fn application_submit(
    fields: &mut Map<String, Value>,
    reading: &mut Reading,
) -> Result<(), Failure> {
    if fields.contains_key("commitment") {
        remove(fields, &["project", "title", "ask", "document"]);
        return Ok(());
    }
    let content: ApplicationContent = read(json!({
        "project": taken(fields, "project")?,
        "title": taken(fields, "title")?,
        "ask": taken(fields, "ask")?,
        "partners": [],
        "document": taken(fields, "document")?,
    }))?;
    let (salt, call, applicant) = (salt()?, number(fields, "call"), reading.principal);
    let commitment = content.commitment(&salt.0, CallId(call), OrganisationId(applicant));
    fields.insert("commitment".into(), json!(commitment));
    reading.parts.push(Part::Application {
        commitment,
        salt,
        call,
        applicant,
        content,
    });
    Ok(())
}

/// Content and salt from the opening, unless they are given.
pub fn application_open(
    fields: &mut Map<String, Value>,
    reading: &mut Reading,
) -> Result<(), Failure> {
    if fields.contains_key("content") {
        return Ok(());
    }
    let (content, salt) = reading.opened("application", |part| match part {
        Part::Application { content, salt, .. } => Some((content.clone(), *salt)),
        _ => None,
    })?;
    fields.insert("content".into(), json!(content));
    fields.insert("salt".into(), json!(salt.0));
    Ok(())
}

/// Seals scores and comment, unless a seal is given.
pub fn review_seal(fields: &mut Map<String, Value>, reading: &mut Reading) -> Result<(), Failure> {
    if fields.contains_key("seal") {
        remove(fields, &["scores", "comment"]);
        return Ok(());
    }
    let scores = taken(fields, "scores")?;
    let comment = taken(fields, "comment")?;
    let scores: Scores = read(scores)?;
    let comment = comment
        .as_str()
        .and_then(Hash::from_hex)
        .unwrap_or(Hash::ZERO);
    let (salt, review) = (salt()?, number(fields, "review"));
    let commitment = scores.seal(&salt.0, ReviewId(review), &comment);
    fields.insert("seal".into(), json!(commitment));
    reading.parts.push(Part::Review {
        commitment,
        salt,
        review,
        scores,
        comment,
    });
    Ok(())
}

/// Scores, comment and salt from the opening, unless they are given.
pub fn review_reveal(
    fields: &mut Map<String, Value>,
    reading: &mut Reading,
) -> Result<(), Failure> {
    if fields.contains_key("salt") {
        return Ok(());
    }
    let review = number(fields, "review");
    let (scores, comment, salt) = reading.opened(
        &t("opening.of-review", &[("review", review.to_string())]),
        |part| match part {
            Part::Review {
                review: of,
                scores,
                comment,
                salt,
                ..
            } if *of == review => Some((scores.clone(), *comment, *salt)),
            _ => None,
        },
    )?;
    fields.insert("scores".into(), json!(scores));
    fields.insert("comment".into(), json!(comment));
    fields.insert("salt".into(), json!(salt.0));
    Ok(())
}

/// Scores and reason are one revision, or none.
pub fn review_finalise(fields: &mut Map<String, Value>, _: &mut Reading) -> Result<(), Failure> {
    let revision = match (fields.remove("scores"), fields.remove("reason")) {
        (None, None) => Value::Null,
        (Some(scores), Some(reason)) => json!({ "scores": scores, "reason": reason }),
        (None, _) => return Err(need("scores")),
        (_, None) => return Err(need("reason")),
    };
    fields.insert("revision".into(), revision);
    Ok(())
}

/// Seals a secret for an attempt of a draw, unless a commitment is given.
pub fn review_draw(fields: &mut Map<String, Value>, reading: &mut Reading) -> Result<(), Failure> {
    let attempt = fields
        .remove("attempt")
        .and_then(|value| value.as_u64())
        .map(|value| value as u32);
    if fields.contains_key("commitment") {
        return Ok(());
    }
    let attempt = attempt.ok_or_else(|| need("attempt"))?;
    let (secret, draw, person) = (salt()?, number(fields, "draw"), reading.person);
    let commitment = draw_commitment(DrawId(draw), attempt, PersonId(person), &secret.0);
    fields.insert("commitment".into(), json!(commitment));
    reading.parts.push(Part::Draw {
        commitment,
        secret,
        draw,
        attempt,
        person,
    });
    Ok(())
}

/// The secret from the opening, unless it is given.
pub fn review_reveal_draw(
    fields: &mut Map<String, Value>,
    reading: &mut Reading,
) -> Result<(), Failure> {
    if fields.contains_key("secret") {
        return Ok(());
    }
    let draw = number(fields, "draw");
    let secret = reading.opened(
        &t("opening.of-draw", &[("draw", draw.to_string())]),
        |part| match part {
            Part::Draw {
                draw: of, secret, ..
            } if *of == draw => Some(*secret),
            _ => None,
        },
    )?;
    fields.insert("secret".into(), json!(secret.0));
    Ok(())
}

/// Everything but the payment's number is its instruction, which gets a UETR if its scheme has one
/// and none is given.
pub fn payment_release(fields: &mut Map<String, Value>, _: &mut Reading) -> Result<(), Failure> {
    if fields.contains_key("instruction") {
        return Ok(());
    }
    let payment = fields.remove("payment");
    let reference = fields.remove("end_to_end");
    fields.extend(reference.map(|reference| ("reference".to_owned(), reference)));
    let scheme = fields.get("scheme").cloned().unwrap_or(Value::Null);
    if !fields.contains_key("uetr") && read::<Scheme>(scheme)?.has_uetr() {
        fields.insert("uetr".into(), json!(uuid_v4()?));
    }
    fields.entry("uetr").or_insert(Value::Null);
    let instruction = Value::Object(std::mem::take(fields));
    fields.extend([("instruction".to_owned(), instruction)]);
    fields.extend(payment.map(|payment| ("payment".to_owned(), payment)));
    Ok(())
}

fn number(fields: &Map<String, Value>, name: &str) -> u32 {
    fields.get(name).and_then(Value::as_u64).unwrap_or(0) as u32
}

fn need(name: &str) -> Failure {
    missing_named(&format!("--{name}"))
}

fn taken(fields: &mut Map<String, Value>, name: &str) -> Result<Value, Failure> {
    fields.remove(name).ok_or_else(|| need(name))
}

fn remove(fields: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        fields.remove(*name);
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value)
        .map_err(|error| Failure::unusable(t("verb.unreadable", &[])).because(error))
}

fn salt() -> Result<Hash, Failure> {
    files::random().map(Hash)
}

/// A random UUID of version 4, as a UETR is.
fn uuid_v4() -> Result<String, Failure> {
    let mut bytes: [u8; 32] = files::random()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(&bytes[..16]);
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    ))
}
