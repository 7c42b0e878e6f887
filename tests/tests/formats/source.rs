//! What the sources declare: encoded types, numbers, limits, state tables, codes, tags.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use quote::ToTokens as _;
use syn::{Attribute, Fields, Item, Type, UseTree};

/// What a field or a variant's content is.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Field {
    /// Its name; a position in a tuple.
    pub name: String,
    /// Its type as the page names it.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is.
    pub meaning: String,
}

/// One variant of an enum.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Variant {
    /// The number that its encoding begins with.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// What it is.
    pub meaning: String,
    /// What follows the number, in order.
    pub fields: Vec<Field>,
}

/// What an encoded type is.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Fields in order.
    Struct(Vec<Field>),
    /// A number, then what the variant holds.
    Enum(Vec<Variant>),
    /// The bytes of another type.
    Same(String),
}

/// An encoded type.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Encoded {
    /// As the page names it.
    pub name: String,
    /// The room that declares it.
    pub room: String,
    /// What it is.
    pub meaning: String,
    /// Longest encoding, where the type says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<String>,
    /// How it is encoded.
    pub shape: Shape,
}

/// A limit.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Limit {
    /// The constant's name.
    pub name: String,
    /// Its value, as it is written.
    pub value: String,
    /// What is limited.
    pub meaning: String,
}

/// A state table.
#[derive(Debug, Clone, serde::Serialize)]
pub struct StateTable {
    /// Its number.
    pub number: u8,
    /// Its name.
    pub name: String,
    /// Type of the key.
    pub key: String,
    /// Type of the value.
    pub value: String,
    /// Path in the state tree; none for a working table.
    pub path: Option<String>,
    /// What it holds.
    pub meaning: String,
}

/// Types that the encoding has of itself, or whose bytes the page's first section explains.
const GIVEN: [&str; 5] = ["Vec", "Option", "Text", "String", "Hash"];

/// One source file.
struct Source {
    /// `record/call`.
    module: String,
    items: Vec<Item>,
    /// Imported names with the modules on their way.
    uses: BTreeMap<String, Vec<String>>,
    text: String,
}

/// Everything read.
pub struct Sources {
    files: Vec<Source>,
    /// By (module, name).
    pub types: BTreeMap<(String, String), Encoded>,
    /// Modules that declare a name.
    homes: BTreeMap<String, Vec<String>>,
}

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every source file below a folder, by name.
pub fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The first sentences of a doc comment, as one line.
pub fn meaning(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let syn::Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let syn::Expr::Lit(literal) = &pair.value
            && let syn::Lit::Str(text) = &literal.lit
        {
            lines.push(text.value().trim().to_owned());
        }
    }
    let paragraph: Vec<String> = lines
        .into_iter()
        .take_while(|line| !line.is_empty())
        .collect();
    unlink(&paragraph.join(" "))
}

/// Takes links to items out of a doc comment: a reader of the page has no source.
fn unlink(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some(end) = from.find(']') else {
            rest = from;
            break;
        };
        out.push_str(&from[1..end]);
        rest = &from[end + 1..];
        if let Some(target) = rest.strip_prefix('(')
            && let Some(end) = target.find(')')
        {
            rest = &target[end + 1..];
        }
    }
    out.push_str(rest);
    out
}

fn derives(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("derive")
            && attribute.meta.to_token_stream().to_string().contains(name)
    })
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute
            .to_token_stream()
            .to_string()
            .contains("cfg (test)")
    })
}

fn gather(tree: &UseTree, way: &mut Vec<String>, uses: &mut BTreeMap<String, Vec<String>>) {
    match tree {
        UseTree::Path(path) => {
            way.push(path.ident.to_string());
            gather(&path.tree, way, uses);
            way.pop();
        }
        UseTree::Name(name) => drop(uses.insert(name.ident.to_string(), way.clone())),
        UseTree::Rename(name) => drop(uses.insert(name.rename.to_string(), way.clone())),
        UseTree::Group(group) => {
            for tree in &group.items {
                gather(tree, way, uses);
            }
        }
        UseTree::Glob(_) => {}
    }
}

impl Sources {
    /// Reads both crates.
    pub fn read() -> Sources {
        let mut sources = Sources {
            files: Vec::new(),
            types: BTreeMap::new(),
            homes: BTreeMap::new(),
        };
        for krate in ["core/proof/src", "core/src"] {
            let folder = root().join(krate);
            let mut found = Vec::new();
            files(&folder, &mut found);
            for path in found {
                let module = path.strip_prefix(&folder).unwrap().with_extension("");
                let module = module.to_string_lossy().replace('\\', "/");
                if module.ends_with("tests") || module == "lib" {
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let items = syn::parse_file(&text).unwrap().items;
                let mut uses = BTreeMap::new();
                for item in &items {
                    if let Item::Use(item) = item {
                        gather(&item.tree, &mut Vec::new(), &mut uses);
                    }
                }
                sources.files.push(Source {
                    module,
                    items,
                    uses,
                    text,
                });
            }
        }
        sources.find_names();
        sources.find_types();
        sources
    }

    /// Every file: its module and its text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|source| (source.module.as_str(), source.text.as_str()))
    }

    fn find_names(&mut self) {
        let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for source in &self.files {
            for item in &source.items {
                let name = match item {
                    Item::Struct(item) if derives(&item.attrs, "Encode") => {
                        Some(item.ident.to_string())
                    }
                    Item::Enum(item) if derives(&item.attrs, "Encode") => {
                        Some(item.ident.to_string())
                    }
                    _ => None,
                };
                let numbers = match item {
                    Item::Macro(item) if item.mac.path.is_ident("number") => {
                        numbers(&item.mac.tokens.to_string())
                            .into_iter()
                            .map(|(name, _, _)| name)
                            .collect()
                    }
                    _ => Vec::new(),
                };
                for name in name.into_iter().chain(numbers) {
                    homes.entry(name).or_default().push(source.module.clone());
                }
            }
        }
        self.homes = homes;
    }

    /// The module that a type's name means in a file; none for what the encoding has of itself.
    fn home(&self, source: &Source, name: &str) -> Option<String> {
        let homes = self.homes.get(name)?;
        if let [only] = homes.as_slice() {
            return Some(only.clone());
        }
        if homes.contains(&source.module) {
            return Some(source.module.clone());
        }
        let way = source.uses.get(name)?;
        let on_way = |home: &&String| {
            let parts: Vec<&str> = home.split('/').collect();
            way.iter().any(|step| parts.contains(&step.as_str()))
        };
        homes.iter().find(on_way).cloned()
    }

    /// As the page names a type: with the module in front where the name alone is not enough.
    fn shown(&self, home: &str, name: &str) -> String {
        match self.homes.get(name) {
            Some(homes) if homes.len() > 1 => format!("{}.{name}", home.replace('/', ".")),
            _ => name.to_owned(),
        }
    }

    fn kind(&self, source: &Source, kind: &Type) -> String {
        match kind {
            Type::Path(path) => {
                let last = path.path.segments.last().unwrap();
                let name = last.ident.to_string();
                let mut qualified: Vec<String> = path
                    .path
                    .segments
                    .iter()
                    .map(|part| part.ident.to_string())
                    .collect();
                qualified.pop();
                let home = if qualified.is_empty() {
                    self.home(source, &name)
                } else {
                    // `super::Body`, `crypto::Hash`: the way stands in the type itself.
                    let homes = self.homes.get(&name);
                    homes.and_then(|homes| {
                        let on_way = |home: &&String| {
                            qualified
                                .iter()
                                .any(|step| home.split('/').any(|part| part == step))
                        };
                        homes.iter().find(on_way).or(homes.first()).cloned()
                    })
                };
                let shown = home.map_or(name.clone(), |home| self.shown(&home, &name));
                if name == "Box" {
                    // A box is its content.
                    return self.arguments(source, last).join(", ");
                }
                match self.arguments(source, last).as_slice() {
                    [] => shown,
                    arguments => format!("{shown}<{}>", arguments.join(", ")),
                }
            }
            Type::Tuple(tuple) => {
                let parts: Vec<String> = tuple
                    .elems
                    .iter()
                    .map(|kind| self.kind(source, kind))
                    .collect();
                format!("({})", parts.join(", "))
            }
            Type::Array(array) => format!(
                "[{}; {}]",
                self.kind(source, &array.elem),
                array.len.to_token_stream()
            ),
            other => other.to_token_stream().to_string(),
        }
    }

    fn arguments(&self, source: &Source, part: &syn::PathSegment) -> Vec<String> {
        let syn::PathArguments::AngleBracketed(arguments) = &part.arguments else {
            return Vec::new();
        };
        let one = |argument: &syn::GenericArgument| match argument {
            syn::GenericArgument::Type(kind) => self.kind(source, kind),
            other => other.to_token_stream().to_string(),
        };
        arguments.args.iter().map(one).collect()
    }

    fn fields(&self, source: &Source, fields: &Fields) -> Vec<Field> {
        fields
            .iter()
            .enumerate()
            .map(|(place, field)| Field {
                name: field
                    .ident
                    .as_ref()
                    .map_or(place.to_string(), ToString::to_string),
                kind: self.kind(source, &field.ty),
                meaning: meaning(&field.attrs),
            })
            .collect()
    }

    fn find_types(&mut self) {
        let mut types = BTreeMap::new();
        for source in &self.files {
            let maxima = maxima(&source.items);
            for item in &source.items {
                let (name, attributes, shape) = match item {
                    Item::Struct(item) if derives(&item.attrs, "Encode") => {
                        let shape = Shape::Struct(self.fields(source, &item.fields));
                        (item.ident.to_string(), &item.attrs, shape)
                    }
                    Item::Enum(item) if derives(&item.attrs, "Encode") => {
                        let variants =
                            item.variants
                                .iter()
                                .zip(0..)
                                .map(|(variant, number)| Variant {
                                    number,
                                    name: variant.ident.to_string(),
                                    meaning: meaning(&variant.attrs),
                                    fields: self.fields(source, &variant.fields),
                                });
                        (
                            item.ident.to_string(),
                            &item.attrs,
                            Shape::Enum(variants.collect()),
                        )
                    }
                    Item::Macro(item) if item.mac.path.is_ident("number") => {
                        for (name, inner, meaning) in numbers(&item.mac.tokens.to_string()) {
                            let encoded = Encoded {
                                name: self.shown(&source.module, &name),
                                room: source.module.clone(),
                                meaning,
                                at_most: None,
                                shape: Shape::Same(inner),
                            };
                            types.insert((source.module.clone(), name), encoded);
                        }
                        continue;
                    }
                    _ => continue,
                };
                let encoded = Encoded {
                    name: self.shown(&source.module, &name),
                    room: source.module.clone(),
                    meaning: meaning(attributes),
                    at_most: maxima.get(&name).cloned(),
                    shape,
                };
                types.insert((source.module.clone(), name), encoded);
            }
        }
        self.types = types;
    }

    /// Type names that stand in the tables and that nothing explains.
    pub fn unexplained(&self) -> BTreeSet<String> {
        let known: BTreeSet<&str> = self
            .types
            .values()
            .map(|encoded| encoded.name.as_str())
            .collect();
        let mut missing = BTreeSet::new();
        let mut look = |place: &str, kind: &str| {
            for word in kind.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')) {
                let is_type =
                    word.starts_with(|c: char| c.is_ascii_uppercase()) || word.contains('.');
                if is_type && !known.contains(word) && !GIVEN.contains(&word) && word.len() > 1 {
                    missing.insert(format!("{word} in {place}"));
                }
            }
        };
        for encoded in self.types.values() {
            let place = &encoded.name;
            match &encoded.shape {
                Shape::Struct(fields) => fields.iter().for_each(|field| look(place, &field.kind)),
                Shape::Enum(variants) => variants
                    .iter()
                    .flat_map(|variant| &variant.fields)
                    .for_each(|field| look(place, &field.kind)),
                Shape::Same(kind) => look(place, kind),
            }
        }
        for table in self.tables() {
            look(&table.name, &table.key);
            look(&table.name, &table.value);
        }
        missing
    }

    /// Number of a variant.
    pub fn variant(&self, name: &str, variant: &str) -> Option<u32> {
        let encoded = self.types.values().find(|encoded| encoded.name == name)?;
        let Shape::Enum(variants) = &encoded.shape else {
            return None;
        };
        variants
            .iter()
            .find(|known| known.name == variant)
            .map(|known| known.number)
    }

    /// Constants that limit something: their names end in MAX, MAX_BYTES and the like.
    pub fn limits(&self) -> Vec<Limit> {
        let mut limits = Vec::new();
        for source in &self.files {
            for item in &source.items {
                let Item::Const(item) = item else { continue };
                let name = item.ident.to_string();
                let public = matches!(item.vis, syn::Visibility::Public(_));
                if public && name.split('_').any(|word| word == "MAX") {
                    limits.push(Limit {
                        name,
                        value: item.expr.to_token_stream().to_string(),
                        meaning: meaning(&item.attrs),
                    });
                }
            }
        }
        limits.sort_by(|a, b| a.name.cmp(&b.name));
        limits
    }

    /// Domain tags and leaf tags, as literals.
    pub fn tags(&self) -> BTreeSet<String> {
        let mut tags = BTreeSet::new();
        for source in &self.files {
            for literal in literals(&source.text) {
                if literal.starts_with("rollbook/") {
                    tags.insert(literal);
                }
            }
        }
        tags
    }

    /// Codes by which something is refused, with the module of their first use.
    pub fn codes(&self) -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        for source in &self.files {
            for literal in literals(&source.text) {
                if is_code(&literal) {
                    codes.insert(literal);
                }
            }
        }
        codes.extend(self.made_codes());
        codes
    }

    /// Codes that macros make: `<rule>.wrong-state` of every transition, `A4.unknown-<kind>`.
    fn made_codes(&self) -> Vec<String> {
        let mut codes = Vec::new();
        for source in &self.files {
            let mut rest = source.text.as_str();
            while let Some(at) = rest.find("row!(") {
                rest = &rest[at + 5..];
                if let Some(code) = literals(rest).into_iter().next() {
                    codes.push(format!("{code}.wrong-state"));
                }
            }
            let mut rest = source.text.as_str();
            while let Some(at) = rest.find("object!(") {
                rest = &rest[at + 8..];
                let end = rest.find(");").unwrap_or(rest.len());
                if let Some(name) = literals(&rest[..end]).into_iter().next() {
                    codes.push(format!("A4.unknown-{name}"));
                }
            }
        }
        codes
    }

    /// The state tables, from their declaration.
    pub fn tables(&self) -> Vec<StateTable> {
        let source = self
            .files
            .iter()
            .find(|source| source.module == "state/tables")
            .unwrap();
        let at = source.text.find("\ntables! {").unwrap();
        let mut tables = Vec::new();
        let mut meaning: Vec<String> = Vec::new();
        for line in source.text[at..].lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                meaning.push(text.trim().to_owned());
                continue;
            }
            if let Some(table) = self.table(source, line, &meaning.join(" ")) {
                tables.push(table);
            }
            meaning.clear();
        }
        assert!(
            tables.len() > 50,
            "the declaration of the tables has another form"
        );
        tables.sort_by_key(|table| table.number);
        for pair in tables.windows(2) {
            let (one, next) = (&pair[0], &pair[1]);
            assert_ne!(one.number, next.number, "{} and {}", one.name, next.name);
        }
        tables
    }

    /// `40 counters: u8 => u32;` or the same with `, |k| format!("charter/{}", k.0);`.
    fn table(&self, source: &Source, line: &str, meaning: &str) -> Option<StateTable> {
        let (number, rest) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        let (name, rest) = rest.split_once(": ")?;
        let (key, rest) = rest.split_once(" => ")?;
        let (value, path) = match rest.split_once(", |k| ") {
            Some((value, path)) => (value, literals(path).into_iter().next()),
            None => (rest.strip_suffix(';')?, None),
        };
        let kind = |text: &str| self.kind(source, &syn::parse_str(text).unwrap());
        Some(StateTable {
            number,
            name: name.to_owned(),
            key: kind(key),
            value: kind(value),
            path: path.map(|path| path.replace("{}", "N").replace("{k}", "NAME")),
            meaning: unlink(meaning),
        })
    }
}

/// `/// A person. PersonId(u32);` of the macro of numbers.
fn numbers(tokens: &str) -> Vec<(String, String, String)> {
    struct All(Vec<(String, String, String)>);
    impl syn::parse::Parse for All {
        fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<All> {
            let mut all = Vec::new();
            while !input.is_empty() {
                let attributes = input.call(Attribute::parse_outer)?;
                let name: syn::Ident = input.parse()?;
                let inner;
                syn::parenthesized!(inner in input);
                let kind: Type = inner.parse()?;
                input.parse::<syn::Token![;]>()?;
                all.push((
                    name.to_string(),
                    kind.to_token_stream().to_string(),
                    meaning(&attributes),
                ));
            }
            Ok(All(all))
        }
    }
    syn::parse_str::<All>(tokens)
        .map(|all| all.0)
        .unwrap_or_default()
}

/// `impl Wire for X { const MAX: usize = ..; }` by the name of the type.
fn maxima(items: &[Item]) -> BTreeMap<String, String> {
    let mut maxima = BTreeMap::new();
    for item in items {
        let Item::Impl(item) = item else { continue };
        let wire = item
            .trait_
            .as_ref()
            .and_then(|(_, path, _)| path.segments.last());
        let (Some(wire), Type::Path(of)) = (wire, &*item.self_ty) else {
            continue;
        };
        if wire.ident != "Wire" || is_test(&item.attrs) {
            continue;
        }
        for inner in &item.items {
            if let syn::ImplItem::Const(constant) = inner
                && constant.ident == "MAX"
            {
                let value = constant.expr.to_token_stream().to_string();
                maxima.insert(of.path.segments.last().unwrap().ident.to_string(), value);
            }
        }
    }
    maxima
}

/// The string literals of a text without escapes; comments and test modules are left out.
fn literals(text: &str) -> Vec<String> {
    let text = text.split("\n#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        found.extend(line.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    found
}

fn is_code(text: &str) -> bool {
    let Some((rule, word)) = text.split_once('.') else {
        return false;
    };
    let mut letters = rule.chars();
    let first = letters.next().is_some_and(|c| "AFMNR".contains(c));
    let digits = rule.len() > 1 && letters.all(|c| c.is_ascii_digit() || c == 'a' || c == 'w');
    let kebab = !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    first && digits && kebab
}
