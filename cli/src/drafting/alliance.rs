//! `alliance.toml`: everything of a genesis but the members and the keys.

use std::rc::Rc;

use rollbook_core::calendar::{DEFAULT_OFFSET_MINUTES, LocalDay, end_of_local_day, parse_instant};
use rollbook_core::charter::Charter;
use rollbook_core::genesis::{PostEntry, SeatEntry};
use rollbook_core::id::{DirectionId, PersonId};
use rollbook_core::identity::{ApprovalPolicy, Name, OrganisationKind};
use rollbook_core::lookup::protocol::PROTOCOL;
use rollbook_core::object::direction::Direction;
use rollbook_proof::codec::{Text, Wire};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::log::Clock;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use toml::de::DeValue;

use super::fields::OrganisationInput;
use super::parameters::ParameterError;
use super::{ReadFile, fields, parameters};
use crate::input::problem::{Place, Report, suggestion};
use crate::input::text::text;
use crate::input::toml_file::{Section, TomlFile};
use crate::keystore::card::{SAMPLE_NOTICE, parse_role, role_code};

/// The file, read.
pub struct Alliance {
    /// The file's name, for problems of the whole.
    pub place: Place,
    /// Name of the alliance.
    pub name: Name,
    /// Name of its log.
    pub origin: String,
    /// Whether it is a sample.
    pub sample: bool,
    /// The charter.
    pub charter: Charter,
    /// Time of seal 0.
    pub opened_ms: u64,
    /// The rule version it begins with; the newest if the file does not say.
    pub protocol: u32,
    /// Directions, ascending.
    pub directions: Vec<Direction>,
    /// Offices with their posts.
    pub offices: Vec<(OrganisationInput, Vec<(Place, PostEntry)>)>,
    /// Observers.
    pub observers: Vec<OrganisationInput>,
    /// The first board.
    pub board: (Place, Vec<SeatEntry>),
    /// Organisations whose nodes validate.
    pub validators: (Place, Vec<u32>),
}

impl Alliance {
    /// Leaves members out: their seats, their nodes, the convenor among them.
    pub fn leave_out(&mut self, numbers: &[u32], report: &mut Report) {
        self.board
            .1
            .retain(|seat| !numbers.contains(&seat.organisation.0));
        self.validators.1.retain(|number| !numbers.contains(number));
        if let Some(convenor) = self.charter.convenor
            && numbers.contains(&convenor.0)
        {
            self.charter.convenor = None;
            let facts = [("number", convenor.0.to_string())];
            report.warn(&self.place, "without-convenor", &facts);
        }
    }
}

/// Reads the file.
pub fn read(name: &str, bytes: &[u8], read: ReadFile, report: &mut Report) -> Option<Alliance> {
    let file_name: Rc<str> = name.into();
    let whole = Place {
        file: file_name.clone(),
        line: None,
    };
    let text = match text(bytes) {
        Ok(text) => text,
        Err(why) => {
            report.error(&whole, why.code(), &[]);
            return None;
        }
    };
    let file = TomlFile::parse(file_name, &text, report)?;
    let mut root = file.root();
    let mut head = root.required_section("alliance", report)?;
    let native = head.placed_string("native", report);
    let latin = head.placed_string("latin", report);
    let name = match (native, latin) {
        (Some((place, native)), Some((_, latin))) => fields::name(&place, &native, &latin, report),
        _ => None,
    };
    let origin = head.placed_string("origin", report);
    if let Some((place, text)) = &origin
        && text.starts_with(fields::EXAMPLE.trim_end_matches(':'))
    {
        report.error(place, "example", &[("found", text.clone())]);
    }
    let sample = head.flag("sample", report).unwrap_or(false);
    if let Some((place, notice)) = head.optional_string("notice", report)
        && notice != SAMPLE_NOTICE
    {
        report.error(&place, "notice", &[("notice", SAMPLE_NOTICE.to_owned())]);
    }
    let clock = head
        .placed_string("clock", report)
        .and_then(|(place, word)| {
            let clock = match word.as_str() {
                "wall" => Clock::Wall,
                "sample" => Clock::Sample,
                _ => {
                    report.error(&place, "clock", &[("found", word)]);
                    return None;
                }
            };
            if (clock == Clock::Sample) != sample {
                report.error(&place, "clock-sample", &[]);
            }
            Some(clock)
        });
    let opened =
        head.placed_string("opened", report)
            .and_then(|(place, text)| match parse_instant(&text) {
                Ok(instant) => Some(instant),
                Err(_) => {
                    report.error(&place, "instant", &[("found", text)]);
                    None
                }
            });
    let protocol = head
        .optional_number("protocol", report)
        .unwrap_or(PROTOCOL.0);
    if !(1..=PROTOCOL.0).contains(&protocol) {
        let facts = [
            ("found", protocol.to_string()),
            ("newest", PROTOCOL.to_string()),
        ];
        report.error(&head.place(), "protocol", &facts);
    }
    let convenor = head.optional_number("convenor", report).map(OrganisationId);
    head.finish(report);

    let charter = root
        .required_section("charter", report)
        .and_then(|section| charter(section, clock, read, report))
        .map(|charter| Charter {
            convenor,
            ..charter
        });
    let offset = charter
        .as_ref()
        .map_or(DEFAULT_OFFSET_MINUTES, |charter| charter.offset_minutes);
    let opened_day = opened.map_or(LocalDay(0), |opened| LocalDay::of(opened, offset));
    let until = |day: LocalDay| end_of_local_day(day, offset);
    let directions = directions(&mut root, report);
    // An office or observer without a registry extract rests on the charter that names it.
    let default_extract = (
        charter.as_ref().map_or(Hash::ZERO, |charter| charter.text),
        opened_day,
    );
    let mut offices = Vec::new();
    for mut section in root.sections("offices", report) {
        let office = organisation(
            &mut section,
            OrganisationKind::Office,
            default_extract,
            &directions,
            read,
            report,
        );
        let mut posts = Vec::new();
        for mut post in section.sections("posts", report) {
            if let Some(entry) = read_post(&mut post, &until, report) {
                posts.push((post.place(), entry));
            }
            post.finish(report);
        }
        section.finish(report);
        offices.extend(office.map(|office| (office, posts)));
    }
    let mut observers = Vec::new();
    for mut section in root.sections("observers", report) {
        observers.extend(organisation(
            &mut section,
            OrganisationKind::Observer,
            default_extract,
            &directions,
            read,
            report,
        ));
        section.finish(report);
    }
    let board = root
        .required_section("board", report)
        .and_then(|mut section| {
            let seats = section.numbers("seats", report);
            let day = section.date("until", report);
            section.finish(report);
            let ((place, mut seats), day) = (seats?, day?);
            seats.sort_unstable();
            Some((
                place,
                seats
                    .into_iter()
                    .map(|organisation| SeatEntry {
                        organisation: OrganisationId(organisation),
                        until_ms: until(day),
                    })
                    .collect(),
            ))
        });
    let validators = root
        .required_section("validators", report)
        .and_then(|mut section| {
            let numbers = section.numbers("organisations", report);
            section.finish(report);
            let (place, mut numbers) = numbers?;
            numbers.sort_unstable();
            Some((place, numbers))
        });
    root.finish(report);
    Some(Alliance {
        place: whole,
        name: name?,
        origin: origin?.1,
        sample,
        charter: charter?,
        opened_ms: opened?.0,
        protocol,
        directions,
        offices,
        observers,
        board: board?,
        validators: validators?,
    })
}

fn charter(
    mut section: Section,
    clock: Option<Clock>,
    read: ReadFile,
    report: &mut Report,
) -> Option<Charter> {
    let place = section.place();
    let preset = match section.optional_string("preset", report) {
        None => parameters::preset("default"),
        Some((place, word)) => {
            let preset = parameters::preset(&word);
            if preset.is_none() {
                let near = suggestion(&word, parameters::PRESETS);
                report.error(
                    &place,
                    "preset",
                    &[
                        ("found", word),
                        ("known", parameters::PRESETS.join(", ")),
                        ("near", near),
                    ],
                );
            }
            preset
        }
    };
    let text = section
        .placed_string("text", report)
        .and_then(|(place, file)| match read(&file) {
            Ok(bytes) if bytes.starts_with(fields::EXAMPLE.as_bytes()) => {
                report.error(&place, "example-text", &[("found", file)]);
                None
            }
            Ok(bytes) => Some(sha256(&bytes)),
            Err(_) => {
                report.error(&place, "charter-text", &[("found", file)]);
                None
            }
        });
    let mut charter = Charter::preset(
        preset?,
        clock.unwrap_or(Clock::Wall),
        text.unwrap_or(Hash::ZERO),
    );
    let before = report.errors.len();
    if let Some(mut overrides) = section.section("override", report) {
        for entry in overrides.entries() {
            apply_override(&mut charter, &entry.key, entry.value, &entry.place, report);
        }
        overrides.finish(report);
    }
    section.finish(report);
    if report.errors.len() == before
        && let Err(error) = charter.check()
    {
        report.error(&place, "charter-rule", &[("why", error.to_string())]);
    }
    text.map(|_| charter)
}

/// Sets a parameter; `[charter.override.funding] hold_days = 10` means the same as
/// `"funding.hold_days" = 10`.
fn apply_override(
    charter: &mut Charter,
    name: &str,
    value: &DeValue,
    place: &Place,
    report: &mut Report,
) {
    if let DeValue::Table(table) = value {
        for (key, value) in table.iter() {
            apply_override(
                charter,
                &format!("{name}.{}", key.get_ref()),
                value.get_ref(),
                place,
                report,
            );
        }
        return;
    }
    match parameters::set(charter, name, value) {
        Ok(()) => {}
        Err(ParameterError::Unknown { near }) => {
            let near = near
                .map(|near| rollbook_words::catalogue::t("draft.did-you-mean", &[("near", near)]))
                .unwrap_or_default();
            report.error(
                place,
                "parameter-unknown",
                &[("name", name.to_owned()), ("near", near)],
            );
        }
        Err(ParameterError::Value { example }) => {
            report.error(
                place,
                "parameter-value",
                &[("name", name.to_owned()), ("example", example)],
            );
        }
    }
}

fn directions(root: &mut Section, report: &mut Report) -> Vec<Direction> {
    let mut directions: Vec<Direction> = Vec::new();
    for mut section in root.sections("directions", report) {
        let place = section.place();
        let number = section.number("number", report);
        let code = section
            .placed_string("code", report)
            .and_then(|(place, code)| fields::text::<32>(&place, "code", &code, report));
        let native = section.placed_string("native", report);
        let latin = section.placed_string("latin", report);
        section.finish(report);
        let (Some(number), Some(code), Some((_, native)), Some((_, latin))) =
            (number, code, native, latin)
        else {
            continue;
        };
        let Some(name) = fields::name(&place, &native, &latin, report) else {
            continue;
        };
        if number == 0
            || directions
                .iter()
                .any(|other| other.number == DirectionId(number) || other.code == code)
        {
            report.error(
                &place,
                "direction-defined",
                &[("number", number.to_string()), ("code", code.to_string())],
            );
            continue;
        }
        directions.push(Direction {
            number: DirectionId(number),
            code,
            name,
        });
    }
    directions.sort_by_key(|direction| direction.number);
    directions
}

fn organisation(
    section: &mut Section,
    kind: OrganisationKind,
    default_extract: (Hash, LocalDay),
    directions: &[Direction],
    read: ReadFile,
    report: &mut Report,
) -> Option<OrganisationInput> {
    let place = section.place();
    let number = section.number("number", report);
    if number == Some(0) {
        report.error(&place, "number", &[("found", "0".to_owned())]);
        report.lost(None);
        return None;
    }
    let native = section.placed_string("native", report);
    let latin = section.placed_string("latin", report);
    let name = match (native, latin) {
        (Some((_, native)), Some((_, latin))) => fields::name(&place, &native, &latin, report),
        _ => None,
    };
    let country = section
        .placed_string("country", report)
        .and_then(|(place, text)| fields::country(&place, &text, report));
    let mut identifiers = Vec::new();
    for column in ["uscc", "lei", "other_identifier"] {
        if let Some((place, text)) = section.optional_string(column, report) {
            identifiers.extend(fields::identifier(&place, column, &text, report));
        }
    }
    identifiers.sort();
    let extract = match section.optional_string("extract", report) {
        None => Some(default_extract),
        Some((place, text)) => {
            let hash = fields::hash(&place, "extract", &text, read, report);
            let date = section.date("extract_date", report);
            hash.zip(date)
        }
    };
    let related = section
        .optional_string("related", report)
        .map_or(String::new(), |(_, text)| text);
    let evidence = section
        .optional_string("evidence", report)
        .map_or(String::new(), |(_, text)| text);
    let relations = fields::relations(&place, &related, &evidence, read, report);
    let works_in = section
        .optional_string("directions", report)
        .map_or(String::new(), |(_, text)| text);
    let works_in = fields::directions(&place, &works_in, Some(directions), report);
    let policy = match section.optional_string("approval", report) {
        None => Some(ApprovalPolicy::default()),
        Some((place, text)) => fields::approval(&place, &text, report),
    };
    let read = (|| {
        Some(OrganisationInput {
            place,
            number: number?,
            kind,
            name: name?,
            identifiers,
            country: country?,
            extract: extract?,
            relations,
            directions: works_in,
            policy: policy?,
        })
    })();
    if read.is_none() {
        report.lost(number);
    }
    read
}

fn read_post(
    section: &mut Section,
    until: &dyn Fn(LocalDay) -> LedgerTime,
    report: &mut Report,
) -> Option<PostEntry> {
    let role = section
        .placed_string("role", report)
        .and_then(|(place, code)| {
            let role = parse_role(&code).filter(|role| role.is_post());
            if role.is_none() {
                let posts: Vec<String> = POSTS.iter().map(|role| role_code(*role)).collect();
                let near = suggestion(&code, posts.iter().map(String::as_str));
                report.error(
                    &place,
                    "post-role",
                    &[("found", code), ("known", posts.join(", ")), ("near", near)],
                );
            }
            role
        });
    let holder = section.number("holder", report);
    let deputy = section.optional_number("deputy", report);
    let day = section.date("until", report);
    Some(PostEntry {
        role: role?,
        holder: PersonId(holder?),
        deputy: deputy.map(PersonId),
        until_ms: LedgerTime((until(LocalDay(day?.0))).0),
    })
}

/// The posts of an office (RULINGS R7).
pub const POSTS: [rollbook_core::identity::Role; 7] = {
    use rollbook_core::identity::Role::*;
    [
        Secretary,
        Registrar,
        Treasurer,
        SecondOfficer,
        ProgrammeOfficer,
        FinanceApprover,
        Auditor,
    ]
};

/// Reads a text of at most 160 bytes from the command line, in NFC.
pub fn short_text(given: &str) -> Option<Text<160>> {
    let mut report = Report::default();
    let place = Place {
        file: "".into(),
        line: None,
    };
    fields::text(&place, "", given, &mut report).filter(|text| !text.is_empty())
}
