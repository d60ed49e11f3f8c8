//! An HTTP/1.1 server of known times, one thread per connection; it ends with its standard input.
//!
//! usage: server parallel SERVICE_US | server single SERVICE_US STALL_AFTER_MS STALL_MS
//!
//! It prints its port. `parallel` answers each request after the service time, however many there are. `single` is one
//! server with a queue: when a request comes, its end is known, so that late sleeps do not add up. The stall is counted
//! from the first request. At its end it prints how many requests it answered and how long they were inside: the count,
//! and the 50th and 99th percentile in nanoseconds.
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

struct Single {
    first: Option<Instant>,
    free: Instant,
    stall_after: Duration,
    stall: Duration,
}

impl Single {
    /// When a request that comes at `now` ends.
    fn end(&mut self, now: Instant, service: Duration) -> Instant {
        let from = *self.first.get_or_insert(now) + self.stall_after;
        let until = from + self.stall;
        let mut begin = now.max(self.free);
        if begin >= from && begin < until {
            begin = until;
        }
        self.free = begin + service;
        if begin < from && self.free > from {
            self.free += self.stall;
        }
        self.free
    }
}

struct Server {
    service: Duration,
    single: Option<Mutex<Single>>,
    inside_ns: Mutex<Vec<u64>>,
}

impl Server {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = [0_u8; 4096];
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..])?;
            if read == 0 {
                return Ok(());
            }
            filled += read;
            // Requests have no body, and a client sends the next one after the answer.
            if !buffer[..filled].ends_with(b"\r\n\r\n") {
                continue;
            }
            filled = 0;
            let now = Instant::now();
            let end = match &self.single {
                Some(single) => single.lock().unwrap().end(now, self.service),
                None => now + self.service,
            };
            thread::sleep(end.saturating_duration_since(Instant::now()));
            stream.write_all(ANSWER)?;
            self.inside_ns.lock().unwrap().push(now.elapsed().as_nanos() as u64);
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    let single = (words[0] == "single").then(|| {
        Mutex::new(Single {
            first: None,
            free: Instant::now(),
            stall_after: Duration::from_millis(number(2)),
            stall: Duration::from_millis(number(3)),
        })
    });
    let service = Duration::from_micros(number(1));
    let server = Arc::new(Server { service, single, inside_ns: Mutex::new(Vec::new()) });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let accepting = Arc::clone(&server);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = Arc::clone(&accepting);
            // A client that goes away ends its connection.
            thread::spawn(move || server.serve(stream));
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    let mut inside_ns = server.inside_ns.lock().unwrap();
    inside_ns.sort_unstable();
    let quantile = |p: f64| inside_ns.get((p * inside_ns.len() as f64) as usize).copied().unwrap_or(0);
    println!("{} {} {}", inside_ns.len(), quantile(0.5), quantile(0.99));
}
