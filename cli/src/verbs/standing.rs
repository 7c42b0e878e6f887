//! Verbs of dues beyond the first, of notices, of discipline and of the end of a membership, and the forms that only they have.

use rollbook_core::id::{MembershipId, ProceedingId};
use rollbook_core::record::NoticeAbout;
use serde_json::json;

use super::assembly::ASSEMBLY_DAYS;
use super::forms::{Form, INSTALMENTS};
use super::opening::Reading;
use super::{Kind, Verb, flag, id, motion, place, verb};
use crate::failure::Failure;
use crate::objects::number_of;

const CHANNELS: Kind = Kind::Choice(&["registered-letter", "email", "hand"]);

/// Verbs of this family.
pub const VERBS: &[Verb] = &[
    verb(
        "dues",
        "invoice-year",
        "Membership",
        "InvoiceYear",
        &[place("year", Kind::Number)],
    ),
    verb(
        "dues",
        "pay-back",
        "Membership",
        "PayBack",
        &[
            id("invoice"),
            flag("amount", Kind::Money),
            flag("reference", Kind::Text),
            flag("value_date", Kind::Day),
        ],
    ),
    verb(
        "dues",
        "plan",
        "Membership",
        "ProposePlan",
        &[id("membership"), flag("parts", Kind::Form(INSTALMENTS))],
    ),
    verb(
        "dues",
        "agree-plan",
        "Membership",
        "AgreePlan",
        &[id("plan")],
    ),
    motion("dues", "accept-plan", &["AcceptPlan"], &[id("plan")]),
    verb(
        "notice",
        "serve",
        "Membership",
        "ServeNotice",
        &[
            place("subject", Kind::Form(ABOUT)),
            flag("text", Kind::Hash),
            flag("channel", CHANNELS),
            flag("dispatched", Kind::Day),
            flag("proof", Kind::Hash),
        ],
    ),
    verb(
        "notice",
        "agree",
        "Membership",
        "AgreeNotice",
        &[id("notice")],
    ),
    verb(
        "notice",
        "acknowledge",
        "Membership",
        "AcknowledgeNotice",
        &[id("notice")],
    ),
    verb(
        "proceeding",
        "open",
        "Membership",
        "OpenProceeding",
        &[
            id("membership"),
            flag("ground", Kind::Text),
            flag("reasons", Kind::Hash),
        ],
    ),
    verb(
        "proceeding",
        "agree",
        "Membership",
        "AgreeProceeding",
        &[id("proceeding")],
    ),
    verb(
        "proceeding",
        "reply",
        "Membership",
        "Reply",
        &[id("proceeding"), flag("document", Kind::Hash)],
    ),
    verb(
        "proceeding",
        "hearing",
        "Membership",
        "Hear",
        &[
            id("proceeding"),
            flag("day", Kind::Day),
            flag("attended", Kind::Form(YES_NO)),
            flag("minutes", Kind::Hash),
        ],
    ),
    verb(
        "proceeding",
        "waive",
        "Membership",
        "WaiveHearing",
        &[id("proceeding")],
    ),
    verb(
        "proceeding",
        "close",
        "Membership",
        "CloseProceeding",
        &[id("proceeding"), flag("reasons", Kind::Hash)],
    ),
    verb(
        "proceeding",
        "appeal",
        "Membership",
        "AppealExpulsion",
        &[id("proceeding"), flag("grounds", Kind::Hash)],
    ),
    verb(
        "member",
        "cease",
        "Membership",
        "Cease",
        &[
            id("membership"),
            flag("cause", Kind::Choice(&["dissolved", "insolvent"])),
            flag("evidence", Kind::Hash),
        ],
    ),
    motion(
        "member",
        "suspend",
        &["SuspendMember"],
        &[id("proceeding"), flag("days", Kind::Number)],
    ),
    motion("member", "lift", &["LiftSuspension"], &[id("membership")]),
    Verb {
        ballot_days: ASSEMBLY_DAYS,
        ..motion("member", "expel", &["ExpelMember"], &[id("proceeding")])
    },
];

type Parsed = Result<Option<serde_json::Value>, Failure>;

fn about(_: &str, text: &str, _: &mut Reading) -> Parsed {
    let Some((word, of)) = text.split_once(':') else {
        return Ok(None);
    };
    let membership = || number_of("membership", of).ok().map(MembershipId);
    let found = match word {
        "dues" => membership().map(NoticeAbout::Dues),
        "dues-again" => membership().map(NoticeAbout::DuesAgain),
        "warning" => membership().map(NoticeAbout::Warning),
        "proceeding" => {
            let number = number_of("proceeding", of).ok();
            number.map(|number| NoticeAbout::Proceeding(ProceedingId(number)))
        }
        _ => None,
    };
    Ok(found.map(|found| json!(found)))
}

fn yes_no(_: &str, text: &str, _: &mut Reading) -> Parsed {
    Ok(match text {
        "yes" => Some(json!(true)),
        "no" => Some(json!(false)),
        _ => None,
    })
}

/// `dues:M-7`, `dues-again:M-7`, `proceeding:PR-1`, `warning:M-7`.
const ABOUT: Form = Form {
    name: "notice-about",
    hint: "dues|dues-again|warning:M-N|proceeding:PR-N",
    sample: "dues:M-7",
    money: false,
    read: about,
};
/// `yes`, `no`.
const YES_NO: Form = Form {
    name: "yes-no",
    hint: "yes|no",
    sample: "yes",
    money: false,
    read: yes_no,
};
