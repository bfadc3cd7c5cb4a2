//! What looks like a secret, and how text is shown without it.
//!
//! What a user writes is shown back where it is wrong, and what is shown ends in the log of a CI system.

mod known;
mod looks;
mod quote;
mod scan;
mod url;

pub use known::{keep, without, without_known};
pub use looks::{name_tells, value_tells};
pub use quote::{quoted, told};
pub use url::without_secrets;
