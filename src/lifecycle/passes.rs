//! The runs of the following days: what one run leaves is what the next one finds.

use std::collections::{HashMap, HashSet};

use super::evaluate::{Outcome, evaluate};
use super::images::{Image, ImageState, Moment};
use super::policy::{Action, Policy};

/// One run, with owned results: what it took is gone when the next one begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// When.
    pub at: Moment,
    /// The images that were taken, each with its rule.
    pub taken: Vec<(Image, Action, u32)>,
    /// The referrers that went along with them, such as signatures.
    pub referrers: Vec<(Image, Action)>,
}

/// Simulates so many daily runs, and gives each to the caller as it is done. ECR runs a policy within 24 hours of its
/// criteria being met; here it is once in 24 hours.
pub fn passes(policy: &Policy, images: Vec<Image>, at: Moment, count: usize, mut done: impl FnMut(Pass)) {
    let mut images = images;
    for day in 0..count {
        let at = at.after_days(i64::try_from(day).unwrap_or(i64::MAX));
        let (pass, left) = pass(policy, images, at);
        images = left;
        done(pass);
    }
}

/// Every image that the policy deletes or archives once it is applied at this moment again and again until nothing
/// changes: the children of an index go only after it.
pub fn settle(policy: &Policy, images: &[Image], at: Moment) -> Vec<(Image, Action)> {
    let mut left = images.to_vec();
    let mut gone = Vec::new();
    loop {
        let (pass, rest) = pass(policy, left, at);
        if pass.taken.is_empty() {
            return gone;
        }
        gone.extend(pass.taken.into_iter().map(|(image, action, _)| (image, action)).chain(pass.referrers));
        left = rest;
    }
}

/// One run, and the images as it leaves them.
fn pass(policy: &Policy, images: Vec<Image>, at: Moment) -> (Pass, Vec<Image>) {
    let outcome = evaluate(policy, &images, at);
    let taken = outcome.taken.iter().map(|taken| (taken.image.clone(), taken.action, taken.priority)).collect();
    let along = along(&outcome, &images);
    let referrers: Vec<(Image, Action)> =
        images.iter().filter_map(|image| Some((image.clone(), *along.get(image.digest.as_str())?))).collect();
    let mut fate: HashMap<String, Action> =
        outcome.taken.iter().map(|taken| (taken.image.digest.clone(), taken.action)).collect();
    fate.extend(along.into_iter().map(|(digest, action)| (digest.to_owned(), action)));
    let left = images.into_iter().filter_map(|mut image| match fate.get(&image.digest) {
        None => Some(image),
        Some(Action::Expire) => None,
        Some(Action::Archive) => {
            image.state = ImageState::Archived;
            image.archived_at = Some(at);
            Some(image)
        }
    });
    let left = left.collect();
    (Pass { at, taken, referrers }, left)
}

/// What becomes of referrers because of what they refer to, directly or through other referrers.
pub fn along<'a>(outcome: &Outcome<'a>, images: &'a [Image]) -> HashMap<&'a str, Action> {
    let mut of_subject: HashMap<&str, Vec<&Image>> = HashMap::new();
    for image in images {
        if let Some(subject) = &image.subject {
            of_subject.entry(subject).or_default().push(image);
        }
    }
    let mut along = HashMap::new();
    let mut open: Vec<(&str, Action)> = outcome.taken.iter().map(|t| (t.image.digest.as_str(), t.action)).collect();
    let mut seen: HashSet<&str> = HashSet::new();
    while let Some((subject, action)) = open.pop() {
        for image in of_subject.get(subject).into_iter().flatten().filter(|image| seen.insert(&image.digest)) {
            along.insert(image.digest.as_str(), action);
            open.push((&image.digest, action));
        }
    }
    along
}
