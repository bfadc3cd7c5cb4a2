//! Build arguments that look like secrets. An argument stays readable in the image's history for ever; a secret does not.
//! Source: Docker documentation, build check `SecretsUsedInArgOrEnv`; "Build variables".

use std::collections::BTreeSet;

use super::Pairs;
use crate::pipeline::node::Value;
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;

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

/// Reports each argument that looks like a secret and is not named among those that are none.
pub(super) fn check(args: &Field<'_>, pairs: &Pairs, public: &BTreeSet<String>, problems: &mut Problems) {
    for (name, value) in pairs {
        let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else { continue };
        let why = if value_tells(value) {
            "its value looks like a secret"
        } else if name_tells(name) {
            "its name says that it is a secret"
        } else {
            continue;
        };
        if !public.contains(name) {
            report(args, name, why, problems);
        }
    }
}

fn report(args: &Field<'_>, name: &str, why: &str, problems: &mut Problems) {
    let at = match &args.node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key.value == name).map(|entry| entry.key.span),
        Value::List(items) => {
            let is_it = |text: &str| text.split_once('=').map_or(text, |(key, _)| key) == name;
            items.iter().find(|item| matches!(&item.value, Value::Text(text) if is_it(text))).map(|item| item.span)
        }
        _ => None,
    };
    let id = name.to_lowercase();
    let message = format!("`{}`: {why}, and build arguments stay readable in the image: `{name}`", args.path);
    let hint = format!(
        "use `secrets: [\"id={id},env={name}\"]`, and in the Dockerfile `RUN --mount=type=secret,id={id}`; if it is no \
         secret, say so with `public_args: [{name}]`"
    );
    problems.error_unquoted(at.unwrap_or(args.key), message, hint);
}

fn name_tells(name: &str) -> bool {
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

fn value_tells(value: &str) -> bool {
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

/// A URL with a password. Source: RFC 3986, section 3.2.1.
fn has_password(value: &str) -> bool {
    let authority = value.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
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
