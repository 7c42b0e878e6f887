//! Real nodes for suites: the code of `rollbook testnet`, a folder that goes away, load, and the
//! check at the end of every story: equal state roots, equal exports, an audit without findings.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rollbook_core::audit::{Auditor, Report};
use rollbook_core::block::BlockBody;
use rollbook_core::export::{BlockFrame, Header, Tail};
use rollbook_core::id::{MotionId, PersonId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::record::{
    Appointment, Ballot, BallotVote, Body, Choice, Declaration, MotionAct, MotionEffect, NodeAct,
    Proposal,
};
use rollbook_core::tx::Verify;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, VerifierCache, sha256};
use rollbook_proof::log::Clock;
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::alliance::{Sample, secretariat};
use rollbook_sandbox::http;
use rollbook_sandbox::keys::officers_of;
use rollbook_sandbox::testnet::{Plan, Testnet};

use crate::load::Source;

/// How long nodes may take to agree. Not an aim: the machine may be busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A testnet in a folder of its own.
pub struct Net {
    pub testnet: Testnet,
    pub alliance: Sample,
    pub chain: Hash,
    /// Where records come from; a load takes from the same.
    pub source: Arc<Mutex<Source>>,
    _folder: tempfile::TempDir,
}

/// The program that runs a node: beside the test's own, or what `ROLLBOOK_NODE` names. Built when
/// it is not there.
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("ROLLBOOK_NODE") {
        return path.into();
    }
    built("rollbook-node", "rollbook-node")
}

/// The command line, found or built like [`program`].
pub fn command_line() -> PathBuf {
    built("rollbook", "rollbook")
}

fn built(package: &str, name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let program = folder.join(name);
    if !program.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // From the workspace, wherever this test comes from: what a node of it may do is what the
        // workspace enables.
        let built = Command::new(cargo)
            .args(["build", "--release", "-p", package, "--target-dir"])
            .arg(folder.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "{package} does not build");
    }
    program
}

impl Net {
    /// Four nodes of five members on real time, started.
    pub fn up(seed: &str) -> Net {
        let mut net = Net::plan(seed, 5, 4, Clock::Wall);
        net.start();
        net
    }

    /// Starts every node and waits until all founders are in the log.
    pub fn start(&mut self) {
        self.start_some(&self.nodes());
    }

    /// Starts these nodes and waits until all founders are in the log.
    pub fn start_some(&mut self, nodes: &[u32]) {
        for node in nodes {
            self.testnet.launch(*node).unwrap();
        }
        for node in nodes {
            self.testnet.start(*node).unwrap();
            self.until("the founders are in the log", *node, |status| {
                status["founders_missing"] == 0
            });
        }
    }

    /// A node's status as it stands on the wire, if it answers.
    pub fn status(&self, node: u32) -> Option<serde_json::Value> {
        let wait = Duration::from_secs(5);
        let answer = http::get(self.testnet.api(node), "/v1/status", wait).ok()?;
        (answer.status == 200).then(|| answer.json())
    }

    /// Waits until a node's status is as wanted.
    pub fn until(
        &self,
        what: &str,
        node: u32,
        wanted: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let begun = std::time::Instant::now();
        loop {
            if let Some(status) = self.status(node).filter(&wanted) {
                return status;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "node {node}: waited in vain until {what}\n{}",
                self.told()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A testnet that is not started.
    pub fn plan(seed: &str, members: u32, nodes: u32, clock: Clock) -> Net {
        Net::of(Plan::new(seed, members, nodes, clock).unwrap())
    }

    /// The same from a plan of one's own.
    pub fn of(plan: Plan) -> Net {
        Net::run_by(plan, &program())
    }

    /// The same, where `program CONFIG` is a node.
    pub fn run_by(plan: Plan, program: &Path) -> Net {
        let folder = tempfile::tempdir().unwrap();
        let alliance = plan.alliance();
        let chain = alliance.genesis().unwrap().hash();
        let testnet = Testnet::create(&folder.path().join("net"), plan, program, &[]).unwrap();
        let source = Arc::new(Mutex::new(Source::new(alliance.clone(), chain)));
        Net {
            testnet,
            alliance,
            chain,
            source,
            _folder: folder,
        }
    }

    pub fn nodes(&self) -> Vec<u32> {
        self.testnet.nodes().collect()
    }

    /// Ledger time as the nodes see it.
    pub fn now_ms(&self) -> u64 {
        match self.alliance.charter.clock {
            Clock::Wall => rollbook_node::clock::real_ms(),
            Clock::Sample => self.status(1).unwrap()["now_ms"].as_u64().unwrap(),
        }
    }

    /// A record that applies: `member` introduces another made-up company.
    pub fn record(&mut self, member: u32) -> Vec<u8> {
        let now = self.now_ms();
        encode(&self.source.lock().unwrap().record(member, now))
    }

    /// A record of `principal`, signed by these persons in these roles; the first begins it.
    pub fn signed(&self, principal: u32, signers: &[(u32, Role)], body: Body) -> Vec<u8> {
        let now = self.now_ms();
        let mut source = self.source.lock().unwrap();
        encode(&source.signer.record(principal, signers, now, body))
    }

    /// A record of a member's first officer as node operator.
    pub fn node_act(&self, member: u32, act: NodeAct) -> Vec<u8> {
        self.signed(
            member,
            &[(officers_of(member).0, Role::NodeOperator)],
            Body::Node(act),
        )
    }

    /// An act of a member that both its officers sign.
    pub fn member_act(&self, member: u32, body: Body) -> Vec<u8> {
        let (first, second) = officers_of(member);
        self.signed(
            member,
            &[(first, Role::Primary), (second, Role::Alternate)],
            body,
        )
    }

    /// A motion by member 1 and member 2's ballot on it, a record for members; both receipted
    /// everywhere in `nodes`. For a net without motions.
    pub fn ballot(&self, nodes: &[u32]) -> Vec<u8> {
        let members = self.alliance.members;
        let (office, holder) = (secretariat(members), officers_of(members).0);
        let appointment = Appointment {
            office: OrganisationId(office),
            role: Role::Registrar,
            scope: Scope::Alliance,
            holder: PersonId(holder),
            deputy: None,
            succeeds: None,
        };
        let proposal = Proposal {
            effect: MotionEffect::Appoint(appointment),
            ballot_days: 10,
            text: sha256(b"why"),
        };
        self.carried(
            nodes,
            &self.member_act(1, Body::Motion(MotionAct::Propose(proposal))),
        );
        let ballot = Ballot {
            motion: MotionId(1),
            round: 1,
            replaces: Vec::new(),
            vote: BallotVote::Choice(Choice::Yes),
            criterion: None,
            declaration: Declaration::None,
            proxy_for: None,
        };
        let vote = self.member_act(2, Body::Motion(MotionAct::Vote(ballot)));
        self.carried(nodes, &vote);
        vote
    }

    /// Handed in at a node, which must refuse it: the rule.
    pub fn refused(&self, node: u32, record: &[u8]) -> String {
        let answer = self.submit(node, record).unwrap();
        assert_eq!(
            answer.status,
            422,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.json()["code"].as_str().unwrap().to_owned()
    }

    /// Handed in, receipted everywhere in `nodes`.
    pub fn carried(&self, nodes: &[u32], record: &[u8]) {
        assert!(
            self.submit_somewhere(nodes, record),
            "nobody takes the record\n{}",
            self.told()
        );
        self.receipted(nodes, record);
    }

    /// Hands a record in at a node; the status and what it said.
    pub fn submit(&self, node: u32, record: &[u8]) -> Option<http::Answer> {
        http::post(
            self.testnet.api(node),
            "/v1/records?signed=true",
            "application/octet-stream",
            record,
            Duration::from_secs(20),
        )
        .ok()
    }

    /// Hands a record in at the first of `nodes` that takes it.
    pub fn submit_somewhere(&self, nodes: &[u32], record: &[u8]) -> bool {
        nodes.iter().any(|node| {
            self.submit(*node, record)
                .is_some_and(|answer| answer.status == 202)
        })
    }

    /// Where a record stands, as a node says.
    pub fn stands(&self, node: u32, record: &[u8]) -> String {
        let id = decode::<rollbook_core::record::Record>(record)
            .unwrap()
            .id();
        let path = format!("/v1/records/{id}");
        http::get(self.testnet.api(node), &path, Duration::from_secs(10))
            .map(|answer| {
                answer.json()["stands"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
            .unwrap_or_default()
    }

    /// Waits until a record is receipted at every one of `nodes`.
    pub fn receipted(&self, nodes: &[u32], record: &[u8]) {
        let begun = std::time::Instant::now();
        while !nodes
            .iter()
            .all(|node| self.stands(*node, record) == "receipted")
        {
            assert!(
                begun.elapsed() < PATIENCE,
                "not receipted: {:?}\n{}",
                nodes
                    .iter()
                    .map(|n| self.stands(*n, record))
                    .collect::<Vec<_>>(),
                self.told()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Handed in, receipted everywhere in `nodes`.
    pub fn act(&mut self, nodes: &[u32]) -> Vec<u8> {
        let record = self.record(1);
        self.carried(nodes, &record);
        record
    }

    /// The check of every story.
    pub fn check(&self, nodes: &[u32]) -> Report {
        let (height, _) = self
            .testnet
            .agree(nodes, 1, PATIENCE)
            .unwrap_or_else(|failure| panic!("{failure}\n{}", self.told()));
        let exports: Vec<Vec<u8>> = nodes
            .iter()
            .map(|node| self.export(*node, height.0))
            .collect();
        let body = |export: &[u8]| sha256(&export[..before_tail(export)]);
        for (node, export) in nodes.iter().zip(&exports) {
            assert_eq!(
                body(export),
                body(&exports[0]),
                "the export of node {node} is another"
            );
        }
        let report = audit(&exports[0], self.chain);
        assert!(report.is_sound(), "{:#?}", report.findings);
        assert_eq!(report.blocks, height.0 + 1, "genesis included");
        // Whoever signs twice is found by the others, and it is recorded: nobody did.
        for frame in &frames(&exports[0])[1..] {
            let body: BlockBody = decode(&BlockFrame::decode(frame).unwrap().body()).unwrap();
            assert!(
                body.system.evidence.is_empty(),
                "a node signed twice: {:?}",
                body.system.evidence
            );
        }
        report
    }

    /// The export of a node.
    pub fn export(&self, node: u32, height: u64) -> Vec<u8> {
        let answer = self
            .testnet
            .get_as_member(
                node,
                &format!("/v1/export?height={height}"),
                Duration::from_secs(60),
            )
            .unwrap();
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.body
    }

    /// What each node says and the end of its log, for a failure's message.
    pub fn told(&self) -> String {
        let end = |node: u32| {
            let status = self.status(node).unwrap_or_default();
            let facts = [
                "height",
                "receipted",
                "stored",
                "phase",
                "round",
                "votes",
                "votes_from",
                "pool",
                "validators_connected",
            ];
            let facts: Vec<String> = facts
                .iter()
                .map(|name| format!("{name} {}", status[name]))
                .collect();
            let log = self.testnet.log(node);
            let mut lines: Vec<&str> = log.lines().rev().take(6).collect();
            lines.reverse();
            format!(
                "-- node {node}: {}\n{}\n",
                facts.join(", "),
                lines.join("\n")
            )
        };
        self.testnet.nodes().map(end).collect()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for node in self.testnet.nodes() {
            let _ = self.testnet.kill(node);
        }
    }
}

fn frame(bytes: &[u8], at: usize) -> (usize, usize) {
    let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    (at + 4, at + 4 + length)
}

/// The blocks of an export, genesis first, each without its length.
pub fn frames(export: &[u8]) -> Vec<&[u8]> {
    let mut end = Header::BYTES;
    let mut next = || {
        let (begin, after) = frame(export, end);
        end = after;
        &export[begin..after]
    };
    (0..=Header::decode(export).unwrap().height.0)
        .map(|_| next())
        .collect()
}

/// Where the tail of an export begins.
pub fn before_tail(export: &[u8]) -> usize {
    let header = Header::decode(export).unwrap();
    (0..=header.height.0).fold(Header::BYTES, |at, _| frame(export, at).1)
}

struct Rule(VerifierCache);

impl Verify for Rule {
    fn verify(
        &mut self,
        key: &rollbook_proof::crypto::PublicKey,
        message: &[u8],
        signature: &rollbook_proof::crypto::Signature,
    ) -> bool {
        self.0.verify(key, message, signature).is_ok()
    }
}

/// Audits an export in memory, with core's auditor.
pub fn audit(export: &[u8], chain: Hash) -> Report {
    let header = Header::decode(export).unwrap();
    let (begin, mut end) = frame(export, Header::BYTES);
    let first = BlockFrame::decode(&export[begin..end]).unwrap();
    let mut auditor = Auditor::new(&header, &first, Some(chain));
    let mut rule = Rule(VerifierCache::default());
    for _ in 0..header.height.0 {
        let (begin, next) = frame(export, end);
        auditor.block(
            &BlockFrame::decode(&export[begin..next]).unwrap(),
            &mut rule,
        );
        end = next;
    }
    let (begin, end) = frame(export, end);
    let tail: Tail = decode(&export[begin..end]).unwrap();
    let digest_fits = sha256(&export[..end]).0 == export[end..];
    auditor.finish(&header, &tail, digest_fits).report
}
