//! gapbench's generator before a system that answers at once, or after a sleep.
//!
//! usage: null single|server|offline|shared REQUESTS RATE SERVICE_US ordinary|realtime GRAIN_US
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
        "{} {} {} {} {} {} {} {} {} {:?}",
        outcome.issued,
        // Threads that have ended are not in the list: theirs is what the process has beyond it.
        (process_cpu() - before).max(ticks() - before),
        outcome.throughput_per_second,
        time(&outcome.latency, 0.5),
        time(&outcome.latency, 0.99),
        time(&outcome.send_lag, 0.5),
        time(&outcome.send_lag, 0.9),
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
