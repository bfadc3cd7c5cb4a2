//! What a build is given: its Dockerfile, its contexts, its secrets.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::served::{Folders, Served};
use super::{BuildKit, upload};
use crate::dockerfile;
use crate::effects::context::{Context, ContextError, Times};
use crate::effects::limited;
use crate::execute::ports::{BuildInputs, Failure, ServiceError};
use crate::names::Digest;
use crate::pipeline::SecretSource;
use crate::plan::{BuildPlan, ContextSource, Dockerfile, NamedContext};
use crate::secrecy;

/// The largest secret, in bytes. Source: BuildKit, `session/secrets`.
const LARGEST_SECRET: u64 = 500 * 1024;

/// The beginning of an archive by which it is told from a Dockerfile: one record of a tar.
const RECORD: u64 = 512;

/// All of it, opened but not read.
pub(super) struct Inputs {
    pub(super) folders: Folders,
    pub(super) dockerfile: Text,
    /// The frontend's attributes that say where everything is.
    pub(super) attributes: HashMap<String, String>,
    pub(super) secrets: BTreeMap<String, Vec<u8>>,
    pub(super) archive: Option<Box<dyn AsyncRead + Send + Unpin>>,
    /// Builds of which this is equal send the same folders.
    pub(super) shared_key: String,
}

/// Why a build cannot begin.
pub(super) enum Problem {
    Context(ContextError),
    Missing(String, String),
    Lacking(String),
    Unexpected(String),
}

impl From<ContextError> for Problem {
    fn from(error: ContextError) -> Self {
        Problem::Context(error)
    }
}

impl Problem {
    pub(super) fn while_doing(self, doing: &str, engine: &BuildKit<'_>) -> ServiceError {
        let (failure, cause) = match self {
            Problem::Context(error) => return error.while_doing(doing),
            Problem::Missing(what, cause) => (Failure::BuildInputMissing { what }, cause),
            Problem::Lacking(field) => (engine.lacks(&field), String::new()),
            Problem::Unexpected(cause) => (Failure::Unexpected, cause),
        };
        ServiceError { failure, doing: doing.to_owned(), cause }
    }
}

/// Opens everything.
pub(super) async fn open(build: &BuildPlan, given: &BuildInputs, engine: &BuildKit<'_>) -> Result<Inputs, Problem> {
    let mut inputs = Inputs {
        folders: Folders::new(),
        dockerfile: None,
        attributes: HashMap::new(),
        secrets: secrets(build, engine)?,
        archive: None,
        shared_key: Digest::of(format!("{}\n{:?}", build.context, build.left_out).as_bytes()).hex().to_owned(),
    };
    let mut text = context(build, &mut inputs).await?;
    named_contexts(build, given, engine, &mut inputs, &mut text)?;
    if let Some((name, text)) = text {
        inputs.attributes.insert("filename".into(), name.clone());
        inputs.folders.insert("dockerfile".into(), Served::Texts([(name.clone(), text.clone())].into()));
        inputs.dockerfile = Some((name, text));
    }
    Ok(inputs)
}

/// A Dockerfile's name and text, if it is not a part of the context that the daemon fetches itself.
pub(super) type Text = Option<(String, Vec<u8>)>;

async fn context(build: &BuildPlan, inputs: &mut Inputs) -> Result<Text, Problem> {
    match &build.context {
        ContextSource::Folder(folder) => {
            let context = prepared(Context::open(folder, &build.dockerfile)?, build);
            let text = Context::dockerfile_bytes(folder, &build.dockerfile)?;
            inputs.folders.insert("context".into(), Served::Folder(context));
            return Ok(Some((file_name(&build.dockerfile), text)));
        }
        ContextSource::Remote(url) => {
            inputs.attributes.insert("context".into(), url.clone());
        }
        ContextSource::Archive(path) => {
            let file = tokio::fs::File::open(path).await.map_err(|error| ContextError::new(path, &error))?;
            inputs.attributes.insert("context".into(), upload::ADDRESS.to_owned());
            inputs.archive = Some(Box::new(file));
        }
        ContextSource::Stdin => return stdin(build, inputs).await,
    }
    Ok(beside(build, inputs))
}

/// A folder without what the run writes into it, its files dated as the plan has it.
fn prepared(context: Context, build: &BuildPlan) -> Context {
    let times = build.source_date_epoch.map_or(Times::Own, Times::Set);
    context.leaving_out(build.left_out.iter().map(PathBuf::as_path)).with_times(times)
}

/// The Dockerfile of a context that is no folder, if the plan holds it; else it is in there, by its path.
fn beside(build: &BuildPlan, inputs: &mut Inputs) -> Text {
    match &build.dockerfile {
        Dockerfile::Inline(text) => {
            inputs.attributes.insert("dockerfilekey".into(), "dockerfile".into());
            Some((file_name(&build.dockerfile), text.clone().into_bytes()))
        }
        Dockerfile::File(path) => {
            inputs.attributes.insert("filename".into(), path.to_string_lossy().into_owned());
            None
        }
    }
}

/// A tar archive, compressed or not, or a Dockerfile alone, whose context is then empty.
async fn stdin(build: &BuildPlan, inputs: &mut Inputs) -> Result<Text, Problem> {
    let unreadable = |error: io::Error| ContextError::new(Path::new("-"), &error);
    let mut input = tokio::io::stdin();
    let mut head = Vec::new();
    (&mut input).take(RECORD).read_to_end(&mut head).await.map_err(unreadable)?;
    if is_archive(&head) {
        inputs.attributes.insert("context".into(), upload::ADDRESS.to_owned());
        inputs.archive = Some(Box::new(io::Cursor::new(head).chain(input)));
        return Ok(beside(build, inputs));
    }
    input.read_to_end(&mut head).await.map_err(unreadable)?;
    inputs.folders.insert("context".into(), Served::Texts(BTreeMap::new()));
    Ok(Some(("Dockerfile".to_owned(), head)))
}

/// By the signs of gzip, bzip2, xz, zstd, and of a tar, which stands at its byte 257.
fn is_archive(head: &[u8]) -> bool {
    let signs: [&[u8]; 4] = [b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];
    signs.iter().any(|sign| head.starts_with(sign)) || head.get(257..262) == Some(b"ustar")
}

fn file_name(dockerfile: &Dockerfile) -> String {
    let name = match dockerfile {
        Dockerfile::File(path) => path.file_name().and_then(|name| name.to_str()).map(str::to_owned),
        Dockerfile::Inline(_) => None,
    };
    name.unwrap_or_else(|| "Dockerfile".to_owned())
}

/// Engines that know named contexts are told of them. In others, the names of images are replaced in the Dockerfile.
fn named_contexts(
    build: &BuildPlan,
    given: &BuildInputs,
    engine: &BuildKit<'_>,
    inputs: &mut Inputs,
    text: &mut Text,
) -> Result<(), Problem> {
    let mut images = BTreeMap::new();
    for (name, context) in &build.contexts {
        let value = match context {
            NamedContext::Planned(image) => {
                let missing = || Problem::Unexpected(format!("image `{image}` is not in the registry yet"));
                let reference = given.images.get(image).ok_or_else(missing)?.to_string();
                images.insert(name.clone(), reference.clone());
                format!("docker-image://{reference}")
            }
            NamedContext::Image(reference) => {
                images.insert(name.clone(), reference.clone());
                format!("docker-image://{reference}")
            }
            NamedContext::Folder(folder) => {
                let context = prepared(Context::folder(folder, None)?, build);
                inputs.folders.insert(name.clone(), Served::Folder(context));
                format!("local:{name}")
            }
            NamedContext::Remote(url) => url.clone(),
        };
        if engine.facts.knows_named_contexts() {
            inputs.attributes.insert(format!("context:{name}"), value);
        } else if !images.contains_key(name) || text.is_none() {
            return Err(Problem::Lacking(format!("additional_contexts: {name}")));
        }
    }
    if let (false, Some((_, text))) = (engine.facts.knows_named_contexts() || images.is_empty(), text) {
        let old = String::from_utf8_lossy(text);
        let new = dockerfile::replace_names(&old, &images, &build.args);
        *text = new.map_err(|problem| Problem::Missing("the Dockerfile".to_owned(), problem.to_string()))?.into_bytes();
    }
    Ok(())
}

fn secrets(build: &BuildPlan, engine: &BuildKit<'_>) -> Result<BTreeMap<String, Vec<u8>>, Problem> {
    let read = build.options.secrets.iter().map(|secret| {
        let missing = |cause: String| Problem::Missing(format!("secret `{}`", secret.id), cause);
        let value = match &secret.source {
            SecretSource::File(path) => {
                limited::read(path, LARGEST_SECRET).map_err(|error| missing(format!("{}: {error}", path.display())))?
            }
            SecretSource::Variable(name) => {
                let value = engine.variables.get(name).ok_or_else(|| missing(format!("{name} is not set")))?;
                value.clone().into_bytes()
            }
        };
        secrecy::keep(&String::from_utf8_lossy(&value));
        Ok((secret.id.clone(), value))
    });
    read.collect()
}
