//! `rollbook bench`: what four validators on this machine carry, beside what the machine could at
//! most.
//!
//! * Four real node processes on loopback on a chain of real time, in a folder of their own; every
//!   record is signed before a clock starts; records go in over HTTP on keep-alive connections,
//!   each officer's at one node.
//! * First a steady rate, for the time from handing in to *decided* and to *receipted* (RULINGS
//!   A11); then as much as is taken.
//! * The limit is measured in the same run, before the nodes start: verifying the same signatures
//!   by the strict rule on all cores and doing nothing else. Each of the nodes verifies every
//!   signature, so the ratio counts them all.
//! * The client shares the machine with the nodes; its own CPU is reported.
//!
//! Not covered: a network between machines, disks under other load, histories longer than the run,
//! fund and payment acts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, value_parser};
use rollbook_node::clock::real_ms;
use rollbook_proof::log::Clock;
use rollbook_proof::number::Height;
use rollbook_sandbox::mix::{MEMBERS, Mix, Prepared, verify_rate};
use rollbook_sandbox::offer;
use rollbook_sandbox::offer::{Counts, Ledger, Node};
use rollbook_sandbox::testnet::{Plan, Testnet};
use rollbook_wire::ledger::Block;
use rollbook_words::catalogue::t;
use serde::Serialize;

use self::machine::{Machine, Usage, usage};
use crate::failure::Failure;
use crate::flags::Global;
use crate::output::{print, print_json, say};

mod history;
mod machine;
mod reads;

/// Validating nodes.
const NODES: u32 = 4;
/// Records in one request.
const BATCH: usize = 250;
/// Records under way at most: taken and not decided.
const WINDOW: u64 = 4_000;
/// Signatures verified for the limit.
const SAMPLE: usize = 10_000;
/// How long what was handed in may take to be receipted.
const PATIENCE: Duration = Duration::from_secs(60);

/// `bench`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Bench {
    /// Records of the full phase.
    #[arg(long, value_name = "N", default_value = "60000",
        value_parser = value_parser!(u32).range(1..))]
    records: u32,
    /// Length of the steady phase.
    #[arg(long, value_name = "N", default_value = "15",
        value_parser = value_parser!(u32).range(1..))]
    seconds: u32,
    /// Records a second in the steady phase.
    #[arg(long, value_name = "N", default_value = "100",
        value_parser = value_parser!(u32).range(1..))]
    rate: u32,
    /// Records of a history that is measured instead.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    history: Option<u32>,
    /// The folder, which must be empty.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Whether the folder stays.
    #[arg(long)]
    keep: bool,
}

/// Settings of a run.
#[derive(Debug, Clone, Serialize)]
struct Settings {
    nodes: u32,
    records: u32,
    seconds: u32,
    rate: u32,
    batch: usize,
    window: u64,
}

/// What a phase cost.
#[derive(Debug, Clone, Default, Serialize)]
struct Cost {
    /// CPU seconds of all nodes.
    nodes_cpu_seconds: f64,
    /// CPU seconds of this program.
    client_cpu_seconds: f64,
}

/// Milliseconds from handing in.
#[derive(Debug, Clone, Default, Serialize)]
struct Latency {
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

/// The phase at a steady rate.
#[derive(Debug, Clone, Serialize)]
struct Steady {
    offered_per_second: u32,
    records: usize,
    decided: Latency,
    receipted: Latency,
    blocks: u64,
    records_per_block: f64,
    cost: Cost,
}

/// The phase of as much as is taken.
#[derive(Debug, Clone, Serialize)]
struct Full {
    records: u64,
    seconds: f64,
    decided_per_second: f64,
    receipted_per_second: f64,
    signatures_per_second: f64,
    bytes_per_second: f64,
    blocks: u64,
    records_per_block: f64,
    blocks_per_second: f64,
    rounds_above_zero: u64,
    refused: u64,
    cost: Cost,
    nodes_cpu_us_per_record: f64,
}

/// The result.
#[derive(Debug, Clone, Serialize)]
struct Report {
    machine: Machine,
    settings: Settings,
    mix: String,
    signatures_per_record: f64,
    bytes_per_record: f64,
    verify_alone_per_second: f64,
    /// Signatures verified by all nodes together, as a share of `verify_alone_per_second`.
    ratio: f64,
    /// The same for one node.
    ratio_per_node: f64,
    steady: Steady,
    full: Full,
    node_memory: Vec<Usage>,
    not_covered: String,
}

/// Runs the command.
pub fn run(global: &Global, flags: &Bench) -> Result<u8, Failure> {
    let settings = Settings {
        nodes: NODES,
        records: flags.records,
        seconds: flags.seconds,
        rate: flags.rate,
        batch: BATCH,
        window: WINDOW,
    };
    let dir = match &flags.dir {
        Some(dir) => dir.clone(),
        None => std::env::temp_dir().join(format!("rollbook-bench-{}", std::process::id())),
    };
    let unusable = |error: std::io::Error| {
        Failure::unusable(t("bench.dir", &[("dir", dir.display().to_string())])).because(error)
    };
    let dir = std::path::absolute(&dir).map_err(unusable)?;
    if dir.exists() && std::fs::read_dir(&dir).map_err(unusable)?.next().is_some() {
        return Err(Failure::unusable(t(
            "bench.not-empty",
            &[("dir", dir.display().to_string())],
        )));
    }
    let (keep, json) = (flags.keep, global.json);
    if let Some(records) = flags.history {
        let report = history::run(&dir, records as usize, keep)?;
        if json {
            print_json(&report);
        } else {
            history::show(&report);
        }
        return Ok(0);
    }
    let report = measure(&dir, &settings, keep)?;
    if json {
        print_json(&report);
    } else {
        show(&report);
    }
    Ok(0)
}

fn measure(dir: &Path, settings: &Settings, keep: bool) -> Result<Report, Failure> {
    let machine = Machine::here();
    let seed = "bench";
    let plan = Plan::new(seed, MEMBERS, NODES, Clock::Wall)?;
    let genesis = plan.alliance().genesis()?;
    let load = Load::prepare(
        settings,
        Mix::new(seed.as_bytes(), genesis.hash(), real_ms()),
    );
    let program =
        std::env::current_exe().map_err(|error| Failure::unusable("rollbook").because(error))?;
    let mut testnet = Testnet::create(dir, plan, &program, &super::testnet::RUN)?;
    let outcome = testnet.start_all().map_err(Failure::from).and_then(|()| {
        run_phases(&testnet, settings, &load).map_err(|why| {
            let next = t("bench.stopped-next", &[("dir", dir.display().to_string())]);
            Failure::refused(t("bench.stopped", &[]))
                .because(why)
                .next(next)
        })
    });
    for node in testnet.nodes() {
        let _ = testnet.stop(node).or_else(|_| testnet.kill(node));
    }
    if keep {
        say(t("bench.kept", &[("dir", dir.display().to_string())]));
    } else if outcome.is_ok() {
        // After a failure the nodes' logs say why: they stay.
        testnet.down()?;
    }
    let (steady, full, node_memory) = outcome?;
    let per_node = full.signatures_per_second / load.verify_alone.max(1.0);
    Ok(Report {
        machine,
        settings: settings.clone(),
        mix: t("bench.mix", &[]),
        signatures_per_record: load.signatures_per_record,
        bytes_per_record: load.bytes_per_record,
        verify_alone_per_second: load.verify_alone,
        ratio: per_node * f64::from(NODES),
        ratio_per_node: per_node,
        steady,
        full,
        node_memory,
        not_covered: t("bench.not-covered", &[]),
    })
}

/// Everything that is signed and measured before the nodes start.
struct Load {
    opening: Vec<Prepared>,
    steady: Vec<Prepared>,
    full: Vec<Prepared>,
    signatures_per_record: f64,
    bytes_per_record: f64,
    verify_alone: f64,
}

impl Load {
    fn prepare(settings: &Settings, mut mix: Mix) -> Load {
        let steady = settings.rate.saturating_mul(settings.seconds) as usize;
        let records = settings.records as usize;
        say(t(
            "bench.preparing",
            &[("records", (records + steady).to_string())],
        ));
        let (opening, steady, full) = (mix.opening(), mix.next(steady), mix.next(records));
        let sum = |of: fn(&Prepared) -> usize| {
            full.iter().map(of).sum::<usize>() as f64 / full.len().max(1) as f64
        };
        let signatures_per_record = sum(|prepared| prepared.record.signatures.len());
        let bytes_per_record = sum(|prepared| prepared.bytes.len());
        let verify_alone = verify_rate(&mix.signatures(&full[..full.len().min(SAMPLE)]));
        Load {
            opening,
            steady,
            full,
            signatures_per_record,
            bytes_per_record,
            verify_alone,
        }
    }
}

fn run_phases(
    testnet: &Testnet,
    settings: &Settings,
    load: &Load,
) -> Result<(Steady, Full, Vec<Usage>), String> {
    let nodes: Vec<Node> = testnet
        .nodes()
        .map(|node| Ok(Node::new(testnet.api(node), testnet.pass(node)?)))
        .collect::<Result<_, Failure>>()
        .map_err(|failure| failure.to_string())?;
    let watched = nodes.first().ok_or("there is no node")?;
    until("the founders' records", || {
        Ok(watched.status()?.founders_missing == 0)
    })?;
    let begun = decided_at(watched)?;
    for part in load.opening.chunks(BATCH) {
        let (taken, refusal) = nodes[part[0].lane % nodes.len()].hand_in(part)?;
        if taken != part.len() as u64 {
            return Err(refusal.unwrap_or_else(|| "a motion was not taken".into()));
        }
    }
    until("the opening motions", || {
        Ok(decided_at(watched)? >= begun + load.opening.len() as u64)
    })?;
    settle(testnet)?;
    say(t(
        "bench.steady",
        &[
            ("rate", settings.rate.to_string()),
            ("seconds", settings.seconds.to_string()),
        ],
    ));
    let steady = steady_phase(testnet, &nodes, settings, &load.steady)?;
    settle(testnet)?;
    say(t(
        "bench.full",
        &[
            ("records", load.full.len().to_string()),
            ("seconds", settings.seconds.to_string()),
        ],
    ));
    let full = full_phase(testnet, &nodes, settings, load)?;
    let memory = testnet
        .nodes()
        .filter_map(|node| usage(&testnet.pid(node)?.to_string()))
        .collect();
    Ok((steady, full, memory))
}

/// All nodes at one block with one state root, receipted.
fn settle(testnet: &Testnet) -> Result<(Height, String), String> {
    let nodes: Vec<u32> = testnet.nodes().collect();
    testnet
        .agree(&nodes, 1, PATIENCE)
        .map_err(|failure| failure.to_string())
}

fn until(what: &str, mut done: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let begun = Instant::now();
    while !done()? {
        if begun.elapsed() > PATIENCE {
            return Err(format!("{what}: nothing within {} s", PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn decided_at(node: &Node) -> Result<u64, String> {
    Ok(node.status()?.counts.records)
}

fn height_of(node: &Node) -> Result<u64, String> {
    Ok((node.status()?.height).0)
}

/// CPU seconds of all nodes and of this program until now.
fn spent(testnet: &Testnet) -> (f64, f64) {
    let of = |pid: &str| usage(pid).unwrap_or_default().cpu_seconds;
    (
        testnet
            .nodes()
            .filter_map(|node| testnet.pid(node))
            .map(|pid| of(&pid.to_string()))
            .sum(),
        of("self"),
    )
}

fn cost_since(testnet: &Testnet, before: (f64, f64)) -> Cost {
    let now = spent(testnet);
    Cost {
        nodes_cpu_seconds: now.0 - before.0,
        client_cpu_seconds: now.1 - before.1,
    }
}

fn steady_phase(
    testnet: &Testnet,
    nodes: &[Node],
    settings: &Settings,
    records: &[Prepared],
) -> Result<Steady, String> {
    let watched = &nodes[0];
    let (first, before) = (height_of(watched)?, spent(testnet));
    let (ledger, stop) = (
        Arc::new(Ledger::default()),
        Arc::new(AtomicBool::new(false)),
    );
    {
        // It waits for the next event, so it ends with its node and not with this phase.
        let (node, ledger, stop) = (watched.clone(), ledger.clone(), stop.clone());
        std::thread::spawn(move || offer::listen(&node, &ledger, &stop));
    }
    std::thread::scope(|scope| {
        let receipts = scope.spawn(|| offer::collect_receipts(watched, &ledger, &stop));
        // The stream begins with the next block: let it be there first.
        std::thread::sleep(Duration::from_millis(200));
        let begun = Instant::now();
        let pause = Duration::from_secs(1) / settings.rate.max(1);
        let senders: Vec<_> = (0..nodes.len())
            .map(|lane| {
                let ledger = ledger.clone();
                scope.spawn(move || {
                    for (number, prepared) in (0u32..)
                        .zip(records)
                        .filter(|(_, p)| p.lane % nodes.len() == lane)
                    {
                        let due = begun + pause * number;
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        ledger.sent(prepared.id);
                        let (taken, refusal) =
                            nodes[lane].hand_in(std::slice::from_ref(prepared))?;
                        if taken != 1 {
                            return Err(refusal.unwrap_or_else(|| "a record was not taken".into()));
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        let sent = senders.into_iter().map(|sender| {
            sender
                .join()
                .unwrap_or_else(|_| Err("a sender panicked".into()))
        });
        let sent = sent.collect::<Result<Vec<()>, String>>();
        let settled = match &sent {
            Ok(_) => until("receipts of what was handed in", || Ok(ledger.is_settled())),
            Err(_) => Ok(()),
        };
        stop.store(true, Ordering::Relaxed);
        let cost = cost_since(testnet, before);
        let _ = receipts.join();
        sent.and(settled).map(|()| cost)
    })
    .and_then(|cost| {
        let times = ledger.times();
        let since = |end: fn(&offer::Times) -> Option<Instant>| {
            Latency::of(
                times
                    .iter()
                    .filter_map(|times| Some(end(times)?.saturating_duration_since(times.sent)))
                    .collect(),
            )
        };
        let blocks = height_of(watched)?.saturating_sub(first);
        Ok(Steady {
            offered_per_second: settings.rate,
            records: times.len(),
            decided: since(|times| times.decided),
            receipted: since(|times| times.receipted),
            blocks,
            records_per_block: times.len() as f64 / blocks.max(1) as f64,
            cost,
        })
    })
}

impl Latency {
    fn of(mut all: Vec<Duration>) -> Latency {
        all.sort_unstable();
        let at = |share: f64| {
            let index = ((all.len() as f64 * share).ceil() as usize).clamp(1, all.len().max(1)) - 1;
            all.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        Latency {
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }
}

fn full_phase(
    testnet: &Testnet,
    nodes: &[Node],
    settings: &Settings,
    load: &Load,
) -> Result<Full, String> {
    let watched = &nodes[0];
    let (first, base, before) = (height_of(watched)?, decided_at(watched)?, spent(testnet));
    let (counts, stop) = (Counts::default(), AtomicBool::new(false));
    // Each node's records, in order.
    let mut queues: Vec<Vec<Prepared>> = vec![Vec::new(); nodes.len()];
    for prepared in &load.full {
        queues[prepared.lane % nodes.len()].push(prepared.clone());
    }
    let begun = Instant::now();
    let end = begun + Duration::from_secs(u64::from(settings.seconds));
    let (decided_in, receipted_in) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| offer::watch(watched, base, &counts, &stop));
        let senders: Vec<_> = nodes
            .iter()
            .zip(&queues)
            .map(|(node, queue)| {
                scope.spawn(|| offer::as_fast_as_taken(node, queue, BATCH, WINDOW, end, &counts))
            })
            .collect();
        for sender in senders {
            let _ = sender.join();
        }
        let taken = counts.taken.load(Ordering::Relaxed);
        let decided = until("a decision on what was taken", || {
            Ok(counts.decided.load(Ordering::Relaxed) >= taken)
        });
        let decided_in = begun.elapsed();
        stop.store(true, Ordering::Relaxed);
        let _ = watcher.join();
        let height = height_of(watched)?;
        let receipted = until("receipts", || {
            Ok(watched.status()?.receipted >= Height(height))
        });
        decided
            .and(receipted)
            .map(|()| (decided_in, begun.elapsed()))
    })?;
    let cost = cost_since(testnet, before);
    if let Some(why) = counts
        .trouble
        .lock()
        .ok()
        .and_then(|trouble| trouble.clone())
    {
        say(t("bench.trouble", &[("why", why)]));
    }
    settle(testnet)?;
    let records = counts.decided.load(Ordering::Relaxed);
    let (blocks, rounds) = blocks_since(watched, first)?;
    let rate = |seconds: Duration| records as f64 / seconds.as_secs_f64().max(1e-9);
    Ok(Full {
        records,
        seconds: decided_in.as_secs_f64(),
        decided_per_second: rate(decided_in),
        receipted_per_second: rate(receipted_in),
        signatures_per_second: rate(decided_in) * load.signatures_per_record,
        bytes_per_second: rate(decided_in) * load.bytes_per_record,
        blocks,
        records_per_block: records as f64 / blocks.max(1) as f64,
        blocks_per_second: blocks as f64 / decided_in.as_secs_f64().max(1e-9),
        rounds_above_zero: rounds,
        refused: counts.refused.load(Ordering::Relaxed),
        nodes_cpu_us_per_record: cost.nodes_cpu_seconds * 1e6 / records.max(1) as f64,
        cost,
    })
}

/// Blocks with records above a height, and how many were decided above round 0.
fn blocks_since(node: &Node, first: u64) -> Result<(u64, u64), String> {
    let (mut from, mut blocks, mut rounds) = (first + 1, 0, 0);
    loop {
        let page: Vec<Block> = node.json(&format!("/v1/blocks?from={from}&limit=100"))?;
        if page.is_empty() {
            return Ok((blocks, rounds));
        }
        for block in &page {
            blocks += u64::from(!block.records.is_empty());
            rounds += u64::from(block.round.unwrap_or(0) > 0);
        }
        from += page.len() as u64;
    }
}

fn show_machine(machine: &Machine) {
    let load = machine
        .load
        .map_or_else(|| "?".into(), |load| format!("{load:.2}"));
    let facts = [
        ("processor", machine.processor.clone()),
        ("threads", machine.threads.to_string()),
        ("system", machine.system.clone()),
        ("load", load),
    ];
    print(t("bench.machine", &facts));
}

fn show(report: &Report) {
    let round = |value: f64| format!("{value:.0}");
    let tenth = |value: f64| format!("{value:.1}");
    let mib = |bytes: u64| (bytes / (1024 * 1024)).to_string();
    let line = |key: &str, facts: &[(&str, String)]| print(t(key, facts));
    show_machine(&report.machine);
    let settings = &report.settings;
    line(
        "bench.settings",
        &[
            ("nodes", settings.nodes.to_string()),
            ("batch", settings.batch.to_string()),
            ("window", settings.window.to_string()),
        ],
    );
    line(
        "bench.mix-line",
        &[
            ("mix", report.mix.clone()),
            ("signatures", format!("{:.2}", report.signatures_per_record)),
            ("bytes", round(report.bytes_per_record)),
        ],
    );
    line(
        "bench.limit",
        &[("rate", round(report.verify_alone_per_second))],
    );
    let full = &report.full;
    line(
        "bench.throughput",
        &[
            ("decided", round(full.decided_per_second)),
            ("receipted", round(full.receipted_per_second)),
            ("signatures", round(full.signatures_per_second)),
            ("bytes", round(full.bytes_per_second / 1e3)),
            ("records", full.records.to_string()),
            ("seconds", tenth(full.seconds)),
            ("refused", full.refused.to_string()),
        ],
    );
    line(
        "bench.blocks",
        &[
            ("blocks", full.blocks.to_string()),
            ("per_block", round(full.records_per_block)),
            ("per_second", tenth(full.blocks_per_second)),
            ("rounds", full.rounds_above_zero.to_string()),
        ],
    );
    line(
        "bench.ratio",
        &[
            ("all", round(report.ratio * 100.0)),
            ("one", round(report.ratio_per_node * 100.0)),
            ("nodes", NODES.to_string()),
        ],
    );
    line(
        "bench.cost",
        &[
            ("nodes", tenth(full.cost.nodes_cpu_seconds)),
            ("client", tenth(full.cost.client_cpu_seconds)),
            ("each", round(full.nodes_cpu_us_per_record)),
        ],
    );
    let steady = &report.steady;
    for (word, latency) in [
        ("bench.decided", &steady.decided),
        ("bench.receipted", &steady.receipted),
    ] {
        line(
            "bench.latency",
            &[
                ("rate", steady.offered_per_second.to_string()),
                ("word", t(word, &[])),
                ("p50", tenth(latency.p50_ms)),
                ("p95", tenth(latency.p95_ms)),
                ("p99", tenth(latency.p99_ms)),
                ("max", tenth(latency.max_ms)),
            ],
        );
    }
    line(
        "bench.steady-cost",
        &[
            ("blocks", steady.blocks.to_string()),
            ("per_block", tenth(steady.records_per_block)),
            ("nodes", tenth(steady.cost.nodes_cpu_seconds)),
            ("client", tenth(steady.cost.client_cpu_seconds)),
        ],
    );
    let each = |of: fn(&Usage) -> u64| {
        report
            .node_memory
            .iter()
            .map(|usage| mib(of(usage)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    line(
        "bench.memory",
        &[
            ("now", each(|usage| usage.rss)),
            ("peak", each(|usage| usage.rss_peak)),
        ],
    );
    line(
        "bench.not-covered-line",
        &[("what", report.not_covered.clone())],
    );
}
