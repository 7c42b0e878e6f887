//! The cards that officers and operators sent to the secretary: every `*.toml` of a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use crate::files;
use crate::input::problem::{Place, Report};
use crate::input::toml_file::TomlFile;
use crate::keystore::card::OfficerCard;
use crate::keystore::node::NodeCard;

/// All cards, by organisation.
#[derive(Debug, Default)]
pub struct Cards {
    /// Officers by home organisation, each ascending by person.
    pub officers: BTreeMap<u32, Vec<(Place, OfficerCard)>>,
    /// Nodes by organisation.
    pub nodes: BTreeMap<u32, (Place, NodeCard)>,
}

impl Cards {
    /// Adds an officer's card.
    pub fn add_officer(&mut self, place: Place, card: OfficerCard) {
        let list = self.officers.entry(card.organisation).or_default();
        let at = list.partition_point(|(_, other)| other.person <= card.person);
        list.insert(at, (place, card));
    }

    /// Adds a node's card; a second one of an organisation is an error.
    pub fn add_node(&mut self, place: Place, card: NodeCard, report: &mut Report) {
        if let Some((other, _)) = self.nodes.get(&card.organisation) {
            let facts = [
                ("organisation", card.organisation.to_string()),
                ("other", other.to_string()),
            ];
            report.error(&place, "node-card-twice", &facts);
            return;
        }
        self.nodes.insert(card.organisation, (place, card));
    }

    /// Every officer with the place of the card.
    pub fn all(&self) -> impl Iterator<Item = &(Place, OfficerCard)> {
        self.officers.values().flatten()
    }
}

/// Reads a folder.
pub fn read_folder(folder: &Path, report: &mut Report) -> Cards {
    let mut cards = Cards::default();
    let mut paths = Vec::new();
    match files::listed(folder) {
        Ok(files) => paths.extend(
            files
                .into_iter()
                .filter(|path| path.extension().is_some_and(|e| e == "toml")),
        ),
        Err(error) => {
            let place = Place {
                file: folder.display().to_string().into(),
                line: None,
            };
            report.error(&place, "cards-folder", &[("why", error.to_string())]);
        }
    }
    for path in paths {
        let name: Rc<str> = path.display().to_string().into();
        let whole = Place {
            file: name.clone(),
            line: None,
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                report.error(&whole, "card-unreadable", &[("why", error.to_string())]);
                continue;
            }
        };
        let Some(file) = TomlFile::parse(name, &text, report) else {
            continue;
        };
        let mut section = file.root();
        let kind = section.placed_string("kind", report);
        match kind.as_ref().map(|(_, kind)| kind.as_str()) {
            Some("node") => {
                if let Some(card) = NodeCard::parse(&mut section, report) {
                    section.finish(report);
                    cards.add_node(whole, card, report);
                }
            }
            Some("officer") => {
                if let Some(card) = OfficerCard::parse(&mut section, report) {
                    section.finish(report);
                    cards.add_officer(whole, card);
                }
            }
            Some(other) => report.error(&whole, "card-kind", &[("found", other.to_owned())]),
            None => {}
        }
    }
    cards
}
