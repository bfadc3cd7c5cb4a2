//! What an image is made of: its layers, with the commands that made them.

use serde::Deserialize;

use super::holdings::{Blob, blobs};

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The layer.
    pub blob: Blob,
    /// The command that made it, where the image's history says so.
    pub command: Option<String>,
    /// What might make it smaller. A guess from the command alone: nobody has looked into the layer.
    pub hint: Option<&'static str>,
}

/// An image's layers, the lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The layers.
    pub layers: Vec<Layer>,
    /// The history says as many layers as there are, so that commands could be told.
    pub has_commands: bool,
    /// As in `linux/amd64`.
    pub platform: Option<String>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
    #[serde(default)]
    history: Vec<History>,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    empty_layer: bool,
}

/// Joins a manifest's layers with its configuration's history. Source: OCI image specification v1.1, "Image Configuration":
/// each entry of the history that is not `empty_layer` made one layer, in their order.
pub fn draw(manifest: &str, config: &str) -> Drawn {
    let config: Config = serde_json::from_str(config).unwrap_or(Config {
        os: String::new(),
        architecture: String::new(),
        variant: None,
        history: Vec::new(),
    });
    // The first is the configuration itself.
    let blobs: Vec<Blob> = blobs(manifest).into_iter().skip(1).collect();
    let made: Vec<&History> = config.history.iter().filter(|entry| !entry.empty_layer).collect();
    let has_commands = made.len() == blobs.len();
    let layers = blobs.into_iter().enumerate().map(|(at, blob)| {
        let command = made.get(at).filter(|_| has_commands).map(|entry| readable(&entry.created_by));
        let hint = command.as_deref().and_then(hint);
        Layer { blob, command, hint }
    });
    let layers = layers.collect();
    let platform = (!config.os.is_empty()).then(|| match config.variant {
        Some(variant) if !variant.is_empty() => format!("{}/{}/{variant}", config.os, config.architecture),
        _ => format!("{}/{}", config.os, config.architecture),
    });
    Drawn { layers, has_commands, platform }
}

/// The command as it stands in a Dockerfile, in one line.
fn readable(created_by: &str) -> String {
    let text = created_by.trim().trim_end_matches("# buildkit").trim();
    let text = match text.strip_prefix("/bin/sh -c #(nop)") {
        Some(rest) => rest.trim().to_owned(),
        None => match text.strip_prefix("/bin/sh -c ") {
            Some(rest) => format!("RUN {}", rest.trim()),
            None => text.replacen("RUN /bin/sh -c ", "RUN ", 1),
        },
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What package managers leave behind, known by their commands.
fn hint(command: &str) -> Option<&'static str> {
    let has = |word: &str| command.contains(word);
    // A cache mount is no part of the layer, and neither is what the same command removes.
    if !command.starts_with("RUN") || has("--mount=type=cache") {
        return None;
    }
    let apt = has("apt-get install") || has("apt install") || has("apt-get update") || has("apt update");
    if apt && !has("/var/lib/apt/lists") {
        return Some(
            "apt's package lists may be in it: end the command with `rm -rf /var/lib/apt/lists/*`, or mount a cache",
        );
    }
    if (has("apt-get install") || has("apt install")) && !has("--no-install-recommends") {
        return Some("apt may have installed what it only recommends: `--no-install-recommends`");
    }
    if has("apk add") && !has("--no-cache") && !has("/var/cache/apk") {
        return Some("apk's index may be in it: `apk add --no-cache`");
    }
    let rpm = ["yum install", "dnf install", "microdnf install"].into_iter().any(has);
    if rpm && !has("clean all") {
        return Some("the package manager's cache may be in it: end the command with `clean all`");
    }
    if (has("pip install") || has("pip3 install")) && !has("--no-cache-dir") && !has("PIP_NO_CACHE_DIR") {
        return Some("pip's cache may be in it: `--no-cache-dir`, or mount a cache");
    }
    let node = ["npm ci", "npm install", "npm i "].into_iter().any(has);
    if node && !has("cache clean") {
        return Some("npm's cache may be in it: end the command with `npm cache clean --force`, or mount a cache");
    }
    if has("yarn install") && !has("yarn cache clean") {
        return Some("yarn's cache may be in it: end the command with `yarn cache clean`, or mount a cache");
    }
    if has(" rm -r") && !has("install") && !has("curl") && !has("wget") && !has("tar ") {
        return Some("what a later layer removes stays in the earlier one: remove it in the command that makes it");
    }
    (has("chown -R") || has("chmod -R")).then_some(
        "files whose owner or mode changes are stored a second time: `COPY --chown` and `--chmod` do it at once",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_beside_their_layers() {
        let manifest = r#"{"config":{"digest":"sha256:c","size":1},"layers":[
            {"digest":"sha256:a","size":10},{"digest":"sha256:b","size":20}]}"#;
        let config = r#"{"os":"linux","architecture":"arm","variant":"v7","history":[
            {"created_by":"/bin/sh -c #(nop) ADD file:1 in / "},
            {"created_by":"/bin/sh -c #(nop) CMD [\"sh\"]","empty_layer":true},
            {"created_by":"RUN /bin/sh -c apt-get update && apt-get install -y git # buildkit"}]}"#;
        let drawn = draw(manifest, config);
        let commands: Vec<&str> = drawn.layers.iter().map(|layer| layer.command.as_deref().unwrap()).collect();
        assert_eq!(commands, ["ADD file:1 in /", "RUN apt-get update && apt-get install -y git"]);
        assert!(drawn.layers[1].hint.unwrap().contains("/var/lib/apt/lists"));
        assert_eq!((drawn.has_commands, drawn.platform.as_deref()), (true, Some("linux/arm/v7")));
    }

    #[test]
    fn a_history_that_does_not_fit_is_not_told() {
        let manifest = r#"{"config":{"digest":"sha256:c","size":1},"layers":[{"digest":"sha256:a","size":10}]}"#;
        let drawn = draw(manifest, r#"{"history":[]}"#);
        assert_eq!((drawn.has_commands, drawn.layers[0].command.as_deref()), (false, None));
    }

    #[test]
    fn hints_are_guesses_from_the_command() {
        for (command, part) in [
            ("RUN npm ci", Some("npm")),
            ("RUN --mount=type=cache,target=/root/.npm npm ci", None),
            ("RUN pip install --no-cache-dir x", None),
            ("RUN pip install x", Some("pip")),
            ("RUN apk add git", Some("apk")),
            ("RUN rm -rf /src", Some("earlier")),
            ("RUN chown -R app /app", Some("second time")),
            ("COPY npm install /x", None),
        ] {
            assert_eq!(hint(command).is_some(), part.is_some(), "{command}");
            assert!(part.is_none_or(|part| hint(command).unwrap().contains(part)), "{command}");
        }
    }
}
