//! What a repository costs, by the age of what it holds, and what a lifecycle policy would save.

use std::collections::HashSet;

use super::holdings::Holdings;
use super::packed::Packed;
use crate::lifecycle::{Action, Image, Moment, Policy, settle};

/// Ages in days, and what they are called; the last has no end.
const AGES: [(i64, &str); 5] = [
    (7, "up to 7 days"),
    (30, "up to 30 days"),
    (90, "up to 90 days"),
    (365, "up to a year"),
    (i64::MAX, "older than a year"),
];

/// The layers that are needed by nothing younger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// As in `up to 7 days`.
    pub age: &'static str,
    /// The images of that age.
    pub images: usize,
    /// Their layers, those left out that a younger image needs too, in bytes.
    pub bytes: u64,
}

/// What a lifecycle policy would save once it has nothing more to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saving {
    /// The images that it deletes.
    pub expired: usize,
    /// The images that it archives, which saves nothing below 150 TB.
    pub archived: usize,
    /// The layers that nothing needs then, in bytes.
    pub bytes: u64,
}

/// What a repository costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// How many images it holds.
    pub images: usize,
    /// Its layers in the standard storage, each once, in bytes.
    pub bytes: u64,
    /// What lies in the archive, in bytes as ECR says, since no manifest of it can be read.
    pub archived_bytes: u64,
    /// The sum of `imageSizeInBytes`.
    pub listed: u64,
    /// Images whose layers are not known.
    pub unread: usize,
    /// By the age of the youngest image that needs a layer.
    pub by_age: Vec<Share>,
    /// What the policy would save, if there is one.
    pub saving: Option<Saving>,
}

/// Adds it all up. `images` are those of the holdings, for the policy; they go as it takes them.
pub fn cost(holdings: &Holdings, images: Vec<Image>, policy: Option<&Policy>, now: Moment) -> Cost {
    let bytes = holdings.bytes(|image| !image.is_archived);
    Cost {
        images: holdings.count(),
        bytes,
        archived_bytes: holdings.bytes(|image| image.is_archived),
        listed: holdings.listed,
        unread: holdings.unread,
        by_age: by_age(holdings, now),
        saving: policy.map(|policy| saving(holdings, images, policy, now)),
    }
}

fn by_age(holdings: &Holdings, now: Moment) -> Vec<Share> {
    let begins = AGES.map(|(days, _)| if days == i64::MAX { None } else { Some(now.after_days(-days)) });
    let class = |pushed: Moment| begins.iter().position(|begin| begin.is_none_or(|begin| pushed >= begin));
    let mut youngest: Vec<Option<usize>> = vec![None; holdings.sizes.len()];
    let mut shares = AGES.map(|(_, age)| Share { age, images: 0, bytes: 0 });
    for image in holdings.images.iter().filter(|image| !image.is_archived) {
        let class = class(image.pushed_at).unwrap_or(AGES.len() - 1);
        shares[class].images += 1;
        for number in &image.blobs {
            let known = &mut youngest[*number as usize];
            *known = Some(known.map_or(class, |known| known.min(class)));
        }
    }
    for (size, class) in holdings.sizes.iter().zip(youngest) {
        if let Some(class) = class {
            shares[class].bytes = shares[class].bytes.saturating_add(*size);
        }
    }
    shares.into_iter().filter(|share| share.images > 0).collect()
}

fn saving(holdings: &Holdings, images: Vec<Image>, policy: &Policy, now: Moment) -> Saving {
    let gone = settle(policy, images, now);
    let of = |wanted: Action| -> HashSet<Packed> {
        gone.iter().filter(|(_, action)| *action == wanted).map(|(image, _)| Packed::of(&image.digest)).collect()
    };
    let (expired, archived) = (of(Action::Expire), of(Action::Archive));
    let before = holdings.bytes(|_| true);
    let after = holdings.bytes(|image| !expired.contains(&image.digest));
    // What is archived first and expired later is gone in the end.
    let archived = archived.difference(&expired).count();
    Saving { expired: expired.len(), archived, bytes: before.saturating_sub(after) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{Images, read_json};

    /// Images of these ages in days and layers of these names; each layer has 100 bytes.
    fn holdings(of: &[(i64, &str)]) -> (Holdings, Vec<Image>, Moment) {
        let now = Moment::parse("2026-03-01T00:00:00Z").unwrap();
        let image = |number: usize, age: i64| {
            let at = now.after_days(-age).text();
            format!(r#"{{"imageDigest":"sha256:{number}","imagePushedAt":"{at}","imageSizeInBytes":200}}"#)
        };
        let all: Vec<String> = of.iter().enumerate().map(|(number, (age, _))| image(number, *age)).collect();
        let images = Images::parse(&format!("[{}]", all.join(","))).unwrap().0;
        let mut holdings = Holdings::default();
        for (image, (_, layers)) in images.iter().zip(of) {
            let layers = layers.chars().map(|name| format!(r#"{{"digest":"sha256:{name}","size":100}}"#));
            let manifest = format!(r#"{{"layers":[{}]}}"#, layers.collect::<Vec<_>>().join(","));
            holdings.add(image, Some(&manifest));
        }
        (holdings, images, now)
    }

    #[test]
    fn shared_layers_count_once_and_for_the_youngest() {
        let (holdings, images, now) = holdings(&[(1, "ab"), (10, "ac"), (400, "ad")]);
        let cost = cost(&holdings, images, None, now);
        assert_eq!((cost.bytes, cost.listed), (400, 600));
        let shares: Vec<(&str, u64)> = cost.by_age.iter().map(|share| (share.age, share.bytes)).collect();
        assert_eq!(shares, [("up to 7 days", 200), ("up to 30 days", 100), ("older than a year", 100)]);
    }

    #[test]
    fn a_policy_saves_what_nothing_else_needs() {
        let (holdings, images, now) = holdings(&[(1, "ab"), (10, "ac"), (400, "ad")]);
        let rule = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}"#;
        let policy = read_json(rule).unwrap().policy;
        let saving = cost(&holdings, images, Some(&policy), now).saving.unwrap();
        assert_eq!(saving, Saving { expired: 2, archived: 0, bytes: 200 });
    }
}
