//! Everything the driver knows: contexts, handles, counters.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::code::{Code, Outcome};
use super::cost::Cache;
use super::memory::Memory;
use super::module::{Function, Module};
use super::script::Script;
use super::stream::{Event, Operation, Stream};
use super::trace::Alive;

/// The state behind the driver's lock.
pub(crate) struct State {
    pub(crate) script: Script,
    pub(crate) initialised: bool,
    /// The error that ended the context; every later call answers it.
    pub(crate) sticky: Option<Code>,
    pub(crate) calls: BTreeMap<String, u64>,
    /// The primary context's handle while it is active.
    pub(crate) context: Option<u64>,
    pub(crate) alive: Arc<Alive>,
    pub(crate) retained: u32,
    pub(crate) context_flags: u32,
    pub(crate) limits: BTreeMap<u32, usize>,
    pub(crate) memory: Memory,
    pub(crate) cache: Cache,
    /// By handle; the null stream under a handle of its own, see `null_stream`.
    pub(crate) streams: HashMap<u64, Stream>,
    pub(crate) null_stream: u64,
    pub(crate) events: HashMap<u64, Event>,
    pub(crate) modules: HashMap<u64, Arc<Module>>,
    pub(crate) functions: HashMap<u64, Function>,
    /// What a stream has captured so far, by the handle of the stream in which the capture began.
    pub(crate) captures: HashMap<u64, Capture>,
    pub(crate) graphs: HashMap<u64, Arc<[Operation]>>,
    pub(crate) executables: HashMap<u64, Arc<[Operation]>>,
    next_handle: u64,
}

/// A capture that goes on.
#[derive(Default)]
pub(crate) struct Capture {
    pub(crate) operations: Vec<Operation>,
    /// The program did something that a capture does not allow.
    pub(crate) invalid: bool,
    /// Calls that cannot be captured are forbidden while it goes on.
    pub(crate) strict: bool,
}

impl State {
    /// A state under the script of the variable `CUDA_SIMULATOR`.
    pub(crate) fn from_environment() -> State {
        let mut script = Script::default();
        let text = std::env::var_os("CUDA_SIMULATOR").unwrap_or_default();
        if let Err(reason) = script.apply(&text.to_string_lossy(), crate::api::exists) {
            eprintln!("cuda-simulator: CUDA_SIMULATOR: {reason}");
            script.broken = true;
        }
        State::new(script)
    }

    fn new(script: Script) -> State {
        State {
            initialised: false,
            sticky: None,
            calls: BTreeMap::new(),
            context: None,
            alive: Alive::new(),
            retained: 0,
            context_flags: 0,
            limits: BTreeMap::new(),
            memory: Memory::new(script.memory_bytes),
            cache: Cache::default(),
            streams: HashMap::new(),
            null_stream: 0,
            events: HashMap::new(),
            modules: HashMap::new(),
            functions: HashMap::new(),
            captures: HashMap::new(),
            graphs: HashMap::new(),
            executables: HashMap::new(),
            next_handle: 0x1000,
            script,
        }
    }

    pub(crate) fn count_call(&mut self, name: &str) {
        match self.calls.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                self.calls.insert(name.to_owned(), 1);
            }
        }
    }

    /// A new handle; none is ever given twice.
    pub(crate) fn handle(&mut self) -> u64 {
        self.next_handle += 16;
        self.next_handle
    }

    /// The context of the calling thread, if it has one that still lives.
    pub(crate) fn current_context(&self) -> Outcome<u64> {
        self.context.filter(|&context| context == super::top_context()).ok_or(Code::INVALID_CONTEXT)
    }

    /// Makes the primary context active.
    pub(crate) fn activate(&mut self) -> u64 {
        if let Some(context) = self.context {
            return context;
        }
        let (context, null_stream) = (self.handle(), self.handle());
        self.memory.set_context(true);
        self.streams.insert(null_stream, Stream::new(0, 0));
        self.null_stream = null_stream;
        self.context = Some(context);
        context
    }

    /// Ends the primary context with all that belongs to it, a sticky error included. Whoever retained it still has to
    /// release it.
    pub(crate) fn deactivate(&mut self) {
        self.sticky = None;
        self.context = None;
        self.alive.end();
        self.alive = Alive::new();
        self.memory.set_context(false);
        self.cache.clear();
        // A worker that does not find its stream ends.
        self.streams.clear();
        self.events.clear();
        self.modules.clear();
        self.functions.clear();
        self.captures.clear();
        self.graphs.clear();
        self.executables.clear();
    }

    /// A call that no capture can hold: while a strict one goes on it fails, and the capture with it.
    pub(crate) fn forbid_in_capture(&mut self) -> Outcome {
        let mut strict = self.captures.values_mut().filter(|capture| capture.strict).peekable();
        if strict.peek().is_none() {
            return Ok(());
        }
        strict.for_each(|capture| capture.invalid = true);
        Err(Code::STREAM_CAPTURE_UNSUPPORTED)
    }
}
