//! The files that a deploy reads. Each appears whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::diagnostic::{Blame, Diagnostic};
use crate::execute::report::{Outcome, Published, Report};
use crate::names::ImageRef;
use crate::pipeline::ImageUri;
use crate::plan::Plan;

/// The most that CodePipeline's ECS deploy action reads. Source: CodePipeline user guide, "Image definitions file
/// reference".
const LARGEST_DEFINITIONS: usize = 100 * 1024;

/// Writes the plan's deploy files under this folder and returns their paths.
///
/// # Errors
/// If a file cannot be written, or is larger than its reader takes.
pub fn write_deploy_files(plan: &Plan, report: &Report, root: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
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
            let uri = uri(plan, &planned.repository, published)?;
            Some((planned.container.as_str(), uri))
        }
        Outcome::Failed(_) | Outcome::Staged(_) | Outcome::Stopped => None,
    })
}

fn uri(plan: &Plan, repository: &crate::names::RepositoryName, published: &Published) -> Option<ImageRef> {
    match plan.outputs.image_uri {
        ImageUri::Digest => Some(ImageRef::digested(&plan.registry, repository, &published.digest)),
        ImageUri::Tag => published.references.first().cloned(),
    }
}

/// Writes a file beside its place and then moves it there, so that no reader ever sees half of it.
///
/// # Errors
/// If the folder is missing, or may not be written to.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Diagnostic> {
    let failed = |error: std::io::Error| {
        Diagnostic::new(Blame::Input, format!("cannot write `{}`", path.display())).caused_by(error.to_string())
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".longshore-");
    // Without this the file would be the owner's alone; the umask still applies.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
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
        assert!(problem.to_string().starts_with("cannot write `/does/not/exist/x.json`\ncaused by: No such file"));
    }
}
