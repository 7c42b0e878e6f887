//! What no seed can meet, each with its reason. A listed code that does occur fails the suite.

/// Acts that a record can never make apply.
const ACTS: &[&str] = &[
    // A rule of the ledger opens these motions; a proposal of them is refused.
    "Motion/Propose/Admit",
    "Motion/Propose/ChangeClass",
    "Motion/Propose/UndoRelation",
    "Motion/Propose/DecideAppeal",
    "Motion/Propose/UpholdAppeal",
];

/// Whether records of this act can apply.
pub fn applies(act: &str) -> bool {
    !ACTS.contains(&act)
}

const NEW: &str = "the step makes a new object, which has no state to be wrong";
const CLOCK: &str = "only the clock takes the step; what fails there leaves no trace";
const EARLIER: &str = "the same is asked before, by another code";
const SHAPE: &str = "bytes of that shape are no act: A6.malformed comes first";
const BOOKS: &str = "it would be a fault of the program; the audit looks for it after every block";
const SIZE: &str = "it takes thousands of objects of one kind";

/// Codes with the reason for which no record, no proposal and no file of this suite meets them.
pub const CODES: &[(&str, &str)] = &[
    ("A1.commit", BOOKS),
    (
        "A18.not-in-force",
        "the released build knows one version; the suites of tests/planted have another",
    ),
    ("A17.wrong-state", CLOCK),
    ("A53.wrong-state", CLOCK),
    (
        "R48.wrong-state",
        "an election of the chair, or its acceptance, takes the steps of the terms that it finds",
    ),
    ("M26.wrong-state", EARLIER),
    ("M27.wrong-state", EARLIER),
    ("M40.wrong-state", EARLIER),
    (
        "A18.protocol",
        "it takes a build that does not know the rules of its chain",
    ),
    (
        "A2.not-a-founding-record",
        "it is said of the file of a genesis with its records",
    ),
    (
        "A4.no-such-transition",
        "each family hands its acts to the rule that has them",
    ),
    (
        "A4.unknown-",
        "the beginning of the codes of unknown objects, not one of them",
    ),
    (
        "A4.unknown-post",
        "posts have a code of their own, R7.unknown-post",
    ),
    (
        "A7.no-charter",
        "a genesis without a charter does not stand",
    ),
    ("F02.amount", SHAPE),
    ("F02.wrong-state", NEW),
    ("F03.wrong-state", EARLIER),
    ("F04.wrong-state", CLOCK),
    ("F05.wrong-state", NEW),
    ("F06.call-full", SIZE),
    ("F06.wrong-state", NEW),
    ("F08.wrong-state", CLOCK),
    ("F11.wrong-state", EARLIER),
    (
        "F13.appeal-open",
        "a call with an open appeal is not ranked",
    ),
    ("F13.other-instrument", "there is one instrument"),
    ("F16.wrong-state", NEW),
    ("F24.not-suspended", EARLIER),
    ("F26.wrong-state", EARLIER),
    ("F37.wrong-state", CLOCK),
    ("F40.call-over", EARLIER),
    ("F41.wrong-state", EARLIER),
    ("F45.wrong-state", EARLIER),
    ("M01.identifier-invalid", SHAPE),
    ("M01.wrong-state", NEW),
    ("M03.missing-items", SHAPE),
    (
        "M08.wrong-state",
        "a motion ends with the application that it is about",
    ),
    ("M10.wrong-state", CLOCK),
    ("M11.wrong-state", CLOCK),
    ("M12.wrong-state", EARLIER),
    ("M13.wrong-state", CLOCK),
    ("M14.wrong-state", EARLIER),
    ("M15.wrong-state", EARLIER),
    ("M16.wrong-state", EARLIER),
    ("M17.wrong-state", EARLIER),
    ("M28.wrong-state", EARLIER),
    ("M29.wrong-state", EARLIER),
    ("M30.wrong-state", EARLIER),
    ("R41.wrong-state", EARLIER),
    (
        "M17.not-appealed",
        "the appeal opens its motion, and both end with the membership",
    ),
    ("M17.wrong-state", CLOCK),
    ("M20.wrong-state", CLOCK),
    ("M23.too-many-keys", SIZE),
    ("M23.wrong-state", EARLIER),
    ("M24.wrong-state", NEW),
    ("M25.wrong-state", EARLIER),
    ("M31.wrong-state", EARLIER),
    ("M32.too-many-officers", SIZE),
    ("M32.wrong-state", EARLIER),
    ("M33.too-many", SIZE),
    ("M35.wrong-state", EARLIER),
    ("N1.insufficient", EARLIER),
    ("N1.negative-account", BOOKS),
    ("N2.account-key", BOOKS),
    ("N2.not-posted", BOOKS),
    ("N2.two-accounts", BOOKS),
    ("N20.proved-entry-removed", BOOKS),
    ("N3.not-zero", BOOKS),
    (
        "A4.unknown-draft",
        "deposited charters have a code of their own, R37.unknown-draft",
    ),
    (
        "M31.code-missing",
        "the companies of this suite have no identifier but their code: M31.no-identifier comes first",
    ),
    ("M36.wrong-state", EARLIER),
    (
        "M37.too-many",
        "no genesis of this suite has more directions than a member may work in",
    ),
    ("M38.wrong-state", EARLIER),
    ("M39.wrong-state", EARLIER),
    ("M41.wrong-state", EARLIER),
    (
        "A4.unknown-observer",
        "observers have a code of their own, M38.not-an-observer",
    ),
    ("R16.wrong-state", NEW),
    ("R31.wrong-state", CLOCK),
    ("R32.wrong-state", CLOCK),
    ("R37.wrong-state", EARLIER),
    ("R1.impossible-counts", BOOKS),
    (
        "R10.no-rule",
        "a charter has a rule for every kind of motion",
    ),
    ("R10.effect-failed", BOOKS),
    ("R10.not-opened-alone", EARLIER),
    ("R10.wrong-state", EARLIER),
    ("R13.wrong-state", CLOCK),
    ("R16.no-officer", SHAPE),
    ("R22.pool-too-large", SIZE),
    ("R23.wrong-state", EARLIER),
    ("R28.wrong-state", EARLIER),
    ("R29.wrong-state", EARLIER),
    ("R30.wrong-state", CLOCK),
    ("R33.wrong-state", EARLIER),
    ("R35.wrong-state", CLOCK),
    ("R36.wrong-state", EARLIER),
    ("R4.earmark", EARLIER),
    ("R4.pledge", BOOKS),
    ("R6.not-the-grantee", EARLIER),
    ("R7.wrong-state", EARLIER),
];

/// Acts that seeds apply now and then, too seldom to ask for them: each with the reason, and where it is shown
/// instead.
const DEEP: &[(&str, &str)] = &[
    (
        "Award/SetOff",
        "a recovery of one agreement and an approved payment of another of the same grantee wait at once:          one seed in two hundred; the suite of rules has its tables",
    ),
    (
        "Award/AgreeSetOff",
        "the second record of a set-off: the same",
    ),
];

/// In how many seeds an act must apply, where `usual` is asked of all others.
pub fn least(act: &str, usual: u32) -> u32 {
    let deep = DEEP.iter().any(|(deep, _)| *deep == act);
    if deep { 0 } else { usual }
}

/// Codes that a run may meet and need not, each with what is open about it.
pub const OPEN: &[(&str, &str)] = &[
    (
        "F24.board-asked",
        "an officer drops a measure that the board is asked about",
    ),
    (
        "F24.held-before",
        "payments are held again within a year of a hold that the board never voted on",
    ),
    (
        "F26.below-received",
        "the board orders less than what came back before its order",
    ),
    (
        "F26.board-asked",
        "an officer drops a recovery that the board is asked about",
    ),
    (
        "F27.receipt-waits",
        "a recovery is given up while money of it waits for its second officer",
    ),
    (
        "F45.above-payment",
        "a set-off is larger than the payment and no larger than the recovery",
    ),
    (
        "F45.agreed-before",
        "a set-off that was agreed to is agreed to once more",
    ),
    (
        "F45.payment-not-approved",
        "a set-off from a payment of another agreement that is not approved yet",
    ),
    (
        "F45.partly-set-off",
        "an officer refuses what is left of a milestone's payment while the holdback is approved",
    ),
    (
        "M22.same-class",
        "a member asks for the class that it has: fewer than one seed in two hundred draws it",
    ),
    (
        "M28.same-person",
        "one person is treasurer and secretary, and agrees to a plan as both",
    ),
    (
        "R5.payment-paused",
        "a grantee is suspended or expelled while a payment of it is to be certified",
    ),
    (
        "R5.payment-withheld",
        "a grantee's dues are unpaid while a payment of it is to be released",
    ),
    (
        "M01.owes",
        "a company applies anew while it owes dues of an earlier membership",
    ),
    (
        "M19.too-late",
        "a notice is taken back while the end of the membership waits for a proceeding",
    ),
    (
        "M26.class-changed",
        "an invoice is cancelled whose member has changed its class since",
    ),
    (
        "R20.recounted",
        "an earlier day takes effect while a motion stays that two voices of one group have carried",
    ),
    (
        "R27.upheld-before",
        "a relation is claimed again by the evidence about which the assembly has upheld an appeal",
    ),
    (
        "R27.appealed-already",
        "both ends appeal against one decision while it stays",
    ),
    (
        "R27.assembly-decided",
        "the assembly upholds an appeal, and the board is asked again about the same relation",
    ),
    (
        "R48.no-primary",
        "a member that stands for chair has no primary with a key while the ballots are open",
    ),
    (
        "M09.no-primary-key",
        "an applicant's primary loses the key between application and activation",
    ),
    (
        "M09.too-few-officers",
        "an emergency takes one of an applicant's two keys right before its activation",
    ),
    (
        "M33.giver-cannot-sign",
        "an emergency takes the key of somebody who has delegated, and the delegate signs meanwhile",
    ),
    (
        "N24.person-not-in-force",
        "somebody who has left is proposed for a post",
    ),
    (
        "F11.out-of-rank",
        "a better rank's motion is taken back while a worse one stays: one seed in a hundred",
    ),
    (
        "R30.tainted-deed",
        "it takes an officer from a company, a tie and the next step in one block",
    ),
];

/// Whether a code may occur and need not.
pub fn is_open(code: &str) -> bool {
    OPEN.iter().any(|(open, _)| *open == code)
}

/// Why a code does not occur; none: it must.
pub fn reason(code: &str) -> Option<&'static str> {
    CODES
        .iter()
        .find(|(listed, _)| *listed == code)
        .map(|(_, why)| *why)
}
