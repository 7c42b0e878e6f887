//! The event stream: every leaf of every block in log order, as server-sent events.
//!
//! The id of an event is `height:index`, index being the leaf's place in its block; a client that
//! reconnects with the last id it has seen misses nothing and gets nothing twice. Everything comes
//! from the store, so a stream may begin at any height. The content of records for members goes to
//! readers who logged in; their stream ends with their pass. Streams are few in all and for one place,
//! and each holds little.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use rollbook_core::record::Record;
use rollbook_proof::chain::{Effects, Leaf, LeafTag, RecordLeaf, Seal};
use rollbook_proof::codec::decode;
use rollbook_proof::number::Height;
use rollbook_wire::by_name::ByName;
use rollbook_wire::event::{
    EffectLeaf, EventLeaf, PolicyLeaf, RawLeaf, RecordLeaf as EventRecord, SealLeaf, UnreadLeaf,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use utoipa::IntoParams;

use super::reader::Reader;
use super::serve::Counted;
use super::shares::Whence;
use super::{Api, Problem};
use crate::clock;

/// Events that wait to be taken by one reader.
const WAITING: usize = 8;
/// How long a stranger's stream waits when its place has used up what it has.
const PAUSE: Duration = Duration::from_millis(200);
/// Bytes of events that are made at once for one reader.
const PART: usize = 128 * 1024;

/// Where a stream begins.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// First height; the next block if neither this nor Last-Event-ID is given.
    from: Option<u64>,
}

/// Every leaf as it becomes final, with resume by Last-Event-ID.
#[utoipa::path(
    get,
    path = "/v1/events",
    params(Begin),
    responses(
        (
            status = 200,
            description = "Server-sent events: record, event, policy, seal",
            content_type = "text/event-stream"
        ),
        (status = 400, description = "The id is not height:index", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn events(
    State(api): State<Api>,
    counted: Option<Extension<Counted>>,
    reader: Reader,
    headers: HeaderMap,
    query: Result<Query<Begin>, axum::extract::rejection::QueryRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let Query(begin) = query.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    let bad = || {
        Problem::bad(
            "api.event-id",
            "Last-Event-ID is height:index, as the stream gave it",
        )
    };
    let start = match headers.get("last-event-id") {
        Some(value) => {
            let (height, index) = value
                .to_str()
                .ok()
                .and_then(|text| text.split_once(':'))
                .ok_or_else(bad)?;
            let (height, index): (u64, u64) = (
                height.parse().map_err(|_| bad())?,
                index.parse().map_err(|_| bad())?,
            );
            (height, index.checked_add(1).ok_or_else(bad)?)
        }
        None => (begin.from.unwrap_or(api.parts().view.height().next().0), 0),
    };
    let from = Counted::or_here(counted);
    let place = api.limits().stream(reader == Reader::Anybody, from)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let heights = api.parts().view.heights();
    tokio::spawn(feed(api, from, heights, start, reader, sender));
    let stream = futures::stream::unfold((receiver, place), |(mut receiver, place)| async move {
        Some((Ok(receiver.recv().await?), (receiver, place)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

async fn feed(
    api: Api,
    from: Whence,
    mut heights: watch::Receiver<Height>,
    start: (u64, u64),
    reader: Reader,
    sender: mpsc::Sender<Event>,
) {
    let end = async move {
        match reader {
            Reader::Anybody => std::future::pending().await,
            Reader::Member { until_ms, .. } | Reader::Observer { until_ms, .. } => {
                tokio::time::sleep(Duration::from_millis(
                    until_ms.0.saturating_sub(clock::real_ms()),
                ))
                .await;
            }
        }
    };
    tokio::pin!(end);
    let (mut height, mut index) = start;
    loop {
        let ready = tokio::select! {
            ready = heights.wait_for(|newest| *newest >= Height(height)) => ready.is_ok(),
            () = sender.closed() => false,
            () = &mut end => false,
        };
        if !ready {
            return;
        }
        // A large block is read again for each part: what strangers have read is charged, and a stream that
        // has used up what its place has goes on when there is something again.
        let is_stranger = reader == Reader::Anybody;
        while is_stranger && !api.limits().may_read(from) {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = sender.closed() => return,
            }
        }
        let reading = api.parts().view.clone();
        let part = tokio::task::spawn_blocking(move || {
            let leaves = reading.leaves(Height(height)).ok()??;
            let bytes: usize = leaves.iter().map(|leaf| leaf.clear.len()).sum();
            Some((part(Height(height), index, &leaves, reader), bytes))
        });
        // A block that cannot be read ends the stream.
        let Ok(Some(((events, next), bytes))) = part.await else {
            return;
        };
        if is_stranger {
            api.limits().work(from, bytes as u64);
        }
        for event in events {
            if sender.send(event).await.is_err() {
                return;
            }
        }
        (height, index) = match next {
            Some(index) => (height, index),
            None => (height.saturating_add(1), 0),
        };
    }
}

/// Events of a block from a place on, as many as one stream holds at once; and where it goes on, if that
/// was not the end. A large block is read again for each part: memory is dearer than that.
fn part(height: Height, from: u64, leaves: &[Leaf], reader: Reader) -> (Vec<Event>, Option<u64>) {
    let (mut events, mut bytes) = (Vec::new(), 0usize);
    for (place, leaf) in (0u64..).zip(leaves).skip_while(|(place, _)| *place < from) {
        if bytes >= PART {
            return (events, Some(place));
        }
        let (kind, data) = describe(height, place, leaf, reader);
        bytes = bytes.saturating_add(data.len());
        let id = format!("{height}:{place}");
        events.push(Event::default().id(id).event(kind).data(data));
    }
    (events, None)
}

fn describe(height: Height, index: u64, leaf: &Leaf, reader: Reader) -> (&'static str, String) {
    let hidden = !reader.may_read(leaf.class);
    let leaf = &*reader.sees(leaf);
    let raw = || RawLeaf {
        height,
        index,
        leaf: hex::encode(leaf),
    };
    if hidden {
        return ("members", data(&raw()));
    }
    if let Some(record) = RecordLeaf::split(leaf) {
        return match decode::<Record>(record.record) {
            Ok(record) => ("record", data(&told(height, index, record))),
            Err(_) => ("record", data(&UnreadLeaf { height })),
        };
    }
    match LeafTag::split(leaf) {
        Some((LeafTag::Seal, bytes)) => {
            let seal = decode::<Seal>(bytes).ok();
            let leaf = SealLeaf {
                height,
                id: seal.as_ref().map(Seal::id),
                index,
                seal: seal.map(ByName),
            };
            ("seal", data(&leaf))
        }
        Some((LeafTag::Event, bytes)) => {
            let event = decode::<rollbook_core::event::Event>(bytes).ok();
            let leaf = EventLeaf {
                event: serde_json::to_value(event).unwrap_or_default(),
                height,
                index,
            };
            ("event", data(&leaf))
        }
        Some((LeafTag::Effect, _)) => {
            let leaf = EffectLeaf {
                effects: Effects::read(leaf).ok().map(ByName),
                height,
                index,
            };
            ("effect", data(&leaf))
        }
        Some((LeafTag::Genesis, _)) => ("genesis", data(&raw())),
        Some((LeafTag::Evidence | LeafTag::Record | LeafTag::Commitment, _)) => {
            ("evidence", data(&raw()))
        }
        None => {
            let leaf = PolicyLeaf {
                height,
                index,
                policy: String::from_utf8_lossy(leaf).into_owned(),
            };
            ("policy", data(&leaf))
        }
    }
}

fn told(height: Height, index: u64, record: Record) -> EventRecord {
    let body = &record.payload.body;
    EventRecord {
        code: body.code().to_owned(),
        height,
        id: record.id(),
        index,
        principal: record.payload.principal,
        read_class: body.read_class(),
        record: Some(ByName(record)),
    }
}

fn data(leaf: &impl Serialize) -> String {
    serde_json::to_string(leaf).unwrap_or_default()
}
