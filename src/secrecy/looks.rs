//! What a secret looks like: by the name that stands before it, or by itself.

/// Words of a name that say what its value is.
const WORDS: [&str; 10] =
    ["apikey", "credential", "credentials", "passphrase", "passwd", "password", "pword", "secret", "token", "secrets"];

/// Two words in a row that say so.
const PAIRS: [(&str, &str); 4] = [("access", "key"), ("api", "key"), ("private", "key"), ("secret", "key")];

/// Words that say that it is not the secret itself: where it is, or what is known of it.
const HARMLESS: [&str; 15] = [
    "count", "enabled", "endpoint", "file", "id", "length", "name", "path", "public", "ttl", "type", "uri", "url",
    "version", "issuer",
];

/// How values begin that are secrets, and how long they are at least. Source: GitHub documentation, "Supported secret
/// scanning patterns"; the issuers' own documentation.
const BEGINNINGS: [(&str, usize); 14] = [
    ("AKIA", 20),
    ("ASIA", 20),
    ("AIza", 39),
    ("ghp_", 40),
    ("gho_", 40),
    ("ghs_", 40),
    ("ghu_", 40),
    ("github_pat_", 40),
    ("glpat-", 26),
    ("npm_", 40),
    ("pypi-", 60),
    ("sk_live_", 24),
    ("xoxb-", 24),
    ("xoxp-", 24),
];

/// Whether a name says that its value is a secret.
pub fn name_tells(name: &str) -> bool {
    let words: Vec<String> = words(name);
    if words.iter().any(|word| HARMLESS.contains(&word.as_str())) {
        return false;
    }
    let is_pair = |pair: &[String]| PAIRS.contains(&(pair[0].as_str(), pair[1].as_str()));
    words.iter().any(|word| WORDS.contains(&word.as_str())) || words.windows(2).any(is_pair)
}

/// The words of a name, in lower case: `apiKey`, `API_KEY` and `api-key` have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        if !character.is_alphanumeric() || (was_lower && character.is_uppercase()) {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.extend(character.to_lowercase()));
        }
        was_lower = character.is_lowercase();
    }
    words
}

/// Whether a value looks like a secret, whatever its name.
pub fn value_tells(value: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = |(beginning, length): &(&str, usize)| {
        value.starts_with(beginning) && value.len() >= *length && value.chars().all(is_token)
    };
    BEGINNINGS.iter().any(begins)
        || (value.contains("-----BEGIN ") && value.contains("PRIVATE KEY-----"))
        || is_jwt(value)
        || has_password(value)
}

/// Two parts that are JSON in base64, and a signature. Source: RFC 7519, section 3.
fn is_jwt(value: &str) -> bool {
    let parts: Vec<&str> = value.split('.').collect();
    parts.len() == 3 && parts[..2].iter().all(|part| part.starts_with("eyJ")) && parts[2].len() >= 16
}

fn has_password(value: &str) -> bool {
    password(value).is_some_and(|password| !password.is_empty())
}

/// The password of a URL. Source: RFC 3986, section 3.2.1.
pub(super) fn password(value: &str) -> Option<&str> {
    let authority = value.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    user.and_then(|user| user.split_once(':')).map(|(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["NPM_TOKEN", "dbPassword", "API_KEY", "aws-secret-access-key", "token", "PRIVATE_KEY", "GH_SECRET"]
        {
            assert!(name_tells(name), "{name}");
        }
        for name in ["NODE_ENV", "TOKENIZER", "KEY", "PUBLIC_KEY", "TOKEN_URL", "SECRET_NAME", "AWS_ACCESS_KEY_ID", ""]
        {
            assert!(!name_tells(name), "{name}");
        }
    }

    #[test]
    fn values() {
        let github = format!("ghp_{}", "a1B2".repeat(9));
        for value in [
            "AKIAIOSFODNN7EXAMPLE",
            &github,
            "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----",
            "https://user:pass@example.com/x",
            "postgres://u:p@db/x",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        ] {
            assert!(value_tells(value), "{value}");
        }
        for value in
            ["production", "AKIA", "https://user@example.com", "https://example.com:8080/@x:y", "1.2.3", "a.b.c"]
        {
            assert!(!value_tells(value), "{value}");
        }
    }
}
