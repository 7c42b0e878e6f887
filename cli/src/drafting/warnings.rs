//! What is allowed in a genesis and will hurt later: said at the draft, at its check and wherever it
//! is shown, while it can still be changed.

use rollbook_core::calendar::{LocalDay, MS_PER_DAY, MS_PER_HOUR, format_instant};
use rollbook_core::charter::Charter;
use rollbook_core::genesis::{Genesis, GenesisItem, PostEntry, SeatEntry};
use rollbook_core::identity::{OrganisationEntry, Role};
use rollbook_core::record::VALIDITY_MAX_MS;
use rollbook_proof::log::Clock;
use rollbook_proof::number::LedgerTime;
use rollbook_words::catalogue::{Language, t_in};

use super::build::shown;
use crate::keystore::card::role_code;

/// Days before the end of a term at which there is hardly time to choose anew.
const SOON_DAYS: u64 = 180;
/// Days that the founders have at least to sign and to start their nodes.
const SIGNING_DAYS: u64 = 7;

/// The posts without which something cannot be done, and of how many persons (F01, R7).
const WANTED: [(Role, usize); 7] = [
    (Role::Secretary, 1),
    (Role::Registrar, 1),
    (Role::Treasurer, 1),
    (Role::SecondOfficer, 2),
    (Role::ProgrammeOfficer, 1),
    (Role::FinanceApprover, 2),
    (Role::Auditor, 1),
];

/// What a warning is about, for the line of the file that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The alliance as a whole.
    Alliance,
    /// The first board.
    Board,
    /// The validating nodes.
    Validators,
    /// A post.
    Post(Role),
    /// An organisation.
    Organisation(u32),
}

/// One warning.
#[derive(Debug)]
pub struct Warning {
    /// What it is about.
    pub about: About,
    /// Its sentence is `draft.<code>` of the catalogue.
    pub code: &'static str,
    /// The facts in it that are the same in every language.
    facts: Vec<(&'static str, String)>,
    /// The post in it, if it is about one.
    role: Option<Role>,
}

impl Warning {
    /// All facts, in a language.
    pub fn facts(&self, language: Language) -> Vec<(&'static str, String)> {
        let mut facts = self.facts.clone();
        if let Some(role) = self.role.map(role_code) {
            let words = |room: &str| t_in(language, &format!("{room}.{role}"), &[]);
            facts.push(("role", words("role")));
            facts.push(("why", words("draft.lacking")));
        }
        facts
    }

    /// In a language.
    pub fn text(&self, language: Language) -> String {
        t_in(
            language,
            &format!("draft.{}", self.code),
            &self.facts(language),
        )
    }
}

/// Every warning of a genesis, judged at `now`.
pub fn of(genesis: &Genesis, now: LedgerTime) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut posts: Vec<&PostEntry> = Vec::new();
    let mut seats: &[SeatEntry] = &[];
    let mut organisations: Vec<&OrganisationEntry> = Vec::new();
    for item in &genesis.items {
        match item {
            GenesisItem::Office { entry, posts: of } => {
                organisations.push(entry);
                posts.extend(of);
            }
            GenesisItem::Organisation(entry) | GenesisItem::Observer(entry) => {
                organisations.push(entry);
            }
            GenesisItem::Board(of) => seats = of,
            _ => {}
        }
    }
    let Some(charter) = genesis.charter() else {
        return found;
    };
    if charter.clock == Clock::Wall {
        opening(genesis, charter, now, &mut found);
    }
    board(charter, seats, now, &mut found);
    held(&posts, &mut found);
    for post in posts {
        term(
            charter,
            post.until_ms,
            now,
            About::Post(post.role),
            &mut found,
        );
    }
    if let Some(day) = genesis.ends_on_one_day() {
        note(
            &mut found,
            About::Alliance,
            "terms-one-day",
            vec![("day", day.to_string())],
        );
    }
    let nodes = genesis.policy.validators.len();
    if nodes < 4 {
        let facts = vec![("found", nodes.to_string())];
        note(&mut found, About::Validators, "validators-few", facts);
    }
    let today = LocalDay::of(now, charter.offset_minutes);
    for entry in organisations {
        if entry.extract.1 > today {
            let facts = vec![
                ("name", shown(&entry.name)),
                ("date", entry.extract.1.date().to_string()),
            ];
            let about = About::Organisation(entry.number.0);
            note(&mut found, about, "extract-ahead", facts);
        }
    }
    found
}

fn note(
    found: &mut Vec<Warning>,
    about: About,
    code: &'static str,
    facts: Vec<(&'static str, String)>,
) {
    let role = match about {
        About::Post(role) => Some(role),
        _ => None,
    };
    found.push(Warning {
        about,
        code,
        facts,
        role,
    });
}

/// The signatures of a founding hold from the opening on for so many days; the first block has to
/// come within them (A6), and none comes before the opening.
fn opening(genesis: &Genesis, charter: &Charter, now: LedgerTime, found: &mut Vec<Warning>) {
    let opened = genesis.opened_ms();
    let until = opened.plus_ms(VALIDITY_MAX_MS);
    let at = |time| format_instant(time, charter.offset_minutes);
    let facts = vec![("opened", at(opened)), ("until", at(until))];
    let code = if until <= now {
        "opened-over"
    } else if until <= now.plus_ms(SIGNING_DAYS * MS_PER_DAY) {
        "opened-late"
    } else if opened > now.plus_ms(MS_PER_HOUR) {
        "opened-ahead"
    } else {
        return;
    };
    note(found, About::Alliance, code, facts);
}

fn board(charter: &Charter, seats: &[SeatEntry], now: LedgerTime, found: &mut Vec<Warning>) {
    let facts = vec![
        ("seats", seats.len().to_string()),
        ("limit", charter.board_seats.to_string()),
    ];
    if seats.is_empty() {
        note(found, About::Board, "board-empty", facts);
    } else if seats.len() < charter.board_seats as usize {
        note(found, About::Board, "board-few", facts);
    }
    if let Some(first) = seats.iter().map(|seat| seat.until_ms).min() {
        term(charter, first, now, About::Board, found);
    }
}

fn term(
    charter: &Charter,
    until: LedgerTime,
    now: LedgerTime,
    about: About,
    found: &mut Vec<Warning>,
) {
    let over = until < now;
    // A genesis in which a term has less left at its opening is refused; here time has passed since.
    let soon = until < now.plus_ms(SOON_DAYS * MS_PER_DAY);
    let code = match (about, over, soon) {
        (About::Board, true, _) => "seats-over",
        (About::Board, _, true) => "seats-soon",
        (_, true, _) => "post-over",
        (_, _, true) => "post-soon",
        _ => return,
    };
    let day = LocalDay::of(until, charter.offset_minutes);
    let facts = vec![("until", day.date().to_string())];
    let again = |known: &Warning| known.about == about && known.facts == facts;
    if !found.iter().any(again) {
        note(found, about, code, facts);
    }
}

/// Posts that nobody or too few hold.
fn held(posts: &[&PostEntry], found: &mut Vec<Warning>) {
    for (role, wanted) in WANTED {
        let mut holders: Vec<_> = posts
            .iter()
            .filter(|post| post.role == role)
            .map(|post| post.holder)
            .collect();
        holders.sort();
        holders.dedup();
        if holders.len() >= wanted {
            continue;
        }
        let facts = vec![
            ("found", holders.len().to_string()),
            ("wanted", wanted.to_string()),
        ];
        note(found, About::Post(role), "post-wanted", facts);
    }
}
