//! Verbs of seats, proxies, sealed ballots, papers of meetings, amendments, and of nodes that come and go: the part of the
//! [table](super::table) that the assembly needs.

use super::{Field, Kind, Verb, fill, flag, id, known, maybe, motion, place, told, usually, verb};

/// An assembly's ballot is open for ten days or more.
pub(super) const ASSEMBLY_DAYS: u32 = 10;

/// The verbs.
pub const ASSEMBLY: &[Verb] = &[
    Verb {
        ballot_days: ASSEMBLY_DAYS,
        ..motion(
            "seat",
            "elect",
            &["ElectSeat"],
            &[
                usually("seats", Kind::Numbers, "[]"),
                usually("further", Kind::Number, "0"),
            ],
        )
    },
    verb("seat", "accept", "Motion", "AcceptSeat", &[id("seat")]),
    verb("seat", "decline", "Motion", "DeclineSeat", &[id("seat")]),
    verb("seat", "resign", "Motion", "ResignSeat", &[id("seat")]),
    verb(
        "proxy",
        "give",
        "Motion",
        "GiveProxy",
        &[id("motion"), flag("holder", Kind::Id("organisation"))],
    ),
    verb(
        "proxy",
        "take-back",
        "Motion",
        "TakeBackProxy",
        &[id("motion")],
    ),
    verb(
        "motion",
        "reveal",
        "Motion",
        "Reveal",
        &[
            id("motion"),
            Field {
                usual: Some("1"),
                ..told("round", Kind::Number)
            },
            maybe("proxy_for", Kind::Id("organisation")),
            maybe("vote", Kind::Json),
            maybe("salt", Kind::Bytes),
            maybe("criterion", Kind::Text),
        ],
    )
    .knows(known::round)
    .fills(fill::motion_reveal),
    verb(
        "motion",
        "minutes",
        "Motion",
        "Minutes",
        &[
            id("motion"),
            flag("agenda", Kind::Hash),
            flag("attendance", Kind::Hash),
            flag("minutes", Kind::Hash),
        ],
    ),
    verb(
        "charter",
        "deposit",
        "Charter",
        "Deposit",
        &[
            maybe("set", Kind::List),
            maybe("text", Kind::Hash),
            told("replaces", Kind::Number),
            maybe("charter", Kind::Json),
        ],
    )
    .knows(known::version)
    .fills(fill::charter_deposit),
    Verb {
        ballot_days: ASSEMBLY_DAYS,
        ..motion(
            "charter",
            "propose",
            &["AmendCharter"],
            &[
                place("digest", Kind::Record),
                told("replaces", Kind::Number),
            ],
        )
    }
    .knows(known::version),
    // Decided with the stay of what it undoes, so it has no days of its own.
    Verb {
        ballot_days: 0,
        ..motion("motion", "rescind", &["Rescind"], &[id("motion")])
    },
    motion(
        "charter",
        "raise-protocol",
        &["RaiseProtocol"],
        &[
            place("protocol", Kind::Number),
            flag("from_height", Kind::Height),
            flag("release", Kind::Text),
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
    verb("node", "ready", "Node", "Ready", &[]),
    verb("node", "leave", "Node", "Leave", &[]),
];
