//! Admission: one applicant becomes a member, another is rejected with a published criterion (M01
//! to M09, M26, M27).

use rollbook_core::account::Amount;
use rollbook_core::calendar::LocalDay;
use rollbook_core::charter::Class;
use rollbook_core::id::{InvoiceId, MembershipId, PersonId};
use rollbook_core::identity::identifier::{Identifier, uscc_check_character};
use rollbook_core::identity::possession::UNPROVED;
use rollbook_core::identity::{
    ApprovalPolicy, Authorisation, GroupDeclaration, OfficerEntry, OrganisationEntry,
    OrganisationKind, RelationKind, Role,
};
use rollbook_core::lookup::groups;
use rollbook_core::object::membership::{Grounds, Live, Standing};
use rollbook_core::record::{
    Application, BankReference, Body, Choice, MembershipAct, OrganisationAct, Receipt, Registration,
};
use rollbook_core::refusal::NotCounted;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::number::OrganisationId;

use crate::story::{Story, Told, name, paper, text, yuan};

/// The published criterion that the board's "no" cites.
const CRITERION: &str = "field-of-work";

impl Story<'_> {
    pub(super) fn members(&mut self) -> Told {
        let founders = self.tables().founders.len();
        self.tell("founded", "M25", &[("members", founders.to_string())]);
        let (a, b) = (
            self.register(11, "甲", "A", 1)?,
            self.register(12, "乙", "B", 2)?,
        );
        self.tell(
            "registered",
            "R16",
            &[
                ("organisation", a.to_string()),
                ("other", b.to_string()),
                ("introducer", "11".into()),
            ],
        );

        let (ma, mb) = (self.apply_for(a)?, self.apply_for(b)?);
        self.tell(
            "applied",
            "M01",
            &[("membership", ma.to_string()), ("other", mb.to_string())],
        );
        let steps: [fn(u32) -> MembershipAct; 2] = [
            |membership| MembershipAct::Screen {
                membership: MembershipId(membership),
            },
            |membership| MembershipAct::Complete {
                membership: MembershipId(membership),
            },
        ];
        for step in steps {
            let mut acts = Vec::new();
            for membership in [ma, mb] {
                acts.push(self.by_post(Role::Secretary, 0, Body::Membership(step(membership))));
            }
            self.settle("screened", acts)?;
        }
        self.tell("screened", "M06", &[]);

        let mut acts = Vec::new();
        for (membership, sponsors) in [(ma, [11, 14]), (mb, [15, 16])] {
            for sponsor in sponsors {
                acts.push(self.by_member(
                    sponsor,
                    Body::Membership(MembershipAct::Sponsor {
                        membership: MembershipId(membership),
                    }),
                ));
            }
        }
        self.settle("sponsored", acts)?;
        // With the second sponsor the ballot opens by the clock, at the next block.
        self.past(DeadlineKind::MembershipBallot, ma)?;
        self.past(DeadlineKind::MembershipBallot, mb)?;
        let motion = |story: &Self, membership: u32| {
            let found = story
                .tables()
                .memberships
                .get(&MembershipId(membership))
                .and_then(|membership| membership.motion);
            found.ok_or_else(|| story.missing("sponsored", "a ballot on the admission"))
        };
        let (va, vb) = (motion(self, ma)?, motion(self, mb)?);
        self.tell(
            "sponsored",
            "M07",
            &[("motion", va.0.to_string()), ("other", vb.0.to_string())],
        );
        self.admission_ballots(va.0, vb.0)?;

        self.past(DeadlineKind::MotionClose, va.0)?;
        self.past(DeadlineKind::MotionClose, vb.0)?;
        let standing = |story: &Self, membership: u32| {
            story
                .tables()
                .memberships
                .get(&MembershipId(membership))
                .map(|membership| membership.standing.clone())
        };
        self.expect("admitted", Some(Standing::Admitted), standing(self, ma))?;
        let counts = self.counts(va.0);
        self.tell("admitted", "M08", &counts);
        let grounds = Grounds::Criteria(vec![text(CRITERION)]);
        self.expect(
            "rejected",
            Some(Standing::Rejected(grounds)),
            standing(self, mb),
        )?;
        let mut counts = self.counts(vb.0);
        counts.push(("criterion", CRITERION.to_owned()));
        self.tell("rejected", "M08", &counts);
        self.activate(a, ma)?;
        self.expect(
            "activated",
            Some(Standing::Live(Live::GOOD)),
            standing(self, ma),
        )?;
        self.relation(a, 17)
    }

    /// One side declares a relation, the other confirms it: from then on each has no voice in the
    /// other's matters.
    fn relation(&mut self, one: u32, other: u32) -> Told {
        let facts = [
            ("organisation", one.to_string()),
            ("other", other.to_string()),
        ];
        let act = OrganisationAct::Relate(GroupDeclaration {
            other: OrganisationId(other),
            kind: RelationKind::Investor,
            evidence: paper("share register"),
        });
        let act = self.by_member(one, Body::Organisation(act));
        self.one("relation-declared", act)?;
        self.tell("relation-declared", "M24", &facts);
        let act = OrganisationAct::ConfirmRelation {
            other: OrganisationId(one),
            relation: 1,
        };
        let act = self.by_member(other, Body::Organisation(act));
        self.one("relation-confirmed", act)?;
        let (one, other) = (OrganisationId(one), OrganisationId(other));
        self.expect(
            "relation-confirmed",
            (true, true, false),
            (
                groups::has_conflict(self.tables(), one, other),
                groups::has_conflict(self.tables(), other, one),
                groups::related(self.tables(), one, other),
            ),
        )?;
        self.tell("relation-confirmed", "R27", &facts);
        Ok(())
    }

    /// The board votes: the sponsors' groups are recused, and a group has the one voice of its
    /// seat.
    fn admission_ballots(&mut self, admit: u32, reject: u32) -> Told {
        let related = self.ballot(13, admit, Choice::Yes, None);
        self.refused(
            "no-seat",
            "R1.not-in-electorate",
            &[("member", "13".into()), ("other", "12".into())],
            related,
        )?;
        let sponsor = self.ballot(11, admit, Choice::Yes, None);
        let facts = [("member", "11".to_owned()), ("motion", admit.to_string())];
        self.without_effect("sponsor-recused", NotCounted::Recused, &facts, sponsor)?;
        let board = self.board();
        let mut acts = Vec::new();
        for member in board.iter().filter(|member| ![11, 14].contains(*member)) {
            acts.push(self.ballot(*member, admit, Choice::Yes, None));
        }
        for (nth, member) in board
            .iter()
            .filter(|member| ![15, 16].contains(*member))
            .enumerate()
        {
            let yes = nth < 2;
            let choice = if yes { Choice::Yes } else { Choice::No };
            acts.push(self.ballot(*member, reject, choice, (!yes).then_some(CRITERION)));
        }
        self.settle("ballots", acts).map(|_| ())
    }

    /// An outside company enters the register, introduced by a member.
    fn register(&mut self, introducer: u32, native: &str, latin: &str, serial: u32) -> Told<u32> {
        let last = |story: &Self| {
            let tables = story.tables();
            (
                tables.organisations.last_key().map_or(0, |last| last.0),
                tables.persons.last_key().map_or(0, |last| last.0),
            )
        };
        let (number, persons) = last(self);
        let code = format!("91999999MA0DM{:04}", 100 + serial);
        let code = format!("{code}{}", uscc_check_character(&code).unwrap_or('0'));
        let identifier = Identifier::uscc(&code)
            .map_err(|error| self.missing("registered", error.to_string()))?;
        let roles: [&[Role]; 2] = [
            &[Role::Primary, Role::NodeOperator],
            &[Role::Alternate, Role::Finance, Role::Technical],
        ];
        let today = self.today();
        let officers = (1..).zip(roles).map(|(local, roles)| {
            let key = self.stage.key(persons + local);
            OfficerEntry {
                person: PersonId(local),
                commitment: paper(&format!("person {}", persons + local)),
                roles: roles.to_vec(),
                keys: vec![(key.public(), UNPROVED)],
                reader: None,
                authorisation: Authorisation {
                    letter: paper(&format!("letter {}", persons + local)),
                    signatory: paper(&format!("signatory {latin}")),
                    date: LocalDay(today),
                },
            }
        });
        let entry = OrganisationEntry {
            number: OrganisationId(0),
            kind: OrganisationKind::Company,
            name: name(
                &format!("虚构申请方{native}"),
                &format!("Fictional applicant {latin}"),
            ),
            identifiers: vec![identifier],
            country: text("CN"),
            extract: (paper(&format!("registry extract {latin}")), LocalDay(today)),
            relations: Vec::new(),
            directions: Vec::new(),
            officers: officers.collect(),
            policy: ApprovalPolicy::default(),
        };
        let (first, second) = (self.stage.key(persons + 1), self.stage.key(persons + 2));
        let registration = Registration::signed(&self.stage.chain(), &entry, &[&first, &second]);
        let act = self.by_member(
            introducer,
            Body::Organisation(OrganisationAct::Register(registration)),
        );
        self.one("registered", act)?;
        self.expect("registered", number + 1, last(self).0)?;
        Ok(number + 1)
    }

    fn apply_for(&mut self, company: u32) -> Told<u32> {
        let charter = self
            .tables()
            .parameters
            .iter()
            .last()
            .map(|(_, charter)| charter.text)
            .unwrap_or_default();
        let application = Application {
            class: Class::Ordinary,
            charter,
            antitrust: paper("antitrust undertaking"),
            conflicts: paper("conflict undertaking"),
            relations: Vec::new(),
        };
        let act = self.by_member(company, Body::Membership(MembershipAct::Apply(application)));
        self.one("applied", act)?;
        self.tables()
            .memberships
            .last_key()
            .map(|membership| membership.0)
            .ok_or_else(|| self.missing("applied", "a membership"))
    }

    /// Dues and agreement; the admitted applicant is a member.
    fn activate(&mut self, company: u32, membership: u32) -> Told {
        let early = self.by_post(
            Role::Secretary,
            0,
            Body::Membership(MembershipAct::Activate {
                membership: MembershipId(membership),
                agreement: paper("participation agreement"),
            }),
        );
        self.refused(
            "too-early",
            "M09.agreement-not-signed",
            &[("membership", membership.to_string())],
            early,
        )?;
        let act = self.by_post(
            Role::Treasurer,
            0,
            Body::Membership(MembershipAct::Invoice {
                membership: MembershipId(membership),
            }),
        );
        self.one("invoiced", act)?;
        let invoice = self
            .tables()
            .dues
            .get(&MembershipId(membership))
            .and_then(|part| part.invoice)
            .unwrap_or(InvoiceId(0));
        let amount = self
            .tables()
            .invoices
            .get(&invoice)
            .map_or(0, |invoice| invoice.amount.0);
        let receipt = Receipt {
            invoice,
            amount: Amount(amount),
            reference: BankReference(text("DUES-A-0001")),
            value_date: LocalDay(self.today()),
        };
        let act = self.by_post(
            Role::Treasurer,
            0,
            Body::Membership(MembershipAct::Receive(receipt)),
        );
        let receipt = self.one("dues", act)?;
        let act = self.by_post(
            Role::SecondOfficer,
            0,
            Body::Membership(MembershipAct::ConfirmReceipt { invoice, receipt }),
        );
        self.one("dues", act)?;
        self.tell(
            "dues",
            "M27",
            &[("amount", yuan(amount)), ("invoice", invoice.0.to_string())],
        );
        let agreement = paper("participation agreement");
        let signed = self.by_member(
            company,
            Body::Membership(MembershipAct::Agree {
                membership: MembershipId(membership),
                agreement,
            }),
        );
        self.one("activated", signed)?;
        let act = self.by_post(
            Role::Secretary,
            0,
            Body::Membership(MembershipAct::Activate {
                membership: MembershipId(membership),
                agreement,
            }),
        );
        self.one("activated", act)?;
        self.tell(
            "activated",
            "M09",
            &[
                ("membership", membership.to_string()),
                ("organisation", company.to_string()),
            ],
        );
        Ok(())
    }
}
