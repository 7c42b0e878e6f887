//! The table of verbs: from the words of the command tree to the acts of core, noun by noun.

use super::assembly::ASSEMBLY;
use super::{
    Field, Kind, Verb, about, fill, flag, forms, id, id_of, known, maybe, motion, place, told,
    usually, verb,
};

const CHOICES: Kind = Kind::Choice(&["yes", "no", "abstain"]);
const SEALED: Kind = Kind::Choice(&["yes", "no"]);
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
const INSTRUMENTS: Kind = Kind::Choice(&["grant"]);
const SCHEMES: Kind = Kind::Choice(&["hvps", "beps", "ibps", "cips", "swift", "book", "other"]);
const POOLS: Kind = Kind::Choice(&["reviewers", "assessors"]);

/// Every verb.
pub const VERBS: &[Verb] = &joined::<{ FIRST.len() + ASSEMBLY.len() }>();

/// The verbs of this file, then those of the assembly.
const fn joined<const N: usize>() -> [Verb; N] {
    let mut all = [FIRST[0]; N];
    let mut at = 0;
    while at < N {
        let own = at < FIRST.len();
        all[at] = if own {
            FIRST[at]
        } else {
            ASSEMBLY[at - FIRST.len()]
        };
        at += 1;
    }
    all
}

const FIRST: &[Verb] = &[
    verb(
        "member",
        "apply",
        "Membership",
        "Apply",
        &[
            flag("class", CLASSES),
            told("charter", Kind::Hash),
            flag("antitrust", Kind::Hash),
            flag("conflicts", Kind::Hash),
            usually("relations", Kind::Form(forms::RELATIONS), "[]"),
        ],
    )
    .knows(known::charter),
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
        &[id("membership"), told("agreement", Kind::Hash)],
    )
    .knows(known::participation),
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
            flag("amount", Kind::Money),
            flag("reference", Kind::Text),
            flag("value_date", Kind::Day),
        ],
    ),
    verb(
        "dues",
        "confirm",
        "Membership",
        "ConfirmReceipt",
        &[id("invoice"), told("receipt", Kind::Record)],
    )
    .knows(known::dues_receipt),
    verb(
        "dues",
        "decline",
        "Membership",
        "DeclineReceipt",
        &[id("invoice"), told("receipt", Kind::Record)],
    )
    .knows(known::dues_receipt),
    verb(
        "org",
        "relate",
        "Organisation",
        "Relate",
        &[
            id_of("other", "organisation"),
            flag("kind", Kind::Choice(forms::RELATION_KINDS)),
            flag("evidence", Kind::Hash),
        ],
    ),
    verb(
        "org",
        "confirm",
        "Organisation",
        "ConfirmRelation",
        &[
            id_of("other", "organisation"),
            usually("relation", Kind::Number, "1"),
        ],
    ),
    motion(
        "office",
        "appoint",
        &["Appoint"],
        &[
            flag("office", Kind::Id("organisation")),
            flag("role", POSTS),
            usually("scope", Kind::Form(forms::SCOPE), "\"Alliance\""),
            flag("holder", Kind::Number),
            maybe("deputy", Kind::Number),
            maybe("succeeds", Kind::Id("post")),
        ],
    ),
    motion("office", "remove", &["Remove"], &[id("post")]),
    motion(
        "office",
        "remove-auditor",
        &["RemoveAuditor"],
        &[id("post")],
    ),
    verb("office", "accept", "Motion", "AcceptPost", &[id("post")]),
    verb("office", "decline", "Motion", "DeclinePost", &[id("post")]),
    verb("office", "resign", "Motion", "ResignPost", &[id("post")]),
    verb("motion", "support", "Motion", "Support", &[id("motion")]),
    verb(
        "motion",
        "vote",
        "Motion",
        "Vote",
        &[
            id("motion"),
            Field {
                optional: true,
                ..place("choice", CHOICES)
            },
            maybe("names", Kind::Numbers),
            maybe("sealed", SEALED),
            Field {
                usual: Some("1"),
                ..told("round", Kind::Number)
            },
            usually("replaces", Kind::List, "[]"),
            maybe("criterion", Kind::Text),
            usually("declaration", Kind::Form(forms::DECLARATION), "\"none\""),
            maybe("proxy_for", Kind::Id("organisation")),
        ],
    )
    .knows(known::round)
    .fills(fill::vote),
    verb("motion", "withdraw", "Motion", "Withdraw", &[id("motion")]),
    verb(
        "node",
        "upgrade",
        "Node",
        "Support",
        &[place("protocol", Kind::Number)],
    ),
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
            maybe("about", Kind::Id("organisation")),
        ],
    ),
    motion(
        "fund",
        "propose",
        &["CreateFund"],
        &[
            flag("name", Kind::Form(forms::NAME)),
            flag("holder", Kind::Id("organisation")),
            flag("unit", Kind::Form(forms::UNIT)),
            flag("bank_account", Kind::Sealed),
            flag("office", Kind::Id("organisation")),
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
        &[about("contribution"), told("proposal", Kind::Record)],
    )
    .knows(known::cancellation)
    .fills(fill::without_contribution),
    verb(
        "contribution",
        "receive",
        "Fund",
        "RecordReceipt",
        &[
            id("instalment"),
            flag("amount", Kind::Money),
            flag("reference", Kind::Text),
            flag("value_day", Kind::Day),
        ],
    ),
    verb(
        "contribution",
        "confirm",
        "Fund",
        "ConfirmReceipt",
        &[about("instalment"), told("receipt", Kind::Record)],
    )
    .knows(known::receipt)
    .fills(fill::without_instalment),
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
            flag("fund", Kind::Id("fund")),
            usually("instrument", INSTRUMENTS, "\"grant\""),
            flag("title", Kind::Form(forms::NAME)),
            maybe("direction", Kind::Number),
            flag("budget", Kind::Money),
            flag("ask_max", Kind::Money),
            flag("criteria", Kind::Form(forms::CRITERIA)),
            usually("threshold", Kind::Points, "0"),
            usually("reviewers", Kind::Number, "3"),
            maybe("concentration_bp", Kind::Number),
            usually(
                "tie_breaks",
                Kind::Form(forms::TIE_BREAKS),
                "[\"smaller-ask\",\"earlier\"]",
            ),
            flag("eligibility", Kind::Form(forms::ELIGIBILITY)),
            usually("per_group", Kind::Json, "{\"waiting\":2,\"handed_in\":5}"),
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
            maybe("project", Kind::Hash),
            maybe("title", Kind::Text),
            maybe("ask", Kind::Money),
            maybe("document", Kind::Hash),
            maybe("commitment", Kind::Record),
            maybe("seen", Kind::Json),
        ],
    )
    .fills(fill::application_submit),
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
    )
    .fills(fill::application_open),
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
    )
    .knows(known::attempt)
    .fills(fill::review_draw),
    verb(
        "review",
        "reveal-draw",
        "Call",
        "RevealDraw",
        &[id("draw"), maybe("secret", Kind::Bytes)],
    )
    .fills(fill::review_reveal_draw),
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
    )
    .knows(known::scores)
    .fills(fill::review_seal),
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
    )
    .fills(fill::review_reveal),
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
    )
    .fills(fill::review_finalise),
    motion(
        "award",
        "propose",
        &["GrantAward"],
        &[
            id("application"),
            flag("amount", Kind::Money),
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
            told("instrument", INSTRUMENTS),
            told("grantee", Kind::Id("organisation")),
            usually("partners", Kind::Json, "[]"),
            flag("parties", Kind::Hash),
            flag("document", Kind::Hash),
            told("total", Kind::Money),
            told("unit", Kind::Form(forms::UNIT)),
            flag("milestones", Kind::Form(forms::MILESTONES)),
            flag("advance", Kind::Money),
            told("holdback_bp", Kind::Number),
            flag("account", Kind::Sealed),
            told("charter", Kind::Number),
            told("call", Kind::Record),
            flag("clawback", Kind::Hash),
            flag("survival", Kind::Hash),
        ],
    )
    .knows(known::award),
    verb(
        "agreement",
        "sign",
        "Award",
        "Sign",
        &[
            id("agreement"),
            told("draft", Kind::Record),
            told("terms", Kind::Record),
        ],
    )
    .knows(known::draft),
    verb(
        "agreement",
        "countersign",
        "Award",
        "Countersign",
        &[
            id("agreement"),
            told("signed", Kind::Record),
            told("terms", Kind::Record),
        ],
    )
    .knows(known::signature),
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
            told("change", Kind::Record),
            told("account", Kind::Sealed),
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
    )
    .knows(known::account_change),
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
            told("amount", Kind::Money),
        ],
    )
    .knows(known::tranche),
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
            told("certified", Kind::Record),
            told("amount", Kind::Money),
            usually("decision", Kind::Form(forms::DECISION), "\"Pass\""),
        ],
    )
    .knows(known::certificate),
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
            usually("scheme", SCHEMES, "\"hvps\""),
            flag("end_to_end", Kind::Text),
            maybe("uetr", Kind::Text),
            told("account", Kind::Sealed),
            told("amount", Kind::Money),
        ],
    )
    .knows(known::instruction)
    .fills(fill::payment_release),
    verb(
        "payment",
        "confirm",
        "Payment",
        "Settle",
        &[
            id("payment"),
            flag("reference", Kind::Text),
            told("amount", Kind::Money),
        ],
    )
    .knows(known::amount),
    verb(
        "payment",
        "return",
        "Payment",
        "Return",
        &[
            id("payment"),
            flag("reference", Kind::Text),
            told("amount", Kind::Money),
            flag("reason", Kind::Text),
        ],
    )
    .knows(known::amount),
    verb(
        "payment",
        "acknowledge",
        "Payment",
        "Acknowledge",
        &[id("payment"), told("amount", Kind::Money)],
    )
    .knows(known::amount),
    verb(
        "payment",
        "dispute",
        "Payment",
        "Dispute",
        &[id("payment"), flag("ground", Kind::Sealed)],
    ),
];

/// Kinds of record that have a command of their own, or that no officer proposes: family, variant,
/// why.
pub const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("Organisation", "Found", "genesis sign"),
    ("Organisation", "Register", "org introduce"),
    ("Organisation", "RotateKey", "keys rotate"),
    ("Node", "Register", "node register"),
    ("Node", "Update", "node update"),
    ("MotionEffect", "Admit", "opened by M07"),
    ("MotionEffect", "ChangeClass", "opened by M22: member class"),
    (
        "MotionEffect",
        "UndoRelation",
        "opened by R27: org appeal-relation",
    ),
    (
        "MotionEffect",
        "DecideAppeal",
        "opened by F40: application appeal",
    ),
    (
        "MotionEffect",
        "UpholdAppeal",
        "opened by M17: proceeding appeal",
    ),
];
