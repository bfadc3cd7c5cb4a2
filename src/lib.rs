//! Longshore takes container images from a git checkout to Amazon ECR in one step.
//!
//! | step | room | result |
//! | --- | --- | --- |
//! | read | [`pipeline`] | `PipelineFile` (as written, with places) → `Pipeline` (as meant) |
//! | look | [`effects`] | [`facts`]: git, CI, repositories, tags taken, the daemon |
//! | decide | [`plan`] | `Plan`: per repository keep or create; per image build or reuse; every tag with its rule |
//! | do | [`execute`] | `Event`s while it works, a `Report` at the end, also after a failure |
//! | tell | [`report`] | terminal, imageDefinitions.json, JSON report |
//!
//! Each room uses only rooms above it in the table of CONTRIBUTING.md; `tests/architecture.rs` checks that.
//! The library exists so that tests can call rooms directly; it promises no stable API.

pub mod access;
pub mod cli;
pub mod commands;
pub mod diagnostic;
pub mod dockerfile;
pub mod draft;
pub mod effects;
pub mod execute;
pub mod explain;
pub mod facts;
pub mod inventory;
pub mod key;
pub mod lifecycle;
pub mod local;
pub mod names;
pub mod pipeline;
pub mod plan;
pub mod report;
pub mod retry;
pub mod scan;
pub mod secrecy;
pub mod tree;
