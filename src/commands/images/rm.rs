//! `longshore images rm`

use std::collections::BTreeSet;

use super::{told, way};
use crate::cli::ImagesRmArgs;
use crate::commands::World;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::{clock, terminal};
use crate::inventory::{Kept, Named, Wanted, remove};
use crate::names::{Digest, Tag};
use crate::pipeline;
use crate::report;

pub(super) async fn run(args: &ImagesRmArgs, world: &World) -> Result<(), Diagnostics> {
    let wanted = wanted(args)?;
    let (way, pipeline) = way(&args.place, world).await?;
    let name = &args.repository;
    let environments = pipeline.map(|pipeline| pipeline.environments).unwrap_or_default();
    let environments: BTreeSet<String> =
        environments.iter().map(|environment| environment.name.as_str().to_owned()).collect();
    let images = way.ecr.images(name).await.map_err(|error| told(&error))?;
    let removal = remove(&images, &wanted, &environments);
    Diagnostics::check(removal.kept.iter().map(|kept| refused(kept, args)).collect())?;
    if removal.shielded > 0 {
        report::note(&format!("{} of an environment stay", report::images::count(removal.shielded, "image")));
    }
    if removal.is_empty() {
        report::note("there is nothing to remove");
        return Ok(());
    }
    report::print(&report::images::removal(name, &removal))?;
    // What may not be asked is no reason to keep silent about what is removed here.
    if let Some(further) = way.ecr.destinations(name).await.ok().as_deref().and_then(report::lifecycle::removing) {
        report::note(&further);
    }
    if args.dry_run {
        return Ok(());
    }
    if !args.yes {
        match terminal::confirm("remove them?") {
            Some(true) => {}
            Some(false) => return Err(Diagnostic::input("nothing was removed").into()),
            None => {
                return Err(Diagnostic::input("nothing was removed: nobody is there to ask")
                    .hint("pass --yes to remove them, or --dry-run to look only")
                    .into());
            }
        }
    }
    let mut failed = Vec::new();
    for batch in removal.batches() {
        failed.extend(way.ecr.remove(name, &batch).await.map_err(|error| told(&error))?);
    }
    let problems = failed.into_iter().map(|one| {
        Diagnostic::new(Blame::Work, format!("ECR did not remove `{}` from `{name}`", one.id)).caused_by(one.cause)
    });
    Diagnostics::check(problems.collect())?;
    report::note(&format!("removed from {name}: {}", report::images::removed(&removal)));
    Ok(())
}

fn wanted(args: &ImagesRmArgs) -> Result<Wanted, Diagnostics> {
    let mut problems = Vec::new();
    let named = args.images.iter().filter_map(|text| match text.contains(':') {
        true => match text.parse::<Digest>() {
            Ok(digest) => Some(Named::Digest(digest.to_string())),
            Err(error) => {
                problems.push(Diagnostic::input(error.to_string()).hint_maybe(error.hint()));
                None
            }
        },
        false => match text.parse::<Tag>() {
            Ok(tag) => Some(Named::Tag(tag.to_string())),
            Err(error) => {
                problems.push(Diagnostic::input(error.to_string()).hint_maybe(error.hint()));
                None
            }
        },
    });
    let named = named.collect();
    let older_than = args.older_than.as_deref().and_then(|text| match pipeline::seconds(text) {
        Some(seconds) => {
            let span = time::Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
            clock::now().checked_sub(span).map(Into::into)
        }
        None => {
            let problem = Diagnostic::input(format!("--older-than: `{text}` is not a time span"));
            problems.push(problem.hint("a time span looks like `30d` or `12h`"));
            None
        }
    });
    if args.older_than.is_some() && older_than.is_none() && problems.is_empty() {
        problems.push(Diagnostic::input("--older-than reaches back further than the calendar"));
    }
    Diagnostics::check(problems)?;
    Ok(Wanted { named, untagged: args.untagged, older_than })
}

fn refused(kept: &Kept, args: &ImagesRmArgs) -> Diagnostic {
    let name = &args.repository;
    match kept {
        Kept::Missing(id) => Diagnostic::input(format!("there is no `{id}` in `{name}`"))
            .hint(format!("`longshore images ls {name}` lists what is there")),
        Kept::Environment { digest, tag } => {
            Diagnostic::input(format!("environment `{tag}` needs {digest} of `{name}`"))
                .hint("put the environment's tag on another image first, with `longshore promote`")
        }
        Kept::Listed { digest, by } => Diagnostic::input(format!("`{by}` of `{name}` lists {digest}"))
            .hint(format!("remove `{by}` by its digest; what it lists goes along")),
    }
}
