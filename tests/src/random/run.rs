//! One seed from its genesis to its last step.

use std::cell::Cell;

use rollbook_core::calendar::{MS_PER_DAY, MS_PER_HOUR};
use rollbook_core::event::EventBody;
use rollbook_core::record::Record;
use rollbook_core::refusal::Outcome;
use rollbook_proof::codec::encode;
use rollbook_proof::number::{Height, LedgerTime};

use crate::random::blocks::Blocks;
use crate::random::coverage::{Seen, name_of};
use crate::random::faults::KINDS;
use crate::random::hand::{Draft, Hand, Memory};
use crate::random::keys::Keys;
use crate::random::mood::Mood;
use crate::random::twist::{self, Words};
use crate::random::{acts, genesis};
use crate::sim::random::Random;

thread_local! {
    /// Where the run of this thread stands, for whoever reports a failure.
    static STEP: Cell<u32> = const { Cell::new(0) };
}

/// The step that this thread is at.
pub fn step() -> u32 {
    STEP.get()
}

/// In the first so many seeds a stranger polls.
const STRANGERS: u64 = 20;
/// Drafts that must not stand, of every seed.
const WRONG_GENESES: u32 = 4;

/// At this height every kind of damage is planted in a copy of the history.
const DAMAGED: Height = Height(24);

/// A seed under way.
pub(super) struct Run {
    random: Random,
    keys: Keys,
    memory: Memory,
    mood: Mood,
    words: Words,
    pub(super) blocks: Blocks,
    pub(super) seen: Seen,
    log: bool,
}

/// Runs a seed for so many steps. `again` executes it once more with the audit at the end, `log`
/// prints every step.
pub fn run(seed: u64, steps: u32, again: bool, log: bool) -> Seen {
    let mut run = Run::new(seed, again, log);
    // What becomes of agreements lies deepest.
    let steps = if run.mood.aftermath { 2 * steps } else { steps };
    let opened = run.blocks.time();
    while run.seen.steps < steps && run.blocks.goes_on() {
        run.turn();
        if again && run.blocks.ledger.height() == DAMAGED {
            run.damage();
        }
    }
    run.seen.watched = run.blocks.watched.unwrap_or(0);
    run.seen.days = (run.blocks.time().0 - opened.0) / MS_PER_DAY;
    for (_, entry) in run.blocks.tables().applications.iter() {
        if let Some(code) = &entry.void {
            let code = code.to_string();
            run.seen.code(&code);
        }
    }
    if again {
        let report = run.blocks.history(&run.keys).audit();
        assert!(
            report.is_sound(),
            "executed again: {:#?}",
            &report.findings[..report.findings.len().min(3)]
        );
        assert_eq!(report.root, Some(run.blocks.ledger.frontier().root()));
        assert_eq!(
            report.state_root,
            Some(run.blocks.ledger.tip().seal.state_root)
        );
    }
    run.seen
}

impl Run {
    /// A seed at its genesis. `again` keeps what an audit reads at the end, `log` prints every step.
    pub(super) fn new(seed: u64, again: bool, log: bool) -> Run {
        STEP.set(0);
        let mut random = Random::new(seed);
        let mut keys = Keys::new(seed);
        let mood = Mood::of(&mut random);
        let parts = genesis::draw(&mut random, &mut keys, &mood);
        let mut seen = Seen::default();
        for _ in 0..WRONG_GENESES {
            if let Some(code) = genesis::refused(&mut random, &mut keys, &parts)
                && code != "structure"
            {
                seen.code(&code);
            }
        }
        let genesis = genesis::assemble(seed, &parts);
        Run {
            random,
            keys,
            memory: Memory::default(),
            mood,
            words: Words::default(),
            blocks: Blocks::new(&genesis, again, seed <= STRANGERS),
            seen,
            log,
        }
    }

    /// Goes on to a step; a walk from there is the same however often it begins.
    pub(super) fn go_to(&mut self, steps: u32) {
        while self.seen.steps < steps && self.blocks.goes_on() {
            self.turn();
        }
    }

    /// Whoever acts in a block at this time.
    pub(super) fn hand(&mut self, now: LedgerTime) -> Hand<'_> {
        Hand {
            t: self.blocks.ledger.tables(),
            chain: self.blocks.ledger.chain(),
            now,
            height: self.blocks.ledger.height().next(),
            random: &mut self.random,
            keys: &mut self.keys,
            memory: &mut self.memory,
            mood: &self.mood,
        }
    }

    /// One turn: time passes, or some records are offered.
    fn turn(&mut self) {
        let tip = self.blocks.time();
        let next = self.blocks.ledger.next_deadline();
        let words = std::mem::take(&mut self.words);
        let mut hand = self.hand(tip);
        let mut deck = acts::deck(&hand);
        if let Some(time) = passes(&mut hand, next, deck.goals, deck.urgent) {
            self.words = words;
            self.block(time, &[], &[]);
            return;
        }
        let time = tip.plus_ms(soon(hand.random));
        hand.now = time;
        let count = *hand.random.pick(&[1, 2, 3, 4, 5, 6]).unwrap();
        let (mut drafts, mut records) = (Vec::new(), Vec::new());
        for at in 0..count + 4 {
            let follows = hand.follows();
            let twists = follows.is_none();
            let make = match follows {
                Some(make) => Some(make),
                None if at < count => deck.draw(hand.random),
                None => break,
            };
            let Some(draft) = make.and_then(|make| make(&mut hand)) else {
                continue;
            };
            if draft.signers.is_empty() {
                continue;
            }
            // Nobody runs against the same wall for ever.
            let tried = hand.memory.vain.get(&name_of(&draft.body));
            let tried = tried.copied().unwrap_or(0);
            if twists && tried > 3 && hand.random.percent((15 * tried).min(95)) {
                continue;
            }
            let twisted = twists && hand.random.percent(hand.mood.twist);
            let (draft, record) = if twisted && hand.random.percent(25) {
                let record = twist::envelope(&mut hand, &draft);
                (draft, record)
            } else {
                let draft = if twisted {
                    twist::draft(&mut hand, draft, &words)
                } else {
                    draft
                };
                let payload = hand.payload(&draft);
                let record = hand.sign(payload, &draft.signers);
                (draft, record)
            };
            drafts.push(draft);
            records.push(record);
        }
        self.words = words;
        if !records.is_empty() {
            self.block(time, &drafts, &records);
        }
    }

    /// The next block. Returns which records were refused, by their place, and what was said of each.
    pub(super) fn block(
        &mut self,
        time: LedgerTime,
        drafts: &[Draft],
        records: &[Record],
    ) -> Vec<(usize, String)> {
        let mut system = self.blocks.system(&self.keys);
        if self.random.percent(2) {
            let evidence = self.blocks.evidence(&self.keys, &mut self.random);
            system.evidence.extend(evidence);
        }
        if records.len() == 1 && self.random.percent(10) {
            self.dry_run(time, &records[0]);
        }
        let offence = !system.evidence.is_empty();
        let done = match self.blocks.block(system, time, records) {
            Ok(done) => done,
            // The offence is in the log already, or its height is not decided, or the block is a
            // handover: it has no evidence then.
            Err(error) if offence => {
                assert!(
                    error.to_string().contains("evidence")
                        || error.to_string().contains("validator"),
                    "{error}"
                );
                let system = self.blocks.system(&self.keys);
                self.blocks.block(system, time, records).unwrap()
            }
            Err(error) => panic!("a block of the run is not valid: {error}"),
        };
        self.seen.blocks += 1;
        for event in &done.events {
            if self.log {
                println!("      clock: {:?}", event.body);
            }
            if let EventBody::MotionVoid { code, .. } = &event.body {
                let code = code.to_string();
                self.seen.code(&code);
            }
        }
        // A block with left-over deadlines, or a handover, takes no records: they come again.
        if done.built.taken == 0 && !records.is_empty() {
            return self.block(time.plus_ms(1), drafts, records);
        }
        self.count(drafts, records, &done.built)
    }

    fn count(
        &mut self,
        drafts: &[Draft],
        records: &[Record],
        built: &rollbook_core::ledger::Built,
    ) -> Vec<(usize, String)> {
        let mut said = Vec::new();
        assert_eq!(built.taken, records.len());
        let (mut applied, mut refused) = (built.execution.outcomes.iter(), built.refused.iter());
        let (mut next, mut wrong) = (applied.next(), refused.next());
        for (at, (draft, record)) in drafts.iter().zip(records).enumerate() {
            self.seen.steps += 1;
            STEP.set(self.seen.steps);
            let id = record.id();
            let body = &record.payload.body;
            let act = name_of(body);
            let counts = self.seen.acts.entry(act.clone()).or_default();
            let vain = self.memory.vain.entry(act.clone()).or_default();
            // A record that is offered twice in a block is refused the second time.
            if let Some((_, outcome)) = next.filter(|(known, _)| *known == id) {
                next = applied.next();
                match outcome {
                    Outcome::Applied => {
                        *vain = 0;
                        counts.applied += 1;
                        self.seen.applied += 1;
                        self.words.learn(&serde_json::to_value(body).unwrap());
                        let draft = Draft {
                            body: body.clone(),
                            ..draft.clone()
                        };
                        self.memory.remember(draft, record.clone());
                    }
                    Outcome::NotCounted(reason) => {
                        counts.not_counted += 1;
                        self.seen.code(&format!("{reason:?}"));
                    }
                }
                self.tell(&act, &format!("{outcome:?}"));
            } else {
                let (known, refusal) = wrong.expect("a record is in the block or refused");
                assert_eq!(*known, id);
                wrong = refused.next();
                counts.refused += 1;
                *vain += 1;
                self.seen.code(refusal.code);
                said.push((at, refusal.to_string()));
                self.tell(&act, &refusal.to_string());
            }
        }
        said
    }

    fn damage(&mut self) {
        let history = self.blocks.history(&self.keys);
        assert!(history.audit().is_sound());
        // Draws of its own: a run is the same whether it is damaged or not.
        let mut random = Random::new(history.frames.len() as u64);
        for kind in 0..KINDS {
            let mut damaged = history.clone();
            damaged.damage(kind, &mut random);
            for finding in damaged.audit().findings {
                self.seen.code(finding.code);
            }
        }
    }

    fn tell(&self, act: &str, what: &str) {
        if self.log {
            let (step, height) = (self.seen.steps, self.blocks.ledger.height());
            println!("{step:5} block {height} {act}: {what}");
        }
    }

    /// What a node says before a record is in a block is what the block says.
    fn dry_run(&mut self, time: LedgerTime, record: &Record) {
        let root = self.blocks.ledger.state().root();
        let verifier = &mut self.blocks.verifier;
        let mut bytes = encode(record);
        let _ = self.blocks.ledger.admit(&bytes, time, verifier);
        let at = self.random.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << self.random.below(8);
        if let Err(refusal) = self.blocks.ledger.admit(&bytes, time, verifier) {
            self.seen.code(refusal.code);
        }
        assert_eq!(self.blocks.ledger.state().root(), root);
    }
}

/// How soon the next records come.
fn soon(random: &mut Random) -> u64 {
    match random.below(10) {
        0 => random.between(1, 20),
        1..7 => random.between(1_000, 20 * 60_000),
        _ => random.between(1, 6) * MS_PER_HOUR,
    }
}

/// Whether time passes now without records, and to when: to the next deadline and just past it, some
/// days, months. The less there is to do, the sooner.
fn passes(
    hand: &mut Hand,
    next: Option<LedgerTime>,
    goals: usize,
    urgent: usize,
) -> Option<LedgerTime> {
    let now = hand.now;
    if goals > 0
        && hand
            .t
            .chain
            .get(&0)
            .is_some_and(|facts| facts.founders_missing > 0)
    {
        return None;
    }
    if urgent == 0 && hand.random.percent(hand.mood.months) {
        return Some(now.plus_ms(hand.random.between(20, 70) * MS_PER_DAY));
    }
    let percent = match (urgent, goals) {
        (0, 0) => 85,
        (0, _) if hand.mood.grants => 45,
        (0, 1..3) => 30,
        (0, 3..8) => 8,
        (0, _) => 4,
        (1..4, _) => 15,
        _ => 4,
    };
    if !hand.random.percent(percent) {
        return None;
    }
    // A day that somebody named by mistake may lie far ahead.
    let near = next.filter(|due| *due < now.plus_ms(400 * MS_PER_DAY));
    let deadline = near.map(|due| due.plus_ms(hand.random.below(3)));
    match hand.random.below(10) {
        0 => Some(now.plus_ms(hand.random.between(1, 4) * MS_PER_DAY)),
        1 => Some(now.plus_ms(hand.random.between(1, 30) * MS_PER_HOUR)),
        _ => deadline.or(Some(now.plus_ms(MS_PER_DAY))),
    }
}
