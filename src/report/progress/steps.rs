//! What was heard of each image's build steps.

use std::collections::BTreeMap;

use crate::execute::events::BuildEvent;

#[derive(Default)]
pub(super) struct Steps(BTreeMap<String, BTreeMap<usize, Step>>);

#[derive(Default)]
struct Step {
    name: String,
    cached: bool,
}

impl Steps {
    pub(super) fn note(&mut self, image: &str, event: &BuildEvent) {
        let steps = self.0.entry(image.to_owned()).or_default();
        match event {
            BuildEvent::StepStarted { step, name } => steps.entry(*step).or_default().name.clone_from(name),
            BuildEvent::StepDone { step, cached, .. } => steps.entry(*step).or_default().cached = *cached,
            BuildEvent::StepOutput { .. } | BuildEvent::Warning(_) | BuildEvent::ContextSent { .. } => {}
        }
    }

    pub(super) fn name(&self, image: &str, step: usize) -> &str {
        self.0.get(image).and_then(|steps| steps.get(&step)).map_or("", |step| step.name.as_str())
    }

    /// As in ` (3 of 4 steps cached)`; empty if none was. Only the Dockerfile's own steps count, which the builder
    /// writes with their number in front.
    pub(super) fn summary(&self, image: &str) -> String {
        let Some(steps) = self.0.get(image) else { return String::new() };
        let own = || steps.values().filter(|step| step.name.starts_with('['));
        match own().filter(|step| step.cached).count() {
            0 => String::new(),
            cached => format!(" ({cached} of {} steps cached)", own().count()),
        }
    }
}
