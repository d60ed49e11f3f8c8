//! The real-time engine. A busy machine makes everything later, so only what was drawn, what was counted and lower bounds of
//! times are held against fixed numbers.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gapbench::load::{Arrivals, Limit, LoadError, Scenario, Think, schedule};
use gapbench::measure::load::{Answer, Emit, Ending, Load, LoadOutcome, Scheduling, Service, Validity, run};
use gapbench::measure::now_ns;

const US: u64 = 1_000;
const MS: u64 = 1_000_000;

/// A service that takes at least `ns`.
fn take(ns: u64) {
    let until = now_ns() + ns;
    while now_ns() < until {
        std::thread::park_timeout(Duration::from_nanos(until.saturating_sub(now_ns())));
    }
}

fn open(rate: f64, arrivals: Arrivals) -> Scenario {
    Scenario::OpenLoop { rate, arrivals }
}

fn conserved(outcome: &LoadOutcome) {
    assert_eq!(
        outcome.issued,
        outcome.counts.all(),
        "issued, and warm-up + completed + failed + refused + timed out"
    );
    assert_eq!(outcome.latency.count(), outcome.counts.completed);
    assert_eq!(outcome.send_lag.count(), outcome.counts.measured());
}

#[test]
fn an_open_loop_sends_every_request_at_its_due_time() {
    let mut load = Load::new(open(2_000.0, Arrivals::Poisson), Limit::Requests(600), 7, 10);
    load.warm_up = 100;
    let mut asked = Vec::new();
    let outcome = run(
        &load,
        Service::Single(&mut |input| {
            asked.push(input);
            Answer::OK
        }),
    )
    .unwrap();
    conserved(&outcome);
    assert_eq!((outcome.issued, outcome.counts.warm_up, outcome.counts.completed), (600, 100, 500));
    // Every input of a pass once, and the next pass in the same order.
    let mut pass = asked[..10].to_vec();
    assert_eq!(asked[10..20], pass);
    pass.sort_unstable();
    assert_eq!(pass, (0..10).collect::<Vec<_>>());
    let drawn = schedule(&load.scenario, 7, load.limit).unwrap().unwrap();
    assert_eq!(outcome.rows.len(), 500);
    for row in &outcome.rows {
        assert_eq!(Some(row.due_ns), drawn.due_ns(row.request as usize), "due times are those drawn");
        assert!(row.begin_ns >= row.due_ns && row.end_ns >= row.begin_ns, "nothing is early: {row:?}");
    }
    assert_eq!(outcome.offered_per_second, drawn.offered_rate());
    assert!(outcome.timing.is_some());
}

#[test]
fn latency_counts_from_due_when_the_service_stalls() {
    let load = Load::new(open(500.0, Arrivals::Constant), Limit::Requests(200), 1, 1);
    let mut calls = 0;
    let outcome = run(
        &load,
        Service::Single(&mut |_| {
            calls += 1;
            take(if calls == 50 { 150 * MS } else { 0 });
            Answer::OK
        }),
    )
    .unwrap();
    conserved(&outcome);
    // 75 requests are due during the stall and wait; one of 200 services is long.
    let waited = outcome.rows.iter().filter(|row| row.end_ns - row.due_ns >= 10 * MS).count();
    assert!(waited >= 65, "{waited} requests waited");
    assert!(outcome.latency.quantile_ns(0.9).unwrap() >= 50 * MS);
    // What waits behind the stall waits for the service and not for the generator: 150 - 2 k ms for the k-th request, 5.55 s
    // in all, however late a busy machine makes the sending besides.
    let behind = outcome.queue.sum_ns() - outcome.send_lag.sum_ns();
    assert!(behind >= 5.5e9, "{behind} ns of waiting for the service");
}

#[test]
fn every_way_to_fail_is_counted_and_named() {
    let mut load = Load::new(Scenario::Offline, Limit::Requests(1_000), 1, 100);
    load.objectives = vec!["p99 <= 10s".parse().unwrap()];
    let shared = |load: &Load| {
        let call = |input: usize, _: usize| match input {
            0..3 => Answer::Failed("http 500".into()),
            3 => Answer::Refused,
            4 => Answer::Timeout,
            5 => panic!("on purpose"),
            _ => Answer::OK,
        };
        run(load, Service::Shared(Arc::new(call), 3)).unwrap()
    };
    let outcome = shared(&load);
    conserved(&outcome);
    let counts = outcome.counts;
    assert_eq!((counts.completed, counts.failed, counts.refused, counts.timed_out), (940, 40, 10, 10));
    // 3 % of errors and 1 % of panics, by name.
    assert_eq!(outcome.failures, [("http 500".into(), 30), ("panicked: on purpose".into(), 10)]);
    let objective = &outcome.objectives[0];
    assert_eq!((objective.inside, objective.all, objective.met, objective.enough), (940, 1_000, false, true));
    assert_eq!(outcome.rows.iter().filter(|row| row.ending == Ending::Refused).count(), 10);
    assert!(outcome.rows.is_sorted_by_key(|row| row.request));

    load.keep_rows = 999;
    assert!(shared(&load).rows.is_empty(), "a run above the bound keeps no single requests");
    let nothing = run(&load, Service::Single(&mut |_| Answer::Refused)).unwrap();
    conserved(&nothing);
    assert_eq!((nothing.latency.quantile_ns(0.5), nothing.throughput_per_second), (None, 0.0));
}

#[test]
fn classes_are_bounded() {
    let load = Load::new(Scenario::Offline, Limit::Requests(500), 1, 500);
    let outcome =
        run(&load, Service::Single(&mut |input| Answer::Failed(format!("error {input}").into()))).unwrap();
    assert_eq!(outcome.failures.len(), 33);
    assert_eq!(outcome.failures[0], ("other".into(), 468));
}

#[test]
fn a_hang_is_a_timeout_and_its_worker_is_replaced() {
    for scenario in
        [open(500.0, Arrivals::Constant), Scenario::ClosedLoop { clients: 3, think: Think::Constant(MS) }]
    {
        let mut load = Load::new(scenario, Limit::Requests(60), 1, 60);
        load.timeout_ns = 200 * MS;
        let call = |input: usize, _: usize| {
            // Longer than any test may take.
            take(if input == 7 { 3_600_000 * MS } else { 0 });
            Answer::OK
        };
        let outcome = run(&load, Service::Shared(Arc::new(call), 1)).unwrap();
        conserved(&outcome);
        assert_eq!(outcome.issued, 60);
        // A machine that stops for 200 ms makes another request time out, never fewer.
        assert!(outcome.counts.timed_out >= 1 && outcome.replaced_workers >= 1, "{:?}", outcome.counts);
        assert!(outcome.counts.completed >= 30, "{:?}", outcome.counts);
    }
}

#[test]
fn a_slow_call_of_the_calling_thread_times_out_when_it_returns() {
    let mut load = Load::new(Scenario::SingleStream, Limit::Requests(10), 1, 10);
    load.timeout_ns = 100 * MS;
    let outcome = run(
        &load,
        Service::Single(&mut |input| {
            take(if input == 3 { 150 * MS } else { 0 });
            Answer::OK
        }),
    )
    .unwrap();
    conserved(&outcome);
    assert!(outcome.counts.timed_out >= 1);
    assert!(
        outcome
            .rows
            .iter()
            .any(|row| row.ending == Ending::TimedOut && row.end_ns - row.begin_ns >= 150 * MS)
    );
}

#[test]
fn a_closed_loop_has_its_clients_and_their_think_time() {
    let inside = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let count = Arc::clone(&inside);
    let call = move |_: usize, _: usize| {
        let now = count.0.fetch_add(1, Ordering::SeqCst) + 1;
        count.1.fetch_max(now, Ordering::SeqCst);
        take(2 * MS);
        count.0.fetch_sub(1, Ordering::SeqCst);
        Answer::OK
    };
    let think = Think::Constant(3 * MS);
    let load = Load::new(Scenario::ClosedLoop { clients: 4, think }, Limit::Requests(80), 1, 5);
    let outcome = run(&load, Service::Shared(Arc::new(call), 8)).unwrap();
    conserved(&outcome);
    assert_eq!(outcome.counts.completed, 80);
    assert!(inside.1.load(Ordering::SeqCst) <= 4, "never more requests than clients");
    // Each client takes at least 5 ms per request: no machine is faster than 4 / 5 ms.
    assert!(outcome.throughput_per_second <= 800.0 * 80.0 / 76.0, "{}", outcome.throughput_per_second);
    assert!(outcome.latency.quantile_ns(0.0).unwrap() >= 1_990 * US);
    // A client's next request is due exactly its think time after an end.
    let ends: Vec<u64> = outcome.rows.iter().map(|row| row.end_ns).collect();
    let followed = |row: &gapbench::measure::load::Row| ends.contains(&(row.due_ns - 3 * MS));
    assert!(outcome.rows.iter().filter(|row| row.request >= 4).all(followed));
}

#[test]
fn many_clients_need_few_threads_and_have_a_steady_window() {
    let load =
        Load::new(Scenario::ClosedLoop { clients: 1_000, think: Think::None }, Limit::Requests(20_000), 1, 5);
    let outcome = run(&load, Service::Shared(Arc::new(|_, _| Answer::OK), 2)).unwrap();
    conserved(&outcome);
    let steady = outcome.steady.unwrap();
    // It ends with the last end before fewer than 950 are in flight: 19,051 of 20,000.
    assert_eq!(steady.ended, 19_051);
    assert!(steady.from_ns < steady.to_ns && steady.per_second > 0.0);
    assert_eq!(outcome.workers, 2);
}

#[test]
fn seconds_end_a_loop_and_its_requests_are_drained() {
    let load = Load::new(Scenario::SingleStream, Limit::Seconds(0.05), 1, 5);
    let outcome = run(
        &load,
        Service::Single(&mut |_| {
            take(4 * MS);
            Answer::OK
        }),
    )
    .unwrap();
    conserved(&outcome);
    assert!((1..=13).contains(&outcome.issued), "{}", outcome.issued);
    assert!(outcome.window_seconds < 60.0);
}

#[test]
fn a_long_queue_is_served_in_batches() {
    let load = Load::new(Scenario::Offline, Limit::Requests(100), 3, 100);
    let mut sizes = Vec::new();
    let mut batch = |inputs: &[usize]| {
        sizes.push(inputs.len());
        inputs.iter().map(|_| Answer::Ok { tokens: 2 }).collect()
    };
    let outcome = run(&load, Service::Batch { call: &mut batch, max_batch: 32, max_wait_ns: 0 }).unwrap();
    conserved(&outcome);
    assert_eq!(sizes, [32, 32, 32, 4]);
    assert_eq!(outcome.batches, 4);
    assert!(outcome.tokens_per_second.unwrap() > 0.0);
}

#[test]
fn a_batch_waits_for_company_and_no_longer_than_it_may() {
    // 100 ms between requests, three fit into 250 ms: batches of 3 whatever the machine does meanwhile, or larger ones.
    let load = Load::new(open(10.0, Arrivals::Constant), Limit::Requests(6), 3, 100);
    let mut sizes = Vec::new();
    let mut batch = |inputs: &[usize]| {
        sizes.push(inputs.len());
        inputs.iter().map(|_| Answer::OK).collect()
    };
    let call = Service::Batch { call: &mut batch, max_batch: 8, max_wait_ns: 250 * MS };
    let outcome = run(&load, call).unwrap();
    conserved(&outcome);
    assert!(sizes.len() <= 2 && sizes.iter().sum::<usize>() == 6, "{sizes:?}");
    assert!(outcome.rows[0].begin_ns >= 250 * MS, "it waited its time out, since the batch was not full");
}

#[test]
fn a_batch_that_answers_too_few_or_panics_fails_its_members() {
    let load = Load::new(Scenario::Offline, Limit::Requests(8), 3, 8);
    let mut calls = 0;
    let mut batch = |inputs: &[usize]| {
        calls += 1;
        assert!(calls < 2, "second batch");
        vec![Answer::OK; inputs.len() - 1]
    };
    let outcome = run(&load, Service::Batch { call: &mut batch, max_batch: 4, max_wait_ns: 0 }).unwrap();
    conserved(&outcome);
    assert_eq!((outcome.counts.completed, outcome.counts.failed), (3, 5));
    assert_eq!(outcome.failures[0], ("panicked: second batch".into(), 4));
}

#[test]
fn streams_have_first_tokens_gaps_and_both_times_per_token() {
    let mut load =
        Load::new(Scenario::ClosedLoop { clients: 4, think: Think::None }, Limit::Requests(40), 1, 5);
    load.objectives = vec!["ttft p95 <= 60s".parse().unwrap(), "itl p99 <= 1ns".parse().unwrap()];
    let call = |_: usize, emit: &mut Emit| {
        take(4 * MS);
        for _ in 0..5 {
            emit.token();
            take(2 * MS);
        }
        emit.tokens(1);
        Answer::OK
    };
    let outcome = run(&load, Service::Stream(Arc::new(call), 4)).unwrap();
    conserved(&outcome);
    let stream = outcome.stream.as_ref().unwrap();
    assert_eq!(stream.itl.count(), 40 * 5, "five gaps between six tokens");
    assert!(stream.ttft.quantile_ns(0.0).unwrap() >= 3_990 * US);
    assert!(stream.itl.quantile_ns(0.0).unwrap() >= 1_990 * US);
    assert!(stream.tpot_excl_first.quantile_ns(0.0).unwrap() >= 1_990 * US);
    // The one contains the wait for the first token and the other does not: (4 + 10) / 6 ms at least.
    assert!(stream.tpot_incl_first.quantile_ns(0.0).unwrap() >= 2_320 * US);
    for row in &outcome.rows {
        assert_eq!(row.tokens, 6);
        assert!(row.begin_ns < row.first_ns.unwrap() && row.first_ns.unwrap() < row.end_ns);
    }
    assert_eq!(outcome.objectives[0].inside, 40);
    assert_eq!((outcome.objectives[1].inside, outcome.goodput_per_second), (0, Some(0.0)));
    // Clients who start and end together make this identity exact but for the run's ends.
    let check = outcome.checks.iter().find(|check| check.name.starts_with('X')).unwrap();
    assert!(check.left > 0.0 && check.right > 0.0);
}

#[test]
fn the_queue_in_front_is_first_come_first_served_and_never_idles_beside_work() {
    let load = Load::new(open(2_000.0, Arrivals::Poisson), Limit::Requests(300), 5, 300);
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&order);
    let call = move |input: usize, worker: usize| {
        seen.lock().unwrap().push((input, worker));
        take(MS);
        Answer::OK
    };
    let outcome = run(&load, Service::Shared(Arc::new(call), 3)).unwrap();
    conserved(&outcome);
    let workers: std::collections::BTreeSet<usize> =
        order.lock().unwrap().iter().map(|pair| pair.1).collect();
    assert_eq!(workers.len(), 3, "all workers served");
    // With what each request really took, the begins are at least those of an ideal queue.
    let mut free = [0_u64; 3];
    let mut ideal_wait = 0;
    let mut wait = 0;
    for row in &outcome.rows {
        free.sort_unstable();
        let begin = row.due_ns.max(free[0]);
        free[0] = begin + (row.end_ns - row.begin_ns);
        ideal_wait += begin - row.due_ns;
        wait += row.begin_ns - row.due_ns;
    }
    assert!(wait as f64 >= ideal_wait as f64 * 0.95, "{wait} against {ideal_wait}");
    assert!((0.0..=1.01).contains(&outcome.utilisation), "{}", outcome.utilisation);
}

#[test]
fn littles_law_holds_between_looks_and_sojourns() {
    let load = Load::new(open(400.0, Arrivals::Poisson), Limit::Requests(200), 5, 1);
    let call = |_: usize, _: usize| {
        take(4 * MS);
        Answer::OK
    };
    let outcome = run(&load, Service::Shared(Arc::new(call), 2)).unwrap();
    let check = outcome.checks.iter().find(|check| check.name.starts_with('L')).unwrap();
    // Looks are late on a busy machine; a factor of two would be a fault of the arithmetic.
    assert!(check.left / check.right > 0.5 && check.left / check.right < 2.0, "{check:?}");
    assert!(outcome.depth.looks.len() >= 40 && outcome.depth.most().unwrap() >= 1);
}

#[test]
fn a_generator_that_cannot_keep_up_makes_the_run_invalid() {
    // A service of nanoseconds: any lag is more than a tenth of it.
    let load = Load::new(open(1_000.0, Arrivals::Constant), Limit::Requests(200), 5, 1);
    let outcome = run(&load, Service::Single(&mut |_| Answer::OK)).unwrap();
    match &outcome.validity {
        Validity::Invalid(reason) => assert!(reason.contains("send lag"), "{reason}"),
        Validity::Valid => {
            panic!("lag {:?} of {:?}", outcome.send_lag.quantile_ns(0.99), outcome.latency.quantile_ns(0.5))
        }
    }
    // A closed loop of a service that takes its time has no schedule to miss.
    let load = Load::new(Scenario::SingleStream, Limit::Requests(30), 5, 1);
    let outcome = run(
        &load,
        Service::Single(&mut |_| {
            take(5 * MS);
            Answer::OK
        }),
    )
    .unwrap();
    assert_eq!(outcome.achieved_share, None);
}

#[test]
fn a_late_sending_is_the_lag_of_all_that_wait_behind_it() {
    let mut load = Load::new(open(1_000.0, Arrivals::Constant), Limit::Requests(200), 5, 1);
    // Sleeps of 20 ms make the generator late on purpose: some 20 requests share one and are 10 ms late on average.
    load.grain_ns = 20 * MS;
    let outcome = run(&load, Service::Single(&mut |_| Answer::OK)).unwrap();
    conserved(&outcome);
    assert!(outcome.rows.iter().all(|row| row.begin_ns >= row.due_ns));
    let mean = outcome.send_lag.mean_ns().unwrap();
    assert!(mean >= 6e6, "mean lag {mean} ns");
    assert!(matches!(outcome.validity, Validity::Invalid(_)));
}

#[test]
fn a_realtime_class_is_got_or_politely_refused() {
    let mut load = Load::new(open(1_000.0, Arrivals::Constant), Limit::Requests(20), 5, 1);
    load.realtime = true;
    let outcome = run(&load, Service::Single(&mut |_| Answer::OK)).unwrap();
    conserved(&outcome);
    match &outcome.scheduling {
        Scheduling::Realtime => {}
        Scheduling::Refused(reason) => assert!(!reason.is_empty()),
        Scheduling::Ordinary => panic!("nobody asked"),
    }
    let outcome = run(&load, Service::Shared(Arc::new(|_, _| Answer::OK), 2)).unwrap();
    assert_ne!(outcome.scheduling, Scheduling::Ordinary);
}

#[test]
fn a_load_that_makes_no_sense_does_not_start() {
    let load = Load::new(open(0.0, Arrivals::Poisson), Limit::Requests(20), 5, 1);
    let error = run(&load, Service::Single(&mut |_| panic!("called"))).unwrap_err();
    assert_eq!(error, LoadError::Rate(0.0));
}
