//! The examples for CI systems, run as those systems run them: the commands that stand in the files, in a clean
//! environment with that system's variables, against the small ECR and the real daemon.
#![allow(clippy::disallowed_methods, reason = "it runs the examples' commands")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "the test uses its own part of what all tests share")]

mod bed;
mod buildkite;
mod circleci;
mod codebuild;
mod gitlab;
mod jenkins;
#[path = "../support/user/mod.rs"]
mod user;
