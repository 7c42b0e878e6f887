//! The modules of one crate, as the compiler sees them, and where the paths in them lead.
//!
//! * The tree begins at `src/lib.rs`; `src/main.rs` and `src/bin/*.rs` are roots of their own, with
//!   the names `main` and `bin::name`. It follows `mod` items, inline ones and `#[path]` too.
//! * A path leads to the deepest module that it names; what it takes from there does not matter.
//!   A macro with `#[macro_export]` stands where it is defined, although its path is the root; it
//!   is found when it is called by its bare name too.
//! * A module that was imported or declared under a name is found by that name as well:
//!   after `use crate::rules;`, `rules::motion::vote` leads to `rules::motion`. A name that a
//!   function imports counts for its whole module.
//! * Only paths count. A method or a field that is reached through a value is not seen.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{Facts, Way, Written, facts};

/// Sources by their path from the top of the repository, with `/`.
pub type Sources = BTreeMap<String, String>;

/// How often a name may lead to a name.
const DEEPEST: usize = 8;

/// One module.
#[derive(Debug)]
pub struct Module {
    /// Its path without `crate`, such as `funding::award`; the root of the library is `crate`.
    pub name: String,
    /// The file its body stands in.
    pub file: String,
    /// The body stands in the parent's file.
    pub inline: bool,
    root: usize,
    /// The module it is declared in.
    pub parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// What each `use` brings, by name.
    names: BTreeMap<String, Vec<String>>,
    /// What each `use …::*` opens.
    globs: Vec<Vec<String>>,
}

/// A path in a module, and the module that it leads to.
#[derive(Debug)]
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    pub path: String,
    pub line: usize,
}

/// The modules of a crate.
#[derive(Debug, Default)]
pub struct Crate {
    pub modules: Vec<Module>,
    pub arrows: Vec<Arrow>,
    /// `mod` items without a file, and files that no `mod` item names.
    pub faults: Vec<String>,
    macros: BTreeMap<String, usize>,
    written: Vec<(usize, Written)>,
}

impl Crate {
    /// Reads the crate in a folder. `nested` are the folders of the crates below it.
    pub fn read(sources: &Sources, folder: &str, nested: &[&str]) -> Crate {
        let mut read = Crate::default();
        let top = format!("{folder}/src/");
        let own = |file: &str| {
            file.starts_with(&top)
                && !nested
                    .iter()
                    .any(|inner| file.starts_with(&format!("{inner}/")))
        };
        let mut seen = BTreeSet::new();
        for file in sources.keys().filter(|file| own(file)) {
            let name = match file.strip_prefix(&top) {
                Some("lib.rs") => "crate".to_string(),
                Some("main.rs") => "main".to_string(),
                Some(rest) => match rest
                    .strip_prefix("bin/")
                    .and_then(|bin| bin.strip_suffix(".rs"))
                {
                    Some(bin) if !bin.contains('/') => format!("bin::{bin}"),
                    _ => continue,
                },
                None => continue,
            };
            let root = read.add(name, file, false, None);
            read.fill(sources, root, &mut seen);
        }
        for file in sources
            .keys()
            .filter(|file| own(file) && !seen.contains(*file))
        {
            read.faults
                .push(format!("{file}: no `mod` item names this file"));
        }
        read.lead();
        read
    }

    fn add(&mut self, name: String, file: &str, inline: bool, parent: Option<usize>) -> usize {
        let number = self.modules.len();
        self.modules.push(Module {
            name,
            file: file.to_string(),
            inline,
            root: parent.map_or(number, |parent| self.modules[parent].root),
            parent,
            children: BTreeMap::new(),
            names: BTreeMap::new(),
            globs: Vec::new(),
        });
        number
    }

    /// Reads the file of a module and all files below it.
    fn fill(&mut self, sources: &Sources, module: usize, seen: &mut BTreeSet<String>) {
        let file = self.modules[module].file.clone();
        let Some(source) = sources.get(&file) else {
            return;
        };
        if !seen.insert(file.clone()) {
            return;
        }
        let Facts {
            written,
            declared,
            exported_macros,
        } = facts(source);
        for item in declared {
            let parent = self.below(module, &item.inside);
            let above = &self.modules[parent].name;
            let name = match above.as_str() {
                "crate" => item.name.clone(),
                _ => format!("{above}::{}", item.name),
            };
            let found = if item.inline {
                Some(file.clone())
            } else {
                let root = self.modules[module].parent.is_none();
                let places = places(&file, root, &item.inside, &item.name, item.path.as_deref());
                places.into_iter().find(|place| sources.contains_key(place))
            };
            let Some(found) = found else {
                let line = item.line;
                self.faults
                    .push(format!("{file}:{line}: `mod {}` has no file", item.name));
                continue;
            };
            let child = self.add(name, &found, item.inline, Some(parent));
            self.modules[parent].children.insert(item.name, child);
            if !item.inline {
                self.fill(sources, child, seen);
            }
        }
        for name in exported_macros {
            self.macros.insert(name, module);
        }
        for path in written {
            let at = self.below(module, &path.inside);
            match &path.way {
                Way::Plain | Way::Called => {}
                Way::Named { name, .. } => {
                    self.modules[at]
                        .names
                        .insert(name.clone(), path.segments.clone());
                }
                Way::Glob { .. } => self.modules[at].globs.push(path.segments.clone()),
            }
            self.written.push((at, path));
        }
    }

    /// The inline module with a path below a module.
    fn below(&self, module: usize, inside: &[String]) -> usize {
        inside.iter().fold(module, |at, name| {
            *self.modules[at].children.get(name).unwrap_or(&at)
        })
    }

    /// Turns every path that leads into this crate into an arrow.
    fn lead(&mut self) {
        for (from, path) in std::mem::take(&mut self.written) {
            let to = match path.way {
                // Where the macro is imported by name, that `use` is the arrow.
                Way::Called if self.modules[from].names.contains_key(&path.segments[0]) => None,
                Way::Called => self.macros.get(&path.segments[0]).copied(),
                _ => self.resolve(from, &path.segments, 0).map(|(to, _)| to),
            };
            let Some(to) = to else { continue };
            let mut shown = path.segments.join("::");
            match path.way {
                Way::Glob { .. } => shown.push_str("::*"),
                Way::Called => shown.push('!'),
                Way::Plain | Way::Named { .. } => {}
            }
            self.arrows.push(Arrow {
                from,
                to,
                path: shown,
                line: path.line,
            });
        }
    }

    /// The module a path leads to, and whether the path names the module itself.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<(usize, bool)> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => self.modules[from].root,
            "self" | "super" => {
                let mut at = from;
                rest = path;
                while let Some((segment @ ("self" | "super"), after)) = begin(rest) {
                    if segment == "super" {
                        at = self.modules[at].parent?;
                    }
                    rest = after;
                }
                at
            }
            name => self.name(from, name, depth)?,
        };
        while let Some((segment, after)) = rest.split_first() {
            match self.modules[at].children.get(segment) {
                Some(child) => at = *child,
                None if self.modules[at].parent.is_none() => {
                    let at = self.macros.get(segment).copied().unwrap_or(at);
                    return Some((at, false));
                }
                None => return Some((at, false)),
            }
            rest = after;
        }
        Some((at, true))
    }

    /// The module that a bare name means in a module: its own names first, then those of every
    /// module that it opens with `*`.
    fn name(&self, from: usize, name: &str, depth: usize) -> Option<usize> {
        let (mut opened, mut next) = (BTreeSet::from([from]), vec![from]);
        while let Some(at) = next.pop() {
            if let Some(found) = self.own_name(at, name, depth) {
                return Some(found);
            }
            for path in &self.modules[at].globs {
                // What a bare name opens is looked up without other globs: that is enough for
                // `use tables::*;`, and it ends.
                let found = match path[0].as_str() {
                    "crate" | "self" | "super" => self.resolve(at, path, depth + 1),
                    first => self.own_name(at, first, depth).and_then(|begin| {
                        let mut whole = path.clone();
                        whole[0] = "self".to_string();
                        self.resolve(begin, &whole, depth + 1)
                    }),
                };
                if let Some((module, true)) = found
                    && opened.insert(module)
                {
                    next.push(module);
                }
            }
        }
        None
    }

    /// The module that a name means by a `mod` or a `use` in the module itself.
    fn own_name(&self, at: usize, name: &str, depth: usize) -> Option<usize> {
        if let Some(child) = self.modules[at].children.get(name) {
            return Some(*child);
        }
        let path = self.modules[at].names.get(name)?;
        // `use log;` and `use log::log;` lead out of the crate.
        if depth > DEEPEST || path[0] == name {
            return None;
        }
        self.resolve(at, path, depth + 1)
            .filter(|(_, whole)| *whole)
            .map(|found| found.0)
    }
}

/// The first segment of a path, and the rest.
fn begin(path: &[String]) -> Option<(&str, &[String])> {
    path.split_first()
        .map(|(first, rest)| (first.as_str(), rest))
}

/// The files that may hold the module `name`, declared in `file` within the inline modules
/// `inside`.
fn places(
    file: &str,
    root: bool,
    inside: &[String],
    name: &str,
    path: Option<&str>,
) -> Vec<String> {
    let (folder, base) = file.rsplit_once('/').unwrap_or(("", file));
    let stem = base.trim_end_matches(".rs");
    let mut own = folder.to_string();
    if !root && stem != "mod" {
        own = format!("{own}/{stem}");
    }
    for module in inside {
        own = format!("{own}/{module}");
    }
    match path {
        Some(path) if inside.is_empty() => vec![joined(folder, path)],
        Some(path) => vec![joined(&own, path)],
        None => vec![format!("{own}/{name}.rs"), format!("{own}/{name}/mod.rs")],
    }
}

/// A folder and a relative path, with `.` and `..` taken away.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
