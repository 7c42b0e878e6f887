//! The story's stage on a testnet of real node processes: records go in over HTTP, blocks come back
//! and are executed again here.
//!
//! * Nothing is believed: every block is fetched as it stands in an export and run through the same
//!   rules on a ledger of our own, so the tables the story reads are verified by re-execution.
//!   Certificates of earlier blocks are judged on the way; the newest block's is judged by the
//!   audit at the end.
//! * Any node that answers is asked; one is killed in the middle of the story and comes back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rollbook_core::export::BlockFrame;
use rollbook_core::genesis::Genesis;
use rollbook_core::ledger::Ledger;
use rollbook_core::record::Record;
use rollbook_core::refusal::Outcome;
use rollbook_core::state::StateTables;
use rollbook_node::clock::Step as ClockStep;
use rollbook_proof::answer::SignedAnswer;
use rollbook_proof::chain::Seal;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, Keypair, VerifierCache};
use rollbook_proof::number::{Height, LedgerTime};
use rollbook_wire::record::{Submission, Told};
use rollbook_wire::status::Status;

use crate::http;
use crate::keys::officer_key;
use crate::story::{Chapter, Rejected, Settled, Stage, Step};
use crate::testnet::Testnet;

/// How long a step may take before the story is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(10);
/// Records in one request.
const AT_ONCE: usize = 200;

/// What a step looks like while it is told.
pub type Teller<'a> = Box<dyn FnMut(&Step<'_>, u64) + 'a>;

/// A testnet as a stage.
pub struct Network<'a> {
    /// The nodes.
    pub testnet: Testnet,
    /// Our own ledger.
    pub ledger: Ledger,
    /// The node that is killed while awards are decided.
    pub victim: u32,
    /// The newest record of the story.
    pub newest: Option<Record>,
    seed: String,
    verifier: VerifierCache,
    outcomes: BTreeMap<Hash, Settled>,
    /// Ledger time at an instant of this process.
    clock: (u64, Instant),
    tell: Teller<'a>,
}

impl<'a> Network<'a> {
    /// Follows a testnet from its genesis until every founder's signature is in the log.
    pub fn new(
        testnet: Testnet,
        genesis: &Genesis,
        seed: &str,
        tell: Teller<'a>,
    ) -> Result<Network<'a>, String> {
        let (ledger, _) = Ledger::from_genesis(genesis).map_err(|error| error.to_string())?;
        let victim = *testnet.nodes().end();
        let mut network = Network {
            testnet,
            ledger,
            victim,
            newest: None,
            seed: seed.to_owned(),
            verifier: VerifierCache::default(),
            outcomes: BTreeMap::new(),
            clock: (0, Instant::now()),
            tell,
        };
        network.read_clock()?;
        network.wait("the founders' signatures", |network| {
            let founders = &network.ledger.tables().founders;
            Ok(network.ledger.height() > Height(0)
                && founders.iter().all(|(_, signed)| *signed == 1))
        })?;
        Ok(network)
    }

    fn get(&self, path: &str) -> Result<http::Answer, String> {
        let mut told = Vec::new();
        for node in self.testnet.nodes() {
            match self
                .testnet
                .get_as_member(node, path, Duration::from_secs(10))
            {
                Ok(answer) if answer.status == 503 => told.push(format!("node {node}: not now")),
                Ok(answer) => return Ok(answer),
                Err(error) => told.push(format!("node {node}: {error}")),
            }
        }
        Err(told.join("; "))
    }

    fn read_clock(&mut self) -> Result<(), String> {
        let status: Status = self
            .get("/v1/status")?
            .read()
            .map_err(|error| error.to_string())?;
        self.clock = (status.now_ms, Instant::now());
        Ok(())
    }

    /// Executes every block that a node has and we have not.
    fn follow(&mut self) -> Result<(), String> {
        loop {
            let height = self.ledger.height().next();
            let answer = self.get(&format!("/v1/blocks/{height}/frame"))?;
            if answer.status != 200 {
                return Ok(());
            }
            let frame = BlockFrame::decode(&answer.body)
                .map_err(|error| format!("block {height}: {error}"))?;
            let seal: Seal =
                decode(&frame.seal).map_err(|error| format!("seal of block {height}: {error}"))?;
            let body = frame.body();
            let block = self
                .ledger
                .execute(&body, &seal, &mut self.verifier)
                .map_err(|error| format!("block {height}: {error}"))?;
            let committed = self
                .ledger
                .commit(&block)
                .map_err(|error| format!("block {height}: {error}"))?;
            for (id, outcome) in &committed.execution.outcomes {
                self.outcomes.insert(
                    *id,
                    Settled {
                        outcome: *outcome,
                        height: height.0,
                    },
                );
            }
        }
    }

    /// Follows until `done` says so.
    fn wait(
        &mut self,
        what: &str,
        done: impl Fn(&Network<'_>) -> Result<bool, String>,
    ) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            self.follow()?;
            if done(self)? {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!(
                    "{what}: nothing within {} s; see the nodes' logs in {}",
                    PATIENCE.as_secs(),
                    self.testnet.dir.display()
                ));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits until all nodes stand at our height or above with one state root and a receipt.
    pub fn settle_all(&mut self) -> Result<(Height, String), String> {
        let nodes: Vec<u32> = self.testnet.nodes().collect();
        self.testnet
            .agree(&nodes, self.ledger.height().0, PATIENCE)
            .map_err(|failure| failure.to_string())
    }

    fn hand_in(&self, records: &[Record]) -> Result<Vec<Result<Hash, Rejected>>, String> {
        let envelopes: Vec<Vec<u8>> = records.iter().map(encode).collect();
        let envelopes: Vec<&[u8]> = envelopes.iter().map(Vec::as_slice).collect();
        let body = Submission::several(&envelopes)
            .body()
            .map_err(|error| error.to_string())?;
        let mut told = Vec::new();
        for node in self.testnet.nodes() {
            match http::post(
                self.testnet.api(node),
                "/v1/records",
                "application/json",
                &body,
                PATIENCE,
            ) {
                Ok(answer) if answer.status == 202 => {
                    let answers: Vec<Told<SignedAnswer>> =
                        answer.read().map_err(|error| error.to_string())?;
                    if answers.len() != records.len() {
                        return Err(format!(
                            "node {node} gave {} answers to {} records",
                            answers.len(),
                            records.len()
                        ));
                    }
                    return records
                        .iter()
                        .zip(answers)
                        .map(|(record, answer)| read_answer(record, answer))
                        .collect();
                }
                Ok(answer) => told.push(format!(
                    "node {node}: {}",
                    String::from_utf8_lossy(&answer.body)
                )),
                Err(error) => told.push(format!("node {node}: {error}")),
            }
        }
        Err(told.join("; "))
    }
}

/// A signed "seen", or a refusal by a rule; anything else is a failure of the stage.
fn read_answer(
    record: &Record,
    answer: Told<SignedAnswer>,
) -> Result<Result<Hash, Rejected>, String> {
    let problem = match answer {
        Told::Answer(_) => return Ok(Ok(record.id())),
        Told::Problem(problem) => problem,
    };
    if problem.code.starts_with("api.") {
        return Err(format!("{}: {}", problem.code, problem.detail));
    }
    Ok(Err(Rejected {
        code: problem.code,
        facts: vec![("detail".to_owned(), problem.detail)],
    }))
}

impl Stage for Network<'_> {
    fn chain(&self) -> Hash {
        self.ledger.chain()
    }

    fn key(&self, person: u32) -> Keypair {
        officer_key(self.seed.as_bytes(), person)
    }

    fn now(&self) -> u64 {
        let (at, then) = self.clock;
        let now = at.saturating_add(u64::try_from(then.elapsed().as_millis()).unwrap_or(0));
        now.max(self.ledger.tip().seal.time_ms.0 + 1)
    }

    fn tables(&self) -> &StateTables {
        self.ledger.tables()
    }

    fn submit(&mut self, records: Vec<Record>) -> Result<Vec<Result<Settled, Rejected>>, String> {
        let mut answers = Vec::with_capacity(records.len());
        for part in records.chunks(AT_ONCE) {
            answers.extend(self.hand_in(part)?);
        }
        let taken: Vec<Hash> = answers
            .iter()
            .filter_map(|answer| answer.as_ref().ok().copied())
            .collect();
        self.wait("a record that a node took", |network| {
            Ok(taken.iter().all(|id| network.outcomes.contains_key(id)))
        })?;
        if let Some((record, _)) = records
            .iter()
            .zip(&answers)
            .rev()
            .find(|(_, answer)| answer.is_ok())
        {
            self.newest = Some(record.clone());
        }
        let settled = |id: Hash| {
            self.outcomes.get(&id).cloned().unwrap_or(Settled {
                outcome: Outcome::Applied,
                height: 0,
            })
        };
        Ok(answers
            .into_iter()
            .map(|answer| answer.map(settled))
            .collect())
    }

    fn advance(&mut self, to: u64) -> Result<(), String> {
        if to > self.now() {
            let now = self
                .testnet
                .advance(ClockStep::ToMs(to))
                .map_err(|failure| failure.to_string())?;
            self.clock = (now, Instant::now());
        }
        // A step of less than an hour without a deadline brings no block; the next record's block
        // has the new time.
        self.wait("what is due by the clock", |network| {
            Ok(network
                .ledger
                .next_deadline()
                .is_none_or(|due| due >= LedgerTime(to)))
        })
    }

    fn chapter(&mut self, chapter: Chapter) -> Result<(), String> {
        let victim = self.victim;
        let key = match chapter {
            Chapter::Award => {
                self.testnet
                    .kill(victim)
                    .map_err(|failure| failure.to_string())?;
                "killed"
            }
            Chapter::Payment => {
                self.testnet
                    .start(victim)
                    .map_err(|failure| failure.to_string())?;
                // Its own receipts follow with the next block; what it must have now is the same
                // state.
                self.wait("the node that came back", |network| {
                    let Some(status) = network.testnet.status(victim) else {
                        return Ok(false);
                    };
                    let seal = &network.ledger.tip().seal;
                    Ok(status.height == seal.height
                        && status.state_root == seal.state_root.to_hex())
                })?;
                "back"
            }
            _ => return Ok(()),
        };
        let facts = [("node", victim.to_string())];
        let height = self.ledger.height();
        self.tell(&Step {
            key,
            facts: &facts,
            rule: "A8",
            height: height.0,
            refused: false,
        });
        Ok(())
    }

    fn tell(&mut self, step: &Step<'_>) {
        let now = self.now();
        (self.tell)(step, now);
    }
}
