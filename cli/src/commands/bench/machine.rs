//! What the operating system tells about processes and the machine. Linux only; elsewhere the
//! figures are absent, not guessed.

use std::fs::read_to_string;

use serde::Serialize;

/// Clock ticks a second in `/proc`: 100 on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// CPU seconds and memory of a process.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Usage {
    /// User and system time since its start, in seconds.
    pub cpu_seconds: f64,
    /// Resident memory now, in bytes.
    pub rss: u64,
    /// The most it ever was.
    pub rss_peak: u64,
}

/// The usage of a process; none if the system does not tell.
pub fn usage(pid: &str) -> Option<Usage> {
    let stat = read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; fields are counted after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    let status = read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    Some(Usage {
        cpu_seconds: ticks / TICKS,
        rss: kib("VmRSS:")?.saturating_mul(1024),
        rss_peak: kib("VmHWM:")?.saturating_mul(1024),
    })
}

/// The machine a figure was measured on.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Name of the processor.
    pub processor: String,
    /// Threads it runs at once.
    pub threads: usize,
    /// Average load of the last minute before the run: other work on the machine.
    pub load: Option<f64>,
    /// Kernel.
    pub system: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Machine {
        let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            cpu.lines()
                .find(|line| line.starts_with(name))
                .and_then(|line| line.split_once(": "))
                .map(|(_, v)| v.to_owned())
        };
        let load = read_to_string("/proc/loadavg").ok();
        Machine {
            processor: field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            load: load.and_then(|text| text.split(' ').next()?.parse().ok()),
            system: read_to_string("/proc/sys/kernel/osrelease")
                .map_or(std::env::consts::OS.to_owned(), |r| r.trim().to_owned()),
        }
    }
}
