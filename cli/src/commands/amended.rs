//! `rollbook charter diff|replay|explain`: two charters beside each other, past decisions judged again
//! by another charter, and the parameters behind one decision (R37).
//!
//! * A charter is a version in force now or once (`K-1`), a deposited one (`KD-1`, or the first
//!   digits of its digest), or a preset.
//! * A decision is judged again by its own counts. Who might vote and what was cast stay as they were:
//!   nobody can know what else people would have done under another rule. Elections are not judged
//!   again, since who is named most is elected under every charter.
//! * Everything is as a node tells it, or comes from an export that is run again.

use clap::Args;
use rollbook_core::charter::Charter;
use rollbook_core::charter::motions::MotionRule;
use rollbook_core::object::draft::Draft;
use rollbook_core::object::membership::{Membership, Standing};
use rollbook_core::object::motion::Motion;
use rollbook_core::tally::{Outcome, Tally, tally};
use rollbook_core::word::Word as _;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::{language, t};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::commands::beside;
use crate::commands::source::{Past, Source};
use crate::drafting::{explained, parameters};
use crate::failure::Failure;
use crate::flags::{Connection, Global};
use crate::objects;
use crate::output::{Rows, print, print_json, say, word};

/// Fewest hexadecimal digits that name a deposited charter.
const DIGITS_MIN: usize = 8;

/// `charter diff`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Diff {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    past: Past,
    /// The one charter.
    #[arg(value_name = "CHARTER")]
    first: String,
    /// The other; without it the first is compared with the charter in force.
    #[arg(value_name = "OTHER")]
    second: Option<String>,
}

/// `charter replay`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Replay {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    past: Past,
    /// The charter by which past decisions are judged again.
    #[arg(value_name = "CHARTER")]
    charter: String,
}

/// `charter explain`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Explain {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    past: Past,
    /// The motion.
    #[arg(value_name = "MOTION")]
    motion: String,
}

/// A charter and what it is called.
struct Named {
    name: String,
    charter: Charter,
}

fn read<T: DeserializeOwned>(value: Value, path: &str) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|_| {
        Failure::unusable(t("show.unreadable", &[("path", path.to_owned())]))
            .next(t("show.unreadable-next", &[]))
    })
}

/// Every entry of a table, by its key.
fn all<T: DeserializeOwned>(source: &Source, table: &str) -> Result<Vec<(String, T)>, Failure> {
    let entries = source.entries(table)?.into_iter();
    entries
        .map(|(key, value)| Ok((key, read(value, table)?)))
        .collect()
}

fn version(source: &Source, number: u32) -> Result<Option<Named>, Failure> {
    let Some(value) = source.entry("charter", &number.to_string())? else {
        return Ok(None);
    };
    Ok(Some(Named {
        name: objects::short(&format!("charter/{number}")),
        charter: read(value, "charter")?,
    }))
}

fn deposited(source: &Source, number: u32) -> Result<Option<Named>, Failure> {
    let Some(value) = source.entry("draft-charter", &number.to_string())? else {
        return Ok(None);
    };
    Ok(Some(Named {
        name: objects::short(&format!("draft/{number}")),
        charter: read(value, "draft-charter")?,
    }))
}

/// The charter that a word names.
fn named(source: &Source, text: &str) -> Result<Named, Failure> {
    if let Some(preset) = parameters::preset(text) {
        return Ok(Named {
            name: text.to_owned(),
            charter: explained::of_preset(preset),
        });
    }
    let found = if let Ok(number) = objects::number_of("charter", text) {
        version(source, number)?
    } else if let Ok(number) = objects::number_of("draft", text) {
        deposited(source, number)?
    } else if text.len() >= DIGITS_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let begins = |draft: &Draft| draft.digest.to_hex().starts_with(&text.to_lowercase());
        let mut drafts: Vec<_> = all::<Draft>(source, "draft")?;
        drafts.retain(|(_, draft)| begins(draft));
        match drafts.as_slice() {
            [(_, draft)] => deposited(source, draft.number.0)?,
            _ => None,
        }
    } else {
        None
    };
    found.ok_or_else(|| {
        let facts = [
            ("found", text.to_owned()),
            ("presets", parameters::PRESETS.join(", ")),
        ];
        Failure::unusable(t("charter.none-such", &facts)).next(t("charter.none-such-next", &facts))
    })
}

/// The charter in force: the newest version.
fn in_force(source: &Source) -> Result<Named, Failure> {
    let versions = source.entries("charter")?.into_iter();
    let newest = versions
        .filter_map(|(key, _)| key.parse().ok())
        .max()
        .unwrap_or(1);
    named(source, &format!("K-{newest}"))
}

/// A right that a class of members has under one charter and not under the other.
struct Right {
    class: String,
    right: &'static str,
    is_lost: bool,
    members: Vec<OrganisationId>,
}

/// Which classes lose or gain a vote, or the right to sit on the board, and which members that are.
fn rights(source: &Source, from: &Charter, to: &Charter) -> Result<Vec<Right>, Failure> {
    let members: Vec<(String, Membership)> = all(source, "membership")?;
    let mut found = Vec::new();
    for before in &from.classes {
        let after = to.class(before.class);
        let pairs = [
            (
                "assembly-vote",
                before.assembly_vote,
                after.is_some_and(|rule| rule.assembly_vote),
            ),
            (
                "seat",
                before.seat_eligible,
                after.is_some_and(|rule| rule.seat_eligible),
            ),
        ];
        for (right, had, has) in pairs.into_iter().filter(|(_, had, has)| had != has) {
            let of_class = members.iter().map(|(_, member)| member).filter(|member| {
                member.class == before.class && matches!(member.standing, Standing::Live(_))
            });
            found.push(Right {
                class: word(before.class),
                right,
                is_lost: had && !has,
                members: of_class.map(|member| member.organisation).collect(),
            });
        }
    }
    Ok(found)
}

/// Runs `charter diff`.
pub fn diff(global: &Global, flags: &Diff) -> Result<u8, Failure> {
    let source = Source::open(global, &flags.connection, &flags.past)?;
    let (from, to) = match &flags.second {
        Some(second) => (named(&source, &flags.first)?, named(&source, second)?),
        None => (in_force(&source)?, named(&source, &flags.first)?),
    };
    let (there, here) = (parameters::all(&from.charter), parameters::all(&to.charter));
    let mut rows = Rows::new(&["parameter", "decides", "value", "becomes"]);
    let mut json_rows = Vec::new();
    for (name, before, after) in parameters::differences(&from.charter, &to.charter) {
        let told = |charter: &Charter, value: &Value, is_there: bool| match is_there {
            true => explained::value(charter, &name, value, language()),
            false => t("charter.not-there", &[]),
        };
        json_rows.push(json!({ "parameter": name, "from": before, "to": after }));
        rows.add([
            name.clone(),
            explained::sentence(&name, language()),
            told(&from.charter, &before, there.contains_key(&name)),
            told(&to.charter, &after, here.contains_key(&name)),
        ]);
    }
    let rights = rights(&source, &from.charter, &to.charter)?;
    if global.json {
        let rights: Vec<_> = rights
            .iter()
            .map(|right| {
                json!({
                    "class": right.class, "right": right.right, "is_lost": right.is_lost,
                    "members": right.members,
                })
            })
            .collect();
        print_json(&json!({
            "from": from.name, "to": to.name, "differences": json_rows, "rights": rights,
            "source": source.from(),
        }));
        return Ok(source.code());
    }
    if global.csv || !json_rows.is_empty() {
        rows.print(global);
    } else {
        let facts = [("from", from.name.clone()), ("to", to.name.clone())];
        print(t("charter.same", &facts));
    }
    if !global.csv {
        for right in &rights {
            let members: Vec<String> = right
                .members
                .iter()
                .map(|member| objects::short(&format!("organisation/{}", member.0)))
                .collect();
            let facts = [
                ("class", t(&format!("class.{}", right.class), &[])),
                ("right", t(&format!("charter.right.{}", right.right), &[])),
                ("count", members.len().to_string()),
                ("members", members.join(", ")),
            ];
            let key = match (right.is_lost, members.is_empty()) {
                (true, false) => "charter.loses",
                (true, true) => "charter.loses-nobody",
                (false, false) => "charter.gains",
                (false, true) => "charter.gains-nobody",
            };
            print(t(key, &facts));
        }
    }
    say(source.from());
    Ok(source.code())
}

/// The rule by which a charter would have had a motion decided in the body that decided it.
fn rule_of(charter: &Charter, motion: &Motion) -> Option<MotionRule> {
    let rules = &charter.rules;
    if let Some(own) = rules.rule(motion.kind, motion.rule.body) {
        return Some(*own);
    }
    // A body below passed it up.
    let first = rules.first(motion.kind)?;
    let passed_up = rules.escalated(motion.kind, first)?;
    (passed_up.body == motion.rule.body).then_some(passed_up)
}

/// A past decision, and what the other charter would have made of it.
struct Judged {
    motion: Motion,
    was: Tally,
    would: Option<Tally>,
}

impl Judged {
    fn differs(&self) -> bool {
        let kind = |outcome: &Outcome| std::mem::discriminant(outcome);
        self.would
            .as_ref()
            .is_none_or(|would| kind(&would.outcome) != kind(&self.was.outcome))
    }
}

/// What a tally came to, in a word or two.
fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => t("charter.outcome.passed", &[]),
        Outcome::Rejected => t("charter.outcome.rejected", &[]),
        Outcome::NoQuorum => t("charter.outcome.no-quorum", &[]),
        Outcome::Void(_) => t("charter.outcome.void", &[]),
        Outcome::Escalate { to, .. } => t(
            "charter.outcome.escalate",
            &[("body", t(&format!("body.{}", to.word()), &[]))],
        ),
    }
}

/// Runs `charter replay`.
pub fn replay(global: &Global, flags: &Replay) -> Result<u8, Failure> {
    let source = Source::open(global, &flags.connection, &flags.past)?;
    let other = named(&source, &flags.charter)?;
    let motions: Vec<(String, Motion)> = all(&source, "motion")?;
    let (mut elections, mut judged) = (0_usize, Vec::new());
    for (_, motion) in motions {
        let Some(was) = motion.tally.as_deref().cloned() else {
            continue;
        };
        if motion.poll.is_some() {
            elections += 1;
            continue;
        }
        let would = rule_of(&other.charter, &motion)
            .map(|rule| tally(was.counts, &rule, other.charter.motions.min_elig));
        judged.push(Judged { motion, was, would });
    }
    let count = judged.len();
    judged.retain(Judged::differs);
    let mut rows = Rows::new(&["motion", "kind", "body", "was", "would-be", "because"]);
    for of in &judged {
        let (would, because) = match &of.would {
            None => (t("charter.not-decided-there", &[]), String::new()),
            Some(would) => {
                let lines = beside::arithmetic(would);
                let last = lines.len().checked_sub(2).and_then(|at| lines.get(at));
                (outcome(&would.outcome), last.cloned().unwrap_or_default())
            }
        };
        rows.add([
            objects::short(&format!("motion/{}", of.motion.number.0)),
            t(&format!("motion-kind.{}", word(of.motion.kind)), &[]),
            t(&format!("body.{}", word(of.motion.rule.body)), &[]),
            outcome(&of.was.outcome),
            would,
            because,
        ]);
    }
    if global.json {
        let rows: Vec<_> = judged
            .iter()
            .map(|of| {
                json!({
                    "motion": of.motion.number, "kind": of.motion.kind, "charter": of.motion.charter,
                    "was": of.was, "would_be": of.would,
                })
            })
            .collect();
        print_json(&json!({
            "charter": other.name, "judged": count, "elections": elections, "differ": rows,
            "source": source.from(),
        }));
        return Ok(source.code());
    }
    if global.csv || !judged.is_empty() {
        rows.print(global);
    }
    let facts = [
        ("charter", other.name),
        ("count", count.to_string()),
        ("differ", judged.len().to_string()),
        ("elections", elections.to_string()),
    ];
    say(t("charter.replayed", &facts));
    say(source.from());
    Ok(source.code())
}

/// Runs `charter explain`.
pub fn explain(global: &Global, flags: &Explain) -> Result<u8, Failure> {
    let source = Source::open(global, &flags.connection, &flags.past)?;
    let none = || {
        Failure::unusable(t("charter.no-motion", &[("found", flags.motion.clone())]))
            .next(t("charter.no-motion-next", &[]))
    };
    let number = objects::number_of("motion", &flags.motion).map_err(|_| none())?;
    let value = source
        .entry("motion", &number.to_string())?
        .ok_or_else(none)?;
    let motion: Motion = read(value, "motion")?;
    let under = named(&source, &format!("K-{}", motion.charter.0))?;
    let all = parameters::all(&under.charter);
    let path = format!("rules.{}.{}.", word(motion.kind), word(motion.rule.body));
    let is_behind = |name: &str| name.starts_with(&path) || name == "motions.min_elig";
    let behind: Vec<_> = all.iter().filter(|(name, _)| is_behind(name)).collect();
    let mut rows = Rows::new(&["parameter", "decides", "value"]);
    for (name, value) in &behind {
        rows.add([
            (*name).clone(),
            explained::sentence(name, language()),
            explained::value(&under.charter, name, value, language()),
        ]);
    }
    if global.json {
        let behind: Vec<_> = behind
            .iter()
            .map(|(name, value)| json!({ "parameter": name, "value": value }))
            .collect();
        print_json(&json!({
            "motion": motion.number, "kind": motion.kind, "body": motion.rule.body, "clause": "R10",
            "charter": motion.charter, "parameters": behind, "rule": motion.rule,
            "tally": motion.tally, "source": source.from(),
        }));
        return Ok(source.code());
    }
    if global.csv {
        rows.print(global);
        return Ok(source.code());
    }
    let facts = [
        ("motion", objects::short(&format!("motion/{number}"))),
        (
            "kind",
            t(&format!("motion-kind.{}", word(motion.kind)), &[]),
        ),
        ("body", t(&format!("body.{}", word(motion.rule.body)), &[])),
        ("charter", under.name),
        ("rule", explained::rule(&motion.rule, language())),
    ];
    print(t("charter.explained", &facts));
    rows.print(global);
    if !all.keys().any(|name| name.starts_with(&path)) {
        print(t("charter.passed-up", &facts));
    }
    match &motion.tally {
        Some(tally) => beside::arithmetic(tally).into_iter().for_each(print),
        None => print(t("charter.not-counted", &facts)),
    }
    say(source.from());
    Ok(source.code())
}
