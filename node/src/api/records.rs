//! Records: handing in, asking where one stands, its receipt.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine as _;
use rollbook_core::block::BlockBody;
use rollbook_core::record::{Number, Record};
use rollbook_core::refusal::Refusal;
use rollbook_proof::answer::{Answer, SignedAnswer, Verdict};
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::log::TlogProof;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
use rollbook_wire::by_name::ByName;
use rollbook_wire::proof::LeafProof;
use rollbook_wire::record::{self, Place, Stands, Submission, Told};
use serde::Deserialize;
use tokio::sync::oneshot;
use utoipa::IntoParams;

use super::bodies::Whole;
use super::reader::Reader;
use super::serve::Counted;
use super::shares::Whence;
use super::{Api, Problem};
use crate::replica::message::Envelope;
use crate::replica::{NotTaken, PoolRefusal, Refused};
use crate::replica_thread::app::Aside;
use crate::replica_thread::command::{Command, Reply, Submitted};
use crate::store::view::{number_prefix, prefix_of};

/// Records in one request at most.
const AT_ONCE: usize = 500;
/// Records looked at for one beginning of an id.
const SAME_PREFIX: usize = 16;

fn unbase64(text: &str) -> Result<Vec<u8>, Problem> {
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|error| {
            Problem::bad("api.base64", format!("the record is not base64: {error}"))
                .next("send the envelope's bytes in standard base64")
        })
}

/// How an answer is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct HandIn {
    /// Whether a refusal is to be signed, too, so that it can be shown to others; false if not given.
    #[serde(default)]
    signed: bool,
}

/// Hand in one record as bytes, or one or several as JSON. Of several, the first of which no signature
/// verifies is the last that is answered.
#[utoipa::path(
    post,
    path = "/v1/records",
    params(HandIn),
    request_body = Submission,
    responses(
        (
            status = 202,
            description = "Held in memory, not promised: a signed seen receipt, or a list of \
                           answers",
            body = rollbook_wire::schema::Handed
        ),
        (status = 422, description = "Refused by a rule; signed if that was asked for", body = rollbook_wire::problem::Problem, content_type = "application/problem+json")
    )
)]
pub async fn submit(
    State(api): State<Api>,
    counted: Option<Extension<Counted>>,
    asked: Result<Query<HandIn>, QueryRejection>,
    headers: HeaderMap,
    body: Whole,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    let desk = Desk {
        place: Counted::or_here(counted),
        signs: asked.signed,
        api: &api,
    };
    let Whole(body) = body;
    // Reading what is sent costs, too.
    api.limits().may_show(desk.place)?;
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !kind.starts_with("application/json") {
        return desk
            .one(body.to_vec())
            .await
            .map(IntoResponse::into_response);
    }
    let submission = serde_json::from_slice::<Submission>(&body).map_err(|error| {
        desk.unread(Problem::bad("api.json", error.to_string()).next("see /v1/openapi.json"))
    })?;
    match submission {
        Submission {
            record: Some(record),
            records,
        } if records.is_empty() => desk
            .one(desk.bytes(&record)?)
            .await
            .map(IntoResponse::into_response),
        Submission {
            record: None,
            records,
        } if !records.is_empty() && records.len() <= AT_ONCE => {
            let answers = desk.several(&records).await?;
            Ok((StatusCode::ACCEPTED, Json(answers)).into_response())
        }
        _ => Err(Problem::bad(
            "api.json",
            format!("give `record`, or 1 to {AT_ONCE} `records`"),
        )),
    }
}

/// Where records are handed in.
struct Desk<'a> {
    api: &'a Api,
    /// Whom they are counted under.
    place: Whence,
    /// Whether refusals are signed.
    signs: bool,
}

/// What became of a record at the desk.
enum Looked {
    /// A signature verifies: the replica has it.
    Sent(Envelope, oneshot::Receiver<Submitted>),
    /// It is in the log already.
    Decided(Envelope),
    /// It goes no further.
    Refused(Hash, Refusal),
    /// It was not looked at to the end: it cannot be read, or there is no room.
    Failed(Problem),
}

impl Desk<'_> {
    async fn one(&self, bytes: Vec<u8>) -> Result<(StatusCode, Json<SignedAnswer>), Problem> {
        let digest = sha256(&bytes);
        let looked = self.look(bytes)?;
        let answer = self.answer(&digest, looked, self.signs).await?;
        Ok((StatusCode::ACCEPTED, Json(answer)))
    }

    /// All are sent before the first answer is waited for, so that their signatures are verified
    /// together. What nobody stands behind ends the batch: one request is one such record at most. So does
    /// what goes wrong on the way: those before it were taken and are answered.
    async fn several(
        &self,
        records: &[String],
    ) -> Result<Vec<ByName<Told<SignedAnswer>>>, Problem> {
        let mut looked = Vec::with_capacity(records.len());
        for record in records {
            let one = self.bytes(record).and_then(|bytes| {
                let digest = sha256(&bytes);
                self.look(bytes).map(|one| (digest, one))
            });
            let (digest, one) = match one {
                Ok(one) => one,
                // Nothing was taken: this is the answer.
                Err(problem) if looked.is_empty() => return Err(problem),
                Err(problem) => (Hash::ZERO, Looked::Failed(problem)),
            };
            let ends = matches!(one, Looked::Refused(..) | Looked::Failed(_));
            looked.push((digest, one));
            if ends {
                break;
            }
            // A long batch gives way to others.
            tokio::task::yield_now().await;
        }
        let mut answers = Vec::with_capacity(looked.len());
        for (digest, one) in looked {
            let signs = self.signs && !matches!(one, Looked::Refused(..));
            answers.push(ByName(match self.answer(&digest, one, signs).await {
                Ok(signed) => Told::Answer(signed),
                Err(problem) => Told::Problem(problem.0),
            }));
        }
        Ok(answers)
    }

    /// What came cannot be read: it costs what any record costs that nobody stands behind.
    fn unread(&self, problem: Problem) -> Problem {
        self.charge();
        problem
    }

    fn bytes(&self, text: &str) -> Result<Vec<u8>, Problem> {
        unbase64(text).map_err(|problem| self.unread(problem))
    }

    /// Charges for what nobody stands behind. The place had something left ([`Limits::may_show`]): what all
    /// have used up keeps nobody from an answer.
    ///
    /// [`Limits::may_show`]: super::limits::Limits::may_show
    fn charge(&self) {
        let _ = self.api.limits().unproved(self.place);
    }

    /// The cheap checks, in the order of what they cost: form, whether it is decided, chain and expiry, one
    /// signature. Only what passes reaches the replica.
    fn look(&self, bytes: Vec<u8>) -> Result<Looked, Problem> {
        let (api, place) = (self.api, self.place);
        api.limits().may_show(place)?;
        let envelope = match Envelope::decode(bytes) {
            Ok(envelope) => envelope,
            Err(error) => {
                api.limits().unproved(place)?;
                let refusal = Refusal::new("A6.malformed", vec![("why", error.to_string())]);
                return Ok(self.refused(Hash::ZERO, refusal));
            }
        };
        // Everybody can read old records and hand them in again.
        if is_decided(api, &envelope.id())? {
            self.charge();
            return Ok(Looked::Decided(envelope));
        }
        let record = envelope.record();
        let now = LedgerTime(api.parts().clock.now_ms());
        let judged = match self.form(record, now) {
            Some(refusal) => Err(refusal),
            None => api.parts().keyring.first_of(record, now),
        };
        let seen = match judged {
            Ok(seen) => seen,
            Err(refusal) => {
                api.limits().unproved(place)?;
                return Ok(self.refused(envelope.id(), refusal));
            }
        };
        let busy = || {
            Problem::unavailable("api.busy", "the node has more to do than it can take")
                .next("try again, or try another node")
        };
        let share = api.limits().submit(seen.home).ok_or_else(busy)?;
        let (to, answer) = oneshot::channel();
        let command = Command::Submit {
            envelope: Box::new(envelope.clone()),
            seen,
            reply: Reply::holding(to, share),
        };
        if api.parts().commands.try_send(command) {
            Ok(Looked::Sent(envelope, answer))
        } else {
            Err(busy())
        }
    }

    fn refused(&self, record: Hash, refusal: Refusal) -> Looked {
        self.api.limits().refused();
        Looked::Refused(record, refusal)
    }

    /// What may be told of a record before a signature has verified: chain and expiry.
    fn form(&self, record: &Record, now: LedgerTime) -> Option<Refusal> {
        let (payload, this) = (&record.payload, self.api.chain());
        if payload.chain != this {
            let facts = vec![("chain", payload.chain.to_hex()), ("this", this.to_hex())];
            return Some(Refusal::new("A6.other-chain", facts));
        }
        (payload.valid_until_ms < now).then(|| {
            let facts = vec![
                ("valid_until", payload.valid_until_ms.0.to_string()),
                ("now", now.0.to_string()),
            ];
            Refusal::new("A6.expired", facts)
        })
    }

    async fn answer(
        &self,
        bytes: &Hash,
        looked: Looked,
        signs: bool,
    ) -> Result<SignedAnswer, Problem> {
        let api = self.api;
        let height = || api.parts().snapshot.borrow().status.tip;
        let signed = |record: Hash, height: Height, verdict: Verdict| {
            let answer = Answer {
                chain: api.chain(),
                bytes: *bytes,
                record,
                height,
                time_ms: LedgerTime(api.parts().clock.now_ms()),
                node: OrganisationId(api.parts().organisation.0),
                verdict,
            };
            SignedAnswer::sign(answer, &api.parts().log_key)
        };
        let refuse = |record: Hash, refusal: Refusal, height: Height| {
            let (problem, facts) = told(&refusal, height);
            // What is no record has no answer that could be shown to others.
            if !signs || record == Hash::ZERO {
                return problem;
            }
            let rule = refusal.code.to_owned();
            problem.with_receipt(signed(record, height, Verdict::Refused { rule, facts }))
        };
        let (envelope, reply) = match looked {
            Looked::Refused(record, refusal) => return Err(refuse(record, refusal, height())),
            Looked::Decided(envelope) => {
                return Ok(signed(envelope.id(), height(), Verdict::Seen));
            }
            Looked::Failed(problem) => return Err(problem),
            Looked::Sent(envelope, reply) => (envelope, reply),
        };
        let stopped = || {
            Problem::unavailable("api.stopping", "the node is stopping").next("try another node")
        };
        let taken = reply.await.map_err(|_| stopped())?;
        let (record, id) = (envelope.record(), envelope.id());
        match taken {
            // Handing the same record in again is harmless.
            Ok(()) | Err(NotTaken::Pool(PoolRefusal::Known | PoolRefusal::Decided)) => {
                Ok(signed(id, height(), Verdict::Seen))
            }
            // It was decided while it was looked at.
            Err(NotTaken::Rule(_)) if find(api, &id)?.is_some() => {
                Ok(signed(id, height(), Verdict::Seen))
            }
            Err(NotTaken::Pool(PoolRefusal::NumberTaken(other))) => {
                let refusal = number_taken(&record.payload.number(), &other, Stands::Pool, None);
                Err(refuse(id, refusal, height()))
            }
            Err(NotTaken::Pool(full)) => Err(Problem::unavailable("api.pool", full.to_string())),
            Err(NotTaken::Rule(Refused { refusal, height })) => {
                // One good signature is no leave to have all others verified for nothing.
                if is_unproved(refusal.code) {
                    self.charge();
                }
                let refusal = named(api, refusal, &record.payload.number(), &id)?;
                Err(refuse(id, refusal, height))
            }
        }
    }
}

/// Whether a refusal says that somebody's signature, number or authority is not what the record says:
/// nobody but the first signer stands behind it.
fn is_unproved(rule: &str) -> bool {
    ["A6.", "A21.", "N24."]
        .iter()
        .any(|of| rule.starts_with(of))
        || rule == "R16.not-self-signed"
}

/// A refusal as it is answered, and its facts by name: this is the order under the signature.
fn told(refusal: &Refusal, height: Height) -> (Problem, Vec<(String, String)>) {
    let facts: BTreeMap<&str, &String> = refusal
        .facts
        .iter()
        .map(|(name, value)| (*name, value))
        .collect();
    let facts: Vec<(String, String)> = facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let words: Vec<String> = facts
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let rule = refusal.code;
    let detail = format!(
        "refused by rule {} on block {}: {}",
        rule,
        height,
        words.join(", ")
    );
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, rule, detail);
    if let Some(next) = next_step(rule) {
        problem = problem.next(next);
    }
    (problem, facts)
}

/// `A6.number-taken`: another record of the person holds the number (RULINGS A59).
pub(super) fn number_taken(
    (officer, _, sequence): &Number,
    other: &Hash,
    stands: Stands,
    height: Option<Height>,
) -> Refusal {
    let mut facts = vec![
        ("officer", officer.0.to_string()),
        ("sequence", sequence.to_string()),
        ("record", other.to_hex()),
        ("stands", stands.word().to_owned()),
    ];
    facts.extend(height.map(|height| ("height", height.0.to_string())));
    Refusal::new("A6.number-taken", facts)
}

/// A refusal for a number that was used: with the other record, if it is in the log.
pub(super) fn named(
    api: &Api,
    refusal: Refusal,
    number: &Number,
    id: &Hash,
) -> Result<Refusal, Problem> {
    if refusal.code != "A6.replayed" {
        return Ok(refusal);
    }
    let view = &api.parts().view;
    let Some((height, index)) = view.store.record(&number_prefix(number))? else {
        return Ok(refusal);
    };
    let body = view.store.block(height)?;
    let body = body.and_then(|block| decode::<BlockBody>(&block.body).ok());
    let holder = body.and_then(|body| body.records.into_iter().nth(index as usize));
    // An index is checked on reading.
    let holder = holder.filter(|record| record.payload.number() == *number);
    let other = holder.map(|record| record.id()).filter(|other| other != id);
    Ok(match other {
        Some(other) => number_taken(number, &other, Stands::Decided, Some(height)),
        None => refusal,
    })
}

/// What whoever made a refused envelope can do. The rules of the domain say it in their facts.
fn next_step(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "A2.not-founded" => {
            "hand it in again when every founder's record is in the log: see `founders_missing` \
             in /v1/status"
        }
        "A4.unknown-organisation" => {
            "check the number; an organisation is registered before it acts"
        }
        "A6.bad-signature" => "sign the tagged payload with the officer's registered key",
        "A6.expired" => "make the act again with a later `valid_until`, at most 30 days ahead",
        "A6.malformed" => {
            "send the canonical bytes of one envelope of at most 32 KiB: see docs/formats.md"
        }
        "A6.other-chain" => {
            "make the act again with this alliance's genesis hash: see `genesis` in /v1/status"
        }
        "A6.number-taken" | "A6.replayed" => {
            "make the act again with the next sequence: see /v1/persons/{person}/sequence"
        }
        "A6.role-missing" | "A6.too-few-officers" => {
            "let another officer sign the same payload, then hand it in again"
        }
        "A6.role-not-held" => "let an officer sign who holds this role",
        "A6.unknown-key" | "A6.unknown-officer" => {
            "register the officer and the key first, or let a registered officer sign"
        }
        "N24.key-not-in-force" | "N24.person-not-in-force" => {
            "sign with a key that is in force, or let another officer sign"
        }
        "A6.valid-too-long" => "make the act again with a `valid_until` at most 30 days ahead",
        _ => return None,
    })
}

/// A whole record id, or the beginning of one that is decided here and the only one so.
fn parse(api: &Api, text: &str) -> Result<Hash, Problem> {
    if let Some(id) = Hash::from_hex(text) {
        return Ok(id);
    }
    let bad = || {
        Problem::bad(
            "api.record-id",
            "a record id has 64 hexadecimal digits; 16 or more of the first are enough if unique",
        )
    };
    let whole = text.len() / 2;
    let prefix = text
        .get(..2 * whole)
        .and_then(|text| hex::decode(text).ok())
        .filter(|_| (16..64).contains(&text.len()));
    let prefix = prefix.ok_or_else(bad)?;
    let view = &api.parts().view;
    let mut found: Vec<Hash> = Vec::new();
    for (height, index) in view
        .store
        .records_from(prefix.get(..16).unwrap_or(&prefix), SAME_PREFIX)?
    {
        let Some(block) = view.store.block(height)? else {
            continue;
        };
        let Ok(body) = decode::<BlockBody>(&block.body) else {
            continue;
        };
        let id = body.records.get(index as usize).map(Record::id);
        found.extend(id.filter(|id| id.to_hex().starts_with(&text.to_lowercase())));
    }
    match found.as_slice() {
        [id] => Ok(*id),
        [] => Err(
            Problem::missing(format!("no record here has an id that begins with {text}"))
                .next("give the whole id"),
        ),
        _ => Err(
            Problem::bad("api.ambiguous", format!("several ids begin with {text}"))
                .next("give more digits"),
        ),
    }
}

/// The same for who asks: who is kept out finds nothing by the beginning of its name.
fn named_by(api: &Api, reader: Reader, text: &str) -> Result<Hash, Problem> {
    if Hash::from_hex(text).is_none() {
        reader.must_be_in(api)?;
    }
    parse(api, text)
}

struct Found {
    height: Height,
    index: u32,
    leaf: u64,
    /// Index of the effect leaf of the record's class.
    effect: u64,
    time_ms: LedgerTime,
    record: Record,
}

fn find(api: &Api, id: &Hash) -> Result<Option<Found>, Problem> {
    let view = &api.parts().view;
    let Some((height, index)) = view.store.record(&prefix_of(id))? else {
        return Ok(None);
    };
    let Some(block) = view.store.block(height)? else {
        return Ok(None);
    };
    let Ok(body) = decode::<BlockBody>(&block.body) else {
        return Ok(None);
    };
    // An index is checked on reading.
    let Some(record) = body
        .records
        .get(index as usize)
        .filter(|record| record.id() == *id)
    else {
        return Ok(None);
    };
    let Some(seal) = view.seal(height)? else {
        return Ok(None);
    };
    // Effect leaves and the seal follow the records: a handover, whose policy would, holds none.
    let classes = body.read_classes();
    let after = body.records.len() as u64 + classes.len() as u64;
    let first = seal.leaf_index().saturating_sub(after);
    let class = record.payload.body.read_class();
    let before = classes.iter().take_while(|other| **other != class).count();
    let leaf = first.saturating_add(u64::from(index));
    let effect = first.saturating_add((body.records.len() + before) as u64);
    Ok(Some(Found {
        effect,
        height,
        index,
        leaf,
        time_ms: seal.time_ms,
        record: record.clone(),
    }))
}

/// Whether a record is in the log: everybody can read it there and show it again.
pub(super) fn is_decided(api: &Api, id: &Hash) -> Result<bool, Problem> {
    let known = api.parts().view.store.record(&prefix_of(id))?;
    Ok(known.is_some() && find(api, id)?.is_some())
}

/// A decided record by the hexadecimal form of its id.
pub(super) fn decided(api: &Api, id: &str) -> Result<Option<Record>, Problem> {
    Ok(find(api, &parse(api, id)?)?.map(|found| found.record))
}

/// Where a record stands: in the pool, decided, or receipted; or that it left the pool, and why.
#[utoipa::path(
    get,
    path = "/v1/records/{id}",
    params(("id" = String, Path, description = "Record id, or 16 or more of its first digits")),
    responses(
        (status = 200, description = "Where it stands", body = Place),
        (status = 404, description = "Not known here", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn place(
    State(api): State<Api>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<Place>, Problem> {
    // Who is kept out reads no content.
    let is_out = reader.is_out(&api);
    let id = named_by(&api, reader, &id)?;
    let sample = api.is_sample();
    if let Some(found) = find(&api, &id)? {
        let receipted = api
            .parts()
            .view
            .receipt()
            .is_some_and(|receipt| receipt.height >= found.height);
        let shown = !is_out && reader.may_read(found.record.payload.body.read_class());
        return Ok(Json(Place {
            id: id.to_hex(),
            stands: if receipted {
                Stands::Receipted
            } else {
                Stands::Decided
            },
            height: Some(found.height),
            index: Some(found.index),
            leaf: Some(found.leaf),
            time_ms: Some(found.time_ms),
            code: shown.then(|| found.record.payload.body.code().to_owned()),
            read_class: Some(found.record.payload.body.read_class()),
            record: shown.then(|| {
                base64::engine::general_purpose::STANDARD
                    .encode(rollbook_proof::codec::encode(&found.record))
            }),
            content: shown.then_some(ByName(found.record)),
            aside: None,
            sample,
        }));
    }
    let waits = api
        .parts()
        .waiting
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .of(&id);
    if let Some(aside) = waits {
        let left = aside.as_ref().is_some_and(|aside| aside.left);
        return Ok(Json(Place {
            id: id.to_hex(),
            stands: if left { Stands::Left } else { Stands::Pool },
            height: None,
            index: None,
            leaf: None,
            time_ms: None,
            code: None,
            read_class: None,
            record: None,
            content: None,
            aside: aside
                .map(|aside| shown_aside(&api, reader, aside, &id))
                .transpose()?,
            sample,
        }));
    }
    Err(Problem::missing(format!("record {id} is not known here"))
        .next("hand it in again (the same bytes are harmless), or ask another node"))
}

/// Why a record does not apply, for who asks: the facts are for whoever may read the record.
fn shown_aside(
    api: &Api,
    reader: Reader,
    aside: Aside,
    id: &Hash,
) -> Result<record::Aside, Problem> {
    let Refused { refusal, height } = aside.refused;
    let refusal = named(api, refusal, &aside.number, id)?;
    let facts = if reader.may_read(aside.number.1) && !reader.is_out(api) {
        refusal.facts
    } else {
        Vec::new()
    };
    Ok(record::Aside {
        rule: refusal.code.to_owned(),
        facts: facts
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        height,
    })
}

/// The receipt of a record: a `.tlog-proof` under the newest checkpoint with a quorum of
/// cosignatures.
#[utoipa::path(
    get,
    path = "/v1/records/{id}/proof",
    params(("id" = String, Path, description = "Record id, or 16 or more of its first digits")),
    responses(
        (status = 200, description = "C2SP tlog-proof", content_type = "text/plain"),
        (status = 404, description = "Not decided here", body = rollbook_wire::problem::Problem),
        (status = 503, description = "Not receipted yet", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn proof(
    State(api): State<Api>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<String, Problem> {
    let found = known(&api, &named_by(&api, reader, &id)?)?;
    prove(&api, found.height, found.leaf).await
}

/// The leaf that says whether a record took effect, with its receipt (RULINGS A35). That of members'
/// records is for who may read them.
#[utoipa::path(
    get,
    path = "/v1/records/{id}/effect",
    params(("id" = String, Path, description = "Record id, or 16 or more of its first digits")),
    responses(
        (status = 200, description = "The effect leaf, proved", body = LeafProof),
        (
            status = 401,
            description = "The record is for members: log in",
            body = rollbook_wire::problem::Problem
        ),
        (status = 404, description = "Not decided here", body = rollbook_wire::problem::Problem),
        (status = 503, description = "Not receipted yet", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn effect(
    State(api): State<Api>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<LeafProof>, Problem> {
    // The leaf says what came of other records, too.
    reader.must_be_in(&api)?;
    let found = known(&api, &parse(&api, &id)?)?;
    reader.must_read_all([&found.record].into_iter(), "the effect of this record")?;
    let proof = prove(&api, found.height, found.effect).await?;
    let view = &api.parts().view;
    let seal = view.seal(found.height)?;
    let leaves = view.leaves(found.height)?;
    let leaf = seal.zip(leaves).and_then(|(seal, leaves)| {
        let place = found.effect.checked_sub(seal.first_leaf)?;
        leaves.into_iter().nth(usize::try_from(place).ok()?)
    });
    let leaf = leaf.ok_or_else(|| Problem::internal("the effect leaf is not in the store"))?;
    Ok(Json(LeafProof {
        leaf: hex::encode(leaf.clear),
        proof,
    }))
}

/// A decided record.
fn known(api: &Api, id: &Hash) -> Result<Found, Problem> {
    find(api, id)?.ok_or_else(|| {
        Problem::missing(format!("record {id} is not decided here")).next("see /v1/records/ID")
    })
}

/// A `.tlog-proof` of a leaf of block `height`.
pub(super) async fn prove(api: &Api, height: Height, leaf: u64) -> Result<String, Problem> {
    let receipt = api.receipt_for(height).await?;
    let note = api.note(&receipt)?;
    let proof = TlogProof::make(&api.parts().view, leaf, note).map_err(Problem::internal)?;
    proof.render().map_err(Problem::internal)
}
