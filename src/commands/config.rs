//! `longshore config`

use super::{World, read};
use crate::cli::ConfigArgs;
use crate::diagnostic::Diagnostics;
use crate::{pipeline, report};

pub(super) fn run(args: &ConfigArgs, world: &World) -> Result<(), Diagnostics> {
    let loaded = read::pipeline(&args.pipeline, world)?;
    if args.json {
        report::print_json(&loaded.pipeline)?;
    } else {
        report::print(&pipeline::to_yaml(&loaded.pipeline))?;
    }
    Ok(())
}
