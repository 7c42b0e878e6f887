//! What a block may hold beside records, and when it may be (RULINGS A37): on the real ledger, both
//! where a proposer builds and where everybody else executes.

use rollbook_core::block::{BlockBody, SystemSection};
use rollbook_core::identity::Role;
use rollbook_core::ledger::BlockError;
use rollbook_core::record::{Body, NodeAct};
use rollbook_proof::chain::{
    Certificate, Evidence, LeafTag, ProposalFacts, SignedProposal, SignedVote, Vote, VoteKind,
};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, KeyKind, sha256};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
use rollbook_sandbox::alliance::{OPENED_MS, node_keys};
use rollbook_sandbox::keys::{node_key, officers_of};
use rollbook_tests::alliance::{Alliance, place, sample};
use rollbook_tests::writer::Writer;

fn writer(seed: &[u8]) -> Writer {
    Writer::founded(Alliance::new(seed, 9, 4))
}

/// A vote that `accused` is said to have cast at height 1, signed by the key of `signer`.
fn vote(writer: &Writer, accused: u32, signer: u32, round: u32, block: &[u8]) -> SignedVote {
    let vote = Vote {
        kind: VoteKind::Prevote,
        height: Height(1),
        round,
        block: Some(sha256(block)),
        validator: OrganisationId(accused),
    };
    let key = node_key(&writer.alliance.signer.seed, signer, KeyKind::Consensus);
    SignedVote {
        signature: vote.sign(&writer.alliance.chain(), &key),
        vote,
    }
}

fn double_vote(
    writer: &Writer,
    accused: u32,
    signer: u32,
    round: u32,
    blocks: [&[u8]; 2],
) -> Evidence {
    let [first, second] = blocks.map(|block| vote(writer, accused, signer, round, block));
    Evidence::of_votes(first, second).unwrap()
}

/// What the ledger says to a block with this evidence: where it is built, and where it is executed.
fn accuse(writer: &mut Writer, evidence: Evidence) -> Result<(), String> {
    let section = SystemSection {
        evidence: vec![evidence],
        ..writer.system()
    };
    // A block that somebody else built: the ledger judges its evidence before it compares its roots.
    let body = encode(&BlockBody {
        system: section.clone(),
        records: Vec::new(),
    });
    let mut seal = writer.ledger.tip().seal.clone();
    seal.parent = writer.ledger.tip().block;
    seal.height = seal.height.next();
    seal.time_ms = LedgerTime(writer.now());
    seal.body = sha256(&body);
    let executed = writer.second.execute(&body, &seal, &mut writer.verifier);
    let told = match executed {
        Err(BlockError::System { why, .. }) => Some(why),
        Err(BlockError::Field { .. }) => None,
        other => panic!("{other:?}"),
    };
    let built = writer.try_block(section, writer.now(), &[]);
    match (built, told) {
        (Ok(block), None) => {
            let tags = block
                .leaves
                .iter()
                .filter_map(|leaf| LeafTag::split(&leaf.clear));
            assert_eq!(tags.filter(|(tag, _)| *tag == LeafTag::Evidence).count(), 1);
            Ok(())
        }
        (Err(BlockError::System { why, .. }), Some(told)) => {
            assert_eq!(why, told);
            Err(why)
        }
        (built, told) => panic!("built: {:?}, executed: {told:?}", built.err()),
    }
}

#[test]
fn nobody_frames_an_honest_validator() {
    let mut writer = writer(b"evidence");
    writer.submit(&[]);
    let blocks: [&[u8]; 2] = [b"one block", b"another"];
    // Two statements under the accused's name that another key signed.
    let framed = double_vote(&writer, 3, 2, 0, blocks);
    let refused = accuse(&mut writer, framed);
    assert_eq!(
        refused,
        Err("a signature of the evidence does not verify".into())
    );
    // One real statement, and one with a bit turned.
    let mut half = double_vote(&writer, 3, 3, 0, blocks);
    if let Evidence::DoubleVote { second, .. } = &mut half {
        second.signature = vote(&writer, 3, 3, 0, b"a third").signature;
    }
    let refused = accuse(&mut writer, half);
    assert_eq!(
        refused,
        Err("a signature of the evidence does not verify".into())
    );
    // Somebody who had no seat at the height, with a key that is really its own.
    let stranger = double_vote(&writer, 5, 5, 0, blocks);
    let refused = accuse(&mut writer, stranger);
    assert_eq!(refused, Err("organisation 5 was no validator then".into()));
    // Statements of another alliance, by the accused's own key.
    let facts = |block: &[u8]| {
        let facts = ProposalFacts {
            height: Height(1),
            round: 0,
            block: sha256(block),
            valid_round: None,
            validator: OrganisationId(3),
        };
        let key = node_key(&writer.alliance.signer.seed, 3, KeyKind::Consensus);
        SignedProposal {
            signature: facts.sign(&Hash::ZERO, &key),
            facts,
        }
    };
    let elsewhere = Evidence::of_proposals(facts(blocks[0]), facts(blocks[1])).unwrap();
    let refused = accuse(&mut writer, elsewhere);
    assert_eq!(
        refused,
        Err("a signature of the evidence does not verify".into())
    );
}

#[test]
fn one_offence_is_recorded_once_and_another_round_is_another_offence() {
    let mut writer = writer(b"offence");
    writer.submit(&[]);
    let first = double_vote(&writer, 3, 3, 0, [b"a", b"b"]);
    assert_eq!(accuse(&mut writer, first.clone()), Ok(()));
    // Neither the same bytes again nor a third statement of the same slot is news: a validator that
    // said a hundred things in one round fills no log.
    let again = "evidence of this offence is in the log already";
    let third = double_vote(&writer, 3, 3, 0, [b"a", b"c"]);
    for known in [first, third] {
        assert_eq!(accuse(&mut writer, known), Err(again.into()));
    }
    let next_round = double_vote(&writer, 3, 3, 1, [b"a", b"b"]);
    assert_eq!(accuse(&mut writer, next_round), Ok(()));
}

#[test]
fn no_block_is_later_than_the_year_9999() {
    let mut writer = writer(b"time");
    writer.submit(&[]);
    let after = LedgerTime::LAST.0 + 1;
    for time in [after, u64::MAX] {
        let built = writer.try_block(writer.system(), time, &[]);
        assert!(
            matches!(
                built,
                Err(BlockError::Field {
                    field: "time_ms",
                    ..
                })
            ),
            "{time}: {:?}",
            built.err()
        );
        let mut seal = writer.ledger.tip().seal.clone();
        seal.time_ms = LedgerTime(time);
        assert!(decode::<rollbook_proof::chain::Seal>(&encode(&seal)).is_err());
        // Nor is any sum on a number that a stranger's seal brings an overflow.
        seal.first_leaf = u64::MAX;
        assert_eq!(seal.checkpoint_size(), u64::MAX);
    }
    // The refused block has left nothing behind.
    writer.submit(&[]);
}

/// Certificate of the tip by these validators alone.
fn certified_by(writer: &Writer, signers: &[OrganisationId]) -> Certificate {
    let (height, block) = (writer.ledger.height(), writer.ledger.tip().block);
    let sign = |who: &OrganisationId| {
        let vote = Vote {
            kind: VoteKind::Precommit,
            height,
            round: 0,
            block: Some(block),
            validator: *who,
        };
        let key = node_key(&writer.alliance.signer.seed, who.0, KeyKind::Consensus);
        (*who, vote.sign(&writer.alliance.chain(), &key))
    };
    Certificate {
        height,
        round: 0,
        block,
        signatures: signers.iter().map(sign).collect(),
    }
}

/// Of seven validators one wants to go and a company wants its seat. A handover needs a quorum of
/// living validators among those that stay: with two that have not signed for long nobody goes and
/// nobody comes, with one both.
#[test]
fn a17_a_handover_leaves_a_living_quorum() {
    for (silent, changes) in [(2, false), (1, true)] {
        let mut sample = sample(b"a living quorum", 8, 7);
        sample.charter.chain.handover_blocks = 8;
        sample.charter.chain.alive_blocks = 4;
        let mut alliance = Alliance::of(&sample);
        let chain = alliance.chain();
        let mut records = alliance.found(OPENED_MS);
        let keys = node_keys(Some(&chain), b"a living quorum", 8, &place(8));
        for (who, act) in [
            (8, NodeAct::Register(keys)),
            (8, NodeAct::Ready),
            (7, NodeAct::Leave),
        ] {
            let operator = (officers_of(who).0, Role::NodeOperator);
            let body = Body::Node(act);
            records.push(alliance.signer.record(who, &[operator], OPENED_MS, body));
        }
        let mut writer = Writer::new(alliance);
        assert!(writer.block(OPENED_MS + 1, &records).refused.is_empty());
        let signers: Vec<OrganisationId> = (silent + 1..=7).map(OrganisationId).collect();
        while writer.ledger.height() < Height(12) && !writer.ledger.needs_handover_checkpoint() {
            let section = SystemSection {
                parent_certificate: Some(certified_by(&writer, &signers)),
                ..writer.system()
            };
            let time = writer.now();
            writer.try_block(section, time, &[]).unwrap();
        }
        let seats = writer.ledger.validators();
        let seated = |who: u32| seats.iter().any(|v| v.validator == OrganisationId(who));
        assert_eq!(
            (seated(7), seated(8)),
            (!changes, changes),
            "{silent} are silent"
        );
        if changes {
            // What was signed at height 1 is judged by the seats and keys of then.
            let gone = double_vote(&writer, 7, 7, 0, [b"a", b"b"]);
            assert_eq!(accuse(&mut writer, gone), Ok(()));
            let newcomer = double_vote(&writer, 8, 8, 0, [b"a", b"b"]);
            let stranger = "organisation 8 was no validator then";
            assert_eq!(accuse(&mut writer, newcomer), Err(stranger.into()));
        }
    }
}
