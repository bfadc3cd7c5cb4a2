//! `longshore facts`

use super::{World, look};
use crate::cli::FactsArgs;
use crate::diagnostic::Diagnostics;
use crate::report;

pub(super) fn run(args: &FactsArgs, world: &World) -> Result<(), Diagnostics> {
    let facts = look::checkout(&args.facts, &world.folder, world)?;
    if args.json {
        report::print(&report::facts::json(&facts));
    } else {
        report::print(&report::facts::plain(&facts));
    }
    Ok(())
}
