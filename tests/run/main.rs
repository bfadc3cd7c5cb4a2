//! The built program as its users run it: against a real Docker daemon, and the small ECR in place of AWS.
#![allow(clippy::disallowed_methods, reason = "it drives real programs")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod access;
mod audit;
mod builders;
mod cache;
mod canaries;
mod ci;
mod configuration;
mod contexts;
#[path = "../support/daemon.rs"]
mod daemon;
mod direct;
mod doctor;
mod drift;
mod failures;
mod gate;
mod hostile;
mod images;
mod immutable;
mod init;
mod json_documents;
mod killed;
mod lifecycle;
mod local;
mod login;
mod multi_stage;
mod named_contexts;
mod outputs;
mod overlap;
mod platforms;
#[path = "../support/podman.rs"]
mod podman;
#[path = "podman.rs"]
mod podman_engine;
mod promote;
mod quickstart;
mod replication;
mod repositories;
mod retries;
mod reuse;
#[path = "../support/sarif.rs"]
mod sarif;
mod secrets;
mod seeds;
mod selection;
mod shell;
mod signals;
mod signing;
mod streams;
mod surroundings;
mod timeline;
mod troubleshooting;
#[path = "../support/user/mod.rs"]
mod user;
