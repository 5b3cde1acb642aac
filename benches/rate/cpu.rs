//! What this thread or process has taken of the machine.
#![allow(dead_code, reason = "each benchmark asks for its own part")]

use std::fs;

use rustix::time::{ClockId, clock_gettime};

/// The CPU time of this thread, in nanoseconds.
pub fn cpu_ns() -> u64 {
    ns(ClockId::ThreadCPUTime)
}

/// The CPU time of all threads of this process, in nanoseconds.
pub fn process_cpu_ns() -> u64 {
    ns(ClockId::ProcessCPUTime)
}

/// The most memory that this process has had, in KiB.
pub fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

pub fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn ns(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
