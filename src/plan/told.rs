//! How what is worked on is told of.

use super::PartPlan;
use crate::names::Platform;

impl PartPlan {
    /// How this part of an image is told of while it is worked on.
    pub fn told_as(&self, image: &str) -> String {
        told_as(image, &self.platform)
    }
}

/// How what an image is on one platform is told of.
pub(super) fn told_as(image: &str, platform: &Platform) -> String {
    format!("{image} {platform}")
}
