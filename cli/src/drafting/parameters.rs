//! Charter parameters by dotted name, such as `funding.holdback_bp` or `rules.admit.board.quorum`.
//!
//! The names are those of the charter's own fields, so every parameter of this build has one, and
//! no list can fall behind.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::account::Amount;
use rollbook_core::calendar::Period;
use rollbook_core::charter::Charter;
use rollbook_core::charter::motions::{Base, Fraction, Pass, Preset, Threshold};
use rollbook_proof::codec::{Text, Wire};
use serde_json::Value;
use toml::de::DeValue;

use crate::input::problem::nearest;
use crate::input::toml_file::whole_number;
use crate::output::word;

/// Why a parameter was not set.
#[derive(Debug, PartialEq, Eq)]
pub enum ParameterError {
    /// There is none of this name.
    Unknown {
        /// The nearest one.
        near: Option<String>,
    },
    /// The value does not fit; the value in force shows the form.
    Value {
        /// The value that the preset has.
        example: String,
    },
}

/// The preset of a word.
pub fn preset(text: &str) -> Option<Preset> {
    [Preset::Default, Preset::Foundation, Preset::CnAssociation]
        .into_iter()
        .find(|preset| word(preset) == text)
}

/// The words of all presets.
pub const PRESETS: [&str; 3] = ["default", "foundation", "cn-association"];

/// Every parameter with its value.
pub fn all(charter: &Charter) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let sections = [
        ("membership", serde_json::to_value(charter.membership)),
        ("standing", serde_json::to_value(charter.standing)),
        ("terms", serde_json::to_value(charter.terms)),
        ("motions", serde_json::to_value(charter.motions)),
        ("growth", serde_json::to_value(charter.growth)),
        ("people", serde_json::to_value(charter.people)),
        ("funding", serde_json::to_value(charter.funding)),
        ("chain", serde_json::to_value(charter.chain)),
    ];
    for (section, value) in sections {
        if let Ok(Value::Object(fields)) = value {
            for (name, value) in fields {
                match value {
                    // The limits of a day: one more level.
                    Value::Object(inner) => all.extend(
                        inner
                            .into_iter()
                            .map(|(field, value)| (format!("{section}.{name}.{field}"), value)),
                    ),
                    value => {
                        all.insert(format!("{section}.{name}"), value);
                    }
                }
            }
        }
    }
    all.insert("board_seats".into(), charter.board_seats.into());
    all.insert("offset_minutes".into(), charter.offset_minutes.into());
    all.insert("currency".into(), charter.currency.to_string().into());
    all.insert(
        "criteria".into(),
        charter
            .criteria
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .into(),
    );
    let codes: Vec<String> = charter.currencies.iter().map(ToString::to_string).collect();
    all.insert("currencies".into(), codes.into());
    for limits in &charter.limits {
        if let Ok(Value::Object(fields)) = serde_json::to_value(limits) {
            let named = fields.into_iter().filter(|(name, _)| name != "unit");
            all.extend(
                named.map(|(name, value)| (format!("limits.{}.{name}", limits.unit.code()), value)),
            );
        }
    }
    for rule in &charter.classes {
        let class = word(rule.class);
        all.insert(
            format!("classes.{class}.assembly_vote"),
            rule.assembly_vote.into(),
        );
        all.insert(
            format!("classes.{class}.seat_eligible"),
            rule.seat_eligible.into(),
        );
        all.insert(format!("classes.{class}.dues"), rule.dues.0.into());
    }
    for entry in &charter.rules.entries {
        let path = format!("rules.{}.{}", word(entry.kind), word(entry.rule.body));
        all.insert(
            format!("{path}.quorum"),
            entry.rule.quorum.to_string().into(),
        );
        all.insert(format!("{path}.pass"), pass_text(&entry.rule.pass).into());
        all.insert(
            format!("{path}.ballot_min"),
            period_text(entry.rule.ballot_min).into(),
        );
        all.insert(
            format!("{path}.ballot_max"),
            period_text(entry.rule.ballot_max).into(),
        );
        all.insert(
            format!("{path}.stay"),
            entry
                .rule
                .stay
                .map_or_else(|| "none".to_owned(), period_text)
                .into(),
        );
    }
    all
}

/// The parameters in which two charters differ: name, first, second; null where a charter has no such
/// parameter, or has it switched off.
pub fn differences(a: &Charter, b: &Charter) -> Vec<(String, Value, Value)> {
    let (a, b) = (all(a), all(b));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let value = |of: &BTreeMap<String, Value>, name| of.get(name).cloned().unwrap_or(Value::Null);
    let differing = names
        .into_iter()
        .filter(|name| a.get(*name) != b.get(*name));
    differing
        .map(|name| (name.clone(), value(&a, name), value(&b, name)))
        .collect()
}

fn period_text(period: Period) -> String {
    match period {
        Period::Hours(n) => format!("{n}h"),
        Period::Days(n) => format!("{n}d"),
        Period::WorkingDays(n) => format!("{n}wd"),
    }
}

fn parse_period(text: &str) -> Option<Period> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let n = text.strip_suffix(unit)?.parse().ok()?;
    match unit {
        "h" => Some(Period::Hours(n)),
        "d" => Some(Period::Days(n)),
        "wd" => Some(Period::WorkingDays(n)),
        _ => None,
    }
}

fn pass_text(pass: &Pass) -> String {
    match pass {
        Pass::Threshold(threshold) => threshold.to_string(),
        Pass::Plurality(None) => "plurality".to_owned(),
        Pass::Plurality(Some(threshold)) => format!("plurality {threshold}"),
    }
}

fn parse_fraction(text: &str) -> Option<Fraction> {
    let (n, d) = text.split_once('/')?;
    Some(Fraction {
        n: n.parse().ok()?,
        d: d.parse().ok()?,
    })
}

fn parse_threshold(text: &str) -> Option<Threshold> {
    let mut words = text.split_whitespace();
    let strict = match words.next()? {
        ">" => true,
        ">=" => false,
        _ => return None,
    };
    let fraction = parse_fraction(words.next()?)?;
    let name = words.next()?;
    let base = [Base::Cast, Base::Part, Base::Elig, Base::All]
        .into_iter()
        .find(|base| base.name() == name)?;
    words.next().is_none().then_some(Threshold {
        base,
        strict,
        fraction,
    })
}

fn parse_pass(text: &str) -> Option<Pass> {
    match text.strip_prefix("plurality") {
        Some("") => Some(Pass::Plurality(None)),
        Some(rest) => Some(Pass::Plurality(Some(parse_threshold(rest)?))),
        None => Some(Pass::Threshold(parse_threshold(text)?)),
    }
}

/// A TOML value as JSON; `"off"` and `"none"` switch off what may be absent.
fn json(value: &DeValue, old: &Value) -> Option<Value> {
    match value {
        DeValue::Integer(_) => Some(whole_number(value)?.into()),
        DeValue::Boolean(flag) => Some((*flag).into()),
        DeValue::String(text)
            if matches!(text.as_ref(), "off") && (old.is_null() || old.is_number()) =>
        {
            Some(Value::Null)
        }
        DeValue::String(text) => Some(text.as_ref().into()),
        DeValue::Array(array) => array
            .iter()
            .map(|item| json(item.get_ref(), old))
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        _ => None,
    }
}

/// The name that is meant by one that does not exist: the nearest, else one with the same last part,
/// as when the room before it is wrong or missing.
pub fn near<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let wanted = last(name);
    nearest(name, known.clone()).or_else(|| known.into_iter().find(|known| last(known) == wanted))
}

/// Sets one parameter. Ranges and floors are judged on the whole charter afterwards.
pub fn set(charter: &mut Charter, name: &str, value: &DeValue) -> Result<(), ParameterError> {
    let known = all(charter);
    let Some(old) = known.get(name) else {
        return Err(ParameterError::Unknown {
            near: near(name, known.keys().map(String::as_str)).map(str::to_owned),
        });
    };
    let misfit = || ParameterError::Value {
        example: old.to_string(),
    };
    let new = json(value, old).ok_or_else(misfit)?;
    put(charter, name, new).ok_or_else(misfit)
}

/// Sets one parameter from a text as it is typed: `1500`, `true`, `2/3`.
pub fn set_text(charter: &mut Charter, name: &str, text: &str) -> Result<(), ParameterError> {
    let known = all(charter);
    let Some(old) = known.get(name) else {
        return Err(ParameterError::Unknown {
            near: near(name, known.keys().map(String::as_str)).map(str::to_owned),
        });
    };
    let off = text == "off" && (old.is_null() || old.is_number());
    let new = match (old, text.replace(['_', ' '], "").parse::<u64>()) {
        _ if off => Value::Null,
        (Value::Number(_) | Value::Null, Ok(number)) => number.into(),
        (Value::Bool(_), _) => Value::Bool(text == "true" || text == "yes"),
        _ => text.into(),
    };
    put(charter, name, new).ok_or_else(|| ParameterError::Value {
        example: old.to_string(),
    })
}

/// Whether the charter would stand with another number for one parameter.
pub fn stands_with(charter: &Charter, name: &str, number: i64) -> bool {
    let mut changed = charter.clone();
    put(&mut changed, name, number.into()).is_some() && changed.check().is_ok()
}

fn put(charter: &mut Charter, name: &str, new: Value) -> Option<()> {
    fn merged<T: serde::Serialize + serde::de::DeserializeOwned>(
        part: &T,
        field: &str,
        new: Value,
    ) -> Option<T> {
        let mut value = serde_json::to_value(part).ok()?;
        *value.get_mut(field)? = new;
        serde_json::from_value(value).ok()
    }
    let path: Vec<&str> = name.split('.').collect();
    match path.as_slice() {
        ["membership", field] => charter.membership = merged(&charter.membership, field, new)?,
        ["standing", field] => charter.standing = merged(&charter.standing, field, new)?,
        ["terms", field] => charter.terms = merged(&charter.terms, field, new)?,
        ["motions", field] => charter.motions = merged(&charter.motions, field, new)?,
        ["people", field] => charter.people = merged(&charter.people, field, new)?,
        ["growth", field] => charter.growth = merged(&charter.growth, field, new)?,
        ["growth", who, field] => {
            let growth = &mut charter.growth;
            let limits = match *who {
                "member" => &mut growth.member,
                "office" => &mut growth.office,
                "other" => &mut growth.other,
                _ => return None,
            };
            *limits = merged(limits, field, new)?;
        }
        ["limits", unit, field] if *field != "unit" => {
            let limits = charter
                .limits
                .iter_mut()
                .find(|limits| limits.unit.code() == *unit)?;
            *limits = merged(limits, field, new)?;
        }
        ["currencies"] => {
            let code = |item: &Value| Text::new(item.as_str()?).ok();
            let mut codes = new
                .as_array()?
                .iter()
                .map(code)
                .collect::<Option<Vec<_>>>()?;
            codes.sort();
            charter.currencies = codes;
        }
        ["funding", field] => charter.funding = merged(&charter.funding, field, new)?,
        ["chain", field] => charter.chain = merged(&charter.chain, field, new)?,
        ["board_seats"] => charter.board_seats = u32::try_from(new.as_u64()?).ok()?,
        ["offset_minutes"] => charter.offset_minutes = i32::try_from(new.as_i64()?).ok()?,
        ["currency"] => {
            let code = new.as_str()?;
            let three = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
            charter.currency = three.then(|| Text::new(code).ok())??;
        }
        ["criteria"] => {
            let mut criteria = new
                .as_array()?
                .iter()
                .map(|item| Text::new(item.as_str()?).ok())
                .collect::<Option<Vec<_>>>()?;
            criteria.sort();
            charter.criteria = criteria;
        }
        ["classes", class, field] => {
            let rule = charter
                .classes
                .iter_mut()
                .find(|rule| word(rule.class) == *class)?;
            match *field {
                "assembly_vote" => rule.assembly_vote = new.as_bool()?,
                "seat_eligible" => rule.seat_eligible = new.as_bool()?,
                _ => rule.dues = Amount(new.as_u64()?),
            }
        }
        ["rules", kind, body, field] => {
            let entry = charter
                .rules
                .entries
                .iter_mut()
                .find(|entry| word(entry.kind) == *kind && word(entry.rule.body) == *body)?;
            let text = new.as_str()?;
            match *field {
                "quorum" => entry.rule.quorum = parse_fraction(text)?,
                "pass" => entry.rule.pass = parse_pass(text)?,
                "ballot_min" => entry.rule.ballot_min = parse_period(text)?,
                "ballot_max" => entry.rule.ballot_max = parse_period(text)?,
                _ => {
                    entry.rule.stay = if text == "none" {
                        None
                    } else {
                        Some(parse_period(text)?)
                    }
                }
            }
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use rollbook_proof::crypto::Hash;
    use rollbook_proof::log::Clock;

    use super::*;

    /// Every parameter can be set to the value it has: text forms read back, and no name is without
    /// a place.
    #[test]
    fn every_parameter_reads_back() {
        for preset in PRESETS {
            let charter =
                Charter::preset(super::preset(preset).unwrap(), Clock::Sample, Hash::ZERO);
            let parameters = all(&charter);
            assert!(parameters.len() > 150, "{}", parameters.len());
            for (name, value) in parameters {
                let mut copy = charter.clone();
                assert_eq!(
                    put(&mut copy, &name, value.clone()),
                    Some(()),
                    "{name} = {value}"
                );
                assert_eq!(copy, charter, "{name}");
            }
        }
    }
}
