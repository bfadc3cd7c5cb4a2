//! Reads members of objects as what they should be. AWS checks a policy against a schema that allows no other member
//! and no `null` anywhere.

use super::{At, Entry, Node, Problem, Problems, Value};

/// A value that was read, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: At,
}

/// One object, and the way to it.
pub struct Members<'n> {
    node: &'n Node,
    entries: &'n [Entry],
    path: String,
}

/// A member, and the way to it.
pub struct Member<'n> {
    /// The value.
    pub node: &'n Node,
    /// The way to it, as in `rules[0].action`.
    pub path: String,
}

/// The largest number that ECR's answers can name: they hold 32 bits.
const MAX_NUMBER: u64 = i32::MAX as u64;

impl<'n> Members<'n> {
    /// The object, if it is one; members other than the known are reported.
    pub fn of(node: &'n Node, path: String, known: &[&str], problems: &mut Problems) -> Option<Self> {
        let Some(entries) = node.entries() else {
            Member { node, path }.wrong("a map", problems);
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            problems.push(unknown(entry, &path, known));
        }
        Some(Members { node, entries, path })
    }

    /// A member that may be missing.
    pub fn get(&self, key: &str) -> Option<Member<'n>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Some(Member { node: &entry.value, path })
    }

    /// A member that may not be missing.
    pub fn required(&self, key: &str, problems: &mut Problems) -> Option<Member<'n>> {
        let member = self.get(key);
        if member.is_none() {
            let of = if self.path.is_empty() { "the policy" } else { &self.path };
            let of = if self.path.is_empty() { of.to_owned() } else { format!("`{of}`") };
            problems.push(Problem::at(&self.node.at, format!("{of} has no `{key}`")));
        }
        member
    }
}

impl<'n> Member<'n> {
    /// Where the value stands.
    pub fn at(&self) -> &'n At {
        &self.node.at
    }

    /// The value is not what it should be.
    pub fn wrong(&self, expected: &str, problems: &mut Problems) {
        let name = if self.path.is_empty() { "the policy".to_owned() } else { format!("`{}`", self.path) };
        match &self.node.value {
            Value::Broken => {}
            other => problems.push(Problem::at(self.at(), format!("{name} must be {expected}, not {}", other.kind()))),
        }
    }

    /// A text.
    pub fn text(&self, problems: &mut Problems) -> Option<Placed<&'n str>> {
        match &self.node.value {
            Value::Text(text) => Some(Placed { value: text, at: self.at().clone() }),
            _ => {
                self.wrong("a text", problems);
                None
            }
        }
    }

    /// A whole number, at least 1.
    pub fn number(&self, problems: &mut Problems) -> Option<Placed<u32>> {
        let Value::Number(written) = &self.node.value else {
            self.wrong("a whole number", problems);
            return None;
        };
        let number = written.parse::<u64>().ok().filter(|_| written.bytes().all(|byte| byte.is_ascii_digit()));
        let problem = match number {
            Some(number @ 1..=MAX_NUMBER) => {
                let value = u32::try_from(number).unwrap_or(u32::MAX);
                return Some(Placed { value, at: self.at().clone() });
            }
            Some(0) => format!("`{}` must be at least 1", self.path),
            Some(_) => format!("`{}` is too large: `{written}`; the largest is {MAX_NUMBER}", self.path),
            None if written.starts_with('-') => format!("`{}` must be at least 1, not `{written}`", self.path),
            None => format!("`{}` must be a whole number, not `{written}`", self.path),
        };
        problems.push(Problem::at(self.at(), problem));
        None
    }

    /// One of these words.
    pub fn word<T: Copy>(&self, words: &[(&str, T)], problems: &mut Problems) -> Option<Placed<T>> {
        let text = self.text(problems)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(Placed { value: *value, at: text.at });
        }
        let listed: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let listed = match listed.as_slice() {
            [one] => one.clone(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
            [] => String::new(),
        };
        let problem = Problem::at(&text.at, format!("`{}` must be {listed}, not `{}`", self.path, text.value));
        let meant = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.value));
        problems.push(match meant {
            Some((word, _)) => problem.hint(format!("write `{word}`; case counts")),
            None => problem,
        });
        None
    }

    /// A list of texts.
    pub fn texts(&self, problems: &mut Problems) -> Option<Placed<Vec<Placed<String>>>> {
        let Value::List(items) = &self.node.value else {
            self.wrong("a list of texts", problems);
            return None;
        };
        let mut texts = Vec::new();
        let mut whole = true;
        for (number, node) in items.iter().enumerate() {
            let item = Member { node, path: format!("{}[{number}]", self.path) };
            match item.text(problems) {
                Some(text) => texts.push(Placed { value: text.value.to_owned(), at: text.at }),
                None => whole = false,
            }
        }
        whole.then(|| Placed { value: texts, at: self.at().clone() })
    }
}

fn unknown(entry: &Entry, path: &str, known: &[&str]) -> Problem {
    let plain = |word: &str| word.replace(['-', '_'], "").to_ascii_lowercase();
    let within = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
    let meant = known.iter().find(|word| plain(word) == plain(&entry.key));
    let hint = match meant {
        Some(word) => format!("did you mean `{word}`?"),
        None => {
            format!("known fields: {}", known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
        }
    };
    Problem::at(&entry.key_at, format!("unknown field `{}`{within}", entry.key)).hint(hint)
}
