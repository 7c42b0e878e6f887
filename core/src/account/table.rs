//! The one table of value movements (domain 2.7, RULINGS R3, R8). Code, documentation and property
//! tests follow it.

use crate::account::Class;

/// One kind of movement: what it is called, which transitions make it, and exactly where value
/// goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Stable name, language-free.
    pub name: &'static str,
    /// The funding transitions that post it (domain 2.5a, RULINGS R8).
    pub numbers: &'static [&'static str],
    /// The state of the call that selects this row; empty if there is no choice.
    pub when: &'static str,
    /// From and to, in order. A leg that touches `A` may be two postings: the earmark's part and
    /// the free part.
    pub legs: &'static [(Class, Class)],
}

const fn row(
    name: &'static str,
    numbers: &'static [&'static str],
    when: &'static str,
    legs: &'static [(Class, Class)],
) -> Row {
    Row {
        name,
        numbers,
        when,
        legs,
    }
}

/// Contribution received.
pub const CONTRIBUTION: Row = row(
    "contribution-received",
    &["F03", "F35"],
    "",
    &[(Class::XMember, Class::A)],
);
/// Fee within a budget line.
pub const FEE: Row = row("fee", &["F36"], "", &[(Class::A, Class::XFee)]);
/// Budget of a published call.
pub const CALL_FUNDED: Row = row("call-funded", &["F05"], "", &[(Class::A, Class::B)]);
/// What a closed or cancelled call did not award.
pub const CALL_RELEASED: Row = row(
    "call-released",
    &["F29", "F38"],
    "",
    &[(Class::B, Class::A)],
);
/// Award decided.
pub const AWARDED: Row = row("awarded", &["F11", "F41"], "", &[(Class::B, Class::W)]);
/// Award lapsed or revoked, its call still there.
pub const AWARD_TO_CALL: Row = row(
    "award-returned-to-call",
    &["F12"],
    "call not closed",
    &[(Class::W, Class::B)],
);
/// Award lapsed or revoked after its call.
pub const AWARD_TO_FUND: Row = row(
    "award-returned-to-fund",
    &["F12"],
    "call closed",
    &[(Class::W, Class::A)],
);
/// Agreement in force.
pub const IN_FORCE: Row = row("agreement-in-force", &["F13"], "", &[(Class::W, Class::K)]);
/// Increase by a major change.
pub const INCREASED: Row = row(
    "agreement-increased",
    &["F23"],
    "call not closed",
    &[(Class::B, Class::K)],
);
/// Decrease, de-obligation, termination, residue: while the call can still award it.
pub const REDUCED_TO_CALL: Row = row(
    "agreement-reduced-to-call",
    &["F15", "F23", "F25", "F28"],
    "call not decided",
    &[(Class::K, Class::B)],
);
/// The same once the call is decided.
pub const REDUCED_TO_FUND: Row = row(
    "agreement-reduced-to-fund",
    &["F15", "F23", "F25", "F28"],
    "call decided or closed",
    &[(Class::K, Class::A)],
);
/// Instruction released to the bank.
pub const RELEASED: Row = row(
    "payment-released",
    &["F20", "F50"],
    "",
    &[(Class::K, Class::T)],
);
/// Instruction returned by the bank or cancelled.
pub const RETURNED: Row = row(
    "payment-returned",
    &["F21", "F50"],
    "",
    &[(Class::T, Class::K)],
);
/// Bank confirmation.
pub const SETTLED: Row = row(
    "payment-settled",
    &["F21", "F50"],
    "",
    &[(Class::T, Class::D)],
);
/// Came back after it was settled.
pub const SETTLED_RETURNED: Row = row(
    "payment-returned-after-settlement",
    &["F46"],
    "",
    &[(Class::D, Class::K)],
);
/// Recovery received.
pub const RECOVERED: Row = row("recovered", &["F26"], "", &[(Class::D, Class::A)]);
/// A debt offset against a new payment: no cash moves, two transfers of one amount.
pub const OFFSET: Row = row(
    "offset",
    &["F45"],
    "",
    &[(Class::K, Class::A), (Class::D, Class::D)],
);
/// Final acceptance.
pub const ACCEPTED: Row = row("finally-accepted", &["F28"], "", &[(Class::D, Class::S)]);
/// Debt written off.
pub const WRITTEN_OFF: Row = row("written-off", &["F27"], "", &[(Class::D, Class::L)]);
/// Loan or equity settled.
pub const HOLDING_SETTLED: Row = row("holding-settled", &["F47"], "", &[(Class::T, Class::H)]);
/// Principal back, or exit at cost.
pub const HOLDING_REPAID: Row = row("holding-repaid", &["F47"], "", &[(Class::H, Class::A)]);
/// Gain of a holding.
pub const HOLDING_GAIN: Row = row("holding-gain", &["F47"], "", &[(Class::XGain, Class::A)]);
/// Loss of a holding.
pub const HOLDING_LOST: Row = row("holding-lost", &["F47"], "", &[(Class::H, Class::L)]);
/// Reserve of an issued guarantee.
pub const GUARANTEE_ISSUED: Row = row("guarantee-issued", &["F30"], "", &[(Class::A, Class::G)]);
/// Reserve freed.
pub const GUARANTEE_EXPIRED: Row = row("guarantee-expired", &["F30"], "", &[(Class::G, Class::A)]);
/// Guarantee called: instruction released.
pub const GUARANTEE_CALLED: Row = row(
    "guarantee-called",
    &["F30", "F48"],
    "",
    &[(Class::G, Class::T)],
);
/// Guarantee paid out, recovery opened.
pub const GUARANTEE_SETTLED: Row = row(
    "guarantee-settled",
    &["F48"],
    "",
    &[(Class::T, Class::DGuarantee)],
);
/// Guarantee payment returned by the bank.
pub const GUARANTEE_RETURNED: Row =
    row("guarantee-returned", &["F48"], "", &[(Class::T, Class::G)]);
/// Recovery after a guarantee.
pub const GUARANTEE_RECOVERED: Row = row(
    "guarantee-recovered",
    &["F26"],
    "",
    &[(Class::DGuarantee, Class::A)],
);
/// Guarantee debt written off.
pub const GUARANTEE_WRITTEN_OFF: Row = row(
    "guarantee-written-off",
    &["F27"],
    "",
    &[(Class::DGuarantee, Class::LGuarantee)],
);
/// Refund at closing, per source account.
pub const REFUNDED: Row = row("refunded", &["F32"], "", &[(Class::A, Class::XReturn)]);

/// Every row. F31 (reversal) is no row: it posts the inverse of postings that followed one.
pub const ROWS: [Row; 31] = [
    CONTRIBUTION,
    FEE,
    CALL_FUNDED,
    CALL_RELEASED,
    AWARDED,
    AWARD_TO_CALL,
    AWARD_TO_FUND,
    IN_FORCE,
    INCREASED,
    REDUCED_TO_CALL,
    REDUCED_TO_FUND,
    RELEASED,
    RETURNED,
    SETTLED,
    SETTLED_RETURNED,
    RECOVERED,
    OFFSET,
    ACCEPTED,
    WRITTEN_OFF,
    HOLDING_SETTLED,
    HOLDING_REPAID,
    HOLDING_GAIN,
    HOLDING_LOST,
    GUARANTEE_ISSUED,
    GUARANTEE_EXPIRED,
    GUARANTEE_CALLED,
    GUARANTEE_SETTLED,
    GUARANTEE_RETURNED,
    GUARANTEE_RECOVERED,
    GUARANTEE_WRITTEN_OFF,
    REFUNDED,
];

/// The table as Markdown, for docs/.
pub fn markdown() -> String {
    let mut text =
        String::from("| movement | transitions | when | from -> to |\n|---|---|---|---|\n");
    for row in ROWS {
        let legs: Vec<String> = row
            .legs
            .iter()
            .map(|(from, to)| format!("{} -> {}", from.name(), to.name()))
            .collect();
        let when = if row.when.is_empty() { "–" } else { row.when };
        text.push_str(&format!(
            "| {} | {} | {when} | {} |\n",
            row.name,
            row.numbers.join(", "),
            legs.join("; ")
        ));
    }
    text
}
