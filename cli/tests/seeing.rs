//! What people see of the ledger: lists and shows of everything that has a number, ballots and rankings,
//! tasks, history; all of the kept history of the story, run again by the real binary.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use rollbook_core::id::{ApplicationId, DrawId, InstalmentId, PaymentId};
use rollbook_core::ledger::Execution;
use rollbook_core::next;
use rollbook_core::next::Object;
use rollbook_core::object::application::{Appeal, ApplicationStatus};
use rollbook_core::object::contribution::InstalmentStatus;
use rollbook_core::object::payment::PaymentState;
use rollbook_core::state::{Row, StateTables};
use rollbook_core::view::open::Open;
use rollbook_proof::chain::ReadClass;
use rollbook_tests::judges::judged;
use serde_json::Value;

mod desk;
use desk::{Desk, all};

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/history/protocol-1.rollbook")
}

/// The genesis hash of the kept history.
fn genesis() -> String {
    let head = std::fs::read(kept().with_extension("json")).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    head["genesis"].as_str().unwrap().to_owned()
}

/// Looks at the kept history.
struct Look(Desk);

impl Look {
    fn new() -> Look {
        Look(Desk::new())
    }

    fn words<'a>(&self, words: &str, genesis: &'a str, file: &'a str) -> Vec<String> {
        let mut all: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let more = ["--from-export", file, "--genesis", genesis];
        all.extend(more.map(str::to_owned));
        all
    }

    #[track_caller]
    fn at(&self, words: &str) -> String {
        let (genesis, file) = (genesis(), kept().display().to_string());
        let words = self.words(words, &genesis, &file);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        all(&self.0.ends(0, words.as_slice()))
    }

    #[track_caller]
    fn json(&self, words: &str) -> Value {
        let (genesis, file) = (genesis(), kept().display().to_string());
        let words = self.words(words, &genesis, &file);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.0.json(0, words.as_slice())
    }
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

/// Every noun has its list, and each entry of it is shown by its short id.
#[test]
fn everything_that_has_a_number_is_listed_and_shown() {
    let look = Look::new();
    for (list, letters) in [
        ("org list", "O-"),
        ("org relations", "RE-"),
        ("member list", "M-"),
        ("office list", "PO-"),
        ("dues list", "IV-"),
        ("motion list", "V-"),
        ("fund list", "F-"),
        ("contribution list", "IN-"),
        ("contribution pledges", "PL-"),
        ("contribution entries", ""),
        ("call list", "C-"),
        ("application list", "AP-"),
        ("review list", "RV-"),
        ("review draws", "DR-"),
        ("award list", "W-"),
        ("agreement list", "A-"),
        ("milestone list", "MS-"),
        ("payment list", "P-"),
        ("account list", "B-"),
    ] {
        let told = look.json(list);
        let items = told["items"].as_array().unwrap();
        assert!(!items.is_empty(), "{list} is empty");
        let id = items[0]["id"].as_str().unwrap();
        assert!(id.starts_with(letters), "{list}: {id}");
        if !letters.is_empty() {
            let shown = look.json(&format!("show {id}"));
            assert_eq!(shown["id"], items[0]["id"], "{list}");
            assert!(shown["value"].is_object(), "{list}");
        }
    }
    // Amounts have the unit of the fund that the object leads to.
    holds(
        &look.at("contribution list"),
        &["CNY", "IN-0001", "run again"],
    );
    holds(&look.at("milestone list"), &["CNY"]);
}

/// A member could not see who had voted, who was missing, who was recused and why.
#[test]
fn a_motion_shows_its_ballots_and_its_arithmetic() {
    let look = Look::new();
    let motions = look.json("motion list");
    let motions = motions["items"].as_array().unwrap();
    let recused = motions.iter().find(|item| {
        item["value"]["tally"]["counts"]["recused"]
            .as_u64()
            .unwrap_or(0)
            > 0
            && item["value"]["status"] == "carried-out"
    });
    let number = recused.expect("a motion with a recusal")["value"]["number"].clone();
    let told = look.json(&format!("motion show {number}"));
    let view = &told["reported"]["motion"];
    let ballots = view["ballots"].as_array().unwrap();
    let count = |name: &str| {
        ballots
            .iter()
            .filter(|line| line["choice"] == name && line["recused"] == false)
            .count() as u64
    };
    assert_eq!(view["tally"]["counts"]["yes"], count("yes"));
    assert_eq!(view["tally"]["counts"]["no"], count("no"));
    let out: Vec<&Value> = ballots
        .iter()
        .filter(|line| line["recused"] == true)
        .collect();
    assert!(
        !out.is_empty() && out.iter().any(|line| !line["ground"].is_null()),
        "{out:?}"
    );
    let text = look.at(&format!("motion show {number}"));
    holds(
        &text,
        &[
            "recused",
            "quorum",
            "voices that may decide",
            "so it passes",
            "missing:",
        ],
    );
}

/// After a motion was carried out one had to guess what it made.
#[test]
fn a_motion_that_was_carried_out_names_what_it_made() {
    let look = Look::new();
    let motions = look.json("motion list");
    let of = |effect: &str| {
        motions["items"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|item| {
                let value = &item["value"];
                let is_it =
                    value["effect"].get(effect).is_some() && value["status"] == "carried-out";
                is_it.then(|| value["number"].clone())
            })
    };
    for (effect, object) in [
        ("CreateFund", "fund"),
        ("PublishCall", "call"),
        ("GrantAward", "award"),
    ] {
        let number = of(effect).unwrap();
        let made =
            look.json(&format!("motion show {number}"))["reported"]["motion"]["made"].clone();
        assert_eq!(made[0][0], object, "{effect} {made}");
        holds(
            &look.at(&format!("motion show {number}")),
            &["it made or changed"],
        );
    }
}

/// Neither the call nor the application showed rank and score, and nothing said which review was of
/// which application.
#[test]
fn a_call_shows_its_ranking_and_an_application_its_reviews() {
    let look = Look::new();
    let calls = look.json("call list");
    let ranked = calls["items"].as_array().unwrap().iter().find_map(|item| {
        let number = item["value"]["number"].clone();
        let view = look.json(&format!("call show {number}"))["reported"]["call"].clone();
        let first = view["entries"].as_array()?.first()?.clone();
        (first["rank"] == 1).then_some((number, first))
    });
    let (call, first) = ranked.expect("a call with a ranking");
    holds(
        &look.at(&format!("call show {call}")),
        &["rank", "weight", "least mean", "AP-", "RV-"],
    );
    let application = first["application"].clone();
    let text = look.at(&format!("application show {application}"));
    holds(
        &text,
        &[
            "mean total",
            "rank 1",
            "every threshold is reached",
            "RV-",
            "final",
        ],
    );
    let reviews = first["reviews"].as_array().unwrap();
    assert!(reviews.len() >= 3, "{first}");
    let review = reviews[0]["review"].clone();
    let shown = look.json(&format!("review show {review}"));
    assert_eq!(shown["value"]["application"], application);
}

/// `agreement show` named no milestone and no date.
#[test]
fn an_agreement_shows_its_milestones() {
    let look = Look::new();
    let text = look.at("agreement show 1");
    holds(&text, &["MS-", "final report", "CNY"]);
}

/// The list of what waits: for all, for one organisation, with the command to type.
#[test]
fn tasks_say_what_waits_for_whom_with_the_command() {
    let look = Look::new();
    let all = look.json("tasks --all");
    let all = all["tasks"].as_array().unwrap();
    assert!(!all.is_empty());
    let by_due: Vec<u64> = all
        .iter()
        .filter_map(|task| task["next"]["due"][1].as_u64())
        .collect();
    assert!(by_due.is_sorted(), "{by_due:?}");
    for task in all {
        let who = task["next"]["who"].as_str().unwrap();
        assert!(!who.is_empty() && who != "CLK", "{task}");
    }
    let company = all.iter().find_map(|task| task["companies"][0].as_u64());
    let company = company.expect("a task of a company");
    let own = look.json(&format!("tasks --of {company}"));
    for task in own["tasks"].as_array().unwrap() {
        let of = |name: &str| task[name].as_array().unwrap().contains(&company.into());
        assert!(
            of("companies") || of("of") || task["anybody"] == true,
            "{task}"
        );
    }
    assert!(own["tasks"].as_array().unwrap().len() < all.len());
    holds(&look.at("tasks --all"), &["rollbook ", "next: "]);
    look.0.ends(2, "tasks --of nobody");
}

const CALENDAR: &str = "
import sys, icalendar
from datetime import timedelta
calendar = icalendar.Calendar.from_ical(open(sys.argv[1], 'rb').read())
tasks = {line.split('\\t')[0]: line.rstrip('\\n').split('\\t')[1:] for line in open(sys.argv[2], encoding='utf-8')}
for part in calendar.walk():
    if part.name not in ('VEVENT', 'VTODO'):
        continue
    due, command = tasks.pop(next(key for key in tasks if str(part['UID']).startswith(key + '-')))
    assert command in str(part['DESCRIPTION']), (part['UID'], command)
    if part.name == 'VEVENT':
        start = part.decoded('DTSTART')
        assert int(start.timestamp() * 1000) // 1000 == int(due) // 1000, (start, due)
        alarm = part.subcomponents[0]
        assert alarm.name == 'VALARM' and alarm.decoded('TRIGGER') == timedelta(days=-1)
    else:
        assert due == '', part
    assert not part.errors, part.errors
assert not tasks, tasks
";

const FEED: &str = "
import sys, feedparser
feed = feedparser.parse(sys.argv[1])
assert not feed.bozo, feed.bozo_exception
assert feed.version == 'atom10', feed.version
lines = [line.rstrip('\\n').split('\\t') for line in open(sys.argv[2], encoding='utf-8')]
assert len(feed.entries) == len(lines)
assert len({entry.id for entry in feed.entries}) == len(lines)
for entry, (name, due, command) in zip(feed.entries, lines):
    assert ':' + name + ':' in entry.id, (entry.id, name)
    assert command in entry.summary and entry.title and entry.updated_parsed
";

/// What waits goes into a calendar and into a feed reader: programs that were not written here read every
/// task of the list in the files, with its deadline and its command.
#[test]
fn tasks_go_into_a_calendar_and_a_feed() {
    let look = Look::new();
    let told = look.json("tasks --all");
    let lines: Vec<String> = told["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            let next = &task["next"];
            let due = next["due"][1].as_u64().map(|due| due.to_string());
            format!(
                "{}-{}\t{}\t{}\n",
                next["object"].as_str().unwrap(),
                next["number"],
                due.unwrap_or_default(),
                task["command"].as_str().unwrap_or("")
            )
        })
        .collect();
    let list = look.0.path("list.txt");
    std::fs::write(&list, lines.concat()).unwrap();
    look.at("tasks --all --ics waits.ics");
    look.at("tasks --all --atom waits.atom");
    let (ics, atom) = (look.0.path("waits.ics"), look.0.path("waits.atom"));
    judged("icalendar", CALENDAR, &[&ics, &list]);
    judged("feedparser", FEED, &[&atom, &list]);
    // The same again is the same file; what is there is replaced only if one says so.
    let before = std::fs::read(&ics).unwrap();
    look.at("tasks --all --ics waits.ics --force");
    assert_eq!(std::fs::read(&ics).unwrap(), before);
    assert!(
        !before
            .windows(2)
            .any(|pair| pair[0] != b'\r' && pair[1] == b'\n')
    );
    look.0.ends(2, "tasks --all --ics a --atom b");
}

/// One line for each act, newest last, filtered and paged.
#[test]
fn history_tells_every_act_of_an_object() {
    let look = Look::new();
    let of_payment = look.json("history --object P-1");
    let lines = of_payment["lines"].as_array().unwrap();
    let rules: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["rule"].as_str())
        .collect();
    for rule in ["F16", "F17", "F18", "F20", "F21"] {
        assert!(rules.contains(&rule), "{rule} is missing in {rules:?}");
    }
    let heights: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["height"].as_u64())
        .collect();
    assert!(heights.is_sorted());
    let text = look.at("history --object P-1");
    holds(&text, &["CNY", "P-0001:", "(programme-officer)", "-> "]);
    // A vote of somebody who was recused says so.
    let votes = look.json("history --kind R10 --count 5000");
    let without = votes["lines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["took_effect"] == false);
    assert!(without.is_some_and(|line| !line["effect"].as_str().unwrap().is_empty()));
    // Paged: the page before ends where this one begins.
    let newest = look.json("history --count 3");
    let newest = newest["lines"].as_array().unwrap().clone();
    assert_eq!(newest.len(), 3);
    let before = newest[0]["place"].as_str().unwrap();
    let earlier = look.json(&format!("history --count 2 --before {before}"));
    let five = look.json("history --count 5");
    let joined: Vec<Value> = [earlier["lines"].as_array().unwrap().clone(), newest].concat();
    assert_eq!(&joined, five["lines"].as_array().unwrap());
    let csv = look.at("history --object P-1 --csv");
    holds(&csv, &["place,time,block", "F17"]);
    look.0.ends(2, "history --until yesterday");
}

/// An export is shown as things stood at the end of a day.
#[test]
fn an_export_is_shown_as_of_a_day() {
    let look = Look::new();
    let now = look.json("payment list");
    let first = now["items"][0]["value"].clone();
    assert!(!first.is_null());
    let early = look.json("payment list --on 2023-07-01");
    assert_eq!(early["items"].as_array().unwrap().len(), 0);
    assert!(
        early["from"]
            .as_str()
            .unwrap()
            .contains("how things stood then"),
        "{early}"
    );
    let count = |words: &str| look.json(words)["items"].as_array().unwrap().len();
    assert!(count("motion list --on 2023-08-01") < count("motion list"));
    assert_eq!(
        look.json("motion list --on 2023-08-01")["items"],
        look.json("motion list --known 2023-08-01 --on 2030-01-01")["items"]
    );
    look.0.ends(2, "payment list --on 2023-07-01");
}

/// Without a genesis hash nobody says whose history it is (RULINGS A52).
#[test]
fn an_export_without_a_genesis_hash_is_not_anchored() {
    let desk = Desk::new();
    let file = kept().display().to_string();
    let output = desk.ends(3, &["member", "list", "--from-export", file.as_str()]);
    holds(&all(&output), &["NOT ANCHORED"]);
}

/// `show RECORD` of an export says whether it took effect, and why not.
#[test]
fn a_record_of_an_export_tells_its_effect() {
    let look = Look::new();
    let votes = look.json("history --kind R10 --count 5000");
    let lines = votes["lines"].as_array().unwrap();
    let line = lines
        .iter()
        .find(|line| line["took_effect"] == false)
        .unwrap();
    let record = &line["record"].as_str().unwrap()[..20];
    holds(
        &look.at(&format!("show {record}")),
        &[line["effect"].as_str().unwrap()],
    );
}

/// What is true of `status` at every block of the kept history, each with the lie that it was.
#[derive(Default)]
struct Seen {
    not_before: usize,
    entered: usize,
    sealed: usize,
    ineligible: usize,
    draws: usize,
}

impl Seen {
    fn look(&mut self, tables: &StateTables) {
        let of = |object, number| next::of(tables, object, number, ReadClass::Members).unwrap();
        // "the treasurer, by .. (the delay before release ends)" was the time before which the release
        // is refused.
        for (PaymentId(number), payment) in tables.payments.iter() {
            let next = of(Object::Payment, *number);
            if payment.state == PaymentState::Approved {
                assert_eq!(next.who, "TRE", "{next:?}");
                assert!(
                    next.due.is_none_or(|(what, _)| what != "payout-delay"),
                    "{next:?}"
                );
                self.not_before += usize::from(next.from.is_some());
            }
        }
        // After the treasurer had entered the money the treasurer was still the next.
        for (InstalmentId(number), instalment) in tables.instalments.iter() {
            let next = of(Object::Instalment, *number);
            let entered = tables.receipts.iter().any(|(_, receipt)| {
                receipt.instalment.0 == *number && receipt.confirmed_by.is_none()
            });
            if entered && instalment.status == InstalmentStatus::Called {
                assert_eq!(next.who, "OFF", "{next:?}");
                self.entered += 1;
            }
        }
        for (ApplicationId(number), application) in tables.applications.iter() {
            let next = of(Object::Application, *number);
            match application.status {
                // "by the day on which submissions close; if not: void" frightened every applicant.
                ApplicationStatus::Submitted => {
                    assert!(
                        next.due.is_none_or(|(what, _)| what == "opening-ends"),
                        "{next:?}"
                    );
                    self.sealed += usize::from(next.from.is_some());
                }
                // "next: the board" though nobody had appealed.
                ApplicationStatus::Ineligible => {
                    let who = match application.appeal {
                        Some(Appeal::Possible) => "applicant",
                        Some(Appeal::Filed(_)) => "BRD",
                        _ => "",
                    };
                    assert_eq!(next.who, who, "{next:?}");
                    assert!(
                        next.due.is_none_or(|(what, _)| what.starts_with("appeal")),
                        "{next:?}"
                    );
                    self.ineligible += 1;
                }
                ApplicationStatus::Awarded => {
                    assert!(
                        matches!(next.see.as_slice(), [(Object::Award, _)]),
                        "{next:?}"
                    );
                }
                _ => {}
            }
        }
        // All three were named, whoever of them had acted.
        for (DrawId(number), draw) in tables.draws.iter() {
            let next = of(Object::Draw, *number);
            let acted = draw.slots.iter().any(|slot| slot.commitment.is_some());
            let all_three = next.who == "PO, OFF, seat holder";
            assert!(
                !(acted && all_three) || draw.slots.iter().all(|slot| slot.commitment.is_some())
            );
            self.draws += usize::from(acted && !next.who.is_empty() && !all_three);
        }
    }
}

/// The open objects that a node keeps from block to block are those that a look at everything finds;
/// and what `status` says at every block is true.
#[test]
fn open_objects_and_next_steps_are_right_at_every_block() {
    let (mut open, mut rows, mut seen): (Option<Open>, Vec<Row>, Seen) = Default::default();
    let mut blocks = 0;
    let mut watch = |tables: &StateTables, execution: &Execution| {
        match &mut open {
            Some(open) => {
                open.follow(tables, &rows);
                assert_eq!(*open, Open::of(tables), "block {}", execution.seal.height);
            }
            None => open = Some(Open::of(tables)),
        }
        rows.clone_from(&execution.changes.rows);
        seen.look(tables);
        blocks += 1;
    };
    let audited = rollbook_audit::audit_watched(&kept(), None, &mut watch, &mut |_, _| {}).unwrap();
    assert!(audited.report.is_sound());
    assert!(blocks > 100);
    assert!(
        seen.not_before > 0 && seen.sealed > 0 && seen.entered + seen.draws > 0,
        "{} {} {} {} {}: the history has no such case",
        seen.not_before,
        seen.entered,
        seen.sealed,
        seen.ineligible,
        seen.draws
    );
}

/// The reasons behind a commitment were a file that nothing could check.
#[test]
fn an_opening_is_compared_with_the_ledger() {
    let desk = Desk::new();
    let salt = "11".repeat(32);
    let commitment = rollbook_core::identity::commitment::content(&[0x11; 32], b"out of scope");
    let write = |text: &str| {
        let opening = serde_json::json!({
            "kind": "rollbook-opening", "version": 1, "note": "", "parts": [{
                "scheme": "content", "field": "reason", "commitment": commitment, "salt": salt,
                "text": text,
            }],
        });
        desk.write("reason.opening.json", opening.to_string());
    };
    write("out of scope");
    let output = desk.ends(3, "verify reason.opening.json");
    holds(
        &all(&output),
        &["makes the commitment", "out of scope", "not compared"],
    );
    // A history that does not hold it.
    let (file, genesis) = (kept().display().to_string(), genesis());
    let words = [
        "verify",
        "reason.opening.json",
        "--from-export",
        file.as_str(),
        "--genesis",
        genesis.as_str(),
    ];
    let output = desk.ends(1, &words);
    holds(&all(&output), &["no record of this history"]);
    write("something else");
    let output = desk.ends(1, "verify reason.opening.json");
    holds(&all(&output), &["does NOT make"]);
    assert!(!all(&output).contains("something else"));
}

/// R37: the charter in force beside a preset, the parameters behind one decision, and past decisions
/// judged again: by the charter that they were made under, nothing comes out otherwise.
#[test]
fn charters_are_compared_and_decisions_judged_again() {
    let look = Look::new();
    let told = look.at("charter explain V-1");
    holds(
        &told,
        &[
            "rules.",
            ".quorum",
            "motions.min_elig",
            "K-0001",
            "took part",
        ],
    );
    let explained = look.json("charter explain V-1");
    assert_eq!(
        explained["parameters"].as_array().unwrap().len(),
        6,
        "{explained}"
    );

    let same = look.json("charter replay K-1");
    assert_eq!(same["differ"].as_array().unwrap().len(), 0, "{same}");
    let judged = same["judged"].as_u64().unwrap();
    assert!(judged >= 5, "{same}");
    let other = look.json("charter replay foundation");
    assert_eq!(other["judged"], judged);
    holds(
        &look.at("charter replay foundation"),
        &[&format!("of {judged} decisions")],
    );

    holds(
        &look.at("charter diff K-1 K-1"),
        &["agree in every parameter"],
    );
    let told = look.at("charter diff cn-association");
    holds(&told, &["rules.", "quorum"]);
    let differ = look.json("charter diff K-1 cn-association");
    let differ = differ["differences"].as_array().unwrap();
    assert!(
        differ
            .iter()
            .any(|row| row["parameter"] == "rules.amend-charter.assembly.pass"),
        "{differ:?}"
    );
}
