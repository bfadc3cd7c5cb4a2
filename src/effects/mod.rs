//! The only room that touches disk, network, programs, clock and environment.
#![expect(clippy::disallowed_methods, reason = "this room is where the outside world is touched")]

pub mod context;
pub mod docker;
