//! Names that look alike (RULINGS A22): a warning, never a rule.
//!
//! Two names look alike if they are equal after compatibility folding, lower case, without spaces
//! and punctuation, and with the letters of other scripts that look like Latin ones replaced. The
//! table is short on purpose: it holds the pairs that are used to deceive, not all of Unicode.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::fields::OrganisationInput;
use crate::input::problem::Report;

fn folded(c: char) -> char {
    match c {
        'а' | 'ɑ' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'һ' | 'н' => 'h',
        'і' | 'ι' | 'ı' | '1' | 'l' | '|' | '!' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'ո' | 'ν' => 'n',
        'о' | 'ο' | 'σ' | '0' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' | '5' => 's',
        'т' | 'τ' => 't',
        'υ' => 'u',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        '己' | '巳' => '已',
        '未' => '末',
        '士' => '土',
        '曰' => '日',
        other => other,
    }
}

/// What is left of a name when looks alone count.
pub fn skeleton(name: &str) -> String {
    name.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .map(folded)
        .collect()
}

/// Warns of organisations whose names look alike.
pub fn warn_look_alikes<'a>(
    organisations: impl Iterator<Item = &'a OrganisationInput>,
    report: &mut Report,
) {
    let mut seen: BTreeMap<String, (u32, String)> = BTreeMap::new();
    for organisation in organisations {
        let mut skeletons: Vec<(String, &str)> = [
            organisation.name.native.as_str(),
            organisation.name.latin.as_str(),
        ]
        .into_iter()
        .map(|name| (skeleton(name), name))
        .collect();
        skeletons.dedup_by(|a, b| a.0 == b.0);
        for (skeleton, name) in skeletons {
            match seen.get(&skeleton) {
                Some((other, other_name)) if *other != organisation.number => {
                    let facts = [
                        ("name", name.to_owned()),
                        ("other", other.to_string()),
                        ("other_name", other_name.clone()),
                        ("number", organisation.number.to_string()),
                    ];
                    report.warn(&organisation.place, "look-alike", &facts);
                }
                Some(_) => {}
                None => {
                    seen.insert(skeleton, (organisation.number, name.to_owned()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::skeleton;

    #[test]
    fn looks_decide() {
        assert_eq!(skeleton("Xiaomi"), skeleton("Хiaоmi"), "Cyrillic letters");
        assert_eq!(skeleton("ALPHA Co., Ltd"), skeleton("Alpha Co Ltd."));
        assert_eq!(skeleton("Ａlpha"), skeleton("Alpha"), "full width");
        assert_eq!(skeleton("未来科技"), skeleton("末来科技"));
        assert_ne!(
            skeleton("Founding member 01"),
            skeleton("Founding member 02")
        );
        assert_ne!(skeleton("成员甲"), skeleton("成员乙"));
    }
}
