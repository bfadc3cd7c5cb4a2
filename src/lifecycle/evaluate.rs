//! What a policy does with images in one run.
//!
//! Every rule is looked at by itself first: what it matches, and what of that it would take. Then, from the highest rule
//! down, each takes what it would take, save the images that a higher rule matches, whether or not that one takes them.
//! So ranking counts images that a higher rule matches or takes, and an image gets at most one action.
//!
//! Source: ECR user guide, "Lifecycle policy evaluation rules" and "Examples of lifecycle policies", all of which come
//! out as documented. What the guide leaves open: of images of the same age the one with the greater digest is taken for
//! the newer; images on their way back from the archive are of no storage class; and referrers are not ranked, since
//! they go with what they refer to.

use std::collections::HashSet;

use super::images::{Image, ImageState, Moment};
use super::policy::{Action, Count, Policy, Rule, StorageClass};

/// What one run does.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome<'a> {
    /// When.
    pub at: Moment,
    /// The images that are taken, by the order of their rules, the oldest first.
    pub taken: Vec<Taken<'a>>,
    /// All others, in the order in which they were given.
    pub kept: Vec<Kept<'a>>,
}

/// An image that a rule takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken<'a> {
    /// The image.
    pub image: &'a Image,
    /// What becomes of it.
    pub action: Action,
    /// The rule.
    pub priority: u32,
}

/// An image that stays as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept<'a> {
    /// The image.
    pub image: &'a Image,
    /// Why.
    pub why: KeptWhy,
}

/// Why an image stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeptWhy {
    /// This rule, the highest that matches it, would not take it, and no lower rule would.
    Kept(u32),
    /// A lower rule would take it, but this higher one matches it.
    Shielded {
        /// The rule that matches it.
        by: u32,
        /// The rule that would take it.
        from: u32,
    },
    /// An index lists it, so that it can go only after that.
    Child,
    /// It refers to another image, and goes with it.
    Referrer,
    /// It is on its way back from the archive.
    Activating,
    /// No rule matches it.
    Unmatched,
}

impl Outcome<'_> {
    /// How many images are deleted.
    pub fn expiring(&self) -> usize {
        self.taken.iter().filter(|taken| taken.action == Action::Expire).count()
    }

    /// How many images are archived.
    pub fn transitioning(&self) -> usize {
        self.taken.len() - self.expiring()
    }
}

/// The rules by their places, one bit each; a policy has at most 50.
type Mask = u64;

/// Applies a policy to the images of a repository, as they are at this moment.
pub fn evaluate<'a>(policy: &Policy, images: &'a [Image], at: Moment) -> Outcome<'a> {
    let rules = policy.rules();
    let children: HashSet<&str> = images.iter().flat_map(|image| &image.children).map(String::as_str).collect();
    let matched: Vec<Mask> = images.iter().map(|image| matched(rules, image, &children)).collect();
    let newest_first = newest_first(images);
    let mut wanted: Vec<Mask> = vec![0; images.len()];
    for (number, rule) in rules.iter().enumerate() {
        let bit = 1 << number;
        let of_rule = newest_first.iter().copied().filter(|at| matched[*at] & bit != 0);
        let want = |at: usize| wanted[at] |= bit;
        let before = |days: u32| at.after_days(-i64::from(days));
        match rule.count {
            Count::MoreThan(count) => of_rule.skip(usize::try_from(count).unwrap_or(usize::MAX)).for_each(want),
            Count::SincePushed(days) => {
                of_rule.filter(|at| images[*at].pushed_clock() < before(days)).for_each(want);
            }
            Count::SincePulled(days) => {
                of_rule.filter(|at| images[*at].pulled_clock() < before(days)).for_each(want);
            }
            Count::SinceTransitioned(days) => {
                let archived = |at: &usize| images[*at].archived_at.is_some_and(|time| time < before(days));
                of_rule.filter(archived).for_each(want);
            }
        }
    }
    // The highest rule that matches an image decides; all others come after it.
    let decided_by = |at: usize| {
        let first = matched[at].trailing_zeros();
        usize::try_from(first).ok().and_then(|first| rules.get(first)).filter(|_| matched[at] != 0)
    };
    let takes = |at: usize| matched[at] & matched[at].wrapping_neg() & wanted[at] != 0;
    let mut taken: Vec<Taken<'a>> = Vec::new();
    let mut by_rule: Vec<Vec<usize>> = vec![Vec::new(); rules.len()];
    for at in newest_first.iter().rev().copied().filter(|at| takes(*at)) {
        by_rule[matched[at].trailing_zeros() as usize].push(at);
    }
    for (rule, of_rule) in rules.iter().zip(by_rule) {
        let one = |at: usize| Taken { image: &images[at], action: rule.action, priority: rule.priority };
        taken.extend(of_rule.into_iter().map(one));
    }
    let kept = (0..images.len()).filter(|at| !takes(*at)).map(|at| {
        let from = wanted[at].trailing_zeros() as usize;
        let why = match (decided_by(at), rules.get(from)) {
            (Some(rule), Some(from)) => KeptWhy::Shielded { by: rule.priority, from: from.priority },
            (Some(rule), None) => KeptWhy::Kept(rule.priority),
            (None, _) => unmatched(&images[at], &children),
        };
        Kept { image: &images[at], why }
    });
    Outcome { at, kept: kept.collect(), taken }
}

fn matched(rules: &[Rule], image: &Image, children: &HashSet<&str>) -> Mask {
    let storage = match image.state {
        ImageState::Active => StorageClass::Standard,
        ImageState::Archived => StorageClass::Archive,
        ImageState::Activating => return 0,
    };
    if image.subject.is_some() || children.contains(image.digest.as_str()) {
        return 0;
    }
    let matching =
        rules.iter().enumerate().filter(|(_, rule)| rule.storage() == storage && rule.tags.matches(&image.tags));
    matching.fold(0, |mask, (number, _)| mask | 1 << number)
}

fn unmatched(image: &Image, children: &HashSet<&str>) -> KeptWhy {
    if image.subject.is_some() {
        KeptWhy::Referrer
    } else if children.contains(image.digest.as_str()) {
        KeptWhy::Child
    } else if image.state == ImageState::Activating {
        KeptWhy::Activating
    } else {
        KeptWhy::Unmatched
    }
}

/// The places of all images; of equal age the greater digest is the newer.
fn newest_first(images: &[Image]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.sort_unstable_by(|a, b| {
        let (a, b) = (&images[*a], &images[*b]);
        b.pushed_clock().cmp(&a.pushed_clock()).then_with(|| b.digest.cmp(&a.digest))
    });
    order
}
