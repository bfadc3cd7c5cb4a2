//! What the steps of both phases share.

use tokio::sync::Semaphore;

use super::Services;
use super::book::Book;
use super::ports::{Ecr, Engine, Registry};
use super::site::{Here, Site};
use crate::plan::Plan;

pub(super) struct Steps<'a, Eng, Ctl, Reg> {
    pub(super) plan: &'a Plan,
    pub(super) services: &'a Services<'a, Eng, Ctl, Reg>,
    /// The registry that everything is pushed to.
    pub(super) own: Site<'a, Ctl, Reg>,
    /// One for each build that may be under way.
    pub(super) turns: Semaphore,
    /// One for each push that may be under way.
    pub(super) ways: Semaphore,
    /// What is known of layers.
    pub(super) book: Book,
    /// Those that it is copied to, in the order of the plan.
    pub(super) replicas: Vec<Site<'a, Ctl, Reg>>,
}

impl<'a, Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'a, Eng, Ctl, Reg> {
    /// An image of the plan, by its number, as it stands in the run's own registry.
    pub(super) fn here(&self, at: usize) -> Here<'a> {
        let image = &self.plan.images[at];
        Here { image, taken: &image.taken, staging: image.staging.as_ref() }
    }

    /// The same, as it stands in a replica, by its number.
    pub(super) fn there(&self, at: usize, replica: usize) -> Here<'a> {
        let there = &self.plan.replicas[replica].images[at];
        Here { image: &self.plan.images[at], taken: &there.taken, staging: there.staging.as_ref() }
    }
}
