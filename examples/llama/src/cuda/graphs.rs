//! Decode steps that were recorded, one for each size of a batch.

use std::collections::HashMap;

use gapbench_cuda::{CudaError, Graph};

/// Whether decode steps are launched as graphs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GraphUse {
    /// Yes, from the second step of each size of a batch on.
    Recorded,
    /// No, as the options say.
    Off,
    /// No: the driver refused one, and every step since then is launched kernel by kernel.
    Refused(String),
}

pub(super) struct Graphs {
    state: GraphUse,
    /// Nothing yet where a size was seen once: its first step makes cuBLAS and the driver load what they need, which
    /// must not happen while a step is recorded.
    of_size: HashMap<usize, Option<Graph>>,
}

impl Graphs {
    pub(super) fn new(wanted: bool) -> Self {
        let state = if wanted { GraphUse::Recorded } else { GraphUse::Off };
        Self { state, of_size: HashMap::new() }
    }

    pub(super) fn used(&self) -> GraphUse {
        self.state.clone()
    }

    /// The graph of this size, if it was recorded.
    pub(super) fn ready(&mut self, size: usize) -> Option<&mut Graph> {
        self.of_size.get_mut(&size)?.as_mut()
    }

    /// Whether a step of this size is to be recorded: not the first one.
    pub(super) fn wants(&mut self, size: usize) -> bool {
        self.state == GraphUse::Recorded && self.of_size.insert(size, None).is_some()
    }

    /// Keeps what was recorded.
    pub(super) fn keep(
        &mut self,
        size: usize,
        recorded: Result<Graph, CudaError>,
    ) -> Result<Option<&mut Graph>, CudaError> {
        let Some(graph) = self.unless_refused(recorded)? else { return Ok(None) };
        Ok(self.of_size.entry(size).insert_entry(Some(graph)).into_mut().as_mut())
    }

    /// What was recorded; nothing, and no graphs from here on, where it was refused.
    pub(super) fn unless_refused(
        &mut self,
        recorded: Result<Graph, CudaError>,
    ) -> Result<Option<Graph>, CudaError> {
        match recorded {
            Ok(graph) => Ok(Some(graph)),
            Err(error @ CudaError::Capture { .. }) => {
                self.state = GraphUse::Refused(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
