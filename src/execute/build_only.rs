//! Builds without a registry, for whoever has no credentials for one.

use std::time::Duration;

use super::each;
use super::events::{Event, ImageEvent};
use super::ports::{BuiltImage, Engine, ServiceError};
use crate::plan::BuildPlan;

/// Builds these images, several at once, and leaves them with the engine. The results are in the order of the images.
pub async fn build_only<Eng: Engine>(
    builds: &[(String, BuildPlan)],
    engine: &Eng,
    elapsed: &dyn Fn() -> Duration,
    jobs: usize,
    tell: &dyn Fn(Event),
) -> Vec<Result<BuiltImage, ServiceError>> {
    let one = |(name, build): &'_ (String, BuildPlan)| {
        let (name, build) = (name.clone(), build.clone());
        async move {
            let say = |event: ImageEvent| tell(Event::Image(name.clone(), event));
            let began = elapsed();
            let built = engine.build(&build, &|event| say(ImageEvent::Build(event))).await?;
            say(ImageEvent::Built { id: built.id.clone(), took: elapsed().saturating_sub(began) });
            Ok(built)
        }
    };
    each(jobs, builds.iter().collect(), one).await
}
