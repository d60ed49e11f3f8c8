//! A queue in real time, and the same queue computed from the same arrivals and services.
//!
//! usage: queues SERVERS RATE UTILISATION exponential|constant REQUESTS plain|aimed ordinary|realtime SEED
//!
//! Services sleep. `plain` ones sleep for the drawn time and so last longer, by the time that waking up takes. `aimed`
//! ones take what they were too long from the next sleep, so that their sum is the drawn one to one wake-up.
use std::cell::RefCell;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gapbench::load::simulate::{ServiceTime, System};
use gapbench::load::{Arrivals, Draw, Limit, Scenario, schedule};
use gapbench::measure::load::{Answer, Load, Service, run};

/// Mean sojourn in nanoseconds of a first-come-first-served queue before equal servers (Lindley; Kiefer and Wolfowitz for
/// several servers), from due times and services.
fn mean_sojourn(servers: usize, due_and_service_ns: &[(u64, u64)]) -> f64 {
    let mut free_ns = vec![0_u64; servers];
    let mut sum = 0.0;
    for (due_ns, service_ns) in due_and_service_ns {
        let first = free_ns.iter_mut().min().unwrap();
        *first = (*first).max(*due_ns) + service_ns;
        sum += (*first - due_ns) as f64;
    }
    sum / due_and_service_ns.len() as f64
}

/// What the sleeps of one thread were too long in all, and how long a wake-up takes lately, in nanoseconds.
#[derive(Clone, Copy, Default)]
struct Aim {
    owed_ns: f64,
    waking_ns: f64,
}

/// Weight of the last wake-up in the running mean.
const NEWEST: f64 = 0.02;

thread_local! {
    static AIM: RefCell<Aim> = RefCell::default();
}

fn sleep(service_ns: u64, aimed: bool) {
    if !aimed {
        thread::sleep(Duration::from_nanos(service_ns));
        return;
    }
    AIM.with_borrow_mut(|aim| {
        let start = Instant::now();
        let wanted_ns = service_ns as f64 - aim.owed_ns - aim.waking_ns;
        if wanted_ns > 0.0 {
            thread::sleep(Duration::from_nanos(wanted_ns as u64));
            let late_ns = start.elapsed().as_nanos() as f64 - wanted_ns;
            aim.waking_ns += NEWEST * (late_ns - aim.waking_ns);
        }
        aim.owed_ns += start.elapsed().as_nanos() as f64 - service_ns as f64;
    });
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let servers: usize = words[0].parse().unwrap();
    let rate: f64 = words[1].parse().unwrap();
    let utilisation: f64 = words[2].parse().unwrap();
    let exponential = words[3] == "exponential";
    let requests: usize = words[4].parse().unwrap();
    let aimed = words[5] == "aimed";
    let seed: u64 = words[7].parse().unwrap();

    let mean_ns = (utilisation * servers as f64 / rate * 1e9) as u64;
    let time = if exponential { ServiceTime::Exponential(mean_ns) } else { ServiceTime::Constant(mean_ns) };
    let mut draw = Draw::named(seed, "service");
    let drawn_ns: Vec<u64> = (0..requests)
        .map(|_| if exponential { (mean_ns as f64 * draw.exponential()).round() as u64 } else { mean_ns })
        .collect();
    let scenario = Scenario::OpenLoop { rate, arrivals: Arrivals::Poisson };
    let due = schedule(&scenario, seed, Limit::Requests(requests)).unwrap().unwrap();
    let drawn: Vec<(u64, u64)> =
        drawn_ns.iter().enumerate().map(|(at, service_ns)| (due.due_ns(at).unwrap(), *service_ns)).collect();
    let computed = mean_sojourn(servers, &drawn);
    // The library's own virtual clock says the same.
    let served = System { servers, service: time, stall: None }.open(&due, seed);
    let simulated = served.iter().map(|one| one.sojourn_ns() as f64).sum::<f64>() / requests as f64;
    assert!((computed / simulated - 1.0).abs() < 1e-9, "{computed} {simulated}");

    // Which request an input belongs to: the order depends on the seed and the number of inputs alone.
    let mut service_ns = vec![0; requests];
    let mut at = 0;
    run(
        &Load::new(Scenario::Offline, Limit::Requests(requests), seed, requests),
        Service::Single(&mut |input| {
            service_ns[input] = drawn_ns[at];
            at += 1;
            Answer::OK
        }),
    )
    .unwrap();

    let mut load = Load::new(scenario, Limit::Requests(requests), seed, requests);
    load.keep_rows = requests;
    load.realtime = words[6] == "realtime";
    let outcome = if servers == 1 {
        run(
            &load,
            Service::Single(&mut |input| {
                sleep(service_ns[input], aimed);
                Answer::OK
            }),
        )
    } else {
        let call = move |input: usize, _: usize| {
            sleep(service_ns[input], aimed);
            Answer::OK
        };
        run(&load, Service::Shared(Arc::new(call), servers))
    }
    .unwrap();
    assert_eq!(outcome.rows.len(), requests);
    let as_served: Vec<(u64, u64)> = outcome.rows.iter().map(|row| (row.due_ns, row.end_ns - row.begin_ns)).collect();
    let mean = |of: &dyn Fn(usize) -> f64| (0..requests).map(of).sum::<f64>() / requests as f64;
    println!(
        "{} {} {} {} {} {:?}",
        computed,
        mean(&|at| (outcome.rows[at].end_ns - outcome.rows[at].due_ns) as f64),
        mean_sojourn(servers, &as_served),
        mean(&|at| as_served[at].1 as f64 - drawn_ns[at] as f64),
        outcome.send_lag.mean_ns().unwrap(),
        outcome.scheduling,
    );
}
