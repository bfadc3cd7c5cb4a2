//! What an ECR lifecycle policy says, what is wrong with it, and what it would do: pure, with no clock and no I/O.
//!
//! | stage | type |
//! | --- | --- |
//! | as written, with places | [`Node`](crate::tree::Node), from JSON by [`json::parse`](crate::tree::json::parse) or from YAML by whoever reads that |
//! | as meant | [`Policy`], by [`read`] from ECR's own form or from the short form |
//! | applied to images at a moment | [`Outcome`], by [`evaluate`] |
//!
//! Emulators of ECR contradict its guide on how rules work together, so everything here follows the guide alone:
//! ECR user guide, "Automate the cleanup of images by using lifecycle policies", "Lifecycle policy properties" and
//! "Examples of lifecycle policies".

mod compare;
mod doubts;
mod evaluate;
mod images;
mod media_type;
mod passes;
mod pattern;
mod policy;
mod read;

pub use compare::{Disagreement, ServicePreview, disagreements};
pub use doubts::{Declared, doubts};
pub use evaluate::{Kept, KeptWhy, Outcome, Taken, evaluate};
pub use images::{Image, ImageState, Images, MalformedImages, Moment};
pub use media_type::MediaType;
pub use passes::{Pass, along, passes, settle};
pub use policy::{Action, Count, Policy, Rule, StorageClass, TagSelection};
pub use read::{MAX_TEXT, SHORT_FORM, Written, read, read_json};
