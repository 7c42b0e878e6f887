//! Before and after a signature, on a real node with real processes: what is shown and asked, what is
//! refused before anybody signs, records that wait at the company's own node and in files, what is
//! said afterwards. One testnet for all of it.

#![allow(clippy::unwrap_used)]

use std::process::Output;

mod desk;
use desk::{Desk, Down, TEXT, all, tells};

/// A desk of one officer of the testnet, with a profile and the key.
fn officer(net: &Desk, url: &str, organisation: u32, person: u32, role: &str) -> Desk {
    let desk = Desk::new();
    desk.key("acting", organisation, person, role);
    desk.settle(net, url, organisation, person);
    desk
}

/// The same without `--yes`.
fn unattended(desk: &Desk, line: &str) -> Output {
    let mut command = desk.command();
    command.args(line.split_whitespace()).output().unwrap()
}

/// The id of a record that waits at the node, as the act that left it says.
fn waiting(told: &str) -> String {
    let (_, rest) = told.split_once("the record ").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn before_and_after_a_signature() {
    let net = Desk::new();
    let _down = Down(&net);
    let url = net.testnet(1, 5, "acting");
    let first = officer(&net, &url, 1, 1, "primary,node-operator");
    let second = officer(&net, &url, 1, 2, "alternate,finance,technical");
    let stranger = officer(&net, &url, 2, 3, "primary,node-operator");

    a_paper_waits_at_the_node(&first, &second, &stranger, &url);
    in_vain_is_said_first(&first);
    first.key("acting", 1, 2, "alternate,finance,technical");
    ballots(&first);
    files(&first, &net);
    let net_command = "testnet clock advance 8d --dir net";
    net.good(net_command);
    what_is_over(&first);
}

/// The screen, who is asked, and a record that two officers sign at two desks without a file.
fn a_paper_waits_at_the_node(first: &Desk, second: &Desk, stranger: &Desk, url: &str) {
    let propose = format!("office remove 2 --text {TEXT}");
    // Shown, and nothing signed: nobody is there to say yes.
    let output = unattended(first, &propose);
    assert_eq!(output.status.code(), Some(2), "{}", all(&output));
    tells(
        &all(&output),
        &[
            "You are about to sign: ",
            "alliance    Sample (",
            "for         O-0001 Founding member 01",
            "signed by   1 (primary)",
            "effect / remove from a post: post PO-0002",
            "effect      motion 1: new -> open for ballots",
            "1 more of 2 signatures are needed, such as that of 2",
            "nothing was signed",
            "again with --yes",
        ],
    );
    let output = first.ends(3, &propose);
    let told = all(&output);
    tells(
        &told,
        &[
            &format!("waits at {url}"),
            "signed so far: 1",
            "rollbook sign ",
        ],
    );
    let id = waiting(&told);
    assert!(
        !first.path("data/rollbook/work/own/papers").exists() && !told.contains(".pending.json"),
        "no file is left: {told}"
    );

    // Another company's officer neither sees nor finds it.
    let told = stranger.good("pending");
    tells(&told, &["nothing waits for a signature"]);
    tells(
        &all(&stranger.ends(2, &format!("sign {id}"))),
        &["no record that waits"],
    );
    // The colleague does, without anything that travelled by hand.
    let told = second.good("pending");
    tells(
        &told,
        &[&id, "for O-0001 Founding member 01", "signed   1 (primary)"],
    );
    let told = all(&second.ends(0, &format!("sign {id}")));
    tells(
        &told,
        &[
            "so far by   1 (primary)",
            "signed by   2 (alternate)",
            "person 2 signed; 2 signatures",
            "all signatures are there",
        ],
    );
    // One's own signature can be taken back, and given again.
    tells(
        &all(&second.ends(1, &format!("sign {id}"))),
        &["person 2 signed already"],
    );
    second.good(&format!("sign {id} --take-back"));
    tells(
        &all(&second.ends(3, &format!("submit {id}"))),
        &["more signatures are needed"],
    );
    second.good(&format!("sign {id}"));
    let told = second.good(&format!("submit {id}"));
    tells(
        &told,
        &["you proposed to end post PO-0002; motion 1: open for ballots"],
    );
    // It waits no more, and the receipt has its record beside it.
    tells(&first.good("pending"), &["nothing waits for a signature"]);
    let told = second.good(&["verify", second.receipt().as_str()]);
    tells(&told, &["PROVED"]);
}

/// What the node knows to be vain is said before a second officer is asked to sign it.
fn in_vain_is_said_first(first: &Desk) {
    for (line, parts) in [
        ("motion vote 99 yes", ["there is no motion 99", "proved"]),
        (
            "motion vote 1 yes --signer 1:finance",
            ["does not hold the role finance", "primary"],
        ),
        (
            "motion vote 1 yes --declaration investor",
            ["not counted", "--anyway"],
        ),
        (
            "motion vote 1 yes --as 2 --signer 1:primary",
            ["signs nothing for organisation 2", "3, 4"],
        ),
    ] {
        let told = all(&first.ends(1, line));
        tells(&told, &parts);
        assert!(!told.contains("You are about to sign"), "{line}: {told}");
        assert!(!told.contains("waits at"), "{line}: {told}");
    }
    // A dry run tells the true effect, with the key of one signer of two.
    let told = all(&first.ends(0, "motion vote 1 yes --dry-run"));
    tells(
        &told,
        &[
            "1 of 2 signatures; with the rest it would apply",
            "it is recorded and takes effect",
        ],
    );
    let told = all(&first.ends(1, "motion vote 99 yes --dry-run"));
    tells(&told, &["there is no motion 99, and that is proved"]);
    let told = all(&first.ends(1, "motion vote 1 yes --declaration investor --dry-run"));
    tells(&told, &["it would be recorded without effect"]);
}

/// What was voted is said, and what a second ballot replaces, whoever of the company casts it.
fn ballots(first: &Desk) {
    let told = first.good("motion vote 1 yes --signer 1 --signer 2:alternate");
    tells(&told, &["you voted yes on motion V-0001; motion 1: "]);
    let told = all(&first.ends(0, "motion vote 1 no --signer 1 --signer 2:alternate"));
    tells(
        &told,
        &[
            "it replaces the ballot of your organisation that stands: yes, begun by person 1",
            "you voted no on motion V-0001",
        ],
    );
    let told = all(&first.ends(0, "motion vote 1 abstain --signer 2:alternate --signer 1"));
    tells(
        &told,
        &["it replaces the ballot of your organisation that stands: no"],
    );
    let told = first.good("--lang zh motion vote 1 yes --signer 1 --signer 2:alternate");
    tells(&told, &["您已对动议 V-0001 投票：赞成"]);
    // In the log all the same, if that is wanted.
    let line = "motion vote 1 yes --declaration investor --anyway --signer 1 --signer 2:alternate";
    tells(&all(&first.ends(0, line)), &["recused"]);
}

/// Papers as files: copies are merged, one's own signature is taken back, other files are named.
fn files(first: &Desk, net: &Desk) {
    first.ends(
        3,
        &format!("office remove 3 --text {TEXT} --pending a.json"),
    );
    std::fs::copy(first.path("a.json"), first.path("b.json")).unwrap();
    first.good("sign b.json --signer 2:alternate");
    let told = all(&first.ends(0, "sign a.json b.json"));
    tells(
        &told,
        &[
            "holds the signatures of all copies now: 2",
            "all signatures are there",
        ],
    );
    // One's own signature goes; with that of whoever began it, the record goes.
    first.good("sign b.json --take-back --signer 2");
    let told = all(&first.ends(1, "sign b.json --take-back --signer 2"));
    tells(&told, &["person 2 has not signed"]);
    first.good("sign b.json --take-back --signer 1");
    assert!(!first.path("b.json").exists(), "nothing is left of it");
    first.ends(
        3,
        &format!("office remove 4 --text {TEXT} --pending c.json"),
    );
    let told = all(&first.ends(1, "sign a.json c.json"));
    tells(&told, &["c.json is no copy of a.json"]);
    let told = all(&first.ends(1, "sign c.json --signer 2:primary"));
    tells(&told, &["person 2 does not hold the role primary"]);
    let genesis = net.path("net/genesis.rollbook").display().to_string();
    let told = all(&first.ends(2, &["sign", &genesis]));
    tells(
        &told,
        &[
            "it is the genesis file of an alliance",
            "rollbook genesis show",
        ],
    );
    let told = all(&first.ends(2, "sign 1.card.toml"));
    tells(&told, &["it is an officer's card"]);
}

/// After its time a paper says so, and a ballot on a closed motion is refused by a chain that has
/// made no block since.
fn what_is_over(first: &Desk) {
    let told = all(&first.ends(1, "sign c.json --signer 2:alternate"));
    tells(&told, &["is over", "make the act again"]);
    std::fs::create_dir(first.path("tray")).unwrap();
    std::fs::rename(first.path("c.json"), first.path("tray/c.pending.json")).unwrap();
    // Right after the step of the clock the newest head may be called stale.
    let told = all(&first.run("pending tray"));
    tells(&told, &["EXPIRED"]);
    assert!(!told.contains("complete"), "{told}");
    let told = all(&first.ends(1, "motion vote 1 yes --signer 1 --signer 2:alternate"));
    tells(&told, &["R10.not-open"]);
}
