//! How long `.dockerignore` takes over 200,000 paths: `make bench` says it.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, reason = "it measures, and tells")]

use std::path::Path;
use std::time::Instant;

use longshore::effects::context::{IgnoreRules, Verdict};

const RULES: &[u8] = b"**/node_modules\n**/*.log\n.git\ndocs/**\n!docs/guide*.md\n**/.cache/*\n[Tt]emp*\nsrc/*/out\n!**/keep.log\n*.tmp\n";

fn main() {
    let rules = IgnoreRules::parse(Path::new(".dockerignore"), RULES).unwrap();
    let began = Instant::now();
    let mut kept = 0;
    for folder in 0..200 {
        let top = format!("src/package-{folder}");
        let (_, src) = rules.enter(&rules.enter(&Verdict::default(), b"src").unwrap().1, top.as_bytes()).unwrap();
        for file in 0..1000 {
            let path = format!("{top}/file-{file}.{}", ["rs", "log", "tmp", "md"][file % 4]);
            kept += usize::from(!rules.excludes_inside(&src, path.as_bytes()).unwrap());
        }
    }
    println!("10 patterns over 200,000 paths kept {kept} in {:.2} s", began.elapsed().as_secs_f64());
}
