//! Business verbs: one table from the words of the command tree to the acts of core.
//!
//! A verb names an act (`Membership.Screen`) and its arguments; the arguments become the act's fields. Long acts are read from a
//! TOML file with `--from`; flags override the file. What a verb does is core's business; this table only spells it.

use clap::{Arg, ArgAction, ArgMatches, Command};
use rollbook_core::crypto::sha256;
use rollbook_core::record::Body;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::messages::t;

/// How an argument is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number; ids may carry their letter (`M-42`, `P-0031`).
    Number,
    /// An amount in minor units, grouping allowed, decimals refused: the ledger knows no fractions.
    Minor,
    /// A block height.
    Height,
    /// An instant, `2026-11-24T10:00:00+08:00`.
    Instant,
    /// A text.
    Text,
    /// 64 hexadecimal digits, or `@FILE` for the SHA-256 of a file.
    Hash,
    /// A day, `2026-11-24`.
    Day,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Several texts, comma between.
    List,
    /// Several whole numbers, comma between.
    Numbers,
    /// 32 bytes, as 64 hexadecimal digits.
    Bytes,
    /// A JSON value, for what has no better spelling.
    Json,
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Field of the act; `-` instead of `_` on the command line.
    pub name: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// A word of its own place, not a flag.
    pub positional: bool,
    /// Whether it may be left out.
    pub optional: bool,
    /// What stands if it is left out, as JSON; nothing for fields that may be absent.
    pub usual: Option<&'static str>,
}

/// One verb.
#[derive(Debug, Clone, Copy)]
pub struct Verb {
    /// Noun and verb.
    pub path: (&'static str, &'static str),
    /// Family and variant.
    pub act: (&'static str, &'static str),
    /// Inside which field of the act the arguments stand, for acts that wrap one more enum.
    pub inside: &'static [&'static str],
    /// Arguments.
    pub fields: &'static [Field],
}

const fn id(name: &'static str) -> Field {
    Field { name, kind: Kind::Number, positional: true, optional: false, usual: None }
}

const fn flag(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, positional: false, optional: false, usual: None }
}

const fn maybe(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, positional: false, optional: true, usual: None }
}

const fn usually(name: &'static str, kind: Kind, usual: &'static str) -> Field {
    Field { name, kind, positional: false, optional: true, usual: Some(usual) }
}

const fn verb(
    noun: &'static str,
    word: &'static str,
    family: &'static str,
    variant: &'static str,
    fields: &'static [Field],
) -> Verb {
    Verb { path: (noun, word), act: (family, variant), inside: &[], fields }
}

const fn motion(noun: &'static str, word: &'static str, effect: &'static [&'static str], fields: &'static [Field]) -> Verb {
    Verb { path: (noun, word), act: ("Motion", "Propose"), inside: effect, fields }
}

const CHOICES: Kind = Kind::Choice(&["yes", "no", "abstain"]);
const CLASSES: Kind = Kind::Choice(&["founding", "council", "ordinary", "associate"]);

const POSTS: Kind =
    Kind::Choice(&["secretary", "registrar", "treasurer", "second-officer", "programme-officer", "finance-approver", "auditor"]);
const POOLS: Kind = Kind::Choice(&["reviewers", "assessors"]);

/// Every verb.
pub const VERBS: &[Verb] = &[
    verb(
        "member",
        "apply",
        "Membership",
        "Apply",
        &[
            flag("class", CLASSES),
            flag("charter", Kind::Hash),
            flag("antitrust", Kind::Hash),
            flag("conflicts", Kind::Hash),
            maybe("relations", Kind::Json),
        ],
    ),
    verb("member", "screen", "Membership", "Screen", &[id("membership")]),
    verb("member", "return", "Membership", "Return", &[id("membership"), flag("missing", Kind::List)]),
    verb("member", "resubmit", "Membership", "Resubmit", &[id("membership"), flag("additions", Kind::Hash)]),
    verb(
        "member",
        "reject",
        "Membership",
        "Reject",
        &[id("membership"), flag("criterion", Kind::Text), flag("reasons", Kind::Hash)],
    ),
    verb("member", "complete", "Membership", "Complete", &[id("membership")]),
    verb("member", "sponsor", "Membership", "Sponsor", &[id("membership")]),
    verb("member", "ballot", "Membership", "OpenBallot", &[id("membership"), flag("ballot_days", Kind::Number)]),
    verb("member", "ask-again", "Membership", "AskAgain", &[id("membership"), flag("reasons", Kind::Hash)]),
    verb("member", "withdraw-application", "Membership", "WithdrawApplication", &[id("membership")]),
    verb("member", "agree", "Membership", "Agree", &[id("membership"), flag("agreement", Kind::Hash)]),
    verb("member", "activate", "Membership", "Activate", &[id("membership"), flag("agreement", Kind::Hash)]),
    verb("dues", "invoice", "Membership", "Invoice", &[id("membership")]),
    verb("dues", "cancel", "Membership", "CancelInvoice", &[id("invoice")]),
    verb(
        "dues",
        "receive",
        "Membership",
        "Receive",
        &[id("invoice"), flag("amount", Kind::Minor), flag("reference", Kind::Text), flag("value_date", Kind::Day)],
    ),
    verb("dues", "confirm", "Membership", "ConfirmReceipt", &[id("invoice"), flag("receipt", Kind::Hash)]),
    verb("dues", "decline", "Membership", "DeclineReceipt", &[id("invoice"), flag("receipt", Kind::Hash)]),
    motion(
        "office",
        "appoint",
        &["Appoint"],
        &[
            flag("office", Kind::Number),
            flag("role", POSTS),
            maybe("scope", Kind::Json),
            flag("holder", Kind::Number),
            maybe("deputy", Kind::Number),
        ],
    ),
    motion("office", "remove", &["Remove"], &[id("post")]),
    verb("office", "accept", "Motion", "AcceptPost", &[id("post")]),
    verb("motion", "support", "Motion", "Support", &[id("motion")]),
    verb(
        "motion",
        "vote",
        "Motion",
        "Vote",
        &[
            id("motion"),
            Field { name: "choice", kind: CHOICES, positional: true, optional: false, usual: None },
            maybe("criterion", Kind::Text),
            maybe("declaration", Kind::Json),
        ],
    ),
    verb(
        "motion",
        "recuse",
        "Motion",
        "DeclareConflict",
        &[
            id("motion"),
            flag("kind", Kind::Choice(&["competitor", "investor", "employment-or-paid", "family-or-personal", "other"])),
        ],
    ),
    verb("motion", "withdraw", "Motion", "Withdraw", &[id("motion")]),
    motion("motion", "rescind", &["Rescind"], &[id("motion")]),
    motion(
        "charter",
        "raise-protocol",
        &["RaiseProtocol"],
        &[id("protocol"), flag("from_height", Kind::Height), flag("release", Kind::Text)],
    ),
    verb("node", "upgrade", "Node", "Support", &[id("protocol")]),
    verb(
        "order",
        "file",
        "Charter",
        "FileOrder",
        &[
            flag("authority", Kind::Text),
            flag("reference", Kind::Text),
            flag("document", Kind::Hash),
            flag("issued_ms", Kind::Instant),
            maybe("about", Kind::Number),
        ],
    ),
    motion(
        "fund",
        "propose",
        &["CreateFund"],
        &[
            flag("name", Kind::Json),
            flag("holder", Kind::Number),
            flag("unit", Kind::Json),
            flag("bank_account", Kind::Hash),
            flag("office", Kind::Number),
            flag("officers", Kind::Json),
        ],
    ),
    verb("fund", "accept", "Fund", "Accept", &[id("fund")]),
    motion("fund", "committee", &["AppointCommittee"], &[id("fund"), flag("members", Kind::Numbers)]),
    verb(
        "contribution",
        "pledge",
        "Fund",
        "Pledge",
        &[id("fund"), usually("pot", Kind::Json, "\"free\""), flag("instalments", Kind::Json)],
    ),
    verb("contribution", "call", "Fund", "CallInstalment", &[id("instalment")]),
    verb("contribution", "cancel", "Fund", "ProposeCancel", &[id("contribution"), flag("instalments", Kind::Numbers)]),
    verb("contribution", "agree-cancel", "Fund", "AgreeCancel", &[flag("proposal", Kind::Hash)]),
    verb(
        "contribution",
        "receive",
        "Fund",
        "RecordReceipt",
        &[id("instalment"), flag("amount", Kind::Minor), flag("reference", Kind::Text), flag("value_day", Kind::Day)],
    ),
    verb("contribution", "confirm", "Fund", "ConfirmReceipt", &[flag("receipt", Kind::Hash)]),
    motion("contribution", "write-off", &["WriteOffInstalment"], &[id("instalment"), flag("attempts", Kind::Hash)]),
    motion(
        "call",
        "publish",
        &["PublishCall"],
        &[
            flag("fund", Kind::Number),
            flag("title", Kind::Json),
            maybe("direction", Kind::Number),
            flag("budget", Kind::Minor),
            flag("ask_max", Kind::Minor),
            flag("criteria", Kind::Json),
            usually("threshold", Kind::Minor, "0"),
            usually("reviewers", Kind::Number, "3"),
            maybe("concentration_bp", Kind::Number),
            usually("tie_breaks", Kind::Json, "[\"smaller-ask\",\"earlier\"]"),
            flag("eligibility", Kind::Json),
            flag("codes", Kind::List),
            flag("opens_day", Kind::Day),
            flag("closes_day", Kind::Day),
            flag("document", Kind::Hash),
        ],
    ),
    motion("call", "cancel", &["CancelCall"], &[id("call"), flag("reason", Kind::Hash)]),
    verb("call", "rank", "Call", "Rank", &[id("call")]),
    verb(
        "application",
        "submit",
        "Call",
        "Submit",
        &[id("call"), flag("project", Kind::Hash), flag("commitment", Kind::Hash), maybe("seen", Kind::Json)],
    ),
    verb("application", "open", "Call", "Open", &[id("application"), flag("content", Kind::Json), flag("salt", Kind::Bytes)]),
    verb("application", "screen", "Call", "Judge", &[id("application"), usually("verdict", Kind::Json, "\"Eligible\"")]),
    verb("application", "appeal", "Call", "Appeal", &[id("application"), flag("grounds", Kind::Hash)]),
    verb("application", "withdraw", "Call", "Withdraw", &[id("application")]),
    verb("review", "pool", "Call", "EnterPool", &[flag("pool", POOLS), flag("persons", Kind::Numbers)]),
    motion("review", "confirm-pool", &["ConfirmPool"], &[flag("pool", POOLS), flag("persons", Kind::Numbers)]),
    verb("review", "freeze", "Call", "FreezePool", &[flag("subject", Kind::Json)]),
    verb("review", "draw", "Call", "CommitDraw", &[id("draw"), flag("commitment", Kind::Hash)]),
    verb("review", "reveal-draw", "Call", "RevealDraw", &[id("draw"), flag("secret", Kind::Bytes)]),
    verb("review", "declare", "Call", "Declare", &[id("review"), usually("declaration", Kind::Json, "\"Clear\"")]),
    verb("review", "seal", "Call", "Seal", &[id("review"), flag("seal", Kind::Hash)]),
    verb(
        "review",
        "reveal",
        "Call",
        "Reveal",
        &[id("review"), flag("scores", Kind::Numbers), flag("comment", Kind::Hash), flag("salt", Kind::Bytes)],
    ),
    verb("review", "finalise", "Call", "Finalise", &[id("review"), maybe("revision", Kind::Json)]),
    motion(
        "award",
        "propose",
        &["GrantAward"],
        &[
            id("application"),
            flag("amount", Kind::Minor),
            flag("body", Kind::Choice(&["committee", "board", "assembly"])),
            maybe("out_of_rank", Kind::Hash),
        ],
    ),
    motion(
        "award",
        "place",
        &["PlaceApplication"],
        &[id("application"), flag("placing", Kind::Choice(&["reserve", "not-recommended"])), flag("reason", Kind::Hash)],
    ),
    motion("award", "revoke", &["RevokeAward"], &[id("award"), flag("reason", Kind::Hash)]),
    verb("award", "accept", "Award", "Accept", &[id("award")]),
    verb(
        "agreement",
        "draft",
        "Award",
        "Draft",
        &[
            id("award"),
            flag("grantee", Kind::Number),
            flag("parties", Kind::Hash),
            flag("document", Kind::Hash),
            flag("total", Kind::Minor),
            flag("unit", Kind::Json),
            flag("milestones", Kind::Json),
            flag("advance", Kind::Minor),
            flag("holdback_bp", Kind::Number),
            flag("account", Kind::Hash),
            flag("charter", Kind::Number),
            flag("call", Kind::Hash),
            flag("clawback", Kind::Hash),
            flag("survival", Kind::Hash),
        ],
    ),
    verb("agreement", "sign", "Award", "Sign", &[id("agreement"), flag("draft", Kind::Hash), flag("terms", Kind::Hash)]),
    verb(
        "agreement",
        "countersign",
        "Award",
        "Countersign",
        &[id("agreement"), flag("signed", Kind::Hash), flag("terms", Kind::Hash)],
    ),
    verb("payee", "change", "Award", "ChangeAccount", &[id("agreement"), flag("account", Kind::Hash)]),
    verb(
        "payee",
        "confirm",
        "Award",
        "ConfirmAccount",
        &[
            id("agreement"),
            flag("change", Kind::Hash),
            flag("account", Kind::Hash),
            flag("channel", Kind::Choice(&["telephone", "registered-letter", "in-person", "token-transfer"])),
        ],
    ),
    verb("milestone", "submit", "Payment", "Submit", &[id("milestone"), flag("evidence", Kind::Json)]),
    verb("milestone", "assess", "Payment", "Assess", &[id("milestone"), flag("finding", Kind::Json), flag("report", Kind::Hash)]),
    verb(
        "payment",
        "request",
        "Payment",
        "Request",
        &[id("agreement"), flag("tranche", Kind::Json), flag("amount", Kind::Minor)],
    ),
    verb("payment", "certify", "Payment", "Certify", &[id("payment"), usually("decision", Kind::Json, "\"Pass\"")]),
    verb(
        "payment",
        "approve",
        "Payment",
        "Approve",
        &[id("payment"), flag("certified", Kind::Hash), flag("amount", Kind::Minor), usually("decision", Kind::Json, "\"Pass\"")],
    ),
    verb("payment", "hold", "Payment", "Hold", &[id("payment"), flag("ground", Kind::Hash)]),
    motion("payment", "lift", &["LiftHold"], &[id("payment"), flag("reason", Kind::Hash)]),
    verb("payment", "release", "Payment", "Release", &[id("payment"), flag("instruction", Kind::Json)]),
    verb("payment", "confirm", "Payment", "Settle", &[id("payment"), flag("reference", Kind::Text), flag("amount", Kind::Minor)]),
    verb(
        "payment",
        "return",
        "Payment",
        "Return",
        &[id("payment"), flag("reference", Kind::Text), flag("amount", Kind::Minor), flag("reason", Kind::Text)],
    ),
    verb("payment", "acknowledge", "Payment", "Acknowledge", &[id("payment"), flag("amount", Kind::Minor)]),
    verb("payment", "dispute", "Payment", "Dispute", &[id("payment"), flag("ground", Kind::Hash)]),
    verb("node", "ready", "Node", "Ready", &[]),
    verb("node", "leave", "Node", "Leave", &[]),
];

/// Finds a verb.
pub fn find(noun: &str, word: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.path == (noun, word))
}

impl Verb {
    /// The clap command of this verb.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.path.1);
        for field in self.fields {
            let mut argument = Arg::new(field.name);
            if field.positional {
                argument = argument.required(true).value_name(field.name.to_uppercase());
            } else {
                argument = argument.long(field.name.replace('_', "-")).value_name(match field.kind {
                    Kind::Number => "N",
                    Kind::Minor => "MINOR-UNITS",
                    Kind::Height => "HEIGHT",
                    Kind::Instant => "INSTANT",
                    Kind::Text => "TEXT",
                    Kind::Hash => "HASH|@FILE",
                    Kind::Day => "YYYY-MM-DD",
                    Kind::Choice(_) => "WORD",
                    Kind::List => "A,B,..",
                    Kind::Numbers => "N,N,..",
                    Kind::Bytes => "HEX",
                    Kind::Json => "JSON",
                });
            }
            if let Kind::Choice(words) = field.kind {
                argument = argument.value_parser(words.to_vec());
            }
            command = command.arg(argument);
        }
        if self.act.1 == "Propose" {
            command = command
                .arg(Arg::new("ballot-days").long("ballot-days").value_name("DAYS"))
                .arg(Arg::new("text").long("text").value_name("HASH|@FILE"));
        }
        command.arg(Arg::new("from").long("from").value_name("FILE").action(ArgAction::Set))
    }

    /// The act that the arguments spell.
    pub fn body(&self, matches: &ArgMatches) -> Result<Body, Failure> {
        let mut fields = match matches.get_one::<String>("from") {
            Some(file) => from_file(file)?,
            None => Map::new(),
        };
        for field in self.fields {
            match matches.get_one::<String>(field.name) {
                Some(text) => {
                    fields.insert(field.name.to_owned(), read(field, text)?);
                }
                None if fields.contains_key(field.name) => {}
                None if field.optional => {
                    if let Some(usual) = field.usual.and_then(|usual| serde_json::from_str(usual).ok()) {
                        fields.insert(field.name.to_owned(), usual);
                    }
                }
                None => {
                    return Err(Failure::unusable(t("verb.missing", &[("argument", field.name.replace('_', "-"))]))
                        .next(t("verb.missing-next", &[])));
                }
            }
        }
        if self.act == ("Membership", "Apply") {
            fields.entry("relations").or_insert_with(|| json!([]));
        }
        if self.act == ("Motion", "Vote") {
            // A signed "none" goes with every ballot; the prompt said so (domain 1.8).
            fields.entry("declaration").or_insert_with(|| json!("none"));
        }
        if self.path == ("office", "appoint") {
            fields.entry("scope").or_insert_with(|| json!("Alliance"));
        }
        let mut value = if fields.is_empty() && self.inside.is_empty() { Value::Null } else { Value::Object(fields) };
        for variant in self.inside.iter().rev() {
            value = json!({ *variant: value });
        }
        if self.act.1 == "Propose" {
            let days: u32 = match matches.get_one::<String>("ballot-days") {
                Some(text) => text.parse().map_err(|_| bad("ballot-days", text))?,
                None => {
                    if self.path.1 == "rescind" {
                        0
                    } else {
                        7
                    }
                }
            };
            let text = match matches.get_one::<String>("text") {
                Some(text) => hash(text)?,
                None => {
                    return Err(
                        Failure::unusable(t("verb.missing", &[("argument", "text".into())])).next(t("verb.text-next", &[]))
                    );
                }
            };
            value = json!({ "effect": value, "ballot_days": days, "text": text });
        }
        let act = if value.is_null() { json!(self.act.1) } else { json!({ self.act.1: value }) };
        let body: Body = serde_json::from_value(json!({ self.act.0: act }))
            .map_err(|error| Failure::unusable(t("verb.unreadable", &[])).because(error).next(t("verb.unreadable-next", &[])))?;
        body.check().map_err(|error| Failure::unusable(t("verb.malformed", &[])).because(error))?;
        Ok(body)
    }
}

fn bad(name: &str, text: &str) -> Failure {
    Failure::unusable(t("verb.bad", &[("argument", name.replace('_', "-")), ("value", text.to_owned())]))
}

fn from_file(file: &str) -> Result<Map<String, Value>, Failure> {
    let unreadable = || Failure::unusable(t("verb.file", &[("file", file.to_owned())]));
    let text = std::fs::read_to_string(file).map_err(|error| unreadable().because(error))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| unreadable().because(error))?;
    match serde_json::to_value(table) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(unreadable()),
    }
}

fn hash(text: &str) -> Result<String, Failure> {
    match text.strip_prefix('@') {
        None => Ok(text.to_owned()),
        Some(file) => {
            let bytes = std::fs::read(file)
                .map_err(|error| Failure::unusable(t("verb.file", &[("file", file.to_owned())])).because(error))?;
            Ok(sha256(&bytes).to_hex())
        }
    }
}

fn read(field: &Field, text: &str) -> Result<Value, Failure> {
    let wrong = || bad(field.name, text);
    Ok(match field.kind {
        Kind::Number => {
            let digits = text.trim_start_matches(|c: char| c.is_ascii_alphabetic()).trim_start_matches('-');
            json!(digits.parse::<u32>().map_err(|_| wrong())?)
        }
        Kind::Minor => json!(text.replace([',', '_'], "").parse::<u64>().map_err(|_| wrong().next(t("verb.minor-next", &[])))?),
        Kind::Height => json!(text.replace([',', '_'], "").parse::<u64>().map_err(|_| wrong())?),
        Kind::Instant => {
            json!(rollbook_core::calendar::parse_instant(text).map_err(|error| wrong().because(error))?)
        }
        Kind::Text | Kind::Choice(_) => json!(text),
        Kind::Hash => json!(hash(text)?),
        Kind::Day => {
            let date = rollbook_core::calendar::CivilDate::parse(text).map_err(|error| wrong().because(error))?;
            json!(date.day_number().0)
        }
        Kind::List => json!(text.split(',').map(str::trim).collect::<Vec<_>>()),
        Kind::Numbers => {
            let numbers: Result<Vec<u32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
            json!(numbers.map_err(|_| wrong())?)
        }
        Kind::Bytes => {
            let bytes = hex::decode(text).map_err(|error| wrong().because(error))?;
            json!(bytes)
        }
        Kind::Json => serde_json::from_str(text).map_err(|error| wrong().because(error))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(kind: Kind) -> String {
        match kind {
            Kind::Number => "7".into(),
            Kind::Minor => "1,000".into(),
            Kind::Height => "1,000".into(),
            Kind::Instant => "2026-11-24T10:00:00+08:00".into(),
            Kind::Text => "AC04".into(),
            Kind::Hash => sha256(b"x").to_hex(),
            Kind::Day => "2026-11-24".into(),
            Kind::Choice(words) => words[0].into(),
            Kind::List => "a,b".into(),
            Kind::Numbers => "1,2,3,4,5".into(),
            Kind::Bytes => sha256(b"x").to_hex(),
            Kind::Json => "\"none\"".into(),
        }
    }

    /// Every verb with plain arguments spells an act that core knows and that survives its own rules.
    #[test]
    fn every_verb_spells_an_act() {
        for verb in VERBS {
            let mut line = vec![verb.path.1.to_owned()];
            for field in verb.fields {
                if field.optional {
                    continue;
                }
                if !field.positional {
                    line.push(format!("--{}", field.name.replace('_', "-")));
                }
                line.push(sample(field.kind));
            }
            if verb.act.1 == "Propose" {
                line.extend(["--text".into(), sample(Kind::Hash)]);
            }
            let matches = verb.command().try_get_matches_from(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
            let structured = verb.fields.iter().any(|field| field.kind == Kind::Json && !field.optional);
            match verb.body(&matches) {
                Ok(_) => assert!(!structured, "{line:?}"),
                // What is written as JSON has no plain sample; that the act and its fields exist is known before it is read.
                Err(failure) if structured => {
                    let why = failure.why.unwrap_or_default();
                    assert!(!why.contains("unknown variant `") || !why.contains(verb.act.1), "{line:?}: {why}");
                    assert!(!why.contains("unknown field") && !why.contains("missing field"), "{line:?}: {why}");
                }
                Err(failure) => panic!("{line:?}: {} {:?}", failure.what, failure.why),
            }
        }
    }
}
