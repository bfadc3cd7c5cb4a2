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
        done(pass(policy, &mut images, at));
    }
}

/// Every image that the policy deletes or archives once it is applied at this moment again and again until nothing
/// changes: the children of an index go only after it.
pub fn settle(policy: &Policy, mut images: Vec<Image>, at: Moment) -> Vec<(Image, Action)> {
    let mut gone = Vec::new();
    loop {
        let pass = pass(policy, &mut images, at);
        if pass.taken.is_empty() {
            return gone;
        }
        gone.extend(pass.taken.into_iter().map(|(image, action, _)| (image, action)).chain(pass.referrers));
    }
}

/// What becomes of an image in a run.
enum Fate {
    Stays,
    /// The rule takes it, as the so many-th image.
    Taken(Action, u32, usize),
    /// It goes along with what it refers to.
    Along(Action),
}

impl Fate {
    fn action(&self) -> Option<Action> {
        match self {
            Fate::Stays => None,
            Fate::Taken(action, ..) | Fate::Along(action) => Some(*action),
        }
    }
}

/// One run; the images are left as it leaves them. What it deletes is moved, and not copied: there may be 100,000.
fn pass(policy: &Policy, images: &mut Vec<Image>, at: Moment) -> Pass {
    let fates: Vec<Fate> = {
        let outcome = evaluate(policy, images, at);
        let along = along(&outcome, images);
        let taken: HashMap<&str, (Action, u32, usize)> = outcome
            .taken
            .iter()
            .enumerate()
            .map(|(number, taken)| (taken.image.digest.as_str(), (taken.action, taken.priority, number)))
            .collect();
        let fate = |image: &Image| match (taken.get(image.digest.as_str()), along.get(image.digest.as_str())) {
            (Some((action, rule, number)), _) => Fate::Taken(*action, *rule, *number),
            (None, Some(action)) => Fate::Along(*action),
            (None, None) => Fate::Stays,
        };
        images.iter().map(fate).collect()
    };
    let (mut taken, mut referrers) = (Vec::new(), Vec::new());
    let mut tell = |image: Image, fate: Fate| match fate {
        Fate::Taken(action, rule, number) => taken.push((number, (image, action, rule))),
        Fate::Along(action) => referrers.push((image, action)),
        Fate::Stays => {}
    };
    let (mut fates, mut deletes) = (fates.into_iter(), Vec::new());
    let deleted = images.extract_if(.., |image| {
        let fate = fates.next().unwrap_or(Fate::Stays);
        match fate.action() {
            None => false,
            Some(Action::Expire) => {
                deletes.push(fate);
                true
            }
            Some(Action::Archive) => {
                tell(image.clone(), fate);
                image.state = ImageState::Archived;
                image.archived_at = Some(at);
                false
            }
        }
    });
    let deleted: Vec<Image> = deleted.collect();
    deleted.into_iter().zip(deletes).for_each(|(image, fate)| tell(image, fate));
    taken.sort_unstable_by_key(|(number, _)| *number);
    Pass { at, taken: taken.into_iter().map(|(_, taken)| taken).collect(), referrers }
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
