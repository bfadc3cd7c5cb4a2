//! `longshore tags`

use super::{World, look, read};
use crate::cli::TagsArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::report;

pub(super) fn run(args: &TagsArgs, world: &World) -> Result<(), Diagnostics> {
    let mut loaded = read::pipeline(&args.pipeline, world)?;
    read::select(&mut loaded.pipeline, &args.images)?;
    let facts = look::checkout(&args.facts, &loaded.root, world)?;
    let environment = look::environment(&args.facts, &loaded.pipeline, &facts, world)?;
    let tags = look::tags(&loaded.pipeline, &facts, &environment);
    let images: Vec<_> = loaded.pipeline.images.iter().map(|image| image.name.clone()).zip(tags).collect();
    if args.json {
        report::print(&report::tags::json(&images))?;
    } else if args.explain {
        report::print(&report::tags::explained(&images))?;
    } else {
        let none = images.iter().filter(|(_, derived)| derived.tags.is_empty()).map(|(name, _)| {
            Diagnostic::input(format!("image `{name}` gets no tag")).hint("`longshore tags --explain` says why")
        });
        report::warnings(&none.collect::<Vec<_>>(), world.colors);
        report::print(&report::tags::plain(&images))?;
    }
    Ok(())
}
