//! `longshore lifecycle simulate`

use std::path::Path;
use std::sync::Arc;

use super::World;
use crate::cli::lifecycle::SimulateArgs;
use crate::commands::{prices, read};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::effects::workspace;
use crate::lifecycle::{self, Image, Images};
use crate::names::RepositoryName;
use crate::report;
use crate::report::lifecycle::Bearing;

pub(super) async fn run(args: &SimulateArgs, world: &World) -> Result<(), Diagnostics> {
    let prices = prices::prices(&args.prices, world)?;
    let file = super::policy(&args.policy.policy, world)?;
    world.warn(&file.doubts(None));
    let policy = &file.policy;
    let at = super::at(args.at.as_deref())?;
    let (name, images, reach) = match (&args.images, &args.repository) {
        (Some(path), _) => (path.display().to_string(), from_file(path, world)?, None),
        (None, Some(name)) => {
            let pipeline = read::pipeline_if_any(&args.place.pipeline, world)?;
            let ecr = super::ecr(pipeline.as_ref(), &args.place.registry, world).await?;
            let (images, reach) = tokio::join!(ecr.images(name), ecr.destinations(name));
            (name.to_string(), images.map_err(|error| super::told(&error))?, Some(reach))
        }
        (None, None) => return Err(Diagnostic::input("there are no images to look at").into()),
    };
    let first = lifecycle::evaluate(policy, &images, at);
    let mut passes = Vec::new();
    if args.passes > 1 {
        lifecycle::passes(policy, images.clone(), at, usize::from(args.passes), |pass| passes.push(pass));
    }
    let to = Bearing { prices: &prices, reach: &reach };
    let repository = args.repository.as_ref().map(RepositoryName::as_str);
    let retries = args.images.is_none().then(|| world.retries.sum());
    report::print(&if args.json {
        report::lifecycle::json(repository, policy, &images, &first, &passes, &to, retries)
    } else {
        report::lifecycle::text(&name, policy, &images, &first, &passes, &to)
    })?;
    Ok(())
}

fn from_file(path: &Path, world: &World) -> Result<Vec<Image>, Diagnostic> {
    let path = world.folder.join(path);
    let name = read::shown(&path, &world.folder);
    let bytes = workspace::read(&path)
        .map_err(|error| Diagnostic::input(format!("cannot read the images `{name}`")).caused_by(error.to_string()))?;
    let hint = "it holds what `aws ecr describe-images --repository-name NAME` prints";
    let text = String::from_utf8(bytes)
        .map_err(|error| Diagnostic::input(format!("`{name}` is no list of images")).caused_by(error.to_string()))?;
    Images::parse(&text).map(|images| images.0).map_err(|malformed| {
        let source = Arc::new(Source { name: name.clone(), text });
        let place = Place { source, line: malformed.line.max(1), column: malformed.column.max(1), length: 1 };
        Diagnostic::input(format!("`{name}` is no list of images")).caused_by(malformed.cause).at(place).hint(hint)
    })
}
