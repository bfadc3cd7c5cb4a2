//! `--timeline`: when each thing of a run began and ended, as one page that needs nothing else.
//!
//! | stage | type |
//! | --- | --- |
//! | heard | [`Recorder`], which is told of each event when it happens |
//! | known | [`Timeline`]: spans by image, the waits between them, and the critical path |
//! | shown | [`page`] |

mod critical;
mod layers;
mod page;
mod record;
mod rows;
mod spans;
mod waits;

pub use layers::Layer;
pub use page::page;
pub use record::{End, Recorder};
pub use spans::{Kind, Lane, Span, Timeline};
