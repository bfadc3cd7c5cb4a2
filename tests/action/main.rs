//! The GitHub action: what is declared is what the script uses, and its steps do what they should on a runner.
#![allow(clippy::disallowed_methods, reason = "it runs the action's steps")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "the test uses its own part of what all tests share")]

mod composite;
mod log;
mod release;
mod runner;
mod script;
#[path = "../support/user/mod.rs"]
mod user;
mod workflows;
