//! Every fault on every call of a run, and what comes of it.
#![allow(clippy::disallowed_methods, reason = "it drives real programs")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/daemon.rs"]
mod daemon;
mod engine;
mod engine_stops;
mod load;
mod matrix;
mod moments;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../support/user/mod.rs"]
mod user;
mod world;
