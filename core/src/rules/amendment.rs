//! Amendments of the charter (RULINGS R37).
//!
//! * A draft is a whole charter, deposited by a record: it may be longer than an effect holds. It names
//!   the version that it replaces; a motion names the draft by its digest. Once another charter is
//!   in force the motion is void.
//! * Asked when it is deposited, when the motion opens, at the close and at the effect: every number
//!   within its bounds, no floor below the hard ones, clock and offset as they are, and nothing gone
//!   that the ledger still needs (a class with members, limits of a fund's unit, seats that are held).
//! * The motion is judged by the rule that it opened under, so no amendment lowers its own threshold; and
//!   whatever opened before runs to its end under the charter of that day.
//! * A draft that no motion takes up in 90 days is dropped.
//!
//! Absent: changing one parameter alone. Whoever signs sees the whole charter, and `charter diff` what
//! changes.

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::calendar::Period;
use crate::charter::motions::{DecidingBody, MotionKind};
use crate::charter::{Charter, Floor};
use crate::event::EventBody;
use crate::id::{CharterVersion, DraftId, MotionId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{find, seats};
use crate::object::chain::{ChainFacts, CharterFacts};
use crate::object::draft::{Draft, DraftStatus};
use crate::object::matter::Matter;
use crate::object::membership::State;
use crate::object::motion::Question;
use crate::record::{AmendCharter, CharterDraft};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::rules::effect::{Effect, motions_of};
use crate::rules::motion::entitled;
use crate::rules::network::validators;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Days after which a draft without a motion is dropped.
pub const DRAFT_DAYS: u32 = 90;

/// A draft is deposited: by the secretary, or by a member that votes on amendments.
pub(crate) fn deposit(
    tx: &mut Tx,
    actor: &Actor,
    draft: &CharterDraft,
) -> Result<Outcome, Refusal> {
    if actor.organisation.kind == OrganisationKind::Office {
        must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    } else {
        actor.must_sign(Role::Primary)?;
        let question = Question {
            body: DecidingBody::Assembly,
            kind: MotionKind::AmendCharter,
            charter: tx.facts().charter,
        };
        require!(
            entitled(&tx.t, question, actor.number()),
            "R37.may-not-deposit",
            organisation = actor.number()
        );
    }
    check(tx, draft.replaces, &draft.charter)?;
    let digest = draft.charter.digest();
    if let Some(known) = by_digest(tx, &digest) {
        require!(
            known.status != DraftStatus::Deposited,
            "R37.deposited-already",
            draft = known.number
        );
    }
    let number = tx.next_id::<DraftId>();
    let status = tx.begin::<Draft>(number, "R37", DraftStatus::Deposited)?;
    tx.put(Draft {
        number,
        digest,
        replaces: draft.replaces,
        organisation: actor.number(),
        record: tx.record,
        status,
        since_ms: tx.now,
    });
    tx.t.draft_of().put(digest, number);
    tx.t.draft_charters().put(number, draft.charter.clone());
    let due = tx.deadline(Period::Days(DRAFT_DAYS));
    tx.schedule(DeadlineKind::DraftDropped, number, due);
    Ok(Outcome::Applied)
}

fn by_digest<'a>(tx: &'a Tx, digest: &Hash) -> Option<&'a Draft> {
    let number = tx.t.draft_of.get(digest)?;
    tx.t.drafts.get(number)
}

/// Whether this charter may replace the one in force.
fn check(tx: &Tx, replaces: CharterVersion, new: &Charter) -> Result<(), Refusal> {
    let in_force = tx.facts().charter;
    require!(
        replaces == in_force,
        "R37.other-version",
        replaces = replaces,
        in_force = in_force
    );
    let old = tx.charter()?;
    let next = CharterVersion(in_force.0.saturating_add(1));
    require!(
        new.version == next,
        "R37.not-next-version",
        version = new.version,
        next = next
    );
    for (parameter, same) in [
        ("clock", new.clock == old.clock),
        ("offset_minutes", new.offset_minutes == old.offset_minutes),
    ] {
        require!(same, "R37.never-changes", parameter = *parameter);
    }
    let protocol = tx.protocol();
    require!(
        (old.made_under..=protocol).contains(&new.made_under),
        "R37.made-under",
        made_under = new.made_under,
        protocol = protocol
    );
    if let Some(bound) = new.bounds().into_iter().find(|bound| !bound.holds()) {
        refuse!(
            "R37.out-of-bounds",
            parameter = bound.parameter,
            value = bound.value,
            least = bound.least,
            greatest = bound.greatest
        );
    }
    check_floors(new)?;
    check_needed(tx, new)
}

/// The hard floors (domain 1.7), of which no version of the charter is free.
fn check_floors(new: &Charter) -> Result<(), Refusal> {
    if crate::planted::floor_unasked() {
        return Ok(());
    }
    require!(
        !new.criteria.is_empty(),
        "R37.floor",
        floor = Floor::NoCriterion,
        motion_kind = MotionKind::Admit
    );
    require!(
        !new.committee_above_board(),
        "R37.floor",
        floor = Floor::CommitteeAboveBoard,
        motion_kind = MotionKind::Award
    );
    require!(
        new.standing.is_in_order(),
        "R37.floor",
        floor = Floor::NoticeBeforeStep,
        motion_kind = MotionKind::PaymentPlan
    );
    if let Err(floor) = new.rules.check_floors(new.made_under) {
        refuse!(
            "R37.floor",
            floor = floor.floor(),
            motion_kind = floor.kind()
        );
    }
    Ok(())
}

/// Whether a membership or an application is over for good, so that its class may go.
fn is_over(state: State) -> bool {
    match state {
        State::Lapsed
        | State::ApplicationWithdrawn
        | State::Ceased
        | State::TerminatedForArrears
        | State::Expelled
        | State::Withdrawn => true,
        State::Founding
        | State::Active
        | State::Applied
        | State::Screening
        | State::Returned
        | State::Sponsoring
        | State::Balloting
        | State::Admitted
        | State::Rejected => false,
    }
}

/// What the ledger still needs of the charter.
fn check_needed(tx: &Tx, new: &Charter) -> Result<(), Refusal> {
    for (_, membership) in tx.t.memberships.iter() {
        let class = membership.class;
        require!(
            is_over(membership.standing.state()) || new.class(class).is_some(),
            "R37.class-in-use",
            class = class,
            organisation = membership.organisation
        );
    }
    for (_, fund) in tx.t.funds.iter() {
        require!(
            new.limits(&fund.unit).is_some(),
            "R37.unit-in-use",
            unit = *fund.unit.code(),
            fund = fund.number
        );
    }
    let dues_stand =
        new.currency == tx.charter()?.currency || tx.t.invoices.iter().next().is_none();
    require!(dues_stand, "R37.currency-in-use", currency = new.currency);
    let held = seats::in_force(&tx.t).count();
    require!(
        held <= new.board_seats as usize,
        "R37.board-in-use",
        seats = held,
        limit = new.board_seats
    );
    let running = validators::current(&tx.t).len();
    require!(
        running <= new.chain.validator_seats as usize,
        "R37.validators-in-use",
        seats = running,
        limit = new.chain.validator_seats
    );
    if let Some(convenor) = new.convenor {
        tx.organisation(convenor)?;
    }
    Ok(())
}

/// The draft of a plan, and what it says, if it may come into force now.
fn check_plan(tx: &Tx, plan: &AmendCharter) -> Result<(Draft, Charter), Refusal> {
    let Some(draft) = by_digest(tx, &plan.digest) else {
        refuse!("R37.unknown-draft", digest = plan.digest)
    };
    require!(
        plan.replaces == draft.replaces,
        "R37.other-version",
        replaces = plan.replaces,
        in_force = draft.replaces
    );
    require!(
        draft.status == DraftStatus::Deposited,
        "R37.draft-over",
        draft = draft.number,
        status = draft.status
    );
    let Some(charter) = tx.t.draft_charters.get(&draft.number) else {
        refuse!("R37.unknown-draft", digest = plan.digest)
    };
    check(tx, draft.replaces, charter)?;
    Ok((draft.clone(), charter.clone()))
}

/// Acts out the deadline of a draft: it is dropped, unless a motion on it is under way.
pub(crate) fn on_deadline(tx: &mut Tx, number: DraftId, due: Due) -> Result<(), Refusal> {
    let draft = find::<Draft>(&tx.t, number)?.clone();
    if draft.status != DraftStatus::Deposited {
        return Ok(());
    }
    let motions = motions_of(tx, Matter::Charter(number));
    if motions.iter().any(|motion| !motion.status.is_final()) {
        let later = tx.deadline(Period::Days(DRAFT_DAYS));
        tx.schedule(DeadlineKind::DraftDropped, number, later);
        return Ok(());
    }
    let digest = draft.digest;
    tx.advance(draft, "R37", DraftStatus::Dropped)?;
    tx.t.draft_charters().remove(number);
    tx.emit(
        due,
        EventBody::CharterDropped {
            draft: number,
            digest,
        },
    );
    Ok(())
}

impl Effect for AmendCharter {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        by_digest(tx, &self.digest).map_or(Matter::Motion(motion), |draft| {
            Matter::Charter(draft.number)
        })
    }

    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        // The charter is for everybody.
        Vec::new()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_plan(tx, self).map(|_| ())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        let (draft, charter) = check_plan(tx, self)?;
        let version = charter.version;
        tx.cancel(DeadlineKind::DraftDropped, draft.number);
        tx.t.charters()
            .put(version, CharterFacts::of(&charter, tx.height));
        tx.t.parameters().put(version, charter);
        let facts = tx.facts();
        tx.put_facts(ChainFacts {
            charter: version,
            ..facts
        });
        tx.advance(draft, "R37", DraftStatus::Adopted)?;
        crate::rules::seats::vacate(tx, due)?;
        tx.emit(
            due,
            EventBody::CharterAmended {
                version,
                digest: self.digest,
                motion,
            },
        );
        Ok(())
    }
}
