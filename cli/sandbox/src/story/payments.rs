//! From offer to money: acceptance, agreement, advance, milestone, payment to acknowledgement (F12
//! to F22).

use rollbook_core::account::Amount;
use rollbook_core::id::{AgreementId, AwardId, CallId, CharterVersion, MilestoneId, PaymentId};
use rollbook_core::identity::Role;
use rollbook_core::object::agreement::AgreementState;
use rollbook_core::object::award::AwardState;
use rollbook_core::object::payment::PaymentState;
use rollbook_core::record::{
    AgreementTerms, AwardAct, BankReference, Body, Decision, DrawFor, Evidence, EvidenceKind,
    Finding, Instruction, Instrument, MilestonePlan, PaymentAct, Scheme, Tranche,
};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::story::{PAYEE_ACCOUNT, Story, Told, YUAN, paper, sealed_account, text, yuan};

const GRANTEE: u32 = 20;
const TOTAL: u64 = 6_000_000 * YUAN;
const ADVANCE: u64 = 1_800_000 * YUAN;
/// What a milestone of three million pays: less ten per cent holdback, less its half of the
/// advance.
const NET: u64 = 1_800_000 * YUAN;

impl Story<'_> {
    pub(super) fn payments(&mut self) -> Told {
        self.past(DeadlineKind::StandstillEnd, 1)?;
        let state = self
            .tables()
            .awards
            .get(&AwardId(1))
            .map(|award| award.state);
        self.expect("offered", Some(AwardState::Offered), state)?;
        let act = self.by_member(GRANTEE, Body::Award(AwardAct::Accept { award: AwardId(1) }));
        self.one("accepted", act)?;
        self.tell(
            "accepted",
            "F12",
            &[("award", "1".into()), ("member", GRANTEE.to_string())],
        );
        self.agreement()?;
        self.draw("assessors-drawn", DrawFor::Agreement(AgreementId(1)))?;
        self.tell("assessors-drawn", "R22", &[("agreement", "1".into())]);

        self.request(1, Tranche::Advance, ADVANCE)?;
        self.pay(1, ADVANCE, true)?;
        let milestone = self
            .tables()
            .agreements
            .get(&AgreementId(1))
            .map_or(0, |agreement| agreement.first_milestone.0);
        self.milestone(milestone)?;
        self.request(2, Tranche::Milestone(MilestoneId(milestone)), NET)?;
        let body = Body::Payment(PaymentAct::Request {
            agreement: AgreementId(1),
            tranche: Tranche::Milestone(MilestoneId(milestone)),
            amount: Amount(NET),
        });
        let act = self.by_member(GRANTEE, body);
        self.refused(
            "tranche-twice",
            "N8.tranche-taken",
            &[("milestone", milestone.to_string())],
            act,
        )?;
        self.pay(2, NET, false)
    }

    fn agreement(&mut self) -> Told {
        let (call, charter) = (
            self.tables().calls.get(&CallId(1)),
            self.tables().parameters.last_key(),
        );
        let terms = AgreementTerms {
            award: AwardId(1),
            instrument: Instrument::Grant,
            grantee: OrganisationId(GRANTEE),
            partners: Vec::new(),
            parties: paper("parties"),
            document: paper("agreement"),
            total: Amount(TOTAL),
            unit: rollbook_core::account::Unit::Currency(text("CNY")),
            milestones: [(120, "runtime"), (240, "performance")]
                .into_iter()
                .map(|(days, label)| MilestonePlan {
                    amount: Amount(TOTAL / 2),
                    due_ms: LedgerTime(self.in_days(days)),
                    evidence: paper(label),
                })
                .collect(),
            advance: Amount(ADVANCE),
            holdback_bp: 1_000,
            account: sealed_account(PAYEE_ACCOUNT),
            charter: charter.copied().unwrap_or(CharterVersion(1)),
            call: call.map(|call| call.terms_hash).unwrap_or_default(),
            clawback: paper("clawback clause"),
            survival: paper("survival clause"),
        };
        let act = self.by_post(
            Role::ProgrammeOfficer,
            0,
            Body::Award(AwardAct::Draft(terms.clone())),
        );
        let draft = self.one("drafted", act)?;
        let digest = terms.digest();
        let body = Body::Award(AwardAct::Sign {
            agreement: AgreementId(1),
            draft,
            terms: digest,
        });
        let act = self.by_member(GRANTEE, body);
        let signed = self.one("signed", act)?;
        for (role, nth) in [(Role::Treasurer, 0), (Role::SecondOfficer, 0)] {
            let body = Body::Award(AwardAct::Countersign {
                agreement: AgreementId(1),
                signed,
                terms: digest,
            });
            let act = self.by_post(role, nth, body);
            self.one("countersigned", act)?;
        }
        let state = self
            .tables()
            .agreements
            .get(&AgreementId(1))
            .map(|agreement| agreement.state);
        self.expect("in-force", Some(AgreementState::InForce), state)?;
        self.tell(
            "in-force",
            "F13",
            &[("agreement", "1".into()), ("amount", yuan(TOTAL))],
        );
        Ok(())
    }

    /// Evidence from the grantee, two assessors who agree.
    fn milestone(&mut self, milestone: u32) -> Told {
        let evidence = vec![Evidence {
            kind: EvidenceKind::Document,
            hash: paper("demonstration"),
            shared: false,
        }];
        let signers = self.pair(GRANTEE, Role::Technical);
        let act = self.record(
            GRANTEE,
            &signers,
            Body::Payment(PaymentAct::Submit {
                milestone: MilestoneId(milestone),
                evidence,
            }),
        );
        self.one("evidence", act)?;
        let assessors: Vec<u32> = self
            .tables()
            .milestones
            .get(&MilestoneId(milestone))
            .map(|milestone| {
                milestone
                    .assessors
                    .iter()
                    .map(|assessor| assessor.person.0)
                    .collect()
            })
            .unwrap_or_default();
        self.expect("evidence", 2, assessors.len())?;
        self.tell("evidence", "F14", &[("milestone", milestone.to_string())]);
        for person in assessors {
            let body = PaymentAct::Assess {
                milestone: MilestoneId(milestone),
                finding: Finding::Accept(Amount(TOTAL / 2)),
                report: paper("report"),
            };
            let act = self.by_expert(person, Body::Payment(body));
            self.one("assessed", act)?;
        }
        self.tell(
            "assessed",
            "F15",
            &[
                ("milestone", milestone.to_string()),
                ("amount", yuan(TOTAL / 2)),
            ],
        );
        Ok(())
    }

    fn request(&mut self, payment: u32, tranche: Tranche, amount: u64) -> Told {
        let act = self.by_member(
            GRANTEE,
            Body::Payment(PaymentAct::Request {
                agreement: AgreementId(1),
                tranche,
                amount: Amount(amount),
            }),
        );
        self.one("requested", act)?;
        self.tell(
            "requested",
            "F16",
            &[("payment", payment.to_string()), ("amount", yuan(amount))],
        );
        Ok(())
    }

    /// Certified, approved by two, delayed, released, settled, acknowledged: six persons.
    fn pay(&mut self, payment: u32, amount: u64, first: bool) -> Told {
        let certify = Body::Payment(PaymentAct::Certify {
            payment: PaymentId(payment),
            decision: Decision::Pass,
        });
        let act = self.by_post(Role::ProgrammeOfficer, 0, certify);
        let certified = self.one("certified", act)?;
        let approve = |certified: Hash| {
            Body::Payment(PaymentAct::Approve {
                payment: PaymentId(payment),
                certified,
                amount: Amount(amount),
                decision: Decision::Pass,
            })
        };
        let act = self.by_post(Role::FinanceApprover, 0, approve(certified));
        self.one("approved", act)?;
        if first {
            let again = self.by_post(Role::FinanceApprover, 0, approve(certified));
            self.refused(
                "approves-twice",
                "N12.same-person",
                &[("payment", payment.to_string())],
                again,
            )?;
        }
        let act = self.by_post(Role::FinanceApprover, 1, approve(certified));
        self.one("approved", act)?;
        self.tell(
            "approved",
            "F18",
            &[("payment", payment.to_string()), ("amount", yuan(amount))],
        );

        let release = |end_to_end: u32, serial: u32| {
            let instruction = Instruction {
                scheme: Scheme::Cips,
                reference: text(&format!("AG1-2024-{end_to_end:04}")),
                uetr: Some(text(&format!("7a1f0c3e-5b7d-4e2a-9c44-{serial:012}"))),
                account: sealed_account(PAYEE_ACCOUNT),
                amount: Amount(amount),
            };
            Body::Payment(PaymentAct::Release {
                payment: PaymentId(payment),
                instruction,
            })
        };
        if first {
            let early = self.by_post(Role::Treasurer, 0, release(payment, payment));
            self.refused(
                "delay-runs",
                "F20.delay-runs",
                &[("payment", payment.to_string())],
                early,
            )?;
        }
        self.past(DeadlineKind::PayoutDelay, payment)?;
        if !first {
            let twice = self.by_post(Role::Treasurer, 0, release(payment - 1, payment));
            let facts = [
                ("payment", payment.to_string()),
                ("other", (payment - 1).to_string()),
            ];
            self.refused("instruction-twice", "N8.instruction-id-used", &facts, twice)?;
        }
        let act = self.by_post(Role::Treasurer, 0, release(payment, payment));
        self.one("released", act)?;
        self.tell("released", "F20", &[("payment", payment.to_string())]);
        let reference = BankReference(text(&format!("OUT-{payment:04}")));
        let act = self.by_post(
            Role::SecondOfficer,
            0,
            Body::Payment(PaymentAct::Settle {
                payment: PaymentId(payment),
                reference,
                amount: Amount(amount),
            }),
        );
        self.one("settled", act)?;
        let act = self.by_member(
            GRANTEE,
            Body::Payment(PaymentAct::Acknowledge {
                payment: PaymentId(payment),
                amount: Amount(amount),
            }),
        );
        self.one("acknowledged", act)?;
        let state = self
            .tables()
            .payments
            .get(&PaymentId(payment))
            .map(|payment| payment.state);
        self.expect("acknowledged", Some(PaymentState::Acknowledged), state)?;
        self.tell(
            "acknowledged",
            "F22",
            &[("payment", payment.to_string()), ("amount", yuan(amount))],
        );
        Ok(())
    }
}
