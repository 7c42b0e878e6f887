//! How people write what the ledger stores in a richer shape: `milestone:7`,
//! `refuse:evidence-incomplete:@reasons.txt`.
//!
//! Every form has a word under `form.` in the catalogue that says what is accepted; it is the hint
//! in help and the reason in an error. JSON is read as well, for programs: whatever begins with
//! `{`, `[` or `"`.

use rollbook_core::account::Unit;
use rollbook_core::calendar::{CivilDate, LocalDay, end_of_local_day};
use serde_json::{Value, json};

use super::money;
use super::opening::Reading;
use crate::failure::Failure;

/// A form: its word in the catalogue, and how it is read. `None`: the text is not of this form.
#[derive(Clone, Copy)]
pub struct Form {
    /// Key under `form.`, and the hint in help.
    pub name: &'static str,
    /// Hint of the command line.
    pub hint: &'static str,
    /// A text that is of this form, for tests.
    pub sample: &'static str,
    /// Whether it holds amounts, so that it is read once their unit is known.
    pub money: bool,
    /// Reads it. The first argument is the name of the field, for the opening file.
    pub read: fn(&str, &str, &mut Reading) -> Result<Option<Value>, Failure>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Form {
    fn eq(&self, other: &Form) -> bool {
        self.name == other.name
    }
}

impl Eq for Form {}

type Parsed = Result<Option<Value>, Failure>;

fn number(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

fn day(text: &str) -> Option<i64> {
    CivilDate::parse(text.trim())
        .ok()
        .map(|date| date.day_number().0)
}

/// Parts between commas, each read by `one`; none if one of them is not of the form.
fn list(text: &str, mut one: impl FnMut(&str) -> Parsed) -> Parsed {
    let mut all = Vec::new();
    for part in text.split(',').map(str::trim) {
        match one(part)? {
            Some(value) => all.push(value),
            None => return Ok(None),
        }
    }
    Ok(Some(Value::Array(all)))
}

/// The same where parts hold amounts, whose commas group digits.
fn money_list(text: &str, mut one: impl FnMut(&str) -> Parsed) -> Parsed {
    let mut all = Vec::new();
    for part in money::parts(text) {
        match one(part)? {
            Some(value) => all.push(value),
            None => return Ok(None),
        }
    }
    Ok(Some(Value::Array(all)))
}

/// An amount inside a form; why it is none is said as the failure.
fn amount(field: &str, text: &str, reading: &Reading) -> Result<u64, Failure> {
    let argument = format!("--{}", field.replace('_', "-"));
    money::read(text, reading).map_err(|why| money::bad(&argument, text, why))
}

fn name(_: &str, text: &str, _: &mut Reading) -> Parsed {
    let Some((native, latin)) = text.split_once('/') else {
        return Ok(None);
    };
    Ok(Some(
        json!({ "native": native.trim(), "latin": latin.trim() }),
    ))
}

fn unit(_: &str, text: &str, _: &mut Reading) -> Parsed {
    // Three letters are a currency, so that a mistyped one does not become a resource.
    let unit = if text.len() == 3 {
        Unit::currency(text)
    } else {
        Unit::resource(text)
    };
    Ok(unit.ok().and_then(|unit| serde_json::to_value(unit).ok()))
}

fn scope(_: &str, text: &str, _: &mut Reading) -> Parsed {
    Ok(match text.split_once(':') {
        Some(("fund", fund)) => number(fund).map(|fund| json!({ "Fund": fund })),
        _ => (text == "alliance").then(|| json!("Alliance")),
    })
}

fn pot(_: &str, text: &str, _: &mut Reading) -> Parsed {
    Ok(match text.split_once(':') {
        Some(("direction", direction)) => {
            number(direction).map(|direction| json!({ "direction": direction }))
        }
        _ => (text == "free").then(|| json!("free")),
    })
}

fn tranche(_: &str, text: &str, _: &mut Reading) -> Parsed {
    Ok(match text.split_once(':') {
        Some(("milestone", milestone)) => {
            number(milestone).map(|milestone| json!({ "milestone": milestone }))
        }
        _ => ["advance", "holdback"].contains(&text).then(|| json!(text)),
    })
}

fn subject(_: &str, text: &str, _: &mut Reading) -> Parsed {
    Ok(match text.split_once(':') {
        Some((kind @ ("call" | "agreement"), object)) => {
            number(object).map(|object| json!({ kind: object }))
        }
        _ => None,
    })
}

/// `CODE:REASON`, the reason sealed.
fn coded(field: &str, text: &str, reading: &mut Reading) -> Parsed {
    let Some((code, reason)) = text.split_once(':') else {
        return Ok(None);
    };
    let Some(reason) = reading.sealed(field, reason)? else {
        return Ok(None);
    };
    Ok(Some(json!({ "code": code, "reason": reason })))
}

fn decision(field: &str, text: &str, reading: &mut Reading) -> Parsed {
    match text.split_once(':') {
        Some(("refuse", rest)) => {
            Ok(coded(field, rest, reading)?.map(|refusal| json!({ "Refuse": refusal })))
        }
        _ => Ok((text == "pass").then(|| json!("Pass"))),
    }
}

fn verdict(field: &str, text: &str, reading: &mut Reading) -> Parsed {
    match text.split_once(':') {
        Some(("ineligible", rest)) => {
            Ok(coded(field, rest, reading)?.map(|verdict| json!({ "Ineligible": verdict })))
        }
        _ => Ok((text == "eligible").then(|| json!("Eligible"))),
    }
}

fn finding(field: &str, text: &str, reading: &mut Reading) -> Parsed {
    Ok(match text.split_once(':') {
        Some(("accept", accepted)) => {
            let accepted = amount(field, accepted, reading)?;
            Some(json!({ "accept": accepted }))
        }
        _ => ["rework", "reject"].contains(&text).then(|| json!(text)),
    })
}

const CONFLICTS: [&str; 5] = [
    "competitor",
    "investor",
    "employment-or-paid",
    "family-or-personal",
    "other",
];

fn declaration(_: &str, text: &str, _: &mut Reading) -> Parsed {
    Ok(match text {
        "none" => Some(json!("none")),
        kind => CONFLICTS
            .contains(&kind)
            .then(|| json!({ "conflict": kind })),
    })
}

fn review_declaration(_: &str, text: &str, _: &mut Reading) -> Parsed {
    Ok(match text {
        "clear" => Some(json!("Clear")),
        "declined" => Some(json!("Declined")),
        kind => CONFLICTS
            .contains(&kind)
            .then(|| json!({ "Recused": kind })),
    })
}

fn relations(field: &str, text: &str, reading: &mut Reading) -> Parsed {
    if text == "none" {
        return Ok(Some(json!([])));
    }
    list(text, |part| {
        let Some((other, rest)) = part.split_once(':') else {
            return Ok(None);
        };
        let (kind, evidence) = match rest.split_once(':') {
            Some((kind, evidence)) if RELATION_KINDS.contains(&kind) => (kind, evidence),
            _ => (RELATION_KINDS[0], rest),
        };
        let evidence = reading.document(field, evidence)?;
        Ok(number(other)
            .zip(evidence)
            .map(|(other, evidence)| json!({ "other": other, "kind": kind, "evidence": evidence })))
    })
}

fn instalments(field: &str, text: &str, reading: &mut Reading) -> Parsed {
    money_list(text, |part| {
        let Some((due, paid)) = part.split_once(':') else {
            return Ok(None);
        };
        let Some(due_day) = day(due) else {
            return Ok(None);
        };
        let paid = amount(field, paid, reading)?;
        Ok(Some(json!({ "due_day": due_day, "amount": paid })))
    })
}

fn milestones(field: &str, text: &str, reading: &mut Reading) -> Parsed {
    money_list(text, |part| {
        let mut parts = part.splitn(3, ':');
        let (Some(due), Some(paid), Some(evidence)) = (parts.next(), parts.next(), parts.next())
        else {
            return Ok(None);
        };
        let evidence = reading.document(field, evidence)?;
        let (Some(due), Some(evidence)) = (day(due), evidence) else {
            return Ok(None);
        };
        let paid = amount(field, paid, reading)?;
        let due_ms = end_of_local_day(LocalDay(due), reading.offset_minutes);
        Ok(Some(
            json!({ "amount": paid, "due_ms": due_ms, "evidence": evidence }),
        ))
    })
}

fn officers(_: &str, text: &str, _: &mut Reading) -> Parsed {
    let Some(Value::Array(mut officers)) = list(text, |part| {
        let Some((role, person)) = part.split_once(':') else {
            return Ok(None);
        };
        let role = crate::keystore::card::parse_role(role).filter(|role| role.is_post());
        Ok(role
            .zip(number(person))
            .map(|(role, person)| json!([role, person])))
    })?
    else {
        return Ok(None);
    };
    officers.sort_by_key(|officer| {
        let role: Option<rollbook_core::identity::Role> =
            serde_json::from_value(officer[0].clone()).ok();
        (role, officer[1].as_u64())
    });
    Ok(Some(Value::Array(officers)))
}

fn criteria(_: &str, text: &str, _: &mut Reading) -> Parsed {
    list(text, |part| {
        let parts: Vec<&str> = part.split(':').collect();
        let (code, weight, max, threshold) = match parts.as_slice() {
            [code, weight, max] => (code, weight, max, Some(0)),
            [code, weight, max, threshold] => (code, weight, max, number(threshold)),
            _ => return Ok(None),
        };
        let (Some(weight), Some(max), Some(threshold)) = (number(weight), number(max), threshold)
        else {
            return Ok(None);
        };
        Ok(Some(
            json!({ "code": code, "weight_bp": weight, "score_max": max, "threshold": threshold }),
        ))
    })
}

fn tie_breaks(_: &str, text: &str, _: &mut Reading) -> Parsed {
    list(text, |part| {
        Ok(match part.split_once(':') {
            Some(("criterion", index)) => number(index).map(|index| json!({ "criterion": index })),
            _ => ["smaller-ask", "earlier"]
                .contains(&part)
                .then(|| json!(part)),
        })
    })
}

fn eligibility(_: &str, text: &str, _: &mut Reading) -> Parsed {
    let (mut classes, mut outsiders, mut in_direction) = (Vec::new(), false, false);
    for part in text.split(',').map(str::trim) {
        match part {
            "outsiders" => outsiders = true,
            "in-direction" => in_direction = true,
            "founding" | "council" | "ordinary" | "associate" => classes.push(part),
            _ => return Ok(None),
        }
    }
    classes.sort_by_key(|class| {
        ["founding", "council", "ordinary", "associate"]
            .iter()
            .position(|known| known == class)
    });
    Ok(Some(
        json!({ "classes": classes, "outsiders": outsiders, "in_direction": in_direction }),
    ))
}

fn evidence(field: &str, text: &str, reading: &mut Reading) -> Parsed {
    let Some(Value::Array(mut evidence)) = list(text, |part| {
        let (part, shared) = part
            .strip_suffix(":shared")
            .map_or((part, false), |part| (part, true));
        let Some((kind @ ("document" | "doi" | "patent"), what)) = part.split_once(':') else {
            return Ok(None);
        };
        let hash = match kind {
            "document" => reading.document(field, what)?,
            // A DOI in lower case; a patent's country, number and kind without spaces, in capitals.
            "doi" => Some(rollbook_proof::crypto::sha256(what.to_lowercase().as_bytes()).to_hex()),
            _ => Some(
                rollbook_proof::crypto::sha256(what.replace(' ', "").to_uppercase().as_bytes())
                    .to_hex(),
            ),
        };
        Ok(hash.map(|hash| json!({ "kind": kind, "hash": hash, "shared": shared })))
    })?
    else {
        return Ok(None);
    };
    let rank = |entry: &Value| {
        ["document", "doi", "patent"]
            .iter()
            .position(|kind| entry["kind"] == *kind)
    };
    evidence.sort_by_key(|entry| (rank(entry), entry["hash"].as_str().map(str::to_owned)));
    Ok(Some(Value::Array(evidence)))
}

const fn form(
    name: &'static str,
    hint: &'static str,
    sample: &'static str,
    read: fn(&str, &str, &mut Reading) -> Parsed,
) -> Form {
    Form {
        name,
        hint,
        sample,
        money: false,
        read,
    }
}

/// A form that holds amounts.
const fn with_money(form: Form) -> Form {
    Form {
        money: true,
        ..form
    }
}

/// Two names: `内容基金/Content fund`.
pub const NAME: Form = form("name", "NATIVE/LATIN", "内容基金/Content fund", name);
/// `CNY`, `GPU-HOUR`.
pub const UNIT: Form = form("unit", "CODE", "CNY", unit);
/// `alliance`, `fund:1`.
pub const SCOPE: Form = form("scope", "alliance|fund:N", "fund:1", scope);
/// `free`, `direction:1`.
pub const POT: Form = form("pot", "free|direction:N", "direction:1", pot);
/// `advance`, `milestone:7`, `holdback`.
pub const TRANCHE: Form = form(
    "tranche",
    "advance|milestone:N|holdback",
    "milestone:7",
    tranche,
);
/// `call:1`, `agreement:1`.
pub const SUBJECT: Form = form("subject", "call:N|agreement:N", "call:1", subject);
/// `pass`, `refuse:CODE:@FILE`.
pub const DECISION: Form = form("decision", "pass|refuse:CODE:@FILE", "pass", decision);
/// `eligible`, `ineligible:CODE:@FILE`.
pub const VERDICT: Form = form(
    "verdict",
    "eligible|ineligible:CODE:@FILE",
    "eligible",
    verdict,
);
/// `accept:AMOUNT`, `rework`, `reject`.
pub const FINDING: Form = with_money(form(
    "finding",
    "accept:AMOUNT|rework|reject",
    "accept:4,000.00",
    finding,
));
/// `none` or a kind of conflict.
pub const DECLARATION: Form = form("declaration", "none|KIND", "investor", declaration);
/// `clear`, `declined` or a kind of conflict.
pub const REVIEW_DECLARATION: Form = form(
    "review-declaration",
    "clear|declined|KIND",
    "clear",
    review_declaration,
);
/// What ties two organisations; control where nothing is said.
pub const RELATION_KINDS: &[&str] = &[
    "control",
    "common-control",
    "investor",
    "contract",
    "family",
    "other",
];
/// `none`, `13:@evidence.pdf`, `14:investor:@shares.pdf`.
pub const RELATIONS: Form = form("relations", "none|N[:KIND]:@FILE,..", "none", relations);
/// `2026-12-31:100,000.00,2027-06-30:100,000.00`.
pub const INSTALMENTS: Form = with_money(form(
    "instalments",
    "DATE:AMOUNT,..",
    "2026-12-31:100,000.00,2027-06-30:50,000.00",
    instalments,
));
/// `2026-12-31:100,000.00:@what-counts.pdf`.
pub const MILESTONES: Form = with_money(form(
    "milestones",
    "DATE:AMOUNT:@FILE,..",
    "2026-12-31:90,000.00:6a09e667f3bcc908b2fb1366ea957d3e3adec17512775099da2f590b0667322a",
    milestones,
));
/// `treasurer:61,second-officer:62`.
pub const OFFICERS: Form = form(
    "officers",
    "ROLE:PERSON,..",
    "treasurer:61,second-officer:62,finance-approver:64,programme-officer:63",
    officers,
);
/// `quality:5000:10,benefit:5000:10:4`.
pub const CRITERIA: Form = form(
    "criteria",
    "CODE:WEIGHT:MAX[:LEAST],..",
    "quality:5000:10,benefit:5000:10:4",
    criteria,
);
/// `criterion:0,smaller-ask,earlier`.
pub const TIE_BREAKS: Form = form(
    "tie-breaks",
    "WORD,..",
    "criterion:0,smaller-ask,earlier",
    tie_breaks,
);
/// `founding,council,outsiders,in-direction`.
pub const ELIGIBILITY: Form = form(
    "eligibility",
    "CLASS,..[,outsiders][,in-direction]",
    "ordinary,founding",
    eligibility,
);
/// `document:@report.pdf,doi:10.1/x:shared`.
pub const EVIDENCE: Form = form(
    "evidence",
    "document:@FILE|doi:X|patent:X,..",
    "doi:10.1000/182,patent:CN 123 A",
    evidence,
);

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "6a09e667f3bcc908b2fb1366ea957d3e3adec17512775099da2f590b0667322a";

    #[test]
    fn lists_are_sorted_as_the_ledger_wants_them() {
        let mut reading = Reading {
            unit: Some(Unit::default()),
            ..Reading::default()
        };
        let read = |form: Form, text: &str, reading: &mut Reading| {
            (form.read)("x", text, reading).ok().flatten()
        };
        assert_eq!(
            read(ELIGIBILITY, "ordinary,founding", &mut reading).unwrap()["classes"],
            json!(["founding", "ordinary"])
        );
        let officers = read(OFFICERS, OFFICERS.sample, &mut reading).unwrap();
        assert_eq!(officers[0], json!(["treasurer", 61]));
        assert_eq!(officers[2], json!(["programme-officer", 63]));
        assert_eq!(read(TRANCHE, "milestone:x", &mut reading), None);
        assert_eq!(read(INSTALMENTS, "2026-02-30:5", &mut reading), None);
        let instalments = read(INSTALMENTS, INSTALMENTS.sample, &mut reading).unwrap();
        assert_eq!(instalments[0]["amount"], json!(10_000_000));
        assert_eq!(instalments[1]["amount"], json!(5_000_000));
        assert_eq!(
            read(EVIDENCE, &format!("document:{HASH}:shared"), &mut reading).unwrap()[0]["shared"],
            json!(true)
        );
    }
}
