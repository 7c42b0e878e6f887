//! Verbs for the life of an agreement: measures about it, its closing, and the recovery of paid money.

use super::{Kind, Verb, about, fill, flag, forms, id, known, motion, told, verb};

const MEASURES: Kind = Kind::Choice(&["deadline", "payment", "whole", "termination"]);

/// Verbs of this family.
pub const VERBS: &[Verb] = &[
    verb(
        "agreement",
        "announce",
        "Award",
        "Announce",
        &[
            id("agreement"),
            flag("kind", MEASURES),
            flag("letter", Kind::Sealed),
            flag("dispatch", Kind::Hash),
        ],
    ),
    verb(
        "agreement",
        "observe",
        "Award",
        "ObserveMeasure",
        &[id("measure"), flag("observations", Kind::Sealed)],
    ),
    verb(
        "agreement",
        "hold",
        "Award",
        "HoldPayments",
        &[id("measure"), flag("ground", Kind::Sealed)],
    ),
    verb(
        "agreement",
        "drop",
        "Award",
        "DropMeasure",
        &[id("measure"), flag("reason", Kind::Sealed)],
    ),
    motion(
        "agreement",
        "suspend",
        &["SuspendAgreement"],
        &[id("measure"), flag("reason", Kind::Sealed)],
    ),
    motion(
        "agreement",
        "terminate",
        &["TerminateAgreement"],
        &[id("measure"), flag("reason", Kind::Sealed)],
    ),
    verb("agreement", "resume", "Award", "Resume", &[id("agreement")]),
    verb("agreement", "close", "Award", "Close", &[id("agreement")]),
    verb(
        "recovery",
        "propose",
        "Award",
        "ProposeRecovery",
        &[
            id("agreement"),
            flag("amount", Kind::Money),
            flag("code", Kind::Text),
            flag("reason", Kind::Sealed),
        ],
    ),
    verb(
        "recovery",
        "notify",
        "Award",
        "NotifyRecovery",
        &[
            id("recovery"),
            flag("letter", Kind::Sealed),
            flag("dispatch", Kind::Hash),
        ],
    ),
    verb(
        "recovery",
        "observe",
        "Award",
        "ObserveRecovery",
        &[id("recovery"), flag("observations", Kind::Sealed)],
    ),
    verb(
        "recovery",
        "drop",
        "Award",
        "DropRecovery",
        &[id("recovery"), flag("reason", Kind::Sealed)],
    ),
    motion(
        "recovery",
        "order",
        &["OrderRecovery"],
        &[
            id("recovery"),
            flag("instalments", Kind::Form(forms::INSTALMENTS)),
            flag("reason", Kind::Sealed),
        ],
    ),
    verb(
        "recovery",
        "receive",
        "Award",
        "ReceiveRecovery",
        &[
            id("recovery"),
            flag("amount", Kind::Money),
            flag("reference", Kind::Text),
            flag("value_day", Kind::Day),
        ],
    ),
    verb(
        "recovery",
        "confirm",
        "Award",
        "ConfirmRecovery",
        &[about("recovery"), told("receipt", Kind::Record)],
    )
    .knows(known::recovery_receipt)
    .fills(fill::without_recovery),
    verb(
        "recovery",
        "offset",
        "Award",
        "SetOff",
        &[
            id("recovery"),
            flag("payment", Kind::Id("payment")),
            flag("amount", Kind::Money),
        ],
    ),
    verb(
        "recovery",
        "agree-offset",
        "Award",
        "AgreeSetOff",
        &[about("recovery"), told("entry", Kind::Record)],
    )
    .knows(known::set_off)
    .fills(fill::without_recovery),
    motion(
        "recovery",
        "write-off",
        &["WriteOffRecovery"],
        &[id("recovery"), flag("attempts", Kind::Hash)],
    ),
];
