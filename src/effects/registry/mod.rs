//! The registry protocol: looking up digests, writing tags, and copying images from registry to registry.
//!
//! Source: OCI distribution specification v1.1, with ECR's ways as its user guide describes them.

mod answer;
mod attachment;
mod auth;
mod bases;
mod blob;
mod bring;
mod client;
mod copy;
mod image;
mod layers;
mod parts;
mod patience;
mod referrers;
mod registries;
mod relay;
mod retry;
mod stream;
mod wire;
mod write;

pub use auth::Challenge;
pub use bases::BaseImages;
pub use client::RegistryClient;
pub use registries::{FoundLogin, OwnRegistry, Registries};
