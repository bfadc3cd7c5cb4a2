//! The registry protocol, for the little that does not go through the engine: looking up digests, writing tags.
//!
//! Source: OCI distribution specification v1.1, with ECR's ways as its user guide describes them.

mod answer;
mod attachment;
mod auth;
mod bases;
mod client;
mod image;
mod retry;

pub use bases::{BaseImages, OwnRegistry};
pub use client::RegistryClient;
