//! Addresses, which may hold a user, a password and a query.

/// A URL without the user, the password and the query that may stand in it, for where it is shown or kept. Signatures and
/// tokens are in queries.
pub fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let user = if may_be_host(authority) { authority } else { rest };
    let rest = user.rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let (rest, fragment) = rest.find('#').map_or((rest, ""), |at| rest.split_at(at));
    let (path, query) = rest.find('?').map_or((rest, ""), |at| rest.split_at(at));
    format!("{scheme}://{path}{}{fragment}", if query.len() > 1 { "?…" } else { query })
}

/// Whether this is a host with a port, or none. A password that is not written as it should be may hold a `/`, a `?` or a
/// `#`, and what stands before that looks like a host whose port is no number. Source: RFC 3986, section 3.2.
pub(super) fn may_be_host(authority: &str) -> bool {
    let port = match authority.strip_prefix('[').and_then(|literal| literal.split_once(']')) {
        Some((_, after)) => after.strip_prefix(':').unwrap_or(after),
        None => authority.split_once(':').map_or("", |(_, port)| port),
    };
    port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(without_secrets("https://me:secret@host/a.git#b"), "https://host/a.git#b");
        for secret in ["se/cret", "se?cret", "se#cret", "se:80/cret"] {
            assert_eq!(without_secrets(&format!("https://me:{secret}@host/a.git#b")), "https://host/a.git#b");
        }
        assert_eq!(without_secrets("https://host/a@b"), "https://host/a@b");
        assert_eq!(without_secrets("https://host:80/a@b"), "https://host:80/a@b");
        assert_eq!(without_secrets("https://[::1]/a@b"), "https://[::1]/a@b");
        assert_eq!(without_secrets("https://[::1]:80/a@b"), "https://[::1]:80/a@b");
        assert_eq!(without_secrets("https://host/a.tar?token=secret"), "https://host/a.tar?…");
        assert_eq!(without_secrets("https://me@host?a=b@c#d?e"), "https://host?…#d?e");
        assert_eq!(without_secrets("git@host:a.git"), "git@host:a.git");
    }
}
