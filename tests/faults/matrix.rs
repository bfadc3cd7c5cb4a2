//! The matrix: every operation that a clean run was seen to make, with every fault.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::user::{Ended, User};
use crate::world::{Place, Tags, World, astray, unfinished};

/// A fault: its name, how it is written, and the exit codes that may come of it.
struct Kind {
    name: &'static str,
    written: &'static str,
    codes: &'static [i32],
}

const PASSING: &[i32] = &[0];

const KINDS: [Kind; 13] = [
    Kind { name: "503 once", written: "nth: 1, answer: { status: 503 }", codes: PASSING },
    Kind { name: "500 twice", written: "nth: [1, 2], answer: { status: 500 }", codes: PASSING },
    Kind { name: "429 once", written: "nth: 1, answer: { status: 429, retry_after: 0 }", codes: PASSING },
    Kind {
        name: "a proxy's page once",
        written: "nth: 1, answer: { status: 502, body: '<html>bad gateway</html>' }",
        codes: PASSING,
    },
    Kind { name: "reset before the effect", written: "nth: 1, reset: true", codes: PASSING },
    Kind { name: "reset after the effect", written: "nth: 1, when: after, reset: true", codes: PASSING },
    Kind { name: "broken off once", written: "nth: 1, truncate: 3", codes: PASSING },
    Kind { name: "slow once", written: "nth: 1, delay: 300ms", codes: PASSING },
    // The registry's own is renewed; for the control plane the credentials of AWS have expired, which only the user
    // can mend.
    Kind { name: "token expires", written: "nth: 1, token: expired", codes: &[0, 3] },
    Kind { name: "503 always", written: "answer: { status: 503 }", codes: &[4] },
    Kind { name: "403 always", written: "answer: { status: 403 }", codes: &[3] },
    Kind { name: "400 always", written: "answer: { status: 400 }", codes: &[1, 2] },
    Kind { name: "lies about the digest", written: "lie: digest", codes: &[0, 1] },
];

/// Operations whose loss a run bears: they only explain, or can be done without.
const BEARABLE: [&str; 7] = [
    "BatchGetRepositoryScanningConfiguration",
    "DescribeRepositoryCreationTemplates",
    "GetRegistryScanningConfiguration",
    "registry:GetBlob",
    "registry:HeadBlob",
    "registry:ListReferrers",
    "registry:Ping",
];

/// Operations that look for images. Where there is no repository yet, nothing depends on them, so that they are tried where
/// there is one.
const LOOKS: [&str; 2] = ["BatchGetImage", "DescribeImages"];

/// What no run calls: the test does the one, and ECR the other once a push is answered.
const OF_OTHERS: [&str; 2] = ["PutSigningConfiguration", "signer:SignPayload"];

/// One pipeline: how its world is made.
type Begin = fn(&Path) -> World;

struct Pair<'a> {
    begin: Begin,
    place: Place,
    operation: &'a str,
    kind: &'a Kind,
}

impl Pair<'_> {
    fn faults(&self) -> String {
        format!("faults: [{{ operation: '{}', {} }}]", self.operation, self.kind.written)
    }

    fn may_end_with(&self, code: Option<i32>) -> bool {
        let is_bearable = BEARABLE.contains(&self.operation);
        code.is_some_and(|code| self.kind.codes.contains(&code) || (is_bearable && code == 0))
    }
}

type Operations = BTreeSet<(Place, String)>;

/// What a clean run makes, and what its tags name.
fn clean(begin: Begin) -> (Operations, Tags) {
    let user = User::new();
    let world = begin(&user.at("world"));
    let checkout = world.checkout(&user);
    world.run(&checkout).run().with_code(0);
    let place = |line: &Value| if line["registry"].is_null() { Place::Here } else { Place::There };
    let name = |line: &Value| line["operation"].as_str().unwrap().to_owned();
    let operations = world.operations();
    let all = operations.iter().map(|line| (place(line), name(line)));
    let all = all.filter(|(_, name)| !OF_OTHERS.contains(&name.as_str()));
    (all.collect(), world.tags())
}

/// Runs under the fault and once more without it; what is wrong with either.
fn problem(pair: &Pair<'_>, expected: &Tags) -> Option<String> {
    let user = User::new();
    let world = (pair.begin)(&user.at("world"));
    let checkout = world.checkout(&user);
    if LOOKS.contains(&pair.operation) {
        world.run(&checkout).run().with_code(0);
    }
    world.set_faults(pair.place, &pair.faults());
    let ended = world.run(&checkout).run();
    let told = |what: &str, ended: &Ended| {
        Some(format!(
            "{} on {} {:?}: {what}\n{:?}\n{}",
            pair.kind.name, pair.operation, pair.place, ended.code, ended.stderr
        ))
    };
    if !pair.may_end_with(ended.code) {
        return told("the exit code is wrong", &ended);
    }
    if let Some(what) = unfinished(&world.tags()) {
        return told(&what, &ended);
    }
    if pair.place == Place::There
        && let Some(what) = astray(&world.tags(), &world.tags_at(Place::There))
    {
        return told(&what, &ended);
    }
    if ended.code != Some(0) && checkout.at("imageDefinitions.json").exists() {
        return told("a deploy file was written", &ended);
    }
    world.set_faults(pair.place, "{}");
    let again = world.run(&checkout).run();
    if again.code != Some(0) {
        return told("the next run fails", &again);
    }
    if world.tags() != *expected {
        return told(&format!("the tags are {:?}", world.tags()), &again);
    }
    if pair.place == Place::There && world.tags_at(Place::There) != *expected {
        return told("the replica has other tags", &again);
    }
    let left = user.left_behind();
    (!left.is_empty()).then(|| format!("{} on {} left {left:?} behind", pair.kind.name, pair.operation))
}

#[test]
fn every_fault_on_every_operation() {
    let (plain, expected) = clean(World::new);
    assert!(plain.len() >= 12, "{plain:?}");
    hold(World::new, &plain, &expected);
}

/// What the plain pipeline does as well is left to it.
#[test]
fn every_fault_on_every_operation_of_gates_signatures_and_replicas() {
    let (plain, _) = clean(World::new);
    let (all, expected) = clean(World::careful);
    let more: Operations = all.difference(&plain).cloned().collect();
    assert!(more.len() >= 12, "{more:?}");
    hold(World::careful, &more, &expected);
}

fn hold(begin: Begin, operations: &Operations, expected: &Tags) {
    let pair = |(place, operation), kind| Pair { begin, place, operation, kind };
    let pairs: Vec<Pair<'_>> = operations
        .iter()
        .flat_map(|(place, operation)| KINDS.iter().map(move |kind| pair((*place, operation.as_str()), kind)))
        .collect();
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        // Most of the time is waiting for another attempt.
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(pair) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Not in one line, or the lock would be held all the while.
                    let found = problem(pair, expected);
                    problems.lock().unwrap().extend(found);
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    #[expect(clippy::print_stderr, reason = "the number is a figure that people ask for")]
    {
        eprintln!("{} pairs: {} operations, {} faults", pairs.len(), operations.len(), KINDS.len());
    }
    assert!(problems.is_empty(), "{} of {} pairs\n{}", problems.len(), pairs.len(), problems.join("\n---\n"));
}
