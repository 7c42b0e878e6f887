//! What is next of changes of an organisation, delegations, emergency stops and recoveries of keys.

use super::{Found, Object};
use crate::id::{ChangeId, DelegationId, KeyRecoveryId, RevocationId};
use crate::object::{change, delegation, key_recovery, revocation};
use crate::state::StateTables;
use crate::tx::DeadlineKind as D;

fn on(number: u32, kinds: &[D]) -> Vec<(D, u32)> {
    kinds.iter().map(|kind| (*kind, number)).collect()
}

pub(super) fn of(tables: &StateTables, object: Object, number: u32) -> Option<Found> {
    Some(match object {
        Object::Change => {
            let entry = tables.changes.get(&ChangeId(number))?;
            let out = [
                change::ChangeStatus::Objected,
                change::ChangeStatus::Declined,
                change::ChangeStatus::Replaced,
            ];
            let found = Found::table(object, number, entry.status, &change::ROWS, &out)
                .due(tables, &on(number, &[D::ChangeEffect]))
                .of(Some(entry.organisation));
            match entry.status {
                change::ChangeStatus::Waiting => found.who("officer"),
                _ => found,
            }
        }
        Object::Delegation => {
            let entry = tables.delegations.get(&DelegationId(number))?;
            let out = [delegation::DelegationStatus::Revoked];
            Found::table(object, number, entry.status, &delegation::ROWS, &out)
                .due(tables, &on(number, &[D::DelegationEnd]))
                .of(Some(entry.organisation))
                .who("")
        }
        Object::Revocation => {
            let entry = tables.revocations.get(&RevocationId(number))?;
            let home = tables.persons.get(&entry.person).map(|person| person.home);
            Found::table(object, number, entry.status, &revocation::ROWS, &[])
                .due(tables, &on(number, &[D::RevocationEnd]))
                .of(home)
        }
        Object::KeyRecovery => {
            let entry = tables.key_recoveries.get(&KeyRecoveryId(number))?;
            let out = [
                key_recovery::RecoveryStatus::Cancelled,
                key_recovery::RecoveryStatus::Declined,
            ];
            let found = Found::table(object, number, entry.status, &key_recovery::ROWS, &out)
                .due(tables, &on(number, &[D::RecoveryLapse, D::RecoveryEffect]))
                .of(Some(entry.plan.organisation));
            match entry.status {
                key_recovery::RecoveryStatus::Waiting => found.who("officer"),
                _ => found,
            }
        }
        _ => return None,
    })
}
