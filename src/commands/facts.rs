//! `longshore facts`

use super::{World, look};
use crate::cli::FactsArgs;
use crate::diagnostic::Diagnostics;
use crate::report;

pub(super) fn run(args: &FactsArgs, world: &World) -> Result<(), Diagnostics> {
    let facts = look::checkout(&args.facts, &world.folder, world)?;
    let text = if args.json { report::facts::json(&facts) } else { report::facts::plain(&facts) };
    Ok(report::print(&text)?)
}
