//! The files that a deploy reads. Each appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::report::{Outcome, Published, Report};
use crate::names::{Digest, ImageRef, RegistryHost, RepositoryName};
use crate::pipeline::ImageUri;
use crate::plan::Plan;

use super::task_definition::Template;

/// The most that CodePipeline's ECS deploy action reads. Source: CodePipeline user guide, "Image definitions file
/// reference".
const LARGEST_DEFINITIONS: usize = 100 * 1024;

/// Writes the plan's deploy files under this folder and returns their paths.
///
/// # Errors
/// If a file cannot be written, or is larger than its reader takes.
pub fn write_deploy_files(
    plan: &Plan,
    report: &Report,
    template: Option<&Template>,
    root: &Path,
) -> Result<Vec<PathBuf>, Diagnostic> {
    let mut written = Vec::new();
    let definitions = image_definitions(plan, report);
    if definitions.len() > LARGEST_DEFINITIONS {
        return Err(Diagnostic::input(format!("the image definitions have {} bytes", definitions.len()))
            .caused_by(format!("CodePipeline reads {LARGEST_DEFINITIONS} bytes at most"))
            .hint("split the pipeline, or set `outputs: { image_uri: tag }`, which is shorter"));
    }
    for path in &plan.outputs.image_definitions {
        let path = root.join(path);
        write(&path, definitions.as_bytes())?;
        written.push(path);
    }
    if let (Some(path), Some(uri)) = (&plan.outputs.image_detail, uris(plan, report).next()) {
        let path = root.join(path);
        write(&path, super::json::text(&json!({ "ImageURI": uri.1.to_string() })).as_bytes())?;
        written.push(path);
    }
    if let (Some(definition), Some(template)) = (&plan.outputs.task_definition, template) {
        let path = root.join(&definition.file);
        let uris: Vec<ImageRef> = uris(plan, report).map(|(_, uri)| uri).collect();
        write(&path, template.render(&uris).as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

/// `[{"name": container, "imageUri": uri}]`, keys in this order, as the guide shows it.
fn image_definitions(plan: &Plan, report: &Report) -> String {
    let entries: Vec<_> =
        uris(plan, report).map(|(name, uri)| json!({ "name": name, "imageUri": uri.to_string() })).collect();
    super::json::text(&entries)
}

/// The containers of the published images and the images they run.
fn uris<'a>(plan: &'a Plan, report: &'a Report) -> impl Iterator<Item = (&'a str, ImageRef)> {
    plan.images.iter().zip(&report.images).filter_map(|(planned, done)| match &done.outcome {
        Outcome::Published(published) => {
            let Published { registry, digest, references, .. } = published;
            Some((planned.container.as_str(), uri(plan, registry, &planned.repository, digest, references)))
        }
        Outcome::Failed(_) | Outcome::Staged(_) | Outcome::Stopped => None,
    })
}

/// What a deploy should name an image by, as the pipeline says; by its digest where there is no tag.
pub(super) fn uri(
    plan: &Plan,
    registry: &RegistryHost,
    repository: &RepositoryName,
    digest: &Digest,
    references: &[ImageRef],
) -> ImageRef {
    let by_tag = references.first().filter(|_| plan.outputs.image_uri == ImageUri::Tag);
    by_tag.cloned().unwrap_or_else(|| ImageRef::digested(registry, repository, digest))
}

/// Writes a file beside its place and then moves it there, so that no reader ever sees half of it.
///
/// A link stays a link, and what is no ordinary file, such as `/dev/stdout`, is written to as it is.
///
/// # Errors
/// If the folder is missing, or may not be written to.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Diagnostic> {
    let failed = |error: io::Error| failed(path, &error);
    if is_special(path) {
        let mut file = File::options().append(true).open(path).map_err(failed)?;
        return file.write_all(bytes).map_err(failed);
    }
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = beside(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Makes a folder, with those above it, where there is none.
///
/// # Errors
/// If it cannot be made.
#[expect(clippy::disallowed_methods, reason = "manual pages are a result")]
pub fn create_folder(path: &Path) -> Result<(), Diagnostic> {
    fs::create_dir_all(path).map_err(|error| failed(path, &error))
}

/// Checks that these files can be written, so that no long work is done for results that have no place to go.
///
/// # Errors
/// One diagnostic for each file that cannot be written.
pub fn check(paths: impl Iterator<Item = PathBuf>) -> Result<(), Diagnostics> {
    let problem = |path: PathBuf| match path.is_dir() {
        true => Some(failed(&path, &io::ErrorKind::IsADirectory.into())),
        false if is_special(&path) => None,
        // It is gone again at once.
        false => beside(&path).err().map(|error| failed(&path, &error)),
    };
    Diagnostics::check(paths.filter_map(problem).collect())
}

/// Removes files that an earlier run wrote, so that they cannot pass for this one's. Links, pipes and devices stay.
///
/// # Errors
/// If a file is there and cannot be removed.
#[expect(clippy::disallowed_methods, reason = "what is written here is removed here")]
pub fn clear(paths: impl Iterator<Item = PathBuf>) -> Result<(), Diagnostics> {
    let problem = |path: PathBuf| {
        fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let error = fs::remove_file(&path).err()?;
        let message = format!("cannot remove `{}`, which an earlier run wrote", path.display());
        Some(Diagnostic::input(message).caused_by(error.to_string()))
    };
    Diagnostics::check(paths.filter_map(problem).collect())
}

/// Adds text to the end of a file that others add to as well.
///
/// # Errors
/// If it cannot be written.
pub fn append(path: &Path, text: &str) -> Result<(), Diagnostic> {
    let file = File::options().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| failed(path, &error))
}

/// Whether the path leads to a device, a pipe or a stream of this process, which no file may take the place of.
fn is_special(path: &Path) -> bool {
    let is_other = |metadata: fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    path.starts_with("/dev") || fs::metadata(path).is_ok_and(is_other)
}

/// A temporary file in the folder of another.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".longshore-");
    // Without this the file would be the owner's alone; the umask still applies.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn failed(path: &Path, error: &io::Error) -> Diagnostic {
    let text = error.to_string();
    // tempfile adds the name of its file, which says nothing to the user.
    let cause = text.split(" at path \"").next().unwrap_or(&text);
    Diagnostic::input(format!("cannot write `{}`", path.display())).caused_by(cause)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests look at what was written")]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_readable_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("imagedefinitions.json");
        write(&path, b"old, and longer").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else stays behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            let ordinary = folder.path().join("ordinary");
            std::fs::write(&ordinary, b"").unwrap();
            assert_eq!(mode(&path), mode(&ordinary));
        }
    }

    #[test]
    fn a_missing_folder_is_named() {
        let problem = write(Path::new("/does/not/exist/x.json"), b"").unwrap_err();
        let expected = "cannot write `/does/not/exist/x.json`\ncaused by: No such file or directory (os error 2)";
        assert_eq!(problem.to_string(), expected);
        let all = [PathBuf::from("/does/not/exist/x.json"), PathBuf::from("/"), PathBuf::from("/dev/null")];
        let problems = check(all.into_iter()).unwrap_err();
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(texts, [expected, "cannot write `/`\ncaused by: is a directory"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink("target", &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).unwrap()
        });
        write(&pipe, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
    }
}
