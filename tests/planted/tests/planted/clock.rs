//! One of four real clocks is an hour off (RULINGS A9): the chain goes on, nobody follows that
//! time, the node says so itself, and with a right clock it is needed again and serves.

use rollbook_core::export::BlockFrame;
use rollbook_node::clock::real_ms;
use rollbook_node::planted::VARIABLE;
use rollbook_node::runtime::doctor;
use rollbook_proof::chain::Seal;
use rollbook_proof::codec::decode;
use rollbook_proof::log::Clock;
use rollbook_sandbox::testnet::Plan;
use rollbook_tests::load::{Load, must_be_in};
use rollbook_tests::testnet::{Net, frames};

use super::program;

const MS_PER_HOUR: i64 = 3_600_000;

fn an_hour_off(seed: &str, offset_ms: i64) {
    let plan = Plan::new(seed, 5, 4, Clock::Wall).unwrap();
    let mut net = Net::run_by(plan, program());
    net.start();
    let begun = real_ms();
    net.testnet.stop(4).unwrap();
    net.testnet.environment.insert(
        4,
        vec![(VARIABLE.into(), format!("wrong-clock={offset_ms}"))],
    );
    net.testnet.start(4).unwrap();
    let load = Load::start(&net, &[1, 2, 3, 4, 5], &[1, 2, 3]);

    // Three blocks in a row that do not fit, and the node says so: in its status, and what to do in
    // its doctor's words.
    let status = net.until("node 4 doubts its clock", 4, |status| {
        status["clock_warning"].is_string()
    });
    assert!(status["out_of_bounds"].as_u64().unwrap() >= 3, "{status}");
    let side = if offset_ms > 0 { "ahead of" } else { "behind" };
    let told = status["clock_warning"].as_str().unwrap();
    assert!(told.contains(side), "{told}");
    let off = status["clock_off_ms"].as_i64().unwrap();
    assert!((off - offset_ms).abs() < 60_000, "off by {off}");
    let findings = doctor::examine(&net.testnet.config_path(4));
    let finding = findings
        .iter()
        .find(|finding| finding.what == told || finding.what.contains(side))
        .unwrap();
    assert_eq!(finding.weight, "trouble");
    assert!(
        finding.next.as_deref().unwrap().contains("NTP"),
        "{finding:?}"
    );
    for node in [1, 2, 3] {
        assert!(
            net.status(node).unwrap()["clock_warning"].is_null(),
            "node {node} has a right clock"
        );
    }

    // The others go on, and the one in doubt follows them.
    load.goes_on(40, &net);
    let first = load.finish(&net);
    let report = net.check(&[1, 2, 3, 4]);
    let export = net.export(4, report.blocks - 1);
    must_be_in(&first, &export);
    // Block 1 may come a moment before the second clock was read; nothing else lies outside of what
    // passed by the right clocks.
    let (from, to) = (begun - 60_000, real_ms());
    for frame in &frames(&export)[1..] {
        let seal: Seal = decode(&BlockFrame::decode(frame).unwrap().seal).unwrap();
        assert!(
            (from..=to).contains(&seal.time_ms.0),
            "block {} has the wrong time: {} of {from} to {to}",
            seal.height,
            seal.time_ms.0
        );
    }

    // Stopped, the doctor of a clock that is behind sees it from the newest block (this process has
    // the right clock: it sees none), and the start says it, too.
    net.testnet.stop(4).unwrap();
    assert!(
        doctor::examine(&net.testnet.config_path(4))
            .iter()
            .all(|finding| !finding.what.contains("clock"))
    );
    net.testnet.start(4).unwrap();
    let warned = net.testnet.log(4).contains("s behind the newest block");
    assert_eq!(warned, offset_ms < 0, "{}", net.testnet.log(4));

    // With a right clock it takes part: the others cannot do without it.
    net.testnet.stop(4).unwrap();
    net.testnet.environment.clear();
    net.testnet.start(4).unwrap();
    net.testnet.stop(3).unwrap();
    let load = Load::start(&net, &[1, 2, 3, 4, 5], &[1, 2, 4]);
    load.goes_on(20, &net);
    assert!(net.status(4).unwrap()["clock_warning"].is_null());
    net.testnet.start(3).unwrap();
    let second = load.finish(&net);
    let report = net.check(&[1, 2, 3, 4]);
    must_be_in(&first, &net.export(4, report.blocks - 1));
    must_be_in(&second, &net.export(4, report.blocks - 1));
}

#[test]
fn an_hour_ahead() {
    an_hour_off("ahead", MS_PER_HOUR);
}

#[test]
fn an_hour_behind() {
    an_hour_off("behind", -MS_PER_HOUR);
}
