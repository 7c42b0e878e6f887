//! Asking nodes over HTTP: several addresses, the next one when one does not answer (RULINGS A20). Nothing here trusts an
//! answer; whoever uses it verifies it.

use std::io::{Read, Write};
use std::time::Duration;

use crate::failure::Failure;
use crate::messages::t;

/// Longest answer read into memory, in bytes.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;

/// A list of nodes. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    nodes: Vec<String>,
    agent: ureq::Agent,
}

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
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(Duration::from_secs(20)))
            .build();
        let nodes = nodes.into_iter().map(|node| node.trim_end_matches('/').to_owned()).collect();
        Client { nodes, agent: config.into() }
    }

    /// Base addresses, in order.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The same, asking one node only.
    pub fn only(&self, node: &str) -> Client {
        Client { nodes: vec![node.to_owned()], agent: self.agent.clone() }
    }

    /// GET of bytes; a problem document of a node is a failure: 404 and other refusals with exit code 1.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let mut answer = self.get(path)?;
        let mut bytes = Vec::new();
        let read = answer.body.as_reader().take(ANSWER_MAX).read_to_end(&mut bytes);
        read.map_err(|error| Failure::unreachable(t("client.broken", &[("node", answer.node.clone())])).because(error))?;
        if answer.status < 400 {
            return Ok(bytes);
        }
        match serde_json::from_slice::<serde_json::Value>(&bytes) {
            Ok(problem) => Err(refused(&problem)),
            Err(error) => Err(Failure::unreachable(t("client.no-json", &[("node", answer.node)])).because(error)),
        }
    }

    /// Opens a stream of server-sent events after `last`, or at the path's own beginning.
    pub fn events(&self, path: &str, last: Option<&str>) -> Result<Box<dyn Read>, Failure> {
        let node = self.nodes.first().cloned().unwrap_or_default();
        let mut request = self.agent.get(format!("{node}{path}")).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let failed = |why: String| Failure::unreachable(t("client.unreachable", &[])).because(format!("{node}: {why}"));
        match request.call() {
            Ok(response) if response.status().as_u16() < 400 => Ok(Box::new(response.into_body().into_reader())),
            Ok(response) => Err(failed(response.status().as_u16().to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// GET from the first node that answers anything but "not now".
    pub fn get(&self, path: &str) -> Result<Answer, Failure> {
        let mut told = Vec::new();
        for node in &self.nodes {
            match self.agent.get(format!("{node}{path}")).call() {
                Ok(response) if response.status() == 503 => told.push(format!("{node}: 503")),
                Ok(response) => {
                    let status = response.status().as_u16();
                    return Ok(Answer { node: node.clone(), status, body: response.into_body() });
                }
                Err(error) => told.push(format!("{node}: {error}")),
            }
        }
        Err(Failure::unreachable(t("client.unreachable", &[])).because(told.join("; ")).next(t("client.unreachable-next", &[])))
    }

    /// POST of one record's bytes to the first node that answers anything but "not now": the node's answer as JSON, a problem
    /// document included.
    pub fn post(&self, path: &str, bytes: &[u8]) -> Result<serde_json::Value, Failure> {
        let mut told = Vec::new();
        for node in &self.nodes {
            let sent = self.agent.post(format!("{node}{path}")).content_type("application/octet-stream").send(bytes);
            match sent {
                Ok(response) if response.status() == 503 => told.push(format!("{node}: 503")),
                Ok(mut response) => {
                    let read = response.body_mut().read_json();
                    return read
                        .map_err(|error| Failure::unreachable(t("client.no-json", &[("node", node.clone())])).because(error));
                }
                Err(error) => told.push(format!("{node}: {error}")),
            }
        }
        Err(Failure::unreachable(t("client.unreachable", &[])).because(told.join("; ")).next(t("client.unreachable-next", &[])))
    }

    /// JSON of a path.
    pub fn json(&self, path: &str) -> Result<serde_json::Value, Failure> {
        let bytes = self.bytes(path)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Failure::unreachable(t("client.no-json", &[("node", self.nodes.join(" "))])).because(error))
    }

    /// Streams the body of a path into a writer; the number of bytes.
    pub fn download(&self, path: &str, out: &mut impl Write) -> Result<u64, Failure> {
        let mut answer = self.get(path)?;
        let failed = |error: &dyn std::fmt::Display| {
            Failure::unreachable(t("client.broken", &[("node", answer.node.clone())]))
                .because(error)
                .next(t("client.unreachable-next", &[]))
        };
        if answer.status >= 400 {
            return Err(failed(&answer.status));
        }
        let mut reader = answer.body.as_reader();
        std::io::copy(&mut reader, out).map_err(|error| failed(&error))
    }
}

/// A problem document as a failure.
fn refused(problem: &serde_json::Value) -> Failure {
    let word = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let failure = Failure::refused(word("detail")).because(word("code"));
    if problem["next"].is_string() { failure.next(word("next")) } else { failure }
}
