/// Whether a git branch or tag name matches a pattern, as a whole.
///
/// `*` stands for any characters but `/`, `**` for any characters at all, `?` for one character but `/`;
/// each may stand for nothing but the last. Everything else stands for itself. So `release/*` matches
/// `release/1.0` and not `release/1.0/rc`, which `release/**` does match.
///
/// Takes time in proportion to the product of both lengths, whatever the pattern.
pub fn glob(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // reachable[i]: the pattern so far matches the first i characters of the text.
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for token in tokens(pattern) {
        match token {
            Token::Run { slashes } => {
                for i in 1..=text.len() {
                    reachable[i] |= reachable[i - 1] && (slashes || text[i - 1] != '/');
                }
            }
            Token::AnyOne | Token::Exactly(_) => {
                for i in (1..=text.len()).rev() {
                    reachable[i] = reachable[i - 1] && token.takes(text[i - 1]);
                }
                reachable[0] = false;
            }
        }
    }
    reachable[text.len()]
}

#[derive(Clone, Copy)]
enum Token {
    Run { slashes: bool },
    AnyOne,
    Exactly(char),
}

impl Token {
    fn takes(self, c: char) -> bool {
        match self {
            Token::Run { slashes } => slashes || c != '/',
            Token::AnyOne => c != '/',
            Token::Exactly(own) => c == own,
        }
    }
}

fn tokens(pattern: &str) -> impl Iterator<Item = Token> {
    let mut rest = pattern.chars().peekable();
    std::iter::from_fn(move || {
        Some(match rest.next()? {
            '*' => {
                let mut stars = 1;
                while rest.next_if_eq(&'*').is_some() {
                    stars += 1;
                }
                Token::Run { slashes: stars > 1 }
            }
            '?' => Token::AnyOne,
            c => Token::Exactly(c),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn what_matches_and_what_does_not() {
        let cases = [
            ("main", "main", true),
            ("main", "mainline", false),
            ("main", "domain", false),
            ("", "", true),
            ("", "x", false),
            ("*", "", true),
            ("*", "main", true),
            ("*", "feature/x", false),
            ("**", "feature/x/y", true),
            ("release/*", "release/1.0", true),
            ("release/*", "release/1.0/rc", false),
            ("release/**", "release/1.0/rc", true),
            ("release/**", "release", false),
            ("*/x", "a/x", true),
            ("*/x", "a/b/x", false),
            ("**/x", "a/b/x", true),
            ("v?.?", "v1.2", true),
            ("v?.?", "v1.22", false),
            ("a?b", "a/b", false),
            ("한*", "한글", true),
            ("v[0-9]", "v1", false),
            ("a.c", "abc", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_few() {
        let pattern = "*a".repeat(500);
        assert!(!glob(&pattern, &"a".repeat(499)));
        assert!(glob(&pattern, &"a".repeat(500)));
    }
}
