//! What was received, awarded and paid: what every posting adds to it, and what it takes off again.

use rollbook_core::account::AccountKind;
use rollbook_core::account::table::OFFSET;
use rollbook_core::id::{AgreementId, CallId};
use rollbook_core::state::StateTables;
use rollbook_core::step::Posted;
use rollbook_proof::number::OrganisationId;

/// Sums of one key in one fund, net of what went back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// From contributors, less refunds.
    pub received: i128,
    /// Awarded, less what lapsed, was revoked or freed of an agreement.
    pub awarded: i128,
    /// Paid, less what came back after it was paid.
    pub paid: i128,
}

/// Which sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// From contributors.
    Received,
    /// Awarded.
    Awarded,
    /// Paid.
    Paid,
}

/// What a posting adds to a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The call that it counts for.
    pub call: Option<CallId>,
    /// The contributor or grantee.
    pub member: Option<OrganisationId>,
    /// Which sum.
    pub which: Which,
    /// Minor units, with their sign.
    pub minor: i128,
}

impl Sums {
    /// Adds what was counted.
    pub fn add(&mut self, counted: &Counted) {
        let sum = match counted.which {
            Which::Received => &mut self.received,
            Which::Awarded => &mut self.awarded,
            Which::Paid => &mut self.paid,
        };
        *sum = sum.saturating_add(counted.minor);
    }
}

/// What a posting adds to the sums: nothing, one thing, or of a debt that was set off two.
pub fn counted(posted: &Posted, tables: &StateTables) -> Vec<Counted> {
    use AccountKind as K;
    let minor = i128::from(posted.posting.amount);
    let received = |member, minor| Counted {
        call: None,
        member: Some(member),
        which: Which::Received,
        minor,
    };
    let awarded = |call: CallId, member, minor| Counted {
        call: Some(call),
        member,
        which: Which::Awarded,
        minor,
    };
    let of_award = |number, minor| {
        let found = tables.awards.get(&number)?;
        Some(awarded(found.call, Some(found.grantee), minor))
    };
    let of_agreement = |number: AgreementId, which, minor| {
        let found = tables.agreements.get(&number)?;
        Some(Counted {
            which,
            ..awarded(found.call, Some(found.grantee), minor)
        })
    };
    let offset = posted.row == OFFSET.name;
    let found = match (posted.posting.from.kind, posted.posting.to.kind) {
        (K::Member(member) | K::Return(member), _) => [Some(received(member, minor)), None],
        (_, K::Member(member) | K::Return(member)) => [Some(received(member, -minor)), None],
        (K::Call(_), K::Award(award)) => [of_award(award, minor), None],
        (K::Award(award), K::Call(_) | K::Free | K::Direction(_)) => {
            [of_award(award, -minor), None]
        }
        (K::Call(_), K::Committed(n)) => [of_agreement(n, Which::Awarded, minor), None],
        // What is set off against a debt is paid with it, and not freed.
        (K::Committed(n), K::Call(_) | K::Free | K::Direction(_)) if !offset => {
            [of_agreement(n, Which::Awarded, -minor), None]
        }
        (K::Paid(old), K::Paid(new)) => [
            of_agreement(old, Which::Paid, -minor),
            of_agreement(new, Which::Paid, minor),
        ],
        (K::InTransit(_), K::Paid(n)) => [of_agreement(n, Which::Paid, minor), None],
        (K::Paid(n), K::Free | K::Direction(_) | K::Committed(_) | K::InTransit(_)) => {
            [of_agreement(n, Which::Paid, -minor), None]
        }
        _ => [None, None],
    };
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use rollbook_core::account::{Account, Amount, Posting};
    use rollbook_core::id::FundId;
    use rollbook_tests::grants::Bench;

    use super::*;

    /// The sums were gross: what lapsed, was freed, refunded or came back was never taken off.
    #[test]
    fn sums_are_net() {
        use AccountKind as K;
        let mut bench = Bench::on_tables();
        let number = AgreementId(bench.agreement());
        let tables = &bench.world.tables;
        let agreement = tables.agreements.get(&number).unwrap();
        let (award, call, member) = (agreement.award, agreement.call, agreement.grantee);
        let told = |row, moves: &[(K, K, u64)]| {
            let mut sums = Sums::default();
            for (from, to, amount) in moves {
                let account = |kind| Account {
                    fund: FundId(1),
                    kind,
                };
                let posted = Posted {
                    row,
                    posting: Posting {
                        from: account(*from),
                        to: account(*to),
                        amount: Amount(*amount),
                        earmark_of: None,
                    },
                };
                let all = counted(&posted, tables);
                all.iter().for_each(|counted| sums.add(counted));
            }
            (sums.received, sums.awarded, sums.paid)
        };
        let (free, held, paid) = (K::Free, K::Committed(number), K::Paid(number));
        let received = [
            (K::Member(member), free, 900),
            (free, K::Return(member), 200),
        ];
        assert_eq!(told("", &received), (700, 0, 0));
        let lapsed = [
            (K::Call(call), K::Award(award), 800),
            (K::Award(award), K::Call(call), 800),
        ];
        assert_eq!(told("", &lapsed), (0, 0, 0));
        let freed = [
            (K::Call(call), K::Award(award), 800),
            (K::Award(award), held, 800),
            (held, free, 300),
        ];
        assert_eq!(told("", &freed), (0, 500, 0));
        let recovered = [
            (K::InTransit(Default::default()), paid, 400),
            (paid, free, 100),
            (paid, K::Accepted(number), 300),
        ];
        assert_eq!(told("", &recovered), (0, 0, 300));
        // What is set off against a debt is paid with it: nothing of the award is freed.
        let set_off = [(held, free, 100), (paid, paid, 100)];
        assert_eq!(told(OFFSET.name, &set_off), (0, 0, 0));
    }
}
