//! What waits, as files for other programs: iCalendar (RFC 5545) for calendars, Atom (RFC 4287) for
//! feed readers.
//!
//! * A task with a deadline is an event at that instant, with an alarm one day before; one without is a
//!   to-do. The same task has the same UID in every file, so a program that reads the file anew changes its
//!   entry and makes no second one; SEQUENCE is the height at which the ledger was read.
//! * A feed's entry is a task in a state: when the state changes, the entry is a new one.
//! * The files hold what the command shows and nothing else. They are their owner's alone, as tasks of
//!   members may stand in them. No address is in them, secret or not: whoever wants them fresh runs
//!   the command again.
//!
//! Absent: reading of such files.

use atom_syndication::{Entry as FeedEntry, Feed, FixedDateTime, Person, Text};
use chrono::{DateTime, Duration, Utc};
use icalendar::{Alarm, Calendar, Component, Event, EventLike, Property, Todo};
use rollbook_proof::number::LedgerTime;
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;

/// One thing that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Names the object, the same for as long as it is there: `payment-7`.
    pub object: String,
    /// The word of its state.
    pub state: String,
    /// What waits, as a sentence.
    pub title: String,
    /// For whom, and the command to type: a line each.
    pub details: Vec<String>,
    /// Until when.
    pub due: Option<LedgerTime>,
}

/// What all that waits was read from.
#[derive(Debug, Clone)]
pub struct Read {
    /// Names the chain and whose tasks they are: what makes names of a file's entries its own.
    pub name: String,
    /// Height of the ledger.
    pub height: u64,
    /// Its time.
    pub time: LedgerTime,
}

fn utc(at: LedgerTime) -> DateTime<Utc> {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The file of a calendar.
pub fn calendar(read: &Read, tasks: &[Waiting]) -> String {
    let mut calendar = Calendar::new();
    calendar.name(&t("tasks.feed-title", &[]));
    let stamp = utc(read.time);
    let sequence = u32::try_from(read.height).unwrap_or(u32::MAX);
    for task in tasks {
        let uid = format!("{}-{}@rollbook", task.object, read.name);
        let details = task.details.join("\n");
        match task.due {
            Some(due) => {
                // With a name and a time of its own, or the library draws them: the same list is the same
                // file.
                let mut alarm = Alarm::display(&task.title, -Duration::days(1));
                alarm.uid(&format!("alarm-{uid}")).timestamp(stamp);
                let mut event = Event::new();
                event
                    .uid(&uid)
                    .timestamp(stamp)
                    .sequence(sequence)
                    .summary(&task.title)
                    .description(&details)
                    .starts(utc(due))
                    .alarm(alarm.done());
                // It takes no time of whoever is waited for.
                event.append_property(Property::new("TRANSP", "TRANSPARENT"));
                calendar.push(event.done());
            }
            None => {
                let mut todo = Todo::new();
                todo.uid(&uid)
                    .timestamp(stamp)
                    .sequence(sequence)
                    .summary(&task.title)
                    .description(&details);
                calendar.push(todo.done());
            }
        }
    }
    calendar.done().to_string()
}

/// The file of a feed.
pub fn feed(read: &Read, tasks: &[Waiting]) -> String {
    let updated = FixedDateTime::from(utc(read.time));
    let author = Person {
        name: "rollbook".to_owned(),
        ..Person::default()
    };
    let entries = tasks.iter().map(|task| {
        let mut details = task.details.clone();
        details.extend(
            task.due
                .map(|due| t("tasks.feed-due", &[("time", time(due))])),
        );
        FeedEntry {
            id: format!("urn:rollbook:{}:{}:{}", read.name, task.object, task.state),
            title: Text::plain(task.title.clone()),
            updated,
            summary: Some(Text::plain(details.join("\n"))),
            ..FeedEntry::default()
        }
    });
    let feed = Feed {
        id: format!("urn:rollbook:{}:tasks", read.name),
        title: Text::plain(t("tasks.feed-title", &[])),
        updated,
        authors: vec![author],
        entries: entries.collect(),
        ..Feed::default()
    };
    feed.to_string()
}
