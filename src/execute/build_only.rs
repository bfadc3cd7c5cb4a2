//! Builds without a registry, for whoever has no credentials for one.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use super::events::{Event, ImageEvent};
use super::ports::{BuildInputs, BuiltImage, Engine, ServiceError};
use crate::plan::BuildPlan;

/// Builds these images, several at once, and leaves them with the engine. The results are in the order of the images.
pub async fn build_only<Eng: Engine>(
    builds: &[(String, BuildPlan)],
    engine: &Eng,
    elapsed: &dyn Fn() -> Duration,
    jobs: usize,
    tell: &dyn Fn(Event),
) -> Vec<Result<BuiltImage, ServiceError>> {
    let built = stream::iter(builds).map(async |(name, build)| {
        let say = |event: ImageEvent| tell(Event::Image(name.clone(), event));
        let began = elapsed();
        let built = engine.build(build, &BuildInputs::default(), &|event| say(ImageEvent::Build(event))).await?;
        say(ImageEvent::Built { id: built.id.clone(), took: elapsed().saturating_sub(began) });
        Ok(built)
    });
    built.buffered(jobs.max(1)).collect().await
}
