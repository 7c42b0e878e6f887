//! Delegations (M33), name and identifiers (M31), absence and who stands in (M35, R7).

use super::*;

fn grant(writer: &Writer, classes: &[ActClass], object: DelegatedObject, days: u64) -> Body {
    let (first, second) = officers_of(3);
    act(OrganisationAct::Delegate(DelegationGrant {
        giver: PersonId(first),
        role: Role::Primary,
        to: PersonId(second),
        classes: classes.to_vec(),
        object,
        until_ms: LedgerTime(writer.now() + days * MS_PER_DAY),
    }))
}

/// A primary lets a colleague vote on one motion; nothing else goes by it, and not for ever.
#[test]
fn m33_a_delegation_is_used_and_revoked() {
    let mut writer = writer();
    let (first, colleague) = officers_of(3);
    let motion = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    let on = DelegatedObject::Motion(MotionId(motion));
    let body = grant(&writer, &[ActClass::Ballot], on, 91);
    assert_eq!(code(primary(&mut writer, 3, body)), "M33.too-long");
    let body = grant(&writer, &[ActClass::Ballot], on, 30);
    assert_eq!(
        code(second(&mut writer, 3, body.clone())),
        "A6.too-few-officers"
    );
    primary(&mut writer, 3, body).unwrap();
    let by = Capacity::Delegation(1);
    let seed = writer.alliance.signer.seed.clone();
    let key = officer_key(&seed, colleague);
    let supports = |number| {
        Body::Motion(MotionAct::DeclareConflict {
            motion: MotionId(number),
            kind: rollbook_core::record::ConflictKind::Other,
        })
    };
    let by_delegate =
        |writer: &mut Writer, body| with(writer, 3, &[(colleague, by, 0, &key)], body);
    assert_eq!(
        code(by_delegate(&mut writer, supports(motion + 1))),
        "M33.other-object"
    );
    let again = grant(&writer, &[ActClass::Ballot], on, 30);
    assert_eq!(code(by_delegate(&mut writer, again)), "M33.other-class");
    // The giver and the delegate are one voice in the company.
    let giver = officer_key(&seed, first);
    let own = Capacity::Own(Role::Primary);
    let both = [(first, own, 0, &giver), (colleague, by, 0, &key)];
    let refused = with(&mut writer, 3, &both, supports(motion));
    assert_eq!(code(refused), "M33.giver-signs");
    let stranger = officers_of(4).1;
    let theirs = officer_key(&seed, stranger);
    let refused = with(
        &mut writer,
        3,
        &[(stranger, by, 0, &theirs)],
        supports(motion),
    );
    assert_eq!(code(refused), "M33.not-the-delegate");
    let status = |writer: &Writer| {
        let all = &writer.tables().delegations;
        all.get(&DelegationId(1)).unwrap().status
    };
    // The ballot class asks for two officers of this company, or one, as its policy says.
    let used = by_delegate(&mut writer, supports(motion));
    assert!(used.is_ok() || code(used) == "A6.too-few-officers");
    let revoke = act(OrganisationAct::RevokeDelegation {
        delegation: DelegationId(1),
    });
    assert_eq!(
        code(primary(&mut writer, 4, revoke.clone())),
        "M33.other-organisation"
    );
    second(&mut writer, 3, revoke).unwrap();
    assert_eq!(status(&writer), DelegationStatus::Revoked);
    assert_eq!(
        code(by_delegate(&mut writer, supports(motion))),
        "M33.not-in-force"
    );
    let unknown = Capacity::Delegation(9);
    let refused = with(
        &mut writer,
        3,
        &[(colleague, unknown, 0, &key)],
        supports(motion),
    );
    assert_eq!(code(refused), "A4.unknown-delegation");
}

/// Delegations end with their day, with revoke-all, and with the giver's role.
#[test]
fn m33_delegations_end() {
    let mut writer = writer();
    let everything = DelegatedObject::Everything;
    let give = |writer: &mut Writer, days| {
        let body = grant(writer, &[ActClass::Money], everything, days);
        primary(writer, 3, body).unwrap();
    };
    give(&mut writer, 1);
    give(&mut writer, 60);
    let status = |writer: &Writer, number| {
        let all = &writer.tables().delegations;
        all.get(&DelegationId(number)).unwrap().status
    };
    writer.advance_days(2);
    assert_eq!(status(&writer, 1), DelegationStatus::Ended);
    assert_eq!(status(&writer, 2), DelegationStatus::Granted);
    let all = || act(OrganisationAct::RevokeDelegations);
    assert_eq!(code(second(&mut writer, 3, all())), "A6.role-missing");
    primary(&mut writer, 3, all()).unwrap();
    assert_eq!(status(&writer, 2), DelegationStatus::Revoked);
    // The giver loses the role: somebody else is primary.
    give(&mut writer, 60);
    let (first, old) = officers_of(3);
    let plan = OfficersChange {
        roles: vec![
            (
                PersonId(first),
                vec![Role::Alternate, Role::Finance, Role::Technical],
            ),
            (PersonId(old), vec![Role::Primary, Role::Finance]),
        ],
        ..nothing()
    };
    primary(&mut writer, 3, act(OrganisationAct::ChangeOfficers(plan))).unwrap();
    let events = hours(&mut writer, 49);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, EventBody::DelegationEnded { .. }))
    );
    assert_eq!(status(&writer, 3), DelegationStatus::Ended);
}

/// Name and address change when the secretariat has seen the extract.
#[test]
fn m31_particulars_are_confirmed() {
    let mut writer = writer();
    let ask = |name: &str| {
        act(OrganisationAct::AskUpdate(Particulars {
            name: Some(Name {
                native: text(name),
                latin: text(name),
            }),
            address: Some(text("Road 1, Town")),
            identifiers: None,
            extract: (hash("extract"), LocalDay(19_700)),
        }))
    };
    assert_eq!(code(second(&mut writer, 3, ask("A"))), "A6.role-missing");
    primary(&mut writer, 3, ask("A")).unwrap();
    primary(&mut writer, 3, ask("B")).unwrap();
    assert_eq!(change(&writer, 1), ChangeStatus::Replaced);
    let confirm = |number, extract: &str| {
        act(OrganisationAct::ConfirmUpdate {
            change: ChangeId(number),
            extract: hash(extract),
        })
    };
    assert_eq!(
        code(writer.office(Role::Secretary, confirm(1, "extract"))),
        "M31.nothing-asked"
    );
    assert_eq!(
        code(writer.office(Role::Secretary, confirm(2, "another"))),
        "M31.other-extract"
    );
    writer
        .office(Role::Secretary, confirm(2, "extract"))
        .unwrap();
    let company = writer
        .tables()
        .organisations
        .get(&OrganisationId(3))
        .unwrap();
    assert_eq!(company.name.latin.as_str(), "B");
    assert_eq!(company.address, Some(text("Road 1, Town")));
    let taken = writer
        .tables()
        .organisations
        .get(&OrganisationId(4))
        .unwrap()
        .identifiers
        .clone();
    let particulars = |identifiers| {
        act(OrganisationAct::AskUpdate(Particulars {
            name: None,
            address: None,
            identifiers: Some(identifiers),
            extract: (hash("extract"), LocalDay(19_700)),
        }))
    };
    assert_eq!(
        code(primary(&mut writer, 3, particulars(taken))),
        "M01.identifier-in-use"
    );
    assert_eq!(
        code(primary(&mut writer, 3, particulars(Vec::new()))),
        "M31.no-identifier"
    );
    primary(&mut writer, 3, ask("C")).unwrap();
    let decline = act(OrganisationAct::DeclineUpdate {
        change: ChangeId(3),
        reasons: hash("not in the register"),
    });
    writer.office(Role::Secretary, decline).unwrap();
    assert_eq!(change(&writer, 3), ChangeStatus::Declined);
}

/// While an absence is recorded the deputy acts; where neither can, two of seat holders, together.
#[test]
fn r7_deputies_and_stand_ins() {
    let mut writer = writer();
    let office = secretariat(writer.alliance.members);
    let post = PostId(1);
    let entry = writer.tables().posts.get(&post).unwrap().clone();
    assert_eq!(entry.role, Role::Secretary);
    let absent = |post| act(OrganisationAct::RecordAbsence { post });
    let back = |post| act(OrganisationAct::EndAbsence { post });
    let stand = |post| act(OrganisationAct::StandIn { post });
    assert_eq!(
        code(primary(&mut writer, 1, stand(post))),
        "R7.somebody-acts"
    );
    // Of the secretary a seat holder says it.
    primary(&mut writer, 1, absent(post)).unwrap();
    assert_eq!(
        code(primary(&mut writer, 1, absent(post))),
        "M35.said-already"
    );
    if let Some(deputy) = entry.deputy {
        let body = act(OrganisationAct::RecordAbsence { post: PostId(2) });
        let by_deputy = writer.act_as(office, &[(deputy.0, Role::Secretary)], body);
        assert!(by_deputy.is_ok(), "{by_deputy:?}");
        assert_eq!(
            code(primary(&mut writer, 1, stand(post))),
            "R7.somebody-acts"
        );
    } else {
        primary(&mut writer, 1, stand(post)).unwrap();
        assert_eq!(code(primary(&mut writer, 1, stand(post))), "R7.same-group");
        primary(&mut writer, 2, stand(post)).unwrap();
        assert_eq!(
            code(primary(&mut writer, 4, stand(post))),
            "R7.stood-in-once"
        );
        let (one, two) = (officers_of(1).0, officers_of(2).0);
        let body = absent(PostId(2));
        let alone = writer.act_as(office, &[(one, Role::Secretary)], body.clone());
        assert_eq!(code(alone), "R7.both-stand-in");
        let both = [(one, Role::Secretary), (two, Role::Secretary)];
        writer.act_as(office, &both, body).unwrap();
        writer.advance_days(31);
        let body = back(PostId(2));
        let late = writer.act_as(office, &both, body);
        assert_eq!(code(late), "A6.role-not-held");
    }
    primary(&mut writer, 1, back(post)).unwrap();
    let holder = writer.holder(Role::Secretary, 0);
    let body = back(PostId(2));
    writer
        .act_as(office, &[(holder, Role::Secretary)], body)
        .unwrap();
}

/// A post ends when its holder leaves the company, and the deputy acts.
#[test]
fn m35_a_post_ends_with_its_holder() {
    let mut writer = writer();
    let held = writer
        .tables()
        .posts
        .iter()
        .map(|(_, post)| post.clone())
        .find(|post| {
            let home = writer.tables().persons.get(&post.holder).unwrap().home;
            home.0 <= 9 && post.role != Role::Auditor
        });
    let Some(post) = held else { return };
    let home = writer.tables().persons.get(&post.holder).unwrap().home;
    let (first, _) = officers_of(home.0);
    let roles = [
        Role::Primary,
        Role::Alternate,
        Role::Finance,
        Role::NodeOperator,
    ];
    let plan = OfficersChange {
        added: vec![
            joiner(&writer, home.0, 1, "heir 1", &roles),
            joiner(&writer, home.0, 2, "heir 2", &roles),
        ],
        ended: vec![post.holder],
        ..nothing()
    };
    let body = act(OrganisationAct::ChangeOfficers(plan));
    writer
        .act_as(home.0, &[(first, Role::Primary)], body)
        .unwrap();
    let events = hours(&mut writer, 49);
    let ended = EventBody::PostMoved {
        post: post.number,
        status: PostStatus::Ended,
    };
    assert!(events.contains(&ended));
    let after = writer.tables().posts.get(&post.number).unwrap();
    assert_eq!(after.status, PostStatus::Ended);
}
