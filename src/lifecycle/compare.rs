//! What ECR's own preview says, beside the simulation.

use std::collections::BTreeMap;

use super::evaluate::Outcome;
use super::policy::Action;

/// ECR's own preview: what becomes of each image, by its digest, and by which rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServicePreview {
    /// Images that are left alone are not here.
    pub taken: BTreeMap<String, (Action, u32)>,
}

/// An image for which ECR and the simulation come to different ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The image.
    pub digest: String,
    /// What ECR says; nothing if it leaves the image alone.
    pub service: Option<(Action, u32)>,
    /// What the simulation says.
    pub simulation: Option<(Action, u32)>,
}

/// Every image for which the two differ, by digest.
pub fn disagreements(outcome: &Outcome<'_>, preview: &ServicePreview) -> Vec<Disagreement> {
    let ours: BTreeMap<&str, (Action, u32)> =
        outcome.taken.iter().map(|taken| (taken.image.digest.as_str(), (taken.action, taken.priority))).collect();
    let mut digests: Vec<&str> = ours.keys().copied().chain(preview.taken.keys().map(String::as_str)).collect();
    digests.sort_unstable();
    digests.dedup();
    let one = |digest: &str| Disagreement {
        digest: digest.to_owned(),
        service: preview.taken.get(digest).copied(),
        simulation: ours.get(digest).copied(),
    };
    digests.into_iter().map(one).filter(|both| both.service != both.simulation).collect()
}
