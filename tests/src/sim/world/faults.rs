//! Machines that die and come back, and links that are cut.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rollbook_node::disk::{DiskOp, Fault, FaultKind, SimDisk};
use rollbook_node::journal::LostGuard;
use rollbook_node::replica::kept::{self, Place, SignedKept, Unfit};
use rollbook_node::replica::message::Frame;
use rollbook_node::replica::{Clock, Input, JournalStorage, Replica, Storage};
use rollbook_proof::chain::ValidatorKey;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, OrganisationId};

use super::{Event, World};
use crate::sim::ledger::SimLedger;
use crate::sim::memo::SimVerify;

impl<L: SimLedger> World<L> {
    /// Whether this is a proposal of the node's own that comes too late.
    pub(super) fn is_late(&mut self, node: usize, bytes: &[u8]) -> bool {
        let own = self.machines[node].organisation;
        let Some((_, every)) = self.plan.late.iter().find(|(who, _)| *who == own) else {
            return false;
        };
        let Ok(Frame::Proposal { proposal, .. }) = decode::<Frame>(bytes) else {
            return false;
        };
        let (facts, had) = (proposal.facts, &mut self.machines[node].turns_had);
        let turn = Some((facts.height, facts.round));
        if had.0 != turn {
            *had = (turn, had.1 + 1);
        }
        let late = facts.validator.0 == own && had.1.is_multiple_of(*every);
        if late {
            self.mark("proposal too late");
        }
        late
    }

    /// What a machine's clocks show.
    pub(super) fn clock(&self, node: usize) -> Clock {
        let machine = &self.machines[node];
        let mut wall = (self.opened_ms + self.now) as i64 + machine.offset_ms;
        if self.greedy == Some(node)
            && let Some(replica) = &machine.replica
        {
            // A little less than what is allowed: messages are on their way for a while.
            let most = self.config.ahead_ms as i64 - 100;
            let tip = replica.app().tip().seal;
            let from = match tip.height.0 % 2 {
                0 => wall.max(tip.time_ms.0 as i64),
                _ => wall,
            };
            wall = from + most;
        }
        Clock {
            elapsed_ms: self.now - machine.booted_at,
            wall_ms: wall as u64,
        }
    }

    /// The machines that the plan sends away.
    pub(super) fn away(&self) -> std::ops::Range<usize> {
        let seats = self.plan.validators as usize;
        seats - self.plan.away as usize..seats
    }

    /// Until when a machine is away, if it is away now.
    pub(super) fn away_until(&self, node: usize) -> Option<u64> {
        let (from, until) = self.plan.away_between;
        let gone = self.away().contains(&node) && (from..until).contains(&self.now);
        gone.then_some(until)
    }

    pub(super) fn restart(&mut self, node: usize) {
        if self.machines[node].replica.is_some() {
            return;
        }
        let machine = &self.machines[node];
        let opened = JournalStorage::open(
            Arc::new(machine.disk.clone()),
            Path::new("journal"),
            self.chain,
        );
        let (storage, recovered) = match opened {
            Ok(opened) => opened,
            Err(_) if machine.disk.halted() => {
                self.mark("power cut while opening");
                let seed = self.random.draw();
                self.machines[node].disk.power_cut(seed);
                let after = self.random.between(10, 1_000);
                return self.at(after, Event::Restart { node });
            }
            Err(stop) => {
                return self.fail(format!("node {node}: the journal does not open: {stop}"));
            }
        };
        let tip = recovered.tip;
        if tip < Height(machine.told) && !machine.wiped {
            let told = machine.told;
            return self.fail(format!(
                "LOST: node {node} told height {told} and restarted at {tip}"
            ));
        }
        let snapshot = self.machines[node].snapshot.take();
        let usable = snapshot.filter(|app| {
            let at = app.tip();
            at.seal.height == Height(0)
                || (at.seal.height <= tip
                    && storage
                        .decided(at.seal.height)
                        .is_some_and(|block| block.seal.id() == at.block))
        });
        let mut app = if self.random.percent(85) {
            usable
        } else {
            None
        };
        let mut app = app.take().unwrap_or_else(|| L::open(&self.genesis));
        if self
            .plan
            .choosers
            .contains(&self.machines[node].organisation)
        {
            app.choose_certificates();
        }
        for height in (app.tip().seal.height.0 + 1..=tip.0).map(Height) {
            let Some(block) = storage.decided(height) else {
                return self.fail(format!("node {node} holds no block {height}"));
            };
            let applied = app
                .execute(&block.body, &block.seal)
                .and_then(|()| app.commit(&block.seal.id(), &block.certificate));
            if let Err(error) = applied {
                return self.fail(format!(
                    "node {node}: block {height} of its own journal does not apply: {error}"
                ));
            }
        }
        if !storage.wal(tip.next()).is_empty() {
            self.mark("restart with a log to replay");
        }
        let verify = SimVerify {
            memo: self.plan.is_honest(),
        };
        let machine = &self.machines[node];
        let keys = if machine.moved {
            L::moved_keys(&self.genesis, machine.organisation)
        } else {
            L::keys(&self.genesis, machine.organisation)
        };
        let replica = Replica::new(self.config.clone(), keys, app, storage, verify);
        let machine = &mut self.machines[node];
        machine.replica = Some(replica);
        machine.life += 1;
        machine.booted_at = self.now;
        machine.wake = None;
        machine.doomed = None;
        machine.wiped = false;
        let peers: Vec<u32> = (1..=self.plan.nodes).collect();
        self.note(node, &[], || format!("starts at {tip}"));
        self.started_at_tip(node);
        self.step(node, Input::Peers(peers));
    }

    pub(super) fn die(&mut self, node: usize, power: bool) {
        self.note(node, &[u8::from(power)], || format!("dies (power {power})"));
        let machine = &mut self.machines[node];
        let Some(replica) = machine.replica.take() else {
            return;
        };
        machine.snapshot = Some(replica.app().copy());
        machine.doomed = None;
        machine.disk_fails = false;
        machine.halts_with_power = true;
        machine.wake = None;
        if power {
            let seed = self.random.draw();
            self.machines[node].disk.power_cut(seed);
            self.mark("power cut");
        } else {
            self.machines[node].disk.kill();
            self.mark("kill");
        }
        let all_vote = self.machines.iter().all(|machine| !machine.in_doubt);
        if self.losses < self.plan.losses
            && all_vote
            && node < self.plan.validators as usize
            && (self.outcome.height > 2 || self.plan.new_guards)
        {
            self.losses += 1;
            if self.losses > 1 {
                self.mark("another disk lost");
            }
            self.forget(node);
            self.machines[node].in_doubt = true;
            if self.outcome.height == 0 {
                self.mark("disk lost before the first block");
            }
        }
        let after = self.random.between(10, 4_000);
        self.at(after, Event::Restart { node });
    }

    /// A disk is lost: it is empty, or as it was some blocks ago.
    fn forget(&mut self, node: usize) {
        const BLOCKS_AGO: u64 = 3;
        let told = self.machines[node].told;
        let old = self.machines[node].old_disk.take();
        let old = old.filter(|(_, height)| height + BLOCKS_AGO <= told);
        if let Some((disk, _)) = old.filter(|_| self.random.percent(50)) {
            let seed = self.random.draw();
            let machine = &mut self.machines[node];
            machine.disk = disk;
            machine.disk.power_cut(seed);
            machine.snapshot = None;
            machine.told = 0;
            machine.wiped = true;
            self.mark("disk as it was");
        } else {
            self.empty(node);
        }
    }

    /// The clock of somebody's machine is stepped.
    pub(super) fn step_clock(&mut self) {
        const HOUR_MS: i64 = 3_600_000;
        if self.calm() {
            return;
        }
        self.latest_wall();
        let node = self.random.below(self.machines.len() as u64) as usize;
        let to = self.random.between(0, 8_000) as i64 - 4_000;
        let wrong = self.plan.wrong_clock && node == self.wrong;
        let hours = [-HOUR_MS, 0, HOUR_MS][self.random.below(3) as usize];
        self.machines[node].offset_ms = if wrong { to + hours } else { to };
        self.mark("clock stepped");
        let next = self.random.between(1_000, 8_000);
        self.at(next, Event::ClockStep);
    }

    /// The faults are over: what failed works again.
    pub(super) fn heal_disk(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        machine.disk.clear_faults();
        machine.disk.set_space(None);
        machine.halts_with_power = true;
    }

    /// Something goes wrong with a disk: a write or a sync fails, or it is full.
    fn break_disk(&mut self, node: usize) {
        let after = self.random.below(12);
        let kind = if self.random.percent(50) {
            FaultKind::Io
        } else {
            FaultKind::Full
        };
        let op = [None, Some(DiskOp::Sync), Some(DiskOp::Append)][self.random.below(3) as usize];
        let space = self.random.below(3_000);
        let full = self.random.percent(25);
        let machine = &mut self.machines[node];
        if machine.replica.is_none() {
            return;
        }
        machine.disk_fails = true;
        if full {
            machine.disk.set_space(Some(space));
        } else {
            machine.disk.inject(Fault { op, after, kind });
        }
    }

    fn empty(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        machine.disk = SimDisk::new();
        machine.snapshot = None;
        machine.told = 0;
        machine.wiped = true;
        self.mark("disk lost");
    }

    /// A machine dies, loses its disk, and is back a moment later.
    pub(super) fn lose(&mut self, node: usize) {
        self.die(node, false);
        self.empty(node);
    }

    /// So many machines die and lose their disks that nobody can end their doubt.
    pub(super) fn disaster(&mut self, lost: Vec<usize>) {
        for node in &lost {
            self.lose(*node);
        }
        self.lost = lost;
        // Meanwhile they follow, and nothing can be decided.
        self.at(8_000, Event::Recover);
    }

    /// Every operator stops the node; those who kept their disks say what they kept, and all go on by
    /// that. If a node has not caught up yet, all try again later.
    pub(super) fn recover(&mut self) {
        for node in 0..self.machines.len() {
            self.die(node, false);
        }
        let validators: Vec<ValidatorKey> = L::open(&self.genesis)
            .validators()
            .iter()
            .map(|v| v.key())
            .collect();
        let lost: BTreeSet<OrganisationId> = self
            .lost
            .iter()
            .map(|node| OrganisationId(self.machines[*node].organisation))
            .collect();
        let mut files = Vec::new();
        for node in (0..self.machines.len()).filter(|node| !self.lost.contains(node)) {
            let (mut storage, tip) = self.stopped(node);
            let waits = LostGuard {
                height: tip.0.next(),
                round: None,
                lock: None,
            };
            storage
                .journal_mut()
                .note_lost_guard(&waits)
                .expect("a healthy disk");
            let keys = L::keys(&self.genesis, self.machines[node].organisation);
            match kept::read(&storage, self.chain, keys.organisation, tip, &lost) {
                Ok(kept) => files.push(SignedKept {
                    signature: keys.sign_kept(&kept.sign_bytes()),
                    kept,
                }),
                Err(why) => {
                    return self.fail(format!("node {node} cannot say what it kept: {why}"));
                }
            }
        }
        let mut behind = false;
        for node in 0..self.machines.len() {
            let (mut storage, tip) = self.stopped(node);
            let place = Place {
                chain: self.chain,
                me: OrganisationId(self.machines[node].organisation),
                tip,
                validators: &validators,
                without_proof: false,
            };
            match kept::judge(&place, &files) {
                Ok(guard) => {
                    if guard.lock.is_some() {
                        self.mark("recovered with a lock");
                    }
                    if guard.round > Some(2) {
                        self.mark("recovered above round 2");
                    }
                    let above = self.decided.keys().next_back().copied();
                    if above >= Some(guard.height) {
                        self.mark("only lost disks held the newest block");
                    }
                    storage
                        .journal_mut()
                        .note_lost_guard(&guard)
                        .expect("a healthy disk");
                    self.mark("recovered");
                }
                // It has not caught up.
                Err(Unfit::Behind { .. }) => behind = true,
                Err(why) => return self.fail(format!("node {node} is not recovered: {why}")),
            }
        }
        if behind {
            self.mark("recovered later");
            self.at(6_000, Event::Recover);
        }
    }

    /// What lies on the disk of a machine that is down.
    fn stopped(&self, node: usize) -> (JournalStorage, (Height, Hash)) {
        let disk = Arc::new(self.machines[node].disk.clone());
        let (storage, recovered) =
            JournalStorage::open(disk, Path::new("journal"), self.chain).expect("a healthy disk");
        let block = storage
            .decided(recovered.tip)
            .map_or_else(|| L::open(&self.genesis).tip().block, |b| b.seal.id());
        (storage, (recovered.tip, block))
    }

    pub(super) fn crash_somebody(&mut self) {
        let any = self.plan.crashes || self.plan.power_cuts || self.plan.disk_faults;
        if self.calm() || !any {
            return;
        }
        let node = self.random.below(self.machines.len() as u64) as usize;
        if self.plan.stale && self.random.percent(30) {
            let machine = &mut self.machines[node];
            machine.old_disk = Some((machine.disk.fork(), machine.told));
        }
        if self.plan.disk_faults && (self.random.percent(40) || !self.plan.may_die()) {
            self.break_disk(node);
            let next = self.random.between(500, 6_000);
            return self.at(next, Event::Crash);
        }
        let power = self.plan.power_cuts && (!self.plan.crashes || self.random.percent(50));
        match self.random.below(3) {
            0 => self.die(node, power),
            1 => self.machines[node].doomed = Some((self.random.below(8), power)),
            // Inside a step: between two operations of the disk.
            _ => {
                let operations = self.random.below(12);
                self.machines[node].disk.halt_after(operations);
                self.machines[node].halts_with_power = power;
                if !power {
                    self.mark("killed inside a step");
                }
            }
        }
        let next = self.random.between(500, 6_000);
        self.at(next, Event::Crash);
    }

    pub(super) fn weather(&mut self) {
        if self.calm() {
            return;
        }
        self.cut.clear();
        let count = self.machines.len();
        if self.plan.partitions && self.random.percent(50) {
            let side: Vec<bool> = (0..count).map(|_| self.random.percent(50)).collect();
            for from in 0..count {
                for to in 0..count {
                    if side[from] != side[to] {
                        self.cut.insert((from, to));
                    }
                }
            }
            self.mark("partition");
        }
        if self.plan.one_way && self.random.percent(50) {
            for _ in 0..2 {
                let (from, to) = (
                    self.random.below(count as u64) as usize,
                    self.random.below(count as u64) as usize,
                );
                self.cut.insert((from, to));
            }
        }
        let next = self.random.between(1_000, 8_000);
        self.at(next, Event::Weather);
    }
}
