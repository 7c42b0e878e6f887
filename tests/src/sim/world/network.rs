//! The network: what it delays, loses, repeats, damages and forges.

use rollbook_node::replica::message::Response;
use rollbook_proof::codec::{decode, encode};

use super::packet::Packet;
use super::{Event, World};
use crate::sim::ledger::SimLedger;

impl<L: SimLedger> World<L> {
    fn delay(&mut self) -> Option<u64> {
        if self.calm() {
            return Some(self.random.between(1, 20));
        }
        if self.random.permille(self.plan.loss) {
            return None;
        }
        if self.random.permille(self.plan.tail) {
            return Some(self.random.between(50, 3_000));
        }
        Some(self.random.between(self.plan.delay.0, self.plan.delay.1))
    }

    pub(super) fn send(&mut self, from: usize, to: usize, life: u64, mut packet: Packet) {
        if self.cut.contains(&(from, to)) {
            return;
        }
        self.corrupt(packet.bytes_mut());
        if !self.calm()
            && self.random.permille(self.plan.duplicate)
            && !matches!(packet, Packet::Request { .. })
        {
            let again = self.random.between(1, 500);
            self.at(
                again,
                Event::Deliver {
                    to,
                    life,
                    packet: packet.clone(),
                },
            );
        }
        if let Some(delay) = self.delay() {
            self.at(delay, Event::Deliver { to, life, packet });
        }
    }

    pub(super) fn answer(&mut self, from: usize, to: usize, life: u64, id: u64, bytes: Vec<u8>) {
        if to >= self.machines.len() || self.cut.contains(&(from, to)) {
            return;
        }
        let Some(delay) = self.delay() else { return };
        let life = if self.machines[to].life & 0xFFFF == life {
            self.machines[to].life
        } else {
            return;
        };
        if self.asked.remove(&(to, life, id)).is_some() {
            self.at(
                delay,
                Event::Deliver {
                    to,
                    life,
                    packet: Packet::Response { id, bytes },
                },
            );
        }
    }

    pub(super) fn corrupt(&mut self, bytes: &mut [u8]) {
        if self.calm() || bytes.is_empty() || !self.random.permille(self.plan.corrupt) {
            return;
        }
        let at = self.random.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << self.random.below(8);
        self.mark("message corrupted");
    }

    /// A forged block: a later time makes another, internally sound block under the old signatures.
    pub(super) fn lie(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let Ok(Response::Blocks(mut blocks)) = decode::<Response>(&bytes) else {
            return bytes;
        };
        if blocks.is_empty() || self.random.percent(30) {
            return bytes;
        }
        let at = self.random.below(blocks.len() as u64) as usize;
        let block = &mut blocks[at];
        match self.random.below(4) {
            0 => {
                block.seal.time_ms = block.seal.time_ms.plus_ms(1);
                block.certificate.block = block.seal.id();
            }
            1 => {
                block.certificate.signatures.pop();
            }
            2 => block.body.push(0),
            _ => {
                block.certificate.round += 1;
            }
        }
        self.mark("lie told");
        encode(&Response::Blocks(blocks))
    }
}
