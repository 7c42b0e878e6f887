//! From a secretary's files to a genesis (RULINGS A2, A22, R7, R23).
//!
//! * `alliance.toml` and `members.csv` are read by [`alliance`] and [`members`], the officers'
//!   cards by [`cards`]; [`build`] joins them. Each notes every problem with file and line and goes
//!   on, so one run shows all there is to mend.
//! * Names are brought to NFC here, because no rule of the ledger knows Unicode tables; look-alikes
//!   are a warning.
//! * [`warnings`] are what is allowed and will hurt; [`explained`] puts a charter into words.
//! * [`rehearsal`] makes a sample of the secretary's own files, for a testnet.
//! * [`sample`] makes a whole founded sample alliance in memory, for the demo, the testnet and
//!   tests.

pub mod alliance;
pub mod build;
pub mod cards;
pub mod explained;
pub mod fields;
pub mod members;
pub mod names;
pub mod parameters;
pub mod rehearsal;
pub mod sample;
pub mod warnings;

use std::path::Path;

use rollbook_core::genesis::Genesis;
use rollbook_proof::log::Clock;
use rollbook_proof::number::LedgerTime;
use rollbook_words::catalogue::language;

use crate::input::problem::{Place, Report};
use warnings::About;

/// Reads a file that the inputs name, such as the charter's text or a registry extract.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> std::io::Result<Vec<u8>>;

/// The secretary's two files.
pub struct Inputs {
    /// Everything but the members.
    pub alliance: alliance::Alliance,
    /// The founding members.
    pub members: Vec<fields::OrganisationInput>,
}

/// Reads both files. The members come back even if the alliance file is wrong, so that their rows
/// can be judged.
fn read_both(
    (alliance_name, alliance): (&str, &[u8]),
    (members_name, members): (&str, &[u8]),
    read: ReadFile,
    report: &mut Report,
) -> (Option<alliance::Alliance>, Vec<fields::OrganisationInput>) {
    let alliance = alliance::read(alliance_name, alliance, read, report);
    let directions = alliance
        .as_ref()
        .map(|alliance| alliance.directions.as_slice());
    let members = members::read(members_name, members, directions, read, report);
    (alliance, members)
}

/// Reads both files.
pub fn read_inputs(
    alliance: (&str, &[u8]),
    members: (&str, &[u8]),
    read: ReadFile,
    report: &mut Report,
) -> Option<Inputs> {
    let (alliance, members) = read_both(alliance, members, read, report);
    Some(Inputs {
        alliance: alliance?,
        members,
    })
}

/// What a draft is made from.
pub struct Files<'a> {
    /// Name and bytes of the alliance file.
    pub alliance: (&'a str, &'a [u8]),
    /// Name and bytes of the register.
    pub members: (&'a str, &'a [u8]),
    /// The folder of cards.
    pub cards: &'a Path,
    /// Reads what the files name.
    pub read: ReadFile<'a>,
    /// Members that are left out, with everything that names them.
    pub without: &'a [u32],
    /// When the draft is made, for its warnings.
    pub now: LedgerTime,
}

/// Reads everything and drafts. No genesis if there is an error.
pub fn draft(files: &Files<'_>, report: &mut Report) -> Option<Genesis> {
    let (alliance, mut members) = read_both(files.alliance, files.members, files.read, report);
    let mut cards = cards::read_folder(files.cards, report);
    let place = Place {
        file: files.members.0.into(),
        line: None,
    };
    for number in files.without {
        let before = members.len();
        members.retain(|member| member.number != *number);
        if members.len() == before && !report.excuses(*number) {
            report.error(&place, "without", &[("number", number.to_string())]);
        }
        cards.officers.remove(number);
        cards.nodes.remove(number);
        for member in &mut members {
            member.relations.retain(|(other, _)| other != number);
        }
    }
    let genesis = match alliance {
        Some(mut alliance) => {
            alliance.leave_out(files.without, report);
            let inputs = Inputs { alliance, members };
            let genesis = build::genesis(&inputs, &cards, report);
            if let Some(genesis) = &genesis {
                warn(genesis, &inputs, files.now, report);
            }
            genesis
        }
        None => {
            build::judge_members(&members, &cards, report);
            None
        }
    };
    report.sort();
    genesis.filter(|_| report.errors.is_empty())
}

/// Notes what will hurt, each at the line that says it.
fn warn(genesis: &Genesis, inputs: &Inputs, now: LedgerTime, report: &mut Report) {
    let alliance = &inputs.alliance;
    let now = match genesis.clock() {
        Clock::Wall => now,
        Clock::Sample => genesis.opened_ms(),
    };
    for warning in warnings::of(genesis, now) {
        let mut posts = alliance.offices.iter().flat_map(|(_, posts)| posts);
        let place = match warning.about {
            About::Alliance => &alliance.place,
            About::Board => &alliance.board.0,
            About::Validators => &alliance.validators.0,
            About::Post(role) => posts
                .find(|(_, post)| post.role == role)
                .map_or(&alliance.place, |(place, _)| place),
            About::Organisation(number) => inputs
                .members
                .iter()
                .find(|member| member.number == number)
                .map_or(&alliance.place, |member| &member.place),
        };
        report.warn(place, warning.code, &warning.facts(language()));
    }
}
