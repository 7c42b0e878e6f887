//! Officers and keys by the command line, on a real node: somebody is to leave and objects, a delegation
//! is used and taken back, a key is rotated, a stolen one is stopped and the board makes it last.

#![allow(clippy::unwrap_used)]

mod desk;
use desk::{Desk, Down, TEXT, all, tells};

/// A desk of a member with the keys of both officers; the first signs unless another is named.
fn member(net: &Desk, url: &str, organisation: u32) -> Desk {
    let desk = Desk::new();
    let (first, second) = (2 * organisation - 1, 2 * organisation);
    desk.key("people", organisation, first, "primary,node-operator");
    desk.key(
        "people",
        organisation,
        second,
        "alternate,finance,technical",
    );
    desk.settle(net, url, organisation, first);
    desk
}

#[test]
fn people_come_and_go() {
    let net = Desk::new();
    let _down = Down(&net);
    let url = net.testnet(1, 5, "people");
    let desks: Vec<Desk> = (1..=5).map(|number| member(&net, &url, number)).collect();
    a_dismissal_is_contested(&desks[0], &net);
    a_delegation_is_used(&desks[1]);
    a_key_is_rotated(&desks[2]);
    a_stolen_key_is_stopped(&desks, &net);
}

fn a_dismissal_is_contested(one: &Desk, net: &Desk) {
    // Whoever is to come makes a key and offers it.
    let new = Desk::new();
    new.key("newcomer", 0, 1, "alternate,finance");
    new.settle(net, "http://127.0.0.1:1", 1, 1);
    let offer = new.path("offer.json").display().to_string();
    new.good(&format!("keys offer 1 --organisation 1 --out {offer}"));
    one.good(&format!("org officers --added @{offer} --ended 2"));
    let shown = one.good("org show 1");
    tells(
        &shown,
        &[
            "change CH-0001, signed by 1, takes effect ",
            "any officer of the organisation may object",
            "persons 2 leave",
            "ballot: 2, of 2 who can",
        ],
    );
    let tasks = one.good("tasks");
    tells(&tasks, &["rollbook org object 1"]);
    one.good(&format!(
        "org object 1 --reasons {TEXT} --signer 2:alternate"
    ));
    let told = one.ends(1, &format!("org object CH-1 --reasons {TEXT}"));
    tells(&all(&told), &["M32.nothing-to-object-to"]);
    net.good("testnet clock advance 3d --dir net");
    tells(&one.good("show CH-1"), &["objection"]);
    let officers = one.good("org show 1");
    assert!(!officers.contains("left,"), "{officers}");
}

fn a_delegation_is_used(two: &Desk) {
    two.good(
        "org delegate --giver 3 --role primary --to 4 --classes general --until-ms 2023-09-01",
    );
    tells(
        &two.good("org show 2"),
        &["delegation DG-0001: person 3 lets person 4 sign as primary"],
    );
    let update = |day: u32| {
        format!(
            "org update --address Road-{day} --extract {TEXT}:2023-06-{day:02} --signer 4:primary"
        )
    };
    two.good(&update(1));
    two.good("org revoke-delegation DG-1 --signer 4:alternate");
    let refused = two.ends(1, &update(2));
    tells(&all(&refused), &["primary"]);
    let again = two.ends(1, "org revoke-delegations");
    tells(&all(&again), &["M33.nothing-delegated"]);
}

fn a_key_is_rotated(three: &Desk) {
    three.good("keys rotate");
    tells(&three.good("org show 3"), &["another key took its place"]);
    // The new key signs, by its own number; the files of the old one are still there.
    three.good(&format!(
        "org update --address Road --extract {TEXT}:2023-06-01"
    ));
    assert!(three.path("data/rollbook/keys/0005.key0").exists());
    let history = three.good("history --of 3");
    // Once the rotation was told as `Organisation.RotateKey`.
    tells(&history, &["M23", "M31", "Put a new key in place"]);
}

fn a_stolen_key_is_stopped(desks: &[Desk], net: &Desk) {
    let [one, two, _, four, five] = desks else {
        panic!("five members");
    };
    one.good(&format!("keys stop 7 0 --evidence {TEXT}"));
    let alone = one.ends(1, "keys agree-stop 1");
    tells(&all(&alone), &["M23.same-group"]);
    two.good("keys agree-stop RK-1");
    let thief = four.run(&format!(
        "org update --address Mine --extract {TEXT}:2023-06-01"
    ));
    assert_ne!(thief.status.code(), Some(0), "{}", all(&thief));
    tells(
        &one.good("org show 4"),
        &["emergency stop RK-0001: key 0 of person 7 signs nothing until "],
    );
    let both = |member: u32| {
        format!(
            "--signer {}:primary --signer {}:alternate",
            2 * member - 1,
            2 * member
        )
    };
    one.good(&format!("keys ratify RK-1 --text {TEXT} {}", both(1)));
    for (member, desk) in [(1, one), (2, two), (5, five)] {
        desk.good(&format!("motion vote 1 yes {}", both(member)));
    }
    net.good("testnet clock advance 4d --dir net");
    // The block of the deadline comes a moment later.
    for _ in 0..50 {
        if one.good("show RK-1").contains("ratified") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    tells(&one.good("show RK-1"), &["ratified"]);
    tells(&one.good("org show 4"), &["stolen, or feared to be"]);
}
