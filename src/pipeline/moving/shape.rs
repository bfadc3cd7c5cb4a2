//! What the tags of one rule look like.

/// A stretch of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// As it is written.
    Text(String),
    /// A number.
    Number,
    /// So many digits of a commit.
    Hash(usize),
    /// At least one character of any kind that a tag may have.
    Any,
}

/// What the tags of one rule look like, from one end to the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape(pub(super) Vec<Part>);

/// Some characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Exactly(char),
    Digit,
    Hex,
    Any,
}

/// A step through a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    One(Class),
    /// Any number of them, none included.
    Many(Class),
}

impl Class {
    fn has(self, c: char) -> bool {
        match self {
            Class::Exactly(known) => known == c,
            Class::Digit => c.is_ascii_digit(),
            Class::Hex => matches!(c, '0'..='9' | 'a'..='f'),
            Class::Any => c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'),
        }
    }
}

impl Shape {
    /// The tag that is written so.
    pub fn text(text: &str) -> Self {
        Shape(vec![Part::Text(text.to_owned())])
    }

    /// The filter that matches all such tags, with as many `*` as it takes.
    pub fn filter(&self) -> String {
        let mut filter = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filter.push_str(text),
                Part::Number | Part::Hash(_) | Part::Any if filter.ends_with('*') => {}
                Part::Number | Part::Hash(_) | Part::Any => filter.push('*'),
            }
        }
        filter
    }

    /// One such tag, to be shown.
    pub fn example(&self) -> String {
        let mut number = 0;
        let shown = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Number => {
                number += 1;
                number.to_string()
            }
            Part::Hash(digits) => "4f2e1a0".chars().cycle().take(*digits).collect(),
            Part::Any => "NAME".to_owned(),
        });
        shown.collect()
    }

    /// Whether this is such a tag.
    pub fn accepts(&self, tag: &str) -> bool {
        // No tag has a `*`.
        self.meets(tag)
    }

    /// Whether a filter matches some such tag.
    pub fn meets(&self, filter: &str) -> bool {
        self.walks(filter, |c, step| match step {
            Step::One(class) => vec![c.filter(|c| class.has(*c)).map(|_| (1, 1))],
            // None of them, or one more.
            Step::Many(class) => vec![Some((0, 1)), c.filter(|c| class.has(*c)).map(|_| (1, 0))],
        })
    }

    /// Whether a filter matches every such tag. What is not a known letter can only be matched by a `*`.
    pub fn is_within(&self, filter: &str) -> bool {
        self.walks(filter, |c, step| vec![c.filter(|c| step == Step::One(Class::Exactly(*c))).map(|_| (1, 1))])
    }

    /// Whether some way leads through all of the filter and all of the tag at once. `*` takes any number of steps; what
    /// the next letter of the filter, if there is one, does to a step is said as how far to go in the filter and in the tag.
    fn walks(&self, filter: &str, letter: impl Fn(Option<char>, Step) -> Vec<Option<(usize, usize)>>) -> bool {
        let filter: Vec<char> = filter.chars().collect();
        let steps = self.steps();
        let (mut open, mut seen) = (vec![(0, 0)], std::collections::HashSet::new());
        while let Some((at, step)) = open.pop() {
            if !seen.insert((at, step)) {
                continue;
            }
            let ways = match (filter.get(at), steps.get(step)) {
                (None, None) => return true,
                (Some('*'), None) => vec![Some((1, 0))],
                // Of many it may leave out all, so that one step on is as good for both.
                (Some('*'), Some(_)) => vec![Some((1, 0)), Some((0, 1))],
                (Some(_), None) => Vec::new(),
                (c, Some(next)) => letter(c.copied(), *next),
            };
            open.extend(ways.into_iter().flatten().map(|(on, along)| (at + on, step + along)));
        }
        false
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => steps.extend(text.chars().map(|c| Step::One(Class::Exactly(c)))),
                Part::Number => steps.extend([Step::One(Class::Digit), Step::Many(Class::Digit)]),
                Part::Hash(digits) => steps.extend(std::iter::repeat_n(Step::One(Class::Hex), *digits)),
                Part::Any => steps.extend([Step::One(Class::Any), Step::Many(Class::Any)]),
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part {
        Part::Text(text.into())
    }

    #[test]
    fn what_a_filter_can_match() {
        let minor = Shape(vec![Part::Number, text("."), Part::Number]);
        let full = Shape(vec![Part::Number, text("."), Part::Number, text("."), Part::Number]);
        let (sha, branch) = (Shape(vec![Part::Hash(7)]), Shape(vec![Part::Any]));
        assert_eq!((minor.filter().as_str(), minor.example().as_str()), ("*.*", "1.2"));
        assert!(full.meets("*.*") && !minor.meets("*.*.*") && !sha.meets("*.*") && branch.meets("*.*"));
        assert!(sha.meets("a*") && !sha.meets("v*") && !sha.meets("1") && !full.meets("v*"));
        assert!(minor.accepts("10.2") && !minor.accepts("1.2.3") && !minor.accepts("1."));
        assert!(full.is_within("*.*") && full.is_within("*") && !full.is_within("1*"));
        let pr = Shape(vec![text("pr-"), Part::Number]);
        assert!(pr.is_within("pr-*") && pr.is_within("pr*") && pr.is_within("*-*") && !pr.is_within("pr-1"));
        assert!(Shape::text("latest").is_within("latest") && Shape::text("latest").is_within("*test"));
    }
}
