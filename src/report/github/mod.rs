//! GitHub Actions: what the runner reads from a step's output and from the files that it names.

mod annotations;
mod gantt;
mod lines;
mod outputs;
mod summary;

pub use annotations::{Ground, Level, annotations};
pub use lines::{Line, Tokens, errors, mask, runner_listens, say};
pub use outputs::{file_command, outputs, plan_outputs};
pub use summary::summary;

pub(super) use lines::escape_data;
