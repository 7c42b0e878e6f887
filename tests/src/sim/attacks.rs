//! What one bad validator, one bad member or a bad day must not be able to do, attack by attack. Each
//! says what went wrong, if anything did. `tests/tests/kernel.rs` expects nothing to; the suites of
//! planted faults take the mend back and expect these words.

use rollbook_core::block::{BODY_MAX_RECORDS, BlockBody};
use rollbook_node::replica::message::{Envelope, Frame, Request, Response, SignedStatement};
use rollbook_node::replica::{App as _, Effect, Input, ReplicaConfig};
use rollbook_proof::chain::VoteKind;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, KeyKind};
use rollbook_proof::log::Checkpoint;
use rollbook_proof::number::{Height, OrganisationId};

use super::chain::{ChainApp, TOGGLE};
use super::ledger::{RealLedger, SimLedger};
use super::lone::{Lone, Reply};
use super::plan::Plan;
use super::random::Random;
use super::world::World;

/// Settings of the replica under attack.
pub type Adjust<'a> = &'a dyn Fn(&mut ReplicaConfig);

const HOUR_MS: u64 = 3_600_000;

pub(super) fn plan(validators: u32, nodes: u32) -> Plan {
    Plan {
        validators,
        nodes,
        ..Plan::quiet(1)
    }
}

pub(super) fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// A validator of four that is nobody's proposer in rounds 0 and 1 of height 1.
fn bystander(adjust: Adjust<'_>) -> Lone<RealLedger> {
    let peers: Lone<RealLedger> = Lone::new(&plan(4, 4), 1, adjust);
    let me = peers.proposer(2);
    let mut lone = Lone::new(&plan(4, 4), me, adjust);
    lone.start(0, true);
    lone.pass(500);
    lone
}

/// A proposer sends the block of an hour ahead first for a round to come, or with a valid round, and
/// then for the present one: the core pairs block and proposal across rounds.
pub fn time_is_judged_by_the_message(adjust: Adjust<'_>) -> Result<(), String> {
    for before in [None, Some((4, None)), Some((4, Some(0)))] {
        let mut lone = bystander(adjust);
        let (seal, _) = lone.build(lone.wall() + HOUR_MS, &[]);
        if let Some((round, valid_round)) = before {
            lone.hear(lone.proposal(round, valid_round, &seal));
            lone.pass(100);
        }
        lone.hear(lone.proposal(0, None, &seal));
        lone.pass(100);
        expect(lone.votes(VoteKind::Prevote).is_empty(), || {
            format!("after {before:?}: voted before the propose timeout")
        })?;
        lone.pass(1_000);
        expect(
            lone.votes(VoteKind::Prevote).first() == Some(&(Height(1), 0, None)),
            || format!("after {before:?}: {:?}", lone.votes(VoteKind::Prevote)),
        )?;
        expect(lone.status().out_of_bounds == 1, || {
            format!("not counted: {:?}", lone.status())
        })?;
        // The next round's proposer takes the same block up: it is as far ahead as before.
        lone.others_vote(VoteKind::Prevote, 0, None);
        lone.others_vote(VoteKind::Precommit, 0, None);
        lone.pass(50);
        lone.hear(lone.proposal(1, None, &seal));
        lone.pass(2_000);
        expect(
            lone.votes(VoteKind::Prevote).get(1) == Some(&(Height(1), 1, None)),
            || format!("in the next round: {:?}", lone.votes(VoteKind::Prevote)),
        )?;
        // What the others decide all the same is decided here, too.
        lone.others_vote(VoteKind::Precommit, 1, Some(seal.id()));
        lone.pass(500);
        expect(lone.status().tip == Height(1), || {
            format!("not decided with the others: {:?}", lone.status())
        })?;
    }
    // A block that fits is voted for, whatever proposal of it came first.
    let mut lone = bystander(adjust);
    let (seal, _) = lone.build(lone.wall() + 1_000, &[]);
    lone.hear(lone.proposal(4, None, &seal));
    lone.hear(lone.proposal(0, None, &seal));
    lone.pass(200);
    expect(
        lone.votes(VoteKind::Prevote) == [(Height(1), 0, Some(seal.id()))],
        || format!("a good block: {:?}", lone.votes(VoteKind::Prevote)),
    )
}

/// The ledger is 20 s ahead of the own clock: the least time after the parent's is voted for, a later
/// one is not.
pub fn a_lead_is_followed_and_never_added_to(adjust: Adjust<'_>) -> Result<(), String> {
    for (after_ms, expected) in [(1, true), (2, false)] {
        let mut lone: Lone<RealLedger> = Lone::new(&plan(4, 4), 1, adjust);
        lone.decide(lone.wall() + 20_000, &[]);
        lone.me = lone.proposer(2);
        lone.start(1, true);
        lone.pass(500);
        let parent = lone.blocks[0].seal.time_ms;
        let (seal, _) = lone.build(parent.0 + after_ms, &[]);
        lone.hear(lone.proposal(0, None, &seal));
        lone.pass(300);
        let voted = lone.votes(VoteKind::Prevote) == [(Height(2), 0, Some(seal.id()))];
        expect(voted == expected, || {
            format!("{after_ms} ms: {:?}", lone.votes(VoteKind::Prevote))
        })?;
    }
    Ok(())
}

/// One proposer always tries for the latest time: its own clock shows it, every other time counted from
/// the newest block. However long that goes on, no block is further ahead of the honest clocks than one
/// proposal may be. The simulator looks at every block.
pub fn a_lead_never_grows(adjust: Adjust<'_>) -> Result<(), String> {
    let plan = Plan {
        records_every: 50,
        end: 240_000,
        ..Plan::quiet(3)
    };
    let world: World<ChainApp> = World::new(plan).adjusted(|config| adjust(config));
    let outcome = world.with_greedy_clock(0).run(false)?;
    expect(outcome.height >= 1_000, || {
        format!("{} blocks", outcome.height)
    })?;
    expect(
        outcome.marks.contains_key("step with a proposal withheld"),
        || format!("it never tried for too much: {:?}", outcome.marks),
    )
}

/// The validator with the lowest number cosigns with a time that no rule accepts, across a handover
/// of the real ledger.
pub fn a_poisoned_cosignature(adjust: Adjust<'_>) -> Result<(), String> {
    let plan = Plan {
        records_every: 300,
        end: 45_000,
        ..plan(4, 5)
    };
    let world: World<RealLedger> = World::with_ledger(plan)
        .adjusted(|config| {
            config.heartbeat_ms = 1_500;
            config.idle_grace_ms = 500;
            adjust(config);
        })
        .with_liar(0, |keypair, app: &RealLedger, effect| {
            let Effect::Broadcast(bytes) = &effect else {
                return vec![effect];
            };
            let Ok(Frame::Cosign(mut cosignature)) = decode::<Frame>(bytes) else {
                return vec![effect];
            };
            let checkpoint = Checkpoint {
                origin: app.checkpoint().origin,
                size: cosignature.size,
                root: cosignature.root,
            };
            cosignature.time_s = 1 << 63;
            cosignature.signature = checkpoint.cosign(&keypair(KeyKind::Cosigner), 1 << 63);
            vec![Effect::Broadcast(encode(&Frame::Cosign(cosignature)))]
        });
    let outcome = world.run(false)?;
    let handovers = outcome.marks.get("handover").copied().unwrap_or(0);
    expect(handovers > 0, || format!("no handover: {outcome:?}"))
}

/// Two hundred acts of which one applies, by one operator, more than one look at the pool finds.
pub fn records_that_do_not_apply(adjust: Adjust<'_>) -> Result<(), String> {
    let end = 45_000;
    let plan = Plan {
        records_every: 1,
        zombies: 200,
        end,
        ..plan(4, 5)
    };
    let opened = {
        let genesis = RealLedger::genesis(&plan);
        RealLedger::facts(&genesis).1
    };
    let world: World<RealLedger> = World::with_ledger(plan).adjusted(|config| {
        let sim = config.timeouts;
        *config = ReplicaConfig::default();
        config.timeouts = sim;
        adjust(config);
    });
    let outcome = world.run(false)?;
    expect(
        outcome.marks.contains_key("parked") || outcome.times.len() > 100,
        || format!("nothing was ever parked: {:?}", outcome.marks),
    )?;
    // Records are handed in until 25 s before the end. Fifteen seconds later nothing is left to
    // decide.
    let late = outcome.times.iter().filter(|t| **t > opened + end - 10_000);
    let late = late.count();
    expect(late == 0, || {
        format!("{late} blocks in 10 s in which nothing applied")
    })
}

/// One member has more records in the pool than a body holds when another one hands in one: it is in the
/// next block all the same.
pub fn a_flood_of_one_member(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone: Lone<ChainApp> = Lone::new(&plan(4, 6), 3, adjust);
    lone.start(0, true);
    lone.pass(500);
    let until = lone.wall() + 1_000 * HOUR_MS;
    let flood = (1..=BODY_MAX_RECORDS as u64 + 100).map(|number| (5, number));
    let mut last = Hash::ZERO;
    for (who, number) in flood.chain([(6, 1_000_000)]) {
        let bytes = lone.genesis().record(who, number, until);
        let envelope = Envelope::decode(bytes).expect("the suite's own record");
        last = envelope.id();
        lone.step(Input::Submit {
            tag: number,
            envelope,
        });
    }
    // The others have decided block 1 without it; block 2 is its turn.
    lone.decide_next(&[]);
    assert_eq!(lone.proposer(0), 3);
    lone.pass(3_000);
    let proposed = lone.said.iter().find_map(|effect| match effect {
        Effect::Broadcast(bytes) => match decode::<Frame>(bytes) {
            Ok(Frame::Proposal { seal, .. }) if seal.height == Height(2) => Some(seal.id()),
            _ => None,
        },
        _ => None,
    });
    let block = proposed.ok_or("it proposes nothing")?;
    lone.step(Input::Request {
        from: 1,
        id: 77,
        request: Request::Body {
            block,
            height: Height(2),
        },
    });
    let told = lone.said.iter().find_map(|effect| match effect {
        Effect::Respond { id: 77, bytes, .. } => decode::<Response>(bytes).ok(),
        _ => None,
    });
    let Some(Response::Body(Some((_, body)))) = told else {
        return Err("no body".into());
    };
    let records = decode::<BlockBody>(&body).expect("its own body").records;
    expect(records.len() > BODY_MAX_RECORDS / 2, || {
        format!("{} records", records.len())
    })?;
    expect(records.iter().any(|record| record.id() == last), || {
        "the other member's record is not in the block".into()
    })
}

/// A peer that claims to be further than anybody and answers with what was not asked for, and one
/// that gives one block every half a minute. The returning node is level in ten seconds all the same.
pub fn lying_and_slow_peers(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone: Lone<RealLedger> = Lone::new(&plan(4, 6), 4, adjust);
    lone.grow(40);
    let first = lone.blocks[0].clone();
    let all = lone.blocks.clone();
    // Tips are asked of 1 first, then of 2: the liar has its chance before anybody else.
    lone.liars.insert(
        1,
        Box::new(move |request| {
            Reply::Now(Some(match request {
                Request::Blocks { .. } => Response::Blocks(vec![first.clone()]),
                Request::Body { .. } => Response::Body(None),
                _ => Response::Tip {
                    height: Height(u64::MAX),
                    cosignatures: Vec::new(),
                },
            }))
        }),
    );
    lone.liars.insert(
        2,
        Box::new(move |request| match request {
            Request::Blocks { from } => Reply::Later(
                29_000,
                Response::Blocks(
                    all.iter()
                        .skip(from.0 as usize - 1)
                        .take(1)
                        .cloned()
                        .collect(),
                ),
            ),
            Request::Body { .. } => Reply::Now(Some(Response::Body(None))),
            Request::Newest { .. } => Reply::Now(None),
            Request::Tip | Request::Wake { .. } => Reply::Now(Some(Response::Tip {
                height: Height(40),
                cosignatures: Vec::new(),
            })),
        }),
    );
    lone.start(0, true);
    lone.pass(10_000);
    expect(lone.status().tip == Height(40), || {
        format!("after ten seconds it stands at {}", lone.status().tip)
    })?;
    // Somebody's word for a greater height keeps it from nothing.
    let cosigned = lone.said.iter().any(|effect| {
        matches!(effect, Effect::Broadcast(bytes)
            if matches!(decode(bytes), Ok(Frame::Cosign(c)) if c.height == Height(40)))
    });
    expect(cosigned, || "it does not cosign block 40".into())
}

/// Node 3 of {1, 2, 3, 4} loses its disk. Two handovers later the validators are {1, 3, 5, 6}; the
/// nodes that were replaced still run, and say that they stand where they ended.
pub fn answers_across_handovers(adjust: Adjust<'_>) -> Result<(), String> {
    for honest in [true, false] {
        let mut lone: Lone<ChainApp> = Lone::new(&plan(4, 6), 3, adjust);
        let mut sequence = 0;
        let mut toggle = |lone: &mut Lone<ChainApp>, who: u32| {
            sequence += 1;
            let bytes =
                lone.genesis()
                    .record(TOGGLE + who, sequence, lone.wall() + 1_000 * HOUR_MS);
            let record = decode(&bytes).unwrap();
            lone.decide_next(&[record]);
            lone.grow(3);
        };
        lone.grow(3);
        for who in [5, 6, 2, 4] {
            toggle(&mut lone, who);
        }
        let seats = lone.ledger.validators();
        let seats: Vec<u32> = seats.iter().map(|v| v.organisation.0).collect();
        assert_eq!(seats, [1, 3, 5, 6]);
        let tip = Height(lone.blocks.len() as u64);
        // Where the replaced ones stand; or what they say of it.
        let old = if honest { Height(3) } else { Height(0) };
        for who in [2, 4] {
            let newest = lone.newest(who, old.next(), None, true);
            let blocks = lone.blocks[..old.0 as usize].to_vec();
            lone.liars.insert(
                who,
                Box::new(move |request| {
                    Reply::Now(Some(match request {
                        Request::Newest { .. } => newest.clone(),
                        Request::Blocks { from } => Response::Blocks(
                            blocks.iter().skip(from.0 as usize - 1).cloned().collect(),
                        ),
                        Request::Body { .. } => Response::Body(None),
                        Request::Tip | Request::Wake { .. } => Response::Tip {
                            height: old,
                            cosignatures: Vec::new(),
                        },
                    }))
                }),
            );
        }
        lone.start(0, false);
        lone.pass(8_000);
        let status = lone.status();
        expect(status.tip == tip, || format!("not level: {status:?}"))?;
        expect(status.votes_from == tip.plus(3), || {
            format!(
                "at tip {tip} it votes from {}, what it signed there being unknown",
                status.votes_from
            )
        })?;
    }
    Ok(())
}

/// Of three validators every one is asked, and of two.
pub fn few_validators_ask_all(adjust: Adjust<'_>) -> Result<(), String> {
    for validators in [2, 3] {
        let mut lone: Lone<ChainApp> = Lone::new(&plan(validators, validators), 1, adjust);
        lone.grow(4);
        lone.liars.insert(
            validators,
            Box::new(|request| match request {
                Request::Newest { .. } => Reply::Now(None),
                Request::Body { .. } => Reply::Now(Some(Response::Body(None))),
                Request::Blocks { .. } => Reply::Now(Some(Response::Blocks(Vec::new()))),
                Request::Tip | Request::Wake { .. } => Reply::Now(Some(Response::Tip {
                    height: Height(0),
                    cosignatures: Vec::new(),
                })),
            }),
        );
        lone.start(4, false);
        lone.pass(5_000);
        let status = lone.status();
        expect(status.votes_from == Height(u64::MAX), || {
            format!("one of {validators} did not answer: {status:?}")
        })?;
        lone.liars.clear();
        lone.pass(5_000);
        let status = lone.status();
        expect(status.votes_from == Height(7), || {
            format!("all of {validators} answered: {status:?}")
        })?;
        let woken = lone.said.iter().any(|effect| {
            matches!(
                effect,
                Effect::Request {
                    request: Request::Wake {
                        votes_from: Height(7)
                    },
                    ..
                }
            )
        });
        expect(woken, || "it does not ask for blocks".into())?;
    }
    Ok(())
}

/// At height 0 a node with a new guard votes at once if all others say, signed, that nothing of it is
/// known; if one holds its vote, or does not sign, it does not.
pub fn height_zero(adjust: Adjust<'_>) -> Result<(), String> {
    enum Third {
        Clean,
        Unsigned,
        Holds,
        Silent,
    }
    for third in [Third::Clean, Third::Unsigned, Third::Holds, Third::Silent] {
        let mut lone: Lone<RealLedger> = Lone::new(&plan(4, 4), 1, adjust);
        lone.me = lone.proposer(2);
        let other = lone.proposer(0);
        let own = lone.vote(lone.me, VoteKind::Prevote, 0, Some(Hash([7; 32])));
        let reply = match third {
            Third::Clean => None,
            Third::Unsigned => Some(Reply::Now(Some(lone.newest(other, Height(1), None, false)))),
            Third::Holds => {
                let statement = Some(SignedStatement::Vote(own));
                Some(Reply::Now(Some(lone.newest(
                    other,
                    Height(1),
                    statement,
                    true,
                ))))
            }
            Third::Silent => Some(Reply::Never),
        };
        let votes = match third {
            Third::Clean => Height(1),
            Third::Unsigned | Third::Holds => Height(3),
            Third::Silent => Height(u64::MAX),
        };
        if let Some(reply) = reply {
            let body = lone.bodies.clone();
            lone.liars.insert(
                other,
                Box::new(move |request| match request {
                    Request::Newest { .. } => reply.clone(),
                    Request::Body { block, .. } => {
                        Reply::Now(Some(Response::Body(body.get(block).cloned())))
                    }
                    Request::Blocks { .. } => Reply::Now(Some(Response::Blocks(Vec::new()))),
                    Request::Tip | Request::Wake { .. } => Reply::Now(Some(Response::Tip {
                        height: Height(0),
                        cosignatures: Vec::new(),
                    })),
                }),
            );
        }
        lone.start(0, false);
        lone.pass(2_000);
        let status = lone.status();
        expect(status.votes_from == votes, || {
            format!("it votes from {}, not {votes}", status.votes_from)
        })?;
        let (seal, _) = lone.build(lone.wall(), &[]);
        lone.hear(lone.proposal(0, None, &seal));
        lone.pass(2_000);
        expect(
            lone.votes(VoteKind::Prevote).is_empty() == (votes > Height(1)),
            || format!("from {votes}: {:?}", lone.votes(VoteKind::Prevote)),
        )?;
    }
    Ok(())
}

/// On a chain with a record every twenty seconds one node is restored, and half a minute later another
/// one, as a manual would have it: each is level and receipted when the next is begun.
pub fn two_restores_on_a_quiet_chain(adjust: Adjust<'_>) -> Result<(), String> {
    let plan = Plan {
        records_every: 20_000,
        end: 130_000,
        ..plan(4, 4)
    };
    let world: World<ChainApp> = World::new(plan)
        .adjusted(|config| {
            let sim = config.timeouts;
            *config = ReplicaConfig::default();
            config.timeouts = sim;
            adjust(config);
        })
        .with_loss(3, 25_000)
        .with_loss(2, 45_000);
    world.run(false).map(drop)
}

/// Somebody else signs with this node's key: it is silent for the height, votes again two heights
/// later, and says so.
pub fn a_clone(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone = bystander(adjust);
    let (seal, _) = lone.build(lone.wall(), &[]);
    let foreign = lone.vote(lone.me, VoteKind::Prevote, 0, Some(Hash([9; 32])));
    lone.hear(Frame::Vote(foreign));
    lone.hear(lone.proposal(0, None, &seal));
    lone.pass(2_000);
    let status = lone.status();
    expect(lone.votes(VoteKind::Prevote).is_empty(), || {
        format!(
            "it votes beside its clone: {:?}",
            lone.votes(VoteKind::Prevote)
        )
    })?;
    expect(status.foreign_statement == Some(Height(1)), || {
        format!("it says nothing: {status:?}")
    })?;
    expect(!status.votes && status.votes_from == Height(3), || {
        format!("{status:?}")
    })
}

/// Seven bad ones of 22 vote for blocks that do not exist, so many that the proposal of the round has
/// no place among what is remembered.
pub fn invented_ids(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone: Lone<ChainApp> = Lone::new(&plan(22, 22), 1, adjust);
    lone.me = lone.proposer(12);
    lone.start(0, true);
    lone.pass(500);
    let (seal, _) = lone.build(lone.wall(), &[]);
    let proposer = lone.proposer(0);
    let mut random = Random::new(5);
    let liars: Vec<u32> = (1..=22)
        .filter(|who| *who != lone.me && *who != proposer)
        .take(7)
        .collect();
    lone.hear(lone.proposal(0, None, &seal));
    for round in 0..=10 {
        for kind in [VoteKind::Prevote, VoteKind::Precommit] {
            for who in &liars {
                let mut id = [0xff; 32];
                id[8..16].copy_from_slice(&random.draw().to_le_bytes());
                let vote = lone.vote(*who, kind, round, Some(Hash(id)));
                lone.hear(Frame::Vote(vote));
            }
        }
    }
    lone.pass(400);
    let voted = lone.votes(VoteKind::Prevote);
    expect(
        voted.first() == Some(&(Height(1), 0, Some(seal.id()))),
        || format!("the proposal was forgotten: {voted:?}"),
    )
}

/// A vote of a height to come begins it only if its signature holds.
pub fn unsigned_frames_wake_nobody(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone = bystander(adjust);
    let mut forged = lone.vote(lone.proposer(0), VoteKind::Prevote, 0, None);
    forged.vote.validator = OrganisationId(lone.proposer(1));
    lone.hear(Frame::Vote(forged));
    lone.pass(500);
    expect(lone.status().round.is_none(), || {
        format!("a forged vote began the height: {:?}", lone.status())
    })?;
    let genuine = lone.vote(lone.proposer(0), VoteKind::Prevote, 0, None);
    lone.hear(Frame::Vote(genuine));
    lone.pass(50);
    expect(lone.status().round.is_some(), || {
        format!("a genuine vote began nothing: {:?}", lone.status())
    })
}

/// A polka certificate with f+1 prevotes locks nobody; one with a quorum does.
pub fn a_polka_needs_a_quorum(adjust: Adjust<'_>) -> Result<(), String> {
    for (signers, expected) in [(2, false), (3, true)] {
        let mut lone = bystander(adjust);
        let (seal, _) = lone.build(lone.wall(), &[]);
        lone.hear(lone.proposal(0, None, &seal));
        lone.pass(100);
        let others = (1..=4).filter(|who| *who != lone.me).take(signers);
        let signatures = others
            .map(|who| {
                let vote = lone.vote(who, VoteKind::Prevote, 0, Some(seal.id()));
                (OrganisationId(who), vote.signature)
            })
            .collect();
        lone.hear(Frame::Polka {
            height: Height(1),
            round: 0,
            block: seal.id(),
            signatures,
        });
        lone.pass(100);
        let locked = lone.votes(VoteKind::Precommit) == [(Height(1), 0, Some(seal.id()))];
        expect(locked == expected, || {
            format!("{signers} prevotes: {:?}", lone.votes(VoteKind::Precommit))
        })?;
    }
    Ok(())
}

/// A height that no certificate proves does not count, and neither does the peer that says it.
pub fn unproved_heights(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone: Lone<RealLedger> = Lone::new(&plan(4, 4), 1, adjust);
    lone.grow(4);
    let claim = lone.newest(2, Height(1_000), None, true);
    lone.liars.insert(
        2,
        Box::new(move |request| {
            Reply::Now(Some(match request {
                Request::Newest { .. } => claim.clone(),
                Request::Body { .. } => Response::Body(None),
                Request::Blocks { .. } => Response::Blocks(Vec::new()),
                Request::Tip | Request::Wake { .. } => Response::Tip {
                    height: Height(4),
                    cosignatures: Vec::new(),
                },
            }))
        }),
    );
    lone.liars.insert(3, Box::new(|_| Reply::Never));
    lone.start(4, false);
    lone.pass(3_000);
    let status = lone.status();
    expect(status.votes_from == Height(u64::MAX), || {
        format!("one honest answer is enough for it: {status:?}")
    })?;
    lone.liars.remove(&3);
    lone.again();
    lone.pass(3_000);
    let status = lone.status();
    expect(status.votes_from == Height(7), || format!("{status:?}"))
}

/// A cosignature whose log line does not hold counts for nothing.
pub fn a_cosignature_without_its_log_line(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone: Lone<RealLedger> = Lone::new(&plan(4, 4), 4, adjust);
    lone.grow(2);
    lone.start(2, true);
    lone.pass(500);
    let receipted = |lone: &Lone<RealLedger>| {
        let mut said = lone.said.iter();
        said.any(|effect| matches!(effect, Effect::Receipted(_)))
    };
    for who in [1, 2] {
        let mut cosignature = lone.cosignature(who);
        cosignature.log = cosignature.signature;
        lone.hear(Frame::Cosign(cosignature));
    }
    expect(!receipted(&lone), || "receipted without log lines".into())?;
    for who in [1, 2] {
        let cosignature = lone.cosignature(who);
        lone.hear(Frame::Cosign(cosignature));
    }
    expect(receipted(&lone), || "not receipted by three".into())
}

/// A peer shows a signature that this node's disk has forgotten. What follows from it outlives the
/// process, though nobody shows it any more.
pub fn a_second_life_remembers_the_doubt(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone: Lone<RealLedger> = Lone::new(&plan(4, 4), 1, adjust);
    lone.grow(4);
    let forgotten = lone.vote(1, VoteKind::Precommit, 3, None);
    let shown = lone.newest(2, Height(5), Some(SignedStatement::Vote(forgotten)), true);
    lone.liars.insert(
        2,
        Box::new(move |request| match request {
            Request::Newest { .. } => Reply::Now(Some(shown.clone())),
            Request::Body { .. } => Reply::Now(Some(Response::Body(None))),
            Request::Blocks { .. } => Reply::Now(Some(Response::Blocks(Vec::new()))),
            Request::Tip | Request::Wake { .. } => Reply::Now(Some(Response::Tip {
                height: Height(4),
                cosignatures: Vec::new(),
            })),
        }),
    );
    // Two answers are enough: the one that shows it has to be among them.
    lone.liars.insert(3, Box::new(|_| Reply::Never));
    lone.start(4, true);
    lone.pass(2_000);
    expect(lone.status().votes_from == Height(7), || {
        format!("the first life: {:?}", lone.status())
    })?;
    lone.liars.clear();
    lone.again();
    lone.pass(2_000);
    expect(lone.status().votes_from == Height(7), || {
        format!("the second life: {:?}", lone.status())
    })
}

/// What a node holds of another one's statements outlives its process: it is what the other one is
/// told if its disk is stale.
pub fn what_others_signed_outlives_the_process(adjust: Adjust<'_>) -> Result<(), String> {
    let mut lone = bystander(adjust);
    let voter = lone.proposer(1);
    let vote = lone.vote(voter, VoteKind::Prevote, 0, None);
    lone.hear(Frame::Vote(vote.clone()));
    // With the own vote everything logged before it is durable.
    let (seal, _) = lone.build(lone.wall(), &[]);
    lone.hear(lone.proposal(0, None, &seal));
    lone.pass(100);
    lone.again();
    lone.step(Input::Request {
        from: voter,
        id: 77,
        request: Request::Newest {
            validator: OrganisationId(voter),
        },
    });
    let told = lone.said.iter().find_map(|effect| match effect {
        Effect::Respond { id: 77, bytes, .. } => decode::<Response>(bytes).ok(),
        _ => None,
    });
    let Some(Response::Newest { statement, .. }) = told else {
        return Err("no answer".into());
    };
    expect(statement == Some(SignedStatement::Vote(vote)), || {
        format!("it has forgotten: {statement:?}")
    })
}
