//! The admin socket: stop, status, clock, backup. A Unix socket in the data folder, mode 0600; one
//! JSON line each way.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rollbook_proof::crypto::Hash;
use rollbook_wire::admin::{ClockTime, Stopping};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::sync::Notify;

use super::backup;
use crate::api::Api;
use crate::clock::{NodeClock, Step};
use crate::failure::Failure;

/// Longest request, in bytes.
const REQUEST_MAX: u64 = 16 * 1024;

/// What an operator asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Stop in order.
    Stop,
    /// The same as the public status.
    Status,
    /// Step the clock of a sample chain.
    Clock(Step),
    /// Take a backup into a new folder.
    Backup {
        /// The folder, on the node's machine.
        to: PathBuf,
    },
}

/// The answer: one of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done.
    Done(serde_json::Value),
    /// Not done.
    Failed {
        /// What happened.
        what: String,
        /// Why.
        why: String,
        /// The next step.
        next: String,
    },
}

/// What the socket works on.
#[derive(Clone)]
pub struct Admin {
    /// The clock.
    pub clock: Arc<NodeClock>,
    /// Asks the process to stop.
    pub stop: Arc<Notify>,
    /// The data folder.
    pub data: PathBuf,
    /// The genesis hash.
    pub genesis: Hash,
    /// The public status.
    pub api: Api,
}

/// Binds the socket; an old one is removed, because the folder's lock is held.
pub fn bind(path: &Path) -> Result<UnixListener, Failure> {
    let _ = std::fs::remove_file(path);
    let next = "use a data folder with a shorter path (a socket's path has at most 107 bytes), or \
                check its permissions";
    let failed =
        |error: std::io::Error| Failure::file("cannot make the admin socket", path, error, next);
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Serves the socket for ever.
pub async fn serve(listener: UnixListener, admin: Admin) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let admin = admin.clone();
        tokio::spawn(async move {
            let (read, mut write) = stream.into_split();
            let mut line = String::new();
            let mut reader = tokio::io::BufReader::new(read.take(REQUEST_MAX));
            if reader.read_line(&mut line).await.is_err() {
                return;
            }
            let reply = match serde_json::from_str::<Request>(&line) {
                Ok(request) => admin.answer(request).await,
                Err(error) => Err(Failure::new(
                    "the request was not understood",
                    error,
                    "use the same release for node and command",
                )),
            };
            let reply = match reply {
                Ok(value) => Reply::Done(value),
                Err(failure) => Reply::Failed {
                    what: failure.what,
                    why: failure.why,
                    next: failure.next,
                },
            };
            let mut bytes = serde_json::to_vec(&reply).unwrap_or_default();
            bytes.push(b'\n');
            let _ = write.write_all(&bytes).await;
        });
    }
}

impl Admin {
    async fn answer(&self, request: Request) -> Result<serde_json::Value, Failure> {
        match request {
            Request::Stop => {
                self.stop.notify_one();
                told(Stopping { stopping: true })
            }
            Request::Status => told(self.api.status().await),
            Request::Clock(step) => {
                let clock = self.clock.clone();
                let now = tokio::task::spawn_blocking(move || clock.step(step)).await;
                let now = now.map_err(|error| {
                    Failure::new("the clock was not stepped", error, "try again")
                })??;
                tracing::info!(now, "the sample clock was stepped");
                told(ClockTime { now_ms: now })
            }
            Request::Backup { to } => {
                let (data, genesis) = (self.data.clone(), self.genesis);
                let list =
                    tokio::task::spawn_blocking(move || backup::backup(&data, genesis, &to)).await;
                let list = list.map_err(|error| {
                    Failure::new("the backup was not made", error, "try again")
                })??;
                told(list)
            }
        }
    }
}

/// An answer as it stands in a reply.
fn told(answer: impl Serialize) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(answer)
        .map_err(|error| Failure::new("the answer was not written", error, "try again"))
}

/// Asks a running node.
pub fn ask<T: DeserializeOwned>(
    socket: &Path,
    request: &Request,
    timeout: Duration,
) -> Result<T, Failure> {
    let next = "start the node (rollbook node run), or run this command as the node's user";
    let failed = |error: std::io::Error| Failure::file("no node answers at", socket, error, next);
    let mut stream = UnixStream::connect(socket).map_err(failed)?;
    stream.set_read_timeout(Some(timeout)).map_err(failed)?;
    let mut bytes = serde_json::to_vec(request).unwrap_or_default();
    bytes.push(b'\n');
    stream.write_all(&bytes).map_err(failed)?;
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .map_err(failed)?;
    let reply = serde_json::from_str::<Reply>(&line).and_then(|reply| match reply {
        Reply::Done(value) => serde_json::from_value(value).map(Ok),
        Reply::Failed { what, why, next } => Ok(Err(Failure { what, why, next })),
    });
    match reply {
        Ok(answer) => answer,
        Err(error) => Err(Failure::file(
            "the node's answer was not understood:",
            socket,
            error,
            "use the same release for both",
        )),
    }
}
