//! From a secretary's files to a genesis (RULINGS A2, A22, R7, R23).
//!
//! * `alliance.toml` and `members.csv` are read by [`alliance`] and [`members`], the officers'
//!   cards by [`cards`]; [`build`] joins them. Each notes every problem with file and line and goes
//!   on, so one run shows all there is to mend.
//! * Names are brought to NFC here, because no rule of the ledger knows Unicode tables; look-alikes
//!   are a warning.
//! * [`sample`] makes a whole founded sample alliance in memory, for the demo, the testnet and
//!   tests.

pub mod alliance;
pub mod build;
pub mod cards;
pub mod fields;
pub mod members;
pub mod names;
pub mod parameters;
pub mod sample;

use std::path::Path;

use rollbook_core::genesis::Genesis;

use crate::input::problem::Report;

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

/// Reads everything and drafts. No genesis if there is an error.
pub fn draft(
    alliance: (&str, &[u8]),
    members: (&str, &[u8]),
    cards_folder: &Path,
    read: ReadFile,
    report: &mut Report,
) -> Option<Genesis> {
    let (alliance, members) = read_both(alliance, members, read, report);
    if members.is_empty()
        && report
            .errors
            .iter()
            .any(|error| error.code.starts_with("csv-"))
    {
        // Without its members nothing else in the files can be judged: one cause, told once.
        report.sort();
        return None;
    }
    let cards = cards::read_folder(cards_folder, report);
    let genesis = match alliance {
        Some(alliance) => build::genesis(&Inputs { alliance, members }, &cards, report),
        None => {
            build::judge_members(&members, &cards, report);
            None
        }
    };
    report.sort();
    genesis.filter(|_| report.errors.is_empty())
}
