//! The paths of a Rust file that begin at the crate's root, and those that climb.

use crate::tokens::{Located, Token, tokens};

/// A path, segment by segment, and the line it stands in.
#[derive(Debug, PartialEq, Eq)]
pub struct Path {
    /// Without the leading `crate`; a glob import ends in `*`, and `self` in braces stands for what is before them.
    pub segments: Vec<String>,
    /// Counted from 1.
    pub line: usize,
}

/// What a file says about its surroundings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Every path that starts with `crate::`, in imports (each leaf of the tree) and in code.
    pub rooted: Vec<Path>,
    /// The lines in which `super` leads out of the room, or climbs more than one module at once.
    pub climbing: Vec<usize>,
}

/// Reads a file whose own module is `depth` modules below the crate's root: 0 for `lib.rs`, 1 for a room's own file.
pub fn paths(source: &str, depth: usize) -> Paths {
    let tokens = tokens(source);
    let mut found = Paths::default();
    // The nesting of braces at which each inline module began.
    let mut modules: Vec<usize> = Vec::new();
    let mut braces = 0;
    for at in 0..tokens.len() {
        match word(&tokens, at) {
            Some("crate") if is_separator(&tokens, at + 1) => {
                tree(&tokens, at + 2, &mut Vec::new(), &mut found.rooted);
            }
            Some("super") => {
                let chained = at >= 2 && is_separator(&tokens, at - 1) && word(&tokens, at - 2) == Some("super");
                if chained || depth + modules.len() <= 1 {
                    found.climbing.push(tokens[at].1);
                }
            }
            Some("mod") if other(&tokens, at + 2) == Some('{') => modules.push(braces + 1),
            _ => {}
        }
        match other(&tokens, at) {
            Some('{') => braces += 1,
            Some('}') => {
                if modules.last() == Some(&braces) {
                    modules.pop();
                }
                braces = braces.saturating_sub(1);
            }
            _ => {}
        }
    }
    found
}

/// Reads one tree of an import, or one plain path, and returns where it ends.
fn tree(tokens: &[Located], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<Path>) -> usize {
    let outer = prefix.len();
    let line = tokens.get(at).map_or(0, |(_, line)| *line);
    loop {
        match tokens.get(at).map(|(token, _)| token) {
            Some(Token::Word(name)) => {
                if name != "self" {
                    prefix.push(name.clone());
                }
                at += 1;
                if is_separator(tokens, at) {
                    at += 1;
                    continue;
                }
            }
            Some(Token::Other('*')) => {
                prefix.push("*".to_owned());
                at += 1;
            }
            Some(Token::Other('{')) => {
                at += 1;
                while other(tokens, at) != Some('}') && at < tokens.len() {
                    at = tree(tokens, at, prefix, found);
                    // What is between leaves: a comma, or `as` and a name.
                    while at < tokens.len() && !matches!(other(tokens, at), Some('}' | ',')) {
                        at += 1;
                    }
                    at += usize::from(other(tokens, at) == Some(','));
                }
                prefix.truncate(outer);
                return at + 1;
            }
            // The path ends here, as before the `<` of a turbofish.
            _ => {}
        }
        found.push(Path { segments: prefix.clone(), line });
        prefix.truncate(outer);
        return at;
    }
}

fn word(tokens: &[Located], at: usize) -> Option<&str> {
    match tokens.get(at) {
        Some((Token::Word(word), _)) => Some(word),
        _ => None,
    }
}

fn other(tokens: &[Located], at: usize) -> Option<char> {
    match tokens.get(at) {
        Some((Token::Other(c), _)) => Some(*c),
        _ => None,
    }
}

fn is_separator(tokens: &[Located], at: usize) -> bool {
    matches!(tokens.get(at), Some((Token::Separator, _)))
}
