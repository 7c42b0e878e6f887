//! Properties of the book over random movements.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::number::OrganisationId;

use super::table::{ROWS, markdown};
use super::*;
use crate::id::{
    AgreementId, AwardId, CallId, DirectionId, FundId, GuaranteeId, HoldingId, LineId, PaymentId,
};

fn at(fund: FundId, kind: AccountKind) -> Account {
    Account { fund, kind }
}

fn pots() -> impl Strategy<Value = Pot> {
    let direction = |number| Pot::Direction(DirectionId(number));
    select(vec![Pot::Free, direction(1), direction(2)])
}

/// A movement over a handful of objects, so that they meet each other. `variant` picks the kind.
fn movement() -> impl Strategy<Value = Movement> {
    let phase = select(vec![
        CallPhase::BeforeDecided,
        CallPhase::Decided,
        CallPhase::Closed,
    ]);
    let pot = pots();
    let amount = prop_oneof![20 => 1u64..200, 1 => Just(0), 1 => any::<u64>()].prop_map(Amount);
    // Objects 0 to 2; a call's direction is its own number or none.
    (0u8..29, 0u32..3, 0u32..3, phase, pot, amount).prop_map(
        |(variant, a, b, phase, pot, amount)| {
            let direction = (a > 0).then_some(DirectionId(a));
            match variant {
                0 => Movement::ContributionReceived {
                    member: OrganisationId(a),
                    pot,
                    amount: Amount(amount.0.saturating_mul(5)),
                },
                1 => Movement::Fee {
                    line: LineId(a),
                    amount,
                },
                2 => Movement::CallFunded {
                    call: CallId(a),
                    direction,
                    amount,
                },
                3 => Movement::CallReleased {
                    call: CallId(a),
                    amount,
                },
                4 => Movement::Awarded {
                    call: CallId(a),
                    award: AwardId(b),
                    amount,
                },
                5 => Movement::AwardReturned {
                    call: CallId(a),
                    award: AwardId(b),
                    phase,
                    amount,
                },
                6 => Movement::AgreementInForce {
                    award: AwardId(a),
                    agreement: AgreementId(b),
                    amount,
                },
                7 => Movement::AgreementIncreased {
                    call: CallId(a),
                    agreement: AgreementId(b),
                    amount,
                },
                8 => Movement::AgreementReduced {
                    call: CallId(a),
                    agreement: AgreementId(b),
                    phase,
                    amount,
                },
                9 => Movement::PaymentReleased {
                    agreement: AgreementId(a),
                    payment: PaymentId(b),
                    amount,
                },
                10 => Movement::PaymentReturned {
                    agreement: AgreementId(a),
                    payment: PaymentId(b),
                    amount,
                },
                11 => Movement::PaymentSettled {
                    agreement: AgreementId(a),
                    payment: PaymentId(b),
                    amount,
                },
                12 => Movement::SettledReturned {
                    agreement: AgreementId(a),
                    amount,
                },
                13 => Movement::Recovered {
                    call: CallId(a),
                    agreement: AgreementId(b),
                    amount,
                },
                14 => Movement::Offset {
                    call: CallId(1),
                    old: AgreementId(a),
                    new: AgreementId(b),
                    amount,
                },
                15 => Movement::FinallyAccepted {
                    agreement: AgreementId(a),
                    amount,
                },
                16 => Movement::WrittenOff {
                    agreement: AgreementId(a),
                    amount,
                },
                17 => Movement::HoldingSettled {
                    payment: PaymentId(a),
                    holding: HoldingId(b),
                    amount,
                },
                18 => Movement::HoldingRepaid {
                    call: CallId(a),
                    holding: HoldingId(b),
                    amount,
                },
                19 => Movement::HoldingGain {
                    holding: HoldingId(a),
                    amount,
                },
                20 => Movement::HoldingLost {
                    holding: HoldingId(a),
                    agreement: AgreementId(b),
                    amount,
                },
                21 => Movement::GuaranteeIssued {
                    guarantee: GuaranteeId(a),
                    amount,
                },
                22 => Movement::GuaranteeExpired {
                    guarantee: GuaranteeId(a),
                    amount,
                },
                23 => Movement::GuaranteeCalled {
                    guarantee: GuaranteeId(a),
                    payment: PaymentId(b),
                    amount,
                },
                24 => Movement::GuaranteeSettled {
                    guarantee: GuaranteeId(a),
                    payment: PaymentId(b),
                    amount,
                },
                25 => Movement::GuaranteeReturned {
                    guarantee: GuaranteeId(a),
                    payment: PaymentId(b),
                    amount,
                },
                26 => Movement::GuaranteeRecovered {
                    guarantee: GuaranteeId(a),
                    amount,
                },
                27 => Movement::GuaranteeWrittenOff {
                    guarantee: GuaranteeId(a),
                    amount,
                },
                _ => Movement::Refunded {
                    member: OrganisationId(a),
                    pot,
                    amount,
                },
            }
        },
    )
}

fn movements() -> impl Strategy<Value = Vec<Movement>> {
    proptest::collection::vec(movement(), 0..200)
}

/// A book in which every internal account holds something, so that most movements go through.
fn filled() -> MemoryBook {
    let mut book = MemoryBook::default();
    let mut run = |movement| {
        post(&mut book, FundId(1), &movement).unwrap();
    };
    for pot in [
        Pot::Free,
        Pot::Direction(DirectionId(1)),
        Pot::Direction(DirectionId(2)),
    ] {
        run(Movement::ContributionReceived {
            member: OrganisationId(0),
            pot,
            amount: Amount(3_000),
        });
    }
    for n in 0..3 {
        run(Movement::CallFunded {
            call: CallId(n),
            direction: (n > 0).then_some(DirectionId(n)),
            amount: Amount(900),
        });
        run(Movement::Awarded {
            call: CallId(n),
            award: AwardId(n),
            amount: Amount(700),
        });
        run(Movement::AgreementInForce {
            award: AwardId(n),
            agreement: AgreementId(n),
            amount: Amount(500),
        });
        run(Movement::PaymentReleased {
            agreement: AgreementId(n),
            payment: PaymentId(n),
            amount: Amount(300),
        });
        run(Movement::PaymentSettled {
            agreement: AgreementId(n),
            payment: PaymentId(n),
            amount: Amount(150),
        });
        run(Movement::HoldingSettled {
            payment: PaymentId(n),
            holding: HoldingId(n),
            amount: Amount(50),
        });
        run(Movement::GuaranteeIssued {
            guarantee: GuaranteeId(n),
            amount: Amount(200),
        });
        run(Movement::GuaranteeCalled {
            guarantee: GuaranteeId(n),
            payment: PaymentId(n),
            amount: Amount(100),
        });
        run(Movement::GuaranteeSettled {
            guarantee: GuaranteeId(n),
            payment: PaymentId(n),
            amount: Amount(50),
        });
    }
    book
}

/// What was ever put under an earmark and not refunded is still there, or out in calls: earmarks
/// are never lost or invented.
fn earmarks_conserved(book: &MemoryBook, put: &[i128; 3]) -> bool {
    [1u32, 2].into_iter().all(|direction| {
        let there = book.balance(at(
            FundId(1),
            AccountKind::Direction(DirectionId(direction)),
        ));
        let out: i128 = book
            .earmarks
            .values()
            .filter(|e| e.direction == DirectionId(direction))
            .map(|e| i128::from(e.taken))
            .sum();
        there + out == put[direction as usize]
    })
}

/// Free money is touched for a call only when the earmark is used up: on the way out its account is
/// empty, on the way back everything that was taken has been restored.
fn earmark_first(book: &MemoryBook, movement: &Movement, postings: &[Posting]) -> bool {
    let from_free = postings
        .iter()
        .any(|posting| posting.from.kind == AccountKind::Free);
    let to_free = postings
        .iter()
        .any(|posting| posting.to.kind == AccountKind::Free);
    match *movement {
        Movement::CallFunded {
            direction: Some(direction),
            ..
        } if from_free => book.balance(at(FundId(1), AccountKind::Direction(direction))) == 0,
        Movement::CallReleased { call, .. }
        | Movement::AwardReturned { call, .. }
        | Movement::AgreementReduced { call, .. }
        | Movement::Recovered { call, .. }
        | Movement::Offset { call, .. }
        | Movement::HoldingRepaid { call, .. }
            if to_free =>
        {
            book.earmark(FundId(1), call)
                .is_none_or(|earmark| earmark.taken == Amount(0))
        }
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Sum zero, nothing internal negative, earmarks whole, refused movements change nothing,
    /// postings on the row, the history replays from its postings, and everything can be undone
    /// from the end to the beginning.
    #[test]
    fn any_sequence_conserves(sequence in movements()) {
        let start = filled();
        let mut book = start.clone();
        let mut put = [0, 3_000, 3_000];
        let mut history = Vec::new();
        for movement in sequence {
            let before = book.clone();
            match post(&mut book, FundId(1), &movement) {
                Ok(postings) => {
                    let row = movement.row();
                    prop_assert!(ROWS.contains(&row));
                    for posting in &postings {
                        prop_assert!(row.legs.contains(&(posting.from.kind.class(), posting.to.kind.class())));
                        prop_assert!(posting.amount > Amount(0));
                        prop_assert_eq!(posting.from.fund, posting.to.fund);
                    }
                    if let Movement::ContributionReceived { pot: Pot::Direction(d), amount, .. } = movement {
                        put[d.0 as usize] += i128::from(amount);
                    }
                    if let Movement::Refunded { pot: Pot::Direction(d), amount, .. } = movement {
                        put[d.0 as usize] -= i128::from(amount);
                    }
                    prop_assert!(earmark_first(&book, &movement, &postings), "{:?} {:?}", movement, postings);
                    history.push(postings);
                }
                Err(error) => {
                    let off_table = matches!(error, PostingError::OffTable { .. } | PostingError::Earmark(_));
                    prop_assert!(!off_table, "{}", error);
                    prop_assert_eq!(&book, &before, "a refused movement changes nothing");
                }
            }
            prop_assert!(Totals::of(FundId(1), book.balances.clone()).is_ok());
            prop_assert!(earmarks_conserved(&book, &put));
        }
        let mut again = start.clone();
        for postings in &history {
            replay(&mut again, postings).unwrap();
        }
        prop_assert_eq!(&again, &book);
        for postings in history.iter().rev() {
            reverse(&mut book, postings).unwrap();
        }
        for (account, balance) in &book.balances {
            prop_assert_eq!(*balance, start.balance(*account), "{}", account);
        }
        for (key, earmark) in &book.earmarks {
            prop_assert_eq!(earmark.taken, start.earmarks.get(key).map_or(Amount::ZERO, |e| e.taken));
        }
    }

    /// N6 for every agreement: K + T + D + S + L + H + recovered + reduced = signed total with
    /// increases. Payments and holdings carry the number of their agreement here, so that T and H
    /// can be told apart.
    #[test]
    fn agreements_add_up(sequence in movements()) {
        let mut book = MemoryBook::default();
        for pot in [Pot::Free, Pot::Direction(DirectionId(1))] {
            post(&mut book, FundId(1), &Movement::ContributionReceived { member: OrganisationId(0), pot, amount: Amount(50_000) }).unwrap();
        }
        for n in 0..3 {
            post(&mut book, FundId(1), &Movement::CallFunded { call: CallId(n), direction: (n > 0).then_some(DirectionId(n)), amount: Amount(3_000) }).unwrap();
            post(&mut book, FundId(1), &Movement::Awarded { call: CallId(n), award: AwardId(n), amount: Amount(2_000) }).unwrap();
        }
        let mut total = [0i128; 3];
        let mut gone = [0i128; 3];
        for mut movement in sequence {
            match &mut movement {
                Movement::PaymentReleased { agreement, payment, .. }
                | Movement::PaymentReturned { agreement, payment, .. }
                | Movement::PaymentSettled { agreement, payment, .. } => payment.0 = agreement.0,
                Movement::HoldingSettled { payment, holding, .. } => holding.0 = payment.0,
                Movement::HoldingLost { holding, agreement, .. } => agreement.0 = holding.0,
                Movement::GuaranteeCalled { payment, .. }
                | Movement::GuaranteeSettled { payment, .. }
                | Movement::GuaranteeReturned { payment, .. } => payment.0 += 100,
                _ => {}
            }
            if post(&mut book, FundId(1), &movement).is_err() {
                continue;
            }
            match movement {
                Movement::AgreementInForce { agreement, amount, .. } | Movement::AgreementIncreased { agreement, amount, .. } => {
                    total[agreement.0 as usize] += i128::from(amount);
                }
                Movement::AgreementReduced { agreement, amount, .. }
                | Movement::Recovered { agreement, amount, .. }
                | Movement::Offset { old: agreement, amount, .. } => gone[agreement.0 as usize] += i128::from(amount),
                Movement::HoldingRepaid { holding, amount, .. } => gone[holding.0 as usize] += i128::from(amount),
                _ => {}
            }
            for n in 0..3u32 {
                let of = |kind| book.balance(Account { fund: FundId(1), kind });
                let sum = of(AccountKind::Committed(AgreementId(n))) + of(AccountKind::InTransit(PaymentId(n))) + of(AccountKind::Paid(AgreementId(n)))
                    + of(AccountKind::Accepted(AgreementId(n))) + of(AccountKind::Lost(AgreementId(n))) + of(AccountKind::Holding(HoldingId(n)));
                prop_assert_eq!(sum + gone[n as usize], total[n as usize], "agreement {} after {:?}", n, movement);
            }
        }
    }
}

/// Every row is reached by some movement on a filled book, posts exactly its legs, and every
/// account class is touched.
#[test]
fn every_row_is_live() {
    let phases = [
        CallPhase::BeforeDecided,
        CallPhase::Decided,
        CallPhase::Closed,
    ];
    let amount = 10;
    let mut all = vec![
        Movement::ContributionReceived {
            member: OrganisationId(1),
            pot: Pot::Free,
            amount: Amount(amount),
        },
        Movement::Fee {
            line: LineId(1),
            amount: Amount(amount),
        },
        Movement::CallFunded {
            call: CallId(1),
            direction: Some(DirectionId(1)),
            amount: Amount(amount),
        },
        Movement::CallReleased {
            call: CallId(1),
            amount: Amount(amount),
        },
        Movement::Awarded {
            call: CallId(1),
            award: AwardId(1),
            amount: Amount(amount),
        },
        Movement::AgreementInForce {
            award: AwardId(1),
            agreement: AgreementId(1),
            amount: Amount(amount),
        },
        Movement::AgreementIncreased {
            call: CallId(1),
            agreement: AgreementId(1),
            amount: Amount(amount),
        },
        Movement::PaymentReleased {
            agreement: AgreementId(1),
            payment: PaymentId(1),
            amount: Amount(amount),
        },
        Movement::PaymentReturned {
            agreement: AgreementId(1),
            payment: PaymentId(1),
            amount: Amount(amount),
        },
        Movement::PaymentSettled {
            agreement: AgreementId(1),
            payment: PaymentId(1),
            amount: Amount(amount),
        },
        Movement::SettledReturned {
            agreement: AgreementId(1),
            amount: Amount(amount),
        },
        Movement::Recovered {
            call: CallId(1),
            agreement: AgreementId(1),
            amount: Amount(amount),
        },
        Movement::Offset {
            call: CallId(1),
            old: AgreementId(1),
            new: AgreementId(2),
            amount: Amount(amount),
        },
        Movement::FinallyAccepted {
            agreement: AgreementId(1),
            amount: Amount(amount),
        },
        Movement::WrittenOff {
            agreement: AgreementId(1),
            amount: Amount(amount),
        },
        Movement::HoldingSettled {
            payment: PaymentId(1),
            holding: HoldingId(1),
            amount: Amount(amount),
        },
        Movement::HoldingRepaid {
            call: CallId(1),
            holding: HoldingId(1),
            amount: Amount(amount),
        },
        Movement::HoldingGain {
            holding: HoldingId(1),
            amount: Amount(amount),
        },
        Movement::HoldingLost {
            holding: HoldingId(1),
            agreement: AgreementId(1),
            amount: Amount(amount),
        },
        Movement::GuaranteeIssued {
            guarantee: GuaranteeId(1),
            amount: Amount(amount),
        },
        Movement::GuaranteeExpired {
            guarantee: GuaranteeId(1),
            amount: Amount(amount),
        },
        Movement::GuaranteeCalled {
            guarantee: GuaranteeId(1),
            payment: PaymentId(1),
            amount: Amount(amount),
        },
        Movement::GuaranteeSettled {
            guarantee: GuaranteeId(1),
            payment: PaymentId(1),
            amount: Amount(amount),
        },
        Movement::GuaranteeReturned {
            guarantee: GuaranteeId(1),
            payment: PaymentId(1),
            amount: Amount(amount),
        },
        Movement::GuaranteeRecovered {
            guarantee: GuaranteeId(1),
            amount: Amount(amount),
        },
        Movement::GuaranteeWrittenOff {
            guarantee: GuaranteeId(1),
            amount: Amount(amount),
        },
        Movement::Refunded {
            member: OrganisationId(1),
            pot: Pot::Free,
            amount: Amount(amount),
        },
    ];
    for phase in phases {
        all.push(Movement::AwardReturned {
            call: CallId(1),
            award: AwardId(1),
            phase,
            amount: Amount(amount),
        });
        all.push(Movement::AgreementReduced {
            call: CallId(1),
            agreement: AgreementId(1),
            phase,
            amount: Amount(amount),
        });
    }
    let mut seen = BTreeSet::new();
    for movement in all {
        let postings = post(&mut filled(), FundId(1), &movement)
            .unwrap_or_else(|error| panic!("{movement:?}: {error}"));
        let legs: Vec<_> = postings
            .iter()
            .map(|p| (p.from.kind.class(), p.to.kind.class()))
            .collect();
        assert_eq!(legs, movement.row().legs, "{movement:?}");
        seen.insert(movement.row().name);
    }
    assert_eq!(
        seen,
        ROWS.iter().map(|row| row.name).collect(),
        "names are unique and every row is used"
    );
}

/// No row has an "or", no internal value appears from or vanishes to nowhere, every row has its
/// transitions.
#[test]
fn the_table_is_well_formed() {
    for row in ROWS {
        assert!(
            !row.numbers.is_empty()
                && row
                    .numbers
                    .iter()
                    .all(|number| number.len() == 3 && number.starts_with('F'))
        );
        assert!(!row.legs.is_empty());
        for (from, to) in row.legs {
            assert!(!(from.is_external() && to.is_external()), "{}", row.name);
            // What is finally accepted, written off or paid out of the fund does not come back.
            assert!(
                !matches!(
                    from,
                    Class::S | Class::L | Class::LGuarantee | Class::XFee | Class::XReturn
                ),
                "{}",
                row.name
            );
        }
    }
    let text = markdown();
    assert_eq!(text.lines().count(), 2 + ROWS.len());
    assert!(text.contains("| offset | F45 | – | K:agreement -> A; D:agreement -> D:agreement |"));
}

#[test]
fn refusals() {
    let mut book = filled();
    let before = book.clone();
    let refused =
        |book: &mut MemoryBook, movement| post(book, FundId(1), &movement).unwrap_err().to_string();
    assert_eq!(
        refused(
            &mut book,
            Movement::Awarded {
                call: CallId(1),
                award: AwardId(1),
                amount: Amount(201)
            }
        ),
        "1/B:call:1 holds 200 minor units, 201 are asked for (N1)"
    );
    assert!(
        refused(
            &mut book,
            Movement::Fee {
                line: LineId(1),
                amount: Amount(0)
            }
        )
        .contains("an amount of 0")
    );
    let huge = Movement::ContributionReceived {
        member: OrganisationId(1),
        pot: Pot::Free,
        amount: Amount(1_000_000_000_000_000_000),
    };
    assert!(refused(&mut book, huge).contains("1000000000000000000"));
    assert_eq!(
        refused(
            &mut book,
            Movement::Offset {
                call: CallId(1),
                old: AgreementId(1),
                new: AgreementId(1),
                amount: Amount(1)
            }
        ),
        "a transfer from 1/D:agreement:1 to itself (N2)"
    );
    assert_eq!(
        refused(
            &mut book,
            Movement::CallFunded {
                call: CallId(1),
                direction: Some(DirectionId(2)),
                amount: Amount(1)
            }
        ),
        "call 1 took from the earmark of direction 1, not 2"
    );
    // An earmark pays no fees and no guarantees, even when nothing else is there.
    let free = book.balance(at(FundId(1), AccountKind::Free)) as u64;
    assert!(
        refused(
            &mut book,
            Movement::Fee {
                line: LineId(1),
                amount: Amount(free + 1)
            }
        )
        .contains("A:free")
    );
    // Another fund has none of this money.
    assert!(
        post(
            &mut book,
            FundId(2),
            &Movement::Fee {
                line: LineId(1),
                amount: Amount(1)
            }
        )
        .is_err()
    );
    assert_eq!(reverse(&mut book, &[]), Err(PostingError::Empty));
    // The second leg of an offset fails, so the first is not kept.
    assert!(
        refused(
            &mut book,
            Movement::Offset {
                call: CallId(1),
                old: AgreementId(1),
                new: AgreementId(2),
                amount: Amount(160)
            }
        )
        .contains("D:agreement:1")
    );
    assert_eq!(book, before);
}

#[test]
fn replayed_postings_are_held_to_the_same_rules() {
    let mut book = filled();
    let posting = Posting {
        from: at(FundId(1), AccountKind::Free),
        to: at(FundId(2), AccountKind::Free),
        amount: Amount(1),
        earmark_of: None,
    };
    assert!(matches!(
        replay(&mut book, &[posting]),
        Err(PostingError::TwoFunds { .. })
    ));
    let posting = Posting {
        to: at(FundId(1), AccountKind::Call(CallId(1))),
        earmark_of: Some(CallId(1)),
        ..posting
    };
    assert_eq!(
        replay(&mut book, &[posting]),
        Err(PostingError::Earmark(CallId(1)))
    );
    // Giving an earmark back more than was taken.
    let posting = Posting {
        from: at(FundId(1), AccountKind::Free),
        to: at(FundId(1), AccountKind::Direction(DirectionId(1))),
        amount: Amount(901),
        earmark_of: Some(CallId(1)),
    };
    assert_eq!(
        replay(&mut book, &[posting]),
        Err(PostingError::Earmark(CallId(1)))
    );
}

#[test]
fn faults_of_a_set_of_balances() {
    let in_one = |kind| at(FundId(1), kind);
    let sound = [
        (in_one(AccountKind::Member(OrganisationId(1))), -5),
        (in_one(AccountKind::Free), 5),
    ];
    assert!(Totals::of(FundId(1), sound).is_ok());
    assert_eq!(
        Totals::of(FundId(1), [(in_one(AccountKind::Free), 5)]),
        Err(BookFault::NotZero {
            fund: FundId(1),
            sum: 5
        })
    );
    assert!(matches!(
        Totals::of(
            FundId(1),
            [
                (in_one(AccountKind::Free), -5),
                (in_one(AccountKind::Member(OrganisationId(1))), 5)
            ]
        ),
        Err(BookFault::Negative { balance: -5, .. })
    ));
}

#[test]
fn accounts_have_stable_bytes_and_text() {
    let account = at(FundId(7), AccountKind::Committed(AgreementId(3)));
    assert_eq!(hex::encode(encode(&account)), "070000000800000003000000");
    let free = at(FundId(7), AccountKind::Free);
    let posting = Posting {
        from: free,
        to: account,
        amount: Amount(5),
        earmark_of: Some(CallId(1)),
    };
    for account in [account, free] {
        assert_eq!(decode::<Account>(&encode(&account)), Ok(account));
    }
    assert_eq!(decode::<Posting>(&encode(&posting)), Ok(posting));
    for bad in [
        Posting {
            amount: Amount(0),
            ..posting
        },
        Posting {
            to: free,
            ..posting
        },
    ] {
        assert!(decode::<Posting>(&encode(&bad)).is_err());
    }
    assert_eq!(account.to_string(), "7/K:agreement:3");
    assert_eq!(
        serde_json::to_string(&account).unwrap(),
        "\"7/K:agreement:3\""
    );
}
