//! Business verbs: one table from the words of the command tree to the acts of core.
//!
//! * A verb names an act (`Membership.Screen`) and its arguments; the arguments become the act's
//!   fields. Long acts are read from a TOML file with `--from`; flags override the file. What a
//!   verb does is core's business; this table only spells it.
//! * A test walks every enum of core and fails when a kind of record has no verb ([`ELSEWHERE`]
//!   lists those that have a command of their own or are never proposed).
//! * What cannot be read is told with the argument as it stands on the command line, what was
//!   found, what is accepted, an example.

pub mod forms;
pub mod opening;
mod spell;

use forms::Form;
pub use spell::{is_table, shown};

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
    /// A document: 64 hexadecimal digits, or `@FILE` for the SHA-256 of a file.
    Hash,
    /// A record id or a digest that the ledger told: 64 hexadecimal digits.
    Record,
    /// A commitment to what stays off the ledger: 64 hexadecimal digits, `@FILE` for a content that
    /// is sealed now, or `@FILE` of an opening made before.
    Sealed,
    /// A shape with a spelling of its own.
    Form(Form),
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
    Field {
        name,
        kind: Kind::Number,
        positional: true,
        optional: false,
        usual: None,
    }
}

const fn flag(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        positional: false,
        optional: false,
        usual: None,
    }
}

const fn maybe(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        positional: false,
        optional: true,
        usual: None,
    }
}

const fn usually(name: &'static str, kind: Kind, usual: &'static str) -> Field {
    Field {
        name,
        kind,
        positional: false,
        optional: true,
        usual: Some(usual),
    }
}

const fn verb(
    noun: &'static str,
    word: &'static str,
    family: &'static str,
    variant: &'static str,
    fields: &'static [Field],
) -> Verb {
    Verb {
        path: (noun, word),
        act: (family, variant),
        inside: &[],
        fields,
    }
}

const fn motion(
    noun: &'static str,
    word: &'static str,
    effect: &'static [&'static str],
    fields: &'static [Field],
) -> Verb {
    Verb {
        path: (noun, word),
        act: ("Motion", "Propose"),
        inside: effect,
        fields,
    }
}

const CHOICES: Kind = Kind::Choice(&["yes", "no", "abstain"]);
const CLASSES: Kind = Kind::Choice(&["founding", "council", "ordinary", "associate"]);

const POSTS: Kind = Kind::Choice(&[
    "secretary",
    "registrar",
    "treasurer",
    "second-officer",
    "programme-officer",
    "finance-approver",
    "auditor",
]);
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
            usually("relations", Kind::Form(forms::RELATIONS), "[]"),
        ],
    ),
    verb(
        "member",
        "screen",
        "Membership",
        "Screen",
        &[id("membership")],
    ),
    verb(
        "member",
        "return",
        "Membership",
        "Return",
        &[id("membership"), flag("missing", Kind::List)],
    ),
    verb(
        "member",
        "resubmit",
        "Membership",
        "Resubmit",
        &[id("membership"), flag("additions", Kind::Hash)],
    ),
    verb(
        "member",
        "reject",
        "Membership",
        "Reject",
        &[
            id("membership"),
            flag("criterion", Kind::Text),
            flag("reasons", Kind::Sealed),
        ],
    ),
    verb(
        "member",
        "complete",
        "Membership",
        "Complete",
        &[id("membership")],
    ),
    verb(
        "member",
        "sponsor",
        "Membership",
        "Sponsor",
        &[id("membership")],
    ),
    verb(
        "member",
        "ballot",
        "Membership",
        "OpenBallot",
        &[id("membership"), flag("ballot_days", Kind::Number)],
    ),
    verb(
        "member",
        "ask-again",
        "Membership",
        "AskAgain",
        &[id("membership"), flag("reasons", Kind::Hash)],
    ),
    verb(
        "member",
        "withdraw-application",
        "Membership",
        "WithdrawApplication",
        &[id("membership")],
    ),
    verb(
        "member",
        "agree",
        "Membership",
        "Agree",
        &[id("membership"), flag("agreement", Kind::Hash)],
    ),
    verb(
        "member",
        "activate",
        "Membership",
        "Activate",
        &[id("membership"), flag("agreement", Kind::Hash)],
    ),
    verb(
        "dues",
        "invoice",
        "Membership",
        "Invoice",
        &[id("membership")],
    ),
    verb(
        "dues",
        "cancel",
        "Membership",
        "CancelInvoice",
        &[id("invoice")],
    ),
    verb(
        "dues",
        "receive",
        "Membership",
        "Receive",
        &[
            id("invoice"),
            flag("amount", Kind::Minor),
            flag("reference", Kind::Text),
            flag("value_date", Kind::Day),
        ],
    ),
    verb(
        "dues",
        "confirm",
        "Membership",
        "ConfirmReceipt",
        &[id("invoice"), flag("receipt", Kind::Record)],
    ),
    verb(
        "dues",
        "decline",
        "Membership",
        "DeclineReceipt",
        &[id("invoice"), flag("receipt", Kind::Record)],
    ),
    motion(
        "office",
        "appoint",
        &["Appoint"],
        &[
            flag("office", Kind::Number),
            flag("role", POSTS),
            usually("scope", Kind::Form(forms::SCOPE), "\"Alliance\""),
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
            Field {
                name: "choice",
                kind: CHOICES,
                positional: true,
                optional: false,
                usual: None,
            },
            maybe("criterion", Kind::Text),
            usually("declaration", Kind::Form(forms::DECLARATION), "\"none\""),
        ],
    ),
    verb(
        "motion",
        "recuse",
        "Motion",
        "DeclareConflict",
        &[
            id("motion"),
            flag(
                "kind",
                Kind::Choice(&[
                    "competitor",
                    "investor",
                    "employment-or-paid",
                    "family-or-personal",
                    "other",
                ]),
            ),
        ],
    ),
    verb("motion", "withdraw", "Motion", "Withdraw", &[id("motion")]),
    motion("motion", "rescind", &["Rescind"], &[id("motion")]),
    motion(
        "charter",
        "raise-protocol",
        &["RaiseProtocol"],
        &[
            id("protocol"),
            flag("from_height", Kind::Height),
            flag("release", Kind::Text),
        ],
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
            flag("name", Kind::Form(forms::NAME)),
            flag("holder", Kind::Number),
            flag("unit", Kind::Form(forms::UNIT)),
            flag("bank_account", Kind::Sealed),
            flag("office", Kind::Number),
            flag("officers", Kind::Form(forms::OFFICERS)),
        ],
    ),
    verb("fund", "accept", "Fund", "Accept", &[id("fund")]),
    motion(
        "fund",
        "committee",
        &["AppointCommittee"],
        &[id("fund"), flag("members", Kind::Numbers)],
    ),
    verb(
        "contribution",
        "pledge",
        "Fund",
        "Pledge",
        &[
            id("fund"),
            usually("pot", Kind::Form(forms::POT), "\"free\""),
            flag("instalments", Kind::Form(forms::INSTALMENTS)),
        ],
    ),
    verb(
        "contribution",
        "call",
        "Fund",
        "CallInstalment",
        &[id("instalment")],
    ),
    verb(
        "contribution",
        "cancel",
        "Fund",
        "ProposeCancel",
        &[id("contribution"), flag("instalments", Kind::Numbers)],
    ),
    verb(
        "contribution",
        "agree-cancel",
        "Fund",
        "AgreeCancel",
        &[flag("proposal", Kind::Record)],
    ),
    verb(
        "contribution",
        "receive",
        "Fund",
        "RecordReceipt",
        &[
            id("instalment"),
            flag("amount", Kind::Minor),
            flag("reference", Kind::Text),
            flag("value_day", Kind::Day),
        ],
    ),
    verb(
        "contribution",
        "confirm",
        "Fund",
        "ConfirmReceipt",
        &[flag("receipt", Kind::Record)],
    ),
    motion(
        "contribution",
        "write-off",
        &["WriteOffInstalment"],
        &[id("instalment"), flag("attempts", Kind::Hash)],
    ),
    motion(
        "call",
        "publish",
        &["PublishCall"],
        &[
            flag("fund", Kind::Number),
            flag("title", Kind::Form(forms::NAME)),
            maybe("direction", Kind::Number),
            flag("budget", Kind::Minor),
            flag("ask_max", Kind::Minor),
            flag("criteria", Kind::Form(forms::CRITERIA)),
            usually("threshold", Kind::Minor, "0"),
            usually("reviewers", Kind::Number, "3"),
            maybe("concentration_bp", Kind::Number),
            usually(
                "tie_breaks",
                Kind::Form(forms::TIE_BREAKS),
                "[\"smaller-ask\",\"earlier\"]",
            ),
            flag("eligibility", Kind::Form(forms::ELIGIBILITY)),
            flag("codes", Kind::List),
            flag("opens_day", Kind::Day),
            flag("closes_day", Kind::Day),
            flag("document", Kind::Hash),
        ],
    ),
    motion(
        "call",
        "cancel",
        &["CancelCall"],
        &[id("call"), flag("reason", Kind::Hash)],
    ),
    verb("call", "rank", "Call", "Rank", &[id("call")]),
    verb("call", "close", "Call", "Close", &[id("call")]),
    verb(
        "application",
        "submit",
        "Call",
        "Submit",
        &[
            id("call"),
            flag("project", Kind::Hash),
            maybe("title", Kind::Text),
            maybe("ask", Kind::Minor),
            maybe("document", Kind::Hash),
            maybe("commitment", Kind::Record),
            maybe("seen", Kind::Json),
        ],
    ),
    verb(
        "application",
        "open",
        "Call",
        "Open",
        &[
            id("application"),
            maybe("content", Kind::Json),
            maybe("salt", Kind::Bytes),
        ],
    ),
    verb(
        "application",
        "screen",
        "Call",
        "Judge",
        &[
            id("application"),
            usually("verdict", Kind::Form(forms::VERDICT), "\"Eligible\""),
        ],
    ),
    verb(
        "application",
        "appeal",
        "Call",
        "Appeal",
        &[id("application"), flag("grounds", Kind::Sealed)],
    ),
    verb(
        "application",
        "withdraw",
        "Call",
        "Withdraw",
        &[id("application")],
    ),
    verb(
        "review",
        "pool",
        "Call",
        "EnterPool",
        &[flag("pool", POOLS), flag("persons", Kind::Numbers)],
    ),
    motion(
        "review",
        "confirm-pool",
        &["ConfirmPool"],
        &[flag("pool", POOLS), flag("persons", Kind::Numbers)],
    ),
    verb(
        "review",
        "freeze",
        "Call",
        "FreezePool",
        &[flag("subject", Kind::Form(forms::SUBJECT))],
    ),
    verb(
        "review",
        "draw",
        "Call",
        "CommitDraw",
        &[
            id("draw"),
            maybe("attempt", Kind::Number),
            maybe("commitment", Kind::Record),
        ],
    ),
    verb(
        "review",
        "reveal-draw",
        "Call",
        "RevealDraw",
        &[id("draw"), maybe("secret", Kind::Bytes)],
    ),
    verb(
        "review",
        "declare",
        "Call",
        "Declare",
        &[
            id("review"),
            usually(
                "declaration",
                Kind::Form(forms::REVIEW_DECLARATION),
                "\"Clear\"",
            ),
        ],
    ),
    verb(
        "review",
        "seal",
        "Call",
        "Seal",
        &[
            id("review"),
            maybe("scores", Kind::Numbers),
            maybe("comment", Kind::Sealed),
            maybe("seal", Kind::Record),
        ],
    ),
    verb(
        "review",
        "reveal",
        "Call",
        "Reveal",
        &[
            id("review"),
            maybe("scores", Kind::Numbers),
            maybe("comment", Kind::Sealed),
            maybe("salt", Kind::Bytes),
        ],
    ),
    verb(
        "review",
        "finalise",
        "Call",
        "Finalise",
        &[
            id("review"),
            maybe("scores", Kind::Numbers),
            maybe("reason", Kind::Sealed),
        ],
    ),
    motion(
        "award",
        "propose",
        &["GrantAward"],
        &[
            id("application"),
            flag("amount", Kind::Minor),
            flag("body", Kind::Choice(&["committee", "board", "assembly"])),
            maybe("out_of_rank", Kind::Sealed),
        ],
    ),
    motion(
        "award",
        "place",
        &["PlaceApplication"],
        &[
            id("application"),
            flag("placing", Kind::Choice(&["reserve", "not-recommended"])),
            flag("reason", Kind::Sealed),
        ],
    ),
    motion(
        "award",
        "revoke",
        &["RevokeAward"],
        &[id("award"), flag("reason", Kind::Sealed)],
    ),
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
            flag("unit", Kind::Form(forms::UNIT)),
            flag("milestones", Kind::Form(forms::MILESTONES)),
            flag("advance", Kind::Minor),
            flag("holdback_bp", Kind::Number),
            flag("account", Kind::Sealed),
            flag("charter", Kind::Number),
            flag("call", Kind::Record),
            flag("clawback", Kind::Hash),
            flag("survival", Kind::Hash),
        ],
    ),
    verb(
        "agreement",
        "sign",
        "Award",
        "Sign",
        &[
            id("agreement"),
            flag("draft", Kind::Record),
            flag("terms", Kind::Record),
        ],
    ),
    verb(
        "agreement",
        "countersign",
        "Award",
        "Countersign",
        &[
            id("agreement"),
            flag("signed", Kind::Record),
            flag("terms", Kind::Record),
        ],
    ),
    verb(
        "payee",
        "change",
        "Award",
        "ChangeAccount",
        &[id("agreement"), flag("account", Kind::Sealed)],
    ),
    verb(
        "payee",
        "confirm",
        "Award",
        "ConfirmAccount",
        &[
            id("agreement"),
            flag("change", Kind::Record),
            flag("account", Kind::Sealed),
            flag(
                "channel",
                Kind::Choice(&[
                    "telephone",
                    "registered-letter",
                    "in-person",
                    "token-transfer",
                ]),
            ),
        ],
    ),
    verb(
        "milestone",
        "submit",
        "Payment",
        "Submit",
        &[
            id("milestone"),
            flag("evidence", Kind::Form(forms::EVIDENCE)),
        ],
    ),
    verb(
        "milestone",
        "assess",
        "Payment",
        "Assess",
        &[
            id("milestone"),
            flag("finding", Kind::Form(forms::FINDING)),
            flag("report", Kind::Hash),
        ],
    ),
    verb(
        "payment",
        "request",
        "Payment",
        "Request",
        &[
            id("agreement"),
            flag("tranche", Kind::Form(forms::TRANCHE)),
            flag("amount", Kind::Minor),
        ],
    ),
    verb(
        "payment",
        "certify",
        "Payment",
        "Certify",
        &[
            id("payment"),
            usually("decision", Kind::Form(forms::DECISION), "\"Pass\""),
        ],
    ),
    verb(
        "payment",
        "approve",
        "Payment",
        "Approve",
        &[
            id("payment"),
            flag("certified", Kind::Record),
            flag("amount", Kind::Minor),
            usually("decision", Kind::Form(forms::DECISION), "\"Pass\""),
        ],
    ),
    verb(
        "payment",
        "hold",
        "Payment",
        "Hold",
        &[id("payment"), flag("ground", Kind::Sealed)],
    ),
    motion(
        "payment",
        "lift",
        &["LiftHold"],
        &[id("payment"), flag("reason", Kind::Sealed)],
    ),
    verb(
        "payment",
        "release",
        "Payment",
        "Release",
        &[
            id("payment"),
            flag("end_to_end", Kind::Text),
            maybe("uetr", Kind::Text),
            flag("account", Kind::Sealed),
            flag("amount", Kind::Minor),
        ],
    ),
    verb(
        "payment",
        "confirm",
        "Payment",
        "Settle",
        &[
            id("payment"),
            flag("reference", Kind::Text),
            flag("amount", Kind::Minor),
        ],
    ),
    verb(
        "payment",
        "return",
        "Payment",
        "Return",
        &[
            id("payment"),
            flag("reference", Kind::Text),
            flag("amount", Kind::Minor),
            flag("reason", Kind::Text),
        ],
    ),
    verb(
        "payment",
        "acknowledge",
        "Payment",
        "Acknowledge",
        &[id("payment"), flag("amount", Kind::Minor)],
    ),
    verb(
        "payment",
        "dispute",
        "Payment",
        "Dispute",
        &[id("payment"), flag("ground", Kind::Sealed)],
    ),
    verb("node", "ready", "Node", "Ready", &[]),
    verb("node", "leave", "Node", "Leave", &[]),
];

/// Finds a verb.
pub fn find(noun: &str, word: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.path == (noun, word))
}

/// Kinds of record that have a command of their own, or that no officer proposes: family, variant,
/// why.
pub const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("Organisation", "Found", "genesis sign"),
    ("Organisation", "Register", "org introduce"),
    ("Node", "Register", "node register"),
    ("MotionEffect", "Admit", "opened by M07"),
    (
        "MotionEffect",
        "DecideAppeal",
        "opened by F40: application appeal",
    ),
];

#[cfg(test)]
mod tests {
    use rollbook_proof::crypto::sha256;

    use super::opening::Reading;
    use super::*;

    fn sample(kind: Kind) -> String {
        match kind {
            Kind::Number => "7".into(),
            Kind::Minor => "1,000".into(),
            Kind::Height => "1,000".into(),
            Kind::Instant => "2026-11-24T10:00:00+08:00".into(),
            Kind::Text => "AC04".into(),
            Kind::Hash | Kind::Record | Kind::Sealed | Kind::Bytes => sha256(b"x").to_hex(),
            Kind::Day => "2026-11-24".into(),
            Kind::Choice(words) => words[0].into(),
            Kind::List => "a,b".into(),
            Kind::Numbers => "1,2,3,4,5".into(),
            Kind::Json => "null".into(),
            Kind::Form(form) => form.sample.into(),
        }
    }

    fn line(verb: &Verb, every: bool) -> Vec<String> {
        let mut line = vec![verb.path.1.to_owned()];
        for field in verb.fields {
            // What is made elsewhere stands for what this act would make or open.
            let usual = ![
                "deputy",
                "seen",
                "commitment",
                "seal",
                "salt",
                "content",
                "secret",
                "uetr",
            ]
            .contains(&field.name);
            if field.optional && !(every && usual) {
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
        line
    }

    /// Every verb with plain arguments spells an act that core knows and that survives its own
    /// rules of shape.
    #[test]
    fn every_verb_spells_an_act() {
        for verb in VERBS {
            // These read an opening, as the suite of the binary does.
            if [
                ("application", "open"),
                ("review", "reveal"),
                ("review", "reveal-draw"),
            ]
            .contains(&verb.path)
            {
                continue;
            }
            let line = line(verb, true);
            let matches = verb
                .command()
                .try_get_matches_from(&line)
                .unwrap_or_else(|error| panic!("{line:?}: {error}"));
            let result = verb.body(&matches, &mut Reading::of(3, 5));
            // A list of milestones does not sum to a sample total, and the like: core says so by
            // its own rule.
            let shape = [("call", "publish")];
            match result {
                Ok(body) => {
                    assert_eq!(
                        serde_json::to_value(&body)
                            .unwrap()
                            .as_object()
                            .unwrap()
                            .keys()
                            .next()
                            .unwrap(),
                        verb.act.0
                    )
                }
                Err(failure) if shape.contains(&verb.path) => {
                    assert!(failure.what.contains("F05") || failure.why.is_some())
                }
                Err(failure) => panic!("{line:?}: {} {:?}", failure.what, failure.why),
            }
        }
    }
}
