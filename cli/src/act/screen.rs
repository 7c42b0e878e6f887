//! What is signed, in words, before it is signed: the one screen of direct acts, of `sign` and of
//! runs (RULINGS A65). It goes to standard error, as all talk does.

use rollbook_core::account::Unit;
use rollbook_core::id::Id as _;
use rollbook_core::record::{Capacity, Payload, SignatureEntry};
use rollbook_wire::judgement::{Judgement, Moved};
use rollbook_words::catalogue::{in_words, t};
use rollbook_words::dates::time;

use super::signers::Signer;
use super::{judge, next};
use crate::keystore::card::role_code;
use crate::objects;
use crate::output::{say, word};
use crate::profile::Profile;
use crate::shown::Shown;

/// What the screen shows.
pub struct Screen<'a> {
    /// What is signed.
    pub payload: &'a Payload,
    /// Signatures that are there.
    pub signed: &'a [SignatureEntry],
    /// Who is about to sign; nobody where a record is handed in.
    pub signers: &'a [Signer],
    /// A node's judgement, if one was asked.
    pub judged: Option<&'a Judgement>,
    /// The unit of the act's amounts.
    pub unit: Option<Unit>,
    /// Whose alliance it is.
    pub profile: Option<&'a Profile>,
}

impl Screen<'_> {
    /// Writes it.
    pub fn show(&self) {
        let payload = self.payload;
        let line = |key: &str, value: String| {
            say(format!("  {}", t(key, &[("value", value)])));
        };
        let key = if self.signers.is_empty() {
            "screen.hands-in"
        } else {
            "screen.signs"
        };
        say(t(
            key,
            &[
                ("act", next::deed_of(&payload.body)),
                ("rule", payload.body.code().to_owned()),
            ],
        ));
        let alliance = self
            .profile
            .filter(|profile| profile.genesis_hash() == Some(payload.chain))
            .map_or_else(
                || t("screen.unknown-alliance", &[]),
                |profile| profile.alliance.clone(),
            );
        line(
            "screen.alliance",
            format!("{alliance} ({})", payload.chain.short()),
        );
        line("screen.for", self.principal());
        let list = t("word.list", &[]);
        if !self.signers.is_empty() {
            let who: Vec<String> = self
                .signers
                .iter()
                .map(|(person, role)| Self::person(*person, role.map(role_code)))
                .collect();
            line("screen.by", who.join(&list));
        }
        if !self.signed.is_empty() {
            let who: Vec<String> = self
                .signed
                .iter()
                .map(|entry| {
                    let role = match entry.capacity {
                        Capacity::Own(role) => Some(role_code(role)),
                        Capacity::Delegation(_) => None,
                    };
                    Self::person(entry.officer.0, role)
                })
                .collect();
            line("screen.signed", who.join(&list));
        }
        for (label, text) in self.content() {
            say(format!("    {label}: {text}"));
        }
        for effect in self.effects() {
            line("screen.effect", effect);
        }
        if let Some(lacking) = self.lacking() {
            line("screen.lacking", lacking);
        }
        line("screen.until", time(payload.valid_until_ms));
    }

    fn principal(&self) -> String {
        let number = self.payload.principal;
        let short = objects::short(&format!("organisation/{}", number.number()));
        match self.judged.and_then(|judged| judged.principal.as_ref()) {
            Some(entry) => format!(
                "{short} {}",
                objects::both_names(&entry.native, &entry.latin)
            ),
            None => short,
        }
    }

    fn person(person: u32, role: Option<String>) -> String {
        let name = person.to_string();
        match role {
            Some(role) => format!("{name} ({})", t(&format!("role.{role}"), &[])),
            None => name,
        }
    }

    /// The fields of the act, without the names of its family and kind.
    fn content(&self) -> Vec<(String, String)> {
        let mut shown = Shown::of(&self.payload.body);
        for _ in 0..2 {
            match &mut shown {
                Shown::Fields(fields) if fields.len() == 1 => {
                    if let Some((_, inner)) = fields.pop() {
                        shown = inner;
                    }
                }
                _ => break,
            }
        }
        match shown {
            // An act without fields is its title alone.
            Shown::Text(_) => Vec::new(),
            shown => objects::rows("", &shown, self.unit.as_ref()),
        }
    }

    /// What would come of it, as a node told it.
    fn effects(&self) -> Vec<String> {
        let told = self.judged.and_then(effects);
        told.unwrap_or_else(|| vec![t("screen.not-told", &[])])
    }

    /// How many signatures are missing after these.
    fn lacking(&self) -> Option<String> {
        let judged = self.judged?;
        let with = &judged.presumed.as_ref()?.with;
        if with.is_empty() {
            return None;
        }
        let who: Vec<String> = with.iter().map(|person| person.0.to_string()).collect();
        let needed = judged.principal.as_ref().map_or(0, |entry| entry.needed);
        let facts = [
            ("lacking", with.len().to_string()),
            ("needed", needed.to_string()),
            ("who", who.join(&t("word.list", &[]))),
        ];
        Some(t("screen.lacking-of", &facts))
    }
}

/// What would come of a record with all its signatures, a line each; none if the node did not tell.
pub fn effects(judged: &Judgement) -> Option<Vec<String>> {
    let presumed = judged.presumed.as_ref()?;
    let mut lines = Vec::new();
    if let Some(sentence) = judge::uncounted(presumed) {
        lines.push(sentence);
    } else if let Some((_, sentence)) = judge::broken(judged) {
        lines.push(sentence);
    } else if presumed.steps.is_empty() {
        lines.push(t("screen.no-step", &[]));
    }
    lines.extend(presumed.steps.iter().map(moved));
    if let Some(standing) = presumed
        .replaces
        .as_ref()
        .filter(|_| presumed.rule.is_none())
    {
        let choice = standing.choice.map_or_else(
            || "-".to_owned(),
            |choice| t(&format!("field.{}", word(choice)), &[]),
        );
        let facts = [
            ("choice", choice),
            ("officer", standing.officer.0.to_string()),
            ("record", standing.record.short()),
        ];
        lines.push(t("screen.replaces", &facts));
    }
    Some(lines)
}

/// One step in words: `motion 12: open -> staying`.
fn moved(step: &Moved) -> String {
    let state = |name: &str| in_words(&format!("state.{}", step.kind), name);
    let facts = [
        ("object", t(&format!("object.{}", step.kind), &[])),
        ("number", step.subject.clone()),
        (
            "from",
            step.from
                .as_deref()
                .map_or_else(|| t("state.none", &[]), state),
        ),
        ("to", state(&step.to)),
    ];
    t("screen.moves", &facts)
}
