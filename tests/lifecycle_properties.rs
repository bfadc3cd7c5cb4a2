//! What holds for any policy and any images, and that the evaluator does what the guide's algorithm does literally.
#![allow(clippy::unwrap_used, reason = "this is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};

use longshore::lifecycle::{
    Action, Count, Image, ImageState, Images, Moment, Policy, Rule, StorageClass, evaluate, read_json,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const DAY: i64 = 24 * 60 * 60;
/// Far enough from 1970 for every age.
const NOW: i64 = 1_000_000 * DAY / 1000;

fn now() -> Moment {
    Moment::from_seconds(NOW as f64).unwrap()
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    let tag = proptest::sample::select(vec!["v1", "v2", "w1", "prod", "prod-v1", "x"]).prop_map(str::to_owned);
    proptest::collection::btree_set(tag, 0..3).prop_map(|tags| tags.into_iter().collect())
}

/// Images with few different ages, so that there are ties and ages at the very limit.
fn images() -> impl Strategy<Value = Vec<Value>> {
    let half_days = || 0..40i64;
    let one = (
        tags(),
        half_days(),
        proptest::option::of(half_days()),
        proptest::option::of(half_days()),
        0..8u8,
        any::<u8>(),
    );
    proptest::collection::vec(one, 0..14).prop_map(|all| {
        let at = |half_days: i64| NOW - half_days * DAY / 2;
        let digest = |number: usize| format!("sha256:{number:02}");
        let count = all.len();
        let each = all.into_iter().enumerate().map(|(number, (tags, pushed, pulled, activated, kind, other))| {
            let mut image = json!({ "imageDigest": digest(number), "imageTags": tags, "imagePushedAt": at(pushed) });
            if let Some(pulled) = pulled {
                image["lastRecordedPullTime"] = at(pulled).into();
            }
            if let Some(activated) = activated.filter(|_| kind < 3) {
                image["lastActivatedAt"] = at(activated).into();
            }
            match kind {
                5 => {
                    image["imageStatus"] = "ARCHIVED".into();
                    image["lastArchivedAt"] = at(170 + pushed).into();
                }
                6 => image["children"] = json!([digest(usize::from(other) % count)]),
                7 => image["subjectManifestDigest"] = digest(usize::from(other) % count).into(),
                _ => {}
            }
            image
        });
        each.collect()
    })
}

fn read(images: &[Value]) -> Vec<Image> {
    Images::parse(&Value::from(images.to_vec()).to_string()).unwrap().0
}

/// Valid policies: rules for tags, perhaps one for untagged images, and one for all at the end of each storage class.
fn policy() -> impl Strategy<Value = Policy> {
    let pattern = proptest::sample::select(vec!["v*", "*v*", "w1", "prod*", "*", "*1", "x"]);
    let tagged = (proptest::collection::vec(pattern, 1..3), 0..3u8, 1..12u32).prop_map(|(patterns, kind, number)| {
        (json!({ "tagStatus": "tagged", "tagPatternList": patterns }), kind, number)
    });
    let of = |status: &'static str| {
        (0..3u8, 1..12u32).prop_map(move |(kind, number)| (json!({ "tagStatus": status }), kind, number))
    };
    let rules = (
        proptest::collection::vec(tagged, 0..4),
        proptest::option::of(of("untagged")),
        proptest::option::of(of("any")),
        proptest::option::of(90..95u32),
    );
    rules.prop_filter_map("a policy has at least one rule", |(mut rules, untagged, any, archived)| {
        rules.extend(untagged);
        rules.extend(any);
        let mut written: Vec<Value> = rules.into_iter().map(|(mut selection, kind, number)| {
            selection["countNumber"] = number.into();
            selection["countType"] = ["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled"][usize::from(kind)].into();
            if kind > 0 {
                selection["countUnit"] = "days".into();
            }
            let action = if kind == 2 { json!({ "type": "transition", "targetStorageClass": "archive" }) } else { json!({ "type": "expire" }) };
            json!({ "selection": selection, "action": action })
        }).collect();
        written.extend(archived.map(|days| json!({
            "selection": { "tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": days },
            "action": { "type": "expire" },
        })));
        for (rule, number) in written.iter_mut().zip(1..) {
            rule["rulePriority"] = (number * 10).into();
        }
        (!written.is_empty()).then(|| read_json(&json!({ "rules": written }).to_string()).unwrap().policy)
    })
}

fn matches(rule: &Rule, image: &Image, images: &[Image]) -> bool {
    let storage = match image.state {
        ImageState::Active => rule.storage() == StorageClass::Standard,
        ImageState::Archived => rule.storage() == StorageClass::Archive,
        ImageState::Activating => false,
    };
    let child = images.iter().any(|index| index.children.contains(&image.digest));
    storage && !child && image.subject.is_none() && rule.tags.matches(&image.tags)
}

/// The algorithm as it is written down, word by word, without any thought of speed.
fn literally(policy: &Policy, images: &[Image]) -> BTreeMap<String, (Action, u32)> {
    let mut taken = BTreeMap::new();
    for (number, rule) in policy.rules().iter().enumerate() {
        let mut matched: Vec<&Image> = images.iter().filter(|image| matches(rule, image, images)).collect();
        let pushed = |image: &Image| image.activated_at.unwrap_or(image.pushed_at);
        matched.sort_by_key(|image| std::cmp::Reverse((pushed(image), image.digest.clone())));
        let older = |time: Option<Moment>, days: u32| time.is_some_and(|time| time.after_days(i64::from(days)) < now());
        let selected: Vec<&Image> = match rule.count {
            Count::MoreThan(count) => matched.into_iter().skip(count as usize).collect(),
            Count::SincePushed(days) => matched.into_iter().filter(|image| older(Some(pushed(image)), days)).collect(),
            Count::SincePulled(days) => matched
                .into_iter()
                .filter(|image| {
                    let pulled = match (image.pulled_at, image.activated_at) {
                        (Some(pulled), Some(activated)) if pulled < activated => activated,
                        (Some(pulled), _) => pulled,
                        (None, activated) => activated.unwrap_or(image.pushed_at),
                    };
                    older(Some(pulled), days)
                })
                .collect(),
            Count::SinceTransitioned(days) => {
                matched.into_iter().filter(|image| older(image.archived_at, days)).collect()
            }
        };
        for image in selected {
            if !policy.rules()[..number].iter().any(|higher| matches(higher, image, images)) {
                let twice = taken.insert(image.digest.clone(), (rule.action, rule.priority));
                assert_eq!(twice, None, "an image gets at most one action");
            }
        }
    }
    taken
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_evaluator_does_what_the_algorithm_says(policy in policy(), images in images()) {
        let images = read(&images);
        let outcome = evaluate(&policy, &images, now());
        let ours: BTreeMap<String, (Action, u32)> =
            outcome.taken.iter().map(|taken| (taken.image.digest.clone(), (taken.action, taken.priority))).collect();
        prop_assert_eq!(ours.len(), outcome.taken.len(), "an image gets at most one action");
        prop_assert_eq!(ours, literally(&policy, &images));
        let kept: BTreeSet<&str> = outcome.kept.iter().map(|kept| kept.image.digest.as_str()).collect();
        prop_assert_eq!(kept.len() + outcome.taken.len(), images.len());
    }

    #[test]
    fn a_rule_never_takes_what_a_higher_one_matches(policy in policy(), images in images()) {
        let images = read(&images);
        for taken in evaluate(&policy, &images, now()).taken {
            let higher = policy.rules().iter().filter(|rule| rule.priority < taken.priority);
            prop_assert!(!higher.into_iter().any(|rule| matches(rule, taken.image, &images)));
        }
    }

    #[test]
    fn an_image_newer_than_all_never_saves_an_older_one_from_a_since_rule(
        policy in policy(), images in images(), tags in tags()
    ) {
        let since = |taken: &longshore::lifecycle::Taken<'_>| {
            !matches!(policy.rule(taken.priority).unwrap().count, Count::MoreThan(_))
        };
        let before = read(&images);
        let mut more = images;
        more.push(json!({ "imageDigest": "sha256:99", "imageTags": tags, "imagePushedAt": NOW }));
        let after = read(&more);
        let after: BTreeSet<String> = evaluate(&policy, &after, now()).taken.iter().map(|t| t.image.digest.clone()).collect();
        for taken in evaluate(&policy, &before, now()).taken.iter().filter(|taken| since(taken)) {
            prop_assert!(after.contains(&taken.image.digest));
        }
    }

    #[test]
    fn what_is_written_reads_back(policy in policy()) {
        prop_assert_eq!(&read_json(&policy.to_text()).unwrap().policy, &policy);
    }

    #[test]
    fn no_text_is_too_much_for_the_reader(text in "[\\[\\]{}\":,0-9a-z\\\\ é*.-]{0,60}") {
        let _ = read_json(&text);
        let _ = Images::parse(&text);
    }

    #[test]
    fn a_protect_rule_shields_whatever_else_the_short_form_says(images in images()) {
        let short = json!([{ "keep_last": 1 }, { "expire_untagged_after": "1d" }, { "expire_after": "1d", "tag_prefix": ["v", "prod"] },
            { "expire_archived_after": "90d" }, { "protect": ["prod*", "w1"] }]);
        let policy = read_json(&short.to_string()).unwrap().policy;
        let images = read(&images);
        for taken in evaluate(&policy, &images, now()).taken {
            prop_assert!(!taken.image.tags.iter().any(|tag| tag.starts_with("prod") || tag == "w1"));
        }
    }
}
