//! Asking nodes over HTTP: several addresses, the next one when one does not answer (RULINGS A20).
//! Nothing here trusts an answer; whoever uses it verifies it.
//!
//! * `https` addresses are checked against the usual roots of the web, or against the certificates
//!   of [`Roots`] alone.
//! * A node that keeps an answer for members is asked again with a pass, if [`Passes`] can make one.
//! * A client of one alliance ([`Client::of_alliance`]) asks every node once whose it is, before anything
//!   else, and uses no answer of a node that says that it is another's.
//! * The clock that a node's answers carry is compared with this machine's ([`Client::ahead_s`]). It
//!   proves nothing: it is a reason to look at a clock.
//! * A node is waited for 5 seconds to connect, 20 to answer and 30 to say all of an answer, which has at
//!   most 16 MiB; one that does not keep to that has not answered, and the next one is asked (RULINGS
//!   A46). A stream or a download may be as long as it likes, but not silent for a minute, nor slower
//!   than a kilobyte a second (`stream`).
//! * A node that is asked too often (429) is asked again twice, after the second that it names.
//! * Absent: other retries at one node, a cache, keys.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rollbook_proof::crypto::Hash;
use rollbook_wire::problem::Problem;
use rollbook_wire::record::Told;
use rollbook_wire::status::Status;
use serde::de::DeserializeOwned;
use ureq::http::HeaderMap;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

use crate::stream::Stream;

/// Longest answer read into memory, in bytes.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;
/// What is said of an answer that is longer.
const TOO_LONG: &str = "the answer has more than 16 MiB";
/// How long an answer may take from its first byte to its last.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// How long a connection that nobody uses is kept: shorter than any node keeps it.
const IDLE: Duration = Duration::from_secs(5);
/// How often a node that is asked too often is asked again, and after how long.
const AGAIN: (u32, Duration) = (2, Duration::from_secs(1));

/// Seconds by which two clocks may differ before it is worth a word.
pub const CLOCK_S: i64 = 60;
/// Codes by which a node says that it takes nothing now: no room.
const NOT_TAKEN: [&str; 5] = [
    "api.busy",
    "api.pool",
    "api.full",
    "api.no-room",
    "api.too-many",
];

/// Any error, as a cause.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A node that was asked and gave no answer.
#[derive(Debug)]
pub struct Silence {
    /// Its base address.
    pub node: String,
    /// A status such as `503`, or what the network said.
    pub why: String,
    /// Whether what was sent may have arrived: the line broke on the way or after it. No connection,
    /// and a node that said that it takes nothing now, are no such case.
    pub may_have_arrived: bool,
}

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.node, self.why)
    }
}

/// `node: why` of each, in the order asked.
fn silent(told: &[Silence]) -> String {
    let told: Vec<String> = told.iter().map(Silence::to_string).collect();
    told.join("; ")
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// None of the nodes answered now.
    #[error("no node answered: {}", silent(.0))]
    Unreachable(Vec<Silence>),
    /// The node gave no stream of events.
    #[error("no events from {0}")]
    NoEvents(Silence),
    /// The node did not say who runs it, which a pass must name.
    #[error("no status from {0}")]
    NoStatus(Silence),
    /// The node refused: 404 and other problem documents.
    #[error("{node} refused: {} ({})", problem.detail, problem.code)]
    Refused {
        /// Its base address.
        node: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        problem: Problem,
    },
    /// The answer broke off.
    #[error("the answer of {node} broke off: {cause}")]
    Broken {
        /// Base address of the node.
        node: String,
        /// What the network said.
        cause: std::io::Error,
    },
    /// A download broke off, at the node or where it was written to.
    #[error("the download from {node} broke off: {cause}")]
    BrokenDownload {
        /// Base address of the node.
        node: String,
        /// What the network or the disk said.
        cause: std::io::Error,
    },
    /// The answer is not the JSON asked for.
    #[error("{node} did not answer with the JSON asked for: {cause}")]
    NotJson {
        /// Base address of the node; several if it is not known which of them spoke.
        node: String,
        /// What the reader of JSON said.
        cause: Cause,
    },
    /// The node is one of another alliance.
    #[error("{node} is a node of alliance {found}, not of {wanted}")]
    AnotherAlliance {
        /// Its base address.
        node: String,
        /// The genesis hash that it says.
        found: String,
        /// The genesis hash of the alliance asked.
        wanted: Hash,
    },
    /// A pass could not be made.
    #[error("no pass for {node}: {cause}")]
    NoPass {
        /// Base address of the node.
        node: String,
        /// What [`Passes::sign`] said.
        cause: Cause,
    },
}

impl Error {
    /// Whether nothing of what was to be sent can have arrived anywhere.
    pub fn is_unsent(&self) -> bool {
        match self {
            Error::Unreachable(told) => told.iter().all(|silence| !silence.may_have_arrived),
            Error::NoStatus(_)
            | Error::NoPass { .. }
            | Error::NoEvents(_)
            | Error::AnotherAlliance { .. } => true,
            Error::Refused { .. }
            | Error::Broken { .. }
            | Error::BrokenDownload { .. }
            | Error::NotJson { .. } => false,
        }
    }

    /// Whether the node said nothing that can be used, so that another one may: all but a refusal
    /// and a pass that could not be made.
    pub fn is_silence(&self) -> bool {
        !matches!(self, Error::Refused { .. } | Error::NoPass { .. })
    }
}

/// Certificates that alone are trusted for `https`.
#[derive(Debug, Clone)]
pub struct Roots(RootCerts);

/// A PEM text that holds no usable certificate; what the reader said, or `PEM` if there is none.
#[derive(Debug, thiserror::Error)]
#[error("no certificate: {0}")]
pub struct NoRoots(pub String);

impl Roots {
    /// The certificates of a PEM text; at least one.
    pub fn from_pem(pem: &[u8]) -> Result<Roots, NoRoots> {
        let certificates: Result<Vec<_>, _> = ureq::tls::parse_pem(pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            })
            .collect();
        let certificates = certificates.map_err(|error| NoRoots(error.to_string()))?;
        if certificates.is_empty() {
            Err(NoRoots("PEM".to_owned()))
        } else {
            Ok(Roots(RootCerts::from(certificates)))
        }
    }
}

/// Who makes passes to read what is for members, and keeps them.
pub trait Passes: Send + Sync {
    /// Whether every question shall carry a pass; else only one that a node refused.
    fn is_asked_for(&self) -> bool;
    /// Whether the person's key is here, so that a pass can be made without being told to.
    fn has_key(&self) -> bool;
    /// The value of the header `Authorization` for a node, if there is a pass that still holds.
    fn header(&self, node: &str) -> Option<String>;
    /// Signs a pass for a node, which says that it is run by `organisation`; the header's value. This
    /// machine's clock is `ahead_s` seconds ahead of the node's, as far as that is known.
    fn sign(&self, node: &str, organisation: u32, ahead_s: i64) -> Result<String, Cause>;
}

/// A list of nodes. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    nodes: Vec<String>,
    agent: ureq::Agent,
    passes: Option<Arc<dyn Passes>>,
    alliance: Option<Hash>,
    heard: Arc<Mutex<BTreeMap<String, Heard>>>,
}

/// What a node's answers say beside what was asked.
#[derive(Debug, Clone, Default)]
struct Heard {
    /// The genesis hash of its alliance, once it was asked.
    alliance: Option<String>,
    /// How many seconds this machine's clock was ahead of its own at its last answer.
    ahead_s: Option<i64>,
}

type Response = ureq::http::Response<ureq::Body>;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
enum Kind<'a> {
    /// Something that comes at once and as a whole.
    Answer,
    /// Something that may take long; events after this one.
    Stream(Option<&'a str>),
}

/// Whether a status says 'not now': no room, or asked too often.
fn is_not_now(status: u16) -> bool {
    matches!(status, 429 | 503)
}

/// An answer and who gave it.
struct Answer {
    node: String,
    status: u16,
    body: ureq::Body,
}

impl Client {
    /// Nodes by their base addresses, such as `http://127.0.0.1:7501`, tried in this order, with
    /// the usual roots of the web.
    pub fn new(nodes: impl IntoIterator<Item = String>) -> Client {
        Client::with_roots(nodes, None)
    }

    /// The same with certificates of its own, if any are given.
    pub fn with_roots(nodes: impl IntoIterator<Item = String>, roots: Option<Roots>) -> Client {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(Duration::from_secs(20)))
            .timeout_recv_body(Some(ANSWER_TIME))
            .max_idle_age(IDLE);
        if let Some(Roots(roots)) = roots {
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        let nodes = nodes
            .into_iter()
            .map(|node| node.trim_end_matches('/').to_owned())
            .collect();
        Client {
            nodes,
            agent: config.build().into(),
            passes: None,
            alliance: None,
            heard: Arc::default(),
        }
    }

    /// The same for nodes of one alliance: those of another are not listened to.
    pub fn of_alliance(self, genesis: Hash) -> Client {
        Client {
            alliance: Some(genesis),
            ..self
        }
    }

    /// By how many seconds this machine's clock was ahead of a node's at its last answer; negative:
    /// behind. None if no answer carried a clock.
    pub fn ahead_s(&self, node: &str) -> Option<i64> {
        self.heard_of(node).ahead_s
    }

    fn heard_of(&self, node: &str) -> Heard {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(node).cloned().unwrap_or_default()
    }

    /// Notes the clock of an answer.
    fn hear(&self, node: &str, headers: &HeaderMap) {
        let date = headers.get("date").and_then(|date| date.to_str().ok());
        let Some(theirs) = date.and_then(seconds_of_date) else {
            return;
        };
        let own = i64::try_from(real_s()).unwrap_or(i64::MAX);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.entry(node.to_owned()).or_default().ahead_s = Some(own.saturating_sub(theirs));
    }

    /// Refuses a node that says that it is of another alliance. One that does not answer, or does not
    /// say it, will show what it is by what it answers.
    fn belongs(&self, node: &str) -> Result<(), Error> {
        let Some(wanted) = self.alliance else {
            return Ok(());
        };
        let found = match self.heard_of(node).alliance {
            Some(found) => found,
            None => {
                let answer = self.agent.get(format!("{node}/v1/status")).call();
                let Ok(mut answer) = answer else {
                    return Ok(());
                };
                self.hear(node, answer.headers());
                let told = answer.body_mut().read_json::<serde_json::Value>();
                let Some(found) = told
                    .ok()
                    .and_then(|told| Some(told["genesis"].as_str()?.to_owned()))
                else {
                    return Ok(());
                };
                let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.entry(node.to_owned()).or_default().alliance = Some(found.clone());
                found
            }
        };
        if found == wanted.to_hex() {
            return Ok(());
        }
        Err(Error::AnotherAlliance {
            node: node.to_owned(),
            found,
            wanted,
        })
    }

    /// The same, showing passes where they are wanted.
    pub fn with_passes(self, passes: Arc<dyn Passes>) -> Client {
        Client {
            passes: Some(passes),
            ..self
        }
    }

    /// Base addresses, in order.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The same, asking one node only.
    pub fn only(&self, node: &str) -> Client {
        Client {
            nodes: vec![node.to_owned()],
            ..self.clone()
        }
    }

    /// GET of bytes. A problem document of a node is [`Error::Refused`].
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Error> {
        let mut answer = self.welcome(path, Kind::Answer)?;
        let mut bytes = Vec::new();
        let broken = |cause| Error::Broken {
            node: answer.node.clone(),
            cause,
        };
        let mut reader = answer.body.as_reader().take(ANSWER_MAX + 1);
        reader.read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 > ANSWER_MAX {
            return Err(broken(std::io::Error::other(TOO_LONG)));
        }
        Ok(bytes)
    }

    /// GET whose problem document is an error.
    fn welcome(&self, path: &str, kind: Kind) -> Result<Answer, Error> {
        let mut answer = self.get(path, kind)?;
        if answer.status < 400 {
            return Ok(answer);
        }
        Err(match answer.body.read_json::<Problem>() {
            Ok(problem) => Error::Refused {
                node: answer.node,
                status: answer.status,
                problem,
            },
            Err(error) => not_json(answer.node, error),
        })
    }

    /// Opens a stream of server-sent events of the first node after `last`, or at the path's own
    /// beginning. A problem document of a node is [`Error::Refused`].
    pub fn events(&self, path: &str, last: Option<&str>) -> Result<Box<dyn Read>, Error> {
        let node = self.nodes.first().cloned().unwrap_or_default();
        let why = match self.ask(&node, path, Kind::Stream(last))? {
            Ok(response) if response.status().as_u16() < 400 => {
                return Ok(Box::new(Stream::events(response.into_body().into_reader())));
            }
            Ok(response) if is_not_now(response.status().as_u16()) => {
                response.status().as_str().to_owned()
            }
            Ok(mut response) => {
                let status = response.status().as_u16();
                match response.body_mut().read_json::<Problem>() {
                    Ok(problem) => {
                        return Err(Error::Refused {
                            node,
                            status,
                            problem,
                        });
                    }
                    Err(_) => status.to_string(),
                }
            }
            Err(error) => error.to_string(),
        };
        Err(Error::NoEvents(Silence {
            node,
            why,
            may_have_arrived: false,
        }))
    }

    /// GET from the first node that answers anything but "not now".
    fn get(&self, path: &str, kind: Kind) -> Result<Answer, Error> {
        let mut told = Vec::new();
        let mut foreign = None;
        for node in &self.nodes {
            let answer = match self.ask(node, path, kind) {
                Err(error @ Error::AnotherAlliance { .. }) => {
                    foreign = foreign.or(Some(error));
                    continue;
                }
                answer => answer?,
            };
            let why = match answer {
                Ok(response) if is_not_now(response.status().as_u16()) => {
                    response.status().as_str().to_owned()
                }
                Ok(response) => {
                    let status = response.status().as_u16();
                    return Ok(Answer {
                        node: node.clone(),
                        status,
                        body: response.into_body(),
                    });
                }
                Err(error) => error.to_string(),
            };
            told.push(Silence {
                node: node.clone(),
                why,
                may_have_arrived: false,
            });
        }
        Err(foreign.unwrap_or(Error::Unreachable(told)))
    }

    /// The pass for a node: one that still holds, or a new one if every question shall carry one.
    fn header(&self, node: &str) -> Result<Option<String>, Error> {
        match &self.passes {
            Some(passes) => match passes.header(node) {
                None if passes.is_asked_for() => self.log_in(&**passes, node).map(Some),
                known => Ok(known),
            },
            None => Ok(None),
        }
    }

    fn log_in(&self, passes: &dyn Passes, node: &str) -> Result<String, Error> {
        self.belongs(node)?;
        let status = self
            .agent
            .get(format!("{node}/v1/status"))
            .call()
            .and_then(|mut answer| {
                self.hear(node, answer.headers());
                answer.body_mut().read_json()
            });
        let status: Status = status.map_err(|error| {
            Error::NoStatus(Silence {
                node: node.to_owned(),
                why: error.to_string(),
                may_have_arrived: false,
            })
        })?;
        // A minute is the network's and both clocks' own.
        let ahead_s = self.ahead_s(node).filter(|ahead| ahead.abs() > CLOCK_S);
        let signed = passes.sign(node, status.organisation.0, ahead_s.unwrap_or(0));
        signed.map_err(|cause| Error::NoPass {
            node: node.to_owned(),
            cause,
        })
    }

    /// GET from one node; again with a new pass if it wants one and there is a key for it. With `last`
    /// it is a stream of events after that one.
    fn ask(
        &self,
        node: &str,
        path: &str,
        kind: Kind,
    ) -> Result<Result<Response, ureq::Error>, Error> {
        self.belongs(node)?;
        let once = |header: Option<&String>| {
            let mut request = self.agent.get(format!("{node}{path}"));
            if let Kind::Stream(Some(last)) = kind {
                request = request.header("last-event-id", last);
            }
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let answer = match kind {
                Kind::Answer => request.call(),
                Kind::Stream(_) => request.config().timeout_recv_body(None).build().call(),
            };
            answer.inspect(|answer| self.hear(node, answer.headers()))
        };
        let get = |header: Option<&String>| {
            let (most, pause) = AGAIN;
            let mut answer = once(header);
            for _ in 0..most {
                if !matches!(&answer, Ok(answer) if answer.status() == 429) {
                    break;
                }
                std::thread::sleep(pause);
                answer = once(header);
            }
            answer
        };
        let header = self.header(node)?;
        let answer = get(header.as_ref());
        match (&answer, &self.passes) {
            (Ok(response), Some(passes)) if response.status() == 401 && passes.has_key() => {
                let again = get(Some(&self.log_in(&**passes, node)?));
                match again {
                    // The key is in force no more, as after a rotation: what is public needs none.
                    Ok(refused) if refused.status() == 401 && !passes.is_asked_for() => {
                        Ok(get(None))
                    }
                    again => Ok(again),
                }
            }
            // A pass of somebody whose company is no member hinders no question that needs none.
            (Ok(response), Some(passes))
                if response.status() == 403 && header.is_some() && !passes.is_asked_for() =>
            {
                Ok(get(None))
            }
            _ => Ok(answer),
        }
    }

    /// Whether a pass for the node could be made without being told to.
    pub fn may_log_in(&self) -> bool {
        self.passes.as_ref().is_some_and(|passes| passes.has_key())
    }

    /// Makes a pass for the first node unless there is one that still holds, if the person's key is
    /// here.
    pub fn be_known(&self) -> Result<(), Error> {
        let node = self.nodes.first().cloned().unwrap_or_default();
        match &self.passes {
            Some(passes) if passes.has_key() && passes.header(&node).is_none() => {
                self.log_in(&**passes, &node).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Makes a pass for the first node, to be used from now on.
    pub fn log_in_now(&self) -> Result<(), Error> {
        let node = self.nodes.first().cloned().unwrap_or_default();
        match &self.passes {
            Some(passes) => self.log_in(&**passes, &node).map(drop),
            None => Ok(()),
        }
    }

    /// POST of one record's bytes to the first node that answers anything but "not now": its answer
    /// or its problem document. The inner error: JSON that is neither.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        bytes: &[u8],
    ) -> Result<serde_json::Result<Told<T>>, Error> {
        let mut told = Vec::new();
        let mut foreign = None;
        for node in &self.nodes {
            // Nothing is handed to strangers.
            if let Err(error) = self.belongs(node) {
                foreign = foreign.or(Some(error));
                continue;
            }
            let post = |header: Option<&String>| {
                let request = self
                    .agent
                    .post(format!("{node}{path}"))
                    .content_type("application/octet-stream");
                match header {
                    Some(header) => request.header("authorization", header).send(bytes),
                    None => request.send(bytes),
                }
            };
            let known = self.passes.as_ref().and_then(|passes| passes.header(node));
            let mut sent = post(known.as_ref());
            // A pass that the node does not take hinders nobody who needs none.
            if known.is_some()
                && matches!(&sent, Ok(response) if matches!(response.status().as_u16(), 401 | 403))
            {
                sent = post(None);
            }
            let (why, may_have_arrived) = match sent {
                Ok(mut response) if is_not_now(response.status().as_u16()) => {
                    let status = response.status().as_u16();
                    let problem = response.body_mut().read_json::<Problem>().ok();
                    let is_not_taken = problem
                        .as_ref()
                        .is_some_and(|problem| NOT_TAKEN.contains(&problem.code.as_str()));
                    let why = match problem {
                        Some(problem) => format!("{status}: {}", problem.detail),
                        None => status.to_string(),
                    };
                    (why, !is_not_taken)
                }
                Ok(mut response) => {
                    let read = response.body_mut().read_json::<serde_json::Value>();
                    let json = read.map_err(|error| not_json(node.clone(), error))?;
                    return Ok(serde_json::from_value(json));
                }
                Err(error) => (error.to_string(), !is_no_connection(&error)),
            };
            told.push(Silence {
                node: node.clone(),
                why,
                may_have_arrived,
            });
        }
        match foreign {
            Some(foreign) if told.iter().all(|silence| !silence.may_have_arrived) => Err(foreign),
            _ => Err(Error::Unreachable(told)),
        }
    }

    /// The answer at a path.
    pub fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let bytes = self.bytes(path)?;
        serde_json::from_slice(&bytes).map_err(|error| not_json(self.nodes.join(" "), error))
    }

    /// Streams the body of a path into a writer; the number of bytes.
    pub fn download(&self, path: &str, out: &mut impl Write) -> Result<u64, Error> {
        let answer = self.welcome(path, Kind::Stream(None))?;
        let mut reader = Stream::download(answer.body.into_reader());
        std::io::copy(&mut reader, out).map_err(|cause| Error::BrokenDownload {
            node: answer.node,
            cause,
        })
    }
}

/// Now by this machine's clock, in seconds since 1970.
pub(crate) fn real_s() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Seconds since 1970 of a date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn seconds_of_date(text: &str) -> Option<i64> {
    let date = httpdate::parse_http_date(text).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// Whether there was no connection, so that nothing was sent.
fn is_no_connection(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::BadUri(_) => true,
        ureq::Error::Timeout(timeout) => {
            matches!(timeout, ureq::Timeout::Resolve | ureq::Timeout::Connect)
        }
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        _ => false,
    }
}

fn not_json(node: String, error: impl Into<Cause>) -> Error {
    Error::NotJson {
        node,
        cause: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http_are_read() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199)),
            ("Mon, 30 Nov 2026 10:00:00 GMT", Some(1_796_032_800)),
            ("yesterday", None),
            ("Mon, 30 Nov 2026 10:00 GMT", None),
            ("Mon, 99 Nov 2026 10:00:00 GMT", None),
            ("Mon, 30 Nov 2026 9223372036854775807:00:00 GMT", None),
        ] {
            assert_eq!(seconds_of_date(text), seconds, "{text}");
        }
    }
}
