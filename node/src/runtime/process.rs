//! One node as a process: open, listen, run, stop in order.
//!
//! Order of starting: config, genesis, keys, journal with its lock, store, ports, threads. Nothing
//! is served before the ledger stands at the journal's tip. Order of stopping: replica (notes the
//! clean stop), store, network.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rollbook_core::genesis::file::GenesisFile;
use tokio::sync::{Notify, oneshot, watch};

use super::{admin, log, machine, open};
use crate::api::door::Door;
use crate::api::{Api, ApiParts, door, serve};
use crate::clock::{NodeClock, behind_the_chain};
use crate::config::{Config, NodeSecrets};
use crate::failure::Failure;
use crate::files;
use crate::network;
use crate::network::{NetworkConfig, NetworkEvent, parse_bootstrap};
use crate::papers::Papers;
use crate::replica::journal_storage::JournalStorage;
use crate::replica::{Keys, ReplicaConfig};
use crate::replica_thread::app::{Delivery, Waiting, node_app, node_replica};
use crate::replica_thread::command::Command;
use crate::replica_thread::keyring::Keyring;
use crate::replica_thread::run::Parts;
use crate::replica_thread::snapshot::{Counts, snapshot};
use crate::replica_thread::{command, run};
use crate::store::writer;

/// Blocks waiting for the store at most.
const JOBS: usize = 256;

/// Starts this program again, in the same process, with a fixed threshold for blocks of memory that
/// are mapped on their own.
///
/// glibc raises the threshold to the largest such block that was ever freed. A node frees bodies of
/// a megabyte, and what it keeps for ever comes to lie between them: after months more than half of
/// its memory is holes. The variable is read at the start of a process only (docs/decisions/0011).
/// If it cannot be done the node runs as it is.
fn fix_mapping_threshold() {
    const NAME: &str = "MALLOC_MMAP_THRESHOLD_";
    if !cfg!(target_env = "gnu") || std::env::var_os(NAME).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let _ = process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(NAME, "65536")
            .exec();
    }
}

/// How far the API's threads stand below all others, as `nice` counts it.
const BELOW: i32 = 5;
/// Threads of the API, and those on which it reads the store.
const API_THREADS: (usize, usize) = (2, 4);

/// A runtime with so many threads.
fn threads(count: usize) -> Result<tokio::runtime::Runtime, Failure> {
    built(
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(count)
            .enable_all(),
    )
}

/// The API's own runtime: when the machine is busy, consensus goes first (RULINGS A49).
fn api_threads() -> Result<tokio::runtime::Runtime, Failure> {
    let (workers, readers) = API_THREADS;
    built(
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .max_blocking_threads(readers)
            .thread_name("api")
            // Of the calling thread alone, as Linux counts processes. Where it cannot be, the threads are
            // like any others.
            .on_thread_start(|| {
                let _ = rustix::process::setpriority_process(None, BELOW);
            })
            .enable_all(),
    )
}

fn built(builder: &mut tokio::runtime::Builder) -> Result<tokio::runtime::Runtime, Failure> {
    builder.build().map_err(|error| {
        Failure::new(
            "the node does not start",
            error,
            "check the limits of this user (threads, open files)",
        )
    })
}

/// Runs a node until it is told to stop.
pub fn run(config_path: &Path, insecure_listen: bool) -> Result<(), Failure> {
    fix_mapping_threshold();
    let started = Instant::now();
    let config = Config::read(config_path, insecure_listen)?;
    log::start(&config.log, config.log_format);
    let peers = network::Limits::default().connections;
    let readers = machine::room_for_readers(peers.into())?;
    let file = config.read_genesis()?;
    let secrets = NodeSecrets::read(&config.keys)?;
    let bootstrap = config
        .bootstrap
        .iter()
        .map(|line| parse_bootstrap(line))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            Failure::file(
                "a bootstrap line is wrong in",
                config_path,
                error,
                "correct it, then start again",
            )
        })?;
    let GenesisFile { genesis, found } = file;
    let genesis = Arc::new(genesis);
    // It holds members' ballots and dues; earlier releases left it open to everybody on the machine.
    if config.data.is_dir() {
        let _ = files::make_private(&config.data);
    }
    let opened = open::open(&config, &genesis, false)?;
    for note in &opened.notes {
        tracing::warn!("{note}");
    }
    // Consensus travels on a thread of its own, and HTTP on others that stand below it: nothing that is
    // asked keeps a vote from being sent or read (RULINGS A40, A49).
    let (runtime, of_network, of_api) = (threads(1)?, threads(1)?, api_threads()?);
    let shown = opened
        .ledger
        .tables()
        .nodes
        .get(&config.organisation)
        .map(|node| {
            let own = secrets.consensus.public();
            let waits = node.coming.is_some_and(|coming| coming.consensus == own);
            (node.consensus == own, waits)
        });
    match shown {
        Some((true, _)) => {}
        Some((false, true)) => tracing::info!(
            "this node follows the chain and takes the seat of organisation {} over with the next \
             handover that can give it",
            config.organisation.0
        ),
        Some((false, false)) => {
            tracing::warn!(
                "the ledger knows other keys for organisation {}: this node only follows",
                config.organisation.0
            )
        }
        None => tracing::warn!(
            "organisation {} has no node in the ledger: this node only follows",
            config.organisation.0
        ),
    }
    let replica_config = replica_config(&config, &opened.ledger);
    let clock = Arc::new(NodeClock::open(
        genesis.clock(),
        &config.data,
        genesis.opened_ms(),
    )?);
    if let Some(text) = behind_the_chain(&opened.ledger, clock.now_ms()) {
        tracing::warn!("{text}: set the machine's time right (NTP)");
    }
    let (commands, receiver) = command::channel();
    let (jobs, job_queue) = sync_channel(JOBS);
    let waiting = Arc::new(Mutex::new(Waiting::default()));
    let delivery = Delivery::new(&opened.ledger, jobs, waiting.clone());
    let keyring = Keyring::of(opened.ledger.tables());
    let app = node_app(opened.ledger);
    let storage = JournalStorage::new(opened.journal, &opened.recovered);
    let keys = Keys::new(
        config.organisation,
        secrets.consensus.clone(),
        secrets.cosigner.clone(),
        secrets.log.clone(),
    );
    let replica = node_replica(replica_config, keys, app, storage);
    let (snapshots, told) = watch::channel(snapshot(&replica, Counts::default(), started));

    runtime.block_on(async {
        let door = {
            // Whatever the door begins runs on the API's threads.
            let _entered = of_api.enter();
            let listener = door::bind(config.api).map_err(|error| {
                let next = "stop the program that has the port, or set another `api` port in the \
                        config";
                Failure::new(format!("cannot serve HTTP on {}", config.api), error, next)
            })?;
            Door::open(listener, config.tls.clone(), &config.proxies, readers)?
        };
        let starting = of_network.spawn(network::start(NetworkConfig {
            transport_seed: secrets.transport.seed(),
            chain: genesis.hash(),
            listen: vec![config.listen],
            allowed: bootstrap.clone(),
            agent: concat!("rollbook/", env!("CARGO_PKG_VERSION")).to_owned(),
            limits: network::Limits::default(),
        }));
        let refused = |why: String| Failure::new("the network does not start", why, "see above");
        let started_network = starting.await.map_err(|error| refused(error.to_string()))?;
        let (network, mut events) = started_network.map_err(|error| refused(error.to_string()))?;
        let view = opened.view;
        let receipt = view.receipt();
        let folder = config.data.join("papers");
        let papers = Papers::open(&folder).map_err(|error| {
            let next = "give the node's user write permission on its data folder";
            Failure::file("cannot open the folder of papers", &folder, error, next)
        })?;
        let api = Api::new(ApiParts {
            view: view.clone(),
            commands: commands.clone(),
            keyring: keyring.clone(),
            snapshot: told,
            network: network.clone(),
            own_keys: [
                secrets.consensus.public(),
                secrets.cosigner.public(),
                secrets.log.public(),
                secrets.transport.public(),
            ],
            log_key: secrets.log.clone(),
            organisation: config.organisation,
            clock: clock.clone(),
            waiting,
            found: found.clone(),
            papers,
            public_reading: config.public_reading,
        });
        let stop = Arc::new(Notify::new());
        let admin = admin::Admin {
            clock: clock.clone(),
            stop: stop.clone(),
            data: config.data.clone(),
            genesis: genesis.hash(),
            api: api.clone(),
        };
        tokio::spawn(admin::serve(admin::bind(&config.admin_socket())?, admin));

        let (store_ended, mut store_end) = oneshot::channel();
        let store_thread = spawn("store", move || {
            let _ = store_ended.send(writer::run(&view, &job_queue));
        })?;
        let parts = Parts {
            replica,
            delivery,
            keyring,
            clock,
            network: network.clone(),
            runtime: of_network.handle().clone(),
            commands: receiver,
            own: commands.clone(),
            bootstrap,
            found,
            snapshots,
            receipt,
        };
        let (ended, mut end) = oneshot::channel();
        let replica_thread = spawn("replica", move || {
            let _ = ended.send(run::run(parts));
        })?;
        let forward = commands.clone();
        of_network.spawn(async move {
            while let Some(event) = events.next().await {
                let command = Command::Network(event);
                match &command {
                    // Gossip promises nothing; dropping a request answers busy.
                    Command::Network(
                        NetworkEvent::Gossip { .. } | NetworkEvent::Request { .. },
                    ) => {
                        forward.try_send(command);
                    }
                    _ => {
                        forward.send(command).await;
                    }
                }
            }
        });
        let server = of_api.spawn(serve::serve(door, crate::api::router(api)));
        tracing::info!(
            organisation = config.organisation.0,
            listen = %config.listen,
            api = %config.api_url(),
            genesis = %genesis.hash(),
            replayed = opened.replayed,
            milliseconds = started.elapsed().as_millis(),
            "the node runs"
        );

        let mut failure = None;
        let (mut replica_ended, mut store_ended) = (None, false);
        tokio::select! {
            () = signals() => tracing::info!(
                "the node stops: it was told to by a signal; nothing is lost; start it again with \
                 'rollbook node run {}'",
                config_path.display()
            ),
            () = stop.notified() => tracing::info!(
                "the node stops: it was told to on its admin socket; nothing is lost; start it again \
                 with 'rollbook node run {}'",
                config_path.display()
            ),
            result = &mut end => replica_ended = Some(result),
            result = &mut store_end => {
                // Its queue ends with the replica, whose reason is told then.
                failure = result.ok().and_then(Result::err);
                store_ended = true;
            }
        }
        commands.send(Command::Stop).await;
        let result = match replica_ended {
            Some(result) => result,
            None => end.await,
        };
        let join = move || (replica_thread.join(), store_thread.join());
        let _ = tokio::task::spawn_blocking(join).await;
        server.abort();
        let _ = tokio::time::timeout(Duration::from_secs(2), network.stop()).await;
        let _ = std::fs::remove_file(config.admin_socket());
        let result = match (failure, result) {
            (Some(failure), _) => Err(failure),
            (None, Ok(Ok(()))) if store_ended => Err(Failure::new(
                "the store's thread ended",
                "no reason is known",
                "start the node again",
            )),
            (None, Ok(result)) => result,
            (None, Err(_)) => Err(Failure::new(
                "the replica's thread ended",
                "no reason is known",
                "start the node again",
            )),
        };
        if let Err(Failure { what, why, next }) = &result {
            tracing::error!("{what}: {why}; next: {next}");
        }
        result
    })
}

fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<std::thread::JoinHandle<()>, Failure> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(work)
        .map_err(|error| {
            Failure::new(
                "the node does not start",
                error,
                "check the limits of this user (threads)",
            )
        })
}

/// Ctrl-C and the polite kill.
async fn signals() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// How long the other nodes of a sample chain leave a deadline to its proposer.
const SAMPLE_GRACE_MS: u64 = 2_000;

/// Settings of the replica: bounds from the charter, timeouts from the config.
fn replica_config(config: &Config, ledger: &rollbook_core::ledger::Ledger) -> ReplicaConfig {
    let mut settings = ReplicaConfig::default();
    if let Some(charter) = ledger.charter() {
        settings.heartbeat_ms = charter.chain.heartbeat_ms;
        settings.ahead_ms = charter.chain.ahead_ms;
        settings.behind_ms = charter.chain.behind_ms;
        settings.idle_grace_ms = charter
            .chain
            .ahead_ms
            .saturating_add(charter.chain.behind_ms)
            .saturating_mul(3)
            / 2;
        // Clocks of a sample chain are stepped alike, so nobody has to wait for slow ones.
        if charter.clock == rollbook_proof::log::Clock::Sample {
            settings.idle_grace_ms = SAMPLE_GRACE_MS;
        }
    }
    settings.timeouts.propose = Duration::from_millis(config.propose_ms);
    settings
}
