//! What a run leaves behind: cases, raw observations, conditions, the system under test, and the file they live in.
//!
//! Pure data and its storage. Knows nothing of how numbers were measured or of what they will be held against.

mod atomic;
mod case;
mod cold_level;
mod condition;
pub mod date;
mod device;
mod environment;
mod event;
mod finite;
mod load;
mod metric;
mod noise;
mod objective;
mod reader;
mod run;
mod series;
mod store;

pub use atomic::{WriteError, write_atomically};
pub use case::{CaseId, CaseRow, Failure, FailureKind, Note, Outcome, Phase, Timing};
pub use cold_level::ColdLevel;
pub use condition::{Condition, ConditionValue, Conditions, Role};
pub use device::{Device, Peak};
pub use environment::Environment;
pub use event::{Event, PROTOCOL};
pub use load::{
    Arrival, CheckRow, FailureClass, LoadCounts, LoadPoint, LoadRow, SearchRow, SteadyRow, TimeOf, TimesRow,
};
pub use metric::{Direction, Metric, Statistic};
pub use noise::{LostItem, NoiseRow, PairsRow};
pub use objective::{Objective, ObjectiveMetric, ObjectiveRow};
pub use reader::{Index, Rows, read};
pub use run::{End, Header, Record, Target};
pub use series::{Batch, Data, InputSet, Series};
pub use store::{SCHEMA, StoreError, VERSION, Writer};
