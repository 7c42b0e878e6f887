//! What the ledger knows of an act's fields (RULINGS A33): the receipt to confirm, the draft to sign,
//! what was certified, what a tranche pays, the call of an agreement, the charter in force.
//!
//! Each function here is named in the table of verbs. It reads what leads there (the number of an
//! agreement, of a payment) and tells the values of other fields; a value that was given has to
//! agree. What is not obvious from a hash is said in words. State that carries proofs is verified;
//! working tables are as told by a node, and a record they name is fetched with its proof.

use std::fmt::Debug;
use std::path::Path;

use rollbook_core::account::{Amount, Unit};
use rollbook_core::charter::Charter;
use rollbook_core::id::Id as _;
use rollbook_core::object::agreement::Agreement;
use rollbook_core::object::award::Award;
use rollbook_core::object::call::Call;
use rollbook_core::object::fund::Fund;
use rollbook_core::object::membership::Membership;
use rollbook_core::object::motion::Motion;
use rollbook_core::object::payment::Payment;
use rollbook_core::record::{
    AwardAct, Body, Criterion, FundAct, MembershipAct, MotionEffect, Record,
};
use rollbook_core::state::{TableValue, decode_value};
use rollbook_proof::crypto::Hash;
use rollbook_wire::known::Known;
use rollbook_words::amount::in_full;
use rollbook_words::catalogue::t;
use serde_json::{Map, Value, json};

use super::opening;
use super::opening::{Part, Reading};
use crate::failure::Failure;

/// Fields with the values that the ledger has for them.
pub type Told = Vec<(&'static str, Value)>;
type Fields = Map<String, Value>;
type Answer = Result<Told, Failure>;

/// A ledger that can be asked.
pub trait Ledger: Debug {
    /// Bytes of a proved table at a path; none if nothing stands there, which is proved, too.
    fn state(&self, path: &str) -> Result<Option<Vec<u8>>, Failure>;
    /// The charter in force.
    fn charter(&self) -> Result<Charter, Failure>;
    /// What a node tells of the working tables (`/v1/known`).
    fn told(&self, object: &str, number: u32) -> Result<Known, Failure>;
    /// A record of the log, proved, by its id.
    fn record(&self, id: &str) -> Result<Record, Failure>;
}

/// There is no such object.
pub fn absent(object: &str, number: u32) -> Failure {
    let facts = [
        ("object", t(&format!("object.{object}"), &[])),
        ("number", number.to_string()),
    ];
    Failure::refused(t("known.absent", &facts)).next(t("known.absent-next", &facts))
}

/// An object of a proved table.
pub fn object<T: TableValue>(ledger: &dyn Ledger, table: &str, number: u32) -> Result<T, Failure> {
    let bytes = ledger
        .state(&format!("{table}/{number}"))?
        .ok_or_else(|| absent(table, number))?;
    decode_value(&bytes).map_err(|error| {
        let facts = [("path", format!("{table}/{number}"))];
        Failure::unusable(t("show.unreadable", &facts))
            .because(error)
            .next(t("show.unreadable-next", &[]))
    })
}

fn number(fields: &Fields, name: &str) -> Option<u32> {
    fields.get(name)?.as_u64()?.try_into().ok()
}

/// The ledger knows nothing of these fields.
pub fn nothing(_: &Fields, _: &mut Reading) -> Answer {
    Ok(Vec::new())
}

/// An object that a field numbers; none if the field is missing, which is told elsewhere, or nobody
/// can be asked.
fn named<T: TableValue>(
    fields: &Fields,
    reading: &Reading,
    table: &str,
) -> Result<Option<T>, Failure> {
    match (number(fields, table), &reading.ledger) {
        (Some(number), Some(ledger)) => object(ledger.as_ref(), table, number).map(Some),
        _ => Ok(None),
    }
}

/// R37: the version that an amendment replaces.
pub fn version(_: &Fields, reading: &mut Reading) -> Answer {
    let Some(ledger) = reading.ledger.clone() else {
        return Ok(Vec::new());
    };
    Ok(vec![("replaces", json!(ledger.charter()?.version))])
}

/// R31: whether ballots on a motion are sealed, by the charter in force: one that it opened under and that
/// says otherwise refuses the ballot.
pub fn is_sealed(fields: &Fields, reading: &Reading) -> Result<bool, Failure> {
    let motion: Option<Motion> = named(fields, reading, "motion")?;
    let (Some(motion), Some(ledger)) = (motion, &reading.ledger) else {
        return Ok(false);
    };
    if matches!(motion.effect, MotionEffect::Rescind(_)) {
        return Ok(false);
    }
    let visibility = ledger.charter()?.motions.ballot_visibility;
    Ok(visibility.seals(motion.kind, &motion.rule))
}

/// M01: the charter's text that applicants sign.
pub fn charter(_: &Fields, reading: &mut Reading) -> Answer {
    let Some(ledger) = reading.ledger.clone() else {
        return Ok(Vec::new());
    };
    let charter = ledger.charter()?;
    reading.word("known.charter", charter.version.0.to_string());
    Ok(vec![("charter", json!(charter.text))])
}

/// M09: the participation agreement that the applicant signed.
pub fn participation(fields: &Fields, reading: &mut Reading) -> Answer {
    let membership: Option<Membership> = named(fields, reading, "membership")?;
    let agreement = membership.and_then(|membership| membership.agreement);
    Ok(agreement
        .map(|hash| ("agreement", json!(hash)))
        .into_iter()
        .collect())
}

/// A47: the running round of ballots.
pub fn round(fields: &Fields, reading: &mut Reading) -> Answer {
    let motion: Option<Motion> = named(fields, reading, "motion")?;
    let round = motion.map(|motion| motion.round.max(1));
    Ok(round
        .map(|round| ("round", json!(round)))
        .into_iter()
        .collect())
}

/// M27: the receipt of dues that waits for the second person.
pub fn dues_receipt(fields: &Fields, reading: &mut Reading) -> Answer {
    waiting(fields, reading, ("invoice", "receipt"))
}

/// F03: the receipt that waits for the second person.
pub fn receipt(fields: &Fields, reading: &mut Reading) -> Answer {
    waiting(fields, reading, ("instalment", "receipt"))
}

/// F34: the proposal that waits for the treasurer.
pub fn cancellation(fields: &Fields, reading: &mut Reading) -> Answer {
    waiting(fields, reading, ("contribution", "proposal"))
}

/// F26: the entry of money that came back, which waits for a second officer.
pub fn recovery_receipt(fields: &Fields, reading: &mut Reading) -> Answer {
    waiting(fields, reading, ("recovery", "receipt"))
}

/// F45: the debt that was set off and waits for the treasurer.
pub fn set_off(fields: &Fields, reading: &mut Reading) -> Answer {
    waiting_at(fields, reading, ("recovery", "set-off", "entry"))
}

/// The one record that waits at an object; among several the one whose id begins as given.
fn waiting(fields: &Fields, reading: &mut Reading, (table, field): (&str, &'static str)) -> Answer {
    waiting_at(fields, reading, (table, table, field))
}

/// The same where what is asked for has another name than the object that is numbered.
fn waiting_at(
    fields: &Fields,
    reading: &mut Reading,
    (table, asked, field): (&str, &str, &'static str),
) -> Answer {
    let (Some(number), Some(ledger)) = (number(fields, table), reading.ledger.clone()) else {
        return Ok(Vec::new());
    };
    let known = ledger.told(asked, number)?;
    let begun = fields.get(field).and_then(Value::as_str).unwrap_or("");
    let found: Vec<&Hash> = known
        .waiting
        .iter()
        .filter(|record| record.to_hex().starts_with(begun))
        .collect();
    // Of what a node says that it waits, the record itself is proved.
    let unit = match known.fund {
        Some(fund) => Some(object::<Fund>(ledger.as_ref(), "fund", fund.0)?.unit),
        None => ledger
            .charter()
            .ok()
            .and_then(|charter| Unit::currency(charter.currency.as_str()).ok()),
    };
    let said = |record: &Hash| {
        let text = ledger
            .record(&record.to_hex())
            .map(|found| entered(&found, unit.as_ref()))?;
        Ok::<_, Failure>(format!("{}  {text}", record.short()))
    };
    match found.as_slice() {
        [only] => {
            let text = said(only)?;
            reading.word(&format!("known.{field}"), text);
            Ok(vec![(field, json!(only))])
        }
        [] => {
            let facts = [
                ("object", t(&format!("object.{table}"), &[])),
                ("number", number.to_string()),
                ("what", t(&format!("known.{field}"), &[])),
            ];
            Err(Failure::refused(t("known.nothing-waits", &facts))
                .next(t("known.nothing-waits-next", &facts)))
        }
        several => {
            let list: Result<Vec<String>, Failure> =
                several.iter().map(|record| said(record)).collect();
            let facts = [
                ("object", t(&format!("object.{table}"), &[])),
                ("number", number.to_string()),
                ("argument", format!("--{field}")),
            ];
            Err(Failure::unusable(t("known.several-wait", &facts))
                .because(list?.join("; "))
                .next(t("known.several-wait-next", &facts)))
        }
    }
}

/// What a record that waits says, in words.
fn entered(record: &Record, unit: Option<&Unit>) -> String {
    let money = |amount: Amount| money(amount, unit);
    match &record.payload.body {
        Body::Fund(FundAct::RecordReceipt(entry)) => t(
            "known.entered",
            &[
                ("amount", money(entry.amount)),
                ("reference", entry.reference.0.to_string()),
                ("day", entry.value_day.to_string()),
                ("person", record.payload.officer.0.to_string()),
            ],
        ),
        Body::Award(AwardAct::ReceiveRecovery(entry)) => t(
            "known.entered",
            &[
                ("amount", money(entry.amount)),
                ("reference", entry.reference.0.to_string()),
                ("day", entry.value_day.to_string()),
                ("person", record.payload.officer.0.to_string()),
            ],
        ),
        Body::Award(AwardAct::SetOff(entry)) => t(
            "known.set-off",
            &[
                ("amount", money(entry.amount)),
                ("payment", entry.payment.short().to_string()),
                ("person", record.payload.officer.0.to_string()),
            ],
        ),
        Body::Membership(MembershipAct::Receive(entry) | MembershipAct::PayBack(entry)) => t(
            "known.entered",
            &[
                ("amount", money(entry.amount)),
                ("reference", entry.reference.0.to_string()),
                ("day", entry.value_date.to_string()),
                ("person", record.payload.officer.0.to_string()),
            ],
        ),
        Body::Fund(FundAct::ProposeCancel { instalments, .. }) => {
            let numbers: Vec<String> = instalments
                .iter()
                .map(|number| number.0.to_string())
                .collect();
            t(
                "known.cancelled",
                &[("instalments", numbers.join(&t("word.list", &[])))],
            )
        }
        other => other.code().to_owned(),
    }
}

/// An amount as one signs it.
fn money(amount: Amount, unit: Option<&Unit>) -> String {
    match unit {
        Some(unit) => in_full(amount.0, unit.code(), unit.exponent()),
        None => t("money.smallest", &[("minor", amount.0.to_string())]),
    }
}

fn unit_of(fund: u32, reading: &Reading) -> Result<Option<Unit>, Failure> {
    let Some(ledger) = &reading.ledger else {
        return Ok(None);
    };
    Ok(Some(object::<Fund>(ledger.as_ref(), "fund", fund)?.unit))
}

/// F13: what an agreement repeats of its award, its call and the charter.
pub fn award(fields: &Fields, reading: &mut Reading) -> Answer {
    let (Some(award), Some(ledger)) = (
        named::<Award>(fields, reading, "award")?,
        reading.ledger.clone(),
    ) else {
        return Ok(Vec::new());
    };
    let call: Call = object(ledger.as_ref(), "call", award.call.0)?;
    let fund: Fund = object(ledger.as_ref(), "fund", award.fund.0)?;
    let charter = ledger.charter()?;
    reading.word("known.total", money(award.amount, Some(&fund.unit)));
    reading.word("known.grantee", name(ledger.as_ref(), award.grantee.0));
    reading.word(
        "known.call",
        format!(
            "{}  {} / {}",
            call.number, call.terms.title.native, call.terms.title.latin
        ),
    );
    let mut told = vec![
        ("grantee", json!(award.grantee)),
        ("instrument", json!(award.instrument)),
        ("total", json!(award.amount)),
        ("unit", json!(fund.unit)),
        ("charter", json!(charter.version)),
        ("call", json!(call.terms_hash)),
    ];
    // The charter says the least; more may be agreed.
    if !fields.contains_key("holdback_bp") {
        told.push(("holdback_bp", json!(charter.funding.holdback_bp)));
    }
    Ok(told)
}

/// An organisation by number and name.
pub fn name(ledger: &dyn Ledger, number: u32) -> String {
    let organisation: Result<rollbook_core::identity::Organisation, Failure> =
        object(ledger, "organisation", number);
    match organisation {
        Ok(entry) => crate::objects::named(number, &entry.name),
        Err(_) => rollbook_proof::number::OrganisationId(number).to_string(),
    }
}

/// Says what the terms of an agreement are.
fn terms(agreement: &Agreement, reading: &mut Reading) -> Result<(), Failure> {
    let unit = unit_of(agreement.fund.0, reading)?;
    let Some(ledger) = reading.ledger.clone() else {
        return Ok(());
    };
    reading.word("known.grantee", name(ledger.as_ref(), agreement.grantee.0));
    reading.word("known.total", money(agreement.terms.total, unit.as_ref()));
    reading.word(
        "known.advance",
        money(agreement.terms.advance, unit.as_ref()),
    );
    let holdback = agreement.terms.holdback_bp;
    reading.word(
        "known.holdback",
        format!("{}.{:02} %", holdback / 100, holdback % 100),
    );
    for (number, plan) in agreement.milestones().zip(&agreement.terms.milestones) {
        let facts = [
            ("number", number.0.to_string()),
            ("amount", money(plan.amount, unit.as_ref())),
            ("due", rollbook_words::dates::time(plan.due_ms)),
        ];
        reading.word("known.milestone", t("known.milestone-due", &facts));
    }
    Ok(())
}

/// F13: the draft that the grantee signs, and the digest of its terms.
pub fn draft(fields: &Fields, reading: &mut Reading) -> Answer {
    let Some(agreement) = named::<Agreement>(fields, reading, "agreement")? else {
        return Ok(Vec::new());
    };
    terms(&agreement, reading)?;
    Ok(vec![
        ("draft", json!(agreement.drafted)),
        ("terms", json!(agreement.digest)),
    ])
}

/// F13: the grantee's signature that officers of the fund countersign, and the digest of the terms.
pub fn signature(fields: &Fields, reading: &mut Reading) -> Answer {
    let Some(agreement) = named::<Agreement>(fields, reading, "agreement")? else {
        return Ok(Vec::new());
    };
    terms(&agreement, reading)?;
    let mut told = vec![("terms", json!(agreement.digest))];
    told.extend(agreement.signed.map(|signed| ("signed", json!(signed))));
    Ok(told)
}

/// F42: the change of account that waits for its confirmation.
pub fn account_change(fields: &Fields, reading: &mut Reading) -> Answer {
    let agreement: Option<Agreement> = named(fields, reading, "agreement")?;
    let change = agreement.and_then(|agreement| agreement.change);
    let Some(change) = change else {
        return Ok(Vec::new());
    };
    Ok(vec![
        ("change", json!(change.record)),
        ("account", json!(change.account)),
    ])
}

/// F16: what the tranche pays, as the ledger computes it.
pub fn tranche(fields: &Fields, reading: &mut Reading) -> Answer {
    let (Some(number), Some(ledger), Some(wanted)) = (
        number(fields, "agreement"),
        reading.ledger.clone(),
        fields.get("tranche"),
    ) else {
        return Ok(Vec::new());
    };
    let agreement: Agreement = object(ledger.as_ref(), "agreement", number)?;
    let unit = unit_of(agreement.fund.0, reading)?;
    let known = ledger.told("agreement", number)?;
    let found = known
        .tranches
        .iter()
        .find(|(tranche, _)| json!(tranche) == *wanted);
    let Some((_, amount)) = found else {
        // Nothing can be requested; the rule says why.
        return Ok(Vec::new());
    };
    reading.word("known.amount", money(*amount, unit.as_ref()));
    Ok(vec![("amount", json!(amount))])
}

fn payment(fields: &Fields, reading: &mut Reading) -> Result<Option<Payment>, Failure> {
    let Some(payment) = named::<Payment>(fields, reading, "payment")? else {
        return Ok(None);
    };
    let unit = unit_of(payment.fund.0, reading)?;
    reading.word("known.amount", money(payment.amount, unit.as_ref()));
    Ok(Some(payment))
}

/// F21, F22: the amount of the payment.
pub fn amount(fields: &Fields, reading: &mut Reading) -> Answer {
    let payment = payment(fields, reading)?;
    Ok(payment
        .map(|payment| ("amount", json!(payment.amount)))
        .into_iter()
        .collect())
}

/// F18: the certificate, and the amount of the payment.
pub fn certificate(fields: &Fields, reading: &mut Reading) -> Answer {
    let Some(payment) = payment(fields, reading)? else {
        return Ok(Vec::new());
    };
    let mut told = vec![("amount", json!(payment.amount))];
    told.extend(payment.certified.map(|record| ("certified", json!(record))));
    Ok(told)
}

/// F20: the amount of the payment, and the account in force of its agreement.
pub fn instruction(fields: &Fields, reading: &mut Reading) -> Answer {
    let (Some(payment), Some(ledger)) = (payment(fields, reading)?, reading.ledger.clone()) else {
        return Ok(Vec::new());
    };
    let agreement: Agreement = object(ledger.as_ref(), "agreement", payment.agreement.0)?;
    reading.word("known.grantee", name(ledger.as_ref(), agreement.grantee.0));
    if let Some(file) = reading.opening.clone()
        && !fields.contains_key("account")
    {
        opened_account(&file, agreement.account, reading)?;
    }
    Ok(vec![
        ("amount", json!(payment.amount)),
        ("account", json!(agreement.account)),
    ])
}

/// Says the account that an opening holds, once it is that of the agreement.
fn opened_account(file: &Path, account: Hash, reading: &mut Reading) -> Result<(), Failure> {
    let shown = ("file", file.display().to_string());
    let content = opening::read(file)?
        .into_iter()
        .find_map(|part| match part {
            Part::Content {
                field,
                commitment,
                text,
                ..
            } if field == "account" => Some((commitment, text)),
            _ => None,
        });
    let Some((commitment, text)) = content else {
        let facts = [shown, ("what", "account".to_owned())];
        return Err(
            Failure::unusable(t("opening.no-part", &facts)).next(t("opening.no-part-next", &[]))
        );
    };
    if commitment != account {
        let facts = [shown];
        return Err(Failure::refused(t("known.other-account", &facts))
            .because(t("known.differs-why", &[]))
            .next(t("known.other-account-next", &facts)));
    }
    if let Some(text) = text {
        reading.word("known.account", text.trim().to_owned());
    }
    Ok(())
}

/// R22: the attempt of a draw, which a commitment names.
pub fn attempt(fields: &Fields, reading: &mut Reading) -> Answer {
    let (Some(draw), Some(ledger)) = (number(fields, "draw"), reading.ledger.clone()) else {
        return Ok(Vec::new());
    };
    let attempt = ledger.told("draw", draw)?.attempt;
    Ok(attempt
        .map(|attempt| ("attempt", json!(attempt)))
        .into_iter()
        .collect())
}

/// F09: nothing that is typed is told; scores that are typed must fit the criteria of the review's
/// call. What is sealed cannot be mended, and a score that is out of range can never be revealed.
pub fn scores(fields: &Fields, reading: &mut Reading) -> Answer {
    let scores: Option<Vec<u32>> = fields
        .get("scores")
        .and_then(|scores| serde_json::from_value(scores.clone()).ok());
    let (Some(scores), Some(review), Some(ledger)) =
        (scores, number(fields, "review"), reading.ledger.clone())
    else {
        return Ok(Vec::new());
    };
    let Some(call) = ledger.told("review", review)?.call else {
        return Ok(Vec::new());
    };
    let criteria = object::<Call>(ledger.as_ref(), "call", call.0)?
        .terms
        .criteria;
    let Some(why) = misfit(&scores, &criteria) else {
        return Ok(Vec::new());
    };
    let list: Vec<String> = criteria
        .iter()
        .map(|criterion| format!("{} 0-{}", criterion.code.as_str(), criterion.score_max))
        .collect();
    let facts = [("criteria", list.join(", "))];
    Err(Failure::unusable(t("sign.scores", &facts))
        .because(why)
        .next(t("sign.scores-next", &facts)))
}

/// What does not fit: how many scores, or one above its top.
fn misfit(scores: &[u32], criteria: &[Criterion]) -> Option<String> {
    if scores.len() != criteria.len() {
        let facts = [
            ("found", scores.len().to_string()),
            ("expected", criteria.len().to_string()),
        ];
        return Some(t("sign.scores-count", &facts));
    }
    let (score, criterion) = scores
        .iter()
        .zip(criteria)
        .find(|(score, criterion)| **score > criterion.score_max)?;
    let facts = [
        ("score", score.to_string()),
        ("criterion", criterion.code.to_string()),
        ("top", criterion.score_max.to_string()),
    ];
    Some(t("sign.scores-top", &facts))
}

/// The unit of an act's amounts, from what its fields name; none if nobody can be asked or nothing
/// leads there.
pub fn unit(fields: &Fields, reading: &Reading) -> Result<Option<Unit>, Failure> {
    if let Some(unit) = fields.get("unit") {
        return Ok(serde_json::from_value(unit.clone()).ok());
    }
    let Some(ledger) = &reading.ledger else {
        return Ok(None);
    };
    let ledger = ledger.as_ref();
    let about = |object: &str| {
        let number = number(fields, object)?;
        Some(ledger.told(object, number).map(|known| known.fund))
    };
    let fund = if let Some(number) = number(fields, "fund") {
        Some(number)
    } else if let Some(number) = number(fields, "call") {
        Some(object::<Call>(ledger, "call", number)?.terms.fund.0)
    } else if let Some(number) = number(fields, "award") {
        Some(object::<Award>(ledger, "award", number)?.fund.0)
    } else if let Some(number) = number(fields, "agreement") {
        Some(object::<Agreement>(ledger, "agreement", number)?.fund.0)
    } else if let Some(number) = number(fields, "payment") {
        Some(object::<Payment>(ledger, "payment", number)?.fund.0)
    } else if fields.contains_key("invoice") || fields.contains_key("parts") {
        let currency = ledger.charter()?.currency;
        return Ok(Unit::currency(currency.as_str()).ok());
    } else {
        let told = ["application", "instalment", "milestone", "recovery"]
            .into_iter()
            .find_map(about)
            .transpose()?;
        told.flatten().map(|fund| fund.0)
    };
    fund.map(|fund| object::<Fund>(ledger, "fund", fund).map(|fund| fund.unit))
        .transpose()
}

#[cfg(test)]
mod tests {
    use rollbook_proof::codec::Text;

    use super::*;

    #[test]
    fn scores_fit_their_criteria() {
        let criterion = |code: &str, score_max: u32| Criterion {
            code: Text::new(code).unwrap(),
            weight_bp: 5_000,
            score_max,
            threshold: 0,
        };
        let criteria = [criterion("quality", 10), criterion("team", 100)];
        assert_eq!(misfit(&[10, 100], &criteria), None);
        assert!(misfit(&[80, 7], &criteria).unwrap().contains("quality"));
        assert!(misfit(&[8], &criteria).unwrap().contains('2'));
    }
}
