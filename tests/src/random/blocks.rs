//! The real ledger of a run: blocks with certificates, checkpoints of handovers and evidence. After
//! every block the books are held to the invariants of the audit and the effect leaves to the
//! outcomes, and every signature to what the steps say of its key; whole runs are executed again by the
//! audit.

use std::collections::BTreeSet;

use rollbook_core::audit::invariants;
use rollbook_core::block::{BlockBody, SystemSection};
use rollbook_core::event::Event;
use rollbook_core::export::{BlockFrame, Header};
use rollbook_core::genesis::Genesis;
use rollbook_core::ledger::{BlockError, Built, Execution, Ledger};
use rollbook_core::record::Record;
use rollbook_core::state::StateTables;
use rollbook_core::step::{Step, Subject};
use rollbook_proof::chain::{Evidence, LeafTag, SignedVote, Vote, VoteKind};
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, VerifierCache};
use rollbook_proof::number::{Height, LedgerTime};

use crate::quorum;
use crate::random::faults::History;
use crate::random::keys::Keys;
use crate::random::stranger::{Told, is_for_members};
use crate::sim::random::Random;
use crate::steps::Fold;
use crate::writer::effects_agree;

/// What came of a block.
pub struct Done {
    pub built: Built,
    pub events: Vec<Event>,
}

/// The ledger, and what an export of it holds.
pub struct Blocks {
    pub ledger: Ledger,
    pub verifier: VerifierCache,
    /// Every block as it stands in an export; empty where nobody executes the run again.
    frames: Vec<BlockFrame>,
    keep: bool,
    /// In how many blocks of members' records alone a stranger was seen to learn nothing; none: nobody
    /// looks.
    pub watched: Option<u32>,
    steps: Fold,
    keyring: Keyring,
}

/// Which keys have ended or are stopped, by the steps alone: a second reading of who may sign, beside
/// the rule that asks the key itself.
#[derive(Default)]
struct Keyring(BTreeSet<Subject>);

impl Keyring {
    fn turn(&mut self, steps: &[Step]) {
        for step in steps.iter().filter(|step| step.kind == "key") {
            match step.to {
                "in-force" => self.0.remove(&step.subject),
                _ => self.0.insert(step.subject),
            };
        }
    }

    /// Follows a block, and finds a signature by a key that signs nothing.
    fn follow(&mut self, execution: &Execution) {
        self.turn(execution.steps_of_clock());
        let body: BlockBody = decode(&execution.body).unwrap();
        for (at, record) in body.records.iter().enumerate() {
            for entry in &record.signatures {
                let key = Subject::Key(entry.officer.0, entry.key);
                assert!(!self.0.contains(&key), "{REVOKED_SIGNED}: {key}");
            }
            self.turn(execution.steps_of(at));
        }
    }
}

/// What a run says when it finds that a key signed which had no right to.
pub const REVOKED_SIGNED: &str = "a key that was revoked has signed";

impl Blocks {
    pub fn new(genesis: &Genesis, keep: bool, watch: bool) -> Blocks {
        let opened = genesis.open().unwrap();
        let (ledger, _) = Ledger::from_genesis(genesis).unwrap();
        let first = BlockFrame::of_genesis(&opened.leaves[..opened.leaves.len() - 1], &opened.seal);
        let mut steps = Fold::default();
        steps.follow(&opened.changes.steps, ledger.tables());
        Blocks {
            watched: watch.then_some(0),
            steps,
            keyring: Keyring::default(),
            ledger,
            verifier: VerifierCache::default(),
            frames: vec![first],
            keep,
        }
    }

    pub fn tables(&self) -> &StateTables {
        self.ledger.tables()
    }

    pub fn time(&self) -> LedgerTime {
        self.ledger.tip().seal.time_ms
    }

    /// The system section of the next block.
    pub fn system(&self, keys: &Keys) -> SystemSection {
        quorum::system(&self.ledger, &|v, kind| keys.validator(v, kind))
    }

    /// Two votes of a validator at a past height that cannot both be honest.
    pub fn evidence(&self, keys: &Keys, random: &mut Random) -> Option<Evidence> {
        let height = Height(random.below(self.ledger.height().0 + 1));
        let epochs = self.tables().epochs.iter();
        let (_, epoch) = epochs.filter(|(_, e)| e.first_height <= height).last()?;
        let accused = *random.pick(&epoch.validators)?;
        let key = keys.of(&accused.consensus)?;
        let signed = |label: u8| {
            let block = Hash([label; 32]);
            let vote = Vote {
                kind: VoteKind::Precommit,
                height,
                round: 1,
                block: Some(block),
                validator: accused.organisation,
            };
            SignedVote {
                signature: vote.sign(&self.ledger.chain(), key),
                vote,
            }
        };
        Evidence::of_votes(signed(1), signed(2))
    }

    /// Builds the next block, commits it, and holds it to what must be true of every block.
    pub fn block(
        &mut self,
        system: SystemSection,
        time: LedgerTime,
        records: &[Record],
    ) -> Result<Done, BlockError> {
        let told = |ledger: &Ledger| Told::now(ledger.state().root(), ledger.tables());
        let before = self.watched.map(|_| told(&self.ledger));
        let built = self
            .ledger
            .build(time, system, records, &mut self.verifier)?;
        let execution = &built.execution;
        effects_agree(execution);
        self.keyring.follow(execution);
        let block = execution.seal.id();
        let committed = self.ledger.commit(&block)?;
        let faults = invariants::check(self.ledger.tables(), &committed.execution.changes);
        assert!(faults.is_empty(), "the books do not balance: {faults:?}");
        assert_eq!(self.ledger.state().root(), execution.seal.state_root);
        self.steps
            .follow(&execution.changes.steps, self.ledger.tables());
        if let (Some(before), Some(watched)) = (before, &mut self.watched)
            && is_for_members(execution)
        {
            let learnt = told(&self.ledger).difference(&before);
            assert!(learnt.is_empty(), "a stranger learns something: {learnt:?}");
            *watched += 1;
        }
        if self.keep {
            let derived = BlockFrame::derived_of(&execution.leaves);
            let frame = BlockFrame::of_block(&execution.body, derived, &execution.seal).unwrap();
            self.frames.push(frame);
        }
        let events = execution
            .leaves
            .iter()
            .filter_map(|leaf| match LeafTag::split(&leaf.clear) {
                Some((LeafTag::Event, bytes)) => Some(decode::<Event>(bytes).unwrap()),
                _ => None,
            });
        Ok(Done {
            events: events.collect(),
            built,
        })
    }

    /// Whether the next block can be built: the rules of its height are in this build.
    pub fn goes_on(&self) -> bool {
        self.ledger.next_protocol().is_ok()
    }

    /// The run so far, for an audit.
    pub fn history(&self, keys: &Keys) -> History {
        let height = self.ledger.height();
        let header = Header {
            genesis: self.ledger.chain(),
            height,
        };
        let tail = quorum::tail(&self.ledger, &|v, kind| keys.validator(v, kind));
        History {
            expected: header.genesis,
            header,
            frames: self.frames.clone(),
            tail,
            digest_ok: true,
        }
    }
}
