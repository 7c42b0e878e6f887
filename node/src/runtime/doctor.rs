//! What a doctor says about a node: what is wrong, since when, who is missing, and the next safe
//! step (RULINGS R21).
//!
//! A running node is asked through its admin socket; a stopped one is looked at on disk. Nothing is
//! changed.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rollbook_core::object::node::NodeStatus;
use rollbook_wire::status::Status;
use serde::Serialize;

use super::{admin, machine, open};
use crate::clock::{behind_the_chain, real_ms};
use crate::config::{Config, NodeSecrets};
use crate::failure::Failure;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `good`, `note` or `trouble`.
    pub weight: &'static str,
    /// What was found.
    pub what: String,
    /// What to do, if anything.
    pub next: Option<String>,
}

pub(super) fn good(what: impl Into<String>) -> Finding {
    Finding {
        weight: "good",
        what: what.into(),
        next: None,
    }
}

pub(super) fn note(what: impl Into<String>, next: impl Into<String>) -> Finding {
    Finding {
        weight: "note",
        what: what.into(),
        next: Some(next.into()),
    }
}

pub(super) fn trouble(what: impl Into<String>, next: impl Into<String>) -> Finding {
    Finding {
        weight: "trouble",
        what: what.into(),
        next: Some(next.into()),
    }
}

fn failed(failure: Failure) -> Finding {
    trouble(format!("{}: {}", failure.what, failure.why), failure.next)
}

/// Examines the node of a config file.
pub fn examine(config_path: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let config = match Config::read(config_path, true) {
        Ok(config) => config,
        Err(failure) => return vec![failed(failure)],
    };
    findings.push(good("the config can be read"));
    let genesis = match config.read_genesis() {
        Ok(file) => {
            findings.push(good(format!(
                "the genesis file is complete: {}",
                file.genesis.hash()
            )));
            Some(file)
        }
        Err(failure) => {
            findings.push(failed(failure));
            None
        }
    };
    let secrets = match NodeSecrets::read(&config.keys) {
        Ok(secrets) => Some(secrets),
        Err(failure) => {
            findings.push(failed(failure));
            None
        }
    };
    machine::examine(&config, real_ms(), &mut findings);
    match admin::ask(
        &config.admin_socket(),
        &admin::Request::Status,
        Duration::from_secs(5),
    ) {
        Ok(status) => {
            running(&status, &mut findings);
            return findings;
        }
        Err(_) if UnixStream::connect(config.admin_socket()).is_ok() => {
            findings.push(trouble(
                "the node's process is there and does not answer",
                "wait a minute; if it stays so, end that process and start the node again: nothing that \
                 was acknowledged is lost",
            ));
            return findings;
        }
        Err(_) => findings.push(note(
            "the node does not run",
            "start it with 'rollbook node run'",
        )),
    }
    for (what, at) in [("listen", config.listen), ("api", config.api)] {
        match std::net::TcpListener::bind(at) {
            Ok(_) => findings.push(good(format!("`{what}` {at} is free"))),
            Err(error) => findings.push(trouble(
                format!("`{what}` {at} cannot be used: {error}"),
                format!(
                    "stop the program that has it, or set another `{what}` in {}",
                    config_path.display()
                ),
            )),
        }
    }
    let Some(file) = genesis else { return findings };
    match open::look(&config, &Arc::new(file.genesis)) {
        Ok(Some(looked)) => stopped(&config, secrets, &looked, &mut findings),
        Ok(None) if config.store().exists() => findings.push(trouble(
            "the journal is gone, and the store beside it is there",
            "if it was moved, put it back; else let this node start again from its peers (rollbook \
             node restore)",
        )),
        Ok(None) => findings.push(note("there is no journal yet", "the first start makes it")),
        Err(failure) => findings.push(failed(failure)),
    }
    findings
}

/// The node takes a seat over with a handover that has not come yet (RULINGS A53).
fn keys_wait() -> Finding {
    note(
        "this node's keys get the seat of its organisation with a handover; until then it follows, and \
         the keys before sign",
        "let the node with the old keys run until then; 'rollbook validators simulate' says which \
         handover that is",
    )
}

/// Findings from the folder of a stopped node.
fn stopped(
    config: &Config,
    secrets: Option<NodeSecrets>,
    looked: &open::Looked,
    findings: &mut Vec<Finding>,
) {
    findings.extend(
        looked
            .notes
            .iter()
            .map(|text| note(text.clone(), "nothing is to be done")),
    );
    let Some(ledger) = &looked.ledger else {
        findings.push(good(format!(
            "the journal is whole to block {}",
            looked.tip
        )));
        return;
    };
    findings.push(if ledger.height() == looked.tip {
        good(format!(
            "journal and store agree at block {}",
            ledger.height()
        ))
    } else {
        good(format!(
            "the journal is whole to block {}; the next start applies what the store lacks from block {}",
            looked.tip,
            ledger.height().next()
        ))
    });
    if let Some(text) = behind_the_chain(ledger, real_ms()) {
        findings.push(trouble(
            text,
            "set the machine's time right (NTP) before the node starts",
        ));
    }
    match (ledger.tables().nodes.get(&config.organisation), secrets) {
        (None, _) => findings.push(note(
            format!(
                "organisation {} has no node in the ledger",
                config.organisation.0
            ),
            "register its keys, or let it follow without voting",
        )),
        (Some(node), Some(secrets)) => {
            let own = secrets.consensus.public();
            let coming = node
                .coming
                .filter(|keys| keys.consensus == own && keys.signs_anew(node));
            if coming.is_some() {
                findings.push(keys_wait());
            }
            let now = (node.consensus, node.cosigner, node.log, node.signing().0);
            let (consensus, cosigner, log, transport) = coming.map_or(now, |keys| {
                (keys.consensus, keys.cosigner, keys.log, node.transport)
            });
            let all = [
                ("consensus", consensus, own),
                ("cosigner", cosigner, secrets.cosigner.public()),
                ("log", log, secrets.log.public()),
                ("transport", transport, secrets.transport.public()),
            ];
            let unknown: Vec<String> = all
                .iter()
                .filter(|(_, registered, own)| registered != own)
                .map(|(kind, ..)| (*kind).to_owned())
                .collect();
            unknown_keys(&unknown, findings);
        }
        (Some(_), None) => {}
    }
}

/// A key that the ledger does not know makes a node useless without a word: votes, cosignatures or
/// answers that nobody counts.
fn unknown_keys(kinds: &[String], findings: &mut Vec<Finding>) {
    if kinds.is_empty() {
        return;
    }
    findings.push(trouble(
        format!(
            "the ledger knows other keys for this node: {}",
            kinds.join(", ")
        ),
        "put the registered key files back, or register the new ones with 'rollbook node update'; if \
         the node has moved to another machine, stop this one",
    ));
}

/// Seconds that a height may be under way, or a record wait, before something is wrong. Longer than
/// the timeouts of two rounds.
const SLOW_S: u64 = 20;
/// Blocks that receipts may be behind.
const RECEIPTS_BEHIND: u64 = 16;

/// Whether blocks come, and whom they wait for (RULINGS A43).
fn progress(status: &Status, findings: &mut Vec<Finding>) {
    let next = status.height.next();
    let restored = status.restored.iter();
    let waiting: Vec<_> = restored.filter(|one| one.votes_from > next).collect();
    for one in &waiting {
        let (who, from) = (one.organisation, one.votes_from);
        findings.push(note(
            format!(
                "the node of organisation {who} was restored and votes again from block {from} on"
            ),
            format!("do not restore another node before block {from}"),
        ));
    }
    // One that is away is not among those that are counted as here.
    let here = waiting.iter().filter(|one| {
        let mut peers = status.peers.iter();
        peers.any(|peer| peer.organisation == one.organisation && peer.connected)
    });
    // This node's own wait stands in no other place of its status.
    let own = usize::from(status.validator && !status.votes);
    let voting = status
        .validators_connected
        .saturating_sub(here.count() + own);
    if status.validators_connected >= status.quorum && voting < status.quorum {
        findings.push(trouble(
            format!(
                "nobody can go on: {voting} of the validators here vote, {} are needed",
                status.quorum
            ),
            "start the nodes that are missing; if a node was restored, put its old data folder back \
             in place of the restored one, then start it",
        ));
    }
    let round = status.round.unwrap_or(0);
    let under_way = status.under_way_s.unwrap_or(0);
    let waits = status.wanted && status.since_block_s >= SLOW_S;
    if under_way >= SLOW_S || (round >= 2 && status.wanted) || waits {
        let turn = status.turn.map_or(0, |who| who.0);
        let seconds = under_way.max(if waits { status.since_block_s } else { 0 });
        findings.push(trouble(
            format!(
                "block {next} does not come: {seconds} s, round {round}; it is the turn of \
                 organisation {turn}"
            ),
            "run doctor on the other validators' machines, that one first: a wrong clock, a lost \
             connection or a node that does not vote yet is named there",
        ));
    }
    let receipted = status.receipted;
    if receipted.plus(RECEIPTS_BEHIND) < status.height {
        findings.push(trouble(
            format!(
                "receipts stand at block {receipted} and blocks at {}",
                status.height
            ),
            "run doctor on the other validators' machines: a cosigner key that the ledger does not \
             know is named there",
        ));
    }
}

/// Who stands behind, since when, until when (RULINGS A56).
fn behind(status: &Status, findings: &mut Vec<Finding>) {
    for one in &status.behind {
        let (who, missed) = (one.organisation, one.missed);
        let (since, until) = (one.since, one.until);
        if who == status.organisation {
            findings.push(note(
                format!(
                    "the others propose before this node from block {since} to block {until}: it \
                     missed {missed} turns"
                ),
                "keep it running; if this goes on while it runs, look at its connections and its \
                 clock",
            ));
        } else {
            findings.push(note(
                format!(
                    "organisation {who} proposes after the others from block {since} to block \
                     {until}: it missed {missed} turns"
                ),
                "nothing is to be done here; call its operator if it lasts",
            ));
        }
    }
}

/// Whether the chain cannot go on by itself, as far as this node knows.
pub fn stands_still(status: &Status) -> bool {
    let mut findings = Vec::new();
    progress(status, &mut findings);
    status.validators_connected < status.quorum
        || findings.iter().any(|finding| finding.weight == "trouble")
}

/// Findings from the status of a running node.
pub fn running(status: &Status, findings: &mut Vec<Finding>) {
    let age_s = status.now_ms.saturating_sub(status.time_ms.0) / 1000;
    findings.push(good(format!(
        "the node runs at block {}, {age_s} s old",
        status.height
    )));
    // Whoever has no place among the nodes is let in by nobody: the others are not to blame.
    let outside = match status.node {
        None => Some((
            "this organisation has no node in the ledger: no other node lets this one in",
            "register its keys",
        )),
        Some(NodeStatus::Gone) => Some((
            "this organisation's node has given its seat up: its keys are spent, and no other \
             node lets this one in",
            "stop it; to come back make new keys and register them",
        )),
        Some(_) => None,
    };
    if let Some((what, next)) = outside {
        findings.push(note(what, next));
        return;
    }
    let (connected, quorum) = (status.validators_connected, status.quorum);
    let missing: Vec<String> = status
        .peers
        .iter()
        .filter(|peer| peer.validator && !peer.connected)
        .map(|peer| {
            let why = peer.last_error.as_deref().unwrap_or("not connected yet");
            format!(
                "organisation {} at {} ({why})",
                peer.organisation.0, peer.address
            )
        })
        .collect();
    if !missing.is_empty() {
        let list = missing.join("; ");
        if connected < quorum {
            findings.push(trouble(
                format!(
                    "the chain stands still: {connected} validators are here, {quorum} are \
                     needed; missing: {list}"
                ),
                "call their operators; nothing is lost, and blocks continue by themselves when \
                 enough are back. If blocks come at the others, this node alone is cut off: look at \
                 its network, and make sure that no second node runs with its keys",
            ));
        } else {
            findings.push(note(
                format!("validators not connected: {list}"),
                "call their operators if it lasts",
            ));
        }
    }
    let known = status.protocol.0.known;
    if let Some((version, height, release)) = &status.protocol.0.coming {
        let what = format!(
            "protocol {version} begins at block {height}; this build knows protocols up to {known}"
        );
        if *version > known {
            findings.push(trouble(
                what,
                format!(
                    "install release {release} of rollbook before that block, or the node stops \
                     there"
                ),
            ));
        } else {
            findings.push(good(what));
        }
    }
    progress(status, findings);
    behind(status, findings);
    if let Some(text) = &status.body_missing {
        findings.push(note(
            text.clone(),
            "wait: the body is asked of every signer in turn",
        ));
    }
    if let Some(text) = &status.clock_warning {
        findings.push(trouble(
            text.clone(),
            "set the machine's time right (NTP): until then its proposals may be passed over and its \
             votes come late; it need not be restarted",
        ));
    }
    if status.guard_refusals > 0 {
        findings.push(trouble(
            "the sign guard refused to sign: these keys have signed elsewhere or in a life that \
             is forgotten",
            "make sure that no second node runs with these keys",
        ));
    }
    if let Some(height) = status.foreign_statement {
        findings.push(trouble(
            format!(
                "somebody signed with this node's key at block {height}, and this node did not: it \
                 was silent for two blocks"
            ),
            "make sure that no second node runs with these keys, and that this folder is no old copy",
        ));
    }
    if status.keys_wait {
        findings.push(keys_wait());
    }
    unknown_keys(&status.keys_unknown, findings);
    if let Some(alarm) = &status.fork_alarm {
        findings.push(trouble(
            format!(
                "FORK ALARM: a validator cosigned another history: {}",
                serde_json::to_string(alarm).unwrap_or_default()
            ),
            "keep all data, take an export, and tell every member",
        ));
    }
    if status.validator && !status.votes && status.foreign_statement.is_none() {
        findings.push(note(
            "this node has a seat and does not vote yet",
            "wait: it asks its peers what it may have signed, and votes a few blocks later",
        ));
    }
    if status.stored.plus(64) < status.height {
        findings.push(note(
            "the store is more than 64 blocks behind the journal",
            "check the disk if it lasts",
        ));
    }
}
