#!/usr/bin/env bash
# What sending costs, beside MLPerf LoadGen. See README.md.
#
# usage: benches/load-generator.sh [ROUNDS [CLASS]]    CLASS: ordinary (default), realtime
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-3}
class=${2:-ordinary}
[[ $# -le 2 && $rounds =~ ^[1-9][0-9]*$ && $class =~ ^(ordinary|realtime)$ ]] ||
    misuse "usage: load-generator.sh [ROUNDS [ordinary|realtime]]"
command -v g++ >/dev/null || misuse "needs g++"

# LoadGen's C++ source is in its Python package; its Python interface would add the interpreter to every request.
loadgen=6.0.17
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" download --quiet --no-deps --no-binary mlcommons-loadgen --dest "$scratch" "mlcommons-loadgen==$loadgen" ||
    misuse "needs the source of mlcommons-loadgen $loadgen from the package index"
tar -xzf "$scratch/mlcommons_loadgen-$loadgen.tar.gz" -C "$scratch"
source_of_loadgen=$scratch/mlcommons_loadgen-$loadgen

cat >"$scratch/peer.cc" <<'CPP'
// usage: peer single|server REQUESTS RATE SERVICE_US
#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "loadgen.h"
#include "query_sample_library.h"
#include "system_under_test.h"
#include "test_settings.h"

static long service_us = 0;
static unsigned long long issued = 0;

struct System : mlperf::SystemUnderTest {
  std::string name = "null";
  const std::string& Name() override { return name; }
  void IssueQuery(const std::vector<mlperf::QuerySample>& samples) override {
    for (const auto& sample : samples) {
      if (service_us > 0) {
        timespec pause{0, service_us * 1000};
        nanosleep(&pause, nullptr);
      }
      ++issued;
      mlperf::QuerySampleResponse response{sample.id, 0, 0};
      mlperf::QuerySamplesComplete(&response, 1);
    }
  }
  void FlushQueries() override {}
};

struct Library : mlperf::QuerySampleLibrary {
  std::string name = "inputs";
  const std::string& Name() override { return name; }
  size_t TotalSampleCount() override { return 1024; }
  size_t PerformanceSampleCount() override { return 1024; }
  void LoadSamplesToRam(const std::vector<mlperf::QuerySampleIndex>&) override {}
  void UnloadSamplesFromRam(const std::vector<mlperf::QuerySampleIndex>&) override {}
};

static double cpu_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int main(int, char** arguments) {
  const bool single = std::string(arguments[1]) == "single";
  const unsigned long requests = strtoul(arguments[2], nullptr, 10);
  const double rate = strtod(arguments[3], nullptr);
  service_us = strtol(arguments[4], nullptr, 10);
  mlperf::TestSettings settings;
  settings.scenario = single ? mlperf::TestScenario::SingleStream : mlperf::TestScenario::Server;
  settings.mode = mlperf::TestMode::PerformanceOnly;
  settings.min_query_count = settings.max_query_count = requests;
  settings.min_duration_ms = 0;
  settings.single_stream_expected_latency_ns = 1000;
  settings.server_target_qps = rate;
  settings.server_target_latency_ns = 1000000000;
  mlperf::LogSettings log;
  log.log_output.outdir = ".";
  log.enable_trace = false;
  System system;
  Library library;
  const double before = cpu_seconds();
  mlperf::StartTest(&system, &library, settings, log);
  printf("%llu %.9f\n", issued, cpu_seconds() - before);
}
CPP
g++ -O3 -std=c++17 -pthread -I"$source_of_loadgen" "$scratch/peer.cc" "$source_of_loadgen"/*.cc \
    "$source_of_loadgen/generated/version_generated.cc" -o "$scratch/peer" 2>"$scratch/peer.log" || {
    tail -20 "$scratch/peer.log" >&2
    misuse "LoadGen did not compile"
}

crate load "$with_load" load
cat >"$scratch/load/benches/load.rs" <<'RUST'
//! usage: load single|server|offline|shared REQUESTS RATE SERVICE_US ordinary|realtime GRAIN_US
use std::sync::Arc;
use std::time::Duration;

use gapbench::load::{Arrivals, Limit, Scenario};
use gapbench::measure::load::{Answer, Load, Service, run};

fn ticks() -> f64 {
    // utime and stime of this process would be in ticks of 10 ms; the sum over threads is in nanoseconds.
    let mut sum = 0.0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        sum += text.split_whitespace().next().unwrap().parse::<f64>().unwrap();
    }
    sum * 1e-9
}

fn peak_kib() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let requests: usize = words[1].parse().unwrap();
    let rate: f64 = words[2].parse().unwrap();
    let service = Duration::from_micros(words[3].parse().unwrap());
    let scenario = match words[0].as_str() {
        "single" => Scenario::SingleStream,
        "offline" => Scenario::Offline,
        _ => Scenario::OpenLoop { rate, arrivals: Arrivals::Poisson },
    };
    let mut load = Load::new(scenario, Limit::Requests(requests), 1, 1024);
    load.realtime = words[4] == "realtime";
    load.grain_ns = words[5].parse::<u64>().unwrap() * 1_000;
    let answer = move || {
        if !service.is_zero() {
            std::thread::sleep(service);
        }
        Answer::OK
    };
    let before = ticks();
    let outcome = if words[0] == "shared" {
        run(&load, Service::Shared(Arc::new(move |_, _| answer()), 2)).unwrap()
    } else {
        run(&load, Service::Single(&mut |_| answer())).unwrap()
    };
    let time = |times: &gapbench::measure::load::Times, p| times.quantile_ns(p).unwrap_or(0);
    println!(
        "{} {} {} {} {} {} {} {} {:?}",
        outcome.issued,
        // Threads that have ended are not in the list: theirs is what the process has beyond it.
        (process_cpu() - before).max(ticks() - before),
        outcome.throughput_per_second,
        time(&outcome.latency, 0.5),
        time(&outcome.latency, 0.99),
        time(&outcome.send_lag, 0.5),
        time(&outcome.send_lag, 0.99),
        peak_kib(),
        outcome.scheduling,
    );
}

/// Processor seconds of all threads, ended ones included, in ticks of 10 ms.
fn process_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * 0.01
}
RUST
ours=$(executables load | cut -d' ' -f2)

machine
python3 "$here/load-generator.py" "$ours" "$scratch/peer" "$scratch" "$rounds" "$class"
