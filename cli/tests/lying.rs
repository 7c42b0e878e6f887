//! Every command that reads, against a node that changes one field of one answer, whatever the field is:
//! nothing false is called verified, nothing hangs, nothing that is kept is spoilt.
//!
//! Absent: `follow`, whose stream has no end that this proxy could wait for.
//!
//! A normal run tells a seeded sample of lies; `ROLLBOOK_LIES=N` tells N of them to each command.

#![allow(clippy::unwrap_used)]

use std::process::Output;
use std::time::{Duration, Instant};

use rollbook_core::record::Record;
use rollbook_proof::codec::decode;
use rollbook_proof::log::Clock;
use rollbook_tests::liar::{Draw, Lie, lying};
use rollbook_tests::testnet::Net;
use serde_json::Value;

mod liar;
use liar::Desk;

/// How long a command may take with one node that lies, the machine being busy with other things.
const PATIENCE: Duration = Duration::from_secs(100);

fn lies() -> usize {
    let told = std::env::var("ROLLBOOK_LIES").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(3)
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn all(output: &Output) -> String {
    format!("{}{}", out(output), String::from_utf8_lossy(&output.stderr))
}

/// What a command shows as verified, without what says when and by whom it was asked, and without what is only reported.
fn shown(output: &Output) -> Value {
    let mut value: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for name in [
                    "age_s",
                    "node",
                    "stale",
                    "clock",
                    "signers",
                    "attested_time_s",
                    "reported",
                ] {
                    fields.remove(name);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    value
}

#[test]
fn nothing_false_is_called_verified() {
    let mut net = Net::plan("lying", 5, 4, Clock::Sample);
    net.start();
    let record = net.act(&net.nodes());
    let id = decode::<Record>(&record).unwrap().id().to_hex();
    let desk = Desk {
        folder: tempfile::tempdir().unwrap(),
        chain: net.chain,
    };
    let real = format!("http://{}", net.testnet.api(1));
    // What is proved; what a node only tells says so.
    let proved: [&[&str]; 4] = [
        &["show", "O-2", "--json"],
        &["show", &id, "--json"],
        &["show", "block:2", "--json"],
        &["show", "M-4242", "--json"],
    ];
    let told: [&[&str]; 5] = [
        &["org", "list"],
        &["member", "list"],
        &["motion", "list"],
        &["tasks", "--all"],
        &["node", "list"],
    ];
    let prove: &[&str] = &["prove", "member", "2", "--out", "proof.json", "--force"];
    let mut draw = Draw::new(7);
    let mut trials = 0;
    for command in proved.iter().chain(&told).chain([&prove]) {
        let honest = desk.read("kept", &[&real], command);
        // What is not there is proved, too, and ends with 1.
        let right = honest.status.code();
        assert!(
            matches!(right, Some(0 | 1)),
            "{command:?}: {}",
            all(&honest)
        );
        let shows = !honest.stdout.is_empty() || !proved.contains(command);
        assert!(shows, "{command:?}: {}", all(&honest));
        for _ in 0..lies() {
            let lie = Lie {
                answer: draw.below(7),
                seed: draw.below(1 << 30) as u64,
            };
            let (liar, what) = lying(net.testnet.api(1), lie);
            let begun = Instant::now();
            let output = desk.read("kept", &[&liar.url], command);
            let what = what.lock().unwrap().clone().unwrap_or_default();
            let words = format!("{command:?} with {what}:\n{}", all(&output));
            assert!(begun.elapsed() < PATIENCE, "{:?}: {words}", begun.elapsed());
            let code = output.status.code();
            assert!(matches!(code, Some(0..=4)), "{code:?} {words}");
            assert!(!words.contains("FORK ALARM"), "{words}");
            // What steers a terminal is made visible, whoever wrote it.
            let text = all(&output);
            let steers = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{202e}';
            assert!(!text.contains(steers), "{words}");
            let value = shown(&output);
            let is_refused = output.stdout.is_empty() || value.get("error").is_some();
            if proved.contains(command) && !is_refused {
                assert_eq!(value, shown(&honest), "{words}");
            }
            if code == Some(0) && *command == prove {
                let proof = desk.path("proof.json");
                let judged = desk.read("nobody", &[], &["verify", proof.to_str().unwrap()]);
                assert_eq!(judged.status.code(), Some(0), "{words}{}", all(&judged));
            }
            trials += usize::from(!what.is_empty());
        }
        // What is kept is as it was: the honest node is read as before.
        let again = desk.read("kept", &[&real], command);
        assert_eq!(again.status.code(), right, "{command:?}: {}", all(&again));
        if proved.contains(command) {
            assert_eq!(shown(&again), shown(&honest), "{command:?}");
        }
    }
    println!("{trials} lies were told");
    assert!(trials > 3 * lies(), "{trials} lies are too few");
}
