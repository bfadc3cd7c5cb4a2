//! Secrets that are known by their values, wherever they turn up.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::looks::password;

/// What is shorter is no secret, and stands in other words by chance.
const SHORTEST: usize = 6;

/// What is shown in place of a secret.
const INSTEAD: &str = "***";

/// The secrets that this process has come to know.
static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Has a secret left out of whatever [`without_known`] shows from now on.
pub fn keep(secret: &str) {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).extend(forms(secret));
}

/// The text without the secrets that were given to [`keep`].
pub fn without_known(text: &str) -> String {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    replaced(text, &known)
}

/// The text without these secrets.
pub fn without<'a>(text: &str, secrets: impl IntoIterator<Item = &'a String>) -> String {
    replaced(text, &secrets.into_iter().flat_map(|secret| forms(secret)).collect())
}

/// A secret as a whole, and its parts that say as much: the lines of several, the password of a URL.
fn forms(secret: &str) -> Vec<String> {
    let lines = secret.lines().filter(|line| line.len() > SHORTEST);
    let parts = std::iter::once(secret.trim()).chain(lines.map(str::trim)).chain(password(secret));
    let parts: Vec<&str> = parts.filter(|part| part.len() >= SHORTEST).collect();
    // As `Debug` and JSON write it.
    let escaped = parts.iter().map(|part| part.escape_debug().to_string());
    escaped.chain(parts.iter().map(|part| (*part).to_owned())).collect()
}

fn replaced(text: &str, secrets: &BTreeSet<String>) -> String {
    let mut found: Vec<&String> = secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
    // What is part of another must not break it up.
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    found.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), INSTEAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_secret_is_left() {
        let secrets = [
            "hunter2-and-more",
            "hunter2",
            "https://me:letmein@proxy:3128",
            "first line\nsecond line",
            "quo\"ted",
            "abc",
        ];
        let secrets = secrets.map(str::to_owned);
        for (text, shown) in [
            ("hunter2-and-more, hunter2", "***, ***"),
            ("cannot log in with letmein at proxy:3128", "cannot log in with *** at proxy:3128"),
            ("`second line` is odd", "`***` is odd"),
            ("\"quo\\\"ted\"", "\"***\""),
            ("abcdef", "abcdef"),
        ] {
            assert_eq!(without(text, &secrets), shown, "{text}");
        }
    }

    #[test]
    fn what_is_kept_is_left_out_from_then_on() {
        assert_eq!(without_known("kept-by-this-test"), "kept-by-this-test");
        keep("kept-by-this-test");
        assert_eq!(without_known("<kept-by-this-test>"), "<***>");
    }
}
