//! `longshore plan`: what `run` would do, without doing it.

use std::process::ExitCode;

use super::decide::{self, Wish};
use super::github::Runner;
use super::{World, tell_errors};
use crate::cli::PlanArgs;
use crate::diagnostic::Diagnostics;
use crate::report;

pub(super) async fn run(args: &PlanArgs, world: &World) -> Result<ExitCode, Diagnostics> {
    let result = plan(args, world).await;
    match result {
        Ok(changes) if args.detailed_exitcode && changes => Ok(ExitCode::from(2)),
        Ok(_) => Ok(ExitCode::SUCCESS),
        // Scripts that ask for it know three answers only.
        Err(problems) if args.detailed_exitcode => {
            tell_errors(&problems, world.colors);
            Ok(ExitCode::from(1))
        }
        Err(problems) => Err(problems),
    }
}

/// Prints the plan, and says whether there is anything to do.
async fn plan(args: &PlanArgs, world: &World) -> Result<bool, Diagnostics> {
    let server = decide::server(&args.work, world).await?;
    let decided = match decide::see(&args.work, &[], world) {
        Ok(seen) => decide::decide(seen, &args.work, &Wish::of(&args.build), server.as_ref(), world).await,
        Err(problems) => Err(problems),
    };
    if let Some(server) = server {
        server.stop().await;
    }
    let plan = decided?.plan;
    if let Some(runner) = Runner::of(&world.variables) {
        runner.tell_plan(&plan)?;
    }
    report::print(&if args.json {
        report::plan::json(&plan, world.retries.sum())
    } else if args.matrix {
        report::plan::matrix(&plan)
    } else {
        report::plan::text(&plan)
    })?;
    Ok(plan.changes_anything())
}
