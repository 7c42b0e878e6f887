//! The money story of domain 5.4, posted by hand, and the mini-call of RULINGS R4.

use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::*;
use crate::id::{
    AgreementId, AwardId, CallId, DirectionId, FundId, GuaranteeId, LineId, PaymentId,
};

const FUND: u32 = 1;
/// Minor units of one yuan.
const Y: u64 = 100;

struct Story(MemoryBook);

impl Story {
    fn post(&mut self, movement: Movement) {
        post(&mut self.0, FundId(FUND), &movement)
            .unwrap_or_else(|error| panic!("{movement:?}: {error}"));
        Totals::of(FundId(FUND), self.0.balances.clone()).unwrap();
    }

    fn of(&self, kind: AccountKind) -> i128 {
        self.0.balance(Account {
            fund: FundId(FUND),
            kind,
        }) / i128::from(Y)
    }

    fn paid(&mut self, agreement: AgreementId, payment: PaymentId, yuan: u64) {
        let amount = yuan * Y;
        self.post(Movement::PaymentReleased {
            agreement,
            payment,
            amount: Amount(amount),
        });
        self.post(Movement::PaymentSettled {
            agreement,
            payment,
            amount: Amount(amount),
        });
    }
}

const CALLS: [(u32, u64); 4] = [
    (1, 20_000_000),
    (2, 25_000_000),
    (3, 20_000_000),
    (4, 15_000_000),
];
/// Award, call, amount. AW4 lapses unsigned.
const AWARDS: [(u32, u32, u64); 6] = [
    (1, 1, 8_000_000),
    (2, 1, 6_000_000),
    (3, 2, 12_000_000),
    (4, 2, 9_000_000),
    (5, 3, 10_000_000),
    (6, 4, 9_500_000),
];

/// `earmarked` puts the contribution of 11 under the earmark of direction 1; the sums must not
/// differ.
fn story(earmarked: bool) -> Story {
    let mut story = Story(MemoryBook::default());
    let mut pledges = Vec::new();
    for (member, pledged, received) in [
        (11, 30_000_000, 30_000_000),
        (12, 20_000_000, 20_000_000),
        (13, 15_000_000, 15_000_000),
        (14, 15_000_000, 10_000_000),
        (15, 10_000_000, 10_000_000),
        (16, 10_000_000, 10_000_000),
        (17, 10_000_000, 0),
        (18, 10_000_000, 5_000_000),
    ] {
        let mut pledge = Pledge::new(Amount(pledged * Y))
            .unwrap()
            .moved(PledgeMove::Call, Amount(pledged * Y))
            .unwrap();
        if received == 0 {
            pledge = pledge
                .moved(PledgeMove::Default, Amount(pledged * Y))
                .unwrap();
        } else {
            pledge = pledge
                .moved(PledgeMove::Receive, Amount(received * Y))
                .unwrap();
            let pot = if earmarked && member == 11 {
                Pot::Direction(DirectionId(1))
            } else {
                Pot::Free
            };
            story.post(Movement::ContributionReceived {
                member: OrganisationId(member),
                pot,
                amount: Amount(received * Y),
            });
        }
        pledges.push(pledge);
    }
    let sum = |part: fn(&Pledge) -> u64| pledges.iter().map(part).sum::<u64>() / Y;
    assert_eq!(
        (
            sum(|p| p.received.0),
            sum(|p| p.called_open.0),
            sum(|p| p.defaulted.0)
        ),
        (100_000_000, 10_000_000, 10_000_000)
    );
    assert_eq!(
        pledges.iter().map(Pledge::pledged).sum::<u128>(),
        u128::from(120_000_000 * Y)
    );

    story.post(Movement::Fee {
        line: LineId(1),
        amount: Amount(1_500_000 * Y),
    });
    for (call, budget) in CALLS {
        story.post(Movement::CallFunded {
            call: CallId(call),
            direction: Some(DirectionId(call)),
            amount: Amount(budget * Y),
        });
    }
    story.post(Movement::GuaranteeIssued {
        guarantee: GuaranteeId(1),
        amount: Amount(5_000_000 * Y),
    });
    for (award, call, yuan) in AWARDS {
        story.post(Movement::Awarded {
            call: CallId(call),
            award: AwardId(award),
            amount: Amount(yuan * Y),
        });
    }
    for (award, call, yuan) in AWARDS {
        if award == 4 {
            story.post(Movement::AwardReturned {
                call: CallId(call),
                award: AwardId(award),
                phase: CallPhase::Decided,
                amount: Amount(yuan * Y),
            });
        } else {
            story.post(Movement::AgreementInForce {
                award: AwardId(award),
                agreement: AgreementId(award),
                amount: Amount(yuan * Y),
            });
        }
    }
    // AG1: advance and M1 paid, M2 released, holdback kept.
    story.paid(AgreementId(1), PaymentId(1), 2_400_000);
    story.paid(AgreementId(1), PaymentId(2), 2_400_000);
    story.post(Movement::PaymentReleased {
        agreement: AgreementId(1),
        payment: PaymentId(3),
        amount: Amount(2_400_000 * Y),
    });
    // AG2: advance, terminated, 0.7 m of 1.2 m recovered.
    story.paid(AgreementId(2), PaymentId(4), 1_800_000);
    let phase = CallPhase::Decided;
    story.post(Movement::AgreementReduced {
        call: CallId(1),
        agreement: AgreementId(2),
        phase,
        amount: Amount(4_200_000 * Y),
    });
    story.post(Movement::Recovered {
        call: CallId(1),
        agreement: AgreementId(2),
        amount: Amount(700_000 * Y),
    });
    // AG3: first transfer returned and re-issued, M1 paid.
    let amount = 3_600_000 * Y;
    story.post(Movement::PaymentReleased {
        agreement: AgreementId(3),
        payment: PaymentId(5),
        amount: Amount(amount),
    });
    story.post(Movement::PaymentReturned {
        agreement: AgreementId(3),
        payment: PaymentId(5),
        amount: Amount(amount),
    });
    story.paid(AgreementId(3), PaymentId(6), 3_600_000);
    story.paid(AgreementId(3), PaymentId(7), 3_600_000);
    // AG5: paid in full and closed.
    for (payment, yuan) in [(8, 3_000_000), (9, 6_000_000), (10, 1_000_000)] {
        story.paid(AgreementId(5), PaymentId(payment), yuan);
    }
    story.post(Movement::FinallyAccepted {
        agreement: AgreementId(5),
        amount: Amount(10_000_000 * Y),
    });
    // AG6: advance released.
    story.post(Movement::PaymentReleased {
        agreement: AgreementId(6),
        payment: PaymentId(11),
        amount: Amount(2_850_000 * Y),
    });
    story
}

fn totals(story: &Story) -> Totals {
    Totals::of(FundId(FUND), story.0.balances.clone()).unwrap()
}

#[test]
fn expected_balances_of_5_4() {
    for earmarked in [false, true] {
        let story = story(earmarked);
        let t = totals(&story);
        let yuan = |minor: i128| minor / i128::from(Y);
        assert_eq!(yuan(t.available), 18_400_000);
        let calls: Vec<i128> = (1..=4)
            .map(|call| story.of(AccountKind::Call(CallId(call))))
            .collect();
        assert_eq!(calls, [6_000_000, 13_000_000, 10_000_000, 5_500_000]);
        assert_eq!(
            (t.awarded, yuan(t.committed), yuan(t.in_transit)),
            (0, 12_250_000, 5_250_000)
        );
        assert_eq!(
            (yuan(t.paid + t.accepted), yuan(t.accepted)),
            (23_100_000, 10_000_000)
        );
        assert_eq!(
            (yuan(t.reserved), yuan(t.fees), yuan(t.received)),
            (5_000_000, 1_500_000, -100_000_000)
        );
        for (agreement, paid, committed) in [
            (1, 4_800_000, 800_000),
            (2, 1_100_000, 0),
            (3, 7_200_000, 4_800_000),
            (5, 0, 0),
            (6, 0, 6_650_000),
        ] {
            assert_eq!(
                story.of(AccountKind::Paid(AgreementId(agreement))),
                paid,
                "D of AG{agreement}"
            );
            assert_eq!(
                story.of(AccountKind::Committed(AgreementId(agreement))),
                committed,
                "K of AG{agreement}"
            );
        }
        assert_eq!(
            (yuan(t.book_balance()), yuan(t.without_transit())),
            (75_400_000, 70_150_000)
        );
        // The bank has debited both transfers; the ledger has seen neither settled.
        let items = [(3, 2_400_000), (11, 2_850_000)].map(|(number, yuan)| OutstandingItem {
            number,
            amount: -i128::from(yuan * Y),
            since_ms: LedgerTime(u64::from(number)),
        });
        let statement = 7_015_000_000;
        let mut reconciliation = Reconciliation {
            book: t.book_balance(),
            items: items.to_vec(),
            statement,
        };
        assert_eq!(
            (
                reconciliation.difference(),
                reconciliation.oldest().unwrap().number
            ),
            (0, 3)
        );
        reconciliation.items.pop();
        assert_eq!(reconciliation.difference(), -i128::from(2_850_000 * Y));
    }
}

/// 30 m earmarked for direction 1: its call takes 20 m of it; 4.9 m came back and restored it.
#[test]
fn the_earmark_is_taken_first_and_restored() {
    let story = story(true);
    assert_eq!(
        story.of(AccountKind::Direction(DirectionId(1))),
        30_000_000 - 20_000_000 + 4_200_000 + 700_000
    );
    assert_eq!(story.of(AccountKind::Free), 18_400_000 - 14_900_000);
    assert_eq!(
        story.0.earmark(FundId(FUND), CallId(1)).unwrap().taken,
        Amount(15_100_000 * Y)
    );
}

#[test]
fn the_mini_call_of_r4() {
    let mut story = story(false);
    let before = totals(&story);
    story.post(Movement::CallFunded {
        call: CallId(5),
        direction: None,
        amount: Amount(3_000_000 * Y),
    });
    for (award, yuan) in [(7, 300_000), (8, 2_000_000), (9, 250_000)] {
        story.post(Movement::Awarded {
            call: CallId(5),
            award: AwardId(award),
            amount: Amount(yuan * Y),
        });
    }
    let after = totals(&story);
    assert_eq!(story.of(AccountKind::Call(CallId(5))), 450_000);
    let y = i128::from(Y);
    let expected = Totals {
        available: 15_400_000 * y,
        awarded: 2_550_000 * y,
        allocated: before.allocated + 450_000 * y,
        ..before
    };
    assert_eq!(after, expected);
    // Nothing can be awarded beyond the call's rest (N4).
    let too_much = Movement::Awarded {
        call: CallId(5),
        award: AwardId(10),
        amount: Amount(450_000 * Y + 1),
    };
    assert!(matches!(
        post(&mut story.0, FundId(FUND), &too_much),
        Err(PostingError::Insufficient { .. })
    ));
}

/// FUND-R: 500,000 GPU-hours, two awards drawn down; the same algebra in another unit, in another
/// fund.
#[test]
fn the_resource_fund() {
    let fund = 2;
    let mut book = story(false).0;
    let money = Totals::of(FundId(FUND), book.balances.clone()).unwrap();
    for movement in [
        Movement::ContributionReceived {
            member: OrganisationId(11),
            pot: Pot::Free,
            amount: Amount(500_000),
        },
        Movement::CallFunded {
            call: CallId(6),
            direction: None,
            amount: Amount(300_000),
        },
        Movement::Awarded {
            call: CallId(6),
            award: AwardId(20),
            amount: Amount(120_000),
        },
        Movement::Awarded {
            call: CallId(6),
            award: AwardId(21),
            amount: Amount(80_000),
        },
        Movement::AgreementInForce {
            award: AwardId(20),
            agreement: AgreementId(20),
            amount: Amount(120_000),
        },
        Movement::PaymentReleased {
            agreement: AgreementId(20),
            payment: PaymentId(20),
            amount: Amount(30_000),
        },
        Movement::PaymentSettled {
            agreement: AgreementId(20),
            payment: PaymentId(20),
            amount: Amount(30_000),
        },
    ] {
        post(&mut book, FundId(fund), &movement).unwrap();
    }
    let hours = Totals::of(FundId(fund), book.balances.clone()).unwrap();
    assert_eq!(
        (hours.available, hours.allocated, hours.awarded),
        (200_000, 100_000, 80_000)
    );
    assert_eq!((hours.committed, hours.paid), (90_000, 30_000));
    assert_eq!(
        Totals::of(FundId(FUND), book.balances).unwrap(),
        money,
        "money is untouched"
    );
}

/// Closing (F32): the rest goes back pro rata to what was received, to the cent, and only X, S and
/// L are left.
#[test]
fn refund_at_closing_leaves_nothing() {
    let mut book = MemoryBook::default();
    let received = [(11, 10_000), (12, 5_000), (13, 5_001)];
    for (member, amount) in received {
        post(
            &mut book,
            FundId(FUND),
            &Movement::ContributionReceived {
                member: OrganisationId(member),
                pot: Pot::Free,
                amount: Amount(amount),
            },
        )
        .unwrap();
    }
    post(
        &mut book,
        FundId(FUND),
        &Movement::Fee {
            line: LineId(1),
            amount: Amount(3_334),
        },
    )
    .unwrap();
    let rest = Totals::of(FundId(FUND), book.balances.clone())
        .unwrap()
        .available;
    let shares = largest_remainder(rest as u64, &received.map(|(_, amount)| amount)).unwrap();
    for ((member, _), amount) in received.into_iter().zip(shares) {
        post(
            &mut book,
            FundId(FUND),
            &Movement::Refunded {
                member: OrganisationId(member),
                pot: Pot::Free,
                amount: Amount(amount),
            },
        )
        .unwrap();
    }
    let t = Totals::of(FundId(FUND), book.balances).unwrap();
    assert_eq!((t.available, t.book_balance(), t.returned), (0, 0, rest));
}
