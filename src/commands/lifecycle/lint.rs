//! `longshore lifecycle lint`

use std::process::ExitCode;

use super::World;
use crate::cli::lifecycle::LintArgs;
use crate::commands::read;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::pipeline::declared_tags;
use crate::report;

pub(super) fn run(args: &LintArgs, world: &World) -> Result<ExitCode, Diagnostics> {
    // Without the files that it names: this policy may be one of them, and is not to be told of twice.
    let declared = match read::find(&args.pipeline, world) {
        Some(_) => Some(declared_tags(&read::alone(&args.pipeline, world)?.pipeline)),
        None => None,
    };
    let linted = super::policy(&args.policy.policy, world);
    let file = match linted {
        Ok(file) => file,
        Err(errors) if args.json => {
            let all: Vec<Diagnostic> = errors.iter().cloned().collect();
            report::print(&report::lifecycle::lint_json(None, &all, &[]))?;
            return Ok(ExitCode::from(errors.exit_code()));
        }
        Err(errors) => return Err(errors),
    };
    let warnings = file.doubts(declared.as_ref());
    if args.json {
        report::print(&report::lifecycle::lint_json(Some(&file.policy), &[], &warnings))?;
    } else {
        world.warn(&warnings);
        let name = args.policy.policy.display().to_string();
        report::print(&report::lifecycle::valid(&name, &file.policy, warnings.len()))?;
    }
    Ok(ExitCode::SUCCESS)
}
