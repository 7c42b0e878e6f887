//! Asking nodes over HTTP: several addresses, the next one when one does not answer (RULINGS A20).
//! Nothing here trusts an answer; whoever uses it verifies it.
//!
//! `https` addresses are checked against the usual roots of the web, or against the certificates of
//! `--ca FILE` (or the profile's) alone. A node that keeps an answer for members is asked again
//! with a pass, if one can be made ([`crate::login`]).

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rollbook_wire::problem::Problem;
use rollbook_wire::record::Told;
use rollbook_wire::status::Status;
use rollbook_words::catalogue::t;
use serde::de::DeserializeOwned;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

use crate::failure::Failure;
use crate::flags::{Asking, Connection, Global};
use crate::login::Login;
use crate::profile::Profile;

/// Longest answer read into memory, in bytes.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;

/// Nodes given with `--node`, else the profile's.
fn nodes(flags: &Asking, profile: Option<&Profile>) -> Vec<String> {
    if flags.node.is_empty() {
        profile
            .map(|profile| profile.nodes.clone())
            .unwrap_or_default()
    } else {
        flags.node.clone()
    }
}

/// The certificates of a PEM file.
fn roots(file: &std::path::Path) -> Result<RootCerts, Failure> {
    let bytes = crate::files::read(file)?;
    let certificates: Result<Vec<_>, _> = ureq::tls::parse_pem(&bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
        .collect();
    let none = |why: String| {
        let facts = [("file", file.display().to_string())];
        Failure::unusable(t("client.no-ca", &facts))
            .because(why)
            .next(t("client.no-ca-next", &[]))
    };
    let certificates = certificates.map_err(|error| none(error.to_string()))?;
    if certificates.is_empty() {
        Err(none("PEM".to_owned()))
    } else {
        Ok(RootCerts::from(certificates))
    }
}

/// A list of nodes. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    nodes: Vec<String>,
    agent: ureq::Agent,
    login: Option<Arc<Login>>,
}

type Response = ureq::http::Response<ureq::Body>;

/// An answer and who gave it.
pub struct Answer {
    /// Base address of the node.
    pub node: String,
    /// HTTP status.
    pub status: u16,
    body: ureq::Body,
}

impl Client {
    /// Nodes by their base addresses, such as `http://127.0.0.1:7501`, tried in this order.
    pub fn new(nodes: impl IntoIterator<Item = String>) -> Client {
        Client::with(nodes, None, None)
    }

    fn with(
        nodes: impl IntoIterator<Item = String>,
        roots: Option<RootCerts>,
        login: Option<Login>,
    ) -> Client {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(Duration::from_secs(20)));
        if let Some(roots) = roots {
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        let nodes = nodes
            .into_iter()
            .map(|node| node.trim_end_matches('/').to_owned())
            .collect();
        Client {
            nodes,
            agent: config.build().into(),
            login: login.map(Arc::new),
        }
    }

    /// The nodes of `--node`, else of the profile, with its certificates; `next` is what to do when
    /// there are none.
    pub fn of(flags: &Asking, profile: Option<&Profile>, next: &str) -> Result<Client, Failure> {
        let nodes = nodes(flags, profile);
        if nodes.is_empty() {
            return Err(Failure::unusable(t("act.no-node", &[])).next(t(next, &[])));
        }
        let file = flags
            .ca
            .as_ref()
            .or(profile.and_then(|profile| profile.ca.as_ref()));
        let roots = file.map(|file| roots(file)).transpose()?;
        Ok(Client::with(nodes, roots, None))
    }

    /// The same for a command that may ask for what is for members: logs in as `--reader` or the
    /// profile's person.
    pub fn reading(
        global: &Global,
        flags: &Connection,
        profile: Option<&Profile>,
    ) -> Result<Client, Failure> {
        let client = Client::of(&flags.asking, profile, "trust.no-profile-next")?;
        let login = Login::of(global, flags, profile)?;
        Ok(Client {
            login: login.map(Arc::new),
            ..client
        })
    }

    /// Base addresses, in order.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The same, asking one node only.
    pub fn only(&self, node: &str) -> Client {
        Client {
            nodes: vec![node.to_owned()],
            agent: self.agent.clone(),
            login: self.login.clone(),
        }
    }

    /// GET of bytes; a problem document of a node is a failure: 404 and other refusals with exit
    /// code 1.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let mut answer = self.welcome(path)?;
        let mut bytes = Vec::new();
        let read = answer
            .body
            .as_reader()
            .take(ANSWER_MAX)
            .read_to_end(&mut bytes);
        read.map_err(|error| {
            Failure::unreachable(t("client.broken", &[("node", answer.node.clone())]))
                .because(error)
        })?;
        Ok(bytes)
    }

    /// GET whose problem document is a failure.
    fn welcome(&self, path: &str) -> Result<Answer, Failure> {
        let mut answer = self.get(path)?;
        if answer.status < 400 {
            return Ok(answer);
        }
        match answer.body.read_json::<Problem>() {
            Ok(problem) => Err(refused(problem)),
            Err(error) => Err(
                Failure::unreachable(t("client.no-json", &[("node", answer.node)])).because(error),
            ),
        }
    }

    /// Opens a stream of server-sent events after `last`, or at the path's own beginning.
    pub fn events(&self, path: &str, last: Option<&str>) -> Result<Box<dyn Read>, Failure> {
        let node = self.nodes.first().cloned().unwrap_or_default();
        let mut request = self
            .agent
            .get(format!("{node}{path}"))
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        if let Some(header) = self.header(&node)? {
            request = request.header("authorization", header);
        }
        let failed = |why: String| {
            Failure::unreachable(t("client.unreachable", &[])).because(format!("{node}: {why}"))
        };
        match request.call() {
            Ok(response) if response.status().as_u16() < 400 => {
                Ok(Box::new(response.into_body().into_reader()))
            }
            Ok(response) => Err(failed(response.status().as_u16().to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// GET from the first node that answers anything but "not now".
    pub fn get(&self, path: &str) -> Result<Answer, Failure> {
        let mut told = Vec::new();
        for node in &self.nodes {
            match self.ask(node, path)? {
                Ok(response) if response.status() == 503 => told.push(format!("{node}: 503")),
                Ok(response) => {
                    let status = response.status().as_u16();
                    return Ok(Answer {
                        node: node.clone(),
                        status,
                        body: response.into_body(),
                    });
                }
                Err(error) => told.push(format!("{node}: {error}")),
            }
        }
        Err(Failure::unreachable(t("client.unreachable", &[]))
            .because(told.join("; "))
            .next(t("client.unreachable-next", &[])))
    }

    /// The pass for a node: one that still holds, or a new one if `--reader` asks for it.
    fn header(&self, node: &str) -> Result<Option<String>, Failure> {
        match &self.login {
            Some(login) => match login.header(node) {
                None if login.is_asked_for() => self.log_in(login, node).map(Some),
                known => Ok(known),
            },
            None => Ok(None),
        }
    }

    fn log_in(&self, login: &Login, node: &str) -> Result<String, Failure> {
        let status = self
            .agent
            .get(format!("{node}/v1/status"))
            .call()
            .and_then(|mut answer| answer.body_mut().read_json());
        let status: Status = status.map_err(|error| {
            Failure::unreachable(t("client.unreachable", &[])).because(format!("{node}: {error}"))
        })?;
        login.sign(node, status.organisation.0)
    }

    /// GET from one node; again with a new pass if it wants one and there is a key for it.
    fn ask(&self, node: &str, path: &str) -> Result<Result<Response, ureq::Error>, Failure> {
        let get = |header: Option<&String>| {
            let request = self.agent.get(format!("{node}{path}"));
            match header {
                Some(header) => request.header("authorization", header).call(),
                None => request.call(),
            }
        };
        let header = self.header(node)?;
        let answer = get(header.as_ref());
        match (&answer, &self.login) {
            (Ok(response), Some(login)) if response.status() == 401 && login.has_key() => {
                Ok(get(Some(&self.log_in(login, node)?)))
            }
            _ => Ok(answer),
        }
    }

    /// Whether a pass for the node could be made without being told to.
    pub fn may_log_in(&self) -> bool {
        self.login.as_ref().is_some_and(|login| login.has_key())
    }

    /// Makes a pass for the first node, to be used from now on.
    pub fn log_in_now(&self) -> Result<(), Failure> {
        let node = self.nodes.first().cloned().unwrap_or_default();
        match &self.login {
            Some(login) => self.log_in(login, &node).map(drop),
            None => Ok(()),
        }
    }

    /// POST of one record's bytes to the first node that answers anything but "not now": its answer
    /// or its problem document. The inner error: JSON that is neither.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        bytes: &[u8],
    ) -> Result<serde_json::Result<Told<T>>, Failure> {
        let mut told = Vec::new();
        for node in &self.nodes {
            let sent = self
                .agent
                .post(format!("{node}{path}"))
                .content_type("application/octet-stream")
                .send(bytes);
            match sent {
                Ok(response) if response.status() == 503 => told.push(format!("{node}: 503")),
                Ok(mut response) => {
                    let read = response.body_mut().read_json::<serde_json::Value>();
                    let json = read.map_err(|error| {
                        Failure::unreachable(t("client.no-json", &[("node", node.clone())]))
                            .because(error)
                    })?;
                    return Ok(serde_json::from_value(json));
                }
                Err(error) => told.push(format!("{node}: {error}")),
            }
        }
        Err(Failure::unreachable(t("client.unreachable", &[]))
            .because(told.join("; "))
            .next(t("client.unreachable-next", &[])))
    }

    /// The answer at a path.
    pub fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let bytes = self.bytes(path)?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Failure::unreachable(t("client.no-json", &[("node", self.nodes.join(" "))]))
                .because(error)
        })
    }

    /// Streams the body of a path into a writer; the number of bytes.
    pub fn download(&self, path: &str, out: &mut impl Write) -> Result<u64, Failure> {
        let mut answer = self.welcome(path)?;
        let failed = |error: &dyn std::fmt::Display| {
            Failure::unreachable(t("client.broken", &[("node", answer.node.clone())]))
                .because(error)
                .next(t("client.unreachable-next", &[]))
        };
        let mut reader = answer.body.as_reader();
        std::io::copy(&mut reader, out).map_err(|error| failed(&error))
    }
}

/// A problem document as a failure.
fn refused(problem: Problem) -> Failure {
    let failure = Failure::refused(problem.detail).because(problem.code);
    match problem.next {
        Some(next) => failure.next(next),
        None => failure,
    }
}
