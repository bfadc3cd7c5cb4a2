//! `longshore merge`: the second half of a run whose first half several runs did, each for its platforms.

use super::decide::{self, Wish, decide};
use super::finish::{self, Finished};
use super::run::{Manner, carry_out};
use super::{World, scanned, unless_interrupted};
use crate::cli::MergeArgs;
use crate::diagnostic::Diagnostics;
use crate::effects::clock;
use crate::execute::Goal;
use crate::local::Server;
use crate::plan::Scope;

pub(super) async fn run(args: &MergeArgs, world: &World) -> Result<(), Diagnostics> {
    finish::prepare(&args.results, args.manner.timeline.as_deref(), world)?;
    let mut finished = Finished::default();
    let result = unless_interrupted(with_registry(args, world, &mut finished)).await;
    finished.tell(&args.results, result, world)
}

async fn with_registry(args: &MergeArgs, world: &World, finished: &mut Finished) -> Result<(), Diagnostics> {
    let server = decide::server(&args.work, world).await?;
    let result = merge(args, world, server.as_ref(), finished).await;
    if let Some(server) = server {
        server.stop().await;
    }
    result
}

async fn merge(
    args: &MergeArgs,
    world: &World,
    server: Option<&Server>,
    finished: &mut Finished,
) -> Result<(), Diagnostics> {
    let started = clock::instant();
    let written: Vec<_> = args.results.files().chain(&args.manner.timeline).cloned().collect();
    let seen = decide::see(&args.work, &written, world)?;
    finished.dockerfiles = scanned::dockerfiles(&seen.pipeline, &seen.root);
    finish::prepare_deploy(&seen.pipeline.outputs, &seen.root)?;
    let wish = Wish { force: false, scope: Scope::Merge };
    let mut decided = decide(seen, &args.work, &wish, server, world).await?;
    if args.manner.no_gate {
        decided.plan = decided.plan.without_gates();
    }
    let manner = Manner { goal: Goal::Released, wanted: &args.manner, results: &args.results, started };
    carry_out(decided, &manner, world, finished).await
}
