//! The driver's state, and the way into it that every entry point takes.

pub(crate) mod code;
pub(crate) mod cost;
pub(crate) mod device;
pub(crate) mod execute;
pub(crate) mod launch;
pub(crate) mod memory;
pub(crate) mod module;
pub(crate) mod pool;
pub(crate) mod script;
pub(crate) mod state;
pub(crate) mod stream;
pub(crate) mod trace;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use code::{Code, Outcome};
use state::State;

/// The one driver of the process.
pub(crate) struct Driver {
    state: Mutex<State>,
    /// Told of every change that a thread may wait for.
    changed: Condvar,
    /// The virtual time of the host.
    host_ns: AtomicU64,
}

/// What must be there for a function to answer anything but an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it also answers when the context is lost.
    Nothing,
    /// `cuInit`; a context too if it is given the null stream, which the body asks for.
    Driver,
    /// A current context of the calling thread.
    Context,
}

thread_local! {
    /// The contexts that this thread has pushed; the last is current.
    static CONTEXTS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The driver; its first use reads `CUDA_SIMULATOR`.
pub(crate) fn driver() -> &'static Driver {
    static DRIVER: OnceLock<Driver> = OnceLock::new();
    DRIVER.get_or_init(|| Driver {
        state: Mutex::new(State::from_environment()),
        changed: Condvar::new(),
        host_ns: AtomicU64::new(0),
    })
}

/// Runs an entry point's body, unless something forbids it, and answers its code.
pub(crate) fn enter(name: &str, needs: Needs, body: impl FnOnce(&'static Driver) -> Outcome) -> u32 {
    let guarded = || {
        let driver = driver();
        driver.admit(name, needs).and_then(|()| body(driver))
    };
    // A panic must not reach the caller's frames.
    match catch_unwind(AssertUnwindSafe(guarded)) {
        Ok(Ok(())) => 0,
        Ok(Err(code)) => code.0,
        Err(_) => Code::UNKNOWN.0,
    }
}

impl Driver {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until somebody changes something.
    pub(crate) fn wait<'a>(&'a self, guard: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) {
        self.changed.notify_all();
    }

    pub(crate) fn host_ns(&self) -> u64 {
        self.host_ns.load(Ordering::Relaxed)
    }

    /// The host has waited for something that ended then.
    pub(crate) fn host_reaches(&self, ns: u64) {
        self.host_ns.fetch_max(ns, Ordering::Relaxed);
    }

    fn admit(&self, name: &str, needs: Needs) -> Outcome {
        self.host_ns.fetch_add(cost::CALL_NS, Ordering::Relaxed);
        let mut state = self.lock();
        state.count_call(name);
        if state.script.stub {
            return Err(Code::STUB_LIBRARY);
        }
        if let Some((code, sticky)) = state.script.failing_call(name) {
            if sticky {
                state.sticky = Some(Code(code));
                self.wake();
            }
            return Err(Code(code));
        }
        if needs == Needs::Nothing {
            return Ok(());
        }
        if !state.initialised {
            return Err(Code::NOT_INITIALIZED);
        }
        if let Some(code) = state.sticky {
            return Err(code);
        }
        if needs == Needs::Context { state.current_context().map(|_| ()) } else { Ok(()) }
    }
}

/// The current context of this thread, or 0, whether or not it still lives.
pub(crate) fn top_context() -> u64 {
    CONTEXTS.with_borrow(|stack| stack.last().copied().unwrap_or(0))
}

pub(crate) fn set_top_context(context: u64) {
    CONTEXTS.with_borrow_mut(|stack| {
        stack.pop();
        if context != 0 {
            stack.push(context);
        }
    });
}

pub(crate) fn push_context(context: u64) {
    CONTEXTS.with_borrow_mut(|stack| stack.push(context));
}

pub(crate) fn pop_context() -> Option<u64> {
    CONTEXTS.with_borrow_mut(Vec::pop)
}
