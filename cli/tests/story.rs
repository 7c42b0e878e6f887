//! The demo's story on one writer: the rules of membership, funding, awards and payments together, on the shipped sample.

#![allow(clippy::unwrap_used)]

use rollbook::drafting::sample;
use rollbook::story::{self, Chapter, Rejected, Settled, Stage, Step};
use rollbook_core::apply::{Outcome, Refusal};
use rollbook_core::crypto::{Hash, Keypair};
use rollbook_core::record::Record;
use rollbook_core::state::StateTables;
use rollbook_tests::alliance::{Alliance, officer_key};
use rollbook_tests::writer::Writer;

const SEED: &str = "story";

/// A ledger without network: every submission is one block.
struct OneWriter {
    writer: Writer,
    told: Vec<String>,
}

impl Stage for OneWriter {
    fn chain(&self) -> Hash {
        self.writer.ledger.chain()
    }

    fn key(&self, person: u32) -> Keypair {
        officer_key(SEED.as_bytes(), person)
    }

    fn now(&self) -> u64 {
        self.writer.now()
    }

    fn tables(&self) -> &StateTables {
        self.writer.tables()
    }

    fn submit(&mut self, records: Vec<Record>) -> Result<Vec<Result<Settled, Rejected>>, String> {
        let block = self.writer.submit(&records);
        let height = self.writer.ledger.height();
        if !block.refused.is_empty() && records.len() > 1 {
            return Err(format!("{:?}", block.refused));
        }
        let settled = |outcome: Outcome| Ok(Settled { outcome, height });
        let rejected = |refusal: Refusal| {
            let facts = refusal.facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Err(Rejected { code: refusal.code.to_owned(), facts })
        };
        Ok(block.outcomes.into_iter().map(settled).chain(block.refused.into_iter().map(rejected)).collect())
    }

    fn advance(&mut self, to: u64) -> Result<(), String> {
        self.writer.advance(to);
        Ok(())
    }

    fn chapter(&mut self, _: Chapter) -> Result<(), String> {
        Ok(())
    }

    fn tell(&mut self, step: &Step<'_>) {
        let sentence = rollbook::messages::find(&format!("story.{}", step.key), step.facts);
        let sentence = sentence.unwrap_or_else(|| panic!("story.{} is not in the catalogue", step.key));
        assert!(!sentence.contains('{'), "{sentence}: a fact is missing");
        self.told.push(format!("{} {} {sentence}", step.height, step.rule));
    }
}

fn stage() -> OneWriter {
    let sample = sample::metaverse(SEED).unwrap();
    let mut writer = Writer::new(Alliance::adopt(SEED.as_bytes(), sample.file.genesis.clone()));
    let block = writer.submit(&sample.file.found);
    assert!(block.refused.is_empty(), "{:?}", block.refused);
    OneWriter { writer, told: Vec::new() }
}

/// The whole story runs through, in production rules and periods, to the expected balances; its export audits clean.
#[test]
fn the_story_runs_to_its_balances() {
    let mut stage = stage();
    let ending = story::play(&mut stage).unwrap_or_else(|error| panic!("{}\n{error}", stage.told.join("\n")));
    assert!(ending.refusals.len() >= 10, "{:?}", ending.refusals);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), stage.writer.export()).unwrap();
    let report = rollbook::commands::audit::audit(file.path(), Some(stage.writer.ledger.chain())).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

/// The history of protocol 1 that `tests/tests/history.rs` holds: written once, never again.
#[test]
#[ignore = "writes a kept history"]
fn write_history() {
    let mut stage = stage();
    story::play(&mut stage).unwrap();
    let export = stage.writer.export();
    let report = rollbook_tests::testnet::audit(&export, stage.writer.ledger.chain());
    rollbook_tests::history::Head::keep("protocol-1", &export, &report);
}
