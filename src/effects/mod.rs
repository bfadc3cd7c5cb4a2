//! The only room that touches disk, network, programs, the clock and the environment.
#![expect(clippy::disallowed_methods, reason = "this is the room that the wall keeps these methods in")]

pub mod archive;
pub mod buildkit;
pub mod clock;
pub mod compress;
pub mod context;
pub mod disk;
pub mod docker;
pub mod docker_config;
pub mod docker_credential;
pub mod ecr;
pub mod fingerprint;
pub mod fleet;
pub mod git;
pub mod limited;
pub mod network;
pub mod program;
pub mod random;
pub mod registry;
pub mod survey;
pub mod terminal;
pub mod tls;
pub mod workspace;
