//! The system under test, as far as it can be read without privileges.

use std::fs;

use serde::{Deserialize, Serialize};

use super::Device;

/// What a number depends on besides the code.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Version of gapbench.
    pub gapbench: String,
    /// Operating system and architecture: `linux x86_64`.
    pub system: String,
    /// Kernel release, where readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Processor model, where readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Processors this process may use.
    pub cores: usize,
    /// Physical memory in bytes, where readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The device of the run's kernels with its measured peaks, where there are kernels and a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// Whether the benchmark was built without optimisation.
    pub debug_build: bool,
    /// Revision of the benchmarked repository with `+` for uncommitted changes, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

impl Environment {
    /// Reads the system this process runs on. What cannot be read is absent, never guessed.
    pub fn read(debug_build: bool, revision: Option<String>) -> Environment {
        Environment {
            gapbench: env!("CARGO_PKG_VERSION").to_owned(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
            cpu: fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| cpu_model(&text)),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_memory(&text)),
            device: None,
            debug_build,
            revision,
        }
    }

    /// Names what differs in a way that makes times of the two systems incomparable; empty when nothing does.
    pub fn differences(&self, other: &Environment) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |name: &str, ours: String, theirs: String| {
            if ours != theirs {
                found.push(format!("{name} ({theirs} there, {ours} here)"));
            }
        };
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        compare("processor", known(&self.cpu), known(&other.cpu));
        compare("cores", self.cores.to_string(), other.cores.to_string());
        compare("system", self.system.clone(), other.system.clone());
        compare("kernel", known(&self.kernel), known(&other.kernel));
        if let (Some(ours), Some(theirs)) = (&self.device, &other.device) {
            compare("device", ours.name.clone(), theirs.name.clone());
            compare("driver", ours.driver.clone(), theirs.driver.clone());
        }
        compare("debug build", self.debug_build.to_string(), other.debug_build.to_string());
        found
    }
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(':'))
        .map(|(_, model)| model.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn total_memory(meminfo: &str) -> Option<u64> {
    let kib = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kib.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_linux_files() {
        assert_eq!(
            cpu_model("processor: 0\nmodel name\t: AMD  EPYC 7B13 \n"),
            Some("AMD EPYC 7B13".to_owned())
        );
        assert_eq!(total_memory("MemTotal:       24\u{20}kB\nMemFree: 1 kB\n"), Some(24 * 1024));
        assert_eq!(total_memory("nothing"), None);
    }

    #[test]
    fn names_every_difference() {
        let here = Environment { cpu: Some("A".into()), cores: 2, ..Environment::default() };
        let there = Environment { cpu: Some("B".into()), cores: 4, ..Environment::default() };
        assert_eq!(here.differences(&there), ["processor (B there, A here)", "cores (4 there, 2 here)"]);
        assert!(here.differences(&here).is_empty());
    }
}
