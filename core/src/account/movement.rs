//! Movements: what the funding rules ask the book to post, and how each becomes postings.
//!
//! A movement names its objects; which accounts those are is decided here and held to the table's
//! row. Money that a call took from its direction's earmark goes back to the earmark first whenever
//! it returns to `A`, up to what was taken (RULINGS R4). Each posting that takes from or restores
//! an earmark for a call names the call, so the earmark is recomputed from postings alone.

use rollbook_proof::number::OrganisationId;

use crate::account::book::{Balances, Posting, PostingError};
use crate::account::table::Row;
use crate::account::unit::Amount;
use crate::account::{Account, AccountKind, table};
use crate::id::{
    AgreementId, AwardId, CallId, DirectionId, FundId, GuaranteeId, HoldingId, LineId, PaymentId,
};

/// A part of the available money.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    bincode::Encode,
    bincode::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Pot {
    /// `A:free`.
    Free,
    /// `A:direction`.
    Direction(DirectionId),
}

impl Pot {
    /// The account.
    pub fn account(self) -> AccountKind {
        match self {
            Pot::Free => AccountKind::Free,
            Pot::Direction(direction) => AccountKind::Direction(direction),
        }
    }
}

/// How far the call is from which the value came: selects where it returns to (RULINGS R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPhase {
    /// Until the call is Decided.
    BeforeDecided,
    /// Decided, not yet Closed.
    Decided,
    /// Closed or cancelled.
    Closed,
}

/// A movement of value inside one fund. Amounts are minor units of the fund's unit, 1 to 10^18 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the rows of the table say what each is; the fields are object numbers and the amount
pub enum Movement {
    ContributionReceived {
        member: OrganisationId,
        pot: Pot,
        amount: Amount,
    },
    /// Out of `A:free`: an earmark pays no fees.
    Fee {
        line: LineId,
        amount: Amount,
    },
    /// Out of the direction's earmark first, then out of `A:free`.
    CallFunded {
        call: CallId,
        direction: Option<DirectionId>,
        amount: Amount,
    },
    CallReleased {
        call: CallId,
        amount: Amount,
    },
    Awarded {
        call: CallId,
        award: AwardId,
        amount: Amount,
    },
    AwardReturned {
        call: CallId,
        award: AwardId,
        phase: CallPhase,
        amount: Amount,
    },
    AgreementInForce {
        award: AwardId,
        agreement: AgreementId,
        amount: Amount,
    },
    AgreementIncreased {
        call: CallId,
        agreement: AgreementId,
        amount: Amount,
    },
    AgreementReduced {
        call: CallId,
        agreement: AgreementId,
        phase: CallPhase,
        amount: Amount,
    },
    PaymentReleased {
        agreement: AgreementId,
        payment: PaymentId,
        amount: Amount,
    },
    PaymentReturned {
        agreement: AgreementId,
        payment: PaymentId,
        amount: Amount,
    },
    PaymentSettled {
        agreement: AgreementId,
        payment: PaymentId,
        amount: Amount,
    },
    SettledReturned {
        agreement: AgreementId,
        amount: Amount,
    },
    Recovered {
        call: CallId,
        agreement: AgreementId,
        amount: Amount,
    },
    /// `call` is the call of `old`: what returns to `A` is the recovery of the old debt.
    Offset {
        call: CallId,
        old: AgreementId,
        new: AgreementId,
        amount: Amount,
    },
    FinallyAccepted {
        agreement: AgreementId,
        amount: Amount,
    },
    WrittenOff {
        agreement: AgreementId,
        amount: Amount,
    },
    HoldingSettled {
        payment: PaymentId,
        holding: HoldingId,
        amount: Amount,
    },
    HoldingRepaid {
        call: CallId,
        holding: HoldingId,
        amount: Amount,
    },
    /// Into `A:free`: a gain belongs to no earmark.
    HoldingGain {
        holding: HoldingId,
        amount: Amount,
    },
    HoldingLost {
        holding: HoldingId,
        agreement: AgreementId,
        amount: Amount,
    },
    /// Out of `A:free`, and back there when it expires or is recovered.
    GuaranteeIssued {
        guarantee: GuaranteeId,
        amount: Amount,
    },
    GuaranteeExpired {
        guarantee: GuaranteeId,
        amount: Amount,
    },
    GuaranteeCalled {
        guarantee: GuaranteeId,
        payment: PaymentId,
        amount: Amount,
    },
    GuaranteeSettled {
        guarantee: GuaranteeId,
        payment: PaymentId,
        amount: Amount,
    },
    GuaranteeReturned {
        guarantee: GuaranteeId,
        payment: PaymentId,
        amount: Amount,
    },
    GuaranteeRecovered {
        guarantee: GuaranteeId,
        amount: Amount,
    },
    GuaranteeWrittenOff {
        guarantee: GuaranteeId,
        amount: Amount,
    },
    Refunded {
        member: OrganisationId,
        pot: Pot,
        amount: Amount,
    },
}

impl Movement {
    /// The row of the table this movement follows.
    pub fn row(&self) -> Row {
        match self {
            Movement::ContributionReceived { .. } => table::CONTRIBUTION,
            Movement::Fee { .. } => table::FEE,
            Movement::CallFunded { .. } => table::CALL_FUNDED,
            Movement::CallReleased { .. } => table::CALL_RELEASED,
            Movement::Awarded { .. } => table::AWARDED,
            Movement::AwardReturned {
                phase: CallPhase::Closed,
                ..
            } => table::AWARD_TO_FUND,
            Movement::AwardReturned { .. } => table::AWARD_TO_CALL,
            Movement::AgreementInForce { .. } => table::IN_FORCE,
            Movement::AgreementIncreased { .. } => table::INCREASED,
            Movement::AgreementReduced {
                phase: CallPhase::BeforeDecided,
                ..
            } => table::REDUCED_TO_CALL,
            Movement::AgreementReduced { .. } => table::REDUCED_TO_FUND,
            Movement::PaymentReleased { .. } => table::RELEASED,
            Movement::PaymentReturned { .. } => table::RETURNED,
            Movement::PaymentSettled { .. } => table::SETTLED,
            Movement::SettledReturned { .. } => table::SETTLED_RETURNED,
            Movement::Recovered { .. } => table::RECOVERED,
            Movement::Offset { .. } => table::OFFSET,
            Movement::FinallyAccepted { .. } => table::ACCEPTED,
            Movement::WrittenOff { .. } => table::WRITTEN_OFF,
            Movement::HoldingSettled { .. } => table::HOLDING_SETTLED,
            Movement::HoldingRepaid { .. } => table::HOLDING_REPAID,
            Movement::HoldingGain { .. } => table::HOLDING_GAIN,
            Movement::HoldingLost { .. } => table::HOLDING_LOST,
            Movement::GuaranteeIssued { .. } => table::GUARANTEE_ISSUED,
            Movement::GuaranteeExpired { .. } => table::GUARANTEE_EXPIRED,
            Movement::GuaranteeCalled { .. } => table::GUARANTEE_CALLED,
            Movement::GuaranteeSettled { .. } => table::GUARANTEE_SETTLED,
            Movement::GuaranteeReturned { .. } => table::GUARANTEE_RETURNED,
            Movement::GuaranteeRecovered { .. } => table::GUARANTEE_RECOVERED,
            Movement::GuaranteeWrittenOff { .. } => table::GUARANTEE_WRITTEN_OFF,
            Movement::Refunded { .. } => table::REFUNDED,
        }
    }

    /// The postings this movement makes on these balances. Whether the accounts hold enough is
    /// checked when they are posted.
    pub(super) fn postings(
        &self,
        balances: &impl Balances,
        fund: FundId,
    ) -> Result<Vec<Posting>, PostingError> {
        use AccountKind as To;
        let plan = Plan { balances, fund };
        match *self {
            Movement::ContributionReceived {
                member,
                pot,
                amount,
            } => plan.one(To::Member(member), pot.account(), amount),
            Movement::Fee { line, amount } => plan.one(To::Free, To::Fee(line), amount),
            Movement::CallFunded {
                call,
                direction,
                amount,
            } => plan.take(call, direction, amount),
            Movement::CallReleased { call, amount } => plan.restore(To::Call(call), call, amount),
            Movement::Awarded {
                call,
                award,
                amount,
            } => plan.one(To::Call(call), To::Award(award), amount),
            Movement::AwardReturned {
                call,
                award,
                phase,
                amount,
            } => match phase {
                CallPhase::BeforeDecided | CallPhase::Decided => {
                    plan.one(To::Award(award), To::Call(call), amount)
                }
                CallPhase::Closed => plan.restore(To::Award(award), call, amount),
            },
            Movement::AgreementInForce {
                award,
                agreement,
                amount,
            } => plan.one(To::Award(award), To::Committed(agreement), amount),
            Movement::AgreementIncreased {
                call,
                agreement,
                amount,
            } => plan.one(To::Call(call), To::Committed(agreement), amount),
            Movement::AgreementReduced {
                call,
                agreement,
                phase,
                amount,
            } => match phase {
                CallPhase::BeforeDecided => {
                    plan.one(To::Committed(agreement), To::Call(call), amount)
                }
                CallPhase::Decided | CallPhase::Closed => {
                    plan.restore(To::Committed(agreement), call, amount)
                }
            },
            Movement::PaymentReleased {
                agreement,
                payment,
                amount,
            } => plan.one(To::Committed(agreement), To::InTransit(payment), amount),
            Movement::PaymentReturned {
                agreement,
                payment,
                amount,
            } => plan.one(To::InTransit(payment), To::Committed(agreement), amount),
            Movement::PaymentSettled {
                agreement,
                payment,
                amount,
            } => plan.one(To::InTransit(payment), To::Paid(agreement), amount),
            Movement::SettledReturned { agreement, amount } => {
                plan.one(To::Paid(agreement), To::Committed(agreement), amount)
            }
            Movement::Recovered {
                call,
                agreement,
                amount,
            } => plan.restore(To::Paid(agreement), call, amount),
            Movement::Offset {
                call,
                old,
                new,
                amount,
            } => {
                let mut postings = plan.restore(To::Committed(new), call, amount)?;
                postings.extend(plan.one(To::Paid(old), To::Paid(new), amount)?);
                Ok(postings)
            }
            Movement::FinallyAccepted { agreement, amount } => {
                plan.one(To::Paid(agreement), To::Accepted(agreement), amount)
            }
            Movement::WrittenOff { agreement, amount } => {
                plan.one(To::Paid(agreement), To::Lost(agreement), amount)
            }
            Movement::HoldingSettled {
                payment,
                holding,
                amount,
            } => plan.one(To::InTransit(payment), To::Holding(holding), amount),
            Movement::HoldingRepaid {
                call,
                holding,
                amount,
            } => plan.restore(To::Holding(holding), call, amount),
            Movement::HoldingGain { holding, amount } => {
                plan.one(To::Gain(holding), To::Free, amount)
            }
            Movement::HoldingLost {
                holding,
                agreement,
                amount,
            } => plan.one(To::Holding(holding), To::Lost(agreement), amount),
            Movement::GuaranteeIssued { guarantee, amount } => {
                plan.one(To::Free, To::Reserve(guarantee), amount)
            }
            Movement::GuaranteeExpired { guarantee, amount } => {
                plan.one(To::Reserve(guarantee), To::Free, amount)
            }
            Movement::GuaranteeCalled {
                guarantee,
                payment,
                amount,
            } => plan.one(To::Reserve(guarantee), To::InTransit(payment), amount),
            Movement::GuaranteeSettled {
                guarantee,
                payment,
                amount,
            } => plan.one(To::InTransit(payment), To::PaidGuarantee(guarantee), amount),
            Movement::GuaranteeReturned {
                guarantee,
                payment,
                amount,
            } => plan.one(To::InTransit(payment), To::Reserve(guarantee), amount),
            Movement::GuaranteeRecovered { guarantee, amount } => {
                plan.one(To::PaidGuarantee(guarantee), To::Free, amount)
            }
            Movement::GuaranteeWrittenOff { guarantee, amount } => plan.one(
                To::PaidGuarantee(guarantee),
                To::LostGuarantee(guarantee),
                amount,
            ),
            Movement::Refunded {
                member,
                pot,
                amount,
            } => plan.one(pot.account(), To::Return(member), amount),
        }
    }
}

struct Plan<'a, B> {
    balances: &'a B,
    fund: FundId,
}

impl<B: Balances> Plan<'_, B> {
    fn account(&self, kind: AccountKind) -> Account {
        Account {
            fund: self.fund,
            kind,
        }
    }

    fn posting(
        &self,
        from: AccountKind,
        to: AccountKind,
        amount: Amount,
        earmark_of: Option<CallId>,
    ) -> Posting {
        Posting {
            from: self.account(from),
            to: self.account(to),
            amount,
            earmark_of,
        }
    }

    fn one(
        &self,
        from: AccountKind,
        to: AccountKind,
        amount: Amount,
    ) -> Result<Vec<Posting>, PostingError> {
        Ok(vec![self.posting(from, to, amount, None)])
    }

    /// `first` out of one pot and the rest of `amount` out of the other, leaving out a part that is
    /// zero.
    fn split(
        amount: Amount,
        first: Amount,
        make: impl Fn(bool, Amount) -> Posting,
    ) -> Vec<Posting> {
        // `first` is at most `amount`. An amount of zero stays one posting, to be refused as such.
        let rest = amount.saturating_sub(first);
        let mut postings = Vec::with_capacity(2);
        if first > Amount::ZERO {
            postings.push(make(true, first));
        }
        if rest > Amount::ZERO || first == Amount::ZERO {
            postings.push(make(false, rest));
        }
        postings
    }

    /// `A -> B:call`: the earmark of the direction first, then free.
    fn take(
        &self,
        call: CallId,
        direction: Option<DirectionId>,
        amount: Amount,
    ) -> Result<Vec<Posting>, PostingError> {
        let Some(direction) = direction else {
            return self.one(AccountKind::Free, AccountKind::Call(call), amount);
        };
        if let Some(known) = self.balances.earmark(self.fund, call)
            && known.taken > Amount::ZERO
            && known.direction != direction
        {
            return Err(PostingError::OtherDirection {
                call,
                known: known.direction,
                given: direction,
            });
        }
        let there = self
            .balances
            .balance(self.account(AccountKind::Direction(direction)));
        let first = u64::try_from(there.max(0))
            .unwrap_or(u64::MAX)
            .min(amount.0);
        Ok(Self::split(amount, Amount(first), |earmarked, part| {
            let from = if earmarked {
                AccountKind::Direction(direction)
            } else {
                AccountKind::Free
            };
            self.posting(
                from,
                AccountKind::Call(call),
                part,
                earmarked.then_some(call),
            )
        }))
    }

    /// Back to `A`: what the call took from an earmark and has not given back goes there first, the
    /// rest is free.
    fn restore(
        &self,
        from: AccountKind,
        call: CallId,
        amount: Amount,
    ) -> Result<Vec<Posting>, PostingError> {
        let earmark = self
            .balances
            .earmark(self.fund, call)
            .filter(|earmark| earmark.taken > Amount::ZERO);
        let Some(earmark) = earmark else {
            return self.one(from, AccountKind::Free, amount);
        };
        Ok(Self::split(
            amount,
            earmark.taken.min(amount),
            |earmarked, part| {
                let to = if earmarked {
                    AccountKind::Direction(earmark.direction)
                } else {
                    AccountKind::Free
                };
                self.posting(from, to, part, earmarked.then_some(call))
            },
        ))
    }
}
