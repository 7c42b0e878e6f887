//! `rollbook charter parameters`: what each parameter of a charter decides, in which unit, within
//! which bounds, and what the presets say. Needs no node and no file.

use clap::Args;
use rollbook_core::charter::Charter;
use rollbook_core::charter::motions::MotionKind;
use rollbook_words::catalogue::{Language, language, t};
use serde_json::json;

use crate::drafting::{explained, parameters};
use crate::failure::Failure;
use crate::flags::Global;
use crate::output::{Rows, print, print_json, say, word};

/// `charter parameters`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Parameters {
    /// Only this one, or all whose names begin so.
    #[arg(value_name = "NAME")]
    of: Option<String>,
    /// Only this preset's values.
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
}

/// One parameter, explained.
struct Explained {
    name: String,
    decides: String,
    unit: String,
    least: String,
    greatest: String,
    /// By preset.
    values: Vec<(&'static str, String)>,
}

/// Runs it.
pub fn run(global: &Global, flags: &Parameters) -> Result<u8, Failure> {
    let presets = presets(flags.preset.as_deref())?;
    let list = chosen(&presets, flags.of.as_deref())?;
    if global.csv {
        let mut columns = vec!["parameter", "decides", "unit", "least", "greatest"];
        columns.extend(presets.iter().map(|(name, _)| *name));
        let mut rows = Rows::new(&columns);
        for of in list {
            let fixed = [of.name, of.decides, of.unit, of.least, of.greatest];
            let values = of.values.into_iter().map(|(_, value)| value);
            rows.add(fixed.into_iter().chain(values));
        }
        rows.print(global);
        return Ok(0);
    }
    if global.json {
        let values = |of: &Explained| -> serde_json::Map<String, serde_json::Value> {
            let values = of.values.iter();
            values
                .map(|(preset, value)| ((*preset).to_owned(), json!(value)))
                .collect()
        };
        let list: Vec<_> = list
            .iter()
            .map(|of| {
                json!({
                    "name": of.name, "decides": of.decides, "unit": of.unit,
                    "least": of.least, "greatest": of.greatest, "values": values(of),
                })
            })
            .collect();
        print_json(&list);
        return Ok(0);
    }
    for of in &list {
        print(format!("{}\n    {}", of.name, of.decides));
        let bounds = [
            ("unit", of.unit.clone()),
            ("least", of.least.clone()),
            ("greatest", of.greatest.clone()),
        ];
        let key = match of.least == of.greatest {
            true => "parameter.bounds-one",
            false => "parameter.bounds",
        };
        print(format!("    {}", t(key, &bounds)));
        print(format!("    {}", told(&of.values)));
    }
    say(t("parameter.how", &[]));
    Ok(0)
}

/// The values of the presets; one for all where they agree.
fn told(values: &[(&'static str, String)]) -> String {
    let agree = values.windows(2).all(|pair| pair[0].1 == pair[1].1);
    match values {
        [(_, value), _, ..] if agree => t("parameter.every-preset", &[("value", value.clone())]),
        values => values
            .iter()
            .map(|(preset, value)| format!("{preset}: {value}"))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// The presets that are asked for.
fn presets(only: Option<&str>) -> Result<Vec<(&'static str, Charter)>, Failure> {
    let known = || {
        let presets = parameters::PRESETS.iter();
        presets.filter_map(|name| Some((*name, explained::of_preset(parameters::preset(name)?))))
    };
    let Some(only) = only else {
        return Ok(known().collect());
    };
    let found: Vec<_> = known().filter(|(name, _)| *name == only).collect();
    if found.is_empty() {
        let near = crate::input::problem::suggestion(only, parameters::PRESETS);
        let facts = [
            ("found", only.to_owned()),
            ("known", parameters::PRESETS.join(", ")),
            ("near", near),
        ];
        return Err(
            Failure::unusable(t("draft.preset", &facts)).next(t("parameter.no-preset-next", &[]))
        );
    }
    Ok(found)
}

/// What a name asks for: one parameter, all under a beginning such as `funding`, or all. The rules of
/// the kinds of motion have the same fields: without a name one kind stands for all.
fn chosen(
    presets: &[(&'static str, Charter)],
    of: Option<&str>,
) -> Result<Vec<Explained>, Failure> {
    let Some((_, first)) = presets.first() else {
        return Ok(Vec::new());
    };
    let all: Vec<String> = parameters::all(first).into_keys().collect();
    let kept: Vec<&String> = match of {
        None => all.iter().filter(|name| is_listed(name)).collect(),
        Some(of) => {
            let under = format!("{}.", of.trim_end_matches('.'));
            let wanted = |name: &&String| *name == of || name.starts_with(&under);
            all.iter().filter(wanted).collect()
        }
    };
    if let (Some(of), true) = (of, kept.is_empty()) {
        return Err(unknown(of, &all));
    }
    Ok(kept
        .into_iter()
        .map(|name| explain(presets, first, name))
        .collect())
}

fn is_listed(name: &str) -> bool {
    let one = format!("rules.{}.", word(MotionKind::Admit));
    !name.starts_with("rules.") || name.starts_with(&one)
}

/// No parameter has this name: the nearest one, and the beginnings that there are.
fn unknown(of: &str, all: &[String]) -> Failure {
    let mut rooms: Vec<&str> = all
        .iter()
        .map(|name| name.split('.').next().unwrap_or(name))
        .collect();
    rooms.dedup();
    let names = all.iter().map(String::as_str).chain(rooms.iter().copied());
    let near = parameters::near(of, names);
    let near = near
        .map(|near| t("draft.did-you-mean", &[("near", near.to_owned())]))
        .unwrap_or_default();
    let facts = [("name", of.to_owned()), ("near", near)];
    Failure::unusable(t("draft.parameter-unknown", &facts))
        .next(t("parameter.unknown-next", &[("known", rooms.join(", "))]))
}

fn explain(presets: &[(&'static str, Charter)], first: &Charter, name: &str) -> Explained {
    let language: Language = language();
    let in_words =
        |charter: &Charter, number: i64| explained::value(charter, name, &json!(number), language);
    let none = || t("parameter.no-bound", &[]);
    let (least, greatest) = match explained::bounds(first, name) {
        Some((least, greatest)) => (
            in_words(first, least),
            greatest.map_or_else(none, |greatest| in_words(first, greatest)),
        ),
        None => {
            let key = format!("measure.bounds.{}", bounds_key(name));
            let told = t(&key, &[]);
            (told.clone(), told)
        }
    };
    let values = presets
        .iter()
        .map(|(preset, charter)| {
            let all = parameters::all(charter);
            let value = all.get(name).cloned().unwrap_or_default();
            (*preset, explained::value(charter, name, &value, language))
        })
        .collect();
    Explained {
        name: name.to_owned(),
        decides: explained::sentence(name, language),
        unit: explained::Measure::of(name).name(language),
        least,
        greatest,
        values,
    }
}

/// Where the bounds of what is no number are told.
fn bounds_key(name: &str) -> &'static str {
    match explained::Measure::of(name) {
        explained::Measure::Fraction => "fraction",
        explained::Measure::Majority => "majority",
        explained::Measure::Period => "period",
        explained::Measure::Flag => "flag",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use rollbook_core::charter::motions::Preset;

    use super::*;

    fn of(preset: Option<&str>, name: &str) -> Explained {
        let presets = presets(preset).unwrap();
        chosen(&presets, Some(name)).unwrap().remove(0)
    }

    /// Bounds are what the charter itself accepts; values are words, not numbers of another unit.
    #[test]
    fn a_parameter_has_bounds_and_words() {
        let terms = of(None, "terms.seat_days");
        assert_eq!(
            (terms.least.as_str(), terms.greatest.as_str()),
            ("180 days", "1830 days")
        );
        assert_eq!(terms.values.len(), 3);
        let holdback = of(Some("default"), "funding.holdback_bp");
        assert_eq!(holdback.values, [("default", "10 %".to_owned())]);
        assert_eq!(holdback.greatest, "100 %");
        assert_eq!(of(None, "chain.heartbeat_ms").values[0].1, "1 hour");
        assert_eq!(
            of(None, "classes.founding.dues").values[0].1,
            "200,000.00 CNY"
        );
        let seats = of(None, "chain.validator_seats");
        assert_eq!((seats.least.as_str(), seats.greatest.as_str()), ("4", "64"));
    }

    #[test]
    fn what_is_unknown_is_told_with_what_is_near() {
        let presets = presets(None).unwrap();
        let told = |name| chosen(&presets, Some(name)).err().unwrap().what;
        assert!(told("funding.holdbak_bp").contains("funding.holdback_bp"));
        assert!(told("quorum").contains(".quorum"));
        assert!(
            super::presets(Some("foundations"))
                .err()
                .unwrap()
                .what
                .contains("'foundation'")
        );
        assert_eq!(chosen(&presets, Some("terms")).unwrap().len(), 4);
    }

    /// No parameter of any preset is without its sentence and unit, in both languages.
    #[test]
    fn every_parameter_is_explained_in_both_languages() {
        for preset in [Preset::Default, Preset::Foundation, Preset::CnAssociation] {
            let charter = explained::of_preset(preset);
            for (name, value) in parameters::all(&charter) {
                for language in [Language::English, Language::Chinese] {
                    let measure = explained::Measure::of(&name).name(language);
                    let told = [
                        explained::sentence(&name, language),
                        explained::value(&charter, &name, &value, language),
                        measure,
                    ];
                    for text in told {
                        let is_key = ["parameter.", "length.", "measure.", "motion-kind."]
                            .iter()
                            .any(|key| text.contains(key));
                        assert!(
                            !is_key && !text.is_empty() && !text.contains('{'),
                            "{name}: {text}"
                        );
                    }
                }
            }
        }
    }
}
