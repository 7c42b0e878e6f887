//! What honest nodes pass on to each other, and what that is taken for (RULINGS A40): nobody is struck for
//! what it could not know.

use rollbook_core::record::Record;
use rollbook_node::replica::message::{Envelope, Frame};
use rollbook_node::replica::{App as _, Effect, Input, Worth};
use rollbook_proof::chain::VoteKind;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::Signature;
use rollbook_proof::number::{Height, OrganisationId};

use super::attacks::{Adjust, expect, plan};
use super::chain::{ChainApp, TOGGLE};
use super::lone::Lone;

const HOUR_MS: u64 = 3_600_000;

/// The same chain twice: a node that is one block back, and one that is level with the peers.
fn pair(adjust: Adjust<'_>, grown: impl Fn(&mut Lone<ChainApp>)) -> [Lone<ChainApp>; 2] {
    [1, 0].map(|back| {
        let mut lone: Lone<ChainApp> = Lone::new(&plan(4, 6), 3, adjust);
        grown(&mut lone);
        lone.start(lone.blocks.len() - back, true);
        lone
    })
}

/// A node takes a frame of the next height for genuine and passes it on; the one that has begun this
/// height must not call it forged.
fn passed_on(pair: &mut [Lone<ChainApp>; 2], what: &str, frame: &Frame) -> Result<(), String> {
    let [back, level] = pair.each_mut().map(|lone| lone.worth(frame));
    expect(matches!(back, Worth::Genuine(..)), || {
        format!("{what}: {back:?} a height back")
    })?;
    expect(level == Worth::Unknown, || {
        format!("{what}: {level:?} at its height, so whoever passed it on is struck")
    })
}

/// A proposal of a seat whose turn it is not, a vote and a cosignature of a seat that a handover has
/// taken: one that is a height back cannot know. Signatures that nobody made strike all the same.
pub fn what_a_node_a_height_back_passes_on(adjust: Adjust<'_>) -> Result<(), String> {
    let mut both = pair(adjust, |lone| lone.grow(2));
    let level = &mut both[1];
    let (seal, _) = level.build(level.wall() + 1_000, &[]);
    let (turn, other) = (level.proposer(0), level.proposer(1));
    let genuine = level.proposal_of(turn, 0, None, &seal);
    let early = level.proposal_of(other, 0, None, &seal);
    expect(matches!(level.worth(&genuine), Worth::Genuine(..)), || {
        format!("whose turn it is: {:?}", level.worth(&genuine))
    })?;
    passed_on(&mut both, "out of turn", &early)?;
    let level = &mut both[1];
    let mut forged = level.vote(turn, VoteKind::Prevote, 0, None);
    forged.vote.validator = OrganisationId(other);
    let forged = Frame::Vote(forged);
    expect(level.worth(&forged) == Worth::Forged, || {
        format!("a forged vote: {:?}", level.worth(&forged))
    })?;
    let Frame::Proposal { mut proposal, seal } = genuine else {
        return Err("no proposal".into());
    };
    proposal.facts.validator = OrganisationId(other);
    let forged = Frame::Proposal { proposal, seal };
    expect(level.worth(&forged) == Worth::Forged, || {
        format!("a forged proposal: {:?}", level.worth(&forged))
    })?;

    // Seat 2 goes.
    let gone = |lone: &Lone<ChainApp>| {
        let seats = lone.ledger.validators();
        seats.iter().all(|seat| seat.organisation.0 != 2)
    };
    let toggle = |lone: &mut Lone<ChainApp>, who: u32, number: u64| {
        let until = lone.wall() + 1_000 * HOUR_MS;
        let bytes = lone.genesis().record(TOGGLE + who, number, until);
        lone.decide_next(&[decode(&bytes).expect("the suite's own record")]);
    };
    let handover = |lone: &mut Lone<ChainApp>| {
        toggle(lone, 5, 1);
        lone.grow(3);
        toggle(lone, 2, 2);
        while !gone(lone) {
            lone.decide_next(&[]);
        }
    };
    let mut both = pair(adjust, handover);
    let before = both[1].ledger.tip_validators();
    assert!(before.iter().any(|seat| seat.organisation.0 == 2));
    let vote = Frame::Vote(both[1].vote(2, VoteKind::Prevote, 0, None));
    passed_on(&mut both, "a vote of the seat that has gone", &vote)?;

    let mut both = pair(adjust, |lone| {
        handover(lone);
        lone.decide_next(&[]);
    });
    let late = Frame::Cosign(both[1].cosignature(2));
    let level = both[1].worth(&late);
    expect(level == Worth::Unknown, || {
        format!("a cosignature of the seat that has gone: {level:?}")
    })
}

/// A record that is known here comes again under a signature that nobody made, beside news: an id does not
/// cover signatures, so whoever passed the batch on would be struck by those who do not know it.
pub fn a_mixed_batch(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone: Lone<ChainApp> = Lone::new(&plan(4, 6), 3, adjust);
    lone.start(0, true);
    let until = lone.wall() + 1_000 * HOUR_MS;
    let mut number = 0;
    let mut record = |lone: &Lone<ChainApp>, organisation| -> Record {
        number += 1;
        let bytes = lone.genesis().record(organisation, number, until);
        decode(&bytes).expect("the suite's own record")
    };
    let known = record(&lone, 5);
    let mut spoilt = known.clone();
    let Signature::Ed25519(bytes) = &mut spoilt.signatures[0].signature;
    bytes[0] ^= 1;
    let decided = record(&lone, 5);
    let heard = |lone: &mut Lone<ChainApp>, records: Vec<Record>| {
        let batch = records.into_iter().map(Envelope::of).collect();
        lone.step(Input::Records(batch));
        let heard = lone.said.iter().rev().find_map(|effect| match effect {
            Effect::Heard {
                taken,
                forged,
                unjudged,
            } => Some((*taken, *forged, *unjudged)),
            _ => None,
        });
        heard.expect("a batch is answered for")
    };
    let first = vec![known.clone(), decided.clone()];
    let mut forged = record(&lone, 6);
    forged.signatures = spoilt.signatures.clone();
    let [one, two, three] = [(); 3].map(|()| record(&lone, 6));
    for (what, records, expected) in [
        ("news", first, (2, 0, 0)),
        ("what is known, once more", vec![known.clone()], (0, 0, 0)),
        (
            "a copy under another signature",
            vec![one, spoilt.clone()],
            (1, 0, 1),
        ),
        ("what is known, beside news", vec![two, known], (1, 0, 0)),
        ("forged", vec![forged], (0, 1, 0)),
    ] {
        let found = heard(&mut lone, records);
        expect(found == expected, || format!("{what}: {found:?}"))?;
    }
    // The others decide one of them.
    lone.decide_next(std::slice::from_ref(&decided));
    lone.pass(3_000);
    expect(lone.status().tip == Height(1), || {
        format!("{:?}", lone.status())
    })?;
    let mut again = decided.clone();
    again.signatures = spoilt.signatures;
    for (what, records, expected) in [
        ("what is decided, once more", vec![decided], (0, 0, 0)),
        (
            "what is decided, under another signature",
            vec![three, again],
            (1, 0, 1),
        ),
    ] {
        let found = heard(&mut lone, records);
        expect(found == expected, || format!("{what}: {found:?}"))?;
    }
    Ok(())
}

/// A peer that comes and goes four times a second does not keep the others from hearing what they missed.
pub fn a_peer_that_comes_and_goes(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone: Lone<ChainApp> = Lone::new(&plan(4, 4), 3, adjust);
    lone.start(0, true);
    lone.pass(500);
    let (seal, _) = lone.build(lone.wall(), &[]);
    lone.hear(lone.proposal(0, None, &seal));
    lone.pass(100);
    let own = |lone: &Lone<ChainApp>| {
        let own = lone.said.iter().filter(|effect| {
            let Effect::Broadcast(bytes) = effect else {
                return false;
            };
            matches!(decode(bytes), Ok(Frame::Vote(signed)) if signed.vote.validator.0 == 3)
        });
        own.count()
    };
    let voted = own(&lone);
    expect(voted > 0, || "it has not voted".into())?;
    // Shorter than the pause after which the core repeats by itself.
    for _ in 0..3 {
        for peers in [vec![1, 4], vec![1, 2, 4]] {
            lone.step(Input::Peers(peers));
            lone.pass(125);
        }
    }
    expect(own(&lone) > voted, || {
        "its vote is not repeated for whoever has come".into()
    })
}
