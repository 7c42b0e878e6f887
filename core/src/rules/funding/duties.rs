//! Separation of duties over the chain of one payment (domain 2.9; N12, N13; RULINGS R6).
//!
//! * Persons: nobody acts twice in one chain. One table says which two steps one person may both
//!   take; a person may repeat only a step that a returned payment repeats (release, confirm).
//! * Groups: nobody on the fund's side belongs to the grantee's group; assessors of one milestone
//!   and reviewers of one application come from distinct groups. The fund's officers may share an
//!   employer unless the charter sets `chain_distinct_groups`.
//! * What was done is judged again before each further step, with the ties that were effective when
//!   it was done (RULINGS R30): [`tainted`].
//! * That two person numbers are two humans is attested, not proved (RULINGS A16).
//! * Absent on purpose: who holds which post (that is authority, judged before), and the signing of
//!   the agreement, which is no step of the chain.

use std::collections::BTreeMap;

use rollbook_proof::number::OrganisationId;

use crate::id::PersonId;
use crate::lookup::groups;
use crate::object::deed::{Both, Deed, STEPS, Step};
use crate::refusal::Refusal;
use crate::refuse;
use crate::state::StateTables;
use crate::word::{Fact, Word as _};

/// The chain of one payment so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The grantee.
    pub grantee: OrganisationId,
    /// What was done, in any order.
    pub deeds: Vec<Deed>,
    /// R6: the charter demands distinct groups among the fund's officers.
    pub distinct_groups: bool,
}

/// Refuses a deed that the rules of the module head forbid. True: allowed only because it is
/// recorded, so the caller records it.
pub fn judge(tables: &StateTables, chain: &Chain, deed: Deed) -> Result<bool, Refusal> {
    let related = groups::were_related(tables, deed.home, chain.grantee, deed.at_ms);
    if deed.step.is_grantees() {
        // Another company of the group does not act for the grantee either; authority has judged
        // that the grantee signed.
        if !related {
            refuse!(
                "R6.not-the-grantee",
                step = deed.step,
                person = deed.person,
                organisation = deed.home
            );
        }
    } else if groups::had_conflict(tables, deed.home, chain.grantee, deed.at_ms) {
        refuse!(
            "N13.related-to-grantee",
            step = deed.step,
            person = deed.person,
            organisation = deed.home
        );
    }
    let mut noted = false;
    for earlier in chain
        .deeds
        .iter()
        .filter(|earlier| earlier.person == deed.person)
    {
        match deed.step.both(earlier.step) {
            Both::No => refuse!(
                "N12.same-person",
                person = deed.person,
                step = deed.step,
                earlier = earlier.step
            ),
            Both::Yes => {}
            Both::Recorded => noted = true,
        }
    }
    let code = match deed.step {
        Step::Assess => Some("R6.assessors-of-one-group"),
        Step::Review => Some("R6.reviewers-of-one-group"),
        step if step.is_officers() && chain.distinct_groups => Some("R6.officers-of-one-group"),
        _ => None,
    };
    if let Some(code) = code {
        // The steps among which groups are distinct: the same one, or any two of the fund's
        // officers.
        let counts =
            |step: Step| step == deed.step || step.is_officers() && deed.step.is_officers();
        let mut others = chain
            .deeds
            .iter()
            .filter(|earlier| counts(earlier.step) && earlier.person != deed.person);
        if let Some(other) = others.find(|earlier| {
            let later = earlier.at_ms.max(deed.at_ms);
            groups::were_related(tables, earlier.home, deed.home, later)
        }) {
            return Err(Refusal::new(
                code,
                vec![
                    ("person", deed.person.fact()),
                    ("other", other.person.fact()),
                    ("step", other.step.fact()),
                ],
            ));
        }
    }
    Ok(noted)
}

/// Judges `deeds` again, one after the other, after those of `chain`. Returns the ones that the ties
/// forbid (RULINGS R30), each with the refusal that it would meet.
pub fn tainted(
    tables: &StateTables,
    mut chain: Chain,
    deeds: impl IntoIterator<Item = Deed>,
) -> Vec<(Deed, Refusal)> {
    let mut found = Vec::new();
    for deed in deeds {
        match judge(tables, &chain, deed) {
            Ok(_) => chain.deeds.push(deed),
            // A deed that falls stands in nobody's way.
            Err(refusal) => found.push((deed, refusal)),
        }
    }
    found
}

/// Judges a whole chain again, for audits and property tests: every deed against those before it.
pub fn judge_all(tables: &StateTables, chain: &Chain) -> Result<(), Refusal> {
    let empty = Chain {
        deeds: Vec::new(),
        ..*chain
    };
    match tainted(tables, empty, chain.deeds.iter().copied()).pop() {
        Some((_, refusal)) => Err(refusal),
        None => Ok(()),
    }
}

/// Refuses the second of two persons who is the first, or, where groups have to be distinct, of the first
/// one's group.
pub fn require_second(
    tables: &StateTables,
    first: PersonId,
    second: PersonId,
    distinct_groups: bool,
) -> Result<(), Refusal> {
    if first == second {
        refuse!("N12.same-person", person = second);
    }
    let home = |person: PersonId| {
        let known = tables.persons.get(&person);
        known.map_or(OrganisationId(0), |known| known.home)
    };
    if distinct_groups && groups::related(tables, home(first), home(second)) {
        refuse!("N12.same-group", person = second);
    }
    Ok(())
}

/// The matrix as Markdown, for docs/.
pub fn markdown() -> String {
    let mut text = String::from("| may the same person do both? |");
    STEPS
        .iter()
        .for_each(|step| text.push_str(&format!(" {} |", step.word())));
    text.push_str("\n|---|");
    STEPS.iter().for_each(|_| text.push_str("---|"));
    text.push('\n');
    for row in STEPS {
        text.push_str(&format!("| {} |", row.word()));
        for column in STEPS {
            let word = match row.both(column) {
                Both::No => "no",
                Both::Yes => "yes",
                Both::Recorded => "yes, recorded",
            };
            text.push_str(&format!(" {word} |"));
        }
        text.push('\n');
    }
    text
}

/// Persons by step, for reports.
pub fn by_step(deeds: &[Deed]) -> BTreeMap<Step, Vec<PersonId>> {
    let mut steps: BTreeMap<Step, Vec<PersonId>> = BTreeMap::new();
    for deed in deeds {
        steps.entry(deed.step).or_default().push(deed.person);
    }
    steps
}

#[cfg(test)]
mod tests {
    use rollbook_proof::crypto::Hash;
    use rollbook_proof::number::{Height, LedgerTime};

    use super::*;
    use crate::identity::RelationKind;
    use crate::object::deed::{N, R, STEPS};
    use crate::object::relation::{Edge, RelationStatus};
    use crate::rules::relations;
    use crate::state::StateTables;
    use crate::tx::{BlockContext, Tx};

    const GRANTEE: u32 = 100;

    fn deed(step: Step, person: PersonId) -> Deed {
        // Every person has an own employer unless a test says otherwise; the grantee's officers are
        // of the grantee.
        Deed {
            step,
            person,
            home: OrganisationId(if step.is_grantees() {
                GRANTEE
            } else {
                person.0
            }),
            at_ms: LedgerTime(0),
        }
    }

    fn chain(deeds: &[Deed]) -> Chain {
        Chain {
            grantee: OrganisationId(GRANTEE),
            deeds: deeds.to_vec(),
            distinct_groups: false,
        }
    }

    fn code(result: Result<bool, Refusal>) -> Option<&'static str> {
        result.err().map(|refusal| refusal.code)
    }

    /// The cells of domain 2.9 written out once more, by name, against the table: (row, column,
    /// answer).
    #[test]
    fn every_cell_of_the_matrix_is_enforced() {
        let domain: [(Step, [(Step, Both); 7]); 5] = [
            (
                Step::Assess,
                cells(
                    [
                        Step::Request,
                        Step::Certify,
                        Step::Approve,
                        Step::Release,
                        Step::Confirm,
                        Step::Review,
                    ],
                    R,
                ),
            ),
            (
                Step::Certify,
                cells(
                    [
                        Step::Request,
                        Step::Assess,
                        Step::Approve,
                        Step::Release,
                        Step::Confirm,
                        Step::Review,
                    ],
                    N,
                ),
            ),
            (
                Step::Approve,
                cells(
                    [
                        Step::Request,
                        Step::Assess,
                        Step::Certify,
                        Step::Release,
                        Step::Confirm,
                        Step::Review,
                    ],
                    N,
                ),
            ),
            (
                Step::Release,
                cells(
                    [
                        Step::Request,
                        Step::Assess,
                        Step::Certify,
                        Step::Approve,
                        Step::Confirm,
                        Step::Review,
                    ],
                    N,
                ),
            ),
            (
                Step::Review,
                cells(
                    [
                        Step::Request,
                        Step::Assess,
                        Step::Certify,
                        Step::Approve,
                        Step::Release,
                        Step::Confirm,
                    ],
                    N,
                ),
            ),
        ];
        for (row, cells) in domain {
            for (column, answer) in cells {
                assert_eq!(row.both(column), answer, "{row:?} and {column:?}");
                assert_eq!(column.both(row), answer, "{column:?} and {row:?}");
            }
        }
        let tables = StateTables::default();
        for first in STEPS {
            for second in STEPS {
                assert_eq!(
                    first.both(second),
                    second.both(first),
                    "the matrix is symmetric"
                );
                let mut second_deed = deed(second, PersonId(7));
                // The same human, so the same employer: a grantee's step and a fund's step differ
                // in group before persons.
                second_deed.home = deed(second, PersonId(7)).home;
                let result = judge(&tables, &chain(&[deed(first, PersonId(7))]), second_deed);
                match first.both(second) {
                    Both::No => assert_eq!(
                        code(result),
                        Some("N12.same-person"),
                        "{first:?} then {second:?}"
                    ),
                    Both::Yes => assert_eq!(result, Ok(false), "{first:?} then {second:?}"),
                    Both::Recorded => assert_eq!(result, Ok(true), "{first:?} then {second:?}"),
                }
                assert_eq!(
                    code(judge(
                        &tables,
                        &chain(&[deed(first, PersonId(7))]),
                        deed(second, PersonId(8))
                    )),
                    None,
                    "two persons"
                );
            }
        }
    }

    fn cells(no: [Step; 6], vote: Both) -> [(Step, Both); 7] {
        let [a, b, c, d, e, f] = no;
        [
            (a, N),
            (b, N),
            (c, N),
            (d, N),
            (e, N),
            (f, N),
            (Step::Vote, vote),
        ]
    }

    #[test]
    fn the_grantees_group_never_acts_for_the_fund() {
        let mut tables = StateTables::default();
        let block = BlockContext {
            chain: Hash::ZERO,
            height: Height(1),
            now: LedgerTime(0),
        };
        let mut tx = Tx::of_block(&mut tables, block);
        relations::write(
            &mut tx,
            Edge::begun(
                (OrganisationId(GRANTEE), OrganisationId(101)),
                RelationKind::Control,
                Hash::ZERO,
                OrganisationId(101),
                LedgerTime(0),
                RelationStatus::Joined,
            ),
        );
        tx.keep();
        for step in STEPS {
            for home in [GRANTEE, 101] {
                let result = code(judge(
                    &tables,
                    &chain(&[]),
                    Deed {
                        step,
                        person: PersonId(7),
                        home: OrganisationId(home),
                        at_ms: LedgerTime(0),
                    },
                ));
                let expected = if step.is_grantees() {
                    None
                } else {
                    Some("N13.related-to-grantee")
                };
                assert_eq!(result, expected, "{step:?} of {home}");
            }
            let stranger = code(judge(
                &tables,
                &chain(&[]),
                Deed {
                    step,
                    person: PersonId(7),
                    home: OrganisationId(9),
                    at_ms: LedgerTime(0),
                },
            ));
            assert_eq!(stranger, step.is_grantees().then_some("R6.not-the-grantee"));
        }
    }

    #[test]
    fn groups_within_a_step_and_within_the_office() {
        let tables = StateTables::default();
        let at = |step, person| Deed {
            step,
            person,
            home: OrganisationId(50),
            at_ms: LedgerTime(0),
        };
        for (step, refused) in [
            (Step::Assess, Some("R6.assessors-of-one-group")),
            (Step::Review, Some("R6.reviewers-of-one-group")),
            (Step::Approve, None),
            (Step::Vote, None),
        ] {
            assert_eq!(
                code(judge(
                    &tables,
                    &chain(&[at(step, PersonId(1))]),
                    at(step, PersonId(2))
                )),
                refused,
                "{step:?}"
            );
        }
        let officers = STEPS.into_iter().filter(|step| step.is_officers());
        for first in officers.clone() {
            for second in officers.clone() {
                let mut one_employer = chain(&[at(first, PersonId(1))]);
                assert_eq!(
                    code(judge(&tables, &one_employer, at(second, PersonId(2)))),
                    None
                );
                one_employer.distinct_groups = true;
                assert_eq!(
                    code(judge(&tables, &one_employer, at(second, PersonId(2)))),
                    Some("R6.officers-of-one-group")
                );
                assert_eq!(
                    code(judge(&tables, &one_employer, deed(second, PersonId(2)))),
                    None
                );
            }
        }
    }

    #[test]
    fn the_table_prints() {
        let text = markdown();
        assert_eq!(text.lines().count(), 2 + STEPS.len());
        assert!(
            text.contains("| assess | no | yes, recorded | no |"),
            "{text}"
        );
    }
}
