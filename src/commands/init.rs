//! `longshore init`

use std::path::{Path, PathBuf};

use super::World;
use super::read::shown;
use crate::cli::{CiSystem, InitArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::draft::{self, Checkout, Draft, ci};
use crate::effects::{git, survey, workspace};
use crate::pipeline;
use crate::report::{self, files};

/// The region where nothing says another.
const REGION: &str = "us-east-1";

/// A file that the checkout may get.
struct Planned {
    path: PathBuf,
    text: String,
    what: String,
}

/// Writes the pipeline file, and the file of the CI system. What is there already is named and left alone.
pub(super) fn run(args: &InitArgs, world: &World) -> Result<(), Diagnostics> {
    let checkout = look(&world.folder);
    let draft = draft::draft(&checkout);
    if draft.images.is_empty() {
        return Err(nothing(&draft).into());
    }
    let text = draft::pipeline_file(&draft, &checkout, &refused);
    if args.print {
        return Ok(report::print(&text)?);
    }
    let images: Vec<String> =
        draft.images.iter().map(|image| format!("{} (from {})", image.name, image.from)).collect();
    let mut planned = vec![Planned {
        path: world.folder.join("longshore.yaml"),
        text,
        what: format!("the images {}", images.join(", ")),
    }];
    if let Some(system) = system(args, &checkout) {
        let region = draft.region.as_deref().or_else(|| world.variable("AWS_REGION")).unwrap_or(REGION);
        let (path, text) = ci::file(system, region);
        planned.push(Planned { path: world.folder.join(path), text, what: format!("a job for {}", system.name()) });
    }
    for file in planned {
        put(&file, args.dry_run, world)?;
    }
    draft.left_out.iter().for_each(|what| report::remark(&format!("not taken over: {what}")));
    if !args.dry_run {
        report::note(
            "next: `longshore plan` says what a run would do, `longshore run --local` tries it on this machine",
        );
    }
    Ok(())
}

fn put(file: &Planned, dry_run: bool, world: &World) -> Result<(), Diagnostic> {
    let name = shown(&file.path, &world.folder);
    if file.path.symlink_metadata().is_ok() {
        report::note(&format!("{name} is there already and is left as it is"));
        return Ok(());
    }
    if let Some(link) = leads_out(&file.path, &world.folder) {
        report::note(&format!("{name} is not written: {} is a symbolic link", shown(link, &world.folder)));
        return Ok(());
    }
    if dry_run {
        report::remark(&format!("would write {name}: {}", file.what));
        return Ok(());
    }
    if let Some(folder) = file.path.parent() {
        files::create_folder(folder)?;
    }
    files::write(&file.path, file.text.as_bytes())?;
    report::remark(&format!("wrote {name}: {}", file.what));
    Ok(())
}

fn look(folder: &Path) -> Checkout {
    let matters = |path: &str| draft::is_dockerfile(path) || draft::is_read(path) || ci::is_of_a_system(path);
    let found = survey::files(folder, &matters);
    let given_up = found.given_up.map(|files| format!("what comes after the first {files} files"));
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let git = git::look(folder).ok().flatten().unwrap_or_default();
    let usual = |branch: &String| matches!(branch.as_str(), "main" | "master" | "trunk");
    let main_branch = git.default_branch.or_else(|| git.branch.filter(usual));
    let mut checkout = Checkout {
        name,
        paths: found.paths,
        main_branch,
        origin: git.remote_url,
        unread: given_up.into_iter().collect(),
        ..Checkout::default()
    };
    read_texts(folder, &mut checkout);
    checkout
}

/// Reads the files that say how images are built, as far as they are of a size that people write.
fn read_texts(folder: &Path, checkout: &mut Checkout) {
    let mut left = draft::MAX_BYTES_OF_ALL;
    for path in checkout.paths.iter().filter(|path| draft::is_read(path)) {
        match read_text(&folder.join(path), &mut left) {
            Ok(text) => drop(checkout.texts.insert(path.clone(), text)),
            Err(why) => checkout.unread.push(format!("{path}: {why}")),
        }
    }
}

fn read_text(path: &Path, left: &mut u64) -> Result<String, String> {
    let too_many = || format!("the files before it have {} MiB", draft::MAX_BYTES_OF_ALL >> 20);
    if *left == 0 {
        return Err(too_many());
    }
    let bytes = workspace::read_up_to(path, draft::MAX_BYTES).map_err(|error| error.to_string())?;
    let after = left.checked_sub(bytes.len() as u64);
    *left = after.unwrap_or_default();
    after.ok_or_else(too_many)?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// The first folder above a file that is a symbolic link, which may lead out of the checkout.
fn leads_out<'p>(path: &'p Path, checkout: &Path) -> Option<&'p Path> {
    path.ancestors().skip(1).take_while(|folder| *folder != checkout).find(|folder| folder.is_symlink())
}

fn system(args: &InitArgs, checkout: &Checkout) -> Option<ci::System> {
    match args.ci {
        None => ci::System::detect(&checkout.paths, checkout.origin.as_deref()),
        Some(CiSystem::None) => None,
        Some(CiSystem::Github) => Some(ci::System::Github),
        Some(CiSystem::Gitlab) => Some(ci::System::Gitlab),
        Some(CiSystem::Jenkins) => Some(ci::System::Jenkins),
        Some(CiSystem::Codebuild) => Some(ci::System::Codebuild),
        Some(CiSystem::Circleci) => Some(ci::System::Circleci),
        Some(CiSystem::Buildkite) => Some(ci::System::Buildkite),
    }
}

/// The lines that the reader of pipeline files refuses, and why. Variables may be anything: they are set in CI.
fn refused(text: &str) -> Vec<(usize, String)> {
    let any = |_: &str| Some("x".to_owned());
    let read = pipeline::parse("longshore.yaml", text.to_owned()).and_then(|file| file.resolve(&any));
    let Err(problems) = read else { return Vec::new() };
    let lines = problems.iter().filter_map(|problem| Some((problem.place.as_ref()?.line, problem.message.clone())));
    lines.collect()
}

fn nothing(draft: &Draft) -> Diagnostic {
    let problem = Diagnostic::input("there is nothing here that builds an image")
        .hint("write a Dockerfile first; Compose files, bake files and workflows are looked at as well");
    draft.left_out.iter().fold(problem, |problem, what| problem.caused_by(format!("not taken over: {what}")))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "checkouts to look at")]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::fs;

    #[test]
    fn whatever_is_found_reads_as_a_pipeline_file() {
        let odd = "services:\n".to_owned()
            + &(0..2_000)
                .map(|at| format!("  s{at}: {{ build: {{ context: \"a{at}\", \"odd\\n{at}\": [] }} }}\n"))
                .collect::<String>();
        let long = format!("services: {{ w: {{ build: {{ target: \"{}\" }} }} }}\n", "\\0".repeat(20_000));
        let none = "services: { w: { build: { context: '$', args: { a: '${', b: '${X:?}', c: ~ } } } }\n".to_owned();
        for (path, text) in [("compose.yaml", odd), ("compose.yaml", long), ("compose.yaml", none)] {
            let checkout = Checkout { texts: BTreeMap::from([(path.to_owned(), text)]), ..Checkout::default() };
            let written = draft::pipeline_file(&draft::draft(&checkout), &checkout, &refused);
            assert!(written.len() < pipeline::MAX_BYTES, "{}", written.len());
            pipeline::parse("longshore.yaml", written).unwrap();
        }
    }

    #[test]
    fn long_names_are_counted_wherever_they_stand() {
        let paths = (0..1_000).map(|at| format!("{}{at}/Dockerfile", "a".repeat(196))).collect();
        let checkout = Checkout { name: "p".repeat(50), paths, ..Checkout::default() };
        let written = draft::pipeline_file(&draft::draft(&checkout), &checkout, &refused);
        assert!(written.len() < 200 << 10, "{}", written.len());
    }

    #[test]
    fn files_are_read_up_to_a_size_and_what_is_not_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at(".github/workflows")).unwrap();
        let most = usize::try_from(draft::MAX_BYTES).unwrap();
        fs::write(at("compose.yaml"), "#".repeat(most)).unwrap();
        fs::write(at("docker-bake.hcl"), "#".repeat(most + 1)).unwrap();
        fs::write(at("docker-bake.json"), [0xff]).unwrap();
        for number in 0..40 {
            fs::write(at(&format!(".github/workflows/{number:02}.yml")), "#".repeat(most)).unwrap();
        }
        let found = look(folder.path());
        assert_eq!(found.texts.len(), 32);
        assert_eq!(found.unread[0], ".github/workflows/32.yml: the files before it have 4 MiB");
        assert_eq!(found.unread.len(), 11);

        fs::remove_dir_all(at(".github")).unwrap();
        let found = look(folder.path());
        assert_eq!(found.texts.keys().collect::<Vec<_>>(), ["compose.yaml"]);
        assert_eq!(found.unread, ["docker-bake.hcl: it is larger than 128 KiB", "docker-bake.json: it is not UTF-8"]);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(other.path(), folder.path().join(".github")).unwrap();
        let file = |path: &str| Planned { path: folder.path().join(path), text: "x".into(), what: "y".into() };
        assert!(leads_out(&file(".github/workflows/x.yml").path, folder.path()).is_some());
        assert!(leads_out(&file("longshore.yaml").path, folder.path()).is_none());
        assert!(leads_out(&file(".circleci/config.yml").path, folder.path()).is_none());
    }
}
