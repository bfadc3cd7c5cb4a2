//! `longshore run --timeline`, and `--progress json`.

use std::process::Command;

use serde_json::Value;

use crate::user::{Checkout, User};

const PIPELINE: &str = "\
version: 1
images:
  base: { build: base, repository: UNIQUE/base, tags: [one] }
  app: { build: app, repository: UNIQUE/app, tags: [one, two], depends_on: [base] }
";

fn checkout(user: &User) -> Checkout<'_> {
    let steps = "COPY busybox /bin/sh\nRUN echo '<b>&' && n=0; while [ $n -lt 200000 ]; do n=$((n+1)); done\n";
    let checkout = user.checkout(&[
        ("longshore.yaml", PIPELINE),
        ("base/Dockerfile", &user.dockerfile(steps)),
        ("app/Dockerfile", &user.dockerfile("COPY Dockerfile /\nCOPY Dockerfile /again\n")),
    ]);
    checkout.add_busybox("base");
    checkout.commit();
    checkout
}

#[test]
fn a_page_of_its_own_with_every_step_push_and_wait() {
    let user = User::new();
    let checkout = checkout(&user);
    checkout.run_local(&["--timeline", "timeline.html"]).succeeds();
    let page = checkout.read("timeline.html");
    for part in
        ["<b>base</b>", "<b>app</b>", "[1/2] COPY busybox /bin/sh", "data-tip=\"waits for base", "Critical path"]
    {
        assert!(page.contains(part), "no `{part}` in {page}");
    }
    assert!(page.contains("RUN echo &#39;&lt;b&gt;&amp;&#39;"), "what a step is called is no markup");
    assert_eq!(
        page.matches("class=\"bar push").count() - page.matches("<i class=\"bar push").count(),
        4,
        "each push, twice"
    );
    assert!(page.contains("2 layers, 1.1 MB"), "the layers of an image, with their size");
    for word in ["http://", "https://", "<script", "src="] {
        assert!(!page.contains(word), "the page needs nothing else, but has `{word}`");
    }
    chromium_shows(&user, &checkout, &["base", "app", "Critical path", "build steps"]);

    let again = checkout.run_local(&["--timeline", "again.html"]).run().with_code(0);
    assert!(again.err().contains("not built"), "{}", again.err());
    let page = checkout.read("again.html");
    assert!(page.contains("reused") && !page.contains("[1/2]"), "{page}");
}

#[test]
fn a_failed_run_has_a_page_as_well() {
    let user = User::new();
    let checkout = checkout(&user);
    checkout.write("app/Dockerfile", &user.dockerfile("COPY Dockerfile /\nCOPY no-such-file /\n"));
    checkout.commit();
    checkout.run_local(&["--timeline", "timeline.html"]).run().with_code(1);
    let page = checkout.read("timeline.html");
    assert!(page.contains("state failed") && page.contains("class=\"lane failed\" open"), "{page}");
    assert!(page.contains("staged as sha256:"), "the other image waits");
    assert!(page.contains("1 built, 1 failed"), "{page}");
}

#[test]
fn one_event_of_json_a_line() {
    let user = User::new();
    let checkout = checkout(&user);
    let ended = checkout.run_local(&["--progress", "json"]).run().with_code(0);
    let events: Vec<Value> = ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| -> Vec<&Value> { events.iter().filter(|event| event["event"] == name).collect() };
    assert_eq!(of("repository_created").len(), 2);
    assert_eq!(of("built").len(), 2);
    assert_eq!(of("tagged").len(), 3);
    assert!(of("step_started").iter().any(|event| event["name"] == "[1/2] COPY busybox /bin/sh"));
    let times: Vec<f64> = events.iter().map(|event| event["at"].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
/// Opens the page in a browser, which must find nothing to complain of and show these texts.
fn chromium_shows(user: &User, checkout: &Checkout<'_>, texts: &[&str]) {
    let Some(browser) = ["chromium", "chromium-browser"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()))
    else {
        return eprintln!("skipped: there is no chromium here to open the page with; install Debian's chromium");
    };
    let url = format!("file://{}", checkout.at("timeline.html").display());
    let profile = format!("--user-data-dir={}", user.at("chromium").display());
    let screenshot = format!("--screenshot={}", user.at("page.png").display());
    let common =
        ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr", &profile];
    let dom = user.program(browser, checkout.root()).args(&common).args(&["--dump-dom", &url]).run().with_code(0);
    for text in texts {
        assert!(dom.stdout.contains(text), "the browser shows no `{text}`");
    }
    // What a page is refused, or cannot find, is told on the console.
    assert!(!dom.stderr.contains("CONSOLE"), "{}", dom.stderr);
    let picture =
        user.program(browser, checkout.root()).args(&common).args(&["--window-size=1400,1000", &screenshot, &url]);
    picture.run().with_code(0);
    let picture = std::fs::read(user.at("page.png")).unwrap();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 20_000, "{} bytes are no picture of it", picture.len());
}
