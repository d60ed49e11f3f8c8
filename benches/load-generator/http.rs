//! gapbench's generator as a client of an HTTP server.
//!
//! usage: http closed|open CONNECTIONS REQUESTS RATE PORT socket|ureq | http truth REQUESTS RATE SERVICE_US STALL_AFTER_MS STALL_MS
//!
//! Each worker has one connection that stays open: a socket with the few lines that this server's answers need, or an
//! agent of the ureq crate. `truth` plays the schedule against the server on a virtual clock.
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use gapbench::load::simulate::{ServiceTime, Stall, System};
use gapbench::load::{Arrivals, Limit, Scenario, Think, schedule};
use gapbench::measure::load::{Answer, Load, Service, SharedCall, Times, run};

fn exchange(stream: &mut TcpStream) -> std::io::Result<Answer> {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n\r\n")?;
    let mut answer = [0_u8; 1024];
    let mut filled = 0;
    // The body has two bytes.
    while !answer[..filled].ends_with(b"\r\n\r\nok") {
        let read = stream.read(&mut answer[filled..])?;
        if read == 0 {
            return Ok(Answer::Failed("closed".into()));
        }
        filled += read;
    }
    Ok(if answer.starts_with(b"HTTP/1.1 200") { Answer::OK } else { Answer::Failed("status".into()) })
}

fn sockets(connections: usize, port: u16) -> Arc<SharedCall> {
    let streams: Vec<Mutex<TcpStream>> = (0..connections)
        .map(|_| {
            let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.set_nodelay(true).unwrap();
            Mutex::new(stream)
        })
        .collect();
    // A worker has its connection alone: nobody waits for this lock.
    Arc::new(move |_, worker| {
        exchange(&mut streams[worker].lock().unwrap()).unwrap_or_else(|error| Answer::Failed(error.to_string().into()))
    })
}

fn agents(connections: usize, port: u16) -> Arc<SharedCall> {
    let url = format!("http://127.0.0.1:{port}/");
    let agents: Vec<ureq::Agent> = (0..connections).map(|_| ureq::agent()).collect();
    let call = move |_: usize, worker: usize| {
        let answered = agents[worker].get(&url).call().and_then(|mut answer| answer.body_mut().read_to_string());
        match answered {
            Ok(body) if body == "ok" => Answer::OK,
            Ok(_) => Answer::Failed("body".into()),
            Err(error) => Answer::Failed(error.to_string().into()),
        }
    };
    Arc::new(call)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    if words[0] == "truth" {
        let scenario = Scenario::OpenLoop { rate: number(2) as f64, arrivals: Arrivals::Constant };
        let drawn = schedule(&scenario, 1, Limit::Requests(number(1) as usize)).unwrap().unwrap();
        let stall = Stall { from_ns: number(4) * 1_000_000, length_ns: number(5) * 1_000_000 };
        let service = ServiceTime::Constant(number(3) * 1_000);
        let served = System { servers: 1, service, stall: Some(stall) }.open(&drawn, 1);
        let mut sojourns: Vec<u64> = served.iter().map(|one| one.sojourn_ns()).collect();
        sojourns.sort_unstable();
        let quantile = |p: f64| sojourns[(p * sojourns.len() as f64).ceil() as usize - 1];
        println!("{} {}", quantile(0.5), quantile(0.99));
        return;
    }
    let connections = number(1) as usize;
    let limit = Limit::Requests(number(2) as usize);
    let scenario = match words[0].as_str() {
        "closed" => Scenario::ClosedLoop { clients: connections, think: Think::None },
        _ => Scenario::OpenLoop { rate: number(3) as f64, arrivals: Arrivals::Constant },
    };
    let port = number(4) as u16;
    let call = if words[5] == "ureq" { agents(connections, port) } else { sockets(connections, port) };
    let outcome = run(&Load::new(scenario, limit, 1, 1), Service::Shared(call, connections)).unwrap();
    assert_eq!(outcome.counts.completed, outcome.issued, "{:?}", outcome.failures);
    let time = |times: &Times, p| times.quantile_ns(p).unwrap_or(0);
    println!(
        "{} {} {} {} {} {} {:?}",
        outcome.throughput_per_second,
        time(&outcome.latency, 0.5),
        time(&outcome.latency, 0.99),
        time(&outcome.service, 0.99),
        time(&outcome.send_lag, 0.5),
        time(&outcome.send_lag, 0.99),
        outcome.validity,
    );
}
