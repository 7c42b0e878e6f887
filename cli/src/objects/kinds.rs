//! The kinds of objects in the tables that have a number or a name of their own, each with what a list shows
//! of it.

/// A kind of object in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Letters of the short id; empty: it has none.
    pub letter: &'static str,
    /// First part of the path.
    pub table: &'static str,
    /// The noun of the command tree.
    pub noun: &'static str,
    /// The command under the noun that lists them.
    pub word: &'static str,
    /// The state proves it; else a node's word, or an export run again.
    pub is_proved: bool,
    /// Columns of a list: fields of the value, besides the id.
    pub columns: &'static [&'static str],
}

const fn kind(
    letter: &'static str,
    table: &'static str,
    noun: &'static str,
    columns: &'static [&'static str],
) -> Kind {
    Kind {
        letter,
        table,
        noun,
        word: "list",
        is_proved: true,
        columns,
    }
}

/// A kind that the state does not prove.
const fn told(
    letter: &'static str,
    table: &'static str,
    (noun, word): (&'static str, &'static str),
    columns: &'static [&'static str],
) -> Kind {
    Kind {
        letter,
        table,
        noun,
        word,
        is_proved: false,
        columns,
    }
}

/// Every kind, in the order of the tables that a node lists.
pub const KINDS: [Kind; 39] = [
    kind(
        "O",
        "organisation",
        "org",
        &["name", "kind", "country", "officers", "membership"],
    ),
    kind(
        "M",
        "membership",
        "member",
        &["organisation", "class", "standing", "since_ms"],
    ),
    kind(
        "V",
        "motion",
        "motion",
        &["kind", "body", "status", "opened_ms", "voices"],
    ),
    kind("F", "fund", "fund", &["name", "status", "unit"]),
    kind(
        "C",
        "call",
        "call",
        &["status", "terms.fund", "applications", "since_ms"],
    ),
    kind(
        "W",
        "award",
        "award",
        &["call", "grantee", "amount", "state"],
    ),
    kind(
        "A",
        "agreement",
        "agreement",
        &["award", "grantee", "terms.total", "state"],
    ),
    kind(
        "P",
        "payment",
        "payment",
        &["agreement", "tranche", "amount", "state"],
    ),
    kind("B", "account", "account", &["balance"]),
    kind("K", "charter", "charter", &["preset", "clock", "text"]),
    kind(
        "E",
        "policy",
        "policy",
        &["first_height", "valid_from_size", "policy"],
    ),
    told(
        "PO",
        "post",
        ("office", "list"),
        &["office", "role", "scope", "holder", "until_ms", "status"],
    ),
    told(
        "IV",
        "invoice",
        ("dues", "list"),
        &[
            "membership",
            "charge",
            "year",
            "amount",
            "received",
            "due_ms",
            "status",
        ],
    ),
    told(
        "PL",
        "pledge",
        ("contribution", "pledges"),
        &["member", "fund", "pot", "instalments", "signed_ms"],
    ),
    told(
        "IN",
        "instalment",
        ("contribution", "list"),
        &["contribution", "due_day", "amount", "received", "status"],
    ),
    told(
        "",
        "entry",
        ("contribution", "entries"),
        &[
            "instalment",
            "amount",
            "value_day",
            "reference",
            "recorded_by",
            "confirmed_by",
        ],
    ),
    told(
        "AP",
        "application",
        ("application", "list"),
        &["call", "applicant", "submitted_ms", "rank", "status"],
    ),
    told(
        "DR",
        "draw",
        ("review", "draws"),
        &["subject", "round", "attempt", "since_ms", "status"],
    ),
    told(
        "RV",
        "review",
        ("review", "list"),
        &["application", "person", "scores", "since_ms", "status"],
    ),
    told(
        "MS",
        "milestone",
        ("milestone", "list"),
        &["agreement", "planned", "accepted", "payment", "state"],
    ),
    told(
        "RE",
        "relation",
        ("org", "relations"),
        &[
            "ends",
            "kind",
            "claimed_by",
            "claimed_ms",
            "effective_ms",
            "ended_ms",
            "status",
        ],
    ),
    told(
        "SE",
        "seat",
        ("seat", "list"),
        &["organisation", "from_ms", "until_ms", "succeeds", "status"],
    ),
    told(
        "KD",
        "draft",
        ("charter", "drafts"),
        &["replaces", "organisation", "digest", "since_ms", "status"],
    ),
    told(
        "CH",
        "change",
        ("org", "changes"),
        &["organisation", "signed_by", "since_ms", "status"],
    ),
    told(
        "DG",
        "delegation",
        ("org", "delegations"),
        &[
            "organisation",
            "grant.giver",
            "grant.to",
            "grant.until_ms",
            "status",
        ],
    ),
    told(
        "RK",
        "revocation",
        ("org", "stops"),
        &["person", "key", "asked_by.person", "since_ms", "status"],
    ),
    told(
        "KR",
        "key-recovery",
        ("org", "recoveries"),
        &[
            "plan.organisation",
            "checked_by",
            "motion",
            "since_ms",
            "status",
        ],
    ),
    told("D", "direction", ("direction", "list"), &["code", "name"]),
    told(
        "OB",
        "observer",
        ("observer", "list"),
        &["number", "reading", "motion", "since_ms", "status"],
    ),
    told(
        "ST",
        "statement",
        ("observer", "statements"),
        &["organisation", "entry.title", "entry.motion", "filed_ms"],
    ),
    told(
        "CD",
        "calendar",
        ("calendar", "list"),
        &["plan.year", "filed_by", "since_ms", "status"],
    ),
    told(
        "CO",
        "correction",
        ("correction", "list"),
        &[
            "entry.subject",
            "entry.field",
            "entry.reads",
            "entry.should_read",
            "status",
        ],
    ),
    told(
        "OR",
        "order",
        ("order", "list"),
        &[
            "order.authority",
            "order.reference",
            "order.issued_ms",
            "order.about",
        ],
    ),
    told(
        "DP",
        "plan",
        ("dues", "plans"),
        &["membership", "total", "parts", "since_ms", "status"],
    ),
    told(
        "NO",
        "notice",
        ("notice", "list"),
        &[
            "organisation",
            "entry.subject",
            "entry.channel",
            "entry.dispatched",
            "served_ms",
            "status",
        ],
    ),
    told(
        "PR",
        "proceeding",
        ("proceeding", "list"),
        &[
            "organisation",
            "entry.ground",
            "opened_ms",
            "noticed_ms",
            "heard_ms",
            "status",
        ],
    ),
    told(
        "N",
        "node",
        ("node", "list"),
        &["organisation", "status", "votes_from", "address", "url"],
    ),
    told(
        "ME",
        "measure",
        ("agreement", "measures"),
        &[
            "notice.agreement",
            "notice.kind",
            "held_by",
            "since_ms",
            "status",
        ],
    ),
    told(
        "RC",
        "recovery",
        ("recovery", "list"),
        &[
            "claim.agreement",
            "ordered",
            "received",
            "set_off",
            "status",
        ],
    ),
];
