//! What comes for as long as it likes, and is not waited for without end (RULINGS A46). Whoever is silent
//! for [`SILENCE`] has broken off: a stream of events says something every fifteen seconds. So has a
//! download that falls [`LATE`] behind a kilobyte a second.
//!
//! The bytes are read on a thread of their own, because nothing else can be waited for with patience; it
//! ends with its connection.

use std::io::{Error, ErrorKind, Read, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(60);
/// How far it may be behind.
const LATE: Duration = Duration::from_secs(60);
/// Bytes in a second at least.
const LEAST_RATE: u64 = 1_024;
/// Bytes of one part, and parts that wait.
const PART: usize = 64 * 1024;
const PARTS: usize = 4;

/// A reader with patience.
pub(crate) struct Stream {
    parts: Receiver<Result<Vec<u8>>>,
    part: Vec<u8>,
    at: usize,
    silence: Duration,
    pace: Pace,
}

/// How far behind the least rate a sender is.
#[derive(Debug)]
struct Pace {
    late: Duration,
    most: Duration,
}

impl Pace {
    /// So much came after so long; false if that is too late.
    fn came(&mut self, bytes: usize, after: Duration) -> bool {
        let earned = (bytes as u64).saturating_mul(1_000) / LEAST_RATE;
        self.late = self
            .late
            .saturating_add(after)
            .saturating_sub(Duration::from_millis(earned));
        self.late <= self.most
    }
}

impl Stream {
    /// Of events: they come when there are some.
    pub(crate) fn events(reader: impl Read + Send + 'static) -> Stream {
        Stream::with(reader, SILENCE, Duration::MAX)
    }

    /// Of a download.
    pub(crate) fn download(reader: impl Read + Send + 'static) -> Stream {
        Stream::with(reader, SILENCE, LATE)
    }

    fn with(mut reader: impl Read + Send + 'static, silence: Duration, late: Duration) -> Stream {
        let (sender, parts) = sync_channel(PARTS);
        std::thread::spawn(move || {
            loop {
                let mut part = vec![0; PART];
                let read = reader.read(&mut part);
                let is_last = !matches!(read, Ok(1..));
                let read = read.map(|read| {
                    part.truncate(read);
                    part
                });
                // Whoever read it is gone, or it ends here.
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        });
        Stream {
            parts,
            part: Vec::new(),
            at: 0,
            silence,
            pace: Pace {
                late: Duration::ZERO,
                most: late,
            },
        }
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if self.at == self.part.len() {
            let begun = Instant::now();
            self.part = match self.parts.recv_timeout(self.silence) {
                Ok(part) => part?,
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Error::new(ErrorKind::TimedOut, "nothing came for a minute"));
                }
            };
            self.at = 0;
            if !self.part.is_empty() && !self.pace.came(self.part.len(), begun.elapsed()) {
                return Err(Error::new(ErrorKind::TimedOut, "it comes byte by byte"));
            }
        }
        let rest = self.part.get(self.at..).unwrap_or_default();
        let taken = rest.len().min(out.len());
        for (to, from) in out.iter_mut().zip(rest) {
            *to = *from;
        }
        self.at += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte, then a pause, without end.
    struct Drip(Duration, usize);

    impl Read for Drip {
        fn read(&mut self, out: &mut [u8]) -> Result<usize> {
            std::thread::sleep(self.0);
            let most = out.len().min(self.1);
            out[..most].fill(b'x');
            Ok(most)
        }
    }

    /// A download that came at a byte in two seconds was waited for without end.
    #[test]
    fn a_drip_ends_and_so_does_silence() {
        let ms = Duration::from_millis;
        let drip = Stream::with(Drip(ms(20), 1), ms(5_000), ms(200));
        let error = std::io::copy(&mut { drip }, &mut std::io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "it comes byte by byte");
        let silent = Stream::with(Drip(ms(5_000), 1), ms(100), ms(200));
        let error = std::io::copy(&mut { silent }, &mut std::io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "nothing came for a minute");
    }

    /// On a quiet chain nothing comes but three bytes every fifteen seconds.
    #[test]
    fn a_quiet_stream_of_events_goes_on() {
        let pace = |most| {
            let late = Duration::ZERO;
            let mut pace = Pace { late, most };
            (0..10_000).all(|_| pace.came(3, Duration::from_secs(15)))
        };
        assert!(pace(Duration::MAX), "events");
        assert!(!pace(LATE), "a download");
        let whole: &'static [u8] = b"as it is";
        let mut text = String::new();
        Stream::events(whole).read_to_string(&mut text).unwrap();
        assert_eq!(text, "as it is");
    }
}
