//! Where a git remote can be looked at.

/// A git remote's address as a URL for browsers: credentials and `.git` cut, `git@host:path` turned round.
pub fn browsable_url(remote: &str) -> Option<String> {
    let (host, path) = match remote.split_once("://") {
        Some(("http" | "https" | "ssh" | "git", rest)) => {
            let (authority, path) = rest.split_once('/')?;
            let host = authority.rsplit('@').next()?;
            // A port of ssh's says nothing about where the pages are.
            let host = if remote.starts_with("http") { host } else { host.split(':').next()? };
            (host, path)
        }
        Some(_) => return None,
        None => {
            let (authority, path) = remote.split_once(':')?;
            (authority.rsplit_once('@')?.1, path)
        }
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("https://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_as_pages() {
        let page = Some("https://example.com/shop/web".to_owned());
        for remote in [
            "https://example.com/shop/web.git",
            "https://user:secret@example.com/shop/web",
            "git@example.com:shop/web.git",
            "ssh://git@example.com:2222/shop/web.git/",
        ] {
            assert_eq!(browsable_url(remote), page, "{remote}");
        }
        assert_eq!(browsable_url("/srv/git/web.git"), None);
        assert_eq!(browsable_url("file:///srv/git/web.git"), None);
    }
}
