//! Addresses, which may hold a user, a password and a query.

/// A URL without the user, the password and the query that may stand in it, for where it is shown or kept. Signatures and
/// tokens are in queries.
pub fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let rest = authority.rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let (rest, fragment) = rest.find('#').map_or((rest, ""), |at| rest.split_at(at));
    let (path, query) = rest.find('?').map_or((rest, ""), |at| rest.split_at(at));
    format!("{scheme}://{path}{}{fragment}", if query.len() > 1 { "?…" } else { query })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(without_secrets("https://me:secret@host/a.git#b"), "https://host/a.git#b");
        assert_eq!(without_secrets("https://host/a@b"), "https://host/a@b");
        assert_eq!(without_secrets("https://host/a.tar?token=secret"), "https://host/a.tar?…");
        assert_eq!(without_secrets("https://me@host?a=b@c#d?e"), "https://host?…#d?e");
        assert_eq!(without_secrets("git@host:a.git"), "git@host:a.git");
    }
}
