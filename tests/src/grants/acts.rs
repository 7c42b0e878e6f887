//! Short words for every act from the award to the acknowledgement.

use rollbook_core::account::{Amount, Unit};
use rollbook_core::calendar::{MS_PER_DAY, MS_PER_HOUR};
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{AgreementId, AwardId, CallId, MilestoneId, PaymentId};
use rollbook_core::object::milestone::Milestone;
use rollbook_core::object::payment::{Payment, PaymentState};
use rollbook_core::record::{
    AgreementTerms, AwardAct, BankReference, Body, Decision, Evidence, EvidenceKind, Finding,
    Instruction, Instrument, MilestonePlan, PaymentAct, Scheme, Tranche,
};
use rollbook_core::refusal::Refusal;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::{Bench, CALL, GRANTEE, MILLION, Staff, hash, text};

impl Bench {
    pub fn accepted_award(&mut self) -> u32 {
        let number = self.grant(1, 8 * MILLION, BodyKind::Assembly).unwrap();
        self.days(14);
        self.grantee(Body::Award(AwardAct::Accept {
            award: AwardId(number),
        }))
        .unwrap();
        number
    }

    pub fn terms(&self, award: u32, amounts: &[u64], advance: u64) -> AgreementTerms {
        let due_ms = self.world.now + 200 * MS_PER_DAY;
        let plan = |amount: &u64| MilestonePlan {
            amount: Amount(*amount),
            due_ms: LedgerTime(due_ms),
            evidence: hash("evidence"),
        };
        AgreementTerms {
            award: AwardId(award),
            instrument: Instrument::Grant,
            grantee: OrganisationId(GRANTEE),
            partners: Vec::new(),
            parties: hash("parties"),
            document: hash("document"),
            total: Amount(amounts.iter().sum()),
            unit: Unit::currency("CNY").unwrap(),
            milestones: amounts.iter().map(plan).collect(),
            advance: Amount(advance),
            holdback_bp: 1_000,
            account: hash("account"),
            charter: self.world.tables.chain.get(&0).unwrap().charter,
            call: self
                .world
                .tables
                .calls
                .get(&CallId(CALL))
                .unwrap()
                .terms_hash,
            clawback: hash("clawback"),
            survival: hash("survival"),
        }
    }

    pub fn draft(&mut self, terms: &AgreementTerms) -> Result<(u32, Hash), Refusal> {
        let id = self.staff(
            Staff::Programme,
            Body::Award(AwardAct::Draft(terms.clone())),
        )?;
        Ok((self.world.tables.agreements.last_key().unwrap().0, id))
    }

    pub fn sign_all(&mut self, terms: &AgreementTerms) -> u32 {
        let (agreement, draft) = self.draft(terms).unwrap();
        let terms = terms.digest();
        let signed = self
            .grantee(Body::Award(AwardAct::Sign {
                agreement: AgreementId(agreement),
                draft,
                terms,
            }))
            .unwrap();
        for who in [Staff::Treasurer, Staff::Officer] {
            self.staff(
                who,
                Body::Award(AwardAct::Countersign {
                    agreement: AgreementId(agreement),
                    signed,
                    terms,
                }),
            )
            .unwrap();
        }
        agreement
    }

    /// AG1 of the story: 8 million, advance 2.4 million, two milestones of 4 million, assessors
    /// drawn.
    pub fn agreement(&mut self) -> u32 {
        let award = self.accepted_award();
        let terms = self.terms(award, &[4 * MILLION, 4 * MILLION], 24 * MILLION / 10);
        let agreement = self.sign_all(&terms);
        self.draw(agreement, &[5, 6, 7, 8]);
        agreement
    }

    pub fn submit(&mut self, milestone: u32, label: &str) -> Result<Hash, Refusal> {
        let evidence = vec![Evidence {
            kind: EvidenceKind::Document,
            hash: hash(label),
            shared: false,
        }];
        self.grantee(Body::Payment(PaymentAct::Submit {
            milestone: MilestoneId(milestone),
            evidence,
        }))
    }

    pub fn assess(
        &mut self,
        member: u32,
        milestone: u32,
        finding: Finding,
    ) -> Result<Hash, Refusal> {
        self.company(
            member,
            Body::Payment(PaymentAct::Assess {
                milestone: MilestoneId(milestone),
                finding,
                report: hash("report"),
            }),
        )
    }

    /// Evidence and two findings alike, by whoever was drawn.
    pub fn accept_milestone(&mut self, milestone: u32, amount: u64) {
        self.submit(milestone, &format!("evidence of {milestone}"))
            .unwrap();
        self.judge_milestone(milestone, Finding::Accept(Amount(amount)));
    }

    pub fn judge_milestone(&mut self, milestone: u32, finding: Finding) {
        let homes: Vec<u32> = self
            .milestone(milestone)
            .assessors
            .iter()
            .map(|assessor| assessor.home.0)
            .collect();
        assert_eq!(homes.len(), 2, "two assessors are appointed");
        for home in homes {
            self.assess(home, milestone, finding).unwrap();
        }
    }

    pub fn milestone(&self, number: u32) -> Milestone {
        self.world
            .tables
            .milestones
            .get(&MilestoneId(number))
            .unwrap()
            .clone()
    }

    pub fn first(&self, agreement: u32) -> u32 {
        (self
            .world
            .tables
            .agreements
            .get(&AgreementId(agreement))
            .unwrap()
            .first_milestone)
            .0
    }

    pub fn request(
        &mut self,
        agreement: u32,
        tranche: Tranche,
        amount: u64,
    ) -> Result<u32, Refusal> {
        self.grantee(Body::Payment(PaymentAct::Request {
            agreement: AgreementId(agreement),
            tranche,
            amount: Amount(amount),
        }))?;
        Ok(self.world.tables.payments.last_key().unwrap().0)
    }

    pub fn certify(&mut self, payment: u32) -> Result<Hash, Refusal> {
        self.staff(
            Staff::Programme,
            Body::Payment(PaymentAct::Certify {
                payment: PaymentId(payment),
                decision: Decision::Pass,
            }),
        )
    }

    pub fn approve(&mut self, who: Staff, payment: u32) -> Result<Hash, Refusal> {
        let known = self.payment(payment);
        let (certified, amount) = (known.certified.unwrap_or_default(), known.amount);
        self.staff(
            who,
            Body::Payment(PaymentAct::Approve {
                payment: PaymentId(payment),
                certified,
                amount,
                decision: Decision::Pass,
            }),
        )
    }

    pub fn instruction(&mut self, payment: u32) -> Instruction {
        self.ids += 1;
        let known = self.payment(payment);
        let account = self
            .world
            .tables
            .agreements
            .get(&known.agreement)
            .unwrap()
            .account;
        Instruction {
            scheme: Scheme::Cips,
            reference: text(&format!("P{payment}-{}", self.ids)),
            uetr: Some(text(&format!("7a1f0c3e-5b7d-4e2a-9c44-{:012x}", self.ids))),
            account,
            amount: known.amount,
        }
    }

    pub fn release(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let instruction = self.instruction(payment);
        self.staff(
            Staff::Treasurer,
            Body::Payment(PaymentAct::Release {
                payment: PaymentId(payment),
                instruction,
            }),
        )
    }

    pub fn reference(&mut self) -> BankReference {
        self.ids += 1;
        BankReference(text(&format!("BANK-{}", self.ids)))
    }

    pub fn settle(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let (reference, amount) = (self.reference(), self.payment(payment).amount);
        self.staff(
            Staff::Officer,
            Body::Payment(PaymentAct::Settle {
                payment: PaymentId(payment),
                reference,
                amount,
            }),
        )
    }

    pub fn give_back(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let (reference, amount) = (self.reference(), self.payment(payment).amount);
        self.staff(
            Staff::Officer,
            Body::Payment(PaymentAct::Return {
                payment: PaymentId(payment),
                reference,
                amount,
                reason: text("AC04"),
            }),
        )
    }

    pub fn acknowledge(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let amount = self.payment(payment).amount;
        self.grantee(Body::Payment(PaymentAct::Acknowledge {
            payment: PaymentId(payment),
            amount,
        }))
    }

    pub fn hold(&mut self, member: u32, payment: u32) -> Result<Hash, Refusal> {
        self.company(
            member,
            Body::Payment(PaymentAct::Hold {
                payment: PaymentId(payment),
                ground: hash("ground"),
            }),
        )
    }

    pub fn payment(&self, number: u32) -> Payment {
        self.world
            .tables
            .payments
            .get(&PaymentId(number))
            .unwrap()
            .clone()
    }

    pub fn approved(&mut self, agreement: u32, tranche: Tranche, amount: u64) -> u32 {
        let payment = self.request(agreement, tranche, amount).unwrap();
        self.certify(payment).unwrap();
        self.approve(Staff::Finance, payment).unwrap();
        if self.payment(payment).state == PaymentState::Certified {
            self.approve(Staff::Finance2, payment).unwrap();
        }
        payment
    }

    /// From request to acknowledgement.
    pub fn pay(&mut self, agreement: u32, tranche: Tranche, amount: u64) -> u32 {
        let payment = self.approved(agreement, tranche, amount);
        self.advance(self.world.now + 48 * MS_PER_HOUR + 1);
        self.release(payment).unwrap();
        self.settle(payment).unwrap();
        self.acknowledge(payment).unwrap();
        payment
    }
}
