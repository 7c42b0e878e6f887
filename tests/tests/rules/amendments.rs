//! Amendments of the charter: drafts, bounds, floors, versions, what runs on under the old one (R37).

use rollbook_core::calendar::Period;
use rollbook_core::charter::motions::{BodyKind, MotionKind, Pass};
use rollbook_core::charter::{Charter, Class};
use rollbook_core::event::EventBody;
use rollbook_core::id::{CharterVersion, DraftId, MotionId, PostId, SeatId};
use rollbook_core::identity::Role;
use rollbook_core::lookup::seats;
use rollbook_core::object::draft::DraftStatus;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::object::seat::SeatStatus;
use rollbook_core::record::{
    AmendCharter, Body, CharterAct, CharterDraft, MotionEffect, RemoveAuditor, RemoveHolder,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::codec::Wire;
use rollbook_proof::log::Clock;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::Writer;

fn writer(seed: &str) -> Writer {
    Writer::founded(Alliance::of(&sample(seed.as_bytes(), 16, 4)))
}

fn in_force(writer: &Writer) -> Charter {
    let version = writer.tables().chain.get(&0).unwrap().charter;
    writer.tables().parameters.get(&version).unwrap().clone()
}

/// The charter in force as its next version, changed.
fn draft(writer: &Writer, change: impl FnOnce(&mut Charter)) -> CharterDraft {
    let mut charter = in_force(writer);
    let replaces = charter.version;
    charter.version = CharterVersion(replaces.0 + 1);
    change(&mut charter);
    CharterDraft { replaces, charter }
}

fn deposit(writer: &mut Writer, draft: &CharterDraft) -> Result<Outcome, Refusal> {
    let act = CharterAct::Deposit(Box::new(draft.clone()));
    writer.office(Role::Secretary, Body::Charter(act))
}

fn amend(draft: &CharterDraft) -> MotionEffect {
    MotionEffect::AmendCharter(AmendCharter {
        digest: draft.charter.digest(),
        replaces: draft.replaces,
    })
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code
}

/// A fact of a refusal.
fn fact(refusal: &Refusal, name: &str) -> String {
    let found = refusal.facts.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

#[test]
fn a_charter_is_amended_and_what_runs_ends_under_the_old_one() {
    let mut writer = writer("amended");
    let new = draft(&writer, |charter| {
        for entry in &mut charter.rules.entries {
            if entry.kind == MotionKind::Remove {
                (entry.rule.ballot_min, entry.rule.ballot_max) =
                    (Period::Days(14), Period::Days(15));
            }
        }
    });
    let unknown = writer.before_the_assembly(amend(&new), 10);
    assert_eq!(code(unknown), "R37.unknown-draft");
    deposit(&mut writer, &new).unwrap();
    assert_eq!(code(deposit(&mut writer, &new)), "R37.deposited-already");
    let other = MotionEffect::AmendCharter(AmendCharter {
        digest: new.charter.digest(),
        replaces: CharterVersion(7),
    });
    assert_eq!(
        code(writer.before_the_assembly(other, 10)),
        "R37.other-version"
    );
    let number = writer.before_the_assembly(amend(&new), 10).unwrap();
    let rival = draft(&writer, |charter| charter.terms.offer_days = 31);
    deposit(&mut writer, &rival).unwrap();
    let rival_motion = writer.before_the_assembly(amend(&rival), 21).unwrap();
    // It opens under the old charter, shortly before the new one is in force, and ends under the old.
    let closes = writer.due(DeadlineKind::MotionClose, number).unwrap();
    for member in 1..=16 {
        writer
            .vote(member, number, rollbook_core::record::Choice::Yes)
            .unwrap();
    }
    writer.advance(closes + 1);
    let effect = writer.due(DeadlineKind::MotionEffect, number).unwrap();
    writer.advance(effect - 1_000);
    let running = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    let events = writer.advance(effect + 1);
    let amended = EventBody::CharterAmended {
        version: CharterVersion(2),
        digest: new.charter.digest(),
        motion: MotionId(number),
    };
    assert!(events.iter().any(|event| event.body == amended));
    assert_eq!(in_force(&writer), new.charter);
    assert_eq!(
        writer
            .tables()
            .charters
            .get(&CharterVersion(2))
            .unwrap()
            .digest,
        new.charter.digest()
    );
    let motions = |number: u32| {
        writer
            .tables()
            .motions
            .get(&MotionId(number))
            .unwrap()
            .clone()
    };
    assert_eq!(motions(running).charter, CharterVersion(1));
    assert_eq!(motions(running).rule.ballot_min, Period::Days(7));
    writer.pass(running);
    assert_eq!(
        writer
            .tables()
            .motions
            .get(&MotionId(running))
            .unwrap()
            .status,
        MotionStatus::CarriedOut
    );
    // The rival waits for another ballot, or closes: then it is found that it replaces a version that is gone.
    let comes = writer
        .due(DeadlineKind::MotionClose, rival_motion)
        .or_else(|| writer.due(DeadlineKind::MotionRetable, rival_motion));
    writer.advance(comes.unwrap() + 1);
    let rival = writer
        .tables()
        .motions
        .get(&MotionId(rival_motion))
        .unwrap();
    assert_eq!(
        rival.void.as_ref().map(ToString::to_string).as_deref(),
        Some("R37.other-version")
    );
    // What opens now is under the new one.
    let short = writer.propose(MotionEffect::Remove(RemoveHolder { post: PostId(3) }), 7);
    assert_eq!(code(short), "R10.ballot-length");
    let old = draft(&writer, |charter| charter.version = CharterVersion(2));
    assert_eq!(code(deposit(&mut writer, &old)), "R37.not-next-version");
    let stale = CharterDraft {
        replaces: CharterVersion(1),
        ..draft(&writer, |_| {})
    };
    assert_eq!(code(deposit(&mut writer, &stale)), "R37.other-version");
    let gone = writer.before_the_assembly(amend(&new), 10);
    assert_eq!(code(gone), "R37.draft-over");
}

#[test]
fn no_amendment_goes_beyond_a_bound_or_below_a_floor() {
    let mut writer = writer("floors");
    let mut refused = |change: &dyn Fn(&mut Charter)| {
        let draft = draft(&writer, |charter| change(charter));
        deposit(&mut writer, &draft).unwrap_err()
    };
    let bound = refused(&|charter| charter.motions.min_elig = 2);
    assert_eq!(bound.code, "R37.out-of-bounds");
    assert_eq!(fact(&bound, "parameter"), "motions.min_elig");
    assert_eq!(
        (
            fact(&bound, "value"),
            fact(&bound, "least"),
            fact(&bound, "greatest")
        ),
        ("2".into(), "3".into(), "1000".into())
    );
    let amendment = refused(&|charter| {
        for entry in &mut charter.rules.entries {
            if let (MotionKind::AmendCharter, Pass::Threshold(threshold)) =
                (entry.kind, &mut entry.rule.pass)
            {
                threshold.fraction = rollbook_core::charter::motions::Fraction { n: 3, d: 5 };
            }
        }
    });
    assert_eq!(amendment.code, "R37.floor");
    assert_eq!(fact(&amendment, "floor"), "amendment-below-two-thirds");
    for (floor, change) in [
        (
            "no-criterion",
            &(|charter: &mut Charter| charter.criteria.clear()) as &dyn Fn(&mut Charter),
        ),
        ("committee-above-board", &|charter| {
            charter.limits[0].committee_limit = rollbook_core::account::Amount(500_000_001);
        }),
        ("missing-rule", &|charter| {
            charter
                .rules
                .entries
                .retain(|entry| entry.kind != MotionKind::Expel);
        }),
        ("wrong-body", &|charter| {
            for entry in &mut charter.rules.entries {
                if entry.kind == MotionKind::AppointAuditor {
                    entry.rule.body = BodyKind::Board;
                }
            }
        }),
    ] {
        let refusal = refused(change);
        assert_eq!(
            (refusal.code, fact(&refusal, "floor").as_str()),
            ("R37.floor", floor)
        );
    }
    assert_eq!(
        fact(
            &refused(&|charter| charter.clock = Clock::Wall),
            "parameter"
        ),
        "clock"
    );
    assert_eq!(
        refused(&|charter| charter.offset_minutes = 0).code,
        "R37.never-changes"
    );
    assert_eq!(
        refused(&|charter| charter.made_under = rollbook_proof::number::ProtocolVersion(9)).code,
        "R37.made-under"
    );
    // Nothing goes that the ledger still needs.
    assert_eq!(
        refused(&|charter| charter.classes.retain(|rule| rule.class != Class::Founding)).code,
        "R37.class-in-use"
    );
    assert_eq!(
        refused(&|charter| charter.board_seats = 8).code,
        "R37.board-in-use"
    );
    // Who has no vote on it deposits nothing.
    let stranger = writer.register(1, "Stranger", &[]);
    let new = draft(&writer, |_| {});
    let act = CharterAct::Deposit(Box::new(new));
    assert_eq!(
        code(writer.member(stranger, Body::Charter(act))),
        "R37.may-not-deposit"
    );
}

/// Every number of every preset is within its bounds, and the least and the greatest are two numbers.
#[test]
fn every_parameter_has_a_least_and_a_greatest_value() {
    use rollbook_core::charter::Preset;
    for preset in [Preset::Default, Preset::Foundation, Preset::CnAssociation] {
        for clock in [Clock::Wall, Clock::Sample] {
            let charter = Charter::preset(preset, clock, rollbook_proof::crypto::Hash::ZERO);
            assert!(charter.check().is_ok());
            let bounds = charter.bounds();
            assert!(bounds.len() > 60, "{}", bounds.len());
            for bound in bounds {
                assert!(bound.holds() && bound.least < bound.greatest, "{bound:?}");
            }
        }
    }
}

#[test]
fn a_draft_without_a_motion_is_dropped() {
    let mut writer = writer("dropped");
    let first = draft(&writer, |charter| charter.terms.offer_days = 31);
    deposit(&mut writer, &first).unwrap();
    let due = writer.due(DeadlineKind::DraftDropped, 1).unwrap();
    let events = writer.advance(due + 1);
    assert!(events.iter().any(
        |event| matches!(event.body, EventBody::CharterDropped { draft, .. } if draft == DraftId(1))
    ));
    let entry = writer.tables().drafts.get(&DraftId(1)).unwrap();
    assert_eq!(entry.status, DraftStatus::Dropped);
    assert!(writer.tables().draft_charters.get(&DraftId(1)).is_none());
    // It may be deposited again. While a motion on it is under way it is kept.
    deposit(&mut writer, &first).unwrap();
    let due = writer.due(DeadlineKind::DraftDropped, 2).unwrap();
    writer.advance(due - 5 * 86_400_000);
    writer.before_the_assembly(amend(&first), 21).unwrap();
    writer.advance(due + 1);
    let entry = writer.tables().drafts.get(&DraftId(2)).unwrap();
    assert_eq!(entry.status, DraftStatus::Deposited);
}

/// A class that loses its seats leaves them.
#[test]
fn a_class_without_seats_leaves_the_board() {
    let mut writer = writer("class");
    let auditor = MotionEffect::RemoveAuditor(RemoveAuditor { post: PostId(8) });
    let before = writer.before_the_assembly(auditor, 10).unwrap();
    let new = draft(&writer, |charter| {
        for rule in &mut charter.classes {
            rule.seat_eligible = rule.class == Class::Council;
        }
    });
    deposit(&mut writer, &new).unwrap();
    let number = writer.before_the_assembly(amend(&new), 10).unwrap();
    writer.pass(number);
    assert_eq!(seats::holders(writer.tables()).count(), 0);
    let ended = writer.tables().seats.get(&SeatId(1)).unwrap();
    assert_eq!(ended.status, SeatStatus::Ended);
    let kept = writer.tables().motions.get(&MotionId(before)).unwrap();
    assert_eq!(kept.charter, CharterVersion(1));
}
