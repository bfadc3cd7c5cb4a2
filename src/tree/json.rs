//! JSON with a place for every value. Source of the grammar: RFC 8259.

use super::{Entry, Node, Problem, Problems, Value};

/// How deep lists and objects may be nested; a policy needs six.
const MAX_DEPTH: usize = 64;

/// Why a text is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no JSON.
    NoJson(Problem),
    /// Keys come twice in one object.
    Twice(Problems),
}

impl From<Unreadable> for Problems {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::NoJson(problem) => vec![problem],
            Unreadable::Twice(problems) => problems,
        }
    }
}

/// Reads one JSON value.
///
/// # Errors
/// The first place where the text is no JSON; or every key that comes twice in one object.
pub fn parse(text: &str) -> Result<Node, Unreadable> {
    let mut parser = Parser { text, position: 0, depth: 0, twice: Vec::new() };
    let node = parser.document().map_err(Unreadable::NoJson)?;
    if parser.twice.is_empty() { Ok(node) } else { Err(Unreadable::Twice(parser.twice)) }
}

struct Parser<'t> {
    text: &'t str,
    position: usize,
    depth: usize,
    twice: Problems,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<Node, Problem> {
        self.skip_space();
        let node = self.value()?;
        self.skip_space();
        if self.position < self.text.len() { Err(self.unexpected("the end of the text")) } else { Ok(node) }
    }

    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.position += usize::from(there);
        there
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    fn unexpected(&self, expected: &str) -> Problem {
        let found = self.rest().chars().next();
        let at = self.position..self.position + found.map_or(0, char::len_utf8);
        let found = found.map_or("the text ends".to_owned(), |c| format!("there is {c:?}"));
        Problem::at(&at, format!("the policy is not JSON: {found} where {expected} should be"))
    }

    fn value(&mut self) -> Result<Node, Problem> {
        let start = self.position;
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { value, at: start..self.position })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Problem>) -> Result<Value, Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let at = self.position..self.position + 1;
            return Err(Problem::at(&at, "the policy nests lists and objects too deep"));
        }
        self.position += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Map(entries));
        }
        loop {
            let start = self.position;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            let key = self.string()?;
            let key_at = start..self.position;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.unexpected("`:`"));
            }
            self.skip_space();
            let value = self.value()?;
            if entries.iter().any(|known| known.key == key) {
                self.twice.push(Problem::at(&key_at, format!("key `{key}` comes twice in one object")));
            } else {
                entries.push(Entry { key, key_at, value });
            }
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Map(entries));
            }
            if !self.take(b',') {
                return Err(self.unexpected("`,` or `}`"));
            }
            self.skip_space();
        }
    }

    fn array(&mut self) -> Result<Value, Problem> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            if !self.take(b',') {
                return Err(self.unexpected("`,` or `]`"));
            }
            self.skip_space();
        }
    }

    /// Finds the end of the text; its escapes are for serde_json to read.
    fn string(&mut self) -> Result<String, Problem> {
        let start = self.position;
        self.position += 1;
        loop {
            match self.peek() {
                None => return Err(self.unexpected("the closing quote")),
                Some(b'"') => break,
                Some(b'\\') => {
                    self.position += 1 + self.text[self.position + 1..].chars().next().map_or(0, char::len_utf8);
                }
                Some(_) => self.position += self.rest().chars().next().map_or(1, char::len_utf8),
            }
        }
        self.position += 1;
        let written = &self.text[start..self.position];
        serde_json::from_str(written).map_err(|_| {
            let message = "the policy is not JSON: this text holds a broken escape or a control character";
            Problem::at(&(start..self.position), message)
        })
    }

    fn number(&mut self) -> Result<Value, Problem> {
        let end = self.rest().find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let written = &self.rest()[..end.unwrap_or(self.rest().len())];
        if serde_json::from_str::<serde_json::Number>(written).is_err() {
            return Err(self.unexpected("a number"));
        }
        let value = Value::Number(written.to_owned());
        self.position += written.len();
        Ok(value)
    }

    fn word(&mut self) -> Result<Value, Problem> {
        for (word, value) in [("true", Value::Flag(true)), ("false", Value::Flag(false)), ("null", Value::Null)] {
            if self.rest().starts_with(word) {
                self.position += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("a value"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (usize, String) {
        let problem = Problems::from(parse(text).unwrap_err()).remove(0);
        (problem.at.unwrap().start, problem.message)
    }

    #[test]
    fn values_have_their_places() {
        let text = "\t{ \"a\\u00e9\": [1, -2.5e3, \"x\\\"y\"], \"b\": {}, \"c\": [], \"d\": null, \"e\": true }\n";
        let node = parse(text).unwrap();
        let entry = node.get("aé").unwrap();
        assert_eq!(&text[entry.key_at.clone()], "\"a\\u00e9\"");
        assert_eq!(&text[entry.value.at.clone()], "[1, -2.5e3, \"x\\\"y\"]");
        assert_eq!(node.get("d").map(|entry| &entry.value.value), Some(&Value::Null));
    }

    #[test]
    fn what_is_no_json() {
        for (text, at) in [
            ("", 0),
            ("{\"a\": 1,}", 8),
            ("[1 2]", 3),
            ("{a: 1}", 1),
            ("[01]", 1),
            ("\"x", 2),
            ("\"\\", 2),
            ("[\"\\q\"]", 1),
            ("{} {}", 3),
            ("[tru]", 1),
            ("['a']", 1),
        ] {
            let found = problem(text);
            assert_eq!(found.0, at, "{text}: {}", found.1);
        }
        assert!(problem(&"[".repeat(100_000)).1.ends_with("too deep"));
        assert_eq!(problem("{\"a\": 1, \"a\": 2}"), (9, "key `a` comes twice in one object".into()));
    }

    #[test]
    fn it_takes_what_serde_json_takes() {
        for text in ["0", "-0", "1e5", "1E+5", "\"\\ud83d\\ude00\"", "[[[]]]", " { } ", "\"\u{7f}\"", "-", "1.", "+1"] {
            let ours = parse(text).is_ok();
            assert_eq!(ours, serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        }
    }
}
