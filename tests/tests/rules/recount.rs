//! The tally against one that was written from the published rule alone (`rollbook_tests::recount`), over random
//! motions: groups, recusals, abstentions, changed ballots, all bases, elections. Every ballot goes through the rule
//! of ballots on the tables of a founded alliance; nothing is kept.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::calendar::Period;
use rollbook_core::charter::motions::{
    Base, BodyKind, DecidingBody, Fraction, MotionKind, MotionRule, Pass, Threshold,
};
use rollbook_core::id::{CharterVersion, GroupId, MotionId, PersonId, SeatId};
use rollbook_core::identity::Role;
use rollbook_core::object::matter::Matter;
use rollbook_core::object::motion::{Motion, MotionStatus, Poll};
use rollbook_core::record::{
    Ballot, BallotVote, Choice, ConfirmPool, ConflictKind, Declaration, ElectSeat, MotionAct,
    MotionEffect, PoolKind,
};
use rollbook_core::refusal::{NotCounted, Outcome};
use rollbook_core::rules::authority::{Actor, Right, Signer};
use rollbook_core::rules::motion;
use rollbook_core::state::StateTables;
use rollbook_core::tally::{self, Tally};
use rollbook_core::tx::{BlockContext, Tx};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::recount::{self, End, Member, Mistake, Rule, Says, Share, Whole};
use rollbook_tests::sim::random::Random;
use rollbook_tests::writer::Writer;

/// Motions of the normal run.
const MOTIONS: u64 = 100_000;
const MEMBERS: u32 = 16;
const NUMBER: MotionId = MotionId(999_999);
const MISTAKES: [Mistake; 4] = [
    Mistake::StrictForAtLeast,
    Mistake::RecusedInTheBase,
    Mistake::AbstentionAmongTheCast,
    Mistake::TwoBallotsOfAGroup,
];

/// One random motion as both tallies see it.
struct Case {
    members: Vec<Member>,
    ballots: Vec<(u32, Says)>,
    rule: MotionRule,
    least: u32,
    places: Option<u32>,
}

fn fraction(random: &mut Random) -> Fraction {
    let d = 1 + random.below(9) as u32;
    Fraction {
        n: 1 + random.below(u64::from(d)) as u32,
        d,
    }
}

fn case(random: &mut Random) -> Case {
    let many = 1 + random.below(u64::from(MEMBERS)) as u32;
    let mut numbers: Vec<u32> = (1..=MEMBERS).collect();
    while numbers.len() > many as usize {
        numbers.swap_remove(random.below(numbers.len() as u64) as usize);
    }
    numbers.sort_unstable();
    let related = random.below(60);
    let conflicts = random.below(40);
    let mut members: Vec<Member> = Vec::new();
    for number in numbers {
        // A group is named by its smallest member.
        let group = match members.get(random.below(members.len().max(1) as u64) as usize) {
            Some(other) if random.percent(related) => other.group,
            _ => number,
        };
        members.push(Member {
            number,
            group,
            conflict: random.percent(conflicts),
        });
    }
    let places = random.percent(35).then(|| 1 + random.below(4) as u32);
    let mut ballots = Vec::new();
    let yes = random.below(100);
    let turnout = 30 + random.below(71);
    for _ in 0..2 {
        for member in &members {
            if !random.percent(turnout) {
                continue;
            }
            let says = match places {
                _ if random.percent(15) => Says::Abstain,
                Some(places) => {
                    let names = 1 + random.below(u64::from(places));
                    // Few candidates, so that they are often equal.
                    Says::Names((0..names).map(|_| 1 + random.below(6) as u32).collect())
                }
                None if random.percent(yes) => Says::Yes,
                None => Says::No,
            };
            ballots.push((member.number, says));
        }
        if random.percent(60) {
            break;
        }
    }
    let majority = random.percent(50).then_some(Threshold {
        base: Base::Part,
        strict: true,
        fraction: Fraction { n: 1, d: 2 },
    });
    let base = *random
        .pick(&[Base::Cast, Base::Part, Base::Elig, Base::All])
        .unwrap();
    let pass = match places {
        Some(_) => Pass::Plurality(majority),
        // Shares that are met exactly, as often as not; none below one half is a rule of any charter.
        None => Pass::Threshold(
            *random
                .pick(&[
                    Threshold {
                        base,
                        strict: true,
                        fraction: Fraction { n: 1, d: 2 },
                    },
                    Threshold {
                        base,
                        strict: false,
                        fraction: Fraction { n: 2, d: 3 },
                    },
                    Threshold {
                        base,
                        strict: false,
                        fraction: Fraction { n: 3, d: 4 },
                    },
                    Threshold {
                        base,
                        strict: true,
                        fraction: Fraction { n: 3, d: 5 },
                    },
                ])
                .unwrap(),
        ),
    };
    Case {
        members,
        ballots,
        rule: MotionRule {
            body: *random
                .pick(&[BodyKind::Committee, BodyKind::Board, BodyKind::Assembly])
                .unwrap(),
            quorum: fraction(random),
            pass,
            ballot_min: Period::Days(7),
            ballot_max: Period::Days(21),
            stay: None,
        },
        least: 3 + random.below(2) as u32,
        places,
    }
}

fn share(of: Fraction) -> Share {
    Share::of(u128::from(of.n), u128::from(of.d)).unwrap()
}

/// The rule as the second tally takes it.
fn rule_of(case: &Case) -> Rule {
    let (pass, more_than, whole) = match case.rule.pass {
        Pass::Threshold(threshold) => (
            share(threshold.fraction),
            threshold.strict,
            match threshold.base {
                Base::Cast => Whole::Cast,
                Base::Part => Whole::Part,
                Base::Elig => Whole::Eligible,
                Base::All => Whole::All,
            },
        ),
        Pass::Plurality(_) => (Share::of(1, 2).unwrap(), true, Whole::Part),
    };
    Rule {
        quorum: share(case.rule.quorum),
        pass,
        more_than,
        whole,
        least: u128::from(case.least),
        above: case.rule.body != BodyKind::Assembly,
    }
}

/// What the ledger makes of it: its tally, and the voices for each name.
fn by_the_ledger(
    tables: &mut StateTables,
    context: BlockContext,
    case: &Case,
) -> (Tally, Vec<(OrganisationId, u32)>, u32) {
    let seats: Vec<SeatId> = tables.seats.iter().map(|(number, _)| *number).collect();
    let mut tx = Tx::of_block(tables, context);
    let (effect, kind) = match case.places {
        Some(_) => (
            MotionEffect::ElectSeat(ElectSeat { seats, further: 0 }),
            MotionKind::ElectSeat,
        ),
        None => (
            MotionEffect::ConfirmPool(ConfirmPool {
                pool: PoolKind::Reviewers,
                persons: Vec::new(),
            }),
            MotionKind::Pool,
        ),
    };
    let motion = Motion {
        number: NUMBER,
        effect,
        kind,
        body: DecidingBody::Assembly,
        rule: case.rule,
        charter: CharterVersion(1),
        proposer: None,
        proposed_as: None,
        text: Hash::ZERO,
        ballot_days: 7,
        status: MotionStatus::Open,
        opened_ms: tx.now,
        retabled: 0,
        round: 1,
        members: case.members.len() as u32,
        voices: 0,
        electorate: Hash::ZERO,
        tally: None,
        void: None,
        poll: case.places.map(|places| {
            Box::new(Poll {
                places,
                ..Poll::default()
            })
        }),
    };
    tx.put(motion.clone());
    for member in &case.members {
        let organisation = OrganisationId(member.number);
        tx.t.electorates().put(
            (NUMBER, 1, organisation),
            GroupId(OrganisationId(member.group)),
        );
        if member.conflict {
            let matter = Matter::Motion(NUMBER);
            tx.t.conflicts()
                .put((matter, organisation), ConflictKind::Other);
        }
    }
    let mut left_out = 0;
    for (sequence, (who, says)) in (1..).zip(&case.ballots) {
        let organisation = tx.organisation(OrganisationId(*who)).unwrap().clone();
        let officer = PersonId(*who);
        let vote = match says {
            Says::Yes => BallotVote::Choice(Choice::Yes),
            Says::No => BallotVote::Choice(Choice::No),
            Says::Abstain => BallotVote::Choice(Choice::Abstain),
            Says::Names(names) => {
                BallotVote::Names(names.iter().copied().map(OrganisationId).collect())
            }
        };
        let actor = Actor {
            signers: vec![Signer {
                person: officer,
                home: organisation.number,
                role: Role::Primary,
                key: 0,
                right: Right::Own,
            }],
            organisation,
            officer,
            sequence,
        };
        let ballot = MotionAct::Vote(Ballot {
            motion: NUMBER,
            round: 1,
            replaces: Vec::new(),
            vote,
            criterion: None,
            declaration: Declaration::None,
            proxy_for: None,
        });
        match motion::apply(&mut tx, &actor, &ballot).unwrap() {
            Outcome::Applied => {}
            Outcome::NotCounted(NotCounted::DuplicateGroup | NotCounted::Recused) => left_out += 1,
            other => panic!("{other:?}"),
        }
    }
    let tally = tally::tally(motion::count(&tx, &motion), &case.rule, case.least);
    let votes = motion::election::votes(&tx, &motion);
    tx.drop_writes();
    (tally, votes, left_out)
}

fn end_of(outcome: tally::Outcome) -> End {
    match outcome {
        tally::Outcome::Passed => End::Passed,
        tally::Outcome::Rejected => End::Rejected,
        tally::Outcome::NoQuorum => End::NoQuorum,
        tally::Outcome::Void(_) => End::Void,
        tally::Outcome::Escalate { .. } => End::Above,
    }
}

fn numbers(of: &[OrganisationId]) -> BTreeSet<u32> {
    of.iter().map(|number| number.0).collect()
}

#[test]
fn both_tallies_agree_on_random_motions_and_each_mistake_shows() {
    // Ballots open to everybody, and a seat for whoever is named: all nine are filled anew.
    let mut sample = sample(b"recount", MEMBERS, 4);
    sample.charter.motions.ballot_visibility = rollbook_core::charter::BallotVisibility::Open;
    let writer = Writer::founded(Alliance::of(&sample));
    let mut tables = writer.tables().clone();
    let context = BlockContext {
        chain: writer.ledger.chain(),
        height: writer.ledger.height().next(),
        now: writer.ledger.tip().seal.time_ms.plus_ms(1_000),
    };
    let mut random = Random::new(0x7a11);
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let mut shown: BTreeMap<String, u64> = BTreeMap::new();
    let (mut elections, mut draws, mut run_offs, mut left_out) = (0u64, 0u64, 0u64, 0u64);
    for number in 0..MOTIONS {
        let case = case(&mut random);
        let rule = rule_of(&case);
        let (tally, votes, not_counted) = by_the_ledger(&mut tables, context, &case);
        left_out += u64::from(not_counted);
        let count = recount::count(&case.members, &case.ballots, None);
        let told = tally.counts;
        let ours = (
            count.voices,
            count.recused,
            count.yes + count.named,
            count.no,
            count.abstain,
        );
        let theirs = [
            told.electorate,
            told.recused,
            told.yes,
            told.no,
            told.abstain,
        ]
        .map(u128::from);
        assert_eq!(
            [ours.0, ours.1, ours.2, ours.3, ours.4],
            theirs,
            "motion {number}"
        );
        if let Some(places) = case.places {
            elections += 1;
            let majority = case.rule.pass != Pass::Plurality(None);
            let names: BTreeSet<u32> = (1..=MEMBERS).collect();
            let second = recount::elect(
                &rule,
                &case.members,
                &case.ballots,
                &names,
                places as usize,
                majority,
            );
            match second {
                Err(end) => assert_eq!(end, end_of(tally.outcome), "election {number}"),
                Ok(second) => {
                    assert_eq!(tally.outcome, tally::Outcome::Passed, "election {number}");
                    let first = tally::elect(&tally, &votes, places);
                    assert_eq!(numbers(&first.elected), second.elected, "election {number}");
                    let draw = (!first.tied.is_empty())
                        .then(|| (numbers(&first.tied), first.by_draw as usize));
                    assert_eq!(draw, second.draw, "election {number}");
                    draws += u64::from(draw.is_some());
                    if let Some((stand, open)) = second.run_off {
                        run_offs += 1;
                        let rest: Vec<_> = votes
                            .iter()
                            .copied()
                            .filter(|(name, _)| !first.elected.contains(name))
                            .collect();
                        assert_eq!(open, first.open as usize, "election {number}");
                        let names = motion::election::run_off_names(&rest, first.open);
                        assert_eq!(numbers(&names), stand, "election {number}");
                    }
                }
            }
            continue;
        }
        let end = recount::end(&rule, &count, None);
        assert_eq!(end, end_of(tally.outcome), "motion {number}: {tally:?}");
        *ends.entry(format!("{end:?}")).or_default() += 1;
        for mistake in MISTAKES {
            let count = recount::count(&case.members, &case.ballots, Some(mistake));
            let same = recount::end(&rule, &count, Some(mistake)) == end;
            *shown.entry(format!("{mistake:?}")).or_default() += u64::from(!same);
        }
    }
    println!(
        "{MOTIONS} motions, {elections} of them elections ({draws} draws, {run_offs} run-offs)"
    );
    println!("{left_out} ballots not counted; {ends:?}; mistakes shown: {shown:?}");
    assert_eq!(ends.len(), 5, "every end occurs: {ends:?}");
    assert!(draws > 100 && run_offs > 100 && left_out > 10_000);
    for mistake in MISTAKES {
        assert!(
            shown[&format!("{mistake:?}")] > 100,
            "{mistake:?}: {shown:?}"
        );
    }
}
