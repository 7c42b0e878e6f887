//! `rollbook tasks`: the one list of what waits, for oneself, for an organisation, or for all, by when,
//! with the command to type. What waits for signatures, in files and at nodes, stands in it, too. The same
//! list goes into a calendar or a feed reader as a file.

mod feeds;

use std::path::PathBuf;

use clap::Args;
use rollbook_core::id::PersonId;
use rollbook_core::next::Object;
use rollbook_core::record::Record;
use rollbook_core::view::tasks;
use rollbook_core::view::tasks::Whose;
use rollbook_proof::chain::ReadClass;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_wire::next::{Next, Task, Tasks};
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;
use serde_json::json;

use crate::act::next::{deed, sentence};
use crate::act::papers::{Item, waiting};
use crate::commands::source::{Past, Source, read_as_member};
use crate::failure::Failure;
use crate::files;
use crate::flags::{Connection, Global};
use crate::objects;
use crate::output::{Rows, print, print_json, say, word};
use crate::profile::in_use;

/// `tasks`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Mine {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    past: Past,
    /// Those of this company or office.
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    of: Option<String>,
    /// Everybody's.
    #[arg(long)]
    all: bool,
    /// Where a calendar of them goes (iCalendar); `-` is standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "atom")]
    ics: Option<PathBuf>,
    /// Where a feed of them goes (Atom); `-` is standard output.
    #[arg(long, value_name = "FILE")]
    atom: Option<PathBuf>,
    /// Whether a file of that name may be replaced.
    #[arg(long)]
    force: bool,
    /// Folder of records that wait for signatures; else the profile's and the current one, and the
    /// nodes.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs `tasks`.
pub fn run(global: &Global, flags: &Mine) -> Result<u8, Failure> {
    let whose = whose(global, flags)?;
    let mut source = Source::open(global, &flags.connection, &flags.past)?;
    let told = ask(&mut source, whose)?;
    let client = match &source {
        Source::Node { client, .. } => Some(client),
        Source::Export(_) => None,
    };
    let mut papers = waiting(global, flags.dir.as_deref(), client)?.records;
    papers.retain(|paper| is_wanted(&paper.record, whose));
    let from = source.from();
    let file = match (&flags.ics, &flags.atom) {
        (Some(path), _) => Some((path, feeds::calendar as Feed)),
        (None, Some(path)) => Some((path, feeds::feed as Feed)),
        (None, None) => None,
    };
    if let Some((path, make)) = file {
        let (read, waits) = waiting_for_feeds(&source, whose, &told, &papers);
        files::save_private(path, make(&read, &waits).as_bytes(), flags.force)?;
        tell_left_out(&told);
        say(from);
        return Ok(source.code());
    }
    if global.csv {
        table(&told, &papers).print(global);
        return Ok(source.code());
    }
    if global.json {
        let papers: Vec<_> = papers
            .iter()
            .map(|paper| {
                json!({
                    "file": paper.node.is_none().then_some(&paper.target), "node": paper.node, "record": paper.record.id(),
                    "principal": paper.record.payload.principal,
                    "act": deed(&paper.record),
                    "valid_until_ms": paper.record.payload.valid_until_ms,
                    "command": format!("rollbook sign {}", paper.target),
                })
            })
            .collect();
        let tasks: Vec<_> = told
            .tasks
            .iter()
            .map(|task| {
                let mut json = serde_json::to_value(task).unwrap_or_default();
                json["command"] = json!(command_for(&task.next));
                json["text"] = json!(sentence(&task.next));
                json
            })
            .collect();
        print_json(&json!({
            "tasks": tasks, "signatures": papers, "left_out": told.left_out,
            "height": told.height, "time_ms": told.time_ms, "sample": told.sample, "from": from,
        }));
        return Ok(source.code());
    }
    if told.sample {
        say(t("audit.sample", &[]));
    }
    for Item { target, record, .. } in &papers {
        let facts = [
            ("file", target.clone()),
            ("act", deed(record)),
            (
                "principal",
                rollbook_core::id::Id::short(record.payload.principal).to_string(),
            ),
            ("until", time(record.payload.valid_until_ms)),
        ];
        print(t("tasks.sign", &facts));
    }
    for task in &told.tasks {
        print(sentence(&task.next));
        let who = addressed(task);
        if !who.is_empty() {
            print(format!("  {}", t("tasks.for", &[("who", who)])));
        }
        if let Some(command) = command_for(&task.next) {
            print(format!("  {command}"));
        }
    }
    if told.tasks.is_empty() && papers.is_empty() {
        print(t("tasks.none", &[]));
    }
    tell_left_out(&told);
    say(from);
    Ok(source.code())
}

fn tell_left_out(told: &Tasks) {
    if told.left_out > 0 {
        say(t("tasks.left-out", &[("count", told.left_out.to_string())]));
    }
}

/// Makes a file of what waits.
type Feed = fn(&feeds::Read, &[feeds::Waiting]) -> String;

/// What waits, for a calendar or a feed.
fn waiting_for_feeds(
    source: &Source,
    whose: Whose,
    told: &Tasks,
    papers: &[Item],
) -> (feeds::Read, Vec<feeds::Waiting>) {
    let mut waits: Vec<feeds::Waiting> = papers
        .iter()
        .map(|Item { target, record, .. }| feeds::Waiting {
            object: format!("record-{}", record.id().to_hex()),
            state: "signatures".to_owned(),
            title: deed(record),
            details: vec![format!("rollbook sign {target}")],
            due: Some(record.payload.valid_until_ms),
        })
        .collect();
    waits.extend(told.tasks.iter().map(|task| {
        let who = addressed(task);
        let who = (!who.is_empty()).then(|| t("tasks.for", &[("who", who)]));
        feeds::Waiting {
            object: format!("{}-{}", word(task.next.object), task.next.number),
            state: task.next.state.clone(),
            title: sentence(&task.next),
            details: who.into_iter().chain(command_for(&task.next)).collect(),
            due: task.next.due.as_ref().map(|(_, at)| *at),
        }
    }));
    let whose = match whose {
        Whose::All => "all".to_owned(),
        Whose::Organisation(of) => rollbook_core::id::Id::short(of).to_string(),
        Whose::Person(person) => format!("person-{}", person.0),
    };
    let chain = source.chain();
    let read = feeds::Read {
        name: format!("{}-{whose}", chain.get(..16).unwrap_or(&chain)),
        height: told.height.0,
        time: told.time_ms,
    };
    (read, waits)
}

fn table(told: &Tasks, papers: &[Item]) -> Rows {
    let mut rows = Rows::new(&["object", "number", "state", "who", "from", "due", "command"]);
    for Item { target, record, .. } in papers {
        rows.add([
            "record".to_owned(),
            record.id().to_hex(),
            "signatures".to_owned(),
            String::new(),
            String::new(),
            time(record.payload.valid_until_ms),
            format!("rollbook sign {target}"),
        ]);
    }
    let at = |due: &Option<(String, LedgerTime)>| {
        due.as_ref().map(|(_, at)| time(*at)).unwrap_or_default()
    };
    for task in &told.tasks {
        let next = &task.next;
        rows.add([
            word(next.object),
            next.number.to_string(),
            next.state.clone(),
            addressed(task),
            at(&next.from),
            at(&next.due),
            command_for(next).unwrap_or_default(),
        ]);
    }
    rows
}

/// The companies and persons that may act, by their numbers.
fn addressed(task: &Task) -> String {
    let companies = task
        .companies
        .iter()
        .map(|id| rollbook_core::id::Id::short(*id).to_string());
    let persons = task
        .persons
        .iter()
        .map(|person| t("next.person", &[("number", person.0.to_string())]));
    let anybody = task.anybody.then(|| t("tasks.anybody", &[]));
    let all: Vec<String> = companies.chain(persons).chain(anybody).collect();
    all.join(", ")
}

fn whose(global: &Global, flags: &Mine) -> Result<Whose, Failure> {
    if flags.all {
        return Ok(Whose::All);
    }
    if let Some(of) = &flags.of {
        return match objects::number_of("organisation", of) {
            Ok(number) => Ok(Whose::Organisation(OrganisationId(number))),
            Err(Some(other)) => Err(objects::no_number("--of", "organisation", of, Some(other))),
            Err(None) => Err(
                Failure::unusable(t("tasks.bad-of", &[("text", of.clone())]))
                    .next(t("tasks.bad-of-next", &[])),
            ),
        };
    }
    if let Some(reader) = flags.connection.reader {
        return Ok(Whose::Person(PersonId(reader)));
    }
    let profile = in_use(global)?;
    Ok(match profile {
        Some(profile) => match (profile.person, profile.organisation) {
            (Some(person), _) => Whose::Person(PersonId(person)),
            (None, Some(organisation)) => Whose::Organisation(OrganisationId(organisation)),
            (None, None) => Whose::All,
        },
        None => Whose::All,
    })
}

/// What waits, from a node or from an export.
fn ask(source: &mut Source, whose: Whose) -> Result<Tasks, Failure> {
    let sample = source.is_sample();
    match source {
        Source::Node { client, .. } => {
            read_as_member(client);
            let path = match whose {
                Whose::All => "/v1/tasks".to_owned(),
                Whose::Organisation(of) => format!("/v1/tasks?of={}", of.0),
                Whose::Person(person) => format!("/v1/tasks?person={}", person.0),
            };
            Ok(client.json(&path)?)
        }
        Source::Export(export) => {
            let open = rollbook_core::view::open::Open::of(export.tables());
            let found = export.look(|tx| tasks::tasks(tx, &open, whose, ReadClass::Members));
            Ok(Tasks {
                height: export.tip.0,
                left_out: 0,
                sample,
                tasks: found.into_iter().map(Into::into).collect(),
                time_ms: export.tip.1,
            })
        }
    }
}

/// Whether a record waits for a signature of whoever is asked for.
fn is_wanted(record: &Record, whose: Whose) -> bool {
    match whose {
        Whose::Organisation(of) => record.payload.principal == of,
        Whose::Person(person) => record
            .signatures
            .iter()
            .all(|entry| entry.officer != person),
        Whose::All => true,
    }
}

/// The command that takes the next step; none: several do, or no command of this program does.
pub fn command_for(next: &Next) -> Option<String> {
    let (who, at) = (next.who.as_str(), next.state.as_str());
    let words = match (next.object, at, who) {
        (Object::Membership, "applied", _) => "member screen",
        (Object::Membership, "screening", _) => "member complete",
        (Object::Membership, "returned", _) => "member resubmit",
        (Object::Membership, "sponsoring", _) => "member sponsor",
        (Object::Membership, "rejected", _) => "member ask-again",
        (Object::Membership, "admitted", "applicant") => "member agree",
        (Object::Membership, "admitted", "TRE") => "dues invoice",
        (Object::Membership, "admitted", "SEC") => "member activate",
        (Object::Membership, "active", "SEC") | (Object::Proceeding, "open", "SEC") => {
            "notice serve"
        }
        (Object::Invoice, _, "MEM, TRE") => "dues receive",
        (Object::Invoice, _, "TRE") => "dues pay-back",
        (Object::Invoice, _, "OFF") => "dues confirm",
        (Object::Motion, "gathering", _) => "motion support",
        (Object::Motion, "open", _) => "motion vote",
        (Object::Post, ..) => "office accept",
        (Object::Fund, ..) => "fund accept",
        (Object::Instalment, "pledged", _) => "contribution call",
        (Object::Instalment, _, "TRE") => "contribution receive",
        (Object::Instalment, _, "OFF") => "contribution confirm",
        (Object::Call, _, "applicants") => "application submit",
        (Object::Call, _, "anyone") => "call rank",
        (Object::Call, _, "PO") => "call close",
        (Object::Call, "ranked", _) => "award propose",
        (Object::Application, "submitted", _) => "application open",
        (Object::Application, "opened", _) => "application screen",
        (Object::Application, "ineligible", "applicant") => "application appeal",
        (Object::Draw, "committing", _) => "review draw",
        (Object::Draw, "revealing", _) => "review reveal-draw",
        (Object::Review, "assigned", _) => "review declare",
        (Object::Review, "clear", _) => "review seal",
        (Object::Review, "sealed", _) => "review reveal",
        (Object::Review, "revealed", _) => "review finalise",
        (Object::Award, "offered", _) => "award accept",
        (Object::Award, "accepted", _) => "agreement draft",
        (Object::Agreement, "drafted", _) => "agreement sign",
        (Object::Agreement, "signed-by-grantee", _) => "agreement countersign",
        (Object::Agreement, _, "OFF") => "payee confirm",
        (Object::Agreement, "suspended", _) => "agreement resume",
        (Object::Agreement, "completed" | "terminated", "PO, FIN") => "agreement close",
        (Object::Measure, "announced", _) => "agreement observe",
        (Object::Recovery, "proposed", _) => "recovery notify",
        (Object::Recovery, "notified", _) => "recovery observe",
        (Object::Recovery, "heard", _) => "recovery order",
        (Object::Recovery, _, "TRE") => "recovery receive",
        (Object::Recovery, _, "OFF") => "recovery confirm",
        (Object::Milestone, "planned" | "rework", _) => "milestone submit",
        (Object::Milestone, "assessing", _) => "milestone assess",
        (Object::Milestone, _, "GRT") => "payment request",
        (Object::Payment, "requested", _) => "payment certify",
        (Object::Payment, "certified", _) => "payment approve",
        (Object::Payment, "approved" | "returned", _) => "payment release",
        (Object::Payment, "held", _) => "payment lift",
        (Object::Payment, "released", _) => "payment confirm",
        (Object::Payment, "settled" | "unacknowledged", _) => "payment acknowledge",
        (Object::Change, "waiting", _) => "org object",
        (Object::Change, "asked", _) => "org confirm-update",
        (Object::Revocation, "asked", _) => "keys agree-stop",
        (Object::Revocation, "in-force", _) => "keys ratify",
        (Object::KeyRecovery, "filed", _) => "keys recover",
        (Object::KeyRecovery, "waiting", _) => "keys cancel-recovery",
        (Object::Calendar, "filed", _) => "calendar confirm",
        (Object::Correction, "filed", _) => "correction confirm",
        (Object::Plan, "proposed" | "agreed", _) => "dues agree-plan",
        (Object::Notice, "filed", _) => "notice agree",
        (Object::Notice, "served", _) => "notice acknowledge",
        (Object::Proceeding, "filed", _) => "proceeding agree",
        (Object::Proceeding, "open", "MEM, SEC") => "proceeding hearing",
        (Object::Proceeding, "open", "BRD") => "member suspend",
        (Object::Proceeding, "expelled", _) => "proceeding appeal",
        (Object::Node, ..) => return Some("rollbook node register".to_owned()),
        _ => return None,
    };
    let agreement = next
        .see
        .iter()
        .find(|(object, _)| *object == Object::Agreement);
    Some(match (words, agreement) {
        ("payment request", Some((_, agreement))) => format!("rollbook {words} {agreement}"),
        // They name an application of the call, or an agreement.
        ("award propose" | "payment request" | "notice serve", _) => {
            format!("rollbook {words}")
        }
        _ => format!("rollbook {words} {}", next.number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs;

    fn next(object: Object, state: &str, who: &str) -> Next {
        let json = json!({
            "number": 7, "object": object, "otherwise": [], "state": state, "who": who,
        });
        serde_json::from_value(json).unwrap()
    }

    /// A task that names a command nobody has would send people nowhere.
    #[test]
    fn every_command_is_one_of_the_tree() {
        let cases = [
            (Object::Calendar, "filed", "seat holder"),
            (Object::Correction, "filed", "OFF"),
            (Object::Change, "waiting", "officer"),
            (Object::Change, "asked", "SEC"),
            (Object::Revocation, "asked", "seat holder, SEC"),
            (Object::Revocation, "in-force", "BRD"),
            (Object::KeyRecovery, "filed", "BRD"),
            (Object::KeyRecovery, "waiting", "officer"),
            (Object::Membership, "applied", "SEC"),
            (Object::Membership, "screening", "SEC"),
            (Object::Membership, "returned", "applicant"),
            (Object::Membership, "sponsoring", "sponsors"),
            (Object::Membership, "rejected", "applicant"),
            (Object::Membership, "admitted", "applicant"),
            (Object::Membership, "admitted", "TRE"),
            (Object::Membership, "admitted", "SEC"),
            (Object::Invoice, "open", "MEM, TRE"),
            (Object::Invoice, "paid", "TRE"),
            (Object::Membership, "active", "SEC"),
            (Object::Plan, "proposed", "TRE"),
            (Object::Plan, "agreed", "SEC"),
            (Object::Notice, "filed", "seat holder"),
            (Object::Notice, "served", "MEM"),
            (Object::Proceeding, "filed", "seat holder"),
            (Object::Proceeding, "open", "SEC"),
            (Object::Proceeding, "open", "MEM, SEC"),
            (Object::Proceeding, "open", "BRD"),
            (Object::Proceeding, "expelled", "MEM"),
            (Object::Invoice, "open", "OFF"),
            (Object::Motion, "gathering", "members"),
            (Object::Motion, "open", "electorate"),
            (Object::Post, "offered", "holder"),
            (Object::Fund, "approved", "holder, officers"),
            (Object::Instalment, "pledged", "TRE"),
            (Object::Instalment, "called", "TRE"),
            (Object::Instalment, "called", "OFF"),
            (Object::Call, "open", "applicants"),
            (Object::Call, "reviewing", "anyone"),
            (Object::Call, "decided", "PO"),
            (Object::Call, "ranked", "IC, BRD, GA"),
            (Object::Application, "submitted", "applicant, PO"),
            (Object::Application, "opened", "PO"),
            (Object::Application, "ineligible", "applicant"),
            (Object::Draw, "committing", "PO"),
            (Object::Draw, "revealing", "PO"),
            (Object::Review, "assigned", "REV"),
            (Object::Review, "clear", "REV"),
            (Object::Review, "sealed", "REV"),
            (Object::Review, "revealed", "REV"),
            (Object::Award, "offered", "GRT"),
            (Object::Award, "accepted", "PO"),
            (Object::Agreement, "drafted", "GRT"),
            (Object::Agreement, "signed-by-grantee", "FIN"),
            (Object::Agreement, "in-force", "OFF"),
            (Object::Agreement, "suspended", "PO, FIN"),
            (Object::Agreement, "completed", "PO, FIN"),
            (Object::Agreement, "terminated", "PO, FIN"),
            (Object::Measure, "announced", "GRT"),
            (Object::Recovery, "proposed", "PO"),
            (Object::Recovery, "notified", "GRT"),
            (Object::Recovery, "heard", "BRD"),
            (Object::Recovery, "ordered", "TRE"),
            (Object::Recovery, "partly-recovered", "OFF"),
            (Object::Milestone, "planned", "GRT"),
            (Object::Milestone, "assessing", "ASR"),
            (Object::Milestone, "accepted", "GRT"),
            (Object::Payment, "requested", "PO"),
            (Object::Payment, "certified", "FIN"),
            (Object::Payment, "approved", "TRE"),
            (Object::Payment, "held", "BRD"),
            (Object::Payment, "released", "OFF"),
            (Object::Payment, "settled", "GRT"),
        ];
        for (object, state, who) in cases {
            let command = command_for(&next(object, state, who));
            let command = command.unwrap_or_else(|| panic!("{state} {who}: no command"));
            let words: Vec<&str> = command.split(' ').collect();
            assert!(verbs::find(words[1], words[2]).is_some(), "{command}");
        }
        assert_eq!(command_for(&next(Object::Payment, "refused", "")), None);
    }
}
