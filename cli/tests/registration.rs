//! A company that is no member signs its registration: every officer at a desk of their own, with keys
//! of their own (RULINGS A21, R16). What is signed wrongly, changed or foreign is refused with the next
//! step.

#![allow(clippy::unwrap_used)]

use serde_json::Value;

mod desk;
use desk::{Desk, all};

const FILE: &str = "registration.json";

fn chain() -> String {
    "ab".repeat(32)
}

/// A desk with the key of an officer of a company without a number.
fn officer(person: u32, role: &str, seed: &str) -> Desk {
    let desk = Desk::new();
    desk.key(seed, 0, person, role);
    desk
}

fn pass(from: &Desk, to: &Desk, file: &str) {
    to.write(file, std::fs::read(from.path(file)).unwrap());
}

fn register(out: &str) -> String {
    format!(
        "org register --native 示例公司 --latin Example --uscc 91999999MA0DM0101G --extract {0} \
         --extract-date 2023-05-01 --card 1.card.toml --card 2.card.toml --genesis {0} --out {out}",
        chain()
    )
}

/// Two officers, and the file that the first has signed.
fn half_signed() -> (Desk, Desk) {
    let (first, second) = (
        officer(1, "primary", "company"),
        officer(2, "alternate,finance", "company"),
    );
    pass(&second, &first, "2.card.toml");
    let told = all(&first.ends(3, &register(FILE)));
    assert!(
        told.contains("waits for the signatures of officers 2; signed so far: 1"),
        "{told}"
    );
    (first, second)
}

fn read(desk: &Desk, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(desk.path(file)).unwrap()).unwrap()
}

#[test]
fn officers_sign_one_file_after_the_other() {
    let (first, second) = half_signed();
    // Nothing goes out before everybody has signed.
    let told = all(&first.ends(3, &format!("submit {FILE}")));
    assert!(
        told.contains("send registration.json to officer 2") && told.contains("rollbook sign"),
        "{told}"
    );
    pass(&first, &second, FILE);
    let signed = second.ends(0, &format!("sign {FILE}"));
    // Which company, which ledger, which officers, all before the signature.
    let told = String::from_utf8(signed.stderr.clone()).unwrap();
    let place = told.find("officer 2 signed").unwrap();
    for part in [
        "示例公司 (Example), CN-USCI-91999999MA0DM0101G",
        &format!("genesis {}", chain()),
        "officer 1: primary; ed25519:",
        "officer 2: alternate, finance; ed25519:",
        "has not signed",
    ] {
        assert!(told[..place].contains(part), "{part}: {told}");
    }
    let told = all(&signed);
    assert!(told.contains("signed by all its officers: 1, 2"), "{told}");
    assert!(told.contains("org introduce"), "{told}");
    let told = all(&second.ends(2, &format!("submit {FILE}")));
    assert!(told.contains("by whoever introduces the company"), "{told}");

    // In the other order the file is the same.
    let told = first.json(3, &format!("{} --signer 1", register("again.json")));
    assert_eq!(told["signed"], serde_json::json!([1]));
    pass(&first, &second, "1.card.toml");
    let told = second.json(3, &register("turned.json"));
    assert_eq!(told["missing"], serde_json::json!([1]));
    pass(&second, &first, "turned.json");
    let told = first.json(0, "sign turned.json");
    assert_eq!(told["missing"], serde_json::json!([]));
    assert_eq!(read(&first, "turned.json"), read(&second, FILE));

    // Who has every key signs with one command.
    let both = officer(1, "primary", "company");
    both.key("company", 0, 2, "alternate,finance");
    both.good(&register(FILE));
    assert_eq!(read(&both, FILE), read(&second, FILE));
    // And who has none writes the file for the others.
    let clerk = Desk::new();
    pass(&first, &clerk, "1.card.toml");
    pass(&second, &clerk, "2.card.toml");
    assert_eq!(
        clerk.json(3, &register(FILE))["missing"],
        serde_json::json!([1, 2])
    );
}

#[test]
fn what_is_signed_wrongly_is_told_with_the_next_step() {
    let (first, second) = half_signed();
    pass(&first, &second, FILE);
    let before = std::fs::read(second.path(FILE)).unwrap();
    let refused = |desk: &Desk, code: i32, command: &str, parts: &[&str]| {
        let told = all(&desk.ends(code, command));
        for part in parts {
            assert!(told.contains(part), "{command}: {part}: {told}");
        }
        assert!(told.contains("\nnext: "), "{command}: {told}");
    };

    // Twice; nobody of this company; no number.
    refused(
        &first,
        1,
        "sign registration.json",
        &["person 1 signed already", "officers 2 have to sign still"],
    );
    refused(
        &first,
        1,
        "sign registration.json --signer 1",
        &["person 1 signed already"],
    );
    for text in ["3", "second", "2:primary"] {
        refused(
            &second,
            2,
            &format!("sign registration.json --signer {text}"),
            &[
                &format!("'{text}' is no officer of this registration"),
                "its officers are 1, 2",
            ],
        );
    }
    // Another key under the number of officer 2; no key at all; officer 2's number without a key.
    let stranger = officer(2, "alternate,finance", "stranger");
    pass(&first, &stranger, FILE);
    refused(
        &stranger,
        1,
        "sign registration.json",
        &[
            "the key of officer 2",
            "is not the one in this registration",
            "again with its card",
        ],
    );
    let nobody = Desk::new();
    pass(&first, &nobody, FILE);
    refused(
        &nobody,
        2,
        "sign registration.json",
        &["no officer who has to sign (2) has a key in", "--keystore"],
    );
    refused(
        &nobody,
        2,
        "sign registration.json --signer 2",
        &["there is no key of person 2"],
    );

    // A wrong passphrase signs nothing.
    let wrong = second.run_as("another long passphrase", "sign registration.json");
    assert_eq!(wrong.status.code(), Some(1), "{}", all(&wrong));

    // Another ledger than the desk's own.
    second.good(&format!(
        "setup --name other --genesis {} --node http://127.0.0.1:1 --alliance Other",
        "cd".repeat(32)
    ));
    refused(
        &second,
        1,
        "sign registration.json",
        &[
            "registration.json is for another genesis, abab",
            "--profile",
        ],
    );
    assert_eq!(std::fs::read(second.path(FILE)).unwrap(), before);

    // The first officer's key under another number; one key for two.
    let card = std::fs::read_to_string(first.path("1.card.toml")).unwrap();
    first.write("2.card.toml", card.replace("person = 1", "person = 2"));
    refused(
        &first,
        2,
        &register("same.json"),
        &["the cards of officers 1 and 2 hold the same key"],
    );
    assert!(!first.path("same.json").exists());
}

/// Each change after a signature, by the text of the file.
#[test]
fn a_registration_that_was_changed_after_a_signature_is_refused() {
    let (first, second) = half_signed();
    let text = std::fs::read_to_string(first.path(FILE)).unwrap();
    let proof = read(&first, FILE)["registration"]["entry"]["officers"][0]["keys"][0][1]
        .as_str()
        .unwrap()
        .to_owned();
    let own = read(&first, FILE)["registration"]["signature"]
        .as_str()
        .unwrap()
        .to_owned();
    let of_chain = format!("\"chain\": \"{}\"", chain());
    for (from, to) in [
        ("Example", "Exampel"),
        (of_chain.as_str(), of_chain.replace("ab", "cd").as_str()),
        ("\"alternate\"", "\"primary\""),
        (proof.as_str(), own.as_str()),
        (own.as_str(), proof.as_str()),
    ] {
        assert!(text.contains(from));
        second.write("changed.json", text.replace(from, to));
        for command in ["sign", "submit", "org introduce"] {
            let told = all(&second.ends(1, &format!("{command} changed.json")));
            assert!(
                told.contains("changed.json is not what was signed")
                    && told.contains("the signatures of officers 1 are of another entry")
                    && told.contains("as the last signer left it"),
                "{from}: {told}"
            );
        }
    }
    // What is no registration at all.
    for (from, to) in [("\"version\": 1", "\"version\": 2"), ("\"CN\"", "\"C\"")] {
        assert!(text.contains(from));
        second.write("none.json", text.replace(from, to));
        let told = all(&second.ends(2, "sign none.json"));
        assert!(told.contains("none.json is no registration"), "{told}");
    }
}
