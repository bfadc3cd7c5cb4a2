//! `longshore init`

use std::collections::BTreeMap;
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
    draft.left_out.iter().for_each(|what| report::note(&format!("not taken over: {what}")));
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
    if dry_run {
        report::note(&format!("would write {name}: {}", file.what));
        return Ok(());
    }
    if let Some(folder) = file.path.parent() {
        files::create_folder(folder)?;
    }
    files::write(&file.path, file.text.as_bytes())?;
    report::note(&format!("wrote {name}: {}", file.what));
    Ok(())
}

fn look(folder: &Path) -> Checkout {
    let matters = |path: &str| draft::is_dockerfile(path) || draft::is_read(path) || ci::is_of_a_system(path);
    let paths = survey::files(folder, &matters);
    let mut texts = BTreeMap::new();
    for path in paths.iter().filter(|path| draft::is_read(path)) {
        let text = workspace::read(&folder.join(path)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        texts.extend(text.map(|text| (path.clone(), text)));
    }
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let git = git::look(folder).ok().flatten().unwrap_or_default();
    let usual = |branch: &String| matches!(branch.as_str(), "main" | "master" | "trunk");
    let main_branch = git.default_branch.or_else(|| git.branch.filter(usual));
    Checkout { name, paths, texts, main_branch, origin: git.remote_url }
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
