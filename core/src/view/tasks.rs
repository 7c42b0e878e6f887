//! What waits for whom: the open objects with who has to act, by when.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_proof::chain::ReadClass;
use rollbook_proof::number::OrganisationId;

use super::open::Open;
use crate::id::{
    AgreementId, FundId, Id as _, InstalmentId, MilestoneId, MotionId, PersonId, PostId, ReviewId,
};
use crate::identity::{Role, Scope};
use crate::lookup::posts::post_in_force;
use crate::lookup::seats;
use crate::next;
use crate::next::{Next, Object, fund_of};
use crate::object::motion::{Cast, Motion, MotionStatus};
use crate::object::review::Review;
use crate::rules::motion::{ballots_of, electorate_of, recused, unopened};
use crate::state::StateTables;
use crate::tx::Tx;

/// One thing that waits.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Task {
    /// Where the object stands, who acts, by when.
    pub next: Next,
    /// The companies that may act, ascending: their officers, by their own approval policies.
    pub companies: Vec<OrganisationId>,
    /// The persons who may, ascending: holders of posts, reviewers, assessors.
    pub persons: Vec<PersonId>,
    /// The offices and companies for which these persons act, ascending.
    pub of: Vec<OrganisationId>,
    /// Whoever is a member may.
    pub anybody: bool,
}

/// Whose tasks are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's.
    All,
    /// Of a company or office.
    Organisation(OrganisationId),
    /// Of a person: named, or any officer of the company.
    Person(PersonId),
}

/// What waits, for readers of a class: by deadline, without one last. Only open objects are looked at.
pub fn tasks(tx: &Tx, open: &Open, whose: Whose, reader: ReadClass) -> Vec<Task> {
    let tables: &StateTables = &tx.t;
    let posts = Posts::of(tx, open);
    let entered = open.entered();
    let mut found = Vec::new();
    for (object, number) in open.objects() {
        let next = match object {
            Object::Instalment => {
                let id = InstalmentId(number);
                next::instalment(tables, id, entered.contains(&id))
            }
            _ => next::of(tables, object, number, reader),
        };
        let Some(next) = next.filter(|next| is_a_task(tables, next)) else {
            continue;
        };
        let task = address(tx, &posts, next, reader);
        let wanted = match whose {
            Whose::All => true,
            Whose::Organisation(organisation) => {
                task.anybody
                    || task.companies.contains(&organisation)
                    || task.of.contains(&organisation)
            }
            Whose::Person(person) => {
                let home = tables.persons.get(&person).map(|entry| entry.home);
                let by_company = home.is_some_and(|home| task.companies.contains(&home));
                task.persons.contains(&person) || by_company || task.anybody
            }
        };
        // What nobody in particular has to do is no task of somebody.
        let somebody = !task.companies.is_empty() || !task.persons.is_empty() || task.anybody;
        if wanted && (somebody || whose == Whose::All) {
            found.push(task);
        }
    }
    found.sort_by_key(|task| {
        let due = task.next.due.map(|(_, due)| due);
        (due.is_none(), due, task.next.object, task.next.number)
    });
    found
}

/// Whether somebody has to act on the object itself: where the task is that of another object, it is
/// told there.
fn is_a_task(tables: &StateTables, next: &Next) -> bool {
    if matches!(next.who, "" | "CLK" | "progress" | "ballot" | "CLK or SEC") {
        return false;
    }
    let number = next.number;
    match (next.object, next.who) {
        // Of its draw the three are told.
        (Object::Motion, "PO, OFF, seat holder") => false,
        // Of each review its reviewer is told, of each milestone the grantee, of an application its
        // draw; of a call, what its applications wait for.
        (Object::Application, "REV" | "PO, OFF, seat holder" | "anyone" | "IC, BRD, GA") => false,
        (Object::Agreement, who) => {
            who == "OFF" || !matches!(next.state, "in-force") || next.see.is_empty()
        }
        (Object::Call, "anyone" | "applicants" | "PO") => true,
        (Object::Call, "IC, BRD, GA") => true,
        (Object::Call, _) => false,
        (Object::Review, _) => may_act(tables, number),
        _ => true,
    }
}

/// Whether the reviewer can take the step now: nobody reveals before all reviews of the application
/// are sealed.
fn may_act(tables: &StateTables, number: u32) -> bool {
    use crate::object::review::ReviewStatus as R;
    let Some(review) = tables.reviews.get(&ReviewId(number)) else {
        return false;
    };
    let of = (review.application, PersonId::MIN)..=(review.application, PersonId::MAX);
    let unsealed = |review: &Review| matches!(review.status, R::Assigned | R::Clear);
    review.status != R::Sealed
        || !tables
            .review_of
            .range(of)
            .filter_map(|(_, number)| tables.reviews.get(number))
            .any(unsealed)
}

/// Who holds which post now.
struct Posts(BTreeMap<(Role, Scope), Vec<(PersonId, OrganisationId)>>);

impl Posts {
    fn of(tx: &Tx, open: &Open) -> Posts {
        let mut found: BTreeMap<(Role, Scope), Vec<(PersonId, OrganisationId)>> = BTreeMap::new();
        for number in open.posts() {
            let post =
                tx.t.posts
                    .get(&number)
                    .filter(|post| post_in_force(post, tx.now));
            if let Some(post) = post {
                let holders = found.entry((post.role, post.scope)).or_default();
                holders.push((post.holder, post.office));
            }
        }
        Posts(found)
    }

    fn holders(&self, role: Role, scope: Scope) -> &[(PersonId, OrganisationId)] {
        self.0.get(&(role, scope)).map_or(&[], Vec::as_slice)
    }
}

/// Members with a voice on an open motion that have not voted and may.
fn missing(tx: &Tx, motion: &Motion, reader: ReadClass) -> BTreeSet<OrganisationId> {
    let electorate = electorate_of(&tx.t, motion.number, motion.round);
    if reader != ReadClass::Members {
        return electorate.into_keys().collect();
    }
    let voted = ballots_of(&tx.t, motion.number, motion.round);
    let recused = recused(tx, motion);
    electorate
        .into_iter()
        .filter(|(_, voice)| !voted.contains_key(voice) && !recused.contains(voice))
        .map(|(organisation, _)| organisation)
        .collect()
}

/// Says who may take the step.
fn address(tx: &Tx, posts: &Posts, next: Next, reader: ReadClass) -> Task {
    let tables: &StateTables = &tx.t;
    let (mut companies, mut persons, mut of_persons) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut anybody = false;
    let fund = fund_of(tables, next.object, next.number);
    // A place of a draw that passed to a seat holder is no post's.
    let who = next.who.replace("seat holder", "");
    if who.len() != next.who.len() {
        if next.named.is_empty() {
            companies.extend(seats::holders(tables));
        } else {
            companies.extend(next.named.iter().copied());
        }
    }
    let scope = fund.map_or(Scope::Alliance, Scope::Fund);
    let words = who.split(|c: char| !c.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        let role = match word {
            "TRE" => Some(Role::Treasurer),
            "OFF" => Some(Role::SecondOfficer),
            "PO" => Some(Role::ProgrammeOfficer),
            "FIN" => Some(Role::FinanceApprover),
            "SEC" => Some(Role::Secretary),
            _ => None,
        };
        if let Some(role) = role {
            for (person, office) in posts.holders(role, scope) {
                persons.insert(*person);
                of_persons.insert(*office);
            }
            continue;
        }
        match word {
            "GRT" | "applicant" | "MEM" | "proposer" | "operator" | "officer" => {
                companies.extend(next.organisation);
            }
            "BRD" => companies.extend(seats::holders(tables)),
            "IC" => {
                let of = fund.map(|fund| (fund, OrganisationId::MIN)..=(fund, OrganisationId::MAX));
                let seats = of
                    .into_iter()
                    .flat_map(|of| tables.committee_seats.range(of));
                companies.extend(seats.map(|((_, organisation), _)| *organisation));
            }
            "REV" => {
                persons.extend(next.person);
                of_persons.extend(next.organisation);
            }
            "ASR" => {
                let milestone = tables.milestones.get(&MilestoneId(next.number));
                let open = milestone.into_iter().flat_map(|entry| &entry.assessors);
                for assessor in open.filter(|assessor| assessor.finding.is_none()) {
                    persons.insert(assessor.person);
                    of_persons.insert(assessor.home);
                }
            }
            "electorate" => {
                let motion = tables.motions.get(&MotionId(next.number));
                if let Some(motion) = motion.filter(|motion| motion.status == MotionStatus::Open) {
                    companies.extend(missing(tx, motion, reader));
                }
            }
            "unopened" => {
                let motion = tables.motions.get(&MotionId(next.number));
                let sealed = motion.filter(|_| reader == ReadClass::Members);
                let sealed = sealed
                    .map(|motion| unopened(tx, motion))
                    .unwrap_or_default();
                let opens = |cast: Cast| cast.proxy.unwrap_or(cast.organisation);
                companies.extend(sealed.into_iter().map(opens));
            }
            "sponsors" | "members" | "anyone" | "applicants" => anybody = true,
            _ => {}
        }
    }
    match next.object {
        // The chair may do what any one seat holder may (RULINGS R48).
        Object::Calendar | Object::Correction | Object::Notice | Object::Proceeding
            if who.len() != next.who.len() =>
        {
            for (person, office) in posts.holders(Role::Chair, Scope::Alliance) {
                persons.insert(*person);
                of_persons.insert(*office);
            }
        }
        Object::Fund => {
            if let Some(entry) = tables.funds.get(&FundId(next.number)) {
                companies.extend((!entry.holder_accepted).then_some(entry.holder));
                let named = entry.officers.iter().map(|(_, person)| *person);
                persons.extend(named.filter(|person| !entry.accepted.contains(person)));
            }
        }
        Object::Post => {
            persons.extend(next.person);
            let post = tables.posts.get(&PostId(next.number));
            of_persons.extend(post.map(|post| post.office));
        }
        // Whoever has not said it, or answered.
        Object::Relation => companies.extend(next.named.iter().copied()),
        // Each of the officers signs once.
        Object::Agreement => {
            if let Some(entry) = tables.agreements.get(&AgreementId(next.number)) {
                let suspension = entry.suspension.and_then(|of| tables.measures.get(&of));
                let resumed = suspension.and_then(|measure| measure.resumed_by);
                let first = entry.closing.or(resumed).map(|(_, person)| person);
                let signed = |person: &PersonId| match entry.in_force_ms {
                    None => entry.officers.contains(person),
                    Some(_) => first == Some(*person),
                };
                persons.retain(|person| !signed(person));
            }
        }
        _ => {}
    }
    Task {
        next,
        companies: companies.into_iter().collect(),
        persons: persons.into_iter().collect(),
        of: of_persons.into_iter().collect(),
        anybody,
    }
}
