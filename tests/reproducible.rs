//! The same commit, checked out by others at another time, gives the same layers, on every road to the daemon.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "a test touches the world")]

#[allow(dead_code, reason = "every test binary compiles this module and uses its own part of it")]
mod engine_support;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine_support::{World, docker};
use longshore::execute::events::BuildEvent;
use longshore::execute::ports::{BuildInputs, Engine as _};
use longshore::pipeline::{ContextSource, Dockerfile};

/// A checkout as git makes it under a umask, at a time.
fn check_out(root: &Path, umask: u32, time: SystemTime) {
    fs::create_dir_all(root.join("src/deep")).unwrap();
    for (file, mode) in [("tool", 0o777), ("src/a", 0o666), ("src/deep/b", 0o666)] {
        fs::write(root.join(file), file).unwrap();
        fs::set_permissions(root.join(file), Permissions::from_mode(mode & !umask)).unwrap();
    }
    symlink("deep/b", root.join("src/link")).unwrap();
    for folder in ["src/deep", "src"] {
        fs::set_permissions(root.join(folder), Permissions::from_mode(0o777 & !umask)).unwrap();
    }
    for file in ["tool", "src/a", "src/deep/b", "src/deep", "src"] {
        File::open(root.join(file)).unwrap().set_modified(time).unwrap();
    }
}

async fn layers(classic: bool, root: &Path) -> String {
    let world = World::new(classic);
    // BuildKit before Docker 23.0 gives the folders of a context the time at which it took them in.
    let folders = classic || world.engine.look().await.unwrap().keeps_folder_times();
    let copies = if folders { "COPY . /\nCOPY src /\n" } else { "COPY src/a src/deep/b /\n" };
    let mut plan = world.plan(Dockerfile::Inline(format!("FROM scratch\n{copies}COPY tool /\n")));
    plan.context = ContextSource::Folder(root.to_owned());
    plan.source_date_epoch = Some(1_700_000_000);
    plan.no_cache = true;
    let no_warnings = |event| assert!(!matches!(event, BuildEvent::Warning(_)), "{event:?}");
    let image = world.engine.build(&plan, &BuildInputs::default(), &no_warnings).await.unwrap();
    let image = world.keep(&image.id);
    docker(&["inspect", "-f", "{{json .RootFS.Layers}}", &image])
}

#[tokio::test]
async fn two_checkouts_of_a_commit_give_the_same_layers() {
    for classic in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        check_out(&one, 0o022, UNIX_EPOCH + Duration::from_millis(1_234_567_890_123));
        check_out(&other, 0o077, SystemTime::now());
        assert_eq!(layers(classic, &one).await, layers(classic, &other).await, "classic: {classic}");
    }
}
