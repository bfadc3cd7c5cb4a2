//! Many images against a registry that throttles as ECR does, and many pipelines at once.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::user::User;
use crate::world::{Place, World};

/// The most memory that a run may take, in bytes.
const MEMORY: u64 = 300 * 1024 * 1024;

/// A pipeline of so many images, each with five tags and a repository of its own.
fn pipeline(images: usize) -> String {
    let mut text = "version: 1\ndefaults: { tags: [one, two, three, four, five] }\nimages:\n".to_owned();
    for n in 0..images {
        writeln!(text, "  i{n}: {{ build: {{ context: ., args: {{ N: \"{n}\" }} }}, repository: many/i{n} }}").unwrap();
    }
    text
}

/// 200 images with LONGSHORE_LOAD=200; a tenth of it where nothing is said.
#[test]
fn a_release_takes_the_time_that_the_quota_allows() {
    let images: usize = std::env::var("LONGSHORE_LOAD").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let user = User::new();
    let text = pipeline(images);
    let checkout =
        user.checkout(&[("longshore.yaml", &text), ("Dockerfile", "FROM scratch\nARG N\nCOPY Dockerfile /\n")]);
    let world = World::new(&user.at("world"));
    world.set_faults(Place::Here, "quotas: ecr");
    let began = Instant::now();
    let running = world.run(&checkout).start();
    let mut peak = 0;
    while !running.has_ended() {
        peak = peak.max(running.peak_memory());
        std::thread::sleep(Duration::from_millis(50));
    }
    running.end().with_code(0);
    let took = began.elapsed();
    let operations = world.operations();
    let puts = |status: u64| {
        operations.iter().filter(|line| line["operation"] == "registry:PutManifest" && line["status"] == status).count()
    };
    let (written, throttled) = (puts(201), puts(429));
    let least = Duration::from_secs(u64::try_from(written.saturating_sub(10) / 10).unwrap());
    #[expect(clippy::print_stderr, reason = "the numbers are figures that people ask for")]
    {
        eprintln!(
            "{images} images: {written} PutManifest in {took:?}, at least {least:?}; {throttled} throttled; {peak} bytes"
        );
    }
    assert!(took >= least, "the server did not throttle");
    assert!(took < least * 3 + Duration::from_secs(60), "it took {took:?} where {least:?} were needed");
    assert!(peak < MEMORY, "it took {peak} bytes of memory");
}

#[test]
fn twenty_pipelines_at_once() {
    let user = User::new();
    let world = World::new(&user.at("world"));
    let folders: Vec<_> = (0..20).map(|n| user.folder_of(&format!("clone{n}"), &world.files())).collect();
    let running: Vec<_> = folders.iter().map(|folder| world.run(folder).start()).collect();
    for ended in running.into_iter().map(crate::user::Running::end) {
        ended.with_code(0);
    }
    let tags = world.tags();
    assert_eq!(tags.len(), 6, "{tags:?}");
    assert_eq!(crate::world::unfinished(&tags), None);
}
