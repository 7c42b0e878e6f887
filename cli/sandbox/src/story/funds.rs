//! The fund: made by the board with its officers, pledges, instalments, receipts, pools, committee
//! (F01 to F03, F34, R7).

use rollbook_core::account::{Amount, Pot, Unit};
use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{ContributionId, DirectionId, FundId, InstalmentId, PersonId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::object::fund::FundStatus;
use rollbook_core::object::post::PostStatus;
use rollbook_core::record::{
    AppointCommittee, Appointment, BankReference, Body, CallAct, ConfirmPool, CreateFund, FundAct,
    InstalmentEntry, MotionAct, MotionEffect, PledgeEntry, PoolKind, ReceiptEntry,
};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::story::{FUND_ACCOUNT, Story, Told, YUAN, name, sealed_account, text, yuan};

const MILLION: u64 = 1_000_000 * YUAN;
/// Members whose technical officers review; none of them votes on awards.
const REVIEWERS: [u32; 6] = [1, 2, 3, 4, 5, 6];
/// Members whose technical officers assess milestones.
const ASSESSORS: [u32; 4] = [7, 8, 9, 10];
/// The investment committee.
const COMMITTEE: [u32; 5] = [7, 8, 9, 10, 24];
/// Who pledges: member, earmarked direction, instalments in yuan millions. The first is called and
/// received.
const PLEDGES: [(u32, Option<u32>, &[u64]); 4] = [
    (11, None, &[10, 5]),
    (12, Some(1), &[5]),
    (14, None, &[10]),
    (15, None, &[10]),
];

impl Story<'_> {
    pub(super) fn fund(&mut self) -> Told {
        let persons = |story: &Self, members: &[u32]| -> Vec<PersonId> {
            let second = |member: &u32| {
                story
                    .tables()
                    .organisations
                    .get(&OrganisationId(*member))?
                    .officers
                    .get(1)
                    .copied()
            };
            members.iter().filter_map(second).collect()
        };
        let (reviewers, assessors) = (persons(self, &REVIEWERS), persons(self, &ASSESSORS));
        let mut acts = Vec::new();
        for (pool, persons) in [
            (PoolKind::Reviewers, &reviewers),
            (PoolKind::Assessors, &assessors),
        ] {
            let act = CallAct::EnterPool {
                pool,
                persons: persons.clone(),
            };
            acts.push(self.by_post(Role::ProgrammeOfficer, 0, Body::Call(act)));
        }
        self.settle("pools-entered", acts)?;

        let plan = self.plan();
        let first = self.newest_motion() + 1;
        let effects = [
            MotionEffect::CreateFund(plan.clone().into()),
            MotionEffect::ConfirmPool(ConfirmPool {
                pool: PoolKind::Reviewers,
                persons: reviewers,
            }),
            MotionEffect::ConfirmPool(ConfirmPool {
                pool: PoolKind::Assessors,
                persons: assessors,
            }),
            self.renewal(),
        ];
        let motions = [first, first + 1, first + 2, first + 3];
        let mut acts = Vec::new();
        for effect in effects {
            let body = self.proposal(effect, BodyKind::Board, "fund and pools");
            acts.push(self.by_post(Role::Secretary, 0, body));
        }
        self.settle("fund-proposed", acts)?;
        let board = self.board();
        self.all_yes("fund-proposed", &board, &motions)?;
        self.carry("fund-approved", &motions)?;
        let counts = self.counts(first);
        self.tell("fund-approved", "F01", &counts);
        self.renewed()?;

        self.accept_posts(&plan)?;
        self.contributions()?;

        let plan = AppointCommittee {
            fund: FundId(1),
            members: COMMITTEE.map(OrganisationId).to_vec(),
        };
        let motion = self.newest_motion() + 1;
        let body = self.proposal(
            MotionEffect::AppointCommittee(plan),
            BodyKind::Board,
            "investment committee",
        );
        let act = self.by_post(Role::Secretary, 0, body);
        self.one("committee", act)?;
        // The ballot runs together with that on the call.
        let board = self.board();
        self.all_yes("committee", &board, &[motion])
    }

    /// The sitting treasurer is chosen for the next term.
    fn renewal(&self) -> MotionEffect {
        let (office, holder) = self.post(Role::Treasurer, 0);
        let sitting = self
            .tables()
            .posts
            .iter()
            .find(|(_, post)| post.role == Role::Treasurer && post.holder == PersonId(holder));
        MotionEffect::Appoint(Appointment {
            office: OrganisationId(office),
            role: Role::Treasurer,
            scope: Scope::Alliance,
            holder: PersonId(holder),
            deputy: None,
            succeeds: sitting.map(|(number, _)| *number),
        })
    }

    /// The treasurer accepts; the new term begins when the old one ends.
    fn renewed(&mut self) -> Told {
        let newest = self.tables().posts.iter().last();
        let (number, person) = newest
            .map(|(number, post)| (*number, post.holder))
            .ok_or_else(|| self.missing("post-renewed", "an offer of the post"))?;
        let accept = Body::Motion(MotionAct::AcceptPost { post: number });
        let act = self.by_post(Role::Treasurer, 0, accept);
        self.one("post-renewed", act)?;
        let status = self.tables().posts.get(&number).map(|post| post.status);
        self.expect("post-renewed", Some(PostStatus::Accepted), status)?;
        self.tell(
            "post-renewed",
            "R28",
            &[
                ("post", number.0.to_string()),
                ("person", person.0.to_string()),
            ],
        );
        Ok(())
    }

    /// Who holds the money and who acts for the fund: today's holders of the posts for the whole
    /// alliance.
    fn plan(&self) -> CreateFund {
        let roles = [
            (Role::Treasurer, 0),
            (Role::SecondOfficer, 0),
            (Role::SecondOfficer, 1),
            (Role::ProgrammeOfficer, 0),
            (Role::FinanceApprover, 0),
            (Role::FinanceApprover, 1),
        ];
        let mut officers: Vec<(Role, PersonId)> = roles
            .iter()
            .map(|(role, nth)| (*role, PersonId(self.post(*role, *nth).1)))
            .collect();
        officers.sort_unstable();
        let office = self.post(Role::ProgrammeOfficer, 0).0;
        CreateFund {
            name: name("示例促进基金", "Sample promotion fund"),
            holder: OrganisationId(office),
            unit: Unit::Currency(text("CNY")),
            bank_account: sealed_account(FUND_ACCOUNT),
            office: OrganisationId(office),
            officers,
        }
    }

    /// Holder and officers accept; every office signs one record for its own people.
    fn accept_posts(&mut self, plan: &CreateFund) -> Told {
        let mut by_office: std::collections::BTreeMap<u32, Vec<(u32, Role)>> =
            std::collections::BTreeMap::new();
        for (role, person) in &plan.officers {
            let office = self
                .tables()
                .persons
                .get(person)
                .map_or(0, |person| person.home.0);
            by_office.entry(office).or_default().push((person.0, *role));
        }
        let mut acts = Vec::new();
        for (office, signers) in by_office {
            acts.push(self.record(
                office,
                &signers,
                Body::Fund(FundAct::Accept { fund: FundId(1) }),
            ));
        }
        self.settle("fund-open", acts)?;
        let status = self.tables().funds.get(&FundId(1)).map(|fund| fund.status);
        self.expect("fund-open", Some(FundStatus::Open), status)?;
        self.tell(
            "fund-open",
            "F01",
            &[
                ("fund", "1".into()),
                ("officers", plan.officers.len().to_string()),
            ],
        );
        Ok(())
    }

    /// Pledges, calls, receipts.
    fn contributions(&mut self) -> Told {
        let today = self.today();
        let mut acts = Vec::new();
        for (member, direction, parts) in PLEDGES {
            let instalments = (1..).zip(parts);
            let entry = PledgeEntry {
                fund: FundId(1),
                pot: direction.map_or(Pot::Free, |direction| {
                    Pot::Direction(DirectionId(direction))
                }),
                instalments: instalments
                    .map(|(nth, millions)| InstalmentEntry {
                        due_day: LocalDay(today + 180 * nth - 150),
                        amount: Amount(millions * MILLION),
                    })
                    .collect(),
            };
            acts.push(self.by_member(member, Body::Fund(FundAct::Pledge(entry))));
        }
        self.settle("pledged", acts)?;
        let pledged: u64 = PLEDGES.iter().flat_map(|(_, _, parts)| *parts).sum();
        self.tell(
            "pledged",
            "F02",
            &[
                ("members", PLEDGES.len().to_string()),
                ("amount", yuan(pledged * MILLION)),
            ],
        );

        // The first instalment of every pledge.
        let firsts: Vec<(InstalmentId, Amount)> = self
            .tables()
            .contributions
            .iter()
            .filter_map(|(_, contribution)| contribution.instalments.first().copied())
            .filter_map(|number| Some((number, self.tables().instalments.get(&number)?.amount)))
            .collect();
        let mut acts = Vec::new();
        for (instalment, _) in &firsts {
            acts.push(self.by_post(
                Role::Treasurer,
                0,
                Body::Fund(FundAct::CallInstalment {
                    instalment: *instalment,
                }),
            ));
        }
        self.settle("instalments-called", acts)?;
        self.wait_days(1)?;

        let mut acts = Vec::new();
        for (instalment, amount) in &firsts {
            let entry = self.receipt(instalment.0, amount.0, &format!("IN-{:04}", instalment.0));
            acts.push(self.by_post(Role::Treasurer, 0, entry));
        }
        let receipts = self.settle("receipts-entered", acts)?;
        self.confirm_receipts(&receipts)?;
        let received: u64 = firsts.iter().map(|(_, amount)| amount.0).sum();
        self.tell(
            "received",
            "F03",
            &[
                ("amount", yuan(received)),
                ("receipts", firsts.len().to_string()),
            ],
        );
        let other = self
            .tables()
            .contributions
            .get(&ContributionId(1))
            .and_then(|contribution| contribution.instalments.get(1))
            .copied();
        let entry = self.receipt(other.unwrap_or_default().0, MILLION, "IN-9999");
        let act = self.by_post(Role::Treasurer, 0, entry);
        self.refused(
            "not-called",
            "F03.not-called",
            &[("instalment", other.unwrap_or_default().0.to_string())],
            act,
        )
    }

    fn receipt(&self, instalment: u32, amount: u64, reference: &str) -> Body {
        let reference = BankReference(text(reference));
        Body::Fund(FundAct::RecordReceipt(ReceiptEntry {
            instalment: InstalmentId(instalment),
            amount: Amount(amount),
            reference,
            value_day: LocalDay(self.today()),
        }))
    }

    fn confirm_receipts(&mut self, receipts: &[Hash]) -> Told {
        let mut acts = Vec::new();
        for receipt in receipts {
            acts.push(self.by_post(
                Role::SecondOfficer,
                0,
                Body::Fund(FundAct::ConfirmReceipt { receipt: *receipt }),
            ));
        }
        self.settle("receipts-confirmed", acts)?;
        let by_self = Body::Fund(FundAct::ConfirmReceipt {
            receipt: receipts.first().copied().unwrap_or_default(),
        });
        let act = self.by_post(Role::Treasurer, 0, by_self);
        self.refused("confirm-own", "A6.role-missing", &[], act)
    }

    /// Days from now in milliseconds, for plans that need an instant.
    pub(super) fn in_days(&self, days: u64) -> u64 {
        self.stage.now() + days * MS_PER_DAY
    }
}
