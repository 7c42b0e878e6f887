//! M01 to M09: how an applicant becomes a member.
//!
//! * The secretariat's officer who handles an application is not of the applicant's group.
//! * Sponsors are members in good standing, of distinct groups, none related to the applicant; they
//!   have no voice in its ballot.
//! * Every rejection states published criteria, or that support was insufficient; the applicant may
//!   ask the board once, within 30 days of its decision, to vote again (RULINGS R9).
//! * Screening past its time is published and still possible: an applicant does not lose by the
//!   secretariat's delay.

use std::collections::BTreeSet;

use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::account::Amount;
use crate::calendar::Period;
use crate::charter::Class;
use crate::charter::motions::{BodyKind, DecidingBody};
use crate::event::EventBody;
use crate::id::{GroupId, Id, InvoiceId, MembershipId, MotionId, PostId};
use crate::identity::{OrganisationKind, RelationKind, Role, Scope};
use crate::lookup::posts::auditor_at_home_in;
use crate::lookup::rights::{first_invoice, of, rights};
use crate::lookup::{find, groups};
use crate::object::invoice::InvoiceStatus;
use crate::object::matter::Matter;
use crate::object::membership::{Grounds, Lapse, Live, Membership, Standing, State};
use crate::object::motion::{Failure, Motion};
use crate::record::{AdmitMember, Application, Choice, MotionEffect};
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold};
use crate::rules::effect::{Effect, Planned};
use crate::rules::membership::{begin_exit, discipline, dues, expect, leaving};
use crate::rules::motion;
use crate::rules::motion::Opening;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::word::{Fact, Word};
use crate::{refuse, require};

/// RULINGS R9: days to ask the board to vote again.
pub const ASK_AGAIN_DAYS: u32 = 30;
/// RULINGS R23: fewest officers, each with a key in force.
pub const OFFICERS_MIN: usize = 2;

/// The application, if its own applicant's primary officer signs.
fn own(
    tx: &Tx,
    actor: &Actor,
    number: MembershipId,
    code: &'static str,
) -> Result<Membership, Refusal> {
    let membership = find::<Membership>(&tx.t, number)?.clone();
    require!(
        membership.organisation == actor.number(),
        "M01.not-the-applicant",
        membership = number,
        organisation = actor.number()
    );
    actor.must_sign(Role::Primary)?;
    expect(&membership, code)?;
    Ok(membership)
}

/// The application, if an unrelated secretary signs.
fn handled(
    tx: &Tx,
    actor: &Actor,
    number: MembershipId,
    code: &'static str,
) -> Result<Membership, Refusal> {
    let secretary = must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    let membership = find::<Membership>(&tx.t, number)?.clone();
    expect(&membership, code)?;
    let related = groups::has_conflict(&tx.t, secretary.home, membership.organisation);
    require!(
        !related,
        "M02.screener-related",
        person = secretary.person,
        organisation = membership.organisation
    );
    Ok(membership)
}

pub(super) fn schedule_days(tx: &mut Tx, kind: DeadlineKind, number: MembershipId, period: Period) {
    let due = tx.deadline(period);
    tx.schedule(kind, number, due);
}

/// M01.
pub(super) fn apply_for(
    tx: &mut Tx,
    actor: &Actor,
    application: &Application,
) -> Result<(), Refusal> {
    actor.must_sign(Role::Primary)?;
    let organisation = &actor.organisation;
    require!(
        organisation.kind == OrganisationKind::Company,
        "M01.not-a-company",
        organisation = organisation.number
    );
    require!(
        !organisation.identifiers.is_empty(),
        "M01.identifier-invalid",
        why = "missing"
    );
    for identifier in &organisation.identifiers {
        if let Err(error) = identifier.check() {
            refuse!("M01.identifier-invalid", why = error);
        }
    }
    if let Some(membership) = of(&tx.t, organisation.number) {
        require!(
            !matches!(membership.standing, Standing::Live(_)),
            "M01.live-membership",
            membership = membership.number
        );
        require!(
            !membership.standing.is_open_application(),
            "M01.open-application",
            membership = membership.number
        );
        leaving::require_waited(tx, membership)?;
        let owed = dues::owed(tx, membership.number);
        require!(
            owed.is_none(),
            "M01.owes",
            membership = membership.number,
            invoice = owed.unwrap_or(InvoiceId::MIN)
        );
    }
    let (text, screen_days, known) = {
        let charter = tx.charter()?;
        (
            charter.text,
            charter.membership.screen_working_days,
            charter.class(application.class).is_some(),
        )
    };
    // The founding class is the first batch, named in the genesis.
    require!(
        known && application.class != Class::Founding,
        "M01.class-not-open",
        class = application.class
    );
    require!(
        application.charter == text,
        "M01.other-charter",
        signed = application.charter,
        in_force = text
    );
    let undertaken = application.antitrust != Hash::ZERO && application.conflicts != Hash::ZERO;
    require!(undertaken, "M01.undertaking-missing");
    // What the applicant says now is what it has said on the ledger; what others say of it, it need
    // not repeat (RULINGS R27).
    let declared: BTreeSet<(OrganisationId, RelationKind)> = application
        .relations
        .iter()
        .map(|relation| (relation.other, relation.kind))
        .collect();
    let recorded: BTreeSet<(OrganisationId, RelationKind)> =
        groups::relations(&tx.t, organisation.number)
            .filter(|(_, edge)| edge.said_by(organisation.number))
            .map(|(other, edge)| (other, edge.kind))
            .collect();
    require!(
        declared == recorded,
        "M01.group-declaration",
        declared = relations(&declared),
        recorded = relations(&recorded)
    );
    let number = tx.next_id::<MembershipId>();
    tx.begin::<Membership>(number, "M01", State::Applied)?;
    dues::begin(tx, number, "M01")?;
    let exit = begin_exit(tx, number, "M01")?;
    let membership = Membership {
        number,
        organisation: organisation.number,
        class: application.class,
        standing: Standing::Applied,
        since_ms: tx.now,
        active_ms: None,
        application: Some(tx.record),
        motion: None,
        asked_again: false,
        agreement: None,
        exit,
    };
    tx.put(membership);
    let now = tx.now;
    tx.t.matters().put(Matter::Membership(number), now);
    let mut entry = organisation.clone();
    entry.membership = Some(number);
    tx.put(entry);
    schedule_days(
        tx,
        DeadlineKind::MembershipScreen,
        number,
        Period::WorkingDays(screen_days),
    );
    Ok(())
}

/// Relations as a fact: `12:control,15:family`; `none` if there is none.
fn relations(all: &BTreeSet<(OrganisationId, RelationKind)>) -> String {
    if all.is_empty() {
        return "none".to_owned();
    }
    let one = |(other, kind): &(OrganisationId, RelationKind)| {
        format!("{}:{}", other.fact(), kind.word())
    };
    all.iter().map(one).collect::<Vec<_>>().join(",")
}

/// M02.
pub(super) fn screen(tx: &mut Tx, actor: &Actor, number: MembershipId) -> Result<(), Refusal> {
    let membership = handled(tx, actor, number, "M02")?;
    tx.advance(membership, "M02", Standing::Screening)?;
    Ok(())
}

/// M03.
pub(super) fn send_back(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
    missing: &[Text<40>],
) -> Result<(), Refusal> {
    let membership = handled(tx, actor, number, "M03")?;
    require!(
        !missing.is_empty(),
        "M03.missing-items",
        membership = number
    );
    tx.advance(
        membership,
        "M03",
        Standing::Returned {
            missing: missing.to_vec(),
        },
    )?;
    tx.cancel(DeadlineKind::MembershipScreen, number);
    let days = tx.charter()?.membership.resubmit_days;
    schedule_days(
        tx,
        DeadlineKind::MembershipResubmit,
        number,
        Period::Days(days),
    );
    Ok(())
}

/// M04.
pub(super) fn resubmit(tx: &mut Tx, actor: &Actor, number: MembershipId) -> Result<(), Refusal> {
    let membership = own(tx, actor, number, "M04")?;
    tx.advance(membership, "M04", Standing::Applied)?;
    tx.cancel(DeadlineKind::MembershipResubmit, number);
    let days = tx.charter()?.membership.screen_working_days;
    schedule_days(
        tx,
        DeadlineKind::MembershipScreen,
        number,
        Period::WorkingDays(days),
    );
    Ok(())
}

/// M05.
pub(super) fn reject(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
    criterion: &Text<40>,
    reasons: &Hash,
) -> Result<(), Refusal> {
    let membership = handled(tx, actor, number, "M05")?;
    require!(
        tx.charter()?.criteria.contains(criterion),
        "M05.unknown-criterion",
        criterion = criterion
    );
    let grounds = Grounds::Ineligible {
        criterion: criterion.clone(),
        reasons: *reasons,
    };
    tx.advance(membership, "M05", Standing::Rejected(grounds))?;
    tx.cancel(DeadlineKind::MembershipScreen, number);
    Ok(())
}

/// M06.
pub(super) fn complete(tx: &mut Tx, actor: &Actor, number: MembershipId) -> Result<(), Refusal> {
    let membership = handled(tx, actor, number, "M06")?;
    let membership = step(tx, membership, "M06", Standing::Sponsoring)?;
    tx.cancel(DeadlineKind::MembershipScreen, number);
    let days = tx.charter()?.membership.sponsor_days;
    schedule_days(
        tx,
        DeadlineKind::MembershipSponsors,
        number,
        Period::Days(days),
    );
    call_clock(tx, &membership)
}

/// M07: who vouches.
pub(super) fn sponsor(tx: &mut Tx, actor: &Actor, number: MembershipId) -> Result<(), Refusal> {
    actor.must_sign(Role::Primary)?;
    let membership = find::<Membership>(&tx.t, number)?.clone();
    expect(&membership, "M07")?;
    let sponsor = actor.number();
    require!(
        rights(&tx.t, sponsor).may_sponsor,
        "M07.sponsor-not-in-good-standing",
        organisation = sponsor
    );
    let related = groups::tied(&tx.t, sponsor, membership.organisation);
    require!(
        !related,
        "M07.sponsor-related-to-applicant",
        organisation = sponsor,
        applicant = membership.organisation
    );
    if let Some(other) = sponsors(tx, number)
        .into_iter()
        .find(|other| groups::related(&tx.t, *other, sponsor))
    {
        refuse!(
            "M07.sponsors-related",
            organisation = sponsor,
            sponsor = other
        );
    }
    tx.t.sponsors().put((number, sponsor), tx.now);
    call_clock(tx, &membership)
}

/// Everybody who ever vouched for an application.
pub fn sponsors(tx: &Tx, membership: MembershipId) -> Vec<OrganisationId> {
    tx.t.sponsors
        .range((membership, Id::MIN)..=(membership, Id::MAX))
        .map(|((_, organisation), _)| *organisation)
        .collect()
}

/// Groups that vouch for the application and still may.
fn sponsoring_groups(tx: &Tx, membership: &Membership) -> usize {
    let counted: BTreeSet<GroupId> = sponsors(tx, membership.number)
        .into_iter()
        .filter(|sponsor| {
            rights(&tx.t, *sponsor).may_sponsor
                && !groups::tied(&tx.t, *sponsor, membership.organisation)
        })
        .map(|sponsor| groups::group_of(&tx.t, sponsor))
        .collect();
    counted.len()
}

fn has_sponsors(tx: &Tx, membership: &Membership) -> Result<bool, Refusal> {
    Ok(sponsoring_groups(tx, membership) >= tx.charter()?.membership.sponsors_required as usize)
}

/// With enough sponsors the ballot opens at the next block, by the clock.
fn call_clock(tx: &mut Tx, membership: &Membership) -> Result<(), Refusal> {
    if has_sponsors(tx, membership)? {
        let now = tx.now;
        tx.schedule(DeadlineKind::MembershipBallot, membership.number, now);
    }
    Ok(())
}

/// M07: the secretariat opens the ballot.
pub(super) fn open_ballot_by_secretary(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
    ballot_days: u32,
) -> Result<(), Refusal> {
    let membership = handled(tx, actor, number, "M07")?;
    if !has_sponsors(tx, &membership)? {
        let required = tx.charter()?.membership.sponsors_required;
        refuse!(
            "M07.sponsors-required",
            sponsors = sponsoring_groups(tx, &membership),
            required = required
        );
    }
    open_ballot(tx, membership, "M07", Some(ballot_days))?;
    Ok(())
}

fn open_ballot(
    tx: &mut Tx,
    membership: Membership,
    code: &'static str,
    ballot_days: Option<u32>,
) -> Result<MotionId, Refusal> {
    let number = membership.number;
    let text = membership.application.unwrap_or(Hash::ZERO);
    let mut membership = step(tx, membership, code, Standing::Balloting)?;
    tx.cancel(DeadlineKind::MembershipSponsors, number);
    tx.cancel(DeadlineKind::MembershipBallot, number);
    let effect = MotionEffect::Admit(AdmitMember { membership: number });
    let body = match effect.plan().body(tx, effect.kind())?.kind() {
        BodyKind::Assembly => DecidingBody::Assembly,
        _ => DecidingBody::Board,
    };
    // The text of an admission is the application itself.
    let motion = motion::open(
        tx,
        Opening {
            effect,
            proposer: None,
            body,
            text,
            ballot_days,
        },
    )?;
    membership.motion = Some(motion);
    tx.put(membership);
    Ok(motion)
}

/// Parties of an admission: the applicant and its sponsors.
pub(super) fn interested(tx: &Tx, number: MembershipId) -> Vec<OrganisationId> {
    let mut parties = sponsors(tx, number);
    parties.extend(
        find::<Membership>(&tx.t, number)
            .ok()
            .map(|membership| membership.organisation),
    );
    parties
}

/// Whether the ballot on an application still has an object.
fn check_ballot(tx: &Tx, number: MembershipId) -> Result<(), Refusal> {
    let membership = find::<Membership>(&tx.t, number)?;
    require!(
        membership.standing == Standing::Balloting,
        "M08.wrong-state",
        membership = number
    );
    Ok(())
}

/// Moves a membership by its table and writes it.
pub(super) fn step(
    tx: &mut Tx,
    mut membership: Membership,
    code: &'static str,
    to: Standing,
) -> Result<Membership, Refusal> {
    tx.go(&mut membership, code, to)?;
    tx.put(membership.clone());
    Ok(membership)
}

pub(super) fn moved(
    tx: &mut Tx,
    due: Due,
    membership: &Membership,
    code: &str,
    motion: Option<MotionId>,
) {
    let body = EventBody::MembershipMoved {
        membership: membership.number,
        organisation: membership.organisation,
        transition: Text::new(code).unwrap_or_default(),
        standing: membership.standing.clone(),
        motion,
    };
    tx.emit(due, body);
}

/// M08: admitted.
fn admitted(tx: &mut Tx, number: MembershipId, motion: MotionId, due: Due) -> Result<(), Refusal> {
    let membership = find::<Membership>(&tx.t, number)?.clone();
    let membership = step(tx, membership, "M08", Standing::Admitted)?;
    let days = tx.charter()?.membership.activate_days;
    schedule_days(
        tx,
        DeadlineKind::MembershipActivate,
        number,
        Period::Days(days),
    );
    moved(tx, due, &membership, "M08", Some(motion));
    Ok(())
}

/// M08: not admitted, with the grounds that the counted "no" ballots state.
fn not_admitted(
    tx: &mut Tx,
    number: MembershipId,
    motion: MotionId,
    due: Due,
    failure: Failure,
) -> Result<(), Refusal> {
    let membership = find::<Membership>(&tx.t, number)?.clone();
    // Withdrawn with its motion: nothing is left to decide.
    if membership.standing != Standing::Balloting {
        return Ok(());
    }
    let standing = match failure {
        Failure::Rejected => {
            let recused = motion::recused(tx, find::<Motion>(&tx.t, motion)?);
            let criteria: BTreeSet<Text<40>> = motion::ballots(&tx.t, motion)
                .into_iter()
                .filter(|(group, cast)| {
                    cast.choice() == Some(Choice::No) && !recused.contains(group)
                })
                .filter_map(|(_, cast)| cast.criterion)
                .collect();
            let grounds = if criteria.is_empty() {
                Grounds::InsufficientSupport
            } else {
                Grounds::Criteria(criteria.into_iter().collect())
            };
            Standing::Rejected(grounds)
        }
        Failure::Lapsed => Standing::Lapsed(Lapse::NoQuorum),
        Failure::Void | Failure::Rescinded => Standing::Lapsed(Lapse::MotionVoid),
    };
    let membership = step(tx, membership, "M08", standing)?;
    if failure == Failure::Rejected && !membership.asked_again {
        schedule_days(
            tx,
            DeadlineKind::MembershipAskAgain,
            number,
            Period::Days(ASK_AGAIN_DAYS),
        );
    }
    moved(tx, due, &membership, "M08", Some(motion));
    Ok(())
}

/// R9: the applicant asks the board to vote once more.
pub(super) fn ask_again(tx: &mut Tx, actor: &Actor, number: MembershipId) -> Result<(), Refusal> {
    let mut membership = own(tx, actor, number, "R9")?;
    let by_ballot = matches!(
        membership.standing,
        Standing::Rejected(Grounds::Criteria(_) | Grounds::InsufficientSupport)
    );
    require!(by_ballot, "R9.not-by-ballot", membership = number);
    require!(
        !membership.asked_again,
        "R9.asked-before",
        membership = number
    );
    require!(
        tx.due(DeadlineKind::MembershipAskAgain, number).is_some(),
        "R9.too-late",
        membership = number
    );
    tx.cancel(DeadlineKind::MembershipAskAgain, number);
    // A newer application would have taken the organisation's place.
    let newest = of(&tx.t, membership.organisation).is_some_and(|newest| newest.number == number);
    require!(newest, "R9.newer-application", membership = number);
    membership.asked_again = true;
    open_ballot(tx, membership, "R9", None)?;
    Ok(())
}

/// The applicant takes the application back, from any state before activation.
pub(super) fn withdraw(tx: &mut Tx, actor: &Actor, number: MembershipId) -> Result<(), Refusal> {
    let membership = own(tx, actor, number, "M01w")?;
    let (balloting, motion) = (
        membership.standing == Standing::Balloting,
        membership.motion,
    );
    tx.advance(membership, "M01w", Standing::ApplicationWithdrawn)?;
    use DeadlineKind::{
        MembershipActivate, MembershipBallot, MembershipResubmit, MembershipScreen,
        MembershipSponsors,
    };
    for kind in [
        MembershipScreen,
        MembershipResubmit,
        MembershipSponsors,
        MembershipBallot,
        MembershipActivate,
    ] {
        tx.cancel(kind, number);
    }
    match motion {
        Some(motion) if balloting => motion::drop_motion(tx, motion),
        _ => Ok(()),
    }
}

/// The post of an auditor who is at home in the organisation's group (RULINGS R29).
fn auditor_of_group(tx: &Tx, organisation: OrganisationId) -> Option<PostId> {
    auditor_at_home_in(&tx.t, &groups::members(&tx.t, organisation))
}

/// M09: the applicant signs the agreement; the last one signed counts.
pub(super) fn agree(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
    agreement: &Hash,
) -> Result<(), Refusal> {
    let mut membership = own(tx, actor, number, "M09")?;
    membership.agreement = Some(*agreement);
    tx.put(membership);
    Ok(())
}

/// M09: the secretariat signs the same agreement, and the applicant is a member.
pub(super) fn activate(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
    agreement: &Hash,
) -> Result<(), Refusal> {
    let mut membership = handled(tx, actor, number, "M09")?;
    let Some(signed) = membership.agreement else {
        refuse!("M09.agreement-not-signed", membership = number)
    };
    require!(
        signed == *agreement,
        "M09.other-agreement",
        signed = signed,
        agreement = agreement
    );
    if let Some(post) = auditor_of_group(tx, membership.organisation) {
        refuse!(
            "R29.auditor-of-the-group",
            organisation = membership.organisation,
            post = post
        );
    }
    let dues = tx
        .charter()?
        .class(membership.class)
        .map_or(Amount::ZERO, |class| class.dues);
    let paid =
        first_invoice(&tx.t, number).is_some_and(|invoice| invoice.status == InvoiceStatus::Paid);
    require!(
        dues == Amount::ZERO || paid,
        "M09.dues-not-received",
        membership = number
    );
    let officers = &tx.organisation(membership.organisation)?.officers;
    let keyed: Vec<_> = officers
        .iter()
        .filter_map(|person| tx.t.persons.get(person))
        .filter(|person| person.in_force(tx.now) && person.has_key())
        .collect();
    require!(
        keyed.len() >= OFFICERS_MIN,
        "M09.too-few-officers",
        officers = keyed.len(),
        needed = OFFICERS_MIN
    );
    let primary = keyed
        .iter()
        .any(|person| person.roles.contains(&Role::Primary));
    require!(
        primary,
        "M09.no-primary-key",
        organisation = membership.organisation
    );
    membership.active_ms = Some(tx.now);
    discipline::begin(tx, number, "M09")?;
    tx.advance(membership, "M09", Standing::Live(Live::GOOD))?;
    tx.cancel(DeadlineKind::MembershipActivate, number);
    Ok(())
}

/// Deadlines of applications.
pub(super) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: MembershipId,
    due: Due,
) -> Result<(), Refusal> {
    let membership = find::<Membership>(&tx.t, number)?.clone();
    let (code, lapse) = match kind {
        DeadlineKind::MembershipScreen => {
            tx.emit(
                due,
                EventBody::ScreeningOverdue {
                    membership: number,
                    organisation: membership.organisation,
                },
            );
            return Ok(());
        }
        DeadlineKind::MembershipAskAgain => {
            tx.emit(due, EventBody::RejectionFinal { membership: number });
            return Ok(());
        }
        DeadlineKind::MembershipBallot | DeadlineKind::MembershipSponsors
            if has_sponsors(tx, &membership)? =>
        {
            let motion = open_ballot(tx, membership, "M07", None)?;
            let membership = find::<Membership>(&tx.t, number)?.clone();
            moved(tx, due, &membership, "M07", Some(motion));
            if let Some(event) = motion::opened_event(&tx.t, motion) {
                tx.emit(due, event);
            }
            return Ok(());
        }
        // A sponsor lost its standing in between; there may be another one until the time is over.
        DeadlineKind::MembershipBallot => return Ok(()),
        DeadlineKind::MembershipSponsors => ("M07", Lapse::TooFewSponsors),
        DeadlineKind::MembershipResubmit => ("M04", Lapse::NotResubmitted),
        DeadlineKind::MembershipActivate => {
            // It waits for the auditor's post to end, and does not lapse by it (RULINGS R29).
            if let Some(post) = auditor_of_group(tx, membership.organisation) {
                let days = tx.charter()?.membership.activate_days;
                schedule_days(tx, kind, number, Period::Days(days));
                tx.emit(
                    due,
                    EventBody::ActivationWaits {
                        membership: number,
                        post,
                    },
                );
                return Ok(());
            }
            ("M09", Lapse::NotActivated)
        }
        _ => return Ok(()),
    };
    let membership = step(tx, membership, code, Standing::Lapsed(lapse))?;
    moved(tx, due, &membership, code, None);
    Ok(())
}

impl Effect for AdmitMember {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Membership(self.membership)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self.membership)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_ballot(tx, self.membership)
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        admitted(tx, self.membership, motion, due)
    }

    fn failed(
        &self,
        tx: &mut Tx,
        motion: MotionId,
        due: Due,
        failure: Failure,
    ) -> Result<(), Refusal> {
        not_admitted(tx, self.membership, motion, due, failure)
    }
}
