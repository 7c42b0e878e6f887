//! Who signs, in which role: what was typed, else what the ledger says, and never a role that the
//! person does not hold (RULINGS A65).
//!
//! * A card on this machine says what its person was when it was made; the ledger says what counts. A
//!   node's word decides where one is reached, else the card.
//! * The holder of a post signs in that post without typing it.
//! * Before anything is signed a node judges the record with empty places for the signatures.

use rollbook_client::client::Client;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::next::MaySign;
use rollbook_core::presume::UNSIGNED;
use rollbook_core::record::{Body, Capacity, FundAct, Payload, Record, SignatureEntry};
use rollbook_wire::judgement::Judgement;
use rollbook_words::catalogue::t;

use super::judge;
use super::submit::SPENT;
use crate::failure::Failure;
use crate::keystore::Keystore;
use crate::keystore::card::role_code;
use crate::keystore::opened::capacity;

/// A person, and the role in which it signs; none: the ledger says which.
pub type Signer = (u32, Option<Role>);

/// In which capacity a person signs in a role, and with which key, as the ledger tells it: by a
/// delegation where the role is somebody else's (M33), with the first key in force.
fn place(may: &[MaySign], person: u32, role: Role) -> (Capacity, u32) {
    let Some(entry) = may.iter().find(|entry| entry.person == PersonId(person)) else {
        return (Capacity::Own(role), 0);
    };
    let key = entry.keys.first().map_or(0, |(number, _)| *number);
    (capacity(entry, role), key)
}

/// A record with the signatures that are there and an empty place for each signer to come.
pub fn with_places(
    payload: &Payload,
    signed: &[SignatureEntry],
    signers: &[Signer],
    may: &[MaySign],
) -> Record {
    let mut signatures = signed.to_vec();
    for (person, role) in signers {
        if signatures
            .iter()
            .all(|entry| entry.officer != PersonId(*person))
        {
            let (capacity, key) = place(may, *person, role.unwrap_or(Role::Primary));
            signatures.push(SignatureEntry {
                officer: PersonId(*person),
                capacity,
                key,
                signature: UNSIGNED,
            });
        }
    }
    signatures.sort_by_key(|entry| entry.officer);
    Record {
        payload: payload.clone(),
        signatures,
    }
}

/// A node's judgement of a record before the signers sign it, with the roles that were left to the
/// ledger filled in; none: no node judges it.
pub fn rehearse(
    client: &Client,
    payload: &Payload,
    signed: &[SignatureEntry],
    signers: &mut [Signer],
) -> Result<Option<Judgement>, Failure> {
    // Only who could learn it by signing is told what would come of it. Who cannot make a pass learns
    // the rest.
    let _ = client.be_known();
    let first = with_places(payload, signed, signers, &[]);
    let judged = judge::rehearse(client, &first)?;
    let Some(told) = &judged else {
        return Ok(None);
    };
    let may = told.signers.clone();
    let open: Vec<usize> = (0..signers.len())
        .filter(|at| signers.get(*at).is_some_and(|(_, role)| role.is_none()))
        .collect();
    if open.is_empty() {
        // Whoever signs by a delegation, or with a later key, is judged in that place.
        let told = with_places(payload, signed, signers, &may);
        return match told == first {
            true => Ok(judged),
            false => judge::rehearse(client, &told),
        };
    }
    for at in open {
        let Some((person, _)) = signers.get(at).copied() else {
            continue;
        };
        let held = told
            .signers
            .iter()
            .find(|entry| entry.person == PersonId(person))
            .map(all_roles)
            .unwrap_or_default();
        let role = match held.as_slice() {
            [] => return Err(no_signer(person, told)),
            [only] => *only,
            roles if roles.contains(&Role::Primary) => Role::Primary,
            roles => fitting(client, payload, signed, signers, at, roles, &may)?,
        };
        if let Some(signer) = signers.get_mut(at) {
            signer.1 = Some(role);
        }
    }
    judge::rehearse(client, &with_places(payload, signed, signers, &may))
}

/// Roles in which somebody may sign: the own ones, else what was delegated.
fn all_roles(entry: &MaySign) -> Vec<Role> {
    if entry.roles.is_empty() {
        return entry.delegated.iter().map(|(role, _)| *role).collect();
    }
    entry.roles.clone()
}

/// Of several posts of one person, the one that the act's rule takes.
fn fitting(
    client: &Client,
    payload: &Payload,
    signed: &[SignatureEntry],
    signers: &[Signer],
    at: usize,
    roles: &[Role],
    may: &[MaySign],
) -> Result<Role, Failure> {
    let mut signers = signers.to_vec();
    let person = signers.get(at).map_or(0, |(person, _)| *person);
    for role in roles {
        if let Some(signer) = signers.get_mut(at) {
            signer.1 = Some(*role);
        }
        let judged = judge::rehearse(client, &with_places(payload, signed, &signers, may))?;
        let presumed = judged.and_then(|judged| judged.presumed);
        // No role helps a record whose number is taken: that is said then, and not that a role lacks.
        let rule = presumed
            .as_ref()
            .and_then(|presumed| presumed.rule.as_deref());
        if rule.is_some_and(|rule| SPENT.contains(&rule)) {
            return Ok(*role);
        }
        // With another's signature a missing role would be met, so nobody else may be needed.
        if presumed.is_some_and(|presumed| presumed.rule.is_none() && presumed.with.is_empty()) {
            return Ok(*role);
        }
    }
    let roles: Vec<String> = roles.iter().map(|role| role_code(*role)).collect();
    let facts = [("person", person.to_string()), ("roles", roles.join(", "))];
    Err(Failure::unusable(t("act.no-role", &facts)).next(t("act.no-role-next", &facts)))
}

fn no_signer(person: u32, judged: &Judgement) -> Failure {
    let may: Vec<String> = judged
        .signers
        .iter()
        .map(|entry| entry.person.0.to_string())
        .collect();
    let facts = [
        ("person", person.to_string()),
        ("principal", judge::principal(judged)),
        ("may", may.join(&t("word.list", &[]))),
    ];
    Failure::refused(t("sign.no-signer", &facts)).next(t("sign.no-signer-next", &facts))
}

/// Refuses a signer who is none, and a role that is not held: by the ledger as a node tells it, else
/// by the card on this machine. An offered post is accepted in the role that it gives.
pub fn must_hold(
    payload: &Payload,
    signers: &[Signer],
    judged: Option<&Judgement>,
    keystore: &Keystore,
) -> Result<(), Failure> {
    if payload.body.own_post().is_some()
        || matches!(payload.body, Body::Fund(FundAct::Accept { .. }))
    {
        return Ok(());
    }
    let told = judged.filter(|judged| judged.principal.is_some());
    for (person, role) in signers {
        let held = match told {
            Some(judged) => match judged
                .signers
                .iter()
                .find(|entry| entry.person == PersonId(*person))
            {
                Some(entry) => {
                    let delegated = entry.delegated.iter().map(|(role, _)| *role);
                    entry.roles.iter().copied().chain(delegated).collect()
                }
                None => return Err(no_signer(*person, judged)),
            },
            None if keystore.card_path(*person).exists() => {
                let card = keystore.card(*person)?;
                match role {
                    // Of posts a card says nothing.
                    Some(role) if role.is_post() => vec![*role],
                    _ if card.organisation != payload.principal.0 => {
                        let facts = [
                            ("person", person.to_string()),
                            ("organisation", card.organisation.to_string()),
                            ("principal", payload.principal.0.to_string()),
                        ];
                        return Err(Failure::refused(t("sign.other-company", &facts))
                            .next(t("sign.other-company-next", &facts)));
                    }
                    _ => card.roles,
                }
            }
            None => continue,
        };
        if let Some(role) = role.filter(|role| !held.contains(role)) {
            let held: Vec<String> = held.iter().map(|role| role_code(*role)).collect();
            let facts = [
                ("person", person.to_string()),
                ("role", role_code(role)),
                ("held", held.join(", ")),
            ];
            return Err(
                Failure::refused(t("sign.not-held", &facts)).next(t("sign.not-held-next", &facts))
            );
        }
    }
    Ok(())
}

/// The signers with their roles, once they are known.
pub fn settled(signers: &[Signer]) -> Result<Vec<(u32, Role)>, Failure> {
    let one = |(person, role): &Signer| {
        role.map(|role| (*person, role)).ok_or_else(|| {
            let facts = [("person", person.to_string()), ("roles", "-".to_owned())];
            Failure::unusable(t("act.no-role", &facts)).next(t("act.no-role-next", &facts))
        })
    };
    signers.iter().map(one).collect()
}
