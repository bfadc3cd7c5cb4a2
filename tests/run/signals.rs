//! Ctrl-C, whenever it comes.

use std::time::{Duration, Instant};

use crate::user::{Signal, User, is_running, names, wait_for};

#[test]
fn in_the_middle_of_a_step_stops_the_step() {
    let user = User::new();
    // A number that no other process sleeps for.
    let seconds = format!("{}", fastrand::u64(100_000_000_000..1_000_000_000_000));
    let dockerfile = user.dockerfile(&format!("COPY busybox /sleep\nRUN [\"/sleep\", \"{seconds}\"]\n"));
    let pipeline = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one] } }\n";
    let checkout = user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &dockerfile)]);
    checkout.add_busybox(".");
    let before = names(checkout.root());

    let mut run = checkout.run_local(&["--report", "report.json", "--timeline", "timeline.html"]).start();
    run.wait_for("the sleeping step", |_| is_running(&seconds).then_some(()));
    run.signal(Signal::INT);
    let ended = run.end().with_code(130);
    let error = "error: interrupted\nhint: run again; what is done is not done twice\n";
    assert!(ended.err().ends_with(error), "{}", ended.err());
    assert_eq!(ended.stdout, "");
    wait_for("the end of the step", || (!is_running(&seconds)).then_some(()));

    assert_eq!(user.left_behind(), Vec::<String>::new());
    let report: serde_json::Value = serde_json::from_str(&checkout.read("report.json")).unwrap();
    assert_eq!((&report["status"], &report["exit_code"]), (&"failed".into(), &130.into()));
    let page = checkout.read("timeline.html");
    assert!(page.contains("given up") && page.contains(&seconds) && page.contains("state failed"), "{page}");
    let mut after = names(checkout.root());
    after.retain(|name| name != "report.json" && name != "timeline.html");
    assert_eq!(after, before, "no deploy file, and no half of one");
}

#[test]
fn the_system_ends_it_with_its_own_exit_code_and_in_time() {
    let user = User::new();
    let server = user.serve_with_faults("data", "faults: [{ operation: registry:PutManifest, nth: 1, hold: gate }]\n");
    let pipeline = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one] } }\n";
    let checkout =
        user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY Dockerfile /\n"))]);
    let mut run = server.run(&checkout).start();
    run.wait_for("the held manifest", |_| user.at("gate.held").exists().then_some(()));
    let asked = Instant::now();
    run.signal(Signal::TERM);
    let ended = run.end().with_code(143);
    assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());
    assert!(
        ended.err().ends_with("error: terminated\nhint: run again; what is done is not done twice\n"),
        "{}",
        ended.err()
    );
    assert!(server.tags(&format!("{}/web", user.unique())).is_empty(), "no tag is left");
    assert_eq!(user.left_behind(), Vec::<String>::new());
    user.write(&user.at("gate"), "");
    server.run(&checkout).run().with_code(0);
}

#[test]
fn whoever_asks_twice_does_not_wait() {
    let user = User::new();
    let server = user.serve_with_faults("data", "faults: [{ operation: DescribeRepositories, nth: 1, hold: gate }]\n");
    let pipeline = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one] } }\n";
    let checkout =
        user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY Dockerfile /\n"))]);
    // Nobody reads the report, so that writing it takes for ever.
    user.program("mkfifo", checkout.root()).arg("fifo").succeeds();
    let mut run = server.run(&checkout).args(&["--report", "fifo"]).start();
    run.wait_for("the held look-up", |_| user.at("gate.held").exists().then_some(()));
    for _ in 0..50 {
        run.signal(Signal::INT);
        std::thread::sleep(Duration::from_millis(20));
    }
    run.end().with_code(130);
}
