//! Properties of the book over random movements.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use rollbook_proof::codec::{decode, encode};

use super::table::{ROWS, markdown};
use super::*;

/// A movement over a handful of objects, so that they meet each other. `variant` picks the kind.
fn movement() -> impl Strategy<Value = Movement> {
    let phase = select(vec![
        CallPhase::BeforeDecided,
        CallPhase::Decided,
        CallPhase::Closed,
    ]);
    let pot = select(vec![Pot::Free, Pot::Direction(1), Pot::Direction(2)]);
    let amount = prop_oneof![20 => 1u64..200, 1 => Just(0), 1 => any::<u64>()];
    // Objects 0 to 2; a call's direction is its own number or none.
    (0u8..29, 0u32..3, 0u32..3, phase, pot, amount).prop_map(
        |(variant, a, b, phase, pot, amount)| {
            let direction = (a > 0).then_some(a);
            match variant {
                0 => Movement::ContributionReceived {
                    member: a,
                    pot,
                    amount: amount.saturating_mul(5),
                },
                1 => Movement::Fee { line: a, amount },
                2 => Movement::CallFunded {
                    call: a,
                    direction,
                    amount,
                },
                3 => Movement::CallReleased { call: a, amount },
                4 => Movement::Awarded {
                    call: a,
                    award: b,
                    amount,
                },
                5 => Movement::AwardReturned {
                    call: a,
                    award: b,
                    phase,
                    amount,
                },
                6 => Movement::AgreementInForce {
                    award: a,
                    agreement: b,
                    amount,
                },
                7 => Movement::AgreementIncreased {
                    call: a,
                    agreement: b,
                    amount,
                },
                8 => Movement::AgreementReduced {
                    call: a,
                    agreement: b,
                    phase,
                    amount,
                },
                9 => Movement::PaymentReleased {
                    agreement: a,
                    payment: b,
                    amount,
                },
                10 => Movement::PaymentReturned {
                    agreement: a,
                    payment: b,
                    amount,
                },
                11 => Movement::PaymentSettled {
                    agreement: a,
                    payment: b,
                    amount,
                },
                12 => Movement::SettledReturned {
                    agreement: a,
                    amount,
                },
                13 => Movement::Recovered {
                    call: a,
                    agreement: b,
                    amount,
                },
                14 => Movement::Offset {
                    call: 1,
                    old: a,
                    new: b,
                    amount,
                },
                15 => Movement::FinallyAccepted {
                    agreement: a,
                    amount,
                },
                16 => Movement::WrittenOff {
                    agreement: a,
                    amount,
                },
                17 => Movement::HoldingSettled {
                    payment: a,
                    holding: b,
                    amount,
                },
                18 => Movement::HoldingRepaid {
                    call: a,
                    holding: b,
                    amount,
                },
                19 => Movement::HoldingGain { holding: a, amount },
                20 => Movement::HoldingLost {
                    holding: a,
                    agreement: b,
                    amount,
                },
                21 => Movement::GuaranteeIssued {
                    guarantee: a,
                    amount,
                },
                22 => Movement::GuaranteeExpired {
                    guarantee: a,
                    amount,
                },
                23 => Movement::GuaranteeCalled {
                    guarantee: a,
                    payment: b,
                    amount,
                },
                24 => Movement::GuaranteeSettled {
                    guarantee: a,
                    payment: b,
                    amount,
                },
                25 => Movement::GuaranteeReturned {
                    guarantee: a,
                    payment: b,
                    amount,
                },
                26 => Movement::GuaranteeRecovered {
                    guarantee: a,
                    amount,
                },
                27 => Movement::GuaranteeWrittenOff {
                    guarantee: a,
                    amount,
                },
                _ => Movement::Refunded {
                    member: a,
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
        post(&mut book, 1, &movement).unwrap();
    };
    for pot in [Pot::Free, Pot::Direction(1), Pot::Direction(2)] {
        run(Movement::ContributionReceived {
            member: 0,
            pot,
            amount: 3_000,
        });
    }
    for n in 0..3 {
        run(Movement::CallFunded {
            call: n,
            direction: (n > 0).then_some(n),
            amount: 900,
        });
        run(Movement::Awarded {
            call: n,
            award: n,
            amount: 700,
        });
        run(Movement::AgreementInForce {
            award: n,
            agreement: n,
            amount: 500,
        });
        run(Movement::PaymentReleased {
            agreement: n,
            payment: n,
            amount: 300,
        });
        run(Movement::PaymentSettled {
            agreement: n,
            payment: n,
            amount: 150,
        });
        run(Movement::HoldingSettled {
            payment: n,
            holding: n,
            amount: 50,
        });
        run(Movement::GuaranteeIssued {
            guarantee: n,
            amount: 200,
        });
        run(Movement::GuaranteeCalled {
            guarantee: n,
            payment: n,
            amount: 100,
        });
        run(Movement::GuaranteeSettled {
            guarantee: n,
            payment: n,
            amount: 50,
        });
    }
    book
}

/// What was ever put under an earmark and not refunded is still there, or out in calls: earmarks
/// are never lost or invented.
fn earmarks_conserved(book: &MemoryBook, put: &[i128; 3]) -> bool {
    [1u32, 2].into_iter().all(|direction| {
        let there = book.balance(Account {
            fund: 1,
            kind: AccountKind::Direction(direction),
        });
        let out: i128 = book
            .earmarks
            .values()
            .filter(|e| e.direction == direction)
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
        } if from_free => {
            book.balance(Account {
                fund: 1,
                kind: AccountKind::Direction(direction),
            }) == 0
        }
        Movement::CallReleased { call, .. }
        | Movement::AwardReturned { call, .. }
        | Movement::AgreementReduced { call, .. }
        | Movement::Recovered { call, .. }
        | Movement::Offset { call, .. }
        | Movement::HoldingRepaid { call, .. }
            if to_free =>
        {
            book.earmark(1, call)
                .is_none_or(|earmark| earmark.taken == 0)
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
            match post(&mut book, 1, &movement) {
                Ok(postings) => {
                    let row = movement.row();
                    prop_assert!(ROWS.contains(&row));
                    for posting in &postings {
                        prop_assert!(row.legs.contains(&(posting.from.kind.class(), posting.to.kind.class())));
                        prop_assert!(posting.amount > 0);
                        prop_assert_eq!(posting.from.fund, posting.to.fund);
                    }
                    if let Movement::ContributionReceived { pot: Pot::Direction(d), amount, .. } = movement {
                        put[d as usize] += i128::from(amount);
                    }
                    if let Movement::Refunded { pot: Pot::Direction(d), amount, .. } = movement {
                        put[d as usize] -= i128::from(amount);
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
            prop_assert!(Totals::of(1, book.balances.clone()).is_ok());
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
            prop_assert_eq!(earmark.taken, start.earmarks.get(key).map_or(0, |e| e.taken));
        }
    }

    /// N6 for every agreement: K + T + D + S + L + H + recovered + reduced = signed total with
    /// increases. Payments and holdings carry the number of their agreement here, so that T and H
    /// can be told apart.
    #[test]
    fn agreements_add_up(sequence in movements()) {
        let mut book = MemoryBook::default();
        for pot in [Pot::Free, Pot::Direction(1)] {
            post(&mut book, 1, &Movement::ContributionReceived { member: 0, pot, amount: 50_000 }).unwrap();
        }
        for n in 0..3 {
            post(&mut book, 1, &Movement::CallFunded { call: n, direction: (n > 0).then_some(n), amount: 3_000 }).unwrap();
            post(&mut book, 1, &Movement::Awarded { call: n, award: n, amount: 2_000 }).unwrap();
        }
        let mut total = [0i128; 3];
        let mut gone = [0i128; 3];
        for mut movement in sequence {
            match &mut movement {
                Movement::PaymentReleased { agreement, payment, .. }
                | Movement::PaymentReturned { agreement, payment, .. }
                | Movement::PaymentSettled { agreement, payment, .. } => *payment = *agreement,
                Movement::HoldingSettled { payment, holding, .. } => *holding = *payment,
                Movement::HoldingLost { holding, agreement, .. } => *agreement = *holding,
                Movement::GuaranteeCalled { payment, .. }
                | Movement::GuaranteeSettled { payment, .. }
                | Movement::GuaranteeReturned { payment, .. } => *payment += 100,
                _ => {}
            }
            if post(&mut book, 1, &movement).is_err() {
                continue;
            }
            match movement {
                Movement::AgreementInForce { agreement, amount, .. } | Movement::AgreementIncreased { agreement, amount, .. } => {
                    total[agreement as usize] += i128::from(amount);
                }
                Movement::AgreementReduced { agreement, amount, .. }
                | Movement::Recovered { agreement, amount, .. }
                | Movement::Offset { old: agreement, amount, .. }
                | Movement::HoldingRepaid { holding: agreement, amount, .. } => gone[agreement as usize] += i128::from(amount),
                _ => {}
            }
            for n in 0..3u32 {
                let of = |kind| book.balance(Account { fund: 1, kind });
                let sum = of(AccountKind::Committed(n)) + of(AccountKind::InTransit(n)) + of(AccountKind::Paid(n))
                    + of(AccountKind::Accepted(n)) + of(AccountKind::Lost(n)) + of(AccountKind::Holding(n));
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
            member: 1,
            pot: Pot::Free,
            amount,
        },
        Movement::Fee { line: 1, amount },
        Movement::CallFunded {
            call: 1,
            direction: Some(1),
            amount,
        },
        Movement::CallReleased { call: 1, amount },
        Movement::Awarded {
            call: 1,
            award: 1,
            amount,
        },
        Movement::AgreementInForce {
            award: 1,
            agreement: 1,
            amount,
        },
        Movement::AgreementIncreased {
            call: 1,
            agreement: 1,
            amount,
        },
        Movement::PaymentReleased {
            agreement: 1,
            payment: 1,
            amount,
        },
        Movement::PaymentReturned {
            agreement: 1,
            payment: 1,
            amount,
        },
        Movement::PaymentSettled {
            agreement: 1,
            payment: 1,
            amount,
        },
        Movement::SettledReturned {
            agreement: 1,
            amount,
        },
        Movement::Recovered {
            call: 1,
            agreement: 1,
            amount,
        },
        Movement::Offset {
            call: 1,
            old: 1,
            new: 2,
            amount,
        },
        Movement::FinallyAccepted {
            agreement: 1,
            amount,
        },
        Movement::WrittenOff {
            agreement: 1,
            amount,
        },
        Movement::HoldingSettled {
            payment: 1,
            holding: 1,
            amount,
        },
        Movement::HoldingRepaid {
            call: 1,
            holding: 1,
            amount,
        },
        Movement::HoldingGain { holding: 1, amount },
        Movement::HoldingLost {
            holding: 1,
            agreement: 1,
            amount,
        },
        Movement::GuaranteeIssued {
            guarantee: 1,
            amount,
        },
        Movement::GuaranteeExpired {
            guarantee: 1,
            amount,
        },
        Movement::GuaranteeCalled {
            guarantee: 1,
            payment: 1,
            amount,
        },
        Movement::GuaranteeSettled {
            guarantee: 1,
            payment: 1,
            amount,
        },
        Movement::GuaranteeReturned {
            guarantee: 1,
            payment: 1,
            amount,
        },
        Movement::GuaranteeRecovered {
            guarantee: 1,
            amount,
        },
        Movement::GuaranteeWrittenOff {
            guarantee: 1,
            amount,
        },
        Movement::Refunded {
            member: 1,
            pot: Pot::Free,
            amount,
        },
    ];
    for phase in phases {
        all.push(Movement::AwardReturned {
            call: 1,
            award: 1,
            phase,
            amount,
        });
        all.push(Movement::AgreementReduced {
            call: 1,
            agreement: 1,
            phase,
            amount,
        });
    }
    let mut seen = BTreeSet::new();
    for movement in all {
        let postings = post(&mut filled(), 1, &movement)
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
        |book: &mut MemoryBook, movement| post(book, 1, &movement).unwrap_err().to_string();
    assert_eq!(
        refused(
            &mut book,
            Movement::Awarded {
                call: 1,
                award: 1,
                amount: 201
            }
        ),
        "1/B:call:1 holds 200 minor units, 201 are asked for (N1)"
    );
    assert!(refused(&mut book, Movement::Fee { line: 1, amount: 0 }).contains("an amount of 0"));
    let huge = Movement::ContributionReceived {
        member: 1,
        pot: Pot::Free,
        amount: 1_000_000_000_000_000_000,
    };
    assert!(refused(&mut book, huge).contains("1000000000000000000"));
    assert_eq!(
        refused(
            &mut book,
            Movement::Offset {
                call: 1,
                old: 1,
                new: 1,
                amount: 1
            }
        ),
        "a transfer from 1/D:agreement:1 to itself (N2)"
    );
    assert_eq!(
        refused(
            &mut book,
            Movement::CallFunded {
                call: 1,
                direction: Some(2),
                amount: 1
            }
        ),
        "call 1 took from the earmark of direction 1, not 2"
    );
    // An earmark pays no fees and no guarantees, even when nothing else is there.
    let free = book.balance(Account {
        fund: 1,
        kind: AccountKind::Free,
    }) as u64;
    assert!(
        refused(
            &mut book,
            Movement::Fee {
                line: 1,
                amount: free + 1
            }
        )
        .contains("A:free")
    );
    // Another fund has none of this money.
    assert!(post(&mut book, 2, &Movement::Fee { line: 1, amount: 1 }).is_err());
    assert_eq!(reverse(&mut book, &[]), Err(PostingError::Empty));
    // The second leg of an offset fails, so the first is not kept.
    assert!(
        refused(
            &mut book,
            Movement::Offset {
                call: 1,
                old: 1,
                new: 2,
                amount: 160
            }
        )
        .contains("D:agreement:1")
    );
    assert_eq!(book, before);
}

#[test]
fn replayed_postings_are_held_to_the_same_rules() {
    let mut book = filled();
    let at = |fund, kind| Account { fund, kind };
    let posting = Posting {
        from: at(1, AccountKind::Free),
        to: at(2, AccountKind::Free),
        amount: 1,
        earmark_of: None,
    };
    assert!(matches!(
        replay(&mut book, &[posting]),
        Err(PostingError::TwoFunds { .. })
    ));
    let posting = Posting {
        to: at(1, AccountKind::Call(1)),
        earmark_of: Some(1),
        ..posting
    };
    assert_eq!(replay(&mut book, &[posting]), Err(PostingError::Earmark(1)));
    // Giving an earmark back more than was taken.
    let posting = Posting {
        from: at(1, AccountKind::Free),
        to: at(1, AccountKind::Direction(1)),
        amount: 901,
        earmark_of: Some(1),
    };
    assert_eq!(replay(&mut book, &[posting]), Err(PostingError::Earmark(1)));
}

#[test]
fn faults_of_a_set_of_balances() {
    let at = |kind| Account { fund: 1, kind };
    let sound = [(at(AccountKind::Member(1)), -5), (at(AccountKind::Free), 5)];
    assert!(Totals::of(1, sound).is_ok());
    assert_eq!(
        Totals::of(1, [(at(AccountKind::Free), 5)]),
        Err(BookFault::NotZero { fund: 1, sum: 5 })
    );
    assert!(matches!(
        Totals::of(
            1,
            [(at(AccountKind::Free), -5), (at(AccountKind::Member(1)), 5)]
        ),
        Err(BookFault::Negative { balance: -5, .. })
    ));
}

#[test]
fn accounts_have_stable_bytes_and_text() {
    let account = Account {
        fund: 7,
        kind: AccountKind::Committed(3),
    };
    assert_eq!(hex::encode(encode(&account)), "070000000800000003000000");
    let free = Account {
        fund: 7,
        kind: AccountKind::Free,
    };
    let posting = Posting {
        from: free,
        to: account,
        amount: 5,
        earmark_of: Some(1),
    };
    for account in [account, free] {
        assert_eq!(decode::<Account>(&encode(&account)), Ok(account));
    }
    assert_eq!(decode::<Posting>(&encode(&posting)), Ok(posting));
    for bad in [
        Posting {
            amount: 0,
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
