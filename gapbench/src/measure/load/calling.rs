//! Services that run on the calling thread: one at a time, or in batches.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::super::clock;
use super::super::contention::Reading;
use super::depth::Depth;
use super::dispatch::{Next, Taken};
use super::outcome::Seen;
use super::pace::{self, Prepared};
use super::record::{Ended, Recorder};
use super::{Answer, Load, Run, guarded};

/// Runs `work` while another thread looks at the queue.
pub(super) fn watched(run: &Run, load: &Load, work: impl FnOnce(&mut Recorder)) -> Seen {
    let mut recorder = Recorder::new(&run.rules);
    let mut depth = Depth::new();
    let (done, wait) = channel::<()>();
    let (timing, scheduling) = thread::scope(|scope| {
        let depth = &mut depth;
        // A thread that does not start looks at nothing; the run itself does not need it.
        let _ = thread::Builder::new().name("load-depth".to_owned()).spawn_scoped(scope, move || {
            while let Err(RecvTimeoutError::Timeout) =
                wait.recv_timeout(Duration::from_nanos(depth.interval_ns()))
            {
                depth.look(&run.dispatch, run.rules.start_ns);
            }
        });
        let prepared = Prepared::take(load.realtime);
        let reading = Reading::take();
        work(&mut recorder);
        drop(done);
        (reading.until_now(), prepared.scheduling.clone())
    });
    Seen { recorder, depth, timing: Some(timing), scheduling, replaced_workers: 0, batches: 0 }
}

/// One request after the other.
pub(super) fn single(run: &Run, load: &Load, call: &mut dyn FnMut(usize) -> Answer) -> Seen {
    watched(run, load, |recorder| {
        let mut free_ns = run.rules.start_ns;
        while let Some((Taken { request, due_ns }, begin_ns)) = run.dispatch.take() {
            let input = run.input(request);
            let answer = guarded(|| call(input)).unwrap_or_else(Answer::Failed);
            let end_ns = clock::now_ns();
            run.dispatch.end(end_ns);
            recorder.busy_ns += end_ns - begin_ns;
            let possible_ns = due_ns.max(free_ns);
            recorder.add(Ended { request, due_ns, possible_ns, begin_ns, end_ns, answer, emit: None });
            free_ns = run.free_ns(possible_ns, begin_ns, end_ns);
        }
    })
}

/// As many requests at a time as are there, up to `max_batch`.
pub(super) fn batches(
    run: &Run,
    load: &Load,
    call: &mut dyn FnMut(&[usize]) -> Vec<Answer>,
    max_batch: usize,
    max_wait_ns: u64,
) -> Seen {
    let mut count = 0;
    let mut seen = watched(run, load, |recorder| {
        let mut members: Vec<Taken> = Vec::with_capacity(max_batch);
        let mut inputs: Vec<usize> = Vec::with_capacity(max_batch);
        let mut free_ns = run.rules.start_ns;
        while let Some((oldest, now_ns)) = run.dispatch.take() {
            members.clear();
            members.push(oldest);
            let (begin_ns, possible_ns) = fill(run, &mut members, now_ns, free_ns, max_batch, max_wait_ns);
            inputs.clear();
            inputs.extend(members.iter().map(|member| run.input(member.request)));
            let answered = guarded(|| call(&inputs));
            let end_ns = clock::now_ns();
            count += 1;
            recorder.busy_ns += end_ns - begin_ns;
            let mut answers = answered.map(Vec::into_iter);
            for Taken { request, due_ns } in members.drain(..) {
                let answer = match &mut answers {
                    Ok(answers) => answers
                        .next()
                        .unwrap_or(Answer::Failed("no answer for this member of the batch".into())),
                    Err(class) => Answer::Failed(class.clone()),
                };
                run.dispatch.end(end_ns);
                let possible_ns = possible_ns.max(due_ns);
                recorder.add(Ended { request, due_ns, possible_ns, begin_ns, end_ns, answer, emit: None });
            }
            free_ns = run.free_ns(possible_ns, begin_ns, end_ns);
        }
    });
    seen.batches = count;
    seen
}

/// Fills a batch that begins with its oldest request; returns when it begins, and when it could have.
///
/// It does not use what it knows of the future: a batch that is not full waits its time out.
fn fill(
    run: &Run,
    members: &mut Vec<Taken>,
    mut now_ns: u64,
    free_ns: u64,
    max_batch: usize,
    max_wait_ns: u64,
) -> (u64, u64) {
    let oldest_ns = members.first().map_or(now_ns, |oldest| oldest.due_ns);
    let flush_ns = oldest_ns.saturating_add(max_wait_ns);
    while members.len() < max_batch {
        match run.dispatch.try_take(now_ns) {
            Next::Taken(taken) => members.push(taken),
            Next::NotBefore(due_ns) if due_ns <= flush_ns => now_ns = pace::wait_until(due_ns),
            Next::NotBefore(_) | Next::Later | Next::Never => {
                return (pace::wait_until(flush_ns), flush_ns.max(free_ns));
            }
        }
    }
    let last_ns = members.last().map_or(oldest_ns, |last| last.due_ns);
    (now_ns, last_ns.max(free_ns))
}
