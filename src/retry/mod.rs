//! When another attempt may help, how long to wait for it, and when to give up: one policy for ECR's API and for
//! registries.
//!
//! The decisions are pure; only [`persist`] waits, and [`Gate`] makes wait.

mod after;
mod gate;
mod persist;
mod policy;
mod tally;
mod window;

pub use after::retry_after;
pub use gate::{Ended, Gate, Pass};
pub use persist::{Attempt, persist};
pub use policy::{Next, PUSH, Policy, RENEWAL, SERVICE, State, Verdict};
pub use tally::{Retry, Sum, Tally};
pub use window::Window;
