//! `RUN --mount=…`

/// What a mount takes from where.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mount {
    /// Something of a stage, an image or a named context.
    From(String),
    /// Something of the build context.
    Context(String),
    /// Nothing that decides the result: a cache, a secret, an agent, memory.
    Nothing,
}

/// Reads the value of `--mount`. Source: Dockerfile reference, "RUN --mount".
pub(super) fn read(value: &str) -> Mount {
    let (mut kind, mut from, mut source) = ("bind", None, ".");
    for field in value.split(',') {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "type" => kind = value.trim(),
            "from" => from = Some(value.trim()),
            "source" | "src" => source = value.trim(),
            _ => {}
        }
    }
    match (kind, from) {
        ("bind" | "cache", Some(from)) if !from.is_empty() => Mount::From(from.to_owned()),
        ("bind", _) => Mount::Context(source.to_owned()),
        _ => Mount::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        assert_eq!(read("type=bind,from=base,target=/x"), Mount::From("base".into()));
        assert_eq!(read("target=/x,from=base"), Mount::From("base".into()));
        assert_eq!(read("type=cache,target=/x,from=base"), Mount::From("base".into()));
        assert_eq!(read("source=web,target=/x"), Mount::Context("web".into()));
        assert_eq!(read("target=/x"), Mount::Context(".".into()));
        assert_eq!(read("type=cache,target=/x"), Mount::Nothing);
        assert_eq!(read("type=secret,id=x"), Mount::Nothing);
    }
}
