//! `longshore config`

use super::{World, read};
use crate::cli::ConfigArgs;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::{pipeline, report};

pub(super) fn run(args: &ConfigArgs, world: &World) -> Result<(), Diagnostics> {
    let loaded = read::pipeline(&args.pipeline, world)?;
    if args.json {
        report::print_json(&loaded.pipeline)?;
    } else {
        let yaml = pipeline::to_yaml(&loaded.pipeline).map_err(|problem| {
            Diagnostic::new(Blame::Bug, "the pipeline cannot be written down as YAML").caused_by(problem)
        })?;
        report::print(&yaml)?;
    }
    Ok(())
}
