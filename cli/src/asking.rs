//! The client of `rollbook-client` made from flags and profile, and its errors in the reader's
//! words.
//!
//! `--ca FILE` (or the profile's) alone is trusted for `https`, if it is given. Passes are made by
//! [`crate::login`].

use std::sync::Arc;

use rollbook_client::client::{Client, Error, Roots, Silence};
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::flags::{Asking, Connection, Global};
use crate::login::Login;
use crate::profile::{Profile, genesis};

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

/// The address of a node as it is asked: with its scheme. On this machine `127.0.0.1:7500` means
/// plain HTTP; elsewhere nobody guesses whether a connection is to be read by others.
pub fn address(given: &str) -> Result<String, Failure> {
    if given.starts_with("http://") || given.starts_with("https://") {
        return Ok(given.to_owned());
    }
    let host = given.rsplit_once(':').map_or(given, |(host, _)| host);
    if !given.contains("://") && matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
        return Ok(format!("http://{given}"));
    }
    Err(
        Failure::unusable(t("setup.bad-node", &[("given", given.to_owned())]))
            .next(t("setup.bad-node-next", &[])),
    )
}

/// The certificates of a PEM file.
fn roots(file: &std::path::Path) -> Result<Roots, Failure> {
    let bytes = crate::files::read(file)?;
    Roots::from_pem(&bytes).map_err(|error| {
        let facts = [("file", file.display().to_string())];
        Failure::unusable(t("client.no-ca", &facts))
            .because(error.0)
            .next(t("client.no-ca-next", &[]))
    })
}

/// The nodes of `--node`, else of the profile, with its certificates, as nodes of the profile's
/// alliance: what another's nodes answer is not listened to. `next` is what to do when there are none.
pub fn client(flags: &Asking, profile: Option<&Profile>, next: &str) -> Result<Client, Failure> {
    let nodes: Vec<String> = nodes(flags, profile)
        .iter()
        .map(|node| address(node))
        .collect::<Result<_, _>>()?;
    if nodes.is_empty() {
        return Err(Failure::unusable(t("act.no-node", &[])).next(t(next, &[])));
    }
    let file = flags
        .ca
        .as_ref()
        .or(profile.and_then(|profile| profile.ca.as_ref()));
    let roots = file.map(|file| roots(file)).transpose()?;
    let client = Client::with_roots(nodes, roots);
    Ok(match profile.and_then(Profile::genesis_hash) {
        Some(genesis) => client.of_alliance(genesis),
        None => client,
    })
}

/// The same for a command that may ask for what is for members: logs in as `--reader` or the
/// profile's person.
pub fn reading(
    global: &Global,
    flags: &Connection,
    profile: Option<&Profile>,
) -> Result<Client, Failure> {
    let client = client(&flags.asking, profile, "trust.no-profile-next")?;
    let client = match genesis(flags.genesis.as_deref(), profile)? {
        Some(genesis) => client.of_alliance(genesis),
        None => client,
    };
    Ok(match Login::of(global, flags, profile)? {
        Some(login) => client.with_passes(Arc::new(login)),
        None => client,
    })
}

/// `node: why` of each, in the order asked.
pub fn silent(told: &[Silence]) -> String {
    let told: Vec<String> = told.iter().map(Silence::to_string).collect();
    told.join("; ")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let unreachable = || Failure::unreachable(t("client.unreachable", &[]));
        let next = || t("client.unreachable-next", &[]);
        match error {
            Error::Unreachable(told) => unreachable().because(silent(&told)).next(next()),
            Error::NoEvents(told) | Error::NoStatus(told) => unreachable().because(told),
            Error::Refused { problem, .. } => {
                let failure = Failure::refused(problem.detail)
                    .coded(&problem.code)
                    .because(problem.code);
                match problem.next {
                    Some(next) => failure.next(next),
                    None => failure,
                }
            }
            Error::Broken { node, cause } => {
                Failure::unreachable(t("client.broken", &[("node", node)])).because(cause)
            }
            Error::BrokenDownload { node, cause } => {
                Failure::unreachable(t("client.broken", &[("node", node)]))
                    .because(cause)
                    .next(next())
            }
            Error::NotJson { node, cause } => {
                Failure::unreachable(t("client.no-json", &[("node", node)])).because(cause)
            }
            Error::AnotherAlliance {
                node,
                found,
                wanted,
            } => {
                let facts = [
                    ("node", node),
                    ("found", found),
                    ("wanted", wanted.to_hex()),
                ];
                Failure::refused(t("client.another-alliance", &facts))
                    .because(t("client.another-alliance-why", &facts))
                    .next(t("client.another-alliance-next", &facts))
            }
            // The pass is made by this program, which has its own words for why it cannot be.
            Error::NoPass { cause, .. } => match cause.downcast::<Failure>() {
                Ok(failure) => *failure,
                Err(cause) => Failure::unusable(cause.to_string()),
            },
            // A later version's.
            other => unreachable().because(other),
        }
    }
}
