//! The table of rooms, `tests/house.toml`, and what a crate must be to fit into it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::modules::{Arrow, Crate, Sources};

/// No file is longer.
pub const LONGEST_FILE: usize = 800;
/// No room is larger, tests included.
pub const LARGEST_ROOM: usize = 6_000;

/// The whole table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct House {
    /// Bottom to top: a crate may depend on the crates before it.
    #[serde(rename = "crate")]
    pub crates: Vec<Floor>,
    /// What other people's crates may cost.
    pub weight: Vec<Weight>,
}

/// The most crates that the build of one of ours may need, itself counted. Raised only on purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// Our crate.
    pub name: String,
    /// Kinds of dependencies that count, as `cargo tree --edges` takes them.
    pub edges: String,
    /// The most crates.
    pub crates: usize,
    /// The most lines of its own sources, where that is bounded.
    pub lines: Option<usize>,
    /// Crates that are never among them.
    #[serde(default)]
    pub never: Vec<String>,
}

/// One crate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// Its name in Cargo.toml.
    pub name: String,
    /// Its folder from the top of the repository.
    pub folder: String,
    /// Findings in this crate fail the test; otherwise they are printed.
    pub strict: bool,
    /// The fewest rooms it may have.
    #[serde(default)]
    pub least_rooms: usize,
    /// Bottom to top: a room may look into itself and into the rooms before it. Without rooms,
    /// only the length of files counts.
    #[serde(default)]
    pub rooms: Vec<Room>,
}

/// One room.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    pub name: String,
    /// Modules with everything below them, or after `=` one module alone; `crate` is the root.
    /// Where several fit, the longest counts.
    pub holds: Vec<String>,
}

/// What kind of rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Upward,
    Circle,
    NoRoom,
    NothingThere,
    TwiceNamed,
    FewRooms,
    LargeRoom,
    LongFile,
    Modules,
    Folder,
    Dependency,
    Reexport,
}

/// A rule that is broken, with the place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The folder of the crate.
    pub folder: String,
    pub kind: Kind,
    pub text: String,
}

/// The crate of the table that a file or a folder belongs to: the deepest whose folder is around
/// it.
pub fn floor_of<'a>(house: &'a House, file: &str) -> Option<&'a Floor> {
    let around =
        |floor: &&Floor| file == floor.folder || file.starts_with(&format!("{}/", floor.folder));
    house
        .crates
        .iter()
        .filter(around)
        .max_by_key(|floor| floor.folder.len())
}

/// Judges the modules of every crate and the length of every file.
pub fn judge(house: &House, sources: &Sources) -> Vec<Finding> {
    let mut findings = Vec::new();
    for floor in &house.crates {
        let inner: Vec<&str> = house
            .crates
            .iter()
            .map(|other| other.folder.as_str())
            .filter(|other| other.starts_with(&format!("{}/", floor.folder)))
            .collect();
        let begins = format!("{}/", floor.folder);
        if !sources.keys().any(|file| file.starts_with(&begins)) {
            let text = format!(
                "{}: the table names a crate that is not there",
                floor.folder
            );
            findings.push(finding(floor, Kind::Folder, text));
        } else if !floor.rooms.is_empty() {
            findings.extend(judge_crate(
                floor,
                &Crate::read(sources, &floor.folder, &inner),
                sources,
            ));
        }
    }
    for (file, source) in sources {
        let lines = source.lines().count();
        let folder = floor_of(house, file)
            .map(|floor| floor.folder.clone())
            .unwrap_or_default();
        if lines > LONGEST_FILE {
            let text = format!("{file}: {lines} lines, more than {LONGEST_FILE}");
            findings.push(Finding {
                folder,
                kind: Kind::LongFile,
                text,
            });
        }
    }
    findings.sort();
    findings
}

fn finding(floor: &Floor, kind: Kind, text: String) -> Finding {
    Finding {
        folder: floor.folder.clone(),
        kind,
        text,
    }
}

/// The room of every module, by number; a module without a room is a finding.
fn assign(floor: &Floor, read: &Crate, findings: &mut Vec<Finding>) -> Vec<Option<usize>> {
    let mut named = BTreeMap::new();
    for (room, entry) in floor.rooms.iter().enumerate() {
        for held in &entry.holds {
            if named.insert(held.as_str(), room).is_some() {
                let text = format!("{}: `{held}` is named twice", floor.folder);
                findings.push(finding(floor, Kind::TwiceNamed, text));
            }
        }
    }
    let mut rooms: Vec<Option<usize>> = Vec::new();
    for module in &read.modules {
        let fits = |held: &&&str| match held.strip_prefix('=') {
            Some(alone) => alone == module.name,
            None => module.name == **held || module.name.starts_with(&format!("{held}::")),
        };
        // `=a` and `a` are as long as each other; the one that is named alone comes first.
        let length = |held: &&&str| (held.trim_start_matches('=').len(), held.starts_with('='));
        let held = named.keys().filter(fits).max_by_key(length);
        let mut room = held.map(|held| named[held]);
        if room.is_none() && module.inline {
            room = module.parent.and_then(|parent| rooms[parent]);
        }
        if room.is_none() {
            let text = format!("{}: `{}` is in no room", module.file, module.name);
            findings.push(finding(floor, Kind::NoRoom, text));
        }
        rooms.push(room);
    }
    for (held, room) in &named {
        let name = held.trim_start_matches('=');
        let below = format!("{name}::");
        let there =
            |found: &str| found == name || (name.len() == held.len() && found.starts_with(&below));
        if !read.modules.iter().any(|module| there(&module.name)) {
            let room = &floor.rooms[*room].name;
            let text = format!(
                "{}: room {room} names `{held}`, which is not there",
                floor.folder
            );
            findings.push(finding(floor, Kind::NothingThere, text));
        }
    }
    rooms
}

fn judge_crate(floor: &Floor, read: &Crate, sources: &Sources) -> Vec<Finding> {
    let mut findings: Vec<Finding> = read
        .faults
        .iter()
        .map(|fault| finding(floor, Kind::Modules, fault.clone()))
        .collect();
    let rooms = assign(floor, read, &mut findings);
    if floor.rooms.len() < floor.least_rooms {
        let text = format!(
            "{}: {} rooms, fewer than {}",
            floor.folder,
            floor.rooms.len(),
            floor.least_rooms
        );
        findings.push(finding(floor, Kind::FewRooms, text));
    }
    let mut lines = vec![0; floor.rooms.len()];
    for (module, room) in read.modules.iter().zip(&rooms) {
        if let (Some(room), false) = (room, module.inline) {
            lines[*room] += sources
                .get(&module.file)
                .map_or(0, |source| source.lines().count());
        }
    }
    for (room, lines) in floor.rooms.iter().zip(lines) {
        if lines > LARGEST_ROOM {
            let text = format!(
                "{}: room {} has {lines} lines, more than {LARGEST_ROOM}",
                floor.folder, room.name
            );
            findings.push(finding(floor, Kind::LargeRoom, text));
        }
    }
    let mut looks: BTreeMap<(usize, usize), &Arrow> = BTreeMap::new();
    for arrow in &read.arrows {
        let (Some(from), Some(to)) = (rooms[arrow.from], rooms[arrow.to]) else {
            continue;
        };
        if from == to {
            continue;
        }
        looks.entry((from, to)).or_insert(arrow);
        if to > from {
            let (low, high) = (&floor.rooms[from].name, &floor.rooms[to].name);
            let text = format!("{}: {low} looks up into {high}", place(read, arrow));
            findings.push(finding(floor, Kind::Upward, text));
        }
    }
    for circle in circles(floor.rooms.len(), &looks.keys().copied().collect()) {
        let inside = |(from, to): &(usize, usize)| circle.contains(from) && circle.contains(to);
        let arrows: Vec<String> = looks
            .iter()
            .filter(|(look, _)| inside(look))
            .map(|((from, to), arrow)| {
                let (from, to) = (&floor.rooms[*from].name, &floor.rooms[*to].name);
                format!("{from} -> {to} ({})", place(read, arrow))
            })
            .collect();
        let names: Vec<&str> = circle
            .iter()
            .map(|room| floor.rooms[*room].name.as_str())
            .collect();
        let text = format!(
            "{}: a circle of {}: {}",
            floor.folder,
            names.join(", "),
            arrows.join("; ")
        );
        findings.push(finding(floor, Kind::Circle, text));
    }
    findings
}

/// File, line and path of an arrow.
fn place(read: &Crate, arrow: &Arrow) -> String {
    format!(
        "{}:{}: `{}`",
        read.modules[arrow.from].file, arrow.line, arrow.path
    )
}

/// The groups of rooms that can each be reached from one another.
fn circles(rooms: usize, looks: &BTreeSet<(usize, usize)>) -> Vec<BTreeSet<usize>> {
    let mut reach = looks.clone();
    for middle in 0..rooms {
        for from in 0..rooms {
            for to in 0..rooms {
                if reach.contains(&(from, middle)) && reach.contains(&(middle, to)) {
                    reach.insert((from, to));
                }
            }
        }
    }
    let mut found: Vec<BTreeSet<usize>> = Vec::new();
    for room in 0..rooms {
        let circle: BTreeSet<usize> = (0..rooms)
            .filter(|other| reach.contains(&(room, *other)) && reach.contains(&(*other, room)))
            .collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}
