//! Verbs for directions, observers, the chair, working days and corrections, and the forms that only they
//! have.

use rollbook_core::calendar::CivilDate;
use rollbook_core::id::{CallId, FundId, OrderId, StatementId};
use rollbook_core::record::{Corrected, YEAR_DAYS_MAX};
use rollbook_proof::crypto::Hash;
use serde_json::json;

use super::assembly::ASSEMBLY_DAYS;
use super::forms::Form;
use super::opening::Reading;
use super::{Kind, Verb, flag, id, id_of, maybe, motion, place, usually, verb};
use crate::failure::Failure;
use crate::objects::number_of;

const READING: Kind = Kind::Choice(&["public", "members"]);
const FIELDS: Kind = Kind::Choice(&[
    "authority",
    "reference",
    "issued",
    "title",
    "name",
    "value-day",
]);

/// Verbs of this family.
pub const VERBS: &[Verb] = &[
    verb(
        "direction",
        "join",
        "Organisation",
        "JoinDirection",
        &[id("direction")],
    ),
    verb(
        "direction",
        "leave",
        "Organisation",
        "LeaveDirection",
        &[id("direction")],
    ),
    motion(
        "direction",
        "lead",
        &["NameLead"],
        &[
            id("direction"),
            flag("organisation", Kind::Id("organisation")),
        ],
    ),
    verb(
        "direction",
        "step-down",
        "Organisation",
        "GiveUpLead",
        &[id("direction")],
    ),
    motion(
        "observer",
        "admit",
        &["AdmitObserver"],
        &[
            id_of("organisation", "organisation"),
            flag("reading", READING),
        ],
    ),
    motion(
        "observer",
        "end",
        &["EndObserver"],
        &[id_of("organisation", "organisation")],
    ),
    verb(
        "observer",
        "state",
        "Organisation",
        "FileStatement",
        &[
            flag("title", Kind::Text),
            flag("document", Kind::Hash),
            maybe("motion", Kind::Id("motion")),
        ],
    ),
    Verb {
        ballot_days: ASSEMBLY_DAYS,
        ..motion(
            "office",
            "elect-chair",
            &["ElectChair"],
            &[
                id_of("office", "organisation"),
                maybe("succeeds", Kind::Id("post")),
            ],
        )
    },
    verb(
        "calendar",
        "set",
        "Charter",
        "SetCalendar",
        &[
            place("year", Kind::Number),
            usually("holidays", Kind::Form(DAYS), "[]"),
            usually("working_weekends", Kind::Form(DAYS), "[]"),
        ],
    ),
    verb(
        "calendar",
        "confirm",
        "Charter",
        "ConfirmCalendar",
        &[id("calendar")],
    ),
    motion(
        "member",
        "screen-again",
        &["ScreenAgain"],
        &[id("membership"), flag("evidence", Kind::Hash)],
    ),
    verb(
        "correction",
        "file",
        "Charter",
        "Correct",
        &[
            place("subject", Kind::Form(SUBJECT)),
            flag("field", FIELDS),
            flag("reads", Kind::Text),
            flag("should_read", Kind::Text),
            flag("evidence", Kind::Hash),
        ],
    ),
    verb(
        "correction",
        "confirm",
        "Charter",
        "ConfirmCorrection",
        &[id("correction")],
    ),
    verb(
        "correction",
        "decline",
        "Charter",
        "DeclineCorrection",
        &[id("correction"), flag("reasons", Kind::Hash)],
    ),
];

type Parsed = Result<Option<serde_json::Value>, Failure>;

/// One day, or those from one to another.
fn span(part: &str) -> Option<Vec<i64>> {
    let day = |text: &str| {
        CivilDate::parse(text.trim())
            .ok()
            .map(|date| date.day_number().0)
    };
    let (first, last) = match part.split_once("..") {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(part)?, day(part)?),
    };
    let days = last.checked_sub(first)?;
    // No year has as many; and nobody waits for a list of all days there are.
    let few = (0..YEAR_DAYS_MAX as i64).contains(&days);
    few.then(|| (first..=last).collect())
}

fn days(_: &str, text: &str, _: &mut Reading) -> Parsed {
    if text == "none" {
        return Ok(Some(json!([])));
    }
    let mut all = Vec::new();
    for part in text.split(',') {
        let Some(days) = span(part) else {
            return Ok(None);
        };
        all.extend(days);
    }
    all.sort_unstable();
    all.dedup();
    Ok(Some(json!(all)))
}

fn subject(_: &str, text: &str, _: &mut Reading) -> Parsed {
    let of = |table: &str| {
        let has_letter = !text.trim().bytes().all(|byte| byte.is_ascii_digit());
        number_of(table, text).ok().filter(|_| has_letter)
    };
    let entry = || Hash::from_hex(text.trim()).map(Corrected::Entry);
    let found = entry()
        .or_else(|| of("order").map(|number| Corrected::Order(OrderId(number))))
        .or_else(|| of("statement").map(|number| Corrected::Statement(StatementId(number))))
        .or_else(|| of("fund").map(|number| Corrected::Fund(FundId(number))))
        .or_else(|| of("call").map(|number| Corrected::Call(CallId(number))));
    Ok(found.map(|found| json!(found)))
}

/// `2027-01-01,2027-02-06..2027-02-12`, or `none`.
const DAYS: Form = Form {
    name: "days",
    hint: "DATE,DATE..DATE",
    sample: "none",
    money: false,
    read: days,
};
/// `OR-1`, `ST-2`, `F-1`, `C-3`, or the record that entered money.
const SUBJECT: Form = Form {
    name: "corrected",
    hint: "OR-N|ST-N|F-N|C-N|RECORD",
    sample: "OR-7",
    money: false,
    read: subject,
};
