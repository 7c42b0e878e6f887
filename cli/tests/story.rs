//! The demo's story on one writer: the rules of membership, funding, awards and payments together,
//! on the shipped sample; and the history that is kept of it.

#![allow(clippy::unwrap_used)]

use rollbook::drafting::sample;
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::id::{MotionId, PersonId};
use rollbook_core::identity::Role;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::record::{
    Ballot, BallotVote, Body, CharterAct, Choice, Declaration, MotionAct, MotionEffect, NodeAct,
    OfficialOrder, Payload, Proposal, RaiseProtocol, Record,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::state::StateTables;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::{Hash, Keypair, sha256};
use rollbook_proof::number::{LedgerTime, OrganisationId, ProtocolVersion};
use rollbook_sandbox::keys::officer_key;
use rollbook_sandbox::sign::{sample_nonce, signed};
use rollbook_sandbox::story;
use rollbook_sandbox::story::{Chapter, Rejected, Settled, Stage, Step};
use rollbook_tests::alliance::Alliance;
use rollbook_tests::history::Head;
use rollbook_tests::kept::{hold, hold_json};
use rollbook_tests::trace;
use rollbook_tests::writer::{Writer, text};

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
        let settled = |outcome: Outcome| {
            Ok(Settled {
                outcome,
                height: height.0,
            })
        };
        let rejected = |refusal: Refusal| {
            let facts = refusal
                .facts
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            Err(Rejected {
                code: refusal.code.to_owned(),
                facts,
            })
        };
        Ok(block
            .outcomes
            .into_iter()
            .map(settled)
            .chain(block.refused.into_iter().map(rejected))
            .collect())
    }

    fn advance(&mut self, to: u64) -> Result<(), String> {
        self.writer.advance(to);
        Ok(())
    }

    fn chapter(&mut self, _: Chapter) -> Result<(), String> {
        Ok(())
    }

    fn tell(&mut self, step: &Step<'_>) {
        let sentence = rollbook_words::catalogue::find(&format!("story.{}", step.key), step.facts);
        let sentence =
            sentence.unwrap_or_else(|| panic!("story.{} is not in the catalogue", step.key));
        assert!(!sentence.contains('{'), "{sentence}: a fact is missing");
        self.told
            .push(format!("{} {} {sentence}", step.height, step.rule));
    }
}

fn stage() -> OneWriter {
    let inputs = sample::shipped().unwrap();
    let sample = sample::found(&inputs, SEED).unwrap();
    let mut writer = Writer::new(Alliance::adopt(
        SEED.as_bytes(),
        sample.file.genesis.clone(),
    ));
    let block = writer.submit(&sample.file.found);
    assert!(block.refused.is_empty(), "{:?}", block.refused);
    OneWriter {
        writer,
        told: Vec::new(),
    }
}

/// The whole story runs through, in production rules and periods, to the expected balances; its
/// export audits clean.
#[test]
fn the_story_runs_to_its_balances() {
    let mut stage = stage();
    let ending = story::play(&mut stage)
        .unwrap_or_else(|error| panic!("{}\n{error}", stage.told.join("\n")));
    assert!(ending.refusals.len() >= 10, "{:?}", ending.refusals);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), stage.writer.export()).unwrap();
    let audited =
        rollbook::commands::audit::audit(file.path(), Some(stage.writer.ledger.chain())).unwrap();
    let report = audited.report;
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

/// A record whose sequence is the next one of its first signer, alone in a block; it must get in.
fn act(writer: &mut Writer, principal: u32, signers: &[(u32, Role)], body: Body) {
    let officer = signers[0].0;
    let sequence = writer
        .tables()
        .lanes
        .get(&(PersonId(officer), body.read_class()))
        .map_or(0, |lane| lane.highest)
        + 1;
    let valid_until_ms = writer.now() + MS_PER_DAY;
    let payload = Payload {
        chain: writer.ledger.chain(),
        principal: OrganisationId(principal),
        officer: PersonId(officer),
        sequence,
        valid_until_ms: LedgerTime(valid_until_ms),
        nonce: sample_nonce(officer, sequence),
        body,
    };
    let key = |person| officer_key(SEED.as_bytes(), person);
    let block = writer.submit(&[signed(payload, signers, key)]);
    assert!(block.refused.is_empty(), "{:?}", block.refused);
}

fn by_member(writer: &mut Writer, member: u32, body: Body) {
    let signers = writer.officers(member, &body);
    act(writer, member, &signers, body);
}

/// The amendment that puts version 2 in force at a height that this history does not reach: no build
/// of this workspace knows it.
fn raise(writer: &mut Writer) {
    let validators: Vec<u32> = writer
        .ledger
        .validators()
        .iter()
        .map(|v| v.validator.0)
        .collect();
    for validator in validators {
        let operator = writer
            .tables()
            .organisations
            .get(&OrganisationId(validator))
            .unwrap()
            .officers[0];
        act(
            writer,
            validator,
            &[(operator.0, Role::NodeOperator)],
            Body::Node(NodeAct::Support {
                protocol: ProtocolVersion(2),
            }),
        );
    }
    let from_height = writer.ledger.height().plus(1_000_000);
    let plan = RaiseProtocol {
        protocol: ProtocolVersion(2),
        from_height,
        release: text("0.2"),
    };
    let proposal = Proposal {
        effect: MotionEffect::RaiseProtocol(plan),
        ballot_days: 10,
        text: sha256(b"why"),
    };
    by_member(writer, 1, Body::Motion(MotionAct::Propose(proposal)));
    let motion = writer.newest_motion();
    for member in 2.. {
        if writer
            .tables()
            .motions
            .get(&MotionId(motion))
            .unwrap()
            .status
            != MotionStatus::Gathering
        {
            break;
        }
        by_member(
            writer,
            member,
            Body::Motion(MotionAct::Support {
                motion: MotionId(motion),
            }),
        );
    }
    for member in
        rollbook_core::rules::motion::electorate(writer.tables(), MotionId(motion)).into_keys()
    {
        let ballot = Ballot {
            motion: MotionId(motion),
            round: 1,
            replaces: Vec::new(),
            vote: BallotVote::Choice(Choice::Yes),
            criterion: None,
            declaration: Declaration::None,
            proxy_for: None,
        };
        by_member(writer, member.0, Body::Motion(MotionAct::Vote(ballot)));
    }
    writer.close(motion);
    let due = writer.due(DeadlineKind::MotionEffect, motion).unwrap();
    writer.advance(due + 1);
    let facts = writer.tables().protocols.get(&ProtocolVersion(2)).unwrap();
    assert_eq!(facts.from_height, from_height);
}

/// The secretary files a court's order.
fn file_order(writer: &mut Writer) {
    let post = writer
        .tables()
        .posts
        .iter()
        .find(|(_, post)| post.role == Role::Secretary)
        .unwrap()
        .1
        .clone();
    let order = OfficialOrder {
        authority: text("Sample district court"),
        reference: text("(2024) 12"),
        document: sha256(b"order"),
        issued_ms: LedgerTime(writer.now()),
        about: Some(OrganisationId(3)),
    };
    act(
        writer,
        post.office.0,
        &[(post.holder.0, Role::Secretary)],
        Body::Charter(CharterAct::FileOrder(order)),
    );
}

/// The history that `tests/tests/history.rs` audits: the story, then the acts on the alliance's order.
#[test]
fn kept_history() {
    let mut stage = stage();
    story::play(&mut stage).unwrap();
    raise(&mut stage.writer);
    file_order(&mut stage.writer);
    let export = stage.writer.export();
    let report = rollbook_tests::testnet::audit(&export, stage.writer.ledger.chain());
    assert!(report.is_sound(), "{:#?}", report.findings);
    let head = Head::of(&export, &report);
    hold("tests/data/history/protocol-1.rollbook", &export);
    hold_json("tests/data/history/protocol-1.json", &head);
    let trace = trace::render(&stage.writer.trace);
    hold(
        "tests/data/history/protocol-1.trace.jsonl",
        trace.as_bytes(),
    );
}
