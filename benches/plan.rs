//! How long a plan of 500 images takes: `make bench` says it.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, reason = "it measures, and tells")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use longshore::facts::{
    ContentFacts, Facts, Known, Refs, RegistryFacts, RepositoryFacts, RepositorySettings, StoredImage,
};
use longshore::key::ContentKey;
use longshore::names::Digest;
use longshore::pipeline;
use longshore::plan::environment;
use longshore::plan::tags::{Rules, derive};
use longshore::plan::{Scope, Sight, make};

const IMAGES: usize = 500;

fn main() {
    let mut text =
        "version: 1\ndefaults: { tags: [semver, sha, env, \"type=raw,value={{branch}}-{{sha}}\"] }\nimages:\n"
            .to_owned();
    for number in 0..IMAGES {
        writeln!(text, "  image-{number}: {{ build: {{ context: ., args: {{ NUMBER: {number} }} }}, repository: shop/image-{number} }}")
            .unwrap();
    }
    let facts = Facts {
        refs: Refs::tag(Known::new("v1.2.3".into(), "bench")),
        commit: Some(Known::new(longshore::facts::Commit::parse(&"a".repeat(40)).unwrap(), "bench")),
        now: Some(Known::new(time::macros::datetime!(2024-05-06 07:08:09 UTC), "bench")),
        ..Facts::default()
    };
    let began = Instant::now();
    let (pipeline, _) = pipeline::parse("longshore.yaml", text).unwrap().resolve(&|_| None).unwrap();
    let read = began.elapsed().as_secs_f64();
    let chosen = environment::choose(&pipeline, &facts, None).unwrap();
    let tags: Vec<_> =
        pipeline.images.iter().map(|image| derive(&Rules::of(image), &facts, &chosen).unwrap()).collect();
    let key = |number: usize| ContentKey::try_from(format!("{number:064x}")).unwrap();
    let contents: Vec<_> = (0..IMAGES)
        .map(|number| ContentFacts {
            key: Ok(key(number)),
            fresh_bases: true,
            record: None,
            base: None,
            changes: Vec::new(),
            parts: Vec::new(),
        })
        .collect();
    // Every second image is there already, and every tag of the others is taken.
    let repositories: BTreeMap<_, _> = pipeline
        .images
        .iter()
        .enumerate()
        .map(|(number, image)| {
            let digest = Digest::of(number.to_string().as_bytes());
            let mut taken: BTreeMap<_, _> = tags[number]
                .tags
                .iter()
                .map(|planned| (planned.tag.clone(), StoredImage::new(digest.clone())))
                .collect();
            if number % 2 == 0 {
                let stored =
                    StoredImage { pushed_at: facts.now.as_ref().map(|now| now.value), ..StoredImage::new(digest) };
                taken.insert(key(number).tag(), stored);
            }
            let name = image.repository.name.clone();
            (
                name.clone(),
                RepositoryFacts {
                    name,
                    immutable: false,
                    except: Vec::new(),
                    settings: RepositorySettings::default(),
                    taken,
                },
            )
        })
        .collect();
    let seen = RegistryFacts { repositories, templates: Vec::new(), images: BTreeMap::new(), replication: None };
    let sight = Sight {
        root: Path::new("/"),
        written: &[],
        facts: &facts,
        registry: &"123456789012.dkr.ecr.eu-west-1.amazonaws.com".parse().unwrap(),
        based_on_registry: &BTreeSet::new(),
        contents: &contents,
        now: time::macros::datetime!(2024-05-06 07:08:09 UTC),
        force: false,
        scope: Scope::Whole,
        native: &"linux/amd64".parse().unwrap(),
        seen: &seen,
        replicas: &[],
    };
    let plan = make(&pipeline, tags, &sight).unwrap();
    let all = began.elapsed().as_secs_f64();
    let built = plan.images.iter().filter(|image| image.action.builds()).count();
    println!(
        "a plan of {} images, {built} to build, in {all:.3} s, {read:.3} s of it to read the file",
        plan.images.len()
    );
}
