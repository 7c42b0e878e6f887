//! Another program that reads with `rollbook-client`: the example's own code against four real
//! nodes, and against a proxy that lies about everything that it asks for.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rollbook::encoding::{base64_bytes, base64_text};
use rollbook_client::client;
use rollbook_client::keep::{Keep, Memory};
use rollbook_client::trust;
use rollbook_client::trust::{Doubt, ForkAlarm, Untrue};
use rollbook_core::genesis::file::GenesisFile;
use rollbook_core::record::Record;
use rollbook_node::clock::Step;
use rollbook_proof::codec::decode;
use rollbook_proof::log::Clock;
use rollbook_sandbox::http;
use rollbook_sandbox::testnet::Plan;
use rollbook_tests::liar::Proxy;
use rollbook_tests::testnet::Net;
use serde_json::{Value, json};

#[allow(dead_code)]
#[path = "../client/examples/follow.rs"]
mod follow;
mod liar;
use follow::follow;
use liar::{another_history, spoil, with_json};

/// What a liar does to the answer at a path.
type Lie = Box<dyn Fn(&str, http::Answer) -> http::Answer + Send + Sync>;
/// Whether that is what is wrong.
type Expected = fn(&Untrue) -> bool;

struct Reader {
    genesis: GenesisFile,
    id: String,
}

impl Reader {
    /// Reads with nothing kept.
    fn fresh(&self, nodes: &[&str]) -> Result<String, Box<dyn Error>> {
        self.with(&Arc::new(Memory::new()), nodes)
    }

    fn with(&self, keep: &Arc<Memory>, nodes: &[&str]) -> Result<String, Box<dyn Error>> {
        let nodes: Vec<String> = nodes.iter().map(|node| (*node).to_owned()).collect();
        follow(&self.genesis, Arc::<Memory>::clone(keep), &nodes, &self.id)
    }

    /// The library's own error.
    #[track_caller]
    fn refused(&self, keep: &Arc<Memory>, nodes: &[&str]) -> trust::Error {
        let error = self.with(keep, nodes).unwrap_err();
        *error.downcast().unwrap()
    }
}

fn url(net: &Net, node: u32) -> String {
    format!("http://{}", net.testnet.api(node))
}

fn get(net: &Net, path: &str) -> Value {
    let wait = Duration::from_secs(20);
    http::get(net.testnet.api(1), path, wait).unwrap().json()
}

#[test]
fn the_example_reads_from_real_nodes_and_believes_no_liar() {
    let mut net = Net::plan("following", 5, 4, Clock::Sample);
    net.start();
    let nodes = net.nodes();
    let other: Record = decode(&net.act(&nodes)).unwrap();
    let record: Record = decode(&net.act(&nodes)).unwrap();
    let file = net.testnet.folder(1).join("../genesis.rollbook");
    let reader = Reader {
        genesis: GenesisFile::decode(&std::fs::read(file).unwrap()).unwrap(),
        id: record.id().to_hex(),
    };
    let urls: Vec<String> = nodes.iter().map(|node| url(&net, *node)).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();

    let told = reader.fresh(&urls).unwrap();
    assert!(
        told.starts_with(&format!("{} is leaf ", reader.id)),
        "{told}"
    );
    // A node that is not there is passed over; none that answers is an error.
    let nobody = "http://127.0.0.1:9";
    reader.fresh(&[nobody, urls[3]]).unwrap();
    let silence = reader.refused(&Arc::default(), &[nobody]);
    assert!(
        matches!(&silence, trust::Error::Unreachable(told) if told.len() == 1),
        "{silence}"
    );

    for (name, expected, lie) in lies(&net, &reader.id, &other.id().to_hex()) {
        let liar = Proxy::start(net.testnet.api(1), lie);
        let error = reader.refused(&Arc::default(), &[&liar.url]);
        let trust::Error::Nobody(doubts) = &error else {
            panic!("{name}: {error}");
        };
        let [Doubt { node, why }] = doubts.as_slice() else {
            panic!("{name}: {error}");
        };
        assert_eq!(*node, liar.url, "{name}");
        assert!(expected(why), "{name}: {why}");
        reader.fresh(&[&liar.url, urls[1]]).expect(name);
    }
    refusals(&net, &reader);
    let elsewhere = Reader {
        genesis: Plan::new("elsewhere", 5, 4, Clock::Sample)
            .unwrap()
            .alliance()
            .founded()
            .unwrap(),
        id: reader.id.clone(),
    };
    let error = elsewhere.refused(&Arc::default(), &urls);
    assert!(
        matches!(&error, trust::Error::Nobody(doubts) if doubts.len() == urls.len()),
        "{error}"
    );
    yesterday(&mut net, &reader);
    forks(&net, &reader, &record);
}

/// Everything that the example asks for, falsified: a name, what is to be found, the lie.
fn lies(net: &Net, id: &str, other: &str) -> Vec<(&'static str, Expected, Lie)> {
    let at_record = format!("/v1/records/{id}");
    let at_proof = format!("{at_record}/proof");
    let height = get(net, &at_record)["height"].as_u64().unwrap();
    let at_seal = format!("/v1/blocks/{height}/proof");
    let another = get(net, &format!("/v1/records/{other}"));
    let another_seal = get(net, &format!("/v1/blocks/{}/proof", another["height"]));
    let json_at = |at: &str, change: Box<dyn Fn(&mut Value) + Send + Sync>| -> Lie {
        let at = at.to_owned();
        Box::new(move |path, answer| {
            if path.split('?').next() == Some(at.as_str()) {
                with_json(answer, &change)
            } else {
                answer
            }
        })
    };
    let text_at = |at: &str, change: fn(String) -> String| -> Lie {
        let at = at.to_owned();
        Box::new(move |path, mut answer| {
            if path == at {
                answer.body = change(String::from_utf8(answer.body).unwrap()).into_bytes();
            }
            answer
        })
    };
    let flaw: Expected = |why| matches!(why, Untrue::Flaw(_));
    let form: Expected = |why| matches!(why, Untrue::Form(_));
    vec![
        (
            "another policy 0",
            |why| matches!(why, Untrue::Flaw(flaw) if flaw.code == "epoch.genesis"),
            json_at(
                "/v1/policies",
                Box::new(|value| spoil(&mut value[0]["policy"], 9)),
            ),
        ),
        (
            "no policies",
            |why| *why == Untrue::NoPolicies,
            json_at("/v1/policies", Box::new(|value| *value = json!([]))),
        ),
        (
            "policies that are none",
            form,
            json_at("/v1/policies", Box::new(|value| *value = json!({}))),
        ),
        (
            "another signature on the record",
            flaw,
            json_at(
                &at_record,
                Box::new(|value| {
                    let mut record = base64_bytes(value["record"].as_str().unwrap()).unwrap();
                    *record.last_mut().unwrap() ^= 1;
                    value["record"] = base64_text(record).into();
                }),
            ),
        ),
        (
            "another record",
            |why| matches!(why, Untrue::AnotherRecord { .. }),
            json_at(&at_record, Box::new(move |value| *value = another.clone())),
        ),
        (
            "no record",
            |why| *why == Untrue::Lacks("record"),
            json_at(&at_record, Box::new(|value| value["record"] = Value::Null)),
        ),
        (
            "a record that is none",
            form,
            json_at(
                &at_record,
                Box::new(|value| value["record"] = "AAAA".into()),
            ),
        ),
        (
            "no height",
            form,
            json_at(&at_record, Box::new(|value| value["height"] = Value::Null)),
        ),
        (
            "another leaf",
            flaw,
            text_at(&at_proof, |text| text.replacen("index ", "index 1", 1)),
        ),
        (
            "no receipt",
            flaw,
            text_at(&at_proof, |_| "nothing".to_owned()),
        ),
        (
            "a receipt without cosignatures",
            flaw,
            text_at(&at_proof, |text| {
                let lines: Vec<&str> = text.lines().collect();
                // The log's own signature is the first; of the others one is left.
                let first = lines.iter().position(|line| line.starts_with('\u{2014}'));
                let kept = first.unwrap() + 2;
                lines[..kept].join("\n") + "\n"
            }),
        ),
        (
            "another seal",
            flaw,
            json_at(&at_seal, Box::new(|value| spoil(&mut value["leaf"], 1))),
        ),
        (
            "the seal of another block",
            flaw,
            json_at(
                &at_seal,
                Box::new(move |value| *value = another_seal.clone()),
            ),
        ),
    ]
}

/// Answers that prove nothing either way are no success.
fn refusals(net: &Net, reader: &Reader) {
    let ends = |change: fn(&mut Value)| {
        let at = format!("/v1/records/{}", reader.id);
        let liar = Proxy::start(net.testnet.api(1), move |path, answer| {
            if path == at {
                with_json(answer, change)
            } else {
                answer
            }
        });
        reader.refused(&Arc::default(), &[&liar.url])
    };
    let error = ends(|value| value["stands"] = "pool".into());
    assert!(matches!(error, trust::Error::InPool { .. }), "{error}");
    let error = ends(|value| {
        value["record"] = Value::Null;
        value["read_class"] = "members".into();
    });
    assert!(matches!(error, trust::Error::ForMembers { .. }), "{error}");
    let gone = Proxy::start(net.testnet.api(1), |path, answer| {
        if path.starts_with("/v1/records") {
            let body = json!({
                "type": "about:blank", "title": "Not Found", "status": 404,
                "code": "api.not-found", "detail": "there is no such record",
            });
            let body = serde_json::to_vec(&body).unwrap();
            return http::Answer { status: 404, body };
        }
        answer
    });
    let error = reader.refused(&Arc::default(), &[&gone.url]);
    assert!(
        matches!(&error, trust::Error::Client(client::Error::Refused { status: 404, problem, .. })
            if problem.code == "api.not-found"),
        "{error}"
    );
    reader.fresh(&[&gone.url, &url(net, 2)]).unwrap();
}

/// A node that shows yesterday is no news, and is passed over for one that has some.
fn yesterday(net: &mut Net, reader: &Reader) {
    let kept: Mutex<BTreeMap<String, http::Answer>> = Mutex::default();
    let frozen = Proxy::start(net.testnet.api(1), move |path, answer| {
        if path.starts_with("/v1/status") || path.starts_with("/v1/consistency") {
            return answer;
        }
        let mut kept = kept.lock().unwrap();
        kept.entry(path.to_owned()).or_insert(answer).clone()
    });
    reader.fresh(&[&frozen.url]).unwrap();
    net.testnet.advance(Step::ByMs(5 * 3_600_000)).unwrap();
    net.act(&net.nodes());
    let error = reader.fresh(&[&frozen.url]).unwrap_err();
    assert!(error.to_string().contains(" s ago"), "{error}");
    reader.fresh(&[&frozen.url, &url(net, 2)]).unwrap();
}

/// A quorum that signs two histories: the alarm is kept, no other node is asked, and the head known
/// before stays known.
fn forks(net: &Net, reader: &Reader, record: &Record) {
    let real = url(net, 1);
    for more in [0, 3] {
        let keep = Arc::new(Memory::new());
        reader.with(&keep, &[&real]).unwrap();
        let before = keep.load("head.json").unwrap().unwrap();
        let head: Value = serde_json::from_slice(&before).unwrap();
        let size = head["size"].as_u64().unwrap() + more;
        let (forked, root) = another_history(net, record, size);
        let error = reader.refused(&keep, &[&forked.url, &real]);
        // Heads of two sizes are no fork, however nobody joins them.
        let fork = match (&error, more) {
            (trust::Error::Fork(fork), 0) | (trust::Error::Unjoined(fork), 1..) => fork,
            _ => panic!("{error}"),
        };
        assert_eq!(
            (&fork.node, fork.size, fork.root),
            (&forked.url, size, root)
        );
        assert_eq!(
            keep.names(),
            [fork.place.as_str(), "head.json", "policies.json"]
        );
        let alarm = keep.load(&fork.place).unwrap().unwrap();
        let alarm: ForkAlarm = serde_json::from_slice(&alarm).unwrap();
        assert_eq!(alarm.found.node, forked.url);
        assert_eq!(keep.load("head.json").unwrap().unwrap(), before);
        reader.with(&keep, &[&real]).unwrap();
    }
}
