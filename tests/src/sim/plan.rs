//! What a seed switches on. Each seed turns whole kinds of fault off, so that no fault hides
//! another (swarm testing).

#[cfg(feature = "planted")]
use rollbook_node::planted::Planted;

use rollbook_proof::chain::quorum;

use super::random::Random;

/// A simulated run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seed of everything.
    pub seed: u64,
    /// Validators at genesis.
    pub validators: u32,
    /// Registered organisations with a node: more than the validators are full nodes, and seats to
    /// be.
    pub nodes: u32,
    /// Organisations that run as two nodes with one key.
    pub twins: Vec<u32>,
    /// Validators whose seats move to a second machine with new keys (the real ledger).
    pub moves: Vec<u32>,
    /// Chance of losing a message, in 1,000.
    pub loss: u64,
    /// Chance of a message arriving twice, in 1,000.
    pub duplicate: u64,
    /// Chance of a message with a changed byte (a peer lies, or a bug), in 1,000.
    pub corrupt: u64,
    /// Usual delay in milliseconds.
    pub delay: (u64, u64),
    /// Chance of a long delay (up to 3 s), in 1,000.
    pub tail: u64,
    /// Partitions come and go.
    pub partitions: bool,
    /// Links fail in one direction.
    pub one_way: bool,
    /// Processes die between two steps and between two effects of one.
    pub crashes: bool,
    /// Machines lose power: between steps, between effects, and inside a step at any call of the
    /// journal.
    pub power_cuts: bool,
    /// So many disks are lost, one after the other: the next one once who lost the last votes again.
    pub losses: u32,
    /// A lost disk may come back as it was some blocks ago.
    pub stale: bool,
    /// Syncs and writes fail, and disks are full, until the machine is started again.
    pub disk_faults: bool,
    /// Clocks are stepped by up to four seconds while nodes run; one that is an hour off comes right and
    /// goes wrong again.
    pub steps: bool,
    /// Organisations whose proposals come too late: every time (1), every other turn (2).
    pub late: Vec<(u32, u32)>,
    /// Organisations that put the certificate into their blocks by which most others have missed a turn.
    pub choosers: Vec<u32>,
    /// All guards are new at the start, beside keys that are not, and one machine loses its disk even
    /// before the first block.
    pub new_guards: bool,
    /// So many records are handed in of which one applies (the real ledger).
    pub zombies: u32,
    /// Clocks differ by up to so many milliseconds.
    pub skew: u64,
    /// One clock is off by an hour.
    pub wrong_clock: bool,
    /// One node answers questions for blocks with forged ones.
    pub liar: bool,
    /// Validators change.
    pub handovers: bool,
    /// Milliseconds between two records handed in.
    pub records_every: u64,
    /// A clock event every so many milliseconds of ledger time.
    pub deadline_every: Option<u64>,
    /// So many validators, those with the highest numbers, are away.
    pub away: u32,
    /// From when until when (milliseconds).
    pub away_between: (u64, u64),
    /// Faults end here (milliseconds).
    pub gst: u64,
    /// The run ends here.
    pub end: u64,
    /// Faults that are put in on purpose; the run must fail.
    #[cfg(feature = "planted")]
    pub planted: Vec<Planted>,
    /// Print every event.
    pub log: bool,
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Plan {
        let mut r = Random::new(seed);
        let validators = *r.pick(&[4, 4, 4, 4, 5, 7]).unwrap_or(&4);
        let gst = r.between(20_000, 60_000);
        let harsh = r.percent(30);
        let mut on = |percent: u64| r.percent(percent);
        let (lossy, doubled, slow, power, kills) = (on(60), on(50), on(50), on(60), on(60));
        let (partitions, one_way, skewed) = (on(40), on(30), on(60));
        let exclusive = r.below(5);
        let handovers = r.percent(35);
        Plan {
            seed,
            validators,
            nodes: validators + u32::from(handovers || r.percent(30)),
            twins: Vec::new(),
            moves: Vec::new(),
            loss: if lossy {
                r.between(1, if harsh { 150 } else { 40 })
            } else {
                0
            },
            duplicate: if doubled { r.between(1, 200) } else { 0 },
            corrupt: if r.percent(40) { r.between(1, 60) } else { 0 },
            delay: (1, r.between(2, 60)),
            tail: if slow { r.between(1, 60) } else { 0 },
            partitions,
            one_way,
            crashes: kills,
            power_cuts: power,
            // At most f nodes misbehave or lose their memory.
            losses: if exclusive == 0 {
                r.between(1, 3) as u32
            } else {
                0
            },
            stale: r.percent(50),
            disk_faults: r.percent(40),
            steps: r.percent(40),
            late: Vec::new(),
            choosers: Vec::new(),
            new_guards: false,
            zombies: 0,
            skew: if skewed { r.between(1, 4_000) } else { 0 },
            wrong_clock: exclusive == 1,
            liar: exclusive == 2,
            handovers,
            records_every: r.between(150, 4_000),
            deadline_every: r.percent(30).then_some(20_000),
            away: 0,
            away_between: (0, 0),
            gst,
            end: gst + 60_000,
            #[cfg(feature = "planted")]
            planted: Vec::new(),
            log: false,
        }
    }

    /// A quiet network of four.
    pub fn quiet(seed: u64) -> Plan {
        Plan {
            seed,
            validators: 4,
            nodes: 4,
            twins: Vec::new(),
            moves: Vec::new(),
            loss: 0,
            duplicate: 0,
            corrupt: 0,
            delay: (1, 20),
            tail: 0,
            partitions: false,
            one_way: false,
            crashes: false,
            power_cuts: false,
            losses: 0,
            stale: false,
            disk_faults: false,
            steps: false,
            late: Vec::new(),
            choosers: Vec::new(),
            new_guards: false,
            zombies: 0,
            skew: 0,
            wrong_clock: false,
            liar: false,
            handovers: false,
            records_every: 1_000,
            deadline_every: None,
            away: 0,
            away_between: (0, 0),
            gst: 0,
            end: 30_000,
            #[cfg(feature = "planted")]
            planted: Vec::new(),
            log: false,
        }
    }

    /// Weather that leaves locks behind, between three and seven validators, and the machines whose
    /// disks are lost at once: more than the chain bears, fewer than a quorum.
    pub fn disaster(seed: u64) -> (Plan, Vec<usize>, u64) {
        let mut r = Random::new(seed ^ 0xD15A);
        let validators = *r.pick(&[3, 4, 4, 4, 5, 7]).unwrap_or(&4);
        let seats = validators as usize;
        let (bears, quorum) = ((seats - 1) / 3, quorum(seats));
        let count = r.between(bears as u64 + 1, quorum as u64 - 1) as usize;
        let first = r.below(u64::from(validators)) as usize;
        let lost = (0..count).map(|i| (first + i) % seats).collect();
        let plan = Plan {
            validators,
            nodes: validators,
            loss: r.between(100, 450),
            delay: (1, r.between(5, 60)),
            records_every: 300,
            gst: 60_000,
            end: 110_000,
            ..Plan::quiet(seed)
        };
        (plan, lost, r.between(4_000, 16_000))
    }

    /// Whether processes or machines die by themselves.
    pub fn may_die(&self) -> bool {
        self.crashes || self.power_cuts
    }

    /// Whether nothing is put in on purpose.
    pub fn is_honest(&self) -> bool {
        #[cfg(feature = "planted")]
        return self.planted.is_empty();
        #[cfg(not(feature = "planted"))]
        true
    }

    /// Whether two f validators decide, by a planted fault.
    pub fn decides_with_2f(&self) -> bool {
        #[cfg(feature = "planted")]
        return self.planted.contains(&Planted::Quorum2f);
        #[cfg(not(feature = "planted"))]
        false
    }
}
