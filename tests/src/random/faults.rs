//! Planted damage: a history of the run is spoilt in one place and audited again. Every finding has
//! a code; which ones come about is counted with the others.

use rollbook_core::audit::{Auditor, Report};
use rollbook_core::block::SystemSection;
use rollbook_core::export::{BlockFrame, Header, Tail};
use rollbook_proof::chain::Seal;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, VerifierCache, sha256};
use rollbook_proof::number::{Height, LedgerTime};

use crate::sim::random::Random;

/// Kinds of damage.
pub const KINDS: u64 = 21;

/// A history as an audit takes it.
#[derive(Clone)]
pub struct History {
    pub header: Header,
    pub frames: Vec<BlockFrame>,
    pub tail: Tail,
    pub expected: Hash,
    pub digest_ok: bool,
}

impl History {
    /// Executes the whole history again from its genesis, as an audit does.
    pub fn audit(&self) -> Report {
        let mut frames = self.frames.iter();
        let first = frames.next().unwrap();
        let mut auditor = Auditor::new(&self.header, first, Some(self.expected));
        let mut verifier = VerifierCache::default();
        for frame in frames {
            auditor.block(frame, &mut verifier);
        }
        auditor
            .finish(&self.header, &self.tail, self.digest_ok)
            .report
    }

    fn seal(&mut self, at: usize, change: impl FnOnce(&mut Seal, &BlockFrame)) {
        let mut seal: Seal = decode(&self.frames[at].seal).unwrap();
        change(&mut seal, &self.frames[at]);
        self.frames[at].seal = encode(&seal);
    }

    /// Damages the history in one way.
    pub fn damage(&mut self, kind: u64, random: &mut Random) {
        let last = self.frames.len() - 1;
        let at = random.between(1, last as u64) as usize;
        let other = Hash([7; 32]);
        match kind {
            0 => self.expected = other,
            1 => self.header.genesis = other,
            2 => self.frames[0].derived[1][9] ^= 1,
            3 => self.frames[0].records.push(vec![1]),
            4 => self.frames[0].seal[0] ^= 1,
            5 => {
                self.frames.remove(at);
            }
            6 if last > 2 => self.frames.swap(last, last - 1),
            7 => self.header.height = Height(self.header.height.0 + 1),
            8 => self.digest_ok = false,
            9 => self.tail.certificate = None,
            10 => self.tail.checkpoint = None,
            11 => {
                if let Some(checkpoint) = &mut self.tail.checkpoint {
                    checkpoint.root = other;
                }
            }
            12 => {
                if let Some(certificate) = &mut self.tail.certificate {
                    certificate.round += 1;
                }
            }
            13 => self.frames[at].derived.push(vec![3, 1, 2]),
            14 => self.seal(at, |seal, _| seal.state_root = other),
            15 => self.seal(at, |seal, _| seal.log_root = other),
            16 => self.seal(at, |seal, _| seal.time_ms = LedgerTime(1)),
            17 => {
                // A system section without the certificate, under a seal that says so.
                self.frames[last].system = encode(&SystemSection::default());
                self.seal(last, |seal, frame| seal.body = sha256(&frame.body()));
            }
            18 => {
                if let Some(record) = self.frames[at].records.first_mut() {
                    let byte = random.below(record.len() as u64) as usize;
                    record[byte] ^= 1;
                }
            }
            19 => self.frames[at].seal.truncate(5),
            _ => self.seal(at, |seal, _| seal.protocol.0 += 1),
        }
    }
}
