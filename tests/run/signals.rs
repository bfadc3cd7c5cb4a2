//! Ctrl-C, whenever it comes.

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

    let mut run = checkout.run_local(&["--report", "report.json"]).start();
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
    let after: Vec<String> = names(checkout.root()).into_iter().filter(|name| name != "report.json").collect();
    assert_eq!(after, before, "no deploy file, and no half of one");
}
