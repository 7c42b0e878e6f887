//! `rollbook follow`: every leaf as a node says it becomes final, one line each (server-sent
//! events).
//!
//! Told by the node, and so marked: `show` proves what matters. The stream resumes after the last
//! leaf seen, at the next node if one breaks off, so nothing is missed and nothing comes twice. Where
//! it begins is settled once, before the first stream: at what was asked for, else after the newest
//! block of the first node that answers. Ctrl-C ends it with exit code 0.

use std::io::{BufRead, BufReader, Read as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use rollbook_client::client::Client;
use rollbook_proof::chain::Effects;
use rollbook_wire::by_name::ByName;
use rollbook_wire::event::{EffectLeaf, EventLeaf, PolicyLeaf, RawLeaf, RecordLeaf, SealLeaf};
use rollbook_wire::status::Status;
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure::{Failure, UNREACHABLE};
use crate::flags::{Connection, Global};
use crate::output::{is_lost, print, say};
use crate::profile::in_use;
use crate::{asking, objects};

/// Longest event, in bytes: a record of 32 KiB in words and twice in hexadecimal has less.
const LINE_MAX: u64 = 1024 * 1024;
/// Pause before the nodes are tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long no node may answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// `follow`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Follow {
    #[command(flatten)]
    connection: Connection,
    /// The height to begin at.
    #[arg(long, value_name = "HEIGHT", conflicts_with = "after")]
    from: Option<u64>,
    /// The leaf after which to begin.
    #[arg(long, value_name = "HEIGHT:INDEX")]
    after: Option<String>,
    /// How many leaves are shown at most.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

/// Runs `follow`.
pub fn run(global: &Global, flags: &Follow) -> Result<u8, Failure> {
    if let Some(after) = &flags.after {
        is_place(after)?;
    }
    let profile = in_use(global)?;
    let client = asking::reading(global, &flags.connection, profile.as_ref())?;
    let mut left = flags.count;
    let json = global.json;
    let last = Arc::new(Mutex::new(flags.after.clone()));
    end_on_interrupt(Arc::clone(&last));
    let from = match (flags.from, &flags.after) {
        (Some(height), _) => height,
        // Whatever node goes on, it goes on after this leaf.
        (None, Some(_)) => 0,
        (None, None) => next_height(&client)?,
    };
    let path = format!("/v1/events?from={from}");
    let mut heard = Instant::now();
    let mut told = String::new();
    while left != Some(0) {
        for node in client.nodes() {
            let after = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let stream = match client.only(node).events(&path, after.as_deref()) {
                Ok(stream) => stream,
                // What one node refuses every node refuses; only one that is away may come back.
                Err(error) if !error.is_silence() => return Err(error.into()),
                Err(error) => {
                    let failure = Failure::from(error);
                    if failure.exit != UNREACHABLE && client.nodes().len() == 1 {
                        return Err(failure);
                    }
                    told = failure.why.unwrap_or(failure.what);
                    continue;
                }
            };
            say(t("follow.as-told", &[("node", node.clone())]));
            let mut reader = Events(BufReader::new(stream));
            while left != Some(0)
                && let Some(event) = reader.next()
            {
                heard = Instant::now();
                line(&event, json);
                if is_lost() {
                    return Ok(0);
                }
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.id);
                left = left.map(|left| left - 1);
            }
            if left == Some(0) {
                return Ok(0);
            }
            told = t("follow.broken", &[("node", node.clone())]);
            say(&told);
        }
        if heard.elapsed() > PATIENCE {
            let next = t("client.unreachable-next", &[]);
            return Err(Failure::unreachable(t("client.unreachable", &[]))
                .because(told)
                .next(next));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(0)
}

/// Refuses what is no `HEIGHT:INDEX`.
fn is_place(text: &str) -> Result<(), Failure> {
    let number = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits && part.parse::<u64>().is_ok()
    };
    match text.split_once(':') {
        Some((height, index)) if number(height) && number(index) => Ok(()),
        _ => {
            let facts = [("text", text.to_owned())];
            Err(Failure::unusable(t("follow.bad-after", &facts))
                .next(t("follow.bad-after-next", &facts)))
        }
    }
}

/// The height after the newest one of the first node that answers; waits for one that does.
fn next_height(client: &Client) -> Result<u64, Failure> {
    let begun = Instant::now();
    loop {
        match client.json::<Status>("/v1/status") {
            Ok(status) => return Ok(status.height.next().0),
            Err(error) => {
                let failure = Failure::from(error);
                if failure.exit != UNREACHABLE || begun.elapsed() > PATIENCE {
                    return Err(failure);
                }
            }
        }
        std::thread::sleep(PAUSE);
    }
}

/// Ctrl-C says where to go on and ends the program.
fn end_on_interrupt(last: Arc<Mutex<Option<String>>>) {
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return;
        };
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            match last
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .as_deref()
            {
                Some(id) => say(t("follow.ended", &[("id", id.to_owned())])),
                None => say(t("follow.ended-empty", &[])),
            }
            std::process::exit(0);
        }
    });
}

/// One server-sent event.
struct Event {
    id: String,
    kind: String,
    data: Value,
}

/// Events of a stream, until it breaks off or says something that is none.
struct Events<R>(R);

impl<R: BufRead> Iterator for Events<R> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let (mut id, mut kind, mut data) = (String::new(), String::new(), String::new());
        loop {
            let mut line = String::new();
            // A line without end is no event, however long it goes on.
            let most = LINE_MAX.saturating_sub(data.len() as u64);
            let read = (&mut self.0).take(most).read_line(&mut line).ok()?;
            if read == 0 || !line.ends_with('\n') {
                return None;
            }
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                if data.is_empty() {
                    continue;
                }
                return Some(Event {
                    id,
                    kind,
                    data: serde_json::from_str(&data).ok()?,
                });
            }
            match line.split_once(':') {
                Some(("id", value)) => id = value.trim_start().to_owned(),
                Some(("event", value)) => kind = value.trim_start().to_owned(),
                Some(("data", value)) => data.push_str(value.strip_prefix(' ').unwrap_or(value)),
                // Comments keep the connection alive.
                _ => {}
            }
        }
    }
}

fn line(event: &Event, json: bool) {
    let data = &event.data;
    if json {
        return print(json!({ "id": event.id, "event": event.kind, "data": data }).to_string());
    }
    let words = match event.kind.as_str() {
        "record" => leaf(data).map(|leaf: RecordLeaf| {
            let act = leaf.record.map(|ByName(record)| {
                words(&serde_json::to_value(&record.payload.body).unwrap_or_default())
            });
            let act = act.unwrap_or_default();
            format!(
                "{:<8} {}  {act}  {}",
                leaf.code,
                objects::short(&format!("organisation/{}", leaf.principal.0)),
                leaf.id
            )
        }),
        "seal" => leaf(data).map(|leaf: SealLeaf| {
            let time = leaf.seal.map(|seal| time(seal.0.time_ms));
            let id = leaf.id.map(|id| id.to_hex());
            format!("{}  {}", time.unwrap_or_default(), id.unwrap_or_default())
        }),
        "event" => leaf(data).map(|leaf: EventLeaf| leaf.event.to_string()),
        "effect" => leaf(data).map(|leaf: EffectLeaf| effects(leaf.effects.map(|told| told.0))),
        "members" => Some(t("follow.for-members", &[])),
        "policy" => leaf(data)
            .map(|leaf: PolicyLeaf| leaf.policy.lines().next().unwrap_or_default().to_owned()),
        _ => leaf(data).map(|leaf: RawLeaf| leaf.leaf.chars().take(64).collect()),
    }
    .unwrap_or_default();
    print(format!("{:<8} {:<8} {words}", event.id, event.kind));
}

/// How many records of a block had no effect.
fn effects(told: Option<Effects>) -> String {
    let Some(told) = told else {
        return String::new();
    };
    let facts = [
        ("records", told.records.to_string()),
        ("without", told.without.len().to_string()),
    ];
    t("follow.effects", &facts)
}

/// What an event holds, if it is what its name says.
fn leaf<T: DeserializeOwned>(data: &Value) -> Option<T> {
    T::deserialize(data).ok()
}

/// Family and variant of an act: `Membership.Screen`.
fn words(act: &Value) -> String {
    let first = |value: &Value| match value {
        Value::Object(map) => map
            .iter()
            .next()
            .map(|(name, inner)| (name.clone(), inner.clone())),
        Value::String(name) => Some((name.clone(), Value::Null)),
        _ => None,
    };
    let Some((family, inner)) = first(act) else {
        return String::new();
    };
    first(&inner).map_or(family.clone(), |(variant, _)| format!("{family}.{variant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_and_comments_are_not() {
        let stream = ": hello\n\nid: 3:0\nevent: seal\ndata: {\"height\":\ndata: 3}\n\n: alive\n\n\
             id: 3:1\r\nevent: x\r\ndata: 1\r\n\r\nid: 4:0\ndata: {";
        let events: Vec<Event> = Events(stream.as_bytes()).collect();
        assert_eq!(events.len(), 2, "a cut event is none");
        assert_eq!(
            (events[0].id.as_str(), events[0].kind.as_str()),
            ("3:0", "seal")
        );
        assert_eq!(events[0].data["height"], 3);
        assert_eq!(events[1].id, "3:1");
    }
}
